//! Secrets of people and their software: generated, returned once, stored as hashes.

use access::password::{self, WeakPassword};
use access::token;
use domain::accounts::PasswordHash;
use domain::terms::{Fault, FaultCode};
use kit::{Problem, chain};

use crate::context::Api;

/// Token of a one-time link, with its stored hash.
pub struct LinkToken {
    /// Token for the link. Stored nowhere.
    pub token: String,
    /// SHA-256 of the token, in hex.
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
    pub fn link_token(&self) -> Result<LinkToken, Problem> {
        let token = token::link_token(self.secret()?);
        let sha256 = token::sha256_hex(&token);
        Ok(LinkToken { token, sha256 })
    }

    /// Hashes a chosen password if it is strong enough. `about` holds known facts about the person.
    ///
    /// # Errors
    /// 422 about `field` if the password is too weak; as for [`Api::secret`]; 500 when it cannot be hashed.
    pub fn password_hash(&self, field: &str, password: &str, about: &[&str]) -> Result<PasswordHash, Problem> {
        password::check(password, about).map_err(|weak| Problem::field(field, weak_password_fault(weak)))?;
        password::hash(password, &self.secret()?[..16]).map_err(|error| {
            tracing::error!(error = chain(&error), "a password cannot be hashed");
            Problem::internal()
        })
    }
}

/// The fault of a password that is not accepted.
fn weak_password_fault(weak: WeakPassword) -> Fault {
    let fault = Fault::new(
        FaultCode::WeakPassword,
        format!("The password is not accepted: {weak}."),
    );
    match weak {
        WeakPassword::Length => fault
            .and("reason", "length")
            .and("minimum", password::SHORTEST)
            .and("maximum", password::MAX_LENGTH),
        WeakPassword::Guessable => fault.and("reason", "guessable"),
        WeakPassword::Personal => fault.and("reason", "personal"),
    }
}
