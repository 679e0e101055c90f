//! Vonage's Voice API: the events of calls.

mod event;
mod signature;

pub use event::{Report, report};
pub use signature::{Expected, SignatureError, sign, verify};
