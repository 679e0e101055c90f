//! Calls and messages as the API shows them, in the timeline of a contact and in lists: rows that stand for themselves, so that a page is
//! shown with one request. The period of a list.

use std::collections::HashMap;

use domain::accounts::permits::Permit;
use domain::calls::{Call, Received};
use domain::media::{FileName, InboundMedia, MAX_MEDIA, MediaKind, MediaReason, Medium, MediumState};
use domain::messages::{
    Attempt, AttemptError, AttemptState, Ended, Leg, MAX_CARDS, Message, MessageState, Remark, Shared,
};
use domain::people::Person;
use domain::telephony::{Direction, MAX_RECORDINGS, Outcome, RecordingState};
use domain::templates::FilledTemplate;
use domain::tenants::Line;
use domain::terms::{
    Answer, Because, CallId, Category, Channel, ContactId, Day, Facts, LineId, MessageId, Purpose, Reason, RecordingId,
};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::Serialize;
use store::reports::Wanted;

use crate::change::require_found;
use crate::content::{ContentOut, LocationOut, ReactionOut, ReceivedCardOut};
use crate::context::Api;
use crate::guards::Allowed;
use crate::paging::Paging;
use crate::period;
use crate::phone::PhoneOut;

/// Maximum characters of a message's text in lists. WhatsApp allows as many, but other senders may write more.
const MAX_TEXT_LENGTH: usize = 4_096;

/// The contact of a call or message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContactName {
    /// Id of the contact, or of the survivor if the contact was merged into another.
    id: ContactId,
    /// Name of the contact. `null` if it is not known.
    #[schemars(example = &"Maya Haddad")]
    name: Option<String>,
}

impl From<&Person> for ContactName {
    fn from(person: &Person) -> Self {
        Self {
            id: person.contact.id,
            name: person.shown_name(),
        }
    }
}

impl ContactName {
    /// Without the name, for callers who may not read contacts.
    pub fn without_name(self) -> Self {
        Self { name: None, ..self }
    }
}

/// The line of a call or message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LineName {
    /// Id of the line.
    id: LineId,
    /// Name of the line. `null` if it was deleted.
    #[schemars(example = &"Marina branch")]
    name: Option<String>,
}

/// A remark on a call or message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Remark")]
pub(crate) struct RemarkOut {
    /// Time of the remark.
    #[schemars(example = "2026-11-20T10:00:14Z")]
    at: Timestamp,
    /// The remark, in one sentence.
    #[schemars(example = &"the caller left a recording of 14 s")]
    text: String,
    /// The remark as a word: one of `x-codes` at the root of the document.
    #[schemars(with = "String", example = &"recording")]
    code: Reason,
    /// Facts of the remark.
    facts: Facts,
}

