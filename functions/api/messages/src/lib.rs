//! Messages to a tenant's customers and from them: their channels, what became of them, and why. Sending.

mod actions;
mod models;
mod offers;
mod preview;
mod reply;
mod send;
mod trial;
mod visibility;

use std::sync::Arc;

use api::{Allowed, Api, Listed, Paging, Path, Query, permits, require_found};
use axum::extract::State;
use axum::{Extension, Json, Router};
use domain::terms::MessageId;
use kit::{ConfigError, Env, Problem};
use store::reports::KnownMessage;

use crate::models::{MessageDetails, MessageEntry, MessageQuery};
use crate::send::Sending;

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let api = Api::new(env)?;
    let sending = Sending::new(env, &api)?;
    // Where some software expects it. The document does not name it.
    let alias = "/api/messages/send-template";
    let operations = operations().with_alias(
        api::Method::POST,
        alias,
        "/api/v1/messages/send-template",
        &send::send_template,
    );
    Ok(api::serve(operations, api).layer(Extension(Arc::new(sending))))
}

api::operations! {
    "messages": "Messages to customers and from them, with what became of each, and why." {
        /// List messages
        ///
        /// Lists both directions, newest first, of the last seven days or of at most 31, by days in the tenant's time zone: outbound
        /// messages by the time of planning, inbound ones by the time of writing. Each has its contact, its line, its channels with their
        /// states, and the reason why it goes no further. Messages of broadcasts are not listed by days, unless `state` is `failed` or
        /// `blocked`. Messages of deleted contacts are hidden; messages of merged contacts name the survivor. A page examines at most 500
        /// messages, so it can hold fewer than `limit`, or none, without being the last one: only a `next_cursor` of `null` ends the
        /// list.
        GET "/api/v1/messages" => list_messages, "A page of messages";

        /// Get a message
        ///
        /// Returns everything that is known of it: the whole content, the channels, each attempt to send it with its states and its
        /// cost, the reasons, and later remarks.
        GET "/api/v1/messages/{message_id}" => get_message, "The message";

        /// Send a message
        ///
        /// Sends a message to a contact, a telephone number or a WhatsApp id, by the channels that have content: WhatsApp by a template
        /// or, while the person's service window is open, by free text, a file, a text with buttons, a list or a link, a place, business
        /// cards, or a reaction, and SMS by text. It is composed and checked as any other message, now and again before each attempt.
        /// Quiet hours postpone it, as `send_at` of the answer shows. A number without a contact becomes a contact. If the message would
        /// not be sent at all, the answer is 409 with the reason, and nothing is written. Send an `Idempotency-Key`, so that a repeated
        /// request does not send twice. At most an eighth of a tenant's requests per minute can be `utility` messages: 125, unless its
        /// plan says otherwise. Without `messages:read`, the answer has only `id` and `state` of the message; without `contacts:read`, a
        /// problem has no details of the person.
        POST "/api/v1/messages" => send::send_message, "The message",
            with "Location" "Path of the message",
            problems "merged" "window_closed" "cap_reached" "message_refused";

        /// Send a template
        ///
        /// Sends a message by a template, with SMS as another channel if `sms_text` is set. Without `messages:read`, the answer has
        /// only `id` and `state`.
        POST "/api/v1/messages/send-template" => send::send_template, "The message",
            with "Location" "Path of the message",
            problems "merged" "cap_reached" "message_refused";

        /// Start a conversation
        ///
        /// Sends a message as `POST /api/v1/messages` does, and adds it to the conversation with its recipient on its line, which it
        /// starts if there is none. A user who sends it opens the conversation and becomes its assignee, unless there is one; an API key
        /// changes nothing else in it. `category` and `basis` say why the person may be written to. It is sent now: `send_at` is refused.
        /// The answer has the conversation as `Location`.
        POST "/api/v1/conversations" => send::start_conversation, "The conversation and its message",
            with "Location" "Path of the conversation",
            problems "merged" "window_closed" "cap_reached" "message_refused";

        /// Reply in a conversation
        ///
        /// Sends a message to the contact, on the conversation's line, by the channels that have content, as `POST /api/v1/messages` does.
        /// Free text by WhatsApp needs an open service window, and SMS a message of the person within the last 24 hours; a template, with
        /// SMS if it has a text, goes to anybody who ever wrote. A STOP refuses it unless the person has written since. Quiet hours do not
        /// hold it, and caps only if they name replies. The replies of a conversation are sent one after the other, and at most 50 wait.
        /// Automatic answers that wait are cancelled. `seen` is the `seq` that the conversation had when it was shown: if somebody else of
        /// the team has replied since, nothing is sent. Send an `Idempotency-Key`, so that a repeated request does not send twice. At most
        /// 60 replies a minute per person.
        POST "/api/v1/conversations/{conversation_id}/messages" => reply::send_reply, "The reply",
            with "Location" "Path of the message",
            problems "merged" "conversation_continued" "conversation_moved" "window_closed" "cap_reached" "message_refused";

        /// Get what can be said in a conversation
        ///
        /// Returns whether a reply could be sent now: as free text by WhatsApp, as an SMS, and by the templates that a refused reply would
        /// offer, with their values. Read it before somebody writes. Each message is checked again when it is sent, also by the caps, which
        /// this ignores.
        GET "/api/v1/conversations/{conversation_id}/offers" => offers::get_conversation_offers, "What can be said", problems "merged";

        /// Test a campaign
        ///
        /// Sends the message of a broadcast, or of one of its `variants`, to one contact or number now, as `POST /api/v1/messages` does:
        /// with the same checks, so `marketing` needs the opt-in of the recipient, and is sent to nobody twice in 24 hours. It is in no
        /// report of the campaign, whatever its state. If the campaign's message is incomplete, the problem names the fields of its
        /// `message`. It needs the permission `campaigns:read`, too.
        POST "/api/v1/campaigns/{campaign_id}/test" => trial::test_campaign, "The message",
            with "Location" "Path of the message",
            problems "campaign_type" "merged" "window_closed" "cap_reached" "message_refused";

        /// Preview a message
        ///
        /// Shows the effect of a request to send now, without writing anything: the content for each channel, the time, and each check with
        /// its verdict. Caps are ignored: `GET /api/v1/caps` shows how much room they have. A caller without `contacts:read` sees
        /// placeholders such as `{{contact.first_name}}` instead of the person's values, the content for a person of unknown language, and
        /// only the `code` of each reason with its meaning. Texts, templates and contents that cannot be shown so are `null`.
        POST "/api/v1/messages/preview" => preview::preview_message, "The preview", problems "merged";

        /// Cancel a message
        ///
        /// If nothing was sent, the whole message is cancelled. If a channel was tried, only further channels are; `cancelled` says
        /// which of both. An attempt that is under way is still settled. Cancelling a message that is cancelled changes nothing.
        /// Without `messages:read`, the answer has only `cancelled`, `id` and `state`.
        POST "/api/v1/messages/{message_id}/cancel" => actions::cancel_message, "The message",
            problems "not_cancellable";

        /// Send a failed message again
        ///
        /// Sends what a failed or blocked message said as a new message to the same recipient, through the same checks. A message can be
        /// sent again once: repeating the request returns the same new message, which can be sent again itself if it fails. A message
        /// with an attempt of unknown outcome cannot be sent again, because it could arrive twice. Without `messages:read`, the answer
        /// has only `id` and `state`.
        POST "/api/v1/messages/{message_id}/retry" => actions::retry_message, "The new message",
            with "Location" "Path of the new message",
            problems "not_retryable" "window_closed" "cap_reached" "message_refused";

        /// Send blocked messages again
        ///
        /// Goes through a page of messages that a cap blocked and that are still valid, newest first, and sends each of them again. Set
        /// the cap first. A message that is not sent again has the reason: a cap still has no room for it, or a check refuses it. A
        /// `next_cursor` leads to further messages; on 429, repeat the request later: nothing is sent twice. With `dry_run`, nothing is
        /// sent: each message shows its outcome as if it were the only one, and its cost.
        POST "/api/v1/messages/retry-blocked" => actions::retry_blocked_messages, "What became of the blocked messages of a page";
    }
}

