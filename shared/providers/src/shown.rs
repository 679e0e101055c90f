//! Secrets that a sender transmits as they are instead of signing with them.

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// True if a text is one of the secrets, in a time that reveals neither which nor how much of it matches. An empty secret is refused.
pub(crate) fn is_one_of(secrets: &[impl AsRef<str>], shown: &str) -> bool {
    // Hashes have the same length.
    let shown = Sha256::digest(shown.as_bytes());
    let known = secrets.iter().map(AsRef::as_ref).filter(|secret| !secret.is_empty());
    let fits = known.fold(Choice::from(0), |fits, secret| {
        fits | Sha256::digest(secret.as_bytes()).as_slice().ct_eq(shown.as_slice())
    });
    fits.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_secret_matches_and_an_empty_one_never_does() {
        assert!(is_one_of(&["old", "new"], "new") && is_one_of(&["old", "new"], "old"));
        for (secrets, shown) in [
            (&["old", "new"][..], "ne"),
            (&[""], ""),
            (&[], ""),
            (&["", "a"], ""),
            (&["a"], "A"),
        ] {
            assert!(!is_one_of(secrets, shown), "{secrets:?} {shown}");
        }
    }
}
