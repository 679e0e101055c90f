//! The time ahead for which bulk messages are queued, and the time that it takes to send them.
//!
//! Whatever is due in the lane `bulk` could be queued at once. But the queue is worked by a number of workers and each WhatsApp number
//! sends so many a second, so a message that is queued long before its turn finds its lease over: then it is queued again, and both copies
//! cost. Therefore each message is queued for the second when its number has a place for it, at most fifteen minutes ahead, and only as long
//! as the workers need less than that for the whole queue ([`BulkAhead`]). The rest stays due.
//!
//! The count of a queue is approximate, and SQS may need more than a minute after the last message to have counted all. So a process also
//! counts what it has queued itself, and one that has just started, and does not know what another one queued a moment ago, queues at most
//! a fifth.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::terms::ConnectionId;

/// Maximum time ahead: the longest delay of a queue, and half of a lease.
const AHEAD: SignedDuration = SignedDuration::from_mins(15);

/// Part of the time ahead that the first run of a process may add.
const OF_FIRST_RUN: i32 = 5;

/// Part of the time ahead that each number may have in each run, whatever else is queued: the minute until the next one.
const OF_EACH_RUN: i32 = 15;

/// Messages per second that a worker sends, five at a time: what a provider takes for them, and the writes around it, last about a second.
const PER_WORKER: u32 = 5;

/// Periods of [`BusyTimes`] that are kept: more than there are offsets from UTC, at which clocks show the same time.
const MOST_PERIODS: usize = 48;

/// The number of workers of the queue `bulk-sends`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkWorkers(u32);

impl BulkWorkers {
    /// Minimum and maximum of the concurrency of an event source.
    pub const RANGE: [u32; 2] = [2, 1_000];

    /// `None` if the number is not in [`Self::RANGE`].
    pub fn new(number: u32) -> Option<Self> {
        let [fewest, most] = Self::RANGE;
        (fewest..=most).contains(&number).then_some(Self(number))
    }

    /// Messages that they send per second.
    pub const fn per_second(self) -> u32 {
        self.0 * PER_WORKER
    }
}

/// A WhatsApp number and the bulk messages that it sends per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberRate {
    pub connection: ConnectionId,
    pub per_second: u32,
}

/// Time of sending one message at a rate.
fn time_of_one(per_second: u32) -> SignedDuration {
    SignedDuration::from_secs(1) / i32::try_from(per_second.max(1)).unwrap_or(i32::MAX)
}

/// Messages of the lane `bulk` that a process of the dispatcher has queued, and room for further ones.
#[derive(Debug, Clone)]
pub struct BulkAhead {
    workers: BulkWorkers,
    ahead: SignedDuration,
    /// The numbers with messages in the queue, each with the time until which they take its places.
    numbers: BTreeMap<ConnectionId, Queued>,
    /// The time until which the workers need for what is in the queue, and its limit in this run.
    busy_until: Timestamp,
    run_ends: Timestamp,
    has_run: bool,
    /// Whether this run found messages that no number limits.
    finds_others: bool,
}

#[derive(Debug, Clone, Copy)]
struct Queued {
    per_second: u32,
    until: Timestamp,
}

impl BulkAhead {
    /// Nothing is known to be queued. `lease`: time for which a queued row is leased beyond the time of its job.
    pub fn new(workers: BulkWorkers, lease: SignedDuration) -> Self {
        Self {
            workers,
            ahead: AHEAD.min(lease / 2),
            numbers: BTreeMap::new(),
            busy_until: Timestamp::MIN,
            run_ends: Timestamp::MIN,
            has_run: false,
            finds_others: false,
        }
    }

    /// Begins a run, which finds so many messages in the queue, including delayed ones.
    pub fn begin(&mut self, counted: u64, now: Timestamp) {
        self.numbers.retain(|_, queued| now < queued.until);
        let counted = i32::try_from(counted).unwrap_or(i32::MAX);
        let counted = time_of_one(self.workers.per_second()).saturating_mul(counted);
        // The count may lag behind what this process has queued.
        self.busy_until = self.busy_until.max(now + counted.min(self.ahead * 2));
        self.run_ends = now + self.ahead;
        if !self.has_run {
            self.run_ends = self.run_ends.min(self.busy_until + self.ahead / OF_FIRST_RUN);
        }
        self.has_run = true;
        self.finds_others = false;
    }

    /// Whether anything more may be queued in this run.
    pub fn has_room(&self) -> bool {
        self.busy_until < self.run_ends
    }

