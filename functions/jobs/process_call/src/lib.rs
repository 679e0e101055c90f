//! # How a call is decided
//!
//! Telephone systems report a call several times, in any order, late and twice. This function merges the reports, decides once which
//! message follows, and writes the decision. The terms are those of `docs/glossary.md`.
//!
//! 1. **Report.** A webhook proves who sent it, reads it into a [`CallEvent`](domain::telephony::CallEvent), and queues it in `calls`.
//! 2. **Merge** (`attempt`). The reports so far are one row, [`CallProgress`]. Merging is commutative and idempotent, so their order and number
//!    do not matter.
//! 3. **Verdict** ([`CallFacts::verdict`](domain::telephony::CallFacts::verdict)). Either the outcome is certain, or the call waits: its row is due at the time at which it
//!    can be decided with what is known, and `dispatch_due` sends a job then.
//! 4. **Read** (`Deciding::read`). The tenant's configuration comes from a cache. What leads to the caller is read with the first request. What the
//!    rules need to know is guessed from it ([`Findings::needs`](domain::automations::Findings::needs)), so that contact, conversation and material come with the next two
//!    (docs/decisions/0074). A wrong guess costs another read, never another decision.
//! 5. **Decide** (`Deciding::decide`, by [`Findings::decide`](domain::automations::Findings::decide)). The first rule that matches says what follows: a message, a drip, or nothing. The decision is a sentence and a code,
//!    also if nothing follows.
//! 6. **Compose.** A message is planned with its legs (`flows::messages`), as the page of `send_message` describes.
//! 7. **Commit** (`Deciding::commit`). One transaction writes call, contact, message, enrolment and conversation, under the condition that the call is
//!    not decided yet. Whoever loses that race begins again, and finds it decided.
//! 8. **Queue.** The message is queued after the commit. A worker that dies in between loses nothing: the message is in the due index.
//!
//! ## After the decision
//!
//! A late report adds its facts to the call (`after_decision`). If it changes the outcome and no message has followed, the call is decided
//! again, and says so. If the call turns out to be answered, its follow-up is cancelled as long as nothing has been sent.
//!
//! ## Why a call is not followed up twice, and not lost
//!
//! * The id of the message follows from the call, and both are written together.
//! * A report is stored before its webhook is answered with a 200: in the queue, then in the row.
//! * A call whose reports name nobody yet waits for one that does, for as long as a call can take.

mod decide;

use domain::Timestamp;
use domain::calls::{Call, CallProgress};
use domain::messages::Remark;
use domain::people::Identity;
use domain::telephony::{CallFacts, Direction, MAX_CALL, Outcome, Party, Verdict};
use domain::terms::{ConnectionId, Reason, Refusal, Timers};
use flows::messages::Planner;
use jobs::{CallJob, ToQueue};
use kit::{Clock, ConfigError, Done, Env, Ids, Job, JobError, Pages, QueueName, Queues, crash, metric};
use store::contacts::{Begun, ContactWrite};
use store::table::effects::{Effects, Once};
use store::tenants::{ConfigCache, TenantRow};
use store::{RACES, Store, StoreError, TenantScope};

use crate::decide::{KnownCaller, decide_call};

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    config: ConfigCache,
    queues: Queues,
    planner: Planner,
    timers: Timers,
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
            queues: Queues::new(env, &[QueueName::Sends, QueueName::Calls])?,
            timers,
            clock: env.clock().clone(),
            ids: env.ids().clone(),
        })
    }
}

kit::function!(serve_queue, Context::new, handle);

/// Merges one report, or checks whether a waiting call can be decided now.
pub async fn handle(job: Job<CallJob>, ctx: &Context) -> Result<Done, JobError> {
    RACES.until_won(|| Box::pin(attempt(&job, ctx))).await
}

