//! Messages: an intent to tell somebody something, and one [attempt](Attempt) per channel tried.
//!
//! The whole state machine is here and is pure: [`Message::next`] says what to do, the other methods change the message. It
//! is stored under the condition that `version` is unchanged.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::messages::{
    Attempt, AttemptError, AttemptState, Cause, CodesFound, Content, Cost, Evidence, Expected, Leg, SendOutcome,
    StatusReport,
};
use crate::money::Take;
use crate::people::LinkCode;
use crate::terms::{
    Because, Channel, ErrorClass, LineId, MessageId, Phone, Policy, Purpose, Reason, Recipient, Refusal, SendKey,
    Timers, WhenUnknown, limit_retry_after,
};

/// The numbers of the caps of these takes, and the expected cost for each cap of money.
fn caps_of_takes(takes: &[Take]) -> (Vec<u32>, Vec<Expected>) {
    let expected = takes.iter().filter_map(|Take { cap, amount }| {
        Some(Expected {
            cap: cap.number,
            currency: cap.currency.clone()?,
            millionths: *amount,
        })
    });
    let numbers = takes.iter().map(|take| take.cap.counted_as());
    (numbers.collect(), expected.collect())
}

/// See [`Message::postpone`].
pub(crate) fn most_spread(wait: SignedDuration) -> SignedDuration {
    (wait / 5).clamp(SignedDuration::ZERO, MAX_SPREAD)
}

fn earliest(known: &mut Option<Timestamp>, at: Timestamp) {
    *known = Some(known.map_or(at, |known| known.min(at)));
}

/// The reason why a message goes no further.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how", content = "why")]
pub enum Ended {
    /// Something made it unnecessary before it was sent.
    Cancelled(String),
    /// A rule of sending forbids it.
    Blocked(String),
    /// Every channel failed.
    Failed(String),
}

/// State of the whole message, derived from its attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Not tried yet.
    Scheduled,
    /// A worker has claimed it.
    Sending,
    /// It is unknown whether the provider accepted it.
    Unknown,
    /// The provider accepted it.
    Accepted,
    /// The provider passed it on.
    Sent,
    /// Delivered to the phone.
    Delivered,
    /// Read by the person.
    Read,
    /// Every channel failed.
    Failed,
    /// Cancelled as unnecessary.
    Cancelled,
    /// Forbidden by a rule of sending.
    Blocked,
}

impl MessageState {
    /// The name for people and software.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Blocked => "blocked",
        }
    }

    /// Whether it ended without being sent, although nothing made it unnecessary. These messages have a list of their own.
    pub const fn is_trouble(self) -> bool {
        matches!(self, Self::Failed | Self::Blocked)
    }
}

/// A remark in a message's history about something that its attempts do not show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Time of the remark.
    pub at: Timestamp,
    /// The remark, in one sentence.
    pub text: String,
    /// Code and facts of the sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
}

impl Remark {
    /// A remark with its code and facts.
    pub fn new(at: Timestamp, what: impl Into<Refusal>) -> Self {
        let (text, because) = what.into().split();
        Self { at, text, because }
    }
}

/// An intent to tell somebody something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub cause: Cause,
    /// Its policy, fixed when it was planned.
    pub policy: Policy,
    pub to: Recipient,
    /// The line it is sent from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
    /// Reason for sending it, in the sender's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    /// Channels in the order of the attempts.
    pub plan: Vec<Leg>,
    /// An attempt per leg tried, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Earliest time to send, for business reasons.
    pub not_before: Timestamp,
    /// The leg that waits for its connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Latest time when the upload of its file was asked for. Only the leg of WhatsApp needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_asked: Option<Timestamp>,
    /// Time when the message must be processed again. `None` if nothing is left to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Number of times the dispatcher has queued it since it last changed.
    #[serde(default)]
    pub dispatches: u32,
    /// The reason why it goes no further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// Code and facts of that reason. `None`: the last attempt has them, if it has the same sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
    /// Numbers of the caps that it was counted for when it was made, until it is claimed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub took: Vec<u32>,
    /// Its expected cost at that time, for each cap of money.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<Expected>,
    /// Remarks about what the attempts do not show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// The earlier reply that is sent first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<Behind>,
    /// The message that sends it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried_as: Option<MessageId>,
    /// First time when somebody followed a tracked link of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clicked_at: Option<Timestamp>,
    /// Time of the call that it follows, as in lists of calls: the call counts in that hour by the message's outcome. `None`: it follows no
    /// call, or was planned before this was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Time of deletion, by the tenant's policy when it was planned, or by one applied later. `None` (in older rows): never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until: Option<Timestamp>,
    /// Correlation id of its cause.
    pub correlation_id: String,
    /// Raised by every write, and the condition of the next one.
    pub version: u64,
}

/// The place of a reply behind an earlier one of its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// The earlier one.
    pub message: MessageId,
    /// Number of those that were to be sent first.
    pub place: u8,
}

/// A leg that waits for its connection: the number is throttled or restricted, or the connection does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Index into the plan.
    pub leg: u8,
    /// Start of the wait.
    pub since: Timestamp,
}

/// The next step of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing is left to do.
    Done,
    /// Wait until this time.
    Wait(Timestamp),
    /// Check and claim this leg, as this attempt.
    Try {
        /// Index into the plan.
        leg: u8,
        number: u32,
    },
    /// The claim has expired, so its outcome is unknown and must be settled by evidence.
    Doubt,
    /// The outcome is still unknown after the deadline: decide by [`WhenUnknown`].
    GiveUpWaiting,
}

