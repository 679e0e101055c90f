//! The number of customers whom a business may message first: WhatsApp limits it in any 24 hours, for all numbers of a business portfolio
//! together. Messages to customers who have written within the last day do not count.
//!
//! Messages of campaigns take their places when they are made, some at a time. They leave a fifth for messages that take no places
//! (follow-ups and messages of software, which are few), and for messages that leave later than they are made.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Places that are taken together, by one write.
pub const PORTFOLIO_BLOCK: u32 = 25;

/// A customer takes a place for this time.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Seconds of an hour.
const HOUR: i64 = 3_600;

/// The places that a tenant's campaigns have taken, by the hour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstWritten {
    /// Taken places, with their hour since 1970. At most 26 hours.
    hours: Vec<(i64, u32)>,
}

/// Places that were taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    pub hour: i64,
    pub count: u32,
}

impl FirstWritten {
    /// Retention of the row.
    pub const RETAINED: SignedDuration = SignedDuration::from_hours(48);

    /// Takes up to so many places at this time, of the number that WhatsApp allows.
    ///
    /// # Errors
    /// The time when the next one is free, if none is now.
    pub fn take(&mut self, wanted: u32, allowed: u32, now: Timestamp) -> Result<Places, Timestamp> {
        self.hours.retain(|(hour, _)| now < over(*hour));
        let taken: u64 = self.hours.iter().map(|(_, taken)| u64::from(*taken)).sum();
        let room = u64::from(most_for_campaigns(allowed)).saturating_sub(taken);
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        if room == 0 {
            let first = self.hours.iter().map(|(hour, _)| *hour).min();
            return Err(first.map_or(now, over));
        }
        let hour = now.as_second().div_euclid(HOUR);
        let count = wanted.min(room);
        match self.hours.iter_mut().find(|(known, _)| *known == hour) {
            Some((_, taken)) => *taken += count,
            None => self.hours.push((hour, count)),
        }
        Ok(Places { hour, count })
    }

    /// Gives back places that nobody needed.
    pub fn give_back(&mut self, Places { hour, count }: Places) {
        if let Some((_, taken)) = self.hours.iter_mut().find(|(known, _)| *known == hour) {
            *taken = taken.saturating_sub(count);
        }
        self.hours.retain(|(_, taken)| *taken > 0);
    }
}

/// The part of those that WhatsApp allows in 24 hours that campaigns take.
pub fn most_for_campaigns(allowed: u32) -> u32 {
    let most = u64::from(allowed) * 4 / 5;
    u32::try_from(most).unwrap_or(u32::MAX).max(1)
}

/// Time when the places of this hour are all free again.
fn over(hour: i64) -> Timestamp {
    let end = Timestamp::from_second((hour + 1) * HOUR).unwrap_or(Timestamp::MAX);
    end.checked_add(DAY).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::samples::at;

    const NOON: &str = "2026-11-20T12:00:00Z";

    fn hours(hours: i64) -> SignedDuration {
        SignedDuration::from_hours(hours)
    }

    #[test]
    fn a_fifth_is_left_and_a_place_is_free_after_a_day() {
        let (mut written, now) = (FirstWritten::default(), at(NOON));
        assert_eq!(written.take(150, 250, now).map(|places| places.count), Ok(150));
        let later = now + hours(1);
        assert_eq!(written.take(150, 250, later).map(|places| places.count), Ok(50));
        // The hour of the places counts as a whole.
        let free = now + hours(25);
        assert_eq!(written.take(1, 250, later), Err(free));
        assert_eq!(written.take(1, 250, free - SignedDuration::from_secs(1)), Err(free));
        assert_eq!(written.take(200, 250, free).map(|places| places.count), Ok(150));
        // A limit that was lowered, and one that leaves nothing to share.
        assert_eq!(written.take(1, 100, free), Err(later + hours(25)));
        assert_eq!(
            FirstWritten::default().take(9, 1, now).map(|places| places.count),
            Ok(1)
        );
    }

    #[test]
    fn places_that_nobody_needed_are_free_at_once() {
        let (mut written, now) = (FirstWritten::default(), at(NOON));
        let places = written.take(200, 250, now).unwrap();
        written.give_back(Places { count: 30, ..places });
        assert_eq!(written.take(200, 250, now).map(|places| places.count), Ok(30));
        written.give_back(Places { count: 500, ..places });
        assert_eq!(written, FirstWritten::default());
    }

    proptest! {
        #[test]
        fn no_day_has_more_than_is_allowed(
            steps in prop::collection::vec((0_i64..7_200, 1_u32..40, 0_u32..3), 1..200),
        ) {
            let (mut written, mut now, mut kept) = (FirstWritten::default(), at(NOON), Vec::new());
            for (seconds, wanted, unneeded) in steps {
                now += SignedDuration::from_secs(seconds);
                if let Ok(places) = written.take(wanted, 250, now) {
                    let back = unneeded.min(places.count);
                    written.give_back(Places { count: back, ..places });
                    kept.push((now, places.count - back));
                }
                let lately = kept.iter().filter(|(at, _)| now < *at + DAY);
                prop_assert!(lately.map(|(_, count)| count).sum::<u32>() <= 200);
            }
        }
    }
}
