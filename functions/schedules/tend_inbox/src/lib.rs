//! Every minute: opens the snoozed conversations whose time has come, and notices customers' messages that nobody has read for ten minutes, of
//! which `notify_people` tells.
//!
//! Safe to run twice, and twice at the same time: a conversation is written under the condition that it is unchanged, and an open one is not
//! opened again. A notice is recorded before that, with the time of the message, by which it is known the second time.

use std::time::Duration;

use domain::accounts::notice::Notice;
use futures::{StreamExt as _, stream};
use jiff::SignedDuration;
use kit::{Clock, ConfigError, Env, JobError, line, schedule::Deadline};
use store::{
    RACES, Store, StoreError,
    inbox::conversation::{DueConversation, SHARDS},
};

/// Due rows read per page.
const PAGE: i32 = 100;

/// Conversations that are attended to at the same time.
const AT_ONCE: usize = 8;

/// No further page is begun when less time than this is left. The next run, a minute later, goes on.
const ENOUGH_TIME: Duration = Duration::from_secs(5);

/// Time until a conversation that could not be read or written is looked at again.
const LATER: SignedDuration = SignedDuration::from_mins(10);

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    clock: Clock,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(env.dynamodb(), env.config().text("TABLE_NAME")?),
            clock: env.clock().clone(),
        })
    }
}

/// Attends to the conversations that are due, as far as the time allows. One that fails does not block the others.
///
/// # Errors
/// When the table does not answer.
pub async fn handle(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let (begun, mut failed) = (ctx.clock.now(), None);
    for shard in 0..SHARDS {
        let mut from = None;
        loop {
            if deadline.remaining(ctx.clock.now()) < ENOUGH_TIME {
                return failed.map_or(Ok(()), Err);
            }
            let (due, next) = ctx.store.due_conversations(shard, begun, from, PAGE).await?;
            let attended = due.iter().map(|due| Box::pin(attend(due, ctx)));
            let attended: Vec<_> = stream::iter(attended).buffer_unordered(AT_ONCE).collect().await;
            failed = attended.into_iter().find_map(Result::err).or(failed);
            from = next;
            if from.is_none() {
                break;
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Attends to one conversation, or puts it off if that fails.
async fn attend(due: &DueConversation, ctx: &Context) -> Result<(), JobError> {
    let done = RACES.until_won(|| Box::pin(open_or_notice(due, ctx))).await;
    if let Err(error) = &done {
        tracing::error!(tenant = %due.tenant, conversation = %due.id, error = kit::chain(error), "a conversation is not attended to");
        ctx.store.put_off_conversation(due, ctx.clock.now() + LATER).await?;
    }
    Ok(done?)
}

async fn open_or_notice(due: &DueConversation, ctx: &Context) -> Result<(), StoreError> {
    let (scope, now) = (access::job::scope(due.tenant), ctx.clock.now());
    let Some(mut found) = ctx.store.conversation(&scope, due.id).await? else {
        // It was erased with its contact.
        return Ok(());
    };
    let what = if found.value.wakes(now) {
        found.value.wake(now);
        "opened"
    } else if let Some(notice) = Notice::of_conversation(&found.value, now) {
        let tenant = ctx.store.tenant(&scope).await?;
        // Nobody of a suspended or deleted tenant is told. The message counts as told all the same, so that it is not due for ever.
        if tenant.is_some_and(|tenant| tenant.status.is_active()) {
            ctx.store.record_notice(&scope, &notice, now).await?;
        }
        found.value.tell_at = None;
        "noticed"
    } else {
        return Ok(());
    };
    ctx.store.write_conversation(&scope, &found, None).await?;
    line::count(what, 1);
    Ok(())
}
