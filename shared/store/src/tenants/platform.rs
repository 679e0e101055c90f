//! Acts of a platform administrator on tenants: list, create, change, delete. Every act leaves a row in the platform's own
//! log, in the same transaction.

use domain::accounts::Invitation;
use domain::people::Identity;
use domain::tenants::{Checkup, Connection, Rule, Tenant};
use domain::terms::{ConnectionId, ContactId, Email, Slug, Stamp, TenantId, UserId};
use domain::webhooks::WebhookEndpoint;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::accounts::{invitation_rows, nobody_row, taken_slug_row};
use crate::contacts::DELETE_PAGE;
use crate::reports::FIRST_DAY;
use crate::table::keys::{self, Key};
use crate::table::lookups::{self, WhatsAppOwner};
use crate::table::owned;
use crate::table::row::{self, Condition, Item, Row, Write};
use crate::tenants::{first_rule_writes, new_tenant_row, tenant_row};
use crate::{Owned as _, Page, Part, RACES, Store, StoreError, TenantScope};

/// An act of a platform administrator or operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformAct {
    /// Kind: `tenant_created`, `tenant_suspended`, …
    pub action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// Author, time and request.
    pub by: Stamp,
    /// Details in the API's terms, without secrets.
    pub detail: serde_json::Value,
}

/// Retention of the platform's log.
const LOG_LIFETIME: SignedDuration = SignedDuration::from_hours(400 * 24);

/// A tenant that is leaving, with the time of its deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    pub tenant: TenantId,
    /// Time of the deletion.
    pub at: Timestamp,
    /// Time when everything else was deleted. This row is deleted after another look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emptied_at: Option<Timestamp>,
}

/// Contacts deleted per page.
const CONTACTS_PAGE: i32 = 10;

pub(crate) fn act_row(act: &PlatformAct, id: &str, doing: &'static str) -> Result<Row, StoreError> {
    let key = keys::platform_act(act.by.at, id);
    let row = Row::new(&key, "platform_act", act, Condition::New, doing)?;
    Ok(row.expires(act.by.at, LOG_LIFETIME))
}

/// The first day that can have counts or logs of a tenant: the day in its id. An operator may have given it an id of any time.
fn first_day(tenant: TenantId, now: Timestamp) -> Date {
    let founded = i64::try_from(tenant.ulid().timestamp_ms()).unwrap_or(i64::MAX);
    match Timestamp::from_millisecond(founded) {
        Ok(founded) if founded <= now => founded.to_zoned(TimeZone::UTC).date().max(FIRST_DAY),
        _ => FIRST_DAY,
    }
}

fn leaving_row(leaving: &Leaving, doing: &'static str) -> Result<Row, StoreError> {
    let key = keys::leaving(leaving.at, leaving.tenant);
    Row::new(&key, "leaving", leaving, Condition::Always, doing)
}

