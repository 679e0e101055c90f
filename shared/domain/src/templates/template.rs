//! Templates: the definitions as the provider has them, and the check that values fit before anything is sent.
//!
//! Below: what a user writes ([`draft`]) and what is wrong with it ([`lint`]), states and reports of the provider ([`reports`]), what a
//! list of the provider's changes ([`sync`]), what a phone shows ([`shown`]), ids ([`id`]), what is counted of messages ([`numbers`]), and
//! templates to begin with ([`library`]).

pub(super) mod draft;
mod hints;
pub(super) mod id;
pub(super) mod library;
pub(super) mod lint;
pub(super) mod listed;
pub(super) mod reports;
pub(super) mod shown;
pub(super) mod sync;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::media::{Asset, AssetUse, MediaKind};
use crate::templates::{CodeOptions, FilledTemplate, TemplateContent, TemplateValue};
use crate::tenants::Quality;
use crate::terms::{
    AssetId, Category, ConnectionId, Fact, Fault, FaultCode, FieldProblem, FileId, Findings, InvalidPlaceholder,
    MAX_TEMPLATE_LANGUAGE_LENGTH, MAX_TEMPLATE_NAME_LENGTH, Reason, Refusal, TemplateUse, Value, is_zero,
};

pub use reports::{TemplateReport, TemplateStatus};

/// A template as defined at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateDefinition {
    /// The connection whose account has it. `None`: every connection that carries WhatsApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    /// The name at Meta: `[a-z0-9_]`, at most 512.
    pub name: String,
    /// The language code at Meta, such as `en_GB`.
    pub language: String,
    /// The category that Meta gave it.
    pub category: Category,
    /// Meta's word for its state.
    pub status: TemplateStatus,
    /// Time of Meta's report of the state; `None` if there was none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_at: Option<Timestamp>,
    /// Time of Meta's report of the category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_at: Option<Timestamp>,
    /// Format of its variables.
    #[serde(default)]
    pub parameter_format: ParameterFormat,
    /// The text header, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The body, with `{{1}}` or `{{name}}` for variables.
    pub body: String,
    /// The footer, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// The buttons, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<TemplateButton>,
    /// Twilio's id of the same template (`HX…`), for WhatsApp through Twilio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sid: Option<String>,
    /// Kind of the medium in its header, if it has one. Not together with `header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_media: Option<MediaKind>,
    /// Sample of the text header's variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_sample: Option<String>,
    /// The asset that is the sample of the media header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_asset: Option<AssetId>,
    /// Samples of the body's variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub samples: BTreeMap<String, String>,
    /// Options of a template for one-time codes, whose text is the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeOptions>,
    /// Meta's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// Meta's rating of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Time of Meta's report of the rating.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality_at: Option<Timestamp>,
    /// The provider's reason for rejecting it, or for refusing its last submission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_reason: Option<String>,
    /// Content that is not submitted yet. A template that was never submitted has none: its content is a draft itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Box<TemplateContent>>,
    /// Time since which it is being submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitting: Option<Timestamp>,
    /// Times of the edits of the approved template, of the last 30 days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Timestamp>,
    /// Number of contents that were submitted or seen at the provider before this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub edition: u32,
    /// Time when the provider refused a message because it knows the template otherwise. It is not sent until it was read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted_at: Option<Timestamp>,
    /// Number of doubts about it with this content.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub doubts: u32,
    /// Time of creation. `None`: before times were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Time of the last change of its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// Format of a template's variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ParameterFormat {
    /// `{{1}}`, `{{2}}`, …
    #[default]
    Positional,
    /// `{{first_name}}`, …
    Named,
}

/// A button of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateButton {
    pub kind: ButtonKind,
    pub text: String,
    /// For links: the URL, perhaps ending in `{{1}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Sample: of a link the whole URL, of an offer's code the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// For calls: the telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
}

/// Action of a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonKind {
    /// Sends its label to the business.
    QuickReply,
    /// Opens a link.
    Url,
    /// Calls the business.
    PhoneNumber,
    /// Copies the code of an offer, which is its value.
    OfferCode,
    /// Copies a one-time code, which is its value.
    OneTimeCode,
    /// Anything else that needs no value.
    Other,
}

