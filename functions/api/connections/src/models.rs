//! Connections as the API takes and gives them. Credentials are taken and never given.

use std::{borrow::Cow, marker::PhantomData, ops::RangeInclusive};

use domain::{
    account_shape::is_api_key_sid,
    call::Handling,
    checkup::{CheckResult, Quality},
    connection::{
        Account, CallingCode, Connection, ExotelCluster, Health, SendSecrets, SharedKey, Spoken, VerifySecrets,
        VoiceSettings,
    },
    ids::ConnectionId,
    ip_range::IpRange,
    phone::Phone,
    settings::{FieldProblem, LONGEST_NAME, is_line},
};
use garde::Validate;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

/// The providers, as the `kind` of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectionKind {
    /// Meta's WhatsApp Cloud API.
    Whatsapp,
    /// Twilio: calls, SMS, and WhatsApp where a sender is given.
    Twilio,
    /// Any telephone system, by the generic signed event.
    Telephony,
    /// Aircall.
    Aircall,
    /// Vonage's Voice API.
    Vonage,
    /// Exotel.
    Exotel,
    /// Plivo.
    Plivo,
}

impl ConnectionKind {
    pub(crate) const fn of(account: &Account) -> Self {
        match account {
            Account::WhatsApp { .. } => Self::Whatsapp,
            Account::Twilio { .. } => Self::Twilio,
            Account::Telephony { .. } => Self::Telephony,
            Account::Aircall { .. } => Self::Aircall,
            Account::Vonage { .. } => Self::Vonage,
            Account::Exotel { .. } => Self::Exotel,
            Account::Plivo { .. } => Self::Plivo,
        }
    }

    const ALL: [(&'static str, Self); 7] = [
        ("whatsapp", Self::Whatsapp),
        ("twilio", Self::Twilio),
        ("telephony", Self::Telephony),
        ("aircall", Self::Aircall),
        ("vonage", Self::Vonage),
        ("exotel", Self::Exotel),
        ("plivo", Self::Plivo),
    ];

    /// The kind that a body names.
    pub(crate) fn named(body: &Value) -> Result<Self, Vec<FieldProblem>> {
        let word = body["kind"].as_str();
        let found = word.and_then(|word| Self::ALL.iter().find(|(name, _)| *name == word));
        found.map(|(_, kind)| *kind).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
            vec![FieldProblem::new(
                "kind",
                format!("Expected one of {}.", names.join(", ")),
            )]
        })
    }
}

/// A body of one of several kinds, which its `kind` tells: kept as it came until the kind is known, so that a wrong field can
/// be named.
pub(crate) struct OneOf<T> {
    pub(crate) body: Value,
    of: PhantomData<fn() -> T>,
}

impl<'de, T> Deserialize<'de> for OneOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As a map, so that what is no object is refused here.
        let fields = serde_json::Map::<String, Value>::deserialize(deserializer)?;
        Ok(Self {
            body: Value::Object(fields),
            of: PhantomData,
        })
    }
}

impl<T> Validate for OneOf<T> {
    type Context = ();

    fn validate_into(&self, (): &(), _: &mut dyn FnMut() -> garde::Path, _: &mut garde::Report) {}
}

impl<T: PartialSchema> PartialSchema for OneOf<T> {
    fn schema() -> RefOr<Schema> {
        T::schema()
    }
}

