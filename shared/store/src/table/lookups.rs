//! Look-ups before a tenant is known: they return no more than the way to it. Only `access` calls them (`clippy.toml`).

use domain::tenants::{Account, Connection};
use domain::terms::{ConnectionId, TenantId};
use serde::{Deserialize, Serialize};

use crate::table::keys::{self, Key};
use crate::table::row::{self, Condition, Row};
use crate::{Store, StoreError, TenantScope};

/// Look-up from a WhatsApp number to its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhatsAppOwner {
    pub tenant: TenantId,
    pub connection: ConnectionId,
}

/// Keys of the rows that may lead to a connection of this account: by its number, and by the account alone.
pub(crate) fn claimable(account: &Account) -> Vec<Key> {
    match account {
        Account::WhatsApp(account) => vec![
            keys::whatsapp_account(&account.waba_id, &account.phone_number_id),
            keys::whatsapp_account(&account.waba_id, ""),
        ],
        _ => Vec::new(),
    }
}

/// The owner named in a row outside the tenants' partitions.
#[derive(Deserialize)]
struct Owner {
    tenant: Option<TenantId>,
}

impl Store {
    /// The rows among these, outside the tenant's partitions, that lead to this tenant, each once. A row that a connection merely names may
    /// belong to another tenant.
    pub(crate) async fn leading_here(&self, scope: &TenantScope, keys: Vec<Key>) -> Result<Vec<Key>, StoreError> {
        const DOING: &str = "read the owner of a row";
        let mut own = Vec::new();
        for key in keys {
            let item = self.database.get(&key, DOING).await?;
            let owner: Option<Owner> = row::data_if_any(item, DOING)?;
            if owner.and_then(|owner| owner.tenant) == Some(scope.tenant()) && !own.contains(&key) {
                own.push(key);
            }
        }
        Ok(own)
    }

    /// The connection named in a webhook's URL, in order to verify the webhook. One consistent read.
    pub async fn connection_before_scope(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
    ) -> Result<Option<Connection>, StoreError> {
        const DOING: &str = "read the connection of a webhook";
        let key = keys::connection_before_scope(tenant, connection);
        let item = self.database.get(&key, DOING).await?;
        row::data_if_any(item.filter(row::live), DOING)
    }

    /// The owner of a number, for a Meta app shared by tenants.
    pub async fn whatsapp_owner_before_scope(
        &self,
        waba_id: &str,
        phone_number_id: &str,
    ) -> Result<Option<WhatsAppOwner>, StoreError> {
        const DOING: &str = "read the owner of a WhatsApp number";
        let key = keys::whatsapp_account(waba_id, phone_number_id);
        row::data_if_any(self.database.get(&key, DOING).await?, DOING)
    }

    /// Claims a number for a connection. If another tenant holds it, this is a conflict.
    ///
    /// # Errors
    /// If another tenant holds it, or the table does not answer.
    pub async fn claim_whatsapp_number(
        &self,
        scope: &TenantScope,
        waba_id: &str,
        phone_number_id: &str,
        connection: ConnectionId,
    ) -> Result<(), StoreError> {
        const DOING: &str = "claim the WhatsApp number";
        let key = keys::whatsapp_account(waba_id, phone_number_id);
        let owner = WhatsAppOwner {
            tenant: scope.tenant(),
            connection,
        };
        let row = |condition| Row::new(&key, "whatsapp_number", &owner, condition, DOING);
        if self.database.try_put(row(Condition::New)?, DOING).await? {
            return Ok(());
        }
        let held = self.database.get(&key, DOING).await?;
        let held: Option<WhatsAppOwner> = row::data_if_any(held, DOING)?;
        match held {
            Some(held) if held.tenant == scope.tenant() => self.database.put(row(Condition::Always)?, DOING).await,
            _ => Err(StoreError::Conflict { doing: DOING }),
        }
    }
}
