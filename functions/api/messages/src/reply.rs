//! Replies of the team in a conversation, through the same composing and checks as any other message.

use std::sync::Arc;

use api::{Api, Body, Path, RACES, Setback, continuation_problem, require_found};
use axum::Extension;
use axum::extract::State;
use domain::accounts::Permission;
use domain::calls::Entry;
use domain::inbox::{Conversation, Offer, Offers, ReplyRequest};
use domain::media::missing_file;
use domain::messages::{Asked, Cause, IntentReview, Whom};
use domain::people::{HistoryKind, Person};
use domain::tenants::TenantConfig;
use domain::terms::{Actor, ConversationId, Fact, Facts, MessageId, Reason};
use flows::messages::Gathered;
use kit::Problem;
use store::contacts::{Order, TimelineWanted};
use store::inbox::OnLine;
use store::messages::TemplateFilter;
use store::reports::{Exchanged, KnownMessage};
use store::table::rates::Limit;
use tokio::sync::OnceCell;

use crate::send::{
    Composition, Placed, Reached, SaidIn, Sending, Sends, SendsOrRun, addressable, answer, find_referred_message,
    likely, needs, not_oneself, problem_of_refusal, request_as_cause, review_message, world,
};
use crate::visibility::reason_for;

/// Maximum templates of a connection that are read to choose those that can be sent in place of free text.
const MAX_COMPARED: i32 = 200;

/// Maximum messages that are looked through for what the author of a reply has missed.
const MAX_MISSED: i32 = 50;

/// Maximum replies of one person, or one API key, per minute.
const PER_MINUTE: u32 = 60;

pub(crate) async fn send_reply(
    who: SendsOrRun,
    State(api): State<Api>,
    Extension(sending): Extension<Arc<Sending>>,
    Path(id): Path<ConversationId>,
    Body(request): Body<ReplyRequest>,
) -> Result<Placed, Problem> {
    let who = who.about(id.contact())?;
    let (api, who, sending, request) = (&api, &who, &*sending, &request);
    let config = &*sending.config(api, who).await?;
    let said = &request.in_conversation(id);
    let problems = &said.problems(config);
    let (ulid, whom) = (who.ulid(), &Whom::Contact(id.contact()));
    let (limited, counted) = (&format!("REPLIES-{}", who.actor()), &OnceCell::new());
    let placed = RACES.until_won(|| async move {
        let now = who.now();
        // What it will probably need is read along with the contact.
        let stranger = likely(who, whom, id.contact());
        let probably = request_as_cause(who, ulid, whom, &stranger.contact);
        let intent = said.intent(&probably, None, &stranger.contact, config);
        let probably = needs(config, &stranger, &intent, now);
        let on = Some(OnLine(id.line()));
        let read = api.store().known_with(who.scope(), id.contact(), &probably, on);
        let (person, along) = Box::pin(read).await?;
        let person = person.ok_or_else(Problem::not_found)?;
        let known = require_found(api.store().conversation_along(who.scope(), id, &along)).await?;
        let contact = &person.contact;
        let mut asked = request_as_cause(who, ulid, whom, contact);
        let refers = Box::pin(find_referred_message(api, who, said.request(), contact)).await?;
        asked.refers = refers.as_ref().ok().cloned().flatten();
        let intent = said.intent(&asked, known.value.goes_first(now), contact, config);
        let needs = needs(config, &person, &intent, now);
        let before = sending.placed_before(api, who, contact, &asked, |asked| said.cause(asked));
        let gathered = sending.gather(who.scope(), &needs, || api.secret(), &along, now);
        let (before, gathered) = tokio::try_join!(Box::pin(before), Box::pin(gathered))?;
        if let Some(message) = before {
            return Ok(KnownMessage {
                message: Exchanged::Sent(Box::new(message)),
                contact: person,
            });
        }
        let on = ConversationId::of(contact.id, id.line());
        let was_merged = on != id && contact.deleted_at.is_none();
        if was_merged && api.store().conversation(who.scope(), on).await?.is_some() {
            return Err(continuation_problem("conversation_continued", on).into());
        }
        addressable(whom, contact)?;
        let wrong_seen = request.wrong_seen(&known.value);
        if wrong_seen.is_some() || !problems.is_empty() {
            return Err(Problem::from(problems.iter().cloned().chain(wrong_seen).collect::<Vec<_>>()).into());
        }
        Box::pin(counted.get_or_try_init(|| api.limit(who, limited, Limit::per_minute(PER_MINUTE)))).await?;
        if known.value.has_moved(who.actor(), request.seen) {
            let moved = explain_moved_conversation(api, who, &known.value, request.seen);
            return Err(Box::pin(moved).await?.into());
        }
        refers?;
        not_oneself(config, whom, &intent.to)?;
        let named = said.request().attachment();
        let attached = named.and_then(|named| gathered.material.asset(named));
        if let Some(file) = attached {
            file.attachable(id, now).map_err(problem_of_refusal)?;
        }
        let composed = review_message(config, &person, &intent, &gathered, now).and_then(IntentReview::into_outcome);
        let composed = match composed.map_err(|refusal| said.refusal_for_author(refusal, contact, config)) {
            Ok(composed) => composed,
            Err(refusal) if refusal.reason == Reason::WindowClosed => {
                let offers = offers(api, who, id, &asked, &person, config, gathered);
                let offers = Box::pin(offers).await?;
                return Err(problem_of_refusal(reason_for(who, refusal)).offering(offers).into());
            }
            Err(refusal) => return Err(problem_of_refusal(reason_for(who, refusal)).into()),
        };
        let carries = attached.filter(|file| composed.carries(file.id)).cloned();
        if let (Some(named), None) = (named, &carries) {
            return Err(problem_of_refusal(missing_file(named)).into());
        }
        Box::pin(sending.within_caps(api, who, config, &composed)).await?;
        let mut to = Reached::from(person);
        to.said_in = Some(SaidIn {
            known,
            seen: Some(request.seen),
            carries,
        });
        let composition = Composition { composed, gathered };
        Box::pin(sending.place(api, who, to, config, composition, None)).await
    });
    Ok(answer(who, Box::pin(placed).await?, config))
}

