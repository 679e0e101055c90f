//! Limits of everything that somebody may want to guess or flood. Attempts are counted before the work is done, whether or not
//! the account exists. The strict limit counts an account's attempts from one IP address, so that nobody can lock out its owner
//! elsewhere. A higher one counts the account's attempts from all addresses.

use api::Anyone;
use domain::terms::Email;
use kit::{Config, ConfigError, Problem};
use store::table::rates::Limit;

use crate::{Context, email_sha256};

/// The limits, without the operator's factor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    factor: u32,
}

impl Limits {
    /// The limits times the operator's factor.
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
    /// Counts one more use of this limit by an address or an account. A use beyond it is refused.
    async fn count(&self, name: &str, whose: &str, limit: Limit) -> Result<(), Problem> {
        self.api.limit_outside(name, whose, limit).await.map(drop)
    }

    /// Counts a log-in. Returns true if it was the last one allowed in this hour.
    pub(crate) async fn limit_log_in(&self, who: &Anyone, email: &Email) -> Result<bool, Problem> {
        let from = self.limits.minute(30);
        self.count("log_in_from", &who.address(), from).await?;
        self.limit_account("log_in", who, email, 50, 500).await
    }

    /// Counts an attempt on an account, per hour, from one IP address and from all. An attempt beyond the first limit does not
    /// count against the second. Returns true if it was the last one allowed.
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
        let (from, of) = (self.limits.hour(10), self.limits.hour(5));
        self.count("sign_up_from", &who.address(), from).await?;
        self.count("sign_up", &email_sha256(email), of).await
    }

    /// Counts a sign-up together with those of everybody: many addresses found no more businesses than this.
    pub(crate) async fn limit_all_sign_ups(&self) -> Result<(), Problem> {
        self.count("sign_ups", "all", self.limits.hour(100)).await
    }

    /// Counts a request for a password reset, which sends a mail.
    pub(crate) async fn limit_reset(&self, who: &Anyone, email: &Email) -> Result<(), Problem> {
        let from = self.limits.hour(30);
        self.count("reset_from", &who.address(), from).await?;
        self.limit_account("reset", who, email, 5, 20).await.map(drop)
    }

    /// Counts the use of a one-time link.
    pub(crate) async fn limit_link(&self, who: &Anyone) -> Result<(), Problem> {
        let limit = self.limits.minute(30);
        self.count("link_from", &who.address(), limit).await
    }

    /// Counts a code of this person's second factor.
    pub(crate) async fn limit_codes(&self, email: &Email) -> Result<(), Problem> {
        let limit = self.limits.hour(10);
        self.count("code", &email_sha256(email), limit).await
    }

    /// Counts a password that a logged-in person has to repeat.
    pub(crate) async fn limit_passwords(&self, email: &Email) -> Result<(), Problem> {
        let limit = self.limits.hour(10);
        self.count("password", &email_sha256(email), limit).await
    }
}
