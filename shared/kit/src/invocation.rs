//! Log of an invocation and its resource use, as one wide JSON line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde::Serialize;
use store::table::usage::{self, Usage};

use crate::{Env, line, metric, process};

static WARM: AtomicBool = AtomicBool::new(false);

/// Outcome of an invocation. One that dies or times out reports nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything was done.
    Done,
    /// The caller was refused for a reason on their side.
    Refused,
    /// Records of a queue or stream are to be delivered again.
    Failed,
    /// Nothing was done because of an error on our side.
    Error,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Error => "error",
        }
    }

    const fn is_ours_to_mend(self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }
}

pub(crate) struct Invocation {
    function: &'static str,
    started: Instant,
    cpu_before: f64,
    cold: bool,
}

#[derive(Serialize)]
struct Wide<'a> {
    timestamp: jiff::Timestamp,
    level: &'a str,
    message: &'a str,
    function: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_ids: Option<&'a BTreeSet<String>>,
    outcome: &'a str,
    duration_ms: f64,
    cpu_ms: f64,
    memory_kb: u64,
    cold_start: bool,
    /// CPU time from the process's start to its first invocation.
    #[serde(skip_serializing_if = "Option::is_none")]
    init_cpu_ms: Option<f64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    aws: BTreeMap<&'a str, u64>,
    #[serde(skip_serializing_if = "is_zero")]
    aws_requests: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<Capacity>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    providers: BTreeMap<&'a str, u64>,
    #[serde(flatten)]
    counts: &'a BTreeMap<&'static str, u64>,
    #[serde(flatten)]
    notes: &'a BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Capacity {
    read: f64,
    write: f64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's skip_serializing_if passes a reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn thousandths(milliseconds: f64) -> f64 {
    (milliseconds * 1000.0).round() / 1000.0
}

impl Invocation {
    pub(crate) fn begin(env: &Env) -> Self {
        let _ = (usage::take(), line::take());
        Self {
            function: env.function(),
            started: Instant::now(),
            cpu_before: process::cpu_ms(),
            cold: !WARM.swap(true, Ordering::Relaxed),
        }
    }

    /// Writes the line and the counted metrics.
    pub(crate) fn finish(self, env: &Env, outcome: Outcome) {
        let cpu_ms = thousandths(process::cpu_ms() - self.cpu_before);
        let Usage {
            actions,
            requests,
            read_units,
            write_units,
        } = usage::take();
        // IAM actions look like `sqs:SendMessage`, provider calls like `whatsapp.send`.
        let (aws, providers) = actions.into_iter().partition(|(action, _)| action.contains(':'));
        let line = line::take();
        let wide = Wide {
            timestamp: env.clock().now(),
            level: if outcome == Outcome::Error { "error" } else { "info" },
            message: "invocation",
            function: self.function,
            tenant: line.tenant(),
            correlation_id: line.correlation_id(),
            correlation_ids: line.correlation_ids(),
            outcome: outcome.as_str(),
            duration_ms: thousandths(self.started.elapsed().as_secs_f64() * 1000.0),
            cpu_ms,
            memory_kb: process::peak_memory_kb(),
            cold_start: self.cold,
            init_cpu_ms: self.cold.then_some(thousandths(self.cpu_before)),
            aws,
            aws_requests: requests,
            capacity: (read_units > 0.0 || write_units > 0.0).then_some(Capacity {
                read: read_units,
                write: write_units,
            }),
            providers,
            counts: &line.counts,
            notes: &line.notes,
        };
        if let Ok(json) = serde_json::to_string(&wide) {
            println!("{json}");
        }
        if outcome.is_ours_to_mend() {
            metric::count("invocation_failed", &[("function", self.function)]);
        }
        metric::flush(env);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_errors_are_counted_as_failed() {
        let all = [Outcome::Done, Outcome::Refused, Outcome::Failed, Outcome::Error];
        let counted = all.map(|outcome| (outcome.as_str(), outcome.is_ours_to_mend()));
        let wanted = [("done", false), ("refused", false), ("failed", true), ("error", true)];
        assert_eq!(counted, wanted);
    }
}
