//! Telephone numbers with two forms: one key leads to their contact.

use std::collections::HashMap;

use domain::{
    messages::OptFlag,
    people::{Contact, Found, Identity},
    telephony::CallProvider,
    terms::{ContactId, Recipient},
};
use store::{
    contacts::{ContactWrite, Holder},
    table::usage,
};
use testkit::business::{CUSTOMER, phone};

use crate::world::{COUNTING, World};

const OTHER: &str = "+5215512345678";
const KEY: &str = "+525512345678";

fn identity(number: &str) -> Identity {
    Identity::Phone(phone(number))
}

/// A contact of before numbers had keys, who wrote STOP: only the other form of their number leads to it.
async fn former(world: &World) -> Contact {
    let now = world.aws.now();
    let mut contact = Contact::first_seen(ContactId::new(world.aws.ids().ulid()), &identity(OTHER), now);
    contact.wish(OptFlag::Stop, "wrote STOP", now);
    let write = ContactWrite::from(contact.clone());
    let written = world.store.write_contact(world.scope(), &write, None);
    written.await.expect("the contact is written");
    let row = |_| {
        HashMap::from([
            ("pk", format!("{}#ID#phone:{OTHER}", world.partition())),
            ("sk", "ID".to_owned()),
            ("kind", "identity".to_owned()),
            ("data", contact.id.to_string()),
        ])
    };
    world.put_many(1, row).await;
    contact
}

async fn find_contact(world: &World, number: &str) -> Option<Contact> {
    world.contact_of(&identity(number)).await
}

#[tokio::test]
async fn both_forms_of_a_number_lead_to_its_contact() {
    let world = World::new().await;
    for (one, other) in [
        (OTHER, KEY),
        ("+5491123456789", "+541123456789"),
        ("+971501234567", "+9710501234567"),
    ] {
        let contact = world.contact(one).await;
        assert_eq!(find_contact(&world, other).await.as_ref(), Some(&contact));
        let to = Recipient {
            phone: Some(phone(other)),
            bsuid: None,
        };
        assert!(world.store.is_recipient(world.scope(), &contact, &to).await.unwrap());
        // As an import looks for the people of its rows.
        let wanted = [identity(other)];
        let known = world.store.known_people(world.scope(), &wanted).await.unwrap();
        let Found::One(person) = known.find(&wanted).found else {
            panic!("{one} {other}");
        };
        assert_eq!(person.contact, contact);
    }
    world.contact("+5511934567890").await;
    assert_eq!(find_contact(&world, "+551134567890").await, None);
}

/// Whoever wrote before numbers had keys is found by all forms, from the next report on.
#[tokio::test]
async fn contact_of_a_former_row_is_found_by_its_key() {
    let world = World::new().await;
    let contact = former(&world).await;
    let (store, scope) = (&world.store, world.scope());
    for number in [OTHER, KEY, OTHER] {
        let holders = store.holders_of(scope, &[identity(number)]).await.unwrap();
        let [Holder::Contact(found)] = &holders[..] else {
            panic!("{number}: {holders:?}");
        };
        assert_eq!((found.id, found.opted_out().is_some()), (contact.id, true), "{number}");
    }
}

#[tokio::test]
async fn two_contacts_of_one_key_share_their_refusals() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let one = former(&world).await;
    let other = world.contact(KEY).await;
    let mut versions = Vec::new();
    for _ in 0..2 {
        let lead = store.lead_of(scope, &identity(OTHER)).await.unwrap();
        store.renewed_lead(scope, lead).await.unwrap();
        let read = async |id| store.contact(scope, id).await.unwrap().unwrap();
        let (one, other) = (read(one.id).await, read(other.id).await);
        assert_eq!((&one.same_as[..], &other.same_as[..]), (&[other.id][..], &[one.id][..]));
        assert!(one.opted_out().is_some() && other.opted_out().is_some());
        let (ledger, _) = store.consent_ledger(scope, &other, 9, world.aws.now()).await.unwrap();
        assert_eq!(ledger.len(), 1);
        versions.push((one.version, other.version));
    }
    assert_eq!(versions[0], versions[1]);
    assert_eq!(
        find_contact(&world, OTHER).await.map(|contact| contact.id),
        Some(other.id)
    );
}

/// A missed call begins with one request. A number that does not stand in the form of its key costs one unit more.
#[tokio::test]
async fn only_another_form_costs_one_unit_more() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let twilio = world.business.twilio;
    let mut used = Vec::new();
    for number in [CUSTOMER, KEY, OTHER] {
        drop(usage::take());
        let (scope, caller, now) = (world.scope(), Some(identity(number)), world.aws.now());
        let begun = world
            .store
            .begun_call(scope, CallProvider::Twilio, twilio, "CA1", caller, now);
        begun.await.unwrap();
        let taken = usage::take();
        used.push((taken.requests, taken.read_units));
    }
    let (requests, units) = used[0];
    assert_eq!(used, [(1, units), (1, units), (1, units + 1.0)]);
    assert_eq!(requests, 1);
}
