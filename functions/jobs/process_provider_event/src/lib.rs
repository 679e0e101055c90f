//! # What providers report
//!
//! A webhook proves who sent an event and queues its bytes in `provider-events`. This function reads them into updates and works on each. If
//! one fails, the others are still processed, and the whole event is retried.
//!
//! | update | from | what it does | where |
//! | --- | --- | --- | --- |
//! | status | WhatsApp, Twilio | moves an attempt of ours forward: sent, delivered, read, failed. One that is reported before our own record is parked under the provider's reference | `status` |
//! | message | WhatsApp, Twilio | is stored with its conversation, and takes effect (below) | `inbound` |
//! | message of the shop's own telephone, or of another app | WhatsApp | is shown, and ends the customer's wait | `by_phone` |
//! | handover | WhatsApp | says who answers the customer now | `handover` |
//! | call, marketing preference, changed identity | WhatsApp | opens the service window; is a wish; leads to the same contact | `inbound` |
//! | template, account, limits | WhatsApp | changes what is known of templates, connection and number | here |
//! | unknown | any | is kept as it came, counted, and does nothing | here |
//!
//! ## What a customer's message does
//!
//! In one transaction with its own row: it opens the service window, applies STOP and START, marks the conversation unread and reopens it,
//! counts as the answer to a message of ours, recovers missed calls, cancels the follow-up that it makes unnecessary, ends a drip, and makes
//! the automatic answer. Files are fetched afterwards (`fetch_media`). Everybody who is known by the writer's number or id is changed alike:
//! two contacts can prove to be the same person.
//!
//! ## Why it is safe to run twice
//!
//! Statuses only move forward. A customer's message is stored once, under the id that its reference keeps. Its automatic answer has an id
//! that follows from it. Consent changes only where it differs, and of signs of who answers the latest one counts.

mod answer;
mod by_phone;
mod handover;
mod inbound;
mod status;

use domain::Timestamp;
use domain::messages::{Delivery, Update};
use domain::people::{Change, Contact, consent_id};
use domain::templates::{Cause, TemplateReport, TemplateStatus, sync_operation};
use domain::tenants::{Account, Connection, Health, Reported};
use domain::terms::{Classified, ConnectionId, ContactId, Effect, Phone, Timers};
use flows::messages::Planner;
use jobs::{EventSource, Payload, ProviderEvent, ToQueue};
use kit::{Clock, ConfigError, Done, Env, Ids, Job, JobError, Pages, QueueName, Queues, RawBucket, Seldom, metric};
use providers::{form, twilio, whatsapp};
use store::tenants::ConfigCache;
use store::{RACES, Store, StoreError, TenantScope};

/// Minutes between two looks of a process at whether a connection's webhooks are noted as arriving.
const LOOKED_AT_EVERY: i64 = 5;

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    config: ConfigCache,
    queues: Queues,
    raw: RawBucket,
    planner: Planner,
    timers: Timers,
    clock: Clock,
    ids: Ids,
    heard: Seldom<ConnectionId>,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let store = env.store()?;
        let timers = env.config().timers()?;
        Ok(Self {
            planner: Planner::new(store.clone(), Pages::new(env)?, timers),
            store,
            config: ConfigCache::default(),
            queues: Queues::new(env, &[QueueName::Sends, QueueName::BulkSends, QueueName::Media])?,
            raw: RawBucket::new(env)?,
            timers,
            clock: env.clock().clone(),
            ids: env.ids().clone(),
            heard: Seldom::minutes(LOOKED_AT_EVERY),
        })
    }
}

/// An event, shared by its updates.
struct Event<'a> {
    scope: &'a TenantScope,
    ctx: &'a Context,
    connection: ConnectionId,
    /// The provider of the ids, as in keys.
    api: &'static str,
    correlation_id: &'a str,
    redelivered: bool,
}

kit::function!(serve_queue, Context::new, handle);

