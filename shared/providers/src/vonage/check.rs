//! Checks whether Vonage accepts an account's API key and secret: `GET /account/get-balance` answers `{"value": 10.28}`. The balance
//! itself is ignored.
//! Source: developer.vonage.com/en/api/account.

use crate::check::{self, CheckError};
use crate::http::Http;

const PROVIDER: &str = "Vonage";

/// A read-only client of Vonage's account API.
#[derive(Debug, Clone)]
pub struct VonageClient {
    http: Http,
    /// Base URL without a trailing slash.
    base: String,
}

impl VonageClient {
    /// A client of `base_url`, such as `https://rest.nexmo.com`.
    pub fn new(http: Http, base_url: &str) -> Self {
        Self {
            http,
            base: base_url.trim_end_matches('/').to_owned(),
        }
    }

    /// Checks an account's credentials.
    ///
    /// # Errors
    /// When they are refused, or Vonage gives no clear answer.
    pub async fn check(&self, api_key: &str, api_secret: &str) -> Result<(), CheckError> {
        let url = format!("{}/account/get-balance", self.base);
        let balance = check::ask(&self.http, PROVIDER, refusal, |client| {
            client.get(&url).basic_auth(api_key, Some(api_secret))
        })
        .await?;
        if balance["value"].is_number() {
            Ok(())
        } else {
            Err(CheckError::unreadable(PROVIDER))
        }
    }
}

const fn refusal(status: u16) -> Option<&'static str> {
    match status {
        401 | 403 => Some(
            "Vonage refuses the credentials. Set `api_secret` to that of the account's API key, which is not its signature \
             secret.",
        ),
        _ => None,
    }
}
