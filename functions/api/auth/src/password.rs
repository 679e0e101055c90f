//! Changing the password, by the old one or by a link for a forgotten one.

use std::sync::Arc;
use std::time::Duration;

use access::token::sha256_hex;
use api::{Anyone, Body, KnownPassword, LinkToken, NoContent, Person, With};
use axum::{Extension, Json};
use domain::accounts::SecurityEventKind::{PasswordChanged, PasswordReset, ProofRefused, ResetAsked};
use domain::accounts::{Account, Grant};
use domain::terms::{Email, Fault, FaultCode};
use jiff::SignedDuration;
use jobs::Mail;
use kit::Problem;
use kit::http::Target;
use secrecy::ExposeSecret;
use store::accounts::Whose;

use crate::log_in::trail_data;
use crate::models::{ChangePasswordIn, ForgotPasswordIn, MailedOut, ResetPasswordIn};
use crate::session::{LoggedIn, first_tenant};
use crate::sign_up::link_not_valid;
use crate::trail::Tried;
use crate::{Context, RACES};

/// Validity of the link for a forgotten password.
const RESET_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

fn not_yours(field: &str) -> Problem {
    let detail = "The password is wrong. Enter your current password.";
    Problem::field(field, Fault::new(FaultCode::WrongSecret, detail))
}

/// Minimum time of every answer to a forgotten password. Longer than the work for an existing account, even in a new process.
const FORGOT_TAKES: Duration = Duration::from_secs(1);

impl Context {
    /// Refuses a wrong password of a logged-in person.
    pub(crate) async fn must_know(&self, who: &Person, field: &str, password: &KnownPassword) -> Result<(), Problem> {
        let account = &who.account().value;
        self.limit_passwords(&account.email).await?;
        if access::password::is_right(password.expose_secret(), Some(&account.password)) {
            Ok(())
        } else {
            self.note_own(who, ProofRefused).await;
            Err(not_yours(field))
        }
    }
}

pub(crate) async fn change_password(
    who: Person,
    Extension(context): Extension<Arc<Context>>,
    Body(input): Body<ChangePasswordIn>,
) -> Result<LoggedIn, Problem> {
    context
        .must_know(&who, "current_password", &input.current_password)
        .await?;
    let account = who.account();
    let (store, user, right) = (context.store(), account.value.id, &account.value.password);
    let about = [account.value.email.as_str(), &account.value.name];
    let password = context
        .api
        .password_hash("password", input.password.expose_secret(), &about)?;
    let from = context.ends_all();
    let again = async || {
        let again = store.account(user).await?;
        // The password that was right may be another one by now.
        let same = again.filter(|again| again.value.password == *right);
        same.ok_or_else(|| not_yours("current_password"))
    };
    let changed = RACES.until_won_from(account.clone(), again, async |account| {
        let mut next = Account {
            password: password.clone(),
            ..account.value
        };
        next.end_sessions(from.max(next.sessions_from), None);
        context.end_in_tenants(&next, &who.stamp()).await?;
        let places = context.places(&next).await?;
        // It goes on in place of the session that asked, and is worth no more.
        let begun = context
            .prepare(
                &next,
                first_tenant(&places),
                who.device(),
                who.second_factor(),
                who.now(),
            )
            .await?;
        store.write_account(&next, account.version).await?;
        Ok((next, places, begun))
    });
    let (next, places, begun) = changed.await?;
    let answer = context.begin(begun, &next, &places, input.session).await?;
    context.note_own(&who, PasswordChanged).await;
    context
        .notify(who.correlation_id(), &next, Mail::PasswordChanged {})
        .await;
    Ok(answer)
}

