//! A drip of three days on the console's pages. Its stack is its own, since its time moves.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use stack::business::Town;
use stack::console;
use stack::play::Play;
use stack::running::{Options, Running};

use crate::stage::on_stage;

#[test]
fn drip_of_three_days_is_on_its_pages_as_in_the_outbox() {
    on_stage(async |_| {
        let running = Box::pin(Running::start(&Options::throwaway("days")?)).await?;
        let data = running.place.data.clone();
        let outcome = tokio::select! {
            outcome = Box::pin(visit(&running)) => outcome,
            Err(error) = dispatch_for_ever(&running) => Err(error),
        };
        running.stop().await?;
        outcome?;
        std::fs::remove_dir_all(&data).with_context(|| format!("removing {}", data.display()))
    });
}

/// Queues steps every few seconds, in addition to the schedule.
async fn dispatch_for_ever(running: &Running) -> Result<()> {
    loop {
        tokio::time::sleep(Duration::from_secs(4)).await;
        // While the time moves, functions are not there for a moment.
        let _ = running.invoke("dispatch_drips", &json!({})).await;
    }
}

async fn visit(running: &Running) -> Result<()> {
    let place = &running.place;
    let play = Play::new(running.endpoints.clone()).await?;
    let town = Town::new(&play, &running.aws, place, &place.data).await?;
    let clock = json!([env!("CARGO_BIN_EXE_stack"), "clock", "--data-dir", place.data]);
    let mut days = console::days(place, &running.tools, &running.endpoints, &town).await?;
    let output = days
        .env("RINGBACK_CLOCK", clock.to_string())
        .output()
        .await
        .context("starting npm")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "npm run days: {}\n{said}\n{wrong}",
        output.status
    );
    if let Some(line) = console::skipped_tests_line(&said)? {
        // Not by a macro, whose output Rust shows of failed tests only.
        writeln!(std::io::stdout(), "\n{line}").context("writing to stdout")?;
    }
    Ok(())
}
