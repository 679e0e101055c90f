//! The operation `backfill_conversations`: begins the conversations of calls and messages from before there were
//! conversations.
//!
//! It goes through the contacts. For each with calls or messages, it reads the latest ones, and writes a conversation
//! for each line that the customer wrote to or missed a call on, unless there is one.
//!
//! Safe to run twice, and beside the calls and messages of the same contacts: a conversation is only written where
//! there is none, under the check that its contact is not deleted. Whoever writes another at the same time loses or
//! wins, and in either case works on from the row that there is. Conversations begun by a step that was not recorded
//! are not counted.

use domain::calls::Entry;
use domain::inbox::{Backfilled, PAST_READ, past_conversations};
use domain::people::{Contact, HistoryKind, Search};
use domain::tenants::Team;
use domain::terms::{ConversationId, Progress};
use flows::inbox::assign_by_teams;
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kit::JobError;
pub use kit::StoreAndClock as Context;
use kit::operation::{Step, Turn};
use serde::{Deserialize, Serialize};
use store::{StoreError, TenantScope};

/// Maximum contacts of a step.
pub const PER_STEP: i32 = 50;

/// Contacts that are looked at at the same time.
const AT_ONCE: usize = 8;

/// Content of a checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// Position in the list of contacts; `None` at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(flatten)]
    done: Backfilled,
}

kit::function!(serve_operation, Context::new, handle);

pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let Cursor { after, mut done } = turn.cursor()?.unwrap_or_default();
    let (store, scope) = (&ctx.store, turn.scope());
    let everybody = Search::of_all_contacts();
    let page = store.searched_contacts(scope, &everybody, after.as_deref(), PER_STEP);
    let (page, teams) = tokio::try_join!(Box::pin(page), store.all::<Team>(scope))?;
    let looked_at = page
        .items
        .iter()
        .map(|person| begin(scope, &person.contact, &teams, ctx));
    let begun: Vec<Backfilled> = stream::iter(looked_at).buffer_unordered(AT_ONCE).try_collect().await?;
    for one in begun {
        done.contacts += one.contacts;
        done.conversations += one.conversations;
        done.waiting += one.waiting;
    }
    let progress = Progress {
        done: done.contacts,
        ..Progress::default()
    };
    match page.next {
        None => Step::from_result(&done, progress),
        after => Step::from_cursor(&Cursor { after, done }, progress),
    }
}

/// Begins the conversations with a contact.
async fn begin(
    scope: &TenantScope,
    contact: &Contact,
    teams: &[Team],
    ctx: &Context,
) -> Result<Backfilled, StoreError> {
    let (store, now) = (&ctx.store, ctx.clock.now());
    let mut done = Backfilled {
        contacts: 1,
        ..Backfilled::default()
    };
    // The many who were imported, and never got in touch, cost nothing more.
    if contact.last_call_at.is_none() && contact.last_inbound_at.is_none() {
        return Ok(done);
    }
    let read = |kind| store.history_page(scope, contact, kind, None, PAST_READ, now);
    let (calls, messages) = tokio::try_join!(Box::pin(read(HistoryKind::Call)), Box::pin(read(HistoryKind::Message)))?;
    let mut placed = [calls.items, messages.items].concat();
    placed.sort_unstable_by_key(|placed| placed.position);
    let entries: Vec<Entry> = placed.into_iter().map(|placed| placed.entry).collect();
    for mut conversation in past_conversations(contact.id, &entries, now) {
        // Of a contact that was merged into this one, it may be answered.
        let ids = contact.ids().map(|id| ConversationId::of(id, conversation.line));
        let known = ids.map(|id| store.conversation(scope, id));
        if try_join_all(known).await?.iter().any(Option::is_some) {
            continue;
        }
        assign_by_teams(store, scope, &mut conversation, teams, contact, now).await?;
        let waits = conversation.waiting_since.is_some();
        match store.begin_conversation(scope, conversation).await {
            Ok(()) => {
                done.conversations += 1;
                done.waiting += u64::from(waits);
            }
            // Something has happened meanwhile, which began it; or the contact was deleted.
            Err(lost) if lost.is_conflict() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
