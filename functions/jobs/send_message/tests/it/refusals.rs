//! Effects of a provider's refusal: on the message, the person, the number, the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::calls::Entry;
use domain::messages::{
    AttemptState, Content, Message, MessageState, Next, OptFlag, SendOutcome, Stage, classify_error,
};
use domain::people::Identity;
use domain::templates::TemplateStatus;
use domain::tenants::{Account, Health};
use domain::terms::{Api, Category, Channel, Narrowing, OperationKind, Policy, Purpose, Reason, SmsText, Whole};
use jiff::SignedDuration;
use jobs::SendMessage;
use kit::{Done, Job};
use send_message::{MAX_ROUNDS, handle};
use serde_json::json;
use testkit::Reply;
use testkit::business::{mobile, phone, read};

use super::world::{World, attempts, handle_job, has_attempts, is};

/// The contact remembers that the channel does not reach them.
#[tokio::test]
async fn permanent_refusal_queues_the_next_channel() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::graph(400, 131026));
    let message = world.work_and_read(&message).await;
    has_attempts(&message, &[AttemptState::Refused]);
    assert_eq!(world.take_send_jobs().await, [world.next_attempt_job(&message)]);
    let contact = world.contact(&message).await;
    let unreachable = contact.unreachable_on(Channel::WhatsApp, message.to.phone.as_ref());
    assert!(unreachable.is_some());
    let message = world.work_and_read(&message).await;
    has_attempts(&message, &[AttemptState::Refused, AttemptState::Accepted]);
}

/// WhatsApp is not asked about a country's rules for SMS.
#[tokio::test]
async fn rule_of_a_country_refuses_sms_until_it_is_confirmed() {
    let (india, channels) = ("+919876543210", [Channel::Sms]);
    let world = World::by(&channels).await;
    let message = world.work_and_read(&world.follow_up_of(india).await).await;
    is(&message, MessageState::Failed);
    let error = message.last().and_then(|last| last.error.as_ref()).expect("a reason");
    let because = error.because.as_ref().expect("a code");
    assert_eq!(because.code, Reason::CountryRule);
    assert_eq!(
        json!(because.facts),
        json!({"country": "IN", "rule": "registration", "sureness": "third_party"})
    );
    assert!(world.provider.sends().is_empty());

    let world = World::with(|configured| {
        configured.rules[0].then.channels = channels.to_vec().into();
        for connection in &mut configured.connections {
            if let Account::Twilio(twilio) = &mut connection.account {
                twilio.confirmed_rules = read(json!([{"country": "IN", "rule": "registration"}]));
            }
        }
    })
    .await;
    let message = world.work_and_read(&world.follow_up_of(india).await).await;
    is(&message, MessageState::Accepted);
    assert_eq!(message.remarks, []);

    let world = World::new().await;
    let message = world.work_and_read(&world.follow_up_of(india).await).await;
    is(&message, MessageState::Accepted);
}

/// Where only others say that it does not arrive, it is sent, and the message says so.
#[tokio::test]
async fn doubtful_rule_of_a_country_is_remarked_once() {
    let text = "{{tenant.name}}: order at https://harbour-lane.example";
    let world = World::with(|configured| {
        configured.rules[0].then.channels = vec![Channel::Sms].into();
        configured.rules[0].then.sms_text = Some(SmsText::One(text.to_owned()));
    })
    .await;
    let message = world.follow_up_of("+905321234567").await;
    world.provider.reply(Reply::twilio(429, 20429));
    let message = world.work_and_read(&message).await;
    has_attempts(&message, &[AttemptState::Refused]);
    world.aws.pass(60);
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Accepted);
    assert_eq!(message.attempts[0].tries, 2);
    let codes = message
        .remarks
        .iter()
        .map(|remark| remark.because.as_ref().map(|because| because.code));
    assert_eq!(codes.collect::<Vec<_>>(), [Some(Reason::CountryRule)]);
}

