//! Messages: what is said, on which channel, and whether it may go out.
//!
//! A cause, such as a decided call or a request by the API, becomes an intent; [`compose`] makes a message or a refusal of it, and
//! [`check`] says right before each attempt whether it may go out now. [`purpose`] is the table of what each kind of message may do,
//! [`message`] the state machine that every message goes through.

pub(crate) mod attempt;
pub mod by_phone;
pub(crate) mod cause;
pub mod check;
pub mod compose;
pub mod content;
pub mod content_draft;
pub mod content_problems;
pub mod destination;
pub mod errors;
pub mod inbound;
pub(crate) mod intent;
pub mod language;
pub mod links;
pub mod material;
pub mod message;
pub mod needs;
pub(crate) mod pair_rate;
pub mod phrases;
pub mod portfolio;
pub mod purpose;
pub mod quiet;
pub mod quotation;
pub(crate) mod reach;
pub(crate) mod receiver;
pub mod referred;
pub mod refusal;
pub mod send;
pub mod send_request;
pub mod sms;
pub mod sms_rules;
pub mod source;
pub mod subject;
pub mod throughput;
pub mod values;
