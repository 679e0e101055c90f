//! Stored records of calls and of customers' messages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::messages::{AnsweredTemplate, Delivery, InboundMessage, Message, Remark, StatusReport, TemplateEdition};
use crate::people::{ConsentEntry, Record, Wishes, mask_links};
use crate::telephony::{CallFacts, CallProvider, Direction, Outcome};
use crate::terms::{
    Answer, CallId, Channel, ConnectionId, ContactId, Facts, LineId, MessageId, RuleId, derive_id, is_zero,
};

/// The merged reports of one call, before and after its outcome is decided. Stored under the provider's id of the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallProgress {
    /// The connection that reported it.
    pub connection: ConnectionId,
    /// The kind of telephone system.
    pub provider: CallProvider,
    /// The provider's id of the call.
    pub provider_call_id: String,
    /// All facts reported so far.
    pub facts: CallFacts,
    /// Time of the first report.
    pub first_seen: Timestamp,
    /// The call, once its outcome is decided. It is decided once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<CallId>,
    /// Time of the next processing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Number of times the dispatcher has queued it since it last changed.
    #[serde(default)]
    pub dispatches: u32,
    /// Correlation id of the call.
    pub correlation_id: String,
    /// Raised by every write, and the condition of the next one.
    pub version: u64,
}

impl CallProgress {
    /// The id of the call for this contact: the same however often it is decided.
    pub fn call_id(&self, contact: ContactId) -> CallId {
        let key = format!(
            "call#{}#{}#{}",
            self.provider.as_str(),
            self.connection,
            self.provider_call_id
        );
        let at = u64::try_from(self.first_seen.as_millisecond()).unwrap_or_default();
        CallId::new(contact, derive_id(at, key.as_bytes()))
    }
}

/// Facts of a decision that cannot be reconstructed later. Stored with the call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// The rule that matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// The version of that rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_version: Option<u64>,
    /// The cooldown of that rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_seconds: Option<u32>,
    /// The line that was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
    /// The version of the tenant's configuration, including rules and lines.
    pub config_version: u64,
    /// Whether the caller was new.
    pub new_caller: bool,
    /// Whether the business was open.
    pub open: bool,
    /// Whether the caller had opted in.
    pub opted_in: bool,
    /// Whether the caller had refused messages.
    pub opted_out: bool,
    /// Whether the caller had refused marketing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub marketing_opted_out: bool,
    /// Time of the last follow-up. The cooldown counts from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_follow_up_at: Option<Timestamp>,
    /// Time of the caller's last message, if it was after the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_inbound_at: Option<Timestamp>,
    /// Time of the caller's last answered call, if it was after this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_answered_at: Option<Timestamp>,
    /// Time of the last message to the caller from the business's own phone, if it was after the beginning of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_by_phone_at: Option<Timestamp>,
    /// Facts that other rules would need. `None` in rows written before these were stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circumstances: Option<Circumstances>,
}

/// Facts of a call and its caller at the time of the decision that change later, and that some rule asks for. The usual values are left
/// out of the row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circumstances {
    /// Ringing time in seconds, if it was known by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring_seconds: Option<u32>,
    /// Talking time in seconds, if it was known by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub talk_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Whether the caller's name was known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub named: bool,
    #[serde(default, skip_serializing_if = "Wishes::is_empty")]
    pub consent: Wishes,
    /// Channels that did not reach the caller a short time ago.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreached: Vec<Unreached>,
    /// Start of the frequency limit, if it is later than the start of the cooldown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_at: Option<Timestamp>,
}

/// A channel that did not reach a caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreached {
    pub channel: Channel,
    /// Time when this was found out.
    pub at: Timestamp,
    /// The reason, in words. Empty in older rows.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Grounds {
    /// Ringing and talking time in seconds, as far as they were known at the decision.
    pub fn seconds(&self, facts: &CallFacts) -> (Option<u32>, Option<u32>) {
        match &self.circumstances {
            Some(known) => (known.ring_seconds, known.talk_seconds),
            None => (facts.rang_seconds(), facts.talk_seconds),
        }
    }
}

