//! Lists of conversations: those in a state by their latest activity, and those that need attention, by the length of the wait.
//!
//! An index follows the table a moment later, so every conversation is read from the table, and shown only if it still belongs to the list.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

use domain::accounts::Member;
use domain::inbox::{Conversation, ConversationState, What};
use domain::notices::{MAX_WAITING, Waiting};
use domain::people::{HistoryKind, Person};
use domain::terms::{ContactId, ConversationId, UserId};
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use crate::contacts::{Placed, TimelinePosition, timeline_entry};
use crate::table::database::{Index, Rows};
use crate::table::keys::{self, Key};
use crate::table::{compact, row};
use crate::{Page, Store, StoreError, TenantScope, Versioned};

/// Conversations that a query after the first one examines, and maximum queries of a page: one of a rare kind can be short without being
/// the last.
const ROUND: i32 = 99;
const MAX_QUERIES: usize = 5;

/// Maximum queries for finding overdue customers, in all and at the same time.
const MAX_LOOKS: usize = 50;
const LOOKS_AT_ONCE: usize = 10;

/// Maximum of [`Store::number_of_conversations`].
pub const MAX_COUNTED: i32 = 100;

/// A list of conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxList {
    /// Conversations in a state, the latest activity first.
    In(ConversationState),
    /// Conversations of this assignee, or of nobody, whose customer waits for an answer, the longest wait first.
    Waiting(Option<UserId>),
    /// The others of this person, the longest without anything to do first. Those of nobody have no such list.
    Answered(UserId),
}

impl InboxList {
    fn takes(self, conversation: &Conversation) -> bool {
        let of = |assignee, waiting| {
            conversation.is_attended()
                && conversation.assignee == assignee
                && conversation.waiting_since.is_some() == waiting
        };
        match self {
            Self::In(state) => conversation.state == state,
            Self::Waiting(assignee) => of(assignee, true),
            Self::Answered(user) => of(Some(user), false),
        }
    }

    pub(crate) fn partition(self, scope: &TenantScope) -> (Index, String) {
        match self {
            Self::In(state) => (Index::ByDay, keys::inbox(scope, state)),
            Self::Waiting(assignee) => (Index::ByState, keys::inbox_turn(scope, assignee, true)),
            Self::Answered(user) => (Index::ByState, keys::inbox_turn(scope, Some(user), false)),
        }
    }
}

/// A place in a list by time. As text, it is the cursor of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InboxPosition<I = ConversationId> {
    at: Timestamp,
    id: I,
}

/// A text that is no position in such a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time and an id, such as 2026-11-20T12:00:00.000Z#conv_01j…")]
pub struct NotAnInboxPosition;

impl<I: Copy> InboxPosition<I> {
    pub(crate) const fn at(self) -> Timestamp {
        self.at
    }

    pub(crate) const fn id(self) -> I {
        self.id
    }
}

impl<I: fmt::Display> fmt::Display for InboxPosition<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&keys::inbox_place(self.at, &self.id))
    }
}

impl<I: FromStr + fmt::Display> FromStr for InboxPosition<I> {
    type Err = NotAnInboxPosition;

    fn from_str(text: &str) -> Result<Self, NotAnInboxPosition> {
        let (at, id) = text.split_once('#').ok_or(NotAnInboxPosition)?;
        let position = Self {
            at: at.parse().map_err(|_| NotAnInboxPosition)?,
            id: id.parse().map_err(|_| NotAnInboxPosition)?,
        };
        // One spelling per place.
        (position.to_string() == text)
            .then_some(position)
            .ok_or(NotAnInboxPosition)
    }
}

/// A conversation with what it refers to.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownConversation {
    pub conversation: Versioned<Conversation>,
    /// Its contact. If that was merged into another: the one that survived.
    pub person: Person,
    /// The latest happening, unless its retention is over.
    pub last: Option<Placed>,
    /// The conversation that continues it, if its contact was merged into another with a conversation on the line.
    pub continued: Option<ConversationId>,
}

/// The customers with a message that nobody has read for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverdueCustomers {
    /// The customers that were found.
    pub waiting: Option<Waiting>,
    /// Whether people have not been told of some of these.
    pub any_untold: bool,
    /// Whether all were looked at.
    pub is_whole: bool,
}

