//! The deletion of a contact with everything that is stored of it, and what is remembered of erased people.
//!
//! A tenant's deletion and the erasure of one contact use the same calls. Each deletes only rows, a bounded number at a time, and
//! can be repeated after any interruption: the contact's own row, by which the rest is found, is deleted last.

use domain::{
    call::Party,
    contact::Identity,
    erasure::{Erased, Salt},
    ids::ContactId,
    message::Message,
    outside::ProviderRef,
    record::{Call, Received},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Page, Store, StoreError, TenantScope, calls, compact,
    keys::{self, Key, Listed},
    row::{self, Condition, Item, Row, Write, text},
};

/// Rows read per page of a deletion.
pub(crate) const DELETE_PAGE: i32 = 100;

/// APIs under whose names messages are found by their provider's id. Which of them sent a message is known from its connection,
/// which may be gone: all are tried.
const APIS: [&str; 2] = ["whatsapp", "twilio"];

/// What is stored with the hash of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// Time of the erasure.
    at: Timestamp,
}

/// One page of deleted rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasedPage {
    /// What was deleted.
    pub erased: Erased,
    /// Whether there may be more.
    pub more: bool,
}

impl Store {
    /// Deletes one page of a contact's history, with the providers' ids that lead to it, and with identities that only a call
    /// names. The contact itself and its profile stay.
    ///
    /// # Errors
    /// When the table does not answer, or a row cannot be read: what leads to it is only known from it.
    pub async fn erase_history_page(&self, scope: &TenantScope, contact: ContactId) -> Result<ErasedPage, StoreError> {
        const DOING: &str = "delete a page of a contact's history";
        let partition = keys::contact_partition(scope, contact);
        let stays = [keys::contact(scope, contact), keys::profile(scope, contact)];
        let (rows, more) = self
            .database
            .page(&partition, "", None, DELETE_PAGE, false, DOING)
            .await?;
        let (mut own, mut leading, mut identities) = (Vec::new(), Vec::new(), Vec::new());
        let mut erased = Erased::default();
        for item in rows {
            let Some(key) = row::key_of(&item).filter(|key| !stays.contains(key)) else {
                continue;
            };
            own.push(key);
            match row::string(&item, "kind") {
                Some("call") => {
                    let call: Call = row::data(item, DOING)?;
                    leading.push(calls::progress_key(
                        scope,
                        call.provider,
                        call.connection,
                        &call.provider_call_id,
                    ));
                    identities.extend(unnamed(&call).map(|identity| identity.key()));
                    (erased.calls, erased.references) = (erased.calls + 1, erased.references + 1);
                }
                Some("message") => {
                    let message = compact::message(item, DOING)?;
                    for provider_ref in refs_of(&message) {
                        leading.extend(references(scope, provider_ref));
                        erased.references += 1;
                    }
                    erased.messages += 1;
                }
                Some("received") => {
                    let received: Received = row::data(item, DOING)?;
                    leading.extend(references(scope, &received.message.provider_ref));
                    (erased.messages, erased.references) = (erased.messages + 1, erased.references + 1);
                }
                Some("consent") => erased.consents += 1,
                _ => erased.others += 1,
            }
        }
        // What leads to a row is deleted before it.
        erased.identities += self.erase_identities(scope, contact, &identities).await?;
        self.database.delete_many(&leading, DOING).await?;
        self.database.delete_many(&own, DOING).await?;
        Ok(ErasedPage {
            erased,
            more: more || !own.is_empty(),
        })
    }

    /// Deletes the entries of the lists in which a contact stands. Returns their number.
    ///
    /// # Errors
    /// When the table does not answer.
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

