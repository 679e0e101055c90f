//! Twilio's voice webhooks, in process against the emulator's table and queues.

use domain::{
    call::{DialStatus, Handling},
    connection::{SharedKey, VerifySecrets},
    tenant::BusinessHours,
};
use jiff::SignedDuration;
use jobs::CallJob;
use kit::QueueName;
use providers::twilio::signature::sign;
use serde_json::{Value, json};
use testkit::{
    Answer, Aws, Call, Function, Seeded, fixtures,
    request::DOMAIN,
    seed::{self, TWILIO_TOKEN},
};
use twilio_voice_webhook::routes;

const BASE: &str = "https://hooks.example.test";

fn path(tenant: &Seeded, what: &str) -> String {
    format!("/webhooks/twilio/{}/{}/{what}", tenant.tenant(), tenant.twilio)
}

/// A callback as Twilio sends it, signed for `base`.
fn signed_for(base: &str, path: &str, form: &[u8]) -> Call {
    Call::form(path, form).header(
        "x-twilio-signature",
        &sign(TWILIO_TOKEN, &format!("{base}{path}"), form),
    )
}

fn signed(tenant: &Seeded, what: &str, fixture: &str) -> Call {
    signed_for(
        BASE,
        &path(tenant, what),
        &fixtures::bytes(&format!("twilio/voice/{fixture}.txt")),
    )
}

async fn world() -> (Aws, Seeded, Function) {
    let aws = Aws::new().await;
    let tenant = seed::tenant(&aws).await;
    let function = Function::new(&aws.env_with(&[("PUBLIC_BASE_URL", BASE)]), routes);
    (aws, tenant, function)
}

