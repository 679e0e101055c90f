//! The suppression list, in process against the emulator, from the callers' point of view.

use serde_json::{Value, json};
use testkit::Aws;
use testkit::api::Town;

const SUPPRESSIONS: &str = "/api/v1/suppressions";
const PHONE: &str = "+971501234567";
const OF_PHONE: &str = "/api/v1/suppressions/+971501234567";

fn refused_address(address: &str) -> Value {
    json!({"address": address, "evidence": "Letter of 1 November", "at": "2026-11-01T00:00:00Z"})
}

#[tokio::test]
async fn suppressed_address_is_read_listed_and_removed() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, suppressions::routes).await;
    let manager = town.manager();
    let made = manager.post(SUPPRESSIONS, refused_address(PHONE)).await;
    made.is(201);
    assert_eq!(made.header("location"), OF_PHONE);
    let read = manager.get(OF_PHONE).await;
    read.is(200);
    assert_eq!(read.json(), made.json());
    let refusal = &read.json()["refusals"][0];
    assert_eq!(
        (&refusal["party"], &refusal["channel"]),
        (&json!("business"), &Value::Null)
    );
    let maya = refused_address("Maya@Saffron.example");
    manager.post(SUPPRESSIONS, maya).await.is(201);
    let list = town.viewer().get(SUPPRESSIONS).await;
    assert_eq!(list.texts("address"), ["maya@saffron.example", PHONE]);
    assert_eq!(town.viewer().all(SUPPRESSIONS, 1).await, list.items());
    manager.delete(OF_PHONE).if_match(1).await.is(412);
    manager.delete(OF_PHONE).await.is(204);
    manager.get(OF_PHONE).await.is(404);
    manager.delete(OF_PHONE).await.is(404);
    for _twice in 0..2 {
        manager
            .post_once(SUPPRESSIONS, "k1", refused_address(PHONE))
            .await
            .is(201);
    }
}

/// A register's refusal of marketing does not allow other messages to somebody who wants none.
#[tokio::test]
async fn further_refusal_takes_nothing_back() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, suppressions::routes).await;
    let manager = town.manager();
    let told = json!({"address": PHONE, "party": "customer", "evidence": "Said so by phone"});
    let first = manager.post(SUPPRESSIONS, told).await;
    first.is(201);
    aws.pass(1);
    let register = json!({"address": PHONE, "category": "marketing"});
    let again = manager.post(SUPPRESSIONS, register).await;
    again.is(201);
    assert_eq!(again.json()["id"], first.json()["id"]);
    let refusals = again.json()["refusals"].as_array().unwrap().clone();
    let told: Vec<_> = refusals.iter().map(|one| (&one["category"], &one["party"])).collect();
    assert_eq!(
        told,
        [
            (&Value::Null, &json!("customer")),
            (&json!("marketing"), &json!("business"))
        ]
    );
    assert_eq!(refusals[0], first.json()["refusals"][0]);
}

#[tokio::test]
async fn list_belongs_to_its_tenant_and_needs_permission() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, suppressions::routes).await;
    town.agent().post(SUPPRESSIONS, refused_address(PHONE)).await.is(403);
    town.manager().post(SUPPRESSIONS, refused_address(PHONE)).await.is(201);
    town.agent().delete(OF_PHONE).await.is(403);
    town.viewer().get(OF_PHONE).await.is(200);
    let foreign = town.foreign_admin();
    foreign.get(OF_PHONE).await.is(404);
    foreign.delete(OF_PHONE).await.is(404);
    assert_eq!(foreign.get(SUPPRESSIONS).await.json()["items"], json!([]));
}

#[tokio::test]
async fn address_of_a_contact_is_refused() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, suppressions::routes).await;
    let contact = aws.contact_with(town.home.scope(), PHONE, |_| {}).await;
    let refusal = town.manager().post(SUPPRESSIONS, refused_address(PHONE)).await;
    refusal.is_refused(409, "is_contact");
    assert!(refusal.text().contains(&contact.id.to_string()));
    town.manager().get(OF_PHONE).await.is(404);
}

#[tokio::test]
async fn wrong_addresses_and_times_are_refused() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, suppressions::routes).await;
    for (field, value) in [
        ("address", json!("971501234567")),
        ("address", json!("maya@")),
        ("channel", json!("fax")),
        ("category", json!("service")),
        ("party", json!("nobody")),
        ("at", json!("2999-01-01T00:00:00Z")),
        ("evidence", json!("x".repeat(501))),
        ("more", json!(1)),
    ] {
        let mut body = refused_address(PHONE);
        body[field] = value;
        town.manager().post(SUPPRESSIONS, body).await.names_field(field);
    }
    town.manager().get("/api/v1/suppressions/nobody").await.is(404);
}