type Reading = Allowed<permits::MessagesRead>;

async fn list_messages(
    who: Reading,
    State(api): State<Api>,
    Query(query): Query<MessageQuery>,
    paging: Paging,
) -> Result<Listed<MessageEntry>, Problem> {
    let wanted = api.wanted_page(&who, query.from, query.to, &paging);
    let (wanted, showing) = tokio::try_join!(Box::pin(wanted), Box::pin(api.showing(&who)))?;
    let (store, filter) = (api.store(), query.filter());
    let page = Box::pin(store.messages_of_period(who.scope(), &filter, &wanted)).await?;
    let received = page.items.iter().filter_map(KnownMessage::customer_message);
    let showing = Box::pin(api.showing_media(&who, showing, received)).await?;
    Ok(Listed::of(page, |known| MessageEntry::of(known, &showing)))
}

async fn get_message(
    who: Reading,
    State(api): State<Api>,
    Path(message_id): Path<MessageId>,
) -> Result<Json<MessageDetails>, Problem> {
    let message = require_found(api.store().known_message(who.scope(), message_id, who.now()));
    let (message, showing) = tokio::try_join!(Box::pin(message), Box::pin(api.showing(&who)))?;
    let showing = Box::pin(api.showing_media(&who, showing, message.customer_message())).await?;
    Ok(Json(MessageDetails::of(message, &showing.with_whole_texts())))
}
