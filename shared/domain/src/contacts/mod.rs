//! Contacts: customers and what a tenant knows of them; how they are found, imported, merged, changed in large numbers and erased.

pub mod archive;
pub mod bulk;
pub mod caller_name;
pub mod conditions;
pub mod contact;
pub mod conversion;
pub mod digits;
pub mod dry_run;
pub mod duplicate;
pub mod erasure;
pub mod field;
pub mod field_key;
pub mod filter;
pub mod first_name;
pub mod history;
pub mod import;
pub mod listing;
pub mod merge;
pub mod note;
mod open_messages;
pub mod person;
pub mod profile;
pub mod segment;
pub mod stage;
pub mod tag;
pub mod window;