    /// The texts of the keys of those identities which a contact knows.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn identities_of(&self, scope: &TenantScope, contact: ContactId) -> Result<Vec<String>, StoreError> {
        let known = self.contact(scope, contact).await?;
        let known = known.map(|contact| contact.known_by()).unwrap_or_default();
        Ok(known.iter().map(Identity::key).collect())
    }

    /// The same of one page of the identities for which their contacts have no room, as far as they lead to this contact. The
    /// list is the tenant's: a page may hold none without being the last.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn suppressed_of(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        after: Option<&str>,
    ) -> Result<Page<String>, StoreError> {
        const DOING: &str = "look for a contact's suppressed identities";
        let list = keys::suppressed(scope);
        let start = after.map(|identity| Listed {
            key: keys::identity_called(scope, identity),
            partition: list.clone(),
            sort: identity.to_owned(),
        });
        let (listed, more) = self.database.list(&list, start, DELETE_PAGE, DOING).await?;
        let named: Vec<String> = listed
            .iter()
            .filter_map(|item| row::string(item, "gsi1sk"))
            .map(str::to_owned)
            .collect();
        let next = named.last().filter(|_| more).cloned();
        let leading = self.leading_to(scope, contact, &named, DOING).await?;
        Ok(Page {
            items: leading.into_iter().map(|(identity, _)| identity).collect(),
            next,
        })
    }

    /// Those of these identities that lead to the contact, with the keys of their rows.
    async fn leading_to(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        identities: &[String],
        doing: &'static str,
    ) -> Result<Vec<(String, Key)>, StoreError> {
        if identities.is_empty() {
            return Ok(Vec::new());
        }
        let named = identities.iter().map(|identity| keys::identity_called(scope, identity));
        let named: Vec<Key> = named.collect();
        let mut found = self.database.get_many(&named, doing).await?;
        let held = text(contact.to_string());
        let leads = |item: &Item| item.get("data") == Some(&held);
        let pairs = identities.iter().zip(named);
        let leading = pairs.filter(|(_, key)| found.remove(key).as_ref().is_some_and(leads));
        Ok(leading.map(|(identity, key)| (identity.clone(), key)).collect())
    }

    /// Deletes those of these identities that lead to the contact, and no other's. Returns their number.
    ///
    /// # Errors
    /// When the table does not answer; a conflict if somebody was just writing one of them.
    pub async fn erase_identities(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        identities: &[String],
    ) -> Result<u64, StoreError> {
        const DOING: &str = "delete a contact's identities";
        let mut deleted = 0;
        for (_, key) in self.leading_to(scope, contact, identities, DOING).await? {
            let write = Write::DeleteHeld(key, text(contact.to_string()));
            match self.database.try_transact(vec![write], DOING).await? {
                Ok(()) => deleted += 1,
                Err(lost) if lost.refused.is_empty() => return Err(StoreError::Conflict { doing: DOING }),
                // It leads to somebody else since.
                Err(_) => {}
            }
        }
        Ok(deleted)
    }

    /// Deletes a contact's profile, then the contact itself, of which nothing else is left.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn erase_contact_rows(&self, scope: &TenantScope, contact: ContactId) -> Result<Erased, StoreError> {
        const DOING: &str = "delete a contact";
        let (own, profile) = (keys::contact(scope, contact), keys::profile(scope, contact));
        let wanted = [own.clone(), profile.clone()];
        let found = self.database.get_many(&wanted, DOING).await?;
        let erased = Erased {
            contacts: found.contains_key(&own).into(),
            profiles: found.contains_key(&profile).into(),
            ..Erased::default()
        };
        self.database.delete_many(&[profile], DOING).await?;
        self.database.delete_many(&[own], DOING).await?;
        Ok(erased)
    }

    /// Remembers that these identities, by the texts of their keys, belong to a person who was erased: only as hashes with the
    /// tenant's salt. `fresh` is the salt if the tenant has none yet.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn remember_erased(
        &self,
        scope: &TenantScope,
        identities: &[String],
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
        for identity in identities {
            let key = keys::erased(scope, &salt.hash(identity));
            let row = Row::new(&key, "erased", &Remembered { at: now }, Condition::Always, DOING)?;
            self.database.put(row, DOING).await?;
        }
        Ok(())
    }

    /// Whether a person with this identity was erased, so that no list of the tenant's may bring them back.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn is_erased(&self, scope: &TenantScope, identity: &Identity) -> Result<bool, StoreError> {
        const DOING: &str = "look whether a person was erased";
        let Some(salt) = self.salt(scope).await? else {
            return Ok(false);
        };
        let key = keys::erased(scope, &salt.hash(&identity.key()));
        Ok(self.database.get(&key, DOING).await?.is_some())
    }

    async fn salt(&self, scope: &TenantScope) -> Result<Option<Salt>, StoreError> {
        const DOING: &str = "read the salt of erased identities";
        let item = self.database.get(&keys::salt(scope), DOING).await?;
        item.map(|item| row::data(item, DOING)).transpose()
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
fn unnamed(call: &Call) -> Option<Identity> {
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
