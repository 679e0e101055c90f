//! Messages from customers, and what they say about themselves.

use std::sync::Arc;

use domain::Timestamp;
use domain::automations::{Heard, no_way_back};
use domain::calls::{MessageRef, Received};
use domain::inbox::{Happening, What};
use domain::media::Medium;
use domain::messages::{Delivery, InboundMessage, Message, OptFlag, Remark, Sender, Templated, answered_by_message};
use domain::people::{
    ConsentEntry, Contact, Identity, Linked, Profile, Recognized, Suppression, consent_id, is_stop_label,
    language_of_wish, recognize_language, wish_in_message,
};
use domain::reports::{is_written_after, reply_time};
use domain::templates::TemplateDefinition;
use domain::tenants::{TenantConfig, line_written_to};
use domain::terms::{
    CancelEvent as Happened, Category, Channel, ContactId, ConversationId, MessageId, Phone, ProviderRef, Purpose,
    Reason, Recipient, Refusal, ShownName, time_of_id,
};
use flows::inbox::{Assigning, note_for_team};
use jobs::ToQueue;
use kit::{Done, JobError, crash, metric};
use store::contacts::{Begun, ContactWrite, Holder, Lead, ProfileWrite, Refusals};
use store::inbox::{OnLine, conversation_overheard};
use store::messages::MEDIA_LANE;
use store::table::effects::{Consent, Effects, Once};
use store::{Along, Versioned};

use crate::{Event, RACES};

/// The outcome of storing a customer's message.
enum Arrival {
    /// It was stored now.
    Now(Box<Arrived>),
    /// It is stored already, as this message.
    Before(MessageId),
    /// It is not stored.
    Never(Done),
}

/// A message that was stored now.
struct Arrived {
    received: Received,
    config: Arc<TenantConfig>,
    /// The jobs that follow.
    jobs: Vec<ToQueue>,
    /// Whether the writer's other contacts have not heard it yet: see [`Event::tell_others`].
    others_wait: bool,
}

/// A customer's message, as each of the writer's contacts hears it.
struct Said<'a> {
    message: &'a InboundMessage,
    /// Id of the stored message: the proof of a wish.
    id: MessageId,
    /// Time of writing. A clock that is ahead would keep the window open, and make a refusal irrevocable.
    at: Timestamp,
    /// The wish that it is, with its source.
    wish: Option<(OptFlag, String)>,
    language: Option<Recognized>,
    /// The number that the customer wrote to, for replies with free text. It need not be the connection's usual one.
    number: Option<&'a Phone>,
}

impl Said<'_> {
    fn flag(&self) -> Option<OptFlag> {
        self.wish.as_ref().map(|(flag, _)| *flag)
    }

    fn is_stop(&self) -> bool {
        self.flag() == Some(OptFlag::Stop)
    }

    /// Applies its wish to a contact, `first` to the writer's own. Returns the wish, and whether it is new.
    fn apply_wish(&self, person: &mut Person, first: bool) -> Option<(OptFlag, bool)> {
        let (flag, source) = self.wish.as_ref()?;
        let refused = person.contact.opted_out().is_some();
        let entry = person.contact.wish(*flag, source, self.at).consent();
        // Whoever refused messages before has nothing confirmed that is new to them.
        let changed = entry.is_some() && !(*flag == OptFlag::Stop && refused);
        person.says(entry.map(|entry| entry.proven_by(&self.id)), first);
        Some((*flag, changed))
    }
}

/// Effects of a customer's message on the messages planned for a contact.
#[derive(Default)]
struct Wrote {
    /// Missed calls that it recovers.
    recovered: u32,
    /// When the follow-ups were sent that it answers.
    answered: Vec<Timestamp>,
    /// Templates of these follow-ups.
    templates: Vec<Templated>,
    /// Automatic answers that still wait.
    waiting: Vec<Message>,
}

/// A WhatsApp user before and after a change.
pub(crate) struct ChangedUser {
    pub(crate) before: Recipient,
    pub(crate) now: Recipient,
}

/// Whom a report is about.
pub(crate) struct About {
    pub(crate) people: Vec<Person>,
    /// Their conversations on the line of the report, as far as they were read along.
    pub(crate) along: Along,
    /// The message of ours that it answers, if a template carried it.
    answered: Option<Templated>,
}

/// A contact named in a report. If several prove to be the same person, the wishes of one hold for all of
/// them until they are merged.
#[derive(Clone)]
pub(crate) struct Person {
    /// The stored contact; `None` if it is new.
    before: Option<Contact>,
    pub(crate) contact: Contact,
    linked: Linked,
    /// The profile, if it changes.
    profile: Option<ProfileWrite>,
    consent: Vec<ConsentEntry>,
    pub(crate) cancelled: Vec<Message>,
    /// Suppressions of identities that are new to the contact.
    suppressed: Vec<Versioned<Suppression>>,
}

