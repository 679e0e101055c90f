//! Telephone systems with their own adapters: their events match the fixtures and are authenticated as by each vendor.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use simulators::signatures;

use crate::ringback::Received;
use crate::support::{MAYA, Stage, fields, fixture, fixture_json, shape};

async fn call(stage: &Stage, via: &str, outcome: &str) -> (Value, Vec<Received>) {
    let before = stage.ringback.received_requests().len();
    let call = json!({"tenant": "tnt_a", "from": MAYA, "outcome": outcome, "via": via});
    let placed = stage.post("/calls", call).await;
    let received = stage.ringback.received_requests().split_off(before);
    for event in placed["events"].as_array().expect("events") {
        assert_eq!(event["status"], 200, "{via} {outcome}");
    }
    (placed, received)
}

#[tokio::test]
async fn aircalls_events_look_like_the_fixtures_and_hold_the_token() {
    let stage = Stage::set().await;
    for (outcome, file) in [
        ("answered", "call_ended_answered"),
        ("missed", "call_ended_agents_did_not_answer"),
        ("abandoned", "call_ended_short_abandoned"),
        ("voicemail", "call_ended_voicemail"),
        ("after_hours", "call_ended_out_of_opening_hours"),
    ] {
        let (_, received) = call(&stage, "aircall", outcome).await;
        let [hungup, ended] = received.as_slice() else {
            panic!("two events, not {}", received.len());
        };
        assert_eq!(ended.path, "/webhooks/aircall/tnt_a/con_aa");
        let (event, promised) = (ended.json(), fixture_json(&format!("telephony/aircall/{file}.json")));
        assert_eq!(shape(&event), shape(&promised), "{outcome}");
        for field in ["/event", "/token", "/data/missed_call_reason", "/data/raw_digits"] {
            assert_eq!(event.pointer(field), promised.pointer(field), "{outcome} {field}");
        }
        assert_eq!(hungup.json()["event"], "call.hungup");
        assert_eq!(hungup.json()["data"]["missed_call_reason"], Value::Null);
        assert_eq!(hungup.json()["data"]["id"], event["data"]["id"]);
    }
}

#[tokio::test]
async fn vonages_events_look_like_the_fixtures_and_are_signed() {
    let stage = Stage::set().await;
    for (outcome, expected) in [
        ("answered", &["ringing", "answered", "completed"][..]),
        ("missed", &["ringing", "unanswered"]),
        ("busy", &["ringing", "busy"]),
        ("abandoned", &["ringing", "cancelled"]),
        ("failed", &["ringing", "failed"]),
        ("timeout", &["ringing", "timeout"]),
    ] {
        let (placed, received) = call(&stage, "vonage", outcome).await;
        let statuses: Vec<_> = received.iter().map(|event| event.json()["status"].clone()).collect();
        assert_eq!(json!(statuses), json!(expected), "{outcome}");
        for event in received {
            assert_eq!(event.path, "/webhooks/vonage/tnt_a/con_va");
            let body = event.json();
            let promised = fixture_json(&format!(
                "telephony/vonage/{}.json",
                body["status"].as_str().unwrap_or_default()
            ));
            assert_eq!(shape(&body), shape(&promised), "{outcome}");
            assert_eq!((&body["from"], &body["to"]), (&promised["from"], &promised["to"]));
            assert_eq!(body["conversation_uuid"], placed["call_id"]);
            let header = event.header("authorization");
            let claims = header.split('.').nth(1).expect("a token has three parts");
            let claims: Value = serde_json::from_slice(&base64_url(claims)).expect("claims");
            let (iat, jti) = (
                claims["iat"].as_i64().expect("a time"),
                claims["jti"].as_str().expect("an id"),
            );
            let (key, application) = ("f1x7ure0", "00000000-0000-4000-8000-0000000000aa");
            let secret = "fixture-vonage-signature-secret-0000000001";
            let signed = signatures::vonage(secret, key, application, iat, jti, &event.body);
            assert_eq!(header, signed);
        }
    }
}

fn base64_url(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .expect("base64")
}

#[tokio::test]
async fn exotels_passthru_matches_fixtures_with_secret_in_url() {
    let stage = Stage::set().await;
    for (outcome, file) in [
        ("answered", "passthru_completed"),
        ("missed", "passthru_incomplete"),
        ("abandoned", "passthru_client_hangup"),
        ("voicemail", "passthru_voicemail"),
    ] {
        let (placed, received) = call(&stage, "exotel", outcome).await;
        let (path, query) = received[0].path.split_once('?').expect("a query");
        assert_eq!(received[0].method, "GET");
        assert_eq!(
            path,
            "/webhooks/exotel/tnt_a/con_xa/passthru/fixture-exotel-url-secret-01"
        );
        let promised = fixture(&format!("telephony/exotel/{file}.txt"));
        // The called user, and the location of recordings, depend on the flow.
        let mut wanted = fields(&promised);
        wanted.retain(|name| !matches!(name.as_str(), "DialWhomNumber" | "RecordingUrl"));
        assert_eq!(fields(query), wanted, "{outcome}");
        let values =
            |text: &str| -> BTreeMap<String, String> { form_urlencoded::parse(text.as_bytes()).into_owned().collect() };
        let (said, promised) = (values(query), values(&promised));
        for field in [
            "CallFrom",
            "CallTo",
            "Direction",
            "EndTime",
            "CallType",
            "DialCallStatus",
        ] {
            assert_eq!(said.get(field), promised.get(field), "{outcome} {field}");
        }
        assert_eq!(json!(said["CallSid"]), placed["call_id"]);
    }
}

#[tokio::test]
async fn plivos_callback_looks_like_the_fixtures_and_is_signed() {
    let stage = Stage::set().await;
    for (outcome, file) in [
        ("answered", "hangup_completed"),
        ("missed", "hangup_no_answer"),
        ("busy", "hangup_busy"),
        ("failed", "hangup_failed"),
    ] {
        let (_, received) = call(&stage, "plivo", outcome).await;
        assert_eq!(received[0].path, "/webhooks/plivo/tnt_a/con_la/hangup");
        let promised = fixture(&format!("telephony/plivo/{file}.txt"));
        let body = std::str::from_utf8(&received[0].body).expect("text");
        assert_eq!(fields(body), fields(&promised), "{outcome}");
        let promised: BTreeMap<String, String> = form_urlencoded::parse(promised.as_bytes()).into_owned().collect();
        for field in [
            "CallStatus",
            "HangupCause",
            "HangupCauseCode",
            "From",
            "To",
            "Direction",
        ] {
            assert_eq!(
                received[0].field(field).as_ref(),
                promised.get(field),
                "{outcome} {field}"
            );
        }
        let url = format!("{}{}", stage.ringback.url, received[0].path);
        let nonce = received[0].header("x-plivo-signature-v3-nonce");
        let signed = signatures::plivo("fixture-plivo-auth-token-0001", &url, &received[0].form(), nonce);
        assert_eq!(received[0].header("x-plivo-signature-v3"), signed);
    }
}