impl<T: ToSchema> ToSchema for OneOf<T> {
    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

macro_rules! kinds {
    ($($name:ident { $word:ident } $text:literal;)*) => {
        $(
            #[doc = $text]
            #[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
            #[serde(rename_all = "snake_case")]
            pub(crate) enum $name {
                #[doc = $text]
                $word,
            }
        )*
    };
}

kinds! {
    WhatsappKind { Whatsapp } "Meta's WhatsApp Cloud API.";
    TwilioKind { Twilio } "Twilio.";
    TelephonyKind { Telephony } "Any telephone system, by the generic signed event.";
    AircallKind { Aircall } "Aircall.";
    VonageKind { Vonage } "Vonage.";
    ExotelKind { Exotel } "Exotel.";
    PlivoKind { Plivo } "Plivo.";
}

/// A connection to be made.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(discriminator(property_name = "kind", mapping(
    ("whatsapp" = "#/components/schemas/WhatsappIn"),
    ("twilio" = "#/components/schemas/TwilioIn"),
    ("telephony" = "#/components/schemas/TelephonyIn"),
    ("aircall" = "#/components/schemas/AircallIn"),
    ("vonage" = "#/components/schemas/VonageIn"),
    ("exotel" = "#/components/schemas/ExotelIn"),
    ("plivo" = "#/components/schemas/PlivoIn"),
)))]
#[expect(dead_code, reason = "what the document says of a body that is read by its kind")]
pub(crate) enum ConnectionIn {
    /// Meta's WhatsApp Cloud API.
    Whatsapp(WhatsappIn),
    /// Twilio.
    Twilio(TwilioIn),
    /// Any telephone system.
    Telephony(TelephonyIn),
    /// Aircall.
    Aircall(AircallIn),
    /// Vonage.
    Vonage(VonageIn),
    /// Exotel.
    Exotel(ExotelIn),
    /// Plivo.
    Plivo(PlivoIn),
}

/// Meta's WhatsApp Cloud API.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct WhatsappIn {
    /// `whatsapp`.
    #[expect(dead_code, reason = "read before the rest")]
    pub(crate) kind: WhatsappKind,
    /// For people.
    #[schema(min_length = 1, max_length = 100, example = "WhatsApp")]
    pub(crate) name: String,
    /// The WhatsApp Business Account's id.
    #[schema(pattern = "^[0-9]{5,20}$", example = "900000000000101")]
    pub(crate) waba_id: String,
    /// The sending number's id; not the number itself.
    #[schema(pattern = "^[0-9]{5,20}$", example = "910000000000101")]
    pub(crate) phone_number_id: String,
    /// The number as people see it, in E.164.
    #[schema(value_type = String, pattern = "^\\+[1-9][0-9]{6,14}$", example = "+97145550001")]
    pub(crate) display_number: Phone,
    /// What verifies and sends.
    #[garde(dive)]
    pub(crate) credentials: WhatsappCredentials,
}

/// What a WhatsApp connection verifies and sends with.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct WhatsappCredentials {
    /// The token of a system user that is assigned to the account.
    #[garde(custom(token_text))]
    #[schema(write_only, min_length = 8, max_length = 1024)]
    pub(crate) access_token: String,
    /// The secret of the Meta app that gets the events. Left out: the platform's own app does.
    #[serde(default)]
    #[garde(inner(custom(secret_text)))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    pub(crate) app_secret: Option<String>,
}

/// Twilio: calls, SMS, and WhatsApp where a sender is given.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct TwilioIn {
    /// `twilio`.
    #[expect(dead_code, reason = "read before the rest")]
    pub(crate) kind: TwilioKind,
    /// For people.
    #[schema(min_length = 1, max_length = 100, example = "Twilio")]
    pub(crate) name: String,
    /// The account.
    #[schema(pattern = "^AC[0-9a-f]{32}$", example = "AC000000000000000000000000000000b1")]
    pub(crate) account_sid: String,
    /// The numbers that belong to this connection; the first sends SMS unless a Messaging Service does.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100, example = json!(["+97145550001"]))]
    pub(crate) numbers: Vec<Phone>,
    /// A Messaging Service that sends SMS.
    #[serde(default)]
    #[schema(pattern = "^MG[0-9a-f]{32}$", example = "MG000000000000000000000000000000b1")]
    pub(crate) messaging_service_sid: Option<String>,
    /// The number that sends WhatsApp through Twilio.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^\\+[1-9][0-9]{6,14}$", example = "+97145550002")]
    pub(crate) whatsapp_sender: Option<Phone>,
    /// How calls are answered. Left out: by the tenant's own flow.
    #[serde(default)]
    pub(crate) voice: VoiceModel,
    /// What verifies and sends.
    #[garde(dive)]
    pub(crate) credentials: TwilioCredentials,
}

