//! The row of a conversation, in its contact's partition.

use domain::inbox::{Conversation, Happening};
use domain::people::Contact;
use domain::terms::{ContactId, ConversationId, LineId, Stamp, TenantId, UserId};
use jiff::{SignedDuration, Timestamp};

use crate::table::compact;
use crate::table::due::{Due, Next};
use crate::table::keys::{self, DUE_OTHER_SHARDS, DueOther, IndexPlace, Key};
use crate::table::row::{Condition, Row, Write};
use crate::{Along, Store, StoreError, TenantScope, Versioned};

/// Maximum conversations of one contact that are read: a tenant has fewer lines.
const MAX_OF_CONTACT: i32 = 100;

/// Maximum conversations that are closed with their contact, or opened again: a transaction has room for the contact beside them.
const MAX_HIDDEN: usize = 90;

/// Number of partitions of rows that are due.
pub const SHARDS: u8 = DUE_OTHER_SHARDS;

/// A row of the inbox that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueInInbox {
    /// Its tenant.
    pub tenant: TenantId,
    pub what: DueWhat,
    row: Due,
}

/// Kind of such a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueWhat {
    Conversation(ConversationId),
    /// The place of a person who hands over their conversations.
    Desk(UserId),
    /// The look at the tenant's idle conversations.
    Idle,
}

/// The line of a happening, if one can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnLine(pub Option<LineId>);

impl OnLine {
    /// The keys of the conversations with these contacts.
    pub(crate) fn keys(on: Option<Self>, scope: &TenantScope, contacts: &[ContactId]) -> Vec<Key> {
        let key = |contact: &ContactId| {
            let Self(line) = on?;
            Some(keys::conversation(scope, ConversationId::of(*contact, line)))
        };
        contacts.iter().filter_map(key).collect()
    }
}

/// Adds a new happening to a conversation, to be written over the version that was read.
pub fn conversation_with(
    known: Option<Versioned<Conversation>>,
    id: ConversationId,
    happening: Happening,
    tell_after: Option<SignedDuration>,
) -> Versioned<Conversation> {
    match known {
        Some(mut known) => {
            known.value.note(happening, tell_after);
            known
        }
        None => Versioned {
            value: Conversation::from_happening(id, happening, tell_after),
            version: 0,
        },
    }
}

/// Adds words to another responder that a conversation did not know of, to be written over the version that was read.
pub fn conversation_overheard(
    known: Option<Versioned<Conversation>>,
    id: ConversationId,
    happening: Happening,
) -> Versioned<Conversation> {
    match known {
        Some(mut known) => {
            known.value.overhear(happening);
            known
        }
        None => Versioned {
            value: Conversation::overheard(id, happening),
            version: 0,
        },
    }
}

/// The row of a conversation, over the version that was read; 0 if there was none.
pub(crate) fn conversation_row(
    scope: &TenantScope,
    conversation: &Versioned<Conversation>,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let Versioned { value, version } = conversation;
    let id = value.id();
    let condition = match version {
        0 => Condition::New,
        known => Condition::Version(*known),
    };
    // Nobody works through those of nobody that are answered, and their entry would cost as much as a row.
    let waiting = value.waiting_since.is_some();
    let has_turn = value.is_attended() && (waiting || value.assignee.is_some());
    let turn = has_turn.then(|| IndexPlace {
        partition: keys::inbox_turn(scope, value.assignee, waiting),
        sort: keys::inbox_place(value.turn_since(), id),
    });
    let key = keys::conversation(scope, id);
    let row = Row::new(&key, "conversation", value, condition, doing)?;
    Ok(row
        .data(compact::shrink_conversation)
        .version(version + 1)
        .due_elsewhere(DueOther::Inbox, &key, value.due_at())
        .in_list(
            keys::inbox(scope, value.state),
            keys::inbox_place(value.active_at(), id),
        )
        .in_state(turn))
}

impl Store {
    /// A conversation, if there is one.
    pub async fn conversation(
        &self,
        scope: &TenantScope,
        id: ConversationId,
    ) -> Result<Option<Versioned<Conversation>>, StoreError> {
        self.conversation_along(scope, id, &Along::default()).await
    }

    /// As [`conversation`](Self::conversation), without a request if it was read along with its contact.
    pub async fn conversation_along(
        &self,
        scope: &TenantScope,
        id: ConversationId,
        along: &Along,
    ) -> Result<Option<Versioned<Conversation>>, StoreError> {
        const DOING: &str = "read a conversation";
        let key = keys::conversation(scope, id);
        let wanted = std::slice::from_ref(&key);
        let mut found = self.database.get_further(along, wanted, DOING).await?;
        let found = found.remove(&key);
        found.map(|item| compact::conversation(item, DOING)).transpose()
    }

