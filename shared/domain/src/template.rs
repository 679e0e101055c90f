//! Templates and what fills them: the definitions as Meta approved them, the tenant's products, and the check that values
//! fit before anything is sent.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    call::{CallFacts, Outcome},
    contact::Contact,
    inbound::TemplateReport,
    message::{Category, FilledTemplate, TemplateValue},
    rule::{InvalidSource, Rule, Source, TemplateUse, Value},
    tenant::TenantConfig,
};

/// A template as the provider holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateDefinition {
    /// The name at Meta: `[a-z0-9_]`, at most 512.
    pub name: String,
    /// The language code at Meta, such as `en_GB`.
    pub language: String,
    /// The category that Meta gave it.
    pub category: Category,
    /// Meta's word for its state.
    pub status: TemplateStatus,
    /// When Meta reported the state; `None` where nothing was reported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_at: Option<Timestamp>,
    /// When Meta reported the category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_at: Option<Timestamp>,
    /// How its variables are named.
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
}

/// Meta's word for a template's state, such as `APPROVED`, `PAUSED`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TemplateStatus(pub String);

impl TemplateStatus {
    /// Whether Meta takes messages with it.
    #[must_use]
    pub fn sendable(&self) -> bool {
        matches!(self.0.as_str(), "APPROVED" | "REINSTATED")
    }
}

/// How a template's variables are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
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
    /// What it does.
    pub kind: ButtonKind,
    /// Its label.
    pub text: String,
    /// For links: the URL, perhaps ending in `{{1}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What a button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ButtonKind {
    /// Writes its label to the business.
    QuickReply,
    /// Opens a link.
    Url,
    /// Calls the business.
    PhoneNumber,
    /// Anything else that needs no value.
    Other,
}

impl TemplateButton {
    fn needs_value(&self) -> bool {
        self.kind == ButtonKind::Url && self.url.as_deref().is_some_and(|url| url.contains("{{"))
    }
}

/// What a tenant sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// A word without dots, such as `haircut`: `product.haircut.price`.
    pub id: String,
    /// As customers know it.
    pub name: String,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Where to see or book it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Anything else, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// In the currency's smallest unit.
    pub amount: u64,
    /// ISO 4217, such as `AED`.
    pub currency: String,
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Decimal places by ISO 4217; all others have two.
        let places = match self.currency.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
            | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2_usize,
        };
        if places == 0 {
            return write!(f, "{} {}", self.amount, self.currency);
        }
        let unit = 10_u64.pow(places as u32);
        let (whole, rest) = (self.amount / unit, self.amount % unit);
        write!(f, "{whole}.{rest:0places$} {}", self.currency)
    }
}

