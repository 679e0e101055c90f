//! Vonage's Voice API: the events of calls. Its account API, to ask whether the account works.

mod check;
mod event;
mod signature;

pub use check::VonageClient;
pub use event::event;
pub use signature::{Expected, SignatureError, sign, verify};
