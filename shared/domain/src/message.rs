//! Messages: an intent to tell somebody something, and one attempt per channel tried.
//!
//! All of the state machine stands here and is pure: [`Message::next`] says what to do, the other methods move the
//! message. Whoever stores it does so under the condition that `version` is unchanged.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    ids::{CallId, ConnectionId, LineId, MessageId, SendKey, derived},
    outside::ProviderRef,
    phone::Phone,
    purpose::Policy,
    send::{Classified, ErrorClass, Timers, honoured},
};

pub use crate::purpose::{Category, WhenUnknown};

/// A way to reach a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// WhatsApp, by the Cloud API or through Twilio: the connection says which.
    #[serde(rename = "whatsapp")]
    WhatsApp,
    /// A text message.
    Sms,
}

impl Channel {
    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WhatsApp => "WhatsApp",
            Self::Sms => "SMS",
        }
    }
}

/// What a channel carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A template with its values filled in.
    Template(FilledTemplate),
    /// Free text.
    Text(String),
}

/// A template with its values filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilledTemplate {
    /// The template's name at Meta.
    pub name: String,
    /// The language code at Meta, such as `en_GB`.
    pub language: String,
    /// Values of the body's variables in order. Named templates carry the name beside the value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<TemplateValue>,
    /// The value of the text header's variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<TemplateValue>,
    /// Values of URL buttons, by the button's index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<(u8, String)>,
    /// Twilio's id of the same template (`HX…`), for WhatsApp through Twilio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sid: Option<String>,
}

/// One value in a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateValue {
    /// The variable's name, in templates with named variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The text.
    pub text: String,
}

/// One channel of a message's plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// The channel.
    pub channel: Channel,
    /// The connection that sends it.
    pub connection: ConnectionId,
    /// The connection's number that sends it, where the line names one of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<Phone>,
    /// What it carries.
    pub content: Content,
}

/// What is known, at the deadline, of a send whose outcome nobody could tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// No report came, which proves nothing.
    Silence,
    /// The provider was asked, and what it shows leaves no room for the message: it never took it.
    NotTaken,
}

/// Why a message exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A call.
    Call(CallId),
}

impl Cause {
    /// The id of the message that it leads to: the same however often it is acted upon.
    #[must_use]
    pub fn message_id(&self) -> MessageId {
        match self {
            Self::Call(call) => {
                let key = format!("message#{call}");
                MessageId::new(call.contact(), derived(call.own().timestamp_ms(), key.as_bytes()))
            }
        }
    }
}

/// To whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The telephone number; SMS needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// Meta's business-scoped user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bsuid: Option<String>,
}

/// How far an attempt has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// A worker is about to send it, or died doing so.
    Claimed,
    /// Nobody can tell whether the provider took it.
    Unknown,
    /// The provider refused it: nothing went out.
    Refused,
    /// The provider took it.
    Accepted,
    /// The provider passed it on.
    Sent,
    /// The provider took it and later gave it up.
    Failed,
    /// It reached the phone.
    Delivered,
    /// The person saw it.
    Read,
}

impl AttemptState {
    /// States only move to a higher rank, whatever order the reports come in. A late delivered or read overrides failed.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Claimed => 0,
            Self::Unknown => 1,
            Self::Refused => 2,
            Self::Accepted => 3,
            Self::Sent => 4,
            Self::Failed => 5,
            Self::Delivered => 6,
            Self::Read => 7,
        }
    }

    /// Whether the provider took the message, whatever became of it.
    #[must_use]
    pub const fn was_accepted(self) -> bool {
        self.rank() >= Self::Accepted.rank()
    }

    /// For people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }
}

/// What a provider charged for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The provider's price category, such as `utility`.
    pub category: String,
    /// The provider's price type: only `regular` is billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether it is billed.
    pub billable: bool,
    /// Units billed: segments of an SMS, else 1.
    pub units: u32,
}

/// Why an attempt did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptError {
    /// The provider's code, where it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// What to do about it.
    pub class: ErrorClass,
    /// A sentence for people.
    pub reason: String,
}

