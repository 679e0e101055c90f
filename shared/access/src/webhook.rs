//! Authentication of webhooks: a sender proves to be a connection's provider, which determines the tenant.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::tenants::{Connection, SecretPurpose, VerifySecrets};
use domain::terms::{ConnectionId, TenantId};
use jiff::{SignedDuration, Timestamp};
use store::{Authority, Store, StoreError, TenantScope};

use crate::remembered::Remembered;
use crate::{Secrets, SecretsError};

/// Lifetime of a cached connection and its opened secrets.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Minimum time between two reads after a failed signature or token.
pub(crate) const REREAD: SignedDuration = SignedDuration::from_secs(30);

/// Time before an unknown connection is looked up again.
const UNKNOWN_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Maximum number of cached connections.
const MAX_KNOWN: usize = 2_000;

/// Maximum number of cached absences.
const MAX_UNKNOWN: usize = 10_000;

/// Reason why a webhook is refused.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The sender is not authenticated. Unknown connections and wrong signatures get the same answer.
    #[error("the sender is not authenticated")]
    Refused,
    /// The result is unknown: the sender should try again.
    #[error("the connection could not be read")]
    Table(#[from] StoreError),
    /// The result is unknown: the sender should try again.
    #[error("the connection's secrets could not be opened")]
    Secrets(#[from] SecretsError),
}

#[derive(Debug, Clone)]
pub struct Authenticated {
    scope: TenantScope,
    connection: Arc<Connection>,
    /// True if the connection was not read for this sender.
    cached: bool,
}

impl Authenticated {
    /// The right to touch the tenant's data.
    pub const fn scope(&self) -> &TenantScope {
        &self.scope
    }

    /// The connection of the webhook.
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
    /// Connections without secrets, for the webhook of a shared app.
    bare: Remembered<Key, Arc<Connection>>,
    unknown: Remembered<Key, ()>,
}

/// Connections of webhooks. One read and one decryption when cold, none when warm.
pub struct Connections {
    store: Store,
    secrets: Secrets,
    /// Kind of connections; others do not exist for it.
    kind: Option<&'static str>,
    memory: Mutex<Memory>,
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connections")
    }
}

impl Connections {
    /// Reads from this table and opens with these keys.
    pub fn new(store: Store, secrets: Secrets) -> Self {
        let memory = Memory {
            known: Remembered::new(LIFETIME, MAX_KNOWN),
            bare: Remembered::new(LIFETIME, MAX_KNOWN),
            unknown: Remembered::new(UNKNOWN_FOR, MAX_UNKNOWN),
        };
        Self {
            store,
            secrets,
            kind: None,
            memory: Mutex::new(memory),
        }
    }

    /// Restricts it to one kind, as accounts name it. Secrets of other kinds are not even opened.
    pub const fn of_kind(mut self, kind: &'static str) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Admits a sender if `proves` accepts it for the connection in the URL. A new secret is accepted within
    /// 30 seconds; one that was removed is refused after at most five minutes.
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
        let mut cached = false;
        let known = match remembered {
            Some((_, known)) if proves(&known.connection, &known.secrets) => {
                cached = true;
                known
            }
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
            cached,
        })
    }

    /// Replaces a cached connection by the stored one, for an answer that depends on its settings. One read. If the secrets have changed,
    /// they are opened for the next sender.
    ///
    /// # Errors
    /// When the connection no longer exists, or we cannot tell.
    pub async fn refresh(&self, proven: &Authenticated, now: Timestamp) -> Result<Authenticated, AuthError> {
        if !proven.cached {
            return Ok(proven.clone());
        }
        let key = (proven.scope.tenant(), proven.connection.id);
        let connection = self.read_row(key, now).await?;
        let mut memory = self.lock();
        match memory.known.get(&key, now) {
            Some((
                _,
                Known {
                    connection: before,
                    secrets,
                },
            )) if before.verify == connection.verify => {
                let connection = Arc::clone(&connection);
                memory.known.put(key, Known { connection, secrets }, now);
            }
            _ => memory.known.forget(&key),
        }
        Ok(Authenticated {
            scope: proven.scope.clone(),
            connection,
            cached: false,
        })
    }

    async fn read(&self, key: Key, now: Timestamp) -> Result<Known, AuthError> {
        let connection = self.read_row(key, now).await?;
        let secrets = self
            .secrets
            .open(key.0, key.1, SecretPurpose::Verify, &connection.verify)
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

    /// The connection of a sender that is authenticated by other means and must belong to this connection.
    pub(crate) async fn proven_otherwise(
        &self,
        key: Key,
        now: Timestamp,
        belongs: impl Fn(&Connection) -> bool,
    ) -> Result<Authenticated, AuthError> {
        let remembered = self.lock().bare.get(&key, now);
        let mut cached = false;
        let connection = match remembered {
            Some((_, connection)) if belongs(&connection) => {
                cached = true;
                connection
            }
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
            cached,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