/// A call with its outcome and the decision about a follow-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub id: CallId,
    /// The connection that reported it.
    pub connection: ConnectionId,
    /// The kind of telephone system.
    pub provider: CallProvider,
    /// The provider's id of the call.
    pub provider_call_id: String,
    /// The facts reported by the time of the decision.
    pub facts: CallFacts,
    pub outcome: Outcome,
    /// Time of the decision.
    pub decided_at: Timestamp,
    /// The decision for or against a message: one sentence with its facts.
    pub decision: String,
    /// The decision for machines.
    pub reason: String,
    /// The facts of its sentence.
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub because: Facts,
    /// The facts that the decision is based on.
    pub grounds: Grounds,
    /// The message that follows the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// Number of decisions after the first. Counting them depends on it: a filter of the table's stream sees it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub decided_again: u32,
    /// Missed calls that were recovered by it: earlier ones, if it was answered, whoever called; itself, if the customer wrote, or a call
    /// with them was answered, before it was decided.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recovered: u32,
    /// Time of the call in its contact's records as missed or answered: its beginning as the decision knew it. `None`
    /// if that is still its [beginning](Self::began).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noted_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// Correlation id of the call.
    pub correlation_id: String,
    /// Time of deletion, by the tenant's policy when it was decided, or by one applied later. `None` (in older rows): never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until: Option<Timestamp>,
    /// Raised by every write, and the condition of the next one.
    #[serde(default)]
    pub version: u64,
}

impl Call {
    /// Time of the call in lists: its start, or else its first report.
    pub fn happened_at(&self) -> Timestamp {
        self.facts.started_at.unwrap_or(self.decided_at)
    }

    /// Its beginning as it is known now, but no later than its decision, since a clock may be ahead. `first_seen`: the time of its first
    /// report.
    pub fn began(&self, first_seen: Timestamp) -> Timestamp {
        self.facts.started_at.unwrap_or(first_seen).min(self.decided_at)
    }

    /// Time of the call in its contact's records as missed or answered.
    pub fn noted_time(&self, first_seen: Timestamp) -> Timestamp {
        self.noted_at.unwrap_or_else(|| self.began(first_seen))
    }

    /// Adds the facts of a report that came after the decision. The contact still has the beginning that the decision knew.
    pub fn learn(&mut self, report: CallFacts, first_seen: Timestamp) {
        let noted = self.noted_time(first_seen);
        self.facts.merge(report);
        if self.began(first_seen) != noted {
            self.noted_at = Some(noted);
        }
    }

    /// Its direction. A telephone system that does not say reports inbound calls only.
    pub fn direction(&self) -> Direction {
        self.facts.direction.unwrap_or(Direction::Inbound)
    }

    /// Whether a customer called and reached nobody.
    pub fn is_missed(&self) -> bool {
        self.facts.direction != Some(Direction::Outbound) && self.outcome.nobody_answered()
    }
}

/// A stored message of a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Received {
    pub id: MessageId,
    /// The connection that received it.
    pub connection: ConnectionId,
    /// The line it was sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
    pub message: InboundMessage,
    /// Our reactions, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// Missed calls that it recovers: the customer wrote within a day of them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recovered: u32,
    /// Seconds since each follow-up that it answers was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers_after: Vec<u32>,
    /// The templates that it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<AnsweredTemplate>,
    /// The automatic answer that it calls for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Correlation id of the message.
    pub correlation_id: String,
    /// Time of deletion, by the tenant's policy when it was stored, or by one applied later. `None` (in older rows): never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until: Option<Timestamp>,
}

