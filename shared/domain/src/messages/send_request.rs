//! Requests for messages: what a tenant's own software, or one of its users, asks to be sent
//! (docs/decisions/0062-messages-by-the-api.md).

use jiff::Timestamp;
use serde::Deserialize;
use ulid::Ulid;

use crate::messages::{
    Card, Cause, Content, Draft, Intent, InteractiveUse, Leg, Location, MAX_CARDS, MediaUse, Message, ReactionUse,
    Referred, Says, Words, problems_of_cards, receiver_of,
};
use crate::people::{Contact, Identity};
use crate::tenants::{Line, MAX_FALLBACK_SECONDS, TenantConfig, line_by_id};
use crate::terms::{
    Actor, Bsuid, Category, Channel, ContactId, Fault, FaultCode, FieldProblem, FileId, FreeText, LineId, MessageId,
    Narrowing, OneLine, Phone, Purpose, Recipient, SmsText, TemplateUse, USUAL_FALLBACK_SECONDS, UpTo, Whole,
};

/// Maximum characters of a stated reason.
pub const MAX_BASIS_LENGTH: usize = 200;

/// Maximum channels of a message: there are no more.
pub(crate) const MAX_CHANNELS: usize = 2;

/// Author of requested messages, in sentences.
const BY: &str = "the request";

/// Category that a request declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "RequestedCategory")
)]
#[serde(rename_all = "snake_case")]
pub enum Declared {
    /// An answer to something that the person did, such as an order. `basis` says what.
    Utility,
    /// An offer. The person needs a recorded opt-in.
    Marketing,
}

impl From<Declared> for Category {
    fn from(declared: Declared) -> Self {
        match declared {
            Declared::Utility => Self::Utility,
            Declared::Marketing => Self::Marketing,
        }
    }
}

/// A message to be sent: to exactly one of `contact_id`, `phone` and `whatsapp_id`, with `sms_text`, or content of WhatsApp, or both. The
/// content of WhatsApp is one of `template`, `text`, `media`, `interactive`, `location`, `contacts` and `reaction`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MessageIn"))]
#[serde(deny_unknown_fields)]
pub struct MessageRequest {
    /// Contact who gets the message: free text by WhatsApp as the user whose service window is open, of several the one who wrote last.
    /// Otherwise at the preferred telephone number, or by WhatsApp at the newest WhatsApp id.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub contact_id: Option<ContactId>,
    /// Telephone number that gets the message. If no contact has it, one is created.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(example = "+971501234567"))]
    pub phone: Option<Phone>,
    /// WhatsApp id of a known contact, who gets the message by WhatsApp only.
    #[serde(default)]
    pub whatsapp_id: Option<Bsuid>,
    /// Line that sends the message. Default: the line of the message in `reply_to` or `reaction`, or the only line. Without one, the
    /// connection of that message, or the connection that would answer a call without a line.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub line_id: Option<LineId>,
    /// Category of the message. Consent and price depend on it. A template must have the same.
    pub category: Declared,
    /// Reason for sending the message, in words: what the person did or agreed to. Required for `utility`. `marketing` needs a recorded
    /// opt-in in any case. Kept with the message.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(example = "Order 1042, placed on 20 November"))]
    pub basis: Option<OneLine<1, MAX_BASIS_LENGTH>>,
    /// Template that is sent by WhatsApp. Not together with other content of WhatsApp. All but templates need an open service window.
    #[serde(default)]
    pub template: Option<TemplateUse>,
    /// Free text that is sent by WhatsApp, while the person's service window is open. One text, or one for each language. Values as in
    /// `sms_text`. At most 4,096 characters with them.
    #[serde(default)]
    pub text: Option<FreeText>,
    /// File that is sent by WhatsApp: a picture, video, document, sticker or sound.
    #[serde(default)]
    pub media: Option<MediaUse>,
    /// Text with buttons, a list, a link or a request for the location that is sent by WhatsApp. Not through Twilio.
    #[serde(default)]
    pub interactive: Option<InteractiveUse>,
    /// Place that is sent by WhatsApp.
    #[serde(default)]
    pub location: Option<Location>,
    /// Business cards that are sent by WhatsApp. Not through Twilio.
    #[serde(default)]
    pub contacts: UpTo<MAX_CARDS, Card>,
    /// Reaction by WhatsApp to a message of the person or to the person. Not through Twilio.
    #[serde(default)]
    pub reaction: Option<ReactionUse>,
    /// Message by WhatsApp, from the person or to the person, that the content of WhatsApp answers. Not through Twilio.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub reply_to: Option<MessageId>,
    /// Text of the SMS: one for all, or one for each language. `{{contact.first_name|there}}` stands for a value with its default. At most
    /// 1,600 characters with the values.
    #[serde(default)]
    pub sms_text: Option<SmsText>,
    /// Channels in the order of the attempts. Default: those that have content, WhatsApp first.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(example = ["whatsapp", "sms"]))]
    pub channels: UpTo<MAX_CHANNELS, Channel>,
    /// Seconds until the next channel is tried if the message was accepted and not delivered. 0: only when the channel fails. Default: 120.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(example = 120))]
    pub fallback_after_seconds: Option<Whole<0, MAX_FALLBACK_SECONDS>>,
    /// Time to send the message, less than 23 hours ahead. Default: now. Quiet hours can postpone it.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub send_at: Option<Timestamp>,
}

