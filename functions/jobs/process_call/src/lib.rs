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
//! 4. **Read** (`decide_call`). The tenant's configuration comes from a cache. What leads to the caller is read with the first request. What the
//!    rules need to know is guessed from it ([`Findings::needs`]), so that contact, conversation and material come with the next two
//!    (docs/decisions/0074). A wrong guess costs another read, never another decision.
//! 5. **Decide** ([`Findings::decide`](domain::automations::Findings::decide)). The first rule that matches says what follows: a message, a drip, or nothing. The decision is a sentence and a code,
//!    also if nothing follows.
//! 6. **Compose.** A message is planned with its legs (`kit::planning`), as the page of `send_message` describes.
//! 7. **Commit.** One transaction writes call, contact, message, enrolment and conversation, under the condition that the call is
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

use domain::{
    Timestamp,
    automations::Findings,
    calls::{Call, CallProgress},
    inbox::{Happening, What},
    messages::{CallView, Material, Needs, Remark, World},
    people::{Contact, Identity, Person, Profile, consent_id, is_persons_name},
    telephony::{CallFacts, Direction, MAX_CALL, Outcome, Party, Verdict},
    tenants::{TenantConfig, called_line},
    terms::{CallId, CampaignId, CancelEvent, ConnectionId, ContactId, ConversationId, Reason, Refusal, Timers},
};
use jobs::{CallJob, ToQueue};
use kit::{Clock, ConfigError, Done, Env, Ids, Job, JobError, Pages, Planner, QueueName, Queues, crash, metric};
use store::{
    Along, RACES, Store, StoreError, TenantScope,
    campaigns::DripEntry,
    contacts::{Begun, ContactWrite, Lead, ProfileWrite, Refusals},
    inbox::{Assigning, OnLine},
    table::effects::{Consent, Effects, Once},
    tenants::{ConfigCache, TenantRow},
};

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
        let store = Store::new(env.dynamodb(), env.config().text("TABLE_NAME")?);
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

/// Rows that lead to the caller, as far as they are read.
struct KnownCaller {
    /// Rows found by the caller's number.
    led: Option<Lead>,
    /// The earlier decision, if the call was decided without a message.
    before: Option<Box<Call>>,
}

