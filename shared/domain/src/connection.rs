//! Connections: a tenant's numbers and accounts at its providers, and whether they work.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    call::{Handling, Party},
    checkup::{Checkup, Reported},
    ids::{ConnectionId, RotationId, TenantId},
    ip_range::IpRange,
    message::Channel,
    phone::Phone,
    send::{Api, Classified, Effect, honoured},
};

/// A secret encrypted by the key management service under the connection's encryption context; base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed")
    }
}

/// What a connection's credentials are for. Each purpose has its own key, so that no webhook can read a token that sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To verify webhooks.
    Verify,
    /// To send.
    Send,
}

impl Purpose {
    /// The word in the encryption context.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Send => "send",
        }
    }
}

/// What verifies a connection's webhooks. Stored sealed; several secrets are valid at once during rotation.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum VerifySecrets {
    /// Twilio.
    Twilio {
        /// The account's auth tokens: signatures are HMAC-SHA1 with one of them.
        auth_tokens: Vec<String>,
        /// Shared keys by id, for HMAC-SHA256 signatures.
        #[serde(default)]
        shared_keys: Vec<SharedKey>,
    },
    /// Meta. Empty secrets mean that the deployment's shared Meta app verifies.
    #[serde(rename = "whatsapp")]
    WhatsApp {
        /// The app's secrets.
        app_secrets: Vec<String>,
        /// What Meta's handshake must bring.
        verify_token: String,
    },
    /// The generic event: Standard Webhooks secrets, `whsec_…`.
    Telephony {
        /// The secrets.
        secrets: Vec<String>,
    },
    /// Aircall: the tokens that it gave when its webhooks were made; every event's body holds one.
    Aircall {
        /// The tokens.
        tokens: Vec<String>,
    },
    /// Vonage: the account's signature secrets, for its HS256 tokens.
    Vonage {
        /// The secrets.
        signature_secrets: Vec<String>,
    },
    /// Exotel signs nothing: secrets of ours, one of which ends the URL that it calls.
    Exotel {
        /// The secrets: letters, digits, `-` and `_`.
        url_secrets: Vec<String>,
    },
    /// Plivo: the account's auth tokens, for its V3 signatures.
    Plivo {
        /// The tokens.
        auth_tokens: Vec<String>,
    },
}

impl VerifySecrets {
    /// Whether no webhook can be verified with it. Meta's may have the deployment's shared app.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::WhatsApp { .. } => false,
            Self::Twilio {
                auth_tokens,
                shared_keys,
            } => auth_tokens.is_empty() && shared_keys.is_empty(),
            Self::Telephony { secrets: list }
            | Self::Aircall { tokens: list }
            | Self::Vonage {
                signature_secrets: list,
            }
            | Self::Exotel { url_secrets: list }
            | Self::Plivo { auth_tokens: list } => list.is_empty(),
        }
    }
}

/// A Twilio shared key.
#[derive(Clone, Serialize, Deserialize)]
pub struct SharedKey {
    /// Its id, as the signature's settings header names it.
    pub id: String,
    /// The secret.
    pub secret: String,
}

/// What sends. Stored sealed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SendSecrets {
    /// Twilio: an API key, not the auth token.
    Twilio {
        /// The key's SID.
        api_key_sid: String,
        /// Its secret.
        api_key_secret: String,
    },
    /// Meta.
    #[serde(rename = "whatsapp")]
    WhatsApp {
        /// The system user's token.
        access_token: String,
    },
    /// Aircall's API, by Basic authentication. Sends nothing; asks whether the account works.
    Aircall {
        /// The API key's id.
        api_id: String,
        /// Its token.
        api_token: String,
    },
    /// Vonage's account API, by Basic authentication with the account's API key. Sends nothing.
    Vonage {
        /// The API key's secret; not the one that signs.
        api_secret: String,
    },
    /// Exotel's API, by Basic authentication. Sends nothing.
    Exotel {
        /// The API key.
        api_key: String,
        /// Its token.
        api_token: String,
    },
    /// Plivo's API, by Basic authentication with the account's auth id. Sends nothing.
    Plivo {
        /// The auth token, which also verifies.
        auth_token: String,
    },
}

