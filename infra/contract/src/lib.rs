//! The API's contract: the operations of every function in one OpenAPI document, with their permissions.

mod codes;
mod examples;
mod permissions;
pub mod problems;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use axum::Router;
use kit::{ConfigError, Env};
use serde_json::{Map, Value, json};
pub use stack::contract::{Operation, operations};

/// Path of the document in the repository.
pub const DOCUMENT: &str = "docs/openapi.json";

/// Path of the table of permissions in the repository.
pub const PERMISSIONS: &str = "docs/permissions.md";

/// Path of the table of problems in the repository.
pub const PROBLEMS: &str = "docs/problems.md";

/// Version of the API. The first number is the one in the path, the second grows with additions.
pub const VERSION: &str = "1.0.0";

/// Groups of operations that begin the page, in this order. Those that neither begin nor end it follow by name.
const FIRST: [&str; 6] = ["auth", "me", "users", "api keys", "tenant", "connections"];

/// Groups of operations that end the page, in this order.
const LAST: [&str; 3] = ["audit", "platform", "service"];

const ABOUT: &str = "\
Ringback answers missed calls: within a second or two the caller gets a WhatsApp message or an SMS, and their replies are stored.

People authenticate with `Authorization: Bearer …`, a tenant's software with `X-API-Key`. Every error is a problem (RFC 9457) with a \
stable `type`. Every `POST` of a tenant or the platform accepts `Idempotency-Key`. Lists take `limit` and `cursor`. Updates are JSON \
merge patches with `ETag` and `If-Match`. `x-permission` names the permission that an operation requires, `x-roles` the permissions of \
each role. `x-codes` lists the codes of wrong fields, decisions and gaps in the set-up, with the facts that each can have.

Within this version, fields, operations and values may be added but never removed. Ignore those that you do not know.";

/// The guide: conventions of the whole API and its promise of compatibility.
const GUIDE: &str = "/docs/guide.md";

/// Root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// A function with operations.
#[derive(Clone)]
pub struct Function {
    /// Name of the function.
    pub name: &'static str,
    /// Description of its operations.
    pub document: Value,
    pub routes: fn(&Env) -> Result<Router, ConfigError>,
}

macro_rules! functions {
    ($($name:ident),* $(,)?) => {
        vec![$(Function { name: stringify!($name), document: $name::document(), routes: $name::routes }),*]
    };
}

/// All functions of the API: the ones that this crate depends on.
pub fn functions() -> Vec<Function> {
    // Describing them takes seconds.
    static DESCRIBED: LazyLock<Vec<Function>> = LazyLock::new(|| include!(concat!(env!("OUT_DIR"), "/functions.rs")));
    DESCRIBED.clone()
}

/// The operations of all functions.
fn merge_documents() -> Value {
    let mut all = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Ringback API",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The deployment that serves this document"}],
    });
    let mut tags = Vec::new();
    for mut function in functions() {
        if let Value::Array(own) = function.document["tags"].take() {
            tags.extend(own.into_iter().filter(|tag| !tags.contains(tag)).collect::<Vec<_>>());
        }
        merge(&mut all, function.document);
    }
    tags.sort_by_key(place);
    all["tags"] = tags.into();
    all
}

/// Place of a group on the page.
fn place(tag: &Value) -> (usize, usize, String) {
    let name = tag["name"].as_str().unwrap_or_default();
    let at = |of: &[&str]| of.iter().position(|known| *known == name);
    let (part, within) = match (at(&FIRST), at(&LAST)) {
        (Some(first), _) => (0, first),
        (_, Some(last)) => (2, last),
        _ => (1, 0),
    };
    (part, within, name.to_owned())
}

/// Adds the members that are not there yet, at every depth.
fn merge(all: &mut Value, own: Value) {
    if let (Value::Object(all), Value::Object(own)) = (all, own) {
        for (name, part) in own {
            match all.get_mut(&name) {
                Some(known) => merge(known, part),
                None => drop(all.insert(name, part)),
            }
        }
    }
}

/// The document as it is written to its file.
pub fn document() -> Value {
    static WRITTEN: LazyLock<Value> = LazyLock::new(build_document);
    WRITTEN.clone()
}

fn build_document() -> Value {
    let mut document = merge_documents();
    while drop_unused(&mut document) {}
    examples::fill(&mut document);
    examples::bodies(&mut document);
    problems::name(&mut document);
    share_headers(&mut document);
    document["x-roles"] = permissions::of_roles();
    document["x-codes"] = codes::all();
    document["externalDocs"] = json!({
        "description": "Authentication, errors, idempotency, lists, versions and deprecation",
        "url": GUIDE,
    });
    document
}

/// Drops components without references, such as the schemas of types that stand inline. Returns true if there was one.
fn drop_unused(document: &mut Value) -> bool {
    let mut named = BTreeSet::new();
    references(document, &mut named);
    let mut dropped = false;
    for kind in ["schemas", "responses"] {
        if let Some(components) = document["components"][kind].as_object_mut() {
            let before = components.len();
            components.retain(|name, _| named.contains(&format!("#/components/{kind}/{name}")));
            dropped |= components.len() < before;
        }
    }
    dropped
}

/// Moves the description of a header that many responses share to the components.
fn share_headers(document: &mut Value) {
    let mut shared = Map::new();
    let mut share = |response: &mut Value| {
        let headers = response.get_mut("headers").and_then(Value::as_object_mut);
        for (name, header) in headers.into_iter().flatten() {
            if shared.entry(name.clone()).or_insert_with(|| header.clone()) == header {
                *header = json!({"$ref": format!("#/components/headers/{name}")});
            }
        }
    };
    for responses in responses(document) {
        responses.values_mut().for_each(&mut share);
    }
    document["components"]["headers"] = Value::Object(shared);
}

/// Responses of each operation, and shared responses.
fn responses(document: &mut Value) -> Vec<&mut Map<String, Value>> {
    let Value::Object(parts) = document else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for (name, part) in parts {
        match name.as_str() {
            "components" => all.extend(part["responses"].as_object_mut()),
            "paths" => all.extend(operations_of(part).filter_map(|one| one.get_mut("responses")?.as_object_mut())),
            _ => {}
        }
    }
    all
}

/// The operations of a document, to change them.
pub(crate) fn operations_mut(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    operations_of(&mut document["paths"])
}

fn operations_of(paths: &mut Value) -> impl Iterator<Item = &mut Value> {
    let items = paths.as_object_mut().into_iter().flatten();
    let operations = items.flat_map(|(_, item)| item.as_object_mut().into_iter().flatten());
    operations.map(|(_, operation)| operation)
}

fn references(value: &Value, named: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            named.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| references(field, named));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, named)),
        _ => {}
    }
}

/// Generated files, by path in the repository.
pub fn files() -> Result<[(&'static str, String); 3]> {
    let document = document();
    let text = serde_json::to_string_pretty(&document).context("writing the document as JSON")?;
    Ok([
        (DOCUMENT, format!("{text}\n")),
        (PERMISSIONS, permissions::page(&document)),
        (PROBLEMS, problems::page(&merge_documents())),
    ])
}
