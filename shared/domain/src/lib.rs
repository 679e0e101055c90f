//! What the business means: calls, contacts, messages and the rules of sending. Pure: no I/O, no clock, no randomness.

pub mod call;
pub mod connection;
pub mod contact;
pub mod errors;
pub mod ids;
pub mod inbound;
pub mod message;
pub mod phone;
pub mod send;

pub use jiff::Timestamp;
