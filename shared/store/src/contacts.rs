//! Contacts, their identities and their history.

use domain::{
    contact::{Change, Contact, Identity, Linked, MOST_SAME},
    ids::ContactId,
    note::Note,
    person::Person,
    profile::Profile,
    record::{Call, ConsentEntry, Entry, Received},
};
use jiff::Timestamp;
use ulid::Ulid;

use crate::{
    Store, StoreError, TenantScope, compact, keys,
    row::{self, Condition, Item, Row, Write},
};

/// A contact, and the rows that are written together with it.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactWrite {
    /// The new state. `version` is the one that was read; 0 for a new contact.
    pub contact: Contact,
    /// Identities that will lead to it. They did not exist when they were looked up.
    pub new_identities: Vec<Identity>,
    /// Identities for which it has no room any more. They no longer lead to it, unless it refuses messages.
    pub dropped_identities: Vec<Identity>,
    /// Its profile, if that changes.
    pub profile: Option<ProfileWrite>,
}

/// A changed profile. The lists in which the contact stands change with it.
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
        let (before, after) = (self.before.listings(), self.after.listings());
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
            profile: None,
        }
    }
}

impl ContactWrite {
    /// The contact, and the identities that lead to it.
    #[must_use]
    pub fn linked(contact: Contact, linked: Linked) -> Self {
        Self {
            new_identities: linked.new,
            dropped_identities: linked.dropped,
            ..Self::from(contact)
        }
    }

    /// A contact that is seen for the first time, with the identity that leads to it.
    #[must_use]
    pub fn new(contact: Contact, identity: Identity) -> Self {
        Self {
            new_identities: vec![identity],
            ..Self::from(contact)
        }
    }

    /// Its writes, for a transaction: its own row, then those of its new identities, then the others.
    pub(crate) fn writes(&self, scope: &TenantScope, doing: &'static str) -> Result<Vec<Write>, StoreError> {
        let id = self.contact.id;
        let mut rows = vec![contact_row(scope, &self.contact, doing)?];
        for identity in &self.new_identities {
            rows.push(found_by(scope, identity, id, Condition::NewOrGone, doing)?);
        }
        let heard = self.contact.last_inbound_at.max(self.contact.last_call_at);
        for identity in &self.dropped_identities {
            let row = identity_row(scope, identity, id, Condition::Always, doing)?;
            rows.push(if self.contact.refuses() {
                // Otherwise a call from it would make a new contact, of which no refusal is known.
                row.listed(keys::suppressed(scope), identity.key())
            } else {
                // The identity belongs to somebody else from now on.
                row.gone(heard.unwrap_or(self.contact.created_at))
            });
        }
        let mut writes: Vec<Write> = rows.into_iter().map(Write::Put).collect();
        if let Some(profile) = &self.profile {
            writes.extend(profile.writes(scope, id, doing)?);
        }
        Ok(writes)
    }

