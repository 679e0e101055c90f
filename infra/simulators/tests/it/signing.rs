use serde_json::Value;
use simulators::signatures;

use crate::support::fixture_json;

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} of the vector {}", vector["name"]))
}

fn valid(file: &str) -> Vec<Value> {
    let vectors = fixture_json(file)["vectors"]
        .as_array()
        .expect("a list of vectors")
        .clone();
    let valid: Vec<_> = vectors.into_iter().filter(|vector| vector["valid"] == true).collect();
    assert!(!valid.is_empty());
    valid
}

#[test]
fn meta_signatures_are_those_of_the_vectors() {
    for vector in valid("vectors/meta_x_hub_signature_256.json") {
        let signature = signatures::meta(text(&vector, "app_secret"), text(&vector, "body").as_bytes());
        let expected = text(&vector, "header_x_hub_signature_256");
        assert!(signature.eq_ignore_ascii_case(expected), "{}", vector["name"]);
    }
}

#[test]
fn twilio_signatures_are_those_of_the_vectors() {
    let by_token = |vector: &Value| vector["headers"]["X-Twilio-Webhooks-Signature-Settings"].is_null();
    for vector in valid("vectors/twilio_x_twilio_signature.json")
        .into_iter()
        .filter(by_token)
    {
        let is_form = vector["method"] == "POST" && text(&vector, "content_type").contains("form");
        let body = if is_form { text(&vector, "body") } else { "" };
        let form: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        // This vector's URL is the receiver's view; the sender was configured with the port.
        let url = if vector["name"] == "signed_with_explicit_port_443" {
            text(&vector, "url").replacen("example.test", "example.test:443", 1)
        } else {
            text(&vector, "url").to_owned()
        };
        let secret = text(&vector, "auth_token");
        let signature = signatures::twilio(secret, &url, &form);
        assert_eq!(signature, vector["headers"]["X-Twilio-Signature"], "{}", vector["name"]);
    }
}

#[test]
fn standard_webhooks_signatures_are_those_of_the_vectors() {
    for vector in valid("vectors/standard_webhooks_v1.json") {
        let headers = &vector["headers"];
        let timestamp = text(headers, "webhook-timestamp").parse().expect("a number");
        let signed = |secret: &Value| {
            let secret = secret.as_str().expect("a secret");
            let body = text(&vector, "body").as_bytes();
            signatures::standard_webhooks(secret, text(headers, "webhook-id"), timestamp, body).expect("a secret")
        };
        let secrets = vector["secrets"].as_array().expect("secrets");
        let expected: Vec<_> = text(headers, "webhook-signature").split(' ').collect();
        assert!(
            secrets.iter().any(|secret| expected.contains(&signed(secret).as_str())),
            "{}",
            vector["name"]
        );
    }
    let signing = fixture_json("vectors/standard_webhooks.json");
    for vector in signing["signing_vectors"].as_array().expect("a list of vectors") {
        let timestamp = vector["timestamp"].as_i64().expect("a number");
        let signature = signatures::standard_webhooks(
            text(vector, "secret"),
            text(vector, "id"),
            timestamp,
            text(vector, "body").as_bytes(),
        );
        assert_eq!(signature.as_deref(), Ok(text(vector, "signature")));
    }
}

#[test]
fn vonage_tokens_are_those_of_the_vectors() {
    for vector in valid("vectors/vonage_signed_webhook_jwt.json") {
        // That vector binds no body, but events have one.
        if vector["method"] == "GET" {
            continue;
        }
        let token = signatures::vonage(
            text(&vector, "signature_secret"),
            "f1x7ure0",
            "00000000-0000-4000-8000-0000000000aa",
            vector["now"].as_i64().expect("a time"),
            "00000000-0000-4000-8000-000000000001",
            text(&vector, "body").as_bytes(),
        );
        assert_eq!(token, text(&vector["headers"], "Authorization"), "{}", vector["name"]);
    }
}

#[test]
fn plivo_signatures_are_those_of_the_vectors() {
    let mut checked = 0;
    for vector in valid("vectors/plivo_signature_v3.json") {
        let url = text(&vector, "url");
        let form: Vec<(String, String)> = form_urlencoded::parse(text(&vector, "body").as_bytes())
            .into_owned()
            .collect();
        // Callbacks go to a URL without a query, and always contain a form.
        if url.contains('?') || form.is_empty() {
            continue;
        }
        let headers = &vector["headers"];
        let nonce = text(headers, "X-Plivo-Signature-V3-Nonce");
        let signature = signatures::plivo(text(&vector, "auth_token"), url, &form, nonce);
        let mut given = text(headers, "X-Plivo-Signature-V3").split(',');
        assert!(given.any(|given| given == signature), "{}", vector["name"]);
        checked += 1;
    }
    assert!(checked > 0);
}