/// What a Twilio connection verifies and sends with.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct TwilioCredentials {
    /// The account's auth token: it signs webhooks.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    pub(crate) auth_token: String,
    /// Shared keys, for signatures by HMAC-SHA256.
    #[serde(default)]
    #[garde(length(max = 4), dive)]
    #[schema(write_only, max_items = 4)]
    pub(crate) shared_keys: Vec<SharedKeyIn>,
    /// The SID of an API key, which sends.
    #[garde(custom(key_sid))]
    #[schema(pattern = "^SK[0-9a-f]{32}$", example = "SK000000000000000000000000000000b1")]
    pub(crate) api_key_sid: String,
    /// The API key's secret.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    pub(crate) api_key_secret: String,
}

/// A shared key of Twilio's.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SharedKeyIn {
    /// Its id, as the signature's settings header names it.
    #[garde(length(min = 1, max = 100), ascii)]
    #[schema(min_length = 1, max_length = 100, example = "signing-key-1")]
    pub(crate) id: String,
    /// The secret.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    pub(crate) secret: String,
}

/// Any telephone system, by the generic signed event. Its secret is made here and shown once.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct TelephonyIn {
    /// `telephony`.
    #[expect(dead_code, reason = "read before the rest")]
    pub(crate) kind: TelephonyKind,
    /// For people.
    #[schema(min_length = 1, max_length = 100, example = "Front desk")]
    pub(crate) name: String,
    /// The lines that belong to this connection; none: all that it reports.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100, example = json!(["+97145550001"]))]
    pub(crate) lines: Vec<Phone>,
}

/// Aircall. Its token comes when its webhook is made there, under the address that this answers.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct AircallIn {
    /// `aircall`.
    #[expect(dead_code, reason = "read before the rest")]
    pub(crate) kind: AircallKind,
    /// For people.
    #[schema(min_length = 1, max_length = 100, example = "Aircall")]
    pub(crate) name: String,
    /// The lines that belong to this connection; none: all that it reports.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100, example = json!(["+97145550001"]))]
    pub(crate) lines: Vec<Phone>,
    /// What verifies; left out until the webhook is made at Aircall. No event is taken before.
    #[serde(default)]
    #[garde(dive)]
    pub(crate) credentials: Option<AircallCredentials>,
}

/// What an Aircall connection verifies with.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct AircallCredentials {
    /// The token that Aircall gave when the webhook was made: every event holds it.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    pub(crate) token: String,
}

/// Vonage's Voice API.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct VonageIn {
    /// `vonage`.
    #[expect(dead_code, reason = "read before the rest")]
    pub(crate) kind: VonageKind,
    /// For people.
    #[schema(min_length = 1, max_length = 100, example = "Vonage")]
    pub(crate) name: String,
    /// The account's API key, which names it: every signed event does.
    #[schema(min_length = 4, max_length = 32, example = "abcd1234")]
    pub(crate) api_key: String,
    /// The Voice application whose events these are; left out: any of the account.
    #[serde(default)]
    #[schema(
        pattern = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        example = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
    )]
    pub(crate) application_id: Option<String>,
    /// The lines that belong to this connection; none: all that it reports.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    pub(crate) lines: Vec<Phone>,
    /// What verifies.
    #[garde(dive)]
    pub(crate) credentials: VonageCredentials,
}

/// What a Vonage connection verifies with.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct VonageCredentials {
    /// The account's signature secret.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    pub(crate) signature_secret: String,
}

/// Exotel. It signs nothing: a secret that ends the addresses is made here and shown once.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct ExotelIn {
    /// `exotel`.
    #[expect(dead_code, reason = "read before the rest")]
    pub(crate) kind: ExotelKind,
    /// For people.
    #[schema(min_length = 1, max_length = 100, example = "Exotel")]
    pub(crate) name: String,
    /// The account's SID.
    #[schema(min_length = 1, max_length = 64, example = "saffron1")]
    pub(crate) account_sid: String,
    /// Where the account is kept.
    #[serde(default)]
    pub(crate) cluster: ClusterModel,
    /// The calling code that its national numbers belong to, without `+`; left out: 91.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[1-9][0-9]{0,2}$", example = "91")]
    pub(crate) country_code: Option<CallingCode>,
    /// The lines that belong to this connection; none: all that it reports.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    pub(crate) lines: Vec<Phone>,
    /// The addresses that may report; none: any.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 50, example = json!(["192.0.2.0/24"]))]
    pub(crate) sources: Vec<IpRange>,
}