/// Maximum claims of a leg that is refused for temporary reasons. Then it has failed.
pub const MAX_TRIES: u32 = 8;
/// Maximum sends of a message by one channel with an unknown outcome: a one-time code, or a message that the provider
/// proved not to have accepted.
const MAX_SENDS_UNKNOWN: u32 = 2;
const MAX_REMARKS: usize = 12;
/// Without a fallback deadline, the next channel takes over from a connection that has not worked for this long.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);
/// A message of a campaign is tried again after this time by a route that was refused.
const ROUTE_LOOK: SignedDuration = SignedDuration::from_hours(1);
/// Shortest time between two requests for the upload of a message's file.
const FIRST_REQUEST: SignedDuration = SignedDuration::from_mins(1);
/// Longest time between them.
const MAX_REQUEST: SignedDuration = SignedDuration::from_mins(16);
/// The maximum spread of messages that wait for the same moment.
const MAX_SPREAD: SignedDuration = SignedDuration::from_secs(60);
/// The dispatcher looks once a minute, and providers report whole seconds.
const LITTLE_LATE: SignedDuration = SignedDuration::from_secs(5);

impl Message {
    /// State of the whole message, derived from its attempts: success on one channel counts more than the reason why the others were
    /// skipped.
    pub fn state(&self) -> MessageState {
        let best = self
            .attempts
            .iter()
            .filter(|attempt| !attempt.given_up())
            .map(|attempt| attempt.state)
            .max_by_key(|state| match state {
                // For the whole message, a channel that is still in progress outranks a failed one.
                AttemptState::Failed | AttemptState::Refused => 0,
                other => other.rank() + 1,
            });
        match (best, &self.ended) {
            (Some(AttemptState::Read), _) => MessageState::Read,
            (Some(AttemptState::Delivered), _) => MessageState::Delivered,
            (Some(AttemptState::Sent), _) => MessageState::Sent,
            (Some(AttemptState::Accepted), _) => MessageState::Accepted,
            (_, Some(Ended::Cancelled(_))) => MessageState::Cancelled,
            (_, Some(Ended::Blocked(_))) => MessageState::Blocked,
            (_, Some(Ended::Failed(_))) => MessageState::Failed,
            (Some(AttemptState::Claimed), None) => MessageState::Sending,
            (Some(AttemptState::Unknown), None) => MessageState::Unknown,
            (Some(AttemptState::Failed | AttemptState::Refused) | None, None) => MessageState::Scheduled,
        }
    }

    /// Whether something of it may have gone out: it was claimed, and the provider did not certainly refuse it.
    pub fn may_be_out(&self) -> bool {
        self.attempts
            .iter()
            .any(|attempt| attempt.state != AttemptState::Refused)
    }

    /// Whether a later message of the same conversation would overtake it: no channel has accepted it, and one may.
    pub fn is_yet_to_go(&self) -> bool {
        let in_flight = |attempt: &Attempt| match attempt.state {
            AttemptState::Claimed => true,
            AttemptState::Unknown => !attempt.given_up(),
            _ => false,
        };
        match self.state() {
            MessageState::Scheduled | MessageState::Sending | MessageState::Unknown => true,
            MessageState::Accepted | MessageState::Sent | MessageState::Delivered | MessageState::Read => false,
            // It may have been cancelled while a request was under way.
            MessageState::Failed | MessageState::Cancelled | MessageState::Blocked => {
                self.attempts.iter().any(in_flight)
            }
        }
    }

    /// The message that goes before one behind this: this one, if it is yet to go. If nothing of it went out, and nothing will, it leaves its
    /// place to the one that it was behind itself.
    pub fn ahead(&self) -> Option<Behind> {
        if self.is_yet_to_go() {
            return Some(Behind {
                message: self.id,
                place: self.behind.map_or(1, |before| before.place.saturating_add(1)),
            });
        }
        self.behind.filter(|_| self.nothing_went_out())
    }

    /// The place of a message that is to follow this earlier one. `open`: the messages of the contact that were read.
    pub fn ahead_of(earlier: Option<MessageId>, open: &[Self]) -> Option<Behind> {
        open.iter().find(|message| Some(message.id) == earlier)?.ahead()
    }

    /// The reason why it goes no further, in one sentence.
    pub fn why(&self) -> Option<&str> {
        let (Ended::Cancelled(why) | Ended::Blocked(why) | Ended::Failed(why)) = self.ended.as_ref()?;
        Some(why)
    }

    /// Code and facts of the reason why it goes no further.
    pub fn because(&self) -> Option<Because> {
        let (Ended::Cancelled(why) | Ended::Blocked(why) | Ended::Failed(why)) = self.ended.as_ref()?;
        let error = self.last().and_then(|last| last.error.as_ref());
        let error = error.filter(|error| error.reason == *why);
        let because = self.because.clone().or_else(|| error.map(AttemptError::because));
        Some(because.unwrap_or_else(|| Because::from(Reason::Other)))
    }

    /// Whether it was delivered on any channel.
    pub fn was_delivered(&self) -> bool {
        self.attempts
            .iter()
            .any(|attempt| attempt.state.rank() >= AttemptState::Delivered.rank())
    }

    /// Whether the customer read it.
    pub fn was_read(&self) -> bool {
        self.attempts
            .iter()
            .any(|attempt| attempt.state.rank() >= AttemptState::Read.rank())
    }

