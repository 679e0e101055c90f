//! Twilio's webhook signature: `X-Twilio-Signature` is the base64 of an HMAC over the address and the form.
//!
//! HMAC-SHA1 with an auth token, or HMAC-SHA256 with a shared key when `X-Twilio-Webhooks-Signature-Settings` says so.
//! Source: twilio.com/docs/usage/webhooks/webhooks-security and webhook-shared-keys; otherwise the rules of
//! Twilio's own libraries (twilio-python 9.13).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::tenants::VerifySecrets;
use domain::tenants::twilio::{SharedKey, Verify};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::form::{self, Form};

/// Secrets that may sign a connection's webhooks.
#[derive(Clone, Copy)]
pub struct Secrets<'a> {
    /// The account's primary auth token; two during a rotation.
    pub auth_tokens: &'a [String],
    pub shared_keys: &'a [SharedKey],
}

/// The two headers, as they arrived.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    /// `X-Twilio-Signature`.
    pub signature: Option<&'a str>,
    /// `X-Twilio-Webhooks-Signature-Settings`.
    pub settings: Option<&'a str>,
}

/// The signed content, according to its content type.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// A form post: its fields are signed, too.
    Form(&'a [u8]),
    /// A JSON post: the address contains its hash as `bodySHA256`.
    Json(&'a [u8]),
    /// A `GET`: only the address is signed.
    Get,
}

/// Reason why a webhook is not Twilio's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no secret to verify with.
    #[error("no auth token is configured")]
    NoSecret,
    /// The header is missing.
    #[error("the signature header is missing")]
    Missing,
    /// The header is not base64.
    #[error("the signature header is malformed")]
    Malformed,
    /// The settings name another algorithm than HMAC_SHA256.
    #[error("the signature's settings name an algorithm that is not known")]
    UnknownAlgorithm,
    /// The settings name a shared key that the connection does not have.
    #[error("the signature's settings name a shared key that is not configured")]
    UnknownKey,
    /// A JSON body that does not match the hash in the address, or without one.
    #[error("the body's hash is not the one in the address")]
    BodyHash,
    /// The signature matches none of the secrets.
    #[error("the signature does not match")]
    Mismatch,
}

/// True if a form post is signed with one of a connection's secrets, as [`verify`] decides; secrets of another provider sign
/// nothing of Twilio's. `header` returns a request's header by its lower-case name.
pub fn signs_form<'a>(
    secrets: &VerifySecrets,
    header: impl Fn(&'static str) -> Option<&'a str>,
    url: &str,
    body: &[u8],
) -> bool {
    let VerifySecrets::Twilio(Verify {
        auth_tokens,
        shared_keys,
    }) = secrets
    else {
        return false;
    };
    let secrets = Secrets {
        auth_tokens,
        shared_keys,
    };
    let headers = Headers {
        signature: header("x-twilio-signature"),
        settings: header("x-twilio-webhooks-signature-settings"),
    };
    verify(secrets, headers, url, Body::Form(body)).is_ok()
}

/// Verifies a webhook. `url` is the address configured at Twilio, built from our configuration and never from the
/// request's host, with the query byte for byte as it arrived.
///
/// # Errors
/// When none of the secrets signed it.
pub fn verify(secrets: Secrets<'_>, headers: Headers<'_>, url: &str, body: Body<'_>) -> Result<(), SignatureError> {
    let scheme = Scheme::choose(secrets, headers.settings)?;
    let header = headers
        .signature
        .filter(|header| !header.is_empty())
        .ok_or(SignatureError::Missing)?;
    let signature = STANDARD.decode(header).map_err(|_| SignatureError::Malformed)?;
    let form = match body {
        Body::Form(bytes) => Some(form::parse(bytes)),
        Body::Json(bytes) => {
            check_body_hash(url, bytes)?;
            None
        }
        Body::Get => None,
    };
    for url in port_variants(without_fragment(url)) {
        if scheme.verify(&signed_text(&url, form.as_ref()), &signature) {
            return Ok(());
        }
    }
    Err(SignatureError::Mismatch)
}

/// The header's value for a form post (or, with an empty form, a `GET`), for tests that act as Twilio.
pub fn sign(auth_token: &str, url: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()).expect(ANY_LENGTH);
    mac.update(&signed_text(without_fragment(url), Some(&form::parse(body))));
    STANDARD.encode(mac.finalize().into_bytes())
}

const ANY_LENGTH: &str = "HMAC takes keys of any length";

enum Scheme<'a> {
    Sha1(Vec<&'a str>),
    Sha256(&'a str),
}

impl<'a> Scheme<'a> {
    fn choose(secrets: Secrets<'a>, settings: Option<&str>) -> Result<Self, SignatureError> {
        let Some(settings) = settings else {
            let tokens: Vec<&str> = secrets
                .auth_tokens
                .iter()
                .map(String::as_str)
                .filter(|token| !token.is_empty())
                .collect();
            // Everybody can compute a signature with an empty key.
            return if tokens.is_empty() {
                Err(SignatureError::NoSecret)
            } else {
                Ok(Self::Sha1(tokens))
            };
        };
        let setting = |name: &str| {
            let mut values = settings.split(',').filter_map(|part| part.trim().split_once('='));
            values.find(|(known, _)| *known == name).map(|(_, value)| value)
        };
        if setting("algorithm") != Some("HMAC_SHA256") {
            return Err(SignatureError::UnknownAlgorithm);
        }
        let id = setting("key").ok_or(SignatureError::UnknownKey)?;
        let key = secrets
            .shared_keys
            .iter()
            .find(|key| key.id == id && !key.secret.is_empty());
        key.map(|key| Self::Sha256(&key.secret))
            .ok_or(SignatureError::UnknownKey)
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Sha1(tokens) => tokens.iter().any(|token| {
                let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect(ANY_LENGTH);
                mac.update(text);
                mac.verify_slice(signature).is_ok()
            }),
            Self::Sha256(key) => {
                let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect(ANY_LENGTH);
                mac.update(text);
                mac.verify_slice(signature).is_ok()
            }
        }
    }
}

