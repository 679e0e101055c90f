//! The caller's own account and sessions, and the public keys.

use std::sync::{Arc, Mutex, PoisonError};

use access::link;
use access::token::PublicKey;
use api::{Anyone, IfMatch, Listed, NoContent, Patch, Path, Person, Setback, Tagged};
use axum::http::{HeaderName, header};
use axum::{Extension, Json};
use domain::accounts::SecurityEventKind::LoggedOut;
use domain::accounts::{Account, Member, Session};
use domain::terms::SessionId;
use futures::future::try_join_all;
use kit::Problem;
use store::accounts::{MemberError, Whose};
use store::{TenantScope, Versioned};

use crate::models::{KeyOut, KeysOut, MeIn, MeOut, PlaceOut, SessionOut, UserOut};
use crate::trail::Seen;
use crate::{Context, RACES};

/// Maximum number of sessions that are listed.
const MAX_SESSIONS: i32 = 100;

/// As long as our own verifiers cache the keys.
const KEYS_CACHED: &str = "public, max-age=300";

impl Context {
    async fn me(&self, account: &Account) -> Result<MeOut, Problem> {
        let (places, platform) = self.standing(account).await?;
        Ok(MeOut {
            user: UserOut::from(account),
            tenants: places
                .iter()
                .map(|(tenant, member)| PlaceOut::of(tenant, member))
                .collect(),
            recovery_codes_left: account.second_factor.as_ref().map(|factor| factor.recovery_codes.len()),
            platform,
            preferences: account.preferences.clone(),
        })
    }

    /// Sessions that have not ended. Sessions that were ended all at once remain as rows for a while.
    async fn open_sessions(&self, who: &Person) -> Result<Vec<Session>, Problem> {
        let account = &who.account().value;
        let mut sessions = self.store().sessions(account.id, MAX_SESSIONS).await?;
        sessions.retain(|session| session.expires_at > who.now() && !account.has_ended(session));
        Ok(sessions)
    }
}

pub(crate) async fn get_me(who: Person, Extension(context): Extension<Arc<Context>>) -> Result<Tagged<MeOut>, Problem> {
    let account = who.account();
    Ok(Tagged {
        version: account.version,
        body: context.me(&account.value).await?,
    })
}

pub(crate) async fn update_me(
    who: Person,
    Extension(context): Extension<Arc<Context>>,
    if_match: IfMatch,
    patch: Patch<MeIn>,
) -> Result<Tagged<MeOut>, Problem> {
    let (store, user) = (context.store(), who.account().value.id);
    // Read when the caller was authenticated; only after a lost race is it read again.
    let known = Mutex::new(Some(who.account().clone()));
    let read = async || {
        let known = known.lock().unwrap_or_else(PoisonError::into_inner).take();
        match known {
            Some(account) => Ok(Some(account)),
            None => store.account(user).await,
        }
    };
    let write = async |before: Versioned<Account>, after: Account| {
        store.write_account(&after, before.version).await?;
        Ok(Versioned {
            version: before.version + 1,
            value: after,
        })
    };
    let changed = patch.change(&if_match, read, |_, _| Ok(()), write);
    let Versioned { version, value: next } = changed.await?;
    let scopes = link::of_own_account(&next);
    // Also where nothing changed: the time before may have ended in between.
    try_join_all(scopes.iter().map(|scope| rename(&context, scope, &next, &who))).await?;
    Ok(Tagged {
        version,
        body: context.me(&next).await?,
    })
}

/// Copies the account's name into a tenant.
async fn rename(context: &Context, scope: &TenantScope, account: &Account, who: &Person) -> Result<(), Problem> {
    let store = context.store();
    let renamed = RACES.until_won(async || {
        let Some(before) = store.get::<Member>(scope, &account.id).await? else {
            return Ok(());
        };
        if before.value.name == account.name {
            return Ok(());
        }
        let mut after = before.value.clone();
        after.name.clone_from(&account.name);
        let written = store.change_member(scope, &before, &after, &who.stamp()).await;
        written.map_err(|error| match error {
            MemberError::Store(error) => error.into(),
            MemberError::LastAdmin => Setback::Lost,
        })
    });
    renamed.await
}

pub(crate) async fn list_sessions(
    who: Person,
    Extension(context): Extension<Arc<Context>>,
) -> Result<Listed<SessionOut>, Problem> {
    let sessions = context.open_sessions(&who).await?.into_iter();
    Ok(Listed {
        items: sessions
            .map(|session| {
                let ends = context.ends(session.created_at);
                SessionOut::of(session, ends, who.session())
            })
            .collect(),
        next_cursor: None,
    })
}

pub(crate) async fn end_session(
    who: Person,
    Extension(context): Extension<Arc<Context>>,
    Path(id): Path<SessionId>,
) -> Result<NoContent, Problem> {
    let account = &who.account().value;
    let session = context.store().session(account.id, id).await?;
    let open = session.filter(|session| session.value.expires_at > who.now() && !account.has_ended(&session.value));
    open.ok_or_else(Problem::not_found)?;
    context.end_session(who.account().clone(), id).await?;
    let seen = Seen {
        at: who.now(),
        device: who.device(),
        session: Some(id),
    };
    context.note(Whose::Person(account.id), LoggedOut, seen).await;
    Ok(NoContent)
}

pub(crate) async fn get_signing_keys(
    _who: Anyone,
    Extension(context): Extension<Arc<Context>>,
) -> Result<([(HeaderName, &'static str); 1], Json<KeysOut>), Problem> {
    let published = context.store().signing_keys().await?.value.unwrap_or_default();
    let keys: Vec<PublicKey> = serde_json::from_str(&published).unwrap_or_default();
    let key = |key: PublicKey| KeyOut {
        kty: "EC",
        crv: "P-256",
        usage: "sig",
        alg: "ES256",
        kid: key.kid,
        x: key.x,
        y: key.y,
    };
    let keys = keys.into_iter().map(key).collect();
    Ok(([(header::CACHE_CONTROL, KEYS_CACHED)], Json(KeysOut { keys })))
}
