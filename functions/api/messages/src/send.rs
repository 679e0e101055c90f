//! Sending: a message that a user or the tenant's software asks for, through the same composing and checks as any other.

use std::sync::Arc;

use access::TENANT_LIMIT;
use api::{Allowed, AllowedOrRun, Api, Body, RACES, Setback, Showing, With, itself, permits, require_found};
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::LOCATION;
use axum::{Extension, Json};
use domain::inbox::{Conversation, TeamMessage};
use domain::media::Asset;
use domain::messages::{
    Asked, Cause, Composed, Intent, IntentReview, Message, MessageRequest, Needs, Referred, TemplateRequest, Whom,
    World, is_own_number, own_number_fault, review_intent,
};
use domain::money::Scope;
use domain::people::{ConsentEntry, Contact, Identity, Person, Profile, Sign, consent_id};
use domain::tenants::{Tenant, TenantConfig};
use domain::terms::{
    Category, Channel, ConnectionId, ContactId, ConversationId, Fault, FaultCode, Lane, MessageId, Purpose, Reason,
    Recipient, Refusal, Timers,
};
use flows::messages::{Gathered, Planner};
use jiff::Timestamp;
use jobs::ToQueue;
use kit::{ConfigError, Env, Pages, Problem, QueueName, Queues};
use store::contacts::{ContactWrite, Lead, Refusals};
use store::inbox::OnLine;
use store::money::{Countable, PriceCache};
use store::reports::{Exchanged, KnownMessage};
use store::table::effects::{Consent, Effects};
use store::table::rates::Limit;
use store::tenants::ConfigCache;
use store::{Along, TenantScope, Versioned};
use tokio::sync::OnceCell;
use ulid::Ulid;

use crate::visibility::{ChangedMessage, StartedConversation, reason_for};

/// Path of the messages.
const MESSAGES: &str = "/api/v1/messages";

/// The part of a tenant's requests per minute that may be messages in the lane of answers, as a divisor.
const SHARE: u32 = 8;

pub(crate) type Sends = Allowed<permits::MessagesSend>;

/// A caller who sends messages, or a receiver of a webhook who does so about the contact of its event.
pub(crate) type SendsOrRun = AllowedOrRun<permits::MessagesSend>;

/// The answer to a request for a message, with its path.
pub(crate) type Placed = ([(HeaderName, String); 1], With<201, Json<ChangedMessage>>);

/// Dependencies of sending, besides the table.
pub(crate) struct Sending {
    config: ConfigCache,
    prices: PriceCache,
    planner: Planner,
    queues: Queues,
    timers: Timers,
}

impl Sending {
    /// Reads the function's environment.
    pub(crate) fn new(env: &Env, api: &Api) -> Result<Self, ConfigError> {
        let timers = env.config().timers()?;
        Ok(Self {
            config: ConfigCache::default(),
            prices: PriceCache::default(),
            planner: Planner::new(api.store().clone(), Pages::new(env)?, timers),
            queues: Queues::new(env, &[QueueName::Sends, QueueName::BulkSends, QueueName::Media])?,
            timers,
        })
    }

    pub(crate) const fn prices(&self) -> &PriceCache {
        &self.prices
    }

    pub(crate) const fn timers(&self) -> &Timers {
        &self.timers
    }

    /// The tenant with its configuration, and what leads to a recipient who is named by a number or id.
    pub(crate) async fn start(
        &self,
        api: &Api,
        who: &Sends,
        whom: Option<&Whom>,
    ) -> Result<(Arc<TenantConfig>, Option<Lead>), Problem> {
        let (store, scope) = (api.store(), who.scope());
        let named = whom.and_then(Whom::identity).map(std::slice::from_ref);
        let mut begun = store.read_beginning(scope, named.unwrap_or_default()).await?;
        let config = require_found(store.config_of(scope, &self.config, begun.tenant)).await?;
        Ok((config, begun.leads.pop()))
    }

    /// The tenant with its configuration.
    pub(crate) async fn config(&self, api: &Api, who: &Sends) -> Result<Arc<TenantConfig>, Problem> {
        self.start(api, who, None).await.map(|(config, _)| config)
    }

    /// The rows that composing reads. `random`: bytes for the codes of its links.
    pub(crate) async fn gather(
        &self,
        scope: &TenantScope,
        needs: &Needs,
        random: impl FnOnce() -> Result<[u8; 32], Problem>,
        along: &Along,
        now: Timestamp,
    ) -> Result<Gathered, Setback> {
        let random = if needs.links() { Some(random()?) } else { None };
        Ok(self.planner.gather(scope, needs, random, along, now).await?)
    }

