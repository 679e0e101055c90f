//! Meta's WhatsApp webhooks, by a connection's own URL or by that of a Meta app that tenants share: answers the handshake,
//! verifies the raw bytes, splits them into changes and queues each in `provider-events`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use access::shared_app::{self, AppSecrets};
use access::{AuthError, Authenticated, SharedApp};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use domain::Timestamp;
use domain::tenants::{Connection, RefusedBecause, RefusedWebhook, VerifySecrets};
use domain::terms::{ConnectionId, TenantId};
use jobs::{EventGroup, EventSource, Payload, ProviderEvent};
use kit::http::{CorrelationId, Target, expect_content_type};
use kit::webhook::{LARGEST_JOB, answer, header};
use kit::{ConfigError, Entry, Env, Problem, QueueName, Seldom, Webhook, line};
use providers::whatsapp::handshake;
use providers::whatsapp::signature::{self, SignatureError};
use providers::whatsapp::webhook::{self as meta, Change};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let secret_id = env.config().optional("META_APP_SECRET_ID").map(str::to_owned);
    let context = Arc::new(Context {
        webhook: Webhook::new(env, "whatsapp", QueueName::ProviderEvents)?,
        env: env.clone(),
        secret_id,
        app: OnceLock::new(),
        noted: Seldom::minutes(60),
    });
    Ok(Router::new()
        .route(
            "/webhooks/whatsapp/{tenant_id}/{connection_id}",
            get(shake_hands).post(receive),
        )
        .route("/webhooks/whatsapp", get(shake_hands_shared).post(receive_shared))
        .with_state(context))
}

struct Context {
    webhook: Webhook,
    env: Env,
    secret_id: Option<String>,
    app: OnceLock<SharedApp>,
    /// Connections with a refused webhook that this process has noted.
    noted: Seldom<(TenantId, ConnectionId)>,
}

/// The reason for refusing a webhook of a connection. There is none if the connection does not exist.
#[derive(Default)]
struct Refusal(Mutex<Option<RefusedBecause>>);

impl Refusal {
    /// Whether the proof holds; if not, why.
    fn admits(&self, proof: Result<(), RefusedBecause>) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = proof.err();
        proof.is_ok()
    }

    fn reason(&self) -> Option<RefusedBecause> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn reason_of(error: SignatureError) -> RefusedBecause {
    match error {
        SignatureError::NoSecret => RefusedBecause::NoSecret,
        SignatureError::Missing | SignatureError::Malformed => RefusedBecause::Unsigned,
        SignatureError::Mismatch => RefusedBecause::OtherSecret,
    }
}

/// Placeholder for the field's name of an entry that cannot be parsed at all.
const UNREADABLE: &str = "unreadable";

/// Maximum number of unreadable changes of a post that are stored one by one. Beyond it, the post is stored whole.
const MAX_KEPT: usize = 20;

// ---- The handshake ------------------------------------------------------------------------------------------------

async fn shake_hands(
    State(context): State<Arc<Context>>,
    Path((tenant, connection)): Path<(String, String)>,
    Extension(target): Extension<Target>,
) -> Result<Response, Problem> {
    complete(target.query())?;
    let refusal = Refusal::default();
    let brings = |token: &str| {
        let answer = handshake::answer(target.query(), token);
        refusal.admits(answer.map(drop).map_err(|_| RefusedBecause::OtherToken))
    };
    let proven = context
        .authenticate(&tenant, &connection, |secrets, shared| match secrets {
            VerifySecrets::WhatsApp(own) if own.verify_token.is_empty() => {
                shared.map(|shared| brings(&shared.verify_token))
            }
            VerifySecrets::WhatsApp(own) => Some(brings(&own.verify_token)),
            _ => Some(false),
        })
        .await;
    context.note_refusal(&tenant, &connection, &proven, &refusal).await;
    challenge(&context.webhook, &target, proven.map(drop))
}

async fn shake_hands_shared(
    State(context): State<Arc<Context>>,
    Extension(target): Extension<Target>,
) -> Result<Response, Problem> {
    complete(target.query())?;
    let proves = |secrets: &AppSecrets| handshake::answer(target.query(), &secrets.verify_token).is_ok();
    let proven = context.app().authenticate(context.webhook.now(), proves).await;
    challenge(&context.webhook, &target, proven.map(drop))
}