impl Person {
    fn of_contact(contact: Contact) -> Self {
        Self {
            before: Some(contact.clone()),
            contact,
            linked: Linked::default(),
            profile: None,
            consent: Vec::new(),
            cancelled: Vec::new(),
            suppressed: Vec::new(),
        }
    }

    /// Adds what the person says to the ledger. In those of all contacts but the `first`, it is a repetition.
    fn says(&mut self, entry: Option<ConsentEntry>, first: bool) {
        let entry = entry.map(|entry| if first { entry } else { entry.as_repetition() });
        self.consent.extend(entry);
    }

    pub(crate) const fn is_known(&self) -> bool {
        self.before.is_some()
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.before.as_ref() != Some(&self.contact) || !self.linked.is_empty()
    }
}

/// Shares each contact's refusals with the other contacts of the same person, and records them as the same person for later
/// reports.
fn one_person(people: &mut [Person]) {
    let known: Vec<Contact> = people.iter().map(|person| person.contact.clone()).collect();
    for (place, person) in people.iter_mut().enumerate() {
        for (_, other) in known.iter().enumerate().filter(|(other, _)| *other != place) {
            person.consent.extend(person.contact.share_refusals(other));
        }
        person.contact.is_also(known.iter().map(|other| other.id));
    }
}

/// Passes the refusals of new identities on to all contacts of the person. The first one gets the identities.
fn inherit(people: &mut [Person], refusals: Refusals) {
    for person in people.iter_mut() {
        person.consent.extend(refusals.pass_on(&mut person.contact));
    }
    if let Some(first) = people.first_mut() {
        first.suppressed = refusals.suppressed;
    }
}

