//! Deliveries: the attempts to hand an event to an endpoint, the verdict on an answer, and the times of further attempts.
//!
//! ```text
//! Waiting ──answered 2xx──▶ Delivered
//!    │ └────────────────────▶ Failed: ten attempts failed, or none may succeed
//!    └──queued again by a user─┘
//! Dropped: too many others waited
//! ```

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::live::Event;
use crate::terms::{EventId, cut_to_bytes};

/// Retention of a delivery after its event.
pub const DELIVERIES_KEPT_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Maximum length of the part of an answer that is kept, in bytes.
pub const MAX_ANSWER_LENGTH: usize = 1024;

/// Maximum attempts that are made without a user's request.
pub const MAX_ATTEMPTS: usize = WAITS.len() + 1;

/// Maximum attempts that are kept of a delivery. Users may ask for more than [`MAX_ATTEMPTS`].
const MAX_KEPT_ATTEMPTS: usize = 20;

/// Waits after a failed attempt, before they are spread: the example of the specification of Standard Webhooks.
const WAITS: [SignedDuration; 9] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
    SignedDuration::from_hours(14),
    SignedDuration::from_hours(20),
    SignedDuration::from_hours(24),
];

/// Maximum wait that a receiver can ask for.
const MAX_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// Answer of servers of n8n while no workflow runs, with the status 200.
const STARTING_UP: &str = "n8n is starting up";

/// The delivery of an event to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "WebhookDelivery")
)]
pub struct Delivery {
    /// The event, without what it says of a contact or a message.
    pub event: Event,
    /// State.
    pub state: DeliveryState,
    /// Time of the next attempt, if one is planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:05:00Z"))]
    pub next_at: Option<Timestamp>,
    /// The attempts, the oldest first: at most the last 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(max = 20)))]
    pub attempts: Vec<Attempt>,
}

/// State of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "WebhookDeliveryState")
)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// A further attempt is made.
    Waiting,
    /// The receiver accepted the event.
    Delivered,
    /// No further attempt is made.
    Failed,
    /// No attempt was made, since too many events waited for the endpoint.
    Dropped,
}

words! {
    /// The name in the API and in keys.
    DeliveryState {
        Waiting = "waiting",
        Delivered = "delivered",
        Failed = "failed",
        Dropped = "dropped",
    }
}

/// An attempt to deliver an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "WebhookAttempt")
)]
pub struct Attempt {
    /// Time of the request.
    #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
    pub at: Timestamp,
    /// Outcome.
    pub outcome: AttemptOutcome,
    /// Status of the answer, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = 200))]
    pub status: Option<u16>,
    /// Duration in milliseconds.
    #[cfg_attr(feature = "schema", schemars(example = 84))]
    pub ms: u32,
    /// Meaning of an answer whose status does not say all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<AnswerHint>,
    /// Beginning of the answer, at most 1 KB. Only the last attempt has it, and none if the events have content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(max = 1024), example = &"OK"))]
    pub answer: Option<String>,
}

/// Outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "WebhookAttemptOutcome")
)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// The receiver accepted the event.
    Delivered,
    /// The receiver answered with another status than 2xx, or did not process the event.
    Refused,
    /// The receiver answered 410. The endpoint is disabled.
    Gone,
    /// The receiver did not answer in time.
    TimedOut,
    /// There was no connection, or it broke.
    NotReached,
    /// The address is not allowed, such as when its name has a private address now. Nothing was sent.
    Blocked,
}

impl AttemptOutcome {
    /// Whether a further attempt may succeed.
    pub const fn may_be_repeated(self) -> bool {
        matches!(self, Self::Refused | Self::TimedOut | Self::NotReached)
    }
}

/// Meaning of an answer whose status does not say all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "WebhookAnswerHint")
)]
#[serde(rename_all = "snake_case")]
pub enum AnswerHint {
    /// n8n is starting, so that no workflow runs.
    N8nStartingUp,
    /// The workflow did not run: the expression *Only Run If* of its Webhook node was false.
    N8nOnlyRunIf,
    /// The header that the Webhook node checks is missing or wrong, or the node ignores bots.
    N8nAuthorization,
    /// No active workflow has this URL, or its Webhook node has another method than POST.
    N8nNotRegistered,
}

