//! Child processes: tools that run to completion, and servers that must end with us.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Error, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process_group, setpriority_process};
use tokio::process::{Child, Command};

use crate::place::Place;

/// Priority of what lets other processes go first.
pub const NICE: i32 = 10;

/// Cargo in the checkout.
pub fn cargo(place: &Place, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(&place.root).args(arguments);
    command
}

/// A running tool. Its whole process group is ended if it is dropped early: cargo and sam have children of their own.
struct Tool<'a> {
    child: Child,
    group: Option<Pid>,
    what: &'a str,
}

impl<'a> Tool<'a> {
    fn start(command: &mut Command, what: &'a str) -> Result<Self> {
        let child = start(command.stdin(Stdio::null()).process_group(0), what)?;
        let group = group(&child);
        Ok(Self { child, group, what })
    }

    async fn wait_for_end(mut self) -> Result<ExitStatus> {
        let status = self.child.wait().await;
        let status = status.with_context(|| format!("waiting for {}", self.what))?;
        self.group = None;
        Ok(status)
    }
}

impl Drop for Tool<'_> {
    fn drop(&mut self) {
        signal(self.group, Signal::TERM);
    }
}

fn start(command: &mut Command, what: &str) -> Result<Child> {
    let started = command.spawn();
    started.with_context(|| format!("starting {:?} ({what})", command.as_std().get_program()))
}

/// Sends a command's output to a new file.
fn log_to(command: &mut Command, log: &Path) -> Result<()> {
    let file = File::create(log).with_context(|| format!("creating {}", log.display()))?;
    command.stdout(file.try_clone().context("sharing a log file")?);
    command.stderr(file);
    Ok(())
}

/// An error with the end of a log.
fn with_tail(what: &str, log: &Path) -> Error {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<_> = text.lines().collect();
    let tail = all[all.len().saturating_sub(30)..].join("\n");
    anyhow!("{what}; the last lines of {}:\n{tail}", log.display())
}

/// Runs a tool with its output in a file; the error shows the end of the file.
pub async fn run_logged(command: &mut Command, log: &Path, what: &str) -> Result<()> {
    log_to(command, log)?;
    let status = Tool::start(command, what)?.wait_for_end().await?;
    if status.success() {
        return Ok(());
    }
    Err(with_tail(&format!("{what} failed ({status})"), log))
}

/// Runs a tool with our own output.
pub async fn run_shown(command: &mut Command, what: &str) -> Result<()> {
    if !succeeds(command, what).await? {
        bail!("{what} failed");
    }
    Ok(())
}

/// Runs a tool with our own output; returns whether it succeeded.
pub async fn succeeds(command: &mut Command, what: &str) -> Result<bool> {
    Ok(Tool::start(command, what)?.wait_for_end().await?.success())
}

/// Runs a tool, with its errors among ours, and passes each line of its output to `look`; returns whether it succeeded.
pub async fn succeeds_seen(command: &mut Command, what: &str, mut look: impl FnMut(&str)) -> Result<bool> {
    use tokio::io::AsyncBufReadExt as _;

    let mut tool = Tool::start(command.stdout(Stdio::piped()), what)?;
    let output = tool.child.stdout.take().context("stdout is piped")?;
    let mut lines = tokio::io::BufReader::new(output).split(b'\n');
    while let Some(line) = lines
        .next_segment()
        .await
        .with_context(|| format!("reading what {what} prints"))?
    {
        look(&String::from_utf8_lossy(&line));
    }
    Ok(tool.wait_for_end().await?.success())
}

