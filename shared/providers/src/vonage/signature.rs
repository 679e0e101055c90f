//! Vonage's signed webhooks: `Authorization: Bearer` with a JSON Web Token, HS256 by the account's signature secret. Its
//! claim `payload_hash` binds the body: SHA-256 of its bytes, in hexadecimal.
//! Source: developer.vonage.com, "Decoding signed webhooks".
//!
//! No library: only one algorithm is accepted, and the time is an argument.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use hmac::Mac;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::mac::mac;

/// Maximum difference between a token's time and ours in seconds, in both directions. Our policy.
const TOLERANCE_SECONDS: u64 = 300;

/// Expected properties of a connection's tokens.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The account's signature secrets; two during a rotation.
    pub secrets: &'a [String],
    /// The account's API key.
    pub api_key: &'a str,
    /// The application, if the connection belongs to one.
    pub application_id: Option<&'a str>,
}

/// Reason why a webhook is not Vonage's, or not this account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no secret to verify with.
    #[error("no signature secret is configured")]
    NoSecret,
    /// The header is missing.
    #[error("the header Authorization is missing")]
    Missing,
    /// It contains no token, or one without the required claims.
    #[error("the header Authorization holds no token of Vonage's form")]
    Malformed,
    /// Another algorithm than HS256, or an unknown critical extension.
    #[error("the token's algorithm is not HS256")]
    Algorithm,
    /// None of the secrets signed it.
    #[error("the token's signature does not match")]
    Mismatch,
    /// Too old or too new: a replay, or a wrong clock.
    #[error("the token is older or newer than five minutes, or has expired")]
    Stale,
    /// It belongs to another account or application.
    #[error("the token names another account or application")]
    Foreign,
    /// It was issued for another body.
    #[error("the body's hash is not the one in the token")]
    BodyHash,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    crit: Value,
}

#[derive(Deserialize)]
struct Claims {
    iat: i64,
    exp: Option<i64>,
    api_key: String,
    application_id: Option<String>,
    payload_hash: Option<String>,
}

fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Verifies a webhook over the bytes of its body as they arrived. A token that binds no body is valid only with an empty one.
///
/// # Errors
/// When none of the secrets signed it, for this account and body, within five minutes of `now`.
pub fn verify(
    expected: Expected<'_>,
    authorization: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), SignatureError> {
    let secrets: Vec<&String> = expected.secrets.iter().filter(|secret| !secret.is_empty()).collect();
    if secrets.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let authorization = authorization.ok_or(SignatureError::Missing)?;
    let (scheme, token) = authorization.split_once(' ').ok_or(SignatureError::Malformed)?;
    let (signed, signature) = token.trim().rsplit_once('.').ok_or(SignatureError::Malformed)?;
    let (head, claims) = signed.split_once('.').ok_or(SignatureError::Malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(SignatureError::Malformed);
    }
    let head: Header = part(head).ok_or(SignatureError::Malformed)?;
    if head.alg != "HS256" || !head.crit.is_null() {
        return Err(SignatureError::Algorithm);
    }
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| SignatureError::Malformed)?;
    if !secrets
        .iter()
        .any(|secret| mac(secret, signed.as_bytes()).verify_slice(&signature).is_ok())
    {
        return Err(SignatureError::Mismatch);
    }
    let claims: Claims = part(claims).ok_or(SignatureError::Malformed)?;
    let now = now.as_second();
    if claims.iat.abs_diff(now) > TOLERANCE_SECONDS || claims.exp.is_some_and(|expires| expires < now) {
        return Err(SignatureError::Stale);
    }
    let application = expected.application_id;
    if claims.api_key != expected.api_key
        || application.is_some_and(|application| claims.application_id.as_deref() != Some(application))
    {
        return Err(SignatureError::Foreign);
    }
    match claims.payload_hash {
        None if body.is_empty() => Ok(()),
        Some(hash) if is_hash_of(&hash, body) => Ok(()),
        _ => Err(SignatureError::BodyHash),
    }
}

fn is_hash_of(text: &str, body: &[u8]) -> bool {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).is_ok() && Sha256::digest(body).as_slice().ct_eq(hash.as_slice()).into()
}

/// The header's value for this body, for tests that act as Vonage.
pub fn sign(secret: &str, api_key: &str, application_id: &str, now: Timestamp, body: &[u8]) -> String {
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = encode(json!({ "alg": "HS256", "typ": "JWT" }));
    let claims = encode(json!({
        "iss": "Vonage",
        "iat": now.as_second(),
        "jti": "00000000-0000-4000-8000-000000000001",
        "api_key": api_key,
        "application_id": application_id,
        "payload_hash": hex::encode(Sha256::digest(body)),
    }));
    let signed = format!("{head}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(mac(secret, signed.as_bytes()).finalize().into_bytes());
    format!("Bearer {signed}.{signature}")
}
