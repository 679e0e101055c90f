//! Terms and rules of the business: calls, contacts, messages and sending. Pure: no I/O, no clock, no randomness.

#[macro_use]
pub mod base;
pub mod accounts;
pub mod automations;
pub mod calls;
pub mod campaigns;
pub mod consent;
pub mod contacts;
pub mod inbox;
pub mod live;
pub mod media;
pub mod messages;
pub mod money;
pub mod reports;
pub mod templates;
pub mod tenants;
pub mod webhooks;

#[cfg(test)]
mod samples;

pub use jiff::Timestamp;
