//! New connections and credentials.

use std::ops::RangeInclusive;

use api::{IpRangeText, PhoneText};
use domain::{
    account_shape::is_api_key_sid,
    connection::{Account, CallingCode, SendSecrets, SharedKey, VerifySecrets},
    ip_range::IpRange,
    phone::Phone,
};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    kinds::{AircallKind, ExotelKind, PlivoKind, TelephonyKind, TwilioKind, VonageKind, WhatsappKind, one_of},
    settings::{ClusterModel, VoiceModel},
};

one_of! {
    /// A new connection.
    ConnectionIn {
        /// Meta's WhatsApp Cloud API.
        Whatsapp = "whatsapp": WhatsappIn,
        /// Twilio.
        Twilio = "twilio": TwilioIn,
        /// Any telephone system, by the generic event.
        Telephony = "telephony": TelephonyIn,
        /// Aircall.
        Aircall = "aircall": AircallIn,
        /// Vonage.
        Vonage = "vonage": VonageIn,
        /// Exotel.
        Exotel = "exotel": ExotelIn,
        /// Plivo.
        Plivo = "plivo": PlivoIn,
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
            #[derive(Deserialize, ToSchema, Validate)]
            #[serde(deny_unknown_fields)]
            #[garde(allow_unvalidated)]
            pub(crate) struct $model {
                #[doc = $word]
                #[expect(dead_code, reason = "read before the rest")]
                kind: $kind,
                /// Display name.
                #[schema(min_length = 1, max_length = 100, example = $example)]
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
        #[schema(pattern = "^[0-9]{5,20}$", example = "900000000000101")]
        waba_id: String,
        /// Meta's id of the sending number, not the number itself.
        #[schema(pattern = "^[0-9]{5,20}$", example = "910000000000101")]
        phone_number_id: String,
        /// Phone number in E.164.
        #[schema(value_type = String, pattern = "^\\+[1-9][0-9]{6,14}$", example = "+97145550001")]
        display_number: Phone,
        /// Credentials for webhooks and sending.
        #[garde(dive)]
        credentials: WhatsappCredentials,
    }

    /// Twilio: calls, SMS, and WhatsApp if a sender is given.
    TwilioIn {
        /// Always `twilio`.
        kind: TwilioKind, name like "Twilio",
        /// SID of the account.
        #[schema(pattern = "^AC[0-9a-f]{32}$", example = "AC000000000000000000000000000000b1")]
        account_sid: String,
        /// Numbers of this connection. The first one sends SMS unless a Messaging Service does.
        #[serde(default)]
        #[schema(value_type = Vec<PhoneText>, max_items = 100, example = json!(["+97145550001"]))]
        numbers: Vec<Phone>,
        /// SID of a Messaging Service that sends SMS.
        #[schema(pattern = "^MG[0-9a-f]{32}$", example = "MG000000000000000000000000000000b1")]
        messaging_service_sid: Option<String>,
        /// Number that sends WhatsApp through Twilio.
        #[schema(value_type = Option<String>, pattern = "^\\+[1-9][0-9]{6,14}$", example = "+97145550002")]
        whatsapp_sender: Option<Phone>,
        /// Call handling. If omitted, the tenant's own call flow answers.
        #[serde(default)]
        voice: VoiceModel,
        /// Credentials for webhooks and sending.
        #[garde(dive)]
        credentials: TwilioCredentials,
    }

    /// Any telephone system, by the generic signed event. Its secret is generated and shown once.
    TelephonyIn {
        /// Always `telephony`.
        kind: TelephonyKind, name like "Front desk",
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[schema(value_type = Vec<PhoneText>, max_items = 100)]
        lines: Vec<Phone>,
    }

    /// Aircall. Its token is issued when the webhook is created at Aircall, with the address in this response.
    AircallIn {
        /// Always `aircall`.
        kind: AircallKind, name like "Aircall",
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[schema(value_type = Vec<PhoneText>, max_items = 100)]
        lines: Vec<Phone>,
        /// Credentials. Omit them until the webhook exists at Aircall. No event is accepted before.
        #[garde(dive)]
        credentials: Option<AircallCredentials>,
    }

    /// Vonage's Voice API.
    VonageIn {
        /// Always `vonage`.
        kind: VonageKind, name like "Vonage",
        /// API key of the account, which identifies it in every signed event.
        #[schema(min_length = 4, max_length = 32, example = "abcd1234")]
        api_key: String,
        /// Voice application whose events are accepted. If omitted, any application of the account.
        #[schema(
            pattern = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
            example = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
        )]
        application_id: Option<String>,
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[schema(value_type = Vec<PhoneText>, max_items = 100)]
        lines: Vec<Phone>,
        /// Credentials for webhooks.
        #[garde(dive)]
        credentials: VonageCredentials,
    }

    /// Exotel, which does not sign its events. A generated secret at the end of the addresses, shown once, proves them.
    ExotelIn {
        /// Always `exotel`.
        kind: ExotelKind, name like "Exotel",
        /// SID of the account.
        #[schema(min_length = 1, max_length = 64, example = "saffron1")]
        account_sid: String,
        /// Exotel region of the account.
        #[serde(default)]
        cluster: ClusterModel,
        /// Calling code of its national numbers, without `+`. Default: 91.
        #[schema(value_type = Option<String>, pattern = "^[1-9][0-9]{0,2}$", example = "91")]
        country_code: Option<CallingCode>,
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[schema(value_type = Vec<PhoneText>, max_items = 100)]
        lines: Vec<Phone>,
        /// IP addresses that may report events. Empty: any.
        #[serde(default)]
        #[schema(value_type = Vec<IpRangeText>, max_items = 50, example = json!(["192.0.2.0/24"]))]
        sources: Vec<IpRange>,
        /// Credentials for testing the connection.
        #[garde(dive)]
        credentials: Option<ExotelCredentials>,
    }

    /// Plivo.
    PlivoIn {
        /// Always `plivo`.
        kind: PlivoKind, name like "Plivo",
        /// Auth id of the account.
        #[schema(pattern = "^(MA|SA)[A-Za-z0-9_-]{8,30}$", example = "MAXXXXXXXXXXXXXXXXXX")]
        auth_id: String,
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[schema(value_type = Vec<PhoneText>, max_items = 100)]
        lines: Vec<Phone>,
        /// Credentials for webhooks.
        #[garde(dive)]
        credentials: PlivoCredentials,
    }
}