    /// Writes a message with everything that changes with it, and queues it.
    pub(crate) async fn place(
        &self,
        api: &Api,
        who: &Sends,
        to: Reached,
        config: &TenantConfig,
        composition: Composition,
        retried: Option<Message>,
    ) -> Result<KnownMessage, Setback> {
        let (scope, now) = (who.scope(), who.now());
        let Composition { composed, gathered } = composition;
        let Reached {
            mut person,
            new,
            refusals,
            entries,
            along: _,
            said_in,
        } = to;
        let (contact, follows) = (&mut person.contact, who.correlation_id().to_owned());
        let uploads = uploads(who, config, &composed, &gathered);
        let planned = self.planner.plan(scope, composed, contact, gathered, follows, now);
        let planned = Box::pin(planned).await?;
        let mut message = planned.message;
        if let Some(number) = message.takes_over(config) {
            contact.answered_by(number, &message.to, Sign::Answered, now);
        }
        if !uploads.is_empty() {
            // If it is not queued, the message asks a minute later.
            message.upload_asked = Some(now);
        }
        let consent = entries.into_iter().zip(0..).map(|(entry, place)| Consent {
            contact: contact.id,
            id: consent_id(now, &format!("{}#{place}", message.id)),
            entry,
        });
        let mut ended = planned.ended;
        ended.extend(retried.map(|retried| Message {
            retried_as: Some(message.id),
            ..retried
        }));
        let tell_after = config.tenant.inbox.unwrap_or_default().notify_after();
        let mut attachment = None;
        let conversation = said_in.map(
            |SaidIn {
                 mut known,
                 seen,
                 carries,
             }| {
                attachment = carries;
                let channel = message.plan.first().map_or(Channel::WhatsApp, |leg| leg.channel);
                let sent = TeamMessage {
                    at: now,
                    message: message.id,
                    channel,
                };
                match seen {
                    Some(seen) => known.value.reply(who.actor(), seen, sent, tell_after),
                    None => known.value.start(who.actor(), sent),
                }
                known
            },
        );
        let effects = Effects {
            conversation,
            attachment: attachment.map(|file| file.attached_to(message.id, message.keep_until)),
            people: vec![ContactWrite {
                new_identities: new.into_iter().collect(),
                suppressed: refusals.suppressed,
                ..ContactWrite::from(contact.clone())
            }],
            planned: vec![message.clone()],
            ended,
            consent: consent.collect(),
            links: planned.links,
            ..Effects::default()
        };
        let mut jobs = Box::pin(api.store().commit(scope, effects, now)).await?;
        jobs.extend(uploads);
        self.queue(jobs, now).await;
        Ok(KnownMessage {
            message: Exchanged::Sent(Box::new(message)),
            contact: person,
        })
    }

    /// Queues a message that is written. If the queue does not answer, the due index has it.
    async fn queue(&self, jobs: Vec<ToQueue>, now: Timestamp) {
        if let Err(error) = self.queues.enqueue(jobs, now).await {
            tracing::warn!(
                error = kit::chain(&error),
                "a requested message was not queued: the due index will do it"
            );
        }
    }

    /// Queues a message that an earlier request has written, unless something became of it: that request may have been interrupted
    /// before.
    pub(crate) async fn queue_again(&self, who: &Sends, message: &Message) {
        if message.attempts.is_empty() && message.ended.is_none() {
            let job = ToQueue::send(who.scope().tenant(), message);
            self.queue(vec![job], who.now()).await;
        }
    }

    /// The message that an interrupted attempt of this request has written.
    pub(crate) async fn placed_before(
        &self,
        api: &Api,
        who: &Sends,
        contact: &Contact,
        asked: &Asked,
        cause: impl Fn(&Asked) -> Cause,
    ) -> Result<Option<Message>, Setback> {
        let own = |contact: ContactId| {
            let asked = Asked {
                contact,
                ..asked.clone()
            };
            cause(&asked).message_id()
        };
        // The contact may have been merged since.
        let ids: Vec<_> = contact.ids().map(own).collect();
        let found = api.store().messages(who.scope(), &ids, who.now()).await?;
        let Some(message) = found.into_iter().next() else {
            return Ok(None);
        };
        self.queue_again(who, &message).await;
        Ok(Some(message))
    }

