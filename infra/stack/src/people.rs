//! The people and keys of local tenants: an account per role, an API key, and who administers the platform. They are made
//! with the operator's credentials; on AWS people come by sign-up and invitation only.

use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result, anyhow};
use domain::{
    Timestamp,
    account::{Account, Email, Member, PasswordHash},
    actor::{Actor, Stamp},
    api_key::{ApiKey, KeySecret},
    ids::{ApiKeyId, TenantId, UserId},
    permission::Role,
};
use store::Store;

use crate::{
    business::new_ulid,
    endpoints::{Login, Users},
    secrets::{Vault, random_hex},
};

/// How many characters of a key people recognise it by.
const HINT: usize = 12;

/// Lets people into local tenants. All have the data directory's one password, so that it is hashed once: hashing takes
/// long on purpose.
#[derive(Clone)]
pub struct Registry {
    store: Store,
    password: String,
    hash: Arc<OnceLock<PasswordHash>>,
}

impl Registry {
    /// Of this table, with this data directory's password.
    pub fn new(store: Store, vault: &mut Vault) -> Result<Self> {
        Ok(Self {
            store,
            password: password(vault)?,
            hash: Arc::default(),
        })
    }

    /// The password.
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
        Ok(Account {
            id: format!("{}_{}", UserId::PREFIX, new_ulid()?).parse()?,
            email: email(login)?,
            name: name.to_owned(),
            language: "en".to_owned(),
            password: self.hash()?,
            second_factor: None,
            pending_factor: None,
            tenants,
            // A token that another process issues in this millisecond must not count as older.
            sessions_from: now - std::time::Duration::from_secs(60),
            created_at: now,
        })
    }

    /// Gives a tenant its people and its key, where it has none yet.
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
            seated.with_context(|| format!("seating the {role} of {tenant}"))?;
        }
        let known = self.store.api_keys(&scope, None, 1).await?;
        if known.items.is_empty() {
            let key = key(api_key, now)?;
            let made = self.store.create_api_key(&scope, &key, &stamp).await;
            made.with_context(|| format!("making the API key of {tenant}"))?;
        }
        Ok(())
    }

    /// Makes the platform's administrator, where there is none with this address yet.
    pub async fn appoint(&self, login: &Login) -> Result<()> {
        let now = Timestamp::now();
        let address = address_sha256(&email(login)?);
        if self.store.user_of_email(&address).await?.is_some() {
            return Ok(());
        }
        let account = self.account(login, "The platform's administrator", Vec::new(), now)?;
        self.store.create_account(&account, &address).await?;
        let stamp = stamp(now);
        let made = self.store.make_platform_admin(account.id, &account.email, &stamp).await;
        made.context("making the platform's administrator")
    }

    /// Another administrator of the platform, whose requests count against nobody else's limits.
    pub async fn appoint_another(&self) -> Result<Login> {
        let login = Login {
            email: format!("platform-{}@ringback.example", random_hex(8)?),
            password: self.password.clone(),
        };
        self.appoint(&login).await?;
        Ok(login)
    }
}

/// What all local people log in with; made once per data directory.
pub fn password(vault: &mut Vault) -> Result<String> {
    vault.secret("people.password")
}

/// The platform's administrator.
pub fn platform_admin(vault: &mut Vault) -> Result<Login> {
    Ok(Login {
        email: "platform@ringback.example".to_owned(),
        password: password(vault)?,
    })
}

/// The people of a tenant whose addresses end in this domain.
pub fn users(domain: &str, password: &str) -> Users {
    let login = |role: Role| Login {
        email: format!("{role}@{domain}"),
        password: password.to_owned(),
    };
    Users {
        admin: login(Role::Admin),
        manager: login(Role::Manager),
        agent: login(Role::Agent),
        viewer: login(Role::Viewer),
    }
}

/// An API key from 32 characters.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_people_and_keys_have_the_form_of_real_ones() {
        let users = users("bakery.example", "secret");
        for role in Role::ALL {
            assert_eq!(
                email(users.of(role)).unwrap().as_str(),
                format!("{role}@bakery.example")
            );
        }
        let key = api_key(&random_hex(16).unwrap()).unwrap();
        assert!(access::token::is_api_key(&key), "{key}");
        assert!(email(&users.admin).is_ok());
    }
}
