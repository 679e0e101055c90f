//! Contacts, their identities and their history.

mod identities;
mod ledger;

use std::collections::HashMap;

use domain::calls::Entry;
use domain::messages::Needs;
use domain::people::{
    Alias, Change, ConsentEntry, Contact, Identity, Linked, MAX_ALIASES, MAX_SAME, Person, Profile, Suppression,
};
use domain::terms::ContactId;
use jiff::Timestamp;
use ulid::Ulid;

use crate::contacts::timeline_entry;
use crate::inbox::OnLine;
use crate::messages::keys_of;
use crate::table::compact;
use crate::table::keys::{self, IndexPlace, Key};
use crate::table::row::{self, ALIAS, Condition, Item, Row, Write, text};
use crate::{Along, Store, StoreError, TenantScope, Versioned};

pub use self::identities::{Begun, Holder, Lead, Refusals};
pub(crate) use self::identities::{Leads, Remembered, SUPPRESSION};
pub use self::ledger::Recorded;
pub(crate) use self::ledger::consent_row;

/// A contact, and the rows that are written together with it.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactWrite {
    /// The new state. `version` is the one that was read; 0 for a new contact.
    pub contact: Contact,
    /// Identities that will lead to it. They led nowhere when they were looked up, or to it.
    pub new_identities: Vec<Identity>,
    /// Identities that it has no room for any more. They still lead to it.
    pub dropped_identities: Vec<Identity>,
    /// Identities that a user took from it and the suppression list does not have. They lead to nobody.
    pub removed_identities: Vec<Identity>,
    /// Its profile, if that changes.
    pub profile: Option<ProfileWrite>,
    /// Entries of the suppression list for the new identities. The contact holds their refusals; they leave the list.
    pub suppressed: Vec<Versioned<Suppression>>,
}

/// A changed profile. The contact's entries in lists change with it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileWrite {
    /// The profile that was read; empty if there was none.
    pub before: Profile,
    /// The new state. `version` is the one that was read; 0 for a new one.
    pub after: Profile,
}

impl From<Profile> for ProfileWrite {
    /// The first profile of a contact.
    fn from(after: Profile) -> Self {
        Self {
            before: Profile::default(),
            after,
        }
    }
}

impl ProfileWrite {
    /// Its writes, for a transaction. The first one is the profile's own row.
    pub(crate) fn writes(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        doing: &'static str,
    ) -> Result<Vec<Write>, StoreError> {
        let mut writes = vec![Write::Put(profile_row(scope, contact, &self.after, doing)?)];
        let after = self.after.listings();
        let before = self.before.listings();
        let key = |listing| keys::listing(scope, contact, listing);
        let new = after.difference(&before).map(key);
        writes.extend(new.map(|key| Write::Put(Row::bare(&key, "listing"))));
        writes.extend(before.difference(&after).map(key).map(Write::Clear));
        Ok(writes)
    }
}

impl From<Contact> for ContactWrite {
    /// The contact alone.
    fn from(contact: Contact) -> Self {
        Self {
            contact,
            new_identities: Vec::new(),
            dropped_identities: Vec::new(),
            removed_identities: Vec::new(),
            profile: None,
            suppressed: Vec::new(),
        }
    }
}

impl ContactWrite {
    /// The contact, and the identities that lead to it.
    pub fn from_linked(contact: Contact, linked: Linked) -> Self {
        Self {
            new_identities: linked.new,
            dropped_identities: linked.dropped,
            ..Self::from(contact)
        }
    }

    /// A contact that is seen for the first time, with the identity that leads to it.
    pub fn new(contact: Contact, identity: Identity) -> Self {
        Self {
            new_identities: vec![identity],
            ..Self::from(contact)
        }
    }

