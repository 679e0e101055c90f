//! Contacts: customers and what a tenant knows of them; how they are found, imported, merged, changed in large numbers and erased.

mod archive;
mod bulk;
mod caller_name;
mod conditions;
mod contact;
mod conversion;
mod digits;
mod dry_run;
mod duplicate;
mod erasure;
mod field;
mod field_key;
mod filter;
mod first_name;
mod history;
mod import;
mod listing;
mod merge;
mod note;
mod open_messages;
mod person;
mod profile;
mod segment;
mod stage;
mod tag;
mod window;

pub use archive::{ArchiveContact, ArchiveResult};
pub use bulk::{
    Became, ChangeContacts, ChangeDetails, ChangeIn, Edit, EditedFields, Failure, FieldEdits, MAX_CHOSEN, Reason, Tally,
};
pub use caller_name::is_persons_name;
pub use conditions::Conditions;
pub use contact::{
    Change, Contact, Identity, Linked, MAX_ALIASES, MAX_IDENTITIES, MAX_MISSED, MAX_OPEN, MAX_SAME, MAX_UNREACHABLE,
    MissedCall, NumberForm, OpenIntent, RECOVERABLE, RESTORABLE_FOR, Tried, Unreachable,
};
pub use conversion::{Conversion, ConversionIn, ConversionKind, Reference};
pub use digits::{Digits, NotDigits};
pub use dry_run::Foreseen;
pub use duplicate::{Likeness, MAX_DUPLICATES, likenesses};
pub use erasure::{EraseContact, Erased, Salt};
use field::by_key;
pub use field::{Field, FieldIn, FieldType, FieldValue, MAX_FIELD_LENGTH, NotANumber, Number, Written};
pub use field_key::{FieldKey, NotAFieldKey};
pub use filter::{Driver, Filter, Search, Test, leads_to};
pub use first_name::first_name;
pub use history::{HistoryKind, Record, RecordShown, Recorded};
pub use import::{
    Addition, ConsentOf, ConsentStatement, FileName, Found, Import, ImportMode, ImportResult, Incoming, Plan,
    RowConsent, RowCounts, RowOutcome, RowRefused, Said,
};
pub use listing::{Day, Listing, NotADay, Sought, Word};
pub use merge::{
    Alias, Apart, Conflict, Merge, MergeShown, Merged, Resolution, UNDOABLE_FOR, Undo, Undone, Unmergeable,
    merge_people,
};
pub use note::{MAX_MENTIONS, MAX_NOTE_LENGTH, Mentions, Note, NoteText};
pub use person::{MAX_NAME_LENGTH, Person, PersonIn, WrittenFields};
pub use profile::{Origin, Profile, Staged};
pub use segment::{CountSegment, Segment, SegmentCount, SegmentIn};
pub use stage::{Stage, StageIn, StageKind};
pub use tag::{Color, NotAColor, Tag, TagIn};
pub use window::{ELSEWHERE_FOR, Elsewhere, MAX_TEXTED, MAX_WINDOWS, SERVICE_WINDOW, Sign, Texted, Window};
pub(crate) use window::{
    add_sign, add_texted, add_window, answered_elsewhere, close_window, make_room_for_windows, merge_windows,
    pass_on_windows, window_closes_at,
};
