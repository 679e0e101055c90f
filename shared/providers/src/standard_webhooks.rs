//! Standard Webhooks 1.0, as a sender: secrets of receivers, and signatures that are valid while a secret is replaced.
//! Source: github.com/standard-webhooks, spec/standard-webhooks.md.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;

use crate::telephony::sign;

/// Bytes of randomness in a secret.
pub const SECRET_BYTES: usize = 30;

/// Letters and digits of which a secret is made, each for five bits. Some receivers, such as nodes of n8n, know keys of text only.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Bytes of randomness that become eight letters.
const GROUP: usize = 5;

/// A secret that signs what a receiver gets: 48 letters and digits, whose base64 needs no padding. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(String);

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret")
    }
}

impl SigningSecret {
    /// A secret of these random bytes.
    pub fn of_random(random: [u8; SECRET_BYTES]) -> Self {
        let letters = random.chunks(GROUP).flat_map(|group| {
            let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            (0..8).map(move |place| char::from(LETTERS[(bits >> (5 * place) & 31) as usize]))
        });
        Self(letters.collect())
    }

    /// A secret that was made before.
    pub const fn from_stored(key: String) -> Self {
        Self(key)
    }

    /// The key as text, with which HMAC-SHA256 is computed.
    pub fn key(&self) -> &str {
        &self.0
    }

    /// The secret as libraries of Standard Webhooks take it: `whsec_` and the key in base64.
    pub fn whsec(&self) -> String {
        format!("whsec_{}", STANDARD.encode(&self.0))
    }
}

/// Header `webhook-signature` of a request: a signature by each secret, separated by one space, which is all that some libraries split at.
pub fn signature_header(secrets: &[SigningSecret], id: &str, at: Timestamp, body: &[u8]) -> String {
    let signatures: Vec<String> = secrets
        .iter()
        .filter_map(|secret| sign(&secret.whsec(), id, at, body))
        .collect();
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const DECIDED: &str = r#"{"type":"call.decided","timestamp":"2026-11-20T08:00:00Z","data":{"call_id":"call_1"}}"#;

    /// Signatures made by the package `standardwebhooks` 1.1.0 of PyPI.
    #[test]
    fn signatures_are_those_of_the_official_library() {
        for (key, whsec, id, at, body, signature) in [
            (
                "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnop",
                "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoyMzQ1NjdhYmNkZWZnaGlqa2xtbm9w",
                "evt_00000000000000000000000001",
                1_795_161_600,
                DECIDED,
                "v1,MVmR+KS9t2l8Re5wmndC4hdMKS668Zii9Spg8tJdzz0=",
            ),
            (
                "000000000000000000000000000000000000000000000000",
                "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw",
                "evt_01hq5c1ynyc0000000000000ab",
                1_795_161_600,
                "{}",
                "v1,nvwycMXhnxSR1Fy3Z5NI3YfnQwhtd1qU/j5X+rjfJgU=",
            ),
            (
                "z2y3x4w5v6u7t7s6r5q4p3o2n2m3l4k5j6i7h7g6f5e4d3c2",
                "whsec_ejJ5M3g0dzV2NnU3dDdzNnI1cTRwM28ybjJtM2w0azVqNmk3aDdnNmY1ZTRkM2My",
                "evt_01hq5c1ynyc0000000000000ab",
                1,
                r#"{"text":"مرحبا 👋"}"#,
                "v1,o66lI0WAFa4vMbeP9idCPut7ajMpQ9xAdSrqUZ23eb8=",
            ),
        ] {
            let secret = SigningSecret::from_stored(key.to_owned());
            assert_eq!(secret.whsec(), whsec);
            let at = Timestamp::from_second(at).unwrap();
            assert_eq!(signature_header(&[secret], id, at, body.as_bytes()), signature);
        }
    }

    #[test]
    fn both_secrets_sign_while_one_is_replaced() {
        let (new, old) = (SigningSecret::of_random([7; 30]), SigningSecret::of_random([8; 30]));
        let sign = |secrets: &[SigningSecret]| signature_header(secrets, "evt_1", Timestamp::UNIX_EPOCH, b"{}");
        let both = sign(&[new.clone(), old.clone()]);
        assert_eq!(both, format!("{} {}", sign(&[new]), sign(&[old])));
        assert_eq!(sign(&[]), "");
    }

    #[test]
    fn secrets_are_48_letters_and_digits() {
        let mut random = [0; SECRET_BYTES];
        let all: BTreeSet<String> = (0..=255_u8)
            .map(|byte| {
                random[usize::from(byte) % SECRET_BYTES] = byte;
                let secret = SigningSecret::of_random(random);
                let (key, whsec) = (secret.key(), secret.whsec());
                assert!(
                    key.len() == 48 && key.bytes().all(|letter| letter.is_ascii_alphanumeric()),
                    "{key}"
                );
                assert!(whsec.len() == 70 && !whsec.contains('='), "{whsec}");
                assert_eq!(format!("{secret:?}"), "SigningSecret");
                key.to_owned()
            })
            .collect();
        assert_eq!(all.len(), 256, "each byte changes it");
    }
}
