//! The consent ledgers of contacts.

use domain::people::{ConsentEntry, Contact, HistoryKind};
use domain::terms::ContactId;
use jiff::Timestamp;
use ulid::Ulid;

use super::ContactWrite;
use crate::contacts::{Order, TimelinePosition, Wanted};
use crate::table::keys;
use crate::table::row::{self, Condition, Row, Write};
use crate::{Page, Store, StoreError, TenantScope};

/// An entry of a consent ledger, with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Id that entries are sorted by.
    pub id: String,
    pub entry: ConsentEntry,
}

impl Store {
    /// The newest entries of a contact's consent ledger, newest first, and whether there are more than `most`.
    pub async fn consent_ledger(
        &self,
        scope: &TenantScope,
        contact: &Contact,
        most: usize,
        now: Timestamp,
    ) -> Result<(Vec<Recorded>, bool), StoreError> {
        let mut entries = Vec::new();
        let mut after: Option<TimelinePosition> = None;
        loop {
            let left = i32::try_from(most.saturating_sub(entries.len())).unwrap_or(i32::MAX);
            if left == 0 {
                return Ok((entries, after.is_some()));
            }
            let (items, next) = self.consent_items(scope, contact, after, left, now).await?;
            entries.extend(items);
            after = next;
            if after.is_none() {
                return Ok((entries, false));
            }
        }
    }

    /// Records a wish of a contact, and of all contacts of the same person, with this entry in the ledger of each, whether or not
    /// it changes what is allowed: the entry is proof. In the ledgers of the others, it is marked as a repetition. Returns the contact,
    /// or `None` if it does not exist.
    ///
    /// Writing the same entry again changes nothing but the versions of the contacts.
    pub async fn record_consent(
        &self,
        scope: &TenantScope,
        id: ContactId,
        entry_id: Ulid,
        entry: &ConsentEntry,
    ) -> Result<Option<Contact>, StoreError> {
        let Some(contact) = self.contact(scope, id).await? else {
            return Ok(None);
        };
        self.record_wishes(scope, contact, &[(entry_id, entry.clone())]).await
    }

    /// Records several wishes that were decided for this state of the contact. If it has changed since, the race is lost.
    pub async fn record_wishes(
        &self,
        scope: &TenantScope,
        contact: Contact,
        entries: &[(Ulid, ConsentEntry)],
    ) -> Result<Option<Contact>, StoreError> {
        const DOING: &str = "record wishes";
        let others = Box::pin(self.others_of(scope, &[&contact])).await?;
        let mut writes = Vec::new();
        let mut after = None;
        for mut person in [contact].into_iter().chain(others) {
            for (_, entry) in entries {
                person.record(entry.wish());
            }
            // Also if nothing changes: without the condition of its version, the entries could stay of a contact that was just erased.
            writes.extend(ContactWrite::from(person.clone()).writes(scope, DOING)?);
            person.version += 1;
            let first = after.is_none();
            for (id, entry) in entries {
                let entry = ConsentEntry {
                    repeats: entry.repeats || !first,
                    ..entry.clone()
                };
                writes.push(Write::Put(consent_row(scope, person.id, *id, &entry, DOING)?));
            }
            if first {
                after = Some(person);
            }
        }
        self.write_all(writes, DOING).await?;
        Ok(after)
    }

    /// A page of a contact's consent ledger, newest first, with the entries of the contacts that were merged into it. `after` is the end of
    /// the previous page.
    pub async fn consent_page(
        &self,
        scope: &TenantScope,
        contact: &Contact,
        after: Option<TimelinePosition>,
        limit: i32,
        now: Timestamp,
    ) -> Result<Page<Recorded>, StoreError> {
        let (items, next) = self.consent_items(scope, contact, after, limit, now).await?;
        let next = next.map(|position| position.to_string());
        Ok(Page { items, next })
    }

    async fn consent_items(
        &self,
        scope: &TenantScope,
        contact: &Contact,
        after: Option<TimelinePosition>,
        limit: i32,
        now: Timestamp,
    ) -> Result<(Vec<Recorded>, Option<TimelinePosition>), StoreError> {
        const DOING: &str = "read a contact's consent ledger";
        let wanted = Wanted {
            only: Some(HistoryKind::Consent),
            order: Order::NewestFirst,
            after,
            limit,
            now,
            doing: DOING,
        };
        let (rows, next) = self.items_of_known(scope, contact, wanted).await?;
        let items = rows.into_iter().map(|(position, item)| {
            let id = keys::lower(position.own_id());
            row::data(item, DOING).map(|entry| Recorded { id, entry })
        });
        Ok((items.collect::<Result<_, _>>()?, next))
    }
}

pub(crate) fn consent_row(
    scope: &TenantScope,
    contact: ContactId,
    id: Ulid,
    entry: &ConsentEntry,
    doing: &'static str,
) -> Result<Row, StoreError> {
    Row::new(
        &keys::consent(scope, contact, id),
        "consent",
        entry,
        // Ids follow from causes, so it can only be the same entry again.
        Condition::Always,
        doing,
    )
}