    /// Whether it is certain that nothing of it went out so far.
    pub fn nothing_went_out(&self) -> bool {
        self.attempts
            .iter()
            .all(|attempt| attempt.state == AttemptState::Refused)
    }

    /// Whether it may be sent again: it failed or was blocked, whatever was tried certainly did not arrive, and it is no automatic answer.
    pub fn may_be_retried(&self) -> Result<(), Refusal> {
        let state = self.state();
        if !state.is_trouble() {
            let sentence = format!(
                "only a failed or blocked message can be sent again, and this one is {}",
                state.as_str()
            );
            return Err(Refusal::new(Reason::NotFailed, sentence).and("state", state.as_str()));
        }
        if self.policy.purpose() == Purpose::Reply {
            let sentence = "it is a reply; reply again in the conversation, where others may have replied since";
            return Err(Refusal::new(Reason::ReplyAgain, sentence));
        }
        if Purpose::Api.row().kind(self.policy.category()).is_none() {
            let sentence =
                "it is an automatic answer, which is for one message at its time; send a new message instead";
            return Err(Refusal::new(Reason::AutomaticAnswer, sentence));
        }
        let settled = |attempt: &Attempt| matches!(attempt.state, AttemptState::Refused | AttemptState::Failed);
        if self.attempts.iter().all(settled) {
            return Ok(());
        }
        let sentence = "it is unknown whether it was sent, so it could arrive twice";
        Err(Refusal::new(Reason::Unconfirmed, sentence))
    }

