use serde_json::json;
use simulators::signatures;

use crate::support::{MAYA, Stage, fixture_json, shape};

#[tokio::test]
async fn call_events_look_like_the_fixtures_and_are_signed() {
    let outcomes = [
        "missed",
        "busy",
        "answered",
        "voicemail",
        "abandoned",
        "failed",
        "after_hours",
    ];
    for outcome in outcomes {
        let stage = Stage::set().await;
        let call = json!({"tenant": "tnt_a", "from": MAYA, "outcome": outcome, "via": "telephony"});
        let placed = stage.post("/calls", call).await;
        assert_eq!(
            placed["events"],
            json!([{"what": format!("call.ended {outcome}"), "status": 200}])
        );
        let received = &stage.ringback.received_requests()[0];
        assert_eq!(received.path, "/webhooks/telephony/tnt_a/con_pa");
        let mut promised = fixture_json(&format!("telephony/generic/{outcome}.json"));
        let mut event = received.json();
        // Whether ringing is reported depends on the telephone system.
        for event in [&mut promised, &mut event] {
            event["data"].as_object_mut().unwrap().remove("ring_seconds");
        }
        assert_eq!(shape(&event), shape(&promised), "{outcome}");
        assert_eq!(event["data"]["outcome"], outcome);
        assert_eq!(event["data"]["call_id"], placed["call_id"]);
        let timestamp = received.header("webhook-timestamp").parse().unwrap();
        let secret = "whsec_Zml4dHVyZS1zdGFuZGFyZC13ZWJob29rcy1rZXktMDE=";
        let signature =
            signatures::standard_webhooks(secret, received.header("webhook-id"), timestamp, &received.body).unwrap();
        assert_eq!(received.header("webhook-signature"), signature);
    }
}

#[tokio::test]
async fn unusual_and_repeated_calls_are_sent() {
    let stage = Stage::set().await;
    let call = json!({
        "tenant": "tnt_a", "from": null, "to": "+442079460001", "outcome": "teleported", "via": "telephony",
        "direction": "outbound", "call_id": "pbx-7", "ring_seconds": 9, "repeat": 3,
    });
    stage.post("/calls", call).await;
    let received = stage.ringback.received_requests();
    assert_eq!(received.len(), 3);
    let ids: std::collections::BTreeSet<_> = received.iter().map(|copy| copy.header("webhook-id")).collect();
    assert_eq!(ids.len(), 1, "copies of one event carry one id");
    let data = &received[0].json()["data"];
    assert_eq!(
        (&data["from"], &data["outcome"], &data["direction"]),
        (&json!(null), &json!("teleported"), &json!("outbound"))
    );
    assert_eq!((&data["call_id"], &data["ring_seconds"]), (&json!("pbx-7"), &json!(9)));
}
