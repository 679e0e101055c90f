//! Unknown outcomes: settled by evidence, never repeated blindly.

use domain::calls::MessageRef;
use domain::messages::{AttemptState, Evidence, Message, MessageState};
use domain::people::Contact;
use domain::tenants::Connection;
use domain::terms::{Channel, WhenUnknown, Whole};
use jiff::SignedDuration;
use kit::{Done, Job};
use serde_json::json;
use testkit::Reply;
use testkit::business::{CUSTOMER, LINE, phone};
use testkit::provider::Request;

use super::world::{World, handle_job, has_attempts, is};

const EVENTS: &str = "PROVIDER_EVENTS_QUEUE_URL";

/// The default deadline for an unknown outcome.
const DEADLINE: i64 = 600;

#[tokio::test]
async fn broken_connection_is_an_unknown_outcome_and_sends_once() {
    let world = World::new().await;
    let message = unknown(&world).await;
    assert_eq!(message.due, Some(world.aws.now() + SignedDuration::from_secs(DEADLINE)));
    world.aws.pass(DEADLINE - 1);
    assert_eq!(world.work(&message).await.unwrap(), Done::Already);
    assert_eq!(world.provider.sends().len(), 1);
}

#[tokio::test]
async fn response_after_the_time_limit_is_an_unknown_outcome() {
    let world = World::new().await;
    let message = world.follow_up().await;
    // Never released: the one test that really waits, for the shortest possible time.
    world.provider.reply(Reply::Held);
    let ctx = world.process_with(&[("PROVIDER_TIMEOUT", "1")]);
    handle_job(world.job(&message), &ctx).await;
    is(&world.message(&message).await, MessageState::Unknown);
}

#[tokio::test]
async fn server_error_is_an_unknown_outcome() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::Answer(502, vec![], json!("bad gateway")));
    is(&world.work_and_read(&message).await, MessageState::Unknown);
}

#[tokio::test]
async fn status_with_our_key_settles_an_unknown_outcome() {
    let world = World::new().await;
    let message = unknown(&world).await;
    world.apply_report(&message, AttemptState::Delivered, "wamid.9").await;
    world.aws.pass(DEADLINE);
    assert_eq!(world.work(&message).await.unwrap(), Done::Already);
    is(&world.message(&message).await, MessageState::Delivered);
    assert_eq!(world.provider.sends().len(), 1);
}

#[tokio::test]
async fn unknown_outcome_falls_back_at_the_deadline() {
    let world = World::new().await;
    let message = unknown(&world).await;
    world.aws.pass(DEADLINE);
    let message = world.work_and_read(&message).await;
    has_attempts(&message, &[AttemptState::Unknown, AttemptState::Accepted]);
    assert!(message.remarks[0].text.contains("never said"), "{:?}", message.remarks);
    // Late reports still count.
    world.aws.pass(10);
    let timers = world.aws.env().config().timers().unwrap();
    let mut late = message;
    assert!(late.apply(
        1,
        world.report(AttemptState::Delivered, "wamid.9"),
        world.aws.now(),
        &timers
    ));
    has_attempts(&late, &[AttemptState::Delivered, AttemptState::Accepted]);
}

#[tokio::test]
async fn deadline_waits_for_queued_reports() {
    let world = World::new().await;
    let message = unknown(&world).await;
    world.aws.pass(DEADLINE);
    world.aws.fill_queue(EVENTS, 11).await;
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Unknown);
    assert!(message.due > Some(world.aws.now()), "looked at again");
    assert_eq!(world.provider.sends().len(), 1);
    // As long again at most: nobody knows which tenant's messages the reports are about.
    world.aws.pass(DEADLINE - 1);
    is(&world.work_and_read(&message).await, MessageState::Unknown);
    world.aws.pass(1);
    is(&world.work_and_read(&message).await, MessageState::Accepted);
    assert_eq!(world.provider.sends().len(), 2);
}

/// The claim of a dead worker is found half an hour later, when a wait that counts from the claim would be over.
#[tokio::test]
async fn bulk_deadline_waits_for_queued_reports_too() {
    let world = World::new().await;
    let message = world.bulk_follow_up().await;
    let message = world.claim_next_leg(message).await;
    world.aws.pass(1800);
    is(&world.work_and_read(&message).await, MessageState::Unknown);
    world.aws.fill_queue(EVENTS, 11).await;
    world.aws.pass(90);
    is(&world.work_and_read(&message).await, MessageState::Unknown);
    // As long as in the other lane, from then on.
    world.aws.pass(2 * DEADLINE - 91);
    is(&world.work_and_read(&message).await, MessageState::Unknown);
    assert!(world.provider.sends().is_empty());
    world.aws.pass(1);
    is(&world.work_and_read(&message).await, MessageState::Accepted);
    assert_eq!(world.provider.sends().len(), 1);
}

