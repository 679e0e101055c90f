//! What messaging providers report, in our words: `providers` translates their webhooks into these.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    checkup::Reported,
    ids::SendKey,
    message::{Channel, StatusReport},
    outside::{ProviderRef, ShownName},
    phone::Phone,
    template::TemplateReport,
};

/// One thing that a provider reports. A webhook may carry many.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// A message of ours moved.
    Status(Status),
    /// A customer wrote (or pressed a button, sent a picture, …).
    Message(InboundMessage),
    /// A customer called by WhatsApp: opens the window like a message.
    WhatsAppCall {
        /// Who.
        from: Sender,
        /// The provider's id of the call.
        provider_ref: ProviderRef,
        /// When.
        at: Timestamp,
    },
    /// A customer changed what marketing they accept.
    MarketingPreference {
        /// Who.
        from: Sender,
        /// Whether marketing is welcome.
        welcome: bool,
        /// When.
        at: Timestamp,
    },
    /// A customer got a new business-scoped user id or number.
    IdentityChanged {
        /// The id before.
        previous_bsuid: Option<String>,
        /// Who it is now.
        now: Sender,
    },
    /// A template's status, category or both.
    Template(TemplateReport),
    /// Something about the account or number that the tenant should know; `restricts` when it must stop sending.
    Account {
        /// The webhook field, such as `account_update`.
        field: String,
        /// The event within it.
        event: String,
        /// Whether the account may not send until somebody acts.
        restricts: bool,
    },
    /// A number's rating or limits.
    Limits {
        /// The number. `None`: not told, or not to be read; only what is the whole business's counts then.
        number: Option<Phone>,
        /// What is reported.
        reported: Reported,
    },
    /// A kind that we do not know: kept raw and counted.
    Unknown {
        /// Its name.
        kind: String,
    },
}

/// A provider's report on a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Our key, where it came back.
    pub key: Option<SendKey>,
    /// What it says.
    pub report: StatusReport,
    /// The recipient, as far as the report names it: a report may teach us the number's business-scoped user id.
    pub recipient: Sender,
    /// For `failed`: the provider's code.
    pub error_code: Option<i64>,
}

/// Who wrote: at least one of the two is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// Meta's business-scoped user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bsuid: Option<String>,
    /// The profile's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ShownName>,
}

/// A customer's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundMessage {
    /// The channel it came by.
    pub channel: Channel,
    /// The provider's id of it: what a redelivery is known by.
    pub provider_ref: ProviderRef,
    /// Who wrote.
    pub from: Sender,
    /// The number that it was sent to, where the connection alone does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Phone>,
    /// When, by the provider's clock.
    pub at: Timestamp,
    /// The provider's word for its type, such as `text`, `image`.
    pub kind: String,
    /// Text or payload is longer than what is kept of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// The text: body, caption, button label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Our payload in the button that was pressed. Untrusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// Media to fetch later: provider's id or URL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<String>,
    /// The provider's id of our message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ProviderRef>,
    /// The provider's own opt-out flag (Twilio `OptOutType`): the provider has answered the customer itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_flag: Option<OptFlag>,
    /// Arrived while another assistant holds the conversation (Meta `standby`): stored, never answered.
    #[serde(default)]
    pub standby: bool,
    /// Whether it opens WhatsApp's service window (a reaction or a system notice does not).
    #[serde(default)]
    pub opens_window: bool,
}

/// A wish about being messaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptFlag {
    /// No more.
    Stop,
    /// Again, please.
    Start,
    /// Asks for help.
    Help,
}
