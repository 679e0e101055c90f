//! `docs/permissions.md`.

use std::fmt::Write as _;

use domain::permission::{Permission, Role};
use serde_json::Value;

use crate::{Operation, operations};

const HEAD: &str = "\
# Permissions

Written by `cargo run --package contract` from the one table in `domain::permission` and from the operations' own guards; change the
code, not the page.

Each role may do all that the ones before it may. An API key has a role and may have scopes, which are these words: it may do what
its role *and* its scopes allow. The last administrator of a tenant cannot go.

";

/// The page.
pub(crate) fn page(document: &Value) -> String {
    let mut page = HEAD.to_owned();
    let roles = Role::ALL.map(Role::as_str).join(" | ");
    let _ = writeln!(page, "| permission | lets | {roles} | operations |");
    let _ = writeln!(page, "| --- | --- |{} --- |", " :---: |".repeat(Role::ALL.len()));
    for permission in Permission::ALL {
        let may = Role::ALL
            .map(|role| if role.may(*permission) { "yes" } else { "" })
            .join(" | ");
        let about = permission.about().trim_end_matches('.');
        let _ = writeln!(
            page,
            "| `{permission}` | {about} | {may} | {} |",
            named(document, permission.as_str())
        );
    }
    page += "\nOperations that need no permission of a tenant:\n\n| who may call | operations |\n| --- | --- |\n";
    for (word, who) in [
        ("public", "everybody"),
        ("person", "a person who is logged in, of whatever tenant; no API key"),
        ("platform", "an administrator of the platform"),
    ] {
        let _ = writeln!(page, "| `{word}`: {who} | {} |", named(document, word));
    }
    page
}

fn named(document: &Value, permission: &str) -> String {
    let of_it = operations(document).filter(|operation| operation.permission() == permission);
    let ids: Vec<_> = of_it
        .map(|operation: Operation<'_>| format!("`{}`", operation.id()))
        .collect();
    ids.join(", ")
}
