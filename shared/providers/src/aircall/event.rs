//! Aircall's `call.ended`: `{"event", "token", "data": {"id", "direction", "started_at", "answered_at", "ended_at",
//! "duration", "missed_call_reason", "voicemail", "raw_digits", "number": {"digits"}}}`; times in unix seconds.
//! Sources: developer.aircall.io, "Webhooks overview" and "Call"; support.aircall.io, article 14936017803549.

use domain::Timestamp;
use domain::telephony::{CallEvent, CallFacts, CallProvider, Direction, Outcome, Party, Recording, RecordingState};
use domain::terms::ConnectionId;
use serde_json::Value;

use crate::times::unix_seconds;
use crate::{Unreadable, call_id, party};

const fn unreadable(field: &'static str) -> Unreadable {
    Unreadable {
        provider: "Aircall",
        field,
    }
}

/// Parses an event. `None` for all but `call.ended`: it alone has the whole call, half a minute after the end. Others come too
/// early or, such as `call.tagged`, days later.
///
/// # Errors
/// When it does not say which call it is about, and who called whom.
pub fn event(body: &[u8], connection: ConnectionId, received_at: Timestamp) -> Result<Option<CallEvent>, Unreadable> {
    let event: Value = serde_json::from_slice(body).map_err(|_| unreadable("JSON"))?;
    match event["event"].as_str() {
        Some("call.ended") => {}
        Some(_) => return Ok(None),
        None => return Err(unreadable("event")),
    }
    let data = &event["data"];
    let provider_call_id = match &data["id"] {
        Value::Number(id) if id.is_u64() => id.to_string(),
        other => other.as_str().and_then(call_id).ok_or(unreadable("data.id"))?,
    };
    let direction = match data["direction"].as_str() {
        Some("inbound") => Direction::Inbound,
        Some("outbound") => Direction::Outbound,
        _ => return Err(unreadable("data.direction")),
    };
    let customer = number(&data["raw_digits"]);
    let line = number(&data["number"]["digits"]);
    let (from, to) = match direction {
        Direction::Inbound => (customer, line),
        Direction::Outbound => (line, customer),
    };
    let time = |name: &str| unix_seconds(&data[name]).map(|at| at.min(received_at));
    let (started_at, answered_at, ended_at) = (time("started_at"), time("answered_at"), time("ended_at"));
    let between =
        |from: Option<Timestamp>, to: Option<Timestamp>| u32::try_from(to?.duration_since(from?).as_secs()).ok();
    Ok(Some(CallEvent {
        connection,
        provider: CallProvider::Aircall,
        provider_call_id,
        received_at,
        facts: CallFacts {
            direction: Some(direction),
            from: Some(from),
            to: Some(to),
            started_at,
            ended_at,
            answered_at,
            ring_seconds: between(started_at, answered_at),
            talk_seconds: between(answered_at, ended_at),
            call_seconds: data["duration"]
                .as_u64()
                .and_then(|seconds| u32::try_from(seconds).ok()),
            stated: Some(outcome(data)),
            recordings: recordings(data).collect(),
            ..CallFacts::default()
        },
    }))
}

/// Numbers are formatted for people, `+44 7700 900111`, `+1 800-123-4567`; hidden ones are `anonymous`.
pub(super) fn number(value: &Value) -> Party {
    party::of_written(value.as_str().unwrap_or_default())
}

/// The recording and the voicemail. The event has URLs without lengths, which are not kept: the sound stays at Aircall.
fn recordings(data: &Value) -> impl Iterator<Item = Recording> {
    let of_call = ["recording", "voicemail"]
        .into_iter()
        .filter(move |name| data[*name].is_string());
    of_call.filter_map(|name| {
        Some(Recording {
            reference: name.parse().ok()?,
            state: RecordingState::Completed,
            seconds: None,
            voicemail: name == "voicemail",
        })
    })
}

fn outcome(data: &Value) -> Outcome {
    if !data["answered_at"].is_null() {
        return Outcome::Answered;
    }
    if !data["voicemail"].is_null() {
        return Outcome::Voicemail;
    }
    match data["missed_call_reason"].as_str() {
        Some("agents_did_not_answer" | "no_available_agent") => Outcome::Missed,
        Some("short_abandoned" | "abandoned_in_ivr" | "abandoned_in_classic" | "abandoned") => Outcome::Abandoned,
        Some("out_of_opening_hours") => Outcome::AfterHours,
        _ => Outcome::Unknown,
    }
}
