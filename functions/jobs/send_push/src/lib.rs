//! Notifies people on their devices of a customer's message that nobody has read.
//!
//! Nearly safe to run twice: a process remembers which device it told of which message. A device that is told twice shows it once, since a
//! notification of the same conversation replaces the one before.

mod people;

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use access::{Kms, PushError, PushKeys};
use domain::{
    Timestamp,
    accounts::account::Account,
    base::ids::{ConversationId, PushSubscriptionId, UserId},
    inbox::conversation::{Conversation, What},
    live::push::{Notification, PushServices, PushSubscription, TOO_LATE, wants},
    tenants::tenant::Tenant,
};
use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, civil::Time};
use jobs::PushJob;
use kit::{Clock, ConfigError, Done, Env, Job, JobError, TimeLimit, line, metric};
use providers::{
    http::Http,
    push::{PushClient, Pushed, Unavailable},
};
use store::{Store, TenantScope};

/// Maximum time for an answer of a push service.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// Maximum time for the notifications of a job, in a function that has 30 seconds.
const WITHIN: Duration = Duration::from_secs(18);

/// People who are notified at the same time.
const AT_ONCE: usize = 8;

/// Time after which a push service that takes nothing is tried again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// More than one process tells before the queue would deliver a job again.
const MAX_REMEMBERED: usize = 2_000;

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    keys: PushKeys,
    client: PushClient,
    services: PushServices,
    /// Where push services reach whoever sends.
    subject: String,
    clock: Clock,
    told: Mutex<VecDeque<(ConversationId, u64, PushSubscriptionId)>>,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let config = env.config();
        let send = config.text("KMS_SEND_KEY_ID")?.to_owned();
        let http = Http::new(env.user_agent(), ANSWERS_WITHIN);
        Ok(Self {
            store: Store::new(env.dynamodb(), config.text("TABLE_NAME")?),
            keys: PushKeys::new(Kms::new(env.kms(), None, Some(send))),
            client: PushClient::new(http, config.optional_url("PUSH_URL")?.map(str::to_owned)),
            services: PushServices::with(config.optional("PUSH_SERVICES").unwrap_or_default()),
            subject: config.text("PUSH_SUBJECT")?.to_owned(),
            clock: env.clock().clone(),
            told: Mutex::default(),
        })
    }

    fn was_told(&self, about: (ConversationId, u64, PushSubscriptionId)) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.contains(&about)
    }

    fn remember(&self, about: (ConversationId, u64, PushSubscriptionId)) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MAX_REMEMBERED {
            told.pop_front();
        }
        told.push_back(about);
    }
}

/// Notifies the people who want to know of the message, unless somebody has read it, or a later one has come.
///
/// # Errors
/// When the table does not answer, or a push service takes nothing now: the job is tried again for five minutes.
pub async fn handle(job: Job<PushJob>, ctx: &Context) -> Result<Done, JobError> {
    let (scope, now) = (job.scope(), ctx.clock.now());
    let PushJob {
        conversation, seq, at, ..
    } = job.body;
    if now.duration_since(at) > TOO_LATE {
        metric::count("push_late", &[]);
        return Ok(Done::Already);
    }
    let (known, tenant) = futures::try_join!(ctx.store.conversation(scope, conversation), ctx.store.tenant(scope))?;
    let open = known.map(|known| known.value).filter(|known| is_open(known, seq));
    let Some((conversation, tenant)) = open.zip(tenant.filter(|tenant| tenant.status.is_active())) else {
        return Ok(Done::Already);
    };
    let people = Box::pin(people::wanted(ctx, scope, &conversation, now)).await?;
    if people.is_empty() {
        return Ok(Done::Already);
    }
    let told = Told::of(ctx, scope, (conversation, seq), (&tenant, now)).await?;
    let one = |user: UserId| Box::pin(told.notify(user));
    // All of them, also if one fails: whoever was told is remembered.
    let all: Vec<Result<Sent, JobError>> = stream::iter(people).map(one).buffer_unordered(AT_ONCE).collect().await;
    let mut again = None;
    for sent in all {
        if let Sent::Later(wait) = sent? {
            again = again.max(Some(wait));
        }
    }
    match again {
        None => Ok(Done::Now),
        Some(wait) if now.duration_since(at) + wait > TOO_LATE => {
            metric::count("push_late", &[]);
            Ok(Done::Now)
        }
        Some(wait) => Err(JobError::new("a push service takes nothing now").again_after(wait.unsigned_abs())),
    }
}

/// Whether the message is the customer's latest, and nobody has read or answered it.
fn is_open(conversation: &Conversation, seq: u64) -> bool {
    conversation.read_seq < seq && conversation.wrote.is_some_and(|wrote| wrote.seq == seq)
}

/// What became of the notifications of a person, or of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sent {
    Done,
    /// It is to be tried again, after this time at the earliest.
    Later(SignedDuration),
}

