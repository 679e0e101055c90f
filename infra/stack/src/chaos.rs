//! `chaos`: calls while everything breaks, then quiet, then a look whether the promises held: nothing lost, nothing sent
//! twice, every call with its sentence, every status right.
//!
//! Every webhook comes three times and shuffled; a fifth of the requests to providers goes wrong, time-outs after accepting
//! among them; functions are killed at random, while they call a provider, and at the crash points between their writes; one
//! queue's consumer is away for a while.

mod check;
mod storm;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

use crate::{
    aws::{Aws, LogEvent},
    build,
    business::Town,
    place::Place,
    play::Play,
    report::{seconds, step},
    running::{Options, Running},
    up::interrupted,
};

pub use check::Verdict;

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Calls.
    pub calls: usize,
    /// Over how long they are spread.
    pub storm: Duration,
    /// How long the consumer of `sends` is away in the middle.
    pub outage: Duration,
    /// How long it may take afterwards until nothing is left to do.
    pub calm: Duration,
}

impl Size {
    /// About two minutes, for `cargo stack test`.
    pub const SHORT: Self = Self {
        calls: 300,
        storm: Duration::from_secs(70),
        outage: Duration::from_secs(12),
        calm: Duration::from_secs(300),
    };

    /// What `cargo stack chaos` does.
    pub const LONG: Self = Self {
        calls: 1000,
        storm: Duration::from_secs(300),
        outage: Duration::from_secs(30),
        calm: Duration::from_secs(900),
    };
}

/// A running stack that may be broken.
pub struct Ground<'a> {
    /// From outside.
    pub play: &'a Play,
    /// Businesses of its own.
    pub town: &'a Town,
    /// Its AWS.
    pub aws: &'a Aws,
    /// The checkout.
    pub place: &'a Place,
    /// Its data directory: only processes that run from there are killed.
    pub data: &'a Path,
}

/// A seed that nobody has chosen.
pub fn new_seed() -> Result<u64> {
    u64::from_str_radix(&crate::secrets::random_hex(3)?, 16).context("reading random digits")
}

/// Runs it on a stack of its own; true if all promises held.
pub async fn chaos(options: &Options, size: Size, seed: u64) -> Result<bool> {
    let running = tokio::select! {
        running = Running::start(options) => running?,
        () = interrupted() => bail!("interrupted"),
    };
    let outcome = tokio::select! {
        outcome = Box::pin(on_own_stack(&running, size, seed)) => outcome,
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    running.stop().await?;
    let verdict = outcome?;
    println!("{}", verdict.show());
    Ok(verdict.held())
}

async fn on_own_stack(running: &Running, size: Size, seed: u64) -> Result<Verdict> {
    let play = Play::new(running.endpoints.clone()).await?;
    let town = Town::new(&play, &running.aws, &running.place, &running.place.data).await?;
    let ground = Ground {
        play: &play,
        town: &town,
        aws: &running.aws,
        place: &running.place,
        data: &running.place.data,
    };
    play_out(&ground, size, seed).await
}

/// The storm, the calm after it, and the look at what is left.
pub async fn play_out(ground: &Ground<'_>, size: Size, seed: u64) -> Result<Verdict> {
    eprintln!("· seed {seed}: `--seed {seed}` makes the same choices again");
    let begun = Instant::now();
    ground.crash_points(storm::CRASH_POINTS).await?;
    let what = format!("{} calls in a storm of {}", size.calls, seconds(size.storm));
    let stormed = step(&what, Box::pin(storm::storm(ground, size, seed))).await;
    // Whatever happened, the stack is left whole.
    ground.crash_points("").await?;
    ground.consuming("send_message", true).await?;
    let stormed = stormed?;
    let calm = step(
        "waiting until nothing is left to do",
        check::calm(ground, &stormed, size.calm),
    )
    .await?;
    let mut verdict = step("looking at every call", Box::pin(check::check(ground, &stormed))).await?;
    verdict.took(begun.elapsed(), calm);
    Ok(verdict)
}

impl Ground<'_> {
    fn function(&self, name: &str) -> Result<String> {
        Ok(build::function(&self.place.root, name)?.deployed(&self.play.endpoints.stack))
    }

    /// Sets where functions crash on purpose; empty: nowhere. Warm processes are replaced.
    async fn crash_points(&self, points: &str) -> Result<()> {
        for function in ["process_call", "send_message", "process_provider_event"] {
            let name = self.function(function)?;
            let was = self
                .aws
                .call("lambda", "get_function_configuration", json!({ "FunctionName": name }))
                .await?;
            // The update replaces all variables.
            let mut variables = was["Environment"]["Variables"].clone();
            ensure!(variables.is_object(), "{name} has no variables");
            if points.is_empty() {
                variables.as_object_mut().map(|all| all.remove("CRASH_POINTS"));
            } else {
                variables["CRASH_POINTS"] = points.into();
            }
            let update = json!({ "FunctionName": name, "Environment": { "Variables": variables } });
            self.aws
                .call("lambda", "update_function_configuration", update)
                .await
                .with_context(|| format!("setting crash points of {function}"))?;
        }
        Ok(())
    }

    /// Switches the consumer of a queue off or on.
    async fn consuming(&self, function: &str, on: bool) -> Result<()> {
        let filter = json!({ "FunctionName": self.function(function)? });
        let mappings = self.aws.call("lambda", "list_event_source_mappings", filter).await?;
        for mapping in mappings["EventSourceMappings"].as_array().into_iter().flatten() {
            let change = json!({ "UUID": mapping["UUID"], "Enabled": on });
            self.aws.call("lambda", "update_event_source_mapping", change).await?;
        }
        Ok(())
    }

    /// All functions' log lines since then.
    async fn logs(&self, since: i64) -> Result<Vec<LogEvent>> {
        let groups: Vec<_> = build::functions(&self.place.root)?
            .iter()
            .map(|function| function.log_group(&self.play.endpoints.stack))
            .collect();
        self.aws.logs(&groups, Some(since)).await
    }

    /// Runs the dispatcher now, in addition to its minute.
    async fn dispatch(&self) -> Result<()> {
        let name = self.function("dispatch_due")?;
        let invoke = json!({ "FunctionName": name, "Payload": "{}" });
        self.aws.call("lambda", "invoke", invoke).await.map(drop)
    }
}