impl ButtonKind {
    /// The name for software.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QuickReply => "quick_reply",
            Self::Url => "url",
            Self::PhoneNumber => "phone_number",
            Self::OfferCode => "offer_code",
            Self::OneTimeCode => "one_time_code",
            Self::Other => "other",
        }
    }
}

impl TemplateButton {
    /// Whether a message must give it a value.
    pub fn needs_value(&self) -> bool {
        match self.kind {
            ButtonKind::Url => self.url.as_deref().is_some_and(|url| url.contains("{{")),
            ButtonKind::OfferCode | ButtonKind::OneTimeCode => true,
            ButtonKind::QuickReply | ButtonKind::PhoneNumber | ButtonKind::Other => false,
        }
    }
}

/// The reason why a message cannot be made from a template or a text: a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    #[error("there is no template {name} in {language}")]
    NoTemplate { name: String, language: String },
    /// Meta does not accept it at present.
    #[error("template {name} in {language} is {status}, not APPROVED")]
    NotSendable {
        name: String,
        language: String,
        /// Meta's word.
        status: String,
    },
    /// The provider knows it otherwise than we do.
    #[error(
        "template {name} in {language} is read again before it is sent, because the provider refused a message with it"
    )]
    Doubted { name: String, language: String },
    /// The asset of its header cannot be sent.
    #[error("{0}")]
    Asset(Refusal),
    /// The categories differ. Consent and price depend on them.
    #[error("template {name} is {}, but the message is {}", .actual.as_str(), .wanted.as_str())]
    Category {
        name: String,
        /// The template's.
        actual: Category,
        /// The message's.
        wanted: Category,
    },
    /// A value is missing.
    #[error("template {name} needs a value for {variable}")]
    Missing {
        name: String,
        /// The variable, such as `{{1}}`.
        variable: String,
    },
    /// There is a value too many.
    #[error("template {name} has no {variable}")]
    Unexpected {
        name: String,
        /// The variable, such as `{{3}}`.
        variable: String,
    },
    /// The definition's own variables have gaps in their numbers, or do not fit its format.
    #[error("the stored definition of template {name} is broken: {what}")]
    Broken { name: String, what: String },
    /// Twilio knows templates only by its own id.
    #[error("template {name} has no content_sid, which WhatsApp through Twilio needs")]
    NoContentSid { name: String },
    /// Meta refuses such a value.
    #[error("the value for {variable} {what}")]
    Value { variable: String, what: Unfit },
    /// The text is too long for the channel.
    #[error("the {part} has {length} characters once filled in, at most {most} are allowed")]
    TooLong {
        part: &'static str,
        length: usize,
        most: usize,
    },
    /// No value is known, and there is no default.
    #[error("nothing is known for {source_of_value} and it has no default")]
    NoValue {
        /// The source, such as `contact.name`.
        source_of_value: String,
    },
    /// An invalid `{{…}}` in the text.
    #[error(transparent)]
    Placeholder(#[from] InvalidPlaceholder),
}

impl From<Misfit> for Refusal {
    fn from(misfit: Misfit) -> Self {
        let of = |reason: Reason| Self::new(reason, misfit.to_string());
        match &misfit {
            Misfit::NoTemplate { name, language } => {
                let this = of(Reason::NoTemplate).and("template", name.as_str());
                this.and("language", language.as_str())
            }
            Misfit::NotSendable { name, language, status } => {
                let this = of(Reason::TemplateNotApproved).and("template", name.as_str());
                this.and("language", language.as_str()).and("status", status.as_str())
            }
            Misfit::Doubted { name, language } => {
                let this = of(Reason::TemplateDoubted).and("template", name.as_str());
                this.and("language", language.as_str())
            }
            Misfit::Asset(refusal) => refusal.clone(),
            Misfit::Category { name, actual, wanted } => {
                let this = of(Reason::TemplateCategory).and("template", name.as_str());
                this.and("actual", actual.as_str()).and("expected", wanted.as_str())
            }
            Misfit::Missing { name, variable } => {
                let this = of(Reason::ValueMissing).and("template", name.as_str());
                this.and("variable", variable.as_str())
            }
            Misfit::Unexpected { name, variable } => {
                let this = of(Reason::ValueUnexpected).and("template", name.as_str());
                this.and("variable", variable.as_str())
            }
            Misfit::Broken { name, .. } => of(Reason::TemplateBroken).and("template", name.as_str()),
            Misfit::NoContentSid { name } => of(Reason::NoContentSid).and("template", name.as_str()),
            Misfit::Value { variable, what } => {
                let this = of(Reason::ValueRefused).and("variable", variable.as_str());
                this.and("unfit", what.as_str())
            }
            Misfit::TooLong { part, length, most } => {
                let this = of(Reason::TextTooLong).and("part", *part);
                this.and("characters", *length).and("maximum", *most)
            }
            Misfit::NoValue { source_of_value } => of(Reason::ValueUnknown).and("source", source_of_value.as_str()),
            Misfit::Placeholder(_) => of(Reason::WrongPlaceholder),
        }
    }
}

