//! Standard Webhooks 1.0: `v1,base64(HMAC-SHA256(secret, id + "." + timestamp + "." + body))`.
//! Source: github.com/standard-webhooks, spec/standard-webhooks.md.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Maximum difference between a webhook's time and ours in seconds, in both directions.
const TOLERANCE_SECONDS: u64 = 300;

/// The three headers, as they arrived.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    /// `webhook-id`: stays the same when an event is delivered again.
    pub id: Option<&'a str>,
    /// `webhook-timestamp`: unix seconds.
    pub timestamp: Option<&'a str>,
    /// `webhook-signature`: several during a rotation, separated by spaces.
    pub signature: Option<&'a str>,
}

/// Reason why a webhook is not from its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no secret to verify with.
    #[error("no secret is configured, or none that is base64 after whsec_")]
    NoSecret,
    /// A header is missing.
    #[error("the headers webhook-id, webhook-timestamp and webhook-signature must be given")]
    Missing,
    /// The time is not a number of seconds.
    #[error("the header webhook-timestamp must be unix seconds")]
    Malformed,
    /// Too old or too new: a replay, or a wrong clock.
    #[error("the webhook is older or newer than five minutes")]
    Stale,
    /// None of the signatures matches any of the secrets.
    #[error("the signature does not match")]
    Mismatch,
}

/// The key in `whsec_<base64>`. An empty key is refused, because everybody could sign with it.
fn key(secret: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok()?;
    (!key.is_empty()).then_some(key)
}

fn mac(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    mac
}

/// Verifies the bytes as they arrived, with any of the secrets.
///
/// # Errors
/// When none of the secrets signed them, or not within five minutes of `now`.
pub fn verify(
    secrets: &[impl AsRef<str>],
    headers: Headers<'_>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), SignatureError> {
    let keys: Vec<Vec<u8>> = secrets.iter().filter_map(|secret| key(secret.as_ref())).collect();
    if keys.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let (Some(id), Some(timestamp), Some(signatures)) = (headers.id, headers.timestamp, headers.signature) else {
        return Err(SignatureError::Missing);
    };
    if id.is_empty() {
        return Err(SignatureError::Missing);
    }
    let digits_only = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let sent_at: i64 = timestamp
        .parse()
        .ok()
        .filter(|_| digits_only)
        .ok_or(SignatureError::Malformed)?;
    if sent_at.abs_diff(now.as_second()) > TOLERANCE_SECONDS {
        return Err(SignatureError::Stale);
    }
    // However many signatures there are, each key hashes the body once.
    let macs: Vec<_> = keys.iter().map(|key| mac(key, id, timestamp, body)).collect();
    let mut given = signatures
        .split(' ')
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|signature| STANDARD.decode(signature).ok());
    let fits = |signature: &[u8]| macs.iter().any(|mac| mac.clone().verify_slice(signature).is_ok());
    if given.any(|signature| fits(&signature)) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// The signature of these bytes, as sent by a telephone system, or a test that acts as one. `None` if the secret is not
/// base64.
pub fn sign(secret: &str, id: &str, timestamp: Timestamp, body: &[u8]) -> Option<String> {
    let mac = mac(&key(secret)?, id, &timestamp.as_second().to_string(), body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}
