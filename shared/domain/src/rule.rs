//! Rules: which calls are followed by which message. A tenant writes them as data.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    call::{Direction, Outcome},
    ids::RuleId,
    message::{Category, Channel, WhenUnknown},
    phone::Phone,
    tenant::{QuietHours, TenantConfig},
};

/// A follow-up rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The rule.
    pub id: RuleId,
    /// For people.
    pub name: String,
    /// The lowest number is asked first; the first rule that matches a call decides it, all others are silent. Equal
    /// numbers are asked in the order of their ids.
    #[serde(default)]
    pub priority: i32,
    /// A rule that is switched off matches nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Which calls it is for.
    #[serde(default)]
    pub when: When,
    /// What follows them.
    pub then: Then,
}

impl Rule {
    /// What a new tenant begins with: whoever was missed gets an SMS, which needs no template that Meta must approve first.
    /// In English and Arabic; the tenant's first language is for people whose own is not known.
    #[must_use]
    pub fn first(id: RuleId) -> Self {
        let english = "{{tenant.name}}: sorry, we missed your call. Reply here and we will get back to you. Reply STOP for no more messages.";
        let arabic = "{{tenant.name}}: نعتذر، فاتتنا مكالمتك. راسلنا هنا وسنرد عليك. لإيقاف الرسائل أرسل STOP.";
        let texts = [("en", english), ("ar", arabic)];
        let texts = texts.map(|(language, text)| (language.to_owned(), text.to_owned()));
        Self {
            id,
            name: "Missed calls".to_owned(),
            priority: 100,
            enabled: true,
            when: When::default(),
            then: Then {
                channels: vec![Channel::Sms],
                category: utility(),
                template: None,
                sms_text: Some(SmsText::ByLanguage(texts.into())),
                delay_seconds: 0,
                fallback_after_seconds: default_fallback_after(),
                cooldown_seconds: default_cooldown(),
                quiet_hours: None,
                consent: Consent::CallerInitiated,
                when_unknown: None,
            },
        }
    }
}

const fn yes() -> bool {
    true
}

/// Which calls a rule is for: all conditions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// How the call ended. `unknown` never matches.
    pub outcomes: Vec<Outcome>,
    /// Who called whom. Outbound calls never get a message, so only `inbound` matches anything.
    pub direction: Direction,
    /// The business's lines that were called; none: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Phone>,
    /// Whether the business was open when the call began.
    pub hours: Hours,
    /// Whether the caller is new.
    pub caller: Caller,
    /// Rang at least this long, in seconds. A call of which nobody knows how long it rang passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ring_seconds: Option<u32>,
    /// Rang at most this long, in seconds. A call of which nobody knows how long it rang passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ring_seconds: Option<u32>,
    /// People spoke at least this long, in seconds. A call of which nobody knows it counts as 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_talk_seconds: Option<u32>,
    /// People spoke at most this long, in seconds. A call of which nobody knows it counts as 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_talk_seconds: Option<u32>,
}

impl Default for When {
    fn default() -> Self {
        Self {
            outcomes: vec![
                Outcome::Missed,
                Outcome::Busy,
                Outcome::Abandoned,
                Outcome::Voicemail,
                Outcome::AfterHours,
            ],
            direction: Direction::Inbound,
            lines: Vec::new(),
            hours: Hours::Any,
            caller: Caller::Any,
            min_ring_seconds: None,
            max_ring_seconds: None,
            min_talk_seconds: None,
            max_talk_seconds: None,
        }
    }
}

/// A condition on the business hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hours {
    /// None.
    #[default]
    Any,
    /// The business was open.
    Open,
    /// The business was closed.
    Closed,
}

/// A condition on the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caller {
    /// None.
    #[default]
    Any,
    /// Never called or wrote before.
    New,
    /// Called or wrote before.
    Known,
}

