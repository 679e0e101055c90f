//! Callers of the API and their tenant. A user authenticates by an access token, a tenant's software by an API key. Only this
//! module grants their scope.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::accounts::{Account, ApiKey, Credential, Member, MemberStatus, Permission, Role};
use domain::tenants::{Limits, Tenant, TenantStatus};
use domain::terms::{Actor, ApiKeyId, IpRange, SessionId, Stamp, TenantId, UserId};
use domain::webhooks::WebhookRun;
use jiff::{SignedDuration, Timestamp};
use store::accounts::ApiKeyOwner;
use store::table::rates::{Allowance, Limit};
use store::{Authority, Store, StoreError, TenantScope, Versioned};

use crate::AddressTrace;
use crate::remembered::Remembered;
use crate::token::{self, Claims, Verifier};

/// Credentials of a request, and where it comes from.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// Token of `Authorization: Bearer …`.
    pub bearer: Option<&'a str>,
    /// `X-API-Key`.
    pub api_key: Option<&'a str>,
    /// `X-Tenant-ID`.
    pub tenant: Option<&'a str>,
    /// IP address of the caller.
    pub address: Option<IpAddr>,
    /// Whether the operation takes tokens of runs, and looks at the contact that they are limited to. No other one admits them.
    pub takes_runs: bool,
}

/// Reason why a caller is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Not authenticated: credentials are missing, forged, expired or revoked. The caller is not told which.
    #[error("the caller is not authenticated")]
    Unproven,
    /// Both kinds of credentials at once.
    #[error("two kinds of credentials")]
    Ambiguous,
    /// The token of a run of a webhook, for an operation that takes none.
    #[error("the operation takes no callbacks")]
    TakesNoRuns,
    /// The token of a run, from an address that its endpoint does not list.
    #[error("a callback from another address")]
    OtherAddress,
    /// A user of no tenant, or of several without naming one.
    #[error("no tenant is named")]
    NoTenant,
    /// Not a member of the named tenant, which may not exist.
    #[error("not a member")]
    NotAMember,
    /// The tenant is suspended or being deleted.
    #[error("the tenant is suspended")]
    Suspended,
    /// A user who is not a platform administrator.
    #[error("not a platform administrator")]
    NotPlatform,
    /// A platform administrator whose session began without a second factor.
    #[error("no second factor")]
    NoSecondFactor,
    #[error("too many requests")]
    TooMany(Allowance),
    /// The table did not respond.
    #[error("the table did not answer")]
    Table(#[from] StoreError),
}

/// An authenticated caller in one tenant.
#[derive(Debug, Clone)]
pub struct Principal {
    scope: TenantScope,
    actor: Actor,
    credential: Credential,
    role: Role,
    scopes: Vec<Permission>,
    ends_at: Option<Timestamp>,
    limits: Box<Limits>,
    allowance: Allowance,
    trace: Option<AddressTrace>,
    run: Option<Box<WebhookRun>>,
}

impl Principal {
    /// The right to touch the tenant's data.
    pub const fn scope(&self) -> &TenantScope {
        &self.scope
    }

    /// Id of the caller.
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// Proof of who they are.
    pub const fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Role in the tenant.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Scopes of their key. None: all that the role allows.
    pub fn scopes(&self) -> &[Permission] {
        &self.scopes
    }

    /// Time of expiry, if the caller is a key that expires or uses a secret that does.
    pub const fn ends_at(&self) -> Option<Timestamp> {
        self.ends_at
    }

    /// Limits of the tenant's plan, at most half a minute old.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Remaining allowance of the caller's rate limit.
    pub const fn allowance(&self) -> Allowance {
        self.allowance
    }

    /// Address of the caller, reduced to what is stored of it.
    pub const fn trace(&self) -> Option<&AddressTrace> {
        self.trace.as_ref()
    }

    /// The run of a webhook that limits the caller to its contact, if they have the token of one.
    pub fn run(&self) -> Option<&WebhookRun> {
        self.run.as_deref()
    }

    /// True if their role grants the permission and the scopes of their key include it.
    pub fn may(&self, permission: Permission) -> bool {
        self.role.grants(&self.scopes, permission)
    }

    /// Stamp of a change by this caller.
    pub fn stamp(&self, now: Timestamp, correlation_id: &str) -> Stamp {
        Stamp {
            actor: self.actor,
            at: now,
            correlation_id: correlation_id.to_owned(),
        }
    }
}

/// An authenticated user, in any tenant.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub account: Versioned<Account>,
    /// Session of the token.
    pub session: SessionId,
    /// Tenant of the token's requests, unless a request names another one.
    pub tenant: Option<TenantId>,
    /// True if the session began with a second factor, which is still on.
    pub second_factor: bool,
    /// Remaining allowance of their rate limit.
    pub allowance: Allowance,
    /// Their address, reduced to what is stored of it.
    pub trace: Option<AddressTrace>,
}