/// The address, then every name and value without separators: names in byte order, the distinct values of a
/// repeated name in byte order, empty values included.
fn signed_text(url: &str, form: Option<&Form>) -> Vec<u8> {
    let mut sorted: BTreeMap<&[u8], BTreeSet<&[u8]>> = BTreeMap::new();
    for (name, value) in form.into_iter().flat_map(Form::pairs) {
        sorted.entry(name).or_default().insert(value);
    }
    let mut text = url.as_bytes().to_vec();
    for (name, values) in sorted {
        for value in values {
            text.extend_from_slice(name);
            text.extend_from_slice(value);
        }
    }
    text
}

fn check_body_hash(url: &str, body: &[u8]) -> Result<(), SignatureError> {
    let query = url.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let query = form::parse(query.as_bytes());
    let given = query.get("bodySHA256").ok_or(SignatureError::BodyHash)?;
    let mut hash = [0; 32];
    hex::decode_to_slice(given.as_bytes(), &mut hash).map_err(|_| SignatureError::BodyHash)?;
    let same = Sha256::digest(body).as_slice().ct_eq(hash.as_slice());
    if bool::from(same) {
        Ok(())
    } else {
        Err(SignatureError::BodyHash)
    }
}

/// Removes connection overrides, which are in the fragment. Twilio neither sends nor signs it, but a proxy may pass it on.
fn without_fragment(url: &str) -> &str {
    url.split('#').next().unwrap_or_default()
}

/// The address unchanged, and with and without a port, because Twilio's products differ in signing the port.
fn port_variants(url: &str) -> Vec<String> {
    let mut variants = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else {
        return variants;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host_start = authority.rfind('@').map_or(0, |at| at + 1);
    // A colon inside the brackets of an IPv6 address does not begin a port.
    let after_brackets = authority.rfind(']').map_or(host_start, |bracket| bracket + 1);
    match authority[after_brackets..].rfind(':') {
        Some(colon) => {
            let host = &authority[..after_brackets + colon];
            variants.push(format!("{scheme}://{host}{path}"));
        }
        None => {
            let port = if scheme.eq_ignore_ascii_case("http") { 80 } else { 443 };
            variants.push(format!("{scheme}://{authority}:{port}{path}"));
        }
    }
    variants
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_may_be_part_of_the_signed_url() {
        let other = |url: &str| port_variants(url).pop().unwrap_or_default();
        assert_eq!(other("https://h.test/a?b=c:1"), "https://h.test:443/a?b=c:1");
        assert_eq!(other("http://h.test"), "http://h.test:80");
        assert_eq!(other("https://h.test:443/a"), "https://h.test/a");
        assert_eq!(other("https://h.test:8443/a"), "https://h.test/a");
        assert_eq!(other("https://u:p@h.test/a"), "https://u:p@h.test:443/a");
        assert_eq!(other("https://[::1]/a"), "https://[::1]:443/a");
        assert_eq!(other("https://[::1]:8443/a"), "https://[::1]/a");
        assert_eq!(port_variants("nonsense"), ["nonsense"]);
    }

    #[test]
    fn invalid_utf8_is_signed_as_bytes() {
        let token = ["token".to_owned()];
        let secrets = Secrets {
            auth_tokens: &token,
            shared_keys: &[],
        };
        let signature = sign("token", "https://h.test/", b"Body=%ff%fe");
        let headers = Headers {
            signature: Some(&signature),
            settings: None,
        };
        assert_eq!(
            verify(secrets, headers, "https://h.test/", Body::Form(b"Body=%ff%fe")),
            Ok(())
        );
        // As text, both would be the same replacement character.
        let other = verify(secrets, headers, "https://h.test/", Body::Form(b"Body=%ff%fd"));
        assert_eq!(other, Err(SignatureError::Mismatch));
    }

    #[test]
    fn an_empty_secret_verifies_nothing() {
        let token = [String::new()];
        let keys = [SharedKey {
            id: "k".to_owned(),
            secret: String::new(),
        }];
        let secrets = Secrets {
            auth_tokens: &token,
            shared_keys: &keys,
        };
        let signature = sign("", "https://h.test/", b"");
        let mut headers = Headers {
            signature: Some(&signature),
            settings: None,
        };
        assert_eq!(
            verify(secrets, headers, "https://h.test/", Body::Get),
            Err(SignatureError::NoSecret)
        );
        headers.settings = Some("key=k,algorithm=HMAC_SHA256");
        assert_eq!(
            verify(secrets, headers, "https://h.test/", Body::Get),
            Err(SignatureError::UnknownKey)
        );
    }
}
