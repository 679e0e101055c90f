use std::collections::BTreeSet;

use serde_json::json;

use crate::ringback::Ringback;
use crate::support::{MAYA, Stage, template, until};

#[tokio::test]
async fn webhooks_are_redelivered_until_accepted() {
    let ringback = Ringback::answering(|_, before| (if before < 5 { 503 } else { 200 }, String::new())).await;
    let stage = Stage::opposite(ringback, json!({})).await;
    let call = json!({"tenant": "tnt_a", "from": MAYA, "outcome": "missed", "via": "telephony"});
    let placed = stage.post("/calls", call).await;
    assert_eq!(placed["events"][0]["status"], 200);
    let received = stage.ringback.received_requests();
    assert_eq!(received.len(), 6);
    let ids: BTreeSet<_> = received.iter().map(|again| again.header("webhook-id")).collect();
    assert_eq!(ids.len(), 1, "a redelivery is known by its id");
    let counts = stage.get("/deliveries").await;
    let counts = (
        &counts["delivered"],
        &counts["failed"],
        &counts["pending"],
        &counts["attempts"],
    );
    assert_eq!(counts, (&json!(1), &json!(0), &json!(0), &json!(6)));
}

/// Number of requests to a Ringback that answers like this, for URLs with this end; each request equals the first.
async fn asked_by_twilio(overrides: &str, answers: &'static [u16]) -> (usize, u64) {
    let ringback = Ringback::answering(|_, before| (answers[before.min(answers.len() - 1)], String::new())).await;
    let stage = Stage::opposite(ringback, json!({})).await;
    let mut tenant = crate::support::tenant_a();
    tenant["twilio"]["overrides"] = overrides.into();
    stage.post("/tenants", tenant).await;
    stage.maya_writes("tnt_a", "sms").await;
    let received = stage.ringback.at("/webhooks/twilio/");
    for again in &received {
        assert_eq!(
            again.path, "/webhooks/twilio/tnt_a/con_ta/inbound",
            "a fragment does not travel"
        );
        let url = format!("{}{}", stage.ringback.url, again.path);
        again.assert_signed_by_twilio(&url);
        let token = "i-twilio-idempotency-token";
        assert_eq!(again.header(token), received[0].header(token));
    }
    let failed = stage.get("/deliveries").await["failed"].as_u64();
    (received.len(), failed.unwrap_or_default())
}

#[tokio::test]
async fn twilio_retries_only_as_its_urls_say() {
    for (overrides, answers, expected) in [
        ("", &[503, 200][..], (1, 1)),
        ("#rp=5xx", &[503, 503, 503], (2, 1)),
        ("#rc=3&rp=all", &[503, 401, 429, 200], (4, 0)),
        ("#rc=3&rp=all", &[503], (4, 1)),
        ("#rc=3&rp=ct,rt,5xx", &[503, 401, 200], (2, 1)),
        ("#rc=9&rp=all", &[503, 200], (1, 1)),
        ("#rc=0&rp=all", &[503, 200], (1, 1)),
    ] {
        assert_eq!(
            asked_by_twilio(overrides, answers).await,
            expected,
            "{overrides} {answers:?}"
        );
    }
}

#[tokio::test]
async fn undeliverable_webhook_is_given_up_and_counted() {
    let ringback = Ringback::answering(|_, _| (401, "secret reason".to_owned())).await;
    let delivery = json!({"attempts": 4, "first_backoff_ms": 1, "max_backoff_ms": 2});
    let stage = Stage::opposite(ringback, json!({"delivery": delivery})).await;
    let call = json!({"tenant": "tnt_a", "from": MAYA, "outcome": "missed", "via": "telephony"});
    assert_eq!(stage.post("/calls", call).await["events"][0]["status"], 401);
    assert_eq!(stage.ringback.received_requests().len(), 4);
    let counts = stage.get("/deliveries").await;
    assert_eq!(
        (&counts["failed"], &counts["failures"][0]["attempts"]),
        (&json!(1), &json!(4))
    );
    assert_eq!(stage.get("/idle").await["idle"], true);
}

#[tokio::test]
async fn a_generic_event_found_unreadable_is_not_sent_again() {
    let stage = Stage::opposite(Ringback::answering(|_, _| (422, String::new())).await, json!({})).await;
    let call = json!({"tenant": "tnt_a", "from": MAYA, "outcome": "missed", "via": "telephony"});
    assert_eq!(stage.post("/calls", call).await["events"][0]["status"], 422);
    assert_eq!(stage.ringback.received_requests().len(), 1);
}

#[tokio::test]
async fn the_page_and_its_parts_are_served_and_phones_change_live() {
    let stage = Stage::set().await;
    for (path, kind) in [
        ("/", "text/html"),
        ("/page.css", "text/css"),
        ("/page.js", "text/javascript"),
        ("/favicon.svg", "image/svg"),
    ] {
        let answer = stage.http.get(stage.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert!(
            answer.headers()["content-type"].to_str().unwrap().starts_with(kind),
            "{path}"
        );
    }
    let mut events = stage.http.get(stage.url("/events")).send().await.unwrap();
    stage.send_whatsapp(&template(MAYA, "k")).await;
    let chunk = events.chunk().await.unwrap().unwrap();
    assert_eq!(
        String::from_utf8(chunk.to_vec()).unwrap().trim(),
        format!("event: changed\ndata: {MAYA}")
    );
    stage.wait_until_idle().await;
    let phone = stage.get(&format!("/phones/{MAYA}")).await;
    let item = &phone["chats"][0]["whatsapp"][0];
    assert_eq!(
        (&item["kind"], &item["text"], &item["status"]),
        (&json!("out"), &json!("Hello World"), &json!("read"))
    );
    assert_eq!(stage.get("/phones").await[0]["number"], MAYA);
    let shown = stage.get("/tenants").await.to_string();
    assert!(
        !shown.contains("token") && !shown.contains("secret"),
        "no secret leaves: {shown}"
    );
}

#[tokio::test]
async fn stopping_releases_held_requests() {
    let stage = Stage::set().await;
    stage
        .faults(json!([{"kind": "timeout_before", "seconds": 600, "times": 1}]))
        .await;
    let held = stage
        .http
        .post(stage.url("/v26.0/910000000000001/messages"))
        .bearer_auth("token-a");
    let held = tokio::spawn(held.json(&template(MAYA, "k")).send());
    let _open_page = stage.http.get(stage.url("/events")).send().await.unwrap();
    until("the request is held", async || {
        stage.get("/faults").await[0]["times"] == 0
    })
    .await;
    tokio::time::timeout(std::time::Duration::from_secs(30), stage.simulators.stop())
        .await
        .expect("stopped");
    assert!(
        held.await
            .unwrap()
            .map_or(true, |answer| answer.status().is_server_error())
    );
}
