//! The history of a contact: calls, messages, changes of consent, and what else is recorded about it.
//!
//! Timeline, archives, exports, retention, erasure, counters and the audit log know the kinds from here alone. A new kind is a type of its
//! own and an entry of `records!`, beside its operations in the API.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use ulid::Ulid;

use crate::people::{Conversion, Merge, MergeShown, Note, Order};
use crate::terms::{Actor, ContactId, ContactItemId, ConversionId, MergeId, NoteId, OrderId, UserId};

/// Something that is recorded about a contact, and belongs to nobody else.
pub trait Recorded: Serialize + DeserializeOwned + Clone + Send + Sync {
    /// Type of its ids.
    type Id: ContactItemId;
    const KIND: HistoryKind;
    /// Name of its kind.
    const WORD: &'static str = Self::KIND.word();
    const MAX: u32;
    /// Name of the action that creates one, in errors.
    const CREATE: &'static str;
    /// Name of the action that changes one, in errors.
    const CHANGE: &'static str;
    /// Name of the action that deletes one, in errors.
    const DELETE: &'static str;

    fn id(&self) -> Self::Id;

    /// The users whom it mentions.
    fn mentions(&self) -> &[UserId];
}

macro_rules! records {
    ($($word:ident: $kind:ident {
        id: $id:ty, shown: $shown:ty, list: $list:literal, meaning: $meaning:literal, max: $max:expr, author: $author:ident,
        private: $private:expr, counters: $counters:expr, mentions: $mentions:expr $(,)?
    })+) => {
        /// Kind of an entry.
        // In the order of happening at one moment: a message follows its call.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TimelineKind"))]
        #[serde(rename_all = "snake_case")]
        pub enum HistoryKind {
            /// Calls.
            Call,
            /// Messages in both directions.
            Message,
            /// Changes of consent.
            Consent,
            $(#[doc = $meaning] $kind,)+
        }

        impl HistoryKind {
            pub const ALL: [Self; 3 + Self::RECORDS.len()] =
                [Self::Call, Self::Message, Self::Consent, $(Self::$kind),+];

            /// The kinds of [`Record`]s.
            pub const RECORDS: [Self; [$(stringify!($word)),+].len()] = [$(Self::$kind),+];

            /// The kind of records with this name.
            pub fn of_records(word: &str) -> Option<Self> {
                Self::RECORDS.into_iter().find(|kind| kind.word() == word)
            }

            /// Name of one, in rows, timelines and the audit log.
            pub const fn word(self) -> &'static str {
                match self {
                    Self::Call => "call",
                    Self::Message => "message",
                    Self::Consent => "consent",
                    $(Self::$kind => stringify!($word),)+
                }
            }

            /// Name of a list of them, in archives and in paths of the API, and what it means.
            pub const fn list(self) -> (&'static str, &'static str) {
                match self {
                    Self::Call => ("calls", "Calls, with the decision about a message after each."),
                    Self::Message => ("messages", "Messages in both directions, with their texts."),
                    Self::Consent => ("consent", "Changes of what the person refuses and wants, with the proof of each."),
                    $(Self::$kind => ($list, $meaning),)+
                }
            }

            /// Fields with texts of people, which the audit log does not repeat.
            pub const fn private(self) -> &'static [&'static str] {
                match self {
                    $(Self::$kind => &$private,)+
                    Self::Call | Self::Message | Self::Consent => &[],
                }
            }

            /// The id of a record, by the contact and its own part.
            pub fn record_id(self, contact: ContactId, own: Ulid) -> Option<String> {
                match self {
                    $(Self::$kind => Some(<$id>::new(contact, own).to_string()),)+
                    Self::Call | Self::Message | Self::Consent => None,
                }
            }
        }

        /// Something that is recorded about a contact.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Record {
            $(#[doc = $meaning] $kind($kind),)+
        }

        impl Record {
            /// Reads one of this kind. `None` if there are no such records.
            pub fn read<'de, D: Deserializer<'de>>(kind: HistoryKind, data: D) -> Option<Result<Self, D::Error>> {
                match kind {
                    $(HistoryKind::$kind => Some($kind::deserialize(data).map(Self::$kind)),)+
                    HistoryKind::Call | HistoryKind::Message | HistoryKind::Consent => None,
                }
            }

            /// Its author, if it has one, and the name of the field that says it.
            pub fn author(&self) -> (&'static str, Option<Actor>) {
                match self {
                    $(Self::$kind(record) => (stringify!($author), record.$author.into()),)+
                }
            }

            /// The counters of a day that it raises, with the increase of each.
            pub fn counters(&self) -> Vec<(String, u64)> {
                match self {
                    $(Self::$kind(record) => $counters(record),)+
                }
            }
        }

        /// A record as the timeline shows it: in the field that is named after its kind.
        #[derive(Debug, Default, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct RecordShown {
            $(
                #[doc = concat!("The ", stringify!($word), ".")]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $word: Option<$shown>,
            )+
        }

        impl From<Record> for RecordShown {
            fn from(record: Record) -> Self {
                let mut shown = Self::default();
                match record {
                    $(Record::$kind(record) => shown.$word = Some(record.into()),)+
                }
                shown
            }
        }

        $(
            impl Recorded for $kind {
                type Id = $id;
                const KIND: HistoryKind = HistoryKind::$kind;
                const MAX: u32 = $max;
                const CREATE: &'static str = concat!("create a ", stringify!($word));
                const CHANGE: &'static str = concat!("change a ", stringify!($word));
                const DELETE: &'static str = concat!("delete a ", stringify!($word));

                fn id(&self) -> $id {
                    self.id
                }

                fn mentions(&self) -> &[UserId] {
                    $mentions(self)
                }
            }

            impl From<$kind> for Record {
                fn from(record: $kind) -> Self {
                    Self::$kind(record)
                }
            }
        )+
    };
}

/// The counters of what is not counted.
const fn no_counters<T>(_: &T) -> Vec<(String, u64)> {
    Vec::new()
}

const fn no_mentions<T>(_: &T) -> &[UserId] {
    &[]
}

records! {
    note: Note {
        id: NoteId, shown: Note, list: "notes", meaning: "Notes of users, with their authors.",
        max: 500, author: author, private: ["text"], counters: no_counters, mentions: Note::mentioned_users,
    }
    conversion: Conversion {
        id: ConversionId, shown: Conversion, list: "conversions",
        meaning: "What the business counts as a success with the person, such as an order.",
        max: 1_000, author: created_by, private: ["reference", "value"], counters: Conversion::counters, mentions: no_mentions,
    }
    // Written with the contacts that it merges, and there are few of them.
    merge: Merge {
        id: MergeId, shown: MergeShown, list: "merges",
        meaning: "Other contacts that turned out to be the same person, and were merged into this one.",
        max: u32::MAX, author: by, private: [], counters: no_counters, mentions: no_mentions,
    }
    order: Order {
        id: OrderId, shown: Order, list: "orders", meaning: "Orders of the person in a shop of the business.",
        max: 10_000, author: created_by, private: ["number", "contents", "shipments", "products", "news"], counters: Order::counters,
        mentions: no_mentions,
    }
}
