//! The kinds of connections, and bodies of which a `kind` tells what else they hold.

use std::{borrow::Cow, marker::PhantomData};

use domain::{connection::Account, settings::FieldProblem};
use garde::Validate;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

macro_rules! kinds {
    // The word is a `tt`: `utoipa` does not see a `literal` in serde's attribute.
    ($(#[doc = $about:literal] $kind:ident = $word:tt, $alone:ident;)*) => {
        /// The providers, as the `kind` of a connection.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
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
            #[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
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
    pub(crate) fn named(body: &Value) -> Result<Self, Vec<FieldProblem>> {
        let given = body["kind"].as_str();
        let found = Self::ALL.iter().find(|(word, _)| given == Some(*word));
        found.map(|(_, kind)| *kind).ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|(word, _)| *word).collect();
            vec![FieldProblem::new(
                "kind",
                format!("Expected one of {}.", words.join(", ")),
            )]
        })
    }
}

/// A body of one of several kinds, which its `kind` tells: kept as it came until the kind is known, so that a wrong field can
/// be named.
pub(crate) struct OneOf<T> {
    pub(crate) body: Value,
    of: PhantomData<fn() -> T>,
}

impl<'de, T> Deserialize<'de> for OneOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As a map, so that what is no object is refused here.
        let fields = serde_json::Map::<String, Value>::deserialize(deserializer)?;
        Ok(Self {
            body: Value::Object(fields),
            of: PhantomData,
        })
    }
}

impl<T> Validate for OneOf<T> {
    type Context = ();

    fn validate_into(&self, (): &(), _: &mut dyn FnMut() -> garde::Path, _: &mut garde::Report) {}
}

impl<T: PartialSchema> PartialSchema for OneOf<T> {
    fn schema() -> RefOr<Schema> {
        T::schema()
    }
}

impl<T: ToSchema> ToSchema for OneOf<T> {
    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

/// What the document says of such a body: which model its `kind` stands for.
macro_rules! one_of {
    (
        #[doc = $about:literal]
        $name:ident {
            $(#[doc = $said:literal] $kind:ident = $word:literal: $model:ident,)*
        }
    ) => {
        #[doc = $about]
        #[derive(Deserialize, ToSchema)]
        #[serde(untagged)]
        #[schema(discriminator(property_name = "kind", mapping(
            $(($word = concat!("#/components/schemas/", stringify!($model))),)*
        )))]
        #[expect(dead_code, reason = "what the document says of a body that is read by its kind")]
        pub(crate) enum $name {
            $(#[doc = $said] $kind($model),)*
        }
    };
}

pub(super) use one_of;
