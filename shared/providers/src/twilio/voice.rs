//! Twilio's voice callbacks, as facts about a call.
//! Source: twilio.com/docs/usage/webhooks/voice-webhooks, /voice/twiml/dial, /voice/twiml/record.

use std::borrow::Cow;

use domain::Timestamp;
use domain::telephony::{
    CallEvent, CallFacts, CallProvider, CallStatus, DialStatus, Direction, Recording, RecordingState,
};
use domain::terms::{ConnectionId, Phone, ShownName};
use jiff::SignedDuration;

use super::recording::is_recording;
use crate::form::Form;
use crate::times::rfc2822;
use crate::{Unreadable, party};

/// Our address that Twilio called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoiceCallback {
    /// A call rings and waits for an answer.
    Voice,
    /// Forwarding has ended (`<Dial action>`).
    DialResult,
    /// The call's status changed.
    Status,
    /// A recording is ready.
    Recording,
}

/// A SID is 34 characters; a longer text would not fit a table key.
const MAX_SID_LENGTH: usize = 64;

/// Parses a callback for a connection with these numbers.
///
/// # Errors
/// When it does not name its call.
pub fn event(
    what: VoiceCallback,
    form: &Form,
    connection: ConnectionId,
    numbers: &[Phone],
    received_at: Timestamp,
) -> Result<CallEvent, Unreadable> {
    let sid = |name: &str| {
        let is_sid = |sid: &str| sid.len() <= MAX_SID_LENGTH && sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
        form.filled_value(name).filter(|sid| is_sid(sid))
    };
    let unnamed = |field| Unreadable {
        provider: "Twilio",
        field,
    };
    let own = sid("CallSid").ok_or_else(|| unnamed("CallSid"))?;
    let number = |name: &str| form.get(name).and_then(|text| text.parse::<u32>().ok());
    let event = |provider_call_id: Cow<'_, str>, facts| CallEvent {
        connection,
        provider: CallProvider::Twilio,
        provider_call_id: provider_call_id.into_owned(),
        received_at,
        facts,
    };
    if is_leg(form, numbers) {
        let parent = sid("ParentCallSid").ok_or_else(|| unnamed("ParentCallSid"))?;
        let tried = form.get("CallStatus").and_then(|word| dial_status(&word));
        let talked = tried == Some(DialStatus::Answered);
        let facts = CallFacts {
            tried,
            talk_seconds: number("CallDuration").filter(|_| talked),
            recordings: recording(what, form).into_iter().collect(),
            ..CallFacts::default()
        };
        return Ok(event(parent, facts));
    }
    let status = form.get("CallStatus").and_then(|word| call_status(&word));
    let mut facts = CallFacts {
        direction: form.get("Direction").and_then(|word| direction(&word)),
        from: form.get("From").map(|text| party::parse(&text)),
        to: form.get("To").map(|text| party::parse(&text)),
        caller_name: form.filled_value("CallerName").and_then(|name| ShownName::of(&name)),
        status,
        recordings: recording(what, form).into_iter().collect(),
        ..CallFacts::default()
    };
    match what {
        VoiceCallback::Voice => facts.started_at = Some(received_at),
        VoiceCallback::DialResult => {
            facts.dial = form.get("DialCallStatus").and_then(|word| dial_status(&word));
            if facts.dial == Some(DialStatus::Answered) {
                facts.talk_seconds = number("DialCallDuration");
            }
        }
        VoiceCallback::Status => {
            facts.call_seconds = number("CallDuration");
            if status.is_some_and(|status| status > CallStatus::InProgress) {
                // Never later than we received it, because later times are counted from here.
                let reported = form
                    .get("Timestamp")
                    .and_then(|text| rfc2822(&text))
                    .unwrap_or(received_at);
                let ended_at = reported.min(received_at);
                facts.ended_at = Some(ended_at);
                facts.started_at = facts
                    .call_seconds
                    .and_then(|seconds| ended_at.checked_sub(SignedDuration::from_secs(seconds.into())).ok());
            }
        }
        VoiceCallback::Recording => {
            if is_by_caller(form) && state(form) == RecordingState::Completed {
                facts.voicemail_seconds = number("RecordingDuration");
            }
        }
    }
    Ok(event(own, facts))
}

/// Whether a callback is about a leg of `<Dial>`, which a tenant's own flow may report, on behalf of somebody else than the business: an
/// attempt to reach somebody for the call that it belongs to, and whom it rings is no customer. From a number of the business, a customer is called.
///
/// It names its parent by nothing but a SID, so only the parent's own report says which number was called, and that may come later. Until then
/// a leg is kept as any report that names nobody, also if the parent turns out to be a call to a number of another connection.
pub fn is_leg(form: &Form, numbers: &[Phone]) -> bool {
    let dialled =
        form.get("Direction").as_deref() == Some("outbound-dial") && form.filled_value("ParentCallSid").is_some();
    let from = form.get("From").and_then(|from| party::parse(&from).phone().cloned());
    dialled && !from.is_some_and(|from| numbers.contains(&from))
}

/// A tenant's own flow may record whole calls; only recordings of `<Record>` are voicemails.
fn is_by_caller(form: &Form) -> bool {
    let source = form.filled_value("RecordingSource");
    source.is_none_or(|source| source == "RecordVerb")
}

/// State of a recording. Its action (`<Record action>`) comes when it is complete, and does not say so.
fn state(form: &Form) -> RecordingState {
    match form.filled_value("RecordingStatus").as_deref() {
        None | Some("completed") => RecordingState::Completed,
        Some("absent" | "deleted") => RecordingState::Absent,
        Some(_) => RecordingState::InProgress,
    }
}

/// The recording that a callback names, by its SID or at the end of its URL. The URL itself is not needed: it follows from the SID.
fn recording(what: VoiceCallback, form: &Form) -> Option<Recording> {
    let url = form.filled_value("RecordingUrl");
    let in_url = url.as_deref().and_then(|url| url.rsplit('/').next());
    let sid = form.filled_value("RecordingSid");
    let sid = sid.as_deref().or(in_url).filter(|sid| is_recording(sid))?;
    Some(Recording {
        reference: sid.parse().ok()?,
        state: state(form),
        seconds: form.get("RecordingDuration").and_then(|text| text.parse().ok()),
        voicemail: what == VoiceCallback::Recording && is_by_caller(form),
    })
}

fn direction(word: &str) -> Option<Direction> {
    match word {
        "inbound" => Some(Direction::Inbound),
        "outbound-api" | "outbound-dial" => Some(Direction::Outbound),
        _ => None,
    }
}

fn call_status(word: &str) -> Option<CallStatus> {
    Some(match word {
        "queued" | "initiated" | "ringing" => CallStatus::Ringing,
        "in-progress" | "answered" => CallStatus::InProgress,
        "completed" => CallStatus::Completed,
        "busy" => CallStatus::Busy,
        "no-answer" => CallStatus::NoAnswer,
        "failed" => CallStatus::Failed,
        "canceled" => CallStatus::Canceled,
        _ => return None,
    })
}

/// The result of forwarding, also for the answer to the dial result.
pub fn dial_status(word: &str) -> Option<DialStatus> {
    Some(match word {
        "completed" | "answered" => DialStatus::Answered,
        "busy" => DialStatus::Busy,
        "no-answer" => DialStatus::NoAnswer,
        "failed" => DialStatus::Failed,
        "canceled" => DialStatus::Canceled,
        _ => return None,
    })
}