/// The templates that can be sent in place of free text, for a caller who may read them and the contact.
pub(crate) async fn offers(
    api: &Api,
    who: &Sends,
    conversation: ConversationId,
    asked: &Asked,
    person: &Person,
    config: &TenantConfig,
    mut gathered: Gathered,
) -> Result<Vec<Offer>, Setback> {
    let may = |permission| who.principal().may(permission);
    let sender = Offers::sender(conversation, asked, &person.contact, config);
    let Some(connection) = sender.filter(|_| may(Permission::TemplatesRead) && may(Permission::ContactsRead)) else {
        return Ok(Vec::new());
    };
    let of_sender = TemplateFilter {
        connection: Some(connection),
        ..TemplateFilter::default()
    };
    let page = api.store().templates(who.scope(), &of_sender, None, MAX_COMPARED);
    let page = page.await?;
    gathered.material.templates = page.items.into_iter().map(|found| found.value).collect();
    let world = &world(config, person, &gathered, who.now());
    // A template answers no message: by itself, it goes by the usual connection.
    let asked = &Asked {
        refers: None,
        ..asked.clone()
    };
    let offers = Offers {
        conversation,
        asked,
        world,
    };
    Ok(offers.sendable_offers())
}

/// The refusal of a reply whose author has not seen what somebody else of the team has written to the customer.
async fn explain_moved_conversation(
    api: &Api,
    who: &Sends,
    conversation: &Conversation,
    seen: u64,
) -> Result<Problem, Setback> {
    let mut facts = Facts::of("seq", conversation.seq);
    if who.principal().may(Permission::MessagesRead) {
        let missed = Box::pin(read_missed_messages(api, who, conversation, seen)).await?;
        let latest = conversation.reply.map(|latest| (latest.message, latest.by));
        let latest = missed.first().copied().or(latest);
        if let Some((message, by)) = latest.filter(|(_, by)| *by != who.actor()) {
            facts = facts.and("message", message.to_string());
            facts = facts.and("by", by.to_string());
        }
        let missed = missed.iter().map(|(message, _)| message.to_string());
        facts = facts.and("messages", missed.collect::<Fact>());
    }
    let detail = format!(
        "Somebody else of the team has written since. Nothing was sent. Read the conversation, and reply with `seen` {} if your reply still fits.",
        conversation.seq
    );
    Ok(Problem::conflict("conversation_moved", detail).because(Reason::ConversationMoved, facts))
}

/// The messages of others of the team in the conversation since this number, with their authors, the newest first. As many messages are
/// examined as happenings were counted since. If some of those were calls, one that was seen can be among them; the latest is never left out.
async fn read_missed_messages(
    api: &Api,
    who: &Sends,
    conversation: &Conversation,
    seen: u64,
) -> Result<Vec<(MessageId, Actor)>, Setback> {
    let line = conversation.line;
    let newest = TimelineWanted {
        only: Some(HistoryKind::Message),
        order: Order::NewestFirst,
        after: None,
        limit: MAX_MISSED,
    };
    let messages = api
        .store()
        .timeline(who.scope(), conversation.contact, newest, who.now());
    let Some((_, page)) = Box::pin(messages).await? else {
        return Ok(Vec::new());
    };
    let since = usize::try_from(conversation.seq.saturating_sub(seen)).unwrap_or(usize::MAX);
    // Whether a message of a person began the conversation is not known; the customer has got it in any case.
    let counted = page.items.into_iter().filter_map(|placed| match placed.entry {
        Entry::Sent(message) if message.line == line => match message.cause {
            Cause::Written { by, .. }
            | Cause::Requested {
                by: by @ Actor::User(_),
                ..
            } => Some((by != who.actor()).then_some((message.id, by))),
            // It counts, but has no author.
            Cause::ByPhone { .. } => Some(None),
            _ => None,
        },
        Entry::Received(message) if message.line == line && message.message.is_news() => Some(None),
        _ => None,
    });
    let counted: Vec<Option<(MessageId, Actor)>> = counted.collect();
    let mut missed: Vec<_> = counted.iter().take(since).copied().flatten().collect();
    if missed.is_empty() {
        // The customer wrote at the same moment, later by the clock and earlier by the count.
        missed.extend(counted.into_iter().flatten().next());
    }
    Ok(missed)
}