impl Event<'_> {
    /// Stores a customer's message once, with its effects: on the contact, the service window, consent, and a follow-up
    /// that it makes unnecessary. Then answers it automatically, if it calls for that.
    pub(crate) async fn message(&self, message: InboundMessage, delivery: Delivery) -> Result<Done, JobError> {
        match RACES.until_won(|| Box::pin(self.receive(&message, delivery))).await? {
            Arrival::Now(arrived) => {
                let Arrived {
                    received,
                    config,
                    jobs,
                    others_wait,
                } = *arrived;
                let told = if others_wait {
                    Box::pin(self.tell_others(&received, &config, Timestamp::MAX)).await
                } else {
                    Ok(())
                };
                let answered = Box::pin(self.answer(&received, &config)).await;
                // After the answer, since a person waits for that; also if it failed.
                self.ctx.queues.enqueue(jobs, self.ctx.clock.now()).await?;
                told?;
                answered?;
                Ok(Done::Now)
            }
            Arrival::Before(known) => {
                // Whoever stored it may have stopped before telling others, answering it, or queueing its media.
                Box::pin(self.resume(known)).await?;
                Ok(Done::Already)
            }
            Arrival::Never(done) => Ok(done),
        }
    }

    /// Makes one attempt to store a message.
    async fn receive(&self, message: &InboundMessage, delivery: Delivery) -> Result<Arrival, JobError> {
        let (store, now) = (&self.ctx.store, self.ctx.clock.now());
        let (api, provider_ref) = (self.api, &message.provider_ref);
        let Begun {
            own: known,
            tenant,
            leads,
        } = store
            .begun_message(self.scope, api, provider_ref, &identities(&message.from), now)
            .await?;
        let (referred, version) = match known {
            Some((MessageRef::Theirs { message }, _)) if store.has_message(self.scope, message, now).await? => {
                return Ok(Arrival::Before(message));
            }
            // Whoever referred to it has not stored it yet, or died before that.
            Some((MessageRef::Theirs { message }, version)) => (Some(message), Some(version)),
            Some((MessageRef::Ours { .. }, _)) => {
                tracing::error!(
                    api = self.api,
                    "a customer's message has the id of one of ours; it is not stored"
                );
                metric::count("reference_taken", &[]);
                return Ok(Arrival::Never(Done::Already));
            }
            // Parked reports concern no message of ours, so the customer's message replaces them.
            Some((MessageRef::Parked { .. }, version)) => (None, Some(version)),
            None => (None, None),
        };
        let Some(config) = store.config_of(self.scope, &self.ctx.config, tenant).await? else {
            return Ok(Arrival::Never(kit::queue::finish_without_subject("tenant")));
        };
        let line = line_written_to(&config.lines, message.channel, self.connection, message.to.as_ref());
        // A reaction is no turn of a conversation.
        let on = message.is_news().then(|| OnLine(line.map(|line| line.id)));
        let about = self.people(&message.from, leads, on, message.reply_to.as_ref(), now);
        let About {
            mut people,
            along,
            answered,
        } = about.await?;
        let Some(writer) = people.first().map(|person| person.contact.id) else {
            metric::count("sender_unknown", &[("provider", self.api)]);
            return Ok(Arrival::Never(Done::Already));
        };
        let referred = match referred {
            // For another delivery it may have another time.
            Some(known) if known.contact() == writer => Some(known),
            // The id of a contact that was merged since then: from now on, nobody can store it under that one.
            Some(known) if store.has_message(self.scope, known, now).await? => return Ok(Arrival::Before(known)),
            Some(_) | None => None,
        };
        let id = referred.unwrap_or_else(|| Received::id_of(writer, self.api, message, delivery));
        // Twilio reports no time, so the first delivery's counts: the id begins with it.
        let of_first = referred.map(|id| InboundMessage {
            at: time_of_id(id.own()),
            ..message.clone()
        });
        let message = of_first.as_ref().unwrap_or(message);
        let flag = self.wish(message, answered.as_ref(), &config, now).await?;
        // Of a clock that is ahead, receipt is the same for all messages of a webhook.
        let said = self.heard_message(message, id, flag, &config, now.min(delivery.received_at));
        let mut remarks = Vec::new();
        let mut remark = |what: Refusal| remarks.push(Remark::new(now, what));
        let mut wish = None;
        for (place, person) in people.iter_mut().enumerate() {
            let wished = said.apply_wish(person, place == 0);
            wish = wish.or(wished);
        }
        if let Some((flag, source)) = &said.wish {
            let asked = Refusal::new(Reason::Asked, format!("the customer {source}"));
            let asked = asked.and("word", flag.as_str());
            remark(asked.and("channel", message.channel.as_str()));
        }
        if message.standby {
            let sentence = "the customer wrote to another app that shares the number, which answers";
            remark(Refusal::new(Reason::WroteElsewhere, sentence));
        }
        let conversation = match (on, people.first()) {
            (Some(OnLine(line)), Some(person)) => {
                let id = ConversationId::of(writer, line);
                let known = match person.before {
                    Some(_) => store.conversation_along(self.scope, id, &along).await?,
                    None => None,
                };
                let what = What::Inbound(said.id, message.channel);
                let happening = Happening { at: said.at, what };
                if message.standby {
                    Some(conversation_overheard(known, id, happening))
                } else {
                    let assigning = Assigning {
                        config: &config,
                        contact: &person.contact,
                        now,
                    };
                    let noted = note_for_team(store, self.scope, known, id, happening, assigning);
                    Some(Box::pin(noted).await?)
                }
            }
            _ => None,
        };
        let heard = Heard {
            config: &config,
            message,
            line,
            wish,
            now,
        };
        let (mut recovered, mut answers_after, mut waiting) = (0, Vec::new(), Vec::new());
        let mut templates = Vec::new();
        for person in &mut people {
            let mut wrote = self.hears(person, &said, &heard, Timestamp::MAX).await?;
            let answered = wrote.answered.into_iter();
            answers_after.extend(answered.filter_map(|sent| reply_time(sent, said.at)));
            templates.append(&mut wrote.templates);
            recovered += wrote.recovered;
            waiting.push(wrote.waiting);
        }
        let mut cancelled = people.iter().flat_map(|person| &person.cancelled);
        if cancelled.any(|message| message.cause.answered_message().is_none()) {
            let sentence = "the unsent part of a follow-up is cancelled: the customer wrote first";
            remark(Refusal::new(Reason::FollowUpCancelled, sentence));
        }
        if message.cut {
            let sentence = "the message is stored shortened; all of it is in the bucket";
            remark(Refusal::new(Reason::StoredShortened, sentence));
        }
        let line = line.map(|line| line.id);
        let retention = config.tenant.retention.unwrap_or_default();
        let mut received = Received {
            id: said.id,
            connection: self.connection,
            line,
            message: message.clone(),
            remarks,
            recovered,
            answers_after,
            templates: answered_by_message(message, said.flag(), answered.filter(|_| !message.standby), templates),
            answer: heard.calls_for(),
            correlation_id: self.correlation_id.to_owned(),
            keep_until: Some(retention.message_until(message.at, now)),
        };
        if let (Some(answer), Some((person, others))) = (received.answer, people.split_first_mut()) {
            // Whoever would not be answered keeps the answer that waits.
            let mut contact = person.contact.clone();
            let mut waiting = waiting.into_iter();
            let ended = contact.answered_anew(waiting.next().unwrap_or_default());
            let may = contact.may_be_answered(answer, line, &config.tenant, now);
            let nowhere = || no_way_back(&received, answer, &config, &contact, now);
            if let Some(why) = may.err().or_else(nowhere) {
                received.remarks.push(Remark::new(now, why));
                received.answer = None;
            } else {
                person.contact = contact;
                person.cancelled.extend(ended);
                // Their other contacts' answers would say the same.
                for (other, waiting) in others.iter_mut().zip(waiting) {
                    other.cancelled.extend(other.contact.answered_anew(waiting));
                }
            }
        }
        self.show_conversations(&people).await?;
        let media = self.media_of(&received, now);
        let is_new = people.first().is_some_and(|person| person.before.is_none());
        let effects = |people| Effects {
            once: Once::Received {
                received: &received,
                media: &media,
                reference: is_new.then_some((self.api, version)),
            },
            conversation: conversation.clone(),
            ..self.effects(people, message.provider_ref.as_str())
        };
        let others_wait = people.len() > 1 && !effects(people.clone()).fits(self.scope, now)?;
        if others_wait {
            people.truncate(1);
        }
        if referred.is_none() && !is_new {
            let referred = store.refer_to_received(self.scope, api, provider_ref, received.id, version, now);
            referred.await?;
            crash::point("process_provider_event.referred");
        }
        match store.commit(self.scope, effects(people), now).await {
            Ok(jobs) => {
                crash::point("process_provider_event.received");
                kit::line::count("received", 1);
                Ok(Arrival::Now(Box::new(Arrived {
                    received,
                    config,
                    jobs,
                    others_wait,
                })))
            }
            // Another delivery was faster. Or the reference has expired, before a message with a long retention.
            Err(error) if error.is_conflict() && store.has_message(self.scope, received.id, now).await? => {
                Ok(Arrival::Before(received.id))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The wish that a message is. `answered`: the message of ours that it answers. Only the label of a button makes it necessary to read
    /// that one, or its template: one that Meta has moved to marketing since counts as well. What was said to another responder can refuse
    /// messages, and ends no refusal.
    async fn wish(
        &self,
        message: &InboundMessage,
        answered: Option<&Templated>,
        config: &TenantConfig,
        now: Timestamp,
    ) -> Result<Option<OptFlag>, JobError> {
        // A short code's "Reply STOP" is nobody's wish.
        if message.from.sender_id.is_some() {
            return Ok(None);
        }
        let counts = |flag: &OptFlag| !message.standby || *flag == OptFlag::Stop;
        let wish = |marketing| wish_in_message(message, marketing, &config.tenant).filter(counts);
        let told = wish(false);
        let (Some(answered), None, true) = (answered, told, is_stop_label(message)) else {
            return Ok(told);
        };
        let (store, id) = (&self.ctx.store, answered.of.template.row_id());
        let sent = store.message(self.scope, answered.message, now).await?;
        let marketing = match sent.map(|sent| sent.policy.category()) {
            Some(Category::Marketing) => true,
            _ => {
                let template = store.get::<TemplateDefinition>(self.scope, &id).await?;
                template.is_some_and(|template| template.value.category == Category::Marketing)
            }
        };
        Ok(wish(marketing))
    }

    /// A message, as the writer's contacts hear it.
    fn heard_message<'a>(
        &self,
        message: &'a InboundMessage,
        id: MessageId,
        flag: Option<OptFlag>,
        config: &'a TenantConfig,
        now: Timestamp,
    ) -> Said<'a> {
        let wish = flag.map(|flag| {
            let word = match flag {
                OptFlag::Stop => "asked for no more messages",
                OptFlag::Start => "asked for messages again",
                OptFlag::Help => "asked for help",
            };
            (flag, format!("{word} by {}", message.channel.name()))
        });
        let tenants = &config.tenant.languages;
        let language = message.typed_text().and_then(|text| {
            let of_word = || flag.and_then(|_| language_of_wish(text, tenants));
            recognize_language(text, tenants).or_else(of_word)
        });
        let number = message.to.as_ref();
        Said {
            message,
            id,
            at: message.at.min(now),
            wish,
            language,
            number: number.or_else(|| config.whatsapp_number(self.connection)),
        }
    }

    /// Updates one of the writer's contacts with a message, except for wishes. Returns the message's effects on those
    /// planned for it until `planned`.
    async fn hears(
        &self,
        person: &mut Person,
        said: &Said<'_>,
        heard: &Heard<'_>,
        planned: Timestamp,
    ) -> Result<Wrote, JobError> {
        let (message, at) = (said.message, said.at);
        let ends = |waiting: &Message| heard.ends(waiting, self.connection);
        let stops = |waiting: &Message| said.is_stop() && ends(waiting);
        let written = message.is_written();
        let mut wrote = self.wrote_first(person, planned, at, written, stops, heard.now).await?;
        let contact = &mut person.contact;
        // Whoever wants no more messages, or writes to another responder, neither answers one nor is won back.
        if message.is_written() && !said.is_stop() && !message.standby {
            wrote.recovered = contact.wrote(at);
        } else {
            wrote.answered.clear();
            wrote.templates.clear();
        }
        wrote.waiting.retain(ends);
        if let Some(recognized) = said.language.clone().filter(|_| contact.last_inbound_at <= Some(at)) {
            contact.writes_in(recognized);
        }
        contact.last_inbound_at = contact.last_inbound_at.max(Some(at));
        contact.heard_again(at);
        if message.channel == Channel::WhatsApp
            && let Some(number) = said.number
        {
            contact.hears_by_whatsapp(number, message, at);
        }
        contact.reached_on(message.channel, message.from.phone.as_ref());
        if let Some(number) = &message.from.phone {
            contact.learn_form(message.channel, number);
            if message.channel == Channel::Sms && message.is_written() {
                contact.wrote_by_sms(heard.line.map(|line| line.id), number, at);
            }
        }
        Ok(wrote)
    }

    /// Updates the writer's other contacts with a stored message, if its own transaction had no room for them. Messages
    /// planned for them after `planned` are not cancelled.
    ///
    /// Safe to run twice: a contact that has the message already does not change.
    pub(crate) async fn tell_others(
        &self,
        received: &Received,
        config: &TenantConfig,
        planned: Timestamp,
    ) -> Result<(), JobError> {
        let message = &received.message;
        let told = RACES.until_won(async || {
            let now = self.ctx.clock.now();
            let leads = self.ctx.store.leads_of(self.scope, &identities(&message.from)).await?;
            let about = self.people(&message.from, leads, None, message.reply_to.as_ref(), now);
            let About { people, answered, .. } = about.await?;
            let flag = self.wish(message, answered.as_ref(), config, now).await?;
            let said = self.heard_message(message, received.id, flag, config, now);
            let heard = Heard {
                config,
                message,
                line: config.lines.iter().find(|line| Some(line.id) == received.line),
                wish: said.flag().map(|flag| (flag, true)),
                now,
            };
            // Known ones: nobody is created by an old message, such as during an erasure.
            let is_other = |person: &Person| person.before.is_some() && !person.contact.is(received.id.contact());
            let others = people.into_iter().filter(is_other);
            let mut others: Vec<Person> = others.collect();
            for person in &mut others {
                said.apply_wish(person, false);
                let wrote = self.hears(person, &said, &heard, planned).await?;
                if received.answer.is_some() {
                    person.cancelled.extend(person.contact.answered_anew(wrote.waiting));
                }
            }
            others.retain(Person::is_changed);
            self.commit_people(others, message.provider_ref.as_str(), now).await
        });
        told.await
    }

    /// Writes these contacts together or, if a transaction does not take all of it, each by itself: whoever does it again finds those
    /// that are written unchanged.
    pub(crate) async fn commit_people(&self, people: Vec<Person>, cause: &str, now: Timestamp) -> Result<(), JobError> {
        let whole = self.effects(people.clone(), cause);
        let parts = if whole.fits(self.scope, now)? {
            vec![whole]
        } else {
            // The first one last: it takes new identities, and with them refusals that the others inherit.
            let each = people.into_iter().rev().map(|person| self.effects(vec![person], cause));
            each.collect()
        };
        for part in parts {
            self.ctx.store.commit(self.scope, part, now).await?;
        }
        Ok(())
    }

    /// Media to fetch for a message.
    fn media_of(&self, received: &Received, now: Timestamp) -> Vec<Medium> {
        let kept_until = received.keep_until.unwrap_or(Timestamp::MAX);
        let first_due = self.ctx.timers.first_due_in(MEDIA_LANE);
        let media = received.message.media.iter().zip(0..);
        let pending = media.map(|(reported, index)| {
            let correlation_id = &received.correlation_id;
            Medium::pending(received.id, index, reported, correlation_id, now, kept_until, first_due)
        });
        pending.collect()
    }

    /// The contacts named by a sender's identities and by the message that it answers; the contact of the first identity
    /// comes first. A new contact if nobody is known. Empty if the sender has no identity.
    pub(crate) async fn people(
        &self,
        from: &Sender,
        leads: Vec<Lead>,
        on: Option<OnLine>,
        reply_to: Option<&ProviderRef>,
        now: Timestamp,
    ) -> Result<About, JobError> {
        let identities = identities(from);
        let Some(first) = identities.first() else {
            return Ok(About {
                people: Vec::new(),
                along: Along::default(),
                answered: None,
            });
        };
        let holders = self.ctx.store.holders_and_conversation(self.scope, leads, on);
        let (holders, along) = holders.await?;
        let (mut found, mut unclaimed, mut refusals) = (Vec::new(), Vec::new(), Refusals::default());
        for (identity, holder) in identities.iter().zip(holders) {
            match holder {
                Holder::Contact(contact) => found.push(*contact),
                Holder::Nobody(awaiting) => {
                    refusals.add(awaiting);
                    unclaimed.push(identity.clone());
                }
            }
        }
        let (with_whom, answered) = match reply_to {
            Some(reference) => self.with_whom(reference, now).await?,
            None => (None, None),
        };
        let mut people: Vec<Person> = Vec::new();
        for contact in found.into_iter().chain(with_whom) {
            if people.iter().all(|known| known.contact.id != contact.id) {
                people.push(Person::of_contact(contact));
            }
        }
        self.with_others(&mut people).await?;
        if people.len() > 1 {
            // Merging them is a separate job. The first identity decides whose the message is.
            metric::count("contacts_to_merge", &[]);
            one_person(&mut people);
        }
        if people.is_empty() {
            people.push(Person {
                before: None,
                ..Person::of_contact(Contact::first_seen(ContactId::new(self.ctx.ids.ulid()), first, now))
            });
        }
        // Identities of other contacts remain theirs.
        let free = |identity: &Identity| unclaimed.contains(identity);
        let sender = Sender {
            phone: from.phone.clone().filter(|phone| free(&Identity::Phone(phone.clone()))),
            bsuid: from.bsuid.clone().filter(|bsuid| free(&Identity::Bsuid(bsuid.clone()))),
            sender_id: None,
            name: from.name.clone(),
        };
        people[0].linked = Linked {
            new: unclaimed,
            dropped: people[0].contact.link(&sender).dropped,
        };
        inherit(&mut people, refusals);
        self.learn_name(&mut people[0], from.name.as_ref()).await?;
        Ok(About {
            people,
            along,
            answered,
        })
    }

    /// Takes over the name, if the contact has none, or one that only a network said of a caller.
    async fn learn_name(&self, person: &mut Person, name: Option<&ShownName>) -> Result<(), JobError> {
        let known = &person.contact;
        // A profile may be named ".", which says less than any caller's name.
        let is_better = |name: &&ShownName| known.named_by_call && name.chars().any(char::is_alphabetic);
        let Some(name) = name.filter(|name| !known.named || is_better(name)) else {
            return Ok(());
        };
        let before = match &person.before {
            Some(known) => self.ctx.store.profile(self.scope, known.id).await?,
            None => Profile::default(),
        };
        let mut after = before.clone();
        if !known.named_by_call {
            after.name.get_or_insert_with(|| name.clone());
        } else {
            after.name = Some(name.clone());
        }
        person.contact.named = true;
        person.contact.named_by_call = false;
        person.profile = Some(ProfileWrite { before, after });
        Ok(())
    }

    /// Adds the contacts that earlier proved to be the same person.
    async fn with_others(&self, people: &mut Vec<Person>) -> Result<(), JobError> {
        let known: Vec<&Contact> = people.iter().map(|person| &person.contact).collect();
        let others = Box::pin(self.ctx.store.others_of(self.scope, &known)).await?;
        people.extend(others.into_iter().map(Person::of_contact));
        Ok(())
    }

    /// The contact of this message, sent or received: both sides of a chat use the same id for it. `None` if its erasure has begun:
    /// that deletes the identities first, so that the customer is a new contact, and in the end whatever was written to this one. With
    /// the message, if it is one of ours that a template carried.
    async fn with_whom(
        &self,
        reference: &ProviderRef,
        now: Timestamp,
    ) -> Result<(Option<Contact>, Option<Templated>), JobError> {
        let store = &self.ctx.store;
        let (message, template) = match store.message_ref(self.scope, self.api, reference, now).await? {
            Some((MessageRef::Ours { message, template, .. }, _)) => (message, template),
            Some((MessageRef::Theirs { message }, _)) => (message, None),
            Some((MessageRef::Parked { .. }, _)) | None => return Ok((None, None)),
        };
        let contact = store.contact(self.scope, message.contact()).await?;
        let contact = contact.filter(|contact| !contact.erasing);
        Ok((contact, template.map(|of| Templated { message, of })))
    }

    /// The writes for these people. `cause` is the provider's id of the report; the ids of the ledger's entries follow
    /// from it.
    pub(crate) fn effects<'a>(&self, people: Vec<Person>, cause: &str) -> Effects<'a> {
        let mut effects = Effects::default();
        for person in people {
            let contact = person.contact.id;
            let consent = person.consent.into_iter().zip(0..).map(|(entry, place)| Consent {
                contact,
                id: consent_id(entry.at, &format!("{}#{cause}#{place}#{}", self.api, entry.what())),
                entry,
            });
            effects.consent.extend(consent);
            effects.ended.extend(person.cancelled);
            effects.people.push(ContactWrite {
                profile: person.profile,
                suppressed: person.suppressed,
                ..ContactWrite::from_linked(person.contact, person.linked)
            });
        }
        effects
    }

    /// Cancels messages planned for the person until `planned` and not sent yet, if the customer's message of the time
    /// `wrote` makes them unnecessary. A planned message that cannot be read stays open: the customer's is stored
    /// without it, and a refusal is still obeyed by the check before the send. A planned message also stays if it was
    /// sent after the customer had written, or if the customer only reacted to it (not `written`): a later message may
    /// answer it. An automatic answer is cancelled only if `ends` says so.
    async fn wrote_first(
        &self,
        person: &mut Person,
        planned: Timestamp,
        wrote: Timestamp,
        written: bool,
        ends: impl Fn(&Message) -> bool,
        now: Timestamp,
    ) -> Result<Wrote, JobError> {
        let mut meant = Wrote::default();
        let open = person.contact.open_to(Happened::Inbound);
        if open.is_empty() {
            return Ok(meant);
        }
        let found = self.ctx.store.each_message(self.scope, &open, now).await?;
        for (id, found) in open.into_iter().zip(found) {
            let mut message = match found {
                Ok(Some(message)) => message,
                Ok(None) => {
                    person.contact.forget(id);
                    continue;
                }
                Err(error) => {
                    tracing::error!(%id, error = kit::chain(&error), "an unreadable message is not cancelled");
                    continue;
                }
            };
            if message.cause.answered_message().is_some() && message.is_pending() && !ends(&message) {
                meant.waiting.push(message);
                continue;
            }
            if message.created_at > planned {
                continue;
            }
            let sent = message.accepted_at();
            let why = match (message.attempts.is_empty(), message.cause.answered_message()) {
                (true, None) => "not sent: the customer wrote first",
                (true, Some(_)) => "not sent: the customer wrote again",
                (false, _) => "no further channel: the customer wrote",
            };
            let tried = !message.attempts.is_empty();
            let answers = message.policy.purpose() == Purpose::FollowUp;
            let answered = sent.filter(|sent| answers && is_written_after(*sent, wrote));
            if answered.is_some_and(|sent| reply_time(sent, wrote).is_some()) {
                meant.templates.extend(message.sent_template());
            }
            meant.answered.extend(answered);
            let stays = !written && answers && sent.is_some();
            if message.cancel(Refusal::since(Happened::Inbound, why).and("tried", tried)) {
                if !stays {
                    person.contact.close(&message);
                }
                person.cancelled.push(message);
            } else if !stays && sent.is_none_or(|sent| is_written_after(sent, wrote)) {
                person.contact.settle(&message);
            }
        }
        Ok(meant)
    }

    /// A WhatsApp call opens the window, and brings a deleted contact back, as a message does.
    pub(crate) async fn whatsapp_call(&self, from: &Sender, at: Timestamp) -> Result<Done, JobError> {
        let at = at.min(self.ctx.clock.now());
        let Some(config) = self.ctx.store.config(self.scope, &self.ctx.config).await? else {
            return Ok(kit::queue::finish_without_subject("tenant"));
        };
        let number = config.whatsapp_number(self.connection);
        self.change_people(from, "call", true, |contact| {
            contact.heard_again(at);
            if let Some(number) = number {
                contact.open_window(number, &from.recipient(), at);
            }
            if let Some(number) = &from.phone {
                contact.learn_form(Channel::WhatsApp, number);
            }
            None
        })
        .await
    }

    pub(crate) async fn marketing(&self, from: &Sender, welcome: bool, at: Timestamp) -> Result<Done, JobError> {
        let at = at.min(self.ctx.clock.now());
        let proof = format!("user_preferences of {at}");
        // A refusal is kept for whoever is known by the id later. Without one, a contact that consists of an id is of no use.
        let creates = from.phone.is_some() || !welcome;
        self.change_people(from, "user_preferences", creates, |contact| {
            let entry = contact.wish_marketing(welcome, "set in WhatsApp", at).consent();
            entry.map(|entry| entry.proven_by(&proof))
        })
        .await
    }

    /// Updates the person of these identities, who has a new id, a new number, or both. Somebody who is not known becomes a contact: what they
    /// wrote by the previous ones may arrive later, such as STOP.
    pub(crate) async fn identity_changed(&self, previous: &Sender, now: &Sender) -> Result<Done, JobError> {
        let known = identities(previous);
        let Some(first) = known.first() else {
            return Ok(Done::Already);
        };
        let met = self.change_people(previous, "identity", true, |_| None).await?;
        let Some(contact) = self.ctx.store.contact_of(self.scope, first).await? else {
            return Ok(met);
        };
        let changed = ChangedUser {
            before: previous.recipient(),
            now: now.recipient(),
        };
        let learnt = self.learn(contact.id, &identities(now), Some(&changed)).await?;
        Ok(if learnt == Done::Already { met } else { learnt })
    }

    /// Learns that a contact is known by these identities. Contacts that they lead to prove to be the same person.
    pub(crate) async fn learn(
        &self,
        id: ContactId,
        identities: &[Identity],
        changed: Option<&ChangedUser>,
    ) -> Result<Done, JobError> {
        let linked = RACES.until_won(|| Box::pin(self.prefer(id, identities, changed)));
        let (done, others) = linked.await?;
        for other in others {
            self.same_person(id, other).await?;
        }
        Ok(done)
    }

    /// Links those of these identities that lead to no other contact, as the preferred ones, in one transaction with the contact: so
    /// none leads to a contact that was deleted meanwhile. Returns the other contacts.
    async fn prefer(
        &self,
        id: ContactId,
        identities: &[Identity],
        changed: Option<&ChangedUser>,
    ) -> Result<(Done, Vec<ContactId>), JobError> {
        let store = &self.ctx.store;
        let known = store.contact(self.scope, id).await?;
        let Some(contact) = known.filter(|contact| !contact.erasing) else {
            return Ok((Done::Already, Vec::new()));
        };
        // It may have been merged into another.
        let id = contact.id;
        let mut others = Vec::new();
        let mut people = vec![Person::of_contact(contact)];
        let mut refusals = Refusals::default();
        let holders = store.holders_of(self.scope, identities).await?;
        for (identity, holder) in identities.iter().zip(holders) {
            let leads_here = match holder {
                Holder::Contact(other) if other.id != id => {
                    others.push(other.id);
                    continue;
                }
                Holder::Contact(_) => true,
                Holder::Nobody(awaiting) => {
                    refusals.add(awaiting);
                    false
                }
            };
            let person = &mut people[0];
            let Linked { mut new, dropped } = person.contact.prefer(identity);
            // It leads nowhere, even if the contact names it already.
            if new.is_empty() && !leads_here {
                new.push(identity.clone());
            }
            person.linked.new.extend(new);
            person.linked.dropped.extend(dropped);
        }
        if let Some(ChangedUser { before, now }) = changed {
            people[0].contact.changed_user(before, now);
        }
        if !people[0].is_changed() {
            return Ok((Done::Already, others));
        }
        if !refusals.is_empty() {
            self.with_others(&mut people).await?;
        }
        inherit(&mut people, refusals);
        people.retain(Person::is_changed);
        self.commit_people(people, "identity", self.ctx.clock.now()).await?;
        Ok((Done::Now, others))
    }

    /// Links two contacts that prove to be one person. Merging them is a separate job; refusals of one hold for both from
    /// now on, and a person who has written since does not get earlier planned messages.
    pub(crate) async fn same_person(&self, one: ContactId, other: ContactId) -> Result<(), JobError> {
        metric::count("contacts_to_merge", &[]);
        let store = &self.ctx.store;
        let told = RACES.until_won(async || {
            let now = self.ctx.clock.now();
            let mut people = Vec::new();
            for id in [one, other] {
                let contact = store.contact(self.scope, id).await?;
                // They may have been merged meanwhile.
                let new = contact.filter(|contact| people.iter().all(|known: &Person| known.contact.id != contact.id));
                people.extend(new.map(Person::of_contact));
            }
            self.with_others(&mut people).await?;
            one_person(&mut people);
            let wrote = people.iter().filter_map(|person| person.contact.last_inbound_at).max();
            for person in &mut people {
                if let Some(wrote) = wrote {
                    // The answered messages are not counted any more: its row is written.
                    self.wrote_first(person, wrote, wrote, true, |_| false, now).await?;
                }
            }
            people.retain(Person::is_changed);
            self.commit_people(people, "same", now).await
        });
        told.await
    }

    /// Changes the contacts of a sender. `creates`: if nobody is known, one is created.
    async fn change_people(
        &self,
        from: &Sender,
        cause: &str,
        creates: bool,
        change: impl Fn(&mut Contact) -> Option<ConsentEntry>,
    ) -> Result<Done, JobError> {
        let changed = RACES.until_won(async || {
            let now = self.ctx.clock.now();
            let leads = self.ctx.store.leads_of(self.scope, &identities(from)).await?;
            let mut people = self.people(from, leads, None, None, now).await?.people;
            people.retain(|person| creates || person.is_known());
            for (place, person) in people.iter_mut().enumerate() {
                let entry = change(&mut person.contact);
                person.says(entry, place == 0);
            }
            people.retain(Person::is_changed);
            if people.is_empty() {
                return Ok(Done::Already);
            }
            // For a deleted tenant, no contact is created.
            let new = people.iter().any(|person| person.before.is_none());
            if new && self.ctx.store.config(self.scope, &self.ctx.config).await?.is_none() {
                return Ok(kit::queue::finish_without_subject("tenant"));
            }
            self.show_conversations(&people).await?;
            self.commit_people(people, cause, now).await?;
            Ok(Done::Now)
        });
        changed.await
    }

    /// Opens all conversations of those who were deleted and are back.
    pub(crate) async fn show_conversations(&self, people: &[Person]) -> Result<(), JobError> {
        for Person { before, contact, .. } in people {
            let deleted_at = before.as_ref().and_then(|before| before.deleted_at);
            Box::pin(self.ctx.store.show_conversations(self.scope, deleted_at, contact)).await?;
        }
        Ok(())
    }
}

/// Meta's id first: a number can change hands, and may be missing.
pub(crate) fn identities(from: &Sender) -> Vec<Identity> {
    let bsuid = from.bsuid.clone().map(Identity::Bsuid);
    let phone = from.phone.clone().map(Identity::Phone);
    let sender = from.sender_id.clone().map(Identity::Sender);
    bsuid.into_iter().chain(phone).chain(sender).collect()
}
