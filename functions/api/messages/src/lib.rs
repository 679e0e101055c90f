//! Messages to a tenant's customers and from them: what was sent by which channel, what became of it, and why.

mod models;

use api::{Allowed, Api, Listed, Paging, Path, Query, found, permits};
use axum::{Json, Router, extract::State};
use domain::ids::MessageId;
use kit::{ConfigError, Env, Problem};

use crate::models::{MessageDetails, MessageEntry, MessageQuery};

/// Routes of the function.
///
/// # Errors
/// When a variable is missing or wrong.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "messages": "Messages to customers and from them, with what became of each, and why." {
        /// List messages
        ///
        /// In both directions, newest first, of the last seven days or of at most 31, by days in the tenant's time zone: outbound ones
        /// by the time of planning, inbound ones by that of writing. Each has its contact, its line, its channels with their states,
        /// and the reason why it goes no further. Messages to many are not listed by days, unless `state` is `failed` or `blocked`.
        /// Messages of deleted contacts are hidden with them; those of merged ones name the survivor. A page examines at most 500
        /// messages, so it can hold fewer than `limit`, or none, without being the last one: only a `next_cursor` of `null` ends the
        /// list.
        GET "/api/v1/messages" => list_messages, "A page of messages";

        /// Get a message
        ///
        /// Everything that is known of it: the whole content, the channels, each attempt to send it with its states and its cost, the
        /// reasons, and later remarks.
        GET "/api/v1/messages/{message_id}" => get_message, "The message";
    }
}

type Reading = Allowed<permits::MessagesRead>;

async fn list_messages(
    who: Reading,
    State(api): State<Api>,
    Query(query): Query<MessageQuery>,
    paging: Paging,
) -> Result<Listed<MessageEntry>, Problem> {
    let wanted = api.wanted(&who, (query.from, query.to), &paging);
    let (wanted, showing) = tokio::try_join!(Box::pin(wanted), Box::pin(api.showing(&who)))?;
    let (store, filter) = (api.store(), query.filter());
    let page = Box::pin(store.messages_of_period(who.scope(), &filter, &wanted)).await?;
    Ok(Listed::of(page, |known| MessageEntry::of(known, &showing)))
}

async fn get_message(
    who: Reading,
    State(api): State<Api>,
    Path(message_id): Path<MessageId>,
) -> Result<Json<MessageDetails>, Problem> {
    let message = found(api.store().known_message(who.scope(), message_id, who.now()));
    let (message, showing) = tokio::try_join!(Box::pin(message), Box::pin(api.showing(&who)))?;
    Ok(Json(MessageDetails::of(message, &showing.whole())))
}
