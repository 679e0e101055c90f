//! Users of a tenant and invitations, in process against the emulator, from the callers' point of view.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test; the lint's own exception covers only the functions marked as such"
)]

mod invitations;
mod people;

use domain::permission::Role;
use testkit::{
    Answer, Aws,
    api::{Citizen, Town},
};

const USERS: &str = "/api/v1/users";

async fn town(aws: &Aws) -> Town<'_> {
    Town::new(aws, users::routes).await
}

fn path(citizen: &Citizen) -> String {
    format!("{USERS}/{}", citizen.user)
}

fn of_home(town: &Town<'_>, role: Role) -> String {
    path(town.home.person(role))
}

/// The stable word of a problem.
fn problem(answer: &Answer) -> String {
    let kind = answer.json()["type"].as_str().unwrap_or_default().to_owned();
    kind.trim_start_matches("urn:ringback:problem:").to_owned()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, kind: &str) {
    assert_eq!(
        (answer.status(), problem(answer).as_str()),
        (status, kind),
        "{}",
        answer.text()
    );
}

#[track_caller]
fn wrong_field(answer: &Answer, field: &str) {
    assert_eq!(answer.status(), 422, "{}", answer.text());
    let found = answer.json()["errors"].clone();
    let named = found.as_array().unwrap().iter().any(|error| error["field"] == field);
    assert!(named, "{field}: {found}");
}
