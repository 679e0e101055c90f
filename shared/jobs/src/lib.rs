//! What the queues carry: one type per queue. Small: ids, never a copy of what the table has. Only what providers sent
//! travels whole, because nothing else holds it yet, and e-mails, whose addresses and links no table has.

mod mail;
mod next;

pub use mail::{FactorChange, Link, Mail, MailJob};
pub use next::{NextJob, ToQueue};

use domain::{
    call::{CallEvent, CallProvider},
    ids::{ConnectionId, MessageId, TenantId},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A body that one of our own queues carries.
pub trait QueueBody: Serialize + DeserializeOwned + Send + 'static {
    /// Whose work it is, where it is a tenant's.
    fn owner(&self) -> Option<TenantId>;
    /// The message group: one loud group does not delay the quiet ones.
    fn group(&self) -> String;
    /// Its correlation id.
    fn follows(&self) -> &str;
    /// As [`JobBody::in_turn`].
    fn takes_turns(&self) -> Option<&str> {
        None
    }
}

/// Work on a tenant's data: nearly all bodies.
pub trait JobBody: Serialize + DeserializeOwned + Send + 'static {
    /// Whose work it is: the message group, so that one loud tenant does not delay the quiet ones.
    fn tenant(&self) -> TenantId;
    /// Follows one cause through logs and queues.
    fn correlation_id(&self) -> &str;
    /// Its message group, where the tenant has several: none of them delays the others.
    fn group_of_tenant(&self) -> String {
        self.tenant().to_string()
    }
    /// Jobs with the same text change the same row. Where one batch holds several they are worked one after the other: at the
    /// same time they would only get into each other's way, and a write that loses is paid for, too.
    fn in_turn(&self) -> Option<&str> {
        None
    }
}

impl<T: JobBody> QueueBody for T {
    fn owner(&self) -> Option<TenantId> {
        Some(self.tenant())
    }

    fn group(&self) -> String {
        self.group_of_tenant()
    }

    fn follows(&self) -> &str {
        self.correlation_id()
    }

    fn takes_turns(&self) -> Option<&str> {
        self.in_turn()
    }
}

/// Queue `calls`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "one per record of a queue, and nearly all are the large one"
)]
pub enum CallJob {
    /// A telephone system reported something of a call.
    Reported {
        /// Whose call.
        tenant: TenantId,
        /// Follows the call.
        correlation_id: String,
        /// What it reported.
        event: CallEvent,
    },
    /// A call waits for a report that may never come: look whether it can be decided now.
    Decide {
        /// Whose call.
        tenant: TenantId,
        /// Follows the call.
        correlation_id: String,
        /// The connection that reported it.
        connection: ConnectionId,
        /// The kind of telephone system.
        provider: CallProvider,
        /// The provider's id of the call.
        provider_call_id: String,
    },
}

impl JobBody for CallJob {
    fn tenant(&self) -> TenantId {
        match self {
            Self::Reported { tenant, .. } | Self::Decide { tenant, .. } => *tenant,
        }
    }

    fn correlation_id(&self) -> &str {
        match self {
            Self::Reported { correlation_id, .. } | Self::Decide { correlation_id, .. } => correlation_id,
        }
    }

    fn in_turn(&self) -> Option<&str> {
        Some(match self {
            Self::Reported { event, .. } => &event.provider_call_id,
            Self::Decide { provider_call_id, .. } => provider_call_id,
        })
    }
}

/// Queues `sends` and `bulk-sends`: send a message's next attempt. A copy whose attempt number is stale is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "send_message")]
pub struct SendMessage {
    /// Whose message.
    pub tenant: TenantId,
    /// Follows the message's cause.
    pub correlation_id: String,
    /// The message.
    pub message: MessageId,
    /// The number of the attempt that this copy is for: that of the next claim, or of the last one to be settled.
    pub attempt: u32,
    /// How often the worker has queued it again since somebody else did.
    #[serde(default, skip_serializing_if = "none")]
    pub rounds: u8,
}

const fn none(rounds: &u8) -> bool {
    *rounds == 0
}

impl JobBody for SendMessage {
    fn tenant(&self) -> TenantId {
        self.tenant
    }

    fn correlation_id(&self) -> &str {
        &self.correlation_id
    }
}

/// Queue `provider-events`: what a messaging provider's verified webhook brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "provider_event")]
pub struct ProviderEvent {
    /// Whose connection.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// Follows the event.
    pub correlation_id: String,
    /// When our webhook received it.
    pub received_at: Timestamp,
    /// Whether it only reports on messages of ours.
    pub group: EventGroup,
    /// What it is.
    pub source: EventSource,
    /// The event itself.
    pub payload: Payload,
}

/// The events of a tenant that are kept apart: the statuses of a broadcast never delay a reply or a STOP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventGroup {
    /// Reports on messages of ours, and nothing else.
    Status,
    /// Anything else: what customers write and wish, and what is reported of accounts, numbers and templates.
    Inbound,
}

impl EventGroup {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Inbound => "inbound",
        }
    }
}

/// Which webhook brought it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventSource {
    /// One change of Meta's webhook, as `providers::whatsapp::webhook::Change` in JSON.
    #[serde(rename = "whatsapp")]
    WhatsApp,
    /// Twilio's form of an inbound message.
    TwilioInbound,
    /// Twilio's form of a message status; the key from the callback's query stands beside it.
    TwilioStatus {
        /// The query's `key`.
        key: Option<String>,
    },
}

/// An event's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// As it came.
    Inline(String),
    /// Too large for a queue: the object's key in the raw-event bucket.
    Stored(String),
}

impl JobBody for ProviderEvent {
    fn tenant(&self) -> TenantId {
        self.tenant
    }

    fn group_of_tenant(&self) -> String {
        format!("{}#{}", self.tenant, self.group.as_str())
    }

    fn correlation_id(&self) -> &str {
        &self.correlation_id
    }
}
