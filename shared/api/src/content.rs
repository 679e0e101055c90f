//! Content of messages as the API shows it.

use domain::media::{AssetUse, MediaKind};
use domain::messages::{
    Action, Card, Content, ContentKind, Emoji, Header, InboundMessage, Interactive, Latitude, Leg, Link, List,
    Location, Longitude, Media, PhoneKind, Reaction, SharedCard, SharedLocation,
};
use domain::terms::{FileId, ShownName};
use schemars::JsonSchema;
use serde::Serialize;

use crate::phone::PhoneOut;

/// Content of a channel: its kind, with the field of that kind. A text and a template are beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MessageContent")]
pub(crate) struct ContentOut {
    /// Kind of content.
    kind: ContentKind,
    /// File. `null` for other kinds.
    media: Option<MediaOut>,
    /// Text that the person answers with a tap. `null` for other kinds.
    interactive: Option<InteractiveOut>,
    /// Place. `null` for other kinds.
    location: Option<LocationOut>,
    /// Business cards. Empty for other kinds.
    contacts: Vec<CardOut>,
    /// Reaction. `null` for other kinds.
    reaction: Option<ReactionOut>,
    /// The provider's id of the message that it answers. `null` if it answers none.
    #[schemars(example = &"wamid.HBgMOTcxNTAxMjM0NTY3")]
    reply_to: Option<String>,
}

impl From<&Leg> for ContentOut {
    fn from(leg: &Leg) -> Self {
        let mut shown = Self {
            kind: leg.content.kind(),
            media: None,
            interactive: None,
            location: None,
            contacts: Vec::new(),
            reaction: None,
            reply_to: leg.reply_to.as_ref().map(ToString::to_string),
        };
        match &leg.content {
            Content::Template(_) | Content::Text(_) => {}
            Content::Media(media) => shown.media = Some(MediaOut::from(media)),
            Content::Interactive(interactive) => shown.interactive = Some(InteractiveOut::from(interactive)),
            Content::Location(location) => shown.location = Some(LocationOut::from(location)),
            Content::Contacts(cards) => shown.contacts = cards.iter().map(CardOut::from).collect(),
            Content::Reaction(reaction) => shown.reaction = Some(ReactionOut::from(reaction)),
        }
        shown
    }
}

/// An asset in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MessageAsset")]
pub(crate) struct FileOut {
    /// Asset, or attachment.
    asset_id: FileId,
    /// Kind as which WhatsApp shows it.
    kind: MediaKind,
    /// Name of a document, as the person sees it. `null` for other files.
    #[schemars(example = &"menu.pdf")]
    file_name: Option<String>,
}

impl From<&AssetUse> for FileOut {
    fn from(used: &AssetUse) -> Self {
        Self {
            asset_id: used.asset_id,
            kind: used.kind,
            file_name: used.file_name.as_ref().map(ToString::to_string),
        }
    }
}

/// A file that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SentMedia")]
pub(crate) struct MediaOut {
    /// The file.
    #[serde(flatten)]
    file: FileOut,
    /// Text below it. `null` if there is none.
    #[schemars(example = &"Your quote")]
    caption: Option<String>,
    /// Whether audio is shown as a voice message.
    voice: bool,
}

impl From<&Media> for MediaOut {
    fn from(media: &Media) -> Self {
        Self {
            file: FileOut::from(&media.asset),
            caption: media.caption.clone(),
            voice: media.voice,
        }
    }
}

/// A text that the person answers with a tap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SentInteractive")]
pub(crate) struct InteractiveOut {
    /// Text above the body. `null` if there is none.
    #[schemars(example = &"Your appointment")]
    header: Option<String>,
    /// File above the body. `null` if there is none.
    header_media: Option<FileOut>,
    /// Text.
    #[schemars(example = &"Shall we see you tomorrow at ten?")]
    body: String,
    /// Text below the body. `null` if there is none.
    #[schemars(example = &"Saffron Bakery")]
    footer: Option<String>,
    /// Buttons. Empty if there are none.
    buttons: Vec<ButtonOut>,
    /// Menu. `null` if there is none.
    list: Option<ListOut>,
    /// Link. `null` if there is none.
    link: Option<LinkOut>,
    /// Whether it asks for the person's location.
    request_location: bool,
}

