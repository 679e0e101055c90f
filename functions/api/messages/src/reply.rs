//! Replies: what somebody of the team writes in a conversation, through the same composing and checks as any other message.

use std::sync::Arc;

use api::{Api, Body, Path, RACES, found};
use axum::{Extension, extract::State};
use domain::{
    accounts::permission::Permission,
    base::{
        facts::Facts,
        ids::{ContactId, ConversationId},
    },
    inbox::{conversation::Conversation, reply::ReplyRequest},
    messages::{compose::Review, refusal::Reason, send_request::Whom},
};
use kit::Problem;
use store::{
    inbox::conversation::OnLine,
    reports::list_filter::{Exchanged, KnownMessage},
    table::rates::Limit,
};
use tokio::sync::OnceCell;

use crate::{
    send::{
        Placed, Reached, SaidIn, Sending, Sends, addressable, answer, asked, likely, needs, not_oneself, referred,
        refused, reviewed,
    },
    visibility::reason_for,
};

/// Maximum replies of one person, or one API key, per minute.
const PER_MINUTE: u32 = 60;

pub(crate) async fn send_reply(
    who: Sends,
    State(api): State<Api>,
    Extension(sending): Extension<Arc<Sending>>,
    Path(id): Path<ConversationId>,
    Body(request): Body<ReplyRequest>,
) -> Result<Placed, Problem> {
    let (api, who, sending, request) = (&api, &who, &*sending, &request);
    let config = &*sending.config(api, who).await?;
    let said = &request.in_conversation(id);
    let problems = &said.problems(config);
    let (ulid, whom) = (who.ulid(), &Whom::Contact(id.contact()));
    let (limited, counted) = (&format!("REPLIES-{}", who.actor()), &OnceCell::new());
    let placed = RACES.until_won(|| async move {
        let now = who.now();
        // What it will probably need is read along with the contact.
        let stranger = likely(who, whom, ContactId::new(ulid));
        let probably = asked(who, ulid, whom, &stranger.contact);
        let intent = said.intent(&probably, (None, &stranger.contact), config);
        let probably = needs(config, &stranger, &intent, now);
        let on = Some(OnLine(id.line()));
        let read = api.store().known_with(who.scope(), id.contact(), &probably, on);
        let (person, along) = Box::pin(read).await?;
        let person = person.ok_or_else(Problem::not_found)?;
        let known = found(api.store().conversation_along(who.scope(), id, &along)).await?;
        let contact = &person.contact;
        let mut asked = asked(who, ulid, whom, contact);
        let refers = Box::pin(referred(api, who, said.request(), contact)).await?;
        asked.refers = refers.as_ref().ok().cloned().flatten();
        let intent = said.intent(&asked, (known.value.goes_first(now), contact), config);
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
        addressable(whom, contact)?;
        let wrong_seen = request.wrong_seen(&known.value);
        if wrong_seen.is_some() || !problems.is_empty() {
            return Err(Problem::from(problems.iter().cloned().chain(wrong_seen).collect::<Vec<_>>()).into());
        }
        not_moved(who, request, &known.value)?;
        refers?;
        Box::pin(counted.get_or_try_init(|| api.limit(who, limited, Limit::per_minute(PER_MINUTE)))).await?;
        not_oneself(config, whom, &asked)?;
        let composed = reviewed(config, &person, &intent, &gathered, now).and_then(Review::into_outcome);
        let composed = composed.map_err(|refusal| refused(reason_for(who, said.told(refusal))))?;
        Box::pin(sending.within_caps(api, who, config, &composed)).await?;
        let mut to = Reached::from(person);
        to.said_in = Some(SaidIn {
            known,
            seen: Some(request.seen),
        });
        Box::pin(sending.place(api, who, to, (config, composed, gathered), None)).await
    });
    Ok(answer(who, Box::pin(placed).await?, config))
}

/// Refuses a reply whose author has not seen what somebody else of the team has replied.
fn not_moved(who: &Sends, request: &ReplyRequest, conversation: &Conversation) -> Result<(), Problem> {
    let Some(latest) = conversation
        .reply
        .filter(|_| conversation.has_moved(who.actor(), request.seen))
    else {
        return Ok(());
    };
    let mut facts = Facts::of("seq", conversation.seq);
    if who.principal().may(Permission::MessagesRead) {
        facts = facts.and("message", latest.message.to_string());
        facts = facts.and("by", latest.by.to_string());
    }
    let detail = format!(
        "Somebody else of the team has replied since. Nothing was sent. Read the conversation, and reply with `seen` {} if your reply still fits.",
        conversation.seq
    );
    Err(Problem::conflict("conversation_moved", detail).because(Reason::ConversationMoved, facts))
}
