//! `test`: starts everything from nothing and runs the whole test suite against it. CI runs this. Tests of some packages alone
//! (`selected`) need an emulator at most.
//!
//! Two rows of test programs run side by side, each with its own emulator: the tests of the deployed stack, and all others, which need
//! tables, queues and keys only, two at a time. The others use what the first, which mostly wait for each other, leave of the machine.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use futures::{StreamExt as _, TryStreamExt as _, stream};

pub mod selected;

use crate::build::{self, TestProgram};
use crate::canary::{self, Canaries};
use crate::deploy::STACK;
use crate::iam::{self, Record};
use crate::place::Place;
use crate::process::succeeds_seen;
use crate::report::{seconds, step};
use crate::running::{Options, Running};
use crate::tools::{Tools, remove};
use crate::up::unless_interrupted;
use crate::{console, ministack};

/// How a test's line begins that says how many tests it skipped. Rust's own test programs know no such tests.
pub const SKIPPED: &str = "skipped ";

/// Threads of the tests of the deployed stack, which mostly wait for it.
const THREADS_ON_STAGE: &str = "4";

/// Other test programs that run at the same time: many of them leave a core idle when they begin and end.
const OTHERS_AT_ONCE: usize = 2;

/// Runs all test programs of the workspace with these arguments and its own stack; true if all tests passed.
///
/// Tests find an emulator in `RINGBACK_TEST_AWS` (each creates its own table) and the deployed stack's `endpoints.json` in
/// `RINGBACK_TEST_STACK`. Without arguments, all tests are run, so it also fails if they did not use all of the functions' roles.
pub async fn test(options: &Options, arguments: &[String]) -> Result<bool> {
    unless_interrupted(Box::pin(build_and_run(options, arguments))).await
}

async fn build_and_run(options: &Options, arguments: &[String]) -> Result<bool> {
    let place = Place::new(options.data_dir.as_deref())?;
    let tools = Tools::set_up(&place).await?;
    // Otherwise, tests would wait for each other to set them up.
    tools.contract().await?;
    console::build(&place, &tools).await?;
    let programs = build::test_programs(&place, arguments).await?;
    let (of_stack, others): (Vec<_>, Vec<_>) = programs.into_iter().partition(TestProgram::needs_stage);
    let record = arguments.is_empty().then(|| Record::of(&place));
    let uses = record.as_ref().map(Record::begin).transpose()?;
    let (of_stack, others) = tokio::try_join!(
        Box::pin(on_stage(options, &of_stack, arguments, record.as_ref())),
        Box::pin(without_stage(&place, &tools, &others, arguments, uses)),
    )?;
    let (mut count, silent) = of_stack;
    count.merge(others);
    let roles_are_used = record.is_none() || iam::check(&place, None)?;
    print!("{}", count.show());
    Ok(count.all_passed() && silent && roles_are_used)
}

/// Runs programs with a deployed stack. Returns their results, and whether the stack's logs are free of secrets and denials.
async fn on_stage(
    options: &Options,
    programs: &[TestProgram],
    arguments: &[String],
    record: Option<&Record>,
) -> Result<(Count, bool)> {
    let mut running = Running::start(options).await?;
    let endpoints = running.place.endpoints();
    let all = run_all(programs, arguments, true, |command| {
        command.env("RINGBACK_TEST_STACK", &endpoints);
        if std::env::var_os("RUST_TEST_THREADS").is_none() {
            command.env("RUST_TEST_THREADS", THREADS_ON_STAGE);
        }
    });
    let outcome = tokio::select! {
        outcome = all => outcome,
        error = running.wait_for_failure() => Err(error),
    };
    let silent = silent(&running).await;
    let recorded = match record {
        Some(record) => record.complete(&running).await,
        None => Ok(()),
    };
    running.stop().await?;
    let outcome = outcome?;
    recorded?;
    Ok((outcome, silent?))
}

/// Runs programs with an emulator only. Tests of functions write what these use to the folder of uses.
async fn without_stage(
    place: &Place,
    tools: &Tools,
    programs: &[TestProgram],
    arguments: &[String],
    uses: Option<&PathBuf>,
) -> Result<Count> {
    let data = place.data.join("emulator");
    remove(&data)?;
    let own = Place::new(Some(&data))?;
    let port = ministack::free_port()?;
    let mut emulator = ministack::start(&own, tools, port)?;
    emulator.be_nice()?;
    let ready = ministack::wait_until_ready(&mut emulator, port);
    step("starting an emulator for tests without the stack", ready).await?;
    let url = ministack::endpoint(port);
    let all = run_all(programs, arguments, false, |command| {
        command
            .env("RINGBACK_TEST_AWS", &url)
            .envs(uses.map(|folder| ("RINGBACK_TEST_USES", folder)));
    });
    let outcome = tokio::select! {
        outcome = all => outcome,
        error = emulator.wait_for_end() => Err(error),
    };
    emulator.stop().await?;
    outcome
}

/// Runs programs whether or not they succeed: one after the other if `live`, and shows their output as it comes; otherwise two at a time, and
/// shows it as a whole at the end of each, so that it does not mix with others.
async fn run_all(
    programs: &[TestProgram],
    arguments: &[String],
    live: bool,
    prepare: impl Fn(&mut tokio::process::Command),
) -> Result<Count> {
    let at_once = if live { 1 } else { OTHERS_AT_ONCE };
    let runs = programs.iter().map(|program| {
        let mut command = program.command(!live, arguments);
        prepare(&mut command);
        run(program, command, live)
    });
    let counts = stream::iter(runs).buffer_unordered(at_once);
    counts
        .try_fold(Count::default(), async |mut all, of_program| {
            all.merge(of_program);
            Ok(all)
        })
        .await
}