/// A platform administrator, authenticated by two factors. Only they may act on any tenant.
#[derive(Debug, Clone)]
pub struct PlatformAdmin {
    user: UserId,
    allowance: Allowance,
    trace: Option<AddressTrace>,
}

impl PlatformAdmin {
    /// Id of the user.
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// Remaining allowance of their rate limit.
    pub const fn allowance(&self) -> Allowance {
        self.allowance
    }

    /// Their address, reduced to what is stored of it.
    pub const fn trace(&self) -> Option<&AddressTrace> {
        self.trace.as_ref()
    }

    /// The right to touch this tenant's data, for the platform's operations.
    pub fn scope(&self, tenant: TenantId) -> TenantScope {
        TenantScope::mint(tenant, Authority::Platform)
    }

    /// Stamp of a change by this administrator.
    pub fn stamp(&self, now: Timestamp, correlation_id: &str) -> Stamp {
        Stamp {
            actor: Actor::Platform(self.user),
            at: now,
            correlation_id: correlation_id.to_owned(),
        }
    }
}

/// Requests per minute of a user or key, unless the tenant's plan says otherwise.
pub const PRINCIPAL_LIMIT: u32 = 100;

/// Requests per minute of a tenant, unless its plan says otherwise.
pub const TENANT_LIMIT: u32 = 1_000;

/// Lifetime of a cached tenant, and so the time until a suspension takes effect.
const TENANT_LIFETIME: SignedDuration = SignedDuration::from_secs(30);

/// Lifetime of the cached tenant of a key, which never changes. The validity of the key is read every time.
const OWNER_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Time before an unknown key is looked up again.
const STRANGER_LIFETIME: SignedDuration = SignedDuration::from_secs(60);

/// Maximum number of cached keys, and of cached tenants.
const MAX: usize = 5_000;

#[derive(Debug, Clone, Copy)]
struct Gate {
    status: TenantStatus,
    limits: Limits,
}

impl Gate {
    fn of(tenant: &Tenant) -> Self {
        Self {
            status: tenant.status,
            limits: tenant.limits.unwrap_or_default(),
        }
    }
}

struct Memory {
    owners: Remembered<String, ApiKeyOwner>,
    strangers: Remembered<String, ()>,
    gates: Remembered<TenantId, Option<Gate>>,
    noted: Remembered<(ApiKeyId, i64, Option<IpRange>), ()>,
}

/// Authenticates callers. When warm, it reads one row, the member's or the key's, and counts the request for the caller and the
/// tenant by one write.
pub struct Authenticator {
    store: Store,
    verifier: Verifier,
    memory: Mutex<Memory>,
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator")
    }
}

impl Authenticator {
    /// For callers of this table's tenants.
    pub fn new(store: Store) -> Self {
        Self {
            verifier: Verifier::new(store.clone()),
            store,
            memory: Mutex::new(Memory {
                owners: Remembered::new(OWNER_LIFETIME, MAX),
                strangers: Remembered::new(STRANGER_LIFETIME, MAX),
                gates: Remembered::new(TENANT_LIFETIME, MAX),
                noted: Remembered::new(OWNER_LIFETIME, MAX),
            }),
        }
    }

    /// Authenticates a tenant's user or software.
    ///
    /// # Errors
    /// When it is refused, or we cannot tell.
    pub async fn principal(&self, sent: Credentials<'_>, now: Timestamp) -> Result<Principal, Refusal> {
        let proven = match (sent.bearer, sent.api_key) {
            (Some(_), Some(_)) => return Err(Refusal::Ambiguous),
            (Some(token), None) => self.member(token, sent, now).await?,
            (None, Some(key)) => match token::tenant_of_run(key) {
                Some(tenant) => self.run(tenant, key, sent, now).await?,
                None => self.key(key, sent.address, now).await?,
            },
            (None, None) => return Err(Refusal::Unproven),
        };
        let Proven {
            scope,
            who,
            credential,
            role,
            scopes,
            ends_at,
            trace,
            run,
        } = proven;
        let gate = self.gate(&scope, now).await?.ok_or(Refusal::Unproven)?;
        let actor = match who {
            Who::User(user) => Actor::User(user),
            Who::Key(key) => Actor::ApiKey(key),
        };
        let own = gate.limits.principal_per_minute.unwrap_or(PRINCIPAL_LIMIT);
        let all = gate.limits.requests_per_minute.unwrap_or(TENANT_LIMIT);
        let allowance = self.store.take_request(&scope, actor, own, all, now).await?;
        if !allowance.is_within() {
            return Err(Refusal::TooMany(allowance));
        }
        // A key belongs to one tenant; naming another is a mistake worth reporting.
        if sent.tenant.is_some_and(|text| text.parse() != Ok(scope.tenant())) {
            return Err(Refusal::NotAMember);
        }
        if !gate.status.is_active() {
            return Err(Refusal::Suspended);
        }
        if let Who::Key(key) = who {
            let network = trace.as_ref().map(|trace| trace.network);
            self.note_use(&scope, key, network, now).await;
        }
        Ok(Principal {
            scope,
            actor,
            credential,
            role,
            scopes,
            ends_at,
            limits: Box::new(gate.limits),
            allowance,
            trace,
            run,
        })
    }

