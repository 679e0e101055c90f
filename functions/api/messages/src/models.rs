//! Models of requests and responses.

use api::{ContactName, Failure, MessageOut, PhoneOut, Showing};
use domain::calls::Received;
use domain::messages::{Attempt, AttemptState, Cost, Leg, Message, MessageState};
use domain::money::{Currency, decimal_amount};
use domain::reports::MessageFilter;
use domain::telephony::Direction;
use domain::terms::{Actor, Channel, ConnectionId, Day, MessageId, Purpose};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::reports::{Exchanged, KnownMessage};

/// Conditions that the messages fulfil, all of them.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageQuery {
    /// First day, in the tenant's time zone. Default: six days before the last.
    #[schemars(example = "2026-11-14")]
    pub(crate) from: Option<Day>,
    /// Last day, in the tenant's time zone. Default: today.
    #[schemars(example = "2026-11-20")]
    pub(crate) to: Option<Day>,
    /// Direction.
    #[serde(default)]
    #[schemars(with = "Direction")]
    direction: Option<Direction>,
    /// State of outbound messages. With `failed` and `blocked`, messages of broadcasts are listed, too.
    #[serde(default)]
    #[schemars(with = "MessageState")]
    state: Option<MessageState>,
    /// Channel: the last tried one of an outbound message, or else its first planned one.
    #[serde(default)]
    #[schemars(with = "Channel")]
    channel: Option<Channel>,
    /// Purpose of outbound messages.
    #[serde(default)]
    #[schemars(with = "Purpose")]
    purpose: Option<Purpose>,
}

impl MessageQuery {
    pub(crate) const fn filter(&self) -> MessageFilter {
        MessageFilter {
            direction: self.direction,
            state: self.state,
            channel: self.channel,
            purpose: self.purpose,
        }
    }
}

/// A message in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MessageEntry {
    /// Time that sorts lists of messages: planning of an outbound message, writing of an inbound one.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    at: Timestamp,
    /// Contact who got the message, or wrote it.
    contact: ContactName,
    /// The message.
    #[serde(flatten)]
    message: MessageOut,
}

impl MessageEntry {
    pub(crate) fn of(KnownMessage { message, contact }: KnownMessage, showing: &Showing) -> Self {
        let contact = ContactName::from(&contact);
        match message {
            Exchanged::Sent(message) => Self {
                at: message.created_at,
                contact,
                message: showing.outbound_message(*message),
            },
            Exchanged::Received(received) => Self {
                at: received.message.at,
                contact,
                message: showing.inbound_message(*received),
            },
        }
    }
}

/// A message with everything that is known of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MessageDetails {
    /// The message.
    #[serde(flatten)]
    message: MessageEntry,
    /// Deadline for sending an outbound message. `null` for an inbound one.
    #[schemars(example = "2026-11-23T10:00:00Z")]
    valid_until: Option<Timestamp>,
    /// Attempts to send an outbound message, the first one first.
    attempts: Vec<MessageAttempt>,
    /// The provider's report about an inbound message. `null` for an outbound one.
    reported: Option<MessageReport>,
    /// The request for an outbound message.
    #[serde(flatten)]
    request: MessageOrigin,
    /// Correlation id of the message, as in the logs. An outbound one has the id of its cause.
    #[schemars(example = "JKJaXmPLvHcESHA=")]
    correlation_id: String,
}

impl MessageDetails {
    pub(crate) fn of(known: KnownMessage, showing: &Showing) -> Self {
        let (valid_until, attempts, reported, correlation_id) = match &known.message {
            Exchanged::Sent(message) => (
                message.created_at.checked_add(message.policy.validity()).ok(),
                MessageAttempt::all_of(message),
                None,
                message.correlation_id.clone(),
            ),
            Exchanged::Received(received) => (
                None,
                Vec::new(),
                Some(MessageReport::from(received.as_ref())),
                received.correlation_id.clone(),
            ),
        };
        Self {
            request: MessageOrigin::of(&known.message),
            message: MessageEntry::of(known, showing),
            valid_until,
            attempts,
            reported,
            correlation_id,
        }
    }
}

/// The request for a message, if it was requested.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct MessageOrigin {
    /// User or API key that requested the message. `null` if nobody did, such as for a follow-up to a call.
    requested_by: Option<Actor>,
    /// Ground for sending a requested message, as the request states it. `null` if it states none.
    #[schemars(example = &"Order 1042, placed on 20 November")]
    basis: Option<String>,
    /// Message that this one sends again. `null` if there is none.
    retries: Option<MessageId>,
    /// Message that sends this one again. `null` if there is none.
    retried_as: Option<MessageId>,
}

impl MessageOrigin {
    fn of(message: &Exchanged) -> Self {
        let Exchanged::Sent(message) = message else {
            return Self::default();
        };
        Self {
            requested_by: message.cause.requested_by(),
            basis: message.basis.clone(),
            retries: message.cause.retries(),
            retried_as: message.retried_as,
        }
    }
}

