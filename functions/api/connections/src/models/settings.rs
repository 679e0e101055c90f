//! Settings of a connection that can change.

use api::Part;
use domain::{
    account_shape::{
        LONGEST_RING_SECONDS, LONGEST_SPOKEN, LONGEST_VOICEMAIL_SECONDS, MOST_LINES, MOST_SOURCES, MOST_SPOKEN,
        SERVICE_SID, SHORTEST_SECONDS, UUID,
    },
    call::Handling,
    connection::{Account, CallingCode, Connection, ExotelCluster, Spoken, VoiceSettings},
    ip_range::IpRange,
    phone::Phone,
    settings::{FieldProblem, LONGEST_LANGUAGE, line_problem},
    text::LONGEST_NAME,
};
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Changes to a connection. Each kind has some of the fields. The identity of the account never changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionSettings {
    /// Display name.
    #[schemars(length(min = 1, max = LONGEST_NAME), example = "Front desk")]
    pub(crate) name: String,
    /// `whatsapp`: phone number.
    pub(crate) display_number: Option<Phone>,
    /// `twilio`: phone numbers.
    #[schemars(length(max = MOST_LINES))]
    pub(crate) numbers: Option<Vec<Phone>>,
    /// `twilio`: Messaging Service that sends SMS.
    #[schemars(regex(pattern = SERVICE_SID))]
    pub(crate) messaging_service_sid: Option<String>,
    /// `twilio`: number that sends WhatsApp.
    pub(crate) whatsapp_sender: Option<Phone>,
    /// `twilio`: call handling.
    pub(crate) voice: Option<VoiceModel>,
    /// All kinds except `whatsapp` and `twilio`: numbers of this connection. Empty: all numbers that it reports.
    #[schemars(length(max = MOST_LINES))]
    pub(crate) lines: Option<Vec<Phone>>,
    /// `vonage`: Voice application. `null`: any application of the account.
    #[schemars(regex(pattern = UUID))]
    pub(crate) application_id: Option<String>,
    /// `exotel`: region of the account.
    pub(crate) cluster: Option<ExotelCluster>,
    /// `exotel`: calling code of its national numbers.
    pub(crate) country_code: Option<CallingCode>,
    /// `exotel`: IP addresses that may report events. Empty: any.
    #[schemars(length(max = MOST_SOURCES))]
    pub(crate) sources: Option<Vec<IpRange>>,
}

/// Call handling of a Twilio number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct VoiceModel {
    /// Handling of a call.
    pub(crate) handling: Handling,
    /// Number to which calls are forwarded.
    #[schemars(example = "+97145550009")]
    pub(crate) forward_to: Option<Phone>,
    /// Seconds for which a forwarded call rings.
    #[schemars(range(min = SHORTEST_SECONDS, max = LONGEST_RING_SECONDS), example = 20)]
    pub(crate) forward_timeout_seconds: u32,
    /// Announcement, in each language in turn.
    #[schemars(length(max = MOST_SPOKEN))]
    pub(crate) greeting: Vec<SpokenModel>,
    /// Announcement after a forwarded call that nobody answered, before a recording or the end of the call.
    #[schemars(length(max = MOST_SPOKEN))]
    pub(crate) missed_greeting: Vec<SpokenModel>,
    /// True to offer a voicemail after a forwarded call that nobody answered.
    pub(crate) voicemail_after_missed: bool,
    /// Maximum length of a voicemail, in seconds.
    #[schemars(range(min = SHORTEST_SECONDS, max = LONGEST_VOICEMAIL_SECONDS), example = 120)]
    pub(crate) voicemail_max_seconds: u32,
}

impl Default for VoiceModel {
    fn default() -> Self {
        Self {
            handling: Handling::OwnFlow,
            forward_to: None,
            forward_timeout_seconds: 20,
            greeting: Vec::new(),
            missed_greeting: Vec::new(),
            voicemail_after_missed: false,
            voicemail_max_seconds: 120,
        }
    }
}

/// A sentence to be spoken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpokenModel {
    /// Language (BCP 47).
    #[schemars(length(min = 2, max = LONGEST_LANGUAGE), example = "en-GB")]
    pub(crate) language: String,
    /// Text of the sentence.
    #[schemars(length(min = 1, max = LONGEST_SPOKEN), example = "Thank you for calling.")]
    pub(crate) text: String,
}

same! { SpokenModel <=> Spoken: language, text }

/// Converts the call handling of a number.
macro_rules! voice {
    ($voice:ident) => {
        Self {
            handling: $voice.handling,
            forward_to: $voice.forward_to,
            forward_timeout_seconds: $voice.forward_timeout_seconds,
            greeting: $voice.greeting.into_iter().map(Into::into).collect(),
            missed_greeting: $voice.missed_greeting.into_iter().map(Into::into).collect(),
            voicemail_after_missed: $voice.voicemail_after_missed,
            voicemail_max_seconds: $voice.voicemail_max_seconds,
        }
    };
}