impl Store {
    /// A page of a list of conversations that fulfil a condition. Those of deleted contacts are hidden with them.
    ///
    /// Costs half a unit of the index for a query, and a unit for each row of a conversation: the first query examines as many as are wanted,
    /// later ones 99. Of those that are shown, a unit each for the contact, the profile and the latest happening. A page takes at most
    /// five queries.
    pub async fn conversations(
        &self,
        scope: &TenantScope,
        list: InboxList,
        wanted: impl Fn(&Conversation) -> bool,
        after: Option<InboxPosition>,
        limit: i32,
        now: Timestamp,
    ) -> Result<Page<KnownConversation>, StoreError> {
        const DOING: &str = "list conversations";
        let (index, partition) = list.partition(scope);
        let (_, sort) = index.keys();
        let newest_first = index == Index::ByDay;
        let most = usize::try_from(limit).unwrap_or(1).max(1);
        let (mut after, mut found, mut more, mut round) = (after, Vec::new(), true, limit);
        for _query in 0..MAX_QUERIES {
            let place = after.map(|after| after.to_string());
            // Before all places, and behind them.
            let bounds = match (&place, newest_first) {
                (Some(place), true) => ("0", place.as_str()),
                (Some(place), false) => (place.as_str(), "~"),
                (None, _) => ("0", "~"),
            };
            // The bounds are inclusive.
            let rows = Rows::Between(bounds.0, bounds.1).of(&partition);
            let (items, rest) = self
                .database
                .stretch(index, rows, None, round + 1, newest_first, DOING)
                .await?;
            round = ROUND;
            let places = items
                .iter()
                .filter_map(|item| row::string(item, sort)?.parse::<InboxPosition>().ok());
            let places: Vec<InboxPosition> = places.filter(|place| Some(*place) != after).collect();
            let keys: Vec<Key> = places.iter().map(|place| keys::conversation(scope, place.id)).collect();
            let mut read = self.database.get_many(&keys, DOING).await?;
            more = rest;
            for (place, key) in places.into_iter().zip(keys) {
                if found.len() == most {
                    more = true;
                    break;
                }
                after = Some(place);
                let known = read.remove(&key).map(|item| compact::conversation(item, DOING));
                let known = known.transpose()?;
                found.extend(known.filter(|known| list.takes(&known.value) && wanted(&known.value)));
            }
            if !more || found.len() == most {
                break;
            }
        }
        Ok(Page {
            items: self.known_conversations(scope, found, now).await?,
            next: after.filter(|_| more).map(|place| place.to_string()),
        })
    }

    /// The conversations of a contact that fulfil a condition, also those of contacts that were merged into it, the latest activity first: at most 100 of each. None if
    /// it does not exist or is deleted.
    ///
    /// Costs a read of the contact, and a query for each of its ids.
    pub async fn conversations_of(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        wanted: impl Fn(&Conversation) -> bool,
        now: Timestamp,
    ) -> Result<Vec<KnownConversation>, StoreError> {
        const DOING: &str = "list the conversations of a contact";
        let Some(contact) = self.contact(scope, contact).await? else {
            return Ok(Vec::new());
        };
        let of = contact.ids().map(|id| self.own_conversations(scope, id, DOING));
        let mut found = try_join_all(of).await?.concat();
        found.retain(|known| wanted(&known.value));
        found.sort_by_key(|known| std::cmp::Reverse(known.value.active_at()));
        self.known_conversations(scope, found, now).await
    }

    /// A conversation with what it refers to, unless its contact is deleted.
    pub async fn known_conversation(
        &self,
        scope: &TenantScope,
        id: ConversationId,
        now: Timestamp,
    ) -> Result<Option<KnownConversation>, StoreError> {
        let found = self.conversation(scope, id).await?.into_iter().collect();
        let known = self.known_conversations(scope, found, now).await?;
        Ok(known.into_iter().next())
    }

