//! Takes over what shops report of their orders, and tells whoever ordered what is new, by the tenant's event messages.
//!
//! A report (see [`report`]) creates an order or adds to it. Then its news is told:
//!
//! 1. The order is read with its contact. If it is due, that it is late becomes news, unless the tenant lets orders wait for longer by now.
//!    Of the news that waits, only the latest is told; the rest is left untold.
//! 2. Messages about other news of the order that may still wait are ended: they are no longer true.
//! 3. The message is composed and planned as any other, or the reason why there is none is noted. That an order is late is noted for the
//!    tenant's people, too.
//!
//! Safe to run twice, and twice at the same time: the message, the ends of others and what became of the news are written in one transaction,
//! under the condition that the order is as it was read. News that is told, or left untold, waits no more. What was committed and not queued is
//! in the due index.

mod report;

use domain::campaigns::EventMessage;
use domain::messages::{CauseNews, Material, Message, Needs, OrderView, World, compose_message};
use domain::notices::Notice;
use domain::people::{Contact, Order, OrderEvent, Person, Untold};
use domain::tenants::TenantConfig;
use domain::terms::{CancelEvent, OrderId, Reason};
use flows::messages::{Planned, Planner};
use jiff::{SignedDuration, Timestamp};
use jobs::{CommerceJob, ToQueue};
use kit::{Clock, ConfigError, Done, Env, Ids, Job, JobError, Pages, QueueName, Queues, crash};
use store::contacts::{ContactWrite, KnownOrder};
use store::table::effects::{Effects, Once};
use store::tenants::ConfigCache;
use store::{Along, RACES, Store, TenantScope, Versioned};

/// Time until the next attempt if as many other messages to the contact wait as can.
const NO_ROOM: SignedDuration = SignedDuration::from_mins(10);

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    config: ConfigCache,
    planner: Planner,
    queues: Queues,
    clock: Clock,
    ids: Ids,
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
            queues: Queues::new(env, &[QueueName::Sends, QueueName::CommerceEvents])?,
            clock: env.clock().clone(),
            ids: env.ids().clone(),
        })
    }
}

kit::function!(serve_queue, Context::new, handle);

/// Processes a job of a shop.
///
/// # Errors
/// When the table or a queue does not answer, or the order or its contact was changed meanwhile.
pub async fn handle(job: Job<CommerceJob>, ctx: &Context) -> Result<Done, JobError> {
    match job.body {
        CommerceJob::TellNews { order, .. } => Box::pin(tell_news(job.scope(), order, ctx)).await,
        CommerceJob::Report { .. } => Box::pin(report::take_over(&job, ctx)).await,
    }
}

/// Outcome of the latest news.
enum Outcome {
    Told(Box<Planned>),
    Untold(Untold, Option<Reason>),
    /// There is no room for its message yet.
    Later,
}

