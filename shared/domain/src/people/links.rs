//! Links to preference pages (docs/decisions/0054-preference-page.md): a short random code, and what it stands for.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use ulid::Ulid;

use crate::terms::{Actor, ContactId, MessageId, TenantId, to_hex};

/// Validity of a link that a message carries. Expired links say what to do instead.
pub const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(180 * 24);

/// Validity of a link that somebody asked for: whoever gets it may keep it, so it is for a conversation that goes on now.
pub const MADE_LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// Stands for the code of a link where texts are shown. It may be part of a URL, since links are shown, too.
pub const MASK: &str = "***";

/// Path of the page, before the code.
const BEFORE: &str = "/p/";

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
    /// Number of its characters.
    pub(crate) const LENGTH: usize = LENGTH;

    /// A code from random bytes. The first ten become 16 characters.
    pub fn of(random: [u8; 32]) -> Self {
        let bits = random[..RANDOM].iter();
        let bits = bits.fold(0_u128, |all, byte| all << 8 | u128::from(*byte));
        let text = Ulid::from_parts(0, bits).to_string().to_ascii_lowercase();
        Self(text[ZEROS.len()..].to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the code, in hexadecimal digits.
    pub fn sha256(&self) -> String {
        to_hex(&Sha256::digest(&self.0))
    }

    /// A short name of the link, which does not tell the code.
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

impl LinkCode {
    /// Whether [`mask_links`] finds the code in a text that has it: behind the path, or with neither a letter nor a digit beside it.
    pub fn can_be_masked_in(&self, text: &str) -> bool {
        text.match_indices(self.as_str())
            .all(|(at, _)| text[..at].ends_with(BEFORE) || is_apart(text, at))
    }
}

/// The text with the codes of links to preference pages masked, for whoever may read messages but not act as their recipients: what is
/// behind the path, and what stands alone and looks like a code. Sixteen digits that stand alone are rather a number of another kind.
pub fn mask_links(text: &str) -> String {
    let (mut done, mut rest, mut at) = (String::with_capacity(text.len()), 0, 0);
    while at + LENGTH <= text.len() {
        if is_code(text, at) {
            done.push_str(&text[rest..at]);
            done.push_str(MASK);
            at += LENGTH;
            rest = at;
        } else {
            at += 1;
        }
    }
    done.push_str(&text[rest..]);
    done
}

fn is_code(text: &str, at: usize) -> bool {
    let Some(word) = text.get(at..at + LENGTH) else {
        return false;
    };
    let behind_path = text[..at].ends_with(BEFORE);
    // As it is made: in lower case. Behind the path, the page takes capitals, too.
    let is_made = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    let stands_alone =
        || is_apart(text, at) && word.bytes().all(is_made) && !word.bytes().all(|byte| byte.is_ascii_digit());
    (behind_path || stands_alone()) && word.parse::<LinkCode>().is_ok()
}

/// Whether neither a letter nor a digit is beside the sixteen characters at this place.
fn is_apart(text: &str, at: usize) -> bool {
    let beside = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    !beside(at.checked_sub(1).and_then(|before| bytes.get(before))) && !beside(bytes.get(at + LENGTH))
}

/// Masks the links in all texts of a value, at any depth.
pub(crate) fn mask_links_in(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(mask_links(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(mask_links_in).collect()),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, mask_links_in(value)));
            Value::Object(fields.collect())
        }
        other => other,
    }
}

/// Calls this with each text in a value, at any depth.
pub(crate) fn for_each_text(value: &Value, of: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => of(text),
        Value::Array(items) => items.iter().for_each(|item| for_each_text(item, of)),
        Value::Object(fields) => {
            let texts = fields.iter().filter(|(name, _)| !IDS.contains(&name.as_str()));
            texts.for_each(|(_, field)| for_each_text(field, of));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Fields of contents that hold ids. Some ids look like codes.
const IDS: [&str; 3] = ["content_sid", "asset", "header_media"];

/// The link to a page at this scheme and host.
pub fn preferences_url(base: &str, code: &LinkCode) -> String {
    format!("{base}{BEFORE}{}", code.as_str())
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
    pub tenant: TenantId,
    pub contact: ContactId,
    /// The reason why it was made.
    pub origin: LinkOrigin,
    pub created_at: Timestamp,
}

impl PreferenceLink {
    /// Time of its expiry.
    pub fn expires_at(&self) -> Timestamp {
        let lifetime = match self.origin {
            LinkOrigin::Message(_) => LINK_LIFETIME,
            LinkOrigin::Actor(_) => MADE_LINK_LIFETIME,
        };
        self.created_at + lifetime
    }

    /// The one who asked for it, if no message carries it.
    pub const fn maker(&self) -> Option<Actor> {
        match self.origin {
            LinkOrigin::Message(_) => None,
            LinkOrigin::Actor(actor) => Some(actor),
        }
    }

    /// The link in words, as the proof of a choice.
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

    /// A link is recognized with any host, and alone, as a button's value. Nothing else like it is.
    #[test]
    fn codes_are_masked_wherever_they_stand() {
        let code = LinkCode::of([7; 32]);
        let code = code.as_str();
        let upper = code.to_ascii_uppercase();
        for (text, shown) in [
            (code.to_owned(), "***"),
            (
                format!("Sorry. https://api.example.com/p/{code} Reply STOP"),
                "Sorry. https://api.example.com/p/*** Reply STOP",
            ),
            (
                format!("http://a/p/{upper}?lang=ar, ({code})\n{code}."),
                "http://a/p/***?lang=ar, (***)\n***.",
            ),
            (format!("/p/{code}x"), "/p/***x"),
            (format!("اضغط{code}é"), "اضغط***é"),
            (
                "/p/0000000000000000 0000000000000000".to_owned(),
                "/p/*** 0000000000000000",
            ),
        ] {
            assert_eq!(mask_links(&text), shown, "{text}");
        }
        for other in [
            "",
            "4111111111111111",
            "acknowledgements",
            "k3vd7tqpmn",
            "/p/sweatpants",
            &format!("x{code}"),
            &upper,
        ] {
            assert_eq!(mask_links(other), other);
        }
    }

    #[test]
    fn code_beside_letters_cannot_be_masked() {
        let code = LinkCode::of([7; 32]);
        let text = code.as_str();
        for apart in [format!("a {text}, b"), format!("/p/{text}x"), "none".to_owned()] {
            assert!(code.can_be_masked_in(&apart), "{apart}");
            assert!(!mask_links(&apart).contains(text), "{apart}");
        }
        for joined in [
            format!("a{text}"),
            format!("{text}1"),
            format!("{text}{text}"),
            format!("{text} /x{text}"),
        ] {
            assert!(!code.can_be_masked_in(&joined), "{joined}");
        }
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
