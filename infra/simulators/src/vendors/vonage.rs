//! Vonage: an event for each step of a call, in the shape of `fixtures/telephony/vonage`, each with a signed token.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Event, Times, uuid};
use crate::config::Vonage;
use crate::control::Call;
use crate::delivery::Body;
use crate::phones::digits;
use crate::world::Sims;

pub(super) fn events(world: &Sims, account: &Vonage, call: &Call, times: &Times) -> Result<Vec<Event>, String> {
    let last = match call.outcome.as_str() {
        "answered" => "completed",
        "missed" => "unanswered",
        "abandoned" => "cancelled",
        word @ ("voicemail" | "after_hours") => return Err(format!("Vonage cannot report the outcome {word}")),
        other => other,
    };
    let leg = uuid(&world.hex_id());
    let event = |status: &str, at: Timestamp, more: Value| {
        let mut json = json!({
            "from": call.from.as_deref().map_or("anonymous", digits),
            "to": digits(&call.to),
            "uuid": leg,
            "conversation_uuid": call.id,
            "status": status,
            "direction": call.direction,
            "timestamp": millis(at),
        });
        if let (Some(json), Value::Object(more)) = (json.as_object_mut(), more) {
            json.extend(more);
        }
        Event {
            what: format!("event {status}"),
            path: String::new(),
            body: Body::Vonage {
                signature_secret: account.signature_secret.clone(),
                api_key: account.api_key.clone(),
                application_id: account.application_id.clone(),
                json: json.to_string().into_bytes(),
            },
        }
    };
    let mut events = vec![event("ringing", times.started, Value::Null)];
    if let Some(at) = times.answered {
        let more = json!({"start_time": null, "rate": null, "network": "UK-FIXED"});
        events.push(event("answered", at, more));
    }
    let more = match (last, times.answered) {
        ("completed", Some(at)) => json!({
            "duration": times.talk_seconds.to_string(),
            "start_time": millis(at),
            "end_time": millis(times.ended),
            "rate": "0.00450000",
            "price": "0.00307500",
            "network": "UK-FIXED",
        }),
        ("failed", _) => json!({"detail": "unavailable"}),
        _ => Value::Null,
    };
    events.push(event(last, times.ended, more));
    Ok(events)
}

fn millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
