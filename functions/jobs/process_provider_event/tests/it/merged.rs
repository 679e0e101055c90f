//! Reports on a contact that was merged into another arrive at the survivor.

use domain::messages::{AttemptState, MessageState, OptFlag};
use domain::people::{By, Choice, ConsentCategory, Contact, Identity, Scope, Wish};
use domain::terms::{Channel, ContactId, MessageId};
use kit::Done;
use store::contacts::ContactWrite;
use testkit::business::{CUSTOMER, phone};

use super::world::{BSUID, World, failed_status, states, status, with_user_id};

const SURVIVOR: &str = "+971502222222";

/// Merges the customer into a contact with another number.
async fn merge_customer(world: &World) -> ContactId {
    let survivor = world.business.contact(&world.aws, SURVIVOR).await.id;
    let customer = world.customer().await.id;
    world.business.merge(&world.aws, survivor, customer).await;
    survivor
}

async fn survivor(world: &World) -> Contact {
    let found = world.contact_of(&Identity::Phone(phone(SURVIVOR))).await;
    found.expect("the survivor")
}

#[tokio::test]
async fn status_after_a_merge_moves_the_message() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    let id = merge_customer(&world).await;
    let delivered = with_user_id(status("delivered", world.seconds()));
    assert_eq!(world.statuses(&[delivered]).await, Done::Now);
    assert_eq!(states(&world.message(&message).await), [AttemptState::Delivered]);
    // The report's statement about the recipient is the survivor's.
    assert_eq!(survivor(&world).await.bsuid(), Some(BSUID));
    let found = world.contact_of(&Identity::Bsuid(BSUID.to_owned())).await.unwrap();
    assert_eq!(found.id, id);
}

#[tokio::test]
async fn refusal_reported_after_a_merge_is_the_survivors() {
    let world = World::new().await;
    world.sent_follow_up().await;
    let id = merge_customer(&world).await;
    world.statuses(&[failed_status(131050, world.seconds())]).await;
    let contact = survivor(&world).await;
    assert!(contact.id == id && contact.marketing_opted_out().is_some());
    assert_eq!(world.told_by(&contact).await.1.len(), 1);
}

#[tokio::test]
async fn message_from_a_merged_number_is_the_survivors() {
    for (text, refuses) in [("Hello", false), ("STOP", true)] {
        let world = World::new().await;
        let message = world.follow_up().await;
        let id = merge_customer(&world).await;
        world.aws.pass(5);
        assert_eq!(world.whatsapp("wamid.in", text).await, Done::Now);
        let contact = world.customer().await;
        assert_eq!(contact.id, id);
        assert_eq!(world.told_by(&contact).await.0.len(), 1);
        assert_eq!(contact.opted_out().is_some(), refuses);
        // Messages of both are cancelled, also those that are still under the other id.
        assert_eq!(contact.open, []);
        assert_eq!(world.message(&message).await.state(), MessageState::Cancelled);
    }
}

/// It is stored as the former contact's.
#[tokio::test]
async fn message_delivered_again_after_a_merge_is_known() {
    let world = World::new().await;
    let event = world.says("wamid.in", "Hello");
    assert_eq!(world.work(event.clone()).await, Done::Now);
    // Whoever works on the next one dies before it is stored.
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let (provider_ref, own) = ("wamid.next".parse().unwrap(), world.aws.ids().ulid());
    let next = MessageId::new(world.customer().await.id, own);
    let referred = store.refer_to_received(scope, "whatsapp", &provider_ref, next, None, now);
    referred.await.unwrap();
    merge_customer(&world).await;
    assert_eq!(world.receive_event(event, 2).await.unwrap(), Done::Already);
    let told = async || world.told_by(&survivor(&world).await).await.0.len();
    assert_eq!(told().await, 1);
    // Nobody can store it as the former contact's any more.
    for done in [Done::Now, Done::Already] {
        assert_eq!(world.whatsapp("wamid.next", "Hello?").await, done);
    }
    assert_eq!(told().await, 2);
}