    /// Its writes, for a transaction: its own row, then those of its new identities, then the others.
    pub(crate) fn writes(&self, scope: &TenantScope, doing: &'static str) -> Result<Vec<Write>, StoreError> {
        let id = self.contact.id;
        let mut writes = vec![Write::Put(contact_row(scope, &self.contact, doing)?)];
        for identity in &self.new_identities {
            // A suppression that was added meanwhile has a refusal that the contact does not hold yet.
            let mut suppressed = self.suppressed.iter();
            let suppressed = suppressed.find(|known| known.value.address.identity() == *identity);
            writes.push(match suppressed {
                Some(known) => Write::Put(identity_lead_row(
                    scope,
                    identity,
                    id,
                    Condition::Version(known.version),
                    doing,
                )?),
                // One that the contact had before still leads to it, if it refuses messages, or to a contact that was merged into it.
                None => Write::PutOwn(
                    identity_lead_row(scope, identity, id, Condition::Always, doing)?,
                    self.contact.ids().map(|own| text(own.to_string())).collect(),
                ),
            });
        }
        let heard = self.contact.last_inbound_at.max(self.contact.last_call_at);
        for identity in &self.dropped_identities {
            // It is still the person's: otherwise a STOP from it would be that of a new contact, and not reach this one.
            let row = identity_row(scope, identity, id, Condition::Always, doing)?;
            writes.push(Write::Put(
                row.in_list(keys::contact_partition(scope, id), identity.key()),
            ));
        }
        for identity in &self.removed_identities {
            // It belongs to somebody else from now on.
            let row = identity_row(scope, identity, id, Condition::Always, doing)?;
            writes.push(Write::Put(row.mark_deleted(heard.unwrap_or(self.contact.created_at))));
        }
        if let Some(profile) = &self.profile {
            writes.extend(profile.writes(scope, id, doing)?);
        }
        Ok(writes)
    }

    /// Its writes, for a transaction, with an entry in the consent ledger if its consent changed.
    pub(crate) fn writes_with(
        &self,
        scope: &TenantScope,
        consent: Option<(Ulid, &ConsentEntry)>,
        doing: &'static str,
    ) -> Result<Vec<Write>, StoreError> {
        let mut writes = self.writes(scope, doing)?;
        if let Some((id, entry)) = consent {
            writes.push(Write::Put(consent_row(scope, self.contact.id, id, entry, doing)?));
        }
        Ok(writes)
    }
}

pub(crate) fn identity_row(
    scope: &TenantScope,
    identity: &Identity,
    contact: ContactId,
    condition: Condition,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let key = keys::identity(scope, identity);
    Row::new(&key, "identity", &contact, condition, doing)
}

/// The row that leads from an identity to the contact. Telephone numbers are also listed by their last digits.
pub(crate) fn identity_lead_row(
    scope: &TenantScope,
    identity: &Identity,
    contact: ContactId,
    condition: Condition,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let row = identity_row(scope, identity, contact, condition, doing)?;
    Ok(match identity {
        Identity::Phone(phone) => row.in_list(keys::numbers(scope), keys::number(phone, contact)),
        _ => row,
    })
}

pub(crate) fn if_contact_unchanged(version: u64) -> Condition {
    match version {
        0 => Condition::New,
        version => Condition::Version(version),
    }
}

fn contact_row(scope: &TenantScope, contact: &Contact, doing: &'static str) -> Result<Row, StoreError> {
    let key = keys::contact(scope, contact.id);
    let version = contact.version + 1;
    let state = match contact.deleted_at {
        Some(at) => Some(IndexPlace {
            partition: keys::deleted_contacts(scope),
            sort: keys::listed_as(&keys::sortable(at), contact.id),
        }),
        None if contact.same_as.is_empty() => None,
        None => Some(IndexPlace {
            partition: keys::duplicates(scope),
            sort: keys::lower(contact.id.ulid()),
        }),
    };
    // Listed by its id, so that a new name does not move it past a cursor.
    Ok(
        Row::new(&key, "contact", contact, if_contact_unchanged(contact.version), doing)?
            .data(compact::shrink_contact)
            .version(version)
            .in_list(keys::contacts(scope), contact.id.to_string())
            .in_state(state),
    )
}

pub(crate) fn profile_row(
    scope: &TenantScope,
    contact: ContactId,
    profile: &Profile,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let key = keys::profile(scope, contact);
    let next = Profile {
        version: profile.version + 1,
        ..profile.clone()
    };
    let stage = next.stage.map(|staged| IndexPlace {
        partition: keys::stage(scope, staged.stage),
        sort: keys::listed_as(&keys::sortable(staged.since), contact),
    });
    let row = Row::new(&key, "profile", &next, if_contact_unchanged(profile.version), doing)?;
    Ok(row.version(next.version).in_state(stage))
}