    async fn member(&self, token: &str, sent: Credentials<'_>, now: Timestamp) -> Result<Proven, Refusal> {
        let claims = self.verifier.verify(token, now).await?.ok_or(Refusal::Unproven)?;
        match self.place(&claims, sent).await {
            // They are counted, too, as a user outside any tenant.
            Err(Refusal::NotAMember) => {
                self.count_person(claims.sub, now).await?;
                Err(Refusal::NotAMember)
            }
            other => other,
        }
    }

    /// Membership of a user in the tenant of the request.
    async fn place(&self, claims: &Claims, sent: Credentials<'_>) -> Result<Proven, Refusal> {
        let tenant: TenantId = match sent.tenant {
            Some(text) => text.parse().map_err(|_| Refusal::NotAMember)?,
            None => claims.tnt.ok_or(Refusal::NoTenant)?,
        };
        let scope = TenantScope::mint(tenant, Authority::User);
        let member = self.store.get::<Member>(&scope, &claims.sub).await?;
        let member = member.ok_or(Refusal::NotAMember)?.value;
        if claims.is_ended(member.sessions_from, member.spared_session) || member.ended_sessions.has(claims.sid) {
            return Err(Refusal::Unproven);
        }
        if member.status != MemberStatus::Active {
            return Err(Refusal::NotAMember);
        }
        Ok(Proven {
            scope,
            who: Who::User(claims.sub),
            credential: Credential::Session(claims.sid),
            role: member.role,
            scopes: Vec::new(),
            ends_at: None,
            trace: in_session(claims, sent),
            run: None,
        })
    }

    async fn key(&self, key: &str, address: Option<IpAddr>, now: Timestamp) -> Result<Proven, Refusal> {
        if !token::is_api_key(key) {
            return Err(Refusal::Unproven);
        }
        let sha256 = token::sha256_hex(key);
        let owner = self.owner(&sha256, now).await?;
        let scope = TenantScope::mint(owner.tenant, Authority::ApiKey);
        let found = self
            .store
            .get::<ApiKey>(&scope, &owner.key)
            .await?
            .ok_or(Refusal::Unproven)?
            .value;
        if !found.accepts(&sha256, now) {
            return Err(Refusal::Unproven);
        }
        Ok(Proven {
            scope,
            who: Who::Key(found.id),
            role: found.role,
            ends_at: found.ends_at(&sha256),
            scopes: found.scopes,
            credential: Credential::Secret(sha256),
            trace: address.map(|address| AddressTrace::of(address, key)),
            run: None,
        })
    }

