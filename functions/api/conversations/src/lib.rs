//! Conversations: the shared inbox of a tenant's team.

mod drafts;
mod models;

use std::cmp::Reverse;
use std::sync::Arc;

use api::{
    Allowed, AllowedOrRun, Api, AuditedReads, Body, ContactOut, EntryId, IfMatch, Listed, OperationOut, Paging, Patch,
    Patchable as _, Path, Query, RACES, Showing, Tagged, TimelineEntryOut, TimelineOrder, With, able, absent,
    continuation_problem, page_of, permits, received_message, require_found, start_and_answer,
};
use axum::extract::State;
use axum::{Extension, Json, Router};
use domain::accounts::{Look, Permission};
use domain::calls::Entry;
use domain::inbox::{BackfillConversations, Conversation, ConversationState};
use domain::people::{HistoryKind, Tag};
use domain::tenants::{Team, TenantConfig};
use domain::terms::{Actor, ContactId, ConversationId, LineId, OperationKind};
use flows::inbox::assign_to_team;
use kit::{Bus, ConfigError, Env, Problem};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Page;
use store::contacts::{Fields, Placed, TimelineWanted};
use store::inbox::{InboxList, KnownConversation};
use store::table::rates::Limit;
use store::tenants::ConfigCache;

use crate::models::{
    ConversationChange, ConversationCounts, ConversationOut, ConversationQuery, OpenedConversation, SeenIn,
};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let served = api::serve(operations(), Api::new(env)?);
    Ok(served
        .layer(Extension(AuditedReads::default()))
        .layer(Extension(Arc::new(ConfigCache::default())))
        .layer(Extension(Bus::new(env)?)))
}

api::operations! {
    "conversations": "The shared inbox: a conversation for each contact and line, with the customer's messages and missed calls." {
        /// List conversations
        ///
        /// Lists the conversations in a `state`, by default `open`, the latest activity first. With `waiting`, lists open and pending
        /// conversations of the `assignee`, by default of nobody, the longest wait first. Conversations without an assignee that are
        /// answered are only listed by `state` and activity. With `contact`, lists the conversations of one contact. Conversations of
        /// deleted contacts are hidden. Automatic messages and their states change no conversation. A page examines at most 500
        /// conversations, so it can hold fewer than `limit`, or none, without being the last one: only a `next_cursor` of `null` ends the
        /// list.
        GET "/api/v1/conversations" => list_conversations, "A page of conversations";

        /// Count conversations
        ///
        /// Numbers for the badges of an inbox, each at most 100.
        GET "/api/v1/conversations/counts" => get_conversation_counts, "The counts";

        /// Create conversations from earlier calls and messages
        ///
        /// Starts an operation of the kind `backfill_conversations`. For contacts with calls and messages from before the inbox existed,
        /// it creates a conversation for each line, from the latest 50 calls and 50 messages. Conversations with a waiting customer who
        /// last got in touch within a week are open; the others are closed. Existing conversations are not changed, so it may be started
        /// again.
        POST "/api/v1/conversations/backfill" => backfill_conversations, "The operation that creates them",
            problems "too_many_operations";

        /// Get a conversation
        ///
        /// Returns the conversation with its line and the latest happening in it, the caller's own draft, and for
        /// callers who may read contacts the whole contact.
        GET "/api/v1/conversations/{conversation_id}" => get_conversation, "The conversation";

        /// Read the timeline of a conversation
        ///
        /// Lists the messages and calls on its line, messages to the customer that name no line, and the notes on its contact, including
        /// contacts that were merged into it: the newest first, or the oldest first, from the end or from an entry. Only a `next_cursor` of
        /// `null` ends the list: a page may hold fewer entries than `limit`, even none, since others are left out.
        GET "/api/v1/conversations/{conversation_id}/timeline" => get_conversation_timeline, "A page of the timeline";

        /// Change a conversation
        ///
        /// Changes its state, assignee, team, priority and tags. A new team assigns somebody by its mode, unless the change names an
        /// assignee. A snoozed conversation is opened again at its time, or earlier if the customer calls or writes. Send `If-Match`, so
        /// that a message that arrives meanwhile is not closed unseen: it gives the conversation another version. A conversation with
        /// `continued_in` goes on in that one, and cannot be changed any more.
        PATCH "/api/v1/conversations/{conversation_id}" => change_conversation, "The updated conversation",
            problems "conversation_continued";

        /// Mark a conversation as read
        ///
        /// Marks everything up to the happening of this number as read, for the whole team. Messages and calls that
        /// arrive meanwhile stay unread.
        PUT "/api/v1/conversations/{conversation_id}/read" => mark_conversation_read, "The conversation";

        /// Get a draft
        ///
        /// Returns the caller's unsent text in the conversation. Without a draft, the answer is 404. Nobody sees the drafts of others, and
        /// API keys have none: 403.
        GET "/api/v1/conversations/{conversation_id}/draft" => drafts::get_conversation_draft, "The draft";

        /// Keep a draft
        ///
        /// Replaces the caller's former draft in this conversation. A draft is kept for 30 days after its last change, and erased with the
        /// contact.
        PUT "/api/v1/conversations/{conversation_id}/draft" => drafts::set_conversation_draft, "The draft";

        /// Delete a draft
        ///
        /// Deletes the caller's draft in this conversation, if there is one.
        DELETE "/api/v1/conversations/{conversation_id}/draft" => drafts::delete_conversation_draft, "There is no draft any more";
    }
}

