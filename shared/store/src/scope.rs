//! The right to name one tenant's data.

use domain::ids::TenantId;

/// The right to name one tenant's data: every call of the store takes one.
///
/// It is minted by `access` alone, after somebody proved who they are. The constructor is public because `access` is
/// another crate; `clippy.toml` forbids it everywhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantScope {
    tenant: TenantId,
    authority: Authority,
}

/// What proved the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// A verified webhook of that tenant's connection.
    Webhook,
    /// A job from our own queues, or a row of our own table's stream or due index.
    Job,
    /// A person who logged in and belongs to the tenant.
    User,
    /// The tenant's software, by an API key.
    ApiKey,
    /// A platform administrator.
    Platform,
    /// A one-time link that was sent to its holder: an invitation, or the tenant's own founding.
    Link,
    /// An operator with AWS credentials for the table.
    Operator,
}

impl TenantScope {
    /// Mints a scope.
    #[doc(hidden)]
    #[must_use]
    pub const fn mint(tenant: TenantId, authority: Authority) -> Self {
        Self { tenant, authority }
    }

    /// Whose data.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// What proved the right.
    #[must_use]
    pub const fn authority(&self) -> Authority {
        self.authority
    }
}
