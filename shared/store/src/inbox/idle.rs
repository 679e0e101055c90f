//! The look at the conversations of a tenant in which nothing happens: a row that is due while the tenant wants them closed.

use domain::inbox::conversation::{Conversation, ConversationState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Store, StoreError, TenantScope, Versioned,
    inbox::list::{InboxList, Position},
    table::{
        database::Rows,
        keys::{self, DueOther, Key},
        row::{self, Condition, Row},
    },
};

/// A look at idle conversations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleLook {
    /// Time of the next one. `None`: the tenant wants none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The list with which it goes on, unless it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ConversationState>,
    /// The place in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl IdleLook {
    /// One that begins at this time, if it does.
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
    (condition, version): (Condition, u64),
    doing: &'static str,
) -> Result<Row, StoreError> {
    let key = keys::idle(scope);
    let row = Row::new(&key, "idle", look, condition, doing)?;
    Ok(row.version(version).due_elsewhere(DueOther::Inbox, &key, look.at))
}

/// The row of a look that begins now, since the tenant's settings of this version want it.
pub(crate) fn begun(scope: &TenantScope, version: u64, now: Timestamp, doing: &'static str) -> Result<Row, StoreError> {
    look_row(scope, &IdleLook::new(Some(now)), (Condition::Always, version), doing)
}

impl Store {
    /// The look at the tenant's idle conversations, if there is one.
    pub async fn idle_look(&self, scope: &TenantScope) -> Result<Option<Versioned<IdleLook>>, StoreError> {
        const DOING: &str = "read when idle conversations are closed";
        let item = self.database.get(&keys::idle(scope), DOING).await?;
        row::versioned(item, None, DOING)
    }

    /// Writes it, unless the tenant's settings have changed since it was read: those begin it anew.
    ///
    /// # Errors
    /// A conflict after a lost race.
    pub async fn write_idle_look(&self, scope: &TenantScope, look: &Versioned<IdleLook>) -> Result<(), StoreError> {
        const DOING: &str = "write when idle conversations are closed";
        // The version is that of the settings.
        let written = (Condition::Version(look.version), look.version);
        self.database
            .put(look_row(scope, &look.value, written, DOING)?, DOING)
            .await
    }

    /// The conversations in this state without activity since this time, the longest idle first, after this place; and the place of the
    /// last one, unless there are no more. One query of the index, and a unit for each.
    pub async fn idle_conversations(
        &self,
        scope: &TenantScope,
        (state, before): (ConversationState, Timestamp),
        after: Option<Position>,
        limit: i32,
    ) -> Result<(Vec<Versioned<Conversation>>, Option<Position>), StoreError> {
        const DOING: &str = "list idle conversations";
        let list = InboxList::In(state);
        let (index, partition) = list.partition(scope);
        let from = after.map_or_else(|| "0".to_owned(), |after| after.to_string());
        // Behind those of this moment. A longer time than before may leave nothing.
        let to = keys::inbox_until(before);
        if to < from {
            return Ok((Vec::new(), None));
        }
        let rows = (partition.as_str(), Rows::Between(&from, &to));
        let (items, more) = self.database.stretch(index, rows, None, limit, false, DOING).await?;
        let (_, sort) = index.keys();
        let places = items.iter().filter_map(|item| row::string(item, sort)?.parse().ok());
        let places: Vec<Position> = places.filter(|place| Some(*place) != after).collect();
        let wanted: Vec<Key> = places
            .iter()
            .map(|place| keys::conversation(scope, place.id()))
            .collect();
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let read = wanted.iter().filter_map(|key| {
            // One that cannot be read keeps no others from being closed.
            let read = row::versioned::<Conversation>(found.remove(key), None, DOING);
            read.ok().flatten()
        });
        Ok((read.collect(), places.last().copied().filter(|_| more)))
    }
}
