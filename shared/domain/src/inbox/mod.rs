//! The shared inbox: a `conversation` for each contact and line, which a team answers from one place, with `canned`
//! replies and each person's `draft`. Conversations begin with the `past`, and are `joined` when their contacts are
//! merged. While WhatsApp's `window` is open, a `reply` is free text; afterwards it is one of the `offers`.

mod canned;
mod conversation;
mod draft;
mod joined;
mod offers;
mod past;
mod reply;
mod window;

pub use canned::{CannedReply, CannedReplyIn};
pub use conversation::{
    Conversation, ConversationState, Happening, MAX_SNOOZE, MAX_TAGS, Priority, Reply, Started, TeamMessage, What,
    Wrote,
};
pub use draft::Draft;
pub use joined::Joined;
pub(crate) use joined::undo_field;
pub use offers::{MAX_OFFERED, Offer, Offers, team_writes_first};
pub use past::{BackfillConversations, Backfilled, PAST_READ, STILL_CLOSING, past_conversations};
pub use reply::{ReplyRequest, Said};
use window::number_written_to;
pub use window::{conversation_answered_elsewhere, conversation_window_closes_at};
