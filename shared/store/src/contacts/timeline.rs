//! The timeline of a contact: its whole [history](domain::people::HistoryKind) in one list, the newest or the oldest first.
//!
//! Each kind has a prefix of its own in the contact's partition, and every key ends with a ULID, which begins with a time. A
//! page reads the first rows of each kind behind the previous page and merges them, also from the partitions of the contacts that
//! were merged into this one. Rows of one millisecond are listed by kind, then by the rest of the ULID: a total order, so that a
//! [`TimelinePosition`] in it separates two pages exactly.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use domain::calls::{Entry, Received};
use domain::people::{ConsentEntry, Contact, HistoryKind};
use domain::terms::ContactId;
use futures::future::try_join_all;
use jiff::Timestamp;
use ulid::Ulid;

use crate::table::database::{Index, Rows};
use crate::table::row::{self, Item};
use crate::table::{compact, keys};
use crate::{Page, Store, StoreError, TenantScope};

/// A place in a timeline, which has no other. Later ones are greater. As text, it is the cursor of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimelinePosition {
    /// Milliseconds since 1970, as in the id.
    at: u64,
    kind: HistoryKind,
    id: Ulid,
}

impl TimelinePosition {
    /// The place of an entry of this kind with this own part of its id.
    pub const fn new(kind: HistoryKind, id: Ulid) -> Self {
        Self {
            at: id.timestamp_ms(),
            kind,
            id,
        }
    }

    /// Kind of the entry.
    pub const fn kind(self) -> HistoryKind {
        self.kind
    }

    /// The own part of the entry's id.
    pub(crate) const fn own_id(self) -> Ulid {
        self.id
    }

    /// Time of the entry: that of its first report.
    pub fn at(self) -> Timestamp {
        let at = i64::try_from(self.at).ok().map(Timestamp::from_millisecond);
        at.and_then(Result::ok).unwrap_or(Timestamp::MAX)
    }

    /// The greatest id of this kind before this position; `None` if there can be none.
    fn before(self, kind: HistoryKind) -> Option<Ulid> {
        match kind.cmp(&self.kind) {
            Ordering::Less => Some(Ulid::from_parts(self.at, u128::MAX)),
            Ordering::Equal => self.id.0.checked_sub(1).map(Ulid),
            Ordering::Greater => Some(Ulid::from_parts(self.at.checked_sub(1)?, u128::MAX)),
        }
    }

    /// The smallest id of this kind after this position; `None` if there can be none.
    fn following(self, kind: HistoryKind) -> Option<Ulid> {
        match kind.cmp(&self.kind) {
            Ordering::Greater => Some(Ulid::from_parts(self.at, 0)),
            Ordering::Equal => self.id.0.checked_add(1).map(Ulid),
            Ordering::Less => Some(Ulid::from_parts(self.at + 1, 0)).filter(|id| self.at < id.timestamp_ms()),
        }
    }
}

/// The order of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The newest first.
    #[default]
    NewestFirst,
    /// The oldest first.
    OldestFirst,
}

impl Order {
    fn compare(self, one: TimelinePosition, other: TimelinePosition) -> Ordering {
        match self {
            Self::NewestFirst => other.cmp(&one),
            Self::OldestFirst => one.cmp(&other),
        }
    }

    /// The ids of this kind behind a position, the smallest and the greatest; `None` if there can be none.
    fn behind(self, after: Option<TimelinePosition>, kind: HistoryKind) -> Option<(Ulid, Ulid)> {
        let all = (Ulid(0), Ulid(u128::MAX));
        let Some(after) = after else { return Some(all) };
        match self {
            Self::NewestFirst => Some((all.0, after.before(kind)?)),
            Self::OldestFirst => Some((after.following(kind)?, all.1)),
        }
    }
}

/// A text that is no position in a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a kind and an id, such as note#01j…")]
pub struct NotATimelinePosition;

impl fmt::Display for TimelinePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.kind.word(), keys::lower(self.id))
    }
}

impl FromStr for TimelinePosition {
    type Err = NotATimelinePosition;

    fn from_str(text: &str) -> Result<Self, NotATimelinePosition> {
        let (word, id) = text.split_once('#').ok_or(NotATimelinePosition)?;
        let kind = HistoryKind::ALL.into_iter().find(|kind| kind.word() == word);
        let position = Self::new(
            kind.ok_or(NotATimelinePosition)?,
            Ulid::from_string(id).map_err(|_| NotATimelinePosition)?,
        );
        // One spelling per id.
        (position.to_string() == text)
            .then_some(position)
            .ok_or(NotATimelinePosition)
    }
}

