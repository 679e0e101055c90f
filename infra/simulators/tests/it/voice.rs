use serde_json::{Value, json};

use crate::ringback::{Received, Ringback};
use crate::support::{ACCOUNT, Stage, assert_answer, fixture, fixture_json, send_for_json};

/// A Ringback that answers `/voice` with one document and the next request with another.
async fn stage(voice: &str, next: &str) -> Stage {
    let (voice, next) = (voice.to_owned(), next.to_owned());
    let ringback = Ringback::answering(move |received, _| {
        let is_dial = received.field("DialCallStatus").is_some();
        let body = if received.path.ends_with("/voice") {
            &voice
        } else if is_dial {
            &next
        } else {
            ""
        };
        (200, body.to_owned())
    })
    .await;
    Stage::opposite(ringback, json!({})).await
}

/// A TwiML fixture with relative URLs, so that nothing is requested from outside.
fn twiml(name: &str) -> String {
    fixture(&format!("twilio/voice/{name}.xml")).replace("https://hooks.example.test", "")
}

async fn call(stage: &Stage, outcome: &str) -> Value {
    stage.call(outcome, json!({})).await
}

#[track_caller]
fn assert_fields(received: &Received, name: &str) {
    received.assert_fields(&format!("voice/{name}"));
}

fn status(received: &Received) -> String {
    received.field("CallStatus").unwrap_or_default()
}

