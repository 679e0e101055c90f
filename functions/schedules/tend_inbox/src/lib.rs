//! Every minute: opens snoozed conversations when their time comes; notes customers' messages that nobody has read for
//! too long, for `notify_people` to tell; reassigns the conversations of people who have left or are away within their
//! teams; and closes idle ones, if the tenant wants that.
//!
//! Safe to run twice, and twice at the same time: a conversation is written under the condition that it is unchanged,
//! and an open one is not opened again. A notice is recorded before that, with the time at which the message became
//! overdue, so that the second run recognizes it.

use std::time::Duration;

use domain::inbox::ConversationState;
use domain::notices::Notice;
use domain::tenants::Team;
use domain::terms::{ConversationId, UserId};
use flows::inbox::assign_to_team;
use futures::{StreamExt as _, stream};
use jiff::SignedDuration;
pub use kit::StoreAndClock as Context;
use kit::schedule::Deadline;
use kit::{JobError, line};
use store::inbox::{DueInInbox, DueWhat, IdleLook, InboxList, SHARDS};
use store::{RACES, StoreError, TenantScope};

/// The lists with idle conversations.
const LISTS: [ConversationState; 2] = [ConversationState::Open, ConversationState::Pending];

/// Due rows read per page.
const PAGE: i32 = 100;

/// Maximum conversations of a list that a person hands over in one run.
const HANDED_OVER: i32 = 50;

/// Idle conversations read per page, and maximum pages of them in one run.
const IDLE_PAGE: i32 = 100;
const IDLE_PAGES: usize = 5;

/// Time until idle conversations are looked at again, once all are closed.
const IDLE_AGAIN: SignedDuration = SignedDuration::from_hours(6);

/// Time from which no conversation is given any more to a person who has left or is away.
const SETTLED: SignedDuration = SignedDuration::from_mins(2);

/// Rows that are attended to at the same time.
const AT_ONCE: usize = 8;

/// No further page is begun when less time than this is left. The next run, a minute later, goes on.
const ENOUGH_TIME: Duration = Duration::from_secs(5);

/// Time until a row that could not be read or written is looked at again.
const LATER: SignedDuration = SignedDuration::from_mins(10);

kit::function!(serve_schedule, Context::new, handle);

/// Attends to the rows that are due, as far as the time allows. One that fails does not block the others.
///
/// # Errors
/// When the table does not answer.
pub async fn handle(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let (begun, mut failed, mut last) = (ctx.clock.now(), None, Vec::new());
    for shard in 0..SHARDS {
        let mut from = None;
        loop {
            if deadline.remaining(ctx.clock.now()) < ENOUGH_TIME {
                return failed.map_or(Ok(()), Err);
            }
            let (due, next) = ctx.store.due_in_inbox(shard, begun, from, PAGE).await?;
            let (due, of_many): (Vec<_>, Vec<_>) = due
                .into_iter()
                .partition(|due| matches!(due.what, DueWhat::Conversation(_)));
            last.extend(of_many);
            let attended = due.iter().map(|due| Box::pin(attend(due, deadline, ctx)));
            let attended: Vec<_> = stream::iter(attended).buffer_unordered(AT_ONCE).collect().await;
            failed = attended.into_iter().find_map(Result::err).or(failed);
            from = next;
            if from.is_none() {
                break;
            }
        }
    }
    // Many conversations can take all of the time.
    for due in &last {
        if deadline.remaining(ctx.clock.now()) < ENOUGH_TIME {
            break;
        }
        failed = Box::pin(attend(due, deadline, ctx)).await.err().or(failed);
    }
    failed.map_or(Ok(()), Err)
}

