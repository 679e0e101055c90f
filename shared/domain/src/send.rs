//! The rules of sending: timers, and what a provider's error means.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The timers of sending. They hold an order: provider call < claim < first due < unknown deadline; [`Timers::check`]
/// holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// A provider's answer is awaited this long.
    pub provider_call: SignedDuration,
    /// A claim is its worker's for this long.
    pub claim: SignedDuration,
    /// The dispatcher looks again at immediate work after this long.
    pub first_due: SignedDuration,
    /// A send of unknown outcome is settled by then, from when it was claimed.
    pub unknown_deadline: SignedDuration,
    /// A call that completed without a dial result is decided this long after its end.
    pub decide_call: SignedDuration,
    /// A message waiting for its tenant to act, such as to renew a token, is tried again after this long.
    pub recheck: SignedDuration,
}

/// What to do about a provider's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// Passing, and nothing went out: try the same channel again later.
    RetryAfter,
    /// It may have gone out: wait for a status.
    WaitForStatus,
    /// This channel cannot carry it: try the next.
    FallBack,
    /// It must not be sent, on any channel.
    Blocked,
    /// The tenant must do something first, such as renew a token or pay: the connection is unhealthy, messages wait.
    TenantMustAct,
    /// Our request was wrong: nothing to retry, somebody must look.
    Bug,
}

impl ErrorClass {
    /// The word in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RetryAfter => "retry_after",
            Self::WaitForStatus => "wait_for_status",
            Self::FallBack => "fall_back",
            Self::Blocked => "blocked",
            Self::TenantMustAct => "tenant_must_act",
            Self::Bug => "bug",
        }
    }
}

/// The messaging APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// Meta's WhatsApp Cloud API.
    WhatsAppCloud,
    /// Twilio Messages, for SMS and WhatsApp.
    Twilio,
}

/// What an error means beyond the message itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing.
    None,
    /// The number is too fast or restricted: it pauses for this many seconds, others go on.
    PauseNumber(u32),
    /// The connection cannot send until its tenant acts.
    ConnectionUnhealthy,
    /// The person wants no marketing.
    MarketingOptOut,
    /// The person wants no messages from this sender. Recorded as an opt-out from all channels: who refused on one is not
    /// followed to another.
    ChannelOptOut,
    /// The person cannot be reached on this channel: remembered on the contact.
    Unreachable,
}

/// What the tables make of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classified {
    /// What to do with the message.
    pub class: ErrorClass,
    /// What else follows.
    pub effect: Effect,
    /// The first wait of a retry, in seconds.
    pub first_wait: u32,
    /// What the error means, for people.
    pub meaning: &'static str,
}

/// The order that the timers hold: without it a message could be queued again, or given up, while its worker still waits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the timers are out of order: {shorter} must be shorter than {longer}")]
pub struct TimersOutOfOrder {
    shorter: &'static str,
    longer: &'static str,
}

impl Timers {
    /// Checks their order.
    ///
    /// # Errors
    /// The first two that are out of order.
    pub fn check(&self) -> Result<(), TimersOutOfOrder> {
        let order = [
            ("nothing", SignedDuration::ZERO, "provider call", self.provider_call),
            ("provider call", self.provider_call, "claim", self.claim),
            ("claim", self.claim, "first due", self.first_due),
            ("first due", self.first_due, "unknown deadline", self.unknown_deadline),
            ("nothing", SignedDuration::ZERO, "decide call", self.decide_call),
            ("nothing", SignedDuration::ZERO, "recheck", self.recheck),
        ];
        match order.iter().find(|(_, short, _, long)| short >= long) {
            Some((shorter, _, longer, _)) => Err(TimersOutOfOrder { shorter, longer }),
            None => Ok(()),
        }
    }
}

/// A provider's `Retry-After` as far as it is honoured: never back in time, never for longer than a day.
pub(crate) fn honoured(retry_after: SignedDuration) -> SignedDuration {
    retry_after.clamp(SignedDuration::ZERO, SignedDuration::from_hours(24))
}

/// No retry waits longer.
const LONGEST_WAIT_SECONDS: u32 = 3600;

impl Classified {
    /// The wait before the next try after `tries` tries: the first wait, times four each time, at most an hour.
    #[must_use]
    pub fn back_off(&self, tries: u32) -> SignedDuration {
        let factor = 4_u32.saturating_pow(tries.saturating_sub(1));
        let seconds = self.first_wait.max(1).saturating_mul(factor).min(LONGEST_WAIT_SECONDS);
        SignedDuration::from_secs(seconds.into())
    }
}
