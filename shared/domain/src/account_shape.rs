//! The shapes of what names an account at a provider, and the bounds of a connection's settings.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{
    call::Handling,
    connection::{Account, VoiceSettings},
    phone::Phone,
    settings::{FieldProblem, is_language},
    text::is_visible,
};

/// A tenant has at most this many connections.
pub const MOST_CONNECTIONS: usize = 50;
/// A connection has at most this many numbers or lines.
pub const MOST_LINES: usize = 100;
/// At most this many address ranges may report.
pub const MOST_SOURCES: usize = 50;
/// A greeting has at most this many sentences, one for each language.
pub const MOST_SPOKEN: usize = 10;
/// The longest sentence, in characters.
pub const LONGEST_SPOKEN: usize = 1_000;
/// The shortest ring, and the shortest recording.
pub const SHORTEST_SECONDS: u32 = 5;
/// Twilio rings at most ten minutes.
pub const LONGEST_RING_SECONDS: u32 = 600;
/// The longest recording.
pub const LONGEST_VOICEMAIL_SECONDS: u32 = 600;

/// Pattern of a Twilio account's SID.
pub const ACCOUNT_SID: &str = "^AC[0-9a-f]{32}$";
/// Pattern of a Twilio Messaging Service's SID.
pub const SERVICE_SID: &str = "^MG[0-9a-f]{32}$";
/// Pattern of [`is_api_key_sid`].
pub const API_KEY_SID: &str = "^SK[0-9a-f]{32}$";
/// Pattern of a UUID.
pub const UUID: &str = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";
/// Pattern of Plivo's auth id.
pub const AUTH_ID: &str = "^(MA|SA)[A-Za-z0-9_-]{8,30}$";

fn is_twilio_sid(text: &str, prefix: &str) -> bool {
    let hex = text.strip_prefix(prefix).unwrap_or_default();
    hex.len() == 32
        && hex
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Whether it is the SID of a Twilio API key.
#[must_use]
pub fn is_api_key_sid(text: &str) -> bool {
    is_twilio_sid(text, "SK")
}

/// Pattern of [`is_meta_id`].
pub const META_ID: &str = "^[0-9]{5,20}$";

/// Whether it has the form of Meta's id of an account or a number.
#[must_use]
pub fn is_meta_id(text: &str) -> bool {
    (5..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Meta's id of an account or a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MetaId(String);

shown_as!(MetaId, {"type": "string", "pattern": META_ID});

impl MetaId {
    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for MetaId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if is_meta_id(&text) {
            Ok(Self(text))
        } else {
            Err(D::Error::custom("must be Meta's id, 5 to 20 digits"))
        }
    }
}

fn is_word(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    lengths.contains(&text.len()) && text.bytes().all(plain)
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.len() == lengths.len()
        && parts
            .iter()
            .zip(lengths)
            .all(|(part, length)| part.len() == length && hex(part))
}

fn wrong(field: &str, shape: &str) -> FieldProblem {
    FieldProblem::new(field, shape)
}

impl Account {
    /// What is wrong with it, by field. Empty: nothing.
    #[must_use]
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        let mut shape = |good: bool, field: &str, shape: &str| {
            if !good {
                found.push(wrong(field, shape));
            }
        };
        match self {
            Self::Twilio {
                account_sid,
                messaging_service_sid,
                ..
            } => {
                let account = is_twilio_sid(account_sid, "AC");
                shape(account, "account_sid", "Expected AC and 32 digits or letters a to f.");
                let service = messaging_service_sid.as_deref();
                let service = service.is_none_or(|sid| is_twilio_sid(sid, "MG"));
                shape(
                    service,
                    "messaging_service_sid",
                    "Expected MG and 32 digits or letters a to f.",
                );
            }
            Self::WhatsApp {
                waba_id,
                phone_number_id,
                ..
            } => {
                shape(is_meta_id(waba_id), "waba_id", "Expected Meta's id, 5 to 20 digits.");
                shape(
                    is_meta_id(phone_number_id),
                    "phone_number_id",
                    "Expected Meta's id of the number, 5 to 20 digits; not the number itself.",
                );
            }
            Self::Vonage {
                api_key,
                application_id,
                ..
            } => {
                shape(
                    is_word(api_key, 4..=32),
                    "api_key",
                    "Expected the account's API key, 4 to 32 letters and digits.",
                );
                let application = application_id.as_deref().is_none_or(is_uuid);
                shape(application, "application_id", "Expected a UUID.");
            }
            Self::Exotel {
                account_sid, sources, ..
            } => {
                shape(
                    is_word(account_sid, 1..=64),
                    "account_sid",
                    "Expected 1 to 64 letters and digits.",
                );
                shape(
                    sources.len() <= MOST_SOURCES,
                    "sources",
                    &format!("Expected at most {MOST_SOURCES} entries."),
                );
            }
            Self::Plivo { auth_id, .. } => {
                let named = auth_id.starts_with("MA") || auth_id.starts_with("SA");
                shape(
                    named && is_word(auth_id, 10..=32),
                    "auth_id",
                    "Expected MA or SA and 8 to 30 more letters and digits.",
                );
            }
            Self::Telephony { .. } | Self::Aircall { .. } => {}
        }
        let lines = if matches!(self, Self::Twilio { .. }) {
            "numbers"
        } else {
            "lines"
        };
        lines_of(lines, self.lines(), &mut found);
        if let Self::Twilio { voice, .. } = self {
            voice_of(voice, &mut found);
        }
        found
    }
}

fn lines_of(field: &str, lines: &[Phone], found: &mut Vec<FieldProblem>) {
    if lines.len() > MOST_LINES {
        found.push(wrong(field, &format!("Expected at most {MOST_LINES} entries.")));
        return;
    }
    let mut seen = HashSet::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        if !seen.insert(line) {
            found.push(wrong(&format!("{field}[{index}]"), "This number is given twice."));
        }
    }
}

