//! People's accounts, sessions and one-time links. They belong to no tenant, so they need no scope; they contain no more of
//! a tenant than the way to it.

use domain::accounts::{Account, Grant, Session, SignUp};
use domain::terms::{SessionId, Slug, TenantId, UserId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::table::keys;
use crate::table::row::{self, Condition, Row, Write};
use crate::{Store, StoreError, Versioned};

/// Lifetime of the link in the first mail. The business's name is reserved as long.
pub const SIGN_UP_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// A session's row outlives the session by this long, so that a late copy of a token is still recognized.
const SESSION_ROW_OUTLIVES: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Look-up from an address to a person.
#[derive(Serialize, Deserialize)]
pub(crate) struct EmailOwner {
    user: UserId,
}

/// A name in URLs, reserved for a sign-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// SHA-256 of the requesting address, in hex.
    pub email_sha256: String,
    /// SHA-256 of the link's token, in hex; `None` if the address has an account, so that there is no link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_sha256: Option<String>,
}

/// The owner of a name in URLs.
#[derive(Serialize, Deserialize)]
pub(crate) struct SlugOwner {
    /// The tenant; `None` until the sign-up is confirmed.
    tenant: Option<TenantId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold: Option<Hold>,
}

impl SlugOwner {
    const fn of_tenant(tenant: TenantId) -> Self {
        Self {
            tenant: Some(tenant),
            hold: None,
        }
    }
}

/// The reservation's version is a part of the link's own hash, so that only this link can turn it into a tenant.
fn hold_version(token_sha256: &str) -> u64 {
    token_sha256
        .get(..13)
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .unwrap_or_default()
}

pub(crate) fn email_row(user: UserId, email_sha256: &str, doing: &'static str) -> Result<Row, StoreError> {
    let key = keys::email(email_sha256);
    Row::new(&key, "email", &EmailOwner { user }, Condition::New, doing)
}

pub(crate) fn account_row(
    account: &Account,
    condition: Condition,
    version: u64,
    doing: &'static str,
) -> Result<Row, StoreError> {
    Ok(Row::new(&keys::account(account.id), "account", account, condition, doing)?.version(version))
}

fn session_row(session: &Session, condition: Condition, version: u64, doing: &'static str) -> Result<Row, StoreError> {
    let key = keys::session(session.user, session.id);
    let row = Row::new(&key, "session", session, condition, doing)?.version(version);
    Ok(row.expires(session.expires_at, SESSION_ROW_OUTLIVES))
}

/// Writes of a confirmed sign-up outside its tenant: it uses up the link, turns the reserved name into a taken one, and creates the
/// account.
pub(crate) fn confirmed_writes(
    tenant: TenantId,
    slug: &Slug,
    account: &Account,
    email_sha256: &str,
    token_sha256: &str,
    doing: &'static str,
) -> Result<[Write; 4], StoreError> {
    let taken = SlugOwner::of_tenant(tenant);
    let hold = Condition::Version(hold_version(token_sha256));
    Ok([
        Write::Delete(keys::grant(token_sha256)),
        Write::Put(Row::new(&keys::slug(slug), "slug", &taken, hold, doing)?.version(1)),
        Write::Put(email_row(account.id, email_sha256, doing)?),
        Write::Put(account_row(account, Condition::New, 1, doing)?),
    ])
}

/// The row of a name taken by a tenant, if nobody has it or reserved it.
pub(crate) fn taken_slug_row(
    slug: &Slug,
    tenant: TenantId,
    now: Timestamp,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let taken = SlugOwner::of_tenant(tenant);
    let row = Row::new(&keys::slug(slug), "slug", &taken, Condition::NewOrExpired(now), doing)?;
    Ok(row.version(1))
}

impl Store {
    pub async fn account(&self, user: UserId) -> Result<Option<Versioned<Account>>, StoreError> {
        const DOING: &str = "read an account";
        row::read_versioned(self.database.get(&keys::account(user), DOING).await?, None, DOING)
    }

    /// The owner of an address, by its SHA-256 in hex.
    pub async fn user_of_email(&self, email_sha256: &str) -> Result<Option<UserId>, StoreError> {
        const DOING: &str = "look up an address";
        let item = self.database.get(&keys::email(email_sha256), DOING).await?;
        let owner: Option<EmailOwner> = row::data_if_any(item, DOING)?;
        Ok(owner.map(|owner| owner.user))
    }

