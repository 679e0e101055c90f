//! The timeline of a contact: calls, messages, changes of consent, notes, conversions and merges in one list. Its rows stand for
//! themselves, so that a page is shown with one request.

use std::collections::HashMap;

use api::{Allowed, Api, Listed, Paging, Path, PhoneOut, Query, found, permits};
use axum::{Extension, extract::State};
use domain::{
    audit::Look,
    call::{Direction, Outcome},
    conversion::Conversion,
    facts::Facts,
    ids::{CallId, ContactId, LineId, MessageId},
    line::Line,
    message::{Attempt, AttemptError, AttemptState, Channel, Content, Ended, Leg, Message, MessageState, Remark},
    note::Note,
    record::{Call, ConsentEntry, Entry, Received},
    refusal::{Because, Reason},
};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::timeline::{Kind, Placed, Position};

use crate::{itself, looks::Looks, merging::MergeOut, notes::of_another_list};

/// Maximum characters of a message's text in the timeline. WhatsApp allows as many, but other senders may write more.
const LONGEST_TEXT: usize = 4_096;

/// Kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TimelineKind {
    /// A call.
    Call,
    /// A message, out or in.
    Message,
    /// A change of consent.
    Consent,
    /// A note.
    Note,
    /// A conversion.
    Conversion,
    /// A merge of another contact into this one.
    Merge,
}

impl From<TimelineKind> for Kind {
    fn from(kind: TimelineKind) -> Self {
        match kind {
            TimelineKind::Call => Self::Call,
            TimelineKind::Message => Self::Message,
            TimelineKind::Consent => Self::Consent,
            TimelineKind::Note => Self::Note,
            TimelineKind::Conversion => Self::Conversion,
            TimelineKind::Merge => Self::Merge,
        }
    }
}

/// Filters of a timeline.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimelineQuery {
    /// Only entries of this kind.
    #[serde(default)]
    #[schemars(with = "TimelineKind")]
    kind: Option<TimelineKind>,
}

/// An entry of a contact's timeline. It has the field that is named after its kind.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TimelineEntryOut {
    /// Kind of the entry.
    kind: TimelineKind,
    /// Time by which the timeline is sorted: of a call and its message that of the call's first report, of a customer's message
    /// that of writing, of the others that of recording.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    at: Timestamp,
    /// The call.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<TimelineCall>,
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<TimelineMessage>,
    /// The change of consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<TimelineConsent>,
    /// The note.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
    /// The conversion.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversion: Option<Conversion>,
    /// The merge.
    #[serde(skip_serializing_if = "Option::is_none")]
    merge: Option<MergeOut>,
}

/// A line in a timeline.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TimelineLine {
    /// Id of the line.
    id: LineId,
    /// Name of the line. `null` if it was deleted.
    #[schemars(example = &"Marina branch")]
    name: Option<String>,
}

/// A remark on a call or message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TimelineRemark {
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

/// A call in a timeline.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TimelineCall {
    /// Id of the call.
    id: CallId,
    /// Direction of the call.
    direction: Direction,
    /// Outcome of the call.
    outcome: Outcome,
    /// Number of the customer. `null` if it was hidden.
    customer: Option<PhoneOut>,
    /// Line that was called. `null` if it was none of the tenant's lines.
    line: Option<TimelineLine>,
    /// Time at which the call began. `null` if it was not reported.
    started_at: Option<Timestamp>,
    /// Talking time in seconds. `null` if it was not reported.
    #[schemars(example = 42)]
    talk_seconds: Option<u32>,
    /// Length of the caller's recording in seconds. `null` if there is none.
    #[schemars(example = 14)]
    voicemail_seconds: Option<u32>,
    /// The decision for or against a message, in one sentence.
    #[schemars(example = &"WhatsApp at once, SMS if not delivered within 2 min: missed call to +97145550100, rule \"Missed calls\"")]
    decision: String,
    /// The decision as a word: `follow_up` if a message follows, otherwise the reason against it, such as `cooldown`: one of `x-codes` at
    /// the root of the document.
    #[schemars(example = &"follow_up")]
    code: String,
    /// Facts of the decision, for a sentence in another language. `x-codes` names those of each code.
    facts: Facts,
    /// Time of the decision.
    decided_at: Timestamp,
    /// Message that follows the call. `null` if there is none.
    message_id: Option<MessageId>,
    /// Later decisions.
    remarks: Vec<TimelineRemark>,
}

