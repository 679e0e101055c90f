//! Subjects: what a message is about, and where its values come from.

use jiff::Timestamp;

use crate::people::{Order, Shipment};
use crate::telephony::{CallFacts, Outcome, Party};
use crate::terms::{CallId, ConnectionId, Phone};

/// The subject of a message.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    Call(CallView<'a>),
    Order(OrderView<'a>),
    /// Nothing that has values: only the request for the message, or the message that it answers.
    Request,
    /// A request, for nobody in particular: values of the recipient are their placeholders, whatever length they have.
    Anybody,
}

/// An order with news.
#[derive(Debug, Clone, Copy)]
pub struct OrderView<'a> {
    pub order: &'a Order,
    /// The shipment that the news is about.
    pub shipment: Option<&'a Shipment>,
}

/// A call with a known outcome.
#[derive(Debug, Clone, Copy)]
pub struct CallView<'a> {
    pub id: CallId,
    /// The connection that reported it, preferred for sending if it can send.
    pub connection: ConnectionId,
    pub facts: &'a CallFacts,
    pub outcome: Outcome,
    /// Time of its beginning, or else of its first report.
    pub started_at: Timestamp,
}

impl Subject<'_> {
    /// The person's telephone number, if the subject has one.
    pub fn phone(&self) -> Option<&Phone> {
        match self {
            Self::Call(call) => call.facts.customer().phone(),
            Self::Order(_) | Self::Request | Self::Anybody => None,
        }
    }

    /// A short description, if there is something to describe.
    pub fn describe(&self) -> Option<String> {
        match self {
            Self::Call(call) => Some(call.describe()),
            Self::Order(view) => Some(format!("order {}", view.order.number.as_str())),
            Self::Request | Self::Anybody => None,
        }
    }
}

impl CallView<'_> {
    /// The last known moment of the call.
    pub fn last_heard(&self) -> Timestamp {
        self.facts.last_heard().unwrap_or(self.started_at)
    }

    /// A short name of the subject, such as "missed call to +97143330000".
    pub fn describe(&self) -> String {
        let what = match self.outcome {
            Outcome::Answered => "answered call",
            Outcome::Missed => "missed call",
            Outcome::Busy => "call while busy",
            Outcome::Abandoned => "abandoned call",
            Outcome::Voicemail => "voicemail",
            Outcome::AfterHours => "call after hours",
            Outcome::Failed => "failed call",
            Outcome::Unknown => "call",
        };
        match self.facts.business_number().and_then(Party::phone) {
            Some(line) => format!("{what} to {line}"),
            None => what.to_owned(),
        }
    }
}
