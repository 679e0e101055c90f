//! Live updates of a tenant: its followers, the events that are kept for them, and their sockets.

pub mod events;
pub mod published;
pub mod sockets;
