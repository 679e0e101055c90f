//! Actions of a client within ten seconds, of which there can be too many. The row of a socket counts those that change it, each process
//! all that it hears.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Maximum actions of a socket within ten seconds.
pub const MAX_ACTIONS: u32 = 30;

/// Weight of an action that is told to others, or changes nothing since it was refused: ten of them are as many as [`MAX_ACTIONS`] others.
pub const HEAVY: u32 = 3;

/// Time within which actions are counted.
const SPAN: SignedDuration = SignedDuration::from_secs(10);

/// Number of actions since a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    since: Timestamp,
    actions: u32,
}

impl Pace {
    /// The count after so many actions more. It begins anew once [`SPAN`] has passed.
    #[must_use]
    pub fn count(before: Option<Self>, actions: u32, now: Timestamp) -> Self {
        let current = before.filter(|before| before.is_current(now));
        let Self { since, actions: known } = current.unwrap_or(Self { since: now, actions: 0 });
        let actions = known.saturating_add(actions);
        Self { since, actions }
    }

    /// Whether the actions of the count are recent.
    pub fn is_current(self, now: Timestamp) -> bool {
        now.duration_since(self.since) < SPAN
    }

    /// Whether the client may go on.
    pub const fn is_allowed(self) -> bool {
        self.actions <= MAX_ACTIONS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_thirty_actions_in_ten_seconds_are_too_many() {
        /// Whether all of these actions are allowed. `apart`: milliseconds between two of them.
        fn allowed(actions: u32, weight: u32, apart: i64) -> bool {
            let mut pace = None;
            (0..actions).all(|number| {
                let now = Timestamp::UNIX_EPOCH + SignedDuration::from_millis(apart * i64::from(number));
                let next = Pace::count(pace, weight, now);
                pace = Some(next);
                next.is_allowed()
            })
        }
        for (actions, weight, apart, expected) in [
            (30, 1, 0, true),
            (31, 1, 0, false),
            (10, HEAVY, 0, true),
            (11, HEAVY, 0, false),
            (31, 1, 333, false),
            (1_000, 1, 334, true),
            (1_000, HEAVY, 1_000, true),
            // The clock of another process is behind.
            (31, 1, -100, false),
        ] {
            assert_eq!(
                allowed(actions, weight, apart),
                expected,
                "{actions} of {weight}, {apart} ms apart"
            );
        }
    }
}
