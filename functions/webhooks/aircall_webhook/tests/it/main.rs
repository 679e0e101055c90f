//! Aircall's webhooks, in process against the emulator's table and queues.

use aircall_webhook::routes;
use domain::{
    call::{CallProvider, Outcome},
    connection::{Account, VerifySecrets},
    ids::ConnectionId,
};
use jobs::CallJob;
use kit::QueueName;
use serde_json::{Value, json};
use testkit::{Answer, Aws, Call, Function, Seeded, fixtures, seed};

/// The fixtures' token.
const TOKEN: &str = "fixture-aircall-token";
const MISSED: &str = "telephony/aircall/call_ended_agents_did_not_answer.json";

struct World {
    aws: Aws,
    tenant: Seeded,
    aircall: ConnectionId,
    function: Function,
}

impl World {
    async fn new() -> Self {
        let aws = Aws::new().await;
        let mut tenant = seed::tenant(&aws).await;
        // While one token replaces another, both are known.
        let verify = VerifySecrets::Aircall {
            tokens: vec!["the-next-one".to_owned(), TOKEN.to_owned()],
        };
        let account = Account::Aircall { lines: Vec::new() };
        let aircall = tenant.add(&aws, account, &verify).await;
        let function = Function::new(aws.env(), routes);
        Self {
            aws,
            tenant,
            aircall,
            function,
        }
    }

    fn path(&self) -> String {
        format!("/webhooks/aircall/{}/{}", self.tenant.tenant(), self.aircall)
    }

    async fn send(&self, body: impl AsRef<[u8]>) -> Answer {
        self.function.call(&Call::json(&self.path(), body)).await
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

fn changed(pointer: &str, value: Value) -> String {
    let mut event = fixtures::json(MISSED);
    *event.pointer_mut(pointer).expect("the fixture has it") = value;
    event.to_string()
}

#[tokio::test]
async fn a_call_that_has_ended_is_queued_and_nothing_before() {
    let world = World::new().await;
    for name in fixtures::names("telephony/aircall") {
        let answer = world.send(fixtures::bytes(&name)).await;
        assert_eq!(answer.status(), 200, "{name}");
        let jobs = world.jobs().await;
        assert_eq!(jobs.len(), usize::from(name.contains("call_ended")), "{name}");
        for job in jobs {
            let CallJob::Reported { tenant, event, .. } = job else {
                panic!("{job:?}");
            };
            assert_eq!((tenant, event.connection), (world.tenant.tenant(), world.aircall));
            assert_eq!(event.provider, CallProvider::Aircall);
            assert_eq!(event.provider_call_id, "100200300");
            assert_eq!(event.facts.stated == Some(Outcome::Answered), name.contains("answered"));
        }
    }
    assert!(world.aws.objects("").await.is_empty());
}

#[tokio::test]
async fn an_unproven_event_is_refused_and_leaves_nothing() {
    let world = World::new().await;
    let body = fixtures::text(MISSED);
    let path = world.path();
    let other = path.replace(&world.aircall.to_string(), &world.tenant.telephony.to_string());
    let token = |token: Value| Call::json(&path, changed("/token", token));
    let calls = [
        ("no token", token(Value::Null)),
        ("an empty one", token(json!(""))),
        ("a part of it", token(json!("fixture-aircall-toke"))),
        ("no text", token(json!([TOKEN]))),
        ("no JSON", Call::json(&path, TOKEN)),
        (
            "a token elsewhere",
            Call::json(&path, json!({"data": {"token": TOKEN}}).to_string()),
        ),
        ("another kind of connection", Call::json(&other, &body)),
        ("unknown", Call::json("/webhooks/aircall/tnt_1/conn_1", &body)),
    ];
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
async fn a_line_that_is_not_the_connections_is_ignored() {
    let mut world = World::new().await;
    let lines = vec!["+442079460002".parse().expect("a number")];
    world.tenant.connection_mut(world.aircall).account = Account::Aircall { lines };
    world.tenant.write(&world.aws).await;
    assert_eq!(world.send(fixtures::bytes(MISSED)).await.status(), 200);
    world.assert_nothing_is_left().await;
    let ours = changed("/data/number/digits", json!("+44 20 7946 0002"));
    assert_eq!(world.send(ours).await.status(), 200);
    assert_eq!(world.jobs().await.len(), 1);
}

#[tokio::test]
async fn an_event_that_names_no_call_is_kept() {
    let world = World::new().await;
    let body = changed("/data/id", Value::Null);
    assert_eq!(world.send(&body).await.status(), 200);
    let kept = world.aws.objects("raw/unreadable/aircall/").await;
    assert_eq!(kept.into_values().collect::<Vec<_>>(), [body.into_bytes()]);
    assert!(world.jobs().await.is_empty());
}

#[tokio::test]
async fn an_event_that_can_be_stored_nowhere_is_to_be_sent_again() {
    let world = World::new().await;
    let nowhere = "http://127.0.0.1:9/000000000000/none";
    let changes = [("CALLS_QUEUE_URL", nowhere), ("RAW_BUCKET", "none-such")];
    let function = Function::new(&world.aws.env_with(&changes), routes);
    for body in [fixtures::text(MISSED), changed("/data/id", Value::Null)] {
        assert_eq!(function.call(&Call::json(&world.path(), body)).await.status(), 503);
    }
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let world = World::new().await;
    let huge = vec![b' '; 3 * 1024 * 1024 + 1];
    assert_eq!(world.send(&huge).await.status(), 413);
    let get = world.function.call(&Call::get(&world.path())).await;
    assert_eq!((get.status(), get.header("allow")), (405, "POST"));
    let form = world.function.call(&Call::form(&world.path(), "a=b")).await;
    assert_eq!(form.status(), 415);
}
