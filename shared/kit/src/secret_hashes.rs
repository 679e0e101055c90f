//! Secrets that a function knows only by their hash.

use access::token::sha256_hex;
use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::{Config, ConfigError};

/// SHA-256 of an operator's secret, in hex. Two while one replaces the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretHashes(Vec<String>);

impl SecretHashes {
    /// From a variable. `None` if it is not set.
    ///
    /// # Errors
    /// When it has another form.
    pub fn of(config: &Config, variable: &str) -> Result<Option<Self>, ConfigError> {
        let Some(hashes) = config.optional(variable) else {
            return Ok(None);
        };
        let hashes: Vec<String> = hashes.split(',').map(str::to_owned).collect();
        let is_hex =
            |hash: &String| hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if hashes.len() > 2 || !hashes.iter().all(is_hex) {
            let problem = "must be a SHA-256 of 64 lower-case hexadecimal digits, or two separated by a comma";
            return Err(ConfigError::new(variable, problem));
        }
        Ok(Some(Self(hashes)))
    }

    /// Whether this is the secret, or the one that replaces it. Each is compared, in constant time.
    pub fn match_secret(&self, secret: &str) -> bool {
        let proof = sha256_hex(secret);
        let equal = |hash: &String| verify_slices_are_equal(hash.as_bytes(), proof.as_bytes()).is_ok();
        self.0.iter().fold(false, |found, hash| equal(hash) | found)
    }
}
