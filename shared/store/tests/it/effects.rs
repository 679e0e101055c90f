//! Effects: all of them or none, at most a hundred rows, and the jobs that follow.

use domain::calls::CallProgress;
use domain::messages::Message;
use domain::people::{By, Choice, ConsentEntry, Contact, Identity, Scope, Wish};
use domain::telephony::{CallProvider, MAX_CALL};
use domain::terms::{Category, ContactId, Lane, MessageId, Narrowing, Policy, Purpose};
use jobs::ToQueue;
use store::contacts::ContactWrite;
use store::table::due::Partition;
use store::table::effects::{Consent, Effects, MAX_WRITES, Once};
use testkit::business::{CUSTOMER, phone};

use crate::world::World;

/// A new contact with this many changes of consent.
fn person<'a>(world: &World, entries: usize) -> Effects<'a> {
    let identity = Identity::Phone(phone(CUSTOMER));
    let contact = Contact::first_seen(ContactId::new(world.aws.ids().ulid()), &identity, world.aws.now());
    let consent = (0..entries).map(|_| Consent {
        contact: contact.id,
        id: world.aws.ids().ulid(),
        entry: ConsentEntry::of(&Wish::new(
            Choice::Refused,
            Scope::ALL,
            By::Keyword,
            "a test",
            world.aws.now(),
        )),
    });
    Effects {
        consent: consent.collect(),
        people: vec![ContactWrite::new(contact, identity)],
        ..Effects::default()
    }
}

#[tokio::test]
async fn effects_are_at_most_a_hundred_rows() {
    let world = World::new().await;
    let (now, scope) = (world.aws.now(), world.scope());
    let before = world.aws.rows().await.len();
    let many = person(&world, MAX_WRITES - 1);
    let refused = world.store.commit(scope, many, now).await.unwrap_err();
    assert!(refused.is_invalid() && !refused.is_conflict(), "{refused}");
    assert_eq!(world.aws.rows().await.len(), before, "nothing is written");
    let most = person(&world, MAX_WRITES - 2);
    assert_eq!(world.store.commit(scope, most, now).await.unwrap(), []);
    assert_eq!(world.aws.rows().await.len(), before + MAX_WRITES);
}

#[tokio::test]
async fn effects_are_written_completely_or_not_at_all() {
    let world = World::new().await;
    let (now, scope) = (world.aws.now(), world.scope());
    let mut ended = world.follow_up_of("+971501234599").await;
    ended.version += 1;
    let before = world.aws.rows().await;
    let effects = Effects {
        ended: vec![ended],
        ..person(&world, 3)
    };
    let lost = world.store.commit(scope, effects, now).await.unwrap_err();
    assert!(lost.is_conflict());
    assert_eq!(world.aws.rows().await.len(), before.len());
    let nothing = Effects::default();
    assert_eq!(world.store.commit(scope, nothing, now).await.unwrap(), []);
}

/// A message that goes out among bulk, to the same person.
fn bulk(world: &World, like: &Message) -> Message {
    let narrowing = Narrowing {
        bulk: true,
        ..Narrowing::default()
    };
    Message {
        id: MessageId::new(like.id.contact(), world.aws.ids().ulid()),
        policy: Policy::for_purpose(Purpose::FollowUp, Category::Utility, &narrowing).expect("follow-ups are utility"),
        version: 0,
        ..like.clone()
    }
}

#[tokio::test]
async fn planned_messages_are_due_and_queued_in_their_lane() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let bulk = bulk(&world, &message);
    let effects = Effects {
        planned: vec![bulk.clone()],
        ..Effects::default()
    };
    let now = world.aws.now();
    let jobs = world.store.commit(world.scope(), effects, now).await.unwrap();
    let tenant = world.business.tenant();
    assert_eq!(jobs, [ToQueue::send(tenant, &bulk)]);
    world.aws.pass(90);
    for (lane, waiting) in [(Lane::Answers, &message), (Lane::Bulk, &bulk)] {
        let mut found = Vec::new();
        for partition in Partition::of(lane) {
            let page = world
                .store
                .due_page(partition, world.aws.now(), None, 100)
                .await
                .unwrap();
            assert_eq!(page.unknown, 0);
            found.extend(page.due);
        }
        let rows = world.store.due_rows(found).await.unwrap();
        let jobs: Vec<_> = rows.into_iter().map(|(_, row)| row.unwrap().unwrap().job).collect();
        assert_eq!(jobs, [ToQueue::send(tenant, waiting)], "{lane:?}");
    }
}

fn effects_of_report(progress: &CallProgress) -> Effects<'_> {
    Effects {
        once: Once::Reported(progress),
        ..Effects::default()
    }
}

/// They name the caller, and nobody deletes those of a deleted tenant.
#[tokio::test]
async fn reports_of_a_call_outlive_only_their_queue() {
    let world = World::new().await;
    let progress = world.first_report("CA1");
    let (store, scope) = (&world.store, world.scope());
    store
        .commit(scope, effects_of_report(&progress), world.aws.now())
        .await
        .unwrap();
    for (days, found) in [(14, true), (2, false)] {
        world.aws.pass(days * 24 * 3600);
        let read = store.begun_call(
            scope,
            CallProvider::Twilio,
            progress.connection,
            "CA1",
            None,
            world.aws.now(),
        );
        assert_eq!(read.await.unwrap().own.is_some(), found, "{days}");
    }
}

#[tokio::test]
async fn waiting_call_is_due_at_its_time() {
    let world = World::new().await;
    let now = world.aws.now();
    let until = now + MAX_CALL;
    let mut progress = CallProgress {
        due: Some(until),
        ..world.first_report("CA1")
    };
    let (store, scope) = (&world.store, world.scope());
    let jobs = store.commit(scope, effects_of_report(&progress), now).await.unwrap();
    assert_eq!(jobs, [ToQueue::look(world.business.tenant(), progress.clone(), until)]);
    let again = store
        .commit(scope, effects_of_report(&progress), now)
        .await
        .unwrap_err();
    assert!(again.is_conflict());
    (progress.version, progress.due) = (1, None);
    let jobs = store.commit(scope, effects_of_report(&progress), now).await.unwrap();
    assert_eq!(jobs, [], "nothing is waited for any more");
}