async fn run(program: &TestProgram, mut command: tokio::process::Command, live: bool) -> Result<Count> {
    let name = format!("{} ({})", program.package, program.target);
    let begun = Instant::now();
    let mut count = Count::default();
    let mut output = String::new();
    if live {
        println!("\nrunning {name}");
    }
    let succeeded = succeeds_seen(&mut command, &name, |line| {
        count.add(line);
        if live {
            println!("{line}");
        } else {
            let _ = writeln!(output, "{line}");
        }
    })
    .await?;
    if !live {
        print!("\nran {name} in {}\n{output}", seconds(begun.elapsed()));
    }
    count.record_end(&name, succeeded);
    Ok(count)
}

/// Whether no log line of the whole run contains a secret, a customer's data or a denial.
async fn silent(running: &Running) -> Result<bool> {
    let groups = build::log_groups(&running.functions, STACK);
    let canaries = Canaries::of(&running.place)?;
    let (lines, wrong) = canary::look(&running.aws, &groups, &canaries).await?;
    for line in &wrong {
        eprintln!("{line}");
    }
    let found = wrong.len();
    println!("log lines: {lines} searched, {found} kinds of secrets, messages or denials found");
    Ok(wrong.is_empty())
}

/// Counts of passed, failed and skipped tests, over all programs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
    /// Tests that lack something on this machine.
    skipped: u64,
    /// Their reasons, once each.
    reasons: BTreeSet<String>,
    /// Failed tests, and programs that ended otherwise than by a result, each with its program.
    failures: Vec<String>,
    /// The first lines of the failed tests' outputs.
    outputs: Vec<String>,
    /// Number of further lines to take of the output that is being read.
    shown: usize,
}

/// Lines of a failed test's output that are repeated at the end, where whoever sees only the end of a long output finds them.
const LINES_OF_A_FAILURE: usize = 12;

/// Characters of such a line.
const CHARACTERS_OF_A_LINE: usize = 1_000;

impl Count {
    /// Adds a line of a program: of the result, `test result: ok. 5 passed; 0 failed; …`, of a failed test, `test calls::a ... FAILED`, or
    /// of what a test skipped, `skipped 5: there is no browser`; other lines are ignored.
    fn add(&mut self, line: &str) {
        if let Some(test) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.failures.push(test.to_owned());
        }
        if line.starts_with("---- ") && line.ends_with(" stdout ----") {
            self.shown = LINES_OF_A_FAILURE;
        } else if line == "failures:" {
            self.shown = 0;
        }
        if self.shown > 0 && !line.is_empty() {
            self.shown -= 1;
            self.outputs.push(line.chars().take(CHARACTERS_OF_A_LINE).collect());
        }
        if let Some((number, why)) = line.strip_prefix(SKIPPED).and_then(|rest| rest.split_once(": "))
            && let Ok(number) = number.parse::<u64>()
        {
            self.skipped += number;
            self.reasons.insert(why.to_owned());
        }
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

    /// Names the program in its failures; it has failed if it did not succeed, whatever it printed.
    fn record_end(&mut self, program: &str, succeeded: bool) {
        if !succeeded && self.failed == 0 {
            self.failed += 1;
            self.failures.push("ended without a result".to_owned());
        }
        for failure in &mut self.failures {
            *failure = format!("{program}: {failure}");
        }
    }

    fn merge(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.reasons.extend(other.reasons);
        self.failures.extend(other.failures);
        self.outputs.extend(other.outputs);
    }

    const fn all_passed(&self) -> bool {
        self.failed == 0
    }

    fn show(&self) -> String {
        let mut lines = self.outputs.clone();
        lines.extend(self.failures.iter().map(|failure| format!("failed: {failure}")));
        lines.extend(self.reasons.iter().map(|why| format!("skipped: {why}")));
        let (passed, failed, skipped) = (self.passed, self.failed, self.skipped);
        lines.push(format!("tests: {passed} passed, {failed} failed, {skipped} skipped\n"));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(lines: &[&str]) -> Count {
        let mut count = Count::default();
        for line in lines {
            count.add(line);
        }
        count
    }

    #[test]
    fn test_results_are_summed() {
        let mut all = count(&[
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s",
            "test calls::a ... ok",
        ]);
        all.record_end("store (it)", true);
        let mut failed = count(&[
            "test calls::b ... FAILED",
            "failures:",
            "",
            "---- calls::b stdout ----",
            "",
            "thread 'calls::b' panicked at calls.rs:5:9:",
            "waited 300 s for a call",
            "failures:",
            "    calls::b",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.00s",
        ]);
        failed.record_end("stack (it)", false);
        all.merge(failed);
        all.merge(count(&[
            "skipped 5: there is no browser",
            "skipped nothing",
            "skipped 2: there is no browser",
        ]));
        assert!(!all.all_passed());
        assert_eq!(
            all.show(),
            "---- calls::b stdout ----\nthread 'calls::b' panicked at calls.rs:5:9:\nwaited 300 s for a call\n\
             failed: stack (it): calls::b\nskipped: there is no browser\ntests: 7 passed, 1 failed, 7 skipped\n"
        );
    }

    #[test]
    fn program_that_is_killed_has_failed() {
        let mut killed = count(&["test calls::a ... ok"]);
        killed.record_end("store (it)", false);
        assert_eq!(
            killed.show(),
            "failed: store (it): ended without a result\ntests: 0 passed, 1 failed, 0 skipped\n"
        );
        assert!(!killed.all_passed());
    }
}
