//! The users and keys of local tenants: an account per role, an API key, and the platform administrator. They are created with the
//! operator's credentials; on AWS, users come only by sign-up and invitation.

use std::sync::{Arc, OnceLock};

use access::Signer;
use anyhow::{Context as _, Result, anyhow};
use domain::Timestamp;
use domain::accounts::{Account, ApiKey, KeySecret, Member, PasswordHash, Role, SecondFactor};
use domain::terms::{Actor, ApiKeyId, Email, Stamp, TenantId, UserId};
use store::Store;
use store::tenants::PlatformAct;

use crate::business::new_ulid;
use crate::endpoints::{Login, Users};
use crate::secrets::{Vault, random_hex};
use crate::totp;

/// Number of a key's characters that users recognise it by.
const HINT: usize = 12;

/// Creates users of local tenants. All have the data directory's one password, so that it is hashed once: hashing is slow on
/// purpose.
#[derive(Clone)]
pub struct Registry {
    store: Store,
    signer: Arc<Signer>,
    password: String,
    hash: Arc<OnceLock<PasswordHash>>,
}

impl Registry {
    /// For this table, with this key to seal second factors, and this data directory's password.
    pub fn new(store: Store, signer: Signer, vault: &mut Vault) -> Result<Self> {
        Ok(Self {
            store,
            signer: Arc::new(signer),
            password: password(vault)?,
            hash: Arc::default(),
        })
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    fn hash(&self) -> Result<PasswordHash> {
        if let Some(hash) = self.hash.get() {
            return Ok(hash.clone());
        }
        let hash = access::password::hash(&self.password, random_hex(16)?.as_bytes())?;
        Ok(self.hash.get_or_init(|| hash).clone())
    }

    fn account(&self, login: &Login, name: &str, tenants: Vec<TenantId>, now: Timestamp) -> Result<Account> {
        let id = format!("{}_{}", UserId::PREFIX, new_ulid()?).parse()?;
        let (email, language) = (email(login)?, "en".to_owned());
        let mut account = Account::new(id, email, name.to_owned(), language, self.hash()?, now);
        account.tenants = tenants;
        // A token issued by another process in this millisecond must not count as older.
        account.sessions_from = now - std::time::Duration::from_secs(60);
        Ok(account)
    }

    /// Creates a tenant's users and key if it has none yet.
    pub async fn seat(&self, tenant: TenantId, users: &Users, api_key: &str) -> Result<()> {
        let scope = access::operator::scope(tenant);
        let now = Timestamp::now();
        let stamp = stamp(now);
        for role in Role::ALL {
            let login = users.of(role);
            let address = address_sha256(&email(login)?);
            if self.store.user_of_email(&address).await?.is_some() {
                continue;
            }
            let name = format!("The {role}");
            let account = self.account(login, &name, vec![tenant], now)?;
            let member = Member::joining(&account, role, now);
            let seated = self.store.seat(&scope, &account, &address, &member, &stamp).await;
            seated.with_context(|| format!("creating the {role} of {tenant}"))?;
        }
        let known = self.store.api_keys(&scope, None, 1).await?;
        if known.items.is_empty() {
            let key = key(api_key, now)?;
            let made = self.store.create(&scope, &key, &stamp).await;
            made.with_context(|| format!("creating the API key of {tenant}"))?;
        }
        Ok(())
    }

    /// Creates a platform administrator with the second factor of this log-in, unless one with this address exists.
    pub async fn appoint(&self, login: &Login) -> Result<()> {
        let now = Timestamp::now();
        let address = address_sha256(&email(login)?);
        let known = match self.store.user_of_email(&address).await? {
            Some(user) => self.store.account(user).await?,
            None => None,
        };
        let (mut account, version) = match known {
            Some(known) => (known.value, Some(known.version)),
            None => (self.account(login, "Platform administrator", Vec::new(), now)?, None),
        };
        if account.second_factor.is_none() {
            let secret = login
                .totp_secret
                .as_deref()
                .context("a platform administrator has a second factor")?;
            let sealed = self.signer.seal(account.id, &totp::bytes(secret)?, now).await;
            account.second_factor = Some(SecondFactor {
                secret: sealed.context("sealing a second factor")?,
                last_step: 0,
                recovery_codes: Vec::new(),
                enabled_at: now,
                wrong_codes: 0,
            });
            match version {
                Some(version) => self.store.write_account(&account, version).await?,
                None => self.store.create_account(&account, &address).await?,
            }
        }
        let act = PlatformAct {
            action: "platform_admin_made".to_owned(),
            tenant: None,
            by: stamp(now),
            detail: serde_json::json!({ "user": account.id }),
        };
        let given = self
            .store
            .give_platform_right(account.id, &account.email, &act, &random_hex(8)?)
            .await;
        given.context("creating the platform administrator").map(drop)
    }

    /// Another platform administrator, whose requests do not count against the limits of others.
    pub async fn appoint_another(&self) -> Result<Login> {
        let login = Login {
            email: format!("platform-{}@ringback.example", random_hex(8)?),
            password: self.password.clone(),
            totp_secret: Some(totp::secret(&random_hex(10)?)),
        };
        self.appoint(&login).await?;
        Ok(login)
    }
}

/// The password of all local users, generated once per data directory.
pub fn password(vault: &mut Vault) -> Result<String> {
    vault.secret("people.password")
}

/// The platform administrator's log-in.
pub fn platform_admin(vault: &mut Vault) -> Result<Login> {
    Ok(Login {
        email: "platform@ringback.example".to_owned(),
        password: password(vault)?,
        totp_secret: Some(totp::secret(&vault.secret("platform.second_factor")?)),
    })
}

/// The log-ins of a tenant's users, with addresses of this domain.
pub fn users(domain: &str, password: &str) -> Users {
    let login = |role: Role| Login {
        email: format!("{role}@{domain}"),
        password: password.to_owned(),
        totp_secret: None,
    };
    Users {
        admin: login(Role::Admin),
        manager: login(Role::Manager),
        agent: login(Role::Agent),
        viewer: login(Role::Viewer),
    }
}

/// An API key with these 32 characters.
pub fn api_key(secret: &str) -> Result<String> {
    let bytes = secret
        .as_bytes()
        .try_into()
        .context("an API key's secret has 32 bytes")?;
    Ok(access::token::api_key(bytes))
}

fn key(text: &str, now: Timestamp) -> Result<ApiKey> {
    Ok(ApiKey {
        id: format!("{}_{}", ApiKeyId::PREFIX, new_ulid()?).parse()?,
        name: "Local software".to_owned(),
        role: Role::Admin,
        scopes: Vec::new(),
        secrets: vec![KeySecret {
            sha256: access::token::sha256_hex(text),
            hint: text.chars().take(HINT).collect(),
            valid_until: None,
            rotation: None,
        }],
        created_by: Actor::Operator,
        created_at: now,
        expires_at: None,
        revoked_at: None,
    })
}

fn email(login: &Login) -> Result<Email> {
    login.email.parse().map_err(|why| anyhow!("{}: {why}", login.email))
}

fn address_sha256(email: &Email) -> String {
    access::token::sha256_hex(email.as_str())
}

fn stamp(now: Timestamp) -> Stamp {
    Stamp {
        actor: Actor::Operator,
        at: now,
        correlation_id: "cargo-stack".to_owned(),
    }
}
