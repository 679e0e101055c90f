//! A message's text or template as its author writes it, and the sources of its values.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A rule's use of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateUse {
    /// The template's name at Meta.
    pub name: String,
    /// The language code at Meta, such as `en_GB`.
    pub language: String,
    /// Whether to take the template in the contact's language if one may be sent; `language` is for all others.
    #[serde(default)]
    pub by_contact_language: bool,
    /// Values of the body's variables, by number (`"1"`) or name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Value>,
    /// The value of the text header's variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Value>,
    /// Values of URL buttons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<ButtonValue>,
}

/// The value that completes a button's URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ButtonValue {
    /// The button's place among all buttons, from 0.
    pub index: u8,
    /// The end of the URL.
    pub value: Value,
}

/// Text of an SMS: one text for all, or one for each language, of which the first of the tenant's languages is for people
/// whose language is unknown. `{{source}}` and `{{source|default}}` stand for values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SmsText {
    /// One text for all languages.
    One(String),
    /// Texts by BCP 47 language.
    ByLanguage(BTreeMap<String, String>),
}

/// A value in a message: `{"from": "contact.name", "default": "there"}` or `{"text": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "WrittenValue", try_from = "WrittenValue")]
pub enum Value {
    /// A value that is looked up when the message is planned.
    From {
        /// Its source.
        source: Source,
        /// Default, if nothing is found.
        default: Option<String>,
    },
    /// A fixed text.
    Text(String),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenValue {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Source>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl From<Value> for WrittenValue {
    fn from(value: Value) -> Self {
        match value {
            Value::From { source, default } => Self {
                from: Some(source),
                default,
                text: None,
            },
            Value::Text(text) => Self {
                from: None,
                default: None,
                text: Some(text),
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
            } => Ok(Self::From { source, default }),
            WrittenValue {
                from: None,
                default: None,
                text: Some(text),
            } => Ok(Self::Text(text)),
            _ => Err("a value has either `from` (and perhaps `default`) or `text`"),
        }
    }
}

/// The source of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `contact.name`.
    ContactName,
    /// `contact.first_name`: the first word of the name.
    ContactFirstName,
    /// `contact.phone`.
    ContactPhone,
    /// `call.number`: the number that was called.
    CallNumber,
    /// `call.time`: when the call began, in the tenant's time zone, as 14:05.
    CallTime,
    /// `call.date`: the same, as 2026-11-20.
    CallDate,
    /// `call.outcome`.
    CallOutcome,
    /// `preferences.link`: a link to the recipient's preference page.
    PreferencesLink,
    /// `preferences.code`: the end of that link, for buttons of templates.
    PreferencesCode,
    /// `tenant.<name>`.
    Tenant(String),
    /// `product.<id or SKU>.<field>`; the fields `name`, `price` and `url` are always there.
    Product {
        /// The product's id, or its SKU.
        id: String,
        /// The field.
        field: String,
    },
}

/// A text that is not a source of values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such value: {0}. There are contact.name, contact.first_name, contact.phone, call.number, call.time, call.date, \
     call.outcome, preferences.link, preferences.code, tenant.<name> and product.<id>.<field>"
)]
pub struct InvalidSource(String);

impl FromStr for Source {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, InvalidSource> {
        let mut parts = text.split('.');
        let whole = (parts.next(), parts.next(), parts.next(), parts.next());
        Ok(match whole {
            (Some("contact"), Some("name"), None, None) => Self::ContactName,
            (Some("contact"), Some("first_name"), None, None) => Self::ContactFirstName,
            (Some("contact"), Some("phone"), None, None) => Self::ContactPhone,
            (Some("call"), Some("number"), None, None) => Self::CallNumber,
            (Some("call"), Some("time"), None, None) => Self::CallTime,
            (Some("call"), Some("date"), None, None) => Self::CallDate,
            (Some("call"), Some("outcome"), None, None) => Self::CallOutcome,
            (Some("preferences"), Some("link"), None, None) => Self::PreferencesLink,
            (Some("preferences"), Some("code"), None, None) => Self::PreferencesCode,
            (Some("tenant"), Some(name), None, None) if !name.is_empty() => Self::Tenant(name.to_owned()),
            (Some("product"), ..) => product(text).ok_or_else(|| InvalidSource(text.to_owned()))?,
            _ => return Err(InvalidSource(text.to_owned())),
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
            Self::CallNumber => f.write_str("call.number"),
            Self::CallTime => f.write_str("call.time"),
            Self::CallDate => f.write_str("call.date"),
            Self::CallOutcome => f.write_str("call.outcome"),
            Self::PreferencesLink => f.write_str("preferences.link"),
            Self::PreferencesCode => f.write_str("preferences.code"),
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
    /// An unknown source.
    #[error(transparent)]
    Source(#[from] InvalidSource),
}

/// A part of the text of an SMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Literal text.
    Text(&'a str),
    /// `{{source|default}}`.
    Value {
        /// The source.
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
        pieces.push(Piece::Value {
            source: name.trim().parse()?,
            default,
        });
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}
