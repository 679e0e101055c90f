//! Fields that a tenant defines for its contacts, beyond the fields of every contact.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::terms::{
    Fact, Fault, FaultCode, Faulty, FieldId, FieldKey, FieldProblem, InvalidLine, MAX_NAME_LENGTH, OneLine, UpTo,
    added_problems, fold, unify_name,
};

resource! {
    /// A field that a tenant defines for its contacts.
    pub struct Field of FieldId;

    /// The definition of a field.
    pub struct FieldIn {
        /// Identifier, unique among the tenant's fields. It cannot change.
        #[cfg_attr(feature = "schema", schemars(extend("x-unique" = true)))]
        pub key: FieldKey,
        /// Display name.
        #[cfg_attr(feature = "schema", schemars(example = "Loyalty level"))]
        pub name: OneLine<1, MAX_NAME_LENGTH>,
        /// Type of its values. It cannot change.
        #[serde(rename = "type")]
        #[cfg_attr(feature = "schema", schemars(example = &"choice"))]
        pub kind: FieldType,
        /// Possible values of a `choice`, all different. Other types have none.
        #[serde(default, skip_serializing_if = "UpTo::is_empty")]
        #[cfg_attr(feature = "schema", schemars(example = serde_json::json!(["Silver", "Gold"])))]
        pub options: UpTo<50, OneLine<1, 100>>,
        /// Whether contacts can be searched by it. At most 10 of a tenant's fields are searchable. A field that is not searchable
        /// cannot become so: contacts that have a value already would not be found.
        #[serde(default)]
        pub searchable: bool,
    }
}

/// Reads values by the keys of their fields, at most as many as a tenant can have.
pub(super) fn by_key<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<FieldKey, V>, D::Error> {
    // A body is bounded, and so is the map before it is counted.
    let fields = BTreeMap::<FieldKey, V>::deserialize(deserializer)?;
    let most = Field::MAX as usize;
    let wrong = || Fault::too_many(most, format!("must have at most {most} fields")).refuse();
    (fields.len() <= most).then_some(fields).ok_or_else(wrong)
}

impl Field {
    /// Maximum fields per tenant.
    pub const MAX: u32 = 50;
    /// Maximum searchable fields per tenant.
    pub const MAX_SEARCHABLE: u32 = 10;

    /// Whether contacts are found by its dates.
    pub fn finds_dates(&self) -> bool {
        self.searchable && self.kind == FieldType::Date
    }

    /// The value of this field in what somebody wrote.
    ///
    /// # Errors
    /// A fault that says what is expected.
    pub fn value(&self, written: &Written) -> Result<FieldValue, Fault> {
        let wrong_type =
            |expected: &str, detail: &str| Err(Fault::new(FaultCode::WrongType, detail).and("expected", expected));
        match (self.kind, written) {
            (FieldType::Text, Written::Text(text)) => Ok(FieldValue::Text(text.clone())),
            (FieldType::Number, Written::Number(number)) => Ok(FieldValue::Number(*number)),
            (FieldType::Date, Written::Text(text)) => text
                .as_str()
                .parse::<Date>()
                .ok()
                .filter(|date| date.year() >= 1 && date.to_string() == text.as_str())
                .map(FieldValue::Date)
                .ok_or_else(|| Fault::format("day", "2026-11-20", "must be a date, such as 2026-11-20")),
            (FieldType::Choice, Written::Text(text)) => self
                .option(text.as_str())
                .cloned()
                .map(FieldValue::Choice)
                .ok_or_else(|| {
                    let options: Vec<&str> = self.options.iter().map(OneLine::as_str).collect();
                    let detail = format!("must be one of: {}", options.join(", "));
                    Fault::new(FaultCode::NotOneOf, detail).and("expected", options.iter().collect::<Fact>())
                }),
            (FieldType::YesNo, Written::YesNo(yes)) => Ok(FieldValue::YesNo(*yes)),
            (FieldType::Text | FieldType::Choice, _) => wrong_type("text", "must be a text"),
            (FieldType::Number, _) => wrong_type("number", "must be a number"),
            (FieldType::Date, _) => wrong_type("date", "must be a date as a text, such as 2026-11-20"),
            (FieldType::YesNo, _) => wrong_type("yes_no", "must be true or false"),
        }
    }

