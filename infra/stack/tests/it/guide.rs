//! Runs the commands of the guides unchanged.

use anyhow::{Context as _, Result, ensure};
use stack::place::Place;
use tokio::process::Command;

use crate::stage::{Stage, on_stage};

const FIRST: &str = "docs/first-quarter-of-an-hour.md";
const CONTACTS: &str = "docs/contacts.md";
const CALLS: &str = "docs/calls.md";
const AUTOMATIONS: &str = "docs/automations.md";
const MESSAGES: &str = "docs/messages.md";
const METRICS: &str = "docs/metrics.md";
const ANSWERS: &str = "docs/answers.md";

/// The text of a page.
fn text(place: &Place, page: &str) -> Result<String> {
    let file = place.root.join(page);
    std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
}

/// The blocks to run. Earlier blocks start a stack, which runs already, or say where it is.
fn commands(page: &str) -> Vec<&str> {
    let blocks = page.split("```sh run\n").skip(1);
    blocks
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| block)
        .collect()
}

/// Runs all commands of a page, with these variables and the addresses of the stack. The last line of what they print must
/// contain a text.
async fn works(stage: &Stage, page: &str, variables: &[(&str, &str)], last: &str) -> Result<()> {
    let text = text(&stage.place, page)?;
    let commands = commands(&text);
    ensure!(commands.len() >= 10, "{page} has {} blocks to run", commands.len());
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &commands.join("\n")])
        .env("API", &stage.play.endpoints.api)
        .env("SIMULATORS", &stage.play.endpoints.simulators)
        .env("no_proxy", "127.0.0.1")
        .envs(variables.iter().copied())
        .output()
        .await
        .context("starting bash")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{page}: {}\n{said}\n{complained}",
        output.status
    );
    ensure!(
        said.lines().last().unwrap_or_default().contains(last),
        "{page} does not end with {last}: {said}\n{complained}"
    );
    Ok(())
}

#[test]
fn commands_of_the_first_quarter_of_an_hour_work() {
    on_stage(async |stage| {
        let last = "Corner Bakery: sorry, we missed your call";
        works(stage, FIRST, &[], last).await
    });
}

#[test]
fn commands_of_the_guide_to_contacts_work() {
    on_stage(async |stage| {
        let business = stage.business("Guided").await?;
        let key = [("KEY", business.tenant.api_key.as_str())];
        works(stage, CONTACTS, &key, r#""state":"done""#).await
    });
}

#[test]
fn commands_of_the_guide_to_calls_work() {
    on_stage(async |stage| {
        let business = stage.business("Called").await?;
        let key = [("KEY", business.tenant.api_key.as_str())];
        works(stage, CALLS, &key, r#""code":"follow_up""#).await
    });
}

#[test]
fn commands_of_the_guide_to_automations_work() {
    on_stage(async |stage| {
        let business = stage.business("Automated").await?;
        let key = [("KEY", business.tenant.api_key.as_str())];
        works(stage, AUTOMATIONS, &key, r#""automation":{"name":"New customers""#).await
    });
}

#[test]
fn commands_of_the_guide_to_messages_work() {
    on_stage(async |stage| {
        let business = stage.business("Messaged").await?;
        let key = [("KEY", business.tenant.api_key.as_str())];
        works(stage, MESSAGES, &key, r#""cancelled":"all""#).await
    });
}

#[test]
fn commands_of_the_guide_to_metrics_work() {
    on_stage(async |stage| {
        let business = stage.business("Counted by hours").await?;
        let key = [("KEY", business.tenant.api_key.as_str())];
        works(stage, METRICS, &key, r#""currencies""#).await
    });
}

#[test]
fn commands_of_the_guide_to_answers_work() {
    on_stage(async |stage| {
        let business = stage.business("Answering").await?;
        let key = [("KEY", business.tenant.api_key.as_str())];
        works(stage, ANSWERS, &key, r#""answer":"help""#).await
    });
}

#[test]
fn the_guides_begin_with_where_the_stack_is() -> Result<()> {
    let place = Place::new(None)?;
    for (page, names) in [
        (
            FIRST,
            &["\"api\"", "\"simulators\"", ".stack/endpoints.json", "cargo stack up"][..],
        ),
        (CONTACTS, &["API=", "KEY=", "first-quarter-of-an-hour.md"]),
        (CALLS, &["API=", "SIMULATORS=", "KEY=", "first-quarter-of-an-hour.md"]),
        (AUTOMATIONS, &["API=", "KEY=", "first-quarter-of-an-hour.md"]),
        (MESSAGES, &["API=", "KEY=", "first-quarter-of-an-hour.md"]),
        (METRICS, &["API=", "KEY=", "first-quarter-of-an-hour.md"]),
        (ANSWERS, &["API=", "SIMULATORS=", "KEY=", "first-quarter-of-an-hour.md"]),
    ] {
        let page_text = text(&place, page)?;
        for name in names {
            ensure!(page_text.contains(name), "{page} does not say {name}");
        }
    }
    Ok(())
}
