//! Deciding a call: reading what the decision is made from, deciding, and committing what follows.

use domain::Timestamp;
use domain::automations::Findings;
use domain::calls::{Call, CallProgress};
use domain::inbox::{Conversation, Happening, What};
use domain::messages::{CallView, Material, Message, Needs, Remark, World};
use domain::people::{Contact, Identity, Person, Profile, consent_id, is_persons_name};
use domain::telephony::{CallFacts, Direction, Outcome, Party};
use domain::tenants::{TenantConfig, called_line};
use domain::terms::{CallId, CampaignId, CancelEvent, ContactId, ConversationId, Reason, Refusal};
use flows::inbox::{Assigning, note_for_team};
use jobs::CallJob;
use kit::{Done, Job, JobError, crash};
use store::campaigns::DripEntry;
use store::contacts::{ContactWrite, Lead, ProfileWrite, Refusals};
use store::inbox::OnLine;
use store::messages::NewLink;
use store::table::effects::{Consent, Effects, Once};
use store::tenants::TenantRow;
use store::{Along, StoreError, TenantScope, Versioned};

use crate::{Context, identity, let_rest, queue};

/// Rows that lead to the caller, as far as they are read.
pub(crate) struct KnownCaller {
    /// Rows found by the caller's number.
    pub(crate) led: Option<Lead>,
    /// The earlier decision, if the call was decided without a message.
    pub(crate) before: Option<Box<Call>>,
}

/// A call to decide, with what is known before its caller is read.
struct Deciding<'a> {
    scope: &'a TenantScope,
    config: &'a TenantConfig,
    outcome: Outcome,
    /// The caller's identity.
    identity: Identity,
    /// Line of the conversation that the call concerns.
    on: Option<OnLine>,
    now: Timestamp,
    ctx: &'a Context,
}

/// The caller and the rows that were read along with them.
struct ReadCaller {
    person: Person,
    /// Whether the caller has no contact yet.
    is_new: bool,
    refusals: Refusals,
    along: Along,
    /// Needs that were guessed. They hold for a new caller who refuses nothing.
    guessed: Needs,
}

/// A decision with everything that follows from it, not written yet.
struct Decided {
    progress: CallProgress,
    call: Call,
    person: ContactWrite,
    message: Option<Message>,
    /// Messages that it ends.
    ended: Vec<Message>,
    consent: Vec<Consent>,
    links: Vec<NewLink>,
    conversation: Option<Versioned<Conversation>>,
    entered: Option<DripEntry>,
}

/// Decides the call: reads, decides, and commits its row, its contact and its follow-up in one transaction.
pub(crate) async fn decide_call(
    job: &Job<CallJob>,
    progress: CallProgress,
    outcome: Outcome,
    tenant: TenantRow,
    caller: KnownCaller,
    now: Timestamp,
    ctx: &Context,
) -> Result<Done, JobError> {
    let scope = job.scope();
    let KnownCaller { led, before } = caller;
    let Some(config) = ctx.store.config_of(scope, &ctx.config, tenant).await? else {
        return let_rest(progress, "tenant", now, scope, ctx).await;
    };
    let deciding = Deciding {
        scope,
        config: &config,
        outcome,
        identity: identity(&progress.facts, progress.connection),
        on: conversation_on(&progress.facts, outcome, &config),
        now,
        ctx,
    };
    let read = match Box::pin(deciding.read(&progress, led, before.as_deref())).await {
        Ok(read) => read,
        Err(error) if error.is_gone() => return let_rest(progress, "contact", now, scope, ctx).await,
        Err(error) => return Err(error.into()),
    };
    let decided = Box::pin(deciding.decide(progress, read, before)).await?;
    Box::pin(deciding.commit(decided)).await
}

