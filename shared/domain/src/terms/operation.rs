//! Operations: rare, long work that a user starts, such as the erasure of a contact.
//!
//! An operation is a row with a state, a cursor and a due time. A worker claims it for a short time, makes one bounded step after
//! the other, and records the cursor after each. If the worker dies, its claim ends, the due index starts another one, and the
//! step that was not recorded is made again. States only move forward:
//!
//! ```text
//! queued ─▶ running ─▶ done, failed
//!   │         │ └────▶ cancelling ─▶ cancelled (or done, failed: its last step was already under way)
//!   └─────────┴──────▶ cancelled (nobody holds it)
//! ```

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ulid::Ulid;

use crate::terms::{Actor, OperationId};

/// Kind of an operation, which determines the function that does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Apply the retention policy to calls and messages that are stored already.
    ApplyRetention,
    /// Begin the conversations of calls and messages that are stored already.
    BackfillConversations,
    /// Write all that is known of a contact to a file.
    ArchiveContact,
    /// Change or delete many contacts.
    ChangeContacts,
    /// Count the contacts of a segment.
    CountSegment,
    /// Erase everything of a contact.
    EraseContact,
    /// Import contacts from a table.
    ImportContacts,
    /// Export data to a file.
    ExportData,
    /// Find out what would become of everybody whom a campaign chooses.
    PreflightCampaign,
    /// Count what became of everybody in the audience of a campaign.
    ReportCampaign,
    /// Fix the audience of a campaign, and make its messages.
    RunCampaign,
    /// Read the templates that the provider has.
    SyncTemplates,
}

words! {
    /// The name in rows, in the API and in events.
    OperationKind {
        ApplyRetention = "apply_retention",
        BackfillConversations = "backfill_conversations",
        ArchiveContact = "archive_contact",
        ChangeContacts = "change_contacts",
        CountSegment = "count_segment",
        EraseContact = "erase_contact",
        ImportContacts = "import_contacts",
        ExportData = "export_data",
        PreflightCampaign = "preflight_campaign",
        ReportCampaign = "report_campaign",
        RunCampaign = "run_campaign",
        SyncTemplates = "sync_templates",
    }
}

/// State of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// Created, not begun.
    Queued,
    /// Begun. Between two attempts, nobody works on it.
    Running,
    /// To be cancelled after the step that is under way.
    Cancelling,
    /// Everything is done.
    Done,
    /// Given up, with a reason.
    Failed,
    /// Cancelled by a user. What was done until then stays done.
    Cancelled,
}

impl OperationState {
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::Cancelling,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Position on the way: a state only changes into one of a higher rank.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Running => 1,
            Self::Cancelling => 2,
            Self::Done | Self::Failed | Self::Cancelled => 3,
        }
    }

    pub const fn is_end(self) -> bool {
        self.rank() == 3
    }

    /// The states that can follow.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Queued => matches!(next, Self::Running | Self::Cancelled),
            Self::Running => matches!(next, Self::Cancelling | Self::Done | Self::Failed | Self::Cancelled),
            Self::Cancelling => matches!(next, Self::Done | Self::Failed | Self::Cancelled),
            Self::Done | Self::Failed | Self::Cancelled => false,
        }
    }
}

/// Progress of an operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Items done so far. What an item is depends on the kind.
    pub done: u64,
    /// Items to do, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Items that could not be done.
    #[serde(default)]
    pub errors: u64,
}

/// Parameters, cursor or result of an operation. Each kind has its own types for them, which nothing else interprets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Data(Value);

/// Data that an operation cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidData {
    /// The data has more than [`Data::LARGEST`] bytes.
    #[error("the data of an operation is too large")]
    TooLarge,
    /// The data is not of the expected type.
    #[error("the data of an operation does not have the expected form")]
    Form,
}

impl Data {
    /// Maximum size as JSON, in bytes.
    pub const LARGEST: usize = 16 * 1024;

    /// The data that a value of a kind's own type stands for.
    ///
    /// # Errors
    /// When it is too large, or cannot be written as JSON.
    pub fn of(value: &impl Serialize) -> Result<Self, InvalidData> {
        let value = serde_json::to_value(value).map_err(|_| InvalidData::Form)?;
        let size = serde_json::to_vec(&value).map_or(usize::MAX, |json| json.len());
        if size > Self::LARGEST {
            return Err(InvalidData::TooLarge);
        }
        Ok(Self(value))
    }

