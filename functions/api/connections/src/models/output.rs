//! Connections in responses.

use domain::tenants::{CheckResult, Connection, ConnectionKind, Health, MarketingTerms, Quality, RefusedWebhook};
use domain::terms::ConnectionId;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::settings::{self, ConnectionSettings};

/// A connection. Its credentials are never shown.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ConnectionOut {
    /// Id of the connection.
    pub(crate) id: ConnectionId,
    /// Provider.
    pub(crate) kind: ConnectionKind,
    /// Identity of the account at the provider.
    #[schemars(with = "ProviderAccount")]
    account: Map<String, Value>,
    /// Settings of the connection.
    #[serde(flatten)]
    #[schemars(with = "ConnectionSettings")]
    settings: Map<String, Value>,
    /// Health of the connection.
    pub(crate) health: ConnectionHealth,
    /// End of the pause of a throttled or restricted number, which sends nothing until then.
    pub(crate) paused_until: Option<Timestamp>,
    /// Meta's quality rating of the number, from the last test or a later report of Meta.
    pub(crate) quality: Option<Quality>,
    /// Name that customers see, from the last test.
    pub(crate) verified_name: Option<String>,
    /// `whatsapp`: whether the business accepted Meta's terms for marketing messages, from the last test that told it. If it did, marketing
    /// templates are sent as marketing messages. `null`: unknown, or another kind.
    pub(crate) marketing_terms: Option<MarketingTerms>,
    /// Limits of the provider, from the last test or a later report of the provider.
    pub(crate) limits: ConnectionLimits,
    /// Result of the last test. `null` after a change of the credentials or of a tested setting.
    pub(crate) last_test: Option<ConnectionTest>,
    /// Whether no secret verifies its webhooks, as far as is known: all of them are refused until its credentials are set.
    pub(crate) awaits_secret: bool,
    /// `whatsapp`, `twilio`: time of a verified webhook about a message or an account, at most a day before the last one. `null`: none was
    /// verified with the current credentials, so it is not known whether they arrive.
    pub(crate) last_report_at: Option<Timestamp>,
    /// Start of the current rotation, during which older secrets are also valid.
    pub(crate) rotating_since: Option<Timestamp>,
    /// Time of creation.
    pub(crate) created_at: Timestamp,
}

/// Identity of an account at its provider. Each kind has some of the fields.
#[derive(Serialize, JsonSchema)]
struct ProviderAccount {
    /// `twilio`, `exotel`: SID of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_sid: Option<String>,
    /// `whatsapp`: id of the WhatsApp Business Account.
    #[serde(skip_serializing_if = "Option::is_none")]
    waba_id: Option<String>,
    /// `whatsapp`: id of the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number_id: Option<String>,
    /// `vonage`: API key, which identifies the account and is not secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
    /// `plivo`: auth id of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_id: Option<String>,
    /// `shopify`: domain of the shop.
    #[schemars(example = &"saffron-bakery.myshopify.com")]
    #[serde(skip_serializing_if = "Option::is_none")]
    shop: Option<String>,
    /// `woocommerce`: address of the store.
    #[schemars(example = &"https://saffron.example")]
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
}

/// Health of a connection.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ConnectionHealth {
    /// State. If `unhealthy`, the provider refuses the connection until somebody acts, and messages wait.
    pub(crate) state: ConnectionHealthState,
    /// Time when the connection became unhealthy.
    pub(crate) since: Option<Timestamp>,
    /// Reason, for people.
    #[schemars(example = "the access token is not valid or has expired")]
    pub(crate) reason: Option<String>,
}

/// State of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectionHealthState {
    /// It works, as far as is known.
    Healthy,
    /// It does not work until somebody acts.
    Unhealthy,
}