/// Why a message cannot be made from a template or a text: a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// No such template.
    #[error("there is no template {name} in {language}")]
    NoTemplate {
        /// The name.
        name: String,
        /// The language.
        language: String,
    },
    /// Meta would not take it now.
    #[error("template {name} in {language} is {status}, not APPROVED")]
    NotSendable {
        /// The name.
        name: String,
        /// The language.
        language: String,
        /// Meta's word.
        status: String,
    },
    /// Consent and price depend on the category.
    #[error("template {name} is {}, the rule says {}", .actual.as_str(), .wanted.as_str())]
    Category {
        /// The name.
        name: String,
        /// The template's.
        actual: Category,
        /// The rule's.
        wanted: Category,
    },
    /// A value too few.
    #[error("template {name} needs a value for {variable}")]
    Missing {
        /// The template.
        name: String,
        /// The variable, such as `{{1}}`.
        variable: String,
    },
    /// A value too many.
    #[error("template {name} has no {variable}")]
    Unexpected {
        /// The template.
        name: String,
        /// The variable, such as `{{3}}`.
        variable: String,
    },
    /// The definition's own variables are numbered with gaps, or not by its format.
    #[error("the stored definition of template {name} is broken: {what}")]
    Broken {
        /// The template.
        name: String,
        /// How.
        what: String,
    },
    /// Twilio knows templates by its own id only.
    #[error("template {name} has no content_sid, which WhatsApp through Twilio needs")]
    NoContentSid {
        /// The template.
        name: String,
    },
    /// Meta refuses such values.
    #[error("the value for {variable} {what}")]
    Value {
        /// The variable.
        variable: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Longer than the channel takes.
    #[error("the {part} has {length} characters once filled in, at most {most} are allowed")]
    TooLong {
        /// Which part.
        part: &'static str,
        /// Its length.
        length: usize,
        /// The limit.
        most: usize,
    },
    /// Nothing is known to put there, and there is no default.
    #[error("nothing is known for {source_of_value} and it has no default")]
    NoValue {
        /// Such as `contact.name`.
        source_of_value: String,
    },
    /// The text's own `{{…}}` are wrong.
    #[error(transparent)]
    Placeholder(#[from] InvalidPlaceholder),
}

/// A text whose `{{…}}` are wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPlaceholder {
    /// `{{` without `}}`.
    #[error("a {{{{ is never closed")]
    Open,
    /// No such source.
    #[error(transparent)]
    Source(#[from] InvalidSource),
}

/// The longest body of a template once its values are filled in.
pub const LONGEST_BODY: usize = 1024;
/// The longest text header.
pub const LONGEST_HEADER: usize = 60;
/// The longest SMS that Twilio takes.
pub const LONGEST_SMS: usize = 1600;
/// Names come from the callers themselves: longer ones are cut.
const LONGEST_NAME: usize = 60;

/// The variables of a template's text, in the order in which they first appear.
fn variables(text: &str) -> Vec<&str> {
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

/// The text with each variable replaced.
fn filled(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
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

/// Which template: its name and language at Meta.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TemplateKey {
    name: String,
    language: String,
}

impl TemplateKey {
    /// The longest name.
    pub const LONGEST_NAME: usize = 512;
    /// The longest language code; the longest known has 6 letters.
    pub const LONGEST_LANGUAGE: usize = 32;

    /// A template that there can be; `None` where no template has such a name or language.
    #[must_use]
    pub fn new(name: &str, language: &str) -> Option<Self> {
        let named = (1..=Self::LONGEST_NAME).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let spoken = (1..=Self::LONGEST_LANGUAGE).contains(&language.len())
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
    /// With what Meta has reported of the template that it takes the place of: Meta knows better than a file.
    #[must_use]
    pub fn as_reported(mut self, before: &Self) -> Self {
        if before.status_at.is_some() {
            self.status.clone_from(&before.status);
            self.status_at = before.status_at;
        }
        if before.category_at.is_some() {
            self.category = before.category;
            self.category_at = before.category_at;
        }
        self
    }

    /// Takes over what Meta reports, status and category each for itself. What is older than what is known changes nothing; of
    /// two reports of one second the one counts that allows less, whatever order they come in.
    pub fn note(&mut self, report: &TemplateReport) {
        let counts = |known: Option<Timestamp>, allows_less: bool| match known {
            Some(known) if known == report.at => allows_less,
            known => known < Some(report.at),
        };
        if let Some(status) = &report.status
            && counts(self.status_at, !status.sendable())
        {
            self.status.clone_from(status);
            self.status_at = Some(report.at);
        }
        if let Some(category) = report.category
            && counts(self.category_at, category == Category::Marketing)
        {
            self.category = category;
            self.category_at = Some(report.at);
        }
    }

    /// The body's variables in the order in which their values are sent.
    ///
    /// # Errors
    /// When the definition is broken.
    pub fn body_variables(&self) -> Result<Vec<String>, Misfit> {
        let broken = |what: String| Misfit::Broken {
            name: self.name.clone(),
            what,
        };
        let names = variables(&self.body);
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

    /// Whether Meta takes messages with it, and through Twilio also whether Twilio can name it.
    ///
    /// # Errors
    /// The reason why not.
    pub fn sendable(&self, needs_content_sid: bool) -> Result<(), Misfit> {
        if !self.status.sendable() {
            return Err(Misfit::NotSendable {
                name: self.name.clone(),
                language: self.language.clone(),
                status: self.status.0.clone(),
            });
        }
        if needs_content_sid && self.content_sid.is_none() {
            return Err(Misfit::NoContentSid {
                name: self.name.clone(),
            });
        }
        Ok(())
    }

    /// Checks values against the definition: nothing goes out that Meta would refuse for its parameters.
    ///
    /// # Errors
    /// What does not fit.
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
        check_length("body", &filled(&self.body, value_of), LONGEST_BODY)?;

        let header = self.header.as_deref().unwrap_or_default();
        match (variables(header).first(), &filled_in.header) {
            (Some(_), None) => return Err(missing("the header".to_owned())),
            (None, Some(_)) => return Err(unexpected("variable in its header".to_owned())),
            (Some(_), Some(value)) => {
                check_value("the header", &value.text)?;
                check_length("header", &filled(header, |_| Some(value.text.clone())), LONGEST_HEADER)?;
            }
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

    /// Fills it in by a rule.
    ///
    /// # Errors
    /// When a value is missing or does not fit.
    pub fn fill(&self, wanted: &TemplateUse, values: &Values<'_>) -> Result<FilledTemplate, Misfit> {
        let names = self.body_variables()?;
        if let Some(extra) = wanted.variables.keys().find(|name| !names.contains(name)) {
            return Err(Misfit::Unexpected {
                name: self.name.clone(),
                variable: braces(extra),
            });
        }
        let mut body = Vec::with_capacity(names.len());
        for name in names {
            let value = wanted.variables.get(&name).ok_or_else(|| Misfit::Missing {
                name: self.name.clone(),
                variable: braces(&name),
            })?;
            body.push(TemplateValue {
                text: values.value(value)?,
                name: (self.parameter_format == ParameterFormat::Named).then_some(name),
            });
        }
        let header = match &wanted.header {
            None => None,
            Some(value) => Some(TemplateValue {
                text: values.value(value)?,
                name: match self.parameter_format {
                    ParameterFormat::Positional => None,
                    ParameterFormat::Named => variables(self.header.as_deref().unwrap_or_default())
                        .first()
                        .map(|name| (*name).to_owned()),
                },
            }),
        };
        let mut buttons = Vec::with_capacity(wanted.buttons.len());
        for button in &wanted.buttons {
            buttons.push((button.index, values.value(&button.value)?));
        }
        let filled_in = FilledTemplate {
            name: self.name.clone(),
            language: self.language.clone(),
            body,
            header,
            buttons,
            content_sid: self.content_sid.clone(),
        };
        self.check(&filled_in)?;
        Ok(filled_in)
    }

    /// The text that the customer reads, for histories.
    #[must_use]
    pub fn text(&self, filled_in: &FilledTemplate) -> String {
        let names = self.body_variables().unwrap_or_default();
        filled(&self.body, |name| {
            let index = names.iter().position(|known| known == name)?;
            filled_in.body.get(index).map(|value| value.text.clone())
        })
    }
}

fn braces(name: &str) -> String {
    format!("{{{{{name}}}}}")
}

/// Meta's rules for values (132018, 63013): no line breaks or tabs, no more than four spaces in a row, not empty.
fn check_value(variable: &str, text: &str) -> Result<(), Misfit> {
    let what = if text.trim().is_empty() {
        "is empty"
    } else if text.contains(['\n', '\r', '\t']) {
        "has a line break or tab"
    } else if text.contains("    ") {
        "has four spaces in a row"
    } else {
        return Ok(());
    };
    Err(Misfit::Value {
        variable: variable.to_owned(),
        what,
    })
}

fn check_length(part: &'static str, text: &str, most: usize) -> Result<(), Misfit> {
    let length = text.chars().count();
    if length > most {
        return Err(Misfit::TooLong { part, length, most });
    }
    Ok(())
}

/// What values are looked up in.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The tenant and its products.
    pub config: &'a TenantConfig,
    /// The person.
    pub contact: &'a Contact,
    /// The call.
    pub facts: &'a CallFacts,
    /// How it ended.
    pub outcome: Outcome,
    /// When it began.
    pub started_at: Timestamp,
}

impl Values<'_> {
    /// What is known, if anything: on one line, without runs of spaces.
    #[must_use]
    pub fn look_up(&self, source: &Source) -> Option<String> {
        let found = match source {
            Source::ContactName => self.contact.name.as_deref().map(short),
            Source::ContactFirstName => {
                let name = self.contact.name.as_deref()?;
                name.split_whitespace().next().map(short)
            }
            Source::ContactPhone => {
                let phone = self.contact.phone.as_ref().or_else(|| self.facts.customer().phone())?;
                Some(phone.to_string())
            }
            Source::CallLine => self.facts.line()?.phone().map(ToString::to_string),
            Source::CallTime => Some(self.local().strftime("%H:%M").to_string()),
            Source::CallDate => Some(self.local().strftime("%Y-%m-%d").to_string()),
            Source::CallOutcome => Some(self.outcome.as_str().replace('_', " ")),
            Source::Tenant(name) => self.config.tenant.variable(name).map(str::to_owned),
            Source::Product { id, field } => {
                let product = self.config.product(id)?;
                match field.as_str() {
                    "name" => Some(product.name.clone()),
                    "price" => product.price.as_ref().map(ToString::to_string),
                    "url" => product.url.clone(),
                    other => product.fields.get(other).cloned(),
                }
            }
        }?;
        let clean = found.split_whitespace().collect::<Vec<_>>().join(" ");
        (!clean.is_empty()).then_some(clean)
    }

    fn local(&self) -> jiff::Zoned {
        self.started_at.to_zoned(self.config.tenant.time_zone.rules().clone())
    }

    fn value(&self, value: &Value) -> Result<String, Misfit> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            Value::From { source, default } => self.or_default(source, default.as_deref()),
        }
    }

    fn or_default(&self, source: &Source, default: Option<&str>) -> Result<String, Misfit> {
        self.look_up(source)
            .or_else(|| default.map(str::to_owned))
            .ok_or_else(|| Misfit::NoValue {
                source_of_value: source.to_string(),
            })
    }

    /// Fills in the text of an SMS.
    ///
    /// # Errors
    /// When a placeholder is wrong, a value is missing or the text becomes too long.
    pub fn sms(&self, text: &str) -> Result<String, Misfit> {
        let mut done = String::with_capacity(text.len());
        for piece in placeholders(text)? {
            match piece {
                Piece::Text(text) => done.push_str(text),
                Piece::Value { source, default } => done.push_str(&self.or_default(&source, default)?),
            }
        }
        if done.trim().is_empty() {
            return Err(Misfit::Value {
                variable: "the SMS".to_owned(),
                what: "is empty",
            });
        }
        check_length("SMS", &done, LONGEST_SMS)?;
        Ok(done)
    }
}

fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect()
}

