//! The rules of sending: timers, and the meaning of providers' errors.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::terms::Lane;

/// The timers of sending. The configuration of a function holds their order: provider call < claim < first due, and claim <
/// unknown deadline. Otherwise a message could be queued again, or given up, while its worker still waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// Time limit of a request to a provider.
    pub provider_call: SignedDuration,
    /// Duration of a claim.
    pub claim: SignedDuration,
    /// The dispatcher looks again at immediate work after this time: see [`Timers::first_due_in`].
    pub first_due: SignedDuration,
    /// Deadline for settling a send with an unknown outcome, counted from the claim.
    pub unknown_deadline: SignedDuration,
    /// A call without a dial result is decided at this time after its end.
    pub decide_call: SignedDuration,
    /// A message that waits for its tenant, such as for a renewed token, is tried again after this time.
    pub recheck: SignedDuration,
}

/// Reaction to a provider's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// Temporary, and nothing went out: retry on the same channel later.
    RetryAfter,
    /// The message may have gone out: wait for a status.
    WaitForStatus,
    /// This channel cannot carry it: try the next.
    FallBack,
    /// The provider takes no marketing by this route until the tenant acts: a broadcast pauses, and no message of a campaign goes on to the
    /// next channel for that.
    RouteRefused,
    /// It must not be sent, on any channel.
    Blocked,
    /// The tenant must act first, such as renew a token or pay: the connection is unhealthy, and its messages wait.
    TenantMustAct,
    /// Our request was wrong: no retry, somebody must investigate.
    Bug,
}

impl ErrorClass {
    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RetryAfter => "retry_after",
            Self::WaitForStatus => "wait_for_status",
            Self::FallBack => "fall_back",
            Self::RouteRefused => "route_refused",
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

/// Effect of an error beyond the message itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    None,
    /// The number is throttled or restricted: it pauses for this many seconds, other numbers continue.
    PauseNumber(u32),
    /// The number is throttled or restricted and pauses for this many seconds. It has sent more per second than it may, so it sends less
    /// for some time.
    Throttle(u32),
    /// The number has sent too much to this person: other messages to them wait, too.
    PacePerson,
    /// The connection cannot send until its tenant acts.
    ConnectionUnhealthy,
    /// The person wants no marketing.
    MarketingOptOut,
    /// The person wants no messages from this sender. Recorded as an opt-out from all channels: a person who refused on one
    /// is not followed to another.
    ChannelOptOut,
    /// The person cannot be reached on this channel, which is recorded on the contact.
    Unreachable,
    /// The person's service window was closed, which is recorded on the contact.
    WindowClosed,
}

/// Classification of an error by the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classified {
    /// Reaction for the message.
    pub class: ErrorClass,
    pub effect: Effect,
    /// The first wait of a retry, in seconds.
    pub first_wait: u32,
    /// Meaning of the error, for people.
    pub meaning: &'static str,
}

/// Factor of the first due time in the bulk lane: its queue works for minutes on one broadcast, and dispatching what is in
/// it anyway costs a lease and a job each.
const BULK_PATIENCE: i32 = 20;

impl Timers {
    /// The dispatcher looks again at immediate work of a lane after this time; usually its job is in the queue.
    pub fn first_due_in(&self, lane: Lane) -> SignedDuration {
        match lane {
            Lane::Answers => self.first_due,
            Lane::Bulk => self.first_due.saturating_mul(BULK_PATIENCE),
        }
    }
}

/// A provider's `Retry-After`, limited: never in the past, and never longer than a day.
pub(crate) fn limit_retry_after(retry_after: SignedDuration) -> SignedDuration {
    retry_after.clamp(SignedDuration::ZERO, SignedDuration::from_hours(24))
}

/// Maximum wait of a retry.
const MAX_WAIT_SECONDS: u32 = 3600;

impl Classified {
    /// The wait after `tries` attempts: the first wait, multiplied by four each time, at most an hour.
    pub fn back_off(&self, tries: u32) -> SignedDuration {
        let factor = 4_u32.saturating_pow(tries.saturating_sub(1));
        let seconds = self.first_wait.max(1).saturating_mul(factor).min(MAX_WAIT_SECONDS);
        SignedDuration::from_secs(seconds.into())
    }
}