    /// Data that is always small.
    pub(crate) const fn small(value: Value) -> Self {
        Self(value)
    }

    /// The value of a kind's own type.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, InvalidData> {
        T::deserialize(&self.0).map_err(|_| InvalidData::Form)
    }

    /// The data as JSON.
    pub fn into_json(self) -> Value {
        self.0
    }
}

/// The exclusive right to work on an operation, until it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Id of the attempt, fresh for each.
    pub holder: Ulid,
    /// Time when another worker may take over.
    pub until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    pub id: OperationId,
    pub kind: OperationKind,
    pub state: OperationState,
    /// Parameters of its kind.
    pub params: Data,
    /// Position after the last recorded step. Removed when the operation ends, since it may name what it worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Data>,
    #[serde(default)]
    pub progress: Progress,
    /// Result, once it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Data>,
    /// The reason why it failed: a sentence for users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// User or key that started it.
    pub created_by: Actor,
    pub created_at: Timestamp,
    /// Time of the first attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// Time of its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Attempts since the last progress.
    #[serde(default)]
    pub attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// Time of the next start. `None` once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Number of times that the dispatcher has started it since it last changed.
    #[serde(default)]
    pub dispatches: u32,
    /// Time since which it waits for a slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_since: Option<Timestamp>,
    /// Correlation id of the request that started it.
    pub correlation_id: String,
}

/// Result of an attempt to claim an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The worker holds it.
    Taken,
    /// The operation ended now: it was to be cancelled, or made no progress in too many attempts.
    EndedNow,
    /// Another worker holds it.
    Held,
    Ended,
}

impl Operation {
    /// Duration of a lease, which every recorded step renews.
    pub const LEASE: SignedDuration = SignedDuration::from_secs(60);

    /// Time for one step. It is given up before its lease ends, so that two workers never make steps at the same time.
    pub const STEP: SignedDuration = SignedDuration::from_secs(45);

    /// Time until an operation is started again if no event reached its function.
    pub const FIRST_DUE: SignedDuration = SignedDuration::from_secs(90);

    /// Maximum attempts without progress. With the waits between them they take six hours.
    pub const MAX_ATTEMPTS: u32 = 12;

    /// Maximum operations of a tenant that are due and have not ended. Campaigns and erasures do not count.
    pub const MAX_DUE: u64 = 50;

    /// An operation with nothing to do for longer than this waits for a time, and does not count as due.
    const SOON: SignedDuration = SignedDuration::from_hours(1);

    /// Wait of an operation whose tenant is not active.
    const UNTIL_ACTIVE: SignedDuration = SignedDuration::from_hours(1);

    /// Retention after the end.
    pub const RETAINED: SignedDuration = SignedDuration::from_hours(30 * 24);

