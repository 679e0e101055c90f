//! Notifications on people's devices.

use domain::live::About;
use domain::terms::{PushSubscriptionId, TenantId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::JobBody;

/// Queue `pushes`: notify people of a tenant, of a customer's message unless somebody has read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "push")]
pub struct PushJob {
    pub tenant: TenantId,
    /// The event that caused it: the same whenever it is delivered.
    pub correlation_id: String,
    /// Subject of the notification.
    #[serde(flatten)]
    pub about: About,
    /// Time when it was stored.
    pub at: Timestamp,
    /// Work left over by an earlier job. `None` for the first job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<PushRest>,
}

/// The rest of a notification's work.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushRest {
    /// People who saw a page, or have a device that could not be told.
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
