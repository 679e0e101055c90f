//! Sealing and opening a connection's credentials. They open only for their tenant, connection and purpose, and each purpose has
//! its own key.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use aws_sdk_kms::primitives::Blob;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::tenants::{Connection, Sealed, SecretPurpose};
use domain::terms::{ConnectionId, TenantId};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Sealing or opening of credentials failed.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing}")]
pub struct SecretsError {
    doing: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl SecretsError {
    /// Wraps any error. The source must not contain a secret.
    pub fn new(doing: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            doing,
            source: source.into(),
        }
    }
}

/// Context of a sealed secret: it opens only with the same context.
pub type Context = [(String, String); 3];

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, SecretsError>> + Send + 'a>>;

/// Encrypts and decrypts under the key of a purpose: KMS, or a test double.
pub trait KeyService: Send + Sync {
    /// Encrypts at most 4,096 bytes, which is KMS's limit.
    fn encrypt<'a>(&'a self, purpose: SecretPurpose, context: &'a Context, plain: Vec<u8>) -> Answer<'a>;

    fn decrypt<'a>(&'a self, purpose: SecretPurpose, context: &'a Context, sealed: Vec<u8>) -> Answer<'a>;
}

/// AWS's key management service. Webhooks know only the `verify` key, `send_message` only the `send` key.
pub struct Kms {
    client: aws_sdk_kms::Client,
    verify_key: Option<String>,
    send_key: Option<String>,
}

impl Kms {
    /// The keys of this function.
    pub const fn new(client: aws_sdk_kms::Client, verify_key: Option<String>, send_key: Option<String>) -> Self {
        Self {
            client,
            verify_key,
            send_key,
        }
    }

    fn key(&self, purpose: SecretPurpose, doing: &'static str) -> Result<&str, SecretsError> {
        let key = match purpose {
            SecretPurpose::Verify => &self.verify_key,
            SecretPurpose::Send => &self.send_key,
        };
        key.as_deref()
            .ok_or_else(|| SecretsError::new(doing, format!("this function has no key to {}", purpose.as_str())))
    }
}

impl KeyService for Kms {
    fn encrypt<'a>(&'a self, purpose: SecretPurpose, context: &'a Context, plain: Vec<u8>) -> Answer<'a> {
        const DOING: &str = "encrypt credentials";
        Box::pin(async move {
            let request = self.client.encrypt().key_id(self.key(purpose, DOING)?);
            let request = request.set_encryption_context(Some(HashMap::from(context.clone())));
            let output = request.plaintext(Blob::new(plain)).send().await;
            let output = output.map_err(|error| SecretsError::new(DOING, error))?;
            let missing = || SecretsError::new(DOING, "the answer has no ciphertext");
            Ok(output.ciphertext_blob.ok_or_else(missing)?.into_inner())
        })
    }

    fn decrypt<'a>(&'a self, purpose: SecretPurpose, context: &'a Context, sealed: Vec<u8>) -> Answer<'a> {
        const DOING: &str = "decrypt credentials";
        Box::pin(async move {
            // Naming the key keeps a ciphertext of the other purpose from opening.
            let request = self.client.decrypt().key_id(self.key(purpose, DOING)?);
            let request = request.set_encryption_context(Some(HashMap::from(context.clone())));
            let output = request.ciphertext_blob(Blob::new(sealed)).send().await;
            let output = output.map_err(|error| SecretsError::new(DOING, error))?;
            let missing = || SecretsError::new(DOING, "the answer has no plaintext");
            Ok(output.plaintext.ok_or_else(missing)?.into_inner())
        })
    }
}

/// Encrypts bytes with a context, and writes them in base64.
pub(crate) async fn seal_text(
    keys: &dyn KeyService,
    purpose: SecretPurpose,
    context: &Context,
    plain: Vec<u8>,
) -> Result<Sealed, SecretsError> {
    let sealed = keys.encrypt(purpose, context, plain).await?;
    Ok(Sealed(STANDARD.encode(sealed)))
}

/// Opens what [`seal_text`] made with the same context.
pub(crate) async fn open_text(
    keys: &dyn KeyService,
    purpose: SecretPurpose,
    context: &Context,
    sealed: &Sealed,
    doing: &'static str,
) -> Result<Vec<u8>, SecretsError> {
    let bytes = STANDARD.decode(&sealed.0);
    let bytes = bytes.map_err(|_| SecretsError::new(doing, "it is not base64"))?;
    keys.decrypt(purpose, context, bytes).await
}

