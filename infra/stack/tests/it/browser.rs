//! The deployed console in a browser, as the people of a business use it. No other test takes as long, so its name puts it before nearly all.

use std::io::Write as _;

use anyhow::{Context as _, ensure};
use stack::console;
use stack::tools::Tools;

use crate::stage::on_stage;

/// Its own tests are programs of Node.js: see functions/web/console/tests.
#[test]
fn console_keeps_its_promises_in_a_browser() {
    on_stage(async |stage| {
        let tools = Tools::set_up(&stage.place).await?;
        let mut tests = console::tests(&stage.place, &tools, &stage.play.endpoints, &stage.town).await?;
        let output = tests.output().await.context("starting npm")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let wrong = String::from_utf8_lossy(&output.stderr);
        // The reasons come last in npm's output, but only the beginning of a failed test's output may be shown.
        let (ran, why) = said.split_once("✖ failing tests:").unwrap_or(("", &said));
        let pages = ran
            .lines()
            .filter(|line| !line.starts_with('✔'))
            .collect::<Vec<_>>()
            .join("\n");
        ensure!(
            output.status.success(),
            "npm test: {}\n{why}\n{pages}\n{wrong}",
            output.status
        );
        if let Some(line) = console::skipped_tests_line(&said)? {
            // Not by a macro, whose output Rust shows of failed tests only.
            writeln!(std::io::stdout(), "\n{line}").context("writing to stdout")?;
        }
        Ok(())
    });
}
