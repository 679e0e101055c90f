//! Telling sockets at once what was published. Whoever cannot be reached is told later to catch up: the events are kept, so nothing is
//! lost by it.
//!
//! Sockets are listed after the events are kept, and consistently. So a client that reads once after it has begun to watch gets all: what
//! was kept before its read, it reads; what is kept later, it is told.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::{
    Timestamp,
    base::{actor::Actor, ids::TenantId},
    live::{
        cursor::Cursor,
        event::Told,
        socket::{Frame, PublishedEvent, Rights, Socket, SocketId, UNREACHABLE_FOR},
    },
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::SignedDuration;
use kit::{TimeLimit, line, sockets::NotReached};
use store::{StoreError, TenantScope, Versioned};

use crate::Context;

/// Maximum time for the sockets of a batch.
const TIME: Duration = Duration::from_secs(5);

/// Sockets that are told at the same time.
const AT_ONCE: usize = 32;

/// Time for which rights are not read again: within it, whoever is removed is still told.
const RIGHTS_FOR: SignedDuration = SignedDuration::from_secs(2);

/// Time in which a socket that could not be reached is not tried again.
const WAITS: SignedDuration = SignedDuration::from_secs(5);

/// Maximum tenants, and sockets, that are remembered.
const MAX: usize = 1_000;

/// Events that were published together for a tenant.
pub(crate) type Published<'a> = (&'a TenantScope, Timestamp, Vec<Told>);

/// Rights of the callers of a tenant.
type OfCallers = HashMap<Actor, Rights>;

/// What a process remembers for a few seconds.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    rights: Mutex<HashMap<TenantId, (Timestamp, OfCallers)>>,
    unreached: Mutex<HashMap<SocketId, Timestamp>>,
}

impl Memory {
    fn rights(&self, tenant: TenantId, callers: &BTreeSet<Actor>, now: Timestamp) -> Option<OfCallers> {
        let known = self.rights.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, rights) = known.get(&tenant)?;
        let current = now.duration_since(*read_at) < RIGHTS_FOR;
        (current && callers.iter().all(|who| rights.contains_key(who))).then(|| rights.clone())
    }

    fn keep_rights(&self, tenant: TenantId, rights: OfCallers, now: Timestamp) {
        let mut known = self.rights.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX {
            known.clear();
        }
        known.insert(tenant, (now, rights));
    }

    fn waits(&self, id: &SocketId, now: Timestamp) -> bool {
        let unreached = self.unreached.lock().unwrap_or_else(PoisonError::into_inner);
        unreached.get(id).is_some_and(|at| now.duration_since(*at) < WAITS)
    }

    fn was_unreached(&self, id: &SocketId, now: Timestamp) {
        let mut unreached = self.unreached.lock().unwrap_or_else(PoisonError::into_inner);
        if unreached.len() >= MAX {
            unreached.clear();
        }
        unreached.insert(id.clone(), now);
    }
}

/// Tells the sockets of each tenant what was published for it.
pub(crate) async fn tell(published: &[Published<'_>], ctx: &Context) -> Result<(), StoreError> {
    let limit = TimeLimit::of(TIME);
    for (scope, at, told) in published {
        let sockets = ctx.store.sockets(scope, ctx.clock.now()).await?;
        // One that watches nothing may not be open yet.
        let watching = sockets.into_iter().filter(|socket| !socket.value.views.is_empty());
        let watching: Vec<Versioned<Socket>> = watching.collect();
        if watching.is_empty() {
            continue;
        }
        let rights = rights(scope, &watching, ctx).await?;
        let one = |socket: Versioned<Socket>| {
            let Socket { who, since, .. } = socket.value;
            let rights = rights.get(&who).filter(|rights| rights.allow(since));
            let one = One {
                ctx,
                scope,
                limit,
                socket,
            };
            Box::pin(one.told(rights, *at, told))
        };
        let all = stream::iter(watching).map(one).buffer_unordered(AT_ONCE);
        let reached = all.try_fold(0_u64, async |sum, told| Ok(sum + u64::from(told))).await?;
        line::count("sockets_told", reached);
    }
    Ok(())
}

/// The present rights of whoever opened these sockets.
async fn rights(scope: &TenantScope, sockets: &[Versioned<Socket>], ctx: &Context) -> Result<OfCallers, StoreError> {
    let (now, tenant) = (ctx.clock.now(), scope.tenant());
    let callers: BTreeSet<Actor> = sockets.iter().map(|socket| socket.value.who).collect();
    if let Some(known) = ctx.memory.rights(tenant, &callers, now) {
        return Ok(known);
    }
    let read = ctx.store.rights(scope, callers, now).await?;
    ctx.memory.keep_rights(tenant, read.clone(), now);
    Ok(read)
}

/// A socket that is to be told.
struct One<'a> {
    ctx: &'a Context,
    scope: &'a TenantScope,
    limit: TimeLimit,
    socket: Versioned<Socket>,
}

