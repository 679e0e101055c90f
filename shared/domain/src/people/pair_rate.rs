//! How fast WhatsApp lets a business write to one person: a message in six seconds, or 45 at once after a pause.
//!
//! A contact remembers when its allowance is whole again. Each planned message moves this time by six seconds, in a write of the contact
//! that happens anyway. It determines the earliest time of each message that waits.

use jiff::{SignedDuration, Timestamp};

/// Time for one more message.
const EVERY: SignedDuration = SignedDuration::from_secs(6);

/// Messages that may be sent at once.
const BURST: i32 = 45;

/// Time that a message may be ahead of an even rate.
const AHEAD: SignedDuration = SignedDuration::from_secs(6 * (BURST as i64 - 1));

/// The time when the allowance is whole again, with one more message planned at this time.
pub(crate) fn pair_rate_with_one_more(whole_at: Option<Timestamp>, at: Timestamp) -> Timestamp {
    whole_at.max(Some(at)).unwrap_or(at) + EVERY
}

/// The earliest time of a message. `counted`: the messages from it on that are counted, itself included.
pub(crate) fn earliest_by_pair_rate(whole_at: Timestamp, counted: usize) -> Timestamp {
    whole_at - AHEAD - time_for_messages(counted)
}

/// The time when the allowance is whole again after WhatsApp has refused a message at this time, and takes the first of those that wait
/// after `wait`, and the others at an even rate.
pub(crate) fn pair_rate_after_refusal(at: Timestamp, wait: SignedDuration, waiting: usize) -> Timestamp {
    at + wait + AHEAD + time_for_messages(waiting)
}

fn time_for_messages(messages: usize) -> SignedDuration {
    EVERY.saturating_mul(i32::try_from(messages).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: i64) -> Timestamp {
        let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        noon + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn burst_goes_at_once_and_the_rest_at_an_even_rate() {
        let mut whole_at = None;
        for place in 1..=60_i64 {
            let whole = pair_rate_with_one_more(whole_at, after(0));
            assert_eq!(earliest_by_pair_rate(whole, 1), after(6 * (place - 45)), "{place}");
            whole_at = Some(whole);
        }
        // Of three that wait, the last one was counted last.
        let whole_at = whole_at.unwrap();
        assert_eq!(
            [3, 2, 1].map(|counted| earliest_by_pair_rate(whole_at, counted)),
            [78, 84, 90].map(after)
        );
        // The allowance grows again.
        let later = pair_rate_with_one_more(Some(whole_at), after(360));
        assert_eq!(later, after(366));
        assert!(earliest_by_pair_rate(later, 1) < after(360));
    }

    #[test]
    fn refusal_ends_the_allowance() {
        let whole_at = pair_rate_after_refusal(after(0), SignedDuration::from_secs(6), 2);
        assert_eq!(
            [2, 1].map(|counted| earliest_by_pair_rate(whole_at, counted)),
            [6, 12].map(after)
        );
        let next = pair_rate_with_one_more(Some(whole_at), after(1));
        assert_eq!(earliest_by_pair_rate(next, 1), after(18));
    }
}