/// A contact whose erasure has begun still has its identities for a moment. Whoever looks it up tries again: then they lead to nobody,
/// and a new contact is created.
fn refuse_erasing(contact: &Contact, doing: &'static str) -> Result<(), StoreError> {
    if contact.erasing {
        return Err(StoreError::Conflict { doing });
    }
    Ok(())
}

/// The contact that the contact of this row was merged into, if it was.
pub(crate) fn merged_into(item: &Item, doing: &'static str) -> Result<Option<ContactId>, StoreError> {
    if row::string(item, "kind") != Some(ALIAS) {
        return Ok(None);
    }
    let alias: Alias = row::data(item.clone(), doing)?;
    Ok(Some(alias.into))
}

/// A contact with its profile, from their rows.
pub(crate) fn person_from_rows(
    contact: Item,
    profile: Option<Item>,
    doing: &'static str,
) -> Result<Person, StoreError> {
    let profile = row::data_if_any(profile, doing)?;
    Ok(Person {
        contact: compact::contact(contact, doing)?,
        profile: profile.unwrap_or_default(),
    })
}

impl Store {
    /// A contact with its profile, in one request. If it was merged into another: that one, as its id says.
    pub async fn known_person(&self, scope: &TenantScope, id: ContactId) -> Result<Option<Person>, StoreError> {
        let (found, _) = self.known_with(scope, id, &Needs::default(), None).await?;
        Ok(found)
    }

    /// A contact with its profile, the rows that a message will probably need, and the conversation on a line, in one request.
    pub async fn known_with(
        &self,
        scope: &TenantScope,
        id: ContactId,
        needs: &Needs,
        on: Option<OnLine>,
    ) -> Result<(Option<Person>, Along), StoreError> {
        const DOING: &str = "read a contact and its profile";
        let mut along = keys_of(scope, needs).concat();
        along.extend(OnLine::keys(on, scope, &[id]));
        let (mut people, rows) = self.known_many(scope, &[id], &along, DOING).await?;
        Ok((people.remove(&id), Along::of(along, rows)))
    }

    /// The contact of this row. If it was merged into another: that one. At most [`MAX_ALIASES`] lead from one to the next.
    ///
    /// # Errors
    /// When the table does not answer; a conflict if contacts are merged faster than they are read.
    pub(crate) async fn follow_aliases(
        &self,
        scope: &TenantScope,
        item: Option<Item>,
        doing: &'static str,
    ) -> Result<Option<Contact>, StoreError> {
        let mut item = item;
        for _ in 0..=MAX_ALIASES {
            let Some(found) = item else {
                return Ok(None);
            };
            let Some(into) = merged_into(&found, doing)? else {
                return compact::contact(found, doing).map(Some);
            };
            item = self.database.get(&keys::contact(scope, into), doing).await?;
        }
        Err(StoreError::Conflict { doing })
    }

    /// Several contacts by the ids that were asked for, each replaced by its survivor if it was merged, and these other rows along with
    /// them. One request per hundred rows, and one more for each step from a contact that was merged.
    pub(crate) async fn followed_many(
        &self,
        scope: &TenantScope,
        ids: &[ContactId],
        along: &[Key],
        doing: &'static str,
    ) -> Result<(HashMap<ContactId, Contact>, HashMap<Key, Item>), StoreError> {
        let (found, rows) = self.rows_of_many(scope, ids, false, along, doing).await?;
        let contacts = found
            .into_iter()
            .map(|(asked, (contact, _))| Ok((asked, compact::contact(contact, doing)?)));
        Ok((contacts.collect::<Result<_, StoreError>>()?, rows))
    }

    /// As [`followed_many`](Self::followed_many), with the contacts' profiles.
    pub(crate) async fn known_many(
        &self,
        scope: &TenantScope,
        ids: &[ContactId],
        along: &[Key],
        doing: &'static str,
    ) -> Result<(HashMap<ContactId, Person>, HashMap<Key, Item>), StoreError> {
        let (found, rows) = self.rows_of_many(scope, ids, true, along, doing).await?;
        let people = found.into_iter();
        let people = people.map(|(asked, (contact, profile))| Ok((asked, person_from_rows(contact, profile, doing)?)));
        Ok((people.collect::<Result<_, StoreError>>()?, rows))
    }