/// A message in a timeline.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TimelineMessage {
    /// Id of the message.
    id: MessageId,
    /// Direction of the message.
    direction: Direction,
    /// Number of the customer. `null` if only WhatsApp knows it.
    customer: Option<PhoneOut>,
    /// Line that the message was sent from or to. `null` if it is none of the tenant's lines.
    line: Option<TimelineLine>,
    /// Channel: of an outbound message the one that was tried last, or else the first planned one.
    channel: Option<Channel>,
    /// Text, of an outbound message on this channel. `null` if there is none, such as for a template or a picture.
    #[schemars(example = &"Sorry we missed your call. How can we help?")]
    text: Option<String>,
    /// True if the text was longer than what is shown.
    cut: bool,
    /// State of an outbound message. `null` for an inbound one.
    state: Option<MessageState>,
    /// The reason why an outbound message goes no further, in one sentence. `null` if there is none.
    #[schemars(example = &"not sent: the customer has written since")]
    decision: Option<String>,
    /// That reason as a word: one of `x-codes` at the root of the document. `null` if there is none.
    #[schemars(with = "Option<String>", example = &"unnecessary")]
    code: Option<Reason>,
    /// Facts of that reason.
    facts: Facts,
    /// Earliest time to send an outbound message. `null` for an inbound one.
    send_at: Option<Timestamp>,
    /// Channels of an outbound message, in the order in which they are tried.
    legs: Vec<TimelineLeg>,
    /// Kind of an inbound message in the provider's words, such as `text`, `image`. `null` for an outbound one.
    #[schemars(example = &"text")]
    content: Option<String>,
    /// Number of an inbound message's pictures and other files.
    #[schemars(example = 1)]
    media: u32,
    /// Remarks on what happened to the message, and reactions to it.
    remarks: Vec<TimelineRemark>,
}

/// A channel of an outbound message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TimelineLeg {
    /// Channel.
    channel: Channel,
    /// State of the last attempt. `null` if the channel was not tried.
    state: Option<AttemptState>,
    /// The reason why the last attempt failed or its outcome is unknown, in one sentence. `null` if there is none.
    #[schemars(example = &"WhatsApp cannot deliver to this number")]
    reason: Option<String>,
    /// That reason as a word: one of `x-codes` at the root of the document. `null` if there is none.
    #[schemars(with = "Option<String>", example = &"provider_refused")]
    code: Option<Reason>,
    /// Facts of that reason.
    facts: Facts,
    /// The provider's code of that reason. `null` if there is none.
    #[schemars(example = 131_026)]
    provider_code: Option<i64>,
    /// Time at which the provider accepted it. `null` if it did not.
    accepted_at: Option<Timestamp>,
    /// Time of delivery to the phone. `null` if it was not reported.
    delivered_at: Option<Timestamp>,
    /// Time at which the person read it. `null` if it was not reported.
    read_at: Option<Timestamp>,
    /// Text. `null` for a template.
    #[schemars(example = &"Sorry we missed your call. How can we help?")]
    text: Option<String>,
    /// Template. `null` for a text.
    template: Option<TimelineTemplate>,
}

/// A template with the values that were filled in.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TimelineTemplate {
    /// Name of the template at Meta.
    #[schemars(example = &"missed_call_followup")]
    name: String,
    /// Language code at Meta.
    #[schemars(example = &"en_GB")]
    language: String,
    /// Values of the body's variables, in their order.
    #[schemars(example = ["Maya"])]
    values: Vec<String>,
}

/// A change of consent in a timeline.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TimelineConsent {
    /// The change as a word, such as `stop`, `start`, `marketing_stop`, `marketing_start`.
    #[schemars(example = &"stop")]
    code: String,
    /// Source of the change, in words.
    #[schemars(example = &"asked for no more messages by SMS")]
    source: String,
    /// Time of the change.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    changed_at: Timestamp,
}

