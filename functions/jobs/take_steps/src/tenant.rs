//! Taking the steps of the contacts of one tenant.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use domain::Timestamp;
use domain::accounts::Member;
use domain::campaigns::{Action, Campaign, Enrolment, Scene, Turn, WrittenSteps, conversion_refusal};
use domain::messages::{Cause, CauseStep, Message};
use domain::people::{ChangeIn, Conversion, Edit, Note, Person, Stage, Tag};
use domain::tenants::{TenantConfig, recipient_zone};
use domain::terms::{CampaignId, CampaignState, ContactId, MessageId, NoteId, Reason, Refusal, Stamp, UserId, Zone};
use futures::{StreamExt as _, stream};
use jiff::SignedDuration;
use jobs::ToQueue;
use kit::{JobError, crash};
use store::campaigns::DueStep;
use store::contacts::{Brought, NotCreated, PersonError};
use store::{LostRace as _, StoreError, TenantScope, Versioned};

use crate::{Context, InRun, LATER};

/// Contacts whose steps are taken at the same time.
pub(crate) const AT_ONCE: usize = 8;

/// Wait between looks at a step of a paused drip, at first: the drip may have been resumed.
const PAUSE_LOOK: SignedDuration = SignedDuration::from_mins(10);
/// Longest time until the next look at a paused drip, and the time until that at a message that others or a cap keep back.
pub(crate) const LIMIT_LOOK: SignedDuration = SignedDuration::from_hours(1);

/// A tenant with due steps.
pub(crate) struct Tenant<'a> {
    pub(crate) ctx: &'a Context,
    pub(crate) scope: TenantScope,
    pub(crate) now: Timestamp,
    pub(crate) place: InRun,
    pub(crate) tally: BTreeMap<&'static str, u64>,
}

/// The rows that the steps of some contacts need.
pub(crate) struct Rows {
    pub(crate) config: Arc<TenantConfig>,
    pub(crate) campaigns: HashMap<CampaignId, Versioned<Campaign>>,
    pub(crate) steps: HashMap<(CampaignId, u32), WrittenSteps>,
    people: HashMap<ContactId, Person>,
    last: HashMap<MessageId, Message>,
}

/// Somebody whose message is to be made.
pub(crate) struct Ready {
    pub(crate) enrolment: Versioned<Enrolment>,
    pub(crate) person: Person,
    /// The step with the message.
    pub(crate) step: CauseStep,
    /// Time zone of the contact.
    pub(crate) zone: Zone,
    /// The enrolment's due time.
    pub(crate) due: Timestamp,
}

/// Outcome of a look at an enrolment.
enum Looked {
    /// It is to be written, over this version.
    Done(u64, Box<Enrolment>),
    /// A message is to be made.
    Ready(Place, Box<Ready>),
}

/// Place of a step among those of a version of a drip.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) campaign: CampaignId,
    pub(crate) version: u32,
    pub(crate) step: usize,
}

/// Outcome of a step for an enrolment.
pub(crate) enum Became {
    Written,
    /// Its message was made, with the jobs that follow.
    Said(Vec<ToQueue>),
}

