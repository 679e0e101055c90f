//! Templates as users write them: the content to lint, submit and preview.
//!
//! The limits of these types are above the providers' limits, so that a draft that is too long can be kept, and the lint can say so.

use serde::{Deserialize, Serialize};

use super::{ButtonKind, ParameterFormat, TemplateButton, TemplateDefinition};
use crate::media::MediaKind;
use crate::terms::{AssetId, ByName, Category, MAX_VALUES, Phone, UpTo, Verbatim, Whole};

/// Maximum length of a body in characters.
pub const MAX_DRAFT_BODY_LENGTH: usize = 4_000;
/// Maximum length of a header, a footer or a label.
pub const MAX_LINE_LENGTH: usize = 200;
/// Maximum length of a link.
pub const MAX_LINK_LENGTH: usize = 2_000;
/// Maximum length of a sample.
pub const MAX_SAMPLE_LENGTH: usize = 1_024;
/// Maximum buttons, more than any provider accepts.
pub const MAX_DRAFT_BUTTONS: usize = 20;
/// Maximum minutes of a code's validity.
pub const MAX_CODE_LENGTH: u32 = 90;

/// Text of one line of a draft.
pub type Line = Verbatim<0, MAX_LINE_LENGTH>;
/// Sample of a value.
pub type Sample = Verbatim<0, MAX_SAMPLE_LENGTH>;

/// Category of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TemplateCategory {
    /// An answer to something that the person did.
    Utility,
    /// An offer.
    Marketing,
    /// A one-time code.
    Authentication,
}

impl TemplateCategory {
    /// Meta's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Utility => "UTILITY",
            Self::Marketing => "MARKETING",
            Self::Authentication => "AUTHENTICATION",
        }
    }
}

impl From<TemplateCategory> for Category {
    fn from(category: TemplateCategory) -> Self {
        match category {
            TemplateCategory::Utility => Self::Utility,
            TemplateCategory::Marketing => Self::Marketing,
            TemplateCategory::Authentication => Self::Authentication,
        }
    }
}

impl From<Category> for TemplateCategory {
    /// No template is of the category service; one in a file that says so is shown as utility.
    fn from(category: Category) -> Self {
        match category {
            Category::Utility | Category::Service => Self::Utility,
            Category::Marketing => Self::Marketing,
            Category::Authentication => Self::Authentication,
        }
    }
}

/// Header of a template: either a text, perhaps with one variable, or a medium.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "TemplateHeader")
)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Text. Not together with `media`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "Missed call"))]
    pub text: Option<Line>,
    /// Sample of the text's variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "Saffron Bakery"))]
    pub sample: Option<Sample>,
    /// Kind of the medium: `image`, `video` or `document`. Not together with `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaKind>,
    /// Asset that shows WhatsApp an example of the medium. Messages have media of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub sample_asset_id: Option<AssetId>,
}

/// Kind of a button that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "TemplateButtonKind")
)]
#[serde(rename_all = "snake_case")]
pub enum Press {
    /// Sends its label to the business.
    QuickReply,
    /// Opens a link.
    Url,
    /// Calls the business.
    PhoneNumber,
    /// Copies the code of an offer.
    OfferCode,
}

impl From<Press> for ButtonKind {
    fn from(press: Press) -> Self {
        match press {
            Press::QuickReply => Self::QuickReply,
            Press::Url => Self::Url,
            Press::PhoneNumber => Self::PhoneNumber,
            Press::OfferCode => Self::OfferCode,
        }
    }
}

/// A button of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "TemplateButtonIn")
)]
#[serde(deny_unknown_fields)]
pub struct Button {
    /// Its action.
    pub kind: Press,
    /// Label.
    #[cfg_attr(feature = "schema", schemars(example = "Call me back"))]
    pub text: Line,
    /// URL, which may end in `{{1}}`. For `url` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "https://book.example.com/{{1}}"))]
    pub url: Option<Verbatim<0, MAX_LINK_LENGTH>>,
    /// Sample: the whole URL of a `url` with a variable, the code of an `offer_code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "https://book.example.com/b/marina"))]
    pub sample: Option<Verbatim<0, MAX_LINK_LENGTH>>,
    /// Telephone number that is called. For `phone_number` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<Phone>,
}

/// Options of a template for one-time codes. Its text is WhatsApp's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TemplateCode"))]
#[serde(deny_unknown_fields)]
pub struct CodeOptions {
    /// Whether it says not to share the code.
    #[serde(default)]
    pub security_advice: bool,
    /// Minutes of a code's validity, as stated in the text. `null`: the text states none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = 10))]
    pub valid_minutes: Option<Whole<1, MAX_CODE_LENGTH>>,
    /// Label of the button that copies the code.
    #[cfg_attr(feature = "schema", schemars(example = "Copy code"))]
    pub button: Line,
}

