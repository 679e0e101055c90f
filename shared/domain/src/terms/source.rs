//! A message's text or template as its author writes it, and the sources of its values.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::terms::{AssetId, ByName, Faulty, FieldKey, NoTarget, OneLine, Target, UpTo, Verbatim};

/// Maximum length of a template's name at Meta.
pub const MAX_TEMPLATE_NAME_LENGTH: usize = 512;
/// Maximum length of a template's language code; the longest known has 6 letters.
pub const MAX_TEMPLATE_LANGUAGE_LENGTH: usize = 32;
/// Maximum values of a template's body.
pub const MAX_VALUES: usize = 50;
/// Maximum buttons of a template at Meta.
pub const MAX_TEMPLATE_BUTTONS: usize = 10;
/// Maximum length of a value or its default in characters: a template's body has no more.
pub const MAX_VALUE_LENGTH: usize = 1_024;
/// Maximum length of the text of an SMS in characters, with its placeholders.
pub const MAX_TEXT_LENGTH: usize = 2_000;
/// Maximum length of free text by WhatsApp, as it is written and with its values.
pub const MAX_FREE_TEXT_LENGTH: usize = 4_096;
/// Maximum languages of a text.
pub const MAX_TEXTS: usize = 20;

/// A rule's use of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TemplateUse {
    /// The template's name at Meta.
    #[cfg_attr(feature = "schema", schemars(example = &"missed_call_followup"))]
    pub name: OneLine<1, MAX_TEMPLATE_NAME_LENGTH>,
    /// The language code at Meta, such as `en_GB`.
    #[cfg_attr(feature = "schema", schemars(example = &"en_GB"))]
    pub language: OneLine<1, MAX_TEMPLATE_LANGUAGE_LENGTH>,
    /// Whether to take the template in the contact's language if one may be sent; `language` is for all others.
    #[serde(default)]
    pub by_contact_language: bool,
    /// Values of the body's variables, by number (`"1"`) or name.
    #[serde(default, skip_serializing_if = "ByName::is_empty")]
    #[cfg_attr(feature = "schema", schemars(
        example = serde_json::json!({"1": {"from": "contact.first_name", "default": "there"}})
    ))]
    pub variables: ByName<MAX_VALUES, Value>,
    /// The value of the text header's variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Value>,
    /// Asset that the header shows, if the template has an image, a video or a document there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub header_media: Option<AssetId>,
    /// Values of buttons: the ends of links, and codes.
    #[serde(default, skip_serializing_if = "UpTo::is_empty")]
    pub buttons: UpTo<MAX_TEMPLATE_BUTTONS, ButtonValue>,
}

impl TemplateUse {
    /// Its values, each with its field.
    pub fn values(&self) -> impl Iterator<Item = (String, &Value)> {
        let variables = self.variables.iter();
        let variables = variables.map(|(name, value)| (format!("variables.{name}"), value));
        let header = self.header.iter().map(|value| ("header".to_owned(), value));
        let buttons = self.buttons.iter().enumerate();
        let buttons = buttons.map(|(place, button)| (format!("buttons[{place}].value"), &button.value));
        variables.chain(header).chain(buttons)
    }
}

/// The value of a button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ButtonValue {
    /// The button's place among all buttons, from 0.
    #[cfg_attr(feature = "schema", schemars(example = 1))]
    pub index: u8,
    /// The end of the URL, or the code.
    pub value: Value,
}

/// Text of an SMS: one text for all, or one for each language. People whose language is unknown get the text in the first of the tenant's
/// languages. `{{source}}` and `{{source|default}}` stand for values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SmsText {
    /// A single text for all languages.
    One(String),
    /// Texts by BCP 47 language.
    ByLanguage(BTreeMap<String, String>),
}

/// Text of free text by WhatsApp: the same with more characters in each language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeText(pub SmsText);

