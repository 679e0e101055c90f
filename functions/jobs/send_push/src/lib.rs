//! Notifies people on their devices: of a customer's message that nobody has read, and at once of mentions, calls
//! without a follow-up, and notices.
//!
//! Nearly safe to run twice. A notification that is sent once has a row afterwards, so that a later delivery recognizes
//! it ([`Store::note_pushed`]). A device that is notified twice of a message, or after a crash, shows it once, since a
//! notification of the same subject replaces the one before. So nobody is notified again because another one could not
//! be: those who are left have their own job.

mod people;
mod subject;

use std::time::Duration;

use access::{Kms, PushError, PushKeys};
use domain::Timestamp;
use domain::accounts::Account;
use domain::live::{About, Notification, PushServices, PushSubscription, TOO_LATE};
use domain::tenants::Tenant;
use domain::terms::{PushSubscriptionId, UserId};
use futures::{StreamExt as _, stream};
use jiff::SignedDuration;
use jiff::civil::Time;
use jobs::{PushJob, PushRest};
use kit::{Clock, ConfigError, Done, Entry, Env, Job, JobError, Queue, QueueName, TimeLimit, line, metric};
use providers::http::Http;
use providers::push::{PushClient, Pushed, Unavailable};
use store::{Store, TenantScope};

use crate::subject::Subject;

/// Maximum time for an answer of a push service.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// Maximum time for the notifications of a job, in a function that has 30 seconds.
const WITHIN: Duration = Duration::from_secs(18);

/// People who are notified at the same time.
const AT_ONCE: usize = 8;

/// Wait before a push service that refused everything is tried again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Wait before those who saw a page are looked at again: a page whose laptop was closed counts as seen for a while.
const SEEN_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// Maximum time for the queue.
const QUEUED_WITHIN: Duration = Duration::from_secs(3);

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    keys: PushKeys,
    client: PushClient,
    services: PushServices,
    /// Where push services reach whoever sends.
    subject: String,
    clock: Clock,
    queue: Queue,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let config = env.config();
        let send = config.text("KMS_SEND_KEY_ID")?.to_owned();
        let http = Http::new(env.user_agent(), ANSWERS_WITHIN);
        Ok(Self {
            store: env.store()?,
            keys: PushKeys::new(Kms::new(env.kms(), None, Some(send))),
            client: PushClient::new(http, config.optional_url("PUSH_URL")?.map(str::to_owned)),
            services: PushServices::with(config.optional("PUSH_SERVICES").unwrap_or_default()),
            subject: config.text("PUSH_SUBJECT")?.to_owned(),
            clock: env.clock().clone(),
            queue: Queue::new(env, QueueName::Pushes)?,
        })
    }
}

kit::function!(serve_queue, Context::new, handle);

/// Notifies the people who want to know: of a message unless somebody has read it, or a later one has come, of anything
/// else unless they were told.
/// For five minutes it looks again at those who see a page, or one of whose devices cannot be told now.
///
/// # Errors
/// When the table or the queue does not answer.
pub async fn handle(job: Job<PushJob>, ctx: &Context) -> Result<Done, JobError> {
    let scope = job.scope().clone();
    let is_first = job.body.rest.is_none();
    let event = (is_first && job.body.about.is_told_once()).then(|| job.body.correlation_id.clone());
    if let Some(event) = &event
        && ctx.store.was_pushed(&scope, event, ctx.clock.now()).await?
    {
        return Ok(Done::Already);
    }
    let (done, left) = Box::pin(notify(job, ctx)).await?;
    if let Some((next, wait)) = left {
        let entry = Entry::new(&next)?.after(wait.unsigned_abs());
        let limit = TimeLimit::of(QUEUED_WITHIN);
        ctx.queue.send_all_or_give_up(vec![entry], limit).await?;
    }
    // Last, so that a failure keeps it from nobody.
    if let Some(event) = event.filter(|_| done == Done::Now) {
        ctx.store.note_pushed(&scope, &event, ctx.clock.now()).await?;
    }
    Ok(done)
}

