//! Connections as they are shown.

use domain::{
    checkup::{CheckResult, Quality},
    connection::{Account, CallingCode, Connection, Health},
    ids::ConnectionId,
    ip_range::IpRange,
    phone::Phone,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    kinds::ConnectionKind,
    settings::{ClusterModel, ConnectionSettings, VoiceModel},
};

/// A connection. Its credentials are never shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ConnectionOut {
    /// The connection.
    #[schema(value_type = String, example = "conn_01hq5c1ynyc0000000000000ab")]
    pub(crate) id: ConnectionId,
    /// The provider.
    pub(crate) kind: ConnectionKind,
    /// For people.
    #[schema(example = "WhatsApp")]
    pub(crate) name: String,
    /// What names the account at the provider.
    pub(crate) account: ProviderAccount,
    /// `whatsapp`: the number as people see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^\\+[1-9][0-9]{6,14}$", example = "+97145550001")]
    pub(crate) display_number: Option<Phone>,
    /// `twilio`: its numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub(crate) numbers: Option<Vec<Phone>>,
    /// `twilio`: a Messaging Service that sends SMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) messaging_service_sid: Option<String>,
    /// `twilio`: the number that sends WhatsApp.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) whatsapp_sender: Option<Phone>,
    /// `twilio`: how calls are answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) voice: Option<VoiceModel>,
    /// Its lines; none: all that it reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub(crate) lines: Option<Vec<Phone>>,
    /// `vonage`: the Voice application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) application_id: Option<String>,
    /// `exotel`: where the account is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cluster: Option<ClusterModel>,
    /// `exotel`: the calling code of its national numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) country_code: Option<CallingCode>,
    /// `exotel`: the addresses that may report.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub(crate) sources: Option<Vec<IpRange>>,
    /// Whether it works.
    pub(crate) health: ConnectionHealth,
    /// A throttled or restricted number sends nothing before.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) paused_until: Option<Timestamp>,
    /// Meta's rating of the number, as of the last test, or as Meta reported it since.
    pub(crate) quality: Option<NumberQuality>,
    /// The name under which customers see the number, as of the last test.
    pub(crate) verified_name: Option<String>,
    /// The provider's limits, as of the last test, or as the provider reported them since.
    pub(crate) limits: ConnectionLimits,
    /// The last test; none since the credentials, or settings that the provider was asked about, are others.
    pub(crate) last_test: Option<ConnectionTest>,
    /// Since when an older secret verifies webhooks, too.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) rotating_since: Option<Timestamp>,
    /// Since when it is there.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
}

/// What names an account at its provider; each kind has some of them.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(crate) struct ProviderAccount {
    /// `twilio`, `exotel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account_sid: Option<String>,
    /// `whatsapp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waba_id: Option<String>,
    /// `whatsapp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone_number_id: Option<String>,
    /// `vonage`: names the account, and is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) api_key: Option<String>,
    /// `plivo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auth_id: Option<String>,
}

/// Whether a connection works.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ConnectionHealth {
    /// `unhealthy`: the provider refuses it until somebody acts; messages wait.
    pub(crate) state: ConnectionHealthState,
    /// Since when it does not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) since: Option<Timestamp>,
    /// Why, for people.
    #[schema(example = "the access token is not valid or has expired")]
    pub(crate) reason: Option<String>,
}

/// Whether a connection works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectionHealthState {
    /// It does, as far as is known.
    Healthy,
    /// It does not until somebody acts.
    Unhealthy,
}

/// Meta's rating of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NumberQuality {
    /// Good.
    Green,
    /// Middling.
    Yellow,
    /// Bad: Meta may restrict the number.
    Red,
    /// Not rated yet.
    Unknown,
}

/// A provider's limits; `null`: not known.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub(crate) struct ConnectionLimits {
    /// Messages a second, in and out.
    #[schema(example = 80)]
    pub(crate) messages_per_second: Option<u32>,
    /// Customers that may be written to first within 24 hours; 0: no limit.
    #[schema(example = 2000)]
    pub(crate) customers_per_day: Option<u32>,
}

/// What came of a test.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ConnectionTest {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// What came of it.
    pub(crate) result: ConnectionTestResult,
    /// What was found, or what to do.
    #[schema(example = "WhatsApp knows the number as Saffron Bakery.")]
    pub(crate) message: String,
}

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectionTestResult {
    /// The provider takes the credentials, and has what it was asked about: the account, its numbers where it tells them.
    Passed,
    /// Somebody must act; the message says how.
    Failed,
    /// The provider did not answer.
    Unclear,
    /// Nobody can be asked about what is given: the first event tells.
    Waiting,
}