    /// The same with an entry in the consent ledger, if its consent changed.
    fn writes_with(
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

fn identity_row(
    scope: &TenantScope,
    identity: &Identity,
    contact: ContactId,
    condition: Condition,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let key = keys::identity(scope, identity);
    Row::new(&key, "identity", &contact, condition, doing)
}

/// The row of an identity by which the contact can be found. Telephone numbers are also listed by their last digits.
fn found_by(
    scope: &TenantScope,
    identity: &Identity,
    contact: ContactId,
    condition: Condition,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let row = identity_row(scope, identity, contact, condition, doing)?;
    Ok(match identity {
        Identity::Phone(phone) => row.listed(keys::numbers(scope), keys::number(phone, contact)),
        _ => row,
    })
}

fn unchanged(version: u64) -> Condition {
    match version {
        0 => Condition::New,
        version => Condition::Version(version),
    }
}

fn contact_row(scope: &TenantScope, contact: &Contact, doing: &'static str) -> Result<Row, StoreError> {
    let key = keys::contact(scope, contact.id);
    let version = contact.version + 1;
    let deleted = contact.deleted_at.map(|at| {
        let place = keys::listed_as(&keys::sortable(at), contact.id);
        (keys::deleted(scope), place)
    });
    // Listed by its id, so that a new name does not move it past a cursor.
    Ok(Row::new(&key, "contact", contact, unchanged(contact.version), doing)?
        .data(compact::shrink_contact)
        .version(version)
        .listed(keys::contacts(scope), contact.id.to_string())
        .in_state(deleted))
}

fn profile_row(
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
    let stage = next.stage.map(|staged| {
        let place = keys::listed_as(&keys::sortable(staged.since), contact);
        (keys::stage(scope, staged.stage), place)
    });
    let row = Row::new(&key, "profile", &next, unchanged(profile.version), doing)?;
    Ok(row.version(next.version).in_state(stage))
}

/// A contact whose erasure has begun still has its identities for a moment. Whoever looks it up tries again: then they lead to nobody,
/// and a new contact is created.
fn unerased(contact: &Contact, doing: &'static str) -> Result<(), StoreError> {
    if contact.erasing {
        return Err(StoreError::Conflict { doing });
    }
    Ok(())
}

/// A contact with its profile, from their rows.
pub(crate) fn person(contact: Item, profile: Option<Item>, doing: &'static str) -> Result<Person, StoreError> {
    let profile = profile.map(|item| row::data(item, doing)).transpose()?;
    Ok(Person {
        contact: compact::contact(contact, doing)?,
        profile: profile.unwrap_or_default(),
    })
}

impl Store {
    /// The contact that has this identity.
    ///
    /// # Errors
    /// When the table does not answer, or the contact is being deleted.
    pub async fn contact_of(&self, scope: &TenantScope, identity: &Identity) -> Result<Option<Contact>, StoreError> {
        const DOING: &str = "find the contact of an identity";
        let Some(id) = self.id_of(scope, identity, DOING).await? else {
            return Ok(None);
        };
        let found = self.contact(scope, id).await?;
        let found = found.ok_or(StoreError::Gone { doing: DOING })?;
        unerased(&found, DOING)?;
        Ok(Some(found))
    }

    /// The same with its profile, in the same number of requests.
    ///
    /// # Errors
    /// When the table does not answer, or the contact is being deleted.
    pub async fn known_of(&self, scope: &TenantScope, identity: &Identity) -> Result<Option<Person>, StoreError> {
        const DOING: &str = "find the contact of an identity and its profile";
        let Some(id) = self.id_of(scope, identity, DOING).await? else {
            return Ok(None);
        };
        let found = self.known(scope, id).await?;
        let found = found.ok_or(StoreError::Gone { doing: DOING })?;
        unerased(&found.contact, DOING)?;
        Ok(Some(found))
    }

    async fn id_of(
        &self,
        scope: &TenantScope,
        identity: &Identity,
        doing: &'static str,
    ) -> Result<Option<ContactId>, StoreError> {
        let item = self.database.get(&keys::identity(scope, identity), doing).await?;
        item.filter(row::live).map(|item| row::data(item, doing)).transpose()
    }

    /// A contact with its profile, in one request.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn known(&self, scope: &TenantScope, id: ContactId) -> Result<Option<Person>, StoreError> {
        const DOING: &str = "read a contact and its profile";
        let (contact, profile) = (keys::contact(scope, id), keys::profile(scope, id));
        let mut found = self
            .database
            .get_many(&[contact.clone(), profile.clone()], DOING)
            .await?;
        let Some(contact) = found.remove(&contact) else {
            return Ok(None);
        };
        person(contact, found.remove(&profile), DOING).map(Some)
    }

    /// The profile of a contact; empty if there is none.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn profile(&self, scope: &TenantScope, id: ContactId) -> Result<Profile, StoreError> {
        const DOING: &str = "read a contact's profile";
        let item = self.database.get(&keys::profile(scope, id), DOING).await?;
        let profile = item.map(|item| row::data(item, DOING)).transpose()?;
        Ok(profile.unwrap_or_default())
    }

