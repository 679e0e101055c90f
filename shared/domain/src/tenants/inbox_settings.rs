//! Settings of a tenant's inbox.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::terms::Whole;

/// Settings of the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct InboxSettings {
    /// Minutes that a customer's message may be unread before people get a mail about it. 0: they get none. Default: 10. A longer time also
    /// applies to messages that have not been unread for so long yet, 0 to all, a shorter one only to later messages.
    #[cfg_attr(feature = "schema", schemars(example = 10))]
    pub notify_after_minutes: Whole<0, 1_440>,
    /// Days without activity before an open or pending conversation is closed. `null`: never.
    #[cfg_attr(feature = "schema", schemars(example = 14))]
    pub close_after_days: Option<Whole<1, 365>>,
    /// True to close conversations even while the customer waits for an answer. Default: false.
    pub close_unanswered: bool,
    /// Minutes until conversations with waiting customers go from a user who is away to other users of their teams, or
    /// to nobody. `null`: only if the user asks for it. A change applies to users who are away from then on.
    #[cfg_attr(feature = "schema", schemars(example = 120))]
    pub hand_over_after_minutes: Option<Whole<5, 10_080>>,
}

impl Default for InboxSettings {
    /// A mail after ten minutes. Nothing else happens by itself.
    fn default() -> Self {
        Self {
            notify_after_minutes: Whole::nearest(10),
            close_after_days: None,
            close_unanswered: false,
            hand_over_after_minutes: None,
        }
    }
}

const fn minutes<const LEAST: u32, const MAX: u32>(number: Whole<LEAST, MAX>) -> SignedDuration {
    SignedDuration::from_mins(number.get() as i64)
}

impl InboxSettings {
    /// Time for which a customer's message may be unread before people are told. `None`: they are not.
    pub fn notify_after(&self) -> Option<SignedDuration> {
        let after = minutes(self.notify_after_minutes);
        (!after.is_zero()).then_some(after)
    }

    /// Time for which somebody may be away before their conversations are handed over.
    pub fn hand_over_after(&self) -> Option<SignedDuration> {
        self.hand_over_after_minutes.map(minutes)
    }

    /// Whether idle conversations are looked at anew, since it is these settings that want them closed.
    pub fn close_anew(self, before: Option<Self>) -> bool {
        self.close_after_days.is_some() && before != Some(self)
    }

    /// Conversations without activity since this time are closed. `None`: none is.
    pub fn idle_before(&self, now: Timestamp) -> Option<Timestamp> {
        let days = i64::from(self.close_after_days?.get());
        Some(now - SignedDuration::from_hours(24 * days))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    fn settings(fields: serde_json::Value) -> InboxSettings {
        from_value(fields).unwrap()
    }

    #[test]
    fn what_is_left_out_is_the_usual() {
        assert_eq!(settings(json!({})), InboxSettings::default());
        let usual = InboxSettings::default().notify_after();
        assert_eq!(usual, Some(SignedDuration::from_mins(10)));
        let silent = settings(json!({"notify_after_minutes": 0}));
        assert_eq!(silent.notify_after(), None);
        assert_eq!(settings(to_value(silent).unwrap()), silent);
    }
}
