//! Connections in the API. Credentials are accepted but never returned.

/// Converts between the API's and the domain's types: enums with the same words, structs with the same fields. A missing variant
/// or field does not compile.
macro_rules! same {
    (words $from:ident => $to:ident: $($word:ident),*) => {
        impl From<$from> for $to {
            fn from(from: $from) -> Self {
                match from {
                    $($from::$word => Self::$word,)*
                }
            }
        }
    };
    (fields $from:ident => $to:ident: $($field:ident),*) => {
        impl From<$from> for $to {
            fn from(from: $from) -> Self {
                Self {
                    $($field: from.$field,)*
                }
            }
        }
    };
    ($what:ident $one:ident <=> $other:ident: $($name:ident),*) => {
        same! { $what $one => $other: $($name),* }
        same! { $what $other => $one: $($name),* }
    };
}

mod input;
mod kinds;
mod output;
mod settings;

pub(crate) use input::{
    AircallIn, AircallNewCredentials, ConnectionIn, CredentialsIn, ExotelCredentials, ExotelIn, ExotelNewCredentials,
    Kept, PlivoIn, PlivoNewCredentials, SecretRotationIn, TelephonyIn, TwilioIn, TwilioNewCredentials, VonageIn,
    VonageNewCredentials, Wanted, WhatsappIn, WhatsappNewCredentials, opens_api,
};
pub(crate) use kinds::{ConnectionKind, OneOf};
pub(crate) use output::{ConnectionMade, ConnectionOut, SecretRotationOut, WebhookAddress, WebhookAddresses};
pub(crate) use settings::{ConnectionSettings, name_problems};
