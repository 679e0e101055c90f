//! Exotel's Passthru and StatusCallback, in process against the emulator's table and queues.

use domain::{
    call::{CallProvider, Outcome, Party},
    connection::{Account, ExotelCluster, VerifySecrets},
    ids::ConnectionId,
};
use exotel_webhook::routes;
use jobs::CallJob;
use kit::QueueName;
use testkit::{Aws, Call, Function, Seeded, fixtures, seed};

const SECRET: &str = "fixture-exotel-url-secret-01";
const MISSED: &str = "telephony/exotel/passthru_incomplete.txt";
/// Where the test's requests come from.
const LISTED: &str = "203.0.113.24";

struct World {
    aws: Aws,
    tenant: Seeded,
    exotel: ConnectionId,
    function: Function,
}

fn account(lines: &[&str], sources: &[&str]) -> Account {
    Account::Exotel {
        account_sid: "fixture1".to_owned(),
        cluster: ExotelCluster::Mumbai,
        country_code: "44".to_owned().try_into().expect("a calling code"),
        lines: lines.iter().map(|line| line.parse().expect("a number")).collect(),
        sources: sources.iter().map(|range| range.parse().expect("a range")).collect(),
    }
}

impl World {
    async fn new() -> Self {
        let aws = Aws::new().await;
        let mut tenant = seed::tenant(&aws).await;
        // While one secret replaces another, both are known.
        let verify = VerifySecrets::Exotel {
            url_secrets: vec!["the-next-one".to_owned(), SECRET.to_owned()],
        };
        let exotel = tenant.add(&aws, account(&[], &[]), &verify).await;
        let function = Function::new(aws.env(), routes);
        Self {
            aws,
            tenant,
            exotel,
            function,
        }
    }

    async fn change(&mut self, account: Account) {
        self.tenant.connection_mut(self.exotel).account = account;
        self.tenant.write(&self.aws).await;
        self.function = Function::new(self.aws.env(), routes);
    }

    fn path(&self, what: &str, secret: &str) -> String {
        let (tenant, connection) = (self.tenant.tenant(), self.exotel);
        format!("/webhooks/exotel/{tenant}/{connection}/{what}/{secret}")
    }

