//! Every message that a provider accepted, with the sender's own key, for tests to count.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::config::StatusDelays;

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    Whatsapp,
    Sms,
}

impl Channel {
    /// A number as Twilio writes it.
    pub(crate) fn address(self, number: &str) -> String {
        match self {
            Self::Whatsapp => format!("whatsapp:{number}"),
            Self::Sms => number.to_owned(),
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    Graph,
    Twilio,
}

#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    pub tenant: String,
    pub channel: Channel,
    pub via: Via,
    /// E.164 with `+`, or an alphanumeric sender.
    pub from: String,
    /// E.164 with `+`; a BSUID only where the phone behind it is not known.
    pub to: String,
    #[serde(flatten)]
    pub content: Content,
    /// `biz_opaque_callback_data`, or the `key` of StatusCallback's query.
    pub key: Option<String>,
    pub accepted_at: Timestamp,
    /// The provider's id: wamid or message SID.
    pub id: String,
    pub statuses: Vec<Status>,
    /// The text that the customer sees.
    #[serde(skip)]
    pub shown: Shown,
    #[serde(skip)]
    pub wire: Wire,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    Body(String),
    Template {
        name: String,
        language: String,
        parameters: Vec<String>,
    },
    /// Media, interactive, location and the like, as sent.
    Other(Value),
}

#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub status: &'static str,
    pub at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
}

/// A message as it looks on the phone.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Shown {
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<ShownMedia>,
    /// `latitude`, `longitude`, `name`, `address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Value>,
    /// Contacts in Meta's shape.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Value>,
    /// Label of the button that opens the list; the rows are `buttons`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub menu: Option<String>,
    /// The business asks for the person's location.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub asks_location: bool,
    /// Id of the message that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quotes: Option<String>,
    /// It is no message of its own, but a reaction to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaction: Option<Reaction>,
    /// Buttons and rows the person can tap.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
}

impl Shown {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct ShownMedia {
    /// `image`, `video`, `audio`, `document` or `sticker`.
    pub kind: &'static str,
    /// A path of the simulators, or the link that the business sent.
    pub url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub voice: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct Reaction {
    /// Id of the message.
    pub to: String,
    /// `None` if the reaction is taken back.
    pub emoji: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Button {
    pub text: String,
    /// The answer of a tap: a quick reply's payload or an interactive reply's id; none: opens a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// A list row's second line, which is part of the answer, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Title of the section that a row stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// The page that it opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The shape of an interactive answer: `button_reply` or `list_reply`. Empty: the button of a template.
    #[serde(skip)]
    pub kind: &'static str,
}

/// Additional data of status webhooks.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    /// Meta's pricing category, lower case: utility, marketing, authentication, service.
    pub category: String,
    /// The request named a BSUID instead of a phone.
    pub to_bsuid: bool,
    /// Twilio: the URL of statuses; none: no statuses.
    pub status_callback: Option<String>,
    pub messaging_service_sid: Option<String>,
    pub segments: u32,
    pub delays: StatusDelays,
}

impl Sent {
    pub(crate) fn latest(&self) -> &'static str {
        self.statuses.last().map_or("accepted", |status| status.status)
    }

    pub(crate) fn failure_status(&self) -> Option<&Status> {
        self.statuses
            .iter()
            .find(|status| matches!(status.status, "failed" | "undelivered"))
    }
}
