//! Telephone systems by name: their API is asked whether it accepts the connection's credentials, if it has any.

use serde_json::{Value, json};
use testkit::{Answer, Aws};

use super::at;
use super::world::{API_SECRET, AUTH_ID, LINE, SYSTEMS, WRONG_SECRET, World, connect};

/// Result of a test, and its message.
fn last_test(body: &Value) -> (String, String) {
    let word = |name: &str| body["last_test"][name].as_str().unwrap_or_default().to_owned();
    (word("result"), word("message"))
}

#[tokio::test]
async fn test_asks_the_telephone_system() {
    let aws = Aws::new().await;
    let (world, town) = World::start(&aws).await;
    let manager = town.manager();
    let test = async |id: &str| {
        let tested = manager.post(&at(id, "/test"), json!({})).await;
        tested.is(200);
        for secret in [API_SECRET, WRONG_SECRET] {
            assert!(!tested.text().contains(secret), "{}", tested.text());
        }
        // Refused or not: its calls come in by webhooks, which other secrets prove.
        assert_eq!(tested.json()["health"]["state"], "healthy", "{}", tested.text());
        last_test(&tested.json())
    };
    for kind in SYSTEMS {
        let right = connect(&town, kind, Some(API_SECRET)).await;
        let (result, message) = test(&right).await;
        assert_eq!(result, "passed", "{kind}: {message}");
        assert!(
            message.contains("webhook"),
            "{kind}: the webhook is not proven: {message}"
        );
        for (fault, expected) in [
            ("server_error", "unclear"),
            ("timeout_before", "unclear"),
            ("throttled", "unclear"),
            ("bad_credentials", "failed"),
        ] {
            world.fault(kind, fault).await;
            let (result, message) = test(&right).await;
            assert_eq!(result, expected, "{kind} {fault}: {message}");
            world.no_faults().await;
        }
        let wrong = connect(&town, kind, Some(WRONG_SECRET)).await;
        let (result, message) = test(&wrong).await;
        assert_eq!(result, "failed", "{kind}: {message}");
        let field = match kind {
            "aircall" | "exotel" => "`api_token`",
            "vonage" => "`api_secret`",
            _ => "`auth_token`",
        };
        assert!(message.contains(field), "{kind}: {message}");

        if kind == "plivo" {
            // What verifies opens its API.
            continue;
        }
        let none = connect(&town, kind, None).await;
        let (result, message) = test(&none).await;
        assert_eq!(result, "waiting", "{kind}: {message}");
        assert!(
            message.contains("first reported call") && message.contains("credentials for the provider's API"),
            "{kind}: {message}"
        );
    }
}

#[tokio::test]
async fn test_names_numbers_missing_at_aircall() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let aircall = connect(&town, "aircall", Some(API_SECRET)).await;
    for (numbers, expected, named) in [
        (json!([LINE]), "passed", "the numbers"),
        (json!([LINE, "+97145550099"]), "failed", "+97145550099"),
        (json!([]), "passed", "credentials."),
    ] {
        let change = json!({"numbers": numbers});
        manager.patch(&at(&aircall, ""), change).await.is(200);
        let (result, message) = last_test(&manager.post(&at(&aircall, "/test"), json!({})).await.json());
        assert_eq!(result, expected, "{numbers}: {message}");
        assert!(message.contains(named), "{numbers}: {message}");
    }
}

#[tokio::test]
async fn test_asks_exotels_own_region() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let exotel = connect(&town, "exotel", Some(API_SECRET)).await;
    for (cluster, expected) in [("singapore", "passed"), ("mumbai", "unclear")] {
        let change = json!({"cluster": cluster});
        manager.patch(&at(&exotel, ""), change).await.is(200);
        let (result, message) = last_test(&manager.post(&at(&exotel, "/test"), json!({})).await.json());
        assert_eq!(result, expected, "{cluster}: {message}");
    }
}

#[tokio::test]
async fn test_result_holds_until_tested_settings_change() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    for (kind, stays, ends) in [
        ("aircall", json!({"name": "Other"}), Some(json!({"numbers": []}))),
        (
            "exotel",
            json!({"numbers": [LINE], "sources": ["192.0.2.0/24"]}),
            Some(json!({"cluster": "mumbai"})),
        ),
        ("vonage", json!({"numbers": [LINE]}), None),
        ("plivo", json!({"numbers": [LINE]}), None),
    ] {
        let id = connect(&town, kind, Some(API_SECRET)).await;
        let tested = manager.post(&at(&id, "/test"), json!({})).await.json();
        assert_eq!(last_test(&tested).0, "passed", "{kind}");
        let changed = manager.patch(&at(&id, ""), stays).await;
        assert_eq!(
            changed.json()["last_test"],
            tested["last_test"],
            "{kind}: {}",
            changed.text()
        );
        if let Some(ends) = ends {
            let changed = manager.patch(&at(&id, ""), ends).await;
            assert_eq!(changed.json()["last_test"], Value::Null, "{kind}: {}", changed.text());
        }
    }
}

