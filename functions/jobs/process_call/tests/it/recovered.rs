//! Missed calls are recovered once: by a later call that is answered, or by what the customer did before the call was reported.

use domain::people::{Contact, Identity, MissedCall};
use domain::telephony::{CallFacts, CallStatus, DialStatus, Outcome, Party};
use domain::terms::Whole;
use jiff::SignedDuration;
use kit::Done;
use testkit::business::{CUSTOMER, from_to, missed_call_facts, phone, stated_call_facts};

use super::world::{World, called_back, completed_call, dialled_call};

const HOUR: i64 = 3_600;

fn answered_call() -> CallFacts {
    stated_call_facts(CUSTOMER, Outcome::Answered)
}

/// The provider's ids of a person's calls, with the missed calls that each recovered.
async fn recovered_counts(world: &World, identity: &Identity) -> Vec<(String, u32)> {
    let (calls, _) = world.history_of(identity).await;
    let calls = calls.into_iter().map(|call| (call.provider_call_id, call.recovered));
    let mut calls: Vec<_> = calls.collect();
    calls.sort();
    calls
}

fn of(calls: &[(&str, u32)]) -> Vec<(String, u32)> {
    let owned = calls.iter().map(|(call, count)| ((*call).to_owned(), *count));
    owned.collect()
}

fn customer() -> Identity {
    Identity::Phone(phone(CUSTOMER))
}

#[tokio::test]
async fn answered_call_recovers_the_missed_ones_of_a_day() {
    let world = World::new().await;
    for (call, facts, hours) in [
        ("1", missed_call_facts(CUSTOMER), 20),
        ("2", missed_call_facts(CUSTOMER), 3),
        ("3", stated_call_facts(CUSTOMER, Outcome::Busy), 2),
        ("4", answered_call(), 0),
        // Nothing is left for it.
        ("5", answered_call(), 1),
    ] {
        world.telephony(call, facts.clone()).await;
        assert_eq!(world.telephony(call, facts).await, Done::Already, "{call}");
        world.aws.pass(hours * HOUR);
    }
    // The first one was 25 hours ago.
    let expected = of(&[("1", 0), ("2", 0), ("3", 0), ("4", 2), ("5", 0)]);
    assert_eq!(recovered_counts(&world, &customer()).await, expected);
    assert!(world.customer().await.missed.is_empty());
}

/// Reports can come in another order than the calls.
#[tokio::test]
async fn missed_call_reported_late_is_recovered_already() {
    let world = World::new().await;
    let began = world.aws.now();
    world.aws.pass(600);
    world.telephony("2", answered_call()).await;
    let late = CallFacts {
        started_at: Some(began),
        ..missed_call_facts(CUSTOMER)
    };
    world.telephony("1", late).await;
    world.aws.pass(60);
    world.telephony("3", missed_call_facts(CUSTOMER)).await;
    let expected = of(&[("1", 1), ("2", 0), ("3", 0)]);
    assert_eq!(recovered_counts(&world, &customer()).await, expected);
}

#[tokio::test]
async fn concurrent_calls_recover_a_missed_one_once() {
    let world = World::new().await;
    world.telephony("1", missed_call_facts(CUSTOMER)).await;
    world.aws.pass(60);
    let calls = ["2", "3", "4", "5"].map(|call| world.business.telephony_report(&world.aws, call, answered_call()));
    world.work_at_once(calls).await;
    let counts = recovered_counts(&world, &customer()).await;
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<u32>(), 1, "{counts:?}");
}

/// Nobody spoke with the customer if they did not pick up, and that is no missed call of theirs.
#[tokio::test]
async fn answered_call_back_recovers_and_a_failed_one_does_not() {
    let world = World::new().await;
    for (call, facts) in [
        ("1", missed_call_facts(CUSTOMER)),
        ("2", called_back(Outcome::Missed)),
        ("3", called_back(Outcome::Answered)),
        ("4", called_back(Outcome::Busy)),
        // Nothing is left for it.
        ("5", called_back(Outcome::Answered)),
    ] {
        world.telephony(call, facts.clone()).await;
        assert_eq!(world.telephony(call, facts).await, Done::Already, "{call}");
        world.aws.pass(600);
    }
    let expected = of(&[("1", 0), ("2", 0), ("3", 1), ("4", 0), ("5", 0)]);
    assert_eq!(recovered_counts(&world, &customer()).await, expected);
    assert!(world.customer().await.missed.is_empty());
    // A day later, it is too late.
    world.telephony("6", missed_call_facts(CUSTOMER)).await;
    world.aws.pass(24 * HOUR + 1);
    world.telephony("7", called_back(Outcome::Answered)).await;
    let late = recovered_counts(&world, &customer()).await;
    assert_eq!(late[5..], of(&[("6", 0), ("7", 0)]));
}

