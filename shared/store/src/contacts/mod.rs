//! Contacts: how they are found, changed, imported, merged and erased, and what stands in their partitions.
//!
//! `contact` is what calls and messages need of them, `people` what users of the API see.

mod archives;
mod bulk;
mod contact;
mod erasure;
mod fields;
mod imports;
mod mentions;
mod merges;
mod of_contact;
mod orders;
mod people;
mod timeline;

pub use bulk::{Added, KnownPeople, KnownPerson};
pub use contact::{Begun, ContactWrite, Holder, Lead, ProfileWrite, Recorded, Refusals};
pub(crate) use contact::{
    Leads, REFERENCE_LIFE, Remembered, SUPPRESSION, consent_row, identity_lead_row, if_contact_unchanged, merged_into,
    person_from_rows, profile_row, sort_key_by_time,
};
pub(crate) use erasure::DELETE_PAGE;
pub use erasure::ErasedPage;
pub use fields::{FieldCache, Fields};
pub use mentions::Mention;
pub(crate) use mentions::mention_writes;
pub use merges::{Decided, Undoable};
pub use of_contact::NotCreated;
pub use orders::{KnownOrder, OrderNotCreated};
pub(crate) use orders::{changed_order_row, key_to_order, new_order_rows};
pub use people::{Brought, MAX_EXAMINED, PeoplePosition, PersonError};
pub use timeline::{NotATimelinePosition, Order, Placed, TimelinePosition, TimelineWanted};
pub(crate) use timeline::{Wanted, timeline_entry};