    /// The option that is called so: by its name, or else the only one by its folded name.
    fn option(&self, name: &str) -> Option<&OneLine<1, MAX_NAME_LENGTH>> {
        let called = |form: fn(&str) -> String| {
            let wanted = form(name);
            let mut options = self
                .options
                .iter()
                .filter(move |option| form(option.as_str()) == wanted);
            (options.next(), options.next())
        };
        let (option, _) = called(unify_name);
        option.or_else(|| match called(fold) {
            (only, None) => only,
            _ => None,
        })
    }

    /// Problems of the field by itself. Empty: none.
    pub fn problems(&self) -> Vec<FieldProblem> {
        if self.kind != FieldType::Choice {
            let detail = "Only a field of the type `choice` has options. Leave them out.";
            let fault = || Fault::new(FaultCode::NotApplicable, detail);
            let problem = (!self.options.is_empty()).then(|| FieldProblem::new("options", fault()));
            return problem.into_iter().collect();
        }
        if self.options.is_empty() {
            let detail = "A field of the type `choice` needs at least one option.";
            let fault = Fault::new(FaultCode::TooFew, detail).and("minimum", 1_u32);
            return vec![FieldProblem::new("options", fault)];
        }
        let mut known = HashSet::new();
        let mut found = Vec::new();
        for (index, option) in self.options.iter().enumerate() {
            if !known.insert(unify_name(option.as_str())) {
                let detail = "Another option has the same name, apart from case. Remove one of them.";
                let fault = Fault::new(FaultCode::GivenTwice, detail);
                found.push(FieldProblem::new(format!("options[{index}]"), fault));
            }
        }
        found
    }

    /// Problems of a change to `after`. Empty: none.
    pub fn problems_of_change(&self, after: &Self) -> Vec<FieldProblem> {
        let fixed = [("key", self.key != after.key), ("type", self.kind != after.kind)];
        let changed = fixed.into_iter().filter(|(_, changed)| *changed);
        let mut found: Vec<_> = changed
            .map(|(field, _)| {
                let detail = format!("The {field} of a field cannot change. Create another field instead.");
                FieldProblem::new(field, Fault::new(FaultCode::Fixed, detail))
            })
            .collect();
        if after.searchable && !self.searchable {
            let detail = "A field that is not searchable cannot become so. Create another field instead.";
            found.push(FieldProblem::new("searchable", Fault::new(FaultCode::Fixed, detail)));
        }
        if found.is_empty() {
            added_problems(&self.problems(), after.problems())
        } else {
            // Options of another type say nothing about this one.
            found
        }
    }
}

/// Type of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// A text of one line.
    Text,
    /// A number.
    Number,
    /// A day.
    Date,
    /// An option of the field.
    Choice,
    /// Yes or no.
    YesNo,
}

/// A value of a contact's field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldValue {
    #[serde(rename = "t")]
    Text(OneLine<1, MAX_FIELD_LENGTH>),
    #[serde(rename = "n")]
    Number(Number),
    #[serde(rename = "d")]
    Date(Date),
    /// An option of the field, as it was written when it was chosen.
    #[serde(rename = "c")]
    Choice(OneLine<1, 100>),
    #[serde(rename = "y")]
    YesNo(bool),
}

/// Maximum length of a text in a field, in characters.
pub const MAX_FIELD_LENGTH: usize = 500;

impl FieldValue {
    /// The value as the API shows it.
    pub fn value_for_api(&self) -> Written {
        match self {
            Self::Text(text) => Written::Text(text.clone()),
            Self::Number(number) => Written::Number(*number),
            Self::Date(date) => Written::Text(OneLine::from_stored(&date.to_string())),
            Self::Choice(option) => Written::Text(OneLine::from_stored(option.as_str())),
            Self::YesNo(yes) => Written::YesNo(*yes),
        }
    }
}

/// The value as messages say it.
impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text.as_str()),
            Self::Number(number) => number.fmt(f),
            Self::Date(date) => date.fmt(f),
            Self::Choice(option) => f.write_str(option.as_str()),
            Self::YesNo(yes) => f.write_str(if *yes { "yes" } else { "no" }),
        }
    }
}

/// A value of a field as JSON: a text, a number, or true or false. Dates and options are texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Written {
    YesNo(bool),
    Number(Number),
    Text(OneLine<1, MAX_FIELD_LENGTH>),
}

