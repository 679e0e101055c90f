//! Connections: a tenant's numbers and accounts at its providers, and whether they work.
//!
//! A kind of connection is one file: its account and settings, its credentials as the API takes them and as they are stored, the
//! secrets that verify its webhooks, their URLs, the formats of the provider's ids. It defines its types with [`account!`], implements
//! [`Kind`], and is listed in [`kinds!`], which makes of them what all kinds have. Its file uses `kind` and `credential`, never
//! this one.

#[macro_use]
pub(super) mod kind;
#[macro_use]
pub(super) mod credential;

pub mod aircall;
mod calling_code;
pub mod exotel;
pub(super) mod letters;
pub mod plivo;
pub mod shopify;
pub mod telephony;
pub mod twilio;
pub mod vonage;
pub mod whatsapp;
pub mod woocommerce;

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::calling_code::{CallingCode, InvalidCallingCode};
use self::kind::{Generated, Kind};
use crate::telephony::Party;
use crate::tenants::{Checkup, MarketingTerms, Reported, STANDARD_THROUGHPUT, Throttled, Throughput};
use crate::terms::{
    Api, Category, Channel, Classified, ConnectionId, Effect, Fault, FaultCode, FieldProblem, Findings, Phone,
    RotationId, TenantId, limit_retry_after,
};

/// Maximum connections per tenant.
pub const MAX_CONNECTIONS: usize = 50;

/// A secret encrypted by the key management service under the connection's encryption context; base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed")
    }
}

/// Purpose of a connection's credentials. Each purpose has its own key, so that no webhook can read a token that sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretPurpose {
    /// To verify webhooks.
    Verify,
    Send,
}

impl SecretPurpose {
    /// The word in the encryption context.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Send => "send",
        }
    }
}

/// Reads a body whose kind is known.
pub trait ReadBody {
    /// The reason why it cannot be read.
    type Error;

    /// The body as this type.
    ///
    /// # Errors
    /// When it is something else.
    fn read<T: DeserializeOwned>(&self) -> Result<T, Self::Error>;
}

