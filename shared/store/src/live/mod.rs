//! Live updates of a tenant: its followers, the events that are kept for them, their sockets, and devices.

mod events;
mod published;
mod push;
mod sockets;

pub use events::{AtOnce, ends_rights, event_meaning, told_at_once};
pub use published::{Followed, MAX_TOGETHER, Published};
pub use push::PushKey;
