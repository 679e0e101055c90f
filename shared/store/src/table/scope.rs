//! The right to name one tenant's data.

use domain::terms::TenantId;

/// The right to name one tenant's data: every call of the store takes one.
///
/// Only `access` mints it, after the caller was authenticated. The constructor is public because `access` is another crate;
/// `clippy.toml` forbids it everywhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantScope {
    tenant: TenantId,
    authority: Authority,
}

/// The proof behind a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// A verified webhook of that tenant's connection.
    Webhook,
    /// A job from our own queues, or a row of our own table's stream or due index.
    Job,
    /// A logged-in person who belongs to the tenant.
    User,
    /// The tenant's software, with an API key.
    ApiKey,
    /// A platform administrator.
    Platform,
    /// A link that was sent to its holder: an invitation, the confirmation of the tenant's own sign-up, a customer's preference page; a ticket for a socket.
    Link,
    /// An operator with AWS credentials for the table.
    Operator,
}

impl TenantScope {
    /// Mints a scope.
    #[doc(hidden)]
    pub const fn mint(tenant: TenantId, authority: Authority) -> Self {
        Self { tenant, authority }
    }

    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub const fn authority(&self) -> Authority {
        self.authority
    }
}
