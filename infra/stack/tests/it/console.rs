//! The deployed console in a browser, as the people of a business use it.

use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};
use stack::{console, test::SKIPPED, tools::Tools};

use crate::stage::on_stage;

/// Its own tests are programs of Node.js: see functions/web/console/tests.
#[test]
fn console_keeps_its_promises_in_a_browser() {
    on_stage(async |stage| {
        let tools = Tools::set_up(&stage.place).await?;
        let url = &stage.play.endpoints.api;
        let mut tests = console::tests(&stage.place, &tools, url, &stage.town).await?;
        let output = tests.output().await.context("starting npm")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let wrong = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "npm test: {}\n{said}{wrong}", output.status);
        relay_skipped(&said)
    });
}

/// Says how many tests were skipped, and why, on a line that `cargo stack test` looks for: it does not go through Rust's macros, whose
/// output is shown of failed tests only.
fn relay_skipped(said: &str) -> Result<()> {
    let number = said
        .lines()
        .find_map(|line| line.strip_prefix("ℹ skipped ")?.parse::<u64>().ok());
    let number = number.with_context(|| format!("npm test ends without its numbers:\n{said}"))?;
    let mut skipped = said.lines().filter(|line| line.trim_start().starts_with('﹣'));
    if number > 0 {
        let why = skipped.find_map(|line| Some(line.split_once(" # ")?.1));
        let why = why.with_context(|| format!("npm test does not say why it skipped tests:\n{said}"))?;
        writeln!(std::io::stdout(), "\n{SKIPPED}{number}: {why}").context("writing to stdout")?;
    }
    Ok(())
}