    /// The rows of contacts, and those of their profiles if they are wanted.
    async fn rows_of_many(
        &self,
        scope: &TenantScope,
        ids: &[ContactId],
        profiles: bool,
        mut along: &[Key],
        doing: &'static str,
    ) -> Result<(HashMap<ContactId, (Item, Option<Item>)>, HashMap<Key, Item>), StoreError> {
        let mut people = HashMap::with_capacity(ids.len());
        let mut rows = HashMap::with_capacity(along.len());
        // Each id, and the one that it leads to so far.
        let mut leads: Vec<(ContactId, ContactId)> = ids.iter().map(|id| (*id, *id)).collect();
        for _ in 0..=MAX_ALIASES {
            let contacts = leads.iter().map(|(_, id)| keys::contact(scope, *id));
            let of_profiles = leads
                .iter()
                .filter(|_| profiles)
                .map(|(_, id)| keys::profile(scope, *id));
            let wanted: Vec<Key> = contacts.chain(of_profiles).chain(along.iter().cloned()).collect();
            let mut found = self.database.get_many(&wanted, doing).await?;
            for key in std::mem::take(&mut along) {
                rows.extend(found.remove(key).map(|item| (key.clone(), item)));
            }
            let mut further = Vec::new();
            for (asked, id) in leads {
                let Some(contact) = found.get(&keys::contact(scope, id)) else {
                    continue;
                };
                match merged_into(contact, doing)? {
                    Some(into) => further.push((asked, into)),
                    None => {
                        let profile = found.get(&keys::profile(scope, id)).cloned();
                        people.insert(asked, (contact.clone(), profile));
                    }
                }
            }
            leads = further;
            if leads.is_empty() {
                return Ok((people, rows));
            }
        }
        Err(StoreError::Conflict { doing })
    }

    /// A contact with its profile and the version of the tenant's configuration, also in one request. If it was merged into another:
    /// that one, as its id says.
    pub async fn known_as_of(&self, scope: &TenantScope, id: ContactId) -> Result<(Option<Person>, u64), StoreError> {
        const DOING: &str = "read a contact, its profile and the version of the configuration";
        let tenant = keys::tenant(scope);
        let along = std::slice::from_ref(&tenant);
        let (mut people, rows) = self.known_many(scope, &[id], along, DOING).await?;
        Ok((people.remove(&id), rows.get(&tenant).map_or(0, row::version_of)))
    }

    /// The profile of a contact; empty if there is none.
    pub async fn profile(&self, scope: &TenantScope, id: ContactId) -> Result<Profile, StoreError> {
        const DOING: &str = "read a contact's profile";
        let item = self.database.get(&keys::profile(scope, id), DOING).await?;
        let profile = row::data_if_any(item, DOING)?;
        Ok(profile.unwrap_or_default())
    }

    /// A contact. If it was merged into another: that one, as its id says.
    pub async fn contact(&self, scope: &TenantScope, id: ContactId) -> Result<Option<Contact>, StoreError> {
        self.contact_for(scope, id, "read a contact").await
    }

    /// As [`contact`](Self::contact), for another purpose in errors.
    pub(crate) async fn contact_for(
        &self,
        scope: &TenantScope,
        id: ContactId,
        doing: &'static str,
    ) -> Result<Option<Contact>, StoreError> {
        let item = self.database.get(&keys::contact(scope, id), doing).await?;
        self.follow_aliases(scope, item, doing).await
    }

    /// Writes a contact under the condition that it is unchanged since it was read, with a consent entry if its consent
    /// changed.
    pub async fn write_contact(
        &self,
        scope: &TenantScope,
        write: &ContactWrite,
        consent: Option<(Ulid, &ConsentEntry)>,
    ) -> Result<(), StoreError> {
        const DOING: &str = "write a contact";
        self.write_all(write.writes_with(scope, consent, DOING)?, DOING).await
    }

