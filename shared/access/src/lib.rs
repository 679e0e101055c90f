//! Authentication and tenancy: the only crate that mints a [`store::TenantScope`] and opens sealed secrets.

#![expect(
    clippy::disallowed_methods,
    reason = "the one crate that mints scopes and reads what is read before a scope exists"
)]

mod address;
pub mod job;
pub mod link;
pub mod mail_links;
pub mod operator;
pub mod password;
pub mod principal;
pub mod push;
mod remembered;
mod sealing;
pub mod secrets;
pub mod send;
pub mod shared_app;
pub mod signer;
pub mod socket;
pub mod token;
pub mod webhook;
mod webhook_secrets;

pub use address::AddressTrace;
pub use mail_links::MailLinks;
pub use principal::{Authenticator, Credentials, PlatformAdmin, Principal, Refusal, SignedIn, TENANT_LIMIT};
pub use push::{PushError, PushKeys};
pub use secrets::{KeyService, Kms, Secrets, SecretsError};
pub use send::SendCredentials;
pub use shared_app::SharedApp;
pub use signer::Signer;
pub use webhook::{AuthError, Authenticated, Connections};
pub use webhook_secrets::{OpenedWebhookSecrets, WebhookKeyring, WebhookSecrets};
