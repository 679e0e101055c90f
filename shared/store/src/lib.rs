//! The single table: keys, items, queries, transactions.

pub mod scope;
pub mod usage;

pub use scope::{Authority, TenantScope};
