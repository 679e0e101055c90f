//! Models of requests and responses.

use api::{CallOut, ContactName, PhoneOut, Showing};
use domain::calls::Grounds;
use domain::messages::{Ended, Message, MessageState};
use domain::reports::CallFilter;
use domain::telephony::{
    CallFacts, CallProvider, CallStatus, DialStatus, Direction, Handling, Outcome, Party, asked_outcome,
};
use domain::terms::{Channel, ConnectionId, Day, Facts, Fault, FaultCode, LineId, MessageId, Reason, RuleId};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use store::reports::KnownCall;

/// Conditions that the calls fulfil, all of them.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallQuery {
    /// First day, in the tenant's time zone. Default: six days before the last.
    #[schemars(example = "2026-11-14")]
    pub(crate) from: Option<Day>,
    /// Last day, in the tenant's time zone. Default: today.
    #[schemars(example = "2026-11-20")]
    pub(crate) to: Option<Day>,
    /// Outcome.
    #[serde(default, deserialize_with = "outcome")]
    #[schemars(with = "Outcome")]
    outcome: Option<Outcome>,
    /// Direction.
    #[serde(default)]
    #[schemars(with = "Direction")]
    direction: Option<Direction>,
    /// Line that was called.
    #[schemars(extend("x-refers" = true))]
    line: Option<LineId>,
    /// Rule that matched, also if no message followed.
    #[schemars(extend("x-refers" = true))]
    rule: Option<RuleId>,
    /// The decision as a word: `follow_up`, or the reason against a message: one of `x-codes` at the root of the document.
    #[serde(default, deserialize_with = "reason")]
    #[schemars(with = "String", length(max = 40), example = &"cooldown")]
    code: Option<Reason>,
    /// Whether the call is followed up: a provider accepted the message, whatever became of it then.
    followed_up: Option<bool>,
    /// Whether a cap or a failure stopped the message that was to follow the call, and no later one follows it.
    stopped: Option<bool>,
    /// Whether a customer called and nobody answered: missed, busy, abandoned, with a voicemail or after hours.
    unanswered: Option<bool>,
}

/// An outcome, if one is asked for.
fn outcome<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Outcome>, D::Error> {
    asked_outcome(deserializer).map(Some)
}

/// A reason that somebody asks for. Of rows, every other word is one of a newer version.
fn reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Reason>, D::Error> {
    let known = Reason::named(&String::deserialize(deserializer)?);
    let unknown = || {
        let detail =
            "expected the code of a decision, such as follow_up or cooldown; x-codes in the API's document lists all";
        Fault::new(FaultCode::NotOneOf, detail).refuse()
    };
    known.ok_or_else(unknown).map(Some)
}

impl CallQuery {
    pub(crate) const fn filter(&self) -> CallFilter {
        CallFilter {
            outcome: self.outcome,
            direction: self.direction,
            line: self.line,
            rule: self.rule,
            code: self.code,
            followed_up: self.followed_up,
            stopped: self.stopped,
            unanswered: self.unanswered,
        }
    }
}

/// The message that follows a call, or the last one that sends it again, in brief.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CallMessage {
    /// Id of the message.
    id: MessageId,
    /// State of the message.
    state: MessageState,
    /// Channel that was tried last, or else the first planned one.
    channel: Option<Channel>,
    /// The reason why the message goes no further, in one sentence. `null` if there is none.
    #[schemars(example = &"not sent: the customer has written since")]
    decision: Option<String>,
    /// The reason as a word: one of `x-codes` at the root of the document. `null` if there is none.
    #[schemars(with = "Option<String>", example = &"unnecessary")]
    code: Option<Reason>,
    /// Facts of that reason.
    facts: Facts,
}

impl From<Message> for CallMessage {
    fn from(message: Message) -> Self {
        let because = message.because();
        let (code, facts) = because.map(|because| (because.code, because.facts)).unzip();
        Self {
            id: message.id,
            state: message.state(),
            channel: message.current_leg().map(|leg| leg.channel),
            code,
            facts: facts.unwrap_or_default(),
            decision: message.ended.map(|ended| match ended {
                Ended::Cancelled(why) | Ended::Blocked(why) | Ended::Failed(why) => why,
            }),
        }
    }
}

/// A call in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CallEntry {
    /// Time that sorts lists of calls: the beginning, or else the decision.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    at: Timestamp,
    /// Contact who called or was called.
    contact: ContactName,
    /// The call.
    #[serde(flatten)]
    call: CallOut,
    /// The message that follows the call. `null` if there is none, or if it is no longer retained.
    message: Option<CallMessage>,
}

impl CallEntry {
    pub(crate) fn of(KnownCall { call, contact, message }: KnownCall, showing: &Showing) -> Self {
        Self {
            at: call.happened_at(),
            contact: ContactName::from(&contact),
            call: showing.call(call),
            message: message.map(CallMessage::from),
        }
    }
}

/// A call with everything that is known of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CallDetails {
    /// The call.
    #[serde(flatten)]
    call: CallEntry,
    /// Telephone system that reported the call.
    provider: CallProvider,
    /// Connection of the telephone system.
    connection_id: ConnectionId,
    /// Id of the call in the telephone system.
    #[schemars(example = &"CA0123456789abcdef0123456789abcdef")]
    provider_call_id: String,
    /// Report of the telephone system.
    reported: CallReport,
    /// Facts behind the decision, as they were then.
    grounds: CallGrounds,
    /// Correlation id of the call, as in the logs.
    #[schemars(example = "JKJaXmPLvHcESHA=")]
    correlation_id: String,
}

