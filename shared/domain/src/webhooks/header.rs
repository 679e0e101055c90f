//! The static header of an endpoint, for receivers that compare a value instead of checking a signature.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::terms::{Fault, FaultCode, Faulty};

/// The name of a header, in lower case. Names that the request has anyway, or that belong to the connection, are refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct HeaderName(String);

shown_as!(HeaderName, {
    "type": "string", "minLength": 1, "maxLength": HeaderName::MAX_LENGTH, "pattern": "^[A-Za-z0-9_-]+$",
    "examples": ["x-ringback-token"],
});

/// A text that is not the name of a header which a tenant may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeaderName {
    /// It has other characters, or too many.
    #[error(
        "must be the name of a header: 1 to {} letters, digits, - and _",
        HeaderName::MAX_LENGTH
    )]
    Form,
    /// Each request has this header already, or it is about the connection.
    #[error("is the name of a header that requests have already; choose another one, such as x-ringback-token")]
    Reserved,
}

/// Headers of the request itself, and of connections and proxies (RFC 9110, 7.6.1).
const RESERVED: [&str; 17] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
];

/// Beginnings of names of which the same holds.
const RESERVED_PREFIXES: [&str; 4] = ["webhook-", "proxy-", "sec-", "x-forwarded-"];

impl HeaderName {
    /// Maximum length in characters.
    pub const MAX_LENGTH: usize = 64;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HeaderName {
    type Err = InvalidHeaderName;

    fn from_str(text: &str) -> Result<Self, InvalidHeaderName> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !(1..=Self::MAX_LENGTH).contains(&text.len()) || !text.bytes().all(is_plain) {
            return Err(InvalidHeaderName::Form);
        }
        let name = text.to_ascii_lowercase();
        // Some servers take an underscore for a hyphen.
        let compared = name.replace('_', "-");
        let is_reserved = RESERVED.contains(&compared.as_str())
            || RESERVED_PREFIXES.iter().any(|prefix| compared.starts_with(prefix));
        if is_reserved {
            return Err(InvalidHeaderName::Reserved);
        }
        Ok(Self(name))
    }
}

impl Faulty for InvalidHeaderName {
    fn fault(&self) -> Fault {
        let code = match self {
            Self::Form => FaultCode::Format,
            Self::Reserved => FaultCode::Reserved,
        };
        Fault::new(code, self.to_string())
    }
}

parsed!(HeaderName, by fault);

/// The value of a static header. It is a secret, so it cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderValue(String);

shown_as!(HeaderValue, {
    "type": "string", "minLength": 1, "maxLength": HeaderValue::MAX_LENGTH, "pattern": "^[!-~]([ -~]*[!-~])?$", "writeOnly": true,
    "examples": ["Bearer 5f0c2a9e7d"],
});

/// A text that cannot be the value of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be 1 to {} visible ASCII characters, with spaces only between them",
    HeaderValue::MAX_LENGTH
)]
pub struct InvalidHeaderValue;

impl HeaderValue {
    /// Maximum length in characters.
    pub const MAX_LENGTH: usize = 1_000;

    /// The value.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeaderValue")
    }
}

impl FromStr for HeaderValue {
    type Err = InvalidHeaderValue;

    fn from_str(text: &str) -> Result<Self, InvalidHeaderValue> {
        let is_shown = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        let fits = (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(is_shown) && text.trim() == text;
        fits.then(|| Self(text.to_owned())).ok_or(InvalidHeaderValue)
    }
}

parsed!(HeaderValue);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_headers_are_parsed() {
        for (text, expected) in [
            ("X-Ringback-Token", Ok("x-ringback-token")),
            ("authorization", Ok("authorization")),
            ("x_token", Ok("x_token")),
            ("", Err(InvalidHeaderName::Form)),
            ("x token", Err(InvalidHeaderName::Form)),
            ("x:token", Err(InvalidHeaderName::Form)),
            ("x-tökén", Err(InvalidHeaderName::Form)),
            ("x\r\nhost", Err(InvalidHeaderName::Form)),
            ("Host", Err(InvalidHeaderName::Reserved)),
            ("content_length", Err(InvalidHeaderName::Reserved)),
            ("Transfer-Encoding", Err(InvalidHeaderName::Reserved)),
            ("webhook-signature", Err(InvalidHeaderName::Reserved)),
            ("webhook_id", Err(InvalidHeaderName::Reserved)),
            ("Proxy-Authorization", Err(InvalidHeaderName::Reserved)),
            ("x-forwarded-for", Err(InvalidHeaderName::Reserved)),
        ] {
            let name = text.parse::<HeaderName>();
            assert_eq!(
                name.as_ref().map(HeaderName::as_str),
                expected.as_ref().copied(),
                "{text:?}"
            );
        }
        assert!("x".repeat(64).parse::<HeaderName>().is_ok());
        assert_eq!("x".repeat(65).parse::<HeaderName>(), Err(InvalidHeaderName::Form));
    }

    #[test]
    fn values_of_headers_are_one_line_and_never_printed() {
        for text in ["s3cret", "Bearer a b", "!"] {
            let value: HeaderValue = text.parse().unwrap();
            assert_eq!(value.reveal(), text);
            assert_eq!(format!("{value:?}"), "HeaderValue");
        }
        for text in ["", " a", "a ", "a\r\nx: y", "a\tb", "é", "a\u{7f}", &"a".repeat(1_001)] {
            assert_eq!(text.parse::<HeaderValue>(), Err(InvalidHeaderValue), "{text:?}");
        }
    }
}
