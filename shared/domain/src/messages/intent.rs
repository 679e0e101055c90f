//! Intents: a content for a person, with its purpose and its cause.

use jiff::{SignedDuration, Timestamp};

use crate::messages::{Cause, Content, Draft, Referred, Subject};
use crate::terms::{
    Category, Channel, ConnectionId, LineId, MessageId, Narrowing, Phone, Purpose, Reason, Recipient, SmsText,
    TemplateUse, time_of_id,
};

/// An intent to say something to somebody.
#[derive(Debug, Clone)]
pub struct Intent<'a> {
    pub cause: Cause,
    pub purpose: Purpose,
    pub category: Category,
    /// Restrictions beyond the purpose's row.
    pub narrowing: Narrowing,
    /// The pause since the last message of the kind, if the purpose obeys one.
    pub cooldown: SignedDuration,
    pub to: Recipient,
    /// The line it is sent from. Its connections send it if they can.
    pub line: Option<LineId>,
    /// The connection that sends it if no line names another one, and it can.
    pub prefers: Option<ConnectionId>,
    /// The connection that alone may send it, whatever the line names.
    pub through: Option<Through<'a>>,
    /// Reason for sending it, in the sender's words.
    pub basis: Option<&'a str>,
    /// The message by WhatsApp that it answers or reacts to.
    pub refers: Option<Referred>,
    /// The message of the same conversation that goes first, if that may still be sent.
    pub after: Option<MessageId>,
    /// The content for each channel, in the order of the attempts.
    pub says: Vec<Says<'a>>,
    pub subject: Subject<'a>,
    /// Last known moment of its cause. Events with the person since then may make the message unnecessary.
    pub since: Timestamp,
    /// Earliest time to send.
    pub not_before: Timestamp,
    /// The author, in words: `rule "Missed calls"`.
    pub by: String,
}

impl Intent<'_> {
    /// A message about no call, to be sent now. It says nothing yet.
    pub fn new(cause: Cause, purpose: Purpose, category: Category, to: Recipient, by: &str, now: Timestamp) -> Self {
        Self {
            cause,
            purpose,
            category,
            narrowing: Narrowing::default(),
            cooldown: SignedDuration::ZERO,
            to,
            line: None,
            prefers: None,
            through: None,
            basis: None,
            refers: None,
            after: None,
            says: Vec::new(),
            subject: Subject::Request,
            since: now,
            not_before: now,
            by: by.to_owned(),
        }
    }

    /// Beginning of its cause. From then on, whoever writes on the business's own phone answers it: the owner may do so while the other
    /// telephone rings.
    pub fn began(&self) -> Timestamp {
        match (&self.subject, self.cause) {
            (Subject::Call(call), _) => call.started_at,
            (_, Cause::Answered { inbound, .. }) => time_of_id(inbound.own()),
            _ => self.since,
        }
    }
}

/// A connection that alone may send a message, such as the one that the person wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Through<'a> {
    pub connection: ConnectionId,
    /// Which of its numbers sends SMS. If it has not that one, only its messaging service sends.
    pub number: Option<&'a Phone>,
}

/// The content for one channel.
#[derive(Debug, Clone, Copy)]
pub struct Says<'a> {
    pub channel: Channel,
    pub words: Words<'a>,
}

/// A text or template, with the sources of its values.
#[derive(Debug, Clone, Copy)]
pub enum Words<'a> {
    Template(&'a TemplateUse),
    /// A text of an SMS.
    Text(&'a SmsText),
    /// Free text by WhatsApp, for a person whose service window is open.
    Free(&'a SmsText),
    /// Other content of WhatsApp, for a person whose service window is open.
    Draft(Draft<'a>),
    /// Content of another message, with its values.
    Ready(&'a Content),
    /// None, with the reason.
    None(&'static str),
}

impl Words<'_> {
    /// Whether WhatsApp carries them only in the open service window.
    pub(crate) const fn needs_window(&self) -> bool {
        match self {
            Self::Free(_) | Self::Draft(_) => true,
            Self::Ready(content) => content.needs_window(),
            Self::Template(_) | Self::Text(_) | Self::None(_) => false,
        }
    }

    /// The reason of the whole message, if nothing else can be sent instead of them.
    pub(crate) const fn reason(&self) -> Reason {
        match self {
            Self::Draft(_) => Reason::Content,
            Self::Ready(content) => match content {
                Content::Template(_) | Content::Text(_) => Reason::Template,
                _ => Reason::Content,
            },
            Self::Template(_) | Self::Text(_) | Self::Free(_) | Self::None(_) => Reason::Template,
        }
    }
}
