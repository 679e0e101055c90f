//! Sessions: an access token, and a refresh token in the body or in a cookie that scripts cannot read.

use access::link;
use access::token::{Claims, RefreshToken, SESSION_LIFETIME};
use api::Device;
use axum::Json;
use axum::http::{HeaderMap, HeaderValue, header};
use domain::accounts::{Account, MEANWHILE, Member, MemberStatus, Session};
use domain::tenants::Tenant;
use domain::terms::{SessionId, TenantId};
use jiff::Timestamp;
use kit::Problem;

use crate::Context;
use crate::models::{Handover, LoggedInOut, PlaceOut, UserOut};

/// Cookie of the refresh token. Because of the prefix, browsers accept it over TLS only, so that nobody in between can set their
/// own. `__Host-` would send it to every function.
const COOKIE: &str = "__Secure-ringback_refresh";

/// Name of the cookie in releases before it had a prefix.
const OLD_COOKIE: &str = "ringback_refresh";

/// A new session with its first tokens, not yet written.
pub(crate) struct Begun {
    pub(crate) session: Session,
    pub(crate) tokens: Tokens,
}

/// Tokens of a session.
pub(crate) struct Tokens {
    pub(crate) refresh: RefreshToken,
    /// In seconds.
    pub(crate) refresh_lifetime: i64,
    pub(crate) access: String,
    /// In seconds.
    pub(crate) access_lifetime: i64,
}

/// The tenants of a person, each with the person's membership.
pub(crate) type Places = Vec<(Tenant, Member)>;

fn active(mut places: Places) -> Places {
    places.retain(|(_, member)| member.status == MemberStatus::Active);
    places
}

pub(crate) fn first_tenant(places: &Places) -> Option<TenantId> {
    places.first().map(|(tenant, _)| tenant.id)
}

impl Context {
    /// The tenants where a person may act now, in the order of joining.
    pub(crate) async fn places(&self, account: &Account) -> Result<Places, Problem> {
        let scopes = link::of_own_account(account);
        Ok(active(self.store().memberships(&scopes, account.id).await?))
    }

    /// The tenants where a person may act now, and whether the person administers the platform.
    pub(crate) async fn standing(&self, account: &Account) -> Result<(Places, bool), Problem> {
        let scopes = link::of_own_account(account);
        let (places, platform) = self.store().standing(&scopes, account.id).await?;
        Ok((active(places), platform))
    }

    /// Creates a session's tokens before anything is written, because nothing should fail afterwards. `second_factor` says
    /// whether one was proven.
    pub(crate) async fn prepare(
        &self,
        account: &Account,
        tenant: Option<TenantId>,
        device: &Device,
        second_factor: bool,
        now: Timestamp,
    ) -> Result<Begun, Problem> {
        // What ended the sessions before does not end this one, though its time may be a moment ahead.
        let from = now.max(account.sessions_from);
        let id = SessionId::new(self.env().ids().ulid());
        let refresh = RefreshToken::first(account.id, id, self.api.secret()?, self.api.secret()?);
        let session = Session {
            id,
            user: account.id,
            family_sha256: refresh.family_sha256(),
            current_sha256: refresh.sha256(),
            previous_sha256: None,
            rotated_at: from,
            created_at: from,
            expires_at: self.expires(from, from),
            second_factor,
            device: device.name.clone(),
        };
        let tokens = self.tokens(&session, refresh, tenant, from).await?;
        Ok(Begun { session, tokens })
    }

    /// Expiry of a session that began then, if it is refreshed now and never again.
    pub(crate) fn expires(&self, began: Timestamp, now: Timestamp) -> Timestamp {
        (now + SESSION_LIFETIME).min(self.ends(began))
    }

    /// End of a session that began then, however often it is refreshed.
    pub(crate) fn ends(&self, began: Timestamp) -> Timestamp {
        began + self.sessions
    }

    /// Tokens for the next period of a session.
    pub(crate) async fn tokens(
        &self,
        session: &Session,
        refresh: RefreshToken,
        tenant: Option<TenantId>,
        from: Timestamp,
    ) -> Result<Tokens, Problem> {
        let claims = Claims::new(session.user, session.id, tenant, from)
            .with_second_factor(session.second_factor)
            .until(self.ends(session.created_at));
        let signed = self.signer().sign(&claims, self.env().clock().now()).await;
        Ok(Tokens {
            refresh,
            refresh_lifetime: session.expires_at.duration_since(session.rotated_at).as_secs(),
            access: signed.map_err(|error| crate::sign_failed(&error))?,
            access_lifetime: claims.lifetime(),
        })
    }

    /// Writes a new session and returns its tokens.
    pub(crate) async fn begin(
        &self,
        begun: Begun,
        account: &Account,
        places: &Places,
        handover: Handover,
    ) -> Result<LoggedIn, Problem> {
        self.store().begin_session(&begun.session).await?;
        Ok(logged_in(account, places, &begun.tokens, handover))
    }

    /// If all current tokens end, only tokens from this time on count.
    pub(crate) fn ends_all(&self) -> Timestamp {
        self.env().clock().now() + MEANWHILE
    }
}

/// The answer to a log-in, with the cookie if one was requested.
pub(crate) type LoggedIn = (HeaderMap, Json<LoggedInOut>);

pub(crate) fn logged_in(account: &Account, places: &Places, tokens: &Tokens, handover: Handover) -> LoggedIn {
    let token = tokens.refresh.text();
    let cookie = (handover == Handover::Cookie).then(|| set_cookie(&token, tokens.refresh_lifetime));
    let body = LoggedInOut {
        access_token: tokens.access.clone(),
        token_type: "Bearer",
        expires_in: tokens.access_lifetime,
        refresh_token: (handover == Handover::Body).then_some(token),
        user: UserOut::from(account),
        tenants: places
            .iter()
            .map(|(tenant, member)| PlaceOut::of(tenant, member))
            .collect(),
    };
    let cookie = cookie.flatten().map(|cookie| (header::SET_COOKIE, cookie));
    (cookie.into_iter().collect(), Json(body))
}

/// Removes the cookie from the browser.
pub(crate) fn forget_cookie() -> Option<HeaderValue> {
    set_cookie("", 0)
}

/// Removes the cookie without a prefix from the browser.
pub(crate) fn forget_old_cookie() -> Option<HeaderValue> {
    cookie_header(OLD_COOKIE, "", 0)
}

fn set_cookie(token: &str, seconds: i64) -> Option<HeaderValue> {
    cookie_header(COOKIE, token, seconds)
}

fn cookie_header(name: &str, token: &str, seconds: i64) -> Option<HeaderValue> {
    let cookie = format!("{name}={token}; Path=/api/v1/auth; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict");
    HeaderValue::from_str(&cookie).ok()
}

/// The refresh token in the request's cookie. A browser sends two of one name if another host of the site, or another path, has
/// set one. Which of them is ours cannot be told.
pub(crate) fn cookie(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let sent = headers.get_all(header::COOKIE).iter();
    let pairs = sent.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let mut found = pairs.filter_map(|pair| pair.trim_ascii().strip_prefix(COOKIE.as_bytes())?.strip_prefix(b"="));
    match (found.next(), found.next()) {
        // What is no text is no token, either.
        (token, None) => Ok(token.map(|token| std::str::from_utf8(token).unwrap_or_default())),
        (_, Some(_)) => Err(Problem::bad_request(
            "The cookie of the refresh token came twice. Delete the site's cookies and log in again.",
        )),
    }
}
