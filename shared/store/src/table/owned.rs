//! Things that a tenant owns: people, keys, connections, rules, templates, products, assets, fields, tags, stages,
//! segments, campaigns, canned replies, teams, webhook endpoints. One way to read,
//! list, create within a limit, change and delete them.
//!
//! A kind says where its rows are and how many there may be ([`Owned`]); everything else is the same for all. Creating
//! costs one transaction and no read: a counter beside the rows refuses one too many, and a second one, one too many
//! of a [`Share`]. A change or deletion is conditioned on the version that was read. A deleted row is hidden, carries its
//! author to the audit log, and is removed after a day. Of kinds that keep their versions ([`Owned::VERSIONS`]), whatever is
//! replaced or deleted is kept beside the row.

use std::collections::BTreeSet;
use std::fmt::Display;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::accounts::{ApiKey, Invitation, Member};
use domain::campaigns::{Campaign, EventMessage};
use domain::media::Asset;
use domain::money::Product;
use domain::people::Field;
use domain::templates::TemplateDefinition;
use domain::tenants::{Connection, Line, Rule};
use domain::terms::{Actor, Stamp, name_fingerprint};
use domain::webhooks::WebhookEndpoint;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::table::database::Lost;
use crate::table::keys::{self, Key, Part};
use crate::table::plain::plain_kinds;
use crate::table::row::{self, Condition, Item, Row, Write};
use crate::{LostRace, Page, Races, Store, StoreError, TenantScope, Versioned};

/// Attempts while another writer is writing one of the rows. They are few: most callers repeat theirs.
const SETTLING: Races = Races::of_attempts(9);

macro_rules! owned_kinds {
    ($($kind:ty),+ $(,)?) => {
        $(impl Registered for $kind {})+

        /// All kinds but the plain ones.
        const KINDS: &[Kind] = &[$(Kind::of::<$kind>()),+];
    };
}

// The rows that lead to theirs are deleted with a tenant.
owned_kinds![
    ApiKey,
    Asset,
    Campaign,
    Connection,
    EventMessage,
    Field,
    Invitation,
    Line,
    Member,
    Product,
    Rule,
    TemplateDefinition,
    WebhookEndpoint,
];

macro_rules! owned_plain_kinds {
    ($({
        $kind:literal, $form:literal, $type:ty, $name:literal, $part:ident, $prefix:literal,
        $unique:ident: $claim:literal, cached: $cached:literal
    })+) => {
        $(impl Registered for $type {}

        impl Owned for $type {
            const KIND: &'static str = $kind;
            const NAME: &'static str = $name;
            const PART: Part = Part::$part;
            const PREFIX: &'static str = $prefix;
            const MAX: u32 = Self::MAX;
            const UNIQUE: &'static str = stringify!($unique);
            const REMEMBERED: bool = $cached;

            fn id(&self) -> String {
                self.id.to_string()
            }

            fn pointers(&self, scope: &TenantScope) -> Vec<Pointer> {
                let pointer = Pointer::unique(scope, $claim, &name_fingerprint(self.$unique.as_str()), &self.id);
                pointer.into_iter().collect()
            }
        })+

        const PLAIN: &[Kind] = &[$(Kind::of::<$type>()),+];
    };
}

plain_kinds!(owned_plain_kinds);

/// All kinds, plain ones included.
pub(crate) fn kinds() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().chain(PLAIN)
}

/// A kind in the list of all kinds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not in the list of owned kinds",
    note = "add it to `plain_kinds!` in shared/store/src/table/plain.rs, or to `owned_kinds!` in owned.rs beside it"
)]
pub trait Registered {}

/// Facts about a kind without its type.
pub(crate) struct Kind {
    name: &'static str,
    #[cfg(test)]
    part: Part,
    pointers: fn(&TenantScope, Item) -> Result<Vec<Key>, StoreError>,
}

