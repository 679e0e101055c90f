//! Contacts, their identities and their history.

use std::collections::HashMap;

use domain::{
    base::ids::ContactId,
    calls::record::{ConsentEntry, Entry},
    consent::{suppression::Suppression, wish::Wish},
    contacts::{
        contact::{Change, Contact, Identity, Linked, MAX_ALIASES, MAX_SAME},
        erasure::Salt,
        history::HistoryKind,
        merge::Alias,
        person::Person,
        profile::Profile,
    },
    messages::{message::Recipient, needs::Needs},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::{
    Along, Page, Store, StoreError, TenantScope, Versioned,
    contacts::timeline::{Order, Position, Wanted, entry},
    inbox::conversation::OnLine,
    messages::material::keys_of,
    table::{
        compact,
        keys::{self, Key},
        row::{self, ALIAS, Condition, Item, Row, Write, text},
    },
    tenants::config::TenantRow,
};

/// A contact, and the rows that are written together with it.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactWrite {
    /// The new state. `version` is the one that was read; 0 for a new contact.
    pub contact: Contact,
    /// Identities that will lead to it. They led nowhere when they were looked up, or to it.
    pub new_identities: Vec<Identity>,
    /// Identities for which it has no room any more. They still lead to it.
    pub dropped_identities: Vec<Identity>,
    /// Identities that a user took from it and the suppression list does not have. They lead to nobody.
    pub removed_identities: Vec<Identity>,
    /// Its profile, if that changes.
    pub profile: Option<ProfileWrite>,
    /// Those of the new identities that are on the suppression list. The contact holds their refusals; they leave the list.
    pub suppressed: Vec<Versioned<Suppression>>,
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
            removed_identities: Vec::new(),
            profile: None,
            suppressed: Vec::new(),
        }
    }
}

impl ContactWrite {
    /// The contact, and the identities that lead to it.
    pub fn linked(contact: Contact, linked: Linked) -> Self {
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
                Some(known) => Write::Put(found_by(scope, identity, id, Condition::Version(known.version), doing)?),
                // One that the contact had before still leads to it, if it refuses messages, or to a contact that was merged into it.
                None => Write::PutOwn(
                    found_by(scope, identity, id, Condition::Always, doing)?,
                    self.contact.ids().map(|own| text(own.to_string())).collect(),
                ),
            });
        }
        let heard = self.contact.last_inbound_at.max(self.contact.last_call_at);
        for identity in &self.dropped_identities {
            // It is still the person's: otherwise a STOP from it would be that of a new contact, and not reach this one.
            let row = identity_row(scope, identity, id, Condition::Always, doing)?;
            writes.push(Write::Put(
                row.listed(keys::contact_partition(scope, id), identity.key()),
            ));
        }
        for identity in &self.removed_identities {
            // It belongs to somebody else from now on.
            let row = identity_row(scope, identity, id, Condition::Always, doing)?;
            writes.push(Write::Put(row.gone(heard.unwrap_or(self.contact.created_at))));
        }
        if let Some(profile) = &self.profile {
            writes.extend(profile.writes(scope, id, doing)?);
        }
        Ok(writes)
    }

    /// The same with an entry in the consent ledger, if its consent changed.
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