/// A recording of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Recording")]
pub(crate) struct RecordingOut {
    /// Id of the recording.
    id: RecordingId,
    /// State of the recording.
    state: RecordingState,
    /// Length in seconds. `null` if it was not reported.
    #[schemars(example = 14)]
    duration_seconds: Option<u32>,
    /// True for a message of the caller, false for a recorded conversation.
    voicemail: bool,
    /// True if `GET /api/v1/calls/{call_id}/recordings/{recording_id}` gives a link to the sound, false if only the telephone system does.
    available: bool,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Call")]
pub struct CallOut {
    /// Id of the call.
    id: CallId,
    /// Direction of the call.
    direction: Direction,
    /// Outcome of the call.
    outcome: Outcome,
    /// Number of the customer. `null` if it was hidden.
    customer: Option<PhoneOut>,
    /// Line that was called. `null` if it was none of the tenant's lines.
    line: Option<LineName>,
    /// Beginning of the call. `null` if it was not reported.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    started_at: Option<Timestamp>,
    /// Talking time in seconds. `null` if it was not reported.
    #[schemars(example = 42)]
    talk_seconds: Option<u32>,
    /// Length of the caller's recording in seconds. `null` if there is none.
    #[schemars(example = 14)]
    voicemail_seconds: Option<u32>,
    /// Recordings that the telephone system has reported.
    #[schemars(length(max = MAX_RECORDINGS))]
    recordings: Vec<RecordingOut>,
    /// The decision for or against a message, in one sentence.
    #[schemars(example = &"WhatsApp at once, SMS if not delivered within 2 min: missed call to +97145550100, rule \"Missed calls\"")]
    decision: String,
    /// The decision as a word: `follow_up` if a message follows, otherwise the reason against it, such as `cooldown`: one of `x-codes` at
    /// the root of the document.
    #[schemars(example = &"follow_up")]
    code: String,
    /// Facts of the decision, for a sentence in another language. `x-codes` names the facts of each code.
    facts: Facts,
    /// Time of the decision.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    decided_at: Timestamp,
    /// Message that follows the call. `null` if there is none.
    message_id: Option<MessageId>,
    /// Later decisions.
    remarks: Vec<RemarkOut>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Message")]
pub struct MessageOut {
    /// Id of the message.
    id: MessageId,
    /// Direction of the message.
    direction: Direction,
    /// Number of the customer. `null` if only WhatsApp knows it.
    customer: Option<PhoneOut>,
    /// WhatsApp id of the customer, if only WhatsApp knows the number. `null` if it is known.
    #[schemars(example = &"AE.13491208655302741918")]
    whatsapp_id: Option<String>,
    /// Line that the message was sent from or to. `null` if it is none of the tenant's lines.
    line: Option<LineName>,
    /// Purpose of an outbound message. `null` for an inbound one.
    purpose: Option<Purpose>,
    /// Category of an outbound message. Consent and price depend on it. `null` for an inbound one.
    category: Option<Category>,
    /// Call that an outbound message follows. `null` if it follows none.
    call_id: Option<CallId>,
    /// Customer's message that an outbound message answers automatically. `null` if it answers none.
    in_reply_to: Option<MessageId>,
    /// Topic of that automatic answer. `null` if it is none.
    answer: Option<Answer>,
    /// Channel: the last tried one of an outbound message, or else its first planned one.
    channel: Option<Channel>,
    /// Text that the person reads, of an outbound message on this channel. `null` if there is none, such as for a template or a picture
    /// without a caption.
    #[schemars(example = &"Sorry we missed your call. How can we help?")]
    text: Option<String>,
    /// True if the text was longer than what is shown.
    cut: bool,
    /// State of an outbound message. `null` for an inbound one.
    state: Option<MessageState>,
    /// The reason why an outbound message goes no further, in one sentence. `null` if there is none.
    #[schemars(example = &"not sent: the customer has written since")]
    decision: Option<String>,
    /// The reason as a word: one of `x-codes` at the root of the document. `null` if there is none.
    #[schemars(with = "Option<String>", example = &"unnecessary")]
    code: Option<Reason>,
    /// Facts of that reason.
    facts: Facts,
    /// Earliest time to send an outbound message. `null` for an inbound one.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    send_at: Option<Timestamp>,
    /// Time of the first click on a tracked link of an outbound message. `null` if nobody has followed one, or it has
    /// none.
    #[schemars(example = "2026-11-20T10:05:00Z")]
    clicked_at: Option<Timestamp>,
    /// Channels of an outbound message, in the order of the attempts.
    legs: Vec<LegOut>,
    /// Kind of an inbound message in the provider's words, such as `text`, `image`; `edit`: the new content of an earlier message;
    /// `unsupported`: the provider shows nothing of it. `null` for an outbound one.
    #[schemars(example = &"text")]
    content: Option<String>,
    /// Pictures and other files of an inbound message.
    #[schemars(length(max = MAX_MEDIA))]
    media: Vec<MediumOut>,
    /// Place of an inbound message. `null` if it has none.
    location: Option<LocationOut>,
    /// Business cards of an inbound message.
    #[schemars(length(max = MAX_CARDS))]
    contacts: Vec<ReceivedCardOut>,
    /// Reaction by WhatsApp that an inbound message is. `null` if it is none.
    reaction: Option<ReactionOut>,
    /// Remarks on what happened to the message, and reactions to it.
    remarks: Vec<RemarkOut>,
}

/// A picture or another file that a customer sent. It is fetched from the provider after its message was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MessageMedium")]
pub struct MediumOut {
    /// Place among the message's media: `GET /api/v1/messages/{message_id}/media/{index}` gives a link to it.
    #[schemars(example = 0)]
    index: u8,
    /// Kind at WhatsApp.
    kind: MediaKind,
    /// State.
    state: MediumState,
    /// Why it is refused or gone. `null` if it is neither.
    reason: Option<MediaReason>,
    /// Content type: as found in the content, or until then as the provider says. `null` if it is not known.
    #[schemars(example = &"image/jpeg")]
    content_type: Option<String>,
    /// Size in bytes. `null` until it is stored.
    #[schemars(example = 61_901)]
    bytes: Option<u64>,
    /// Name of the file. `null` if the customer's device gave none.
    name: Option<FileName>,
    /// True if it was recorded as a voice note.
    voice: bool,
    /// True for an animated sticker.
    animated: bool,
}

impl MediumOut {
    /// A medium as its message names it, and as it is stored. Media from before files were fetched have no rows, and are gone by
    /// now.
    pub fn of(index: u8, reported: &InboundMedia, stored: Option<&Medium>) -> Self {
        let found = stored.and_then(|medium| medium.mime.clone());
        Self {
            index,
            kind: reported.kind(),
            state: stored.map_or(MediumState::Gone, |medium| medium.state),
            reason: stored.map_or(Some(MediaReason::Expired), |medium| medium.reason),
            content_type: found.or_else(|| reported.mime.clone()),
            bytes: stored.and_then(|medium| medium.bytes),
            name: reported.file_name.clone(),
            voice: reported.voice,
            animated: reported.animated,
        }
    }
}

/// The reason why an attempt to send failed, or why its outcome is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Failure {
    /// The reason why the attempt failed or its outcome is unknown, in one sentence. `null` if there is none.
    #[schemars(example = &"WhatsApp cannot deliver to this number")]
    reason: Option<String>,
    /// The reason as a word: one of `x-codes` at the root of the document. `null` if there is none.
    #[schemars(with = "Option<String>", example = &"provider_refused")]
    code: Option<Reason>,
    /// Facts of that reason.
    facts: Facts,
    /// The provider's code of that reason. `null` if there is none.
    #[schemars(example = 131026)]
    provider_code: Option<i64>,
}

impl From<&AttemptError> for Failure {
    fn from(error: &AttemptError) -> Self {
        let (code, facts) = reason_and_facts(Some(error.because()));
        Self {
            reason: Some(error.reason.clone()),
            code,
            facts,
            provider_code: error.code,
        }
    }
}

impl Failure {
    /// The failure of an attempt, if it has one.
    pub fn of(attempt: Option<&Attempt>) -> Self {
        let error = attempt.and_then(|attempt| attempt.error.as_ref());
        error.map(Self::from).unwrap_or_default()
    }
}

/// A channel of an outbound message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MessageLeg")]
pub(crate) struct LegOut {
    /// Channel.
    channel: Channel,
    /// State of the last attempt. `null` if the channel was not tried.
    state: Option<AttemptState>,
    /// The reason why it failed.
    #[serde(flatten)]
    failure: Failure,
    /// Time when the provider accepted it. `null` if it did not.
    #[schemars(example = "2026-11-20T10:00:01Z")]
    accepted_at: Option<Timestamp>,
    /// Time of delivery to the phone. `null` if it was not reported.
    #[schemars(example = "2026-11-20T10:00:02Z")]
    delivered_at: Option<Timestamp>,
    /// Time when the person read it. `null` if it was not reported.
    #[schemars(example = "2026-11-20T10:00:30Z")]
    read_at: Option<Timestamp>,
    /// Text that the person reads: a text, caption or body, the name of a place, an emoji. `null` for a template, and if there is none.
    #[schemars(example = &"Sorry we missed your call. How can we help?")]
    text: Option<String>,
    /// Template. `null` for other content.
    template: Option<TemplateOut>,
    /// Content, with all its parts.
    content: ContentOut,
}

/// A template with the values that were filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "FilledTemplate")]
pub struct TemplateOut {
    /// Name of the template at Meta.
    #[schemars(example = &"missed_call_followup")]
    name: String,
    /// Language code at Meta.
    #[schemars(example = &"en_GB")]
    language: String,
    /// Values of the body's variables, in their order.
    #[schemars(example = ["Maya"])]
    values: Vec<String>,
    /// Value of the header's variable. `null` if it has none.
    #[schemars(example = &"Marina branch")]
    header: Option<String>,
    /// Values in the links of buttons, in their order.
    #[schemars(example = ["k3vd7tqpmn"])]
    buttons: Vec<String>,
}

impl From<FilledTemplate> for TemplateOut {
    fn from(filled: FilledTemplate) -> Self {
        Self {
            name: filled.name,
            language: filled.language,
            values: filled.body.into_iter().map(|value| value.text).collect(),
            header: filled.header.map(|value| value.text),
            buttons: filled.buttons.into_iter().map(|(_, value)| value).collect(),
        }
    }
}

fn recordings(call: &Call) -> Vec<RecordingOut> {
    let given = call.provider.gives_recordings();
    let shown = call.facts.recordings.iter().map(|recording| RecordingOut {
        id: recording.id(call.id),
        state: recording.state,
        duration_seconds: recording.seconds,
        voicemail: recording.voicemail,
        available: given && recording.state == RecordingState::Completed,
    });
    shown.collect()
}

fn remarks(remarks: Vec<Remark>) -> Vec<RemarkOut> {
    let shown = remarks.into_iter().map(|Remark { at, text, because }| {
        let (code, facts) = reason_and_facts(because);
        RemarkOut {
            at,
            text,
            code: code.unwrap_or(Reason::Other),
            facts,
        }
    });
    shown.collect()
}

fn reason_and_facts(because: Option<Because>) -> (Option<Reason>, Facts) {
    let coded = because.map(|Because { code, facts }| (code, facts)).unzip();
    (coded.0, coded.1.unwrap_or_default())
}

/// At most so many characters, and whether that is not all.
fn cut_to_characters(mut text: String, most: usize) -> (String, bool) {
    let end = text.char_indices().nth(most).map(|(end, _)| end);
    if let Some(end) = end {
        text.truncate(end);
    }
    (text, end.is_some())
}

/// How calls and messages of a tenant are shown: with the names of its lines.
#[derive(Debug)]
pub struct Showing {
    lines: HashMap<LineId, String>,
    media: HashMap<(MessageId, u8), Medium>,
    longest_text: usize,
}

impl Showing {
    /// Shows these lines by their names.
    pub fn of(lines: Vec<Line>) -> Self {
        let named = lines.into_iter().map(|line| (line.id, line.name.into()));
        Self {
            lines: named.collect(),
            media: HashMap::new(),
            longest_text: MAX_TEXT_LENGTH,
        }
    }

