//! What an operator of the platform does with tenants: list, found, change, let go. Every act leaves a row in the
//! platform's own log, in the same transaction.

use domain::{
    account::{Invitation, Slug},
    actor::Stamp,
    call::Party,
    contact::Identity,
    ids::{ContactId, TenantId},
    rule::Rule,
    tenant::Tenant,
};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    Page, Store, StoreError, TenantScope, accounts, calls, config, keys,
    keys::Key,
    members,
    row::{self, Condition, Item, Row, Write},
};

/// What an operator of the platform did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformAct {
    /// `tenant_created`, `tenant_suspended`, …
    pub action: String,
    /// To whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// Who, when, in which request.
    pub by: Stamp,
    /// What became of it, in the API's words; no secret.
    pub detail: serde_json::Value,
}

/// The platform's log is kept this long.
const LOG_LIFETIME: SignedDuration = SignedDuration::from_hours(400 * 24);

/// A tenant that leaves, and when its data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// Who.
    pub tenant: TenantId,
    /// When.
    pub at: Timestamp,
}

/// So many rows are read for it.
const DELETE_PAGE: i32 = 100;

/// So many rows of a tenant's own partition.
const OWN_ROWS: i32 = 2_000;

fn act_row(act: &PlatformAct, id: &str, doing: &'static str) -> Result<Row, StoreError> {
    let key = keys::platform_act(act.by.at, id);
    let row = Row::new(&key, "platform_act", act, Condition::New, doing)?;
    Ok(row.expires(act.by.at, LOG_LIFETIME))
}

fn leaving_row(leaving: &Leaving, doing: &'static str) -> Result<Row, StoreError> {
    let key = keys::leaving(leaving.at, leaving.tenant);
    Row::new(&key, "leaving", leaving, Condition::Always, doing)
}

impl Store {
    /// One page of all tenants, in the order of their founding.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn tenants(&self, after: Option<&str>, limit: i32) -> Result<Page<Tenant>, StoreError> {
        const DOING: &str = "list tenants";
        let last = after.and_then(|id| id.parse::<TenantId>().ok());
        let start = last.map(keys::listed_tenant);
        let (listed, more) = self.database.list(keys::PLATFORM_TENANTS, start, limit, DOING).await?;
        let found: Vec<Key> = listed.iter().filter_map(config::key_of).collect();
        let next = listed.last().and_then(|item| row::string(item, "gsi1sk"));
        let next = next.filter(|_| more).map(str::to_owned);
        let mut rows = self.database.get_many(&found, DOING).await?;
        // One that is gone since the index was written is left out.
        let items = found.iter().filter_map(|key| rows.remove(key));
        let items = items.map(|item| row::data(item, DOING)).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    /// Founds a tenant with an invitation for its first administrator.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    #[expect(clippy::too_many_arguments, reason = "the whole of one transaction")]
    pub async fn create_tenant(
        &self,
        scope: &TenantScope,
        tenant: &Tenant,
        rule: &Rule,
        slug: &Slug,
        invitation: &Invitation,
        act: &PlatformAct,
        act_id: &str,
    ) -> Result<(), StoreError> {
        const DOING: &str = "found a tenant for an operator";
        let mut rows = vec![
            accounts::taken_slug_row(slug, scope.tenant(), act.by.at, DOING)?,
            config::new_tenant_row(scope, tenant, DOING)?.stamped(&act.by),
            config::first_rule_row(scope, rule, &act.by, DOING)?,
            members::nobody_row(scope, DOING)?,
            act_row(act, act_id, DOING)?,
        ];
        rows.extend(members::invitation_rows(scope, invitation, &act.by, DOING)?);
        self.database.transact(rows, DOING).await
    }

    /// Changes a tenant that nobody else has changed since it was read. Where it begins to leave, or stays after all,
    /// what will let it go is written or removed with it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody has.
    pub async fn change_tenant_for_platform(
        &self,
        scope: &TenantScope,
        before: &Tenant,
        after: &Tenant,
        act: &PlatformAct,
        act_id: &str,
    ) -> Result<(), StoreError> {
        const DOING: &str = "change a tenant for an operator";
        let mut writes = vec![
            Write::Put(config::tenant_row(scope, after, DOING)?.stamped(&act.by)),
            Write::Put(act_row(act, act_id, DOING)?),
        ];
        let leaving = |tenant: &Tenant| {
            tenant.leaves_at.map(|at| Leaving {
                tenant: scope.tenant(),
                at,
            })
        };
        if before.leaves_at != after.leaves_at {
            if let Some(was) = leaving(before) {
                writes.push(Write::Delete(keys::leaving(was.at, was.tenant)));
            }
            if let Some(is) = leaving(after) {
                writes.push(Write::Put(leaving_row(&is, DOING)?));
            }
        }
        self.database.transact_writes(writes, DOING).await
    }