    /// The other contacts that proved to be the same person as these, also those that only one of the others names, as long
    /// as one contact and [`MAX_SAME`] others are not exceeded. Nothing is read if these name none.
    pub async fn others_of(&self, scope: &TenantScope, people: &[&Contact]) -> Result<Vec<Contact>, StoreError> {
        const DOING: &str = "read the other contacts of a person";
        let mut seen: Vec<ContactId> = people.iter().flat_map(|contact| contact.ids()).collect();
        let mut named: Vec<ContactId> = people
            .iter()
            .flat_map(|contact| contact.same_as.iter().copied())
            .collect();
        let mut others: Vec<Contact> = Vec::new();
        while people.len() + others.len() <= MAX_SAME {
            let mut wanted = Vec::new();
            for id in std::mem::take(&mut named) {
                if !seen.contains(&id) {
                    seen.push(id);
                    wanted.push(id);
                }
            }
            if wanted.is_empty() {
                break;
            }
            let (mut found, _) = self.followed_many(scope, &wanted, &[], DOING).await?;
            for id in &wanted {
                let room = people.len() + others.len() <= MAX_SAME;
                let Some(other) = found.remove(id).filter(|_| room) else {
                    continue;
                };
                // One that was merged leads to a contact that may be known.
                if other.id == *id || !seen.contains(&other.id) {
                    seen.extend(other.ids());
                    named.extend(other.same_as.iter().copied());
                    others.push(other);
                }
            }
        }
        Ok(others)
    }

    /// Reads, changes and writes a contact. `change` returns what has to be written. Returns whether anything was written.
    ///
    /// A change of consent is made to all contacts of the same person, in one transaction. They are read only then. In the ledgers of the
    /// others, it is marked as a repetition.
    pub async fn change_contact(
        &self,
        scope: &TenantScope,
        id: ContactId,
        consent_id: Ulid,
        change: impl Fn(&mut Contact) -> Change,
    ) -> Result<bool, StoreError> {
        const DOING: &str = "change a contact";
        let Some(mut contact) = self.contact(scope, id).await? else {
            return Ok(false);
        };
        let made = change(&mut contact);
        let others = match &made {
            Change::Nothing => return Ok(false),
            Change::Contact | Change::Linked(_) => Vec::new(),
            Change::Consent(_) => Box::pin(self.others_of(scope, &[&contact])).await?,
        };
        let mut writes = writes_of_change(scope, contact, made, consent_id, DOING)?;
        for mut other in others {
            let made = change(&mut other).as_repetition();
            writes.extend(writes_of_change(scope, other, made, consent_id, DOING)?);
        }
        self.write_all(writes, DOING).await?;
        Ok(true)
    }

    /// The newest `limit` each of a contact's messages, calls and consent entries, newest first within each, unless their
    /// retention is over, then those of each contact that was merged into it. Three queries of one partition: in a single one, many
    /// messages would hide the calls.
    pub async fn history(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        limit: i32,
        now: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        const DOING: &str = "read a contact's history";
        let known = self.contact_for(scope, contact, DOING).await?;
        let ids: Vec<ContactId> = known.map_or_else(|| vec![contact], |known| known.ids().collect());
        let mut history = Vec::new();
        for id in ids {
            let partition = keys::contact_partition(scope, id);
            let newest = |prefix| self.database.query(&partition, prefix, limit, true, DOING);
            let (messages, calls, consent) = tokio::try_join!(
                Box::pin(newest(keys::MESSAGE)),
                Box::pin(newest(keys::CALL)),
                Box::pin(newest(keys::CONSENT))
            )?;
            let items = messages.into_iter().chain(calls).chain(consent);
            for item in items.filter_map(|item| row::unexpired_item(item, now)) {
                history.extend(timeline_entry(item, DOING)?);
            }
        }
        Ok(history)
    }
}

/// The writes of a changed contact; none if nothing has changed. `consent_id`: of the entry in its ledger, if there is one.
fn writes_of_change(
    scope: &TenantScope,
    contact: Contact,
    made: Change,
    consent_id: Ulid,
    doing: &'static str,
) -> Result<Vec<Write>, StoreError> {
    let (linked, entry) = match made {
        Change::Nothing => return Ok(Vec::new()),
        Change::Contact => (Linked::default(), None),
        Change::Linked(linked) => (linked, None),
        Change::Consent(entry) => (Linked::default(), Some(*entry)),
    };
    let consent = entry.as_ref().map(|entry| (consent_id, entry));
    ContactWrite::from_linked(contact, linked).writes_with(scope, consent, doing)
}

/// Retention of rows that only deduplicate or lead to others.
pub(crate) const REFERENCE_LIFE: jiff::SignedDuration = jiff::SignedDuration::from_hours(60 * 24);

/// Position in a list by time. Its own id makes it unique; the row's key, which the index contains, names the contact.
pub(crate) fn sort_key_by_time(at: Timestamp, id: Ulid) -> String {
    format!("{}#{}", keys::sortable(at), keys::lower(id))
}
