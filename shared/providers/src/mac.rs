//! HMAC-SHA256, by which most providers sign their webhooks.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The code of these bytes by a key. It is compared in constant time by `verify_slice`.
pub(crate) fn mac(key: &str, signed: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(signed);
    mac
}
