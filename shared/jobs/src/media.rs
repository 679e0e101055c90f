//! Jobs about media.

use domain::{
    base::ids::{AssetId, ConnectionId, MessageId, TenantId},
    media::medium::Medium,
};
use serde::{Deserialize, Serialize};

use crate::JobBody;

/// Queue `media`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum MediaJob {
    /// Fetch a medium of a customer's message, or delete it with its message.
    Fetch {
        /// Tenant of the message.
        tenant: TenantId,
        /// Correlation id of the message.
        correlation_id: String,
        /// The message.
        message: MessageId,
        /// Place of the medium among the message's.
        index: u8,
    },
    /// Upload an asset to the provider of a connection, unless its id there is valid for another day.
    Upload {
        /// Tenant of the asset.
        tenant: TenantId,
        /// Correlation id of the request or message that needs it.
        correlation_id: String,
        /// The asset.
        asset: AssetId,
        /// The connection.
        connection: ConnectionId,
    },
}

impl MediaJob {
    /// The job of a medium.
    pub fn fetch(tenant: TenantId, medium: &Medium) -> Self {
        Self::Fetch {
            tenant,
            correlation_id: medium.correlation_id.clone(),
            message: medium.message,
            index: medium.index,
        }
    }
}

impl JobBody for MediaJob {
    fn tenant(&self) -> TenantId {
        match self {
            Self::Fetch { tenant, .. } | Self::Upload { tenant, .. } => *tenant,
        }
    }

    fn correlation_id(&self) -> &str {
        match self {
            Self::Fetch { correlation_id, .. } | Self::Upload { correlation_id, .. } => correlation_id,
        }
    }
}
