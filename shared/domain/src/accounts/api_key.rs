//! API keys, which authenticate a tenant's software.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::accounts::{Permission, Role};
use crate::terms::{Actor, ApiKeyId, IpRange, RotationId};

/// An API key. The key itself is shown once; only its SHA-256 is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// The key's id, which names it in the API and the audit log.
    pub id: ApiKeyId,
    /// Display name.
    pub name: String,
    /// Role, the upper limit of what the key may do.
    pub role: Role,
    /// Scopes that narrow the role; empty: none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Permission>,
    /// The valid secrets, the newest first: one, or several during a rotation.
    pub secrets: Vec<KeySecret>,
    /// Author of the key.
    pub created_by: Actor,
    pub created_at: Timestamp,
    /// Expiry of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Time of its revocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// Secret of a key: it has two during a rotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySecret {
    /// SHA-256 of the whole key as sent, in hex.
    pub sha256: String,
    /// Its first characters, so that people can recognize it.
    pub hint: String,
    /// End of the overlap, if the secret is being replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// The rotation that created it. A retry of the same rotation has not seen the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<RotationId>,
}

fn is_over(until: Option<Timestamp>, now: Timestamp) -> bool {
    until.is_some_and(|until| until <= now)
}

impl ApiKey {
    /// Maximum keys per tenant.
    pub const MAX: usize = 50;

    /// Maximum secrets that are valid at the same time: a rotation whose response was lost does not end a secret that is in
    /// use.
    pub const MAX_SECRETS: usize = 4;

    /// Whether the secret with this hash authenticates the key now. Hashes need no comparison in constant time: their
    /// preimage is the secret, and the key was looked up by this very hash.
    pub fn accepts(&self, sha256: &str, now: Timestamp) -> bool {
        let secret = self.secrets.iter().find(|secret| secret.sha256 == sha256);
        self.is_valid(now) && secret.is_some_and(|secret| !is_over(secret.valid_until, now))
    }

    /// The hashes of its secrets that authenticate it now.
    pub fn valid_hashes(&self, now: Timestamp) -> Vec<String> {
        let hashes = self.secrets.iter().map(|secret| &secret.sha256);
        hashes.filter(|sha256| self.accepts(sha256, now)).cloned().collect()
    }

    /// Whether the key is neither revoked nor expired.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && !is_over(self.expires_at, now)
    }

    /// Expiry of the secret with this hash, if it expires: a secret that is being replaced ends before its key.
    pub fn ends_at(&self, sha256: &str) -> Option<Timestamp> {
        let secret = self.secrets.iter().find(|secret| secret.sha256 == sha256);
        let ends = [self.expires_at, secret.and_then(|secret| secret.valid_until)];
        ends.into_iter().flatten().min()
    }

    /// Whether the key has the permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.role.grants(&self.scopes, permission)
    }
}

/// The last use of a key. The day is enough to see which keys can be revoked, and costs one write a day from each network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUsed {
    /// The day, UTC.
    pub day: Date,
    /// Network of the caller. Uses before it was recorded have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<IpRange>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ApiKey {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        ApiKey {
            id: ApiKeyId::new(ulid::Ulid::from_parts(1, 1)),
            name: "till".to_owned(),
            role: Role::Manager,
            scopes: Vec::new(),
            secrets: vec![
                KeySecret {
                    sha256: "new".to_owned(),
                    hint: "rbk_n".to_owned(),
                    valid_until: None,
                    rotation: None,
                },
                KeySecret {
                    sha256: "old".to_owned(),
                    hint: "rbk_o".to_owned(),
                    valid_until: Some(at("2026-11-20T12:00:00Z")),
                    rotation: None,
                },
            ],
            created_by: Actor::Operator,
            created_at: at("2026-11-20T10:00:00Z"),
            expires_at: Some(at("2026-11-21T00:00:00Z")),
            revoked_at: None,
        }
    }

    #[test]
    fn both_secrets_are_valid_only_during_the_overlap() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let accepted = |now: &str| ["new", "old", "other"].map(|hash| key().accepts(hash, at(now)));
        assert_eq!(accepted("2026-11-20T11:59:59Z"), [true, true, false]);
        assert_eq!(accepted("2026-11-20T12:00:00Z"), [true, false, false]);
        assert_eq!(accepted("2026-11-21T00:00:00Z"), [false, false, false]);
        let mut revoked = key();
        revoked.revoked_at = Some(at("2026-11-20T10:30:00Z"));
        assert!(!revoked.accepts("new", at("2026-11-20T11:00:00Z")));
    }

    #[test]
    fn scopes_narrow_the_role_and_never_widen_it() {
        let mut key = key();
        assert!(key.may(Permission::ConnectionsWrite));
        key.scopes = vec![Permission::ConnectionsRead, Permission::ApiKeysWrite];
        assert!(key.may(Permission::ConnectionsRead));
        assert!(!key.may(Permission::ConnectionsWrite));
        assert!(!key.may(Permission::ApiKeysWrite));
    }
}
