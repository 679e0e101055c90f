//! Resources, which people create, change and remove one by one through the API: an id, and the fields that they write.

use serde::{Serialize, de::DeserializeOwned};
use ulid::Ulid;

/// A resource: an id, and fields that people write. [`resource!`] defines one.
pub trait Resource: Clone + PartialEq + Serialize {
    /// Its id.
    type Id;
    /// The fields that people write.
    type Fields: Fields<Of = Self>;

    /// A new resource.
    fn new(id: Ulid, fields: Self::Fields) -> Self;

    /// The same resource with other fields.
    #[must_use]
    fn with(&self, fields: Self::Fields) -> Self;

    /// Its fields.
    fn fields(&self) -> Self::Fields;
}

/// The fields of a [`Resource`].
pub trait Fields: Serialize + DeserializeOwned {
    /// The resource.
    type Of: Resource<Fields = Self>;
}

/// Defines a resource and the type of its fields from one list: `Product` of `ProductId` with the fields of `ProductIn`. Both
/// refuse unknown fields, and both have a schema.
macro_rules! resource {
    (
        $(#[$about:meta])*
        pub struct $whole:ident of $id:ident;

        $(#[$about_fields:meta])*
        pub struct $fields:ident {
            $($(#[$about_field:meta])* pub $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $whole {
            /// Id.
            pub id: $id,
            $($(#[$about_field])* pub $field: $type,)*
        }

        $(#[$about_fields])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $fields {
            $($(#[$about_field])* pub $field: $type,)*
        }

        impl $crate::resource::Resource for $whole {
            type Id = $id;
            type Fields = $fields;

            fn new(id: ulid::Ulid, fields: $fields) -> Self {
                Self { id: $id::new(id), $($field: fields.$field),* }
            }

            fn with(&self, fields: $fields) -> Self {
                Self { id: self.id, $($field: fields.$field),* }
            }

            fn fields(&self) -> $fields {
                $fields { $($field: self.$field.clone()),* }
            }
        }

        impl $crate::resource::Fields for $fields {
            type Of = $whole;
        }
    };
}