/// Names of the tenant's lines.
struct Names(HashMap<LineId, String>);

impl Names {
    fn of(lines: Vec<Line>) -> Self {
        let named = lines.into_iter().map(|line| (line.id, line.name.into()));
        Self(named.collect())
    }

    fn line(&self, id: LineId) -> TimelineLine {
        TimelineLine {
            id,
            name: self.0.get(&id).cloned(),
        }
    }
}

fn remarks(remarks: Vec<Remark>) -> Vec<TimelineRemark> {
    let shown = remarks.into_iter().map(|Remark { at, text, because }| {
        let (code, facts) = coded(because);
        TimelineRemark {
            at,
            text,
            code: code.unwrap_or(Reason::Other),
            facts,
        }
    });
    shown.collect()
}

fn coded(because: Option<Because>) -> (Option<Reason>, Facts) {
    let coded = because.map(|Because { code, facts }| (code, facts)).unzip();
    (coded.0, coded.1.unwrap_or_default())
}

/// At most [`LONGEST_TEXT`] characters, and whether that is not all.
fn shortened(mut text: String) -> (String, bool) {
    let end = text.char_indices().nth(LONGEST_TEXT).map(|(end, _)| end);
    if let Some(end) = end {
        text.truncate(end);
    }
    (text, end.is_some())
}

fn call(call: Call, names: &Names) -> TimelineCall {
    TimelineCall {
        id: call.id,
        direction: call.facts.direction.unwrap_or(Direction::Inbound),
        outcome: call.outcome,
        customer: call.facts.customer().phone().cloned().map(PhoneOut::from),
        line: call.grounds.line.map(|line| names.line(line)),
        started_at: call.facts.started_at,
        talk_seconds: call.facts.talk_seconds,
        voicemail_seconds: call.facts.voicemail_seconds,
        decision: call.decision,
        code: call.reason,
        facts: call.because,
        decided_at: call.decided_at,
        message_id: call.message,
        remarks: remarks(call.remarks),
    }
}

fn leg(leg: Leg, attempt: Option<&Attempt>) -> TimelineLeg {
    let error = attempt.and_then(|attempt| attempt.error.as_ref());
    let (text, template) = match leg.content {
        Content::Text(text) => (Some(shortened(text).0), None),
        Content::Template(filled) => {
            let values = filled.body.into_iter().map(|value| value.text).collect();
            let template = TimelineTemplate {
                name: filled.name,
                language: filled.language,
                values,
            };
            (None, Some(template))
        }
    };
    let (code, facts) = coded(error.map(AttemptError::because));
    TimelineLeg {
        channel: leg.channel,
        state: attempt.map(|attempt| attempt.state),
        reason: error.map(|error| error.reason.clone()),
        code,
        facts,
        provider_code: error.and_then(|error| error.code),
        accepted_at: attempt.and_then(|attempt| attempt.accepted_at),
        delivered_at: attempt.and_then(|attempt| attempt.delivered_at),
        read_at: attempt.and_then(|attempt| attempt.read_at),
        text,
        template,
    }
}

fn sent(message: Message, names: &Names) -> TimelineMessage {
    let state = message.state();
    let (code, facts) = coded(message.because());
    let last = message.last().map_or(0, |attempt| usize::from(attempt.leg));
    let shown = message.plan.get(last);
    let channel = shown.map(|leg| leg.channel);
    let text = shown.and_then(|leg| match &leg.content {
        Content::Text(text) => Some(shortened(text.clone())),
        Content::Template(_) => None,
    });
    let (text, cut) = text.map_or((None, false), |(text, cut)| (Some(text), cut));
    let attempts = message.attempts;
    let of_leg = |index: usize| attempts.iter().rfind(|attempt| usize::from(attempt.leg) == index);
    let plan = message.plan.into_iter().enumerate();
    let legs = plan.map(|(index, planned)| leg(planned, of_leg(index))).collect();
    TimelineMessage {
        id: message.id,
        direction: Direction::Outbound,
        customer: message.to.phone.map(PhoneOut::from),
        line: message.line.map(|line| names.line(line)),
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
        legs,
        content: None,
        media: 0,
        remarks: remarks(message.remarks),
    }
}