/// The row of an identity by which the contact can be found. Telephone numbers are also listed by their last digits.
pub(crate) fn found_by(
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

pub(crate) fn unchanged(version: u64) -> Condition {
    match version {
        0 => Condition::New,
        version => Condition::Version(version),
    }
}

fn contact_row(scope: &TenantScope, contact: &Contact, doing: &'static str) -> Result<Row, StoreError> {
    let key = keys::contact(scope, contact.id);
    let version = contact.version + 1;
    let state = match contact.deleted_at {
        Some(at) => Some((keys::deleted(scope), keys::listed_as(&keys::sortable(at), contact.id))),
        None if contact.same_as.is_empty() => None,
        None => Some((keys::duplicates(scope), keys::lower(contact.id.ulid()))),
    };
    // Listed by its id, so that a new name does not move it past a cursor.
    Ok(Row::new(&key, "contact", contact, unchanged(contact.version), doing)?
        .data(compact::shrink_contact)
        .version(version)
        .listed(keys::contacts(scope), contact.id.to_string())
        .in_state(state))
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

/// The contact that the contact of this row was merged into, if it was.
pub(crate) fn merged_into(item: &Item, doing: &'static str) -> Result<Option<ContactId>, StoreError> {
    if row::string(item, "kind") != Some(ALIAS) {
        return Ok(None);
    }
    let alias: Alias = row::data(item.clone(), doing)?;
    Ok(Some(alias.into))
}

/// A contact with its profile, from their rows.
pub(crate) fn person(contact: Item, profile: Option<Item>, doing: &'static str) -> Result<Person, StoreError> {
    let profile = profile.map(|item| row::data(item, doing)).transpose()?;
    Ok(Person {
        contact: compact::contact(contact, doing)?,
        profile: profile.unwrap_or_default(),
    })
}

/// What an identity leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Holder {
    /// A contact.
    Contact(Box<Contact>),
    /// No contact. Whoever links it to one passes on what is known of its person.
    Nobody(Refusals),
}

/// Refusals of somebody who is no contact, which a contact with their identities has from its first moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Refusals {
    /// Entries of the suppression list, which leave it: see [`ContactWrite::suppressed`].
    pub suppressed: Vec<Versioned<Suppression>>,
    /// Refusals of people who were erased.
    pub remembered: Vec<Wish>,
}

impl Refusals {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.suppressed.is_empty() && self.remembered.is_empty()
    }

    /// Adds those of another identity of the person.
    pub fn add(&mut self, more: Self) {
        self.suppressed.extend(more.suppressed);
        self.remembered.extend(more.remembered);
    }

    /// Carries them over to a contact. Returns the entries for its ledger, which are repetitions.
    pub fn pass_on(&self, contact: &mut Contact) -> Vec<ConsentEntry> {
        let mut entries = Vec::new();
        for suppressed in &self.suppressed {
            entries.extend(suppressed.value.pass_on(contact));
        }
        for refusal in &self.remembered {
            let entry = contact.carry(refusal.clone()).consent();
            entries.extend(entry.map(ConsentEntry::repeated));
        }
        entries
    }
}

/// The row of an identity.
#[derive(Debug)]
pub(crate) enum Leads {
    To(ContactId),
    Suppressed(Box<Versioned<Suppression>>),
    Nowhere,
}

impl Leads {
    const fn contact(&self) -> Option<ContactId> {
        match self {
            Self::To(id) => Some(*id),
            Self::Suppressed(_) | Self::Nowhere => None,
        }
    }

    pub(crate) fn read(item: Option<Item>, doing: &'static str) -> Result<Self, StoreError> {
        let Some(item) = item.filter(row::live) else {
            return Ok(Self::Nowhere);
        };
        if row::string(&item, "kind") != Some(SUPPRESSION) {
            return row::data(item, doing).map(Self::To);
        }
        let version = row::version_of(&item);
        let value = row::data(item, doing)?;
        Ok(Self::Suppressed(Box::new(Versioned { value, version })))
    }
}

/// What leads to somebody with an identity, so far as it was read.
#[derive(Debug)]
pub struct Lead {
    identity: Identity,
    leads: Leads,
    /// The key of what is remembered of them if they were erased; `None` if nobody was by then.
    erased: Option<Key>,
}

impl Lead {
    pub(crate) fn keys(scope: &TenantScope, identities: &[Identity]) -> Vec<Key> {
        let own = identities.iter().map(|identity| keys::identity(scope, identity));
        own.chain((!identities.is_empty()).then(|| keys::salt(scope))).collect()
    }

    pub(crate) fn read(
        scope: &TenantScope,
        identities: &[Identity],
        found: &mut HashMap<Key, Item>,
        doing: &'static str,
    ) -> Result<Vec<Self>, StoreError> {
        let salt: Option<Salt> = found
            .remove(&keys::salt(scope))
            .map(|item| row::data(item, doing))
            .transpose()?;
        let leads = identities.iter().map(|identity| {
            Ok(Self {
                identity: identity.clone(),
                leads: Leads::read(found.remove(&keys::identity(scope, identity)), doing)?,
                erased: salt
                    .as_ref()
                    .map(|salt| keys::erased(scope, &salt.hash(&identity.key()))),
            })
        });
        leads.collect()
    }

