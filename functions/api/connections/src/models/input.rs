//! New connections and credentials.

use std::borrow::Cow;

use domain::{
    account_shape::{
        ACCOUNT_SID, API_KEY_SID, AUTH_ID, META_ID, MOST_LINES, MOST_SOURCES, SERVICE_SID, UUID, is_api_key_sid,
    },
    bounded::UpTo,
    connection::{Account, CallingCode, ExotelCluster, SendSecrets, SharedKey, VerifySecrets},
    ip_range::IpRange,
    phone::Phone,
    text::LONGEST_NAME,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    kinds::{AircallKind, ExotelKind, PlivoKind, TelephonyKind, TwilioKind, VonageKind, WhatsappKind, one_of},
    settings::VoiceModel,
};

one_of! {
    /// A new connection.
    ConnectionIn {
        /// Meta's WhatsApp Cloud API.
        "whatsapp": WhatsappIn,
        /// Twilio.
        "twilio": TwilioIn,
        /// Any telephone system, by the generic event.
        "telephony": TelephonyIn,
        /// Aircall.
        "aircall": AircallIn,
        /// Vonage.
        "vonage": VonageIn,
        /// Exotel.
        "exotel": ExotelIn,
        /// Plivo.
        "plivo": PlivoIn,
    }
}

/// Models of new connections. Each begins with its kind, which is read before the rest, and a name.
macro_rules! connections_in {
    ($(
        #[doc = $about:literal]
        $model:ident {
            #[doc = $word:literal]
            kind: $kind:ident, name like $example:literal,
            $($fields:tt)*
        }
    )*) => {
        $(
            #[doc = $about]
            #[derive(Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields)]
            pub(crate) struct $model {
                #[doc = $word]
                #[expect(dead_code, reason = "read before the rest")]
                kind: $kind,
                /// Display name.
                #[schemars(length(min = 1, max = LONGEST_NAME), example = &$example)]
                name: String,
                $($fields)*
            }
        )*
    };
}

connections_in! {
    /// Meta's WhatsApp Cloud API.
    WhatsappIn {
        /// Always `whatsapp`.
        kind: WhatsappKind, name like "WhatsApp",
        /// Id of the WhatsApp Business Account.
        #[schemars(regex(pattern = META_ID), example = "900000000000101")]
        waba_id: String,
        /// Meta's id of the sending number, not the number itself.
        #[schemars(regex(pattern = META_ID), example = "910000000000101")]
        phone_number_id: String,
        /// Phone number in E.164.
        display_number: Phone,
        /// Credentials for webhooks and sending.
        credentials: WhatsappCredentials,
    }

    /// Twilio: calls, SMS, and WhatsApp if a sender is given.
    TwilioIn {
        /// Always `twilio`.
        kind: TwilioKind, name like "Twilio",
        /// SID of the account.
        #[schemars(regex(pattern = ACCOUNT_SID), example = &"AC000000000000000000000000000000b1")]
        account_sid: String,
        /// Numbers of this connection. The first one sends SMS unless a Messaging Service does.
        #[serde(default)]
        #[schemars(length(max = MOST_LINES), example = ["+97145550001"])]
        numbers: Vec<Phone>,
        /// SID of a Messaging Service that sends SMS.
        #[schemars(regex(pattern = SERVICE_SID), example = &"MG000000000000000000000000000000b1")]
        messaging_service_sid: Option<String>,
        /// Number that sends WhatsApp through Twilio.
        #[schemars(example = "+97145550002")]
        whatsapp_sender: Option<Phone>,
        /// Call handling. If omitted, the tenant's own call flow answers.
        #[serde(default)]
        voice: VoiceModel,
        /// Credentials for webhooks and sending.
        credentials: TwilioCredentials,
    }

    /// Any telephone system, by the generic signed event. Its secret is generated and shown once.
    TelephonyIn {
        /// Always `telephony`.
        kind: TelephonyKind, name like "Front desk",
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[schemars(length(max = MOST_LINES))]
        lines: Vec<Phone>,
    }

    /// Aircall. Its token is issued when the webhook is created at Aircall, with the address in this response.
    AircallIn {
        /// Always `aircall`.
        kind: AircallKind, name like "Aircall",
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[schemars(length(max = MOST_LINES))]
        lines: Vec<Phone>,
        /// Credentials. Omit them until the webhook exists at Aircall. No event is accepted before.
        credentials: Option<AircallCredentials>,
    }

    /// Vonage's Voice API.
    VonageIn {
        /// Always `vonage`.
        kind: VonageKind, name like "Vonage",
        /// API key of the account, which identifies it in every signed event.
        #[schemars(length(min = 4, max = 32), example = &"abcd1234")]
        api_key: String,
        /// Voice application whose events are accepted. If omitted, any application of the account.
        #[schemars(regex(pattern = UUID), example = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab")]
        application_id: Option<String>,
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[schemars(length(max = MOST_LINES))]
        lines: Vec<Phone>,
        /// Credentials for webhooks.
        credentials: VonageCredentials,
    }

    /// Exotel, which does not sign its events. A generated secret at the end of the addresses, shown once, proves them.
    ExotelIn {
        /// Always `exotel`.
        kind: ExotelKind, name like "Exotel",
        /// SID of the account.
        #[schemars(length(min = 1, max = 64), example = &"saffron1")]
        account_sid: String,
        /// Exotel region of the account.
        #[serde(default)]
        cluster: ExotelCluster,
        /// Calling code of its national numbers, without `+`. Default: 91.
        country_code: Option<CallingCode>,
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[schemars(length(max = MOST_LINES))]
        lines: Vec<Phone>,
        /// IP addresses that may report events. Empty: any.
        #[serde(default)]
        #[schemars(length(max = MOST_SOURCES), example = ["192.0.2.0/24"])]
        sources: Vec<IpRange>,
        /// Credentials for testing the connection.
        credentials: Option<ExotelCredentials>,
    }

    /// Plivo.
    PlivoIn {
        /// Always `plivo`.
        kind: PlivoKind, name like "Plivo",
        /// Auth id of the account.
        #[schemars(regex(pattern = AUTH_ID), example = &"MAXXXXXXXXXXXXXXXXXX")]
        auth_id: String,
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[schemars(length(max = MOST_LINES))]
        lines: Vec<Phone>,
        /// Credentials for webhooks.
        credentials: PlivoCredentials,
    }
}

