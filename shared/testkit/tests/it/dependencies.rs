//! Names, licences and sources of all dependencies, as `deny.toml` says. `cargo deny check` reads the same file, but is a minute of compiling.

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;
use spdx::{Expression, Licensee, ParseMode};

use crate::repository::{files, packages, read, root, run};

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

/// Why a crate may not be used, if so. `line`: as `cargo tree` shows it, `serde v1.0.228|MIT OR Apache-2.0|`. A crate that is not from
/// crates.io has its source in brackets.
fn wrong(line: &str, deny: &Deny, allowed: &[Licensee]) -> Option<String> {
    let mut fields = line.split('|');
    let (shown, licence) = (fields.next()?, fields.next()?);
    let shown = shown.trim_end_matches(" (proc-macro)");
    if shown.contains(&format!("({}", root().display())) {
        return None;
    }
    if shown.contains('(') {
        return Some(format!("{shown} is not from crates.io"));
    }
    let name = shown.split(' ').next()?;
    if deny.bans.deny.iter().any(|banned| banned.name == name) {
        return Some(format!("{shown} is banned"));
    }
    // Older crates write `MIT/Apache-2.0`.
    let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else {
        return Some(format!("{shown} has the licence {licence:?}"));
    };
    let may = expression.evaluate(|wanted| allowed.iter().any(|licensee| licensee.satisfies(wanted)));
    (!may).then(|| format!("{shown} has the licence {licence}, which is not allowed"))
}

#[test]
fn dependencies_are_as_allowed() {
    // What is built here: crates for other systems are not downloaded.
    let common = ["tree", "--offline", "--workspace", "--prefix=none", "--format={p}|{l}|"];
    let tree = run(Command::new(env!("CARGO")).args(common));
    assert!(tree.lines().count() > 300, "cargo lists too few crates");
    let deny: Deny = toml::from_str(&read("deny.toml")).expect("deny.toml has these lists");
    let allowed = deny.licenses.allow.iter();
    let allowed: Vec<Licensee> = allowed.map(|name| Licensee::parse(name).expect("a licence")).collect();
    let mut found: Vec<String> = tree.lines().filter_map(|line| wrong(line, &deny, &allowed)).collect();
    let any = packages().iter().flat_map(|package| package.of_any_version.iter());
    found.extend(any.map(|name| format!("{name} may have any version")));
    assert!(found.is_empty(), "{found:#?}");

    for (line, may) in [
        ("serde v1.0.228|MIT OR Apache-2.0|", true),
        ("serde_derive v1.0.228 (proc-macro)|MIT/Apache-2.0| (*)", true),
        ("openssl-sys v0.9.1|MIT|", false),
        ("serde v1.0.228 (https://github.com/serde-rs/serde#0123)|MIT|", false),
        ("serde v1.0.228|GPL-3.0-only|", false),
        ("serde v1.0.228||", false),
    ] {
        assert_eq!(wrong(line, &deny, &allowed).is_none(), may, "{line}");
    }
}

/// The names and versions in a file of Python requirements, and how many hashes each has.
fn pins(text: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let mut last = String::new();
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if line.starts_with("--hash=sha256:") {
            *found.entry(last.clone()).or_default() += 1;
            continue;
        }
        let pin = line.split([';', '\\', ' ']).next().unwrap_or_default();
        assert!(pin.contains("=="), "{line} names no version");
        last = pin.to_ascii_lowercase().replace('_', "-");
        found.entry(last.clone()).or_insert(0);
    }
    found
}

/// pip installs them with the hashes of these files only. A lock holds what was chosen in the file beside it.
#[test]
fn python_packages_are_locked_by_hash() {
    let is_python = |file: &&String| file.starts_with("infra/stack/python/") && file.ends_with(".lock");
    let locks: Vec<_> = files().iter().filter(is_python).map(String::as_str).collect();
    assert!(locks.len() >= 5, "{locks:?}");
    for lock in locks
        .into_iter()
        .chain(["infra/simulators/tests/clients/requirements.txt"])
    {
        let locked = pins(&read(lock));
        let bare: Vec<_> = locked.iter().filter(|(_, hashes)| **hashes == 0).collect();
        assert!(!locked.is_empty() && bare.is_empty(), "{lock}: without a hash {bare:?}");
        let chosen = lock.replace(".lock", ".txt");
        if chosen != lock && !chosen.contains("-sources") {
            let missing: Vec<_> = pins(&read(&chosen))
                .into_keys()
                .filter(|pin| !locked.contains_key(pin))
                .collect();
            assert!(
                missing.is_empty(),
                "{lock} lacks {missing:?} of {chosen}: infra/stack/README.md says how to write it"
            );
        }
    }
}
