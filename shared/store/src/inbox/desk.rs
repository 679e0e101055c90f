//! Who attends to conversations: people's places in the inbox, with their turns, and the conversations that are handed over.

use std::collections::{BTreeMap, BTreeSet};

use domain::inbox::Conversation;
use domain::tenants::Desk;
use domain::terms::{ConversationId, Stamp, UserId};
use jiff::Timestamp;

use crate::inbox::{InboxList, InboxPosition};
use crate::table::keys::{self, DueOther, Key};
use crate::table::row::{self, Condition, Row};
use crate::{Part, Store, StoreError, TenantScope, Versioned};

/// The row of a person's place, over the version that was read; 0 if there was none.
pub(crate) fn desk_row(scope: &TenantScope, desk: &Versioned<Desk>, doing: &'static str) -> Result<Row, StoreError> {
    let Versioned { value, version } = desk;
    let key = keys::desk(scope, value.user);
    let condition = match version {
        0 => Condition::New,
        known => Condition::Version(*known),
    };
    let row = Row::new(&key, "desk", value, condition, doing)?;
    Ok(row
        .version(version + 1)
        .due_elsewhere(DueOther::Inbox, &key, value.hand_over_at))
}

impl Store {
    /// The places of people in the inbox. Those who are not among them are available. One query.
    pub async fn desks(&self, scope: &TenantScope) -> Result<BTreeMap<UserId, Versioned<Desk>>, StoreError> {
        const DOING: &str = "read who is available";
        let items = self.every(scope, Part::Desks, keys::DESK_OF_USER, DOING).await?;
        let desks = items.into_iter().map(|item| {
            let desk: Option<Versioned<Desk>> = row::read_versioned(Some(item), None, DOING)?;
            Ok(desk.map(|desk| (desk.value.user, desk)))
        });
        desks.filter_map(Result::transpose).collect()
    }

    /// A person's place in the inbox.
    pub async fn desk(&self, scope: &TenantScope, user: UserId, now: Timestamp) -> Result<Versioned<Desk>, StoreError> {
        const DOING: &str = "read whether a person is available";
        let item = self.database.get(&keys::desk(scope, user), DOING).await?;
        let known = row::read_versioned(item, None, DOING)?;
        Ok(known.unwrap_or_else(|| Versioned {
            value: Desk::new(user, now),
            version: 0,
        }))
    }

    /// Writes a person's place over the version that was read, for the audit log with the author of the change if it is a person's.
    ///
    /// # Errors
    /// A conflict after a lost race.
    pub async fn write_desk(
        &self,
        scope: &TenantScope,
        desk: &Versioned<Desk>,
        author: Option<&Stamp>,
    ) -> Result<(), StoreError> {
        const DOING: &str = "write whether a person is available";
        let row = desk_row(scope, desk, DOING)?;
        let row = match author {
            Some(author) => row.with_stamp(author),
            None => row,
        };
        self.database.put(row, DOING).await
    }

    /// Removes the assignees who have left the tenant from conversations. One request, and none if they have no assignees.
    pub(crate) async fn let_all_go(
        &self,
        scope: &TenantScope,
        conversations: &mut [Versioned<Conversation>],
        doing: &'static str,
    ) -> Result<(), StoreError> {
        let users = conversations.iter().filter_map(|one| one.value.assignee);
        let keys: Vec<Key> = users.map(|user| keys::desk(scope, user)).collect();
        let mut left = BTreeSet::new();
        for item in self.database.get_many(&keys, doing).await?.into_values() {
            let desk: Option<Desk> = row::data_if_any(Some(item), doing)?;
            left.extend(desk.filter(|desk| desk.left).map(|desk| desk.user));
        }
        for one in conversations {
            one.value.assignee.take_if(|user| left.contains(user));
        }
        Ok(())
    }

    /// At most this many conversations of a list, as the index knows it: the first ones in it.
    pub async fn ids_of_conversations(
        &self,
        scope: &TenantScope,
        list: InboxList,
        limit: i32,
    ) -> Result<Vec<ConversationId>, StoreError> {
        let places = self
            .places(scope, list, limit, "list conversations to hand over")
            .await?;
        Ok(places.into_iter().map(InboxPosition::id).collect())
    }
}
