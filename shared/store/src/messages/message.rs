//! Messages in both directions, and the rows under the providers' ids of them.

use domain::calls::{MessageRef, Received};
use domain::messages::{Message, StatusReport};
use domain::people::{Contact, Identity};
use domain::telephony::Direction;
use domain::terms::{Lane, MessageId, ProviderRef, Purpose};
use jiff::{SignedDuration, Timestamp};
use jobs::SentWith;

use crate::contacts::{Begun, REFERENCE_LIFE, if_contact_unchanged, sort_key_by_time};
use crate::messages::keys_of_leg;
use crate::table::compact;
use crate::table::keys::{self, IndexPlace, Key};
use crate::table::row::{self, Condition, Item, Row};
use crate::tenants::TenantRow;
use crate::{Along, Store, StoreError, TenantScope};

/// Retention of a report on an unknown message. Our own record is written within minutes of the send; reports on messages
/// that the tenant sends with another tool belong to no message here.
const PARKED_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Maximum reports on one unknown message. A provider sends a handful at most.
const MAX_PARKED: usize = 20;

pub(crate) fn message_row(scope: &TenantScope, message: &Message, doing: &'static str) -> Result<Row, StoreError> {
    let key = keys::message(scope, message.id);
    let mut next = message.clone();
    next.version += 1;
    let row = Row::new(&key, "message", &next, if_contact_unchanged(message.version), doing)?
        .data(compact::shrink)
        .keep_until(next.keep_until)
        .version(next.version)
        .due_at(next.policy.lane(), &key, next.due)
        .in_state(trouble(scope, &next).or_else(|| waiting_place(scope, &next)));
    Ok(match (next.policy.lane(), next.policy.purpose()) {
        // Whoever requested a message looks for it, whatever its lane is.
        (Lane::Answers, _) | (Lane::Bulk, Purpose::Api) => {
            listed_by_day(row, scope, next.created_at, next.id, Direction::Outbound)
        }
        // A broadcast would bury the answers of its day, and each entry costs a write unit.
        (Lane::Bulk, _) => row,
    })
}

/// Lists a message by the day of writing.
fn listed_by_day(row: Row, scope: &TenantScope, at: Timestamp, id: MessageId, direction: Direction) -> Row {
    row.in_list(keys::messages_of(scope, &keys::day(at)), sort_key_by_time(at, id.own()))
        .list_field("direction", direction.as_str())
}

/// Place of a failed or blocked message in the list, by the day of its creation.
fn trouble(scope: &TenantScope, message: &Message) -> Option<IndexPlace> {
    let at = message.created_at;
    let place = || IndexPlace {
        partition: keys::troubled_of(scope, &keys::day(at)),
        sort: sort_key_by_time(at, message.id.own()),
    };
    message.state().is_trouble().then(place)
}

/// Place of a message among those that wait because their campaign is paused, or for a cap.
fn waiting_place(scope: &TenantScope, message: &Message) -> Option<IndexPlace> {
    let campaign = message.cause.campaign()?;
    let partition = if message.is_held() {
        keys::held_messages(scope, campaign)
    } else if message.waits_for_cap() {
        keys::waits_for_caps(scope)
    } else {
        return None;
    };
    let sort = message.id.to_string();
    Some(IndexPlace { partition, sort })
}

/// The row of a customer's message. Its id follows from the provider's report, so an existing row is the same message.
pub(crate) fn received_row(
    scope: &TenantScope,
    received: &Received,
    now: Timestamp,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let key = keys::message(scope, received.id);
    let row =
        Row::new(&key, "received", received, Condition::NewOrExpired(now), doing)?.keep_until(received.keep_until);
    Ok(listed_by_day(
        row,
        scope,
        received.message.at,
        received.id,
        Direction::Inbound,
    ))
}

/// The row under a provider's id, in the place of one that was read.
pub(crate) fn reference_row(
    scope: &TenantScope,
    api: &str,
    provider_ref: &ProviderRef,
    found: &MessageRef,
    before: Option<ReferenceVersion>,
    now: Timestamp,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let (condition, version) = match before {
        None => (Condition::NewOrExpired(now), 1),
        Some(ReferenceVersion(version)) => (Condition::Version(version), version + 1),
    };
    let row = Row::new(
        &keys::reference(scope, api, provider_ref),
        "message_ref",
        found,
        condition,
        doing,
    )?;
    Ok(row.version(version).expires(now, REFERENCE_LIFE))
}

/// The beginning of a message's next step: all that it reads in one request.
#[derive(Debug)]
pub struct ToSend {
    pub message: Message,
    /// Its contact. If that was merged into another: the one that survived.
    pub contact: Contact,
    pub tenant: TenantRow,
    /// Template, asset, connection and campaign of its next channel.
    pub along: Along,
}

