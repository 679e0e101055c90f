//! Checks whether Exotel accepts an API key for an account: `GET /v1/Accounts/{sid}/Calls.json` answers `{"Calls": [...]}`. At most one
//! call is requested, and it is ignored.
//! Sources: developer.exotel.com/docs/references/authentication, /docs/getting-started/api-credentials (accounts exist only in
//! their own cluster), /api/http-status-codes.

use domain::tenants::exotel::Cluster;

use crate::check::{self, CheckError};
use crate::http::Http;

const PROVIDER: &str = "Exotel";

/// A read-only client of Exotel's API.
#[derive(Debug, Clone)]
pub struct ExotelClient {
    http: Http,
    // Without a trailing slash.
    singapore: String,
    mumbai: String,
}

impl ExotelClient {
    /// A client of both clusters, such as `https://api.exotel.com` and `https://api.in.exotel.com`.
    pub fn new(http: Http, singapore_url: &str, mumbai_url: &str) -> Self {
        let base = |url: &str| url.trim_end_matches('/').to_owned();
        Self {
            http,
            singapore: base(singapore_url),
            mumbai: base(mumbai_url),
        }
    }

    /// Checks whether an API key can read an account.
    ///
    /// # Errors
    /// When it may not, or Exotel gives no clear answer.
    pub async fn check(
        &self,
        cluster: Cluster,
        account_sid: &str,
        api_key: &str,
        api_token: &str,
    ) -> Result<(), CheckError> {
        if !check::is_name(account_sid) {
            return Err(CheckError::of_refusal("The account SID is not a valid one of Exotel."));
        }
        let base = match cluster {
            Cluster::Singapore => &self.singapore,
            Cluster::Mumbai => &self.mumbai,
        };
        let url = format!("{base}/v1/Accounts/{account_sid}/Calls.json");
        let calls = check::ask(&self.http, PROVIDER, refusal, |client| {
            let request = client.get(&url).query(&[("PageSize", "1")]);
            request.basic_auth(api_key, Some(api_token))
        })
        .await?;
        if calls["Calls"].is_array() {
            Ok(())
        } else {
            Err(CheckError::unreadable(PROVIDER))
        }
    }
}

const fn refusal(status: u16) -> Option<&'static str> {
    match status {
        401 => Some(
            "Exotel refuses the credentials. Set `api_key` and `api_token` as its API settings show them, and check \
             `cluster`.",
        ),
        402 => Some(
            "Exotel says that the account's plan does not cover its API, or its credit is exhausted. Check Exotel's dashboard.",
        ),
        403 => Some(
            "Exotel does not let the API key read the account. Check `account_sid` and the permissions of the key.",
        ),
        404 => Some("Exotel knows no such account. Check `account_sid` and `cluster`."),
        _ => None,
    }
}