#[tokio::test]
async fn a_new_secret_for_webhooks_keeps_the_credentials_of_the_api() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    for (kind, credentials) in [
        ("aircall", json!({"token": "aircall-token-2"})),
        ("vonage", json!({"signature_secret": "vonage-secret-2"})),
    ] {
        let id = connect(&town, kind, Some(API_SECRET)).await;
        let given = json!({"kind": kind, "credentials": credentials});
        let set = manager.put(&at(&id, "/credentials"), given).await;
        let (result, message) = last_test(&set.is(200).json());
        assert_eq!(
            result, "waiting",
            "{kind}: its API cannot tell what webhooks are signed with"
        );
        assert!(message.contains("No API can check"), "{kind}: {message}");
        let (result, message) = last_test(&manager.post(&at(&id, "/test"), json!({})).await.json());
        assert_eq!(result, "passed", "{kind}: {message}");
    }
}

#[tokio::test]
async fn new_credentials_are_tested_and_never_shown() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    // The body with this secret, and where the secret is in the credentials.
    let cases = [
        (
            json!({"kind": "aircall", "name": "A", "numbers": [LINE],
                "credentials": {"token": "aircall-token-1", "api_key": {"api_id": "api-key-1", "api_token": ""}}}),
            "/credentials/api_key/api_token",
        ),
        (
            json!({"kind": "vonage", "name": "V", "api_key": "abcd1234",
                "credentials": {"signature_secret": "vonage-secret-1", "api_secret": ""}}),
            "/credentials/api_secret",
        ),
        (
            json!({"kind": "exotel", "name": "E", "account_sid": "saffron1", "cluster": "singapore",
                "credentials": {"api_key": "api-key-1", "api_token": ""}}),
            "/credentials/api_token",
        ),
        (
            json!({"kind": "plivo", "name": "P", "auth_id": AUTH_ID, "credentials": {"auth_token": ""}}),
            "/credentials/auth_token",
        ),
    ];
    for (body, place) in cases {
        let with = |secret: &str| {
            let mut body = body.clone();
            *body.pointer_mut(place).expect("the place is there") = secret.into();
            body
        };
        let result = |answer: &Answer, at: &str| {
            assert!(!answer.text().contains(API_SECRET), "{}", answer.text());
            let shown = answer.json();
            last_test(shown.pointer(at).unwrap_or(&shown)).0
        };
        let wrong = manager.post("/api/v1/connections", with(WRONG_SECRET)).await;
        wrong.is(201);
        assert_eq!(result(&wrong, "/connection"), "failed", "{}", wrong.text());
        let id = wrong.json()["connection"]["id"].as_str().unwrap_or_default().to_owned();
        let given = json!({"kind": body["kind"], "credentials": with(API_SECRET)["credentials"]});
        let set = manager.put(&at(&id, "/credentials"), given).await;
        set.is(200);
        assert_eq!(result(&set, ""), "passed", "{}", set.text());
        let tested = manager.post(&at(&id, "/test"), json!({})).await;
        assert_eq!(result(&tested, ""), "passed", "{}", tested.text());
        let right = manager.post("/api/v1/connections", with(API_SECRET)).await;
        assert_eq!(result(&right, "/connection"), "passed", "{}", right.text());
        let short = manager.post("/api/v1/connections", with("short")).await;
        let field = place.trim_start_matches('/').replace('/', ".");
        short.names_field(&field);
    }
}

/// New API credentials keep the secret in Exotel's URL. Plivo is asked with its newest auth token.
#[tokio::test]
async fn new_credentials_keep_exotels_url_and_plivo_uses_newest() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let exotel = connect(&town, "exotel", None).await;
    let rotated = manager.post(&at(&exotel, "/rotate"), json!({})).await;
    let since = rotated.is(200).json()["connection"]["rotating_since"].clone();
    assert!(since.is_string(), "{}", rotated.text());
    let given = json!({"kind": "exotel", "credentials": {"api_key": "api-key-1", "api_token": API_SECRET}});
    let set = manager.put(&at(&exotel, "/credentials"), given).await;
    // Both addresses still work.
    assert_eq!(set.is(200).json()["rotating_since"], since);
    let plivo = connect(&town, "plivo", None).await;
    let test = async || last_test(&manager.post(&at(&plivo, "/test"), json!({})).await.json()).0;
    assert_eq!(test().await, "failed");
    let rotation = json!({"secret": API_SECRET});
    manager.post(&at(&plivo, "/rotate"), rotation).await.is(200);
    assert_eq!(test().await, "passed");
}
