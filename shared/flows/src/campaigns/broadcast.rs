//! The message of a campaign to each of many people: the same for its run, its pre-flight and its samples, and for the steps of a drip.

use std::sync::Arc;

use domain::campaigns::{Campaign, Missing, needs_of_campaigns, review_campaign};
use domain::messages::{
    Cause, Composed, Intent, IntentReview, Material, Message, Needs, World, review_intent as reviewed,
};
use domain::money::{Counts, Take};
use domain::people::{Contact, Person};
use domain::tenants::TenantConfig;
use domain::terms::{Channel, ConnectionId, ContactId, Reason, Refusal};
use jiff::Timestamp;
use kit::{Ids, JobError};
use store::money::{Countable, PriceCache};
use store::{Along, StoreError, TenantScope};

use crate::campaigns::FirstPlaces;
use crate::messages::{Gathered, Planned, Planner};

/// Tools for making messages of campaigns, beside their material.
#[derive(Clone, Copy)]
pub struct Maker<'a> {
    /// Reads and plans.
    pub planner: &'a Planner,
    /// Makes the codes of links.
    pub ids: &'a Ids,
    /// Prices, which caps of money need.
    pub prices: &'a PriceCache,
}

/// Room for further messages of a campaign.
#[derive(Clone, Copy)]
pub struct Room<'a> {
    /// Counts for caps.
    pub counts: &'a Counts,
    /// Places for customers that campaigns write to first.
    pub places: &'a FirstPlaces,
}

/// A message to a person that can be planned.
#[derive(Debug)]
pub struct Composition {
    composed: Composed,
    gathered: Gathered,
    follows: String,
    /// Amounts that it takes from caps.
    pub takes: Vec<Take>,
    /// The WhatsApp connection, if it goes to somebody who has not written within the day before it leaves: it then takes a place.
    pub writes_first: Option<ConnectionId>,
}

impl Composition {
    /// Earliest time for sending it.
    pub const fn not_before(&self) -> Timestamp {
        self.composed.not_before
    }

    /// Plans the message and notes it in the contact. To be written in one transaction with the contact.
    pub async fn plan(
        self,
        planner: &Planner,
        scope: &TenantScope,
        contact: &mut Contact,
        now: Timestamp,
    ) -> Result<Planned, StoreError> {
        let planned = planner.plan(scope, self.composed, contact, self.gathered, self.follows, now);
        planned.await
    }
}

/// The reason why no message is made.
#[derive(Debug, Clone, PartialEq)]
pub enum Unmade {
    /// This person gets none.
    Person(Refusal),
    /// A cap has no room for it.
    Cap(Refusal),
    /// The tenant may write to no further customers first, until this time.
    Limit(Timestamp),
}

/// Material for the messages of a campaign.
#[derive(Debug, Clone)]
pub struct Broadcast<'a> {
    pub campaign: &'a Campaign,
    pub config: Arc<TenantConfig>,
    /// Templates, products and files, with nobody's links, which are as long as any and lead nowhere.
    pub material: Material,
}

impl Planner {
    /// Reads what the messages of a campaign to these people are made of, in one request at most. Also says why the campaign cannot be sent to
    /// anybody at present, if it cannot.
    pub async fn broadcast<'a>(
        &self,
        scope: &TenantScope,
        campaign: &'a Campaign,
        config: Arc<TenantConfig>,
        people: impl Iterator<Item = &Person>,
        now: Timestamp,
    ) -> Result<(Broadcast<'a>, Option<Refusal>), StoreError> {
        let mut needs = needs_of_campaigns([(campaign, None)], &config);
        for person in people {
            let world = World::of(&config, &person.contact, &person.profile, Material::NONE, &[], now);
            needs.share(&Needs::of(
                &campaign.intent(&config.tenant, &person.contact, now),
                &world,
            ));
        }
        let read = self.store().material(scope, &needs, &Along::default()).await?;
        let material = Material {
            links: self.pages().nobodys(),
            ..read
        };
        let found = review_campaign(campaign, None, &config, &material, &Missing::default(), now);
        let mut wrong = found.problems.into_iter();
        let wrong = wrong.find(|problem| problem.field.starts_with("message"));
        let wrong = wrong.map(|problem| Refusal::new(Reason::Template, problem.detail));
        let why = config.tenant.may_send().err();
        let why = why.or(wrong).or_else(|| Campaign::obstacle(found.warnings));
        let broadcast = Broadcast {
            campaign,
            config,
            material,
        };
        Ok((broadcast, why))
    }
}

