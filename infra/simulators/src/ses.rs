//! Amazon SES: `SendEmail` of API v2 with simple content, and the received mails.
//!
//! Only the form of the request's AWS signature is checked, because the key of an assumed role is the emulator's secret.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::faults::{Api, Event, Kind};
use crate::interference::{self, Caller};
use crate::world::Sims;

pub(crate) fn routes() -> Router<Sims> {
    Router::new()
        .route("/v2/email/outbound-emails", post(send_email))
        .route("/mails", get(list_mails))
        .route("/mails/{id}/html", get(show_html))
}

/// Sent to the page instead of a phone number.
pub(crate) const CHANGED: &str = "mails";

/// A mail that SES accepted.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MailSent {
    pub(crate) id: String,
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    /// Every URL in it, once, first those of the text, then those of the HTML.
    pub(crate) links: Vec<String>,
    pub(crate) at: Timestamp,
}

/// An error of SES: the code in a header, the text in the body.
#[derive(Debug)]
struct Refused(StatusCode, &'static str, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, [("x-amzn-errortype", self.1)], Json(json!({"message": self.2}))).into_response()
    }
}

fn bad_request(words: impl Into<String>) -> Refused {
    Refused(StatusCode::BAD_REQUEST, "BadRequestException", words.into())
}

async fn send_email(State(world): State<Sims>, headers: HeaderMap, body: Bytes) -> Result<Json<Value>, Refused> {
    check_signature(&headers)?;
    let mail = MailSent::read(&world, &body)?;
    let (id, to) = (mail.id.clone(), mail.to.clone());
    let event = Event::new(Api::Ses, "", Some(&to));
    // Limits the kills per mail; nothing else tells mails apart.
    let caller = Caller::new(&headers, &to, Some(&mail.subject));
    let kinds = &[Kind::MailRejected, Kind::MailUnverified];
    let refusal = world.state().fault(event, kinds).map(|rule| rule.kind);
    if let Some(kind) = refusal {
        return Err(refuse(kind, &to));
    }
    if let Some(kind) = interference::before(&world, event, &caller).await {
        return Err(refuse(kind, &to));
    }
    world.state().mails.push(mail);
    world.notify_viewers(CHANGED);
    match interference::after(&world, event, &caller).await {
        Some(kind) => Err(refuse(kind, &to)),
        None => Ok(Json(json!({"MessageId": id}))),
    }
}

fn refuse(kind: Kind, to: &str) -> Refused {
    let (status, code, words) = match kind {
        Kind::BadCredentials => (
            StatusCode::FORBIDDEN,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.".to_owned(),
        ),
        Kind::Throttled => (
            StatusCode::TOO_MANY_REQUESTS,
            "TooManyRequestsException",
            "Maximum sending rate exceeded.".to_owned(),
        ),
        Kind::MailRejected => (
            StatusCode::BAD_REQUEST,
            "BadRequestException",
            "Domain contains control or whitespace".to_owned(),
        ),
        // SES quotes the address.
        Kind::MailUnverified => (
            StatusCode::BAD_REQUEST,
            "MessageRejected",
            format!(
                "Email address is not verified. The following identities failed the check in region US-EAST-1: {to}"
            ),
        ),
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalServiceErrorException",
            "An internal failure occurred.".to_owned(),
        ),
    };
    Refused(status, code, words)
}

/// Checks the form of Signature Version 4 for SES.
fn check_signature(headers: &HeaderMap) -> Result<(), Refused> {
    let refused = |code, words: &str| Refused(StatusCode::FORBIDDEN, code, words.to_owned());
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let given = text(AUTHORIZATION.as_str())
        .ok_or_else(|| refused("MissingAuthenticationTokenException", "Missing Authentication Token"))?;
    let incomplete = || refused("IncompleteSignatureException", "Authorization header is incomplete");
    let parts = given.strip_prefix("AWS4-HMAC-SHA256 ").ok_or_else(incomplete)?;
    let part = |name: &str| {
        let found = parts.split(',').find_map(|part| part.trim().strip_prefix(name));
        found.filter(|value| !value.is_empty()).ok_or_else(incomplete)
    };
    // Key, date, region, service, and the end.
    let scope: Vec<_> = part("Credential=")?.split('/').collect();
    let signature = part("Signature=")?;
    let headers_signed = part("SignedHeaders=")?;
    let date = text("x-amz-date").ok_or_else(incomplete)?;
    let whole = scope.len() == 5
        && scope[1].len() == 8
        && date.starts_with(scope[1])
        && scope[4] == "aws4_request"
        && signature.len() == 64
        && signature.bytes().all(|byte| byte.is_ascii_hexdigit())
        && ["host", "x-amz-date"]
            .iter()
            .all(|wanted| headers_signed.split(';').any(|name| name == *wanted));
    if !whole {
        return Err(incomplete());
    }
    if scope[3] != "ses" {
        let words = format!(
            "Credential should be scoped to correct service: 'ses', not '{}'.",
            scope[3]
        );
        return Err(Refused(StatusCode::FORBIDDEN, "InvalidSignatureException", words));
    }
    Ok(())
}

