//! Tables of contacts: reading what customers upload, a record at a time and resumable, and writing what they download. Pure:
//! bytes come in and go out through the caller's buffers.
//!
//! How a table is read:
//!
//! 1. [`dialect::detect`] looks at the first 64 KiB: encoding, separator, header. The result is stored with the import.
//! 2. [`suggest::suggest`] proposes which column is what, a person corrects it, [`preview::preview`] shows the effect.
//! 3. A [`reader::Reader`] takes the file in pieces of any size and gives its records, or what is wrong with them. It can stop
//!    after any of them and start again from a [`reader::Position`]. A damaged file has no further records.
//! 4. [`row::Row::of`] makes a contact's values of a record, or sentences for the person who uploaded it.
//! 5. [`names::Names`] finds the tags, the stage and the user that a row names.
//! 6. [`write::ErrorsFile`] returns the refused records with these sentences.
//!
//! Cards of an address book are read as the records of a table whose columns are always the same, so nothing behind the reader differs.

pub mod bounds;
mod cards;
mod cell;
pub mod dialect;
pub mod encoding;
pub mod import;
mod item;
pub mod mapping;
pub mod names;
pub mod parts;
pub mod phone;
pub mod preview;
pub mod reader;
pub mod record;
pub mod row;
pub mod suggest;
mod words;
pub mod write;
