//! Numbers, lists and named texts within bounds. Parsing checks the bounds, and the schema states the same ones.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::terms::{Fault, FaultCode, OneLine};

/// Whether a counter has not counted yet. For serde, which leaves it out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(crate) const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A whole number from `LEAST` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Whole<const LEAST: u32, const MAX: u32>(u32);

impl<const MAX: u32> Default for Whole<0, MAX> {
    fn default() -> Self {
        Self(0)
    }
}

impl<const LEAST: u32, const MAX: u32> Whole<LEAST, MAX> {
    /// The number, if it is within the bounds.
    pub const fn new(number: u32) -> Option<Self> {
        if LEAST <= number && number <= MAX {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number within the bounds that is nearest to this one.
    pub fn nearest(number: u32) -> Self {
        Self(number.clamp(LEAST, MAX))
    }

    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const LEAST: u32, const MAX: u32> Deserialize<'de> for Whole<LEAST, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Self::new(u32::deserialize(deserializer)?);
        number.ok_or_else(|| {
            let detail = format!("must be a whole number from {LEAST} to {MAX}");
            Fault::out_of_range(LEAST, MAX, detail).refuse()
        })
    }
}

/// A list of at most `MAX` items.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct UpTo<const MAX: usize, T>(Vec<T>);

impl<const MAX: usize, T> UpTo<MAX, T> {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether the list is empty.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<const MAX: usize, T> Deref for UpTo<MAX, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<const MAX: usize, T> DerefMut for UpTo<MAX, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<const MAX: usize, T> Default for UpTo<MAX, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const MAX: usize, T> From<Vec<T>> for UpTo<MAX, T> {
    /// Takes values that are stored already, whatever their length.
    fn from(items: Vec<T>) -> Self {
        Self(items)
    }
}

impl<'de, const MAX: usize, T: Deserialize<'de>> Deserialize<'de> for UpTo<MAX, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<const MAX: usize, T>(PhantomData<fn() -> T>);

        impl<'de, const MAX: usize, T: Deserialize<'de>> Visitor<'de> for Items<MAX, T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MAX} items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    // Stops reading: the remaining items do not matter.
                    if items.len() == MAX {
                        return Err(Fault::too_many(MAX, format!("must have at most {MAX} items")).refuse());
                    }
                    items.push(item);
                }
                Ok(items)
            }
        }

        deserializer.deserialize_seq(Items::<MAX, T>(PhantomData)).map(Self)
    }
}

/// A list of at most `MAX` items, none of them twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Distinct<const MAX: usize, T>(Vec<T>);

impl<const MAX: usize, T> Distinct<MAX, T> {
    /// Whether the list is empty.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<const MAX: usize, T> Deref for Distinct<MAX, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<const MAX: usize, T> Default for Distinct<MAX, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<const MAX: usize, T> From<Vec<T>> for Distinct<MAX, T> {
    /// Takes values of our own, which keep to the limits.
    fn from(items: Vec<T>) -> Self {
        Self(items)
    }
}

impl<'de, const MAX: usize, T: Deserialize<'de> + PartialEq> Deserialize<'de> for Distinct<MAX, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = UpTo::<MAX, T>::deserialize(deserializer)?.into_vec();
        // These lists are short.
        if (1..items.len()).any(|place| items[..place].contains(&items[place])) {
            return Err(Fault::new(FaultCode::GivenTwice, "must have no item twice").refuse());
        }
        Ok(Self(items))
    }
}

/// Longest name in [`Named`] and [`ByName`], in characters.
const MAX_NAME_LENGTH: usize = 64;

/// Characters that end a name in a placeholder such as `{{product.cake.length|soon}}`.
const ENDS_A_NAME: [char; 4] = ['.', '{', '}', '|'];

/// At most `MAX` texts of at most `MAX_LENGTH` characters by name. A name has at most 64 characters, and none that ends it in
/// a placeholder of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Named<const MAX: usize, const MAX_LENGTH: usize>(BTreeMap<String, OneLine<1, MAX_LENGTH>>);

