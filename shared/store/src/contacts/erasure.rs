//! Deletion of a contact with everything that is stored of it, and the hashes kept of erased people.
//!
//! A tenant's deletion and the erasure of one contact use the same calls. Each deletes a bounded number of rows at a time, and can be
//! repeated after any interruption: the contact's own row leads to the rest, so it is deleted last. With it, other contacts forget that
//! they proved to be the same person, which only an erasure needs.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::calls::{Call, Received};
use domain::messages::Message;
use domain::people::{Contact, Erased, Identity, Order, Salt, Wish, Wishes};
use domain::telephony::Party;
use domain::terms::{ContactId, ProviderRef};
use jiff::Timestamp;

use crate::calls::progress_key;
use crate::contacts::{ContactWrite, Remembered, key_to_order};
use crate::table::compact;
use crate::table::keys::{self, Key, Listed};
use crate::table::row::{self, Condition, Row, Write, text};
use crate::{Page, Store, StoreError, TenantScope};

/// Rows read per page of a deletion.
pub(crate) const DELETE_PAGE: i32 = 100;

/// APIs whose names stand in the keys of messages' provider ids. Which of them sent a message is known from its connection, which may be
/// gone: all are tried.
const APIS: [&str; 2] = ["whatsapp", "twilio"];

/// An identity that leads to a person.
struct Leading {
    identity: String,
    key: Key,
    /// The id that it leads to.
    held: AttributeValue,
}

/// A page of deleted rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasedPage {
    pub erased: Erased,
    /// Whether there may be more.
    pub more: bool,
}

impl Store {
    /// Deletes one page of the history in a contact's partition, with the providers' ids that lead to it, with the tracked links that its
    /// messages carry, and with identities that only a call names, if they lead to one of `person`: the contact, those merged into it, and the one that it was merged into. The
    /// contact itself and its profile stay.
    ///
    /// # Errors
    /// When the table does not answer, or a row cannot be read: what leads to it is only known from it.
    pub async fn erase_history_page(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        person: &[ContactId],
    ) -> Result<ErasedPage, StoreError> {
        const DOING: &str = "delete a page of a contact's history";
        let partition = keys::contact_partition(scope, contact);
        let stays = [keys::contact(scope, contact), keys::profile(scope, contact)];
        let (rows, more) = self
            .database
            .page(&partition, "", None, DELETE_PAGE, false, DOING)
            .await?;
        let (mut own, mut leading, mut identities) = (Vec::new(), Vec::new(), Vec::new());
        let mut messages = Vec::new();
        let mut erased = Erased::default();
        for item in rows {
            let Some(key) = row::key_of(&item).filter(|key| !stays.contains(key)) else {
                continue;
            };
            own.push(key);
            match row::string(&item, "kind") {
                Some("call") => {
                    let call = compact::call(item, DOING)?;
                    leading.push(progress_key(
                        scope,
                        call.provider,
                        call.connection,
                        &call.provider_call_id,
                    ));
                    identities.extend(identity_without_phone(&call).map(|identity| identity.key()));
                    (erased.calls, erased.references) = (erased.calls + 1, erased.references + 1);
                }
                Some("message") => {
                    let message = compact::message(item, DOING)?;
                    for provider_ref in refs_of(&message) {
                        leading.extend(references(scope, provider_ref));
                        erased.references += 1;
                    }
                    erased.messages += 1;
                    messages.push(message);
                }
                Some("received") => {
                    let received: Received = row::data(item, DOING)?;
                    leading.extend(references(scope, &received.message.provider_ref));
                    (erased.messages, erased.references) = (erased.messages + 1, erased.references + 1);
                }
                Some("order") => {
                    let order: Order = row::data(item, DOING)?;
                    leading.push(key_to_order(scope, &order));
                    (erased.others, erased.references) = (erased.others + 1, erased.references + 1);
                }
                Some("consent") => erased.consents += 1,
                _ => erased.others += 1,
            }
        }
        let messages: Vec<&Message> = messages.iter().collect();
        let links = self.carried_links(scope, person, &messages, DOING).await?;
        erased.links = count(links.len());
        leading.extend(links.into_keys());
        // What leads to a row, or is known from it alone, is deleted before it.
        erased.identities += self.erase_identities(scope, person, &identities).await?;
        self.database.delete_many(&leading, DOING).await?;
        self.database.delete_many(&own, DOING).await?;
        Ok(ErasedPage {
            erased,
            more: more || !own.is_empty(),
        })
    }

    /// Deletes a contact's entries in lists. Returns their number.
    pub async fn erase_listings(&self, scope: &TenantScope, contact: ContactId) -> Result<u64, StoreError> {
        let profile = self.profile(scope, contact).await?;
        let entries = profile.listings();
        let entries: Vec<Key> = entries
            .iter()
            .map(|listing| keys::listing(scope, contact, listing))
            .collect();
        self.database
            .delete_many(&entries, "delete a contact's entries in lists")
            .await?;
        Ok(count(entries.len()))
    }