/// One channel tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counts all claims of the message, from 1; a retry on the same channel gets the next number.
    pub number: u32,
    /// Which leg of the plan.
    pub leg: u8,
    /// How often this leg was claimed.
    pub tries: u32,
    /// Who claimed it: a fresh id for every claim. Empty once its worker has recorded what came of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub claim: String,
    /// How far it has come.
    pub state: AttemptState,
    /// When it was claimed.
    pub claimed_at: Timestamp,
    /// The version of the connection's credentials under which it was claimed: others may belong to another account, which
    /// knows nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<u64>,
    /// The provider's id of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_ref: Option<ProviderRef>,
    /// When the provider took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// When it reached the phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// When the person saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// Why it did not succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<AttemptError>,
    /// What it cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

impl Attempt {
    /// Nobody could tell whether it went out, and what follows from that is decided: no longer waited for.
    #[must_use]
    pub fn given_up(&self) -> bool {
        self.state == AttemptState::Unknown
            && self
                .error
                .as_ref()
                .is_some_and(|error| error.class != ErrorClass::WaitForStatus)
    }

    /// Keeps the dearer of two reports, so that their order does not matter.
    fn add_cost(&mut self, cost: Cost) {
        let key = |cost: &Cost| (cost.billable, cost.units, cost.category.clone(), cost.kind.clone());
        if self.cost.as_ref().is_none_or(|known| key(&cost) > key(known)) {
            self.cost = Some(cost);
        }
    }
}

/// See [`Message::postpone`].
pub(crate) fn most_spread(wait: SignedDuration) -> SignedDuration {
    (wait / 5).clamp(SignedDuration::ZERO, LONGEST_SPREAD)
}

fn earliest(known: &mut Option<Timestamp>, at: Timestamp) {
    *known = Some(known.map_or(at, |known| known.min(at)));
}

/// Why a message will not go further.
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

/// The whole message's state, derived from its attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Not tried yet.
    Scheduled,
    /// A worker has claimed it.
    Sending,
    /// Nobody can tell whether the provider took it.
    Unknown,
    /// The provider took it.
    Accepted,
    /// The provider passed it on.
    Sent,
    /// It reached the phone.
    Delivered,
    /// The person saw it.
    Read,
    /// Every channel failed.
    Failed,
    /// Made unnecessary.
    Cancelled,
    /// Forbidden by a rule of sending.
    Blocked,
}

/// A remark in a message's history that its attempts do not show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// When.
    pub at: Timestamp,
    /// What, in a sentence.
    pub text: String,
}

/// An intent to tell somebody something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The message.
    pub id: MessageId,
    /// Why it exists.
    pub cause: Cause,
    /// What it may do, from when it was planned.
    pub policy: Policy,
    /// To whom.
    pub to: Recipient,
    /// The line that it is sent from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
    /// Channels in the order in which they are tried.
    pub plan: Vec<Leg>,
    /// One per leg tried, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// Business: not to be sent before.
    pub not_before: Timestamp,
    /// The leg that could have been sent but for its connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Safety: when somebody must look again. `None` when nothing is left to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// How often the dispatcher has queued it since it last moved.
    #[serde(default)]
    pub dispatches: u32,
    /// Why it will not go further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
    /// What the attempts do not show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// When planned.
    pub created_at: Timestamp,
    /// When it is deleted, by what its tenant had set when it was planned. `None`: never, as those of before there was that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_until: Option<Timestamp>,
    /// Follows the cause through logs and queues.
    pub correlation_id: String,
    /// Raised by every write; the condition of the next.
    pub version: u64,
}

/// A leg that waits for its connection: the number is too fast or restricted, or the connection does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Index into the plan.
    pub leg: u8,
    /// Start of the wait.
    pub since: Timestamp,
}

/// What to do with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing, ever.
    Done,
    /// Look again at this time.
    Wait(Timestamp),
    /// Check and claim this leg as this attempt.
    Try {
        /// Index into the plan.
        leg: u8,
        /// The attempt's number.
        number: u32,
    },
    /// The claim has expired: its outcome is unknown and must be settled by evidence.
    Doubt,
    /// Unknown for longer than the deadline: decide by [`WhenUnknown`].
    GiveUpWaiting,
}