impl From<&Interactive> for InteractiveOut {
    fn from(interactive: &Interactive) -> Self {
        let (header, header_media) = match &interactive.header {
            None => (None, None),
            Some(Header::Text(text)) => (Some(text.clone()), None),
            Some(Header::Media(asset)) => (None, Some(FileOut::from(asset))),
        };
        let mut shown = Self {
            header,
            header_media,
            body: interactive.body.clone(),
            footer: interactive.footer.clone(),
            buttons: Vec::new(),
            list: None,
            link: None,
            request_location: false,
        };
        match &interactive.action {
            Action::Buttons(buttons) => {
                let buttons = buttons.iter().map(|button| ButtonOut {
                    id: button.id.as_str().to_owned(),
                    title: button.title.clone(),
                });
                shown.buttons = buttons.collect();
            }
            Action::List(list) => shown.list = Some(ListOut::from(list)),
            Action::Link(link) => shown.link = Some(LinkOut::from(link)),
            Action::RequestLocation => shown.request_location = true,
        }
        shown
    }
}

/// A reply button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SentButton")]
pub(crate) struct ButtonOut {
    /// Text that comes back with the answer, for software.
    #[schemars(example = &"book")]
    id: String,
    /// Label.
    #[schemars(example = &"Book")]
    title: String,
}

/// A menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SentList")]
pub(crate) struct ListOut {
    /// Label of the button that opens it.
    #[schemars(example = &"Services")]
    button: String,
    /// Sections.
    sections: Vec<SectionOut>,
}

impl From<&List> for ListOut {
    fn from(list: &List) -> Self {
        let sections = list.sections.iter().map(|section| {
            let rows = section.rows.iter().map(|row| RowOut {
                id: row.id.as_str().to_owned(),
                title: row.title.clone(),
                description: row.description.clone(),
            });
            SectionOut {
                title: section.title.clone(),
                rows: rows.collect(),
            }
        });
        Self {
            button: list.button.clone(),
            sections: sections.collect(),
        }
    }
}

/// A section of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SentSection")]
pub(crate) struct SectionOut {
    /// Title. `null` if it has none.
    #[schemars(example = &"Hair")]
    title: Option<String>,
    /// Rows.
    rows: Vec<RowOut>,
}

/// A row of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SentRow")]
pub(crate) struct RowOut {
    /// Text that comes back with the answer, for software.
    #[schemars(example = &"haircut")]
    id: String,
    /// Title.
    #[schemars(example = &"Haircut")]
    title: String,
    /// Description. `null` if it has none.
    #[schemars(example = &"30 minutes")]
    description: Option<String>,
}

/// A link below a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SentLink")]
pub(crate) struct LinkOut {
    /// Label.
    #[schemars(example = &"Book online")]
    title: String,
    /// Target.
    #[schemars(example = &"https://saffron.example/book")]
    url: String,
}

