//! Twilio: calls, SMS and WhatsApp. Its webhooks are signed with the account's auth token or a shared key; an API key sends.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::kind::check_numbers;
use super::letters;
use crate::destinations::{Confirmed, RuleKind};
use crate::telephony::Handling;
use crate::tenants::{Credential, Kind, Letters, Webhook};
use crate::terms::{Api, Fact, Fault, FaultCode, Findings, Phone, UpTo, is_language, is_visible};

/// Maximum sentences of a greeting, one for each language.
pub const MAX_SPOKEN: usize = 10;
/// Maximum characters of a sentence.
pub const MAX_SPOKEN_LENGTH: usize = 1_000;
/// The shortest ring, and the shortest recording.
pub const SHORTEST_SECONDS: u32 = 5;
/// Twilio rings at most ten minutes.
pub const MAX_RING_SECONDS: u32 = 600;
/// Maximum seconds of a recording.
pub const MAX_VOICEMAIL_SECONDS: u32 = 600;

/// Pattern of an account's SID.
pub const ACCOUNT_SID: &str = "^AC[0-9a-f]{32}$";
/// Pattern of a Messaging Service's SID.
pub const SERVICE_SID: &str = "^MG[0-9a-f]{32}$";
/// Pattern of an API key's SID.
pub const API_KEY_SID: &str = "^SK[0-9a-f]{32}$";

fn is_sid(text: &str, prefix: &str) -> bool {
    let hex = text.strip_prefix(prefix).unwrap_or_default();
    hex.len() == 32
        && hex
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

macro_rules! overrides {
    () => {
        "#rc=3&rp=all"
    };
}

/// Twilio's connection overrides, at the end of every URL that Twilio is given. By default, it retries only if it cannot connect.
/// With them, it retries three times after any failure, within 15 s in total. A fragment is neither sent nor signed. Source:
/// twilio.com/docs/usage/webhooks/webhooks-connection-overrides.
pub const OVERRIDES: &str = overrides!();

/// The end of the address that answers calls.
const VOICE: &str = concat!("/voice", overrides!());

account! {
    /// Twilio.
    pub struct Account {
        /// SID of the account.
        #[cfg_attr(
            feature = "schema",
            schemars(regex(pattern = ACCOUNT_SID), example = &"AC000000000000000000000000000000b1")
        )]
        pub account_sid: String,
    } with settings {
        /// Numbers of this connection. The first one sends SMS unless a Messaging Service does, or letters.
        #[serde(default, deserialize_with = "letters::numbers_or_letters")]
        #[cfg_attr(feature = "schema", schemars(length(max = super::kind::MAX_NUMBERS), example = serde_json::json!(["+97145550001"])))]
        pub numbers: Vec<Phone>,
        /// SID of a Messaging Service that sends SMS.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(
            feature = "schema",
            schemars(regex(pattern = SERVICE_SID), example = &"MG000000000000000000000000000000b1")
        )]
        pub messaging_service_sid: Option<String>,
        /// Letters that send SMS to a country, whatever sends to others. Nobody can reply to them.
        #[serde(default, skip_serializing_if = "UpTo::is_empty")]
        #[cfg_attr(feature = "schema", schemars(example = serde_json::json!([{"country": "AE", "sender": "SAFFRON", "promotion": "AD-SAFFRON", "registered": true}])))]
        pub letters: Letters,
        /// Number that sends WhatsApp through Twilio.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = "+97145550002"))]
        pub whatsapp_sender: Option<Phone>,
        /// Rules of countries for SMS that do not hold for this connection: what they demand is registered, or the provider has said so.
        #[serde(default, skip_serializing_if = "UpTo::is_empty")]
        #[cfg_attr(feature = "schema", schemars(example = serde_json::json!([{"country": "IN", "rule": "registration"}])))]
        pub confirmed_rules: Confirmed,
        /// Call handling. If omitted, the tenant's own call flow answers.
        #[serde(default)]
        pub voice: VoiceSettings,
    }

    /// Twilio: calls, SMS, and WhatsApp if a sender is given.
    pub struct New as "TwilioIn", named like "Twilio" {
        /// Always `twilio`.
        pub kind: Word as "TwilioKind" = "twilio",
        /// Credentials for webhooks and sending.
        pub credentials: Credentials,
    }

    /// New credentials of a Twilio connection.
    pub struct NewCredentials as "TwilioNewCredentials" { Credentials }
}

/// Call handling of a Twilio number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "VoiceModel"))]
#[serde(deny_unknown_fields, default)]
pub struct VoiceSettings {
    /// Handling of a call.
    pub handling: Handling,
    /// Number that calls are forwarded to.
    #[cfg_attr(feature = "schema", schemars(example = "+97145550009"))]
    pub forward_to: Option<Phone>,
    /// Ringing time of a forwarded call, in seconds.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = SHORTEST_SECONDS, max = MAX_RING_SECONDS), example = 20)
    )]
    pub forward_timeout_seconds: u32,
    /// Announcement, in each language in turn.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_SPOKEN)))]
    pub greeting: Vec<Spoken>,
    /// Announcement after a forwarded call that nobody answered, before a recording or the end of the call.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_SPOKEN)))]
    pub missed_greeting: Vec<Spoken>,
    /// True to offer a voicemail after a forwarded call that nobody answered.
    pub voicemail_after_missed: bool,
    /// Maximum length of a voicemail, in seconds.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = SHORTEST_SECONDS, max = MAX_VOICEMAIL_SECONDS), example = 120)
    )]
    pub voicemail_max_seconds: u32,
}

