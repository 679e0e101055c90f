//! A telephone system of any kind that reports its calls with the generic signed event, in the shape of `fixtures/telephony/generic`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Event;
use crate::config::Telephony;
use crate::control::Call;
use crate::delivery::Body;
use crate::world::Sims;

pub(super) fn events(world: &Sims, account: &Telephony, call: &Call) -> Vec<Event> {
    vec![Event {
        what: format!("call.ended {}", call.outcome),
        path: String::new(),
        body: Body::Telephony {
            secret: account.secret.clone(),
            // The same in every copy, so that the receiver recognises them.
            id: format!("msg_{}", world.hex_id()),
            json: event(call, world.now()).to_string().into_bytes(),
        },
    }]
}

fn event(call: &Call, ended: Timestamp) -> Value {
    let answered = call.outcome == "answered";
    let ring = call.ring_seconds.unwrap_or(match call.outcome.as_str() {
        "answered" => 8,
        "busy" | "failed" | "after_hours" => 0,
        "abandoned" => 2,
        _ => 25,
    });
    let talk = call.talk_seconds.unwrap_or(match call.outcome.as_str() {
        "answered" => 60,
        "voicemail" => 14,
        _ => 0,
    });
    let seconds = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let answered_at = ended - SignedDuration::from_secs(i64::from(talk));
    let started = answered_at - SignedDuration::from_secs(i64::from(ring));
    let mut data = json!({
        "call_id": call.id,
        "direction": call.direction,
        "from": call.from,
        "to": call.to,
        "started_at": seconds(started),
        "ended_at": seconds(ended),
        "outcome": call.outcome,
    });
    if ring > 0 {
        data["ring_seconds"] = json!(ring);
    }
    match call.outcome.as_str() {
        "voicemail" => data["voicemail"] = json!({"seconds": talk, "url": "https://media.example.test/vm/1.ogg"}),
        "failed" => data["reason"] = json!("network"),
        _ if answered => {
            data["answered_at"] = json!(seconds(answered_at));
            data["talk_seconds"] = json!(talk);
        }
        _ => {}
    }
    json!({"type": "call.ended", "timestamp": seconds(ended), "data": data})
}