impl Tenant<'_> {
    /// Takes these steps, as far as they are leased and due. Returns how many were.
    pub(crate) async fn take(&mut self, due: &[DueStep]) -> Result<u64, JobError> {
        let (store, now) = (&self.ctx.store, self.now);
        let mut enrolments = Vec::new();
        for (step, read) in store.enrolments_due(&self.scope, due, now).await? {
            match read {
                Ok(found) if found.value.next_step_at().is_some_and(|at| at <= now) => enrolments.push(found),
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(contact = %step.contact, error = kit::chain(&error), "an enrolment cannot be read");
                    store.put_off(&step, now + LATER).await?;
                }
            }
        }
        let count = enrolments.len() as u64;
        if enrolments.is_empty() {
            return Ok(0);
        }
        let Some(rows) = Box::pin(self.read(&enrolments)).await? else {
            // The account was deleted.
            return Ok(0);
        };
        let looks = enrolments.into_iter().map(|found| Box::pin(self.look(&rows, found)));
        let looked: Vec<_> = stream::iter(looks).buffer_unordered(AT_ONCE).collect().await;
        let (mut done, mut ready) = (Vec::new(), BTreeMap::<Place, Vec<Ready>>::new());
        for looked in looked {
            match looked {
                Ok(Looked::Done(before, after)) => done.push((before, *after)),
                Ok(Looked::Ready(place, one)) => ready.entry(place).or_default().push(*one),
                // It is looked at again.
                Err(error) if error.is_lost_race() => *self.tally.entry("lost").or_default() += 1,
                Err(error) => return Err(error),
            }
        }
        let writes = done.iter().map(|(before, after)| async {
            let written = store.write_enrolment(&self.scope, *before, after).await;
            written.map(|()| Became::Written)
        });
        let written: Vec<_> = stream::iter(writes).buffer_unordered(AT_ONCE).collect().await;
        self.settle(written.into_iter().map(|written| written.map_err(JobError::from)))
            .await?;
        if !ready.is_empty() {
            Box::pin(self.say(&rows, ready)).await?;
        }
        Ok(count)
    }

    async fn read(&self, enrolments: &[Versioned<Enrolment>]) -> Result<Option<Rows>, JobError> {
        let (store, scope, now) = (&self.ctx.store, &self.scope, self.now);
        let Some(config) = store.config(scope, &self.ctx.config).await? else {
            return Ok(None);
        };
        let all = || enrolments.iter().map(|found| &found.value);
        let wanted: BTreeSet<(CampaignId, u32)> = all()
            .filter_map(|one| Some((one.campaign, one.passage.as_ref()?.version)))
            .collect();
        let wanted: Vec<_> = wanted.into_iter().collect();
        let contacts: Vec<ContactId> = all().map(|one| one.contact).collect();
        let last = all().filter_map(|one| one.passage.as_ref()?.last_message);
        let last: Vec<MessageId> = last.collect();
        let (steps, people, messages) = futures::try_join!(
            store.steps(scope, &wanted),
            store.people_by_id(scope, &contacts),
            store.each_message(scope, &last, now)
        )?;
        let mut campaigns = HashMap::new();
        for id in wanted.iter().map(|(id, _)| *id).collect::<BTreeSet<_>>() {
            if let Some(found) = store.get::<Campaign>(scope, &id).await? {
                campaigns.insert(id, found);
            }
        }
        // An unreadable message counts as one that is not kept any more.
        let last = messages.into_iter().filter_map(|message| message.ok().flatten());
        Ok(Some(Rows {
            config,
            campaigns,
            steps,
            people,
            last: last.map(|message| (message.id, message)).collect(),
        }))
    }

    /// Goes on in one enrolment until a message is to be made, or to a later time, or its end.
    async fn look(&self, rows: &Rows, found: Versioned<Enrolment>) -> Result<Looked, JobError> {
        let (now, version) = (self.now, found.version);
        let mut enrolment = found.value;
        let done = |enrolment| Ok(Looked::Done(version, Box::new(enrolment)));
        let end = |enrolment: Enrolment, why: Refusal| done(enrolment.with_exit(why, now));
        let gone = |sentence: &str| Refusal::new(Reason::CampaignCancelled, sentence);
        let Some(Versioned { value: campaign, .. }) = rows.campaigns.get(&enrolment.campaign) else {
            return end(enrolment, gone("the campaign was deleted"));
        };
        if campaign.state.is_final() {
            let at = campaign.ended_at.unwrap_or(now);
            return done(enrolment.with_exit(gone("the campaign was cancelled"), at));
        }
        if campaign.state != CampaignState::Running || !rows.config.tenant.status.is_active() {
            // The longer it is paused, the later: those who wait must not use up the minutes of others.
            let paused = now.duration_since(campaign.updated_at);
            if let Some(passage) = &mut enrolment.passage {
                passage.postpone(now + paused.clamp(PAUSE_LOOK, LIMIT_LOOK));
            }
            return done(enrolment);
        }
        let id = campaign.id;
        let Some(mut person) = self.person(rows, &enrolment).await? else {
            let sentence = "the contact was deleted, or merged into another who is in the drip, too";
            return end(enrolment, Refusal::new(Reason::ContactMerged, sentence));
        };
        if let Some((why, at)) = campaign.exits.reason(&person.contact, enrolment.at) {
            return done(enrolment.with_exit(why, at));
        }
        if campaign.exits.on_conversion
            && let Some(at) = self.last_conversion_at(&person).await?.filter(|at| enrolment.at < *at)
        {
            return done(enrolment.with_exit(conversion_refusal(at), at));
        }
        let Some(mut passage) = enrolment.passage.take() else {
            return Err(JobError::new("a due enrolment in no drip"));
        };
        let Some(written) = rows.steps.get(&(id, passage.version)) else {
            return end(enrolment, gone("the steps were deleted"));
        };
        let zone = recipient_zone(&rows.config.tenant, person.contact.recipient().phone.as_ref());
        let stored = passage.next.map_or(now, |next| next.at);
        loop {
            let last = passage.last_message.and_then(|id| rows.last.get(&id));
            let scene = Scene {
                steps: &written.steps,
                person: &person,
                last,
                zone: zone.rules(),
                now,
            };
            let change = match passage.go_on(scene) {
                Turn::Later | Turn::Over => {
                    enrolment.passage = Some(passage);
                    return done(enrolment);
                }
                Turn::Notify(step) => {
                    let step = CauseStep {
                        place: step.place,
                        at: stored,
                    };
                    match self.notify(id, &person, step, written).await? {
                        Ok(()) => passage.did(&written.steps, now),
                        Err(why) => passage.skip(&written.steps, &why, now),
                    }
                    // It is written before anything else, so that the note is not written again. The next run goes on.
                    enrolment.passage = Some(passage);
                    return done(enrolment);
                }
                Turn::Say(next) => {
                    let place = Place {
                        campaign: id,
                        version: passage.version,
                        step: next.place,
                    };
                    let step = CauseStep {
                        place: next.place,
                        at: next.at,
                    };
                    enrolment.passage = Some(passage);
                    let enrolment = Versioned {
                        value: enrolment,
                        version,
                    };
                    let ready = Ready {
                        enrolment,
                        person,
                        step,
                        zone,
                        due: stored,
                    };
                    return Ok(Looked::Ready(place, Box::new(ready)));
                }
                Turn::Tag(tag, true) => ChangeIn {
                    remove_tags: vec![tag].into(),
                    ..ChangeIn::default()
                },
                Turn::Tag(tag, false) => ChangeIn {
                    add_tags: vec![tag].into(),
                    ..ChangeIn::default()
                },
                Turn::Stage(stage) => ChangeIn {
                    stage: Edit::Set(stage),
                    ..ChangeIn::default()
                },
            };
            match self.change(id, &person, &change, written).await? {
                Ok(after) => {
                    passage.did(&written.steps, now);
                    person = after;
                }
                Err(why) => passage.skip(&written.steps, &why, now),
            }
        }
    }

    /// Time of a contact's latest conversion. One query.
    async fn last_conversion_at(&self, person: &Person) -> Result<Option<Timestamp>, StoreError> {
        let (store, scope) = (&self.ctx.store, &self.scope);
        let found = store.page_of_contact::<Conversion>(scope, person.contact.id, None, 1, self.now);
        let latest = found.await?.and_then(|(_, page)| page.items.into_iter().next());
        Ok(latest.map(|conversion| conversion.value.created_at))
    }

    /// The person of an enrolment: the one into which the contact was merged, unless that one is in the drip, too.
    async fn person(&self, rows: &Rows, enrolment: &Enrolment) -> Result<Option<Person>, StoreError> {
        if let Some(person) = rows.people.get(&enrolment.contact) {
            // Its own goes on before those of contacts that were merged into it.
            return Ok(Some(person.clone()));
        }
        let (store, scope) = (&self.ctx.store, &self.scope);
        let Some(person) = store.known_person(scope, enrolment.contact).await? else {
            return Ok(None);
        };
        let goes_on = store
            .enrolment(scope, &person.contact, enrolment.campaign, self.now)
            .await?;
        let is_this = goes_on.is_some_and(|found| found.value.contact == enrolment.contact);
        Ok(is_this.then_some(person))
    }

    /// Tells people by a note on the contact, in the name of the author of the steps. Otherwise says why nobody is told.
    ///
    /// Its id follows from the step and its time in the enrolment, so that it is written once.
    async fn notify(
        &self,
        campaign: CampaignId,
        person: &Person,
        step: CauseStep,
        written: &WrittenSteps,
    ) -> Result<Result<(), Refusal>, JobError> {
        let (store, scope, contact) = (&self.ctx.store, &self.scope, person.contact.id);
        let skipped = |sentence: &str| Ok(Err(Refusal::new(Reason::Other, sentence)));
        let Some(Action::Notify { text, users }) = written.steps.at(step.place).map(|step| &step.does) else {
            return Ok(Ok(()));
        };
        let owner = person.profile.owner;
        let named: Vec<UserId> = users.iter().copied().chain(owner).collect();
        let mut able = store.members_named(scope, &named).await?;
        able.retain(Member::attends);
        let able = |user: &UserId| able.iter().any(|member| member.user == *user);
        let mut mentions: Vec<UserId> = users.iter().copied().filter(able).collect();
        if mentions.is_empty() {
            mentions.extend(owner.filter(able));
        }
        if mentions.is_empty() {
            return skipped("nobody is there who could attend to the contact");
        }
        let cause = Cause::Campaign {
            campaign,
            contact,
            step: Some(step),
        };
        let id = NoteId::new(contact, cause.message_id().own());
        let note = Note {
            mentions: mentions.into(),
            ..Note::new(id, text.clone(), written.by, self.now)
        };
        match store
            .create_of_contact(scope, &note, &self.stamp(written, campaign))
            .await
        {
            Ok(()) => Ok(Ok(())),
            Err(NotCreated::Full) => skipped("the contact has as many notes as it may"),
            Err(NotCreated::NoContact) => skipped("the contact is gone"),
            Err(NotCreated::Store(error)) if error.is_conflict() => {
                let known = store.of_contact::<Note>(scope, contact, id).await?;
                // A former run wrote it.
                if known.is_some() { Ok(Ok(())) } else { Err(error.into()) }
            }
            Err(NotCreated::Store(error)) => Err(error.into()),
        }
    }

    /// The stamp of what is done in the name of the author of the steps.
    fn stamp(&self, written: &WrittenSteps, campaign: CampaignId) -> Stamp {
        Stamp {
            actor: written.by,
            at: self.now,
            correlation_id: campaign.to_string(),
        }
    }

    /// Changes a contact in the name of the author of the steps. Otherwise says why it cannot be changed.
    async fn change(
        &self,
        campaign: CampaignId,
        before: &Person,
        change: &ChangeIn,
        written: &WrittenSteps,
    ) -> Result<Result<Person, Refusal>, JobError> {
        let (store, scope) = (&self.ctx.store, &self.scope);
        let skipped = |sentence: &str| Ok(Err(Refusal::new(Reason::Other, sentence)));
        let tags = store.missing::<Tag>(scope, change.add_tags.iter()).await?;
        let stages = store.missing::<Stage>(scope, change.stage.set()).await?;
        if let Some(gone) = tags.first().or(stages.first()) {
            return skipped(&format!("{gone} was deleted"));
        }
        let after = match change.apply(&BTreeMap::default(), before, &[], self.now) {
            Ok(Some(after)) => after,
            Ok(None) => return Ok(Ok(before.clone())),
            Err(reason) => return skipped(reason.sentence()),
        };
        let stamp = self.stamp(written, campaign);
        match store
            .change_person(scope, before, &after, &Brought::default(), &stamp)
            .await
        {
            Ok(()) => {}
            Err(PersonError::TooMany(_)) => return skipped("the contact has too many entries in lists"),
            Err(PersonError::Taken(_)) => return skipped("the contact just changes"),
            Err(PersonError::Store(error)) => return Err(error.into()),
        }
        let known = store.known_person(scope, before.contact.id).await?;
        Ok(Ok(known.unwrap_or(after)))
    }

    /// Queues and counts what was done. A lost race is no failure: somebody else has changed the enrolment or the contact.
    pub(crate) async fn settle(
        &mut self,
        became: impl Iterator<Item = Result<Became, JobError>>,
    ) -> Result<(), JobError> {
        let (mut jobs, mut failed) = (Vec::new(), None);
        for became in became {
            let what = match became {
                Ok(Became::Written) => "moved",
                Ok(Became::Said(next)) => {
                    jobs.extend(next);
                    "said"
                }
                Err(error) if error.is_lost_race() => "lost",
                Err(error) => {
                    failed = Some(error);
                    continue;
                }
            };
            *self.tally.entry(what).or_default() += 1;
        }
        crash::point("take_steps.taken");
        // Written messages are queued, even if others failed.
        self.ctx.queues.enqueue(jobs, self.now).await?;
        failed.map_or(Ok(()), Err)
    }
}
