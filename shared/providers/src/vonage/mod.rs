//! Vonage's Voice API: events of calls, and its account API for testing the connection.

mod check;
mod event;
mod signature;

pub use check::VonageClient;
pub use event::event;
pub use signature::{Expected, SignatureError, sign, verify};
