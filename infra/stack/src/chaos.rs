//! `chaos`: calls during many faults, then quiet, then a check of the promises: nothing lost, nothing sent twice, a sentence for
//! every call, every status right.
//!
//! Every webhook is delivered three times and shuffled; a fifth of the requests to providers fails, some by a time-out after
//! acceptance; functions are killed at random, while they call a provider, and at the crash points between their writes; one
//! queue's consumer is disabled for a while. Meanwhile software requests messages, each several times with one idempotency key, and their
//! recipients write.
//!
//! Promises that need no machine that fails are proven beside the code: what is counted and reported (`domain/tests/it/counting.rs`,
//! `publish_changes`), that nothing is sent to people who have refused it (`domain/tests/it/consent.rs`, `trials.rs`, `send_message`), merges
//! and their undoing (`domain/tests/it/merging.rs`, `store/tests/it/merges.rs`), erasures that are interrupted (`erase_contact`), files
//! that a provider delivers wrongly (`fetch_media`), and races for a cap (`store/tests/it/caps.rs`).

mod asks;
mod check;
mod shop;
mod storm;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use domain::terms::Phone;
use serde_json::json;

use crate::aws::{Aws, LogEvent};
use crate::build;
use crate::business::Town;
use crate::endpoints::Tenant;
use crate::place::Place;
use crate::play::{Play, Sent};
use crate::report::{seconds, step};
use crate::running::{Options, Running};
use crate::up::on_own_stack;

pub use check::Verdict;

/// Size of a storm.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub calls: usize,
    /// Number of messages that software requests.
    pub asks: usize,
    /// Duration over which they are spread.
    pub storm: Duration,
    /// Time for which the consumer of `sends` is disabled in the middle.
    pub outage: Duration,
    /// Maximum time afterwards until no work is left: more than a queue's longest back-off, a quarter of an hour.
    pub calm: Duration,
}

impl Size {
    /// About 90 seconds, for `cargo stack test`.
    pub const SHORT: Self = Self {
        calls: 60,
        asks: 12,
        storm: Duration::from_secs(30),
        outage: Duration::from_secs(6),
        calm: Duration::from_secs(1200),
    };

    /// Size of `cargo stack chaos`: as much as the emulator works off on two cores within the storm.
    pub const LONG: Self = Self {
        calls: 200,
        asks: 80,
        storm: Duration::from_secs(300),
        outage: Duration::from_secs(30),
        calm: Duration::from_secs(1500),
    };
}

/// A running stack whose functions may be killed.
pub struct Ground<'a> {
    /// The stack as seen from outside.
    pub play: &'a Play,
    /// Businesses for this run only.
    pub town: &'a Town,
    pub aws: &'a Aws,
    /// The checkout, and its data directory: only processes started from there are killed.
    pub place: &'a Place,
}

pub fn new_seed() -> Result<u64> {
    u64::from_str_radix(&crate::secrets::random_hex(3)?, 16).context("reading random digits")
}

/// Runs the storm on its own stack; true if all promises held.
pub async fn chaos(options: &Options, size: Size, seed: u64) -> Result<bool> {
    let work = async |running: &Running| -> Result<Verdict> {
        let Running { aws, place, .. } = running;
        let play = Play::new(running.endpoints.clone()).await?;
        let town = Town::new(&play, aws, place, &place.data).await?;
        let ground = Ground {
            play: &play,
            town: &town,
            aws,
            place,
        };
        Box::pin(play_out(&ground, size, seed)).await
    };
    let verdict = Box::pin(on_own_stack(options, work)).await?;
    println!("{}", verdict.show());
    Ok(verdict.has_held())
}

/// The storm, the quiet after it, and the checks.
pub async fn play_out(ground: &Ground<'_>, size: Size, seed: u64) -> Result<Verdict> {
    eprintln!("· seed {seed}: `--seed {seed}` repeats the same choices");
    let begun = Instant::now();
    ground.crash_points(storm::CRASH_POINTS).await?;
    let what = format!("{} calls in a storm of {}", size.calls, seconds(size.storm));
    let stormed = step(&what, Box::pin(storm::storm(ground, size, seed))).await;
    // The stack is restored, whatever happened.
    ground.crash_points("").await?;
    ground.consuming("send_message", true).await?;
    let stormed = stormed?;
    let calm = step(
        "waiting until no work is left",
        check::calm(ground, &stormed, size.calm),
    )
    .await?;
    let mut verdict = step("checking every call", Box::pin(check::check(ground, &stormed))).await?;
    verdict.took(begun.elapsed(), calm);
    Ok(verdict)
}

impl Ground<'_> {
    fn function(&self, name: &str) -> Result<String> {
        Ok(build::function(&self.place.root, name)?.deployed_name(&self.play.endpoints.stack))
    }

    /// Sets the crash points of the functions; empty for none. Warm processes are replaced.
    async fn crash_points(&self, points: &str) -> Result<()> {
        let functions = ["process_call", "send_message", "process_provider_event"];
        let names = functions.iter().map(|function| self.function(function));
        let names: Vec<String> = names.collect::<Result<_>>()?;
        let set = self.aws.set_variable("CRASH_POINTS", points, &names).await;
        set.context("setting crash points")
    }

    /// Disables or enables the consumer of a queue.
    async fn consuming(&self, function: &str, on: bool) -> Result<()> {
        let function = self.function(function)?;
        self.aws.set_consuming(&function, "", on).await.map(drop)
    }

    /// All functions' log lines since a time.
    async fn logs(&self, since: i64) -> Result<Vec<LogEvent>> {
        let groups = build::log_groups(&build::functions(&self.place.root)?, &self.play.endpoints.stack);
        self.aws.logs(&groups, Some(since)).await
    }

    /// A customer calls. Returns the telephone system's id of the call.
    async fn place_call(&self, tenant: &Tenant, from: &Phone, via: &str, outcome: &str) -> Result<String> {
        let more = json!({ "via": via, "repeat": 3, "shuffle": true, "wait": false });
        let answer = self.play.call(&tenant.id, from, outcome, more).await?;
        Ok(answer["call_id"].as_str().context("a call has an id")?.to_owned())
    }

    /// A tenant's messages that providers have accepted.
    async fn outbox(&self, tenant: &Tenant) -> Result<Vec<Sent>> {
        self.play.get(&format!("/outbox?tenant={}", tenant.id)).await
    }

    /// Runs the dispatcher now, in addition to its schedule.
    async fn dispatch(&self) -> Result<()> {
        let name = self.function("dispatch_due")?;
        let invoke = json!({ "FunctionName": name, "Payload": "{}" });
        self.aws.call("lambda", "invoke", invoke).await.map(drop)
    }
}