    /// Sends a message. `starts`: in a conversation with its recipient.
    pub(crate) async fn send(
        &self,
        api: &Api,
        who: &Sends,
        request: &MessageRequest,
        starts: bool,
    ) -> Result<(KnownMessage, Arc<TenantConfig>), Problem> {
        let (whom, now) = (request.whom(), who.now());
        let (config, lead) = self.start(api, who, whom.as_ref()).await?;
        let problems = request.problems(&config, now);
        let Some(whom) = whom else {
            return Err(problems.into());
        };
        let (id, new) = (who.ulid(), ContactId::new(who.ulid()));
        let (whole, problems, whom, counted) = (&config, &problems, &whom, &OnceCell::new());
        let read = || Box::pin(lead_to(api, who, whom));
        let placed = RACES.until_won_from(lead, read, |lead| async move {
            let config = &**whole;
            let likely = likely(who, whom, new);
            let probably = request_as_cause(who, id, whom, &likely.contact);
            let intent = request.intent(&probably, &likely.contact, config);
            let on = starts.then_some(OnLine(intent.line));
            let probably = needs(config, &likely, &intent, now);
            let mut to = Box::pin(reach(api, who, whom, lead, new, &probably, on)).await?;
            let contact = &to.person.contact;
            let mut asked = request_as_cause(who, id, whom, contact);
            let refers = Box::pin(find_referred_message(api, who, request, contact)).await?;
            asked.refers = refers.as_ref().ok().cloned().flatten();
            let intent = request.intent(&asked, contact, config);
            let needs = needs(config, &to.person, &intent, now);
            let before = self.placed_before(api, who, contact, &asked, Asked::cause);
            let random = || api.secret();
            let gathered = self.gather(who.scope(), &needs, random, &to.along, now);
            let (before, gathered) = tokio::try_join!(Box::pin(before), Box::pin(gathered))?;
            if let Some(message) = before {
                return Ok(KnownMessage {
                    message: Exchanged::Sent(Box::new(message)),
                    contact: to.person,
                });
            }
            addressable(whom, contact)?;
            if !problems.is_empty() {
                return Err(Problem::from(problems.clone()).into());
            }
            refers?;
            let count = || Box::pin(self.count(api, who, &config.tenant, request.category.into()));
            Box::pin(counted.get_or_try_init(count)).await?;
            not_oneself(config, whom, &intent.to)?;
            let composed =
                review_message(config, &to.person, &intent, &gathered, now).and_then(IntentReview::into_outcome);
            let composed = composed.map_err(|refusal| problem_of_refusal(reason_for(who, refusal)))?;
            Box::pin(self.within_caps(api, who, config, &composed)).await?;
            if starts {
                let on = ConversationId::of(contact.id, composed.line);
                let known = api.store().conversation_along(who.scope(), on, &to.along).await?;
                let known = known.unwrap_or_else(|| Versioned {
                    value: Conversation::empty(on, now),
                    version: 0,
                });
                to.said_in = Some(SaidIn {
                    known,
                    seen: None,
                    carries: None,
                });
            }
            let composition = Composition { composed, gathered };
            Box::pin(self.place(api, who, to, config, composition, None)).await
        });
        let placed = placed.await?;
        Ok((placed, config))
    }

    /// Refuses a message if a cap has no room now for its first leg. Whether it has room at the time of sending is found out then.
    pub(crate) async fn within_caps(
        &self,
        api: &Api,
        who: &Sends,
        config: &TenantConfig,
        composed: &Composed,
    ) -> Result<(), Setback> {
        let (store, now) = (api.store(), who.now());
        let Some(leg) = composed.legs.first() else {
            return Ok(());
        };
        let of = Countable {
            policy: &composed.policy,
            line: composed.line,
            to: &composed.to,
            leg,
        };
        let mut takes = store.takes(config, of, &self.prices, now).await?;
        // One whose period is over by then may have room.
        takes.retain(|take| take.cap.maximum == 0 || composed.not_before < take.cap.period.next(now));
        if takes.is_empty() {
            return Ok(());
        }
        let counts = store.cap_counts(who.scope(), now).await?;
        let Some(reached) = counts.first_reached(&takes, now) else {
            return Ok(());
        };
        let refusal = reached.refusal_when_reached(now);
        // Where the person is.
        let personal = matches!(reached.scope, Scope::Country(_) | Scope::Abroad);
        let refusal = if personal { reason_for(who, refusal) } else { refusal };
        Err(problem_of_refusal(refusal).into())
    }

