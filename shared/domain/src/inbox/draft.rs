//! Drafts of replies: what a person has written in a conversation and has not sent.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::terms::{MAX_FREE_TEXT_LENGTH, Verbatim};

/// A person's draft of a reply in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReplyDraft"))]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Text as it was written.
    #[cfg_attr(feature = "schema", schemars(example = "Yes, for four at eight. Shall"))]
    pub text: Verbatim<1, MAX_FREE_TEXT_LENGTH>,
}

impl Draft {
    /// Retention after its last change.
    pub const RETAINED: SignedDuration = SignedDuration::from_hours(30 * 24);
}