    /// Changes an account under the condition of the version that was read.
    pub async fn write_account(&self, account: &Account, version: u64) -> Result<(), StoreError> {
        const DOING: &str = "write an account";
        let row = account_row(account, Condition::Version(version), version + 1, DOING)?;
        self.database.put(row, DOING).await
    }

    /// Whether a name in URLs is free: neither taken nor reserved.
    pub async fn is_slug_free(&self, slug: &Slug, now: Timestamp) -> Result<bool, StoreError> {
        const DOING: &str = "read whether a name is free";
        let item = self.database.get(&keys::slug(slug), DOING).await?;
        Ok(item.is_none_or(|item| row::is_expired(&item, now)))
    }

    /// The reservation of a name for a sign-up, until it expires.
    pub async fn sign_up_hold(&self, slug: &Slug, now: Timestamp) -> Result<Option<Versioned<Hold>>, StoreError> {
        const DOING: &str = "read the owner of a name";
        let item = self.database.get(&keys::slug(slug), DOING).await?;
        let owner: Option<Versioned<SlugOwner>> = row::read_versioned(item, Some(now), DOING)?;
        Ok(owner.and_then(|owner| {
            let version = owner.version;
            owner.value.hold.map(|value| Versioned { value, version })
        }))
    }

    /// Reserves a business's name for a sign-up, and stores the request until its link is followed. `known` is whether the
    /// address already has an account: then the name is reserved all the same, so that nobody can tell, and nothing else is
    /// stored. `before` is the reservation that this one replaces: its link no longer works.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the name is taken, or reserved otherwise than by `before`.
    pub async fn hold_sign_up(
        &self,
        sign_up: &SignUp,
        email_sha256: &str,
        token_sha256: &str,
        known: bool,
        before: Option<&Versioned<Hold>>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "hold a sign-up";
        let held = SlugOwner {
            tenant: None,
            hold: Some(Hold {
                email_sha256: email_sha256.to_owned(),
                token_sha256: (!known).then(|| token_sha256.to_owned()),
            }),
        };
        let condition = before.map_or(Condition::NewOrExpired(now), |before| {
            Condition::Version(before.version)
        });
        let row = Row::new(&keys::slug(&sign_up.slug), "slug", &held, condition, DOING)?;
        let row = row.version(hold_version(token_sha256)).expires(now, SIGN_UP_LIFETIME);
        let mut writes = vec![Write::Put(row)];
        if !known {
            let grant = Grant::SignUp(Box::new(sign_up.clone()));
            let row = self.grant_row(&grant, token_sha256, now, SIGN_UP_LIFETIME, DOING)?;
            writes.push(Write::Put(row));
        }
        let replaced = before.and_then(|before| before.value.token_sha256.as_deref());
        writes.extend(replaced.map(|token_sha256| Write::Delete(keys::grant(token_sha256))));
        self.database.transact_writes(writes, DOING).await
    }

    /// Releases a name that is reserved for a sign-up whose link could not be sent; the link itself expires.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it is no longer reserved for this link.
    pub async fn release_sign_up(&self, slug: &Slug, token_sha256: &str, now: Timestamp) -> Result<(), StoreError> {
        const DOING: &str = "release a reserved name";
        let nobody = SlugOwner {
            tenant: None,
            hold: None,
        };
        let condition = Condition::Version(hold_version(token_sha256));
        let row = Row::new(&keys::slug(slug), "slug", &nobody, condition, DOING)?;
        self.database.put(row.expires(now, SignedDuration::ZERO), DOING).await
    }

    fn grant_row(
        &self,
        grant: &Grant,
        token_sha256: &str,
        now: Timestamp,
        lifetime: SignedDuration,
        doing: &'static str,
    ) -> Result<Row, StoreError> {
        let row = Row::new(&keys::grant(token_sha256), "grant", grant, Condition::New, doing)?;
        Ok(row.expires(now, lifetime))
    }

    /// Stores the purpose of a one-time link.
    pub async fn put_grant(
        &self,
        grant: &Grant,
        token_sha256: &str,
        now: Timestamp,
        lifetime: SignedDuration,
    ) -> Result<(), StoreError> {
        const DOING: &str = "store a one-time link";
        let row = self.grant_row(grant, token_sha256, now, lifetime, DOING)?;
        self.database.put(row, DOING).await
    }