    /// Counts a message that goes into the lane of answers, where follow-ups to calls must never wait behind requests.
    pub(crate) async fn count(
        &self,
        api: &Api,
        who: &Sends,
        tenant: &Tenant,
        category: Category,
    ) -> Result<(), Problem> {
        let kind = Purpose::Api.row().kind(category);
        if kind.is_none_or(|kind| kind.lane == Lane::Bulk) {
            return Ok(());
        }
        let requests = tenant.limits.unwrap_or_default().requests_per_minute;
        let most = requests.unwrap_or(TENANT_LIMIT).div_ceil(SHARE);
        api.limit(who, "MESSAGES", Limit::per_minute(most)).await
    }
}

/// A composed message, with the rows that composing has read.
pub(crate) struct Composition {
    pub(crate) composed: Composed,
    pub(crate) gathered: Gathered,
}

/// A recipient, known or new.
pub(crate) struct Reached {
    pub(crate) person: Person,
    /// The identity that leads to a new contact.
    pub(crate) new: Option<Identity>,
    /// Known refusals of a new contact's person.
    refusals: Refusals,
    /// Ledger entries for those refusals.
    entries: Vec<ConsentEntry>,
    /// Rows that were read along with them.
    pub(crate) along: Along,
    /// The conversation where somebody of the team writes to them.
    pub(crate) said_in: Option<SaidIn>,
}

/// A conversation where somebody of the team writes.
pub(crate) struct SaidIn {
    pub(crate) known: Versioned<Conversation>,
    /// Number of the latest happening that the author of a reply has seen. `None`: the message starts the conversation.
    pub(crate) seen: Option<u64>,
    /// The attachment that the message carries.
    pub(crate) carries: Option<Asset>,
}

impl From<Person> for Reached {
    fn from(person: Person) -> Self {
        Self {
            person,
            new: None,
            refusals: Refusals::default(),
            entries: Vec::new(),
            along: Along::default(),
            said_in: None,
        }
    }
}

/// The lead to a recipient who is named by a number or id.
pub(crate) async fn lead_to(api: &Api, who: &Sends, whom: &Whom) -> Result<Option<Lead>, Problem> {
    let Some(identity) = whom.identity() else {
        return Ok(None);
    };
    Ok(Some(api.store().lead_of(who.scope(), identity).await?))
}

/// The refusal of a message to somebody whose erasure has begun.
fn being_erased() -> Problem {
    let sentence = "the contact with this number or id is being erased; send it again in a few minutes";
    problem_of_refusal(Refusal::new(Reason::ContactDeleted, sentence))
}

/// The recipient before anything was read of them.
pub(crate) fn likely(who: &Sends, whom: &Whom, new: ContactId) -> Person {
    let contact = match whom.identity() {
        Some(identity) => Contact::first_seen(new, identity, who.now()),
        None => Contact::new(new, who.now()),
    };
    Person {
        contact,
        profile: Profile::default(),
    }
}

/// The recipient of a request, perhaps one that is not [`addressable`], and what a message will probably need. Nothing is written.
pub(crate) async fn reach(
    api: &Api,
    who: &Sends,
    whom: &Whom,
    lead: Option<Lead>,
    new: ContactId,
    needs: &Needs,
    on: Option<OnLine>,
) -> Result<Reached, Setback> {
    let (store, scope) = (api.store(), who.scope());
    let (identity, lead) = match (whom, lead) {
        (Whom::Known(identity), Some(lead)) => (identity, lead),
        (Whom::Known(identity), None) => (identity, store.lead_of(scope, identity).await?),
        (Whom::Contact(id), _) => {
            let (person, along) = store.known_with(scope, *id, needs, on).await?;
            let person = person.ok_or_else(Problem::not_found)?;
            return Ok(Reached {
                along,
                ..Reached::from(person)
            });
        }
    };
    let (known, refusals, along) = match store.led_to(scope, lead, needs, on).await {
        Err(error) if error.is_conflict() || error.is_gone() => return Err(being_erased().into()),
        read => read?,
    };
    if let Some(person) = known {
        return Ok(Reached {
            along,
            ..Reached::from(person)
        });
    }
    if let Identity::Bsuid(id) = identity {
        let fault = Fault::new(FaultCode::NotFound, "No contact has this WhatsApp id.");
        return Err(Problem::field(whom.field(), fault.and("id", id.as_str())).into());
    }
    let mut contact = Contact::first_seen(new, identity, who.now());
    let entries = refusals.pass_on(&mut contact);
    Ok(Reached {
        person: Person {
            contact,
            profile: Profile::default(),
        },
        new: Some(identity.clone()),
        refusals,
        entries,
        along,
        said_in: None,
    })
}