/// What follows a call that matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// The channels, in the order in which they are tried.
    pub channels: Vec<Channel>,
    /// What kind of message it is; the template must be of the same.
    #[serde(default = "utility")]
    pub category: Category,
    /// What WhatsApp carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateUse>,
    /// What SMS carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms_text: Option<SmsText>,
    /// Seconds between the decision and the message, at most [`LONGEST_DELAY_SECONDS`].
    #[serde(default)]
    pub delay_seconds: u32,
    /// Seconds after acceptance without `delivered` until the next channel is tried, at most [`LONGEST_FALLBACK_SECONDS`].
    /// 0: only when the channel fails.
    #[serde(default = "default_fallback_after")]
    pub fallback_after_seconds: u32,
    /// No message to somebody for whom one was planned less than this many seconds ago. 0: no limit.
    #[serde(default = "default_cooldown")]
    pub cooldown_seconds: u32,
    /// Instead of the tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// On what ground it is sent.
    #[serde(default)]
    pub consent: Consent,
    /// What to do when nobody can tell whether it was sent. Not given: by category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_unknown: Option<WhenUnknown>,
}

/// A message that waits longer than a day answers nothing any more.
pub const LONGEST_DELAY_SECONDS: u32 = 86_400;
/// No more does a second channel that is tried later than a day.
pub const LONGEST_FALLBACK_SECONDS: u32 = 86_400;

const fn utility() -> Category {
    Category::Utility
}

const fn default_fallback_after() -> u32 {
    120
}

const fn default_cooldown() -> u32 {
    86_400
}

/// On what ground a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// The person called: an answer is expected.
    #[default]
    CallerInitiated,
    /// The person said yes to messages.
    OptInOnly,
}

/// How a rule fills a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateUse {
    /// The template's name at Meta.
    pub name: String,
    /// The language code at Meta, such as `en_GB`.
    pub language: String,
    /// Take the template in the contact's language where there is one that may be sent; `language` is for all others.
    #[serde(default)]
    pub by_contact_language: bool,
    /// Values of the body's variables, by number (`"1"`) or name.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub variables: std::collections::BTreeMap<String, Value>,
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

/// What SMS carries: one text for all, or one for each language, of which the first of the tenant's languages is for people
/// whose language is not known. `{{source}}` and `{{source|default}}` stand for values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SmsText {
    /// For all.
    One(String),
    /// By BCP 47 language.
    ByLanguage(std::collections::BTreeMap<String, String>),
}

/// A value in a message: `{"from": "contact.name", "default": "there"}` or `{"text": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "WrittenValue", try_from = "WrittenValue")]
pub enum Value {
    /// Looked up when the message is planned.
    From {
        /// Where.
        source: Source,
        /// Instead, where nothing is found.
        default: Option<String>,
    },
    /// Always the same.
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

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `contact.name`.
    ContactName,
    /// `contact.first_name`: the first word of the name.
    ContactFirstName,
    /// `contact.phone`.
    ContactPhone,
    /// `call.line`: the number that was called.
    CallLine,
    /// `call.time`: when the call began, in the tenant's time zone, as 14:05.
    CallTime,
    /// `call.date`: the same, as 2026-11-20.
    CallDate,
    /// `call.outcome`.
    CallOutcome,
    /// `tenant.<name>`.
    Tenant(String),
    /// `product.<id>.<field>`; the fields `name`, `price` and `url` are always there.
    Product {
        /// The product's id.
        id: String,
        /// The field.
        field: String,
    },
}