/// The next job for those who are left, and the time until it.
pub type Left = Option<(PushJob, SignedDuration)>;

/// Notifies those who are to be notified now.
///
/// # Errors
/// When the table does not answer.
pub async fn notify(job: Job<PushJob>, ctx: &Context) -> Result<(Done, Left), JobError> {
    let (scope, now) = (job.scope(), ctx.clock.now());
    let PushJob { about, at, .. } = &job.body;
    let at = *at;
    if now.duration_since(at) > TOO_LATE {
        metric::count("push_late", &[]);
        return Ok((Done::Already, None));
    }
    let (subject, tenant) = futures::try_join!(Box::pin(Subject::of(ctx, scope, about, now)), ctx.store.tenant(scope))?;
    let Some((subject, tenant)) = subject.zip(tenant.filter(|tenant| tenant.status.is_active())) else {
        return Ok((Done::Already, None));
    };
    let mut people = Box::pin(people::members_to_notify(ctx, scope, &subject, now)).await?;
    let before = job.body.rest.as_ref();
    if let Some(rest) = before {
        people.retain(|user| rest.people.contains(user));
    }
    if people.away.is_empty() && people.seeing.is_empty() {
        return Ok((Done::Already, None));
    }
    let was_told = before.map(|rest| rest.told.as_slice()).unwrap_or_default();
    let mut wait = Some(SEEN_AGAIN).filter(|_| !people.seeing.is_empty());
    let mut rest = PushRest {
        people: people.seeing,
        told: was_told.to_vec(),
    };
    if !people.away.is_empty() {
        let told = Told::of(ctx, scope, about, subject, &tenant, now).await?;
        let one = |user: UserId| {
            let told = &told;
            Box::pin(async move { (user, told.notify(user, was_told).await) })
        };
        let all: Vec<(UserId, Sent)> = stream::iter(people.away)
            .map(one)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for (user, sent) in all {
            if sent.again_after.is_some() {
                rest.people.push(user);
                rest.told.extend(sent.told);
                wait = wait.max(sent.again_after);
            }
        }
    }
    let left = wait
        .filter(|wait| now.duration_since(at) + *wait <= TOO_LATE)
        .map(|wait| {
            let rest = Some(rest);
            (PushJob { rest, ..job.body }, wait)
        });
    Ok((Done::Now, left))
}

/// The outcome for a person.
#[derive(Debug, Default)]
struct Sent {
    /// The devices that were told now.
    told: Vec<PushSubscriptionId>,
    /// Others are to be tried again, after this time at the earliest.
    again_after: Option<SignedDuration>,
}

/// The outcome for a device.
enum Outcome {
    /// Told, or there is nobody to be told.
    Told,
    /// It is to be tried again, after this time at the earliest.
    Later(SignedDuration),
}