/// A request for a message with a template, and without other content of WhatsApp.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct TemplateRequest(MessageRequest);

/// Recipient that a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    Contact(ContactId),
    /// The person with this identity.
    Known(Identity),
}

impl Whom {
    /// The field that names them.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Contact(_) => CONTACT,
            Self::Known(Identity::Phone(_)) => PHONE,
            Self::Known(_) => WHATSAPP_ID,
        }
    }

    /// The number or id that names them.
    pub const fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Known(identity) => Some(identity),
            Self::Contact(_) => None,
        }
    }

    /// How a message reaches them. A recipient named by number or id gets it there and nowhere else.
    pub fn recipient(&self, contact: &Contact) -> Recipient {
        let bsuid = || contact.bsuid().map(str::to_owned);
        match self {
            Self::Known(Identity::Phone(phone)) => Recipient {
                phone: Some(phone.clone()),
                bsuid: bsuid(),
            },
            Self::Known(Identity::Bsuid(id)) => Recipient {
                phone: None,
                bsuid: Some(id.clone()),
            },
            Self::Contact(_) | Self::Known(_) => contact.recipient(),
        }
    }
}

const CONTACT: &str = "contact_id";
const PHONE: &str = "phone";
const WHATSAPP_ID: &str = "whatsapp_id";

/// The fields with content of WhatsApp.
const OF_WHATSAPP: [&str; 7] = [
    TEMPLATE,
    "text",
    "media",
    "interactive",
    "location",
    "contacts",
    REACTION,
];
const TEMPLATE: &str = "template";
const REACTION: &str = "reaction";
const REPLY_TO: &str = "reply_to";

/// The requester, the request's id and its time.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The user or API key.
    pub by: Actor,
    /// The request's own id: the same for every attempt of one request.
    pub request: Ulid,
    /// The contact that gets the message.
    pub contact: ContactId,
    /// How it reaches them, unless the request leaves that open: see [`MessageRequest::intent`].
    pub to: Recipient,
    /// The message that it answers or reacts to, if the request names one.
    pub refers: Option<Referred>,
    pub now: Timestamp,
}

impl Asked {
    /// The cause of the message.
    pub const fn cause(&self) -> Cause {
        self.cause_of(None)
    }

    /// The cause of a message that sends this one again, if there is one.
    const fn cause_of(&self, retries: Option<MessageId>) -> Cause {
        Cause::Requested {
            contact: self.contact,
            by: self.by,
            request: self.request,
            retries,
        }
    }

    /// A message with this cause, to the recipient.
    fn intent<'a>(&self, cause: Cause, category: Category) -> Intent<'a> {
        Intent::new(cause, Purpose::Api, category, self.to.clone(), BY, self.now)
    }
}

impl MessageRequest {
    /// A request of this category to nobody, which says nothing.
    pub(crate) fn empty(category: Declared) -> Self {
        Self {
            contact_id: None,
            phone: None,
            whatsapp_id: None,
            line_id: None,
            category,
            basis: None,
            template: None,
            text: None,
            media: None,
            interactive: None,
            location: None,
            contacts: UpTo::default(),
            reaction: None,
            reply_to: None,
            sms_text: None,
            channels: UpTo::default(),
            fallback_after_seconds: None,
            send_at: None,
        }
    }

    /// The named recipient, if there is exactly one.
    pub fn whom(&self) -> Option<Whom> {
        match (&self.contact_id, &self.phone, &self.whatsapp_id) {
            (Some(id), None, None) => Some(Whom::Contact(*id)),
            (None, Some(phone), None) => Some(Whom::Known(Identity::Phone(phone.clone()))),
            (None, None, Some(id)) => Some(Whom::Known(Identity::Bsuid(id.as_str().to_owned()))),
            _ => None,
        }
    }

    /// The contact that is named as the recipient, and nobody else is.
    pub fn named_contact(&self) -> Option<ContactId> {
        match self.whom()? {
            Whom::Contact(id) => Some(id),
            Whom::Known(_) => None,
        }
    }

