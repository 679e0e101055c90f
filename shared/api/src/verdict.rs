//! Verdicts of a scanner.

use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::request::Parts;
use kit::{Config, ConfigError, Problem, SecretHashes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Input, OperationSchema};

/// A scanner's verdict on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScanVerdict {
    /// It has found nothing.
    Clean,
    /// It has found something, such as a virus.
    Harmful,
}

/// The verdict of a scanner.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerdictIn {
    /// Verdict on the file.
    pub verdict: ScanVerdict,
}

/// Header with the secret of the operator's scanner.
const SCANNER_SECRET: HeaderName = HeaderName::from_static("x-scanner-secret");

/// The secret that a request carries, if any.
pub struct ScannerProof(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for ScannerProof {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let sent = parts.headers.get(SCANNER_SECRET);
        Ok(Self(sent.and_then(|value| value.to_str().ok()).map(str::to_owned)))
    }
}

impl Input for ScannerProof {
    fn describe(operation: &mut OperationSchema<'_>) {
        let about = "Secret of the platform's scanner, which `clean` needs if there is one.";
        operation.header("X-Scanner-Secret", about, "0f3a9c27b8d14e65a1c2d3e4f5061728");
    }
}

/// The scanner of the platform, if there is one.
#[derive(Debug, Clone)]
pub struct FileScanner {
    exists: bool,
    secret: Option<SecretHashes>,
}

impl FileScanner {
    /// From `MEDIA_SCANNER` and `SCANNER_SECRET_SHA256`.
    ///
    /// # Errors
    /// When the hash has another form.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self {
            exists: config.optional("MEDIA_SCANNER").is_some(),
            secret: SecretHashes::of(config, "SCANNER_SECRET_SHA256")?,
        })
    }

    /// Whether files wait for its verdict.
    pub const fn exists(&self) -> bool {
        self.exists
    }

    /// Lets only the operator's scanner say `clean`: a tenant could pass its own files. If there is a scanner without a hash, nobody can.
    /// If there is a hash, the secret is needed also once the scanner has been turned off, for the files that still wait.
    ///
    /// # Errors
    /// 403 `forbidden`.
    pub fn check(&self, verdict: ScanVerdict, proof: &ScannerProof) -> Result<(), Problem> {
        let proven = || {
            let sent = proof.0.as_deref();
            let known = self.secret.as_ref();
            known.is_some_and(|known| sent.is_some_and(|sent| known.match_secret(sent)))
        };
        if verdict == ScanVerdict::Harmful || !self.exists && self.secret.is_none() || proven() {
            return Ok(());
        }
        let detail = "Only the platform's scanner may say that a file is clean: it sends the header `X-Scanner-Secret` with the operator's \
                      secret. Without it, say `harmful`, or leave the verdict to the scanner.";
        Err(Problem::forbidden(detail))
    }
}

#[cfg(test)]
mod tests {
    use access::token::sha256_hex;

    use super::*;

    #[test]
    fn clean_needs_the_operators_secret() {
        let (now, next) = (sha256_hex("now"), sha256_hex("next"));
        let both = format!("{now},{next}");
        let scanner = |name: &str, hashes: &str| {
            let variables = [
                ("STAGE", "prod"),
                ("MEDIA_SCANNER", name),
                ("SCANNER_SECRET_SHA256", hashes),
            ];
            let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
            FileScanner::new(&Config::from_variables(variables).unwrap())
        };
        for (name, hashes, secret, may) in [
            ("", "", None, true),
            ("", "", Some("any"), true),
            ("", &now, None, false),
            ("", &now, Some("now"), true),
            ("guard", "", None, false),
            ("guard", "", Some(""), false),
            ("guard", &now, None, false),
            ("guard", &now, Some(""), false),
            ("guard", &now, Some("Now"), false),
            ("guard", &now, Some(&*now), false),
            ("guard", &now, Some("now"), true),
            ("guard", &now, Some("next"), false),
            ("guard", &both, Some("now"), true),
            ("guard", &both, Some("next"), true),
            ("guard", &both, Some("now,next"), false),
        ] {
            let scanner = scanner(name, hashes).unwrap();
            assert_eq!(scanner.exists(), !name.is_empty());
            let proof = ScannerProof(secret.map(str::to_owned));
            let clean = scanner.check(ScanVerdict::Clean, &proof);
            assert_eq!(clean.is_ok(), may, "{name} {hashes} {secret:?}");
            assert!(scanner.check(ScanVerdict::Harmful, &proof).is_ok());
        }
        for wrong in ["now", &now.to_uppercase(), &format!("{both},{now}"), &format!("{now},")] {
            assert!(scanner("guard", wrong).is_err(), "{wrong}");
        }
    }
}
