//! The events of the last hours of a tenant, for those who follow them: a row for all that were published together. And the tenant's
//! followers: without any, nothing is kept.

use domain::live::{EVENTS_KEPT_FOR, Event, FOLLOWED_FOR, Followers, OVERLAP, Place, Start};
use domain::webhooks::FollowingEndpoint;
use jiff::{SignedDuration, Timestamp};

use crate::table::database::{Index, Rows};
use crate::table::keys::{self, Key};
use crate::table::row::{self, Condition, Item, Row};
use crate::{RACES, Store, StoreError, TenantScope, Versioned};

/// Maximum events that are published together.
pub const MAX_TOGETHER: usize = 100;

/// Rows that one query reads: most hold a few events, but some a hundred.
const ROWS: i32 = 12;

/// Maximum queries of a page.
const MAX_QUERIES: usize = 20;

/// Events of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Groups of events that were published together, in the order of publishing, each with its time.
    pub events: Vec<(Place, Vec<Event>)>,
    /// Whether there may be more behind them.
    pub more: bool,
}

/// Who follows a tenant.
#[derive(Debug)]
pub struct Followed<'a> {
    pub scope: &'a TenantScope,
    /// Whether events are kept for people and software that follow it.
    pub is_kept: bool,
    /// Endpoints of webhooks, each with the types of events that it gets. `None`: their row cannot be read.
    pub endpoints: Option<Vec<FollowingEndpoint>>,
}

fn followers_row(
    scope: &TenantScope,
    followers: Followers,
    condition: Condition,
    version: u64,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let row = Row::new(&keys::followers(scope), "followers", &followers, condition, doing)?;
    Ok(row.version(version).expires_at(followers.until + FOLLOWED_FOR))
}

impl Store {
    /// Notes that somebody follows the tenant's events, and returns since when they are kept. A read, and now and then a write.
    pub async fn follow(&self, scope: &TenantScope, now: Timestamp) -> Result<Followers, StoreError> {
        const DOING: &str = "note the followers of a tenant";
        RACES
            .until_won(async || {
                let item = self.database.get(&keys::followers(scope), DOING).await?;
                let known: Option<Versioned<Followers>> = row::read_versioned(item, None, DOING)?;
                let before = known.as_ref().map(|known| known.value);
                let Some(followers) = Followers::note_if_needed(before, now) else {
                    return Ok(before.unwrap_or(Followers { since: now, until: now }));
                };
                let (condition, version) = match known {
                    Some(known) => (Condition::Version(known.version), known.version + 1),
                    None => (Condition::New, 1),
                };
                let row = followers_row(scope, followers, condition, version, DOING)?;
                self.database.put(row, DOING).await.map(|()| followers)
            })
            .await
    }

    /// Who follows these tenants now: people and software, and endpoints of webhooks. One request for 50 tenants.
    pub async fn read_followers<'a>(
        &self,
        scopes: impl Iterator<Item = &'a TenantScope>,
        now: Timestamp,
    ) -> Result<Vec<Followed<'a>>, StoreError> {
        const DOING: &str = "read the followers of tenants";
        let scopes: Vec<&TenantScope> = scopes.collect();
        let both = |scope: &&TenantScope| [keys::followers(scope), keys::following_endpoints(scope)];
        let wanted: Vec<Key> = scopes.iter().flat_map(both).collect();
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let all = scopes.into_iter().map(|scope| {
            let followers: Result<Option<Versioned<Followers>>, StoreError> =
                row::read_versioned(found.remove(&keys::followers(scope)), None, DOING);
            let is_kept = match followers {
                Ok(followers) => followers.is_some_and(|followers| followers.value.are_there(now)),
                // A newer version noted them: nobody's events may wait for it, and theirs may not be lost.
                Err(error) if error.is_unreadable() => true,
                Err(error) => return Err(error),
            };
            let endpoints: Result<Option<Versioned<Vec<FollowingEndpoint>>>, StoreError> =
                row::read_versioned(found.remove(&keys::following_endpoints(scope)), None, DOING);
            let endpoints = match endpoints {
                Ok(endpoints) => Some(endpoints.map(|endpoints| endpoints.value).unwrap_or_default()),
                // Its events wait for the deployment of the version that can read it.
                Err(error @ StoreError::NewerForm { .. }) => return Err(error),
                // One tenant's row keeps no other's events.
                Err(error) if error.is_unreadable() => None,
                Err(error) => return Err(error),
            };
            Ok(Followed {
                scope,
                is_kept,
                endpoints,
            })
        });
        all.collect()
    }

    /// Keeps events, at most [`MAX_TOGETHER`], as published at this time: one write. Those that are published again are kept twice.
    pub async fn publish(&self, scope: &TenantScope, events: &[Event], now: Timestamp) -> Result<(), StoreError> {
        const DOING: &str = "publish events";
        let Some(first) = events.first() else {
            return Ok(());
        };
        let place = Place {
            at: now,
            first: first.id,
        };
        let row = Row::new(
            &keys::published_events(scope, place),
            "live_events",
            &events,
            Condition::Always,
            DOING,
        )?;
        self.database.put(row.expires(now, EVENTS_KEPT_FOR), DOING).await
    }

    /// The events from this start on, at most this many, unless the first row has more. A query for each hour, and for each 12 rows, at most 20.
    pub async fn published_events(
        &self,
        scope: &TenantScope,
        start: Start,
        now: Timestamp,
        enough: usize,
    ) -> Result<Published, StoreError> {
        const DOING: &str = "read events";
        let mut found = Published {
            events: Vec::new(),
            more: false,
        };
        let (mut hour, mut count, mut queries) = (start.at(), 0, 0);
        let mut lower = keys::published_from(start);
        loop {
            let partition = keys::hour_published(scope, hour);
            let rows = Rows::Between(&lower, "~").of(&partition);
            let stretch = self.database.stretch(Index::Table, rows, None, ROWS, false, DOING);
            let (items, more) = stretch.await?;
            queries += 1;
            for item in items {
                let (place, events) = together(item, DOING)?;
                if count > 0 && count + events.len() > enough {
                    found.more = true;
                    return Ok(found);
                }
                count += events.len();
                lower = keys::published_from(Start::Behind(place));
                found.events.push((place, events));
            }
            if !more {
                hour += SignedDuration::from_hours(1);
                lower = keys::published_from(Start::At(keys::hour_of(hour)));
                // A function that publishes can have a clock that is ahead.
                if keys::hour_of(hour) > now + OVERLAP {
                    return Ok(found);
                }
            }
            if queries == MAX_QUERIES && count > 0 {
                found.more = true;
                return Ok(found);
            }
        }
    }
}

/// The events of a row, and their place.
fn together(item: Item, doing: &'static str) -> Result<(Place, Vec<Event>), StoreError> {
    let place = row::string(&item, "sk").and_then(keys::place_published);
    let place = place.ok_or_else(|| StoreError::database(doing, std::io::Error::other("a row is at no place")))?;
    Ok((place, row::data(item, doing)?))
}
