//! Terms and rules of the business: calls, contacts, messages and sending. Pure: no I/O, no clock, no randomness.

#[macro_use]
pub mod terms;
pub mod accounts;
pub mod automations;
pub mod calls;
pub mod campaigns;
pub mod destinations;
pub mod inbox;
pub mod live;
pub mod media;
pub mod messages;
pub mod money;
pub mod notices;
pub mod people;
pub mod reports;
pub mod telephony;
pub mod templates;
pub mod tenants;
pub mod webhooks;

#[cfg(test)]
mod samples;

pub use jiff::Timestamp;