/// The account that a connection stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Account {
    /// Twilio: calls, SMS, and WhatsApp where a sender is given.
    Twilio {
        /// `AC…`.
        account_sid: String,
        /// The numbers that belong to this connection; the first sends SMS unless a Messaging Service does.
        numbers: Vec<Phone>,
        /// `MG…`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        messaging_service_sid: Option<String>,
        /// The number that sends WhatsApp through Twilio.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whatsapp_sender: Option<Phone>,
        /// How calls are answered.
        voice: VoiceSettings,
    },
    /// Meta's Cloud API.
    #[serde(rename = "whatsapp")]
    WhatsApp {
        /// The WhatsApp Business Account.
        waba_id: String,
        /// The sending number's id.
        phone_number_id: String,
        /// The number as people see it.
        display_number: Phone,
    },
    /// Any telephone system, by our generic signed event.
    Telephony {
        /// The lines that belong to this connection; empty: all that it reports.
        #[serde(default)]
        lines: Vec<Phone>,
    },
    /// Aircall.
    Aircall {
        /// As [`Account::Telephony`]'s.
        #[serde(default)]
        lines: Vec<Phone>,
    },
    /// Vonage's Voice API.
    Vonage {
        /// The account's API key: every signed event names it.
        api_key: String,
        /// The Voice application whose events these are; `None`: any of the account.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        application_id: Option<String>,
        /// As [`Account::Telephony`]'s.
        #[serde(default)]
        lines: Vec<Phone>,
    },
    /// Exotel.
    Exotel {
        /// The account's SID.
        account_sid: String,
        /// Where the account is kept.
        #[serde(default)]
        cluster: ExotelCluster,
        /// The country calling code that its national numbers belong to, without `+`.
        #[serde(default = "default_exotel_country")]
        country_code: CallingCode,
        /// As [`Account::Telephony`]'s.
        #[serde(default)]
        lines: Vec<Phone>,
        /// The addresses that may report; empty: any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sources: Vec<IpRange>,
    },
    /// Plivo.
    Plivo {
        /// The account's auth id.
        auth_id: String,
        /// As [`Account::Telephony`]'s.
        #[serde(default)]
        lines: Vec<Phone>,
    },
}

/// Exotel region of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ClusterModel"))]
#[serde(rename_all = "snake_case")]
pub enum ExotelCluster {
    /// `api.exotel.com`.
    #[default]
    Singapore,
    /// `api.in.exotel.com`.
    Mumbai,
}

const fn default_exotel_country() -> CallingCode {
    CallingCode::INDIA
}

impl Account {
    /// The word in configuration, and in webhooks' URLs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Twilio { .. } => "twilio",
            Self::WhatsApp { .. } => "whatsapp",
            Self::Telephony { .. } => "telephony",
            Self::Aircall { .. } => "aircall",
            Self::Vonage { .. } => "vonage",
            Self::Exotel { .. } => "exotel",
            Self::Plivo { .. } => "plivo",
        }
    }

    /// The messaging API behind it, where it sends.
    #[must_use]
    pub const fn api(&self) -> Option<Api> {
        match self {
            Self::Twilio { .. } => Some(Api::Twilio),
            Self::WhatsApp { .. } => Some(Api::WhatsAppCloud),
            Self::Telephony { .. }
            | Self::Aircall { .. }
            | Self::Vonage { .. }
            | Self::Exotel { .. }
            | Self::Plivo { .. } => None,
        }
    }

    /// The numbers whose calls it reports; empty: all that it reports.
    #[must_use]
    pub fn lines(&self) -> &[Phone] {
        match self {
            Self::Twilio { numbers: lines, .. }
            | Self::Telephony { lines }
            | Self::Aircall { lines }
            | Self::Vonage { lines, .. }
            | Self::Exotel { lines, .. }
            | Self::Plivo { lines, .. } => lines,
            Self::WhatsApp { .. } => &[],
        }
    }

    /// Whether what a test of the one said is true of the other: the provider is asked about the same.
    #[must_use]
    pub fn is_tested_as(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Twilio {
                    account_sid: account,
                    numbers,
                    messaging_service_sid: service,
                    ..
                },
                Self::Twilio {
                    account_sid: other_account,
                    numbers: other_numbers,
                    messaging_service_sid: other_service,
                    ..
                },
            ) => (account, numbers, service) == (other_account, other_numbers, other_service),
            // The lines of these are not asked about.
            (
                Self::Exotel {
                    account_sid: account,
                    cluster,
                    ..
                },
                Self::Exotel {
                    account_sid: other_account,
                    cluster: other_cluster,
                    ..
                },
            ) => (account, cluster) == (other_account, other_cluster),
            (Self::Vonage { api_key: account, .. }, Self::Vonage { api_key: other, .. })
            | (Self::Plivo { auth_id: account, .. }, Self::Plivo { auth_id: other, .. }) => account == other,
            (Self::Telephony { .. }, Self::Telephony { .. }) => true,
            _ => self == other,
        }
    }

    /// Whether a call on this line is its own. A report that names no line belongs to a call of which another one does.
    #[must_use]
    pub fn has_line(&self, line: Option<&Party>) -> bool {
        let lines = self.lines();
        let listed = |line: &Party| line.phone().is_some_and(|phone| lines.contains(phone));
        lines.is_empty() || line.is_none_or(listed)
    }
}

