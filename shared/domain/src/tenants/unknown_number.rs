//! Numbers that customers called, but that the reporting connection does not have.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::terms::{ConnectionId, Phone};

/// Maximum numbers that are noted of a connection.
pub const MAX_UNKNOWN_NUMBERS: usize = 5;

/// A number is noted for this time after a call.
pub const NOTED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// A further call is noted after this time: not every call must cost a write.
const NOTED_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// A called number that its connection does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownNumber {
    pub number: Phone,
    /// Time of a call to it, at most an hour before the last one.
    pub at: Timestamp,
}

/// The called numbers that a connection does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownNumbers {
    /// The connection, which reports the calls.
    pub connection: ConnectionId,
    /// The numbers, the last one noted last.
    pub numbers: Vec<UnknownNumber>,
}

impl UnknownNumbers {
    /// No number of this connection.
    pub const fn new_empty(connection: ConnectionId) -> Self {
        Self {
            connection,
            numbers: Vec::new(),
        }
    }

    /// The numbers that were called within a day before this time.
    pub fn recent(&self, now: Timestamp) -> impl Iterator<Item = &UnknownNumber> {
        self.numbers
            .iter()
            .filter(move |noted| now.duration_since(noted.at) < NOTED_FOR)
    }

    /// The list with a call to this number. `None` if there is nothing to write: the number was noted within the hour, or there are enough
    /// others.
    pub fn after_call(&self, number: &Phone, at: Timestamp) -> Option<Self> {
        let (known, mut numbers): (Vec<_>, Vec<_>) =
            self.recent(at).cloned().partition(|noted| noted.number == *number);
        let is_noted = known.iter().any(|noted| at.duration_since(noted.at) < NOTED_EVERY);
        if is_noted || numbers.len() >= MAX_UNKNOWN_NUMBERS {
            return None;
        }
        numbers.push(UnknownNumber {
            number: number.clone(),
            at,
        });
        let connection = self.connection;
        Some(Self { connection, numbers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls by their minutes and the last digit of their number, and whether each is noted.
    #[test]
    fn few_numbers_are_noted_once_an_hour_for_a_day() {
        let begun: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let at = |minutes| begun + SignedDuration::from_mins(minutes);
        let number = |digit: u8| -> Phone { format!("+9714333000{digit}").parse().unwrap() };
        let mut noted = UnknownNumbers::new_empty("conn_00000000000000000000000001".parse().unwrap());
        for (minutes, digit, is_noted) in [
            (0, 1, true),
            (59, 1, false),
            (59, 2, true),
            (60, 1, true),
            (61, 3, true),
            (62, 4, true),
            (63, 5, true),
            // The sixth waits until one of the others was not called for a day.
            (64, 6, false),
            (121, 1, true),
            (59 + 24 * 60, 6, true),
            (60 + 24 * 60, 2, false),
        ] {
            let after = noted.after_call(&number(digit), at(minutes));
            assert_eq!(after.is_some(), is_noted, "{minutes} {digit}");
            noted = after.unwrap_or(noted);
            assert!(noted.numbers.len() <= MAX_UNKNOWN_NUMBERS);
        }
        let recent = |minutes| noted.recent(at(minutes)).map(|noted| noted.number.clone());
        let expected = [3, 4, 5, 1, 6].map(number);
        assert_eq!(recent(60 + 24 * 60).collect::<Vec<_>>(), expected);
        assert_eq!(recent(121 + 24 * 60).collect::<Vec<_>>(), [number(6)]);
    }
}
