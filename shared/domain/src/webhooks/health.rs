//! The health of an endpoint: a pure machine that says when its waiting deliveries are tried, when people are told, and when it is disabled.
//!
//! ```text
//! healthy ──a failure──▶ failing ──5 time-outs or 20 failures in a row──▶ down: events are only stored, and probes try the oldest
//!    ▲                      │                                               │
//!    └──────a success───────┴────────────────a success──────────────────────┘
//! ```

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::notices::EndpointTrouble;
use crate::terms::WebhookEndpointId;
use crate::webhooks::AttemptOutcome;
use crate::webhooks::delivery::{longest_wait, wait_after};

/// Maximum deliveries that wait for an endpoint. Newer ones are dropped.
pub const MAX_WAITING_DELIVERIES: u32 = 100_000;

/// Number of time-outs in a row after which an endpoint is down.
const MAX_TIMEOUTS: u32 = 5;

/// Number of failures in a row after which an endpoint is down.
const MAX_FAILURES: u32 = 20;

/// A look that finds nothing is repeated after this time if something should wait: the index by which it looks may lag.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// A success is noted again after this time, so that those of a busy endpoint write nothing.
const SUCCESS_NOTED_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// Consequences of failing, with the time after which they come.
const STEPS: [PlannedStep; 3] = [
    PlannedStep::new(HealthStep::TellAfterOneDay, 1),
    PlannedStep::new(HealthStep::TellAfterThreeDays, 3),
    PlannedStep::new(HealthStep::Disable, 5),
];

/// An endpoint is disabled at the earliest so long after people were told: it may have failed once, and got nothing for days.
const NOTICE: SignedDuration = SignedDuration::from_hours(48);

/// A consequence of failing for days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthStep {
    /// People are told.
    TellAfterOneDay,
    /// People are told again.
    TellAfterThreeDays,
    /// The endpoint is disabled, and people are told.
    Disable,
}

#[derive(Debug, Clone, Copy)]
struct PlannedStep {
    step: HealthStep,
    after: SignedDuration,
}

impl PlannedStep {
    const fn new(step: HealthStep, days: i64) -> Self {
        Self {
            step,
            after: SignedDuration::from_hours(24 * days),
        }
    }
}

impl HealthStep {
    /// Time of the step for an endpoint that has been failing since this time.
    pub fn time_after(self, failing_since: Timestamp) -> Timestamp {
        let planned = STEPS.iter().find(|planned| planned.step == self);
        planned.map_or(failing_since, |planned| failing_since + planned.after)
    }

    /// The trouble that people are told of.
    pub const fn trouble(self) -> EndpointTrouble {
        match self {
            Self::TellAfterOneDay | Self::TellAfterThreeDays => EndpointTrouble::Failing,
            Self::Disable => EndpointTrouble::Disabled,
        }
    }
}

/// State of an endpoint's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "WebhookHealthState")
)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// The last attempt succeeded, or there was none.
    Healthy,
    /// The last attempt failed.
    Failing,
    /// Many attempts failed in a row. Events are only stored, and one of them is tried from time to time.
    Down,
}

/// The health of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointHealth {
    /// Number of failures since the last success.
    pub failures_in_row: u32,
    /// Number of time-outs since any other outcome.
    pub timeouts_in_row: u32,
    /// Time of the first failure since the last success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// Time since which events are only stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down_since: Option<Timestamp>,
    /// Number of probes that failed since then.
    pub failed_probes: u32,
    /// Time of the next probe, while it is down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_probe: Option<Timestamp>,
    /// Time before which its receiver wants no request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Timestamp>,
    /// Number of waiting deliveries. It may be a little off after a crash, until none waits.
    pub waiting: u32,
    /// Time of the first waiting delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Timestamp>,
    /// Number of times that deliveries began to wait.
    pub waits: u64,
    /// Last step that was taken since it began to fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<HealthStep>,
    /// Time at which it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// Time since which newer deliveries are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_since: Option<Timestamp>,
    /// Time of a success that is at most five minutes older than the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// Time at which the row is due, as the dispatcher has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Number of times that the dispatcher has queued it since it last changed.
    pub dispatches: u32,
}

/// The result of a look at the waiting deliveries of an endpoint, which tried some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingLook {
    /// Time of the look.
    pub at: Timestamp,
    /// [`EndpointHealth::waits`] before the look.
    pub known: u64,
    /// Number of deliveries that wait no longer.
    pub settled: u32,
    /// Time of the first delivery that still waits, if any does.
    pub first: Option<Timestamp>,
}

