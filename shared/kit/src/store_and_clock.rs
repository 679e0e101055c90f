//! State of functions that need the table and the time, and nothing else.

use store::Store;

use crate::{Clock, ConfigError, Env};

/// State of a function that needs the table and the time, and nothing else, created once per process.
pub struct StoreAndClock {
    pub store: Store,
    pub clock: Clock,
}

impl StoreAndClock {
    /// Creates the state from the function's environment.
    ///
    /// # Errors
    /// When `TABLE_NAME` is missing.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            clock: env.clock().clone(),
        })
    }
}
