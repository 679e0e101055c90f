//! Exotel's events. Passthru: a GET when a caller's way through a flow reaches the applet. StatusCallback: a POST when a call
//! has ended that was made by its API.
//! Sources: support.exotel.com, article 48283; developer.exotel.com, "Webhooks & Callbacks".

use domain::Timestamp;
use domain::telephony::{
    CallEvent, CallFacts, CallProvider, CallStatus, DialStatus, Direction, Outcome, Party, Recording, RecordingState,
};
use domain::tenants::CallingCode;
use domain::terms::ConnectionId;
use jiff::civil::DateTime;
use jiff::tz;
use serde_json::Value;

use crate::form::{self, Form};
use crate::times::plausible;
use crate::{Unreadable, call_id, party};

/// All times are in India's time zone.
fn india() -> tz::Offset {
    tz::offset(0).saturating_add(jiff::SignedDuration::from_mins(330))
}

const fn unreadable(field: &'static str) -> Unreadable {
    Unreadable {
        provider: "Exotel",
        field,
    }
}

/// Fields of an event without empty ones.
struct Fields<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Fields<'_> {
    fn filled_field(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|text| !text.is_empty() && text != "null")
    }

    fn first(&self, names: [&str; 2]) -> Option<String> {
        names.into_iter().find_map(|name| self.filled_field(name))
    }

    fn count(&self, name: &str) -> Option<u32> {
        self.filled_field(name)?.parse().ok()
    }

    fn call_id(&self) -> Result<String, Unreadable> {
        self.filled_field("CallSid")
            .as_deref()
            .and_then(call_id)
            .ok_or(unreadable("CallSid"))
    }

    /// The recording, if the event has its URL. The URL is not kept: the sound stays at Exotel.
    fn recording(&self) -> Option<Recording> {
        self.filled_field("RecordingUrl")?;
        Some(Recording {
            reference: "recording".parse().ok()?,
            state: RecordingState::Completed,
            seconds: None,
            voicemail: self.filled_field("CallType").as_deref() == Some("voicemail"),
        })
    }

    /// `2026-10-31 14:50:00`. An unknown end is given as the beginning of 1970, which is rejected as implausible.
    fn time(&self, name: &str, received_at: Timestamp) -> Option<Timestamp> {
        let local: DateTime = self.filled_field(name)?.parse().ok()?;
        let at = plausible(india().to_timestamp(local).ok()?)?;
        Some(at.min(received_at))
    }
}

fn number(text: &str, country: CallingCode) -> Party {
    match country.phone(text) {
        // A keypad's spelling of "anonymous" has the format of a number.
        Some(_) if party::is_hidden(text.trim()) => Party::Withheld,
        Some(phone) => Party::Phone(phone),
        None => party::parse(text),
    }
}

/// Parses the query of a Passthru. `country` is the country of its national numbers.
///
/// # Errors
/// When it does not name its call.
pub fn passthru(
    query: &Form,
    country: CallingCode,
    connection: ConnectionId,
    received_at: Timestamp,
) -> Result<CallEvent, Unreadable> {
    let field = |name: &str| query.get(name).map(std::borrow::Cow::into_owned);
    let fields = Fields(&field);
    let provider_call_id = fields.call_id()?;
    let direction = fields.filled_field("Direction").and_then(|word| direction(&word));
    let party = |names| fields.first(names).map(|text| number(&text, country));
    let mut facts = CallFacts {
        direction,
        // The agent's own number calls first; the event does not name the line.
        from: party(["CallFrom", "From"]).filter(|_| direction != Some(Direction::Outbound)),
        to: party(["CallTo", "To"]),
        started_at: fields.time("StartTime", received_at),
        // The applet comes after the conversation, and does not know `EndTime` yet.
        ended_at: Some(fields.time("CurrentTime", received_at).unwrap_or(received_at)),
        recordings: fields.recording().into_iter().collect(),
        ..CallFacts::default()
    };
    let dialled = fields.filled_field("DialCallStatus");
    match (fields.filled_field("CallType").as_deref(), dialled.as_deref()) {
        (Some("completed"), _) => {
            facts.stated = Some(Outcome::Answered);
            facts.talk_seconds = fields.count("DialCallDuration");
        }
        (Some("incomplete"), None | Some("no-answer")) => facts.stated = Some(Outcome::Missed),
        (Some("incomplete"), Some("busy")) => facts.stated = Some(Outcome::Busy),
        (Some("incomplete"), Some("failed")) => facts.stated = Some(Outcome::Failed),
        (Some("client-hangup"), _) | (Some("incomplete"), Some("canceled")) => facts.stated = Some(Outcome::Abandoned),
        (Some("voicemail"), _) => facts.stated = Some(Outcome::Voicemail),
        (Some("failed"), _) => facts.stated = Some(Outcome::Failed),
        // Nobody has been dialled so far: an applet before the dialling reports the same of every call.
        (Some("call-attempt"), _) => {
            facts.status = Some(CallStatus::Completed);
            facts.tried = Some(DialStatus::Canceled);
        }
        // The call has ended, but the event does not say how.
        _ => facts.status = Some(CallStatus::Completed),
    }
    Ok(event(provider_call_id, facts, connection, received_at))
}

