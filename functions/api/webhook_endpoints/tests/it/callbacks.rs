//! The right of receivers to call back, which only those give who give out keys.

use super::*;

async fn town<'a>(aws: &'a Aws, base: &str) -> Town<'a> {
    let env = aws.env_with(&[("PUBLIC_BASE_URL", base)]);
    Town::with_env(aws, &env, routes).await
}

const BASE: &str = "https://api.example.com";

fn callback(key: &impl ToString) -> Value {
    json!({"api_key_id": key.to_string(), "from": ["203.0.113.0/24"]})
}

#[tokio::test]
async fn administrators_give_callbacks_and_managers_leave_them() {
    let aws = Aws::new().await;
    let town = town(&aws, BASE).await;
    let (key, _) = town.new_key(Role::Agent, &[]).await;
    let with_callback = with("callback", callback(&key));
    town.manager()
        .post(ENDPOINTS, with_callback.clone())
        .await
        .is_refused(403, "forbidden");
    let made = town.admin().post(ENDPOINTS, with_callback).await.is(201).json();
    assert_eq!(made["callback"], callback(&key));
    let plain = make(&town, new()).await;
    assert_eq!(plain["callback"], Value::Null);
    let refused = [
        (&plain, json!({"callback": callback(&key)})),
        (&made, json!({"callback": {"from": ["198.51.100.7"]}})),
        // Tokens would go elsewhere.
        (&made, json!({"url": "https://other.example.com/hook"})),
        (&made, json!({"header": {"name": "x-token", "value": "mine"}})),
        (&made, json!({"callback": null})),
    ];
    for (endpoint, change) in refused {
        town.manager()
            .patch(&path(endpoint), change.clone())
            .await
            .is_refused(403, "forbidden");
        let changed = town.admin().patch(&path(endpoint), change).await;
        changed.is(200);
    }
    let again = json!({"callback": callback(&key), "url": "https://shop.example.com/hook"});
    town.admin().patch(&path(&made), again.clone()).await.is(200);
    // A new value of the same header.
    let value = json!({"header": {"value": "other"}});
    town.manager()
        .patch(&path(&made), value)
        .await
        .is_refused(403, "forbidden");
    for change in [
        again,
        json!({"name": "Till", "events": ["call.decided"], "content": true}),
    ] {
        town.manager().patch(&path(&made), change).await.is(200);
    }
    for verb in ["disable", "enable", "rotate-secret"] {
        town.manager()
            .post(&format!("{}/{verb}", path(&made)), json!({}))
            .await
            .is(200);
    }
    town.manager().delete(&path(&made)).await.is(204);
}

/// Nobody can have a receiver do more than they may themselves.
#[tokio::test]
async fn callback_needs_a_valid_key_within_the_callers_rights() {
    let aws = Aws::new().await;
    let town = town(&aws, BASE).await;
    let (key, _) = town.new_key(Role::Agent, &[]).await;
    let (ends, _) = town
        .new_key_until(Role::Agent, aws.now() + SignedDuration::from_secs(60))
        .await;
    aws.pass(60);
    let unknown = "key_00000000000000000000000001";
    for (wrong, field) in [
        (callback(&unknown), "callback.api_key_id"),
        (callback(&town.away.key), "callback.api_key_id"),
        (callback(&ends), "callback.api_key_id"),
        (json!({"api_key_id": key}), "callback.from"),
        (json!({"api_key_id": key, "from": []}), "callback.from"),
        (
            json!({"api_key_id": key, "from": ["203.0.113.7", "0.0.0.0/0"]}),
            "callback.from[1]",
        ),
        (
            json!({"api_key_id": key, "from": ["203.0.113.7"], "until": null}),
            "callback.until",
        ),
    ] {
        let refused = town.admin().post(ENDPOINTS, with("callback", wrong.clone())).await;
        refused.names_field(field);
    }
    let scopes = [
        Permission::WebhooksWrite,
        Permission::ApiKeysWrite,
        Permission::CallsRead,
        Permission::MessagesRead,
    ];
    let (_, narrow) = town.new_key(Role::Admin, &scopes).await;
    let narrow = town.api_key(&narrow);
    let refused = narrow.post(ENDPOINTS, with("callback", callback(&key))).await;
    refused.names_field("callback.api_key_id");
    let made = town
        .admin()
        .post(ENDPOINTS, with("callback", callback(&key)))
        .await
        .is(201)
        .json();
    let moved = json!({"url": "https://other.example.com/hook"});
    narrow
        .patch(&path(&made), moved)
        .await
        .names_field("callback.api_key_id");
    let (reads, _) = town.new_key(Role::Agent, &[Permission::CallsRead]).await;
    narrow.post(ENDPOINTS, with("callback", callback(&reads))).await.is(201);
}

#[tokio::test]
async fn deployment_without_an_address_has_no_callbacks() {
    let aws = Aws::new().await;
    let town = town(&aws, "").await;
    let asked = town.admin().post(ENDPOINTS, with("callback", callback(&town.home.key)));
    asked.await.names_field("callback");
}