impl EndpointHealth {
    /// Its state.
    pub const fn state(&self) -> HealthState {
        if self.is_down() {
            HealthState::Down
        } else if self.failing_since.is_some() {
            HealthState::Failing
        } else {
            HealthState::Healthy
        }
    }

    /// Whether events are only stored.
    pub const fn is_down(&self) -> bool {
        self.down_since.is_some()
    }

    /// Whether new events may be tried at once.
    pub fn may_send(&self, now: Timestamp) -> bool {
        !self.is_down() && self.paused_until.is_none_or(|until| until <= now)
    }

    /// Number of further deliveries that may wait.
    pub const fn room(&self) -> u32 {
        MAX_WAITING_DELIVERIES.saturating_sub(self.waiting)
    }

    /// The health after an attempt that ended at this time. A pause is what the receiver wants.
    #[must_use]
    pub fn after_attempt(
        &self,
        endpoint: WebhookEndpointId,
        outcome: AttemptOutcome,
        pause: Option<SignedDuration>,
        at: Timestamp,
    ) -> Self {
        if outcome == AttemptOutcome::Delivered {
            return self.after_success(at);
        }
        let timeouts_in_row = match outcome {
            AttemptOutcome::TimedOut => self.timeouts_in_row.saturating_add(1),
            _ => 0,
        };
        let failures_in_row = self.failures_in_row.saturating_add(1);
        let mut after = Self {
            failures_in_row,
            timeouts_in_row,
            failing_since: self.failing_since.or(Some(at)),
            paused_until: self.paused_until.max(pause.map(|pause| at + pause)),
            ..self.clone()
        };
        let goes_down = failures_in_row >= MAX_FAILURES || timeouts_in_row >= MAX_TIMEOUTS;
        if self.is_down() {
            // Attempts that were on their way when it went down are no probes.
            if self.next_probe.is_some_and(|probe| probe <= at) {
                after.failed_probes = self.failed_probes.saturating_add(1);
                after.next_probe = Some(after.time_of_probe(endpoint, at));
            }
        } else if goes_down {
            after.down_since = Some(at);
            after.failed_probes = 0;
            after.next_probe = Some(after.time_of_probe(endpoint, at));
        }
        after
    }

    /// The time of the probe after a failure at this time: by the schedule of attempts, whose last wait is repeated.
    fn time_of_probe(&self, endpoint: WebhookEndpointId, at: Timestamp) -> Timestamp {
        let failed = usize::try_from(self.failed_probes)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        let wait = wait_after(failed, endpoint.ulid()).unwrap_or_else(|| longest_wait(failed, endpoint.ulid()));
        let probe = at + wait;
        self.paused_until.map_or(probe, |until| until.max(probe))
    }

    fn after_success(&self, at: Timestamp) -> Self {
        let noted = self
            .last_success
            .filter(|noted| at.duration_since(*noted) < SUCCESS_NOTED_EVERY);
        Self {
            failures_in_row: 0,
            timeouts_in_row: 0,
            failing_since: None,
            down_since: None,
            failed_probes: 0,
            next_probe: None,
            paused_until: None,
            told: None,
            told_at: None,
            last_success: noted.or(Some(at)),
            ..self.clone()
        }
    }

    /// The health with further waiting deliveries, of which the first is tried at this time.
    #[must_use]
    pub fn with_more_waiting(&self, number: u32, first: Timestamp) -> Self {
        Self {
            waiting: self.waiting.saturating_add(number),
            next_try: Some(self.next_try.map_or(first, |known| known.min(first))),
            waits: self.waits.wrapping_add(1),
            ..self.clone()
        }
    }

    /// The health after a look at the waiting deliveries. If others began to wait meanwhile, their time counts, too.
    #[must_use]
    pub fn after_look(&self, look: WaitingLook) -> Self {
        let newer = self.next_try.filter(|_| self.waits != look.known);
        let first = match (look.first, newer) {
            (Some(first), Some(newer)) => Some(first.min(newer)),
            (first, newer) => first.or(newer),
        };
        let left = self.waiting.saturating_sub(look.settled);
        let (waiting, next_try) = match first {
            Some(first) => (left.max(1), Some(first)),
            None => (0, (left > 0).then_some(look.at + LOOK_AGAIN)),
        };
        Self {
            waiting,
            next_try,
            full_since: self.full_since.filter(|_| waiting >= MAX_WAITING_DELIVERIES / 2),
            ..self.clone()
        }
    }

