//! Vonage's voice events, in process against the emulator's table and queues.

use domain::{
    call::CallProvider,
    connection::{Account, VerifySecrets},
    ids::ConnectionId,
};
use jiff::{SignedDuration, Timestamp};
use jobs::CallJob;
use kit::QueueName;
use providers::vonage::sign;
use serde_json::Value;
use testkit::{Aws, Call, Function, Seeded, fixtures, seed};
use vonage_webhook::routes;

const SECRET: &str = "fixture-vonage-signature-secret-0000000001";
const API_KEY: &str = "f1x7ure0";
const APPLICATION: &str = "00000000-0000-4000-8000-0000000000aa";
const MISSED: &str = "telephony/vonage/unanswered.json";

struct World {
    aws: Aws,
    tenant: Seeded,
    vonage: ConnectionId,
    function: Function,
}

impl World {
    async fn new() -> Self {
        let aws = Aws::new().await;
        let mut tenant = seed::tenant(&aws).await;
        // While one secret replaces another, both are known.
        let verify = VerifySecrets::Vonage {
            signature_secrets: vec!["the-next-one".to_owned(), SECRET.to_owned()],
        };
        let account = Account::Vonage {
            api_key: API_KEY.to_owned(),
            application_id: Some(APPLICATION.to_owned()),
            lines: vec!["+442079460001".parse().expect("a number")],
        };
        let vonage = tenant.add(&aws, account, &verify).await;
        let function = Function::new(aws.env(), routes);
        Self {
            aws,
            tenant,
            vonage,
            function,
        }
    }

    fn path(&self) -> String {
        format!("/webhooks/vonage/{}/{}", self.tenant.tenant(), self.vonage)
    }

    fn now(&self) -> Timestamp {
        self.aws.clock().now()
    }

    fn signed(&self, body: impl AsRef<[u8]>) -> Call {
        let token = sign(SECRET, API_KEY, APPLICATION, self.now(), body.as_ref());
        Call::json(&self.path(), body).header("authorization", &token)
    }

    async fn status(&self, call: &Call) -> u16 {
        self.function.call(call).await.status()
    }

    async fn jobs(&self) -> Vec<CallJob> {
        let jobs = self.aws.drain(QueueName::Calls).await;
        jobs.into_iter()
            .map(|job| serde_json::from_value(job).expect("it is a job of this queue"))
            .collect()
    }

    async fn assert_nothing_is_left(&self) {
        assert!(self.jobs().await.is_empty());
        assert!(self.aws.objects("").await.is_empty());
    }
}

fn changed(field: &str, value: &str) -> String {
    let mut event = fixtures::json(MISSED);
    event[field] = value.into();
    event.to_string()
}

#[tokio::test]
async fn every_event_of_a_call_is_queued_under_its_conversation() {
    let world = World::new().await;
    for name in fixtures::names("telephony/vonage") {
        let answer = world.function.call(&world.signed(fixtures::bytes(&name))).await;
        // A body could be taken for a flow.
        assert_eq!((answer.status(), answer.text()), (200, ""), "{name}");
        let jobs = world.jobs().await;
        let [CallJob::Reported { tenant, event, .. }] = jobs.as_slice() else {
            panic!("{name}: {jobs:?}");
        };
        assert_eq!((*tenant, event.connection), (world.tenant.tenant(), world.vonage));
        assert_eq!(event.provider, CallProvider::Vonage);
        assert!(event.provider_call_id.starts_with("CON-"), "{name}");
    }
    assert!(world.aws.objects("").await.is_empty());
}

