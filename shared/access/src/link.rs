//! Links: the holder of a link may do what it is for, with the tenant that it names, and nothing else.

use domain::accounts::{Account, Grant};
use domain::messages::TrackedLinks;
use domain::people::{LinkCode, PreferenceLink};
use domain::terms::TenantId;
use jiff::Timestamp;
use store::{Authority, Store, StoreError, TenantScope};

/// The scope of the tenant that the holder of an invitation may join. `None` for links of another kind.
pub fn scope_of_invitation(grant: &Grant) -> Option<TenantScope> {
    match grant {
        Grant::Invitation { tenant, .. } => Some(TenantScope::mint(*tenant, Authority::Link)),
        Grant::SignUp(_) | Grant::Reset { .. } => None,
    }
}

/// The scope of a new tenant, under an unused id.
pub fn scope_of_new_tenant(tenant: TenantId) -> TenantScope {
    TenantScope::mint(tenant, Authority::Link)
}

/// The scopes of the tenants of a person, to end their sessions everywhere. Call it only for the account of the caller, or of a
/// person identified by a link.
pub fn of_own_account(account: &Account) -> Vec<TenantScope> {
    let mint = |tenant: &TenantId| TenantScope::mint(*tenant, Authority::User);
    account.tenants.iter().map(mint).collect()
}

/// The holder of a link to a preference page: may see and change the wishes of one contact.
pub type Customer = Holder<PreferenceLink>;

/// Somebody who follows a tracked link: is sent to its page, and recorded on its message.
pub type Follower = Holder<TrackedLinks>;

/// The holder of the code of a link.
///
/// The table finds a link by the hash of its code, so nothing here compares secrets: whoever measures the time of answers learns at most
/// about hashes of guesses.
#[derive(Debug, Clone)]
pub struct Holder<L> {
    scope: TenantScope,
    link: L,
}

impl<L> Holder<L> {
    const fn of(tenant: TenantId, link: L) -> Self {
        Self {
            scope: TenantScope::mint(tenant, Authority::Link),
            link,
        }
    }

    /// The right to touch the tenant's data.
    pub const fn scope(&self) -> &TenantScope {
        &self.scope
    }

    pub const fn link(&self) -> &L {
        &self.link
    }
}

impl Customer {
    /// Admits whoever has this code. `None` if there is no valid link with it.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn admit(store: &Store, code: &LinkCode, now: Timestamp) -> Result<Option<Self>, StoreError> {
        let link = store.preference_link_before_scope(code, now).await?;
        Ok(link.map(|link| Self::of(link.tenant, link)))
    }
}

impl Follower {
    /// Admits whoever has this code. `None` if there are no valid links with it.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn admit(store: &Store, code: &LinkCode, now: Timestamp) -> Result<Option<Self>, StoreError> {
        let links = store.tracked_links_before_scope(code, now).await?;
        Ok(links.map(|links| Self::of(links.tenant, links)))
    }
}
