//! Plivo: calls, by the hangup URL of its applications.

mod event;
pub mod signature;

pub use event::event;
