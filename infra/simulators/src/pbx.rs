//! A telephone system of any kind that reports its calls with the generic signed event.

use std::time::Duration;

use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::json;

use crate::config::{Config, Telephony, Tenant};
use crate::control::CallEvent;
use crate::delivery::{Body, Webhook};
use crate::world::Sims;

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) id: String,
    /// None: withheld.
    pub(crate) from: Option<String>,
    pub(crate) to: String,
    pub(crate) direction: String,
    pub(crate) outcome: String,
    pub(crate) ring_seconds: Option<u32>,
    pub(crate) talk_seconds: Option<u32>,
    pub(crate) repeat: u32,
}

/// Reports one call, in the shape of `fixtures/telephony/generic`.
pub(crate) async fn place(
    world: &Sims,
    config: &Config,
    tenant: &Tenant,
    account: &Telephony,
    call: &Call,
) -> Vec<CallEvent> {
    let webhook = Webhook {
        what: format!("call.ended {}", call.outcome),
        tenant: tenant.id.clone(),
        url: tenant.telephony_url(config, account),
        body: Body::Telephony {
            secret: account.secret.clone(),
            // The same in every copy, so that the receiver recognises them.
            id: format!("msg_{}", world.hex_id()),
            json: event(world, call).to_string().into_bytes(),
        },
    };
    let deliveries = (0..call.repeat).map(|copy| {
        let webhook = &webhook;
        async move {
            tokio::time::sleep(Duration::from_millis(10) * copy).await;
            let outcome = world.deliver(webhook).await;
            CallEvent {
                what: webhook.what.clone(),
                status: outcome.status,
            }
        }
    });
    join_all(deliveries).await
}

fn event(world: &Sims, call: &Call) -> serde_json::Value {
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
    let ended = world.now();
    let seconds = |at: jiff::Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
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
