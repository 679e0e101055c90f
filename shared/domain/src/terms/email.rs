//! E-mail addresses.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// An e-mail address, in lower case. ASCII only: an internationalised domain is written in its ASCII form, so that two
/// addresses that look alike are not two accounts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Email(String);

/// A text that is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an e-mail address such as name@example.com, in ASCII letters")]
pub struct InvalidEmail;

shown_as!(Email, {
    "type": "string",
    "format": "email",
    "maxLength": Email::MAX_LENGTH,
    "examples": ["maya@saffron.example"],
});

impl Email {
    /// Maximum length in characters (RFC 5321, 4.5.3.1.3).
    pub const MAX_LENGTH: usize = 254;

    /// The address in the spelling that is stored and compared.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let local_ok = (1..=64).contains(&local.len())
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte));
        let label_ok = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let domain_ok = domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label_ok);
        if local_ok && domain_ok && text.len() <= Self::MAX_LENGTH {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidEmail)
        }
    }
}

impl fmt::Debug for Email {
    /// Hides the address, which would end up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email")
    }
}

parsed!(Email, "email", "name@example.com");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        let email: Email = " Joe.Bloggs+till@Example.COM ".parse().unwrap();
        assert_eq!(email.as_str(), "joe.bloggs+till@example.com");
        for wrong in [
            "",
            "joe",
            "joe@",
            "@example.com",
            "joe@localhost",
            "j oe@example.com",
            "jöe@example.com",
            "joe@exämple.com",
            "joe@-x.com",
            "joe@x..com",
            ".joe@x.com",
        ] {
            assert_eq!(wrong.parse::<Email>(), Err(InvalidEmail), "{wrong}");
        }
    }
}
