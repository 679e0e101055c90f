//! Jobs about outgoing webhooks.

use domain::live::Event;
use domain::terms::{EventId, TenantId, WebhookEndpointId};
use serde::{Deserialize, Serialize};

use crate::JobBody;

/// Job of the queue `webhook-deliveries`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DeliveryJob {
    /// Deliver events to an endpoint.
    Publish {
        /// Tenant of the endpoint.
        tenant: TenantId,
        /// Correlation id of the batch.
        correlation_id: String,
        endpoint: WebhookEndpointId,
        /// The events, at most [`DeliveryJob::MAX_EVENTS`]. They hold ids and facts that name nobody.
        events: Vec<Event>,
    },
    /// Try a delivery whose next attempt comes soon, or that a user asked for.
    Retry {
        /// Tenant of the endpoint.
        tenant: TenantId,
        /// Correlation id of its cause.
        correlation_id: String,
        endpoint: WebhookEndpointId,
        event: EventId,
    },
    /// Look at an endpoint: try what waits and is due, or one of them while it is down.
    Run {
        /// Tenant of the endpoint.
        tenant: TenantId,
        /// Correlation id of its cause.
        correlation_id: String,
        endpoint: WebhookEndpointId,
    },
}

impl DeliveryJob {
    /// Maximum events of a job.
    pub const MAX_EVENTS: usize = 50;

    /// The endpoint.
    pub const fn endpoint(&self) -> WebhookEndpointId {
        match self {
            Self::Publish { endpoint, .. } | Self::Retry { endpoint, .. } | Self::Run { endpoint, .. } => *endpoint,
        }
    }
}

impl JobBody for DeliveryJob {
    fn tenant(&self) -> TenantId {
        match self {
            Self::Publish { tenant, .. } | Self::Retry { tenant, .. } | Self::Run { tenant, .. } => *tenant,
        }
    }

    fn correlation_id(&self) -> &str {
        match self {
            Self::Publish { correlation_id, .. }
            | Self::Retry { correlation_id, .. }
            | Self::Run { correlation_id, .. } => correlation_id,
        }
    }

    /// A slow endpoint delays no other one.
    fn group_of_tenant(&self) -> String {
        self.endpoint().to_string()
    }
}
