//! Messages on the way to a contact that is merged into another one are the survivor's.

use domain::messages::{AttemptState, Message, MessageState, OptFlag};
use domain::people::{Contact, Identity};
use domain::terms::{Category, MessageId, Narrowing, Policy, Purpose, Reason};
use store::contacts::Decided;
use testkit::Reply;
use testkit::business::{CUSTOMER, decided_merge, phone};

use super::world::{World, has_attempts, is};

const SURVIVOR: &str = "+971502222222";

/// A contact that refuses all messages, or none.
async fn survivor(world: &World, refuses: bool) -> Contact {
    let at = world.aws.now();
    let stop = |contact: &mut Contact| {
        if refuses {
            contact.wish(OptFlag::Stop, "wrote STOP", at);
        }
    };
    world.business.contact_with(&world.aws, SURVIVOR, stop).await
}

async fn open(world: &World) -> Vec<MessageId> {
    let found = world.contact_of(&Identity::Phone(phone(SURVIVOR))).await;
    let found = found.expect("the survivor");
    found.open.iter().map(|open| open.message).collect()
}

#[tokio::test]
async fn message_of_a_merged_contact_is_sent() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let survivor = survivor(&world, false).await.id;
    world.business.merge(&world.aws, survivor, message.id.contact()).await;
    assert_eq!(open(&world).await, [message.id]);
    let message = world.work_and_read(&message).await;
    has_attempts(&message, &[AttemptState::Accepted]);
}

#[tokio::test]
async fn refusal_of_the_survivor_blocks_messages_of_the_merged() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let survivor = survivor(&world, true).await.id;
    world.business.merge(&world.aws, survivor, message.id.contact()).await;
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Blocked);
    assert!(world.provider.sends().is_empty());
    // Nothing went out, so the survivor no longer waits for it.
    assert_eq!(open(&world).await, []);
}

/// Each of them may have one within a day, and so may the person.
#[tokio::test]
async fn of_two_merged_offers_one_is_sent() {
    let world = World::new().await;
    let store = world.aws.store();
    let mut offers = Vec::new();
    for number in [CUSTOMER, SURVIVOR] {
        let mut offer = world.follow_up_of(number).await;
        offer.policy = Policy::for_purpose(Purpose::FollowUp, Category::Marketing, &Narrowing::default()).unwrap();
        store.write_message(world.business.scope(), &offer).await.unwrap();
        let counts = |contact: &mut Contact| {
            contact.wish(OptFlag::Start, "wrote START", contact.created_at);
            contact.open[0].counts_from = Some(offer.created_at);
        };
        world.change_contact(&offer, counts).await;
        offers.push(offer);
    }
    let (one, survivor) = (offers[0].id.contact(), offers[1].id.contact());
    world.business.merge(&world.aws, survivor, one).await;
    for _ in 0..3 {
        for offer in &offers {
            world.work(offer).await.unwrap();
        }
        world.aws.pass(120);
    }
    let mut blocked = 0;
    for offer in &offers {
        let offer = world.message(offer).await;
        if offer.state() == MessageState::Blocked {
            assert_eq!(offer.because().map(|why| why.code), Some(Reason::Frequency));
            blocked += 1;
        }
    }
    assert_eq!((blocked, world.provider.sends().len()), (1, 1));
}

/// The survivor has the version that the other contact had, so only its id tells that there was a merge.
#[tokio::test]
async fn a_merge_between_check_and_claim_is_obeyed() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world
        .change_contact(&message, |contact| contact.language = Some("ar".to_owned()))
        .await;
    let survivor = survivor(&world, true).await;
    let other = world.person(message.id.contact()).await;
    assert_eq!(other.contact.version, survivor.version + 1);
    let survivor = survivor.id;
    let (undo, merge, stamp) = decided_merge(&world.aws, world.person(survivor).await, other);
    let (store, scope) = (world.aws.store(), world.business.scope().clone());
    let merging = async move || {
        let decided = Decided {
            undo: &undo,
            merge: &merge,
            told: &[],
        };
        store.merge_people(&scope, &decided, &stamp).await.unwrap();
    };
    world.work_interrupted_by(&message, merging).await;
    is(&world.message(&message).await, MessageState::Blocked);
}

/// The provider's answer arrives after the merge: the outcome is recorded once, and the refusal is the survivor's.
#[tokio::test]
async fn a_merge_while_a_request_runs_loses_no_outcome() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let survivor = survivor(&world, false).await.id;
    let ctx = world.another_process();
    let merging = world.business.merge(&world.aws, survivor, message.id.contact());
    let refused = Reply::graph(400, 131050);
    world.work_while(&ctx, &message, merging, refused).await;
    let Message { attempts, .. } = world.message(&message).await;
    assert_eq!(attempts[0].state, AttemptState::Refused);
    let contact = world.contact_of(&Identity::Phone(phone(SURVIVOR))).await.unwrap();
    assert!(contact.marketing_opted_out().is_some());
}

/// A report may tell an id of WhatsApp's that is another contact's. The number is the address.
#[tokio::test]
async fn id_of_another_contact_beside_a_number_blocks_nothing() {
    let world = World::new().await;
    let planned = world.follow_up().await;
    let mut message = world.message(&planned).await;
    message.to.bsuid = Some("AE.13491208655302741918".to_owned());
    world.write(&message).await;
    let message = world.work_and_read(&planned).await;
    has_attempts(&message, &[AttemptState::Accepted]);
}

/// The number leads to the other contact again, and with it what its owner refuses from then on.
#[tokio::test]
async fn message_to_a_number_of_an_undone_merge_is_blocked() {
    let world = World::new().await;
    let survivor = survivor(&world, false).await.id;
    let caller = world.business.contact_with(&world.aws, CUSTOMER, |_| {}).await.id;
    let merge = world.business.merge(&world.aws, survivor, caller).await;
    let planned = world.follow_up().await;
    assert_eq!(planned.id.contact(), survivor);
    world.business.unmerge(&world.aws, merge).await;
    let message = world.work_and_read(&planned).await;
    is(&message, MessageState::Blocked);
    assert!(world.provider.sends().is_empty());
}
