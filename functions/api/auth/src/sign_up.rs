//! Sign-up of a business. Its data is held until the link in the mail is opened.

use std::sync::Arc;

use access::{link, password, token::sha256_hex};
use api::{Anyone, Body, LinkToken};
use axum::{Extension, Json, http::StatusCode, response::Response};
use domain::{
    account::{Account, Grant, Member, SignUp},
    ids::{RuleId, TenantId, UserId},
    permission::Role,
    rule::Rule,
    security::SecurityEventKind::LoggedIn,
    tenant::Tenant,
};
use jobs::Mail;
use kit::{Problem, http::Target};
use secrecy::ExposeSecret;
use store::security::Whose;

use crate::{
    Context, RACES, email_sha256,
    log_in::{seen, wrong_credentials},
    models::{LoggedInOut, MailedOut, SignUpIn, VerifyEmailIn},
};

fn slug_taken() -> Problem {
    const DETAIL: &str = "Another business has this name. Choose another.";
    Problem::conflict("slug_taken", DETAIL).about("slug", DETAIL)
}

/// The answer to a link that does not work.
pub(crate) fn link_not_valid() -> Problem {
    let detail = "The link was used, has expired or is incomplete. Request a new one.";
    Problem::new(StatusCode::NOT_FOUND, "link_not_valid", "Invalid link", detail)
}

/// Sign up a business
///
/// Reserves the name in URLs for a day and sends a link. Nothing else exists until the link is opened. If the mail is lost, sign
/// up again with the same name and address: a new link is sent and the previous one stops working. The answer is the same if the
/// address already has an account; then the mail says so.
#[utoipa::path(
    post, path = "/api/v1/auth/sign-up", tag = "auth",
    responses((status = 202, description = "A mail is on its way", body = MailedOut))
)]
pub(crate) async fn sign_up(
    who: Anyone,
    Extension(context): Extension<Arc<Context>>,
    Extension(target): Extension<Target>,
    Body(input): Body<SignUpIn>,
) -> Result<(StatusCode, Json<MailedOut>), Problem> {
    context.limit_sign_up(&who, &input.email).await?;
    let SignUpIn {
        business,
        slug,
        email,
        name,
        password,
        time_zone,
        language,
    } = input;
    let about = [email.as_str(), &name, &business, slug.as_str()];
    let password = context
        .api
        .password_hash("password", password.expose_secret(), &about)?;
    let (store, address) = (context.store(), email_sha256(&email));
    let known = store.user_of_email(&address).await?.is_some();
    let LinkToken { token, sha256 } = context.api.link_token()?;
    let asked = SignUp {
        email,
        name: name.trim().to_owned(),
        language,
        password,
        business: business.trim().to_owned(),
        slug,
        time_zone,
        created_at: who.now(),
    };
    let detail = "Open the link in the mail that we sent you.";
    let accepted = (StatusCode::ACCEPTED, Json(MailedOut { detail }));
    let again = async || {
        let held = store.sign_up_hold(&asked.slug, who.now()).await?;
        let own = held.filter(|held| held.value.email_sha256 == address);
        own.map(Some).ok_or_else(slug_taken)
    };
    let before = if store.is_slug_free(&asked.slug, who.now()).await? {
        None
    } else {
        again().await?
    };
    // Counted once nothing refuses it: what nobody gets takes nothing of what somebody may get.
    if !context.api.may_mail(&asked.email).await? {
        // Nothing is held by a link that nobody gets, and one that was sent before goes on working.
        return Ok(accepted);
    }
    let held = RACES.until_won_from(before, again, async |before| {
        store
            .hold_sign_up(&asked, &address, &sha256, known, before.as_ref(), who.now())
            .await?;
        Ok(())
    });
    held.await?;
    let business = asked.business.clone();
    let mail = if known {
        let log_in_link = context.api.links().to("log-in", &target).into();
        Mail::AccountExists { business, log_in_link }
    } else {
        let link = context.api.links().with_token("verify-email", &token, &target);
        let link = link.into();
        Mail::VerifyEmail { link, business }
    };
    if let Err(problem) = context
        .mail(who.correlation_id(), &asked.email, &asked.language, mail)
        .await
    {
        // Else the name would be held for a day by a link that nobody has.
        if let Err(error) = store.release_sign_up(&asked.slug, &sha256, who.now()).await {
            tracing::warn!(
                error = kit::chain(&error),
                "a name stays reserved for a sign-up without a mail"
            );
        }
        return Err(problem);
    }
    Ok(accepted)
}