impl AnswerHint {
    /// The meaning of an answer, if its status does not say all (n8n 2.41.1).
    pub fn of_answer(status: u16, body: &[u8]) -> Option<Self> {
        let says = |words: &str| body.windows(words.len()).any(|window| window == words.as_bytes());
        match status {
            200 if is_starting_up(body) => Some(Self::N8nStartingUp),
            200 if says(r#"{"message":"Webhook call received"}"#) => Some(Self::N8nOnlyRunIf),
            403 if says("Authorization data is wrong!") => Some(Self::N8nAuthorization),
            404 if says("requested webhook") || says("This webhook is not registered") => Some(Self::N8nNotRegistered),
            _ => None,
        }
    }
}

/// Verdict on an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The event was accepted.
    Delivered,
    /// A further attempt is to be made.
    Retry {
        /// Time for which the receiver wants none.
        after: Option<SignedDuration>,
    },
    /// The receiver wants no more events.
    Gone,
}

impl Verdict {
    /// The verdict on an answer: only 2xx is a success, and nothing is redirected.
    pub fn of_answer(status: u16, retry_after: Option<SignedDuration>, body: &[u8]) -> Self {
        match status {
            200..=299 if !is_starting_up(body) => Self::Delivered,
            410 => Self::Gone,
            _ => Self::Retry { after: retry_after },
        }
    }

    /// The outcome of the attempt that got this verdict.
    pub const fn outcome(self) -> AttemptOutcome {
        match self {
            Self::Delivered => AttemptOutcome::Delivered,
            Self::Retry { .. } => AttemptOutcome::Refused,
            Self::Gone => AttemptOutcome::Gone,
        }
    }

    /// The time for which the receiver wants no request, at most a day.
    pub fn pause(self) -> Option<SignedDuration> {
        match self {
            Self::Retry { after } => after.map(|after| after.clamp(SignedDuration::ZERO, MAX_RETRY_AFTER)),
            Self::Delivered | Self::Gone => None,
        }
    }
}

fn is_starting_up(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(STARTING_UP.as_bytes())
}

/// The beginning of an answer that is kept with its attempt. `None` if it says nothing.
pub fn beginning_of_answer(body: &[u8]) -> Option<String> {
    let read = body.get(..MAX_ANSWER_LENGTH).unwrap_or(body);
    let (text, _) = cut_to_bytes(String::from_utf8_lossy(read).trim().to_owned(), MAX_ANSWER_LENGTH);
    (!text.is_empty()).then_some(text)
}

/// The wait after this many failed attempts, longer by up to a fifth, which differs between ids. After the last wait of the schedule, there is
/// none.
pub(super) fn wait_after(attempts: usize, id: Ulid) -> Option<SignedDuration> {
    let wait = WAITS.get(attempts.checked_sub(1)?)?;
    Some(spread(*wait, attempts, id))
}

/// The longest wait of the schedule, spread as the others.
pub(super) fn longest_wait(attempts: usize, id: Ulid) -> SignedDuration {
    spread(MAX_RETRY_AFTER, attempts, id)
}

fn spread(wait: SignedDuration, attempts: usize, id: Ulid) -> SignedDuration {
    let place = (id.random() + attempts as u128 * 67) % 201;
    let per_mille = i32::try_from(place).unwrap_or_default();
    wait + wait.saturating_mul(per_mille) / 1000
}

/// The time of the next attempt after this many, of which the last was made at this time and failed. `None`: there is none.
pub fn next_attempt(event: EventId, attempts: usize, at: Timestamp) -> Option<Timestamp> {
    wait_after(attempts, event.ulid()).map(|wait| at + wait)
}

impl Delivery {
    /// The delivery of an event before its first attempt.
    pub const fn new(event: Event) -> Self {
        Self {
            event,
            state: DeliveryState::Waiting,
            next_at: None,
            attempts: Vec::new(),
        }
    }

    /// The delivery of an event for which nothing is attempted, since too many wait.
    pub fn drop_event(event: Event) -> Self {
        Self {
            state: DeliveryState::Dropped,
            ..Self::new(event)
        }
    }

    /// The delivery after an attempt. After one that failed, the receiver may want a pause.
    #[must_use]
    pub fn after_attempt(&self, attempt: Attempt, pause: Option<SignedDuration>) -> Self {
        let (at, outcome) = (attempt.at, attempt.outcome);
        let earlier = self.attempts.iter().map(|earlier| Attempt {
            answer: None,
            ..earlier.clone()
        });
        let mut attempts: Vec<Attempt> = earlier.chain([attempt]).collect();
        let surplus = attempts.len().saturating_sub(MAX_KEPT_ATTEMPTS);
        attempts.drain(..surplus);
        let next = next_attempt(self.event.id, attempts.len(), at);
        let next = next.filter(|_| outcome.may_be_repeated());
        let next_at = next.map(|next| pause.map_or(next, |pause| next.max(at + pause)));
        let state = match (outcome, next_at) {
            (AttemptOutcome::Delivered, _) => DeliveryState::Delivered,
            (_, Some(_)) => DeliveryState::Waiting,
            (_, None) => DeliveryState::Failed,
        };
        Self {
            event: self.event.clone(),
            state,
            next_at,
            attempts,
        }
    }

