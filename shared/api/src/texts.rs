//! Types of fields that hold secrets of people. They cannot be printed.

use access::password;
use domain::terms::Fault;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

/// A secret of at most so many characters.
#[derive(Debug, Clone)]
pub struct SecretText<const MAX: usize>(SecretString);

impl<const MAX: usize> ExposeSecret<str> for SecretText<MAX> {
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for SecretText<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = SecretString::deserialize(deserializer)?;
        if text.expose_secret().chars().take(MAX + 1).count() > MAX {
            let detail = format!("must have at most {MAX} characters");
            return Err(Fault::length(MAX + 1, 0, MAX, detail).refuse());
        }
        Ok(Self(text))
    }
}

impl<const MAX: usize> JsonSchema for SecretText<MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("SecretText{MAX}").into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "maxLength": MAX})
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
    #[schemars(with = "String", length(min = password::SHORTEST, max = password::MAX_LENGTH))] SecretString,
);

impl ExposeSecret<str> for NewPassword {
    fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}
