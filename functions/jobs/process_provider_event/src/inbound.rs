//! What customers write, and what they tell of themselves.

use domain::{
    Timestamp,
    contact::{Change, Contact, Identity},
    ids::{ContactId, MessageId},
    inbound::{InboundMessage, OptFlag, Sender},
    message::{Channel, Message, Remark},
    record::{MessageRef, Received},
    words,
};
use kit::{Done, JobError, crash, metric};
use store::{contacts::ContactWrite, messages::Arrived};

use crate::{Event, MOST_RACES, busy};

impl Event<'_> {
    /// Stores a customer's message once, with all that follows from it: the contact, the window, consent, and a follow-up that
    /// it makes unnecessary.
    pub(crate) async fn message(&self, message: InboundMessage) -> Result<Done, JobError> {
        let store = &self.ctx.store;
        for _race in 0..MOST_RACES {
            let now = self.ctx.clock.now();
            let known = store
                .message_ref(self.scope, self.api, &message.provider_ref, now)
                .await?;
            if matches!(known, Some((MessageRef::Theirs { .. }, _))) {
                return Ok(Done::Already);
            }
            let Some(config) = store.config(self.scope, &self.ctx.config).await? else {
                return Err(JobError::new("store a customer's message: the tenant does not exist"));
            };
            let Some((mut contact, new_identities)) = self.person(&message.from, now).await? else {
                metric::count("sender_unknown", &[("provider", self.api)]);
                return Ok(Done::Already);
            };
            let flag = message.opt_flag.or_else(|| {
                message
                    .text
                    .as_deref()
                    .and_then(|text| words::opt_word(text, &config.tenant))
            });
            let mut remarks = Vec::new();
            let change = match flag {
                Some(flag) => {
                    let word = match flag {
                        OptFlag::Stop => "asked for no more messages",
                        OptFlag::Start => "asked for messages again",
                        OptFlag::Help => "asked for help",
                    };
                    let source = format!("{word} by {}", message.channel.name());
                    remarks.push(Remark {
                        at: now,
                        text: format!("the customer {source}"),
                    });
                    contact.wish(flag, source, message.at)
                }
                None => Change::Nothing,
            };
            let consent = match change {
                Change::Consent(entry) => Some(entry),
                Change::Nothing | Change::Profile | Change::Linked(_) => None,
            };
            let cancelled = self.wrote_first(&mut contact, now).await?;
            if cancelled.is_some() {
                remarks.push(Remark {
                    at: now,
                    text: "what was not sent yet of a follow-up is cancelled: the customer wrote first".to_owned(),
                });
            }
            contact.last_inbound_at = contact.last_inbound_at.max(Some(message.at));
            if message.opens_window && message.channel == Channel::WhatsApp {
                contact.last_whatsapp_at = contact.last_whatsapp_at.max(Some(message.at));
            }
            // A message that came by a channel proves that the channel reaches the person.
            contact.unreachable.retain(|known| known.channel != message.channel);
            let retention = config.tenant.retention.unwrap_or_default();
            let received = Received {
                id: MessageId::new(contact.id, self.ctx.ids.ulid()),
                connection: self.connection,
                message: message.clone(),
                remarks,
                correlation_id: self.correlation_id.to_owned(),
                keep_until: Some(retention.message_until(message.at, now)),
            };
            let arrived = Arrived {
                received: &received,
                api: self.api,
                contact: &ContactWrite {
                    contact,
                    new_identities,
                },
                consent: consent.as_ref().map(|entry| (self.ctx.ids.ulid(), entry)),
                cancelled: cancelled.as_ref(),
            };
            match store.store_received(self.scope, &arrived, now).await {
                Ok(()) => {
                    crash::point("process_provider_event.received");
                    kit::line::count("received", 1);
                    return Ok(Done::Now);
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy("store a customer's message"))
    }

    /// The contact who wrote, new where nobody is known by any of the identities, and the identities that must point to it.
    async fn person(&self, from: &Sender, now: Timestamp) -> Result<Option<(Contact, Vec<Identity>)>, JobError> {
        let identities = identities(from);
        let Some(first) = identities.first() else {
            return Ok(None);
        };
        let found = self.ctx.store.contacts_of(self.scope, &identities).await?;
        let known: Vec<&Contact> = found.iter().flatten().collect();
        if known.windows(2).any(|pair| pair[0].id != pair[1].id) {
            // Two contacts turn out to be one person: merging them is a job of its own. The first identity decides.
            metric::count("contacts_to_merge", &[]);
        }
        let unclaimed: Vec<Identity> = identities
            .iter()
            .zip(&found)
            .filter(|(_, found)| found.is_none())
            .map(|(identity, _)| identity.clone())
            .collect();
        let mut contact = match known.first() {
            Some(contact) => (*contact).clone(),
            None => Contact::first_seen(ContactId::new(self.ctx.ids.ulid()), first, now),
        };
        // Identities that belong to somebody else stay theirs.
        let free = |identity: &Identity| unclaimed.contains(identity);
        let sender = Sender {
            phone: from.phone.clone().filter(|phone| free(&Identity::Phone(phone.clone()))),
            bsuid: from.bsuid.clone().filter(|bsuid| free(&Identity::Bsuid(bsuid.clone()))),
            name: from.name.clone(),
        };
        contact.link(&sender);
        Ok(Some((contact, unclaimed)))
    }

    /// The contact's follow-up that was not sent yet, cancelled.
    async fn wrote_first(&self, contact: &mut Contact, now: Timestamp) -> Result<Option<Message>, JobError> {
        let Some(open) = contact.open_follow_up.take() else {
            return Ok(None);
        };
        let Some(mut message) = self.ctx.store.message(self.scope, open.message, now).await? else {
            return Ok(None);
        };
        let why = if message.attempts.is_empty() {
            "not sent: the customer wrote first"
        } else {
            "no further channel: the customer wrote"
        };
        let cancelled = message.cancel(why.to_owned());
        Ok(cancelled.then_some(message))
    }

    /// A WhatsApp call opens the window, as a message does.
    pub(crate) async fn whatsapp_call(&self, from: &Sender, at: Timestamp) -> Result<Done, JobError> {
        self.change_person(from, "note a WhatsApp call", |contact| {
            if contact.last_whatsapp_at >= Some(at) {
                return Change::Nothing;
            }
            contact.last_whatsapp_at = Some(at);
            Change::Profile
        })
        .await
    }

    pub(crate) async fn marketing(&self, from: &Sender, welcome: bool, at: Timestamp) -> Result<Done, JobError> {
        let source = "set in WhatsApp".to_owned();
        self.change_person(from, "note a marketing preference", |contact| {
            contact.wish_marketing(welcome, source.clone(), at)
        })
        .await
    }

    /// The person behind an old id has a new id, a new number, or both.
    pub(crate) async fn identity_changed(&self, previous: Option<String>, now: &Sender) -> Result<Done, JobError> {
        let store = &self.ctx.store;
        let Some(previous) = previous else {
            return Ok(Done::Already);
        };
        let Some(contact) = store.contact_of(self.scope, &Identity::Bsuid(previous)).await? else {
            return Ok(Done::Already);
        };
        let identities = identities(now);
        let found = store.contacts_of(self.scope, &identities).await?;
        let free: Vec<Identity> = identities
            .into_iter()
            .zip(&found)
            .filter(|(_, found)| found.is_none())
            .map(|(new, _)| new)
            .collect();
        if found.iter().flatten().any(|other| other.id != contact.id) {
            // Known as somebody else: merging two contacts is a job of its own.
            metric::count("contacts_to_merge", &[]);
        }
        if free.is_empty() {
            return Ok(Done::Already);
        }
        let written = store
            .change_contact(self.scope, contact.id, self.ctx.ids.ulid(), |contact| {
                for identity in &free {
                    match identity {
                        Identity::Phone(phone) => contact.phone = Some(phone.clone()),
                        Identity::Bsuid(bsuid) => contact.bsuid = Some(bsuid.clone()),
                        Identity::Sip(_) | Identity::Withheld(_) => {}
                    }
                }
                Change::Linked(free.clone())
            })
            .await?;
        Ok(if written { Done::Now } else { Done::Already })
    }

    /// Changes the contact behind a sender, new where nobody is known.
    async fn change_person(
        &self,
        from: &Sender,
        doing: &'static str,
        change: impl Fn(&mut Contact) -> Change,
    ) -> Result<Done, JobError> {
        for _race in 0..MOST_RACES {
            let now = self.ctx.clock.now();
            let Some((mut contact, new_identities)) = self.person(from, now).await? else {
                return Ok(Done::Already);
            };
            let changed = change(&mut contact);
            if changed == Change::Nothing && new_identities.is_empty() {
                return Ok(Done::Already);
            }
            let consent = match &changed {
                Change::Consent(entry) => Some((self.ctx.ids.ulid(), entry)),
                Change::Nothing | Change::Profile | Change::Linked(_) => None,
            };
            let write = ContactWrite {
                contact,
                new_identities,
            };
            match self.ctx.store.write_contact(self.scope, &write, consent).await {
                Ok(()) => return Ok(Done::Now),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy(doing))
    }
}

/// The id of Meta's first: a number can change hands, and may be missing.
fn identities(from: &Sender) -> Vec<Identity> {
    let bsuid = from.bsuid.clone().map(Identity::Bsuid);
    let phone = from.phone.clone().map(Identity::Phone);
    bsuid.into_iter().chain(phone).collect()
}
