//! Calls and messages of a period, page by page, the newest first, each with its contact.
//!
//! They are listed by days in UTC, in the order of their times. A page reads one list after the other, from the end of the period or of the
//! previous page back to the beginning, until it is full. It examines at most [`MAX_EXAMINED`] entries by at most [`MAX_QUERIES`] queries,
//! so it may be short, or empty, without being the last.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use domain::calls::{Call, Entry, Received};
use domain::messages::{Message, MessageState};
use domain::people::Person;
use domain::reports::{CallFilter, MessageFilter};
use domain::terms::{CallId, ContactId, MessageId};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ulid::Ulid;

use crate::contacts::{MAX_EXAMINED, sort_key_by_time, timeline_entry};
use crate::table::compact;
use crate::table::database::{Index, Rows};
use crate::table::keys::{self, Key};
use crate::table::row::{self, Item, string};
use crate::{Page, Store, StoreError, TenantScope};

/// Maximum queries of one page: more than a week has days, of whatever time zone.
const MAX_QUERIES: usize = 10;

/// Maximum times that a message was sent again, each time by hand, that are followed to the last one.
const MAX_RETRIES: usize = 8;

/// Maximum pages of [`Store::newest_calls`]: those of a month without calls, and some more.
const MAX_PAGES: usize = 6;

/// Entries of a query after the first one: as many rows as one request reads.
const ROUND: usize = 100;

/// A place in a list by days. Later ones are greater. As text, it is the cursor of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportPosition {
    at: Timestamp,
    /// The own part of the entry's id.
    id: Ulid,
}

impl ReportPosition {
    /// The place of a call.
    fn of(call: &Call) -> Self {
        let at = call.happened_at();
        Self {
            // As it is listed.
            at: Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at),
            id: call.id.own(),
        }
    }

    /// The place ahead of everything that happened at this time or later.
    pub(super) const fn ahead_of(at: Timestamp) -> Self {
        Self { at, id: Ulid(0) }
    }

    /// The latest day in UTC with entries behind this place; `None` if there is none.
    fn day(self) -> Option<Date> {
        let latest = match self.id {
            Ulid(0) => self.at.checked_sub(SignedDuration::from_millis(1)).ok()?,
            _ => self.at,
        };
        Some(latest.to_zoned(TimeZone::UTC).date())
    }
}

/// A text that is no position in a list by days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time and an id, such as 2026-11-20T12:00:00.000Z#01j…")]
pub struct NotAReportPosition;

impl fmt::Display for ReportPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sort_key_by_time(self.at, self.id))
    }
}

impl FromStr for ReportPosition {
    type Err = NotAReportPosition;

    fn from_str(text: &str) -> Result<Self, NotAReportPosition> {
        let (at, id) = text.split_once('#').ok_or(NotAReportPosition)?;
        let position = Self {
            at: at.parse().map_err(|_| NotAReportPosition)?,
            id: Ulid::from_string(id).map_err(|_| NotAReportPosition)?,
        };
        // One spelling per place.
        (position.to_string() == text)
            .then_some(position)
            .ok_or(NotAReportPosition)
    }
}

/// The page that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Beginning of the period.
    pub from: Timestamp,
    /// End of the period, exclusive.
    pub to: Timestamp,
    /// The end of the previous page.
    pub after: Option<ReportPosition>,
    /// Maximum number of calls or messages.
    pub limit: i32,
    /// Current time: the retention of some entries may be over.
    pub now: Timestamp,
}

/// A call with what it refers to.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownCall {
    pub call: Call,
    /// Its contact. If that was merged into another: the one that survived.
    pub contact: Person,
    /// The message that follows it, or the one that sends that again, unless its retention is over.
    pub message: Option<Message>,
}

/// A message in either direction.
#[derive(Debug, Clone, PartialEq)]
pub enum Exchanged {
    /// A message of the business.
    Sent(Box<Message>),
    Received(Box<Received>),
}

impl Exchanged {
    pub const fn id(&self) -> MessageId {
        match self {
            Self::Sent(message) => message.id,
            Self::Received(received) => received.id,
        }
    }
}

/// A message with its contact.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownMessage {
    pub message: Exchanged,
    /// Its contact. If that was merged into another: the one that survived.
    pub contact: Person,
}

