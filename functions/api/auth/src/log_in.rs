//! Log-in, log-out and refreshing a session.

use std::sync::Arc;

use access::password;
use access::token::RefreshToken;
use api::{Anyone, Body, NoContent, Person};
use axum::Extension;
use axum::http::{HeaderMap, StatusCode, header};
use domain::accounts::SecurityEventKind::{
    self, LogInLimited, LogInRefused, LoggedOut, LoggedOutEverywhere, RecoveryCodeUsed, SecondFactorAsked, TokenReused,
};
use domain::accounts::{Account, Presented, Session};
use domain::terms::{Fault, SessionId};
use jobs::{FactorChange, Mail};
use kit::{Problem, line, metric};
use secrecy::ExposeSecret;
use store::Versioned;
use store::accounts::Whose;

use crate::models::{Handover, LogInIn, RecoveryCode, RefreshIn, SixDigits};
use crate::session::{LoggedIn, cookie, first_tenant, forget_cookie, forget_old_cookie, logged_in};
use crate::trail::{REFUSED, Seen, Tried};
use crate::{Context, RACES, totp};

fn unauthorized_problem(kind: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, kind, "Not logged in", detail)
}

/// Wrong addresses and wrong passwords get this answer alike.
pub(crate) fn wrong_credentials() -> Problem {
    unauthorized_problem("wrong_credentials", "The e-mail address or the password is wrong.")
}

fn wrong_code() -> Problem {
    unauthorized_problem(
        "wrong_code",
        "The code is wrong, expired or already used. Wait for the app's next code.",
    )
}

fn second_factor_locked() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "second_factor_locked",
        "Too many wrong codes",
        "Too many wrong codes were entered. Reset the password by mail, then log in with a code.",
    )
}

fn session_over() -> Problem {
    unauthorized_problem("session_over", "The session has ended. Log in again.")
}

fn refreshed_elsewhere() -> Problem {
    let detail = "Another request has just refreshed this session. Continue with the tokens of that request.";
    Problem::conflict("refreshed_elsewhere", detail)
}

pub(crate) async fn log_in(
    who: Anyone,
    Extension(context): Extension<Arc<Context>>,
    Body(input): Body<LogInIn>,
) -> Result<LoggedIn, Problem> {
    if input.code.is_some() && input.recovery_code.is_some() {
        let detail = "Send the app's code or a recovery code, not both.";
        return Err(Problem::field("recovery_code", Fault::excludes(&["code"], detail)));
    }
    let last = context.limit_log_in(&who, &input.email).await.inspect_err(|problem| {
        if problem.status() == StatusCode::TOO_MANY_REQUESTS {
            metric::count(REFUSED, &[]);
        }
    })?;
    let found = context.account_of(&input.email).await?;
    let tried = Tried::of(found.as_ref(), &input.email);
    if last {
        context.note(tried.whose(), LogInLimited, trail_data(&who, None)).await;
    }
    let known = found.as_ref().map(|account| &account.value.password);
    let right = password::is_right(input.password.expose_secret(), known);
    let Some(account) = found.filter(|_| right) else {
        context.note(tried.whose(), LogInRefused, trail_data(&who, None)).await;
        return Err(wrong_credentials());
    };
    let asks = account.value.second_factor.is_some();
    let account = match context.require_second_factor(&who, account, &input).await {
        Ok(account) => account,
        Err(problem) => {
            let what = match problem.status() {
                StatusCode::TOO_MANY_REQUESTS => Some(LogInLimited),
                StatusCode::UNAUTHORIZED if input.code.is_none() && input.recovery_code.is_none() => {
                    Some(SecondFactorAsked)
                }
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Some(LogInRefused),
                _ => None,
            };
            if let Some(what) = what {
                context.note(tried.whose(), what, trail_data(&who, None)).await;
            }
            return Err(problem);
        }
    };
    let places = context.places(&account).await?;
    let begun = context
        .prepare(&account, first_tenant(&places), who.device(), asks, who.now())
        .await?;
    let session = begun.session.id;
    let answer = context.begin(begun, &account, &places, input.session).await?;
    context
        .note(
            tried.whose(),
            SecurityEventKind::LoggedIn,
            trail_data(&who, Some(session)),
        )
        .await;
    context
        .meet(who.correlation_id(), &account, who.device(), who.now())
        .await;
    Ok(answer)
}

/// Data of an unauthenticated request for the security trail.
pub(crate) fn trail_data(who: &Anyone, session: Option<SessionId>) -> Seen<'_> {
    Seen {
        at: who.now(),
        device: who.device(),
        session,
    }
}

