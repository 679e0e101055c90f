//! What happened to people's log-ins. What only the person can cause is an entry each; of what strangers can, those of an hour are
//! one entry with a count, so that the trail stays short and costs one write whoever tries.

use domain::{ids::UserId, security::SecurityEvent};
use jiff::{SignedDuration, Timestamp};
use ulid::Ulid;

use crate::{
    Page, Store, StoreError,
    keys::{self, lower},
    row::{self, Condition, Row},
};

/// A trail reaches back this far.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What was tried with addresses that nobody has is looked at by nobody.
const NOBODYS_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Entries of so many seconds are one, where strangers cause them.
const TALLIED: i64 = 3600;

/// Whose log-in it happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose<'a> {
    /// This person's.
    Person(UserId),
    /// Nobody's: the SHA-256 of an address without account, in hex. It takes the same work, so that nobody can tell.
    Nobody(&'a str),
}

/// An entry of a trail.
#[derive(Clone, PartialEq, Eq)]
pub struct Noted {
    /// What happened; of several, the last time.
    pub event: SecurityEvent,
    /// How many times it happened.
    pub times: u64,
    /// When for the first time.
    pub since: Timestamp,
}

impl Store {
    /// Notes what happened: one write. `id` tells entries of one time apart.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn note_security_event(
        &self,
        whose: Whose<'_>,
        event: &SecurityEvent,
        id: Ulid,
    ) -> Result<(), StoreError> {
        const DOING: &str = "note a security event";
        let (at, id) = if event.what.is_tallied() {
            (begin_of_tally(event.at), event.what.as_str().to_owned())
        } else {
            (event.at, lower(id))
        };
        let (key, kept) = match whose {
            Whose::Person(user) => (keys::security_event(user, at, &id), KEPT),
            Whose::Nobody(email_sha256) => (keys::nobodys_security_event(email_sha256, at, &id), NOBODYS_KEPT),
        };
        let row = Row::new(&key, "security_event", event, Condition::New, DOING)?.expires(event.at, kept);
        if event.what.is_tallied() {
            self.database.tally(&key, row, event.at, DOING).await
        } else {
            self.database.put(row, DOING).await
        }
    }

    /// One page of a person's trail, the newest first. `after` is what the page before said.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn security_events(
        &self,
        user: UserId,
        after: Option<&str>,
        limit: i32,
        now: Timestamp,
    ) -> Result<Page<Noted>, StoreError> {
        const DOING: &str = "read a security trail";
        let partition = keys::user_partition(user);
        let after = after.map(|position| format!("{}{position}", keys::SECURITY_EVENT));
        let (rows, more) = self
            .database
            .page(&partition, keys::SECURITY_EVENT, after.as_deref(), limit, true, DOING)
            .await?;
        let last = rows.last().and_then(|item| row::string(item, "sk"));
        let next = last
            .filter(|_| more)
            .and_then(|sk| sk.strip_prefix(keys::SECURITY_EVENT));
        let next = next.map(str::to_owned);
        let live = rows.into_iter().filter(|item| !row::expired(item, now));
        let noted = |item: row::Item| {
            let (times, since) = (row::count(&item), row::string(&item, "since").map(str::parse));
            let event: SecurityEvent = row::data(item, DOING)?;
            Ok(Noted {
                times,
                since: since.and_then(Result::ok).unwrap_or(event.at),
                event,
            })
        };
        Ok(Page {
            items: live.map(noted).collect::<Result<_, StoreError>>()?,
            next,
        })
    }
}

fn begin_of_tally(at: Timestamp) -> Timestamp {
    let begin = at.as_second().div_euclid(TALLIED) * TALLIED;
    Timestamp::from_second(begin).unwrap_or(at)
}
