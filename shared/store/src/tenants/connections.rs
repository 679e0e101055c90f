//! Connections as people create, change and delete them. Every change raises the tenant's version in the same transaction,
//! so that caches of its configuration are refreshed.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::tenants::{Account, CheckResult, Checkup, Connection, ConnectionSummary, Health, Reported, whatsapp};
use domain::terms::{ConnectionId, Stamp};
use jiff::Timestamp;

use crate::table::lookups::WhatsAppOwner;
use crate::table::row::{self, Condition, Row, Write};
use crate::table::{keys, owned};
use crate::tenants::tenant_row;
use crate::{LostRace, Store, StoreError, TenantScope, Versioned};

/// The reason why a connection cannot be created or changed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The tenant has the maximum number.
    #[error("the tenant has as many connections as it may")]
    Full,
    /// The WhatsApp number belongs to another tenant's connection.
    #[error("the WhatsApp number is connected elsewhere")]
    NumberTaken,
    /// The WhatsApp number belongs to this connection of the same tenant.
    #[error("the WhatsApp number is that of {0}")]
    NumberTwice(ConnectionId),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LostRace for ConnectionError {
    fn is_lost_race(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}

/// The statement of a test about the owner of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The provider shows the account to the tenant's credentials: events of a shared app may be accepted for it.
    Given,
    /// The provider refuses the credentials, or does not show them the account: such events are no longer accepted.
    Denied,
    /// The provider did not tell: an earlier proof remains.
    Unclear,
}

/// The result of a test for a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    pub checkup: Checkup,
    pub health: Health,
    pub paused_until: Option<Timestamp>,
}

impl Store {
    /// Creates a connection. `proven`: the provider has confirmed that the account is the tenant's, so that events of a
    /// shared app may be accepted for it.
    ///
    /// # Errors
    /// [`ConnectionError`]; [`StoreError::Conflict`] if the id exists, and after a lost race.
    pub async fn create_connection(
        &self,
        scope: &TenantScope,
        connection: &Connection,
        proven: bool,
        stamp: &Stamp,
    ) -> Result<(), ConnectionError> {
        const DOING: &str = "make a connection";
        let conflict = StoreError::Conflict { doing: DOING };
        let (tenant, others) = tokio::try_join!(self.tenant(scope), self.connections(scope))?;
        let Some(tenant) = tenant else {
            return Err(conflict.into());
        };
        if others.iter().any(|other| other.id == connection.id) {
            return Err(conflict.into());
        }
        let mut writes = owned::create_writes(scope, connection, stamp)?;
        // Read before the others were: the transaction fails if a connection was created since.
        writes.retain(|write| !matches!(write, Write::Raise(_)));
        writes.push(Write::Put(tenant_row(scope, &tenant, DOING)?));
        writes.extend(self.claims(scope, connection, proven, &others).await?);
        match self.database.try_transact(writes, DOING).await? {
            Ok(()) => Ok(()),
            Err(lost) if lost.refused.contains(&owned::COUNT) => Err(ConnectionError::Full),
            Err(_) => Err(conflict.into()),
        }
    }

    /// The writes that let a shared app's events for the number, and for its account, find the connection.
    async fn claims(
        &self,
        scope: &TenantScope,
        connection: &Connection,
        proven: bool,
        others: &[Connection],
    ) -> Result<Vec<Write>, ConnectionError> {
        const DOING: &str = "claim the WhatsApp number";
        let Account::WhatsApp(account) = &connection.account else {
            return Ok(Vec::new());
        };
        let whatsapp::Account {
            waba_id,
            phone_number_id,
            ..
        } = account;
        let same = others.iter().find(|other| {
            let number =
                matches!(&other.account, Account::WhatsApp(theirs) if theirs.phone_number_id == *phone_number_id);
            number && other.id != connection.id
        });
        if let Some(same) = same {
            return Err(ConnectionError::NumberTwice(same.id));
        }
        let own = WhatsAppOwner {
            tenant: scope.tenant(),
            connection: connection.id,
        };
        let mut writes = Vec::new();
        for number in [phone_number_id.as_str(), ""] {
            let key = keys::whatsapp_account(waba_id, number);
            let held = self.database.get(&key, DOING).await?;
            let held: Option<WhatsAppOwner> = row::data_if_any(held, DOING)?;
            let live = |owner: &WhatsAppOwner| others.iter().any(|other| other.id == owner.connection);
            let condition = match held {
                None => Condition::New,
                Some(held) if held == own => continue,
                Some(held) if held.tenant != own.tenant => {
                    if number.is_empty() {
                        // Of several numbers of one account, one receives its events.
                        continue;
                    }
                    return Err(ConnectionError::NumberTaken);
                }
                Some(held) if live(&held) => continue,
                Some(_) => Condition::Always,
            };
            if proven {
                writes.push(Write::Put(Row::new(&key, "whatsapp_number", &own, condition, DOING)?));
            }
        }
        Ok(writes)
    }

    /// Changes a connection under the condition of the version that was read. Returns its new version.
    pub async fn configure_connection(
        &self,
        scope: &TenantScope,
        connection: &Connection,
        version: u64,
        stamp: &Stamp,
    ) -> Result<u64, StoreError> {
        let before = Versioned {
            value: connection.clone(),
            version,
        };
        Ok(self.change(scope, &before, connection, stamp).await?)
    }

