//! Numbers, lists and named texts within bounds. Parsing checks the bounds, and the schema states the same ones.

use std::{collections::BTreeMap, fmt, marker::PhantomData, ops::Deref};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, SeqAccess, Visitor},
};

use crate::{
    fault::{Fault, FaultCode},
    text::OneLine,
};

/// A whole number from `LEAST` to `MOST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Whole<const LEAST: u32, const MOST: u32>(u32);

impl<const LEAST: u32, const MOST: u32> Whole<LEAST, MOST> {
    /// The number, if it is within the bounds.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if LEAST <= number && number <= MOST {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const LEAST: u32, const MOST: u32> Deserialize<'de> for Whole<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Self::new(u32::deserialize(deserializer)?);
        number.ok_or_else(|| {
            let detail = format!("must be a whole number from {LEAST} to {MOST}");
            Fault::out_of_range(LEAST, MOST, detail).refuse()
        })
    }
}

/// A list of at most `MOST` items.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct UpTo<const MOST: usize, T>(Vec<T>);

impl<const MOST: usize, T> UpTo<MOST, T> {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether the list is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The items.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<const MOST: usize, T> Deref for UpTo<MOST, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<const MOST: usize, T> Default for UpTo<MOST, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const MOST: usize, T> From<Vec<T>> for UpTo<MOST, T> {
    /// For values that are stored already, whatever their length.
    fn from(items: Vec<T>) -> Self {
        Self(items)
    }
}

impl<'de, const MOST: usize, T: Deserialize<'de>> Deserialize<'de> for UpTo<MOST, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<const MOST: usize, T>(PhantomData<fn() -> T>);

        impl<'de, const MOST: usize, T: Deserialize<'de>> Visitor<'de> for Items<MOST, T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST} items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    // Stops reading: the remaining items do not matter.
                    if items.len() == MOST {
                        return Err(Fault::too_many(MOST, format!("must have at most {MOST} items")).refuse());
                    }
                    items.push(item);
                }
                Ok(items)
            }
        }

        deserializer.deserialize_seq(Items::<MOST, T>(PhantomData)).map(Self)
    }
}

/// Longest name in [`Named`], in characters.
const LONGEST_NAME: usize = 64;

/// Characters that end a name in a placeholder such as `{{product.cake.length|soon}}`.
const ENDS_A_NAME: [char; 4] = ['.', '{', '}', '|'];

/// At most `MOST` texts of at most `LONGEST` characters by name. A name has at most 64 characters, and none that ends it in
/// a placeholder of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Named<const MOST: usize, const LONGEST: usize>(BTreeMap<String, OneLine<1, LONGEST>>);

impl<const MOST: usize, const LONGEST: usize> Named<MOST, LONGEST> {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(OneLine::as_str)
    }
}

fn is_name(text: &str) -> bool {
    let line = text.parse::<OneLine<1, LONGEST_NAME>>();
    line.is_ok_and(|line| line.as_str() == text) && !text.contains(ENDS_A_NAME)
}

impl<'de, const MOST: usize, const LONGEST: usize> Deserialize<'de> for Named<MOST, LONGEST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts<const MOST: usize, const LONGEST: usize>;

        impl<'de, const MOST: usize, const LONGEST: usize> Visitor<'de> for Texts<MOST, LONGEST> {
            type Value = BTreeMap<String, OneLine<1, LONGEST>>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an object of at most {MOST} texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    // Stops reading: the remaining entries do not matter.
                    if texts.len() == MOST {
                        return Err(Fault::too_many(MOST, format!("must have at most {MOST} texts")).refuse());
                    }
                    if !is_name(&name) {
                        let most = LONGEST_NAME;
                        let wrong = format!("a name must have 1 to {most} visible characters, without . {{ }} |");
                        return Err(Fault::format("name", "size", wrong).refuse());
                    }
                    if texts.insert(name, map.next_value()?).is_some() {
                        return Err(Fault::new(FaultCode::GivenTwice, "a name is given twice").refuse());
                    }
                }
                Ok(texts)
            }
        }

        deserializer.deserialize_map(Texts::<MOST, LONGEST>).map(Self)
    }
}

#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{LONGEST_NAME, Named, UpTo, Whole};

    impl<const LEAST: u32, const MOST: u32> JsonSchema for Whole<LEAST, MOST> {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            format!("Whole_{LEAST}_{MOST}").into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({"type": "integer", "format": "int32", "minimum": LEAST, "maximum": MOST})
        }
    }

    impl<const MOST: usize, T: JsonSchema> JsonSchema for UpTo<MOST, T> {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            format!("UpTo_{MOST}_{}", T::schema_name()).into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            json_schema!({"type": "array", "items": generator.subschema_for::<T>(), "maxItems": MOST})
        }
    }

    impl<const MOST: usize, const LONGEST: usize> JsonSchema for Named<MOST, LONGEST> {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            format!("Named_{MOST}_{LONGEST}").into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "type": "object",
                "maxProperties": MOST,
                "propertyNames": {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME, "pattern": "^[^.{}|]+$"},
                "additionalProperties": {"type": "string", "minLength": 1, "maxLength": LONGEST},
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