impl Context {
    /// Requires the second factor if it is on. A used code is recorded by a conditional write, so that no code counts twice, and a wrong
    /// one, too, so that nobody tries codes for ever.
    async fn require_second_factor(
        &self,
        who: &Anyone,
        account: Versioned<Account>,
        input: &LogInIn,
    ) -> Result<Account, Problem> {
        if account.value.second_factor.is_none() {
            return Ok(account.value);
        }
        if input.code.is_none() && input.recovery_code.is_none() {
            let detail = "Send the code that the authenticator app shows, or a recovery code.";
            return Err(unauthorized_problem("second_factor_required", detail));
        }
        self.limit_codes(&account.value.email).await?;
        let (user, right) = (account.value.id, account.value.password.clone());
        let again = async || {
            let again = self.store().account(user).await?;
            // The password that was right may be another one by now.
            let same = again.filter(|again| again.value.password == right);
            same.ok_or_else(wrong_credentials)
        };
        let passed = RACES.until_won_from(account, again, async |account| {
            let mut next = account.value.clone();
            let used = self
                .use_factor(&mut next, input.code.as_ref(), input.recovery_code.as_ref(), who.now())
                .await;
            if next != account.value {
                self.store().write_account(&next, account.version).await?;
            }
            Ok((account.value, next, used))
        });
        let (before, next, used) = passed.await?;
        self.warn_of_wrong_code(who.correlation_id(), &before, &next).await;
        if used? {
            let what = FactorChange::RecoveryCodeUsed;
            self.note(Whose::Person(user), RecoveryCodeUsed, trail_data(who, None))
                .await;
            self.notify(who.correlation_id(), &next, Mail::EmailFactorChanged { what })
                .await;
        }
        Ok(next)
    }

    /// Tells the person of the first wrong code after a right one, once it is counted: somebody knows the password.
    pub(crate) async fn warn_of_wrong_code(&self, correlation_id: &str, before: &Account, counted: &Account) {
        let wrong = |account: &Account| account.second_factor.as_ref().map(|factor| factor.wrong_codes);
        if (wrong(before), wrong(counted)) == (Some(0), Some(1)) {
            self.notify(correlation_id, counted, Mail::WrongCode {}).await;
        }
    }

    /// Uses up a code of the account's second factor, or counts a wrong one, in memory only. Returns true if it was a recovery code. A
    /// code that was used before is no guess.
    pub(crate) async fn use_factor(
        &self,
        account: &mut Account,
        code: Option<&SixDigits>,
        recovery_code: Option<&RecoveryCode>,
        now: jiff::Timestamp,
    ) -> Result<bool, Problem> {
        let user = account.id;
        let Some(factor) = account.second_factor.as_mut() else {
            return Err(wrong_code());
        };
        if factor.is_locked() {
            return Err(second_factor_locked());
        }
        if let Some(code) = recovery_code {
            if totp::use_recovery_code(factor, code.0.expose_secret()) {
                factor.wrong_codes = 0;
                return Ok(true);
            }
            factor.wrong_codes += 1;
            return Err(wrong_code());
        }
        let opened = self.signer().open(user, &factor.secret, now).await;
        let secret = opened.map_err(|error| crate::sign_failed(&error))?;
        let Some(step) = code.and_then(|code| totp::step_of(&secret, code.0.expose_secret(), now)) else {
            factor.wrong_codes += 1;
            return Err(wrong_code());
        };
        if step <= factor.last_step {
            return Err(wrong_code());
        }
        factor.last_step = step;
        factor.wrong_codes = 0;
        Ok(false)
    }
}