/// Where Exotel keeps an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClusterModel {
    /// `api.exotel.com`.
    #[default]
    Singapore,
    /// `api.in.exotel.com`.
    Mumbai,
}

/// Plivo.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct PlivoIn {
    /// `plivo`.
    #[expect(dead_code, reason = "read before the rest")]
    pub(crate) kind: PlivoKind,
    /// For people.
    #[schema(min_length = 1, max_length = 100, example = "Plivo")]
    pub(crate) name: String,
    /// The account's auth id.
    #[schema(pattern = "^(MA|SA)[A-Za-z0-9_-]{8,30}$", example = "MAXXXXXXXXXXXXXXXXXX")]
    pub(crate) auth_id: String,
    /// The lines that belong to this connection; none: all that it reports.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    pub(crate) lines: Vec<Phone>,
    /// What verifies.
    #[garde(dive)]
    pub(crate) credentials: PlivoCredentials,
}

/// What a Plivo connection verifies with.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlivoCredentials {
    /// The account's auth token: it signs webhooks.
    #[garde(custom(secret_text))]
    #[schema(write_only, min_length = 8, max_length = 256)]
    pub(crate) auth_token: String,
}

/// New credentials for a connection. They replace the old ones at once; to change a secret without a gap, rotate.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(discriminator(property_name = "kind", mapping(
    ("whatsapp" = "#/components/schemas/WhatsappNewCredentials"),
    ("twilio" = "#/components/schemas/TwilioNewCredentials"),
    ("aircall" = "#/components/schemas/AircallNewCredentials"),
    ("vonage" = "#/components/schemas/VonageNewCredentials"),
    ("plivo" = "#/components/schemas/PlivoNewCredentials"),
)))]
#[expect(dead_code, reason = "what the document says of a body that is read by its kind")]
pub(crate) enum CredentialsIn {
    /// Of a WhatsApp connection.
    Whatsapp(WhatsappNewCredentials),
    /// Of a Twilio connection.
    Twilio(TwilioNewCredentials),
    /// Of an Aircall connection.
    Aircall(AircallNewCredentials),
    /// Of a Vonage connection.
    Vonage(VonageNewCredentials),
    /// Of a Plivo connection.
    Plivo(PlivoNewCredentials),
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
                pub(crate) kind: $kind,
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
    PlivoNewCredentials { PlivoKind, PlivoCredentials } "New credentials of a Plivo connection.";
}

/// A new secret for webhooks, valid together with the old ones.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretRotationIn {
    /// The provider's new secret: Twilio's auth token, the Meta app's secret, Aircall's token, Vonage's signature secret,
    /// Plivo's auth token. Left out for `telephony` and `exotel`, whose secrets are made here.
    #[serde(default)]
    #[garde(inner(custom(secret_text)))]
    #[schema(write_only, min_length = 8, max_length = 256)]
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

/// What a connection can be changed to. Each kind has some of the fields; what names its account never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub(crate) struct ConnectionSettings {
    /// For people.
    #[schema(min_length = 1, max_length = 100, example = "Front desk")]
    pub(crate) name: String,
    /// `whatsapp`: the number as people see it.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^\\+[1-9][0-9]{6,14}$", example = "+97145550001")]
    pub(crate) display_number: Option<Phone>,
    /// `twilio`: its numbers.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    pub(crate) numbers: Option<Vec<Phone>>,
    /// `twilio`: a Messaging Service that sends SMS.
    #[serde(default)]
    #[schema(pattern = "^MG[0-9a-f]{32}$")]
    pub(crate) messaging_service_sid: Option<String>,
    /// `twilio`: the number that sends WhatsApp.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^\\+[1-9][0-9]{6,14}$")]
    pub(crate) whatsapp_sender: Option<Phone>,
    /// `twilio`: how calls are answered.
    #[serde(default)]
    pub(crate) voice: Option<VoiceModel>,
    /// All but `whatsapp` and `twilio`: its lines; none: all that it reports.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    pub(crate) lines: Option<Vec<Phone>>,
    /// `vonage`: the Voice application; none: any of the account.
    #[serde(default)]
    #[schema(pattern = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
    pub(crate) application_id: Option<String>,
    /// `exotel`: where the account is kept.
    #[serde(default)]
    pub(crate) cluster: Option<ClusterModel>,
    /// `exotel`: the calling code of its national numbers.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[1-9][0-9]{0,2}$")]
    pub(crate) country_code: Option<CallingCode>,
    /// `exotel`: the addresses that may report; none: any.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    pub(crate) sources: Option<Vec<IpRange>>,
}

