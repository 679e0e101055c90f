//! Content of messages: the kinds, their limits at WhatsApp, and what a provider carries (docs/decisions/0068-content-of-messages.md).
//!
//! A request has texts with placeholders ([`content_draft`](crate::messages::Draft)). Composing fills them in and checks the limits of this page, so that whatever is
//! stored as [`Content`] is within them.

mod emoji;
mod place;

use serde::{Deserialize, Serialize};

use crate::media::{AssetUse, MediaKind};
use crate::people::{MASK, for_each_text, mask_links_in};
use crate::templates::FilledTemplate;
use crate::terms::{Email, OneLine, Phone, ProviderRef, UpTo, WebUrl};

pub use emoji::{Emoji, NotAnEmoji};
pub use place::{Degrees, Latitude, Location, Longitude};

/// Maximum characters of a caption.
pub const MAX_CAPTION_LENGTH: usize = 1_024;
/// Maximum characters of the body of an interactive message.
pub const MAX_BODY_LENGTH: usize = 1_024;
/// Maximum characters of its header, if it is a text.
pub const MAX_HEADER_LENGTH: usize = 60;
/// Maximum characters of its footer.
pub const MAX_FOOTER_LENGTH: usize = 60;
pub const MAX_REPLY_BUTTONS: usize = 3;
/// Maximum characters of the title of a button, of a list's menu and of a link.
pub const MAX_TITLE_LENGTH: usize = 20;
/// Maximum characters of a reply button's id.
pub const MAX_BUTTON_ID_LENGTH: usize = 256;
/// Maximum sections of a list.
pub const MAX_SECTIONS: usize = 10;
/// Maximum rows of a list, in all its sections.
pub const MAX_ROWS: usize = 10;
/// Maximum characters of the title of a section and of a row.
pub const MAX_ROW_LENGTH: usize = 24;
/// Maximum characters of the description of a row.
pub const MAX_DESCRIPTION_LENGTH: usize = 72;
/// Maximum characters of a row's id.
pub const MAX_ROW_ID_LENGTH: usize = 200;
/// Maximum cards of a message.
pub const MAX_CARDS: usize = 10;
/// Maximum telephone numbers of a card, and e-mail addresses.
pub const MAX_OF_CARD: usize = 5;
/// Maximum characters of a name on a card.
pub const MAX_CARD_NAME_LENGTH: usize = 100;
/// Maximum bytes of a file that Twilio passes on to WhatsApp.
pub const LARGEST_AT_TWILIO: u64 = 16_000_000;

/// Content of a message on one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A template with its values filled in.
    Template(FilledTemplate),
    Text(String),
    Media(Media),
    /// A text with buttons, a list, a link or a request.
    Interactive(Interactive),
    Location(Location),
    Contacts(UpTo<MAX_CARDS, Card>),
    /// A reaction to a message.
    Reaction(Reaction),
}

/// Kind of a message's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ContentKind"))]
#[serde(rename_all = "snake_case")]
pub enum ContentKind {
    /// A template.
    Template,
    /// Free text.
    Text,
    /// A file.
    Media,
    /// A text with buttons, a list, a link or a request.
    Interactive,
    /// A place.
    Location,
    /// Business cards.
    Contacts,
    /// A reaction to a message.
    Reaction,
}

impl ContentKind {
    /// The name for software.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Text => "text",
            Self::Media => "media",
            Self::Interactive => "interactive",
            Self::Location => "location",
            Self::Contacts => "contacts",
            Self::Reaction => "reaction",
        }
    }

    /// Whether WhatsApp through Twilio carries it without an approved template.
    pub const fn carried_by_twilio(self) -> bool {
        matches!(self, Self::Template | Self::Text | Self::Media | Self::Location)
    }
}

impl Content {
    pub const fn kind(&self) -> ContentKind {
        match self {
            Self::Template(_) => ContentKind::Template,
            Self::Text(_) => ContentKind::Text,
            Self::Media(_) => ContentKind::Media,
            Self::Interactive(_) => ContentKind::Interactive,
            Self::Location(_) => ContentKind::Location,
            Self::Contacts(_) => ContentKind::Contacts,
            Self::Reaction(_) => ContentKind::Reaction,
        }
    }

