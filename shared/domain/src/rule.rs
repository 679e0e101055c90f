//! Rules: which calls are followed by which message. A tenant writes them as data.

use serde::{Deserialize, Serialize};

use crate::{
    call::{Direction, Outcome},
    ids::{LineId, RuleId},
    message::{Category, Channel, WhenUnknown},
    purpose::USUAL_FALLBACK_SECONDS,
    quiet::QuietHours,
    source::{SmsText, TemplateUse},
};

/// A follow-up rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The rule.
    pub id: RuleId,
    /// Display name.
    pub name: String,
    /// Priority: the rule with the lowest number is tried first, and the first match decides; all others are ignored. Rules
    /// with equal numbers are tried in the order of their ids.
    #[serde(default)]
    pub priority: i32,
    /// Whether the rule is active. An inactive rule matches nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The calls it applies to.
    #[serde(default)]
    pub when: When,
    /// The follow-up.
    pub then: Then,
    /// The version of its row, as it was read; 0 for one that was not. Stored with the decisions that it makes.
    #[serde(skip)]
    pub version: u64,
}

impl Rule {
    /// The rule of a new tenant: missed callers get an SMS, which needs no template approved by Meta. In English and
    /// Arabic; the tenant's first language is for people whose language is unknown.
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
            version: 0,
        }
    }
}

const fn yes() -> bool {
    true
}

/// Conditions on a call, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Outcomes of the call. `unknown` never matches.
    pub outcomes: Vec<Outcome>,
    /// Direction. Outbound calls never get a message, so only `inbound` matches anything.
    pub direction: Direction,
    /// The called lines; empty: all calls, including those to a number without a line. A line that was deleted matches
    /// none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineId>,
    /// Whether the business was open when the call began.
    pub hours: Hours,
    /// Whether the caller is new.
    pub caller: Caller,
    /// Minimum ringing time in seconds. Calls with an unknown ringing time match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ring_seconds: Option<u32>,
    /// Maximum ringing time in seconds. Calls with an unknown ringing time match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ring_seconds: Option<u32>,
    /// Minimum talking time in seconds. An unknown talking time counts as 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_talk_seconds: Option<u32>,
    /// Maximum talking time in seconds. An unknown talking time counts as 0.
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
    /// No condition.
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
    /// No condition.
    #[default]
    Any,
    /// Never called or wrote before.
    New,
    /// Called or wrote before.
    Known,
}

/// The follow-up to a matching call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// The channels, in the order in which they are tried.
    pub channels: Vec<Channel>,
    /// Category of the message. The template must have the same.
    #[serde(default = "utility")]
    pub category: Category,
    /// Content for WhatsApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateUse>,
    /// Content for SMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms_text: Option<SmsText>,
    /// Seconds between the decision and the message, at most [`LONGEST_DELAY_SECONDS`].
    #[serde(default)]
    pub delay_seconds: u32,
    /// Seconds after acceptance without `delivered` until the next channel is tried, at most [`LONGEST_FALLBACK_SECONDS`].
    /// 0: only when the channel fails.
    #[serde(default = "default_fallback_after")]
    pub fallback_after_seconds: u32,
    /// Cooldown in seconds: no message to somebody for whom one was planned less than this long ago. 0: no limit.
    #[serde(default = "default_cooldown")]
    pub cooldown_seconds: u32,
    /// Quiet hours instead of the tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Ground on which it is sent.
    #[serde(default)]
    pub consent: Consent,
    /// Reaction to an unknown outcome. If missing, it depends on the category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_unknown: Option<WhenUnknown>,
}

/// Maximum delay: after more than a day, a message no longer answers anything.
pub const LONGEST_DELAY_SECONDS: u32 = 86_400;
/// Maximum fallback deadline: the same holds for a second channel tried more than a day later.
pub const LONGEST_FALLBACK_SECONDS: u32 = 86_400;

const fn utility() -> Category {
    Category::Utility
}

const fn default_fallback_after() -> u32 {
    USUAL_FALLBACK_SECONDS
}

const fn default_cooldown() -> u32 {
    86_400
}

/// Ground on which a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// The person called and expects an answer.
    #[default]
    CallerInitiated,
    /// The person opted in.
    OptInOnly,
}