    /// The health after deliveries were dropped, since too many wait.
    #[must_use]
    pub fn with_dropped(&self, at: Timestamp) -> Self {
        Self {
            full_since: self.full_since.or(Some(at)),
            ..self.clone()
        }
    }

    /// The health of an endpoint that is down while nothing waits: the next event is tried, and its failure brings it down again.
    #[must_use]
    pub fn without_probe(&self) -> Self {
        Self {
            down_since: None,
            next_probe: None,
            ..self.clone()
        }
    }

    /// The health of an endpoint that was disabled: nothing is due, whatever waits.
    #[must_use]
    pub fn stop_trying(&self) -> Self {
        Self {
            next_probe: None,
            next_try: None,
            ..self.clone()
        }
    }

    /// The health of an endpoint that somebody changed or enabled: all that waits is tried now.
    #[must_use]
    pub fn reset(&self, now: Timestamp) -> Self {
        Self {
            waiting: self.waiting,
            next_try: (self.waiting > 0 || self.next_try.is_some()).then_some(now),
            waits: self.waits,
            last_success: self.last_success,
            ..Self::default()
        }
    }

    /// The step that is to be taken at this time, if one is.
    pub fn step_due(&self, now: Timestamp) -> Option<HealthStep> {
        let due = STEPS
            .iter()
            .rev()
            .find(|planned| self.time_of(planned).is_some_and(|at| at <= now))?;
        (self.told < Some(due.step)).then_some(due.step)
    }

    /// The health after a step was taken at this time.
    #[must_use]
    pub fn after_step(&self, step: HealthStep, now: Timestamp) -> Self {
        Self {
            told: Some(step),
            told_at: Some(now),
            ..self.clone()
        }
    }

    /// Time of the next step, if it goes on failing.
    fn next_step_at(&self) -> Option<Timestamp> {
        let next = STEPS.iter().find(|planned| self.told < Some(planned.step))?;
        self.time_of(next)
    }

    /// Time of a step, if it goes on failing.
    fn time_of(&self, planned: &PlannedStep) -> Option<Timestamp> {
        let at = self.failing_since? + planned.after;
        if planned.step != HealthStep::Disable {
            return Some(at);
        }
        if self.told < Some(HealthStep::TellAfterThreeDays) {
            return None;
        }
        Some(self.told_at.map_or(at, |told| at.max(told + NOTICE)))
    }

    /// The time at which something is to be done. `None` while nothing waits: then the next event decides.
    pub fn due_at(&self) -> Option<Timestamp> {
        let next_try = self
            .next_try
            .map(|at| self.paused_until.map_or(at, |until| until.max(at)));
        let work = if self.is_down() { self.next_probe } else { next_try };
        let work = work?;
        Some(self.next_step_at().map_or(work, |step| step.min(work)))
    }
}

#[cfg(test)]
mod tests {
    use ulid::Ulid;

    use super::*;
    use crate::samples::at;

    const NOON: &str = "2026-11-20T12:00:00Z";

    fn endpoint() -> WebhookEndpointId {
        WebhookEndpointId::new(Ulid::from_parts(1, 7))
    }

    fn minutes(minutes: i64) -> Timestamp {
        at(NOON) + SignedDuration::from_mins(minutes)
    }

    fn after(health: &EndpointHealth, outcome: AttemptOutcome, at: Timestamp) -> EndpointHealth {
        health.after_attempt(endpoint(), outcome, None, at)
    }

    fn after_many(outcome: AttemptOutcome, number: usize) -> EndpointHealth {
        (0..number).fold(EndpointHealth::default(), |health, _| after(&health, outcome, at(NOON)))
    }

