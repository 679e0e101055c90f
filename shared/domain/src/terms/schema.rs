//! Types that are written as a text: parsing them as JSON, and their schemas, each next to its type, with the limits that parsing it
//! checks. Without the feature `schema`, no schema is compiled.

/// The schema of a type, inline wherever a field has it. The field adds its own description.
macro_rules! shown_as {
    ($(const $($limit:ident),+;)? $type:ty, $($schema:tt)+) => {
        #[cfg(feature = "schema")]
        impl $(<$(const $limit: usize),+>)? schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                std::any::type_name::<Self>().into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($($schema)+)
            }
        }
    };
}

/// Names each value of an enum once: `ALL` lists them in this order, and `as_str` says the word of each.
macro_rules! words {
    ($(#[$about:meta])* $type:ident { $($value:ident = $word:literal,)+ }) => {
        impl $type {
            /// All values in the order of their declaration.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$value),+];

            $(#[$about])*
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }
    };
}

/// Deserializes a type by parsing its text. Another text is a fault of the code `format`; its facts are a word for what is expected,
/// and an example. With `by fault`, the error says which fault it is ([`crate::terms::Faulty`]).
macro_rules! parsed {
    ($(const $($limit:ident),+;)? $type:ty) => {
        parsed!($(const $($limit),+;)? $type => error, $crate::terms::Fault::new(
            $crate::terms::FaultCode::Format,
            error.to_string()
        ));
    };
    ($(const $($limit:ident),+;)? $type:ty, $expected:literal, $example:literal) => {
        parsed!($(const $($limit),+;)? $type => error, $crate::terms::Fault::format(
            $expected,
            $example,
            error.to_string()
        ));
    };
    ($(const $($limit:ident),+;)? $type:ty, by fault) => {
        parsed!($(const $($limit),+;)? $type => error, $crate::terms::Faulty::fault(&error));
    };
    ($(const $($limit:ident),+;)? $type:ty => $error:ident, $fault:expr) => {
        impl<'de $(, $(const $limit: usize),+)?> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse::<Self>().map_err(|$error| $fault.refuse())
            }
        }
    };
}
