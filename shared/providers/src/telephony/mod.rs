//! Any telephone system, by our generic event `call.ended` under a Standard Webhooks signature.
//!
//! The library `standardwebhooks` is not used: it reads the system's clock, takes an empty secret and refuses bodies that
//! are not UTF-8 before it looks at the signature.

mod event;
mod signature;

pub use event::{Invalid, event};
pub use signature::{Headers, SignatureError, sign, verify};