    /// The texts of the keys of a page of the identities that lead to one of these ids of a person, which has no room for them. `after` is
    /// the `next` of the previous page.
    pub async fn surplus_identities(
        &self,
        scope: &TenantScope,
        person: &[ContactId],
        after: Option<&str>,
    ) -> Result<Page<String>, StoreError> {
        const DOING: &str = "look for identities without room";
        let (mut left, mut position) = (person, None);
        if let Some((contact, identity)) = after.and_then(|after| after.split_once(' ')) {
            // Nothing is left behind a contact that a merge's undoing has taken away meanwhile.
            let place = person.iter().position(|own| own.to_string() == contact);
            left = place.map_or(&[], |place| &person[place..]);
            position = Some(identity);
        }
        let mut items = Vec::new();
        while let Some((own, others)) = left.split_first() {
            let list = keys::contact_partition(scope, *own);
            let start = position.take().map(|identity| Listed {
                key: keys::identity_called(scope, identity),
                partition: list.clone(),
                sort: identity.to_owned(),
            });
            let (listed, more) = self.database.list(&list, start, DELETE_PAGE, DOING).await?;
            let named = listed.iter().filter_map(|item| row::string(item, "gsi1sk"));
            let named: Vec<String> = named.map(str::to_owned).collect();
            let leading = self.leading_to(scope, person, &named, DOING).await?;
            items.extend(leading.into_iter().map(|leading| leading.identity));
            if let Some(last) = named.last().filter(|_| more) {
                let next = Some(format!("{own} {last}"));
                return Ok(Page { items, next });
            }
            left = others;
        }
        Ok(Page { items, next: None })
    }

    /// The identities among these that lead to one of these ids of a person, with their rows.
    async fn leading_to(
        &self,
        scope: &TenantScope,
        person: &[ContactId],
        identities: &[String],
        doing: &'static str,
    ) -> Result<Vec<Leading>, StoreError> {
        if identities.is_empty() {
            return Ok(Vec::new());
        }
        let named = identities.iter().map(|identity| keys::identity_called(scope, identity));
        let named: Vec<Key> = named.collect();
        let mut found = self.database.get_many(&named, doing).await?;
        let held: Vec<AttributeValue> = person.iter().map(|contact| text(contact.to_string())).collect();
        let pairs = identities.iter().zip(named);
        let leading = pairs.filter_map(|(identity, key)| {
            let data = found.remove(&key)?.remove("data")?;
            held.contains(&data).then(|| Leading {
                identity: identity.clone(),
                key,
                held: data,
            })
        });
        Ok(leading.collect())
    }

    /// Deletes those of these identities that lead to one of these ids of a person, and nobody else's. Returns their number.
    ///
    /// # Errors
    /// When the table does not answer; a conflict if somebody was just writing one of them.
    pub async fn erase_identities(
        &self,
        scope: &TenantScope,
        person: &[ContactId],
        identities: &[String],
    ) -> Result<u64, StoreError> {
        const DOING: &str = "delete a contact's identities";
        let mut deleted = 0;
        for Leading { key, held, .. } in self.leading_to(scope, person, identities, DOING).await? {
            let write = Write::DeleteHeld(key, held);
            match self.database.try_transact(vec![write], DOING).await? {
                Ok(()) => deleted += 1,
                Err(lost) if lost.refused.is_empty() => return Err(StoreError::Conflict { doing: DOING }),
                // It leads to somebody else since.
                Err(_) => {}
            }
        }
        Ok(deleted)
    }

    /// Deletes the last rows of a contact that was merged into another.
    pub async fn erase_alias_rows(&self, scope: &TenantScope, alias: ContactId) -> Result<Erased, StoreError> {
        const DOING: &str = "delete a merged contact";
        let (own, profile) = (keys::contact(scope, alias), keys::profile(scope, alias));
        let found = (
            self.database.get(&own, DOING).await?,
            self.database.get(&profile, DOING).await?,
        );
        self.database.delete_many(&[own, profile], DOING).await?;
        Ok(Erased {
            contacts: found.0.is_some().into(),
            profiles: found.1.is_some().into(),
            ..Erased::default()
        })
    }

    /// Deletes a contact and its profile, if nobody has written the contact since it was read: what was written may lead to it.
    ///
    /// # Errors
    /// When the table does not answer; [`StoreError::Conflict`] after a lost race.
    pub async fn erase_contact_rows(&self, scope: &TenantScope, contact: &Contact) -> Result<Erased, StoreError> {
        self.erase_rows(scope, contact, Vec::new()).await
    }

    /// As [`Store::erase_contact_rows`]. In the same transaction, the other contacts that it names as the same person forget it.
    ///
    /// # Errors
    /// As [`Store::erase_contact_rows`]; a conflict also if somebody has written one of the others meanwhile.
    pub async fn erase_contact_and_mentions(
        &self,
        scope: &TenantScope,
        contact: &Contact,
    ) -> Result<Erased, StoreError> {
        const DOING: &str = "read the other contacts of an erased person";
        let mut others: Vec<Contact> = Vec::new();
        for id in &contact.same_as {
            let Some(mut other) = self.contact_for(scope, *id, DOING).await? else {
                continue;
            };
            // One that was merged leads to a contact that may be known, or be this one.
            if contact.is(other.id) || others.iter().any(|known| known.id == other.id) {
                continue;
            }
            let named = other.same_as.len();
            other.same_as.retain(|same| !contact.is(*same));
            if other.same_as.len() < named {
                others.push(other);
            }
        }
        self.erase_rows(scope, contact, others).await
    }

