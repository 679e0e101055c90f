//! Connections in the API. Credentials are accepted but never returned.

/// Converts between the API's and the domain's structs with the same fields. A missing field does not compile.
macro_rules! same {
    ($from:ident => $to:ident: $($field:ident),*) => {
        impl From<$from> for $to {
            fn from(from: $from) -> Self {
                Self {
                    $($field: from.$field,)*
                }
            }
        }
    };
    ($one:ident <=> $other:ident: $($name:ident),*) => {
        same! { $one => $other: $($name),* }
        same! { $other => $one: $($name),* }
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
