//! The parts of the vendors' own APIs that check an account's credentials.
//! Sources: developer.aircall.io, API reference "Ping" and "Number"; developer.vonage.com/en/api/account;
//! developer.exotel.com/docs/references/authentication; plivo.com/docs/account/api/account/retrieve-account-details.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::Vendor;
use super::aircall::format_number;
use crate::config::{Config, Tenant};
use crate::faults::{Api, Event, Kind};
use crate::interference::{self, Caller};
use crate::world::Sims;

pub(super) fn routes() -> Router<Sims> {
    Router::new()
        .route("/v1/ping", get(ping_aircall))
        .route("/v1/numbers", get(list_aircalls_numbers))
        .route("/account/get-balance", get(show_vonages_balance))
        .route("/v1/Accounts/{account}/Calls.json", get(list_exotels_calls))
        .route("/v1/Account/{account}/", get(show_plivos_account))
}

impl Vendor {
    const fn api(self) -> Api {
        match self {
            Self::Telephony => Api::Telephony,
            Self::Aircall => Api::Aircall,
            Self::Vonage => Api::Vonage,
            Self::Exotel => Api::Exotel,
            Self::Plivo => Api::Plivo,
        }
    }

    /// Credentials of a tenant's requests, as `user:password`.
    fn credentials(self, tenant: &Tenant) -> Option<String> {
        let (user, password) = match self {
            // Has no API.
            Self::Telephony => return None,
            Self::Aircall => {
                let account = tenant.aircall.as_ref()?;
                (account.api_id.as_ref()?, account.api_token.as_ref()?)
            }
            Self::Vonage => {
                let account = tenant.vonage.as_ref()?;
                (&account.api_key, account.api_secret.as_ref()?)
            }
            Self::Exotel => {
                let account = tenant.exotel.as_ref()?;
                (account.api_key.as_ref()?, account.api_token.as_ref()?)
            }
            Self::Plivo => {
                let account = tenant.plivo.as_ref()?;
                (account.auth_id.as_ref()?, &account.auth_token)
            }
        };
        Some(format!("{user}:{password}"))
    }

    /// An error in this vendor's own form.
    fn error(self, status: StatusCode, message: &str) -> Response {
        let code = status.as_u16();
        let body = match self {
            Self::Aircall => json!({"error": status.canonical_reason(), "troubleshoot": message}),
            Self::Vonage => json!({"error-code": code.to_string(), "error-code-label": message}),
            Self::Exotel => json!({"RestException": {"Status": code, "Message": message}}),
            _ => json!({"api_id": "00000000-0000-4000-8000-000000000001", "error": message}),
        };
        (status, Json(body)).into_response()
    }

    fn refusal(self) -> Response {
        match self {
            Self::Aircall => self.error(StatusCode::FORBIDDEN, "Check the API ID and the API token"),
            Self::Vonage => self.error(StatusCode::UNAUTHORIZED, "authentication failed"),
            _ => self.error(StatusCode::UNAUTHORIZED, "Authentication failed"),
        }
    }
}

/// The tenant of the credentials, unless a fault affects the request.
async fn asking<'a>(
    world: &Sims,
    config: &'a Config,
    vendor: Vendor,
    headers: &HeaderMap,
) -> Result<&'a Tenant, Response> {
    let given = interference::basic(headers).ok_or_else(|| vendor.refusal())?;
    let mut tenants = config.tenants.iter();
    let tenant = tenants
        .find(|tenant| vendor.credentials(tenant).as_ref() == Some(&given))
        .ok_or_else(|| vendor.refusal())?;
    let event = Event::new(vendor.api(), &tenant.id, None);
    match interference::before(world, event, &Caller::new(headers, "", None)).await {
        None => Ok(tenant),
        Some(Kind::BadCredentials) => Err(vendor.refusal()),
        Some(Kind::Throttled) => Err(vendor.error(StatusCode::TOO_MANY_REQUESTS, "Too many requests")),
        Some(_) => Err(vendor.error(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong")),
    }
}

async fn ping_aircall(State(world): State<Sims>, headers: HeaderMap) -> Result<Response, Response> {
    asking(&world, &world.config(), Vendor::Aircall, &headers).await?;
    Ok(Json(json!({"ping": "pong"})).into_response())
}

/// All on one page.
async fn list_aircalls_numbers(State(world): State<Sims>, headers: HeaderMap) -> Result<Response, Response> {
    let config = world.config();
    let tenant = asking(&world, &config, Vendor::Aircall, &headers).await?;
    let number =
        |digits: &str| json!({"id": 4400, "name": "Main line", "digits": format_number(digits), "country": "GB"});
    let numbers: Vec<_> = Vendor::Aircall.number(tenant).into_iter().map(number).collect();
    let meta = json!({
        "count": numbers.len(), "total": numbers.len(), "current_page": 1, "per_page": 50,
        "next_page_link": null, "previous_page_link": null,
    });
    Ok(Json(json!({"meta": meta, "numbers": numbers})).into_response())
}

async fn show_vonages_balance(State(world): State<Sims>, headers: HeaderMap) -> Result<Response, Response> {
    asking(&world, &world.config(), Vendor::Vonage, &headers).await?;
    Ok(Json(json!({"value": 10.28, "autoReload": false})).into_response())
}

/// `None`: calls are not stored here.
async fn list_exotels_calls(
    State(world): State<Sims>,
    Path(account): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let config = world.config();
    let tenant = asking(&world, &config, Vendor::Exotel, &headers).await?;
    let own = tenant.exotel.as_ref().and_then(|own| own.account_sid.as_ref());
    if own != Some(&account) {
        return Err(Vendor::Exotel.error(StatusCode::NOT_FOUND, "There is no such account"));
    }
    Ok(Json(json!({"Metadata": {"Total": 0, "PageSize": 1}, "Calls": []})).into_response())
}

async fn show_plivos_account(
    State(world): State<Sims>,
    Path(account): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let config = world.config();
    let tenant = asking(&world, &config, Vendor::Plivo, &headers).await?;
    let own = tenant.plivo.as_ref().and_then(|own| own.auth_id.as_ref());
    if own != Some(&account) {
        return Err(Vendor::Plivo.error(StatusCode::NOT_FOUND, "not found"));
    }
    let account = json!({
        "account_type": "standard",
        "api_id": "00000000-0000-4000-8000-000000000001",
        "auth_id": account,
        "billing_mode": "prepaid",
        "name": tenant.name,
        "resource_uri": format!("/v1/Account/{account}/"),
    });
    Ok(Json(account).into_response())
}