/// The problem of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    Empty,
    /// It has a line break or tab.
    LineBreak,
    /// It has four spaces in a row.
    Spaces,
    /// It has the code of a preference link beside a letter or digit, where it is not masked when the message is shown.
    JoinedCode,
}

impl Unfit {
    /// The name for software.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::LineBreak => "line_break",
            Self::Spaces => "spaces",
            Self::JoinedCode => "joined_code",
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty",
            Self::LineBreak => "has a line break or tab",
            Self::Spaces => "has four spaces in a row",
            Self::JoinedCode => "has preferences.code beside a letter or digit",
        })
    }
}

/// Maximum length of a template's body with its values.
pub const MAX_BODY_LENGTH: usize = 1024;
/// Maximum length of a text header.
pub const MAX_HEADER_LENGTH: usize = 60;
/// Maximum length of an SMS that Twilio accepts.
pub const MAX_SMS_LENGTH: usize = 1600;

/// The variables of a template's text, in the order of their first appearance.
pub fn variables_in(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else {
            break;
        };
        let name = name.trim();
        if !found.contains(&name) {
            found.push(name);
        }
        rest = after;
    }
    found
}

/// The text with its variables replaced by values; by nothing, if there is none.
pub fn fill_variables(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        done.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            done.push_str("{{");
            rest = after;
            continue;
        };
        done.push_str(&value(name.trim()).unwrap_or_default());
        rest = after;
    }
    done.push_str(rest);
    done
}

/// Key of a template: its name and language at Meta.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TemplateKey {
    name: String,
    language: String,
}

impl TemplateKey {
    /// Maximum length of a name.
    pub const MAX_NAME_LENGTH: usize = MAX_TEMPLATE_NAME_LENGTH;
    /// Maximum length of a language code.
    pub const MAX_LANGUAGE_LENGTH: usize = MAX_TEMPLATE_LANGUAGE_LENGTH;

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn language(&self) -> &str {
        &self.language
    }

    /// The key, or `None` if no template can have this name or language.
    pub fn new(name: &str, language: &str) -> Option<Self> {
        let named = (1..=Self::MAX_NAME_LENGTH).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let spoken = (1..=Self::MAX_LANGUAGE_LENGTH).contains(&language.len())
            && language
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        (named && spoken).then(|| Self {
            name: name.to_owned(),
            language: language.to_owned(),
        })
    }
}

impl fmt::Display for TemplateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.name, self.language)
    }
}

impl TemplateDefinition {
    /// The body's variables in the order of their values.
    ///
    /// # Errors
    /// If the definition is broken.
    pub fn body_variables(&self) -> Result<Vec<String>, Misfit> {
        let broken = |what: String| Misfit::Broken {
            name: self.name.clone(),
            what,
        };
        let names = variables_in(&self.body);
        match self.parameter_format {
            ParameterFormat::Named => match names.iter().find(|name| name.is_empty()) {
                Some(_) => Err(broken("a variable has no name".to_owned())),
                None => Ok(names.into_iter().map(str::to_owned).collect()),
            },
            ParameterFormat::Positional => {
                let count = names.len();
                let expected: Vec<String> = (1..=count).map(|number| number.to_string()).collect();
                match expected.iter().find(|number| !names.contains(&number.as_str())) {
                    Some(missing) => Err(broken(format!("it has {count} variables but no {{{{{missing}}}}}"))),
                    None => Ok(expected),
                }
            }
        }
    }

