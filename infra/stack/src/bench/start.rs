//! The time from a process's start to its first event, without AWS: the binary gets a Lambda runtime API on loopback that
//! has no events, and requests its first event when it is ready.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::load::Times;
use crate::build::{Builder, Function};
use crate::template::variables;

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
    pub name: String,
    runs: Vec<Once>,
}

impl Starts {
    fn times(&self, of: impl Fn(&Once) -> f64) -> Times {
        Times::new(self.runs.iter().map(of).collect())
    }

    /// Milliseconds to the first event, median.
    pub fn wall_ms(&self) -> f64 {
        self.times(|run| run.wall_ms).percentile(50)
    }

    /// Minimum, the least affected by other load of the machine.
    pub fn quickest_ms(&self) -> f64 {
        self.times(|run| run.wall_ms).percentile(0)
    }

    /// CPU milliseconds to the first event, median.
    pub fn cpu_ms(&self) -> f64 {
        self.times(|run| run.cpu_ms).percentile(50)
    }

    /// MiB at the first event, median.
    pub fn peak_mib(&self) -> f64 {
        self.times(|run| run.peak_kb as f64 / 1024.0).percentile(50)
    }
}

/// The runtime's own part of a function's environment. Values are never used, because no event arrives.
const RUNTIME: [(&str, &str); 9] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "none"),
    ("AWS_SECRET_ACCESS_KEY", "none"),
    ("AWS_SESSION_TOKEN", "none"),
];

/// A binary to start.
#[derive(Debug)]
pub struct Binary {
    pub name: String,
    pub path: PathBuf,
    /// Which function it is to be, if it is several.
    pub argument: Option<String>,
    /// Its own part of the environment, from the template.
    pub variables: BTreeMap<String, String>,
}

impl Binary {
    /// The binaries of functions, with the environments that the expanded template gives them.
    pub fn all(functions: &[Function], builder: &Builder, template: &Value) -> Vec<Self> {
        let binary = |function: &Function| {
            let (path, argument) = builder.binary(function);
            Self {
                name: function.name.clone(),
                path,
                argument: argument.map(str::to_owned),
                variables: variables(template, &function.logical_id),
            }
        };
        functions.iter().map(binary).collect()
    }
}

/// Starts every binary `rounds` times, in turns, so that other load of the machine affects all alike.
pub fn measure(binaries: &[Binary], rounds: usize) -> Result<Vec<Starts>> {
    let mut all: Vec<_> = binaries
        .iter()
        .map(|binary| Starts {
            name: binary.name.clone(),
            runs: Vec::with_capacity(rounds),
        })
        .collect();
    // The first round loads the files into memory and is not counted.
    for round in 0..=rounds {
        for (binary, starts) in binaries.iter().zip(&mut all) {
            let run = measure_once(binary).with_context(|| format!("starting {}", binary.name))?;
            if round > 0 {
                starts.runs.push(run);
            }
        }
    }
    Ok(all)
}

fn measure_once(binary: &Binary) -> Result<Once> {
    let listener = TcpListener::bind("127.0.0.1:0").context("listening")?;
    let address = listener.local_addr().context("asking for the port")?;
    let (asked, asking) = mpsc::channel();
    std::thread::spawn(move || {
        let Ok((stream, _)) = listener.accept() else { return };
        let mut line = String::new();
        if BufReader::new(&stream).read_line(&mut line).is_ok() {
            // The receiver is dropped after a time-out.
            let _ = asked.send((Instant::now(), line, stream));
        }
    });
    let begun = Instant::now();
    let mut child = Command::new(&binary.path)
        .args(&binary.argument)
        .env_clear()
        .envs(RUNTIME)
        .envs(&binary.variables)
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
        .and_then(|(at, line, stream)| {
            let is_next = line.starts_with("GET /2018-06-01/runtime/invocation/next");
            ensure!(is_next, "it requested {}", line.trim_end());
            let (cpu_ms, peak_kb) = read_usage(&child)?;
            drop(stream);
            Ok(Once {
                wall_ms: at.duration_since(begun).as_secs_f64() * 1000.0,
                cpu_ms,
                peak_kb,
            })
        });
    // It may have ended by itself.
    let _ = child.kill();
    child.wait().context("waiting for its end")?;
    outcome
}

/// CPU milliseconds and peak KiB so far.
fn read_usage(child: &Child) -> Result<(f64, u64)> {
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir(process.join("task")).context("listing its threads")? {
        let path = thread.context("listing its threads")?.path().join("schedstat");
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let first = text.split(' ').next().unwrap_or_default();
        nanoseconds += first.parse::<u64>().context("reading a thread's CPU time")?;
    }
    let status = std::fs::read_to_string(process.join("status")).context("reading its status")?;
    let mut lines = status.lines();
    let peak = lines.find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
    let peak = peak.context("its status says how much memory it held")?;
    Ok((nanoseconds as f64 / 1e6, peak.parse().context("reading its memory")?))
}