/// Content of a template as its author writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TemplateContent {
    /// Category. Consent and price depend on it. WhatsApp may correct it.
    pub category: TemplateCategory,
    /// Format of the variables: `{{1}}`, or `{{first_name}}`.
    #[serde(default)]
    pub parameter_format: ParameterFormat,
    /// Header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// Body. Left out of the category `authentication`, whose text is WhatsApp's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(example = "Hello {{1}}, sorry we missed your call to {{2}} today. How can we help?")
    )]
    pub body: Option<Verbatim<0, MAX_DRAFT_BODY_LENGTH>>,
    /// Footer, without variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "Reply STOP for no more messages"))]
    pub footer: Option<Line>,
    /// Buttons, in order.
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    pub buttons: UpTo<MAX_DRAFT_BUTTONS, Button>,
    /// Samples of the body's variables, by number (`"1"`) or name. WhatsApp reviews the template with them.
    #[serde(default, skip_serializing_if = "ByName::is_empty")]
    #[cfg_attr(feature = "schema", schemars(
        example = serde_json::json!({"1": "Maya", "2": "Saffron Bakery"})
    ))]
    pub samples: ByName<MAX_VALUES, Sample>,
    /// Options of the category `authentication`, which has nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeOptions>,
}

/// The body of a template for one-time codes, as far as it is known before the provider shows it.
pub const CODE_BODY: &str = "{{1}}";

fn text<const MAX: usize>(text: &str) -> Verbatim<0, MAX> {
    Verbatim::from_stored(text.to_owned())
}

impl TemplateContent {
    /// The content of a definition.
    pub fn of(definition: &TemplateDefinition) -> Self {
        let header = definition.header.as_deref().map(text);
        let header = (header.is_some() || definition.header_media.is_some()).then(|| Header {
            text: header,
            sample: definition.header_sample.as_deref().map(text),
            media: definition.header_media,
            sample_asset_id: definition.sample_asset,
        });
        let code = definition.code.clone();
        let samples = definition.samples.iter();
        Self {
            category: definition.category.into(),
            parameter_format: definition.parameter_format,
            header,
            body: code.is_none().then(|| text(&definition.body)),
            footer: definition.footer.as_deref().filter(|_| code.is_none()).map(text),
            buttons: definition
                .buttons
                .iter()
                .filter_map(Button::of)
                .collect::<Vec<_>>()
                .into(),
            samples: samples
                .filter(|_| code.is_none())
                .map(|(name, sample)| (name.clone(), text(sample)))
                .collect::<std::collections::BTreeMap<_, _>>()
                .into(),
            code,
        }
    }

    /// The body as a definition has it.
    pub fn body_text(&self) -> &str {
        match (&self.body, &self.code) {
            (Some(body), _) => body.as_str(),
            (None, Some(_)) => CODE_BODY,
            (None, None) => "",
        }
    }

    /// The buttons as a definition has them.
    pub fn definition_buttons(&self) -> Vec<TemplateButton> {
        let owned = |text: &Option<Verbatim<0, MAX_LINK_LENGTH>>| text.as_ref().map(|text| text.as_str().to_owned());
        let written = self.buttons.iter().map(|button| TemplateButton {
            kind: button.kind.into(),
            text: button.text.as_str().to_owned(),
            url: owned(&button.url),
            sample: owned(&button.sample),
            phone_number: button.phone_number.as_ref().map(ToString::to_string),
        });
        let code = self.code.iter().map(|code| TemplateButton {
            kind: ButtonKind::OneTimeCode,
            text: code.button.as_str().to_owned(),
            url: None,
            sample: None,
            phone_number: None,
        });
        written.chain(code).collect()
    }

    /// The definition with this content. Its category and its state stay.
    pub fn onto(&self, definition: &TemplateDefinition) -> TemplateDefinition {
        let header = self.header.clone().unwrap_or_default();
        let samples = self.samples.iter();
        TemplateDefinition {
            parameter_format: self.parameter_format,
            header: header.text.map(String::from),
            header_sample: header.sample.map(String::from),
            header_media: header.media,
            sample_asset: header.sample_asset_id,
            body: self.body_text().to_owned(),
            footer: self.footer.as_ref().map(|footer| footer.as_str().to_owned()),
            buttons: self.definition_buttons(),
            samples: samples
                .map(|(name, sample)| (name.clone(), sample.as_str().to_owned()))
                .collect(),
            code: self.code.clone(),
            ..definition.clone()
        }
    }
}

impl Button {
    /// A button of a definition, unless it is one that nobody can write.
    fn of(button: &TemplateButton) -> Option<Self> {
        let kind = match button.kind {
            ButtonKind::QuickReply => Press::QuickReply,
            ButtonKind::Url => Press::Url,
            ButtonKind::PhoneNumber => Press::PhoneNumber,
            ButtonKind::OfferCode => Press::OfferCode,
            ButtonKind::OneTimeCode | ButtonKind::Other => return None,
        };
        Some(Self {
            kind,
            text: text(&button.text),
            url: button.url.as_deref().map(text),
            sample: button.sample.as_deref().map(text),
            phone_number: button.phone_number.as_deref().and_then(|number| number.parse().ok()),
        })
    }
}

impl TemplateDefinition {
    /// The content that its author last wrote: the draft, or what the provider has.
    pub fn latest(&self) -> TemplateContent {
        match &self.draft {
            Some(draft) => TemplateContent::clone(draft),
            None => TemplateContent::of(self),
        }
    }

