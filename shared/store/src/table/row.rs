//! Rows: a key, the item itself under `data`, and attributes for the indexes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::people::{HistoryKind, Record};
use domain::terms::{Actor, Lane, Stamp};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::Deserializer;

use crate::table::error::StoreError;
use crate::table::forms;
use crate::table::keys::{self, DueOther, IndexPlace, Key};

/// The author of what a row says, if a later write of ours has no author.
pub(crate) const AUTHOR: &str = "author";

pub(crate) type Item = HashMap<String, AttributeValue>;

/// An item with its version, which a change of it is conditioned on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    pub value: T,
    /// Its version, which is also its `ETag`.
    pub version: u64,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Cursor of the next page, if there is one: a position within the caller's own list and nothing else.
    pub next: Option<String>,
}

/// Condition of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// The row must not exist.
    New,
    /// The row must not exist, or its time to live must be over at this time: DynamoDB deletes late.
    NewOrExpired(Timestamp),
    /// The row must not exist, or be deleted and only wait for its removal.
    NewOrGone,
    /// The row must still have this version.
    Version(u64),
    /// The row must still have this version and this expiry, in seconds, or none.
    Kept(u64, Option<i64>),
    /// The row must not exist, or count no more than this.
    NotBelow(u64),
    /// None: the last writer wins.
    Always,
}

/// A whole row to be written.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) item: Item,
    pub(crate) condition: Condition,
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A time as the table's time to live has it.
pub(crate) fn second(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_second().to_string())
}

pub(crate) fn key_item(key: &Key) -> Item {
    HashMap::from([("pk".to_owned(), text(&key.pk)), ("sk".to_owned(), text(&key.sk))])
}

impl Condition {
    /// The condition as an expression, with the values that it compares with.
    pub(crate) fn expression(self) -> Option<(&'static str, Vec<(&'static str, AttributeValue)>)> {
        let version = |version| (":v", number(version));
        match self {
            Self::New => Some(("attribute_not_exists(pk)", Vec::new())),
            Self::NewOrExpired(now) => Some((
                "attribute_not_exists(pk) OR expires_at <= :now",
                vec![(":now", second(now))],
            )),
            Self::Version(known) => Some(("v = :v", vec![version(known)])),
            Self::Kept(known, None) => Some(("v = :v AND attribute_not_exists(expires_at)", vec![version(known)])),
            Self::Kept(known, Some(until)) => Some((
                "v = :v AND (attribute_not_exists(expires_at) OR expires_at = :kept)",
                vec![version(known), (":kept", AttributeValue::N(until.to_string()))],
            )),
            Self::NotBelow(count) => Some(("attribute_not_exists(pk) OR n <= :n", vec![(":n", number(count))])),
            Self::NewOrGone => Some(("attribute_not_exists(pk) OR attribute_exists(gone)", Vec::new())),
            Self::Always => None,
        }
    }
}

/// The kind of the rows of contacts that were merged into others.
pub(crate) const ALIAS: &str = "alias";

/// A part of a transaction.
#[derive(Debug, Clone)]
pub(crate) enum Write {
    Put(Row),
    /// Write a row over one that must still hold this item.
    PutHeld(Row, AttributeValue),
    /// Write a row that must not exist, be deleted, or hold one of these items already.
    PutOwn(Row, Vec<AttributeValue>),
    /// Remove a row that must exist.
    Delete(Key),
    /// Remove a row that must still hold this item.
    DeleteHeld(Key, AttributeValue),
    /// Remove a row that must still have this version.
    DeleteVersion(Key, u64),
    /// Remove a row, if it exists.
    Clear(Key),
    /// Add one to a counter that must be below the limit.
    CountBelow(Key, u32),
    /// Subtract one from a counter.
    CountDown(Key),
    /// Write nothing, but require that a contact exists, is not deleted, and was not merged into another.
    Shown(Key),
    /// Raise the version of the tenant's row, so that processes read its configuration again.
    Raise(Key),
}

