//! Slots of operations: how many run at once, in the deployment and of a tenant.
//!
//! A run takes a slot of its tenant, then a slot of the deployment, and gives both back at its end. A slot ends with the deadline of its
//! run, so that of one that died is free after five minutes. What finds none waits in the tenant's row, in the order of waiting: a run
//! that gives a slot back starts the first that may have it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::terms::{OperationId, OperationKind, TenantId};

/// The slots of the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeploymentSlots(u32);

impl DeploymentSlots {
    /// Slots that only campaigns, their pre-flights and reports take.
    pub const RESERVED: u32 = 20;

    /// The least that a deployment has.
    pub const FEWEST: u32 = 30;

    /// Maximum slots that a run looks at.
    pub const TRIES: u32 = 5;

    /// Number of slots that a run must have found taken to call the deployment busy.
    const BUSY: u32 = 3;

    /// This many. `None`: too few.
    pub fn new(number: u32) -> Option<Self> {
        (number >= Self::FEWEST).then_some(Self(number))
    }

    /// The slots that a run of this kind tries, one after the other. `fraction` is random, from 0 up to, but not including, 1.
    pub fn tries(self, kind: OperationKind, fraction: f64) -> impl Iterator<Item = u32> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is below the number of slots"
        )]
        let from = move |number: u32| (fraction * f64::from(number)) as u32;
        // Work of campaigns tries first what nobody else takes.
        let reserved = if kind.is_of_campaigns() { 3 } else { 0 };
        let others = self.0 - Self::RESERVED;
        (0..Self::TRIES).map(move |step| {
            if step < reserved {
                (from(Self::RESERVED) + step) % Self::RESERVED
            } else {
                Self::RESERVED + (from(others) + step) % others
            }
        })
    }

    /// Whether others probably wait: so many slots were taken before the run found one. Nobody counts those who wait.
    pub const fn is_busy(found_taken: u32) -> bool {
        found_taken >= Self::BUSY
    }
}

/// A slot of the deployment that a run has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenSlot {
    pub tenant: TenantId,
    pub operation: OperationId,
    /// Deadline of the run.
    pub until: Timestamp,
}

impl OperationKind {
    /// Whether it is work of campaigns, which has a time to keep: it takes no slot of its tenant, and also those that are reserved.
    pub const fn is_of_campaigns(self) -> bool {
        matches!(self, Self::RunCampaign | Self::PreflightCampaign | Self::ReportCampaign)
    }
}

/// A run that asks for a slot of its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotWish {
    pub operation: OperationId,
    pub kind: OperationKind,
    /// Id of the attempt.
    pub holder: Ulid,
    /// Deadline of the run.
    pub until: Timestamp,
    /// Time since which it has waited, if it has.
    pub since: Option<Timestamp>,
}

/// A slot of a tenant that a run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    holder: Ulid,
    kind: OperationKind,
    until: Timestamp,
}

/// An operation that waits for a slot of its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub operation: OperationId,
    pub kind: OperationKind,
    since: Timestamp,
    /// Time by which it has asked again, if it still waits.
    until: Timestamp,
}

/// The slots of a tenant that are taken, and the operations that have waited longest for one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantSlots {
    held: Vec<Held>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<Waiting>,
}

impl TenantSlots {
    /// Operations that a tenant runs at once.
    pub const MAX: usize = 5;

    /// Operations of a kind that a tenant runs at once.
    pub const MAX_OF_KIND: usize = 2;

    /// Maximum operations whose waiting is remembered. Others ask again by themselves.
    const MAX_WAITING: usize = 8;

    /// Time in which an operation that waits asks again: a minute, and two of the dispatcher.
    const ASKS_WITHIN: SignedDuration = SignedDuration::from_mins(3);

    /// Takes a slot, unless all are taken or others have waited longer for it: then it waits. Returns whether it has the slot.
    pub fn take(&mut self, wish: &SlotWish, now: Timestamp) -> bool {
        self.forget_ended(now);
        if self.held.iter().any(|held| held.holder == wish.holder) {
            return true;
        }
        let known = self
            .waiting
            .iter()
            .position(|waiting| waiting.operation == wish.operation);
        let known = known.map(|place| self.waiting.remove(place).since);
        let since = [known, wish.since].into_iter().flatten().min().unwrap_or(now);
        let mut taken = self.taken_kinds();
        for ahead in self.waiting.iter().filter(|waiting| waiting.since < since) {
            if has_room(&taken, ahead.kind) {
                taken.push(ahead.kind);
            }
        }
        if has_room(&taken, wish.kind) {
            let SlotWish {
                holder, kind, until, ..
            } = *wish;
            self.held.push(Held { holder, kind, until });
            return true;
        }
        self.wait(wish, since, now);
        false
    }