    /// The text that the person reads: a text, caption or body, the name of a place or of the first card, an emoji. None for a template,
    /// whose text is not stored, and for content without text.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Template(_) => None,
            Self::Text(text) => Some(text),
            Self::Media(media) => media.caption.as_deref(),
            Self::Interactive(interactive) => Some(&interactive.body),
            Self::Location(location) => location.label(),
            Self::Contacts(cards) => cards.first().map(|card| card.name.as_str()),
            Self::Reaction(reaction) => reaction.emoji.as_ref().map(Emoji::as_str),
        }
    }

    /// Masks the codes of preference links in all its texts.
    pub fn mask_links(&self) -> Self {
        let shown = serde_json::to_value(self).map(mask_links_in);
        // Masked texts are as valid as before, only shorter. If one were not, it would be better to show none.
        let shown = shown.and_then(serde_json::from_value);
        shown.unwrap_or_else(|_| Self::Text(MASK.to_owned()))
    }

    /// Calls `of` with each of its texts, values of templates and of their buttons included.
    pub(crate) fn each_text(&self, mut of: impl FnMut(&str)) {
        // It has a form in JSON: it is stored in one like it.
        if let Ok(value) = serde_json::to_value(self) {
            for_each_text(&value, &mut of);
        }
    }

    /// The template, if it is one.
    pub const fn template(&self) -> Option<&FilledTemplate> {
        match self {
            Self::Template(filled) => Some(filled),
            _ => None,
        }
    }

    /// The file that it carries: one at most.
    pub const fn asset(&self) -> Option<&AssetUse> {
        match self {
            Self::Template(filled) => filled.header_media.as_ref(),
            Self::Media(media) => Some(&media.asset),
            Self::Interactive(Interactive {
                header: Some(Header::Media(asset)),
                ..
            }) => Some(asset),
            _ => None,
        }
    }

    /// Whether WhatsApp carries it only in the open service window.
    pub const fn needs_window(&self) -> bool {
        !matches!(self, Self::Template(_))
    }
}

/// A file in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    pub asset: AssetUse,
    /// The text below it. Audio and stickers have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Whether audio is shown as a voice message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voice: bool,
}

/// Whether WhatsApp shows a caption with files of this kind.
pub const fn has_caption(kind: MediaKind) -> bool {
    matches!(kind, MediaKind::Image | MediaKind::Video | MediaKind::Document)
}

/// A text with something to tap as an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interactive {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    pub body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// Buttons, menu or link to tap.
    pub action: Action,
}

/// The header of an interactive message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    Text(String),
    /// A picture, video or document. Only above buttons.
    Media(AssetUse),
}

/// Part of an interactive message that can be tapped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Buttons. Each answers with its title.
    Buttons(UpTo<MAX_REPLY_BUTTONS, Button>),
    /// A menu to choose a row from.
    List(List),
    Link(Link),
    /// A request for the person's location.
    RequestLocation,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// Id that comes back with the answer.
    pub id: OneLine<1, MAX_BUTTON_ID_LENGTH>,
    pub title: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// The label of the button that opens it.
    pub button: String,
    pub sections: UpTo<MAX_SECTIONS, Section>,
}

/// A section of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its title. A menu of one section needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub rows: UpTo<MAX_ROWS, ListRow>,
}

/// A row of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRow {
    /// Id that comes back with the answer.
    pub id: OneLine<1, MAX_ROW_ID_LENGTH>,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A link below a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub title: String,
    pub url: WebUrl,
}

/// A business card. It is stored as it is requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Card"))]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Name of the person or business.
    #[cfg_attr(feature = "schema", schemars(example = &"Saffron Bakery"))]
    pub name: OneLine<1, MAX_CARD_NAME_LENGTH>,
    /// Business of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = &"Saffron Bakery"))]
    pub organization: Option<OneLine<1, MAX_CARD_NAME_LENGTH>>,
    /// Telephone numbers.
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    pub phones: UpTo<MAX_OF_CARD, CardPhone>,
    /// E-mail addresses.
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    pub emails: UpTo<MAX_OF_CARD, Email>,
}

/// A telephone number on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CardPhone {
    /// Number.
    #[cfg_attr(feature = "schema", schemars(example = "+971501234567"))]
    pub number: Phone,
    /// Kind of number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<PhoneKind>,
}

/// Kind of a telephone number on a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PhoneKind {
    /// A mobile telephone.
    Mobile,
    /// At home.
    Home,
    /// At work.
    Work,
}

/// A reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The provider's id of that message.
    pub to: ProviderRef,
    /// The emoji. `None` takes the reaction back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<Emoji>,
}
