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

use access::Signer;
use access::signer::SignError;
use access::token::{Verifier, sha256_hex};
use api::{Api, Races};
use axum::{Extension, Router};
use domain::accounts::Account;
use domain::terms::{Email, SessionId, Stamp, UserId};
use futures::future::try_join_all;
use jiff::SignedDuration;
use jobs::{Mail, MailJob};
use kit::{Config, ConfigError, Env, Problem};
use store::{Store, StoreError, Versioned};

use limits::Limits;

api::operations! {
    "auth": "Sign-up, log-in, log-out and forgotten passwords." {
        /// Sign up a business
        ///
        /// Reserves the name in URLs for a day and sends a link. Nothing else exists until the link is opened. If the mail is lost,
        /// sign up again with the same name and address: a new link is sent and the previous one stops working. The response is
        /// the same if the address already has an account; the mail says so then.
        POST "/api/v1/auth/sign-up" => sign_up::sign_up, "A mail is on its way",
            403 "Sign-up is closed",
            problems "sign_up_closed" "slug_taken";

        /// Confirm a sign-up
        ///
        /// Creates the tenant with its first administrator and logs them in. The link works once and for a day, together with the
        /// password of the sign-up. A wrong password does not use up the link.
        POST "/api/v1/auth/verify-email" => sign_up::verify_email, "The tenant exists and the person is logged in",
            with "Set-Cookie" "The refresh token, if a cookie was requested.", 401 "The password is not that of the sign-up", 403 "Sign-up is closed", 404 "The link was used or has expired",
            problems "account_exists" "link_not_valid" "sign_up_closed" "wrong_credentials";

        /// Log in
        ///
        /// If a second factor is on, the correct password without a code gets the problem `second_factor_required`. The first wrong
        /// code is reported to the person by mail. After 50, codes are refused with `second_factor_locked` until the password is
        /// reset by mail.
        POST "/api/v1/auth/log-in" => log_in::log_in, "The person is logged in",
            with "Set-Cookie" "The refresh token, if a cookie was requested.", 401 "The address, password or code is wrong, or a code is required", 403 "Too many wrong codes were entered",
            problems "second_factor_locked" "second_factor_required" "wrong_code" "wrong_credentials";

        /// Refresh the access token
        ///
        /// Each refresh token works once and returns the next one. A refresh token that is used again was probably stolen, so its
        /// session is ended. Of two simultaneous requests with the same token, the later one gets the problem `refreshed_elsewhere`
        /// and the session continues.
        POST "/api/v1/auth/refresh" => log_in::refresh_session, "New tokens",
            with "Set-Cookie" "The next refresh token, if the previous one came in a cookie.", 401 "The session has ended",
            problems "refreshed_elsewhere" "session_over";

        /// Log out
        ///
        /// Ends the session of the refresh token in the body or the cookie. Without a refresh token, or with two cookies, it
        /// ends the session of the access token. The response is the same if the session has ended already. Access tokens of
        /// the session end at once, and its sockets are closed.
        POST "/api/v1/auth/log-out" => log_in::log_out, "The session has ended",
            with "Set-Cookie" "Removes the refresh token from the browser.";

        /// Log out of all sessions
        ///
        /// Ends all sessions of the person at once, in every tenant.
        POST "/api/v1/auth/log-out-everywhere" => log_in::log_out_everywhere, "All sessions have ended",
            with "Set-Cookie" "Removes the refresh token from the browser.";

        /// Change the password
        ///
        /// Ends all other sessions. Returns a new session in place of the caller's.
        POST "/api/v1/auth/change-password" => password::change_password, "The password is changed. New tokens.",
            with "Set-Cookie" "The refresh token, if a cookie was requested.";

        /// Request a password reset
        ///
        /// Sends a link to the address if it has an account. The response and its timing are the same if it has none.
        POST "/api/v1/auth/forgot-password" => password::forgot_password, "A mail is on its way, if the address has an account";

        /// Reset the password
        ///
        /// Sets a new password with the token of a mailed link and ends all sessions. The link works once and for an hour.
        /// Changing the password or logging out of all sessions invalidates it. A second factor stays on, and
        /// accepts codes again if too many wrong ones were entered.
        POST "/api/v1/auth/reset-password" => password::reset_password, "The password is changed. Log in with it.",
            404 "The link was used or has expired",
            problems "link_not_valid";

        /// Get the public keys
        ///
        /// A JSON Web Key Set with the keys that verify access tokens.
        GET "/api/v1/auth/jwks.json" => me::get_signing_keys, "The public keys";
    }

    "me": "The caller's own account, sessions and second factor." {
        /// Get your account
        GET "/api/v1/me" => me::get_me, "The account and its tenants";

        /// Update your name, language or preferences
        PATCH "/api/v1/me" => me::update_me, "The updated account";

        /// List your sessions
        ///
        /// Newest first, at most 100.
        GET "/api/v1/me/sessions" => me::list_sessions, "Your sessions";

        /// End one of your sessions
        ///
        /// Its refresh token and its access tokens stop working at once, and its sockets are closed.
        DELETE "/api/v1/me/sessions/{session_id}" => me::end_session, "The session has ended";

        /// List your security events
        ///
        /// Newest first, for the last 90 days: log-ins, refused log-ins, ended sessions, and changes of password and second factor.
        /// Events that strangers can cause are combined into one entry per hour with their number, listed at the beginning of the
        /// hour.
        GET "/api/v1/me/security-events" => trail::list_security_events, "A page of events";

        /// Set up a second factor
        ///
        /// Returns a secret for an authenticator app. Log-in requires no code until the first one is confirmed. A repeated request
        /// replaces the pending secret.
        POST "/api/v1/me/second-factor" => second_factor::begin_second_factor, "The secret, which is shown once",
            problems "second_factor_on";

        /// Turn on the second factor
        ///
        /// Confirms the first code of the authenticator app and returns recovery codes once. Ends the person's other sessions. The
        /// caller's session continues, but counts as one with a second factor only after the next log-in.
        POST "/api/v1/me/second-factor/confirm" => second_factor::confirm_second_factor, "The second factor is on",
            problems "no_pending_factor";

        /// Replace the recovery codes
        ///
        /// Requires the password and a code. Previous recovery codes stop working.
        POST "/api/v1/me/second-factor/recovery-codes" => second_factor::replace_recovery_codes, "The new codes, which are shown once",
            403 "Too many wrong codes were entered", 404 "The second factor is off",
            problems "second_factor_locked" "second_factor_off";

        /// Turn off the second factor
        ///
        /// Requires the password and a code.
        DELETE "/api/v1/me/second-factor" => second_factor::remove_second_factor, "The second factor is off now",
            403 "Too many wrong codes were entered", 404 "The second factor is off",
            problems "second_factor_locked" "second_factor_off";
    }
}

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let config = env.config();
    let context = Context {
        api: Api::with_mails(env)?,
        secret_id: config.text("AUTH_SECRET_ID")?.to_owned(),
        signer: OnceLock::new(),
        verifier: OnceLock::new(),
        limits: Limits::new(config)?,
        sessions: session_days(config)?,
        signs_up: signs_up(config)?,
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
    /// Whether businesses may sign up by themselves.
    signs_up: bool,
}