    #[test]
    fn endpoint_is_down_after_five_timeouts_or_twenty_failures() {
        use AttemptOutcome::{Delivered, NotReached, Refused, TimedOut};
        for (outcome, number, state) in [
            (Delivered, 30, HealthState::Healthy),
            (TimedOut, 1, HealthState::Failing),
            (TimedOut, 4, HealthState::Failing),
            (TimedOut, 5, HealthState::Down),
            (Refused, 19, HealthState::Failing),
            (Refused, 20, HealthState::Down),
            (NotReached, 20, HealthState::Down),
        ] {
            let health = after_many(outcome, number);
            assert_eq!(health.state(), state, "{outcome:?} {number}");
            assert_eq!(health.may_send(minutes(1)), state != HealthState::Down);
        }
        // Another failure between time-outs, and a success between failures, begin anew.
        let mixed = [TimedOut, TimedOut, TimedOut, TimedOut, Refused, TimedOut, TimedOut];
        let fold = |outcomes: &[AttemptOutcome]| {
            let begun = EndpointHealth::default();
            outcomes
                .iter()
                .fold(begun, |health, outcome| after(&health, *outcome, at(NOON)))
        };
        assert_eq!(fold(&mixed).state(), HealthState::Failing);
        let recovered = after(&after_many(Refused, 19), Delivered, minutes(1));
        assert_eq!(recovered.state(), HealthState::Healthy);
        assert_eq!(after(&recovered, Refused, minutes(2)).failures_in_row, 1);
    }

    #[test]
    fn probes_follow_the_schedule_and_repeat_its_last_wait() {
        let mut health = after_many(AttemptOutcome::TimedOut, 5).with_more_waiting(3, at(NOON));
        let mut now = at(NOON);
        for planned in [
            5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, 86_400, 86_400,
        ] {
            let probe = health.next_probe.unwrap();
            let wait = probe.duration_since(now).as_secs();
            assert!(planned <= wait && wait <= planned * 12 / 10, "{wait} for {planned}");
            // Attempts that began before it went down change no time.
            let early = after(&health, AttemptOutcome::TimedOut, now);
            assert_eq!(
                (early.next_probe, early.failed_probes),
                (Some(probe), health.failed_probes)
            );
            now = probe;
            health = after(&health, AttemptOutcome::Refused, now);
        }
        let recovered = after(&health, AttemptOutcome::Delivered, now);
        assert_eq!(
            (recovered.state(), recovered.due_at()),
            (HealthState::Healthy, Some(at(NOON)))
        );
        assert!(recovered.may_send(now));
    }

    #[test]
    fn people_are_told_after_one_and_three_days_then_it_is_disabled() {
        use HealthStep::{Disable, TellAfterOneDay, TellAfterThreeDays};
        const DAY: i64 = 24 * 60;
        let mut health = after_many(AttemptOutcome::Refused, 1);
        for (minute, step) in [
            (DAY - 1, None),
            (DAY, Some(TellAfterOneDay)),
            (DAY + 1, None),
            (3 * DAY - 1, None),
            (3 * DAY, Some(TellAfterThreeDays)),
            (5 * DAY - 1, None),
            (5 * DAY, Some(Disable)),
            (6 * DAY, None),
        ] {
            assert_eq!(health.step_due(minutes(minute)), step, "{minute}");
            if let Some(step) = step {
                assert_eq!(step.time_after(at(NOON)), minutes(minute));
                health = health.after_step(step, minutes(minute));
            }
        }
        // A look that comes late takes only the last step.
        let late = after_many(AttemptOutcome::Refused, 1);
        assert_eq!(late.step_due(minutes(4 * DAY)), Some(TellAfterThreeDays));
        // Whoever was told nothing since nothing came is told first, and has two days.
        assert_eq!(late.step_due(minutes(9 * DAY)), Some(TellAfterThreeDays));
        let told = late.after_step(TellAfterThreeDays, minutes(9 * DAY));
        assert_eq!(told.step_due(minutes(11 * DAY - 1)), None);
        assert_eq!(told.step_due(minutes(11 * DAY)), Some(Disable));
        let recovered = after(&health, AttemptOutcome::Delivered, minutes(6 * DAY));
        let again = after(&recovered, AttemptOutcome::Refused, minutes(7 * DAY));
        assert_eq!(again.step_due(minutes(7 * DAY)), None);
        assert_eq!(again.step_due(minutes(8 * DAY)), Some(TellAfterOneDay));
    }

