use std::os::unix::process::ExitStatusExt as _;

use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::support::{Answer, MAYA, Stage, assert_answer, fixture_json, send_for_json, shape, template};

const SMS: &str = "+15005550006";
const TOM: &str = "+447700900222";

async fn statuses(stage: &Stage, to: &str) -> Vec<Value> {
    let sent = stage.outbox(&format!("?to={to}")).await;
    let statuses = sent[0]["statuses"].as_array().expect("statuses").iter();
    statuses.map(|status| status["status"].clone()).collect()
}

async fn sms(stage: &Stage, to: &str) -> Answer {
    let callback = stage.callback("con.msg.1");
    let form = [
        ("To", to),
        ("From", SMS),
        ("Body", "hello"),
        ("StatusCallback", &callback),
    ];
    stage.twilio(&form).await
}

#[tokio::test]
async fn missing_whatsapp_is_reported_by_a_failed_status() {
    for kind in ["not_on_whatsapp", "blocked"] {
        let stage = Stage::set().await;
        stage.faults(json!([{"kind": kind, "number": MAYA}])).await;
        let (status, _) = stage.send_whatsapp(&template(MAYA, "con.msg.1")).await;
        assert_eq!(status, 200, "accepted all the same");
        stage.send_whatsapp(&template(TOM, "con.msg.2")).await;
        stage.wait_until_idle().await;
        assert_eq!(statuses(&stage, MAYA).await, ["failed"]);
        let others = statuses(&stage, TOM).await;
        assert_eq!(others, ["sent", "delivered", "read"], "others are not touched");
        let failed = stage
            .ringback
            .received_requests()
            .into_iter()
            .map(|webhook| webhook.json());
        let failed: Vec<_> = failed
            .filter(|event| event.pointer("/entry/0/changes/0/value/statuses/0/errors").is_some())
            .collect();
        let mut promised = fixture_json("whatsapp/status/failed_131026_no_contacts_no_bsuid.json");
        promised["entry"][0]["changes"][0]["value"]["statuses"][0]["biz_opaque_callback_data"] = json!("con.msg.1");
        assert_eq!(shape(&failed[0]), shape(&promised));
        let status = &failed[0]["entry"][0]["changes"][0]["value"]["statuses"][0];
        assert_eq!(status["errors"][0]["code"], 131026);
        let sent = stage.outbox(&format!("?to={MAYA}")).await;
        assert_eq!(sent[0]["statuses"][0]["code"], 131026);
    }
}

#[tokio::test]
async fn answers_can_be_errors_of_the_fixtures() {
    let stage = Stage::set().await;
    for (kind, status, graph, twilio) in [
        ("throttled", 429, "130429_throughput", "20429_too_many_requests"),
        ("bad_credentials", 401, "190_token_expired", "20003_bad_credentials"),
    ] {
        stage.faults(json!([{"kind": kind}])).await;
        let answer = stage.send_whatsapp(&template(MAYA, "k")).await;
        let name = format!("whatsapp/send/response/{status}_error_{graph}");
        assert_answer(&answer, status, &name);
        let name = format!("twilio/send/response/{status}_error_{twilio}");
        assert_answer(&sms(&stage, MAYA).await, status, &name);
    }
    stage.faults(json!([{"kind": "server_error"}])).await;
    for _ in 0..20 {
        assert!(stage.send_whatsapp(&template(MAYA, "k")).await.0 >= 500);
        assert!(sms(&stage, MAYA).await.0 >= 500);
    }
    assert!(stage.outbox("").await.is_empty(), "none of these was accepted");
    stage.faults(json!([{"kind": "server_error_after"}])).await;
    assert!(stage.send_whatsapp(&template(MAYA, "k")).await.0 >= 500);
    assert_eq!(stage.outbox("").await.len(), 1, "accepted all the same");
}

