//! Links to the preference page of a contact.

use access::link::Customer;
use domain::accounts::{Action, Role};
use domain::people::{LinkCode, LinkOrigin};
use domain::terms::Actor;
use serde_json::Value;
use testkit::Aws;
use testkit::api::Town;

use super::{contact_named, create_and_locate, town};

/// A contact of the home tenant, by its path.
async fn contact(town: &Town<'_>) -> String {
    create_and_locate(&town.agent(), contact_named("Maya")).await
}

#[tokio::test]
async fn link_leads_to_its_contact_and_names_its_author() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let place = contact(&town).await;
    let path = format!("{place}/preference-link");
    let made = town.agent().post(&path, Value::Null).await;
    made.is(200);
    // An hour.
    assert_eq!(made.json()["expires_at"], "2026-11-20T13:00:00Z");
    let answer = made.json();
    let (base, code) = answer["url"].as_str().unwrap().rsplit_once('/').unwrap();
    assert_eq!(base, format!("https://{}/p", testkit::gateway::DOMAIN));
    let code: LinkCode = code.parse().unwrap();
    let customer = Customer::admit(&aws.store(), &code, aws.now()).await.unwrap().unwrap();
    assert_eq!(customer.scope().tenant(), town.home.tenant);
    assert!(place.ends_with(&customer.link().contact.to_string()));
    let agent = town.home.person(Role::Agent).user;
    assert_eq!(customer.link().origin, LinkOrigin::Actor(Actor::User(agent)));
}

#[tokio::test]
async fn each_request_makes_another_link_and_none_is_kept() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let place = contact(&town).await;
    let path = format!("{place}/preference-link");
    let agent = town.agent();
    let ask = || agent.post(&path, Value::Null);
    let (first, second) = (ask().await, ask().await);
    assert_ne!(first.json()["url"], second.json()["url"]);
    let ask_once = || agent.post_once(&path, "the-same-request", Value::Null);
    ask_once().await.is(200);
    ask_once().await.is(409);
}

#[tokio::test]
async fn link_needs_a_contact_and_the_permission_to_write_it() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let place = contact(&town).await;
    let path = format!("{place}/preference-link");
    town.viewer().post(&path, Value::Null).await.is(403);
    town.foreign_admin().post(&path, Value::Null).await.is(404);
    town.agent().delete(&place).await.is(204);
    town.agent().post(&path, Value::Null).await.is(404);
}

/// Without a limit, a user could choose for all customers, and nobody would see it.
#[tokio::test]
async fn links_of_one_maker_are_limited_and_audited() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let place = contact(&town).await;
    let path = format!("{place}/preference-link");
    let (agent, mut codes) = (town.agent(), Vec::new());
    for _ in 0..30 {
        let made = agent.post(&path, Value::Null).await.is(200).json();
        codes.push(made["url"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned());
    }
    let refused = agent.post(&path, Value::Null).await;
    refused.is_refused(429, "too_many_requests");
    assert_eq!(refused.header("retry-after"), "3600");
    town.admin().post(&path, Value::Null).await.is(200);

    let log = aws.audit_log(town.home.scope()).await;
    assert_eq!(log.len(), 31);
    let by = |role| Actor::User(town.home.person(role).user);
    assert_eq!(log.iter().filter(|entry| entry.by.actor == by(Role::Agent)).count(), 30);
    for entry in &log {
        assert_eq!(entry.by.at, aws.now());
        assert_eq!(
            (entry.action, entry.kind.as_str()),
            (Action::Created, "preference_link")
        );
        let change = &entry.changes[0];
        let contact = change.after.as_ref().and_then(Value::as_str).unwrap();
        assert!(change.field == "contact" && place.ends_with(contact), "{entry:?}");
    }
    let shown = serde_json::to_string(&log).unwrap();
    assert!(codes.iter().all(|code| !shown.contains(code)), "{shown}");
}
