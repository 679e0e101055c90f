//! Products: what a tenant sells.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::ids::ProductId;

/// What a tenant sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// The product.
    pub id: ProductId,
    /// The tenant's own number of it, which no other product has: `product.haircut.price`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// As customers know it.
    pub name: String,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Where to see or book it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether it can be bought.
    #[serde(default)]
    pub availability: Availability,
    /// Its forms, such as sizes and colours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
    /// Anything else, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

impl Product {
    /// Maximum products per tenant.
    pub const MOST: u32 = 10_000;
}

/// Whether a product can be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// Now.
    #[default]
    InStock,
    /// Not now.
    OutOfStock,
    /// It can be ordered before it is there.
    Preorder,
    /// Not any more.
    Discontinued,
}

/// A form of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Its options by name, such as `size`: `L`.
    pub options: BTreeMap<String, String>,
    /// Its price, where it differs from the product's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Whether it can be bought.
    #[serde(default)]
    pub availability: Availability,
}

/// A tenant's own number of a product. It becomes part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Sku(String);

impl Sku {
    /// Maximum length in bytes.
    pub const LONGEST: usize = 64;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is no SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SKU has 1 to {} letters and digits of ASCII, and - _ . /", Sku::LONGEST)]
pub struct NotASku;

impl FromStr for Sku {
    type Err = NotASku;

    fn from_str(text: &str) -> Result<Self, NotASku> {
        let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        let fit = (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(sign);
        fit.then(|| Self(text.to_owned())).ok_or(NotASku)
    }
}

impl<'de> Deserialize<'de> for Sku {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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
    fn a_sku_has_a_maximum_and_no_separators_of_keys() {
        for good in ["A", "haircut", "TS-01/L.2_x", &"x".repeat(64)] {
            assert_eq!(good.parse::<Sku>().unwrap().as_str(), good);
        }
        for bad in ["", "a#b", "a b", "ä", &"x".repeat(65)] {
            assert!(bad.parse::<Sku>().is_err(), "{bad}");
        }
    }

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