/// A country's calling code, such as 44: what stands after the `+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallingCode(u16);

shown_as!(CallingCode, {"type": "string", "pattern": "^[1-9][0-9]{0,2}$", "examples": ["91"]});

/// A text that is no country calling code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a country calling code of 1 to 3 digits without +, such as 91")]
pub struct InvalidCallingCode;

impl TryFrom<String> for CallingCode {
    type Error = InvalidCallingCode;

    fn try_from(text: String) -> Result<Self, InvalidCallingCode> {
        let shaped =
            (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        match text.parse() {
            Ok(code) if shaped => Ok(Self(code)),
            _ => Err(InvalidCallingCode),
        }
    }
}

impl From<CallingCode> for String {
    fn from(code: CallingCode) -> Self {
        code.to_string()
    }
}

impl std::fmt::Display for CallingCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl CallingCode {
    /// Where Exotel is at home.
    pub const INDIA: Self = Self(91);

    /// A number as it is dialled in this country: with the trunk prefix `0`, with `+` or `00` and a country, or bare. `None`
    /// where it could be read in two ways: the wrong one would reach a stranger.
    #[must_use]
    pub fn phone(self, text: &str) -> Option<Phone> {
        let text = text.trim();
        if text.starts_with('+') {
            return text.parse().ok();
        }
        if let Some(international) = text.strip_prefix("00") {
            return Phone::from_digits(international).ok();
        }
        let national = |digits: &str| {
            // Shorter ones are the network's own services.
            (digits.len() >= SHORTEST_NATIONAL).then(|| Phone::from_digits(&format!("{self}{digits}")).ok())?
        };
        if let Some(digits) = text.strip_prefix('0') {
            return national(digits);
        }
        if !text.starts_with(&self.to_string()) {
            return national(text);
        }
        match text.len() {
            // No national number is longer than ten digits where this form is in use.
            11.. => Phone::from_digits(text).ok(),
            // India's mobile numbers begin with 91, too; all its numbers have ten digits.
            10 if self == Self::INDIA => national(text),
            _ => None,
        }
    }
}

const SHORTEST_NATIONAL: usize = 7;

/// How a Twilio number answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceSettings {
    /// What happens to a call.
    pub handling: Handling,
    /// Where a forwarded call goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_to: Option<Phone>,
    /// How long it rings there, in seconds.
    #[serde(default = "default_forward_timeout")]
    pub forward_timeout_seconds: u32,
    /// What is said, in every language in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub greeting: Vec<Spoken>,
    /// What is said after a forwarded call nobody took, before a recording or the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed_greeting: Vec<Spoken>,
    /// Offer to leave a recording after a forwarded call nobody took.
    #[serde(default)]
    pub voicemail_after_missed: bool,
    /// The longest recording, in seconds.
    #[serde(default = "default_voicemail_seconds")]
    pub voicemail_max_seconds: u32,
}

const fn default_forward_timeout() -> u32 {
    20
}

const fn default_voicemail_seconds() -> u32 {
    120
}

/// A sentence to be read out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spoken {
    /// BCP 47, such as `en-GB`, `ar-AE`.
    pub language: String,
    /// The sentence.
    pub text: String,
}

/// Whether a connection works.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Health {
    /// It does.
    #[default]
    Healthy,
    /// The provider refuses it until somebody acts. Messages wait; one of them tries again every now and then.
    Unhealthy {
        /// Since when.
        since: Timestamp,
        /// Why, for people.
        reason: String,
        /// When it was last tried again.
        tried_at: Timestamp,
    },
}

