//! Use of AWS by an invocation: calls by the IAM action they need, consumed capacity, and the time spent waiting for the table.
//!
//! A Lambda process serves one invocation at a time, so the counters belong to the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Usage since the last [`take`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Calls by IAM action, such as `dynamodb:GetItem`; a transaction counts each of its parts. Calls of
    /// providers are listed as well, as `whatsapp.send`.
    pub actions: BTreeMap<&'static str, u64>,
    /// Requests sent to AWS: a transaction or batch is one.
    pub requests: u64,
    /// Consumed read request units.
    pub read_units: f64,
    /// Consumed write request units, indexes included.
    pub write_units: f64,
}

static USAGE: Mutex<Usage> = Mutex::new(Usage {
    actions: BTreeMap::new(),
    requests: 0,
    read_units: 0.0,
    write_units: 0.0,
});

fn with<T>(change: impl FnOnce(&mut Usage) -> T) -> T {
    // A panic of one record cannot corrupt the counters in a way that matters.
    change(&mut USAGE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Counts one request that needs these actions.
pub fn count(actions: &[&'static str]) {
    with(|usage| {
        usage.requests += 1;
        for action in actions {
            *usage.actions.entry(action).or_default() += 1;
        }
    });
}

/// Counts one call of a provider, such as `whatsapp.send`. It is not a request to AWS.
pub fn provider(call: &'static str) {
    with(|usage| *usage.actions.entry(call).or_default() += 1);
}

/// Adds consumed capacity.
pub fn capacity(read_units: f64, write_units: f64) {
    with(|usage| {
        usage.read_units += read_units;
        usage.write_units += write_units;
    });
}

/// Usage since the last call.
pub fn take() -> Usage {
    with(std::mem::take)
}

/// Requests to the table that are not answered yet, and the time during which there was one.
#[derive(Debug)]
struct Waits {
    open: u32,
    since: Option<Instant>,
    over: Duration,
}

impl Waits {
    const NONE: Self = Self {
        open: 0,
        since: None,
        over: Duration::ZERO,
    };

    fn begin(&mut self, now: Instant) {
        self.open += 1;
        self.since.get_or_insert(now);
    }

    fn end(&mut self, now: Instant) {
        self.open -= 1;
        if self.open == 0
            && let Some(since) = self.since.take()
        {
            self.over += now - since;
        }
    }

    fn until(&self, now: Instant) -> Duration {
        self.over + self.since.map(|since| now - since).unwrap_or_default()
    }
}

static WAITS: Mutex<Waits> = Mutex::new(Waits::NONE);

fn waits() -> MutexGuard<'static, Waits> {
    WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request to the table, until its answer is there or nobody waits for it any more.
#[derive(Debug)]
pub(crate) struct Waiting(());

impl Drop for Waiting {
    fn drop(&mut self) {
        waits().end(Instant::now());
    }
}

/// Begins to wait for the table.
pub(crate) fn waiting() -> Waiting {
    waits().begin(Instant::now());
    Waiting(())
}

/// Counts one request to the table that needs this action, and begins to wait for it.
pub(crate) fn asking(action: &'static str) -> Waiting {
    count(&[action]);
    waiting()
}

/// Time that the process has waited for the table so far. Requests at the same time count once.
pub fn time_waited() -> Duration {
    waits().until(Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_at_the_same_time_are_waited_for_once() {
        let began = Instant::now();
        let at = |second| began + Duration::from_secs(second);
        let mut waits = Waits::NONE;
        let sum = |waits: &Waits, second| waits.until(at(second)).as_secs();
        waits.begin(at(1));
        waits.begin(at(2));
        assert_eq!(sum(&waits, 3), 2, "also while they are open");
        waits.end(at(4));
        waits.end(at(6));
        assert_eq!((sum(&waits, 6), sum(&waits, 9)), (5, 5));
        waits.begin(at(10));
        waits.end(at(11));
        assert_eq!(sum(&waits, 20), 6);
    }
}
