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
    /// The lines that were called; none: all calls, also those to a number of no line. A line that no longer exists matches none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineId>,
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
    USUAL_FALLBACK_SECONDS
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
