//! A Meta app that many tenants share. Its secret authenticates Meta, not the tenant: a scope is minted only for the connection that owns
//! the account and number in the event.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::tenants::{Account, Connection};
use domain::terms::{ConnectionId, TenantId};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use store::Store;

use crate::remembered::Remembered;
use crate::webhook::REREAD;
use crate::{AuthError, Authenticated, Connections, SecretsError};

/// Lifetime of opened secrets and known owners.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Time before an account without an owner is looked up again.
const UNKNOWN_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Maximum number of cached accounts, with and without an owner.
const MAX: usize = 10_000;

/// The app's secrets, as stored in Secrets Manager.
#[derive(Clone, Deserialize)]
pub struct AppSecrets {
    /// Secret that signs the webhooks.
    pub app_secret: String,
    /// Token of Meta's handshake.
    pub verify_token: String,
}

/// A post that Meta has provably sent.
#[derive(Debug, Clone, Copy)]
pub struct FromMeta(());

type AccountKey = (String, String);

/// The app that tenants share.
pub struct SharedApp {
    client: aws_sdk_secretsmanager::Client,
    secret_id: Option<String>,
    store: Store,
    secrets: Mutex<Remembered<(), Arc<AppSecrets>>>,
    owners: Mutex<Remembered<AccountKey, (TenantId, ConnectionId)>>,
    strangers: Mutex<Remembered<AccountKey, ()>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SharedApp {
    /// The app whose secrets have this id in Secrets Manager. Without an id, every request is refused.
    pub fn new(client: aws_sdk_secretsmanager::Client, secret_id: Option<String>, store: Store) -> Self {
        Self {
            client,
            secret_id,
            store,
            secrets: Mutex::new(Remembered::new(LIFETIME, 1)),
            owners: Mutex::new(Remembered::new(LIFETIME, MAX)),
            strangers: Mutex::new(Remembered::new(UNKNOWN_FOR, MAX)),
        }
    }

    /// Admits Meta if `proves` accepts the app's secrets.
    ///
    /// # Errors
    /// When it is refused, or the secrets cannot be read.
    pub async fn authenticate(
        &self,
        now: Timestamp,
        proves: impl Fn(&AppSecrets) -> bool,
    ) -> Result<FromMeta, AuthError> {
        let Some(id) = &self.secret_id else {
            return Err(AuthError::Refused);
        };
        let remembered = lock(&self.secrets).get(&(), now);
        match remembered {
            Some((_, known)) if proves(&known) => return Ok(FromMeta(())),
            Some((since, _)) if now.duration_since(since) < REREAD => return Err(AuthError::Refused),
            _ => {}
        }
        let secrets = Arc::new(self.read(id).await?);
        lock(&self.secrets).put((), Arc::clone(&secrets), now);
        if proves(&secrets) {
            Ok(FromMeta(()))
        } else {
            Err(AuthError::Refused)
        }
    }

    /// The app's secrets, to verify webhooks of connections without secrets of their own. `None` without a shared app.
    pub async fn secrets(&self, now: Timestamp) -> Result<Option<Arc<AppSecrets>>, AuthError> {
        let Some(id) = &self.secret_id else {
            return Ok(None);
        };
        if let Some((_, known)) = lock(&self.secrets).get(&(), now) {
            return Ok(Some(known));
        }
        let secrets = Arc::new(self.read(id).await?);
        lock(&self.secrets).put((), Arc::clone(&secrets), now);
        Ok(Some(secrets))
    }

    async fn read(&self, id: &str) -> Result<AppSecrets, SecretsError> {
        const DOING: &str = "read the shared Meta app's secret";
        let output = self.client.get_secret_value().secret_id(id).send().await;
        let output = output.map_err(|error| SecretsError::new(DOING, error))?;
        let text = output.secret_string.unwrap_or_default();
        // The parser's error may quote the secret, so it is not kept.
        let wrong = |_| SecretsError::new(DOING, r#"it must be {"app_secret": "…", "verify_token": "…"}"#);
        serde_json::from_str(&text).map_err(wrong)
    }

    /// The connection that owns a WhatsApp account and number. Template and account events have an empty number.
    ///
    /// # Errors
    /// `Refused` if nobody owns it, or that connection no longer does.
    pub async fn owner(
        &self,
        _proof: FromMeta,
        connections: &Connections,
        waba_id: &str,
        phone_number_id: &str,
        now: Timestamp,
    ) -> Result<Authenticated, AuthError> {
        let account = (waba_id.to_owned(), phone_number_id.to_owned());
        if lock(&self.strangers).get(&account, now).is_some() {
            return Err(AuthError::Refused);
        }
        let known = lock(&self.owners).get(&account, now);
        let owner = match known {
            Some((_, owner)) => owner,
            None => match self.store.whatsapp_owner_before_scope(waba_id, phone_number_id).await? {
                Some(owner) => {
                    lock(&self.owners).put(account, (owner.tenant, owner.connection), now);
                    (owner.tenant, owner.connection)
                }
                None => {
                    lock(&self.strangers).put(account, (), now);
                    return Err(AuthError::Refused);
                }
            },
        };
        connections
            .proven_otherwise(owner, now, |connection| is_of(connection, waba_id, phone_number_id))
            .await
    }
}

/// True if an account and number belong to a connection. An event without a number is about the account.
pub fn is_of(connection: &Connection, waba: &str, number: &str) -> bool {
    match &connection.account {
        Account::WhatsApp(account) => {
            account.waba_id == waba && (number.is_empty() || account.phone_number_id == number)
        }
        _ => false,
    }
}
