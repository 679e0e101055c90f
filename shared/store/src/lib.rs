//! The single table: keys, items, queries, transactions. No other crate knows a key.
//!
//! Every call takes a [`TenantScope`], which only `access` mints. Reads before a tenant is known say so in their names and
//! return no more than the way to the tenant.

pub mod accounts;
pub mod calls;
pub mod campaigns;
pub mod consent;
pub mod contacts;
pub mod inbox;
pub mod live;
pub mod messages;
pub mod money;
pub mod reports;
pub mod table;
pub mod tenants;
pub mod webhooks;

#[cfg(test)]
mod samples;

pub use table::database::Along;
pub use table::error::{StoreError, chain};
pub use table::keys::Part;
pub use table::owned::{Owned, OwnedError, Pointer, Share, Signed, Version, first_version};
pub use table::races::{LostRace, RACES, Races, step_aside};
pub use table::row::{Page, Versioned};
pub use table::scope::{Authority, TenantScope};

use table::database::Database;
use table::keys;

#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    /// The table of this name behind this client.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self {
            database: Database {
                client,
                table: table.into(),
            },
        }
    }

    /// Whether the table answers: reads a row that never exists.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let key = keys::Key {
            pk: "PLATFORM".to_owned(),
            sk: "PING".to_owned(),
        };
        self.database.get(&key, "reach the table").await.map(drop)
    }
}
