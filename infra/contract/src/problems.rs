//! Problems of their own that operations answer, and `docs/problems.md`.

use std::fmt::Write as _;

use kit::problem::kinds::{COMMON, ProblemKind, SPECIAL};
use serde_json::Value;
use stack::contract::resolve;

use crate::operations;

/// Which operations answer a problem that not every operation answers.
pub const ANSWERED_BY: &[(&str, &[&str])] = &[
    ("account_exists", &["verify_email"]),
    ("already_invited", &["create_invitation"]),
    ("already_member", &["accept_invitation", "create_invitation"]),
    ("expired", &["rotate_api_key"]),
    ("last_admin", &["update_user"]),
    (
        "link_not_valid",
        &["accept_invitation", "reset_password", "verify_email"],
    ),
    ("no_pending_factor", &["confirm_second_factor"]),
    ("not_rotating", &["finish_connection_rotation"]),
    ("nothing_to_rotate", &["rotate_connection_secret"]),
    ("number_connected", &["create_connection"]),
    ("number_taken", &["create_connection"]),
    ("refreshed_elsewhere", &["refresh_session"]),
    ("second_factor_off", &["remove_second_factor", "replace_recovery_codes"]),
    ("second_factor_on", &["begin_second_factor"]),
    ("second_factor_required", &["log_in"]),
    ("secret_is_made_here", &["set_connection_credentials"]),
    ("session_over", &["refresh_session"]),
    ("slug_taken", &["create_platform_tenant", "sign_up"]),
    ("still_rotating", &["rotate_api_key"]),
    ("tenant_gone", &["resume_platform_tenant"]),
    ("tenant_leaving", &["suspend_platform_tenant"]),
    ("too_many_api_keys", &["create_api_key"]),
    ("too_many_connections", &["create_connection"]),
    ("too_many_invitations", &["create_invitation"]),
    ("too_many_secrets", &["rotate_connection_secret"]),
    ("too_many_tenants", &["accept_invitation"]),
    ("too_many_users", &["create_invitation"]),
    ("wrong_code", &["log_in"]),
    ("wrong_credentials", &["log_in", "verify_email"]),
];

/// What comes from a webhook alone.
pub const OF_WEBHOOKS: &[&str] = &["unprocessable"];

fn answered_by(word: &str) -> &'static [&'static str] {
    ANSWERED_BY
        .iter()
        .find(|(known, _)| *known == word)
        .map_or(&[], |(_, operations)| operations)
}

/// Names them in the operations' answers.
pub(crate) fn name(document: &mut Value) {
    let mut named = Vec::new();
    for operation in operations(document) {
        let own = SPECIAL
            .iter()
            .filter(|kind| answered_by(kind.word).contains(&operation.id()));
        for kind in own {
            named.push((operation.path.to_owned(), operation.method.to_owned(), *kind));
        }
    }
    for (path, method, kind) in named {
        let status = kind.status.to_string();
        let known = &document["paths"][&path][&method]["responses"][&status];
        let mut response = resolve(document, known).clone();
        let before = response["description"]
            .as_str()
            .unwrap_or_default()
            .trim_end_matches('.');
        let about = if before.is_empty() {
            format!("`{}`: {}.", kind.word, kind.means)
        } else {
            format!("{before}. `{}`: {}.", kind.word, kind.means)
        };
        response["description"] = about.into();
        document["paths"][&path][&method]["responses"][&status] = response;
    }
}

const HEAD: &str = "\
# Problems

Written by `cargo run --package contract` from the one table in `kit::problem::kinds`; change the code, not the page.

An error's `type` is `urn:ringback:problem:` and one of these words. What a word means never changes; new ones may come, so take
one that you do not know by its status.
";

/// The page.
pub(crate) fn page() -> String {
    let mut page = HEAD.to_owned();
    page += "\n## Of any operation\n\n| status | problem | means | do |\n| --- | --- | --- | --- |\n";
    for kind in sorted(COMMON) {
        let _ = writeln!(page, "{}", row(kind));
    }
    page += "\n## Of single operations\n\n| status | problem | means | do | operations |\n| --- | --- | --- | --- | --- |\n";
    for kind in sorted(SPECIAL) {
        let ids: Vec<_> = answered_by(kind.word).iter().map(|id| format!("`{id}`")).collect();
        let who = if OF_WEBHOOKS.contains(&kind.word) {
            "webhooks".to_owned()
        } else {
            ids.join(", ")
        };
        let _ = writeln!(page, "{} {who} |", row(kind));
    }
    page
}

fn sorted(kinds: &'static [ProblemKind]) -> Vec<&'static ProblemKind> {
    let mut sorted: Vec<_> = kinds.iter().collect();
    sorted.sort_by_key(|kind| kind.status);
    sorted
}

fn row(kind: &ProblemKind) -> String {
    let ProblemKind {
        word,
        status,
        means,
        advice,
    } = kind;
    format!("| {status} | `{word}` | {means} | {advice} |")
}
