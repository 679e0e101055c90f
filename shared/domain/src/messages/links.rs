//! The links that a message carries, made for it alone: to the recipient's preference page, and tracked ones
//! (docs/decisions/0080-tracked-links.md), which lead to a page of the business by way of Ringback and record the visit.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::people::{InvalidCode, LINK_LIFETIME, LinkCode, preferences_url};
use crate::terms::{MessageId, Target, TenantId};

/// Maximum targets of the tracked links of one message. Further ones are unknown values.
pub const MAX_TARGETS: usize = 10;

/// Path of tracked links, before the code.
const BEFORE: &str = "/l/";

/// Adds a target of a message's links, unless it is among them. Returns whether there is room for it.
pub fn add_target(targets: &mut Vec<Target>, target: &Target) -> bool {
    if targets.contains(target) {
        return true;
    }
    let fits = targets.len() < MAX_TARGETS;
    if fits {
        targets.push(target.clone());
    }
    fits
}

/// The links of a message that is being composed. They are stored together with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewLinks {
    /// Scheme and host that they begin with, if the deployment has them.
    pub base: Option<String>,
    /// Code of the link to the recipient's preference page, if the message needs one.
    pub preferences: Option<LinkCode>,
    /// The tracked links, if the message needs some.
    pub tracked: Option<Tracked>,
}

/// Tracked links: one code, and their targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    pub code: LinkCode,
    pub targets: Targets,
}

/// Targets of tracked links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    Named(Vec<Target>),
    /// Any, for links that lead nowhere.
    Any,
}

impl Targets {
    pub fn urls(&self) -> Vec<String> {
        match self {
            Self::Named(targets) => targets.iter().take(MAX_TARGETS).map(Target::url).collect(),
            Self::Any => Vec::new(),
        }
    }
}

impl NewLinks {
    pub const NONE: Self = Self {
        base: None,
        preferences: None,
        tracked: None,
    };

    /// Links that lead nowhere, for trying and showing messages.
    pub fn nobodys() -> Self {
        Self {
            base: Some("https://example.test".to_owned()),
            preferences: Some(LinkCode::of([0; 32])),
            tracked: Some(Tracked {
                code: LinkCode::of([0xff; 32]),
                targets: Targets::Any,
            }),
        }
    }

    /// The link to the preference page.
    pub fn to_preferences(&self) -> Option<String> {
        Some(preferences_url(self.base.as_deref()?, self.preferences.as_ref()?))
    }

    /// The tracked link to a page.
    pub fn to_target(&self, target: &Target) -> Option<String> {
        Some(format!(
            "{}{BEFORE}{}",
            self.base.as_deref()?,
            self.end_to_target(target)?
        ))
    }

    /// The end of that link.
    pub fn end_to_target(&self, target: &Target) -> Option<String> {
        let tracked = self.tracked.as_ref()?;
        let place = match &tracked.targets {
            Targets::Named(targets) => targets.iter().take(MAX_TARGETS).position(|known| known == target)?,
            Targets::Any => 0,
        };
        Some(format!("{}{place}", tracked.code.as_str()))
    }
}

/// The end of a tracked link: the code, and the place of its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedEnd {
    pub code: LinkCode,
    /// Place of the page among the message's pages.
    pub place: usize,
}

impl TrackedEnd {
    /// Maximum length of a link in bytes.
    pub const MAX_LINK: usize = 500;

    /// The end of a link as somebody reports it: the whole, or what follows its host.
    ///
    /// # Errors
    /// If it is no tracked link.
    pub fn of_link(link: &str) -> Result<Self, InvalidCode> {
        let link = link.trim();
        let link = link.split_once(['?', '#']).map_or(link, |(link, _)| link);
        link.rsplit_once(BEFORE).map_or(link, |(_, end)| end).parse()
    }
}

impl FromStr for TrackedEnd {
    type Err = InvalidCode;

    fn from_str(text: &str) -> Result<Self, InvalidCode> {
        let (at, place) = text.char_indices().next_back().ok_or(InvalidCode)?;
        let place = place.to_digit(10).ok_or(InvalidCode)?;
        Ok(Self {
            code: text[..at].parse()?,
            place: place as usize,
        })
    }
}

/// Codes in the texts of a message.
#[derive(Debug, Default)]
pub(crate) struct CodesFound([Vec<LinkCode>; 3]);

impl CodesFound {
    /// Maximum that are looked up for a message. Only random letters of great length have more.
    const MAX: usize = 100;

    /// Length of the end of a link: the code, and the place of the page.
    const END: usize = LinkCode::LENGTH + 1;

    /// Adds the links of a text. A button's URL, or its author's text, may have letters and digits beside one.
    pub(crate) fn add(&mut self, text: &str) {
        let is_beside = |at: Option<usize>| {
            let byte = at.and_then(|at| text.as_bytes().get(at));
            byte.is_some_and(u8::is_ascii_alphanumeric)
        };
        for at in 0..text.len().saturating_sub(LinkCode::LENGTH) {
            let Some(end) = text.get(at..at + Self::END) else {
                continue;
            };
            // As it is made: in lower case.
            let is_made = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
            if !end.bytes().all(is_made) {
                continue;
            }
            let Ok(TrackedEnd { code, .. }) = end.parse() else {
                continue;
            };
            let [behind_path, apart, joined] = &mut self.0;
            let found = if text[..at].ends_with(BEFORE) {
                behind_path
            } else if is_beside(at.checked_sub(1)) || is_beside(Some(at + Self::END)) {
                joined
            } else {
                apart
            };
            if found.len() < Self::MAX && !found.contains(&code) {
                found.push(code);
            }
        }
    }

