//! Sign-up of a business. Its data is held until the link in the mail is opened.

use std::sync::Arc;

use access::token::sha256_hex;
use access::{link, password};
use api::{Anyone, Body, LinkToken, With};
use axum::http::StatusCode;
use axum::{Extension, Json};
use domain::accounts::{Account, Grant, Member, Role, SecurityEventKind, SignUp};
use domain::tenants::{Rule, Tenant, country_in};
use domain::terms::{Fault, FaultCode, RuleId, TenantId, UserId};
use jobs::Mail;
use kit::Problem;
use kit::http::Target;
use secrecy::ExposeSecret;
use store::accounts::Whose;

use crate::log_in::{trail_data, wrong_credentials};
use crate::models::{MailedOut, SignUpIn, VerifyEmailIn};
use crate::session::LoggedIn;
use crate::{Context, RACES, email_sha256};

fn slug_taken() -> Problem {
    const DETAIL: &str = "Another business has this name. Choose another.";
    Problem::conflict("slug_taken", DETAIL).about("slug", Fault::new(FaultCode::Taken, DETAIL))
}

fn sign_up_closed() -> Problem {
    let detail = "New businesses cannot sign up here. Ask whoever operates this service to invite you.";
    Problem::new(StatusCode::FORBIDDEN, "sign_up_closed", "Sign-up is closed", detail)
}

/// The answer to a link that does not work.
pub(crate) fn link_not_valid() -> Problem {
    let detail = "The link was used, has expired or is incomplete. Request a new one.";
    Problem::new(StatusCode::NOT_FOUND, "link_not_valid", "Invalid link", detail)
}

pub(crate) async fn sign_up(
    who: Anyone,
    Extension(context): Extension<Arc<Context>>,
    Extension(target): Extension<Target>,
    Body(input): Body<SignUpIn>,
) -> Result<With<202, Json<MailedOut>>, Problem> {
    if !context.signs_up {
        return Err(sign_up_closed());
    }
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
    let about = [email.as_str(), name.as_str(), business.as_str(), slug.as_str()];
    let password = context
        .api
        .password_hash("password", password.expose_secret(), &about)?;
    let (store, address) = (context.store(), email_sha256(&email));
    let known = store.user_of_email(&address).await?.is_some();
    let LinkToken { token, sha256 } = context.api.link_token()?;
    let asked = SignUp {
        email,
        name: name.into(),
        language: language.into(),
        password,
        business: business.into(),
        slug,
        time_zone,
        created_at: who.now(),
    };
    let detail = "Open the link in the mail that we sent you.";
    let accepted = With(Json(MailedOut { detail }));
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
    context.limit_all_sign_ups().await?;
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

pub(crate) async fn verify_email(
    who: Anyone,
    Extension(context): Extension<Arc<Context>>,
    Body(input): Body<VerifyEmailIn>,
) -> Result<With<201, LoggedIn>, Problem> {
    if !context.signs_up {
        return Err(sign_up_closed());
    }
    context.limit_link(&who).await?;
    let (store, now) = (context.store(), who.now());
    let token_sha256 = sha256_hex(input.token.0.expose_secret());
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
    let (scope, address) = (link::scope_of_new_tenant(tenant.id), email_sha256(&account.email));
    let rule = Rule::first(RuleId::new(who.ulid()), country_in(&tenant.time_zone));
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
    let answer = context.begin(begun, &account, &places, input.session).await?;
    let whose = Whose::Person(account.id);
    context
        .note(whose, SecurityEventKind::LoggedIn, trail_data(&who, Some(session)))
        .await;
    Ok(With(answer))
}