    /// Problems of the request in this configuration, at this time. Empty: none.
    pub fn problems(&self, config: &TenantConfig, now: Timestamp) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        let mut wrong = |field: &str, fault: Fault| found.push(FieldProblem::new(field, fault));
        let given = [
            (CONTACT, self.contact_id.is_some()),
            (PHONE, self.phone.is_some()),
            (WHATSAPP_ID, self.whatsapp_id.is_some()),
        ];
        let named: Vec<&str> = given
            .iter()
            .filter(|(_, given)| *given)
            .map(|(name, _)| *name)
            .collect();
        match named.as_slice() {
            [_] => {}
            [] => wrong(
                PHONE,
                Fault::requires(
                    &[CONTACT, WHATSAPP_ID],
                    "Give one of `contact_id`, `phone` and `whatsapp_id`.",
                ),
            ),
            [first, others @ ..] => wrong(
                first,
                Fault::excludes(others, "Give only one of `contact_id`, `phone` and `whatsapp_id`."),
            ),
        }
        if let Some(phone) = self.phone.as_ref().filter(|phone| is_own_number(config, phone)) {
            wrong(PHONE, own_number_fault(phone));
        }
        if let Some(line) = self.line_id.filter(|line| line_by_id(&config.lines, *line).is_none()) {
            let fault = Fault::new(FaultCode::NotFound, "There is no such line.");
            wrong("line_id", fault.and("id", line.to_string()));
        }
        if self.category == Declared::Utility && self.basis.is_none() {
            let detail = "Say on what ground the message is sent: what the person did or agreed to.";
            wrong("basis", Fault::new(FaultCode::Required, detail));
        }
        if let Some(fault) = self.send_at.and_then(|at| wrong_time(at, now)) {
            wrong("send_at", fault);
        }
        found.extend(self.problems_of_content());
        found
    }

    /// Problems of its content by channel.
    pub fn problems_of_content(&self) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        let mut wrong = |field: &str, fault: Fault| found.push(FieldProblem::new(field, fault));
        match self.of_whatsapp().as_slice() {
            [] if self.sms_text.is_none() => {
                let detail = "Give `sms_text`, or content of WhatsApp: at least one of `template`, `text` and so on.";
                let others: Vec<_> = OF_WHATSAPP[1..].iter().copied().chain(["sms_text"]).collect();
                wrong(TEMPLATE, Fault::requires(&others, detail));
            }
            [] | [_] => {}
            [first, second, ..] => {
                let detail = "WhatsApp carries one of them in a message.";
                wrong(second, Fault::excludes(&[*first], detail));
            }
        }
        if self.reply_to.is_some() && self.reaction.is_some() {
            let detail = "A reaction names its message itself.";
            wrong(REPLY_TO, Fault::excludes(&[REACTION], detail));
        } else if self.reply_to.is_some() && self.of_whatsapp().is_empty() {
            let detail = "Only content of WhatsApp answers a message.";
            wrong(REPLY_TO, Fault::requires(&OF_WHATSAPP, detail));
        }
        let of_interactive = self.interactive.iter().flat_map(InteractiveUse::problems);
        let of_interactive = of_interactive.map(|problem| problem.within("interactive"));
        let of_cards = problems_of_cards(&self.contacts).into_iter();
        let of_cards = of_cards.map(|problem| FieldProblem {
            field: format!("contacts{}", problem.field),
            ..problem
        });
        for (field, fault) in self.channel_problems() {
            wrong(&field, fault);
        }
        found.extend(of_interactive.chain(of_cards));
        found
    }

    /// The message that it answers or reacts to, with the field that names it.
    pub fn refers_to(&self) -> Option<(&'static str, MessageId)> {
        let reaction = self
            .reaction
            .as_ref()
            .map(|reaction| ("reaction.message_id", reaction.message_id));
        reaction.or_else(|| self.reply_to.map(|message| (REPLY_TO, message)))
    }

    /// The attachment that it names.
    pub fn attachment(&self) -> Option<FileId> {
        let header = self
            .interactive
            .as_ref()
            .and_then(|interactive| interactive.header_media.as_ref());
        let media = self.media.as_ref().map(|media| media.asset_id);
        let file = media.or_else(|| header.map(|media| media.asset_id));
        file.filter(|file| matches!(file, FileId::Attachment(_)))
    }

    /// Whether it has content of WhatsApp.
    pub fn has_content_of_whatsapp(&self) -> bool {
        !self.of_whatsapp().is_empty()
    }

    /// The fields with content of WhatsApp that are given.
    fn of_whatsapp(&self) -> Vec<&'static str> {
        let given = [
            self.template.is_some(),
            self.text.is_some(),
            self.media.is_some(),
            self.interactive.is_some(),
            self.location.is_some(),
            !self.contacts.is_empty(),
            self.reaction.is_some(),
        ];
        let given = OF_WHATSAPP.into_iter().zip(given).filter(|(_, given)| *given);
        given.map(|(field, _)| field).collect()
    }

    /// The channels that have content.
    fn usual_channels(&self) -> Vec<Channel> {
        let whatsapp = !self.of_whatsapp().is_empty();
        let channels = [(Channel::WhatsApp, whatsapp), (Channel::Sms, self.sms_text.is_some())];
        let with_content = channels.into_iter().filter(|(_, content)| *content);
        with_content.map(|(channel, _)| channel).collect()
    }

    /// The named channels without content, those that are named twice, and content without a channel.
    fn channel_problems(&self) -> Vec<(String, Fault)> {
        let mut wrong = Vec::new();
        let with_content = self.usual_channels();
        for (place, channel) in self.channels.iter().enumerate() {
            let field = format!("channels[{place}]");
            if self.channels[..place].contains(channel) {
                let detail = "This channel is given twice.";
                wrong.push((field, Fault::new(FaultCode::GivenTwice, detail)));
            } else if !with_content.contains(channel) {
                let (others, detail): (&[&str], _) = match channel {
                    Channel::WhatsApp => (&OF_WHATSAPP, "WhatsApp needs content, such as `template` or `text`."),
                    Channel::Sms => (&["sms_text"], "SMS needs `sms_text`."),
                };
                wrong.push((field, Fault::requires(others, detail)));
            }
        }
        let unused = with_content
            .into_iter()
            .filter(|channel| !self.channels.contains(channel));
        for channel in unused.filter(|_| !self.channels.is_empty()) {
            let field = match channel {
                Channel::WhatsApp => self.of_whatsapp().first().copied().unwrap_or(TEMPLATE),
                Channel::Sms => "sms_text",
            };
            let detail = format!("`channels` does not name {}, which carries this.", channel.name());
            wrong.push((field.to_owned(), Fault::requires(&["channels"], detail)));
        }
        wrong
    }

    /// The intent of this request. Uses the requested line; else the line of the message that it refers to; else the tenant's only line, if
    /// that sends through the same connection as that message. A contact gets it where [`receiver_of`] says.
    pub fn intent<'a>(&'a self, asked: &'a Asked, contact: &Contact, config: &TenantConfig) -> Intent<'a> {
        let channels = if self.channels.is_empty() {
            self.usual_channels()
        } else {
            self.channels.to_vec()
        };
        let refers = asked.refers.as_ref();
        let is_theirs = |line: &Line| {
            let named = line.connection(Channel::WhatsApp);
            refers.is_none_or(|refers| named.is_none_or(|named| named == refers.connection))
        };
        let only_line = || match config.lines.as_slice() {
            [only] => is_theirs(only).then_some(only.id),
            _ => None,
        };
        let line_of_other = || refers?.line;
        let seconds = self.fallback_after_seconds.map(Whole::get);
        let mut intent = Intent {
            narrowing: Narrowing {
                fallback_after_seconds: seconds.unwrap_or(USUAL_FALLBACK_SECONDS),
                ..Narrowing::default()
            },
            line: self.line_id.or_else(line_of_other).or_else(only_line),
            prefers: refers.map(|refers| refers.connection),
            basis: self.basis.as_ref().map(OneLine::as_str),
            refers: asked.refers.clone(),
            says: channels.into_iter().map(|channel| self.says(channel, asked)).collect(),
            not_before: self.send_at.unwrap_or(asked.now),
            ..asked.intent(asked.cause(), self.category.into())
        };
        if self.contact_id.is_some() {
            intent.to = receiver_of(&intent, contact, config);
        }
        intent
    }

    fn says<'a>(&'a self, channel: Channel, asked: &'a Asked) -> Says<'a> {
        let words = match (channel, &self.template, &self.text, &self.sms_text) {
            (Channel::WhatsApp, Some(template), ..) => Words::Template(template),
            (Channel::WhatsApp, None, Some(text), _) => Words::Free(&text.0),
            (Channel::Sms, .., Some(text)) => Words::Text(text),
            (Channel::WhatsApp, None, None, _) => self
                .draft(asked)
                .map_or(Words::None("the request has no content of WhatsApp"), Words::Draft),
            (Channel::Sms, .., None) => Words::None("the request has no sms_text"),
        };
        Says { channel, words }
    }

    /// The content of WhatsApp that is neither a template nor free text.
    fn draft<'a>(&'a self, asked: &'a Asked) -> Option<Draft<'a>> {
        if let Some(media) = &self.media {
            return Some(Draft::Media(media));
        }
        if let Some(interactive) = &self.interactive {
            return Some(Draft::Interactive(interactive));
        }
        if let Some(location) = &self.location {
            return Some(Draft::Location(location));
        }
        if !self.contacts.is_empty() {
            return Some(Draft::Contacts(&self.contacts));
        }
        let (reaction, refers) = self.reaction.as_ref().zip(asked.refers.as_ref())?;
        Some(Draft::Reaction(&refers.provider_ref, reaction.emoji.as_ref()))
    }
}