    /// Whether Meta accepts messages with it, and for Twilio also whether Twilio has an id for it.
    pub fn sendable(&self, needs_content_sid: bool) -> Result<(), Misfit> {
        // Whether an edit is done is not known before its outcome is. An edited template is reviewed.
        let edited = self.submitting.is_some() && self.status.sendable();
        if edited || !self.status.sendable() {
            let known = if edited {
                TemplateStatus::pending()
            } else {
                self.status.clone()
            };
            return Err(Misfit::NotSendable {
                name: self.name.clone(),
                language: self.language.clone(),
                status: known.0,
            });
        }
        if self.doubted_at.is_some() {
            return Err(Misfit::Doubted {
                name: self.name.clone(),
                language: self.language.clone(),
            });
        }
        if needs_content_sid && self.content_sid.is_none() {
            return Err(Misfit::NoContentSid {
                name: self.name.clone(),
            });
        }
        Ok(())
    }

    /// Whether it can be sent in a message of this category. Meta moves templates between categories: a message planned as utility may be
    /// marketing by now.
    pub fn sendable_as(&self, category: Category, needs_content_sid: bool) -> Result<(), Misfit> {
        self.sendable(needs_content_sid)?;
        if self.category == category {
            return Ok(());
        }
        Err(Misfit::Category {
            name: self.name.clone(),
            actual: self.category,
            wanted: category,
        })
    }

    /// Checks values against the definition, so that Meta refuses no message because of its parameters.
    ///
    /// # Errors
    /// The first value that does not fit.
    pub fn check(&self, filled_in: &FilledTemplate) -> Result<(), Misfit> {
        let missing = |variable: String| Misfit::Missing {
            name: self.name.clone(),
            variable,
        };
        let unexpected = |variable: String| Misfit::Unexpected {
            name: self.name.clone(),
            variable,
        };
        if filled_in.name != self.name || filled_in.language != self.language {
            return Err(Misfit::NoTemplate {
                name: filled_in.name.clone(),
                language: filled_in.language.clone(),
            });
        }

        let names = self.body_variables()?;
        let positional = self.parameter_format == ParameterFormat::Positional;
        for (index, name) in names.iter().enumerate() {
            let value = filled_in.body.get(index);
            let fits = value.is_some_and(|value| match &value.name {
                None => positional,
                Some(given) => !positional && given == name,
            });
            match value {
                Some(value) if fits => check_value(&braces(name), &value.text)?,
                _ => return Err(missing(braces(name))),
            }
        }
        if let Some(extra) = filled_in.body.get(names.len()) {
            let name = extra.name.clone().unwrap_or_else(|| (names.len() + 1).to_string());
            return Err(unexpected(braces(&name)));
        }
        let value_of = |name: &str| {
            let index = names.iter().position(|known| known == name)?;
            filled_in.body.get(index).map(|value| value.text.clone())
        };
        check_length("body", &fill_variables(&self.body, value_of), MAX_BODY_LENGTH)?;

        let header = self.header.as_deref().unwrap_or_default();
        match (variables_in(header).first(), &filled_in.header) {
            (Some(_), None) => return Err(missing("the header".to_owned())),
            (None, Some(_)) => return Err(unexpected("variable in its header".to_owned())),
            (Some(_), Some(value)) => {
                check_value("the header", &value.text)?;
                check_length(
                    "header",
                    &fill_variables(header, |_| Some(value.text.clone())),
                    MAX_HEADER_LENGTH,
                )?;
            }
            (None, None) => {}
        }
        match (self.header_media, &filled_in.header_media) {
            (Some(kind), Some(given)) if given.kind == kind => {}
            (Some(kind), _) => return Err(missing(format!("the {} in its header", kind.as_str()))),
            (None, Some(_)) => return Err(unexpected("medium in its header".to_owned())),
            (None, None) => {}
        }

        for (index, button) in self.buttons.iter().enumerate() {
            let mut given = filled_in.buttons.iter().filter(|(at, _)| usize::from(*at) == index);
            match (button.needs_value(), given.next()) {
                (true, None) => return Err(missing(format!("button {index}"))),
                (false, Some(_)) => return Err(unexpected(format!("variable in button {index}"))),
                (true, Some((_, value))) => check_value(&format!("button {index}"), value)?,
                (false, None) => {}
            }
            if given.next().is_some() {
                return Err(unexpected(format!("second variable in button {index}")));
            }
        }
        let last = self.buttons.len();
        match filled_in.buttons.iter().find(|(at, _)| usize::from(*at) >= last) {
            Some((at, _)) => Err(unexpected(format!("button {at}"))),
            None => Ok(()),
        }
    }

