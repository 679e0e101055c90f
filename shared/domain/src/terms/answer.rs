//! Automatic answers as data: what a tenant sets, and what a person got. [`crate::automations::answer_intent`] has the rules.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::terms::{LineId, Purpose, SmsText, Whole};

/// Maximum automatic answers to one person within 24 hours: two machines must not write to each other. Help may be one more, and the
/// confirmation of a stop word does not count, since it ends what a machine would write.
pub const MAX_ANSWERS: usize = 4;

/// Maximum answers that are remembered of one person: [`MAX_ANSWERS`], help, and the confirmation of a stop word.
pub const MAX_REMEMBERED: usize = MAX_ANSWERS + 2;

/// Seconds in which a conversation gets one answer after hours.
pub type Period = Whole<3_600, 86_400>;

/// An automatic answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "AutomaticAnswer")
)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The business is closed.
    AfterHours,
    /// Help for somebody who asked for it.
    Help,
    /// Confirmation of a stop word.
    Stop,
    /// Confirmation of a start word.
    Start,
}

impl Answer {
    pub const ALL: [Self; 4] = [Self::AfterHours, Self::Help, Self::Stop, Self::Start];

    /// The name for software.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AfterHours => "after_hours",
            Self::Help => "help",
            Self::Stop => "stop",
            Self::Start => "start",
        }
    }

    /// The purpose of its message.
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Stop => Purpose::StopConfirmation,
            Self::AfterHours | Self::Help | Self::Start => Purpose::AutoReply,
        }
    }
}

/// Automatic answers of a tenant to what its customers write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "AutomaticAnswers")
)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// Answer to messages that are written while the business is closed.
    pub after_hours: AfterHours,
    /// Answer to words that ask for help, such as HELP, once in 24 hours.
    pub help: Help,
    /// Confirmation of stop words. No other answer follows it.
    pub stop: Confirmation,
    /// Confirmation of start words.
    pub start: Confirmation,
}

/// Answer to messages that are written while the business is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "AfterHoursAnswer")
)]
#[serde(deny_unknown_fields, default)]
pub struct AfterHours {
    /// True if it is sent. Default: false.
    pub enabled: bool,
    /// A single text, or one for each language. `null`: the usual text.
    pub text: Option<SmsText>,
    /// Seconds before a customer gets another such answer from the same line. Default: 43,200.
    #[cfg_attr(feature = "schema", schemars(example = 43_200))]
    pub every_seconds: Period,
}

impl Default for AfterHours {
    /// Off; twice a day.
    fn default() -> Self {
        Self {
            enabled: false,
            text: None,
            every_seconds: Period::nearest(43_200),
        }
    }
}

/// Answer to words that ask for help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "HelpAnswer"))]
#[serde(deny_unknown_fields, default)]
pub struct Help {
    /// True if it is sent. Default: true.
    pub enabled: bool,
    /// A single text, or one for each language. `null`: the usual text.
    pub text: Option<SmsText>,
}

impl Default for Help {
    /// On: whoever asks is told who writes, and how to stop it.
    fn default() -> Self {
        Self {
            enabled: true,
            text: None,
        }
    }
}

/// Confirmation of a stop or start word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ConfirmationAnswer")
)]
#[serde(deny_unknown_fields, default)]
pub struct Confirmation {
    /// True if it is sent. Default: false.
    pub enabled: bool,
    /// A single text, or one for each language. `null`: the usual text.
    pub text: Option<SmsText>,
}

impl Answers {
    /// The tenant's own text of an answer.
    pub const fn text(&self, answer: Answer) -> Option<&SmsText> {
        match answer {
            Answer::AfterHours => self.after_hours.text.as_ref(),
            Answer::Help => self.help.text.as_ref(),
            Answer::Stop => self.stop.text.as_ref(),
            Answer::Start => self.start.text.as_ref(),
        }
    }
}

/// An automatic answer that a person got, or may still get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub answer: Answer,
    /// Time when its message was planned.
    pub at: Timestamp,
    /// The line that was written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
}
