//! Connections to telephone systems with their own adapters, with credentials of their APIs, and events as these systems sign them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use domain::Timestamp;
use domain::terms::Phone;
use providers::{plivo, vonage};
use serde_json::json;

use crate::business::{Plan, new_ulid};
use crate::play::new_phone;
use crate::secrets::random_hex;

/// The kinds of telephone systems.
pub const KINDS: [&str; 4] = ["aircall", "vonage", "exotel", "plivo"];

/// The password of each kind's API, by its field in `send`.
pub const PASSWORDS: [(&str, &str); 4] = [
    ("aircall", "api_token"),
    ("vonage", "api_secret"),
    ("exotel", "api_token"),
    ("plivo", "auth_token"),
];

const API_KEY: &str = "5tack001";
const AUTH_ID: &str = "MASTACK0000000000000";
const APPLICATION: &str = "00000000-0000-4000-8000-0000000000bb";

/// A connection of each kind, with one secret for signatures, one for their APIs, and one line for all of them.
pub struct Vendors {
    connections: BTreeMap<&'static str, String>,
    secret: String,
    api_secret: String,
    line: Phone,
}

/// A request from a telephone system.
pub struct Event {
    pub method: &'static str,
    /// Path, with the query.
    pub path: String,
    /// Headers, including the content type.
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Vendors {
    /// Connections with random ids, secret and line.
    pub fn new() -> Result<Self> {
        let mut connections = BTreeMap::new();
        for kind in KINDS {
            connections.insert(kind, format!("conn_{}", new_ulid()?));
        }
        Ok(Self {
            connections,
            secret: random_hex(20)?,
            api_secret: random_hex(20)?,
            line: new_phone()?,
        })
    }

    /// Connects a business and configures the simulators.
    pub fn connect(&self, plan: &mut Plan) {
        let (secret, numbers) = (&self.secret, [&self.line]);
        for (kind, id) in &self.connections {
            let (mut account, mut verify, mut send, mut simulated) = match *kind {
                "aircall" => (
                    json!({}),
                    json!({ "tokens": [secret] }),
                    json!({ "api_id": API_KEY, "api_token": self.api_secret }),
                    json!({ "token": secret, "api_id": API_KEY, "api_token": self.api_secret }),
                ),
                "vonage" => (
                    json!({ "api_key": API_KEY, "application_id": APPLICATION }),
                    json!({ "signature_secrets": [secret] }),
                    json!({ "api_secret": self.api_secret }),
                    json!({
                        "api_key": API_KEY, "application_id": APPLICATION, "signature_secret": secret,
                        "api_secret": self.api_secret,
                    }),
                ),
                "exotel" => (
                    json!({ "account_sid": "stack1", "country_code": "971" }),
                    json!({ "url_secrets": [secret] }),
                    json!({ "api_key": API_KEY, "api_token": self.api_secret }),
                    json!({
                        "url_secret": secret, "country_code": "971", "account_sid": "stack1", "api_key": API_KEY,
                        "api_token": self.api_secret,
                    }),
                ),
                _ => (
                    json!({ "auth_id": AUTH_ID }),
                    json!({ "auth_tokens": [secret] }),
                    // For signatures and for the API.
                    json!({ "auth_token": secret }),
                    json!({ "auth_token": secret, "auth_id": AUTH_ID }),
                ),
            };
            account["kind"] = (*kind).into();
            account["numbers"] = json!(numbers);
            verify["kind"] = (*kind).into();
            send["kind"] = (*kind).into();
            simulated["connection"] = id.as_str().into();
            simulated["number"] = json!(self.line);
            let connection = json!({ "id": id, "name": kind, "account": account, "verify": verify, "send": send });
            if let Some(connections) = plan.file["connections"].as_array_mut() {
                connections.push(connection);
            }
            plan.simulated[kind] = simulated;
        }
    }

    /// The secret that authenticates their requests.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// A request with this content, valid or not, authenticated as the kind requires. `what` ends its path: `passthru` or `status`
    /// for Exotel, `hangup` for Plivo.
    pub fn sign_event(
        &self,
        kind: &str,
        what: &str,
        tenant: &str,
        api: &str,
        content_type: &str,
        content: &str,
    ) -> Result<Event> {
        let secret = &self.secret;
        let connection = self.connections.get(kind).context("a kind of telephone system")?;
        let path = format!("/webhooks/{kind}/{tenant}/{connection}");
        let mut headers = vec![("content-type", content_type.to_owned())];
        let path = match kind {
            "exotel" if what == "passthru" => {
                return Ok(Event {
                    method: "GET",
                    path: format!("{path}/passthru/{secret}?{content}"),
                    headers: Vec::new(),
                    body: String::new(),
                });
            }
            "exotel" => format!("{path}/{what}/{secret}"),
            "vonage" => {
                let token = vonage::sign(secret, API_KEY, APPLICATION, Timestamp::now(), content.as_bytes());
                headers.push(("authorization", token));
                path
            }
            "plivo" => {
                let (path, nonce) = (format!("{path}/{what}"), random_hex(8)?);
                let signature = plivo::signature::sign(secret, &format!("{api}{path}"), content.as_bytes(), &nonce);
                headers.extend([
                    ("x-plivo-signature-v3", signature),
                    ("x-plivo-signature-v3-nonce", nonce),
                ]);
                path
            }
            _ => path,
        };
        Ok(Event {
            method: "POST",
            path,
            headers,
            body: content.to_owned(),
        })
    }
}
