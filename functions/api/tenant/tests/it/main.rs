//! The settings of a tenant: permissions, limits, and the progress of the set-up.

mod retention;
mod setup;

use domain::tenants::{Tenant, TenantConfig};
use serde_json::{Value, json};
use store::tenants::ConfigCache;
use testkit::api::Town;
use testkit::{Aws, assert_snapshot};

const TENANT: &str = "/api/v1/tenant";
const SETUP: &str = "/api/v1/tenant/setup";

async fn config(town: &Town<'_>) -> TenantConfig {
    let (store, cache) = (town.aws().store(), ConfigCache::default());
    let config = store
        .config(town.home.scope(), &cache)
        .await
        .expect("the table answers");
    (*config.expect("the tenant is there")).clone()
}

#[tokio::test]
async fn patched_settings_change_and_others_stay() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let manager = town.manager();
    let before = manager.get(TENANT).await;
    before.is(200);
    let changed = manager
        .patch(
            TENANT,
            json!({
                "name": "Saffron Bakery",
                "time_zone": "Asia/Dubai",
                "default_region": "AE",
                "languages": ["en", "ar"],
                "business_hours": {"monday": [{"from": "09:00", "to": "13:00"}, {"from": "16:00", "to": "02:00"}]},
                "holidays": [{"from": "2026-12-02", "to": "2026-12-03", "name": "National Day"}],
                "quiet_hours": {"from": "21:00", "to": "08:00"},
                "stop_words": ["kifaya"],
                "variables": {"phone": "+97145550001", "website": "https://saffron.example"},
                "retention": {"calls_days": 90}
            }),
        )
        .await;
    let body = changed.is(200).json();
    assert_eq!(
        body["business_hours"]["monday"][1],
        json!({"from": "16:00", "to": "02:00"})
    );
    assert_eq!(body["quiet_hours"]["action"], "defer");
    assert_eq!(body["retention"], json!({"calls_days": 90, "messages_days": 730}));
    assert_eq!(body["slug"], before.json()["slug"]);
    assert_ne!(changed.header("etag"), before.header("etag"));

    let read = town.viewer().get(TENANT).await;
    assert_eq!(read.json(), body);
    let setup = manager.get(SETUP).await;
    let refused = manager.patch(TENANT, json!({"name": ""})).await;
    assert_snapshot("tenant", &[&read, &setup, &refused]);
    assert_eq!(read.header("etag"), changed.header("etag"));

    let less = json!({"variables": {"website": null, "address": "Pier 7"}, "quiet_hours": null});
    let body = manager.patch(TENANT, less).await.is(200).json();
    assert_eq!(body["variables"], json!({"phone": "+97145550001", "address": "Pier 7"}));
    assert_eq!(body["quiet_hours"], Value::Null);
    assert_eq!(body["name"], "Saffron Bakery");
    let stored = config(&town).await.tenant;
    assert_eq!(stored.name, "Saffron Bakery");
    assert_eq!(stored.retention.unwrap().calls_days, 90);
}

/// Idle conversations are looked at from the change on, which others do not begin anew.
#[tokio::test]
async fn settings_of_the_inbox_are_changed_one_by_one() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let manager = town.manager();
    let change = async |fields: Value| {
        let changed = manager.patch(TENANT, json!({ "inbox": fields })).await;
        changed.is(200).json()["inbox"].clone()
    };
    let look = async || aws.store().idle_look(town.home.scope()).await.unwrap();
    let usual = json!({
        "notify_after_minutes": 10, "close_after_days": null, "close_unanswered": false, "hand_over_after_minutes": null
    });
    assert_eq!(manager.get(TENANT).await.json()["inbox"], usual);
    let silent = change(json!({"notify_after_minutes": 0})).await;
    assert_eq!(silent["notify_after_minutes"], 0);
    assert_eq!(look().await, None);
    let closing = change(json!({"close_after_days": 14})).await;
    assert_eq!(
        (&closing["close_after_days"], &closing["notify_after_minutes"]),
        (&json!(14), &json!(0))
    );
    let begun = look().await.unwrap();
    assert_eq!(begun.value.at, Some(aws.now()));
    aws.pass(60);
    manager.patch(TENANT, json!({"name": "Pier 7"})).await.is(200);
    assert_eq!(look().await, Some(begun));
    change(json!({"close_unanswered": true})).await;
    assert_eq!(look().await.unwrap().value.at, Some(aws.now()));
    assert_eq!(change(json!(null)).await, usual);
    for (field, value) in [
        ("notify_after_minutes", 1_441),
        ("close_after_days", 0),
        ("hand_over_after_minutes", 4),
    ] {
        let refused = manager.patch(TENANT, json!({"inbox": {field: value}})).await;
        refused.names_only(&[&format!("inbox.{field}")]);
    }
}