/// `SIGN_UP`, closed by default.
fn signs_up(config: &Config) -> Result<bool, ConfigError> {
    match config.optional("SIGN_UP") {
        Some("open") => Ok(true),
        None | Some("closed") => Ok(false),
        Some(_) => Err(ConfigError::new("SIGN_UP", "must be open or closed")),
    }
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
const RACES: Races = api::RACES.or_else(Problem::unavailable);

/// Hash of an address, for the table and the limits.
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
            .map(|scope| store::RACES.until_won(|| store.end_member_sessions(scope, next.id, from, spared, stamp)));
        try_join_all(ending).await?;
        Ok(())
    }

    /// Ends a session: at first its access tokens and sockets, in each of the person's tenants and in the account, so that the request can be
    /// repeated until everything is done.
    async fn end_session(&self, account: Versioned<Account>, id: SessionId) -> Result<(), StoreError> {
        let (store, user) = (self.store(), account.value.id);
        let again = async || store.account(user).await;
        let ended = store::RACES.until_won_from(Some(account), again, async |account| {
            let Some(Versioned { mut value, version }) = account else {
                return Ok::<(), StoreError>(());
            };
            let (scopes, now) = (access::link::of_own_account(&value), self.env().clock().now());
            let ending = scopes
                .iter()
                .map(|scope| store::RACES.until_won(|| store.end_member_session(scope, user, id, now)));
            try_join_all(ending).await?;
            if value.end_session(id, now) {
                store.write_account(&value, version).await?;
            }
            Ok(())
        });
        ended.await?;
        store.end_session(user, id).await
    }
}
