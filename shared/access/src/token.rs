//! Access tokens: ES256, 15 minutes, signed by `auth` alone and verified by all with the published keys. And the opaque
//! secrets: refresh tokens, API keys, one-time links, of which only the hash is kept.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::ids::{SessionId, TenantId, UserId};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Store, StoreError};

/// Access tokens are valid this long.
pub const ACCESS_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// Sessions end when they are not refreshed for this long; and in any case after the operator's days.
pub const SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Published keys are used this long, and read again for an unknown key at most once per [`REREAD`].
pub(crate) const KEYS_LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Short: a deployment's first key signs at once, and forged key ids cost one read in so long at most.
const REREAD: SignedDuration = SignedDuration::from_secs(2);

/// Clocks may differ by so much.
const LEEWAY: SignedDuration = SignedDuration::from_secs(30);

const ISSUER: &str = "ringback";
const AUDIENCE: &str = "ringback-api";

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// The person.
    pub sub: UserId,
    /// Their session.
    pub sid: SessionId,
    /// The tenant that is meant where the request names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tnt: Option<TenantId>,
    /// Whether the session began with a second factor.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mfa: bool,
    /// When it was issued, in milliseconds: finer than `iat`, so that what ends sessions ends this one exactly.
    pub iat_ms: i64,
    iat: i64,
    exp: i64,
}

impl Claims {
    /// Of a person's session, from now on.
    #[must_use]
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

    /// The same of a session that began with a second factor.
    #[must_use]
    pub const fn with_second_factor(mut self, proven: bool) -> Self {
        self.mfa = proven;
        self
    }

    /// The same, over when the session is.
    #[must_use]
    pub fn until(mut self, session_ends: Timestamp) -> Self {
        self.exp = self.exp.min(session_ends.as_second());
        self
    }

    /// For how many seconds it is valid from its issue on.
    #[must_use]
    pub const fn lifetime(&self) -> i64 {
        self.exp - self.iat
    }

    /// When it was issued.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.iat_ms).unwrap_or_default()
    }

    /// Whether it was issued before sessions were ended at this time, and is of none that goes on.
    #[must_use]
    pub fn is_ended(&self, sessions_from: Timestamp, spared: Option<SessionId>) -> bool {
        self.iat_ms < sessions_from.as_millisecond() && spared != Some(self.sid)
    }
}

/// A public key: the JSON Web Key with only what ES256 needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// Its id.
    pub kid: String,
    /// The point's coordinates, base64url.
    pub x: String,
    /// The other.
    pub y: String,
    /// Since when.
    pub created_at: Timestamp,
}

type Keys = Arc<HashMap<String, DecodingKey>>;

/// Verifies access tokens. No read when warm.
pub struct Verifier {
    store: Store,
    known: Mutex<Option<(Timestamp, Keys)>>,
}

impl Verifier {
    /// With the keys that this table publishes.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self {
            store,
            known: Mutex::new(None),
        }
    }

    /// The token's claims, or `None` where it is not one of ours that is valid now.
    ///
    /// # Errors
    /// When the keys cannot be read.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Option<Claims>, StoreError> {
        // Nothing of ours is longer; a parser need not see it.
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
        // By our own clock, below.
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

/// SHA-256 in hex: what is kept of a secret.
#[must_use]
pub fn sha256_hex(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// What starts every API key.
pub const API_KEY_PREFIX: &str = "rbk_";

/// A new API key of these random bytes.
#[must_use]
pub fn api_key(secret: [u8; 32]) -> String {
    format!("{API_KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(secret))
}

/// Whether a text has the form of an API key: others need no look-up.
#[must_use]
pub fn is_api_key(text: &str) -> bool {
    let secret = text.strip_prefix(API_KEY_PREFIX);
    secret.is_some_and(|secret| URL_SAFE_NO_PAD.decode(secret).is_ok_and(|bytes| bytes.len() == 32))
}

/// The token of a one-time link, of these random bytes.
#[must_use]
pub fn link_token(secret: [u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(secret)
}

/// A refresh token: the way to its session, the family's secret and its own.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The person.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    family: String,
    own: String,
}

const REFRESH_PREFIX: &str = "rbr_";

impl RefreshToken {
    /// The first token of a session.
    #[must_use]
    pub fn first(user: UserId, session: SessionId, family: [u8; 32], own: [u8; 32]) -> Self {
        Self {
            user,
            session,
            family: URL_SAFE_NO_PAD.encode(family),
            own: URL_SAFE_NO_PAD.encode(own),
        }
    }

    /// The next token of the same session.
    #[must_use]
    pub fn next(&self, own: [u8; 32]) -> Self {
        Self {
            own: URL_SAFE_NO_PAD.encode(own),
            ..self.clone()
        }
    }

    /// Reads a token as sent.
    #[must_use]
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

    /// As it is sent.
    #[must_use]
    pub fn text(&self) -> String {
        let bare = |id: String| id.split_once('_').map_or_else(String::new, |(_, ulid)| ulid.to_owned());
        let (user, session) = (bare(self.user.to_string()), bare(self.session.to_string()));
        format!("{REFRESH_PREFIX}{user}{session}.{}.{}", self.family, self.own)
    }

    /// What is kept of the family's secret.
    #[must_use]
    pub fn family_sha256(&self) -> String {
        sha256_hex(&self.family)
    }

    /// What is kept of the token.
    #[must_use]
    pub fn sha256(&self) -> String {
        sha256_hex(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_survives_its_text_and_nothing_else_is_one() {
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
    }
}
