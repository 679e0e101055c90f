//! The secrets of outgoing webhooks: keys that sign, and values of headers. They are sealed by the key of sending credentials with a context of
//! their own, so that a function can be admitted to them alone, and open only for their endpoint.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::tenants::{Sealed, SecretPurpose};
use domain::terms::{TenantId, WebhookEndpointId};
use domain::webhooks::WebhookEndpoint;
use jiff::{SignedDuration, Timestamp};
use store::TenantScope;

use crate::remembered::Remembered;
use crate::secrets::{Context, open_text, seal_text};
use crate::{KeyService, SecretsError};

/// Lifetime of opened secrets.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Maximum number of endpoints whose secrets are cached.
const MAX: usize = 1_000;

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

/// The opened secrets of an endpoint. They cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenedWebhookSecrets {
    /// The keys that sign, the newest first.
    pub keys: Vec<String>,
    /// Value of its header, if it has one.
    pub header: Option<String>,
}

impl fmt::Debug for OpenedWebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenedWebhookSecrets")
    }
}

/// The sealed secrets of an endpoint, and what they are when opened.
#[derive(Clone)]
struct Opened {
    sealed: Vec<Sealed>,
    secrets: Arc<OpenedWebhookSecrets>,
}

/// Opens the secrets of endpoints, and remembers them for five minutes.
pub struct WebhookKeyring {
    secrets: WebhookSecrets,
    known: Mutex<Remembered<WebhookEndpointId, Opened>>,
}

impl WebhookKeyring {
    /// Opens with these keys.
    pub fn new(secrets: WebhookSecrets) -> Self {
        Self {
            secrets,
            known: Mutex::new(Remembered::new(LIFETIME, MAX)),
        }
    }

    /// The secrets of an endpoint that are valid now. Changed ones are opened at once.
    ///
    /// # Errors
    /// When they do not open.
    pub async fn open(
        &self,
        scope: &TenantScope,
        endpoint: &WebhookEndpoint,
        now: Timestamp,
    ) -> Result<Arc<OpenedWebhookSecrets>, SecretsError> {
        let signing = endpoint.signing_secrets(now).map(|secret| &secret.sealed);
        let header = endpoint.header.as_ref().map(|header| &header.sealed);
        let sealed: Vec<Sealed> = signing.chain(header).cloned().collect();
        if let Some((_, known)) = self.lock().get(&endpoint.id, now)
            && known.sealed == sealed
        {
            return Ok(known.secrets);
        }
        let mut opened = Vec::with_capacity(sealed.len());
        for sealed in &sealed {
            opened.push(self.secrets.open(scope.tenant(), endpoint.id, sealed).await?);
        }
        let header = header.and_then(|_| opened.pop());
        let secrets = Arc::new(OpenedWebhookSecrets { keys: opened, header });
        let known = Opened {
            sealed,
            secrets: Arc::clone(&secrets),
        };
        self.lock().put(endpoint.id, known, now);
        Ok(secrets)
    }

    fn lock(&self) -> MutexGuard<'_, Remembered<WebhookEndpointId, Opened>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use domain::terms::RotationId;
    use domain::webhooks::{EndpointHeader, EndpointSecret};
    use ulid::Ulid;

    use super::*;
    use crate::job;
    use crate::secrets::tests::{Plain, tenant};

    #[tokio::test]
    async fn secrets_are_opened_once_until_they_change_or_age() {
        let keys = Arc::new(Plain::default());
        let keyring = WebhookKeyring::new(WebhookSecrets::new(Arc::clone(&keys)));
        let id = WebhookEndpointId::new(Ulid::from_parts(1, 1));
        let seal = async |secret: &str| keyring.secrets.seal(tenant(), id, secret).await.unwrap();
        let rotation = |number| RotationId::new(Ulid::from_parts(1, number));
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let first = EndpointSecret {
            sealed: seal("first").await,
            valid_until: None,
            rotation: rotation(1),
        };
        let mut endpoint = WebhookEndpoint {
            id,
            name: "n8n".parse().unwrap(),
            url: "https://n8n.example.com/webhook/a".parse().unwrap(),
            events: Vec::new().into(),
            header: None,
            content: false,
            callback: None,
            disabled: None,
            secrets: vec![first],
            created_at: at(0),
            updated_at: at(0),
        };
        let scope = job::scope(tenant());
        let opened = async |endpoint: &WebhookEndpoint, second| {
            let opened = keyring.open(&scope, endpoint, at(second)).await.unwrap();
            (
                opened.keys.join(" "),
                opened.header.clone(),
                keys.opened.load(Ordering::Relaxed),
            )
        };
        assert_eq!(opened(&endpoint, 0).await, ("first".to_owned(), None, 1));
        assert_eq!(opened(&endpoint, 299).await.2, 1);
        assert_eq!(opened(&endpoint, 300).await.2, 2, "aged");
        endpoint.header = Some(EndpointHeader {
            name: "x-token".parse().unwrap(),
            sealed: seal("value").await,
        });
        let with_header = opened(&endpoint, 301).await;
        assert_eq!(with_header, ("first".to_owned(), Some("value".to_owned()), 4));
        endpoint = endpoint
            .rotate_secret(seal("second").await, rotation(2), at(302))
            .unwrap();
        let both = opened(&endpoint, 302).await;
        assert_eq!(both, ("second first".to_owned(), Some("value".to_owned()), 7));
        // Beyond the day for which both sign.
        assert_eq!(opened(&endpoint, 302 + 86_400).await.0, "second");
        let printed = format!("{:?}", keyring.open(&scope, &endpoint, at(302 + 86_400)).await.unwrap());
        assert!(!printed.contains("second"), "{printed}");
    }

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
