//! The Content API: message templates at Twilio, their approval by WhatsApp, and their messages.

mod render;
mod rules;

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::account::unless_fault;
use super::errors::TwilioError;
use super::{Access, authorise_if};
use crate::config::{Config, TwilioAccount};
use crate::graph::own_url;
use crate::interference::{self, Caller};
use crate::world::{Sims, State as WorldState};

pub(super) use render::{Composed, unknown, with_file, with_place};

pub(super) fn routes() -> Router<Sims> {
    Router::new()
        .route("/v1/Content", get(list_contents).post(create_content))
        .route("/v1/ContentAndApprovals", get(list_contents_and_approvals))
        .route(
            "/v1/Content/{sid}",
            get(fetch_content).put(update_content).delete(delete_content),
        )
        .route("/v1/Content/{sid}/ApprovalRequests", get(fetch_approval))
        .route(
            "/v1/Content/{sid}/ApprovalRequests/whatsapp",
            axum::routing::post(submit_content),
        )
}

/// The contents of all accounts, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Contents(Vec<Record>);

#[derive(Clone, Debug)]
struct Record {
    account_sid: String,
    sid: String,
    friendly_name: String,
    language: String,
    /// Samples, and values of what a message leaves out.
    variables: BTreeMap<String, String>,
    types: Map<String, Value>,
    created_at: Timestamp,
    updated_at: Timestamp,
    approval: Option<Approval>,
}

#[derive(Clone, Debug)]
struct Approval {
    name: String,
    category: String,
    submitted_at: Timestamp,
    /// Status and reason as decided by the control API.
    decided: Option<(String, String)>,
}

impl Approval {
    /// Status and reason of a rejection, at this time: only the control API rejects.
    fn status(&self, review_seconds: Option<f64>, now: Timestamp) -> (String, String) {
        if let Some(decided) = &self.decided {
            return decided.clone();
        }
        let status = |status: &str| (status.to_owned(), String::new());
        let Some(seconds) = review_seconds else {
            return status("received");
        };
        let waited = now.duration_since(self.submitted_at).as_secs_f64();
        if waited < seconds / 2.0 {
            status("received")
        } else if waited < seconds {
            status("pending")
        } else {
            status("approved")
        }
    }
}

impl Record {
    fn resource(&self, base: &str) -> Value {
        let url = format!("{base}/v1/Content/{}", self.sid);
        json!({
            "account_sid": self.account_sid,
            "date_created": iso(self.created_at),
            "date_updated": iso(self.updated_at),
            "friendly_name": self.friendly_name,
            "language": self.language,
            "links": {
                "approval_create": format!("{url}/ApprovalRequests/whatsapp"),
                "approval_fetch": format!("{url}/ApprovalRequests"),
            },
            "sid": self.sid,
            "types": self.types,
            "url": url,
            "variables": self.variables,
        })
    }

    fn approval(&self, account: &TwilioAccount, now: Timestamp) -> Value {
        match &self.approval {
            Some(approval) => {
                let (status, reason) = approval.status(account.content_review_seconds, now);
                json!({
                    "name": approval.name,
                    "category": approval.category,
                    "content_type": rules::richest(&self.types),
                    "status": status,
                    "rejection_reason": reason,
                    "allow_category_change": true,
                })
            }
            None => json!({
                "name": "",
                "category": "",
                "content_type": "",
                "status": "unsubmitted",
                "rejection_reason": "",
                "allow_category_change": false,
            }),
        }
    }
}

/// A time such as `2026-10-31T09:20:00Z`.
fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn of(state: &WorldState, account: &TwilioAccount) -> Vec<Record> {
    let all = state.contents.0.iter();
    all.filter(|record| record.account_sid == account.account_sid)
        .cloned()
        .collect()
}

fn find(world: &Sims, account: &TwilioAccount, sid: &str) -> Result<Record, TwilioError> {
    let mut all = of(&world.state(), account).into_iter();
    all.find(|record| record.sid == sid)
        .ok_or_else(|| TwilioError::no_content(sid))
}

