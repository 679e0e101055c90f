//! How often somebody may try what others would like to guess or to flood: counted before the work is done, and whether or not
//! the account exists. The strict limit is an account's from one address, so that nobody keeps its owner out from elsewhere; a
//! higher one is the account's own, for who tries from everywhere.

use api::Anyone;
use domain::account::Email;
use kit::{Config, ConfigError, Problem};
use store::rates::Limit;

use crate::{Context, email_sha256};

/// The limits, where nothing multiplies them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    factor: u32,
}

impl Limits {
    /// With the operator's factor.
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let factor = match config.optional("AUTH_LIMIT_FACTOR") {
            None => 1,
            Some(text) => match text.parse() {
                Ok(factor @ 1..=10_000) => factor,
                _ => {
                    return Err(ConfigError::new(
                        "AUTH_LIMIT_FACTOR",
                        "must be a whole number from 1 to 10000",
                    ));
                }
            },
        };
        Ok(Self { factor })
    }

    const fn minute(self, most: u32) -> Limit {
        Limit::per_minute(most.saturating_mul(self.factor))
    }

    const fn hour(self, most: u32) -> Limit {
        Limit::per_hour(most.saturating_mul(self.factor))
    }
}

impl Context {
    /// Counts a log-in. Returns whether it was the last one for this hour.
    pub(crate) async fn limit_log_in(&self, who: &Anyone, email: &Email) -> Result<bool, Problem> {
        let from = self.limits.minute(30);
        self.api.limit_outside("log_in_from", &who.address(), from).await?;
        self.limit_account("log_in", who, email, 50, 500).await
    }

    /// Counts a try on an account, of so many an hour from one address and from all. Who is over the first takes nothing of the
    /// second. Returns whether it was the last one.
    async fn limit_account(
        &self,
        name: &str,
        who: &Anyone,
        email: &Email,
        from_one: u32,
        from_all: u32,
    ) -> Result<bool, Problem> {
        let (api, account) = (&self.api, email_sha256(email));
        let pair = format!("{account}#{}", who.address());
        let of_one = api
            .limit_outside(&format!("{name}_pair"), &pair, self.limits.hour(from_one))
            .await?;
        let of_all = api.limit_outside(name, &account, self.limits.hour(from_all)).await?;
        Ok(of_one.remaining == Some(0) || of_all.remaining == Some(0))
    }

    /// Counts a sign-up, which sends a mail.
    pub(crate) async fn limit_sign_up(&self, who: &Anyone, email: &Email) -> Result<(), Problem> {
        let api = &self.api;
        api.limit_outside("sign_up_from", &who.address(), self.limits.hour(10))
            .await?;
        let limit = self.limits.hour(5);
        api.limit_outside("sign_up", &email_sha256(email), limit)
            .await
            .map(drop)
    }

    /// Counts a forgotten password, which sends a mail.
    pub(crate) async fn limit_reset(&self, who: &Anyone, email: &Email) -> Result<(), Problem> {
        let from = self.limits.hour(30);
        self.api.limit_outside("reset_from", &who.address(), from).await?;
        self.limit_account("reset", who, email, 5, 20).await.map(drop)
    }

    /// Counts a one-time link that somebody follows.
    pub(crate) async fn limit_link(&self, who: &Anyone) -> Result<(), Problem> {
        let limit = self.limits.minute(30);
        self.api
            .limit_outside("link_from", &who.address(), limit)
            .await
            .map(drop)
    }

    /// Counts a code of this person's second factor.
    pub(crate) async fn limit_codes(&self, email: &Email) -> Result<(), Problem> {
        let limit = self.limits.hour(10);
        self.api
            .limit_outside("code", &email_sha256(email), limit)
            .await
            .map(drop)
    }

    /// Counts a password that somebody who is logged in has to give again.
    pub(crate) async fn limit_passwords(&self, email: &Email) -> Result<(), Problem> {
        let limit = self.limits.hour(10);
        self.api
            .limit_outside("password", &email_sha256(email), limit)
            .await
            .map(drop)
    }
}
