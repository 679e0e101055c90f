//! Features of the functions' dependencies.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use crate::repository::{packages, run};

/// `sam build` compiles one function after the other, each by itself. A crate that two of them use with different features is
/// compiled twice, and with it all that stands on it: a feature of `serde` is half an hour.
#[test]
fn functions_share_one_set_of_dependencies() {
    // By crate and version, then by features: the functions that build it. A crate can also be built for the compiling machine.
    let mut built: BTreeMap<String, BTreeMap<String, BTreeSet<&str>>> = BTreeMap::new();
    for function in packages().iter().filter(|package| package.is_function()) {
        let tree = run(Command::new(env!("CARGO")).args([
            "tree",
            "--offline",
            "--package",
            &function.name,
            "--edges=normal,build",
            "--prefix=none",
            "--format={p}|{f}|",
        ]));
        // Other crates would compile it without using it, and start more slowly.
        let describes = tree.lines().any(|line| line.starts_with("api "));
        let of_api = function.folder.starts_with("functions/api/");
        assert_eq!(describes, of_api, "{} and what only the API needs", function.name);
        for line in tree.lines() {
            let mut fields = line.split('|');
            if let (Some(name), Some(features)) = (fields.next(), fields.next()) {
                let ways = built.entry(name.to_owned()).or_default();
                ways.entry(features.to_owned()).or_default().insert(&function.name);
            }
        }
    }
    assert!(built.len() > 100, "cargo lists too few crates");
    for (name, ways) in &built {
        let mut most: BTreeMap<&str, usize> = BTreeMap::new();
        for function in ways.values().flatten() {
            *most.entry(*function).or_default() += 1;
        }
        let at_once = most.values().max().copied().unwrap_or_default();
        assert!(
            ways.len() <= at_once,
            "{name} is built with different features; turn them on for all in [workspace.dependencies], or in kit: {ways:#?}"
        );
    }
}

/// The crates of a selection with their features, one per line.
fn tree(options: &[&str]) -> BTreeSet<String> {
    let common = ["tree", "--offline", "--prefix=none", "--format={p}|{f}|"];
    let lines = run(Command::new(env!("CARGO")).args(common).args(options));
    // After the last field, repeated crates have a mark.
    let crates = lines.lines().filter_map(|line| line.rsplit_once('|'));
    crates.map(|(line, _)| line.to_owned()).collect()
}

/// `cargo stack test` builds the simulators before the tests. If tests enabled more features of their dependencies, these would be
/// compiled twice.
#[test]
fn simulators_are_built_with_the_features_of_tests() {
    let name = |line: &String| line.split('|').next().unwrap_or_default().to_owned();
    let own: BTreeSet<String> = tree(&["--package=simulators", "--edges=normal,build"])
        .iter()
        .map(name)
        .collect();
    let used = |lines: BTreeSet<String>| -> BTreeSet<String> {
        lines.into_iter().filter(|line| own.contains(&name(line))).collect()
    };
    let built = used(tree(&["--workspace", "--edges=normal,build"]));
    let tested = used(tree(&["--workspace"]));
    assert!(built.len() > 100, "cargo lists too few crates");
    let only_in_tests: Vec<_> = tested.difference(&built).collect();
    assert!(
        only_in_tests.is_empty(),
        "enable these in infra/simulators/Cargo.toml or infra/stack/Cargo.toml, too: {only_in_tests:#?}"
    );
}
