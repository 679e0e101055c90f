//! Things that a process does at most once in a while for each of many subjects.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Maximum number of things that a process remembers.
const MAX_REMEMBERED: usize = 2_000;

/// When something was done last for each thing.
#[derive(Debug)]
pub struct Seldom<K> {
    every: SignedDuration,
    done: Mutex<HashMap<K, Timestamp>>,
}

impl<K: Eq + Hash> Seldom<K> {
    /// At most once in so many minutes, by this process.
    pub fn minutes(minutes: i64) -> Self {
        Self {
            every: SignedDuration::from_mins(minutes),
            done: Mutex::default(),
        }
    }

    /// It was not done for this thing after all.
    pub fn forget(&self, thing: &K) {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).remove(thing);
    }

    /// Whether it is due for this thing. If so, it is not for a while.
    pub fn is_due(&self, thing: K, now: Timestamp) -> bool {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if done.get(&thing).is_some_and(|at| now.duration_since(*at) < self.every) {
            return false;
        }
        if done.len() >= MAX_REMEMBERED {
            done.clear();
        }
        done.insert(thing, now);
        true
    }
}