fn event(job: Value) -> domain::call::CallEvent {
    match serde_json::from_value(job).expect("it is a job of this queue") {
        CallJob::Reported { event, .. } => event,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_twiml(answer: &Answer, part: &str) {
    assert_eq!(
        (answer.status(), answer.header("content-type")),
        (200, "text/xml"),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains(part), "{}", answer.text());
}

const EMPTY: &str = "<Response></Response>";

#[tokio::test]
async fn a_ringing_call_is_forwarded_and_queued() {
    let (aws, tenant, function) = world().await;
    let call = signed(&tenant, "voice", "inbound_ringing").header("x-correlation-id", "abc-1");
    let answer = function.call(&call).await;
    assert_twiml(
        &answer,
        r#"<Say language="en-GB">Thank you for calling.</Say><Dial timeout="20" action=""#,
    );
    assert!(
        answer
            .text()
            .contains(&format!("{BASE}{}", path(&tenant, "dial-result"))),
        "{}",
        answer.text()
    );
    assert_eq!(answer.header("x-correlation-id"), "abc-1");
    let jobs = aws.drain_with_groups(QueueName::Calls).await;
    let [(group, job)] = &jobs[..] else { panic!("{jobs:?}") };
    assert_eq!(*group, tenant.tenant().to_string());
    assert_eq!(
        (&job["type"], &job["correlation_id"]),
        (&json!("reported"), &json!("abc-1"))
    );
    let event = event(job.clone());
    assert_eq!(
        (event.facts.handling, event.facts.closed),
        (Some(Handling::Forward), Some(false))
    );
    assert_eq!(
        (event.connection, event.received_at),
        (tenant.twilio, aws.clock().now())
    );
}

#[tokio::test]
async fn every_callback_is_queued_and_answered() {
    let (aws, tenant, function) = world().await;
    for (what, fixture, said) in [
        ("dial-result", "dial_action_no_answer", "<Record "),
        ("dial-result", "dial_action_completed", EMPTY),
        ("status", "status_completed_long", EMPTY),
        ("recording", "recording_status_voicemail", EMPTY),
    ] {
        let answer = function.call(&signed(&tenant, what, fixture)).await;
        assert_twiml(&answer, said);
        let jobs = aws.drain(QueueName::Calls).await;
        assert_eq!(jobs.len(), 1, "{fixture}");
        let event = event(jobs[0].clone());
        let dialled = match fixture {
            "dial_action_no_answer" => Some(DialStatus::NoAnswer),
            "dial_action_completed" => Some(DialStatus::Answered),
            _ => None,
        };
        assert_eq!(event.facts.dial, dialled);
    }
}

#[tokio::test]
async fn a_closed_business_is_noted_with_the_call() {
    let (aws, mut tenant, function) = world().await;
    tenant.configured.tenant.business_hours = Some(BusinessHours::default());
    tenant.write(&aws).await;
    function.call(&signed(&tenant, "voice", "inbound_ringing")).await;
    let jobs = aws.drain(QueueName::Calls).await;
    assert_eq!(event(jobs[0].clone()).facts.closed, Some(true));
}

#[tokio::test]
async fn without_a_configured_base_the_apis_own_domain_is_signed() {
    let (aws, tenant, _) = world().await;
    let function = Function::new(aws.env(), routes);
    let form = fixtures::bytes("twilio/voice/inbound_ringing.txt");
    let own = format!("https://{DOMAIN}");
    let answer = function.call(&signed_for(&own, &path(&tenant, "voice"), &form)).await;
    assert_twiml(&answer, &format!("{own}{}", path(&tenant, "dial-result")));
}

#[tokio::test]
async fn the_query_is_signed_as_it_came() {
    let (aws, tenant, function) = world().await;
    let form = fixtures::bytes("twilio/voice/status_busy.txt");
    let call = signed_for(
        BASE,
        &format!("{}?note=it's+a%20test&x=%C3%A9", path(&tenant, "status")),
        &form,
    );
    assert_twiml(&function.call(&call).await, EMPTY);
    assert_eq!(aws.drain(QueueName::Calls).await.len(), 1);
}

/// Everything that is not proven is answered alike, and leaves no trace.
#[tokio::test]
async fn an_unproven_webhook_is_refused_and_leaves_nothing() {
    let (aws, tenant, function) = world().await;
    let good = path(&tenant, "voice");
    let form = fixtures::bytes("twilio/voice/inbound_ringing.txt");
    let stranger = seed::tenant(&aws).await;
    let unknown_connection = good.replace(&tenant.twilio.to_string(), &stranger.twilio.to_string());
    let unknown_tenant = good.replace(&tenant.tenant().to_string(), &stranger.tenant().to_string());
    let wrong_kind = good.replace(&tenant.twilio.to_string(), &tenant.whatsapp.to_string());
    let not_ids = "/webhooks/twilio/acme/main/voice".to_owned();
    let upper = good.replace(
        &tenant.tenant().to_string(),
        &tenant.tenant().to_string().to_uppercase(),
    );
    let mut calls = vec![
        ("no signature", Call::form(&good, &form)),
        (
            "empty signature",
            Call::form(&good, &form).header("x-twilio-signature", ""),
        ),
        (
            "not base64",
            Call::form(&good, &form).header("x-twilio-signature", "!!!"),
        ),
        (
            "another token",
            Call::form(&good, &form).header("x-twilio-signature", &sign("other", &format!("{BASE}{good}"), &form)),
        ),
        (
            "changed body",
            signed_for(BASE, &good, &form).body_base64([&form[..], b"&Extra=1"].concat()),
        ),
        (
            "another path's",
            Call::form(&good, &form).header(
                "x-twilio-signature",
                &sign(TWILIO_TOKEN, &format!("{BASE}{}", path(&tenant, "status")), &form),
            ),
        ),
        ("another host", signed_for("https://evil.example.test", &good, &form)),
        (
            "unknown algorithm",
            signed_for(BASE, &good, &form).header("x-twilio-webhooks-signature-settings", "key=a,algorithm=HMAC_MD5"),
        ),
    ];
    for path in [unknown_connection, unknown_tenant, wrong_kind, not_ids, upper] {
        let call = signed_for(BASE, &path, &form);
        calls.push(("unknown, whatever it is signed with", call));
    }
    let rows = aws.row_count().await;
    let expected = function.call(&calls[0].1).await.json();
    assert_eq!(expected["type"], "urn:ringback:problem:unauthorized");
    for (why, call) in &calls {
        let answer = function.call(call).await;
        assert_eq!(answer.status(), 401, "{why}");
        assert_eq!(answer.json(), expected, "{why}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    assert_eq!(aws.drain(QueueName::Calls).await, Vec::<Value>::new());
    assert!(aws.objects("").await.is_empty());
    assert_eq!(aws.row_count().await, rows);
}

#[tokio::test]
async fn a_rotated_token_is_noticed_within_thirty_seconds() {
    let (aws, mut tenant, function) = world().await;
    let old = signed(&tenant, "voice", "inbound_ringing");
    assert_eq!(function.call(&old).await.status(), 200);
    let fresh = VerifySecrets::Twilio {
        auth_tokens: vec!["fixture0twilio0auth0token0000002".to_owned()],
        shared_keys: vec![SharedKey {
            id: "k".to_owned(),
            secret: "s".to_owned(),
        }],
    };
    let sealed = aws
        .secrets()
        .seal(
            tenant.tenant(),
            tenant.twilio,
            domain::connection::Purpose::Verify,
            &fresh,
        )
        .await
        .expect("sealed");
    let twilio = tenant.twilio;
    tenant.connection_mut(twilio).verify = sealed;
    tenant.write(&aws).await;
    let form = fixtures::bytes("twilio/voice/inbound_ringing.txt");
    let voice = path(&tenant, "voice");
    let signature = sign("fixture0twilio0auth0token0000002", &format!("{BASE}{voice}"), &form);
    let new = Call::form(&voice, &form).header("x-twilio-signature", &signature);
    assert_eq!(
        function.call(&new).await.status(),
        401,
        "remembered secrets are not re-read at once"
    );
    aws.clock().advance(SignedDuration::from_secs(30));
    assert_eq!(function.call(&new).await.status(), 200);
    assert_eq!(function.call(&old).await.status(), 401, "the old token is gone");
}

#[tokio::test]
async fn an_unknown_connection_is_remembered_for_a_minute() {
    let (aws, mut tenant, function) = world().await;
    let removed = tenant.configured.connections.remove(0);
    tenant.write(&aws).await;
    let call = signed(&tenant, "voice", "inbound_ringing");
    assert_eq!(function.call(&call).await.status(), 401);
    tenant.configured.connections.push(removed);
    tenant.write(&aws).await;
    aws.clock().advance(SignedDuration::from_secs(59));
    assert_eq!(function.call(&call).await.status(), 401);
    aws.clock().advance(SignedDuration::from_secs(1));
    assert_eq!(function.call(&call).await.status(), 200);
}

#[tokio::test]
async fn a_warm_webhook_reads_nothing() {
    let (aws, tenant, function) = world().await;
    let call = signed(&tenant, "voice", "inbound_ringing");
    assert_eq!(function.call(&call).await.status(), 200);
    let table = aws.env().config().text("TABLE_NAME").expect("a table").to_owned();
    aws.env()
        .dynamodb()
        .delete_table()
        .table_name(table)
        .send()
        .await
        .expect("deleted");
    assert_eq!(function.call(&call).await.status(), 200, "with no table at all");
    assert_eq!(aws.drain(QueueName::Calls).await.len(), 2);
}

#[tokio::test]
async fn a_call_is_answered_even_if_it_can_be_stored_nowhere() {
    let (aws, tenant, _) = world().await;
    let nowhere = "http://127.0.0.1:9/000000000000/none";
    let broken = [
        ("PUBLIC_BASE_URL", BASE),
        ("CALLS_QUEUE_URL", nowhere),
        ("RAW_BUCKET", "no-such-bucket"),
    ];
    let function = Function::new(&aws.env_with(&broken), routes);
    assert_twiml(
        &function.call(&signed(&tenant, "voice", "inbound_ringing")).await,
        "<Dial ",
    );
    for (what, fixture) in [
        ("dial-result", "dial_action_no_answer"),
        ("status", "status_busy"),
        ("recording", "recording_status_voicemail"),
    ] {
        let answer = function.call(&signed(&tenant, what, fixture)).await;
        assert_eq!(answer.status(), 503, "{what} is delivered again");
    }
}

#[tokio::test]
async fn what_the_queue_refuses_is_spilled() {
    let (aws, tenant, _) = world().await;
    let nowhere = "http://127.0.0.1:9/000000000000/none";
    let function = Function::new(
        &aws.env_with(&[("PUBLIC_BASE_URL", BASE), ("CALLS_QUEUE_URL", nowhere)]),
        routes,
    );
    assert_twiml(&function.call(&signed(&tenant, "status", "status_busy")).await, EMPTY);
    let spilled = aws.objects("spill/calls/").await;
    let job: Value = serde_json::from_slice(spilled.values().next().expect("one is spilled")).expect("JSON");
    assert_eq!(job["group"], tenant.tenant().to_string());
    let body: Value = serde_json::from_str(job["body"].as_str().expect("text")).expect("JSON");
    assert_eq!(body["type"], "reported");
}

#[tokio::test]
async fn a_caller_hears_something_even_if_the_table_is_out_of_reach() {
    let (aws, tenant, _) = world().await;
    let function = Function::new(
        &aws.env_with(&[("TABLE_NAME", "no-such-table"), ("PUBLIC_BASE_URL", BASE)]),
        routes,
    );
    assert_twiml(
        &function.call(&signed(&tenant, "voice", "inbound_ringing")).await,
        "<Say>",
    );
    assert_eq!(
        function.call(&signed(&tenant, "status", "status_busy")).await.status(),
        503
    );
}

#[tokio::test]
async fn a_signed_callback_that_names_no_call_is_kept() {
    let (aws, tenant, function) = world().await;
    let form = b"CallStatus=busy&From=%2B447700900111";
    let answer = function.call(&signed_for(BASE, &path(&tenant, "status"), form)).await;
    assert_twiml(&answer, EMPTY);
    let kept = aws.objects("raw/unreadable/twilio/").await;
    assert_eq!(kept.into_values().collect::<Vec<_>>(), [form.to_vec()]);
    assert!(aws.drain(QueueName::Calls).await.is_empty());
}

#[tokio::test]
async fn a_call_to_somebody_elses_number_or_account_is_ignored() {
    let (aws, tenant, function) = world().await;
    let text = fixtures::text("twilio/voice/inbound_ringing.txt");
    for form in [
        text.replace("To=%2B15005550006", "To=%2B15005550009")
            .replace("Called=%2B15005550006", "Called=%2B15005550009"),
        text.replace(
            "AC000000000000000000000000000000a1",
            "AC000000000000000000000000000000b2",
        ),
    ] {
        assert_ne!(form, text);
        assert_twiml(
            &function
                .call(&signed_for(BASE, &path(&tenant, "voice"), form.as_bytes()))
                .await,
            EMPTY,
        );
    }
    assert!(aws.drain(QueueName::Calls).await.is_empty());
    assert!(aws.objects("").await.is_empty());
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let (_aws, tenant, function) = world().await;
    let voice = path(&tenant, "voice");
    let huge = vec![b'a'; 3 * 1024 * 1024 + 1];
    assert_eq!(function.call(&signed_for(BASE, &voice, &huge)).await.status(), 413);
    let get = function.call(&Call::get(&voice)).await;
    assert_eq!((get.status(), get.header("allow")), (405, "POST"));
    assert_eq!(get.json()["type"], "urn:ringback:problem:method_not_allowed");
    assert_eq!(function.call(&Call::json(&voice, "{}")).await.status(), 415);
    assert_eq!(
        function
            .call(&Call::form("/webhooks/twilio/a/b/other", ""))
            .await
            .status(),
        404
    );
    assert_eq!(
        function
            .call(&Call::form("/webhooks/twilio/a b/\"/voice", ""))
            .await
            .status(),
        404
    );
}
