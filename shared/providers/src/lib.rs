//! Providers: one folder each, with its webhooks' signatures and payloads, its client and its errors.
//!
//! Everything is translated into the terms of `domain` here; no vendor's format leaves this crate. Sources of facts are named
//! where they are used; where a fact is only our policy, the code says so.

pub mod aircall;
pub mod check;
pub mod exotel;
pub mod form;
pub mod guarded;
pub mod http;
pub mod mail;
pub mod media;
pub mod outgoing;
pub mod plivo;
pub mod push;
pub mod shops;
pub mod standard_webhooks;
pub mod telephony;
pub mod template_clients;
pub mod templates;
pub mod twilio;
pub mod vonage;
pub mod webhooks;
pub mod whatsapp;

mod mac;
mod outcome;
mod party;
mod shown;
mod times;

/// An authenticated event that does not say what it is about. It is stored raw and answered with 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{provider}'s webhook has no usable {field}")]
pub struct Unreadable {
    /// Name of the provider.
    pub provider: &'static str,
    /// Name of the field.
    pub field: &'static str,
}

/// A provider's id of a call, if it is suitable as a table key.
pub(crate) fn call_id(text: &str) -> Option<String> {
    const MAX_LENGTH: usize = 100;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let fit = (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(plain);
    fit.then(|| text.to_owned())
}

/// A provider's word, made suitable for log lines and counters: short, and without anything that could be an address.
pub(crate) fn label(word: &str) -> String {
    const MAX_LENGTH: usize = 64;
    let plain = |character: char| character.is_ascii_alphanumeric() || "_-./ ".contains(character);
    word.chars()
        .filter(|character| plain(*character))
        .take(MAX_LENGTH)
        .collect()
}
