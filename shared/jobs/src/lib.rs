//! The content of the queues: one type per queue, and of the bus. Jobs are small: they contain ids instead of copies of table rows. Only
//! providers' events and e-mails travel whole, because no table holds their content.

mod commerce;
mod delivery;
mod mail;
mod media;
mod next;
mod operation;
mod push;
mod steps;

pub use commerce::CommerceJob;
pub use delivery::DeliveryJob;
pub use mail::{Author, FactorChange, Link, Mail, MailJob};
pub use media::MediaJob;
pub use next::{NextJob, ToQueue};
pub use operation::StartOperation;
pub use push::{PushJob, PushRest};
pub use steps::{EnrolmentRef, TakeSteps};

use domain::messages::Leg;
use domain::telephony::{CallEvent, CallProvider};
use domain::terms::{CampaignId, ConnectionId, FileId, MessageId, TenantId};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The body of a job in one of our own queues.
pub trait QueueBody: Serialize + DeserializeOwned + Send + 'static {
    /// Its tenant, if it belongs to one.
    fn owner(&self) -> Option<TenantId>;
    /// Its message group: a busy group does not delay the others.
    fn group(&self) -> String;
    /// Its correlation id.
    fn follows(&self) -> &str;
    /// See [`JobBody::in_turn`].
    fn takes_turns(&self) -> Option<&str> {
        None
    }
}

/// Work on a tenant's data: nearly all bodies.
pub trait JobBody: Serialize + DeserializeOwned + Send + 'static {
    /// Its tenant, which is also its message group, so that a busy tenant does not delay the others.
    fn tenant(&self) -> TenantId;
    /// Its correlation id, which links everything with one cause in logs and queues.
    fn correlation_id(&self) -> &str;
    /// Its message group, if the tenant has several: none of them delays the others.
    fn group_of_tenant(&self) -> String {
        self.tenant().to_string()
    }
    /// Jobs with the same text change the same row. Those in one batch are processed one after the other: at the same time
    /// they would only lose races, and lost writes cost, too.
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

/// Job of the queue `calls`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "one per record of a queue, and nearly all are the large one"
)]
pub enum CallJob {
    /// A report of a telephone system on a call.
    Reported {
        /// Tenant of the call.
        tenant: TenantId,
        /// Correlation id of the call.
        correlation_id: String,
        event: CallEvent,
    },
    /// Check whether a call that waits for a report, which may never come, can be decided now.
    Decide {
        /// Tenant of the call.
        tenant: TenantId,
        /// Correlation id of the call.
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
    /// Tenant of the message.
    pub tenant: TenantId,
    /// Correlation id of the message's cause.
    pub correlation_id: String,
    pub message: MessageId,
    /// The number of the attempt that this copy is for: that of the next claim, or of the last one to be settled.
    pub attempt: u32,
    /// Number of times that the worker has queued it again since another function did.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rounds: u8,
    /// Whether the tenant's software asked for the message. Such messages have a group of their own: however many it asks for, they
    /// never delay the follow-ups to its calls.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub requested: bool,
    /// Ids of the connection and the other rows for the first attempt, so that they are read in one request with the message. `None` for
    /// further attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<SentWith>,
}

/// The rows that a message's attempt is sent with: their ids and names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentWith {
    pub connection: ConnectionId,
    /// Name and language of the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<(String, String)>,
    /// The asset, or the attachment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<FileId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignId>,
}

impl SentWith {
    /// The ids that a leg of a message needs, and of its campaign if it has one.
    pub fn of(leg: &Leg, campaign: Option<CampaignId>) -> Self {
        let template = leg.content.template();
        Self {
            connection: leg.connection,
            template: template.map(|filled| (filled.name.clone(), filled.language.clone())),
            asset: leg.content.asset().map(|used| used.asset_id),
            campaign,
        }
    }
}

const fn is_zero(rounds: &u8) -> bool {
    *rounds == 0
}

impl JobBody for SendMessage {
    fn tenant(&self) -> TenantId {
        self.tenant
    }

    fn group_of_tenant(&self) -> String {
        let tenant = self.tenant;
        if self.requested {
            format!("{tenant}#requested")
        } else {
            tenant.to_string()
        }
    }

    fn correlation_id(&self) -> &str {
        &self.correlation_id
    }
}

/// Queue `provider-events`: an event from a messaging provider's verified webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "provider_event")]
pub struct ProviderEvent {
    /// Tenant of the connection.
    pub tenant: TenantId,
    pub connection: ConnectionId,
    /// Correlation id of the event.
    pub correlation_id: String,
    /// Time of receipt by our webhook.
    pub received_at: Timestamp,
    /// Its group among the tenant's events.
    pub group: EventGroup,
    /// Its webhook, which determines its format.
    pub source: EventSource,
    pub payload: Payload,
}

/// Groups of a tenant's events, kept apart so that the statuses of a broadcast never delay a reply or a STOP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventGroup {
    /// Reports on messages of ours, and nothing else.
    Status,
    /// Anything else: customers' messages and wishes, and reports on accounts, numbers and templates.
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

/// The webhook of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventSource {
    /// A change of Meta's webhook, as `providers::whatsapp::webhook::Change` in JSON.
    #[serde(rename = "whatsapp")]
    WhatsApp,
    /// Twilio's form for an inbound message.
    TwilioInbound,
    /// Twilio's form for the status of a message, with the key in the query of the callback.
    TwilioStatus { key: Option<String> },
}

/// The bytes of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// The bytes as they arrived.
    Inline(String),
    /// The key of an object in the raw bucket, for events too large for a queue.
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