/// Reports can come in another order than the calls.
#[tokio::test]
async fn call_back_reported_first_recovers_the_missed_call() {
    let world = World::new().await;
    world.telephony("0", missed_call_facts(CUSTOMER)).await;
    let began = world.aws.now();
    world.aws.pass(600);
    world.telephony("2", called_back(Outcome::Answered)).await;
    let late = CallFacts {
        started_at: Some(began),
        ..missed_call_facts(CUSTOMER)
    };
    world.telephony("1", late).await;
    let expected = of(&[("0", 0), ("1", 1), ("2", 1)]);
    assert_eq!(recovered_counts(&world, &customer()).await, expected);
}

/// The contact notes when it began, as far as that is known at the decision.
#[tokio::test]
async fn call_that_began_earlier_and_was_answered_is_not_missed() {
    for follow_up in [true, false] {
        let world = World::with(|configured| configured.rules[0].enabled = follow_up).await;
        let began = world.aws.now();
        world.aws.pass(60);
        world.telephony("17", missed_call_facts(CUSTOMER)).await;
        assert_eq!(world.customer().await.missed.len(), 1);
        world.aws.pass(10);
        let earlier = CallFacts {
            started_at: Some(began),
            ..missed_call_facts(CUSTOMER)
        };
        assert_eq!(world.telephony("17", earlier).await, Done::Now);
        assert_eq!(world.call().await.message.is_some(), follow_up);
        world.aws.pass(10);
        assert_eq!(world.telephony("17", answered_call()).await, Done::Now);
        assert!(world.customer().await.missed.is_empty(), "{follow_up}");
        world.aws.pass(60);
        world.telephony("18", answered_call()).await;
        let expected = of(&[("17", 0), ("18", 0)]);
        assert_eq!(recovered_counts(&world, &customer()).await, expected, "{follow_up}");
    }
}

/// A missed call that changes to another missed outcome is not recorded again under another time.
#[tokio::test]
async fn call_that_is_missed_in_another_way_stays_one_missed_call() {
    let world = World::with(|configured| configured.rules[0].enabled = false).await;
    let began = world.aws.now();
    world.aws.pass(60);
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    let noted = world.customer().await.missed;
    let voicemail = CallFacts {
        started_at: Some(began),
        ..stated_call_facts(CUSTOMER, Outcome::Voicemail)
    };
    world.aws.pass(10);
    assert_eq!(world.telephony("17", voicemail).await, Done::Now);
    let call = world.call().await;
    assert_eq!((call.outcome, call.decided_again), (Outcome::Voicemail, 1));
    assert_eq!(call.noted_at, Some(began + SignedDuration::from_secs(60)));
    assert_eq!(world.customer().await.missed, noted);
    world.aws.pass(10);
    assert_eq!(world.telephony("17", answered_call()).await, Done::Now);
    assert!(world.customer().await.missed.is_empty());
    assert_eq!(recovered_counts(&world, &customer()).await, of(&[("17", 0)]));
}

/// Also if it began before the first one was decided.
#[tokio::test]
async fn answered_call_back_counts_though_another_answer_did_not() {
    let world = World::new().await;
    let picked_up = CallFacts {
        status: Some(CallStatus::Completed),
        answered_at: Some(world.aws.now()),
        ..from_to(CUSTOMER)
    };
    world.twilio(picked_up).await;
    world.aws.pass(50);
    world.telephony("18", called_back(Outcome::Answered)).await;
    world.aws.pass(10);
    world.work(world.decide()).await;
    let (calls, _) = world.history().await;
    assert!(calls.iter().all(|call| call.outcome == Outcome::Answered), "{calls:?}");
    assert_eq!(world.twilio(dialled_call(DialStatus::NoAnswer)).await, Done::Now);
    let expected = of(&[("18", 0), ("CA1", 1)]);
    assert_eq!(recovered_counts(&world, &customer()).await, expected);
    assert!(world.customer().await.missed.is_empty());
}

