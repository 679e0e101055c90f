//! Resources, which people create, change and remove one by one through the API: an id, the fields that they write, and the times of
//! creation and of the last change.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ulid::Ulid;

/// A resource: an id, fields that people write, and two times. [`resource!`] defines one.
pub trait Resource: Clone + PartialEq + Serialize {
    type Id;
    /// The fields that people write.
    type Fields: Fields<Of = Self>;

    /// A new resource, created at this time.
    fn new(id: Ulid, fields: Self::Fields, at: Timestamp) -> Self;

    /// Replaces the fields and keeps the times: if no field differs, both resources are equal. Whoever writes it says
    /// when by [`Resource::changed_at`].
    #[must_use]
    fn with(&self, fields: Self::Fields) -> Self;

    /// Sets the time of the change.
    #[must_use]
    fn changed_at(self, at: Timestamp) -> Self;

    /// This resource in the place of `before`, which it replaces as a whole: created when that was and, if a field differs, changed when
    /// this one was.
    #[must_use]
    fn in_place_of(&self, before: &Self) -> Self;

    fn fields(&self) -> Self::Fields;
}

/// The fields of a [`Resource`].
pub trait Fields: Serialize + DeserializeOwned {
    type Of: Resource<Fields = Self>;
}

/// Defines a resource and the type of its fields from one list: `Product` of `ProductId` with the fields of `ProductIn`. Both
/// refuse unknown fields, and both have a schema. A resource that says no times, such as a row that was stored before it had them or one
/// in a tenant's file, has the time of its id. Braces after the id hold what the resource has beside its fields and people do not write
/// as such, as `pub struct Rule of RuleId { pub archived_at: Option<Timestamp>, };`: a new resource has the defaults, and a change of the
/// fields leaves it as it is.
macro_rules! resource {
    (
        $(#[$about:meta])*
        pub struct $whole:ident of $id:ident $({
            $($(#[$about_own:meta])* pub $own:ident: $own_type:ty,)*
        })?;

        $(#[$about_fields:meta])*
        pub struct $fields:ident {
            $($(#[$about_field:meta])* pub $field:ident: $type:ty,)*
        }
    ) => {
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        $(#[$about])*
        pub struct $whole {
            /// Id.
            pub id: $id,
            $($(#[$about_field])* pub $field: $type,)*
            $($($(#[$about_own])* pub $own: $own_type,)*)?
            /// Time of creation.
            #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
            pub created_at: jiff::Timestamp,
            /// Time of the last change.
            #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
            pub updated_at: jiff::Timestamp,
        }

        impl<'de> serde::Deserialize<'de> for $whole {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // The fields' attributes are also those of their schema.
                #[derive(serde::Deserialize)]
                #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
                #[serde(deny_unknown_fields)]
                struct Stored {
                    id: $id,
                    $($(#[$about_field])* $field: $type,)*
                    $($($(#[$about_own])* $own: $own_type,)*)?
                    created_at: Option<jiff::Timestamp>,
                    updated_at: Option<jiff::Timestamp>,
                }

                let stored = Stored::deserialize(deserializer)?;
                let created_at = stored.created_at.unwrap_or_else(|| $crate::terms::time_of_id(stored.id.ulid()));
                Ok(Self {
                    id: stored.id,
                    $($field: stored.$field,)*
                    $($($own: stored.$own,)*)?
                    created_at,
                    updated_at: stored.updated_at.unwrap_or(created_at),
                })
            }
        }

        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        $(#[$about_fields])*
        pub struct $fields {
            $($(#[$about_field])* pub $field: $type,)*
        }

        impl $crate::terms::Resource for $whole {
            type Id = $id;
            type Fields = $fields;

            fn new(id: ulid::Ulid, fields: $fields, at: jiff::Timestamp) -> Self {
                Self {
                    id: $id::new(id),
                    $($field: fields.$field,)*
                    $($($own: <$own_type>::default(),)*)?
                    created_at: at,
                    updated_at: at,
                }
            }

            fn with(&self, fields: $fields) -> Self {
                Self {
                    id: self.id,
                    $($field: fields.$field,)*
                    $($($own: self.$own.clone(),)*)?
                    created_at: self.created_at,
                    updated_at: self.updated_at,
                }
            }

            fn changed_at(self, at: jiff::Timestamp) -> Self {
                Self { updated_at: at, ..self }
            }

            fn in_place_of(&self, before: &Self) -> Self {
                let after = before.with(self.fields());
                if after == *before { after } else { after.changed_at(self.updated_at) }
            }

            fn fields(&self) -> $fields {
                $fields { $($field: self.$field.clone()),* }
            }
        }

        impl $crate::terms::Fields for $fields {
            type Of = $whole;
        }
    };
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;
    use crate::people::{Tag, TagIn};
    use crate::samples::at;

    const MADE: &str = "2026-11-20T12:00:00Z";

    fn tag_input(name: &str) -> TagIn {
        from_value(json!({ "name": name })).unwrap()
    }

    fn tag() -> Tag {
        Tag::new(Ulid::from_parts(1, 2), tag_input("Regular"), at(MADE))
    }

    #[test]
    fn a_new_resource_has_both_times() {
        let made = tag();
        assert_eq!((made.created_at, made.updated_at), (at(MADE), at(MADE)));
        let shown = serde_json::to_value(&made).unwrap();
        let times = json!({"id": made.id, "name": "Regular", "created_at": MADE, "updated_at": MADE});
        assert_eq!(shown, times);
        assert_eq!(from_value::<Tag>(shown).unwrap(), made);
    }

    #[test]
    fn a_change_moves_only_the_time_of_the_last_change() {
        let made = tag();
        assert_eq!(made.with(tag_input("Regular")), made, "nothing changes");
        let later = at("2026-11-21T12:00:00Z");
        let changed = made.with(tag_input("Loyal")).changed_at(later);
        assert_eq!(
            (changed.id, changed.created_at, changed.updated_at),
            (made.id, at(MADE), later)
        );
        assert_eq!(changed.name.as_str(), "Loyal");
    }

    #[test]
    fn a_resource_in_place_of_another_keeps_its_creation() {
        let (made, later) = (tag(), at("2026-11-21T12:00:00Z"));
        let given = |name: &str| Tag::new(made.id.ulid(), tag_input(name), later);
        assert_eq!(given("Regular").in_place_of(&made), made);
        let changed = Tag {
            created_at: at(MADE),
            ..given("Loyal")
        };
        assert_eq!(given("Loyal").in_place_of(&made), changed);
    }

    #[test]
    fn a_row_without_times_has_that_of_its_id() {
        let milliseconds = u64::try_from(at(MADE).as_millisecond()).unwrap();
        let id = crate::terms::TagId::new(Ulid::from_parts(milliseconds, 7));
        let old: Tag = from_value(json!({"id": id, "name": "Regular"})).unwrap();
        assert_eq!((old.created_at, old.updated_at), (at(MADE), at(MADE)));
        let unknown = json!({"id": id, "name": "Regular", "made_at": MADE});
        assert!(from_value::<Tag>(unknown).is_err());
        // Once changed, it has both.
        let changed = old.with(tag_input("Loyal")).changed_at(at("2026-11-21T12:00:00Z"));
        let again: Tag = from_value(serde_json::to_value(&changed).unwrap()).unwrap();
        assert_eq!(again, changed);
        assert_eq!(again.created_at, at(MADE));
    }
}
