//! API keys, in process against the emulator, from the callers' point of view.

use domain::accounts::{Member, MemberStatus, Permission, Role};
use futures::future::join_all;
use serde_json::{Value, json};
use testkit::api::{Caller, Town};
use testkit::{Aws, Lossy, assert_snapshot};

const KEYS: &str = "/api/v1/api-keys";

async fn town(aws: &Aws) -> Town<'_> {
    Town::new(aws, api_keys::routes).await
}

/// Creates a key. Returns its secret and its shown part.
async fn make(caller: &Caller<'_>, body: Value) -> (String, Value) {
    let made = caller.post(KEYS, body).await;
    let body = made.is(201).json();
    (body["key"].as_str().unwrap().to_owned(), body["api_key"].clone())
}

/// Creates a key of the role admin. Returns its secret and its shown part.
async fn admin_key(town: &Town<'_>) -> (String, Value) {
    make(&town.admin(), json!({"name": "till", "role": "admin"})).await
}

/// When the secrets of a key end, the latest secret first.
fn ends(key: &Value) -> Vec<Value> {
    let secrets = key["secrets"].as_array().unwrap().iter();
    secrets.map(|secret| secret["valid_until"].clone()).collect()
}

fn path(key: &Value) -> String {
    format!("{KEYS}/{}", key["id"].as_str().unwrap())
}

#[tokio::test]
async fn only_administrators_see_and_make_keys() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    for role in [Role::Viewer, Role::Agent, Role::Manager] {
        assert_eq!(town.role(role).get(KEYS).await.status(), 403, "{role}");
        let body = json!({"name": "x", "role": "viewer"});
        assert_eq!(town.role(role).post(KEYS, body).await.status(), 403, "{role}");
    }
    town.anyone().get(KEYS).await.is(401);
    let (_, reading) = town.new_key(Role::Admin, &[Permission::ApiKeysRead]).await;
    town.api_key(&reading).get(KEYS).await.is(200);
    let body = json!({"name": "x", "role": "viewer"});
    town.api_key(&reading).post(KEYS, body).await.is(403);
}

#[tokio::test]
async fn a_key_is_shown_once_and_proves_its_software() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let body = json!({"name": " Till ", "role": "admin", "scopes": ["api_keys:read"]});
    let made = town.admin().post(KEYS, body).await;
    let (secret, key) = (made.is(201).json()["key"].clone(), made.json()["api_key"].clone());
    let secret = secret.as_str().unwrap();
    assert_eq!(made.header("location"), path(&key));
    assert_eq!(
        (&key["name"], &key["status"], &key["last_used_on"]),
        (&json!("Till"), &json!("active"), &json!(null))
    );
    assert_eq!(key["secrets"], json!([{"hint": &secret[..12], "valid_until": null}]));
    let used = town.api_key(secret).get(&path(&key)).await;
    assert_eq!(used.is(200).json()["last_used_on"], json!("2026-11-20"));
    let listed = town.admin().get(KEYS).await;
    assert!(listed.text().contains(key["id"].as_str().unwrap()));
    for answer in [&used, &listed] {
        let text = answer.text();
        assert!(!text.contains(secret) && !text.contains("sha256"), "{text}");
    }
}

/// A stolen key shows another network than its software's.
#[tokio::test]
async fn key_shows_network_of_last_use() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (secret, key) = admin_key(&town).await;
    assert_eq!(key["last_network"], json!(null));
    let networks = async || {
        let read = town.admin().get(&path(&key)).await.json();
        let listed = town.admin().get(KEYS).await.items();
        let listed = listed.into_iter().find(|other| other["id"] == key["id"]).unwrap();
        [read, listed].map(|key| key["last_network"].clone())
    };
    let use_from = |address: &str| town.api_key(&secret).get(KEYS).from_address(address);
    for (address, network) in [
        ("203.0.113.7", "203.0.113.0/24"),
        ("203.0.113.8", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        // Each network is recorded once a day.
        ("203.0.113.7", "2001:db8:1::/48"),
    ] {
        use_from(address).await.is(200);
        assert_eq!(networks().await, [network, network], "{address}");
    }
    aws.pass(24 * 3600);
    use_from("203.0.113.7").await.is(200);
    assert_eq!(networks().await, ["203.0.113.0/24", "203.0.113.0/24"]);
}