/// An entry of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    pub position: TimelinePosition,
    pub entry: Entry,
}

/// The first rows of a contact, each with its place, and the place of the last one, if there may be more behind it.
pub(crate) type Items = (Vec<(TimelinePosition, Item)>, Option<TimelinePosition>);

/// The question for a page of a timeline.
#[derive(Debug, Clone, Copy)]
pub struct TimelineWanted {
    /// Only entries of this kind.
    pub only: Option<HistoryKind>,
    pub order: Order,
    /// The end of the previous page, or any other position to begin at.
    pub after: Option<TimelinePosition>,
    pub limit: i32,
}

/// The rows of a contact that are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Of this kind.
    pub(crate) only: Option<HistoryKind>,
    /// In this order.
    pub(crate) order: Order,
    /// Behind this place.
    pub(crate) after: Option<TimelinePosition>,
    /// At most as many.
    pub(crate) limit: i32,
    /// Current time: the retention of some entries may be over.
    pub(crate) now: Timestamp,
    /// The purpose of reading them.
    pub(crate) doing: &'static str,
}

/// The first rows of one kind.
struct First<T> {
    /// Items that readers see.
    items: Vec<(TimelinePosition, T)>,
    /// The place of the last row that was read, if there may be more behind it.
    until: Option<TimelinePosition>,
}

/// The first `limit` items of all kinds, and the position of the last one, if there may be more behind it. Of a kind whose
/// rows are not all read, nothing is known behind its last row: so nothing of any kind behind that is returned. What two merged
/// contacts have both, such as an entry of both ledgers, is one item.
fn merge_first_items<T>(
    found: Vec<First<T>>,
    order: Order,
    limit: usize,
) -> (Vec<(TimelinePosition, T)>, Option<TimelinePosition>) {
    let ends = found.iter().filter_map(|first| first.until);
    let until = ends.min_by(|one, other| order.compare(*one, *other));
    let known =
        |(position, _): &(TimelinePosition, T)| until.is_none_or(|until| order.compare(*position, until).is_le());
    let mut items: Vec<_> = found.into_iter().flat_map(|first| first.items).filter(known).collect();
    items.sort_unstable_by(|(one, _), (other, _)| order.compare(*one, *other));
    items.dedup_by_key(|(position, _)| *position);
    let next = if items.len() > limit {
        items.truncate(limit);
        items.last().map(|(position, _)| *position)
    } else {
        until
    };
    (items, next)
}

impl Store {
    /// A page of a contact's timeline in this order, with the contact; `None` if it does not exist or is deleted. Of a contact that was
    /// merged into another: that one, as its id says.
    ///
    /// Entries with expired retention and notes that were deleted are left out; only because of them a page may hold fewer than `limit`
    /// entries, even none, without being the last.
    ///
    /// Costs one read unit for the contact, and for each kind one query of at most `limit` + 1 rows: a unit per 4 KB, in all
    /// about `limit` + 6 units if each row is as large as calls and messages are, about 1 KB. A query ends after 1 MB, so
    /// that a page never costs more than 1,537 units, and never has more than 6 MB of rows. For each contact that was merged into
    /// this one, the queries are made once more.
    pub async fn timeline(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        TimelineWanted {
            only,
            order,
            after,
            limit,
        }: TimelineWanted,
        now: Timestamp,
    ) -> Result<Option<(Contact, Page<Placed>)>, StoreError> {
        const DOING: &str = "read the timeline of a contact";
        let wanted = Wanted {
            only,
            order,
            after,
            limit,
            now,
            doing: DOING,
        };
        let Some((contact, (items, next))) = self.items_of(scope, contact, wanted).await? else {
            return Ok(None);
        };
        let mut placed = Vec::with_capacity(items.len());
        for (position, item) in items {
            placed.extend(timeline_entry(item, DOING)?.map(|entry| Placed { position, entry }));
        }
        let page = Page {
            items: placed,
            next: next.map(|position| position.to_string()),
        };
        Ok(Some((contact, page)))
    }

    /// A contact that is not deleted, or the one that it was merged into, with the first rows of its partition and of those of the
    /// contacts that were merged into it, and the position of the last one, if there may be more.
    pub(crate) async fn items_of(
        &self,
        scope: &TenantScope,
        id: ContactId,
        wanted: Wanted,
    ) -> Result<Option<(Contact, Items)>, StoreError> {
        let (contact, own) = tokio::try_join!(
            Box::pin(self.contact_for(scope, id, wanted.doing)),
            Box::pin(self.partition_of(scope, id, wanted))
        )?;
        let shown = contact.filter(|contact| contact.id != id || contact.deleted_at.is_none());
        let Some(contact) = shown else {
            return Ok(None);
        };
        if contact.id != id {
            let items = self.items_of_known(scope, &contact, wanted).await?;
            return Ok(Some((contact, items)));
        }
        let items = self.merged_items(scope, &contact, own, wanted).await?;
        Ok(Some((contact, items)))
    }

