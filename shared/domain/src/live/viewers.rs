//! Viewers of a tenant: while there are some, its events are kept for them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Time for which a tenant has viewers after the latest was noted.
pub const VIEWED_FOR: SignedDuration = SignedDuration::from_hours(2);

/// Minimum time between two notes of viewers, so that one who asks every few seconds is not written each time.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(15);

/// The time in which a tenant has viewers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewers {
    /// Beginning: all events since then are kept.
    pub since: Timestamp,
    /// End, unless one comes again.
    pub until: Timestamp,
}

impl Viewers {
    /// Whether events must be kept at this time.
    pub fn are_there(self, now: Timestamp) -> bool {
        now < self.until
    }

    /// What must be noted of one who looks at this time, if anything.
    pub fn noted(known: Option<Self>, now: Timestamp) -> Option<Self> {
        let until = now + VIEWED_FOR;
        match known.filter(|known| known.are_there(now)) {
            Some(known) if until.duration_since(known.until) < NOTED_EVERY => None,
            Some(known) => Some(Self { until, ..known }),
            None => Some(Self { since: now, until }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_are_noted_now_and_then() {
        let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let after = |minutes| noon + SignedDuration::from_mins(minutes);
        let first = Viewers::noted(None, noon).unwrap();
        assert_eq!((first.since, first.until), (noon, after(120)));
        assert_eq!(Viewers::noted(Some(first), after(14)), None);
        let again = Viewers::noted(Some(first), after(15)).unwrap();
        assert_eq!((again.since, again.until), (noon, after(135)));
        assert!(again.are_there(after(134)) && !again.are_there(after(135)));
        // Nothing was kept in between.
        let anew = Viewers::noted(Some(again), after(135)).unwrap();
        assert_eq!((anew.since, anew.until), (after(135), after(255)));
    }
}
