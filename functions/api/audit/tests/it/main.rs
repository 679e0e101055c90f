//! The audit log, in process against the emulator, from the readers' point of view.

use domain::accounts::{Action, AuditEntry, FieldChange, Permission, Role};
use domain::terms::{Actor, Stamp};
use serde_json::json;
use store::TenantScope;
use testkit::api::Town;
use testkit::{Answer, Aws, texts};

const AUDIT: &str = "/api/v1/audit";

async fn town(aws: &Aws) -> Town<'_> {
    Town::new(aws, audit::routes).await
}

/// A change of a name, now.
async fn write(aws: &Aws, scope: &TenantScope, actor: Actor, object: &str) {
    let entry = AuditEntry {
        by: Stamp {
            actor,
            at: aws.now(),
            correlation_id: "request-1".to_owned(),
        },
        action: Action::Changed,
        kind: "connection".to_owned(),
        object: object.to_owned(),
        changes: vec![
            FieldChange {
                field: "name".to_owned(),
                before: Some("Old".into()),
                after: Some("New".into()),
                hidden: false,
            },
            FieldChange {
                field: "send".to_owned(),
                before: None,
                after: None,
                hidden: true,
            },
        ],
    };
    let id = aws.ids().ulid().to_string().to_ascii_lowercase();
    assert!(aws.store().record_audit(scope, &id, &entry).await.unwrap());
}

fn objects(answer: &Answer) -> Vec<String> {
    answer.texts("object")
}

#[tokio::test]
async fn managers_read_who_changed_what_and_others_do_not() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.home.person(Role::Manager).user;
    write(&aws, town.home.scope(), Actor::User(manager), "conn_1").await;
    for role in [Role::Viewer, Role::Agent] {
        assert_eq!(town.role(role).get(AUDIT).await.status(), 403, "{role}");
    }
    town.anyone().get(AUDIT).await.is(401);
    let (_, narrow) = town.new_key(Role::Admin, &[Permission::TenantRead]).await;
    town.api_key(&narrow).get(AUDIT).await.is(403);
    let read = town.manager().get(AUDIT).await;
    let entry = &read.json()["items"][0];
    assert_eq!(entry["actor"], manager.to_string());
    assert_eq!(
        (&entry["action"], &entry["kind"], &entry["object"]),
        (&json!("changed"), &json!("connection"), &json!("conn_1"))
    );
    assert_eq!(
        (&entry["at"], &entry["correlation_id"]),
        (&json!("2026-11-20T12:00:00Z"), &json!("request-1"))
    );
    assert_eq!(
        entry["changes"],
        json!([
            {"field": "name", "before": "Old", "after": "New", "hidden": false},
            {"field": "send", "before": null, "after": null, "hidden": true},
        ])
    );
    assert_eq!(read.json()["next_cursor"], json!(null));
}

#[tokio::test]
async fn another_tenants_log_is_not_read_with_any_parameter() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (home, away) = (town.home.scope(), town.away.scope());
    let actor = Actor::User(town.away.person(Role::Admin).user);
    for object in ["conn_a", "conn_b", "conn_c"] {
        write(&aws, away, actor, object).await;
    }
    write(&aws, home, Actor::Operator, "conn_ours").await;
    let first = town.foreign_admin().get("/api/v1/audit?limit=1").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    for query in [
        format!("actor={actor}"),
        "object=conn_a".to_owned(),
        format!("cursor={cursor}"),
        format!("cursor={cursor}&limit=100"),
    ] {
        let read = town.admin().get(&format!("{AUDIT}?{query}")).await;
        let is_ours = objects(&read).iter().all(|object| object == "conn_ours");
        assert!(is_ours, "{query}: {}", read.text());
    }
}