/// The number of the merged contact was replaced before, and still leads to a refusal: the survivor gets it back.
#[tokio::test]
async fn number_that_a_merged_contact_lost_comes_back() {
    let world = World::new().await;
    let (store, scope, at) = (world.aws.store(), world.business.scope(), world.aws.now());
    let former = Identity::Bsuid(BSUID.to_owned());
    let stop = |contact: &mut Contact| contact.wish(OptFlag::Stop, "wrote STOP", at);
    let contact = world
        .business
        .contact_with(&world.aws, CUSTOMER, |contact| drop(stop(contact)))
        .await;
    let write = ContactWrite {
        dropped_identities: vec![former.clone()],
        ..ContactWrite::from(contact)
    };
    store.write_contact(scope, &write, None).await.unwrap();
    let id = merge_customer(&world).await;
    assert_eq!(world.contact_of(&former).await.unwrap().id, id);
    let moved = world.changed_number(BSUID, BSUID, "971509999999");
    assert_eq!(world.deliver(&moved).await, Done::Now);
    assert_eq!(survivor(&world).await.bsuid(), Some(BSUID));
}

/// Until somebody merges them: the contacts are listed as duplicates of each other.
#[tokio::test]
async fn contacts_that_prove_to_be_one_are_suggested() {
    let world = World::new().await;
    world.sent_follow_up().await;
    let other = world.contact_with_id(SURVIVOR, BSUID).await;
    let sent = with_user_id(status("sent", world.seconds()));
    assert_eq!(world.statuses(&[sent]).await, Done::Now);
    let customer = world.customer().await;
    assert_eq!(customer.same_as, [other.id]);
    let (store, scope) = (world.aws.store(), world.business.scope());
    for (one, duplicate) in [(customer.id, other.id), (other.id, customer.id)] {
        let person = store.known_person(scope, one).await.unwrap().unwrap();
        let found = store.duplicates_of(scope, &person).await.unwrap();
        let found: Vec<ContactId> = found.iter().map(|(person, _)| person.contact.id).collect();
        assert_eq!(found, [duplicate]);
    }
    assert_eq!(
        world.contact_of(&Identity::Phone(phone(CUSTOMER))).await.unwrap().id,
        customer.id
    );
}

/// A transaction takes a hundred writes. Behind the message and its writer's wish, each of the others follows by itself; whoever was
/// interrupted tells those that are left.
#[tokio::test]
async fn stop_that_changes_many_rows_reaches_every_contact() {
    let world = World::new().await;
    let at = world.aws.now();
    let mut others = Vec::new();
    for last in 0..5 {
        let number = format!("+97150222220{last}");
        let message = world.follow_up_of(&number).await;
        others.push((Identity::Phone(phone(&number)), message));
    }
    let scopes = [None, Some(Channel::WhatsApp), Some(Channel::Sms)]
        .into_iter()
        .flat_map(|channel| {
            let categories = [None, Some(ConsentCategory::Marketing), Some(ConsentCategory::Utility)];
            categories.map(|category| Scope { channel, category })
        });
    let writer = |contact: &mut Contact| {
        contact.is_also(others.iter().map(|(_, message)| message.id.contact()));
        for scope in scopes {
            for by in [By::Page, By::User]
                .into_iter()
                .filter(|by| scope != Scope::ALL || *by == By::User)
            {
                contact.record(Wish::new(Choice::Refused, scope, by, "a test", at));
            }
        }
    };
    world.business.contact_with(&world.aws, CUSTOMER, writer).await;
    world.aws.pass(5);
    let stop = world.says("wamid.in", "STOP");
    let told = async |identity: &Identity| {
        let contact = world.contact_of(identity).await.expect("a contact");
        let (_, ledger) = world.told_by(&contact).await;
        let refuses = contact.opted_out().is_some_and(|wish| wish.by == By::Keyword);
        (refuses, ledger.len())
    };

    assert_eq!(world.work(stop.clone()).await, Done::Now);
    let mut rows = 0;
    for (identity, message) in &others {
        let (refuses, entries) = told(identity).await;
        assert!(refuses, "{identity:?}");
        assert_eq!(world.message(message).await.state(), MessageState::Cancelled);
        // With the contact and its message.
        rows += entries + 2;
    }
    // The message, its reference and the writer come on top.
    assert!(rows >= 100, "{rows}");

    // As if the worker had died before the last one.
    let (identity, _) = &others[4];
    let mut last = world.contact_of(identity).await.expect("a contact");
    last.consent = Default::default();
    world.write_contact(last).await;
    assert_eq!(world.receive_event(stop, 2).await.unwrap(), Done::Already);
    assert!(told(identity).await.0);
}