    /// Whether it is that of this identity.
    pub fn is_of(&self, identity: &Identity) -> bool {
        self.identity == *identity
    }

    /// Whether it leads to a contact.
    pub const fn to_contact(&self) -> bool {
        matches!(self.leads, Leads::To(_))
    }
}

/// What is stored with the hash of an identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// Time of the erasure.
    pub(crate) at: Timestamp,
    /// Refusals of the person. A new contact with the identity has them from its first moment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) refusals: Vec<Wish>,
}

/// The refusals in a row of what is remembered.
fn remembered(item: Option<Item>, doing: &'static str) -> Result<Vec<Wish>, StoreError> {
    let remembered: Option<Remembered> = item.map(|item| row::data(item, doing)).transpose()?;
    Ok(remembered.map(|remembered| remembered.refusals).unwrap_or_default())
}

/// What work for people begins with: a row of its own, the tenant, and what leads to them.
#[derive(Debug)]
pub struct Begun<T> {
    /// The row.
    pub own: T,
    /// The tenant.
    pub tenant: TenantRow,
    /// What leads to the people, in the order of their identities.
    pub leads: Vec<Lead>,
}

impl<T> Begun<T> {
    pub(crate) fn with<U>(self, own: U) -> Begun<U> {
        let Self { tenant, leads, .. } = self;
        Begun { own, tenant, leads }
    }
}

/// The keys of what is remembered of the people of those of these identities that lead to no contact. If nobody had been erased, that of
/// the salt: the first erasure may just have begun. To be read after the identities' rows, which go later than these come.
fn refusals_behind(scope: &TenantScope, leads: &[Lead]) -> Vec<Key> {
    let free = leads.iter().filter(|lead| !lead.to_contact());
    free.map(|lead| lead.erased.clone().unwrap_or_else(|| keys::salt(scope)))
        .collect()
}

const FIND: &str = "find the contacts of identities";

/// The kind of the rows of suppressed identities.
pub(crate) const SUPPRESSION: &str = "suppression";

