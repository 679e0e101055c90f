//! Looks at personal data, as readers of the audit log see them.

use domain::accounts::{Action, Look, Role};
use domain::terms::Stamp;
use serde_json::json;
use testkit::Aws;
use testkit::api::Town;

use super::{CONTACTS, create_contact, maya, town};

/// The looks in the audit log, the oldest first: who looked, what they saw, and the contact.
pub(crate) async fn looks(town: &Town<'_>) -> Vec<(String, String, String)> {
    let entries = town.aws().audit_log(town.home.scope()).await;
    let shown = entries.into_iter().rev().map(|entry| {
        assert_eq!((entry.action, entry.kind.as_str()), (Action::Read, "contact"));
        assert_eq!(entry.changes.len(), 1);
        (entry.by.actor.to_string(), entry.changes[0].field.clone(), entry.object)
    });
    shown.collect()
}

/// The first page of a timeline, and the proof of consent as document and page.
#[tokio::test]
async fn looks_are_audited_once_a_day() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (agent, viewer) = (town.agent(), town.viewer());
    let contact = create_contact(&agent, maya()).await;
    let timeline = format!("{CONTACTS}/{contact}/timeline");
    for text in ["one", "two"] {
        aws.pass(1);
        let note = json!({"text": text});
        agent.post(&format!("{CONTACTS}/{contact}/notes"), note).await.is(201);
    }
    let first = viewer.get(&format!("{timeline}?limit=1")).await.is(200).json();
    let who = |role| town.home.person(role).user.to_string();
    let look = |role, what: &str| (who(role), what.to_owned(), contact.clone());
    let seen = look(Role::Viewer, "timeline");
    assert_eq!(looks(&town).await, std::slice::from_ref(&seen));
    // Further pages and looks add nothing, also those that another process answers.
    let cursor = first["next_cursor"].as_str().expect("there is more");
    viewer.get(&format!("{timeline}?limit=1&cursor={cursor}")).await.is(200);
    viewer.get(&format!("{timeline}?kind=note")).await.is(200);
    let store = aws.store();
    let stored = store.record_look(
        town.home.scope(),
        Look::Timeline,
        contact.parse().expect("an id"),
        Stamp {
            actor: who(Role::Viewer).parse().expect("an actor"),
            at: aws.now(),
            correlation_id: "cor".to_owned(),
        },
    );
    assert!(!stored.await.expect("the table answers"));
    assert_eq!(looks(&town).await, std::slice::from_ref(&seen));
    let proof = format!("{CONTACTS}/{contact}/consent/proof");
    agent.get(&proof).await.is(200);
    agent.get(&format!("{proof}/page")).await.is(200);
    let mut found = looks(&town).await;
    found.sort();
    let mut expected = vec![seen, look(Role::Agent, "consent_proof")];
    expected.sort();
    assert_eq!(found, expected);
    aws.pass(24 * 3_600);
    town.viewer().get(&timeline).await.is(200);
    assert_eq!(looks(&town).await.len(), 3);
}

#[tokio::test]
async fn whom_nobody_saw_is_in_no_entry() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let admin = town.admin();
    let contact = create_contact(&admin, maya()).await;
    let path = |end: &str| format!("{CONTACTS}/{contact}/{end}");
    town.foreign_admin().get(&path("timeline")).await.is(404);
    admin.get(&path("timeline?cursor=nonsense")).await.is(400);
    admin.get(&path("consent")).await.is(200);
    admin.delete(&format!("{CONTACTS}/{contact}")).await.is(204);
    admin.get(&path("timeline")).await.is(404);
    assert_eq!(looks(&town).await, []);
}
