//! What the business means: calls, contacts, messages and the rules of sending. Pure: no I/O, no clock, no randomness.

pub mod account;
pub mod account_shape;
pub mod actor;
pub mod api_key;
pub mod audit;
pub mod call;
pub mod checkup;
pub mod connection;
pub mod contact;
pub mod errors;
pub mod hours;
pub mod ids;
pub mod inbound;
pub mod ip_range;
pub mod line;
pub mod message;
pub mod outside;
pub mod permission;
pub mod phone;
pub mod plan;
pub mod record;
pub mod rule;
#[cfg(test)]
mod samples;
pub mod security;
pub mod send;
pub mod settings;
pub mod template;
pub mod tenant;
pub mod text;
pub mod webhook_urls;
pub mod words;

pub use jiff::Timestamp;