/// A part of an SMS's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// As it stands.
    Text(&'a str),
    /// `{{source|default}}`.
    Value {
        /// Where to look.
        source: Source,
        /// Instead, where nothing is found.
        default: Option<&'a str>,
    },
}

/// Takes a text apart.
///
/// # Errors
/// When a `{{` is not closed or names no source.
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

/// The definition that a rule means, for somebody of this language.
///
/// # Errors
/// When there is none.
pub fn find<'a>(
    config: &'a TenantConfig,
    wanted: &TemplateUse,
    language: Option<&str>,
) -> Result<&'a TemplateDefinition, Misfit> {
    let own = language.filter(|_| wanted.by_contact_language).and_then(|language| {
        let named = || {
            config
                .templates
                .iter()
                .filter(|template| template.name == wanted.name && template.status.sendable())
        };
        named()
            .find(|template| same_language(&template.language, language))
            .or_else(|| named().find(|template| primary(&template.language) == primary(language)))
    });
    own.or_else(|| {
        config
            .templates
            .iter()
            .find(|template| template.name == wanted.name && template.language == wanted.language)
    })
    .ok_or_else(|| Misfit::NoTemplate {
        name: wanted.name.clone(),
        language: wanted.language.clone(),
    })
}

fn same_language(a: &str, b: &str) -> bool {
    a.replace('_', "-").eq_ignore_ascii_case(&b.replace('_', "-"))
}

