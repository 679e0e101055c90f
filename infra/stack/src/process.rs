//! Child processes: tools that run to completion, and servers that must end with us.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group, setpriority_process};
use tokio::process::{Child, Command};

/// Priority of what lets other processes go first.
pub const NICE: i32 = 10;

/// Ends a tool's whole process group if it is dropped early: cargo and sam have children of their own.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(group(child))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        signal(self.0, Signal::TERM);
    }
}

async fn to_its_end(command: &mut Command, what: &str) -> Result<std::process::ExitStatus> {
    let mut child = command
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .with_context(|| format!("starting {:?} ({what})", command.as_std().get_program()))?;
    let mut group = Group::of(&child);
    let status = child.wait().await.with_context(|| format!("waiting for {what}"))?;
    group.0 = None;
    Ok(status)
}

/// Runs a tool with its output in a file; the error shows the end of the file.
pub async fn run_logged(command: &mut Command, log: &Path, what: &str) -> Result<()> {
    let file = File::create(log).with_context(|| format!("creating {}", log.display()))?;
    command
        .stdout(file.try_clone().context("sharing a log file")?)
        .stderr(file);
    let status = to_its_end(command, what).await?;
    if status.success() {
        return Ok(());
    }
    bail!(
        "{what} failed ({status}); the last lines of {}:\n{}",
        log.display(),
        tail(log, 30)
    );
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
    Ok(to_its_end(command, what).await?.success())
}

/// Runs a tool, with its errors among ours, and passes each line of its output to `look`; returns whether it succeeded.
pub async fn succeeds_seen(command: &mut Command, what: &str, mut look: impl FnMut(&str)) -> Result<bool> {
    use tokio::io::AsyncBufReadExt as _;

    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("starting {:?} ({what})", command.as_std().get_program()))?;
    let mut group = Group::of(&child);
    let output = child.stdout.take().context("stdout is piped")?;
    let mut lines = tokio::io::BufReader::new(output).split(b'\n');
    while let Some(line) = lines
        .next_segment()
        .await
        .with_context(|| format!("reading what {what} prints"))?
    {
        look(&String::from_utf8_lossy(&line));
    }
    let status = child.wait().await.with_context(|| format!("waiting for {what}"))?;
    group.0 = None;
    Ok(status.success())
}

/// Runs a tool and returns its standard output; its standard error becomes the error.
pub async fn run_captured(command: &mut Command, input: &[u8], what: &str) -> Result<Vec<u8>> {
    use tokio::io::AsyncWriteExt as _;

    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting {:?} ({what})", command.as_std().get_program()))?;
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

fn tail(log: &Path, lines: usize) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
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
        let file = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().context("sharing a log file")?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {name}"))?;
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
                bail!(
                    "{} ended ({status}); the last lines of {}:\n{}",
                    self.name,
                    self.log.display(),
                    tail(&self.log, 30)
                );
            }
            if begun.elapsed() > limit {
                bail!("{} is not ready after {limit:?}; see {}", self.name, self.log.display());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Resolves when the child ends by itself.
    pub async fn ended(&mut self) -> anyhow::Error {
        match self.child.wait().await {
            Ok(status) => {
                anyhow::anyhow!(
                    "{} ended ({status}); the last lines of {}:\n{}",
                    self.name,
                    self.log.display(),
                    tail(&self.log, 30)
                )
            }
            Err(error) => anyhow::anyhow!("{}: {error}", self.name),
        }
    }

    /// Lets other processes go first.
    pub fn be_nice(&self) -> Result<()> {
        // Its group has its own id. Without one, it would be our own priority.
        let pid = group(&self.child).with_context(|| format!("{} has ended", self.name))?;
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

/// The kernel's share of the CPU time of these processes so far; `None` if they have used none.
pub fn kernel_share(processes: impl IntoIterator<Item = Pid>) -> Option<f64> {
    let (mut own, mut kernel) = (0_u64, 0_u64);
    for pid in processes {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        // After the program's name, which may contain anything: the state and ten numbers, then both values in ticks.
        let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let mut times = rest
            .split_whitespace()
            .skip(11)
            .map_while(|ticks| ticks.parse::<u64>().ok());
        own += times.next().unwrap_or_default();
        kernel += times.next().unwrap_or_default();
    }
    (own + kernel > 0).then(|| kernel as f64 / (own + kernel) as f64)
}
