//! Telephone numbers with two forms: one key leads to their contact.

use domain::people::{Contact, Found, Identity};
use domain::telephony::CallProvider;
use domain::terms::Recipient;
use store::table::usage;
use testkit::business::{CUSTOMER, phone};

use crate::world::{COUNTING, World};

const OTHER: &str = "+5215512345678";
const KEY: &str = "+525512345678";

fn identity(number: &str) -> Identity {
    Identity::Phone(phone(number))
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

/// A missed call begins with one request, in whatever form the number stands.
#[tokio::test]
async fn another_form_costs_no_further_unit() {
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
    assert_eq!(used, [(1, units), (1, units), (1, units)]);
    assert_eq!(requests, 1);
}
