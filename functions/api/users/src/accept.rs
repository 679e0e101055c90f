//! Accepting an invitation. The link proves access to the mailbox, so no other proof is needed.

use std::sync::OnceLock;

use access::token::sha256_hex;
use access::{Refusal, link};
use api::{Anyone, Api, Body};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::accounts::{Account, Grant, Invitation, Member, PasswordHash, Role};
use domain::tenants::Tenant;
use domain::terms::{Actor, Fault, FaultCode, UserId};
use kit::Problem;
use kit::problem::FieldError;
use secrecy::ExposeSecret;
use store::table::rates::Limit;
use store::{TenantScope, Versioned};

use crate::invitations::{inviter_name, language_of};
use crate::models::{AcceptIn, AcceptedOut, InvitationLink, InvitationShown};
use crate::{RACES, email_sha256};

/// Attempts from one IP address. A whole office may join on the same morning.
const TRIES: Limit = Limit::per_minute(60);

/// Every reason gets this answer: a link that was used, has expired, was withdrawn, is of another kind or never existed.
fn link_not_valid() -> Problem {
    let detail = "The link was used, has expired, was withdrawn or is incomplete. Ask for a new invitation.";
    Problem::new(StatusCode::NOT_FOUND, "link_not_valid", "Invalid link", detail)
}

/// The invitation and tenant of a valid link.
struct Open {
    scope: TenantScope,
    invitation: Versioned<Invitation>,
    tenant: Tenant,
}

async fn open_invitation(api: &Api, who: &Anyone, token_sha256: &str) -> Result<Open, Problem> {
    let store = api.store();
    let grant = store.grant(token_sha256, who.now()).await?.ok_or_else(link_not_valid)?;
    let (Some(scope), Grant::Invitation { invitation, .. }) = (link::scope_of_invitation(&grant), grant) else {
        return Err(link_not_valid());
    };
    let found = store.invitation(&scope, invitation, who.now()).await?;
    let invitation = found.filter(|open| open.value.token_sha256 == token_sha256);
    let invitation = invitation.ok_or_else(link_not_valid)?;
    // What somebody gave by the platform's right goes with it.
    if let Actor::Platform(user) = invitation.value.invited_by
        && !store.is_platform_admin(user).await?
    {
        return Err(link_not_valid());
    }
    let tenant = store.tenant(&scope).await?.ok_or_else(link_not_valid)?;
    if !tenant.status.is_active() {
        return Err(Refusal::Suspended.into());
    }
    Ok(Open {
        scope,
        invitation,
        tenant,
    })
}

/// Hashes the password of a new user.
fn new_person(api: &Api, input: &AcceptIn, open: &Open) -> Result<(String, PasswordHash), Problem> {
    let needed = |field: &str| {
        let detail = "This address has no account yet, so this field is required.";
        FieldError::new(field, Fault::new(FaultCode::Required, detail))
    };
    let (name, password) = match (&input.name, &input.password) {
        (Some(name), Some(password)) => (name.as_str(), password.expose_secret()),
        (name, password) => {
            let missing = [("name", name.is_none()), ("password", password.is_none())];
            let missing = missing.into_iter().filter(|(_, missing)| *missing);
            return Err(Problem::fields(missing.map(|(field, _)| needed(field)).collect()));
        }
    };
    let about = [open.invitation.value.email.as_str(), name, &open.tenant.name];
    let hash = api.password_hash("password", password, &about)?;
    Ok((name.to_owned(), hash))
}

/// The current account of the invited person.
async fn account_of(api: &Api, email_sha256: &str) -> Result<Option<Versioned<Account>>, Problem> {
    let store = api.store();
    Ok(match store.user_of_email(email_sha256).await? {
        Some(user) => store.account(user).await?,
        None => None,
    })
}

/// True if the invitation may readmit somebody who already belongs to the tenant: the platform makes a member administrator when
/// the existing ones cannot or will not.
fn is_rescue(invitation: &Invitation) -> bool {
    matches!(invitation.invited_by, Actor::Platform(_)) && invitation.role == Role::Admin
}

