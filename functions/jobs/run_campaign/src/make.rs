//! Making the messages of some contacts of an audience.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::Timestamp;
use domain::campaigns::{Campaign, Enrolment, Exit, low_rating_pause, whatsapp_sender};
use domain::money::Counts;
use domain::people::{Contact, Person};
use domain::tenants::{Connection, TenantConfig};
use domain::terms::{ContactId, MessageId, Reason, Refusal};
use flows::campaigns::{Broadcast, FirstPlaces, Maker, Room, Unmade, same_person};
use futures::{StreamExt as _, stream};
use jobs::ToQueue;
use kit::{JobError, crash};
use store::contacts::ContactWrite;
use store::table::effects::Effects;
use store::{RACES, StoreError};

use crate::Run;

/// Contacts whose messages are made at the same time.
const AT_ONCE: usize = 8;

/// The needs of all messages of a step, whichever variant they are.
struct Common {
    config: Arc<TenantConfig>,
    people: HashMap<ContactId, Person>,
    counts: Counts,
    /// The connection whose number sends them by WhatsApp.
    number: Option<Connection>,
}

/// The needs of the messages of a variant.
struct Making<'a> {
    run: &'a Run<'a>,
    broadcast: Broadcast<'a>,
    common: &'a Common,
    places: FirstPlaces,
}

/// Results for the contacts of a step.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// Contacts with a message.
    pub(crate) made: u64,
    pub(crate) left_out: u64,
    /// The messages that are new.
    pub(crate) new: Vec<MessageId>,
    /// Reason against going on with the campaign.
    pub(crate) stopped: Option<Refusal>,
    /// Time to go on with the remaining contacts, since the tenant may write to no further customers first until then.
    pub(crate) limited: Option<Timestamp>,
    /// Whether somebody waits for the choice of a variant. They are not decided.
    pub(crate) held: bool,
    /// Earliest time for a message to contacts whose clocks are far from the campaign's time. They are not decided.
    pub(crate) later: Option<Timestamp>,
}

/// Result for a contact.
enum Made {
    /// A message, with the jobs that follow.
    New(MessageId, Vec<ToQueue>),
    /// A message for the contact that this one was merged into, with its jobs. That contact counts in its own place.
    OfAnother(MessageId, Vec<ToQueue>),
    /// A message that was there.
    Before,
    /// The contact gets none.
    LeftOut,
    /// None yet, since the campaign cannot go on.
    Stopped(Refusal),
    /// None yet, since the tenant may write to no further customers first, until this time.
    Limited(Timestamp),
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
    let Some(config) = store.config(scope, &run.ctx.config).await? else {
        step.stopped = Some(Refusal::new(Reason::Suspended, "the account was deleted"));
        return Ok(step);
    };
    let people = store.people_by_id(scope, &undecided).await?;
    if campaign.starts_at_local.is_some() {
        undecided = find_leaving_soon(run, campaign, &config, &people, undecided, &mut step).await?;
    }
    step.held = undecided.iter().any(|contact| campaign.variant_of(*contact).is_none());
    let parts = campaign.by_variant(undecided, |contact| *contact);
    if parts.is_empty() {
        return Ok(step);
    }
    let sender = whatsapp_sender(campaign, &config);
    let number = async {
        match sender {
            Some(sender) => store.connection(scope, sender).await,
            None => Ok(None),
        }
    };
    let (counts, number) = futures::try_join!(store.cap_counts(scope, run.now), number)?;
    let common = Common {
        config,
        people,
        counts,
        number,
    };
    for (says, part) in parts {
        part_of(run, &says, &common, &part, &mut step).await?;
        if step.stopped.is_some() || step.limited.is_some() {
            break;
        }
    }
    Ok(step)
}

/// The contacts whose message is made now, since it leaves soon by their clocks.
async fn find_leaving_soon(
    run: &Run<'_>,
    campaign: &Campaign,
    config: &TenantConfig,
    people: &HashMap<ContactId, Person>,
    contacts: Vec<ContactId>,
    step: &mut Step,
) -> Result<Vec<ContactId>, JobError> {
    let (store, scope, now) = (&run.ctx.store, run.scope, run.now);
    let mut soon = Vec::with_capacity(contacts.len());
    for contact in contacts {
        let merged = match people.get(&contact) {
            Some(_) => None,
            None => store.known_person(scope, contact).await?,
        };
        let leaves_at = people.get(&contact).or(merged.as_ref()).map(|person| {
            let to = person.contact.recipient();
            campaign.planned_at(&config.tenant, &to, now)
        });
        match leaves_at.filter(|at| now + campaign.lead() < *at) {
            Some(at) => step.later = Some(step.later.map_or(at, |later| later.min(at))),
            None => soon.push(contact),
        }
    }
    Ok(soon)
}

