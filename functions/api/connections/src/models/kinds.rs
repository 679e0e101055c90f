//! Kinds of connections, and bodies whose `kind` determines their other fields.

use std::{borrow::Cow, marker::PhantomData};

use domain::{connection::Account, settings::FieldProblem};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, Unexpected},
};
use serde_json::value::RawValue;

macro_rules! kinds {
    // The word is a `tt`: derives do not see a `literal` in serde's attribute.
    ($(#[doc = $about:literal] $kind:ident = $word:tt, $alone:ident;)*) => {
        /// Provider of a connection.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
        pub(crate) enum ConnectionKind {
            $(#[doc = $about] #[serde(rename = $word)] $kind,)*
        }

        impl ConnectionKind {
            const ALL: &'static [(&'static str, Self)] = &[$(($word, Self::$kind)),*];

            pub(crate) const fn of(account: &Account) -> Self {
                match account {
                    $(Account::$kind { .. } => Self::$kind,)*
                }
            }
        }

        $(
            #[doc = $about]
            #[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
            pub(crate) enum $alone {
                #[doc = $about]
                #[serde(rename = $word)]
                $kind,
            }
        )*
    };
}

// The table: each with the type of a `kind` that can be no other.
kinds! {
    /// Meta's WhatsApp Cloud API.
    WhatsApp = "whatsapp", WhatsappKind;
    /// Twilio.
    Twilio = "twilio", TwilioKind;
    /// Any telephone system, by the generic signed event.
    Telephony = "telephony", TelephonyKind;
    /// Aircall.
    Aircall = "aircall", AircallKind;
    /// Vonage.
    Vonage = "vonage", VonageKind;
    /// Exotel.
    Exotel = "exotel", ExotelKind;
    /// Plivo.
    Plivo = "plivo", PlivoKind;
}

impl ConnectionKind {
    /// The kind that a body names.
    pub(crate) fn named(body: &RawValue) -> Result<Self, Vec<FieldProblem>> {
        #[derive(Deserialize)]
        struct Named<'a> {
            #[serde(borrow)]
            kind: Cow<'a, str>,
        }
        let given = serde_json::from_str::<Named<'_>>(body.get());
        let given = given.map(|named| named.kind).unwrap_or_default();
        let found = Self::ALL.iter().find(|(word, _)| given == *word);
        found.map(|(_, kind)| *kind).ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|(word, _)| *word).collect();
            vec![FieldProblem::new(
                "kind",
                format!("Expected one of {}.", words.join(", ")),
            )]
        })
    }
}

/// A body of one of several kinds. It stays unparsed until its `kind` is known, so that a wrong field can be named.
pub(crate) struct OneOf<T> {
    pub(crate) body: Box<RawValue>,
    of: PhantomData<fn() -> T>,
}

impl<'de, T> Deserialize<'de> for OneOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = Box::<RawValue>::deserialize(deserializer)?;
        // A list would be taken field by field.
        if !body.get().starts_with('{') {
            return Err(D::Error::invalid_type(Unexpected::Other("no object"), &"an object"));
        }
        Ok(Self { body, of: PhantomData })
    }
}

impl<T: JsonSchema> JsonSchema for OneOf<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Schema of such a body, with a model for each `kind`.
macro_rules! one_of {
    (
        #[doc = $about:literal]
        $name:ident {
            $(#[doc = $said:literal] $word:literal: $model:ident,)*
        }
    ) => {
        #[doc = $about]
        pub(crate) enum $name {}

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let (mut choices, mut mapping) = (Vec::new(), serde_json::Map::new());
                $(
                    let mut model = generator.subschema_for::<$model>();
                    mapping.insert($word.to_owned(), model.get("$ref").cloned().unwrap_or_default());
                    model.insert("description".to_owned(), $said.trim_ascii().into());
                    choices.push(model);
                )*
                schemars::json_schema!({
                    "description": $about.trim_ascii(),
                    "oneOf": choices,
                    "discriminator": {"propertyName": "kind", "mapping": mapping},
                })
            }
        }
    };
}

pub(super) use one_of;
