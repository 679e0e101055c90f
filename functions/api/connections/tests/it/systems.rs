//! Telephone systems by name: their API is asked whether it takes the connection's credentials, where it has some.

use serde_json::{Value, json};
use testkit::Aws;

use crate::{
    at,
    world::{API_SECRET, LINE, SYSTEMS, WRONG_SECRET, World, connect},
};

/// What a test came to, and what it said.
fn last_test(body: &Value) -> (String, String) {
    let word = |name: &str| body["last_test"][name].as_str().unwrap_or_default().to_owned();
    (word("result"), word("message"))
}

#[tokio::test]
async fn a_telephone_system_is_asked_whether_it_takes_the_credentials() {
    let world = World::start().await;
    let aws = Aws::new().await;
    let town = world.town(&aws).await;
    let manager = town.manager();
    let test = async |id: &str| {
        let tested = manager.post(&at(id, "/test"), json!({})).await;
        assert_eq!(tested.status(), 200, "{}", tested.text());
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

        let none = connect(&town, kind, None).await;
        let (result, message) = test(&none).await;
        assert_eq!(result, "waiting", "{kind}: {message}");
        assert!(
            message.contains("first call") && message.contains("API credentials"),
            "{kind}: {message}"
        );
    }
}

#[tokio::test]
async fn a_line_that_aircall_does_not_have_is_named() {
    let world = World::start().await;
    let aws = Aws::new().await;
    let town = world.town(&aws).await;
    let manager = town.manager();
    let aircall = connect(&town, "aircall", Some(API_SECRET)).await;
    for (lines, expected, named) in [
        (json!([LINE]), "passed", "lines"),
        (json!([LINE, "+97145550099"]), "failed", "+97145550099"),
        (json!([]), "passed", "credentials."),
    ] {
        let changed = manager.patch(&at(&aircall, ""), json!({"lines": lines})).await;
        assert_eq!(changed.status(), 200, "{}", changed.text());
        let (result, message) = last_test(&manager.post(&at(&aircall, "/test"), json!({})).await.json());
        assert_eq!(result, expected, "{lines}: {message}");
        assert!(message.contains(named), "{lines}: {message}");
    }
}

#[tokio::test]
async fn exotel_is_asked_where_the_account_is_kept() {
    let world = World::start().await;
    let aws = Aws::new().await;
    let town = world.town(&aws).await;
    let manager = town.manager();
    let exotel = connect(&town, "exotel", Some(API_SECRET)).await;
    for (cluster, expected) in [("singapore", "passed"), ("mumbai", "unclear")] {
        let changed = manager.patch(&at(&exotel, ""), json!({"cluster": cluster})).await;
        assert_eq!(changed.status(), 200, "{}", changed.text());
        let (result, message) = last_test(&manager.post(&at(&exotel, "/test"), json!({})).await.json());
        assert_eq!(result, expected, "{cluster}: {message}");
    }
}

#[tokio::test]
async fn a_new_secret_for_webhooks_keeps_the_credentials_of_the_api() {
    let world = World::start().await;
    let aws = Aws::new().await;
    let town = world.town(&aws).await;
    let manager = town.manager();
    for (kind, credentials) in [
        ("aircall", json!({"token": "aircall-token-2"})),
        ("vonage", json!({"signature_secret": "vonage-secret-2"})),
        ("plivo", json!({"auth_token": "plivo-token-2"})),
    ] {
        let id = connect(&town, kind, Some(API_SECRET)).await;
        let given = json!({"kind": kind, "credentials": credentials});
        let set = manager.put(&at(&id, "/credentials"), given).await;
        assert_eq!(set.status(), 200, "{}", set.text());
        assert_eq!(
            last_test(&set.json()).0,
            "waiting",
            "{kind}: its API cannot tell what webhooks are signed with"
        );
        let (result, message) = last_test(&manager.post(&at(&id, "/test"), json!({})).await.json());
        assert_eq!(result, "passed", "{kind}: {message}");
    }
}
