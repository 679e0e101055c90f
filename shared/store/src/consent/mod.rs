//! Consent of people who are no contacts, and links to preference pages. The wishes of a contact stand in its row.

pub mod preferences;
pub mod suppressions;