/// The schema of a text of at most as many characters, or of one for each language.
#[cfg(feature = "schema")]
macro_rules! texts {
    ($type:ty, $most:expr) => {
        shown_as!($type, {
            "anyOf": [
                {"type": "string", "minLength": 1, "maxLength": $most},
                {
                    "type": "object",
                    "maxProperties": MAX_TEXTS,
                    "propertyNames": {"type": "string", "minLength": 1, "maxLength": 64},
                    "additionalProperties": {"type": "string", "minLength": 1, "maxLength": $most},
                },
            ],
            "examples": ["{{tenant.name}}: sorry, we missed your call. Reply STOP for no more messages."],
        });
    };
}

#[cfg(feature = "schema")]
texts!(SmsText, MAX_TEXT_LENGTH);
#[cfg(feature = "schema")]
texts!(FreeText, MAX_FREE_TEXT_LENGTH);

impl<'de> Deserialize<'de> for SmsText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of_at_most::<MAX_TEXT_LENGTH, D>(deserializer)
    }
}

impl<'de> Deserialize<'de> for FreeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SmsText::of_at_most::<MAX_FREE_TEXT_LENGTH, D>(deserializer).map(Self)
    }
}

impl SmsText {
    /// Texts of at most as many characters each, as their author writes them.
    fn of_at_most<'de, const MAX: usize, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts<const MAX: usize>;

        impl<'de, const MAX: usize> Visitor<'de> for Texts<MAX> {
            type Value = SmsText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or an object of texts by language")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SmsText, E> {
                let text = text.parse::<Verbatim<1, MAX>>();
                text.map(|text| SmsText::One(text.into()))
                    .map_err(|wrong| wrong.fault().refuse())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SmsText, A::Error> {
                let texts = ByName::<MAX_TEXTS, Verbatim<1, MAX>>::deserialize(MapAccessDeserializer::new(map))?;
                let texts = texts.into_map().into_iter();
                Ok(SmsText::ByLanguage(
                    texts.map(|(language, text)| (language, text.into())).collect(),
                ))
            }
        }

        deserializer.deserialize_any(Texts::<MAX>)
    }

    /// Its texts, each with its language if it is for one.
    pub fn texts(&self) -> Vec<(Option<&str>, &str)> {
        match self {
            Self::One(text) => vec![(None, text)],
            Self::ByLanguage(texts) => {
                let texts = texts.iter();
                texts
                    .map(|(language, text)| (Some(language.as_str()), text.as_str()))
                    .collect()
            }
        }
    }
}

/// A value in a message: `{"from": "contact.name", "default": "there"}` or `{"text": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "WrittenValue", try_from = "WrittenValue")]
pub enum Value {
    /// A value that is looked up when the message is planned.
    From {
        source: Source,
        /// Default, if nothing is found.
        default: Option<String>,
    },
    Text(String),
}

shown_as!(Value, {
    "type": "object",
    "description": "A value that is looked up when the message is planned (`from`), or a fixed one (`text`).",
    "properties": {
        "from": {
            "type": "string", "minLength": 1, "maxLength": Source::MAX_LENGTH,
            "description": "Source of the value, such as `contact.first_name` or `tenant.name`.",
            "examples": ["contact.first_name"],
        },
        "default": {
            "type": "string", "maxLength": MAX_VALUE_LENGTH,
            "description": "Value if the source has none. Only with `from`.",
            "examples": ["there"],
        },
        "text": {
            "type": "string", "maxLength": MAX_VALUE_LENGTH,
            "description": "Fixed value. Not with `from`.",
            "examples": ["Saffron Bakery"],
        },
    },
    "additionalProperties": false,
    "examples": [{"from": "contact.first_name", "default": "there"}],
});

/// A value or its default as it is written.
type WrittenText = Verbatim<0, MAX_VALUE_LENGTH>;

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenValue {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Source>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<WrittenText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<WrittenText>,
}

impl From<Value> for WrittenValue {
    fn from(value: Value) -> Self {
        match value {
            Value::From { source, default } => Self {
                from: Some(source),
                default: default.map(WrittenText::from_stored),
                text: None,
            },
            Value::Text(text) => Self {
                from: None,
                default: None,
                text: Some(WrittenText::from_stored(text)),
            },
        }
    }
}

impl TryFrom<WrittenValue> for Value {
    type Error = &'static str;