    /// Whether all its buttons can be written. A change of one that has others, such as for calls by WhatsApp, would remove them.
    pub fn can_be_written(&self) -> bool {
        self.code.is_some() || self.buttons.iter().all(|button| Button::of(button).is_some())
    }

    /// A template that was never submitted.
    pub fn new_draft(
        connection: crate::terms::ConnectionId,
        key: &super::TemplateKey,
        content: &TemplateContent,
        now: jiff::Timestamp,
    ) -> Self {
        let empty = Self {
            connection: Some(connection),
            name: key.name().to_owned(),
            language: key.language().to_owned(),
            category: content.category.into(),
            status: super::TemplateStatus::draft(),
            created_at: Some(now),
            updated_at: Some(now),
            ..Self::empty()
        };
        content.onto(&empty)
    }

    /// An empty template.
    pub const fn empty() -> Self {
        Self {
            connection: None,
            name: String::new(),
            language: String::new(),
            category: Category::Utility,
            status: super::TemplateStatus(String::new()),
            status_at: None,
            category_at: None,
            parameter_format: ParameterFormat::Positional,
            header: None,
            body: String::new(),
            footer: None,
            buttons: Vec::new(),
            content_sid: None,
            header_media: None,
            header_sample: None,
            sample_asset: None,
            samples: std::collections::BTreeMap::new(),
            code: None,
            provider_id: None,
            quality: None,
            quality_at: None,
            rejected_reason: None,
            draft: None,
            submitting: None,
            edits: Vec::new(),
            edition: 0,
            doubted_at: None,
            doubts: 0,
            created_at: None,
            updated_at: None,
        }
    }

    /// Takes over new content: at once in one that was never submitted, as a draft otherwise.
    pub fn with_new_content(&self, content: &TemplateContent) -> Self {
        if self.status.is_draft() {
            return Self {
                category: content.category.into(),
                ..content.onto(self)
            };
        }
        let draft = (*content != TemplateContent::of(self)).then(|| Box::new(content.clone()));
        Self { draft, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;
    use crate::samples::material;
    use crate::templates::{TemplateKey, TemplateStatus};

    fn content() -> TemplateContent {
        from_value(json!({
            "category": "marketing", "header": {"text": "News of {{1}}", "sample": "May"},
            "body": "Hello {{1}}, our code for you.", "footer": "Bye", "samples": {"1": "Maya"},
            "buttons": [
                {"kind": "url", "text": "Book", "url": "https://a.example/{{1}}", "sample": "https://a.example/b"},
                {"kind": "phone_number", "text": "Call", "phone_number": "+97145550001"},
                {"kind": "offer_code", "text": "Copy", "sample": "MAY20"},
            ],
        }))
        .unwrap()
    }

    fn drafted_template() -> TemplateDefinition {
        let key = TemplateKey::new("news", "en").unwrap();
        let connection = "conn_00000000000000000000000002".parse().unwrap();
        TemplateDefinition::new_draft(connection, &key, &content(), jiff::Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn content_survives_the_way_through_a_definition() {
        assert_eq!(TemplateContent::of(&drafted_template()), content());
        let code: TemplateContent = from_value(json!({
            "category": "authentication", "code": {"security_advice": true, "valid_minutes": 10, "button": "Copy"},
        }))
        .unwrap();
        let definition = TemplateDefinition {
            category: Category::Authentication,
            ..code.onto(&drafted_template())
        };
        assert_eq!(definition.body_variables().unwrap(), ["1"]);
        assert!(definition.buttons.iter().all(TemplateButton::needs_value));
        assert_eq!(TemplateContent::of(&definition), code);
    }

    #[test]
    fn submitted_template_keeps_its_content_until_resubmitted() {
        let mut changed = content();
        changed.footer = None;
        let draft = drafted_template().with_new_content(&changed);
        assert_eq!((draft.footer.as_ref(), draft.draft.as_ref()), (None, None));
        let sent = TemplateDefinition {
            status: TemplateStatus("APPROVED".to_owned()),
            ..drafted_template()
        };
        let edited = sent.with_new_content(&changed);
        assert_eq!(edited.footer.as_deref(), Some("Bye"));
        assert_eq!(edited.latest(), changed);
        assert_eq!(edited.with_new_content(&content()).draft, None, "as it was");
    }

    #[test]
    fn template_with_an_unknown_button_cannot_be_written() {
        let mut template = drafted_template();
        assert!(template.can_be_written());
        template.buttons[1].kind = ButtonKind::Other;
        assert!(!template.can_be_written());
        let code: TemplateContent =
            from_value(json!({"category": "authentication", "code": {"button": "Copy"}})).unwrap();
        assert!(code.onto(&drafted_template()).can_be_written());
    }

    /// Rows of before, and files, say less.
    #[test]
    fn definitions_of_before_are_read() {
        for definition in material().templates {
            let text = serde_json::to_string(&definition).unwrap();
            assert!(!text.contains("edition") && !text.contains("samples"), "{text}");
            assert_eq!(serde_json::from_str::<TemplateDefinition>(&text).unwrap(), definition);
        }
    }
}