    async fn known_conversations(
        &self,
        scope: &TenantScope,
        conversations: Vec<Versioned<Conversation>>,
        now: Timestamp,
    ) -> Result<Vec<KnownConversation>, StoreError> {
        const DOING: &str = "read the contacts of conversations";
        let last = |conversation: &Conversation| {
            let (key, kind, own) = match conversation.last?.what {
                What::Inbound(id, _) | What::Reply(id, _) => (keys::message(scope, id), HistoryKind::Message, id.own()),
                What::Missed(id) => (keys::call(scope, id), HistoryKind::Call, id.own()),
            };
            Some((key, TimelinePosition::new(kind, own)))
        };
        let contacts: Vec<ContactId> = conversations.iter().map(|one| one.value.contact).collect();
        let along: Vec<Key> = conversations
            .iter()
            .filter_map(|one| Some(last(&one.value)?.0))
            .collect();
        let (people, mut rows) = self.known_many(scope, &contacts, &along, DOING).await?;
        let continuation = |conversation: &Conversation| {
            let survivor = people.get(&conversation.contact)?.contact.id;
            (survivor != conversation.contact).then(|| ConversationId::of(survivor, conversation.line))
        };
        let further = conversations.iter().filter_map(|one| continuation(&one.value));
        let further: Vec<Key> = further.map(|id| keys::conversation(scope, id)).collect();
        let further = self.database.get_many(&further, DOING).await?;
        let mut known = Vec::with_capacity(conversations.len());
        for conversation in conversations {
            let person = people.get(&conversation.value.contact);
            let Some(person) = person.filter(|person| person.contact.deleted_at.is_none()) else {
                continue;
            };
            let mut placed = None;
            if let Some((key, position)) = last(&conversation.value)
                && let Some(item) = rows.remove(&key).and_then(|item| row::unexpired_item(item, now))
            {
                placed = timeline_entry(item, DOING)?.map(|entry| Placed { position, entry });
            }
            let continued = continuation(&conversation.value);
            known.push(KnownConversation {
                continued: continued.filter(|id| further.contains_key(&keys::conversation(scope, *id))),
                conversation,
                person: person.clone(),
                last: placed,
            });
        }
        Ok(known)
    }

