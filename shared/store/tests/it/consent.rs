//! The consent ledger and the suppression list.

use domain::messages::{Needs, OptFlag};
use domain::people::{
    Address, By, Choice, ConsentEntry, Contact, Identity, Refused, Salt, Scope, Suppression, Wish, consent_id,
};
use domain::terms::{ContactId, SuppressionId};
use jobs::ToQueue;
use store::consent::SuppressError;
use store::contacts::{ContactWrite, Holder, TimelinePosition};
use store::table::effects::{Consent, Effects};
use store::{StoreError, Versioned};
use testkit::business::{CUSTOMER, erase, phone};

use crate::listed::{expected_rows, read_stored_rows};
use crate::world::{World, all_pages};

fn entry(world: &World, choice: Choice, by: By) -> ConsentEntry {
    ConsentEntry::of(&Wish::new(choice, Scope::ALL, by, "a test", world.aws.now()))
}

fn sample_refusal(world: &World) -> Refused {
    Refused {
        at: world.aws.now(),
        channel: None,
        category: None,
        by: By::User,
        actor: world.stamp().actor,
        evidence: None,
        source: "a test".to_owned(),
        recorded_at: world.aws.now(),
        left: None,
    }
}

fn address(number: &str) -> Address {
    Address::Phone(phone(number))
}

async fn suppress(world: &World, number: &str, refused: &Refused) -> Result<Versioned<Suppression>, SuppressError> {
    let fresh = SuppressionId::new(world.aws.ids().ulid());
    let (store, scope) = (&world.store, world.scope());
    store
        .suppress(scope, &address(number), fresh, refused, &world.stamp())
        .await
}

/// A new contact with this number, which takes over the refusal.
fn newcomer(world: &World, number: &str, suppressed: Option<Versioned<Suppression>>) -> Effects<'static> {
    let identity = Identity::Phone(phone(number));
    let mut contact = Contact::first_seen(ContactId::new(world.aws.ids().ulid()), &identity, world.aws.now());
    let passed = suppressed.as_ref().map(|known| known.value.pass_on(&mut contact));
    let entries = passed.into_iter().flatten().zip(0..);
    let consent = entries.map(|(entry, place)| Consent {
        contact: contact.id,
        id: consent_id(entry.at, &format!("a test#{place}")),
        entry,
    });
    Effects {
        consent: consent.collect(),
        people: vec![ContactWrite {
            suppressed: suppressed.into_iter().collect(),
            ..ContactWrite::new(contact, identity)
        }],
        ..Effects::default()
    }
}

/// Writes a newcomer with the number [`CUSTOMER`] and the refusal that was read for it.
async fn write_newcomer(world: &World, suppressed: Option<Versioned<Suppression>>) -> Result<Vec<ToQueue>, StoreError> {
    let (store, scope, newcomer) = (&world.store, world.scope(), newcomer(world, CUSTOMER, suppressed));
    store.commit(scope, newcomer, world.aws.now()).await
}

#[tokio::test]
async fn ledger_is_read_page_by_page_newest_first() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let contact = world.contact(CUSTOMER).await;
    let mut written = Vec::new();
    for by in [By::User, By::Key, By::Import, By::Told, By::User] {
        world.aws.pass(1);
        let (id, entry) = (world.aws.ids().ulid(), entry(&world, Choice::Refused, by));
        // The second time changes nothing.
        for _ in 0..2 {
            let recorded = store.record_consent(scope, contact.id, id, &entry).await.unwrap();
            assert!(recorded.unwrap().opted_out().is_some());
        }
        written.push(entry);
    }
    written.reverse();
    let now = world.aws.now();
    let (mut read, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = store.consent_page(scope, &contact, after, 2, now).await.unwrap();
        read.extend(page.items.into_iter().map(|recorded| recorded.entry));
        pages += 1;
        after = page.next.map(|next| next.parse::<TimelinePosition>().unwrap());
        if after.is_none() {
            break;
        }
    }
    assert_eq!((read, pages), (written.clone(), 3));
    let (newest, more) = store.consent_ledger(scope, &contact, 3, now).await.unwrap();
    let newest: Vec<_> = newest.into_iter().map(|recorded| recorded.entry).collect();
    assert_eq!((newest.as_slice(), more), (&written[..3], true));
    let (all, more) = store.consent_ledger(scope, &contact, 1_000, now).await.unwrap();
    assert_eq!((all.len(), more), (5, false));
    let nobody = ContactId::new(world.aws.ids().ulid());
    let id = world.aws.ids().ulid();
    let unknown = store.record_consent(scope, nobody, id, &written[0]).await;
    assert_eq!(unknown.unwrap(), None);
}

