//! Content as its author writes it: texts with placeholders, and assets by their ids. Filling it in checks the limits.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::media::{Asset, AssetUse, FileName, MediaKind, missing_file};
use crate::messages::{
    Action, Button, Card, Content, ContentKind, Emoji, Header, Interactive, LARGEST_AT_TWILIO, Link, List, ListRow,
    Location, MAX_BODY_LENGTH, MAX_BUTTON_ID_LENGTH, MAX_CAPTION_LENGTH, MAX_CARDS, MAX_DESCRIPTION_LENGTH,
    MAX_FOOTER_LENGTH, MAX_HEADER_LENGTH, MAX_REPLY_BUTTONS, MAX_ROW_ID_LENGTH, MAX_ROW_LENGTH, MAX_ROWS, MAX_SECTIONS,
    MAX_TITLE_LENGTH, Material, Media, Reaction, Section, Values, check_carried, has_caption, text_in_language,
};
use crate::templates::{Misfit, Unfit};
use crate::tenants::ConnectionSummary;
use crate::terms::{
    Fault, FaultCode, FieldProblem, FileId, MessageId, OneLine, ProviderRef, Reason, Refusal, SmsText, UpTo, WebUrl,
};

#[cfg(test)]
mod tests;

/// A file to be sent by WhatsApp.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MediaUse {
    /// Asset that is sent, or the attachment, in a reply.
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub asset_id: FileId,
    /// Text below it: one text, or one for each language. At most 1,024 characters with its values. Not with audio and stickers.
    #[serde(default)]
    pub caption: Option<SmsText>,
    /// Name of a document, as the person sees it. Default: the asset's name.
    #[serde(default)]
    pub file_name: Option<FileName>,
    /// Whether audio is shown as a voice message, which must be Ogg with Opus. Twilio shows it as audio.
    #[serde(default)]
    pub voice: bool,
}

/// A picture, video or document above a text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HeaderMedia {
    /// Asset that is shown, or the attachment, in a reply.
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub asset_id: FileId,
    /// Name of a document, as the person sees it. Default: the asset's name.
    #[serde(default)]
    pub file_name: Option<FileName>,
}

/// A text with something to tap as an answer: with exactly one of `buttons`, `list`, `link` and `request_location`. Each text is one for
/// all, or one for each language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InteractiveUse {
    /// Text above the body, of at most 60 characters with its values.
    #[serde(default)]
    pub header: Option<SmsText>,
    /// Picture, video or document above the body. Only with `buttons`, and not together with `header`.
    #[serde(default)]
    pub header_media: Option<HeaderMedia>,
    /// Text, of at most 1,024 characters with its values.
    pub body: SmsText,
    /// Text below the body, of at most 60 characters with its values.
    #[serde(default)]
    pub footer: Option<SmsText>,
    /// Buttons. Each answers with its title.
    #[serde(default)]
    pub buttons: UpTo<MAX_REPLY_BUTTONS, ButtonUse>,
    /// Menu to choose a row from.
    #[serde(default)]
    pub list: Option<ListUse>,
    /// Link.
    #[serde(default)]
    pub link: Option<LinkUse>,
    /// Whether to ask for the person's location.
    #[serde(default)]
    pub request_location: bool,
}

/// A reply button.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ButtonUse {
    /// Text that comes back with the answer, for software. Every button has another one.
    #[cfg_attr(feature = "schema", schemars(example = &"book"))]
    pub id: OneLine<1, MAX_BUTTON_ID_LENGTH>,
    /// Label, of at most 20 characters with its values.
    pub title: SmsText,
}

/// A menu.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListUse {
    /// Label of the button that opens it, of at most 20 characters with its values.
    pub button: SmsText,
    /// Sections, of together at most 10 rows.
    pub sections: UpTo<MAX_SECTIONS, SectionUse>,
}

