//! Jobs about media.

use domain::media::{Asset, Medium};
use domain::terms::{ConnectionId, FileId, MessageId, TenantId};
use serde::{Deserialize, Serialize};

use crate::JobBody;

/// Job of the queue `media`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum MediaJob {
    /// Fetch a medium of a customer's message, or delete it with its message.
    Fetch {
        /// Tenant of the message.
        tenant: TenantId,
        /// Correlation id of the message.
        correlation_id: String,
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
        /// The asset, or the attachment.
        asset: FileId,
        connection: ConnectionId,
    },
    /// Delete an attachment that is not kept any longer.
    Drop {
        /// Tenant of the attachment.
        tenant: TenantId,
        /// Correlation id of the request that created it.
        correlation_id: String,
        attachment: FileId,
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

    /// The job that deletes an attachment.
    pub fn drop(tenant: TenantId, attachment: &Asset) -> Self {
        let attached = attachment.attached.as_ref();
        Self::Drop {
            tenant,
            correlation_id: attached
                .map(|attached| attached.correlation_id.clone())
                .unwrap_or_default(),
            attachment: attachment.id,
        }
    }
}

impl JobBody for MediaJob {
    fn tenant(&self) -> TenantId {
        match self {
            Self::Fetch { tenant, .. } | Self::Upload { tenant, .. } | Self::Drop { tenant, .. } => *tenant,
        }
    }

    fn correlation_id(&self) -> &str {
        match self {
            Self::Fetch { correlation_id, .. }
            | Self::Upload { correlation_id, .. }
            | Self::Drop { correlation_id, .. } => correlation_id,
        }
    }
}