/// The language without its region: Meta writes `en_GB`, BCP 47 writes `en-GB`.
pub(crate) fn primary(language: &str) -> String {
    language
        .split(['_', '-'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// What is wrong with a rule's use of a template, as far as the stored definitions tell.
pub(crate) fn problems(rule: &Rule, wanted: &TemplateUse, config: &TenantConfig) -> Vec<String> {
    let named: Vec<_> = config
        .templates
        .iter()
        .filter(|template| {
            template.name == wanted.name && (wanted.by_contact_language || template.language == wanted.language)
        })
        .collect();
    let mut found = Vec::new();
    if !named.iter().any(|template| template.language == wanted.language) {
        found.push(
            Misfit::NoTemplate {
                name: wanted.name.clone(),
                language: wanted.language.clone(),
            }
            .to_string(),
        );
    }
    for template in named {
        if template.category != rule.then.category {
            found.push(
                Misfit::Category {
                    name: template.name.clone(),
                    actual: template.category,
                    wanted: rule.then.category,
                }
                .to_string(),
            );
        }
        match template.body_variables() {
            Err(broken) => found.push(broken.to_string()),
            Ok(names) => {
                // Values differ from call to call; that each variable has one does not.
                let filled_in = FilledTemplate {
                    name: template.name.clone(),
                    language: template.language.clone(),
                    body: names
                        .iter()
                        .filter(|name| wanted.variables.contains_key(*name))
                        .map(|name| TemplateValue {
                            name: (template.parameter_format == ParameterFormat::Named).then(|| name.clone()),
                            text: "x".to_owned(),
                        })
                        .collect(),
                    header: wanted.header.as_ref().map(|_| TemplateValue {
                        name: None,
                        text: "x".to_owned(),
                    }),
                    buttons: wanted
                        .buttons
                        .iter()
                        .map(|button| (button.index, "x".to_owned()))
                        .collect(),
                    content_sid: template.content_sid.clone(),
                };
                let extra = wanted.variables.keys().find(|name| !names.contains(name));
                let misfit = extra.map_or_else(
                    || template.check(&filled_in).err(),
                    |name| {
                        Some(Misfit::Unexpected {
                            name: template.name.clone(),
                            variable: braces(name),
                        })
                    },
                );
                found.extend(misfit.map(|misfit| misfit.to_string()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        call::{Direction, Party},
        outside::ShownName,
        samples::{config, contact},
    };

    fn facts() -> CallFacts {
        CallFacts {
            direction: Some(Direction::Inbound),
            from: Some(Party::Phone("+971501234567".parse().unwrap())),
            to: Some(Party::Phone("+97143330000".parse().unwrap())),
            ..CallFacts::default()
        }
    }

    fn with_values<T>(contact: &Contact, check: impl Fn(&Values<'_>) -> T) -> T {
        let (config, facts) = (config(), facts());
        check(&Values {
            config: &config,
            contact,
            facts: &facts,
            outcome: Outcome::AfterHours,
            started_at: "2026-11-20T10:05:00Z".parse().unwrap(),
        })
    }

    #[test]
    fn values_are_looked_up_with_defaults() {
        let mut maya = contact();
        maya.name = ShownName::of(" Maya \n Al  Fixture ");
        with_values(&maya, |values| {
            for (text, expected) in [
                ("{{contact.name}}", "Maya Al Fixture"),
                ("{{ contact.first_name }}!", "Maya!"),
                ("{{contact.phone}}", "+971501234567"),
                (
                    "{{call.line}} {{call.date}} {{call.time}}",
                    "+97143330000 2026-11-20 14:05",
                ),
                ("{{call.outcome}}", "after hours"),
                ("{{tenant.name}} {{tenant.phone}}", "Marina Dental +97143330000"),
                (
                    "{{product.haircut.name}} {{product.haircut.price}}",
                    "Haircut 120.50 AED",
                ),
                ("{{product.haircut.length}}", "30 minutes"),
                ("{{tenant.website|our page}}", "our page"),
                ("مرحبا {{contact.first_name|}}", "مرحبا Maya"),
                ("no placeholder { or }}", "no placeholder { or }}"),
            ] {
                assert_eq!(values.sms(text).as_deref(), Ok(expected), "{text}");
            }
            assert_eq!(
                values.sms("{{tenant.website}}").unwrap_err().to_string(),
                "nothing is known for tenant.website and it has no default"
            );
            assert!(values.sms("{{contact.secret}}").is_err());
            assert!(values.sms("Hello {{contact.name").is_err());
            assert!(values.sms("  ").is_err());
            assert!(values.sms(&"x".repeat(1601)).is_err());
        });
    }

    #[test]
    fn a_template_is_filled_by_its_rule() {
        let config = config();
        let wanted = config.rules[0].then.template.clone().unwrap();
        with_values(&contact(), |values| {
            let filled = config.templates[0].fill(&wanted, values).unwrap();
            assert_eq!(
                config.templates[0].text(&filled),
                "Hello there, sorry we missed your call to Marina Dental today. How can we help?"
            );
            assert_eq!(filled.buttons, [(1, "b/marina".to_owned())]);
        });
    }

    #[test]
    fn values_that_do_not_fit_are_found_before_sending() {
        let config = config();
        let definition = &config.templates[0];
        let wanted = config.rules[0].then.template.clone().unwrap();
        let good = with_values(&contact(), |values| definition.fill(&wanted, values)).unwrap();
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
        let mut definition = config().templates[0].clone();
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
        let filled = with_values(&contact(), |values| definition.fill(&wanted, values)).unwrap();
        assert_eq!(filled.body[0].name.as_deref(), Some("first_name"));
        assert_eq!(filled.header.as_ref().unwrap().name.as_deref(), Some("shop"));
        assert_eq!(definition.text(&filled), "Hello Maya, Marina Dental here. Bye Maya.");
    }

    #[test]
    fn a_definition_with_gaps_is_broken() {
        let mut definition = config().templates[0].clone();
        definition.body = "Hello {{1}} and {{3}}".to_owned();
        assert!(definition.body_variables().is_err());
        definition.body = "Hello {{name}}".to_owned();
        assert!(definition.body_variables().is_err());
        definition.body = "{{2}} {{1}} {{2}}".to_owned();
        assert_eq!(definition.body_variables().unwrap(), ["1", "2"]);
    }

    #[test]
    fn a_price_has_its_currencys_places() {
        for (amount, currency, text) in [
            (12_050, "AED", "120.50 AED"),
            (5, "GBP", "0.05 GBP"),
            (1500, "JPY", "1500 JPY"),
            (1234, "KWD", "1.234 KWD"),
        ] {
            let currency = currency.to_owned();
            assert_eq!(Price { amount, currency }.to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_with_a_configuration_is_said_at_once() {
        let mut config = config();
        assert_eq!(config.problems(), Vec::<String>::new());
        config.rules[0].then.when_unknown = Some(crate::message::WhenUnknown::SendAgain);
        config.rules[0].then.fallback_after_seconds = 86_401;
        config.templates[1].category = Category::Marketing;
        config.templates.remove(0);
        config.connections.remove(0);
        assert_eq!(
            config.problems(),
            [
                "rule \"Missed calls\": fallback_after_seconds is at most 86400",
                "rule \"Missed calls\": when_unknown: send_again is for one-time codes only",
                "rule \"Missed calls\": no connection carries SMS",
                "rule \"Missed calls\": there is no template missed_call_followup in en_GB",
                "rule \"Missed calls\": template missed_call_followup is marketing, the rule says utility",
            ]
        );
    }

    #[test]
    fn reports_end_in_the_same_template_in_any_order() {
        let report = |seconds: i64, status: Option<&str>, category| TemplateReport {
            template: TemplateKey::new("missed_call_followup", "en_GB").unwrap(),
            at: Timestamp::from_second(1_795_000_000 + seconds).unwrap(),
            status: status.map(|word| TemplateStatus(word.to_owned())),
            category,
        };
        let reports = [
            report(0, Some("APPROVED"), Some(Category::Utility)),
            report(10, Some("PAUSED"), None),
            report(20, Some("REINSTATED"), None),
            report(30, None, Some(Category::Marketing)),
            report(30, Some("APPROVED"), Some(Category::Utility)),
        ];
        for first in 0..reports.len() {
            let mut template = config().templates.remove(0);
            let mut order: Vec<_> = reports.iter().cycle().skip(first).take(reports.len()).collect();
            if first % 2 == 1 {
                order.reverse();
            }
            for report in order {
                template.note(report);
            }
            assert_eq!(template.status.0, "APPROVED");
            assert_eq!(template.category, Category::Marketing);
        }
        let mut template = config().templates.remove(0);
        template.note(&reports[2]);
        template.note(&reports[1]);
        assert_eq!(template.status.0, "REINSTATED", "a late PAUSED changes nothing");
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

    #[test]
    fn what_people_write_is_read_strictly() {
        for wrong in [
            r#"{"from": "contact.name", "text": "x"}"#,
            r#"{"default": "x"}"#,
            r#"{"from": "contact.nme"}"#,
            r#"{"form": "contact.name"}"#,
        ] {
            assert!(serde_json::from_str::<Value>(wrong).is_err(), "{wrong}");
        }
        let config = config();
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<TenantConfig>(&text).unwrap(), config);
        let zoneless = crate::samples::TENANT.replace("Asia/Dubai", "Asia/Nowhere");
        assert!(serde_json::from_str::<crate::tenant::Tenant>(&zoneless).is_err());
    }
}