fn voice_of(voice: &VoiceSettings, found: &mut Vec<FieldProblem>) {
    if voice.handling == Handling::Forward && voice.forward_to.is_none() {
        found.push(wrong(
            "voice.forward_to",
            "Expected a number, because calls are forwarded.",
        ));
    }
    if !(SHORTEST_SECONDS..=LONGEST_RING_SECONDS).contains(&voice.forward_timeout_seconds) {
        let bounds = format!("Expected {SHORTEST_SECONDS} to {LONGEST_RING_SECONDS} seconds.");
        found.push(wrong("voice.forward_timeout_seconds", &bounds));
    }
    if !(SHORTEST_SECONDS..=LONGEST_VOICEMAIL_SECONDS).contains(&voice.voicemail_max_seconds) {
        let bounds = format!("Expected {SHORTEST_SECONDS} to {LONGEST_VOICEMAIL_SECONDS} seconds.");
        found.push(wrong("voice.voicemail_max_seconds", &bounds));
    }
    for (name, spoken) in [
        ("greeting", &voice.greeting),
        ("missed_greeting", &voice.missed_greeting),
    ] {
        if spoken.len() > MOST_SPOKEN {
            found.push(wrong(
                &format!("voice.{name}"),
                &format!("Expected at most {MOST_SPOKEN} entries."),
            ));
            continue;
        }
        for (index, sentence) in spoken.iter().enumerate() {
            if !is_language(&sentence.language) {
                found.push(wrong(
                    &format!("voice.{name}[{index}].language"),
                    "Expected a language tag such as en-GB.",
                ));
            }
            let length = sentence.text.chars().count();
            if sentence.text.trim().is_empty() || length > LONGEST_SPOKEN || !is_visible(&sentence.text) {
                found.push(wrong(
                    &format!("voice.{name}[{index}].text"),
                    &format!("Expected 1 to {LONGEST_SPOKEN} characters, none of them invisible."),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(account: &str) -> Vec<String> {
        let account: Account = serde_json::from_str(account).unwrap();
        account.problems().into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn what_has_another_shape_is_named_by_its_field() {
        let none: [&str; 0] = [];
        let sid = "0".repeat(32);
        assert_eq!(
            fields(&format!(
                r#"{{"kind": "twilio", "account_sid": "AC{sid}", "numbers": ["+15005550006"],
                "messaging_service_sid": "MG{sid}", "voice": {{"handling": "greet"}}}}"#
            )),
            none
        );
        assert_eq!(
            fields(
                r#"{"kind": "twilio", "account_sid": "AC0", "numbers": ["+15005550006", "+15005550006"],
                "messaging_service_sid": "MG", "voice": {"handling": "forward", "forward_timeout_seconds": 0,
                "greeting": [{"language": "english", "text": ""}]}}"#
            ),
            [
                "account_sid",
                "messaging_service_sid",
                "numbers[1]",
                "voice.forward_to",
                "voice.forward_timeout_seconds",
                "voice.greeting[0].language",
                "voice.greeting[0].text"
            ]
        );
        let whatsapp = r#"{"kind": "whatsapp", "waba_id": "x/1", "phone_number_id": "+971501", "display_number": "+971501234567"}"#;
        assert_eq!(fields(whatsapp), ["waba_id", "phone_number_id"]);
        let vonage = r#"{"kind": "vonage", "api_key": "a b", "application_id": "x"}"#;
        assert_eq!(fields(vonage), ["api_key", "application_id"]);
        assert_eq!(fields(r#"{"kind": "exotel", "account_sid": "../x"}"#), ["account_sid"]);
        assert_eq!(fields(r#"{"kind": "plivo", "auth_id": "XX"}"#), ["auth_id"]);
        assert_eq!(fields(r#"{"kind": "telephony"}"#), none);
        let many: Vec<String> = (0..101).map(|_| "+15005550006".to_owned()).collect();
        let many = serde_json::json!({"kind": "telephony", "lines": many});
        assert_eq!(
            fields(&many.to_string()),
            ["lines"],
            "of what is too much, nothing else is said"
        );
        assert!(is_api_key_sid(&format!("SK{sid}")) && !is_api_key_sid("SK1"));
    }
}
