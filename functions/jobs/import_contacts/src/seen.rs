//! Identities that a dry run has met: nothing is written, so a second row about the same person is known only by them.

use std::collections::HashSet;

use domain::contact::Identity;
use sha2::{Digest as _, Sha256};

/// Identities by eight bytes of their hash. Of the 800,000 that a table can hold, two are taken for one in one of 50 million tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen(HashSet<[u8; 8]>);

fn mark(identity: &Identity) -> [u8; 8] {
    let hash = Sha256::digest(identity.key());
    let mut mark = [0; 8];
    mark.copy_from_slice(&hash[..8]);
    mark
}

impl Seen {
    /// Those that [`Seen::bytes`] wrote.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let (marks, _) = bytes.as_chunks::<8>();
        Self(marks.iter().copied().collect())
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.iter().flatten().copied().collect()
    }

    pub(crate) fn has_any(&self, identities: &[Identity]) -> bool {
        identities.iter().any(|identity| self.0.contains(&mark(identity)))
    }

    pub(crate) fn add(&mut self, identities: &[Identity]) {
        self.0.extend(identities.iter().map(mark));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_met_is_known_after_a_checkpoint() {
        let identity = |number: &str| Identity::Phone(number.parse().unwrap());
        let mut seen = Seen::default();
        seen.add(&[identity("+971501234567"), identity("+971501234568")]);
        let read = Seen::read(&seen.bytes());
        assert_eq!(read, seen);
        assert!(read.has_any(&[identity("+971501234560"), identity("+971501234568")]));
        assert!(!read.has_any(&[identity("+971501234560")]));
        assert_eq!(Seen::read(&[]), Seen::default());
    }
}