#[tokio::test]
async fn orders_may_wait_for_two_days_unless_set() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let manager = town.manager();
    let set = async |hours: Value| {
        manager
            .patch(TENANT, json!({"orders": {"late_after_hours": hours}}))
            .await
    };
    assert_eq!(
        manager.get(TENANT).await.json()["orders"],
        json!({"late_after_hours": 48})
    );
    assert_eq!(config(&town).await.tenant.orders, None);
    for (hours, shown) in [(json!(0), 0), (json!(720), 720), (json!(null), 48)] {
        assert_eq!(
            set(hours).await.is(200).json()["orders"],
            json!({"late_after_hours": shown})
        );
    }
    set(json!(721)).await.names_only(&["orders.late_after_hours"]);
}

#[tokio::test]
async fn invalid_settings_are_refused_by_field() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let manager = town.manager();
    let before = config(&town).await;
    let holiday = json!({"from": "2026-12-03", "to": "2026-12-02"});
    let cases = [
        (json!({"name": ""}), "name"),
        (json!({"name": 7}), "name"),
        (json!({"name": null}), "name"),
        (json!({"name": "x".repeat(101)}), "name"),
        (json!({"time_zone": "Mars/Olympus"}), "time_zone"),
        (json!({"default_region": "UK"}), "default_region"),
        (json!({"languages": ["en", "english"]}), "languages[1]"),
        (
            json!({"business_hours": {"monday": [{"from": "9", "to": "18:00"}]}}),
            "business_hours.monday[0].from",
        ),
        (json!({"business_hours": {"funday": []}}), "business_hours.funday"),
        (
            json!({"business_hours": {"monday": [{"from": "09:00", "to": "18:00"}, {"from": "10:00", "to": "11:00"}]}}),
            "business_hours.monday",
        ),
        (json!({"holidays": [holiday]}), "holidays[0].to"),
        (
            json!({"holidays": vec![json!({"from": "2026-12-03"}); 201]}),
            "holidays",
        ),
        (
            json!({"quiet_hours": {"from": "25:00", "to": "08:00"}}),
            "quiet_hours.from",
        ),
        (
            json!({"quiet_hours": {"from": "21:00", "to": "21:00"}}),
            "quiet_hours.to",
        ),
        (json!({"recipient_zones": {"abc": "Asia/Dubai"}}), "recipient_zones"),
        (json!({"allowed_countries": ["AE", "uae"]}), "allowed_countries[1]"),
        (json!({"variables": {"phone": "x".repeat(501)}}), "variables.phone"),
        (json!({"retention": {"messages_days": 1}}), "retention.messages_days"),
        (
            json!({"answers": {"help": {"text": "{{contact.nme}}"}}}),
            "answers.help.text",
        ),
        (
            json!({"answers": {"after_hours": {"text": {"en": "{{call.time}}"}}}}),
            "answers.after_hours.text.en",
        ),
        (
            json!({"answers": {"after_hours": {"every_seconds": 60}}}),
            "answers.after_hours.every_seconds",
        ),
        (json!({"answers": {"stop": {"enabled": "yes"}}}), "answers.stop.enabled"),
        (json!({"answers": {"later": {"enabled": true}}}), "answers.later"),
        (json!({"id": "tnt_00000000000000000000000001"}), "id"),
        (json!({"status": "active"}), "status"),
        (json!({"plan": null}), "plan"),
    ];
    for (patch, field) in cases {
        manager.patch(TENANT, patch).await.names_field(field);
    }
    for (body, status) in [("[]", 422), ("{", 400), ("nonsense", 400)] {
        manager.patch(TENANT, json!({})).raw_body(body).await.is(status);
    }
    assert_eq!(config(&town).await, before);
}

/// Unchanged answers have their defaults, whatever these will be.
#[tokio::test]
async fn automatic_answers_are_changed_one_by_one() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let manager = town.manager();
    let usual = manager.get(TENANT).await.json()["answers"].clone();
    let off = json!({"enabled": false, "text": null});
    assert_eq!(
        usual,
        json!({
            "after_hours": {"enabled": false, "text": null, "every_seconds": 43_200},
            "help": {"enabled": true, "text": null}, "stop": off, "start": off,
        })
    );
    let texts = json!({"en": "{{tenant.name}} is closed.", "ar": "{{tenant.name}} مغلق."});
    let after_hours = json!({"enabled": true, "text": texts, "every_seconds": 3_600});
    let answers = json!({"answers": {"after_hours": after_hours}});
    let body = manager.patch(TENANT, answers).await.is(200).json();
    assert_eq!(body["answers"]["after_hours"], after_hours);
    assert_eq!(body["answers"]["help"], usual["help"]);
    let stored = config(&town).await.tenant.answers.expect("they differ");
    assert!(stored.after_hours.enabled && stored.help.enabled && !stored.stop.enabled);

    let less = json!({"after_hours": {"text": {"ar": null}, "every_seconds": null}, "help": {"enabled": false}});
    let body = manager.patch(TENANT, json!({"answers": less})).await.is(200).json();
    assert_eq!(
        body["answers"]["after_hours"],
        json!({"enabled": true, "text": {"en": "{{tenant.name}} is closed."}, "every_seconds": 43_200})
    );
    assert_eq!(body["answers"]["help"]["enabled"], false);
    let body = manager.patch(TENANT, json!({"answers": null})).await.is(200).json();
    assert_eq!(body["answers"], usual);
}