impl Write {
    /// The IAM action that it needs.
    pub(crate) const fn action(&self) -> &'static str {
        match self {
            Self::Put(_) | Self::PutHeld(..) | Self::PutOwn(..) => "dynamodb:PutItem",
            Self::Delete(_) | Self::DeleteHeld(..) | Self::DeleteVersion(..) | Self::Clear(_) => "dynamodb:DeleteItem",
            Self::CountBelow(..) | Self::CountDown(_) | Self::Raise(_) => "dynamodb:UpdateItem",
            Self::Shown(_) => "dynamodb:ConditionCheckItem",
        }
    }
}

impl Row {
    /// A row of this kind. Stream filters and readers distinguish rows by their kinds.
    pub(crate) fn new(
        key: &Key,
        kind: &'static str,
        data: &impl Serialize,
        condition: Condition,
        doing: &'static str,
    ) -> Result<Self, StoreError> {
        let data = serde_dynamo::to_attribute_value(data).map_err(|why| StoreError::Form { doing, why })?;
        Ok(Self::of_attribute(key, kind, data, condition))
    }

    /// A row of this kind for data that is already an attribute.
    pub(crate) fn of_attribute(key: &Key, kind: &'static str, data: AttributeValue, condition: Condition) -> Self {
        let mut row = Self::bare(key, kind);
        row.item.insert("data".to_owned(), data);
        Self { condition, ..row }
    }

    /// A row that says only that it exists.
    pub(crate) fn bare(key: &Key, kind: &'static str) -> Self {
        let mut item = key_item(key);
        item.insert("kind".to_owned(), text(kind));
        item.insert(forms::FORM.to_owned(), forms::form(kind));
        Self {
            item,
            condition: Condition::Always,
        }
    }

    /// A counter with this value.
    pub(crate) fn counting(key: &Key, count: usize) -> Self {
        let mut row = Self::bare(key, "count");
        row.item.insert("n".to_owned(), AttributeValue::N(count.to_string()));
        row
    }

    pub(crate) fn key(&self) -> Key {
        let part = |name| string(&self.item, name).unwrap_or_default().to_owned();
        Key {
            pk: part("pk"),
            sk: part("sk"),
        }
    }

    /// Puts the row at a place in the index with these keys, if it has one.
    fn put_at(&mut self, pk: &str, sk: &str, place: Option<IndexPlace>) {
        if let Some(IndexPlace { partition, sort }) = place {
            self.item.insert(pk.to_owned(), text(partition));
            self.item.insert(sk.to_owned(), text(sort));
        }
    }

    /// Lists the row by a state that changes. A row without a state is in no such list.
    pub(crate) fn in_state(mut self, place: Option<IndexPlace>) -> Self {
        self.put_at("gsi3pk", "gsi3sk", place);
        self
    }

    /// Stores the item in another form.
    pub(crate) fn data(mut self, form: impl FnOnce(AttributeValue) -> AttributeValue) -> Self {
        if let Some(data) = self.item.remove("data") {
            self.item.insert("data".to_owned(), form(data));
        }
        self
    }

    /// Stores the version in the place that the next write's condition checks.
    pub(crate) fn version(mut self, version: u64) -> Self {
        self.item.insert("v".to_owned(), number(version));
        self
    }

    /// Lists the row under a day, or in another partition of the list index.
    pub(crate) fn in_list(mut self, partition: String, sort: String) -> Self {
        self.put_at("gsi1pk", "gsi1sk", Some(IndexPlace { partition, sort }));
        self
    }

