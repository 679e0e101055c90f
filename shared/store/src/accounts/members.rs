//! Members of a tenant, and invitations.

use domain::accounts::{Account, ApiKey, Grant, Invitation, Member, MemberStatus, Role};
use domain::tenants::{Rule, Tenant};
use domain::terms::{Actor, InvitationId, SessionId, Slug, Stamp, UserId};
use jiff::Timestamp;

use crate::accounts::{account_row, confirmed_writes, email_row};
use crate::inbox::desk_row;
use crate::table::keys::{self, Key};
use crate::table::owned;
use crate::table::row::{self, Condition, Item, Row, Write};
use crate::tenants::{first_rule_writes, new_tenant_row};
use crate::{Owned, Part, Pointer, Store, StoreError, TenantScope, Versioned};

/// Maximum people of a tenant, including deactivated and invited ones.
pub const MAX_PEOPLE: usize = 500;

pub const MAX_INVITATIONS: usize = 100;

/// The reason why a member cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// The tenant would have no administrator.
    #[error("the last administrator cannot go")]
    LastAdmin,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The row that tells what a caller may do in the tenant. Those who act for the platform have none.
pub(crate) fn caller_key(scope: &TenantScope, who: Actor) -> Option<Key> {
    match who {
        Actor::User(user) => Some(owned::key::<Member>(scope, &user)),
        Actor::ApiKey(key) => Some(owned::key::<ApiKey>(scope, &key)),
        Actor::Platform(_) | Actor::Operator => None,
    }
}

fn is_admin(member: &Member) -> bool {
    member.role == Role::Admin && member.status == MemberStatus::Active
}

impl Owned for Member {
    const KIND: &'static str = "member";
    const PART: Part = Part::People;
    const PREFIX: &'static str = "USER#";
    const MAX: u32 = MAX_PEOPLE as u32;
    const REUSES_KEYS: bool = true;
    /// Counted together with the invitations: [`crate::accounts::Counted`].
    const COUNTED: bool = false;

    fn id(&self) -> String {
        self.user.to_string()
    }
}

impl Owned for Invitation {
    const KIND: &'static str = "invitation";
    const PART: Part = Part::People;
    const PREFIX: &'static str = "INVITE#";
    const MAX: u32 = MAX_INVITATIONS as u32;
    /// They expire by themselves: [`crate::accounts::Counted`].
    const COUNTED: bool = false;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn pointers(&self, scope: &TenantScope) -> Vec<Pointer> {
        let grant = Grant::Invitation {
            tenant: scope.tenant(),
            invitation: self.id,
        };
        let link = Pointer::new(keys::grant(&self.token_sha256), "grant", &grant);
        link.into_iter().collect()
    }

