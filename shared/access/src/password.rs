//! Passwords: hashed by argon2id with OWASP's first set of parameters (19 MiB, 2 passes, 1 lane), in one Unicode form, and hard
//! to guess.

use std::borrow::Cow;

use argon2::password_hash::phc::{self, PasswordHash as Phc};
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use domain::accounts::PasswordHash;
use icu_normalizer::ComposingNormalizerBorrowed;
use zxcvbn::{Score, zxcvbn};

/// A password could not be hashed.
#[derive(Debug, thiserror::Error)]
#[error("could not hash a password")]
pub struct HashError;

/// Reason why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("use {SHORTEST} to {MAX_LENGTH} characters, such as a few unrelated words")]
    Length,
    /// Easy to guess.
    #[error("it is easy to guess; use a few unrelated words")]
    Guessable,
    /// The address or the name.
    #[error("it must not be your e-mail address or your name")]
    Personal,
}

/// Minimum length in characters.
pub const SHORTEST: usize = 10;

/// Maximum length in characters.
pub const MAX_LENGTH: usize = 128;

/// Fragments that, repeated or with digits around them, make up most leaked passwords of ten characters and more, and the name of
/// this product.
const COMMON: [&str; 14] = [
    "password",
    "passw0rd",
    "qwertyuiop",
    "qwerty",
    "1234567890",
    "0123456789",
    "letmein",
    "welcome",
    "iloveyou",
    "admin",
    "abc123",
    "changeme",
    "ringback",
    "p@ssword",
];

/// Length of the part of a password that is estimated at once, in characters. The time grows more than quadratically, and with
/// the number of characters that each may stand for: about 140 ms for 32 in the worst case, a second for 100.
const ESTIMATED: usize = 32;

/// The password in NFKC, because keyboards and systems encode the same letters differently.
fn normalize_password(password: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfkc().normalize(password)
}

/// Refuses a password that is easy to guess. `about` holds known facts about the person: address, name, business.
///
/// # Errors
/// When it is too short, too long, guessable or personal.
pub fn check(password: &str, about: &[&str]) -> Result<(), WeakPassword> {
    // One character may be spelled by eighteen, so both lengths are limited.
    if password.chars().count() > MAX_LENGTH {
        return Err(WeakPassword::Length);
    }
    let password = normalize_password(password);
    let length = password.chars().count();
    if !(SHORTEST..=MAX_LENGTH).contains(&length) {
        return Err(WeakPassword::Length);
    }
    let lower = password.to_lowercase();
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    // The rest of a common word's password is digits, signs and the word again.
    let rest = COMMON.iter().fold(lower.clone(), |rest, word| rest.replace(word, ""));
    let letters = rest.chars().filter(|letter| letter.is_alphabetic()).count();
    let shrunk = rest.len() < lower.len();
    if distinct.len() < 5 || (shrunk && letters < 4) {
        return Err(WeakPassword::Guessable);
    }
    let personal = about.iter().map(|text| text.trim().to_lowercase());
    if personal.into_iter().any(|text| {
        let name = text.split('@').next().unwrap_or_default();
        text == lower || (name.chars().count() >= 8 && lower.contains(name) && lower.len() < name.len() + 4)
    }) {
        return Err(WeakPassword::Personal);
    }
    if is_guessable(&password, about) {
        return Err(WeakPassword::Guessable);
    }
    Ok(())
}

/// True if fewer than 10^8 guesses find it. Where its beginning is weak, its end may still be strong.
fn is_guessable(password: &str, about: &[&str]) -> bool {
    let known = words_about(about);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let weak = |part: &str| zxcvbn(part, &known).score() < Score::Three;
    let begin: String = password.chars().take(ESTIMATED).collect();
    let length = password.chars().count();
    weak(&begin) && {
        let end: String = password.chars().skip(length.saturating_sub(ESTIMATED)).collect();
        length <= ESTIMATED || weak(&end)
    }
}