/// A new connection, with what is shown only now.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionMade {
    /// The connection.
    pub(crate) connection: ConnectionOut,
    /// The addresses to paste at the provider.
    pub(crate) webhooks: Vec<WebhookAddress>,
    /// `whatsapp`: what Meta asks for beside the callback URL. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verify_token: Option<String>,
    /// `telephony`: what signs its events; `exotel`: what ends its addresses. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
}

/// A rotation that has begun, with what is shown only now.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecretRotationOut {
    /// The connection.
    pub(crate) connection: ConnectionOut,
    /// The addresses to paste at the provider.
    pub(crate) webhooks: Vec<WebhookAddress>,
    /// `whatsapp`, where no `secret` was sent: the new verify token. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verify_token: Option<String>,
    /// `telephony`, `exotel`: the new secret. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
}

/// The addresses of a connection.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct WebhookAddresses {
    /// The addresses to paste at the provider.
    pub(crate) webhooks: Vec<WebhookAddress>,
}

/// An address to paste at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct WebhookAddress {
    /// Where the provider asks for it.
    #[schema(example = "callback URL")]
    pub(crate) what: &'static str,
    /// The methods that it uses.
    #[schema(example = "POST")]
    pub(crate) method: &'static str,
    /// The address. `{secret}` stands for a secret that was shown once.
    #[schema(
        example = "https://api.example.com/webhooks/whatsapp/tnt_01hq5c1ynyc0000000000000ab/conn_01hq5c1ynyc0000000000000ab"
    )]
    pub(crate) url: String,
}

same! { words Quality => NumberQuality: Green, Yellow, Red, Unknown }
same! { words CheckResult => ConnectionTestResult: Passed, Failed, Unclear, Waiting }

impl From<&Connection> for ConnectionOut {
    fn from(connection: &Connection) -> Self {
        let settings = ConnectionSettings::from(connection);
        let checkup = connection.checkup.as_ref();
        let known = connection.reported.and_tested(checkup);
        let made = i64::try_from(connection.id.ulid().timestamp_ms()).unwrap_or_default();
        Self {
            id: connection.id,
            kind: ConnectionKind::of(&connection.account),
            name: settings.name,
            account: ProviderAccount::from(&connection.account),
            display_number: settings.display_number,
            numbers: settings.numbers,
            messaging_service_sid: settings.messaging_service_sid,
            whatsapp_sender: settings.whatsapp_sender,
            voice: settings.voice,
            lines: settings.lines,
            application_id: settings.application_id,
            cluster: settings.cluster,
            country_code: settings.country_code,
            sources: settings.sources,
            health: ConnectionHealth::from(&connection.health),
            paused_until: connection.paused_until,
            quality: known.quality.map(|quality| quality.value.into()),
            verified_name: checkup.and_then(|checkup| checkup.verified_name.clone()),
            limits: ConnectionLimits {
                messages_per_second: known.messages_per_second.map(|count| count.value),
                customers_per_day: known.customers_per_day.map(|count| count.value),
            },
            last_test: checkup.map(|checkup| ConnectionTest {
                at: checkup.at,
                result: checkup.result.into(),
                message: checkup.message.clone(),
            }),
            rotating_since: connection.rotating_since,
            created_at: Timestamp::from_millisecond(made).unwrap_or_default(),
        }
    }
}

impl From<&Account> for ProviderAccount {
    fn from(account: &Account) -> Self {
        let mut out = Self::default();
        match account {
            Account::Twilio { account_sid, .. } | Account::Exotel { account_sid, .. } => {
                out.account_sid = Some(account_sid.clone());
            }
            Account::WhatsApp {
                waba_id,
                phone_number_id,
                ..
            } => {
                out.waba_id = Some(waba_id.clone());
                out.phone_number_id = Some(phone_number_id.clone());
            }
            Account::Vonage { api_key, .. } => out.api_key = Some(api_key.clone()),
            Account::Plivo { auth_id, .. } => out.auth_id = Some(auth_id.clone()),
            Account::Telephony { .. } | Account::Aircall { .. } => {}
        }
        out
    }
}

impl From<&Health> for ConnectionHealth {
    fn from(health: &Health) -> Self {
        match health {
            Health::Healthy => Self {
                state: ConnectionHealthState::Healthy,
                since: None,
                reason: None,
            },
            Health::Unhealthy { since, reason, .. } => Self {
                state: ConnectionHealthState::Unhealthy,
                since: Some(*since),
                reason: Some(reason.clone()),
            },
        }
    }
}