/// A subject to tell people of.
struct Told<'a> {
    ctx: &'a Context,
    scope: &'a TenantScope,
    about: &'a About,
    subject: Subject,
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
        about: &'a About,
        subject: Subject,
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<Self, JobError> {
        let name = match subject.contact() {
            Some(contact) => ctx.store.profile(scope, contact).await?.name,
            None => None,
        };
        let text = subject.text(ctx, scope, now).await?;
        Ok(Self {
            ctx,
            scope,
            about,
            subject,
            now,
            time: now.to_zoned(tenant.time_zone.rules().clone()).time(),
            limit: TimeLimit::of(WITHIN),
            name: name.map(|name| name.to_string()),
            text,
        })
    }

    /// Notifies a person on all devices but those that were told.
    async fn notify(&self, user: UserId, was_told: &[PushSubscriptionId]) -> Sent {
        match self.try_notify(user, was_told).await {
            Ok(sent) => sent,
            Err(error) => self.postpone(&error),
        }
    }

    /// The table, or the key, does not answer.
    fn postpone(&self, error: &JobError) -> Sent {
        tracing::warn!(tenant = %self.scope.tenant(), %error, "somebody cannot be notified now");
        Sent {
            told: Vec::new(),
            again_after: Some(AGAIN_AFTER),
        }
    }

    async fn try_notify(&self, user: UserId, was_told: &[PushSubscriptionId]) -> Result<Sent, JobError> {
        let store = &self.ctx.store;
        let (account, devices) = futures::try_join!(store.account(user), store.push_subscriptions(user, self.now))?;
        let Some(account) = account.map(|account| account.value) else {
            return Ok(Sent::default());
        };
        let wished = account.preferences.notifications;
        let wants = self.about.is_wanted(&wished, user, self.subject.assignee(), self.time);
        if devices.is_empty() || !wants {
            return Ok(Sent::default());
        }
        let text = self.text.as_deref().filter(|_| wished.texts);
        let (tenant, name) = (self.scope.tenant(), self.name.as_deref());
        let notification = self.subject.notification(tenant, name, text);
        let left = devices.into_iter().filter(|device| !was_told.contains(&device.id));
        let one = |device: PushSubscription| {
            let (account, notification) = (&account, &notification);
            async move { (device.id, self.send(&device, account, notification).await) }
        };
        let mut sent = Sent::default();
        for (device, outcome) in futures::future::join_all(left.map(one)).await {
            let again = match outcome {
                Ok(Outcome::Told) => {
                    sent.told.push(device);
                    None
                }
                Ok(Outcome::Later(wait)) => Some(wait),
                Err(error) => self.postpone(&error).again_after,
            };
            sent.again_after = sent.again_after.max(again);
        }
        Ok(sent)
    }

    async fn send(
        &self,
        device: &PushSubscription,
        account: &Account,
        notification: &Notification,
    ) -> Result<Outcome, JobError> {
        let ctx = self.ctx;
        let store = &ctx.store;
        let session = store.session(device.user, device.session).await?;
        let lasts =
            session.is_some_and(|session| !account.has_ended(&session.value) && session.value.expires_at > self.now);
        // Whoever logged out is not told, and the operator may allow fewer services by now.
        if !lasts || account.ended_sessions.has(device.session) || !ctx.services.allow(&device.endpoint) {
            store.forget_push_subscription(device.user, device.id).await?;
            return Ok(Outcome::Told);
        }
        let Some(authorization) = ctx
            .keys
            .authorization(store, device.endpoint.as_str(), &ctx.subject, self.now)
            .await
            .map_err(job_error_of)?
        else {
            return Ok(Outcome::Told);
        };
        let json = serde_json::to_vec(notification).map_err(|error| JobError::new(error.to_string()))?;
        let topic = notification.topic();
        let sending = ctx.client.send(device, &json, &authorization, &topic);
        let Ok(sent) = self.limit.keep(sending).await else {
            return Ok(Outcome::Later(AGAIN_AFTER));
        };
        match sent {
            Ok(Pushed::Taken) => {
                line::count("pushed", 1);
                Ok(Outcome::Told)
            }
            Ok(Pushed::Gone) | Err(_) => {
                store.forget_push_subscription(device.user, device.id).await?;
                Ok(Outcome::Told)
            }
            Ok(Pushed::Refused(status)) => {
                metric::count("push_refused", &[]);
                tracing::warn!(status, "a push service refuses a notification");
                Ok(Outcome::Told)
            }
            Ok(Pushed::Later(error)) => {
                tracing::warn!(error = kit::chain(&error), "a push service takes nothing now");
                let wait = match error {
                    Unavailable::Status { retry_after, .. } => retry_after,
                    Unavailable::Failed(_) => None,
                };
                Ok(Outcome::Later(wait.unwrap_or(AGAIN_AFTER).max(AGAIN_AFTER)))
            }
        }
    }
}

fn job_error_of(error: PushError) -> JobError {
    match error {
        PushError::Table(error) => error.into(),
        PushError::Secrets(_) | PushError::Crypto(_) => JobError::new(kit::chain(&error)),
    }
}