    /// As [`items_of`](Self::items_of), for a contact that is known.
    pub(crate) async fn items_of_known(
        &self,
        scope: &TenantScope,
        contact: &Contact,
        wanted: Wanted,
    ) -> Result<Items, StoreError> {
        let own = self.partition_of(scope, contact.id, wanted).await?;
        self.merged_items(scope, contact, own, wanted).await
    }

    async fn merged_items(
        &self,
        scope: &TenantScope,
        contact: &Contact,
        own: Vec<First<Item>>,
        wanted: Wanted,
    ) -> Result<Items, StoreError> {
        let mut found = own;
        for alias in &contact.aliases {
            found.extend(self.partition_of(scope, *alias, wanted).await?);
        }
        let most = usize::try_from(wanted.limit).unwrap_or_default();
        Ok(merge_first_items(found, wanted.order, most))
    }

    /// The first rows of each kind in one contact's partition.
    async fn partition_of(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        wanted: Wanted,
    ) -> Result<Vec<First<Item>>, StoreError> {
        let partition = keys::contact_partition(scope, contact);
        let first = HistoryKind::ALL.map(|kind| self.first(&partition, kind, wanted));
        try_join_all(first).await
    }

    /// The first rows of a kind; none, and nothing is read, if no such rows are wanted.
    async fn first(&self, partition: &str, kind: HistoryKind, wanted: Wanted) -> Result<First<Item>, StoreError> {
        let mut first = First {
            items: Vec::new(),
            until: None,
        };
        let Wanted { only, order, .. } = wanted;
        let ids = order.behind(wanted.after, kind);
        let Some((least, greatest)) = ids.filter(|_| only.is_none_or(|only| only == kind)) else {
            return Ok(first);
        };
        let prefix = keys::history(kind);
        let [lower, upper] = [least, greatest].map(|id| format!("{prefix}{}", keys::lower(id)));
        let rows = Rows::Between(&lower, &upper).of(partition);
        let newest_first = order == Order::NewestFirst;
        // One more row tells whether there is a next page.
        let (index, limit) = (Index::Table, wanted.limit + 1);
        let page = self
            .database
            .stretch(index, rows, None, limit, newest_first, wanted.doing);
        let (rows, more) = page.await?;
        for item in rows {
            let sk = row::string(&item, "sk").unwrap_or_default();
            let own = sk.strip_prefix(&*prefix).unwrap_or_default();
            // All rows of the prefix have such a key.
            let Ok(id) = Ulid::from_string(own) else { continue };
            let position = TimelinePosition::new(kind, id);
            first.until = Some(position).filter(|_| more);
            let seen = Some(item)
                .filter(row::live)
                .and_then(|item| row::unexpired_item(item, wanted.now));
            first.items.extend(seen.map(|item| (position, item)));
        }
        Ok(first)
    }
}

