//! Bodies of requests. The `kind` of a connection determines the other fields of its bodies.

use std::borrow::Cow;
use std::marker::PhantomData;

use api::parse_kept_body;
use domain::tenants::{ConnectionKind, Credential, ReadBody};
use domain::terms::{Fact, Fault, FaultCode};
use kit::Problem;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeOwned, Error as _, Unexpected};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A body of one of several kinds. It stays unparsed until its `kind` is known, so that a wrong field can be named.
pub(crate) struct OneOf<T> {
    body: Box<RawValue>,
    of: PhantomData<fn() -> T>,
}

impl<'de, T> Deserialize<'de> for OneOf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = Box::<RawValue>::deserialize(deserializer)?;
        // A list would be taken field by field.
        if !body.get().starts_with('{') {
            return Err(D::Error::invalid_type(Unexpected::Other("no object"), &"an object"));
        }
        Ok(Self { body, of: PhantomData })
    }
}

impl<T: JsonSchema> JsonSchema for OneOf<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T> OneOf<T> {
    /// The kind that it names.
    pub(crate) fn kind(&self) -> Result<ConnectionKind, Problem> {
        #[derive(Deserialize)]
        struct Named<'a> {
            #[serde(borrow)]
            kind: Cow<'a, str>,
        }
        let given = serde_json::from_str::<Named<'_>>(self.body.get());
        let given = given.map(|named| named.kind).unwrap_or_default();
        let found = ConnectionKind::ALL.iter().find(|kind| given == kind.as_str());
        found.copied().ok_or_else(|| {
            let words: Vec<&str> = ConnectionKind::ALL.iter().map(|kind| kind.as_str()).collect();
            let fault = Fault::new(FaultCode::NotOneOf, format!("Expected one of {}.", words.join(", ")));
            Problem::field("kind", fault.and("expected", words.iter().collect::<Fact>()))
        })
    }
}

impl<T> ReadBody for OneOf<T> {
    type Error = Problem;

    fn read<B: DeserializeOwned>(&self) -> Result<B, Problem> {
        parse_kept_body(&self.body)
    }
}

/// How credentials replace others.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialsQuery {
    /// Whether to ask the provider first, and to store nothing unless it accepts the credentials.
    pub(crate) if_accepted: Option<bool>,
}

/// A new webhook secret, valid together with the old ones.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretRotationIn {
    /// The provider's new secret: Twilio's auth token, the Meta app's secret, Aircall's token, Vonage's signature secret, Plivo's auth
    /// token or Shopify's signing key. Omit it for `telephony`, `exotel` and `woocommerce`, whose secrets are generated, and
    /// for `whatsapp` to get a new verify token.
    #[schemars(example = &"fedcba9876543210fedcba9876543210")]
    pub(crate) secret: Option<Credential>,
}