#[tokio::test]
async fn dial_results_match_the_fixtures() {
    let cases = [
        ("missed", "no-answer", "in-progress", "dial_action_no_answer"),
        ("busy", "busy", "in-progress", "dial_action_busy"),
        ("answered", "completed", "in-progress", "dial_action_completed"),
        ("failed", "failed", "in-progress", "dial_action_failed"),
        ("abandoned", "canceled", "completed", "dial_action_caller_hung_up"),
    ];
    for (outcome, dial_status, call_status, promised) in cases {
        let stage = stage(&twiml("twiml_forward_then_action"), &twiml("twiml_empty")).await;
        let placed = call(&stage, outcome).await;
        let received = stage.ringback.received_requests();
        let paths: Vec<_> = received.iter().map(|received| received.path.as_str()).collect();
        let connection = "/webhooks/twilio/tnt_a/con_ta";
        assert_eq!(
            paths,
            [
                &format!("{connection}/voice"),
                "/v1/twilio/tnt_a/dial-action",
                &format!("{connection}/status")
            ]
        );
        assert_fields(&received[0], "inbound_anonymous");
        assert_fields(&received[1], promised);
        assert_fields(&received[2], "status_completed_long");
        assert_eq!(status(&received[0]), "ringing");
        assert_eq!(status(&received[1]), call_status, "{outcome}");
        assert_eq!(received[1].field("DialCallStatus").as_deref(), Some(dial_status));
        let last = status(&received[2]);
        assert_eq!(last, "completed", "an answered leg always ends so: {outcome}");
        for webhook in &received {
            assert_eq!(webhook.field("CallSid").as_deref(), placed["call_id"].as_str());
            let url = format!("{}{}", stage.ringback.url, webhook.path);
            webhook.assert_signed_by_twilio(&url);
        }
        assert_eq!(placed["events"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn a_voicemail_is_recorded_and_reported() {
    let stage = stage(&twiml("twiml_forward_then_action"), &twiml("twiml_voicemail")).await;
    stage.call("voicemail", json!({"talk_seconds": 18})).await;
    let received = stage.ringback.at("/recording");
    assert_eq!(received.len(), 1);
    assert_fields(&received[0], "recording_status_voicemail");
    assert_eq!(received[0].field("RecordingDuration").as_deref(), Some("18"));
    let silent = call(&stage, "missed").await;
    let count = stage.ringback.at("/recording").len();
    assert_eq!(count, 1, "who is not spoken to leaves nothing: {silent}");
}

/// By the account's credentials, until it is deleted; what is known of it stays.
#[tokio::test]
async fn a_recording_can_be_fetched_until_it_is_deleted() {
    let stage = Stage::set().await;
    stage
        .call("voicemail", json!({"own_flow": true, "talk_seconds": 18}))
        .await;
    let received = stage.ringback.at("/recording");
    assert_eq!(received.len(), 1);
    assert_fields(&received[0], "recording_status_voicemail");
    let sid = received[0].field("RecordingSid").expect("a SID");
    let place = |account: &str, end: &str| stage.url(&format!("/2010-04-01/Accounts/{account}/Recordings/{sid}{end}"));
    let get = |end: &str| stage.to_twilio("GET", &place(ACCOUNT, end));
    for (end, kind, size) in [
        (".mp3", "audio/mpeg", 71_968),
        (".wav", "audio/x-wav", 288_044),
        ("", "audio/x-wav", 288_044),
    ] {
        let sound = get(end).send().await.expect("an answer");
        let shown = sound.headers()["content-type"].to_str().expect("a text");
        assert_eq!((sound.status().as_u16(), shown), (200, kind));
        assert_eq!(sound.bytes().await.expect("a body").len(), size, "{end}");
    }
    let about = send_for_json(get(".json")).await;
    assert_answer(&about, 200, "twilio/recordings/fetch_completed");
    assert_eq!(about.1["duration"], "18");
    // Nobody else gets it.
    let (status, _) = send_for_json(stage.http.get(place(ACCOUNT, ".mp3"))).await;
    assert_eq!(status, 401);
    let of_b = stage.http.get(place("AC000000000000000000000000000000b2", ".mp3"));
    let (status, _) = send_for_json(of_b.basic_auth("SKb", Some("secret-b"))).await;
    assert_eq!(status, 404);
    let fault = json!([{"api": "twilio", "kind": "server_error", "times": 1}]);
    stage.faults(fault).await;
    assert!(send_for_json(get(".mp3")).await.0 >= 500);

    let delete = async || {
        send_for_json(stage.to_twilio("DELETE", &place(ACCOUNT, ".json")))
            .await
            .0
    };
    assert_eq!((delete().await, delete().await), (204, 404));
    let gone = send_for_json(get(".mp3")).await;
    let promised = assert_answer(&gone, 404, "twilio/recordings/404_error_20404_media_gone");
    assert_eq!(gone.1["code"], promised["code"]);
    let (_, about) = send_for_json(get(".json")).await;
    let promised = fixture_json("twilio/recordings/fetch_soft_deleted.json");
    assert_eq!(about["status"], promised["status"]);
}

#[tokio::test]
async fn a_rejected_call_is_busy() {
    let stage = stage(&twiml("twiml_hangup_busy"), "").await;
    call(&stage, "missed").await;
    let received = stage.ringback.at("/status");
    assert_eq!(status(&received[0]), "busy");
    assert_fields(&received[0], "status_busy");
    assert_eq!(received[0].field("CallDuration").as_deref(), Some("0"));
}

#[tokio::test]
async fn an_empty_answer_ends_the_call_as_completed() {
    let stage = stage(&twiml("twiml_empty"), "").await;
    call(&stage, "missed").await;
    assert_fields(&stage.ringback.at("/status")[0], "status_completed_short_no_dial");
    assert_eq!(status(&stage.ringback.at("/status")[0]), "completed");
}

#[tokio::test]
async fn unreadable_twiml_ends_the_call() {
    for body in ["<html>", "{}", "<Request/>"] {
        let stage = stage(body, "").await;
        let placed = call(&stage, "missed").await;
        assert_eq!(placed["events"][1]["what"], "unreadable TwiML");
        assert_eq!(status(&stage.ringback.at("/status")[0]), "completed");
    }
}

#[tokio::test]
async fn repeated_and_shuffled_calls_deliver_every_webhook_that_often() {
    for outcome in ["missed", "voicemail"] {
        let stage = stage(&twiml("twiml_forward_then_action"), &twiml("twiml_voicemail")).await;
        let placed = stage.call(outcome, json!({"repeat": 3, "shuffle": true})).await;
        let count = |part: &str| stage.ringback.at(part).len();
        let counts = ["/voice", "/dial-action", "/status"].map(count);
        assert_eq!(counts, [3, 3, 3], "{placed}");
        assert_eq!(count("/recording"), if outcome == "voicemail" { 3 } else { 0 });
        let copies = stage.ringback.at("/status");
        let tokens = copies.iter().map(|copy| copy.header("i-twilio-idempotency-token"));
        let tokens: std::collections::BTreeSet<_> = tokens.collect();
        assert_eq!(tokens.len(), 1, "copies of one webhook carry one token");
    }
}
