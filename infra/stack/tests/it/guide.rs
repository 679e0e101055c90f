//! Runs the commands of the page for beginners unchanged.

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::stage::on_stage;

const PAGE: &str = "docs/first-quarter-of-an-hour.md";

/// The blocks to run. Earlier blocks start a stack, which runs already.
fn commands(page: &str) -> Vec<&str> {
    let blocks = page.split("```sh run\n").skip(1);
    blocks
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| block)
        .collect()
}

#[test]
fn commands_of_the_first_quarter_of_an_hour_work() {
    on_stage(async |stage| {
        let file = stage.place.root.join(PAGE);
        let page = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let commands = commands(&page);
        ensure!(commands.len() >= 10, "{PAGE} has {} blocks to run", commands.len());
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &commands.join("\n")])
            .env("API", &stage.play.endpoints.api)
            .env("SIMULATORS", &stage.play.endpoints.simulators)
            .env("no_proxy", "127.0.0.1")
            .output()
            .await
            .context("starting bash")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}\n{said}\n{complained}", output.status);
        let last = said.lines().last().unwrap_or_default();
        ensure!(
            last.contains("Corner Bakery: sorry, we missed your call"),
            "the message was not seen: {said}\n{complained}"
        );
        Ok(())
    });
}

#[test]
fn the_guide_begins_with_where_the_stack_is() -> Result<()> {
    let file = stack::place::Place::new(None)?.root.join(PAGE);
    let page = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    for name in ["\"api\"", "\"simulators\"", ".stack/endpoints.json", "cargo stack up"] {
        ensure!(page.contains(name), "{PAGE} does not say {name}");
    }
    Ok(())
}