impl<const MAX: usize, const MAX_LENGTH: usize> Named<MAX, MAX_LENGTH> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(OneLine::as_str)
    }
}

fn is_name(text: &str) -> bool {
    let line = text.parse::<OneLine<1, MAX_NAME_LENGTH>>();
    line.is_ok_and(|line| line.as_str() == text) && !text.contains(ENDS_A_NAME)
}

impl<'de, const MAX: usize, const MAX_LENGTH: usize> Deserialize<'de> for Named<MAX, MAX_LENGTH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Entries::<OneLine<1, MAX_LENGTH>> {
            most: MAX,
            what: "texts",
            wrong: |name| {
                (!is_name(name)).then(|| {
                    let wrong =
                        format!("a name must have 1 to {MAX_NAME_LENGTH} visible characters, without . {{ }} |");
                    Fault::format("name", "size", wrong)
                })
            },
            of: PhantomData,
        };
        deserializer.deserialize_map(texts).map(Self)
    }
}

/// At most `MAX` values by name. A name has 1 to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ByName<const MAX: usize, T>(BTreeMap<String, T>);

impl<const MAX: usize, T> ByName<MAX, T> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values by name.
    pub fn into_map(self) -> BTreeMap<String, T> {
        self.0
    }
}

impl<const MAX: usize, T> Deref for ByName<MAX, T> {
    type Target = BTreeMap<String, T>;

    fn deref(&self) -> &BTreeMap<String, T> {
        &self.0
    }
}

impl<const MAX: usize, T> Default for ByName<MAX, T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<const MAX: usize, T> From<BTreeMap<String, T>> for ByName<MAX, T> {
    /// Takes values of our own, which keep to the limits.
    fn from(values: BTreeMap<String, T>) -> Self {
        Self(values)
    }
}

impl<'de, const MAX: usize, T: Deserialize<'de>> Deserialize<'de> for ByName<MAX, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Entries::<T> {
            most: MAX,
            what: "entries",
            wrong: |name| {
                let characters = name.chars().take(MAX_NAME_LENGTH + 1).count();
                (!(1..=MAX_NAME_LENGTH).contains(&characters)).then(|| {
                    let wrong = format!("a name must have 1 to {MAX_NAME_LENGTH} characters");
                    Fault::length(characters, 1, MAX_NAME_LENGTH, wrong)
                })
            },
            of: PhantomData,
        };
        deserializer.deserialize_map(entries).map(Self)
    }
}

/// Reads an object with a maximum number of entries and valid names.
struct Entries<T> {
    most: usize,
    /// The entries in a word.
    what: &'static str,
    wrong: fn(&str) -> Option<Fault>,
    of: PhantomData<fn() -> T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of at most {} {}", self.most, self.what)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            // Stops reading: the remaining entries do not matter.
            if entries.len() == self.most {
                let detail = format!("must have at most {} {}", self.most, self.what);
                return Err(Fault::too_many(self.most, detail).refuse());
            }
            if let Some(fault) = (self.wrong)(&name) {
                return Err(fault.refuse());
            }
            if entries.insert(name, map.next_value()?).is_some() {
                return Err(Fault::new(FaultCode::GivenTwice, "a name is given twice").refuse());
            }
        }
        Ok(entries)
    }
}

