//! Plivo: calls, by the hangup URL of its applications, and its API for testing the connection.

mod check;
mod event;
pub mod signature;

pub use check::PlivoClient;
pub use event::event;
