//! The generic event: `{"type": "call.ended", "data": {"call_id", "direction", "outcome", "from", "to", "started_at",
//! "ended_at", "answered_at"?, "ring_seconds"?, "talk_seconds"?, "voicemail"?}}`. Other fields are ignored.

use domain::Timestamp;
use domain::telephony::{CallEvent, CallFacts, CallProvider, Direction, Outcome, Party};
use domain::terms::ConnectionId;
use jiff::SignedDuration;
use serde_json::Value;

use crate::party;
use crate::times::plausible;

/// A call's id is part of a table key.
const MAX_CALL_ID_LENGTH: usize = 200;
/// Clocks differ. A call that ends more than this after we received the event has a wrong date.
const CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_hours(1);
/// No call is longer: the value is not in seconds.
const MAX_SECONDS: u64 = 7 * 24 * 3600;

/// An event that violates the contract. Its sender gets a 422 that says what to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}")]
pub struct Invalid {
    pub field: &'static str,
    /// The expected value and what to do; never the value that was sent.
    pub what: &'static str,
}

const fn invalid<T>(field: &'static str, what: &'static str) -> Result<T, Invalid> {
    Err(Invalid { field, what })
}

/// Parses an event.
///
/// # Errors
/// With the first field that violates the contract.
pub fn event(body: &[u8], connection: ConnectionId, received_at: Timestamp) -> Result<CallEvent, Invalid> {
    let Ok(event) = serde_json::from_slice::<Value>(body) else {
        return invalid("body", "expected JSON; check that it is sent whole and in UTF-8");
    };
    if event["type"] != "call.ended" {
        return invalid(
            "type",
            "expected \"call.ended\"; send one event for each call when it has ended",
        );
    }
    let data = &event["data"];
    if !data.is_object() {
        return invalid(
            "data",
            "expected an object with the call; put call_id, direction and the others into it",
        );
    }
    let provider_call_id = match data["call_id"].as_str() {
        Some(id) if !id.is_empty() && id.len() <= MAX_CALL_ID_LENGTH && !id.chars().any(char::is_control) => {
            id.to_owned()
        }
        _ => {
            return invalid(
                "data.call_id",
                "expected a text of 1 to 200 characters; send your own id of the call, the same whenever you send it again",
            );
        }
    };
    let direction = match data["direction"].as_str() {
        Some("inbound") => Direction::Inbound,
        Some("outbound") => Direction::Outbound,
        _ => {
            return invalid(
                "data.direction",
                "expected \"inbound\" or \"outbound\"; say who called whom",
            );
        }
    };
    let Some(stated) = data["outcome"].as_str().map(outcome) else {
        return invalid(
            "data.outcome",
            "expected one of answered, missed, busy, abandoned, voicemail, after_hours, failed; send \"unknown\" if you cannot tell",
        );
    };
    let from = caller(data)?;
    let to = called_party(data)?;
    let started_at = time(data, "started_at", "data.started_at")?;
    let ended_at = time(data, "ended_at", "data.ended_at")?;
    if ended_at < started_at {
        return invalid(
            "data.ended_at",
            "is before data.started_at; check the time zones of both",
        );
    }
    if ended_at > received_at + CLOCK_DIFFERENCE {
        return invalid("data.ended_at", "is in the future; check the clock and the time zone");
    }
    let answered_at = match &data["answered_at"] {
        Value::Null => None,
        _ => Some(time(data, "answered_at", "data.answered_at")?),
    };
    let seconds_between = |from: Timestamp, to: Timestamp| u32::try_from(to.duration_since(from).as_secs()).ok();
    Ok(CallEvent {
        connection,
        provider: CallProvider::Telephony,
        provider_call_id,
        received_at,
        facts: CallFacts {
            direction: Some(direction),
            from: Some(from),
            to: Some(to),
            started_at: Some(started_at),
            ended_at: Some(ended_at),
            ring_seconds: seconds(&data["ring_seconds"], "data.ring_seconds")?
                .or_else(|| seconds_between(started_at, answered_at?)),
            talk_seconds: seconds(&data["talk_seconds"], "data.talk_seconds")?
                .or_else(|| seconds_between(answered_at?, ended_at)),
            voicemail_seconds: seconds(&data["voicemail"]["seconds"], "data.voicemail.seconds")?,
            call_seconds: seconds_between(started_at, ended_at),
            stated: Some(stated),
            ..CallFacts::default()
        },
    })
}

/// An unknown word is an unknown outcome: stored, never followed up.
fn outcome(word: &str) -> Outcome {
    match word {
        "answered" => Outcome::Answered,
        "missed" => Outcome::Missed,
        "busy" => Outcome::Busy,
        "abandoned" => Outcome::Abandoned,
        "voicemail" => Outcome::Voicemail,
        "after_hours" => Outcome::AfterHours,
        "failed" => Outcome::Failed,
        _ => Outcome::Unknown,
    }
}

fn caller(data: &Value) -> Result<Party, Invalid> {
    const WHAT: &str =
        "expected the caller's number in international form, such as +442079460000; send null if the caller hides it";
    match data.get("from") {
        Some(Value::Null) => Ok(Party::Withheld),
        // Numbers that networks use in place of a hidden one have the format of a number.
        Some(Value::String(text)) if party::is_hidden(text) && !text.is_empty() => Ok(Party::Withheld),
        Some(Value::String(text)) => match text.parse() {
            Ok(phone) => Ok(Party::Phone(phone)),
            Err(_) => invalid("data.from", WHAT),
        },
        _ => invalid("data.from", WHAT),
    }
}

fn called_party(data: &Value) -> Result<Party, Invalid> {
    match data["to"].as_str().and_then(|text| text.parse().ok()) {
        Some(phone) => Ok(Party::Phone(phone)),
        None => invalid(
            "data.to",
            "expected the called number in international form, such as +442079460000",
        ),
    }
}

fn time(data: &Value, name: &str, field: &'static str) -> Result<Timestamp, Invalid> {
    match data[name]
        .as_str()
        .and_then(|text| text.parse().ok())
        .and_then(plausible)
    {
        Some(at) => Ok(at),
        None => invalid(field, "expected a time with its zone, such as 2026-10-31T09:20:00Z"),
    }
}

fn seconds(value: &Value, field: &'static str) -> Result<Option<u32>, Invalid> {
    if value.is_null() {
        return Ok(None);
    }
    match value
        .as_u64()
        .filter(|seconds| *seconds <= MAX_SECONDS)
        .and_then(|seconds| u32::try_from(seconds).ok())
    {
        Some(seconds) => Ok(Some(seconds)),
        None => invalid(
            field,
            "expected a whole number of seconds; leave it out if you do not know it",
        ),
    }
}
