//! Data that no log line may contain: secrets, passwords, tokens, addresses and numbers, texts of messages; and denials by a role, which
//! a function may survive unnoticed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::aws::Aws;
use crate::place::{Place, read_json};

/// Beginnings of such data, whoever it belongs to.
const FORMS: [(&str, &str); 13] = [
    ("rbk_", "an API key"),
    ("rbr_", "a refresh token, or that of a callback"),
    ("eyJhbGciOi", "an access token"),
    ("eyJ0eXAiOi", "an access token"),
    ("whsec_", "a webhook's secret"),
    ("$argon2", "a password's hash"),
    ("?token=", "a one-time link"),
    ("ticket=", "a socket's ticket"),
    ("/wpush/", "somebody's device"),
    ("/fcm/send/", "somebody's device"),
    ("+97150", "a customer's number"),
    (".example\"", "somebody's address"),
    ("missed your call", "a message's text"),
];

/// Passwords and texts that tests use.
const WORDS: [&str; 5] = [
    "seven quiet lanterns",
    "seaside bakery opens early",
    "nine loud umbrellas",
    "Zwitscher",
    "Kanarienvogel",
];

/// Part of AWS's answer to a function whose role lacks a permission.
const DENIED: &str = "is not authorized to perform";

/// The searched texts: the beginnings, the words, and every secret of a data directory.
pub struct Canaries {
    secrets: BTreeSet<String>,
}

impl Canaries {
    /// The canaries of this stack.
    pub fn of(place: &Place) -> Result<Self> {
        let secrets: BTreeMap<String, String> = read_json(&place.data.join("secrets.json"))?;
        Ok(Self {
            secrets: secrets.into_values().filter(|secret| secret.len() >= 8).collect(),
        })
    }

    /// The kind of data that a line contains, if any; never the data itself.
    pub fn find_canary(&self, line: &str) -> Option<&'static str> {
        let form = FORMS.iter().find(|(form, _)| line.contains(form));
        if let Some((_, what)) = form {
            return Some(what);
        }
        if WORDS.iter().any(|word| line.contains(word)) {
            return Some("a password or a message of a test");
        }
        let secret = self.secrets.iter().any(|secret| line.contains(secret.as_str()));
        secret.then_some("a secret of the stack")
    }
}

/// Searches all lines of these groups. Returns the number of lines, and a finding per group and kind.
pub async fn look(aws: &Aws, groups: &[String], canaries: &Canaries) -> Result<(usize, Vec<String>)> {
    let (mut lines, mut wrong) = (0, Vec::new());
    for group in groups {
        let (mut told, mut denied) = (BTreeSet::new(), BTreeSet::new());
        let events = aws.logs(std::slice::from_ref(group), None).await?;
        for event in &events {
            let at = event.time;
            if let Some(what) = canaries.find_canary(&event.message)
                && told.insert(what)
            {
                let start: String = event.message.chars().take(80).collect();
                wrong.push(format!("{group} logs {what}, at {at}: {start}…"));
            }
            if let Some((_, action)) = event.message.split_once(DENIED)
                && denied.insert(action.chars().take(40).collect::<String>())
            {
                let action: String = action.chars().take(120).collect();
                wrong.push(format!("{group} logs that its role {DENIED}{action}…, at {at}"));
            }
        }
        lines += events.len();
    }
    Ok((lines, wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_by_form_and_by_value() {
        let canaries = Canaries {
            secrets: BTreeSet::from(["0123456789abcdef".to_owned()]),
        };
        for line in [
            r#"{"authorization":"Bearer eyJ0eXAiOiJKV1Qi"}"#,
            r#"{"key":"rbk_abc"}"#,
            r#"{"to":"maya@saffron.example"}"#,
            r#"{"url":"wss://abc.example.com/live?ticket=Ym9y"}"#,
            r#"{"endpoint":"https://updates.push.services.mozilla.com/wpush/v2/gAAA"}"#,
            r#"{"error":"0123456789abcdef is wrong"}"#,
            r#"{"password":"seven quiet lanterns"}"#,
        ] {
            assert!(canaries.find_canary(line).is_some(), "{line}");
        }
        let harmless = r#"{"function":"auth","route":"POST /api/v1/auth/log-in","status":401,"tenant":"tnt_01hq5b"}"#;
        assert_eq!(canaries.find_canary(harmless), None);
    }
}
