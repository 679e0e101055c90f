//! Reports on our own messages.

use domain::calls::MessageRef;
use domain::messages::{
    AttemptState, Leg, Message, Next, Sender, Stage, Status, StatusReport, classify_error, is_about_file,
};
use domain::people::{Contact, Identity, Tried};
use domain::terms::{Api, Effect, MessageId, Recipient};
use kit::{Done, JobError, crash};
use store::StoreError;

use crate::inbound::ChangedUser;
use crate::{Event, RACES, done_if};

/// The target of a report.
enum Place {
    Attempt(MessageId, u32),
    /// None yet: the report was parked.
    Parked,
    /// None: its message is gone.
    Gone,
}

/// A message after a report.
struct Applied {
    message: Message,
    /// Whether the report moved it.
    moved: bool,
    /// Whether it named the recipient's id already.
    told: bool,
}

impl Event<'_> {
    /// Moves the message of the report.
    pub(crate) async fn status(&self, status: Status) -> Result<Done, JobError> {
        let (id, number) = match self.place(&status).await? {
            Place::Attempt(id, number) => (id, number),
            Place::Parked => return Ok(Done::Now),
            Place::Gone => return Ok(kit::queue::finish_without_subject("tenant")),
        };
        let applied = RACES.until_won(|| self.apply(id, number, &status)).await?;
        let Some(Applied { message, moved, told }) = applied else {
            return Ok(kit::queue::finish_without_subject("message"));
        };
        if moved {
            crash::point("process_provider_event.moved");
        }
        if moved || self.redelivered {
            self.follow(&message, number, &status).await?;
            if !told || self.redelivered {
                self.learn_identity(&message, &status.recipient).await?;
            }
        }
        Ok(done_if(moved))
    }

    /// Applies the report to the message, if it still exists.
    async fn apply(&self, id: MessageId, number: u32, status: &Status) -> Result<Option<Applied>, StoreError> {
        let (store, now) = (&self.ctx.store, self.ctx.clock.now());
        let Some(mut message) = store.message(self.scope, id, now).await? else {
            return Ok(None);
        };
        let moved = message.apply(number, status.report.clone(), now, &self.ctx.timers);
        let told = message.to.bsuid == status.recipient.bsuid;
        if moved {
            // Identities known from one report need no look-up for the others.
            if status.recipient.bsuid.is_some() {
                message.to.bsuid.clone_from(&status.recipient.bsuid);
            }
            store.write_message(self.scope, &message).await?;
        }
        Ok(Some(Applied { message, moved, told }))
    }

    /// Finds the target by our key if it was returned, otherwise by the provider's id.
    async fn place(&self, status: &Status) -> Result<Place, StoreError> {
        if let Some(key) = status.key {
            return Ok(Place::Attempt(key.message, key.attempt));
        }
        RACES.until_won(|| self.place_or_park(&status.report)).await
    }

    async fn place_or_park(&self, report: &StatusReport) -> Result<Place, StoreError> {
        let (store, now) = (&self.ctx.store, self.ctx.clock.now());
        let known = store
            .message_ref(self.scope, self.api, &report.provider_ref, now)
            .await?;
        let (parked, before) = match known {
            Some((MessageRef::Ours { message, attempt, .. }, _)) => return Ok(Place::Attempt(message, attempt)),
            Some((MessageRef::Parked { reports }, version)) => (reports, Some(version)),
            Some((MessageRef::Theirs { .. }, _)) => return Ok(Place::Parked),
            None if store.config(self.scope, &self.ctx.config).await?.is_none() => return Ok(Place::Gone),
            None => (Vec::new(), None),
        };
        let reported = store.park_report(self.scope, self.api, report, parked, before, now);
        reported.await?;
        Ok(Place::Parked)
    }

    /// Effects of a failure: the next channel, and what it says about the person.
    async fn follow(&self, message: &Message, number: u32, status: &Status) -> Result<(), JobError> {
        let now = self.ctx.clock.now();
        if status.report.state == AttemptState::Failed {
            self.learn_from_failure(message, number, &status.report).await?;
            if matches!(message.next(now, &self.ctx.timers), Next::Try { .. }) {
                self.queue(message).await?;
            }
        }
        Ok(())
    }

    async fn learn_from_failure(&self, message: &Message, number: u32, report: &StatusReport) -> Result<(), JobError> {
        let api = if self.api == "twilio" {
            Api::Twilio
        } else {
            Api::WhatsAppCloud
        };
        let Some(code) = report.error.as_ref().and_then(|error| error.code) else {
            return Ok(());
        };
        let classified = classify_error(api, Stage::Status, None, Some(code));
        let Some(attempt) = message.attempts.iter().find(|attempt| attempt.number == number) else {
            return Ok(());
        };
        let Some(leg) = message.plan.get(usize::from(attempt.leg)) else {
            return Ok(());
        };
        kit::metric::count("send_failed", &[("class", classified.class.as_str())]);
        self.effect_on_connection(leg.connection, &classified, attempt.claimed_at)
            .await?;
        if is_about_file(api, code) {
            self.forget_upload(leg).await?;
        }
        let (store, sent, now) = (&self.ctx.store, attempt.claimed_at, self.ctx.clock.now());
        if store.doubt_template_of(self.scope, leg, api, code, sent, now).await? {
            kit::metric::count("template_doubted", &[]);
        }
        // A clock that is ahead would make a refusal irrevocable.
        let at = report.at.min(self.ctx.clock.now());
        let config = match classified.effect {
            Effect::WindowClosed => self.ctx.store.config(self.scope, &self.ctx.config).await?,
            _ => None,
        };
        let tried = Tried {
            channel: leg.channel,
            to: &message.to,
            from: config
                .as_deref()
                .and_then(|config| config.whatsapp_number(leg.connection)),
            claimed_at: attempt.claimed_at,
        };
        let change = |contact: &mut Contact| contact.learn(tried, &classified, at).proven_by(&message.id);
        let cause = format!("failed#{}#{number}", message.id);
        self.change_contact(message.id.contact(), at, &cause, change).await?;
        Ok(())
    }

    /// Forgets the id of the file that a leg carries: the next message has it uploaded again. The leg itself is over.
    async fn forget_upload(&self, leg: &Leg) -> Result<(), StoreError> {
        let Some(used) = leg.content.asset() else {
            return Ok(());
        };
        let (store, scope) = (&self.ctx.store, self.scope);
        let forgotten = RACES.until_won(|| async move {
            match store.asset(scope, used.asset_id).await? {
                Some(asset) => store.forget_upload(scope, &asset, leg.connection).await,
                None => Ok(false),
            }
        });
        forgotten.await.map(drop)
    }

    /// Learns the business-scoped user id of the number's owner from a report, so that a later message without a number
    /// finds its contact.
    async fn learn_identity(&self, message: &Message, recipient: &Sender) -> Result<(), JobError> {
        let Some(bsuid) = &recipient.bsuid else { return Ok(()) };
        let store = &self.ctx.store;
        let Some(contact) = store.contact(self.scope, message.id.contact()).await? else {
            return Ok(());
        };
        // Number and id are one user's: of a window that names either, the other one is known now.
        let both = Recipient {
            phone: message.to.phone.clone(),
            bsuid: Some(bsuid.clone()),
        };
        let mut knows = contact.clone();
        knows.changed_user(&both, &both);
        if contact.bsuid() == Some(bsuid) && knows.windows == contact.windows {
            return Ok(());
        }
        let identity = Identity::Bsuid(bsuid.clone());
        let user = ChangedUser {
            before: both.clone(),
            now: both,
        };
        self.learn(contact.id, &[identity], Some(&user)).await?;
        Ok(())
    }
}