impl KnownMessage {
    /// The message, if it is a customer's.
    pub fn customer_message(&self) -> Option<&Received> {
        match &self.message {
            Exchanged::Received(received) => Some(received),
            Exchanged::Sent(_) => None,
        }
    }
}

/// Reads a message from its row; `None` if it is of another kind.
fn read_exchanged(item: Item, doing: &'static str) -> Result<Option<Exchanged>, StoreError> {
    Ok(match timeline_entry(item, doing)? {
        Some(Entry::Sent(message)) => Some(Exchanged::Sent(message)),
        Some(Entry::Received(received)) => Some(Exchanged::Received(received)),
        _ => None,
    })
}

/// A message of the business, unless its retention is over.
fn kept_message(item: Option<Item>, now: Timestamp, doing: &'static str) -> Result<Option<Message>, StoreError> {
    let item = item.and_then(|item| row::unexpired_item(item, now));
    item.map(|item| compact::message(item, doing)).transpose()
}

/// A contact that is not hidden.
fn visible_person(people: &HashMap<ContactId, Person>, id: ContactId) -> Option<Person> {
    let person = people.get(&id)?;
    person.contact.deleted_at.is_none().then(|| person.clone())
}

impl Store {
    /// A page of the calls of a period that fulfil the conditions, the newest first. Calls of deleted contacts are hidden with them, and
    /// calls with expired retention are left out: only because of them, a page may hold fewer than `limit` without being the last.
    ///
    /// Costs half a unit for each query of at most 100 entries, and a unit for each row: of a call, its contact, the profile and its
    /// message. The outcome and the direction are known from the list, so calls that differ in them are not read. A condition on the message
    /// is tested on its row, so then the messages of calls that do not fulfil it are read, too, and a page examines at most [`MAX_EXAMINED`]
    /// calls by a few more requests. A message that was sent again costs a request for each time, of all calls together.
    pub async fn calls_of_period(
        &self,
        scope: &TenantScope,
        filter: &CallFilter,
        wanted: &Wanted,
    ) -> Result<Page<KnownCall>, StoreError> {
        const DOING: &str = "read the calls of a period";
        if !filter.asks_for_message() {
            let (calls, next) = self.listed_calls(scope, filter, wanted, DOING).await?;
            return Ok(Page {
                items: self.calls_with_contacts(scope, calls, wanted.now, DOING).await?,
                next: next.map(|next| next.to_string()),
            });
        }
        let most = usize::try_from(wanted.limit).unwrap_or(1).max(1);
        let (mut items, mut page) = (Vec::new(), *wanted);
        for _round in 0..MAX_EXAMINED / ROUND {
            page.limit = i32::try_from(ROUND).unwrap_or(wanted.limit);
            let (calls, next) = self.listed_calls(scope, filter, &page, DOING).await?;
            // Then it has looked at as many entries and days as a page does.
            let is_spent = calls.len() < ROUND;
            let known = self.calls_with_contacts(scope, calls, wanted.now, DOING).await?;
            let mut taken = known
                .into_iter()
                .filter(|known| filter.takes_message(known.message.as_ref()));
            items.extend(taken.by_ref().take(most - items.len()));
            // The page is full: the next one begins behind its last call.
            let rest = taken.next().is_some();
            let last = items
                .last()
                .filter(|_| rest)
                .map(|last: &KnownCall| ReportPosition::of(&last.call));
            let next = last.or(next);
            page.after = next;
            if next.is_none() || is_spent || items.len() == most {
                break;
            }
        }
        Ok(Page {
            items,
            next: page.after.map(|next| next.to_string()),
        })
    }