impl Received {
    /// The id of a customer's message by this delivery. It is chosen once: other deliveries find it under the provider's id. It begins with
    /// the provider's time, or that of the webhook if the provider reports none, so that a conversation is in the order of writing.
    /// WhatsApp's times are in seconds: within one, the webhook received first comes first, and each webhook's messages stay in its order.
    /// The rest is a hash.
    pub fn id_of(contact: ContactId, api: &str, message: &InboundMessage, delivery: Delivery) -> MessageId {
        const PLACE_BITS: u32 = 21;
        const HASH_BITS: u32 = 28;
        // Either clock may be ahead. Providers repeat a webhook for a week; these are twelve days in each direction.
        const MAX_DELAY: i64 = 1 << 30;
        let key = format!("received#{api}#{}", message.provider_ref);
        let (at, received) = (message.at.as_millisecond(), delivery.received_at.as_millisecond());
        let delay = (received - at).clamp(-MAX_DELAY, MAX_DELAY - 1) + MAX_DELAY;
        let place = delivery.place.min((1 << PLACE_BITS) - 1);
        let order = u128::from(delay.unsigned_abs()) << PLACE_BITS | u128::from(place);
        let hash = derive_id(0, key.as_bytes()).random() & ((1 << HASH_BITS) - 1);
        let at = u64::try_from(at).unwrap_or_default();
        MessageId::new(contact, Ulid::from_parts(at, order << HASH_BITS | hash))
    }

    /// This message with the codes of preference links masked, such as one that the customer quotes. See [`Message::mask_links`].
    pub fn with_masked_links(mut self) -> Self {
        self.message.text = self.message.text.as_deref().map(mask_links);
        self.message.payload = self.message.payload.as_deref().map(mask_links);
        self
    }
}

/// The row stored under a provider's id of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MessageRef {
    /// An attempt of a message of ours.
    Ours {
        message: MessageId,
        attempt: u32,
        /// Its template, for counting answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template: Option<TemplateEdition>,
    },
    /// Parked reports on an unknown message, whose own record may be about to be written.
    Parked {
        /// The reports, in the order of arrival.
        reports: Vec<StatusReport>,
    },
    /// A customer's message that is stored, or is about to be.
    Theirs { message: MessageId },
}

/// An entry of a contact's history.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    Call(Box<Call>),
    /// A message of ours.
    Sent(Box<Message>),
    Received(Box<Received>),
    /// A change of consent.
    Consent(ConsentEntry),
    /// Something else that is recorded about the contact.
    Record(Record),
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;
    use crate::samples::at;

    /// The id of a message that a webhook brings at this place, `after` milliseconds after the second of its writing.
    fn id(reference: &str, after: i64, place: u32) -> Ulid {
        let written = at("2026-11-20T10:00:00Z");
        let message = serde_json::from_value(json!({
            "channel": "whatsapp", "provider_ref": reference, "from": {}, "at": written, "kind": "text",
        }));
        let delivery = Delivery {
            received_at: written + SignedDuration::from_millis(after),
            place,
        };
        let contact = ContactId::new(Ulid::from_parts(1, 1));
        Received::id_of(contact, "whatsapp", &message.unwrap(), delivery).own()
    }

    #[test]
    fn ids_of_one_second_are_in_the_order_of_delivery() {
        const DAY: i64 = 24 * 3_600_000;
        let deliveries = [
            (-2 * DAY, 0),
            (-1, 7),
            (0, 0),
            (0, 1),
            (0, 127),
            (0, 128),
            (0, 1_280_000),
            (1, 0),
            (900, 4),
            (7 * DAY, 0),
            (7 * DAY, 1),
        ];
        for reference in ["wamid.1", "wamid.2"] {
            let ids = deliveries.map(|(after, place)| id(reference, after, place));
            assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
            assert!(ids.iter().all(|id| id.timestamp_ms() == ids[0].timestamp_ms()));
        }
        // Beyond what fits, time and reference alone decide.
        for (one, other) in [((300 * DAY, 0), (400 * DAY, 0)), ((0, 3_000_000), (0, u32::MAX))] {
            assert_eq!(id("wamid.1", one.0, one.1), id("wamid.1", other.0, other.1));
        }
        assert_ne!(id("wamid.1", 0, 0), id("wamid.2", 0, 0));
    }
}