    #[test]
    fn row_is_due_for_the_next_try_probe_or_step() {
        assert_eq!(EndpointHealth::default().due_at(), None);
        let failing = after_many(AttemptOutcome::Refused, 1);
        assert_eq!(failing.due_at(), None, "nothing waits");
        let waits = failing.with_more_waiting(1, minutes(30));
        assert_eq!(waits.due_at(), Some(minutes(30)));
        assert_eq!(waits.with_more_waiting(1, minutes(5)).due_at(), Some(minutes(5)));
        assert_eq!(waits.with_more_waiting(1, minutes(60)).due_at(), Some(minutes(30)));
        let far = failing.with_more_waiting(1, minutes(48 * 60));
        assert_eq!(far.due_at(), Some(minutes(24 * 60)), "people are told before");
        let down = after_many(AttemptOutcome::TimedOut, 5).with_more_waiting(1, at(NOON));
        assert_eq!(down.due_at(), down.next_probe);
        assert_eq!(down.without_probe().due_at(), Some(at(NOON)));
        assert_eq!(down.reset(minutes(9)).due_at(), Some(minutes(9)));
        assert_eq!(down.reset(minutes(9)).state(), HealthState::Healthy);
        let disabled = down.stop_trying();
        assert_eq!((disabled.due_at(), disabled.waiting), (None, 1));
        assert_eq!(disabled.reset(minutes(9)).due_at(), Some(minutes(9)));
        let failed_again = after(&down.without_probe(), AttemptOutcome::Refused, minutes(10));
        assert_eq!(failed_again.state(), HealthState::Failing);
        assert_eq!(
            after(&down.without_probe(), AttemptOutcome::TimedOut, minutes(10)).state(),
            HealthState::Down
        );
    }

    #[test]
    fn receiver_that_wants_a_pause_gets_no_request_before() {
        let hour = Some(SignedDuration::from_hours(1));
        let health = EndpointHealth::default().after_attempt(endpoint(), AttemptOutcome::Refused, hour, at(NOON));
        assert!(!health.may_send(minutes(59)) && health.may_send(minutes(60)));
        assert_eq!(health.with_more_waiting(1, minutes(5)).due_at(), Some(minutes(60)));
        assert!(after(&health, AttemptOutcome::Delivered, minutes(1)).may_send(minutes(1)));
        let down = (0..4).fold(health, |health, _| after(&health, AttemptOutcome::TimedOut, at(NOON)));
        let down = after(&down, AttemptOutcome::TimedOut, at(NOON));
        assert_eq!(down.next_probe, Some(minutes(60)));
    }

    /// Others may begin to wait while a job tries those that are due.
    #[test]
    fn look_at_waiting_deliveries_forgets_no_newer_one() {
        let known = EndpointHealth::default().with_more_waiting(3, at(NOON));
        let look = |settled, first| WaitingLook {
            at: minutes(1),
            known: known.waits,
            settled,
            first,
        };
        let some = known.after_look(look(2, Some(minutes(5))));
        assert_eq!((some.waiting, some.next_try), (1, Some(minutes(5))));
        let newer = known.with_more_waiting(1, minutes(2));
        let both = newer.after_look(look(3, None));
        assert_eq!(
            (both.waiting, both.next_try),
            (1, Some(at(NOON))),
            "it looks again at once"
        );
        // The index may lag, or the count may be off: a second look decides.
        let none = known.after_look(look(1, None));
        assert_eq!((none.waiting, none.due_at()), (0, Some(minutes(2))));
        let none = none.after_look(look(0, None));
        assert_eq!((none.waiting, none.due_at()), (0, None));
        let all = known.after_look(look(3, None));
        assert_eq!((all.waiting, all.due_at()), (0, None));
    }

    #[test]
    fn full_endpoint_is_told_once_until_half_is_gone() {
        let full = EndpointHealth {
            waiting: MAX_WAITING_DELIVERIES,
            next_try: Some(at(NOON)),
            ..EndpointHealth::default()
        };
        assert_eq!(full.room(), 0);
        let dropped = full.with_dropped(at(NOON)).with_dropped(minutes(5));
        assert_eq!(dropped.full_since, Some(at(NOON)));
        let look = |settled| WaitingLook {
            at: minutes(1),
            known: 0,
            settled,
            first: Some(minutes(1)),
        };
        assert!(dropped.after_look(look(10)).full_since.is_some());
        assert!(dropped.after_look(look(60_000)).full_since.is_none());
    }

    #[test]
    fn success_is_noted_every_five_minutes() {
        let first = after_many(AttemptOutcome::Delivered, 1);
        assert_eq!(after(&first, AttemptOutcome::Delivered, minutes(4)), first);
        let later = after(&first, AttemptOutcome::Delivered, minutes(5));
        assert_eq!(later.last_success, Some(minutes(5)));
    }
}
