//! The suppression list: identities of people who are no contacts and must not be messaged, also those that a user took from a contact
//! that refuses messages.
//!
//! An identity has one row, which leads to a contact or holds a refusal. So either a contact is created first, and a suppression
//! of its identity is refused, or the suppression is first, and whoever creates the contact finds it: the row of the contact's
//! identity replaces it under the condition that it is the one whose refusal the contact took over.

use domain::people::{Address, Contact, Identity, Refused, Suppression};
use domain::terms::{ContactId, Stamp, SuppressionId, derive_id};

use crate::contacts::{Leads, SUPPRESSION};
use crate::table::keys::{self, Key, Listed};
use crate::table::owned::created_version;
use crate::table::row::{self, Condition, Row};
use crate::{Page, Store, StoreError, TenantScope, Versioned};

/// The reason why an address cannot be suppressed.
#[derive(Debug, thiserror::Error)]
pub enum SuppressError {
    /// It belongs to a contact, whose own consent says what may be sent.
    #[error("the address belongs to a contact")]
    Contact(ContactId),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn row_of(
    scope: &TenantScope,
    suppression: &Suppression,
    condition: Condition,
    version: u64,
    stamp: &Stamp,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let identity = suppression.address.identity();
    let row = Row::new(
        &keys::identity(scope, &identity),
        SUPPRESSION,
        suppression,
        condition,
        doing,
    )?;
    Ok(row.version(version).with_stamp(stamp))
}

/// The row of an address that a contact loses by a user's change, with what the contact refuses: whoever gets the address has these
/// refusals. `None` if the contact refuses nothing, or the identity is of a kind that the list does not have. `place`: that of the
/// address among those that the change takes.
pub(crate) fn suppression_left_by(
    scope: &TenantScope,
    contact: &Contact,
    identity: &Identity,
    place: usize,
    stamp: &Stamp,
    doing: &'static str,
) -> Result<Option<Row>, StoreError> {
    let address = match identity {
        Identity::Phone(phone) => Address::Phone(phone.clone()),
        Identity::Email(email) => Address::Email(email.clone()),
        Identity::Bsuid(_) | Identity::Sip(_) | Identity::Sender(_) | Identity::Withheld(_) => return Ok(None),
    };
    let now = u64::try_from(stamp.at.as_millisecond()).unwrap_or_default();
    // Not of the address, which could be guessed from it.
    let cause = format!("{}#{}#{place}", contact.id, stamp.correlation_id);
    let id = SuppressionId::new(derive_id(now, cause.as_bytes()));
    let Some(left) = Suppression::left_by(contact, address, id, stamp.actor, stamp.at) else {
        return Ok(None);
    };
    let row = row_of(scope, &left, Condition::Always, now, stamp, doing)?;
    Ok(Some(row.in_list(keys::suppressed_identities(scope), identity.key())))
}

impl Store {
    /// The suppression of an address, with the version that its next change needs.
    pub async fn suppression(
        &self,
        scope: &TenantScope,
        address: &Address,
    ) -> Result<Option<Versioned<Suppression>>, StoreError> {
        const DOING: &str = "read a suppressed address";
        let item = self
            .database
            .get(&keys::identity(scope, &address.identity()), DOING)
            .await?;
        Ok(match Leads::read(item, DOING)? {
            Leads::Suppressed(known) => Some(*known),
            Leads::To(_) | Leads::Nowhere => None,
        })
    }

    /// Adds a refusal to an address. If the address is not on the list, it gets there with `fresh` as its id. Returns its entry.
    ///
    /// # Errors
    /// [`SuppressError::Contact`] if it belongs to a contact; [`StoreError::Conflict`] after a lost race.
    pub async fn suppress(
        &self,
        scope: &TenantScope,
        address: &Address,
        fresh: SuppressionId,
        refused: &Refused,
        stamp: &Stamp,
    ) -> Result<Versioned<Suppression>, SuppressError> {
        const DOING: &str = "suppress an address";
        let identity = address.identity();
        let item = self.database.get(&keys::identity(scope, &identity), DOING).await?;
        let (condition, before, value) = match Leads::read(item, DOING)? {
            Leads::To(contact) => return Err(SuppressError::Contact(contact)),
            Leads::Nowhere => {
                let value = Suppression::new(fresh, address.clone(), refused.clone());
                (Condition::NewOrGone, 0, value)
            }
            Leads::Suppressed(known) => {
                let Versioned { mut value, version } = *known;
                value.add(refused.clone());
                (Condition::Version(version), version, value)
            }
        };
        // Never the version of an entry that was removed before.
        let version = created_version(stamp.at).max(before + 1);
        let row = row_of(scope, &value, condition, version, stamp, DOING)?;
        let row = row.in_list(keys::suppressed_identities(scope), identity.key());
        self.database.put(row, DOING).await?;
        Ok(Versioned { value, version })
    }

    /// Removes an address from the list, under the condition of the version that was read.
    pub async fn unsuppress(
        &self,
        scope: &TenantScope,
        before: &Versioned<Suppression>,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "remove an address from the suppression list";
        let unchanged = Condition::Version(before.version);
        let row = row_of(scope, &before.value, unchanged, before.version + 1, stamp, DOING)?;
        self.database.put(row.mark_deleted(stamp.at), DOING).await
    }

    /// A page of the suppression list, sorted by address: e-mail addresses, then telephone numbers. `after` is the end of the previous
    /// page. Addresses that have just become contacts' are left out, so a page can hold fewer than `limit`.
    pub async fn suppressions(
        &self,
        scope: &TenantScope,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Page<Versioned<Suppression>>, StoreError> {
        const DOING: &str = "list suppressed addresses";
        let partition = keys::suppressed_identities(scope);
        let start = after.map(|position| Listed {
            key: keys::identity_called(scope, position),
            partition: partition.clone(),
            sort: position.to_owned(),
        });
        let (listed, more) = self.database.list(&partition, start, limit, DOING).await?;
        let named = listed.iter().filter_map(|item| row::string(item, "gsi1sk"));
        let next = named.clone().next_back().filter(|_| more).map(str::to_owned);
        let keys: Vec<Key> = named.map(|identity| keys::identity_called(scope, identity)).collect();
        let mut rows = self.database.get_many(&keys, DOING).await?;
        let mut items = Vec::new();
        for key in &keys {
            if let Leads::Suppressed(found) = Leads::read(rows.remove(key), DOING)? {
                items.push(*found);
            }
        }
        Ok(Page { items, next })
    }
}