    /// Shows whole texts, for a single message.
    pub fn with_whole_texts(self) -> Self {
        Self {
            longest_text: usize::MAX,
            ..self
        }
    }

    /// Shows media with these states.
    fn with_media(mut self, media: Vec<Medium>) -> Self {
        let placed = media.into_iter().map(|medium| ((medium.message, medium.index), medium));
        self.media.extend(placed);
        self
    }

    fn media(&self, received: &Received) -> Vec<MediumOut> {
        let shown = received.message.media.iter().zip(0..).map(|(reported, index)| {
            let stored = self.media.get(&(received.id, index));
            MediumOut::of(index, reported, stored)
        });
        shown.collect()
    }

    pub fn line(&self, id: LineId) -> LineName {
        LineName {
            id,
            name: self.lines.get(&id).cloned(),
        }
    }

    fn shorten_text(&self, text: String) -> (String, bool) {
        cut_to_characters(text, self.longest_text)
    }

    pub fn call(&self, call: Call) -> CallOut {
        CallOut {
            id: call.id,
            direction: call.direction(),
            outcome: call.outcome,
            customer: call.facts.customer().phone().cloned().map(PhoneOut::from),
            line: call.grounds.line.map(|line| self.line(line)),
            started_at: call.facts.started_at,
            talk_seconds: call.facts.talk_seconds,
            voicemail_seconds: call.facts.voicemail_seconds,
            recordings: recordings(&call),
            decision: call.decision,
            code: call.reason,
            facts: call.because,
            decided_at: call.decided_at,
            message_id: call.message,
            remarks: remarks(call.remarks),
        }
    }

