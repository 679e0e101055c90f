//! Making the messages of some contacts of an audience.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use domain::{
    base::{
        ids::{ContactId, MessageId},
        line_type::by_numbering_plan,
    },
    campaigns::{
        campaign::Campaign,
        review::{self, Missing},
        run::{Enrolment, Exit},
    },
    consent::links::{LinkCode, NewLink},
    contacts::person::Person,
    messages::{
        compose::{World, compose},
        material::Material,
        message::Message,
        needs::Needs,
        refusal::{Reason, Refusal},
    },
    money::cap::Counts,
    tenants::config::TenantConfig,
};
use futures::{StreamExt as _, stream};
use jobs::ToQueue;
use kit::JobError;
use store::{Along, RACES, StoreError, contacts::contact::ContactWrite, table::effects::Effects};

use crate::Run;

/// Contacts whose messages are made at the same time.
const AT_ONCE: usize = 8;

/// What all messages of a step need.
struct Making<'a> {
    run: &'a Run<'a>,
    campaign: &'a Campaign,
    config: Arc<TenantConfig>,
    people: HashMap<ContactId, Person>,
    material: Material,
    counts: Counts,
}

/// What became of a step's contacts.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// Those who have a message.
    pub(crate) made: u64,
    /// Those who get none.
    pub(crate) left_out: u64,
    /// The messages that are new.
    pub(crate) new: Vec<MessageId>,
    /// The reason for which the campaign cannot go on.
    pub(crate) stopped: Option<Refusal>,
}

/// What became of a contact.
enum Made {
    /// A message, with the jobs that follow.
    New(MessageId, Vec<ToQueue>),
    /// A message that was there.
    Before,
    /// None.
    LeftOut,
    /// None yet, since the campaign cannot go on.
    Stopped(Refusal),
}

/// Makes the messages of these contacts, as far as they are not decided, and queues them.
pub(crate) async fn all(run: &Run<'_>, campaign: &Campaign, contacts: &[ContactId]) -> Result<Step, JobError> {
    let (store, scope) = (&run.ctx.store, run.scope);
    let (messages, enrolments) = futures::try_join!(
        known_messages(run, campaign, contacts.iter().copied()),
        store.enrolments(scope, campaign.id, contacts)
    )?;
    let mut step = Step::default();
    let mut undecided = Vec::new();
    for contact in contacts {
        if messages.contains(&campaign.cause(*contact).message_id()) {
            step.made += 1;
        } else if enrolments
            .get(contact)
            .is_some_and(|enrolment| enrolment.exit.is_none())
        {
            undecided.push(*contact);
        } else {
            // With an exit, or erased.
            step.left_out += 1;
        }
    }
    if undecided.is_empty() {
        return Ok(step);
    }
    let making = match Making::begin(run, campaign, &undecided).await? {
        Ok(making) => making,
        Err(why) => {
            step.stopped = Some(why);
            return Ok(step);
        }
    };
    let made = undecided.iter().map(|contact| Box::pin(making.one(*contact)));
    let made: Vec<_> = stream::iter(made).buffer_unordered(AT_ONCE).collect().await;
    let (mut jobs, mut failed) = (Vec::new(), None);
    for made in made {
        match made {
            Ok(Made::New(id, next)) => {
                step.made += 1;
                step.new.push(id);
                jobs.extend(next);
            }
            Ok(Made::Before) => step.made += 1,
            Ok(Made::LeftOut) => step.left_out += 1,
            Ok(Made::Stopped(why)) => step.stopped = Some(why),
            Err(error) => failed = Some(error),
        }
    }
    // What is written is queued, even if others failed.
    run.ctx.queues.enqueue(jobs, run.now).await?;
    failed.map_or(Ok(step), Err)
}

/// Those of the messages of these ids of contacts that exist. One that cannot be read is there, too.
async fn known_messages(
    run: &Run<'_>,
    campaign: &Campaign,
    contacts: impl Iterator<Item = ContactId>,
) -> Result<HashSet<MessageId>, StoreError> {
    let ids = contacts.map(|contact| campaign.cause(contact).message_id());
    let ids: Vec<MessageId> = ids.collect();
    let found = run.ctx.store.each_message(run.scope, &ids, run.now).await?;
    let known = ids.iter().zip(found).filter(|(_, found)| !matches!(found, Ok(None)));
    Ok(known.map(|(id, _)| *id).collect())
}

impl<'a> Making<'a> {
    /// Reads what the messages of these contacts need; otherwise says why the campaign cannot go on.
    async fn begin(
        run: &'a Run<'a>,
        campaign: &'a Campaign,
        contacts: &[ContactId],
    ) -> Result<Result<Self, Refusal>, JobError> {
        let (store, scope, now) = (&run.ctx.store, run.scope, run.now);
        let Some(config) = store.config(scope, &run.ctx.config).await? else {
            return Ok(Err(Refusal::new(Reason::Suspended, "the account was deleted")));
        };
        if !config.tenant.status.is_active() {
            return Ok(Err(Refusal::new(Reason::Suspended, "the account is suspended")));
        }
        let people = store.people_by_id(scope, contacts).await?;
        let mut needs = review::needs([campaign], &config);
        for person in people.values() {
            let world = world(&config, Material::NONE, &[], person, now);
            needs.share(&Needs::of(&campaign.intent(&person.contact, now), &world));
        }
        let nothing = Along::default();
        let (material, counts) =
            futures::try_join!(store.material(scope, &needs, &nothing), store.cap_counts(scope, now))?;
        let reviewed = Material {
            // As every message would get one.
            link: Some(NewLink::nobodys()),
            ..material
        };
        let found = review::review(campaign, (&config, &reviewed), &Missing::default(), now);
        let mut wrong = found.problems.into_iter();
        let wrong = wrong.find(|problem| problem.field.starts_with("message"));
        let wrong = wrong.map(|problem| Refusal::new(Reason::Template, problem.detail));
        if let Some(why) = wrong.or_else(|| Campaign::obstacle(found.warnings)) {
            return Ok(Err(why));
        }
        Ok(Ok(Self {
            run,
            campaign,
            config,
            people,
            material: Material { link: None, ..reviewed },
            counts,
        }))
    }

