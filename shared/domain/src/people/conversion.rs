//! Conversions: what a contact did that its tenant counts as a success, such as an order or a booking. They are recorded by users or
//! by the tenant's software, and never change.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::money::Price;
use crate::terms::{Actor, ConversionId, Fault, FieldProblem, OneLine};

/// The tenant's own reference of a conversion, such as the number of an order.
pub type Reference = OneLine<1, 100>;

/// Kind of a conversion. A fixed list, so that a day has a bounded number of counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConversionKind {
    /// Goods were ordered or bought.
    Order,
    /// An appointment, a table or a room was booked.
    Booking,
    /// The person came.
    Visit,
    /// A bill was paid.
    Payment,
    /// An offer was requested or accepted.
    Quote,
    /// A contract, membership or subscription began.
    SignUp,
    /// Anything else.
    Other,
}

words! {
    /// Its name in the API and in counters.
    ConversionKind {
        Order = "order",
        Booking = "booking",
        Visit = "visit",
        Payment = "payment",
        Quote = "quote",
        SignUp = "sign_up",
        Other = "other",
    }
}

/// A conversion of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Conversion {
    /// Id.
    pub id: ConversionId,
    /// Kind.
    pub what: ConversionKind,
    /// Value, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Price>,
    /// The tenant's own reference, such as the number of an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "Order 1042"))]
    pub reference: Option<Reference>,
    /// The user (`usr_…`), key (`key_…`) or platform administrator (`platform:usr_…`) that recorded it.
    pub created_by: Actor,
    /// Time of recording.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub created_at: Timestamp,
}

/// The fields of a conversion.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConversionIn {
    /// Kind.
    pub what: ConversionKind,
    /// Value, in a currency of ISO 4217 that is in use.
    #[serde(default)]
    pub value: Option<Price>,
    /// The tenant's own reference, such as the number of an order.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(example = "Order 1042"))]
    pub reference: Option<Reference>,
}

impl Conversion {
    pub fn new(id: ConversionId, fields: ConversionIn, by: Actor, at: Timestamp) -> Result<Self, FieldProblem> {
        let ConversionIn { what, value, reference } = fields;
        if value.as_ref().is_some_and(|value| !value.currency.is_in_use()) {
            let detail = "Expected the ISO 4217 code of a currency that is in use, such as AED.";
            return Err(FieldProblem::new(
                "value.currency",
                Fault::format("currency", "AED", detail),
            ));
        }
        Ok(Self {
            id,
            what,
            value,
            reference,
            created_by: by,
            created_at: at,
        })
    }

    /// The counters of a day that it raises, with the increase of each.
    pub fn counters(&self) -> Vec<(String, u64)> {
        count_conversion(self.what, self.value.as_ref())
    }
}

/// The counters of a day that a conversion raises, with the increase of each: all conversions, conversions of its kind, and the sum of the
/// values in its currency, in the smallest unit.
pub(crate) fn count_conversion(what: ConversionKind, value: Option<&Price>) -> Vec<(String, u64)> {
    let mut counters = vec![
        ("conversions".to_owned(), 1),
        (format!("conversions_{}", what.as_str()), 1),
    ];
    // Rows are as they were written, whatever was in use then.
    if let Some(value) = value.filter(|value| value.currency.is_in_use()) {
        counters.push((format!("converted_{}", value.currency.as_str()), value.amount));
    }
    counters
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json, to_value};

    use super::*;
    use crate::terms::ContactId;

    fn conversion(fields: Value) -> Result<Conversion, FieldProblem> {
        let contact = ContactId::new(ulid::Ulid::from_parts(1, 2));
        let id = ConversionId::new(contact, ulid::Ulid::from_parts(3, 4));
        let at = "2026-11-20T12:00:00Z".parse().unwrap();
        Conversion::new(id, from_value(fields).unwrap(), Actor::Operator, at)
    }

    #[test]
    fn a_conversion_is_counted_by_kind_and_currency() {
        let counted = |fields: Value| -> Vec<(String, u64)> { conversion(fields).unwrap().counters() };
        let expected = |counters: &[(&str, u64)]| -> Vec<(String, u64)> {
            let owned = counters.iter().map(|(name, count)| ((*name).to_owned(), *count));
            owned.collect()
        };
        assert_eq!(
            counted(json!({"what": "order", "value": {"amount": 12_050, "currency": "AED"}})),
            expected(&[("conversions", 1), ("conversions_order", 1), ("converted_AED", 12_050)])
        );
        assert_eq!(
            counted(json!({"what": "sign_up", "reference": "A 7"})),
            expected(&[("conversions", 1), ("conversions_sign_up", 1)])
        );
    }

    #[test]
    fn a_kind_is_named_as_it_is_counted() {
        for kind in ConversionKind::ALL {
            assert_eq!(to_value(kind).unwrap(), kind.as_str());
        }
    }

    /// Otherwise the names of a day's counters would be anybody's.
    #[test]
    fn a_made_up_currency_is_refused() {
        let refused = conversion(json!({"what": "order", "value": {"amount": 1, "currency": "XQZ"}}));
        assert_eq!(refused.unwrap_err().field, "value.currency");
        for wrong in [
            json!({}),
            json!({"what": "win"}),
            json!({"what": "order", "value": {"amount": -1, "currency": "AED"}}),
            json!({"what": "order", "value": {"amount": 1}}),
            json!({"what": "order", "value": {"amount": 1_000_000_000_001_u64, "currency": "AED"}}),
            json!({"what": "order", "reference": "a\u{202e}b"}),
            json!({"what": "order", "reference": "x".repeat(101)}),
            json!({"what": "order", "at": "2026-11-20T12:00:00Z"}),
        ] {
            assert!(from_value::<ConversionIn>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
