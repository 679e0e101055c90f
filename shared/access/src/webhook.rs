//! Webhooks: a sender proves that it is a connection's provider, and so whose tenant's data it brings.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    connection::{Connection, Purpose, VerifySecrets},
    ids::{ConnectionId, TenantId},
};
use jiff::{SignedDuration, Timestamp};
use store::{Authority, Store, StoreError, TenantScope};

use crate::{Secrets, SecretsError, remembered::Remembered};

/// A connection and its opened secrets are used this long.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// When a signature or a token fails, they are read again, but not more often than this.
pub(crate) const REREAD: SignedDuration = SignedDuration::from_secs(30);

/// A connection that does not exist is not looked for again within this time.
const UNKNOWN_FOR: SignedDuration = SignedDuration::from_secs(60);

/// So many connections are remembered.
const MOST_KNOWN: usize = 2_000;

/// So many that do not exist.
const MOST_UNKNOWN: usize = 10_000;

/// Why a webhook is not taken.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// It does not prove who sent it. Unknown connections and wrong signatures are told apart by nobody.
    #[error("the sender is not proven")]
    Refused,
    /// We cannot tell now: the sender should try again.
    #[error("the connection could not be read")]
    Table(#[from] StoreError),
    /// We cannot tell now: the sender should try again.
    #[error("the connection's secrets could not be opened")]
    Secrets(#[from] SecretsError),
}

/// A proven sender.
#[derive(Debug, Clone)]
pub struct Authenticated {
    scope: TenantScope,
    connection: Arc<Connection>,
}

impl Authenticated {
    /// The right to touch the tenant's data.
    #[must_use]
    pub const fn scope(&self) -> &TenantScope {
        &self.scope
    }

    /// The connection it came by.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }
}

type Key = (TenantId, ConnectionId);

#[derive(Clone)]
struct Known {
    connection: Arc<Connection>,
    secrets: Arc<VerifySecrets>,
}

struct Memory {
    known: Remembered<Key, Known>,
    /// Without secrets: what a shared app's webhook needs.
    bare: Remembered<Key, Arc<Connection>>,
    unknown: Remembered<Key, ()>,
}

/// Connections that webhooks come by. One read and one decryption when cold, none when warm.
pub struct Connections {
    store: Store,
    secrets: Secrets,
    /// Connections of another kind are as good as none.
    kind: Option<&'static str>,
    memory: Mutex<Memory>,
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connections")
    }
}

impl Connections {
    /// Read from this table, opened with these keys.
    #[must_use]
    pub fn new(store: Store, secrets: Secrets) -> Self {
        let memory = Memory {
            known: Remembered::new(LIFETIME, MOST_KNOWN),
            bare: Remembered::new(LIFETIME, MOST_KNOWN),
            unknown: Remembered::new(UNKNOWN_FOR, MOST_UNKNOWN),
        };
        Self {
            store,
            secrets,
            kind: None,
            memory: Mutex::new(memory),
        }
    }

    /// The same of one kind alone, as accounts name it. Another kind's secrets are not even opened.
    #[must_use]
    pub const fn of_kind(mut self, kind: &'static str) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Lets a sender in if `proves` says so of the connection that the URL names. A changed secret is noticed within 30 s.
    ///
    /// # Errors
    /// When it is refused, or we cannot tell.
    pub async fn authenticate(
        &self,
        tenant: &str,
        connection: &str,
        now: Timestamp,
        proves: impl Fn(&Connection, &VerifySecrets) -> bool,
    ) -> Result<Authenticated, AuthError> {
        let (Ok(tenant), Ok(connection)) = (tenant.parse(), connection.parse()) else {
            return Err(AuthError::Refused);
        };
        let key = (tenant, connection);
        let remembered = self.lock().known.get(&key, now);
        let known = match remembered {
            Some((_, known)) if proves(&known.connection, &known.secrets) => known,
            Some((since, _)) if now.duration_since(since) < REREAD => return Err(AuthError::Refused),
            _ => {
                let known = self.read(key, now).await?;
                if !proves(&known.connection, &known.secrets) {
                    return Err(AuthError::Refused);
                }
                known
            }
        };
        Ok(Authenticated {
            scope: TenantScope::mint(tenant, Authority::Webhook),
            connection: known.connection,
        })
    }

    async fn read(&self, key: Key, now: Timestamp) -> Result<Known, AuthError> {
        let connection = self.read_row(key, now).await?;
        let secrets = self
            .secrets
            .open(key.0, key.1, Purpose::Verify, &connection.verify)
            .await?;
        let known = Known {
            connection,
            secrets: Arc::new(secrets),
        };
        self.lock().known.put(key, known.clone(), now);
        Ok(known)
    }

    async fn read_row(&self, key: Key, now: Timestamp) -> Result<Arc<Connection>, AuthError> {
        if self.lock().unknown.get(&key, now).is_some() {
            return Err(AuthError::Refused);
        }
        let found = self.store.connection_before_scope(key.0, key.1).await?;
        let ours = |connection: &Connection| self.kind.is_none_or(|kind| kind == connection.account.kind());
        let Some(connection) = found.filter(ours) else {
            let mut memory = self.lock();
            memory.known.forget(&key);
            memory.bare.forget(&key);
            memory.unknown.put(key, (), now);
            return Err(AuthError::Refused);
        };
        Ok(Arc::new(connection))
    }

    /// The connection, for a sender that is proven by other means and must only be of this connection.
    pub(crate) async fn proven_otherwise(
        &self,
        key: Key,
        now: Timestamp,
        belongs: impl Fn(&Connection) -> bool,
    ) -> Result<Authenticated, AuthError> {
        let remembered = self.lock().bare.get(&key, now);
        let connection = match remembered {
            Some((_, connection)) if belongs(&connection) => connection,
            Some((since, _)) if now.duration_since(since) < REREAD => return Err(AuthError::Refused),
            _ => {
                let connection = self.read_row(key, now).await?;
                self.lock().bare.put(key, Arc::clone(&connection), now);
                if !belongs(&connection) {
                    return Err(AuthError::Refused);
                }
                connection
            }
        };
        Ok(Authenticated {
            scope: TenantScope::mint(key.0, Authority::Webhook),
            connection,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
