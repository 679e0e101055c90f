//! Things of a contact that stand in its partition and belong to nobody else, such as notes and conversions: one way to read, list and
//! create them. A contact that does not exist or is deleted has none and gets none. Those of contacts that were merged into another
//! stay where they are, and are the survivor's.
//!
//! Creating costs one transaction and no read: a counter beside the rows refuses one too many, and the check of the contact holds until
//! the row is written, so that nothing of an erased contact stays behind.

use domain::{
    base::{actor::Stamp, ids::ContactId},
    contacts::{contact::Contact, conversion::Conversion, note::Note},
};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use ulid::Ulid;

use crate::{
    Page, Store, StoreError, TenantScope, Versioned,
    contacts::timeline::{Kind, Position, Wanted},
    table::{
        keys::{self, Key},
        owned::Unwritten,
        row::{self, Condition, Row, Write},
    },
};

/// A kind of thing of a contact.
pub trait OfContact: Serialize + DeserializeOwned + Sync {
    /// Kind of its rows.
    const KIND: &'static str;
    /// Prefix of their sort keys, which no other rows of the partition have.
    const PREFIX: &'static str;
    /// Kind of its entries in the timeline, whose keys are the same.
    const ENTRIES: Kind;
    /// Maximum per contact.
    const MAX: u32;

    /// The contact, and its own part of the id.
    fn place(&self) -> (ContactId, Ulid);
}

impl OfContact for Note {
    const KIND: &'static str = "note";
    const PREFIX: &'static str = keys::NOTE;
    const ENTRIES: Kind = Kind::Note;
    const MAX: u32 = Self::MAX;

    fn place(&self) -> (ContactId, Ulid) {
        (self.id.contact(), self.id.own())
    }
}

impl OfContact for Conversion {
    const KIND: &'static str = "conversion";
    const PREFIX: &'static str = keys::CONVERSION;
    const ENTRIES: Kind = Kind::Conversion;
    const MAX: u32 = Self::MAX;

    fn place(&self) -> (ContactId, Ulid) {
        (self.id.contact(), self.id.own())
    }
}

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

fn key<T: OfContact>(scope: &TenantScope, (contact, own): (ContactId, Ulid)) -> Key {
    keys::of_contact(scope, contact, T::PREFIX, own)
}

pub(crate) fn row<T: OfContact>(
    scope: &TenantScope,
    thing: &T,
    condition: Condition,
    version: u64,
    stamp: &Stamp,
) -> Result<Row, StoreError> {
    let row = Row::new(&key::<T>(scope, thing.place()), T::KIND, thing, condition, T::KIND)?;
    Ok(row.version(version).stamped(stamp))
}

pub(crate) fn count_key<T: OfContact>(scope: &TenantScope, contact: ContactId) -> Key {
    keys::count_of_contact(scope, contact, T::KIND)
}

// Indices in `create_writes`.
const ROW: usize = 0;
const COUNT: usize = 1;
const CONTACT: usize = 2;

fn create_writes<T: OfContact>(scope: &TenantScope, thing: &T, stamp: &Stamp) -> Result<Vec<Write>, StoreError> {
    let (contact, _) = thing.place();
    Ok(vec![
        Write::Put(row(scope, thing, Condition::NewOrGone, 1, stamp)?),
        Write::CountBelow(count_key::<T>(scope, contact), T::MAX),
        Write::Shown(keys::contact(scope, contact)),
    ])
}

impl Store {
    /// One of them with its version, of a contact or of one that was merged into it; `None` if the contact has no such thing, does
    /// not exist, is deleted, or was merged into another. One request of two rows. `place`: the contact that it was created for, and
    /// its own part of the id.
    pub async fn of_contact<T: OfContact>(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        place: (ContactId, Ulid),
    ) -> Result<Option<Versioned<T>>, StoreError> {
        let (holder, wanted) = (keys::contact(scope, contact), key::<T>(scope, place));
        let both = [holder.clone(), wanted.clone()];
        let mut found = self.database.get_many(&both, T::KIND).await?;
        let read = self.followed(scope, found.remove(&holder), T::KIND).await?;
        let shown = read.filter(|read| read.id == contact && read.deleted_at.is_none());
        if !shown.is_some_and(|shown| shown.is(place.0)) {
            return Ok(None);
        }
        row::versioned(found.remove(&wanted), None, T::KIND)
    }

    /// One page of them, the newest first, with the contact; `None` if it does not exist or is deleted. If it was merged into
    /// another: that one, as its id says. `after`: the own part of the id of the last one on the previous page. The cursor of the
    /// next page is an id. A page may hold fewer than `limit`: those deleted within the last day are left out.
    pub async fn page_of_contact<T: OfContact>(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        after: Option<Ulid>,
        limit: i32,
        now: Timestamp,
    ) -> Result<Option<(Contact, Page<Versioned<T>>)>, StoreError> {
        let wanted = Wanted {
            only: Some(T::ENTRIES),
            after: after.map(|own| Position::new(T::ENTRIES, own)),
            limit,
            now,
            doing: T::KIND,
        };
        let Some((contact, (rows, next))) = self.items_of(scope, contact, wanted).await? else {
            return Ok(None);
        };
        let rows = rows
            .into_iter()
            .filter_map(|(_, item)| row::versioned(Some(item), None, T::KIND).transpose());
        let items = rows.collect::<Result<_, _>>()?;
        let next = next.and_then(|position| {
            let last = key::<T>(scope, (contact.id, position.own()));
            keys::id_of_contact(&last.pk, &last.sk)
        });
        Ok(Some((contact, Page { items, next })))
    }

    /// Creates one, unless the contact does not exist, is deleted or has the maximum number. Write units for the row (2 per KB), 2
    /// for the counter, and 2 for the check of the contact.
    ///
    /// # Errors
    /// [`NotCreated`].
    pub async fn create_of_contact<T: OfContact>(
        &self,
        scope: &TenantScope,
        thing: &T,
        stamp: &Stamp,
    ) -> Result<(), NotCreated> {
        let lost = match self.settled(create_writes(scope, thing, stamp)?, T::KIND).await {
            Ok(()) => return Ok(()),
            Err(Unwritten::Store(error)) => return Err(error.into()),
            Err(Unwritten::Lost(lost)) => lost,
        };
        let refused = |write: usize| lost.refused.contains(&write);
        Err(if refused(CONTACT) {
            NotCreated::NoContact
        } else if refused(COUNT) && !refused(ROW) {
            NotCreated::Full
        } else {
            StoreError::Conflict { doing: T::KIND }.into()
        })
    }
}