    fn try_from(written: WrittenValue) -> Result<Self, Self::Error> {
        match written {
            WrittenValue {
                from: Some(source),
                default,
                text: None,
            } => Ok(Self::From {
                source,
                default: default.map(String::from),
            }),
            WrittenValue {
                from: None,
                default: None,
                text: Some(text),
            } => Ok(Self::Text(text.into())),
            _ => Err("a value has either `from` (and perhaps `default`) or `text`"),
        }
    }
}

/// The source of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `contact.name`.
    ContactName,
    /// `contact.first_name`: the [first name](crate::people::first_name) in the name.
    ContactFirstName,
    /// `contact.phone`.
    ContactPhone,
    /// `contact.field.<key>`: one of the tenant's own fields.
    ContactField(FieldKey),
    /// `call.number`: the number that was called.
    CallNumber,
    /// `call.time`: when the call began, in the tenant's time zone, as 14:05.
    CallTime,
    /// `call.date`: the same, as 2026-11-20.
    CallDate,
    /// `call.outcome`.
    CallOutcome,
    /// `order.<value>`: a value of the order that the message is about.
    Order(OrderValue),
    /// `preferences.link`: a link to the recipient's preference page.
    PreferencesLink,
    /// `preferences.code`: the end of that link, for buttons of templates.
    PreferencesCode,
    /// `link:<URL>`: a tracked link to a page.
    Link(Target),
    /// `link_code:<URL>`: the end of that link, for buttons of templates.
    LinkCode(Target),
    /// `tenant.<name>`.
    Tenant(String),
    /// `product.<id or SKU>.<field>`; the fields `name`, `price` and `url` are always there.
    Product {
        /// The product's id, or its SKU.
        id: String,
        field: String,
    },
}

/// A value of an order, in messages about its news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderValue {
    /// The number that the shop shows.
    Number,
    /// The sum to pay, with its currency.
    Total,
    /// The packing list in one line, cut to fit.
    Items,
    /// Carrier of the shipment that the news is about.
    Carrier,
    /// The carrier's number of that shipment.
    TrackingNumber,
    /// Page that shows where that shipment is.
    TrackingUrl,
}

words! {
    /// The word behind `order.`.
    OrderValue {
        Number = "number",
        Total = "total",
        Items = "items",
        Carrier = "carrier",
        TrackingNumber = "tracking_number",
        TrackingUrl = "tracking_url",
    }
}

/// A text that is not a source of values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSource {
    /// It names no source.
    #[error(
        "no such value: {0}. There are contact.name, contact.first_name, contact.phone, contact.field.<key>, call.number, call.time, \
         call.date, call.outcome, order.<value>, preferences.link, preferences.code, link:<URL>, link_code:<URL>, tenant.<name> and \
         product.<id>.<field>"
    )]
    Unknown(String),
    /// A tracked link leads nowhere.
    #[error(transparent)]
    Target(#[from] NoTarget),
}

impl Source {
    /// Maximum length in bytes. No product or variable has a longer name.
    pub const MAX_LENGTH: usize = 400;

    /// Whether it is a value of the recipient.
    pub const fn is_of_contact(&self) -> bool {
        matches!(
            self,
            Self::ContactName | Self::ContactFirstName | Self::ContactPhone | Self::ContactField(_)
        )
    }

    /// Whether it is a value of a call.
    pub const fn is_of_call(&self) -> bool {
        matches!(
            self,
            Self::CallNumber | Self::CallTime | Self::CallDate | Self::CallOutcome
        )
    }
}

