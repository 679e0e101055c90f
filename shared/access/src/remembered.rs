//! A small cache with a maximum size and age. Old values are fetched again, and the oldest is dropped when it is full.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use jiff::{SignedDuration, Timestamp};

/// Values by key, each for the same lifetime.
pub(crate) struct Remembered<K, V> {
    values: HashMap<K, (Timestamp, V)>,
    order: VecDeque<(Timestamp, K)>,
    lifetime: SignedDuration,
    most: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Remembered<K, V> {
    pub(crate) fn new(lifetime: SignedDuration, most: usize) -> Self {
        Self {
            values: HashMap::new(),
            order: VecDeque::new(),
            lifetime,
            most,
        }
    }

    /// The value with the time of its insertion, unless it is too old.
    pub(crate) fn get(&self, key: &K, now: Timestamp) -> Option<(Timestamp, V)> {
        let (since, value) = self.values.get(key)?;
        (now.duration_since(*since) < self.lifetime).then(|| (*since, value.clone()))
    }

    pub(crate) fn put(&mut self, key: K, value: V, now: Timestamp) {
        self.values.insert(key.clone(), (now, value));
        self.order.push_back((now, key));
        // A key that was inserted again is in the order twice; only its last place counts.
        while self.values.len() > self.most || self.order.len() > 2 * self.most {
            let Some((at, oldest)) = self.order.pop_front() else {
                break;
            };
            if self.values.get(&oldest).is_some_and(|(since, _)| *since == at) {
                self.values.remove(&oldest);
            }
        }
    }

    pub(crate) fn forget(&mut self, key: &K) {
        self.values.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn expired_value_is_fetched_again() {
        let mut memory = Remembered::new(SignedDuration::from_secs(60), 10);
        memory.put("a", 1, at(0));
        assert_eq!(memory.get(&"a", at(59)), Some((at(0), 1)));
        assert_eq!(memory.get(&"a", at(60)), None);
        memory.put("a", 2, at(60));
        assert_eq!(memory.get(&"a", at(61)), Some((at(60), 2)));
        memory.forget(&"a");
        assert_eq!(memory.get(&"a", at(61)), None);
    }

    #[test]
    fn oldest_value_is_dropped_when_full() {
        let mut memory = Remembered::new(SignedDuration::from_secs(60), 3);
        for (second, key) in ["a", "b", "c", "a", "d"].into_iter().enumerate() {
            memory.put(key, (), at(i64::try_from(second).unwrap()));
        }
        let kept: Vec<_> = ["a", "b", "c", "d"]
            .into_iter()
            .filter(|key| memory.get(key, at(5)).is_some())
            .collect();
        assert_eq!(kept, ["a", "c", "d"]);
        for second in 5..1000 {
            memory.put("a", (), at(second));
        }
        assert!(memory.order.len() <= 6 && memory.values.len() <= 3);
    }
}