    /// The customers who have waited for this time, or for longer, with a message that nobody has read, by the longest wait: from the lists
    /// of nobody, of whoever attends to conversations, and of whoever just handed theirs over. `mailed_at`: the time when people were last
    /// told of any. Conversations of deleted contacts do not count, nor those that cannot be read: their writers learn of it.
    ///
    /// At most 50 queries of the index, first one of each list, then further ones where the longest wait is; and a unit for each conversation.
    pub async fn overdue_customers(
        &self,
        scope: &TenantScope,
        after: SignedDuration,
        mailed_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<OverdueCustomers, StoreError> {
        let by = now - after;
        let is_untold = |one: &Conversation| one.is_untold(mailed_at, after, now);
        let (members, desks) = tokio::try_join!(self.all::<Member>(scope), self.desks(scope))?;
        let attending = members.into_iter().filter(Member::attends).map(|member| member.user);
        let handing_over = desks.into_values().filter(|desk| desk.value.hand_over_at.is_some());
        let people: BTreeSet<UserId> = attending.chain(handing_over.map(|desk| desk.value.user)).collect();
        let lists = std::iter::once(None).chain(people.into_iter().map(Some));
        let mut lists: Vec<(InboxList, Option<InboxPosition>)> =
            lists.map(|user| (InboxList::Waiting(user), None)).collect();
        let (mut overdue, mut queries, mut is_whole) = (HashMap::new(), MAX_LOOKS, true);
        while !lists.is_empty() {
            is_whole = lists.len() <= queries;
            lists.truncate(queries);
            queries -= lists.len();
            let pages = lists.into_iter().map(|(list, after)| async move {
                let (found, rest) = self.waiting_page(scope, list, after, by, now).await?;
                Ok::<_, StoreError>((list, found, rest))
            });
            let pages: Vec<_> = stream::iter(pages).buffered(LOOKS_AT_ONCE).try_collect().await?;
            lists = Vec::new();
            for (list, found, rest) in pages {
                overdue.extend(found);
                lists.extend(rest.map(|rest| (list, Some(rest))));
            }
            // What is further behind changes nothing then.
            if let Some(waiting) = Waiting::among(overdue.values())
                && waiting.conversations == MAX_WAITING
                && overdue.values().any(is_untold)
            {
                lists.retain(|(_, after)| after.is_some_and(|after| after.at < waiting.since));
            }
            lists.sort_by_key(|(_, after)| after.map(|after| after.at));
        }
        Ok(OverdueCustomers {
            waiting: Waiting::among(overdue.values()),
            any_untold: overdue.values().any(is_untold),
            is_whole,
        })
    }

    /// The overdue conversations among those behind a place in a list of those that wait, and the place of the last one, unless there are no more.
    async fn waiting_page(
        &self,
        scope: &TenantScope,
        list: InboxList,
        after: Option<InboxPosition>,
        by: Timestamp,
        now: Timestamp,
    ) -> Result<(HashMap<ConversationId, Conversation>, Option<InboxPosition>), StoreError> {
        const DOING: &str = "read which customers wait";
        let (index, partition) = list.partition(scope);
        let from = after.map_or_else(|| "0".to_owned(), |after| after.to_string());
        let to = keys::inbox_until(now);
        let rows = Rows::Between(&from, &to).of(&partition);
        let (items, more) = self
            .database
            .stretch(index, rows, None, ROUND + 1, false, DOING)
            .await?;
        let (_, sort) = index.keys();
        let places = items.iter().filter_map(|item| row::string(item, sort)?.parse().ok());
        let places: Vec<InboxPosition> = places.collect();
        let wanted: Vec<Key> = places.iter().map(|place| keys::conversation(scope, place.id)).collect();
        let read = self.database.get_many(&wanted, DOING).await?.into_values();
        let read = read.filter_map(|item| compact::conversation(item, DOING).ok());
        let mut overdue: HashMap<_, _> = read.map(|known| (known.value.id(), known.value)).collect();
        overdue.retain(|_, one| one.is_overdue(by, now));
        let contacts: Vec<ContactId> = overdue.values().map(|one| one.contact).collect();
        let (contacts, _) = self.followed_many(scope, &contacts, &[], DOING).await?;
        overdue.retain(|_, one| {
            let contact = contacts.get(&one.contact);
            contact.is_some_and(|contact| contact.deleted_at.is_none())
        });
        Ok((overdue, places.last().copied().filter(|_| more)))
    }

    /// The first places of a list: those with the latest activity, or with the longest wait.
    pub(crate) async fn places(
        &self,
        scope: &TenantScope,
        list: InboxList,
        limit: i32,
        doing: &'static str,
    ) -> Result<Vec<InboxPosition>, StoreError> {
        let (index, partition) = list.partition(scope);
        let rows = Rows::Beginning("").of(&partition);
        let newest_first = index == Index::ByDay;
        let (items, _) = self
            .database
            .stretch(index, rows, None, limit, newest_first, doing)
            .await?;
        let (_, sort) = index.keys();
        let places = items.iter().filter_map(|item| row::string(item, sort)?.parse().ok());
        Ok(places.collect())
    }

    /// The conversations in this state without activity since this time, the longest idle first, after this place; and the place of the
    /// last one, unless there are no more. One query of the index, and a unit for each.
    pub async fn idle_conversations(
        &self,
        scope: &TenantScope,
        state: ConversationState,
        before: Timestamp,
        after: Option<InboxPosition>,
        limit: i32,
    ) -> Result<(Vec<Versioned<Conversation>>, Option<InboxPosition>), StoreError> {
        const DOING: &str = "list idle conversations";
        let list = InboxList::In(state);
        let (index, partition) = list.partition(scope);
        let from = after.map_or_else(|| "0".to_owned(), |after| after.to_string());
        // Behind those of this moment. A longer time than before may leave nothing.
        let to = keys::inbox_until(before);
        if to < from {
            return Ok((Vec::new(), None));
        }
        let rows = Rows::Between(&from, &to).of(&partition);
        let (items, more) = self.database.stretch(index, rows, None, limit, false, DOING).await?;
        let (_, sort) = index.keys();
        let places = items.iter().filter_map(|item| row::string(item, sort)?.parse().ok());
        let places: Vec<InboxPosition> = places.filter(|place| Some(*place) != after).collect();
        let wanted: Vec<Key> = places
            .iter()
            .map(|place| keys::conversation(scope, place.id()))
            .collect();
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let read = wanted.iter().filter_map(|key| {
            // One that cannot be read keeps no others from being closed.
            compact::conversation(found.remove(key)?, DOING).ok()
        });
        Ok((read.collect(), places.last().copied().filter(|_| more)))
    }

    /// The number of conversations in a list, at most [`MAX_COUNTED`].
    pub async fn number_of_conversations(&self, scope: &TenantScope, list: InboxList) -> Result<usize, StoreError> {
        const DOING: &str = "count conversations";
        Ok(self.places(scope, list, MAX_COUNTED, DOING).await?.len())
    }
}
