//! Plivo: hangup callbacks, signed with the account's auth token, which also opens the API.

use serde::{Deserialize, Serialize};

use super::kind::{check_numbers, is_word};
use crate::tenants::{Credential, Kind, Opens, Webhook};
use crate::terms::{Fault, Findings, Phone};

/// Pattern of an auth id.
pub const AUTH_ID: &str = "^(MA|SA)[A-Za-z0-9_-]{8,30}$";

account! {
    /// Plivo.
    pub struct Account {
        /// Auth id of the account.
        #[cfg_attr(feature = "schema", schemars(regex(pattern = AUTH_ID), example = &"MAXXXXXXXXXXXXXXXXXX"))]
        pub auth_id: String,
    } with settings {
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(max = super::kind::MAX_NUMBERS)))]
        pub numbers: Vec<Phone>,
    }

    /// Plivo.
    pub struct New as "PlivoIn", named like "Plivo" {
        /// Always `plivo`.
        pub kind: Word as "PlivoKind" = "plivo",
        /// Credentials for webhooks.
        pub credentials: Credentials,
    }

    /// New credentials of a Plivo connection.
    pub struct NewCredentials as "PlivoNewCredentials" { Credentials }
}

/// Credentials of a Plivo connection.
#[derive(Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "PlivoCredentials")
)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Auth token of the account, which signs webhooks and opens Plivo's API.
    pub auth_token: Credential,
}

/// Secrets that verify Plivo's webhooks.
#[derive(Clone, Serialize, Deserialize)]
pub struct Verify {
    /// The account's auth tokens, for V3 signatures.
    pub auth_tokens: Vec<String>,
}

/// Credentials for Plivo's API, by Basic authentication with the account's auth id. Sends nothing.
#[derive(Clone, Serialize, Deserialize)]
pub struct Send {
    /// The auth token, which also verifies.
    pub auth_token: String,
}

impl Kind for Account {
    type Verify = Verify;
    type Send = Send;
    type Given = Credentials;

    const WEBHOOKS: &'static [Webhook] = &[Webhook {
        what: "hangup URL",
        method: "POST",
        end: "/hangup",
    }];
    const OPENS: Option<Opens<Verify, Send>> = Some(|verify| {
        let auth_token = verify.auth_tokens.first()?.clone();
        Some(Send { auth_token })
    });

    fn keep(given: Credentials, _: Vec<String>) -> (Verify, Option<Send>) {
        let auth_tokens = vec![given.auth_token.into()];
        (Verify { auth_tokens }, None)
    }

    fn secrets(verify: &mut Verify) -> &mut Vec<String> {
        &mut verify.auth_tokens
    }

    fn verifies_nothing(verify: &Verify) -> bool {
        verify.auth_tokens.is_empty()
    }

    fn numbers(&self) -> &[Phone] {
        &self.numbers
    }

    fn is_tested_as(&self, other: &Self) -> bool {
        self.auth_id == other.auth_id
    }

    fn check(&self, found: &mut Findings) {
        let named = self.auth_id.starts_with("MA") || self.auth_id.starts_with("SA");
        found.expect(
            named && is_word(&self.auth_id, 10..=32),
            "auth_id",
            Fault::format(
                "provider_id",
                "MAXXXXXXXXXXXXXXXXXX",
                "Expected MA or SA and 8 to 30 more letters and digits.",
            ),
        );
        check_numbers(&self.numbers, found);
    }
}