/// How a Twilio number answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct VoiceModel {
    /// What happens to a call.
    pub(crate) handling: HandlingModel,
    /// Where a forwarded call goes.
    #[schema(value_type = Option<String>, pattern = "^\\+[1-9][0-9]{6,14}$", example = "+97145550009")]
    pub(crate) forward_to: Option<Phone>,
    /// How long it rings there, in seconds.
    #[schema(minimum = 5, maximum = 600, example = 20)]
    pub(crate) forward_timeout_seconds: u32,
    /// What is said, in every language in order.
    #[schema(max_items = 10)]
    pub(crate) greeting: Vec<SpokenModel>,
    /// What is said after a forwarded call nobody took, before a recording or the end.
    #[schema(max_items = 10)]
    pub(crate) missed_greeting: Vec<SpokenModel>,
    /// Offer to leave a recording after a forwarded call nobody took.
    pub(crate) voicemail_after_missed: bool,
    /// The longest recording, in seconds.
    #[schema(minimum = 5, maximum = 600, example = 120)]
    pub(crate) voicemail_max_seconds: u32,
}

impl Default for VoiceModel {
    fn default() -> Self {
        Self {
            handling: HandlingModel::OwnFlow,
            forward_to: None,
            forward_timeout_seconds: 20,
            greeting: Vec::new(),
            missed_greeting: Vec::new(),
            voicemail_after_missed: false,
            voicemail_max_seconds: 120,
        }
    }
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HandlingModel {
    /// An announcement, then we hang up.
    Greet,
    /// A recording at once.
    Voicemail,
    /// Forwarded to the business.
    Forward,
    /// The tenant's own flow; only its callbacks come here.
    OwnFlow,
}

/// A sentence to be read out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpokenModel {
    /// BCP 47.
    #[schema(example = "en-GB")]
    pub(crate) language: String,
    /// The sentence.
    #[schema(min_length = 1, max_length = 1000, example = "Thank you for calling.")]
    pub(crate) text: String,
}

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
    /// Meta's rating of the number, as of the last test.
    pub(crate) quality: Option<NumberQuality>,
    /// The name under which customers see the number, as of the last test.
    pub(crate) verified_name: Option<String>,
    /// The provider's limits, as of the last test.
    pub(crate) limits: ConnectionLimits,
    /// The last test.
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
    /// The provider knows the account and its numbers.
    Passed,
    /// Somebody must act; the message says how.
    Failed,
    /// The provider did not answer.
    Unclear,
    /// There is nothing to ask: the first event tells.
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

/// A connection as it was asked for.
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) account: Account,
    pub(crate) verify: VerifySecrets,
    pub(crate) send: Option<SendSecrets>,
}

impl WhatsappIn {
    pub(crate) fn wanted(self, verify_token: String) -> Wanted {
        let (verify, send) = self.credentials.secrets(verify_token);
        Wanted {
            name: self.name,
            account: Account::WhatsApp {
                waba_id: self.waba_id,
                phone_number_id: self.phone_number_id,
                display_number: self.display_number,
            },
            verify,
            send: Some(send),
        }
    }
}

impl WhatsappCredentials {
    pub(crate) fn secrets(self, verify_token: String) -> (VerifySecrets, SendSecrets) {
        let verify = VerifySecrets::WhatsApp {
            app_secrets: self.app_secret.into_iter().collect(),
            verify_token,
        };
        let send = SendSecrets::WhatsApp {
            access_token: self.access_token,
        };
        (verify, send)
    }
}

