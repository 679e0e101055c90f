//! Resource use of the process, from `/proc`. Lambda's own report says 0 MB under the emulator.

use std::fs;

/// CPU time of all threads in milliseconds. Uses the process's own clock: `/proc` lags by up to a tick of the scheduler for
/// running threads, which is longer than most invocations compute.
pub(crate) fn cpu_ms() -> f64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "a process uses no 2^53 seconds of CPU")]
    let (seconds, nanoseconds) = (used.tv_sec as f64, used.tv_nsec as f64);
    seconds.mul_add(1e3, nanoseconds / 1e6)
}

/// Peak memory in KiB.
pub(crate) fn peak_memory_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