/// Confirm a sign-up
///
/// Creates the tenant with its first administrator and logs them in. The link works once and for a day, together with the
/// password of the sign-up. A wrong password does not use up the link.
#[utoipa::path(
    post, path = "/api/v1/auth/verify-email", tag = "auth",
    responses(
        (
            status = 201, description = "The tenant exists and the person is logged in", body = LoggedInOut,
            headers(("Set-Cookie" = String, description = "The refresh token, if a cookie was requested.")),
        ),
        (status = 401, description = "The password is not that of the sign-up"),
        (status = 404, description = "The link was used or has expired"),
    )
)]
pub(crate) async fn verify_email(
    who: Anyone,
    Extension(context): Extension<Arc<Context>>,
    Body(input): Body<VerifyEmailIn>,
) -> Result<Response, Problem> {
    context.limit_link(&who).await?;
    let (store, now) = (context.store(), who.now());
    let token_sha256 = sha256_hex(input.token.expose_secret());
    let Some(Grant::SignUp(asked)) = store.grant(&token_sha256, now).await? else {
        return Err(link_not_valid());
    };
    // Who asked may be a stranger to the mailbox: its owner must not open a business for a password that they do not know.
    // Nobody has an account with the address yet, so that there is no trail to note it in.
    context.limit_log_in(&who, &asked.email).await?;
    if !password::is_right(input.password.expose_secret(), Some(&asked.password)) {
        return Err(wrong_credentials());
    }
    let SignUp {
        email,
        name,
        language,
        password,
        business,
        slug,
        time_zone,
        ..
    } = *asked;
    let mut tenant = Tenant::new(TenantId::new(who.ulid()), business, time_zone);
    tenant.slug = Some(slug.clone());
    tenant.languages = vec![language.clone()];
    let mut account = Account::new(UserId::new(who.ulid()), email, name, language, password, now);
    account.tenants.push(tenant.id);
    account.learn(who.device().mark());
    let member = Member::joining(&account, Role::Admin, now);
    let stamp = who.stamp_as(account.id);
    let begun = context
        .prepare(&account, Some(tenant.id), who.device(), false, now)
        .await?;
    let session = begun.session.id;
    let (scope, address) = (link::founded(tenant.id), email_sha256(&account.email));
    let rule = Rule::first(RuleId::new(who.ulid()));
    let again = async || {
        store.grant(&token_sha256, now).await?.ok_or_else(link_not_valid)?;
        if store.user_of_email(&address).await?.is_some() {
            let detail = "This address already has an account. Log in with it.";
            return Err(Problem::conflict("account_exists", detail));
        }
        Ok(())
    };
    let founded = RACES.until_won_from((), again, async |()| {
        let founding = store.found_tenant(
            &scope,
            &tenant,
            &rule,
            &slug,
            &account,
            &address,
            &member,
            &token_sha256,
            &stamp,
        );
        founding.await?;
        Ok(())
    });
    founded.await?;
    let places = vec![(tenant, member)];
    let answer = context
        .begin(begun, StatusCode::CREATED, &account, &places, input.session)
        .await?;
    let whose = Whose::Person(account.id);
    context.note(whose, LoggedIn, seen(&who, Some(session))).await;
    Ok(answer)
}