/// Makes the messages of those who get that of this campaign.
async fn part_of(
    run: &Run<'_>,
    campaign: &Campaign,
    common: &Common,
    undecided: &[ContactId],
    step: &mut Step,
) -> Result<(), JobError> {
    let (store, scope) = (&run.ctx.store, run.scope);
    let making = match Making::begin(run, campaign, common, undecided).await? {
        Ok(making) => making,
        Err(why) => {
            step.stopped = Some(why);
            return Ok(());
        }
    };
    let is_one_person = |contact: &ContactId| {
        let person = common.people.get(contact);
        person.is_some_and(|person| person.contact.same_as.is_empty())
    };
    let (each, others): (Vec<ContactId>, Vec<ContactId>) = undecided.iter().partition(|contact| is_one_person(contact));
    let made = each.iter().map(|contact| Box::pin(making.one(*contact)));
    let mut made: Vec<_> = stream::iter(made).buffer_unordered(AT_ONCE).collect().await;
    // In turn, so that the second contact of a person finds the first one's message.
    for contact in others {
        made.push(Box::pin(making.one(contact)).await);
    }
    let (mut jobs, mut failed) = (Vec::new(), None);
    for made in made {
        match made {
            Ok(Made::New(id, next)) => {
                step.made += 1;
                step.new.push(id);
                jobs.extend(next);
            }
            Ok(Made::OfAnother(id, next)) => {
                step.left_out += 1;
                step.new.push(id);
                jobs.extend(next);
            }
            Ok(Made::Before) => step.made += 1,
            Ok(Made::LeftOut) => step.left_out += 1,
            Ok(Made::Stopped(why)) => step.stopped = Some(why),
            Ok(Made::Limited(until)) => step.limited = Some(until),
            Err(error) => failed = Some(error),
        }
    }
    making.places.return_rest(store, scope, run.now).await;
    // Written messages are queued, even if others failed.
    run.ctx.queues.enqueue(jobs, run.now).await?;
    failed.map_or(Ok(()), Err)
}

/// The existing messages among those with these contacts' ids. A message that cannot be read exists, too.
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
        common: &'a Common,
        contacts: &[ContactId],
    ) -> Result<Result<Self, Refusal>, JobError> {
        let Run { ctx, scope, now } = *run;
        let people = contacts.iter().filter_map(|contact| common.people.get(contact));
        let config = common.config.clone();
        let broadcast = ctx.planner.broadcast(scope, campaign, config, people, now);
        let (broadcast, why) = broadcast.await?;
        let (templates, number) = (&broadcast.material.templates, common.number.as_ref());
        let why = why.or_else(|| low_rating_pause(campaign, templates, number));
        if let Some(why) = why {
            return Ok(Err(why));
        }
        Ok(Ok(Self {
            run,
            broadcast,
            common,
            places: FirstPlaces::for_at_most(contacts.len()),
        }))
    }

    /// Makes the message of a contact. After a lost race, the contact is read again, and so is the message that may be there.
    async fn one(&self, contact: ContactId) -> Result<Made, JobError> {
        let (store, scope) = (&self.run.ctx.store, self.run.scope);
        let read = || async {
            let known = store.known_person(scope, contact).await?;
            Ok::<_, StoreError>((known, true))
        };
        let known = match self.common.people.get(&contact) {
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
        // Another contact of the person may have got the message, such as one that was merged into this one: the person gets it once.
        let (campaign, own) = (self.broadcast.campaign, person.contact.id);
        let mut others: Vec<ContactId> = person.contact.ids().skip(1).collect();
        if !person.contact.same_as.is_empty() {
            // They may have been merged since.
            let same = store.others_of(scope, &[&person.contact]).await?;
            others.extend(same.iter().flat_map(Contact::ids));
        }
        if again || !others.is_empty() {
            let all = [own].into_iter().chain(others.iter().copied());
            let found = known_messages(self.run, campaign, all).await?;
            let has = |contact: &ContactId| found.contains(&campaign.cause(*contact).message_id());
            if has(&enrolled) {
                return Ok(Made::Before);
            }
            if has(&own) {
                return self.leave_out(enrolled, merged_into(own)).await;
            }
            if let Some(other) = others.iter().find(|other| has(other)) {
                return self.leave_out(enrolled, same_person(*other)).await;
            }
        }
        let maker = Maker {
            planner: &ctx.planner,
            ids: &ctx.ids,
            prices: &ctx.prices,
        };
        let room = Room {
            counts: &self.common.counts,
            places: &self.places,
        };
        let cause = campaign.cause(own);
        let planned = self.broadcast.plan_message(maker, room, scope, &mut person, cause, now);
        let planned = match planned.await? {
            Ok(planned) => planned,
            Err(Unmade::Person(why)) => return self.leave_out(enrolled, why).await,
            Err(Unmade::Cap(why)) => return Ok(Made::Stopped(why)),
            Err(Unmade::Limit(until)) => return Ok(Made::Limited(until)),
        };
        let id = planned.message.id;
        if id.contact() != enrolled {
            // So that the message is among those of the campaign.
            store.enrol(scope, campaign.id, None, &[id.contact()], now).await?;
        }
        let effects = Effects {
            people: vec![ContactWrite::from(person.contact)],
            planned: vec![planned.message],
            ended: planned.ended,
            links: planned.links,
            ..Effects::default()
        };
        let jobs = store.commit(scope, effects, now).await?;
        crash::point("run_campaign.committed");
        if id.contact() != enrolled {
            self.leave_out(enrolled, merged_into(id.contact())).await?;
            return Ok(Made::OfAnother(id, jobs));
        }
        Ok(Made::New(id, jobs))
    }

    /// Records why a contact gets no message.
    async fn leave_out(&self, contact: ContactId, why: Refusal) -> Result<Made, JobError> {
        let Run { ctx, scope, now } = *self.run;
        let campaign = self.broadcast.campaign;
        let enrolment = Enrolment::new(campaign.id, None, contact, campaign.began_at.unwrap_or(now));
        ctx.store.exit(scope, enrolment, Exit::new(why, now)).await?;
        Ok(Made::LeftOut)
    }
}

/// The reason why a contact that was merged into this one gets no message in its own name.
fn merged_into(contact: ContactId) -> Refusal {
    let sentence = "the contact was merged into another, which gets the message if it may";
    Refusal::new(Reason::ContactMerged, sentence).and("contact", contact.to_string())
}