#[tokio::test]
async fn end_of_the_wait_for_reports_is_no_proof() {
    let (world, message) = unknown_by(&[Channel::Sms]).await;
    // Twilio's list is empty, which would be proof if no reports were queued.
    world.provider.list(vec![]);
    world.aws.fill_queue(EVENTS, 11).await;
    world.aws.pass(2 * DEADLINE);
    let message = world.work_and_read(&message).await;
    assert_ne!(message.state(), MessageState::Accepted);
    assert_eq!(
        world.provider.sends().len(),
        1,
        "nothing is sent a second time by the same channel"
    );
}

#[tokio::test]
async fn reports_in_progress_do_not_delay_the_decision() {
    let world = World::new().await;
    let message = unknown(&world).await;
    world.aws.pass(DEADLINE);
    world.aws.fill_queue(EVENTS, 30).await;
    assert_eq!(world.aws.take_in_hand(EVENTS).await, 30);
    is(&world.work_and_read(&message).await, MessageState::Accepted);
}

#[tokio::test]
async fn sms_of_another_message_does_not_settle_this_one() {
    let (world, message) = unknown_sms().await;
    // To the same person, with the same text, a moment earlier; it is known to be another message's.
    let (theirs, ours) = (sid(5), sid(6));
    let other = world.follow_up_of(CUSTOMER).await;
    world.keep_reference(&other, "twilio", &theirs).await;
    let list = [&ours, &theirs].map(|sid| sms(TEXT, sid, "delivered"));
    world.provider.list(list.to_vec());
    world.aws.pass(DEADLINE);
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Delivered);
    assert_eq!(message.attempts[0].provider_ref.as_deref(), Some(&*ours));
    assert_eq!(world.provider.lookups(), 1);
}

#[tokio::test]
async fn list_with_only_another_messages_sms_is_proof() {
    let (world, message) = unknown_by(&[Channel::Sms]).await;
    let theirs = sid(5);
    let other = world.follow_up_of(CUSTOMER).await;
    world.keep_reference(&other, "twilio", &theirs).await;
    world.provider.list(vec![sms(TEXT, &theirs, "delivered")]);
    world.aws.pass(DEADLINE);
    let message = world.work_and_read(&message).await;
    has_attempts(&message, &[AttemptState::Unknown, AttemptState::Accepted]);
    assert_eq!((world.provider.lookups(), world.provider.sends().len()), (1, 2));
}

#[tokio::test]
async fn one_sms_does_not_settle_two_unknown_outcomes() {
    let (world, one) = unknown_by(&[Channel::Sms]).await;
    let other = world.follow_up_of(CUSTOMER).await;
    world.provider.reply(Reply::Break);
    is(&world.work_and_read(&other).await, MessageState::Unknown);
    world.provider.list(vec![sms(TEXT, &sid(5), "delivered")]);
    world.aws.pass(DEADLINE);
    world.work_at_once([world.job(&one), world.job(&other)]).await;
    let states = [world.message(&one).await.state(), world.message(&other).await.state()];
    let settled = states.iter().filter(|state| **state == MessageState::Delivered).count();
    assert_eq!(settled, 1, "{states:?}");
}

#[tokio::test]
async fn stop_on_unknown_outcome_tries_no_other_channel() {
    let world = World::with(|configured| configured.rules[0].then.when_unknown = Some(WhenUnknown::Stop)).await;
    let message = unknown(&world).await;
    world.aws.pass(DEADLINE);
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Failed);
    assert_eq!((world.provider.sends().len(), message.due), (1, None));
}

/// An id of Twilio's.
fn sid(number: u32) -> String {
    format!("SM{number:032}")
}

/// A message to the customer in Twilio's list.
fn sms(body: &str, sid: &str, status: &str) -> serde_json::Value {
    json!({
        "sid": sid, "status": status, "direction": "outbound-api", "from": LINE, "to": CUSTOMER, "body": body,
        "date_created": "Fri, 20 Nov 2026 12:00:01 +0000", "num_segments": "1", "error_code": null,
    })
}

const TEXT: &str = "Sorry we missed you, there. Harbour Lane, +15005550006. Reply STOP to opt out.";

