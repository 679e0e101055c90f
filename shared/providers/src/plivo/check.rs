//! Checks whether Plivo accepts an account's auth token: `GET /v1/Account/{auth_id}/` answers `{"auth_id", "name", ...}`.
//! Source: plivo.com/docs/account/api/account/retrieve-account-details.

use crate::check::{self, CheckError};
use crate::http::Http;

const PROVIDER: &str = "Plivo";

/// A read-only client of Plivo's API.
#[derive(Debug, Clone)]
pub struct PlivoClient {
    http: Http,
    /// Base URL without a trailing slash.
    base: String,
}

impl PlivoClient {
    /// A client of `base_url`, such as `https://api.plivo.com`.
    pub fn new(http: Http, base_url: &str) -> Self {
        Self {
            http,
            base: base_url.trim_end_matches('/').to_owned(),
        }
    }

    /// Checks an account's credentials.
    ///
    /// # Errors
    /// When they are refused, or Plivo gives no clear answer.
    pub async fn check(&self, auth_id: &str, auth_token: &str) -> Result<(), CheckError> {
        if !check::is_name(auth_id) {
            return Err(CheckError::of_refusal("The auth id is not a valid one of Plivo."));
        }
        let url = format!("{}/v1/Account/{auth_id}/", self.base);
        let account = check::ask(&self.http, PROVIDER, refusal, |client| {
            client.get(&url).basic_auth(auth_id, Some(auth_token))
        })
        .await?;
        if account["auth_id"].is_string() {
            Ok(())
        } else {
            Err(CheckError::unreadable(PROVIDER))
        }
    }
}

const fn refusal(status: u16) -> Option<&'static str> {
    match status {
        401 | 403 => Some("Plivo refuses the credentials. Set `auth_token` to that of the account `auth_id`."),
        404 => Some("Plivo knows no such account. Check `auth_id`."),
        _ => None,
    }
}