/// Parses a StatusCallback in form encoding.
///
/// # Errors
/// When it does not name its call.
pub fn status_form(
    body: &[u8],
    country: CallingCode,
    connection: ConnectionId,
    received_at: Timestamp,
) -> Result<CallEvent, Unreadable> {
    let form = form::parse(body);
    let field = |name: &str| form.get(name).map(std::borrow::Cow::into_owned);
    status(&Fields(&field), country, connection, received_at)
}

/// Parses a StatusCallback in JSON.
///
/// # Errors
/// When it is not JSON, or does not name its call.
pub fn status_json(
    body: &[u8],
    country: CallingCode,
    connection: ConnectionId,
    received_at: Timestamp,
) -> Result<CallEvent, Unreadable> {
    let callback: Value = serde_json::from_slice(body).map_err(|_| unreadable("JSON"))?;
    let field = |name: &str| match &callback[name] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    status(&Fields(&field), country, connection, received_at)
}

fn status(
    fields: &Fields<'_>,
    country: CallingCode,
    connection: ConnectionId,
    received_at: Timestamp,
) -> Result<CallEvent, Unreadable> {
    let provider_call_id = fields.call_id()?;
    let direction = fields.filled_field("Direction").and_then(|word| direction(&word));
    let party = |names| fields.first(names).map(|text| number(&text, country));
    let (from, to) = match direction {
        Some(Direction::Outbound) => (party(["PhoneNumberSid"; 2]), party(["To"; 2])),
        Some(Direction::Inbound) | None => (party(["From"; 2]), party(["PhoneNumberSid", "To"])),
    };
    let word = fields.filled_field("Status").unwrap_or_default();
    let talk_seconds = fields.count("ConversationDuration");
    let mut facts = CallFacts {
        direction,
        from,
        to,
        started_at: fields.time("StartTime", received_at),
        talk_seconds,
        status: call_status(&word),
        ..CallFacts::default()
    };
    if facts.status.is_some_and(|status| status > CallStatus::InProgress) {
        let ended_at = fields.time("EndTime", received_at);
        facts.ended_at = ended_at
            .or_else(|| fields.time("DateUpdated", received_at))
            .or(Some(received_at));
        // Both sides were connected.
        if word == "completed" && talk_seconds > Some(0) {
            facts.stated = Some(Outcome::Answered);
        }
    }
    Ok(event(provider_call_id, facts, connection, received_at))
}

fn event(provider_call_id: String, facts: CallFacts, connection: ConnectionId, received_at: Timestamp) -> CallEvent {
    CallEvent {
        connection,
        provider: CallProvider::Exotel,
        provider_call_id,
        received_at,
        facts,
    }
}

fn direction(word: &str) -> Option<Direction> {
    match word {
        "incoming" | "inbound" => Some(Direction::Inbound),
        word if word.starts_with("out") => Some(Direction::Outbound),
        _ => None,
    }
}

/// `no-answer` does not say which of the two dialled sides did not answer, and `completed` does not say that somebody spoke. Both
/// only mean that the call has ended.
fn call_status(word: &str) -> Option<CallStatus> {
    Some(match word {
        "queued" | "ringing" => CallStatus::Ringing,
        "in-progress" => CallStatus::InProgress,
        "completed" | "no-answer" => CallStatus::Completed,
        "busy" => CallStatus::Busy,
        "failed" => CallStatus::Failed,
        _ => return None,
    })
}