    /// The conversations in a contact's own partition, at most 100. One query.
    pub(crate) async fn own_conversations(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        doing: &'static str,
    ) -> Result<Vec<Versioned<Conversation>>, StoreError> {
        let (partition, prefix) = (keys::contact_partition(scope, contact), keys::CONVERSATION);
        let query = self.database.query(&partition, prefix, MAX_OF_CONTACT, false, doing);
        let items = query.await?.into_iter();
        items.map(|item| compact::conversation(item, doing)).collect()
    }

    /// The writes that close a contact's conversations with its deletion, or open those that it closed, since the contact is restored. One
    /// query, and a request more for those that are opened and have an assignee, who may have left meanwhile.
    pub(crate) async fn hidden_or_shown(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        hide: bool,
        doing: &'static str,
    ) -> Result<Vec<Write>, StoreError> {
        let mut found = self.own_conversations(scope, contact, doing).await?;
        found.retain_mut(|known| if hide { known.value.hide() } else { known.value.show() });
        found.truncate(MAX_HIDDEN);
        if !hide {
            self.let_all_go(scope, &mut found, doing).await?;
        }
        let rows = found.iter().map(|known| conversation_row(scope, known, doing));
        rows.map(|row| row.map(Write::Put)).collect()
    }

    /// Opens the conversations that a contact's deletion closed, if the contact is about to come back, because the person called or wrote.
    /// `deleted_at`: the time of its deletion, as it was read. It comes before the write that brings the contact back, so that none stays
    /// closed if that fails half-way. No request for a contact that was not deleted, or stays deleted.
    ///
    /// # Errors
    /// A conflict after a lost race.
    pub async fn show_conversations(
        &self,
        scope: &TenantScope,
        deleted_at: Option<Timestamp>,
        contact: &Contact,
    ) -> Result<(), StoreError> {
        const DOING: &str = "open the conversations of a contact who is back";
        if deleted_at.is_none() || contact.deleted_at.is_some() {
            return Ok(());
        }
        let writes = Box::pin(self.hidden_or_shown(scope, contact.id, false, DOING)).await?;
        if writes.is_empty() {
            return Ok(());
        }
        self.database.transact_writes(writes, DOING).await
    }

    /// Writes a conversation over the version that was read, for the audit log with the author of the change if it is a person's. Returns the
    /// new version.
    ///
    /// # Errors
    /// A conflict after a lost race, or if it was erased with its contact.
    pub async fn write_conversation(
        &self,
        scope: &TenantScope,
        conversation: &Versioned<Conversation>,
        author: Option<&Stamp>,
    ) -> Result<u64, StoreError> {
        const DOING: &str = "write a conversation";
        let row = conversation_row(scope, conversation, DOING)?;
        let row = match author {
            Some(author) => row.with_stamp(author),
            None => row,
        };
        self.database.put(row, DOING).await?;
        Ok(conversation.version + 1)
    }

    /// Writes a conversation with a contact, unless there is one. The check of the contact holds until it is written, so that nothing of an
    /// erased one stays behind.
    ///
    /// # Errors
    /// A conflict if there is one, or if the contact is deleted or was merged into another.
    pub async fn begin_conversation(&self, scope: &TenantScope, conversation: Conversation) -> Result<(), StoreError> {
        const DOING: &str = "begin a conversation";
        let holder = keys::contact(scope, conversation.contact);
        let conversation = Versioned {
            value: conversation,
            version: 0,
        };
        let row = conversation_row(scope, &conversation, DOING)?;
        let writes = vec![Write::Put(row), Write::Shown(holder)];
        self.database.transact_writes(writes, DOING).await
    }

    /// A page of a partition of the due rows of all tenants, the oldest first, and the cursor of the next page. One query of keys.
    pub async fn due_in_inbox(
        &self,
        shard: u8,
        now: Timestamp,
        from: Option<Next>,
        limit: i32,
    ) -> Result<(Vec<DueInInbox>, Option<Next>), StoreError> {
        let (items, next) = self
            .due_keys(DueOther::Inbox.partition(shard), now, from, limit)
            .await?;
        let due = items.iter().filter_map(|item| {
            let row = Due::of_other_kind(item, now)?;
            let Key { pk, sk } = row.key();
            let conversation = keys::conversation_of(pk, sk).map(DueWhat::Conversation);
            let desk = || keys::desk_of(pk, sk).map(DueWhat::Desk);
            let idle = || keys::is_idle(pk, sk).then_some(DueWhat::Idle);
            let what = conversation.or_else(desk).or_else(idle)?;
            let tenant = row.tenant();
            Some(DueInInbox { tenant, what, row })
        });
        Ok((due.collect(), next))
    }

    /// Moves the next look at a row that cannot be processed, so that it does not keep others waiting.
    pub async fn put_off_in_inbox(&self, due: &DueInInbox, until: Timestamp) -> Result<(), StoreError> {
        self.put_off_due(&due.row, until).await.map(drop)
    }
}
