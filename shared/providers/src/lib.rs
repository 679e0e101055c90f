//! The outside world: one folder per vendor, with its webhooks' signatures and payloads, its client and its errors.
//!
//! Everything is translated into the words of `domain` here; nothing of a vendor's format goes further. Facts about the
//! vendors and their confidence are in the project's provider contracts; where a fact is only our policy, the code says so.

pub mod form;
pub mod http;
pub mod telephony;
pub mod twilio;
pub mod mail;
pub mod plivo;
pub mod whatsapp;

mod outcome;
mod party;
mod times;

/// A provider's word, fit for a log line and a counter: short, and without anything that could be somebody's address.
pub(crate) fn label(word: &str) -> String {
    const LONGEST: usize = 64;
    let plain = |character: char| character.is_ascii_alphanumeric() || "_-./ ".contains(character);
    word.chars()
        .filter(|character| plain(*character))
        .take(LONGEST)
        .collect()
}