impl Deciding<'_> {
    /// Reads the caller, and what the decision will probably need.
    ///
    /// Which rule decides depends on the caller. So it is worked out for one without history first, and what that rule needs is read with the
    /// caller (docs/decisions/0074). A wrong guess costs another read, never another decision.
    ///
    /// # Errors
    /// When the table does not answer, or the contact is gone or being deleted.
    async fn read(
        &self,
        progress: &CallProgress,
        led: Option<Lead>,
        before: Option<&Call>,
    ) -> Result<ReadCaller, StoreError> {
        let Self {
            scope,
            config,
            outcome,
            ref identity,
            on,
            now,
            ctx,
        } = *self;
        let first_seen = Contact::first_seen(ContactId::new(ctx.ids.ulid()), identity, now);
        if let Some(before) = before {
            let doing = "decide a call again";
            let found = ctx.store.known_person(scope, before.id.contact()).await?;
            return Ok(ReadCaller {
                person: found.ok_or(StoreError::Gone { doing })?,
                is_new: false,
                refusals: Refusals::default(),
                along: Along::default(),
                guessed: Needs::default(),
            });
        }
        let mut led = led.filter(|lead| lead.is_of(identity));
        loop {
            let is_fresh = led.is_none();
            let lead = match led.take() {
                Some(lead) => lead,
                None => ctx.store.lead_of(scope, identity).await?,
            };
            // Of a known caller only that they have called is known before their contact is read.
            let mut likely = first_seen.clone();
            likely.calls = u32::from(lead.to_contact());
            let profile = Profile::default();
            let call = view(progress, outcome, progress.call_id(likely.id));
            let world = World::of(config, &likely, &profile, Material::NONE, &[], now);
            let guessed = Findings::of(&call, &world).needs(&world);
            let (found, refusals, along) = match ctx.store.led_to(scope, lead, &guessed, on).await {
                Ok(read) => read,
                // Their erasure may have ended since what leads to them was read.
                Err(error) if error.is_gone() && !is_fresh => continue,
                Err(error) => return Err(error),
            };
            return Ok(ReadCaller {
                is_new: found.is_none(),
                person: found.unwrap_or_else(|| Person {
                    contact: first_seen,
                    profile: Profile::default(),
                }),
                refusals,
                along,
                guessed,
            });
        }
    }

    /// Decides the call: the first rule that matches says what follows. Reads what was not guessed.
    async fn decide(
        &self,
        mut progress: CallProgress,
        read: ReadCaller,
        before: Option<Box<Call>>,
    ) -> Result<Decided, JobError> {
        let Self {
            scope,
            config,
            outcome,
            ref identity,
            on,
            now,
            ctx,
        } = *self;
        let ReadCaller {
            person: Person {
                mut contact,
                mut profile,
            },
            is_new,
            refusals,
            along,
            guessed,
        } = read;
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
            None => self.cancel_waiting(&mut contact).await?,
            Some(before) => {
                forget_decision(&mut contact, before, &progress);
                Vec::new()
            }
        };
        let view = view(&progress, outcome, call_id);
        let world = World::of(config, &contact, &profile, Material::NONE, &[], now);
        let findings = Findings::of(&view, &world);
        let needs = if is_new && refusals.is_empty() {
            guessed
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
                let known = if is_new {
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
                        config,
                        contact: &contact,
                        now,
                    };
                    let noted = note_for_team(&ctx.store, scope, known, id, happening, assigning);
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
            keep_until: keep_until
                .or_else(|| Some(retention.call_until(progress.facts.started_at.unwrap_or(now), now))),
            version,
        };
        Ok(Decided {
            progress,
            call,
            person: ContactWrite {
                new_identities: if is_new { vec![identity.clone()] } else { Vec::new() },
                suppressed: refusals.suppressed,
                profile: named.then_some(ProfileWrite {
                    before: known_as,
                    after: profile,
                }),
                ..ContactWrite::from(contact)
            },
            message,
            ended,
            consent,
            links,
            conversation,
            entered,
        })
    }

    /// Cancels what waits for a caller who has been answered now.
    async fn cancel_waiting(&self, contact: &mut Contact) -> Result<Vec<Message>, StoreError> {
        if self.outcome != Outcome::Answered {
            return Ok(Vec::new());
        }
        let open = contact.open_to(CancelEvent::AnsweredCall);
        let open = self.ctx.planner.readable(self.scope, &open, self.now).await?;
        Ok(contact.answered_after_all(open))
    }

    /// Commits a decision in one transaction, then queues its message.
    async fn commit(&self, decided: Decided) -> Result<Done, JobError> {
        let Self {
            scope,
            outcome,
            now,
            ctx,
            ..
        } = *self;
        let effects = Effects {
            once: Once::Decided {
                progress: &decided.progress,
                call: &decided.call,
            },
            people: vec![decided.person],
            planned: decided.message.into_iter().collect(),
            ended: decided.ended,
            consent: decided.consent,
            links: decided.links,
            conversation: decided.conversation,
            entered: decided.entered,
            attachment: None,
        };
        let jobs = ctx.store.commit(scope, effects, now).await?;
        crash::point("process_call.committed");
        kit::line::count(outcome.as_str(), 1);
        queue(jobs, now, ctx).await?;
        Ok(Done::Now)
    }
}

/// Takes an earlier decision of a call out of what the contact has recorded: a late report says nothing about the calls since then. The call is
/// counted already, which the next decision must not see.
fn forget_decision(contact: &mut Contact, before: &Call, progress: &CallProgress) {
    let inbound = progress.facts.direction != Some(Direction::Outbound);
    contact.calls -= u32::from(inbound && contact.calls > 0);
    // Nobody answered it after all: only a later call's answer counts.
    if before.outcome == Outcome::Answered {
        // It was recorded no later than it was decided, perhaps without a time.
        let own = before.facts.last_heard().unwrap_or(progress.first_seen);
        let own = own.max(before.decided_at);
        contact.last_answered_at = contact.last_answered_at.filter(|at| *at > own);
    }
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
