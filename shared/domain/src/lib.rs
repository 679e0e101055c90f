//! Terms and rules of the business: calls, contacts, messages and sending. Pure: no I/O, no clock, no randomness.

#[macro_use]
pub mod resource;
#[macro_use]
mod schema;

pub mod account;
pub mod actor;
pub mod api_key;
pub mod audit;
pub mod bounded;
pub mod call;
pub mod check;
pub mod checkup;
pub mod compose;
pub mod config;
pub mod connection;
pub mod contact;
pub mod decide;
pub mod erasure;
pub mod errors;
pub mod field;
pub mod filter;
pub mod hours;
pub mod ids;
pub mod inbound;
pub mod ip_range;
pub mod line;
pub mod line_type;
pub mod listing;
pub mod local;
pub mod material;
pub mod message;
pub mod needs;
pub mod note;
pub mod operation;
pub mod outside;
pub mod permission;
pub mod person;
pub mod phone;
pub mod phrases;
pub mod product;
pub mod profile;
pub mod purpose;
pub mod quiet;
mod reach;
pub mod record;
pub mod retention;
pub mod rule;
#[cfg(test)]
mod samples;
pub mod security;
pub mod send;
pub mod settings;
pub mod source;
pub mod stage;
pub mod subject;
pub mod tag;
pub mod template;
pub mod tenant;
pub mod text;
pub mod values;
pub mod words;
pub mod zone;

pub use jiff::Timestamp;
