//! Entries of a timeline: of a contact, or of a conversation with it. They stand for themselves, so that a page is shown with one request.

use domain::{
    calls::record::{ConsentEntry, Entry, Received},
    contacts::history::{HistoryKind, RecordShown},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use store::contacts::timeline::Placed;

use crate::happenings::{CallOut, MessageOut, Showing};

/// An entry of a contact's timeline. It has the field that is named after its kind.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TimelineEntryOut {
    /// Kind of the entry.
    kind: HistoryKind,
    /// Time by which the timeline is sorted: of a call and its message that of the call's first report, of a customer's message
    /// that of writing, of the others that of recording.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    at: Timestamp,
    /// The call.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<CallOut>,
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageOut>,
    /// The change of consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<TimelineConsent>,
    /// What else is recorded.
    #[serde(flatten)]
    record: RecordShown,
}

/// A change of consent in a timeline.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TimelineConsent {
    /// The change as a word, such as `stop`, `start`, `marketing_stop`, `marketing_start`.
    #[schemars(example = &"stop")]
    code: String,
    /// Source of the change, in words.
    #[schemars(example = &"asked for no more messages by SMS")]
    source: String,
    /// Time of the change.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    changed_at: Timestamp,
}

fn consent(entry: ConsentEntry) -> TimelineConsent {
    TimelineConsent {
        code: entry.what(),
        source: entry.source,
        changed_at: entry.at,
    }
}

impl Showing {
    /// An entry of a timeline.
    pub fn entry(&self, Placed { position, entry }: Placed) -> TimelineEntryOut {
        let mut shown = TimelineEntryOut {
            kind: position.kind(),
            at: position.at(),
            call: None,
            message: None,
            consent: None,
            record: RecordShown::default(),
        };
        match entry {
            Entry::Call(found) => shown.call = Some(self.call(*found)),
            Entry::Sent(message) => shown.message = Some(self.sent(*message)),
            Entry::Received(message) => shown.message = Some(self.received(*message)),
            Entry::Consent(entry) => shown.consent = Some(consent(entry)),
            Entry::Record(record) => shown.record = record.into(),
        }
        shown
    }
}

/// The customer's message of an entry, if it is one.
pub fn received(placed: &Placed) -> Option<&Received> {
    match &placed.entry {
        Entry::Received(message) => Some(message),
        _ => None,
    }
}
