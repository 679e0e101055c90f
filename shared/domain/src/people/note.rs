//! Notes: what a tenant's people write down about a contact. Customers never see them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::terms::{Actor, Distinct, Lines, NoteId, UserId};

/// Maximum length of a note's text, in characters.
pub const MAX_NOTE_LENGTH: usize = 4_000;

/// Maximum users whom a note mentions.
pub const MAX_MENTIONS: usize = 10;

/// Users whom a note mentions.
pub type Mentions = Distinct<MAX_MENTIONS, UserId>;

/// Text of a note: several lines of visible characters.
pub type NoteText = Lines<1, MAX_NOTE_LENGTH>;

/// A note on a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Note {
    /// Id.
    pub id: NoteId,
    /// Text.
    #[cfg_attr(feature = "schema", schemars(example = "Prefers to be called after five."))]
    pub text: NoteText,
    /// Ids of the users whom it mentions.
    #[serde(default, skip_serializing_if = "Distinct::is_empty")]
    pub mentions: Mentions,
    /// Author: a user (`usr_…`), a key (`key_…`) or a platform administrator (`platform:usr_…`).
    pub author: Actor,
    /// Time of creation.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub created_at: Timestamp,
    /// Time of the last change of the text, or of creation.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub updated_at: Timestamp,
}

impl Note {
    /// A new note, which mentions nobody.
    pub fn new(id: NoteId, text: NoteText, author: Actor, at: Timestamp) -> Self {
        Self {
            id,
            text,
            mentions: Mentions::default(),
            author,
            created_at: at,
            updated_at: at,
        }
    }

    /// Replaces the text and the mentioned users, and keeps the rest.
    pub fn with_text(&self, text: NoteText, mentions: Mentions) -> Self {
        Self {
            text,
            mentions,
            ..self.clone()
        }
    }

    /// The users whom it mentions.
    pub(crate) fn mentioned_users(&self) -> &[UserId] {
        &self.mentions
    }
}