/// The first one is recovered by what the customer wrote, so it is not among the missed ones when it turns out to be answered.
#[tokio::test]
async fn answer_to_one_call_leaves_the_next_one_missed() {
    for follow_up in [true, false] {
        let world = World::with(|configured| configured.rules[0].enabled = follow_up).await;
        let began = world.aws.now();
        let (wrote, called_again) = (SignedDuration::from_secs(30), SignedDuration::from_secs(45));
        let write = |contact: &mut Contact| {
            contact.wrote(began + wrote);
        };
        world.business.contact_with(&world.aws, CUSTOMER, write).await;
        world.aws.pass(60);
        for (call, at) in [("17", began), ("18", began + called_again)] {
            let rang = CallFacts {
                started_at: Some(at),
                ..missed_call_facts(CUSTOMER)
            };
            world.telephony(call, rang).await;
        }
        let left = [MissedCall {
            at: began + called_again,
        }];
        assert_eq!(world.customer().await.missed, left, "{follow_up}");
        world.aws.pass(10);
        assert_eq!(world.telephony("17", answered_call()).await, Done::Now);
        assert_eq!(world.customer().await.missed, left, "{follow_up}");
        world.aws.pass(60);
        world.telephony("19", answered_call()).await;
        let expected = of(&[("17", 1), ("18", 0), ("19", 1)]);
        assert_eq!(recovered_counts(&world, &customer()).await, expected, "{follow_up}");
    }
}

/// Everybody who hides their number is one contact, so the next caller is another person.
#[tokio::test]
async fn hidden_callers_recover_nothing() {
    let world = World::new().await;
    for (call, facts) in [("1", missed_call_facts(CUSTOMER)), ("2", answered_call())] {
        let hidden = CallFacts {
            from: Some(Party::Withheld),
            ..facts
        };
        world.telephony(call, hidden).await;
    }
    let hidden = Identity::Withheld(world.business.telephony);
    assert_eq!(recovered_counts(&world, &hidden).await, of(&[("1", 0), ("2", 0)]));
}

/// It turns out to be missed, or to be answered, after later calls.
#[tokio::test]
async fn outcome_known_later_counts_as_of_the_calls_time() {
    for (dial, expected) in [
        (DialStatus::NoAnswer, of(&[("17", 0), ("18", 1), ("CA1", 0)])),
        (DialStatus::Answered, of(&[("17", 0), ("18", 0), ("CA1", 1)])),
    ] {
        let world = World::new().await;
        world.telephony("17", missed_call_facts(CUSTOMER)).await;
        world.aws.pass(60);
        world.twilio(completed_call()).await;
        world.aws.pass(60);
        world.work(world.decide()).await;
        assert_eq!(
            world.customer().await.missed.len(),
            1,
            "an unknown outcome is not missed"
        );
        world.twilio(dialled_call(dial)).await;
        let open = world.customer().await.missed;
        let left = if dial == DialStatus::Answered { 0 } else { 2 };
        assert_eq!(open.len(), left, "{open:?}");
        // More than a day after the first of both calls.
        world.aws.pass(24 * HOUR - 100);
        world.telephony("18", answered_call()).await;
        assert_eq!(recovered_counts(&world, &customer()).await, expected, "{dial:?}");
    }
}

/// Whether or not something of its follow-up is left to cancel, and by a clock that is ahead.
#[tokio::test]
async fn call_that_was_answered_after_all_is_not_recovered() {
    for left in [true, false] {
        let world = World::with(|configured| configured.rules[0].then.delay_seconds = Whole::nearest(300)).await;
        let ahead = CallFacts {
            started_at: Some(world.aws.now() + SignedDuration::from_secs(60)),
            ..missed_call_facts(CUSTOMER)
        };
        world.telephony("17", ahead).await;
        assert_eq!(world.customer().await.missed.len(), 1);
        if !left {
            let (_, mut messages) = world.history().await;
            let mut message = messages.remove(0);
            assert!(message.cancel("cancelled by a user"));
            world.write(&message).await;
        }
        world.aws.pass(120);
        world.telephony("17", answered_call()).await;
        assert!(world.customer().await.missed.is_empty(), "{left}");
        world.aws.pass(60);
        world.telephony("18", answered_call()).await;
        let expected = of(&[("17", 0), ("18", 0)]);
        assert_eq!(recovered_counts(&world, &customer()).await, expected, "{left}");
    }
}
