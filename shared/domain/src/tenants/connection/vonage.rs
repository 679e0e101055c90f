//! Vonage's Voice API: events with a signed token.

use serde::{Deserialize, Serialize};

use super::kind::{check_numbers, is_word};
use crate::tenants::{Credential, Kind, Webhook};
use crate::terms::{Fault, Findings, Phone};

/// Pattern of a UUID.
pub const UUID: &str = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.len() == lengths.len()
        && parts
            .iter()
            .zip(lengths)
            .all(|(part, length)| part.len() == length && hex(part))
}

account! {
    /// Vonage.
    pub struct Account {
        /// API key of the account, which identifies it in every signed event.
        #[cfg_attr(feature = "schema", schemars(length(min = 4, max = 32), example = &"abcd1234"))]
        pub api_key: String,
    } with settings {
        /// Voice application whose events are accepted. If omitted, any application of the account.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(
            feature = "schema",
            schemars(regex(pattern = UUID), example = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab")
        )]
        pub application_id: Option<String>,
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(max = super::kind::MAX_NUMBERS)))]
        pub numbers: Vec<Phone>,
    }

    /// Vonage's Voice API.
    pub struct New as "VonageIn", named like "Vonage" {
        /// Always `vonage`.
        pub kind: Word as "VonageKind" = "vonage",
        /// Credentials for webhooks.
        pub credentials: Credentials,
    }

    /// New credentials of a Vonage connection.
    pub struct NewCredentials as "VonageNewCredentials" { Credentials }
}

/// Credentials of a Vonage connection.
#[derive(Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "VonageCredentials")
)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Signature secret of the account.
    pub signature_secret: Credential,
    /// Secret of the account's API key, for testing the connection. It does not sign events.
    #[cfg_attr(feature = "schema", schemars(example = &"ABCDEFGH01234abc"))]
    pub api_secret: Option<Credential>,
}

/// Secrets that verify Vonage's webhooks.
#[derive(Clone, Serialize, Deserialize)]
pub struct Verify {
    /// The account's signature secrets, for its HS256 tokens.
    pub signature_secrets: Vec<String>,
}

/// Credentials for Vonage's account API, by Basic authentication with the account's API key. Sends nothing.
#[derive(Clone, Serialize, Deserialize)]
pub struct Send {
    /// The API key's secret; not the one that signs.
    pub api_secret: String,
}

impl Kind for Account {
    type Verify = Verify;
    type Send = Send;
    type Given = Credentials;

    const WEBHOOKS: &'static [Webhook] = &[Webhook {
        what: "event URL",
        method: "POST",
        end: "",
    }];

    fn keep(given: Credentials, _: Vec<String>) -> (Verify, Option<Send>) {
        let signature_secrets = vec![given.signature_secret.into()];
        let api_secret = given.api_secret.map(String::from);
        (
            Verify { signature_secrets },
            api_secret.map(|api_secret| Send { api_secret }),
        )
    }

    fn secrets(verify: &mut Verify) -> &mut Vec<String> {
        &mut verify.signature_secrets
    }

    fn verifies_nothing(verify: &Verify) -> bool {
        verify.signature_secrets.is_empty()
    }

    fn numbers(&self) -> &[Phone] {
        &self.numbers
    }

    fn is_tested_as(&self, other: &Self) -> bool {
        self.api_key == other.api_key
    }

    fn check(&self, found: &mut Findings) {
        found.expect(
            is_word(&self.api_key, 4..=32),
            "api_key",
            Fault::format(
                "provider_id",
                "abcd1234",
                "Expected the account's API key, 4 to 32 letters and digits.",
            ),
        );
        let application = self.application_id.as_deref().is_none_or(is_uuid);
        let uuid = Fault::format("uuid", "aaaaaaaa-bbbb-cccc-dddd-0123456789ab", "Expected a UUID.");
        found.expect(application, "application_id", uuid);
        check_numbers(&self.numbers, found);
    }
}
