//! Notifications on people's devices.

use domain::base::ids::{ConversationId, PushSubscriptionId, TenantId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::JobBody;

/// Queue `pushes`: notify the people of a tenant of a customer's message, unless somebody has read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "push")]
pub struct PushJob {
    /// Tenant of the conversation.
    pub tenant: TenantId,
    /// The event that caused it.
    pub correlation_id: String,
    /// The conversation.
    pub conversation: ConversationId,
    /// Number of the message in it.
    pub seq: u64,
    /// Time at which it was stored.
    pub at: Timestamp,
    /// What an earlier job left. `None`: it is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<PushRest>,
}

/// What is left of a notification.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushRest {
    /// The people who saw a page, or of whose devices one could not be told.
    pub people: Vec<UserId>,
    /// Their devices that were told.
    pub told: Vec<PushSubscriptionId>,
}

impl JobBody for PushJob {
    fn tenant(&self) -> TenantId {
        self.tenant
    }

    fn correlation_id(&self) -> &str {
        &self.correlation_id
    }
}
