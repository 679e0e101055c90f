//! Contacts: how they are found, changed, imported, merged and erased, and what stands in their partitions.
//!
//! [`contact`] is what calls and messages need of them, [`people`] what users of the API see.

pub mod archives;
pub mod bulk;
pub mod contact;
pub mod erasure;
pub mod fields;
pub mod imports;
pub mod mentions;
pub mod merges;
pub mod of_contact;
pub mod people;
pub mod timeline;
