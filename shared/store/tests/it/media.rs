//! Rows of media: due until they are stored, and again when they go.

use domain::calls::{Entry, Received};
use domain::media::{InboundMedia, MediaReason, Medium, MediumState};
use domain::terms::{ContactId, ConversationId};
use jiff::{SignedDuration, Timestamp};
use jobs::{MediaJob, NextJob};
use store::table::usage;
use testkit::Lossy;
use testkit::business::{CUSTOMER, effects_of};

use crate::bulk::behind;
use crate::due::list_due_rows;
use crate::world::{COUNTING, World};

const DAY: i64 = 24 * 3_600;

fn days(number: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * number)
}

/// A message with this number of media.
async fn message(world: &World, media: usize) -> Received {
    let contact = world.contact(CUSTOMER).await.id;
    message_of(world, contact, media).await
}

/// A message of an existing contact with this number of media.
async fn message_of(world: &World, contact: ContactId, media: usize) -> Received {
    let media = vec![InboundMedia::new("7".to_owned()); media];
    let received = world.business.receive_media(&world.aws, contact, media, |_| {});
    received.await
}

async fn medium(world: &World, message: &Received, index: u8) -> Option<Medium> {
    let known = world.store.medium(world.scope(), message.id, index, world.aws.now());
    known.await.expect("the table answers").map(|known| known.medium)
}

/// The jobs that are due.
async fn jobs(world: &World) -> Vec<NextJob> {
    let rows = world
        .store
        .due_rows(list_due_rows(world).await)
        .await
        .expect("the table answers");
    let job = |(_, row): (_, Result<Option<store::table::due::DueRow>, _>)| {
        let row = row.expect("the row is read");
        row.map(|row| row.job.job)
    };
    rows.into_iter().filter_map(job).collect()
}

fn mark_stored(medium: &mut Medium) {
    medium.record_stored("image/png", 9, "0f".repeat(32), false);
}

#[tokio::test]
async fn a_medium_is_due_until_stored_and_when_it_goes() {
    let world = World::new().await;
    let received = message(&world, 1).await;
    assert_eq!(jobs(&world).await, []);
    world.aws.pass(60);
    let mut known = medium(&world, &received, 0).await.unwrap();
    let job = NextJob::Media(MediaJob::fetch(world.business.tenant(), &known));
    assert_eq!(jobs(&world).await, std::slice::from_ref(&job));
    mark_stored(&mut known);
    world.store.write_medium(world.scope(), &known).await.unwrap();
    assert_eq!(jobs(&world).await, []);
    world.aws.pass(90 * DAY);
    assert_eq!(jobs(&world).await, [job], "its file is to be deleted");
    let known = medium(&world, &received, 0).await.unwrap();
    world.store.delete_medium(world.scope(), &known).await.unwrap();
    assert_eq!((medium(&world, &received, 0).await, jobs(&world).await), (None, vec![]));
}

#[tokio::test]
async fn a_medium_without_a_file_goes_by_itself() {
    let world = World::new().await;
    let received = message(&world, 1).await;
    let mut known = medium(&world, &received, 0).await.unwrap();
    known.lose(MediaReason::Expired);
    world.store.write_medium(world.scope(), &known).await.unwrap();
    world.aws.pass(90 * DAY - 1);
    assert_eq!(jobs(&world).await, []);
    assert!(medium(&world, &received, 0).await.is_some());
    world.aws.pass(1);
    assert_eq!((medium(&world, &received, 0).await, jobs(&world).await), (None, vec![]));
}

#[tokio::test]
async fn a_write_of_what_was_read_before_loses_its_race() {
    let world = World::new().await;
    let received = message(&world, 1).await;
    let mut first = medium(&world, &received, 0).await.unwrap();
    let mut second = first.clone();
    mark_stored(&mut first);
    world.store.write_medium(world.scope(), &first).await.unwrap();
    second.lose(MediaReason::Deleted);
    let lost = world.store.write_medium(world.scope(), &second).await;
    assert!(lost.unwrap_err().is_conflict());
    let lost = world.store.delete_medium(world.scope(), &second).await;
    assert!(lost.unwrap_err().is_conflict());
    assert_eq!(medium(&world, &received, 0).await.unwrap().state, MediumState::Ready);
}

