//! API keys of a tenant, which authenticate its software. A key is shown once and stored as a hash. Nobody can grant more than
//! their own permissions.

mod models;

use access::token;
use api::{
    Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Once, Paging, Patch, Path, RACES, Tagged, permits,
    require_found, setback,
};
use axum::extract::State;
use axum::{Json, Router};
use domain::accounts::{ApiKey, KeySecret, Permission, Role, granted_permissions};
use domain::terms::{ApiKeyId, Fault, FaultCode, RotationId};
use jiff::{SignedDuration, Timestamp};
use kit::{ConfigError, Env, Problem};
use store::{StoreError, Versioned};

use crate::models::{
    ApiKeyChange, ApiKeyIn, ApiKeyOut, Known, NewApiKeyOut, RotateIn, in_order, refuse_foreign_scopes,
};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "api keys": "API keys for a tenant's software." {
        /// Create an API key
        ///
        /// Returns the key once; it cannot be read again. The key has the permissions of its role, narrowed by its scopes, and
        /// never more than its creator. A key that expires can only create keys that expire no later. Keys belong to the tenant and
        /// stay valid when their creator leaves.
        POST "/api/v1/api-keys" => create_api_key, "The API key. Its secret is shown once.";

        /// List API keys
        ///
        /// Shows the first characters of each key, never the whole key. Includes expired keys until they are deleted.
        GET "/api/v1/api-keys" => list_api_keys, "A page of API keys";

        /// Get an API key
        ///
        /// Shows its settings and first characters, never the whole key.
        GET "/api/v1/api-keys/{api_key_id}" => get_api_key, "The API key";

        /// Update an API key
        ///
        /// Changes its name, scopes or expiry. The role cannot change: create another key instead. A key that expires cannot extend
        /// another key beyond its own expiry, nor add permissions to a key that expires later.
        PATCH "/api/v1/api-keys/{api_key_id}" => update_api_key, "The updated API key";

        /// Revoke an API key
        ///
        /// Takes effect at once and cannot be undone: the next request with the key is refused.
        DELETE "/api/v1/api-keys/{api_key_id}" => delete_api_key, "The API key is revoked";

        /// Rotate an API key
        ///
        /// Returns a new secret once. The previous secret stays valid for the overlap; older secrets keep their earlier expiry. If
        /// the new secret is lost, rotate again. At most four secrets are valid at the same time. With an overlap of 0, all
        /// previous secrets end at once.
        POST "/api/v1/api-keys/{api_key_id}/rotate" => rotate_api_key, "The API key with its new secret, which is shown once",
            problems "expired" "still_rotating";
    }
}

type Writing = Allowed<permits::ApiKeysWrite>;

/// Length of the part of a key that stays visible.
const HINT: usize = 12;

/// A new key and its stored form.
struct Fresh {
    key: String,
    secret: KeySecret,
}

fn fresh(api: &Api, rotation: Option<RotationId>) -> Result<Fresh, Problem> {
    let key = token::api_key(api.secret()?);
    let secret = KeySecret {
        sha256: token::sha256_hex(&key),
        hint: key.chars().take(HINT).collect(),
        valid_until: None,
        rotation,
    };
    Ok(Fresh { key, secret })
}

async fn find_key<P: permits::Permit>(
    api: &Api,
    who: &Allowed<P>,
    id: ApiKeyId,
) -> Result<Option<Versioned<Known>>, StoreError> {
    let known = api.store().api_key_and_use(who.scope(), id).await?;
    Ok(known.map(|(Versioned { version, value: key }, used)| Versioned {
        version,
        value: Known { key, used },
    }))
}

fn key_with_etag(known: Versioned<Known>, now: Timestamp) -> Tagged<ApiKeyOut> {
    let Known { key, used } = known.value;
    Tagged {
        version: known.version,
        body: ApiKeyOut::new(key, used, now),
    }
}

/// True if the caller has all permissions of such a key.
fn covers(who: &Writing, role: Role, scopes: &[Permission]) -> bool {
    granted_permissions(role, scopes).all(|permission| who.principal().may(permission))
}

