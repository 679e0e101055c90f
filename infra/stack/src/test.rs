//! `test`: starts everything from nothing and runs the whole test suite against it. CI runs this.

use anyhow::{Result, bail};

use crate::{
    build,
    canary::{self, Canaries},
    deploy::STACK,
    process::succeeds_seen,
    running::{Options, Running},
    up::interrupted,
};

/// Runs `cargo test --workspace -- ARGS` with its own stack; true if all tests passed.
///
/// Tests find the emulator in `RINGBACK_TEST_AWS` (each creates its own table) and the deployed stack's `endpoints.json` in
/// `RINGBACK_TEST_STACK`.
pub async fn test(options: &Options, arguments: &[String]) -> Result<bool> {
    let mut running = tokio::select! {
        running = Running::start(options) => running?,
        () = interrupted() => bail!("interrupted"),
    };
    // Otherwise, tests would wait for each other to set them up.
    running.tools.contract().await?;
    let mut command = build::tests(&running.place);
    command
        .args(["--no-fail-fast", "--"])
        .args(arguments)
        .env("RINGBACK_TEST_AWS", &running.endpoints.aws_endpoint)
        .env("RINGBACK_TEST_STACK", running.place.endpoints());
    let mut count = Count::default();
    let outcome = tokio::select! {
        passed = succeeds_seen(&mut command, "cargo test", |line| count.add(line)) => passed,
        error = running.broken() => Err(error),
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    let silent = silent(&running).await;
    running.stop().await?;
    println!("tests: {} passed, {} failed", count.passed, count.failed);
    Ok(outcome? && silent?)
}

/// Whether no log line of the whole run contains a secret or a customer's data.
async fn silent(running: &Running) -> Result<bool> {
    let groups: Vec<_> = running
        .functions
        .iter()
        .map(|function| function.log_group(STACK))
        .collect();
    let canaries = Canaries::of(&running.place)?;
    let (lines, wrong) = canary::look(&running.aws, &groups, &canaries).await?;
    for line in &wrong {
        eprintln!("{line}");
    }
    let found = wrong.len();
    println!("log lines: {lines} searched, {found} kinds of secrets or messages found");
    Ok(wrong.is_empty())
}

/// Counts of passed and failed tests, over all of cargo's test binaries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
}

impl Count {
    /// Adds a binary's final line, `test result: ok. 5 passed; 0 failed; …`; other lines are ignored.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let words: Vec<&str> = result.split_whitespace().collect();
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed;" => self.passed += number,
                "failed;" => self.failed += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_results_are_summed() {
        let mut count = Count::default();
        for line in [
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s",
            "test calls::a ... ok",
            "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.00s",
        ] {
            count.add(line);
        }
        assert_eq!(count, Count { passed: 7, failed: 3 });
    }
}