async fn unknown_sms() -> (World, Message) {
    unknown_by(&[Channel::Sms, Channel::WhatsApp]).await
}

/// A message whose first send, by SMS, had an unknown outcome.
async fn unknown_by(channels: &[Channel]) -> (World, Message) {
    let world = World::with(|configured| {
        configured.rules[0].then.channels = channels.to_vec().into();
        // Others may follow at once.
        configured.rules[0].then.cooldown_seconds = Whole::nearest(0);
    })
    .await;
    let message = unknown(&world).await;
    (world, message)
}

/// A follow-up whose first send had an unknown outcome.
async fn unknown(world: &World) -> Message {
    let message = world.follow_up().await;
    world.provider.reply(Reply::Break);
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Unknown);
    message
}

#[tokio::test]
async fn twilios_list_settles_an_unknown_outcome() {
    let (world, message) = unknown_sms().await;
    let sid = sid(5);
    world.provider.list(vec![sms(TEXT, &sid, "delivered")]);
    world.aws.pass(DEADLINE);
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Delivered);
    assert_eq!(message.attempts[0].provider_ref.as_deref(), Some(&*sid));
    assert_eq!(world.provider.sends().len(), 1);
    let found = world.row_of_reference("twilio", &sid).await;
    assert!(matches!(found, Some(MessageRef::Ours { .. })));
}

/// The list is searched for the form of the number that was written to, whatever is learnt after that.
#[tokio::test]
async fn twilios_list_is_searched_for_the_form_that_was_written_to() {
    let world = World::by(&[Channel::Sms]).await;
    let [reported, typed] = ["+525512345678", "+5215512345678"].map(phone);
    let mut message = world.follow_up().await;
    message.to.phone = Some(typed.clone());
    world.write(&message).await;
    let reports_first = |contact: &mut Contact| {
        contact.phones = vec![typed.clone()];
        contact.learn_form(Channel::Sms, &reported);
    };
    world.change_contact(&message, reports_first).await;
    world.provider.reply(Reply::Break);
    is(&world.work_and_read(&message).await, MessageState::Unknown);
    let reports_another = |contact: &mut Contact| contact.learn_form(Channel::Sms, &typed);
    world.change_contact(&message, reports_another).await;
    let mut listed = sms(TEXT, &sid(5), "delivered");
    listed["to"] = reported.as_str().into();
    world.provider.list(vec![listed]);
    world.aws.pass(DEADLINE);
    let message = world.work_and_read(&message).await;
    assert_eq!(world.provider.sends().len(), 1, "{message:#?}");
    is(&message, MessageState::Delivered);
}

/// While reports wait in the queue, the list alone proves nothing.
#[tokio::test]
async fn message_not_on_twilios_list_falls_back_after_all_reports() {
    let (world, message) = unknown_sms().await;
    world.provider.list(vec![sms("Another text", &sid(5), "delivered")]);
    world.aws.pass(DEADLINE);
    world.aws.fill_queue(EVENTS, 11).await;
    is(&world.work_and_read(&message).await, MessageState::Unknown);
    world.aws.drain(kit::QueueName::ProviderEvents).await;
    let message = world.work_and_read(&message).await;
    has_attempts(&message, &[AttemptState::Unknown, AttemptState::Accepted]);
    assert_eq!(world.provider.lookups(), 2);
}

#[tokio::test]
async fn untaken_message_is_sent_again_as_a_new_attempt() {
    let (world, message) = unknown_by(&[Channel::Sms]).await;
    world.aws.pass(DEADLINE);
    let message = world.work_and_read(&message).await;
    has_attempts(&message, &[AttemptState::Unknown, AttemptState::Accepted]);
    let sends = world.provider.sends();
    let keys: Vec<_> = sends.iter().filter_map(Request::key).collect();
    assert_eq!(keys.len(), 2);
    assert!(keys[0].ends_with(".1") && keys[1].ends_with(".2"), "{keys:?}");
    assert!(
        message.remarks[0].text.ends_with("sent once more"),
        "{}",
        message.remarks[0].text
    );
    world.apply_report(&message, AttemptState::Delivered, &sid(1)).await;
    is(&world.message(&message).await, MessageState::Delivered);
}

#[tokio::test]
async fn untaken_message_is_sent_again_despite_stop_on_unknown() {
    let world = World::with(|configured| {
        configured.rules[0].then.channels = vec![Channel::Sms].into();
        configured.rules[0].then.when_unknown = Some(WhenUnknown::Stop);
    })
    .await;
    let message = unknown(&world).await;
    world.aws.pass(DEADLINE);
    is(&world.work_and_read(&message).await, MessageState::Accepted);
    assert_eq!(world.provider.sends().len(), 2);
}

