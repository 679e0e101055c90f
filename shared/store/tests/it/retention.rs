//! Calls and messages keep their expiry through every write, and are not visible after it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::calls::{Call, Entry};
use domain::messages::{AttemptState, Message, SendOutcome};
use domain::tenants::Retention;
use domain::terms::MessageId;
use jiff::SignedDuration;
use jobs::{NextJob, ToQueue};
use store::table::due::DueRow;
use testkit::business::{CUSTOMER, SENT_WITHIN, effects_of};

use crate::due::list_due_rows;
use crate::rows::{record, report};
use crate::world::World;

const DAY: i64 = 86_400;

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

async fn keeping(calls_days: u32, messages_days: u32) -> World {
    let retention = Retention {
        calls_days,
        messages_days,
    };
    World::with(|configured| configured.tenant.retention = Some(retention)).await
}

async fn row_of(world: &World, kind: &str) -> HashMap<String, AttributeValue> {
    let mut rows = world.aws.rows().await;
    rows.retain(|row| row["kind"].as_s().expect("as the table has it") == kind);
    assert_eq!(rows.len(), 1, "{kind}: {rows:?}");
    rows.remove(0)
}

/// The expiry of the only row of this kind.
async fn expiry(world: &World, kind: &str) -> Option<Timestamp> {
    let row = row_of(world, kind).await;
    let data = row["data"].as_m().expect("as the table has it");
    assert!(!data.contains_key("keep_until"), "it stands in the row once");
    let seconds = row.get("expires_at")?.as_n().expect("as the table has it");
    let seconds = seconds.parse().expect("as the table has it");
    Some(Timestamp::from_second(seconds).expect("as the table has it"))
}

async fn due_messages(world: &World) -> Vec<MessageId> {
    let rows = world.store.due_rows(list_due_rows(world).await).await;
    let rows = rows.expect("as the table has it").into_iter();
    rows.map(|(_, row)| match row {
        Ok(Some(DueRow {
            job: ToQueue {
                job: NextJob::Send(_, job),
                ..
            },
            ..
        })) => job.message,
        other => panic!("{other:?}"),
    })
    .collect()
}

async fn message_of(world: &World, message: &Message) -> Option<Message> {
    let read = world.store.message(world.scope(), message.id, world.aws.now()).await;
    read.expect("as the table has it")
}

async fn call_of(world: &World, message: &Message) -> Option<Call> {
    let call = message.cause.call().expect("it follows a call");
    world
        .store
        .call(world.scope(), call, world.aws.now())
        .await
        .expect("as the table has it")
}

async fn history(world: &World, message: &Message) -> Vec<Entry> {
    let now = world.aws.now();
    let history = world.store.history(world.scope(), message.id.contact(), 10, now).await;
    history.expect("as the table has it")
}

#[tokio::test]
async fn every_write_preserves_the_expiry_of_calls_and_messages() {
    let world = keeping(40, 50).await;
    // Time to live counts seconds.
    let planned = world.aws.now();
    world.aws.clock().advance(SignedDuration::from_millis(617));
    let (store, scope) = (&world.store, world.scope());
    let timers = world.aws.env().config().timers().unwrap();
    let unmoved = async |step: &str| {
        assert_eq!(expiry(&world, "call").await, Some(planned + days(40)), "{step}");
        assert_eq!(
            expiry(&world, "message").await,
            Some(planned + days(SENT_WITHIN + 50)),
            "{step}"
        );
    };
    let mut message = world.follow_up().await;
    unmoved("planned").await;
    assert_eq!(message_of(&world, &message).await, Some(message.clone()));
    world.aws.pass(1);
    message.claim(0, "claim".to_owned(), world.aws.now(), &timers);
    store.write_message(scope, &message).await.unwrap();
    message.version += 1;
    unmoved("claimed").await;
    let taken = SendOutcome::Accepted {
        provider_ref: "wamid.1".parse().unwrap(),
        segments: None,
    };
    message.record(1, taken, world.aws.now(), &timers);
    record(&world, &message).await.unwrap();
    unmoved("recorded").await;
    // As another process reads it.
    let mut message = message_of(&world, &message).await.unwrap();
    let sent = report(&world, AttemptState::Sent);
    assert!(message.apply(1, sent, world.aws.now(), &timers));
    store.write_message(scope, &message).await.unwrap();
    unmoved("sent").await;
    world.aws.pass(180);
    let leased = store
        .lease(&list_due_rows(&world).await[0], world.aws.now() + days(1))
        .await;
    assert!(leased.unwrap());
    unmoved("leased").await;
    let mut call = call_of(&world, &message).await.unwrap();
    call.facts.call_seconds = Some(30);
    store.write_call(scope, &call).await.unwrap();
    unmoved("ended").await;
    let call = call_of(&world, &message).await.unwrap();
    assert_eq!(call.facts.call_seconds, Some(30));
    assert_eq!(call.keep_until, Some(planned + days(40)));
}