#[tokio::test]
async fn list_shows_last_use_on_every_page() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let mut expected = Vec::new();
    for (name, used) in [("a", true), ("b", false), ("c", true), ("d", true), ("e", false)] {
        aws.pass(1);
        let (secret, key) = make(&town.admin(), json!({"name": name, "role": "admin"})).await;
        if used {
            town.api_key(&secret).get(KEYS).await.is(200);
        }
        if name == "d" {
            town.admin().delete(&path(&key)).await.is(204);
        } else {
            expected.push((name.to_owned(), used));
        }
    }
    for limit in 1..=7 {
        let used = |key: &Value| {
            let name = key["name"].as_str().unwrap().to_owned();
            (name, key["last_used_on"].is_string())
        };
        let found = town.admin().all(KEYS, limit).await;
        let mut found: Vec<_> = found.iter().map(used).collect();
        // The town's own key is among them.
        found.retain(|(name, _)| name.len() == 1);
        assert_eq!(found, expected, "by {limit}");
    }
}

#[tokio::test]
async fn a_repeated_request_makes_one_key_and_never_shows_it_again() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let body = || json!({"name": "till", "role": "viewer"});
    let first = town.admin().post_once(KEYS, "k1", body()).await;
    let secret = first.json()["key"].as_str().unwrap().to_owned();
    let second = town.admin().post_once(KEYS, "k1", body()).await;
    second.is_refused(409, "already_done");
    assert_eq!(second.header("location"), first.header("location"));
    assert!(!second.text().contains(&secret));
    let other = json!({"name": "other", "role": "viewer"});
    town.admin().post_once(KEYS, "k1", other).await.is(422);
    let keys = town.admin().get(KEYS).await.items();
    assert_eq!(keys.len(), 2, "the town's own and this one");
}

#[tokio::test]
async fn invalid_key_names_the_wrong_fields() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    for (field, value, wrong) in [
        ("scopes", json!(["tenant:read", "users:write"]), "scopes[1]"),
        ("scopes", json!(["everything"]), "scopes[0]"),
        ("role", json!("owner"), "role"),
        ("name", json!(""), "name"),
        ("name", json!("a\nb"), "name"),
        ("name", json!("x".repeat(81)), "name"),
        ("expires_at", json!("2026-11-20T12:00:00Z"), "expires_at"),
        ("expires_at", json!("tomorrow"), "expires_at"),
        ("secret", json!("mine"), "secret"),
    ] {
        let mut body = json!({"name": "x", "role": "agent"});
        body[field] = value;
        town.admin().post(KEYS, body).await.names_field(wrong);
    }
    town.admin().post(KEYS, json!({"name": "x"})).await.names_field("role");
    assert_eq!(town.admin().get(KEYS).await.items().len(), 1);
}

#[tokio::test]
async fn a_key_never_escalates() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let scopes = [
        Permission::ApiKeysRead,
        Permission::ApiKeysWrite,
        Permission::TenantRead,
    ];
    let (_, narrow) = town.new_key(Role::Admin, &scopes).await;
    let narrow = town.api_key(&narrow);
    // Not by another key, of the same role or a lower one …
    for role in ["admin", "manager", "viewer"] {
        let answer = narrow.post(KEYS, json!({"name": "x", "role": role})).await;
        answer.names_field("scopes");
    }
    let wider = json!({"name": "x", "role": "admin", "scopes": ["tenant:read", "users:write"]});
    narrow.post(KEYS, wider).await.names_field("scopes");
    let same = json!({"name": "x", "role": "admin", "scopes": ["tenant:read", "api_keys:write"]});
    let (_, child) = make(&narrow, same).await;
    // … nor by changing one …
    for scopes in [json!([]), json!(["users:write"]), json!(null)] {
        let answer = narrow.patch(&path(&child), json!({"scopes": scopes})).await;
        answer.names_field("scopes");
    }
    // … nor by taking the secret of one that may do more.
    let strong = format!("{KEYS}/{}", town.home.key);
    narrow.post(&format!("{strong}/rotate"), json!({})).await.is(403);
    let answer = narrow.post(&format!("{}/rotate", path(&child)), json!({})).await;
    answer.is(200);
    town.key().get(KEYS).await.is(200);
}