/// What came of handing a message to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The provider took it.
    Accepted {
        /// The provider's id of the message.
        provider_ref: ProviderRef,
        /// Segments of an SMS, where the provider says.
        segments: Option<u32>,
    },
    /// The provider said no, or the request never left: nothing went out.
    Refused {
        /// The provider's code, where it gave one.
        code: Option<i64>,
        /// What the tables make of it.
        classified: Classified,
        /// A sentence for people, without message text or numbers.
        reason: String,
        /// The provider's `Retry-After`.
        retry_after: Option<SignedDuration>,
    },
    /// A time-out, or an answer that does not tell.
    Unknown {
        /// A sentence for people.
        reason: String,
    },
}

/// A provider's report on a message it took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Sent, delivered, read or failed.
    pub state: AttemptState,
    /// When, by the provider's clock.
    pub at: Timestamp,
    /// The provider's id of the message.
    pub provider_ref: ProviderRef,
    /// For `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<AttemptError>,
    /// What it cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// A leg refused for a passing reason is claimed this often, then it has failed.
pub const MOST_TRIES: u32 = 8;
/// By one channel a message is sent this often at most, where nobody could tell whether it went out: a one-time code, or what
/// was found not to have been taken.
const MOST_SENDS_UNKNOWN: u32 = 2;
const MOST_REMARKS: usize = 12;
/// Without a deadline of the rule's own, the next channel takes over from a connection that has not worked for this long.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);
/// The longest spread of messages that wait for the same moment.
const LONGEST_SPREAD: SignedDuration = SignedDuration::from_secs(60);
/// The dispatcher looks once a minute, and a provider's clock tells whole seconds.
const LITTLE_LATE: SignedDuration = SignedDuration::from_secs(5);

