//! Progress of `cargo stack`: one line per step, with its time.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Runs a step, printing its name and then its duration.
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

/// A duration such as `12.3 s`.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