fn room_in(account: &Account, open: &Open) -> Result<(), Problem> {
    if account.tenants.contains(&open.tenant.id) {
        if is_rescue(&open.invitation.value) {
            return Ok(());
        }
        let detail = "You already belong to this business. If you cannot log in, ask an administrator to activate you.";
        return Err(Problem::conflict("already_member", detail));
    }
    if account.tenants.len() >= Account::MAX_TENANTS {
        let most = Account::MAX_TENANTS;
        let detail = format!("Your account already belongs to {most} businesses, the maximum. Use another address.");
        return Err(Problem::conflict("too_many_tenants", detail));
    }
    Ok(())
}

pub(crate) async fn show_invitation(
    who: Anyone,
    State(api): State<Api>,
    Body(input): Body<InvitationLink>,
) -> Result<Json<InvitationShown>, Problem> {
    api.limit_outside("show_invitation_from", &who.address(), TRIES).await?;
    let open = open_invitation(&api, &who, &sha256_hex(input.token.expose_secret())).await?;
    let invitation = open.invitation.value;
    let has_account = account_of(&api, &email_sha256(&invitation.email)).await?.is_some();
    Ok(Json(InvitationShown {
        inviter: inviter_name(&api, &open.scope, invitation.invited_by).await?,
        language: language_of(&invitation, &open.tenant),
        business: open.tenant.name,
        email: invitation.email,
        name: invitation.name,
        role: invitation.role,
        has_account,
    }))
}

pub(crate) async fn accept_invitation(
    who: Anyone,
    State(api): State<Api>,
    Body(input): Body<AcceptIn>,
) -> Result<Json<AcceptedOut>, Problem> {
    api.limit_outside("accept_from", &who.address(), TRIES).await?;
    let store = api.store();
    let token_sha256 = sha256_hex(input.token.expose_secret());
    // Hashed once, however often others are faster.
    let chosen = OnceLock::new();
    let accepted = RACES.until_won(async || {
        let open = open_invitation(&api, &who, &token_sha256).await?;
        let invitation = &open.invitation.value;
        let email_sha256 = email_sha256(&invitation.email);
        let known = account_of(&api, &email_sha256).await?;
        let before = known.as_ref().map_or(0, |known| known.version);
        let mut account = if let Some(known) = known {
            if let Err(problem) = room_in(&known.value, &open) {
                // Perhaps they have a place because this very link was followed meanwhile.
                open_invitation(&api, &who, &token_sha256).await?;
                return Err(problem.into());
            }
            known.value
        } else {
            let (name, password) = match chosen.get() {
                Some(chosen) => chosen,
                None => {
                    let hashed = new_person(&api, &input, &open)?;
                    chosen.get_or_init(|| hashed)
                }
            };
            let language = input.language.clone().map(String::from);
            let language = language.unwrap_or_else(|| language_of(invitation, &open.tenant));
            let (id, email) = (UserId::new(who.ulid()), invitation.email.clone());
            let mut account = Account::new(id, email, name.clone(), language, password.clone(), who.now());
            account.learn(who.device().mark());
            account
        };
        let previous = if account.tenants.contains(&open.tenant.id) {
            store.get::<Member>(&open.scope, &account.id).await?
        } else {
            account.tenants.push(open.tenant.id);
            None
        };
        let mut member = Member::joining(&account, invitation.role, who.now());
        if let Some(Versioned { value: place, .. }) = &previous {
            // Tokens of before somebody was deactivated stay over.
            member.sessions_from = place.sessions_from;
            member.spared_session = place.spared_session;
            member.joined_at = place.joined_at;
        }
        let stamp = who.stamp_as(account.id);
        let joined = store.join(
            &open.scope,
            &open.invitation,
            &account,
            before,
            &email_sha256,
            &member,
            previous.as_ref(),
            &stamp,
        );
        joined.await?;
        Ok(Json(AcceptedOut {
            tenant: open.tenant.id,
            business: open.tenant.name,
            slug: open.tenant.slug,
            user: account.id,
            email: account.email,
            role: member.role,
            new_account: before == 0,
        }))
    });
    accepted.await
}
