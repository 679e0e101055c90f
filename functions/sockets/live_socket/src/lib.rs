//! Sockets of clients that follow a tenant: opens one for a ticket, and hears which views it is to be told of. `publish_events` tells it.
//!
//! Safe to run twice: a ticket is used up by the write that opens its socket, and whoever says the same again changes nothing.

mod pace;
mod readers;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use access::socket::{self, Ticketed};
use domain::Timestamp;
use domain::accounts::Permission;
use domain::live::{
    Action, Cursor, Frame, HEAVY, MAX_ACTIONS, MAX_OF_CALLER, MAX_SAID, MAX_VIEWS, Rights, Socket, SocketId,
    SocketOwner, View,
};
use domain::terms::{Actor, IpRange, UserId};
use kit::sockets::{Answer, Did, NotReached, SocketEvent};
use kit::{Clock, ConfigError, Env, JobError, Sockets, line};
use store::{Store, StoreError, TenantScope, Versioned};

use crate::pace::{Caller, Heard};

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    sockets: Sockets,
    clock: Clock,
    heard: Mutex<Heard>,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            sockets: Sockets::of(env, "CONNECTIONS_URL")?,
            clock: env.clock().clone(),
            heard: Mutex::default(),
        })
    }

    fn lock_heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

kit::function!(serve_socket, Context::new, handle);

/// Handles an event of a socket.
///
/// # Errors
/// When the table does not answer: who connects tries again, and who said something was told so.
pub async fn handle(event: SocketEvent, ctx: &Context) -> Result<Answer, JobError> {
    let SocketEvent { id, network, did } = event;
    match did {
        Did::Connect(query) => {
            let ticket = query.get("ticket").map_or("", String::as_str);
            Ok(connect(id, ticket, network, ctx).await?)
        }
        Did::Say(said) => hear(&id, &said, ctx).await.map(|()| Answer::Taken),
        Did::Disconnect => {
            let caller = find_caller(&id, ctx).await?;
            ctx.lock_heard().forget(&id);
            if let Some(caller) = caller {
                disconnect(&caller.scope, &id, ctx).await?;
            }
            Ok(Answer::Taken)
        }
    }
}

async fn disconnect(scope: &TenantScope, id: &SocketId, ctx: &Context) -> Result<(), StoreError> {
    let known = ctx.store.known_socket(scope, id).await;
    // Whatever else fails, it is not there any more.
    ctx.store.forget_socket(scope, id).await?;
    let closed = known?.map(|socket| (socket.value.who, socket.value.reading));
    let Some((Actor::User(user), Some(conversation))) = closed else {
        return Ok(());
    };
    let open = ctx.store.sockets(scope, ctx.clock.now()).await?;
    readers::tell_left(scope, &open, user, conversation, ctx).await
}

/// Tenant and caller of a socket, which the line of its event names. `None`: nobody has opened it, or it is forgotten.
async fn find_caller(id: &SocketId, ctx: &Context) -> Result<Option<Caller>, StoreError> {
    let known = ctx.lock_heard().caller(id).cloned();
    let caller = match known {
        Some(caller) => Some(caller),
        None => {
            let found = socket::of(&ctx.store, id).await?;
            found.map(|(scope, owner)| Caller { scope, owner })
        }
    };
    if let Some(caller) = &caller {
        note_caller(&caller.scope, &caller.owner);
        ctx.lock_heard().set_caller(id, caller);
    }
    Ok(caller)
}

fn note_caller(scope: &TenantScope, owner: &SocketOwner) {
    line::tenant(scope);
    line::note("actor", owner.who.to_string());
    if let Some(network) = owner.network {
        line::note("network", network.to_string());
    }
}

