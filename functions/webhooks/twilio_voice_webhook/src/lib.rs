//! Twilio's voice webhooks: verifies the sender, queues every callback in `calls`, answers TwiML.
//!
//! A ringing call is answered even if it cannot be stored, and within seconds even if everything hangs. Twilio reports the end of
//! the call later.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use domain::Timestamp;
use domain::telephony::{CallFacts, Party};
use domain::tenants::twilio::{self, OVERRIDES};
use domain::tenants::{Account, Connection, Line, Tenant, VerifySecrets, called_line, is_business_open};
use domain::terms::{Phone, TenantId};
use jiff::SignedDuration;
use kit::http::expect_content_type;
use kit::webhook::{Delivery, answer};
use kit::{ConfigError, Env, Problem, TimeLimit, Webhook};
use providers::twilio::twiml::{self, Urls};
use providers::twilio::voice::{self, VoiceCallback};
use providers::twilio::{form, signature};
use store::{Store, TenantScope};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let tenants = Arc::new(Tenants(Mutex::new(Vec::new())));
    let callback = |what| post(move |tenants, delivery| receive(what, tenants, delivery));
    Ok(Router::new()
        .route(
            "/webhooks/twilio/{tenant_id}/{connection_id}/voice",
            callback(VoiceCallback::Voice),
        )
        .route(
            "/webhooks/twilio/{tenant_id}/{connection_id}/dial-result",
            callback(VoiceCallback::DialResult),
        )
        .route(
            "/webhooks/twilio/{tenant_id}/{connection_id}/status",
            callback(VoiceCallback::Status),
        )
        .route(
            "/webhooks/twilio/{tenant_id}/{connection_id}/recording",
            callback(VoiceCallback::Recording),
        )
        .layer(Extension(tenants))
        .with_state(Webhook::calls(env, "twilio")?))
}

const FORM: &str = "application/x-www-form-urlencoded";
const XML: &str = "text/xml";

/// Maximum time of an answer. Twilio gives up after 15 s, including its retries.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
/// The part of it that may be spent on each of the connection's present state and the business hours.
const READ_WITHIN: Duration = Duration::from_secs(1);

/// Answer to a call if our own table cannot be reached, spoken by Twilio's own voice.
const FALLBACK: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8"?>"#,
    "\n<Response><Say>Thank you for calling. We cannot take your call right now.</Say><Hangup/></Response>\n"
);

async fn receive(
    what: VoiceCallback,
    Extension(tenants): Extension<Arc<Tenants>>,
    delivery: Delivery,
) -> Result<Response, Problem> {
    expect_content_type(&delivery.headers, FORM)?;
    let (webhook, body, now) = (&delivery.webhook, &delivery.body, delivery.at);
    let (tenant, connection) = (&delivery.tenant, &delivery.connection);
    let limit = TimeLimit::of(ANSWERED_WITHIN);
    let url = delivery.url();
    let proves = |_: &Connection, secrets: &VerifySecrets| {
        signature::signs_form(secrets, |name| delivery.header(name), &url, body)
    };
    // A caller is waiting. For the other callbacks, Twilio retries.
    let waiting = what == VoiceCallback::Voice;
    let proven = webhook.authenticate_within(limit, tenant, connection, proves).await;
    let proven = match proven {
        Ok(proven) => proven,
        // The connection is unknown.
        Err(problem) if waiting && problem.status().is_server_error() => return Ok(answer(XML, FALLBACK)),
        Err(problem) => return Err(problem),
    };
    // A changed connection works from the next call on.
    let proven = webhook.refresh_within(limit.at_most(READ_WITHIN), proven).await?;
    let form = form::parse(body);
    let numbers = match &proven.connection().account {
        Account::Twilio(twilio) => &*twilio.numbers,
        _ => &[],
    };
    let mut event = match voice::event(what, &form, proven.connection().id, numbers, now) {
        Ok(event) => event,
        Err(error) => {
            let kept = webhook.keep_unreadable_within(limit, body, &error).await;
            return kept.or_else(unless(waiting)).map(|()| answer(XML, twiml::EMPTY));
        }
    };
    let account = form.get("AccountSid");
    let Some(twilio) = account_of(proven.connection(), account.as_deref()) else {
        webhook.foreign();
        return Ok(answer(XML, twiml::EMPTY));
    };
    if !is_own(twilio, &event.facts) {
        // The caller hears the end of the call in time, noted or not.
        let noting = Box::pin(webhook.foreign_call(&proven, &event.facts, now));
        let _late = limit.keep(noting).await;
        return Ok(answer(XML, twiml::EMPTY));
    }
    let settings = &twilio.voice;
    let base = delivery.target.origin(webhook.base_url());
    let address = |what: &str| format!("{base}/webhooks/twilio/{tenant}/{connection}/{what}{OVERRIDES}");
    let urls = Urls {
        dial_result: &address("dial-result"),
        recording: &address("recording"),
    };
    let said = match what {
        _ if voice::is_leg(&form, numbers) => twiml::EMPTY.to_owned(),
        VoiceCallback::Voice => {
            event.facts.handling = Some(twiml::handling(settings));
            let limit = limit.at_most(READ_WITHIN);
            let called = event.facts.business_number().and_then(Party::phone);
            let tenant = tenants.of(&webhook.store(), proven.scope(), now, limit).await;
            event.facts.closed = tenant.map(|tenant| tenant.is_closed(called, now));
            twiml::answer(settings, urls)
        }
        VoiceCallback::DialResult => twiml::answer_after_dial(settings, event.facts.dial, urls),
        VoiceCallback::Status | VoiceCallback::Recording => twiml::EMPTY.to_owned(),
    };
    let job = delivery.call_job(&proven, event);
    let stored = webhook.enqueue_within(limit, vec![webhook.entry(&job)?]).await;
    stored.or_else(unless(waiting)).map(|()| answer(XML, said))
}