    /// Gives a slot back. `goes_on`: the run that had it ends before its operation, which goes to the end of those that wait, if there are
    /// any. Returns the operation that may have the slot now, which no longer waits.
    pub fn give_back(&mut self, wish: &SlotWish, goes_on: bool, now: Timestamp) -> Option<Waiting> {
        self.held.retain(|held| held.holder != wish.holder);
        self.forget_ended(now);
        let taken = self.taken_kinds();
        let next = self.waiting.iter().position(|waiting| has_room(&taken, waiting.kind))?;
        let next = self.waiting.remove(next);
        if goes_on {
            self.wait(wish, now, now);
        }
        Some(next)
    }

    /// Time when the last slot and the last waiting end. `None`: there are none.
    pub fn ends_at(&self) -> Option<Timestamp> {
        let held = self.held.iter().map(|held| held.until);
        held.chain(self.waiting.iter().map(|waiting| waiting.until)).max()
    }

    fn forget_ended(&mut self, now: Timestamp) {
        self.held.retain(|held| now < held.until);
        self.waiting.retain(|waiting| now < waiting.until);
    }

    fn taken_kinds(&self) -> Vec<OperationKind> {
        self.held.iter().map(|held| held.kind).collect()
    }

    /// Remembers that an operation waits, as long as it is one of those that have waited longest.
    fn wait(&mut self, wish: &SlotWish, since: Timestamp, now: Timestamp) {
        self.waiting.push(Waiting {
            operation: wish.operation,
            kind: wish.kind,
            since,
            until: now + Self::ASKS_WITHIN,
        });
        self.waiting.sort_by_key(|waiting| waiting.since);
        self.waiting.truncate(Self::MAX_WAITING);
    }
}