impl Kind {
    const fn of<T: Owned>() -> Self {
        Self {
            name: T::KIND,
            #[cfg(test)]
            part: T::PART,
            pointers: pointers_of::<T>,
        }
    }
}

/// A kind of thing that a tenant owns.
pub trait Owned: Registered + Serialize + DeserializeOwned + Clone + Send + Sync {
    /// Kind of its rows, for the stream and for readers.
    const KIND: &'static str;
    /// Name of one of them for people.
    const NAME: &'static str = Self::KIND;
    /// The partition of its rows.
    const PART: Part;
    /// Prefix of their sort keys, which no other rows of the partition have.
    const PREFIX: &'static str;
    /// Maximum per tenant.
    const MAX: u32;
    /// Whether creating counts and is refused beyond the maximum. Otherwise the caller counts.
    const COUNTED: bool = true;
    /// A share of them with a maximum of its own, if there is one: see [`Owned::is_of_share`].
    const SHARE: Option<Share> = None;
    /// Field with a unique value, if there is one: see [`Owned::pointers`].
    const UNIQUE: &'static str = "";
    /// Whether it is cached with the configuration: then a change raises the tenant's version, so that caches are
    /// refreshed.
    const REMEMBERED: bool = false;
    /// Kind of the rows that keep its earlier versions, if they are kept: the latest hundred, each for two years. They hold the value
    /// as it was, with its author. [`Store::versions`] reads them.
    const VERSIONS: Option<&'static str> = None;
    /// Whether the place of a version among those kept follows from its number: see [`Owned::place`].
    const PLACED_BY_NUMBER: bool = true;

    /// Whether another one may have had its key before, since the key is no id of its own: then its first version is the time of its
    /// creation, so that no writer who read the former one finds its version again.
    const REUSES_KEYS: bool = false;

    /// The part of its sort key after the prefix.
    fn id(&self) -> String;

    /// The place of this version among those kept, where it replaces the one before. A kind whose rows are also written by others than
    /// users counts only what those write, so that the others do not displace it.
    fn place(&self, version: u64) -> u64 {
        version % VERSIONS_KEPT
    }

    /// The rows that lead to it, such as that of a unique value. They are created, changed and deleted with it.
    fn pointers(&self, _scope: &TenantScope) -> Vec<Pointer> {
        Vec::new()
    }

    /// Whether it is of the [`Owned::SHARE`]. It may join and leave it by a change.
    fn is_of_share(&self) -> bool {
        false
    }

    /// Time of its expiry, if ever.
    fn expires(&self) -> Option<Timestamp> {
        None
    }

    /// Its last state for the audit log when it is deleted: without secrets.
    #[must_use]
    fn last_state(&self, _at: Timestamp) -> Self {
        self.clone()
    }
}

/// A share of a kind with its own maximum, such as the searchable fields. It is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Name of one of them for people.
    pub name: &'static str,
    /// Maximum per tenant.
    pub most: u32,
}

/// A value with the author of its last change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed<T> {
    pub value: T,
    /// Its author. `None` if unknown, as after a write of the whole configuration by an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
}

/// A version of something owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version<T> {
    /// Its number, which makes the `ETag`.
    pub number: u64,
    /// Whether it is in force.
    pub current: bool,
    /// The value with its author.
    pub signed: Signed<T>,
}

/// Maximum earlier versions that are kept: each is in the place of the one so many before it.
pub const VERSIONS_KEPT: u64 = 100;

/// Retention of an earlier version: as long as any call that it may have decided.
const VERSIONS_KEPT_FOR: SignedDuration = SignedDuration::from_hours(730 * 24);

/// A row that leads to an owned thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Pointer {
    key: Key,
    kind: &'static str,
    to: AttributeValue,
}

impl Pointer {
    pub(crate) fn new(key: Key, kind: &'static str, to: &impl Serialize) -> Option<Self> {
        // If the value cannot be serialized, writing the row itself fails, too.
        let to = serde_dynamo::to_attribute_value(to).ok()?;
        Some(Self { key, kind, to })
    }