#[tokio::test]
async fn recorded_wish_reaches_all_contacts_of_a_person() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let other = world.contact("+971501234561").await;
    let same_as = |contact: &mut Contact| contact.is_also([other.id]);
    let first = world.contact_with(CUSTOMER, same_as).await;
    let entry = (world.aws.ids().ulid(), entry(&world, Choice::Refused, By::User));
    let recorded = store.record_consent(scope, first.id, entry.0, &entry.1).await;
    recorded.unwrap();
    for (id, repeats) in [(first.id, false), (other.id, true)] {
        let contact = store.contact(scope, id).await.unwrap().unwrap();
        assert!(contact.opted_out().is_some());
        let ledger = store.consent_ledger(scope, &contact, 9, world.aws.now()).await;
        let repeated: Vec<bool> = ledger.unwrap().0.iter().map(|known| known.entry.repeats).collect();
        assert_eq!(repeated, [repeats]);
    }
}

/// An entry of somebody who was erased meanwhile would never be found again. So the race is lost, though nothing changes.
#[tokio::test]
async fn proof_for_an_erased_contact_is_not_written() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let (id, known) = (world.aws.ids().ulid(), entry(&world, Choice::Refused, By::User));
    let refuses = |contact: &mut Contact| {
        contact.record(known.wish());
    };
    let contact = world.contact_with(CUSTOMER, refuses).await;
    Box::pin(erase(store, scope, contact.id, world.aws.now())).await;
    let late = store
        .record_wishes(scope, contact.clone(), &[(id, known.clone())])
        .await;
    assert!(late.unwrap_err().is_conflict());
    assert_eq!(read_stored_rows(&world).await, expected_rows(&world, &[]));
    let again = store.record_consent(scope, contact.id, id, &known).await;
    assert_eq!(again.unwrap(), None);
}

#[tokio::test]
async fn newcomer_takes_the_refusal_over_in_one_transaction() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let listed = suppress(&world, CUSTOMER, &sample_refusal(&world)).await.unwrap();
    let identity = Identity::Phone(phone(CUSTOMER));
    assert_eq!(store.contact_of(scope, &identity).await.unwrap(), None);
    let found = store.suppression(scope, &address(CUSTOMER)).await.unwrap();
    assert_eq!(found.as_ref(), Some(&listed));
    // Whoever did not see it creates nothing.
    assert!(write_newcomer(&world, None).await.unwrap_err().is_conflict());
    write_newcomer(&world, found.clone()).await.unwrap();
    let contact = store.contact_of(scope, &identity).await.unwrap().unwrap();
    assert!(contact.opted_out().is_some());
    let ledger = store.consent_ledger(scope, &contact, 9, now).await;
    assert_eq!(ledger.unwrap().0.len(), 1);
    assert_eq!(store.suppressions(scope, None, 10).await.unwrap().items, []);
    // From now on, its refusals are the contact's.
    let again = suppress(&world, CUSTOMER, &sample_refusal(&world)).await;
    assert!(matches!(again, Err(SuppressError::Contact(id)) if id == contact.id));
    let late = store.unsuppress(scope, &found.unwrap(), &world.stamp()).await;
    assert!(late.unwrap_err().is_conflict());
    let holders = store.holders_of(scope, &[identity]).await.unwrap();
    assert_eq!(holders, [Holder::Contact(Box::new(contact))]);
}