/// Drops the error if a caller is waiting: it is logged and counted, and the caller gets an answer.
fn unless(waiting: bool) -> impl FnOnce(Problem) -> Result<(), Problem> {
    move |problem| if waiting { Ok(()) } else { Err(problem) }
}

/// The connection's account, if the callback is about the same.
fn account_of<'a>(connection: &'a Connection, account: Option<&str>) -> Option<&'a twilio::Account> {
    match &connection.account {
        Account::Twilio(twilio) if account.is_none_or(|account| account == twilio.account_sid) => Some(twilio),
        _ => None,
    }
}

/// Whether the called number is one of the account's, if it lists any.
fn is_own(twilio: &twilio::Account, facts: &CallFacts) -> bool {
    let line: Option<&Phone> = facts.business_number().and_then(Party::phone);
    line.is_none_or(|line| twilio.numbers.is_empty() || twilio.numbers.contains(line))
}

/// A tenant with its lines, for their business hours.
struct Known {
    tenant: Tenant,
    lines: Vec<Line>,
}

impl Known {
    /// True if the called line is closed, or the business if it has no hours of its own.
    fn is_closed(&self, called: Option<&Phone>, now: Timestamp) -> bool {
        let line = called.and_then(|number| called_line(&self.lines, number));
        !is_business_open(&self.tenant, line.and_then(Line::hours), now)
    }
}

/// Cache of tenants. Two reads at once when cold.
struct Tenants(Mutex<Vec<(TenantId, Timestamp, Arc<Known>)>>);

/// Time until changed business hours are noticed.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Maximum number of cached tenants.
const MAX: usize = 500;

impl Tenants {
    /// The tenant. `None` if the table does not respond: the call is answered anyway.
    async fn of(&self, store: &Store, scope: &TenantScope, now: Timestamp, limit: TimeLimit) -> Option<Arc<Known>> {
        let unknown = |error: &(dyn std::error::Error + 'static)| {
            tracing::warn!(error = kit::chain(error), "business hours are not known");
        };
        if let Some(known) = self.recall(scope.tenant(), now) {
            return Some(known);
        }
        let both = Box::pin(async { tokio::try_join!(store.tenant(scope), store.all(scope)) });
        let read = limit.keep(both).await.map_err(|late| unknown(&late)).ok()?;
        let (tenant, lines) = read.map_err(|error| unknown(&error)).ok()?;
        let known = Known { tenant: tenant?, lines };
        Some(self.remember(Arc::new(known), now))
    }

    fn recall(&self, id: TenantId, now: Timestamp) -> Option<Arc<Known>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |since: Timestamp| now.duration_since(since) < LIFETIME;
        let found = known.iter().find(|(known, since, _)| *known == id && fresh(*since));
        found.map(|(_, _, known)| Arc::clone(known))
    }

    fn remember(&self, new: Arc<Known>, now: Timestamp) -> Arc<Known> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(id, _, _)| *id != new.tenant.id);
        if known.len() >= MAX {
            known.remove(0);
        }
        known.push((new.tenant.id, now, Arc::clone(&new)));
        new
    }
}
