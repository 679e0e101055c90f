//! Telephone calls: what providers report, how the reports of one call are merged, and when its outcome is decided.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

use crate::telephony::Recordings;
use crate::terms::{ConnectionId, Fact, Fault, FaultCode, Phone, ShownName};

/// Direction of a call or message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the customer to the business.
    Inbound,
    /// From the business to the customer.
    Outbound,
}

impl Direction {
    /// The name for software.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// Outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Somebody spoke.
    Answered,
    /// It rang and nobody picked up.
    Missed,
    /// The line was busy.
    Busy,
    /// The caller gave up early or in the menu.
    Abandoned,
    /// The caller left a recording.
    Voicemail,
    /// It came outside business hours.
    AfterHours,
    /// The call failed in the network.
    Failed,
    /// The provider did not report an outcome, or one that we do not know.
    #[serde(other)]
    Unknown,
}

words! {
    /// The name that people and providers use.
    Outcome {
        Answered = "answered",
        Missed = "missed",
        Busy = "busy",
        Abandoned = "abandoned",
        Voicemail = "voicemail",
        AfterHours = "after_hours",
        Failed = "failed",
        Unknown = "unknown",
    }
}

impl Outcome {
    /// The outcome with this name. Whoever reports one may use other words, for an outcome that is unknown; whoever asks for one may
    /// not.
    pub fn from_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }

    /// Whether the caller reached nobody, although they tried to.
    pub const fn nobody_answered(self) -> bool {
        matches!(
            self,
            Self::Missed | Self::Busy | Self::Abandoned | Self::Voicemail | Self::AfterHours
        )
    }
}

/// Reads an outcome that somebody asks for. Of reports, every other word means an unknown one.
///
/// # Errors
/// If it is another word.
pub fn asked_outcome<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Outcome, D::Error> {
    let known = Outcome::from_name(&String::deserialize(deserializer)?);
    known.ok_or_else(|| {
        let words = Outcome::ALL.map(Outcome::as_str);
        let fault = Fault::new(FaultCode::NotOneOf, format!("expected one of {}", words.join(", ")));
        fault.and("expected", words.iter().collect::<Fact>()).refuse()
    })
}

impl Outcome {
    /// Rank among outcomes stated for one call. The highest wins: first whether somebody was reached, then the more
    /// specific one.
    const fn rank(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Failed => 1,
            Self::Abandoned => 2,
            Self::Busy => 3,
            Self::Missed => 4,
            Self::AfterHours => 5,
            Self::Voicemail => 6,
            Self::Answered => 7,
        }
    }
}

/// An end of the call, as far as the provider reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    Phone(Phone),
    Sip(String),
    /// Hidden by the caller or not transmitted by the network: never messaged.
    Withheld,
}

impl Party {
    /// The number, where there is one.
    pub const fn phone(&self) -> Option<&Phone> {
        match self {
            Self::Phone(phone) => Some(phone),
            Self::Sip(_) | Self::Withheld => None,
        }
    }
}

/// The provider's status of the whole call (Twilio `CallStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// Ringing, queued or initiated.
    Ringing,
    /// Connected to something, perhaps only to our own announcement.
    InProgress,
    /// Cancelled before it connected.
    Canceled,
    /// Nobody answered.
    NoAnswer,
    /// Busy.
    Busy,
    /// The call failed in the network.
    Failed,
    /// The call connected and ended. Does not tell whether a person spoke.
    Completed,
}

/// The result of forwarding the call to the business (Twilio `DialCallStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DialStatus {
    /// The caller hung up while it rang.
    Canceled,
    /// The call failed in the network.
    Failed,
    /// Nobody picked up.
    NoAnswer,
    /// Busy.
    Busy,
    /// Somebody picked up.
    Answered,
}

impl DialStatus {
    const fn outcome(self) -> Outcome {
        match self {
            Self::Answered => Outcome::Answered,
            Self::NoAnswer => Outcome::Missed,
            Self::Busy => Outcome::Busy,
            Self::Canceled => Outcome::Abandoned,
            Self::Failed => Outcome::Failed,
        }
    }
}

/// Handling of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "HandlingModel"))]
#[serde(rename_all = "snake_case")]
pub enum Handling {
    /// Play an announcement and hang up.
    Greet,
    /// Record a voicemail at once.
    Voicemail,
    /// Forward the call to the business.
    Forward,
    /// The tenant's own call flow answers. Only its callbacks come here.
    OwnFlow,
}

