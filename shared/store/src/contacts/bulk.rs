//! People who come in large numbers, as by imports: looked up a hundred at a time, and written at the lowest price that keeps a
//! number with one contact.
//!
//! A contact and its identities are one transaction, so no race leaves a number without a contact or two contacts with one number. Their
//! profile and then what they are listed by follow, each by itself, at half the price. If a process dies in between, the contact is
//! there without them, and whoever makes the same contact again adds them: the id is the caller's, and the same each time. The profile
//! comes first because an erasure knows from it what the contact is listed by, also if nobody adds the rest. Since an erasure can
//! overtake these writes, the contact is read once more behind them.

use std::collections::{HashMap, HashSet};

use domain::people::{Addition, Found, Identity, Linked, Person, Suppression};
use domain::terms::ContactId;

use crate::contacts::{Brought, ContactWrite, Leads, PersonError, ProfileWrite, consent_row, profile_row};
use crate::table::keys::{self, Key};
use crate::table::row::{Row, Write};
use crate::{Store, StoreError, TenantScope, Versioned};

/// Facts about the people with some identities.
#[derive(Debug, Default)]
pub struct KnownPeople {
    /// The contacts that identities lead to, by the texts of their keys.
    leads: HashMap<String, ContactId>,
    /// Identities on the suppression list, which lead to no contact.
    suppressed: HashMap<String, Versioned<Suppression>>,
    people: HashMap<ContactId, Person>,
    /// Identities of people who were erased.
    erased: HashSet<String>,
}

/// The person with some identities.
#[derive(Debug, Clone)]
pub struct KnownPerson {
    pub found: Found,
    /// Entries of the suppression list for these identities.
    pub suppressed: Vec<Versioned<Suppression>>,
}

impl KnownPeople {
    /// The person with these identities.
    pub fn find(&self, identities: &[Identity]) -> KnownPerson {
        let keys: Vec<String> = identities.iter().map(Identity::key).collect();
        let suppressed = keys.iter().filter_map(|key| self.suppressed.get(key).cloned());
        KnownPerson {
            suppressed: suppressed.collect(),
            found: self.find_by_keys(&keys),
        }
    }

    fn find_by_keys(&self, keys: &[String]) -> Found {
        // Whoever called or wrote again is a contact, so nobody is brought back.
        let is_erased = |key: &String| self.erased.contains(key) && !self.leads.contains_key(key);
        if keys.iter().any(is_erased) {
            return Found::Erased;
        }
        let leads: HashSet<ContactId> = keys.iter().filter_map(|key| self.leads.get(key).copied()).collect();
        let mut people: Vec<&Person> = Vec::with_capacity(leads.len());
        for id in &leads {
            match self.people.get(id) {
                Some(person) if !person.contact.erasing => people.push(person),
                // Its identities are deleted in a moment.
                _ => return Found::Erased,
            }
        }
        match people.as_slice() {
            [] => Found::Nobody,
            [person] => Found::One(Box::new(Person::clone(person))),
            several => Found::Several {
                deleted: several.iter().any(|person| person.contact.deleted_at.is_some()),
            },
        }
    }
}

/// Result of adding a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// All of it is written.
    Whole,
    /// The contact exists otherwise: somebody else has written its profile, or it was merged into another. Read it, and change what is
    /// missing.
    Otherwise,
    /// The contact is being erased, or was just erased. Nothing is left of the attempt.
    Erased,
}

