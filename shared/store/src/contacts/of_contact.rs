//! Things [recorded](Recorded) about a contact: one way to read, list, create, change and delete it. A contact that does not exist or is
//! deleted has none and gets none. Records of contacts that were merged into another stay where they are, and are the survivor's.
//!
//! Creating costs one transaction and no read: a counter beside the rows refuses one too many, and the check of the contact holds until
//! the row is written, so that nothing of an erased contact stays behind.

use domain::people::{Contact, Recorded};
use domain::terms::{ContactId, ContactItemId as _, Stamp};
use jiff::Timestamp;
use ulid::Ulid;

use crate::contacts::{Order, TimelinePosition, Wanted, mention_writes};
use crate::table::keys::{self, Key};
use crate::table::owned::Unwritten;
use crate::table::row::{self, Condition, Row, Write};
use crate::{Page, Store, StoreError, TenantScope, Versioned};

/// The reason why something of a contact cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum NotCreated {
    /// There is no such contact, it is deleted, or it was merged into another.
    #[error("there is no such contact")]
    NoContact,
    /// The contact has the maximum number.
    #[error("the contact has as many as it may")]
    Full,
    /// The table; [`StoreError::Conflict`] if the id exists.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn key<T: Recorded>(scope: &TenantScope, contact: ContactId, own: Ulid) -> Key {
    keys::of_contact(scope, contact, T::KIND, own)
}

fn row<T: Recorded>(
    scope: &TenantScope,
    thing: &T,
    condition: Condition,
    version: u64,
    stamp: &Stamp,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let (contact, own) = thing.id().place();
    let row = Row::new(&key::<T>(scope, contact, own), T::WORD, thing, condition, doing)?;
    Ok(row.version(version).with_stamp(stamp))
}

fn count_key<T: Recorded>(scope: &TenantScope, contact: ContactId) -> Key {
    keys::count_of_contact(scope, contact, T::WORD)
}

// Indices in `create_writes`.
pub(super) const ROW: usize = 0;
const COUNT: usize = 1;
const CONTACT: usize = 2;

pub(super) fn create_writes<T: Recorded>(
    scope: &TenantScope,
    thing: &T,
    stamp: &Stamp,
) -> Result<Vec<Write>, StoreError> {
    let (contact, _) = thing.id().place();
    let mut writes = vec![
        Write::Put(row(scope, thing, Condition::NewOrGone, 1, stamp, T::CREATE)?),
        Write::CountBelow(count_key::<T>(scope, contact), T::MAX),
        Write::Shown(keys::contact(scope, contact)),
    ];
    writes.extend(mention_writes(scope, thing, &[], thing.mentions(), stamp, T::CREATE)?);
    Ok(writes)
}

/// The reason why these of the writes of [`create_writes`] were refused.
pub(super) fn not_created<T: Recorded>(refused: &[usize]) -> NotCreated {
    let refused = |write: usize| refused.contains(&write);
    if refused(CONTACT) {
        NotCreated::NoContact
    } else if refused(COUNT) && !refused(ROW) {
        NotCreated::Full
    } else {
        StoreError::Conflict { doing: T::CREATE }.into()
    }
}

impl Store {
    /// A recorded thing with its version, of a contact or of one that was merged into it; `None` if the contact has no such thing, does not
    /// exist, is deleted, or was merged into another. One request of two rows.
    pub async fn of_contact<T: Recorded>(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        id: T::Id,
    ) -> Result<Option<Versioned<T>>, StoreError> {
        let (creator, own) = id.place();
        let (holder, wanted) = (keys::contact(scope, contact), key::<T>(scope, creator, own));
        let both = [holder.clone(), wanted.clone()];
        let mut found = self.database.get_many(&both, T::WORD).await?;
        let read = self.follow_aliases(scope, found.remove(&holder), T::WORD).await?;
        let shown = read.filter(|read| read.id == contact && read.deleted_at.is_none());
        if !shown.is_some_and(|shown| shown.is(creator)) {
            return Ok(None);
        }
        row::read_versioned(found.remove(&wanted), None, T::WORD)
    }

