//! Conversations of calls and messages from before there were conversations.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::calls::Entry;
use crate::inbox::{Conversation, ConversationState, Happening, What};
use crate::telephony::Outcome;
use crate::terms::{ContactId, ConversationId, LineId};

/// Time that a customer counts as waiting, after they last got in touch. Conversations without such a customer are closed.
pub const STILL_CLOSING: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Calls, and messages, of a contact that are read: the latest ones.
pub const PAST_READ: i32 = 50;

/// Parameters of a backfill. There are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillConversations {}

/// Result of a backfill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfilled {
    /// Contacts that were looked at.
    pub contacts: u64,
    /// Conversations that were begun.
    pub conversations: u64,
    /// Begun conversations with a customer who waits.
    pub waiting: u64,
}

/// The conversations made from these calls and messages of a contact, in the order of their time: one for each line
/// that the customer wrote or called on. Nobody is told of what is unread in them.
pub fn past_conversations(contact: ContactId, entries: &[Entry], now: Timestamp) -> Vec<Conversation> {
    let mut found: Vec<Conversation> = Vec::new();
    for entry in entries {
        let (line, at, what) = match entry {
            Entry::Received(received) if received.message.is_news() && !received.message.standby => {
                let what = What::Inbound(received.id, received.message.channel);
                (received.line, received.message.at, Some(what))
            }
            Entry::Call(call) if call.facts.is_missed(call.outcome) => {
                (call.grounds.line, call.happened_at(), Some(What::Missed(call.id)))
            }
            Entry::Call(call) if call.outcome == Outcome::Answered => {
                let until = call.facts.last_heard().unwrap_or_else(|| call.happened_at());
                (call.grounds.line, until, None)
            }
            _ => continue,
        };
        let at = at.min(now);
        let known = found.iter_mut().find(|one| one.line == line);
        match (known, what) {
            (Some(known), Some(what)) => known.note(Happening { at, what }, None),
            (Some(known), None) => {
                known.note_talk(at, None);
            }
            (None, Some(what)) => found.push(begin_conversation(contact, line, Happening { at, what })),
            // Nobody waited on this line.
            (None, None) => {}
        }
    }
    for one in &mut found {
        let waits = one.waiting_since.is_some() && now - STILL_CLOSING <= one.active_at();
        if !waits {
            one.move_to(ConversationState::Closed, None);
        }
    }
    found
}

fn begin_conversation(contact: ContactId, line: Option<LineId>, with: Happening) -> Conversation {
    Conversation::from_happening(ConversationId::of(contact, line), with, None)
}