    /// All of them, the likely ones first.
    pub(crate) fn into_codes(self) -> Vec<LinkCode> {
        let mut codes = self.0.concat();
        codes.truncate(Self::MAX);
        codes
    }
}

/// The tracked links of one message, as they are stored under the hash of their code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackedLinks {
    pub tenant: TenantId,
    pub message: MessageId,
    /// The URLs of their targets.
    pub targets: Vec<String>,
    pub created_at: Timestamp,
}

impl TrackedLinks {
    /// Time when they expire.
    pub fn expires_at(&self) -> Timestamp {
        self.created_at + LINK_LIFETIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn each_page_has_a_link_of_its_own() {
        let (cake, map) = (
            page("https://saffron.example/cake?from=sms"),
            page("https://maps.example/7"),
        );
        let code = LinkCode::of([7; 32]);
        let links = NewLinks {
            base: Some("https://api.example.com".to_owned()),
            preferences: None,
            tracked: Some(Tracked {
                code: code.clone(),
                targets: Targets::Named(vec![cake.clone(), map.clone()]),
            }),
        };
        let text = code.as_str();
        assert_eq!(
            links.to_target(&cake),
            Some(format!("https://api.example.com/l/{text}0"))
        );
        assert_eq!(links.end_to_target(&map), Some(format!("{text}1")));
        assert_eq!(links.to_target(&page("https://other.example")), None);
        assert_eq!(links.to_preferences(), None);
        assert_eq!(NewLinks { base: None, ..links }.to_target(&cake), None);
        assert_eq!(format!("{text}1").parse(), Ok(TrackedEnd { code, place: 1 }));
    }

    #[test]
    fn messages_have_a_limited_number_of_pages() {
        let targets: Vec<_> = (0..=MAX_TARGETS)
            .map(|n| page(&format!("https://a.example/{n}")))
            .collect();
        let links = NewLinks {
            tracked: Some(Tracked {
                code: LinkCode::of([7; 32]),
                targets: Targets::Named(targets.clone()),
            }),
            ..NewLinks::NONE
        };
        assert!(links.end_to_target(&targets[MAX_TARGETS - 1]).is_some());
        assert_eq!(links.end_to_target(&targets[MAX_TARGETS]), None);
    }

    fn find_codes(text: &str) -> Vec<LinkCode> {
        let mut found = CodesFound::default();
        found.add(text);
        found.into_codes()
    }

    #[test]
    fn codes_are_found_wherever_texts_have_them() {
        let code = LinkCode::of([7; 32]);
        let end = format!("{}3", code.as_str());
        for text in [
            end.clone(),
            format!("https://a.example/l/{end}"),
            format!("Cake: https://a.example/l/{end}."),
            format!("كعكة https://a.example/l/{end}، وشكرا"),
            format!("ref={end}&x"),
            format!("x{end}"),
            format!("{end}x"),
            format!("\u{1f382}{end}\u{1f382}"),
        ] {
            assert!(find_codes(&text).contains(&code), "{text}");
        }
        for text in [code.as_str(), &end.to_ascii_uppercase(), "", "Tuesday at 17:00"] {
            assert_eq!(find_codes(text), [], "{text}");
        }
    }

    /// Whatever an author writes, the lookups for a message are limited, including those for its links.
    #[test]
    fn few_codes_are_looked_up() {
        let code = LinkCode::of([9; 32]);
        let random: String = (1_000..1_400).map(|number| number.to_string()).collect();
        let text = format!("{random} https://a.example/l/{}0", code.as_str());
        let codes = find_codes(&text);
        assert_eq!((codes.len(), codes.first()), (CodesFound::MAX, Some(&code)));
    }

    #[test]
    fn reported_links_are_found_by_their_end() {
        let end = format!("{}3", LinkCode::of([7; 32]).as_str());
        for link in [
            format!("https://api.example.com/l/{end}"),
            format!(" http://old.example/l/{end}?fbclid=/l/1#x "),
            format!("api.example.com/l/{end}"),
            end.clone(),
        ] {
            let found = TrackedEnd::of_link(&link).unwrap();
            assert_eq!((found.code.as_str(), found.place), (&end[..16], 3), "{link}");
        }
        for wrong in [
            "",
            "https://api.example.com/l/",
            "https://api.example.com/p/0000000000000000",
        ] {
            assert_eq!(TrackedEnd::of_link(wrong), Err(InvalidCode), "{wrong}");
        }
    }

    #[test]
    fn other_texts_are_no_end_of_a_link() {
        for wrong in [
            "",
            "0",
            "000000000000000",
            "0000000000000000x",
            "00000000000000000x",
            "0000000000000000é",
            "uuuuuuuuuuuuuuuu0",
        ] {
            assert_eq!(wrong.parse::<TrackedEnd>(), Err(InvalidCode), "{wrong}");
        }
    }
}
