//! The message state machine under any order of events: at most one send per channel that may have gone out, and always
//! something due while anything is left to do.

use std::collections::HashMap;

use domain::messages::{
    AttemptError, AttemptState, Cause, CauseStep, Composed, Content, Cost, Ended, Evidence, Leg, Message, MessageState,
    Next, SendOutcome, StatusReport, Waiting,
};
use domain::terms::{
    Because, CallId, Category, Channel, Classified, ContactId, Effect, ErrorClass, Facts, MessageId, Narrowing, Policy,
    Purpose, Reason, Recipient, Refusal, Timers, WhenUnknown,
};
use jiff::{SignedDuration, Timestamp};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use ulid::Ulid;

pub(crate) fn start() -> Timestamp {
    "2026-11-20T08:00:00Z".parse().unwrap()
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

pub(crate) fn timers() -> Timers {
    Timers {
        provider_call: seconds(10),
        claim: seconds(60),
        first_due: seconds(90),
        unknown_deadline: seconds(600),
        decide_call: seconds(60),
        recheck: seconds(300),
    }
}

fn message(legs: usize, when_unknown: WhenUnknown, fallback_after_seconds: u32) -> Message {
    // Only a one-time code is sent again with an unknown outcome.
    let (purpose, category) = match when_unknown {
        WhenUnknown::SendAgain => (Purpose::OneTimeCode, Category::Authentication),
        WhenUnknown::NextChannel | WhenUnknown::Stop => (Purpose::FollowUp, Category::Utility),
    };
    let by = Narrowing {
        fallback_after_seconds,
        when_unknown: Some(when_unknown),
        ..Narrowing::default()
    };
    planned_message(legs, Policy::for_purpose(purpose, category, &by).unwrap())
}

/// A message with this policy.
pub(crate) fn planned_message(legs: usize, policy: Policy) -> Message {
    let contact = ContactId::new(Ulid::from_parts(1, 1));
    let connection = "conn_00000000000000000000000001".parse().unwrap();
    let legs = [Channel::WhatsApp, Channel::Sms]
        .into_iter()
        .take(legs)
        .map(|channel| Leg {
            channel,
            connection,
            sender: None,
            content: Content::Text("Hello".to_owned()),
            reply_to: None,
        })
        .collect();
    Composed {
        cause: Cause::Call(CallId::new(contact, Ulid::from_parts(1, 4))),
        policy,
        to: Recipient {
            phone: Some("+447700900111".parse().unwrap()),
            bsuid: None,
        },
        line: None,
        behind: None,
        basis: None,
        legs,
        refused_sms: None,
        not_before: start(),
        called_at: None,
        keep_until: start() + SignedDuration::from_hours(24 * 30),
        sentence: String::new(),
        facts: Facts::NONE,
    }
    .message("correlation".to_owned(), start(), &timers())
}

fn classified_error(class: ErrorClass) -> Classified {
    Classified {
        class,
        effect: Effect::None,
        first_wait: u32::from(class == ErrorClass::RetryAfter) * 5,
        meaning: "it did not work",
    }
}

pub(crate) fn refused_send(class: ErrorClass) -> SendOutcome {
    SendOutcome::Refused {
        code: Some(1),
        classified: classified_error(class),
        reason: format!("{class:?}"),
        because: None,
        retry_after: None,
    }
}

fn accepted_send(number: u32) -> SendOutcome {
    SendOutcome::Accepted {
        provider_ref: format!("wamid.{number}").parse().unwrap(),
        segments: None,
    }
}

fn unknown() -> SendOutcome {
    SendOutcome::Unknown {
        reason: "no answer in time".to_owned(),
    }
}

fn report(state: AttemptState, number: u32, at: Timestamp) -> StatusReport {
    StatusReport {
        state,
        at,
        provider_ref: format!("wamid.{number}").parse().unwrap(),
        error: (state == AttemptState::Failed).then(|| {
            let reason = "not on WhatsApp".to_owned();
            AttemptError::new(Some(131026), ErrorClass::FallBack, reason)
        }),
        cost: None,
    }
}

/// A message under test, with a clock.
struct Sent {
    message: Message,
    now: Timestamp,
}

impl Sent {
    fn new(legs: usize, when_unknown: WhenUnknown, fallback: u32) -> Self {
        Self::of(message(legs, when_unknown, fallback))
    }

    fn of(message: Message) -> Self {
        Self { message, now: start() }
    }

    /// A message over this many channels. The next one follows after two minutes or an unknown outcome.
    fn over(legs: usize) -> Self {
        Self::new(legs, WhenUnknown::NextChannel, 120)
    }

    fn next(&self) -> Next {
        self.message.next(self.now, &timers())
    }

    fn wait(&mut self, by: i64) -> &mut Self {
        self.now += seconds(by);
        self
    }

    /// Claims the next leg.
    fn claim(&mut self) -> u32 {
        let Next::Try { leg, number } = self.next() else {
            panic!("nothing to try: {:?}", self.next())
        };
        self.message.claim(leg, format!("claim {number}"), self.now, &timers());
        number
    }

    fn record(&mut self, number: u32, outcome: SendOutcome) -> bool {
        self.message.record(number, outcome, self.now, &timers())
    }

    /// Claims the next leg and records its outcome.
    fn send(&mut self, outcome: SendOutcome) -> u32 {
        let number = self.claim();
        self.record(number, outcome);
        number
    }

    fn apply(&mut self, number: u32, state: AttemptState) -> bool {
        self.apply_report(number, report(state, number, self.now))
    }

    fn apply_report(&mut self, number: u32, report: StatusReport) -> bool {
        self.message.apply(number, report, self.now, &timers())
    }

    fn doubt(&mut self) {
        self.message.doubt(self.now, &timers());
    }

    fn give_up(&mut self, evidence: Evidence) {
        self.message.give_up_waiting(evidence, self.now, &timers());
    }

    /// Sends the next leg with an unknown outcome. Ten minutes later, only this evidence is known.
    fn send_unknown(&mut self, evidence: Evidence) -> u32 {
        let number = self.send(unknown());
        self.wait(600);
        self.give_up(evidence);
        number
    }

    fn skip_leg(&mut self, leg: u8, why: impl Into<Refusal>) {
        self.message.skip_leg(leg, "claim".to_owned(), why, self.now, &timers());
    }

    fn postpone(&mut self, until: Timestamp) {
        self.message
            .postpone(until, "quiet hours".to_owned(), self.now, &timers());
    }

    fn waits_until(&self) -> Timestamp {
        let Next::Wait(until) = self.next() else {
            panic!("it does not wait: {:?}", self.next())
        };
        until
    }

    fn leg_of_next(&self) -> Option<u8> {
        match self.next() {
            Next::Try { leg, .. } => Some(leg),
            _ => None,
        }
    }
}

#[test]
fn not_delivered_in_time_leads_to_the_next_channel() {
    let mut sent = Sent::over(2);
    sent.send(accepted_send(1));
    assert_eq!(sent.next(), Next::Wait(start() + seconds(120)));
    assert_eq!(
        sent.message.due,
        Some(start() + seconds(90)),
        "the dispatcher moves it on"
    );
    sent.wait(120);
    assert_eq!(sent.leg_of_next(), Some(1));
}

#[test]
fn slightly_late_due_time_is_not_moved() {
    let mut sent = Sent::over(2);
    assert_eq!(sent.message.due, Some(start() + seconds(90)));
    sent.now += SignedDuration::from_millis(200);
    let first = sent.claim();
    assert_eq!(
        sent.message.due,
        Some(start() + seconds(90)),
        "half a minute after the claim ends"
    );
    // A time before the next channel's is not moved either: a delivery nearly always makes that step unnecessary.
    sent.record(first, accepted_send(first));
    let fallback = sent.now + seconds(120);
    assert_eq!(sent.next(), Next::Wait(fallback));
    assert_eq!(sent.message.due, Some(start() + seconds(90)));
    // The provider reports whole seconds.
    sent.apply_report(first, report(AttemptState::Sent, first, start()));
    assert_eq!(sent.message.due, Some(start() + seconds(90)));
    // A claim that begins later is due when it ends.
    sent.wait(130);
    sent.claim();
    assert_eq!(sent.message.due, Some(sent.now + seconds(60)));
}

/// A broadcast takes its queue minutes, and each lease of what is in it anyway costs writes and a job.
#[test]
fn queued_bulk_is_due_after_half_an_hour() {
    let by = Narrowing {
        bulk: true,
        ..Narrowing::default()
    };
    let policy = Policy::for_purpose(Purpose::FollowUp, Category::Utility, &by).unwrap();
    let due = start() + seconds(30 * 60);
    for (legs, moved) in [(1, None), (2, Some(120))] {
        let mut sent = Sent::of(planned_message(legs, policy));
        assert_eq!(sent.message.due, Some(due));
        sent.wait(300);
        let first = sent.claim();
        assert_eq!(sent.message.due, Some(due), "a claim does not move it");
        sent.record(first, accepted_send(first));
        // With another channel, at its deadline: no later than in the other lane.
        assert_eq!(sent.message.due, moved.map(|wait| sent.now + seconds(wait)));
    }
    // Messages that no queue holds are looked at as soon as in the other lane.
    let mut sent = Sent::of(planned_message(1, policy));
    sent.send(unknown());
    sent.wait(600);
    let why = "waiting for reports".to_owned();
    sent.message.wait_for_evidence(why, sent.now, &timers());
    assert_eq!(sent.message.due, Some(sent.now + seconds(90)));
}

#[test]
fn early_due_time_is_moved_to_the_fallback_deadline() {
    let mut sent = Sent::over(2);
    let first = sent.claim();
    assert_eq!(sent.message.waits_for_delivery(sent.now), None);
    sent.record(first, accepted_send(first));
    let fallback = start() + seconds(120);
    assert_eq!(sent.message.waits_for_delivery(sent.now), Some(fallback));
    sent.wait(95);
    sent.apply(first, AttemptState::Sent);
    assert_eq!(sent.message.due, Some(fallback));
    assert_eq!(sent.message.waits_for_delivery(sent.now), Some(fallback));
    sent.wait(25);
    assert_eq!(
        (sent.message.waits_for_delivery(sent.now), sent.leg_of_next()),
        (None, Some(1))
    );
    sent.apply(first, AttemptState::Delivered);
    assert_eq!(
        (sent.message.waits_for_delivery(start()), sent.message.due),
        (None, None)
    );
}

#[test]
fn late_delivery_leaves_only_the_fallback_claim_to_settle() {
    let mut sent = Sent::over(2);
    let first = sent.send(accepted_send(1));
    sent.wait(120);
    let second = sent.claim();
    sent.apply(first, AttemptState::Delivered);
    assert_eq!(sent.message.state(), MessageState::Delivered);
    assert!(sent.message.due.is_some());
    sent.record(second, refused_send(ErrorClass::RetryAfter));
    assert_eq!(sent.next(), Next::Done);
    assert_eq!(sent.message.due, None);
    assert_eq!(sent.message.state(), MessageState::Delivered);
}

#[test]
fn a_delivery_before_the_fallback_is_claimed_cancels_it() {
    let mut sent = Sent::over(2);
    let first = sent.send(accepted_send(1));
    sent.wait(120);
    sent.apply(first, AttemptState::Read);
    assert_eq!(sent.next(), Next::Done);
}

#[test]
fn failed_after_sent_leads_on_and_a_late_delivered_overrides_it() {
    let mut sent = Sent::over(1);
    let first = sent.send(accepted_send(1));
    sent.apply(first, AttemptState::Sent);
    sent.apply(first, AttemptState::Failed);
    assert_eq!(sent.message.state(), MessageState::Failed);
    assert_eq!(sent.next(), Next::Done);
    sent.apply(first, AttemptState::Delivered);
    assert_eq!(sent.message.state(), MessageState::Delivered);
    assert_eq!(sent.message.ended, None);
}

#[test]
fn a_failed_status_never_leads_to_a_second_send_on_its_channel() {
    for class in [
        ErrorClass::RetryAfter,
        ErrorClass::WaitForStatus,
        ErrorClass::TenantMustAct,
        ErrorClass::Bug,
    ] {
        let mut sent = Sent::over(2);
        let first = sent.send(accepted_send(1));
        let mut failed = report(AttemptState::Failed, first, sent.now);
        failed.error.as_mut().unwrap().class = class;
        sent.apply_report(first, failed);
        assert_eq!(sent.leg_of_next(), Some(1), "{class:?}");
    }
}

/// Marketing that belongs to no campaign goes on by the next channel when its route is refused. A refusal to somebody without a number
/// means nothing for the campaign.
#[test]
fn refused_route_keeps_campaigns_from_the_next_channel() {
    let contact = ContactId::new(Ulid::from_parts(1, 1));
    let campaign = |step| Cause::Campaign {
        campaign: "cmp_00000000000000000000000001".parse().unwrap(),
        contact,
        step,
    };
    let step = CauseStep { place: 0, at: start() };
    for (cause, has_number, goes_on, remark) in [
        (None, true, true, None),
        (Some(campaign(None)), true, false, Some(Reason::CampaignPaused)),
        (Some(campaign(None)), false, true, None),
        (Some(campaign(Some(step))), true, false, Some(Reason::RouteRefused)),
    ] {
        let mut sent = Sent::over(2);
        sent.message.cause = cause.unwrap_or(sent.message.cause);
        sent.message.to.phone = sent.message.to.phone.filter(|_| has_number);
        let mut failing = Sent::of(sent.message.clone());
        sent.send(refused_send(ErrorClass::RouteRefused));
        let known = sent.message.remarks.first().and_then(|remark| remark.because.clone());
        assert_eq!(known.map(|because| because.code), remark);
        assert_eq!(sent.message.is_held(), remark == Some(Reason::CampaignPaused));
        let why = sent.message.route_refused_since(start() - seconds(1));
        let facts = why.map(|why| serde_json::json!(why.facts));
        assert_eq!(facts, (!goes_on).then(|| serde_json::json!({"provider_code": 1})));
        assert_eq!(sent.message.route_refused_since(start()), None, "it was resumed since");
        if goes_on {
            assert_eq!(sent.leg_of_next(), Some(1));
        } else {
            assert_eq!(sent.waits_until(), start() + seconds(3_600));
            sent.wait(3_600);
            assert_eq!(sent.leg_of_next(), Some(0));
        }

        let first = failing.send(accepted_send(1));
        let mut failed = report(AttemptState::Failed, first, failing.now);
        failed.error.as_mut().unwrap().class = ErrorClass::RouteRefused;
        failing.apply_report(first, failed);
        assert_eq!(failing.leg_of_next(), goes_on.then_some(1));
        assert_eq!(failing.message.ended.is_some(), !goes_on);
    }
}

#[test]
fn forbidden_message_is_blocked_on_every_channel() {
    let mut sent = Sent::over(2);
    sent.send(refused_send(ErrorClass::Blocked));
    assert_eq!(sent.next(), Next::Done);
    assert_eq!(sent.message.state(), MessageState::Blocked);
    assert_eq!(sent.message.due, None);
}

#[test]
fn without_a_deadline_only_a_failure_leads_on() {
    let mut sent = Sent::new(2, WhenUnknown::NextChannel, 0);
    let first = sent.send(accepted_send(1));
    sent.wait(1_000_000);
    assert_eq!(sent.next(), Next::Done);
    assert_eq!(sent.message.due, None);
    sent.apply(first, AttemptState::Failed);
    assert_eq!(sent.leg_of_next(), Some(1));
    assert!(sent.message.due.is_some());
}

#[test]
fn throttled_channel_waits_until_the_next_is_faster() {
    let mut sent = Sent::over(2);
    let mut tries = 0;
    let leg = loop {
        sent.send(refused_send(ErrorClass::RetryAfter));
        tries += 1;
        match sent.next() {
            Next::Wait(until) => sent.now = until,
            Next::Try { leg, .. } => break leg,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((tries, leg), (4, 1));
    assert!(sent.now < start() + seconds(180));
}

#[test]
fn throttling_on_the_last_channel_ends_after_max_tries() {
    let mut sent = Sent::over(1);
    let mut tries = 0;
    while let Next::Wait(_) | Next::Try { .. } = sent.next() {
        if let Next::Wait(until) = sent.next() {
            sent.now = until;
        }
        sent.send(refused_send(ErrorClass::RetryAfter));
        tries += 1;
    }
    assert_eq!(tries, domain::messages::MAX_TRIES);
    assert_eq!(sent.message.state(), MessageState::Failed);
    assert_eq!(sent.message.attempts.len(), 1);
}

#[test]
fn retry_after_is_limited_to_a_day() {
    let mut sent = Sent::over(1);
    sent.send(SendOutcome::Refused {
        code: Some(1),
        classified: classified_error(ErrorClass::RetryAfter),
        reason: "slower".to_owned(),
        because: None,
        retry_after: Some(SignedDuration::MAX),
    });
    assert_eq!(sent.next(), Next::Wait(start() + seconds(86_400)));
}

#[test]
fn waiting_for_the_tenant_does_not_add_attempts() {
    let mut sent = Sent::over(1);
    for _ in 0..100 {
        sent.send(refused_send(ErrorClass::TenantMustAct));
        assert_eq!(sent.next(), Next::Wait(sent.now + timers().recheck));
        sent.now += timers().recheck;
    }
    assert_eq!(sent.leg_of_next(), Some(0));
    assert_eq!(sent.message.attempts.len(), 1);
    let number = sent.claim();
    assert_eq!(number, 101);
}

#[test]
fn wait_for_the_tenant_ends_at_the_fallback_deadline() {
    // `recheck` is longer than the rule's fallback deadline.
    let mut sent = Sent::over(2);
    sent.send(refused_send(ErrorClass::TenantMustAct));
    assert_eq!(sent.leg_of_next(), Some(1));

    // Shorter waits add up.
    let mut sent = Sent::over(2);
    let quick = Timers {
        recheck: seconds(50),
        ..timers()
    };
    for again in [true, true, false] {
        let Next::Try { leg: 0, number } = sent.next() else {
            panic!("{:?}", sent.next())
        };
        sent.message.claim(0, "claim".to_owned(), sent.now, &quick);
        let must_act = refused_send(ErrorClass::TenantMustAct);
        sent.message.record(number, must_act, sent.now, &quick);
        let expected = if again {
            Next::Wait(sent.now + quick.recheck)
        } else {
            Next::Try { leg: 1, number: 4 }
        };
        assert_eq!(sent.next(), expected);
        sent.now += quick.recheck;
    }
}

#[test]
fn waits_for_the_same_moment_are_spread_out() {
    let until = start() + seconds(300);
    let woken: std::collections::BTreeSet<_> = (0..50_u128)
        .map(|own| {
            let mut message = message(1, WhenUnknown::NextChannel, 120);
            message.id = MessageId::new(message.id.contact(), Ulid(own * 7919));
            message.postpone(until, "paused".to_owned(), start(), &timers());
            assert!(message.not_before >= until && message.not_before <= until + seconds(60));
            message.not_before
        })
        .collect();
    assert!(woken.len() > 40, "{woken:?}");
}

#[test]
fn unknown_outcome_is_settled_by_evidence_then_by_the_rule() {
    for (when_unknown, legs, next, state) in [
        (WhenUnknown::NextChannel, 2, Some(1), MessageState::Scheduled),
        (WhenUnknown::NextChannel, 1, None, MessageState::Failed),
        (WhenUnknown::Stop, 2, None, MessageState::Failed),
        (WhenUnknown::SendAgain, 2, Some(0), MessageState::Scheduled),
    ] {
        let mut sent = Sent::new(legs, when_unknown, 120);
        let first = sent.claim();
        sent.wait(59);
        assert_eq!(sent.next(), Next::Wait(start() + seconds(60)));
        sent.wait(1);
        assert_eq!(sent.next(), Next::Doubt);
        sent.doubt();
        assert_eq!(sent.message.state(), MessageState::Unknown);
        // A code waits no longer than its claim: nobody waits ten minutes to log in.
        let waits = match when_unknown {
            WhenUnknown::SendAgain => Next::GiveUpWaiting,
            WhenUnknown::NextChannel | WhenUnknown::Stop => Next::Wait(start() + seconds(600)),
        };
        assert_eq!(sent.next(), waits);

        // Evidence settles it.
        let mut found = message(legs, when_unknown, 120);
        found.clone_from(&sent.message);
        found.apply(first, report(AttemptState::Sent, first, sent.now), sent.now, &timers());
        assert_eq!(found.state(), MessageState::Sent);

        sent.wait(540);
        assert_eq!(sent.next(), Next::GiveUpWaiting);
        sent.give_up(Evidence::Silence);
        assert_eq!(sent.leg_of_next(), next, "{when_unknown:?}");
        assert_eq!(sent.message.state(), state, "{when_unknown:?}");
        assert_eq!(sent.message.due.is_some(), next.is_some());
        assert_eq!(sent.message.remarks.len(), 1);

        // Late evidence still counts, even for an attempt that was followed by another one.
        if next.is_some() {
            sent.claim();
        }
        assert!(sent.apply(first, AttemptState::Delivered), "{when_unknown:?}");
        assert_eq!(sent.message.state(), MessageState::Delivered);
    }
}

/// The dispatcher wakes a message every other minute, at odd ones or at even ones for good.
#[test]
fn upload_is_asked_for_again_whenever_the_message_looks() {
    let minute = |minutes: i64| start() + SignedDuration::from_mins(minutes);
    for (first, asked) in [
        (1, [0, 1, 3, 7, 15, 31, 47, 63]),
        (2, [0, 2, 4, 8, 16, 32, 48, 64]),
        (3, [0, 3, 7, 15, 31, 47, 63, 79]),
    ] {
        let mut message = message(1, WhenUnknown::NextChannel, 120);
        message.waiting = Some(Waiting { leg: 0, since: start() });
        let mut looks = vec![0];
        looks.extend((first..80).step_by(2));
        looks.retain(|look| {
            let asks = message.asks_for_upload(0, minute(*look));
            if asks {
                message.upload_asked = Some(minute(*look));
            }
            asks
        });
        assert_eq!(looks[..asked.len()], asked, "first look after {first} minutes");
    }
}

/// Planning a message asks for the upload before the message waits; an attempt had the file that was asked for before.
#[test]
fn upload_that_was_asked_for_is_awaited_for_a_minute() {
    let mut sent = Sent::over(1);
    assert!(sent.message.asks_for_upload(0, sent.now));
    sent.message.upload_asked = Some(sent.now);
    sent.wait(30);
    assert!(!sent.message.asks_for_upload(0, sent.now));
    sent.wait(30);
    assert!(sent.message.asks_for_upload(0, sent.now));
    sent.message.upload_asked = Some(sent.now);
    sent.wait(5);
    assert!(!sent.message.asks_for_upload(0, sent.now));
    sent.send(refused_send(ErrorClass::RetryAfter));
    sent.wait(5);
    assert!(sent.message.asks_for_upload(0, sent.now));
    // Another channel's attempt had no file.
    assert!(!sent.message.asks_for_upload(1, sent.now));
}

#[test]
fn a_one_time_code_is_sent_again_once() {
    let mut sent = Sent::new(1, WhenUnknown::SendAgain, 120);
    for again in [true, false] {
        sent.send_unknown(Evidence::Silence);
        assert_eq!(sent.leg_of_next().is_some(), again);
    }
    assert_eq!(sent.message.state(), MessageState::Failed);
    assert_eq!(sent.message.attempts.len(), 2);
}

#[test]
fn untaken_message_is_sent_again_if_no_other_channel_follows() {
    for (when_unknown, legs, again) in [
        (WhenUnknown::NextChannel, 1, true),
        (WhenUnknown::NextChannel, 2, false),
        (WhenUnknown::Stop, 1, true),
        (WhenUnknown::Stop, 2, true),
        (WhenUnknown::SendAgain, 1, true),
        (WhenUnknown::SendAgain, 2, true),
    ] {
        let mut sent = Sent::new(legs, when_unknown, 120);
        sent.send_unknown(Evidence::NotTaken);
        assert_eq!(sent.leg_of_next(), Some(u8::from(!again)), "{when_unknown:?} {legs}");
        assert!(sent.message.due.is_some());
        assert!(
            !sent.message.remarks[0].text.contains("twice"),
            "{}",
            sent.message.remarks[0].text
        );
        assert_eq!(sent.claim(), 2);
    }
}

#[test]
fn message_untaken_twice_fails_with_its_reason() {
    let mut sent = Sent::over(1);
    for number in 1..=2 {
        assert_eq!(sent.send_unknown(Evidence::NotTaken), number);
    }
    assert_eq!(sent.next(), Next::Done);
    assert_eq!(sent.message.state(), MessageState::Failed);
    assert_eq!(sent.message.attempts.len(), 2);
    let reason = &sent.message.remarks[1].text;
    assert!(reason.ends_with("no channel is left"), "{reason}");
}

/// A refused second send is retried. If the outcome of the retry is unknown, nothing more is sent.
#[test]
fn retry_after_second_send_allows_no_third_unknown_outcome() {
    let mut sent = Sent::over(1);
    let first = sent.send_unknown(Evidence::NotTaken);
    sent.send(refused_send(ErrorClass::RetryAfter));
    sent.now = sent.waits_until();
    let third = sent.send_unknown(Evidence::NotTaken);
    assert_eq!(sent.next(), Next::Done);
    let numbers: Vec<u32> = sent.message.attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [first, third]);
}

#[test]
fn cancelled_message_is_not_sent_again_if_never_taken() {
    let mut sent = Sent::over(1);
    sent.send(unknown());
    assert!(sent.message.cancel("the customer wrote first".to_owned()));
    sent.wait(600);
    sent.give_up(Evidence::NotTaken);
    assert_eq!(sent.next(), Next::Done);
    assert_eq!(sent.message.state(), MessageState::Cancelled);
}

#[test]
fn late_response_after_an_expired_claim_still_counts() {
    let mut sent = Sent::over(2);
    let first = sent.claim();
    sent.wait(60);
    sent.doubt();
    assert!(sent.record(first, accepted_send(first)));
    assert_eq!(sent.message.state(), MessageState::Accepted);
    assert!(!sent.record(first, unknown()));
    assert!(!sent.record(first, refused_send(ErrorClass::FallBack)));

    let mut sent = Sent::over(2);
    let first = sent.claim();
    sent.wait(60);
    sent.doubt();
    // It was refused after all: nothing went out, so the same channel can be tried again.
    assert!(sent.record(first, refused_send(ErrorClass::RetryAfter)));
    sent.wait(10);
    assert_eq!(sent.leg_of_next(), Some(0));
}

#[test]
fn unknown_outcome_after_a_refusal_changes_nothing() {
    let mut sent = Sent::over(2);
    let first = sent.send(refused_send(ErrorClass::FallBack));
    assert!(!sent.record(first, unknown()));
    assert!(!sent.record(first, refused_send(ErrorClass::Blocked)));
    assert_eq!(sent.leg_of_next(), Some(1));
}

#[test]
fn wrong_provider_clock_moves_no_deadline() {
    for at in [Timestamp::MAX, Timestamp::MIN] {
        let mut sent = Sent::over(2);
        let first = sent.claim();
        sent.wait(5);
        sent.apply_report(first, report(AttemptState::Sent, first, at));
        let deadline = sent.waits_until();
        assert!(start() + seconds(120) <= deadline && deadline <= start() + seconds(125));
    }
}

#[test]
fn refusal_that_may_have_sent_is_unknown() {
    let mut sent = Sent::over(2);
    sent.send(refused_send(ErrorClass::WaitForStatus));
    assert_eq!(sent.message.state(), MessageState::Unknown);
    assert_eq!(sent.next(), Next::Wait(start() + seconds(600)));
}

#[test]
fn a_status_before_the_record_is_not_lost() {
    let mut sent = Sent::over(2);
    let first = sent.claim();
    sent.apply(first, AttemptState::Delivered);
    let outcome = SendOutcome::Accepted {
        provider_ref: "wamid.1".parse().unwrap(),
        segments: Some(3),
    };
    assert!(sent.record(first, outcome.clone()));
    assert_eq!(sent.message.state(), MessageState::Delivered);
    assert_eq!(sent.message.attempts[0].cost.as_ref().unwrap().units, 3);
    assert!(!sent.record(first, outcome));
}

#[test]
fn cancelling_stops_channels_not_yet_tried() {
    let cancel = |sent: &mut Sent| sent.message.cancel("the customer wrote first".to_owned());

    let mut untouched = Sent::over(2);
    assert!(cancel(&mut untouched));
    assert!(!cancel(&mut untouched));
    assert_eq!(untouched.message.state(), MessageState::Cancelled);
    assert_eq!(untouched.next(), Next::Done);

    // The fallback of a message that was sent already.
    let mut sent = Sent::over(2);
    let first = sent.send(accepted_send(1));
    assert!(cancel(&mut sent));
    assert_eq!(sent.message.state(), MessageState::Accepted);
    assert_eq!(sent.next(), Next::Done);
    sent.apply(first, AttemptState::Read);
    assert_eq!(sent.message.state(), MessageState::Read);

    // An attempt in progress is settled first.
    let mut claimed = Sent::over(2);
    let first = claimed.claim();
    assert!(cancel(&mut claimed));
    assert!(claimed.message.due.is_some());
    claimed.record(first, refused_send(ErrorClass::RetryAfter));
    assert_eq!(claimed.next(), Next::Done);
    assert_eq!(claimed.message.state(), MessageState::Cancelled);

    // A fallback that only a failure would lead to.
    let mut waiting = Sent::new(2, WhenUnknown::NextChannel, 0);
    let first = waiting.send(accepted_send(1));
    assert!(cancel(&mut waiting));
    waiting.apply(first, AttemptState::Failed);
    assert_eq!(waiting.next(), Next::Done);

    let mut done = Sent::over(1);
    done.send(accepted_send(1));
    assert!(!cancel(&mut done));
}

#[test]
fn leg_can_be_skipped_before_its_claim() {
    let mut sent = Sent::over(2);
    sent.skip_leg(0, "a landline");
    assert_eq!(sent.leg_of_next(), Some(1));
    sent.skip_leg(1, "a landline");
    assert_eq!(sent.message.state(), MessageState::Failed);
    assert_eq!(sent.message.due, None);
}

/// Why a message goes no further is known by its code, whether we say so or a provider does.
#[test]
fn end_of_a_message_has_a_code_with_facts() {
    let code = |sent: &Sent| sent.message.because();
    let mut skipped = Sent::over(1);
    assert_eq!(code(&skipped), None);
    skipped.skip_leg(0, Refusal::new(Reason::Landline, "the number is a landline"));
    assert_eq!(code(&skipped), Some(Reason::Landline.into()));

    let mut given_up = Sent::over(1);
    let first = given_up.send(accepted_send(1));
    given_up.apply(first, AttemptState::Failed);
    let refused = Because {
        code: Reason::ProviderRefused,
        facts: Facts::of("provider_code", 131_026_i64),
    };
    assert_eq!(code(&given_up), Some(refused));

    let mut silent = Sent::over(1);
    silent.send_unknown(Evidence::Silence);
    let known = code(&silent).unwrap();
    assert_eq!(known.code, Reason::Unconfirmed);
    assert_eq!(known.facts.get("next"), Some(&"nothing".into()));
    assert_eq!(silent.message.remarks[0].because.as_ref(), Some(&known));

    // The reason of the attempt is another one.
    let mut cancelled = Sent::over(2);
    cancelled.skip_leg(0, "a landline");
    cancelled.message.cancel("the customer wrote first");
    assert_eq!(code(&cancelled), Some(Reason::Other.into()));
}

#[test]
fn a_block_after_the_first_channel_leaves_its_state() {
    let mut sent = Sent::over(2);
    sent.send(accepted_send(1));
    sent.wait(120);
    sent.message.block("opted out".to_owned());
    assert_eq!(sent.message.state(), MessageState::Accepted);
    assert_eq!(sent.next(), Next::Done);
}

/// Otherwise somebody has to mend something: what stopped it is neither the person's wish nor the business's.
#[test]
fn message_is_stopped_by_what_nobody_meant() {
    use Reason::{
        CapReached, ConnectionBroken, ContactDeleted, Late, NoConsent, OptedOut, Other, ProviderRefused, QuietHours,
        Unnecessary,
    };
    let blocked = |code: Reason| {
        let mut message = Sent::over(1).message;
        message.block(Refusal::new(code, "not sent"));
        message
    };
    for stopped in [CapReached, ConnectionBroken, Late, ProviderRefused, Other] {
        assert!(blocked(stopped).is_stopped(), "{stopped}");
    }
    for meant in [ContactDeleted, NoConsent, OptedOut, QuietHours, Unnecessary] {
        assert!(!blocked(meant).is_stopped(), "{meant}");
    }
    let mut message = Sent::over(1).message;
    assert!(!message.is_stopped(), "it is on its way");
    message.cancel("the customer wrote first");
    assert!(!message.is_stopped(), "it was cancelled");
    message.ended = Some(Ended::Failed("no channel is left".to_owned()));
    assert!(message.is_stopped());
    let mut sent = Sent::over(2);
    sent.send(accepted_send(1));
    sent.wait(120);
    sent.message.block(Refusal::new(CapReached, "not sent"));
    assert!(!sent.message.is_stopped(), "its other channel may reach the person");
    assert!(sent.message.was_accepted());
}

#[test]
fn postponed_message_waits() {
    let mut sent = Sent::over(1);
    let until = start() + seconds(5000);
    sent.postpone(until);
    sent.postpone(until);
    let woken = sent.waits_until();
    assert!(until <= woken && woken <= until + seconds(60), "{woken}");
    assert_eq!(sent.message.due, Some(woken));
    assert_eq!(sent.message.remarks.len(), 1);
}

fn reported_state() -> impl Strategy<Value = AttemptState> {
    select(vec![
        AttemptState::Sent,
        AttemptState::Delivered,
        AttemptState::Read,
        AttemptState::Failed,
    ])
}

fn status() -> impl Strategy<Value = StatusReport> {
    let cost = option::of((any::<Option<bool>>(), 1_u32..3, select(vec!["utility", "service"])));
    (reported_state(), -100_000_i64..100_000, 0_i64..3, cost).prop_map(|(state, at, code, cost)| {
        let mut report = report(state, 1, start() + seconds(at));
        if let Some(error) = &mut report.error {
            error.code = Some(code);
        }
        report.cost = cost.map(|(billable, units, category)| Cost {
            category: category.to_owned(),
            kind: None,
            billable,
            units,
            amount: None,
        });
        report
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn statuses_end_in_the_same_state_in_any_order(
        (reports, shuffled) in prop::collection::vec(status(), 1..6).prop_flat_map(|reports| {
            let twice: Vec<_> = reports.iter().chain(&reports).cloned().collect();
            (Just(reports), Just(twice).prop_shuffle())
        }),
        recorded in option::of(0_usize..5),
        legs in 1_usize..3,
    ) {
        // The worker's own record may be written before, between or after the reports.
        let play = |reports: &[StatusReport]| {
            let mut sent = Sent::new(legs, WhenUnknown::NextChannel, 120);
            sent.claim();
            sent.wait(50_000);
            let mut rank = 0;
            for (index, report) in reports.iter().enumerate() {
                if recorded == Some(index) {
                    sent.record(1, accepted_send(1));
                }
                let (now, before) = (sent.now, sent.message.clone());
                let moved = sent.message.apply(1, report.clone(), now, &timers());
                assert_eq!(moved, sent.message.attempts != before.attempts);
                let reached = sent.message.attempts[0].state.rank();
                assert!(reached >= rank, "states only move on");
                rank = reached;
            }
            if recorded.is_some() {
                sent.record(1, accepted_send(1));
            }
            (sent.message, sent.now)
        };
        let ((one, now), (other, _)) = (play(&reports), play(&shuffled));
        prop_assert_eq!(&one.attempts, &other.attempts);
        prop_assert_eq!(one.state(), other.state());
        // Within the tolerance for a late due time. A step that can be taken now is queued at once, and may be due earlier than it has to
        // be.
        prop_assert_eq!(one.due.is_some(), other.due.is_some());
        if let (Some(one), Some(other)) = (one.due, other.due) {
            let at_once = one.max(other) <= now + timers().first_due + seconds(5);
            prop_assert!(at_once || one.duration_since(other).abs() <= seconds(5));
        }
        let highest = reports.iter().map(|report| report.state.rank()).max().unwrap();
        prop_assert_eq!(one.attempts[0].state.rank(), highest);
    }
}

/// An event of a message.
#[derive(Debug, Clone)]
enum Event {
    Wait(i64),
    WaitUntilDue,
    /// A worker takes the next step of the message. It may die after the claim.
    Work,
    /// A worker takes the next step; if the outcome is unknown, it finds that the provider never accepted the message, if that is true.
    WorkWithProof,
    /// The worker that holds attempt `0` gets this response.
    Answer(usize, SendOutcome),
    Report(usize, AttemptState),
    Cancel,
    Block,
    Postpone(i64),
    SkipLeg,
}

fn event() -> impl Strategy<Value = Event> {
    let class = select(vec![
        ErrorClass::RetryAfter,
        ErrorClass::WaitForStatus,
        ErrorClass::FallBack,
        ErrorClass::RouteRefused,
        ErrorClass::Blocked,
        ErrorClass::TenantMustAct,
        ErrorClass::Bug,
    ]);
    let outcome = prop_oneof![Just(accepted_send(1)), Just(unknown()), class.prop_map(refused_send)];
    prop_oneof![
        2 => (0_i64..700).prop_map(Event::Wait),
        4 => Just(Event::WaitUntilDue),
        8 => Just(Event::Work),
        3 => Just(Event::WorkWithProof),
        6 => (0_usize..4, outcome).prop_map(|(which, outcome)| Event::Answer(which, outcome)),
        2 => (0_usize..4, reported_state()).prop_map(|(which, state)| Event::Report(which, state)),
        1 => Just(Event::Cancel),
        1 => Just(Event::Block),
        1 => (0_i64..2000).prop_map(Event::Postpone),
        1 => Just(Event::SkipLeg),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_channel_is_tried_again_once_it_may_have_sent(
        events in prop::collection::vec(event(), 1..40),
        legs in 1_usize..3,
        when_unknown in select(vec![WhenUnknown::NextChannel, WhenUnknown::Stop, WhenUnknown::SendAgain]),
        fallback in select(vec![0_u32, 120]),
    ) {
        let mut sent = Sent::new(legs, when_unknown, fallback);
        // All claims so far: number, leg, and whether a refusal proved that nothing went out.
        let mut claims: Vec<(u32, u8, bool)> = Vec::new();
        let mut ranks: HashMap<u32, u8> = HashMap::new();

        for event in events {
            let before = sent.message.clone();
            match event {
                Event::Wait(by) => {
                    sent.wait(by);
                }
                Event::WaitUntilDue => {
                    if let Some(due) = sent.message.due {
                        sent.now = sent.now.max(due);
                    }
                }
                Event::Work | Event::WorkWithProof => match sent.next() {
                    Next::Try { leg, number } => {
                        for (_, earlier, proved) in &claims {
                            prop_assert!(
                                *earlier != leg || *proved || when_unknown == WhenUnknown::SendAgain,
                                "leg {leg} may have been sent already"
                            );
                            prop_assert!(*earlier <= leg, "the plan is followed in order");
                        }
                        prop_assert!(sent.now >= sent.message.not_before);
                        prop_assert!(before.ended.is_none() && !before.was_delivered());
                        prop_assert!(claims.iter().all(|(known, _, _)| *known < number));
                        sent.claim();
                        claims.push((number, leg, false));
                    }
                    Next::Doubt => sent.doubt(),
                    Next::GiveUpWaiting => {
                        // From then on no report about it arrives: it never went out.
                        let proof = matches!(event, Event::WorkWithProof);
                        if let Some((_, _, proved)) = claims.last_mut() {
                            *proved |= proof;
                        }
                        sent.give_up(if proof { Evidence::NotTaken } else { Evidence::Silence });
                    }
                    Next::Wait(until) => prop_assert!(until > sent.now),
                    Next::Done => prop_assert_eq!(sent.message.due, None),
                },
                Event::Answer(which, outcome) => {
                    if let Some((number, _, proved)) = claims.iter_mut().rev().nth(which) {
                        let refusal = matches!(
                            &outcome,
                            SendOutcome::Refused { classified, .. } if classified.class != ErrorClass::WaitForStatus
                        );
                        let number = *number;
                        // A worker gets one response: no acceptance after a proven refusal, and no refusal after an
                        // acceptance.
                        let taken = sent.message.attempts.iter().any(|attempt| {
                            attempt.number == number && attempt.state.was_accepted()
                        });
                        if *proved || taken {
                            continue;
                        }
                        *proved = refusal;
                        sent.record(number, outcome);
                    }
                }
                Event::Report(which, state) => {
                    if let Some((number, _, false)) = claims.iter().rev().nth(which).copied() {
                        sent.apply(number, state);
                    }
                }
                Event::Cancel => {
                    sent.message.cancel("the customer wrote first".to_owned());
                }
                Event::Block => {
                    if let Next::Try { .. } = sent.next() {
                        sent.message.block("opted out".to_owned());
                    }
                }
                Event::Postpone(by) => {
                    if let Next::Try { .. } = sent.next() {
                        sent.postpone(sent.now + seconds(by));
                    }
                }
                Event::SkipLeg => {
                    if let Next::Try { leg, number } = sent.next() {
                        sent.skip_leg(leg, "a landline");
                        claims.push((number, leg, true));
                    }
                }
            }

            let message = &sent.message;
            prop_assert_eq!(message.due.is_some(), sent.next() != Next::Done, "{:?}", message);
            if let (Next::Wait(until), Some(due)) = (sent.next(), message.due) {
                let claimed = message.last().is_some_and(|last| last.state == AttemptState::Claimed);
                let late = seconds(if claimed { 30 } else { 5 });
                prop_assert!(due <= until + late, "nobody looks before {until}: {due}");
            }
            for attempt in &message.attempts {
                let rank = ranks.entry(attempt.number).or_insert(0);
                prop_assert!(attempt.state.rank() >= *rank, "states only move on");
                *rank = attempt.state.rank();
            }
            // Each channel has one attempt that may have gone out, or two if a code was sent again; and never more than two
            // without any report.
            for leg in 0..2_u8 {
                let of_leg = message
                    .attempts
                    .iter()
                    .filter(|attempt| attempt.leg == leg && attempt.state != AttemptState::Refused);
                let never_out = |number| claims.iter().any(|(known, _, proved)| *known == number && *proved);
                let open = of_leg.clone().filter(|attempt| !never_out(attempt.number)).count();
                prop_assert!(open <= 1 + usize::from(when_unknown == WhenUnknown::SendAgain));
                prop_assert!(of_leg.count() <= 2);
            }
            let state = message.state();
            if message.was_delivered() {
                prop_assert!(matches!(state, MessageState::Delivered | MessageState::Read));
            }
            prop_assert!(message.remarks.len() <= 12);
        }

        let json = serde_json::to_string(&sent.message).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Message>(&json).unwrap(), &sent.message);

        // Without further events, every message ends if workers take its next steps and get no response.
        for _ in 0..60 {
            match sent.next() {
                Next::Done => break,
                Next::Wait(until) => sent.now = until,
                Next::Try { .. } => {
                    sent.claim();
                }
                Next::Doubt => sent.doubt(),
                Next::GiveUpWaiting => sent.give_up(Evidence::NotTaken),
            }
        }
        prop_assert_eq!(sent.next(), Next::Done);
        prop_assert_eq!(sent.message.due, None);
        prop_assert!(!matches!(
            sent.message.state(),
            MessageState::Scheduled | MessageState::Sending | MessageState::Unknown
        ));
    }
}