pub(crate) async fn forgot_password(
    who: Anyone,
    Extension(context): Extension<Arc<Context>>,
    Extension(target): Extension<Target>,
    Body(input): Body<ForgotPasswordIn>,
) -> Result<With<202, Json<MailedOut>>, Problem> {
    context.limit_reset(&who, &input.email).await?;
    let sending = async {
        let found = context.account_of(&input.email).await?;
        let tried = Tried::of(found.as_ref(), &input.email);
        context.note(tried.whose(), ResetAsked, trail_data(&who, None)).await;
        let done = match found {
            Some(account) => try_send_reset(&context, &who, &target, &account.value).await,
            None => pretend_reset(&context, &who, &target, &input.email).await,
        };
        if let Err(problem) = done {
            // Nobody is told: that would tell whether there is an account.
            tracing::error!(
                status = problem.status().as_u16(),
                "a link to choose a new password was not sent"
            );
        }
        Ok::<_, Problem>(())
    };
    let (sent, ()) = tokio::join!(sending, tokio::time::sleep(FORGOT_TAKES));
    sent?;
    let detail = "If the address has an account, a link is on its way to it. It works for an hour.";
    Ok(With(Json(MailedOut { detail })))
}

/// Sends the link, unless the address has reached its limit of mails.
async fn try_send_reset(context: &Context, who: &Anyone, target: &Target, account: &Account) -> Result<(), Problem> {
    if !context.api.may_mail_reset(&account.email).await? {
        return Ok(());
    }
    let LinkToken { token, sha256 } = context.api.link_token()?;
    let (store, grant) = (context.store(), Grant::reset(account));
    store.put_grant(&grant, &sha256, who.now(), RESET_LIFETIME).await?;
    let link = context.api.links().with_token("reset-password", &token, target);
    let mail = Mail::ResetPassword { link: link.into() };
    context
        .mail(who.correlation_id(), &account.email, &account.language, mail)
        .await
}

/// Takes as long as [`try_send_reset`], for an address without an account: reads the mails' secret and seals a link, but
/// writes, sends and counts nothing.
async fn pretend_reset(context: &Context, who: &Anyone, target: &Target, email: &Email) -> Result<(), Problem> {
    let LinkToken { token, .. } = context.api.link_token()?;
    let link = context.api.links().with_token("reset-password", &token, target);
    let mail = Mail::ResetPassword { link: link.into() };
    let job = context.mail_job(who.correlation_id(), email, "en", mail);
    context.api.mails().pretend(job).await.map_err(|error| {
        tracing::error!(error = kit::chain(&error), "a link cannot be sealed");
        Problem::unavailable()
    })
}

pub(crate) async fn reset_password(
    who: Anyone,
    Extension(context): Extension<Arc<Context>>,
    Body(input): Body<ResetPasswordIn>,
) -> Result<NoContent, Problem> {
    context.limit_link(&who).await?;
    let (store, now) = (context.store(), who.now());
    let token_sha256 = sha256_hex(input.token.0.expose_secret());
    let reset = RACES.until_won(async || {
        let Some(Grant::Reset { user, sessions_from }) = store.grant(&token_sha256, now).await? else {
            return Err(link_not_valid().into());
        };
        let account = store.account(user).await?;
        let account = account.filter(|account| account.value.sessions_from == sessions_from);
        let account = account.ok_or_else(link_not_valid)?;
        let mut next = account.value;
        let about = [next.email.as_str(), &next.name];
        next.awaits_password = false;
        if let Some(factor) = &mut next.second_factor {
            factor.wrong_codes = 0;
        }
        next.password = context
            .api
            .password_hash("password", input.password.expose_secret(), &about)?;
        next.end_sessions(context.ends_all(), None);
        let stamp = who.stamp_as(user);
        context.end_in_tenants(&next, &stamp).await?;
        store
            .write_account_by_grant(&next, account.version, &token_sha256)
            .await?;
        Ok(next)
    });
    let account = reset.await?;
    let whose = Whose::Person(account.id);
    context.note(whose, PasswordReset, trail_data(&who, None)).await;
    context
        .notify(who.correlation_id(), &account, Mail::PasswordChanged {})
        .await;
    Ok(NoContent)
}