#[tokio::test]
async fn key_update_requires_its_latest_version() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (secret, key) = admin_key(&town).await;
    let change = json!({"name": "kiosk", "scopes": ["api_keys:read", "api_keys:read", "tenant:read"], "expires_at": "2026-11-21T00:00:00Z"});
    let changed = town.admin().patch(&path(&key), change).if_match(1).await;
    changed.is(200).has_version(2);
    let body = changed.json();
    assert_eq!(
        (&body["name"], &body["scopes"]),
        (&json!("kiosk"), &json!(["tenant:read", "api_keys:read"]))
    );
    let answer = town.admin().patch(&path(&key), json!({"name": "x"})).if_match(1).await;
    answer.is(412);
    for (wrong, field) in [
        (json!({"role": "viewer"}), "role"),
        (json!({"name": null}), "name"),
        (json!({"expires_at": "2020-01-01T00:00:00Z"}), "expires_at"),
    ] {
        town.admin().patch(&path(&key), wrong).await.names_field(field);
    }
    town.api_key(&secret).get(KEYS).await.is(200);
    aws.pass(12 * 3600);
    assert_eq!(town.api_key(&secret).get(KEYS).await.status(), 401, "it is over");
    assert_eq!(town.admin().get(&path(&key)).await.json()["status"], "expired");
    let longer = town.admin().patch(&path(&key), json!({"expires_at": null})).await;
    assert_eq!(longer.is(200).json()["status"], json!("active"));
    town.api_key(&secret).get(KEYS).await.is(200);
}

#[tokio::test]
async fn rotated_key_accepts_both_secrets_during_overlap_only() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (old, key) = admin_key(&town).await;
    let rotate = format!("{}/rotate", path(&key));
    for wrong in [
        json!({"overlap_hours": 169}),
        json!({"overlap_hours": -1}),
        json!({"overlap_hours": "1"}),
    ] {
        town.admin().post(&rotate, wrong).await.names_field("overlap_hours");
    }
    let rotated = town.admin().post_once(&rotate, "r1", json!({"overlap_hours": 1})).await;
    let new = rotated.is(200).json()["key"].as_str().unwrap().to_owned();
    assert_eq!(ends(&rotated.json()["api_key"])[1], "2026-11-20T13:00:00Z");
    let answer = town.admin().post_once(&rotate, "r1", json!({"overlap_hours": 1})).await;
    answer.is_refused(409, "already_done");
    for secret in [&old, &new] {
        town.api_key(secret).get(KEYS).await.is(200);
    }
    aws.pass(3600);
    town.api_key(&old).get(KEYS).await.is(401);
    town.api_key(&new).get(KEYS).await.is(200);
    let third = town.admin().post(&rotate, json!({})).await.json();
    // It leaked: neither works from now on.
    let fourth = town.admin().post(&rotate, json!({"overlap_hours": 0})).await.json();
    for secret in [&new, third["key"].as_str().unwrap()] {
        town.api_key(secret).get(KEYS).await.is(401);
    }
    town.api_key(fourth["key"].as_str().unwrap()).get(KEYS).await.is(200);
    assert_eq!(fourth["api_key"]["secrets"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_rotation_while_another_runs_ends_no_secret_before_its_time() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (old, key) = admin_key(&town).await;
    let rotate = format!("{}/rotate", path(&key));
    let (mut secrets, mut expected) = (vec![old], vec![Value::Null]);
    for hours in 1..=3 {
        expected.insert(1, json!(format!("2026-11-20T{}:00:00Z", 12 + hours)));
        let rotated = town.admin().post(&rotate, json!({"overlap_hours": hours})).await;
        let rotated = rotated.is(200).json();
        secrets.push(rotated["key"].as_str().unwrap().to_owned());
        assert_eq!(ends(&rotated["api_key"]), expected);
    }
    let answer = town.admin().post(&rotate, json!({})).await;
    answer.is_refused(409, "still_rotating");
    for secret in &secrets {
        town.api_key(secret).get(KEYS).await.is(200);
    }
    aws.pass(3600);
    town.api_key(&secrets[0]).get(KEYS).await.is(401);
    town.admin().post(&rotate, json!({})).await.is(200);
}

/// The answer of the first attempt was lost.
#[tokio::test]
async fn lost_rotation_is_repeated_and_old_secret_stays_valid() {
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let town = Town::with_env(&aws, &aws.env_behind(lossy.url()), api_keys::routes).await;
    let (old, key) = admin_key(&town).await;
    let rotate = format!("{}/rotate", path(&key));
    let rotate = || town.admin().post_once(&rotate, "r1", json!({"overlap_hours": 1}));
    lossy.lose_all("TransactWriteItems");
    rotate().await.is_refused(503, "unavailable");
    assert!(lossy.has_lost_all());
    let shown = async || town.admin().get(&path(&key)).await.json();
    let overlapping = [Value::Null, json!("2026-11-20T13:00:00Z")];
    assert_eq!(ends(&shown().await), overlapping, "it had its effect");
    aws.pass(60);
    let rotated = rotate().await;
    rotated.is(200);
    assert_eq!(ends(&shown().await), overlapping);
    for secret in [&old, rotated.json()["key"].as_str().unwrap()] {
        town.api_key(secret).get(KEYS).await.is(200);
    }
}

/// A secret that is being replaced, perhaps because it was stolen, cannot extend its own access.
#[tokio::test]
async fn expiring_secret_grants_no_later_expiry() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (old, key) = admin_key(&town).await;
    let rotate = format!("{}/rotate", path(&key));
    let rotated = town.api_key(&old).post_once(&rotate, "r1", json!({"overlap_hours": 1}));
    let rotated = rotated.await;
    rotated.is(200);
    let old = town.api_key(&old);
    let child = |expires_at: Value| json!({"name": "x", "role": "viewer", "expires_at": expires_at});
    for later in [json!(null), json!("2026-11-20T13:00:01Z")] {
        old.post(KEYS, child(later)).await.names_field("expires_at");
    }
    old.post(KEYS, child(json!("2026-11-20T13:00:00Z"))).await.is(201);
    let answer = old.post(&rotate, json!({"overlap_hours": 0})).await;
    answer.is_refused(403, "forbidden");
    let new = town.api_key(rotated.json()["key"].as_str().unwrap());
    new.post(KEYS, child(json!(null))).await.is(201);
}

