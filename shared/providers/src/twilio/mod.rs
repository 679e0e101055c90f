//! Twilio: calls, SMS, and WhatsApp through Twilio.

pub mod check;
pub mod client;
pub mod content;
pub mod media;
pub mod message;
pub mod recording;
pub mod signature;
pub mod twiml;
pub mod voice;

mod address;
mod error;

pub use address::{Address, address};

pub use crate::form;
