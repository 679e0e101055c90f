//! News of orders, as orders keep it: its events, and what became of each. What is news: [`Order::note_news`](crate::people::Order::note_news).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::terms::{MessageId, OneLine, Reason};

/// Age, by the shop's time, from which news is told to nobody.
const TOO_OLD_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// An event of an order. A later one replaces an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum OrderEvent {
    /// It was ordered.
    #[serde(rename = "order.created")]
    Created,
    /// It is paid, and has waited to be shipped for longer than the business wants.
    #[serde(rename = "order.late")]
    Late,
    /// A shipment is being prepared.
    #[serde(rename = "order.packed")]
    Packed,
    /// A shipment, or the whole order, has left.
    #[serde(rename = "order.shipped")]
    Shipped,
    /// All of it has arrived.
    #[serde(rename = "order.delivered")]
    Delivered,
    /// It was cancelled.
    #[serde(rename = "order.cancelled")]
    Cancelled,
}

words! {
    /// The word in the API, in keys, and in what is said of the message.
    OrderEvent {
        Created = "order.created",
        Late = "order.late",
        Packed = "order.packed",
        Shipped = "order.shipped",
        Delivered = "order.delivered",
        Cancelled = "order.cancelled",
    }
}

impl OrderEvent {
    /// Whether its message leaves in quiet hours, too: whoever has just ordered, or has cancelled, waits for the answer.
    pub const fn leaves_at_once(self) -> bool {
        matches!(self, Self::Created | Self::Cancelled)
    }
}

/// State of a piece of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NewsState {
    /// Its message is being made.
    Waiting,
    /// Its message was made.
    Told,
    /// It is told to nobody.
    Untold,
}

/// The reason why news is told to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Untold {
    /// There is no message for the event, or it is turned off.
    Disabled,
    /// It was reported more than a day later, or with an order that was older than a day when it was first reported.
    TooOld,
    /// The order is a test.
    Test,
    /// The order was further by then.
    Replaced,
    /// The order was cancelled by then.
    Cancelled,
    /// The shop took the state back, or the shipment was lost.
    Withdrawn,
    /// No telephone number of whoever ordered is known.
    NoNumber,
    /// No message could be made: `refusal` says why.
    Refused,
}

/// A piece of news of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderNews {
    /// Event.
    pub event: OrderEvent,
    /// Time of the event, by the shop.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub at: Timestamp,
    /// Reference of the shipment that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "1042.1"))]
    pub shipment: Option<OneLine<1, 64>>,
    /// State.
    pub state: NewsState,
    /// Its message, if it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// The reason why it is told to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Untold>,
    /// The reason why no message could be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", example = &"opted_out"))]
    pub refusal: Option<Reason>,
}

impl OrderNews {
    /// News that waits to be told.
    pub(crate) const fn new(event: OrderEvent, at: Timestamp, shipment: Option<OneLine<1, 64>>) -> Self {
        Self {
            event,
            at,
            shipment,
            state: NewsState::Waiting,
            message: None,
            reason: None,
            refusal: None,
        }
    }

    /// Whether its event is noted. If the shop took the state back before anybody was told, it is told once it is true again.
    pub(crate) fn is_noted(&self) -> bool {
        self.reason != Some(Untold::Withdrawn)
    }

    /// Whether it is told to nobody, since the shop's time of it is too long ago.
    pub fn is_too_old(&self, now: Timestamp) -> bool {
        is_too_old(self.at, now)
    }

    /// Records its message.
    pub const fn tell(&mut self, message: MessageId) {
        (self.state, self.message) = (NewsState::Told, Some(message));
    }

    /// Records that it is told to nobody.
    pub const fn leave_untold(&mut self, why: Untold) {
        (self.state, self.reason) = (NewsState::Untold, Some(why));
    }
}

/// Whether news of this time, or an order that was placed then, is told to nobody.
pub(crate) fn is_too_old(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) > TOO_OLD_AFTER
}
