//! Devices from their person's point of view, in process against the emulator's table.

use domain::accounts::Role;
use push_subscriptions::routes;
use serde_json::{Value, json};
use testkit::Aws;
use testkit::api::Town;

const DEVICES: &str = "/api/v1/me/push-subscriptions";

fn device(endpoint: &str) -> Value {
    let point = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    json!({"endpoint": endpoint, "expirationTime": null, "keys": {"p256dh": point, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}})
}

fn endpoint(number: usize) -> String {
    format!("https://fcm.googleapis.com/fcm/send/{number}")
}

#[tokio::test]
async fn devices_are_added_listed_and_removed_by_their_person() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, routes).await;
    let add = async |number| town.agent().post(DEVICES, device(&endpoint(number))).await;
    let first = add(1).await.is(200).json();
    assert_eq!(
        (&first["service"], &first["current"]),
        (&json!("fcm.googleapis.com"), &json!(true))
    );
    assert!(first.get("endpoint").is_none() && first.get("keys").is_none());
    // Whenever its page begins.
    aws.pass(60);
    let again = add(1).await.is(200).json();
    assert_eq!(
        (&again["id"], &again["created_at"]),
        (&first["id"], &first["created_at"])
    );
    assert_ne!(again["expires_at"], first["expires_at"]);
    for number in 2..=11 {
        aws.pass(1);
        add(number).await.is(200);
    }
    let ids = town.agent().get(DEVICES).await.texts("id");
    assert_eq!(ids.len(), 10);
    assert!(
        ids.iter().all(|id| *id != first["id"]),
        "the eleventh replaced the first"
    );
    let path = format!("{DEVICES}/{}", ids[0]);
    town.manager().delete(&path).await.is(404);
    assert_eq!(town.manager().get(DEVICES).await.is(200).json()["items"], json!([]));
    town.agent().delete(&path).await.is(204);
    town.agent().delete(&path).await.is(404);
    // Whoever notifies looks for them in their tenant.
    let known = aws.store().reachable(town.home.scope(), aws.now()).await;
    assert_eq!(known.expect("the table answers"), [town.home.person(Role::Agent).user]);
    town.key().get(DEVICES).await.is(401);
}

#[tokio::test]
async fn only_devices_of_known_services_are_added() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, routes).await;
    for wrong in [
        "https://evil.example/push",
        "http://169.254.169.254/",
        "https://10.0.0.1/x",
        "x",
        "",
    ] {
        let refused = town.agent().post(DEVICES, device(wrong)).await;
        refused.names_only(&["endpoint"]);
    }
    let mut keys = device(&endpoint(1));
    keys["keys"]["auth"] = json!("AAAA");
    town.agent().post(DEVICES, keys).await.names_only(&["keys"]);
    let mut more = device(&endpoint(1));
    more["name"] = json!("phone");
    town.agent().post(DEVICES, more).await.names_only(&["name"]);
    let mut late = device(&endpoint(1));
    late["expirationTime"] = json!(8_640_000_000_000_001_u64);
    town.agent().post(DEVICES, late).await.names_only(&["expirationTime"]);
    let none = town.agent().get(DEVICES).await.is(200).json();
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn the_key_for_browsers_never_changes() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, routes).await;
    let key = town.agent().get("/api/v1/me/push-key").await.is(200).json();
    assert_eq!(key["public_key"].as_str().map(str::len), Some(87));
    assert_eq!(town.manager().get("/api/v1/me/push-key").await.is(200).json(), key);
}