/// Whether a tenant with runs of these kinds may have one more.
fn has_room(taken: &[OperationKind], kind: OperationKind) -> bool {
    let of_kind = taken.iter().filter(|taken| **taken == kind).count();
    taken.len() < TenantSlots::MAX && of_kind < TenantSlots::MAX_OF_KIND
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use proptest::prelude::*;

    use super::*;

    const KINDS: [OperationKind; 4] = [
        OperationKind::ChangeContacts,
        OperationKind::EraseContact,
        OperationKind::ExportData,
        OperationKind::CountSegment,
    ];

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).expect("a time")
    }

    fn wish(number: u128, kind: OperationKind, until: i64) -> SlotWish {
        SlotWish {
            operation: OperationId::new(Ulid::from_parts(1, number)),
            kind,
            holder: Ulid::from_parts(2, number),
            until: at(until),
            since: None,
        }
    }

    #[test]
    fn two_of_a_kind_and_five_of_a_tenant_run_at_once() {
        let mut slots = TenantSlots::default();
        let kinds = [0, 0, 0, 1, 1, 2, 2].map(|kind| KINDS[kind]);
        let taken = (0..)
            .zip(kinds)
            .map(|(number, kind)| slots.take(&wish(number, kind, 300), at(0)));
        let taken: Vec<bool> = taken.collect();
        assert_eq!(taken, [true, true, false, true, true, true, false]);
        // The answer to the write was lost: it is not taken twice.
        assert!(slots.take(&wish(0, KINDS[0], 300), at(1)));
        assert_eq!(slots.held.len(), TenantSlots::MAX);
        assert_eq!(slots.ends_at(), Some(at(300)));
        // Of runs that died, the slots end by themselves.
        assert!(!slots.take(&wish(2, KINDS[0], 600), at(299)));
        assert!(slots.take(&wish(2, KINDS[0], 600), at(300)));
    }

    #[test]
    fn a_slot_goes_to_who_waited_longest_and_may_have_it() {
        let mut slots = TenantSlots::default();
        let [change, erase, ..] = KINDS;
        for (number, kind) in (0..).zip([change, change, erase, erase]) {
            assert!(slots.take(&wish(number, kind, 300), at(0)));
        }
        // A third change waits first, then a third erasure.
        for (number, kind, second) in [(10, change, 1), (11, erase, 2), (12, change, 3)] {
            assert!(!slots.take(&wish(number, kind, 300), at(second)));
        }
        // A slot of an erasure is for the erasure that waits, and not for the change before it.
        let next = slots.give_back(&wish(2, erase, 300), false, at(4)).expect("one waits");
        assert_eq!((next.operation, next.kind), (wish(11, erase, 0).operation, erase));
        // The change that came later does not overtake; the one that waited does get in.
        let first = slots.give_back(&wish(0, change, 300), true, at(5)).expect("one waits");
        assert_eq!(first.operation, wish(10, change, 0).operation);
        assert!(!slots.take(&wish(13, change, 300), at(6)), "others have waited longer");
        let started = SlotWish {
            since: Some(at(1)),
            ..wish(10, change, 300)
        };
        assert!(slots.take(&started, at(6)));
        // The run that had more to do waits behind those that waited before.
        let waiting = slots.waiting.iter().map(|waiting| waiting.operation);
        let expected = [12, 0, 13].map(|number| wish(number, change, 0).operation);
        assert_eq!(waiting.collect::<Vec<_>>(), expected);
        // Who waits and is not heard of again, such as one that was cancelled, is in nobody's way.
        assert!(slots.take(&wish(14, change, 900), at(400)));
    }

    #[test]
    fn reserved_slots_are_for_campaigns() {
        let slots = DeploymentSlots::new(100).expect("enough");
        assert_eq!(DeploymentSlots::new(29), None);
        for step in 0..1_000 {
            let fraction = f64::from(step) / 1_000.0;
            for kind in OperationKind::ALL {
                let tries: Vec<u32> = slots.tries(kind, fraction).collect();
                assert_eq!(tries.len(), 5);
                let reserved = tries.iter().filter(|slot| **slot < DeploymentSlots::RESERVED).count();
                assert_eq!(
                    reserved,
                    if kind.is_of_campaigns() { 3 } else { 0 },
                    "{kind:?}: {tries:?}"
                );
                assert!(tries.iter().all(|slot| *slot < 100), "{tries:?}");
            }
        }
        let tries: Vec<u32> = slots.tries(OperationKind::RunCampaign, 0.98).collect();
        assert_eq!(tries, [19, 0, 1, 21, 22]);
    }

    proptest! {
        /// Runs of many operations that ask, end and die in any order: no more than five have a slot at once, two of a kind, and of those of
        /// one kind the first ones that wait are the first ones that get one.
        #[test]
        fn slots_hold_and_keep_the_order(events in prop::collection::vec((0..12_u128, 0..3_u8, 1..200_i64), 1..200)) {
            let (mut slots, mut running, mut now) = (TenantSlots::default(), Vec::<SlotWish>::new(), 0);
            for (number, event, pass) in events {
                now += pass;
                running.retain(|run| at(now) < run.until);
                let own = wish(number, KINDS[number as usize % 4], now + 300);
                let runs = running.iter().position(|run| run.operation == own.operation);
                match (runs, event) {
                    (Some(run), 0 | 1) => {
                        let ended = running.remove(run);
                        let longest = slots.waiting.iter().filter(|waiting| at(now) < waiting.until).copied().collect::<Vec<_>>();
                        if let Some(next) = slots.give_back(&ended, event == 1, at(now)) {
                            let of_kind = longest.iter().filter(|waiting| waiting.kind == next.kind);
                            prop_assert_eq!(of_kind.map(|waiting| Reverse(waiting.since)).max(), Some(Reverse(next.since)));
                        }
                    }
                    (None, _) if slots.take(&own, at(now)) => running.push(own),
                    _ => {}
                }
                prop_assert_eq!(slots.held.iter().filter(|held| at(now) < held.until).count(), running.len());
                prop_assert!(running.len() <= TenantSlots::MAX && slots.waiting.len() <= TenantSlots::MAX_WAITING);
                for kind in KINDS {
                    prop_assert!(running.iter().filter(|run| run.kind == kind).count() <= TenantSlots::MAX_OF_KIND);
                }
            }
        }
    }
}
