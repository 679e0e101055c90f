use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};
use testkit::Call;

use super::world::World;

/// A P-256 key pair of nobody: PKCS#8, base64.
const FOREIGN_KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgj5PmA/gY/n7iGfRBDC4w6R/DrJmeXTG13ju2mrL3gyehRANCAAQrjDg50ocvz45d86bj0Z8o3RxFUlq6N7Eh/77jWcOnxkLo9DtRgZkrCZKEq48c8Ae7Gt9bGT600rdFFBfl3msg";

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn read(part: &str) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("it is base64url");
    serde_json::from_slice(&bytes).expect("it is JSON")
}

#[tokio::test]
async fn forged_or_expired_token_is_refused() {
    let world = World::new().await;
    let (maya, tom) = (world.newcomer("saffron").await, world.newcomer("harbour").await);
    let parts: Vec<&str> = maya.access.split('.').collect();
    let (header, claims, signature) = (read(parts[0]), read(parts[1]), parts[2]);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("JWT")));
    let foreign = base64::engine::general_purpose::STANDARD
        .decode(FOREIGN_KEY)
        .expect("base64");
    let foreign = EncodingKey::from_ec_der(&foreign);
    let mut by_another = Header::new(Algorithm::ES256);
    by_another.kid = header["kid"].as_str().map(str::to_owned);
    let signed = |header: &Header, claims: &Value| jsonwebtoken::encode(header, claims, &foreign).expect("it signs");
    let jwks = world.call(&Call::get("/api/v1/auth/jwks.json")).await.json();
    let public = jwks["keys"][0]["x"].as_str().expect("a coordinate").to_owned();
    let mut hmac = Header::new(Algorithm::HS256);
    hmac.kid.clone_from(&by_another.kid);
    let by_public_key = jsonwebtoken::encode(&hmac, &claims, &EncodingKey::from_secret(public.as_bytes()));
    let none = |alg: &str| {
        let mut header = header.clone();
        header["alg"] = alg.into();
        part(&header)
    };
    let mut raised = claims.clone();
    raised["sub"] = json!(tom.user);
    let mut unknown = by_another.clone();
    unknown.kid = Some("nobody".to_owned());
    let mut keyless = by_another.clone();
    keyless.kid = None;
    let tokens = [
        ("alg none", format!("{}.{}.", none("none"), parts[1])),
        ("alg None", format!("{}.{}.{signature}", none("None"), parts[1])),
        ("another key", signed(&by_another, &claims)),
        ("an unknown key", signed(&unknown, &claims)),
        ("no key id", signed(&keyless, &claims)),
        ("the public key as a secret", by_public_key.expect("it signs")),
        ("tampered", format!("{}.{}.{signature}", parts[0], part(&raised))),
        ("cut", maya.access[..maya.access.len() - 2].to_owned()),
        ("no signature", format!("{}.{}", parts[0], parts[1])),
        ("a refresh token", maya.refresh.clone()),
        ("long", format!("{}{}", maya.access, "a".repeat(4000))),
        ("empty", String::new()),
    ];
    let expected = world.call(&Call::get("/api/v1/me")).await;
    expected.is(401);
    for (why, token) in &tokens {
        let answer = world.get_as(token, "/api/v1/me").await;
        assert_eq!((answer.status(), answer.text()), (401, expected.text()), "{why}");
    }
    world.get_as(&maya.access, "/api/v1/me").await.is(200);
    world.aws.pass(15 * 60 - 1);
    world.get_as(&maya.access, "/api/v1/me").await.is(200);
    world.aws.pass(1);
    world.get_as(&maya.access, "/api/v1/me").await.is(401);
}

#[tokio::test]
async fn anybody_can_verify_a_token_with_the_published_keys() {
    let (world, maya) = World::with_newcomer().await;
    let answer = world.call(&Call::get("/api/v1/auth/jwks.json")).await;
    assert_eq!(answer.is(200).header("cache-control"), "public, max-age=300");
    let key = &answer.json()["keys"][0];
    let words = ["kty", "crv", "use", "alg"].map(|name| key[name].as_str().unwrap_or_default().to_owned());
    assert_eq!(words, ["EC", "P-256", "sig", "ES256"]);
    let coordinate = |name: &str| key[name].as_str().expect("a coordinate").to_owned();
    let decoding = DecodingKey::from_ec_components(&coordinate("x"), &coordinate("y")).expect("it is a key");
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["ringback-api"]);
    validation.validate_exp = false;
    let token = jsonwebtoken::decode::<Value>(&maya.access, &decoding, &validation).expect("it is signed by this key");
    assert_eq!(token.header.kid.as_deref(), key["kid"].as_str());
    assert_eq!(token.claims["sub"], json!(maya.user));
    assert!(!answer.text().contains("pkcs8") && key.get("d").is_none());
}
