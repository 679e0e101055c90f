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

/// The crates of a selection, each with the sets of features that it is compiled with.
fn built_by(selection: &[&str]) -> BTreeSet<String> {
    let common = ["tree", "--offline", "--prefix=none", "--format={p}|{f}|"];
    let lines = run(Command::new(env!("CARGO")).args(common).args(selection));
    // After the last field, repeated crates have a mark.
    let crates = lines.lines().filter_map(|line| line.rsplit_once('|'));
    crates.map(|(line, _)| line.to_owned()).collect()
}

/// What `cargo stack` builds, whether itself, the functions or the tests of some packages, is compiled once, with the features that the
/// whole workspace requests: the package `features` requests them, too.
#[test]
fn everything_local_is_built_with_one_set_of_features() {
    let all = built_by(&["--workspace"]);
    assert!(all.len() > 100, "cargo lists too few crates");
    let without_tests = "--edges=normal,build";
    let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut compare = |what: &str, selection: &[&str]| {
        for line in built_by(selection).difference(&all) {
            missing.entry(line.clone()).or_default().insert(what.to_owned());
        }
    };
    for package in packages() {
        let package = &package.name;
        compare(package, &["--package=features", "--package", package]);
    }
    compare("cargo stack", &["--package=stack", without_tests]);
    let functions = packages().iter().filter(|package| package.is_function());
    let functions: Vec<String> = functions.map(|package| format!("--package={}", package.name)).collect();
    let selected = ["--package=features", without_tests].into_iter();
    let selected: Vec<&str> = selected.chain(functions.iter().map(String::as_str)).collect();
    compare("functions", &selected);
    compare(
        "simulators",
        &["--package=features", "--package=simulators", without_tests],
    );
    assert!(
        missing.is_empty(),
        "add what requests more features of these to infra/features/Cargo.toml: {missing:#?}"
    );
}
