//! Any telephone system, by our generic event `call.ended` under a Standard Webhooks signature.
//!
//! The signature is checked here and not by the library: see `docs/decisions/0011-events-and-aws-clients.md`.

mod event;
mod signature;

pub use event::{Invalid, event};
pub use signature::{Headers, SignatureError, sign, verify};
