//! The API as its callers use it.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::{
    endpoints::Login,
    play::{Answer, Play},
};

/// What proves a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Nothing.
    Nothing,
    /// `Authorization: Bearer …`.
    Token(String),
    /// `X-API-Key`.
    Key(String),
}

/// A body with its content type.
pub type Body = Option<(String, Value)>;

/// Logs a person in; the access token.
pub async fn log_in(play: &Play, login: &Login) -> Result<String> {
    let body = json!({ "email": login.email, "password": login.password });
    let body = Some(("application/json".to_owned(), body));
    let answer = ask(play, "post", "/api/v1/auth/log-in", &Proof::Nothing, None, &body).await?;
    let token = json(&answer)["access_token"].as_str().map(str::to_owned);
    token.with_context(|| format!("logging in: {} {}", answer.status, kind(&answer)))
}

/// Asks the API; `tenant` is named by `X-Tenant-ID`.
pub async fn ask(
    play: &Play,
    method: &str,
    path: &str,
    proof: &Proof,
    tenant: Option<&str>,
    body: &Body,
) -> Result<Answer> {
    let bearer;
    let mut headers = Vec::new();
    match proof {
        Proof::Nothing => {}
        Proof::Token(token) => {
            bearer = format!("Bearer {token}");
            headers.push(("authorization", bearer.as_str()));
        }
        Proof::Key(key) => headers.push(("x-api-key", key.as_str())),
    }
    headers.extend(tenant.map(|tenant| ("x-tenant-id", tenant)));
    let mut text = String::new();
    if let Some((content_type, body)) = body {
        headers.push(("content-type", content_type));
        text = body.to_string();
    }
    play.request(&method.to_uppercase(), path, &headers, text).await
}

/// An answer's body; null where it is no JSON.
#[must_use]
pub fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_default()
}

/// The last word of a problem's type, such as `not_found`; empty where it is none.
#[must_use]
pub fn kind(answer: &Answer) -> String {
    let body = json(answer);
    let kind = body["type"].as_str().and_then(|kind| kind.rsplit(':').next());
    kind.unwrap_or_default().to_owned()
}

/// What must be a 2xx.
pub fn succeeded(answer: &Answer, what: &str) -> Result<Value> {
    if !(200..300).contains(&answer.status) {
        bail!("{what}: {} {}", answer.status, answer.body);
    }
    Ok(json(answer))
}