/// An entry of a consent ledger, with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Id, by which entries are sorted.
    pub id: String,
    /// The entry.
    pub entry: ConsentEntry,
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

    /// The same with its profile, in the same number of requests. If there is no contact: the refusals of the identity's person.
    ///
    /// # Errors
    /// When the table does not answer, or the contact is being deleted.
    pub async fn known_or_refusals(
        &self,
        scope: &TenantScope,
        identity: &Identity,
    ) -> Result<(Option<Person>, Refusals), StoreError> {
        let lead = self.lead_of(scope, identity).await?;
        let (found, refusals, _) = self.led_to(scope, lead, &Needs::default(), None).await?;
        Ok((found, refusals))
    }

    /// What leads to somebody with this identity.
    pub async fn lead_of(&self, scope: &TenantScope, identity: &Identity) -> Result<Lead, StoreError> {
        let mut leads = self.leads_of(scope, std::slice::from_ref(identity)).await?;
        leads.pop().ok_or(StoreError::Gone { doing: FIND })
    }

    /// What work for people with these identities begins with, in one request: a row of its own, if it has one, and the tenant.
    pub(crate) async fn begun_with(
        &self,
        scope: &TenantScope,
        own: Option<Key>,
        identities: &[Identity],
        doing: &'static str,
    ) -> Result<Begun<Option<Item>>, StoreError> {
        let tenant = keys::tenant(scope);
        let mut wanted = Lead::keys(scope, identities);
        wanted.extend(own.iter().chain([&tenant]).cloned());
        let mut found = self.database.get_many(&wanted, doing).await?;
        Ok(Begun {
            own: own.and_then(|key| found.remove(&key)),
            tenant: TenantRow(found.remove(&tenant)),
            leads: Lead::read(scope, identities, &mut found, doing)?,
        })
    }

    /// What a message to people with these identities begins with, in one request.
    pub async fn begun(&self, scope: &TenantScope, identities: &[Identity]) -> Result<Begun<()>, StoreError> {
        let begun = self.begun_with(scope, None, identities, FIND).await?;
        Ok(begun.with(()))
    }

    /// What leads to people with these identities, in one request.
    pub async fn leads_of(&self, scope: &TenantScope, identities: &[Identity]) -> Result<Vec<Lead>, StoreError> {
        let mut found = self.database.get_many(&Lead::keys(scope, identities), FIND).await?;
        Lead::read(scope, identities, &mut found, FIND)
    }

    /// The contact with its profile, or the refusals of the identity's person, what a message will probably need, and the conversation on
    /// this line, in one request.
    ///
    /// # Errors
    /// When the table does not answer, or the contact is being deleted.
    pub async fn led_to(
        &self,
        scope: &TenantScope,
        lead: Lead,
        needs: &Needs,
        on: Option<OnLine>,
    ) -> Result<(Option<Person>, Refusals, Along), StoreError> {
        const DOING: &str = "read the contact of an identity, or its refusals";
        let mut along = keys_of(scope, needs).concat();
        let id = lead.leads.contact();
        along.extend(OnLine::keys(on, scope, id.as_slice()));
        let wanted = [refusals_behind(scope, std::slice::from_ref(&lead)), along.clone()].concat();
        let (mut people, mut rows) = self.known_many(scope, id.as_slice(), &wanted, DOING).await?;
        let read = self.with_refusals(scope, vec![lead], &mut rows, DOING).await?;
        let refusals = read
            .into_iter()
            .map(|(_, refusals)| refusals)
            .next()
            .unwrap_or_default();
        let along = Along::of(along, rows);
        let Some(id) = id else {
            return Ok((None, refusals, along));
        };
        let found = people.remove(&id).ok_or(StoreError::Gone { doing: DOING })?;
        unerased(&found.contact, DOING)?;
        Ok((Some(found), refusals, along))
    }

    pub(crate) async fn id_of(
        &self,
        scope: &TenantScope,
        identity: &Identity,
        doing: &'static str,
    ) -> Result<Option<ContactId>, StoreError> {
        let item = self.database.get(&keys::identity(scope, identity), doing).await?;
        Ok(Leads::read(item, doing)?.contact())
    }

    /// Whether the recipient is this contact. What it lists itself leads to it, so that usually nothing is read. A number for which it has
    /// no room may lead to it all the same. An id of WhatsApp's is an address only without a number: beside one, it is what a provider's
    /// report has told, and may be another contact's.
    pub async fn is_recipient(
        &self,
        scope: &TenantScope,
        contact: &Contact,
        to: &Recipient,
    ) -> Result<bool, StoreError> {
        const DOING: &str = "find out whom a number leads to";
        let Some(phone) = &to.phone else {
            return Ok(to.bsuid.as_ref().is_none_or(|bsuid| contact.bsuids.contains(bsuid)));
        };
        if contact.phones.contains(phone) {
            return Ok(true);
        }
        let lead = self.id_of(scope, &Identity::Phone(phone.clone()), DOING).await?;
        Ok(lead.is_some_and(|id| contact.is(id)))
    }

    /// A contact with its profile, in one request. If it was merged into another: that one, as its id says.
    pub async fn known(&self, scope: &TenantScope, id: ContactId) -> Result<Option<Person>, StoreError> {
        let (found, _) = self.known_with(scope, id, &Needs::default(), None).await?;
        Ok(found)
    }

    /// The same with what a message will probably need, and the conversation on a line, also in one request.
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
    pub(crate) async fn followed(
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

    /// The same for several contacts, by the ids that were asked for, and these other rows along with them. One request per hundred rows, and
    /// one more for each step from a contact that was merged.
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

    /// The same with their profiles.
    pub(crate) async fn known_many(
        &self,
        scope: &TenantScope,
        ids: &[ContactId],
        along: &[Key],
        doing: &'static str,
    ) -> Result<(HashMap<ContactId, Person>, HashMap<Key, Item>), StoreError> {
        let (found, rows) = self.rows_of_many(scope, ids, true, along, doing).await?;
        let people = found.into_iter();
        let people = people.map(|(asked, (contact, profile))| Ok((asked, person(contact, profile, doing)?)));
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
        let profile = item.map(|item| row::data(item, DOING)).transpose()?;
        Ok(profile.unwrap_or_default())
    }

    /// What these lead to: contacts, or nobody, with the refusals of people who are no contacts. One request, unless some contacts were
    /// merged.
    ///
    /// # Errors
    /// When the table does not answer, or one of the contacts is being deleted.
    pub async fn holders(&self, scope: &TenantScope, leads: Vec<Lead>) -> Result<Vec<Holder>, StoreError> {
        let (holders, _) = self.holders_and_conversation(scope, leads, None).await?;
        Ok(holders)
    }

    /// The same with the conversations on this line, also in one request.
    ///
    /// # Errors
    /// As [`Store::holders`].
    pub async fn holders_and_conversation(
        &self,
        scope: &TenantScope,
        leads: Vec<Lead>,
        on: Option<OnLine>,
    ) -> Result<(Vec<Holder>, Along), StoreError> {
        const DOING: &str = "read the contacts of identities";
        let mut wanted: Vec<ContactId> = leads.iter().filter_map(|lead| lead.leads.contact()).collect();
        wanted.sort();
        wanted.dedup();
        let conversations = OnLine::keys(on, scope, &wanted);
        let along = [refusals_behind(scope, &leads), conversations.clone()].concat();
        let (contacts, mut rows) = self.followed_many(scope, &wanted, &along, DOING).await?;
        for contact in contacts.values() {
            unerased(contact, DOING)?;
        }
        let holders = self.with_refusals(scope, leads, &mut rows, DOING).await?;
        let holders = holders.into_iter().map(|(lead, refusals)| {
            let Some(id) = lead else {
                return Ok(Holder::Nobody(refusals));
            };
            let found = contacts.get(&id).cloned();
            let found = found.map(|contact| Holder::Contact(Box::new(contact)));
            found.ok_or(StoreError::Gone { doing: DOING })
        });
        Ok((holders.collect::<Result<_, _>>()?, Along::of(conversations, rows)))
    }

    /// The same for identities, in one request more.
    pub async fn holders_of(&self, scope: &TenantScope, identities: &[Identity]) -> Result<Vec<Holder>, StoreError> {
        let leads = self.leads_of(scope, identities).await?;
        self.holders(scope, leads).await
    }

    /// The refusals of those of these identities that lead to no contact.
    pub async fn refusals_of(&self, scope: &TenantScope, identities: &[Identity]) -> Result<Refusals, StoreError> {
        const DOING: &str = "look up refusals of identities";
        let leads = self.leads_of(scope, identities).await?;
        let mut rows = self.database.get_many(&refusals_behind(scope, &leads), DOING).await?;
        let mut all = Refusals::default();
        for (_, refusals) in self.with_refusals(scope, leads, &mut rows, DOING).await? {
            all.add(refusals);
        }
        Ok(all)
    }

    /// What each of these leads to: a contact, or refusals of its person, by the rows of [`refusals_behind`].
    async fn with_refusals(
        &self,
        scope: &TenantScope,
        mut leads: Vec<Lead>,
        rows: &mut HashMap<Key, Item>,
        doing: &'static str,
    ) -> Result<Vec<(Option<ContactId>, Refusals)>, StoreError> {
        // Read where nobody had been erased: if there is one now, the first erasure has just begun.
        let salt: Option<Salt> = rows
            .remove(&keys::salt(scope))
            .map(|item| row::data(item, doing))
            .transpose()?;
        if let Some(salt) = salt {
            for lead in leads.iter_mut().filter(|lead| !lead.to_contact()) {
                lead.erased = Some(keys::erased(scope, &salt.hash(&lead.identity.key())));
            }
            let further: Vec<Key> = leads.iter().filter_map(|lead| lead.erased.clone()).collect();
            rows.extend(self.database.get_many(&further, doing).await?);
        }
        let mut holders = Vec::with_capacity(leads.len());
        for Lead { leads, erased, .. } in leads {
            let suppressed = match leads {
                Leads::To(id) => {
                    holders.push((Some(id), Refusals::default()));
                    continue;
                }
                Leads::Suppressed(suppressed) => vec![*suppressed],
                Leads::Nowhere => Vec::new(),
            };
            let remembered = match erased {
                Some(key) => remembered(rows.remove(&key), doing)?,
                None => Vec::new(),
            };
            holders.push((None, Refusals { suppressed, remembered }));
        }
        Ok(holders)
    }

    pub(crate) async fn leads_only(
        &self,
        scope: &TenantScope,
        identities: &[Identity],
        doing: &'static str,
    ) -> Result<Vec<Leads>, StoreError> {
        let keys: Vec<_> = identities
            .iter()
            .map(|identity| keys::identity(scope, identity))
            .collect();
        let mut found = self.database.get_many(&keys, doing).await?;
        keys.iter().map(|key| Leads::read(found.remove(key), doing)).collect()
    }

    /// A contact. If it was merged into another: that one, as its id says.
    pub async fn contact(&self, scope: &TenantScope, id: ContactId) -> Result<Option<Contact>, StoreError> {
        self.contact_for(scope, id, "read a contact").await
    }

    /// The same for another purpose.
    pub(crate) async fn contact_for(
        &self,
        scope: &TenantScope,
        id: ContactId,
        doing: &'static str,
    ) -> Result<Option<Contact>, StoreError> {
        let item = self.database.get(&keys::contact(scope, id), doing).await?;
        self.followed(scope, item, doing).await
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
        let mut writes = changed(scope, contact, made, consent_id, DOING)?;
        for mut other in others {
            let made = change(&mut other).repeated();
            writes.extend(changed(scope, other, made, consent_id, DOING)?);
        }
        self.write_all(writes, DOING).await?;
        Ok(true)
    }

    /// The newest entries of a contact's consent ledger, newest first, and whether there are more than `most`.
    pub async fn consent_ledger(
        &self,
        scope: &TenantScope,
        contact: &Contact,
        most: usize,
        now: Timestamp,
    ) -> Result<(Vec<Recorded>, bool), StoreError> {
        let mut entries = Vec::new();
        let mut after: Option<Position> = None;
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
        (entry_id, entry): (Ulid, &ConsentEntry),
    ) -> Result<Option<Contact>, StoreError> {
        let Some(contact) = self.contact(scope, id).await? else {
            return Ok(None);
        };
        self.record_wishes(scope, contact, &[(entry_id, entry.clone())]).await
    }

    /// The same for several wishes, which were decided for this state of the contact: if it has changed since, the race is lost.
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

    /// One page of a contact's consent ledger, newest first, with the entries of the contacts that were merged into it. `after` is the
    /// position at which the previous page ended.
    pub async fn consent_page(
        &self,
        scope: &TenantScope,
        contact: &Contact,
        after: Option<Position>,
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
        after: Option<Position>,
        limit: i32,
        now: Timestamp,
    ) -> Result<(Vec<Recorded>, Option<Position>), StoreError> {
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
            let id = keys::lower(position.own());
            row::data(item, DOING).map(|entry| Recorded { id, entry })
        });
        Ok((items.collect::<Result<_, _>>()?, next))
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
            for item in items.filter_map(|item| row::kept(item, now)) {
                history.extend(entry(item, DOING)?);
            }
        }
        Ok(history)
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
        Change::Consent(entry) => (Linked::default(), Some(*entry)),
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
        // Ids follow from causes, so it can only be the same entry again.
        Condition::Always,
        doing,
    )
}

/// Retention of rows that only deduplicate or lead to others.
pub(crate) const REFERENCE_LIFE: jiff::SignedDuration = jiff::SignedDuration::from_hours(60 * 24);

/// Position in a list by time. Its own id makes it unique; the row's key, which the index contains, names the contact.
pub(crate) fn happened(at: Timestamp, id: Ulid) -> String {
    format!("{}#{}", keys::sortable(at), keys::lower(id))
}
