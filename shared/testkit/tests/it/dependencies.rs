//! Names, licences and sources of all dependencies, as `deny.toml` says. `cargo deny check` reads the same file, but is a minute of compiling.

use std::process::Command;

use serde::Deserialize;
use spdx::{Expression, Licensee, ParseMode};

use crate::repository::{packages, read, root, run};

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
