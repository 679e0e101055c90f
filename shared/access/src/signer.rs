//! Signs access tokens and seals second factors. Only `auth` does this, with its own secret in Secrets Manager.

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::accounts::SealedFactor;
use domain::terms::UserId;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{LostRace, RACES, Store, StoreError};

use crate::sealing::SealingKey;
use crate::token::{ACCESS_LIFETIME, Claims, KEYS_LIFETIME, PublicKey};

/// A token could not be signed or a factor not opened.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The secret.
    #[error("could not {doing}")]
    Secret {
        doing: &'static str,
        /// Reason, without the secret.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("could not publish the signing key")]
    Table(#[from] StoreError),
    #[error("could not {0}")]
    Crypto(&'static str),
}

impl LostRace for SignError {
    fn is_lost_race(&self) -> bool {
        matches!(self, Self::Table(error) if error.is_conflict())
    }
}

fn secret_error(doing: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SignError {
    SignError::Secret {
        doing,
        source: source.into(),
    }
}

/// Age of a signing key when it is replaced.
const KEY_LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Content of `auth`'s secret. The template creates it with a sealing key; signing keys are added on demand.
#[derive(Clone, Serialize, Deserialize)]
struct Secret {
    /// Key that seals second factors: any text of sufficient randomness.
    sealing_key: String,
    /// Signing keys, newest last.
    #[serde(default)]
    signing_keys: Vec<PrivateKey>,
}

#[derive(Clone, Serialize, Deserialize)]
struct PrivateKey {
    /// PKCS#8, base64.
    pkcs8: String,
    public: PublicKey,
}

struct Known {
    since: Timestamp,
    kid: String,
    key: EncodingKey,
    sealing_key: SealingKey,
    /// Time when a newer key begins to sign, if there is one.
    until: Option<Timestamp>,
}

/// Signs access tokens and seals second factors.
pub struct Signer {
    client: aws_sdk_secretsmanager::Client,
    secret_id: String,
    store: Store,
    known: Mutex<Option<Arc<Known>>>,
}

impl Signer {
    /// With the secret of this id.
    pub const fn new(client: aws_sdk_secretsmanager::Client, secret_id: String, store: Store) -> Self {
        Self {
            client,
            secret_id,
            store,
            known: Mutex::new(None),
        }
    }

    /// A signed access token. The first call of a process reads the secret; the first of a deployment creates a key.
    ///
    /// # Errors
    /// When the secret cannot be read, or a new key not be published.
    pub async fn sign(&self, claims: &Claims, now: Timestamp) -> Result<String, SignError> {
        let known = self.load_keys(now).await?;
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(known.kid.clone());
        jsonwebtoken::encode(&header, claims, &known.key).map_err(|_| SignError::Crypto("sign a token"))
    }

    /// Seals the secret of a person's second factor.
    pub async fn seal(&self, user: UserId, secret: &[u8], now: Timestamp) -> Result<SealedFactor, SignError> {
        let known = self.load_keys(now).await?;
        let sealed = known.sealing_key.seal(&user.to_string(), secret);
        sealed
            .map(SealedFactor)
            .map_err(|_| SignError::Crypto("seal a second factor"))
    }

    /// Opens the secret of a second factor, for its person only.
    ///
    /// # Errors
    /// When the key cannot be read, or it was sealed for somebody else.
    pub async fn open(&self, user: UserId, sealed: &SealedFactor, now: Timestamp) -> Result<Vec<u8>, SignError> {
        let known = self.load_keys(now).await?;
        let opened = known.sealing_key.open(&user.to_string(), &sealed.0);
        opened.map_err(|_| SignError::Crypto("open a second factor"))
    }

    async fn load_keys(&self, now: Timestamp) -> Result<Arc<Known>, SignError> {
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = &*known
                && now.duration_since(known.since) < KEYS_LIFETIME
                && known.until.is_none_or(|until| now < until)
            {
                return Ok(Arc::clone(known));
            }
        }
        RACES.until_won(|| self.read_or_renew(now)).await
    }

    /// Reads the secret, and creates a new key if the newest one is too old. A lost race if another process is creating one at
    /// the same time: it may exist by now.
    async fn read_or_renew(&self, now: Timestamp) -> Result<Arc<Known>, SignError> {
        let mut secret = self.read().await?;
        let newest = secret.signing_keys.last().map(|key| key.public.created_at);
        if newest.is_none_or(|made| now.duration_since(made) >= KEY_LIFETIME) {
            secret.signing_keys.push(new_key(now)?);
            // A key that no longer signs is not needed after its last token has expired.
            let keep = secret.signing_keys.len().saturating_sub(2);
            secret.signing_keys.drain(..keep);
            self.publish(&secret).await?;
            self.write(&secret).await?;
        }
        let known = Arc::new(choose(&secret, now)?);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        Ok(known)
    }

    /// Publishes a key before it is stored, so that every key that ever signs is known, whoever else creates one at the same
    /// time.
    async fn publish(&self, secret: &Secret) -> Result<(), SignError> {
        let before = self.store.signing_keys().await?;
        let known = before.value.unwrap_or_default();
        let mut keys: Vec<PublicKey> = serde_json::from_str(&known).unwrap_or_default();
        for key in &secret.signing_keys {
            if !keys.iter().any(|other| other.kid == key.public.kid) {
                keys.push(key.public.clone());
            }
        }
        let newest = keys.iter().map(|key| key.created_at).max();
        keys.retain(|key| {
            newest.is_none_or(|newest| newest.duration_since(key.created_at) < KEY_LIFETIME + ACCESS_LIFETIME * 2)
                || secret.signing_keys.iter().any(|own| own.public.kid == key.kid)
        });
        let text = serde_json::to_string(&keys).map_err(|error| secret_error("write the public keys", error))?;
        Ok(self.store.publish_signing_keys(&text, before.version).await?)
    }

    async fn read(&self) -> Result<Secret, SignError> {
        const DOING: &str = "read the signing secret";
        let output = self.client.get_secret_value().secret_id(&self.secret_id).send().await;
        let output = output.map_err(|error| secret_error(DOING, error))?;
        // The error of a parser may quote what it read, so it is not kept.
        serde_json::from_str(output.secret_string().unwrap_or_default())
            .map_err(|_| secret_error(DOING, "it has another form than expected"))
    }

    async fn write(&self, secret: &Secret) -> Result<(), SignError> {
        const DOING: &str = "write the signing secret";
        let text = serde_json::to_string(secret).map_err(|_| secret_error(DOING, "it cannot be written as JSON"))?;
        let request = self.client.put_secret_value().secret_id(&self.secret_id);
        let output = request.secret_string(text).send().await;
        output.map(drop).map_err(|error| secret_error(DOING, error))
    }
}

fn new_key(now: Timestamp) -> Result<PrivateKey, SignError> {
    const FAILED: SignError = SignError::Crypto("create a signing key");
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| FAILED)?;
    let pkcs8 = pair.to_pkcs8v1().map_err(|_| FAILED)?;
    // An uncompressed point: 4, then x and y of 32 bytes each.
    let point = pair.public_key().as_ref();
    let (Some(x), Some(y)) = (point.get(1..33), point.get(33..65)) else {
        return Err(FAILED);
    };
    let kid = URL_SAFE_NO_PAD.encode(&Sha256::digest(point)[..12]);
    Ok(PrivateKey {
        pkcs8: STANDARD.encode(pkcs8.as_ref()),
        public: PublicKey {
            kid,
            x: URL_SAFE_NO_PAD.encode(x),
            y: URL_SAFE_NO_PAD.encode(y),
            created_at: now,
        },
    })
}

/// The key that signs now. A new key signs only once every process has read it, unless there is no other.
fn choose(secret: &Secret, now: Timestamp) -> Result<Known, SignError> {
    const FAILED: SignError = SignError::Crypto("read a signing key");
    let is_known = |key: &&PrivateKey| now.duration_since(key.public.created_at) >= KEYS_LIFETIME;
    let newest = secret.signing_keys.last().ok_or(FAILED)?;
    let chosen = secret.signing_keys.iter().rev().find(is_known);
    let chosen = chosen.unwrap_or_else(|| secret.signing_keys.first().unwrap_or(newest));
    let pkcs8 = STANDARD.decode(&chosen.pkcs8).map_err(|_| FAILED)?;
    let until = (chosen.public.kid != newest.public.kid).then(|| newest.public.created_at + KEYS_LIFETIME);
    Ok(Known {
        since: now,
        kid: chosen.public.kid.clone(),
        key: EncodingKey::from_ec_der(&pkcs8),
        sealing_key: SealingKey::of(&secret.sealing_key),
        until,
    })
}