    pub fn new(
        id: OperationId,
        kind: OperationKind,
        params: Data,
        created_by: Actor,
        correlation_id: String,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            kind,
            state: OperationState::Queued,
            params,
            cursor: None,
            progress: Progress::default(),
            result: None,
            reason: None,
            created_by,
            created_at: now,
            started_at: None,
            updated_at: now,
            finished_at: None,
            attempts: 0,
            lease: None,
            due: Some(now + Self::FIRST_DUE),
            dispatches: 0,
            waits_since: None,
            correlation_id,
        }
    }

    /// Begins the operation at this time at the earliest.
    pub const fn not_before(mut self, at: Timestamp) -> Self {
        self.due = Some(at);
        self
    }

    /// Whether this attempt holds it, even if its lease is over: nobody has taken it since.
    pub fn is_held_by(&self, holder: Ulid) -> bool {
        self.lease.is_some_and(|lease| lease.holder == holder)
    }

    fn is_leased(&self, now: Timestamp) -> bool {
        self.lease.is_some_and(|lease| now < lease.until)
    }

    /// Whether a run has something to do: it has not ended, and nobody holds it.
    pub fn is_free(&self, now: Timestamp) -> bool {
        !self.state.is_end() && !self.is_leased(now)
    }

    /// Whether a run makes steps, and does not only record its end.
    pub fn has_steps_left(&self) -> bool {
        self.state != OperationState::Cancelling && self.attempts < Self::MAX_ATTEMPTS
    }

    /// Whether it counts for [`MAX_DUE`](Self::MAX_DUE).
    pub fn is_counted(&self) -> bool {
        let counts = !matches!(self.kind, OperationKind::RunCampaign | OperationKind::EraseContact);
        counts && self.due.is_some_and(|due| due <= self.updated_at + Self::SOON)
    }

    pub fn claim(&mut self, holder: Ulid, now: Timestamp) -> Claim {
        if self.state.is_end() {
            return Claim::Ended;
        }
        if self.is_leased(now) {
            return Claim::Held;
        }
        if self.state == OperationState::Cancelling {
            self.end_as_cancelled(now);
            return Claim::EndedNow;
        }
        if self.attempts >= Self::MAX_ATTEMPTS {
            let most = Self::MAX_ATTEMPTS;
            let reason =
                format!("It made no progress in {most} attempts. Start it again; if that fails, too, tell us its id.");
            self.fail(reason, now);
            return Claim::EndedNow;
        }
        if self.state == OperationState::Queued {
            self.state = OperationState::Running;
            self.started_at = Some(now);
        }
        self.attempts += 1;
        self.waits_since = None;
        self.lease(holder, now);
        Claim::Taken
    }

    fn lease(&mut self, holder: Ulid, now: Timestamp) {
        let until = now + Self::LEASE;
        self.lease = Some(Lease { holder, until });
        self.wait_until(until, now);
    }

    fn wait_until(&mut self, due: Timestamp, now: Timestamp) {
        self.due = Some(due);
        self.dispatches = 0;
        self.updated_at = now;
    }

    /// Records a step, and renews the lease.
    pub fn advance(&mut self, cursor: Data, progress: Progress, now: Timestamp) {
        let Some(Lease { holder, .. }) = self.lease else {
            return;
        };
        if self.progress != progress || self.cursor.as_ref() != Some(&cursor) {
            self.attempts = 0;
        }
        self.cursor = Some(cursor);
        self.progress = progress;
        self.lease(holder, now);
    }

    /// Gives the lease back with work left. An event starts the next attempt at once; otherwise it is due soon.
    pub fn pause(&mut self, now: Timestamp) {
        self.put_off(now + Self::FIRST_DUE, now);
    }

    /// Records a step, and gives the lease back until this time, when the due index starts the next attempt.
    pub fn wait(&mut self, cursor: Data, progress: Progress, until: Timestamp, now: Timestamp) {
        if self.lease.take().is_some() && !self.state.is_end() {
            self.attempts = 0;
            self.cursor = Some(cursor);
            self.progress = progress;
            self.wait_until(until, now);
        }
    }

    /// Puts off the next attempt, since no slot is free: by a minute, and by less the longer it has waited, at least by half of that. This
    /// is no attempt.
    pub fn wait_for_slot(&mut self, now: Timestamp) {
        let since = *self.waits_since.get_or_insert(now);
        let waited = now.duration_since(since).as_secs();
        let wait = SignedDuration::from_secs(60 - (waited / 10).clamp(0, 30));
        self.put_off(now + wait, now);
    }

    /// Gives the lease back, if it has one, until its tenant is active again. This is no attempt.
    pub fn wait_for_tenant(&mut self, now: Timestamp) {
        self.put_off(now + Self::UNTIL_ACTIVE, now);
    }

    fn put_off(&mut self, until: Timestamp, now: Timestamp) {
        if !self.state.is_end() {
            self.lease = None;
            self.wait_until(until, now);
        }
    }

    /// Gives the lease back after an error: the next attempt waits longer each time, at most an hour.
    pub fn retry_later(&mut self, now: Timestamp) {
        self.put_off(now + back_off(self.attempts), now);
    }

    /// Ends it with its result. Returns false if it had ended.
    pub fn finish(&mut self, result: Data, progress: Progress, now: Timestamp) -> bool {
        let ends = self.end(OperationState::Done, now);
        if ends {
            self.result = Some(result);
            self.progress = progress;
        }
        ends
    }

    /// Ends it with the reason why it failed. Returns false if it had ended.
    pub fn fail(&mut self, reason: String, now: Timestamp) -> bool {
        let ends = self.end(OperationState::Failed, now);
        if ends {
            self.reason = Some(reason);
        }
        ends
    }

    /// Ends it as cancelled. Returns false if it had ended.
    pub fn end_as_cancelled(&mut self, now: Timestamp) -> bool {
        self.end(OperationState::Cancelled, now)
    }

    fn end(&mut self, state: OperationState, now: Timestamp) -> bool {
        if !self.state.may_become(state) {
            return false;
        }
        self.state = state;
        self.finished_at = Some(now);
        self.updated_at = now;
        self.cursor = None;
        self.lease = None;
        self.due = None;
        self.dispatches = 0;
        true
    }

    /// A user's wish to cancel it. It ends at once if nobody works on it, else after the step that is under way. Returns
    /// whether that changed anything: an operation that has ended stays as it is.
    pub fn cancel(&mut self, now: Timestamp) -> bool {
        if !self.is_leased(now) {
            return self.end_as_cancelled(now);
        }
        let changes = self.state.may_become(OperationState::Cancelling);
        if changes {
            self.state = OperationState::Cancelling;
            self.updated_at = now;
        }
        changes
    }
}