impl Store {
    /// Reads the facts about the people with these identities. At most four requests for a hundred, and two more if some of them were
    /// merged into others.
    pub async fn known_people(&self, scope: &TenantScope, identities: &[Identity]) -> Result<KnownPeople, StoreError> {
        const DOING: &str = "find the contacts of many identities";
        if identities.is_empty() {
            return Ok(KnownPeople::default());
        }
        let different: HashSet<&Identity> = identities.iter().collect();
        let different: Vec<Identity> = different.into_iter().cloned().collect();
        let texts: Vec<String> = different.iter().map(Identity::key).collect();
        let leads = self.leads_only(scope, &different, DOING).await?;
        let mut known = KnownPeople::default();
        for (text, leads) in texts.iter().zip(leads) {
            match leads {
                Leads::To(contact) => drop(known.leads.insert(text.clone(), contact)),
                Leads::Suppressed(found) => drop(known.suppressed.insert(text.clone(), *found)),
                Leads::Nowhere => {}
            }
        }
        let mut wanted: Vec<ContactId> = known.leads.values().copied().collect();
        wanted.sort();
        wanted.dedup();
        known.people = self.people_by_id(scope, &wanted).await?;
        // Those that were merged into others.
        wanted.retain(|id| !known.people.contains_key(id));
        if !wanted.is_empty() {
            let (survivors, _) = self.followed_many(scope, &wanted, &[], DOING).await?;
            for leads in known.leads.values_mut() {
                if let Some(survivor) = survivors.get(leads) {
                    *leads = survivor.id;
                }
            }
            let ids: Vec<ContactId> = survivors.values().map(|survivor| survivor.id).collect();
            known.people.extend(self.people_by_id(scope, &ids).await?);
        }
        known.erased = self.erased_among(scope, &texts).await?;
        Ok(known)
    }

    /// A contact with its profile by its id, as [`KnownPeople::find`] finds others.
    pub async fn known_as(&self, scope: &TenantScope, id: ContactId) -> Result<Found, StoreError> {
        Ok(match self.known_person(scope, id).await? {
            Some(person) if !person.contact.erasing => Found::One(Box::new(person)),
            Some(_) => Found::Erased,
            None => Found::Nobody,
        })
    }

    /// Adds a person with entries in the consent ledger, if there are any, and what new identities bring. Doing it again adds what an
    /// interrupted attempt left out.
    ///
    /// # Errors
    /// [`PersonError::Taken`] if somebody else has one of the identities; when the table does not answer.
    pub async fn add_person(
        &self,
        scope: &TenantScope,
        addition: &Addition,
        brought: &Brought,
    ) -> Result<Added, PersonError> {
        const DOING: &str = "add a contact";
        let Person { contact, profile } = &*addition.person;
        let new = contact.known_by();
        let linked = Linked {
            new: new.clone(),
            dropped: Vec::new(),
        };
        let write = ContactWrite {
            suppressed: brought.suppressed.clone(),
            ..ContactWrite::from_linked(contact.clone(), linked)
        };
        let mut writes = write.writes(scope, DOING)?;
        // An attempt that is made again does not find the suppressions any more.
        writes.extend(brought.writes(scope, DOING)?);
        let written = match writes.pop() {
            // Half the price of a transaction.
            Some(Write::Put(own)) if writes.is_empty() => {
                self.database.put(own, DOING).await.map_err(PersonError::from)
            }
            last => {
                writes.extend(last);
                self.write_person(scope, writes, 1, &new, DOING).await
            }
        };
        match written {
            // An attempt that was interrupted: what follows is made again.
            Err(PersonError::Store(lost)) if lost.is_conflict() => match self.known_person(scope, contact.id).await? {
                None => return Err(lost.into()),
                // It was merged into another: rows under its own id would be found by no erasure.
                Some(own) if own.contact.id != contact.id => return Ok(Added::Otherwise),
                Some(own) if own.contact.erasing => return Ok(Added::Erased),
                Some(_) => {}
            },
            written => written?,
        }
        let entries = addition.consent.iter();
        let entries = entries.map(|(id, entry)| consent_row(scope, contact.id, *id, entry, DOING));
        self.database
            .put_many(entries.collect::<Result<_, _>>()?, DOING)
            .await?;
        let row = profile_row(scope, contact.id, profile, DOING)?;
        if !self.database.try_put(row, DOING).await? {
            return Ok(Added::Otherwise);
        }
        // The condition that the contact is there would make it a transaction, for three write units more; reading it behind the
        // profile costs one read unit. An erasure that begins after that finds all rows, and one that began before leaves them to us.
        if self.list_person(scope, &addition.person).await? {
            return Ok(Added::Whole);
        }
        self.take_back(scope, addition).await?;
        Ok(Added::Erased)
    }

