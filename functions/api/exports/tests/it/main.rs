//! Exports, in process against the emulator, from the callers' point of view.

use domain::accounts::{Action, AuditEntry, Permission, Role};
use domain::campaigns::Campaign;
use domain::reports::ExportResult;
use domain::terms::OperationId;
use jiff::SignedDuration;
use kit::{FileKey, Files};
use serde_json::{Value, json};
use testkit::Aws;
use testkit::api::Town;

const EXPORTS: &str = "/api/v1/exports";

async fn town(aws: &Aws) -> Town<'_> {
    Town::new(aws, exports::routes).await
}

/// Ends an export, as its function does.
async fn finish(town: &Town<'_>, place: &str, name: &str) {
    let aws = town.aws();
    let scope = town.home.scope();
    let id: OperationId = place.rsplit('/').next().unwrap().parse().unwrap();
    let files = Files::new(aws.env()).unwrap();
    let key = FileKey::result(scope, id.ulid(), name);
    files.write(&key, b"exported".to_vec()).await.unwrap();
    let result = ExportResult {
        rows: 3,
        left_out: 0,
        size: 8,
    };
    aws.end_operation(scope, id, &result).await;
}

#[tokio::test]
async fn an_export_ends_with_a_link_that_is_audited() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let created = manager.post(EXPORTS, json!({"what": "contacts"})).await;
    let shown = created.is(201).json();
    assert_eq!(
        (&shown["format"], &shown["from"], &shown["file"]),
        (&json!("csv"), &Value::Null, &Value::Null)
    );
    assert_eq!(shown["operation"]["kind"], "export_data");
    let place = created.header("location").to_owned();
    assert!(manager.get(&place).await.is(200).json()["file"].is_null());
    let read = aws.audit_log(town.home.scope()).await;
    assert_eq!(read, [], "nobody has read anything");
    finish(&town, &place, "contacts.csv").await;
    let shown = manager.get(&place).await.is(200).json();
    assert_eq!(shown["operation"]["result"]["rows"], 3);
    let link = shown["file"]["url"].as_str().unwrap();
    assert!(link.contains("response-cache-control=private%2C%20no-store"), "{link}");
    let expires_at = aws.now() + SignedDuration::from_mins(5);
    assert_eq!(shown["file"]["expires_at"], json!(expires_at));
    let file = reqwest::get(link).await.unwrap();
    assert_eq!(file.text().await.unwrap(), "exported");
    // Once an hour and reader.
    manager.get(&place).await.is(200);
    town.admin().get(&place).await.is(200);
    let read = aws.audit_log(town.home.scope()).await;
    assert_eq!(read.len(), 2, "{read:?}");
    let id = place.rsplit('/').next().unwrap();
    let is_look = |entry: &AuditEntry| entry.action == Action::Read && entry.object == id;
    assert!(read.iter().all(is_look), "{read:?}");
    let listed = &manager.get(EXPORTS).await.items()[0];
    assert_eq!((&listed["id"], &listed["file"]), (&json!(id), &Value::Null));
    // The file is deleted after a week.
    aws.pass(7 * 24 * 3_600 + 1);
    assert!(town.manager().get(&place).await.is(200).json()["file"].is_null());
}

/// The request itself is audited by the operation that it creates.
#[tokio::test]
async fn whoever_exports_signs_the_operation() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    town.manager().post(EXPORTS, json!({"what": "messages"})).await.is(201);
    let manager = town.home.person(Role::Manager).user.to_string();
    assert_eq!(aws.signed_by(&manager).await, 1);
}