impl TwilioIn {
    pub(crate) fn wanted(self) -> Wanted {
        let (verify, send) = self.credentials.secrets();
        Wanted {
            name: self.name,
            account: Account::Twilio {
                account_sid: self.account_sid,
                numbers: self.numbers,
                messaging_service_sid: self.messaging_service_sid,
                whatsapp_sender: self.whatsapp_sender,
                voice: self.voice.into(),
            },
            verify,
            send: Some(send),
        }
    }
}

impl TwilioCredentials {
    pub(crate) fn secrets(self) -> (VerifySecrets, SendSecrets) {
        let shared = |key: SharedKeyIn| SharedKey {
            id: key.id,
            secret: key.secret,
        };
        let verify = VerifySecrets::Twilio {
            auth_tokens: vec![self.auth_token],
            shared_keys: self.shared_keys.into_iter().map(shared).collect(),
        };
        let send = SendSecrets::Twilio {
            api_key_sid: self.api_key_sid,
            api_key_secret: self.api_key_secret,
        };
        (verify, send)
    }
}

impl TelephonyIn {
    pub(crate) fn wanted(self, secret: String) -> Wanted {
        Wanted {
            name: self.name,
            account: Account::Telephony { lines: self.lines },
            verify: VerifySecrets::Telephony { secrets: vec![secret] },
            send: None,
        }
    }
}

impl AircallIn {
    pub(crate) fn wanted(self) -> Wanted {
        let tokens = self.credentials.map(|credentials| credentials.token);
        Wanted {
            name: self.name,
            account: Account::Aircall { lines: self.lines },
            verify: VerifySecrets::Aircall {
                tokens: tokens.into_iter().collect(),
            },
            send: None,
        }
    }
}

impl VonageIn {
    pub(crate) fn wanted(self) -> Wanted {
        Wanted {
            name: self.name,
            account: Account::Vonage {
                api_key: self.api_key,
                application_id: self.application_id,
                lines: self.lines,
            },
            verify: VerifySecrets::Vonage {
                signature_secrets: vec![self.credentials.signature_secret],
            },
            send: None,
        }
    }
}

impl ExotelIn {
    pub(crate) fn wanted(self, secret: String) -> Wanted {
        Wanted {
            name: self.name,
            account: Account::Exotel {
                account_sid: self.account_sid,
                cluster: self.cluster.into(),
                country_code: self.country_code.unwrap_or(CallingCode::INDIA),
                lines: self.lines,
                sources: self.sources,
            },
            verify: VerifySecrets::Exotel {
                url_secrets: vec![secret],
            },
            send: None,
        }
    }
}

impl PlivoIn {
    pub(crate) fn wanted(self) -> Wanted {
        Wanted {
            name: self.name,
            account: Account::Plivo {
                auth_id: self.auth_id,
                lines: self.lines,
            },
            verify: VerifySecrets::Plivo {
                auth_tokens: vec![self.credentials.auth_token],
            },
            send: None,
        }
    }
}

impl From<ClusterModel> for ExotelCluster {
    fn from(cluster: ClusterModel) -> Self {
        match cluster {
            ClusterModel::Singapore => Self::Singapore,
            ClusterModel::Mumbai => Self::Mumbai,
        }
    }
}

impl From<ExotelCluster> for ClusterModel {
    fn from(cluster: ExotelCluster) -> Self {
        match cluster {
            ExotelCluster::Singapore => Self::Singapore,
            ExotelCluster::Mumbai => Self::Mumbai,
        }
    }
}

impl From<VoiceModel> for VoiceSettings {
    fn from(voice: VoiceModel) -> Self {
        let spoken = |spoken: SpokenModel| Spoken {
            language: spoken.language,
            text: spoken.text,
        };
        Self {
            handling: match voice.handling {
                HandlingModel::Greet => Handling::Greet,
                HandlingModel::Voicemail => Handling::Voicemail,
                HandlingModel::Forward => Handling::Forward,
                HandlingModel::OwnFlow => Handling::OwnFlow,
            },
            forward_to: voice.forward_to,
            forward_timeout_seconds: voice.forward_timeout_seconds,
            greeting: voice.greeting.into_iter().map(spoken).collect(),
            missed_greeting: voice.missed_greeting.into_iter().map(spoken).collect(),
            voicemail_after_missed: voice.voicemail_after_missed,
            voicemail_max_seconds: voice.voicemail_max_seconds,
        }
    }
}