impl Store {
    /// A page of all tenants, in the order of creation. `after` is the last of the previous page.
    pub async fn tenants(&self, after: Option<TenantId>, limit: i32) -> Result<Page<Tenant>, StoreError> {
        const DOING: &str = "list tenants";
        let start = after.map(keys::listed_tenant);
        let (listed, more) = self.database.list(keys::PLATFORM_TENANTS, start, limit, DOING).await?;
        let found: Vec<Key> = listed.iter().filter_map(row::key_of).collect();
        let next = listed.last().and_then(|item| row::string(item, "gsi1sk"));
        let next = next.filter(|_| more).map(str::to_owned);
        let mut rows = self.database.get_many(&found, DOING).await?;
        // A tenant deleted since the index was written is left out.
        let items = found.iter().filter_map(|key| rows.remove(key));
        let items = items.map(|item| row::data(item, DOING)).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    /// Creates a tenant with an invitation for its first administrator.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the name is taken.
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
            taken_slug_row(slug, scope.tenant(), act.by.at, DOING)?,
            new_tenant_row(scope, tenant, DOING)?.with_stamp(&act.by),
            nobody_row(scope, DOING)?,
            act_row(act, act_id, DOING)?,
        ];
        rows.extend(invitation_rows(scope, invitation, &act.by, DOING)?);
        let mut writes: Vec<Write> = rows.into_iter().map(Write::Put).collect();
        writes.extend(first_rule_writes(scope, rule, &act.by)?);
        self.database.transact_writes(writes, DOING).await
    }

    /// Changes a tenant under the condition of the version that was read. If it begins to leave, or stays after all, its
    /// entry in the list of leaving tenants is written or removed with it.
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
            Write::Put(tenant_row(scope, after, DOING)?.with_stamp(&act.by)),
            Write::Put(act_row(act, act_id, DOING)?),
        ];
        let leaving = |tenant: &Tenant| {
            tenant.leaves_at.map(|at| Leaving {
                tenant: scope.tenant(),
                at,
                emptied_at: None,
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

    /// Invites an administrator as an operator does.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the id of the invitation exists, open or not.
    pub async fn invite_for_platform(
        &self,
        scope: &TenantScope,
        invitation: &Invitation,
        act: &PlatformAct,
        act_id: &str,
    ) -> Result<(), StoreError> {
        const DOING: &str = "invite somebody for an operator";
        let mut rows = vec![act_row(act, act_id, DOING)?];
        rows.extend(invitation_rows(scope, invitation, &act.by, DOING)?);
        self.database.transact(rows, DOING).await
    }

    /// Grants somebody the right to administer the platform. Returns whether they did not have it.
    pub async fn give_platform_right(
        &self,
        user: UserId,
        email: &Email,
        act: &PlatformAct,
        act_id: &str,
    ) -> Result<bool, StoreError> {
        const DOING: &str = "make a platform administrator";
        let row = Row::new(
            &keys::platform_admin(user),
            "platform_admin",
            email,
            Condition::New,
            DOING,
        )?;
        let writes = vec![
            Write::Put(row.with_stamp(&act.by)),
            Write::Put(act_row(act, act_id, DOING)?),
        ];
        self.until_so(user, true, writes, DOING).await
    }

    /// Revokes somebody's right to administer the platform; their next request is refused. Returns whether they had it.
    pub async fn take_platform_right(&self, user: UserId, act: &PlatformAct, act_id: &str) -> Result<bool, StoreError> {
        const DOING: &str = "remove a platform administrator";
        let writes = vec![
            Write::Delete(keys::platform_admin(user)),
            Write::Put(act_row(act, act_id, DOING)?),
        ];
        self.until_so(user, false, writes, DOING).await
    }

    /// Writes all of these until the person has the right or not, as `wanted`. Returns whether that changed. A conflict
    /// alone proves nothing: another request may just be reading or writing the row.
    async fn until_so(
        &self,
        user: UserId,
        wanted: bool,
        writes: Vec<Write>,
        doing: &'static str,
    ) -> Result<bool, StoreError> {
        let written = RACES.until_won(
            async || match self.database.transact_writes(writes.clone(), doing).await {
                Ok(()) => Ok(true),
                Err(error) if error.is_conflict() && self.is_platform_admin(user).await? == wanted => Ok(false),
                Err(error) => Err(error),
            },
        );
        written.await
    }

    /// Writes one act into the platform's log.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if there is an act with this id and time.
    pub async fn log_platform_act(&self, act: &PlatformAct, act_id: &str) -> Result<(), StoreError> {
        const DOING: &str = "log an act of the platform";
        self.database.put(act_row(act, act_id, DOING)?, DOING).await
    }

    /// The owner of a WhatsApp number, for the platform to release it.
    pub async fn whatsapp_holder(
        &self,
        waba_id: &str,
        phone_number_id: &str,
    ) -> Result<Option<WhatsAppOwner>, StoreError> {
        const DOING: &str = "read who holds a WhatsApp number";
        let key = keys::whatsapp_account(waba_id, phone_number_id);
        let item = self.database.get(&key, DOING).await?;
        row::data_if_any(item, DOING)
    }

    /// Releases a WhatsApp number that a connection of this tenant holds. The connection, if it still exists, says so in
    /// its last test, signed for the tenant's audit log. Returns `false` if the connection no longer holds it.
    pub async fn release_whatsapp_number(
        &self,
        scope: &TenantScope,
        (waba_id, phone_number_id): (&str, &str),
        connection: ConnectionId,
        checkup: &Checkup,
        act: &PlatformAct,
        act_id: &str,
    ) -> Result<bool, StoreError> {
        const DOING: &str = "release a WhatsApp number";
        let mut writes = self.claims_of(scope, connection, waba_id, phone_number_id).await?;
        if writes.is_empty() {
            return Ok(false);
        }
        writes.push(Write::Put(act_row(act, act_id, DOING)?));
        if let Some(before) = self.get::<Connection>(scope, &connection).await? {
            let after = Connection {
                checkup: Some(checkup.clone()),
                ..before.value
            };
            let row = owned::change_row(scope, before.version, &after)?;
            writes.push(Write::Put(row.with_stamp(&act.by)));
            // Its summary is part of the cached configuration.
            writes.push(Write::Raise(keys::tenant(scope)));
        }
        self.database.transact_writes(writes, DOING).await?;
        Ok(true)
    }

    /// A page of the platform's log of a month, the newest first.
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

    /// Tenants whose deletion is due, at most `limit`. `after` is the last of the previous page.
    pub async fn tenants_to_delete(
        &self,
        now: Timestamp,
        after: Option<&Leaving>,
        limit: i32,
    ) -> Result<Vec<Leaving>, StoreError> {
        const DOING: &str = "read which tenants leave";
        let after = after.map(|last| keys::leaving(last.at, last.tenant).sk);
        let (items, _) = self
            .database
            .page(keys::PLATFORM, keys::LEAVING, after.as_deref(), limit, false, DOING)
            .await?;
        let all: Vec<Leaving> = items
            .into_iter()
            .map(|item| row::data(item, DOING))
            .collect::<Result<_, _>>()?;
        Ok(all.into_iter().filter(|leaving| leaving.at <= now).collect())
    }

    /// Deletes a page of a leaving tenant's data, except the tenant's own row, so that it can be called again after any interruption.
    /// Returns whether nothing was found any more. Connections are deleted first, so that nothing new arrives through them, and contacts
    /// are searched again at the end. Rows with a time to live of their own are left to it: rates and what is counted for caps, which have
    /// no personal data; provider references (WhatsApp's ids contain numbers); links to preference pages and live events (with ids); and
    /// for a day responses to requests with an idempotency key, such as names, numbers and texts.
    pub async fn delete_tenant_page(&self, scope: &TenantScope, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self
            .delete_own_rows(scope, &keys::part(scope, Part::Connections))
            .await?
            && self.delete_contacts(scope).await?
            && self.delete_suppressed(scope).await?
            && self.delete_webhook_deliveries(scope).await?
            && self.delete_parts(scope).await?
            && self.delete_own_rows(scope, &keys::tenant_partition(scope)).await?
            && self.delete_days(scope, now).await?
            && self.delete_contacts(scope).await?
            && self.delete_suppressed(scope).await?)
    }

    /// Deletes the deliveries of the first endpoint that has some, with its health. Returns whether there were none. Those of endpoints that were
    /// deleted days ago expire before a tenant is deleted.
    async fn delete_webhook_deliveries(&self, scope: &TenantScope) -> Result<bool, StoreError> {
        let prefix = WebhookEndpoint::PREFIX;
        let endpoints = self.every(scope, Part::Webhooks, prefix, WebhookEndpoint::KIND).await?;
        for item in endpoints {
            let id = row::string(&item, "sk").and_then(|sk| sk.strip_prefix(prefix)?.parse().ok());
            let Some(id) = id else { continue };
            if !self.delete_partition(&keys::deliveries(scope, id)).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes one page of the first part that has rows. Returns whether there were none.
    async fn delete_parts(&self, scope: &TenantScope) -> Result<bool, StoreError> {
        for part in Part::ALL {
            if !self.delete_own_rows(scope, &keys::part(scope, part)).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes the last row of a tenant, and its name in URLs. From then on nothing new is written for it. The list entry that leads to the
    /// rest stays, since something may have been in progress.
    pub async fn delete_tenant_row(
        &self,
        scope: &TenantScope,
        tenant: &Tenant,
        leaving: &Leaving,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "delete a tenant's row";
        let emptied = Leaving {
            emptied_at: Some(now),
            ..*leaving
        };
        self.database.put(leaving_row(&emptied, DOING)?, DOING).await?;
        let slug = tenant.slug.iter().map(keys::slug).collect();
        let mut last = self.leading_here(scope, slug).await?;
        last.push(keys::following_endpoints(scope));
        last.push(keys::tenant(scope));
        self.database.delete_many(&last, DOING).await
    }

    /// Removes a tenant from the list of leaving ones: it stays after all, or nothing of it is left.
    pub async fn forget_leaving(&self, leaving: &Leaving) -> Result<(), StoreError> {
        let key = keys::leaving(leaving.at, leaving.tenant);
        self.database.delete_many(&[key], "forget that a tenant leaves").await
    }

    /// Deletes one page of contacts. Returns whether there were none. The index is eventually consistent: it may contain
    /// deleted contacts, and lack new ones.
    async fn delete_contacts(&self, scope: &TenantScope) -> Result<bool, StoreError> {
        const DOING: &str = "list a leaving tenant's contacts";
        let contacts = keys::contacts(scope);
        let (listed, _) = self.database.list(&contacts, None, CONTACTS_PAGE, DOING).await?;
        for item in &listed {
            if let Some(contact) = row::string(item, "pk").and_then(keys::contact_of) {
                self.delete_contact(scope, contact).await?;
            }
        }
        Ok(listed.is_empty())
    }

    /// Deletes one page of the suppressed identities. Returns whether there were none.
    async fn delete_suppressed(&self, scope: &TenantScope) -> Result<bool, StoreError> {
        const DOING: &str = "delete a leaving tenant's suppressed identities";
        let (listed, _) = self
            .database
            .list(&keys::suppressed_identities(scope), None, DELETE_PAGE, DOING)
            .await?;
        let identities: Vec<Key> = listed.iter().filter_map(row::key_of).collect();
        self.database.delete_many(&identities, DOING).await?;
        Ok(listed.is_empty())
    }

    async fn delete_contact(&self, scope: &TenantScope, contact: ContactId) -> Result<(), StoreError> {
        const DOING: &str = "read a leaving tenant's contact";
        let known = self.contact_for(scope, contact, DOING).await?;
        // The list may still have one that was merged: it is deleted with the contact that survived.
        if known.as_ref().is_some_and(|known| known.id != contact) {
            return Ok(());
        }
        let person: Vec<ContactId> = known.map_or_else(|| vec![contact], |known| known.ids().collect());
        self.erase_listings(scope, contact).await?;
        for own in &person {
            while self.erase_history_page(scope, *own, &person).await?.more {}
        }
        // Read last, since a late job may have added another identity. The contact's own row, by which the list finds the
        // rest, is deleted last.
        let person = &person;
        let deleted = RACES.until_won(async || {
            let Some(known) = self.contact(scope, contact).await? else {
                return Ok(());
            };
            let identities: Vec<String> = known.known_by().iter().map(Identity::key).collect();
            self.erase_identities(scope, person, &identities).await?;
            self.erase_surplus(scope, person).await?;
            for alias in &known.aliases {
                self.erase_alias_rows(scope, *alias).await?;
            }
            self.erase_contact_rows(scope, &known).await.map(drop)
        });
        deleted.await?;
        // The index may not have had the newest ones.
        self.erase_surplus(scope, person).await
    }

    /// Deletes the identities that a person has no room for.
    async fn erase_surplus(&self, scope: &TenantScope, person: &[ContactId]) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let surplus = self.surplus_identities(scope, person, after.as_deref()).await?;
            self.erase_identities(scope, person, &surplus.items).await?;
            after = surplus.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Deletes the counters and the audit log, from the tenant's first month on. Returns whether there were none.
    async fn delete_days(&self, scope: &TenantScope, now: Timestamp) -> Result<bool, StoreError> {
        let mut month = first_day(scope.tenant(), now).first_of_month();
        let last = now.to_zoned(TimeZone::UTC).date();
        let mut empty = self.delete_partition(&keys::hours_partition(scope)).await?;
        empty &= self.delete_partition(&keys::template_days_partition(scope)).await?;
        while month <= last {
            empty &= self.delete_partition(&keys::days_partition(scope, month)).await?;
            empty &= self.delete_partition(&keys::audit_partition(scope, month)).await?;
            month = month.saturating_add(1.month());
        }
        Ok(empty)
    }

    /// Returns whether there were no rows.
    async fn delete_partition(&self, partition: &str) -> Result<bool, StoreError> {
        const DOING: &str = "delete a partition";
        let mut empty = true;
        loop {
            let (rows, more) = self
                .database
                .page(partition, "", None, DELETE_PAGE, true, DOING)
                .await?;
            let keys: Vec<Key> = rows.iter().filter_map(row::key_of).collect();
            empty &= keys.is_empty();
            self.database.delete_many(&keys, DOING).await?;
            if !more {
                return Ok(empty);
            }
        }
    }

    /// Deletes one page of one of the tenant's own partitions, with the look-ups that lead to its rows, but not the
    /// tenant's row itself. Returns whether there were none.
    async fn delete_own_rows(&self, scope: &TenantScope, partition: &str) -> Result<bool, StoreError> {
        const DOING: &str = "delete a tenant's own rows";
        let (rows, _) = self
            .database
            .page(partition, "", None, DELETE_PAGE, false, DOING)
            .await?;
        let tenant = keys::tenant(scope);
        let (mut own, mut look_ups, mut claimable) = (Vec::new(), Vec::new(), Vec::new());
        for item in rows {
            let Some(key) = row::key_of(&item).filter(|key| *key != tenant) else {
                continue;
            };
            own.push(key);
            match row::string(&item, "kind") {
                Some("member") => self.leave_account(scope, item).await?,
                Some("connection") => {
                    let connection: Connection = row::data(item, DOING)?;
                    claimable.extend(lookups::claimable(&connection.account));
                }
                Some(_) => look_ups.extend(owned::pointers(scope, item)?),
                None => {}
            }
        }
        // Look-ups are deleted before the rows that name them.
        look_ups.extend(self.leading_here(scope, claimable).await?);
        self.database.delete_many(&look_ups, DOING).await?;
        self.database.delete_many(&own, DOING).await?;
        Ok(own.is_empty())
    }

    /// Removes the tenant from a member's account. An account that keeps changing meanwhile retains a deleted tenant, which
    /// nobody can enter.
    async fn leave_account(&self, scope: &TenantScope, item: Item) -> Result<(), StoreError> {
        const DOING: &str = "take a tenant out of an account";
        let member: domain::accounts::Member = row::data(item, DOING)?;
        let left = RACES.until_won(async || {
            let Some(found) = self.account(member.user).await? else {
                return Ok(());
            };
            let mut account = found.value;
            account.tenants.retain(|tenant| *tenant != scope.tenant());
            self.write_account(&account, found.version).await
        });
        match left.await {
            Err(error) if error.is_conflict() => Ok(()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use ulid::Ulid;

    use super::*;

    #[test]
    fn first_day_is_in_the_id_unless_that_cannot_be() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().expect("a time");
        let of = |time: &str| {
            let time: Timestamp = time.parse().expect("a time");
            let milliseconds = u64::try_from(time.as_millisecond()).expect("it is past 1970");
            first_day(TenantId::new(Ulid::from_parts(milliseconds, 7)), now)
        };
        assert_eq!(of("2026-11-19T23:59:59Z"), date(2026, 11, 19));
        assert_eq!(of("2026-11-20T12:00:00Z"), date(2026, 11, 20));
        // Given by hand: neither thousands of days to look at, nor none.
        assert_eq!(of("1970-01-01T00:00:00Z"), FIRST_DAY);
        assert_eq!(of("2039-01-01T00:00:00Z"), FIRST_DAY);
        assert_eq!(
            first_day(TenantId::new(Ulid::from_parts(u64::MAX >> 16, 7)), now),
            FIRST_DAY
        );
    }
}
