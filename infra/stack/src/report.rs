//! What `cargo stack` says while it works: one line per step, with its time.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use anyhow::Result;

/// Runs a step, announcing it and saying how long it took.
pub async fn step<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    eprintln!("· {what}");
    let begun = Instant::now();
    let result = work.await;
    let took = seconds(begun.elapsed());
    match &result {
        Ok(_) => eprintln!("✓ {what} ({took})"),
        Err(_) => eprintln!("✗ {what} ({took})"),
    }
    result
}

/// `12.3 s`.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