/// A tenant's connection to a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The connection.
    pub id: ConnectionId,
    /// For people.
    pub name: String,
    /// The account.
    pub account: Account,
    /// Whether it works.
    #[serde(default)]
    pub health: Health,
    /// A throttled or restricted number sends nothing before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Timestamp>,
    /// [`VerifySecrets`], sealed.
    pub verify: Sealed,
    /// [`SendSecrets`], sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send: Option<Sealed>,
    /// Raised whenever credentials change, so that caches notice.
    #[serde(default)]
    pub credentials_version: u64,
    /// Since when an older secret verifies, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotating_since: Option<Timestamp>,
    /// The rotation that added the newest secret: who tries the same one again is shown it, and adds no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<RotationId>,
    /// Nothing verifies its webhooks yet, so that none is taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits_secret: bool,
    /// What came of its last test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkup: Option<Checkup>,
    /// What the provider reported of its number by itself.
    #[serde(default, skip_serializing_if = "Reported::is_empty")]
    pub reported: Reported,
}

impl Connection {
    /// The number of the business that customers write to by WhatsApp.
    #[must_use]
    pub const fn whatsapp_number(&self) -> Option<&Phone> {
        match &self.account {
            Account::WhatsApp { display_number, .. } => Some(display_number),
            Account::Twilio { whatsapp_sender, .. } => whatsapp_sender.as_ref(),
            Account::Telephony { .. }
            | Account::Aircall { .. }
            | Account::Vonage { .. }
            | Account::Exotel { .. }
            | Account::Plivo { .. } => None,
        }
    }

    /// Whether it can carry this channel.
    #[must_use]
    pub fn carries(&self, channel: Channel) -> bool {
        match (&self.account, channel) {
            (
                Account::Twilio {
                    numbers,
                    messaging_service_sid,
                    ..
                },
                Channel::Sms,
            ) => !numbers.is_empty() || messaging_service_sid.is_some(),
            (Account::Twilio { whatsapp_sender, .. }, Channel::WhatsApp) => whatsapp_sender.is_some(),
            (Account::WhatsApp { .. }, Channel::WhatsApp) => true,
            (Account::WhatsApp { .. }, Channel::Sms)
            | (
                Account::Telephony { .. }
                | Account::Aircall { .. }
                | Account::Vonage { .. }
                | Account::Exotel { .. }
                | Account::Plivo { .. },
                _,
            ) => false,
        }
    }

    /// What a provider's error means for the connection: its health and pause from now on. `None` where it means nothing.
    #[must_use]
    pub fn after_error(
        &self,
        error: &Classified,
        retry_after: Option<SignedDuration>,
        now: Timestamp,
    ) -> Option<(Health, Option<Timestamp>)> {
        match error.effect {
            Effect::PauseNumber(seconds) => {
                let pause = retry_after.map_or_else(|| SignedDuration::from_secs(seconds.into()), honoured);
                Some((self.health.clone(), self.paused_until.max(Some(now + pause))))
            }
            Effect::ConnectionUnhealthy => {
                let (since, tried_at) = match self.health {
                    // An error that is worked again is older than the last try.
                    Health::Unhealthy { since, tried_at, .. } => (since, tried_at.max(now)),
                    Health::Healthy => (now, now),
                };
                let health = Health::Unhealthy {
                    since,
                    reason: error.meaning.to_owned(),
                    tried_at,
                };
                Some((health, self.paused_until))
            }
            Effect::None | Effect::MarketingOptOut | Effect::ChannelOptOut | Effect::Unreachable => None,
        }
    }

