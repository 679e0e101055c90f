//! Consent: what people wish to get, how they say so, and whether a message may go out because of it.
//!
//! [`welcome`] is the only place that judges a message by these wishes. [`ledger`] remembers every change of them.

pub(crate) mod ledger;
pub mod links;
pub mod preferences;
pub mod suppression;
pub mod welcome;
pub mod wish;
pub mod words;
