//! The table and the time, for functions that answer requests of the web.

use std::sync::OnceLock;

use domain::Timestamp;
use store::Store;

use crate::{ConfigError, Env};

/// The table, and the time. The table's client is made at the first use, because AWS clients would slow down the start.
pub struct LateStore {
    env: Env,
    table: String,
    store: OnceLock<Store>,
}

impl LateStore {
    /// From `TABLE_NAME`.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            env: env.clone(),
            table: env.config().text("TABLE_NAME")?.to_owned(),
            store: OnceLock::new(),
        })
    }

    pub fn get(&self) -> &Store {
        self.store.get_or_init(|| Store::new(self.env.dynamodb(), &self.table))
    }

    pub fn now(&self) -> Timestamp {
        self.env.clock().now()
    }
}
