//! Models of requests and responses.

use api::Patchable;
use domain::accounts::{ApiKey, LastUsed, Permission, Role};
use domain::terms::{Actor, ApiKeyId, Fault, FaultCode, IpRange, OneLine, UpTo, Whole};
use jiff::Timestamp;
use jiff::civil::Date;
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Display name of an API key.
pub(crate) type KeyName = OneLine<1, 80>;

/// Scopes of an API key.
pub(crate) type Scopes = UpTo<100, Permission>;

/// Hours of an overlap.
pub(crate) type Overlap = Whole<0, 168>;

/// A new API key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyIn {
    /// Display name, such as the software that uses the key.
    #[schemars(example = "Till at the harbour")]
    pub(crate) name: KeyName,
    /// Role that limits the key.
    pub(crate) role: Role,
    /// Permissions of the role that the key may use. Empty: all.
    #[serde(default)]
    #[schemars(example = ["connections:read"])]
    pub(crate) scopes: Scopes,
    /// Time of expiry. If omitted, the key does not expire.
    #[schemars(example = "2027-11-20T10:00:00Z")]
    pub(crate) expires_at: Option<Timestamp>,
}

/// Changes to an API key.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyChange {
    /// Display name, such as the software that uses the key.
    #[schemars(example = "Till at the harbour")]
    pub(crate) name: KeyName,
    /// Permissions of the role that the key may use. Empty: all.
    #[serde(default)]
    #[schemars(example = ["connections:read"])]
    pub(crate) scopes: Scopes,
    /// Time of expiry. `null`: the key does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = "2027-11-20T10:00:00Z")]
    pub(crate) expires_at: Option<Timestamp>,
}

impl Patchable for ApiKeyChange {
    type Of = Known;

    fn of(Known { key, .. }: &Known) -> Self {
        Self {
            name: KeyName::from_stored(&key.name),
            scopes: key.scopes.clone().into(),
            expires_at: key.expires_at,
        }
    }

    fn onto(self, before: &Known) -> Result<Known, Problem> {
        let given = self.scopes.into_vec();
        let scopes = in_order(given.clone());
        if scopes != before.key.scopes {
            refuse_foreign_scopes(before.key.role, &given)?;
        }
        Ok(Known {
            key: ApiKey {
                name: self.name.into(),
                scopes,
                expires_at: self.expires_at,
                ..before.key.clone()
            },
            used: before.used,
        })
    }
}

/// Without duplicates, in the order of the table of permissions.
pub(crate) fn in_order(mut scopes: Vec<Permission>) -> Vec<Permission> {
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

/// Refuses scopes that the role does not include.
pub(crate) fn refuse_foreign_scopes(role: Role, scopes: &[Permission]) -> Result<(), Problem> {
    match scopes.iter().position(|scope| !role.may(*scope)) {
        Some(index) => {
            let detail =
                format!("The role {role} does not have this permission. Leave it out, or choose another role.");
            let fault = Fault::new(FaultCode::NotApplicable, detail).and("kind", role.as_str());
            Err(Problem::field(format!("scopes[{index}]"), fault))
        }
        None => Ok(()),
    }
}

/// A key with its last use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Known {
    pub(crate) key: ApiKey,
    pub(crate) used: Option<LastUsed>,
}

/// Options of a rotation.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateIn {
    /// Hours until the previous secret becomes invalid, 0 to 168. 0 ends all previous secrets at once.
    #[serde(default = "a_day")]
    #[schemars(example = 24)]
    pub(crate) overlap_hours: Overlap,
}

const fn a_day() -> Overlap {
    match Overlap::new(24) {
        Some(hours) => hours,
        None => panic!("a day is within the bounds"),
    }
}

/// An API key without its secret.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ApiKeyOut {
    /// Id of the API key.
    id: ApiKeyId,
    /// Display name, such as the software that uses the key.
    #[schemars(example = "Till at the harbour")]
    name: String,
    /// Role that limits the key.
    role: Role,
    /// Permissions of the role that the key may use. Empty: all.
    #[schemars(example = ["connections:read"])]
    scopes: Vec<Permission>,
    /// State of the key.
    status: ApiKeyStatus,
    /// Valid secrets, newest first. More than one only during a rotation, at most four.
    secrets: Vec<SecretOut>,
    /// Creator: a user (`usr_…`), a key (`key_…`) or `operator`.
    created_by: Actor,
    /// Time of creation.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    created_at: Timestamp,
    /// Time of expiry.
    #[schemars(example = "2027-11-20T10:00:00Z")]
    expires_at: Option<Timestamp>,
    /// Day of last use, in UTC.
    #[schemars(example = "2026-11-20")]
    last_used_on: Option<Date>,
    /// Network of last use: the first 24 bits of an IPv4 address, 48 of IPv6. Recorded at a day's first use from each network, so
    /// a return to an earlier network may show only the next day.
    #[schemars(example = "203.0.113.0/24")]
    last_network: Option<IpRange>,
}

/// State of an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ApiKeyStatus {
    /// The key is valid.
    Active,
    /// The key has expired.
    Expired,
}

/// A secret of an API key, as far as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ApiKeySecretOut")]
pub(crate) struct SecretOut {
    /// First characters of the secret.
    #[schemars(example = &"rbk_Xk2pQ9aL")]
    hint: String,
    /// Time of expiry, during a rotation.
    #[schemars(example = "2026-11-21T10:00:00Z")]
    valid_until: Option<Timestamp>,
}

impl ApiKeyOut {
    pub(crate) fn new(key: ApiKey, used: Option<LastUsed>, now: Timestamp) -> Self {
        let over = |until: Option<Timestamp>| until.is_some_and(|until| until <= now);
        let working = key.secrets.into_iter().filter(|secret| !over(secret.valid_until));
        Self {
            id: key.id,
            name: key.name,
            role: key.role,
            scopes: key.scopes,
            status: if over(key.expires_at) {
                ApiKeyStatus::Expired
            } else {
                ApiKeyStatus::Active
            },
            secrets: working
                .map(|secret| SecretOut {
                    hint: secret.hint,
                    valid_until: secret.valid_until,
                })
                .collect(),
            created_by: key.created_by,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_on: used.map(|used| used.day),
            last_network: used.and_then(|used| used.network),
        }
    }
}

/// An API key with its secret, which is shown only once.
#[derive(Serialize, JsonSchema)]
pub(crate) struct NewApiKeyOut {
    /// Value of the header `X-API-Key`.
    #[schemars(example = &"rbk_Xk2pQ9aLq0Zr3sT5uVw7yA1bC3dE5fG7hJ9kL1mN3pQ")]
    key: String,
    /// The API key without its secret.
    api_key: ApiKeyOut,
}

impl NewApiKeyOut {
    pub(crate) fn new(key: String, made: ApiKey, now: Timestamp) -> Self {
        Self {
            key,
            api_key: ApiKeyOut::new(made, None, now),
        }
    }
}