    /// Writes one act into the platform's log.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn log_platform_act(&self, act: &PlatformAct, act_id: &str) -> Result<(), StoreError> {
        const DOING: &str = "log an act of the platform";
        self.database.put(act_row(act, act_id, DOING)?, DOING).await
    }

    /// One page of the platform's log of a month, the newest first.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn platform_acts(
        &self,
        month: Date,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Page<PlatformAct>, StoreError> {
        const DOING: &str = "read the platform's log";
        let partition = keys::platform_log(month);
        let (rows, more) = self.database.page(&partition, "", after, limit, true, DOING).await?;
        let next = rows.last().and_then(|item| row::string(item, "sk"));
        let next = next.filter(|_| more).map(str::to_owned);
        let items = rows
            .into_iter()
            .map(|item| row::data(item, DOING))
            .collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    /// Tenants whose time to go has come, at most `limit`.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn tenants_to_delete(&self, now: Timestamp, limit: i32) -> Result<Vec<Leaving>, StoreError> {
        const DOING: &str = "read which tenants leave";
        let items = self
            .database
            .query(keys::PLATFORM, keys::LEAVING, limit, false, DOING)
            .await?;
        let all: Vec<Leaving> = items
            .into_iter()
            .map(|item| row::data(item, DOING))
            .collect::<Result<_, _>>()?;
        Ok(all.into_iter().filter(|leaving| leaving.at <= now).collect())
    }

    /// Deletes one page of a leaving tenant's data, what finds the rest last, so that it can be called again after any
    /// interruption. Returns whether nothing is left. Rows with a time to live of their own (provider references, rates,
    /// idempotency records) hold no personal data and go by themselves.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn delete_tenant_page(&self, scope: &TenantScope, now: Timestamp) -> Result<bool, StoreError> {
        const DOING: &str = "delete a tenant's data";
        let contacts = format!("{}#CONTACTS", keys::tenant_partition(scope));
        let (listed, _) = self.database.list(&contacts, None, 10, DOING).await?;
        let mut any = false;
        for item in &listed {
            let Some(contact) = row::string(item, "pk").and_then(keys::contact_of) else {
                continue;
            };
            any |= self.delete_contact(scope, contact).await?;
        }
        if any {
            return Ok(false);
        }
        let began =
            Timestamp::from_millisecond(i64::try_from(scope.tenant().ulid().timestamp_ms()).unwrap_or_default())
                .unwrap_or(now);
        let mut day = began.to_zoned(TimeZone::UTC).date();
        let last = now.to_zoned(TimeZone::UTC).date();
        // Days before the log's lifetime have gone by themselves.
        let oldest = last.saturating_sub(410.days());
        day = day.max(oldest);
        while day <= last {
            self.delete_partition(&keys::counters_partition(scope, &day.to_string()))
                .await?;
            let tomorrow = day.saturating_add(1.day());
            if tomorrow.month() != day.month() || day == last {
                self.delete_partition(&keys::audit_partition(scope, day)).await?;
            }
            day = tomorrow;
        }
        self.delete_own_rows(scope).await?;
        Ok(true)
    }

    /// Returns whether there was anything.
    async fn delete_contact(&self, scope: &TenantScope, contact: ContactId) -> Result<bool, StoreError> {
        const DOING: &str = "delete a contact";
        let Some(known) = self.contact(scope, contact).await? else {
            return Ok(false);
        };
        let partition = keys::contact_partition(scope, contact);
        let own = keys::contact(scope, contact);
        let mut after: Option<String> = None;
        loop {
            let (rows, more) = self
                .database
                .page(&partition, "", after.as_deref(), DELETE_PAGE, false, DOING)
                .await?;
            let mut gone: Vec<Key> = rows.iter().filter_map(config::key_of).collect();
            gone.retain(|key| *key != own);
            after = rows.last().and_then(|item| row::string(item, "sk")).map(str::to_owned);
            for item in rows {
                if row::string(&item, "kind") == Some("call") {
                    gone.extend(traces_of(scope, &row::data(item, DOING)?));
                }
            }
            self.database.delete_many(&gone, DOING).await?;
            if !more {
                break;
            }
        }
        // The contact's own row, by which the list finds the rest, goes last.
        let identities = known.known_by();
        let mut last: Vec<Key> = identities
            .iter()
            .map(|identity| keys::identity(scope, identity))
            .collect();
        last.push(own);
        self.database.delete_many(&last, DOING).await?;
        Ok(true)
    }

    async fn delete_partition(&self, partition: &str) -> Result<(), StoreError> {
        const DOING: &str = "delete a partition";
        loop {
            let (rows, more) = self
                .database
                .page(partition, "", None, DELETE_PAGE, true, DOING)
                .await?;
            let keys: Vec<Key> = rows.iter().filter_map(config::key_of).collect();
            self.database.delete_many(&keys, DOING).await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// The tenant's own rows, with the look-ups that lead to it.
    async fn delete_own_rows(&self, scope: &TenantScope) -> Result<(), StoreError> {
        const DOING: &str = "delete a tenant's own rows";
        let partition = keys::tenant_partition(scope);
        let rows = self.database.query(&partition, "", OWN_ROWS, false, DOING).await?;
        let mut look_ups = Vec::new();
        let (mut own, mut last) = (Vec::new(), Vec::new());
        for item in rows {
            let Some(key) = config::key_of(&item) else { continue };
            match row::string(&item, "kind") {
                Some("tenant") => {
                    let tenant: Tenant = row::data(item, DOING)?;
                    look_ups.extend(tenant.slug.as_ref().map(keys::slug));
                    look_ups.extend(tenant.leaves_at.map(|at| keys::leaving(at, scope.tenant())));
                    last.push(key);
                    continue;
                }
                Some("member") => self.leave_account(scope, item).await?,
                Some(_) => look_ups.extend(look_ups_of(item, DOING)?),
                None => {}
            }
            own.push(key);
        }
        self.database.delete_many(&own, DOING).await?;
        // The row of the tenant itself and what finds it come last: until then the deletion can go on.
        last.extend(look_ups);
        self.database.delete_many(&last, DOING).await
    }

    /// Takes the tenant out of a member's account. An account that changes meanwhile keeps a tenant that is gone, which
    /// nobody can enter.
    async fn leave_account(&self, scope: &TenantScope, item: Item) -> Result<(), StoreError> {
        const DOING: &str = "take a tenant out of an account";
        let member: domain::account::Member = row::data(item, DOING)?;
        for _race in 0..config::MOST_RACES {
            let Some(found) = self.account(member.user).await? else {
                return Ok(());
            };
            let mut account = found.value;
            account.tenants.retain(|tenant| *tenant != scope.tenant());
            match self.write_account(&account, found.version).await {
                Err(error) if error.is_conflict() => {}
                other => return other,
            }
        }
        Ok(())
    }
}

/// Where else a call left a telephone number or an address: its reports, and an identity that the contact does not name.
fn traces_of(scope: &TenantScope, call: &domain::record::Call) -> Vec<Key> {
    let progress = calls::progress_key(scope, call.provider, call.connection, &call.provider_call_id);
    let address = match call.facts.customer() {
        Party::Sip(address) => Some(keys::identity(scope, &Identity::Sip(address.clone()))),
        Party::Withheld => Some(keys::identity(scope, &Identity::Withheld(call.connection))),
        Party::Phone(_) => None,
    };
    std::iter::once(progress).chain(address).collect()
}

/// The rows outside the tenant's keys that lead to this one.
fn look_ups_of(item: Item, doing: &'static str) -> Result<Vec<Key>, StoreError> {
    Ok(match row::string(&item, "kind") {
        Some("api_key") => {
            let key: domain::api_key::ApiKey = row::data(item, doing)?;
            let secrets = key.secrets.iter();
            secrets.map(|secret| keys::api_key_owner(&secret.sha256)).collect()
        }
        Some("invitation") => {
            let invitation: Invitation = row::data(item, doing)?;
            vec![keys::grant(&invitation.token_sha256)]
        }
        Some("connection") => {
            let connection: domain::connection::Connection = row::data(item, doing)?;
            match connection.account {
                domain::connection::Account::WhatsApp {
                    waba_id,
                    phone_number_id,
                    ..
                } => vec![keys::whatsapp_account(&waba_id, &phone_number_id)],
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    })
}