/// Runs a tool and returns its standard output; its standard error becomes the error.
pub async fn run_captured(command: &mut Command, input: &[u8], what: &str) -> Result<Vec<u8>> {
    use tokio::io::AsyncWriteExt as _;

    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = start(command.stderr(Stdio::piped()).kill_on_drop(true), what)?;
    let mut stdin = child.stdin.take().context("stdin is piped")?;
    let feed = async move {
        // A child that does not read its input closes the pipe; its exit code decides.
        let _ = stdin.write_all(input).await;
        drop(stdin);
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), feed);
    let output = output.with_context(|| format!("waiting for {what}"))?;
    if !output.status.success() {
        bail!("{what}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

/// A child process that serves. It has its own process group, so that Ctrl-C reaches only us and we stop children in order.
/// If it is dropped without [`Server::stop`], it is told to end, too.
#[derive(Debug)]
pub struct Server {
    name: &'static str,
    child: Child,
    log: PathBuf,
    patience: Duration,
}

impl Server {
    /// Starts the child, appending its output to `log`. `patience` is the maximum time for its end.
    pub fn start(name: &'static str, command: &mut Command, log: PathBuf, patience: Duration) -> Result<Self> {
        log_to(command, &log)?;
        let child = start(command.stdin(Stdio::null()).process_group(0), name)?;
        Ok(Self {
            name,
            child,
            log,
            patience,
        })
    }

    /// Waits until `ready` is true. Fails if the child ends or `limit` passes first.
    pub async fn wait_until<F: Future<Output = bool>>(
        &mut self,
        limit: Duration,
        mut ready: impl FnMut() -> F,
    ) -> Result<()> {
        let begun = Instant::now();
        loop {
            if ready().await {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().context("checking a child process")? {
                return Err(self.has_ended(status));
            }
            if begun.elapsed() > limit {
                bail!("{} is not ready after {limit:?}; see {}", self.name, self.log.display());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Resolves when the child ends by itself.
    pub async fn wait_for_end(&mut self) -> Error {
        match self.child.wait().await {
            Ok(status) => self.has_ended(status),
            Err(error) => anyhow!("{}: {error}", self.name),
        }
    }

    fn has_ended(&self, status: ExitStatus) -> Error {
        with_tail(&format!("{} ended ({status})", self.name), &self.log)
    }

    /// Its process, unless it has ended.
    pub fn pid(&self) -> Option<Pid> {
        // It leads its own group.
        group(&self.child)
    }

    /// Lets other processes go first.
    pub fn be_nice(&self) -> Result<()> {
        // Without one, it would be our own priority.
        let pid = self.pid().with_context(|| format!("{} has ended", self.name))?;
        setpriority_process(Some(pid), NICE).with_context(|| format!("setting the priority of {}", self.name))
    }

    /// Tells the child to end, waits, and kills the rest of its group. True if it ended in time.
    pub async fn stop(mut self) -> Result<bool> {
        let group = group(&self.child);
        signal(group, Signal::TERM);
        let ended = tokio::time::timeout(self.patience, self.child.wait()).await.is_ok();
        signal(group, Signal::KILL);
        if !ended {
            self.child.wait().await.context("waiting for a killed child")?;
        }
        Ok(ended)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(group) = group(&self.child) else { return };
        signal(Some(group), Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < self.patience && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(50));
        }
        signal(Some(group), Signal::KILL);
    }
}

/// The process group of a child that leads one.
fn group(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?))
}

fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // It may have ended already.
        let _ = kill_process_group(group, signal);
    }
}

/// Processes whose program is in the folder where MiniStack unpacks this stack's functions, with the function's name.
pub fn running_functions(data: &Path) -> Result<Vec<(Pid, String)>> {
    let unpacked = [data.join("tmp"), data.join("functions")];
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")
        .context("listing processes")?
        .filter_map(Result::ok)
    {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        // Processes may end meanwhile.
        let Ok(program) = std::fs::read_link(entry.path().join("exe")) else {
            continue;
        };
        if !unpacked.iter().any(|folder| program.starts_with(folder)) {
            continue;
        }
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let name = environment
            .split(|byte| *byte == 0)
            .find_map(|variable| variable.strip_prefix(b"AWS_LAMBDA_FUNCTION_NAME="))
            .map_or_else(|| "?".to_owned(), |name| String::from_utf8_lossy(name).into_owned());
        if let Some(pid) = Pid::from_raw(id) {
            found.push((pid, name));
        }
    }
    // The order in /proc is not reproducible.
    found.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(found)
}

/// Ticks of Linux in a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time of a process so far, in ticks.
#[derive(Clone, Copy, Default)]
struct Ticks {
    own: u64,
    kernel: u64,
}

impl Ticks {
    /// Ticks of a process; none if it has ended.
    fn of(pid: Pid) -> Self {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        // After the program's name, which may contain anything: the state and ten numbers, then both values.
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let mut times = rest
            .split_whitespace()
            .skip(11)
            .map_while(|ticks| ticks.parse::<u64>().ok());
        Self {
            own: times.next().unwrap_or_default(),
            kernel: times.next().unwrap_or_default(),
        }
    }

    const fn sum(self) -> u64 {
        self.own + self.kernel
    }
}

/// The kernel's share of the CPU time of these processes so far; `None` if they have used none.
pub fn kernel_share(processes: impl IntoIterator<Item = Pid>) -> Option<f64> {
    let all = processes
        .into_iter()
        .map(Ticks::of)
        .fold(Ticks::default(), |all, ticks| Ticks {
            own: all.own + ticks.own,
            kernel: all.kernel + ticks.kernel,
        });
    (all.sum() > 0).then(|| all.kernel as f64 / all.sum() as f64)
}

/// Seconds of CPU that a process has used so far, in the kernel, too.
pub fn cpu_seconds(pid: Pid) -> f64 {
    Ticks::of(pid).sum() as f64 / TICKS_PER_SECOND
}
