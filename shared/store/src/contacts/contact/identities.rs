//! Holders of identities: contacts, or nobody, with the facts known of the person.

use std::collections::HashMap;

use domain::messages::Needs;
use domain::people::{ConsentEntry, Contact, Identity, Person, Salt, Suppression, Wish};
use domain::terms::{ContactId, Recipient};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::refuse_erasing;
use crate::inbox::OnLine;
use crate::messages::keys_of;
use crate::table::keys::{self, Key};
use crate::table::row::{self, Item};
use crate::tenants::TenantRow;
use crate::{Along, Store, StoreError, TenantScope, Versioned};

/// The holder of an identity.
#[derive(Debug, Clone, PartialEq)]
pub enum Holder {
    Contact(Box<Contact>),
    /// No contact. Whoever links it to one passes on what is known of its person.
    Nobody(Refusals),
}

/// Refusals of somebody who is no contact, which a contact with their identities has from its first moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Refusals {
    /// Entries of the suppression list, which leave it: see [`ContactWrite::suppressed`](super::ContactWrite::suppressed).
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
            entries.extend(entry.map(ConsentEntry::as_repetition));
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

/// The rows that lead to somebody with an identity, so far as they were read.
#[derive(Debug)]
pub struct Lead {
    pub(super) identity: Identity,
    pub(super) leads: Leads,
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
        let salt: Option<Salt> = row::data_if_any(found.remove(&keys::salt(scope)), doing)?;
        let leads = identities.iter().map(|identity| {
            Ok(Self {
                identity: identity.clone(),
                leads: Leads::read(found.remove(&keys::identity(scope, identity)), doing)?,
                erased: salt
                    .as_ref()
                    .map(|salt| keys::erased_identity(scope, &salt.hash(&identity.key()))),
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

/// Data stored with the hash of an identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// Time of the erasure.
    pub(crate) at: Timestamp,
    /// Refusals of the person. A new contact with the identity has them from its first moment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) refusals: Vec<Wish>,
}

/// The refusals in a row of what is remembered.
fn remembered_refusals(item: Option<Item>, doing: &'static str) -> Result<Vec<Wish>, StoreError> {
    let remembered: Option<Remembered> = row::data_if_any(item, doing)?;
    Ok(remembered.map(|remembered| remembered.refusals).unwrap_or_default())
}

/// The rows that work for people begins with: its own, the tenant's, and those that lead to the people.
#[derive(Debug)]
pub struct Begun<T> {
    pub own: T,
    pub tenant: TenantRow,
    /// Rows that lead to the people, in the order of their identities.
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
        refuse_erasing(&found, DOING)?;
        Ok(Some(found))
    }

    /// The contact of this identity, with its profile, in as many requests as [`contact_of`](Self::contact_of). If there is no contact: the
    /// refusals of the identity's person.
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

    /// Reads the rows that lead to somebody with this identity.
    pub async fn lead_of(&self, scope: &TenantScope, identity: &Identity) -> Result<Lead, StoreError> {
        let mut leads = self.leads_of(scope, std::slice::from_ref(identity)).await?;
        leads.pop().ok_or(StoreError::Gone { doing: FIND })
    }

    /// Reads the rows that work for people with these identities begins with, in one request: its own row, if it has one, the tenant's and
    /// those of the identities.
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

    /// Reads the rows that a message to people with these identities begins with, in one request.
    pub async fn read_beginning(&self, scope: &TenantScope, identities: &[Identity]) -> Result<Begun<()>, StoreError> {
        let begun = self.begun_with(scope, None, identities, FIND).await?;
        Ok(begun.with(()))
    }

    /// Reads the rows that lead to people with these identities, in one request.
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
        refuse_erasing(&found.contact, DOING)?;
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

    /// Whether the recipient is this contact. What it lists itself leads to it, so that usually nothing is read. A number that it has no
    /// room for may lead to it all the same. An id of WhatsApp's is an address only without a number: beside one, it comes from a
    /// provider's report, and may be another contact's.
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

    /// The holders that these rows lead to: contacts, or nobody, with the refusals of people who are no contacts. One request, unless some
    /// contacts were merged.
    ///
    /// # Errors
    /// When the table does not answer, or one of the contacts is being deleted.
    pub async fn holders(&self, scope: &TenantScope, leads: Vec<Lead>) -> Result<Vec<Holder>, StoreError> {
        let (holders, _) = self.holders_and_conversation(scope, leads, None).await?;
        Ok(holders)
    }

    /// As [`Store::holders`], with the conversations on this line, also in one request.
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
            refuse_erasing(contact, DOING)?;
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

    /// The holders of identities, with one request more than [`Store::holders`].
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

    /// Resolves each of these to a contact, or to the refusals of its person, by the rows of [`refusals_behind`].
    async fn with_refusals(
        &self,
        scope: &TenantScope,
        mut leads: Vec<Lead>,
        rows: &mut HashMap<Key, Item>,
        doing: &'static str,
    ) -> Result<Vec<(Option<ContactId>, Refusals)>, StoreError> {
        // Read where nobody had been erased: if there is one now, the first erasure has just begun.
        let salt: Option<Salt> = row::data_if_any(rows.remove(&keys::salt(scope)), doing)?;
        if let Some(salt) = salt {
            for lead in leads.iter_mut().filter(|lead| !lead.to_contact()) {
                lead.erased = Some(keys::erased_identity(scope, &salt.hash(&lead.identity.key())));
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
                Some(key) => remembered_refusals(rows.remove(&key), doing)?,
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
}
