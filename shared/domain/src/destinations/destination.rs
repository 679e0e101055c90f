//! Destinations that no business writes to, since a message to them costs many times the usual price, or goes nowhere. People who can make
//! a business answer calls from such numbers earn from it.

use crate::terms::{Country, LineType, LineTypes, Phone, Reason, Refusal};

/// Maximum number of countries that a tenant lists: more than there are.
pub const MAX_COUNTRIES: usize = 250;

/// Calling codes of networks of no country, from ITU-T E.164: what they carry, and what a number of them is called.
const BEYOND: [(&str, &str, &str); 6] = [
    ("870", "satellite", "a satellite number"),
    ("881", "satellite", "a satellite number"),
    ("882", "satellite", "a number of an international or satellite network"),
    ("883", "satellite", "a number of an international or satellite network"),
    ("808", "shared_cost", "an international shared-cost number"),
    ("979", "premium", "an international premium-rate number"),
];

/// The reason why nothing is sent to a person: the number, if one is known, is of a kind that is never written to, or the country is none of
/// those that the tenant lists. Without a list, all countries may be written to.
pub fn refused_destination(
    phone: Option<&Phone>,
    country: Option<Country>,
    countries: &[Country],
    line_type: LineTypes<'_>,
) -> Option<Refusal> {
    if let Some(refusal) = phone.and_then(|phone| never(phone, line_type)) {
        return Some(refusal);
    }
    if countries.is_empty() || country.is_some_and(|country| countries.contains(&country)) {
        return None;
    }
    let named = country.map_or_else(|| "of no country".to_owned(), |country| format!("in {country}"));
    let sentence = format!("the business does not write to numbers {named}: a manager lists the allowed countries");
    let refusal = Refusal::new(Reason::Destination, sentence).and("kind", "country");
    Some(refusal.and_if("country", country.as_ref().map(Country::as_str)))
}

/// Why this number is never written to.
fn never(phone: &Phone, line_type: LineTypes<'_>) -> Option<Refusal> {
    let beyond = BEYOND.iter().find(|(code, ..)| phone.digits().starts_with(code));
    let never = match (beyond, line_type(phone)) {
        (Some((_, kind, called)), _) => Some((*kind, *called)),
        (None, LineType::Premium) => Some(("premium", "a premium-rate number")),
        (None, LineType::SharedCost) => Some(("shared_cost", "a shared-cost number")),
        (None, LineType::Invalid) => Some(("invalid", "no valid telephone number")),
        (None, LineType::FixedLine | LineType::Other) => None,
    };
    let (kind, called) = never?;
    let sentence = format!("this is {called}, which is never written to");
    Some(Refusal::new(Reason::Destination, sentence).and("kind", kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::{line_type_by_plan, unknown_line_type};

    /// The kind of number that the refusal names.
    fn kind(number: &str, countries: &[&str], line_type: LineTypes<'_>) -> Option<String> {
        let countries: Vec<Country> = countries.iter().map(|country| country.parse().unwrap()).collect();
        let phone: Phone = number.parse().unwrap();
        let refusal = refused_destination(Some(&phone), phone.country(), &countries, line_type)?;
        assert_eq!(refusal.reason, Reason::Destination);
        serde_json::from_value(serde_json::to_value(refusal.facts.get("kind")).unwrap()).unwrap()
    }

    #[test]
    fn what_costs_many_times_the_usual_price_is_never_written_to() {
        for (number, expected) in [
            ("+870773111632", Some("satellite")),
            ("+881612345678", Some("satellite")),
            ("+8821612345678", Some("satellite")),
            ("+883510012345", Some("satellite")),
            ("+979123456789", Some("premium")),
            ("+80812345678", Some("shared_cost")),
            ("+19002345678", Some("premium")),
            ("+449098790000", Some("premium")),
            ("+499001234567", Some("premium")),
            ("+491801234567", Some("shared_cost")),
            ("+99999999999", Some("invalid")),
            ("+2101234567", Some("invalid")),
            ("+9715012", Some("invalid")),
            ("+121255501001234", Some("invalid")),
            ("+971501234567", None),
            ("+97143330000", None),
            ("+919876543210", None),
            ("+237671234567", None),
            ("+12125550100", None),
            ("+15005550006", None),
            ("+447700900123", None),
        ] {
            assert_eq!(kind(number, &[], &line_type_by_plan).as_deref(), expected, "{number}");
        }
    }

    /// Benin's numbers had eight digits until the end of 2024, and have ten. Such a change reaches this table with the next release.
    #[test]
    fn numbers_of_a_plan_that_grew_are_valid() {
        for number in ["+2290195123456", "+97150123456789"] {
            assert_eq!(kind(number, &[], &line_type_by_plan), None, "{number}");
        }
    }

    /// A person without a known number has the country of the WhatsApp id.
    #[test]
    fn list_of_countries_holds_without_a_number() {
        let [india, emirates]: [Country; 2] = ["IN", "AE"].map(|country| country.parse().unwrap());
        for (country, expected) in [(Some(india), true), (Some(emirates), false), (None, true)] {
            assert_eq!(
                refused_destination(None, country, &[emirates], &unknown_line_type).is_some(),
                expected,
                "{country:?}"
            );
            assert_eq!(refused_destination(None, country, &[], &unknown_line_type), None);
        }
    }

    #[test]
    fn only_listed_countries_are_written_to() {
        for (number, countries, expected) in [
            ("+971501234567", &["AE", "IN"][..], None),
            ("+919876543210", &["AE", "IN"], None),
            ("+237671234567", &["AE", "IN"], Some("country")),
            ("+18765550143", &["US"], Some("country")),
            ("+88812345678", &["AE"], Some("country")),
            ("+88812345678", &[], None),
        ] {
            assert_eq!(
                kind(number, countries, &unknown_line_type).as_deref(),
                expected,
                "{number}"
            );
        }
    }
}