/// The outcome of a broadcast delays no answers.
#[tokio::test]
async fn bulk_message_is_queued_again_in_its_lane() {
    let world = World::new().await;
    let message = world.bulk_follow_up().await;
    world.provider.reply(Reply::graph(400, 131026));
    world.work_and_read(&message).await;
    let bulk = world.aws.depth(kit::QueueName::BulkSends).await;
    assert_eq!((bulk, world.copies().await), (1, 0));
}

#[tokio::test]
async fn refusal_by_the_person_blocks_every_channel() {
    let world = World::by(&[Channel::Sms, Channel::WhatsApp]).await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::twilio(400, 21610));
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Blocked);
    assert!(world.contact(&message).await.opted_out().is_some());
    assert_eq!(world.copies().await, 0);
}

/// Which passes the stop word and nothing else does. Whoever asks for messages again in between gets no confirmation.
#[tokio::test]
async fn only_its_confirmation_is_sent_after_a_stop() {
    for (purpose, restarts, state) in [
        (Purpose::StopConfirmation, false, MessageState::Accepted),
        (Purpose::StopConfirmation, true, MessageState::Blocked),
        (Purpose::AutoReply, false, MessageState::Blocked),
    ] {
        let world = World::by(&[Channel::WhatsApp]).await;
        let mut message = world.follow_up().await;
        message.policy = Policy::for_purpose(purpose, Category::Service, &Narrowing::default()).unwrap();
        message.plan[0].content = Content::Text("You will get no more messages.".to_owned());
        world.write(&message).await;
        let now = world.aws.now();
        world
            .change_contact(&message, |contact| {
                contact.wish(OptFlag::Stop, "wrote STOP", now);
                if restarts {
                    contact.wish(OptFlag::Start, "wrote START", now + SignedDuration::from_secs(1));
                }
                contact.last_inbound_at = Some(now);
                contact.open_window(&phone("+447700900999"), &contact.recipient(), now);
            })
            .await;
        is(&world.work_and_read(&message).await, state);
    }
}

/// A reply may have waited for others in the meantime.
#[tokio::test]
async fn free_text_is_sent_within_the_window_only() {
    for (seconds, state) in [(9, MessageState::Accepted), (10, MessageState::Failed)] {
        let world = World::by(&[Channel::WhatsApp]).await;
        let mut message = world.follow_up().await;
        message.policy = Policy::for_purpose(Purpose::Reply, Category::Service, &Narrowing::default()).unwrap();
        message.plan[0].content = Content::Text("Yes, for four at eight.".to_owned());
        world.write(&message).await;
        let now = world.aws.now();
        world
            .change_contact(&message, |contact| {
                // By SMS, which opens no window.
                contact.last_inbound_at = Some(now);
                let opened = now - SignedDuration::from_hours(24) + SignedDuration::from_secs(10);
                contact.open_window(&phone("+447700900999"), &contact.recipient(), opened);
            })
            .await;
        world.aws.pass(seconds);
        is(&world.work_and_read(&message).await, state);
    }
}

#[tokio::test]
async fn refusal_by_the_person_reaches_their_other_contacts() {
    let world = World::by(&[Channel::Sms]).await;
    let other = world.business.contact(&world.aws, "+971501234568").await;
    let message = world.follow_up().await;
    world
        .change_contact(&message, |contact| contact.is_also([other.id]))
        .await;
    world.provider.reply(Reply::twilio(400, 21610));
    is(&world.work_and_read(&message).await, MessageState::Blocked);
    assert!(world.contact(&message).await.opted_out().is_some());
    let found = world.contact_of(&Identity::Phone(phone("+971501234568"))).await;
    assert!(found.unwrap().opted_out().is_some());
    let told = world.entries(other.id).await;
    assert!(
        matches!(&told[..], [Entry::Consent(entry)] if entry.repeats),
        "{told:?}"
    );
}