impl Default for VoiceSettings {
    fn default() -> Self {
        Self {
            handling: Handling::OwnFlow,
            forward_to: None,
            forward_timeout_seconds: 20,
            greeting: Vec::new(),
            missed_greeting: Vec::new(),
            voicemail_after_missed: false,
            voicemail_max_seconds: 120,
        }
    }
}

/// A sentence to be spoken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SpokenModel"))]
#[serde(deny_unknown_fields)]
pub struct Spoken {
    /// Language (BCP 47).
    #[cfg_attr(feature = "schema", schemars(length(min = 2, max = crate::terms::MAX_LANGUAGE_LENGTH), example = "en-GB"))]
    pub language: String,
    /// Text of the sentence.
    #[cfg_attr(
        feature = "schema",
        schemars(length(min = 1, max = MAX_SPOKEN_LENGTH), example = "Thank you for calling.")
    )]
    pub text: String,
}

/// Credentials of a Twilio connection.
#[derive(Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "TwilioCredentials")
)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Auth token of the account, which signs webhooks.
    pub auth_token: Credential,
    /// Shared keys, for signatures by HMAC-SHA256.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("writeOnly" = true)))]
    pub shared_keys: UpTo<4, SharedKeyIn>,
    /// SID of the API key that sends messages.
    #[cfg_attr(feature = "schema", schemars(example = &"SK000000000000000000000000000000b1"))]
    pub api_key_sid: ApiKeySid,
    /// Secret of the API key.
    pub api_key_secret: Credential,
}

/// A shared key of Twilio.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SharedKeyIn {
    /// Id of the key, as in the signature's settings header.
    #[cfg_attr(feature = "schema", schemars(example = "signing-key-1"))]
    pub id: KeyId,
    /// Secret of the key.
    pub secret: Credential,
}

text_like! {
    /// SID of a Twilio API key.
    ApiKeySid,
    |text| is_sid(text, "SK"),
    "expected SK and 32 digits or letters a to f",
    {"type": "string", "pattern": API_KEY_SID}
}

/// Maximum length of a key's id.
const MAX_KEY_ID_LENGTH: usize = 100;

text_like! {
    /// Id of a shared key of Twilio.
    KeyId,
    |text| (1..=MAX_KEY_ID_LENGTH).contains(&text.len()) && text.is_ascii(),
    format_args!("expected 1 to {MAX_KEY_ID_LENGTH} ASCII characters"),
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY_ID_LENGTH}
}

/// Secrets that verify Twilio's webhooks.
#[derive(Clone, Serialize, Deserialize)]
pub struct Verify {
    /// The account's auth tokens: signatures are HMAC-SHA1 with one of them.
    pub auth_tokens: Vec<String>,
    /// Shared keys by id, for HMAC-SHA256 signatures.
    #[serde(default)]
    pub shared_keys: Vec<SharedKey>,
}

/// A Twilio shared key.
#[derive(Clone, Serialize, Deserialize)]
pub struct SharedKey {
    /// Its id, as the signature's settings header names it.
    pub id: String,
    pub secret: String,
}

/// Credentials for sending by Twilio: an API key, not the auth token.
#[derive(Clone, Serialize, Deserialize)]
pub struct Send {
    pub api_key_sid: String,
    pub api_key_secret: String,
}

impl Kind for Account {
    type Verify = Verify;
    type Send = Send;
    type Given = Credentials;