impl TemplateRequest {
    /// The request, if it has a template and no free text.
    pub fn require_template(self) -> Result<MessageRequest, Vec<FieldProblem>> {
        let mut wrong = Vec::new();
        if self.0.template.is_none() {
            wrong.push(FieldProblem::new("template", Fault::missing_field()));
        }
        let others = self.0.of_whatsapp().into_iter().filter(|field| *field != TEMPLATE);
        for field in others {
            let detail = format!("Leave `{field}` out: only templates are sent here.");
            wrong.push(FieldProblem::new(field, Fault::new(FaultCode::NotApplicable, detail)));
        }
        if wrong.is_empty() { Ok(self.0) } else { Err(wrong) }
    }
}

/// The intent to send a message again: the same content on each channel to the same recipient. Caps count it for the purpose of the first
/// message, too. If that one was blocked by a cap, it is valid no longer than that one.
pub fn intent_to_repeat<'a>(message: &'a Message, asked: &Asked) -> Intent<'a> {
    let policy = &message.policy;
    let legs = message.plan.iter();
    let left = message.valid_until().duration_since(asked.now);
    Intent {
        narrowing: Narrowing {
            validity: (message.is_blocked_by_cap() && left.is_positive()).then_some(left),
            capped_as: Some(policy.capped_as().unwrap_or_else(|| policy.purpose())),
            opt_in: policy.needs_opt_in(),
            fallback_after_seconds: policy.fallback_after_seconds(),
            when_unknown: Some(policy.when_unknown()),
            ..Narrowing::default()
        },
        line: message.line,
        prefers: message.plan.first().map(|leg| leg.connection),
        basis: message.basis.as_deref(),
        refers: message.plan.iter().find_map(|leg| refers_of(leg, &message.to)),
        says: legs
            .map(|leg| Says {
                channel: leg.channel,
                words: Words::Ready(&leg.content),
            })
            .collect(),
        ..asked.intent(asked.cause_of(Some(message.id)), policy.category())
    }
}

