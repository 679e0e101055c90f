//! Plivo's webhook signature, version 3: base64 of an HMAC-SHA256 with the auth token over the address, the form and a nonce.
//! Sources: plivo.com/docs/voice/xml/request/validation; otherwise Plivo's own library (plivo-python 4.63).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;

use crate::form;
use crate::mac::mac;

/// The headers, as they arrived.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    /// `X-Plivo-Signature-V3`: several during a rotation, separated by commas.
    pub signature: Option<&'a str>,
    /// `X-Plivo-Signature-Ma-V3`: the same, signed by the main account of a subaccount.
    pub main_account: Option<&'a str>,
    /// `X-Plivo-Signature-V3-Nonce`.
    pub nonce: Option<&'a str>,
}

/// Reason why a webhook is not Plivo's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no secret to verify with.
    #[error("no auth token is configured")]
    NoSecret,
    /// A header is missing.
    #[error("the headers X-Plivo-Signature-V3 and X-Plivo-Signature-V3-Nonce must be given")]
    Missing,
    /// None of the signatures matches any of the tokens.
    #[error("the signature does not match")]
    Mismatch,
}

/// Verifies a form post or, with an empty body, a `GET`. `url` is the address configured at Plivo, built from our
/// configuration and never from the request's host.
///
/// # Errors
/// When none of the auth tokens signed it.
pub fn verify(
    auth_tokens: &[impl AsRef<str>],
    headers: Headers<'_>,
    url: &str,
    body: &[u8],
) -> Result<(), SignatureError> {
    let tokens: Vec<&str> = auth_tokens
        .iter()
        .map(AsRef::as_ref)
        .filter(|token| !token.is_empty())
        .collect();
    if tokens.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let nonce = headers
        .nonce
        .filter(|nonce| !nonce.is_empty())
        .ok_or(SignatureError::Missing)?;
    let lists: Vec<&str> = [headers.signature, headers.main_account]
        .into_iter()
        .flatten()
        .collect();
    if lists.is_empty() {
        return Err(SignatureError::Missing);
    }
    // However many signatures there are, each token hashes the text once.
    let text = signed_text(url, body, nonce);
    let macs: Vec<_> = tokens.iter().map(|token| mac(token, &text)).collect();
    let mut given = lists
        .into_iter()
        .flat_map(|list| list.split(','))
        .filter_map(|signature| STANDARD.decode(signature.trim()).ok());
    let fits = |signature: &[u8]| macs.iter().any(|mac| mac.clone().verify_slice(signature).is_ok());
    if given.any(|signature| fits(&signature)) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// The header's value for a form post, for tests that act as Plivo.
pub fn sign(auth_token: &str, url: &str, body: &[u8], nonce: &str) -> String {
    STANDARD.encode(mac(auth_token, &signed_text(url, body, nonce)).finalize().into_bytes())
}

/// The address, `?` with its parameters in order, then the form's names and values without separators, in order, then
/// `.` and the nonce. A `.` separates a query from a form; before a form, the `?` stays even without a query.
fn signed_text(url: &str, body: &[u8], nonce: &str) -> Vec<u8> {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut parameters: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    parameters.sort_by_key(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut sorted: BTreeMap<&[u8], BTreeSet<&[u8]>> = BTreeMap::new();
    let form = form::parse(body);
    for (name, value) in form.pairs() {
        sorted.entry(name).or_default().insert(value);
    }
    let mut text = address.as_bytes().to_vec();
    if !parameters.is_empty() || !sorted.is_empty() {
        text.push(b'?');
    }
    text.extend_from_slice(parameters.join("&").as_bytes());
    if !parameters.is_empty() && !sorted.is_empty() {
        text.push(b'.');
    }
    for (name, values) in sorted {
        for value in values {
            text.extend_from_slice(name);
            text.extend_from_slice(value);
        }
    }
    text.push(b'.');
    text.extend_from_slice(nonce.as_bytes());
    text
}