/// Refuses permissions that the caller does not have.
fn refuse_beyond_own(who: &Writing, role: Role, scopes: &[Permission]) -> Result<(), Problem> {
    if role > who.role() {
        let detail = "A key cannot have a higher role than its creator. Choose a lower role.";
        return Err(Problem::field("role", Fault::new(FaultCode::NotPermitted, detail)));
    }
    if !covers(who, role, scopes) {
        let detail = "A key cannot have more permissions than its creator. Name only scopes that you have.";
        return Err(Problem::field("scopes", Fault::new(FaultCode::NotPermitted, detail)));
    }
    Ok(())
}

fn refuse_past(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), Problem> {
    if expires_at.is_some_and(|at| at <= now) {
        let detail = "The time is in the past. Give a later one, or delete the key to end it now.";
        return Err(Problem::field("expires_at", Fault::new(FaultCode::InPast, detail)));
    }
    Ok(())
}

/// The caller's own expiry, if the new expiry would be later.
fn earlier_own_expiry(who: &Writing, expires_at: Option<Timestamp>) -> Option<Timestamp> {
    let own = who.principal().ends_at();
    own.filter(|end| expires_at.is_none_or(|at| at > *end))
}

fn refuse_outliving(who: &Writing, expires_at: Option<Timestamp>) -> Result<(), Problem> {
    match earlier_own_expiry(who, expires_at) {
        Some(end) => {
            let detail = format!("A key cannot set an expiry later than its own. Give a time that is not after {end}.");
            let fault = Fault::new(FaultCode::NotPermitted, detail).and("until_at", end);
            Err(Problem::field("expires_at", fault))
        }
        None => Ok(()),
    }
}

async fn create_api_key(
    who: Writing,
    State(api): State<Api>,
    Body(input): Body<ApiKeyIn>,
) -> Result<Once<Created<NewApiKeyOut>>, Problem> {
    let scopes = input.scopes.into_vec();
    refuse_foreign_scopes(input.role, &scopes)?;
    refuse_beyond_own(&who, input.role, &scopes)?;
    refuse_past(input.expires_at, who.now())?;
    refuse_outliving(&who, input.expires_at)?;
    let (store, stamp) = (api.store(), who.stamp());
    let Fresh { key, secret } = fresh(&api, None)?;
    let made = ApiKey {
        id: ApiKeyId::new(who.ulid()),
        name: input.name.into(),
        role: input.role,
        scopes: in_order(scopes),
        secrets: vec![secret],
        created_by: who.actor(),
        created_at: who.now(),
        expires_at: input.expires_at,
        revoked_at: None,
    };
    let created = RACES.until_won(async || {
        // This very request came before and was interrupted: nobody has seen its key.
        if let Some(before) = store.get::<ApiKey>(who.scope(), &made.id).await? {
            store.change(who.scope(), &before, &made, &stamp).await?;
            return Ok(before.version + 1);
        }
        let written = store.create(who.scope(), &made, &stamp).await;
        written.map_err(setback::<ApiKey>)?;
        Ok(1)
    });
    let version = created.await?;
    Ok(Once(Created {
        location: format!("/api/v1/api-keys/{}", made.id),
        version,
        body: NewApiKeyOut::new(key, made, who.now()),
    }))
}

async fn list_api_keys(
    who: Allowed<permits::ApiKeysRead>,
    State(api): State<Api>,
    paging: Paging,
) -> Result<Listed<ApiKeyOut>, Problem> {
    let store = api.store();
    let page = store.api_keys(who.scope(), paging.after(), paging.limit()).await?;
    Ok(Listed::of(page, |(key, used)| {
        ApiKeyOut::new(key.value, used, who.now())
    }))
}

async fn get_api_key(
    who: Allowed<permits::ApiKeysRead>,
    State(api): State<Api>,
    Path(id): Path<ApiKeyId>,
) -> Result<Tagged<ApiKeyOut>, Problem> {
    Ok(key_with_etag(require_found(find_key(&api, &who, id)).await?, who.now()))
}