#[tokio::test]
async fn periods_have_bounds() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let usual = manager.post(EXPORTS, json!({"what": "calls"})).await.is(201).json();
    assert_eq!(usual["to"], aws.now().to_string());
    let month_ago = aws.now() - SignedDuration::from_hours(30 * 24);
    assert_eq!(usual["from"], month_ago.to_string());
    for (body, field) in [
        (json!({"what": "contacts", "from": "2026-01-01T00:00:00Z"}), "from"),
        (json!({"what": "consent", "to": "2026-01-01T00:00:00Z"}), "to"),
        (
            json!({"what": "calls", "from": "2026-11-20T00:00:00Z", "to": "2026-11-20T00:00:00Z"}),
            "from",
        ),
        (
            json!({"what": "calls", "from": "2025-01-01T00:00:00Z", "to": "2026-11-20T00:00:00Z"}),
            "from",
        ),
        (json!({"what": "messages", "to": "-009999-01-02T01:59:59Z"}), "to"),
        (
            json!({"what": "contacts", "campaign_id": "cmp_00000000010000000000000000"}),
            "campaign_id",
        ),
        (json!({"what": "everything"}), "what"),
        (json!({"what": "calls", "format": "xlsx"}), "format"),
        (json!({}), "what"),
    ] {
        manager.post(EXPORTS, body).await.names_field(field);
    }
}

#[tokio::test]
async fn exports_need_a_permission_and_are_the_tenants_own() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let created = town.admin().post(EXPORTS, json!({"what": "contacts"})).await;
    let place = created.is(201).header("location").to_owned();
    let log = town.admin().post(EXPORTS, json!({"what": "audit"})).await;
    let log = log.is(201).header("location").to_owned();
    finish(&town, &log, "audit.csv").await;
    let scopes = [Permission::ExportsRead, Permission::ExportsWrite];
    let exporter = town.new_key(Role::Admin, &scopes).await.1;
    for (caller, may) in [
        (town.viewer(), false),
        (town.agent(), false),
        (town.manager(), true),
        (town.api_key(&exporter), true),
    ] {
        let of = |status: u16| if may { status } else { 403 };
        caller.get(EXPORTS).await.is(of(200));
        caller.get(&place).await.is(of(200));
        caller.post(EXPORTS, json!({"what": "calls"})).await.is(of(201));
    }
    // The audit log has its own permission.
    let caller = town.api_key(&exporter);
    for asked in [
        caller.post(EXPORTS, json!({"what": "audit"})),
        caller.get(&log),
        caller.post(EXPORTS, json!({"what": "recipients"})),
    ] {
        asked.await.is_refused(403, "forbidden");
    }
    let foreign = town.foreign_admin();
    foreign.get(&place).await.is(404);
    assert_eq!(foreign.get(EXPORTS).await.is(200).json()["items"], json!([]));
}

#[tokio::test]
async fn recipients_are_exported_of_ones_own_broadcast() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (manager, scope) = (town.manager(), town.home.scope());
    let broadcast: Campaign = aws
        .create_owned(scope, json!({"type": "broadcast", "name": "Offer"}))
        .await;
    let drip: Campaign = aws
        .create_owned(scope, json!({"type": "drip", "name": "Welcome"}))
        .await;
    let order = json!({"what": "recipients", "campaign_id": broadcast.id});
    let created = manager.post(EXPORTS, order.clone()).await;
    let shown = created.is(201).json();
    assert_eq!(
        (&shown["campaign_id"], &shown["from"]),
        (&json!(broadcast.id), &Value::Null)
    );
    let place = created.header("location").to_owned();
    finish(&town, &place, "recipients.csv").await;
    assert!(manager.get(&place).await.is(200).json()["file"]["url"].is_string());
    let foreign = town.foreign_admin().post(EXPORTS, order).await;
    foreign.names_field("campaign_id");
    for (order, field) in [
        (json!({"what": "recipients"}), "campaign_id"),
        (json!({"what": "recipients", "campaign_id": drip.id}), "campaign_id"),
        (
            json!({"what": "recipients", "campaign_id": broadcast.id, "from": "2026-01-01T00:00:00Z"}),
            "from",
        ),
    ] {
        manager.post(EXPORTS, order).await.names_field(field);
    }
}
