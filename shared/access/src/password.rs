//! Passwords: argon2id with the parameters that OWASP names first (19 MiB, 2 passes, 1 lane).

use argon2::{
    Argon2, PasswordHasher, PasswordVerifier,
    password_hash::phc::{self, PasswordHash as Phc},
};
use domain::account::PasswordHash;

/// A password could not be hashed.
#[derive(Debug, thiserror::Error)]
#[error("could not hash a password")]
pub struct HashError;

/// Hashes a password with this salt, of which 16 bytes or more must be random.
///
/// # Errors
/// When the salt is too short.
pub fn hash(password: &str, salt: &[u8]) -> Result<PasswordHash, HashError> {
    let hashed: Result<phc::PasswordHash, _> = Argon2::default().hash_password_with_salt(password.as_bytes(), salt);
    hashed.map(|hash| PasswordHash(hash.to_string())).map_err(|_| HashError)
}

/// Whether the password is the hashed one. Takes as long for `None`, so that nobody can tell by the time whether an
/// account exists.
#[must_use]
pub fn is_right(password: &str, known: Option<&PasswordHash>) -> bool {
    /// Of a password that nobody knows, with the parameters above.
    const NOBODYS: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let text = known.map_or(NOBODYS, |hash| &hash.0);
    let Ok(parsed) = Phc::new(text) else {
        return false;
    };
    let same = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    same && known.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_right_or_wrong_and_nobodys_is_never_right() {
        let hash = hash("correct horse battery", &[7; 16]).unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert!(is_right("correct horse battery", Some(&hash)));
        assert!(!is_right("correct horse batterx", Some(&hash)));
        assert!(!is_right("correct horse battery", None));
        assert!(!is_right("x", Some(&PasswordHash("no hash".to_owned()))));
    }
}
