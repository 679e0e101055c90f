//! Links to pages of the console, in mails, and to pages that customers see, in messages.

use domain::messages::{Needs, NewLinks};
use domain::people::{LinkCode, preferences_url};

use crate::http::Target;
use crate::{ConfigError, Env};

/// Base URL of the console: `APP_URL`, else `PUBLIC_BASE_URL`, else the host of the request.
#[derive(Debug, Clone)]
pub struct Links {
    base: Option<String>,
}

impl Links {
    /// Reads the function's environment.
    ///
    /// # Errors
    /// When a URL is invalid.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let config = env.config();
        let base = match config.optional_url("APP_URL")? {
            Some(url) => Some(url),
            None => config.optional_url("PUBLIC_BASE_URL")?,
        };
        Ok(Self {
            base: base.map(str::to_owned),
        })
    }

    /// The link to a page, as answer to a request.
    pub fn to(&self, page: &str, target: &Target) -> String {
        format!("{}/{page}", target.origin(self.base.as_deref()))
    }

    /// The link to a page with a one-time token, as answer to a request.
    pub fn with_token(&self, page: &str, token: &str, target: &Target) -> String {
        format!("{}?token={token}", self.to(page, target))
    }

    /// The link to a page without a request: `None` if no base is configured.
    pub fn configured_link(&self, page: &str) -> Option<String> {
        let base = self.base.as_deref()?;
        Some(format!("{base}/{page}"))
    }

    /// The link to a page with a one-time token, without a request: `None` if no base is configured.
    pub fn with_token_configured(&self, page: &str, token: &str) -> Option<String> {
        Some(format!("{}?token={token}", self.configured_link(page)?))
    }
}

/// Base URL of the pages that customers see: `LINK_BASE_URL`, else `PUBLIC_BASE_URL`, else the host of the request. Every host of the API has
/// them, so links of before lead on after a change.
#[derive(Debug, Clone)]
pub struct Pages {
    base: Option<String>,
}

impl Pages {
    /// Reads the function's environment.
    ///
    /// # Errors
    /// When the URL is invalid.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let config = env.config();
        let base = match config.optional_url("LINK_BASE_URL")? {
            Some(base) => Some(base),
            None => config.optional_url("PUBLIC_BASE_URL")?,
        };
        Ok(Self {
            base: base.map(str::to_owned),
        })
    }

    /// The link to a preference page, as answer to a request.
    pub fn preferences(&self, code: &LinkCode, target: &Target) -> String {
        preferences_url(&target.origin(self.base.as_deref()), code)
    }

    /// The links that a message needs, of random bytes. They have no URL if no base is configured.
    pub fn new_links(&self, needs: &Needs, random: [u8; 32]) -> NewLinks {
        needs.new_links(self.base.as_deref(), random)
    }

    /// Links that lead nowhere, each as long as one of a message.
    pub fn nobodys(&self) -> NewLinks {
        NewLinks {
            base: self.base.clone(),
            ..NewLinks::nobodys()
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{Clock, Config, Ids};

    #[test]
    fn links_of_messages_may_have_a_host_of_their_own() {
        const API: &str = "https://api.example.com";
        for (own, public, expected) in [
            ("https://go.example.com", API, Some("https://go.example.com")),
            ("", API, Some(API)),
            ("", "", None),
        ] {
            let variables = [
                ("STAGE", "dev"),
                ("LINK_BASE_URL", own),
                ("PUBLIC_BASE_URL", public),
                ("AWS_REGION", "eu-west-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
            ];
            let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let clock = Clock::new_fixed(Timestamp::UNIX_EPOCH);
            let ids = Ids::from_seed(clock.clone(), 1);
            let env = Env::new("test", Config::from_variables(variables).unwrap(), clock, ids).unwrap();
            assert_eq!(
                Pages::new(&env).unwrap().nobodys().base.as_deref(),
                expected,
                "{own} {public}"
            );
            // The console stays on the API's.
            assert_eq!(
                Links::new(&env).unwrap().base.as_deref(),
                Some(public).filter(|url| !url.is_empty())
            );
        }
    }
}