    /// The encryption context of its secrets: they open for this tenant, connection and purpose only.
    #[must_use]
    pub fn encryption_context(tenant: TenantId, connection: ConnectionId, purpose: Purpose) -> [(String, String); 3] {
        [
            ("tenant".to_owned(), tenant.to_string()),
            ("connection".to_owned(), connection.to_string()),
            ("purpose".to_owned(), purpose.as_str().to_owned()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_that_could_be_two_is_none() {
        let read = |code: u16, text: &str| CallingCode(code).phone(text).map(|phone| phone.to_string());
        for (code, text, expected) in [
            (91, "09876543210", Some("+919876543210")),
            (91, "9876543210", Some("+919876543210")),
            (91, "9198765432", Some("+919198765432")),
            (91, "919876543210", Some("+919876543210")),
            (91, "+447700900111", Some("+447700900111")),
            (91, "00447700900111", Some("+447700900111")),
            (44, "07700900111", Some("+447700900111")),
            (65, "91234567", Some("+6591234567")),
            (65, "6591234567", None),
            (65, "65123456", None),
            (91, "100", None),
            (91, "0198", None),
            (91, "", None),
            (91, "anonymous", None),
            (91, "0987654321012345", None),
        ] {
            assert_eq!(read(code, text).as_deref(), expected, "{code} {text}");
        }
    }

    #[test]
    fn an_account_is_written_with_its_kind_and_read_with_defaults() {
        let accounts = [
            (json!({"kind": "aircall"}), "aircall"),
            (json!({"kind": "vonage", "api_key": "k"}), "vonage"),
            (json!({"kind": "exotel", "account_sid": "s"}), "exotel"),
            (json!({"kind": "plivo", "auth_id": "MA1"}), "plivo"),
        ];
        for (value, kind) in accounts {
            let account: Account = serde_json::from_value(value).unwrap();
            assert_eq!(account.kind(), kind);
            assert_eq!(json!(account)["kind"], kind);
            assert_eq!(serde_json::from_value::<Account>(json!(account)).unwrap(), account);
        }
        let code = |text: &str| serde_json::from_value::<CallingCode>(json!(text)).map_err(|error| error.to_string());
        assert_eq!(code("44"), Ok(CallingCode(44)));
        for bad in ["", "0", "+44", "044", "4444", "x"] {
            assert!(code(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_test_is_of_what_the_provider_was_asked_about() {
        let of = |value: serde_json::Value| serde_json::from_value::<Account>(value).unwrap();
        let twilio = json!({"kind": "twilio", "account_sid": "AC1", "numbers": [], "voice": {"handling": "greet"}});
        let whatsapp =
            json!({"kind": "whatsapp", "waba_id": "1", "phone_number_id": "2", "display_number": "+442079460001"});
        let vonage = json!({"kind": "vonage", "api_key": "k"});
        let exotel = json!({"kind": "exotel", "account_sid": "s"});
        for (account, field, value, same) in [
            (&twilio, "voice", json!({"handling": "own_flow"}), true),
            (&twilio, "whatsapp_sender", json!("+442079460001"), true),
            (&twilio, "numbers", json!(["+442079460001"]), false),
            (&twilio, "account_sid", json!("AC2"), false),
            (&whatsapp, "display_number", json!("+442079460002"), false),
            (&whatsapp, "phone_number_id", json!("3"), false),
            (&vonage, "lines", json!(["+442079460001"]), true),
            (&vonage, "api_key", json!("l"), false),
            (&exotel, "sources", json!(["192.0.2.0/24"]), true),
            (&exotel, "cluster", json!("mumbai"), false),
            (
                &json!({"kind": "plivo", "auth_id": "MA1"}),
                "auth_id",
                json!("MA2"),
                false,
            ),
            (&json!({"kind": "aircall"}), "lines", json!(["+442079460001"]), false),
            (&json!({"kind": "telephony"}), "lines", json!(["+442079460001"]), true),
        ] {
            let mut changed = account.clone();
            changed[field] = value;
            let (one, other) = (of(account.clone()), of(changed));
            assert_eq!(
                (one.is_tested_as(&other), one.is_tested_as(&one)),
                (same, true),
                "{field}: {other:?}"
            );
        }
        assert!(!of(vonage).is_tested_as(&of(exotel)));
    }

    #[test]
    fn a_line_is_the_accounts_if_it_lists_it_or_none() {
        let phone = |text: &str| Party::Phone(text.parse().unwrap());
        let all = Account::Aircall { lines: Vec::new() };
        let one = Account::Plivo {
            auth_id: "MA1".to_owned(),
            lines: vec!["+442079460001".parse().unwrap()],
        };
        assert!(all.has_line(Some(&Party::Withheld)) && all.has_line(None));
        assert!(one.has_line(Some(&phone("+442079460001"))) && one.has_line(None));
        assert!(!one.has_line(Some(&phone("+442079460002"))) && !one.has_line(Some(&Party::Withheld)));
    }
}
