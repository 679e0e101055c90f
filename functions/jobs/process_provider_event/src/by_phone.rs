//! Messages that somebody of the business sends in the app of its own phone.

use domain::{
    base::ids::ConversationId,
    calls::record::MessageRef,
    messages::{by_phone, inbound::InboundMessage, purpose::Event as Happened},
    tenants::line,
};
use kit::{Done, JobError};
use store::{
    contacts::contact::{Begun, ContactWrite, Holder},
    inbox::conversation::OnLine,
    table::effects::Effects,
};

use crate::{Event, RACES, inbound::identities};

impl Event<'_> {
    /// Stores a message that the business's own phone has sent, once: the customer waits no longer, and nothing that was planned before follows
    /// up. Whoever is no contact does not become one, since the phone also writes to people who are no customers.
    pub(crate) async fn by_phone(&self, echo: InboundMessage) -> Result<Done, JobError> {
        // A reaction, or a change of an earlier message, answers nobody.
        if !echo.is_written() {
            return Ok(Done::Already);
        }
        RACES.until_won(|| Box::pin(self.note_by_phone(&echo))).await
    }

    async fn note_by_phone(&self, echo: &InboundMessage) -> Result<Done, JobError> {
        let (store, now) = (&self.ctx.store, self.ctx.clock.now());
        let reference = (self.api, &echo.provider_ref);
        let person = identities(&echo.from);
        let begun = store.begun_message(self.scope, reference, &person, now);
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
            return Ok(kit::queue::gone("tenant"));
        };
        let line = line::written_to(&config.lines, echo.channel, self.connection, None);
        let line = line.map(|line| line.id);
        let leads = store.renewed(self.scope, leads).await?;
        let holders = store.holders_and_conversation(self.scope, leads, Some(OnLine(line)));
        let (holders, along) = holders.await?;
        let mut known = holders.into_iter().filter_map(|holder| match holder {
            Holder::Contact(contact) => Some(*contact).filter(|contact| contact.deleted_at.is_none()),
            Holder::Nobody(_) => None,
        });
        let Some(mut contact) = known.next() else {
            return Ok(Done::Already);
        };
        let id = ConversationId::of(contact.id, line);
        let conversation = store.conversation_along(self.scope, id, &along).await?;
        // A clock that is ahead would end what waits later.
        let echo = &InboundMessage {
            at: echo.at.min(now),
            ..echo.clone()
        };
        let keep_until = config.tenant.retention.unwrap_or_default().message_until(echo.at, now);
        let (kept, timers) = ((keep_until, self.correlation_id), &self.ctx.timers);
        let message = by_phone::message((id, self.connection), echo, kept, timers)?;
        let open = contact.open_to(Happened::ByPhone);
        let open = store.each_message(self.scope, &open, now).await?;
        // One that cannot be read stays open.
        let open = open.into_iter().filter_map(Result::ok).flatten().collect();
        let mut ended = contact.answered_by_phone(echo.at, open);
        let tell_after = config.tenant.inbox.unwrap_or_default().notify_after();
        let conversation = conversation.map(|mut known| {
            known.value.answered_by_phone(echo.at, message.id, tell_after);
            known
        });
        let referred = store.refer_to_received(self.scope, reference, message.id, version, now);
        referred.await?;
        // It is sent, so no job follows.
        ended.push(message);
        let effects = Effects {
            people: vec![ContactWrite::from(contact)],
            ended,
            conversation,
            ..Effects::default()
        };
        store.commit(self.scope, effects, now).await?;
        Ok(Done::Now)
    }
}
