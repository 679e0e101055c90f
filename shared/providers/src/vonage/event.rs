//! Vonage's events: `{"from", "to", "uuid", "conversation_uuid", "status", "direction", "timestamp", "duration"?,
//! "start_time"?, "end_time"?}`, several for each leg of a call. `conversation_uuid` is the call, `uuid` the leg.
//! Source: developer.vonage.com, "Voice API webhooks reference".

use domain::Timestamp;
use domain::telephony::{CallEvent, CallFacts, CallProvider, CallStatus, DialStatus, Direction};
use domain::terms::ConnectionId;
use serde_json::Value;

use crate::times::plausible;
use crate::{Unreadable, call_id, party};

const fn unreadable(field: &'static str) -> Unreadable {
    Unreadable {
        provider: "Vonage",
        field,
    }
}

/// Parses an event. `None` if it says nothing about the course of the call: recordings, input, errors of the flow, transfers,
/// legs that only ring.
///
/// # Errors
/// When it names no call, no status or no direction.
pub fn event(body: &[u8], connection: ConnectionId, received_at: Timestamp) -> Result<Option<CallEvent>, Unreadable> {
    let event: Value = serde_json::from_slice(body).map_err(|_| unreadable("JSON"))?;
    let text = |name: &str| event[name].as_str();
    let Some(status) = text("status") else {
        let other = ["recording_url", "dtmf", "speech", "reason"];
        let known = text("type") == Some("transfer") || other.iter().any(|field| !event[*field].is_null());
        return if known { Ok(None) } else { Err(unreadable("status")) };
    };
    let provider_call_id = text("conversation_uuid")
        .or(text("uuid"))
        .and_then(call_id)
        .ok_or(unreadable("conversation_uuid"))?;
    let facts = match text("direction") {
        Some("inbound") => CallFacts {
            from: text("from").map(party::of_digits),
            to: text("to").map(party::of_digits),
            ..of_caller(&event, status, received_at)
        },
        // A leg towards the business. Its `from` is whatever the flow shows there, possibly the caller's number, so it names neither the
        // customer nor the line. A conversation that we started ourselves looks the same.
        Some("outbound") => match attempt(status) {
            Some(tried) => CallFacts {
                tried: Some(tried),
                ..CallFacts::default()
            },
            None => return Ok(None),
        },
        _ => return Err(unreadable("direction")),
    };
    Ok(Some(CallEvent {
        connection,
        provider: CallProvider::Vonage,
        provider_call_id,
        received_at,
        facts,
    }))
}

/// The caller's own leg.
fn of_caller(event: &Value, word: &str, received_at: Timestamp) -> CallFacts {
    let time = |name: &str| {
        let at: Timestamp = event[name].as_str()?.parse().ok()?;
        plausible(at).map(|at| at.min(received_at))
    };
    let at = time("timestamp").unwrap_or(received_at);
    let status = call_status(word);
    let over = status.is_some_and(|status| status > CallStatus::InProgress);
    CallFacts {
        direction: Some(Direction::Inbound),
        started_at: time("start_time").or((status == Some(CallStatus::Ringing)).then_some(at)),
        // The flow picked up; a person's answer is on the other leg.
        answered_at: (status == Some(CallStatus::InProgress)).then_some(at),
        ended_at: over.then(|| time("end_time").unwrap_or(at)),
        call_seconds: seconds(&event["duration"]),
        status,
        ..CallFacts::default()
    }
}

/// Vonage writes numbers as text.
fn seconds(value: &Value) -> Option<u32> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|seconds| u32::try_from(seconds).ok()),
    }
}

fn call_status(word: &str) -> Option<CallStatus> {
    Some(match word {
        "started" | "ringing" => CallStatus::Ringing,
        "answered" => CallStatus::InProgress,
        "completed" => CallStatus::Completed,
        "unanswered" | "timeout" => CallStatus::NoAnswer,
        // Carriers do not agree which of the two it is.
        "busy" | "rejected" => CallStatus::Busy,
        "cancelled" => CallStatus::Canceled,
        "failed" => CallStatus::Failed,
        _ => return None,
    })
}

/// Result of one attempt to reach the business.
fn attempt(word: &str) -> Option<DialStatus> {
    Some(match word {
        "answered" => DialStatus::Answered,
        "unanswered" | "timeout" => DialStatus::NoAnswer,
        "busy" | "rejected" => DialStatus::Busy,
        "cancelled" => DialStatus::Canceled,
        "failed" => DialStatus::Failed,
        _ => return None,
    })
}