    /// Problems of a rule's values for this template by field, as far as they are the same for every message. Empty: none, or the
    /// definition itself is broken.
    pub fn problems_of(&self, wanted: &TemplateUse) -> Vec<FieldProblem> {
        let Ok(names) = self.body_variables() else {
            return Vec::new();
        };
        let name = &self.name;
        let mut found = Findings::default();
        for variable in &names {
            let needs = format!("Template {name} needs a value for {}.", braces(variable));
            let fault = Fault::new(FaultCode::Required, needs);
            found.expect(
                wanted.variables.contains_key(variable),
                format!("variables.{variable}"),
                fault,
            );
        }
        for variable in wanted.variables.keys().filter(|variable| !names.contains(variable)) {
            let detail = format!("Template {name} has no {}. Remove its value.", braces(variable));
            let fault = Fault::new(FaultCode::Unknown, detail).and("expected", names.iter().collect::<Fact>());
            found.add(format!("variables.{variable}"), fault);
        }
        let takes_header = !variables_in(self.header.as_deref().unwrap_or_default()).is_empty();
        match (takes_header, &wanted.header) {
            (true, None) => {
                let detail = format!("Template {name} needs a value for its header.");
                found.add("header", Fault::new(FaultCode::Required, detail));
            }
            (false, Some(_)) => {
                let detail = format!("Template {name} has no variable in its header. Remove the value.");
                found.add("header", Fault::new(FaultCode::NotApplicable, detail));
            }
            _ => {}
        }
        match (self.header_media, wanted.header_media) {
            (Some(kind), None) => {
                let detail = format!(
                    "Template {name} needs an asset for the {} in its header.",
                    kind.as_str()
                );
                found.add("header_media", Fault::new(FaultCode::Required, detail));
            }
            (None, Some(_)) => {
                let detail = format!("Template {name} has no medium in its header. Remove the asset.");
                found.add("header_media", Fault::new(FaultCode::NotApplicable, detail));
            }
            _ => {}
        }
        let given = |index: usize| wanted.buttons.iter().any(|value| usize::from(value.index) == index);
        for (index, button) in self.buttons.iter().enumerate() {
            let detail = format!("Template {name} needs a value for button {index}.");
            let fault = Fault::new(FaultCode::Required, detail);
            found.expect(!button.needs_value() || given(index), "buttons", fault);
        }
        for (place, value) in wanted.buttons.iter().enumerate() {
            let button = self.buttons.get(usize::from(value.index));
            let fault = if !button.is_some_and(TemplateButton::needs_value) {
                let detail = format!("Template {name} takes no value for button {}. Remove it.", value.index);
                Fault::new(FaultCode::NotApplicable, detail)
            } else if wanted.buttons[..place].iter().any(|other| other.index == value.index) {
                Fault::new(FaultCode::GivenTwice, "The button has a value already.")
            } else {
                continue;
            };
            found.add(format!("buttons[{place}].index"), fault);
        }
        for (field, value) in wanted.values() {
            if let Value::Text(text) = value
                && let Err(Misfit::Value { what, .. }) = check_value(&field, text)
            {
                let detail = format!("WhatsApp refuses this value: it {what}.");
                found.add(
                    format!("{field}.text"),
                    Fault::format("value", "Saffron Bakery", detail),
                );
            }
        }
        found.0
    }

