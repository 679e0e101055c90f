//! Fields that a tenant defines for its contacts, beyond those that every contact has.

use std::{collections::HashSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    bounded::UpTo,
    ids::FieldId,
    settings::{FieldProblem, added},
    text::{LONGEST_NAME, OneLine, folded},
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
        pub name: OneLine<1, LONGEST_NAME>,
        /// Type of its values. It cannot change.
        #[serde(rename = "type")]
        #[cfg_attr(feature = "schema", schemars(example = "choice"))]
        pub kind: FieldType,
        /// Possible values of a `choice`, all different. Other types have none.
        #[serde(default, skip_serializing_if = "UpTo::is_empty")]
        #[cfg_attr(feature = "schema", schemars(example = serde_json::json!(["Silver", "Gold"])))]
        pub options: UpTo<50, OneLine<1, 100>>,
        /// Whether contacts can be searched by it. At most 10 of a tenant's fields are searchable.
        #[serde(default)]
        pub searchable: bool,
    }
}

impl Field {
    /// Maximum fields per tenant.
    pub const MOST: u32 = 50;
    /// Maximum searchable fields per tenant.
    pub const MOST_SEARCHABLE: u32 = 10;

    /// Problems of the field by itself. Empty: none.
    #[must_use]
    pub fn problems(&self) -> Vec<FieldProblem> {
        if self.kind != FieldType::Choice {
            let detail = "Only a field of the type `choice` has options. Leave them out.";
            let problem = (!self.options.is_empty()).then(|| FieldProblem::new("options", detail));
            return problem.into_iter().collect();
        }
        if self.options.is_empty() {
            let detail = "A field of the type `choice` needs at least one option.";
            return vec![FieldProblem::new("options", detail)];
        }
        let mut known = HashSet::new();
        let mut found = Vec::new();
        for (index, option) in self.options.iter().enumerate() {
            if !known.insert(folded(option.as_str())) {
                let detail = "Another option has the same name, apart from case. Remove one of them.";
                found.push(FieldProblem::new(format!("options[{index}]"), detail));
            }
        }
        found
    }

    /// Problems of a change to `after`. Empty: none.
    #[must_use]
    pub fn problems_of_change(&self, after: &Self) -> Vec<FieldProblem> {
        let fixed = [("key", self.key != after.key), ("type", self.kind != after.kind)];
        let changed = fixed.into_iter().filter(|(_, changed)| *changed);
        let found: Vec<_> = changed
            .map(|(field, _)| {
                let detail = format!("The {field} of a field cannot change. Create another field instead.");
                FieldProblem::new(field, detail)
            })
            .collect();
        if found.is_empty() {
            added(&self.problems(), after.problems())
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
    /// One of the field's options.
    Choice,
    /// Yes or no.
    YesNo,
}

/// Identifier of a field within its tenant. It becomes part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct FieldKey(String);

shown_as!(FieldKey, {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$", "examples": ["loyalty_level"]});

impl FieldKey {
    /// Maximum length in bytes.
    pub const LONGEST: usize = 40;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is not the key of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key of a field has 1 to {} lower-case letters and digits of ASCII, and _, and begins with a letter",
    FieldKey::LONGEST
)]
pub struct NotAFieldKey;

impl FromStr for FieldKey {
    type Err = NotAFieldKey;

    fn from_str(text: &str) -> Result<Self, NotAFieldKey> {
        let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let fit = text.len() <= Self::LONGEST
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(sign);
        fit.then(|| Self(text.to_owned())).ok_or(NotAFieldKey)
    }
}

parsed!(FieldKey);

impl fmt::Display for FieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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

    fn named(problems: &[FieldProblem]) -> Vec<&str> {
        problems.iter().map(|problem| problem.field.as_str()).collect()
    }

    #[test]
    fn a_key_of_a_field_is_an_identifier() {
        for good in ["a", "loyalty_level", "x2", "a__", &"x".repeat(40)] {
            assert_eq!(good.parse::<FieldKey>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "2x",
            "_a",
            "A",
            "aB",
            "a b",
            "a-b",
            "a.b",
            "a#b",
            "ä",
            &"x".repeat(41),
        ] {
            assert_eq!(bad.parse::<FieldKey>(), Err(NotAFieldKey), "{bad:?}");
        }
    }

    #[test]
    fn exactly_choices_have_options_and_all_are_different() {
        let none: [&str; 0] = [];
        assert_eq!(named(&field("level", "choice", &["Silver", "Gold"]).problems()), none);
        assert_eq!(named(&field("level", "choice", &[]).problems()), ["options"]);
        let twice = field("level", "choice", &["Silver", "Gold", "GOLD", " silver"]);
        assert_eq!(named(&twice.problems()), ["options[2]", "options[3]"]);
        for kind in ["text", "number", "date", "yes_no"] {
            assert_eq!(named(&field("level", kind, &[]).problems()), none, "{kind}");
            assert_eq!(named(&field("level", kind, &["a"]).problems()), ["options"], "{kind}");
        }
        let many: Vec<Value> = (0..51).map(|number| json!(number.to_string())).collect();
        let many = json!({"key": "level", "name": "Level", "type": "choice", "options": many});
        assert!(from_value::<FieldIn>(many).is_err());
    }

    #[test]
    fn a_field_keeps_its_key_and_type() {
        let before = field("level", "choice", &["Silver", "Gold"]);
        let none: [&str; 0] = [];
        let change = |after: &Field| before.problems_of_change(after);
        let options = field("level", "choice", &["Gold", "Platinum"]);
        assert_eq!(named(&change(&options)), none);
        assert_eq!(named(&change(&field("level", "choice", &[]))), ["options"]);
        let text = field("level", "text", &["Silver", "Gold"]);
        assert_eq!(named(&change(&text)), ["type"]);
        assert_eq!(named(&change(&field("grade", "date", &[]))), ["key", "type"]);
        let detail = "The type of a field cannot change. Create another field instead.";
        assert_eq!(change(&text)[0].detail, detail);
    }
}
