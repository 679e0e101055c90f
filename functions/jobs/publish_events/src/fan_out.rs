//! Telling sockets at once what was published. Whoever cannot be reached is told to catch up: the events are kept, so nothing is lost.
//!
//! Sockets are listed after the events are kept, and consistently. So a client that reads once after it has begun to watch gets all: what
//! was kept before its read, it reads; what is kept later, it is told.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use domain::live::{
    Cursor, Frame, PublishedEvent, Rights, Socket, SocketId, Told, UNREACHABLE_FOR, divide_into_frames,
};
use domain::terms::Actor;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::SignedDuration;
use kit::sockets::NotReached;
use kit::{TimeLimit, TimeUp, line};
use store::{StoreError, TenantScope, Versioned};

use crate::Context;

/// Maximum time for the sockets of a batch.
const TIME_OF_BATCH: Duration = Duration::from_secs(15);

/// Maximum time for the sockets of a tenant. Rights are read at its beginning, so whoever loses access is told nothing after it.
const TIME: Duration = Duration::from_secs(5);

/// Sockets of a tenant that are told at the same time.
const AT_ONCE: usize = 32;

/// Tenants whose sockets are told at the same time.
const TENANTS_AT_ONCE: usize = 8;

/// Wait before a socket that could not be reached is tried again.
const WAITS: SignedDuration = SignedDuration::from_secs(5);

/// Maximum sockets that are remembered.
const MAX: usize = 1_000;

/// Events that were published together for a tenant.
pub(crate) type Published<'a> = (&'a TenantScope, Timestamp, Vec<Told>);

/// The sockets that a process could not reach, and when.
#[derive(Debug, Default)]
pub(crate) struct Unreached(Mutex<HashMap<SocketId, Timestamp>>);

impl Unreached {
    fn waits(&self, id: &SocketId, now: Timestamp) -> bool {
        let unreached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unreached.get(id).is_some_and(|at| now.duration_since(*at) < WAITS)
    }

    fn note(&self, id: &SocketId, now: Timestamp) {
        let mut unreached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if unreached.len() >= MAX {
            unreached.clear();
        }
        unreached.insert(id.clone(), now);
    }
}

/// Tells the sockets of each tenant what was published for it. If that fails for one, the others are told all the same.
pub(crate) async fn tell(published: &[Published<'_>], ctx: &Context) -> Result<(), StoreError> {
    let batch = TimeLimit::of(TIME_OF_BATCH);
    let tenants = stream::iter(published).map(|one| Box::pin(tell_tenant(one, batch, ctx)));
    let told: Vec<Result<(), StoreError>> = tenants.buffer_unordered(TENANTS_AT_ONCE).collect().await;
    told.into_iter().collect()
}

async fn tell_tenant((scope, at, told): &Published<'_>, batch: TimeLimit, ctx: &Context) -> Result<(), StoreError> {
    let now = ctx.clock.now();
    let sockets = ctx.store.sockets(scope, now).await?;
    if sockets.is_empty() {
        return Ok(());
    }
    let limit = batch.at_most(TIME);
    let callers: BTreeSet<Actor> = sockets.iter().map(|socket| socket.value.who).collect();
    let rights = ctx.store.rights(scope, callers, now).await?;
    let allowed = |socket: &Socket| {
        let rights = rights.get(&socket.who);
        rights.filter(|rights| rights.allow(socket, socket.since))
    };
    let one = |socket: Versioned<Socket>| One {
        ctx,
        scope,
        limit,
        socket,
    };
    let (open, ended): (Vec<_>, Vec<_>) = sockets.into_iter().partition(|socket| allowed(&socket.value).is_some());
    let ends = stream::iter(ended).map(|socket| Box::pin(one(socket).end_socket()));
    ends.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    let tells = stream::iter(open).map(|socket| {
        let rights = allowed(&socket.value);
        Box::pin(one(socket).tell_events(rights, *at, told))
    });
    let all = tells.buffer_unordered(AT_ONCE);
    let reached = all.try_fold(0_u64, async |sum, told| Ok(sum + u64::from(told))).await?;
    line::count("sockets_told", reached);
    Ok(())
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
    async fn tell_events(self, rights: Option<&Rights>, at: Timestamp, told: &[Told]) -> Result<bool, StoreError> {
        let (Some(rights), Some(first)) = (rights, told.first()) else {
            return Ok(false);
        };
        if self.socket.value.behind_since.is_some() {
            // Also if it is not tried: whoever has just told it to catch up did not know of these events.
            return self.catches_up(at).await;
        }
        let events = told.iter().filter(|told| self.socket.value.is_told(told, rights));
        let events = events.map(|told| PublishedEvent::new(told.event.clone(), at, first.event.id));
        let events: Vec<PublishedEvent> = events.collect();
        if events.is_empty() {
            return Ok(false);
        }
        let cursor = Cursor::at(at);
        for events in divide_into_frames(events) {
            match self.post(&Frame::Events { events, cursor }).await {
                Ok(()) => {}
                Err(NotReached::Gone) => return self.forget().await,
                // It may take the next one, and need not wait for another event.
                Err(NotReached::Failed(error)) => {
                    self.log_failure(&*error);
                    return self.catches_up(at).await;
                }
            }
        }
        Ok(true)
    }

    /// It could not be reached with what was published at this time, or before, and is told so in place of events, which it reads.
    async fn catches_up(&self, at: Timestamp) -> Result<bool, StoreError> {
        let (store, id, now) = (&self.ctx.store, &self.socket.value.id, self.ctx.clock.now());
        let Some(behind) = store.note_behind(self.scope, id, at).await? else {
            return Ok(false);
        };
        let Some(catch_up) = behind.value.catch_up().filter(|_| !self.ctx.unreached.waits(id, now)) else {
            return Ok(false);
        };
        match self.post(&catch_up).await {
            Ok(()) => store.note_reached(self.scope, &behind).await.map(|()| true),
            Err(NotReached::Gone) => self.forget().await,
            Err(NotReached::Failed(error)) => {
                self.log_failure(&*error);
                // Whose turn did not come may be there.
                if error.is::<TimeUp>() {
                    return Ok(false);
                }
                self.ctx.unreached.note(id, now);
                let since = behind.value.behind_since.unwrap_or(now);
                if now.duration_since(since) >= UNREACHABLE_FOR {
                    self.end().await?;
                    return self.forget().await;
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

    fn log_failure(&self, error: &(dyn std::error::Error + 'static)) {
        tracing::warn!(error = kit::chain(error), "a socket cannot be reached");
        line::count("sockets_unreached", 1);
    }

    async fn forget(&self) -> Result<bool, StoreError> {
        let id = &self.socket.value.id;
        self.ctx.store.forget_socket(self.scope, id).await.map(|()| false)
    }

    async fn end_socket(self) -> Result<(), StoreError> {
        self.end().await
    }

    /// Closes it. API Gateway tells `live_socket`, which forgets it. If that fails, the next batch tries again, or it is closed when it says something.
    async fn end(&self) -> Result<(), StoreError> {
        let closed = self.limit.keep(self.ctx.sockets.close(&self.socket.value.id)).await;
        match closed.unwrap_or_else(|time_up| Err(NotReached::Failed(time_up.into()))) {
            Ok(()) => Ok(()),
            Err(NotReached::Gone) => self.forget().await.map(|_| ()),
            Err(error) => {
                tracing::warn!(error = kit::chain(&error), "a socket cannot be closed");
                Ok(())
            }
        }
    }
}