impl FromStr for Source {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, InvalidSource> {
        if text.len() > Self::MAX_LENGTH {
            let beginning = text.chars().take(40).chain(['…']).collect();
            return Err(InvalidSource::Unknown(beginning));
        }
        // URLs contain dots.
        if let Some(target) = text.strip_prefix("link:") {
            return Ok(Self::Link(target.parse()?));
        }
        if let Some(target) = text.strip_prefix("link_code:") {
            return Ok(Self::LinkCode(target.parse()?));
        }
        let mut parts = text.split('.');
        let whole = (parts.next(), parts.next(), parts.next(), parts.next());
        Ok(match whole {
            (Some("contact"), Some("name"), None, None) => Self::ContactName,
            (Some("contact"), Some("first_name"), None, None) => Self::ContactFirstName,
            (Some("contact"), Some("phone"), None, None) => Self::ContactPhone,
            (Some("contact"), Some("field"), Some(key), None) => {
                let key = key.parse().map_err(|_| InvalidSource::Unknown(text.to_owned()))?;
                Self::ContactField(key)
            }
            (Some("call"), Some("number"), None, None) => Self::CallNumber,
            (Some("call"), Some("time"), None, None) => Self::CallTime,
            (Some("call"), Some("date"), None, None) => Self::CallDate,
            (Some("call"), Some("outcome"), None, None) => Self::CallOutcome,
            (Some("order"), Some(word), None, None) => {
                let value = OrderValue::ALL.into_iter().find(|value| value.as_str() == word);
                Self::Order(value.ok_or_else(|| InvalidSource::Unknown(text.to_owned()))?)
            }
            (Some("preferences"), Some("link"), None, None) => Self::PreferencesLink,
            (Some("preferences"), Some("code"), None, None) => Self::PreferencesCode,
            (Some("tenant"), Some(name), None, None) if !name.is_empty() => Self::Tenant(name.to_owned()),
            (Some("product"), ..) => product(text).ok_or_else(|| InvalidSource::Unknown(text.to_owned()))?,
            _ => return Err(InvalidSource::Unknown(text.to_owned())),
        })
    }
}

/// A field of a product. A SKU may contain dots, the name of a field does not.
fn product(text: &str) -> Option<Source> {
    let (id, field) = text.strip_prefix("product.")?.rsplit_once('.')?;
    (!id.is_empty() && !field.is_empty()).then(|| Source::Product {
        id: id.to_owned(),
        field: field.to_owned(),
    })
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContactName => f.write_str("contact.name"),
            Self::ContactFirstName => f.write_str("contact.first_name"),
            Self::ContactPhone => f.write_str("contact.phone"),
            Self::ContactField(key) => write!(f, "contact.field.{key}"),
            Self::CallNumber => f.write_str("call.number"),
            Self::CallTime => f.write_str("call.time"),
            Self::CallDate => f.write_str("call.date"),
            Self::CallOutcome => f.write_str("call.outcome"),
            Self::Order(value) => write!(f, "order.{}", value.as_str()),
            Self::PreferencesLink => f.write_str("preferences.link"),
            Self::PreferencesCode => f.write_str("preferences.code"),
            Self::Link(target) => write!(f, "link:{target}"),
            Self::LinkCode(target) => write!(f, "link_code:{target}"),
            Self::Tenant(name) => write!(f, "tenant.{name}"),
            Self::Product { id, field } => write!(f, "product.{id}.{field}"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

parsed!(Source, "source", "contact.name");

/// A text with an invalid `{{…}}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlaceholder {
    /// `{{` without `}}`.
    #[error("a {{{{ is never closed")]
    Open,
    #[error(transparent)]
    Source(#[from] InvalidSource),
    /// A tracked link with a default, or with a bar in its URL.
    #[error("a tracked link has no default; write a bar in its URL as %7C")]
    LinkDefault,
}

/// A part of the text of an SMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    /// `{{source|default}}`.
    Value {
        source: Source,
        /// Default, if nothing is found.
        default: Option<&'a str>,
    },
}

/// Splits a text into its parts.
///
/// # Errors
/// If a `{{` is not closed or names no source.
pub fn placeholders(text: &str) -> Result<Vec<Piece<'_>>, InvalidPlaceholder> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, after) = after.split_once("}}").ok_or(InvalidPlaceholder::Open)?;
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        let (name, default) = match inside.split_once('|') {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        let source = name.trim().parse()?;
        if default.is_some() && matches!(source, Source::Link(_) | Source::LinkCode(_)) {
            return Err(InvalidPlaceholder::LinkDefault);
        }
        pieces.push(Piece::Value { source, default });
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}
