//! People: customers and what a tenant knows of them; what they wish to get, how they say so, and whether a message may go out because of
//! it; how contacts are found, imported, merged, changed in large numbers and erased.
//!
//! `welcome` is the only place that judges a message by a person's wishes. `ledger` remembers every change of them.

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
mod filter;
mod first_name;
mod history;
mod import;
mod language;
mod late_orders;
mod ledger;
mod links;
mod listing;
mod merge;
mod news_of_orders;
mod note;
mod open_messages;
mod order;
mod order_news;
mod pair_rate;
mod person;
mod preferences;
mod profile;
mod quotation;
mod segment;
mod shop_report;
mod stage;
mod suppression;
mod tag;
mod welcome;
mod window;
mod wish;
mod words;

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
pub(crate) use conversion::count_conversion;
pub use conversion::{Conversion, ConversionIn, ConversionKind, Reference};
pub use digits::{Digits, NotDigits};
pub use dry_run::Foreseen;
pub use duplicate::{Likeness, MAX_DUPLICATES, likenesses};
pub use erasure::{EraseContact, Erased, Salt, is_owed_to_people};
use field::by_key;
pub use field::{Field, FieldIn, FieldType, FieldValue, MAX_FIELD_LENGTH, NotANumber, Number, Written};
pub use filter::{Driver, Filter, Search, Test};
pub use first_name::first_name;
pub use history::{HistoryKind, Record, RecordShown, Recorded};
pub use import::{
    Addition, ConsentOf, ConsentStatement, FileName, Found, Import, ImportMode, ImportResult, Incoming, Plan,
    RowConsent, RowCounts, RowOutcome, RowRefused, Said,
};
pub use language::{Recognized, recognize_language};
pub use ledger::{ConsentEntry, consent_id};
pub use links::{
    InvalidCode, LINK_LIFETIME, LinkCode, LinkOrigin, MADE_LINK_LIFETIME, MASK, PreferenceLink, mask_links,
    preferences_url,
};
pub(crate) use links::{for_each_text, mask_links_in};
pub use listing::{Day, Listing, NotADay, Word};
pub use merge::{
    Alias, Apart, Conflict, Merge, MergeShown, Merged, Resolution, UNDOABLE_FOR, Undo, Undone, Unmergeable,
    merge_people,
};
pub use note::{MAX_MENTIONS, MAX_NOTE_LENGTH, Mentions, Note, NoteText};
pub use order::{
    Amount, FulfilmentState, MAX_ORDER_ITEMS, MAX_SHIPMENTS, Order, OrderContents, OrderItem, OrderNumber, OrderReport,
    OrderTotals, PaymentState, Shipment, ShipmentState, ShopOrder, ShopOrderId,
};
pub use order_news::{NewsState, OrderEvent, OrderNews, Untold};
pub(crate) use pair_rate::{earliest_by_pair_rate, pair_rate_after_refusal, pair_rate_with_one_more};
pub use person::{MAX_NAME_LENGTH, Person, PersonIn, WrittenFields};
pub use preferences::{
    Chosen, Topic, TopicState, choose_topics, refuse_everything, refuses_everything, topic_state, wishes_mark,
};
pub use profile::{Origin, Profile, Staged};
pub use quotation::is_tapback;
pub(crate) use quotation::{OwnWords, split_quotation};
pub use segment::{CountSegment, Segment, SegmentCount, SegmentIn};
pub use shop_report::{Placed, ShopReport};
pub use stage::{Stage, StageIn, StageKind};
pub use suppression::{Address, InvalidAddress, Refused, Suppression};
pub use tag::{Color, NotAColor, Tag, TagIn};
pub use welcome::{check_policy_wishes, check_welcome, check_wishes};
pub use window::{ELSEWHERE_FOR, Elsewhere, MAX_TEXTED, MAX_WINDOWS, SERVICE_WINDOW, Sign, Texted, Window};
pub(crate) use window::{
    add_sign, add_texted, add_window, answered_elsewhere, close_window, make_room_for_windows, pass_on_windows,
    window_closes_at,
};
pub use wish::{
    Applied, By, Choice, ConsentCategory, Evidence, MAX_EVIDENCE_LENGTH, MAX_SOURCE_LENGTH, Method, Party, Scope, Wish,
    Wishes, Wording,
};
pub use words::{is_answered_by_twilio, is_stop_label, language_of_wish, wish_in_message, wish_in_text};