    /// Fills in the template.
    ///
    /// # Errors
    /// If a value is missing or does not fit.
    pub(crate) fn fill(
        &self,
        wanted: &TemplateUse,
        assets: &[Asset],
        value: impl Fn(&Value) -> Result<String, Misfit>,
    ) -> Result<FilledTemplate, Misfit> {
        let names = self.body_variables()?;
        if let Some(extra) = wanted.variables.keys().find(|name| !names.contains(name)) {
            return Err(Misfit::Unexpected {
                name: self.name.clone(),
                variable: braces(extra),
            });
        }
        let mut body = Vec::with_capacity(names.len());
        for name in names {
            let source = wanted.variables.get(&name).ok_or_else(|| Misfit::Missing {
                name: self.name.clone(),
                variable: braces(&name),
            })?;
            body.push(TemplateValue {
                text: value(source)?,
                name: (self.parameter_format == ParameterFormat::Named).then_some(name),
            });
        }
        let header = match &wanted.header {
            None => None,
            Some(source) => Some(TemplateValue {
                text: value(source)?,
                name: match self.parameter_format {
                    ParameterFormat::Positional => None,
                    ParameterFormat::Named => variables_in(self.header.as_deref().unwrap_or_default())
                        .first()
                        .map(|name| (*name).to_owned()),
                },
            }),
        };
        let mut buttons = Vec::with_capacity(wanted.buttons.len());
        for button in wanted.buttons.iter() {
            buttons.push((button.index, value(&button.value)?));
        }
        let filled_in = FilledTemplate {
            name: self.name.clone(),
            language: self.language.clone(),
            body,
            header,
            buttons,
            content_sid: self.content_sid.clone(),
            header_media: self.asset(wanted, assets)?,
            offer_codes: self.offer_codes(),
            edition: self.edition,
        };
        self.check(&filled_in)?;
        Ok(filled_in)
    }

    /// The asset for its media header.
    fn asset(&self, wanted: &TemplateUse, assets: &[Asset]) -> Result<Option<AssetUse>, Misfit> {
        let Some(asset_id) = wanted.header_media.map(FileId::from) else {
            return Ok(None);
        };
        let Some(kind) = self.header_media else {
            return Err(Misfit::Unexpected {
                name: self.name.clone(),
                variable: "medium in its header".to_owned(),
            });
        };
        let known = assets.iter().find(|asset| asset.id == asset_id);
        let known = known.ok_or_else(|| Misfit::Missing {
            name: self.name.clone(),
            variable: format!("the {} in its header", kind.as_str()),
        })?;
        known.usable(kind).map_err(Misfit::Asset)?;
        Ok(Some(AssetUse {
            asset_id,
            kind,
            // WhatsApp shows the name of a document only.
            file_name: (kind == MediaKind::Document).then(|| known.name.clone()),
        }))
    }

    /// The places of the buttons whose value is an offer's code.
    fn offer_codes(&self) -> Vec<u8> {
        let places = (0..).zip(&self.buttons);
        let offers = places.filter(|(_, button)| button.kind == ButtonKind::OfferCode);
        offers.map(|(place, _)| place).collect()
    }

    /// The text that the customer reads, for the history.
    pub fn text(&self, filled_in: &FilledTemplate) -> String {
        let names = self.body_variables().unwrap_or_default();
        fill_variables(&self.body, |name| {
            let index = names.iter().position(|known| known == name)?;
            filled_in.body.get(index).map(|value| value.text.clone())
        })
    }
}

pub(crate) fn braces(name: &str) -> String {
    format!("{{{{{name}}}}}")
}

/// Meta's rules for values (132018, 63013): no line breaks or tabs, no more than four spaces in a row, not empty.
pub(crate) fn check_value(variable: &str, text: &str) -> Result<(), Misfit> {
    let what = if text.trim().is_empty() {
        Unfit::Empty
    } else if text.contains(['\n', '\r', '\t']) {
        Unfit::LineBreak
    } else if text.contains("    ") {
        Unfit::Spaces
    } else {
        return Ok(());
    };
    Err(Misfit::Value {
        variable: variable.to_owned(),
        what,
    })
}