/// Decides the call: writes its row, its contact and its follow-up in one transaction, then queues the message.
async fn decide_call(
    job: &Job<CallJob>,
    mut progress: CallProgress,
    outcome: Outcome,
    tenant: TenantRow,
    caller: KnownCaller,
    now: Timestamp,
    ctx: &Context,
) -> Result<Done, JobError> {
    let scope = job.scope();
    let KnownCaller { led, before } = caller;
    let identity = identity(&progress.facts, progress.connection);
    let Some(config) = ctx.store.config_of(scope, &ctx.config, tenant).await? else {
        return let_rest(progress, "tenant", now, scope, ctx).await;
    };
    let first_seen = Contact::first_seen(ContactId::new(ctx.ids.ulid()), &identity, now);
    let on = conversation_on(&progress.facts, outcome, &config);
    let (expected, found) = match &before {
        Some(before) => {
            let doing = "decide a call again";
            let found = ctx.store.known_person(scope, before.id.contact()).await?;
            let found = found.map(|found| (Some(found), Refusals::default(), Along::default()));
            (Needs::default(), found.ok_or(StoreError::Gone { doing }))
        }
        None => {
            let mut led = led.filter(|lead| lead.is_of(&identity));
            loop {
                let is_fresh = led.is_none();
                let lead = match led.take() {
                    Some(lead) => lead,
                    None => ctx.store.lead_of(scope, &identity).await?,
                };
                // Of a known caller only that they have called is known before their contact is read.
                let mut likely = first_seen.clone();
                likely.calls = u32::from(lead.to_contact());
                let profile = Profile::default();
                let call = view(&progress, outcome, progress.call_id(likely.id));
                let world = World::of(&config, &likely, &profile, Material::NONE, &[], now);
                let needs = Findings::of(&call, &world).needs(&world);
                let found = ctx.store.led_to(scope, lead, &needs, on).await;
                // Their erasure may have ended since what leads to them was read.
                if is_fresh || !found.as_ref().is_err_and(StoreError::is_gone) {
                    break (needs, found);
                }
            }
        }
    };
    let (found, refusals, along) = match found {
        Ok(found) => found,
        Err(error) if error.is_gone() => return let_rest(progress, "contact", now, scope, ctx).await,
        Err(error) => return Err(error.into()),
    };
    let new = found.is_none();
    let Person {
        mut contact,
        mut profile,
    } = found.unwrap_or_else(|| Person {
        contact: first_seen,
        profile: Profile::default(),
    });
    let (known_as, deleted_at) = (profile.clone(), contact.deleted_at);
    // A call that is decided again stays where it is, although its contact may have been merged into another.
    let call_id = before
        .as_ref()
        .map_or_else(|| progress.call_id(contact.id), |call| call.id);
    // A new caller on the suppression list, or who was erased, still refuses what they refused.
    let entries = refusals.pass_on(&mut contact).into_iter().zip(0..);
    let consent = entries.map(|(entry, place)| Consent {
        contact: contact.id,
        id: consent_id(now, &format!("{call_id}#{place}")),
        entry,
    });
    let consent: Vec<Consent> = consent.collect();
    let inbound = progress.facts.direction != Some(Direction::Outbound);
    let mut ended = match &before {
        None if outcome == Outcome::Answered => {
            let open = contact.open_to(CancelEvent::AnsweredCall);
            let open = ctx.planner.readable(scope, &open, now).await?;
            contact.answered_after_all(open)
        }
        None => Vec::new(),
        // A late report says nothing about the calls since then. This call is counted already, which the decision must not
        // see.
        Some(before) => {
            contact.calls -= u32::from(inbound && contact.calls > 0);
            // Nobody answered it after all: only a later call's answer counts.
            if before.outcome == Outcome::Answered {
                // It was recorded no later than it was decided, perhaps without a time.
                let own = before.facts.last_heard().unwrap_or(progress.first_seen);
                let own = own.max(before.decided_at);
                contact.last_answered_at = contact.last_answered_at.filter(|at| *at > own);
            }
            Vec::new()
        }
    };
    let view = view(&progress, outcome, call_id);
    let world = World::of(&config, &contact, &profile, Material::NONE, &[], now);
    let findings = Findings::of(&view, &world);
    let needs = if new && refusals.is_empty() {
        expected
    } else {
        findings.needs(&world)
    };
    let random = needs.links().then(|| ctx.ids.secret()).transpose()?;
    let gathered = ctx.planner.gather(scope, &needs, random, &along, now).await?;
    let decision = findings.decide(&World {
        material: &gathered.material,
        open: &gathered.open,
        ..world
    });
    let (sentence, reason) = (decision.sentence().to_owned(), decision.reason().as_str().to_owned());
    let because = decision.facts().clone();
    let named = if before.is_some() {
        contact.calls += u32::from(inbound);
        false
    } else {
        note_call(&mut contact, &mut profile, &progress.facts, now)
    };
    if outcome == Outcome::Answered {
        // A clock that is ahead would refuse later follow-ups.
        contact.record_answered_call(view.last_heard().min(now));
    }
    let earlier = before.as_ref().map(|before| NotedCall {
        outcome: before.outcome,
        at: before.noted_time(progress.first_seen),
    });
    let (began, until) = (view.started_at.min(now), view.last_heard().min(now));
    let (recovered, noted_at) = note_outcome(&mut contact, &progress.facts, outcome, began, earlier);
    let (mut message, mut links) = (None, Vec::new());
    if let Ok(composed) = decision.follow_up {
        let follows = progress.correlation_id.clone();
        let planned = ctx.planner.plan(scope, composed, &mut contact, gathered, follows, now);
        let planned = planned.await?;
        ended.extend(planned.ended);
        (message, links) = (Some(planned.message), planned.links);
    }
    // A call that is followed by a message is not decided again, so it enrols the caller once.
    let entered = match decision.enroll {
        Some(drip) => Box::pin(entry(scope, &contact, drip, now, ctx)).await?,
        None => None,
    };
    progress.decided = Some(call_id);
    progress.due = None;
    // The team sees a missed call once, also if its outcome was reported as another first.
    let seen = earlier.is_some_and(|noted| progress.facts.is_missed(noted.outcome));
    let conversation = match on {
        Some(OnLine(line)) if !(seen && progress.facts.is_missed(outcome)) => {
            let id = ConversationId::of(contact.id, line);
            let known = if new {
                None
            } else {
                ctx.store.conversation_along(scope, id, &along).await?
            };
            if outcome == Outcome::Answered {
                let tell_after = config.tenant.inbox.unwrap_or_default().notify_after();
                known.and_then(|mut known| known.value.note_talk(until, tell_after).then_some(known))
            } else {
                let what = What::Missed(call_id);
                let happening = Happening { at: began, what };
                let assigning = Assigning {
                    config: &config,
                    contact: &contact,
                    now,
                };
                let noted = ctx.store.noted_for_team(scope, known, id, happening, assigning);
                Some(Box::pin(noted).await?)
            }
        }
        _ => None,
    };
    Box::pin(ctx.store.show_conversations(scope, deleted_at, &contact)).await?;
    let retention = config.tenant.retention.unwrap_or_default();
    let (mut decided_again, mut remarks, mut version, mut keep_until) = (0, Vec::new(), 1, None);
    let recovered = recovered + before.as_ref().map_or(0, |before| before.recovered);
    if let Some(before) = before {
        let sentence = format!(
            "decided again: the outcome of the call was reported later. Before: {}",
            before.decision
        );
        let remark = Refusal::new(Reason::DecidedAgain, sentence).and("before", before.reason.as_str());
        (remarks, version, keep_until) = (before.remarks, before.version + 1, before.keep_until);
        decided_again = before.decided_again + 1;
        remarks.push(Remark::new(now, remark));
    }
    let call = Call {
        id: call_id,
        connection: progress.connection,
        provider: progress.provider,
        provider_call_id: progress.provider_call_id.clone(),
        facts: progress.facts.clone(),
        outcome,
        decided_at: now,
        decision: sentence,
        reason,
        because,
        grounds: decision.grounds,
        message: message.as_ref().map(|message| message.id),
        decided_again,
        recovered,
        noted_at: Some(noted_at).filter(|at| *at != began),
        remarks,
        correlation_id: progress.correlation_id.clone(),
        keep_until: keep_until.or_else(|| Some(retention.call_until(progress.facts.started_at.unwrap_or(now), now))),
        version,
    };
    let effects = Effects {
        once: Once::Decided {
            progress: &progress,
            call: &call,
        },
        people: vec![ContactWrite {
            new_identities: if new { vec![identity] } else { Vec::new() },
            suppressed: refusals.suppressed,
            profile: named.then_some(ProfileWrite {
                before: known_as,
                after: profile,
            }),
            ..ContactWrite::from(contact)
        }],
        planned: message.into_iter().collect(),
        ended,
        consent,
        links,
        conversation,
        entered,
        attachment: None,
    };
    let jobs = ctx.store.commit(scope, effects, now).await?;
    crash::point("process_call.committed");
    kit::line::count(outcome.as_str(), 1);
    queue(jobs, now, ctx).await?;
    Ok(Done::Now)
}

