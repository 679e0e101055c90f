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
use axum::{Extension, Json, Router, extract::State};
use domain::base::MessageId;
use kit::{ConfigError, Env, Problem};
use store::reports::KnownMessage;

use crate::{
    models::{MessageDetails, MessageEntry, MessageQuery},
    send::Sending,
};

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
        /// In both directions, newest first, of the last seven days or of at most 31, by days in the tenant's time zone: outbound ones
        /// by the time of planning, inbound ones by that of writing. Each has its contact, its line, its channels with their states,
        /// and the reason why it goes no further. Messages of broadcasts are not listed by days, unless `state` is `failed` or `blocked`.
        /// Messages of deleted contacts are hidden with them; those of merged ones name the survivor. A page examines at most 500
        /// messages, so it can hold fewer than `limit`, or none, without being the last one: only a `next_cursor` of `null` ends the
        /// list.
        GET "/api/v1/messages" => list_messages, "A page of messages";

        /// Get a message
        ///
        /// Everything that is known of it: the whole content, the channels, each attempt to send it with its states and its cost, the
        /// reasons, and later remarks.
        GET "/api/v1/messages/{message_id}" => get_message, "The message";

        /// Send a message
        ///
        /// To a contact, a telephone number or a WhatsApp id, by the channels that have content: WhatsApp by a template or, while the
        /// person's service window is open, by free text, a file, a text with buttons, a list or a link, a place, business cards, or a
        /// reaction, and SMS by text. It is composed and checked as any other message, now and
        /// again before each attempt. Quiet hours postpone it, which `send_at` of the answer tells. A number that no contact has becomes
        /// a contact. If the message would not be sent at all, the answer is 409 with the reason, and nothing is written. Send an
        /// `Idempotency-Key`, so that a repeated request does not send twice. At most an eighth of a tenant's requests per minute can be
        /// `utility` messages: 125, unless its plan says otherwise. A caller without `messages:read` gets only `id` and `state` of the
        /// message, and one without `contacts:read` no details of the person in a problem.
        POST "/api/v1/messages" => send::send_message, "The message",
            with "Location" "Path of the message",
            problems "merged" "window_closed" "cap_reached" "message_refused";

        /// Send a template
        ///
        /// The same by a template, with SMS as another channel if it has a text. Without `messages:read`, the answer has only `id` and
        /// `state`.
        POST "/api/v1/messages/send-template" => send::send_template, "The message",
            with "Location" "Path of the message",
            problems "merged" "cap_reached" "message_refused";

        /// Start a conversation
        ///
        /// Sends a message as `POST /api/v1/messages` does, in the conversation with its recipient on its line, which may begin with it.
        /// A user who sends it opens the conversation and attends to it, unless somebody else does; an API key changes nothing else in it.
        /// `category` and `basis` say why the person may be written to. It is sent now: `send_at` is refused. The answer has the
        /// conversation as `Location`.
        POST "/api/v1/conversations" => send::start_conversation, "The conversation and its message",
            with "Location" "Path of the conversation",
            problems "merged" "window_closed" "cap_reached" "message_refused";

        /// Reply in a conversation
        ///
        /// To the contact, on the conversation's line, by the channels that have content, as `POST /api/v1/messages`. Free text by WhatsApp
        /// needs an open service window, and SMS a message of the person within the last 24 hours; a template, with SMS if it has a text,
        /// goes to anybody who ever wrote. A STOP refuses it unless the person has written since. Quiet hours do not hold it, and caps only if they
        /// name replies. Replies of a conversation go one after the
        /// other, at most 50 wait, and automatic answers that wait are cancelled. `seen` is the `seq` that the conversation had when it was
        /// shown: if somebody else of the team has replied since, nothing is sent. Send an `Idempotency-Key`, so that a repeated request
        /// does not send twice. At most 60 replies a minute per person.
        POST "/api/v1/conversations/{conversation_id}/messages" => reply::send_reply, "The reply",
            with "Location" "Path of the message",
            problems "merged" "conversation_continued" "conversation_moved" "window_closed" "cap_reached" "message_refused";

        /// Get what can be said in a conversation
        ///
        /// Free text by WhatsApp, an SMS, and the templates that a refused reply would offer, with their values: what a reply with them
        /// would meet now. It is read before somebody writes; each message is checked again when it is sent, also by the caps, which are not
        /// looked at here.
        GET "/api/v1/conversations/{conversation_id}/offers" => offers::get_conversation_offers, "What can be said", problems "merged";

        /// Test a campaign
        ///
        /// Sends the message of a broadcast, or of one of its `variants`, to one contact or number now, as `POST /api/v1/messages` does: with the
        /// same checks, so `marketing` needs the opt-in of whoever gets it, and is sent to nobody twice in 24 hours. It is in no report of the
        /// campaign, whatever its state. What the campaign's message lacks is refused, with the fields of its `message`. It needs the permission
        /// `campaigns:read`, too.
        POST "/api/v1/campaigns/{campaign_id}/test" => trial::test_campaign, "The message",
            with "Location" "Path of the message",
            problems "campaign_type" "merged" "window_closed" "cap_reached" "message_refused";

        /// Preview a message
        ///
        /// Shows what a request to send would do now, without writing anything: the content for each channel, the time, and each check
        /// with its verdict. Caps are not looked at: `GET /api/v1/caps` shows what is left of them. A caller without `contacts:read` sees `{{contact.first_name}}` and so on instead of the person's values, the
        /// content for a person whose language is unknown, and of each reason only the `code` with its meaning; texts, templates and
        /// contents are `null` if they cannot be shown so.
        POST "/api/v1/messages/preview" => preview::preview_message, "The preview", problems "merged";

        /// Cancel a message
        ///
        /// If nothing was sent, nothing will be. If a channel was tried, no further one is; `cancelled` says which. An attempt that is
        /// under way is still settled. Cancelling a message that is cancelled changes nothing. Without `messages:read`, the answer has
        /// only `cancelled`, `id` and `state`.
        POST "/api/v1/messages/{message_id}/cancel" => actions::cancel_message, "The message",
            problems "not_cancellable";

        /// Send a failed message again
        ///
        /// Sends what a failed or blocked message said as a new message to the same recipient, through the same checks. A message can be
        /// sent again once: repeating the request returns the same new message, which can be sent again itself if it fails. Not if it is
        /// unknown whether an attempt was sent, because the message could arrive twice. Without `messages:read`, the answer has only `id`
        /// and `state`.
        POST "/api/v1/messages/{message_id}/retry" => actions::retry_message, "The new message",
            with "Location" "Path of the new message",
            problems "not_retryable" "window_closed" "cap_reached" "message_refused";

        /// Send blocked messages again
        ///
        /// Those that a cap blocked and that are still valid, newest first: a page of blocked messages is gone through, and each is sent
        /// again as by itself. Set the cap first. Those that are not sent again, since a cap has no room for them yet or a check refuses
        /// them, say why. A `next_cursor` leads to further messages; on 429, repeat the request later: nothing is sent twice. With
        /// `dry_run`, nothing is sent: each message says what would become of it if it were the only one, and what it would cost.
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
    let wanted = api.wanted_page(&who, (query.from, query.to), &paging);
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