/// Processes every update of the event. If one fails, the others are still processed; the whole event is retried.
pub async fn handle(job: Job<ProviderEvent>, ctx: &Context) -> Result<Done, JobError> {
    let body = match &job.body.payload {
        Payload::Inline(body) => body.clone(),
        Payload::Stored(key) => {
            let Some(bytes) = ctx.raw.read_raw(key).await? else {
                tracing::error!(key, "a stored event is no longer in the bucket");
                return Ok(kit::queue::finish_without_subject("event"));
            };
            String::from_utf8(bytes)?
        }
    };
    let (api, first, updates) = updates(&job.body.source, &body, job.body.received_at)?;
    let event = Event {
        scope: job.scope(),
        ctx,
        connection: job.body.connection,
        api,
        correlation_id: job.correlation_id(),
        redelivered: job.was_delivered_before(),
    };
    event.note_report(job.body.received_at).await;
    let mut done = Done::Already;
    let mut failed: Option<JobError> = None;
    let (mut unknown, mut cut) = (false, false);
    for (update, place) in updates.into_iter().zip(first.place..) {
        let delivery = Delivery { place, ..first };
        unknown |= matches!(update, Update::Unknown { .. });
        cut |= matches!(&update, Update::Message(message) | Update::ByPhone(message) if message.cut);
        match Box::pin(event.work(update, delivery)).await {
            Ok(Done::Now) => done = Done::Now,
            Ok(Done::Already) => {}
            Err(error) if error.is_gone() => drop(kit::queue::finish_without_subject("contact")),
            // A temporary error makes the event come back; a permanent one is still permanent then.
            Err(error) => match &failed {
                Some(known) if !known.is_hopeless() => {}
                _ => failed = Some(error),
            },
        }
    }
    // After a redelivery it may be stored twice, which is better than not at all.
    if unknown || cut {
        let reason = if unknown { "unknown" } else { "cut" };
        ctx.raw.keep_raw(reason, api, body.into_bytes()).await?;
    }
    if cut {
        metric::count("message_cut", &[("provider", api)]);
    }
    failed.map_or(Ok(done), Err)
}

/// The API, the delivery of the first update, and all updates of an event.
fn updates(
    source: &EventSource,
    body: &str,
    received_at: Timestamp,
) -> Result<(&'static str, Delivery, Vec<Update>), JobError> {
    let whole = Delivery { received_at, place: 0 };
    Ok(match source {
        EventSource::WhatsApp => {
            let mut change: whatsapp::webhook::Change = serde_json::from_str(body)?;
            let first = Delivery {
                received_at: *change.received_at.get_or_insert(received_at),
                place: change.place,
            };
            ("whatsapp", first, whatsapp::webhook::updates(&change))
        }
        EventSource::TwilioInbound => {
            let form = form::parse(body.as_bytes());
            ("twilio", whole, twilio::message::inbound(&form, received_at))
        }
        EventSource::TwilioStatus { key } => {
            let form = form::parse(body.as_bytes());
            let status = twilio::message::status(&form, key.as_deref(), received_at);
            ("twilio", whole, status)
        }
    })
}