    /// The row of a unique value.
    pub(crate) fn unique(scope: &TenantScope, what: &str, value: &str, to: &impl Serialize) -> Option<Self> {
        Self::new(keys::claim(scope, what, value), "claim", to)
    }

    pub(crate) fn key(self) -> Key {
        self.key
    }

    pub(crate) fn row(&self, condition: Condition, expires: Option<Timestamp>) -> Row {
        let row = Row::of_attribute(&self.key, self.kind, self.to.clone(), condition);
        match expires {
            Some(at) => row.expires_at(at),
            None => row,
        }
    }
}

/// The reason why something owned cannot be created or changed.
#[derive(Debug, thiserror::Error)]
pub enum OwnedError {
    /// The tenant has the maximum number.
    #[error("the tenant has as many as it may")]
    Full,
    /// The tenant has the maximum number of the kind's [`Share`].
    #[error("the tenant has as many of this share as it may")]
    ShareFull,
    /// Another one has the same unique value.
    #[error("another has this value")]
    Taken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// For callers that expect none of them: a lost race.
impl From<OwnedError> for StoreError {
    fn from(error: OwnedError) -> Self {
        match error {
            OwnedError::Store(error) => error,
            OwnedError::Full | OwnedError::ShareFull | OwnedError::Taken => Self::Conflict {
                doing: "create or change something owned",
            },
        }
    }
}

pub(crate) fn key<T: Owned>(scope: &TenantScope, id: &impl Display) -> Key {
    keys::owned_row(scope, T::PART, T::PREFIX, id)
}

fn row_of<T: Owned>(scope: &TenantScope, value: &T, condition: Condition, version: u64) -> Result<Row, StoreError> {
    let row = Row::new(&key::<T>(scope, &value.id()), T::KIND, value, condition, T::KIND)?.version(version);
    Ok(match value.expires() {
        Some(at) => row.expires_at(at),
        None => row,
    })
}

/// The row of a changed thing, for a transaction of the caller.
pub(crate) fn change_row<T: Owned>(scope: &TenantScope, before: u64, after: &T) -> Result<Row, StoreError> {
    row_of(scope, after, Condition::Version(before), before + 1)
}

/// The author in a row: of this write, or of what it leaves as it was.
fn author(item: &Item) -> Option<Actor> {
    let actor = match item.get("by") {
        Some(by) => by.as_m().ok()?.get("actor")?,
        None => item.get(row::AUTHOR)?,
    };
    actor.as_s().ok()?.parse().ok()
}

/// The item in a row with its author and its version; `None` for a row that is marked as deleted.
pub(crate) fn read_signed<T: Owned>(item: Option<Item>) -> Result<Option<Versioned<Signed<T>>>, StoreError> {
    let by = item.as_ref().and_then(author);
    let found = row::read_versioned(item, None, T::KIND)?;
    Ok(found.map(|Versioned { value, version }| Versioned {
        value: Signed { value, by },
        version,
    }))
}

/// The row that keeps a version which is replaced or deleted at this time; `None` if the kind keeps none.
pub(crate) fn kept_row<T: Owned>(
    scope: &TenantScope,
    former: &Versioned<Signed<T>>,
    at: Timestamp,
) -> Result<Option<Row>, StoreError> {
    let Some(kind) = T::VERSIONS else {
        return Ok(None);
    };
    let value = &former.value.value;
    let key = version_key::<T>(scope, &value.id(), value.place(former.version));
    let row = Row::new(&key, kind, &former.value, Condition::Always, T::KIND)?.version(former.version);
    Ok(Some(row.expires(at, VERSIONS_KEPT_FOR)))
}

/// The key of a place among the versions kept.
fn version_key<T: Owned>(scope: &TenantScope, id: &impl Display, place: u64) -> Key {
    keys::version(scope, T::PART, T::KIND, id, place)
}

/// A kept version, unless it has expired.
fn read_kept_version<T: Owned>(item: Item, now: Timestamp) -> Result<Option<Version<T>>, StoreError> {
    let found = row::read_versioned(Some(item), Some(now), T::KIND)?;
    Ok(found.map(|Versioned { value, version }| Version {
        number: version,
        current: false,
        signed: value,
    }))
}

/// The counter of a kind.
pub(crate) fn count_key<T: Owned>(scope: &TenantScope) -> Key {
    keys::count(scope, T::PART, T::KIND)
}

/// The counter of a kind's share.
pub(crate) fn share_key<T: Owned>(scope: &TenantScope, share: Share) -> Key {
    keys::count(scope, T::PART, &share.name.replace(' ', "_"))
}

/// The write that counts a thing which joins or leaves the kind's [`Share`] by being created, changed or deleted.
fn share_write<T: Owned>(scope: &TenantScope, before: Option<&T>, after: Option<&T>) -> Option<Write> {
    let share = T::SHARE?;
    let key = share_key::<T>(scope, share);
    match (before.is_some_and(T::is_of_share), after.is_some_and(T::is_of_share)) {
        (false, true) => Some(Write::CountBelow(key, share.most)),
        (true, false) => Some(Write::CountDown(key)),
        _ => None,
    }
}

/// The version of one of them that is created by this change.
pub fn first_version<T: Owned>(stamp: &Stamp) -> u64 {
    if T::REUSES_KEYS { created_version(stamp.at) } else { 1 }
}

/// The first version of a row whose key another row may have had before: its creation in milliseconds. Rows change less often than that.
pub(crate) fn created_version(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or_default().max(1)
}

/// Index of the counter in [`create_writes`].
pub(crate) const COUNT: usize = 1;

/// Everything that creating writes: first the row, its counter and its pointers, in this order.
pub(crate) fn create_writes<T: Owned>(scope: &TenantScope, value: &T, stamp: &Stamp) -> Result<Vec<Write>, StoreError> {
    let row = row_of(scope, value, Condition::NewOrGone, first_version::<T>(stamp))?.with_stamp(stamp);
    let mut writes = vec![Write::Put(row)];
    if T::COUNTED {
        writes.push(Write::CountBelow(count_key::<T>(scope), T::MAX));
    }
    let pointers = value.pointers(scope).into_iter();
    writes.extend(pointers.map(|pointer| Write::Put(pointer.row(Condition::New, value.expires()))));
    writes.extend(share_write(scope, None, Some(value)));
    if T::REMEMBERED {
        writes.push(Write::Raise(keys::tenant(scope)));
    }
    Ok(writes)
}

/// As [`create_writes`], for a change.
pub(crate) fn change_writes<T: Owned>(
    scope: &TenantScope,
    before: &Versioned<T>,
    after: &T,
    stamp: &Stamp,
) -> Result<Vec<Write>, StoreError> {
    let mut writes = vec![Write::Put(change_row(scope, before.version, after)?.with_stamp(stamp))];
    let (old, new) = (before.value.pointers(scope), after.pointers(scope));
    let expires = after.expires();
    for pointer in &new {
        let known = old.iter().find(|old| old.key == pointer.key);
        let condition = if known.is_some() {
            Condition::Always
        } else {
            Condition::New
        };
        if known != Some(pointer) || expires != before.value.expires() {
            writes.push(Write::Put(pointer.row(condition, expires)));
        }
    }
    let gone = old.into_iter().filter(|old| new.iter().all(|new| new.key != old.key));
    writes.extend(gone.map(|pointer| Write::Clear(pointer.key)));
    writes.extend(share_write(scope, Some(&before.value), Some(after)));
    if T::REMEMBERED {
        writes.push(Write::Raise(keys::tenant(scope)));
    }
    Ok(writes)
}

/// As [`create_writes`], for a deletion.
pub(crate) fn remove_writes<T: Owned>(
    scope: &TenantScope,
    before: &Versioned<T>,
    stamp: &Stamp,
) -> Result<Vec<Write>, StoreError> {
    let row = change_row(scope, before.version, &before.value.last_state(stamp.at))?.with_stamp(stamp);
    let mut writes = vec![Write::Put(row.mark_deleted(stamp.at))];
    if T::COUNTED {
        writes.push(Write::CountDown(count_key::<T>(scope)));
    }
    let pointers = before.value.pointers(scope).into_iter();
    writes.extend(pointers.map(|pointer| Write::Clear(pointer.key)));
    writes.extend(share_write(scope, Some(&before.value), None));
    if T::REMEMBERED {
        writes.push(Write::Raise(keys::tenant(scope)));
    }
    Ok(writes)
}

/// The reason why a transaction was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unwritten {
    #[error("another writer was faster")]
    Lost(Lost),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LostRace for Unwritten {
    /// Another writer was just writing one of the rows, such as the tenant's, and no condition failed.
    fn is_lost_race(&self) -> bool {
        matches!(self, Self::Lost(lost) if lost.refused.is_empty())
    }
}

impl Unwritten {
    /// The reason by the transaction's first writes; those that follow are the caller's.
    fn by(self, writes: &[&'static str], doing: &'static str) -> OwnedError {
        let lost = match self {
            Self::Lost(lost) => lost,
            Self::Store(error) => return error.into(),
        };
        match lost.refused.first().and_then(|at| writes.get(*at)) {
            Some(&"count") => OwnedError::Full,
            Some(&"share") => OwnedError::ShareFull,
            Some(&"pointer") => OwnedError::Taken,
            _ => StoreError::Conflict { doing }.into(),
        }
    }
}

impl Store {
    /// Reads one, with the version that its next change needs.
    pub async fn get<T: Owned>(
        &self,
        scope: &TenantScope,
        id: &(impl Display + Sync),
    ) -> Result<Option<Versioned<T>>, StoreError> {
        row::read_versioned(self.database.get(&key::<T>(scope, id), T::KIND).await?, None, T::KIND)
    }