/// The wait after an attempt without progress: 30 seconds, then twice as long each time, at most an hour.
fn back_off(attempts: u32) -> SignedDuration {
    let doubled = SignedDuration::from_secs(30).saturating_mul(1 << attempts.saturating_sub(1).min(7));
    doubled.min(SignedDuration::from_hours(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).expect("a time")
    }

    fn data(number: u32) -> Data {
        Data::of(&number).expect("it is small")
    }

    fn sample_progress(done: u64) -> Progress {
        Progress {
            done,
            ..Progress::default()
        }
    }

    fn operation() -> Operation {
        let id = OperationId::new(Ulid::from_parts(1, 2));
        Operation::new(
            id,
            OperationKind::EraseContact,
            data(7),
            Actor::Operator,
            "cor".to_owned(),
            at(0),
        )
    }

    fn holder(number: u128) -> Ulid {
        Ulid::from_parts(9, number)
    }

    #[test]
    fn states_only_move_forward() {
        for state in OperationState::ALL {
            for next in OperationState::ALL {
                let further = state.rank() < next.rank();
                assert!(!state.may_become(next) || further, "{state:?} {next:?}");
            }
            let ends = OperationState::ALL.into_iter().any(|next| state.may_become(next));
            assert_eq!(ends, !state.is_end(), "{state:?}");
        }
    }

    #[test]
    fn one_worker_holds_it_until_its_lease_ends() {
        let mut it = operation();
        assert_eq!(it.claim(holder(1), at(0)), Claim::Taken);
        assert_eq!((it.state, it.started_at), (OperationState::Running, Some(at(0))));
        assert_eq!(it.claim(holder(2), at(59)), Claim::Held);
        assert!(it.is_held_by(holder(1)));
        assert_eq!(it.claim(holder(2), at(60)), Claim::Taken);
        assert!(it.is_held_by(holder(2)));
        assert_eq!((it.due, it.started_at), (Some(at(120)), Some(at(0))));
    }

    #[test]
    fn a_recorded_step_renews_the_lease() {
        let mut it = operation();
        it.claim(holder(1), at(0));
        it.advance(data(1), sample_progress(5), at(50));
        assert_eq!(it.claim(holder(2), at(109)), Claim::Held);
        assert_eq!((it.due, it.progress.done), (Some(at(110)), 5));
        it.pause(at(60));
        assert_eq!(it.due, Some(at(150)));
        assert_eq!(it.claim(holder(2), at(60)), Claim::Taken);
        assert_eq!(it.cursor, Some(data(1)));
    }

    #[test]
    fn an_operation_without_progress_is_given_up() {
        let mut it = operation();
        let mut now = at(0);
        for attempt in 1..=Operation::MAX_ATTEMPTS {
            assert_eq!(it.claim(holder(attempt.into()), now), Claim::Taken, "{attempt}");
            // The same cursor again is no progress.
            it.advance(data(1), sample_progress(0), now);
            assert_eq!(it.attempts, if attempt == 1 { 0 } else { attempt - 1 });
            it.retry_later(now);
            now = it.due.expect("it is due");
        }
        assert_eq!(
            it.claim(holder(90), now),
            Claim::Taken,
            "the first attempt made progress"
        );
        it.retry_later(now);
        assert_eq!(it.claim(holder(91), at(1_000_000)), Claim::EndedNow);
        assert_eq!((it.state, it.due, &it.cursor), (OperationState::Failed, None, &None));
        assert!(it.reason.is_some());
        assert_eq!(it.claim(holder(92), at(2_000_000)), Claim::Ended);
    }

    #[test]
    fn waits_after_errors_grow_to_an_hour() {
        let seconds: Vec<i64> = [0, 1, 2, 3, 7, 8, 40].map(|count| back_off(count).as_secs()).into();
        assert_eq!(seconds, [30, 30, 60, 120, 1920, 3600, 3600]);
    }

    #[test]
    fn waiting_for_a_slot_is_no_attempt() {
        let mut it = operation();
        let mut waits = Vec::new();
        for second in [0, 60, 120, 240, 300, 900] {
            assert!(it.is_free(at(second)));
            it.wait_for_slot(at(second));
            waits.push(it.due.expect("it is due").duration_since(at(second)).as_secs());
        }
        assert_eq!(waits, [60, 54, 48, 36, 30, 30]);
        assert_eq!(
            (it.state, it.attempts, it.waits_since),
            (OperationState::Queued, 0, Some(at(0)))
        );
        it.wait_for_tenant(at(1_000));
        assert_eq!((it.due, it.attempts), (Some(at(4_600)), 0));
        assert_eq!(it.claim(holder(1), at(5_000)), Claim::Taken);
        assert_eq!((it.waits_since, it.is_free(at(5_000))), (None, false));
        // Its tenant is suspended meanwhile: it goes on where it was.
        it.advance(data(1), sample_progress(5), at(5_001));
        it.wait_for_tenant(at(5_001));
        assert_eq!((it.lease, it.attempts, &it.cursor), (None, 0, &Some(data(1))));
        assert!(it.is_free(at(5_001)) && it.has_steps_left());
    }

    #[test]
    fn those_that_wait_for_a_time_do_not_count() {
        let of = |kind| Operation { kind, ..operation() };
        assert!(of(OperationKind::ExportData).is_counted());
        assert!(!of(OperationKind::EraseContact).is_counted());
        assert!(!of(OperationKind::RunCampaign).is_counted());
        assert!(!of(OperationKind::ExportData).not_before(at(3_601)).is_counted());
        let mut it = of(OperationKind::ExportData);
        it.wait_for_tenant(at(1));
        assert!(it.is_counted());
        it.end_as_cancelled(at(2));
        assert!(!it.is_counted());
    }

    #[test]
    fn cancelling_waits_only_for_a_step_under_way() {
        let mut queued = operation();
        assert!(queued.cancel(at(1)));
        assert_eq!((queued.state, queued.due), (OperationState::Cancelled, None));
        assert!(!queued.cancel(at(2)), "it has ended");

        let mut running = operation();
        running.claim(holder(1), at(0));
        assert!(running.cancel(at(1)));
        assert!(!running.cancel(at(2)), "it is asked for");
        assert_eq!(running.state, OperationState::Cancelling);
        // The worker records the step that was under way.
        running.advance(data(1), sample_progress(1), at(3));
        assert!(running.end_as_cancelled(at(3)));
        assert_eq!((running.state, running.progress.done), (OperationState::Cancelled, 1));

        // A worker that died does not see it; the next one does.
        let mut left = operation();
        left.claim(holder(1), at(0));
        left.cancel(at(1));
        assert_eq!(left.claim(holder(2), at(60)), Claim::EndedNow);
        assert_eq!(left.state, OperationState::Cancelled);

        let mut paused = operation();
        paused.claim(holder(1), at(0));
        paused.pause(at(1));
        assert!(paused.cancel(at(2)));
        assert_eq!(paused.state, OperationState::Cancelled);
    }

    #[test]
    fn what_has_ended_stays_as_it_is() {
        let mut it = operation();
        it.claim(holder(1), at(0));
        assert!(it.finish(data(3), sample_progress(9), at(1)));
        let ended = it.clone();
        assert!(!it.fail("too late".to_owned(), at(2)));
        assert!(!it.finish(data(4), sample_progress(10), at(2)));
        assert!(!it.cancel(at(2)));
        it.advance(data(5), sample_progress(11), at(2));
        it.pause(at(2));
        it.retry_later(at(2));
        assert_eq!(it, ended);
        assert_eq!((it.cursor, it.lease, it.due), (None, None, None));
    }

    #[test]
    fn data_is_bounded_and_typed() {
        assert_eq!(Data::of(&"x".repeat(Data::LARGEST)), Err(InvalidData::TooLarge));
        assert_eq!(data(7).read::<u32>(), Ok(7));
        assert_eq!(data(7).read::<String>(), Err(InvalidData::Form));
    }

    #[test]
    fn kinds_have_one_name() {
        for kind in OperationKind::ALL {
            assert_eq!(serde_json::to_value(kind).expect("a text"), kind.as_str());
        }
    }
}
