//! Checks whether Aircall accepts an API key, and reads the account's numbers: `GET /v1/ping` answers `{"ping": "pong"}`,
//! `GET /v1/numbers` `{"meta": {"next_page_link"}, "numbers": [{"digits"}]}`.
//! Sources: developer.aircall.io, API reference "Ping" and "Number", and the tutorial "Basic authentication".

use domain::terms::Phone;
use serde_json::Value;

use super::event::number;
use crate::check::{self, CheckError};
use crate::http::{Http, Query};

const PROVIDER: &str = "Aircall";

/// Maximum page size of Aircall.
const MAX_NUMBERS: &str = "50";

/// A read-only client of Aircall's API.
#[derive(Debug, Clone)]
pub struct AircallClient {
    http: Http,
    /// Base URL without a trailing slash.
    base: String,
}

impl AircallClient {
    /// A client of `base_url`, such as `https://api.aircall.io`.
    pub fn new(http: Http, base_url: &str) -> Self {
        Self {
            http,
            base: base_url.trim_end_matches('/').to_owned(),
        }
    }

    /// Checks an API key and, with `with_numbers`, reads the account's numbers, both at once. `None`: the numbers are not known
    /// completely, because they were not requested, fill more than one page, or one of them is unreadable.
    ///
    /// # Errors
    /// When one of them is refused or not answered.
    pub async fn check(
        &self,
        api_id: &str,
        api_token: &str,
        with_numbers: bool,
    ) -> Result<Option<Vec<Phone>>, CheckError> {
        let ping = self.look(api_id, api_token, "ping", &[]);
        let numbers = async {
            if with_numbers {
                let query = [("per_page", MAX_NUMBERS)];
                self.look(api_id, api_token, "numbers", &query).await.map(Some)
            } else {
                Ok(None)
            }
        };
        let (ping, numbers) = futures::join!(ping, numbers);
        if ping?["ping"] != "pong" {
            return Err(CheckError::unreadable(PROVIDER));
        }
        match numbers? {
            Some(page) => listed_phones(&page),
            None => Ok(None),
        }
    }

    async fn look(&self, api_id: &str, api_token: &str, what: &str, query: &Query<'_>) -> Result<Value, CheckError> {
        let url = format!("{}/v1/{what}", self.base);
        check::ask(&self.http, PROVIDER, refusal, |client| {
            client.get(&url).query(query).basic_auth(api_id, Some(api_token))
        })
        .await
    }
}

const fn refusal(status: u16) -> Option<&'static str> {
    match status {
        401 | 403 => Some(
            "Aircall refuses the API key. Make one in Aircall's company settings, and set its `api_id` and `api_token`.",
        ),
        _ => None,
    }
}

fn listed_phones(page: &Value) -> Result<Option<Vec<Phone>>, CheckError> {
    let numbers = page["numbers"]
        .as_array()
        .ok_or_else(|| CheckError::unreadable(PROVIDER))?;
    let whole = page["meta"].get("next_page_link").is_some_and(Value::is_null);
    Ok(whole.then(|| numbers.iter().map(phone).collect()).flatten())
}

fn phone(item: &Value) -> Option<Phone> {
    number(&item["digits"]).phone().cloned()
}
