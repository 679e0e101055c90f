//! Links to preference pages (docs/decisions/0054-preference-page.md): a short random code, and what it stands for.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use ulid::Ulid;

use crate::{
    actor::Actor,
    ids::{ContactId, MessageId, TenantId},
    text::hex,
};

/// Validity of a link. Expired links say what to do instead.
pub const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(180 * 24);

/// Path of the page, before the code.
const PATH: &str = "p";

/// Random bytes of a code: 80 bits.
const RANDOM: usize = 10;

/// Characters of a code, each for five bits.
const LENGTH: usize = 16;

/// Zeros before a code that make it the text of a ULID.
const ZEROS: &str = "0000000000";

/// Hexadecimal digits of the name of a link.
const NAME: usize = 12;

/// The secret of a link. Whoever knows it may see the customer's choices and change them. The table holds its hash only.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkCode(String);

/// A text that is no code of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the code of a link")]
pub struct InvalidCode;

impl LinkCode {
    /// From random bytes, of which the first ten become 16 characters.
    #[must_use]
    pub fn of(random: [u8; 32]) -> Self {
        let bits = random[..RANDOM].iter();
        let bits = bits.fold(0_u128, |all, byte| all << 8 | u128::from(*byte));
        let text = Ulid::from_parts(0, bits).to_string().to_ascii_lowercase();
        Self(text[ZEROS.len()..].to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the code, in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex(&Sha256::digest(&self.0))
    }

    /// A short name of the link, which does not tell the code.
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = self.sha256();
        name.truncate(NAME);
        name
    }
}

impl FromStr for LinkCode {
    type Err = InvalidCode;

    fn from_str(text: &str) -> Result<Self, InvalidCode> {
        if text.len() != LENGTH {
            return Err(InvalidCode);
        }
        let text = text.to_ascii_lowercase();
        let whole = format!("{ZEROS}{text}");
        // One spelling per code: a look-alike letter is another text.
        let parsed = Ulid::from_string(&whole).map_err(|_| InvalidCode)?;
        if parsed.to_string().to_ascii_lowercase() == whole {
            Ok(Self(text))
        } else {
            Err(InvalidCode)
        }
    }
}

impl fmt::Debug for LinkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkCode")
    }
}

/// A new link for a message that is being composed. It is stored together with the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLink {
    /// Its code.
    pub code: LinkCode,
    /// Scheme and host of the page, if the deployment has them.
    pub base: Option<String>,
}

impl NewLink {
    /// The link of a page at this scheme and host.
    #[must_use]
    pub fn at(base: &str, code: &LinkCode) -> String {
        format!("{base}/{PATH}/{}", code.as_str())
    }

    /// The link, if the deployment has a base.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        self.base.as_deref().map(|base| Self::at(base, &self.code))
    }

    /// A link that leads nowhere, for trying rules.
    #[must_use]
    pub fn nobodys() -> Self {
        Self {
            code: LinkCode::of([0; 32]),
            base: Some("https://example.test".to_owned()),
        }
    }
}

/// The reason why a link was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkOrigin {
    /// A message carries it.
    Message(MessageId),
    /// Somebody asked for it by the API.
    Actor(Actor),
}

/// A link to the page of one contact, as it is stored under the hash of its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreferenceLink {
    /// The tenant.
    pub tenant: TenantId,
    /// The contact.
    pub contact: ContactId,
    /// The reason why it was made.
    pub origin: LinkOrigin,
    /// Time of creation.
    pub created_at: Timestamp,
}

impl PreferenceLink {
    /// The link in words, as the proof of a choice.
    #[must_use]
    pub fn evidence(&self, code: &LinkCode) -> String {
        let name = code.name();
        match self.origin {
            LinkOrigin::Message(message) => format!("preference link {name} of the message {message}"),
            LinkOrigin::Actor(actor) => format!("preference link {name}, made by {actor}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{NOON, at};

    #[test]
    fn code_has_16_characters_and_one_spelling() {
        let code = LinkCode::of([0xff; 32]);
        assert_eq!(code.as_str(), "zzzzzzzzzzzzzzzz");
        assert_eq!(LinkCode::of([0; 32]).as_str(), "0000000000000000");
        assert_eq!(code.as_str().parse(), Ok(code.clone()));
        assert_eq!(code.as_str().to_ascii_uppercase().parse(), Ok(code.clone()));
        let different = LinkCode::of([7; 32]);
        assert_ne!(code.sha256(), different.sha256());
        assert!(code.sha256().starts_with(&code.name()) && code.name().len() == NAME);
        assert_eq!(format!("{code:?}"), "LinkCode");
        for wrong in [
            "",
            "zzzzzzzzzzzzzzz",
            "zzzzzzzzzzzzzzzzz",
            "oooooooooooooooo",
            "iiiiiiiiiiiiiiii",
            "uuuuuuuuuuuuuuuu",
            "0000-00000000000",
            "ذذذذذذذذ",
        ] {
            assert_eq!(wrong.parse::<LinkCode>(), Err(InvalidCode), "{wrong}");
        }
    }

    #[test]
    fn link_is_short_enough_for_a_text_message() {
        let link = NewLink {
            code: LinkCode::of([7; 32]),
            base: Some("https://api.example.com".to_owned()),
        };
        let url = link.url().unwrap();
        assert_eq!(url, format!("https://api.example.com/p/{}", link.code.as_str()));
        assert_eq!(url.len(), "https://api.example.com".len() + 19);
        assert_eq!(NewLink { base: None, ..link }.url(), None);
    }

    #[test]
    fn evidence_names_the_link_and_its_origin() {
        let code = LinkCode::of([7; 32]);
        let contact: ContactId = "ctc_00000000000000000000000001".parse().unwrap();
        let message = MessageId::new(contact, Ulid::from_parts(1, 2));
        let mut link = PreferenceLink {
            tenant: "tnt_00000000000000000000000001".parse().unwrap(),
            contact,
            origin: LinkOrigin::Message(message),
            created_at: at(NOON),
        };
        let text = link.evidence(&code);
        assert_eq!(
            text,
            format!("preference link {} of the message {message}", code.name())
        );
        link.origin = LinkOrigin::Actor(Actor::Operator);
        assert!(link.evidence(&code).ends_with(", made by operator"));
        assert!(!text.contains(code.as_str()));
    }
}
