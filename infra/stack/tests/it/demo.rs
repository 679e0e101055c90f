//! The demo, from an empty data directory, beside the stack of the tests: two stacks of one checkout run side by side.

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::stage::{Stage, on_stage};

/// The expected output, in this order.
const SCENES: [&str; 14] = [
    "A dry run: what would a missed call get?",
    "matches, and decides",
    "the dry run is complete; no message is sent",
    "A missed call is answered by WhatsApp",
    "The customer replies",
    "A caller who is not on WhatsApp gets the SMS",
    "the cooldown holds",
    "A day later, the cooldown is over",
    "STOP, and a later call stays silent",
    "A drip: three messages, a day apart",
    "the drip is completed",
    "A forged webhook is refused",
    "AWS usage at list prices",
    "per 1,000 follow-ups",
];

async fn answers(stage: &Stage) -> Result<()> {
    let path = "/api/v1/health?deep=true";
    let status = stage.play.request("GET", path, &[], "").await?.status;
    ensure!(status == 200, "the stack of the tests answers {status}");
    Ok(())
}

#[test]
fn a_second_stack_plays_the_demo_beside_the_first() {
    on_stage(async |stage| {
        answers(stage).await?;
        let data = stage.place.dot.join("beside");
        // Left by an interrupted run.
        if data.exists() {
            std::fs::remove_dir_all(&data).with_context(|| format!("removing {}", data.display()))?;
        }
        let output = Command::new(env!("CARGO_BIN_EXE_stack"))
            .args(["demo", "--data-dir"])
            .arg(&data)
            .current_dir(&stage.place.root)
            .env_remove("RINGBACK_TEST_STACK")
            .kill_on_drop(true)
            .output()
            .await
            .context("starting the demo")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}\n{said}\n{complained}", output.status);
        let mut rest: &str = &said;
        for scene in SCENES {
            let shown = rest.split_once(scene);
            (_, rest) = shown.with_context(|| format!("the demo does not show {scene:?}:\n{said}"))?;
        }
        answers(stage).await?;
        std::fs::remove_dir_all(&data).with_context(|| format!("removing {}", data.display()))
    });
}