impl Store {
    /// A message, unless its retention is over.
    pub async fn message(
        &self,
        scope: &TenantScope,
        id: MessageId,
        now: Timestamp,
    ) -> Result<Option<Message>, StoreError> {
        const DOING: &str = "read a message";
        let item = self.database.get(&keys::message(scope, id), DOING).await?;
        item.and_then(|item| row::unexpired_item(item, now))
            .map(|item| compact::message(item, DOING))
            .transpose()
    }

    /// The messages among these that are still retained, in one request; none for none.
    pub async fn messages(
        &self,
        scope: &TenantScope,
        ids: &[MessageId],
        now: Timestamp,
    ) -> Result<Vec<Message>, StoreError> {
        let each = self.each_message(scope, ids, now).await?;
        each.into_iter().filter_map(Result::transpose).collect()
    }

    /// Reads these messages, one entry per id: `None` if it is not retained any more. The error of an entry says that its row cannot be
    /// read ([`StoreError::Form`], [`StoreError::NewerForm`]), which does not hide the others.
    pub async fn each_message(
        &self,
        scope: &TenantScope,
        ids: &[MessageId],
        now: Timestamp,
    ) -> Result<Vec<Result<Option<Message>, StoreError>>, StoreError> {
        const DOING: &str = "read messages";
        let keys: Vec<Key> = ids.iter().map(|id| keys::message(scope, *id)).collect();
        let mut found = self.database.get_many(&keys, DOING).await?;
        let each = keys.iter().map(|key| {
            let item = found.remove(key).and_then(|item| row::unexpired_item(item, now));
            item.map(|item| compact::message(item, DOING)).transpose()
        });
        Ok(each.collect())
    }

    /// A message, unless its retention is over, and the rest of what its next step begins with, in one request.
    pub async fn to_send(
        &self,
        scope: &TenantScope,
        id: MessageId,
        with: Option<&SentWith>,
        now: Timestamp,
    ) -> Result<Option<ToSend>, StoreError> {
        const DOING: &str = "read a message with what it is sent with";
        let own = [
            keys::message(scope, id),
            keys::contact(scope, id.contact()),
            keys::tenant(scope),
        ];
        let with = with.into_iter().flat_map(|with| keys_of_leg(scope, with));
        let with: Vec<Key> = with.flatten().collect();
        let mut found = self.database.get_many(&[&own[..], &with].concat(), DOING).await?;
        let [message, contact, tenant] = own.map(|key| found.remove(&key));
        let Some(message) = message.and_then(|item| row::unexpired_item(item, now)) else {
            return Ok(None);
        };
        let message = compact::message(message, DOING)?;
        let contact = self.follow_aliases(scope, contact, DOING).await?;
        Ok(contact.map(|contact| ToSend {
            message,
            contact,
            tenant: TenantRow(tenant),
            along: Along::of(with, found),
        }))
    }

    /// A customer's message, unless its retention is over.
    pub async fn received_message(
        &self,
        scope: &TenantScope,
        id: MessageId,
        now: Timestamp,
    ) -> Result<Option<Received>, StoreError> {
        const DOING: &str = "read a customer's message";
        let item = self.database.get(&keys::message(scope, id), DOING).await?;
        row::data_if_any(item.and_then(|item| row::unexpired_item(item, now)), DOING)
    }

    /// Whether a message exists, in either direction, and is still retained.
    pub async fn has_message(&self, scope: &TenantScope, id: MessageId, now: Timestamp) -> Result<bool, StoreError> {
        const DOING: &str = "look for a message";
        let item = self.database.get(&keys::message(scope, id), DOING).await?;
        Ok(item.is_some_and(|item| !row::is_expired(&item, now)))
    }

    /// Writes a message under the condition that it is unchanged since it was read.
    pub async fn write_message(&self, scope: &TenantScope, message: &Message) -> Result<(), StoreError> {
        const DOING: &str = "write a message";
        self.database.put(message_row(scope, message, DOING)?, DOING).await
    }

