//! What the process itself used, from `/proc` (Lambda's own report says 0 MB under the emulator).

use std::fs;

/// CPU time of all threads in milliseconds, to the nanosecond where the kernel keeps it.
pub(crate) fn cpu_ms() -> f64 {
    let Ok(threads) = fs::read_dir("/proc/self/task") else {
        return 0.0;
    };
    let nanoseconds: u64 = threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok())
        .filter_map(|line| line.split(' ').next()?.parse::<u64>().ok())
        .sum();
    #[expect(
        clippy::cast_precision_loss,
        reason = "a process uses no 2^53 nanoseconds of CPU, 104 days"
    )]
    let milliseconds = nanoseconds as f64 / 1e6;
    milliseconds
}

/// The most memory it ever held, in KiB.
pub(crate) fn peak_memory_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