/// Refuses a recipient who was merged into another contact, or deleted. A message that is already written is found before this check:
/// its recipient's later fate is no reason to write another one.
pub(crate) fn addressable(whom: &Whom, contact: &Contact) -> Result<(), Problem> {
    if let Whom::Contact(id) = whom {
        itself(*id, contact)?;
    }
    match (contact.deleted_at, whom) {
        (None, _) => Ok(()),
        (Some(_), Whom::Contact(_)) => Err(Problem::not_found()),
        (Some(_), Whom::Known(_)) => {
            let sentence = "the contact with this number or id was deleted; restore it first";
            Err(problem_of_refusal(Refusal::new(Reason::ContactDeleted, sentence)))
        }
    }
}

/// The request as its message's cause.
pub(crate) fn request_as_cause(who: &Sends, request: Ulid, whom: &Whom, contact: &Contact) -> Asked {
    Asked {
        by: who.actor(),
        request,
        contact: contact.id,
        to: whom.recipient(contact),
        refers: None,
        now: who.now(),
    }
}

/// The message that a request answers or reacts to, or the fault of the field that names it: it must be one of the same contact, by
/// WhatsApp, that the provider knows, with somebody who is still of the contact.
pub(crate) async fn find_referred_message(
    api: &Api,
    who: &Sends,
    request: &MessageRequest,
    contact: &Contact,
) -> Result<Result<Option<Referred>, Problem>, Setback> {
    let Some((field, id)) = request.refers_to() else {
        return Ok(Ok(None));
    };
    let found = if contact.is(id.contact()) {
        api.store().exchanged_message(who.scope(), id, who.now()).await?
    } else {
        None
    };
    let referred = match found {
        None => return Ok(Err(not_there(field, id))),
        Some(Exchanged::Sent(message)) => Referred::of_message(&message),
        Some(Exchanged::Received(received)) => Referred::of_inbound(&received),
    };
    let Some(referred) = referred else {
        let detail = "WhatsApp knows no such message: it was not sent by WhatsApp, or not yet.";
        return Ok(Err(Problem::field(field, Fault::new(FaultCode::NotApplicable, detail))));
    };
    let to = referred.recipient(contact);
    let is_own = api.store().is_recipient(who.scope(), contact, &to).await?;
    Ok(if is_own {
        Ok(Some(referred))
    } else {
        Err(recipient_removed())
    })
}

/// The refusal of a message to somebody who was taken off the contact.
pub(crate) fn recipient_removed() -> Problem {
    let sentence = "the number or id was taken off the contact";
    problem_of_refusal(Refusal::new(Reason::RecipientRemoved, sentence))
}

/// The person has no such message.
fn not_there(field: &str, id: MessageId) -> Problem {
    let fault = Fault::new(FaultCode::NotFound, "The person has no such message.");
    Problem::field(field, fault.and("id", id.to_string()))
}

/// The uploads that a message would wait for. Twilio fetches files by links.
fn uploads(who: &Sends, config: &TenantConfig, composed: &Composed, gathered: &Gathered) -> Vec<ToQueue> {
    let (scope, now) = (who.scope(), who.now());
    let to_whatsapp = |id: ConnectionId| {
        let mut connections = config.connections.iter();
        connections.any(|connection| connection.id == id && !connection.needs_content_sid)
    };
    let waits = composed.legs.iter().filter_map(|leg| {
        let used = leg.content.asset().filter(|_| to_whatsapp(leg.connection))?;
        let asset = gathered.material.asset(used.asset_id)?;
        asset
            .needs_handle(leg.connection, now)
            .then_some((asset.id, leg.connection))
    });
    let cause = who.correlation_id();
    waits
        .map(|(asset, connection)| ToQueue::upload(scope.tenant(), asset, connection, cause, now))
        .collect()
}

/// Refuses a recipient whose number is one of the business.
pub(crate) fn not_oneself(config: &TenantConfig, whom: &Whom, to: &Recipient) -> Result<(), Problem> {
    match &to.phone {
        Some(phone) if is_own_number(config, phone) => Err(Problem::field(whom.field(), own_number_fault(phone))),
        _ => Ok(()),
    }
}