    fn leg(&self, leg: &Leg, attempt: Option<&Attempt>) -> LegOut {
        let content = ContentOut::from(leg);
        let text = leg.content.words().map(|text| self.shorten_text(text.to_owned()).0);
        let template = leg.content.template().cloned().map(TemplateOut::from);
        LegOut {
            channel: leg.channel,
            state: attempt.map(|attempt| attempt.state),
            failure: Failure::of(attempt),
            accepted_at: attempt.and_then(|attempt| attempt.accepted_at),
            delivered_at: attempt.and_then(|attempt| attempt.delivered_at),
            read_at: attempt.and_then(|attempt| attempt.read_at),
            text,
            template,
            content,
        }
    }

    /// A message of the business.
    pub fn outbound_message(&self, message: Message) -> MessageOut {
        let message = message.mask_links();
        let state = message.state();
        let (code, facts) = reason_and_facts(message.because());
        let shown = message.current_leg();
        let channel = shown.map(|leg| leg.channel);
        let text = shown.and_then(|leg| leg.content.words());
        let text = text.map(|text| self.shorten_text(text.to_owned()));
        let (text, cut) = text.map_or((None, false), |(text, cut)| (Some(text), cut));
        let (in_reply_to, answer) = message.cause.answered_message().unzip();
        let attempts = message.attempts;
        let of_leg = |index: usize| attempts.iter().rfind(|attempt| usize::from(attempt.leg) == index);
        let plan = message.plan.iter().enumerate();
        let legs = plan.map(|(index, planned)| self.leg(planned, of_leg(index))).collect();
        MessageOut {
            id: message.id,
            direction: Direction::Outbound,
            whatsapp_id: message.to.bsuid.filter(|_| message.to.phone.is_none()),
            customer: message.to.phone.map(PhoneOut::from),
            line: message.line.map(|line| self.line(line)),
            purpose: Some(message.policy.purpose()),
            category: Some(message.policy.category()),
            call_id: message.cause.call(),
            in_reply_to,
            answer,
            channel,
            text,
            cut,
            state: Some(state),
            decision: message.ended.map(|ended| match ended {
                Ended::Cancelled(why) | Ended::Blocked(why) | Ended::Failed(why) => why,
            }),
            code,
            facts,
            send_at: Some(message.not_before),
            clicked_at: message.clicked_at,
            legs,
            content: None,
            media: Vec::new(),
            location: None,
            contacts: Vec::new(),
            reaction: None,
            remarks: remarks(message.remarks),
        }
    }

