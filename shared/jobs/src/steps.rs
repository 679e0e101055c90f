//! Steps of drips.

use domain::terms::{CampaignId, ContactId, TenantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::JobBody;

/// Queue `drips`: take the steps of some contacts of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "take_steps")]
pub struct TakeSteps {
    /// Tenant of the contacts.
    pub tenant: TenantId,
    /// Correlation id of the steps: that of the first one's drip.
    pub correlation_id: String,
    /// The enrolments whose next step is due, at most [`TakeSteps::MAX`].
    pub enrolments: Vec<EnrolmentRef>,
    /// End of their lease. An enrolment that is due at another time by now is another job's.
    pub leased_until: Timestamp,
    /// Place of the first one among those of the tenant that were queued together, in the order of waiting.
    pub first: usize,
    /// Number of those of the tenant that were queued together.
    pub of: usize,
}

/// An enrolment of a contact in a drip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentRef {
    pub contact: ContactId,
    pub campaign: CampaignId,
}

impl TakeSteps {
    /// Maximum enrolments of a job.
    pub const MAX: usize = 25;
}

impl JobBody for TakeSteps {
    fn tenant(&self) -> TenantId {
        self.tenant
    }

    fn correlation_id(&self) -> &str {
        &self.correlation_id
    }
}
