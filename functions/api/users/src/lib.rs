//! Who belongs to a tenant: its people, what they may do, and who is invited.

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

/// The function's routes.
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

/// Others may be faster so often, then the caller is told. Enough for everybody who was invited to come at once.
const RACES: Races = Races::most(24);

/// What is known of an address in the table.
fn email_sha256(email: &Email) -> String {
    sha256_hex(email.as_str())
}

fn may_all_of(who: &Allowed<permits::UsersWrite>, role: Role) -> bool {
    granted(role, &[]).all(|permission| who.principal().may(permission))
}

/// Nobody gives away more than they have: a key with narrow scopes makes no administrator.
fn refuse_beyond_own(who: &Allowed<permits::UsersWrite>, role: Role) -> Result<(), Problem> {
    if may_all_of(who, role) {
        return Ok(());
    }
    let detail = format!("You cannot make anybody {role}: that role may do more than you.");
    Err(Problem::field("role", detail))
}

/// Nor more time than they have: people stay when a key is over that let them in, or let them do more.
fn refuse_outliving(who: &Allowed<permits::UsersWrite>) -> Result<(), Problem> {
    match who.principal().ends_at() {
        None => Ok(()),
        Some(end) => {
            let detail = format!(
                "A key that ends, as this one does at {end}, cannot let people in or let them do more: they would outlast it. Use a \
                 key without an end, or log in."
            );
            Err(Problem::forbidden(detail))
        }
    }
}