impl From<&VoiceSettings> for VoiceModel {
    fn from(voice: &VoiceSettings) -> Self {
        let spoken = |spoken: &Spoken| SpokenModel {
            language: spoken.language.clone(),
            text: spoken.text.clone(),
        };
        Self {
            handling: match voice.handling {
                Handling::Greet => HandlingModel::Greet,
                Handling::Voicemail => HandlingModel::Voicemail,
                Handling::Forward => HandlingModel::Forward,
                Handling::OwnFlow => HandlingModel::OwnFlow,
            },
            forward_to: voice.forward_to.clone(),
            forward_timeout_seconds: voice.forward_timeout_seconds,
            greeting: voice.greeting.iter().map(spoken).collect(),
            missed_greeting: voice.missed_greeting.iter().map(spoken).collect(),
            voicemail_after_missed: voice.voicemail_after_missed,
            voicemail_max_seconds: voice.voicemail_max_seconds,
        }
    }
}

impl From<&Connection> for ConnectionSettings {
    fn from(connection: &Connection) -> Self {
        let mut settings = Self {
            name: connection.name.clone(),
            display_number: None,
            numbers: None,
            messaging_service_sid: None,
            whatsapp_sender: None,
            voice: None,
            lines: None,
            application_id: None,
            cluster: None,
            country_code: None,
            sources: None,
        };
        match &connection.account {
            Account::WhatsApp { display_number, .. } => settings.display_number = Some(display_number.clone()),
            Account::Twilio {
                numbers,
                messaging_service_sid,
                whatsapp_sender,
                voice,
                ..
            } => {
                settings.numbers = Some(numbers.clone());
                settings.messaging_service_sid.clone_from(messaging_service_sid);
                settings.whatsapp_sender.clone_from(whatsapp_sender);
                settings.voice = Some(voice.into());
            }
            Account::Telephony { lines } | Account::Aircall { lines } | Account::Plivo { lines, .. } => {
                settings.lines = Some(lines.clone());
            }
            Account::Vonage {
                application_id, lines, ..
            } => {
                settings.application_id.clone_from(application_id);
                settings.lines = Some(lines.clone());
            }
            Account::Exotel {
                cluster,
                country_code,
                lines,
                sources,
                ..
            } => {
                settings.cluster = Some((*cluster).into());
                settings.country_code = Some(*country_code);
                settings.lines = Some(lines.clone());
                settings.sources = Some(sources.clone());
            }
        }
        settings
    }
}