#[tokio::test]
async fn throttling_pauses_the_number_for_the_providers_retry_after() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world
        .provider
        .reply(Reply::graph(429, 130429).header("Retry-After", "30"));
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Scheduled);
    let until = world.aws.now() + SignedDuration::from_secs(30);
    assert_eq!(message.not_before, until);
    assert_eq!(
        world.connection(world.business.whatsapp).await.paused_until,
        Some(until)
    );
    // Another customer's message waits without a request.
    let other = world.follow_up_of("+971501234568").await;
    let other = world.work_and_read(&other).await;
    assert!(other.not_before >= until && other.not_before <= until + SignedDuration::from_secs(6));
    assert_eq!(world.provider.sends().len(), 1);
    world.aws.pass(36);
    is(&world.work_and_read(&other).await, MessageState::Accepted);
    is(&world.work_and_read(&message).await, MessageState::Accepted);
}

#[tokio::test]
async fn pause_preserves_a_concurrent_configuration() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let whatsapp = world.business.whatsapp;
    let rename = world.change_connection(whatsapp, |connection| connection.name = "Renamed".to_owned());
    // It reaches the limit with the old state of the connection.
    let too_fast = Reply::graph(429, 130429);
    world.work_while(&world.ctx, &message, rename, too_fast).await;
    let connection = world.connection(whatsapp).await;
    assert_eq!(connection.name, "Renamed");
    assert!(connection.paused_until.is_some());
}

#[tokio::test]
async fn a_long_pause_sends_the_message_by_the_next_channel() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world
        .provider
        .reply(Reply::graph(429, 130429).header("Retry-After", "3600"));
    world.work_and_read(&message).await;
    let message = world.work_and_read(&message).await;
    assert_eq!(
        message.attempts.last().map(|last| last.state),
        Some(AttemptState::Accepted)
    );
    assert!(!world.provider.sends()[1].is_graph());
}

#[tokio::test]
async fn unreachable_server_is_retried_and_then_given_up() {
    let world = World::with(|configured| {
        configured.rules[0].then.channels = vec![Channel::WhatsApp].into();
        configured.rules[0].then.fallback_after_seconds = Whole::nearest(0);
    })
    .await;
    let message = world.follow_up().await;
    let nowhere = "http://127.0.0.1:9";
    let ctx = world.process_with(&[("GRAPH_API_URL", nowhere), ("TWILIO_API_URL", nowhere)]);
    for attempt in 1..=8 {
        let current = world.message(&message).await;
        assert_eq!(current.next_number(), attempt);
        handle_job(world.job(&current), &ctx).await;
        // An hour at most, plus or minus a fifth.
        world.aws.pass(4320);
    }
    let message = world.message(&message).await;
    is(&message, MessageState::Failed);
    assert_eq!((message.attempts.len(), message.due), (1, None));
}

/// Its messages wait, also those of other customers, and no further request is made.
#[tokio::test]
async fn refused_credentials_make_the_connection_unhealthy() {
    let world = World::by(&[Channel::WhatsApp]).await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::graph(401, 190));
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Scheduled);
    let recheck = world.aws.now() + SignedDuration::from_secs(300);
    assert_eq!(message.not_before, recheck);
    let health = world.connection(world.business.whatsapp).await.health;
    assert!(matches!(health, Health::Unhealthy { .. }), "{health:?}");
    // Other messages wait without a request.
    let other = world.follow_up_of("+971501234568").await;
    let other = world.work_and_read(&other).await;
    is(&other, MessageState::Scheduled);
    assert!(other.remarks[0].text.contains("does not work"), "{:?}", other.remarks);
    assert_eq!(world.provider.sends().len(), 1);
}

/// Follow-ups to this many customers.
async fn follow_ups(world: &World, customers: usize) -> Vec<Message> {
    let mut messages = Vec::new();
    for customer in 0..customers {
        messages.push(world.follow_up_of(&mobile(customer)).await);
    }
    messages
}

