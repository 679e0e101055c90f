//! Names of tenants in URLs.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::terms::{Fault, FaultCode, Faulty};

/// A tenant's name in URLs: lower-case ASCII letters, digits and single hyphens, 3 to 40 characters. No other script, so
/// that none looks like another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Slug(String);

/// Reason why a text is not a slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSlug {
    #[error("expected 3 to 40 lower-case letters a to z, digits and single hyphens, such as joes-pizza")]
    Form,
    /// Reserved for the platform.
    #[error("this name is reserved; choose another")]
    Reserved,
}

/// Names of hosts and paths, including paths of the console, which begin with the tenant's name.
const RESERVED: [&str; 24] = [
    "accept-invitation",
    "account",
    "admin",
    "api",
    "app",
    "assets",
    "auth",
    "billing",
    "console",
    "docs",
    "forgot-password",
    "help",
    "log-in",
    "mail",
    "platform",
    "reset-password",
    "ringback",
    "root",
    "sign-up",
    "status",
    "support",
    "verify-email",
    "webhooks",
    "www",
];

shown_as!(Slug, {
    "type": "string",
    "minLength": Slug::SHORTEST,
    "maxLength": Slug::MAX_LENGTH,
    "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$",
    "examples": ["saffron-bakery"],
});

impl Slug {
    /// Minimum length in characters.
    pub const SHORTEST: usize = 3;

    /// Maximum length in characters.
    pub const MAX_LENGTH: usize = 40;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = InvalidSlug;

    fn from_str(text: &str) -> Result<Self, InvalidSlug> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let formed = (Self::SHORTEST..=Self::MAX_LENGTH).contains(&text.len())
            && text.bytes().all(allowed)
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--");
        if !formed {
            return Err(InvalidSlug::Form);
        }
        if RESERVED.contains(&text) {
            return Err(InvalidSlug::Reserved);
        }
        Ok(Self(text.to_owned()))
    }
}

impl Faulty for InvalidSlug {
    fn fault(&self) -> Fault {
        match self {
            Self::Form => Fault::format("slug", "joes-pizza", self.to_string()),
            Self::Reserved => Fault::new(FaultCode::Reserved, self.to_string()),
        }
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

parsed!(Slug, by fault);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slug_cannot_imitate_another() {
        assert!("joes-pizza-2".parse::<Slug>().is_ok());
        // Cyrillic о and а, full-width letters, a zero-width joiner, upper case.
        for wrong in [
            "j\u{43e}es-pizza",
            "p\u{430}pa",
            "ｐizza",
            "pi\u{200d}zza",
            "Pizza",
            "pi",
            "-pizza",
            "pizza-",
            "piz--za",
            "piz_za",
        ] {
            assert_eq!(wrong.parse::<Slug>(), Err(InvalidSlug::Form), "{wrong}");
        }
        assert_eq!("admin".parse::<Slug>(), Err(InvalidSlug::Reserved));
    }
}