    /// A field that the list index contains. It changes with no status; a call's outcome changes only if the call is decided
    /// again.
    pub(crate) fn list_field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.item.insert(name.to_owned(), text(value));
        self
    }

    /// Keeps the author of the row's content. The audit log does not count this write as theirs.
    pub(crate) fn with_author(mut self, author: Option<Actor>) -> Self {
        if let Some(author) = author {
            self.item.insert(AUTHOR.to_owned(), text(author.to_string()));
        }
        self
    }

    /// Adds the author for the audit log.
    pub(crate) fn with_stamp(mut self, stamp: &Stamp) -> Self {
        let by = HashMap::from([
            ("actor".to_owned(), text(stamp.actor.to_string())),
            ("at".to_owned(), text(stamp.at.to_string())),
            ("correlation_id".to_owned(), text(&stamp.correlation_id)),
        ]);
        self.item.insert("by".to_owned(), AttributeValue::M(by));
        self
    }

    /// Marks the row as deleted: readers no longer see it, the stream still has its author, and it is removed after a day.
    pub(crate) fn mark_deleted(mut self, now: Timestamp) -> Self {
        self.item.insert("gone".to_owned(), AttributeValue::Bool(true));
        self.expires(now, GONE)
    }

    /// Sets the time for processing the row again, if ever.
    pub(crate) fn due_at(mut self, lane: Lane, key: &Key, due: Option<Timestamp>) -> Self {
        self.put_at(DUE_PK, DUE_SK, due.map(|at| keys::due_position(lane, key, at)));
        self
    }

    /// Sets the time for telling people, if ever.
    pub(crate) fn due_notice(mut self, key: &Key, due: Option<Timestamp>) -> Self {
        let place = |at| IndexPlace {
            partition: keys::DUE_NOTICES.to_owned(),
            sort: keys::due_place(key, at),
        };
        self.put_at(DUE_PK, DUE_SK, due.map(place));
        self
    }

    /// Sets the time for another function to look at the row, if there is one.
    pub(crate) fn due_elsewhere(mut self, of: DueOther, key: &Key, due: Option<Timestamp>) -> Self {
        self.put_at(DUE_PK, DUE_SK, due.map(|at| of.place(key, at)));
        self
    }

    /// Lets the row expire after this long.
    pub(crate) fn expires(self, now: Timestamp, after: SignedDuration) -> Self {
        self.expires_at(now + after)
    }

    pub(crate) fn expires_at(mut self, at: Timestamp) -> Self {
        self.item.insert("expires_at".to_owned(), second(at));
        self
    }

    /// Lets the row expire when its item says: `until` is the item's own `keep_until`, which is stored only in the row's
    /// expiry. [`unexpired_item`] restores it in the item, so that the next write preserves it. Who changes the expiry leaves the version as it
    /// is, so a write of what was read before must also find the same expiry: else it would bring the former one back.
    pub(crate) fn keep_until(mut self, until: Option<Timestamp>) -> Self {
        if let Condition::Version(version) = self.condition {
            self.condition = Condition::Kept(version, until.map(Timestamp::as_second));
        }
        if let Some(AttributeValue::M(data)) = self.item.get_mut("data") {
            data.remove(KEEP_UNTIL);
        }
        match until {
            Some(at) => self.expires_at(at),
            None => self,
        }
    }
}

/// The keys of the due index.
const DUE_PK: &str = "gsi2pk";
const DUE_SK: &str = "gsi2sk";

const KEEP_UNTIL: &str = "keep_until";

/// Retention of a row that is marked as deleted.
const GONE: SignedDuration = SignedDuration::from_hours(24);

/// The second of marking the row as deleted; `None` if it is not marked.
pub(crate) fn gone_at(item: &Item) -> Option<Timestamp> {
    let removed = item.get("expires_at").filter(|_| !live(item))?;
    let second = removed.as_n().ok()?.parse().ok()?;
    Some(Timestamp::from_second(second).ok()? - GONE)
}

/// Whether readers see the row: it is not marked as deleted.
pub(crate) fn live(item: &Item) -> bool {
    !item.contains_key("gone")
}

