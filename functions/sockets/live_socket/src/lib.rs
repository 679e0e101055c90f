//! Sockets of clients that follow a tenant: opens one for a ticket, and hears which views it is to be told of. `publish_events` tells it.
//!
//! Safe to run twice: a ticket is used up by the write that opens its socket, and whoever says the same again changes nothing.

mod pace;

use std::sync::{Mutex, PoisonError};

use access::socket::{self, Ticketed};
use domain::{
    Timestamp,
    live::{
        cursor::Cursor,
        socket::{Action, Frame, MAX_OF_CALLER, MAX_SAID, MAX_VIEWS, Rights, Socket, SocketId},
        view::View,
    },
};
use kit::{
    Clock, ConfigError, Env, JobError, Sockets,
    sockets::{Answer, Did, NotReached, SocketEvent},
};
use store::{Store, StoreError, TenantScope, Versioned};

use crate::pace::Pace;

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    sockets: Sockets,
    clock: Clock,
    pace: Mutex<Pace>,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(env.dynamodb(), env.config().text("TABLE_NAME")?),
            sockets: Sockets::of(env, "CONNECTIONS_URL")?,
            clock: env.clock().clone(),
            pace: Mutex::default(),
        })
    }
}

/// Handles an event of a socket.
///
/// # Errors
/// When the table does not answer: who connects tries again, and who said something was told so.
pub async fn handle(event: SocketEvent, ctx: &Context) -> Result<Answer, JobError> {
    let SocketEvent { id, did } = event;
    match did {
        Did::Connect(query) => {
            let ticket = query.get("ticket").map_or("", String::as_str);
            Ok(connect(id, ticket, ctx).await?)
        }
        Did::Say(said) => hear(&id, &said, ctx).await.map(|()| Answer::Taken),
        Did::Disconnect => {
            if let Some((scope, _)) = socket::of(&ctx.store, &id).await? {
                ctx.store.forget_socket(&scope, &id).await?;
            }
            Ok(Answer::Taken)
        }
    }
}

async fn connect(id: SocketId, ticket: &str, ctx: &Context) -> Result<Answer, StoreError> {
    let now = ctx.clock.now();
    let Some(Ticketed { scope, ticket, sha256 }) = Ticketed::admit(&ctx.store, ticket, now).await? else {
        return Ok(Answer::Refused);
    };
    let who = ticket.who;
    let rights = ctx.store.rights(&scope, [who].into(), now).await?;
    if !rights.get(&who).is_some_and(|rights| rights.allow(ticket.given_at())) {
        return Ok(Answer::Refused);
    }
    let socket = Socket::opened(id, who, now);
    if !ctx.store.open_socket(&scope, &sha256, &socket).await? {
        return Ok(Answer::Refused);
    }
    // Counted with it, so that those who connect at the same moment see each other.
    let open = ctx.store.sockets(&scope, now).await;
    let is_one_of = |open: &Vec<Versioned<Socket>>| {
        let own = open.iter().filter(|socket| socket.value.who == who).count();
        own <= MAX_OF_CALLER && open.len() <= usize::try_from(ticket.most).unwrap_or(usize::MAX)
    };
    if open.as_ref().is_ok_and(is_one_of) {
        return Ok(Answer::Taken);
    }
    ctx.store.forget_socket(&scope, &socket.id).await?;
    open.map(|_| Answer::Refused)
}

