//! Configuration of the simulators: the address of Ringback's API, the tenants, and the speed and reliability of the providers.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The whole configuration, read from a file or replaced by `PUT /config`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Ringback's API, without a trailing slash. Every webhook URL starts with it, and Twilio signs it.
    pub public_base_url: String,
    pub tenants: Vec<Tenant>,
    /// Address to listen on; port 0 takes a free one. The command line overrides it; a later `PUT /config` cannot.
    #[serde(skip_serializing)]
    pub listen: SocketAddr,
    /// Seeds every random choice (fault probabilities, shuffles), so that a run can be repeated.
    pub seed: u64,
    /// Delays of statuses after the acceptance of a message, in milliseconds.
    pub status_delay_ms: StatusDelays,
    /// True if customers read delivered WhatsApp messages by themselves. Otherwise only `POST /phones/{number}/read` does.
    pub auto_read: bool,
    pub delivery: Delivery,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatusDelays {
    pub sent: u64,
    pub delivered: u64,
    pub read: u64,
}

/// Delivery of webhooks: repeated with growing pauses until the receiver answers 2xx.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    pub attempts: u32,
    pub first_backoff_ms: u64,
    pub max_backoff_ms: u64,
    pub timeout_ms: u64,
    /// Factor of Twilio's time-outs and pauses: a machine that runs the whole stack and its tests answers later than Lambda does.
    pub twilio_patience: u32,
    /// Webhooks in flight at once.
    pub concurrency: usize,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Ringback's tenant id, as in the webhook URLs.
    pub id: String,
    pub name: String,
    /// Key of Ringback's API. The page uses it to show the business's live events.
    pub api_key: Option<String>,
    pub twilio: Option<TwilioAccount>,
    pub whatsapp: Option<WhatsAppAccount>,
    pub telephony: Option<Telephony>,
    pub aircall: Option<Aircall>,
    pub vonage: Option<Vonage>,
    pub exotel: Option<Exotel>,
    pub plivo: Option<Plivo>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TwilioAccount {
    /// Id of Ringback's connection.
    pub connection: String,
    pub account_sid: String,
    pub auth_token: String,
    pub api_key_sid: String,
    pub api_key_secret: String,
    /// E.164, SMS and voice.
    pub numbers: Vec<String>,
    /// E.164; WhatsApp through Twilio.
    pub whatsapp_sender: Option<String>,
    pub messaging_service_sid: Option<String>,
    /// Letters that are registered where that is required.
    #[serde(default)]
    pub registered_letters: Vec<String>,
    /// Beginnings of recipients' numbers that no message from a number reaches.
    #[serde(default)]
    pub numbers_blocked_to: Vec<String>,
    /// Twilio's own opt-out handling: inbound webhooks then carry `OptOutType`.
    #[serde(default)]
    pub advanced_opt_out: bool,
    /// Fragment of the addresses that were configured for the account's numbers: connection overrides, as Ringback shows them.
    #[serde(default = "default_overrides")]
    pub overrides: String,
    /// Time of the approval of a content by the simulators' clock; for its first half, it is only received. Null: only the control
    /// API decides.
    #[serde(default = "default_review")]
    pub content_review_seconds: Option<f64>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WhatsAppAccount {
    pub connection: String,
    pub waba_id: String,
    pub phone_number_id: String,
    /// Number in E.164 format.
    pub display_number: String,
    pub access_token: String,
    pub app_secret: String,
    pub verify_token: String,
    #[serde(default)]
    pub templates: Vec<Template>,
    /// The Meta app is shared by tenants: webhooks go to `/webhooks/whatsapp` instead of the connection's own URL.
    #[serde(default)]
    pub shared_app: bool,
    /// True if Meta admitted this account to Direct Send (utility text without a template).
    #[serde(default)]
    pub direct_send: bool,
    /// True if the business accepted Meta's terms for marketing messages.
    #[serde(default)]
    pub marketing_terms: bool,
    /// The Meta app that the token is of. Resumable uploads belong to it.
    #[serde(default = "default_app")]
    pub app_id: String,
    /// Duration of Meta's review of a template by the simulators' clock; it ends with approval. Null: only the control API decides.
    #[serde(default = "default_review")]
    pub template_review_seconds: Option<f64>,
}

/// A message template in Meta's own shape (`GET /{waba}/message_templates`).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Template {
    pub name: String,
    pub language: String,
    pub category: String,
    pub status: String,
    #[serde(default)]
    pub components: Vec<Value>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Telephony {
    pub connection: String,
    /// Standard Webhooks: `whsec_` + base64.
    pub secret: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Aircall {
    pub connection: String,
    /// In the body of every event.
    pub token: String,
    /// Number in E.164 format.
    pub number: String,
    /// API key. Without one, the vendor's API accepts none.
    pub api_id: Option<String>,
    pub api_token: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Vonage {
    pub connection: String,
    pub api_key: String,
    pub application_id: String,
    pub signature_secret: String,
    /// Number in E.164 format.
    pub number: String,
    /// Secret of the API key. Without one, the vendor's API accepts none.
    pub api_secret: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Exotel {
    pub connection: String,
    /// The end of the URL.
    pub url_secret: String,
    /// Number in E.164 format.
    pub number: String,
    /// Country code of numbers in national form, without `+`.
    #[serde(default = "default_country_code")]
    pub country_code: String,
    pub account_sid: Option<String>,
    /// API key. Without one, the vendor's API accepts none.
    pub api_key: Option<String>,
    pub api_token: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Plivo {
    pub connection: String,
    /// Signs events. With `auth_id`, it also opens the API.
    pub auth_token: String,
    /// Number in E.164 format.
    pub number: String,
    pub auth_id: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_base_url: String::new(),
            tenants: Vec::new(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            status_delay_ms: StatusDelays::default(),
            auto_read: true,
            delivery: Delivery::default(),
        }
    }
}

impl Default for StatusDelays {
    fn default() -> Self {
        Self {
            sent: 50,
            delivered: 150,
            read: 600,
        }
    }
}

impl Default for Delivery {
    fn default() -> Self {
        // Forty attempts at up to five seconds: a receiver that is unavailable for three minutes still gets everything.
        Self {
            attempts: 40,
            first_backoff_ms: 200,
            max_backoff_ms: 5_000,
            timeout_ms: 15_000,
            twilio_patience: 1,
            concurrency: 32,
        }
    }
}

fn default_country_code() -> String {
    "91".to_owned()
}

fn default_overrides() -> String {
    "#rc=3&rp=all".to_owned()
}

fn default_app() -> String {
    "670843887433847".to_owned()
}

fn default_review() -> Option<f64> {
    Some(5.0)
}

impl Config {
    pub fn tenant(&self, id: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.id == id)
    }

    pub(crate) fn webhook_url(&self, path: &str) -> String {
        format!("{}{path}", self.public_base_url.trim_end_matches('/'))
    }
}

impl Tenant {
    pub(crate) fn twilio_url(&self, config: &Config, account: &TwilioAccount, what: &str) -> String {
        let (connection, overrides) = (&account.connection, &account.overrides);
        config.webhook_url(&format!("/webhooks/twilio/{}/{connection}/{what}{overrides}", self.id))
    }

    pub(crate) fn whatsapp_url(&self, config: &Config, account: &WhatsAppAccount) -> String {
        if account.shared_app {
            config.webhook_url("/webhooks/whatsapp")
        } else {
            config.webhook_url(&format!("/webhooks/whatsapp/{}/{}", self.id, account.connection))
        }
    }
}
