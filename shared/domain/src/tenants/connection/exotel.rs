//! Exotel, which signs nothing: the URLs that it calls end with a secret of ours.

use serde::{Deserialize, Deserializer, Serialize};

use super::kind::{check_numbers, is_word};
use crate::tenants::{CallingCode, Credential, Generated, Kind, Webhook};
use crate::terms::{Fault, Findings, IpRange, Phone};

/// Maximum address ranges that may report.
pub const MAX_SOURCES: usize = 50;

account! {
    /// Exotel.
    pub struct Account {
        /// SID of the account.
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 64), example = &"saffron1"))]
        pub account_sid: String,
    } with settings {
        /// Exotel region of the account.
        #[serde(default)]
        pub cluster: Cluster,
        /// Calling code of its national numbers, without `+`. Default: 91.
        #[serde(default = "home", deserialize_with = "or_home")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<CallingCode>"))]
        pub country_code: CallingCode,
        /// Numbers of this connection. Empty: all numbers that it reports.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(max = super::kind::MAX_NUMBERS)))]
        pub numbers: Vec<Phone>,
        /// IP addresses that may report events. Empty: any.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(max = MAX_SOURCES), example = serde_json::json!(["192.0.2.0/24"])))]
        pub sources: Vec<IpRange>,
    }

    /// Exotel, which does not sign its events: a generated secret at the end of the URLs, shown once, authenticates them.
    pub struct New as "ExotelIn", named like "Exotel" {
        /// Always `exotel`.
        pub kind: Word as "ExotelKind" = "exotel",
        /// Credentials for testing the connection.
        pub credentials: Option<Credentials>,
    }

    /// New credentials for the API of an Exotel connection. The secret in its URLs stays: rotate it to change it.
    pub struct NewCredentials as "ExotelNewCredentials" { Credentials }
}

/// Exotel region of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ClusterModel"))]
#[serde(rename_all = "snake_case")]
pub enum Cluster {
    /// `api.exotel.com`.
    #[default]
    Singapore,
    /// `api.in.exotel.com`.
    Mumbai,
}

/// India, Exotel's home market.
const fn home() -> CallingCode {
    CallingCode::INDIA
}

fn or_home<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CallingCode, D::Error> {
    Option::deserialize(deserializer).map(|code| code.unwrap_or(home()))
}

/// Credentials of an Exotel connection, for testing it.
#[derive(Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ExotelCredentials")
)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// API key.
    #[cfg_attr(feature = "schema", schemars(example = "0123456789abcdef"))]
    pub api_key: Credential,
    /// Token of the API key.
    #[cfg_attr(feature = "schema", schemars(example = "0123456789abcdef0123456789abcdef"))]
    pub api_token: Credential,
}

/// Secrets that verify Exotel's webhooks. They are ours: the URL that Exotel calls ends with one of them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Verify {
    /// The secrets: letters, digits, `-` and `_`.
    pub url_secrets: Vec<String>,
}

/// Credentials for Exotel's API, by Basic authentication. Sends nothing.
#[derive(Clone, Serialize, Deserialize)]
pub struct Send {
    pub api_key: String,
    pub api_token: String,
}

impl Kind for Account {
    type Verify = Verify;
    type Send = Send;
    type Given = Option<Credentials>;

    const WEBHOOKS: &'static [Webhook] = &[
        Webhook {
            what: "Passthru after Connect",
            method: "GET",
            end: "/passthru/{secret}",
        },
        Webhook {
            what: "StatusCallback",
            method: "POST",
            end: "/status/{secret}",
        },
    ];
    const GENERATES: Option<Generated> = Some(Generated::Word);

    fn keep(given: Option<Credentials>, url_secrets: Vec<String>) -> (Verify, Option<Send>) {
        let send = given.map(|given| Send {
            api_key: given.api_key.into(),
            api_token: given.api_token.into(),
        });
        (Verify { url_secrets }, send)
    }

    fn secrets(verify: &mut Verify) -> &mut Vec<String> {
        &mut verify.url_secrets
    }

    fn verifies_nothing(verify: &Verify) -> bool {
        verify.url_secrets.is_empty()
    }

    fn generated_secrets(verify: &Verify) -> &[String] {
        &verify.url_secrets
    }

    fn numbers(&self) -> &[Phone] {
        &self.numbers
    }

    fn is_tested_as(&self, other: &Self) -> bool {
        (&self.account_sid, self.cluster) == (&other.account_sid, other.cluster)
    }

    fn check(&self, found: &mut Findings) {
        found.expect(
            is_word(&self.account_sid, 1..=64),
            "account_sid",
            Fault::format("provider_id", "saffron1", "Expected 1 to 64 letters and digits."),
        );
        let sources = format!("Expected at most {MAX_SOURCES} entries.");
        let fault = Fault::too_many(MAX_SOURCES, sources);
        found.expect(self.sources.len() <= MAX_SOURCES, "sources", fault);
        check_numbers(&self.numbers, found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn country_code_is_the_providers_home_unless_given() {
        for (given, code) in [
            (json!({"account_sid": "s"}), "91"),
            (json!({"account_sid": "s", "country_code": null}), "91"),
            (json!({"account_sid": "s", "country_code": "44"}), "44"),
        ] {
            let account: Account = serde_json::from_value(given).unwrap();
            assert_eq!(account.country_code.to_string(), code);
        }
    }
}