/// Everything that is known about a call. Each field is filled by whichever report has it; [`CallFacts::merge`] is
/// commutative, associative and idempotent, so that reports may arrive in any order and any number of times.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallFacts {
    /// Direction of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Party>,
    /// The called side: for inbound calls the business's line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Party>,
    /// Time of its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Time of its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Ringing time in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ring_seconds: Option<u32>,
    /// Talking time in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub talk_seconds: Option<u32>,
    /// Length of the caller's recording in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voicemail_seconds: Option<u32>,
    /// Total length in seconds, announcements included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_seconds: Option<u32>,
    /// The caller's name, if the network transmits one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_name: Option<ShownName>,
    /// The provider's status of the whole call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<CallStatus>,
    /// The result of forwarding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dial: Option<DialStatus>,
    /// Handling of the call by our own answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handling: Option<Handling>,
    /// Whether our answer found the business closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<bool>,
    /// Time when it was picked up, perhaps by a machine of the business: does not tell whether a person spoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// The best of the attempts to reach somebody, if the provider reports each of them. Unless it is an answer, it counts
    /// only once the call has ended without a better one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried: Option<DialStatus>,
    /// The outcome that the provider states itself (the generic event).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stated: Option<Outcome>,
    #[serde(skip_serializing_if = "Recordings::is_empty")]
    pub recordings: Recordings,
}

/// A report of a call: a job on the queue `calls`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEvent {
    /// The connection whose webhook received it.
    pub connection: ConnectionId,
    /// Kind of telephone system.
    pub provider: CallProvider,
    /// The provider's id of the call.
    pub provider_call_id: String,
    pub received_at: Timestamp,
    pub facts: CallFacts,
}

/// The telephone systems that report calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CallProvider {
    /// Twilio Voice.
    Twilio,
    /// Any telephone system, through our generic signed event.
    Telephony,
    /// Aircall.
    Aircall,
    /// Vonage's Voice API.
    Vonage,
    /// Exotel.
    Exotel,
    /// Plivo.
    Plivo,
}

impl CallProvider {
    /// The name in keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Telephony => "telephony",
            Self::Aircall => "aircall",
            Self::Vonage => "vonage",
            Self::Exotel => "exotel",
            Self::Plivo => "plivo",
        }
    }

    /// Whether the sound of its recordings can be fetched. The others keep theirs to themselves.
    pub const fn gives_recordings(self) -> bool {
        matches!(self, Self::Twilio)
    }
}

/// Whether the outcome of a call is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Decide again at this time, if no further report arrives.
    Wait(Timestamp),
    Decided(Outcome),
}

/// A call whose end is never reported is decided as unknown after this long.
pub const MAX_CALL: SignedDuration = SignedDuration::from_hours(4);

/// Keeps the larger of two reported values.
fn keep_larger<T: Ord>(ours: &mut Option<T>, theirs: Option<T>) {
    if theirs > *ours {
        *ours = theirs;
    }
}