#[tokio::test]
async fn the_log_is_read_by_period_actor_and_object_the_newest_first() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let ann = Actor::User(town.home.person(Role::Admin).user);
    let bob = Actor::ApiKey(town.home.key);
    for day in 0..9 {
        let actor = if day % 2 == 0 { ann } else { bob };
        write(&aws, town.home.scope(), actor, &format!("conn_{}", day % 3)).await;
        aws.pass(24 * 3600);
    }
    // Nine days have passed; the last seven are shown.
    let admin = town.admin();
    let latest = ["conn_2", "conn_1", "conn_0", "conn_2", "conn_1", "conn_0", "conn_2"];
    assert_eq!(objects(&admin.get(AUDIT).await), latest);
    let found = async |query: &str| objects(&admin.get(&format!("{AUDIT}?{query}")).await);
    let all = "from=2026-11-20T00:00:00Z&to=2026-11-30T00:00:00Z";
    assert_eq!(found(all).await.len(), 9);
    assert_eq!(found(&format!("{all}&object=conn_1")).await, ["conn_1"; 3]);
    let of_bob = format!("{all}&actor={bob}");
    assert_eq!(found(&of_bob).await.len(), 4);
    assert_eq!(found(&format!("{of_bob}&object=conn_1")).await, ["conn_1"; 2]);
    // From the first moment up to, not including, the last.
    let exact = "from=2026-11-21T12:00:00Z&to=2026-11-22T12:00:00Z";
    assert_eq!(found(exact).await, ["conn_1"]);
    for limit in [1, 2, 4, 9] {
        let found = admin.all(&format!("{AUDIT}?{all}&actor={ann}"), limit).await;
        let found = texts(&found, "object");
        assert_eq!(found, ["conn_2", "conn_0", "conn_1", "conn_2", "conn_0"], "by {limit}");
    }
}

#[tokio::test]
async fn a_period_over_the_turn_of_a_month_is_read_month_by_month() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let ann = Actor::User(town.home.person(Role::Admin).user);
    let bob = Actor::ApiKey(town.home.key);
    // From 20 November on: three by one before the turn, two by the other after it.
    aws.pass(8 * 24 * 3600);
    for (actor, object) in [(ann, "28"), (ann, "29"), (ann, "30"), (bob, "1"), (bob, "2")] {
        write(&aws, town.home.scope(), actor, object).await;
        aws.pass(24 * 3600);
    }
    let admin = town.admin();
    let pages = async |query: String| {
        let pages = admin.pages(&format!("{AUDIT}?{query}")).await;
        pages.iter().map(|page| objects(page).join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(pages("limit=100".to_owned()).await, ["2 1", "30 29 28"]);
    assert_eq!(pages("limit=2".to_owned()).await, ["2 1", "30 29", "28"]);
    assert_eq!(pages("limit=1".to_owned()).await, ["2", "1", "30", "29", "28"]);
    // A month without anything to show costs no page of its own.
    assert_eq!(pages(format!("actor={ann}")).await, ["30 29 28"]);
    assert_eq!(pages(format!("actor={bob}")).await, ["2 1", ""]);
    let month = "from=2026-11-03T00:00:00Z&to=2026-12-03T00:00:00Z";
    assert_eq!(pages(month.to_owned()).await, ["2 1", "30 29 28"]);
    let december = "from=2026-12-01T00:00:00Z&to=2026-12-03T00:00:00Z";
    assert_eq!(pages(december.to_owned()).await, ["2 1"]);
}

#[tokio::test]
async fn invalid_query_names_the_wrong_parameters() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    for (query, field) in [
        ("from=yesterday", "from"),
        ("to=2026-11-20", "to"),
        ("from=2026-11-21T00:00:00Z&to=2026-11-20T00:00:00Z", "from"),
        ("from=2026-10-01T00:00:00Z&to=2026-11-20T00:00:00Z", "from"),
        ("from=2020-10-01T00:00:00Z", "from"),
        ("actor=nobody", "actor"),
        ("who=nobody", "who"),
        ("limit=101", "limit"),
        ("to=-009999-01-02T01:00:00Z", "to"),
    ] {
        town.admin().get(&format!("{AUDIT}?{query}")).await.names_only(&[field]);
    }
    // Cursors that are none, and one of another list.
    for cursor in ["nonsense", "MXVzcl8wMWhxNWMxeW55YzAwMDAwMDAwMDAwMDBhYg"] {
        town.admin().get(&format!("{AUDIT}?cursor={cursor}")).await.is(400);
    }
    let edges = "from=-009999-01-02T02:00:00Z&to=-009999-01-20T00:00:00Z";
    assert_eq!(objects(&town.admin().get(&format!("{AUDIT}?{edges}")).await).len(), 0);
    let edges = "from=9999-12-01T00:00:00Z&to=9999-12-30T22:00:00Z";
    assert_eq!(objects(&town.admin().get(&format!("{AUDIT}?{edges}")).await).len(), 0);
}