/// All other messages wait for the result of the probe.
#[tokio::test]
async fn one_message_probes_an_unhealthy_connection() {
    let world = World::by(&[Channel::WhatsApp]).await;
    let messages = follow_ups(&world, 6).await;
    world.provider.reply(Reply::graph(401, 190));
    for message in &messages {
        world.work_and_read(message).await;
    }
    assert_eq!(world.provider.sends().len(), 1);
    world.aws.pass(300);
    world.provider.reply(Reply::graph(401, 190));
    let mut copies = Vec::new();
    for message in &messages {
        copies.push(world.job(&world.message(message).await));
    }
    world.work_at_once(copies).await;
    assert_eq!(world.provider.sends().len(), 2, "one probe");
    // It works again: the probe shows it, and all others follow.
    world.aws.pass(300);
    for message in &messages {
        world.work_and_read(message).await;
    }
    world.aws.pass(300);
    for message in &messages {
        world.work_and_read(message).await;
        is(&world.message(message).await, MessageState::Accepted);
    }
    assert_eq!(world.connection(world.business.whatsapp).await.health, Health::Healthy);
}

#[tokio::test]
async fn renewed_credentials_release_waiting_messages() {
    let world = World::by(&[Channel::WhatsApp]).await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::graph(401, 190));
    world.work_and_read(&message).await;
    world.renew_whatsapp().await;
    world.aws.pass(300);
    is(&world.work_and_read(&message).await, MessageState::Accepted);
    assert_eq!(world.provider.sends()[1].authorization, "Bearer renewed");
}

#[tokio::test]
async fn error_of_old_credentials_does_not_affect_new_ones() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let whatsapp = world.business.whatsapp;
    let renew = world.change_connection(whatsapp, |connection| connection.credentials_version += 1);
    let refused = Reply::graph(401, 190);
    world.work_while(&world.ctx, &message, renew, refused).await;
    assert_eq!(world.connection(whatsapp).await.health, Health::Healthy);
}

#[tokio::test]
async fn message_waiting_for_three_days_is_blocked() {
    let world = World::by(&[Channel::WhatsApp]).await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::graph(401, 190));
    world.work_and_read(&message).await;
    world.aws.pass(72 * 3600);
    is(&world.work_and_read(&message).await, MessageState::Blocked);
    assert_eq!(world.work(&message).await.unwrap(), Done::Already);
    assert_eq!(world.provider.sends().len(), 1);
}

#[tokio::test]
async fn unhealthy_connection_does_not_delay_the_sms() {
    let world = World::new().await;
    let messages = follow_ups(&world, 5).await;
    // The token has expired: one message finds out, the others are told.
    world.provider.reply(Reply::graph(401, 190));
    for message in &messages {
        let mut message = world.work_and_read(message).await;
        while message.last().is_some_and(|last| last.state == AttemptState::Refused) {
            message = world.work_and_read(&message).await;
        }
        is(&message, MessageState::Accepted);
        assert_eq!(message.last().map(|last| last.leg), Some(1));
    }
    let sends = world.provider.sends();
    assert_eq!(sends.iter().filter(|send| send.is_graph()).count(), 1);
    assert_eq!(sends.len(), 6);
}

#[tokio::test]
async fn wait_for_a_connection_ends_at_the_fallback_deadline() {
    let world = World::with(|configured| configured.rules[0].then.fallback_after_seconds = Whole::nearest(30)).await;
    let env = world.provider.env_with(&world.aws, &[("RECHECK_SECONDS", "10")]);
    let ctx = send_message::Context::new(&env).unwrap();
    let timers = env.config().timers().unwrap();
    let message = world.follow_up().await;
    let begun = world.aws.now();
    loop {
        let current = world.message(&message).await;
        if current.last().is_some_and(|last| last.leg == 1) {
            is(&current, MessageState::Accepted);
            break;
        }
        if current.next(world.aws.now(), &timers)
            == (Next::Try {
                leg: 0,
                number: current.next_number(),
            })
        {
            world.provider.reply(Reply::graph(401, 190));
        }
        handle_job(world.job(&current), &ctx).await;
        let wait = world.message(&message).await.not_before.duration_since(world.aws.now());
        world.aws.pass(wait.as_secs().max(0) + 1);
    }
    assert!(world.aws.now() <= begun + SignedDuration::from_secs(32));
}

