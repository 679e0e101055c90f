//! What a tenant may have only so many of: people and those invited, and API keys. Whoever adds one counts them first and
//! writes under the condition that nobody else added one since, so that however many add at once, the limit holds.

use domain::{
    account::{Grant, Invitation},
    actor::Stamp,
    api_key::ApiKey,
};
use jiff::Timestamp;

use crate::{
    Store, StoreError, TenantScope, Versioned, api_keys,
    keys::{self, Key},
    members,
    row::{self, Condition, Item, Row, Write},
};

/// A tenant has at most this many people, counting those who are deactivated and those who are invited.
pub const MOST_PEOPLE: usize = 500;

/// At most this many invitations are open.
pub const MOST_INVITATIONS: usize = 100;

/// So many rows are read at once: more than any limit.
const PAGE: i32 = 1_000;

/// At most so many pages. What was removed is among them until it is deleted, which is days late; invitations of four
/// days, as many as are mailed, fit into them.
const MOST_PAGES: u32 = 20;

/// What somebody counted, valid until somebody else adds one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted<T> {
    /// What there is.
    pub found: T,
    /// What the next addition is conditioned on.
    version: u64,
}

/// Who belongs to a tenant or is to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    /// How many have a place.
    pub members: usize,
    /// The open invitations.
    pub invitations: Vec<Versioned<Invitation>>,
}

const PEOPLE: &str = "PEOPLE";
const API_KEYS: &str = "APIKEYS";

fn addition(key: &Key, version: u64, doing: &'static str) -> Result<Row, StoreError> {
    let condition = match version {
        0 => Condition::New,
        known => Condition::Version(known),
    };
    Ok(Row::new(key, "additions", &(), condition, doing)?.version(version + 1))
}

impl Store {
    async fn additions(&self, scope: &TenantScope, what: &str, doing: &'static str) -> Result<u64, StoreError> {
        let item = self.database.get(&keys::additions(scope, what), doing).await?;
        Ok(item.as_ref().map(row::version_of).unwrap_or_default())
    }

    /// The rows of a kind that are not removed.
    async fn live_rows(&self, scope: &TenantScope, prefix: &str, doing: &'static str) -> Result<Vec<Item>, StoreError> {
        let partition = keys::tenant_partition(scope);
        let (mut live, mut after) = (Vec::new(), None::<String>);
        for _page in 0..MOST_PAGES {
            let page = self
                .database
                .page(&partition, prefix, after.as_deref(), PAGE, false, doing);
            let (rows, more) = page.await?;
            after = rows.last().and_then(|item| row::string(item, "sk")).map(str::to_owned);
            live.extend(rows.into_iter().filter(row::live));
            if !more {
                break;
            }
        }
        Ok(live)
    }

    /// Who belongs to the tenant or is invited: to be read before somebody is invited.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn people(&self, scope: &TenantScope, now: Timestamp) -> Result<Counted<People>, StoreError> {
        const DOING: &str = "count a tenant's people";
        let version = self.additions(scope, PEOPLE, DOING).await?;
        let members = self.live_rows(scope, keys::MEMBER, DOING).await?;
        let invited = self.live_rows(scope, keys::INVITATION, DOING).await?;
        let open = |item| row::versioned(Some(item), Some(now), DOING).transpose();
        Ok(Counted {
            found: People {
                members: members.len(),
                invitations: invited.into_iter().filter_map(open).collect::<Result<_, _>>()?,
            },
            version,
        })
    }

    /// Invites somebody, if nobody else was invited since the people were counted.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody was: count again.
    pub async fn invite_one_more(
        &self,
        scope: &TenantScope,
        counted: &Counted<People>,
        invitation: &Invitation,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "invite somebody";
        let mut rows = vec![addition(&keys::additions(scope, PEOPLE), counted.version, DOING)?];
        rows.extend(members::invitation_rows(scope, invitation, stamp, DOING)?);
        self.database.transact(rows, DOING).await
    }

    /// Gives an open invitation more time, and another link, where it names one: then the link before no longer works.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it was accepted, withdrawn or renewed meanwhile.
    pub async fn renew_invitation(
        &self,
        scope: &TenantScope,
        before: &Versioned<Invitation>,
        after: &Invitation,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "renew an invitation";
        let key = keys::configured(scope, keys::INVITATION, &after.id.to_string());
        let lifetime = after.expires_at.duration_since(stamp.at);
        let grant = Grant::Invitation {
            tenant: scope.tenant(),
            invitation: after.id,
        };
        let link = keys::grant(&after.token_sha256);
        let condition = Condition::Version(before.version);
        let row = Row::new(&key, "invitation", after, condition, DOING)?.version(before.version + 1);
        let mut writes = vec![Write::Put(row.stamped(stamp).expires(stamp.at, lifetime))];
        let same = after.token_sha256 == before.value.token_sha256;
        let condition = if same { Condition::Always } else { Condition::New };
        let link = Row::new(&link, "grant", &grant, condition, DOING)?;
        writes.push(Write::Put(link.expires(stamp.at, lifetime)));
        if !same {
            writes.push(Write::Delete(keys::grant(&before.value.token_sha256)));
        }
        self.database.transact_writes(writes, DOING).await
    }

    /// How many API keys the tenant has: to be read before one is made.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn count_api_keys(&self, scope: &TenantScope) -> Result<Counted<usize>, StoreError> {
        const DOING: &str = "count API keys";
        let version = self.additions(scope, API_KEYS, DOING).await?;
        let found = self.live_rows(scope, keys::API_KEY, DOING).await?;
        Ok(Counted {
            found: found.iter().filter(|item| api_keys::is_key(item)).count(),
            version,
        })
    }

    /// Makes an API key, if nobody else made one since they were counted.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody did, or there is a key of this id.
    pub async fn create_one_more_api_key(
        &self,
        scope: &TenantScope,
        counted: &Counted<usize>,
        key: &ApiKey,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "make an API key";
        let mut rows = vec![addition(&keys::additions(scope, API_KEYS), counted.version, DOING)?];
        rows.extend(api_keys::new_rows(scope, key, stamp, DOING)?);
        self.database.transact(rows, DOING).await
    }
}
