//! Live updates of a tenant: its followers, the events that are kept for them, their sockets, and devices.

pub mod events;
pub mod published;
pub mod push;
pub mod sockets;
