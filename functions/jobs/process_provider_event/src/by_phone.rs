//! Messages that somebody of the business sends in the app of its own phone.

use domain::Timestamp;
use domain::calls::MessageRef;
use domain::inbox::{Happening, What};
use domain::messages::{InboundMessage, message_by_phone};
use domain::people::Sign;
use domain::tenants::{TenantConfig, line_written_to};
use domain::terms::{CancelEvent as Happened, Channel, ConversationId, LineId};
use kit::{Done, JobError};
use store::contacts::Begun;
use store::inbox::OnLine;

use crate::inbound::{About, Person, identities};
use crate::{Event, RACES};

impl Event<'_> {
    /// Stores a message that the business's own phone has sent, once: the customer waits no longer, and nothing that was planned before follows
    /// up. Whoever it goes to becomes a contact, as by a call of the business: the answer would do so anyway, and stand there alone.
    ///
    /// Another responder of the number may write to anybody: only its messages to contacts are shown. They end no follow-up.
    pub(crate) async fn by_phone(&self, echo: InboundMessage) -> Result<Done, JobError> {
        // A reaction, or a change of an earlier message, answers nobody.
        if !echo.is_written() {
            return Ok(Done::Already);
        }
        RACES.until_won(|| Box::pin(self.note_by_phone(&echo))).await
    }

    async fn note_by_phone(&self, echo: &InboundMessage) -> Result<Done, JobError> {
        let (store, now) = (&self.ctx.store, self.ctx.clock.now());
        let (api, provider_ref) = (self.api, &echo.provider_ref);
        let person = identities(&echo.from);
        let begun = store.begun_message(self.scope, api, provider_ref, &person, now);
        let Begun { own, tenant, leads } = begun.await?;
        let version = match own {
            // We sent it, or it is stored.
            Some((MessageRef::Ours { .. }, _)) => return Ok(Done::Already),
            Some((MessageRef::Theirs { message }, _)) if store.has_message(self.scope, message, now).await? => {
                return Ok(Done::Already);
            }
            known => known.map(|(_, version)| version),
        };
        let Some(config) = store.config_of(self.scope, &self.ctx.config, tenant).await? else {
            return Ok(kit::queue::finish_without_subject("tenant"));
        };
        let line = line_written_to(&config.lines, echo.channel, self.connection, None);
        let line = line.map(|line| line.id);
        let about = self.people(&echo.from, leads, Some(OnLine(line)), None, now);
        let About { mut people, along, .. } = about.await?;
        // Only the person brings a deleted contact back.
        people.retain(|person| person.contact.deleted_at.is_none() && (person.is_known() || !echo.standby));
        let Some(first) = people.first() else {
            return Ok(Done::Already);
        };
        let id = ConversationId::of(first.contact.id, line);
        // A clock that is ahead would end what waits later.
        let echo = &InboundMessage {
            at: echo.at.min(now),
            ..echo.clone()
        };
        let of_others = config.whatsapp_number(self.connection).filter(|_| echo.standby);
        for person in &mut people {
            if let Some(number) = of_others.filter(|_| !echo.is_template()) {
                person
                    .contact
                    .answered_by(number, &echo.from.recipient(), Sign::Copied, echo.at);
            }
            if echo.standby {
                continue;
            }
            let open = person.contact.open_to(Happened::ByPhone);
            let open = store.each_message(self.scope, &open, now).await?;
            // An unreadable one stays open.
            let open = open.into_iter().filter_map(Result::ok).flatten().collect();
            person.cancelled = person.contact.answered_by_phone(echo.at, open);
        }
        let others = people.split_off(1);
        if !echo.is_template() {
            Box::pin(self.answer_others(others, line, echo.at, &config, echo.provider_ref.as_str(), now)).await?;
        }
        let keep_until = config.tenant.retention.unwrap_or_default().message_until(echo.at, now);
        let (connection, timers) = (self.connection, &self.ctx.timers);
        let message = message_by_phone(id, connection, echo, keep_until, self.correlation_id, timers)?;
        let conversation = store.conversation_along(self.scope, id, &along).await?;
        let tell_after = config.tenant.inbox.unwrap_or_default().notify_after();
        let conversation = conversation.map(|mut known| {
            if echo.is_template() {
                let what = What::Reply(message.id, Channel::WhatsApp);
                known.value.overhear(Happening { at: echo.at, what });
            } else {
                known.value.answered_by_phone(echo.at, message.id, tell_after);
            }
            known
        });
        let referred = store.refer_to_received(self.scope, api, provider_ref, message.id, version, now);
        referred.await?;
        let mut effects = self.effects(people, echo.provider_ref.as_str());
        // It is sent, so no job follows.
        effects.ended.push(message);
        effects.conversation = conversation;
        store.commit(self.scope, effects, now).await?;
        Ok(Done::Now)
    }

    /// Writes the other contacts of the person, and ends their wait on this line. It comes before the message is stored, so that it is done
    /// again if it fails half-way.
    async fn answer_others(
        &self,
        mut others: Vec<Person>,
        line: Option<LineId>,
        at: Timestamp,
        config: &TenantConfig,
        cause: &str,
        now: Timestamp,
    ) -> Result<(), JobError> {
        let tell_after = config.tenant.inbox.unwrap_or_default().notify_after();
        for other in &others {
            let id = ConversationId::of(other.contact.id, line);
            let known = self.ctx.store.conversation(self.scope, id).await?;
            let waited = known.and_then(|mut known| known.value.talked_by_phone(at, tell_after).then_some(known));
            if let Some(known) = waited {
                self.ctx.store.write_conversation(self.scope, &known, None).await?;
            }
        }
        others.retain(Person::is_changed);
        self.commit_people(others, cause, now).await
    }
}