#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{ByName, Distinct, MAX_NAME_LENGTH, Named, UpTo, Whole};

    impl<const LEAST: u32, const MAX: u32> JsonSchema for Whole<LEAST, MAX> {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            format!("Whole_{LEAST}_{MAX}").into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({"type": "integer", "format": "int32", "minimum": LEAST, "maximum": MAX})
        }
    }

    impl<const MAX: usize, T: JsonSchema> JsonSchema for UpTo<MAX, T> {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            format!("UpTo_{MAX}_{}", T::schema_name()).into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            json_schema!({"type": "array", "items": generator.subschema_for::<T>(), "maxItems": MAX})
        }
    }

    impl<const MAX: usize, T: JsonSchema> JsonSchema for Distinct<MAX, T> {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            format!("Distinct_{MAX}_{}", T::schema_name()).into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let items = generator.subschema_for::<T>();
            json_schema!({"type": "array", "items": items, "maxItems": MAX, "uniqueItems": true})
        }
    }

    impl<const MAX: usize, T: JsonSchema> JsonSchema for ByName<MAX, T> {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            format!("ByName_{MAX}_{}", T::schema_name()).into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "type": "object",
                "maxProperties": MAX,
                "propertyNames": {"type": "string", "minLength": 1, "maxLength": MAX_NAME_LENGTH},
                "additionalProperties": generator.subschema_for::<T>(),
            })
        }
    }

    impl<const MAX: usize, const MAX_LENGTH: usize> JsonSchema for Named<MAX, MAX_LENGTH> {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            format!("Named_{MAX}_{MAX_LENGTH}").into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "type": "object",
                "maxProperties": MAX,
                "propertyNames": {"type": "string", "minLength": 1, "maxLength": MAX_NAME_LENGTH, "pattern": "^[^.{}|]+$"},
                "additionalProperties": {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH},
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsing_checks_the_bounds() {
        let number = |text: &str| serde_json::from_str::<Whole<1, 168>>(text).ok().map(Whole::get);
        assert_eq!(
            ["0", "1", "168", "169", "-1", "1.5"].map(number),
            [None, Some(1), Some(168), None, None, None]
        );
        let list = |text: &str| serde_json::from_str::<UpTo<2, u8>>(text).map(UpTo::into_vec);
        assert!(list("[]").unwrap().is_empty());
        assert_eq!(list("[1,2]").unwrap(), [1, 2]);
        let error = list("[1,2,3,4]").unwrap_err().to_string();
        assert!(error.starts_with("must have at most 2 items"), "{error}");
        let different = |text: &str| serde_json::from_str::<Distinct<2, u8>>(text).map(|list| list.to_vec());
        assert_eq!(different("[2,1]").unwrap(), [2, 1]);
        assert!(different("[1,1]").is_err() && different("[1,2,3]").is_err());
        assert_eq!(
            [0, 7, 169].map(|number| Whole::<1, 168>::nearest(number).get()),
            [1, 7, 168]
        );
    }

    #[test]
    fn values_by_name_are_few_and_have_short_names() {
        let read = |text: &str| serde_json::from_str::<ByName<2, u8>>(text).map(ByName::into_map);
        assert_eq!(read(r#"{"1": 1, "first_name": 2}"#).unwrap().len(), 2);
        let long = format!(r#"{{"{}": 1}}"#, "x".repeat(65));
        for wrong in [
            r#"{"": 1}"#,
            r#"{"a": 1, "a": 2}"#,
            r#"{"a": 1, "b": 2, "c": 3}"#,
            "[]",
            &long,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_of_texts_can_be_used_in_messages() {
        let read = |text: &str| serde_json::from_str::<Named<2, 5>>(text);
        let found = read(r#"{"size": " L ", "لون": "red"}"#).unwrap();
        assert_eq!((found.get("size"), found.get("لون")), (Some("L"), Some("red")));
        assert!(read("{}").unwrap().is_empty());
        let long = format!(r#"{{"{}": "a"}}"#, "x".repeat(65));
        for wrong in [
            r#"{"a.b": "c"}"#,
            r#"{"a}": "c"}"#,
            r#"{"a|b": "c"}"#,
            r#"{" a": "c"}"#,
            r#"{"": "c"}"#,
            r#"{"a": ""}"#,
            r#"{"a": "123456"}"#,
            r#"{"a": 1}"#,
            r#"{"a": "1", "a": "2"}"#,
            r#"{"a": "1", "b": "2", "c": "3"}"#,
            "[]",
            &long,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
