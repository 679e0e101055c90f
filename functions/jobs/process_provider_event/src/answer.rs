//! Automatic answers to customers' messages. A message is stored first, with the answer that it calls for; the answer is a write of its
//! own, so that whatever fails here costs nobody a message.

use domain::Timestamp;
use domain::automations::{answer_intent, answer_texts};
use domain::calls::Received;
use domain::media::MediumState;
use domain::messages::{Cause, Composed, Needs, World, compose_message};
use domain::people::{Contact, Person};
use domain::tenants::TenantConfig;
use domain::terms::{Answer, MessageId, Reason, Refusal, unknown_line_type};
use flows::messages::Gathered;
use jobs::ToQueue;
use kit::{JobError, crash};
use store::Along;
use store::contacts::ContactWrite;
use store::table::effects::Effects;

use crate::{Event, RACES};

/// Whoever has just written by a channel can be reached there, so that no numbering plan is needed.
fn world<'a>(config: &'a TenantConfig, person: &'a Person, gathered: &'a Gathered, now: Timestamp) -> World<'a> {
    let (contact, profile) = person.parts();
    World {
        line_type: &unknown_line_type,
        ..World::of(config, contact, profile, &gathered.material, &gathered.open, now)
    }
}

/// Nobody gets this answer, and the reason is logged: the message itself is stored.
fn leave_unanswered(inbound: MessageId, why: &Refusal) {
    tracing::info!(%inbound, reason = why.reason.as_str(), "a message is not answered automatically");
    kit::line::count("unanswered", 1);
}

/// Whether the person may still be written to.
const fn is_there(contact: &Contact) -> bool {
    !contact.erasing && contact.deleted_at.is_none()
}

impl Event<'_> {
    /// Tells the writer's other contacts of a message that was stored before, answers it and queues its media, as far as that did not
    /// happen.
    pub(crate) async fn resume(&self, inbound: MessageId) -> Result<(), JobError> {
        let (store, now) = (&self.ctx.store, self.ctx.clock.now());
        let Some(received) = store.received_message(self.scope, inbound, now).await? else {
            return Ok(());
        };
        if self.redelivered {
            let media = store.media_of(self.scope, [&received], now).await?;
            let pending = media.iter().filter(|medium| medium.state == MediumState::Pending);
            let tenant = self.scope.tenant();
            let jobs = pending.map(|medium| ToQueue::media(tenant, medium, now)).collect();
            self.ctx.queues.enqueue(jobs, now).await?;
        }
        let writer = store.contact(self.scope, inbound.contact()).await?;
        let has_others = writer.is_some_and(|writer| !writer.erasing && !writer.same_as.is_empty());
        let is_answered = self.redelivered && received.answer.is_some();
        if !has_others && !is_answered {
            return Ok(());
        }
        let Some(config) = store.config(self.scope, &self.ctx.config).await? else {
            return Ok(());
        };
        // Also behind the dead letters: an event comes back from there as if it were new. Messages planned since are no answer to it.
        let told = if has_others {
            Box::pin(self.tell_others(&received, &config, received.message.at)).await
        } else {
            Ok(())
        };
        if is_answered {
            Box::pin(self.answer(&received, &config)).await?;
        }
        told
    }

    /// Plans the answer that a stored message calls for, and queues it.
    ///
    /// Safe to run twice: the id of the answer follows from the message, and the contact, which is written under its version in the same
    /// transaction, says what it was answered.
    pub(crate) async fn answer(&self, received: &Received, config: &TenantConfig) -> Result<(), JobError> {
        let Some(answer) = received.answer else {
            return Ok(());
        };
        RACES
            .until_won(|| Box::pin(self.plan_answer(received, answer, config)))
            .await
    }

    /// Makes one attempt of [`Self::answer`].
    async fn plan_answer(&self, received: &Received, answer: Answer, config: &TenantConfig) -> Result<(), JobError> {
        let (store, scope, now) = (&self.ctx.store, self.scope, self.ctx.clock.now());
        let inbound = received.id;
        let planned = Cause::Answered { inbound, answer }.message_id();
        let (person, before) = tokio::try_join!(
            Box::pin(store.known_person(scope, inbound.contact())),
            Box::pin(store.message(scope, planned, now))
        )?;
        if let Some(message) = before {
            // Whoever wrote it may have stopped before queueing it.
            if message.attempts.is_empty() && message.ended.is_none() {
                self.queue(&message).await?;
            }
            return Ok(());
        }
        let Some(mut person) = person.filter(|person| is_there(&person.contact)) else {
            return Ok(());
        };
        let may = person
            .contact
            .may_be_answered(answer, received.line, &config.tenant, now);
        if let Err(why) = may {
            leave_unanswered(inbound, &why);
            return Ok(());
        }
        let (composed, gathered) = match Box::pin(self.compose_answer(received, answer, config, &person, now)).await? {
            Ok(composed) => composed,
            Err(why) => {
                leave_unanswered(inbound, &why);
                return Ok(());
            }
        };
        let (contact, follows) = (&mut person.contact, received.correlation_id.clone());
        let planned = self.ctx.planner.plan(scope, composed, contact, gathered, follows, now);
        let planned = Box::pin(planned).await?;
        contact.note_answer(answer, received.line, now);
        let effects = Effects {
            people: vec![ContactWrite::from(person.contact)],
            planned: vec![planned.message],
            links: planned.links,
            ..Effects::default()
        };
        let jobs = Box::pin(store.commit(scope, effects, now)).await?;
        crash::point("process_provider_event.answered");
        kit::line::count("answered", 1);
        self.ctx.queues.enqueue(jobs, now).await?;
        Ok(())
    }

    /// The answer in the tenant's words. If a value in them is not known, in the usual ones: whoever asks for help gets some.
    async fn compose_answer(
        &self,
        received: &Received,
        answer: Answer,
        config: &TenantConfig,
        person: &Person,
        now: Timestamp,
    ) -> Result<Result<(Composed, Gathered), Refusal>, JobError> {
        let mut refused = Refusal::new(Reason::NoText, "there is no text in any language");
        for text in answer_texts(received, answer, &config.tenant, &person.contact) {
            let intent = answer_intent(received, answer, &text, config, &person.contact, now);
            let needs = Needs::of(&intent, &world(config, person, &Gathered::default(), now));
            let random = needs.links().then(|| self.ctx.ids.secret()).transpose()?;
            let gathered = self
                .ctx
                .planner
                .gather(self.scope, &needs, random, &Along::default(), now)
                .await?;
            let composed = compose_message(&intent, &world(config, person, &gathered, now));
            match composed {
                Ok(composed) => return Ok(Ok((composed, gathered))),
                Err(why) if why.reason == Reason::Template => refused = why,
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(Err(refused))
    }
}
