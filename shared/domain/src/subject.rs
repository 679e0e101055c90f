//! Subjects: what a message is about. Its values are taken from there.

use jiff::Timestamp;

use crate::{
    call::{CallFacts, Outcome, Party},
    ids::{CallId, ConnectionId},
    phone::Phone,
};

/// What a message is about.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// A call.
    Call(CallView<'a>),
}

/// A call whose outcome is known.
#[derive(Debug, Clone, Copy)]
pub struct CallView<'a> {
    /// The call.
    pub id: CallId,
    /// The connection that reported it: it is preferred for sending, where it can.
    pub connection: ConnectionId,
    /// What was reported.
    pub facts: &'a CallFacts,
    /// How it ended.
    pub outcome: Outcome,
    /// When it began, or when it was first heard of.
    pub started_at: Timestamp,
}

impl Subject<'_> {
    /// The person's telephone number, as far as the subject tells.
    #[must_use]
    pub fn phone(&self) -> Option<&Phone> {
        match self {
            Self::Call(call) => call.facts.customer().phone(),
        }
    }

    /// In a few words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Call(call) => call.describe(),
        }
    }
}

impl CallView<'_> {
    /// Such as "missed call to +97143330000".
    #[must_use]
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
        match self.facts.line().and_then(Party::phone) {
            Some(line) => format!("{what} to {line}"),
            None => what.to_owned(),
        }
    }
}
