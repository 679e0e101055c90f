//! Throughput of a WhatsApp number in messages per second, and the order of its messages.
//!
//! The provider refuses messages beyond a number's throughput, and received ones count as well. Messages of the bulk lane therefore lease
//! their places. A process takes a [`Block`] of them by one write, so many for each second of a span of [`THROUGHPUT_SPAN`], and holds it
//! in memory ([`Held`]): all blocks of a span together are never more than the number's limit, however many processes take them at once.
//! Places of a second that a block leaves are lost, and so is the rest of its span if the process ends.
//!
//! Answers to a person take no places while nothing is known to be too fast: bulk leaves room for them. Once the provider has
//! [throttled](Throttled) a number, they lease, too, up to the whole limit; bulk gets at most half of it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::terms::Lane;

/// Length of a span. Ten seconds with a message each make a write a tenth of a unit for each.
pub const THROUGHPUT_SPAN: SignedDuration = SignedDuration::from_secs(10);

/// Messages per second of a number without a known limit: Meta's standard.
pub const STANDARD_THROUGHPUT: u32 = 80;

/// Time until a throttled number has its whole throughput again.
const RECOVERY: SignedDuration = SignedDuration::from_mins(10);

/// Messages that were sent until so long after a refusal may have been under way when it was learnt.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(5);

/// Blocks in the room of a lane: more than the processes that send in bulk at once, so that each gets one.
const BLOCKS: u32 = 8;

/// Shortest and longest wait of a bulk message that finds no place, before it is spread by as much again. The dispatcher looks once a minute.
const BULK_WAIT: [SignedDuration; 2] = [SignedDuration::from_mins(1), SignedDuration::from_mins(10)];

/// The limit of a number after the provider throttled it. It recovers evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttled {
    /// Messages per second from then on.
    pub limit: u32,
    /// Time of the refusal.
    pub at: Timestamp,
}

impl Throttled {
    /// The limit after the refusal of a message that was sent at this time: half of the number's former limit. `None` if the message was
    /// sent before `known` was learnt, or was under way then: many messages are refused for one reason, and a refusal may be worked again.
    pub fn learnt(known: Option<Self>, most: u32, sent_at: Timestamp, now: Timestamp) -> Option<Self> {
        if known.is_some_and(|known| sent_at <= known.at + UNDER_WAY) {
            return None;
        }
        let limit = Throughput::of(most, known, now).limit;
        Some(Self {
            limit: (limit / 2).max(1),
            at: now,
        })
    }

    /// The limit now, on the way to this one. `None` once it is as high.
    fn limit(self, most: u32, now: Timestamp) -> Option<u32> {
        let passed = now.duration_since(self.at).clamp(SignedDuration::ZERO, RECOVERY);
        let (passed, whole) = (passed.as_millis().unsigned_abs(), RECOVERY.as_millis().unsigned_abs());
        let missing = u128::from(most.saturating_sub(self.limit));
        let recovered = u32::try_from(missing * passed / whole).unwrap_or(u32::MAX);
        let limit = self.limit.saturating_add(recovered);
        (limit < most).then_some(limit)
    }
}

/// A number's throughput at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throughput {
    /// Messages per second.
    limit: u32,
    /// Time when the provider throttled it, until it has recovered.
    throttled_at: Option<Timestamp>,
}

impl Throughput {
    /// The throughput of a number with this maximum, after what was learnt.
    pub fn of(most: u32, throttled: Option<Throttled>, now: Timestamp) -> Self {
        let learnt = throttled.and_then(|throttled| Some((throttled.limit(most, now)?, throttled.at)));
        Self {
            limit: learnt.map_or(most, |(limit, _)| limit).max(1),
            throttled_at: learnt.map(|(_, at)| at),
        }
    }

    /// Messages per second.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// Whether a message of this lane needs a place.
    pub fn is_leased(&self, lane: Lane) -> bool {
        lane == Lane::Bulk || self.throttled_at.is_some()
    }

    /// Places per second that messages of a lane may take of all that are taken. Bulk leaves a fifth to answers and to what
    /// customers write, of a throttled number half.
    pub const fn room(&self, lane: Lane) -> u32 {
        match (lane, self.throttled_at) {
            (Lane::Answers, _) => self.limit,
            (Lane::Bulk, None) if self.limit > 1 => self.limit - self.limit.div_ceil(5),
            (Lane::Bulk, None) => 1,
            (Lane::Bulk, Some(_)) => self.limit / 2,
        }
    }

