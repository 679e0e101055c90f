//! Sessions: an access token, and a refresh token in the body or in a cookie that scripts cannot read.

use access::{
    link,
    token::{ACCESS_LIFETIME, Claims, RefreshToken, SESSION_LIFETIME},
};
use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    account::{Account, Member, MemberStatus, Session},
    ids::{SessionId, TenantId, UserId},
    tenant::Tenant,
};
use jiff::{SignedDuration, Timestamp};
use kit::Problem;

use crate::{
    Context,
    models::{Handover, LoggedInOut, PlaceOut, UserOut},
};

const COOKIE: &str = "ringback_refresh";

/// As much of what a browser calls itself as people need to recognise it.
const DEVICE: usize = 120;

/// Tokens that are issued while sessions are ended, by somebody who read the account before, are over too.
const MEANWHILE: SignedDuration = SignedDuration::from_secs(2);

/// A session that begins, with the tokens of its first minutes. Nothing of it is written yet.
pub(crate) struct Begun {
    pub(crate) session: Session,
    pub(crate) refresh: RefreshToken,
    pub(crate) access: String,
}

/// The tenants that a person may act in.
pub(crate) type Places = Vec<(Tenant, Member)>;

pub(crate) fn first_tenant(places: &Places) -> Option<TenantId> {
    places.first().map(|(tenant, _)| tenant.id)
}

impl Context {
    /// Where a person may act now, the tenant they joined first in front.
    pub(crate) async fn places(&self, account: &Account) -> Result<Places, Problem> {
        let scopes = link::of_own_account(account);
        let mut places = self.store().memberships(&scopes, account.id).await?;
        places.retain(|(_, member)| member.status == MemberStatus::Active);
        Ok(places)
    }

    /// Makes a session's tokens, before anything is written: once something is, nothing else should fail.
    pub(crate) async fn prepare(
        &self,
        account: &Account,
        tenant: Option<TenantId>,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Begun, Problem> {
        // What ended the sessions before does not end this one, though its time may be a moment ahead.
        let from = now.max(account.sessions_from);
        let id = SessionId::new(self.env().ids().ulid());
        let refresh = RefreshToken::first(account.id, id, self.api.secret()?, self.api.secret()?);
        let access = self.access_token(account.id, id, tenant, from).await?;
        let session = Session {
            id,
            user: account.id,
            family_sha256: refresh.family_sha256(),
            current_sha256: refresh.sha256(),
            previous_sha256: None,
            rotated_at: from,
            created_at: from,
            expires_at: from + SESSION_LIFETIME,
            device: device(headers),
        };
        Ok(Begun {
            session,
            refresh,
            access,
        })
    }

    /// Writes a session's beginning, and answers with its tokens.
    pub(crate) async fn begin(
        &self,
        begun: Begun,
        status: StatusCode,
        account: &Account,
        places: &Places,
        handover: Handover,
    ) -> Result<Response, Problem> {
        self.store().begin_session(&begun.session).await?;
        let Begun { access, refresh, .. } = begun;
        Ok(logged_in(status, account, places, access, &refresh, handover))
    }

    /// An access token of this session.
    pub(crate) async fn access_token(
        &self,
        user: UserId,
        session: SessionId,
        tenant: Option<TenantId>,
        from: Timestamp,
    ) -> Result<String, Problem> {
        let claims = Claims::new(user, session, tenant, from);
        let signed = self.signer().sign(&claims, self.env().clock().now()).await;
        signed.map_err(|error| crate::sign_failed(&error))
    }

    /// From when on tokens count, if all of now end.
    pub(crate) fn ends_all(&self) -> Timestamp {
        self.env().clock().now() + MEANWHILE
    }
}

/// The answer to who is logged in.
pub(crate) fn logged_in(
    status: StatusCode,
    account: &Account,
    places: &Places,
    access: String,
    refresh: &RefreshToken,
    handover: Handover,
) -> Response {
    let token = refresh.text();
    let cookie = (handover == Handover::Cookie).then(|| set_cookie(&token, SESSION_LIFETIME.as_secs()));
    let body = LoggedInOut {
        access_token: access,
        token_type: "Bearer",
        expires_in: ACCESS_LIFETIME.as_secs(),
        refresh_token: (handover == Handover::Body).then_some(token),
        user: UserOut::from(account),
        tenants: places.iter().map(PlaceOut::from).collect(),
    };
    let mut response = (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response();
    response
        .headers_mut()
        .extend(cookie.flatten().map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

/// Lets the browser forget the cookie.
pub(crate) fn forget_cookie() -> Option<HeaderValue> {
    set_cookie("", 0)
}

fn set_cookie(token: &str, seconds: i64) -> Option<HeaderValue> {
    let cookie = format!("{COOKIE}={token}; Path=/api/v1/auth; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict");
    HeaderValue::from_str(&cookie).ok()
}

/// The refresh token of the request's cookie.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let sent = headers.get_all(header::COOKIE).iter();
    let mut pairs = sent
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

fn device(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    let device: String = agent.chars().take(DEVICE).collect();
    (!device.is_empty()).then_some(device)
}