/// Why an action is refused: a kind for software, and a sentence.
type Refusal = (&'static str, String);

async fn hear(id: &SocketId, said: &str, ctx: &Context) -> Result<(), JobError> {
    let now = ctx.clock.now();
    let keeps_pace = ctx.pace.lock().unwrap_or_else(PoisonError::into_inner).keeps(id, now);
    if !keeps_pace {
        let most = pace::MOST;
        refuse(
            id,
            ("too_many", format!("At most {most} actions in 10 s are heard.")),
            ctx,
        )
        .await;
        return close(id, ctx).await;
    }
    let action = match read(said) {
        Ok(action) => action,
        Err(refusal) => {
            refuse(id, refusal, ctx).await;
            return Ok(());
        }
    };
    let known = match found(id, now, ctx).await {
        Ok(known) => known,
        Err(error) => return unavailable(id, error, ctx).await,
    };
    let Some((scope, socket, rights)) = known else {
        return close(id, ctx).await;
    };
    let done = match action {
        Action::Watch { views } => match wanted(&views, &socket.value, &rights) {
            Ok(views) => watch(&scope, socket, (views, now), ctx).await,
            Err(refusal) => {
                refuse(id, refusal, ctx).await;
                return Ok(());
            }
        },
        Action::Ping => pong(&scope, socket, now, ctx).await,
    };
    match done {
        Ok(()) => Ok(()),
        Err(StoreError::Conflict { .. }) => {
            let detail = "The socket was changed at the same moment. Say it again.".to_owned();
            refuse(id, ("conflict", detail), ctx).await;
            Ok(())
        }
        Err(error) => unavailable(id, error, ctx).await,
    }
}

/// A socket of whoever may still have it.
type Known = (TenantScope, Versioned<Socket>, Rights);

async fn found(id: &SocketId, now: Timestamp, ctx: &Context) -> Result<Option<Known>, StoreError> {
    let Some((scope, owner)) = socket::of(&ctx.store, id).await? else {
        return Ok(None);
    };
    match ctx.store.socket(&scope, (id, owner.who), now).await? {
        Some((socket, rights)) => Ok(Some((scope, socket, rights))),
        None => ctx.store.forget_socket(&scope, id).await.map(|()| None),
    }
}

async fn unavailable(id: &SocketId, error: StoreError, ctx: &Context) -> Result<(), JobError> {
    let detail = "We cannot do this at the moment. Say it again in a few seconds.".to_owned();
    refuse(id, ("unavailable", detail), ctx).await;
    Err(error.into())
}

fn read(said: &str) -> Result<Action, Refusal> {
    if said.len() > MAX_SAID {
        let detail = format!("An action has at most {MAX_SAID} bytes.");
        return Err(("too_large", detail));
    }
    serde_json::from_str(said).map_err(|_| {
        let detail = r#"Expected {"action": "watch", "views": ["inbox:mine"]} or {"action": "ping"}."#;
        ("unknown_action", detail.to_owned())
    })
}

/// The views of which a client wants to be told.
fn wanted(views: &[String], socket: &Socket, rights: &Rights) -> Result<Vec<View>, Refusal> {
    if views.len() > MAX_VIEWS {
        return Err(("too_many_views", format!("A socket watches at most {MAX_VIEWS} views.")));
    }
    let one = |text: &String| {
        let view: View = text
            .parse()
            .map_err(|error| ("unknown_view", format!("A view is unknown: {error}.")))?;
        let needed = view.permission();
        if !rights.may(needed) {
            let detail = format!("The view `{view}` needs the permission {}.", needed.as_str());
            return Err(("forbidden", detail));
        }
        if !view.is_of(socket.who) {
            let detail = format!("The view `{view}` is of people; an API key has no conversations of its own.");
            return Err(("forbidden", detail));
        }
        Ok(view)
    };
    views.iter().map(one).collect()
}

async fn watch(
    scope: &TenantScope,
    mut socket: Versioned<Socket>,
    (views, now): (Vec<View>, Timestamp),
    ctx: &Context,
) -> Result<(), StoreError> {
    (socket.value.views, socket.value.heard_at) = (views, now);
    ctx.store.change_socket(scope, &socket).await?;
    let views = &socket.value.views;
    tell(&socket.value.id, &Frame::Watching { views }, ctx).await;
    Ok(())
}

async fn pong(scope: &TenantScope, socket: Versioned<Socket>, now: Timestamp, ctx: &Context) -> Result<(), StoreError> {
    ctx.store.follow(scope, now).await?;
    let cursor = Cursor::at(now);
    let frame = socket.value.catch_up().unwrap_or(Frame::Pong { cursor });
    if tell(&socket.value.id, &frame, ctx).await {
        ctx.store.note_heard(scope, &socket, now).await?;
    }
    Ok(())
}

async fn refuse(id: &SocketId, (kind, detail): Refusal, ctx: &Context) {
    let detail = detail.as_str();
    tell(id, &Frame::Refused { kind, detail }, ctx).await;
}

/// Tells a client, which has just said something. If it cannot be reached, it says it again.
async fn tell(id: &SocketId, frame: &Frame<'_>, ctx: &Context) -> bool {
    match ctx.sockets.post(id, frame).await {
        Ok(()) => true,
        Err(NotReached::Gone) => false,
        Err(error) => {
            tracing::warn!(
                error = kit::chain(&error),
                "a client that said something cannot be reached"
            );
            false
        }
    }
}

async fn close(id: &SocketId, ctx: &Context) -> Result<(), JobError> {
    ctx.sockets
        .close(id)
        .await
        .map_err(|error| JobError::new(kit::chain(&error)))
}