/// Credentials of a WhatsApp connection.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct WhatsappCredentials {
    /// Access token of a system user that is assigned to the WhatsApp account.
    #[garde(custom(token_text))]
    #[schema(write_only, min_length = 8, max_length = 1024)]
    access_token: String,
    /// Secret of the Meta app that receives the events. If omitted, the platform's own app receives them.
    #[garde(inner(custom(secret_text)))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    app_secret: Option<String>,
}

/// Credentials of a Twilio connection.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct TwilioCredentials {
    /// Auth token of the account, which signs webhooks.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    auth_token: String,
    /// Shared keys, for signatures by HMAC-SHA256.
    #[serde(default)]
    #[garde(length(max = 4), dive)]
    #[schema(write_only, max_items = 4)]
    shared_keys: Vec<SharedKeyIn>,
    /// SID of the API key that sends messages.
    #[garde(custom(key_sid))]
    #[schema(pattern = "^SK[0-9a-f]{32}$", example = "SK000000000000000000000000000000b1")]
    api_key_sid: String,
    /// Secret of the API key.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    api_key_secret: String,
}

/// A shared key of Twilio.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SharedKeyIn {
    /// Id of the key, as in the signature's settings header.
    #[garde(length(min = 1, max = 100), ascii)]
    #[schema(min_length = 1, max_length = 100, example = "signing-key-1")]
    id: String,
    /// Secret of the key.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    secret: String,
}

/// Credentials of an Aircall connection.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct AircallCredentials {
    /// Token that Aircall issued for the webhook. Every event holds it.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    token: String,
    /// Key of Aircall's API, for testing the connection.
    #[garde(dive)]
    api_key: Option<AircallApiKey>,
}

/// A key of Aircall's API.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct AircallApiKey {
    /// Id of the key.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256, example = "ab12cd34ef56ab78")]
    api_id: String,
    /// Token of the key.
    #[garde(custom(secret_text))]
    #[schema(
        write_only,
        min_length = 8,
        max_length = 256,
        example = "0123456789abcdef0123456789abcdef"
    )]
    api_token: String,
}

/// Credentials of a Vonage connection.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct VonageCredentials {
    /// Signature secret of the account.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    signature_secret: String,
    /// Secret of the account's API key, for testing the connection. It does not sign events.
    #[garde(inner(custom(secret_text)))]
    #[schema(write_only, min_length = 8, max_length = 256, example = "ABCDEFGH01234abc")]
    api_secret: Option<String>,
}

/// Credentials of an Exotel connection, for testing it.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExotelCredentials {
    /// API key.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256, example = "0123456789abcdef")]
    api_key: String,
    /// Token of the API key.
    #[garde(custom(secret_text))]
    #[schema(
        write_only,
        min_length = 8,
        max_length = 256,
        example = "0123456789abcdef0123456789abcdef"
    )]
    api_token: String,
}

