//! The second factor of local users: the codes of their authenticator app.

use anyhow::{Context as _, Result};
use domain::Timestamp;
use totp_rs::{Builder, Secret};

/// Validity of a code in seconds.
const STEP: i64 = 30;

/// A secret in base32, derived from any text.
pub fn secret(text: &str) -> String {
    Secret::new(text.as_bytes().into()).to_base32()
}

/// The bytes of a secret.
pub fn bytes(secret: &str) -> Result<Vec<u8>> {
    let read = Secret::try_from_base32(secret).context("reading a second factor's secret")?;
    Ok(read.as_ref().to_vec())
}

/// The codes that are valid at this time, oldest first: of the previous, the current and the next step. Each counts once, so a
/// second log-in within half a minute uses the next one.
pub fn codes(secret: &str, now: Timestamp) -> Result<[String; 3]> {
    let bytes = bytes(secret)?;
    let totp = Builder::new().with_secret(Secret::new(bytes.as_slice().into())).build();
    let totp = totp.context("reading a second factor's secret")?;
    let at = |steps: i64| {
        let second = u64::try_from(now.as_second() + steps * STEP).unwrap_or_default();
        totp.generate(second).to_string()
    };
    Ok([at(-1), at(0), at(1)])
}
