//! Consent: what people wish to get, how they say so, and whether a message may go out because of it.
//!
//! `welcome` is the only place that judges a message by these wishes. `ledger` remembers every change of them.

mod ledger;
mod links;
mod preferences;
mod suppression;
mod welcome;
mod wish;
mod words;

pub use ledger::{ConsentEntry, consent_id};
pub use links::{
    InvalidCode, LINK_LIFETIME, LinkCode, LinkOrigin, MADE_LINK_LIFETIME, MASK, PreferenceLink, mask_links,
    preferences_url,
};
pub(crate) use links::{for_each_text, mask_links_in};
pub use preferences::{
    Chosen, Topic, TopicState, choose_topics, refuse_everything, refuses_everything, topic_state, wishes_mark,
};
pub use suppression::{Address, InvalidAddress, Refused, Suppression};
pub use welcome::{check_policy_wishes, check_welcome, check_wishes};
pub use wish::{
    Applied, By, Choice, ConsentCategory, Evidence, MAX_EVIDENCE_LENGTH, MAX_SOURCE_LENGTH, Method, Party, Scope, Wish,
    Wishes, Wording,
};
pub use words::{is_answered_by_twilio, is_stop_label, language_of_wish, wish_in_message, wish_in_text};
