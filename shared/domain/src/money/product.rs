//! Products that a tenant sells.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::terms::{AssetId, Fault, Named, OneLine, ProductId, UpTo, WebUrl};

resource! {
    /// A product of a tenant.
    pub struct Product of ProductId;

    /// The fields of a product.
    pub struct ProductIn {
        /// Stock-keeping unit (SKU), unique within the tenant. Messages can name the product by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(extend("x-unique" = true)))]
        pub sku: Option<Sku>,
        /// Display name.
        #[cfg_attr(feature = "schema", schemars(example = "Honey cake"))]
        pub name: OneLine<1, 200>,
        /// Price. A variant can have its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub price: Option<Price>,
        /// Page of the product.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub url: Option<WebUrl>,
        /// Picture: an asset of the kind `image`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
        pub image: Option<AssetId>,
        /// Availability. A variant has its own.
        #[serde(default)]
        pub availability: Availability,
        /// Variants, such as sizes and colours.
        #[serde(default, skip_serializing_if = "UpTo::is_empty")]
        pub variants: UpTo<100, Variant>,
        /// Further values by name, for messages: `{{product.cake.weight}}`.
        #[serde(default, skip_serializing_if = "Named::is_empty")]
        #[cfg_attr(feature = "schema", schemars(example = serde_json::json!({"weight": "1 kg"})))]
        pub fields: Named<20, 500>,
    }
}

impl Product {
    /// Maximum products per tenant.
    pub const MAX: u32 = 10_000;
}

/// Availability of a product or variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// It can be bought now.
    #[default]
    InStock,
    /// It cannot be bought now.
    OutOfStock,
    /// It can be ordered before it is available.
    Preorder,
    /// It is no longer sold.
    Discontinued,
}

/// A variant of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ProductVariant")
)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Options by name.
    #[cfg_attr(feature = "schema", schemars(example = serde_json::json!({"size": "L", "colour": "white"})))]
    pub options: Named<20, 500>,
    /// Price, if it differs from the product's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Availability.
    #[serde(default)]
    pub availability: Availability,
}

/// A tenant's own number of a product (SKU). It becomes part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Sku(String);

shown_as!(Sku, {"type": "string", "pattern": "^[A-Za-z0-9._/-]{1,64}$", "examples": ["cake-1"]});

impl Sku {
    /// Maximum length in bytes.
    pub const MAX_LENGTH: usize = 64;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is not a SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a SKU has 1 to {} letters and digits of ASCII, and - _ . /, and is not the id of a product",
    Sku::MAX_LENGTH
)]
pub struct NotASku;

impl FromStr for Sku {
    type Err = NotASku;

    fn from_str(text: &str) -> Result<Self, NotASku> {
        let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        let fit = (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(sign);
        // Messages name a product by its SKU or its id.
        let is_an_id = text.parse::<ProductId>().is_ok();
        (fit && !is_an_id).then(|| Self(text.to_owned())).ok_or(NotASku)
    }
}

parsed!(Sku, "sku", "cake-1");

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Amount in the currency's smallest unit, such as cents.
    #[serde(deserialize_with = "amount")]
    #[cfg_attr(feature = "schema", schemars(range(max = Price::MAX), example = 12050))]
    pub amount: u64,
    /// Currency by ISO 4217.
    pub currency: Currency,
}

impl Price {
    pub const MAX: u64 = 1_000_000_000_000;
}

pub(crate) fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let amount = u64::deserialize(deserializer)?;
    let wrong = || {
        let detail = format!("must be at most {}", Price::MAX);
        Fault::out_of_range(0_u64, Price::MAX, detail).refuse()
    };
    (amount <= Price::MAX).then_some(amount).ok_or_else(wrong)
}

/// A currency code in the form of ISO 4217.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Currency(String);

shown_as!(Currency, {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["AED"]});

/// Currencies in use by their ISO 4217 codes, including some that were replaced lately.
#[rustfmt::skip]
const CURRENCIES: &str = "\
 AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC \
 CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD \
 JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD \
 NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP \
 SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ";

/// A text that is not a currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be three capital letters of ISO 4217, such as AED")]
pub struct NotACurrency;

impl FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        let fit = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        fit.then(|| Self(text.to_owned())).ok_or(NotACurrency)
    }
}

parsed!(Currency, "currency", "AED");

impl Currency {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the currency is in use. This bounds the number of counters by currency.
    pub fn is_in_use(&self) -> bool {
        CURRENCIES.split_whitespace().any(|known| known == self.0)
    }

    /// Decimal places by ISO 4217; all currencies that are not listed have two.
    pub fn decimal_places(&self) -> usize {
        match self.0.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
            | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }

    /// Its smallest unit, such as a cent, in millionths of the unit.
    pub fn smallest_in_millionths(&self) -> u64 {
        (self.decimal_places()..6).fold(1, |millionths, _| millionths * 10)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.currency.decimal_places();
        if places == 0 {
            return write!(f, "{} {}", self.amount, self.currency.0);
        }
        let unit = 10_u64.pow(places as u32);
        let (whole, rest) = (self.amount / unit, self.amount % unit);
        write!(f, "{whole}.{rest:0places$} {}", self.currency.0)
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
        let id = ProductId::new(ulid::Ulid::nil()).to_string();
        for bad in ["", "a#b", "a b", "ä", &"x".repeat(65), &id] {
            assert!(bad.parse::<Sku>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_currency_is_one_in_which_people_pay() {
        let of = |code: &str| Currency(code.to_owned());
        for used in ["AED", "EUR", "KWD", "XOF", "ZWG"] {
            assert!(of(used).is_in_use(), "{used}");
        }
        for other in ["", "AAA", "XAU", "XXX", "ED "] {
            assert!(!of(other).is_in_use(), "{other}");
        }
        assert!(CURRENCIES.split_whitespace().all(|code| code.len() == 3));
    }

    #[test]
    fn price_has_the_decimal_places_of_its_currency() {
        for (amount, currency, text) in [
            (12_050, "AED", "120.50 AED"),
            (5, "GBP", "0.05 GBP"),
            (1500, "JPY", "1500 JPY"),
            (1234, "KWD", "1.234 KWD"),
        ] {
            let currency = Currency(currency.to_owned());
            assert_eq!(Price { amount, currency }.to_string(), text);
        }
    }
}