/// The software repeats the request with the only secret that it has.
#[tokio::test]
async fn a_key_that_rotates_itself_and_hears_nothing_tries_again() {
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let town = Town::with_env(&aws, &aws.env_behind(lossy.url()), api_keys::routes).await;
    let (old, key) = admin_key(&town).await;
    let rotate = format!("{}/rotate", path(&key));
    let rotate = || town.api_key(&old).post_once(&rotate, "r1", json!({"overlap_hours": 1}));
    lossy.lose_all("TransactWriteItems");
    rotate().await.is_refused(503, "unavailable");
    aws.pass(60);
    rotate().await.is(200);
}

#[tokio::test]
async fn expiring_key_grants_no_later_expiry() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let ends = "2026-11-27T12:00:00Z";
    let week = json!({"name": "week", "role": "admin", "expires_at": ends});
    let (secret, key) = make(&town.admin(), week).await;
    let weekly = town.api_key(&secret);
    let child = |expires_at: Value| json!({"name": "x", "role": "viewer", "expires_at": expires_at});
    let longer = [json!(null), json!("2026-11-27T12:00:01Z")];
    for later in longer.clone() {
        weekly.post(KEYS, child(later.clone())).await.names_field("expires_at");
        let answer = weekly.patch(&path(&key), json!({"expires_at": later})).await;
        answer.names_field("expires_at");
    }
    let (_, made) = make(&weekly, child(json!(ends))).await;
    weekly.patch(&path(&made), json!({"name": "y"})).await.is(200);
    // Nor does it take or give more by one that works longer.
    let narrow = json!({"name": "till", "role": "admin", "scopes": ["tenant:read", "users:read"]});
    let (_, endless) = make(&town.admin(), narrow).await;
    let rotated = weekly.post(&format!("{}/rotate", path(&endless)), json!({})).await;
    rotated.is_refused(403, "forbidden");
    let wider = json!({"scopes": ["tenant:read", "tenant:write"]});
    weekly.patch(&path(&endless), wider).await.names_field("expires_at");
    let narrower = weekly.patch(&path(&endless), json!({"scopes": ["tenant:read"]})).await;
    narrower.is(200);
    for later in longer {
        let changed = town.admin().patch(&path(&key), json!({"expires_at": later})).await;
        changed.is(200);
    }
}