#[tokio::test]
async fn rules_match_api_tenant_and_number_and_are_used_up() {
    let stage = Stage::set().await;
    stage
        .faults(json!([{"kind": "throttled", "api": "graph", "times": 2}]))
        .await;
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(stage.send_whatsapp(&template(MAYA, "k")).await.0);
    }
    assert_eq!(answers, [429, 429, 200]);
    assert_eq!(sms(&stage, MAYA).await.0, 201);
    stage.faults(json!([{"kind": "throttled", "tenant": "tnt_b"}])).await;
    assert_eq!(stage.send_whatsapp(&template(MAYA, "k")).await.0, 200);
    let rule = json!({"kind": "throttled", "number": MAYA});
    let added = stage.post("/faults", rule).await;
    assert_eq!(stage.send_whatsapp(&template(MAYA, "k")).await.0, 429);
    assert_eq!(stage.send_whatsapp(&template(TOM, "k")).await.0, 200);
    let removed = stage.http.delete(stage.url(&format!("/faults/{}", added["id"])));
    assert_eq!(send_for_json(removed).await.0, 204);
    assert_eq!(stage.send_whatsapp(&template(MAYA, "k")).await.0, 200);
}

#[tokio::test]
async fn the_same_seed_throws_the_same_dice() {
    let throws = async |seed: u64| {
        let stage = Stage::with(json!({"seed": seed})).await;
        stage.faults(json!([{"kind": "throttled", "probability": 0.5}])).await;
        let mut answers = Vec::new();
        for _ in 0..40 {
            answers.push(stage.send_whatsapp(&template(MAYA, "k")).await.0);
        }
        answers
    };
    let first = throws(7).await;
    assert_eq!(first, throws(7).await);
    assert_ne!(first, throws(8).await);
    assert!(first.contains(&200) && first.contains(&429));
}

#[tokio::test]
async fn webhooks_come_three_times_or_out_of_order() {
    let stage = Stage::set().await;
    stage.faults(json!([{"kind": "duplicate_webhooks"}])).await;
    stage.send_whatsapp(&template(MAYA, "k")).await;
    stage.wait_until_idle().await;
    for status in ["sent", "delivered", "read"] {
        assert_eq!(stage.ringback.statuses().iter().filter(|got| *got == status).count(), 3);
    }
    stage
        .reply(json!({"text": "hello", "channel": "sms", "wait": false}))
        .await;
    stage.wait_until_idle().await;
    assert_eq!(stage.ringback.at("/inbound").len(), 3);

    stage.faults(json!([{"kind": "reordered_webhooks"}])).await;
    let before = stage.ringback.statuses().len();
    stage.send_whatsapp(&template(TOM, "k")).await;
    stage.wait_until_idle().await;
    let order = stage.ringback.statuses()[before..].to_vec();
    assert_eq!(order.len(), 3);
    assert_ne!(order, ["sent", "delivered", "read"]);
    let happened = statuses(&stage, TOM).await;
    assert_eq!(happened, ["sent", "delivered", "read"], "it happened in order");
}

/// A process in the role of a function to be killed.
fn victim() -> Child {
    Command::new("sleep")
        .arg("600")
        .kill_on_drop(true)
        .spawn()
        .expect("starting sleep")
}

async fn send_as(stage: &Stage, process: &Child, key: &str) -> u16 {
    let agent = format!("ringback/0.1.0 (pid {})", process.id().expect("a running process"));
    let request = stage.meta("POST", "910000000000001/messages");
    let request = request.header("user-agent", agent);
    send_for_json(request.json(&template(MAYA, key))).await.0
}

#[tokio::test]
async fn caller_is_killed_around_acceptance_at_most_twice() {
    for (kind, accepted) in [("kill_before", 1), ("kill_after", 3)] {
        let stage = Stage::set().await;
        stage.faults(json!([{"kind": kind}])).await;
        for attempt in 1..=2 {
            let mut process = victim();
            send_as(&stage, &process, &format!("con.msg.{attempt}")).await;
            let ended = process.wait().await.unwrap();
            assert_eq!(ended.signal(), Some(9), "{kind}, attempt {attempt}");
        }
        let mut process = victim();
        let third = send_as(&stage, &process, "con.msg.3").await;
        assert_eq!(third, 200, "the third attempt gets through");
        assert!(process.try_wait().unwrap().is_none(), "and its process lives");
        assert_eq!(stage.outbox("").await.len(), accepted, "{kind}");
        let (status, _) = stage.send_whatsapp(&template(MAYA, "con.other.1")).await;
        assert_eq!(status, 200, "no pid, no kill");
        let mut process = victim();
        send_as(&stage, &process, "con.third.1").await;
        let signal = process.wait().await.unwrap().signal();
        assert_eq!(signal, Some(9), "another message counts anew");
    }
}