    /// Whether a provider accepted it on any channel, whatever became of it then.
    pub fn was_accepted(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.provider_ref.is_some())
    }

    /// Whether a cap or a failure stopped it: it is not on its way, and nobody meant that.
    pub fn is_stopped(&self) -> bool {
        if !matches!(self.state(), MessageState::Failed | MessageState::Blocked) {
            return false;
        }
        let is_meant = self.because().is_some_and(|because| because.code.is_meant());
        // The person refused it at the provider, or blocked the number. A leg that was given up has no code.
        let error = self.last().and_then(|last| last.error.as_ref());
        let is_unwanted = error.is_some_and(|error| error.class == ErrorClass::Blocked && error.code.is_some());
        !is_meant && !is_unwanted
    }

    /// Whether a cap had no room for it.
    pub fn is_blocked_by_cap(&self) -> bool {
        self.because
            .as_ref()
            .is_some_and(|because| because.code == Reason::CapReached)
    }

    /// Latest time when something of it went out, or may have.
    pub fn last_sent_at(&self) -> Option<Timestamp> {
        let sent = self
            .attempts
            .iter()
            .filter(|attempt| attempt.state != AttemptState::Refused);
        sent.map(|attempt| attempt.accepted_at.unwrap_or(attempt.claimed_at))
            .max()
    }

    /// First time when a provider accepted it and did not give it up later.
    pub fn accepted_at(&self) -> Option<Timestamp> {
        let accepted = |attempt: &&Attempt| attempt.state.was_accepted() && attempt.state != AttemptState::Failed;
        let accepted = self.attempts.iter().filter(accepted);
        accepted
            .map(|attempt| attempt.accepted_at.unwrap_or(attempt.claimed_at))
            .min()
    }

    /// Records that somebody followed a tracked link of it. Returns whether it is the first time.
    pub fn click(&mut self, now: Timestamp) -> bool {
        let first = self.clicked_at.is_none();
        if first {
            self.clicked_at = Some(now);
        }
        first
    }

    /// The end of its validity.
    pub fn valid_until(&self) -> Timestamp {
        self.created_at + self.policy.validity()
    }

    /// Whether some channel may still carry it.
    pub fn may_be_sent(&self, now: Timestamp) -> bool {
        self.is_pending() && now < self.valid_until()
    }

    /// Masks the codes of preference links: everything that reads messages for people shows it so. The sent text is not masked.
    pub fn mask_links(mut self) -> Self {
        for leg in &mut self.plan {
            leg.content = leg.content.mask_links();
        }
        self
    }

    /// The codes of the tracked links in its texts, as far as texts tell: a text may only look like a link, or name a link of another
    /// message. It has at most one code of its own, or the code of the message that it sends again.
    pub fn link_codes(&self) -> Vec<LinkCode> {
        let mut found = CodesFound::default();
        for leg in &self.plan {
            leg.content.each_text(|text| found.add(text));
        }
        found.into_codes()
    }

    pub fn last(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// The leg that was tried last, or else the first planned one.
    pub fn current_leg(&self) -> Option<&Leg> {
        let last = self.last().map_or(0, |attempt| usize::from(attempt.leg));
        self.plan.get(last)
    }

    /// The number of the next claim.
    pub fn next_number(&self) -> u32 {
        self.last().map_or(1, |attempt| attempt.number + 1)
    }

    fn leg_after(&self, leg: u8) -> Option<u8> {
        let next = leg.checked_add(1)?;
        (usize::from(next) < self.plan.len()).then_some(next)
    }

    pub fn next(&self, now: Timestamp, timers: &Timers) -> Next {
        let after = |since: Timestamp, wait: SignedDuration, then: Next| {
            if now < since + wait {
                Next::Wait(since + wait)
            } else {
                then
            }
        };
        // An attempt in progress is settled whatever else happened: the history must say whether it went out.
        match self.last() {
            Some(last) if last.state == AttemptState::Claimed => {
                return after(last.claimed_at, timers.claim, Next::Doubt);
            }
            Some(last) if last.state == AttemptState::Unknown && !last.given_up() => {
                return after(last.claimed_at, self.unknown_after(timers), Next::GiveUpWaiting);
            }
            _ => {}
        }
        if self.ended.is_some() || self.was_delivered() {
            return Next::Done;
        }
        let number = self.next_number();
        let at = |leg| {
            if now < self.not_before {
                Next::Wait(self.not_before)
            } else {
                Next::Try { leg, number }
            }
        };
        let Some(attempt) = self.last() else {
            return if self.plan.is_empty() { Next::Done } else { at(0) };
        };
        let on = || self.leg_after(attempt.leg).map_or(Next::Done, at);
        match (attempt.state, attempt.error.as_ref().map(|error| error.class)) {
            (AttemptState::Claimed | AttemptState::Delivered | AttemptState::Read, _) => Next::Done,
            (AttemptState::Accepted | AttemptState::Sent, _) => match self.leg_after(attempt.leg) {
                Some(leg) if self.policy.fallback_after_seconds() > 0 => {
                    let deadline = self.fallback_at(attempt);
                    if now < deadline { Next::Wait(deadline) } else { at(leg) }
                }
                // Only a failure leads to the next channel, and failures are reported.
                Some(_) | None => Next::Done,
            },
            (_, Some(ErrorClass::Blocked)) => Next::Done,
            (AttemptState::Refused, Some(ErrorClass::RouteRefused)) if self.keeps_route() => at(attempt.leg),
            (AttemptState::Failed, Some(ErrorClass::RouteRefused)) if self.keeps_route() => Next::Done,
            // Given up in order to send again: a one-time code, or a message that the provider never accepted.
            (AttemptState::Unknown, Some(ErrorClass::RetryAfter)) => at(attempt.leg),
            // Nothing went out. After `failed` something did: never send again on the same channel, whatever the code.
            (AttemptState::Refused, Some(ErrorClass::RetryAfter | ErrorClass::TenantMustAct)) => at(attempt.leg),
            (AttemptState::Unknown | AttemptState::Refused | AttemptState::Failed, _) => on(),
        }
    }

    /// Whether waiting for this leg's connection until then takes longer than the fallback deadline of an undelivered
    /// message, while another channel could carry it. The whole wait counts, not only what is left of it.
    pub fn outwaits(&self, leg: u8, until: Timestamp, now: Timestamp) -> bool {
        let patience = match self.policy.fallback_after_seconds() {
            0 => PATIENCE,
            seconds => SignedDuration::from_secs(seconds.into()),
        };
        self.leg_after(leg).is_some() && until.duration_since(self.waits_since(leg, now)) > patience
    }

    /// Start of the wait of this leg: now, if it does not wait yet.
    pub(crate) fn waits_since(&self, leg: u8, now: Timestamp) -> Timestamp {
        let known = self.waiting.filter(|waiting| waiting.leg == leg);
        known.map_or(now, |waiting| waiting.since.min(now))
    }

    fn keeps_waiting(&mut self, leg: u8, now: Timestamp) {
        self.waiting = Some(Waiting {
            leg,
            since: self.waits_since(leg, now),
        });
    }

    /// Whether this leg, which waits for its file's upload, should ask for it now: at once, then one, two, four, eight and sixteen minutes
    /// later, and every sixteen minutes after that, in case the job was given up. Looks come at any time, so the time of the last request
    /// counts. A request before an attempt of the leg is fulfilled: that attempt had the file.
    pub fn asks_for_upload(&self, leg: u8, now: Timestamp) -> bool {
        let mut attempts = self.attempts.iter().rev();
        let had_it = attempts.find(|attempt| attempt.leg == leg);
        let asked = self
            .upload_asked
            .filter(|asked| had_it.is_none_or(|attempt| attempt.claimed_at < *asked));
        asked.is_none_or(|asked| {
            let waited = asked.duration_since(self.waits_since(leg, now));
            now.duration_since(asked) >= waited.clamp(FIRST_REQUEST, MAX_REQUEST)
        })
    }

    /// Maximum wait for evidence: the purpose's, but no longer than the operator allows.
    fn unknown_after(&self, timers: &Timers) -> SignedDuration {
        self.policy.unknown_after().min(timers.unknown_deadline)
    }

    /// The time to try the next channel if this attempt is not delivered by then.
    fn fallback_at(&self, attempt: &Attempt) -> Timestamp {
        attempt.accepted_at.unwrap_or(attempt.claimed_at)
            + SignedDuration::from_secs(self.policy.fallback_after_seconds().into())
    }

    /// The time of the next channel, if the provider has the message and the only thing to do is wait.
    pub fn waits_for_delivery(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.last()?;
        let taken = matches!(last.state, AttemptState::Accepted | AttemptState::Sent);
        let waits = taken && self.ended.is_none() && !self.was_delivered() && self.policy.fallback_after_seconds() > 0;
        self.leg_after(last.leg).filter(|_| waits)?;
        Some(self.fallback_at(last)).filter(|until| now < *until)
    }

    /// Sets `due` to the next time to process the message. Called by every change below. An existing time is kept if it is only a little
    /// later than necessary: moving it would write the due index twice. For the same reason it is kept if it is too early for the next
    /// channel: a delivery nearly always makes that step unnecessary, and otherwise the dispatcher moves the time.
    pub(crate) fn look_again(&mut self, now: Timestamp, timers: &Timers) {
        self.dispatches = 0;
        let first_due = timers.first_due_in(self.policy.lane());
        let due = match self.next(now, timers) {
            Next::Done => None,
            // Work that is possible now is queued at once; the index is the safety net behind the queue.
            Next::Try { .. } => Some(now + first_due),
            // Only the index leads to these.
            Next::Doubt | Next::GiveUpWaiting => Some(now + timers.first_due),
            Next::Wait(until) => Some(until),
        };
        let late = match self.last() {
            // For a worker that died, the time set at planning is early enough.
            Some(last) if last.state == AttemptState::Claimed => first_due - timers.claim,
            _ => LITTLE_LATE,
        };
        let taken = self.last().is_some_and(|last| last.state.was_accepted());
        let early = |set: &Timestamp| taken && now < *set;
        let in_time = |set: &Timestamp| due.is_some_and(|due| (due <= *set || early(set)) && *set <= due + late);
        self.due = self.due.filter(in_time).or(due);
    }

    /// Claims a leg: the last write before the request. Only if [`Message::next`] says so.
    pub fn claim(&mut self, leg: u8, claim: String, now: Timestamp, timers: &Timers) -> SendKey {
        let number = self.next_number();
        debug_assert_eq!(self.next(now, timers), Next::Try { leg, number });
        let before = self.last().filter(|last| last.leg == leg);
        // A route that stays refused for hours is no reason to give up at the first throttle.
        let is_route = |last: &&Attempt| {
            last.error
                .as_ref()
                .is_some_and(|error| error.class == ErrorClass::RouteRefused)
        };
        let tries = before
            .filter(|last| !is_route(last))
            .map_or(1, |last| last.tries.saturating_add(1));
        // A refused attempt gets no further reports; one that was given up may.
        if before.is_some_and(|last| last.state == AttemptState::Refused) {
            self.attempts.pop();
        }
        self.attempts.push(Attempt {
            number,
            leg,
            tries,
            claim,
            state: AttemptState::Claimed,
            claimed_at: now,
            credentials: None,
            to: None,
            took: Vec::new(),
            expected: Vec::new(),
            provider_ref: None,
            unknown_at: None,
            accepted_at: None,
            delivered_at: None,
            read_at: None,
            error: None,
            cost: None,
        });
        self.look_again(now, timers);
        SendKey {
            message: self.id,
            attempt: number,
        }
    }

    /// Records which content of its template a leg is about to send: it may have another one since the message was composed.
    pub fn sends_edition(&mut self, leg: u8, edition: u32) {
        let leg = self.plan.get_mut(usize::from(leg));
        if let Some(Content::Template(filled)) = leg.map(|leg| &mut leg.content) {
            filled.edition = edition;
        }
    }

    /// Records the version of the credentials that the claimed attempt is sent with.
    pub fn claimed_under(&mut self, credentials: u64) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.credentials = Some(credentials);
        }
    }

    /// Records the recipient of the claimed attempt.
    pub fn claimed_for(&mut self, to: &Recipient) {
        let is_other = |phone: &&Phone| !self.to.phone.as_ref().is_some_and(|own| own.is_written_as(phone));
        let other = to.phone.as_ref().filter(is_other).cloned();
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.to = other;
        }
    }

    /// Recipient of an attempt, with the number in the form that it was written to.
    pub fn recipient_of(&self, attempt: &Attempt) -> Recipient {
        Recipient {
            phone: attempt.to.clone().or_else(|| self.to.phone.clone()),
            bsuid: self.to.bsuid.clone(),
        }
    }

    /// Records what the claimed attempt took of caps.
    pub fn claimed_within(&mut self, takes: &[Take]) {
        let Some(attempt) = self.attempts.last_mut() else {
            return;
        };
        (attempt.took, attempt.expected) = caps_of_takes(takes);
        // From now on, it is the attempt that may give something back.
        (self.took, self.expected) = (Vec::new(), Vec::new());
    }

    /// Whether it took of caps when it was made, and no attempt was made since.
    pub const fn is_counted(&self) -> bool {
        !self.took.is_empty()
    }

    /// Records what it took of caps when it was made.
    pub fn made_within(&mut self, takes: &[Take]) {
        (self.took, self.expected) = caps_of_takes(takes);
    }

    /// The takes that are not counted for it yet: all but those of a period that was running when it was made, and still is. A cap with a
    /// maximum of 0 stops a counted message, too.
    pub fn still_to_take(&self, takes: &[Take], now: Timestamp) -> Vec<Take> {
        let is_counted = |Take { cap, amount }: &Take| {
            let mut expected = self.expected.iter();
            let known = expected.find(|expected| expected.cap == cap.number);
            let period = cap.period.begin(self.created_at);
            cap.maximum > 0
                && self.took.contains(&cap.counted_as())
                && period == cap.period.begin(now)
                && *amount <= known.map_or(1, |expected| expected.millionths)
        };
        let missing = takes.iter().filter(|take| !is_counted(take));
        missing.cloned().collect()
    }

    /// Records the outcome of the request of attempt `number`. A status may have arrived before it: states only move
    /// forward. Returns false if nothing changed.
    pub fn record(&mut self, number: u32, outcome: SendOutcome, now: Timestamp, timers: &Timers) -> bool {
        let Some(index) = self.attempts.iter().position(|attempt| attempt.number == number) else {
            return false;
        };
        let last = index + 1 == self.attempts.len();
        let outcome = match outcome {
            SendOutcome::Refused { classified, reason, .. } if classified.class == ErrorClass::WaitForStatus => {
                SendOutcome::Unknown { reason }
            }
            other => other,
        };
        let before = self.attempts[index].clone();
        match outcome {
            SendOutcome::Accepted { provider_ref, segments } => {
                let attempt = &mut self.attempts[index];
                attempt.provider_ref.get_or_insert(provider_ref);
                earliest(&mut attempt.accepted_at, now);
                if let Some(units) = segments {
                    attempt.add_cost(Cost {
                        category: "sms".to_owned(),
                        kind: None,
                        billable: Some(true),
                        units,
                        amount: None,
                    });
                }
                attempt.took.clear();
                if !attempt.state.was_accepted() {
                    attempt.state = AttemptState::Accepted;
                    attempt.unknown_at = None;
                    attempt.error = None;
                }
            }
            SendOutcome::Refused {
                code,
                classified,
                reason,
                because,
                retry_after,
            } => {
                let (leg, tries, state) = (before.leg, before.tries, before.state);
                if state.rank() > AttemptState::Unknown.rank() {
                    return false;
                }
                let mut class = classified.class;
                let wait = match class {
                    ErrorClass::RetryAfter if tries >= MAX_TRIES => None,
                    ErrorClass::RetryAfter => Some(retry_after.map_or_else(
                        || self.jitter_wait(classified.back_off(tries), number),
                        limit_retry_after,
                    )),
                    ErrorClass::TenantMustAct => Some(timers.recheck),
                    _ => None,
                };
                let keeps_route = class == ErrorClass::RouteRefused && self.keeps_route();
                let mut not_before = now;
                match wait {
                    None if keeps_route => {
                        not_before += ROUTE_LOOK;
                        if last {
                            self.note(now, self.route_wait(&reason, code));
                        }
                    }
                    // Nothing went out, so the next channel may carry it.
                    Some(wait) if !self.outwaits(leg, now + wait, before.claimed_at) => {
                        not_before += wait;
                        if last {
                            self.keeps_waiting(leg, before.claimed_at);
                        }
                    }
                    None if !matches!(class, ErrorClass::RetryAfter) => {}
                    Some(_) | None => class = ErrorClass::FallBack,
                }
                let attempt = &mut self.attempts[index];
                attempt.state = AttemptState::Refused;
                attempt.took.clear();
                attempt.expected.clear();
                attempt.unknown_at = None;
                attempt.error = Some(AttemptError {
                    because,
                    ..AttemptError::new(code, class, reason)
                });
                if last {
                    self.not_before = not_before;
                }
            }
            SendOutcome::Unknown { reason } => {
                let attempt = &mut self.attempts[index];
                if attempt.state != AttemptState::Claimed {
                    return false;
                }
                attempt.state = AttemptState::Unknown;
                attempt.unknown_at = Some(now);
                attempt.error = Some(AttemptError::new(None, ErrorClass::WaitForStatus, reason));
            }
        }
        // The claim is settled, so its owner no longer matters.
        self.attempts[index].claim.clear();
        if self.attempts[index] == before {
            return false;
        }
        self.end_if_out_of_channels(now, timers);
        self.look_again(now, timers);
        true
    }

    /// Whether it tries no other channel if the route of its marketing is refused: a text for people without WhatsApp is not for everybody.
    /// To somebody without a number, no message goes by the other route, so the refusal says nothing about the campaign.
    fn keeps_route(&self) -> bool {
        self.cause.campaign().is_some() && self.to.phone.is_some()
    }

    /// The reason why a message waits while the route of its campaign is refused. A broadcast's message waits as if the broadcast was
    /// paused, as it will be at its next look.
    fn route_wait(&self, reason: &str, code: Option<i64>) -> Refusal {
        let sentence = format!("waits: {reason}");
        if self.cause.is_step() {
            Refusal::new(Reason::RouteRefused, sentence).and_if("provider_code", code)
        } else {
            Refusal::new(Reason::CampaignPaused, sentence)
        }
    }

    /// The reason why a campaign cannot go on, if the route of this message's marketing was refused after this time.
    pub fn route_refused_since(&self, since: Timestamp) -> Option<Refusal> {
        let last = self.last().filter(|last| since < last.claimed_at)?;
        let error = last
            .error
            .as_ref()
            .filter(|error| error.class == ErrorClass::RouteRefused)?;
        let reached = self.keeps_route() && matches!(last.state, AttemptState::Refused | AttemptState::Failed);
        reached.then(|| {
            let sentence = format!("{} Resume it once that is settled.", error.reason);
            Refusal::new(Reason::RouteRefused, sentence).and_if("provider_code", error.code)
        })
    }

    /// A wait that differs between messages by up to a fifth, so that messages refused together do not return together.
    fn jitter_wait(&self, wait: SignedDuration, number: u32) -> SignedDuration {
        let spread = (self.id.own().0 as u32).wrapping_add(number) % 41;
        wait.saturating_mul(80 + spread as i32) / 100
    }

    /// A moment after `until` that differs between messages, so that those waiting for the same moment do not wake
    /// together: later by at most a fifth of the wait, and at most a minute.
    fn spread(&self, until: Timestamp, now: Timestamp) -> Timestamp {
        let place = i32::try_from(self.place()).unwrap_or_default();
        until + most_spread(until.duration_since(now)).saturating_mul(place) / 1000
    }

    /// The place of the message among those that wait together, of a thousand.
    pub(crate) fn place(&self) -> u32 {
        u32::try_from(self.id.own().0 % 1000).unwrap_or_default()
    }

    /// Time since which it waits for this reason, if its last remark says so.
    pub(crate) fn remarked_since(&self, reason: Reason) -> Option<Timestamp> {
        let last = self.remarks.last()?;
        let waits = last.because.as_ref().is_some_and(|because| because.code == reason);
        waits.then_some(last.at)
    }

    /// Applies a provider's report to its attempt. Returns false if nothing changed. Reports in any order and any number
    /// end in the same state.
    pub fn apply(&mut self, number: u32, report: StatusReport, now: Timestamp, timers: &Timers) -> bool {
        let Some(attempt) = self.attempts.iter_mut().find(|attempt| attempt.number == number) else {
            return false;
        };
        if !report.state.was_accepted() {
            return false;
        }
        let before = attempt.clone();
        // The provider's clock is not ours, and deadlines count from these times.
        let at = report.at.min(now).max(attempt.claimed_at);
        attempt.provider_ref.get_or_insert(report.provider_ref);
        earliest(&mut attempt.accepted_at, at);
        match report.state {
            AttemptState::Delivered => earliest(&mut attempt.delivered_at, at),
            AttemptState::Read => {
                earliest(&mut attempt.delivered_at, at);
                earliest(&mut attempt.read_at, at);
            }
            _ => {}
        }
        if let Some(cost) = report.cost {
            attempt.add_cost(cost);
        }
        match report.state.rank().cmp(&attempt.state.rank()) {
            Ordering::Greater => {
                attempt.state = report.state;
                attempt.unknown_at = None;
                attempt.error = report.error;
            }
            // Two failures of one message: the same one is kept, whichever arrives first.
            Ordering::Equal if report.state == AttemptState::Failed => {
                let key = |error: &AttemptError| (error.code, error.reason.clone());
                if let Some(other) = report.error
                    && attempt.error.as_ref().is_none_or(|error| key(&other) < key(error))
                {
                    attempt.error = Some(other);
                }
            }
            Ordering::Equal | Ordering::Less => {}
        }
        if *attempt == before {
            return false;
        }
        if self.was_delivered()
            && let Some(Ended::Failed(_)) = self.ended
        {
            self.ended = None;
        }
        self.end_if_out_of_channels(now, timers);
        self.look_again(now, timers);
        true
    }

    fn end_if_out_of_channels(&mut self, now: Timestamp, timers: &Timers) {
        let Some(last) = self.last() else { return };
        let over = matches!(last.state, AttemptState::Refused | AttemptState::Failed) || last.given_up();
        if over && self.ended.is_none() && !self.was_delivered() && self.next(now, timers) == Next::Done {
            let (class, why) = match &last.error {
                Some(error) => (error.class, error.reason.clone()),
                None => (ErrorClass::FallBack, "the provider gave no reason".to_owned()),
            };
            self.ended = Some(match class {
                ErrorClass::Blocked if !last.given_up() => Ended::Blocked(why),
                _ => Ended::Failed(why),
            });
        }
    }

    /// Marks the attempt of an expired claim as unknown.
    pub fn doubt(&mut self, now: Timestamp, timers: &Timers) {
        if let Some(number) = self.last().map(|attempt| attempt.number) {
            let reason = "the sending process stopped before it could record the provider's answer".to_owned();
            self.record(number, SendOutcome::Unknown { reason }, now, timers);
        }
    }

    /// Gives up waiting for evidence after the deadline: acts by [`WhenUnknown`]. The attempt stays unknown, which is the
    /// truth, and late evidence still counts.
    ///
    /// A message that the provider provably never accepted is sent once more on its channel if it would end otherwise. A
    /// next channel is preferred, since it needs no proof.
    pub fn give_up_waiting(&mut self, evidence: Evidence, now: Timestamp, timers: &Timers) {
        let Some(attempt) = self.last() else {
            return;
        };
        if attempt.state != AttemptState::Unknown || attempt.given_up() {
            return;
        }
        let (leg, tries) = (attempt.leg, attempt.tries);
        let more_channels = self.leg_after(leg).is_some();
        let goes_on = more_channels && self.policy.when_unknown() == WhenUnknown::NextChannel;
        // A refusal is replaced by the next claim; a send with an unknown outcome stays and counts.
        let of_leg = self.attempts.iter().filter(|attempt| attempt.leg == leg);
        let open = !goes_on && self.ended.is_none() && !self.was_delivered();
        let again = open && u32::try_from(of_leg.count()).is_ok_and(|sends| sends < MAX_SENDS_UNKNOWN);
        let not_taken = evidence == Evidence::NotTaken;
        let on = if more_channels {
            "going on to the next channel"
        } else {
            "no channel is left"
        };
        let (class, then) = match self.policy.when_unknown() {
            _ if not_taken && again => (ErrorClass::RetryAfter, "sent once more"),
            WhenUnknown::SendAgain if tries < MAX_SENDS_UNKNOWN => {
                (ErrorClass::RetryAfter, "sent again, may arrive twice")
            }
            WhenUnknown::NextChannel | WhenUnknown::SendAgain => (ErrorClass::FallBack, on),
            WhenUnknown::Stop => (ErrorClass::Blocked, "left there"),
        };
        let next = match class {
            ErrorClass::RetryAfter => "again",
            ErrorClass::FallBack if more_channels => "next_channel",
            _ => "nothing",
        };
        let channel = self.plan.get(usize::from(leg)).map(|leg| leg.channel);
        let name = channel.map_or("the channel", Channel::name);
        let text = if not_taken {
            format!("{name} did not accept the message, according to the provider's list; {then}")
        } else {
            format!("{name} never said whether it accepted the message; {then}")
        };
        let why = Refusal::new(Reason::Unconfirmed, text).and("not_taken", not_taken);
        let why = why.and_if("channel", channel.map(Channel::as_str));
        let why = why.and("next", next);
        if let Some(attempt) = self.attempts.last_mut() {
            if not_taken {
                // It is given back. If it was sent after all, its price is counted once it is known.
                attempt.took.clear();
                for expected in &mut attempt.expected {
                    expected.millionths = 0;
                }
            }
            let (reason, because) = why.clone().split();
            attempt.error = Some(AttemptError {
                because,
                ..AttemptError::new(None, class, reason)
            });
        }
        self.remark(now, why);
        self.end_if_out_of_channels(now, timers);
        self.look_again(now, timers);
    }

    /// Skips a leg for a reason found before the claim, such as a landline.
    pub fn skip_leg(&mut self, leg: u8, claim: String, why: impl Into<Refusal>, now: Timestamp, timers: &Timers) {
        self.claim(leg, claim, now, timers);
        let (reason, because) = why.into().split();
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.state = AttemptState::Refused;
            attempt.error = Some(AttemptError {
                because,
                ..AttemptError::new(None, ErrorClass::FallBack, reason)
            });
        }
        self.end_if_out_of_channels(now, timers);
        self.look_again(now, timers);
    }

    /// Postpones the message until `until`, or a little longer if many wait for the same moment.
    pub fn postpone(&mut self, until: Timestamp, why: impl Into<Refusal>, now: Timestamp, timers: &Timers) {
        self.not_before = self.not_before.max(self.spread(until, now));
        self.wait_for_evidence(why, now, timers);
    }

    /// Whether it waits because its campaign is paused.
    pub fn is_held(&self) -> bool {
        self.is_pending() && self.remarked_since(Reason::CampaignPaused).is_some()
    }

    /// Whether it waits because a cap was reached after it was made. A later attempt ends the wait, whatever its outcome.
    pub fn waits_for_cap(&self) -> bool {
        let tried = self.last().is_some_and(|last| self.not_before <= last.claimed_at);
        self.is_pending() && !tried && self.remarked_since(Reason::CapReached).is_some()
    }

    /// Ends the wait for its campaign, which was resumed or cancelled.
    pub fn release(&mut self, now: Timestamp, timers: &Timers) {
        if self.is_held() {
            self.not_before = self.not_before.min(now);
            let why = Refusal::new(Reason::CampaignResumed, "its campaign is no longer paused");
            self.wait_for_evidence(why, now, timers);
        }
    }

    /// Waits longer for evidence on an attempt with an unknown outcome, with a remark that says for what.
    pub fn wait_for_evidence(&mut self, why: impl Into<Refusal>, now: Timestamp, timers: &Timers) {
        let why = why.into();
        if self.remarks.last().is_none_or(|last| last.text != why.sentence) {
            self.remark(now, why);
        }
        self.look_again(now, timers);
    }

    /// Postpones the message because this leg's connection cannot send before `until`.
    pub fn wait_for_connection(
        &mut self,
        leg: u8,
        until: Timestamp,
        why: impl Into<Refusal>,
        now: Timestamp,
        timers: &Timers,
    ) {
        self.keeps_waiting(leg, now);
        self.postpone(until, why, now, timers);
    }

    /// Blocks the message because a rule of sending forbids it.
    pub fn block(&mut self, why: impl Into<Refusal>) {
        let (why, because) = why.into().split();
        self.ended = Some(Ended::Blocked(why));
        self.because = because;
        self.due = None;
    }

    /// Whether something is left to cancel.
    pub fn is_pending(&self) -> bool {
        // If only a failure leads to the next channel, nothing is due and there is still something to cancel.
        let carried_by_the_last = self.last().is_some_and(|last| {
            matches!(last.state, AttemptState::Accepted | AttemptState::Sent) && self.leg_after(last.leg).is_none()
        });
        self.ended.is_none() && !self.was_delivered() && !carried_by_the_last
    }

    /// Cancels the message: no further channel is tried. An attempt in progress is still settled, and a sent one keeps its
    /// state. Returns false if nothing was left to cancel.
    pub fn cancel(&mut self, why: impl Into<Refusal>) -> bool {
        if !self.is_pending() {
            return false;
        }
        let (why, because) = why.into().split();
        self.ended = Some(Ended::Cancelled(why));
        self.because = because;
        if !self.is_under_way() {
            self.due = None;
        }
        true
    }

    /// Whether an attempt is in progress, or its outcome is still unknown.
    pub fn is_under_way(&self) -> bool {
        self.last().is_some_and(|last| {
            last.state == AttemptState::Claimed || last.state == AttemptState::Unknown && !last.given_up()
        })
    }

    /// Remarks something about what is sent now, once.
    pub fn note(&mut self, at: Timestamp, what: Refusal) {
        if self.remarks.iter().all(|known| known.text != what.sentence) {
            self.remark(at, what);
        }
    }

    fn remark(&mut self, at: Timestamp, what: Refusal) {
        // Whether it is held, or waits for a cap, is known from its last remark.
        let is_last = matches!(
            what.reason,
            Reason::CampaignPaused | Reason::CampaignResumed | Reason::CapReached
        );
        if is_last {
            self.remarks.truncate(MAX_REMARKS - 1);
        }
        if self.remarks.len() < MAX_REMARKS {
            self.remarks.push(Remark::new(at, what));
        }
    }
}
