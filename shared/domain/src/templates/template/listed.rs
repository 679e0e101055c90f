//! The templates in a whole list of the provider's.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::TemplateDefinition;

/// Names with their languages, and Twilio's ids of contents, as hashes of 64 bits, so that a step of an operation can hand a long list on
/// to the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ListedNames(BTreeSet<u64>);

impl ListedNames {
    /// Maximum templates of one list: twice what an account at Meta has. Even if each has a name and an id, together they have less than
    /// 400 KB as a row.
    pub const MAX: usize = 12_000;

    pub fn add(&mut self, name: &str, language: &str) {
        self.0.insert(hash(name, language));
    }

    /// Adds Twilio's id of a content.
    pub fn add_content(&mut self, sid: &str) {
        self.0.extend([CONTENTS, content(sid)]);
    }

    /// Whether the list showed this row: by the id of its content, if the list has ids. Its name need not be the one that was submitted to
    /// Twilio, and another content may have that name.
    pub fn shows(&self, row: &TemplateDefinition) -> bool {
        match &row.content_sid {
            Some(sid) if self.0.contains(&CONTENTS) => self.0.contains(&content(sid)),
            _ => self.has(&row.name, &row.language),
        }
    }

    /// Whether the list showed a template of this name.
    pub fn has(&self, name: &str, language: &str) -> bool {
        self.0.contains(&hash(name, language))
    }

    /// Number of names and ids.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Says that the list is one of Twilio's contents. No hash has this value, but for one in 2^64.
const CONTENTS: u64 = 0;

fn content(sid: &str) -> u64 {
    // No template is without a name.
    hash("", sid)
}

fn hash(name: &str, language: &str) -> u64 {
    // Neither has a line break.
    let hash = Sha256::digest(format!("{name}\n{language}"));
    hash.iter().take(8).fold(0_u64, |all, byte| all << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_with_their_language_only() {
        let mut names = ListedNames::default();
        for number in 0..6_000 {
            names.add(&format!("t_{number}"), "en");
            names.add(&format!("t_{number}"), "en");
        }
        assert_eq!(names.count(), 6_000);
        assert!((0..6_000).all(|number| names.has(&format!("t_{number}"), "en")));
        for (name, language) in [("t_6000", "en"), ("t_1", "ar"), ("t_1", "e"), ("", "")] {
            assert!(!names.has(name, language), "{name} {language}");
        }
        let kept = serde_json::to_string(&names).unwrap();
        assert_eq!(serde_json::from_str::<ListedNames>(&kept).unwrap(), names);
    }

    #[test]
    fn rows_are_found_by_the_id_of_their_content() {
        let row = |name: &str, sid: Option<&str>| TemplateDefinition {
            name: name.to_owned(),
            language: "en".to_owned(),
            content_sid: sid.map(str::to_owned),
            ..TemplateDefinition::empty()
        };
        let mut names = ListedNames::default();
        names.add("a", "en");
        assert!(names.shows(&row("a", Some("HX1"))), "Meta's list has no ids");
        names.add_content("HX1");
        for (name, sid, shown) in [
            ("a", Some("HX1"), true),
            ("another_name", Some("HX1"), true),
            ("a", Some("HX2"), false),
            ("a", None, true),
            ("another_name", None, false),
        ] {
            assert_eq!(names.shows(&row(name, sid)), shown, "{name} {sid:?}");
        }
    }

    /// DynamoDB keeps a number in a byte for two digits and one more, and an element of a list in one more.
    #[test]
    fn longest_list_fits_into_a_row() {
        let largest = (u64::MAX.to_string().len().div_ceil(2) + 2) * 2 * ListedNames::MAX;
        assert!(largest < 300 * 1024, "{largest}");
    }
}
