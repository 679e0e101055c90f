//! Reports of one call, in any order and number: one call, one message.

use domain::people::Identity;
use domain::telephony::{CallFacts, CallStatus, DialStatus, Direction, Handling, Outcome, Recording, RecordingState};
use domain::terms::Whole;
use jiff::SignedDuration;
use kit::{Done, Job};
use process_call::{Context, handle};
use testkit::Lossy;
use testkit::business::{CUSTOMER, from_to, missed_call_facts, phone};

use super::world::{World, completed_call, dialled_call};

fn ringing() -> CallFacts {
    CallFacts {
        status: Some(CallStatus::Ringing),
        handling: Some(Handling::Forward),
        ..from_to(CUSTOMER)
    }
}

fn greeted_call() -> CallFacts {
    CallFacts {
        handling: Some(Handling::Greet),
        ..ringing()
    }
}

fn recorded_call() -> CallFacts {
    let recording = Recording {
        reference: "RE00000000000000000000000000000001".parse().expect("an id"),
        state: RecordingState::Completed,
        seconds: Some(14),
        voicemail: true,
    };
    CallFacts {
        voicemail_seconds: Some(14),
        recordings: [recording].into_iter().collect(),
        ..CallFacts::default()
    }
}

/// All permutations of this many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![vec![]];
    }
    let shorter = orders(count - 1).into_iter();
    let longer = shorter.flat_map(|order| {
        (0..count).map(move |place| {
            let mut order = order.clone();
            order.insert(place, count - 1);
            order
        })
    });
    longer.collect()
}

#[tokio::test]
async fn reports_in_any_order_make_one_call_and_one_message() {
    let world = World::new().await;
    let reports = [
        ringing(),
        dialled_call(DialStatus::NoAnswer),
        completed_call(),
        recorded_call(),
    ];
    for (index, order) in orders(reports.len()).into_iter().enumerate() {
        let number = format!("+9715012{index:05}");
        let call = format!("CA{index}");
        for place in order.iter().chain(order.iter().rev()) {
            let mut facts = reports[*place].clone();
            if facts.from.is_some() {
                facts.from = from_to(&number).from;
            }
            world.work(world.business.twilio_report(&world.aws, &call, facts)).await;
        }
        let identity = Identity::Phone(phone(&number));
        let (calls, messages) = world.history_of(&identity).await;
        let [call] = &calls[..] else {
            panic!("{order:?}: {calls:#?}")
        };
        assert_eq!(messages.len(), 1, "{order:?}");
        assert_eq!(call.message, Some(messages[0].id));
        assert_eq!(
            call.facts.voicemail_seconds,
            Some(14),
            "{order:?}: a late report is added"
        );
        assert_eq!(call.facts.call_seconds, Some(30), "{order:?}");
        assert_eq!(call.facts.recordings, recorded_call().recordings, "{order:?}");
        assert_eq!(world.take_send_jobs().await.len(), 1, "{order:?}");
    }
}

#[tokio::test]
async fn recording_that_arrives_first_waits_for_its_caller() {
    let world = World::new().await;
    world.twilio(recorded_call()).await;
    let hidden = Identity::Withheld(world.business.twilio);
    assert!(world.history_of(&hidden).await.0.is_empty());
    world.twilio(ringing()).await;
    assert_eq!(world.call().await.outcome, Outcome::Voicemail);
    assert_eq!(world.take_send_jobs().await.len(), 1);
}

#[tokio::test]
async fn reports_without_a_caller_expire_without_a_call() {
    // A recording, and a leg that somebody answered: such as of a call that the business made through its provider's API.
    let taken = CallFacts {
        tried: Some(DialStatus::Answered),
        ..CallFacts::default()
    };
    for facts in [recorded_call(), taken] {
        let world = World::new().await;
        world.twilio(facts.clone()).await;
        let four_hours = 4 * 3600;
        world.aws.pass(four_hours - 1);
        assert_eq!(world.work(world.decide()).await, Done::Already);
        world.aws.pass(1);
        assert_eq!(world.count_due().await, 1);
        let rows = world.aws.row_count().await;
        assert_eq!(world.work(world.decide()).await, Done::Now);
        assert_eq!(world.aws.row_count().await, rows, "no call, no contact");
        let hidden = Identity::Withheld(world.business.twilio);
        assert_eq!(world.contact_of(&hidden).await, None);
        // The call is closed: neither the dispatcher nor a repeated report processes it again.
        world.aws.pass(3600);
        assert_eq!(world.count_due().await, 0);
        assert_eq!(world.work(world.decide()).await, Done::Already);
        assert_eq!(world.twilio(facts).await, Done::Already);
        // A report that names the customer does.
        world.twilio(dialled_call(DialStatus::NoAnswer)).await;
        world.call().await;
        assert_eq!(world.customer().await.calls, 1);
    }
}