/// Attends to one row, or puts it off if that fails.
async fn attend(due: &DueInInbox, deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let scope = &access::job::scope(due.tenant);
    let done = match due.what {
        DueWhat::Conversation(id) => RACES.until_won(|| Box::pin(open_or_notice(scope, id, ctx))).await,
        DueWhat::Desk(user) => Box::pin(hand_over(scope, user, deadline, ctx)).await,
        DueWhat::Idle => Box::pin(close_idle(scope, deadline, ctx)).await,
    };
    if let Err(error) = &done {
        tracing::error!(tenant = %due.tenant, what = ?due.what, error = kit::chain(error), "a row of the inbox is not attended to");
        ctx.store.put_off_in_inbox(due, ctx.clock.now() + LATER).await?;
    }
    Ok(done?)
}

/// Gives the conversations of a person who has left, or is away, to others of their teams: of somebody away, only those whose customers wait.
/// The next run goes on with those that are left.
async fn hand_over(scope: &TenantScope, user: UserId, deadline: Deadline, ctx: &Context) -> Result<(), StoreError> {
    let now = ctx.clock.now();
    let desk = ctx.store.desk(scope, user, now).await?;
    let Some(begun) = desk.value.hand_over_at.filter(|at| *at <= now) else {
        return Ok(());
    };
    let (waiting, answered) = (InboxList::Waiting(Some(user)), InboxList::Answered(user));
    let lists = if desk.value.left {
        vec![waiting, answered]
    } else {
        vec![waiting]
    };
    let teams: Vec<Team> = ctx.store.all(scope).await?;
    let (mut done, mut failed, mut passed) = (true, None, 0);
    'all: for list in lists {
        let ids = ctx.store.ids_of_conversations(scope, list, HANDED_OVER).await?;
        done &= ids.is_empty();
        for id in ids {
            if deadline.remaining(ctx.clock.now()) < ENOUGH_TIME {
                done = false;
                break 'all;
            }
            let handed = RACES
                .until_won(|| Box::pin(pass_on(scope, id, user, &teams, ctx)))
                .await;
            match handed {
                Ok(()) => passed += 1,
                Err(error) => {
                    let tenant = scope.tenant();
                    tracing::error!(%tenant, conversation = %id, error = kit::chain(&error), "a conversation is not handed over");
                    failed = failed.or(Some(error));
                }
            }
        }
    }
    // The index lags, and so may a conversation that took their turn just before.
    if done && begun + SETTLED <= now {
        // A conversation that its person knows comes back to them while they are away.
        let look_again = if desk.value.left {
            None
        } else {
            let tenant = ctx.store.tenant(scope).await?;
            let settings = tenant.and_then(|tenant| tenant.inbox);
            settings.and_then(|settings| settings.hand_over_after())
        };
        RACES
            .until_won(|| async {
                let mut desk = ctx.store.desk(scope, user, now).await?;
                // They may have left again meanwhile.
                if desk.value.hand_over_at.take_if(|at| *at == begun).is_some() {
                    desk.value.hand_over_at = look_again.map(|after| now + after);
                    ctx.store.write_desk(scope, &desk, None).await?;
                }
                Ok::<_, StoreError>(())
            })
            .await?;
    }
    // The next run goes on, unless nothing comes of it.
    failed.filter(|_| passed == 0).map_or(Ok(()), Err)
}

