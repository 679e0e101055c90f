//! Media of customers' messages, for MMS and WhatsApp through Twilio. Source: twilio.com/docs/messaging/api/media-resource; for the bucket of
//! accounts without enforced authentication of media, Twilio's support article 223183748.

use reqwest::Url;
use reqwest::header::CONTENT_TYPE;

use super::client::{Credentials, TwilioClient, is_sid};
use crate::http::{Incoming, retry_after};
use crate::media::{Download, MediaError, is_of, redirect_target};

/// The domain of Twilio's own file servers, the targets of its redirects. They get no credentials: the address is the
/// right to read.
const FILES: &str = ".twiliocdn.com";

/// Where the media of accounts are that do not enforce authentication: this folder of this host, which is not Twilio's alone.
const BUCKET: (&str, &str) = ("s3-external-1.amazonaws.com", "/media.twiliocdn.com/");

const MAX_REDIRECTS: usize = 3;

impl TwilioClient {
    /// Opens a medium that a webhook named. The URL is made of account and SIDs, whatever else it said: only Twilio gets the credentials.
    ///
    /// # Errors
    /// When it is not to be had, or Twilio does not answer.
    pub async fn medium(&self, credentials: Credentials<'_>, source: &str) -> Result<Download, MediaError> {
        let place = place(credentials.account_sid, source).ok_or(MediaError::Elsewhere)?;
        let url = format!("{}{place}", self.base);
        let opened = self.http.open(|client| {
            let request = client.get(url);
            request.basic_auth(credentials.api_key_sid, Some(credentials.api_key_secret))
        });
        let mut response = opened.await?;
        for _redirect in 0..MAX_REDIRECTS {
            let Some(to) = redirect_target(&response) else { break };
            if !is_of(&self.base, &to) && !is_file_server(&to) {
                // It could be anywhere, also within our own network.
                break;
            }
            response = self.http.open(|client| client.get(to)).await?;
        }
        match response.status().as_u16() {
            200 => {
                let mime = response.headers().get(CONTENT_TYPE);
                let mime = mime.and_then(|mime| mime.to_str().ok()).map(str::to_owned);
                Ok(Download {
                    mime,
                    sha256: None,
                    bytes: response.content_length(),
                    body: Incoming::of(response),
                })
            }
            404 | 410 => Err(MediaError::Gone),
            status @ (401 | 403) => Err(MediaError::Refused { status }),
            status => Err(MediaError::Failing {
                status,
                retry_after: retry_after(response.headers()),
            }),
        }
    }
}

/// The path of a medium of this account, if that is what an address names.
fn place(account_sid: &str, source: &str) -> Option<String> {
    let url = Url::parse(source).ok()?;
    let parts: Vec<&str> = url.path_segments()?.collect();
    let &["2010-04-01", "Accounts", account, "Messages", message, "Media", medium] = parts.as_slice() else {
        return None;
    };
    let fits = account == account_sid && [account, message, medium].into_iter().all(is_sid);
    fits.then(|| format!("/2010-04-01/Accounts/{account}/Messages/{message}/Media/{medium}"))
}

fn is_file_server(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let is_own = host.ends_with(FILES) || (host == BUCKET.0 && url.path().starts_with(BUCKET.1));
    url.scheme() == "https" && url.port().is_none() && is_own
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "AC000000000000000000000000000000a1";

    #[test]
    fn only_paths_of_the_own_account_are_asked_for() {
        let own = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME1");
        for host in [
            "https://api.twilio.com",
            "http://169.254.169.254",
            "https://example.test:8443",
        ] {
            assert_eq!(place(ACCOUNT, &format!("{host}{own}")).as_deref(), Some(own.as_str()));
        }
        for other in [
            "https://api.twilio.com/2010-04-01/Accounts/AC2/Messages/MM1/Media/ME1",
            &format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media"),
            &format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME1/../../x"),
            &format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/%2e%2e/Media/ME1"),
            &format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1/Media/ME1.json"),
            "file:///etc/passwd",
            "700000000000001",
            "",
        ] {
            assert_eq!(place(ACCOUNT, other), None, "{other}");
        }
    }

    #[test]
    fn only_file_servers_of_twilio_are_followed() {
        let is = |url: &str| is_file_server(&Url::parse(url).unwrap());
        assert!(is("https://mms.twiliocdn.com/a") && is("https://media.twiliocdn.com/b?c=d"));
        assert!(is("https://s3-external-1.amazonaws.com/media.twiliocdn.com/AC1/d5?e=f"));
        for other in [
            "http://mms.twiliocdn.com/a",
            "https://twiliocdn.com.example.test/",
            "https://mms.twiliocdn.com:8443/a",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://eviltwiliocdn.com/",
            "https://s3-external-1.amazonaws.com/other/media.twiliocdn.com/a",
            "https://s3-external-1.amazonaws.com/media.twiliocdn.com/../other/a",
            "https://s3-external-1.amazonaws.com/media.twiliocdn.com.evil/a",
            "https://s3.amazonaws.com/media.twiliocdn.com/a",
            "http://s3-external-1.amazonaws.com/media.twiliocdn.com/a",
            "https://s3-external-1.amazonaws.com:8443/media.twiliocdn.com/a",
        ] {
            assert!(!is(other), "{other}");
        }
    }
}
