//! Notifications on people's devices.

use domain::base::ids::{ConversationId, TenantId};
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
}

impl JobBody for PushJob {
    fn tenant(&self) -> TenantId {
        self.tenant
    }

    fn correlation_id(&self) -> &str {
        &self.correlation_id
    }
}
