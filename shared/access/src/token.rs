//! Access tokens: ES256, 15 minutes, signed only by `auth` and verified by all with the published keys. Also the opaque secrets that are
//! stored as a hash only: refresh tokens, API keys and one-time links.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::terms::{SessionId, TenantId, UserId};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Store, StoreError};

pub use domain::accounts::ACCESS_LIFETIME;

/// Time until a session expires, unless it is refreshed. In any case it ends after the operator's maximum.
pub const SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Lifetime of cached published keys. An unknown key id causes another read, at most once per [`REREAD`].
pub(crate) const KEYS_LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Minimum time between two reads. Short, because a deployment's first key signs at once; forged key ids cost at most one read
/// per this time.
const REREAD: SignedDuration = SignedDuration::from_secs(2);

/// Tolerated difference of clocks.
const LEEWAY: SignedDuration = SignedDuration::from_secs(30);

const ISSUER: &str = "ringback";
const AUDIENCE: &str = "ringback-api";

/// Claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// Id of the user.
    pub sub: UserId,
    /// Id of the session.
    pub sid: SessionId,
    /// Tenant of the token's requests, unless a request names another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tnt: Option<TenantId>,
    /// True if the session began with a second factor.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mfa: bool,
    /// Time of issue in milliseconds: finer than `iat`, so that ending all sessions ends exactly the earlier tokens.
    pub iat_ms: i64,
    iat: i64,
    exp: i64,
}

impl Claims {
    /// Claims of a user's session, from now on.
    pub fn new(user: UserId, session: SessionId, tenant: Option<TenantId>, now: Timestamp) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user,
            sid: session,
            tnt: tenant,
            mfa: false,
            iat_ms: now.as_millisecond(),
            iat: now.as_second(),
            exp: (now + ACCESS_LIFETIME).as_second(),
        }
    }

    /// Says whether the session began with a second factor.
    pub const fn with_second_factor(mut self, proven: bool) -> Self {
        self.mfa = proven;
        self
    }

    /// Lets the token expire no later than the session.
    pub fn until(mut self, session_ends: Timestamp) -> Self {
        self.exp = self.exp.min(session_ends.as_second());
        self
    }

    /// Lifetime in seconds.
    pub const fn lifetime(&self) -> i64 {
        self.exp - self.iat
    }

    /// Time of issue.
    pub fn issued_at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.iat_ms).unwrap_or_default()
    }

    /// True if it was issued before all sessions were ended at this time, and does not belong to a session that continues.
    pub fn is_ended(&self, sessions_from: Timestamp, spared: Option<SessionId>) -> bool {
        self.iat_ms < sessions_from.as_millisecond() && spared != Some(self.sid)
    }
}

/// A public key: the JSON Web Key with only what ES256 needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// Id of the signing key.
    pub kid: String,
    /// X coordinate of the point, in base64url.
    pub x: String,
    /// Y coordinate of the point, in base64url.
    pub y: String,
    pub created_at: Timestamp,
}

type Keys = Arc<HashMap<String, DecodingKey>>;

/// Verifies access tokens, without a read when warm.
pub struct Verifier {
    store: Store,
    known: Mutex<Option<(Timestamp, Keys)>>,
}

impl Verifier {
    /// With the keys that this table publishes.
    pub const fn new(store: Store) -> Self {
        Self {
            store,
            known: Mutex::new(None),
        }
    }

    /// The token's claims, or `None` if it is not a valid token of ours.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Option<Claims>, StoreError> {
        // No token of ours is longer, and a parser need not see it.
        if token.len() > 2048 {
            return Ok(None);
        }
        let Ok(header) = jsonwebtoken::decode_header(token) else {
            return Ok(None);
        };
        let (Algorithm::ES256, Some(kid)) = (header.alg, header.kid) else {
            return Ok(None);
        };
        let keys = self.keys(&kid, now).await?;
        let Some(key) = keys.get(&kid) else {
            return Ok(None);
        };
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        // Checked below by our own clock.
        validation.validate_exp = false;
        let Ok(token) = jsonwebtoken::decode::<Claims>(token, key, &validation) else {
            return Ok(None);
        };
        let claims = token.claims;
        let valid = now.as_second() < claims.exp && claims.iat <= (now + LEEWAY).as_second();
        Ok(valid.then_some(claims))
    }

    async fn keys(&self, kid: &str, now: Timestamp) -> Result<Keys, StoreError> {
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((since, keys)) = &*known {
                let age = now.duration_since(*since);
                if age < KEYS_LIFETIME && (keys.contains_key(kid) || age < REREAD) {
                    return Ok(Arc::clone(keys));
                }
            }
        }
        let published = self.store.signing_keys().await?.value.unwrap_or_default();
        let keys: Vec<PublicKey> = serde_json::from_str(&published).unwrap_or_default();
        let decoding = keys.into_iter().filter_map(|key| {
            let decoding = DecodingKey::from_ec_components(&key.x, &key.y).ok()?;
            Some((key.kid, decoding))
        });
        let keys: Keys = Arc::new(decoding.collect());
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&keys)));
        Ok(keys)
    }
}

