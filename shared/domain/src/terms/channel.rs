//! Channels of messages.

use serde::{Deserialize, Serialize};

/// A way to reach a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// WhatsApp, through the Cloud API or Twilio, depending on the connection.
    #[serde(rename = "whatsapp")]
    WhatsApp,
    /// A text message.
    Sms,
}

impl Channel {
    pub const ALL: [Self; 2] = [Self::WhatsApp, Self::Sms];

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WhatsApp => "WhatsApp",
            Self::Sms => "SMS",
        }
    }

    /// The name for software.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WhatsApp => "whatsapp",
            Self::Sms => "sms",
        }
    }
}
