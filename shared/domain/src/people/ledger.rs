//! The consent ledger: all changes of a contact's wishes.

use std::fmt::Display;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::people::{By, Choice, ConsentCategory, Evidence, MAX_EVIDENCE_LENGTH, Party, Scope, Wish, Wording};
use crate::terms::{Actor, Channel, derive_id};

/// A refusal of longer ago is not new when it is recorded.
const NEW: SignedDuration = SignedDuration::from_hours(24);

/// An entry of the consent ledger. One row per change, never modified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentEntry {
    /// Time of the wish.
    pub at: Timestamp,
    /// Its channel; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Its category; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<ConsentCategory>,
    pub choice: Choice,
    /// How it became known, which tells whose wish it is.
    pub by: By,
    /// User or API key that recorded it, or asked for the link to the preference page that the customer used. `None`: the person or a
    /// provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// Time when it was recorded, if that was later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<Timestamp>,
    /// The text that the person saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording: Option<Wording>,
    /// Proof, such as the id of the message that says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Reason or origin of the wish, in words.
    pub source: String,
    /// Whether it only repeats what is known already: a wish that is recorded with another contact of the person, a refusal of the
    /// suppression list, of an erased contact or of an imported table, one that the undoing of a merge brings back, or a part of a wider one
    /// that ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeats: bool,
}

impl ConsentEntry {
    /// The entry for a wish.
    pub fn of(wish: &Wish) -> Self {
        Self {
            at: wish.at,
            channel: wish.channel,
            category: wish.category,
            choice: wish.choice,
            by: wish.by,
            actor: None,
            recorded_at: None,
            wording: None,
            evidence: None,
            source: wish.source.clone(),
            repeats: false,
        }
    }

    /// Marks the entry as a repetition of what is known already.
    pub fn as_repetition(self) -> Self {
        Self { repeats: true, ..self }
    }

    /// The wish that it records.
    pub fn wish(&self) -> Wish {
        let scope = Scope {
            channel: self.channel,
            category: self.category,
        };
        Wish::new(self.choice, scope, self.by, &self.source, self.at)
    }

    /// Adds a reference as proof.
    pub fn proven_by(mut self, reference: &impl Display) -> Self {
        let reference: String = reference.to_string().chars().take(MAX_EVIDENCE_LENGTH).collect();
        self.evidence = Some(Evidence::from_stored(&reference));
        self
    }

    /// Whether the person refused messages within the day before this time of recording. A refusal that was known
    /// before is none.
    pub fn is_opt_out(&self, recorded: Timestamp) -> bool {
        let just_said = recorded.duration_since(self.at) <= NEW;
        self.choice == Choice::Refused && self.by.party() == Party::Customer && just_said && !self.repeats
    }

    /// Whether it ends opt-ins that imports gave.
    pub fn ends_opt_ins(&self) -> bool {
        self.choice == Choice::Lifted && self.by == By::Import
    }

    /// The change in a word, such as `stop`, `start`, `marketing_stop`, `sms_marketing_stop` or, if it ends opt-ins that imports gave,
    /// `sms_end`.
    pub fn what(&self) -> String {
        let channel = self.channel.map(Channel::as_str);
        let word = match self.choice {
            Choice::Refused => "stop",
            _ if self.ends_opt_ins() => "end",
            Choice::Granted | Choice::Lifted => "start",
        };
        let category = self.category.map(ConsentCategory::as_str);
        let words: Vec<&str> = channel.into_iter().chain(category).chain([word]).collect();
        words.join("_")
    }
}

/// The id of a ledger's entry: the same however often its cause is worked. `cause` is unique among the causes of entries.
pub fn consent_id(at: Timestamp, cause: &str) -> Ulid {
    let at = u64::try_from(at.as_millisecond()).unwrap_or_default();
    derive_id(at, format!("consent#{cause}").as_bytes())
}
