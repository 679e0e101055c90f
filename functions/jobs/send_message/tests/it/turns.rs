//! The throughput of a number, and the allowance of a person: who needs a place, who waits, and what a refusal teaches.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::messages::{Message, MessageState};
use domain::tenants::{Connection, Throttled};
use domain::terms::{Channel, Reason, Whole};
use jiff::SignedDuration;
use kit::QueueName;
use testkit::Reply;

use super::world::{World, handle_job, is};

/// A follow-up to another caller, in the lane of broadcasts or not.
async fn follow_up_in_lane(world: &World, caller: u32, bulk: bool) -> Message {
    let number = format!("+4477009003{caller:02}");
    let message = world.follow_up_of(&number).await;
    if bulk { world.in_bulk(message).await } else { message }
}

async fn whatsapp(world: &World) -> Connection {
    world.connection(world.business.whatsapp).await
}

/// Places of each second that are taken of the WhatsApp number, if its row exists.
async fn taken_places(world: &World) -> Option<String> {
    let connection = world.business.whatsapp;
    let tenant = world.business.tenant().to_string();
    let partition = format!("T#{}#LIMIT", tenant.trim_start_matches("tnt_"));
    let row = world.aws.dynamodb().get_item().table_name(world.aws.table());
    let row = row.key("pk", AttributeValue::S(partition));
    let row = row.key("sk", AttributeValue::S(format!("NUM#{connection}")));
    let row = row.send().await.expect("the table answers").item?;
    row["taken"].as_n().ok().cloned()
}

#[tokio::test]
async fn bulk_takes_one_block_and_follow_ups_none() {
    let world = World::by(&[Channel::WhatsApp]).await;
    for caller in 0..3 {
        let message = follow_up_in_lane(&world, caller, false).await;
        is(&world.work_and_read(&message).await, MessageState::Accepted);
    }
    assert_eq!(taken_places(&world).await, None, "the number is not too fast");
    let mut jobs = Vec::new();
    for caller in 3..10 {
        jobs.push(world.job(&follow_up_in_lane(&world, caller, true).await));
    }
    // A single process, whose messages ask at once.
    let works = jobs
        .into_iter()
        .map(|job| Box::pin(send_message::handle(job, &world.ctx)));
    for done in futures::future::join_all(works).await {
        done.expect("the job is done");
    }
    assert_eq!(world.provider.sends().len(), 10);
    assert_eq!(
        taken_places(&world).await.as_deref(),
        Some("8"),
        "one block of an eighth"
    );
}

#[tokio::test]
async fn throttled_number_lets_follow_ups_go_first() {
    let world = World::by(&[Channel::WhatsApp]).await;
    let at = world.aws.now();
    world
        .change_connection(world.business.whatsapp, |connection| {
            connection.throttled = Some(Throttled { limit: 2, at });
        })
        .await;
    let bulk = [
        follow_up_in_lane(&world, 0, true).await,
        follow_up_in_lane(&world, 1, true).await,
    ];
    is(&world.work_and_read(&bulk[0]).await, MessageState::Accepted);
    // Half of the number's places are taken by bulk, which may have no more.
    let waiting = world.work_and_read(&bulk[1]).await;
    is(&waiting, MessageState::Scheduled);
    assert!(waiting.attempts.is_empty(), "a wait is no attempt");
    let remark = waiting.remarks.last().and_then(|remark| remark.because.as_ref());
    assert_eq!(remark.map(|because| because.code), Some(Reason::Throughput));
    assert!(waiting.due.is_some_and(|due| due >= at + SignedDuration::from_mins(1)));
    assert_eq!(world.aws.depth(QueueName::BulkSends).await, 0, "it waits in the table");
    // A follow-up goes at once; the next one is a second later.
    let follow_ups = [
        follow_up_in_lane(&world, 2, false).await,
        follow_up_in_lane(&world, 3, false).await,
    ];
    is(&world.work_and_read(&follow_ups[0]).await, MessageState::Accepted);
    assert_eq!(taken_places(&world).await.as_deref(), Some("2"));
    let second = world.work_and_read(&follow_ups[1]).await;
    is(&second, MessageState::Scheduled);
    assert!(second.not_before <= at + SignedDuration::from_secs(2), "{second:?}");
    assert_eq!(world.copies().await, 1, "a copy for the next second");
    world.aws.pass(2);
    is(&world.work_and_read(&second).await, MessageState::Accepted);
    let wait = waiting.not_before.duration_since(world.aws.now());
    assert!(wait < SignedDuration::from_secs(145), "{wait}");
    world.aws.pass(145);
    is(&world.work_and_read(&waiting).await, MessageState::Accepted);
}

