//! Names, licences and sources of all dependencies, as `deny.toml` says. `cargo deny check` reads the same file, but is a minute of compiling.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde::Deserialize;
use serde_json::Value;
use spdx::{Expression, Licensee, ParseMode};

use crate::repository::{read, run};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[derive(Deserialize)]
struct Deny {
    bans: Bans,
    licenses: Licenses,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Banned>,
}

#[derive(Deserialize)]
struct Banned {
    name: String,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

/// Why a dependency may not be used, if so.
fn wrong(package: &Value, deny: &Deny, allowed: &[Licensee]) -> Option<String> {
    let name = package["name"].as_str()?;
    if deny.bans.deny.iter().any(|banned| banned.name == name) {
        return Some(format!("{name} is banned"));
    }
    if package["source"] != CRATES_IO {
        return Some(format!("{name} comes from {}", package["source"]));
    }
    let licence = package["license"].as_str().unwrap_or_default();
    // Older crates write `MIT/Apache-2.0`.
    let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else {
        return Some(format!("{name} has the licence {licence:?}"));
    };
    let may = expression.evaluate(|wanted| allowed.iter().any(|licensee| licensee.satisfies(wanted)));
    (!may).then(|| format!("{name} has the licence {licence}, which is not allowed"))
}

/// The ids of our crates, and of what they are built of. The list of packages has more: what features that nobody requests would need.
fn used(metadata: &Value) -> BTreeSet<&str> {
    fn texts(list: &Value) -> impl Iterator<Item = &str> {
        list.as_array().into_iter().flatten().filter_map(Value::as_str)
    }
    let nodes = metadata["resolve"]["nodes"].as_array().into_iter().flatten();
    let needs: BTreeMap<&str, &Value> = nodes
        .filter_map(|node| Some((node["id"].as_str()?, &node["dependencies"])))
        .collect();
    let (mut used, mut open) = (
        BTreeSet::new(),
        texts(&metadata["workspace_members"]).collect::<Vec<_>>(),
    );
    while let Some(id) = open.pop() {
        if used.insert(id) {
            open.extend(needs.get(id).into_iter().flat_map(|needs| texts(needs)));
        }
    }
    used
}

#[test]
fn dependencies_are_as_allowed() {
    // What is built here. Crates for other systems are not downloaded.
    let host = run(Command::new("rustc").args(["--print", "host-tuple"]));
    let platform = format!("--filter-platform={}", host.trim());
    let metadata = run(Command::new(env!("CARGO")).args(["metadata", "--offline", "--format-version=1", &platform]));
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo metadata is JSON");
    let deny: Deny = toml::from_str(&read("deny.toml")).expect("deny.toml has these lists");
    let allowed = deny.licenses.allow.iter();
    let allowed: Vec<Licensee> = allowed.map(|name| Licensee::parse(name).expect("a licence")).collect();
    let used = used(&metadata);
    let packages = metadata["packages"].as_array().expect("it lists packages");
    let packages = packages
        .iter()
        .filter(|package| used.contains(&package["id"].as_str().unwrap_or_default()));
    let (ours, others): (Vec<&Value>, Vec<&Value>) = packages.partition(|package| package["source"].is_null());
    assert!(others.len() > 300, "cargo lists too few crates");
    let mut found: Vec<String> = others
        .iter()
        .filter_map(|package| wrong(package, &deny, &allowed))
        .collect();
    for package in ours {
        let any = package["dependencies"].as_array().into_iter().flatten();
        let any = any.filter(|dependency| dependency["req"] == "*" && dependency["path"].is_null());
        found.extend(any.map(|dependency| format!("{} takes any version of {}", package["name"], dependency["name"])));
    }
    assert!(found.is_empty(), "{found:#?}");

    let refused = |change: &dyn Fn(&mut Value)| {
        let mut package = others[0].clone();
        change(&mut package);
        wrong(&package, &deny, &allowed).is_some()
    };
    assert!(!refused(&|_| {}));
    for (field, value) in [
        ("name", "openssl-sys"),
        ("source", "git+https://example.com"),
        ("license", "GPL-3.0-only"),
    ] {
        assert!(refused(&|package| package[field] = value.into()), "{field}");
    }
}
