//! Jobs from our own queues, and rows of our own table.

use domain::terms::TenantId;
use store::{Authority, TenantScope};

/// The scope of a job's tenant. Only our own functions can put jobs into our queues.
pub fn scope(tenant: TenantId) -> TenantScope {
    TenantScope::mint(tenant, Authority::Job)
}
