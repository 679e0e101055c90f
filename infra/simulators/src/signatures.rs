//! Signatures of the providers' webhooks: the sender's side of the vectors under `shared/testkit/fixtures/vectors`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// Names and values of a form's fields.
pub type Fields = [(String, String)];

/// Meta: `X-Hub-Signature-256`, over the raw body.
pub fn meta(app_secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hex::encode(hmac_sha256(app_secret.as_bytes(), body)))
}

/// Twilio: `X-Twilio-Signature` with the account's auth token.
pub fn twilio(auth_token: &str, url: &str, form: &Fields) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(twilio_text(url, form).as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The URL as configured, then every parameter's name and value, names in byte order, equal pairs once.
fn twilio_text(url: &str, form: &Fields) -> String {
    let mut pairs: Vec<_> = form.iter().collect();
    pairs.sort();
    pairs.dedup();
    pairs
        .into_iter()
        .fold(url.to_owned(), |text, (name, value)| text + name + value)
}

/// Standard Webhooks: `webhook-signature`, over `id.timestamp.body`.
pub fn standard_webhooks(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<String, String> {
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap_or(secret))
        .map_err(|error| format!("reading the telephony secret: {error}"))?;
    let mut text = format!("{id}.{timestamp}.").into_bytes();
    text.extend_from_slice(body);
    Ok(format!("v1,{}", STANDARD.encode(hmac_sha256(&key, &text))))
}

/// Vonage: the `Authorization` header, a token that binds the body by its hash.
pub fn vonage(secret: &str, api_key: &str, application_id: &str, iat: i64, jti: &str, body: &[u8]) -> String {
    let hash = hex::encode(Sha256::digest(body));
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = format!(
        r#"{{"iss":"Vonage","iat":{iat},"jti":"{jti}","api_key":"{api_key}","application_id":"{application_id}","payload_hash":"{hash}"}}"#
    );
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(hmac_sha256(secret.as_bytes(), signed.as_bytes()));
    format!("Bearer {signed}.{signature}")
}

/// Plivo: `X-Plivo-Signature-V3` for a form post to a URL without a query.
pub fn plivo(auth_token: &str, url: &str, form: &Fields, nonce: &str) -> String {
    let mut pairs: Vec<_> = form.iter().collect();
    pairs.sort();
    let parameters: String = pairs
        .into_iter()
        .flat_map(|(name, value)| [name.as_str(), value])
        .collect();
    let text = format!("{url}?{parameters}.{nonce}");
    STANDARD.encode(hmac_sha256(auth_token.as_bytes(), text.as_bytes()))
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}