    /// The block to take next, if this is what was taken last. `Err`: there is none before this time.
    pub fn next_block(&self, lane: Lane, last: Option<TakenSpan>, now: Timestamp) -> Result<Block, Timestamp> {
        let room = self.room(lane);
        // An answer takes its own place only: others would wait for those that it leaves.
        let places = match lane {
            Lane::Bulk => (room / BLOCKS).max(1),
            Lane::Answers => 1,
        };
        let at = now.as_second();
        let (second, begins) = match last {
            Some(last) if at < last.ends() => (last.second, false),
            Some(_) | None => (at, true),
        };
        let taken = last.filter(|_| !begins).map_or(0, |last| last.taken);
        let places = places.min(room.saturating_sub(taken)).max(1);
        let block = Block {
            second,
            begins,
            places,
            room,
            throttled_at: self.throttled_at,
        };
        match last {
            // Another worker's clock is ahead.
            Some(last) if at < last.second => Err(start_of(last.second)),
            _ if block.after(last).is_none() => Err(start_of(second + THROUGHPUT_SPAN.as_secs())),
            _ => Ok(block),
        }
    }
}

fn start_of(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

/// A span of a number and what was taken of each of its seconds, as the table has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenSpan {
    /// Its first second.
    pub second: i64,
    /// Places taken of each second.
    pub taken: u32,
}

impl TakenSpan {
    const fn ends(self) -> i64 {
        self.second + THROUGHPUT_SPAN.as_secs()
    }
}

/// Places in each second of a span, to be taken by one conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The first second of its span.
    pub second: i64,
    /// Whether its span begins with it. Otherwise it is a further block of the span that the table has.
    pub begins: bool,
    /// Places per second.
    pub places: u32,
    room: u32,
    throttled_at: Option<Timestamp>,
}

impl Block {
    /// Condition of taking it, if its span begins with it: there was none, or the last one began at this second or before.
    pub const fn last_began(&self) -> i64 {
        self.second - THROUGHPUT_SPAN.as_secs()
    }

    /// Condition of taking it, if its span has begun: at most so many places are taken.
    pub const fn most_taken(&self) -> Option<u32> {
        self.room.checked_sub(self.places)
    }

    /// The taken places of the span with this block. `None` if it cannot be taken.
    pub fn after(&self, last: Option<TakenSpan>) -> Option<TakenSpan> {
        let most = self.most_taken()?;
        let taken = match last {
            Some(last) if !self.begins => Some(last.taken).filter(|taken| last.second == self.second && *taken <= most),
            Some(last) => Some(0).filter(|_| last.second <= self.last_began()),
            None => Some(0).filter(|_| self.begins),
        };
        taken.map(|taken| TakenSpan {
            second: self.second,
            taken: taken + self.places,
        })
    }
}

/// Places of a number that a process holds, for one lane.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held {
    block: Option<Block>,
    /// The second of the places used last, and their number.
    used: (i64, u32),
    /// Before this time, there is nothing to take.
    none_before: Option<Timestamp>,
}

/// Whether a message may be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It may, in a place that is used by it.
    Go,
    /// Another block must be taken first.
    Take,
    /// Not before this time.
    Wait(Timestamp),
}

impl Held {
    /// Uses a place, if there is one. A block that was taken before the number was throttled is worth nothing.
    pub fn turn(&mut self, throughput: &Throughput, now: Timestamp) -> Turn {
        let at = now.as_second();
        let ends = |block: &Block| block.second + THROUGHPUT_SPAN.as_secs();
        self.block = self
            .block
            .filter(|block| at < ends(block) && block.throttled_at >= throughput.throttled_at);
        // A clock that is set back frees no place again.
        if self.used.0 < at {
            self.used = (at, 0);
        }
        if let Some(block) = self.block.filter(|block| block.second <= at)
            && self.used.1 < block.places
        {
            self.used.1 += 1;
            return Turn::Go;
        }
        let Some(until) = self.none_before.filter(|until| now < *until) else {
            return Turn::Take;
        };
        let next = self.block.filter(|block| at + 1 < ends(block));
        Turn::Wait(next.map_or(until, |_| start_of(at + 1)))
    }

    /// A block was taken.
    pub fn took(&mut self, block: Block) {
        let held = self.block.filter(|held| held.second == block.second);
        let places = held.map_or(0, |held| held.places).saturating_add(block.places);
        self.block = Some(Block { places, ..block });
    }

    /// There was none to take before this time.
    pub fn found_none(&mut self, until: Timestamp) {
        self.none_before = Some(until);
    }

    /// Whether its block and its wait are over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        let ends = self
            .block
            .map(|block| start_of(block.second + THROUGHPUT_SPAN.as_secs()));
        ends.max(self.none_before).is_none_or(|until| until <= now)
    }
}

/// The wait of a bulk message that found no place, and found none since this time before. The longer it lasts, the rarer are its looks, as
/// each costs a write. `place`, of a thousand, spreads messages that wait together.
pub(crate) fn wait_of_bulk(waited: SignedDuration, place: u32) -> SignedDuration {
    let [least, most] = BULK_WAIT;
    let wait = waited.clamp(least, most);
    wait + wait.saturating_mul(i32::try_from(place).unwrap_or_default()) / 1000
}

#[cfg(test)]
mod tests;