async fn update_api_key(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<ApiKeyId>,
    if_match: IfMatch,
    patch: Patch<ApiKeyChange>,
) -> Result<Tagged<ApiKeyOut>, Problem> {
    let allow = |before: &Known, after: &Known| {
        let (before, after) = (&before.key, &after.key);
        refuse_beyond_own(&who, after.role, &after.scopes)?;
        let lasts_otherwise = after.expires_at != before.expires_at;
        if lasts_otherwise {
            refuse_past(after.expires_at, who.now())?;
        }
        let more = granted_permissions(after.role, &after.scopes).any(|permission| !before.may(permission));
        if lasts_otherwise || more {
            refuse_outliving(&who, after.expires_at)?;
        }
        Ok(())
    };
    let write = async |Versioned { version, value: before }: Versioned<Known>, after: Known| {
        let before = Versioned {
            version,
            value: before.key,
        };
        let stamp = who.stamp();
        api.store().change(who.scope(), &before, &after.key, &stamp).await?;
        Ok(Versioned {
            version: version + 1,
            value: after,
        })
    };
    let read = || find_key(&api, &who, id);
    let changed = patch.change(&if_match, read, allow, write).await?;
    Ok(key_with_etag(changed, who.now()))
}

async fn delete_api_key(who: Writing, State(api): State<Api>, Path(id): Path<ApiKeyId>) -> Result<NoContent, Problem> {
    let store = api.store();
    let revoked = RACES.until_won(async || {
        let before = require_found(store.get::<ApiKey>(who.scope(), &id)).await?;
        store.revoke_api_key(who.scope(), &before, &who.stamp()).await?;
        Ok(NoContent)
    });
    revoked.await
}

async fn rotate_api_key(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<ApiKeyId>,
    Body(input): Body<RotateIn>,
) -> Result<Once<Json<NewApiKeyOut>>, Problem> {
    let store = api.store();
    let now = who.now();
    let Fresh { key, secret } = fresh(&api, Some(RotationId::new(who.ulid())))?;
    let rotation = RACES.until_won(async || {
        let before = require_found(store.get::<ApiKey>(who.scope(), &id)).await?;
        // Who gets the new secret can do what the key can.
        if !covers(&who, before.value.role, &before.value.scopes) {
            let detail =
                "This key has more permissions than you. Ask somebody with at least its permissions to rotate it.";
            return Err(Problem::forbidden(detail).into());
        }
        if before.value.expires_at.is_some_and(|at| at <= now) {
            let detail = "This key has expired. Give it a later expiry first.";
            return Err(Problem::conflict("expired", detail).into());
        }
        // The same again is by the secret that it replaced.
        let again = before
            .value
            .secrets
            .iter()
            .any(|known| known.rotation == secret.rotation);
        if !again && earlier_own_expiry(&who, before.value.expires_at).is_some() {
            let detail =
                "This key expires later than your access. Ask somebody whose access lasts as long to rotate it.";
            return Err(Problem::forbidden(detail).into());
        }
        let mut after = before.value.clone();
        after.secrets = secrets_after_rotation(&before.value.secrets, secret.clone(), input.overlap_hours.get(), now)?;
        store.change(who.scope(), &before, &after, &who.stamp()).await?;
        Ok(after)
    });
    let after = rotation.await?;
    Ok(Once(Json(NewApiKeyOut::new(key, after, now))))
}