/// Records WhatsApp's decision about a content.
pub(crate) fn review(
    world: &Sims,
    account: &TwilioAccount,
    sid: &str,
    status: &str,
    reason: &str,
) -> Result<Value, String> {
    const STATUSES: &[&str] = &["received", "pending", "approved", "rejected", "paused", "disabled"];
    if !STATUSES.contains(&status) {
        return Err(format!("a status is one of {}", STATUSES.join(", ")));
    }
    let mut record = find(world, account, sid).map_err(|_| format!("there is no content {sid}"))?;
    let approval = record.approval.as_mut().ok_or("the content was never submitted")?;
    approval.decided = Some((status.to_owned(), reason.to_owned()));
    let shown = record.approval(account, world.now());
    put(&mut world.state(), record);
    Ok(shown)
}

fn put(state: &mut WorldState, record: Record) {
    match state.contents.0.iter_mut().find(|known| known.sid == record.sid) {
        Some(known) => *known = record,
        None => state.contents.0.push(record),
    }
}

// Requests

async fn caller<'a>(world: &Sims, config: &'a Config, headers: &HeaderMap) -> Result<Access<'a>, Response> {
    unless_fault(world, authorise_if(world, config, headers, |_| true), headers).await
}

/// The caller's access, and the content of its account that has this SID.
async fn caller_and_content<'a>(
    world: &Sims,
    config: &'a Config,
    sid: &str,
    headers: &HeaderMap,
) -> Result<(Access<'a>, Record), Response> {
    let access = caller(world, config, headers).await?;
    let record = find(world, access.account, sid)?;
    Ok((access, record))
}

/// The answer to a change, unless a fault takes its place.
async fn answer_change(world: &Sims, access: &Access<'_>, headers: &HeaderMap, answer: Response) -> Response {
    match interference::after(world, access.event(None), &Caller::new(headers, "", None)).await {
        Some(kind) => super::messages::refuse(world, kind),
        None => answer,
    }
}

fn invalid(message: impl Into<String>) -> Response {
    TwilioError::invalid(message).into_response()
}

async fn create_content(State(world): State<Sims>, headers: HeaderMap, body: Bytes) -> Result<Response, Response> {
    let config = world.config();
    let access = caller(&world, &config, &headers).await?;
    let now = world.now();
    let mut record = Record {
        account_sid: access.account.account_sid.clone(),
        sid: format!("HX{}", world.hex_id()),
        friendly_name: String::new(),
        language: String::new(),
        variables: BTreeMap::new(),
        types: Map::new(),
        created_at: now,
        updated_at: now,
        approval: None,
    };
    rules::read(&body, true, &mut record).map_err(invalid)?;
    let answer = record.resource(&own_url(&headers));
    put(&mut world.state(), record);
    let created = (StatusCode::CREATED, Json(answer)).into_response();
    Ok(answer_change(&world, &access, &headers, created).await)
}

async fn fetch_content(
    State(world): State<Sims>,
    Path(sid): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let config = world.config();
    let (_, record) = caller_and_content(&world, &config, &sid, &headers).await?;
    Ok(Json(record.resource(&own_url(&headers))).into_response())
}