    /// A page of recorded things, the newest first, with the contact; `None` if it does not exist or is deleted. If it was merged into
    /// another: that one, as its id says. `after`: the own part of the id of the last one on the previous page. The cursor of the next page
    /// is an id. A page may hold fewer than `limit`: those deleted within the last day are left out.
    pub async fn page_of_contact<T: Recorded>(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        after: Option<Ulid>,
        limit: i32,
        now: Timestamp,
    ) -> Result<Option<(Contact, Page<Versioned<T>>)>, StoreError> {
        let wanted = Wanted {
            only: Some(T::KIND),
            order: Order::NewestFirst,
            after: after.map(|own| TimelinePosition::new(T::KIND, own)),
            limit,
            now,
            doing: T::WORD,
        };
        let Some((contact, (rows, next))) = self.items_of(scope, contact, wanted).await? else {
            return Ok(None);
        };
        let rows = rows
            .into_iter()
            .filter_map(|(_, item)| row::read_versioned(Some(item), None, T::WORD).transpose());
        let items = rows.collect::<Result<_, _>>()?;
        let next = next.and_then(|position| {
            let last = key::<T>(scope, contact.id, position.own_id());
            keys::record_id(&last.pk, &last.sk)
        });
        Ok(Some((contact, Page { items, next })))
    }

    /// Creates one, unless the contact does not exist, is deleted or has the maximum number. Write units for the row (2 per KB), 2
    /// for the counter, 2 for the check of the contact, and 4 for each user whom it mentions.
    ///
    /// # Errors
    /// [`NotCreated`].
    pub async fn create_of_contact<T: Recorded>(
        &self,
        scope: &TenantScope,
        thing: &T,
        stamp: &Stamp,
    ) -> Result<(), NotCreated> {
        let lost = match self
            .write_until_settled(create_writes(scope, thing, stamp)?, T::CREATE)
            .await
        {
            Ok(()) => return Ok(()),
            Err(Unwritten::Store(error)) => return Err(error.into()),
            Err(Unwritten::Lost(lost)) => lost,
        };
        Err(not_created::<T>(&lost.refused))
    }

    /// Changes one under the condition of the version that was read. Returns its new version.
    pub async fn change_of_contact<T: Recorded>(
        &self,
        scope: &TenantScope,
        before: &Versioned<T>,
        after: &T,
        stamp: &Stamp,
    ) -> Result<u64, StoreError> {
        let (condition, version) = (Condition::Version(before.version), before.version + 1);
        let row = row(scope, after, condition, version, stamp, T::CHANGE)?;
        let (former, mentions) = (before.value.mentions(), after.mentions());
        let mut writes = mention_writes(scope, after, former, mentions, stamp, T::CHANGE)?;
        if writes.is_empty() {
            self.database.put(row, T::CHANGE).await?;
        } else {
            writes.insert(0, Write::Put(row));
            self.database.transact_writes(writes, T::CHANGE).await?;
        }
        Ok(version)
    }

    /// Deletes one under the condition of the version that was read: it is hidden, and removed after a day.
    pub async fn remove_of_contact<T: Recorded>(
        &self,
        scope: &TenantScope,
        before: &Versioned<T>,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        let (thing, condition) = (&before.value, Condition::Version(before.version));
        let row = row(scope, thing, condition, before.version + 1, stamp, T::DELETE)?;
        let mut writes = vec![
            Write::Put(row.mark_deleted(stamp.at)),
            Write::CountDown(count_key::<T>(scope, thing.id().place().0)),
        ];
        writes.extend(mention_writes(scope, thing, thing.mentions(), &[], stamp, T::DELETE)?);
        match self.write_until_settled(writes, T::DELETE).await {
            Ok(()) => Ok(()),
            Err(Unwritten::Store(error)) => Err(error),
            Err(Unwritten::Lost(_)) => Err(StoreError::Conflict { doing: T::DELETE }),
        }
    }
}
