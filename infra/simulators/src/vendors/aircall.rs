//! Aircall: `call.hungup` at once, with few fields, then `call.ended`, in the shape of `fixtures/telephony/aircall`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Event, Times};
use crate::config::Aircall;
use crate::control::Call;
use crate::delivery::Body;

pub(super) fn events(account: &Aircall, call: &Call, times: &Times) -> Result<Vec<Event>, String> {
    let (reason, voicemail) = match call.outcome.as_str() {
        "answered" => (Value::Null, Value::Null),
        "missed" => (json!("agents_did_not_answer"), Value::Null),
        "abandoned" => (json!("short_abandoned"), Value::Null),
        "after_hours" => (json!("out_of_opening_hours"), Value::Null),
        "voicemail" => (
            json!("agents_did_not_answer"),
            json!("https://media.example.test/vm/2.mp3"),
        ),
        word @ ("busy" | "failed") => return Err(format!("Aircall cannot report the outcome {word}")),
        other => (json!(other), Value::Null),
    };
    let id: u64 = call.id.parse().map_err(|_| "Aircall's call ids are numbers")?;
    let seconds = Timestamp::as_second;
    let user = times
        .answered
        .map(|_| json!({"id": 7, "name": "Reception", "email": "reception@example.test"}));
    let event = |name: &str, reason: &Value, voicemail: &Value| {
        let body = json!({
            "resource": "call",
            "event": name,
            "timestamp": seconds(times.ended),
            "token": account.token,
            "data": {
                "id": id,
                "sid": format!("CA{id:032x}"),
                "direct_link": format!("https://api.aircall.example.test/v1/calls/{id}"),
                "direction": call.direction,
                "status": "done",
                "missed_call_reason": reason,
                "started_at": seconds(times.started),
                "answered_at": times.answered.map(seconds),
                "ended_at": seconds(times.ended),
                "duration": seconds(times.ended) - seconds(times.started),
                "voicemail": voicemail,
                "recording": null,
                "raw_digits": call.from.as_deref().map_or_else(|| "anonymous".to_owned(), format_number),
                "user": user,
                "contact": null,
                "archived": false,
                "assigned_to": null,
                "tags": [],
                "comments": [],
                "number": {
                    "id": 4400,
                    "name": "Main line",
                    "digits": format_number(&call.to),
                    "country": "GB",
                    "time_zone": "Europe/London",
                },
            },
        });
        Event {
            what: format!("{name} {}", call.outcome),
            path: String::new(),
            body: Body::Json {
                json: body.to_string().into_bytes(),
            },
        }
    };
    Ok(vec![
        event("call.hungup", &Value::Null, &Value::Null),
        event("call.ended", &reason, &voicemail),
    ])
}

/// `+447700900111` as `+44 7700 900111`.
pub(super) fn format_number(number: &str) -> String {
    match (number.get(..3), number.get(3..7), number.get(7..)) {
        (Some(country), Some(area), Some(rest)) => format!("{country} {area} {rest}"),
        _ => number.to_owned(),
    }
}