/// A text that names no source of values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such value: {0}. There are contact.name, contact.first_name, contact.phone, call.line, call.time, call.date, \
     call.outcome, tenant.<name> and product.<id>.<field>"
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
            (Some("call"), Some("line"), None, None) => Self::CallLine,
            (Some("call"), Some("time"), None, None) => Self::CallTime,
            (Some("call"), Some("date"), None, None) => Self::CallDate,
            (Some("call"), Some("outcome"), None, None) => Self::CallOutcome,
            (Some("tenant"), Some(name), None, None) if !name.is_empty() => Self::Tenant(name.to_owned()),
            (Some("product"), Some(id), Some(field), None) if !id.is_empty() && !field.is_empty() => Self::Product {
                id: id.to_owned(),
                field: field.to_owned(),
            },
            _ => return Err(InvalidSource(text.to_owned())),
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContactName => f.write_str("contact.name"),
            Self::ContactFirstName => f.write_str("contact.first_name"),
            Self::ContactPhone => f.write_str("contact.phone"),
            Self::CallLine => f.write_str("call.line"),
            Self::CallTime => f.write_str("call.time"),
            Self::CallDate => f.write_str("call.date"),
            Self::CallOutcome => f.write_str("call.outcome"),
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

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Rule {
    /// What to do with a send whose outcome nobody can tell. Sending again is for one-time codes alone: for all else it
    /// would break the promise of one message per call and channel.
    #[must_use]
    pub fn when_unknown(&self) -> WhenUnknown {
        match (self.then.category, self.then.when_unknown) {
            (Category::Authentication, chosen) => chosen.unwrap_or(WhenUnknown::SendAgain),
            (Category::Utility, None | Some(WhenUnknown::SendAgain)) => WhenUnknown::NextChannel,
            (Category::Marketing, None | Some(WhenUnknown::SendAgain)) => WhenUnknown::Stop,
            (_, Some(chosen)) => chosen,
        }
    }

    /// What is wrong with it, in sentences for whoever wrote it, who knows its name.
    #[must_use]
    pub fn problems(&self, config: &TenantConfig) -> Vec<String> {
        let mut problems = Vec::new();
        let mut found = |problem: String| problems.push(problem);
        let then = &self.then;
        if then.channels.is_empty() {
            found("no channels".to_owned());
        }
        if then.delay_seconds > LONGEST_DELAY_SECONDS {
            found(format!("delay_seconds is at most {LONGEST_DELAY_SECONDS}"));
        }
        if then.fallback_after_seconds > LONGEST_FALLBACK_SECONDS {
            found(format!("fallback_after_seconds is at most {LONGEST_FALLBACK_SECONDS}"));
        }
        if self.when.direction == Direction::Outbound {
            found("outbound calls never get a message".to_owned());
        }
        if self.when.outcomes.contains(&Outcome::Unknown) {
            found("calls with the outcome unknown never get a message".to_owned());
        }
        if then.when_unknown == Some(WhenUnknown::SendAgain) && then.category != Category::Authentication {
            found("when_unknown: send_again is for one-time codes only".to_owned());
        }
        for (index, channel) in then.channels.iter().enumerate() {
            if then.channels[..index].contains(channel) {
                found(format!("{} stands in channels twice", channel.name()));
            }
            if !config
                .connections
                .iter()
                .any(|connection| connection.carries.contains(channel))
            {
                found(format!("no connection carries {}", channel.name()));
            }
        }
        if then.channels.contains(&Channel::WhatsApp) {
            match &then.template {
                None => found("WhatsApp needs a template".to_owned()),
                Some(wanted) => problems.extend(crate::template::problems(self, wanted, config)),
            }
        }
        let mut found = |problem: String| problems.push(problem);
        if then.channels.contains(&Channel::Sms) {
            match &then.sms_text {
                None => found("SMS needs sms_text".to_owned()),
                Some(SmsText::One(text)) => {
                    if let Err(error) = crate::template::placeholders(text) {
                        found(format!("sms_text: {error}"));
                    }
                }
                Some(SmsText::ByLanguage(texts)) => {
                    if texts.is_empty() {
                        found("SMS needs sms_text".to_owned());
                    }
                    for (language, text) in texts {
                        if let Err(error) = crate::template::placeholders(text) {
                            found(format!("sms_text in {language}: {error}"));
                        }
                    }
                }
            }
        }
        problems
    }
}
