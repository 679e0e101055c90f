//! Work on orders of shops.

use domain::people::ShopReport;
use domain::terms::{ConnectionId, OrderId, TenantId};
use jiff::Timestamp;
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
    /// Take over what a shop reports of one of its orders.
    Report {
        tenant: TenantId,
        /// Correlation id of the webhook.
        correlation_id: String,
        /// Connection of the shop.
        connection: ConnectionId,
        report: Box<ShopReport>,
        /// Time when the webhook arrived.
        received_at: Timestamp,
    },
}

impl JobBody for CommerceJob {
    fn tenant(&self) -> TenantId {
        match self {
            Self::TellNews { tenant, .. } | Self::Report { tenant, .. } => *tenant,
        }
    }

    fn correlation_id(&self) -> &str {
        match self {
            Self::TellNews { correlation_id, .. } | Self::Report { correlation_id, .. } => correlation_id,
        }
    }

    fn in_turn(&self) -> Option<&str> {
        Some(match self {
            Self::TellNews { correlation_id, .. } => correlation_id,
            Self::Report { report, .. } => report.order.as_str(),
        })
    }
}
