//! A device that gets notifications: opens what is encrypted for it, as a browser does.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The public key of the device in RFC 8291, Appendix A.
pub const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

/// The device's authentication secret.
pub const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

const PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive_key(salt: &[u8], from: &[u8], info: &[&[u8]], length: usize) -> Result<Vec<u8>, Unspecified> {
    let mut key = vec![0; length];
    let extracted = Salt::new(HKDF_SHA256, salt).extract(from);
    extracted.expand(info, Length(length))?.fill(&mut key)?;
    Ok(key)
}

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

/// Opens what was encrypted for the device.
pub fn decrypt_message(body: &[u8]) -> Vec<u8> {
    let (salt, rest) = body.split_at(16);
    let (sender, sealed) = rest[5..].split_at(usize::from(rest[4]));
    let private = PrivateKey::from_private_key(&ECDH_P256, &bytes(PRIVATE)).expect("a private key");
    let sender_key = UnparsedPublicKey::new(&ECDH_P256, sender);
    let input = agreement::agree(&private, sender_key, Unspecified, |shared| {
        derive_key(&bytes(AUTH), shared, &[b"WebPush: info\0", &bytes(P256DH), sender], 32)
    });
    let input = input.expect("the sender's key is a point");
    let part = |info: &[u8], length| derive_key(salt, &input, &[info], length).expect("a key");
    let key = UnboundKey::new(&AES_128_GCM, &part(b"Content-Encoding: aes128gcm\0", 16)).expect("a key");
    let nonce = Nonce::try_assume_unique_for_key(&part(b"Content-Encoding: nonce\0", 12)).expect("a nonce");
    let mut sealed = sealed.to_vec();
    let plain = LessSafeKey::new(key).open_in_place(nonce, Aad::empty(), &mut sealed);
    let plain = plain.expect("it is encrypted for the device");
    let (end, text) = plain.split_last().expect("a record has an end");
    assert_eq!(*end, 2, "the last record");
    text.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_is_opened() {
        let message = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(
            decrypt_message(&bytes(message)),
            b"When I grow up, I want to be a watermelon"
        );
    }
}
