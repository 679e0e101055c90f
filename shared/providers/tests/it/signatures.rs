//! Every signature vector, negatives included: judged as its `valid` says.

use domain::connection::SharedKey;
use jiff::Timestamp;
use providers::{telephony, twilio, whatsapp};
use serde_json::Value;

use crate::fixtures;

fn vectors(name: &str) -> Vec<Value> {
    let vectors = fixtures::json(&format!("vectors/{name}"))["vectors"]
        .as_array()
        .unwrap()
        .clone();
    assert!(!vectors.is_empty());
    for vector in &vectors {
        if let Some(fixture) = vector["fixture"].as_str() {
            assert_eq!(
                vector["body"].as_str().unwrap().as_bytes(),
                fixtures::bytes(fixture),
                "{} does not sign {fixture}",
                vector["name"]
            );
        }
    }
    vectors
}

fn text<'a>(vector: &'a Value, pointer: &str) -> &'a str {
    vector
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{pointer} in {vector}"))
}

#[test]
fn meta_webhooks_are_judged_as_the_vectors_say() {
    for vector in vectors("meta_x_hub_signature_256.json") {
        let secret = text(&vector, "/app_secret");
        let header = text(&vector, "/header_x_hub_signature_256");
        let body = text(&vector, "/body").as_bytes();
        let judged = whatsapp::signature::verify(&[secret], Some(header), body);
        assert_eq!(
            Some(judged.is_ok()),
            vector["valid"].as_bool(),
            "{}: {judged:?}",
            vector["name"]
        );
        if judged.is_ok() {
            assert_eq!(whatsapp::signature::sign(secret, body), header.to_ascii_lowercase());
            assert!(whatsapp::signature::verify(&[secret], None, body).is_err());
            assert!(whatsapp::signature::verify(&["another secret"], Some(header), body).is_err());
        }
        // During a rotation both secrets are known.
        if let Some(previous) = vector["valid_with_secret"].as_str() {
            assert_eq!(
                whatsapp::signature::verify(&[secret, previous], Some(header), body),
                Ok(())
            );
        }
    }
}

#[test]
fn a_missing_app_secret_verifies_nothing() {
    use whatsapp::signature::{SignatureError, sign, verify};
    let body = b"{}";
    let header = sign("", body);
    assert_eq!(verify(&[""], Some(&header), body), Err(SignatureError::NoSecret));
    assert_eq!(verify(&[""; 0], Some(&header), body), Err(SignatureError::NoSecret));
    assert_eq!(verify(&["", "real"], Some(&sign("real", body)), body), Ok(()));
    assert_eq!(
        verify(&["", "real"], Some(&header), body),
        Err(SignatureError::Mismatch)
    );
}

#[test]
fn meta_handshakes_are_answered_as_the_vectors_say() {
    let file = fixtures::json("vectors/meta_verify_handshake.json");
    let token = text(&file, "/verify_token");
    for vector in vectors("meta_verify_handshake.json") {
        let answer = whatsapp::handshake::answer(text(&vector, "/query"), token);
        let status = answer.as_ref().map_or_else(|refused| refused.http_status(), |_| 200);
        assert_eq!(Some(u64::from(status)), vector["status"].as_u64(), "{}", vector["name"]);
        assert_eq!(answer.ok().as_deref(), vector["body"].as_str(), "{}", vector["name"]);
    }
    for name in fixtures::names("whatsapp/verify") {
        let query = fixtures::text(&format!("whatsapp/verify/{name}"));
        let answer = whatsapp::handshake::answer(query.trim_end(), token);
        assert_eq!(answer.is_ok(), name == "get_ok.txt", "{name}");
    }
    let empty = whatsapp::handshake::answer("hub.mode=subscribe&hub.challenge=1&hub.verify_token=", "");
    assert!(empty.is_err(), "an empty token is no secret");
}