/// The new secret and those that remain valid. A secret from an interrupted attempt of the same rotation was never shown, so it
/// is dropped.
fn secrets_after_rotation(
    before: &[KeySecret],
    fresh: KeySecret,
    hours: u32,
    now: Timestamp,
) -> Result<Vec<KeySecret>, Problem> {
    let works = |secret: &&KeySecret| secret.valid_until.is_none_or(|until| until > now);
    let others = before.iter().filter(|secret| secret.rotation != fresh.rotation);
    let working: Vec<KeySecret> = others.filter(works).cloned().collect();
    let mut secrets = vec![fresh];
    if hours == 0 {
        return Ok(secrets);
    }
    if working.len() >= ApiKey::MAX_SECRETS {
        let until = working.iter().filter_map(|secret| secret.valid_until).min();
        let until = until.map_or_else(String::new, |until| format!(" until {until}"));
        let most = ApiKey::MAX_SECRETS;
        let detail = format!(
            "{most} secrets are valid already. Wait{until}, or rotate with `overlap_hours` 0 to end all of them now."
        );
        return Err(Problem::conflict("still_rotating", detail));
    }
    let end = now + SignedDuration::from_hours(hours.into());
    secrets.extend(working.into_iter().map(|secret| KeySecret {
        valid_until: secret.valid_until.or(Some(end)),
        ..secret
    }));
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, valid_until: Option<Timestamp>) -> KeySecret {
        KeySecret {
            sha256: name.to_owned(),
            hint: name.to_owned(),
            valid_until,
            rotation: None,
        }
    }

    fn by(rotation: u8, secret: KeySecret) -> KeySecret {
        KeySecret {
            rotation: format!("rot_{rotation:026}").parse().ok(),
            ..secret
        }
    }

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn in_hours(hours: i64) -> Option<Timestamp> {
        Some(now() + SignedDuration::from_hours(hours))
    }

    fn names(secrets: Vec<KeySecret>) -> Vec<String> {
        secrets.into_iter().map(|secret| secret.sha256).collect()
    }

    /// A further rotation is refused, and no secret ends before its time.
    #[test]
    fn at_most_four_secrets_are_valid() {
        let fresh = || by(9, secret("new", None));
        let plain = [secret("old", None)];
        let both = secrets_after_rotation(&plain, fresh(), 24, now()).unwrap();
        assert_eq!(both[1].valid_until, in_hours(24));
        assert_eq!(names(both), ["new", "old"]);
        assert_eq!(
            names(secrets_after_rotation(&plain, fresh(), 0, now()).unwrap()),
            ["new"]
        );
        // The answer was lost, or somebody uses it: either way both go on working.
        let rotating = [by(1, secret("newer", None)), secret("old", in_hours(1))];
        let again = secrets_after_rotation(&rotating, fresh(), 24, now()).unwrap();
        let ends: Vec<_> = again.iter().map(|secret| secret.valid_until).collect();
        assert_eq!(ends, [None, in_hours(24), in_hours(1)]);
        assert_eq!(names(again), ["new", "newer", "old"]);
        assert_eq!(
            names(secrets_after_rotation(&rotating, fresh(), 0, now()).unwrap()),
            ["new"]
        );
        let done = [by(1, secret("newer", None)), secret("old", Some(now()))];
        assert_eq!(
            names(secrets_after_rotation(&done, fresh(), 1, now()).unwrap()),
            ["new", "newer"]
        );
        let full: Vec<_> = (0..4).map(|hours| by(1, secret("a", in_hours(hours + 1)))).collect();
        let refused = secrets_after_rotation(&full, fresh(), 1, now()).unwrap_err();
        assert!(
            serde_json::to_string(&refused)
                .unwrap()
                .contains("until 2026-11-20T13:00:00Z")
        );
    }

    /// A repeated request drops the secret of its first, interrupted attempt and keeps all others.
    #[test]
    fn repeated_rotation_replaces_only_its_own_secret() {
        let first = secrets_after_rotation(&[secret("old", None)], by(9, secret("unseen", None)), 24, now()).unwrap();
        let second = secrets_after_rotation(
            &first,
            by(9, secret("new", None)),
            24,
            now() + SignedDuration::from_mins(1),
        )
        .unwrap();
        assert_eq!(second[1].valid_until, in_hours(24));
        assert_eq!(names(second), ["new", "old"]);
        let between = secrets_after_rotation(&first, by(8, secret("others", None)), 24, now()).unwrap();
        let second = secrets_after_rotation(&between, by(9, secret("new", None)), 24, now()).unwrap();
        assert_eq!(names(second), ["new", "others", "old"]);
        let ended = secrets_after_rotation(&[secret("old", None)], by(9, secret("unseen", None)), 0, now()).unwrap();
        assert_eq!(
            names(secrets_after_rotation(&ended, by(9, secret("new", None)), 0, now()).unwrap()),
            ["new"]
        );
    }
}