/// The answer stays small, whatever the number of errors.
#[tokio::test]
async fn many_wrong_items_get_fifty_errors_and_a_count() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let backwards = vec![json!({"from": "2026-12-03", "to": "2026-12-02"}); 200];
    let answer = town.manager().patch(TENANT, json!({"holidays": backwards})).await;
    let fields = answer.is_refused(422, "invalid").fields();
    assert_eq!((fields.len(), &*fields[49]), (50, "holidays[49].to"));
    assert_eq!(answer.json()["more_errors"], 150);
    let many = json!({"languages": vec!["wrong"; 7_000]});
    town.manager().patch(TENANT, many).await.names_only(&["languages"]);
}

/// Quiet hours from before such values were refused stay as they are.
#[tokio::test]
async fn old_invalid_quiet_hours_do_not_block_other_changes() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let hours = serde_json::from_value(json!({"from": "21:00", "to": "21:00"})).unwrap();
    let set = |tenant: &mut Tenant| tenant.quiet_hours = Some(hours);
    aws.change_tenant(town.home.scope(), set).await;
    let manager = town.manager();
    let renamed = manager.patch(TENANT, json!({"name": "Saffron"})).await;
    assert_eq!(renamed.is(200).json()["quiet_hours"]["to"], "21:00");
    for (patch, field) in [
        (
            json!({"quiet_hours": {"from": "20:00", "to": "20:00"}}),
            "quiet_hours.to",
        ),
        (json!({"name": ""}), "name"),
    ] {
        manager.patch(TENANT, patch).await.names_only(&[field]);
    }
}

#[tokio::test]
async fn stale_update_is_refused_and_empty_update_is_none() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let manager = town.manager();
    let version = config(&town).await.tenant.config_version;
    let rename = || manager.patch(TENANT, json!({"name": "Other"}));
    rename().if_match(version + 1).await.is(412);
    let right = rename().if_match(version).await;
    right.is(200).has_version(version + 1);
    let again = rename().await;
    assert_eq!(again.header("etag"), right.header("etag"), "nothing changed");
}

#[tokio::test]
async fn readers_cannot_change_settings() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    for caller in [town.viewer(), town.agent()] {
        caller.get(TENANT).await.is(200);
        caller.get(SETUP).await.is(200);
        caller.patch(TENANT, json!({"name": "Mine"})).await.is(403);
    }
    town.anyone().get(TENANT).await.is(401);
    assert_eq!(town.key().get(TENANT).await.json()["id"], town.home.tenant.to_string());
    let foreign = town.foreign_admin().get(TENANT).await;
    assert_eq!(foreign.json()["id"], town.away.tenant.to_string());
    let crossing = town.foreign_admin().in_tenant(town.home.tenant).get(TENANT).await;
    crossing.is(403);
}

#[tokio::test]
async fn the_steps_say_what_is_missing() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let viewer = town.viewer();
    let answer = viewer.get(SETUP).await;
    let body = answer.is(200).json();
    assert_eq!(body["ready"], false);
    let states: Vec<_> = body["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["id"].as_str().unwrap(), step["state"].as_str().unwrap()))
        .collect();
    assert_eq!(
        states,
        [
            ("profile", "todo"),
            ("hours", "attention"),
            ("telephone_line", "todo"),
            ("whatsapp", "todo"),
            ("sms_fallback", "todo"),
            ("template", "todo"),
            ("rule", "attention"),
        ]
    );
    let optional = |id: &str| {
        let steps = body["steps"].as_array().unwrap();
        steps.iter().any(|step| step["id"] == id && step["optional"] == true)
    };
    // Its first rule writes by SMS alone.
    assert!(optional("whatsapp") && optional("template") && !optional("sms_fallback"));
    for step in body["steps"].as_array().unwrap() {
        assert!(!step["missing"].as_array().unwrap().is_empty(), "{step}");
        assert!(step["operation"]["path"].as_str().unwrap().starts_with("/api/v1/"));
    }
}