/// The kinds: each with its word in configuration and in webhooks' URLs, and its file. The types that cover all kinds are made here.
macro_rules! kinds {
    ($($(#[$about:meta])+ $kind:ident = $word:tt in $file:ident;)+) => {
        /// Provider of a connection.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum ConnectionKind {
            $($(#[$about])+ #[serde(rename = $word)] $kind,)+
        }

        /// The account that a connection stands for.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum Account {
            $($(#[$about])+ #[serde(rename = $word)] $kind($file::Account),)+
        }

        /// Secrets that verify a connection's webhooks. Stored sealed; several secrets are valid at once during rotation.
        #[derive(Clone, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum VerifySecrets {
            $($(#[$about])+ #[serde(rename = $word)] $kind($file::Verify),)+
        }

        /// Credentials for the provider's API, to send or to test the connection. Stored sealed.
        #[derive(Clone, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum SendSecrets {
            $($(#[$about])+ #[serde(rename = $word)] $kind($file::Send),)+
        }

        /// Credentials as the API takes them.
        pub enum Credentials {
            $($(#[$about])+ $kind(<$file::Account as Kind>::Given),)+
        }

        impl ConnectionKind {
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The word in configuration, and in webhooks' URLs.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $word,)+ }
            }

            /// The fields of the account that can change.
            pub const fn settings(self) -> &'static [&'static str] {
                match self { $(Self::$kind => $file::Account::SETTINGS,)+ }
            }

            /// Secret that is generated here for a new connection.
            pub const fn generates(self) -> Option<Generated> {
                match self { $(Self::$kind => <$file::Account as Kind>::GENERATES,)+ }
            }

            /// True if its credentials can be replaced.
            pub const fn takes_credentials(self) -> bool {
                match self { $(Self::$kind => <$file::Account as Kind>::TAKES_CREDENTIALS,)+ }
            }

            /// True if the secret that verifies its webhooks also opens its API.
            pub const fn verify_opens_api(self) -> bool {
                match self { $(Self::$kind => <$file::Account as Kind>::OPENS.is_some(),)+ }
            }
        }

        impl Account {
            pub const fn provider(&self) -> ConnectionKind {
                match self { $(Self::$kind(_) => ConnectionKind::$kind,)+ }
            }

            /// Its messaging API, if it sends.
            pub const fn api(&self) -> Option<Api> {
                match self { $(Self::$kind(_) => <$file::Account as Kind>::SENDS,)+ }
            }

            fn used_webhooks(&self) -> Vec<&'static kind::Webhook> {
                match self {
                    $(Self::$kind(account) => {
                        <$file::Account as Kind>::WEBHOOKS.iter().filter(|webhook| account.uses(webhook)).collect()
                    })+
                }
            }

            /// The numbers whose calls it reports; empty: all that it reports.
            pub fn numbers(&self) -> &[Phone] {
                match self { $(Self::$kind(account) => account.numbers(),)+ }
            }

            /// The number of the business that customers write to by WhatsApp.
            pub fn whatsapp_number(&self) -> Option<&Phone> {
                match self { $(Self::$kind(account) => account.whatsapp_number(),)+ }
            }

            /// Whether it sends SMS.
            pub fn sends_sms(&self) -> bool {
                match self { $(Self::$kind(account) => account.sends_sms(),)+ }
            }

            /// Whether a test of one account also holds for the other, because the provider is asked about the same.
            pub fn is_tested_as(&self, other: &Self) -> bool {
                match (self, other) {
                    $((Self::$kind(account), Self::$kind(other)) => account.is_tested_as(other),)+
                    _ => false,
                }
            }

            /// Problems by field. Empty: none.
            pub fn problems(&self) -> Vec<FieldProblem> {
                let mut found = Findings::default();
                match self { $(Self::$kind(account) => account.check(&mut found),)+ }
                found.0
            }
        }

        impl VerifySecrets {
            /// Whether no webhook can be verified with it. Meta's may have the deployment's shared app.
            pub fn is_empty(&self) -> bool {
                match self { $(Self::$kind(own) => <$file::Account as Kind>::verifies_nothing(own),)+ }
            }

            /// Whether its webhooks are verified by the deployment's shared app, if there is one.
            pub fn needs_shared_app(&self) -> bool {
                match self { $(Self::$kind(own) => <$file::Account as Kind>::needs_shared_app(own),)+ }
            }

            /// The secrets that a rotation replaces, newest first.
            pub fn secrets(&mut self) -> &mut Vec<String> {
                match self { $(Self::$kind(own) => <$file::Account as Kind>::secrets(own),)+ }
            }

            /// Kind of secret that is generated here, and the generated ones, newest first.
            pub fn generated(&self) -> (Option<Generated>, &[String]) {
                match self {
                    $(Self::$kind(own) => {
                        (<$file::Account as Kind>::GENERATES, <$file::Account as Kind>::generated_secrets(own))
                    })+
                }
            }

            /// The token of a handshake, which replaces the one before at once.
            pub fn token(&mut self) -> Option<&mut String> {
                match self { $(Self::$kind(own) => <$file::Account as Kind>::token(own),)+ }
            }

            /// Credentials for the provider's API, if the secret that verifies is also used there: the newest.
            pub fn opens(&self) -> Option<SendSecrets> {
                match self {
                    $(Self::$kind(own) => <$file::Account as Kind>::OPENS?(own).map(SendSecrets::$kind),)+
                }
            }
        }

        impl NewConnection {
            /// Reads a new connection of this kind.
            ///
            /// # Errors
            /// When the body is something else.
            pub fn read<B: ReadBody>(kind: ConnectionKind, body: &B) -> Result<Self, B::Error> {
                Ok(match kind {
                    $(ConnectionKind::$kind => {
                        let (name, account, given) = body.read::<$file::New>()?.parts();
                        Self {
                            name,
                            account: Account::$kind(account),
                            credentials: Credentials::$kind(given),
                        }
                    })+
                })
            }
        }

        impl Credentials {
            /// Reads new credentials of a connection of this kind.
            ///
            /// # Errors
            /// When the body is something else.
            pub fn read<B: ReadBody>(kind: ConnectionKind, body: &B) -> Result<Self, B::Error> {
                Ok(match kind {
                    $(ConnectionKind::$kind => Self::$kind(body.read::<$file::NewCredentials>()?.given()),)+
                })
            }

            /// Credentials as they are stored. `generated`: the secrets that were generated here, newest first.
            pub fn keep(self, generated: Vec<String>) -> Kept {
                match self {
                    $(Self::$kind(given) => {
                        let (verify, send) = <$file::Account as Kind>::keep(given, generated);
                        Kept {
                            verify: VerifySecrets::$kind(verify),
                            send: send.map(SendSecrets::$kind),
                        }
                    })+
                }
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for NewConnection {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                "ConnectionIn".into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let choices = [$(($word, generator.subschema_for::<$file::New>())),+];
                one_of("A new connection.", choices)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for Credentials {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                "CredentialsIn".into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut choices = Vec::new();
                $(
                    if ConnectionKind::$kind.takes_credentials() {
                        choices.push(($word, generator.subschema_for::<$file::NewCredentials>()));
                    }
                )+
                let about = "New credentials of a connection. They replace the old ones at once. To change a webhook secret \
                    without a gap, rotate it.";
                one_of(about, choices)
            }
        }
    };
}

kinds! {
    /// Meta's WhatsApp Cloud API.
    WhatsApp = "whatsapp" in whatsapp;
    /// Twilio.
    Twilio = "twilio" in twilio;
    /// Any telephone system, by the generic signed event.
    Telephony = "telephony" in telephony;
    /// Aircall.
    Aircall = "aircall" in aircall;
    /// Vonage.
    Vonage = "vonage" in vonage;
    /// Exotel.
    Exotel = "exotel" in exotel;
    /// Plivo.
    Plivo = "plivo" in plivo;
    /// Shopify, for the orders of a shop.
    Shopify = "shopify" in shopify;
    /// WooCommerce, for the orders of a store.
    WooCommerce = "woocommerce" in woocommerce;
}

/// A new connection, as the API takes it.
pub struct NewConnection {
    pub name: String,
    pub account: Account,
    pub credentials: Credentials,
}

/// Credentials as they are stored: for webhooks, and for the provider's API if there are any.
pub struct Kept {
    /// For webhooks.
    pub verify: VerifySecrets,
    /// For the API.
    pub send: Option<SendSecrets>,
}

impl Kept {
    /// Credentials for testing the connection.
    pub fn asks_with(&self) -> Option<SendSecrets> {
        self.send.clone().or_else(|| self.verify.opens())
    }
}

/// Schema of a body whose `kind` determines its other fields.
#[cfg(feature = "schema")]
fn one_of(about: &str, choices: impl IntoIterator<Item = (&'static str, schemars::Schema)>) -> schemars::Schema {
    let (words, choices): (Vec<_>, Vec<_>) = choices.into_iter().unzip();
    let places = choices
        .iter()
        .map(|choice| choice.get("$ref").cloned().unwrap_or_default());
    let mapping: Map<_, _> = words.into_iter().map(str::to_owned).zip(places).collect();
    schemars::json_schema!({
        "description": about,
        "oneOf": choices,
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    })
}

/// A URL to configure at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAddress {
    /// Name of the setting at the provider.
    pub what: &'static str,
    /// The methods that it uses.
    pub method: &'static str,
    /// Below the public base URL, with a fragment where the provider reads one. `{secret}` stands for a secret of the connection.
    pub path: String,
}

impl Account {
    /// The word of its kind.
    pub const fn kind(&self) -> &'static str {
        self.provider().as_str()
    }

    /// Whether calls of this number belong to it. A report without one is about a call whose number another report names.
    pub fn has_number(&self, number: Option<&Party>) -> bool {
        let numbers = self.numbers();
        let listed = |number: &Party| number.phone().is_some_and(|phone| numbers.contains(phone));
        numbers.is_empty() || number.is_none_or(listed)
    }

    /// Webhooks to configure at the provider.
    pub fn webhooks(&self, tenant: TenantId, connection: ConnectionId) -> Vec<WebhookAddress> {
        let kind = self.kind();
        let at = |webhook: &kind::Webhook| WebhookAddress {
            what: webhook.what,
            method: webhook.method,
            path: format!("/webhooks/{kind}/{tenant}/{connection}{}", webhook.end),
        };
        self.used_webhooks().into_iter().map(at).collect()
    }

    /// The fields that identify the account at its provider and never change, and those that can change.
    pub fn parts(&self) -> (Map<String, Value>, Map<String, Value>) {
        let settings = self.provider().settings();
        let fields = match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        let fields = fields.into_iter().filter(|(name, _)| name != KIND);
        fields.partition(|(name, _)| !settings.contains(&name.as_str()))
    }

    /// Replaces the account's settings. Settings that are not given get the defaults of a new connection.
    ///
    /// # Errors
    /// Fields that the kind does not have, or requires, and the problems of [`Self::problems`].
    pub fn with(&self, settings: Map<String, Value>) -> Result<Self, Vec<FieldProblem>> {
        self.with_but(settings, &[])
    }

    /// Replaces the settings of a stored account. Problems that a later version stored are kept, and not held against another change.
    ///
    /// # Errors
    /// Errors of [`Self::with`] that this account does not have yet.
    pub fn with_changed_settings(&self, settings: Map<String, Value>) -> Result<Self, Vec<FieldProblem>> {
        self.with_but(settings, &self.problems())
    }

    fn with_but(&self, settings: Map<String, Value>, kept: &[FieldProblem]) -> Result<Self, Vec<FieldProblem>> {
        let kind = self.provider();
        let (mut fields, _) = self.parts();
        fields.insert(KIND.to_owned(), kind.as_str().into());
        let own = |name: &String| kind.settings().contains(&name.as_str());
        let (settings, foreign): (Map<_, _>, Map<_, _>) = settings.into_iter().partition(|(name, _)| own(name));
        fields.extend(settings);
        let mut problems: Vec<_> = foreign
            .keys()
            .map(|name| {
                let kind = kind.as_str();
                let detail = format!("A {kind} connection has no such field. Remove it.");
                FieldProblem::new(name, Fault::new(FaultCode::NotApplicable, detail).and("kind", kind))
            })
            .collect();
        match serde_json::from_value::<Self>(Value::Object(fields)) {
            Ok(account) => {
                let found = account.problems().into_iter();
                problems.extend(found.filter(|problem| !kept.contains(problem)));
                if problems.is_empty() {
                    Ok(account)
                } else {
                    Err(problems)
                }
            }
            Err(error) => {
                problems.push(misread(&error));
                Err(problems)
            }
        }
    }
}

/// The name of the tag.
const KIND: &str = "kind";

fn misread(error: &serde_json::Error) -> FieldProblem {
    let text = error.to_string();
    let missing = text
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next());
    match missing {
        Some(field) => FieldProblem::new(field, Fault::missing_field()),
        None => FieldProblem::new("", Fault::read(&text)),
    }
}

/// Whether a connection works.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Health {
    #[default]
    Healthy,
    /// The provider refuses it until somebody acts. Messages wait; one of them tries again every now and then.
    Unhealthy {
        /// Start of the failure.
        since: Timestamp,
        /// Reason, for people.
        reason: String,
        /// Time of the last attempt.
        tried_at: Timestamp,
    },
}

/// A tenant's connection to a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    pub id: ConnectionId,
    pub name: String,
    pub account: Account,
    #[serde(default)]
    pub health: Health,
    /// A throttled or restricted number sends nothing before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Timestamp>,
    /// The limit of its number, after the provider throttled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled: Option<Throttled>,
    /// [`VerifySecrets`], sealed.
    pub verify: Sealed,
    /// [`SendSecrets`], sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send: Option<Sealed>,
    /// Raised whenever credentials change, so that caches notice.
    #[serde(default)]
    pub credentials_version: u64,
    /// Start of the rotation, during which an older secret is valid, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotating_since: Option<Timestamp>,
    /// The rotation that added the newest secret. A repeated request returns the same secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<RotationId>,
    /// True if no webhook secret is set yet. All webhooks are refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits_secret: bool,
    /// Result of the last test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkup: Option<Checkup>,
    /// Rating and limits that the provider reported.
    #[serde(default, skip_serializing_if = "Reported::is_empty")]
    pub reported: Reported,
    /// Time of a verified report about messages, renewed when it is a day old. Without one, nothing was verified with these credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_report_at: Option<Timestamp>,
}

/// [`Connection::last_report_at`] is renewed after this time: a report must not cost a write.
const REPORT_NOTED_EVERY: SignedDuration = SignedDuration::from_hours(24);

impl Connection {
    /// A new connection, which works as far as is known.
    pub fn new(id: ConnectionId, name: String, account: Account, verify: Sealed, send: Option<Sealed>) -> Self {
        Self {
            id,
            name,
            account,
            health: Health::Healthy,
            paused_until: None,
            throttled: None,
            verify,
            send,
            credentials_version: 1,
            rotating_since: None,
            rotation: None,
            awaits_secret: false,
            checkup: None,
            reported: Reported::default(),
            last_report_at: None,
        }
    }

    /// The connection after a verified report about a message, which changes it at most once a day.
    pub fn after_report(self, at: Timestamp) -> Self {
        let is_due = |last| at.duration_since(last) >= REPORT_NOTED_EVERY;
        Self {
            last_report_at: Some(self.last_report_at.filter(|last| !is_due(*last)).unwrap_or(at)),
            ..self
        }
    }

    /// The number of the business that customers write to by WhatsApp.
    pub fn whatsapp_number(&self) -> Option<&Phone> {
        self.account.whatsapp_number()
    }

    /// Whether it can carry this channel.
    pub fn carries(&self, channel: Channel) -> bool {
        match channel {
            Channel::WhatsApp => self.account.whatsapp_number().is_some(),
            Channel::Sms => self.account.sends_sms(),
        }
    }

    /// Whether WhatsApp gets a template of this category as a marketing message.
    pub fn sends_as_marketing(&self, category: Category) -> bool {
        let terms = self.checkup.as_ref().and_then(|checkup| checkup.marketing_terms);
        category == Category::Marketing && terms == Some(MarketingTerms::Accepted)
    }

    /// Maximum messages per second by WhatsApp: what the provider reported last, or its standard.
    fn most_per_second(&self) -> u32 {
        let reported = self.reported.and_tested(self.checkup.as_ref()).messages_per_second;
        reported.map_or(STANDARD_THROUGHPUT, |reported| reported.value)
    }

    /// Number of customers that the business may message first in 24 hours by WhatsApp, as last reported or tested. `None`: no limit is
    /// known.
    pub fn customers_per_day(&self) -> Option<u32> {
        let known = self.reported.and_tested(self.checkup.as_ref()).customers_per_day?;
        (known.value > 0).then_some(known.value)
    }

    /// The throughput of its number on a channel. None by SMS: Twilio has queues for that.
    pub fn throughput(&self, channel: Channel, now: Timestamp) -> Option<Throughput> {
        let throughput = Throughput::of(self.most_per_second(), self.throttled, now);
        Some(throughput).filter(|_| channel == Channel::WhatsApp)
    }

    /// The connection after a provider's error about a message that was sent at this time: its health, pause and throughput. `None`:
    /// unchanged.
    pub fn after_error(
        &self,
        error: &Classified,
        retry_after: Option<SignedDuration>,
        sent_at: Timestamp,
        now: Timestamp,
    ) -> Option<Self> {
        match error.effect {
            Effect::PauseNumber(seconds) | Effect::Throttle(seconds) => {
                let pause = retry_after.map_or_else(|| SignedDuration::from_secs(seconds.into()), limit_retry_after);
                let learns = matches!(error.effect, Effect::Throttle(_));
                let learnt = || Throttled::learnt(self.throttled, self.most_per_second(), sent_at, now);
                Some(Self {
                    paused_until: self.paused_until.max(Some(now + pause)),
                    throttled: learns.then(learnt).flatten().or(self.throttled),
                    ..self.clone()
                })
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
                Some(Self { health, ..self.clone() })
            }
            Effect::None
            | Effect::PacePerson
            | Effect::MarketingOptOut
            | Effect::ChannelOptOut
            | Effect::Unreachable
            | Effect::WindowClosed => None,
        }
    }

    /// The encryption context of its secrets: they open for this tenant, connection and purpose only.
    pub fn encryption_context(
        tenant: TenantId,
        connection: ConnectionId,
        purpose: SecretPurpose,
    ) -> [(String, String); 3] {
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
    }

    #[test]
    fn a_test_is_of_what_the_provider_was_asked_about() {
        let of = |value: Value| serde_json::from_value::<Account>(value).unwrap();
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
            (&vonage, "numbers", json!(["+442079460001"]), true),
            (&vonage, "api_key", json!("l"), false),
            (&exotel, "sources", json!(["192.0.2.0/24"]), true),
            (&exotel, "cluster", json!("mumbai"), false),
            (
                &json!({"kind": "plivo", "auth_id": "MA1"}),
                "auth_id",
                json!("MA2"),
                false,
            ),
            (&json!({"kind": "aircall"}), "numbers", json!(["+442079460001"]), false),
            (&json!({"kind": "telephony"}), "numbers", json!(["+442079460001"]), true),
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
        let all = Account::Aircall(aircall::Account { numbers: Vec::new() });
        let one = Account::Plivo(plivo::Account {
            auth_id: "MA1".to_owned(),
            numbers: vec!["+442079460001".parse().unwrap()],
        });
        assert!(all.has_number(Some(&Party::Withheld)) && all.has_number(None));
        assert!(one.has_number(Some(&phone("+442079460001"))) && one.has_number(None));
        assert!(!one.has_number(Some(&phone("+442079460002"))) && !one.has_number(Some(&Party::Withheld)));
    }

    fn fields(account: &str) -> Vec<String> {
        let account: Account = serde_json::from_str(account).unwrap();
        account.problems().into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn what_has_another_shape_is_named_by_its_field() {
        let none: [&str; 0] = [];
        let sid = "0".repeat(32);
        assert_eq!(
            fields(&format!(
                r#"{{"kind": "twilio", "account_sid": "AC{sid}", "numbers": ["+15005550006"],
                "messaging_service_sid": "MG{sid}", "voice": {{"handling": "greet"}}}}"#
            )),
            none
        );
        assert_eq!(
            fields(
                r#"{"kind": "twilio", "account_sid": "AC0", "numbers": ["+15005550006", "+15005550006"],
                "messaging_service_sid": "MG", "voice": {"handling": "forward", "forward_timeout_seconds": 0,
                "greeting": [{"language": "english", "text": ""}]}}"#
            ),
            [
                "account_sid",
                "messaging_service_sid",
                "numbers[1]",
                "voice.forward_to",
                "voice.forward_timeout_seconds",
                "voice.greeting[0].language",
                "voice.greeting[0].text"
            ]
        );
        assert_eq!(
            fields(&format!(
                r#"{{"kind": "twilio", "account_sid": "AC{sid}", "numbers": ["+15005550006", "+15005550007"],
                "voice": {{"handling": "forward", "forward_to": "+15005550007"}}}}"#
            )),
            ["voice.forward_to"],
            "a call would come back for ever"
        );
        let whatsapp = r#"{"kind": "whatsapp", "waba_id": "x/1", "phone_number_id": "+971501", "display_number": "+971501234567"}"#;
        assert_eq!(fields(whatsapp), ["waba_id", "phone_number_id"]);
        let vonage = r#"{"kind": "vonage", "api_key": "a b", "application_id": "x"}"#;
        assert_eq!(fields(vonage), ["api_key", "application_id"]);
        assert_eq!(fields(r#"{"kind": "exotel", "account_sid": "../x"}"#), ["account_sid"]);
        assert_eq!(fields(r#"{"kind": "plivo", "auth_id": "XX"}"#), ["auth_id"]);
        assert_eq!(fields(r#"{"kind": "telephony"}"#), none);
        let many: Vec<String> = (0..101).map(|_| "+15005550006".to_owned()).collect();
        let many = serde_json::json!({"kind": "telephony", "numbers": many});
        assert_eq!(
            fields(&many.to_string()),
            ["numbers"],
            "of what is too much, nothing else is said"
        );
        let is_key = |text: &str| serde_json::from_value::<twilio::ApiKeySid>(json!(text)).is_ok();
        assert!(is_key(&format!("SK{sid}")) && !is_key("SK1"));
    }

    #[test]
    fn every_address_of_twilios_asks_for_retries() {
        let ulid = "00000000000000000000000001";
        let (tenant, connection) = (
            format!("tnt_{ulid}").parse().unwrap(),
            format!("conn_{ulid}").parse().unwrap(),
        );
        let at = |end: &&str| format!("/webhooks/twilio/{tenant}/{connection}/{end}#rc=3&rp=all");
        for (handling, ends) in [
            ("greet", &["voice", "status", "inbound"][..]),
            // The flow that answers calls stays at the number.
            ("own_flow", &["status", "inbound"]),
        ] {
            let account =
                json!({"kind": "twilio", "account_sid": "AC0", "numbers": [], "voice": {"handling": handling}});
            let account: Account = serde_json::from_value(account).unwrap();
            let webhooks = account.webhooks(tenant, connection).into_iter();
            let paths: Vec<_> = webhooks.map(|webhook| webhook.path).collect();
            assert_eq!(paths, ends.iter().map(at).collect::<Vec<_>>(), "{handling}");
        }
    }

    /// A change keeps who the account is, and names each field that does not fit its kind.
    #[test]
    fn settings_are_put_over_the_identity() {
        let of = |value: Value| serde_json::from_value::<Account>(value).unwrap();
        let map = |value: Value| value.as_object().cloned().unwrap();
        let number = "+442079460001";
        let whatsapp =
            of(json!({"kind": "whatsapp", "waba_id": "90000", "phone_number_id": "91000", "display_number": number}));
        let exotel = of(json!({"kind": "exotel", "account_sid": "s", "cluster": "mumbai", "country_code": "44"}));
        assert_eq!(exotel.with(exotel.parts().1), Ok(exotel.clone()));
        assert_eq!(
            exotel.with(Map::new()),
            Ok(of(json!({"kind": "exotel", "account_sid": "s"}))),
            "what is taken away is as it is for a new one"
        );
        let problems = |account: &Account, settings: Value| {
            let found = account.with(map(settings)).unwrap_err().into_iter();
            found.map(|problem| (problem.field, problem.detail)).collect::<Vec<_>>()
        };
        let foreign = "A whatsapp connection has no such field. Remove it.".to_owned();
        let required = "This field is required.".to_owned();
        assert_eq!(
            problems(&whatsapp, json!({"numbers": [], "voice": {}})),
            [
                ("numbers".to_owned(), foreign.clone()),
                ("voice".to_owned(), foreign.clone()),
                ("display_number".to_owned(), required)
            ]
        );
        // Nor can a setting stand for what identifies the account.
        assert_eq!(
            problems(&whatsapp, json!({"waba_id": "90001", "display_number": number})),
            [("waba_id".to_owned(), foreign)]
        );
        let twice = problems(&exotel, json!({"voice": {}, "numbers": [number, number]}));
        let fields: Vec<_> = twice.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["voice", "numbers[1]"]);
    }

    /// A later version may have stored rules that this one does not know. Others cannot be added.
    #[test]
    fn stored_rules_of_a_later_version_are_kept() {
        let sid = "AC000000000000000000000000000000b1";
        let moon = json!([{"country": "AE", "rule": "moon"}]);
        let stored = json!({"kind": "twilio", "account_sid": sid, "confirmed_rules": moon});
        let stored: Account = serde_json::from_value(stored).unwrap();
        let (_, mut settings) = stored.parts();
        settings.insert("numbers".to_owned(), json!(["+97143330000"]));
        let changed = stored.with_changed_settings(settings.clone()).unwrap();
        assert_eq!(
            changed.parts().1["confirmed_rules"],
            stored.parts().1["confirmed_rules"]
        );
        let without: Account = serde_json::from_value(json!({"kind": "twilio", "account_sid": sid})).unwrap();
        let refused = without.with_changed_settings(settings).unwrap_err();
        assert_eq!(refused[0].field, "confirmed_rules[0].rule");
    }
}