async fn connect(id: SocketId, ticket: &str, network: Option<IpRange>, ctx: &Context) -> Result<Answer, StoreError> {
    let now = ctx.clock.now();
    let Some(Ticketed { scope, ticket, sha256 }) = Ticketed::admit(&ctx.store, ticket, now).await? else {
        line::note("refused", "no such ticket");
        return Ok(Answer::Refused);
    };
    let (who, given_at, most) = (ticket.who, ticket.given_at(), ticket.most);
    let owner = SocketOwner {
        tenant: ticket.tenant,
        who,
        network,
    };
    note_caller(&scope, &owner);
    let socket = Socket {
        role: ticket.role,
        ..Socket::new_at(id, who, ticket.credential, now)
    };
    if !ctx.store.open_socket(&scope, &sha256, &socket, network).await? {
        line::note("refused", "no such ticket");
        return Ok(Answer::Refused);
    }
    // Read after it is there, so that those who connect at the same moment see each other, and whoever loses access at this moment is found
    // here, or by whoever closes their sockets.
    let (open, callers) = (ctx.store.sockets(&scope, now), [who].into());
    let seen = futures::try_join!(open, ctx.store.rights(&scope, callers, now));
    let is_one_of = |(open, rights): &(Vec<Versioned<Socket>>, HashMap<Actor, Rights>)| {
        let own = open.iter().filter(|socket| socket.value.who == who).count();
        let rights = rights.get(&who);
        rights.is_some_and(|rights| rights.allow(&socket, given_at))
            && own <= MAX_OF_CALLER
            && open.len() <= usize::try_from(most).unwrap_or(usize::MAX)
    };
    if seen.as_ref().is_ok_and(is_one_of) {
        return Ok(Answer::Taken);
    }
    line::note("refused", "too many sockets, or no access");
    ctx.store.forget_socket(&scope, &socket.id).await?;
    seen.map(|_| Answer::Refused)
}

/// Reason for refusing an action.
struct Refusal {
    /// For software.
    kind: &'static str,
    /// A sentence for people.
    detail: String,
}

impl Refusal {
    fn new(kind: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { kind, detail }
    }
}

async fn hear(id: &SocketId, said: &str, ctx: &Context) -> Result<(), JobError> {
    let now = ctx.clock.now();
    let read = read(said);
    let weight = read.as_ref().map_or(HEAVY, Action::weight);
    if !ctx.lock_heard().count(id, weight, now) {
        if let Some(caller) = ctx.lock_heard().caller(id) {
            note_caller(&caller.scope, &caller.owner);
        }
        return close_loud(id, ctx).await;
    }
    let caller = match find_caller(id, ctx).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return close(id, ctx).await,
        Err(error) => return unavailable(id, error, ctx).await,
    };
    let action = match read {
        Ok(action) => action,
        Err(refusal) => {
            refuse(id, &refusal, ctx).await;
            return Ok(());
        }
    };
    let Caller { scope, owner } = &caller;
    let (socket, rights) = match ctx.store.socket(scope, id, owner.who, now).await {
        Ok(Some(known)) => known,
        Ok(None) => return close(id, ctx).await,
        Err(error) => return unavailable(id, error, ctx).await,
    };
    // Whatever other processes heard.
    if !socket.value.allows(&action, now) {
        return close_loud(id, ctx).await;
    }
    match act(&action, scope, socket, &rights, now, ctx).await {
        Ok(()) => Ok(()),
        Err(NotDone::Refused(refusal)) => {
            // Its row does not count it.
            if !ctx.lock_heard().count(id, HEAVY.saturating_sub(weight), now) {
                return close_loud(id, ctx).await;
            }
            refuse(id, &refusal, ctx).await;
            Ok(())
        }
        Err(NotDone::Table(StoreError::Conflict { .. })) => {
            let detail = "The socket was changed at the same moment. Say it again.";
            refuse(id, &Refusal::new("conflict", detail), ctx).await;
            Ok(())
        }
        Err(NotDone::Table(error)) => unavailable(id, error, ctx).await,
    }
}

/// Closes the socket of a client that says too much, which is told so.
async fn close_loud(id: &SocketId, ctx: &Context) -> Result<(), JobError> {
    let detail = format!(
        "At most {MAX_ACTIONS} actions in 10 s are heard; `reading`, `typing` and what is refused count as {HEAVY}."
    );
    refuse(id, &Refusal::new("too_many", detail), ctx).await;
    close(id, ctx).await
}

/// Why an action was not done.
enum NotDone {
    Refused(Refusal),
    Table(StoreError),
}