#[tokio::test]
async fn inbound_call_without_a_caller_counts_as_withheld() {
    let world = World::new().await;
    let facts = CallFacts {
        direction: Some(Direction::Inbound),
        ..recorded_call()
    };
    world.twilio(facts).await;
    world.aws.pass(4 * 3600);
    assert_eq!(world.work(world.decide()).await, Done::Now);
    let hidden = Identity::Withheld(world.business.twilio);
    let (calls, _) = world.history_of(&hidden).await;
    assert_eq!((calls.len(), calls[0].reason.as_str()), (1, "withheld"));
}

#[tokio::test]
async fn concurrent_reports_make_one_call_and_one_message() {
    let world = World::new().await;
    let reports = [
        ringing(),
        dialled_call(DialStatus::Busy),
        completed_call(),
        recorded_call(),
    ];
    let report = |facts: &CallFacts| world.business.twilio_report(&world.aws, "CA1", facts.clone());
    world.work_at_once(reports.iter().chain(&reports).map(report)).await;
    let (calls, messages) = world.history().await;
    assert_eq!((calls.len(), messages.len()), (1, 1));
    assert_eq!(calls[0].facts.voicemail_seconds, Some(14));
    assert_eq!(world.take_send_jobs().await.len(), 1);
}

#[tokio::test]
async fn completed_alone_never_means_missed() {
    let world = World::new().await;
    world.twilio(completed_call()).await;
    let (calls, _) = world.history().await;
    assert!(calls.is_empty(), "a dial result may still come");
    assert_eq!(
        world.progress().await.unwrap().due,
        Some(world.aws.now() + SignedDuration::from_secs(60))
    );
    world.aws.pass(59);
    assert_eq!(world.work(world.decide()).await, Done::Already);
    assert!(world.history().await.0.is_empty());
    world.aws.pass(1);
    assert_eq!(world.work(world.decide()).await, Done::Now);
    let call = world.call().await;
    assert_eq!((call.outcome, call.message), (Outcome::Unknown, None));
    assert!(call.decision.starts_with("no message: "), "{}", call.decision);
    assert!(world.take_send_jobs().await.is_empty());
}

/// The call and its message stay where they are; the contact is the one that survived.
#[tokio::test]
async fn call_of_a_merged_contact_is_decided_again() {
    let world = World::after_unknown_outcome().await;
    let former = world.customer().await.id;
    let survivor = world.business.contact(&world.aws, "+971502222222").await.id;
    world.business.merge(&world.aws, survivor, former).await;
    assert_eq!(world.twilio(greeted_call()).await, Done::Now);
    let (calls, messages) = world.history().await;
    let [call] = &calls[..] else { panic!("{calls:#?}") };
    assert_eq!((call.id.contact(), call.decided_again), (former, 1));
    assert_eq!(call.message, Some(messages[0].id));
    let customer = world.customer().await;
    assert_eq!((customer.id, customer.calls), (survivor, 1));
    assert_eq!(customer.open[0].message, messages[0].id);
    // Another call is the survivor's.
    world.telephony("C2", missed_call_facts(CUSTOMER)).await;
    let (calls, _) = world.history().await;
    assert!(calls.iter().any(|call| call.id.contact() == survivor));
    assert_eq!(world.customer().await.calls, 2);
}

#[tokio::test]
async fn call_is_decided_again_once_its_outcome_is_known() {
    let world = World::after_unknown_outcome().await;
    let call = world.call().await;
    assert_eq!((call.outcome, call.message), (Outcome::Unknown, None));
    // The report of the ringing call was queued for that long: nobody could have picked up.
    let job = world.business.twilio_report(&world.aws, "CA1", greeted_call());
    assert_eq!(world.work(job.clone()).await, Done::Now);
    let (calls, messages) = world.history().await;
    let [call] = &calls[..] else { panic!("{calls:#?}") };
    assert_eq!((call.outcome, call.reason.as_str()), (Outcome::Missed, "follow_up"));
    assert!(call.grounds.new_caller, "this call is not one before it");
    assert_eq!(call.message, Some(messages[0].id));
    assert_eq!(call.decided_again, 1, "its counters depend on it");
    assert!(
        call.remarks[0].text.contains("did not say how the call ended"),
        "{:?}",
        call.remarks
    );
    assert_eq!(world.customer().await.calls, 1, "counted once");
    assert_eq!(world.take_send_jobs().await.len(), 1);
    // Repeating the same reports, in any order, changes nothing.
    for facts in [greeted_call(), completed_call(), dialled_call(DialStatus::NoAnswer)] {
        world.twilio(facts).await;
    }
    assert_eq!(world.work(job).await, Done::Already);
    assert_eq!(
        (world.history().await.1.len(), world.take_send_jobs().await.len()),
        (1, 0)
    );
    assert_eq!(world.customer().await.calls, 1);
}

