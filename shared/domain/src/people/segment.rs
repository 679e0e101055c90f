//! Segments: saved filters of contacts.

use serde::{Deserialize, Serialize};

use crate::people::Conditions;
use crate::terms::{OneLine, SegmentId};

resource! {
    /// A segment of a tenant's contacts: a saved filter. Which contacts belong to it follows from their data at any time, so that
    /// counting them is no change of the segment.
    pub struct Segment of SegmentId;

    /// The fields of a segment.
    pub struct SegmentIn {
        /// Name, unique among the tenant's segments, whatever its case.
        #[cfg_attr(feature = "schema", schemars(example = "Regulars in Dubai", extend("x-unique" = true)))]
        pub name: OneLine<1, 60>,
        /// Purpose of the segment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = "Invitation to the tasting"))]
        pub description: Option<OneLine<1, 200>>,
        /// Conditions that its contacts fulfil, all of them. Without any, all contacts belong to it.
        #[serde(default)]
        pub filter: Conditions,
    }
}

impl Segment {
    /// Maximum segments per tenant.
    pub const MAX: u32 = 100;
}

/// Parameters of the operation that counts a segment's contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountSegment {
    pub segment: SegmentId,
    /// Its conditions when the operation was started. Later changes of the segment do not affect it.
    pub filter: Conditions,
}

/// Result of the operation that counts a segment's contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentCount {
    pub contacts: u64,
}
