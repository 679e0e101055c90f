//! The key that identifies us to push services (VAPID, RFC 8292). A deployment keeps one for ever, since devices subscribe to it. It is
//! made when it is first needed, and sealed by KMS, so that the table alone sends nothing.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::live::origin_of_endpoint;
use domain::tenants::SecretPurpose;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use store::live::PushKey;
use store::{Store, StoreError};

use crate::secrets::Context;
use crate::{KeyService, SecretsError};

/// Validity of one statement of the sender to a push service. At most 24 hours (RFC 8292, 2).
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(12);

/// The key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The table does not answer.
    #[error(transparent)]
    Table(#[from] StoreError),
    /// The key service refuses, or does not answer.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The key cannot be made, or read.
    #[error("could not {0}")]
    Crypto(&'static str),
}

#[derive(Clone)]
struct Known {
    public: String,
    private: EncodingKey,
}

/// Says who sends, to push services.
pub struct PushKeys {
    keys: Arc<dyn KeyService>,
    known: Mutex<Option<Known>>,
}

impl fmt::Debug for PushKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushKeys")
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    exp: i64,
    sub: &'a str,
}

fn context() -> Context {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    [pair("purpose", "push"), pair("of", "deployment"), pair("for", "vapid")]
}

impl PushKeys {
    /// With these keys to seal it.
    pub fn new(keys: impl KeyService + 'static) -> Self {
        Self {
            keys: Arc::new(keys),
            known: Mutex::default(),
        }
    }

    /// The public key for subscriptions of devices: a point on P-256, uncompressed, in base64url. It is made if there is none yet.
    ///
    /// # Errors
    /// When the table or the key service does not answer.
    pub async fn public(&self, store: &Store) -> Result<String, PushError> {
        if let Some(known) = store.push_key().await? {
            return Ok(known.public);
        }
        let (public, pkcs8) = new_key()?;
        let sealed = self.keys.encrypt(SecretPurpose::Send, &context(), pkcs8).await?;
        let made = PushKey {
            public,
            sealed: STANDARD.encode(sealed),
        };
        match store.create_push_key(&made).await {
            Ok(()) => Ok(made.public),
            // Somebody else was first.
            Err(error) if error.is_conflict() => match store.push_key().await? {
                Some(known) => Ok(known.public),
                None => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Header `Authorization` for a request to this endpoint. `subject` is where the push service can reach whoever sends, a URL of `https:` or
    /// `mailto:`. `None`: there is no key, so nobody has subscribed to it.
    ///
    /// # Errors
    /// When the table or the key service does not answer.
    pub async fn authorization(
        &self,
        store: &Store,
        endpoint: &str,
        subject: &str,
        now: Timestamp,
    ) -> Result<Option<String>, PushError> {
        const DOING: &str = "sign for a push service";
        let Some(Known { public, private }) = self.load_key(store).await? else {
            return Ok(None);
        };
        let claims = Claims {
            aud: &origin_of_endpoint(endpoint).ok_or(PushError::Crypto(DOING))?,
            exp: (now + GOOD_FOR).as_second(),
            sub: subject,
        };
        let signed = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &private);
        let token = signed.map_err(|_| PushError::Crypto(DOING))?;
        Ok(Some(format!("vapid t={token}, k={public}")))
    }

    async fn load_key(&self, store: &Store) -> Result<Option<Known>, PushError> {
        const DOING: &str = "read the key for push services";
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known.is_some() {
            return Ok(known);
        }
        let Some(PushKey { public, sealed }) = store.push_key().await? else {
            return Ok(None);
        };
        let sealed = STANDARD.decode(sealed).map_err(|_| PushError::Crypto(DOING))?;
        let pkcs8 = self.keys.decrypt(SecretPurpose::Send, &context(), sealed).await?;
        let known = Known {
            public,
            private: EncodingKey::from_ec_der(&pkcs8),
        };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
        Ok(Some(known))
    }
}

/// A new key: the public one in base64url, and the private one as PKCS#8.
fn new_key() -> Result<(String, Vec<u8>), PushError> {
    const FAILED: PushError = PushError::Crypto("make a key for push services");
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| FAILED)?;
    let pkcs8 = pair.to_pkcs8v1().map_err(|_| FAILED)?;
    let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    Ok((public, pkcs8.as_ref().to_vec()))
}
