//! A number never gets more messages than it may send, however many processes lease places at once, with whatever clock, and whichever of
//! them die meanwhile.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::tenants::{Block, Held, TakenSpan, Throttled, Throughput, Turn};
use domain::terms::Lane;
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::select;

/// A process that sends messages of a lane, by a clock that goes wrong by this much.
#[derive(Debug, Clone)]
struct Process {
    lane: Lane,
    skew: SignedDuration,
    held: Held,
    /// Block that it has decided to take by the row as it read it, and has not written yet.
    taking: Option<(Block, Throughput)>,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    /// A process sends a message if it may, or reads or writes the row first.
    Move(usize),
    /// It dies, and another takes its place.
    Die(usize),
    /// Time passes: milliseconds.
    Pass(u16),
}

fn processes() -> impl Strategy<Value = Vec<Process>> {
    let process = (select(Lane::ALL.to_vec()), -3_000_i64..3_000).prop_map(|(lane, skew)| Process {
        lane,
        skew: SignedDuration::from_millis(skew),
        held: Held::default(),
        taking: None,
    });
    prop::collection::vec(process, 2..9)
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        60 => (0..8_usize).prop_map(Act::Move),
        1 => (0..8_usize).prop_map(Act::Die),
        3 => (1..1_500_u16).prop_map(Act::Pass),
    ];
    prop::collection::vec(act, 1..800)
}

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

impl Process {
    /// A single move: a message, a read of the row, or a conditional write. Anything can happen between two of them. Returns whether a
    /// message was sent.
    fn act(&mut self, row: &mut Option<TakenSpan>, throughput: Throughput, now: Timestamp) -> bool {
        if let Some((block, read_with)) = self.taking.take() {
            match block.after(*row) {
                Some(span) => {
                    *row = Some(span);
                    self.held.took(block);
                }
                // The failed write says how the row is.
                None => self.decide(*row, read_with, now),
            }
            return false;
        }
        match self.held.turn(&throughput, now) {
            Turn::Go => return true,
            Turn::Wait(until) => assert!(now < until),
            Turn::Take => self.decide(*row, throughput, now),
        }
        false
    }

    fn decide(&mut self, row: Option<TakenSpan>, throughput: Throughput, now: Timestamp) {
        match throughput.next_block(self.lane, row, now) {
            Ok(block) => self.taking = Some((block, throughput)),
            Err(until) => self.held.found_none(until),
        }
    }
}

/// Messages by second, of bulk and of both lanes. `throttled`: the provider throttles the number before this act.
fn count_sent_messages(
    mut processes: Vec<Process>,
    acts: &[Act],
    most: u32,
    throttled: Option<(usize, u32)>,
) -> (BTreeMap<i64, [u32; 2]>, Option<Throttled>) {
    let (mut row, mut now, mut learnt) = (None, noon(), None);
    let mut sent: BTreeMap<i64, [u32; 2]> = BTreeMap::new();
    for (place, act) in acts.iter().enumerate() {
        if let Some((_, limit)) = throttled.filter(|(at, _)| *at == place) {
            learnt = Some(Throttled { limit, at: now });
        }
        match *act {
            Act::Pass(millis) => now += SignedDuration::from_millis(millis.into()),
            Act::Die(which) => {
                let which = which % processes.len();
                (processes[which].held, processes[which].taking) = (Held::default(), None);
            }
            Act::Move(which) => {
                let which = which % processes.len();
                let process = &mut processes[which];
                let own = now + process.skew;
                if process.act(&mut row, Throughput::of(most, learnt, own), own) {
                    let counts = sent.entry(own.as_second()).or_default();
                    counts[0] += u32::from(process.lane == Lane::Bulk);
                    counts[1] += 1;
                }
            }
        }
    }
    (sent, learnt)
}

proptest! {
    /// Messages of each second, by the clocks of the processes that send them. Answers lease, too, as while a number is throttled.
    #[test]
    fn leases_never_exceed_a_limit(processes in processes(), acts in acts(), most in 1..120_u32) {
        let throughput = Throughput::of(most, None, noon());
        let (sent, _) = count_sent_messages(processes, &acts, most, None);
        for (second, [bulk, all]) in sent {
            prop_assert!(bulk <= throughput.room(Lane::Bulk), "{bulk} in bulk in {second}");
            prop_assert!(all <= throughput.limit(), "{all} in {second}");
        }
    }

    /// From the second after it was learnt, what was leased before is worth nothing.
    #[test]
    fn what_was_learnt_holds_at_once(
        mut processes in processes(),
        acts in acts(),
        most in 2..120_u32,
        at in 0..400_usize,
        part in 1..100_u32,
    ) {
        for process in &mut processes {
            process.skew = SignedDuration::ZERO;
        }
        let (sent, learnt) = count_sent_messages(processes, &acts, most, Some((at, (most * part / 100).max(1))));
        let Some(learnt) = learnt else { return Ok(()) };
        for (second, [bulk, all]) in sent.range(learnt.at.as_second() + 1..) {
            let ends = Timestamp::from_second(second + 1).unwrap();
            let throughput = Throughput::of(most, Some(learnt), ends);
            prop_assert!(*bulk <= throughput.room(Lane::Bulk), "{bulk} in bulk in {second}");
            prop_assert!(*all <= throughput.limit(), "{all} in {second}");
        }
    }
}
