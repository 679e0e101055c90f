//! Retention: how long a tenant's calls and messages are stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::telephony::MAX_CALL;

/// Days that calls and messages are retained, counted from the time they happened. They are deleted afterwards. A change applies to new
/// calls and messages; `POST /api/v1/tenant/retention/apply` applies it to those that are stored already.
// The row of a call or message says until when it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days for calls.
    #[cfg_attr(feature = "schema", schemars(range(min = Self::FEWEST_DAYS, max = Self::MAX_DAYS), example = 730))]
    pub calls_days: u32,
    /// Days for messages, inbound and outbound.
    #[cfg_attr(feature = "schema", schemars(range(min = Self::FEWEST_DAYS, max = Self::MAX_DAYS), example = 730))]
    pub messages_days: u32,
}

impl Retention {
    /// Minimum days: statuses of a message and replies to it may arrive that late.
    pub const FEWEST_DAYS: u32 = 30;
    /// Maximum days: ten years.
    pub const MAX_DAYS: u32 = 3_650;
    /// Maximum days between an event and its record: queues hold nothing longer.
    pub const LATEST_DAYS: u32 = 14;

    /// Time of expiry of a call of this time, if it is recorded now.
    pub fn call_until(&self, at: Timestamp, now: Timestamp) -> Timestamp {
        until(self.calls_days, at, now)
    }

    /// Time of expiry of a message of this time, if it is recorded now.
    pub fn message_until(&self, at: Timestamp, now: Timestamp) -> Timestamp {
        until(self.messages_days, at, now)
    }
}

const DAY_SECONDS: i64 = 86_400;

// A waiting call is decided long before its time is over, however late it was recorded. Messages are kept from the last
// moment at which they may be sent.
const _: () = {
    let waits = MAX_CALL.as_secs();
    let stays = (Retention::FEWEST_DAYS - Retention::LATEST_DAYS) as i64 * DAY_SECONDS;
    assert!(2 * waits < stays);
};

/// To the second, as time to live counts. A time in the future, or older than any late record, comes from a wrong clock: it
/// must neither delete new data early nor keep it for ever.
fn until(days: u32, at: Timestamp, now: Timestamp) -> Timestamp {
    let (at, now) = (at.as_second(), now.as_second());
    let earliest = now - i64::from(Retention::LATEST_DAYS) * DAY_SECONDS;
    let since = if (earliest..=now).contains(&at) { at } else { now };
    Timestamp::from_second(since + i64::from(days) * DAY_SECONDS).unwrap_or(Timestamp::MAX)
}

impl Default for Retention {
    /// Two years.
    fn default() -> Self {
        Self {
            calls_days: 730,
            messages_days: 730,
        }
    }
}
