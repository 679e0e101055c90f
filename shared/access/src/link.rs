//! One-time links: the holder of a link may do what it is for, with the tenant that it names, and nothing else.

use domain::{account::Account, account::Grant, ids::TenantId};
use store::{Authority, TenantScope};

/// The scope of the tenant that the holder of an invitation may join. `None` for links of another kind.
#[must_use]
pub fn invited(grant: &Grant) -> Option<TenantScope> {
    match grant {
        Grant::Invitation { tenant, .. } => Some(TenantScope::mint(*tenant, Authority::Link)),
        Grant::SignUp(_) | Grant::Reset { .. } => None,
    }
}

/// The scope of a new tenant, under an unused id.
#[must_use]
pub fn founded(tenant: TenantId) -> TenantScope {
    TenantScope::mint(tenant, Authority::Link)
}

/// The scopes of the tenants of a person, to end their sessions everywhere. Call it only for the account of the caller, or of a
/// person identified by a link.
#[must_use]
pub fn of_own_account(account: &Account) -> Vec<TenantScope> {
    let mint = |tenant: &TenantId| TenantScope::mint(*tenant, Authority::User);
    account.tenants.iter().map(mint).collect()
}
