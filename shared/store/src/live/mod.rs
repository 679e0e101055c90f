//! Live updates of a tenant: its viewers, and the events that are kept for them.

pub mod events;
pub mod published;