#[tokio::test]
async fn message_waiting_for_its_connection_stays_in_the_table() {
    let world = World::by(&[Channel::WhatsApp]).await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::graph(401, 190));
    let message = world.work_and_read(&message).await;
    assert!(message.due.is_some());
    assert_eq!(world.copies().await, 0);
    // Jobs do not circulate endlessly for short waits either.
    let world = World::by(&[Channel::WhatsApp]).await;
    let whatsapp = world.business.whatsapp;
    let message = world.follow_up().await;
    for round in 0..=MAX_ROUNDS {
        assert_eq!(world.copies().await, u64::from(round));
        // Other messages keep the number busy.
        let until = world.aws.now() + SignedDuration::from_secs(10);
        let pause = world.change_connection(whatsapp, |connection| connection.paused_until = Some(until));
        pause.await;
        let copy = SendMessage {
            rounds: round,
            ..world.job(&world.message(&message).await).body
        };
        handle_job(Job::new(copy, 1), &world.ctx).await;
        world.aws.pass(12);
    }
    // Lambda ends a loop between a function and its queue after 16 rounds.
    assert_eq!(world.copies().await, u64::from(MAX_ROUNDS));
    assert!(world.message(&message).await.due.is_some(), "the dispatcher goes on");
}

/// The message after Twilio refused it because the person wrote STOP to the sender.
fn refused_by_the_person(world: &World, message: &Message, credentials: u64) -> Message {
    let timers = world.aws.env().config().timers().expect("timers");
    let mut recorded = message.clone();
    let now = world.aws.now();
    let key = recorded.claim(0, "claim".to_owned(), now, &timers);
    recorded.claimed_under(credentials);
    let code = Some(21610);
    let refused = SendOutcome::Refused {
        code,
        classified: classify_error(Api::Twilio, Stage::Answer, None, code),
        reason: "Twilio refused it: the person wrote STOP to this sender (code 21610).".to_owned(),
        because: None,
        retry_after: None,
    };
    recorded.record(key.attempt, refused, now, &timers);
    recorded
}

#[tokio::test]
async fn effects_of_a_refusal_survive_the_death_of_its_worker() {
    let world = World::by(&[Channel::Sms, Channel::WhatsApp]).await;
    let message = world.follow_up().await;
    let job = world.job(&message).body;
    // It recorded that the person wrote STOP to the sender, and died.
    let credentials = world.connection(world.business.twilio).await.credentials_version;
    let recorded = refused_by_the_person(&world, &message, credentials);
    world.write(&recorded).await;
    let again = handle_job(Job::new(job.clone(), 2), &world.ctx).await;
    assert_eq!(again, Done::Already);
    let contact = world.contact(&message).await;
    assert!(contact.opted_out().is_some());
    // Another repetition changes nothing.
    handle_job(Job::new(job, 3), &world.ctx).await;
    assert_eq!(world.contact(&message).await, contact);
    assert!(world.provider.sends().is_empty());
}

/// The credentials have changed by then: a refusal under the old ones still says what the person wants.
#[tokio::test]
async fn opt_out_counts_after_the_credentials_are_renewed() {
    let world = World::by(&[Channel::Sms, Channel::WhatsApp]).await;
    let message = world.follow_up().await;
    let credentials = world.connection(world.business.twilio).await.credentials_version;
    let recorded = refused_by_the_person(&world, &message, credentials + 1);
    world.write(&recorded).await;
    handle_job(Job::new(world.job(&message).body, 2), &world.ctx).await;
    assert!(world.contact(&message).await.opted_out().is_some());
}

#[tokio::test]
async fn a_stop_between_check_and_claim_is_obeyed() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.work_interrupted_by_stop(&message).await;
    is(&world.message(&message).await, MessageState::Blocked);
}