    /// As Exotel would send it.
    fn sent(&self, name: &str) -> Call {
        let status = self.path("status", SECRET);
        let call = if name.contains("passthru") {
            let path = self.path("passthru", SECRET);
            Call::get(&format!("{path}?{}", fixtures::text(name)))
        } else if name.ends_with(".json") {
            Call::json(&status, fixtures::bytes(name))
        } else {
            Call::form(&status, fixtures::bytes(name))
        };
        call.from_address(LISTED)
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

#[tokio::test]
async fn every_event_is_queued() {
    let world = World::new().await;
    for name in fixtures::names("telephony/exotel") {
        let answer = world.function.call(&world.sent(&name)).await;
        assert_eq!((answer.status(), answer.text()), (200, ""), "{name}");
        let jobs = world.jobs().await;
        let [CallJob::Reported { tenant, event, .. }] = jobs.as_slice() else {
            panic!("{name}: {jobs:?}");
        };
        assert_eq!((*tenant, event.connection), (world.tenant.tenant(), world.exotel));
        assert_eq!(event.provider, CallProvider::Exotel);
        if name == MISSED {
            assert_eq!(event.facts.stated, Some(Outcome::Missed));
            let customer = "+447700900111".parse().expect("a number");
            let customer = Party::Phone(customer);
            assert_eq!(event.facts.customer(), &customer, "in the connection's country");
        }
    }
    assert!(world.aws.objects("").await.is_empty());
}

#[tokio::test]
async fn an_unproven_event_is_refused_and_leaves_nothing() {
    let mut world = World::new().await;
    world.change(account(&[], &["203.0.113.0/24"])).await;
    let query = fixtures::text(MISSED);
    let of = |path: String| Call::get(&format!("{path}?{query}")).from_address(LISTED);
    let passthru = |secret: &str| of(world.path("passthru", secret));
    assert_eq!(world.status(&passthru(SECRET)).await, 200);
    assert_eq!(world.jobs().await.len(), 1);
    let other = world
        .path("passthru", SECRET)
        .replace(&world.exotel.to_string(), &world.tenant.telephony.to_string());
    let calls = [
        ("another secret", passthru("fixture-exotel-url-secret-02")),
        ("a part of it", passthru("fixture-exotel-url-secret-0")),
        ("a space", passthru("%20")),
        ("another address", passthru(SECRET).from_address("198.51.100.7")),
        ("no address", passthru(SECRET).from_address("")),
        ("another kind of connection", of(other)),
        (
            "unknown",
            of(format!("/webhooks/exotel/tnt_1/conn_1/passthru/{SECRET}")),
        ),
        (
            "a status",
            Call::form(&world.path("status", "x"), "CallSid=1&Status=busy").from_address(LISTED),
        ),
    ];
    let rows = world.aws.row_count().await;
    let expected = world.function.call(&calls[0].1).await.json();
    for (why, call) in &calls {
        let answer = world.function.call(call).await;
        assert_eq!((answer.status(), answer.json()), (401, expected.clone()), "{why}");
    }
    let none = world.path("passthru", "");
    for without in [none.clone(), none.trim_end_matches('/').to_owned()] {
        assert_eq!(world.status(&of(without)).await, 404);
    }
    world.assert_nothing_is_left().await;
    assert_eq!(world.aws.row_count().await, rows);
}

#[tokio::test]
async fn a_line_that_is_not_the_connections_is_ignored() {
    let mut world = World::new().await;
    world.change(account(&["+442079460002"], &[])).await;
    assert_eq!(world.status(&world.sent(MISSED)).await, 200);
    world.assert_nothing_is_left().await;
    world.change(account(&["+442079460002", "+442079460001"], &[])).await;
    // The second names no line: it is of a call that another report names.
    for name in [MISSED, "telephony/exotel/status_callback_no_answer.txt"] {
        assert_eq!(world.status(&world.sent(name)).await, 200);
        assert_eq!(world.jobs().await.len(), 1, "{name}");
    }
}

#[tokio::test]
async fn an_event_that_names_no_call_is_kept() {
    let world = World::new().await;
    let passthru = Call::get(&format!("{}?CallFrom=1", world.path("passthru", SECRET)));
    let parts = "--x\r\ncontent-disposition: form-data; name=\"CallSid\"\r\n\r\n1\r\n--x--\r\n";
    let multipart = Call::new("POST", &world.path("status", SECRET))
        .header("content-type", "multipart/form-data; boundary=x")
        .body(parts);
    for call in [passthru, multipart] {
        assert_eq!(world.status(&call).await, 200);
    }
    let kept = world.aws.objects("raw/unreadable/exotel/").await;
    let mut kept: Vec<_> = kept.into_values().collect();
    kept.sort();
    assert_eq!(kept, [parts.as_bytes().to_vec(), b"CallFrom=1".to_vec()]);
    assert!(world.jobs().await.is_empty());
}

#[tokio::test]
async fn an_event_that_can_be_stored_nowhere_is_to_be_sent_again() {
    let world = World::new().await;
    let nowhere = "http://127.0.0.1:9/000000000000/none";
    let changes = [("CALLS_QUEUE_URL", nowhere), ("RAW_BUCKET", "none-such")];
    let function = Function::new(&world.aws.env_with(&changes), routes);
    let nameless = Call::get(&world.path("passthru", SECRET));
    for call in [world.sent(MISSED), nameless] {
        assert_eq!(function.call(&call).await.status(), 503);
    }
}

#[tokio::test]
async fn size_and_method_are_checked() {
    let world = World::new().await;
    let huge = vec![b'a'; 3 * 1024 * 1024 + 1];
    let (passthru, status) = (world.path("passthru", SECRET), world.path("status", SECRET));
    assert_eq!(world.status(&Call::form(&status, &huge)).await, 413);
    let get = world.function.call(&Call::get(&status)).await;
    assert_eq!((get.status(), get.header("allow")), (405, "POST"));
    let post = world.function.call(&Call::form(&passthru, "")).await;
    assert_eq!((post.status(), post.header("allow")), (405, "GET,HEAD"));
}