shown_as!(Written, {
    "description": "The value of a field, by its type: a text, a number, a date, one of its options, or true or false.",
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": MAX_FIELD_LENGTH},
        {"type": "number", "minimum": -Number::MAX, "maximum": Number::MAX},
        {"type": "boolean"},
    ],
    "examples": ["Gold"],
});

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl Visitor<'_> for Any {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, or true or false")
            }

            fn visit_bool<E: Error>(self, yes: bool) -> Result<Written, E> {
                Ok(Written::YesNo(yes))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Written, E> {
                Number::from_integer(number)
                    .map(Written::Number)
                    .ok_or_else(|| NotANumber.fault().refuse())
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Written, E> {
                let number = i64::try_from(number).ok().and_then(Number::from_integer);
                number.map(Written::Number).ok_or_else(|| NotANumber.fault().refuse())
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Written, E> {
                Number::of(number)
                    .map(Written::Number)
                    .ok_or_else(|| NotANumber.fault().refuse())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
                let line: Result<_, InvalidLine> = text.parse();
                line.map(Written::Text).map_err(|error| error.fault().refuse())
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// A number of at most 11 digits before and 4 behind the point, which JSON readers of all languages keep exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(i64);

/// A number that a field cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number between -{most} and {most} with at most 4 decimal places", most = Number::MAX)]
pub struct NotANumber;

impl Faulty for NotANumber {
    fn fault(&self) -> Fault {
        Fault::out_of_range(-Number::MAX, Number::MAX, self.to_string())
    }
}

impl Number {
    /// The largest number. The smallest is its negative.
    pub const MAX: i64 = 100_000_000_000;
    /// Parts of one: numbers are counted in these.
    pub const PARTS: i64 = 10_000;

    /// The number in ten-thousandths.
    pub const fn parts(self) -> i64 {
        self.0
    }

    const fn from_integer(number: i64) -> Option<Self> {
        if number >= -Self::MAX && number <= Self::MAX {
            Some(Self(number * Self::PARTS))
        } else {
            None
        }
    }

    fn of(number: f64) -> Option<Self> {
        // Within the bounds, a float of 64 bits has 15 exact digits.
        if !number.is_finite() || number.abs() > Self::MAX as f64 {
            return None;
        }
        let parts = number * Self::PARTS as f64;
        let rounded = parts.round();
        let exact = rounded / Self::PARTS as f64 == number;
        exact.then_some(Self(rounded as i64))
    }

    fn float(self) -> f64 {
        self.0 as f64 / Self::PARTS as f64
    }
}

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        // Of the many spellings of floats, only digits, a sign and a point.
        let plain = text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte));
        let number = text.parse().ok().filter(|_| plain);
        number.and_then(Self::of).ok_or(NotANumber)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.float().fmt(f)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % Self::PARTS == 0 {
            serializer.serialize_i64(self.0 / Self::PARTS)
        } else {
            serializer.serialize_f64(self.float())
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(number),
            Written::Text(_) | Written::YesNo(_) => Err(NotANumber.fault().refuse()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn field(key: &str, kind: &str, options: &[&str]) -> Field {
        let id = "fld_00000000000000000000000001";
        from_value(json!({"id": id, "key": key, "name": "Level", "type": kind, "options": options})).unwrap()
    }

    fn fields_of_problems(problems: &[FieldProblem]) -> Vec<&str> {
        problems.iter().map(|problem| problem.field.as_str()).collect()
    }

    #[test]
    fn exactly_choices_have_options_and_all_are_different() {
        let none: [&str; 0] = [];
        assert_eq!(
            fields_of_problems(&field("level", "choice", &["Silver", "Gold"]).problems()),
            none
        );
        assert_eq!(
            fields_of_problems(&field("level", "choice", &[]).problems()),
            ["options"]
        );
        let twice = field("level", "choice", &["Silver", "Gold", "GOLD", " silver"]);
        assert_eq!(fields_of_problems(&twice.problems()), ["options[2]", "options[3]"]);
        for kind in ["text", "number", "date", "yes_no"] {
            assert_eq!(
                fields_of_problems(&field("level", kind, &[]).problems()),
                none,
                "{kind}"
            );
            assert_eq!(
                fields_of_problems(&field("level", kind, &["a"]).problems()),
                ["options"],
                "{kind}"
            );
        }
        let many: Vec<Value> = (0..51).map(|number| json!(number.to_string())).collect();
        let many = json!({"key": "level", "name": "Level", "type": "choice", "options": many});
        assert!(from_value::<FieldIn>(many).is_err());
    }

    #[test]
    fn a_value_fits_the_type_of_its_field() {
        let value = |kind: &str, written: Value| {
            let options: &[&str] = if kind == "choice" { &["Silver", "Gold"] } else { &[] };
            let written = from_value::<Written>(written).map_err(|error| error.to_string())?;
            let value = field("level", kind, options)
                .value(&written)
                .map_err(|fault| fault.detail)?;
            // Stored and shown again.
            let stored: FieldValue = from_value(serde_json::to_value(&value).unwrap()).unwrap();
            assert_eq!(stored, value);
            Ok::<_, String>(serde_json::to_value(value.value_for_api()).unwrap())
        };
        for (kind, written, shown) in [
            ("text", json!(" a "), json!("a")),
            ("number", json!(12), json!(12)),
            ("number", json!(-2.5), json!(-2.5)),
            ("number", json!(0.0001), json!(0.0001)),
            ("number", json!(99_999_999_999.999_9), json!(99_999_999_999.999_9)),
            ("number", json!(12.0), json!(12)),
            ("date", json!("2024-02-29"), json!("2024-02-29")),
            ("choice", json!(" GOLD"), json!("Gold")),
            ("yes_no", json!(false), json!(false)),
        ] {
            assert_eq!(value(kind, written.clone()), Ok(shown), "{kind} {written}");
        }
        for (kind, written) in [
            ("text", json!(1)),
            ("text", json!("a\nb")),
            ("text", json!("x".repeat(501))),
            ("number", json!("12")),
            ("number", json!(0.00001)),
            ("number", json!(1e12)),
            ("number", json!(u64::MAX)),
            ("number", json!(true)),
            ("date", json!("2023-02-29")),
            ("date", json!("20.11.2026")),
            ("date", json!("2026-11-20T10:00")),
            ("date", json!("-000001-01-01")),
            ("choice", json!("Bronze")),
            ("yes_no", json!("yes")),
            ("yes_no", json!(null)),
            ("text", json!(["a"])),
        ] {
            assert!(value(kind, written.clone()).is_err(), "{kind} {written}");
        }
    }

    #[test]
    fn option_is_found_by_the_only_similar_spelling() {
        let field = field("level", "choice", &["عائلة", "Zoë", "Zöe", "Gold"]);
        let option = |name: &str| field.option(name).map(OneLine::as_str);
        for (name, expected) in [
            ("عائله", Some("عائلة")),
            ("ZOË", Some("Zoë")),
            ("zöe", Some("Zöe")),
            ("zoe", None),
            ("GÖLD", Some("Gold")),
            ("silver", None),
        ] {
            assert_eq!(option(name), expected, "{name}");
        }
    }

    #[test]
    fn a_number_is_written_with_digits_only() {
        for (text, parts) in [("1", 10_000), ("-2.5", -25_000), ("0.0001", 1), ("-0", 0)] {
            assert_eq!(text.parse::<Number>().map(Number::parts), Ok(parts), "{text}");
        }
        for bad in ["", "1e3", "inf", "NaN", "+1", "0x1", "1,5", "1.00001", "1000000000000"] {
            assert_eq!(bad.parse::<Number>(), Err(NotANumber), "{bad}");
        }
    }

    #[test]
    fn a_field_keeps_its_key_and_type() {
        let before = field("level", "choice", &["Silver", "Gold"]);
        let none: [&str; 0] = [];
        let change = |after: &Field| before.problems_of_change(after);
        let options = field("level", "choice", &["Gold", "Platinum"]);
        assert_eq!(fields_of_problems(&change(&options)), none);
        assert_eq!(fields_of_problems(&change(&field("level", "choice", &[]))), ["options"]);
        let text = field("level", "text", &["Silver", "Gold"]);
        assert_eq!(fields_of_problems(&change(&text)), ["type"]);
        assert_eq!(
            fields_of_problems(&change(&field("grade", "date", &[]))),
            ["key", "type"]
        );
        let detail = "The type of a field cannot change. Create another field instead.";
        assert_eq!(change(&text)[0].detail, detail);
        let searchable = Field {
            searchable: true,
            ..before.clone()
        };
        assert_eq!(fields_of_problems(&change(&searchable)), ["searchable"]);
        assert_eq!(fields_of_problems(&searchable.problems_of_change(&before)), none);
    }
}