/// A section of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SectionUse {
    /// Title, of at most 24 characters with its values. Required if there are several sections.
    #[serde(default)]
    pub title: Option<SmsText>,
    /// Rows.
    pub rows: UpTo<MAX_ROWS, RowUse>,
}

/// A row of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RowUse {
    /// Text that comes back with the answer, for software. Every row has another one.
    #[cfg_attr(feature = "schema", schemars(example = &"haircut"))]
    pub id: OneLine<1, MAX_ROW_ID_LENGTH>,
    /// Title, of at most 24 characters with its values.
    pub title: SmsText,
    /// Description, of at most 72 characters with its values.
    #[serde(default)]
    pub description: Option<SmsText>,
}

/// A link below a text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LinkUse {
    /// Label, of at most 20 characters with its values.
    pub title: SmsText,
    /// Target.
    pub url: WebUrl,
}

/// A reaction to a message of the same person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReactionUse {
    /// Message by WhatsApp, of either direction.
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub message_id: MessageId,
    /// Emoji. `null` takes the reaction back.
    #[serde(default)]
    pub emoji: Option<Emoji>,
}

/// Content of WhatsApp other than a template and free text.
#[derive(Debug, Clone, Copy)]
pub enum Draft<'a> {
    Media(&'a MediaUse),
    /// A text with buttons, a list, a link or a request.
    Interactive(&'a InteractiveUse),
    Location(&'a Location),
    Contacts(&'a UpTo<MAX_CARDS, Card>),
    /// A reaction to this message.
    Reaction(&'a ProviderRef, Option<&'a Emoji>),
}

/// A part of a message that is a text, with its limit.
struct Part {
    name: &'static str,
    longest: usize,
    /// Whether it may have several lines.
    lines: bool,
}

const fn line(name: &'static str, longest: usize) -> Part {
    let lines = false;
    Part { name, longest, lines }
}

const CAPTION: Part = Part {
    name: "caption",
    longest: MAX_CAPTION_LENGTH,
    lines: true,
};
const BODY: Part = Part {
    name: "body",
    longest: MAX_BODY_LENGTH,
    lines: true,
};
const HEADER: Part = line("header", MAX_HEADER_LENGTH);
const FOOTER: Part = line("footer", MAX_FOOTER_LENGTH);
const BUTTON: Part = line("button's title", MAX_TITLE_LENGTH);
const MENU: Part = line("menu's label", MAX_TITLE_LENGTH);
const LINK: Part = line("link's label", MAX_TITLE_LENGTH);
const SECTION: Part = line("section's title", MAX_ROW_LENGTH);
const ROW: Part = line("row's title", MAX_ROW_LENGTH);
const DESCRIPTION: Part = line("row's description", MAX_DESCRIPTION_LENGTH);

/// The text of a part with its values.
fn fill_part(values: &Values<'_>, texts: &SmsText, part: &Part) -> Result<String, Refusal> {
    let text = text_in_language(texts, values.config, values.contact).ok_or_else(|| {
        let sentence = format!("there is no text of the {} in any language", part.name);
        Refusal::new(Reason::NoText, sentence)
    })?;
    let text = values.text(text, part.name, part.longest)?;
    if !part.lines && text.contains(['\n', '\r', '\t']) {
        return Err(Refusal::from(Misfit::Value {
            variable: format!("the {}", part.name),
            what: Unfit::LineBreak,
        }));
    }
    Ok(text)
}

fn filled_if_any(values: &Values<'_>, texts: Option<&SmsText>, part: &Part) -> Result<Option<String>, Refusal> {
    texts.map(|texts| fill_part(values, texts, part)).transpose()
}

/// The asset with this id, if there is one.
pub(crate) fn find_asset(material: &Material, id: FileId) -> Result<&Asset, Refusal> {
    material.asset(id).ok_or_else(|| missing_file(id))
}

/// Whether a connection can send an asset as this kind.
///
/// # Errors
/// The reason why it cannot.
pub(crate) fn check_asset_fits(asset: &Asset, kind: MediaKind, connection: &ConnectionSummary) -> Result<(), Refusal> {
    asset.usable(kind)?;
    if connection.needs_content_sid && asset.bytes > LARGEST_AT_TWILIO {
        let sentence = format!(
            "the file has {} bytes, and Twilio passes on {LARGEST_AT_TWILIO} at most",
            asset.bytes
        );
        let refusal = Refusal::new(Reason::TooLargeForTwilio, sentence).and("bytes", asset.bytes);
        return Err(refusal.and("maximum_bytes", LARGEST_AT_TWILIO));
    }
    Ok(())
}

/// The asset in a message. Only documents have a name.
fn asset_use(asset: &Asset, name: Option<&FileName>) -> AssetUse {
    let name = name.unwrap_or(&asset.name);
    AssetUse {
        asset_id: asset.id,
        kind: asset.kind,
        file_name: (asset.kind == MediaKind::Document).then(|| name.clone()),
    }
}

impl MediaUse {
    fn fill(&self, values: &Values<'_>, connection: &ConnectionSummary) -> Result<Media, Refusal> {
        let asset = find_asset(values.material, self.asset_id)?;
        let kind = asset.kind;
        check_asset_fits(asset, kind, connection)?;
        let caption = filled_if_any(values, self.caption.as_ref(), &CAPTION)?;
        if caption.is_some() && !has_caption(kind) {
            let sentence = format!("WhatsApp shows no caption with a file of the kind {}", kind.as_str());
            return Err(Refusal::new(Reason::WrongFileKind, sentence).and("kind", kind.as_str()));
        }
        if self.voice && !(kind == MediaKind::Audio && asset.content_type.starts_with("audio/ogg")) {
            return Err(Refusal::new(
                Reason::NotVoice,
                "a voice message is audio of the type audio/ogg",
            ));
        }
        Ok(Media {
            asset: asset_use(asset, self.file_name.as_ref()),
            caption,
            voice: self.voice,
        })
    }
}

impl InteractiveUse {
    /// Names of the fields that say what can be tapped, as far as they are given.
    fn actions(&self) -> Vec<&'static str> {
        let given = [
            ("buttons", !self.buttons.is_empty()),
            ("list", self.list.is_some()),
            ("link", self.link.is_some()),
            ("request_location", self.request_location),
        ];
        let given = given.into_iter().filter(|(_, given)| *given);
        given.map(|(name, _)| name).collect()
    }

    /// Its problems by field, whatever its texts become.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        let mut wrong = |field: String, fault: Fault| found.push(FieldProblem::new(field, fault));
        match self.actions().as_slice() {
            [_] => {}
            [] => {
                let detail = "Give one of `buttons`, `list`, `link` and `request_location`.";
                wrong(
                    "buttons".to_owned(),
                    Fault::requires(&["list", "link", "request_location"], detail),
                );
            }
            [first, others @ ..] => {
                let detail = "Give only one of `buttons`, `list`, `link` and `request_location`.";
                wrong((*first).to_owned(), Fault::excludes(others, detail));
            }
        }
        if self.header_media.is_some() {
            if self.header.is_some() {
                let detail = "WhatsApp shows one of them: a text or a file.";
                wrong("header_media".to_owned(), Fault::excludes(&["header"], detail));
            }
            if self.buttons.is_empty() {
                let detail = "WhatsApp shows a file only above buttons.";
                wrong("header_media".to_owned(), Fault::requires(&["buttons"], detail));
            }
        }
        let mut ids = BTreeSet::new();
        for (place, button) in self.buttons.iter().enumerate() {
            if !ids.insert(button.id.as_str()) {
                wrong(format!("buttons[{place}].id"), repeated_id_fault());
            }
        }
        for (field, fault) in self.list.iter().flat_map(ListUse::problems) {
            wrong(format!("list.{field}"), fault);
        }
        found
    }

    fn header(&self, values: &Values<'_>, connection: &ConnectionSummary) -> Result<Option<Header>, Refusal> {
        let Some(media) = &self.header_media else {
            let text = filled_if_any(values, self.header.as_ref(), &HEADER)?;
            return Ok(text.map(Header::Text));
        };
        let asset = find_asset(values.material, media.asset_id)?;
        let kind = asset.kind;
        check_asset_fits(asset, kind, connection)?;
        if !has_caption(kind) {
            let sentence = format!("WhatsApp shows no file of the kind {} above a text", kind.as_str());
            return Err(Refusal::new(Reason::WrongFileKind, sentence).and("kind", kind.as_str()));
        }
        Ok(Some(Header::Media(asset_use(asset, media.file_name.as_ref()))))
    }

    fn action(&self, values: &Values<'_>) -> Result<Action, Refusal> {
        if let Some(list) = &self.list {
            return Ok(Action::List(list.fill(values)?));
        }
        if let Some(link) = &self.link {
            return Ok(Action::Link(Link {
                title: fill_part(values, &link.title, &LINK)?,
                url: link.url.clone(),
            }));
        }
        if self.request_location {
            return Ok(Action::RequestLocation);
        }
        let buttons = self.buttons.iter().map(|button| {
            let title = fill_part(values, &button.title, &BUTTON)?;
            Ok(Button {
                id: button.id.clone(),
                title,
            })
        });
        let buttons: Vec<_> = buttons.collect::<Result<_, Refusal>>()?;
        Ok(Action::Buttons(buttons.into()))
    }

    fn fill(&self, values: &Values<'_>, connection: &ConnectionSummary) -> Result<Interactive, Refusal> {
        Ok(Interactive {
            header: self.header(values, connection)?,
            body: fill_part(values, &self.body, &BODY)?,
            footer: filled_if_any(values, self.footer.as_ref(), &FOOTER)?,
            action: self.action(values)?,
        })
    }

    fn texts(&self) -> impl Iterator<Item = &SmsText> {
        let own = [self.header.as_ref(), Some(&self.body), self.footer.as_ref()];
        let buttons = self.buttons.iter().map(|button| &button.title);
        let list = self.list.iter().flat_map(ListUse::texts);
        let link = self.link.iter().map(|link| &link.title);
        own.into_iter().flatten().chain(buttons).chain(list).chain(link)
    }
}

/// An id that another button or row has.
fn repeated_id_fault() -> Fault {
    Fault::new(
        FaultCode::GivenTwice,
        "Give each an id of its own: it says what was chosen.",
    )
}

impl ListUse {
    fn problems(&self) -> Vec<(String, Fault)> {
        let mut wrong = Vec::new();
        let rows: usize = self.sections.iter().map(|section| section.rows.len()).sum();
        if rows > MAX_ROWS {
            let detail = format!("A list has at most {MAX_ROWS} rows in all its sections.");
            wrong.push(("sections".to_owned(), Fault::too_many(MAX_ROWS, detail)));
        }
        if self.sections.is_empty() {
            wrong.push(("sections".to_owned(), too_few("Give at least one section.")));
        }
        let mut ids = BTreeSet::new();
        for (place, section) in self.sections.iter().enumerate() {
            if section.title.is_none() && self.sections.len() > 1 {
                let detail = "Each of several sections needs a title.";
                wrong.push((
                    format!("sections[{place}].title"),
                    Fault::new(FaultCode::Required, detail),
                ));
            }
            if section.rows.is_empty() {
                wrong.push((format!("sections[{place}].rows"), too_few("Give at least one row.")));
            }
            for (row_place, row) in section.rows.iter().enumerate() {
                if !ids.insert(row.id.as_str()) {
                    wrong.push((format!("sections[{place}].rows[{row_place}].id"), repeated_id_fault()));
                }
            }
        }
        wrong
    }

    fn fill(&self, values: &Values<'_>) -> Result<List, Refusal> {
        let button = fill_part(values, &self.button, &MENU)?;
        let sections = self.sections.iter().map(|section| section.fill(values));
        let sections: Vec<_> = sections.collect::<Result<_, _>>()?;
        Ok(List {
            button,
            sections: sections.into(),
        })
    }

    fn texts(&self) -> impl Iterator<Item = &SmsText> {
        let sections = self.sections.iter().flat_map(|section| {
            let rows = section.rows.iter();
            let rows = rows.flat_map(|row| [Some(&row.title), row.description.as_ref()]);
            rows.chain([section.title.as_ref()]).flatten()
        });
        sections.chain([&self.button])
    }
}

impl SectionUse {
    fn fill(&self, values: &Values<'_>) -> Result<Section, Refusal> {
        let title = filled_if_any(values, self.title.as_ref(), &SECTION)?;
        let rows = self.rows.iter().map(|row| {
            Ok(ListRow {
                id: row.id.clone(),
                title: fill_part(values, &row.title, &ROW)?,
                description: filled_if_any(values, row.description.as_ref(), &DESCRIPTION)?,
            })
        });
        let rows: Vec<_> = rows.collect::<Result<_, Refusal>>()?;
        Ok(Section {
            title,
            rows: rows.into(),
        })
    }
}

fn too_few(detail: &str) -> Fault {
    Fault::new(FaultCode::TooFew, detail).and("minimum", 1_u32)
}

/// Problems of business cards by field.
pub fn problems_of_cards(cards: &[Card]) -> Vec<FieldProblem> {
    let cards = cards.iter().enumerate();
    let empty = cards.filter(|(_, card)| card.phones.is_empty() && card.emails.is_empty());
    let wrong = empty.map(|(place, _)| {
        let detail = "Give at least one telephone number or e-mail address.";
        FieldProblem::new(format!("[{place}].phones"), Fault::requires(&["emails"], detail))
    });
    wrong.collect()
}

impl Draft<'_> {
    pub const fn kind(&self) -> ContentKind {
        match self {
            Self::Media(_) => ContentKind::Media,
            Self::Interactive(_) => ContentKind::Interactive,
            Self::Location(_) => ContentKind::Location,
            Self::Contacts(_) => ContentKind::Contacts,
            Self::Reaction(..) => ContentKind::Reaction,
        }
    }

    /// Its texts with placeholders.
    pub fn texts(&self) -> Vec<&SmsText> {
        match self {
            Self::Media(media) => media.caption.iter().collect(),
            Self::Interactive(interactive) => interactive.texts().collect(),
            Self::Location(_) | Self::Contacts(_) | Self::Reaction(..) => Vec::new(),
        }
    }

    /// The asset that it names.
    pub fn asset(&self) -> Option<FileId> {
        match self {
            Self::Media(media) => Some(media.asset_id),
            Self::Interactive(interactive) => interactive.header_media.as_ref().map(|media| media.asset_id),
            Self::Location(_) | Self::Contacts(_) | Self::Reaction(..) => None,
        }
    }

    /// The content with its values, within the limits of WhatsApp and of the connection's provider.
    pub(crate) fn fill(&self, values: &Values<'_>, connection: &ConnectionSummary) -> Result<Content, Refusal> {
        check_carried(self.kind(), connection)?;
        Ok(match self {
            Self::Media(media) => Content::Media(media.fill(values, connection)?),
            Self::Interactive(interactive) => Content::Interactive(interactive.fill(values, connection)?),
            Self::Location(location) => Content::Location((*location).clone()),
            Self::Contacts(cards) => Content::Contacts((*cards).clone()),
            Self::Reaction(to, emoji) => Content::Reaction(Reaction {
                to: (*to).clone(),
                emoji: emoji.cloned(),
            }),
        })
    }
}