    pub fn inbound_message(&self, received: Received) -> MessageOut {
        let media = self.media(&received);
        let received = received.with_masked_links();
        let message = received.message;
        let reaction = ReactionOut::of_inbound(&message);
        let (location, contacts) = match &message.shared {
            Some(Shared::Location(location)) => (Some(LocationOut::from(location)), Vec::new()),
            Some(Shared::Contacts(cards)) => (None, cards.iter().map(ReceivedCardOut::from).collect()),
            None => (None, Vec::new()),
        };
        let (text, cut) = message.text.map(|text| self.shorten_text(text)).unzip();
        MessageOut {
            id: received.id,
            direction: Direction::Inbound,
            whatsapp_id: message.from.bsuid.filter(|_| message.from.phone.is_none()),
            customer: message.from.phone.map(PhoneOut::from),
            line: received.line.map(|line| self.line(line)),
            purpose: None,
            category: None,
            call_id: None,
            in_reply_to: None,
            answer: None,
            channel: Some(message.channel),
            text,
            cut: message.cut || cut.unwrap_or_default(),
            state: None,
            decision: None,
            code: None,
            facts: Facts::NONE,
            send_at: None,
            clicked_at: None,
            legs: Vec::new(),
            content: Some(message.kind),
            media,
            location,
            contacts,
            reaction,
            remarks: remarks(received.remarks),
        }
    }
}

impl Api {
    /// How the tenant's calls and messages are shown. Of the lines, only the names are needed: a unit for a handful of them, and no
    /// right to read the connections, which the cached configuration contains.
    pub async fn showing<P: Permit>(&self, who: &Allowed<P>) -> Result<Showing, Problem> {
        Ok(Showing::of(self.store().all(who.scope()).await?))
    }

    /// Adds the states of the media of these messages: one request, or none if they have no media.
    pub async fn showing_media<'a, P: Permit>(
        &self,
        who: &Allowed<P>,
        showing: Showing,
        messages: impl IntoIterator<Item = &'a Received>,
    ) -> Result<Showing, Problem> {
        let media = self.store().media_of(who.scope(), messages, who.now()).await?;
        Ok(showing.with_media(media))
    }

    /// The page of a list that is wanted, by days in the tenant's time zone: by default, of the last seven days.
    ///
    /// # Errors
    /// 400 when the cursor is of another list; 422 that names the day; 503 when the table does not answer.
    pub async fn wanted_page<P: Permit>(
        &self,
        who: &Allowed<P>,
        from: Option<Day>,
        to: Option<Day>,
        paging: &Paging,
    ) -> Result<Wanted, Problem> {
        let after = paging.position()?;
        let tenant = require_found(self.store().tenant(who.scope())).await?;
        let (from, to) = period::of_days(from, to, tenant.time_zone.rules(), who.now())?;
        Ok(Wanted {
            from,
            to,
            after,
            limit: paging.limit(),
            now: who.now(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_at_the_end_of_a_character() {
        let most = "é".repeat(MAX_TEXT_LENGTH);
        let cut = |text: String| cut_to_characters(text, MAX_TEXT_LENGTH);
        assert_eq!(cut(most.clone()), (most.clone(), false));
        assert_eq!(cut(format!("{most}x")), (most.clone(), true));
        assert_eq!(cut(String::new()), (String::new(), false));
        let all = format!("{most}x");
        assert_eq!(cut_to_characters(all.clone(), usize::MAX), (all, false));
    }
}
