//! Models of requests and responses.

use api::{FileLinkOut, OperationOut};
use domain::reports::{ExportData, Exported, FileFormat};
use domain::terms::{CampaignId, OperationId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A new export.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportIn {
    /// Content. The audit log also needs the permission `audit:read`, and recipients `messages:read`.
    pub(crate) what: Exported,
    /// Format of the file.
    #[serde(default)]
    pub(crate) format: FileFormat,
    /// Start of the period, for calls, messages and the audit log, of at most 400 days. Default: 30 days before its end.
    #[serde(default)]
    #[schemars(extend("x-refers" = true), example = "2026-11-01T00:00:00Z")]
    pub(crate) from: Option<Timestamp>,
    /// End of the period, exclusive. Default: now.
    #[serde(default)]
    #[schemars(extend("x-refers" = true), example = "2026-11-20T00:00:00Z")]
    pub(crate) to: Option<Timestamp>,
    /// The broadcast, for recipients.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    pub(crate) campaign_id: Option<CampaignId>,
}

/// An export of data.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Export")]
pub(crate) struct ExportOut {
    /// Id of the export and of its operation.
    id: OperationId,
    /// Content.
    what: Exported,
    /// Format of the file.
    format: FileFormat,
    /// Start of the period. `null` if it has none.
    #[schemars(example = "2026-11-01T00:00:00Z")]
    from: Option<Timestamp>,
    /// End of the period, exclusive. `null` if it has none.
    #[schemars(example = "2026-11-20T00:00:00Z")]
    to: Option<Timestamp>,
    /// The broadcast, of recipients. `null` for other content.
    campaign_id: Option<CampaignId>,
    /// The operation that writes the file, with its progress and, once it is done, the numbers of rows and of those that were left out.
    operation: OperationOut,
    /// Link to the file. `null` until the operation is done, once the file is deleted, and in lists.
    file: Option<FileLinkOut>,
}

impl ExportOut {
    pub(crate) fn new(order: ExportData, operation: OperationOut, id: OperationId) -> Self {
        Self {
            id,
            what: order.what,
            format: order.format,
            from: order.from,
            to: order.to,
            campaign_id: order.campaign,
            operation,
            file: None,
        }
    }

    pub(crate) fn with_file(self, file: Option<FileLinkOut>) -> Self {
        Self { file, ..self }
    }
}