    const WEBHOOKS: &'static [Webhook] = &[
        Webhook {
            what: "a call comes in",
            method: "POST",
            end: VOICE,
        },
        Webhook {
            what: "call status changes",
            method: "POST",
            end: concat!("/status", overrides!()),
        },
        Webhook {
            what: "a message comes in",
            method: "POST",
            end: concat!("/inbound", overrides!()),
        },
    ];
    const SENDS: Option<Api> = Some(Api::Twilio);

    fn keep(given: Credentials, _: Vec<String>) -> (Verify, Option<Send>) {
        let shared = |SharedKeyIn { id, secret }: SharedKeyIn| SharedKey {
            id: id.into(),
            secret: secret.into(),
        };
        let verify = Verify {
            auth_tokens: vec![given.auth_token.into()],
            shared_keys: given.shared_keys.into_vec().into_iter().map(shared).collect(),
        };
        let send = Send {
            api_key_sid: given.api_key_sid.into(),
            api_key_secret: given.api_key_secret.into(),
        };
        (verify, Some(send))
    }

    fn secrets(verify: &mut Verify) -> &mut Vec<String> {
        &mut verify.auth_tokens
    }

    fn verifies_nothing(verify: &Verify) -> bool {
        verify.auth_tokens.is_empty() && verify.shared_keys.is_empty()
    }

    fn uses(&self, webhook: &Webhook) -> bool {
        self.voice.handling != Handling::OwnFlow || webhook.end != VOICE
    }

    fn numbers(&self) -> &[Phone] {
        &self.numbers
    }

    fn whatsapp_number(&self) -> Option<&Phone> {
        self.whatsapp_sender.as_ref()
    }

    fn sends_sms(&self) -> bool {
        !self.numbers.is_empty() || self.messaging_service_sid.is_some() || !self.letters.is_empty()
    }

    fn is_tested_as(&self, other: &Self) -> bool {
        self.account_sid == other.account_sid
            && self.numbers == other.numbers
            && self.messaging_service_sid == other.messaging_service_sid
            && self.letters == other.letters
    }

    fn check(&self, found: &mut Findings) {
        let sid = |example: &str, detail: &str| Fault::format("provider_id", example, detail);
        found.expect(
            is_sid(&self.account_sid, "AC"),
            "account_sid",
            sid(
                "AC0123456789abcdef0123456789abcdef",
                "Expected AC and 32 digits or letters a to f.",
            ),
        );
        let service = self.messaging_service_sid.as_deref();
        let hint = service.map(letters::hint).unwrap_or_default();
        found.expect(
            service.is_none_or(|sid| is_sid(sid, "MG")),
            "messaging_service_sid",
            sid(
                "MG0123456789abcdef0123456789abcdef",
                &format!("Expected MG and 32 digits or letters a to f.{hint}"),
            ),
        );
        check_numbers(&self.numbers, found);
        letters::check(&self.letters, found);
        let mut seen = HashSet::new();
        for (index, rule) in self.confirmed_rules.iter().enumerate() {
            let fault = Fault::new(FaultCode::GivenTwice, "This rule is given twice.");
            found.expect(seen.insert(rule), format!("confirmed_rules[{index}]"), fault);
            let fault = Fault::new(FaultCode::NotOneOf, "There is no such rule.");
            let known = RuleKind::ALL.map(RuleKind::as_str);
            let known = known.iter().filter(|word| **word != RuleKind::Unknown.as_str());
            let fault = fault.and("expected", known.collect::<Fact>());
            found.expect(
                rule.rule != RuleKind::Unknown,
                format!("confirmed_rules[{index}].rule"),
                fault,
            );
        }
        let loops = self
            .voice
            .forward_to
            .as_ref()
            .is_some_and(|to| self.numbers.contains(to));
        let detail = "A call cannot ring at the number that it came to. Expected the number of a telephone.";
        found.expect(!loops, "voice.forward_to", Fault::new(FaultCode::RingsItself, detail));
        self.voice.check(found);
    }
}

impl VoiceSettings {
    fn check(&self, found: &mut Findings) {
        found.expect(
            self.handling != Handling::Forward || self.forward_to.is_some(),
            "voice.forward_to",
            Fault::new(FaultCode::Required, "Expected a number, because calls are forwarded."),
        );
        for (field, seconds, longest) in [
            (
                "voice.forward_timeout_seconds",
                self.forward_timeout_seconds,
                MAX_RING_SECONDS,
            ),
            (
                "voice.voicemail_max_seconds",
                self.voicemail_max_seconds,
                MAX_VOICEMAIL_SECONDS,
            ),
        ] {
            let bounds = format!("Expected {SHORTEST_SECONDS} to {longest} seconds.");
            let fault = Fault::out_of_range(SHORTEST_SECONDS, longest, bounds);
            found.expect((SHORTEST_SECONDS..=longest).contains(&seconds), field, fault);
        }
        for (name, spoken) in [("greeting", &self.greeting), ("missed_greeting", &self.missed_greeting)] {
            if spoken.len() > MAX_SPOKEN {
                let detail = format!("Expected at most {MAX_SPOKEN} entries.");
                found.add(format!("voice.{name}"), Fault::too_many(MAX_SPOKEN, detail));
                continue;
            }
            for (index, sentence) in spoken.iter().enumerate() {
                found.expect(
                    is_language(&sentence.language),
                    format!("voice.{name}[{index}].language"),
                    Fault::format("language", "en-GB", "Expected a language tag such as en-GB."),
                );
                let (text, field) = (&sentence.text, format!("voice.{name}[{index}].text"));
                let detail = format!("Expected 1 to {MAX_SPOKEN_LENGTH} characters, none of them invisible.");
                let length = if text.trim().is_empty() {
                    0
                } else {
                    text.chars().count()
                };
                if !(1..=MAX_SPOKEN_LENGTH).contains(&length) {
                    found.add(field, Fault::length(length, 1, MAX_SPOKEN_LENGTH, detail));
                } else if !is_visible(text) {
                    found.add(field, Fault::new(FaultCode::InvisibleCharacters, detail));
                }
            }
        }
    }
}
