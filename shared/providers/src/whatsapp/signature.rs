//! Meta's webhook signature: `X-Hub-Signature-256: sha256=<hex of HMAC-SHA256(app secret, raw body)>`.
//! Source: developers.facebook.com, "Create a webhook endpoint".

use hmac::Mac;

use crate::mac::mac;

/// Reason why a webhook is not Meta's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no secret to verify with.
    #[error("no app secret is configured")]
    NoSecret,
    /// The header is missing.
    #[error("the signature header is missing")]
    Missing,
    /// The header is not `sha256=` and 64 hexadecimal digits.
    #[error("the signature header is malformed")]
    Malformed,
    /// The signature matches none of the secrets.
    #[error("the signature does not match")]
    Mismatch,
}

/// Verifies the bytes as they arrived, because no serialiser reproduces Meta's JSON escapes. Several secrets are valid
/// during a rotation.
///
/// # Errors
/// When none of the secrets signed these bytes.
pub fn verify(app_secrets: &[impl AsRef<str>], header: Option<&str>, body: &[u8]) -> Result<(), SignatureError> {
    let secrets: Vec<&str> = app_secrets
        .iter()
        .map(AsRef::as_ref)
        .filter(|secret| !secret.is_empty())
        .collect();
    if secrets.is_empty() {
        // Everybody can compute a signature with an empty key.
        return Err(SignatureError::NoSecret);
    }
    let hex = header
        .ok_or(SignatureError::Missing)?
        .strip_prefix("sha256=")
        .ok_or(SignatureError::Malformed)?;
    let mut signature = [0; 32];
    hex::decode_to_slice(hex, &mut signature).map_err(|_| SignatureError::Malformed)?;
    for secret in secrets {
        if mac(secret, body).verify_slice(&signature).is_ok() {
            return Ok(());
        }
    }
    Err(SignatureError::Mismatch)
}

/// The header's value for these bytes, for senders and tests that act as Meta.
pub fn sign(app_secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hex::encode(mac(app_secret, body).finalize().into_bytes()))
}