/// Whatever state they are in, and nobody who holds one writes the former time.
#[tokio::test]
async fn media_are_kept_as_long_as_their_message() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let received = message(&world, 3).await;
    let mut held = medium(&world, &received, 0).await.unwrap();
    let mut ready = medium(&world, &received, 1).await.unwrap();
    mark_stored(&mut ready);
    store.write_medium(scope, &ready).await.unwrap();
    let mut gone = medium(&world, &received, 2).await.unwrap();
    gone.lose(MediaReason::Deleted);
    store.write_medium(scope, &gone).await.unwrap();
    let until: Timestamp = now + days(30);
    let entry = Entry::Received(Box::new(received.clone()));
    assert!(store.keep_until(scope, &entry, until, now).await.unwrap());
    let [pending, ready, gone] = [0, 1, 2].map(|index| medium(&world, &received, index));
    let (pending, ready, gone) = (pending.await.unwrap(), ready.await.unwrap(), gone.await.unwrap());
    assert_eq!((pending.kept_until, pending.due), (until, held.due));
    assert_eq!((ready.kept_until, ready.due), (until, Some(until)));
    assert_eq!((gone.kept_until, gone.due), (now + days(90), None));
    mark_stored(&mut held);
    assert!(store.write_medium(scope, &held).await.unwrap_err().is_conflict());
    world.aws.pass(30 * DAY);
    let due = jobs(&world).await;
    let tenant = world.business.tenant();
    for known in [pending, ready] {
        assert!(
            due.contains(&NextJob::Media(MediaJob::fetch(tenant, &known))),
            "{due:?}"
        );
    }
    assert_eq!(due.len(), 2);
}

/// Between the two writes of a change of the retention, its worker is done.
#[tokio::test]
async fn a_medium_stored_meanwhile_is_kept_as_long() {
    let world = World::new().await;
    let now = world.aws.now();
    let received = message(&world, 1).await;
    let mut held = medium(&world, &received, 0).await.unwrap();
    mark_stored(&mut held);
    let (lossy, store) = (Lossy::before(&world.aws), world.aws.store());
    let scope = world.aws.scope(world.business.tenant());
    lossy.happens_before("UpdateItem", async || {});
    lossy.happens_before("UpdateItem", async move || {
        store.write_medium(&scope, &held).await.unwrap();
    });
    let until: Timestamp = now + days(30);
    let entry = Entry::Received(Box::new(received.clone()));
    let kept = behind(&world, &lossy)
        .keep_until(world.scope(), &entry, until, now)
        .await;
    assert!(kept.unwrap() && lossy.has_lost_all());
    let known = medium(&world, &received, 0).await.unwrap();
    let stands = (known.state, known.kept_until, known.due);
    assert_eq!(stands, (MediumState::Ready, until, Some(until)));
}

#[tokio::test]
async fn media_of_several_messages_are_read_together() {
    let world = World::new().await;
    let contact = world.contact(CUSTOMER).await;
    let mut messages = Vec::new();
    for media in [0, 10, 3] {
        messages.push(message_of(&world, contact.id, media).await);
    }
    let found = world.store.media_of(world.scope(), &messages, world.aws.now()).await;
    let found = found.unwrap();
    assert_eq!(found.len(), 13);
    assert!(
        found
            .iter()
            .all(|medium| messages[1..].iter().any(|message| message.id == medium.message))
    );
    let other = world.aws.scope(domain::terms::TenantId::new(world.aws.ids().ulid()));
    let foreign = world.store.media_of(&other, &messages, world.aws.now()).await;
    assert_eq!(foreign.unwrap(), []);
}

/// The row in the transaction of its message, and its place in the due index.
#[tokio::test]
async fn a_medium_costs_its_message_three_write_units() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let contact = world.contact(CUSTOMER).await;
    let mut units = Vec::new();
    for media in [0, 1, 10] {
        drop(usage::take());
        message_of(&world, contact.id, media).await;
        units.push(usage::take().write_units);
    }
    let [none, one, ten] = units[..] else {
        panic!("{units:?}");
    };
    assert_eq!((one - none, ten - none), (3.0, 30.0), "{units:?}");
    // A message without media costs what it did.
    let plain = world.business.received_text(&world.aws, contact.id, |_| {});
    drop(usage::take());
    let stored = world
        .store
        .commit(world.scope(), effects_of(&plain, vec![]), world.aws.now());
    stored.await.unwrap();
    assert_eq!(usage::take().write_units, none);
}

#[tokio::test]
async fn an_attachment_is_due_when_it_goes() {
    let world = World::new().await;
    let contact = world.contact(CUSTOMER).await.id;
    let conversation = ConversationId::of(contact, None);
    let attachment = world.business.attachment(&world.aws, conversation, |_| {}).await;
    let job = NextJob::Media(MediaJob::drop(world.business.tenant(), &attachment));
    assert_eq!(jobs(&world).await, []);
    world.aws.pass(DAY + 300);
    assert_eq!(jobs(&world).await, std::slice::from_ref(&job));
    // The dispatcher writes when it looks again, and a job reads that.
    let row = list_due_rows(&world).await.remove(0);
    let again = world.aws.now() + SignedDuration::from_secs(60);
    assert!(world.store.lease(&row, again).await.unwrap());
    let known = world.store.asset(world.scope(), attachment.id).await.unwrap().unwrap();
    assert_eq!((known.value.due, known.value.dispatches), (Some(again), 1));
    let deleted = world
        .store
        .delete_attachment(world.scope(), attachment.id, known.version + 1);
    assert!(deleted.await.unwrap_err().is_conflict());
    let deleted = world
        .store
        .delete_attachment(world.scope(), attachment.id, known.version);
    deleted.await.unwrap();
    world.aws.pass(60);
    assert_eq!(jobs(&world).await, []);
}
