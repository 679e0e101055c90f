//! Rotations whose answer was lost.

use domain::tenants::{Connection, VerifySecrets};
use serde_json::{Value, json};
use testkit::api::Town;
use testkit::{Answer, Aws, Lossy};

use super::world::{TWILIO_TOKEN, World, telephony_in, twilio_in};
use super::{ALL, at, id, lets_in, lets_in_telephony};

/// Rotates with an idempotency key and the known version. The first time, the table writes, but its answer is lost.
async fn rotated_twice(town: &Town<'_>, lossy: &Lossy, id: &str, body: Value) -> Answer {
    let rotate = || {
        let rotate = at(id, "/rotate");
        town.manager()
            .post_once(&rotate, "rotation-1", body.clone())
            .if_match(2)
    };
    lossy.lose_all("TransactWriteItems");
    rotate().await.is(503);
    assert!(lossy.has_lost_all());
    // It had its effect.
    town.manager().get(&at(id, "")).await.has_version(3);
    rotate().await
}

/// A repeated request shows the secret of the first attempt and adds no other.
#[tokio::test]
async fn repeated_rotation_shows_the_same_secret() {
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let (_world, town) = World::start_with(&aws, &[("AWS_ENDPOINT_URL", lossy.url())]).await;
    let manager = town.manager();
    let made = manager.post(ALL, telephony_in()).await;
    let (telephony, old) = (id(&made), made.json()["secret"].as_str().unwrap().to_owned());
    let rotated = rotated_twice(&town, &lossy, &telephony, json!({})).await;
    rotated.is(200).has_version(3);
    let new = rotated.json()["secret"].as_str().unwrap().to_owned();
    let two = |_: &Connection, secrets: &VerifySecrets| matches!(secrets, VerifySecrets::Telephony(own) if own.secrets == [new.clone(), old.clone()]);
    assert!(lets_in(&town, &telephony, two).await);
    assert!(lets_in_telephony(&town, &telephony, &new).await);
    // Another rotation is another.
    let next = manager
        .post_once(&at(&telephony, "/rotate"), "rotation-2", json!({}))
        .await;
    next.is(200).has_version(4);
    assert_ne!(next.json()["secret"], new.as_str());
}

#[tokio::test]
async fn repeated_provider_secret_is_added_once() {
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let (_world, town) = World::start_with(&aws, &[("AWS_ENDPOINT_URL", lossy.url())]).await;
    let twilio = id(&town.manager().post(ALL, twilio_in()).await);
    let body = json!({"secret": "twilio-token-two"});
    let rotated = rotated_twice(&town, &lossy, &twilio, body).await;
    rotated.is(200).has_version(3);
    assert!(!rotated.text().contains("twilio-token-two"));
    let two = |_: &Connection, secrets: &VerifySecrets| matches!(secrets, VerifySecrets::Twilio(own) if own.auth_tokens == ["twilio-token-two", TWILIO_TOKEN]);
    assert!(lets_in(&town, &twilio, two).await);
}
