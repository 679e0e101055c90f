//! Every signature vector, including invalid ones: accepted or refused as its `valid` says.

use std::fmt::Debug;

use domain::tenants::twilio::SharedKey;
use jiff::Timestamp;
use providers::{aircall, plivo, telephony, twilio, vonage, whatsapp};
use serde_json::{Value, json};

use crate::fixtures;

fn vectors(name: &str) -> Vec<Value> {
    let vectors = fixtures::json(&format!("vectors/{name}"))["vectors"]
        .as_array()
        .unwrap()
        .clone();
    assert!(!vectors.is_empty());
    for vector in &vectors {
        // Without a body, the fixture is the body.
        if let (Some(fixture), Some(body)) = (vector["fixture"].as_str(), vector["body"].as_str()) {
            let name = &vector["name"];
            assert_eq!(
                body.as_bytes(),
                fixtures::bytes(fixture),
                "{name} does not sign {fixture}"
            );
        }
    }
    vectors
}

fn vector(file: &str, name: &str) -> Value {
    let mut vectors = vectors(file).into_iter();
    vectors.find(|vector| vector["name"] == name).unwrap()
}

/// Asserts that a webhook was judged as its vector says. Whether it is valid.
#[track_caller]
fn is_judged_valid<E: Debug>(vector: &Value, judged: &Result<(), E>) -> bool {
    let name = &vector["name"];
    assert_eq!(Some(judged.is_ok()), vector["valid"].as_bool(), "{name}: {judged:?}");
    judged.is_ok()
}

fn now(vector: &Value) -> Timestamp {
    Timestamp::from_second(vector["now"].as_i64().unwrap()).unwrap()
}

fn text<'a>(vector: &'a Value, pointer: &str) -> &'a str {
    vector
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{pointer} in {vector}"))
}

#[test]
fn meta_webhooks_are_judged_as_the_vectors_say() {
    use whatsapp::signature::{sign, verify};
    for vector in vectors("meta_x_hub_signature_256.json") {
        let secret = text(&vector, "/app_secret");
        let header = text(&vector, "/header_x_hub_signature_256");
        let body = text(&vector, "/body").as_bytes();
        if is_judged_valid(&vector, &verify(&[secret], Some(header), body)) {
            assert_eq!(sign(secret, body), header.to_ascii_lowercase());
            assert!(verify(&[secret], None, body).is_err());
            assert!(verify(&["another secret"], Some(header), body).is_err());
        }
        // During a rotation, both secrets are valid.
        if let Some(previous) = vector["valid_with_secret"].as_str() {
            assert_eq!(verify(&[secret, previous], Some(header), body), Ok(()));
        }
    }
}

#[test]
fn a_missing_app_secret_verifies_nothing() {
    use whatsapp::signature::{SignatureError, sign, verify};
    let body = b"{}";
    let header = sign("", body);
    for (secrets, error) in [
        (&[""][..], SignatureError::NoSecret),
        (&[], SignatureError::NoSecret),
        (&["", "real"], SignatureError::Mismatch),
    ] {
        assert_eq!(verify(secrets, Some(&header), body), Err(error), "{secrets:?}");
    }
    assert_eq!(verify(&["", "real"], Some(&sign("real", body)), body), Ok(()));
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

/// Verified with the configured URL and with the requested one: the fragment is not signed.
#[test]
fn twilio_overrides_are_no_part_of_what_is_signed() {
    use twilio::signature::{Body, Headers, Secrets, sign, verify};
    let file = fixtures::json("vectors/twilio_connection_overrides.json");
    let auth_tokens = [text(&file, "/auth_token").to_owned()];
    let secrets = Secrets {
        auth_tokens: &auth_tokens,
        shared_keys: &[],
    };
    for vector in vectors("twilio_connection_overrides.json") {
        let headers = Headers {
            signature: Some(text(&vector, "/headers/X-Twilio-Signature")),
            settings: None,
        };
        let body = text(&vector, "/body").as_bytes();
        for url in ["/configured_url", "/url_to_sign"] {
            let url = text(&vector, url);
            let judged = verify(secrets, headers, url, Body::Form(body));
            assert_eq!(Some(judged.is_ok()), vector["valid"].as_bool(), "{url}: {judged:?}");
            if judged.is_ok() {
                assert_eq!(Some(&*sign(&auth_tokens[0], url, body)), headers.signature);
            }
        }
    }
}

fn twilio_headers(vector: &Value) -> twilio::signature::Headers<'_> {
    let settings = vector.pointer("/headers/X-Twilio-Webhooks-Signature-Settings");
    twilio::signature::Headers {
        signature: Some(text(vector, "/headers/X-Twilio-Signature")),
        settings: settings.and_then(Value::as_str),
    }
}