/// Backfills per tenant and hour: each reads what all contacts have said.
const BACKFILLS: Limit = Limit::per_hour(10);

type Reading = Allowed<permits::ConversationsRead>;
type Writing = Allowed<permits::ConversationsWrite>;

/// Fields that a receiver of events changes by a callback: who attends to a conversation, and its tags.
const BY_CALLBACK: [&str; 3] = ["assignee_id", "team_id", "tags"];

/// The tenant's configuration. Conversations show its lines and windows.
async fn config(
    api: &Api,
    who: &Allowed<impl permits::Permit>,
    configs: &ConfigCache,
) -> Result<Arc<TenantConfig>, Problem> {
    require_found(api.store().config(who.scope(), configs)).await
}

async fn list_conversations(
    who: Reading,
    State(api): State<Api>,
    Extension(configs): Extension<Arc<ConfigCache>>,
    Query(query): Query<ConversationQuery>,
    paging: Paging,
) -> Result<Listed<ConversationOut>, Problem> {
    query.check()?;
    let (list, wanted) = (query.list(), |one: &Conversation| query.takes(one));
    let page = async {
        Ok::<_, Problem>(match query.contact {
            None => {
                let (after, limit) = (paging.position()?, paging.limit());
                let page = api
                    .store()
                    .conversations(who.scope(), list, wanted, after, limit, who.now());
                Box::pin(page).await?
            }
            Some(contact) => of_contact(&api, &who, contact, &query, &paging).await?,
        })
    };
    let (page, config) = tokio::try_join!(Box::pin(page), Box::pin(config(&api, &who, &configs)))?;
    let received = page
        .items
        .iter()
        .filter_map(|known| received_message(known.last.as_ref()?));
    let showing = Showing::of(config.lines.clone());
    let showing = Box::pin(api.showing_media(&who, showing, received)).await?;
    Ok(Listed::of(page, |known| {
        ConversationOut::of(known, &config, &showing, who.now()).1
    }))
}

/// A page of the conversations of a contact that are wanted. They are few, so they are read as a whole.
async fn of_contact(
    api: &Api,
    who: &Reading,
    contact: ContactId,
    query: &ConversationQuery,
    paging: &Paging,
) -> Result<Page<KnownConversation>, Problem> {
    let wanted = |one: &Conversation| query.takes(one);
    let known = Box::pin(api.store().conversations_of(who.scope(), contact, wanted, who.now())).await?;
    let place = |known: &KnownConversation| {
        let one = &known.conversation.value;
        (Reverse(one.active_at().as_millisecond()), one.id().to_string())
    };
    let read = |text: &str| {
        let (at, id) = text.split_once('#')?;
        Some((Reverse(at.parse().ok()?), id.to_owned()))
    };
    page_of(known, paging, place, read, |(at, id)| format!("{}#{id}", at.0))
}

async fn backfill_conversations(
    who: Allowed<permits::TenantWrite>,
    State(api): State<Api>,
    Extension(bus): Extension<Bus>,
) -> Result<With<202, Json<OperationOut>>, Problem> {
    api.limit(&who, "BACKFILLS", BACKFILLS).await?;
    let kind = OperationKind::BackfillConversations;
    let operation = api.new_operation(&who, kind, &BackfillConversations {}).await?;
    let (store, scope, stamp) = (api.store(), who.scope(), who.stamp());
    store.create_operation(scope, &operation, &stamp).await?;
    Ok(start_and_answer(&who, &bus, operation).await)
}

