//! The second factor: codes of an authenticator app (RFC 6238 with SHA-1, six digits and 30 seconds, which every app supports),
//! and recovery codes for a lost app.

use access::token::sha256_hex;
use domain::accounts::SecondFactor;
use domain::terms::Email;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use totp_rs::{Builder, Secret, Totp};

/// Length of a new secret in bytes, like a SHA-1 hash.
const SECRET_BYTES: usize = 20;

/// Number of recovery codes.
const RECOVERY_CODES: usize = 10;

/// Random bytes of a recovery code: 80 bits, so that its hash needs no salt.
const RECOVERY_BYTES: usize = 10;

const ISSUER: &str = "Ringback";

/// The secret of a new second factor, from these random bytes.
pub(crate) fn new_secret(random: [u8; 32]) -> Vec<u8> {
    random[..SECRET_BYTES].to_vec()
}

fn base32(bytes: &[u8]) -> String {
    Secret::new(bytes.into()).to_base32()
}

/// The secret in base32 and as a URI for a QR code.
pub(crate) fn secret_and_uri(secret: &[u8], email: &Email) -> (String, String) {
    let secret = base32(secret);
    let account = utf8_percent_encode(email.as_str(), NON_ALPHANUMERIC);
    let uri = format!("otpauth://totp/{ISSUER}:{account}?secret={secret}&issuer={ISSUER}");
    (secret, uri)
}

/// The time step of a code, if it is the current one or a neighbour: clocks differ and people type slowly.
pub(crate) fn step_of(secret: &[u8], code: &str, now: Timestamp) -> Option<u64> {
    let totp: Totp = Builder::new().with_secret(Secret::new(secret.into())).build().ok()?;
    totp.check(code, u64::try_from(now.as_second()).ok()?)
}

/// New recovery codes and their hashes. `random` gives 32 random bytes at a time.
pub(crate) fn recovery_codes<E>(random: impl Fn() -> Result<[u8; 32], E>) -> Result<(Vec<String>, Vec<String>), E> {
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let letters = base32(&random()?[..RECOVERY_BYTES]).to_ascii_lowercase();
        let groups: Vec<&str> = (0..letters.len())
            .step_by(4)
            .filter_map(|at| letters.get(at..at + 4))
            .collect();
        codes.push(groups.join("-"));
    }
    let kept = codes.iter().map(|code| hash_recovery_code(code)).collect();
    Ok((codes, kept))
}

/// Normalizes a recovery code, which people write with or without hyphens, in either case.
fn hash_recovery_code(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    sha256_hex(&letters.collect::<String>().to_ascii_lowercase())
}

/// Uses up a recovery code. Returns true if it was one.
pub(crate) fn use_recovery_code(factor: &mut SecondFactor, code: &str) -> bool {
    let sha256 = hash_recovery_code(code);
    let before = factor.recovery_codes.len();
    factor.recovery_codes.retain(|known| *known != sha256);
    factor.recovery_codes.len() < before
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use domain::accounts::SealedFactor;

    use super::*;

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B; of its eight digits apps show the last six.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp::from_second(seconds).unwrap();
            let step = step_of(b"12345678901234567890", code, now);
            assert_eq!(step, Some(seconds.unsigned_abs() / 30), "{seconds}");
        }
    }

    #[test]
    fn a_code_counts_within_a_step_of_its_own() {
        let at = |seconds: i64| Timestamp::from_second(1_111_111_111 + seconds).unwrap();
        let step = |seconds| step_of(b"12345678901234567890", "050471", at(seconds));
        assert_eq!(step(0), step(30));
        assert!(step(-30).is_some() && step(-61).is_none() && step(90).is_none());
    }

    #[test]
    fn a_uri_names_the_account_and_survives_its_signs() {
        let email = "maya+till@saffron.example".parse().unwrap();
        let (secret, uri) = secret_and_uri(b"12345678901234567890", &email);
        assert_eq!(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let expected =
            format!("otpauth://totp/Ringback:maya%2Btill%40saffron%2Eexample?secret={secret}&issuer=Ringback");
        assert_eq!(uri, expected);
    }

    #[test]
    fn a_recovery_code_is_used_once_however_it_is_written() {
        let next = Cell::new(0);
        let (codes, kept) = recovery_codes(|| {
            next.set(next.get() + 1);
            Ok::<_, ()>([next.get(); 32])
        })
        .unwrap();
        assert_eq!(codes.len(), 10);
        assert!(codes.iter().all(|code| code.len() == 19), "{codes:?}");
        let mut factor = SecondFactor {
            secret: SealedFactor(String::new()),
            last_step: 0,
            recovery_codes: kept,
            enabled_at: Timestamp::UNIX_EPOCH,
            wrong_codes: 0,
        };
        assert!(!use_recovery_code(&mut factor, "aaaa-bbbb-cccc-dddd"));
        assert!(use_recovery_code(
            &mut factor,
            &codes[3].to_uppercase().replace('-', " ")
        ));
        assert!(!use_recovery_code(&mut factor, &codes[3]));
        assert_eq!(factor.recovery_codes.len(), 9);
    }
}
