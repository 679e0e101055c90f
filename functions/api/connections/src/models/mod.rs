//! The parts of connections in the API that all kinds share. Each kind has a file of its own in the domain.

mod input;
mod output;
mod settings;

pub(crate) use input::{CredentialsQuery, OneOf, SecretRotationIn};
pub(crate) use output::{ConnectionMade, ConnectionOut, SecretRotationOut, WebhookAddress, WebhookAddresses};
pub(crate) use settings::ConnectionSettings;