async fn get_conversation_counts(who: Reading, State(api): State<Api>) -> Result<Json<ConversationCounts>, Problem> {
    let (store, scope) = (api.store(), who.scope());
    let count = |list| store.number_of_conversations(scope, list);
    let mine = async {
        match who.actor() {
            Actor::User(user) => count(InboxList::Waiting(Some(user))).await.map(Some),
            Actor::ApiKey(_) | Actor::Platform(_) | Actor::Operator => Ok(None),
        }
    };
    let (open, unassigned, mine) = tokio::try_join!(
        count(InboxList::In(ConversationState::Open)),
        count(InboxList::Waiting(None)),
        mine
    )?;
    Ok(Json(ConversationCounts::new(open, unassigned, mine)))
}

/// A conversation as it is shown.
async fn show_conversation(
    api: &Api,
    who: &Allowed<impl permits::Permit>,
    known: KnownConversation,
    config: Arc<TenantConfig>,
) -> Result<Tagged<ConversationOut>, Problem> {
    let showing = Showing::of(config.lines.clone());
    let received = known.last.as_ref().and_then(received_message);
    let showing = Box::pin(api.showing_media(who, showing, received)).await?;
    let (version, body) = ConversationOut::of(known, &config, &showing, who.now());
    Ok(Tagged { version, body })
}

async fn get_conversation(
    who: AllowedOrRun<permits::ConversationsRead>,
    State(api): State<Api>,
    Extension(configs): Extension<Arc<ConfigCache>>,
    Path(id): Path<ConversationId>,
) -> Result<Tagged<OpenedConversation>, Problem> {
    let (api, who) = (&api, &who.about(id.contact())?);
    let known = require_found(api.store().known_conversation(who.scope(), id, who.now()));
    let (known, (config, fields), draft) = tokio::try_join!(
        Box::pin(known),
        Box::pin(config_with_fields(api, who, &configs)),
        Box::pin(drafts::own_draft(api, who, id))
    )?;
    let profile = fields.map(|fields| ContactOut::of(known.person.clone(), &fields));
    let Tagged { version, body } = show_conversation(api, who, known, config).await?;
    let body = OpenedConversation {
        conversation: body,
        profile,
        draft,
    };
    Ok(Tagged { version, body })
}

/// The tenant's configuration with the fields of its contacts, if the caller may read contacts. A process that knows this version of the
/// configuration reads them no more.
async fn config_with_fields(
    api: &Api,
    who: &Reading,
    configs: &ConfigCache,
) -> Result<(Arc<TenantConfig>, Option<Fields>), Problem> {
    let config = config(api, who, configs).await?;
    let fields = if who.principal().may(Permission::ContactsRead) {
        Some(api.fields_as_of(who, config.tenant.config_version).await?)
    } else {
        None
    };
    Ok((config, fields))
}

/// Whether an entry of the contact's timeline is one of the conversation on this line. Customers can answer messages that name no line on
/// any of them.
fn is_said_on(entry: &Entry, kind: HistoryKind, line: Option<LineId>) -> bool {
    match entry {
        Entry::Call(call) => call.grounds.line == line,
        Entry::Sent(message) => message.line.is_none() || message.line == line,
        Entry::Received(message) => message.line == line,
        Entry::Consent(_) => false,
        Entry::Record(_) => kind == HistoryKind::Note,
    }
}

/// The part of a timeline that is wanted.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ConversationTimelineQuery")]
struct TimelineQuery {
    /// Order.
    #[serde(default)]
    order: TimelineOrder,
    /// Only entries behind this one in the order: the id of a call, a message or a note.
    #[serde(default)]
    #[schemars(with = "EntryId")]
    from: Option<EntryId>,
}

async fn get_conversation_timeline(
    who: Reading,
    State(api): State<Api>,
    Extension(reads): Extension<AuditedReads>,
    Path(id): Path<ConversationId>,
    Query(query): Query<TimelineQuery>,
    paging: Paging,
) -> Result<Listed<TimelineEntryOut>, Problem> {
    let (order, after) = query.order.behind(&paging, query.from)?;
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let exists = require_found(store.conversation(scope, id));
    let wanted = TimelineWanted {
        only: None,
        order,
        after,
        limit: paging.limit(),
    };
    let page = require_found(store.timeline(scope, id.contact(), wanted, now));
    let ((contact, mut page), _, showing) =
        tokio::try_join!(Box::pin(page), Box::pin(exists), Box::pin(api.showing(&who)))?;
    // The conversation is hidden with the contact, also if its own was merged into that one before.
    if contact.deleted_at.is_some() {
        return Err(Problem::not_found());
    }
    let is_of = |placed: &Placed| is_said_on(&placed.entry, placed.position.kind(), id.line());
    page.items.retain(is_of);
    let received = page.items.iter().filter_map(received_message);
    let showing = Box::pin(api.showing_media(&who, showing, received)).await?;
    reads.record(&api, &who, Look::Timeline, contact.id).await?;
    Ok(Listed::of(page, |placed| showing.entry(placed)))
}

