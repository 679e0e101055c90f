//! Verbs of the business that read, decide and commit, each used by several functions.

pub mod campaigns;
pub mod files;
pub mod inbox;
pub mod messages;
pub mod money;
pub mod orders;
