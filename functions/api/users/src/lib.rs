//! The users of a tenant, their roles, and invitations.

mod accept;
mod invitations;
mod models;
mod people;

use access::token::sha256_hex;
use api::{Allowed, Api, Races, permits};
use axum::Router;
use domain::{
    account::Email,
    permission::{Role, granted},
};
use kit::{ConfigError, Env, Problem};

/// Routes of the function.
///
/// # Errors
/// When a variable is missing or wrong.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::with_mails(env)?))
}

api::operations! {
    people::list_users,
    people::get_user,
    people::update_user,
    invitations::create_invitation,
    invitations::list_invitations,
    invitations::delete_invitation,
    invitations::resend_invitation,
    accept::accept_invitation,
}

/// Attempts of a change that loses races, before the caller gets a conflict. Enough for a whole office that joins at once.
const RACES: Races = Races::most(24);

/// Hash by which the table knows an address.
fn email_sha256(email: &Email) -> String {
    sha256_hex(email.as_str())
}

fn may_all_of(who: &Allowed<permits::UsersWrite>, role: Role) -> bool {
    granted(role, &[]).all(|permission| who.principal().may(permission))
}

/// Refuses a role with more permissions than the caller's. A key with narrow scopes cannot create an administrator.
fn refuse_beyond_own(who: &Allowed<permits::UsersWrite>, role: Role) -> Result<(), Problem> {
    if may_all_of(who, role) {
        return Ok(());
    }
    let detail = format!("You cannot assign the role {role}: it has more permissions than you. Choose a lower role.");
    Err(Problem::field("role", detail))
}

/// Refuses a key that expires: the people it lets in would outlast it.
fn refuse_outliving(who: &Allowed<permits::UsersWrite>) -> Result<(), Problem> {
    match who.principal().ends_at() {
        None => Ok(()),
        Some(end) => {
            let detail = format!(
                "This key expires at {end}, so it cannot let people in or extend their permissions. Use a key \
                    without expiry, or log in."
            );
            Err(Problem::forbidden(detail))
        }
    }
}
