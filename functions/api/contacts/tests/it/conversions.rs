//! Conversions, from the callers' point of view.

use domain::accounts::Role;
use domain::people::{Conversion, Recorded as _};
use domain::terms::ContactId;
use serde_json::{Value, json};
use testkit::Aws;
use testkit::api::Caller;
use testkit::business::CUSTOMER;

use super::notes::contact;
use super::town;

fn conversions_of(contact: ContactId) -> String {
    format!("/api/v1/contacts/{contact}/conversions")
}

fn order() -> Value {
    json!({"what": "order", "value": {"amount": 12_050, "currency": "AED"}, "reference": "Order 1042"})
}

async fn list_conversions(caller: &Caller<'_>, contact: ContactId) -> Vec<Value> {
    let page = caller.get(&format!("{}?limit=100", conversions_of(contact))).await;
    page.items()
}

#[tokio::test]
async fn a_conversion_is_recorded_listed_and_read() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let contact = contact(&town, CUSTOMER).await;
    let conversions = conversions_of(contact);
    let (agent, author) = (town.agent(), town.home.person(Role::Agent).user.to_string());
    let before = aws.signed_by(&author).await;
    let made = agent.post(&conversions, order()).await;
    let (place, body) = (made.is(201).has_version(1).header("location"), made.json());
    let id = body["id"].as_str().expect("it has an id");
    assert_eq!(place, format!("{conversions}/{id}"));
    let mut expected = order();
    expected["id"] = json!(id);
    expected["created_by"] = json!(author);
    expected["created_at"] = json!("2026-11-20T12:00:00Z");
    assert_eq!(body, expected);
    let signed = aws.signed_by(&author).await;
    assert_eq!(signed, before + 1, "the audit log says who recorded it");
    assert_eq!(agent.get(place).await.is(200).json(), body);
    aws.pass(1);
    let visit = agent.post(&conversions, json!({"what": "visit"})).await;
    assert_eq!(visit.is(201).json()["value"], json!(null));
    assert_eq!(list_conversions(&agent, contact).await, [visit.json(), body.clone()]);
    let path = format!("/api/v1/contacts/{contact}/timeline");
    let timeline = agent.get(&path).await.json();
    let shown = json!([
        {"kind": "conversion", "at": "2026-11-20T12:00:01Z", "conversion": visit.json()},
        {"kind": "conversion", "at": "2026-11-20T12:00:00Z", "conversion": body},
    ]);
    assert_eq!(timeline["items"], shown);
    let timeline = agent.get(&format!("{path}?kind=note")).await;
    assert_eq!(timeline.is(200).json()["items"], json!([]));
}

#[tokio::test]
async fn agents_record_conversions_and_viewers_read_them() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let contact = contact(&town, CUSTOMER).await;
    let conversions = conversions_of(contact);
    let made = town.agent().post(&conversions, order()).await;
    let place = made.is(201).header("location");
    for role in Role::ALL {
        let caller = town.role(role);
        caller.get(place).await.is(200);
        caller.get(&conversions).await.is(200);
        let posted = caller.post(&conversions, order()).await;
        posted.is(if role >= Role::Agent { 201 } else { 403 });
    }
    // Recorded is recorded.
    let admin = town.admin();
    admin.patch(place, json!({"what": "visit"})).await.is(405);
    admin.delete(place).await.is(405);
    assert_eq!(admin.get(place).await.json(), made.json());
}

#[tokio::test]
async fn every_field_of_a_conversion_is_bounded() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let contact = contact(&town, CUSTOMER).await;
    let agent = town.agent();
    for (field, value, wrong) in [
        ("what", json!(null), "what"),
        ("what", json!("win"), "what"),
        ("what", json!("x".repeat(10_000)), "what"),
        ("value", json!({"amount": -1, "currency": "AED"}), "value.amount"),
        ("value", json!({"amount": 1.5, "currency": "AED"}), "value.amount"),
        (
            "value",
            json!({"amount": 1_000_000_000_001_u64, "currency": "AED"}),
            "value.amount",
        ),
        ("value", json!({"amount": 1, "currency": "aed"}), "value.currency"),
        ("value", json!({"amount": 1, "currency": "XQZ"}), "value.currency"),
        ("reference", json!(""), "reference"),
        ("reference", json!("x".repeat(101)), "reference"),
        ("reference", json!("a\u{202e}b"), "reference"),
        ("at", json!("2026-11-20T12:00:00Z"), "at"),
    ] {
        let mut body = order();
        body[field] = value;
        agent.post(&conversions_of(contact), body).await.names_only(&[wrong]);
    }
    assert!(list_conversions(&agent, contact).await.is_empty());
}

#[tokio::test]
async fn a_contact_has_at_most_1000_conversions() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let contact = contact(&town, CUSTOMER).await;
    let agent = town.agent();
    agent.post(&conversions_of(contact), order()).await.is(201);
    town.fill_counter("conversion", Conversion::MAX).await;
    let one_more = agent.post(&conversions_of(contact), order()).await;
    one_more.is_refused(409, "limit_reached");
}
