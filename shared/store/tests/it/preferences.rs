//! Links to preference pages, and wishes that are decided for a state of a contact.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::people::{
    By, Change, Choice, ConsentEntry, Contact, LINK_LIFETIME, LinkCode, LinkOrigin, MADE_LINK_LIFETIME, PreferenceLink,
    Scope, Wish,
};
use domain::tenants::Tenant;
use domain::terms::{Actor, ContactId};
use store::consent::LinkWrite;
use store::table::usage;
use testkit::business::CUSTOMER;

use crate::world::{COUNTING, World};

fn link(world: &World, contact: ContactId) -> LinkWrite {
    LinkWrite {
        code: LinkCode::of(world.aws.ids().secret().expect("random bytes")),
        contact,
        origin: LinkOrigin::Actor(Actor::Operator),
    }
}

/// The parties of a link of this origin.
async fn parties_of(world: &World, contact: ContactId, origin: LinkOrigin) -> Option<(Tenant, Contact)> {
    let link = PreferenceLink {
        tenant: world.scope().tenant(),
        contact,
        origin,
        created_at: world.aws.now(),
    };
    let found = world.store.parties_of_link(world.scope(), &link, world.aws.now());
    found.await.expect("the table answers")
}

/// The parties of a link that somebody asked for.
async fn parties(world: &World, contact: ContactId) -> Option<(Tenant, Contact)> {
    parties_of(world, contact, LinkOrigin::Actor(Actor::Operator)).await
}

#[tokio::test]
async fn link_is_stored_once_and_expires() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let contact = world.contact(CUSTOMER).await;
    let link = link(&world, contact.id);
    store.create_preference_link(scope, &link, now).await.unwrap();
    let again = store.create_preference_link(scope, &link, now).await;
    assert!(again.unwrap_err().is_conflict());
    let read = async |after| {
        let read = store.preference_link_before_scope(&link.code, now + after).await;
        read.unwrap()
    };
    let second = jiff::SignedDuration::from_secs(1);
    let found = read(MADE_LINK_LIFETIME - second).await.unwrap();
    assert_eq!((found.tenant, found.contact), (scope.tenant(), contact.id));
    assert_eq!((found.origin, found.created_at), (link.origin, now));
    assert_eq!(read(MADE_LINK_LIFETIME).await, None);
    // The row of a link that was created when all of them lived long.
    let table = world.aws.table();
    let update = world.aws.dynamodb().update_item().table_name(table);
    let update = update.key("pk", AttributeValue::S(format!("LINK#{}", link.code.sha256())));
    let update = update.key("sk", AttributeValue::S("LINK".to_owned()));
    let long = (now + LINK_LIFETIME).as_second().to_string();
    let update = update.update_expression("SET expires_at = :long");
    let update = update.expression_attribute_values(":long", AttributeValue::N(long));
    update.send().await.unwrap();
    assert_eq!(read(MADE_LINK_LIFETIME).await, None);
}

#[tokio::test]
async fn deleted_contact_has_no_page() {
    let world = World::new().await;
    let scope = world.scope();
    let contact = world.contact(CUSTOMER).await;
    let (tenant, found) = parties(&world, contact.id).await.unwrap();
    assert_eq!((tenant.id, found), (scope.tenant(), contact.clone()));
    world.aws.delete_contact(scope, contact.id, true).await;
    assert_eq!(parties(&world, contact.id).await, None);
    let nobody = ContactId::new(world.aws.ids().ulid());
    assert_eq!(parties(&world, nobody).await, None);
}

/// Its link still works: on the page the person sees and changes the wishes of the survivor, until the merge is undone.
#[tokio::test]
async fn link_of_a_merged_contact_leads_to_the_survivor() {
    let world = World::new().await;
    let other = world.contact(CUSTOMER).await.id;
    let survivor = world.contact("+971502222222").await.id;
    let last = world.contact("+971503333333").await.id;
    let leads = async |contact| {
        let found = parties(&world, contact).await;
        found.map(|(_, contact)| contact.id)
    };
    let merge = world.business.merge(&world.aws, survivor, other).await;
    assert_eq!(leads(other).await, Some(survivor));
    let further = world.business.merge(&world.aws, last, survivor).await;
    assert_eq!(leads(other).await, Some(last));
    world.business.unmerge(&world.aws, further).await;
    world.business.unmerge(&world.aws, merge).await;
    assert_eq!(leads(other).await, Some(other));
    let merge = world.business.merge(&world.aws, survivor, other).await;
    assert_eq!(merge.contact(), survivor);
    world.aws.delete_contact(world.scope(), survivor, true).await;
    assert_eq!(leads(other).await, None);
}

/// The message comes with them, and where it went is known by the contact itself.
#[tokio::test]
async fn parties_of_a_carried_link_are_one_request() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let message = world.follow_up().await.id;
    drop(usage::take());
    let found = parties_of(&world, message.contact(), LinkOrigin::Message(message)).await;
    let actions: Vec<(&str, u64)> = usage::take().actions.into_iter().collect();
    assert_eq!(found.unwrap().1.id, message.contact());
    assert_eq!(actions, [("dynamodb:BatchGetItem", 1)]);
}

/// Wishes decided for another state of the contact are not written.
#[tokio::test]
async fn wishes_for_an_older_state_lose_the_race() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let contact = world.contact(CUSTOMER).await;
    let wish = Wish::new(Choice::Granted, Scope::MARKETING, By::Page, "a test", now);
    let entries = [(world.aws.ids().ulid(), ConsentEntry::of(&wish))];
    let heard = |contact: &mut Contact| {
        contact.last_inbound_at = Some(now);
        Change::Contact
    };
    world.change_contact(contact.id, heard).await;
    let late = store.record_wishes(scope, contact.clone(), &entries).await;
    assert!(late.unwrap_err().is_conflict());
    assert_eq!(store.consent_ledger(scope, &contact, 9, now).await.unwrap().0, []);
    let current = store.contact(scope, contact.id).await.unwrap().unwrap();
    let recorded = store.record_wishes(scope, current, &entries).await.unwrap();
    let stored = store.contact(scope, contact.id).await.unwrap();
    assert_eq!(recorded, stored);
    assert_eq!(store.consent_ledger(scope, &contact, 9, now).await.unwrap().0.len(), 1);
}
