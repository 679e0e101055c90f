//! A template as a phone displays it: data for a user interface that draws it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ButtonKind, TemplateButton, TemplateDefinition, braces, fill_variables};
use crate::media::MediaKind;
use crate::templates::{CODE_BODY, TemplateContent};
use crate::terms::primary_language;

/// Direction of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "WritingDirection")
)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Left to right.
    Ltr,
    /// Right to left.
    Rtl,
}

/// Languages that are written from right to left.
const RIGHT_TO_LEFT: [&str; 11] = ["ar", "ckb", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"];

impl Direction {
    /// The direction of a language.
    pub fn of(language: &str) -> Self {
        if RIGHT_TO_LEFT.contains(&primary_language(language).as_str()) {
            Self::Rtl
        } else {
            Self::Ltr
        }
    }
}

/// Values to show a template with. Samples stand for missing ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShownValues {
    /// Value of the header.
    pub header: Option<String>,
    /// Values of the body, by name.
    pub body: BTreeMap<String, String>,
    /// Values of the buttons, by place.
    pub buttons: BTreeMap<usize, String>,
}

/// A template as a phone shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShownTemplate {
    /// Direction of the language.
    pub direction: Direction,
    /// Text of the header. `null`: there is none.
    #[cfg_attr(feature = "schema", schemars(example = "Missed call"))]
    pub header: Option<String>,
    /// Kind of the medium in the header. `null`: there is none.
    pub header_media: Option<MediaKind>,
    /// Text of the body. Variables without a value are shown as they are written.
    #[cfg_attr(feature = "schema", schemars(example = "Hello Maya, sorry we missed your call."))]
    pub body: String,
    /// Whether WhatsApp writes more around the body, which only it knows: the text of one-time codes.
    pub text_by_whatsapp: bool,
    /// Text of the footer. `null`: there is none.
    #[cfg_attr(feature = "schema", schemars(example = "Reply STOP for no more messages"))]
    pub footer: Option<String>,
    /// Buttons, in order.
    pub buttons: Vec<ShownButton>,
}

/// A button as a phone shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ShownTemplateButton")
)]
pub struct ShownButton {
    /// Its action: `quick_reply`, `url`, `phone_number`, `offer_code`, `one_time_code` or `other`.
    #[cfg_attr(feature = "schema", schemars(with = "String", example = &"url"))]
    pub kind: &'static str,
    /// Label.
    #[cfg_attr(feature = "schema", schemars(example = "Book online"))]
    pub text: String,
    /// Target that it opens or calls, or text that it copies. `null`: none.
    #[cfg_attr(feature = "schema", schemars(example = "https://book.example.com/b/marina"))]
    pub value: Option<String>,
}

/// Maximum characters that are shown of a text: more than any phone shows.
const MAX_SHOWN_LENGTH: usize = 4_096;

/// A value in the place of a variable, or the variable itself.
fn place_values(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let whole = fill_variables(text, |name| Some(value(name).unwrap_or_else(|| braces(name))));
    whole.chars().take(MAX_SHOWN_LENGTH).collect()
}

impl TemplateDefinition {
    /// The template as a phone displays it with these values.
    pub fn display_with(&self, values: &ShownValues) -> ShownTemplate {
        let sample = |name: &str| self.samples.get(name).cloned();
        let header_value = || values.header.clone().or_else(|| self.header_sample.clone());
        let buttons = self.buttons.iter().enumerate();
        ShownTemplate {
            direction: Direction::of(&self.language),
            header: self
                .header
                .as_deref()
                .map(|header| place_values(header, |_| header_value())),
            header_media: self.header_media,
            body: place_values(&self.body, |name| {
                values.body.get(name).cloned().or_else(|| sample(name))
            }),
            text_by_whatsapp: self.code.is_some() && self.body == CODE_BODY,
            footer: self.footer.clone(),
            buttons: buttons
                .map(|(place, button)| shown_button(button, values.buttons.get(&place)))
                .collect(),
        }
    }
}

fn shown_button(button: &TemplateButton, given: Option<&String>) -> ShownButton {
    let value = match button.kind {
        ButtonKind::Url => {
            let complete = button
                .sample
                .clone()
                .filter(|_| button.needs_value() && given.is_none());
            let url = || button.url.as_deref().map(|url| place_values(url, |_| given.cloned()));
            complete.or_else(url)
        }
        ButtonKind::PhoneNumber => button.phone_number.clone(),
        ButtonKind::OfferCode | ButtonKind::OneTimeCode => given.cloned().or_else(|| button.sample.clone()),
        ButtonKind::QuickReply | ButtonKind::Other => None,
    };
    ShownButton {
        kind: button.kind.as_str(),
        text: button.text.clone(),
        value,
    }
}

/// A draft as a phone shows it, with its samples.
pub fn shown_draft(content: &TemplateContent, language: &str) -> ShownTemplate {
    let definition = TemplateDefinition {
        language: language.to_owned(),
        ..TemplateDefinition::empty()
    };
    content.onto(&definition).display_with(&ShownValues::default())
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn draft_is_shown_with_its_samples_or_other_values() {
        let content: TemplateContent = from_value(json!({
            "category": "utility", "header": {"text": "From {{1}}", "sample": "Saffron"},
            "body": "مرحبا {{1}}، نعتذر لك عن {{2}} اليوم.", "samples": {"1": "مايا"},
            "buttons": [
                {"kind": "url", "text": "Book", "url": "https://a.example/{{1}}", "sample": "https://a.example/b"},
                {"kind": "quick_reply", "text": "Later"},
            ],
        }))
        .unwrap();
        let shown = shown_draft(&content, "ar");
        assert_eq!(shown.direction, Direction::Rtl);
        assert_eq!(shown.header.as_deref(), Some("From Saffron"));
        assert_eq!(shown.body, "مرحبا مايا، نعتذر لك عن {{2}} اليوم.");
        assert_eq!(shown.buttons[0].value.as_deref(), Some("https://a.example/b"));
        assert_eq!(shown.buttons[1].value, None);
        let definition = content.onto(&TemplateDefinition::empty());
        let values = ShownValues {
            header: Some("Marina".to_owned()),
            body: BTreeMap::from([("2".to_owned(), "X".to_owned())]),
            buttons: BTreeMap::from([(0, "c".to_owned())]),
        };
        let shown = definition.display_with(&values);
        assert_eq!(shown.header.as_deref(), Some("From Marina"));
        assert!(shown.body.contains("مايا") && shown.body.contains('X'));
        assert_eq!(shown.buttons[0].value.as_deref(), Some("https://a.example/c"));
    }

    #[test]
    fn some_languages_are_written_from_right_to_left() {
        for (language, direction) in [
            ("ar", Direction::Rtl),
            ("ar_AE", Direction::Rtl),
            ("he", Direction::Rtl),
            ("en_GB", Direction::Ltr),
            ("", Direction::Ltr),
        ] {
            assert_eq!(Direction::of(language), direction, "{language}");
        }
    }
}
