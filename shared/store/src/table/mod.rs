//! The table itself: keys, rows and their forms, the few operations of DynamoDB that we use, and what every room needs of them. Only
//! `keys` knows how a key is written.

pub mod changes;
pub(crate) mod compact;
pub(crate) mod database;
pub mod due;
pub mod effects;
pub(crate) mod error;
pub(crate) mod forms;
pub mod idempotency;
pub(crate) mod keys;
pub mod lookups;
pub mod operations;
pub mod owned;
pub(crate) mod plain;
pub mod races;
pub mod rates;
pub(crate) mod row;
pub mod scope;
pub mod slots;
pub mod usage;
