//! The API as its callers use it.

use anyhow::{Context as _, Result, bail};
use domain::Timestamp;
use serde_json::{Value, json};

use crate::{
    contract::{Contract, Operation},
    endpoints::Login,
    play::{Answer, Play},
    secrets::random_hex,
    totp,
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

/// Logs a person in, by their second factor where they have one; the answer's body. Three times in half a minute: each code counts
/// once.
pub async fn session_of(play: &Play, login: &Login) -> Result<Value> {
    let mut body = json!({ "email": login.email, "password": login.password });
    let Some(secret) = &login.totp_secret else {
        let answer = asked_to_log_in(play, &body).await?;
        return succeeded(&answer, "logging in");
    };
    let mut answer = None;
    for code in totp::codes(secret, Timestamp::now())? {
        body["code"] = code.into();
        let tried = asked_to_log_in(play, &body).await?;
        if kind(&tried) != "wrong_code" {
            return succeeded(&tried, "logging in");
        }
        answer = Some(tried);
    }
    bail!("logging in with every code: {answer:?}")
}

async fn asked_to_log_in(play: &Play, body: &Value) -> Result<Answer> {
    let body = Some(("application/json".to_owned(), body.clone()));
    ask(play, "post", "/api/v1/auth/log-in", &Proof::Nothing, None, &body).await
}

/// Logs a person in; the access token.
pub async fn log_in(play: &Play, login: &Login) -> Result<String> {
    let token = session_of(play, login).await?["access_token"]
        .as_str()
        .map(str::to_owned);
    token.context("who logs in gets an access token")
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

/// What an operation's path may name by its parameter `name`: an object that is made for it alone by the document's example, so
/// that nothing that others need is changed or removed; where none can be made, one that is listed. `None`: there is none.
pub async fn object_for(
    play: &Play,
    contract: &Contract,
    keeper: &Proof,
    operation: &Operation<'_>,
    name: &str,
) -> Result<Option<String>> {
    let Some((list, _)) = operation.path.split_once(&format!("/{{{name}}}")) else {
        return Ok(None);
    };
    let create = contract
        .operations()
        .find(|other| other.path == list && other.method == "post");
    if let Some(create) = create {
        let made = make(play, contract, keeper, &create).await?;
        let place = made.header("location").and_then(|place| place.rsplit('/').next());
        return Ok(place.map(str::to_owned));
    }
    let listed = succeeded(&ask(play, "get", list, keeper, None, &None).await?, list)?;
    // Of people the last administrator cannot be changed.
    let mut items = listed["items"].as_array().into_iter().flatten();
    let one = items.find(|item| item["role"] != "admin");
    Ok(one.and_then(|item| item["id"].as_str()).map(str::to_owned))
}

/// Makes something by the document's example of this operation.
pub async fn make(play: &Play, contract: &Contract, keeper: &Proof, create: &Operation<'_>) -> Result<Answer> {
    let mut body = contract.example_body(create);
    // What must be nobody else's.
    for (field, end) in [
        ("slug", ""),
        ("email", "@example.test"),
        ("admin_email", "@example.test"),
    ] {
        if let Some((_, body)) = &mut body
            && !body[field].is_null()
        {
            body[field] = format!("made-{}{end}", random_hex(8)?).into();
        }
    }
    let made = ask(play, create.method, create.path, keeper, None, &body).await?;
    succeeded(
        &made,
        &format!("making one by the document's example of {}", create.id()),
    )?;
    Ok(made)
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
