//! The customers' phones: received messages, replies and calls.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::outbox::{Channel, Shown};

#[derive(Clone, Debug, Default)]
pub(crate) struct Phone {
    pub(crate) profile: Profile,
    pub(crate) notes: Vec<Note>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// The WhatsApp profile's name.
    pub name: Option<String>,
    pub username: Option<String>,
    /// A user with a username whose number WhatsApp hides from this business: webhooks carry only the BSUID.
    pub hide_phone: bool,
}

/// An item of a thread that is not a message of the business (those are in the outbox).
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Note {
    pub(crate) tenant: String,
    /// `None` for calls, which appear in both threads.
    pub(crate) channel: Option<Channel>,
    /// `in` (the customer wrote), `call`, or `notice` (the network's own texts).
    pub(crate) kind: &'static str,
    pub(crate) shown: Shown,
    pub(crate) at: Timestamp,
    pub(crate) id: String,
    /// The business has marked it as read.
    pub(crate) seen: bool,
}

pub(crate) type Phones = BTreeMap<String, Phone>;

/// E.164 with `+` from the forms that people and requests use: digits, spaces, `whatsapp:`, a plus that a query string turned
/// into a space. `None` if it is not a phone number.
pub fn e164(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("whatsapp:").unwrap_or(text).trim();
    let text = text.strip_prefix('+').unwrap_or(text);
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let is_phone =
        digits.bytes().all(|b| b.is_ascii_digit()) && (7..=15).contains(&digits.len()) && !digits.starts_with('0');
    is_phone.then(|| format!("+{digits}"))
}

pub(crate) fn same_number(a: &str, b: &str) -> bool {
    match (e164(a), e164(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

pub(crate) fn digits(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

/// ISO country of a number, for the few prefixes demonstrations use.
pub(crate) fn country(number: &str) -> &'static str {
    const PREFIXES: &[(&str, &str)] = &[
        ("+971", "AE"),
        ("+966", "SA"),
        ("+353", "IE"),
        ("+20", "EG"),
        ("+33", "FR"),
        ("+34", "ES"),
        ("+44", "GB"),
        ("+49", "DE"),
        ("+91", "IN"),
        ("+1", "US"),
    ];
    PREFIXES
        .iter()
        .find(|(prefix, _)| number.starts_with(prefix))
        .map_or("ZZ", |(_, country)| country)
}

/// The person's business-scoped id, which differs between WhatsApp accounts.
pub fn bsuid(waba_id: &str, number: &str) -> String {
    let hash = Sha256::digest(format!("{waba_id}/{number}"));
    let start: [u8; 8] = hash[..8].try_into().expect("eight bytes of a SHA-256");
    format!(
        "{}.{:016}",
        country(number),
        u64::from_be_bytes(start) % 10_000_000_000_000_000
    )
}

impl Phone {
    pub(crate) fn name(&self, number: &str) -> String {
        self.profile.name.clone().unwrap_or_else(|| {
            let tail = &number[number.len().saturating_sub(4)..];
            format!("Customer {tail}")
        })
    }
}