/// Credentials of a WhatsApp connection.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhatsappCredentials {
    /// Access token of a system user that is assigned to the WhatsApp account.
    access_token: Credential<1024>,
    /// Secret of the Meta app that receives the events. If omitted, the platform's own app receives them.
    app_secret: Option<Credential>,
}

/// Credentials of a Twilio connection.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TwilioCredentials {
    /// Auth token of the account, which signs webhooks.
    auth_token: Credential,
    /// Shared keys, for signatures by HMAC-SHA256.
    #[serde(default)]
    #[schemars(extend("writeOnly" = true))]
    shared_keys: UpTo<4, SharedKeyIn>,
    /// SID of the API key that sends messages.
    #[schemars(example = &"SK000000000000000000000000000000b1")]
    api_key_sid: ApiKeySid,
    /// Secret of the API key.
    api_key_secret: Credential,
}

/// A shared key of Twilio.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SharedKeyIn {
    /// Id of the key, as in the signature's settings header.
    #[schemars(example = "signing-key-1")]
    id: KeyId,
    /// Secret of the key.
    secret: Credential,
}

/// Credentials of an Aircall connection.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AircallCredentials {
    /// Token that Aircall issued for the webhook. Every event holds it.
    token: Credential,
    /// Key of Aircall's API, for testing the connection.
    api_key: Option<AircallApiKey>,
}

/// A key of Aircall's API.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AircallApiKey {
    /// Id of the key.
    #[schemars(example = &"ab12cd34ef56ab78")]
    api_id: Credential,
    /// Token of the key.
    #[schemars(example = "0123456789abcdef0123456789abcdef")]
    api_token: Credential,
}

/// Credentials of a Vonage connection.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VonageCredentials {
    /// Signature secret of the account.
    signature_secret: Credential,
    /// Secret of the account's API key, for testing the connection. It does not sign events.
    #[schemars(example = &"ABCDEFGH01234abc")]
    api_secret: Option<Credential>,
}

/// Credentials of an Exotel connection, for testing it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExotelCredentials {
    /// API key.
    #[schemars(example = "0123456789abcdef")]
    api_key: Credential,
    /// Token of the API key.
    #[schemars(example = "0123456789abcdef0123456789abcdef")]
    api_token: Credential,
}

/// Credentials of a Plivo connection.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlivoCredentials {
    /// Auth token of the account, which signs webhooks and opens Plivo's API.
    auth_token: Credential,
}

one_of! {
    /// New credentials of a connection. They replace the old ones at once. To change a webhook secret without a gap, rotate it.
    CredentialsIn {
        /// Credentials of a WhatsApp connection.
        "whatsapp": WhatsappNewCredentials,
        /// Credentials of a Twilio connection.
        "twilio": TwilioNewCredentials,
        /// Credentials of an Aircall connection.
        "aircall": AircallNewCredentials,
        /// Credentials of a Vonage connection.
        "vonage": VonageNewCredentials,
        /// Credentials of an Exotel connection.
        "exotel": ExotelNewCredentials,
        /// Credentials of a Plivo connection.
        "plivo": PlivoNewCredentials,
    }
}

