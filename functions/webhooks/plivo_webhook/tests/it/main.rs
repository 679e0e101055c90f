//! Plivo's hangup callback, in process against the emulator's table and queues.

use domain::{
    call::CallProvider,
    connection::{Account, VerifySecrets},
    ids::ConnectionId,
};
use jobs::CallJob;
use kit::QueueName;
use plivo_webhook::routes;
use providers::plivo::signature::sign;
use testkit::{Aws, Call, Function, Seeded, fixtures, request::DOMAIN, seed};

const BASE: &str = "https://hooks.example.test";
const TOKEN: &str = "fixture-plivo-auth-token-0001";
const NONCE: &str = "05429567804466091622";
const MISSED: &str = "telephony/plivo/hangup_no_answer.txt";
const NAMELESS: &str = "CallStatus=busy&From=447700900111";

struct World {
    aws: Aws,
    tenant: Seeded,
    plivo: ConnectionId,
    function: Function,
}

impl World {
    async fn new() -> Self {
        let aws = Aws::new().await;
        let mut tenant = seed::tenant(&aws).await;
        // While one token replaces another, both are known.
        let verify = VerifySecrets::Plivo {
            auth_tokens: vec!["the-next-one".to_owned(), TOKEN.to_owned()],
        };
        let account = Account::Plivo {
            auth_id: "MAFIXTURE0000000000A".to_owned(),
            lines: vec!["+442079460001".parse().expect("a number")],
        };
        let plivo = tenant.add(&aws, account, &verify).await;
        let function = Function::new(&aws.env_with(&[("PUBLIC_BASE_URL", BASE)]), routes);
        Self {
            aws,
            tenant,
            plivo,
            function,
        }
    }

    fn path(&self) -> String {
        format!("/webhooks/plivo/{}/{}/hangup", self.tenant.tenant(), self.plivo)
    }

    fn signed(&self, form: impl AsRef<[u8]>) -> Call {
        signed_for(BASE, &self.path(), form.as_ref())
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

/// A callback as Plivo sends it, signed for `base`.
fn signed_for(base: &str, path: &str, form: &[u8]) -> Call {
    let signature = sign(TOKEN, &format!("{base}{path}"), form, NONCE);
    Call::form(path, form)
        .header("x-plivo-signature-v3", &signature)
        .header("x-plivo-signature-v3-nonce", NONCE)
}

#[tokio::test]
async fn every_callback_is_queued() {
    let world = World::new().await;
    for name in fixtures::names("telephony/plivo") {
        let answer = world.function.call(&world.signed(fixtures::bytes(&name))).await;
        assert_eq!((answer.status(), answer.header("content-type")), (200, "text/xml"));
        assert!(
            answer.text().ends_with("<Response></Response>\n"),
            "{name}: {}",
            answer.text()
        );
        let jobs = world.jobs().await;
        let [CallJob::Reported { tenant, event, .. }] = jobs.as_slice() else {
            panic!("{name}: {jobs:?}");
        };
        assert_eq!((*tenant, event.connection), (world.tenant.tenant(), world.plivo));
        assert_eq!(event.provider, CallProvider::Plivo);
    }
    assert!(world.aws.objects("").await.is_empty());
}

#[tokio::test]
async fn an_unproven_callback_is_refused_and_leaves_nothing() {
    let world = World::new().await;
    let form = fixtures::bytes(MISSED);
    let (path, good) = (world.path(), world.signed(&form));
    let other = path.replace(&world.plivo.to_string(), &world.tenant.twilio.to_string());
    let unknown = "/webhooks/plivo/tnt_1/conn_1/hangup";
    let changed = fixtures::text(MISSED).replace("no-answer", "completed");
    let nonce = "x-plivo-signature-v3-nonce";
    let calls = [
        ("no signature", good.clone().without_header("x-plivo-signature-v3")),
        ("no nonce", good.clone().without_header(nonce)),
        ("another nonce", good.clone().header(nonce, "1")),
        ("malformed", good.clone().header("x-plivo-signature-v3", "???,")),
        (
            "another host",
            signed_for("https://internal.example.test", &path, &form),
        ),
        (
            "our API's own domain",
            signed_for(&format!("https://{DOMAIN}"), &path, &form),
        ),
        ("changed", good.clone().body_base64(changed)),
        ("another kind of connection", signed_for(BASE, &other, &form)),
        ("unknown", signed_for(BASE, unknown, &form)),
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
async fn a_subaccounts_callback_is_proven_by_its_main_account_too() {
    let world = World::new().await;
    let form = fixtures::bytes(MISSED);
    let signature = sign(TOKEN, &format!("{BASE}{}", world.path()), &form, NONCE);
    let call = world
        .signed(&form)
        .header("x-plivo-signature-v3", "c3ViYWNjb3VudA==")
        .header("x-plivo-signature-ma-v3", &signature);
    assert_eq!(world.status(&call).await, 200);
    assert_eq!(world.jobs().await.len(), 1);
}

#[tokio::test]
async fn without_a_configured_url_the_apis_own_domain_is_signed() {
    let world = World::new().await;
    let function = Function::new(&world.aws.env_with(&[("PUBLIC_BASE_URL", "")]), routes);
    let form = fixtures::bytes(MISSED);
    let call = signed_for(&format!("https://{DOMAIN}"), &world.path(), &form);
    assert_eq!(function.call(&call).await.status(), 200);
}

#[tokio::test]
async fn a_line_that_is_not_the_connections_is_ignored() {
    let world = World::new().await;
    let form = fixtures::text(MISSED).replace("To=442079460001", "To=442079460002");
    assert_eq!(world.status(&world.signed(form)).await, 200);
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn a_callback_that_names_no_call_is_kept() {
    let world = World::new().await;
    assert_eq!(world.status(&world.signed(NAMELESS)).await, 200);
    let kept = world.aws.objects("raw/unreadable/plivo/").await;
    assert_eq!(kept.into_values().collect::<Vec<_>>(), [NAMELESS.as_bytes().to_vec()]);
    assert!(world.jobs().await.is_empty());
}

#[tokio::test]
async fn a_callback_that_can_be_stored_nowhere_is_to_be_sent_again() {
    let world = World::new().await;
    let nowhere = "http://127.0.0.1:9/000000000000/none";
    let changes = [
        ("PUBLIC_BASE_URL", BASE),
        ("CALLS_QUEUE_URL", nowhere),
        ("RAW_BUCKET", "none-such"),
    ];
    let function = Function::new(&world.aws.env_with(&changes), routes);
    for form in [fixtures::text(MISSED), NAMELESS.to_owned()] {
        assert_eq!(function.call(&world.signed(form)).await.status(), 503);
    }
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let world = World::new().await;
    let huge = vec![b'a'; 3 * 1024 * 1024 + 1];
    assert_eq!(world.status(&world.signed(&huge)).await, 413);
    let get = world.function.call(&Call::get(&world.path())).await;
    assert_eq!((get.status(), get.header("allow")), (405, "POST"));
    assert_eq!(world.status(&Call::json(&world.path(), "{}")).await, 415);
}
