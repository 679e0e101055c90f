//! The order of timers: each must end before the next one acts on its silence.

use std::collections::BTreeMap;

use testkit::template::template;

use crate::repository::read;

/// A request ends before its function, a function before its claim, a claim before the dispatcher checks again, and
/// that before the queue delivers its record again.
const ORDER: [&str; 5] = [
    "ProviderTimeout",
    "FunctionTimeout",
    "ClaimSeconds",
    "FirstDueSeconds",
    "QueueVisibility",
];

type Timers = BTreeMap<String, i64>;

fn defaults() -> Timers {
    let parameters = template()["Parameters"].as_object().expect("parameters");
    let number =
        |(name, parameter): (&String, &serde_json::Value)| Some((name.clone(), parameter["Default"].as_i64()?));
    parameters.iter().filter_map(number).collect()
}

fn check(timers: &Timers, whose: &str) {
    let of = |name: &str| *timers.get(name).unwrap_or_else(|| panic!("{whose}: no {name}"));
    for pair in ORDER.windows(2) {
        let times = (of(pair[0]), of(pair[1]));
        assert!(times.0 < times.1, "{whose}: {pair:?} must grow: {times:?}");
    }
    let (claim, evidence) = (of("ClaimSeconds"), of("UnknownDeadlineSeconds"));
    assert!(
        claim < evidence,
        "{whose}: evidence ({evidence}) is awaited longer than the claim ({claim})"
    );
    for name in ["ProviderTimeout", "DecideCallSeconds", "RecheckSeconds"] {
        assert!(of(name) > 0, "{whose}: {name}");
    }
}

/// `Name=number` pairs anywhere in a line.
fn overrides(text: &str) -> Timers {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '='));
    words
        .filter_map(|word| word.split_once('='))
        .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
        .collect()
}

#[test]
fn the_defaults_hold_their_order() {
    check(&defaults(), "template.yaml");
}

/// As in the functions: work that waits longer than a day is useless.
#[test]
fn every_wait_is_limited() {
    for name in ["UnknownDeadlineSeconds", "DecideCallSeconds", "RecheckSeconds"] {
        assert_eq!(template()["Parameters"][name]["MaxValue"], 86_400, "{name}");
    }
}

#[test]
fn visibility_is_six_function_timeouts() {
    let defaults = defaults();
    assert!(defaults["QueueVisibility"] >= 6 * defaults["FunctionTimeout"]);
}

#[test]
fn every_environment_of_samconfig_holds_the_order() {
    let text = read("samconfig.toml");
    let sections = text.split("\n[");
    for section in sections.filter(|section| section.contains(".deploy.parameters]")) {
        let name = section.split(".deploy").next().unwrap_or_default();
        let mut timers = defaults();
        timers.extend(overrides(section));
        check(&timers, &format!("samconfig.toml {name}"));
    }
}

/// `("Name", number)` pairs of a Rust table.
fn table(text: &str) -> Timers {
    let pairs = text.split("(\"").skip(1).filter_map(|rest| rest.split_once("\", "));
    let number = |rest: &str| rest.split(')').next().unwrap_or_default().trim().parse().ok();
    pairs
        .filter_map(|(name, rest)| Some((name.to_owned(), number(rest)?)))
        .collect()
}

#[test]
fn local_timers_are_shorter_in_the_same_order() {
    let local = table(&read("infra/stack/src/deploy.rs"));
    let numbers = ["AuthLimitFactor", "BulkConcurrency", "MonthlyBudget", "OperationSlots"];
    let is_timer =
        |name: &str| !name.ends_with("Days") && !name.ends_with("AlarmThreshold") && !numbers.contains(&name);
    for (name, seconds) in defaults().into_iter().filter(|(name, _)| is_timer(name)) {
        let shorter = local.get(&name);
        let shorter = shorter.unwrap_or_else(|| panic!("the local stack does not set {name}"));
        assert!(*shorter < seconds, "{name} is {shorter} locally, {seconds} on AWS");
    }
    check(&local, "infra/stack/src/deploy.rs");
}
