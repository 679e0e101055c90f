//! Consent of people who are no contacts, and links to preference pages. The wishes of a contact stand in its row.

mod preferences;
mod suppressions;

pub use preferences::LinkWrite;
pub(crate) use preferences::link_row;
pub use suppressions::SuppressError;
pub(crate) use suppressions::suppression_left_by;