/// The message that a leg answers or reacts to.
fn refers_of(leg: &Leg, to: &Recipient) -> Option<Referred> {
    let provider_ref = match &leg.content {
        Content::Reaction(reaction) => Some(&reaction.to),
        _ => leg.reply_to.as_ref(),
    };
    provider_ref.map(|provider_ref| Referred {
        provider_ref: provider_ref.clone(),
        connection: leg.connection,
        line: None,
        with: to.clone(),
    })
}

/// Whether a number is one of the business: a message to it would be to oneself.
pub fn is_own_number(config: &TenantConfig, phone: &Phone) -> bool {
    let of_line = |line: &Line| {
        let sender = line.sender(Channel::Sms);
        line.number.as_ref() == Some(phone) || sender == Some(phone)
    };
    config.lines.iter().any(of_line)
        || config.connections.iter().any(|connection| {
            connection.whatsapp_number.as_ref() == Some(phone) || connection.sms_numbers.contains(phone)
        })
}

/// The fault of a recipient with this number of the business.
pub fn own_number_fault(phone: &Phone) -> Fault {
    let detail = format!("{phone} is a number of the business itself. Name a customer's.");
    Fault::new(FaultCode::Reserved, detail)
}

/// The fault of a time too late or too far ahead to send at.
fn wrong_time(at: Timestamp, now: Timestamp) -> Option<Fault> {
    if at < now {
        let detail = "The time is in the past. Leave it out to send the message now.";
        return Some(Fault::new(FaultCode::InPast, detail));
    }
    let ahead = Purpose::Api.row().validity - Purpose::Api.left_to_send();
    let last = now + ahead;
    (at >= last).then(|| {
        let hours = ahead.as_hours();
        let detail = format!("Expected a time less than {hours} hours ahead: before {last}.");
        Fault::out_of_range(now, last, detail)
    })
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for TemplateRequest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TemplateMessageIn".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = MessageRequest::json_schema(generator);
        let about = "A message by a template to be sent: to exactly one of `contact_id`, `phone` and `whatsapp_id`.";
        schema.insert("description".to_owned(), about.into());
        if let Some(serde_json::Value::Object(fields)) = schema.get_mut("properties") {
            for other in OF_WHATSAPP.into_iter().filter(|field| *field != TEMPLATE) {
                fields.remove(other);
            }
        }
        if let Some(serde_json::Value::Array(required)) = schema.get_mut("required") {
            required.push("template".into());
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::messages::{Needs, World, compose_message};
    use crate::samples::{Case, at, message_of};
    use crate::terms::{Policy, Reason, Refusal};

    fn request(body: &Value) -> MessageRequest {
        let mut whole = json!({"phone": "+971501234567", "category": "utility", "basis": "Order 1042"});
        let fields = whole.as_object_mut().unwrap();
        for (name, value) in body.as_object().unwrap() {
            fields.insert(name.clone(), value.clone());
        }
        serde_json::from_value(whole).unwrap()
    }

    fn asked_by_user(world: &World<'_>, request: &MessageRequest) -> Asked {
        Asked {
            by: "usr_00000000000000000000000001".parse().unwrap(),
            request: Ulid::from_parts(3, 4),
            contact: world.contact.id,
            to: request.whom().unwrap().recipient(world.contact),
            refers: None,
            now: world.now,
        }
    }

    /// Composes a request with a case's data.
    fn compose_request(case: &Case, body: &Value) -> Result<crate::messages::Composed, Refusal> {
        let request = request(body);
        case.with_world(|_, world| {
            compose_message(
                &request.intent(&asked_by_user(world, &request), world.contact, world.config),
                world,
            )
        })
    }

    /// The field and code of each problem.
    fn problems(case: &Case, request: &MessageRequest) -> Vec<(String, &'static str)> {
        let found = request.problems(&case.config, case.now);
        found.into_iter().map(|one| (one.field, one.code.as_str())).collect()
    }

    fn template() -> Value {
        json!({
            "name": "missed_call_followup", "language": "en_GB",
            "variables": {"1": {"from": "contact.first_name", "default": "there"}, "2": {"from": "tenant.name"}},
            "buttons": [{"index": 1, "value": {"text": "b/marina"}}],
        })
    }

    #[test]
    fn every_contradiction_of_a_request_is_named() {
        let mut case = Case::new();
        let line = json!({"id": "line_00000000000000000000000001", "name": "Branch", "number": "+97143330000"});
        case.config.lines = vec![serde_json::from_value(line).unwrap()];
        let (contact, no_line) = ("ctc_00000000000000000000000001", "line_00000000000000000000000009");
        let sms = |mut body: Value| {
            body["sms_text"] = "Hello".into();
            body
        };
        let sms_at = |time: &str| sms(json!({"send_at": format!("2026-11-{time}+04:00")}));
        for right in [
            sms(json!({})),
            sms(json!({"template": template()})),
            json!({"text": "Hello"}),
            sms(json!({"basis": null, "category": "marketing"})),
            sms_at("20T12:00:00"),
            sms_at("21T10:59:59"),
        ] {
            assert_eq!(problems(&case, &request(&right)), [], "{right}");
        }
        for (body, field, code) in [
            (sms(json!({"phone": null})), "phone", "requires"),
            (sms(json!({"contact_id": contact})), "contact_id", "excludes"),
            (json!({"whatsapp_id": "AE.1", "text": "Hello"}), "phone", "excludes"),
            (sms(json!({"phone": "+97143330000"})), "phone", "reserved"),
            (sms(json!({"line_id": no_line})), "line_id", "not_found"),
            (sms(json!({"basis": null})), "basis", "required"),
            (json!({"template": template(), "text": "Hello"}), "text", "excludes"),
            (json!({}), "template", "requires"),
            (sms(json!({"channels": ["sms", "sms"]})), "channels[1]", "given_twice"),
            (sms(json!({"channels": ["sms", "whatsapp"]})), "channels[1]", "requires"),
            (sms(json!({"text": "Hello", "channels": ["sms"]})), "text", "requires"),
            (sms_at("20T11:59:59"), "send_at", "in_past"),
            (sms_at("21T11:00:00"), "send_at", "out_of_range"),
        ] {
            assert_eq!(problems(&case, &request(&body)), [(field.to_owned(), code)], "{body}");
        }
    }

    #[test]
    fn limits_of_a_request_are_in_its_types() {
        let read = |body: Value| serde_json::from_value::<MessageRequest>(body);
        for (field, value) in [
            ("basis", json!("x".repeat(MAX_BASIS_LENGTH + 1))),
            ("basis", json!("two\nlines")),
            ("category", json!("service")),
            ("category", json!("authentication")),
            ("channels", json!(["sms", "whatsapp", "sms"])),
            ("fallback_after_seconds", json!(86_401)),
            ("phone", json!("0501234567")),
            ("whatsapp_id", json!("no id")),
            ("colour", json!("red")),
        ] {
            let mut body =
                json!({"phone": "+971501234567", "category": "utility", "basis": "Order", "sms_text": "Hello"});
            assert!(read(body.clone()).is_ok());
            body[field] = value;
            assert!(read(body.clone()).is_err(), "{body}");
        }
    }

    #[test]
    fn template_request_has_a_template_and_no_free_text() {
        let checked = |body: Value| TemplateRequest(request(&body)).require_template();
        assert!(checked(json!({"template": template()})).is_ok());
        let wrong = checked(json!({"text": "Hello"})).unwrap_err();
        let wrong: Vec<_> = wrong
            .iter()
            .map(|one| (one.field.as_str(), one.code.as_str()))
            .collect();
        assert_eq!(wrong, [("template", "required"), ("text", "not_applicable")]);
    }

    #[test]
    fn request_is_composed_as_any_message() {
        let case = Case::new();
        let body = json!({"template": template(), "sms_text": "Hello", "fallback_after_seconds": 60});
        let composed = compose_request(&case, &body).unwrap();
        assert_eq!(composed.sentence, "WhatsApp at once, SMS if not delivered within 1 min");
        assert_eq!(composed.basis.as_deref(), Some("Order 1042"));
        assert_eq!(
            (composed.policy.purpose(), composed.policy.category()),
            (Purpose::Api, Category::Utility)
        );
        let message = message_of(composed.clone(), case.now);
        assert_eq!(message.id, composed.cause.message_id());
        assert_eq!((message.id.contact(), message.cause.call()), (case.contact.id, None));
        // Another request is another message, also to the same person.
        let Cause::Requested {
            contact, by, retries, ..
        } = message.cause
        else {
            panic!("{:?}", message.cause)
        };
        let request = Ulid::from_parts(3, 5);
        let other = Cause::Requested {
            contact,
            by,
            request,
            retries,
        };
        assert_ne!(other.message_id(), message.id);
    }

    #[test]
    fn refused_request_says_the_reason_of_any_message() {
        let stopped = {
            let mut case = Case::new();
            let flag = crate::messages::OptFlag::Stop;
            case.contact.wish(flag, "wrote STOP", at("2026-03-03T10:00:00Z"));
            case
        };
        let offer = json!({"category": "marketing", "sms_text": "Hello"});
        let landline = {
            let mut case = Case::new();
            case.line = crate::terms::LineType::FixedLine;
            case
        };
        let unapproved = {
            let mut case = Case::new();
            case.material.templates.clear();
            case
        };
        let of_a_call = json!({"sms_text": "You called at {{call.time}}"});
        for (case, body, reason) in [
            (stopped, json!({"sms_text": "Hello"}), Reason::OptedOut),
            (Case::new(), offer, Reason::NoConsent),
            (landline, json!({"sms_text": "Hello"}), Reason::NoChannel),
            (unapproved, json!({"template": template()}), Reason::Template),
            (Case::new(), of_a_call, Reason::Template),
            (Case::new(), json!({"text": "Hello"}), Reason::WindowClosed),
        ] {
            let refused = compose_request(&case, &body).unwrap_err();
            assert_eq!(refused.reason, reason, "{body}: {refused}");
        }
    }

    /// Free text needs the window at the time of sending, and goes by SMS otherwise.
    #[test]
    fn free_text_needs_the_open_window_at_its_time() {
        let mut case = Case::new();
        let number = "+97143330000".parse().unwrap();
        let whatsapp = case.config.connections.iter_mut().find(|one| one.name == "WhatsApp");
        whatsapp.unwrap().whatsapp_number = Some("+97143330000".parse().unwrap());
        case.contact
            .open_window(&number, &case.contact.recipient(), at("2026-11-19T20:00:00+04"));
        let whatsapp_at = |time: &str| {
            let body = json!({"text": "Hello, {{contact.first_name|there}}", "send_at": time});
            compose_request(&case, &body).map_err(|refusal| refusal.reason)
        };
        let open = whatsapp_at("2026-11-20T19:59:59+04:00").unwrap();
        let said: Vec<_> = open.legs.iter().map(|leg| &leg.content).collect();
        assert_eq!(said, [&Content::Text("Hello, there".to_owned())]);
        assert_eq!(whatsapp_at("2026-11-20T20:00:00+04:00"), Err(Reason::WindowClosed));
        let both = json!({"text": "Hello", "sms_text": "Hello", "send_at": "2026-11-20T20:00:00+04:00"});
        let by_sms = compose_request(&case, &both).unwrap();
        assert_eq!(by_sms.legs.len(), 1);
        let problem = by_sms.facts.get("whatsapp_problem").cloned();
        assert_eq!(problem, Some("window_closed".into()));
    }

    /// It would be blocked as late if a channel failed or the queue was long.
    #[test]
    fn request_that_quiet_hours_push_to_its_end_is_refused() {
        // Quiet hours end at eight.
        let planned_at = |now: &str| {
            let mut case = Case::new();
            case.now = at(now);
            compose_request(
                &case,
                &json!({"sms_text": "Hello", "send_at": "2026-11-20T22:00:00+04:00"}),
            )
        };
        let planned = planned_at("2026-11-20T09:00:01+04").unwrap();
        assert_eq!(planned.not_before, at("2026-11-21T08:00:00+04"));
        for now in ["2026-11-20T08:00:01+04", "2026-11-20T09:00:00+04"] {
            let refused = planned_at(now).unwrap_err();
            let sentence = "too late: not before 08:00 (Asia/Dubai), but valid for 24 h only, \
                            of which the last 1 h is left for sending";
            assert_eq!(
                (refused.reason, refused.sentence.as_str()),
                (Reason::Late, sentence),
                "{now}"
            );
        }
    }

    #[test]
    fn recipient_is_who_was_named() {
        let mut contact = Case::new().contact;
        contact.bsuids = vec!["AE.1".to_owned(), "AE.2".to_owned()];
        let to = |body: Value| request(&body).whom().unwrap().recipient(&contact);
        let other = to(json!({"phone": "+971501234568"}));
        assert_eq!(other.phone.unwrap().as_str(), "+971501234568");
        let by_id = to(json!({"phone": null, "whatsapp_id": "AE.2"}));
        assert_eq!((by_id.phone, by_id.bsuid.as_deref()), (None, Some("AE.2")));
        let named = to(json!({"phone": null, "contact_id": "ctc_00000000000000000000000001"}));
        assert_eq!(
            (named.phone.as_ref(), named.bsuid.as_deref()),
            (contact.phone(), Some("AE.1"))
        );
    }

    /// With the values of that time, and its category in today's state.
    #[test]
    fn message_again_says_what_it_said() {
        let mut case = Case::new();
        let message = message_of(
            compose_request(&case, &json!({"template": template(), "sms_text": "Hello"})).unwrap(),
            case.now,
        );
        case.profile.name = crate::terms::ShownName::of("Maya");
        let again = |case: &Case| {
            case.with_world(|_, world| {
                let asked = asked_by_user(world, &request(&json!({})));
                let intent = intent_to_repeat(&message, &asked);
                let needs = Needs::of(&intent, world);
                assert_eq!(needs.templates.len(), 1);
                assert_eq!(needs.templates[0].language.as_deref(), Some("en_GB"));
                compose_message(&intent, world)
            })
        };
        let second = again(&case).unwrap();
        assert_eq!(second.legs, message.plan);
        assert_eq!(second.cause.retries(), Some(message.id));
        assert_eq!(second.basis, message.basis);
        case.material.templates[0].category = Category::Marketing;
        let by_sms = again(&case).unwrap();
        assert_eq!(by_sms.legs, message.plan[1..]);
    }

    #[test]
    fn message_that_a_cap_blocked_keeps_its_end_when_sent_again() {
        let mut case = Case::new();
        let mut message = message_of(compose_request(&case, &json!({"sms_text": "Hello"})).unwrap(), case.now);
        message.block(crate::money::usual_caps()[2].refusal_when_reached(case.now));
        case.now += jiff::SignedDuration::from_hours(1);
        let second = case.with_world(|_, world| {
            let asked = asked_by_user(world, &request(&json!({})));
            compose_message(&intent_to_repeat(&message, &asked), world).unwrap()
        });
        assert_eq!(case.now + second.policy.validity(), message.valid_until());
    }

    #[test]
    fn failed_message_is_sent_again_unless_it_may_arrive() {
        use crate::messages::{AttemptState, Ended};

        let case = Case::new();
        let planned = message_of(compose_request(&case, &json!({"sms_text": "Hello"})).unwrap(), case.now);
        let failed = Some(Ended::Failed("no channel is left".to_owned()));
        let blocked = Some(Ended::Blocked("refused".to_owned()));
        let cancelled = Some(Ended::Cancelled("asked".to_owned()));
        for (attempt, ended, expected) in [
            (None, None, Err(Reason::NotFailed)),
            (None, cancelled, Err(Reason::NotFailed)),
            (None, blocked.clone(), Ok(())),
            (Some(AttemptState::Refused), failed.clone(), Ok(())),
            (Some(AttemptState::Failed), failed.clone(), Ok(())),
            (Some(AttemptState::Delivered), failed.clone(), Err(Reason::NotFailed)),
            (Some(AttemptState::Sent), blocked.clone(), Err(Reason::NotFailed)),
            (Some(AttemptState::Claimed), blocked, Err(Reason::Unconfirmed)),
            (Some(AttemptState::Unknown), failed, Err(Reason::Unconfirmed)),
        ] {
            let mut message = planned.clone();
            if let Some(state) = attempt {
                message.claim(0, "claim".to_owned(), case.now, &crate::samples::timers());
                message.attempts[0].state = state;
            }
            message.ended = ended;
            let may = message.may_be_retried().map_err(|refusal| refusal.reason);
            assert_eq!(may, expected, "{attempt:?} {:?}", message.ended);
        }
        // An automatic answer has a category that no request has.
        let mut answer = planned;
        let narrowed = Policy::for_purpose(Purpose::AutoReply, Category::Service, &Narrowing::default());
        answer.policy = narrowed.unwrap();
        answer.block("refused".to_owned());
        let may = answer.may_be_retried().map_err(|refusal| refusal.reason);
        assert_eq!(may, Err(Reason::AutomaticAnswer));
    }
}