    /// The contacts with these identities, one entry per identity. Two requests, however many there are.
    ///
    /// # Errors
    /// When the table does not answer, or one of the contacts is being deleted.
    pub async fn contacts_of(
        &self,
        scope: &TenantScope,
        identities: &[Identity],
    ) -> Result<Vec<Option<Contact>>, StoreError> {
        const DOING: &str = "find the contacts of identities";
        if let [identity] = identities {
            return Ok(vec![self.contact_of(scope, identity).await?]);
        }
        let id_keys: Vec<_> = identities
            .iter()
            .map(|identity| keys::identity(scope, identity))
            .collect();
        let mut found = self.database.get_many(&id_keys, DOING).await?;
        let mut ids: Vec<Option<ContactId>> = Vec::with_capacity(id_keys.len());
        for key in &id_keys {
            let item = found.remove(key).filter(row::live);
            ids.push(item.map(|item| row::data(item, DOING)).transpose()?);
        }
        let mut wanted: Vec<ContactId> = ids.iter().flatten().copied().collect();
        wanted.sort();
        wanted.dedup();
        if wanted.is_empty() {
            return Ok(vec![None; ids.len()]);
        }
        let contact_keys: Vec<_> = wanted.iter().map(|id| keys::contact(scope, *id)).collect();
        let items = self.database.get_many(&contact_keys, DOING).await?;
        let mut contacts: Vec<Contact> = Vec::with_capacity(items.len());
        for item in items.into_values() {
            let contact = compact::contact(item, DOING)?;
            unerased(&contact, DOING)?;
            contacts.push(contact);
        }
        let found = ids.into_iter().map(|id| {
            let contact = id.map(|id| contacts.iter().find(|contact| contact.id == id).cloned());
            contact
                .map(|found| found.ok_or(StoreError::Gone { doing: DOING }))
                .transpose()
        });
        found.collect()
    }