/// SHA-256 in hex, which is stored instead of a secret.
pub fn sha256_hex(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// Prefix of every API key.
pub const API_KEY_PREFIX: &str = "rbk_";

/// A new API key from these random bytes.
pub fn api_key(secret: [u8; 32]) -> String {
    format!("{API_KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(secret))
}

/// True if a text has the form of an API key. Others need no look-up.
pub fn is_api_key(text: &str) -> bool {
    text.strip_prefix(API_KEY_PREFIX).is_some_and(is_link_token)
}

/// Prefix of the token of a run of a webhook. What follows tells it from a refresh token.
const RUN_PREFIX: &str = "rbr_";

/// The token of a run of a webhook of this tenant, from these random bytes.
pub fn run_token(tenant: TenantId, secret: [u8; 32]) -> String {
    let ulid = tenant.ulid().to_string().to_ascii_lowercase();
    format!("{RUN_PREFIX}{ulid}_{}", URL_SAFE_NO_PAD.encode(secret))
}

/// The tenant that a token of a run names. `None` if the text has another form, so that it needs no look-up.
pub fn tenant_of_run(text: &str) -> Option<TenantId> {
    let (ulid, secret) = text.strip_prefix(RUN_PREFIX)?.split_at_checked(26)?;
    let is_whole = secret.strip_prefix('_').is_some_and(is_link_token);
    let tenant = format!("{}_{ulid}", TenantId::PREFIX).parse().ok();
    tenant.filter(|_| is_whole)
}

/// The token of a one-time link from these random bytes.
pub fn link_token(secret: [u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(secret)
}

/// True if a text has the form of such a token. Others need no look-up.
pub fn is_link_token(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// A refresh token: the location of its session, the family's secret and its own.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    pub user: UserId,
    pub session: SessionId,
    family: String,
    own: String,
}

const REFRESH_PREFIX: &str = "rbr_";

impl RefreshToken {
    /// The first token of a session.
    pub fn first(user: UserId, session: SessionId, family: [u8; 32], own: [u8; 32]) -> Self {
        Self {
            user,
            session,
            family: URL_SAFE_NO_PAD.encode(family),
            own: URL_SAFE_NO_PAD.encode(own),
        }
    }

    /// The next token of the same session.
    pub fn next(&self, own: [u8; 32]) -> Self {
        Self {
            own: URL_SAFE_NO_PAD.encode(own),
            ..self.clone()
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(REFRESH_PREFIX)?;
        let (ids, secrets) = rest.split_once('.')?;
        let (user, session) = ids.split_at_checked(26)?;
        let (family, own) = secrets.split_once('.')?;
        let whole = |secret: &str| URL_SAFE_NO_PAD.decode(secret).is_ok_and(|bytes| bytes.len() == 32);
        if !whole(family) || !whole(own) {
            return None;
        }
        Some(Self {
            user: format!("{}_{user}", UserId::PREFIX).parse().ok()?,
            session: format!("{}_{session}", SessionId::PREFIX).parse().ok()?,
            family: family.to_owned(),
            own: own.to_owned(),
        })
    }

    /// The token as it is sent.
    pub fn text(&self) -> String {
        let bare = |id: String| id.split_once('_').map_or_else(String::new, |(_, ulid)| ulid.to_owned());
        let (user, session) = (bare(self.user.to_string()), bare(self.session.to_string()));
        format!("{REFRESH_PREFIX}{user}{session}.{}.{}", self.family, self.own)
    }

    /// Stored hash of the family's secret.
    pub fn family_sha256(&self) -> String {
        sha256_hex(&self.family)
    }

    /// Stored hash of the token.
    pub fn sha256(&self) -> String {
        sha256_hex(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refresh_tokens_parse_as_refresh_tokens() {
        let user = UserId::new(ulid::Ulid::from_parts(1, 2));
        let session = SessionId::new(ulid::Ulid::from_parts(3, 4));
        let first = RefreshToken::first(user, session, [1; 32], [2; 32]);
        assert!(RefreshToken::parse(&first.text()).is_some_and(|read| read == first));
        let next = first.next([3; 32]);
        assert_eq!(next.family_sha256(), first.family_sha256());
        assert_ne!(next.sha256(), first.sha256());
        let text = first.text();
        for wrong in [&text[1..], &text[..text.len() - 1], "rbr_", "", &text.replace('.', "_")] {
            assert!(RefreshToken::parse(wrong).is_none(), "{wrong}");
        }
        assert!(is_api_key(&api_key([9; 32])));
        assert!(!is_api_key("rbk_short"));
        assert!(!is_api_key(&text));
        assert_eq!(tenant_of_run(&text), None);
    }

    #[test]
    fn only_tokens_of_runs_name_their_tenant() {
        let tenant = TenantId::new(ulid::Ulid::from_parts(1, 2));
        let token = run_token(tenant, [9; 32]);
        assert_eq!(tenant_of_run(&token), Some(tenant));
        assert!(!is_api_key(&token) && RefreshToken::parse(&token).is_none());
        let other = run_token(TenantId::new(ulid::Ulid::from_parts(1, 3)), [9; 32]);
        assert_ne!(
            sha256_hex(&other),
            sha256_hex(&token),
            "the tenant is part of what is hashed"
        );
        for wrong in [&token[1..], &token[..token.len() - 1], "rbr_", "", &api_key([9; 32])] {
            assert_eq!(tenant_of_run(wrong), None, "{wrong}");
        }
    }
}