    /// The newest calls of a period that fulfil the conditions, as [`Store::calls_of_period`] lists them, without what they refer to.
    /// `limit` may be as large as what one page examines ([`MAX_EXAMINED`]). It reads at most six pages, so there may be fewer in a
    /// period of many others.
    ///
    /// Costs as a page, but of contacts only the unit of the contact itself: with 500 calls of 500 contacts on one day, 11 requests and
    /// about 1,010 units.
    pub async fn newest_calls(
        &self,
        scope: &TenantScope,
        filter: &CallFilter,
        wanted: &Wanted,
    ) -> Result<Vec<Call>, StoreError> {
        const DOING: &str = "read the newest calls";
        let most = usize::try_from(wanted.limit).unwrap_or_default();
        let (mut page, mut found) = (*wanted, Vec::new());
        for _page in 0..MAX_PAGES {
            let (calls, next) = self.listed_calls(scope, filter, &page, DOING).await?;
            let contacts: Vec<ContactId> = calls.iter().map(|call| call.id.contact()).collect();
            let (contacts, _) = self.followed_many(scope, &contacts, &[], DOING).await?;
            found.extend(calls.into_iter().filter(|call| {
                let contact = contacts.get(&call.id.contact());
                contact.is_some_and(|contact| contact.deleted_at.is_none())
            }));
            let missing = most.saturating_sub(found.len());
            let Some(next) = next.filter(|_| missing > 0) else {
                break;
            };
            page.after = Some(next);
            page.limit = i32::try_from(missing).unwrap_or(wanted.limit);
        }
        Ok(found)
    }

    /// The calls of a page, and its end, if there may be more behind it.
    async fn listed_calls(
        &self,
        scope: &TenantScope,
        filter: &CallFilter,
        wanted: &Wanted,
        doing: &'static str,
    ) -> Result<(Vec<Call>, Option<ReportPosition>), StoreError> {
        let list = |day: &str| (Index::ByDay, keys::calls_of(scope, day));
        let lists = |item: &Item| {
            let word = |name| string(item, name).unwrap_or_default();
            filter.lists(word("outcome"), word("direction"))
        };
        let read = |item: Item| Ok(Some(compact::call(item, doing)?).filter(|call| filter.takes(call)));
        self.of_period(wanted, list, lists, read, doing).await
    }

    /// A page of the messages of a period that fulfil the conditions, in both directions, the newest first: outbound ones by the time of
    /// planning, inbound ones by the time of writing. Messages of broadcasts are in no list by days, unless they failed or were blocked and
    /// the conditions ask for that.
    ///
    /// Costs as [`Store::calls_of_period`]. Failed and blocked messages have a list of their own, so nothing else is examined for them.
    pub async fn messages_of_period(
        &self,
        scope: &TenantScope,
        filter: &MessageFilter,
        wanted: &Wanted,
    ) -> Result<Page<KnownMessage>, StoreError> {
        const DOING: &str = "read the messages of a period";
        let of_trouble = filter.state.is_some_and(MessageState::is_trouble);
        let list = |day: &str| {
            if of_trouble {
                (Index::ByState, keys::troubled_of(scope, day))
            } else {
                (Index::ByDay, keys::messages_of(scope, day))
            }
        };
        // The index by state has keys only, and outbound messages only.
        let lists = |item: &Item| string(item, "direction").is_none_or(|direction| filter.lists(direction));
        let read = |item: Item| {
            let takes = |message: &Exchanged| match message {
                Exchanged::Sent(message) => filter.takes_sent(message),
                Exchanged::Received(received) => filter.takes_received(received),
            };
            Ok(read_exchanged(item, DOING)?.filter(takes))
        };
        let (messages, next) = self.of_period(wanted, list, lists, read, DOING).await?;
        Ok(Page {
            items: self.messages_with_contacts(scope, messages, DOING).await?,
            next: next.map(|next| next.to_string()),
        })
    }

    /// A call with what it refers to, unless its retention is over or its contact is deleted.
    pub async fn known_call(
        &self,
        scope: &TenantScope,
        id: CallId,
        now: Timestamp,
    ) -> Result<Option<KnownCall>, StoreError> {
        const DOING: &str = "read a call and its contact";
        let call = self.call(scope, id, now).await?;
        let calls = call.into_iter().collect();
        let known = self.calls_with_contacts(scope, calls, now, DOING).await?;
        Ok(known.into_iter().next())
    }

    /// A message in either direction with its contact, unless its retention is over or its contact is deleted.
    pub async fn known_message(
        &self,
        scope: &TenantScope,
        id: MessageId,
        now: Timestamp,
    ) -> Result<Option<KnownMessage>, StoreError> {
        const DOING: &str = "read a message and its contact's name";
        let messages = self.exchanged_message(scope, id, now).await?.into_iter().collect();
        let known = self.messages_with_contacts(scope, messages, DOING).await?;
        Ok(known.into_iter().next())
    }

