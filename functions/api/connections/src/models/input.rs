//! Connections that are to be made, and credentials.

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
    /// A connection to be made.
    ConnectionIn {
        /// Meta's WhatsApp Cloud API.
        Whatsapp = "whatsapp": WhatsappIn,
        /// Twilio.
        Twilio = "twilio": TwilioIn,
        /// Any telephone system.
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

/// Models of connections to be made. Each begins with its kind, which was read before the rest, and a name.
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
                /// For people.
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
        /// `whatsapp`.
        kind: WhatsappKind, name like "WhatsApp",
        /// The WhatsApp Business Account's id.
        #[schema(pattern = "^[0-9]{5,20}$", example = "900000000000101")]
        waba_id: String,
        /// The sending number's id; not the number itself.
        #[schema(pattern = "^[0-9]{5,20}$", example = "910000000000101")]
        phone_number_id: String,
        /// The number as people see it, in E.164.
        #[schema(value_type = String, pattern = "^\\+[1-9][0-9]{6,14}$", example = "+97145550001")]
        display_number: Phone,
        /// What verifies and sends.
        #[garde(dive)]
        credentials: WhatsappCredentials,
    }

    /// Twilio: calls, SMS, and WhatsApp where a sender is given.
    TwilioIn {
        /// `twilio`.
        kind: TwilioKind, name like "Twilio",
        /// The account.
        #[schema(pattern = "^AC[0-9a-f]{32}$", example = "AC000000000000000000000000000000b1")]
        account_sid: String,
        /// The numbers that belong to this connection; the first sends SMS unless a Messaging Service does.
        #[serde(default)]
        #[schema(value_type = Vec<PhoneText>, max_items = 100, example = json!(["+97145550001"]))]
        numbers: Vec<Phone>,
        /// A Messaging Service that sends SMS.
        #[schema(pattern = "^MG[0-9a-f]{32}$", example = "MG000000000000000000000000000000b1")]
        messaging_service_sid: Option<String>,
        /// The number that sends WhatsApp through Twilio.
        #[schema(value_type = Option<String>, pattern = "^\\+[1-9][0-9]{6,14}$", example = "+97145550002")]
        whatsapp_sender: Option<Phone>,
        /// How calls are answered. Left out: by the tenant's own flow.
        #[serde(default)]
        voice: VoiceModel,
        /// What verifies and sends.
        #[garde(dive)]
        credentials: TwilioCredentials,
    }

    /// Any telephone system, by the generic signed event. Its secret is made here and shown once.
    TelephonyIn {
        /// `telephony`.
        kind: TelephonyKind, name like "Front desk",
        /// The lines that belong to this connection; none: all that it reports.
        #[serde(default)]
        #[schema(value_type = Vec<PhoneText>, max_items = 100)]
        lines: Vec<Phone>,
    }

    /// Aircall. Its token comes when its webhook is made there, under the address that this answers.
    AircallIn {
        /// `aircall`.
        kind: AircallKind, name like "Aircall",
        /// The lines that belong to this connection; none: all that it reports.
        #[serde(default)]
        #[schema(value_type = Vec<PhoneText>, max_items = 100)]
        lines: Vec<Phone>,
        /// What verifies; left out until the webhook is made at Aircall. No event is taken before.
        #[garde(dive)]
        credentials: Option<AircallCredentials>,
    }

    /// Vonage's Voice API.
    VonageIn {
        /// `vonage`.
        kind: VonageKind, name like "Vonage",
        /// The account's API key, which names it: every signed event does.
        #[schema(min_length = 4, max_length = 32, example = "abcd1234")]
        api_key: String,
        /// The Voice application whose events these are; left out: any of the account.
        #[schema(
            pattern = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
            example = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
        )]
        application_id: Option<String>,
        /// The lines that belong to this connection; none: all that it reports.
        #[serde(default)]
        #[schema(value_type = Vec<PhoneText>, max_items = 100)]
        lines: Vec<Phone>,
        /// What verifies.
        #[garde(dive)]
        credentials: VonageCredentials,
    }

    /// Exotel. It signs nothing: a secret that ends the addresses is made here and shown once.
    ExotelIn {
        /// `exotel`.
        kind: ExotelKind, name like "Exotel",
        /// The account's SID.
        #[schema(min_length = 1, max_length = 64, example = "saffron1")]
        account_sid: String,
        /// Where the account is kept.
        #[serde(default)]
        cluster: ClusterModel,
        /// The calling code that its national numbers belong to, without `+`; left out: 91.
        #[schema(value_type = Option<String>, pattern = "^[1-9][0-9]{0,2}$", example = "91")]
        country_code: Option<CallingCode>,
        /// The lines that belong to this connection; none: all that it reports.
        #[serde(default)]
        #[schema(value_type = Vec<PhoneText>, max_items = 100)]
        lines: Vec<Phone>,
        /// The addresses that may report; none: any.
        #[serde(default)]
        #[schema(value_type = Vec<IpRangeText>, max_items = 50, example = json!(["192.0.2.0/24"]))]
        sources: Vec<IpRange>,
        /// What the account is asked with when the connection is tested.
        #[garde(dive)]
        credentials: Option<ExotelCredentials>,
    }

    /// Plivo.
    PlivoIn {
        /// `plivo`.
        kind: PlivoKind, name like "Plivo",
        /// The account's auth id.
        #[schema(pattern = "^(MA|SA)[A-Za-z0-9_-]{8,30}$", example = "MAXXXXXXXXXXXXXXXXXX")]
        auth_id: String,
        /// The lines that belong to this connection; none: all that it reports.
        #[serde(default)]
        #[schema(value_type = Vec<PhoneText>, max_items = 100)]
        lines: Vec<Phone>,
        /// What verifies.
        #[garde(dive)]
        credentials: PlivoCredentials,
    }
}

