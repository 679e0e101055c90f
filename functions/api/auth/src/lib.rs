//! Authentication: sign-up, log-in, log-out, passwords, the second factor and the caller's own account.
//!
//! No answer reveals whether an address has an account: known and unknown addresses get the same answers, count against the same
//! limits and take the same work. Passwords are stored as argon2id hashes, all other secrets as SHA-256 hashes.

mod limits;
mod log_in;
mod me;
mod models;
mod password;
#[cfg(test)]
mod same_work;
mod second_factor;
mod session;
mod sign_up;
mod totp;
mod trail;

use std::sync::{Arc, OnceLock};

use access::{
    Signer,
    signer::SignError,
    token::{Verifier, sha256_hex},
};
use api::{Api, Races};
use axum::{Extension, Router};
use domain::{
    account::{Account, Email},
    actor::Stamp,
    ids::UserId,
};
use futures::future::try_join_all;
use jiff::SignedDuration;
use jobs::{Mail, MailJob};
use kit::{Config, ConfigError, Env, Problem};
use store::{Store, Versioned};

use limits::Limits;

api::operations! {
    sign_up::sign_up, sign_up::verify_email,
    log_in::log_in, log_in::refresh_session, log_in::log_out, log_in::log_out_everywhere,
    password::change_password, password::forgot_password, password::reset_password,
    me::get_signing_keys, me::get_me, me::update_me, me::list_sessions, me::end_session, trail::list_security_events,
    second_factor::begin_second_factor, second_factor::confirm_second_factor,
    second_factor::replace_recovery_codes, second_factor::remove_second_factor,
}

/// Routes of the function.
///
/// # Errors
/// When a variable is missing or wrong.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let config = env.config();
    let context = Context {
        api: Api::with_mails(env)?,
        secret_id: config.text("AUTH_SECRET_ID")?.to_owned(),
        signer: OnceLock::new(),
        verifier: OnceLock::new(),
        limits: Limits::new(config)?,
        sessions: session_days(config)?,
    };
    let routes = api::serve(operations(), context.api.clone());
    Ok(routes.layer(Extension(Arc::new(context))))
}

/// State of the function, created once per process.
struct Context {
    api: Api,
    secret_id: String,
    signer: OnceLock<Signer>,
    verifier: OnceLock<Verifier>,
    limits: Limits,
    /// Maximum life of a session, however often it is refreshed.
    sessions: SignedDuration,
}

/// `SESSION_DAYS`, 30 by default.
fn session_days(config: &Config) -> Result<SignedDuration, ConfigError> {
    let days = match config.optional("SESSION_DAYS").map(str::parse) {
        None => 30,
        Some(Ok(days @ 1..=365)) => days,
        Some(_) => return Err(ConfigError::new("SESSION_DAYS", "must be a whole number from 1 to 365")),
    };
    Ok(SignedDuration::from_hours(24 * days))
}

/// Attempts of a change that loses races.
const RACES: Races = Races::most(8).or_else(Problem::unavailable);

/// Hash by which the table and the limits know an address.
fn email_sha256(email: &Email) -> String {
    sha256_hex(email.as_str())
}

fn sign_failed(error: &SignError) -> Problem {
    tracing::error!(error = kit::chain(error), "the signing secret cannot be used");
    Problem::unavailable()
}

impl Context {
    fn store(&self) -> &Store {
        self.api.store()
    }

    fn env(&self) -> &Env {
        self.api.env()
    }

    fn signer(&self) -> &Signer {
        self.signer.get_or_init(|| {
            let client = self.env().secrets_manager();
            Signer::new(client, self.secret_id.clone(), self.store().clone())
        })
    }

    fn verifier(&self) -> &Verifier {
        self.verifier.get_or_init(|| Verifier::new(self.store().clone()))
    }

    /// The account of an address. Takes the same time if there is none.
    async fn account_of(&self, email: &Email) -> Result<Option<Versioned<Account>>, Problem> {
        let user = self.store().user_of_email(&email_sha256(email)).await?;
        let nobody = || UserId::new(self.env().ids().ulid());
        Ok(self.store().account(user.unwrap_or_else(nobody)).await?)
    }

    async fn mail(&self, correlation_id: &str, to: &Email, language: &str, mail: Mail) -> Result<(), Problem> {
        let job = self.mail_job(correlation_id, to, language, mail);
        self.api.send_mails(vec![job]).await
    }

    fn mail_job(&self, correlation_id: &str, to: &Email, language: &str, mail: Mail) -> MailJob {
        MailJob {
            tenant: None,
            correlation_id: correlation_id.to_owned(),
            id: self.env().ids().ulid().to_string().to_ascii_lowercase(),
            to: to.as_str().to_owned(),
            language: language.to_owned(),
            mail,
        }
    }

    /// Notifies a person of a change. The change stands even if the mail fails.
    async fn notify(&self, correlation_id: &str, account: &Account, mail: Mail) {
        // Logged already.
        let _told = self.mail(correlation_id, &account.email, &account.language, mail).await;
    }

    /// Invalidates a person's access tokens in each of their tenants, as in the account's next version. Runs before the account's
    /// own change, so that the request can be repeated until everything is done.
    async fn end_in_tenants(&self, next: &Account, stamp: &Stamp) -> Result<(), Problem> {
        let scopes = access::link::of_own_account(next);
        let (store, from, spared) = (self.store(), next.sessions_from, next.spared_session);
        let ending = scopes
            .iter()
            .map(|scope| store.end_member_sessions(scope, next.id, from, spared, stamp));
        try_join_all(ending).await?;
        Ok(())
    }
}
