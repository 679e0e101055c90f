//! Plivo: calls, by the hangup URL of its applications; its API, to ask whether the account works.

mod check;
mod event;
pub mod signature;

pub use check::PlivoClient;
pub use event::event;
