//! The single table: keys, items, queries, transactions. No other crate knows a key.
//!
//! Every call takes a [`TenantScope`], which only `access` mints. Reads before a tenant is known say so in their names and
//! return no more than the way to the tenant.

mod compact;
mod database;
mod error;
mod forms;
mod keys;
mod row;
#[cfg(test)]
mod samples;

pub mod accounts;
pub mod api_keys;
pub mod archives;
pub mod arrivals;
pub mod audit;
pub mod calls;
pub mod caps;
pub mod changes;
pub mod config;
pub mod connections;
pub mod contacts;
pub mod counters;
pub mod due;
pub mod effects;
pub mod erasure;
pub mod exports;
pub mod fields;
pub mod happenings;
pub mod hours;
pub mod idempotency;
pub mod imports;
pub mod limited;
pub mod lines;
pub mod lookups;
pub mod material;
pub mod media;
pub mod members;
pub mod merges;
pub mod messages;
pub mod notes;
pub mod notices;
pub mod of_contact;
pub mod operations;
pub mod owned;
pub mod people;
pub mod platform;
pub mod preferences;
pub mod prices;
pub mod races;
pub mod rates;
pub mod retention;
pub mod rules;
pub mod scope;
pub mod security;
pub mod segments;
pub mod stages;
pub mod stored;
pub mod suppressions;
pub mod tags;
pub mod templates;
pub mod timeline;
pub mod usage;

pub use database::Along;
pub use error::{StoreError, chain};
pub use keys::Part;
pub use owned::{Owned, OwnedError, Pointer, Share, Signed, Version, first_version};
pub use races::{LostRace, Races, step_aside};
pub use row::{Page, Versioned};
pub use scope::{Authority, TenantScope};

use database::Database;

/// The table.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    /// The table of this name behind this client.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self {
            database: Database {
                client,
                table: table.into(),
            },
        }
    }

    /// Whether the table answers: reads a row that never exists.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let key = keys::Key {
            pk: "PLATFORM".to_owned(),
            sk: "PING".to_owned(),
        };
        self.database.get(&key, "reach the table").await.map(drop)
    }
}