/// Refuses an incomplete handshake before anything is looked up.
fn complete(query: &str) -> Result<(), Problem> {
    match handshake::answer(query, "") {
        Err(error @ handshake::Refused::Incomplete) => {
            let title = "Not a handshake";
            Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "bad_request",
                title,
                error.to_string(),
            ))
        }
        Err(handshake::Refused::Wrong) | Ok(_) => Ok(()),
    }
}

/// The challenge as the whole body, or 403.
fn challenge(webhook: &Webhook, target: &Target, proven: Result<(), AuthError>) -> Result<Response, Problem> {
    match proven {
        Ok(()) => {
            let query = providers::form::parse(target.query().as_bytes());
            let challenge = query.get("hub.challenge").unwrap_or_default();
            Ok(answer("text/plain; charset=utf-8", challenge))
        }
        Err(error @ AuthError::Refused) => {
            let _counted = webhook.refuse(&error);
            Err(Problem::forbidden(
                "The verify token or the mode is wrong. Enter the token of this connection.",
            ))
        }
        Err(error) => Err(webhook.refuse(&error)),
    }
}

// ---- Events -------------------------------------------------------------------------------------------------------

async fn receive(
    State(context): State<Arc<Context>>,
    Path((tenant, connection)): Path<(String, String)>,
    Extension(correlation): Extension<CorrelationId>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    expect_content_type(&headers, "application/json")?;
    let webhook = &context.webhook;
    let sent = header(&headers, SIGNATURE);
    let refusal = Refusal::default();
    let signed_by = |secrets: &[String]| refusal.admits(signature::verify(secrets, sent, &body).map_err(reason_of));
    let proven = context
        .authenticate(&tenant, &connection, |secrets, shared| match secrets {
            VerifySecrets::WhatsApp(own) if own.app_secrets.is_empty() => {
                let secret = shared.map(|shared| std::slice::from_ref(&shared.app_secret));
                let signed = signed_by(secret.unwrap_or_default());
                secret.map(|_| signed)
            }
            VerifySecrets::WhatsApp(own) => Some(signed_by(&own.app_secrets)),
            _ => Some(false),
        })
        .await;
    context.note_refusal(&tenant, &connection, &proven, &refusal).await;
    let proven = proven.map_err(|error| webhook.refuse(&error))?;
    let mut entries = Vec::new();
    for change in context.split(&body).await? {
        let number = change.phone_number_id.as_deref().unwrap_or_default();
        if shared_app::is_of(proven.connection(), &change.waba_id, number) {
            entries.push(context.entry(&proven, change, &correlation).await?);
        } else {
            webhook.foreign();
        }
    }
    context.take(entries).await
}

async fn receive_shared(
    State(context): State<Arc<Context>>,
    Extension(correlation): Extension<CorrelationId>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    expect_content_type(&headers, "application/json")?;
    let webhook = &context.webhook;
    let now = webhook.now();
    let sent = header(&headers, SIGNATURE);
    let proves = |secrets: &AppSecrets| signature::verify(&[&secrets.app_secret], sent, &body).is_ok();
    let meta = context.app().authenticate(now, proves).await;
    let meta = meta.map_err(|error| webhook.refuse(&error))?;
    let mut entries = Vec::new();
    for change in context.split(&body).await? {
        let number = change.phone_number_id.as_deref().unwrap_or_default();
        match context
            .app()
            .owner(meta, webhook.connections(), &change.waba_id, number, now)
            .await
        {
            Ok(proven) => {
                line::tenant(proven.scope());
                entries.push(context.entry(&proven, change, &correlation).await?);
            }
            Err(AuthError::Refused) => webhook.foreign(),
            Err(error) => return Err(webhook.refuse(&error)),
        }
    }
    context.take(entries).await
}

const SIGNATURE: &str = "x-hub-signature-256";

impl Context {
    /// The app that tenants share. Created on demand, because AWS clients would slow down the start.
    fn app(&self) -> &SharedApp {
        self.app.get_or_init(|| {
            let client = self.env.secrets_manager();
            SharedApp::new(client, self.secret_id.clone(), self.webhook.store())
        })
    }

