//! Operations, in process against the emulator, from the callers' point of view.

use domain::accounts::{Permission, Role};
use domain::terms::{Actor, Data, Operation, OperationId, OperationKind, Progress};
use serde_json::json;
use store::TenantScope;
use testkit::api::Town;
use testkit::{Answer, Aws};
use ulid::Ulid;

const OPERATIONS: &str = "/api/v1/operations";

/// An operation that an operator started, after `change`.
async fn put(aws: &Aws, scope: &TenantScope, change: impl FnOnce(&mut Operation)) -> String {
    let id = OperationId::new(aws.ids().ulid());
    let params = Data::of(&json!({"contact": "ctc_01hq5c1ynyc0000000000000ab"})).unwrap();
    let kind = OperationKind::EraseContact;
    let mut operation = Operation::new(id, kind, params, Actor::Operator, "cor".to_owned(), aws.now());
    change(&mut operation);
    let stamp = aws.stamp();
    aws.store().create_operation(scope, &operation, &stamp).await.unwrap();
    format!("{OPERATIONS}/{id}")
}

fn ids(answer: &Answer) -> Vec<String> {
    let ids = answer.texts("id").into_iter();
    ids.map(|id| format!("{OPERATIONS}/{id}")).collect()
}

#[tokio::test]
async fn operations_are_listed_newest_first_and_paged() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, operations::routes).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(put(&aws, town.home.scope(), |_| {}).await);
        aws.pass(1);
    }
    made.reverse();
    assert_eq!(ids(&town.viewer().get(OPERATIONS).await), made);
    let first = town.viewer().get(&format!("{OPERATIONS}?limit=2")).await;
    assert_eq!(ids(&first), made[..2]);
    let next = first.json()["next_cursor"].as_str().unwrap().to_owned();
    let rest = town.viewer().get(&format!("{OPERATIONS}?limit=2&cursor={next}")).await;
    assert_eq!(ids(&rest), made[2..]);
    assert_eq!(ids(&town.foreign_admin().get(OPERATIONS).await), Vec::<String>::new());
}

#[tokio::test]
async fn an_operation_shows_its_progress_and_result() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, operations::routes).await;
    let now = aws.now();
    let progress = Progress {
        done: 7,
        total: Some(9),
        errors: 1,
    };
    let place = put(&aws, town.home.scope(), |operation| {
        operation.claim(Ulid::from_parts(1, 1), now);
        operation.advance(Data::of(&"a cursor").unwrap(), progress, now);
        operation.finish(Data::of(&json!({"deleted": {"calls": 2}})).unwrap(), progress, now);
    })
    .await;
    let answer = town.viewer().get(&place).await;
    let shown = answer.is(200).json();
    assert_eq!(
        (&shown["state"], &shown["kind"]),
        (&json!("done"), &json!("erase_contact"))
    );
    assert_eq!(shown["progress"], json!({"done": 7, "total": 9, "errors": 1}));
    assert_eq!(shown["result"], json!({"deleted": {"calls": 2}}));
    assert_eq!(shown["finished_at"], now.to_string());
    for internal in ["cursor", "lease", "due", "attempts", "correlation_id"] {
        assert!(shown[internal].is_null(), "{internal}");
    }
    town.foreign_admin().get(&place).await.is(404);
}

#[tokio::test]
async fn managers_cancel_operations_and_others_do_not() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, operations::routes).await;
    let now = aws.now();
    let waits = put(&aws, town.home.scope(), |operation| {
        operation.kind = OperationKind::CountSegment;
    })
    .await;
    let runs = put(&aws, town.home.scope(), |operation| {
        operation.kind = OperationKind::CountSegment;
        operation.claim(Ulid::from_parts(1, 1), now);
    })
    .await;
    let cancel = |place: &str| format!("{place}/cancel");
    town.agent().post(&cancel(&waits), json!({})).await.is(403);
    town.foreign_admin().post(&cancel(&waits), json!({})).await.is(404);
    town.viewer().get(&waits).await.is(200);
    for (place, state) in [(&waits, "cancelled"), (&runs, "cancelling")] {
        for _twice in 0..2 {
            let answer = town.manager().post(&cancel(place), json!({})).await;
            assert_eq!(answer.is(200).json()["state"], state);
            let answer = town.manager().post_once(&cancel(place), state, json!({})).await;
            assert_eq!(answer.is(200).json()["state"], state);
        }
    }
    // The audit log says who asked.
    let actor = town.home.person(Role::Manager).user.to_string();
    assert_eq!(aws.signed_by(&actor).await, 2);
    let may = town.who_may(Permission::OperationsWrite.as_str());
    may.post(&cancel(&runs), json!({})).await.is(200);
}

#[tokio::test]
async fn erasures_are_not_cancelled() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, operations::routes).await;
    let waits = put(&aws, town.home.scope(), |_| {}).await;
    let refused = town.manager().post(&format!("{waits}/cancel"), json!({})).await;
    let detail = refused.is(409).json()["detail"].clone();
    assert!(detail.as_str().unwrap().contains("Restore the contact"), "{detail}");
    assert_eq!(town.manager().get(&waits).await.is(200).json()["state"], "queued");
}
