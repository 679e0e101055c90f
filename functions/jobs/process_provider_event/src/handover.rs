//! Conversations that pass between the responders of a WhatsApp number.

use domain::Timestamp;
use domain::messages::Sender;
use domain::people::Sign;
use domain::tenants::line_written_to;
use domain::terms::{Channel, ConversationId};
use flows::inbox::{Assigning, pass_to_team};
use kit::{Done, JobError};
use store::inbox::OnLine;
use store::table::effects::Effects;

use crate::inbound::{About, Person, identities};
use crate::{Event, RACES};

impl Event<'_> {
    /// Notes that a conversation was passed to us, or taken from us. Whoever is passed to us waits for a person, and becomes a contact.
    pub(crate) async fn handover(&self, from: &Sender, passed: bool, at: Timestamp) -> Result<Done, JobError> {
        let at = at.min(self.ctx.clock.now());
        RACES.until_won(|| Box::pin(self.note_handover(from, passed, at))).await
    }

    /// Notes a handover once, or finds that the contact knows it already. Contact and conversation are written together.
    async fn note_handover(&self, from: &Sender, passed: bool, at: Timestamp) -> Result<Done, JobError> {
        let (store, now) = (&self.ctx.store, self.ctx.clock.now());
        let Some(config) = store.config(self.scope, &self.ctx.config).await? else {
            return Ok(kit::queue::finish_without_subject("tenant"));
        };
        let Some(number) = config.whatsapp_number(self.connection) else {
            return Ok(Done::Already);
        };
        let line = line_written_to(&config.lines, Channel::WhatsApp, self.connection, None);
        let line = line.map(|line| line.id);
        let leads = store.leads_of(self.scope, &identities(from)).await?;
        let about = self.people(from, leads, Some(OnLine(line)), None, now);
        let About { mut people, along, .. } = about.await?;
        people.retain(|person| passed || person.is_known());
        let (user, sign) = (from.recipient(), if passed { Sign::Passed } else { Sign::Taken });
        for person in &mut people {
            person.contact.answered_by(number, &user, sign, at);
            if passed {
                person.contact.heard_again(at);
            }
        }
        people.retain(Person::is_changed);
        let Some(first) = people.first() else {
            return Ok(Done::Already);
        };
        // Of one that was taken back since, nobody waits here.
        let waits = passed && first.contact.elsewhere(number, &user, at).is_none();
        let mut conversation = None;
        if waits {
            let id = ConversationId::of(first.contact.id, line);
            let known = if first.is_known() {
                store.conversation_along(self.scope, id, &along).await?
            } else {
                None
            };
            let assigning = Assigning {
                config: &config,
                contact: &first.contact,
                now,
            };
            let noted = pass_to_team(store, self.scope, known, id, at, assigning);
            conversation = Some(Box::pin(noted).await?);
        }
        self.show_conversations(&people).await?;
        let effects = Effects {
            conversation,
            ..self.effects(people, "handover")
        };
        store.commit(self.scope, effects, now).await?;
        Ok(Done::Now)
    }
}