/// Reads a row of a contact's history; `None` if it is of another kind.
pub(crate) fn timeline_entry(item: Item, doing: &'static str) -> Result<Option<Entry>, StoreError> {
    let kind = row::string(&item, "kind").unwrap_or_default().to_owned();
    Ok(match kind.as_str() {
        "call" => Some(Entry::Call(Box::new(compact::call(item, doing)?))),
        "message" => Some(Entry::Sent(Box::new(compact::message(item, doing)?))),
        "received" => Some(Entry::Received(Box::new(row::data::<Received>(item, doing)?))),
        "consent" => Some(Entry::Consent(row::data::<ConsentEntry>(item, doing)?)),
        word => row::record(item, word, doing)?.map(Entry::Record),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(kind: HistoryKind, millisecond: u64, rest: u128) -> TimelinePosition {
        TimelinePosition::new(kind, Ulid::from_parts(millisecond, rest))
    }

    #[test]
    fn position_survives_as_text() {
        for kind in HistoryKind::ALL {
            let position = at(kind, 1_795_176_000_123, 7);
            assert_eq!(position.to_string().parse(), Ok(position));
            assert_eq!(position.at().to_string(), "2026-11-20T12:00:00.123Z");
        }
        let id = keys::lower(Ulid::from_parts(1, 2));
        let upper = id.to_ascii_uppercase();
        for wrong in [
            String::new(),
            "note#".to_owned(),
            format!("note{id}"),
            format!("profile#{id}"),
            format!("NOTE#{id}"),
            format!("note#{upper}x"),
            format!("note#{id}x"),
            "note#8zzzzzzzzzzzzzzzzzzzzzzzzz".to_owned(),
        ] {
            assert_eq!(wrong.parse::<TimelinePosition>(), Err(NotATimelinePosition), "{wrong}");
        }
        // Ids can name times that no clock has.
        assert_eq!(
            TimelinePosition::new(HistoryKind::Note, Ulid(u128::MAX)).at(),
            Timestamp::MAX
        );
    }

    /// Rows of few moments, so that many share one.
    fn rows() -> Vec<TimelinePosition> {
        let mut rows = Vec::new();
        for millisecond in 0..4 {
            for kind in HistoryKind::ALL {
                for rest in 0..(millisecond + kind as u64) % 3 {
                    rows.push(at(kind, millisecond, rest.into()));
                }
            }
        }
        rows
    }

    /// As the table answers: the first rows of a kind, at most `limit`, some of them hidden.
    fn read(
        rows: &[TimelinePosition],
        kind: HistoryKind,
        order: Order,
        after: Option<TimelinePosition>,
        limit: usize,
        hidden: &[TimelinePosition],
    ) -> First<()> {
        let ids = order.behind(after, kind);
        let of_kind = rows.iter().copied().filter(|row| row.kind == kind);
        let mut all: Vec<_> = of_kind
            .filter(|row| ids.is_some_and(|(least, greatest)| least <= row.id && row.id <= greatest))
            .collect();
        all.sort_unstable_by(|one, other| order.compare(*one, *other));
        let more = all.len() > limit;
        all.truncate(limit);
        let until = all.last().copied().filter(|_| more);
        let seen = all.into_iter().filter(|row| !hidden.contains(row));
        First {
            items: seen.map(|row| (row, ())).collect(),
            until,
        }
    }

    fn pages(
        rows: &[TimelinePosition],
        order: Order,
        limit: usize,
        hidden: &[TimelinePosition],
    ) -> Vec<Vec<TimelinePosition>> {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let found = HistoryKind::ALL.map(|kind| read(rows, kind, order, after, limit + 1, hidden));
            let (items, next) = merge_first_items(found.into(), order, limit);
            assert!(items.len() <= limit);
            pages.push(items.into_iter().map(|(position, ())| position).collect());
            assert!(pages.len() <= rows.len() + 1, "it comes to an end");
            match next {
                Some(next) => {
                    let leads_on = after.is_none_or(|after| order.compare(after, next).is_lt());
                    assert!(leads_on, "each page leads on");
                    after = Some(next);
                }
                None => return pages,
            }
        }
    }

    #[test]
    fn pages_have_every_entry_once_in_one_order() {
        let mut expected = rows();
        assert!(expected.len() > 12);
        expected.sort_unstable();
        for order in [Order::OldestFirst, Order::NewestFirst] {
            for limit in 1..=expected.len() + 1 {
                let pages = pages(&rows(), order, limit, &[]);
                assert_eq!(pages.concat(), expected, "by {limit}");
                let full = pages.iter().rev().skip(1).all(|page| page.len() == limit);
                assert!(full && !pages.ends_with(&[vec![]]), "by {limit}: {pages:?}");
            }
            expected.reverse();
        }
    }

    /// Whatever is hidden, nothing else is.
    #[test]
    fn hidden_rows_hide_no_others() {
        let mut all = rows();
        all.sort_unstable();
        for order in [Order::OldestFirst, Order::NewestFirst] {
            for from in 0..all.len() {
                for to in from..=all.len() {
                    let (hidden, mut expected) = (&all[from..to], all.clone());
                    expected.drain(from..to);
                    for limit in [1, 2, 3, 20] {
                        let found = pages(&rows(), order, limit, hidden).concat();
                        assert_eq!(found, expected, "{from} to {to} by {limit}");
                    }
                }
            }
            all.reverse();
        }
    }

    #[test]
    fn positions_before_the_first_moment_are_none() {
        let first = at(HistoryKind::Call, 0, 0);
        for kind in HistoryKind::ALL {
            assert_eq!(first.before(kind), None, "{kind:?}");
        }
        assert_eq!(
            at(HistoryKind::Note, 0, 0).before(HistoryKind::Call),
            Some(Ulid::from_parts(0, u128::MAX))
        );
        let last = TimelinePosition::new(HistoryKind::Note, Ulid(u128::MAX));
        assert_eq!(last.following(HistoryKind::Note), None);
        assert_eq!(last.following(HistoryKind::Call), None);
    }
}
