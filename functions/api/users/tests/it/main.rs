//! Users of a tenant and invitations, in process against the emulator, from the callers' point of view.

mod invitations;
mod people;

use domain::accounts::Role;
use serde_json::Value;
use testkit::api::{Citizen, Town};
use testkit::{Aws, assert_snapshot};

const USERS: &str = "/api/v1/users";

async fn town(aws: &Aws) -> Town<'_> {
    Town::new(aws, users::routes).await
}

fn path(citizen: &Citizen) -> String {
    format!("{USERS}/{}", citizen.user)
}

/// Changes a user as the home tenant's administrator. Returns the user.
async fn change_user(town: &Town<'_>, path: &str, fields: Value) -> Value {
    let changed = town.admin().patch(path, fields).await;
    changed.is(200).json()
}

fn of_home(town: &Town<'_>, role: Role) -> String {
    path(town.home.person(role))
}