    /// Deletes what was written of a person after an erasure had begun.
    async fn take_back(&self, scope: &TenantScope, addition: &Addition) -> Result<(), StoreError> {
        let contact = addition.person.contact.id;
        let entries = addition.consent.iter();
        let entries = entries.map(|(id, _)| keys::consent(scope, contact, *id));
        let late: Vec<Key> = entries.chain([keys::profile(scope, contact)]).collect();
        self.database.delete_many(&late, "take back an erased contact").await
    }

    /// Lists a contact by what its stored profile says; doing it again adds what an interrupted attempt left out. Since the profile is
    /// stored, whoever changes, merges or erases the contact meanwhile takes it off these lists. What they did before these writes is
    /// made good: the contact is read once more. Returns false if it is erased, or its erasure has begun.
    pub async fn list_person(&self, scope: &TenantScope, person: &Person) -> Result<bool, StoreError> {
        const DOING: &str = "list a contact";
        let id = person.contact.id;
        let ours = person.profile.listings();
        let rows = ours
            .iter()
            .map(|listing| Row::bare(&keys::listing(scope, id, listing), "listing"));
        self.database.put_many(rows.collect(), DOING).await?;
        let now = self.known_person(scope, id).await?;
        let is_there = now
            .as_ref()
            .is_some_and(|now| now.contact.id != id || !now.contact.erasing);
        // A contact that was merged into another stands in no list by its own id, and one that is being erased in none at all.
        let theirs = now.filter(|now| now.contact.id == id && is_there);
        let theirs = theirs.map(|now| now.profile.listings()).unwrap_or_default();
        let wrong = ours.difference(&theirs);
        let wrong: Vec<Key> = wrong.map(|listing| keys::listing(scope, id, listing)).collect();
        self.database.delete_many(&wrong, DOING).await?;
        Ok(is_there)
    }

    /// Changes a person who was found, with entries in the consent ledger, if there are any, and what new identities bring. Nothing is
    /// written if nothing differs.
    ///
    /// # Errors
    /// [`PersonError`]; [`StoreError::Conflict`] after a lost race.
    pub async fn change_found(
        &self,
        scope: &TenantScope,
        before: &Person,
        after: &Addition,
        brought: &Brought,
    ) -> Result<(), PersonError> {
        const DOING: &str = "change a contact by an import";
        let Addition { person, consent, .. } = after;
        let id = person.contact.id;
        let changed = before.profile != person.profile;
        let profile = changed.then(|| ProfileWrite {
            before: before.profile.clone(),
            after: person.profile.clone(),
        });
        let linked = Linked::between(&before.contact, &person.contact);
        // A deleted contact is written itself, since no more is required of it than that nobody else has written it.
        if before.contact == person.contact && person.contact.deleted_at.is_none() {
            let Some(profile) = profile else {
                return Ok(());
            };
            let mut writes = profile.writes(scope, id, DOING)?;
            // Nothing of an erased contact comes back, and nothing is written to one that was merged into another.
            writes.push(Write::Shown(keys::contact(scope, id)));
            return self.write_person(scope, writes, 1, &[], DOING).await;
        }
        let write = ContactWrite {
            profile,
            suppressed: brought.suppressed.clone(),
            ..ContactWrite::from_linked(person.contact.clone(), linked.clone())
        };
        let mut writes = write.writes(scope, DOING)?;
        for (entry_id, entry) in consent {
            writes.push(Write::Put(consent_row(scope, id, *entry_id, entry, DOING)?));
        }
        writes.extend(brought.writes(scope, DOING)?);
        self.write_person(scope, writes, 1, &linked.new, DOING).await
    }
}