/// Seals and opens credentials.
#[derive(Clone)]
pub struct Secrets(Arc<dyn KeyService>);

impl Secrets {
    /// With these keys.
    pub fn new(keys: impl KeyService + 'static) -> Self {
        Self(Arc::new(keys))
    }

    /// Seals credentials for one connection and purpose.
    ///
    /// # Errors
    /// When the key service refuses or does not answer.
    pub async fn seal(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        purpose: SecretPurpose,
        credentials: &impl Serialize,
    ) -> Result<Sealed, SecretsError> {
        // The error of a serialiser may quote a value, so it is not kept.
        let plain = serde_json::to_vec(credentials)
            .map_err(|_| SecretsError::new("seal credentials", "they cannot be written as JSON"))?;
        let context = Connection::encryption_context(tenant, connection, purpose);
        seal_text(&*self.0, purpose, &context, plain).await
    }

    /// Opens credentials.
    ///
    /// # Errors
    /// When they were sealed for something else, or the key service does not answer.
    pub async fn open<T: DeserializeOwned>(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        purpose: SecretPurpose,
        sealed: &Sealed,
    ) -> Result<T, SecretsError> {
        const DOING: &str = "open credentials";
        let context = Connection::encryption_context(tenant, connection, purpose);
        let plain = open_text(&*self.0, purpose, &context, sealed, DOING).await?;
        // The error of a parser may quote what it read, so it is not kept.
        serde_json::from_slice(&plain).map_err(|_| SecretsError::new(DOING, "they have another form than expected"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A test double of KMS that only checks purpose and context, and counts.
    #[derive(Default)]
    pub(crate) struct Plain {
        pub(crate) opened: std::sync::atomic::AtomicU32,
    }

    fn label(purpose: SecretPurpose, context: &Context) -> String {
        format!("{}|{context:?}|", purpose.as_str())
    }

    impl KeyService for Arc<Plain> {
        fn encrypt<'a>(&'a self, purpose: SecretPurpose, context: &'a Context, plain: Vec<u8>) -> Answer<'a> {
            let mut sealed = label(purpose, context).into_bytes();
            sealed.extend(plain);
            Box::pin(async move { Ok(sealed) })
        }

        fn decrypt<'a>(&'a self, purpose: SecretPurpose, context: &'a Context, sealed: Vec<u8>) -> Answer<'a> {
            self.opened.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let opened = sealed
                .strip_prefix(label(purpose, context).as_bytes())
                .map(<[u8]>::to_vec);
            Box::pin(async move { opened.ok_or_else(|| SecretsError::new("decrypt", "wrong key or context")) })
        }
    }

    pub(crate) fn tenant() -> TenantId {
        TenantId::new(ulid::Ulid::from_parts(1, 1))
    }

    pub(crate) fn connection() -> ConnectionId {
        ConnectionId::new(ulid::Ulid::from_parts(1, 2))
    }

    #[tokio::test]
    async fn credentials_are_bound_to_tenant_connection_and_purpose() {
        let secrets = Secrets::new(Arc::new(Plain::default()));
        let sealed = secrets
            .seal(tenant(), connection(), SecretPurpose::Verify, &"token")
            .await
            .unwrap();
        let open =
            async |tenant, connection, purpose| secrets.open::<String>(tenant, connection, purpose, &sealed).await.ok();
        assert_eq!(
            open(tenant(), connection(), SecretPurpose::Verify).await.as_deref(),
            Some("token")
        );
        assert_eq!(open(tenant(), connection(), SecretPurpose::Send).await, None);
        let other = ulid::Ulid::from_parts(1, 3);
        assert_eq!(
            open(TenantId::new(other), connection(), SecretPurpose::Verify).await,
            None
        );
        assert_eq!(
            open(tenant(), ConnectionId::new(other), SecretPurpose::Verify).await,
            None
        );
    }

    #[tokio::test]
    async fn an_error_never_quotes_a_secret() {
        let secrets = Secrets::new(Arc::new(Plain::default()));
        let sealed = secrets
            .seal(tenant(), connection(), SecretPurpose::Send, &"s3cret")
            .await
            .unwrap();
        let error = secrets
            .open::<u32>(tenant(), connection(), SecretPurpose::Send, &sealed)
            .await
            .unwrap_err();
        assert!(!format!("{error:?}").contains("s3cret"));
    }
}