macro_rules! new_credentials {
    ($($name:ident { $kind:ident, $credentials:ident } $text:literal;)*) => {
        $(
            #[doc = $text]
            #[derive(Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields)]
            pub(crate) struct $name {
                /// Kind of the connection.
                #[expect(dead_code, reason = "read before the rest")]
                kind: $kind,
                /// All credentials of the connection.
                pub(crate) credentials: $credentials,
            }
        )*
    };
}

new_credentials! {
    WhatsappNewCredentials { WhatsappKind, WhatsappCredentials } "New credentials of a WhatsApp connection.";
    TwilioNewCredentials { TwilioKind, TwilioCredentials } "New credentials of a Twilio connection.";
    AircallNewCredentials { AircallKind, AircallCredentials } "New credentials of an Aircall connection.";
    VonageNewCredentials { VonageKind, VonageCredentials } "New credentials of a Vonage connection.";
    ExotelNewCredentials { ExotelKind, ExotelCredentials }
        "New credentials for the API of an Exotel connection. The secret in its addresses stays: rotate it to \
            change it.";
    PlivoNewCredentials { PlivoKind, PlivoCredentials } "New credentials of a Plivo connection.";
}

/// A new webhook secret, valid together with the old ones.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretRotationIn {
    /// The provider's new secret: Twilio's auth token, the Meta app's secret, Aircall's token, Vonage's signature secret or
    /// Plivo's auth token. Omit it for `telephony` and `exotel`, whose secrets are generated, and for `whatsapp` to get a new
    /// verify token.
    #[schemars(example = &"fedcba9876543210fedcba9876543210")]
    pub(crate) secret: Option<Credential>,
}

/// A text of which only some forms are accepted. It cannot be printed.
macro_rules! text_like {
    ($(#[doc = $about:literal])+ $name:ident$(<$most:ident = $usual:literal>)?, $accepts:expr, $expected:expr, $schema:tt) => {
        $(#[doc = $about])+
        pub(crate) struct $name$(<const $most: usize = $usual>)?(String);

        impl<'de $(, const $most: usize)?> Deserialize<'de> for $name$(<$most>)? {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(&text) {
                    Ok(Self(text))
                } else {
                    Err(D::Error::custom($expected))
                }
            }
        }

        impl$(<const $most: usize>)? JsonSchema for $name$(<$most>)? {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                std::any::type_name::<Self>().into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }

        impl$(<const $most: usize>)? From<$name$(<$most>)?> for String {
            fn from(text: $name$(<$most>)?) -> Self {
                text.0
            }
        }
    };
}

/// Minimum length of a credential.
const SHORTEST: usize = 8;

text_like! {
    /// A credential of a provider: visible ASCII characters.
    Credential<MOST = 256>,
    |text| (SHORTEST..=MOST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()),
    format_args!("expected {SHORTEST} to {MOST} visible ASCII characters"),
    {"type": "string", "minLength": SHORTEST, "maxLength": MOST, "writeOnly": true}
}

text_like! {
    /// SID of a Twilio API key.
    ApiKeySid, is_api_key_sid, "expected SK and 32 digits or letters a to f", {"type": "string", "pattern": API_KEY_SID}
}

/// Maximum length of a key's id.
const LONGEST_KEY_ID: usize = 100;

text_like! {
    /// Id of a shared key of Twilio.
    KeyId,
    |text| (1..=LONGEST_KEY_ID).contains(&text.len()) && text.is_ascii(),
    format_args!("expected 1 to {LONGEST_KEY_ID} ASCII characters"),
    {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY_ID}
}

/// A requested connection.
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) account: Account,
    pub(crate) kept: Kept,
}

impl Wanted {
    fn of(name: String, account: Account, credentials: impl Into<Kept>) -> Self {
        Self {
            name,
            account,
            kept: credentials.into(),
        }
    }
}

/// Stored credentials: those for webhooks, and those for sending if there are any.
pub(crate) struct Kept {
    pub(crate) verify: VerifySecrets,
    pub(crate) send: Option<SendSecrets>,
}

impl Kept {
    /// Credentials for testing the connection.
    pub(crate) fn asks_with(&self) -> Option<SendSecrets> {
        self.send.clone().or_else(|| opens_api(&self.verify))
    }
}

/// Credentials for the provider's API that also verify webhooks: the newest of Plivo's auth tokens.
pub(crate) fn opens_api(verify: &VerifySecrets) -> Option<SendSecrets> {
    let VerifySecrets::Plivo { auth_tokens } = verify else {
        return None;
    };
    let auth_token = auth_tokens.first()?.clone();
    Some(SendSecrets::Plivo { auth_token })
}

impl From<VerifySecrets> for Kept {
    fn from(verify: VerifySecrets) -> Self {
        Self { verify, send: None }
    }
}