    /// Deletes a connection under the condition of the version that was read. Its secrets are removed at once.
    pub async fn remove_connection(
        &self,
        scope: &TenantScope,
        before: &Versioned<Connection>,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        let releases = self.releases(scope, &before.value).await?;
        self.remove_with(scope, before, stamp, releases).await
    }

    async fn releases(&self, scope: &TenantScope, connection: &Connection) -> Result<Vec<Write>, StoreError> {
        match &connection.account {
            Account::WhatsApp(account) => {
                let (waba, number) = (&account.waba_id, &account.phone_number_id);
                self.claims_of(scope, connection.id, waba, number).await
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The writes that remove all that leads to this connection, by the number and by its account. Empty if nothing does.
    pub(crate) async fn claims_of(
        &self,
        scope: &TenantScope,
        connection: ConnectionId,
        waba_id: &str,
        phone_number_id: &str,
    ) -> Result<Vec<Write>, StoreError> {
        const DOING: &str = "release the WhatsApp number";
        let own = WhatsAppOwner {
            tenant: scope.tenant(),
            connection,
        };
        let mut writes = Vec::new();
        for number in [phone_number_id, ""] {
            let key = keys::whatsapp_account(waba_id, number);
            let Some(item) = self.database.get(&key, DOING).await? else {
                continue;
            };
            let held = item.get("data").cloned().unwrap_or(AttributeValue::Null(true));
            let owner: WhatsAppOwner = row::data(item, DOING)?;
            if owner != own {
                continue;
            }
            let heir = if number.is_empty() {
                self.heir(scope, connection, waba_id).await?
            } else {
                None
            };
            writes.push(match heir {
                Some(connection) => {
                    let heir = WhatsAppOwner { connection, ..own };
                    let row = Row::new(&key, "whatsapp_number", &heir, Condition::Always, DOING)?;
                    Write::PutHeld(row, held)
                }
                None => Write::DeleteHeld(key, held),
            });
        }
        Ok(writes)
    }

    /// Another number of the same account receives the account's events.
    async fn heir(
        &self,
        scope: &TenantScope,
        leaving: ConnectionId,
        waba: &str,
    ) -> Result<Option<ConnectionId>, StoreError> {
        let others = self.connections(scope).await?;
        let proven = |other: &&Connection| {
            let passed = other.checkup.as_ref().map(|checkup| checkup.result) == Some(CheckResult::Passed);
            let account = matches!(&other.account, Account::WhatsApp(account) if account.waba_id == waba);
            passed && account && other.id != leaving
        };
        Ok(others.iter().find(proven).map(|other| other.id))
    }

    /// Records the result of a test on the row's current state, unless its credentials have changed. A WhatsApp number is
    /// claimed for the connection if `proof` is given, and released if it is denied: a claim does not outlive its proof.
    /// Returns the new connection; `None` if it was not written.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race; if the WhatsApp number is another tenant's, or another connection's.
    pub async fn note_test(
        &self,
        scope: &TenantScope,
        seen: &Connection,
        proof: Proof,
        judge: impl FnOnce(&Connection) -> Tested,
    ) -> Result<Option<Versioned<Connection>>, ConnectionError> {
        const DOING: &str = "note a connection's test";
        let Some(before) = self.get::<Connection>(scope, &seen.id).await? else {
            return Ok(None);
        };
        if before.value.credentials_version != seen.credentials_version {
            return Ok(None);
        }
        let tested = judge(&before.value);
        let mut after = before.value.clone();
        after.checkup = Some(tested.checkup);
        // The credentials are those that were seen.
        after.awaits_secret = seen.awaits_secret;
        after.health = tested.health;
        after.paused_until = tested.paused_until;
        let version = before.version + 1;
        let mut writes = vec![Write::Put(owned::change_row(scope, before.version, &after)?)];
        match proof {
            Proof::Given if matches!(after.account, Account::WhatsApp(_)) => {
                let others = self.connections(scope).await?;
                writes.extend(self.claims(scope, &after, true, &others).await?);
            }
            Proof::Denied => writes.extend(self.releases(scope, &after).await?),
            Proof::Given | Proof::Unclear => {}
        }
        // Part of the cached configuration: the set-up list.
        if ConnectionSummary::from(&before.value) != ConnectionSummary::from(&after) {
            writes.push(Write::Raise(keys::tenant(scope)));
        }
        self.database.transact_writes(writes, DOING).await?;
        Ok(Some(Versioned { value: after, version }))
    }

    /// Records that a report about a message was verified, at most once a day. Returns whether it was recorded.
    pub async fn note_report(&self, scope: &TenantScope, id: ConnectionId, at: Timestamp) -> Result<bool, StoreError> {
        self.rewrite_connection(scope, id, "note a verified report", |current| current.after_report(at))
            .await
    }

    /// Records a provider's report on a connection's number on the row's current state. Returns whether any of it was new.
    pub async fn note_reported(
        &self,
        scope: &TenantScope,
        seen: &Connection,
        reported: Reported,
    ) -> Result<bool, StoreError> {
        if seen.reported.and(reported) == seen.reported {
            return Ok(false);
        }
        self.rewrite_connection(scope, seen.id, "note what is reported of a number", |current| {
            Connection {
                reported: current.reported.and(reported),
                ..current
            }
        })
        .await
    }
}