impl Event<'_> {
    /// Notes that a webhook of the connection was verified then, which people cannot know otherwise. The event counts more: if this fails,
    /// a later one notes it.
    async fn note_report(&self, at: Timestamp) {
        let ctx = self.ctx;
        if !ctx.heard.is_due(self.connection, ctx.clock.now()) {
            return;
        }
        let noted = RACES.until_won(|| ctx.store.note_report(self.scope, self.connection, at));
        if let Err(error) = noted.await {
            tracing::warn!(
                error = kit::chain(&error),
                "a verified report was not noted on its connection"
            );
        }
    }

    async fn work(&self, update: Update, delivery: Delivery) -> Result<Done, JobError> {
        match update {
            Update::Status(status) => Box::pin(self.status(status)).await,
            Update::Message(message) => self.message(message, delivery).await,
            Update::ByPhone(echo) => self.by_phone(echo).await,
            Update::WhatsAppCall { from, at, .. } => self.whatsapp_call(&from, at).await,
            Update::Handover { from, passed, at } => self.handover(&from, passed, at).await,
            Update::MarketingPreference { from, welcome, at } => self.marketing(&from, welcome, at).await,
            Update::IdentityChanged { previous, now } => self.identity_changed(&previous, &now).await,
            Update::Template(report) => self.template(&report).await,
            Update::Account {
                field,
                event,
                restricts,
            } => self.account(&field, &event, restricts).await,
            Update::Limits { number, reported } => self.limits(number.as_ref(), reported).await,
            Update::Unknown { kind } => {
                metric::count("unknown_type", &[("provider", self.api)]);
                tracing::warn!(kind, provider = self.api, "an event of a kind that we do not know");
                Ok(Done::Now)
            }
        }
    }

    async fn template(&self, report: &TemplateReport) -> Result<Done, JobError> {
        let connections = self.of_same_account().await?;
        let store = &self.ctx.store;
        // First, so that no verdict is waited for without it: its own report may be lost.
        if report.status.as_ref().is_some_and(TemplateStatus::is_awaited) {
            let now = self.ctx.clock.now();
            for connection in &connections {
                let operation = sync_operation(*connection, Cause::Submitted, now);
                store.create_own_operation(self.scope, &operation).await?;
            }
        }
        let noted = RACES.until_won(|| store.note_template(self.scope, &connections, report));
        Ok(done_if(noted.await?))
    }

    /// The event's connection and those of the same WhatsApp account: templates belong to the account, and only one of them
    /// gets the events.
    async fn of_same_account(&self) -> Result<Vec<ConnectionId>, JobError> {
        let connections = self.ctx.store.connections(self.scope).await?;
        let account = |connection: &Connection| match &connection.account {
            Account::WhatsApp(account) => Some(account.waba_id.clone()),
            _ => None,
        };
        let own = connections.iter().find(|connection| connection.id == self.connection);
        let own = own.and_then(account);
        let same = connections.iter().filter(|one| own.is_some() && account(one) == own);
        Ok(same.map(|connection| connection.id).collect())
    }

    /// Marks an account that may not send as unhealthy, so that its messages wait. Other news is only for people to read.
    async fn account(&self, field: &str, event: &str, restricts: bool) -> Result<Done, JobError> {
        metric::count("account_event", &[("provider", self.api)]);
        tracing::warn!(field, event, restricts, "the provider reports on the account");
        if !restricts {
            return Ok(Done::Now);
        }
        let Some(connection) = self.ctx.store.connection(self.scope, self.connection).await? else {
            return Ok(Done::Already);
        };
        let now = self.ctx.clock.now();
        let reason = format!("WhatsApp reports {event} for the account");
        let restrict = |mut current: Connection| {
            if current.health == Health::Healthy {
                current.health = Health::Unhealthy {
                    since: now,
                    reason: reason.clone(),
                    tried_at: now,
                };
            }
            current
        };
        if !self.change_connection(&connection, restrict).await? {
            return Ok(Done::Already);
        }
        metric::count("connection_unhealthy", &[]);
        Ok(Done::Now)
    }

    /// Records a number's rating and limits on its connection, and those of the whole business on all connections of the
    /// account: only one of them gets its events.
    async fn limits(&self, number: Option<&Phone>, reported: Reported) -> Result<Done, JobError> {
        let store = &self.ctx.store;
        let connections = store.connections(self.scope).await?;
        let numbers = connections.iter().filter_map(|connection| match &connection.account {
            Account::WhatsApp(account) => Some((connection, &account.waba_id, &account.display_number)),
            _ => None,
        });
        let own = numbers
            .clone()
            .find(|(connection, ..)| connection.id == self.connection);
        let mut done = Done::Already;
        for (connection, waba_id, display_number) in numbers {
            if own.is_none_or(|(_, waba, _)| waba != waba_id) {
                continue;
            }
            let its = if number == Some(display_number) {
                reported
            } else {
                reported.of_business()
            };
            let noted = RACES.until_won(|| store.note_reported(self.scope, connection, its));
            if noted.await? {
                done = Done::Now;
            }
        }
        Ok(done)
    }

    /// Effect of a failure on the connection that sent the message at this time.
    async fn effect_on_connection(
        &self,
        id: ConnectionId,
        error: &Classified,
        sent_at: Timestamp,
    ) -> Result<(), JobError> {
        use Effect::{ConnectionUnhealthy, PauseNumber, Throttle};

        if !matches!(error.effect, PauseNumber(_) | Throttle(_) | ConnectionUnhealthy) {
            return Ok(());
        }
        let Some(connection) = self.ctx.store.connection(self.scope, id).await? else {
            return Ok(());
        };
        let now = self.ctx.clock.now();
        let learn = |current: Connection| current.after_error(error, None, sent_at, now).unwrap_or(current);
        self.change_connection(&connection, learn).await?;
        Ok(())
    }

    /// As [`Store::change_connection`], again after each lost race.
    async fn change_connection(
        &self,
        seen: &Connection,
        change: impl Fn(Connection) -> Connection,
    ) -> Result<bool, StoreError> {
        let store = &self.ctx.store;
        let changed = RACES.until_won(|| store.change_connection(self.scope, seen, &change));
        changed.await
    }

    /// As [`Store::change_contact`], again after each lost race: a refusal reaches all contacts of the person. The id of its entry
    /// in their ledgers follows from the cause.
    async fn change_contact(
        &self,
        id: ContactId,
        at: Timestamp,
        cause: &str,
        change: impl Fn(&mut Contact) -> Change,
    ) -> Result<bool, StoreError> {
        let (store, consent) = (&self.ctx.store, consent_id(at, cause));
        let changed = RACES.until_won(|| Box::pin(store.change_contact(self.scope, id, consent, &change)));
        changed.await
    }

    /// Queues a message's next attempt; the due index is the safety net behind the queue.
    async fn queue(&self, message: &domain::messages::Message) -> Result<(), JobError> {
        let now = self.ctx.clock.now();
        let next = ToQueue::send(self.scope.tenant(), message).at(now);
        self.ctx.queues.enqueue(vec![next], now).await?;
        Ok(())
    }
}

const fn done_if(written: bool) -> Done {
    if written { Done::Now } else { Done::Already }
}
