//! The time from a process's start to its first event, without AWS: the binary gets a Lambda runtime API on loopback that
//! has no events, and requests its first event when it is ready.

use std::{
    io::Read as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

/// One start.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Once {
    /// From just before the process is created to its request for an event.
    wall_ms: f64,
    /// CPU time until then.
    cpu_ms: f64,
    /// Peak memory until then.
    peak_kb: u64,
}

/// Many starts of one binary.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Starts {
    /// The function.
    pub name: String,
    runs: Vec<Once>,
}

impl Starts {
    fn sorted(&self, of: impl Fn(&Once) -> f64) -> Vec<f64> {
        let mut values: Vec<_> = self.runs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    /// Milliseconds to the first event, median.
    pub fn wall_ms(&self) -> f64 {
        super::percentile(&self.sorted(|run| run.wall_ms), 50)
    }

    /// Minimum, the least affected by other load of the machine.
    pub fn quickest_ms(&self) -> f64 {
        super::percentile(&self.sorted(|run| run.wall_ms), 0)
    }

    /// CPU milliseconds to the first event, median.
    pub fn cpu_ms(&self) -> f64 {
        super::percentile(&self.sorted(|run| run.cpu_ms), 50)
    }

    /// MiB at the first event, median.
    pub fn peak_mib(&self) -> f64 {
        super::percentile(&self.sorted(|run| run.peak_kb as f64 / 1024.0), 50)
    }
}

/// The environment of every function. Values are never used, because no event arrives.
const VARIABLES: [(&str, &str); 47] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "none"),
    ("AWS_SECRET_ACCESS_KEY", "none"),
    ("AWS_SESSION_TOKEN", "none"),
    ("STAGE", "prod"),
    ("LOG_LEVEL", "info"),
    ("TABLE_NAME", "table"),
    ("CALLS_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/calls"),
    (
        "PROVIDER_EVENTS_QUEUE_URL",
        "https://sqs.us-east-1.amazonaws.com/1/events",
    ),
    ("DEAD_LETTERS_URL", "https://sqs.us-east-1.amazonaws.com/1/dead"),
    ("SENDS_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/sends"),
    ("BULK_SENDS_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/bulk"),
    (
        "BULK_DEAD_LETTERS_URL",
        "https://sqs.us-east-1.amazonaws.com/1/bulk-dead",
    ),
    ("MAILS_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/mails"),
    ("RAW_BUCKET", "bucket"),
    ("KMS_VERIFY_KEY_ID", "verify"),
    ("KMS_SEND_KEY_ID", "send"),
    ("META_APP_SECRET_ID", "meta"),
    ("AUTH_SECRET_ID", "auth"),
    ("AUTH_LIMIT_FACTOR", "1"),
    ("MAIL_SECRET_ID", "mails"),
    ("SESSION_DAYS", "30"),
    ("VIEWER_ADDRESS_HEADER", ""),
    ("ORIGIN_SECRET_SHA256", ""),
    ("TENANT_GRACE_SECONDS", "2592000"),
    ("PUBLIC_BASE_URL", "https://api.example.com"),
    ("GRAPH_API_URL", "https://graph.facebook.com"),
    ("GRAPH_API_VERSION", "v26.0"),
    ("TWILIO_API_URL", "https://api.twilio.com"),
    ("AIRCALL_API_URL", "https://api.aircall.io"),
    ("VONAGE_API_URL", "https://rest.nexmo.com"),
    ("EXOTEL_API_URL", "https://api.exotel.com"),
    ("EXOTEL_INDIA_API_URL", "https://api.in.exotel.com"),
    ("PLIVO_API_URL", "https://api.plivo.com"),
    ("MAIL_FROM", "ringback@example.com"),
    ("APP_URL", "https://app.example.com"),
    ("PROVIDER_TIMEOUT", "10"),
    ("CLAIM_SECONDS", "60"),
    ("FIRST_DUE_SECONDS", "90"),
    ("UNKNOWN_DEADLINE_SECONDS", "600"),
    ("DECIDE_CALL_SECONDS", "60"),
    ("RECHECK_SECONDS", "60"),
];

/// Starts every binary `rounds` times, in turns, so that other load of the machine affects all alike.
pub fn measure(binaries: &[(String, PathBuf)], rounds: usize) -> Result<Vec<Starts>> {
    let mut all: Vec<_> = binaries
        .iter()
        .map(|(name, _)| Starts {
            name: name.clone(),
            runs: Vec::with_capacity(rounds),
        })
        .collect();
    // The first round loads the files into memory and is not counted.
    for round in 0..=rounds {
        for ((name, binary), starts) in binaries.iter().zip(&mut all) {
            let run = once(binary).with_context(|| format!("starting {name}"))?;
            if round > 0 {
                starts.runs.push(run);
            }
        }
    }
    Ok(all)
}

fn once(binary: &Path) -> Result<Once> {
    let listener = TcpListener::bind("127.0.0.1:0").context("listening")?;
    let address = listener.local_addr().context("asking for the port")?;
    let (asked, asking) = mpsc::channel();
    std::thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let mut request = Vec::new();
        let mut bytes = [0; 1024];
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut bytes) {
                Ok(read @ 1..) => request.extend_from_slice(&bytes[..read]),
                _ => return,
            }
        }
        // The receiver is dropped after a time-out.
        let _ = asked.send((Instant::now(), request, stream));
    });
    let begun = Instant::now();
    let mut child = Command::new(binary)
        .env_clear()
        .envs(VARIABLES)
        .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("starting the process")?;
    // The stream stays open until the process ends, while it waits for its event.
    let outcome = asking
        .recv_timeout(Duration::from_secs(20))
        .context("it never requested an event")
        .and_then(|(at, request, stream)| {
            if !request.starts_with(b"GET /2018-06-01/runtime/invocation/next") {
                bail!(
                    "it requested {}",
                    String::from_utf8_lossy(&request[..request.len().min(80)])
                );
            }
            let run = used(&child).map(|(cpu_ms, peak_kb)| Once {
                wall_ms: at.duration_since(begun).as_secs_f64() * 1000.0,
                cpu_ms,
                peak_kb,
            });
            drop(stream);
            run
        });
    // It may have ended by itself.
    let _ = child.kill();
    child.wait().context("waiting for its end")?;
    outcome
}

/// CPU milliseconds and peak KiB so far.
fn used(child: &Child) -> Result<(f64, u64)> {
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir(process.join("task")).context("listing its threads")? {
        let path = thread.context("listing its threads")?.path().join("schedstat");
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let first = text.split(' ').next().unwrap_or_default();
        nanoseconds += first.parse::<u64>().context("reading a thread's CPU time")?;
    }
    let status = std::fs::read_to_string(process.join("status")).context("reading its status")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next())
        .context("its status says how much memory it held")?;
    Ok((nanoseconds as f64 / 1e6, peak.parse().context("reading its memory")?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn functions_start_with_all_that_the_template_gives_them() {
        // Only in the local stage.
        const LOCAL: [&str; 2] = ["CRASH_POINTS", "SES_ENDPOINT_URL"];
        let template = include_str!("../../../../template.yaml");
        let names = template.lines().filter_map(|line| line.trim().split_once(':'));
        let names = names.map(|(name, _)| name).filter(|name| {
            let upper = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
            name.contains('_') && name.chars().all(upper)
        });
        let given: BTreeSet<_> = names.filter(|name| !LOCAL.contains(name)).collect();
        let known: BTreeSet<_> = VARIABLES.iter().map(|(name, _)| *name).collect();
        assert!(given.contains("TABLE_NAME"));
        assert_eq!(given.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new());
    }
}