/// Only while it was never submitted; its language stays.
async fn update_content(
    State(world): State<Sims>,
    Path(sid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    let config = world.config();
    let (access, mut record) = caller_and_content(&world, &config, &sid, &headers).await?;
    if record.approval.is_some() {
        return Err(invalid("A content that was submitted for approval cannot be changed"));
    }
    let language = record.language.clone();
    rules::read(&body, false, &mut record).map_err(invalid)?;
    if record.language != language {
        return Err(invalid("The language of a content cannot be changed"));
    }
    record.updated_at = world.now();
    let answer = record.resource(&own_url(&headers));
    put(&mut world.state(), record);
    Ok(answer_change(&world, &access, &headers, Json(answer).into_response()).await)
}

async fn delete_content(
    State(world): State<Sims>,
    Path(sid): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let config = world.config();
    let (access, _) = caller_and_content(&world, &config, &sid, &headers).await?;
    world.state().contents.0.retain(|record| record.sid != sid);
    Ok(answer_change(&world, &access, &headers, StatusCode::NO_CONTENT.into_response()).await)
}

async fn list_contents(
    State(world): State<Sims>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Response> {
    list(&world, "Content", query.as_deref(), &headers).await
}

async fn list_contents_and_approvals(
    State(world): State<Sims>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Response> {
    list(&world, "ContentAndApprovals", query.as_deref(), &headers).await
}

/// A page. The next one is found by its URL only: `Page` alone means nothing.
async fn list(world: &Sims, path: &str, query: Option<&str>, headers: &HeaderMap) -> Result<Response, Response> {
    let config = world.config();
    let access = caller(world, &config, headers).await?;
    let query: Vec<(String, String)> = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    let field = |name: &str| query.iter().find(|pair| pair.0 == name).map(|pair| pair.1.as_str());
    let size = field("PageSize")
        .and_then(|size| size.parse().ok())
        .unwrap_or(50_usize)
        .clamp(1, 1000);
    let all = of(&world.state(), access.account);
    let start = match field("PageToken") {
        None => 0,
        Some(token) => match token.strip_prefix("PA").and_then(|place| place.parse::<usize>().ok()) {
            Some(place) => place.min(all.len()),
            None => return Err(invalid("PageToken is invalid")),
        },
    };
    let end = (start + size).min(all.len());
    let (base, now) = (own_url(headers), world.now());
    let link = |start: usize| {
        let page = start / size;
        let token = if start == 0 {
            String::new()
        } else {
            format!("&PageToken=PA{start}")
        };
        format!("{base}/v1/{path}?PageSize={size}&Page={page}{token}")
    };
    let contents: Vec<Value> = all[start..end]
        .iter()
        .map(|record| {
            let mut shown = record.resource(&base);
            if path != "Content" {
                shown["approval_requests"] = record.approval(access.account, now);
            }
            shown
        })
        .collect();
    let answer = json!({
        "meta": {
            "page": start / size,
            "page_size": size,
            "first_page_url": link(0),
            "previous_page_url": (start > 0).then(|| link(start.saturating_sub(size))),
            "url": link(start),
            "next_page_url": (end < all.len()).then(|| link(end)),
            "key": "contents",
        },
        "contents": contents,
    });
    Ok(Json(answer).into_response())
}

// Approval

async fn submit_content(
    State(world): State<Sims>,
    Path(sid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    let config = world.config();
    let (access, mut record) = caller_and_content(&world, &config, &sid, &headers).await?;
    let (name, category) = rules::submission(&body, &record).map_err(invalid)?;
    record.approval = Some(Approval {
        name,
        category,
        submitted_at: world.now(),
        decided: None,
    });
    let mut answer = record.approval(access.account, world.now());
    answer["status"] = json!("received");
    answer["rejection_reason"] = json!("");
    put(&mut world.state(), record);
    let created = (StatusCode::CREATED, Json(answer)).into_response();
    Ok(answer_change(&world, &access, &headers, created).await)
}

async fn fetch_approval(
    State(world): State<Sims>,
    Path(sid): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let config = world.config();
    let (access, record) = caller_and_content(&world, &config, &sid, &headers).await?;
    let mut whatsapp = record.approval(access.account, world.now());
    whatsapp["type"] = json!("whatsapp");
    let answer = json!({
        "sid": sid,
        "account_sid": record.account_sid,
        "whatsapp": whatsapp,
        "url": format!("{}/v1/Content/{sid}/ApprovalRequests", own_url(&headers)),
    });
    Ok(Json(answer).into_response())
}

/// A message of a content: what it says, and whether it needs an open window. None: the account has no contents at all, and any
/// id counts as an approved template.
pub(super) fn compose(
    world: &Sims,
    account: &TwilioAccount,
    sid: &str,
    given: &BTreeMap<String, String>,
    whatsapp: bool,
) -> Result<Option<Composed>, TwilioError> {
    let all = of(&world.state(), account);
    let Some(record) = all.iter().find(|record| record.sid == sid) else {
        return if all.is_empty() {
            Ok(None)
        } else {
            Err(TwilioError::new(21655))
        };
    };
    let status = record
        .approval
        .as_ref()
        .map(|approval| approval.status(account.content_review_seconds, world.now()).0);
    render::compose(record, status.as_deref(), given, whatsapp).map(Some)
}