    /// The purpose of a one-time link, while it is valid.
    pub async fn grant(&self, token_sha256: &str, now: Timestamp) -> Result<Option<Grant>, StoreError> {
        const DOING: &str = "read a one-time link";
        let item = self.database.get(&keys::grant(token_sha256), DOING).await?;
        let grant: Option<Versioned<Grant>> = row::read_versioned(item, Some(now), DOING)?;
        Ok(grant.map(|grant| grant.value))
    }

    /// Creates a person's account. It joins a tenant only by [`Store::join`] or by a sign-up.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the address has an account.
    pub async fn create_account(&self, account: &Account, email_sha256: &str) -> Result<(), StoreError> {
        const DOING: &str = "make an account";
        let rows = vec![
            email_row(account.id, email_sha256, DOING)?,
            account_row(account, Condition::New, 1, DOING)?,
        ];
        self.database.transact(rows, DOING).await
    }

    /// Changes an account and uses up the link that allowed it, together or not at all.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the link was used or the account changed meanwhile.
    pub async fn write_account_by_grant(
        &self,
        account: &Account,
        version: u64,
        token_sha256: &str,
    ) -> Result<(), StoreError> {
        const DOING: &str = "write an account by a link";
        let writes = vec![
            Write::Delete(keys::grant(token_sha256)),
            Write::Put(account_row(account, Condition::Version(version), version + 1, DOING)?),
        ];
        self.database.transact_writes(writes, DOING).await
    }

    pub async fn begin_session(&self, session: &Session) -> Result<(), StoreError> {
        const DOING: &str = "begin a session";
        let row = session_row(session, Condition::New, 1, DOING)?;
        self.database.put(row, DOING).await
    }

    /// A session, whether over or not.
    pub async fn session(&self, user: UserId, id: SessionId) -> Result<Option<Versioned<Session>>, StoreError> {
        const DOING: &str = "read a session";
        row::read_versioned(self.database.get(&keys::session(user, id), DOING).await?, None, DOING)
    }

    /// Gives a session its next token, under the condition of the version that was read.
    pub async fn rotate_session(&self, session: &Session, version: u64) -> Result<(), StoreError> {
        const DOING: &str = "rotate a session";
        let row = session_row(session, Condition::Version(version), version + 1, DOING)?;
        self.database.put(row, DOING).await
    }

    /// Ends a session. A missing session counts as ended.
    pub async fn end_session(&self, user: UserId, id: SessionId) -> Result<(), StoreError> {
        const DOING: &str = "end a session";
        self.database.delete(&keys::session(user, id), DOING).await
    }

    /// A person's sessions, the newest first.
    pub async fn sessions(&self, user: UserId, limit: i32) -> Result<Vec<Session>, StoreError> {
        const DOING: &str = "list sessions";
        let partition = keys::user_partition(user);
        let items = self
            .database
            .query(&partition, keys::SESSION, limit, true, DOING)
            .await?;
        items.into_iter().map(|item| row::data(item, DOING)).collect()
    }

    /// The public keys that verify access tokens, as JSON, with their version; 0 before there are any.
    pub async fn signing_keys(&self) -> Result<Versioned<Option<String>>, StoreError> {
        const DOING: &str = "read the signing keys";
        let item = self.database.get(&keys::signing_keys(), DOING).await?;
        let found: Option<Versioned<String>> = row::read_versioned(item, None, DOING)?;
        Ok(found.map_or(
            Versioned {
                value: None,
                version: 0,
            },
            |found| Versioned {
                value: Some(found.value),
                version: found.version,
            },
        ))
    }

    /// Publishes the public keys.
    pub async fn publish_signing_keys(&self, keys_json: &str, version: u64) -> Result<(), StoreError> {
        const DOING: &str = "publish the signing keys";
        let condition = match version {
            0 => Condition::New,
            known => Condition::Version(known),
        };
        let row = Row::new(&keys::signing_keys(), "signing_keys", &keys_json, condition, DOING)?;
        self.database.put(row.version(version + 1), DOING).await
    }

    /// Whether a person administers the platform.
    pub async fn is_platform_admin(&self, user: UserId) -> Result<bool, StoreError> {
        const DOING: &str = "read a platform administrator";
        let item = self.database.get(&keys::platform_admin(user), DOING).await?;
        Ok(item.is_some_and(|item| row::live(&item)))
    }
}