/// The caller's entry into a drip, if it is open and the caller may enter it.
async fn entry(
    scope: &TenantScope,
    contact: &Contact,
    drip: CampaignId,
    now: Timestamp,
    ctx: &Context,
) -> Result<Option<DripEntry>, StoreError> {
    let (campaign, known) = ctx.store.campaign_and_enrolment(scope, contact, drip, now).await?;
    let former = known.as_ref().map(|known| &known.value);
    let entered = campaign.and_then(|campaign| campaign.enrol_contact(contact, former, now).ok());
    Ok(entered.map(|enrolment| DripEntry::new(enrolment, known.as_ref())))
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

fn view(progress: &CallProgress, outcome: Outcome, id: CallId) -> CallView<'_> {
    CallView {
        id,
        connection: progress.connection,
        facts: &progress.facts,
        outcome,
        started_at: progress.facts.started_at.unwrap_or(progress.first_seen),
    }
}

/// Updates the contact for a call. Returns whether its profile has changed.
fn note_call(contact: &mut Contact, profile: &mut Profile, facts: &CallFacts, now: Timestamp) -> bool {
    if facts.direction == Some(Direction::Outbound) {
        return false;
    }
    contact.calls += 1;
    contact.last_call_at = Some(now);
    contact.heard_again(facts.started_at.unwrap_or(now));
    if profile.name.is_some() {
        return false;
    }
    let name = facts.caller_name.as_ref();
    profile.name = name
        .filter(|name| is_persons_name(name, facts.customer().phone()))
        .cloned();
    let learnt = profile.name.is_some();
    contact.named |= learnt;
    contact.named_by_call |= learnt;
    learnt
}

/// The line of the conversation that a call concerns, if it was missed or answered. Who hides their number has none.
fn conversation_on(facts: &CallFacts, outcome: Outcome, config: &TenantConfig) -> Option<OnLine> {
    let concerns = outcome == Outcome::Answered || facts.is_missed(outcome);
    let is_known = *facts.customer() != Party::Withheld;
    (concerns && is_known).then(|| {
        let number = facts.business_number().and_then(Party::phone);
        let line = number.and_then(|number| called_line(&config.lines, number));
        OnLine(line.map(|line| line.id))
    })
}

/// A decided call in the contact's row.
#[derive(Clone, Copy)]
struct NotedCall {
    outcome: Outcome,
    /// The time that the contact has recorded for it.
    at: Timestamp,
}

/// Updates the contact's missed calls for one with this outcome and beginning, which may have been decided `earlier`.
/// Returns the number of missed calls that are recovered now, and the time that the contact records for this one. A call
/// by the business recovers them if the customer answers it, and is never a missed one.
fn note_outcome(
    contact: &mut Contact,
    facts: &CallFacts,
    outcome: Outcome,
    at: Timestamp,
    earlier: Option<NotedCall>,
) -> (u32, Timestamp) {
    // Everybody who hides their number is one contact, and the next caller is somebody else.
    if *facts.customer() == Party::Withheld {
        return (0, at);
    }
    let missed = |outcome: Outcome| facts.is_missed(outcome);
    match earlier {
        Some(noted) if noted.outcome == Outcome::Answered => contact.not_reached(noted.at),
        Some(noted) if missed(noted.outcome) => {
            if missed(outcome) {
                // It is among the missed ones, or recovered already.
                return (0, noted.at);
            }
            contact.not_missed(noted.at);
        }
        _ => {}
    }
    let recovered = match outcome {
        Outcome::Answered => contact.record_reaching_call(at),
        other if missed(other) => contact.missed_call(at),
        _ => 0,
    };
    (recovered, at)
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