#[tokio::test]
async fn untaken_message_is_never_sent_a_third_time() {
    let (world, message) = unknown_by(&[Channel::Sms]).await;
    world.provider.reply(Reply::Break);
    for _ in 0..3 {
        world.aws.pass(DEADLINE);
        world.work_and_read(&message).await;
    }
    let message = world.message(&message).await;
    is(&message, MessageState::Failed);
    assert_eq!((world.provider.sends().len(), message.due), (2, None));
}

#[tokio::test]
async fn concurrent_workers_send_an_untaken_message_again_once() {
    let (world, message) = unknown_by(&[Channel::Sms]).await;
    world.aws.pass(DEADLINE);
    world.work_at_once(vec![world.job(&message); 6]).await;
    assert_eq!(world.provider.sends().len(), 2);
    is(&world.message(&message).await, MessageState::Accepted);
}

#[tokio::test]
async fn second_send_survives_the_death_of_its_worker() {
    let (world, message) = unknown_by(&[Channel::Sms]).await;
    world.aws.pass(DEADLINE);
    let timers = world.aws.env().config().timers().unwrap();
    let mut decided = world.message(&message).await;
    decided.give_up_waiting(Evidence::NotTaken, world.aws.now(), &timers);
    world.write(&decided).await;
    assert!(decided.due.is_some(), "somebody looks again");
    is(&world.work_and_read(&message).await, MessageState::Accepted);
    assert_eq!(world.provider.sends().len(), 2);
}

#[tokio::test]
async fn without_proof_a_message_is_not_sent_again() {
    let unreachable = |world: &World| world.provider.list_nothing();
    let other_text = |world: &World| {
        world.provider.list(vec![sms("Another text", &sid(5), "delivered")]);
    };
    let cases: [&dyn Fn(&World); 2] = [&unreachable, &other_text];
    for no_proof in cases {
        let (world, message) = unknown_by(&[Channel::Sms]).await;
        no_proof(&world);
        world.aws.pass(DEADLINE);
        let message = world.work_and_read(&message).await;
        is(&message, MessageState::Failed);
        assert_eq!(world.provider.sends().len(), 1);
    }
    // The connection may belong to another account by now, which knows nothing of it.
    let (world, message) = unknown_by(&[Channel::Sms]).await;
    let renew = |connection: &mut Connection| connection.credentials_version += 1;
    world.change_connection(world.business.twilio, renew).await;
    world.aws.pass(DEADLINE);
    is(&world.work_and_read(&message).await, MessageState::Failed);
    assert_eq!(world.provider.sends().len(), 1);
    // No status could have been reported.
    let (world, message) = unknown_by(&[Channel::Sms]).await;
    let ctx = world.process_with(&[("PUBLIC_BASE_URL", "")]);
    world.aws.pass(DEADLINE);
    handle_job(world.job(&message), &ctx).await;
    is(&world.message(&message).await, MessageState::Failed);
    assert_eq!(world.provider.sends().len(), 1);
}

#[tokio::test]
async fn twilios_list_is_no_proof_while_reports_are_queued() {
    let (world, message) = unknown_by(&[Channel::Sms]).await;
    world.aws.pass(DEADLINE);
    world.aws.fill_queue(EVENTS, 11).await;
    is(&world.work_and_read(&message).await, MessageState::Unknown);
    assert_eq!(world.provider.sends().len(), 1);
    world.aws.drain(kit::QueueName::ProviderEvents).await;
    is(&world.work_and_read(&message).await, MessageState::Accepted);
    assert_eq!(world.provider.sends().len(), 2);
}

#[tokio::test]
async fn opt_out_prevents_the_second_send() {
    let (world, message) = unknown_by(&[Channel::Sms]).await;
    let now = world.aws.now();
    let source = "asked for no more messages by SMS";
    world
        .change_contact(&message, |contact| {
            contact.wish(domain::messages::OptFlag::Stop, source, now);
        })
        .await;
    world.aws.pass(DEADLINE);
    is(&world.work_and_read(&message).await, MessageState::Blocked);
    assert_eq!(world.provider.sends().len(), 1);
}