fn received(received: Received, names: &Names) -> TimelineMessage {
    let message = received.message;
    let (text, cut) = message.text.map(shortened).unzip();
    TimelineMessage {
        id: received.id,
        direction: Direction::Inbound,
        customer: message.from.phone.map(PhoneOut::from),
        line: received.line.map(|line| names.line(line)),
        channel: Some(message.channel),
        text,
        cut: message.cut || cut.unwrap_or_default(),
        state: None,
        decision: None,
        code: None,
        facts: Facts::NONE,
        send_at: None,
        legs: Vec::new(),
        content: Some(message.kind),
        media: u32::try_from(message.media.len()).unwrap_or(u32::MAX),
        remarks: remarks(received.remarks),
    }
}

fn consent(entry: ConsentEntry) -> TimelineConsent {
    TimelineConsent {
        code: entry.what(),
        source: entry.source,
        changed_at: entry.at,
    }
}

fn shown(Placed { position, entry }: Placed, names: &Names) -> TimelineEntryOut {
    let empty = |kind: TimelineKind| TimelineEntryOut {
        kind,
        at: position.at(),
        call: None,
        message: None,
        consent: None,
        note: None,
        conversion: None,
        merge: None,
    };
    match entry {
        Entry::Call(found) => TimelineEntryOut {
            call: Some(call(*found, names)),
            ..empty(TimelineKind::Call)
        },
        Entry::Sent(message) => TimelineEntryOut {
            message: Some(sent(message, names)),
            ..empty(TimelineKind::Message)
        },
        Entry::Received(message) => TimelineEntryOut {
            message: Some(received(message, names)),
            ..empty(TimelineKind::Message)
        },
        Entry::Consent(entry) => TimelineEntryOut {
            consent: Some(consent(entry)),
            ..empty(TimelineKind::Consent)
        },
        Entry::Note(note) => TimelineEntryOut {
            note: Some(note),
            ..empty(TimelineKind::Note)
        },
        Entry::Conversion(conversion) => TimelineEntryOut {
            conversion: Some(conversion),
            ..empty(TimelineKind::Conversion)
        },
        Entry::Merge(merge) => TimelineEntryOut {
            merge: Some(MergeOut::from(merge)),
            ..empty(TimelineKind::Merge)
        },
    }
}

/// Reads the page and the tenant's lines at once. Of the lines, only the names are needed: a unit for a handful of them, and no
/// right to read the connections, which the cached configuration contains.
pub(crate) async fn get_timeline(
    who: Allowed<permits::ContactsRead>,
    State(api): State<Api>,
    Extension(looks): Extension<Looks>,
    Path(contact_id): Path<ContactId>,
    Query(query): Query<TimelineQuery>,
    paging: Paging,
) -> Result<Listed<TimelineEntryOut>, Problem> {
    let after = paging.after().map(str::parse::<Position>).transpose();
    let after = after.map_err(|_| of_another_list())?;
    let (store, scope, only) = (api.store(), who.scope(), query.kind.map(Kind::from));
    let page = store.timeline(scope, contact_id, only, after, paging.limit(), who.now());
    let lines = async { store.all::<Line>(scope).await.map_err(Problem::from) };
    let ((contact, page), lines) = tokio::try_join!(Box::pin(found(page)), Box::pin(lines))?;
    itself(contact_id, &contact)?;
    // Of any page: a position can be made up.
    looks.record(&api, &who, Look::Timeline, contact_id).await?;
    let names = Names::of(lines);
    Ok(Listed::of(page, |placed| shown(placed, &names)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_at_the_end_of_a_character() {
        let most = "é".repeat(LONGEST_TEXT);
        assert_eq!(shortened(most.clone()), (most.clone(), false));
        assert_eq!(shortened(format!("{most}x")), (most, true));
        assert_eq!(shortened(String::new()), (String::new(), false));
    }
}
