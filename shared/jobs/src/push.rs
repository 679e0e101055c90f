//! Notifications on people's devices.

use domain::{
    live::About,
    terms::{PushSubscriptionId, TenantId, UserId},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::JobBody;

/// Queue `pushes`: notify people of a tenant, of a customer's message unless somebody has read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "push")]
pub struct PushJob {
    /// The tenant.
    pub tenant: TenantId,
    /// The event that caused it: the same whenever it is delivered.
    pub correlation_id: String,
    /// What they are told of.
    #[serde(flatten)]
    pub about: About,
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
