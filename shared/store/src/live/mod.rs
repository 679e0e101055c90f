//! Live updates of a tenant: its followers, and the events that are kept for them.

pub mod events;
pub mod published;