    /// A message in either direction, unless its retention is over. One read, without its contact.
    pub async fn exchanged_message(
        &self,
        scope: &TenantScope,
        id: MessageId,
        now: Timestamp,
    ) -> Result<Option<Exchanged>, StoreError> {
        const DOING: &str = "read a message";
        let item = self.database.get(&keys::message(scope, id), DOING).await?;
        let item = item.and_then(|item| row::unexpired_item(item, now));
        Ok(item.map(|item| read_exchanged(item, DOING)).transpose()?.flatten())
    }

    async fn calls_with_contacts(
        &self,
        scope: &TenantScope,
        calls: Vec<Call>,
        now: Timestamp,
        doing: &'static str,
    ) -> Result<Vec<KnownCall>, StoreError> {
        let contacts: Vec<ContactId> = calls.iter().map(|call| call.id.contact()).collect();
        let messages: Vec<Key> = calls
            .iter()
            .filter_map(|call| call.message)
            .map(|id| keys::message(scope, id))
            .collect();
        let (people, mut rows) = self.known_many(scope, &contacts, &messages, doing).await?;
        let mut known = Vec::with_capacity(calls.len());
        for call in calls {
            let Some(contact) = visible_person(&people, call.id.contact()) else {
                continue;
            };
            let message = call.message.and_then(|id| rows.remove(&keys::message(scope, id)));
            let message = kept_message(message, now, doing)?;
            known.push(KnownCall { call, contact, message });
        }
        for _again in 0..MAX_RETRIES {
            let key = |known: &KnownCall| Some(keys::message(scope, known.message.as_ref()?.retried_as?));
            let retried: Vec<Key> = known.iter().filter_map(key).collect();
            if retried.is_empty() {
                break;
            }
            let mut rows = self.database.get_many(&retried, doing).await?;
            for known in &mut known {
                if let Some(key) = key(known) {
                    known.message = kept_message(rows.remove(&key), now, doing)?;
                }
            }
        }
        Ok(known)
    }

    async fn messages_with_contacts(
        &self,
        scope: &TenantScope,
        messages: Vec<Exchanged>,
        doing: &'static str,
    ) -> Result<Vec<KnownMessage>, StoreError> {
        let contacts: Vec<ContactId> = messages.iter().map(|message| message.id().contact()).collect();
        let (people, _) = self.known_many(scope, &contacts, &[], doing).await?;
        let known = messages.into_iter().filter_map(|message| {
            let contact = visible_person(&people, message.id().contact())?;
            Some(KnownMessage { message, contact })
        });
        Ok(known.collect())
    }

