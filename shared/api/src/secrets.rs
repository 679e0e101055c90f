//! What proves people and their software later: made here, handed out once, kept as hashes.

use access::{password, token};
use domain::account::PasswordHash;
use kit::{Problem, chain};

use crate::context::Api;

/// A one-time link's token, and what is kept of it.
pub struct LinkToken {
    /// For the link, and nowhere else.
    pub token: String,
    /// Its SHA-256, in hex.
    pub sha256: String,
}

impl Api {
    /// 32 random bytes.
    ///
    /// # Errors
    /// 503 when the operating system has none to give.
    pub fn secret(&self) -> Result<[u8; 32], Problem> {
        self.env().ids().secret().map_err(|error| {
            tracing::error!(error = chain(&error), "no secret can be made");
            Problem::unavailable()
        })
    }

    /// A token for a new one-time link.
    ///
    /// # Errors
    /// As of [`Api::secret`].
    pub fn link_token(&self) -> Result<LinkToken, Problem> {
        let token = token::link_token(self.secret()?);
        let sha256 = token::sha256_hex(&token);
        Ok(LinkToken { token, sha256 })
    }

    /// Hashes a password that somebody chose, if it is good enough. `about` is what is known of the person.
    ///
    /// # Errors
    /// 422 that says of `field` what is wrong with it; as of [`Api::secret`]; 500 when it cannot be hashed.
    pub fn password_hash(&self, field: &str, password: &str, about: &[&str]) -> Result<PasswordHash, Problem> {
        password::check(password, about).map_err(|weak| Problem::field(field, format!("Please {weak}.")))?;
        password::hash(password, &self.secret()?[..16]).map_err(|error| {
            tracing::error!(error = chain(&error), "a password cannot be hashed");
            Problem::internal()
        })
    }
}
