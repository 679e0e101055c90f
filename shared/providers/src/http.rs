//! The HTTP client of all providers. It never retries and never follows a redirect: whether a request may be repeated
//! is the message's decision, and a redirect could carry credentials elsewhere.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::dns::Resolve;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response};

use crate::times;

/// Maximum size of an answer, far above a page of templates.
const MAX_BODY_LENGTH: usize = 4 * 1024 * 1024;
/// Maximum pause, even if a provider requests a longer one.
const MAX_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// Maximum idle time of a connection, shorter than that of any provider. A frozen function may wake with a connection that the
/// other side has closed; a request written to it would have an unknown outcome.
const IDLE_CONNECTION: Duration = Duration::from_secs(15);

/// An HTTP client, created on first use (3–7 ms). Clones share it.
#[derive(Debug, Clone)]
pub struct Http(Arc<Inner>);

struct Inner {
    user_agent: String,
    timeout: Duration,
    /// Resolves the names of hosts, if the system does not.
    names: Option<Arc<dyn Resolve>>,
    client: OnceLock<Client>,
}

/// Names and values of a query.
pub(crate) type Query<'a> = [(&'a str, &'a str)];

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.user_agent)
    }
}

/// A complete answer. If the body was truncated or too long it is empty, so that only the status counts.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<SignedDuration>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// A request without an answer. No variant contains the address, which may include a telephone number.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing was sent: the request could not be built, for example because a token contains a line break.
    #[error("the request could not be built")]
    NotBuilt(#[source] reqwest::Error),
    /// Nothing was sent: name resolution, connection or TLS failed.
    #[error("no connection could be made")]
    NotConnected(#[source] reqwest::Error),
    /// Something may have been sent, but no answer came in time.
    #[error("no answer came in time")]
    TimedOut(#[source] reqwest::Error),
    /// Something may have been sent, but the connection broke before the answer.
    #[error("the connection broke before the answer")]
    Broken(#[source] reqwest::Error),
}

impl Failure {
    /// True if it is certain that the provider received nothing.
    pub const fn nothing_left(&self) -> bool {
        matches!(self, Self::NotBuilt(_) | Self::NotConnected(_))
    }

    pub(crate) fn of(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_builder() {
            Self::NotBuilt(error)
        } else if error.is_connect() {
            Self::NotConnected(error)
        } else if error.is_timeout() {
            Self::TimedOut(error)
        } else {
            Self::Broken(error)
        }
    }
}

/// The body of an answer, piece by piece.
pub struct Incoming(Response);

impl Incoming {
    pub(crate) const fn of(response: Response) -> Self {
        Self(response)
    }

    /// Length in bytes, if the answer says it.
    pub fn length(&self) -> Option<u64> {
        self.0.content_length()
    }

    /// Content type without its parameters, in lower case; empty if the answer says none.
    pub(crate) fn content_type(&self) -> String {
        let stated = self.0.headers().get(CONTENT_TYPE);
        let stated = stated.and_then(|stated| stated.to_str().ok()).unwrap_or_default();
        stated.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks before the end, or it takes too long.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let chunk = self.0.chunk().await.map_err(Failure::of)?;
        Ok(chunk.map(|bytes| bytes.to_vec()))
    }
}

impl Http {
    /// A client with this `User-Agent` that waits at most `timeout` for a whole answer.
    pub fn new(user_agent: String, timeout: Duration) -> Self {
        Self::resolving(user_agent, timeout, None)
    }

    /// A client that is connected only to the addresses that `names` gives for a host.
    pub(crate) fn with_names(user_agent: String, timeout: Duration, names: Arc<dyn Resolve>) -> Self {
        Self::resolving(user_agent, timeout, Some(names))
    }

    fn resolving(user_agent: String, timeout: Duration, names: Option<Arc<dyn Resolve>>) -> Self {
        Self(Arc::new(Inner {
            user_agent,
            timeout,
            names,
            client: OnceLock::new(),
        }))
    }

    /// Time limit of one request.
    pub(crate) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    fn client(&self) -> Result<&Client, Failure> {
        let inner = &*self.0;
        if let Some(client) = inner.client.get() {
            return Ok(client);
        }
        let mut builder = Client::builder();
        if let Some(names) = &inner.names {
            builder = builder.dns_resolver(names.clone());
        }
        let client = builder
            .user_agent(&inner.user_agent)
            .timeout(inner.timeout)
            // Half of the whole, so that a connection that cannot be made is told apart from an answer that does not come.
            .connect_timeout(inner.timeout / 2)
            .pool_idle_timeout(IDLE_CONNECTION)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .build()
            .map_err(Failure::of)?;
        Ok(inner.client.get_or_init(|| client))
    }

    /// Sends the request that `prepare` builds, once, for an answer that is read piece by piece, within the time of a whole one.
    pub(crate) async fn open(&self, prepare: impl FnOnce(&Client) -> RequestBuilder) -> Result<Response, Failure> {
        prepare(self.client()?).send().await.map_err(Failure::of)
    }

    /// Sends the request that `prepare` builds, once.
    pub(crate) async fn send(&self, prepare: impl FnOnce(&Client) -> RequestBuilder) -> Result<Answer, Failure> {
        let response = self.open(prepare).await?;
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: retry_after(response.headers()),
            body: read(response).await.unwrap_or_default(),
        })
    }
}

async fn read(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > MAX_BODY_LENGTH {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

/// Seconds or a date. A date is relative to the answer's own `Date`, because this crate has no clock.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<SignedDuration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    // Shopify's REST API answers `2.0`.
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let seconds = whole.parse::<u32>().ok().filter(|_| fraction.parse::<u32>().is_ok());
    let wait = match seconds {
        Some(seconds) => {
            SignedDuration::from_secs(i64::from(seconds) + i64::from(!fraction.trim_matches('0').is_empty()))
        }
        None => {
            let now = times::rfc2822(headers.get(DATE)?.to_str().ok()?)?;
            times::rfc2822(text)?.duration_since(now)
        }
    };
    (!wait.is_negative()).then(|| wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(wait: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, HeaderValue::from_static("Sat, 31 Oct 2026 09:20:00 GMT"));
        headers.insert(RETRY_AFTER, HeaderValue::from_static(wait));
        headers
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let seconds = |text| retry_after(&headers(text)).map(|wait| wait.as_secs());
        assert_eq!(seconds("17"), Some(17));
        assert_eq!(seconds("2.0"), Some(2));
        assert_eq!(seconds("1.5"), Some(2));
        assert_eq!(seconds("2."), None);
        assert_eq!(seconds("Sat, 31 Oct 2026 09:21:00 GMT"), Some(60));
        assert_eq!(seconds("Sat, 31 Oct 2026 09:19:00 GMT"), None);
        assert_eq!(seconds("4000000000"), Some(86_400));
        assert_eq!(seconds("-1"), None);
        assert_eq!(seconds("soon"), None);
    }
}
