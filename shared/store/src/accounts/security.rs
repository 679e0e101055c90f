//! Security trails. Events that only the person can cause are one entry each. Events that strangers can cause are one entry
//! per hour with a count, so that the trail stays short and costs one write, whoever tries.

use domain::accounts::SecurityEvent;
use domain::terms::UserId;
use jiff::{SignedDuration, Timestamp};
use ulid::Ulid;

use crate::table::keys::{self, lower};
use crate::table::row::{self, Condition, Row};
use crate::{Page, Store, StoreError};

/// Retention of a trail.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Retention of attempts with unknown addresses, which nobody looks at.
const NOBODYS_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Events that strangers cause are merged within this many seconds.
const TALLIED: i64 = 3600;

/// The owner of a trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose<'a> {
    /// A person.
    Person(UserId),
    /// Nobody: the SHA-256 of an address without an account, in hex. Recording it takes the same work, so that nobody can
    /// tell the difference.
    Nobody(&'a str),
}

/// An entry of a trail.
#[derive(Clone, PartialEq, Eq)]
pub struct Noted {
    /// The event; of several, the last one.
    pub event: SecurityEvent,
    /// Number of events.
    pub times: u64,
    /// Time of the first event.
    pub since: Timestamp,
}

impl Store {
    /// Records an event with one write. `id` distinguishes entries of the same time.
    pub async fn note_security_event(
        &self,
        whose: Whose<'_>,
        event: &SecurityEvent,
        id: Ulid,
    ) -> Result<(), StoreError> {
        const DOING: &str = "record a security event";
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

    /// A page of a person's trail, the newest first. `after` is the cursor of the previous page.
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
        let live = rows.into_iter().filter(|item| !row::is_expired(item, now));
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