#[test]
fn twilio_webhooks_are_judged_as_the_vectors_say() {
    use twilio::signature::{Body, Headers, Secrets, sign, verify};
    for vector in vectors("twilio_x_twilio_signature.json") {
        let secret = text(&vector, "/auth_token").to_owned();
        let headers = twilio_headers(&vector);
        let shared_keys = headers.settings.map(|settings| SharedKey {
            id: settings.split([',', '=']).nth(1).unwrap().to_owned(),
            secret: secret.clone(),
        });
        let auth_tokens = [secret];
        let secrets = Secrets {
            auth_tokens: &auth_tokens,
            shared_keys: shared_keys.as_slice(),
        };
        let bytes = text(&vector, "/body").as_bytes();
        let body = match (text(&vector, "/method"), text(&vector, "/content_type")) {
            ("GET", _) => Body::Get,
            (_, "application/json") => Body::Json(bytes),
            (_, "application/x-www-form-urlencoded") => Body::Form(bytes),
            other => panic!("{other:?}"),
        };
        let url = text(&vector, "/url");
        if is_judged_valid(&vector, &verify(secrets, headers, url, body)) {
            let nothing = Headers {
                signature: None,
                ..headers
            };
            assert!(verify(secrets, nothing, url, body).is_err());
            if headers.settings.is_none() && !matches!(body, Body::Json(_)) {
                let with_port = url.replace("hooks.example.test/", "hooks.example.test:443/");
                let signed = [url, &*with_port].map(|url| Some(sign(&auth_tokens[0], url, bytes)));
                assert!(
                    signed.contains(&headers.signature.map(str::to_owned)),
                    "{}",
                    vector["name"]
                );
            }
        }
    }
}

#[test]
fn a_twilio_signature_of_a_shared_key_needs_that_key() {
    use twilio::signature::{Body, Secrets, SignatureError, verify};
    let vector = vector("twilio_x_twilio_signature.json", "shared_key_hmac_sha256");
    let auth_tokens = [text(&vector, "/auth_token").to_owned()];
    let another = SharedKey {
        id: "another".to_owned(),
        secret: auth_tokens[0].clone(),
    };
    let secrets = Secrets {
        auth_tokens: &auth_tokens,
        shared_keys: &[another],
    };
    let body = Body::Form(text(&vector, "/body").as_bytes());
    let judged = verify(secrets, twilio_headers(&vector), text(&vector, "/url"), body);
    assert_eq!(judged, Err(SignatureError::UnknownKey));
}