/// Before each of the worker's requests to AWS in turn. Nothing can be stopped any more once it is at the provider.
#[tokio::test]
async fn a_stop_at_any_time_before_the_send_is_obeyed() {
    let world = World::new().await;
    let (mut obeyed, mut late) = (0, 0);
    for requests in 0.. {
        let message = world.follow_up_of(&mobile(requests)).await;
        let (lossy, ctx) = world.lossy();
        let (store, scope) = (world.aws.store(), world.business.scope().clone());
        let (provider, sent, now) = (world.provider.clone(), world.provider.sends().len(), world.aws.now());
        let was_sent = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&was_sent);
        lossy.happens_after(requests, async move || {
            told.store(provider.sends().len() > sent, Ordering::Relaxed);
            let contact = store.contact(&scope, message.id.contact()).await.unwrap();
            let mut contact = contact.unwrap();
            contact.wish(OptFlag::Stop, "wrote STOP", now);
            store.write_contact(&scope, &contact.into(), None).await.unwrap();
        });
        handle_job(world.job(&message), &ctx).await;
        if !lossy.has_lost_all() {
            break;
        }
        let sends = world.provider.sends().len() - sent;
        if was_sent.load(Ordering::Relaxed) {
            late += 1;
            assert_eq!(sends, 1);
        } else {
            obeyed += 1;
            assert_eq!(sends, 0, "a STOP before the request {requests} to AWS was not obeyed");
            is(&world.message(&message).await, MessageState::Blocked);
        }
    }
    assert!(obeyed >= 5 && late >= 1, "{obeyed} {late}");
}

#[tokio::test]
async fn accepted_send_is_recorded_though_the_table_is_busy() {
    let world = World::new().await;
    let (lossy, ctx) = world.lossy();
    let message = world.follow_up().await;
    let job = world.job(&message);
    world.provider.reply(Reply::Held);
    let busy = async {
        world.provider.wait_for_request().await;
        // More often than the SDK retries.
        lossy.throttle("PutItem", 5);
        world.provider.release();
    };
    let (done, ()) = tokio::join!(Box::pin(handle(job, &ctx)), busy);
    assert_eq!(done.unwrap(), Done::Now);
    assert!(lossy.has_lost_all());
    is(&world.message(&message).await, MessageState::Accepted);
    assert_eq!(world.provider.sends().len(), 1);
}

#[tokio::test]
async fn refused_send_is_recorded_though_the_table_is_busy() {
    let world = World::new().await;
    let (lossy, ctx) = world.lossy();
    let message = world.follow_up().await;
    // More often than the SDK retries.
    let busy = async { lossy.throttle("PutItem", 5) };
    let refusal = Reply::graph(400, 131026);
    world.work_while(&ctx, &message, busy, refusal).await;
    assert!(lossy.has_lost_all());
    has_attempts(&world.message(&message).await, &[AttemptState::Refused]);
}

#[tokio::test]
async fn blocked_message_starts_no_cooldown() {
    let world = World::with(|configured| {
        let quiet = json!({"from": "16:30", "to": "08:00", "action": "skip"});
        configured.rules[0].then.quiet_hours = Some(read(quiet));
    })
    .await;
    let message = world.follow_up().await;
    assert!(world.contact(&message).await.last_follow_up_at.is_some());
    world.aws.pass(3600);
    is(&world.work_and_read(&message).await, MessageState::Blocked);
    assert_eq!(world.contact(&message).await.last_follow_up_at, None);
}

/// Neither the message nor the cooldown before it remains with the contact.
async fn starts_no_cooldown(world: &World, message: &Message) {
    is(&world.message(message).await, MessageState::Failed);
    let contact = world.contact(message).await;
    assert_eq!((contact.last_follow_up_at, contact.open), (None, vec![]));
}

#[tokio::test]
async fn message_refused_by_every_channel_starts_no_cooldown() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::graph(400, 131026));
    world.provider.reply(Reply::twilio(400, 21408));
    world.work_and_read(&message).await;
    assert!(world.contact(&message).await.last_follow_up_at.is_some());
    world.work_and_read(&message).await;
    starts_no_cooldown(&world, &message).await;
}

