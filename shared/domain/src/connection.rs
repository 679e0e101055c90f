//! Connections: a tenant's numbers and accounts at its providers, and whether they work.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    call::Handling,
    ids::{ConnectionId, TenantId},
    message::Channel,
    phone::Phone,
    send::{Classified, Effect, honoured},
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
}

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
}

impl Connection {
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
            (Account::WhatsApp { .. }, Channel::Sms) | (Account::Telephony { .. }, _) => false,
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
                let since = match self.health {
                    Health::Unhealthy { since, .. } => since,
                    Health::Healthy => now,
                };
                let health = Health::Unhealthy {
                    since,
                    reason: error.meaning.to_owned(),
                    tried_at: now,
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
