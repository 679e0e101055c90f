//! Followers of a tenant: while there are some, its events are kept for them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Minimum time for a tenant to have followers after the latest was noted. Longer than the validity of cursors, so that nobody goes on from
/// one after it.
pub const FOLLOWED_FOR: SignedDuration = SignedDuration::from_mins(121);

/// Minimum time between two notes of followers, so that one who asks every few seconds is not written each time.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(15);

/// The period when a tenant has followers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followers {
    /// Beginning: all events since then are kept.
    pub since: Timestamp,
    /// End, unless one comes again.
    pub until: Timestamp,
}

impl Followers {
    /// Whether events must be kept at this time.
    pub fn are_there(self, now: Timestamp) -> bool {
        now < self.until
    }

    /// The note of one who asks at this time, if one is needed.
    pub fn note_if_needed(known: Option<Self>, now: Timestamp) -> Option<Self> {
        let least = now + FOLLOWED_FOR;
        let until = least + NOTED_EVERY;
        match known.filter(|known| known.are_there(now)) {
            Some(known) if known.until >= least => None,
            Some(known) => Some(Self { until, ..known }),
            None => Some(Self { since: now, until }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn followers_are_noted_now_and_then() {
        let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let after = |minutes| noon + SignedDuration::from_mins(minutes);
        let first = Followers::note_if_needed(None, noon).unwrap();
        assert_eq!((first.since, first.until), (noon, after(136)));
        assert_eq!(Followers::note_if_needed(Some(first), after(15)), None);
        assert!(first.are_there(after(15 + 120)), "two hours after the last one");
        let again = Followers::note_if_needed(Some(first), after(16)).unwrap();
        assert_eq!((again.since, again.until), (noon, after(152)));
        assert!(again.are_there(after(151)) && !again.are_there(after(152)));
        // Nothing was kept in between.
        let anew = Followers::note_if_needed(Some(again), after(152)).unwrap();
        assert_eq!((anew.since, anew.until), (after(152), after(288)));
    }
}
