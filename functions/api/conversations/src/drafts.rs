//! Drafts of replies. A draft is its author's own: nobody else reads it, not even administrators.

use api::permits::{self, Permit};
use api::{Allowed, Api, Body, NoContent, Path, RACES, require_found};
use axum::Json;
use axum::extract::State;
use domain::inbox::Draft;
use domain::terms::{Actor, ContactId, ConversationId, UserId};
use kit::Problem;

/// The caller as an author of drafts in a conversation that they may see, and the contact whose conversation it is.
async fn author<P: Permit>(api: &Api, who: &Allowed<P>, id: ConversationId) -> Result<(UserId, ContactId), Problem> {
    // First, so that a conversation that does not exist is the same to all callers.
    let known = require_found(api.store().known_conversation(who.scope(), id, who.now())).await?;
    match who.actor() {
        Actor::User(user) => Ok((user, known.person.contact.id)),
        Actor::ApiKey(_) | Actor::Platform(_) | Actor::Operator => {
            let detail = "A draft is a person's own, and API keys have none. Log in as a user of the tenant.";
            Err(Problem::forbidden(detail))
        }
    }
}

/// The caller's draft in a conversation, if there is one. API keys have none.
pub(crate) async fn own_draft<P: Permit>(
    api: &Api,
    who: &Allowed<P>,
    id: ConversationId,
) -> Result<Option<Draft>, Problem> {
    let Actor::User(user) = who.actor() else {
        return Ok(None);
    };
    Ok(api.store().draft(who.scope(), id, user, who.now()).await?)
}

pub(crate) async fn get_conversation_draft(
    who: Allowed<permits::ConversationsRead>,
    State(api): State<Api>,
    Path(id): Path<ConversationId>,
) -> Result<Json<Draft>, Problem> {
    let (user, _) = author(&api, &who, id).await?;
    let draft = require_found(api.store().draft(who.scope(), id, user, who.now())).await?;
    Ok(Json(draft))
}

pub(crate) async fn set_conversation_draft(
    who: Allowed<permits::ConversationsWrite>,
    State(api): State<Api>,
    Path(id): Path<ConversationId>,
    Body(draft): Body<Draft>,
) -> Result<Json<Draft>, Problem> {
    let (api, who, written) = (&api, &who, &draft);
    let kept = RACES.until_won(|| async move {
        let (user, holder) = author(api, who, id).await?;
        let store = api.store();
        store
            .write_draft(who.scope(), id, user, holder, written, who.now())
            .await?;
        Ok(())
    });
    kept.await?;
    Ok(Json(draft))
}

pub(crate) async fn delete_conversation_draft(
    who: Allowed<permits::ConversationsWrite>,
    State(api): State<Api>,
    Path(id): Path<ConversationId>,
) -> Result<NoContent, Problem> {
    let (user, _) = author(&api, &who, id).await?;
    api.store().delete_draft(who.scope(), id, user).await?;
    Ok(NoContent)
}
