//! Features of the functions' dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::repository::{Package, packages, run};

/// `sam build` compiles one function after the other, each by itself. A crate that two of them use with different features is
/// compiled twice, and with it all that stands on it: a feature of `serde` is half an hour.
#[test]
fn functions_share_one_set_of_dependencies() {
    // By crate and version, then by features: the functions that build it. A crate can also be built for the compiling machine.
    let mut built: BTreeMap<String, BTreeMap<String, BTreeSet<&str>>> = BTreeMap::new();
    let mut trees = BTreeMap::new();
    for function in packages().iter().filter(|package| package.is_function()) {
        let selection = ["--package", &function.name, "--edges=normal,build"];
        let tree = trees.entry(&function.asks).or_insert_with(|| tree(&selection));
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
        // Turn them on for all in [workspace.dependencies], or in kit.
        let fine = ways.len() <= at_once;
        assert!(fine, "{name} is built with different features: {ways:#?}");
    }
}

/// The crates of a selection and their features, as cargo shows them.
fn tree(selection: &[&str]) -> String {
    let common = ["tree", "--offline", "--prefix=none", "--format={p}|{f}|"];
    run(Command::new(env!("CARGO")).args(common).args(selection))
}

/// The crates of a selection, each with the sets of features that it is compiled with.
fn built_by(selection: &[&str]) -> BTreeSet<String> {
    let lines = tree(selection);
    // After the last field, repeated crates have a mark.
    let crates = lines.lines().filter_map(|line| line.rsplit_once('|'));
    crates.map(|(line, _)| line.to_owned()).collect()
}

/// Everything that `cargo stack` builds, whether itself, the functions or the tests of some packages, is compiled once, with the features
/// that the whole workspace requests: the package `features` requests them, too.
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
    compare("features", &["--package=features"]);
    // What it builds has all features already. So packages differ by what they ask of other crates.
    let alone = built_by(&["--package=features"]);
    let alone: BTreeSet<&str> = alone.iter().filter_map(|line| line.split(' ').next()).collect();
    let mut compared = BTreeSet::new();
    for package in packages() {
        let asks = package.asks.iter().filter(|(name, _)| !alone.contains(name.as_str()));
        if compared.insert(asks.collect::<Vec<_>>()) {
            compare(&package.name, &["--package=features", "--package", &package.name]);
        }
    }
    compare("cargo stack", &["--package=stack", without_tests]);
    let functions = packages().iter().filter(|package| package.is_function());
    let functions: Vec<String> = functions.map(|package| format!("--package={}", package.name)).collect();
    let selected = ["--package=features", without_tests].into_iter();
    let selected: Vec<&str> = selected.chain(functions.iter().map(String::as_str)).collect();
    compare("functions", &selected);
    let simulators = ["--package=features", "--package=simulators", without_tests];
    compare("simulators", &simulators);
    // To infra/features/Cargo.toml.
    assert!(
        missing.is_empty(),
        "add what requests more features of these: {missing:#?}"
    );
}

/// Features that tests and tools add to crates of the functions' code, each with how code that needs it looks. Functions are
/// compiled with them locally, and without them by `sam build`.
const ADDED: [(&str, &str, &[&str]); 12] = [
    ("axum", "form", &["axum::Form", "extract::Form"]),
    ("axum", "http1", &["axum::serve"]),
    ("axum", "multipart", &["extract::Multipart"]),
    ("axum", "tokio", &["axum::serve"]),
    ("tokio", "process", &["tokio::process", "process::Command"]),
    ("tokio", "signal", &["tokio::signal"]),
    ("tokio", "signal-hook-registry", &["tokio::signal"]),
    ("tokio", "test-util", &["time::pause", "time::advance"]),
    ("tower", "make", &["tower::make", "MakeService"]),
    // `alloc`, which functions request.
    ("encoding_rs", "default", &[]),
    ("rustix", "process", &["rustix::process"]),
    ("rustix", "rand", &["rustix::rand"]),
];

/// The features of each crate that is built for a selection.
fn features_of(selection: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in built_by(selection) {
        let (name, features) = line.split_once('|').unwrap_or_default();
        let features = features.split(',').filter(|feature| !feature.is_empty());
        let own = found.entry(name.to_owned()).or_default();
        own.extend(features.map(str::to_owned));
    }
    found
}

/// A function that needs a feature that it does not request itself would fail only in `sam build`.
#[test]
fn functions_need_no_feature_that_only_tests_and_tools_request() {
    let packages = packages().iter();
    let used_in_functions: Vec<&Package> = packages
        .filter(|package| package.is_function() || package.folder.starts_with("shared/") && package.name != "testkit")
        .collect();
    let functions = used_in_functions.iter().filter(|package| package.is_function());
    let functions: Vec<String> = functions.map(|package| format!("--package={}", package.name)).collect();
    let selected = functions.iter().map(String::as_str);
    let selected: Vec<&str> = selected.chain(["--edges=normal,build"]).collect();
    let (own, all) = (features_of(&selected), features_of(&["--workspace"]));
    let direct = used_in_functions.iter().flat_map(|package| &package.others);
    let direct: BTreeSet<&str> = direct.map(String::as_str).collect();
    let mut added = BTreeSet::new();
    for (name, features) in &own {
        let bare = name.split(' ').next().unwrap_or_default();
        if let Some(all) = all.get(name).filter(|_| direct.contains(bare)) {
            added.extend(all.difference(features).map(|feature| (bare, feature.as_str())));
        }
    }
    let known: BTreeSet<(&str, &str)> = ADDED.iter().map(|(name, feature, _)| (*name, *feature)).collect();
    assert_eq!(added, known, "list here how code that needs these features looks");
    for package in used_in_functions {
        let (code, user) = (package.sources(), &package.name);
        for (name, feature, looks) in ADDED {
            let seen: Vec<_> = looks.iter().filter(|look| code.contains(**look)).collect();
            assert!(seen.is_empty(), "{user} needs {feature} of {name}: {seen:?}");
        }
    }
}