/// The message of which people are told.
struct Told<'a> {
    ctx: &'a Context,
    scope: &'a TenantScope,
    conversation: Conversation,
    seq: u64,
    now: Timestamp,
    /// Local time of the tenant.
    time: Time,
    limit: TimeLimit,
    name: Option<String>,
    text: Option<String>,
}

impl<'a> Told<'a> {
    async fn of(
        ctx: &'a Context,
        scope: &'a TenantScope,
        (conversation, seq): (Conversation, u64),
        (tenant, now): (&Tenant, Timestamp),
    ) -> Result<Self, JobError> {
        let profile = ctx.store.profile(scope, conversation.contact).await?;
        // Otherwise something else happened after it.
        let text = match conversation.last.map(|last| last.what) {
            Some(What::Inbound(message, _)) if conversation.seq == seq => {
                let received = ctx.store.received(scope, message, now).await?;
                received.and_then(|received| received.message.text)
            }
            _ => None,
        };
        Ok(Self {
            ctx,
            scope,
            conversation,
            seq,
            now,
            time: now.to_zoned(tenant.time_zone.rules().clone()).time(),
            limit: TimeLimit::of(WITHIN),
            name: profile.name.map(|name| name.to_string()),
            text,
        })
    }

    /// Notifies a person on all devices.
    async fn notify(&self, user: UserId) -> Result<Sent, JobError> {
        let store = &self.ctx.store;
        let (account, devices) = futures::try_join!(store.account(user), store.push_subscriptions(user, self.now))?;
        let Some(account) = account.map(|account| account.value) else {
            return Ok(Sent::Done);
        };
        let wished = account.preferences.notifications;
        if devices.is_empty() || !wants(&wished, user, &self.conversation, self.time) {
            return Ok(Sent::Done);
        }
        let text = self.text.as_deref().filter(|_| wished.texts);
        let (tenant, conversation) = (self.scope.tenant(), self.conversation.id());
        let notification = Notification::of_message(tenant, conversation, self.name.as_deref(), text);
        let one = |device: PushSubscription| {
            let (account, notification) = (&account, &notification);
            async move { self.send(&device, account, notification).await }
        };
        let all = futures::future::join_all(devices.into_iter().map(one)).await;
        all.into_iter().try_fold(Sent::Done, |most, sent| Ok(most.max(sent?)))
    }

    async fn send(
        &self,
        device: &PushSubscription,
        account: &Account,
        notification: &Notification,
    ) -> Result<Sent, JobError> {
        let (ctx, about) = (self.ctx, (self.conversation.id(), self.seq, device.id));
        let store = &ctx.store;
        if ctx.was_told(about) {
            return Ok(Sent::Done);
        }
        let session = store.session(device.user, device.session).await?;
        let lasts =
            session.is_some_and(|session| !account.has_ended(&session.value) && session.value.expires_at > self.now);
        // Whoever logged out is not told, and the operator may allow fewer services by now.
        if !lasts || account.ended_sessions.has(device.session) || !ctx.services.allow(&device.endpoint) {
            store.forget_push_subscription(device.user, device.id).await?;
            return Ok(Sent::Done);
        }
        let to = (device.endpoint.as_str(), ctx.subject.as_str());
        let Some(authorization) = ctx.keys.authorization(store, to, self.now).await.map_err(failed)? else {
            return Ok(Sent::Done);
        };
        let json = serde_json::to_vec(notification).map_err(|error| JobError::new(error.to_string()))?;
        let topic = notification.topic();
        let sending = ctx.client.send(device, &json, (&authorization, &topic));
        let Ok(sent) = self.limit.keep(sending).await else {
            return Ok(Sent::Later(AGAIN_AFTER));
        };
        match sent {
            Ok(Pushed::Taken) => {
                ctx.remember(about);
                line::count("pushed", 1);
                Ok(Sent::Done)
            }
            Ok(Pushed::Gone) | Err(_) => {
                store.forget_push_subscription(device.user, device.id).await?;
                Ok(Sent::Done)
            }
            Ok(Pushed::Refused(status)) => {
                metric::count("push_refused", &[]);
                tracing::warn!(status, "a push service refuses a notification");
                Ok(Sent::Done)
            }
            Ok(Pushed::Later(error)) => {
                tracing::warn!(error = kit::chain(&error), "a push service takes nothing now");
                let wait = match error {
                    Unavailable::Status { retry_after, .. } => retry_after,
                    Unavailable::Failed(_) => None,
                };
                Ok(Sent::Later(wait.unwrap_or(AGAIN_AFTER).max(AGAIN_AFTER)))
            }
        }
    }
}

fn failed(error: PushError) -> JobError {
    match error {
        PushError::Table(error) => error.into(),
        PushError::Secrets(_) | PushError::Crypto(_) => JobError::new(kit::chain(&error)),
    }
}
