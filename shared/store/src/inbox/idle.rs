//! The look at a tenant's idle conversations: a row that is due while the tenant wants them closed.

use domain::inbox::ConversationState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::table::keys::{self, DueOther};
use crate::table::row::{self, Condition, Row};
use crate::{Store, StoreError, TenantScope, Versioned};

/// A look at idle conversations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleLook {
    /// Time of the next one. `None`: the tenant wants none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The list to go on with, unless it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ConversationState>,
    /// The place in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl IdleLook {
    /// A look that begins at this time, if it does.
    pub const fn new(at: Option<Timestamp>) -> Self {
        Self {
            at,
            list: None,
            after: None,
        }
    }
}

fn look_row(
    scope: &TenantScope,
    look: &IdleLook,
    condition: Condition,
    version: u64,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let key = keys::idle(scope);
    let row = Row::new(&key, "idle", look, condition, doing)?;
    Ok(row.version(version).due_elsewhere(DueOther::Inbox, &key, look.at))
}

/// The row of a look that begins now, since the tenant's settings of this version want it.
pub(crate) fn idle_look_row(
    scope: &TenantScope,
    version: u64,
    now: Timestamp,
    doing: &'static str,
) -> Result<Row, StoreError> {
    look_row(scope, &IdleLook::new(Some(now)), Condition::Always, version, doing)
}

impl Store {
    /// The look at the tenant's idle conversations, if there is one.
    pub async fn idle_look(&self, scope: &TenantScope) -> Result<Option<Versioned<IdleLook>>, StoreError> {
        const DOING: &str = "read when idle conversations are closed";
        let item = self.database.get(&keys::idle(scope), DOING).await?;
        row::read_versioned(item, None, DOING)
    }

    /// Writes it, unless the tenant's settings have changed since it was read: those begin it anew.
    ///
    /// # Errors
    /// A conflict after a lost race.
    pub async fn write_idle_look(&self, scope: &TenantScope, look: &Versioned<IdleLook>) -> Result<(), StoreError> {
        const DOING: &str = "write when idle conversations are closed";
        // The version is that of the settings.
        let unchanged = Condition::Version(look.version);
        let row = look_row(scope, &look.value, unchanged, look.version, DOING)?;
        self.database.put(row, DOING).await
    }
}