fn earlier(ours: Option<Timestamp>, theirs: Option<Timestamp>) -> Option<Timestamp> {
    match (ours, theirs) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn party_rank(party: &Party) -> (u8, &str) {
    match party {
        Party::Withheld => (0, ""),
        Party::Sip(address) => (1, address),
        Party::Phone(phone) => (2, phone.as_str()),
    }
}

fn keep_party(ours: &mut Option<Party>, theirs: Option<Party>) {
    if theirs.as_ref().map(party_rank) > ours.as_ref().map(party_rank) {
        *ours = theirs;
    }
}

impl CallFacts {
    /// Whether a customer who can be called back called, and nobody answered.
    pub fn is_missed(&self, outcome: Outcome) -> bool {
        let inbound = self.direction != Some(Direction::Outbound);
        inbound && outcome.nobody_answered() && *self.customer() != Party::Withheld
    }

    /// Merges another report of the same call.
    pub fn merge(&mut self, other: Self) {
        if self.direction != Some(Direction::Outbound) && other.direction.is_some() {
            self.direction = other.direction;
        }
        keep_party(&mut self.from, other.from);
        keep_party(&mut self.to, other.to);
        self.started_at = earlier(self.started_at, other.started_at);
        self.answered_at = earlier(self.answered_at, other.answered_at);
        keep_larger(&mut self.ended_at, other.ended_at);
        keep_larger(&mut self.ring_seconds, other.ring_seconds);
        keep_larger(&mut self.talk_seconds, other.talk_seconds);
        keep_larger(&mut self.voicemail_seconds, other.voicemail_seconds);
        keep_larger(&mut self.call_seconds, other.call_seconds);
        keep_larger(&mut self.caller_name, other.caller_name);
        keep_larger(&mut self.status, other.status);
        keep_larger(&mut self.dial, other.dial);
        keep_larger(&mut self.handling, other.handling);
        keep_larger(&mut self.closed, other.closed);
        keep_larger(&mut self.tried, other.tried);
        if self.stated.map(Outcome::rank) < other.stated.map(Outcome::rank) {
            self.stated = other.stated;
        }
        self.recordings.merge(other.recordings);
    }

    /// The customer's end of the call.
    pub fn customer(&self) -> &Party {
        let party = match self.direction {
            Some(Direction::Outbound) => &self.to,
            Some(Direction::Inbound) | None => &self.from,
        };
        party.as_ref().unwrap_or(&Party::Withheld)
    }

    /// The last reported moment of the call: its end, or else its beginning.
    pub fn last_heard(&self) -> Option<Timestamp> {
        self.ended_at.max(self.started_at)
    }

    /// The business's end of the call, if the provider names it.
    pub const fn business_number(&self) -> Option<&Party> {
        match self.direction {
            Some(Direction::Outbound) => self.from.as_ref(),
            Some(Direction::Inbound) | None => self.to.as_ref(),
        }
    }

    /// Ringing time in seconds: as reported, or what remains of the call's length without the talk. `None` if unknown.
    pub fn rang_seconds(&self) -> Option<u32> {
        self.ring_seconds.or_else(|| {
            // A call that our own announcement answered did not ring for all of that time.
            if self.handling.is_some_and(|handling| handling != Handling::Forward) {
                return None;
            }
            let whole = self.call_seconds.or_else(|| {
                let seconds = self.ended_at?.duration_since(self.started_at?).as_secs();
                u32::try_from(seconds).ok()
            })?;
            Some(whole.saturating_sub(self.talk_seconds.unwrap_or(0)))
        })
    }

    /// Decides the outcome, or says when to try again. `first_seen` is the time of the first report, `quiet` the time
    /// after the end of a call during which its dial result may still arrive.
    ///
    /// "Missed" never follows from `completed` alone: our own announcement also completes a call.
    pub fn verdict(&self, first_seen: Timestamp, now: Timestamp, quiet: SignedDuration) -> Verdict {
        if let Some(stated) = self.stated {
            return Verdict::Decided(stated);
        }
        if let Some(dial) = self.dial {
            return Verdict::Decided(self.unless_closed(dial.outcome()));
        }
        if self.tried == Some(DialStatus::Answered) {
            return Verdict::Decided(Outcome::Answered);
        }
        if self
            .voicemail_seconds
            .is_some_and(|seconds| seconds >= SHORTEST_VOICEMAIL_SECONDS)
        {
            return Verdict::Decided(self.unless_closed(Outcome::Voicemail));
        }
        match self.status {
            Some(CallStatus::NoAnswer) => Verdict::Decided(self.unless_closed(Outcome::Missed)),
            Some(CallStatus::Busy) => Verdict::Decided(self.unless_closed(Outcome::Busy)),
            Some(CallStatus::Canceled) => Verdict::Decided(self.unless_closed(Outcome::Abandoned)),
            Some(CallStatus::Failed) => Verdict::Decided(Outcome::Failed),
            // Nobody could have picked up, so no dial result is to be waited for.
            Some(CallStatus::Completed) if self.handling == Some(Handling::Greet) => {
                Verdict::Decided(self.unless_closed(Outcome::Missed))
            }
            Some(CallStatus::Completed) => {
                // The end is measured by the provider's clock: a wrong one must not delay the decision for ever.
                let ended = self.ended_at.unwrap_or(first_seen);
                let until = ended.clamp(first_seen, first_seen + MAX_CALL) + quiet;
                if now < until {
                    Verdict::Wait(until)
                } else {
                    Verdict::Decided(match self.handling {
                        Some(Handling::Voicemail | Handling::Greet) => self.unless_closed(Outcome::Missed),
                        Some(Handling::Forward) => self.unless_closed(Outcome::Abandoned),
                        Some(Handling::OwnFlow) | None => match self.tried {
                            Some(tried) => self.unless_closed(tried.outcome()),
                            None if self.answered_at.is_some() => Outcome::Answered,
                            None => Outcome::Unknown,
                        },
                    })
                }
            }
            Some(CallStatus::Ringing | CallStatus::InProgress) | None => {
                let until = first_seen + MAX_CALL;
                if now < until {
                    Verdict::Wait(until)
                } else {
                    Verdict::Decided(Outcome::Unknown)
                }
            }
        }
    }

    fn unless_closed(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Missed | Outcome::Busy | Outcome::Abandoned if self.closed == Some(true) => Outcome::AfterHours,
            other => other,
        }
    }
}

/// Minimum length of a recording. In a shorter one, the caller hung up at the tone.
pub const SHORTEST_VOICEMAIL_SECONDS: u32 = 2;