#[tokio::test]
async fn an_unproven_event_is_refused_and_leaves_nothing() {
    let world = World::new().await;
    let body = fixtures::bytes(MISSED);
    let (path, now) = (world.path(), world.now());
    let other = path.replace(&world.vonage.to_string(), &world.tenant.telephony.to_string());
    let late = SignedDuration::from_secs(301);
    let good = sign(SECRET, API_KEY, APPLICATION, now, &body);
    let with = |token: &str| Call::json(&path, &body).header("authorization", token);
    let mut calls = vec![
        ("nonsense", with("Bearer nonsense")),
        (
            "another secret",
            with(&sign("secret", API_KEY, APPLICATION, now, &body)),
        ),
        (
            "another account",
            with(&sign(SECRET, "00f1x000", APPLICATION, now, &body)),
        ),
        (
            "another application",
            with(&sign(SECRET, API_KEY, "another", now, &body)),
        ),
        ("stale", with(&sign(SECRET, API_KEY, APPLICATION, now - late, &body))),
        (
            "from the future",
            with(&sign(SECRET, API_KEY, APPLICATION, now + late, &body)),
        ),
        ("changed", world.signed(&body).body(changed("status", "completed"))),
        (
            "another kind of connection",
            Call::json(&other, &body).header("authorization", &good),
        ),
        (
            "unknown",
            Call::json("/webhooks/vonage/tnt_1/conn_1", &body).header("authorization", &good),
        ),
    ];
    let vectors = fixtures::json("vectors/vonage_signed_webhook_jwt.json");
    for vector in vectors["vectors"].as_array().expect("a list") {
        if vector["valid"] == Value::Bool(false) {
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            let call = Call::json(&path, text(&vector["body"]));
            let header = text(&vector["headers"]["Authorization"]);
            calls.push(("a vector", call.header("authorization", &header)));
        }
    }
    let rows = world.aws.row_count().await;
    let expected = world.function.call(&calls[0].1).await.json();
    for (why, call) in &calls {
        let answer = world.function.call(call).await;
        assert_eq!((answer.status(), answer.json()), (401, expected.clone()), "{why}");
    }
    world.assert_nothing_is_left().await;
    assert_eq!(world.aws.row_count().await, rows);
}

#[tokio::test]
async fn an_unsigned_event_is_asked_for_again() {
    let world = World::new().await;
    let body = fixtures::bytes(MISSED);
    for path in [world.path(), "/webhooks/vonage/tnt_1/conn_1".to_owned()] {
        let status = world.status(&Call::json(&path, &body)).await;
        assert_eq!(status, 503, "Vonage sends it again, then signed");
    }
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn a_line_that_is_not_the_connections_is_ignored() {
    let world = World::new().await;
    let mut leg = fixtures::json(MISSED);
    leg["direction"] = "outbound".into();
    leg["from"] = "442079460002".into();
    for event in [changed("to", "442079460002"), leg.to_string()] {
        assert_eq!(world.status(&world.signed(event)).await, 200);
        world.assert_nothing_is_left().await;
    }
    leg["from"] = "442079460001".into();
    assert_eq!(world.status(&world.signed(leg.to_string())).await, 200);
    assert_eq!(world.jobs().await.len(), 1);
}

#[tokio::test]
async fn an_event_that_names_no_call_is_kept_and_one_about_none_is_not() {
    let world = World::new().await;
    let recording = r#"{"recording_url":"https://api.example.test/1","conversation_uuid":"CON-1"}"#;
    assert_eq!(world.status(&world.signed(recording)).await, 200);
    world.assert_nothing_is_left().await;
    let body = changed("conversation_uuid", "a b");
    assert_eq!(world.status(&world.signed(&body)).await, 200);
    let kept = world.aws.objects("raw/unreadable/vonage/").await;
    assert_eq!(kept.into_values().collect::<Vec<_>>(), [body.into_bytes()]);
    assert!(world.jobs().await.is_empty());
}

#[tokio::test]
async fn a_warm_webhook_reads_nothing() {
    let world = World::new().await;
    let call = world.signed(fixtures::bytes(MISSED));
    assert_eq!(world.status(&call).await, 200);
    let table = world.aws.env().config().text("TABLE_NAME").expect("a table").to_owned();
    let deleting = world.aws.env().dynamodb().delete_table().table_name(table);
    deleting.send().await.expect("deleted");
    assert_eq!(world.status(&call).await, 200, "with no table at all");
    assert_eq!(world.jobs().await.len(), 2);
}

#[tokio::test]
async fn an_event_that_can_be_stored_nowhere_is_to_be_sent_again() {
    let world = World::new().await;
    let nowhere = "http://127.0.0.1:9/000000000000/none";
    let changes = [("CALLS_QUEUE_URL", nowhere), ("RAW_BUCKET", "none-such")];
    let function = Function::new(&world.aws.env_with(&changes), routes);
    for body in [fixtures::text(MISSED), changed("conversation_uuid", "a b")] {
        assert_eq!(function.call(&world.signed(body)).await.status(), 503);
    }
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let world = World::new().await;
    let huge = vec![b' '; 3 * 1024 * 1024 + 1];
    assert_eq!(world.status(&world.signed(&huge)).await, 413);
    // A token for a GET binds no query: who saw one could bring another.
    let get = world.function.call(&Call::get(&world.path())).await;
    assert_eq!((get.status(), get.header("allow")), (405, "POST"));
    assert_eq!(world.status(&Call::form(&world.path(), "a=b")).await, 415);
}
