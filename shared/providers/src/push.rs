//! Push services of browsers (RFC 8030): one request delivers an encrypted notification (RFC 8291) to one device. All of them have the same
//! interface, so there is one client.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::live::PushSubscription;
use jiff::SignedDuration;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};

use crate::http::{Failure, Http};

/// Retention of a notification by the push service for a device that is off, in seconds.
const KEPT_FOR: u32 = 4 * 3_600;

/// Result of sending a notification.
#[derive(Debug)]
pub enum Pushed {
    /// The push service took it.
    Taken,
    /// The device has unsubscribed (404, 410).
    Gone,
    /// It will never take it, by this status.
    Refused(u16),
    /// It does not take it now. Whether it got it may be unknown.
    Later(Unavailable),
}

/// Why a push service takes nothing now.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// It says so, with this status, and perhaps for how long.
    #[error("the push service answered {status}")]
    Status {
        status: u16,
        /// Time to wait.
        retry_after: Option<SignedDuration>,
    },
    /// It does not answer.
    #[error("the push service did not answer")]
    Failed(#[source] Failure),
}

/// The keys of a device are none, so nothing can be encrypted for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the keys of the device are not a point on P-256 and a secret of 16 bytes")]
pub struct BadKeys;

/// Bytes of a public key: a point on P-256, uncompressed.
const POINT: usize = 65;

/// Size of a record (RFC 8188, 2.1). A notification is one record.
const RECORD: u32 = 4_096;

/// The keys of a device.
struct Keys {
    point: [u8; POINT],
    secret: [u8; 16],
}

/// Length of a derived key.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive_key<const N: usize>(salt: &[u8], from: &[u8], info: &[&[u8]]) -> Result<[u8; N], Unspecified> {
    let mut key = [0; N];
    Salt::new(HKDF_SHA256, salt)
        .extract(from)
        .expand(info, Length(N))?
        .fill(&mut key)?;
    Ok(key)
}

impl Keys {
    fn of(p256dh: &str, auth: &str) -> Result<Self, BadKeys> {
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| BadKeys);
        let keys = Self {
            point: decoded(p256dh)?.try_into().map_err(|_| BadKeys)?,
            secret: decoded(auth)?.try_into().map_err(|_| BadKeys)?,
        };
        // A point that is not on the curve is found by using it.
        keys.encrypt(&[]).map(|_| keys).map_err(|Unspecified| BadKeys)
    }

    /// Encrypts for the device (RFC 8291, 3.4), with a key and a salt of its own.
    fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let own = PrivateKey::generate(&ECDH_P256)?;
        let public = own.compute_public_key()?;
        let mut salt = [0; 16];
        rand::fill(&mut salt)?;
        let device = UnparsedPublicKey::new(&ECDH_P256, &self.point);
        let input: [u8; 32] = agreement::agree(&own, device, Unspecified, |shared| {
            derive_key(
                &self.secret,
                shared,
                &[b"WebPush: info\0", &self.point, public.as_ref()],
            )
        })?;
        let key: [u8; 16] = derive_key(&salt, &input, &[b"Content-Encoding: aes128gcm\0"])?;
        let nonce: [u8; 12] = derive_key(&salt, &input, &[b"Content-Encoding: nonce\0"])?;
        // 2 ends the last record.
        let mut sealed = [plain, &[2]].concat();
        LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?).seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::empty(),
            &mut sealed,
        )?;
        let length = u8::try_from(public.as_ref().len()).map_err(|_| Unspecified)?;
        Ok([&salt[..], &RECORD.to_be_bytes(), &[length], public.as_ref(), &sealed].concat())
    }
}

/// Checks the keys of a device: its public key and its secret, in base64url.
///
/// # Errors
/// When they are none.
pub fn check_keys(p256dh: &str, auth: &str) -> Result<(), BadKeys> {
    Keys::of(p256dh, auth).map(drop)
}

#[derive(Debug, Clone)]
pub struct PushClient {
    http: Http,
    instead: Option<String>,
}

impl PushClient {
    /// By this client. It follows no redirect, which could lead to an address of our own network. `instead`: the URL of a simulator, which gets
    /// what is for push services elsewhere, with their host as the first part of the path.
    pub const fn new(http: Http, instead: Option<String>) -> Self {
        Self { http, instead }
    }

    fn url(&self, endpoint: &str) -> String {
        match (&self.instead, endpoint.strip_prefix("https://")) {
            (Some(instead), Some(rest)) => format!("{instead}/{rest}"),
            _ => endpoint.to_owned(),
        }
    }

    /// Encrypts a notification for a device, and hands it to its push service, once. `authorization` says who sends; a device that was off
    /// gets only the latest notification of a topic.
    ///
    /// # Errors
    /// When nothing can be encrypted for the device.
    pub async fn send(
        &self,
        device: &PushSubscription,
        notification: &[u8],
        authorization: &str,
        topic: &str,
    ) -> Result<Pushed, BadKeys> {
        let keys = Keys::of(&device.p256dh, &device.auth)?;
        let encrypted = keys.encrypt(notification).map_err(|Unspecified| BadKeys)?;
        let answer = self.http.send(|client| {
            client
                .post(self.url(&device.endpoint))
                .header(AUTHORIZATION, authorization)
                .header(CONTENT_ENCODING, "aes128gcm")
                .header(CONTENT_TYPE, "application/octet-stream")
                .header("TTL", KEPT_FOR)
                .header("Urgency", "high")
                .header("Topic", topic)
                .body(encrypted)
        });
        Ok(match answer.await {
            Ok(answer) => match answer.status {
                200..=299 => Pushed::Taken,
                404 | 410 => Pushed::Gone,
                status @ (408 | 429 | 500..=599) => Pushed::Later(Unavailable::Status {
                    status,
                    retry_after: answer.retry_after,
                }),
                status => Pushed::Refused(status),
            },
            Err(error) => Pushed::Later(Unavailable::Failed(error)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The device of the example in RFC 8291, Appendix A.
    const PUBLIC: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const SECRET: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    #[test]
    fn nothing_is_encrypted_twice_in_the_same_way() {
        let keys = Keys::of(PUBLIC, SECRET).unwrap();
        let [first, second] = [0, 1].map(|_| keys.encrypt(b"hello").unwrap());
        assert_ne!(first[..16], second[..16], "each has its own salt");
        assert_ne!(first[21..86], second[21..86], "and its own key");
    }

    #[test]
    fn keys_of_devices_are_checked() {
        assert_eq!(check_keys(PUBLIC, SECRET), Ok(()));
        assert_eq!(check_keys(&format!("{PUBLIC}="), &format!("{SECRET}==")), Ok(()));
        let off_curve = URL_SAFE_NO_PAD.encode([4; 65]);
        for (point, secret) in [
            (off_curve.as_str(), SECRET),
            (&PUBLIC[..40], SECRET),
            ("", SECRET),
            ("no base64!", SECRET),
            (PUBLIC, ""),
            (PUBLIC, "AAAA"),
            (PUBLIC, PUBLIC),
        ] {
            assert_eq!(check_keys(point, secret), Err(BadKeys), "{point} {secret}");
        }
    }
}
