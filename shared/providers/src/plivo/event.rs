//! Plivo's callbacks about calls: forms with `CallUUID`, `CallStatus`, `Direction`, `From`, `To` and, at the end, `Duration`,
//! `BillDuration` and times, which are taken for UTC.
//! Source: plivo.com/docs/voice, "Request parameters".

use domain::Timestamp;
use domain::telephony::{CallEvent, CallFacts, CallProvider, CallStatus, Direction, Outcome};
use domain::terms::{ConnectionId, ShownName};
use jiff::civil::DateTime;
use jiff::tz;

use crate::form::Form;
use crate::times::plausible;
use crate::{Unreadable, call_id, party};

/// Parses a callback.
///
/// # Errors
/// When it does not name its call.
pub fn event(form: &Form, connection: ConnectionId, received_at: Timestamp) -> Result<CallEvent, Unreadable> {
    let provider_call_id = form
        .filled_value("CallUUID")
        .and_then(|id| call_id(&id))
        .ok_or(Unreadable {
            provider: "Plivo",
            field: "CallUUID",
        })?;
    let seconds = |name: &str| form.get(name).and_then(|text| text.parse::<u32>().ok());
    let time = |name: &str| {
        let local: DateTime = form.filled_value(name)?.parse().ok()?;
        let at = plausible(tz::Offset::UTC.to_timestamp(local).ok()?)?;
        Some(at.min(received_at))
    };
    let number = |name: &str| form.get(name).map(|text| party::of_digits(&text));
    let status = form.get("CallStatus").and_then(|word| call_status(&word));
    let over = status.is_some_and(|status| status > CallStatus::InProgress);
    let (started_at, answered_at) = (time("StartTime"), time("AnswerTime"));
    let mut facts = CallFacts {
        direction: form.get("Direction").and_then(|word| direction(&word)),
        from: number("From"),
        to: number("To"),
        started_at: started_at.or((status == Some(CallStatus::Ringing)).then_some(received_at)),
        ended_at: over.then(|| time("EndTime").unwrap_or(received_at)),
        // Without a name, Plivo repeats the number here.
        caller_name: form
            .filled_value("CallerName")
            .filter(|name| name.chars().any(char::is_alphabetic) && !party::is_hidden(name))
            .and_then(|name| ShownName::of(&name)),
        status,
        ..CallFacts::default()
    };
    // A call that completed without being billed was not answered, as far as we know.
    if status == Some(CallStatus::Completed) && seconds("BillDuration") > Some(0) {
        facts.stated = Some(Outcome::Answered);
        facts.talk_seconds = seconds("Duration");
        facts.ring_seconds = started_at
            .zip(answered_at)
            .and_then(|(started, answered)| u32::try_from(answered.duration_since(started).as_secs()).ok());
    }
    Ok(CallEvent {
        connection,
        provider: CallProvider::Plivo,
        provider_call_id,
        received_at,
        facts,
    })
}

fn direction(word: &str) -> Option<Direction> {
    match word {
        "inbound" => Some(Direction::Inbound),
        "outbound" => Some(Direction::Outbound),
        _ => None,
    }
}

fn call_status(word: &str) -> Option<CallStatus> {
    Some(match word {
        "ringing" => CallStatus::Ringing,
        "in-progress" => CallStatus::InProgress,
        "completed" => CallStatus::Completed,
        "no-answer" | "timeout" => CallStatus::NoAnswer,
        "busy" => CallStatus::Busy,
        "cancel" => CallStatus::Canceled,
        "failed" => CallStatus::Failed,
        _ => return None,
    })
}