/// Limits of a provider. `null`: unknown.
#[derive(Debug, Clone, Copy, Default, Serialize, JsonSchema)]
pub(crate) struct ConnectionLimits {
    /// Messages per second, inbound and outbound.
    #[schemars(example = 80)]
    pub(crate) messages_per_second: Option<u32>,
    /// Customers that the business may write to first within 24 hours. 0: no limit.
    #[schemars(example = 2000)]
    pub(crate) customers_per_day: Option<u32>,
}

/// Result of a test.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct ConnectionTest {
    /// Time of the test.
    pub(crate) at: Timestamp,
    /// Result of the test.
    pub(crate) result: CheckResult,
    /// Findings, and what to do about them.
    #[schemars(
        example = "WhatsApp knows the number as Saffron Bakery, and its events go to the app Saffron. The first one will show whether they arrive."
    )]
    pub(crate) message: String,
}

/// A new connection, with its generated secrets, which are shown only once.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ConnectionMade {
    /// The connection.
    pub(crate) connection: ConnectionOut,
    /// URLs to configure at the provider.
    pub(crate) webhooks: Vec<WebhookAddress>,
    /// `whatsapp`: verify token for Meta's callback URL. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verify_token: Option<String>,
    /// `telephony`: secret that signs events. `exotel`: secret at the end of the URLs. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
}

/// A rotation that has begun, with its generated secret, which is shown only once.
#[derive(Serialize, JsonSchema)]
pub(crate) struct SecretRotationOut {
    /// The connection.
    pub(crate) connection: ConnectionOut,
    /// URLs to configure at the provider.
    pub(crate) webhooks: Vec<WebhookAddress>,
    /// `whatsapp`: new verify token, if no `secret` was sent. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verify_token: Option<String>,
    /// `telephony`, `exotel`: new secret. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
}

/// Webhook URLs of a connection.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct WebhookAddresses {
    /// URLs to configure at the provider.
    pub(crate) webhooks: Vec<WebhookAddress>,
    /// `whatsapp`: the first request of each hour of the last day that was refused, latest first. Anybody can send one.
    pub(crate) refused: Vec<RefusedWebhook>,
}

/// A URL to configure at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct WebhookAddress {
    /// Name of the setting at the provider.
    #[schemars(example = "callback URL")]
    pub(crate) what: &'static str,
    /// HTTP methods that the provider uses.
    #[schemars(example = &"POST")]
    pub(crate) method: &'static str,
    /// URL. `{secret}` stands for a secret that was shown once.
    #[schemars(
        example = "https://api.example.com/webhooks/whatsapp/tnt_01hq5c1ynyc0000000000000ab/conn_01hq5c1ynyc0000000000000ab"
    )]
    pub(crate) url: String,
}

impl From<Connection> for ConnectionOut {
    fn from(connection: Connection) -> Self {
        Self::from(&connection)
    }
}

impl From<&Connection> for ConnectionOut {
    fn from(connection: &Connection) -> Self {
        let (account, _) = connection.account.parts();
        let checkup = connection.checkup.as_ref();
        let known = connection.reported.and_tested(checkup);
        let made = i64::try_from(connection.id.ulid().timestamp_ms()).unwrap_or_default();
        Self {
            id: connection.id,
            kind: connection.account.provider(),
            account,
            settings: settings::of(connection),
            health: ConnectionHealth::from(&connection.health),
            paused_until: connection.paused_until,
            quality: known.quality.map(|quality| quality.value),
            verified_name: checkup.and_then(|checkup| checkup.verified_name.clone()),
            marketing_terms: checkup.and_then(|checkup| checkup.marketing_terms),
            limits: ConnectionLimits {
                messages_per_second: known.messages_per_second.map(|count| count.value),
                customers_per_day: known.customers_per_day.map(|count| count.value),
            },
            last_test: checkup.map(|checkup| ConnectionTest {
                at: checkup.at,
                result: checkup.result,
                message: checkup.message.clone(),
            }),
            awaits_secret: connection.awaits_secret,
            last_report_at: connection.last_report_at,
            rotating_since: connection.rotating_since,
            created_at: Timestamp::from_millisecond(made).unwrap_or_default(),
        }
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