#[tokio::test]
async fn slow_write_of_a_claim_prevents_the_request() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let (lossy, ctx) = world.lossy();
    let clock = world.aws.clock().clone();
    // The response to the claim is lost, and time passes until the SDK retries.
    lossy.lose_then("PutItem", move || clock.advance(SignedDuration::from_secs(51)));
    handle_job(world.job(&message), &ctx).await;
    assert!(world.provider.sends().is_empty());
    has_attempts(&world.message(&message).await, &[AttemptState::Refused]);
    world.aws.pass(2);
    is(&world.work_and_read(&message).await, MessageState::Accepted);
    assert_eq!(world.provider.sends().len(), 1);
}

#[tokio::test]
async fn expired_claim_is_unknown_and_never_sent_again() {
    let world = World::new().await;
    // By a worker that died.
    let message = world.claim_next_leg(world.follow_up().await).await;
    assert_eq!(
        world.work(&message).await.unwrap(),
        Done::Already,
        "its worker may live"
    );
    world.aws.pass(60);
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Unknown);
    assert!(world.provider.sends().is_empty());
    world.aws.pass(DEADLINE);
    let message = world.work_and_read(&message).await;
    has_attempts(&message, &[AttemptState::Unknown, AttemptState::Accepted]);
}

#[tokio::test]
async fn expired_claim_is_settled_by_twilios_list_at_once() {
    let world = World::by(&[Channel::Sms]).await;
    let message = world.claim_next_leg(world.follow_up().await).await;
    world.provider.list(vec![sms(TEXT, &sid(5), "sent")]);
    world.aws.pass(60);
    is(&world.work_and_read(&message).await, MessageState::Sent);
    assert!(world.provider.sends().is_empty());
}

#[tokio::test]
async fn status_before_our_record_is_merged() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let status = async {
        world.apply_report(&message, AttemptState::Sent, "wamid.1").await;
        world.apply_report(&message, AttemptState::Delivered, "wamid.1").await;
    };
    world.work_while(&world.ctx, &message, status, Reply::Accept).await;
    is(&world.message(&message).await, MessageState::Delivered);
    let found = world.row_of_reference("whatsapp", "wamid.1").await;
    assert!(matches!(found, Some(MessageRef::Ours { .. })));
}

#[tokio::test]
async fn parked_reports_are_merged_when_the_send_is_recorded() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let (mut before, reference) = ((Vec::new(), None), "wamid.1".parse().unwrap());
    for state in [AttemptState::Read, AttemptState::Delivered] {
        let report = world.report(state, "wamid.1");
        let (reports, version) = before;
        let parked = store.park_report(scope, "whatsapp", &report, reports, version, now);
        parked.await.unwrap();
        let found = store.message_ref(scope, "whatsapp", &reference, now).await;
        before = match found.unwrap() {
            Some((MessageRef::Parked { reports }, version)) => (reports, Some(version)),
            other => panic!("{other:?}"),
        };
    }
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Read);
    assert_eq!(message.due, None);
    let found = world.row_of_reference("whatsapp", "wamid.1").await;
    assert!(matches!(found, Some(MessageRef::Ours { attempt: 1, .. })), "{found:?}");
}

#[tokio::test]
async fn refusal_after_a_status_changes_nothing() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let status = world.apply_report(&message, AttemptState::Delivered, "wamid.1");
    let refusal = Reply::graph(400, 131026);
    world.work_while(&world.ctx, &message, status, refusal).await;
    is(&world.message(&message).await, MessageState::Delivered);
    assert_eq!(world.copies().await, 0);
}

#[tokio::test]
async fn customer_writing_during_the_send_cancels_the_sms() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let wrote = async {
        let mut message = world.message(&message).await;
        assert!(message.cancel("no further channel: the customer wrote".to_owned()));
        world.write(&message).await;
    };
    world.work_while(&world.ctx, &message, wrote, Reply::Accept).await;
    let message = world.message(&message).await;
    has_attempts(&message, &[AttemptState::Accepted]);
    assert_eq!(message.due, None);
    world.aws.pass(DEADLINE);
    assert_eq!(world.work(&message).await.unwrap(), Done::Already);
}

#[tokio::test]
async fn copy_during_another_workers_send_is_dropped() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let other = world.another_process();
    let late = async {
        let stale = handle_job(world.job(&message), &other).await;
        let current = world.message(&message).await;
        let fresh = handle_job(Job::new(world.job(&current).body, 3), &other).await;
        (stale, fresh)
    };
    let late = world.work_while(&world.ctx, &message, late, Reply::Accept).await;
    assert_eq!(late, (Done::Already, Done::Already));
    assert_eq!(world.provider.sends().len(), 1);
}