    /// The newest entries of a period, and the end of the page, if there may be more behind it. `list` is the index and the partition of a
    /// day, `lists` says whether to read the row of an entry, `read` reads it unless it is not wanted.
    pub(super) async fn of_period<T>(
        &self,
        wanted: &Wanted,
        list: impl Fn(&str) -> (Index, String),
        lists: impl Fn(&Item) -> bool,
        read: impl Fn(Item) -> Result<Option<T>, StoreError>,
        doing: &'static str,
    ) -> Result<(Vec<T>, Option<ReportPosition>), StoreError> {
        let most = usize::try_from(wanted.limit).unwrap_or(1).max(1);
        let (lower, end) = (
            ReportPosition::ahead_of(wanted.from),
            ReportPosition::ahead_of(wanted.to),
        );
        let mut upper = wanted.after.map_or(end, |after| after.min(end));
        let (mut found, mut examined, mut round) = (Vec::new(), 0, most);
        for _query in 0..MAX_QUERIES {
            let Some(day) = upper.day().filter(|_| upper > lower) else {
                return Ok((found, None));
            };
            let (index, partition) = list(&day.to_string());
            let bounds = (keys::sortable(wanted.from), upper.to_string());
            let rows = Rows::Between(&bounds.0, &bounds.1).of(&partition);
            // The bounds are inclusive, so that one may be the end of the previous page. One more tells whether the day has more.
            let asked = i32::try_from(round + 2).unwrap_or(i32::MAX);
            let (entries, more) = self.database.stretch(index, rows, None, asked, true, doing).await?;
            let (_, sort) = index.keys();
            let mut places: Vec<(ReportPosition, Item)> = entries
                .into_iter()
                .filter_map(|item| Some((string(&item, sort)?.parse::<ReportPosition>().ok()?, item)))
                .filter(|(place, _)| *place < upper)
                .collect();
            let more = more || places.len() > round;
            places.truncate(round);
            examined += places.len();
            let last = places.last().map(|(place, _)| *place);
            let before_day = day
                .to_zoned(TimeZone::UTC)
                .map_or(Timestamp::MIN, |day| day.timestamp());
            // Behind what was examined.
            let behind = last.filter(|_| more).unwrap_or(ReportPosition::ahead_of(before_day));
            let (places, keys): (Vec<ReportPosition>, Vec<Key>) = places
                .iter()
                .filter(|(_, item)| lists(item))
                .filter_map(|(place, item)| Some((*place, row::key_of(item)?)))
                .unzip();
            let mut stored = self.database.get_many(&keys, doing).await?;
            for (place, key) in places.into_iter().zip(keys) {
                let item = stored
                    .remove(&key)
                    .and_then(|item| row::unexpired_item(item, wanted.now));
                if let Some(item) = item {
                    found.extend(read(item)?);
                }
                if found.len() == most {
                    let is_last = Some(place) == last && behind <= lower;
                    return Ok((found, Some(place).filter(|_| !is_last)));
                }
            }
            upper = behind;
            if examined >= MAX_EXAMINED {
                break;
            }
            round = ROUND.min(MAX_EXAMINED - examined);
        }
        Ok((found, Some(upper).filter(|upper| *upper > lower)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, rest: u128) -> ReportPosition {
        ReportPosition {
            at: text.parse().unwrap(),
            id: Ulid::from_parts(1, rest),
        }
    }

    #[test]
    fn position_survives_as_text() {
        let position = at("2026-11-20T12:00:00.123Z", 7);
        let text = "2026-11-20T12:00:00.123Z#00000000010000000000000007";
        assert_eq!(position.to_string(), text);
        assert_eq!(text.parse(), Ok(position));
        let midnight = ReportPosition::ahead_of("2026-11-20T00:00:00Z".parse().unwrap());
        assert_eq!(midnight.to_string().parse(), Ok(midnight));
        for wrong in [
            "",
            "#",
            "2026-11-20",
            "2026-11-20T12:00:00.123Z",
            "2026-11-20T12:00:00Z#00000000010000000000000007",
            "2026-11-20T12:00:00.1234Z#00000000010000000000000007",
            "2026-11-20T14:00:00.123+02:00#00000000010000000000000007",
            "2026-11-20T12:00:00.123Z#0000000001000000000000000A",
            "2026-11-20T12:00:00.123Z#7",
            "usr_01hq5c1ynyc0000000000000ab",
        ] {
            assert_eq!(wrong.parse::<ReportPosition>(), Err(NotAReportPosition), "{wrong}");
        }
    }

    #[test]
    fn positions_sort_as_their_texts_do() {
        let sorted = [
            ReportPosition::ahead_of("2026-11-20T00:00:00Z".parse().unwrap()),
            at("2026-11-20T00:00:00Z", 1),
            at("2026-11-20T00:00:00Z", 2),
            at("2026-11-20T00:00:00.001Z", 0),
        ];
        assert!(sorted.is_sorted());
        assert!(sorted.map(|position| position.to_string()).is_sorted());
    }

    /// The end of a period is the beginning of a day that has none of its entries.
    #[test]
    fn a_place_ahead_of_a_day_is_behind_it() {
        let day = |position: ReportPosition| position.day().map(|day| day.to_string());
        let midnight = "2026-11-20T00:00:00Z";
        let ahead = ReportPosition::ahead_of(midnight.parse().unwrap());
        assert_eq!(day(ahead).as_deref(), Some("2026-11-19"));
        assert_eq!(day(at(midnight, 1)).as_deref(), Some("2026-11-20"));
        assert_eq!(day(ReportPosition::ahead_of(Timestamp::MIN)), None);
    }
}
