//! Telling those who watch a conversation that somebody else reads it, or writes a reply. It is of the moment: whoever cannot be reached is not told.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use domain::Timestamp;
use domain::accounts::Permission;
use domain::live::{Frame, Socket, SocketId, View};
use domain::terms::{Actor, ConversationId, UserId};
use futures::{StreamExt as _, stream};
use kit::TimeLimit;
use store::{StoreError, TenantScope, Versioned};

use crate::Context;

/// Maximum time for those who are told together.
const TIME: Duration = Duration::from_secs(3);

/// Sockets that are told at the same time.
const AT_ONCE: usize = 32;

/// Notes which conversation a person reads, and tells those who watch it, or the one before.
pub(crate) async fn read(
    scope: &TenantScope,
    socket: Versioned<Socket>,
    user: UserId,
    conversation: Option<ConversationId>,
    hear: impl Fn(&mut Socket),
    ctx: &Context,
) -> Result<(), StoreError> {
    let set = |socket: &mut Socket| {
        socket.reading = conversation;
        hear(socket);
    };
    let Some(Socket { reading: before, .. }) = ctx.store.update_socket(scope, socket, set).await? else {
        return Ok(());
    };
    if before.is_none() && conversation.is_none() {
        return Ok(());
    }
    let open = ctx.store.sockets(scope, ctx.clock.now()).await?;
    if let Some(left) = before.filter(|before| conversation != Some(*before)) {
        tell_left(scope, &open, user, left, ctx).await?;
    }
    match conversation {
        Some(conversation) => {
            tell(
                scope,
                &open,
                &reading(conversation, user, true),
                user,
                conversation,
                ctx,
            )
            .await
        }
        None => Ok(()),
    }
}

/// Tells those who watch a conversation that a person writes a reply.
pub(crate) async fn write(
    scope: &TenantScope,
    user: UserId,
    conversation_id: ConversationId,
    now: Timestamp,
    ctx: &Context,
) -> Result<(), StoreError> {
    let open = ctx.store.sockets(scope, now).await?;
    let typing = Frame::Typing {
        conversation_id,
        user_id: user,
    };
    tell(scope, &open, &typing, user, conversation_id, ctx).await
}

/// Tells those who watch a conversation that a person reads it no more, unless they do on another of these sockets.
pub(crate) async fn tell_left(
    scope: &TenantScope,
    open: &[Versioned<Socket>],
    user: UserId,
    conversation: ConversationId,
    ctx: &Context,
) -> Result<(), StoreError> {
    let mut own = open.iter().filter(|socket| socket.value.who == Actor::User(user));
    if own.any(|socket| socket.value.reading == Some(conversation)) {
        return Ok(());
    }
    tell(
        scope,
        open,
        &reading(conversation, user, false),
        user,
        conversation,
        ctx,
    )
    .await
}

/// Tells a client who else reads the conversations that it watches.
pub(crate) async fn tell_present(
    scope: &TenantScope,
    id: &SocketId,
    who: Actor,
    views: &[View],
    now: Timestamp,
    ctx: &Context,
) -> Result<(), StoreError> {
    let watched: BTreeSet<ConversationId> = views.iter().filter_map(|view| view.conversation()).collect();
    if watched.is_empty() {
        return Ok(());
    }
    let open = ctx.store.sockets(scope, now).await?;
    let others = open.iter().filter(|other| other.value.who != who);
    let read = others.filter_map(|other| match (other.value.who, other.value.reading) {
        (Actor::User(user), Some(conversation)) if watched.contains(&conversation) => Some((conversation, user)),
        _ => None,
    });
    let read: BTreeSet<(ConversationId, UserId)> = read.collect();
    let frames = read
        .into_iter()
        .map(|(conversation, user)| reading(conversation, user, true));
    let frames: Vec<Frame<'_>> = frames.collect();
    post(frames.iter().map(|frame| (id, frame)), ctx).await;
    Ok(())
}

const fn reading(conversation_id: ConversationId, user_id: UserId, reading: bool) -> Frame<'static> {
    Frame::Reading {
        conversation_id,
        user_id,
        reading,
    }
}

/// Tells this to all others who watch the conversation and may see it.
async fn tell(
    scope: &TenantScope,
    open: &[Versioned<Socket>],
    frame: &Frame<'_>,
    user: UserId,
    conversation: ConversationId,
    ctx: &Context,
) -> Result<(), StoreError> {
    let others = open.iter().map(|socket| &socket.value);
    let others = others.filter(|socket| socket.who != Actor::User(user) && socket.watches(conversation));
    let others: Vec<&Socket> = others.collect();
    if others.is_empty() {
        return Ok(());
    }
    let callers = others.iter().map(|socket| socket.who).collect();
    let rights: HashMap<_, _> = ctx.store.rights(scope, callers, ctx.clock.now()).await?;
    let may = |socket: &&Socket| {
        rights
            .get(&socket.who)
            .is_some_and(|rights| rights.allow(socket, socket.since) && rights.may(Permission::ConversationsRead))
    };
    post(others.into_iter().filter(may).map(|socket| (&socket.id, frame)), ctx).await;
    Ok(())
}

async fn post<'a>(frames: impl Iterator<Item = (&'a SocketId, &'a Frame<'a>)>, ctx: &Context) {
    let limit = TimeLimit::of(TIME);
    let posts = frames.map(|(id, frame)| async move {
        if let Err(error) = limit.keep(ctx.sockets.post(id, frame)).await {
            tracing::info!(
                error = kit::chain(&error),
                "there was no time to tell a client who reads"
            );
        }
    });
    stream::iter(posts).buffer_unordered(AT_ONCE).collect::<()>().await;
}
