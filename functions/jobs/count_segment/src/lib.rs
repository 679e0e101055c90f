//! The operation `count_segment`: counts the contacts of a segment, page by page.
//!
//! Safe to run twice: it only reads, and the number of a step that was not recorded is counted again.

use domain::people::{CountSegment, Field, SegmentCount};
use domain::terms::Progress;
use kit::operation::{Step, Turn};
use kit::{ConfigError, Env, JobError};
use serde::{Deserialize, Serialize};
use store::Store;

/// State of the function, created once per process.
pub struct Context {
    store: Store,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self { store: env.store()? })
    }
}

/// Maximum contacts that a step counts. It examines five times as many at most.
pub const PER_STEP: i32 = 100;

/// Content of a checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// Position in the segment's list; `None` at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    contacts: u64,
}

kit::function!(serve_operation, Context::new, handle);

pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let CountSegment { filter, .. } = turn.params()?;
    let Cursor { after, contacts } = turn.cursor()?.unwrap_or_default();
    let (store, scope) = (&ctx.store, turn.scope());
    let definitions = match filter.field {
        Some(_) => store.all::<Field>(scope).await?,
        None => Vec::new(),
    };
    let search = filter.filter(&definitions).ok().and_then(|filter| filter.search());
    let Some(search) = search else {
        let reason = "The segment's field has changed or was deleted since. Change the segment, then count again.";
        return Ok(Step::from_failure(reason));
    };
    let page = store.searched_contacts(scope, &search, after.as_deref(), PER_STEP);
    let page = page.await?;
    let begun = turn.operation().created_at;
    let meant = page
        .items
        .iter()
        .filter(|person| search.is_meant_contact(person, begun));
    let contacts = contacts + meant.count() as u64;
    let progress = Progress {
        done: contacts,
        ..Progress::default()
    };
    match page.next {
        None => Step::from_result(&SegmentCount { contacts }, progress),
        after => Step::from_cursor(&Cursor { after, contacts }, progress),
    }
}