/// Reads the item with the version that the next write needs; `None` for a row that is deleted or expired.
pub(crate) fn read_versioned<T: DeserializeOwned>(
    item: Option<Item>,
    now: Option<Timestamp>,
    doing: &'static str,
) -> Result<Option<Versioned<T>>, StoreError> {
    let Some(item) = item
        .filter(live)
        .filter(|item| now.is_none_or(|now| !is_expired(item, now)))
    else {
        return Ok(None);
    };
    let version = version_of(&item);
    Ok(Some(Versioned {
        version,
        value: data(item, doing)?,
    }))
}

/// Data of the rows with these keys that were found and are not deleted.
pub(crate) fn live_data<T: DeserializeOwned>(
    found: &mut HashMap<Key, Item>,
    keys: &[Key],
    doing: &'static str,
) -> Result<Vec<T>, StoreError> {
    let items = keys.iter().filter_map(|key| found.remove(key)).filter(live);
    items.map(|item| data(item, doing)).collect()
}

/// The version for the next write's condition.
pub(crate) fn version_of(item: &Item) -> u64 {
    item.get("v")
        .and_then(|value| value.as_n().ok())
        .and_then(|version| version.parse().ok())
        .unwrap_or_default()
}

/// Number of writes of a row that counts them; otherwise 1.
pub(crate) fn count(item: &Item) -> u64 {
    let count = item.get("n").and_then(|value| value.as_n().ok());
    count.and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// Reads the item from a row.
pub(crate) fn data<T: DeserializeOwned>(item: Item, doing: &'static str) -> Result<T, StoreError> {
    let data = current_data(item, doing)?;
    serde_dynamo::from_attribute_value(data).map_err(|why| StoreError::Form { doing, why })
}

/// Reads the item from a row, if there is one.
pub(crate) fn data_if_any<T: DeserializeOwned>(
    item: Option<Item>,
    doing: &'static str,
) -> Result<Option<T>, StoreError> {
    item.map(|item| data(item, doing)).transpose()
}

/// A row of something that is recorded about a contact; `None` if it is of another kind.
pub(crate) fn record(item: Item, kind: &str, doing: &'static str) -> Result<Option<Record>, StoreError> {
    let Some(kind) = HistoryKind::of_records(kind) else {
        return Ok(None);
    };
    let data = Deserializer::from_attribute_value(current_data(item, doing)?.into());
    let read = Record::read(kind, data).transpose();
    read.map_err(|why| StoreError::Form { doing, why })
}

/// Data of a row, which has the current form.
fn current_data(mut item: Item, doing: &'static str) -> Result<AttributeValue, StoreError> {
    forms::readable(&item, doing)?;
    Ok(item.remove("data").unwrap_or(AttributeValue::Null(true)))
}

/// Time to live deletes late: an expired row counts as gone.
pub(crate) fn is_expired(item: &Item, now: Timestamp) -> bool {
    expires_at(item).is_some_and(|seconds| seconds <= now.as_second())
}

fn expires_at(item: &Item) -> Option<i64> {
    let value = item.get("expires_at")?.as_n().ok()?;
    value.parse().ok()
}

/// A row written with [`Row::keep_until`], with its time restored in its item; `None` if it has expired.
pub(crate) fn unexpired_item(mut item: Item, now: Timestamp) -> Option<Item> {
    if is_expired(&item, now) {
        return None;
    }
    if let Some(at) = expires_at(&item).and_then(|seconds| Timestamp::from_second(seconds).ok())
        && let Some(AttributeValue::M(data)) = item.get_mut("data")
    {
        data.insert(KEEP_UNTIL.to_owned(), AttributeValue::S(at.to_string()));
    }
    Some(item)
}

/// A row as it was written: without the time of its expiry in its item, which knows its own.
pub(crate) fn without_expiry(mut item: Item) -> Item {
    if let Some(AttributeValue::M(data)) = item.get_mut("data") {
        data.remove(KEEP_UNTIL);
    }
    item
}

pub(crate) fn string<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

/// The key of a stored row.
pub(crate) fn key_of(item: &Item) -> Option<Key> {
    Some(Key {
        pk: string(item, "pk")?.to_owned(),
        sk: string(item, "sk")?.to_owned(),
    })
}
