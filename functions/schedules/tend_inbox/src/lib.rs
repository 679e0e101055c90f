//! Every minute: opens the snoozed conversations whose time has come.
//!
//! Safe to run twice, and twice at the same time: a conversation is written under the condition that it is unchanged, and an open one is not
//! opened again.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use jiff::SignedDuration;
use kit::{Clock, ConfigError, Env, JobError, line, schedule::Deadline};
use store::{
    RACES, Store, StoreError,
    inbox::conversation::{DueConversation, SHARDS},
};

/// Due rows read per page.
const PAGE: i32 = 100;

/// Conversations that are opened at the same time.
const AT_ONCE: usize = 8;

/// No further page is begun when less time than this is left. The next run, a minute later, goes on.
const ENOUGH_TIME: Duration = Duration::from_secs(5);

/// Time until a conversation that could not be opened is looked at again.
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

/// Opens the conversations that are due, as far as the time allows. One that fails does not block the others.
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
            let opened = due.iter().map(|due| Box::pin(attend(due, ctx)));
            let opened: Vec<_> = stream::iter(opened).buffer_unordered(AT_ONCE).collect().await;
            for opened in opened {
                match opened {
                    Ok(true) => line::count("opened", 1),
                    Ok(false) => {}
                    Err(error) => failed = Some(error.into()),
                }
            }
            from = next;
            if from.is_none() {
                break;
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Opens one conversation, or puts it off if that fails.
async fn attend(due: &DueConversation, ctx: &Context) -> Result<bool, StoreError> {
    let opened = RACES.until_won(|| Box::pin(open(due, ctx))).await;
    if let Err(error) = &opened {
        tracing::error!(tenant = %due.tenant, conversation = %due.id, error = kit::chain(error), "a conversation is not opened");
        ctx.store.put_off_conversation(due, ctx.clock.now() + LATER).await?;
    }
    opened
}

async fn open(due: &DueConversation, ctx: &Context) -> Result<bool, StoreError> {
    let scope = access::job::scope(due.tenant);
    let Some(mut found) = ctx.store.conversation(&scope, due.id).await? else {
        // It was erased with its contact.
        return Ok(false);
    };
    let now = ctx.clock.now();
    if !found.value.wakes(now) {
        return Ok(false);
    }
    found.value.wake(now);
    ctx.store.write_conversation(&scope, &found, None).await?;
    Ok(true)
}