    /// A page, by id. `after` is the cursor of the previous page.
    pub async fn page<T: Owned>(
        &self,
        scope: &TenantScope,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Page<Versioned<T>>, StoreError> {
        self.page_in_order(scope, after, limit, false).await
    }

    /// A page by id, from the last id on if `backwards`. `after` is the cursor of the previous page in this order.
    pub async fn page_in_order<T: Owned>(
        &self,
        scope: &TenantScope,
        after: Option<&str>,
        limit: i32,
        backwards: bool,
    ) -> Result<Page<Versioned<T>>, StoreError> {
        let after = after.map(|id| key::<T>(scope, &id).sk);
        let (rows, more) = self
            .database
            .page(
                &keys::part(scope, T::PART),
                T::PREFIX,
                after.as_deref(),
                limit,
                backwards,
                T::KIND,
            )
            .await?;
        let last = rows.last().and_then(|item| row::string(item, "sk"));
        let next = last.filter(|_| more).and_then(|sk| sk.strip_prefix(T::PREFIX));
        let next = next.map(str::to_owned);
        let items = rows
            .into_iter()
            .filter_map(|item| row::read_versioned(Some(item), None, T::KIND).transpose())
            .collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    /// All of them, for kinds with few.
    pub async fn all<T: Owned>(&self, scope: &TenantScope) -> Result<Vec<T>, StoreError> {
        // Removed rows are among them for a day.
        let items = self.every(scope, T::PART, T::PREFIX, T::KIND).await?;
        let live = items.into_iter().filter(row::live);
        live.map(|item| row::data(item, T::KIND)).collect()
    }

    /// All rows of a partition with this prefix, including those marked as deleted.
    pub(crate) async fn every(
        &self,
        scope: &TenantScope,
        part: Part,
        prefix: &str,
        doing: &'static str,
    ) -> Result<Vec<Item>, StoreError> {
        let partition = keys::part(scope, part);
        self.database.query(&partition, prefix, i32::MAX, false, doing).await
    }

    /// The things with these ids that exist, in any order. One request per hundred.
    pub(crate) async fn read_existing<T: Owned>(
        &self,
        scope: &TenantScope,
        ids: &BTreeSet<String>,
    ) -> Result<Vec<T>, StoreError> {
        let keys: Vec<Key> = ids.iter().map(|id| key::<T>(scope, id)).collect();
        let found = self.database.get_many(&keys, T::KIND).await?;
        let live = found.into_values().filter(row::live);
        live.map(|item| row::data(item, T::KIND)).collect()
    }

    /// The ids among these that do not exist. One request per hundred, none if there are no ids.
    pub async fn missing<T: Owned>(
        &self,
        scope: &TenantScope,
        ids: impl IntoIterator<Item = impl Display>,
    ) -> Result<BTreeSet<String>, StoreError> {
        let mut missing: BTreeSet<String> = ids.into_iter().map(|id| id.to_string()).collect();
        if missing.is_empty() {
            return Ok(missing);
        }
        for found in self.read_existing::<T>(scope, &missing).await? {
            missing.remove(&found.id());
        }
        Ok(missing)
    }

    /// Creates one, unless the tenant has the maximum number.
    ///
    /// # Errors
    /// [`OwnedError`]; [`StoreError::Conflict`] if the id exists.
    pub async fn create<T: Owned>(&self, scope: &TenantScope, value: &T, stamp: &Stamp) -> Result<(), OwnedError> {
        self.create_with(scope, value, stamp, Vec::new()).await
    }

    /// As [`create`](Self::create), with further writes in the same transaction.
    pub(crate) async fn create_with<T: Owned>(
        &self,
        scope: &TenantScope,
        value: &T,
        stamp: &Stamp,
        more: Vec<Write>,
    ) -> Result<(), OwnedError> {
        let mut writes = create_writes(scope, value, stamp)?;
        let count = count_key::<T>(scope);
        let of = |(at, write): (usize, &Write)| match write {
            Write::CountBelow(key, _) if *key == count => "count",
            Write::CountBelow(..) => "share",
            Write::Put(_) if at > 0 => "pointer",
            _ => "row",
        };
        let what: Vec<&'static str> = writes.iter().enumerate().map(of).collect();
        writes.extend(more);
        let written = self.write_until_settled(writes, T::KIND).await;
        written.map_err(|unwritten| unwritten.by(&what, T::KIND))
    }

    /// Changes one under the condition of the version that was read. Returns its new version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race; [`OwnedError::Taken`]; [`OwnedError::ShareFull`].
    pub async fn change<T: Owned>(
        &self,
        scope: &TenantScope,
        before: &Versioned<T>,
        after: &T,
        stamp: &Stamp,
    ) -> Result<u64, OwnedError> {
        self.change_with(scope, before, after, stamp, Vec::new()).await
    }

    /// As [`change`](Self::change), with further writes in the same transaction.
    pub(crate) async fn change_with<T: Owned>(
        &self,
        scope: &TenantScope,
        before: &Versioned<T>,
        after: &T,
        stamp: &Stamp,
        more: Vec<Write>,
    ) -> Result<u64, OwnedError> {
        let mut writes = change_writes(scope, before, after, stamp)?;
        let known: Vec<Key> = before.value.pointers(scope).into_iter().map(Pointer::key).collect();
        let of = |write: &Write| match write {
            Write::Put(row) if row.condition == Condition::New && !known.contains(&row.key()) => "pointer",
            Write::CountBelow(..) => "share",
            _ => "row",
        };
        let what: Vec<&'static str> = writes.iter().map(of).collect();
        writes.extend(self.keeping(scope, before, stamp.at).await?);
        writes.extend(more);
        if let [Write::Put(_)] = &writes[..]
            && let Some(Write::Put(row)) = writes.pop()
        {
            // Half the price of a transaction.
            self.database.put(row, T::KIND).await?;
            return Ok(before.version + 1);
        }
        let written = self.write_until_settled(writes, T::KIND).await;
        written.map_err(|unwritten| unwritten.by(&what, T::KIND))?;
        Ok(before.version + 1)
    }

    /// Deletes one under the condition of the version that was read.
    pub async fn remove<T: Owned>(
        &self,
        scope: &TenantScope,
        before: &Versioned<T>,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        self.remove_with(scope, before, stamp, Vec::new()).await
    }

    /// As [`remove`](Self::remove), with further writes in the same transaction.
    pub(crate) async fn remove_with<T: Owned>(
        &self,
        scope: &TenantScope,
        before: &Versioned<T>,
        stamp: &Stamp,
        more: Vec<Write>,
    ) -> Result<(), StoreError> {
        let mut writes = remove_writes(scope, before, stamp)?;
        writes.extend(self.keeping(scope, before, stamp.at).await?);
        writes.extend(more);
        let written = self.write_until_settled(writes, T::KIND).await;
        written.map_err(|unwritten| unwritten.by(&[], T::KIND).into())
    }

    /// The write that keeps the version which is about to be replaced or deleted. Its author is in its row, which is read once more.
    async fn keeping<T: Owned>(
        &self,
        scope: &TenantScope,
        before: &Versioned<T>,
        at: Timestamp,
    ) -> Result<Option<Write>, StoreError> {
        if T::VERSIONS.is_none() {
            return Ok(None);
        }
        let row = self.read_signed::<T>(scope, &before.value.id()).await?;
        // If it has changed since, the transaction fails by its version.
        let by = row.filter(|row| row.version == before.version);
        let former = Versioned {
            value: Signed {
                value: before.value.clone(),
                by: by.and_then(|row| row.value.by),
            },
            version: before.version,
        };
        Ok(kept_row(scope, &former, at)?.map(Write::Put))
    }

    /// Reads one with the author of its last change.
    pub async fn read_signed<T: Owned>(
        &self,
        scope: &TenantScope,
        id: &(impl Display + Sync),
    ) -> Result<Option<Versioned<Signed<T>>>, StoreError> {
        read_signed(self.database.get(&key::<T>(scope, id), T::KIND).await?)
    }

    /// All of them with their authors, for kinds with few.
    pub async fn all_signed<T: Owned>(&self, scope: &TenantScope) -> Result<Vec<Versioned<Signed<T>>>, StoreError> {
        let items = self.every(scope, T::PART, T::PREFIX, T::KIND).await?;
        items
            .into_iter()
            .filter_map(|item| read_signed(Some(item)).transpose())
            .collect()
    }

    /// The version in force, if there is one, and those kept, the newest first. What was deleted has only kept ones.
    pub async fn versions<T: Owned>(
        &self,
        scope: &TenantScope,
        id: &(impl Display + Sync),
        now: Timestamp,
    ) -> Result<Vec<Version<T>>, StoreError> {
        let current = self.read_signed::<T>(scope, id).await?.map(|found| Version {
            number: found.version,
            current: true,
            signed: found.value,
        });
        let prefix = keys::versions(T::KIND, id);
        let items = self.every(scope, T::PART, &prefix, T::KIND).await?;
        let mut found: Vec<Version<T>> = items
            .into_iter()
            .filter_map(|item| read_kept_version(item, now).transpose())
            .collect::<Result<_, _>>()?;
        // Read after the one in force: a change in between has kept that one.
        found.retain(|kept| current.as_ref().is_none_or(|current| kept.number < current.number));
        found.extend(current);
        found.sort_by_key(|version| std::cmp::Reverse(version.number));
        Ok(found)
    }

    /// A version: the one in force or an earlier one that is kept. One request, or those of [`Store::versions`] if places do not follow
    /// from numbers.
    pub async fn version<T: Owned>(
        &self,
        scope: &TenantScope,
        id: &(impl Display + Sync),
        number: u64,
        now: Timestamp,
    ) -> Result<Option<Version<T>>, StoreError> {
        let found: Vec<Version<T>> = if T::PLACED_BY_NUMBER {
            let wanted = [(id, number)];
            let found = Box::pin(self.some_versions::<T, _>(scope, &wanted, now)).await?;
            found.into_iter().flatten().collect()
        } else {
            Box::pin(self.versions(scope, id, now)).await?
        };
        Ok(found.into_iter().find(|version| version.number == number))
    }

    /// Several versions, by their ids and numbers, of a kind whose places follow from numbers. One request per fifty of them.
    pub async fn some_versions<T: Owned, I: Display + Sync>(
        &self,
        scope: &TenantScope,
        wanted: &[(I, u64)],
        now: Timestamp,
    ) -> Result<Vec<Option<Version<T>>>, StoreError> {
        let places = wanted.iter().map(|(id, number)| {
            let (own, place) = (
                key::<T>(scope, id),
                version_key::<T>(scope, id, *number % VERSIONS_KEPT),
            );
            (own, place, *number)
        });
        let places: Vec<(Key, Key, u64)> = places.collect();
        let both = places.iter().flat_map(|(own, place, _)| [own.clone(), place.clone()]);
        let rows = self.database.get_many(&both.collect::<Vec<_>>(), T::KIND).await?;
        let version = |(own, place, number): (Key, Key, u64)| -> Result<Option<Version<T>>, StoreError> {
            if let Some(found) = read_signed::<T>(rows.get(&own).cloned())?
                && found.version == number
            {
                return Ok(Some(Version {
                    number,
                    current: true,
                    signed: found.value,
                }));
            }
            let found = match rows.get(&place) {
                Some(item) => read_kept_version(item.clone(), now)?,
                None => None,
            };
            Ok(found.filter(|found| found.number == number))
        };
        places.into_iter().map(version).collect()
    }

    /// Writes; again while another writer is just writing one of the rows, such as the tenant's, and no condition fails.
    pub(crate) async fn write_until_settled(&self, writes: Vec<Write>, doing: &'static str) -> Result<(), Unwritten> {
        let written = SETTLING.until_won(async || {
            let tried = self.database.try_transact(writes.clone(), doing).await?;
            tried.map_err(Unwritten::Lost)
        });
        written.await
    }
}

fn pointers_of<T: Owned>(scope: &TenantScope, item: Item) -> Result<Vec<Key>, StoreError> {
    let value: T = row::data(item, T::KIND)?;
    Ok(value.pointers(scope).into_iter().map(Pointer::key).collect())
}

/// The keys of the pointers of the value in a row; none if the row is of no owned kind.
pub(crate) fn pointers(scope: &TenantScope, item: Item) -> Result<Vec<Key>, StoreError> {
    let kind = row::string(&item, "kind");
    match kinds().find(|known| Some(known.name) == kind) {
        Some(known) => (known.pointers)(scope, item),
        None => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::forms;

    #[test]
    fn rows_of_all_kinds_have_a_form() {
        for Kind { name, .. } in kinds() {
            let listed = forms::kinds().any(|kind| kind == *name);
            assert!(
                listed,
                "add (\"{name}\", 1) to FORMS in shared/store/src/table/forms.rs"
            );
        }
    }

    /// A tenant is deleted part by part.
    #[test]
    fn parts_of_all_kinds_are_deleted_with_a_tenant() {
        for kind in kinds() {
            let listed = Part::ALL.contains(&kind.part);
            assert!(
                listed,
                "{}: add {:?} to Part::ALL in shared/store/src/table/keys.rs",
                kind.name, kind.part
            );
        }
    }
}