/// What a WhatsApp connection verifies and sends with.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct WhatsappCredentials {
    /// The token of a system user that is assigned to the account.
    #[garde(custom(token_text))]
    #[schema(write_only, min_length = 8, max_length = 1024)]
    access_token: String,
    /// The secret of the Meta app that gets the events. Left out: the platform's own app does.
    #[garde(inner(custom(secret_text)))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    app_secret: Option<String>,
}

/// What a Twilio connection verifies and sends with.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct TwilioCredentials {
    /// The account's auth token: it signs webhooks.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    auth_token: String,
    /// Shared keys, for signatures by HMAC-SHA256.
    #[serde(default)]
    #[garde(length(max = 4), dive)]
    #[schema(write_only, max_items = 4)]
    shared_keys: Vec<SharedKeyIn>,
    /// The SID of an API key, which sends.
    #[garde(custom(key_sid))]
    #[schema(pattern = "^SK[0-9a-f]{32}$", example = "SK000000000000000000000000000000b1")]
    api_key_sid: String,
    /// The API key's secret.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    api_key_secret: String,
}

/// A shared key of Twilio's.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SharedKeyIn {
    /// Its id, as the signature's settings header names it.
    #[garde(length(min = 1, max = 100), ascii)]
    #[schema(min_length = 1, max_length = 100, example = "signing-key-1")]
    id: String,
    /// The secret.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    secret: String,
}

/// What an Aircall connection verifies with, and is tested with.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct AircallCredentials {
    /// The token that Aircall gave when the webhook was made: every event holds it.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    token: String,
    /// A key of Aircall's API, to be asked when the connection is tested.
    #[garde(dive)]
    api_key: Option<AircallApiKey>,
}

/// A key of Aircall's API.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct AircallApiKey {
    /// Its id.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256, example = "ab12cd34ef56ab78")]
    api_id: String,
    /// Its token.
    #[garde(custom(secret_text))]
    #[schema(
        write_only,
        min_length = 8,
        max_length = 256,
        example = "0123456789abcdef0123456789abcdef"
    )]
    api_token: String,
}

/// What a Vonage connection verifies with, and is tested with.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct VonageCredentials {
    /// The account's signature secret.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    signature_secret: String,
    /// The secret of the account's API key, to be asked when the connection is tested; it does not sign.
    #[garde(inner(custom(secret_text)))]
    #[schema(write_only, min_length = 8, max_length = 256, example = "ABCDEFGH01234abc")]
    api_secret: Option<String>,
}

/// What an Exotel connection is tested with.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExotelCredentials {
    /// The API key.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256, example = "0123456789abcdef")]
    api_key: String,
    /// Its token.
    #[garde(custom(secret_text))]
    #[schema(
        write_only,
        min_length = 8,
        max_length = 256,
        example = "0123456789abcdef0123456789abcdef"
    )]
    api_token: String,
}

/// What a Plivo connection verifies with, and is tested with.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlivoCredentials {
    /// The account's auth token: it signs webhooks, and opens Plivo's API.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    auth_token: String,
}

one_of! {
    /// New credentials for a connection. They replace the old ones at once; to change a secret without a gap, rotate.
    CredentialsIn {
        /// Of a WhatsApp connection.
        Whatsapp = "whatsapp": WhatsappNewCredentials,
        /// Of a Twilio connection.
        Twilio = "twilio": TwilioNewCredentials,
        /// Of an Aircall connection.
        Aircall = "aircall": AircallNewCredentials,
        /// Of a Vonage connection.
        Vonage = "vonage": VonageNewCredentials,
        /// Of an Exotel connection.
        Exotel = "exotel": ExotelNewCredentials,
        /// Of a Plivo connection.
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
                /// The connection's kind.
                #[expect(dead_code, reason = "read before the rest")]
                kind: $kind,
                /// The credentials, all of them.
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
        "New credentials of an Exotel connection's API. The secret of its addresses stays: rotate it.";
    PlivoNewCredentials { PlivoKind, PlivoCredentials } "New credentials of a Plivo connection.";
}

/// A new secret for webhooks, valid together with the old ones.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretRotationIn {
    /// The provider's new secret: Twilio's auth token, the Meta app's secret, Aircall's token, Vonage's signature secret,
    /// Plivo's auth token. Left out for `telephony` and `exotel`, whose secrets are made here, and for `whatsapp` to get a
    /// new verify token.
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

/// A connection as it was asked for.
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

/// Credentials as they are kept: what verifies webhooks, and what sends if anything does.
pub(crate) struct Kept {
    pub(crate) verify: VerifySecrets,
    pub(crate) send: Option<SendSecrets>,
}

impl Kept {
    /// What the provider is asked with when the connection is tested.
    pub(crate) fn asks_with(&self) -> Option<SendSecrets> {
        self.send.clone().or_else(|| opens_api(&self.verify))
    }
}

/// What opens the provider's API because it verifies: the newest of Plivo's auth tokens.
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
