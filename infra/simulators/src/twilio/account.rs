//! The account and its numbers, for requests that test them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::errors::TwilioError;
use super::{Access, authorise, messages};
use crate::config::Config;
use crate::interference::{self, Caller};
use crate::world::Sims;

/// The caller, unless a fault affects the request.
pub(super) async fn looking<'a>(
    world: &Sims,
    config: &'a Config,
    headers: &HeaderMap,
    account_sid: &str,
) -> Result<Access<'a>, Response> {
    unless_fault(world, authorise(world, config, headers, account_sid), headers).await
}

/// The caller as found, unless a fault affects the request.
pub(super) async fn unless_fault<'a>(
    world: &Sims,
    access: Result<Access<'a>, TwilioError>,
    headers: &HeaderMap,
) -> Result<Access<'a>, Response> {
    let access = access?;
    match interference::before(world, access.event(None), &Caller::new(headers, "", None)).await {
        Some(kind) => Err(messages::refuse(world, kind)),
        None => Ok(access),
    }
}

/// `GET /2010-04-01/Accounts/{sid}.json`.
pub(super) async fn fetch_account(
    State(world): State<Sims>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let config = world.config();
    let sid = file.strip_suffix(".json").unwrap_or(&file);
    let access = looking(&world, &config, &headers, sid).await?;
    let account = json!({
        "sid": sid,
        "owner_account_sid": sid,
        "friendly_name": access.tenant.name,
        "status": "active",
        "type": "Full",
        "uri": format!("/2010-04-01/Accounts/{sid}.json"),
    });
    Ok(Json(account).into_response())
}

/// `GET /2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json`: all on one page.
pub(super) async fn list_numbers(
    State(world): State<Sims>,
    Path(sid): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let config = world.config();
    let access = looking(&world, &config, &headers, &sid).await?;
    let number = |(place, number): (usize, &String)| {
        json!({
            "sid": format!("PN{:032x}", place + 1),
            "account_sid": sid,
            "phone_number": number,
            "friendly_name": number,
            "capabilities": {"voice": true, "sms": true, "mms": false, "fax": false},
            "status": "in-use",
        })
    };
    let numbers: Vec<Value> = access.account.numbers.iter().enumerate().map(number).collect();
    let uri = format!("/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json");
    let page = json!({
        "incoming_phone_numbers": numbers,
        "page": 0,
        "page_size": 1000,
        "next_page_uri": null,
        "uri": uri,
    });
    Ok(Json(page).into_response())
}