#[tokio::test]
async fn message_that_went_out_on_a_channel_keeps_its_cooldown() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let message = world.work_and_read(&message).await;
    world.aws.pass(120);
    world.provider.reply(Reply::twilio(400, 21408));
    let message = world.work_and_read(&message).await;
    has_attempts(&message, &[AttemptState::Accepted, AttemptState::Refused]);
    assert_eq!(
        world.contact(&message).await.last_follow_up_at,
        Some(message.created_at)
    );
}

/// Also if another writer is faster: then both rows are read again.
#[tokio::test]
async fn message_without_a_possible_channel_starts_no_cooldown() {
    let mut world = World::by(&[Channel::WhatsApp]).await;
    let message = world.follow_up().await;
    world.business.configured.templates[0].status = TemplateStatus("PAUSED".to_owned());
    world.business.write(&world.aws).await;
    let (lossy, ctx) = world.lossy();
    lossy.be_in_the_way_of("TransactWriteItems");
    handle_job(world.job(&message), &ctx).await;
    assert!(lossy.has_lost_all());
    starts_no_cooldown(&world, &message).await;
    assert!(world.provider.sends().is_empty());
}

/// It was composed with the one before.
#[tokio::test]
async fn message_counts_for_the_content_that_is_sent() {
    let mut world = World::by(&[Channel::WhatsApp]).await;
    let message = world.follow_up().await;
    let planned = message.plan[0].content.template().map(|filled| filled.edition);
    assert_eq!(planned, Some(0));
    world.business.configured.templates[0].footer = Some("Reply STOP".to_owned());
    world.business.write(&world.aws).await;
    let sent = world.work_and_read(&message).await.sent_template();
    assert_eq!(sent.expect("a template carried it").of.edition, 1);
}

/// Otherwise, each of a thousand waiting messages would cost an attempt.
#[tokio::test]
async fn a_template_that_whatsapp_knows_otherwise_is_read_again() {
    for (code, doubted) in [(132000, true), (132012, true), (131026, false)] {
        let world = World::new().await;
        let first = world.follow_up().await;
        let second = world.follow_up_of(&mobile(1)).await;
        world.provider.reply(Reply::graph(400, code));
        has_attempts(&world.work_and_read(&first).await, &[AttemptState::Refused]);
        let store = world.aws.store();
        let operations = store
            .operations(world.business.scope(), None, 10, world.aws.now())
            .await;
        let kinds: Vec<_> = operations.unwrap().items.iter().map(|found| found.value.kind).collect();
        let expected = doubted.then_some(OperationKind::SyncTemplates);
        assert_eq!(kinds, expected.into_iter().collect::<Vec<_>>(), "{code}");
        // The next message goes by SMS at once.
        let second = world.work_and_read(&second).await;
        let by_sms = [(1, AttemptState::Refused), (2, AttemptState::Accepted)];
        let by_whatsapp = [(1, AttemptState::Accepted)];
        assert_eq!(
            attempts(&second),
            if doubted { &by_sms[..] } else { &by_whatsapp[..] },
            "{code}"
        );
        let sends = world.provider.sends();
        let graph = sends.iter().filter(|request| request.is_graph()).count();
        assert_eq!(graph, if doubted { 1 } else { 2 }, "{code}");
    }
}

#[tokio::test]
async fn contact_changed_during_a_refused_send_is_kept() {
    let world = World::by(&[Channel::Sms]).await;
    let message = world.follow_up().await;
    let rename = world.change_contact(&message, |contact| contact.language = Some("ar".to_owned()));
    let refused = Reply::twilio(400, 21408);
    world.work_while(&world.ctx, &message, rename, refused).await;
    starts_no_cooldown(&world, &message).await;
    assert_eq!(world.contact(&message).await.language.as_deref(), Some("ar"));
    assert_eq!(world.provider.sends().len(), 1, "the request is not repeated");
}