    fn expires(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

fn member_row(
    scope: &TenantScope,
    member: &Member,
    condition: Condition,
    version: u64,
    stamp: &Stamp,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let key = owned::key::<Member>(scope, &member.user);
    Ok(Row::new(&key, Member::KIND, member, condition, doing)?
        .version(version)
        .with_stamp(stamp))
}

fn admins_row(
    scope: &TenantScope,
    admins: &[UserId],
    condition: Condition,
    version: u64,
    doing: &'static str,
) -> Result<Row, StoreError> {
    Ok(Row::new(&keys::admins(scope), "admins", &admins, condition, doing)?.version(version))
}

/// The rows of a new tenant's first administrator.
fn first(scope: &TenantScope, member: &Member, stamp: &Stamp, doing: &'static str) -> Result<[Row; 2], StoreError> {
    Ok([
        member_row(scope, member, Condition::New, 1, stamp, doing)?,
        admins_row(scope, &[member.user], Condition::New, 1, doing)?,
    ])
}

/// The empty list of administrators of a tenant whose first one is only invited.
pub(crate) fn nobody_row(scope: &TenantScope, doing: &'static str) -> Result<Row, StoreError> {
    admins_row(scope, &[], Condition::New, 1, doing)
}

/// An invitation and the row of its link.
pub(crate) fn invitation_rows(
    scope: &TenantScope,
    invitation: &Invitation,
    stamp: &Stamp,
    doing: &'static str,
) -> Result<Vec<Row>, StoreError> {
    let key = owned::key::<Invitation>(scope, &invitation.id);
    let row = Row::new(&key, Invitation::KIND, invitation, Condition::New, doing)?;
    let row = row.version(1).with_stamp(stamp).expires_at(invitation.expires_at);
    let links = invitation.pointers(scope).into_iter();
    let links = links.map(|link| link.row(Condition::New, Some(invitation.expires_at)));
    Ok(std::iter::once(row).chain(links).collect())
}

impl Store {
    /// Turns a confirmed sign-up into a tenant with its first administrator, and uses up the link: all or nothing, once.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the link was used meanwhile, its reservation is over, or the address has an account.
    #[expect(clippy::too_many_arguments, reason = "the whole of one transaction")]
    pub async fn found_tenant(
        &self,
        scope: &TenantScope,
        tenant: &Tenant,
        rule: &Rule,
        slug: &Slug,
        account: &Account,
        email_sha256: &str,
        member: &Member,
        token_sha256: &str,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "found a tenant";
        let confirmed = confirmed_writes(scope.tenant(), slug, account, email_sha256, token_sha256, DOING)?;
        let mut writes = Vec::from(confirmed);
        writes.push(Write::Put(new_tenant_row(scope, tenant, DOING)?.with_stamp(stamp)));
        writes.extend(first_rule_writes(scope, rule, stamp)?);
        writes.extend(first(scope, member, stamp, DOING)?.map(Write::Put));
        self.database.transact_writes(writes, DOING).await
    }

    /// A person's membership of each of these tenants, with the tenant's row, in one read and in the given order. Missing
    /// ones are left out.
    pub async fn memberships(&self, scopes: &[TenantScope], user: UserId) -> Result<Vec<(Tenant, Member)>, StoreError> {
        let (belongs, _) = self.belongs(scopes, user, None).await?;
        Ok(belongs)
    }

    /// A person's membership of each of these tenants, with the tenant's row, and whether the person administers the platform, in one read.
    pub async fn standing(
        &self,
        scopes: &[TenantScope],
        user: UserId,
    ) -> Result<(Vec<(Tenant, Member)>, bool), StoreError> {
        let right = keys::platform_admin(user);
        let (belongs, right) = self.belongs(scopes, user, Some(right)).await?;
        Ok((belongs, right.as_ref().is_some_and(row::live)))
    }

    /// A person's memberships, and another row beside them.
    async fn belongs(
        &self,
        scopes: &[TenantScope],
        user: UserId,
        beside: Option<Key>,
    ) -> Result<(Vec<(Tenant, Member)>, Option<Item>), StoreError> {
        const DOING: &str = "read where a person belongs";
        let keys: Vec<(Key, Key)> = scopes
            .iter()
            .map(|scope| {
                let member = owned::key::<Member>(scope, &user);
                (keys::tenant(scope), member)
            })
            .collect();
        let wanted: Vec<Key> = keys
            .iter()
            .flat_map(|(tenant, member)| [tenant.clone(), member.clone()])
            .chain(beside.clone())
            .collect();
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let mut belongs = Vec::with_capacity(keys.len());
        for (tenant, member) in keys {
            let tenant = row::read_versioned(found.remove(&tenant), None, DOING)?;
            let member = row::read_versioned(found.remove(&member), None, DOING)?;
            if let (Some(tenant), Some(member)) = (tenant, member) {
                belongs.push((tenant.value, member.value));
            }
        }
        Ok((belongs, beside.and_then(|key| found.remove(&key))))
    }

    /// The members among these users, including deactivated ones, in no particular order. One request per hundred.
    pub async fn members_named(&self, scope: &TenantScope, users: &[UserId]) -> Result<Vec<Member>, StoreError> {
        let ids = users.iter().map(ToString::to_string).collect();
        self.read_existing(scope, &ids).await
    }

    /// Changes a member under the condition of the version that was read. The tenant keeps an active administrator, whoever
    /// else is changed at the same time.
    ///
    /// # Errors
    /// [`MemberError::LastAdmin`]; [`StoreError::Conflict`] after a lost race.
    pub async fn change_member(
        &self,
        scope: &TenantScope,
        before: &Versioned<Member>,
        after: &Member,
        stamp: &Stamp,
    ) -> Result<(), MemberError> {
        const DOING: &str = "change a member";
        let condition = Condition::Version(before.version);
        let row = member_row(scope, after, condition, before.version + 1, stamp, DOING)?;
        let mut rows = vec![row];
        if before.value.attends() != after.attends() {
            let mut desk = self.desk(scope, after.user, stamp.at).await?;
            desk.value.set_left(!after.attends(), stamp.at);
            rows.push(desk_row(scope, &desk, DOING)?);
        }
        if is_admin(&before.value) == is_admin(after) {
            let written = match rows.as_slice() {
                [_] => self.database.put(rows.remove(0), DOING).await,
                _ => self.database.transact(rows, DOING).await,
            };
            return Ok(written?);
        }
        let admins = self.admins(scope).await?;
        let mut left = admins.value;
        left.retain(|user| *user != after.user);
        if is_admin(after) {
            left.push(after.user);
        }
        if left.is_empty() {
            return Err(MemberError::LastAdmin);
        }
        let condition = Condition::Version(admins.version);
        rows.push(admins_row(scope, &left, condition, admins.version + 1, DOING)?);
        Ok(self.database.transact(rows, DOING).await?)
    }

    /// Adds a new person to a tenant, as an operator does: account, address and membership together. An administrator must
    /// be the tenant's first.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the address has an account, or the tenant an administrator already.
    pub async fn seat(
        &self,
        scope: &TenantScope,
        account: &Account,
        email_sha256: &str,
        member: &Member,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "seat a person";
        let mut rows = vec![
            email_row(account.id, email_sha256, DOING)?,
            account_row(account, Condition::New, 1, DOING)?,
        ];
        if is_admin(member) {
            rows.extend(first(scope, member, stamp, DOING)?);
        } else {
            rows.push(member_row(scope, member, Condition::New, 1, stamp, DOING)?);
        }
        self.database.transact(rows, DOING).await
    }

    /// The accounts of the tenant's active administrators.
    pub async fn admin_accounts(&self, scope: &TenantScope) -> Result<Vec<Account>, StoreError> {
        const DOING: &str = "read the administrators' accounts";
        let item = self.database.get(&keys::admins(scope), DOING).await?;
        let admins: Option<Versioned<Vec<UserId>>> = row::read_versioned(item, None, DOING)?;
        // A tenant that an operator wrote from a file has no administrator yet.
        let admins = admins.map(|admins| admins.value).unwrap_or_default();
        let keys: Vec<Key> = admins.into_iter().map(keys::account).collect();
        let found = self.database.get_many(&keys, DOING).await?;
        let account = |(_, item)| row::data(item, DOING);
        found.into_iter().map(account).collect()
    }

    async fn admins(&self, scope: &TenantScope) -> Result<Versioned<Vec<UserId>>, StoreError> {
        const DOING: &str = "read who administers";
        let item = self.database.get(&keys::admins(scope), DOING).await?;
        let found = row::read_versioned(item, None, DOING)?;
        found.ok_or(StoreError::Conflict { doing: DOING })
    }

    /// Ends the sessions of a person in a tenant, except `spared`: older tokens become invalid. Ignores a missing membership, and sessions
    /// that have ended already.
    pub async fn end_member_sessions(
        &self,
        scope: &TenantScope,
        user: UserId,
        from: Timestamp,
        spared: Option<SessionId>,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "end a member's sessions";
        let Some(before) = self.get::<Member>(scope, &user).await? else {
            return Ok(());
        };
        let mut after = before.value;
        if !after.end_sessions(from, spared) {
            return Ok(());
        }
        let condition = Condition::Version(before.version);
        let row = member_row(scope, &after, condition, before.version + 1, stamp, DOING)?;
        self.database.put(row, DOING).await
    }

    /// Ends a session in a person's membership of a tenant, as [`Member::end_session`] does. A missing membership is ignored, and so is a
    /// session that has ended there. The audit log is not told: the session ends in all of the person's tenants.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race.
    pub async fn end_member_session(
        &self,
        scope: &TenantScope,
        user: UserId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "end a member's session";
        let Some(before) = self.get::<Member>(scope, &user).await? else {
            return Ok(());
        };
        let mut after = before.value;
        if !after.end_session(session, now) {
            return Ok(());
        }
        let key = owned::key::<Member>(scope, &user);
        let row = Row::new(&key, Member::KIND, &after, Condition::Version(before.version), DOING)?;
        self.database.put(row.version(before.version + 1), DOING).await
    }

    /// Invites somebody: writes the invitation and the row of its link.
    pub async fn invite(&self, scope: &TenantScope, invitation: &Invitation, stamp: &Stamp) -> Result<(), StoreError> {
        const DOING: &str = "invite somebody";
        let rows = invitation_rows(scope, invitation, stamp, DOING)?;
        self.database.transact(rows, DOING).await
    }

    /// An invitation that is still open.
    pub async fn invitation(
        &self,
        scope: &TenantScope,
        id: InvitationId,
        now: Timestamp,
    ) -> Result<Option<Versioned<Invitation>>, StoreError> {
        let found = self.get::<Invitation>(scope, &id).await?;
        Ok(found.filter(|invitation| invitation.value.expires_at > now))
    }

    /// Adds an invited person: deletes the invitation, writes the membership, and adds the tenant to the account. All or
    /// nothing, and once, however many try. `before` is the account's version; 0 creates the account.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race, or if the address already has another account.
    #[expect(clippy::too_many_arguments, reason = "the whole of one transaction")]
    pub async fn join(
        &self,
        scope: &TenantScope,
        invitation: &Versioned<Invitation>,
        account: &Account,
        before: u64,
        email_sha256: &str,
        member: &Member,
        previous: Option<&Versioned<Member>>,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "join a tenant";
        let mut writes = used_up(scope, invitation, stamp)?;
        let condition = if before == 0 {
            writes.push(Write::Put(email_row(account.id, email_sha256, DOING)?));
            Condition::New
        } else {
            Condition::Version(before)
        };
        writes.push(Write::Put(account_row(account, condition, before + 1, DOING)?));
        // A deactivated former member still has a row; a deleted one that waits for its removal may be overwritten.
        let first = owned::first_version::<Member>(stamp);
        let (condition, version) = previous.map_or((Condition::NewOrGone, first), |member| {
            (Condition::Version(member.version), member.version + 1)
        });
        let row = member_row(scope, member, condition, version, stamp, DOING)?;
        writes.push(Write::Put(row));
        if previous.is_some() {
            let mut desk = self.desk(scope, member.user, stamp.at).await?;
            desk.value.set_left(!member.attends(), stamp.at);
            writes.push(Write::Put(desk_row(scope, &desk, DOING)?));
        }
        if is_admin(member) {
            let admins = self.admins(scope).await?;
            let mut with = admins.value;
            with.retain(|user| *user != member.user);
            with.push(member.user);
            let condition = Condition::Version(admins.version);
            let row = admins_row(scope, &with, condition, admins.version + 1, DOING)?;
            writes.push(Write::Put(row));
        }
        self.database.transact_writes(writes, DOING).await
    }
}

/// The writes that use up an invitation. Its link must still exist: it works once.
fn used_up(scope: &TenantScope, invitation: &Versioned<Invitation>, stamp: &Stamp) -> Result<Vec<Write>, StoreError> {
    let row = owned::change_row(scope, invitation.version, &invitation.value)?;
    let mut writes = vec![Write::Put(row.with_stamp(stamp).mark_deleted(stamp.at))];
    let links = invitation.value.pointers(scope).into_iter();
    writes.extend(links.map(|link| Write::Delete(link.key())));
    Ok(writes)
}