/// The call was decided with an unknown outcome before the reports arrived.
#[tokio::test]
async fn late_concurrent_reports_of_an_undecided_call_send_once() {
    let world = World::after_unknown_outcome().await;
    let reports = [
        ringing(),
        dialled_call(DialStatus::Busy),
        dialled_call(DialStatus::NoAnswer),
        recorded_call(),
    ];
    let report = |facts: &CallFacts| world.business.twilio_report(&world.aws, "CA1", facts.clone());
    world.work_at_once(reports.iter().chain(&reports).map(report)).await;
    let (calls, messages) = world.history().await;
    assert_eq!((calls.len(), messages.len()), (1, 1));
    assert_eq!(calls[0].message, Some(messages[0].id));
    assert_eq!(world.customer().await.calls, 1);
    assert_eq!(world.take_send_jobs().await.len(), 1);
}

#[tokio::test]
async fn a_late_end_cancels_no_follow_up_of_a_later_call() {
    let world = World::after_unknown_outcome().await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    world.twilio(dialled_call(DialStatus::Answered)).await;
    let (calls, messages) = world.history().await;
    assert_eq!(calls[0].outcome, Outcome::Answered);
    assert_eq!((messages.len(), messages[0].ended.as_ref()), (1, None));
}

#[tokio::test]
async fn call_without_a_dial_result_is_decided_after_a_minute() {
    let world = World::new().await;
    world.twilio(ringing()).await;
    assert_eq!(world.looks().await, 0, "four hours are for the due index");
    let job = world.business.twilio_report(&world.aws, "CA1", completed_call());
    assert_eq!(world.work(job.clone()).await, Done::Now);
    assert_eq!(world.looks().await, 1);
    let now: Vec<jobs::CallJob> = world.aws.take_jobs(kit::QueueName::Calls).await;
    assert!(now.is_empty(), "held back: {now:?}");
    // Repeating the report changes nothing, unless its worker may have died before it queued the job.
    assert_eq!(world.work(job.clone()).await, Done::Already);
    assert_eq!(world.looks().await, 1);
    assert_eq!(world.receive_job(job, 2).await, Done::Already);
    assert_eq!(world.looks().await, 2);
    // Two jobs, and another one from the dispatcher: one decision.
    world.aws.pass(60);
    assert_eq!(world.work(world.decide()).await, Done::Now);
    for _ in 0..2 {
        assert_eq!(world.work(world.decide()).await, Done::Already);
    }
    assert_eq!(world.call().await.outcome, Outcome::Abandoned);
    assert_eq!(world.take_send_jobs().await.len(), 1);
    assert_eq!(world.looks().await, 2, "a look leads to no other");
}

#[tokio::test]
async fn a_dial_result_within_the_minute_decides() {
    let world = World::new().await;
    world.twilio(ringing()).await;
    world.twilio(completed_call()).await;
    world.aws.pass(30);
    world.twilio(dialled_call(DialStatus::NoAnswer)).await;
    assert_eq!(world.call().await.outcome, Outcome::Missed);
    world.aws.pass(60);
    assert_eq!(world.work(world.decide()).await, Done::Already);
    assert_eq!(world.take_send_jobs().await.len(), 1);
}

#[tokio::test]
async fn waiting_call_is_due_at_its_time_until_decided() {
    let world = World::new().await;
    world.twilio(ringing()).await;
    world.twilio(completed_call()).await;
    assert_eq!(world.count_due().await, 0);
    world.aws.pass(60);
    assert_eq!(world.count_due().await, 1);
    world.work(world.decide()).await;
    assert_eq!(world.call().await.outcome, Outcome::Abandoned);
    // Only the follow-up's own due time is left, later.
    assert_eq!(world.count_due().await, 0);
}

#[tokio::test]
async fn deciding_an_unreported_call_does_nothing() {
    let world = World::new().await;
    assert_eq!(world.work(world.decide()).await, Done::Already);
    assert_eq!(world.progress().await, None);
}

