//! Finds fields of a patch that the type does not have. The type itself knows them: deserializing it asks for each object with
//! the names of its fields. One pass checks all removed fields, however many there are.

use std::cell::RefCell;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_json::{Error, Map, Value, map};

/// The first member that `changes` removes although an object of `T` has no such field. `merged` is a `T` with the changes.
pub(super) fn unknown<T: DeserializeOwned>(merged: &Value, changes: &Value) -> Option<String> {
    let search = Search::default();
    let look = Look {
        value: merged,
        changes: Some(changes),
        search: &search,
    };
    // It was read before, without anybody looking.
    let _read: Result<T, Error> = T::deserialize(look);
    search.found.into_inner()
}

#[derive(Default)]
struct Search<'a> {
    /// Names on the path to the current place.
    at: RefCell<Vec<&'a str>>,
    found: RefCell<Option<String>>,
}

/// A place in the value, with the patch's part for it.
#[derive(Clone, Copy)]
struct Look<'a, 's> {
    value: &'a Value,
    changes: Option<&'a Value>,
    search: &'s Search<'a>,
}

impl<'a> Look<'a, '_> {
    fn members(self) -> Option<&'a Map<String, Value>> {
        self.changes?.as_object()
    }

    /// Compares the patch with the fields of this object.
    fn compare(self, fields: &[&str]) {
        let removed = self
            .members()
            .into_iter()
            .flatten()
            .filter(|(_, change)| change.is_null());
        let mut unknown = removed.filter(|(name, _)| !fields.contains(&name.as_str()));
        if let Some((name, _)) = unknown.next() {
            let mut path = self.search.at.borrow().clone();
            path.push(name);
            self.search.found.borrow_mut().get_or_insert(path.join("."));
        }
    }
}

impl<'de> Deserializer<'de> for Look<'de, '_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.compare(fields);
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Object(members) => visitor.visit_map(Members {
                rest: members.iter(),
                value: None,
                of: self,
            }),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.value.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.value.deserialize_any(visitor)
    }

    // A list is replaced whole: within it nothing is removed.
    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct identifier ignored_any
    }
}

struct Members<'a, 's> {
    rest: map::Iter<'a>,
    value: Option<(&'a str, &'a Value)>,
    of: Look<'a, 's>,
}

impl<'de> MapAccess<'de> for Members<'de, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some((name, value));
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (name, value) = self.value.take().unwrap_or(("", &Value::Null));
        let deeper = Look {
            value,
            changes: self.of.members().and_then(|changes| changes.get(name)),
            ..self.of
        };
        self.of.search.at.borrow_mut().push(name);
        let read = seed.deserialize(deeper);
        self.of.search.at.borrow_mut().pop();
        read
    }
}
