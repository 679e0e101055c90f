//! Messages, ours and theirs, and what is kept under the providers' ids of them.

use domain::{
    contact::Contact,
    ids::MessageId,
    message::{Message, StatusReport},
    outside::ProviderRef,
    record::{ConsentEntry, MessageRef, Received},
};
use jiff::{SignedDuration, Timestamp};
use ulid::Ulid;

use crate::{
    Store, StoreError, TenantScope, compact,
    contacts::{ContactWrite, REFERENCE_LIFE, consent_row, happened},
    keys::{self, Key},
    row::{self, Condition, Row},
};

/// How long a report on an unknown message is kept. Our own record is written within minutes of the send; what is reported of
/// messages that the tenant sends with another tool belongs to nobody here.
const PARKED_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Reports on one unknown message beyond this many are not kept: a provider sends at most a handful.
const MOST_PARKED: usize = 20;

pub(crate) fn message_row(scope: &TenantScope, message: &Message, doing: &'static str) -> Result<Row, StoreError> {
    let key = keys::message(scope, message.id);
    let condition = if message.version == 0 {
        Condition::New
    } else {
        Condition::Version(message.version)
    };
    let mut next = message.clone();
    next.version += 1;
    let at = next.created_at;
    Ok(Row::new(&key, "message", &next, condition, doing)?
        .data(compact::shrink)
        .kept(next.keep_until)
        .version(next.version)
        .due(&key, next.due)
        .listed(
            format!("{}#MSGS#{}", keys::tenant_partition(scope), keys::day(at)),
            happened(at, next.id.own()),
        )
        .list_field("direction", "outbound"))
}

fn reference_key(scope: &TenantScope, api: &str, provider_ref: &ProviderRef) -> Key {
    keys::reference(scope, api, provider_ref)
}

/// A message and its contact, as `send_message` needs them.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageAndContact {
    /// The message.
    pub message: Message,
    /// Its contact.
    pub contact: Contact,
}

/// What storing a customer's message writes, in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrived<'a> {
    /// The message.
    pub received: &'a Received,
    /// The API whose reference deduplicates it, such as `whatsapp`, `twilio`.
    pub api: &'a str,
    /// The row of the reference exists already and holds reports, which are about no message of ours.
    pub parked: Option<ParkedVersion>,
    /// Whom it changes: one contact, or several that are the same person.
    pub people: &'a [Reached],
}

/// What somebody's message or wish changes of one contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Reached {
    /// The contact, new or changed.
    pub contact: ContactWrite,
    /// Changes of consent, each under an id of its own.
    pub consent: Vec<(Ulid, ConsentEntry)>,
    /// Messages that are not sent any more, cancelled.
    pub cancelled: Vec<Message>,
}

impl Reached {
    fn rows(&self, scope: &TenantScope, doing: &'static str) -> Result<Vec<Row>, StoreError> {
        let mut rows = self.contact.rows(scope, doing)?;
        for (id, entry) in &self.consent {
            rows.push(consent_row(scope, self.contact.contact.id, *id, entry, doing)?);
        }
        for message in &self.cancelled {
            rows.push(message_row(scope, message, doing)?);
        }
        Ok(rows)
    }
}