async fn attempt(job: &Job<CallJob>, ctx: &Context) -> Result<Done, JobError> {
    let now = ctx.clock.now();
    let scope = job.scope();
    let ((provider, connection, provider_call_id), report) = match &job.body {
        CallJob::Reported { event, .. } => {
            let call = (event.provider, event.connection, event.provider_call_id.as_str());
            (call, Some(&event.facts))
        }
        CallJob::Decide {
            connection,
            provider,
            provider_call_id,
            ..
        } => ((*provider, *connection, provider_call_id.as_str()), None),
    };
    let caller = report.map(|facts| identity(facts, connection));
    let Begun {
        own: known,
        tenant,
        mut leads,
    } = ctx
        .store
        .begun_call(scope, provider, connection, provider_call_id, caller, now)
        .await?;
    let before = known.clone();
    let mut progress = match (known, report) {
        (Some(progress), _) if progress.decided.is_some() => {
            return Box::pin(after_decision(job, progress, report, tenant, ctx)).await;
        }
        (Some(progress), _) => progress,
        (None, Some(_)) => CallProgress {
            connection,
            provider,
            provider_call_id: provider_call_id.to_owned(),
            facts: CallFacts::default(),
            first_seen: now,
            decided: None,
            due: None,
            dispatches: 0,
            correlation_id: job.correlation_id().to_owned(),
            version: 0,
        },
        (None, None) => return Ok(kit::queue::finish_without_subject("call")),
    };
    if let Some(facts) = report {
        progress.facts.merge(facts.clone());
    }
    let verdict = match progress.facts.verdict(progress.first_seen, now, ctx.timers.decide_call) {
        // The report of a recording names nobody and may arrive before the one that does.
        Verdict::Decided(outcome) if names_nobody(&progress.facts) => {
            let expires = progress.first_seen + MAX_CALL;
            if now < expires {
                Verdict::Wait(expires)
            } else if progress.facts.direction.is_none() {
                return let_go(progress, before.as_ref(), now, scope, ctx).await;
            } else {
                Verdict::Decided(outcome)
            }
        }
        verdict => verdict,
    };
    match verdict {
        Verdict::Wait(until) => {
            progress.due = Some(until);
            let known = before.is_some_and(|before| before.facts == progress.facts && before.due <= progress.due);
            // Callers of a deleted business are not stored.
            if progress.version == 0 && !tenant.exists() {
                return Ok(kit::queue::finish_without_subject("tenant"));
            }
            let jobs = if known {
                vec![ToQueue::look(scope.tenant(), progress, until)]
            } else {
                progress.dispatches = 0;
                let jobs = write_progress(&progress, now, scope, ctx).await?;
                crash::point("process_call.waiting");
                jobs
            };
            // For a report that is known already, only a redelivery may have died before this point.
            if report.is_some() && (!known || job.was_delivered_before()) {
                ctx.queues.enqueue(jobs, now).await?;
            }
            Ok(if known { Done::Already } else { Done::Now })
        }
        Verdict::Decided(outcome) => {
            let caller = KnownCaller {
                led: leads.pop(),
                before: None,
            };
            Box::pin(decide_call(job, progress, outcome, tenant, caller, now, ctx)).await
        }
    }
}

/// Ends the wait for a call without a caller: no report has said who called whom, so it is not a customer's call that a
/// business could act upon. The reports are kept, in case a late one names somebody.
async fn let_go(
    mut progress: CallProgress,
    before: Option<&CallProgress>,
    now: Timestamp,
    scope: &TenantScope,
    ctx: &Context,
) -> Result<Done, JobError> {
    progress.due = None;
    if before.is_some_and(|before| before.facts == progress.facts && before.due.is_none()) {
        return Ok(Done::Already);
    }
    write_progress(&progress, now, scope, ctx).await?;
    kit::line::count("of_nobody", 1);
    metric::count("call_of_nobody", &[("provider", progress.provider.as_str())]);
    Ok(Done::Now)
}

/// Ends the wait for a call whose contact or tenant is being deleted: it is not due any more.
async fn let_rest(
    mut progress: CallProgress,
    what: &'static str,
    now: Timestamp,
    scope: &TenantScope,
    ctx: &Context,
) -> Result<Done, JobError> {
    if progress.version > 0 {
        progress.due = None;
        write_progress(&progress, now, scope, ctx).await?;
    }
    Ok(kit::queue::finish_without_subject(what))
}

/// Writes the merged reports of a call. While it waits, a job follows as soon as it can be decided.
async fn write_progress(
    progress: &CallProgress,
    now: Timestamp,
    scope: &TenantScope,
    ctx: &Context,
) -> Result<Vec<ToQueue>, StoreError> {
    let effects = Effects {
        once: Once::Reported(progress),
        ..Effects::default()
    };
    ctx.store.commit(scope, effects, now).await
}

/// Whether no report so far says who the customer is, not even that the number is hidden.
const fn names_nobody(facts: &CallFacts) -> bool {
    match facts.direction {
        Some(Direction::Outbound) => facts.to.is_none(),
        Some(Direction::Inbound) | None => facts.from.is_none(),
    }
}

