//! Entries of a timeline: of a contact, or of a conversation with it. Each is complete, so that a page is shown with one request.

use std::str::FromStr;

use domain::calls::{Entry, Received};
use domain::people::{ConsentEntry, HistoryKind, RecordShown};
use domain::terms::{CallId, ContactItemId, Fault, MessageId, NoteId};
use jiff::Timestamp;
use kit::Problem;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use store::contacts::{Order, Placed, TimelinePosition};

use crate::Paging;
use crate::history::{CallOut, MessageOut, Showing};

/// The order of a timeline.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimelineOrder {
    /// The newest first.
    #[default]
    NewestFirst,
    /// The oldest first.
    OldestFirst,
}

impl TimelineOrder {
    /// The order of the rows, and the position before the page: from the cursor, or else the named entry.
    pub fn behind(self, paging: &Paging, from: Option<EntryId>) -> Result<(Order, Option<TimelinePosition>), Problem> {
        let order = match self {
            Self::NewestFirst => Order::NewestFirst,
            Self::OldestFirst => Order::OldestFirst,
        };
        Ok((
            order,
            paging
                .position::<TimelinePosition>()?
                .or(from.map(|EntryId(place)| place)),
        ))
    }
}

/// Id of an entry of a timeline: a call, a message or a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryId(TimelinePosition);

impl FromStr for EntryId {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        fn position_of<T: ContactItemId>(text: &str, kind: HistoryKind) -> Option<TimelinePosition> {
            let (_, own) = text.parse::<T>().ok()?.place();
            Some(TimelinePosition::new(kind, own))
        }
        let place = position_of::<CallId>(text, HistoryKind::Call)
            .or_else(|| position_of::<MessageId>(text, HistoryKind::Message))
            .or_else(|| position_of::<NoteId>(text, HistoryKind::Note));
        let expected = "must be the id of a call, a message or a note";
        place.map(Self).ok_or_else(|| Fault::format("id", EXAMPLE, expected))
    }
}

impl<'de> Deserialize<'de> for EntryId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(Fault::refuse)
    }
}

/// Example of an id.
const EXAMPLE: &str = "msg_01hq5c1ynyc0000000000000ab01hq5c1ynyc0000000000000cd";

impl JsonSchema for EntryId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TimelineEntryId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^(call|msg|note)_[0-9a-z]{52}$", "examples": [EXAMPLE]})
    }
}

/// An entry of a contact's timeline. It has the field that is named after its kind.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TimelineEntryOut {
    /// Kind of the entry.
    kind: HistoryKind,
    /// Time that sorts the timeline: the first report of a call, for the call and its message; the time of writing of a
    /// customer's message; the time of recording of all others.
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
    /// Another record of the contact's history.
    #[serde(flatten)]
    record: RecordShown,
}

/// A change of consent in a timeline.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TimelineConsent {
    /// The change as a word, such as `stop`, `start`, `marketing_stop`, `marketing_start`. With `end`, an import ends an opt-in that an
    /// import gave.
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
            Entry::Sent(message) => shown.message = Some(self.outbound_message(*message)),
            Entry::Received(message) => shown.message = Some(self.inbound_message(*message)),
            Entry::Consent(entry) => shown.consent = Some(consent(entry)),
            Entry::Record(record) => shown.record = record.into(),
        }
        shown
    }
}

/// The customer's message of an entry, if it is one.
pub fn received_message(placed: &Placed) -> Option<&Received> {
    match &placed.entry {
        Entry::Received(message) => Some(message),
        _ => None,
    }
}