impl WhatsappCredentials {
    pub(crate) fn kept(self, verify_token: String) -> Kept {
        Kept {
            verify: VerifySecrets::WhatsApp {
                app_secrets: self.app_secret.map(String::from).into_iter().collect(),
                verify_token,
            },
            send: Some(SendSecrets::WhatsApp {
                access_token: self.access_token.into(),
            }),
        }
    }
}

impl From<SharedKeyIn> for SharedKey {
    fn from(SharedKeyIn { id, secret }: SharedKeyIn) -> Self {
        Self {
            id: id.into(),
            secret: secret.into(),
        }
    }
}

impl From<TwilioCredentials> for Kept {
    fn from(given: TwilioCredentials) -> Self {
        Self {
            verify: VerifySecrets::Twilio {
                auth_tokens: vec![given.auth_token.into()],
                shared_keys: given.shared_keys.into_vec().into_iter().map(SharedKey::from).collect(),
            },
            send: Some(SendSecrets::Twilio {
                api_key_sid: given.api_key_sid.into(),
                api_key_secret: given.api_key_secret.into(),
            }),
        }
    }
}

impl From<Option<AircallCredentials>> for Kept {
    fn from(given: Option<AircallCredentials>) -> Self {
        let (tokens, api_key) = given.map_or_else(Default::default, |given| (vec![given.token.into()], given.api_key));
        Self {
            verify: VerifySecrets::Aircall { tokens },
            send: api_key.map(|key| SendSecrets::Aircall {
                api_id: key.api_id.into(),
                api_token: key.api_token.into(),
            }),
        }
    }
}

impl From<VonageCredentials> for Kept {
    fn from(given: VonageCredentials) -> Self {
        Self {
            verify: VerifySecrets::Vonage {
                signature_secrets: vec![given.signature_secret.into()],
            },
            send: given.api_secret.map(|secret| SendSecrets::Vonage {
                api_secret: secret.into(),
            }),
        }
    }
}

impl ExotelCredentials {
    pub(crate) fn kept(given: Option<Self>, verify: VerifySecrets) -> Kept {
        let send = given.map(|given| SendSecrets::Exotel {
            api_key: given.api_key.into(),
            api_token: given.api_token.into(),
        });
        Kept { verify, send }
    }
}

impl From<PlivoCredentials> for Kept {
    fn from(given: PlivoCredentials) -> Self {
        let auth_tokens = vec![given.auth_token.into()];
        VerifySecrets::Plivo { auth_tokens }.into()
    }
}

impl WhatsappIn {
    pub(crate) fn wanted(self, verify_token: String) -> Wanted {
        let account = Account::WhatsApp {
            waba_id: self.waba_id,
            phone_number_id: self.phone_number_id,
            display_number: self.display_number,
        };
        Wanted::of(self.name, account, self.credentials.kept(verify_token))
    }
}

impl TwilioIn {
    pub(crate) fn wanted(self) -> Wanted {
        let account = Account::Twilio {
            account_sid: self.account_sid,
            numbers: self.numbers,
            messaging_service_sid: self.messaging_service_sid,
            whatsapp_sender: self.whatsapp_sender,
            voice: self.voice.into(),
        };
        Wanted::of(self.name, account, self.credentials)
    }
}

impl TelephonyIn {
    pub(crate) fn wanted(self, secret: String) -> Wanted {
        let account = Account::Telephony { lines: self.lines };
        Wanted::of(self.name, account, VerifySecrets::Telephony { secrets: vec![secret] })
    }
}

impl AircallIn {
    pub(crate) fn wanted(self) -> Wanted {
        Wanted::of(self.name, Account::Aircall { lines: self.lines }, self.credentials)
    }
}

impl VonageIn {
    pub(crate) fn wanted(self) -> Wanted {
        let account = Account::Vonage {
            api_key: self.api_key,
            application_id: self.application_id,
            lines: self.lines,
        };
        Wanted::of(self.name, account, self.credentials)
    }
}

impl ExotelIn {
    pub(crate) fn wanted(self, secret: String) -> Wanted {
        let account = Account::Exotel {
            account_sid: self.account_sid,
            cluster: self.cluster,
            country_code: self.country_code.unwrap_or(CallingCode::INDIA),
            lines: self.lines,
            sources: self.sources,
        };
        let url_secrets = vec![secret];
        let kept = ExotelCredentials::kept(self.credentials, VerifySecrets::Exotel { url_secrets });
        Wanted::of(self.name, account, kept)
    }
}

impl PlivoIn {
    pub(crate) fn wanted(self) -> Wanted {
        let account = Account::Plivo {
            auth_id: self.auth_id,
            lines: self.lines,
        };
        Wanted::of(self.name, account, self.credentials)
    }
}
