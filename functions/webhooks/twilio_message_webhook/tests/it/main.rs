//! Twilio's message webhooks, in process against the emulator's table and queues.

use jobs::{EventSource, Payload, ProviderEvent};
use kit::QueueName;
use providers::twilio::signature::sign;
use testkit::seed::TWILIO_TOKEN;
use testkit::webhook::{Webhook, World, too_large};
use testkit::{Call, fixtures};
use twilio_message_webhook::routes;

const BASE: &str = "https://hooks.example.test";
const SIGNATURE: &str = "x-twilio-signature";
const TEXT: &str = "twilio/sms/inbound_text.txt";

async fn world() -> World {
    let twilio = Webhook::new("twilio", routes).with_variables(&[("PUBLIC_BASE_URL", BASE)]);
    twilio.with_seeded(|tenant| tenant.twilio).await
}

fn signed_at(path: &str, form: &[u8]) -> Call {
    Call::form(path, form).header(SIGNATURE, &sign(TWILIO_TOKEN, &format!("{BASE}{path}"), form))
}

/// A signed request of Twilio to `inbound` or `message-status` of the connection.
fn signed_request(world: &World, what: &str, form: impl AsRef<[u8]>) -> Call {
    signed_at(&format!("{}/{what}", world.path()), form.as_ref())
}

async fn only_event(world: &World) -> ProviderEvent {
    let mut events = world.aws.take_jobs(QueueName::ProviderEvents).await;
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

#[tokio::test]
async fn every_reply_and_status_is_queued_as_it_came() {
    let world = world().await;
    for name in [fixtures::names("twilio/sms"), fixtures::names("twilio/whatsapp")].concat() {
        let inbound = name.contains("/inbound");
        // The sender of the fixtures' WhatsApp messages is the sandbox's or the account's number.
        let form = fixtures::text(&name);
        let what = if inbound { "inbound" } else { "message-status?key=a.b.1" };
        let answer = world.call(&signed_request(&world, what, &form)).await;
        assert_eq!(
            (answer.status(), answer.header("content-type")),
            (200, "text/xml"),
            "{name}"
        );
        assert!(answer.text().contains("<Response></Response>"));
        let event = only_event(&world).await;
        assert_eq!(event.payload, Payload::Inline(form), "{name}");
        let expected = if inbound {
            EventSource::TwilioInbound
        } else {
            EventSource::TwilioStatus {
                key: Some("a.b.1".to_owned()),
            }
        };
        assert_eq!((event.source, event.connection), (expected, world.connection));
        assert_eq!(
            (event.tenant, event.received_at),
            (world.tenant.tenant(), world.aws.now())
        );
    }
}

#[tokio::test]
async fn unauthenticated_webhook_is_refused_without_a_trace() {
    let world = world().await;
    let form = fixtures::bytes(TEXT);
    let path = format!("{}/inbound", world.path());
    let with = |signature: &str| Call::form(&path, &form).header(SIGNATURE, signature);
    let status = format!("{}/message-status", world.path());
    let without_key = sign(TWILIO_TOKEN, &format!("{BASE}{status}"), &form);
    let calls = [
        ("no signature", Call::form(&path, &form)),
        ("malformed", with("???")),
        ("another token", with(&sign("x", &path, &form))),
        (
            "a key that was added",
            Call::form(&format!("{status}?key=a.b.1"), &form).header(SIGNATURE, &without_key),
        ),
        ("changed", signed_at(&path, &form).body_base64(b"Body=hi")),
    ];
    let at = |connection: &str| signed_at(&format!("{connection}/inbound"), &form);
    world.assert_refused(&calls, at).await;
}

#[tokio::test]
async fn webhook_without_a_message_is_stored() {
    let world = world().await;
    let forms: [&[u8]; 2] = [b"MessageStatus=sent", b"\xff\xfe=MessageSid"];
    let calls = forms.map(|form| (signed_request(&world, "message-status", form), form));
    world.assert_kept(&calls).await;
}

#[tokio::test]
async fn a_message_to_somebody_elses_number_or_account_is_ignored() {
    let world = world().await;
    let text = fixtures::text(TEXT);
    let forms = [
        text.replace("To=%2B15005550006", "To=%2B15005550009"),
        text.replace(
            "AC000000000000000000000000000000a1",
            "AC000000000000000000000000000000b2",
        ),
    ];
    for form in forms {
        assert_ne!(form, text);
        world.assert_ignored(&signed_request(&world, "inbound", form)).await;
    }
}

#[tokio::test]
async fn too_large_message_is_queued_through_the_bucket() {
    let world = world().await;
    let form = format!("{}&Extra={}", fixtures::text(TEXT), "x".repeat(300_000));
    assert_eq!(world.status(&signed_request(&world, "inbound", &form)).await, 200);
    let Payload::Stored(key) = only_event(&world).await.payload else {
        panic!("it is not stored");
    };
    let objects = world.aws.objects("raw/large/").await;
    assert_eq!(objects.get(&key), Some(&form.into_bytes()));
}

#[tokio::test]
async fn refused_job_is_spilled() {
    let world = world().await;
    let inbound = signed_request(&world, "inbound", fixtures::text(TEXT));
    world.assert_spilled(&inbound, QueueName::ProviderEvents).await;
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let world = world().await;
    let (large, path) = (
        signed_request(&world, "inbound", too_large()),
        format!("{}/inbound", world.path()),
    );
    let (get, json) = (Call::get(&path), Call::json(&path, "{}"));
    world.assert_size_method_and_type_are_checked(&large, &get, &json).await;
}

/// Statuses never delay what customers write.
#[tokio::test]
async fn statuses_and_replies_have_groups_of_their_own() {
    let world = world().await;
    let tenant = world.tenant.tenant();
    for (what, group) in [("inbound", "inbound"), ("message-status?key=a.b.1", "status")] {
        let name = if group == "inbound" {
            TEXT.to_owned()
        } else {
            a_status()
        };
        world
            .call(&signed_request(&world, what, fixtures::bytes(&name)))
            .await
            .is(200);
        let jobs = world.aws.drain_with_groups(QueueName::ProviderEvents).await;
        assert_eq!(jobs.len(), 1);
        assert_eq!(jobs[0].0, format!("{tenant}#{group}"));
    }
}

fn a_status() -> String {
    let names = fixtures::names("twilio/sms").into_iter();
    let mut statuses = names.filter(|name| !name.contains("/inbound"));
    statuses.next().expect("a status")
}
