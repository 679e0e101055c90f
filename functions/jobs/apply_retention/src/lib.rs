//! The operation `apply_retention`: gives the calls and messages that are stored already the time of expiry that the tenant's
//! retention policy says.
//!
//! It goes through the lists of days, from the newest back to the tenant's beginning. Of each row, only the expiry is written, and
//! only if it is another one.
//!
//! Safe to run twice: the expiry follows from the row and the policy of the start, so a step that is made again finds it right. What
//! a step that was not recorded has written then counts as unchanged.

use std::time::Duration;

use domain::calls::{AppliedRetention, ApplyRetention, Entry};
use domain::tenants::Retention;
use domain::terms::Progress;
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use kit::operation::{Step, Turn};
use kit::{Clock, ConfigError, Env, JobError, TimeLimit, crash};
use serde::{Deserialize, Serialize};
use store::reports::{DayPart, DayPlace, Happenings};
use store::{RACES, Store};

/// Rows of a page.
const PAGE: i32 = 100;

/// Time after which a step stops reading pages.
const WORK: Duration = Duration::from_secs(5);

/// Lists that are read at a time after an empty one: most days of a small business are.
const AHEAD: usize = 16;

/// Rows that are written at a time.
const CONCURRENCY: usize = 8;

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    clock: Clock,
    page: i32,
    work: Duration,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            clock: env.clock().clone(),
            page: PAGE,
            work: WORK,
        })
    }

    /// Reads one page of at most this many rows in each step. For tests.
    pub fn in_pages_of(self, page: i32) -> Self {
        Self {
            page,
            work: Duration::ZERO,
            ..self
        }
    }
}

/// A list of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum List {
    Calls,
    Messages,
}

/// Place of the next page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    day: Date,
    list: List,
    /// Position within the list; `None` at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<DayPlace>,
}

impl Place {
    /// The beginning of the next list: of the same day, or of the day before it.
    fn next(&self) -> Option<Self> {
        let (day, list) = match self.list {
            List::Calls => (self.day, List::Messages),
            List::Messages => (self.day.yesterday().ok()?, List::Calls),
        };
        Some(Self { day, list, after: None })
    }

    const fn happenings(&self) -> Happenings {
        match self.list {
            List::Calls => Happenings::Calls,
            List::Messages => Happenings::Messages,
        }
    }
}

/// Content of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    place: Place,
    #[serde(flatten)]
    applied: AppliedRetention,
}

kit::function!(serve_operation, Context::new, handle);

pub async fn handle(turn: Turn, ctx: &Context) -> Result<Step, JobError> {
    let order: ApplyRetention = turn.params()?;
    let begun = turn.operation().created_at;
    let cursor: Option<Cursor> = turn.cursor()?;
    let mut cursor = cursor.unwrap_or_else(|| Cursor {
        place: beginning(begun),
        applied: AppliedRetention::default(),
    });
    let work = Work {
        turn: &turn,
        retention: order.retention,
        begun,
        ctx,
    };
    let limit = TimeLimit::of(ctx.work);
    let within = |place: &Place| place.day >= order.first;
    let mut place = Some(cursor.place.clone()).filter(within);
    let mut ahead = 1;
    while let Some(at) = place.take() {
        let pages = work.pages(at, ahead, order.first).await?;
        let is_empty = pages.iter().all(|page| page.part.entries.is_empty());
        ahead = if is_empty { AHEAD } else { 1 };
        place = work.apply(pages, &mut cursor.applied).await?.filter(within);
        crash::point("apply_retention.written");
        if limit.is_up() {
            break;
        }
    }
    let done = cursor.applied.processed_count();
    let progress = |total| Progress {
        done,
        total: Some(total),
        errors: 0,
    };
    match place {
        // The estimate is none of what was recorded since.
        Some(place) => Step::from_cursor(&Cursor { place, ..cursor }, progress(order.total.max(done))),
        None => Step::from_result(&cursor.applied, progress(done)),
    }
}

