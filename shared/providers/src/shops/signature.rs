//! The signature of shops' webhooks: `<base64 of HMAC-SHA256(key, raw body)>`, at Shopify in `X-Shopify-Hmac-Sha256`, with the key that the
//! shop shows under its notifications; at WooCommerce in `X-WC-Webhook-Signature`, with the webhook's secret. No header is signed.
//! Sources: shopify.dev/docs/apps/build/webhooks, "Verify webhook deliveries"; `generate_signature` of WooCommerce's `WC_Webhook`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;

use crate::mac::mac;

/// Reason why a webhook is not the shop's.
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

/// The header's value for these bytes, for tests that act as a shop.
pub fn sign(signing_key: &str, body: &[u8]) -> String {
    STANDARD.encode(mac(signing_key, body).finalize().into_bytes())
}