    /// Writes the row that leads from the provider's id to the message, then the message.
    ///
    /// # Errors
    /// A conflict after a lost race for either row. The first one may be written then.
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
        let mut attempts = message.attempts.iter();
        let sent = attempts.find(|known| known.number == attempt);
        let ours = MessageRef::Ours {
            message: message.id,
            attempt,
            template: sent
                .and_then(|sent| message.template_of(sent))
                .map(|templated| templated.of),
        };
        let reference = reference_row(scope, api, provider_ref, &ours, parked, now, DOING)?;
        let message_row = message_row(scope, message, DOING)?;
        if parked.is_some() {
            // Parked reports must not be lost between the two writes.
            return self.database.transact(vec![message_row, reference], DOING).await;
        }
        // Half the price of a transaction. If the process dies in between, reports still find the message and settle the
        // attempt, like any claim without a record.
        self.database.put(reference, DOING).await?;
        self.database.put(message_row, DOING).await
    }

    /// The row under a provider's id, with the version that the next write needs.
    pub async fn message_ref(
        &self,
        scope: &TenantScope,
        api: &str,
        provider_ref: &ProviderRef,
        now: Timestamp,
    ) -> Result<Option<(MessageRef, ReferenceVersion)>, StoreError> {
        let key = keys::reference(scope, api, provider_ref);
        live_reference(self.database.get(&key, FIND).await?, now)
    }

    /// The rows that processing a customer's message begins with, in one request, including the row under the provider's id.
    pub async fn begun_message(
        &self,
        scope: &TenantScope,
        api: &str,
        provider_ref: &ProviderRef,
        writer: &[Identity],
        now: Timestamp,
    ) -> Result<Begun<Option<(MessageRef, ReferenceVersion)>>, StoreError> {
        let key = keys::reference(scope, api, provider_ref);
        let mut begun = self.begun_with(scope, Some(key), writer, FIND).await?;
        let known = live_reference(begun.own.take(), now)?;
        Ok(begun.with(known))
    }

    /// Writes the row that leads from the provider's id to a message of a known contact, before the message itself: half the price of a place
    /// in its transaction. If the process dies in between, the row leads to a message that does not exist, which the next delivery stores under
    /// this id. Of a new contact, whose id another delivery does not know, it has to be in the transaction.
    ///
    /// # Errors
    /// A conflict if the row is not as it was read.
    pub async fn refer_to_received(
        &self,
        scope: &TenantScope,
        api: &str,
        provider_ref: &ProviderRef,
        message: MessageId,
        before: Option<ReferenceVersion>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "refer to a customer's message";
        let theirs = MessageRef::Theirs { message };
        let row = reference_row(scope, api, provider_ref, &theirs, before, now, DOING)?;
        self.database.put(row, DOING).await
    }

    /// The provider's ids among these that belong to another message than this attempt's. One request per hundred.
    pub async fn refs_of_others(
        &self,
        scope: &TenantScope,
        api: &str,
        provider_refs: Vec<String>,
        message: MessageId,
        attempt: u32,
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        const DOING: &str = "read the owners of messages";
        // An invalid provider's id is never stored.
        let known = provider_refs
            .into_iter()
            .filter_map(|id| ProviderRef::try_from(id).ok());
        let keys: Vec<(Key, ProviderRef)> = known.map(|id| (keys::reference(scope, api, &id), id)).collect();
        let wanted: Vec<Key> = keys.iter().map(|(key, _)| key.clone()).collect();
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let mut others = Vec::new();
        for (key, id) in keys {
            let Some(item) = found.remove(&key).filter(|item| !row::is_expired(item, now)) else {
                continue;
            };
            match row::data(item, DOING)? {
                MessageRef::Parked { .. } => {}
                MessageRef::Ours {
                    message: known,
                    attempt: number,
                    ..
                } if (known, number) == (message, attempt) => {}
                MessageRef::Ours { .. } | MessageRef::Theirs { .. } => others.push(id.to_string()),
            }
        }
        Ok(others)
    }

    /// Parks a report on a message that nothing matches yet, until the record step merges it. `reports`: those that are parked already.
    ///
    /// # Errors
    /// A conflict after a lost race: the message may be known now.
    pub async fn park_report(
        &self,
        scope: &TenantScope,
        api: &str,
        report: &StatusReport,
        mut reports: Vec<StatusReport>,
        before: Option<ReferenceVersion>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "park a report";
        if reports.contains(report) || reports.len() >= MAX_PARKED {
            return Ok(());
        }
        reports.push(report.clone());
        let parked = MessageRef::Parked { reports };
        let row = reference_row(scope, api, &report.provider_ref, &parked, before, now, DOING)?;
        self.database.put(row.expires(now, PARKED_LIFE), DOING).await
    }
}

const FIND: &str = "find a message by the provider's id";

/// The row under a provider's id, unless it has expired.
fn live_reference(item: Option<Item>, now: Timestamp) -> Result<Option<(MessageRef, ReferenceVersion)>, StoreError> {
    let Some(item) = item.filter(|item| !row::is_expired(item, now)) else {
        return Ok(None);
    };
    let version = row::version_of(&item);
    Ok(Some((row::data(item, FIND)?, ReferenceVersion(version))))
}

/// The row that leads from the provider's id to a sent message.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// The attempt that was sent.
    pub attempt: u32,
    /// The API that accepted it, such as `whatsapp`, `twilio`.
    pub api: &'a str,
    /// The API's id of it.
    pub provider_ref: &'a ProviderRef,
    /// Version of an existing row with parked reports, which the caller has merged.
    pub parked: Option<ReferenceVersion>,
}

/// The version of a row under a provider's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferenceVersion(pub(crate) u64);