    /// The delivery, queued again by a user.
    #[must_use]
    pub fn queue_again(&self, at: Timestamp) -> Self {
        Self {
            state: DeliveryState::Waiting,
            next_at: Some(at),
            ..self.clone()
        }
    }

    /// Time from which it may be tried: before others if it waits for longer.
    pub fn waits_since(&self) -> Timestamp {
        self.next_at.unwrap_or(self.event.at)
    }

    /// Time of its expiry.
    pub fn expires_at(&self) -> Timestamp {
        self.event.at + DELIVERIES_KEPT_FOR
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::samples::at;

    const NOON: &str = "2026-11-20T12:00:00Z";

    fn event(number: u128) -> Event {
        serde_json::from_value(json!({
            "id": EventId::new(Ulid::from_parts(1, number)), "type": "call.decided", "at": NOON,
            "data": {"contact_id": "ctc_00000000000000000000000001"},
        }))
        .unwrap()
    }

    fn attempt(at: Timestamp, outcome: AttemptOutcome) -> Attempt {
        Attempt {
            at,
            outcome,
            status: None,
            ms: 5,
            hint: None,
            answer: Some("no".to_owned()),
        }
    }

    const RETRY: Verdict = Verdict::Retry { after: None };

    /// The cases of the specification of Standard Webhooks.
    #[test]
    fn verdicts_are_those_of_the_table() {
        let two_minutes = Some(SignedDuration::from_secs(120));
        for (status, retry_after, verdict) in [
            (200, None, Verdict::Delivered),
            (202, None, Verdict::Delivered),
            (204, None, Verdict::Delivered),
            (299, None, Verdict::Delivered),
            (301, None, RETRY),
            (304, None, RETRY),
            (400, None, RETRY),
            (401, None, RETRY),
            (404, None, RETRY),
            (408, None, RETRY),
            (410, None, Verdict::Gone),
            (429, two_minutes, Verdict::Retry { after: two_minutes }),
            (502, None, RETRY),
            (504, None, RETRY),
        ] {
            assert_eq!(Verdict::of_answer(status, retry_after, b""), verdict, "{status}");
        }
        for (outcome, repeated) in [
            (AttemptOutcome::NotReached, true),
            (AttemptOutcome::TimedOut, true),
            (AttemptOutcome::Refused, true),
            (AttemptOutcome::Blocked, false),
            (AttemptOutcome::Gone, false),
        ] {
            assert_eq!(outcome.may_be_repeated(), repeated, "{outcome:?}");
        }
    }

    /// Answers of n8n 2.41.1.
    #[test]
    fn answers_of_n8n_are_understood() {
        use AnswerHint::{N8nAuthorization, N8nNotRegistered, N8nOnlyRunIf, N8nStartingUp};
        for (status, body, verdict, hint) in [
            (200, r#"{"message":"Workflow was started"}"#, Verdict::Delivered, None),
            (
                200,
                r#"{"reply":"Obrigado! Ligamos já.","tags":["vip"]}"#,
                Verdict::Delivered,
                None,
            ),
            (200, "", Verdict::Delivered, None),
            (403, "Authorization data is wrong!", RETRY, Some(N8nAuthorization)),
            (
                404,
                r#"{"code":404,"message":"The requested webhook \"POST followups-demo\" is not registered."}"#,
                RETRY,
                Some(N8nNotRegistered),
            ),
            (
                404,
                r#"{"message":"This webhook is not registered for POST requests. Did you mean to make a GET request?"}"#,
                RETRY,
                Some(N8nNotRegistered),
            ),
            (404, "Not found", RETRY, None),
            (500, r#"{"message":"Error in workflow"}"#, RETRY, None),
            (
                500,
                r#"{"message":"There was a problem executing the workflow"}"#,
                RETRY,
                None,
            ),
            (
                200,
                r#"{"message":"Webhook call received"}"#,
                Verdict::Delivered,
                Some(N8nOnlyRunIf),
            ),
            (200, "n8n is starting up. Please wait", RETRY, Some(N8nStartingUp)),
            (200, "It is not n8n that n8n is starting up", Verdict::Delivered, None),
        ] {
            let body = body.as_bytes();
            assert_eq!(Verdict::of_answer(status, None, body), verdict, "{body:?}");
            assert_eq!(AnswerHint::of_answer(status, body), hint, "{body:?}");
        }
    }

    /// Seconds since the first attempt, of the example of the specification of Standard Webhooks.
    #[test]
    fn attempts_follow_the_schedule_within_a_fifth() {
        let schedule = [0, 5, 305, 2_105, 9_305, 27_305, 63_305, 113_705, 185_705, 272_105];
        assert_eq!(schedule.len(), MAX_ATTEMPTS);
        for number in 0..500_u128 {
            let mut delivery = Delivery::new(event(number * 7919));
            let mut now = at(NOON);
            for pair in schedule.windows(2) {
                delivery = delivery.after_attempt(attempt(now, AttemptOutcome::TimedOut), None);
                let wait = delivery.next_at.unwrap().duration_since(now);
                let planned = SignedDuration::from_secs(pair[1] - pair[0]);
                assert!(planned <= wait && wait <= planned * 12 / 10, "{wait} for {planned}");
                assert_eq!(delivery.state, DeliveryState::Waiting);
                now += wait;
            }
            delivery = delivery.after_attempt(attempt(now, AttemptOutcome::TimedOut), None);
            assert_eq!((delivery.state, delivery.next_at), (DeliveryState::Failed, None));
            assert!(now <= delivery.expires_at(), "it is kept for all attempts");
        }
        let first = [1, 2, 3].map(|number| next_attempt(event(number).id, 9, at(NOON)));
        assert!(first[0] != first[1] && first[1] != first[2], "{first:?}");
    }

    #[test]
    fn receivers_pause_attempts_for_at_most_a_day() {
        let delivery = Delivery::new(event(1));
        let next_at = |seconds: i64| {
            let after = Some(SignedDuration::from_secs(seconds));
            let pause = Verdict::of_answer(429, after, b"").pause();
            let failed = delivery.after_attempt(attempt(at(NOON), AttemptOutcome::Refused), pause);
            failed.next_at.unwrap().duration_since(at(NOON)).as_secs()
        };
        assert!((5..=6).contains(&next_at(-1)), "the schedule's own wait is longer");
        assert_eq!(next_at(120), 120);
        assert_eq!(next_at(1_000_000), 86_400);
    }

    #[test]
    fn only_what_may_succeed_is_repeated() {
        let noon = at(NOON);
        for (outcome, state) in [
            (AttemptOutcome::Delivered, DeliveryState::Delivered),
            (AttemptOutcome::Refused, DeliveryState::Waiting),
            (AttemptOutcome::Gone, DeliveryState::Failed),
            (AttemptOutcome::Blocked, DeliveryState::Failed),
        ] {
            let after = Delivery::new(event(1)).after_attempt(attempt(noon, outcome), None);
            assert_eq!(after.state, state, "{outcome:?}");
            assert_eq!(after.next_at.is_some(), state == DeliveryState::Waiting);
        }
    }

    /// A user may ask for more attempts than are planned; each of them decides.
    #[test]
    fn delivery_keeps_its_last_attempts_and_one_answer() {
        let mut delivery = Delivery::new(event(1));
        for minute in 0..30 {
            let now = at(NOON) + SignedDuration::from_mins(minute);
            delivery = delivery.queue_again(now);
            assert_eq!((delivery.state, delivery.waits_since()), (DeliveryState::Waiting, now));
            delivery = delivery.after_attempt(attempt(now, AttemptOutcome::Refused), None);
        }
        assert_eq!(delivery.state, DeliveryState::Failed);
        assert_eq!(delivery.attempts.len(), MAX_KEPT_ATTEMPTS);
        let answers = delivery.attempts.iter().filter(|attempt| attempt.answer.is_some());
        assert_eq!(answers.count(), 1);
        assert_eq!(delivery.attempts[0].at, at("2026-11-20T12:10:00Z"));
        let delivered = delivery.after_attempt(attempt(at("2026-11-20T13:00:00Z"), AttemptOutcome::Delivered), None);
        assert_eq!(delivered.state, DeliveryState::Delivered);
    }

    #[test]
    fn only_the_beginning_of_an_answer_is_kept() {
        assert_eq!(beginning_of_answer(b" \n"), None);
        assert_eq!(beginning_of_answer(b"\xff{}").as_deref(), Some("\u{fffd}{}"));
        let long = "é".repeat(2_000);
        let kept = beginning_of_answer(long.as_bytes()).unwrap();
        assert_eq!(kept.len(), MAX_ANSWER_LENGTH);
        assert!(beginning_of_answer(&[0xff; 4_000]).unwrap().len() <= MAX_ANSWER_LENGTH);
    }
}
