//! Shared code of the tests: fixtures, two tenants, a client, waiting.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulators::{Config, Running};

use crate::ringback::Ringback;

pub(crate) const MAYA: &str = "+447700900111";

/// Tenant A's at Twilio.
pub(crate) const ACCOUNT: &str = "AC000000000000000000000000000000a1";

// Fixtures. Read from the testkit's folder rather than through its crate, which would build all of Ringback.

fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/testkit/fixtures")).join(name)
}

pub(crate) fn fixture(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("reading the fixture {name}: {error}"))
}

pub(crate) fn fixture_json(name: &str) -> Value {
    serde_json::from_str(&fixture(name)).unwrap_or_else(|error| panic!("reading the fixture {name}: {error}"))
}

pub(crate) fn fixture_names(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(path(folder)).unwrap_or_else(|error| panic!("listing {folder}: {error}"));
    let mut names: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The names of a form's fields.
pub(crate) fn fields(form: &str) -> BTreeSet<String> {
    form_urlencoded::parse(form.trim_end().as_bytes())
        .map(|pair| pair.0.into_owned())
        .collect()
}

/// The structure of a JSON value: names and types, no content.
pub(crate) fn shape(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(items) => json!(items.iter().map(shape).collect::<Vec<_>>()),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("bool"),
        Value::Null => json!("null"),
    }
}

/// Senders of SMS, and what Twilio says about each.
pub(crate) fn senders() -> Value {
    serde_json::from_str(include_str!("../clients/senders.json")).expect("senders.json")
}

// Tenants

pub(crate) fn tenant_a() -> Value {
    let template = |name: &str| {
        let mut template = fixture_json(&format!("whatsapp/templates/{name}.json"));
        template["status"] = json!("APPROVED");
        template
    };
    let made = |name: &str, status: &str, category: &str, components: Value| {
        let language = if name == "hello_world" { "en_US" } else { "en_GB" };
        json!({"name": name, "language": language, "status": status, "category": category, "components": components})
    };
    let body = |text: &str| json!([{"type": "BODY", "text": text}]);
    json!({
        "id": "tnt_a", "name": "Fixture Hair",
        "twilio": {
            "connection": "con_ta", "account_sid": "AC000000000000000000000000000000a1",
            "auth_token": "fixture0twilio0auth0token0000001", "api_key_sid": "SKa", "api_key_secret": "secret-a",
            "numbers": ["+15005550006"], "whatsapp_sender": "+15005550006",
            "messaging_service_sid": "MG00000000000000000000000000000001", "advanced_opt_out": true,
            "registered_letters": ["FIXTURE", "AD-FIXTURE"], "numbers_blocked_to": ["+971"],
            "content_review_seconds": null,
        },
        "whatsapp": {
            "connection": "con_wa", "waba_id": "900000000000001", "phone_number_id": "910000000000001",
            "display_number": "+442079460001", "access_token": "token-a", "app_secret": "fixture-meta-app-secret-0001",
            "verify_token": "fixture-verify-token", "direct_send": true, "marketing_terms": true, "template_review_seconds": null,
            "templates": [
                template("create_request_utility"),
                template("create_request_named_params"),
                template("create_request_image_header"),
                made("hello_world", "APPROVED", "UTILITY", body("Hello World")),
                made("quote_pdf", "APPROVED", "UTILITY", json!([{"type": "HEADER", "format": "DOCUMENT"}, {"type": "BODY", "text": "Your quote"}])),
                made("code", "APPROVED", "AUTHENTICATION", body("{{1}} is your code")),
                made("offer", "APPROVED", "MARKETING", body("20% off for {{1}} today")),
                made("paused", "PAUSED", "UTILITY", body("Hello")),
                made("disabled", "DISABLED", "UTILITY", body("Hello")),
                made("pending", "PENDING", "UTILITY", body("Hello")),
            ],
        },
        "telephony": {"connection": "con_pa", "secret": "whsec_Zml4dHVyZS1zdGFuZGFyZC13ZWJob29rcy1rZXktMDE="},
        "aircall": {
            "connection": "con_aa", "token": "fixture-aircall-token", "number": "+442079460001",
            "api_id": "aircall-id-a", "api_token": "aircall-secret-a",
        },
        "vonage": {
            "connection": "con_va", "api_key": "f1x7ure0", "application_id": "00000000-0000-4000-8000-0000000000aa",
            "signature_secret": "fixture-vonage-signature-secret-0000000001", "number": "+442079460001",
            "api_secret": "vonage-secret-a",
        },
        "exotel": {
            "connection": "con_xa", "url_secret": "fixture-exotel-url-secret-01", "number": "+442079460001",
            "country_code": "44", "account_sid": "fixture1", "api_key": "exotel-key-a", "api_token": "exotel-secret-a",
        },
        "plivo": {
            "connection": "con_la", "auth_token": "fixture-plivo-auth-token-0001", "number": "+442079460001",
            "auth_id": "MAFIXTURE0",
        },
    })
}

