//! Shopify's webhook signature: `X-Shopify-Hmac-Sha256: <base64 of HMAC-SHA256(key, raw body)>`. The key is the one that the shop shows
//! under its notifications. No header is signed.
//! Source: shopify.dev/docs/apps/build/webhooks, "Verify webhook deliveries".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;

use crate::mac::mac;

/// Reason why a webhook is not Shopify's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no key to verify with.
    #[error("no signing key is configured")]
    NoSecret,
    /// The header is missing.
    #[error("the signature header is missing")]
    Missing,
    /// The header is not base64.
    #[error("the signature header is malformed")]
    Malformed,
    /// The signature matches none of the keys.
    #[error("the signature does not match")]
    Mismatch,
}

/// Verifies the bytes as they arrived. Several keys are valid during a rotation.
///
/// # Errors
/// When none of the keys signed these bytes.
pub fn verify(signing_keys: &[impl AsRef<str>], header: Option<&str>, body: &[u8]) -> Result<(), SignatureError> {
    // Everybody can compute a signature with an empty key.
    let mut keys = signing_keys.iter().map(AsRef::as_ref).filter(|key| !key.is_empty());
    let first = keys.next().ok_or(SignatureError::NoSecret)?;
    let header = header.ok_or(SignatureError::Missing)?;
    let signature = STANDARD.decode(header).map_err(|_| SignatureError::Malformed)?;
    let mut keys = std::iter::once(first).chain(keys);
    let fits = keys.any(|key| mac(key, body).verify_slice(&signature).is_ok());
    fits.then_some(()).ok_or(SignatureError::Mismatch)
}

/// The header's value for these bytes, for tests that act as Shopify.
pub fn sign(signing_key: &str, body: &[u8]) -> String {
    STANDARD.encode(mac(signing_key, body).finalize().into_bytes())
}