impl MailSent {
    /// The mail of a request to send simple content to one person.
    fn read(world: &Sims, body: &[u8]) -> Result<Self, Refused> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|_| Refused(StatusCode::BAD_REQUEST, "SerializationException", String::new()))?;
        let known = ["FromEmailAddress", "Destination", "Content"];
        let fields = body
            .as_object()
            .ok_or_else(|| bad_request("The request is not an object"))?;
        // No other part of SES's request is supported.
        if let Some(other) = fields.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(bad_request(format!("The simulator does not support {other}")));
        }
        let from = address(&body["FromEmailAddress"])?;
        let destination = &body["Destination"];
        let to = match destination["ToAddresses"].as_array().map(Vec::as_slice) {
            Some([to]) if destination.as_object().is_some_and(|all| all.len() == 1) => address(to)?,
            _ => return Err(bad_request("The simulator sends to exactly one address")),
        };
        let simple = &body["Content"]["Simple"];
        let data = |content: &Value, name: &str| {
            let data = content["Data"].as_str().filter(|data| !data.is_empty());
            data.map(str::to_owned)
                .ok_or_else(|| bad_request(format!("Content.Simple.{name}.Data is missing")))
        };
        let subject = data(&simple["Subject"], "Subject")?;
        if subject.chars().any(char::is_control) {
            return Err(bad_request("Header value contains control characters"));
        }
        let text = data(&simple["Body"]["Text"], "Body.Text")?;
        let html = data(&simple["Body"]["Html"], "Body.Html")?;
        Ok(Self {
            id: format!("{}-000000", world.hex_id()),
            links: links(&text, &html),
            at: world.now(),
            to,
            from,
            subject,
            text,
            html,
        })
    }
}

/// `local@domain`, as far as SES checks it.
fn address(value: &Value) -> Result<String, Refused> {
    let text = value
        .as_str()
        .ok_or_else(|| bad_request("Missing required header 'From' or 'To'"))?;
    let (local, domain) = text
        .rsplit_once('@')
        .ok_or_else(|| bad_request("Missing final '@domain'"))?;
    let unusual = |part: &str| {
        part.chars()
            .any(|c| c.is_control() || c.is_whitespace() || !c.is_ascii())
    };
    if local.is_empty() {
        Err(bad_request("Missing local name"))
    } else if unusual(local) {
        Err(bad_request("Local address contains control or whitespace"))
    } else if domain.is_empty() || unusual(domain) || domain.split('.').any(str::is_empty) {
        Err(bad_request("Domain contains control or whitespace"))
    } else {
        Ok(text.to_owned())
    }
}

/// URLs in the text, and targets of links in the HTML.
fn links(text: &str, html: &str) -> Vec<String> {
    let is_url = |word: &&str| word.starts_with("https://") || word.starts_with("http://");
    let in_text = text.split_whitespace().filter(is_url).map(str::to_owned);
    let targets = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let in_html = targets.map(|target| {
        let plain = target.replace("&quot;", "\"").replace("&#39;", "'");
        plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    });
    let mut found: Vec<String> = Vec::new();
    for link in in_text.chain(in_html) {
        if !found.contains(&link) {
            found.push(link);
        }
    }
    found
}

#[derive(Debug, Default, Deserialize)]
struct MailQuery {
    to: Option<String>,
}

async fn list_mails(State(world): State<Sims>, Query(query): Query<MailQuery>) -> Json<Vec<MailSent>> {
    let state = world.state();
    // No address contains a space: it is a plus that the query string turned into one.
    let to = query.to.map(|to| to.trim().replace(' ', "+"));
    let wanted = |mail: &&MailSent| to.as_deref().is_none_or(|to| same_address(to, &mail.to));
    Json(state.mails.iter().filter(wanted).cloned().collect())
}

pub(crate) fn same_address(a: &str, b: &str) -> bool {
    a.trim().eq_ignore_ascii_case(b.trim())
}

/// Nothing in a mail can run, load or navigate, whether in a frame or opened by itself.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; base-uri 'none'; form-action 'none'; \
                           frame-ancestors 'self'";

async fn show_html(State(world): State<Sims>, Path(id): Path<String>) -> Response {
    let html = world
        .state()
        .mails
        .iter()
        .find(|mail| mail.id == id)
        .map(|mail| mail.html.clone());
    match html {
        Some(html) => (
            [(CONTENT_SECURITY_POLICY, MAIL_POLICY), (CACHE_CONTROL, "no-store")],
            Html(html),
        )
            .into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({"error": "there is no such mail"}))).into_response(),
    }
}
