//! What a function of the API stands on: the table, and who proves callers.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use access::Authenticator;
use store::{
    Store,
    rates::{Allowance, Limit},
};

use crate::{guards::Allowed, permits::Permit};
use kit::{ConfigError, Env, Problem};

/// A function's own context, with the API's in it.
pub trait HasApi: Send + Sync + 'static {
    /// The API's.
    fn api(&self) -> &Api;
}

/// What a function of the API stands on. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    env: Env,
    table: String,
    store: OnceLock<Store>,
    authenticator: OnceLock<Authenticator>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Api")
    }
}

impl Api {
    /// From `TABLE_NAME`. Clients are made on first use.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self(Arc::new(Inner {
            env: env.clone(),
            table: env.config().text("TABLE_NAME")?.to_owned(),
            store: OnceLock::new(),
            authenticator: OnceLock::new(),
        })))
    }

    /// The table.
    #[must_use]
    pub fn store(&self) -> &Store {
        let Inner { env, table, store, .. } = &*self.0;
        store.get_or_init(|| Store::new(env.dynamodb(), table))
    }

    /// What the function was given.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.0.env
    }

    pub(crate) fn authenticator(&self) -> &Authenticator {
        self.0
            .authenticator
            .get_or_init(|| Authenticator::new(self.store().clone()))
    }

    /// Counts one time against a limit of the caller's tenant: `name` is the limit's own.
    ///
    /// # Errors
    /// 429 with `Retry-After` when the limit is reached; 503 when the table does not answer.
    pub async fn limit<P: Permit>(&self, who: &Allowed<P>, name: &str, limit: Limit) -> Result<(), Problem> {
        within(self.store().take(who.scope(), name, limit, who.now()).await?).map(drop)
    }

    /// Counts one time against a limit of somebody who has no tenant: `name` is the limit's own, `hashed` a hash of who it
    /// is, such as [`crate::Anyone::address`] or the SHA-256 of an address. Returns what is left of it.
    ///
    /// # Errors
    /// 429 with `Retry-After` when the limit is reached; 503 when the table does not answer.
    pub async fn limit_outside(&self, name: &str, hashed: &str, limit: Limit) -> Result<Allowance, Problem> {
        let now = self.env().clock().now();
        let who = format!("{name}#{hashed}");
        within(self.store().take_outside(&who, limit, now).await?)
    }
}

fn within(allowance: Allowance) -> Result<Allowance, Problem> {
    if allowance.is_within() {
        Ok(allowance)
    } else {
        Err(Problem::too_many(allowance))
    }
}

impl HasApi for Api {
    fn api(&self) -> &Api {
        self
    }
}