    async fn erase_rows(
        &self,
        scope: &TenantScope,
        contact: &Contact,
        others: Vec<Contact>,
    ) -> Result<Erased, StoreError> {
        const DOING: &str = "delete a contact";
        let (own, profile) = (keys::contact(scope, contact.id), keys::profile(scope, contact.id));
        let known = self.database.get(&profile, DOING).await?;
        let mut writes = vec![Write::DeleteVersion(own, contact.version), Write::Clear(profile)];
        for other in others {
            writes.extend(ContactWrite::from(other).writes(scope, DOING)?);
        }
        self.database.transact_writes(writes, DOING).await?;
        Ok(Erased {
            contacts: 1,
            profiles: known.is_some().into(),
            ..Erased::default()
        })
    }

    /// Remembers that these identities, by the texts of their keys, belong to a person who was erased, and what the person refuses:
    /// only as hashes with the tenant's salt. What was remembered of them before is replaced, since the contact had taken it over.
    /// `fresh` is the salt if the tenant has none yet.
    pub async fn remember_erased(
        &self,
        scope: &TenantScope,
        identities: &[String],
        consent: &Wishes,
        fresh: Salt,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "remember an erased person";
        if identities.is_empty() {
            return Ok(());
        }
        let salt = match self.salt(scope).await? {
            Some(salt) => salt,
            None => self.new_salt(scope, fresh).await?,
        };
        let remembered = Remembered {
            at: now,
            refusals: consent.refusals().map(Wish::as_remembered_refusal).collect(),
        };
        for identity in identities {
            let key = keys::erased_identity(scope, &salt.hash(identity));
            let row = Row::new(&key, "erased", &remembered, Condition::Always, DOING)?;
            self.database.put(row, DOING).await?;
        }
        Ok(())
    }

    /// Whether a person with this identity was erased, so that no list of the tenant's may bring them back.
    pub async fn is_erased(&self, scope: &TenantScope, identity: &Identity) -> Result<bool, StoreError> {
        const DOING: &str = "look whether a person was erased";
        let Some(salt) = self.salt(scope).await? else {
            return Ok(false);
        };
        let key = keys::erased_identity(scope, &salt.hash(&identity.key()));
        Ok(self.database.get(&key, DOING).await?.is_some())
    }

    /// The identities among these that belong to erased people, by the texts of their keys. Two requests for a hundred.
    pub(crate) async fn erased_among(
        &self,
        scope: &TenantScope,
        identities: &[String],
    ) -> Result<HashSet<String>, StoreError> {
        const DOING: &str = "look whether people were erased";
        let Some(salt) = self.salt(scope).await? else {
            return Ok(HashSet::new());
        };
        let hashed = identities
            .iter()
            .map(|identity| keys::erased_identity(scope, &salt.hash(identity)));
        let hashed: Vec<Key> = hashed.collect();
        let found = self.database.get_many(&hashed, DOING).await?;
        let pairs = identities.iter().zip(&hashed);
        let erased = pairs.filter(|(_, key)| found.contains_key(key));
        Ok(erased.map(|(identity, _)| identity.clone()).collect())
    }

    async fn salt(&self, scope: &TenantScope) -> Result<Option<Salt>, StoreError> {
        const DOING: &str = "read the salt of erased identities";
        let item = self.database.get(&keys::salt(scope), DOING).await?;
        row::data_if_any(item, DOING)
    }

    /// The tenant's salt, which is written once: whoever loses the race uses the other's.
    async fn new_salt(&self, scope: &TenantScope, fresh: Salt) -> Result<Salt, StoreError> {
        const DOING: &str = "write the salt of erased identities";
        let row = Row::new(&keys::salt(scope), "erasure_salt", &fresh, Condition::New, DOING)?;
        match self.database.put(row, DOING).await {
            Ok(()) => Ok(fresh),
            Err(error) if error.is_conflict() => self.salt(scope).await?.ok_or(error),
            Err(error) => Err(error),
        }
    }
}

/// The identity that a call was made from, unless it is a telephone number, which its contact names.
fn identity_without_phone(call: &Call) -> Option<Identity> {
    match call.facts.customer() {
        Party::Sip(address) => Some(Identity::Sip(address.clone())),
        Party::Withheld => Some(Identity::Withheld(call.connection)),
        Party::Phone(_) => None,
    }
}

fn refs_of(message: &Message) -> impl Iterator<Item = &ProviderRef> {
    let attempts = message.attempts.iter();
    attempts.filter_map(|attempt| attempt.provider_ref.as_ref())
}

fn references(scope: &TenantScope, provider_ref: &ProviderRef) -> [Key; 2] {
    APIS.map(|api| keys::reference(scope, api, provider_ref))
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
