//! Called numbers that connections do not have: one row of each connection, which expires a day after the last one was noted.

use domain::tenants::{NOTED_FOR, UnknownNumbers};
use domain::terms::{ConnectionId, Phone};
use jiff::Timestamp;

use crate::table::keys::{self, Part, UNKNOWN_NUMBERS};
use crate::table::row::{self, Condition, Row, Versioned};
use crate::{Store, StoreError, TenantScope};

/// Maximum rows that are read: twice the connections of a tenant, since those that were deleted within the day have some, too.
const MAX_READ: i32 = 100;

impl Store {
    /// Notes a call to a number that the connection does not have, as far as [`UnknownNumbers::after_call`] says.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another call was noted meanwhile.
    pub async fn note_unknown_number(
        &self,
        scope: &TenantScope,
        connection: ConnectionId,
        number: &Phone,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "note a number that a connection does not have";
        let key = keys::unknown_numbers(scope, connection);
        let found = self.database.get(&key, DOING).await?;
        let known: Option<Versioned<UnknownNumbers>> = row::read_versioned(found, Some(at), DOING)?;
        let (noted, version, condition) = match known {
            Some(Versioned { value, version }) => (value, version, Condition::Version(version)),
            None => (UnknownNumbers::new_empty(connection), 0, Condition::NewOrExpired(at)),
        };
        let Some(noted) = noted.after_call(number, at) else {
            return Ok(());
        };
        let row = Row::new(&key, "unknown_numbers", &noted, condition, DOING)?;
        let row = row.version(version + 1).expires(at, NOTED_FOR);
        self.database.put(row, DOING).await
    }

    /// The called numbers that the tenant's connections did not have when they were called.
    pub async fn unknown_numbers(&self, scope: &TenantScope) -> Result<Vec<UnknownNumbers>, StoreError> {
        const DOING: &str = "read the numbers that connections do not have";
        let partition = keys::part(scope, Part::Refusals);
        let found = self.database.query(&partition, UNKNOWN_NUMBERS, MAX_READ, false, DOING);
        found.await?.into_iter().map(|item| row::data(item, DOING)).collect()
    }
}