enum NoRefresh {
    /// The session has ended or never existed.
    Over,
    /// Another request refreshed the session.
    Elsewhere,
    /// The outcome is not known.
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for NoRefresh {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

pub(crate) async fn refresh_session(
    who: Anyone,
    Extension(context): Extension<Arc<Context>>,
    headers: HeaderMap,
    Body(input): Body<RefreshIn>,
) -> Result<LoggedIn, Problem> {
    let in_body = input.refresh_token.as_ref().map(ExposeSecret::expose_secret);
    let handover = if in_body.is_some() {
        Handover::Body
    } else {
        Handover::Cookie
    };
    let sent = match in_body {
        Some(token) => Some(token),
        None => cookie(&headers)?,
    };
    let Some(token) = sent else {
        return Err(session_over());
    };
    match context.rotate(&who, token, handover).await {
        Ok(answer) => Ok(answer),
        // The cookie holds the other request's token by now.
        Err(NoRefresh::Elsewhere) => Err(refreshed_elsewhere()),
        Err(NoRefresh::Over) => Err(match forget_cookie() {
            Some(forget) if handover == Handover::Cookie => session_over().with_header(header::SET_COOKIE, forget),
            _ => session_over(),
        }),
        Err(NoRefresh::Problem(problem)) => Err(problem),
    }
}

impl Context {
    async fn rotate(&self, who: &Anyone, token: &str, handover: Handover) -> Result<LoggedIn, NoRefresh> {
        let (store, now) = (self.store(), who.now());
        let presented = RefreshToken::parse(token).ok_or(NoRefresh::Over)?;
        let (user, id) = (presented.user, presented.session);
        let (account, session) = tokio::try_join!(store.account(user), store.session(user, id))?;
        let (Some(account), Some(session)) = (account, session) else {
            return Err(NoRefresh::Over);
        };
        let sha256 = presented.sha256();
        match session.value.judge(&presented.family_sha256(), &sha256, now) {
            Presented::Current => {}
            Presented::JustReplaced => return Err(NoRefresh::Elsewhere),
            Presented::Unknown => return Err(NoRefresh::Over),
            Presented::Reused => {
                line::note("refresh", "reused");
                tracing::warn!(%user, "an old refresh token came again: its session is ended");
                self.end_session(account, id).await?;
                self.note(Whose::Person(user), TokenReused, trail_data(who, Some(id)))
                    .await;
                return Err(NoRefresh::Over);
            }
        }
        let account = account.value;
        // Its days may be fewer by now than when it was written.
        if account.has_ended(&session.value) || self.ends(session.value.created_at) <= now {
            store.end_session(user, id).await?;
            return Err(NoRefresh::Over);
        }
        let places = self.places(&account).await?;
        let from = now.max(account.sessions_from);
        let refresh = presented.next(self.api.secret()?);
        let next = Session {
            current_sha256: refresh.sha256(),
            previous_sha256: Some(sha256),
            rotated_at: now,
            expires_at: self.expires(session.value.created_at, now),
            second_factor: session.value.second_factor && account.had_its_factor_at(session.value.created_at),
            ..session.value
        };
        let tokens = self.tokens(&next, refresh, first_tenant(&places), from).await?;
        match store.rotate_session(&next, session.version).await {
            Ok(()) => {}
            Err(error) if error.is_conflict() => return Err(NoRefresh::Elsewhere),
            Err(error) => return Err(error.into()),
        }
        Ok(logged_in(&account, &places, &tokens, handover))
    }
}

/// The answer to a log-out, which removes the cookies.
type LoggedOutAnswer = (HeaderMap, NoContent);

fn logged_out() -> LoggedOutAnswer {
    let mut headers = HeaderMap::new();
    for cookie in [forget_cookie(), forget_old_cookie()].into_iter().flatten() {
        headers.append(header::SET_COOKIE, cookie);
    }
    (headers, NoContent)
}

pub(crate) async fn log_out(
    who: Anyone,
    Extension(context): Extension<Arc<Context>>,
    headers: HeaderMap,
    Body(input): Body<RefreshIn>,
) -> Result<LoggedOutAnswer, Problem> {
    let store = context.store();
    let in_body = input.refresh_token.as_ref().map(ExposeSecret::expose_secret);
    // Of two cookies it cannot be told which is ours. Nobody is kept logged in for that: the access token says who asks.
    let sent = in_body.or_else(|| cookie(&headers).ok().flatten());
    let mut meant = None;
    if let Some(token) = sent {
        if let Some(presented) = RefreshToken::parse(token)
            && let Some(session) = store.session(presented.user, presented.session).await?
            && session.value.family_sha256 == presented.family_sha256()
        {
            meant = Some((presented.user, presented.session));
        }
    } else if let Some(token) = who.credentials().bearer
        && let Some(claims) = context.verifier().verify(token, who.now()).await?
        && store.session(claims.sub, claims.sid).await?.is_some()
    {
        meant = Some((claims.sub, claims.sid));
    }
    if let Some((user, session)) = meant {
        match store.account(user).await? {
            Some(account) => context.end_session(account, session).await?,
            None => store.end_session(user, session).await?,
        }
        context
            .note(Whose::Person(user), LoggedOut, trail_data(&who, Some(session)))
            .await;
    }
    Ok(logged_out())
}

pub(crate) async fn log_out_everywhere(
    who: Person,
    Extension(context): Extension<Arc<Context>>,
) -> Result<LoggedOutAnswer, Problem> {
    let account = who.account();
    let (store, user, from) = (context.store(), account.value.id, context.ends_all());
    let mut next = account.value.clone();
    next.end_sessions(from, None);
    context.end_in_tenants(&next, &who.stamp()).await?;
    let again = async || store.account(user).await?.ok_or_else(session_over);
    let ended = RACES.until_won_from(account.clone(), again, async |account| {
        // A session that was spared meanwhile, while a factor was switched on, ends with the others.
        if account.value.sessions_from < from || account.value.spared_session.is_some() {
            let mut next = account.value;
            next.end_sessions(from.max(next.sessions_from), None);
            store.write_account(&next, account.version).await?;
        }
        Ok(())
    });
    ended.await?;
    context.note_own(&who, LoggedOutEverywhere).await;
    Ok(logged_out())
}
