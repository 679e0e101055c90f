//! Rows of telephone numbers that were written by the form of the number, before it had a key of another form: see
//! [decision 0093](../../../../../docs/decisions/0093-one-key-per-number.md).

use domain::people::{ConsentEntry, Contact, consent_id};
use jiff::Timestamp;

use crate::{
    Store, StoreError, TenantScope, Versioned,
    table::{
        keys,
        row::{Condition, Row, Write},
    },
};
use {
    super::{ContactWrite, consent_row, refuse_erasing},
    crate::contacts::{Lead, Leads},
};

const DOING: &str = "lead to a contact by the key of its number";

impl Store {
    /// Moves former rows to the keys of their numbers, and reads the leads again if there were any. Two contacts of one key are one person from
    /// then on, and what either refuses holds for both. Callers need the permission to write contacts.
    ///
    /// Safe to run twice: the former rows are gone afterwards, so nothing is left to do.
    ///
    /// # Errors
    /// When the table does not answer; a conflict if somebody else has just written one of the contacts.
    pub async fn renew_leads(&self, scope: &TenantScope, leads: Vec<Lead>) -> Result<Vec<Lead>, StoreError> {
        if !leads.iter().any(|lead| matches!(lead.former, Leads::To(_))) {
            return Ok(leads);
        }
        for lead in &leads {
            self.renew(scope, lead).await?;
        }
        let identities: Vec<_> = leads.into_iter().map(|lead| lead.identity).collect();
        self.leads_of(scope, &identities).await
    }

    /// Moves the former row of one lead, as [`Store::renew_leads`] does for several.
    ///
    /// # Errors
    /// As [`Store::renew_leads`].
    pub async fn renewed_lead(&self, scope: &TenantScope, lead: Lead) -> Result<Lead, StoreError> {
        let mut renewed = Box::pin(self.renew_leads(scope, vec![lead])).await?;
        renewed.pop().ok_or(StoreError::Gone { doing: DOING })
    }

    async fn renew(&self, scope: &TenantScope, lead: &Lead) -> Result<(), StoreError> {
        let (Leads::To(id), Some(former)) = (&lead.former, keys::former(scope, &lead.identity)) else {
            return Ok(());
        };
        let mut gone_since = Timestamp::UNIX_EPOCH;
        let mut writes = Vec::new();
        if let Some(own) = self.contact_for(scope, *id, DOING).await? {
            refuse_erasing(&own, DOING)?;
            gone_since = own.created_at;
            let other = match &lead.leads {
                Leads::To(id) => self.contact_for(scope, *id, DOING).await?,
                Leads::Suppressed(_) | Leads::Nowhere => None,
            };
            match other {
                Some(other) if other.id != own.id => {
                    refuse_erasing(&other, DOING)?;
                    writes.extend(one_person(scope, &own, &other)?);
                    writes.extend(one_person(scope, &other, &own)?);
                }
                Some(_) => {}
                None => writes.extend(found_by_key(scope, lead, own)?),
            }
        }
        let gone = Row::new(&former, "identity", id, Condition::Always, DOING)?;
        writes.push(Write::Put(gone.mark_deleted(gone_since)));
        self.write_all(writes, DOING).await
    }
}

/// The writes that give a contact the refusals of another contact of the same person, and its name.
fn one_person(scope: &TenantScope, contact: &Contact, other: &Contact) -> Result<Vec<Write>, StoreError> {
    let mut contact = contact.clone();
    let entries = contact.share_refusals(other);
    contact.is_also([other.id]);
    writes_with_entries(scope, &contact.into(), entries)
}

/// The writes that make the key of a number lead to a contact, and give it the refusals stored there.
fn found_by_key(scope: &TenantScope, lead: &Lead, mut contact: Contact) -> Result<Vec<Write>, StoreError> {
    let (mut suppressed, mut entries) = (Vec::new(), Vec::new());
    if let Leads::Suppressed(known) = &lead.leads {
        entries = known.value.pass_on(&mut contact);
        suppressed.push(Versioned::clone(known));
    }
    let write = ContactWrite {
        suppressed,
        ..ContactWrite::new(contact, lead.identity.clone())
    };
    writes_with_entries(scope, &write, entries)
}

fn writes_with_entries(
    scope: &TenantScope,
    write: &ContactWrite,
    entries: impl IntoIterator<Item = ConsentEntry>,
) -> Result<Vec<Write>, StoreError> {
    let contact = write.contact.id;
    let mut writes = write.writes(scope, DOING)?;
    for (place, entry) in entries.into_iter().enumerate() {
        let id = consent_id(entry.at, &format!("{contact}#key#{place}"));
        writes.push(Write::Put(consent_row(scope, contact, id, &entry, DOING)?));
    }
    Ok(writes)
}
