//! Reports of messaging providers in our terms: `providers` translates their webhooks into these.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::media::InboundMedia;
use crate::messages::{Latitude, Longitude, StatusReport};
use crate::templates::TemplateReport;
use crate::tenants::Reported;
use crate::terms::{Channel, Phone, ProviderRef, Recipient, SendKey, SenderId, ShownName};

/// A report of a provider. A webhook may contain many.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// The status of a message of ours.
    Status(Status),
    /// A customer wrote (or pressed a button, sent a picture, …).
    Message(InboundMessage),
    /// Somebody of the business wrote on its own phone, or another responder did (`standby`): the message with its recipient as the sender.
    ByPhone(InboundMessage),
    /// A customer called by WhatsApp, which opens the service window like a message.
    WhatsAppCall {
        /// The caller.
        from: Sender,
        /// The provider's id of the call.
        provider_ref: ProviderRef,
        /// Time of the call.
        at: Timestamp,
    },
    /// Who answers a conversation has changed.
    Handover {
        from: Sender,
        /// Whether it was passed to us. Otherwise another responder has taken it.
        passed: bool,
        /// Time of the change.
        at: Timestamp,
    },
    /// A customer changed their marketing preference.
    MarketingPreference {
        from: Sender,
        /// Whether marketing is welcome.
        welcome: bool,
        /// Time of the change.
        at: Timestamp,
    },
    /// A customer got a new business-scoped user id or number.
    IdentityChanged {
        /// The identities of before, as far as they are named.
        previous: Sender,
        now: Sender,
    },
    /// A template's status, category or both.
    Template(TemplateReport),
    /// News about the account or number that the tenant should know.
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
        /// The number. `None` if missing or unreadable: then only the values of the whole business count.
        number: Option<Phone>,
        reported: Reported,
    },
    /// An unknown kind: stored raw and counted.
    Unknown { kind: String },
}

/// A provider's report on a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Our key, if the provider returned it.
    pub key: Option<SendKey>,
    pub report: StatusReport,
    /// The recipient, as far as the report names it. A report can reveal the number's business-scoped user id.
    pub recipient: Sender,
    /// For `failed`: the provider's code.
    pub error_code: Option<i64>,
}

/// The sender: at least one of the identities is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// Meta's business-scoped user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bsuid: Option<String>,
    /// A short code or a name in place of a number. Such a message is only shown: no customer wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<SenderId>,
    /// The profile's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ShownName>,
}