impl Message {
    /// The state of the whole, derived from the attempts: what a channel carried counts more than why the rest was left.
    #[must_use]
    pub fn state(&self) -> MessageState {
        let best = self
            .attempts
            .iter()
            .filter(|attempt| !attempt.given_up())
            .map(|attempt| attempt.state)
            .max_by_key(|state| match state {
                // For the whole, a channel still under way outranks one that failed.
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

    /// Whether it reached the phone on any channel.
    #[must_use]
    pub fn delivered(&self) -> bool {
        self.attempts
            .iter()
            .any(|attempt| attempt.state.rank() >= AttemptState::Delivered.rank())
    }

    /// Whether it is sure that nothing of it went out so far.
    #[must_use]
    pub fn nothing_went_out(&self) -> bool {
        self.attempts
            .iter()
            .all(|attempt| attempt.state == AttemptState::Refused)
    }

    /// The attempt of the leg tried last.
    #[must_use]
    pub fn last(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// The number that the next claim gets.
    #[must_use]
    pub fn next_number(&self) -> u32 {
        self.last().map_or(1, |attempt| attempt.number + 1)
    }

    fn leg_after(&self, leg: u8) -> Option<u8> {
        let next = leg.checked_add(1)?;
        (usize::from(next) < self.plan.len()).then_some(next)
    }

    /// What to do now.
    #[must_use]
    pub fn next(&self, now: Timestamp, timers: &Timers) -> Next {
        let after = |since: Timestamp, wait: SignedDuration, then: Next| {
            if now < since + wait {
                Next::Wait(since + wait)
            } else {
                then
            }
        };
        // What is under way is settled whatever else happened: the history must say whether it went out.
        match self.last() {
            Some(last) if last.state == AttemptState::Claimed => {
                return after(last.claimed_at, timers.claim, Next::Doubt);
            }
            Some(last) if last.state == AttemptState::Unknown && !last.given_up() => {
                return after(last.claimed_at, self.unknown_after(timers), Next::GiveUpWaiting);
            }
            _ => {}
        }
        if self.ended.is_some() || self.delivered() {
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
                // Only a failure leads on, and that is reported.
                Some(_) | None => Next::Done,
            },
            (_, Some(ErrorClass::Blocked)) => Next::Done,
            // Given up on, to be sent again: a one-time code, or what the provider never took.
            (AttemptState::Unknown, Some(ErrorClass::RetryAfter)) => at(attempt.leg),
            // Nothing went out. After `failed` something did: never again on the same channel, whatever the code.
            (AttemptState::Refused, Some(ErrorClass::RetryAfter | ErrorClass::TenantMustAct)) => at(attempt.leg),
            (AttemptState::Unknown | AttemptState::Refused | AttemptState::Failed, _) => on(),
        }
    }

    /// Whether waiting for this leg's connection until then takes longer than a customer is kept waiting for a message that was
    /// taken and not delivered, and another channel could carry it. All of the wait counts, not only what is left of it.
    #[must_use]
    pub fn outwaits(&self, leg: u8, until: Timestamp, now: Timestamp) -> bool {
        let patience = match self.policy.fallback_after_seconds() {
            0 => PATIENCE,
            seconds => SignedDuration::from_secs(seconds.into()),
        };
        self.leg_after(leg).is_some() && until.duration_since(self.waits_since(leg, now)) > patience
    }

    fn waits_since(&self, leg: u8, now: Timestamp) -> Timestamp {
        let known = self.waiting.filter(|waiting| waiting.leg == leg);
        known.map_or(now, |waiting| waiting.since.min(now))
    }

    fn keeps_waiting(&mut self, leg: u8, now: Timestamp) {
        self.waiting = Some(Waiting {
            leg,
            since: self.waits_since(leg, now),
        });
    }

    /// How long evidence is waited for: as the purpose has it, and no longer than the operator allows.
    fn unknown_after(&self, timers: &Timers) -> SignedDuration {
        self.policy.unknown_after().min(timers.unknown_deadline)
    }

    /// When the next channel is tried if this attempt is not delivered by then.
    fn fallback_at(&self, attempt: &Attempt) -> Timestamp {
        attempt.accepted_at.unwrap_or(attempt.claimed_at)
            + SignedDuration::from_secs(self.policy.fallback_after_seconds().into())
    }

    /// The time of the next channel, while the provider has the message and nothing is to be done but to wait.
    #[must_use]
    pub fn waits_for_delivery(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.last()?;
        let taken = matches!(last.state, AttemptState::Accepted | AttemptState::Sent);
        let waits = taken && self.ended.is_none() && !self.delivered() && self.policy.fallback_after_seconds() > 0;
        self.leg_after(last.leg).filter(|_| waits)?;
        Some(self.fallback_at(last)).filter(|until| now < *until)
    }

    /// Sets `due` to when somebody must look again. Called by every move below. A time that is set already stays if it comes only
    /// a little later than it must: moving it would write the due index twice. For the same reason it stays where it comes too
    /// early for the next channel: a delivery nearly always makes that look needless, and else the dispatcher moves it on.
    pub(crate) fn look_again(&mut self, now: Timestamp, timers: &Timers) {
        self.dispatches = 0;
        let due = match self.next(now, timers) {
            Next::Done => None,
            // Work that may happen now is queued at once; the index is the net under the queue.
            Next::Try { .. } | Next::Doubt | Next::GiveUpWaiting => Some(now + timers.first_due),
            Next::Wait(until) => Some(until),
        };
        let late = match self.last() {
            // Of a worker that died: what was to be looked at 90 seconds after it was planned is in time.
            Some(last) if last.state == AttemptState::Claimed => timers.first_due - timers.claim,
            _ => LITTLE_LATE,
        };
        let taken = self.last().is_some_and(|last| last.state.was_accepted());
        let early = |set: &Timestamp| taken && now < *set;
        let in_time = |set: &Timestamp| due.is_some_and(|due| (due <= *set || early(set)) && *set <= due + late);
        self.due = self.due.filter(in_time).or(due);
    }

    /// Claims a leg: the last write before the request. Only as [`Message::next`] says.
    pub fn claim(&mut self, leg: u8, claim: String, now: Timestamp, timers: &Timers) -> SendKey {
        let number = self.next_number();
        debug_assert_eq!(self.next(now, timers), Next::Try { leg, number });
        let before = self.last().filter(|last| last.leg == leg);
        let tries = before.map_or(1, |last| last.tries.saturating_add(1));
        // Of a refusal nothing more will ever be heard; of a send that was given up on, something may.
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
            provider_ref: None,
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

    /// Notes the credentials that the attempt just claimed is sent with.
    pub fn claimed_under(&mut self, credentials: u64) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.credentials = Some(credentials);
        }
    }

    /// Records what came of the request of attempt `number`. A status may have told more already: states only move on.
    /// Returns false where nothing changed.
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
                        billable: true,
                        units,
                    });
                }
                if !attempt.state.was_accepted() {
                    attempt.state = AttemptState::Accepted;
                    attempt.error = None;
                }
            }
            SendOutcome::Refused {
                code,
                classified,
                reason,
                retry_after,
            } => {
                let (leg, tries, state) = (before.leg, before.tries, before.state);
                if state.rank() > AttemptState::Unknown.rank() {
                    return false;
                }
                let mut class = classified.class;
                let wait = match class {
                    ErrorClass::RetryAfter if tries >= MOST_TRIES => None,
                    ErrorClass::RetryAfter => {
                        Some(retry_after.map_or_else(|| self.jittered(classified.back_off(tries), number), honoured))
                    }
                    ErrorClass::TenantMustAct => Some(timers.recheck),
                    _ => None,
                };
                let mut not_before = now;
                match wait {
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
                attempt.error = Some(AttemptError { code, class, reason });
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
                attempt.error = Some(AttemptError {
                    code: None,
                    class: ErrorClass::WaitForStatus,
                    reason,
                });
            }
        }
        // From here on nobody asks whose it was.
        self.attempts[index].claim.clear();
        if self.attempts[index] == before {
            return false;
        }
        self.end_if_out_of_channels(now, timers);
        self.look_again(now, timers);
        true
    }

    /// A wait that differs from message to message by up to a fifth, so that those refused together do not come back
    /// together.
    fn jittered(&self, wait: SignedDuration, number: u32) -> SignedDuration {
        let spread = (self.id.own().0 as u32).wrapping_add(number) % 41;
        wait.saturating_mul(80 + spread as i32) / 100
    }

    /// A moment from `until` on that differs from message to message, so that those which wait for the same do not wake
    /// together: at most a fifth of the wait later, and at most a minute.
    fn spread(&self, until: Timestamp, now: Timestamp) -> Timestamp {
        let place = i32::try_from(self.id.own().0 % 1000).unwrap_or_default();
        until + most_spread(until.duration_since(now)).saturating_mul(place) / 1000
    }

    /// Applies a provider's report to the attempt that it is about. Returns false where nothing changed: reports come in any
    /// order and any number, and end in the same.
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
                attempt.error = report.error;
            }
            // Two failures of one message: whichever comes first, the same one stays.
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
        if self.delivered()
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
        if over && self.ended.is_none() && !self.delivered() && self.next(now, timers) == Next::Done {
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

    /// The claim has expired: marks it unknown.
    pub fn doubt(&mut self, now: Timestamp, timers: &Timers) {
        if let Some(number) = self.last().map(|attempt| attempt.number) {
            let reason = "the sending process stopped before it could record the provider's answer".to_owned();
            self.record(number, SendOutcome::Unknown { reason }, now, timers);
        }
    }

    /// Nobody could tell within the deadline: acts by [`WhenUnknown`]. The attempt stays unknown, for that is the truth, and
    /// late evidence still counts.
    ///
    /// What was surely not taken is sent once more on its channel where the message would end otherwise. A next channel is
    /// preferred: it needs no proof.
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
        // A refusal is replaced by the next claim; a send of unknown outcome stays and counts.
        let of_leg = self.attempts.iter().filter(|attempt| attempt.leg == leg);
        let open = !goes_on && self.ended.is_none() && !self.delivered();
        let again = open && u32::try_from(of_leg.count()).is_ok_and(|sends| sends < MOST_SENDS_UNKNOWN);
        let not_taken = evidence == Evidence::NotTaken;
        let on = if more_channels {
            "going on to the next channel"
        } else {
            "no channel is left"
        };
        let (class, then) = match self.policy.when_unknown() {
            _ if not_taken && again => (ErrorClass::RetryAfter, "sent once more"),
            WhenUnknown::SendAgain if tries < MOST_SENDS_UNKNOWN => {
                (ErrorClass::RetryAfter, "sent again, may arrive twice")
            }
            WhenUnknown::NextChannel | WhenUnknown::SendAgain => (ErrorClass::FallBack, on),
            WhenUnknown::Stop => (ErrorClass::Blocked, "left there"),
        };
        let name = self
            .plan
            .get(usize::from(leg))
            .map_or("the channel", |leg| leg.channel.name());
        let text = if not_taken {
            format!("{name} did not take the message, by its provider's own list; {then}")
        } else {
            format!("{name} never said whether it took the message; {then}")
        };
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.error = Some(AttemptError {
                code: None,
                class,
                reason: text.clone(),
            });
        }
        self.remark(now, text);
        self.end_if_out_of_channels(now, timers);
        self.look_again(now, timers);
    }

    /// Nothing more will be tried on this leg now: skip it for a reason found before the claim, such as a landline.
    pub fn skip_leg(&mut self, leg: u8, claim: String, reason: String, now: Timestamp, timers: &Timers) {
        self.claim(leg, claim, now, timers);
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.state = AttemptState::Refused;
            attempt.error = Some(AttemptError {
                code: None,
                class: ErrorClass::FallBack,
                reason,
            });
        }
        self.end_if_out_of_channels(now, timers);
        self.look_again(now, timers);
    }

    /// "Not now": waits until `until`, or a little longer where many wait for the same moment.
    pub fn postpone(&mut self, until: Timestamp, why: String, now: Timestamp, timers: &Timers) {
        self.not_before = self.not_before.max(self.spread(until, now));
        self.wait_for_evidence(why, now, timers);
    }

    /// "Not known yet": says what is awaited before an attempt of unknown outcome is given up.
    pub fn wait_for_evidence(&mut self, why: String, now: Timestamp, timers: &Timers) {
        if self.remarks.last().is_none_or(|last| last.text != why) {
            self.remark(now, why);
        }
        self.look_again(now, timers);
    }

    /// "Not now": this leg's connection cannot send before `until`.
    pub fn wait_for_connection(&mut self, leg: u8, until: Timestamp, why: String, now: Timestamp, timers: &Timers) {
        self.keeps_waiting(leg, now);
        self.postpone(until, why, now, timers);
    }

    /// "Not ever": a rule of sending forbids it.
    pub fn block(&mut self, why: String) {
        self.ended = Some(Ended::Blocked(why));
        self.due = None;
    }

    /// Makes it unnecessary: no channel is tried from now on. What is under way is still settled, and what was carried
    /// already keeps its state. Returns false where nothing was left to cancel.
    pub fn cancel(&mut self, why: String) -> bool {
        // Where only a failure leads on, nothing is due and yet there is something to cancel.
        let carried_by_the_last = self.last().is_some_and(|last| {
            matches!(last.state, AttemptState::Accepted | AttemptState::Sent) && self.leg_after(last.leg).is_none()
        });
        if self.ended.is_some() || self.delivered() || carried_by_the_last {
            return false;
        }
        self.ended = Some(Ended::Cancelled(why));
        let under_way = self.last().is_some_and(|last| {
            last.state == AttemptState::Claimed || last.state == AttemptState::Unknown && !last.given_up()
        });
        if !under_way {
            self.due = None;
        }
        true
    }

    fn remark(&mut self, at: Timestamp, text: String) {
        if self.remarks.len() < MOST_REMARKS {
            self.remarks.push(Remark { at, text });
        }
    }
}