/// An erasure writes what it remembers before it deletes what leads to the person: whoever found them leading nowhere finds the refusals, also
/// if it is the tenant's first erasure.
#[tokio::test]
async fn refusals_of_an_erasure_that_just_began_are_found() {
    for erased_before in [false, true] {
        let world = World::new().await;
        let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
        let identity = Identity::Phone(phone(CUSTOMER));
        let mut contact = Contact::first_seen(ContactId::new(world.aws.ids().ulid()), &identity, now);
        contact.wish(OptFlag::Stop, "wrote STOP", now);
        let remember = async |identity: String| {
            let (known, salt) = ([identity], Salt::new([7; 32]));
            let remembered = store.remember_erased(scope, &known, &contact.consent, salt, now);
            remembered.await.unwrap();
        };
        if erased_before {
            remember("phone:+971501112233".to_owned()).await;
        }
        let lead = store.lead_of(scope, &identity).await.unwrap();
        let leads = store.leads_of(scope, std::slice::from_ref(&identity)).await.unwrap();
        remember(identity.key()).await;
        let (_, refusals, _) = store.led_to(scope, lead, &Needs::default(), None).await.unwrap();
        assert_eq!(refusals.remembered.len(), 1, "{erased_before}");
        let holders = store.holders(scope, leads).await.unwrap();
        assert_eq!(holders, [Holder::Nobody(refusals)]);
    }
}

/// An entry that was removed, or got a further refusal, is not the one that was read.
#[tokio::test]
async fn newcomer_with_an_outdated_refusal_loses_the_race() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    let read = suppress(&world, CUSTOMER, &sample_refusal(&world)).await.unwrap();
    let marketing = Refused {
        category: Scope::MARKETING.category,
        ..sample_refusal(&world)
    };
    let current = suppress(&world, CUSTOMER, &marketing).await.unwrap();
    assert_eq!(current.value.id, read.value.id);
    assert_eq!(current.value.refusals, [sample_refusal(&world), marketing]);
    let lost = write_newcomer(&world, Some(read.clone())).await;
    assert!(lost.unwrap_err().is_conflict());
    store.unsuppress(scope, &current, &stamp).await.unwrap();
    for removed in [read, current] {
        let lost = write_newcomer(&world, Some(removed)).await;
        assert!(lost.unwrap_err().is_conflict());
    }
    write_newcomer(&world, None).await.unwrap();
    assert!(!world.customer().await.refuses());
}

#[tokio::test]
async fn suppressed_addresses_are_listed_without_those_of_contacts() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let numbers = ["+971501000001", "+971501000002", "+971501000003"];
    for number in numbers {
        suppress(&world, number, &sample_refusal(&world)).await.unwrap();
    }
    let contact = world
        .contact_with(CUSTOMER, |contact| {
            let at = contact.created_at;
            contact.record(Wish::new(Choice::Refused, Scope::ALL, By::User, "a test", at));
        })
        .await;
    let dropped = ContactWrite {
        dropped_identities: vec![
            Identity::Bsuid("AE.1".to_owned()),
            Identity::Phone(phone("+971501000000")),
        ],
        ..ContactWrite::from(contact)
    };
    store.write_contact(scope, &dropped, None).await.unwrap();
    let read = all_pages(async |after| store.suppressions(scope, after.as_deref(), 2).await).await;
    let read: Vec<String> = read.iter().map(|found| found.value.address.to_string()).collect();
    assert_eq!(read, numbers);
}

/// The list of a large business has hundreds of thousands of addresses, which no erasure reads.
#[tokio::test]
async fn identities_without_room_are_found_apart_from_suppressed() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    for number in 0..=100 {
        let number = format!("+97150{:07}", 1_000_000 + number);
        suppress(&world, &number, &sample_refusal(&world)).await.unwrap();
    }
    let contact = world.contact(CUSTOMER).await;
    let former = Identity::Phone(phone("+971509999999"));
    let (id, other) = (contact.id, ContactId::new(world.aws.ids().ulid()));
    let dropped = ContactWrite {
        dropped_identities: vec![former.clone()],
        ..ContactWrite::from(contact)
    };
    store.write_contact(scope, &dropped, None).await.unwrap();
    let found = store.surplus_identities(scope, &[other, id], None).await.unwrap();
    assert_eq!((found.items, found.next), (vec![former.key()], None));
}
