//! Twilio: calls, SMS, and WhatsApp through Twilio.

pub mod client;
pub mod message;
pub mod signature;
pub mod twiml;
pub mod voice;

mod address;
mod error;

pub use address::{Address, address};

pub use crate::form;

/// A callback that is signed and yet lacks what tells what it is about. It is kept raw and answered with 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Twilio's callback has no usable {field}")]
pub struct Unreadable {
    /// The form field.
    pub field: &'static str,
}