/// Closes the tenant's idle conversations. The next run goes on with those that are left.
async fn close_idle(scope: &TenantScope, deadline: Deadline, ctx: &Context) -> Result<(), StoreError> {
    let now = ctx.clock.now();
    let Some(mut look) = ctx.store.idle_look(scope).await? else {
        return Ok(());
    };
    let tenant = ctx.store.tenant(scope).await?;
    let settings = tenant.as_ref().and_then(|tenant| tenant.inbox).unwrap_or_default();
    let Some(before) = settings.idle_before(now) else {
        look.value = IdleLook::new(None);
        return unless_changed(ctx.store.write_idle_look(scope, &look).await);
    };
    let active = tenant.is_some_and(|tenant| tenant.status.is_active());
    let mut list = look.value.list.filter(|_| active).or(active.then_some(LISTS[0]));
    let after = look.value.after.take().filter(|_| active);
    let mut after = after.and_then(|after| after.parse().ok());
    for _page in 0..IDLE_PAGES {
        let Some(state) = list.filter(|_| deadline.remaining(ctx.clock.now()) >= ENOUGH_TIME) else {
            break;
        };
        let (found, next) = ctx
            .store
            .idle_conversations(scope, state, before, after, IDLE_PAGE)
            .await?;
        let idle = found.into_iter().filter(|one| one.value.is_idle(&settings, now));
        let closed = idle.map(|mut one| async move {
            one.value.close();
            let written = ctx.store.write_conversation(scope, &one, None).await;
            line::count("closed", u64::from(written.is_ok()));
            unless_changed(written.map(drop))
        });
        let closed: Vec<_> = stream::iter(closed).buffer_unordered(AT_ONCE).collect().await;
        closed.into_iter().collect::<Result<(), _>>()?;
        after = next;
        if after.is_none() {
            list = LISTS.into_iter().skip_while(|one| *one != state).nth(1);
        }
    }
    look.value = IdleLook {
        at: Some(if list.is_some() { now } else { now + IDLE_AGAIN }),
        list,
        after: after.map(|after| after.to_string()),
    };
    unless_changed(ctx.store.write_idle_look(scope, &look).await)
}

/// Lets another writer's change win: a conversation with new activity is not idle, and other settings begin a
/// look of their own.
fn unless_changed(written: Result<(), StoreError>) -> Result<(), StoreError> {
    match written {
        Err(lost) if lost.is_conflict() => Ok(()),
        other => other,
    }
}

/// Gives a conversation that a person attends to somebody else of its team, or to nobody.
async fn pass_on(
    scope: &TenantScope,
    id: ConversationId,
    user: UserId,
    teams: &[Team],
    ctx: &Context,
) -> Result<(), StoreError> {
    let Some(mut found) = ctx.store.conversation(scope, id).await? else {
        return Ok(());
    };
    if found.value.assignee.take_if(|assignee| *assignee == user).is_none() {
        return Ok(());
    }
    let team = found.value.team_of(teams);
    assign_to_team(&ctx.store, scope, &mut found.value, team, ctx.clock.now()).await?;
    ctx.store.write_conversation(scope, &found, None).await?;
    line::count("handed_over", 1);
    Ok(())
}

async fn open_or_notice(scope: &TenantScope, id: ConversationId, ctx: &Context) -> Result<(), StoreError> {
    let now = ctx.clock.now();
    let Some(mut found) = ctx.store.conversation(scope, id).await? else {
        // It was erased with its contact.
        return Ok(());
    };
    let what = if found.value.wakes(now) {
        found.value.wake(now);
        if found.value.assignee.is_some() || found.value.team.is_some() {
            // The person may have left meanwhile, or the conversation was given to another team.
            let teams: Vec<Team> = ctx.store.all(scope).await?;
            let team = found.value.team_of(&teams);
            assign_to_team(&ctx.store, scope, &mut found.value, team, now).await?;
        }
        "opened"
    } else if let Some(notice) = Notice::of_conversation(&found.value, now) {
        let tenant = ctx.store.tenant(scope).await?;
        let settings = tenant.as_ref().and_then(|tenant| tenant.inbox).unwrap_or_default();
        let allowed = settings.notify_after().zip(found.value.waiting_since);
        let later = allowed.map(|(after, since)| since + after).filter(|at| now < *at);
        // Nobody of a suspended or deleted tenant is told. The message counts as told all the same, so that it is not due for ever.
        if later.is_none() && tenant.is_some_and(|tenant| tenant.status.is_active()) {
            ctx.store.record_notice(scope, &notice, now).await?;
        }
        (found.value.tell_at, found.value.noticed_at) = (later, later.is_none().then_some(notice.at));
        "noticed"
    } else {
        return Ok(());
    };
    ctx.store.write_conversation(scope, &found, None).await?;
    line::count(what, 1);
    Ok(())
}
