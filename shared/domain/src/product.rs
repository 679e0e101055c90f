//! Products: what a tenant sells.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// What a tenant sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// A word without dots, such as `haircut`: `product.haircut.price`.
    pub id: String,
    /// As customers know it.
    pub name: String,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Where to see or book it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Anything else, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// In the currency's smallest unit.
    pub amount: u64,
    /// ISO 4217, such as `AED`.
    pub currency: String,
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Decimal places by ISO 4217; all others have two.
        let places = match self.currency.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
            | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2_usize,
        };
        if places == 0 {
            return write!(f, "{} {}", self.amount, self.currency);
        }
        let unit = 10_u64.pow(places as u32);
        let (whole, rest) = (self.amount / unit, self.amount % unit);
        write!(f, "{whole}.{rest:0places$} {}", self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_has_its_currencys_places() {
        for (amount, currency, text) in [
            (12_050, "AED", "120.50 AED"),
            (5, "GBP", "0.05 GBP"),
            (1500, "JPY", "1500 JPY"),
            (1234, "KWD", "1.234 KWD"),
        ] {
            let currency = currency.to_owned();
            assert_eq!(Price { amount, currency }.to_string(), text);
        }
    }
}