impl CallDetails {
    pub(crate) fn of(known: KnownCall, showing: &Showing) -> Self {
        let call = &known.call;
        Self {
            provider: call.provider,
            connection_id: call.connection,
            provider_call_id: call.provider_call_id.clone(),
            reported: CallReport::from(&call.facts),
            grounds: CallGrounds::from(&call.grounds),
            correlation_id: call.correlation_id.clone(),
            call: CallEntry::of(known, showing),
        }
    }
}

/// The calling or called side of a call.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct CallParty {
    /// Telephone number. `null` if there is none.
    phone: Option<PhoneOut>,
    /// SIP address. `null` if there is none.
    #[schemars(example = &"sip:reception@example.com")]
    sip: Option<String>,
    /// True if the number is hidden.
    withheld: bool,
}

impl From<&Party> for CallParty {
    fn from(party: &Party) -> Self {
        match party {
            Party::Phone(phone) => Self {
                phone: Some(PhoneOut::from(phone.clone())),
                ..Self::default()
            },
            Party::Sip(address) => Self {
                sip: Some(address.clone()),
                ..Self::default()
            },
            Party::Withheld => Self {
                withheld: true,
                ..Self::default()
            },
        }
    }
}

/// The reports of a telephone system on one call. Unreported values are `null`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CallReport {
    /// Calling side.
    from: Option<CallParty>,
    /// Called side: the number of the business for an inbound call.
    to: Option<CallParty>,
    /// Name of the caller, if the network transmits one.
    #[schemars(example = &"Maya Haddad")]
    caller_name: Option<String>,
    /// Time when the call was picked up, perhaps by a machine of the business.
    #[schemars(example = "2026-11-20T10:00:05Z")]
    answered_at: Option<Timestamp>,
    /// End of the call.
    #[schemars(example = "2026-11-20T10:00:47Z")]
    ended_at: Option<Timestamp>,
    /// Ringing time in seconds.
    #[schemars(example = 20)]
    ring_seconds: Option<u32>,
    /// Total length in seconds, announcements included.
    #[schemars(example = 47)]
    call_seconds: Option<u32>,
    /// Status of the whole call.
    status: Option<CallStatus>,
    /// Result of forwarding the call to the business.
    dial: Option<DialStatus>,
    /// Handling of the call by the answer of a connection.
    handling: Option<Handling>,
    /// Whether that answer found the business closed.
    closed: Option<bool>,
    /// Outcome that the telephone system stated itself.
    stated: Option<Outcome>,
}

impl From<&CallFacts> for CallReport {
    fn from(facts: &CallFacts) -> Self {
        Self {
            from: facts.from.as_ref().map(CallParty::from),
            to: facts.to.as_ref().map(CallParty::from),
            caller_name: facts.caller_name.as_deref().map(str::to_owned),
            answered_at: facts.answered_at,
            ended_at: facts.ended_at,
            ring_seconds: facts.ring_seconds,
            call_seconds: facts.call_seconds,
            status: facts.status,
            dial: facts.dial,
            handling: facts.handling,
            closed: facts.closed,
            stated: facts.stated,
        }
    }
}

/// Facts behind the decision about a call. They stay what they were, whatever changes.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CallGrounds {
    /// Rule that matched. `null` if none did.
    rule_id: Option<RuleId>,
    /// Version of that rule.
    #[schemars(example = 3)]
    rule_version: Option<u64>,
    /// Cooldown of that rule in seconds.
    #[schemars(example = 86_400)]
    cooldown_seconds: Option<u32>,
    /// Line that was called. `null` if it was none of the tenant's lines.
    line_id: Option<LineId>,
    /// Version of the tenant's configuration.
    #[schemars(example = 12)]
    config_version: u64,
    /// Whether the caller was new.
    new_caller: bool,
    /// Whether the business was open.
    open: bool,
    /// Whether the caller had opted in.
    opted_in: bool,
    /// Whether the caller had refused messages.
    opted_out: bool,
    /// Whether the caller had refused marketing.
    marketing_opted_out: bool,
    /// Time of the last follow-up, the start of the cooldown. `null` if there was none.
    #[schemars(example = "2026-11-19T10:00:00Z")]
    last_follow_up_at: Option<Timestamp>,
    /// Time of the caller's last message, if it was after the call.
    #[schemars(example = "2026-11-20T10:00:30Z")]
    last_inbound_at: Option<Timestamp>,
    /// Time of the caller's last answered call, if it was after this one.
    #[schemars(example = "2026-11-20T10:00:40Z")]
    last_answered_at: Option<Timestamp>,
    /// Time of the last message to the caller from the business's own phone, if it was after the beginning of the call.
    #[schemars(example = "2026-11-20T10:00:20Z")]
    last_by_phone_at: Option<Timestamp>,
}

impl From<&Grounds> for CallGrounds {
    fn from(grounds: &Grounds) -> Self {
        Self {
            rule_id: grounds.rule,
            rule_version: grounds.rule_version,
            cooldown_seconds: grounds.cooldown_seconds,
            line_id: grounds.line,
            config_version: grounds.config_version,
            new_caller: grounds.new_caller,
            open: grounds.open,
            opted_in: grounds.opted_in,
            opted_out: grounds.opted_out,
            marketing_opted_out: grounds.marketing_opted_out,
            last_follow_up_at: grounds.last_follow_up_at,
            last_inbound_at: grounds.last_inbound_at,
            last_answered_at: grounds.last_answered_at,
            last_by_phone_at: grounds.last_by_phone_at,
        }
    }
}
