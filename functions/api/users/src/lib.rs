//! The users of a tenant, their roles, and invitations.

mod accept;
mod invitations;
mod models;
mod people;

use access::token::sha256_hex;
use api::{Allowed, Api, RACES, permits};
use axum::Router;
use domain::accounts::{Role, granted_permissions};
use domain::terms::{Email, Fault, FaultCode};
use kit::{ConfigError, Env, Problem};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::with_mails(env)?))
}

api::operations! {
    "users": "Users of a tenant and invitations." {
        /// List users
        ///
        /// Includes deactivated users, but not invited people.
        GET "/api/v1/users" => people::list_users, "A page of users";

        /// List the names of users
        ///
        /// Open to every member, because answers name people by their ids. Includes deactivated users, because older
        /// answers name them.
        GET "/api/v1/users/names" => people::list_user_names, "A page of names";

        /// Get a user
        GET "/api/v1/users/{user_id}" => people::get_user, "The user";

        /// List who is available
        ///
        /// Lists all users of the tenant with their names, whether they can attend to conversations, and whether teams assign
        /// conversations to them by their modes. Deactivated users, and those who only read, are not available.
        GET "/api/v1/users/availability" => people::list_user_availability, "A page of users";

        /// Say whether a user is available
        ///
        /// Users set their own availability; setting that of others needs `teams:write`. Until somebody says so, a user is available. The
        /// conversations of a user who is not available stay with them, unless they are handed over, which takes a minute or two.
        PUT "/api/v1/users/availability/{user_id}" => people::set_user_availability, "Whether the user is available";

        /// Update a user
        ///
        /// Changes a user's role, or deactivates or activates them. A deactivated user loses access at once, in all sessions, and
        /// their conversations go to others of their teams, or to nobody, within a minute or two. The
        /// last active administrator can be neither deactivated nor given a lower role. Nobody can change a user who has more
        /// permissions, or grant more than their own. An API key that expires can neither raise a role nor activate a user.
        PATCH "/api/v1/users/{user_id}" => people::update_user, "The updated user",
            problems "last_admin";

        /// Create an invitation
        ///
        /// Sends a link that works once and for a week. The role cannot have more permissions than the caller's. An API key that
        /// expires cannot invite anybody. An address gets at most 5 such mails an hour and 10 a day, from all tenants together.
        /// Beyond that the invitation is created, but its mail is sent only when it is resent later.
        POST "/api/v1/users/invitations" => invitations::create_invitation, "The invitation. Its mail is on its way.",
            problems "already_invited" "already_member" "too_many_invitations" "too_many_users";

        /// List open invitations
        GET "/api/v1/users/invitations" => invitations::list_invitations, "A page of invitations";

        /// Withdraw an invitation
        ///
        /// Its link stops working.
        DELETE "/api/v1/users/invitations/{invitation_id}" => invitations::delete_invitation, "The invitation is withdrawn";

        /// Resend an invitation
        ///
        /// Sends a new link that works for a week; the previous link stops working. If the address has reached its limit of mails,
        /// no mail is sent and the previous link works for another week.
        POST "/api/v1/users/invitations/{invitation_id}/resend" => invitations::resend_invitation, "The invitation. Its mail is on its way.";

        /// Show an invitation
        ///
        /// For the holder of its link: the inviting user, the business and the role. The link stays valid.
        POST "/api/v1/users/invitations/show" => accept::show_invitation, "The invitation",
            403 "The tenant is suspended", 404 "The link is invalid",
            problems "link_not_valid";

        /// Accept an invitation
        ///
        /// A person without an account gives a name and a password. A person with an account gives only the token and keeps both.
        /// Log in afterwards. Whoever is invited by the platform to a tenant that they already belong to becomes its active
        /// administrator.
        POST "/api/v1/users/invitations/accept" => accept::accept_invitation, "The person belongs to the tenant",
            403 "The tenant is suspended", 404 "The link is invalid",
            problems "already_member" "link_not_valid" "too_many_tenants";
    }
}

/// Hash of an address, for the table.
fn email_sha256(email: &Email) -> String {
    sha256_hex(email.as_str())
}

fn may_all_of(who: &Allowed<permits::UsersWrite>, role: Role) -> bool {
    granted_permissions(role, &[]).all(|permission| who.principal().may(permission))
}

/// Refuses a role with more permissions than the caller's. A key with narrow scopes cannot create an administrator.
fn refuse_beyond_own(who: &Allowed<permits::UsersWrite>, role: Role) -> Result<(), Problem> {
    if may_all_of(who, role) {
        return Ok(());
    }
    let detail = format!("You cannot assign the role {role}: it has more permissions than you. Choose a lower role.");
    Err(Problem::field("role", Fault::new(FaultCode::NotPermitted, detail)))
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
