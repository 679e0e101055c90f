//! `test`: everything from nothing, and the whole test suite against it. This is what CI runs.

use anyhow::{Result, bail};
use tokio::process::Command;

use crate::{
    process::succeeds,
    running::{Options, Running},
    up::interrupted,
};

/// Runs `cargo test --workspace -- ARGS` beside a stack of its own; true if all passed.
///
/// Tests find the emulator in `RINGBACK_TEST_AWS` (each makes its own table) and the deployed stack's `endpoints.json` in
/// `RINGBACK_TEST_STACK`.
pub async fn test(options: &Options, arguments: &[String]) -> Result<bool> {
    let mut running = tokio::select! {
        running = Running::start(options) => running?,
        () = interrupted() => bail!("interrupted"),
    };
    let mut command = Command::new("cargo");
    command
        .current_dir(&running.place.root)
        .args(["test", "--workspace", "--"])
        .args(arguments)
        .env("RINGBACK_TEST_AWS", &running.endpoints.aws_endpoint)
        .env("RINGBACK_TEST_STACK", running.place.endpoints());
    let outcome = tokio::select! {
        passed = succeeds(&mut command, "cargo test") => passed,
        error = running.broken() => Err(error),
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    running.stop().await?;
    outcome
}
