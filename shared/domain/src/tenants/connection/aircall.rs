//! Aircall: events that hold the token of their webhook.

use serde::{Deserialize, Serialize};

use crate::tenants::{Credential, Kind, Webhook};
use crate::terms::Phone;

account! {
    /// Aircall.
    pub struct Account {
    } with settings {
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(max = super::kind::MAX_NUMBERS)))]
        pub numbers: Vec<Phone>,
    }

    /// Aircall. It issues its token when you create the webhook there with the URL in the response.
    pub struct New as "AircallIn", named like "Aircall" {
        /// Always `aircall`.
        pub kind: Word as "AircallKind" = "aircall",
        /// Credentials. Omit them until the webhook exists at Aircall. Until then, no event is accepted.
        pub credentials: Option<Credentials>,
    }

    /// New credentials of an Aircall connection.
    pub struct NewCredentials as "AircallNewCredentials" { Credentials }
}

/// Credentials of an Aircall connection.
#[derive(Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "AircallCredentials")
)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Token that Aircall issued for the webhook. Every event contains it.
    pub token: Credential,
    /// Key for Aircall's API, to test the connection.
    pub api_key: Option<ApiKey>,
}

/// A key for Aircall's API.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AircallApiKey"))]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Id of the key.
    #[cfg_attr(feature = "schema", schemars(example = &"ab12cd34ef56ab78"))]
    pub api_id: Credential,
    /// Token of the key.
    #[cfg_attr(feature = "schema", schemars(example = "0123456789abcdef0123456789abcdef"))]
    pub api_token: Credential,
}

/// Secrets that verify Aircall's webhooks.
#[derive(Clone, Serialize, Deserialize)]
pub struct Verify {
    /// The tokens that Aircall issued for its webhooks. The body of every event contains one.
    pub tokens: Vec<String>,
}

/// Credentials for Aircall's API, by Basic authentication. Sends nothing.
#[derive(Clone, Serialize, Deserialize)]
pub struct Send {
    /// The API key's id.
    pub api_id: String,
    pub api_token: String,
}

impl Kind for Account {
    type Verify = Verify;
    type Send = Send;
    type Given = Option<Credentials>;

    const WEBHOOKS: &'static [Webhook] = &[Webhook {
        what: "webhook, call.ended",
        method: "POST",
        end: "",
    }];

    fn keep(given: Option<Credentials>, _: Vec<String>) -> (Verify, Option<Send>) {
        let (tokens, api_key) = given.map_or_else(Default::default, |given| (vec![given.token.into()], given.api_key));
        let send = api_key.map(|key| Send {
            api_id: key.api_id.into(),
            api_token: key.api_token.into(),
        });
        (Verify { tokens }, send)
    }

    fn secrets(verify: &mut Verify) -> &mut Vec<String> {
        &mut verify.tokens
    }

    fn verifies_nothing(verify: &Verify) -> bool {
        verify.tokens.is_empty()
    }

    fn numbers(&self) -> &[Phone] {
        &self.numbers
    }
}