impl Broadcast<'_> {
    /// Needs of the message to this person alone: a link, and other messages to the person.
    pub fn needs(&self, person: &Person, now: Timestamp) -> Needs {
        let (contact, profile) = person.parts();
        let world = World::of(&self.config, contact, profile, &self.material, &[], now);
        Needs::of(&self.campaign.intent(&self.config.tenant, &person.contact, now), &world)
    }

    /// Plans the message of this cause to a person and notes it in the contact, if its caps have room. To be written in one transaction
    /// with the contact.
    pub async fn plan_message(
        &self,
        maker: Maker<'_>,
        Room { counts, places }: Room<'_>,
        scope: &TenantScope,
        person: &mut Person,
        cause: Cause,
        now: Timestamp,
    ) -> Result<Result<Planned, Unmade>, JobError> {
        let planner = maker.planner;
        let message = match self.compose(maker, scope, person, cause, now).await? {
            Ok(message) => message,
            Err(why) => return Ok(Err(Unmade::Person(why))),
        };
        if let Some(reached) = counts.first_reached(&message.takes, now) {
            return Ok(Err(Unmade::Cap(reached.refusal_when_reached(now))));
        }
        if let Some(connection) = message.writes_first
            && let Err(until) = places.take(planner.store(), scope, connection, now).await?
        {
            return Ok(Err(Unmade::Limit(until)));
        }
        Ok(Ok(message.plan(planner, scope, &mut person.contact, now).await?))
    }

    /// Composes the message of this cause to a person. Otherwise says why this person gets none.
    pub async fn compose(
        &self,
        Maker { planner, ids, prices }: Maker<'_>,
        scope: &TenantScope,
        person: &Person,
        cause: Cause,
        now: Timestamp,
    ) -> Result<Result<Composition, Refusal>, JobError> {
        let needs = self.needs(person, now);
        let random = needs.links().then(|| ids.secret()).transpose()?;
        let gathered = planner.gather_with(scope, &needs, self.material.clone(), random, now);
        let gathered = gathered.await?;
        let intent = Intent {
            cause,
            ..self.campaign.intent(&self.config.tenant, &person.contact, now)
        };
        let (contact, profile) = person.parts();
        let world = World::of(&self.config, contact, profile, &gathered.material, &gathered.open, now);
        let composed = match reviewed(&intent, &world).and_then(IntentReview::into_outcome) {
            Ok(_) if person.contact.deleted_at.is_some() => {
                let why = Refusal::new(Reason::ContactDeleted, "the contact was deleted");
                return Ok(Err(why));
            }
            Ok(composed) => composed,
            Err(why) => return Ok(Err(why)),
        };
        let takes = match composed.legs.first() {
            Some(leg) => {
                let of = Countable {
                    policy: &composed.policy,
                    line: composed.line,
                    to: &composed.to,
                    leg,
                };
                planner.store().takes(&self.config, of, prices, now).await?
            }
            None => Vec::new(),
        };
        Ok(Ok(Composition {
            writes_first: self.writes_first(&composed, &person.contact, now),
            follows: self.campaign.id.to_string(),
            composed,
            gathered,
            takes,
        }))
    }

    /// The WhatsApp connection of a message to somebody who has not written within the day before it leaves.
    fn writes_first(&self, composed: &Composed, contact: &Contact, now: Timestamp) -> Option<ConnectionId> {
        let leg = composed.legs.first().filter(|leg| leg.channel == Channel::WhatsApp)?;
        let mut all = self.config.connections.iter();
        let connection = all.find(|connection| connection.id == leg.connection)?;
        let number = leg.sender.as_ref().or(connection.whatsapp_number.as_ref());
        let leaves_at = composed.not_before.max(now);
        let may_answer = number.is_some_and(|number| contact.window_open(number, &composed.to, leaves_at));
        (!may_answer).then_some(leg.connection)
    }

    /// Decides what becomes of the message to this person, with this material, if it is made now.
    ///
    /// # Errors
    /// If campaigns have no messages of its category.
    pub fn review(
        &self,
        person: &Person,
        material: &Material,
        open: &[Message],
        now: Timestamp,
    ) -> Result<IntentReview, Refusal> {
        let (contact, profile) = person.parts();
        let intent = self.campaign.intent(&self.config.tenant, contact, now);
        let world = World::of(&self.config, contact, profile, material, open, now);
        reviewed(&intent, &world)
    }
}

/// The reason why a contact gets no message, since this one is of the same person and gets it.
pub fn same_person(contact: ContactId) -> Refusal {
    let sentence = "another contact of the same person gets the message";
    Refusal::new(Reason::SamePerson, sentence).and("contact", contact.to_string())
}