pub(crate) fn tenant_b() -> Value {
    json!({
        "id": "tnt_b", "name": "عيادة النخيل",
        "twilio": {
            "connection": "con_tb", "account_sid": "AC000000000000000000000000000000b2", "auth_token": "token-tb",
            "api_key_sid": "SKb", "api_key_secret": "secret-b", "numbers": ["+15005550008"],
        },
        "whatsapp": {
            "connection": "con_wb", "waba_id": "900000000000002", "phone_number_id": "910000000000002",
            "display_number": "+97155500002", "access_token": "token-b", "app_secret": "secret-of-b",
            "verify_token": "verify-b", "templates": [],
        },
    })
}

/// Simulators with a stand-in for Ringback.
pub(crate) struct Stage {
    pub(crate) simulators: Running,
    pub(crate) ringback: Ringback,
    pub(crate) http: reqwest::Client,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        Self::opposite(Ringback::start().await, json!({})).await
    }

    pub(crate) async fn with(changes: Value) -> Self {
        Self::opposite(Ringback::start().await, changes).await
    }

    pub(crate) async fn opposite(ringback: Ringback, changes: Value) -> Self {
        let config = json!({
            "public_base_url": ringback.url,
            "tenants": [tenant_a(), tenant_b()],
            "status_delay_ms": {"sent": 5, "delivered": 10, "read": 15},
            "delivery": {"attempts": 30, "first_backoff_ms": 2, "max_backoff_ms": 20, "timeout_ms": 5000, "concurrency": 8},
        });
        let config = serde_json::from_value(extend_object(config, changes));
        let config: Config = config.expect("the test's configuration");
        let simulators = simulators::start(config).await.expect("starting the simulators");
        Self {
            simulators,
            ringback,
            http: reqwest::Client::builder().no_proxy().build().expect("a client"),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulators.url())
    }

    // Control

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(self.url(path)).send().await.expect("an answer");
        assert!(answer.status().is_success(), "GET {path}: {}", answer.status());
        answer.json().await.expect("JSON")
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = send_for_json(self.http.post(self.url(path)).json(&body)).await;
        assert!((200..300).contains(&status), "POST {path}: {status} {answer}");
        answer
    }

    pub(crate) async fn put(&self, path: &str, body: Value) {
        let (status, answer) = send_for_json(self.http.put(self.url(path)).json(&body)).await;
        assert!((200..300).contains(&status), "PUT {path}: {status} {answer}");
    }

    pub(crate) async fn faults(&self, rules: Value) {
        self.put("/faults", rules).await;
    }

    pub(crate) async fn outbox(&self, query: &str) -> Vec<Value> {
        match self.get(&format!("/outbox{query}")).await {
            Value::Array(sent) => sent,
            other => panic!("an outbox is a list, not {other}"),
        }
    }

    pub(crate) async fn maya_writes(&self, tenant: &str, channel: &str) {
        self.reply(json!({"tenant": tenant, "text": "hello", "channel": channel}))
            .await;
    }

    /// Maya writes to tenant A, unless this says something else.
    pub(crate) async fn reply(&self, what: Value) -> Value {
        let maya = json!({"tenant": "tnt_a", "from": MAYA, "wait": true});
        self.post("/replies", extend_object(maya, what)).await
    }

    /// Maya calls tenant A, unless this says something else.
    pub(crate) async fn call(&self, outcome: &str, what: Value) -> Value {
        let maya = json!({"tenant": "tnt_a", "from": MAYA, "outcome": outcome});
        self.post("/calls", extend_object(maya, what)).await
    }

    /// Sets Maya's profile at the simulators.
    pub(crate) async fn profile(&self, profile: Value) {
        self.put(&format!("/phones/{MAYA}"), profile).await;
    }

    /// Waits until nothing is pending.
    pub(crate) async fn wait_until_idle(&self) {
        until("the simulators are idle", async || {
            self.get("/idle").await["idle"] == true
        })
        .await;
    }

    // The providers' APIs

    pub(crate) async fn graph(&self, token: &str, number: &str, message: &Value) -> Answer {
        let request = self.http.post(self.url(&format!("/v26.0/{number}/messages")));
        send_for_json(request.bearer_auth(token).json(message)).await
    }

    /// Tenant A sends a WhatsApp message.
    pub(crate) async fn send_whatsapp(&self, message: &Value) -> Answer {
        self.graph("token-a", "910000000000001", message).await
    }

    /// A request of tenant A to the Graph API; the path begins after the version.
    pub(crate) fn meta(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        let url = self.url(&format!("/v26.0/{path}"));
        self.http.request(method, url).bearer_auth("token-a")
    }

    /// Uploads a file of tenant A.
    pub(crate) async fn upload(&self, kind: &str, file: &[u8]) -> Answer {
        let (content_type, body) = multipart(kind, file);
        let upload = self.meta("POST", "910000000000001/media");
        send_for_json(upload.header("content-type", content_type).body(body)).await
    }

    /// The id of an uploaded file of tenant A.
    pub(crate) async fn upload_file(&self, kind: &str, file: &[u8]) -> String {
        let (status, answer) = self.upload(kind, file).await;
        assert_eq!(status, 200, "{answer}");
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// Maya sends this; the webhook of it, and its id.
    pub(crate) async fn maya_sends(&self, what: Value) -> (crate::ringback::Received, String) {
        let answer = self.reply(what).await;
        let webhook = self.ringback.received_requests().pop().expect("a webhook");
        (webhook, answer["id"].as_str().expect("an id").to_owned())
    }

    pub(crate) async fn forward(&self, time: jiff::SignedDuration) {
        let now = self.get("/clock").await["offset_seconds"].as_i64().expect("an offset");
        self.put("/clock", json!({"offset_seconds": now + time.as_secs()}))
            .await;
    }

    /// A request of tenant A to Twilio's API, below its account.
    pub(crate) fn to_account(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.to_twilio(method, &self.url(&format!("/2010-04-01/Accounts/{ACCOUNT}/{path}")))
    }

    /// A request with the credentials of tenant A's account at Twilio.
    pub(crate) fn to_twilio(&self, method: &str, url: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        self.http.request(method, url).basic_auth("SKa", Some("secret-a"))
    }

    pub(crate) async fn twilio(&self, form: &[(&str, &str)]) -> Answer {
        send_for_json(self.to_account("POST", "Messages.json").form(form)).await
    }

    /// The StatusCallback that Ringback would send, with this key.
    pub(crate) fn callback(&self, key: &str) -> String {
        format!(
            "{}/webhooks/twilio/tnt_a/con_ta/message-status?key={key}#rc=3&rp=all",
            self.ringback.url
        )
    }
}