#[tokio::test]
async fn each_refusal_of_a_fast_number_teaches_once() {
    let world = World::by(&[Channel::WhatsApp]).await;
    let messages = [
        follow_up_in_lane(&world, 0, false).await,
        follow_up_in_lane(&world, 1, false).await,
    ];
    let limit = async || whatsapp(&world).await.throttled.map(|throttled| throttled.limit);
    // While the first is at the provider, another one is refused for the same reason.
    world.provider.reply(Reply::Held);
    let (first, second) = (world.job(&messages[0]), world.job(&messages[1]));
    let other = async {
        world.provider.wait_for_request().await;
        world.provider.reply(Reply::graph(429, 130429));
        let done = Box::pin(send_message::handle(second, &world.ctx)).await;
        world.provider.release_with(Reply::graph(429, 130429));
        done
    };
    let (done, other) = tokio::join!(Box::pin(send_message::handle(first, &world.ctx)), other);
    assert!(done.is_ok() && other.is_ok());
    assert_eq!(limit().await, Some(40));
    // Its job comes once more.
    let again = kit::Job::new(jobs::SendMessage::next_of(world.business.tenant(), &messages[0]), 2);
    handle_job(again, &world.ctx).await;
    assert_eq!(limit().await, Some(40));
    // Later it is still too fast.
    world.aws.pass(60);
    world.provider.reply(Reply::graph(429, 130429));
    world.work_and_read(&messages[0]).await;
    assert_eq!(limit().await, Some(22), "half of what it had recovered to");
}

/// Too much for one person, or too much marketing for them, says nothing about the number.
#[tokio::test]
async fn refusals_about_a_person_leave_the_number_as_it_is() {
    for (code, waits) in [(131056, true), (131049, false)] {
        let world = World::with(|configured| {
            let then = &mut configured.rules[0].then;
            (then.channels, then.cooldown_seconds) = (vec![Channel::WhatsApp].into(), Whole::nearest(0));
        })
        .await;
        let messages = [
            follow_up_in_lane(&world, 0, false).await,
            follow_up_in_lane(&world, 0, false).await,
            follow_up_in_lane(&world, 1, false).await,
        ];
        world.provider.reply(Reply::graph(400, code));
        world.work_and_read(&messages[0]).await;
        let connection = whatsapp(&world).await;
        assert_eq!((connection.throttled, connection.paused_until), (None, None), "{code}");
        // Another message to the person, and one to another.
        let other = world.work_and_read(&messages[1]).await;
        assert_eq!(other.state() == MessageState::Scheduled, waits, "{code}");
        assert!(other.attempts.is_empty() == waits, "{code}");
        is(&world.work_and_read(&messages[2]).await, MessageState::Accepted);
        world.aws.pass(15);
        is(&world.work_and_read(&messages[1]).await, MessageState::Accepted);
    }
}

/// Otherwise, a broadcast that is slow by WhatsApp would go out by SMS at the next pause.
#[tokio::test]
async fn wait_for_a_place_is_no_part_of_a_later_pause() {
    let world = World::by(&[Channel::WhatsApp]).await;
    let at = world.aws.now();
    world
        .change_connection(world.business.whatsapp, |connection| {
            connection.throttled = Some(Throttled { limit: 1, at });
            connection.paused_until = Some(at + SignedDuration::from_secs(5));
        })
        .await;
    let bulk = [
        follow_up_in_lane(&world, 0, true).await,
        follow_up_in_lane(&world, 1, true).await,
    ];
    let paused = world.work_and_read(&bulk[1]).await;
    assert!(paused.waiting.is_some(), "{paused:?}");
    world.aws.pass(20);
    is(&world.work_and_read(&bulk[0]).await, MessageState::Accepted);
    let waiting = world.work_and_read(&paused).await;
    is(&waiting, MessageState::Scheduled);
    assert!(waiting.waiting.is_none(), "{waiting:?}");
}