#[test]
fn standard_webhooks_are_judged_as_the_vectors_say() {
    let files = ["standard_webhooks.json", "standard_webhooks_v1.json"];
    for vector in files.into_iter().flat_map(vectors) {
        let secrets: Vec<String> = serde_json::from_value(vector["secrets"].clone()).unwrap();
        let header = |name: &str| vector["headers"][name].as_str();
        let headers = telephony::Headers {
            id: header("webhook-id"),
            timestamp: header("webhook-timestamp"),
            signature: header("webhook-signature"),
        };
        let body = text(&vector, "/body").as_bytes();
        let judged = telephony::verify(&secrets, headers, body, now(&vector));
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

#[test]
fn aircall_tokens_are_judged_as_the_vectors_say() {
    for vector in vectors("aircall_body_token.json") {
        let body = fixtures::bytes(text(&vector, "/fixture"));
        let token = text(&vector, "/stored_token");
        let valid = vector["valid"].as_bool().unwrap();
        assert_eq!(aircall::is_from(&[token], &body), valid, "{}", vector["name"]);
        // During a rotation, both tokens are valid.
        assert_eq!(aircall::is_from(&["old", token], &body), valid, "{}", vector["name"]);
    }
}

#[test]
fn an_aircall_event_without_a_token_of_ours_is_not_from_it() {
    let body = |token: Value| json!({ "event": "call.ended", "token": token, "data": {} }).to_string();
    for token in [
        json!(null),
        json!(""),
        json!("tok"),
        json!("token2"),
        json!(7),
        json!(["token"]),
    ] {
        let body = body(token.clone());
        assert!(!aircall::is_from(&["token", ""], body.as_bytes()), "{token}");
    }
    assert!(!aircall::is_from(&["token"], b"token"));
    assert!(!aircall::is_from(&[""; 0], body("token".into()).as_bytes()));
    assert!(aircall::is_from(&["token"], body("token".into()).as_bytes()));
}

/// A connection to the vectors' account at Vonage.
const fn vonages(secrets: &[String]) -> vonage::Expected<'_> {
    vonage::Expected {
        secrets,
        api_key: "f1x7ure0",
        application_id: None,
    }
}

#[test]
fn vonage_tokens_are_judged_as_the_vectors_say() {
    use vonage::{Expected, SignatureError, sign, verify};
    const APPLICATION: &str = "00000000-0000-4000-8000-0000000000aa";
    let mut of_the_account = None;
    for vector in vectors("vonage_signed_webhook_jwt.json") {
        let secrets = [text(&vector, "/signature_secret").to_owned()];
        let header = text(&vector, "/headers/Authorization");
        let body = text(&vector, "/body").as_bytes();
        let judged = verify(vonages(&secrets), Some(header), body, now(&vector));
        if is_judged_valid(&vector, &judged) && !body.is_empty() {
            of_the_account = Some((secrets, header.to_owned(), body.to_owned(), now(&vector)));
        }
    }
    let (secrets, header, body, now) = of_the_account.unwrap();
    let expected = Expected {
        application_id: Some(APPLICATION),
        ..vonages(&secrets)
    };
    let another = Expected {
        application_id: Some("another"),
        ..expected
    };
    let both = ["next".to_owned(), secrets[0].clone()];
    let rotating = Expected {
        secrets: &both,
        ..expected
    };
    let next = sign("next", "f1x7ure0", APPLICATION, now, &body);
    for (case, expected, header, judged) in [
        ("the account's", expected, Some(&header), Ok(())),
        ("no token", expected, None, Err(SignatureError::Missing)),
        (
            "another application",
            another,
            Some(&header),
            Err(SignatureError::Foreign),
        ),
        ("the former secret", rotating, Some(&header), Ok(())),
        ("the next secret", rotating, Some(&next), Ok(())),
    ] {
        assert_eq!(
            verify(expected, header.map(String::as_str), &body, now),
            judged,
            "{case}"
        );
    }
}

/// Otherwise, a token that was signed for no body would be valid for any.
#[test]
fn a_vonage_token_that_binds_no_body_goes_with_none() {
    use vonage::{SignatureError, verify};
    let vector = vector("vonage_signed_webhook_jwt.json", "ok_without_payload_hash_for_get");
    let secrets = [text(&vector, "/signature_secret").to_owned()];
    let (expected, now) = (vonages(&secrets), now(&vector));
    let header = Some(text(&vector, "/headers/Authorization"));
    assert_eq!(verify(expected, header, b"", now), Ok(()));
    assert_eq!(verify(expected, header, b"{}", now), Err(SignatureError::BodyHash));
    for empty in [&[String::new()][..], &[]] {
        let judged = verify(vonages(empty), header, b"", now);
        assert_eq!(judged, Err(SignatureError::NoSecret), "{empty:?}");
    }
    for malformed in [
        "",
        "Bearer",
        "Bearer x",
        "Bearer a.b",
        "Basic a.b.c",
        "Bearer a.b.c",
        "Bearer ..",
    ] {
        let judged = verify(expected, Some(malformed), b"", now);
        assert_eq!(judged, Err(SignatureError::Malformed), "{malformed}");
    }
}

#[test]
fn plivo_webhooks_are_judged_as_the_vectors_say() {
    use plivo::signature::{Headers, SignatureError, sign, verify};
    for vector in vectors("plivo_signature_v3.json") {
        let token = text(&vector, "/auth_token");
        let nonce = text(&vector, "/headers/X-Plivo-Signature-V3-Nonce");
        let signature = text(&vector, "/headers/X-Plivo-Signature-V3");
        let headers = |signature, main_account, nonce| Headers {
            signature,
            main_account,
            nonce,
        };
        let given = headers(Some(signature), None, Some(nonce));
        let (url, body) = (text(&vector, "/url"), text(&vector, "/body").as_bytes());
        if is_judged_valid(&vector, &verify(&[token], given, url, body)) {
            assert!(signature.split(',').any(|one| one == sign(token, url, body, nonce)));
            let (missing, mismatch) = (Err(SignatureError::Missing), Err(SignatureError::Mismatch));
            let no_secret = Err(SignatureError::NoSecret);
            for (tokens, headers, judged) in [
                (&["next", token][..], given, Ok(())),
                (&[token], headers(None, Some(signature), Some(nonce)), Ok(())),
                (&[token], headers(None, None, Some(nonce)), missing),
                (&[token], headers(Some(signature), None, None), missing),
                (&[token], headers(Some(signature), None, Some("")), missing),
                (&[token], headers(Some(""), None, Some(nonce)), mismatch),
                (&[""], given, no_secret),
                (&[], given, no_secret),
                (&["next"], given, mismatch),
            ] {
                let name = &vector["name"];
                assert_eq!(
                    verify(tokens, headers, url, body),
                    judged,
                    "{name}: {tokens:?} {headers:?}"
                );
            }
        }
    }
}