impl ConnectionSettings {
    /// The fields that are given and that a connection of this account does not have.
    fn foreign(&self, account: &Account) -> Vec<&'static str> {
        let whatsapp = matches!(account, Account::WhatsApp { .. });
        let twilio = matches!(account, Account::Twilio { .. });
        let vonage = matches!(account, Account::Vonage { .. });
        let exotel = matches!(account, Account::Exotel { .. });
        let fields = [
            ("display_number", self.display_number.is_some(), whatsapp),
            ("numbers", self.numbers.is_some(), twilio),
            ("messaging_service_sid", self.messaging_service_sid.is_some(), twilio),
            ("whatsapp_sender", self.whatsapp_sender.is_some(), twilio),
            ("voice", self.voice.is_some(), twilio),
            ("lines", self.lines.is_some(), !whatsapp && !twilio),
            ("application_id", self.application_id.is_some(), vonage),
            ("cluster", self.cluster.is_some(), exotel),
            ("country_code", self.country_code.is_some(), exotel),
            ("sources", self.sources.is_some(), exotel),
        ];
        let foreign = fields.into_iter().filter(|(_, given, own)| *given && !own);
        foreign.map(|(field, ..)| field).collect()
    }

    /// The connection with these settings; what its kind does not have, or must have, is named.
    pub(crate) fn of(self, before: &Connection) -> Result<Connection, Vec<FieldProblem>> {
        let mut problems = name_problems(&self.name);
        let mut account = before.account.clone();
        let kind = account.kind();
        let foreign = self.foreign(&account).into_iter();
        problems
            .extend(foreign.map(|field| FieldProblem::new(field, format!("A {kind} connection has no such field."))));
        match &mut account {
            Account::WhatsApp { display_number, .. } => match self.display_number {
                Some(number) => *display_number = number,
                None => problems.push(FieldProblem::new("display_number", "This field is missing.")),
            },
            Account::Twilio {
                numbers,
                messaging_service_sid,
                whatsapp_sender,
                voice,
                ..
            } => {
                *numbers = self.numbers.unwrap_or_default();
                *messaging_service_sid = self.messaging_service_sid;
                *whatsapp_sender = self.whatsapp_sender;
                *voice = self.voice.unwrap_or_default().into();
            }
            Account::Telephony { lines } | Account::Aircall { lines } | Account::Plivo { lines, .. } => {
                *lines = self.lines.unwrap_or_default();
            }
            Account::Vonage {
                application_id, lines, ..
            } => {
                *application_id = self.application_id;
                *lines = self.lines.unwrap_or_default();
            }
            Account::Exotel {
                cluster,
                country_code,
                lines,
                sources,
                ..
            } => {
                *cluster = self.cluster.unwrap_or_default().into();
                *country_code = self.country_code.unwrap_or(CallingCode::INDIA);
                *lines = self.lines.unwrap_or_default();
                *sources = self.sources.unwrap_or_default();
            }
        }
        problems.extend(account.problems());
        if problems.is_empty() {
            Ok(Connection {
                name: self.name,
                account,
                ..before.clone()
            })
        } else {
            Err(problems)
        }
    }
}

/// What is wrong with a connection's name.
pub(crate) fn name_problems(name: &str) -> Vec<FieldProblem> {
    if is_line(name, LONGEST_NAME) {
        return Vec::new();
    }
    let bounds = format!("Expected one line of 1 to {LONGEST_NAME} characters.");
    vec![FieldProblem::new("name", bounds)]
}

impl From<&Connection> for ConnectionOut {
    fn from(connection: &Connection) -> Self {
        let ConnectionSettings {
            name,
            display_number,
            numbers,
            messaging_service_sid,
            whatsapp_sender,
            voice,
            lines,
            application_id,
            cluster,
            country_code,
            sources,
        } = ConnectionSettings::from(connection);
        let checkup = connection.checkup.as_ref();
        let made = i64::try_from(connection.id.ulid().timestamp_ms()).unwrap_or_default();
        Self {
            id: connection.id,
            kind: ConnectionKind::of(&connection.account),
            name,
            account: ProviderAccount::from(&connection.account),
            display_number,
            numbers,
            messaging_service_sid,
            whatsapp_sender,
            voice,
            lines,
            application_id,
            cluster,
            country_code,
            sources,
            health: ConnectionHealth::from(&connection.health),
            paused_until: connection.paused_until,
            quality: checkup.and_then(|checkup| checkup.quality).map(NumberQuality::from),
            verified_name: checkup.and_then(|checkup| checkup.verified_name.clone()),
            limits: ConnectionLimits {
                messages_per_second: checkup.and_then(|checkup| checkup.messages_per_second),
                customers_per_day: checkup.and_then(|checkup| checkup.customers_per_day),
            },
            last_test: checkup.map(|checkup| ConnectionTest {
                at: checkup.at,
                result: match checkup.result {
                    CheckResult::Passed => ConnectionTestResult::Passed,
                    CheckResult::Failed => ConnectionTestResult::Failed,
                    CheckResult::Unclear => ConnectionTestResult::Unclear,
                    CheckResult::Waiting => ConnectionTestResult::Waiting,
                },
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

impl From<Quality> for NumberQuality {
    fn from(quality: Quality) -> Self {
        match quality {
            Quality::Green => Self::Green,
            Quality::Yellow => Self::Yellow,
            Quality::Red => Self::Red,
            Quality::Unknown => Self::Unknown,
        }
    }
}
