//! Sealing under a key that the process holds: AES-256-GCM. A sealed text opens only with the same context.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Bytes of the nonce before the sealed text.
const NONCE: usize = 12;

/// Sealing or opening failed. Never says what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was sealed with another key or context")]
pub(crate) struct SealError;

#[derive(Clone, Copy)]
pub(crate) struct SealingKey([u8; 32]);

impl SealingKey {
    /// Derived from any text of sufficient randomness.
    pub(crate) fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    fn key(&self) -> Result<RandomizedNonceKey, SealError> {
        RandomizedNonceKey::new(&AES_256_GCM, &self.0).map_err(|_| SealError)
    }

    /// Seals, in base64.
    pub(crate) fn seal(&self, about: &str, plain: &[u8]) -> Result<String, SealError> {
        let mut sealed = plain.to_vec();
        let about = Aad::from(about.as_bytes());
        let nonce = self.key()?.seal_in_place_append_tag(about, &mut sealed);
        let mut whole = nonce.map_err(|_| SealError)?.as_ref().to_vec();
        whole.extend(sealed);
        Ok(STANDARD.encode(whole))
    }

    /// Opens a text that was sealed with the same context.
    pub(crate) fn open(&self, about: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
        let whole = STANDARD.decode(sealed).map_err(|_| SealError)?;
        let (nonce, body) = whole.split_at_checked(NONCE).ok_or(SealError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let mut body = body.to_vec();
        let opened = self
            .key()?
            .open_in_place(nonce, Aad::from(about.as_bytes()), &mut body)
            .map_err(|_| SealError)?;
        Ok(opened.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_text_opens_only_with_its_key_and_context() {
        let key = SealingKey::of("a key");
        let sealed = key.seal("for maya", b"secret").unwrap();
        assert_ne!(
            sealed,
            key.seal("for maya", b"secret").unwrap(),
            "twice the same is told by nobody"
        );
        assert_eq!(key.open("for maya", &sealed).unwrap(), b"secret");
        assert_eq!(key.open("for tom", &sealed), Err(SealError));
        assert_eq!(SealingKey::of("another").open("for maya", &sealed), Err(SealError));
        for wrong in ["", "AAAA", "no base64", &sealed[..sealed.len() - 4]] {
            assert_eq!(key.open("for maya", wrong), Err(SealError), "{wrong}");
        }
    }
}
