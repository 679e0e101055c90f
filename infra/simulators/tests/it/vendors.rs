//! Telephone systems with their own adapters: their events match the fixtures and are authenticated as by each vendor.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use simulators::signatures;

use crate::ringback::Received;
use crate::support::{MAYA, Stage, fields, fixture, fixture_json, parsed, shape};

async fn call(stage: &Stage, via: &str, outcome: &str) -> (Value, Vec<Received>) {
    let before = stage.ringback.received().len();
    let call = json!({"tenant": "tnt_a", "from": MAYA, "outcome": outcome, "via": via});
    let placed = stage.post("/calls", call).await;
    let received = stage.ringback.received().split_off(before);
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

#[tokio::test]
async fn repeated_and_shuffled_events_are_of_one_call() {
    let stage = Stage::set().await;
    let call = json!({
        "tenant": "tnt_a", "from": null, "outcome": "answered", "via": "vonage", "repeat": 3, "shuffle": true,
    });
    stage.post("/calls", call).await;
    let received = stage.ringback.received();
    assert_eq!(received.len(), 9);
    let ids: std::collections::BTreeSet<_> = received
        .iter()
        .map(|event| event.json()["conversation_uuid"].to_string())
        .collect();
    assert_eq!(ids.len(), 1);
    assert!(received.iter().all(|event| event.json()["from"] == "anonymous"));
}

#[tokio::test]
async fn impossible_outcome_of_a_vendor_is_refused() {
    let stage = Stage::set().await;
    for (tenant, via, outcome, status) in [
        ("tnt_a", "aircall", "busy", 400),
        ("tnt_a", "vonage", "voicemail", 400),
        ("tnt_a", "exotel", "after_hours", 400),
        ("tnt_a", "plivo", "voicemail", 400),
        ("tnt_b", "aircall", "missed", 404),
        ("tnt_a", "acme", "missed", 422),
    ] {
        let call = json!({"tenant": tenant, "from": MAYA, "outcome": outcome, "via": via});
        let answer = stage.http.post(stage.url("/calls")).json(&call).send().await.unwrap();
        assert_eq!(answer.status(), status, "{call}");
    }
    assert!(stage.ringback.received().is_empty());
}

/// The APIs: requests, credentials, and refusals.
const APIS: [(&str, &str, [&str; 2], u16, &str); 5] = [
    (
        "aircall",
        "/v1/ping",
        ["aircall-id-a", "aircall-secret-a"],
        403,
        "/troubleshoot",
    ),
    (
        "aircall",
        "/v1/numbers?per_page=50",
        ["aircall-id-a", "aircall-secret-a"],
        403,
        "/troubleshoot",
    ),
    (
        "vonage",
        "/account/get-balance",
        ["f1x7ure0", "vonage-secret-a"],
        401,
        "/error-code-label",
    ),
    (
        "exotel",
        "/v1/Accounts/fixture1/Calls.json?PageSize=1",
        ["exotel-key-a", "exotel-secret-a"],
        401,
        "/RestException/Message",
    ),
    (
        "plivo",
        "/v1/Account/MAFIXTURE0/",
        ["MAFIXTURE0", "fixture-plivo-auth-token-0001"],
        401,
        "/error",
    ),
];

async fn ask(stage: &Stage, path: &str, user: &str, password: &str) -> (u16, Value) {
    let request = stage.http.get(stage.url(path));
    parsed(request.basic_auth(user, Some(password))).await
}

#[tokio::test]
async fn vendor_apis_require_the_accounts_credentials() {
    let stage = Stage::set().await;
    for (api, path, [user, password], refused, why) in APIS {
        let (status, body) = ask(&stage, path, user, password).await;
        assert_eq!(status, 200, "{api} {path}: {body}");
        for (user, password) in [(user, "wrong"), ("wrong", password), (user, ""), ("", "")] {
            let (status, body) = ask(&stage, path, user, password).await;
            assert_eq!(status, refused, "{api} {path}: {body}");
            assert!(body.pointer(why).is_some_and(Value::is_string), "{api}: {body}");
        }
        assert_eq!(parsed(stage.http.get(stage.url(path))).await.0, refused, "{api}");
        for (kind, status) in [("bad_credentials", refused), ("throttled", 429), ("server_error", 500)] {
            stage.faults(json!([{"kind": kind, "api": api}])).await;
            let (answered, body) = ask(&stage, path, user, password).await;
            assert_eq!(answered, status, "{api} {kind}");
            assert!(body.pointer(why).is_some(), "{api} {kind}: {body}");
            stage.faults(json!([])).await;
        }
    }
    let [user, password] = APIS[0].2;
    assert_eq!(ask(&stage, "/v1/ping", user, password).await.1, json!({"ping": "pong"}));
    let (_, page) = ask(&stage, "/v1/numbers", user, password).await;
    assert_eq!(page["numbers"][0]["digits"], "+44 2079 460001");
    assert_eq!(page["meta"]["next_page_link"], Value::Null);
    for (path, [user, password]) in [
        ("/v1/Accounts/fixture2/Calls.json", APIS[3].2),
        ("/v1/Account/MAFIXTURE1/", APIS[4].2),
    ] {
        assert_eq!(ask(&stage, path, user, password).await.0, 404, "{path}");
    }
}
