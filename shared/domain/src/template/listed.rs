//! What a whole list of the provider's showed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Names with their languages, as hashes of 64 bits, so that a step of an operation can hand those of a long list on to the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ListedNames(BTreeSet<u64>);

impl ListedNames {
    /// Maximum of one list: twice what an account at Meta has. Together they have less than 400 KB as a row.
    pub const MOST: usize = 12_000;

    /// Adds a template.
    pub fn add(&mut self, name: &str, language: &str) {
        self.0.insert(hash(name, language));
    }

    /// Whether the list showed this template.
    #[must_use]
    pub fn has(&self, name: &str, language: &str) -> bool {
        self.0.contains(&hash(name, language))
    }

    /// Number of templates.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
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

    /// DynamoDB keeps a number in a byte for two digits and one more, and an element of a list in one more.
    #[test]
    fn longest_list_fits_into_a_row() {
        let largest = (u64::MAX.to_string().len().div_ceil(2) + 2) * ListedNames::MOST;
        assert!(largest < 300 * 1024, "{largest}");
    }
}