    /// The API key as which the receiver of a webhook calls back.
    async fn run(
        &self,
        tenant: TenantId,
        token: &str,
        sent: Credentials<'_>,
        now: Timestamp,
    ) -> Result<Proven, Refusal> {
        if !sent.takes_runs {
            return Err(Refusal::TakesNoRuns);
        }
        let sha256 = token::sha256_hex(token);
        if self.memory().strangers.get(&sha256, now).is_some() {
            return Err(Refusal::Unproven);
        }
        let Some(run) = self.store.webhook_run_before_scope(tenant, &sha256, now).await? else {
            // A token is sent only after it is written.
            self.memory().strangers.put(sha256, (), now);
            return Err(Refusal::Unproven);
        };
        if !run.is_from(sent.address) {
            return Err(Refusal::OtherAddress);
        }
        let scope = TenantScope::mint(tenant, Authority::ApiKey);
        let found = self.store.get::<ApiKey>(&scope, &run.api_key).await?;
        let key = found.ok_or(Refusal::Unproven)?.value;
        if !key.is_valid(now) {
            return Err(Refusal::Unproven);
        }
        let ends_at = key.expires_at.map_or(run.expires_at, |end| end.min(run.expires_at));
        Ok(Proven {
            scope,
            who: Who::Key(key.id),
            role: key.role,
            ends_at: Some(ends_at),
            scopes: key.scopes,
            credential: Credential::Secret(sha256),
            trace: sent.address.map(|address| AddressTrace::of(address, token)),
            run: Some(Box::new(run)),
        })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn owner(&self, sha256: &str, now: Timestamp) -> Result<ApiKeyOwner, Refusal> {
        let key = sha256.to_owned();
        {
            let memory = self.memory();
            if let Some((_, owner)) = memory.owners.get(&key, now) {
                return Ok(owner);
            }
            if memory.strangers.get(&key, now).is_some() {
                return Err(Refusal::Unproven);
            }
        }
        let found = self.store.api_key_owner_before_scope(sha256).await?;
        let mut memory = self.memory();
        match found {
            Some(owner) => {
                memory.owners.put(key, owner, now);
                Ok(owner)
            }
            None => {
                memory.strangers.put(key, (), now);
                Err(Refusal::Unproven)
            }
        }
    }

    async fn gate(&self, scope: &TenantScope, now: Timestamp) -> Result<Option<Gate>, StoreError> {
        let tenant = scope.tenant();
        let remembered = self.memory().gates.get(&tenant, now);
        if let Some((_, gate)) = remembered {
            return Ok(gate);
        }
        let gate = self.store.tenant(scope).await?.as_ref().map(Gate::of);
        self.memory().gates.put(tenant, gate, now);
        Ok(gate)
    }

    /// Records the use of a key: the first of a day from each network. If that fails, the next use is recorded.
    async fn note_use(&self, scope: &TenantScope, key: ApiKeyId, network: Option<IpRange>, now: Timestamp) {
        let today = (key, now.as_second().div_euclid(24 * 3600), network);
        {
            let mut memory = self.memory();
            if memory.noted.get(&today, now).is_some() {
                return;
            }
            memory.noted.put(today, (), now);
        }
        if let Err(error) = self.store.note_key_use(scope, key, network, now).await {
            tracing::warn!(error = store::chain(&error), "could not record the use of an API key");
            self.memory().noted.forget(&today);
        }
    }

    /// Authenticates a user in any tenant, for operations on their own account.
    ///
    /// # Errors
    /// When they are refused, or we cannot tell.
    pub async fn signed_in(&self, sent: Credentials<'_>, now: Timestamp) -> Result<SignedIn, Refusal> {
        let token = match (sent.bearer, sent.api_key) {
            (Some(_), Some(_)) => return Err(Refusal::Ambiguous),
            (Some(token), None) => token,
            (None, _) => return Err(Refusal::Unproven),
        };
        let claims: Claims = self.verifier.verify(token, now).await?.ok_or(Refusal::Unproven)?;
        let account = self.store.account(claims.sub).await?.ok_or(Refusal::Unproven)?;
        let Account {
            sessions_from,
            spared_session,
            ref ended_sessions,
            ..
        } = account.value;
        if claims.is_ended(sessions_from, spared_session) || ended_sessions.has(claims.sid) {
            return Err(Refusal::Unproven);
        }
        Ok(SignedIn {
            second_factor: claims.mfa && account.value.had_its_factor_at(claims.issued_at()),
            account,
            session: claims.sid,
            tenant: claims.tnt,
            trace: in_session(&claims, sent),
            allowance: self.count_person(claims.sub, now).await?,
        })
    }

    /// Counts a request of a user outside any tenant.
    async fn count_person(&self, user: UserId, now: Timestamp) -> Result<Allowance, Refusal> {
        let limit = Limit::per_minute(PRINCIPAL_LIMIT);
        let allowance = self.store.take_outside(&user.to_string(), limit, now).await?;
        if allowance.is_within() {
            Ok(allowance)
        } else {
            Err(Refusal::TooMany(allowance))
        }
    }

    /// Authenticates a platform administrator.
    ///
    /// # Errors
    /// When they are refused, or we cannot tell.
    pub async fn platform_admin(&self, sent: Credentials<'_>, now: Timestamp) -> Result<PlatformAdmin, Refusal> {
        let person = self.signed_in(sent, now).await?;
        let user = person.account.value.id;
        if !self.store.is_platform_admin(user).await? {
            return Err(Refusal::NotPlatform);
        }
        if !person.second_factor {
            return Err(Refusal::NoSecondFactor);
        }
        Ok(PlatformAdmin {
            user,
            allowance: person.allowance,
            trace: person.trace,
        })
    }
}

enum Who {
    User(UserId),
    Key(ApiKeyId),
}

struct Proven {
    scope: TenantScope,
    who: Who,
    credential: Credential,
    role: Role,
    scopes: Vec<Permission>,
    ends_at: Option<Timestamp>,
    trace: Option<AddressTrace>,
    run: Option<Box<WebhookRun>>,
}

fn in_session(claims: &Claims, sent: Credentials<'_>) -> Option<AddressTrace> {
    let session = claims.sid.to_string();
    sent.address.map(|address| AddressTrace::of(address, &session))
}