pub(crate) fn check_length(part: &'static str, text: &str, most: usize) -> Result<(), Misfit> {
    let length = text.chars().count();
    if length > most {
        return Err(Misfit::TooLong { part, length, most });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Profile;
    use crate::samples::{config, material, with_values};

    #[test]
    fn template_is_filled_in_for_its_rule() {
        let (config, material) = (config(), material());
        let wanted = config.rules[0].then.template.clone().unwrap();
        with_values(&Profile::default(), |values| {
            let filled = material.templates[0]
                .fill(&wanted, &[], |value| values.value(value))
                .unwrap();
            assert_eq!(
                material.templates[0].text(&filled),
                "Hello there, sorry we missed your call to Marina Dental today. How can we help?"
            );
            assert_eq!(filled.buttons, [(1, "b/marina".to_owned())]);
        });
    }

    #[test]
    fn wrong_values_are_found_before_sending() {
        let (config, material) = (config(), material());
        let definition = &material.templates[0];
        let wanted = config.rules[0].then.template.clone().unwrap();
        let good = with_values(&Profile::default(), |values| {
            definition.fill(&wanted, &[], |value| values.value(value))
        })
        .unwrap();
        assert_eq!(definition.check(&good), Ok(()));

        let broken = |change: &dyn Fn(&mut FilledTemplate)| {
            let mut filled = good.clone();
            change(&mut filled);
            definition.check(&filled).unwrap_err().to_string()
        };
        assert_eq!(
            broken(&|filled| filled.body.truncate(1)),
            "template missed_call_followup needs a value for {{2}}"
        );
        assert_eq!(
            broken(&|filled| filled.body.push(filled.body[0].clone())),
            "template missed_call_followup has no {{3}}"
        );
        assert_eq!(
            broken(&|filled| filled.body[0].name = Some("first".to_owned())),
            "template missed_call_followup needs a value for {{1}}"
        );
        assert_eq!(
            broken(&|filled| filled.body[1].text = "two\nlines".to_owned()),
            "the value for {{2}} has a line break or tab"
        );
        assert_eq!(
            broken(&|filled| filled.body[1].text = " ".to_owned()),
            "the value for {{2}} is empty"
        );
        assert_eq!(
            broken(&|filled| filled.body[1].text = "a    b".to_owned()),
            "the value for {{2}} has four spaces in a row"
        );
        assert_eq!(
            broken(&|filled| filled.body[1].text = "x".repeat(1000)),
            "the body has 1066 characters once filled in, at most 1024 are allowed"
        );
        assert_eq!(
            broken(&|filled| filled.buttons.clear()),
            "template missed_call_followup needs a value for button 1"
        );
        assert_eq!(
            broken(&|filled| filled.buttons.push((0, "x".to_owned()))),
            "template missed_call_followup has no variable in button 0"
        );
        assert_eq!(
            broken(&|filled| filled.buttons.push((2, "x".to_owned()))),
            "template missed_call_followup has no button 2"
        );
        assert_eq!(
            broken(&|filled| filled.header = Some(filled.body[0].clone())),
            "template missed_call_followup has no variable in its header"
        );
        assert_eq!(
            broken(&|filled| filled.language = "fr".to_owned()),
            "there is no template missed_call_followup in fr"
        );
    }

    #[test]
    fn named_variables_carry_their_names() {
        let mut definition = material().templates[0].clone();
        definition.parameter_format = ParameterFormat::Named;
        definition.body = "Hello {{first_name}}, {{shop}} here. Bye {{first_name}}.".to_owned();
        definition.buttons.clear();
        definition.header = Some("From {{shop}}".to_owned());
        let wanted: TemplateUse = serde_json::from_str(
            r#"{"name": "missed_call_followup", "language": "en_GB",
                "variables": {"first_name": {"text": "Maya"}, "shop": {"from": "tenant.name"}},
                "header": {"from": "tenant.name"}}"#,
        )
        .unwrap();
        let filled = with_values(&Profile::default(), |values| {
            definition.fill(&wanted, &[], |value| values.value(value))
        })
        .unwrap();
        assert_eq!(filled.body[0].name.as_deref(), Some("first_name"));
        assert_eq!(filled.header.as_ref().unwrap().name.as_deref(), Some("shop"));
        assert_eq!(definition.text(&filled), "Hello Maya, Marina Dental here. Bye Maya.");
    }

    #[test]
    fn a_definition_with_gaps_is_broken() {
        let mut definition = material().templates[0].clone();
        definition.body = "Hello {{1}} and {{3}}".to_owned();
        assert!(definition.body_variables().is_err());
        definition.body = "Hello {{name}}".to_owned();
        assert!(definition.body_variables().is_err());
        definition.body = "{{2}} {{1}} {{2}}".to_owned();
        assert_eq!(definition.body_variables().unwrap(), ["1", "2"]);
    }

    #[test]
    fn a_template_key_has_a_maximum() {
        assert!(TemplateKey::new(&"n".repeat(512), "en_GB").is_some());
        for (name, language) in [
            ("", "en"),
            ("a", ""),
            (&*"n".repeat(513), "en"),
            ("a", &*"l".repeat(33)),
            ("a b", "en"),
            ("a#b", "en"),
        ] {
            assert_eq!(TemplateKey::new(name, language), None, "{name} {language}");
        }
    }
}
