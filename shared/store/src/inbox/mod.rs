//! The shared inbox of a tenant.

mod conversation;
mod desk;
mod draft;
mod idle;
mod list;

pub(crate) use conversation::conversation_row;
pub use conversation::{DueInInbox, DueWhat, OnLine, SHARDS, conversation_overheard, conversation_with};
pub(crate) use desk::desk_row;
pub use idle::IdleLook;
pub(crate) use idle::idle_look_row;
pub use list::{InboxList, InboxPosition, KnownConversation, MAX_COUNTED, NotAnInboxPosition, OverdueCustomers};