    /// As [`Webhook::authenticate`], for connections that may have no secrets of their own: `proves` returns `None` until it gets
    /// the shared app's.
    async fn authenticate(
        &self,
        tenant: &str,
        connection: &str,
        proves: impl Fn(&VerifySecrets, Option<&AppSecrets>) -> Option<bool>,
    ) -> Result<Authenticated, AuthError> {
        let needs_shared = AtomicBool::new(false);
        let by_own = |_: &Connection, secrets: &VerifySecrets| {
            proves(secrets, None).unwrap_or_else(|| {
                needs_shared.store(true, Ordering::Relaxed);
                false
            })
        };
        match self.webhook.authenticate(tenant, connection, by_own).await {
            Err(AuthError::Refused) if needs_shared.load(Ordering::Relaxed) => {
                let shared = self.app().secrets(self.webhook.now()).await?;
                let by_shared =
                    |_: &Connection, secrets: &VerifySecrets| proves(secrets, shared.as_deref()).unwrap_or(false);
                self.webhook.authenticate(tenant, connection, by_shared).await
            }
            done => done,
        }
    }

    /// Records why a webhook of a connection was refused, at most once an hour: its sender is unknown.
    async fn note_refusal(
        &self,
        tenant: &str,
        connection: &str,
        proven: &Result<Authenticated, AuthError>,
        refusal: &Refusal,
    ) {
        let (Err(AuthError::Refused), Some(reason)) = (proven, refusal.reason()) else {
            return;
        };
        let (Ok(tenant), Ok(connection), at) = (tenant.parse(), connection.parse(), self.webhook.now()) else {
            return;
        };
        if !self.noted.is_due((tenant, connection), at) {
            return;
        }
        let refused = RefusedWebhook { at, reason };
        let store = self.webhook.store();
        let noted = store
            .note_refused_webhook_before_scope(tenant, connection, refused)
            .await;
        if let Err(error) = noted {
            tracing::warn!(error = kit::chain(&error), "a refused webhook was not noted");
        }
    }

    /// The readable changes of a post. Unreadable ones are stored raw.
    async fn split(&self, body: &[u8]) -> Result<Vec<Change>, Problem> {
        let mut changes = match meta::split(body) {
            Ok(changes) => changes,
            Err(error) => {
                self.webhook.keep_unreadable(body, &error).await?;
                return Ok(Vec::new());
            }
        };
        let unreadable: Vec<Change> = changes
            .extract_if(.., |change| change.field == UNREADABLE || change.waba_id.is_empty())
            .collect();
        if unreadable.len() > MAX_KEPT {
            self.webhook.keep_unreadable(body, &NotAChange).await?;
        } else {
            for change in unreadable {
                self.webhook.keep_unreadable(change.raw.as_bytes(), &NotAChange).await?;
            }
        }
        let now: Timestamp = self.webhook.now();
        for change in &mut changes {
            change.received_at = Some(now);
        }
        Ok(changes)
    }

    /// A change as a job. One that is too large for the queue is stored in the bucket, with a pointer in the queue.
    async fn entry(
        &self,
        proven: &Authenticated,
        change: Change,
        correlation: &CorrelationId,
    ) -> Result<Entry, Problem> {
        let json = serde_json::to_string(&change).map_err(|_| Problem::internal())?;
        let mut job = ProviderEvent {
            tenant: proven.scope().tenant(),
            connection: proven.connection().id,
            correlation_id: correlation.as_str().to_owned(),
            received_at: self.webhook.now(),
            group: if meta::only_statuses(&change) {
                EventGroup::Status
            } else {
                EventGroup::Inbound
            },
            source: EventSource::WhatsApp,
            payload: Payload::Inline(json),
        };
        let entry = self.webhook.entry(&job)?;
        if entry.bytes() < LARGEST_JOB {
            return Ok(entry);
        }
        if let Payload::Inline(json) = &job.payload {
            job.payload = Payload::Stored(self.webhook.keep_large(json.as_bytes()).await?);
        }
        self.webhook.entry(&job)
    }

    async fn take(&self, entries: Vec<Entry>) -> Result<Response, Problem> {
        line::count("changes", u64::try_from(entries.len()).unwrap_or(0));
        self.webhook.enqueue(entries).await?;
        Ok(StatusCode::OK.into_response())
    }
}

/// An invalid entry or change.
#[derive(Debug)]
struct NotAChange;

impl std::fmt::Display for NotAChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an entry or change does not name its owner")
    }
}

impl std::error::Error for NotAChange {}