/// Credentials of a Plivo connection.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlivoCredentials {
    /// Auth token of the account, which signs webhooks and opens Plivo's API.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    auth_token: String,
}

one_of! {
    /// New credentials of a connection. They replace the old ones at once. To change a webhook secret without a gap, rotate it.
    CredentialsIn {
        /// Credentials of a WhatsApp connection.
        Whatsapp = "whatsapp": WhatsappNewCredentials,
        /// Credentials of a Twilio connection.
        Twilio = "twilio": TwilioNewCredentials,
        /// Credentials of an Aircall connection.
        Aircall = "aircall": AircallNewCredentials,
        /// Credentials of a Vonage connection.
        Vonage = "vonage": VonageNewCredentials,
        /// Credentials of an Exotel connection.
        Exotel = "exotel": ExotelNewCredentials,
        /// Credentials of a Plivo connection.
        Plivo = "plivo": PlivoNewCredentials,
    }
}

macro_rules! new_credentials {
    ($($name:ident { $kind:ident, $credentials:ident } $text:literal;)*) => {
        $(
            #[doc = $text]
            #[derive(Deserialize, ToSchema, Validate)]
            #[serde(deny_unknown_fields)]
            #[garde(allow_unvalidated)]
            pub(crate) struct $name {
                /// Kind of the connection.
                #[expect(dead_code, reason = "read before the rest")]
                kind: $kind,
                /// All credentials of the connection.
                #[garde(dive)]
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
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretRotationIn {
    /// The provider's new secret: Twilio's auth token, the Meta app's secret, Aircall's token, Vonage's signature secret or
    /// Plivo's auth token. Omit it for `telephony` and `exotel`, whose secrets are generated, and for `whatsapp` to get a new
    /// verify token.
    #[garde(inner(custom(secret_text)))]
    #[schema(
        write_only,
        min_length = 8,
        max_length = 256,
        example = "fedcba9876543210fedcba9876543210"
    )]
    pub(crate) secret: Option<String>,
}

fn visible(text: &str, lengths: RangeInclusive<usize>) -> garde::Result {
    if lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        let (least, most) = (lengths.start(), lengths.end());
        Err(garde::Error::new(format!(
            "expected {least} to {most} visible ASCII characters"
        )))
    }
}

fn secret_text(text: &str, (): &()) -> garde::Result {
    visible(text, 8..=256)
}

fn token_text(text: &str, (): &()) -> garde::Result {
    visible(text, 8..=1_024)
}

fn key_sid(text: &str, (): &()) -> garde::Result {
    if is_api_key_sid(text) {
        Ok(())
    } else {
        Err(garde::Error::new("expected SK and 32 digits or letters a to f"))
    }
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
                app_secrets: self.app_secret.into_iter().collect(),
                verify_token,
            },
            send: Some(SendSecrets::WhatsApp {
                access_token: self.access_token,
            }),
        }
    }
}

same! { fields SharedKeyIn => SharedKey: id, secret }

impl From<TwilioCredentials> for Kept {
    fn from(given: TwilioCredentials) -> Self {
        Self {
            verify: VerifySecrets::Twilio {
                auth_tokens: vec![given.auth_token],
                shared_keys: given.shared_keys.into_iter().map(SharedKey::from).collect(),
            },
            send: Some(SendSecrets::Twilio {
                api_key_sid: given.api_key_sid,
                api_key_secret: given.api_key_secret,
            }),
        }
    }
}

impl From<Option<AircallCredentials>> for Kept {
    fn from(given: Option<AircallCredentials>) -> Self {
        let (tokens, api_key) = given.map_or_else(Default::default, |given| (vec![given.token], given.api_key));
        Self {
            verify: VerifySecrets::Aircall { tokens },
            send: api_key.map(|AircallApiKey { api_id, api_token }| SendSecrets::Aircall { api_id, api_token }),
        }
    }
}

impl From<VonageCredentials> for Kept {
    fn from(given: VonageCredentials) -> Self {
        Self {
            verify: VerifySecrets::Vonage {
                signature_secrets: vec![given.signature_secret],
            },
            send: given.api_secret.map(|api_secret| SendSecrets::Vonage { api_secret }),
        }
    }
}

impl ExotelCredentials {
    pub(crate) fn kept(given: Option<Self>, verify: VerifySecrets) -> Kept {
        let send = given.map(|Self { api_key, api_token }| SendSecrets::Exotel { api_key, api_token });
        Kept { verify, send }
    }
}

impl From<PlivoCredentials> for Kept {
    fn from(given: PlivoCredentials) -> Self {
        let auth_tokens = vec![given.auth_token];
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
            cluster: self.cluster.into(),
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