fn extend_object(mut value: Value, more: Value) -> Value {
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}

/// Status and JSON of a provider's answer.
pub(crate) type Answer = (u16, Value);

/// Compares the structure of a value with that of a fixture.
#[track_caller]
pub(crate) fn assert_shape(value: &Value, name: &str) {
    let promised = fixture_json(&format!("{name}.json"));
    assert_eq!(shape(value), shape(&promised), "{name}: {value}");
}

/// Compares the status and the structure of an answer with those that a fixture promises, which is returned.
#[track_caller]
pub(crate) fn assert_answer(answer: &Answer, promised: u16, name: &str) -> Value {
    let (status, answer) = answer;
    assert_eq!(*status, promised, "{name}: {answer}");
    assert_shape(answer, name);
    fixture_json(&format!("{name}.json"))
}

/// A tenant whose WhatsApp goes through Twilio.
pub(crate) fn without_graph() -> Value {
    extend_object(tenant_a(), json!({"whatsapp": null}))
}

/// Sends a request and follows no redirect.
pub(crate) async fn send_without_redirects(request: reqwest::RequestBuilder) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy();
    let client = client.redirect(reqwest::redirect::Policy::none());
    let request = request.build().expect("a request");
    client
        .build()
        .expect("a client")
        .execute(request)
        .await
        .expect("an answer")
}

/// The content type and body of an upload; only these tests would need reqwest's own multipart feature.
pub(crate) fn multipart(kind: &str, file: &[u8]) -> (String, Vec<u8>) {
    let part =
        |name: &str, rest: &str| format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{rest}\r\n\r\n");
    let mut body = part("messaging_product", "").into_bytes();
    body.extend_from_slice(format!("whatsapp\r\n{}{kind}\r\n", part("type", "")).as_bytes());
    body.extend_from_slice(part("file", &format!("; filename=\"a\"\r\nContent-Type: {kind}")).as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--edge--\r\n");
    ("multipart/form-data; boundary=edge".to_owned(), body)
}

pub(crate) async fn send_for_json(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

pub(crate) fn template(to: &str, key: &str) -> Value {
    json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": "template",
        "template": {"name": "hello_world", "language": {"code": "en_US"}},
        "biz_opaque_callback_data": key,
    })
}

pub(crate) fn text(to: &str) -> Value {
    json!({"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": "hello"}})
}

/// Waits for a condition. The limit is generous, because only a faulty simulator reaches it.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "waited in vain until {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