#[tokio::test]
async fn key_outlives_its_creators_membership() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (store, scope) = (aws.store(), town.home.scope());
    let maker = town.home.person(Role::Manager).user;
    let becomes = async |role, status| {
        let before = store.get::<Member>(scope, &maker).await.unwrap().unwrap();
        let mut after = before.value.clone();
        (after.role, after.status) = (role, status);
        let stamp = aws.stamp();
        store.change_member(scope, &before, &after, &stamp).await.unwrap();
    };
    becomes(Role::Admin, MemberStatus::Active).await;
    let (secret, _) = make(&town.manager(), json!({"name": "till", "role": "admin"})).await;
    becomes(Role::Admin, MemberStatus::Deactivated).await;
    town.manager().get(KEYS).await.is(403);
    town.api_key(&secret).get(KEYS).await.is(200);
}

#[tokio::test]
async fn deleted_key_loses_its_usage_record() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (secret, key) = admin_key(&town).await;
    let (_, unused) = make(&town.admin(), json!({"name": "kiosk", "role": "admin"})).await;
    town.api_key(&secret).get(KEYS).await.is(200);
    let uses = async || {
        let rows = aws.rows().await;
        let kinds = rows.iter().filter_map(|row| row["kind"].as_s().ok());
        kinds.filter(|kind| *kind == "key_use").count()
    };
    assert_eq!(uses().await, 1);
    for key in [&key, &unused] {
        town.admin().delete(&path(key)).await.is(204);
    }
    assert_eq!(uses().await, 0);
}

#[tokio::test]
async fn revoked_key_is_refused_and_gone_at_once() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (secret, key) = admin_key(&town).await;
    let software = town.api_key(&secret);
    software.get(KEYS).await.is(200);
    town.admin().delete(&path(&key)).await.is(204);
    software.get(KEYS).await.is(401);
    town.admin().get(&path(&key)).await.is(404);
    town.admin().delete(&path(&key)).await.is(404);
    let listed = town.admin().get(KEYS).await;
    assert!(!listed.text().contains(key["id"].as_str().unwrap()));
}

#[tokio::test]
async fn keys_of_another_tenant_are_not_found() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let foreign = format!("{KEYS}/{}", town.away.key);
    town.admin().get(&foreign).await.is(404);
    town.admin().patch(&foreign, json!({"name": "mine"})).await.is(404);
    town.admin().delete(&foreign).await.is(404);
    town.admin().post(&format!("{foreign}/rotate"), json!({})).await.is(404);
    assert!(!town.admin().get(KEYS).await.text().contains(&town.away.key.to_string()));
    town.api_key(&town.away.key_secret).get(&foreign).await.is(200);
    let naming = town.key().in_tenant(town.away.tenant);
    naming.get(KEYS).await.is(403);
}

#[tokio::test]
async fn concurrent_creations_never_exceed_the_key_limit() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    for _ in 0..46 {
        town.new_key(Role::Viewer, &[]).await;
    }
    let admin = town.admin();
    let one = || admin.post(KEYS, json!({"name": "till", "role": "viewer"}));
    let answers = join_all((0..12).map(|_| one().into_future())).await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 201).count(), 3);
    for answer in answers.iter().filter(|answer| answer.status() != 201) {
        answer.is_refused(409, "limit_reached");
    }
    let all = town.admin().get(&format!("{KEYS}?limit=100")).await.items();
    assert_eq!(all.len(), 50);
    town.admin().delete(&path(&all[0])).await.is(204);
    one().await.is(201);
}

#[tokio::test]
async fn answers_about_keys_keep_their_shape() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let admin = town.admin();
    let body =
        json!({"name": "till", "role": "admin", "scopes": ["api_keys:read"], "expires_at": "2026-12-20T12:00:00Z"});
    let made = admin.post(KEYS, body).await;
    let read = admin.get(made.header("location")).await;
    let rotate = format!("{}/rotate", made.header("location"));
    let rotated = admin.post(&rotate, json!({"overlap_hours": 1})).await;
    let refused = admin.post(KEYS, json!({"name": "", "role": "owner"})).await;
    assert_snapshot("api_keys", &[&made, &read, &rotated, &refused]);
}
