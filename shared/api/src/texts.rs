//! Types of fields that hold secrets of people. They cannot be printed.

use access::password;
use domain::fault::Fault;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

/// A secret of at most so many characters.
#[derive(Debug, Clone)]
pub struct SecretText<const MOST: usize>(SecretString);

impl<const MOST: usize> ExposeSecret<str> for SecretText<MOST> {
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl<'de, const MOST: usize> Deserialize<'de> for SecretText<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = SecretString::deserialize(deserializer)?;
        if text.expose_secret().chars().take(MOST + 1).count() > MOST {
            let detail = format!("must have at most {MOST} characters");
            return Err(Fault::length(MOST + 1, 0, MOST, detail).refuse());
        }
        Ok(Self(text))
    }
}

impl<const MOST: usize> JsonSchema for SecretText<MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("SecretText{MOST}").into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "maxLength": MOST})
    }
}

/// An existing password.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "", example = "seven quiet lanterns", extend("format" = "password"))]
pub struct KnownPassword(SecretText<1000>);

impl ExposeSecret<str> for KnownPassword {
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A password that a person chooses. [`crate::Api::password_hash`] refuses weak ones.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "", example = "seven quiet lanterns", extend("format" = "password"))]
pub struct NewPassword(
    #[schemars(with = "String", length(min = password::SHORTEST, max = password::LONGEST))] SecretString,
);

impl ExposeSecret<str> for NewPassword {
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}
