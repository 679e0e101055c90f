//! Twilio's message webhooks, in process against the emulator's table and queues.

use jobs::{EventSource, Payload, ProviderEvent};
use kit::QueueName;
use providers::twilio::signature::sign;
use testkit::{
    Aws, Call, Function, Seeded, fixtures,
    seed::{self, TWILIO_TOKEN},
};
use twilio_message_webhook::routes;

const BASE: &str = "https://hooks.example.test";

fn path(tenant: &Seeded, what: &str) -> String {
    format!("/webhooks/twilio/{}/{}/{what}", tenant.tenant(), tenant.twilio)
}

fn signed(path: &str, form: &[u8]) -> Call {
    Call::form(path, form).header(
        "x-twilio-signature",
        &sign(TWILIO_TOKEN, &format!("{BASE}{path}"), form),
    )
}

async fn world() -> (Aws, Seeded, Function) {
    let aws = Aws::new().await;
    let tenant = seed::tenant(&aws).await;
    let function = Function::new(&aws.env_with(&[("PUBLIC_BASE_URL", BASE)]), routes);
    (aws, tenant, function)
}

async fn only_event(aws: &Aws) -> ProviderEvent {
    let jobs = aws.drain(QueueName::ProviderEvents).await;
    let [job] = &jobs[..] else { panic!("{jobs:?}") };
    serde_json::from_value(job.clone()).expect("it is a job of this queue")
}

#[tokio::test]
async fn every_reply_and_status_is_queued_as_it_came() {
    let (aws, tenant, function) = world().await;
    for name in [fixtures::names("twilio/sms"), fixtures::names("twilio/whatsapp")].concat() {
        let inbound = name.contains("/inbound");
        // The sender of the fixtures' WhatsApp messages is the sandbox's or the account's number.
        let form = fixtures::text(&name);
        let what = if inbound { "inbound" } else { "message-status?key=a.b.1" };
        let answer = function.call(&signed(&path(&tenant, what), form.as_bytes())).await;
        assert_eq!(
            (answer.status(), answer.header("content-type")),
            (200, "text/xml"),
            "{name}"
        );
        assert!(answer.text().contains("<Response></Response>"));
        let event = only_event(&aws).await;
        assert_eq!(event.payload, Payload::Inline(form), "{name}");
        let expected = if inbound {
            EventSource::TwilioInbound
        } else {
            EventSource::TwilioStatus {
                key: Some("a.b.1".to_owned()),
            }
        };
        assert_eq!((event.source, event.connection), (expected, tenant.twilio));
        assert_eq!((event.tenant, event.received_at), (tenant.tenant(), aws.clock().now()));
    }
}

#[tokio::test]
async fn an_unproven_webhook_is_refused_and_leaves_nothing() {
    let (aws, tenant, function) = world().await;
    let form = fixtures::bytes("twilio/sms/inbound_text.txt");
    let good = path(&tenant, "inbound");
    let status = path(&tenant, "message-status?key=a.b.1");
    let signature = sign(
        TWILIO_TOKEN,
        &format!("{BASE}{}", path(&tenant, "message-status")),
        &form,
    );
    let calls = [
        ("no signature", Call::form(&good, &form)),
        (
            "malformed",
            Call::form(&good, &form).header("x-twilio-signature", "???"),
        ),
        (
            "another token",
            Call::form(&good, &form).header("x-twilio-signature", &sign("x", &good, &form)),
        ),
        (
            "a key that was added",
            Call::form(&status, &form).header("x-twilio-signature", &signature),
        ),
        ("changed", signed(&good, &form).body_base64(b"Body=hi")),
        ("unknown", signed("/webhooks/twilio/tnt_1/conn_1/inbound", &form)),
        (
            "another kind",
            signed(
                &good.replace(&tenant.twilio.to_string(), &tenant.whatsapp.to_string()),
                &form,
            ),
        ),
    ];
    let rows = aws.row_count().await;
    let expected = function.call(&calls[0].1).await.json();
    for (why, call) in &calls {
        let answer = function.call(call).await;
        assert_eq!((answer.status(), answer.json()), (401, expected.clone()), "{why}");
    }
    assert!(aws.drain(QueueName::ProviderEvents).await.is_empty());
    assert!(aws.objects("").await.is_empty());
    assert_eq!(aws.row_count().await, rows);
}

#[tokio::test]
async fn what_names_no_message_is_kept() {
    let (aws, tenant, function) = world().await;
    let forms: [&[u8]; 2] = [b"MessageStatus=sent", b"\xff\xfe=MessageSid"];
    for form in forms {
        assert_eq!(
            function
                .call(&signed(&path(&tenant, "message-status"), form))
                .await
                .status(),
            200
        );
    }
    let mut kept: Vec<_> = aws.objects("raw/unreadable/twilio/").await.into_values().collect();
    kept.sort();
    assert_eq!(kept, forms);
    assert!(aws.drain(QueueName::ProviderEvents).await.is_empty());
}

#[tokio::test]
async fn a_message_to_somebody_elses_number_or_account_is_ignored() {
    let (aws, tenant, function) = world().await;
    let text = fixtures::text("twilio/sms/inbound_text.txt");
    let forms = [
        text.replace("To=%2B15005550006", "To=%2B15005550009"),
        text.replace(
            "AC000000000000000000000000000000a1",
            "AC000000000000000000000000000000b2",
        ),
    ];
    for form in forms {
        assert_ne!(form, text);
        assert_eq!(
            function
                .call(&signed(&path(&tenant, "inbound"), form.as_bytes()))
                .await
                .status(),
            200
        );
    }
    assert!(aws.drain(QueueName::ProviderEvents).await.is_empty());
}

#[tokio::test]
async fn what_is_too_large_for_the_queue_travels_by_the_bucket() {
    let (aws, tenant, function) = world().await;
    let form = format!(
        "{}&Extra={}",
        fixtures::text("twilio/sms/inbound_text.txt"),
        "x".repeat(300_000)
    );
    assert_eq!(
        function
            .call(&signed(&path(&tenant, "inbound"), form.as_bytes()))
            .await
            .status(),
        200
    );
    let Payload::Stored(key) = only_event(&aws).await.payload else {
        panic!("it is not stored");
    };
    assert_eq!(aws.objects("raw/large/").await.get(&key), Some(&form.into_bytes()));
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let (_aws, tenant, function) = world().await;
    let path = path(&tenant, "inbound");
    assert_eq!(
        function
            .call(&signed(&path, &vec![b'a'; 3 * 1024 * 1024 + 1]))
            .await
            .status(),
        413
    );
    assert_eq!(function.call(&Call::get(&path)).await.header("allow"), "POST");
    assert_eq!(function.call(&Call::json(&path, "{}")).await.status(), 415);
}