async fn change_conversation(
    who: AllowedOrRun<permits::ConversationsWrite>,
    State(api): State<Api>,
    Extension(configs): Extension<Arc<ConfigCache>>,
    Path(id): Path<ConversationId>,
    if_match: IfMatch,
    patch: Patch<ConversationChange>,
) -> Result<Tagged<ConversationOut>, Problem> {
    let who = who.about(id.contact())?;
    patch.refuse_callback_beyond(&who, &BY_CALLBACK)?;
    let (api, who, if_match, patch, stamp) = (&api, &who, &if_match, &patch, &who.stamp());
    let changed = RACES.until_won(|| async move {
        let known = require_found(api.store().known_conversation(who.scope(), id, who.now())).await?;
        if let Some(on) = known.continued {
            return Err(continuation_problem("conversation_continued", on).into());
        }
        let mut conversation = known.conversation;
        if_match.check(conversation.version)?;
        let before = &conversation.value;
        let mut after = patch.apply(&ConversationChange::of(before))?.onto(before)?;
        if after.state != before.state && after.is_attended() {
            // A person opens it, so it is on top, and not idle.
            after.woken_at = Some(who.now());
        }
        if after != *before {
            let names = patch.names("assignee_id");
            let team = may_change(api, who, before, &after, names).await?;
            if !names {
                let given = team.as_ref().filter(|team| before.team != Some(team.id));
                after.assignee.take_if(|_| given.is_some());
                if after.is_attended() && (given.is_some() || !before.is_attended()) {
                    // Whoever attended to a closed one may have left since.
                    let assigned = assign_to_team(api.store(), who.scope(), &mut after, team.as_ref(), who.now());
                    Box::pin(assigned).await?;
                }
            }
            conversation.value = after;
            let written = api.store().write_conversation(who.scope(), &conversation, Some(stamp));
            conversation.version = written.await?;
        }
        Ok(KnownConversation { conversation, ..known })
    });
    let (changed, config) = tokio::try_join!(Box::pin(changed), Box::pin(config(api, who, &configs)))?;
    show_conversation(api, who, changed, config).await
}

/// Refuses a change that is not possible, or names what does not exist. Returns the team, if there is one that matters.
/// `names`: whether it names the person, perhaps the present one.
async fn may_change(
    api: &Api,
    who: &Writing,
    before: &Conversation,
    after: &Conversation,
    names: bool,
) -> Result<Option<Team>, Problem> {
    if (after.state, after.snoozed_until) != (before.state, before.snoozed_until) {
        let fault = Conversation::may_move(after.state, after.snoozed_until, who.now());
        fault.map_err(|fault| Problem::field("snoozed_until", fault))?;
    }
    let new = after.tags.iter().filter(|tag| !before.tags.contains(tag));
    let mut wrong = api.unknown::<Tag, _>(who, "tags", "tag", new).await?;
    let (store, scope) = (api.store(), who.scope());
    let reopens = after.is_attended() && !before.is_attended();
    let is_named = after.assignee != before.assignee || names && reopens;
    if let Some(user) = after.assignee.filter(|_| is_named) {
        wrong.extend(able(store.members_named(scope, &[user]).await?, "assignee_id", &[user]));
    }
    let mut team = None;
    if let Some(id) = after.team.filter(|_| after.team != before.team || reopens) {
        team = store.get::<Team>(scope, &id).await?.map(|team| team.value);
        if team.is_none() && after.team != before.team {
            wrong.push(absent("team_id", "team", id));
        }
    }
    if wrong.is_empty() { Ok(team) } else { Err(wrong.into()) }
}

async fn mark_conversation_read(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Extension<Arc<ConfigCache>>,
    Path(id): Path<ConversationId>,
    Body(SeenIn { seq }): Body<SeenIn>,
) -> Result<Tagged<ConversationOut>, Problem> {
    let (api, who) = (&api, &who);
    let read = RACES.until_won(|| async move {
        let known = require_found(api.store().known_conversation(who.scope(), id, who.now())).await?;
        let mut conversation = known.conversation;
        if conversation.value.read_to(seq) {
            conversation.version = api.store().write_conversation(who.scope(), &conversation, None).await?;
        }
        Ok(KnownConversation { conversation, ..known })
    });
    let (read, config) = tokio::try_join!(Box::pin(read), Box::pin(config(api, who, &configs)))?;
    show_conversation(api, who, read, config).await
}
