//! Cursors: places in the events of a tenant where a client goes on.
//!
//! Events are published by several processes, so an event can be seen a little later than another that was published after it. A client
//! that goes on therefore begins [`OVERLAP`] before the time of the read that gave the cursor. It gets some events twice and misses none.
//! After a full page, the next one continues exactly behind its last events; when all are read, the next read begins before the first of
//! these.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

use crate::live::Followers;
use crate::terms::EventId;

/// Upper bound for how late an event can become visible after a newer one, with a reserve.
pub const OVERLAP: SignedDuration = SignedDuration::from_secs(30);

/// A cursor is of no use after this time.
pub const READABLE_FOR: SignedDuration = SignedDuration::from_hours(2);

/// Retention of events: longer than that of cursors, since a read can have begun with an old one.
pub const EVENTS_KEPT_FOR: SignedDuration = SignedDuration::from_hours(3);

/// A place among the events of a tenant: the time when some were published together, and the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Time of publishing, to the millisecond.
    pub at: Timestamp,
    pub first: EventId,
}

/// A client's place in the events of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Time of the read that gave it, or of the first one if a full page is continued.
    read_at: Timestamp,
    /// Last place of a full page, where the next page continues.
    after: Option<Place>,
}

/// Where a read begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the events of this time.
    At(Timestamp),
    Behind(Place),
}

impl Start {
    pub const fn at(self) -> Timestamp {
        match self {
            Self::At(at) | Self::Behind(Place { at, .. }) => at,
        }
    }
}

impl Cursor {
    /// Makes the cursor of a read at this time. Everything else is read after it.
    pub fn at(now: Timestamp) -> Self {
        Self {
            read_at: millisecond(now),
            after: None,
        }
    }

    /// Makes the cursor of events that were published together: a read goes on behind them, and the one after it begins before them.
    pub const fn behind(place: Place) -> Self {
        Self {
            read_at: place.at,
            after: Some(place),
        }
    }

    /// Where the read begins. No event is kept for longer than [`EVENTS_KEPT_FOR`].
    pub fn start(self, now: Timestamp) -> Start {
        let oldest = now - EVENTS_KEPT_FOR;
        // One that a client made up can lie anywhere.
        match self
            .after
            .filter(|after| oldest <= after.at && after.at <= now + OVERLAP)
        {
            Some(after) => Start::Behind(after),
            // The clock of another process can be ahead.
            None => Start::At((self.read_at.min(now) - OVERLAP).max(oldest)),
        }
    }

    /// The cursor after a read at this time. `full`: the last place of a page, if more may follow it.
    pub fn next(self, now: Timestamp, full: Option<Place>) -> Self {
        Self {
            read_at: if self.after.is_some() {
                self.read_at
            } else {
                millisecond(now)
            },
            after: full,
        }
    }

    /// Whether events after it may be missing: they were deleted since, or not kept because there were no followers.
    pub fn is_lost(self, followers: Followers, now: Timestamp) -> bool {
        self.read_at < millisecond(followers.since) || self.read_at < now - READABLE_FOR
    }
}

/// A time as cursors have it.
fn millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.read_at.as_millisecond())?;
        match self.after {
            Some(Place { at, first }) => write!(f, ".{}.{first}", at.as_millisecond()),
            None => Ok(()),
        }
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the `cursor` of an earlier answer")]
pub struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let time = |text: &str| {
            let digits = (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            let millisecond = text.parse().ok().filter(|_| digits)?;
            Timestamp::from_millisecond(millisecond).ok()
        };
        let mut parts = text.split('.');
        let (read_at, at, first) = (parts.next(), parts.next(), parts.next());
        let read_at = read_at.and_then(time).ok_or(NotACursor)?;
        let after = match (at, first, parts.next()) {
            (None, None, None) => None,
            (Some(at), Some(first), None) => Some(Place {
                at: time(at).ok_or(NotACursor)?,
                first: first.parse().map_err(|_| NotACursor)?,
            }),
            _ => return Err(NotACursor),
        };
        Ok(Self { read_at, after })
    }
}

parsed!(Cursor, "cursor", "1795168800000");

shown_as!(Cursor, {
    "type": "string",
    "pattern": "^[0-9]{1,15}(\\.[0-9]{1,15}\\.evt_[0-9a-z]{26})?$",
    "maxLength": 62,
    "examples": ["1795168800000"],
});

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;

    fn noon() -> Timestamp {
        "2026-11-20T12:00:00.25Z".parse().unwrap()
    }

    fn after(seconds: i64) -> Timestamp {
        noon() + SignedDuration::from_secs(seconds)
    }

    fn place(seconds: i64) -> Place {
        Place {
            at: after(seconds),
            first: EventId::new(Ulid::from_parts(1, 2)),
        }
    }

    #[test]
    fn a_cursor_survives_as_text() {
        let begun = Cursor::at(noon());
        for cursor in [begun, begun.next(after(5), Some(place(-3)))] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for wrong in [
            "",
            "x",
            "+1",
            "1.",
            "1.2",
            "1.2.evt_x",
            "1.2.3.4",
            "-5",
            "99999999999999999",
        ] {
            assert_eq!(wrong.parse::<Cursor>(), Err(NotACursor), "{wrong}");
        }
    }

    #[test]
    fn a_read_begins_before_the_last_one() {
        let cursor = Cursor::at(noon());
        assert_eq!(cursor.start(after(5)), Start::At(after(-30)));
        assert_eq!(
            cursor.start(after(-120)),
            Start::At(after(-150)),
            "a clock that is behind"
        );
        assert_eq!(cursor.next(after(5), None), Cursor::at(after(5)));
    }

    /// Events that are published during a chain of pages, and seen late, lie before places that were read already.
    #[test]
    fn the_read_after_full_pages_begins_before_the_first_of_them() {
        let full = Cursor::at(noon()).next(after(5), Some(place(-20)));
        assert_eq!(full.start(after(6)), Start::Behind(place(-20)));
        let further = full.next(after(6), Some(place(4)));
        assert_eq!(further.start(after(7)), Start::Behind(place(4)));
        assert_eq!(further.next(after(7), None), Cursor::at(after(5)));
    }

    #[test]
    fn a_cursor_is_lost_once_events_may_be_missing() {
        let followers = |since| Followers {
            since: after(since),
            until: after(100_000),
        };
        let cursor = Cursor::at(noon());
        assert!(!cursor.is_lost(followers(0), after(7200)));
        assert!(cursor.is_lost(followers(0), after(7201)), "not readable any more");
        assert!(cursor.is_lost(followers(1), after(2)), "there were no followers");
        // A hand-made cursor reads no more than is kept.
        for far in [-100_000, 36, 100_000_000_000] {
            let made_up = cursor.next(noon(), Some(place(far)));
            assert_eq!(made_up.start(after(5)), Start::At(after(-30)), "{far}");
        }
    }
}