#[test]
fn twilio_webhooks_are_judged_as_the_vectors_say() {
    use twilio::signature::{Body, Headers, Secrets, verify};
    for vector in vectors("twilio_x_twilio_signature.json") {
        let secret = text(&vector, "/auth_token").to_owned();
        let settings = vector
            .pointer("/headers/X-Twilio-Webhooks-Signature-Settings")
            .and_then(Value::as_str);
        let shared_keys: Vec<SharedKey> = settings
            .into_iter()
            .map(|settings| SharedKey {
                id: settings.split([',', '=']).nth(1).unwrap().to_owned(),
                secret: secret.clone(),
            })
            .collect();
        let auth_tokens = [secret];
        let secrets = Secrets {
            auth_tokens: &auth_tokens,
            shared_keys: &shared_keys,
        };
        let headers = Headers {
            signature: Some(text(&vector, "/headers/X-Twilio-Signature")),
            settings,
        };
        let bytes = text(&vector, "/body").as_bytes();
        let body = match (text(&vector, "/method"), text(&vector, "/content_type")) {
            ("GET", _) => Body::Get,
            (_, "application/json") => Body::Json(bytes),
            (_, "application/x-www-form-urlencoded") => Body::Form(bytes),
            other => panic!("{other:?}"),
        };
        let judged = verify(secrets, headers, text(&vector, "/url"), body);
        assert_eq!(
            Some(judged.is_ok()),
            vector["valid"].as_bool(),
            "{}: {judged:?}",
            vector["name"]
        );
        if judged.is_ok() {
            let nothing = Headers {
                signature: None,
                ..headers
            };
            assert!(verify(secrets, nothing, text(&vector, "/url"), body).is_err());
            if settings.is_none() && !matches!(body, Body::Json(_)) {
                let url = text(&vector, "/url").to_owned();
                let with_port = url.replace("hooks.example.test/", "hooks.example.test:443/");
                let signed = [url, with_port].map(|url| twilio::signature::sign(&auth_tokens[0], &url, bytes));
                assert!(
                    signed.contains(&text(&vector, "/headers/X-Twilio-Signature").to_owned()),
                    "{}",
                    vector["name"]
                );
            }
        }
    }
}

#[test]
fn a_twilio_signature_of_a_shared_key_needs_that_key() {
    use twilio::signature::{Body, Headers, Secrets, SignatureError, verify};
    let vectors = vectors("twilio_x_twilio_signature.json");
    let vector = vectors
        .iter()
        .find(|vector| vector["name"] == "shared_key_hmac_sha256")
        .unwrap();
    let headers = Headers {
        signature: Some(text(vector, "/headers/X-Twilio-Signature")),
        settings: vector
            .pointer("/headers/X-Twilio-Webhooks-Signature-Settings")
            .and_then(Value::as_str),
    };
    let auth_tokens = [text(vector, "/auth_token").to_owned()];
    let keys = [SharedKey {
        id: "another".to_owned(),
        secret: auth_tokens[0].clone(),
    }];
    let body = Body::Form(text(vector, "/body").as_bytes());
    let secrets = Secrets {
        auth_tokens: &auth_tokens,
        shared_keys: &keys,
    };
    let judged = verify(secrets, headers, text(vector, "/url"), body);
    assert_eq!(judged, Err(SignatureError::UnknownKey));
}

#[test]
fn standard_webhooks_are_judged_as_the_vectors_say() {
    let files = ["standard_webhooks.json", "standard_webhooks_v1.json"];
    for vector in files.into_iter().flat_map(vectors) {
        let secrets: Vec<&str> = vector["secrets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|secret| secret.as_str().unwrap())
            .collect();
        let header = |name: &str| vector["headers"][name].as_str();
        let headers = telephony::Headers {
            id: header("webhook-id"),
            timestamp: header("webhook-timestamp"),
            signature: header("webhook-signature"),
        };
        let now = Timestamp::from_second(vector["now"].as_i64().unwrap()).unwrap();
        let body = text(&vector, "/body").as_bytes();
        let judged = telephony::verify(&secrets, headers, body, now);
        let valid = vector["valid"]
            .as_bool()
            .unwrap_or_else(|| text(&vector, "/expect") == "valid");
        assert_eq!(judged.is_ok(), valid, "{}: {judged:?}", vector["name"]);
    }
    for vector in fixtures::json("vectors/standard_webhooks.json")["signing_vectors"]
        .as_array()
        .unwrap()
    {
        let timestamp = Timestamp::from_second(vector["timestamp"].as_i64().unwrap()).unwrap();
        let body = text(vector, "/body").as_bytes();
        let signature = telephony::sign(text(vector, "/secret"), text(vector, "/id"), timestamp, body);
        assert_eq!(signature.as_deref(), vector["signature"].as_str());
    }
}

#[test]
fn a_missing_telephony_secret_verifies_nothing() {
    let now = fixtures::at("2026-11-20T08:00:00Z");
    let headers = telephony::Headers {
        id: Some("msg_1"),
        timestamp: Some("1795161600"),
        signature: Some("v1,AAAA"),
    };
    for secrets in [&["whsec_"][..], &[""], &["whsec_not base64"], &[]] {
        let judged = telephony::verify(secrets, headers, b"", now);
        assert_eq!(judged, Err(telephony::SignatureError::NoSecret), "{secrets:?}");
    }
    assert_eq!(telephony::sign("whsec_", "msg_1", now, b""), None);
}
