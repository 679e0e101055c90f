//! Connections in the API, as far as all kinds are alike. What is of a kind stands in the domain, in its file.

mod input;
mod output;
mod settings;

pub(crate) use input::{CredentialsQuery, OneOf, SecretRotationIn};
pub(crate) use output::{ConnectionMade, ConnectionOut, SecretRotationOut, WebhookAddress, WebhookAddresses};
pub(crate) use settings::ConnectionSettings;