/// The rows that composing needs to read.
pub(crate) fn needs(config: &TenantConfig, person: &Person, intent: &Intent<'_>, now: Timestamp) -> Needs {
    let nothing = Gathered::default();
    Needs::of(intent, &world(config, person, &nothing, now))
}

/// The message, with everything that was found out about it.
pub(crate) fn review_message(
    config: &TenantConfig,
    person: &Person,
    intent: &Intent<'_>,
    gathered: &Gathered,
    now: Timestamp,
) -> Result<IntentReview, Refusal> {
    review_intent(intent, &world(config, person, gathered, now))
}

pub(crate) fn world<'a>(
    config: &'a TenantConfig,
    person: &'a Person,
    gathered: &'a Gathered,
    now: Timestamp,
) -> World<'a> {
    let (contact, profile) = person.parts();
    World::of(config, contact, profile, &gathered.material, &gathered.open, now)
}

/// The answer to a request for a message that is not sent.
pub(crate) fn problem_of_refusal(refusal: Refusal) -> Problem {
    let Refusal {
        reason,
        facts,
        sentence,
    } = refusal;
    let detail = format!("The message is not sent: {sentence}.");
    let problem = match reason {
        Reason::WindowClosed => {
            let detail = format!("{detail} A template can be sent at any time.");
            Problem::conflict("window_closed", detail)
        }
        Reason::CapReached => {
            let detail = format!("{detail} Try again in the next period, or ask a manager to raise the cap.");
            Problem::conflict("cap_reached", detail)
        }
        Reason::TooManyOpen => {
            let detail = format!("{detail} Cancel one of them, or try again when one was sent.");
            Problem::conflict("message_refused", detail)
        }
        _ => Problem::conflict("message_refused", detail),
    };
    problem.because(reason, facts)
}

/// The answer to a request for a message that is written.
pub(crate) fn answer(who: &Sends, known: KnownMessage, config: &TenantConfig) -> Placed {
    let place = format!("{MESSAGES}/{}", known.message.id());
    ([(LOCATION, place)], With(Json(changed_message(who, known, config))))
}

fn changed_message(who: &Sends, known: KnownMessage, config: &TenantConfig) -> ChangedMessage {
    ChangedMessage::of(who, known, &Showing::of(config.lines.clone()).with_whole_texts())
}

pub(crate) async fn send_message(
    who: SendsOrRun,
    State(api): State<Api>,
    Extension(sending): Extension<Arc<Sending>>,
    Body(request): Body<MessageRequest>,
) -> Result<Placed, Problem> {
    let who = who.about(request.named_contact())?;
    let (known, config) = Box::pin(sending.send(&api, &who, &request, false)).await?;
    Ok(answer(&who, known, &config))
}

pub(crate) async fn send_template(
    who: SendsOrRun,
    State(api): State<Api>,
    Extension(sending): Extension<Arc<Sending>>,
    Body(request): Body<TemplateRequest>,
) -> Result<Placed, Problem> {
    let request = request.require_template()?;
    let who = who.about(request.named_contact())?;
    let (known, config) = Box::pin(sending.send(&api, &who, &request, false)).await?;
    Ok(answer(&who, known, &config))
}

/// The answer to a request that starts a conversation, with the path of the conversation.
type Started = ([(HeaderName, String); 1], With<201, Json<StartedConversation>>);

pub(crate) async fn start_conversation(
    who: Sends,
    State(api): State<Api>,
    Extension(sending): Extension<Arc<Sending>>,
    Body(request): Body<MessageRequest>,
) -> Result<Started, Problem> {
    if request.send_at.is_some() {
        let detail = "A conversation starts now. Leave out `send_at`, or send a message by POST /api/v1/messages.";
        return Err(Problem::field("send_at", Fault::new(FaultCode::NotApplicable, detail)));
    }
    let (known, config) = Box::pin(sending.send(&api, &who, &request, true)).await?;
    let line = match &known.message {
        Exchanged::Sent(message) => message.line,
        Exchanged::Received(received) => received.line,
    };
    // That of the message, also if its contact was merged into another since.
    let conversation_id = ConversationId::of(known.message.id().contact(), line);
    let started = StartedConversation {
        conversation_id,
        message: changed_message(&who, known, &config),
    };
    let place = format!("/api/v1/conversations/{conversation_id}");
    Ok(([(LOCATION, place)], With(Json(started))))
}