    /// A contact.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn contact(&self, scope: &TenantScope, id: ContactId) -> Result<Option<Contact>, StoreError> {
        const DOING: &str = "read a contact";
        self.database
            .get(&keys::contact(scope, id), DOING)
            .await?
            .map(|item| compact::contact(item, DOING))
            .transpose()
    }

    /// Whether a contact exists.
    pub(crate) async fn has_contact(
        &self,
        scope: &TenantScope,
        id: ContactId,
        doing: &'static str,
    ) -> Result<bool, StoreError> {
        let item = self.database.get(&keys::contact(scope, id), doing).await?;
        Ok(item.as_ref().is_some_and(row::live))
    }

    /// Writes a contact under the condition that it is unchanged since it was read, with a consent entry if its consent
    /// changed.
    ///
    /// # Errors
    /// A conflict after a lost race.
    pub async fn write_contact(
        &self,
        scope: &TenantScope,
        write: &ContactWrite,
        consent: Option<(Ulid, &ConsentEntry)>,
    ) -> Result<(), StoreError> {
        const DOING: &str = "write a contact";
        self.write_all(write.writes_with(scope, consent, DOING)?, DOING).await
    }

    /// Links an identity to a contact, unless it is linked already. Returns the contact it is linked to.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn link_identity(
        &self,
        scope: &TenantScope,
        identity: &Identity,
        contact: ContactId,
    ) -> Result<ContactId, StoreError> {
        const DOING: &str = "link an identity";
        let key = keys::identity(scope, identity);
        let row = found_by(scope, identity, contact, Condition::NewOrGone, DOING)?;
        match self.database.put(row, DOING).await {
            Ok(()) => return Ok(contact),
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(error),
        }
        let item = self.database.get(&key, DOING).await?;
        item.map_or(Ok(contact), |item| row::data(item, DOING))
    }

    /// The other contacts that proved to be the same person as these, also those that only one of the others names, as long
    /// as one contact and [`MOST_SAME`] others are not exceeded. Nothing is read if these name none.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn others_of(&self, scope: &TenantScope, people: &[&Contact]) -> Result<Vec<Contact>, StoreError> {
        const DOING: &str = "read the other contacts of a person";
        let mut seen: Vec<ContactId> = people.iter().map(|contact| contact.id).collect();
        let mut named: Vec<ContactId> = people
            .iter()
            .flat_map(|contact| contact.same_as.iter().copied())
            .collect();
        let mut others: Vec<Contact> = Vec::new();
        while people.len() + others.len() <= MOST_SAME {
            let mut wanted = Vec::new();
            for id in std::mem::take(&mut named) {
                if !seen.contains(&id) {
                    seen.push(id);
                    wanted.push(keys::contact(scope, id));
                }
            }
            if wanted.is_empty() {
                break;
            }
            let mut found = self.database.get_many(&wanted, DOING).await?;
            for key in &wanted {
                let room = people.len() + others.len() <= MOST_SAME;
                if let Some(item) = found.remove(key).filter(|_| room) {
                    let other = compact::contact(item, DOING)?;
                    named.extend(other.same_as.iter().copied());
                    others.push(other);
                }
            }
        }
        Ok(others)
    }

    /// Reads, changes and writes a contact. `change` returns what has to be written. Returns whether anything was written.
    ///
    /// A change of consent is made to all contacts of the same person, in one transaction. They are read only then.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race.
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
        let mut writes = changed(scope, contact, made, consent_id, DOING)?;
        for mut other in others {
            let made = change(&mut other);
            writes.extend(changed(scope, other, made, consent_id, DOING)?);
        }
        self.write_all(writes, DOING).await?;
        Ok(true)
    }

    /// The newest `limit` each of a contact's messages, calls and consent entries, newest first within each, unless their
    /// retention is over. Three queries of one partition: in a single one, many messages would hide the calls.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn history(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        limit: i32,
        now: Timestamp,
    ) -> Result<Vec<Entry>, StoreError> {
        const DOING: &str = "read a contact's history";
        let partition = keys::contact_partition(scope, contact);
        let newest = |prefix| self.database.query(&partition, prefix, limit, true, DOING);
        let (messages, calls, consent) = tokio::try_join!(
            Box::pin(newest(keys::MESSAGE)),
            Box::pin(newest(keys::CALL)),
            Box::pin(newest(keys::CONSENT))
        )?;
        let items = messages.into_iter().chain(calls).chain(consent);
        let kept = items.filter_map(|item| row::kept(item, now));
        kept.filter_map(|item| entry(item, DOING).transpose()).collect()
    }
}

/// The writes of a changed contact; none if nothing has changed. `consent_id`: of the entry in its ledger, if there is one.
fn changed(
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
        Change::Consent(entry) => (Linked::default(), Some(entry)),
    };
    let consent = entry.as_ref().map(|entry| (consent_id, entry));
    ContactWrite::linked(contact, linked).writes_with(scope, consent, doing)
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
        Condition::New,
        doing,
    )
}

/// Reads a row of a contact's history; `None` if it is of another kind.
pub(crate) fn entry(item: Item, doing: &'static str) -> Result<Option<Entry>, StoreError> {
    let kind = row::string(&item, "kind").unwrap_or_default().to_owned();
    Ok(match kind.as_str() {
        "call" => Some(Entry::Call(row::data::<Box<Call>>(item, doing)?)),
        "message" => Some(Entry::Sent(compact::message(item, doing)?)),
        "received" => Some(Entry::Received(row::data::<Received>(item, doing)?)),
        "consent" => Some(Entry::Consent(row::data::<ConsentEntry>(item, doing)?)),
        "note" => Some(Entry::Note(row::data::<Note>(item, doing)?)),
        _ => None,
    })
}

/// Retention of rows that only deduplicate or lead to others.
pub(crate) const REFERENCE_LIFE: jiff::SignedDuration = jiff::SignedDuration::from_hours(60 * 24);

/// Position in a list by time. Its own id makes it unique; the row's key, which the index contains, names the contact.
pub(crate) fn happened(at: Timestamp, id: Ulid) -> String {
    format!("{}#{}", keys::sortable(at), keys::lower(id))
}