#[tokio::test]
async fn expired_rows_are_not_read_listed_or_due() {
    let world = keeping(30, 40).await;
    let message = world.follow_up().await;
    world.aws.pass(30 * DAY - 1);
    assert!(call_of(&world, &message).await.is_some());
    world.aws.pass(1);
    assert_eq!(call_of(&world, &message).await, None);
    assert_eq!(message_of(&world, &message).await.as_ref(), Some(&message));
    assert_eq!(
        history(&world, &message).await,
        [Entry::Sent(Box::new(message.clone()))]
    );
    assert_eq!(due_messages(&world).await, [message.id]);
    world.aws.pass((SENT_WITHIN + 10) * DAY);
    assert_eq!(message_of(&world, &message).await, None);
    assert_eq!(history(&world, &message).await, []);
    assert_eq!(list_due_rows(&world).await.len(), 1, "the table deletes late");
    assert_eq!(due_messages(&world).await, []);
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    assert!(store.to_send(scope, message.id, None, now).await.unwrap().is_none());
    assert!(
        store.contact(scope, message.id.contact()).await.unwrap().is_some(),
        "people are known for longer"
    );
}

#[tokio::test]
async fn rows_without_an_expiry_stay_for_ever() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let table = world.aws.table();
    for kind in ["call", "message"] {
        let row = row_of(&world, kind).await;
        let update = world.aws.dynamodb().update_item().table_name(table);
        let update = update.key("pk", row["pk"].clone()).key("sk", row["sk"].clone());
        update.update_expression("REMOVE expires_at").send().await.unwrap();
    }
    world.aws.pass(20 * 365 * DAY);
    let mut message = message_of(&world, &message).await.unwrap();
    let mut call = call_of(&world, &message).await.unwrap();
    assert_eq!((call.keep_until, message.keep_until), (None, None));
    assert_eq!(history(&world, &message).await.len(), 2);
    message.block("it is too late".to_owned());
    call.facts.call_seconds = Some(30);
    world.store.write_message(world.scope(), &message).await.unwrap();
    world.store.write_call(world.scope(), &call).await.unwrap();
    for kind in ["call", "message"] {
        assert_eq!(expiry(&world, kind).await, None, "{kind}");
    }
}

#[tokio::test]
async fn customers_message_expires_at_its_time() {
    let world = World::new().await;
    let contact = world.contact(CUSTOMER).await;
    let mut received = world.business.received_text(&world.aws, contact.id, |_| {});
    let until = world.aws.now() + days(35);
    received.keep_until = Some(until);
    let id = contact.id;
    let (store, scope) = (&world.store, world.scope());
    let effects = effects_of(&received, vec![contact.into()]);
    store.commit(scope, effects, world.aws.now()).await.unwrap();
    assert_eq!(expiry(&world, "received").await, Some(until));
    let history = async || {
        let now = world.aws.now();
        store.history(scope, id, 10, now).await.unwrap()
    };
    assert_eq!(history().await, [Entry::Received(Box::new(received.clone()))]);
    world.aws.pass(35 * DAY);
    assert_eq!(history().await, []);
}

/// The earlier of the two counts.
#[tokio::test]
async fn call_progress_expires_with_the_call_or_after_16_days() {
    for (calls_days, reports_days) in [(10, 10), (365, 16)] {
        let world = keeping(calls_days, 30).await;
        let begun = world.aws.now();
        world.follow_up().await;
        let expiry = expiry(&world, "call_progress").await;
        assert_eq!(expiry, Some(begun + days(reports_days)), "{calls_days}");
    }
}

/// The expiry is changed without the version, so that only a write of what was read before loses the race.
#[tokio::test]
async fn expiry_set_meanwhile_survives_held_rows() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let mut held = world.follow_up().await;
    let mut held_call = call_of(&world, &held).await.unwrap();
    let (message_row, call_row) = (row_of(&world, "message").await, row_of(&world, "call").await);
    let (sooner, later) = (now + days(10), now + days(34));
    let entries = [
        Entry::Call(Box::new(held_call.clone())),
        Entry::Sent(Box::new(held.clone())),
    ];
    for (entry, until) in entries.iter().zip([sooner, later]) {
        assert!(store.keep_until(scope, entry, until, now).await.unwrap());
    }
    for (kind, before, until) in [("message", message_row, later), ("call", call_row, sooner)] {
        let mut after = row_of(&world, kind).await;
        let second = AttributeValue::N(until.as_second().to_string());
        assert_eq!(
            after.insert("expires_at".to_owned(), before["expires_at"].clone()),
            Some(second)
        );
        assert_eq!(after, before, "nothing else has changed");
    }
    held.block("one".to_owned());
    held_call.facts.call_seconds = Some(30);
    assert!(store.write_message(scope, &held).await.unwrap_err().is_conflict());
    assert!(store.write_call(scope, &held_call).await.unwrap_err().is_conflict());
    // Whoever reads again wins.
    let mut read = message_of(&world, &held).await.unwrap();
    read.block("two".to_owned());
    store.write_message(scope, &read).await.unwrap();
    let mut read = call_of(&world, &held).await.unwrap();
    read.facts.call_seconds = Some(30);
    store.write_call(scope, &read).await.unwrap();
    assert_eq!(expiry(&world, "message").await, Some(later));
    assert_eq!(expiry(&world, "call").await, Some(sooner));
    assert_eq!(
        expiry(&world, "call_progress").await,
        Some(sooner),
        "the reports go with the call"
    );
}

#[tokio::test]
async fn expiry_of_a_gone_row_creates_none() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let entry = Entry::Sent(Box::new(message.clone()));
    let late = message.keep_until.unwrap();
    assert!(
        !store.keep_until(scope, &entry, late + days(1), late).await.unwrap(),
        "it has expired"
    );
    world
        .business
        .remove(&world.aws, "MSG#", Some(message.id.contact()))
        .await;
    assert!(!store.keep_until(scope, &entry, late, now).await.unwrap());
    assert_eq!(message_of(&world, &message).await, None);
}
