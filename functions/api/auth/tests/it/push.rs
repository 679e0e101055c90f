//! The key that identifies the sender to push services.

use access::{Kms, PushKeys};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use testkit::Aws;

fn keys(aws: &Aws) -> PushKeys {
    let send = aws.env().config().text("KMS_SEND_KEY_ID").expect("a key").to_owned();
    PushKeys::new(Kms::new(aws.env().kms(), None, Some(send)))
}

#[tokio::test]
async fn push_services_can_check_who_sends() {
    let aws = Aws::new().await;
    let store = aws.store();
    let (first, second) = (keys(&aws), keys(&aws));
    let endpoint = "https://updates.push.services.mozilla.com/wpush/v2/abc";
    let sign = async |keys: &PushKeys| {
        let header = keys
            .authorization(&store, endpoint, "https://api.example", aws.now())
            .await;
        header.expect("the table answers")
    };
    assert_eq!(sign(&first).await, None, "nobody can have subscribed");
    // Two processes make it at the same moment.
    let (one, other) = tokio::join!(first.public(&store), second.public(&store));
    let public = one.expect("a key");
    assert_eq!(other.expect("a key"), public);
    let point = URL_SAFE_NO_PAD.decode(&public).expect("base64url");
    assert_eq!((point.len(), point[0]), (65, 4));
    for keys in [&first, &second] {
        let header = sign(keys).await.expect("a header");
        let (token, key) = header
            .strip_prefix("vapid t=")
            .and_then(|rest| rest.split_once(", k="))
            .expect("the form of RFC 8292");
        assert_eq!(key, public);
        let (x, y) = (
            URL_SAFE_NO_PAD.encode(&point[1..33]),
            URL_SAFE_NO_PAD.encode(&point[33..]),
        );
        let mut checks = Validation::new(Algorithm::ES256);
        checks.validate_exp = false; // The time of the test is not that of the machine.
        checks.set_audience(&["https://updates.push.services.mozilla.com"]);
        let verifier = DecodingKey::from_ec_components(&x, &y).expect("a key");
        let claims = jsonwebtoken::decode::<Value>(token, &verifier, &checks)
            .expect("it is signed by the key")
            .claims;
        assert_eq!(claims["sub"], json!("https://api.example"));
        assert_eq!(claims["exp"], json!(aws.now().as_second() + 12 * 3_600));
    }
    // The table alone signs nothing.
    let known = store.push_key().await.expect("the table answers").expect("a key");
    assert!(!known.sealed.contains(&known.public));
}