#[tokio::test]
async fn two_telephone_systems_may_use_the_same_call_id() {
    let world = World::new().await;
    let facts = missed_call_facts(CUSTOMER);
    world.telephony("17", facts.clone()).await;
    world.work(world.business.twilio_report(&world.aws, "17", facts)).await;
    assert_eq!(world.history().await.0.len(), 2);
}

#[tokio::test]
async fn call_id_reused_after_months_is_a_new_call() {
    let world = World::new().await;
    let facts = missed_call_facts(CUSTOMER);
    world.telephony("17", facts.clone()).await;
    world.aws.pass(61 * 24 * 3600);
    world.telephony("17", facts).await;
    assert_eq!(world.history().await.0.len(), 2);
    assert_eq!(world.take_send_jobs().await.len(), 2);
}

#[tokio::test]
async fn the_same_call_id_at_two_tenants_is_two_calls() {
    let world = World::new().await;
    let stranger = Box::pin(testkit::business::business(&world.aws)).await;
    let facts = missed_call_facts(CUSTOMER);
    world.telephony("17", facts.clone()).await;
    world.work(stranger.telephony_report(&world.aws, "17", facts)).await;
    let (calls, messages) = world.history().await;
    assert_eq!((calls.len(), messages.len()), (1, 1));
    let jobs = world.take_send_jobs().await;
    let mut tenants: Vec<_> = jobs.iter().map(|job| job.tenant).collect();
    tenants.sort();
    let mut both = vec![world.business.tenant(), stranger.tenant()];
    both.sort();
    assert_eq!(tenants, both);
    // Neither tenant can name the other's rows.
    let (store, now) = (world.aws.store(), world.aws.now());
    let theirs = stranger.scope();
    assert_eq!(store.call(theirs, calls[0].id, now).await.unwrap(), None);
    assert_eq!(store.message(theirs, messages[0].id, now).await.unwrap(), None);
}

#[tokio::test]
async fn a_redelivery_after_a_lost_enqueue_queues_the_message() {
    let world = World::new().await;
    let job = world
        .business
        .telephony_report(&world.aws, "17", missed_call_facts(CUSTOMER));
    world.work(job.clone()).await;
    // The process died before the message was queued.
    assert_eq!(world.take_send_jobs().await.len(), 1);
    assert_eq!(world.receive_job(job.clone(), 2).await, Done::Already);
    let queued = world.take_send_jobs().await;
    let (_, messages) = world.history().await;
    assert_eq!(queued.len(), 1);
    assert_eq!((queued[0].message, queued[0].attempt), (messages[0].id, 1));
    // A message in progress is not queued again.
    world.claim_next_leg(messages[0].clone()).await;
    world.receive_job(job, 3).await;
    assert!(world.take_send_jobs().await.is_empty());
}

#[tokio::test]
async fn message_that_was_never_queued_becomes_due() {
    let world = World::new().await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    world.take_send_jobs().await;
    world.aws.pass(90);
    assert_eq!(world.count_due().await, 1);
}

#[tokio::test]
async fn late_report_of_an_answer_cancels_the_unsent_message() {
    let world = World::with(|configured| configured.rules[0].then.delay_seconds = Whole::nearest(300)).await;
    world.twilio(dialled_call(DialStatus::NoAnswer)).await;
    world.twilio(dialled_call(DialStatus::Answered)).await;
    let (calls, messages) = world.history().await;
    assert_eq!(messages[0].state(), domain::messages::MessageState::Cancelled);
    assert!(calls[0].remarks[0].text.contains("answered"), "{:?}", calls[0].remarks);
    assert_eq!(world.customer().await.open, []);
}

#[tokio::test]
async fn lost_response_of_the_table_decides_nothing_twice() {
    let world = World::new().await;
    let lossy = Lossy::before(&world.aws);
    let ctx = Context::new(&world.aws.env_behind(lossy.url())).unwrap();
    for (operation, facts) in [
        ("PutItem", ringing()),
        ("TransactWriteItems", dialled_call(DialStatus::NoAnswer)),
        ("PutItem", recorded_call()),
    ] {
        lossy.lose(operation);
        let job = world.business.twilio_report(&world.aws, "CA1", facts);
        Box::pin(handle(Job::new(job, 1), &ctx)).await.unwrap();
        assert!(lossy.has_lost_all(), "{operation}");
    }
    let call = world.call().await;
    assert_eq!(call.facts.voicemail_seconds, Some(14));
    assert_eq!(call.remarks.len(), 1);
    assert_eq!(world.history().await.1.len(), 1);
    assert_eq!(world.take_send_jobs().await.len(), 1);
}