impl Store {
    /// A message, while it is kept.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn message(
        &self,
        scope: &TenantScope,
        id: MessageId,
        now: Timestamp,
    ) -> Result<Option<Message>, StoreError> {
        const DOING: &str = "read a message";
        let item = self.database.get(&keys::message(scope, id), DOING).await?;
        item.and_then(|item| row::kept(item, now))
            .map(|item| compact::message(item, DOING))
            .transpose()
    }

    /// Those of these messages that are kept, in one request.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn messages(
        &self,
        scope: &TenantScope,
        ids: &[MessageId],
        now: Timestamp,
    ) -> Result<Vec<Message>, StoreError> {
        const DOING: &str = "read messages";
        let keys: Vec<Key> = ids.iter().map(|id| keys::message(scope, *id)).collect();
        let mut found = self.database.get_many(&keys, DOING).await?;
        let kept = keys.iter().filter_map(|key| row::kept(found.remove(key)?, now));
        kept.map(|item| compact::message(item, DOING)).collect()
    }

    /// A message, while it is kept, and its contact, in one request.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn message_and_contact(
        &self,
        scope: &TenantScope,
        id: MessageId,
        now: Timestamp,
    ) -> Result<Option<MessageAndContact>, StoreError> {
        const DOING: &str = "read a message and its contact";
        let message_key = keys::message(scope, id);
        let contact_key = keys::contact(scope, id.contact());
        let mut found = self
            .database
            .get_many(&[message_key.clone(), contact_key.clone()], DOING)
            .await?;
        let message = found.remove(&message_key).and_then(|item| row::kept(item, now));
        match (message, found.remove(&contact_key)) {
            (Some(message), Some(contact)) => Ok(Some(MessageAndContact {
                message: compact::message(message, DOING)?,
                contact: compact::contact(contact, DOING)?,
            })),
            _ => Ok(None),
        }
    }

    /// Writes a message under the condition that it is unchanged since it was read.
    ///
    /// # Errors
    /// A conflict when somebody else wrote first.
    pub async fn write_message(&self, scope: &TenantScope, message: &Message) -> Result<(), StoreError> {
        const DOING: &str = "write a message";
        self.database.put(message_row(scope, message, DOING)?, DOING).await
    }

    /// Writes a message together with its contact, under the condition that neither has changed since it was read.
    ///
    /// # Errors
    /// A conflict when somebody else wrote one of them first.
    pub async fn write_message_and_contact(
        &self,
        scope: &TenantScope,
        message: &Message,
        contact: Contact,
    ) -> Result<(), StoreError> {
        const DOING: &str = "write a message and its contact";
        let mut rows = ContactWrite::from(contact).rows(scope, DOING)?;
        rows.push(message_row(scope, message, DOING)?);
        self.database.transact(rows, DOING).await
    }

    /// Writes the row that finds a message by the provider's id, then the message.
    ///
    /// # Errors
    /// A conflict when somebody else wrote either of them first; the row may be written then.
    pub async fn record_message(
        &self,
        scope: &TenantScope,
        message: &Message,
        reference: &Reference<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "record a sent message";
        let Reference {
            attempt,
            api,
            provider_ref,
            parked,
        } = *reference;
        let ours = MessageRef::Ours {
            message: message.id,
            attempt,
        };
        let key = reference_key(scope, api, provider_ref);
        let row = |condition, version| {
            let row = Row::new(&key, "message_ref", &ours, condition, DOING)?;
            Ok::<_, StoreError>(row.version(version).expires(now, REFERENCE_LIFE))
        };
        let message_row = message_row(scope, message, DOING)?;
        match parked {
            // Reports that are parked must not be lost between the two.
            Some(parked) => {
                let reference = row(Condition::Version(parked.0), parked.0 + 1)?;
                self.database.transact(vec![message_row, reference], DOING).await
            }
            // Half the price of a transaction. A process that dies in between leaves a way to the message by which reports
            // settle it, like any claim that is not recorded.
            None => {
                self.database.put(row(Condition::NewOrExpired(now), 1)?, DOING).await?;
                self.database.put(message_row, DOING).await
            }
        }
    }

    /// What is kept under a provider's id, with the version that the next write needs.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn message_ref(
        &self,
        scope: &TenantScope,
        api: &str,
        provider_ref: &ProviderRef,
        now: Timestamp,
    ) -> Result<Option<(MessageRef, ParkedVersion)>, StoreError> {
        const DOING: &str = "find a message by the provider's id";
        let key = reference_key(scope, api, provider_ref);
        let Some(item) = self
            .database
            .get(&key, DOING)
            .await?
            .filter(|item| !row::expired(item, now))
        else {
            return Ok(None);
        };
        let version = row::version_of(&item);
        Ok(Some((row::data(item, DOING)?, ParkedVersion(version))))
    }

    /// Those of these provider's ids that are kept as another message's than this attempt's. One request per hundred.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn refs_of_others(
        &self,
        scope: &TenantScope,
        api: &str,
        provider_refs: Vec<String>,
        (message, attempt): (MessageId, u32),
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        const DOING: &str = "read whose messages these are";
        // What is no id of a provider's is kept as nobody's.
        let known = provider_refs
            .into_iter()
            .filter_map(|id| ProviderRef::try_from(id).ok());
        let keys: Vec<(Key, ProviderRef)> = known.map(|id| (reference_key(scope, api, &id), id)).collect();
        let wanted: Vec<Key> = keys.iter().map(|(key, _)| key.clone()).collect();
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let mut others = Vec::new();
        for (key, id) in keys {
            let Some(item) = found.remove(&key).filter(|item| !row::expired(item, now)) else {
                continue;
            };
            match row::data(item, DOING)? {
                MessageRef::Parked { .. } => {}
                MessageRef::Ours {
                    message: known,
                    attempt: number,
                } if (known, number) == (message, attempt) => {}
                MessageRef::Ours { .. } | MessageRef::Theirs { .. } => others.push(id.to_string()),
            }
        }
        Ok(others)
    }

    /// Keeps a report on a message that nothing matches yet, until the record step merges it.
    ///
    /// # Errors
    /// A conflict when somebody else wrote first: the message may be known now.
    pub async fn park_report(
        &self,
        scope: &TenantScope,
        api: &str,
        report: &StatusReport,
        before: Option<(Vec<StatusReport>, ParkedVersion)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "park a report";
        let (mut reports, condition, version) = match before {
            None => (Vec::new(), Condition::NewOrExpired(now), 1),
            Some((reports, version)) => (reports, Condition::Version(version.0), version.0 + 1),
        };
        if reports.contains(report) || reports.len() >= MOST_PARKED {
            return Ok(());
        }
        reports.push(report.clone());
        let key = reference_key(scope, api, &report.provider_ref);
        let row = Row::new(&key, "message_ref", &MessageRef::Parked { reports }, condition, DOING)?
            .version(version)
            .expires(now, PARKED_LIFE);
        self.database.put(row, DOING).await
    }

    /// Stores a customer's message once, with all that follows from it.
    ///
    /// # Errors
    /// A conflict when it is stored already or somebody else wrote the contact first: read again.
    pub async fn store_received(
        &self,
        scope: &TenantScope,
        arrived: &Arrived<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "store a customer's message";
        let received = arrived.received;
        let at = received.message.at;
        let theirs = MessageRef::Theirs { message: received.id };
        let (condition, version) = match arrived.parked {
            None => (Condition::NewOrExpired(now), 1),
            Some(ParkedVersion(version)) => (Condition::Version(version), version + 1),
        };
        let mut rows = vec![
            Row::new(
                &reference_key(scope, arrived.api, &received.message.provider_ref),
                "message_ref",
                &theirs,
                condition,
                DOING,
            )?
            .version(version)
            .expires(now, REFERENCE_LIFE),
            Row::new(
                &keys::message(scope, received.id),
                "received",
                received,
                Condition::New,
                DOING,
            )?
            .kept(received.keep_until)
            .listed(
                format!("{}#MSGS#{}", keys::tenant_partition(scope), keys::day(at)),
                happened(at, received.id.own()),
            )
            .list_field("direction", "inbound"),
        ];
        for reached in arrived.people {
            rows.extend(reached.rows(scope, DOING)?);
        }
        self.database.transact(rows, DOING).await
    }

    /// Writes what a wish or a report changes of these contacts, all or nothing.
    ///
    /// # Errors
    /// A conflict when somebody else wrote one of them first.
    pub async fn write_people(&self, scope: &TenantScope, people: &[Reached]) -> Result<(), StoreError> {
        const DOING: &str = "write what somebody wishes";
        let mut rows = Vec::new();
        for reached in people {
            rows.extend(reached.rows(scope, DOING)?);
        }
        match <[Row; 1]>::try_from(rows) {
            Ok([row]) => self.database.put(row, DOING).await,
            Err(none) if none.is_empty() => Ok(()),
            Err(rows) => self.database.transact(rows, DOING).await,
        }
    }
}

/// What finds a sent message by the provider's id.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// The attempt that was sent.
    pub attempt: u32,
    /// The API that took it, such as `whatsapp`, `twilio`.
    pub api: &'a str,
    /// The API's id of it.
    pub provider_ref: &'a ProviderRef,
    /// The row exists already and holds reports, which the caller has merged.
    pub parked: Option<ParkedVersion>,
}

/// The version of a row that is kept under a provider's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParkedVersion(pub(crate) u64);