/// Starts the walk back in time with the list of the next day, since the clocks of providers differ.
fn beginning(begun: Timestamp) -> Place {
    Place {
        day: begun.to_zoned(TimeZone::UTC).date().saturating_add(1.day()),
        list: List::Calls,
        after: None,
    }
}

struct Work<'a> {
    turn: &'a Turn,
    retention: Retention,
    begun: Timestamp,
    ctx: &'a Context,
}

/// A page that was read, with its place.
struct Page {
    place: Place,
    part: DayPart,
}

/// Result of working on a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It has another expiry now.
    Changed,
    /// It has another expiry now, which has passed.
    Expired,
    /// It has the right one.
    Unchanged,
}

impl Work<'_> {
    /// The next page, and the first pages of the lists that follow, `lists` in all.
    async fn pages(&self, place: Place, lists: usize, first: Date) -> Result<Vec<Page>, JobError> {
        let places = std::iter::successors(Some(place), Place::next).take_while(|place| place.day >= first);
        let (store, scope, now) = (&self.ctx.store, self.turn.scope(), self.ctx.clock.now());
        let read = places.take(lists).map(async |place| {
            let (what, after) = (place.happenings(), place.after.as_ref());
            let part = store.happened_on(scope, what, place.day, after, self.ctx.page, now);
            let part = part.await?;
            Ok::<_, JobError>(Page { place, part })
        });
        try_join_all(read).await
    }

    /// Applies the policy to these pages, up to the first list that has more of them. Returns the place of the next page.
    async fn apply(&self, pages: Vec<Page>, applied: &mut AppliedRetention) -> Result<Option<Place>, JobError> {
        let mut next = None;
        for Page { place, part } in pages {
            self.page(&part.entries, applied).await?;
            if part.next.is_some() {
                return Ok(Some(Place {
                    after: part.next,
                    ..place
                }));
            }
            next = place.next();
        }
        Ok(next)
    }

    /// Applies the policy to a page, no faster than a partition of the table takes it.
    async fn page(&self, entries: &[Entry], applied: &mut AppliedRetention) -> Result<(), JobError> {
        let rows = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        let least = Duration::from_secs(1).saturating_mul(rows) / ApplyRetention::PER_SECOND;
        let write = stream::iter(entries).map(async |entry| Ok((entry, self.entry(entry).await?)));
        let write = write.buffer_unordered(CONCURRENCY).try_collect();
        let (written, ()) = tokio::join!(write, tokio::time::sleep(least));
        let written: Vec<(&Entry, Outcome)> = written.map_err(|error: JobError| error)?;
        for (entry, outcome) in written {
            match (outcome, entry) {
                (Outcome::Unchanged, _) => {
                    applied.unchanged += 1;
                    continue;
                }
                (_, Entry::Call(_)) => applied.calls += 1,
                _ => applied.messages += 1,
            }
            applied.expired += u64::from(outcome == Outcome::Expired);
        }
        Ok(())
    }

    async fn entry(&self, entry: &Entry) -> Result<Outcome, JobError> {
        let kept = match entry {
            Entry::Call(call) => call.keep_until,
            Entry::Sent(message) => message.keep_until,
            Entry::Received(received) => received.keep_until,
            Entry::Consent(_) | Entry::Record(_) => {
                return Ok(Outcome::Unchanged);
            }
        };
        let until = self.retention.of(entry, self.begun);
        let Some(until) = until.filter(|until| kept != Some(*until)) else {
            return Ok(Outcome::Unchanged);
        };
        let (store, scope, now) = (&self.ctx.store, self.turn.scope(), self.ctx.clock.now());
        let changed = RACES.until_won(|| store.keep_until(scope, entry, until, now)).await?;
        Ok(match (changed, until <= now) {
            // It is gone or has expired since it was read.
            (false, _) => Outcome::Unchanged,
            (true, true) => Outcome::Expired,
            (true, false) => Outcome::Changed,
        })
    }
}