    /// Makes the message of a contact. After a lost race, the contact is read again, and so is the message that may be there.
    async fn one(&self, contact: ContactId) -> Result<Made, JobError> {
        let (store, scope) = (&self.run.ctx.store, self.run.scope);
        let read = || async {
            let known = store.known(scope, contact).await?;
            Ok::<_, StoreError>((known, true))
        };
        let known = match self.people.get(&contact) {
            Some(person) => (Some(person.clone()), false),
            // It was merged into another, or erased.
            None => read().await?,
        };
        let attempt = |(known, again)| Box::pin(self.attempt(contact, known, again));
        RACES.until_won_from(known, read, attempt).await
    }

    async fn attempt(&self, enrolled: ContactId, known: Option<Person>, again: bool) -> Result<Made, JobError> {
        let Run { ctx, scope, now } = *self.run;
        let store = &ctx.store;
        // With an erased contact, its enrolment is deleted.
        let Some(mut person) = known else {
            return Ok(Made::LeftOut);
        };
        // Whoever was merged into this contact may have got the message: the person gets it once.
        let merged = person.contact.ids().nth(1).is_some();
        if again || merged {
            let found = known_messages(self.run, self.campaign, person.contact.ids()).await?;
            if !found.is_empty() {
                if person.contact.id == enrolled {
                    return Ok(Made::Before);
                }
                return self.leave_out(enrolled, merged_into(person.contact.id)).await;
            }
        }
        let intent = self.campaign.intent(&person.contact, now);
        let needs = Needs::of(&intent, &world(&self.config, &self.material, &[], &person, now));
        let code = needs.link.then(|| ctx.ids.secret()).transpose()?.map(LinkCode::of);
        let gathered = ctx
            .planner
            .gather_with(scope, (&needs, self.material.clone()), code, now);
        let gathered = gathered.await?;
        let composed = compose(
            &intent,
            &world(&self.config, &gathered.material, &gathered.open, &person, now),
        );
        let composed = match composed {
            Ok(_) if person.contact.deleted_at.is_some() => {
                let why = Refusal::new(Reason::ContactDeleted, "the contact was deleted");
                return self.leave_out(enrolled, why).await;
            }
            Ok(composed) => composed,
            Err(why) => return self.leave_out(enrolled, why).await,
        };
        if let Some(leg) = composed.legs.first() {
            let of = (&composed.policy, composed.line, &composed.to, leg);
            let takes = store.takes(&self.config, of, &ctx.prices, now).await?;
            if let Some(reached) = self.counts.first_reached(&takes, now) {
                return Ok(Made::Stopped(reached.reached(now)));
            }
        }
        let follows = self.campaign.id.to_string();
        let planned = ctx
            .planner
            .plan(scope, composed, &mut person.contact, gathered, follows, now);
        let planned = planned.await?;
        let id = planned.message.id;
        let effects = Effects {
            people: vec![ContactWrite::from(person.contact)],
            planned: vec![planned.message],
            ended: planned.ended,
            links: planned.link.into_iter().collect(),
            ..Effects::default()
        };
        let jobs = store.commit(scope, effects, now).await?;
        if id.contact() != enrolled {
            self.leave_out(enrolled, merged_into(id.contact())).await?;
        }
        Ok(Made::New(id, jobs))
    }

    /// Records why a contact gets no message.
    async fn leave_out(&self, contact: ContactId, why: Refusal) -> Result<Made, JobError> {
        let Run { ctx, scope, now } = *self.run;
        let enrolment = Enrolment {
            campaign: self.campaign.id,
            contact,
            at: self.campaign.began_at.unwrap_or(now),
            exit: None,
        };
        ctx.store.exit(scope, enrolment, Exit::new(why, now)).await?;
        Ok(Made::LeftOut)
    }
}

/// The reason why a contact that was merged into this one gets no message in its own name.
fn merged_into(contact: ContactId) -> Refusal {
    let sentence = "the contact was merged into another, which gets the message if it may";
    Refusal::new(Reason::ContactMerged, sentence).and("contact", contact.to_string())
}

fn world<'a>(
    config: &'a TenantConfig,
    material: &'a Material,
    open: &'a [Message],
    person: &'a Person,
    now: jiff::Timestamp,
) -> World<'a> {
    World {
        config,
        material,
        contact: &person.contact,
        profile: &person.profile,
        open,
        now,
        line_type: &by_numbering_plan,
    }
}