async fn tell_news(scope: &TenantScope, id: OrderId, ctx: &Context) -> Result<Done, JobError> {
    let now = ctx.clock.now();
    let Some(Versioned { version, value }) = ctx.store.order(scope, id).await? else {
        return Ok(kit::queue::finish_without_subject("order"));
    };
    let KnownOrder {
        mut order,
        contact: mut person,
    } = value;
    let is_late = order.is_late(now);
    if !order.has_open_news() && !is_late {
        return Ok(Done::Already);
    }
    let Some(config) = ctx.store.config(scope, &ctx.config).await? else {
        return Ok(kit::queue::finish_without_subject("tenant"));
    };
    let before = order.clone();
    let becomes_late = is_late && order.note_late(config.tenant.late_after(), now);
    let (mut planned, mut links) = (Vec::new(), Vec::new());
    let mut ended = end_others(scope, &order, &mut person.contact, now, ctx).await?;
    order.withdraw_news(&ended.iter().map(|message| message.id).collect::<Vec<_>>());
    if let Some(event) = order.settle_older_news() {
        let outcome = decide(scope, &config, &mut order, event, &mut person, now, ctx).await?;
        let Some(news) = order.news_of(event) else {
            return Err(JobError::new("the news of an order is not there"));
        };
        match outcome {
            Outcome::Told(message) => {
                news.tell(message.message.id);
                ended.extend(message.ended);
                planned.push(message.message);
                links = message.links;
            }
            Outcome::Untold(why, refusal) => {
                news.leave_untold(why);
                news.refusal = refusal;
            }
            Outcome::Later => {
                let again = ToQueue::tell_news(scope.tenant(), id, now + NO_ROOM);
                ctx.queues.enqueue(vec![again], now).await?;
                return Ok(Done::Now);
            }
        }
    }
    if order == before && ended.is_empty() {
        // What was taken back had been sent.
        return Ok(Done::Already);
    }
    if becomes_late {
        // Before the order says so, since nobody comes back to it then.
        let notice = Notice::of_late_order(&order, now);
        RACES.until_won(|| ctx.store.record_notice(scope, &notice, now)).await?;
    }
    let changes_contact = !planned.is_empty() || !ended.is_empty();
    let effects = Effects {
        once: Once::Told {
            order: &order,
            before: version,
        },
        people: changes_contact
            .then(|| ContactWrite::from(person.contact))
            .into_iter()
            .collect(),
        planned,
        ended,
        links,
        ..Effects::default()
    };
    let jobs = ctx.store.commit(scope, effects, now).await?;
    crash::point("process_commerce_event.committed");
    ctx.queues.enqueue(jobs, now).await?;
    Ok(Done::Now)
}

/// Ends the messages that may still wait and are not about the latest event of an order. Returns those that it ended.
async fn end_others(
    scope: &TenantScope,
    order: &Order,
    contact: &mut Contact,
    now: Timestamp,
    ctx: &Context,
) -> Result<Vec<Message>, JobError> {
    let Some(latest) = order.latest_event() else {
        return Ok(Vec::new());
    };
    let open = contact.open_to(CancelEvent::Settled);
    let open = ctx.planner.readable(scope, &open, now).await?;
    Ok(contact.told_anew(order.id, latest, open))
}

/// Decides what becomes of the latest news, and notes its message in the contact.
async fn decide(
    scope: &TenantScope,
    config: &TenantConfig,
    order: &mut Order,
    event: OrderEvent,
    person: &mut Person,
    now: Timestamp,
    ctx: &Context,
) -> Result<Outcome, JobError> {
    let Some(news) = order.news_of(event).cloned() else {
        return Ok(Outcome::Untold(Untold::Withdrawn, None));
    };
    if news.is_too_old(now) {
        return Ok(Outcome::Untold(Untold::TooOld, None));
    }
    let messages: Vec<EventMessage> = ctx.store.all(scope).await?;
    let Some(said) = messages.into_iter().find(|said| said.event == event && said.enabled) else {
        return Ok(Outcome::Untold(Untold::Disabled, None));
    };
    let to = person.contact.recipient();
    if to.phone.is_none() && to.bsuid.is_none() {
        return Ok(Outcome::Untold(Untold::NoNumber, None));
    }
    let cause = CauseNews {
        order: order.id,
        event,
        at: news.at,
    };
    let view = OrderView {
        order,
        shipment: order.shipment_of(&news),
    };
    let content = said.content();
    let intent = said.intent(&content, cause, view, &config.tenant, &person.contact, now);
    let (contact, profile) = person.parts();
    let world = World::of(config, contact, profile, Material::NONE, &[], now);
    let needs = Needs::of(&intent, &world);
    let random = needs.links().then(|| ctx.ids.secret()).transpose()?;
    let gathered = ctx
        .planner
        .gather(scope, &needs, random, &Along::default(), now)
        .await?;
    let composed = compose_message(
        &intent,
        &World {
            material: &gathered.material,
            open: &gathered.open,
            ..world
        },
    );
    let composed = match composed {
        Ok(composed) => composed,
        Err(why) if why.reason == Reason::TooManyOpen => return Ok(Outcome::Later),
        Err(why) => return Ok(Outcome::Untold(Untold::Refused, Some(why.reason))),
    };
    let follows = order.id.to_string();
    let planned = ctx
        .planner
        .plan(scope, composed, &mut person.contact, gathered, follows, now);
    Ok(Outcome::Told(Box::new(planned.await?)))
}