impl One<'_> {
    /// True: it was told something.
    async fn told(self, rights: Option<&Rights>, at: Timestamp, told: &[Told]) -> Result<bool, StoreError> {
        let Some(rights) = rights else {
            return self.end().await.map(|()| false);
        };
        let events = told.iter().filter(|told| self.socket.value.is_told(told, rights));
        let first = told.first().map(|told| told.event.id);
        let events: Vec<PublishedEvent> = events
            .zip(first.into_iter().cycle())
            .map(|(told, first)| PublishedEvent::new(told.event.clone(), at, first))
            .collect();
        if let Some(catch_up) = self.socket.value.catch_up() {
            return self.catches_up(&catch_up).await;
        }
        if events.is_empty() {
            return Ok(false);
        }
        let cursor = Cursor::at(at);
        match self.post(&Frame::Events { events, cursor }).await {
            Ok(()) => Ok(true),
            Err(NotReached::Gone) => self.forgotten().await,
            Err(NotReached::Failed(error)) => {
                self.failed(&*error);
                let id = &self.socket.value.id;
                self.ctx.store.note_behind(self.scope, id, at).await?;
                Ok(false)
            }
        }
    }

    /// It could not be reached before, and is told so in place of events, which it reads.
    async fn catches_up(self, catch_up: &Frame<'_>) -> Result<bool, StoreError> {
        let now = self.ctx.clock.now();
        if self.ctx.memory.waits(&self.socket.value.id, now) {
            return Ok(false);
        }
        match self.post(catch_up).await {
            Ok(()) => {
                self.ctx.store.note_reached(self.scope, &self.socket).await?;
                Ok(true)
            }
            Err(NotReached::Gone) => self.forgotten().await,
            Err(NotReached::Failed(error)) => {
                self.failed(&*error);
                let since = self.socket.value.behind_since.unwrap_or(now);
                if now.duration_since(since) >= UNREACHABLE_FOR {
                    self.end().await?;
                }
                Ok(false)
            }
        }
    }

    async fn post(&self, frame: &Frame<'_>) -> Result<(), NotReached> {
        let sent = self
            .limit
            .keep(self.ctx.sockets.post(&self.socket.value.id, frame))
            .await;
        sent.unwrap_or_else(|time_up| Err(NotReached::Failed(time_up.into())))
    }

    fn failed(&self, error: &(dyn std::error::Error + 'static)) {
        tracing::warn!(error = kit::chain(error), "a socket cannot be reached");
        line::count("sockets_unreached", 1);
        self.ctx
            .memory
            .was_unreached(&self.socket.value.id, self.ctx.clock.now());
    }

    async fn forgotten(self) -> Result<bool, StoreError> {
        self.ctx.store.forget_socket(self.scope, &self.socket.value.id).await?;
        Ok(false)
    }

    /// Closes it. If that fails, it is told nothing any more, and is closed when it says something.
    async fn end(self) -> Result<(), StoreError> {
        let id = &self.socket.value.id;
        self.ctx.store.forget_socket(self.scope, id).await?;
        if let Ok(Err(error)) = self.limit.keep(self.ctx.sockets.close(id)).await {
            tracing::warn!(error = kit::chain(&error), "a socket cannot be closed");
        }
        Ok(())
    }
}
