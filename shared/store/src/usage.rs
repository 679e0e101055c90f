//! Use of AWS by an invocation: calls by the IAM action they need, and consumed capacity.
//!
//! A Lambda process serves one invocation at a time, so the counters belong to the process.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Usage since the last [`take`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Calls by IAM action, such as `dynamodb:GetItem`; a transaction counts once per action it contains. Calls of
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
#[must_use]
pub fn take() -> Usage {
    with(std::mem::take)
}
