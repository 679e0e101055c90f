//! Operators: people with AWS credentials for the table itself.

use domain::ids::TenantId;
use store::{Authority, TenantScope};

/// The scope of the tenant that an operator names. AWS has verified the operator's credentials.
#[must_use]
pub fn scope(tenant: TenantId) -> TenantScope {
    TenantScope::mint(tenant, Authority::Operator)
}