    /// The time for which the next message of this number is queued, or of none that limits it. `None`: it stays due.
    pub fn place(&mut self, number: Option<NumberRate>, now: Timestamp) -> Option<Timestamp> {
        let mut at = now;
        if let Some(NumberRate { connection, per_second }) = number {
            let queued = self
                .numbers
                .entry(connection)
                .or_insert(Queued { per_second, until: now });
            queued.per_second = per_second;
            at = at.max(queued.until);
        } else {
            self.finds_others = true;
        }
        let is_next = number.is_some() && at < now + self.ahead / OF_EACH_RUN;
        let is_ahead = at < self.run_ends && self.busy_until < now + self.share_of_workers();
        if !self.has_room() || !(is_next || is_ahead) {
            return None;
        }
        if let Some(NumberRate { connection, per_second }) = number {
            let until = at + time_of_one(per_second);
            self.numbers.insert(connection, Queued { per_second, until });
        }
        self.busy_until = self.busy_until.max(now) + time_of_one(self.workers.per_second());
        Some(at)
    }

    /// The time ahead for the workers: the queue holds at most what the numbers concerned send in the time ahead of each.
    fn share_of_workers(&self) -> SignedDuration {
        let workers = self.workers.per_second();
        let numbers = self.numbers.values().map(|queued| queued.per_second);
        let numbers = numbers.fold(0_u32, u32::saturating_add);
        if self.finds_others || workers <= numbers {
            return self.ahead;
        }
        let of_one = self.ahead / i32::try_from(workers).unwrap_or(i32::MAX);
        of_one.saturating_mul(i32::try_from(numbers).unwrap_or(i32::MAX))
    }
}

/// Times at which something sends that sends one message after the other: periods that begin with a message and last as long as others
/// have come meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BusyTimes(Vec<Busy>);

/// The millisecond in which a period begins, and its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[i64; 2]", into = "[i64; 2]")]
struct Busy {
    begins: i64,
    messages: i64,
}

impl From<[i64; 2]> for Busy {
    fn from([begins, messages]: [i64; 2]) -> Self {
        Self { begins, messages }
    }
}

impl From<Busy> for [i64; 2] {
    fn from(busy: Busy) -> Self {
        [busy.begins, busy.messages]
    }
}

/// Milliseconds that this number of messages takes.
fn millis_of(messages: i64, per_second: u32) -> i64 {
    messages.saturating_mul(1_000) / i64::from(per_second.max(1))
}

impl Busy {
    fn ends(&self, per_second: u32) -> i64 {
        self.begins.saturating_add(millis_of(self.messages, per_second))
    }
}

impl BusyTimes {
    /// Adds a message that may leave at this time, in any order.
    pub fn add(&mut self, at: Timestamp, per_second: u32) {
        let begins = at.as_millisecond();
        let Self(periods) = self;
        let mut place = periods.partition_point(|period| period.begins <= begins);
        let before = place.checked_sub(1).and_then(|before| periods.get_mut(before));
        match before.filter(|before| begins <= before.ends(per_second)) {
            Some(before) => {
                before.messages += 1;
                place -= 1;
            }
            None => periods.insert(place, Busy { begins, messages: 1 }),
        }
        // It may now last until the next ones begin.
        while let [this, next, ..] = &mut periods[place..]
            && next.begins <= this.ends(per_second)
        {
            this.messages += next.messages;
            periods.remove(place + 1);
        }
        if MOST_PERIODS < periods.len() {
            self.join_nearest(per_second);
        }
    }

    /// Makes one period of the two with the shortest gap. It ends as the second one does.
    fn join_nearest(&mut self, per_second: u32) {
        let Self(periods) = self;
        let gap = |pair: &[Busy]| match pair {
            [one, next] => next.begins - one.ends(per_second),
            _ => i64::MAX,
        };
        let nearest = periods.windows(2).enumerate().min_by_key(|(_, pair)| gap(pair));
        let Some(place) = nearest.map(|(place, _)| place) else {
            return;
        };
        let one = periods.remove(place);
        if let Some(next) = periods.get_mut(place) {
            next.begins -= millis_of(one.messages, per_second);
            next.messages += one.messages;
        }
    }

    /// Time when the last message is sent. `None`: there is none.
    pub fn last_at(&self, per_second: u32) -> Option<Timestamp> {
        let last = self.0.last()?;
        let at = last
            .begins
            .saturating_add(millis_of(last.messages.saturating_sub(1), per_second));
        Timestamp::from_millisecond(at).ok()
    }
}

#[cfg(test)]
mod tests;
