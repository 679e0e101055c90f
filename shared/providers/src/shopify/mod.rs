//! Shopify: webhooks about orders and their shipments.

mod report;
pub mod signature;

pub use report::report;