/// Starting points of guesses about this person: each text, its words, and its words joined.
fn words_about(about: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = COMMON.map(str::to_owned).into();
    for text in about {
        let lower: String = text.to_lowercase().chars().take(100).collect();
        let parts: Vec<&str> = lower.split(|letter: char| !letter.is_alphanumeric()).collect();
        words.push(parts.concat());
        words.extend(parts.into_iter().filter(|part| part.len() > 2).map(str::to_owned));
        words.push(lower);
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Hashes a password with this salt, which needs at least 16 random bytes.
///
/// # Errors
/// When the salt is too short.
pub fn hash(password: &str, salt: &[u8]) -> Result<PasswordHash, HashError> {
    let hashed: Result<phc::PasswordHash, _> =
        Argon2::default().hash_password_with_salt(normalize_password(password).as_bytes(), salt);
    hashed.map(|hash| PasswordHash(hash.to_string())).map_err(|_| HashError)
}

/// True if the password matches the hash. Takes the same time for `None`, so that the time does not reveal whether an account
/// exists.
pub fn is_right(password: &str, known: Option<&PasswordHash>) -> bool {
    /// Hash of an unknown password, with the parameters above.
    const NOBODYS: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let text = known.map_or(NOBODYS, |hash| &hash.0);
    let Ok(parsed) = Phc::new(text) else {
        return false;
    };
    let spelled = normalize_password(password);
    let same = Argon2::default().verify_password(spelled.as_bytes(), &parsed).is_ok();
    same && known.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_of_an_unknown_account_never_matches() {
        let hash = hash("correct horse battery", &[7; 16]).unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert!(is_right("correct horse battery", Some(&hash)));
        assert!(!is_right("correct horse batterx", Some(&hash)));
        assert!(!is_right("correct horse battery", None));
        assert!(!is_right("x", Some(&PasswordHash("no hash".to_owned()))));
    }

    #[test]
    fn password_matches_in_every_unicode_form() {
        // Å as one character, as two, and as the sign of the unit; ﬁ as a ligature; full-width digits.
        let spellings = [
            "\u{c5}ngström fi 12",
            "A\u{30a}ngstro\u{308}m \u{fb01} \u{ff11}\u{ff12}",
            "\u{212b}ngström fi 12",
        ];
        for set in spellings {
            let hash = hash(set, &[7; 16]).unwrap();
            for typed in spellings {
                assert!(is_right(typed, Some(&hash)), "{set} {typed}");
            }
            assert!(!is_right("Angstrom fi 12", Some(&hash)));
        }
    }

    #[test]
    fn guessable_password_is_refused() {
        let about = ["joe.bloggs@example.com", "Maya Haddad", "Joe's Pizza"];
        let check = |password: &str| check(password, &about);
        for good in [
            "correct horse battery",
            "seven quiet lanterns",
            "x7Kp2mQv9Lw",
            "كلمة سر طويلة جدا",
            "مفتاح البيت الأزرق",
            "0f3a9c27b8d14e65a1c2d3e4f5061728",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(check("short"), Err(WeakPassword::Length));
        assert_eq!(check(&"long".repeat(40)), Err(WeakPassword::Length));
        // Eighteen letters in one character: longer than it looks, but no stronger.
        assert_eq!(check(&"\u{fdfa}".repeat(8)), Err(WeakPassword::Length));
        for common in [
            "Password123!",
            "Password2026!",
            "aaaaaaaaaaaa",
            "qwerty123456",
            "1234567890123",
            "passwordpassword",
            "letmein letmein",
            "hunter2hunter2",
            "1q2w3e4r5t6y",
            "zaq12wsxcde3",
            "abcdefghijkl",
            "ringback2026",
            "Tr0ub4dour&3",
            "MayaHaddad99",
            "joespizza2026",
            "19881988198819881988198819881988198819881988",
        ] {
            assert_eq!(check(common), Err(WeakPassword::Guessable), "{common}");
        }
        for personal in ["joe.bloggs@example.com", "joe.bloggs12", "Maya Haddad"] {
            assert_eq!(check(personal), Err(WeakPassword::Personal), "{personal}");
        }
        let weak_only_at_first = format!("{} seven quiet lanterns", "a".repeat(32));
        assert_eq!(check(&weak_only_at_first), Ok(()));
    }
}