impl From<Refusal> for NotDone {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for NotDone {
    fn from(error: StoreError) -> Self {
        Self::Table(error)
    }
}

async fn act(
    action: &Action,
    scope: &TenantScope,
    socket: Versioned<Socket>,
    rights: &Rights,
    now: Timestamp,
    ctx: &Context,
) -> Result<(), NotDone> {
    let hear = |socket: &mut Socket| socket.hear(action, now);
    match action {
        Action::Watch { views } => {
            let views = parse_views(views, &socket.value, rights)?;
            watch(scope, socket, views, hear, now, ctx).await?;
        }
        Action::Ping => pong(scope, socket, hear, now, ctx).await?,
        Action::Visible { visible } => {
            let set = |socket: &mut Socket| {
                socket.visible = *visible;
                hear(socket);
            };
            if let Some(frame) = socket.value.catch_up()
                && tell(&socket.value.id, &frame, ctx).await
            {
                ctx.store.note_heard(scope, &socket, set).await?;
            } else {
                ctx.store.update_socket(scope, socket, set).await?;
            }
        }
        Action::Reading { conversation_id } => {
            let user = person(&socket.value, rights, Permission::ConversationsRead)?;
            readers::read(scope, socket, user, *conversation_id, hear, ctx).await?;
        }
        Action::Typing { conversation_id } => {
            let user = person(&socket.value, rights, Permission::ConversationsWrite)?;
            readers::write(scope, user, *conversation_id, now, ctx).await?;
        }
    }
    Ok(())
}

/// The person who says what they read or write.
fn person(socket: &Socket, rights: &Rights, needed: Permission) -> Result<UserId, Refusal> {
    let Actor::User(user) = socket.who else {
        let detail = "Only people read conversations and write in them, not API keys.";
        return Err(Refusal::new("forbidden", detail));
    };
    if rights.may(needed) {
        Ok(user)
    } else {
        let detail = format!("The action needs the permission {}.", needed.as_str());
        Err(Refusal::new("forbidden", detail))
    }
}

async fn unavailable(id: &SocketId, error: StoreError, ctx: &Context) -> Result<(), JobError> {
    let detail = "We cannot do this at the moment. Say it again in a few seconds.";
    refuse(id, &Refusal::new("unavailable", detail), ctx).await;
    Err(error.into())
}

fn read(said: &str) -> Result<Action, Refusal> {
    if said.len() > MAX_SAID {
        let detail = format!("An action has at most {MAX_SAID} bytes.");
        return Err(Refusal::new("too_large", detail));
    }
    serde_json::from_str(said).map_err(|_| {
        let detail = r#"Expected {"action": "watch", "views": ["inbox:mine"]}, {"action": "ping"}, {"action": "visible", "visible": true}, {"action": "reading", "conversation_id": "conv_…"} or {"action": "typing", "conversation_id": "conv_…"}."#;
        Refusal::new("unknown_action", detail)
    })
}

/// Views that a client asks to watch.
fn parse_views(views: &[String], socket: &Socket, rights: &Rights) -> Result<Vec<View>, Refusal> {
    if views.len() > MAX_VIEWS {
        let detail = format!("A socket watches at most {MAX_VIEWS} views.");
        return Err(Refusal::new("too_many_views", detail));
    }
    let one = |text: &String| {
        let view: View = text
            .parse()
            .map_err(|error| Refusal::new("unknown_view", format!("A view is unknown: {error}.")))?;
        let needed = view.permission();
        if !rights.may(needed) {
            let detail = format!("The view `{view}` needs the permission {}.", needed.as_str());
            return Err(Refusal::new("forbidden", detail));
        }
        if !view.is_of(socket.who) {
            let detail = format!("The view `{view}` is of people; an API key has no conversations of its own.");
            return Err(Refusal::new("forbidden", detail));
        }
        Ok(view)
    };
    views.iter().map(one).collect()
}

async fn watch(
    scope: &TenantScope,
    socket: Versioned<Socket>,
    views: Vec<View>,
    hear: impl Fn(&mut Socket),
    now: Timestamp,
    ctx: &Context,
) -> Result<(), StoreError> {
    let (id, who) = (socket.value.id.clone(), socket.value.who);
    let set = |socket: &mut Socket| {
        socket.views.clone_from(&views);
        hear(socket);
    };
    ctx.store.update_socket(scope, socket, set).await?;
    tell(&id, &Frame::Watching { views: &views }, ctx).await;
    readers::tell_present(scope, &id, who, &views, now, ctx).await
}

async fn pong(
    scope: &TenantScope,
    socket: Versioned<Socket>,
    hear: impl Fn(&mut Socket),
    now: Timestamp,
    ctx: &Context,
) -> Result<(), StoreError> {
    ctx.store.follow(scope, now).await?;
    let cursor = Cursor::at(now);
    let frame = socket.value.catch_up().unwrap_or(Frame::Pong { cursor });
    if tell(&socket.value.id, &frame, ctx).await {
        ctx.store.note_heard(scope, &socket, hear).await?;
    }
    Ok(())
}

async fn refuse(id: &SocketId, refusal: &Refusal, ctx: &Context) {
    let (kind, detail) = (refusal.kind, refusal.detail.as_str());
    line::note("refused", kind);
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
    match ctx.sockets.close(id).await {
        Ok(()) | Err(NotReached::Gone) => Ok(()),
        Err(error) => Err(JobError::new(kit::chain(&error))),
    }
}
