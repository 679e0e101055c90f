//! Links to the preference page of a contact.

use access::link::Customer;
use domain::links::{LinkCode, LinkOrigin};
use serde_json::{Value, json};
use testkit::{Aws, api::Town};

/// A contact of the home tenant, by its path.
async fn contact(town: &Town<'_>) -> String {
    let made = town.agent().post("/api/v1/contacts", json!({"name": "Maya"})).await;
    made.is(201);
    let made = made.json();
    format!("/api/v1/contacts/{}", made["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn link_leads_to_its_contact_and_names_its_author() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, contacts::routes).await;
    let place = contact(&town).await;
    let made = town
        .agent()
        .post(&format!("{place}/preference-link"), Value::Null)
        .await;
    made.is(200);
    // 180 days.
    assert_eq!(made.json()["expires_at"], "2027-05-19T12:00:00Z");
    let answer = made.json();
    let (base, code) = answer["url"].as_str().unwrap().rsplit_once('/').unwrap();
    assert_eq!(base, format!("https://{}/p", testkit::request::DOMAIN));
    let code: LinkCode = code.parse().unwrap();
    let customer = Customer::admit(&aws.store(), &code, aws.now()).await.unwrap().unwrap();
    assert_eq!(customer.scope().tenant(), town.home.tenant);
    assert!(place.ends_with(&customer.link().contact.to_string()));
    let agent = town.home.person(domain::permission::Role::Agent).user;
    assert_eq!(
        customer.link().origin,
        LinkOrigin::Actor(domain::actor::Actor::User(agent))
    );
}

#[tokio::test]
async fn each_request_makes_another_link_and_none_is_kept() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, contacts::routes).await;
    let place = contact(&town).await;
    let path = format!("{place}/preference-link");
    let (first, second) = (
        town.agent().post(&path, Value::Null).await,
        town.agent().post(&path, Value::Null).await,
    );
    assert_ne!(first.json()["url"], second.json()["url"]);
    let once = town.agent().post_once(&path, "the-same-request", Value::Null).await;
    once.is(200);
    let again = town.agent().post_once(&path, "the-same-request", Value::Null).await;
    again.is(409);
}

#[tokio::test]
async fn link_needs_a_contact_and_the_permission_to_write_it() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, contacts::routes).await;
    let place = contact(&town).await;
    let path = format!("{place}/preference-link");
    town.viewer().post(&path, Value::Null).await.is(403);
    town.foreign_admin().post(&path, Value::Null).await.is(404);
    town.agent().delete(&place).await.is(204);
    town.agent().post(&path, Value::Null).await.is(404);
}
