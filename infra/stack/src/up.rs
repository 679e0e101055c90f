//! `up` and `down`: a stack that keeps running.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use domain::accounts::Role;
use rustix::process::{Pid, Signal, kill_process};

use crate::place::Place;
use crate::running::{Options, Running, owner};

/// Starts a stack and keeps it running until Ctrl-C, `cargo stack down` or the end of a child process.
pub async fn up(options: &Options) -> Result<()> {
    let mut running = unless_interrupted(Box::pin(Running::start(options))).await?;
    println!("{}", summary(&running));
    let outcome = tokio::select! {
        () = wait_for_interrupt() => Ok(()),
        error = running.wait_for_failure() => Err(error),
    };
    eprintln!("· stopping");
    running.stop().await?;
    outcome
}

fn summary(running: &Running) -> String {
    let endpoints = &running.endpoints;
    let mut text = format!(
        "\nRingback is running.\n  console    {}\n  API        {}\n  phones     {}\n  AWS        {} (any credentials, {})\n  details    {}\n",
        endpoints.console(),
        endpoints.api,
        endpoints.simulators,
        endpoints.aws_endpoint,
        endpoints.region,
        running.place.endpoints().display(),
    );
    for tenant in &endpoints.tenants {
        text += &format!("  tenant     {} ({})\n", tenant.name, tenant.id);
        let logins = Role::ALL.map(|role| tenant.users.of(role).email.as_str());
        text += &format!("  log-ins    {}\n", logins.join(", "));
    }
    // All local users have the same.
    text += &format!("  password   {}\n", endpoints.platform_admin.password);
    text + "Ctrl-C or `cargo stack down` stops the stack and keeps its data."
}

/// Resolves at Ctrl-C or SIGTERM.
pub async fn wait_for_interrupt() {
    use tokio::signal::unix::{SignalKind, signal};

    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

/// The result of some work, unless Ctrl-C or SIGTERM comes first.
pub async fn unless_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        outcome = work => outcome,
        () = wait_for_interrupt() => bail!("interrupted"),
    }
}

/// Starts a stack, works on it, and stops it, whatever happened.
pub async fn on_own_stack<T>(options: &Options, work: impl AsyncFnOnce(&Running) -> Result<T>) -> Result<T> {
    let running = unless_interrupted(Box::pin(Running::start(options))).await?;
    let outcome = unless_interrupted(Box::pin(work(&running))).await;
    running.stop().await?;
    outcome
}

/// Stops the stack of this data directory.
pub async fn down(place: &Place) -> Result<()> {
    let Some(pid) = owner(place) else {
        println!("No stack is running in {}.", place.data.display());
        return Ok(());
    };
    let process = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .context("the lock names a process")?;
    kill_process(process, Signal::TERM).with_context(|| format!("stopping process {pid}"))?;
    let begun = Instant::now();
    while owner(place).is_some() {
        if begun.elapsed() > Duration::from_secs(60) {
            bail!("process {pid} did not end in time");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("Stopped.");
    Ok(())
}
