//! Work on orders of shops.

use domain::terms::{OrderId, TenantId};
use serde::{Deserialize, Serialize};

use crate::JobBody;

/// Job of the queue `commerce-events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CommerceJob {
    /// Tell the news of an order that waits, if it still does.
    TellNews {
        /// Tenant of the order.
        tenant: TenantId,
        /// Correlation id of the order: its id.
        correlation_id: String,
        order: OrderId,
    },
}

impl JobBody for CommerceJob {
    fn tenant(&self) -> TenantId {
        match self {
            Self::TellNews { tenant, .. } => *tenant,
        }
    }

    fn correlation_id(&self) -> &str {
        match self {
            Self::TellNews { correlation_id, .. } => correlation_id,
        }
    }

    fn in_turn(&self) -> Option<&str> {
        Some(self.correlation_id())
    }
}
