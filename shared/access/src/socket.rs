//! Sockets: whoever has a ticket may open one, and whoever opened it may say on it what it watches.
//!
//! The table finds a ticket by the hash of its token, so nothing here compares secrets.

use domain::live::{SocketId, SocketOwner, Ticket};
use jiff::Timestamp;
use store::{Authority, Store, StoreError, TenantScope};

use crate::token::{is_link_token, sha256_hex};

/// A ticket that is good.
#[derive(Debug, Clone)]
pub struct Ticketed {
    /// The right to touch the tenant's data.
    pub scope: TenantScope,
    pub ticket: Ticket,
    /// The hash of its token.
    pub sha256: String,
}

impl Ticketed {
    /// Admits the holder of a token. `None`: the token is unknown, used or too old.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn admit(store: &Store, token: &str, now: Timestamp) -> Result<Option<Self>, StoreError> {
        if !is_link_token(token) {
            return Ok(None);
        }
        let sha256 = sha256_hex(token);
        let ticket = store.ticket_before_scope(&sha256, now).await?;
        Ok(ticket.map(|ticket| Self {
            scope: TenantScope::mint(ticket.tenant, Authority::Link),
            ticket,
            sha256,
        }))
    }
}

/// The tenant and the caller of a socket that API Gateway reports as open. `None` if we have no record of it.
///
/// # Errors
/// When the table does not answer.
pub async fn of(store: &Store, id: &SocketId) -> Result<Option<(TenantScope, SocketOwner)>, StoreError> {
    let owner = store.socket_owner_before_scope(id).await?;
    Ok(owner.map(|owner| (TenantScope::mint(owner.tenant, Authority::Link), owner)))
}
