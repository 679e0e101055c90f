//! Telephone numbers with two forms. Providers report both, so the forms are compared, lest one person is taken for two.
//!
//! The forms stand in `number_forms.txt`, written by hand: one person's numbers must not become two people's, or two people's one, because
//! a new version of a library knows other numbering plans. At most one of two forms is in the plan of its country, which a test compares
//! with libphonenumber. Argentina has both, and the one without 9 may also be a landline.
//!
//! A zero of a trunk prefix is dropped only behind the codes that have lines for it: in Italy, San Marino, Gabon and Ivory Coast, a zero
//! belongs to the number.
//!
//! Keys of rows are made of these forms: a changed table is a new form of rows ([decision
//! 0044](../../../../docs/decisions/0044-forms-of-rows.md),
//! [0093](../../../../docs/decisions/0093-one-key-per-number.md)).

use regex_lite::Regex;

use crate::terms::ByCode;

/// The form of the rows whose keys are made of the table. A changed table is a further one.
pub const NUMBER_FORMS_EDITION: u64 = 2;

/// A line per form that is not that of the key, with fields separated by tabs: the country's calling code, the digits
/// behind it with their length and first digits, those of the key's form, the year since when only that one is in the
/// plan, and the source. Of the lines of a code, the first that fits counts. The key's form fits none.
const FORMS: &str = include_str!("number_forms.txt");

/// A form of some numbers of a country beside the form of their key.
struct Form {
    digits: Regex,
    of_key: &'static str,
}

impl Form {
    fn read(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t').skip(1);
        let (digits, of_key) = (fields.next()?, fields.next()?);
        let digits = Regex::new(&format!("^(?:{digits})$")).ok()?;
        Some(Self { digits, of_key })
    }
}

static KNOWN: ByCode<Form> = ByCode::new(FORMS, Form::read);

/// The form of a number's key, if these digits are of another.
pub(crate) fn other_number_form(digits: &str) -> Option<String> {
    let (code, own, forms) = KNOWN.of(digits)?;
    let form = forms.iter().find(|form| form.digits.is_match(own))?;
    Some(format!("+{code}{}", form.digits.replace(own, form.of_key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::Phone;

    fn phone(text: &str) -> Phone {
        text.parse().unwrap()
    }

    #[test]
    fn every_line_has_all_fields() {
        for line in FORMS.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let [code, .., year, source] = fields[..] else {
                panic!("{line}");
            };
            assert_eq!(fields.len(), 5, "{line}");
            assert!(Form::read(line).is_some(), "{line}");
            assert!(
                code.parse::<u16>().is_ok() && year.parse::<u16>().is_ok() && !source.is_empty(),
                "{line}"
            );
        }
    }

    #[test]
    fn forms_of_one_number_have_one_key() {
        for (other, key) in [
            // Mexico.
            ("+5215512345678", "+525512345678"),
            ("+5213312345678", "+523312345678"),
            // Argentina.
            ("+541123456789", "+5491123456789"),
            ("+5401123456789", "+5491123456789"),
            ("+54093511234567", "+5493511234567"),
            ("+542214567890", "+5492214567890"),
            // Brazil: before 6 to 9.
            ("+551161234567", "+5511961234567"),
            ("+553171234567", "+5531971234567"),
            ("+551187654321", "+5511987654321"),
            ("+559991234567", "+5599991234567"),
            ("+55011987654321", "+5511987654321"),
            ("+5501187654321", "+5511987654321"),
            ("+55011912345678", "+5511912345678"),
            ("+5501134567890", "+551134567890"),
            // Benin.
            ("+22997123456", "+2290197123456"),
            ("+22921312345", "+2290121312345"),
            // Ivory Coast: mobiles of Moov, MTN and Orange.
            ("+22501234567", "+2250101234567"),
            ("+22571234567", "+2250171234567"),
            ("+22504234567", "+2250504234567"),
            ("+22586234567", "+2250586234567"),
            ("+22507234567", "+2250707234567"),
            ("+22597234567", "+2250797234567"),
            // Their landlines.
            ("+22521812345", "+2252121812345"),
            ("+22530012345", "+2252530012345"),
            ("+22520212345", "+2252720212345"),
            ("+22531612345", "+2252731612345"),
            // A zero.
            ("+9710501234567", "+971501234567"),
            ("+971045550001", "+97145550001"),
            ("+4407700900123", "+447700900123"),
            ("+49015112345678", "+4915112345678"),
            ("+9660512345678", "+966512345678"),
        ] {
            let (one, two) = (phone(other), phone(key));
            assert_eq!(one.key(), key, "{other}");
            assert_eq!(two.key(), key, "{other}");
            assert_eq!(one, two);
            assert!(!one.is_written_as(&two), "{other} {key}");
            assert!(two.is_key() && !one.is_key(), "{other} {key}");
        }
    }

    #[test]
    fn numbers_of_two_people_have_two_keys() {
        for (one, two) in [
            ("+5511934567890", "+551134567890"),
            ("+5511912345678", "+551112345678"),
            ("+390331123456", "+39331123456"),
            ("+3780549886377", "+378549886377"),
            ("+24106031234", "+2416031234"),
            ("+24101441234", "+2411441234"),
            ("+2250701234567", "+225701234567"),
            ("+2250101234567", "+225101234567"),
            ("+16592123456", "+6592123456"),
            ("+12125550100", "+2125550100"),
            ("+971501234567", "+501234567"),
            ("+971501234567", "+97150123456"),
            ("+97100501234567", "+971501234567"),
            ("+120255501000", "+12025550100"),
            ("+5211234567890", "+521234567890"),
            ("+521551234567", "+52551234567"),
            ("+5255123456789", "+525123456789"),
            ("+549112345678", "+54112345678"),
            ("+5498112345678", "+548112345678"),
            ("+2290112345678", "+22912345678"),
            ("+2290197123456", "+229197123456"),
            ("+2250501234567", "+22501234567"),
            ("+2252521812345", "+22521812345"),
            ("+2250713123456", "+22513123456"),
            ("+2250180012345", "+22580012345"),
            ("+4915112345678", "+49115112345678"),
            ("+79161234567", "+7916123456"),
        ] {
            assert_ne!(phone(one), phone(two), "{one} {two}");
        }
    }
}