impl From<VoiceModel> for VoiceSettings {
    fn from(voice: VoiceModel) -> Self {
        voice!(voice)
    }
}

impl From<VoiceSettings> for VoiceModel {
    fn from(voice: VoiceSettings) -> Self {
        voice!(voice)
    }
}

impl Part for ConnectionSettings {
    type Of = Connection;

    fn of(connection: &Connection) -> Self {
        let named = Self {
            name: connection.name.clone(),
            ..Self::default()
        };
        match connection.account.clone() {
            Account::WhatsApp { display_number, .. } => Self {
                display_number: Some(display_number),
                ..named
            },
            Account::Twilio {
                numbers,
                messaging_service_sid,
                whatsapp_sender,
                voice,
                ..
            } => Self {
                numbers: Some(numbers),
                messaging_service_sid,
                whatsapp_sender,
                voice: Some(voice.into()),
                ..named
            },
            Account::Telephony { lines } | Account::Aircall { lines } | Account::Plivo { lines, .. } => Self {
                lines: Some(lines),
                ..named
            },
            Account::Vonage {
                application_id, lines, ..
            } => Self {
                lines: Some(lines),
                application_id,
                ..named
            },
            Account::Exotel {
                cluster,
                country_code,
                lines,
                sources,
                ..
            } => Self {
                lines: Some(lines),
                cluster: Some(cluster),
                country_code: Some(country_code),
                sources: Some(sources),
                ..named
            },
        }
    }

    /// Fields that the connection's kind does not have, or requires, are reported.
    fn onto(mut self, before: &Connection) -> Result<Connection, Problem> {
        let mut account = before.account.clone();
        let kind = account.kind();
        let mut missing = None;
        // Each setting that the account has is taken; what is left is another kind's.
        match &mut account {
            Account::WhatsApp { display_number, .. } => match self.display_number.take() {
                Some(number) => *display_number = number,
                None => missing = Some(FieldProblem::new("display_number", "This field is required.")),
            },
            Account::Twilio {
                numbers,
                messaging_service_sid,
                whatsapp_sender,
                voice,
                ..
            } => {
                *numbers = self.numbers.take().unwrap_or_default();
                *messaging_service_sid = self.messaging_service_sid.take();
                *whatsapp_sender = self.whatsapp_sender.take();
                *voice = self.voice.take().unwrap_or_default().into();
            }
            Account::Telephony { lines } | Account::Aircall { lines } | Account::Plivo { lines, .. } => {
                *lines = self.lines.take().unwrap_or_default();
            }
            Account::Vonage {
                application_id, lines, ..
            } => {
                *application_id = self.application_id.take();
                *lines = self.lines.take().unwrap_or_default();
            }
            Account::Exotel {
                cluster,
                country_code,
                lines,
                sources,
                ..
            } => {
                *cluster = self.cluster.take().unwrap_or_default();
                *country_code = self.country_code.take().unwrap_or(CallingCode::INDIA);
                *lines = self.lines.take().unwrap_or_default();
                *sources = self.sources.take().unwrap_or_default();
            }
        }
        let mut problems = name_problems(&self.name);
        let foreign = |field| FieldProblem::new(field, format!("A {kind} connection has no such field. Remove it."));
        problems.extend(self.given().map(foreign));
        problems.extend(missing);
        problems.extend(account.problems());
        if problems.is_empty() {
            let still_tested = account.is_tested_as(&before.account);
            Ok(Connection {
                name: self.name,
                account,
                checkup: before.checkup.clone().filter(|_| still_tested),
                ..before.clone()
            })
        } else {
            Err(problems.into())
        }
    }
}

impl ConnectionSettings {
    /// The given fields except the name.
    fn given(&self) -> impl Iterator<Item = &'static str> {
        let fields = [
            ("display_number", self.display_number.is_some()),
            ("numbers", self.numbers.is_some()),
            ("messaging_service_sid", self.messaging_service_sid.is_some()),
            ("whatsapp_sender", self.whatsapp_sender.is_some()),
            ("voice", self.voice.is_some()),
            ("lines", self.lines.is_some()),
            ("application_id", self.application_id.is_some()),
            ("cluster", self.cluster.is_some()),
            ("country_code", self.country_code.is_some()),
            ("sources", self.sources.is_some()),
        ];
        fields.into_iter().filter_map(|(field, given)| given.then_some(field))
    }
}

/// Problems of a connection's name.
pub(crate) fn name_problems(name: &str) -> Vec<FieldProblem> {
    let problem = line_problem(name, LONGEST_NAME);
    problem
        .map(|problem| FieldProblem::new("name", problem))
        .into_iter()
        .collect()
}
