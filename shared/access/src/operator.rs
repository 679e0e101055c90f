//! Operators: people with AWS credentials for the table itself.

use domain::terms::TenantId;
use store::{Authority, TenantScope};

/// The scope of the tenant that an operator names. AWS has verified the operator's credentials.
pub fn scope(tenant: TenantId) -> TenantScope {
    TenantScope::mint(tenant, Authority::Operator)
}