impl From<&Link> for LinkOut {
    fn from(link: &Link) -> Self {
        Self {
            title: link.title.clone(),
            url: link.url.as_str().to_owned(),
        }
    }
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MessageLocation")]
pub(crate) struct LocationOut {
    /// Degrees north of the equator.
    #[schemars(example = 25.080_5)]
    latitude: Latitude,
    /// Degrees east of Greenwich.
    #[schemars(example = 55.140_3)]
    longitude: Longitude,
    /// Name. `null` if it has none.
    #[schemars(example = &"Saffron Bakery")]
    name: Option<String>,
    /// Address. `null` if it has none.
    #[schemars(example = &"Marina Walk 12, Dubai")]
    address: Option<String>,
}

impl From<&Location> for LocationOut {
    fn from(location: &Location) -> Self {
        Self {
            latitude: location.latitude,
            longitude: location.longitude,
            name: location.name.as_ref().map(|name| name.as_str().to_owned()),
            address: location.address.as_ref().map(|address| address.as_str().to_owned()),
        }
    }
}

impl From<&SharedLocation> for LocationOut {
    fn from(location: &SharedLocation) -> Self {
        Self {
            latitude: location.latitude,
            longitude: location.longitude,
            name: location.name.as_deref().map(str::to_owned),
            address: location.address.as_deref().map(str::to_owned),
        }
    }
}

/// A business card that a customer sent, as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ReceivedCard")]
pub(crate) struct ReceivedCardOut {
    /// Name. `null` if it has none.
    #[schemars(example = &"Saffron Bakery")]
    name: Option<String>,
    /// Business of the person. `null` if it has none.
    #[schemars(example = &"Saffron Bakery")]
    organization: Option<String>,
    /// Telephone numbers, in any spelling.
    #[schemars(example = ["+971 50 123 4567"])]
    phones: Vec<String>,
    /// E-mail addresses.
    #[schemars(example = ["maya@saffron.example"])]
    emails: Vec<String>,
}

impl From<&SharedCard> for ReceivedCardOut {
    fn from(card: &SharedCard) -> Self {
        let texts = |names: &[ShownName]| names.iter().map(|name| (**name).to_owned()).collect();
        Self {
            name: card.name.as_deref().map(str::to_owned),
            organization: card.organization.as_deref().map(str::to_owned),
            phones: texts(&card.phones),
            emails: texts(&card.emails),
        }
    }
}

/// A business card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SentCard")]
pub(crate) struct CardOut {
    /// Name.
    #[schemars(example = &"Saffron Bakery")]
    name: String,
    /// Business of the person. `null` if it has none.
    #[schemars(example = &"Saffron Bakery")]
    organization: Option<String>,
    /// Telephone numbers.
    phones: Vec<CardPhoneOut>,
    /// E-mail addresses.
    #[schemars(example = ["maya@saffron.example"])]
    emails: Vec<String>,
}

impl From<&Card> for CardOut {
    fn from(card: &Card) -> Self {
        let phones = card.phones.iter().map(|phone| CardPhoneOut {
            phone: PhoneOut::from(phone.number.clone()),
            kind: phone.kind,
        });
        Self {
            name: card.name.as_str().to_owned(),
            organization: card.organization.as_ref().map(|name| name.as_str().to_owned()),
            phones: phones.collect(),
            emails: card.emails.iter().map(|email| email.as_str().to_owned()).collect(),
        }
    }
}

/// A telephone number on a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SentCardPhone")]
pub(crate) struct CardPhoneOut {
    /// Number.
    phone: PhoneOut,
    /// Kind of number. `null` if none was given.
    kind: Option<PhoneKind>,
}

/// A reaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "MessageReaction")]
pub(crate) struct ReactionOut {
    /// The provider's id of the message.
    #[schemars(example = &"wamid.HBgMOTcxNTAxMjM0NTY3")]
    to: String,
    /// Emoji. `null` if the reaction was taken back.
    #[schemars(example = &"👍")]
    emoji: Option<String>,
}

impl ReactionOut {
    /// The reaction that a customer's message is, if it is one.
    pub(crate) fn of_inbound(message: &InboundMessage) -> Option<Self> {
        let to = message.reply_to.as_ref().filter(|_| message.kind == "reaction")?;
        Some(Self {
            to: to.to_string(),
            emoji: message
                .text
                .as_ref()
                .map(|text| text.chars().take(Emoji::MAX_LENGTH).collect()),
        })
    }
}

impl From<&Reaction> for ReactionOut {
    fn from(reaction: &Reaction) -> Self {
        Self {
            to: reaction.to.to_string(),
            emoji: reaction.emoji.as_ref().map(|emoji| emoji.as_str().to_owned()),
        }
    }
}