/// An attempt to send a message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MessageAttempt {
    /// Number of the attempt, from 1.
    #[schemars(example = 1)]
    number: u32,
    /// Channel.
    channel: Option<Channel>,
    /// Connection that sent it.
    connection_id: Option<ConnectionId>,
    /// State of the attempt.
    state: AttemptState,
    /// The reason why it failed.
    #[serde(flatten)]
    failure: Failure,
    /// Beginning of the attempt.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    began_at: Timestamp,
    /// Time since which its outcome is unknown. `null` if it is known.
    #[schemars(example = "2026-11-20T10:01:00Z")]
    unknown_at: Option<Timestamp>,
    /// Time when the provider accepted it. `null` if it did not.
    #[schemars(example = "2026-11-20T10:00:01Z")]
    accepted_at: Option<Timestamp>,
    /// Time of delivery to the phone. `null` if it was not reported.
    #[schemars(example = "2026-11-20T10:00:02Z")]
    delivered_at: Option<Timestamp>,
    /// Time when the person read it. `null` if it was not reported.
    #[schemars(example = "2026-11-20T10:00:30Z")]
    read_at: Option<Timestamp>,
    /// The provider's id of the message. `null` if it did not accept it.
    #[schemars(example = &"wamid.HBgMOTcxNTAxMjM0NTY3")]
    provider_ref: Option<String>,
    /// Charge of the provider. `null` if it was not reported.
    cost: Option<MessageCost>,
}

impl MessageAttempt {
    fn all_of(message: &Message) -> Vec<Self> {
        let leg = |attempt: &Attempt| message.plan.get(usize::from(attempt.leg));
        let attempts = message.attempts.iter();
        attempts.map(|attempt| Self::of(attempt, leg(attempt))).collect()
    }

    fn of(attempt: &Attempt, leg: Option<&Leg>) -> Self {
        Self {
            number: attempt.number,
            channel: leg.map(|leg| leg.channel),
            connection_id: leg.map(|leg| leg.connection),
            state: attempt.state,
            failure: Failure::of(Some(attempt)),
            began_at: attempt.claimed_at,
            unknown_at: attempt.unknown_at,
            accepted_at: attempt.accepted_at,
            delivered_at: attempt.delivered_at,
            read_at: attempt.read_at,
            provider_ref: attempt.provider_ref.as_ref().map(ToString::to_string),
            cost: attempt.cost.as_ref().map(MessageCost::from),
        }
    }
}

/// The charge of a provider, in its own terms.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MessageCost {
    /// Price category of the provider.
    #[schemars(example = &"utility")]
    category: String,
    /// Price type of the provider. Only `regular` is billed. `null` if it has none.
    #[schemars(example = &"regular")]
    kind: Option<String>,
    /// Whether the message is billed. `null` if the provider names a price type that is not known.
    billable: Option<bool>,
    /// Billed units: segments of an SMS, otherwise 1.
    #[schemars(example = 1)]
    units: u32,
    /// Price for all units, as a decimal number, if the provider states it. `null` otherwise: `usage` estimates it.
    #[schemars(example = &"0.0480")]
    amount: Option<String>,
    /// Currency of `amount` by ISO 4217.
    #[schemars(example = &"USD")]
    currency: Option<Currency>,
}

impl From<&Cost> for MessageCost {
    fn from(cost: &Cost) -> Self {
        Self {
            category: cost.category.clone(),
            kind: cost.kind.clone(),
            billable: cost.billable,
            units: cost.units,
            amount: cost.amount.as_ref().map(|money| decimal_amount(money.millionths)),
            currency: cost.amount.as_ref().map(|money| money.currency.clone()),
        }
    }
}

/// The report of a provider on a customer's message.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MessageReport {
    /// Connection that received it.
    connection_id: ConnectionId,
    /// The provider's id of the message.
    #[schemars(example = &"wamid.HBgMOTcxNTAxMjM0NTY3")]
    provider_ref: String,
    /// Name of the sender. `null` if it was not reported.
    #[schemars(example = &"Maya Haddad")]
    name: Option<String>,
    /// Number that it was sent to. `null` if the connection alone says it.
    to: Option<PhoneOut>,
    /// Content of the button that was pressed, as it was sent to the customer. `null` if none was.
    #[schemars(example = &"book_again")]
    button: Option<String>,
    /// The provider's id of the message that it answers. `null` if it answers none.
    #[schemars(example = &"wamid.HBgMOTcxNTAxMjM0NTY4")]
    reply_to: Option<String>,
    /// True if another assistant held the conversation, so that the message was only stored.
    standby: bool,
}

impl From<&Received> for MessageReport {
    fn from(received: &Received) -> Self {
        let message = &received.message;
        Self {
            connection_id: received.connection,
            provider_ref: message.provider_ref.to_string(),
            name: message.from.name.as_deref().map(str::to_owned),
            to: message.to.clone().map(PhoneOut::from),
            button: message.payload.clone(),
            reply_to: message.reply_to.as_ref().map(ToString::to_string),
            standby: message.standby,
        }
    }
}