/// The identity of the customer.
fn identity(facts: &CallFacts, connection: ConnectionId) -> Identity {
    match facts.customer() {
        Party::Phone(phone) => Identity::Phone(phone.clone()),
        Party::Sip(address) => Identity::Sip(address.clone()),
        Party::Withheld => Identity::Withheld(connection),
    }
}

async fn queue(jobs: Vec<ToQueue>, now: Timestamp, ctx: &Context) -> Result<(), JobError> {
    if ctx.queues.enqueue(jobs, now).await? > 0 {
        crash::point("process_call.enqueued");
    }
    Ok(())
}

/// Handles a report on a decided call. A redelivery makes sure that the next step is queued; a late report adds its facts
/// to the call. If no message follows the call and its outcome is different from the decided one, it is decided again.
async fn after_decision(
    job: &Job<CallJob>,
    mut progress: CallProgress,
    report: Option<&CallFacts>,
    tenant: TenantRow,
    ctx: &Context,
) -> Result<Done, JobError> {
    let scope = job.scope();
    let now = ctx.clock.now();
    let call = match progress.decided {
        Some(id) => ctx.store.call(scope, id, now).await?,
        None => None,
    };
    let Some(mut call) = call else {
        return Ok(kit::queue::finish_without_subject("call"));
    };
    if job.was_delivered_before()
        && let Some(id) = call.message
        && let Some(message) = ctx.store.message(scope, id, now).await?
        && message.attempts.is_empty()
        && message.ended.is_none()
    {
        queue(vec![ToQueue::send(scope.tenant(), &message)], now, ctx).await?;
    }
    let Some(report) = report else {
        return Ok(Done::Already);
    };
    let before = call.facts.clone();
    call.learn(report.clone(), progress.first_seen);
    if call.facts == before {
        return Ok(Done::Already);
    }
    if before.voicemail_seconds.is_none()
        && let Some(seconds) = call.facts.voicemail_seconds
    {
        let sentence = format!("the caller left a recording of {seconds} s");
        let remark = Refusal::new(Reason::Recording, sentence).and("seconds", seconds);
        call.remarks.push(Remark::new(now, remark));
    }
    let verdict = |facts: &CallFacts| facts.verdict(progress.first_seen, now, ctx.timers.decide_call);
    if let Verdict::Decided(outcome) = verdict(&call.facts)
        && call.message.is_none()
        && outcome != call.outcome
        && call.facts.customer() == before.customer()
    {
        // The call keeps the facts of its earlier decision until the next.
        progress.facts = std::mem::replace(&mut call.facts, before);
        let caller = KnownCaller {
            led: None,
            before: Some(Box::new(call)),
        };
        return Box::pin(decide_call(job, progress, outcome, tenant, caller, now, ctx)).await;
    }
    let answered = |facts: &CallFacts| verdict(facts) == Verdict::Decided(Outcome::Answered);
    if answered(&call.facts) && !answered(&before) {
        // The first write: if the next one fails, the report is retried and finds nothing left to cancel.
        Box::pin(cancel_follow_up(scope, &call, progress.first_seen, now, ctx)).await?;
        let remark = Refusal::new(Reason::AnsweredAfterAll, "reported later: the call was answered");
        call.remarks.push(Remark::new(now, remark));
    }
    ctx.store.write_call(scope, &call).await?;
    Ok(Done::Now)
}

/// Cancels the follow-up of a call that turned out to be answered, if that is still possible, and takes the call off the contact's missed
/// ones.
async fn cancel_follow_up(
    scope: &TenantScope,
    call: &Call,
    first_seen: Timestamp,
    now: Timestamp,
    ctx: &Context,
) -> Result<(), JobError> {
    let Some(own) = call.message else {
        return Ok(());
    };
    let Some(mut contact) = ctx.store.contact(scope, call.id.contact()).await? else {
        return Ok(());
    };
    let before = contact.clone();
    if call.outcome.nobody_answered() {
        contact.not_missed(call.noted_time(first_seen));
    }
    let own = ctx.planner.readable(scope, &[own], now).await?;
    let ended = contact.answered_after_all(own);
    if !ended.is_empty() {
        contact.record_answered_call(call.facts.last_heard().unwrap_or(first_seen).min(now));
    }
    let changed = contact != before;
    let effects = Effects {
        people: changed.then(|| ContactWrite::from(contact)).into_iter().collect(),
        ended,
        ..Effects::default()
    };
    ctx.store.commit(scope, effects, now).await?;
    Ok(())
}
