//! The secrets of outgoing webhooks: keys that sign, and values of headers. They are sealed by the key of sending credentials with a context of
//! their own, so that a function can be admitted to them alone, and open only for their endpoint.

use std::sync::Arc;

use domain::{
    tenants::{Sealed, SecretPurpose},
    terms::{TenantId, WebhookEndpointId},
};

use crate::{
    KeyService, SecretsError,
    secrets::{Context, open_text, seal_text},
};

/// Seals and opens the secrets of endpoints.
#[derive(Clone)]
pub struct WebhookSecrets(Arc<dyn KeyService>);

fn context(tenant: TenantId, endpoint: WebhookEndpointId) -> Context {
    let pair = |name: &str, value: String| (name.to_owned(), value);
    [
        pair("purpose", "webhook".to_owned()),
        pair("tenant", tenant.to_string()),
        pair("endpoint", endpoint.to_string()),
    ]
}

impl WebhookSecrets {
    /// With these keys.
    pub fn new(keys: impl KeyService + 'static) -> Self {
        Self(Arc::new(keys))
    }

    /// Seals a secret of an endpoint.
    ///
    /// # Errors
    /// When the key service refuses or does not answer.
    pub async fn seal(
        &self,
        tenant: TenantId,
        endpoint: WebhookEndpointId,
        secret: &str,
    ) -> Result<Sealed, SecretsError> {
        let context = context(tenant, endpoint);
        let plain = secret.as_bytes().to_vec();
        seal_text(&*self.0, SecretPurpose::Send, &context, plain).await
    }

    /// Opens a secret of an endpoint.
    ///
    /// # Errors
    /// When it was sealed for something else, or the key service does not answer.
    pub async fn open(
        &self,
        tenant: TenantId,
        endpoint: WebhookEndpointId,
        sealed: &Sealed,
    ) -> Result<String, SecretsError> {
        const DOING: &str = "open a secret of a webhook endpoint";
        let context = context(tenant, endpoint);
        let plain = open_text(&*self.0, SecretPurpose::Send, &context, sealed, DOING).await?;
        // The error would quote what it read.
        String::from_utf8(plain).map_err(|_| SecretsError::new(DOING, "it is not a text"))
    }
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::secrets::tests::{Plain, tenant};

    #[tokio::test]
    async fn secrets_open_only_for_their_endpoint() {
        let secrets = WebhookSecrets::new(Arc::new(Plain::default()));
        let [own, other] = [1, 2].map(|number| WebhookEndpointId::new(Ulid::from_parts(1, number)));
        let sealed = secrets.seal(tenant(), own, "s3cret").await.unwrap();
        assert_eq!(secrets.open(tenant(), own, &sealed).await.unwrap(), "s3cret");
        let foreign = TenantId::new(Ulid::from_parts(9, 9));
        for refused in [
            secrets.open(tenant(), other, &sealed).await,
            secrets.open(foreign, own, &sealed).await,
        ] {
            assert!(!format!("{:?}", refused.unwrap_err()).contains("s3cret"));
        }
    }
}
