//! What is kept of calls and of what customers write.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    call::{CallFacts, CallProvider, Outcome},
    ids::{CallId, ConnectionId, ContactId, LineId, MessageId, RuleId, derived},
    inbound::InboundMessage,
    message::{Message, Remark, StatusReport},
};

/// The reports of one call, merged, until and after its outcome is decided. Kept under the provider's id of the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallProgress {
    /// The connection that reported it.
    pub connection: ConnectionId,
    /// The kind of telephone system.
    pub provider: CallProvider,
    /// The provider's id of the call.
    pub provider_call_id: String,
    /// All that was reported so far.
    pub facts: CallFacts,
    /// When the first report came.
    pub first_seen: Timestamp,
    /// The call, once its outcome is decided: it is decided once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<CallId>,
    /// When somebody must look again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// How often the dispatcher has queued it since it last changed.
    #[serde(default)]
    pub dispatches: u32,
    /// Follows the call through logs and queues.
    pub correlation_id: String,
    /// Raised by every write; the condition of the next.
    pub version: u64,
}

impl CallProgress {
    /// The id of the call, once it is a contact's: the same however often it is decided.
    #[must_use]
    pub fn call_id(&self, contact: ContactId) -> CallId {
        let key = format!(
            "call#{}#{}#{}",
            self.provider.as_str(),
            self.connection,
            self.provider_call_id
        );
        let at = u64::try_from(self.first_seen.as_millisecond()).unwrap_or_default();
        CallId::new(contact, derived(at, key.as_bytes()))
    }
}

/// Facts of a decision that nobody can rebuild later. Kept with the call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// The rule that matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// The line that was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
    /// The version of the tenant's configuration, rules and lines included.
    pub config_version: u64,
    /// Whether the caller was new.
    pub new_caller: bool,
    /// Whether the business was open.
    pub open: bool,
    /// Whether the caller had opted in.
    pub opted_in: bool,
    /// Whether the caller had refused messages.
    pub opted_out: bool,
    /// Time of the last follow-up, from which a cooldown runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_follow_up_at: Option<Timestamp>,
}

/// A call whose outcome is decided, with the decision that followed from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The call.
    pub id: CallId,
    /// The connection that reported it.
    pub connection: ConnectionId,
    /// The kind of telephone system.
    pub provider: CallProvider,
    /// The provider's id of the call.
    pub provider_call_id: String,
    /// What was reported, as far as known when it was decided.
    pub facts: CallFacts,
    /// How it ended.
    pub outcome: Outcome,
    /// When that was decided.
    pub decided_at: Timestamp,
    /// The decision for or against a message: one sentence with its facts.
    pub decision: String,
    /// The same for machines.
    pub reason: String,
    /// What it was decided from.
    pub grounds: Grounds,
    /// The message that follows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// What was decided later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// Follows the call through logs and queues.
    pub correlation_id: String,
    /// When it is deleted, by what its tenant had set when it was decided. `None`: never, as those of before there was that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until: Option<Timestamp>,
    /// Raised by every write; the condition of the next.
    #[serde(default)]
    pub version: u64,
}

impl Call {
    /// When it happened, for lists: its start, else when we heard of it.
    #[must_use]
    pub fn happened_at(&self) -> Timestamp {
        self.facts.started_at.unwrap_or(self.decided_at)
    }
}

/// A customer's message as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// The message.
    pub id: MessageId,
    /// The connection that it came by.
    pub connection: ConnectionId,
    /// The line that it was written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
    /// What the customer sent.
    pub message: InboundMessage,
    /// What we did about it, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// Follows it through logs and queues.
    pub correlation_id: String,
    /// When it is deleted, by what its tenant had set when it was stored. `None`: never, as those of before there was that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until: Option<Timestamp>,
}

impl Received {
    /// The id of a customer's message: the same however often and in whatever order it is delivered. By the provider's time of
    /// it, so that a conversation is in the order in which it was written; a provider that tells none has that of its webhook.
    #[must_use]
    pub fn id_of(contact: ContactId, api: &str, message: &InboundMessage) -> MessageId {
        let key = format!("received#{api}#{}", message.provider_ref);
        let at = u64::try_from(message.at.as_millisecond()).unwrap_or_default();
        MessageId::new(contact, derived(at, key.as_bytes()))
    }
}

/// A change of what somebody agreed to: the ledger has one row for each, none is ever changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConsentEntry {
    /// When.
    pub at: Timestamp,
    /// What, such as `stop`, `start`, `marketing_stop`.
    pub what: String,
    /// How we know.
    pub source: String,
}

/// What is kept under a provider's id of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MessageRef {
    /// A message of ours: this attempt of it.
    Ours {
        /// The message.
        message: MessageId,
        /// The attempt's number.
        attempt: u32,
    },
    /// Reports on a message that we do not know yet: our own record may be about to be written.
    Parked {
        /// The reports, in the order in which they came.
        reports: Vec<StatusReport>,
    },
    /// A customer's message that is stored already.
    Theirs {
        /// The message.
        message: MessageId,
    },
}

/// One entry of a contact's history.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A call.
    Call(Call),
    /// A message of ours.
    Sent(Message),
    /// A customer's message.
    Received(Received),
    /// A change of consent.
    Consent(ConsentEntry),
}