impl Sender {
    /// The recipient of an answer.
    pub fn recipient(&self) -> Recipient {
        Recipient {
            phone: self.phone.clone(),
            bsuid: self.bsuid.clone(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundMessage {
    /// The channel it came by.
    pub channel: Channel,
    /// The provider's id of the message. A redelivery has the same.
    pub provider_ref: ProviderRef,
    pub from: Sender,
    /// The number that it was sent to, if the connection alone does not determine it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Phone>,
    /// Time by the provider's clock.
    pub at: Timestamp,
    /// The provider's word for its type, such as `text`, `image`.
    pub kind: String,
    /// Whether text or payload were longer than what is stored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// The text: body, caption, button label. [`Self::typed_text`] says whether these are the customer's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Our payload of the pressed button. Untrusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// Media, at most [`MAX_MEDIA`](crate::media::MAX_MEDIA), which are fetched later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<InboundMedia>,
    /// Content beside its text, which has it in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<Shared>,
    /// The provider's id of the message that it answers, reacts to, edits or revokes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ProviderRef>,
    /// The provider's own opt-out flag (Twilio `OptOutType`): the provider has already answered the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_flag: Option<OptFlag>,
    /// Whether it was said to another responder of the number, or by it (Meta `standby`): stored and shown, never answered.
    #[serde(default)]
    pub standby: bool,
    /// Whether it opens WhatsApp's service window. A reaction or a system notice does not.
    #[serde(default)]
    pub opens_window: bool,
}

/// The delivery of a message by a webhook, as far as the order of messages depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    pub received_at: Timestamp,
    /// Place of the message in the webhook.
    pub place: u32,
}

/// The type of a reaction.
pub const REACTION: &str = "reaction";

/// The type of a message that somebody takes back.
pub const REVOCATION: &str = "revoke";

/// The type of a template, which only other responders' messages have.
pub const TEMPLATE: &str = "template";

/// The type of what an earlier message was changed to.
pub const EDIT: &str = "edit";

/// Whether something of this type is no message of a customer: a notice of the platform, such as that somebody has opened the chat for the
/// first time, or that a message was pinned or kept.
pub fn is_notice(kind: &str) -> bool {
    matches!(kind, "request_welcome" | "system" | "pin" | "keep_in_chat")
}

impl InboundMessage {
    /// Whether the customer certainly wrote it to the business, as a new message. A reaction, an edit, a revocation, a notice of the
    /// platform, or a message that the API does not show opens no window. An SMS can be a reaction, too. Short codes and names are no
    /// customers.
    pub fn is_written(&self) -> bool {
        self.kind != REACTION && self.from.sender_id.is_none() && (self.channel == Channel::Sms || self.opens_window)
    }

    /// Whether it is news for the team that the customer may wait to have answered: all that is written, an edit, and a message that the
    /// API does not show, such as a poll or a picture to be viewed once.
    pub fn is_news(&self) -> bool {
        let kind = self.kind.as_str();
        self.from.sender_id.is_none() && !matches!(kind, REACTION | REVOCATION) && !is_notice(kind)
    }

    /// The text that the customer typed: a message, a caption, or what either was edited to. Labels of buttons, places, cards, orders and
    /// names of files are others' words.
    pub fn typed_text(&self) -> Option<&str> {
        let typed = match (self.channel, self.kind.as_str()) {
            (_, "text" | "image" | "video" | "audio" | "document" | "sticker" | "media" | EDIT) => true,
            // Whatever Twilio calls it: RCS is one of its SMS.
            (Channel::Sms, kind) => !matches!(
                kind,
                REACTION | "button" | "interactive" | "location" | "contacts" | "order"
            ),
            (Channel::WhatsApp, _) => false,
        };
        let is_name = |text: &&str| self.kind == "document" && is_file_name(text);
        let text = self.text.as_deref().filter(|text| !is_name(text));
        text.filter(|_| typed && self.payload.is_none())
    }

    /// Whether it is another responder's template, which answers nobody.
    pub fn is_template(&self) -> bool {
        self.kind == TEMPLATE
    }

    /// Whether the customer pressed a button, or chose a row of a list.
    pub fn is_press(&self) -> bool {
        self.payload.is_some() || matches!(self.kind.as_str(), "button" | "interactive")
    }
}

/// Whether a text is the name of a file, which stands for the caption of a document that has none: phones and providers put it there.
fn is_file_name(text: &str) -> bool {
    const ENDING: usize = 5;
    text.rsplit_once('.').is_some_and(|(name, ending)| {
        let letters = ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
        !name.is_empty() && (2..=ENDING).contains(&ending.len()) && letters
    })
}

/// Shared content of a customer's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shared {
    Location(SharedLocation),
    /// Business cards, at most [`MAX_CARDS`](crate::messages::MAX_CARDS) and [`SharedCard::MAX_BYTES`].
    Contacts(Vec<SharedCard>),
}

/// A place that a customer shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedLocation {
    /// Degrees north of the equator.
    pub latitude: Latitude,
    /// Degrees east of Greenwich.
    pub longitude: Longitude,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ShownName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<ShownName>,
}

impl SharedLocation {
    /// The place with these coordinates, if there is one.
    pub fn of(latitude: f64, longitude: f64, name: Option<&str>, address: Option<&str>) -> Option<Self> {
        Some(Self {
            latitude: Latitude::new(latitude)?,
            longitude: Longitude::new(longitude)?,
            name: name.and_then(ShownName::of),
            address: address.and_then(ShownName::of),
        })
    }
}

/// A business card that a customer shares, as somebody wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedCard {
    /// Name of the person or business.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ShownName>,
    /// Business of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<ShownName>,
    /// Telephone numbers, at most [`MAX_OF_CARD`](crate::messages::MAX_OF_CARD).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<ShownName>,
    /// E-mail addresses, at most as many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<ShownName>,
}

impl SharedCard {
    /// Maximum bytes of all cards of a message: lists hold many messages.
    pub const MAX_BYTES: usize = 8 * 1024;

    /// Bytes of its texts.
    pub fn bytes(&self) -> usize {
        let named = self.name.iter().chain(&self.organization);
        let texts = named.chain(&self.phones).chain(&self.emails);
        texts.map(|text| text.len()).sum()
    }
}

/// A wish about messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptFlag {
    Stop,
    Start,
    /// A request for help.
    Help,
}

impl OptFlag {
    /// The name for software.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Help => "help",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn news_is_what_a_customer_may_wait_to_have_answered() {
        for (kind, is_news, is_written) in [
            ("text", true, true),
            ("image", true, true),
            ("button", true, true),
            ("unsupported", true, false),
            (EDIT, true, false),
            (REACTION, false, false),
            (REVOCATION, false, false),
            ("request_welcome", false, false),
            ("system", false, false),
            ("pin", false, false),
            ("keep_in_chat", false, false),
        ] {
            let told = |channel: Channel, from: serde_json::Value| {
                let message = serde_json::from_value::<InboundMessage>(json!({
                    "channel": channel, "provider_ref": "1", "from": from, "at": "2026-11-20T10:00:00Z", "kind": kind,
                    "opens_window": channel == Channel::WhatsApp && is_written,
                }));
                message
                    .map(|message| (message.is_news(), message.is_written()))
                    .unwrap()
            };
            let customer = json!({"phone": "+971501234567"});
            assert_eq!(
                told(Channel::WhatsApp, customer.clone()),
                (is_news, is_written),
                "{kind}"
            );
            assert_eq!(told(Channel::Sms, customer).0, is_news, "{kind}");
            assert_eq!(
                told(Channel::Sms, json!({"sender_id": "68849"})),
                (false, false),
                "{kind}"
            );
        }
    }
}
