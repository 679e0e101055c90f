//! Conditions: the first writer wins, and the other one gets a conflict.

use domain::calls::{Entry, MessageRef};
use domain::messages::{AttemptState, Message, OptFlag, StatusReport};
use domain::people::{Change, Contact, Identity, MAX_IDENTITIES, Profile};
use domain::terms::{ContactId, ProviderRef, ShownName};
use store::contacts::{ContactWrite, Holder};
use store::messages::{Reference, ReferenceVersion};
use store::table::usage;
use store::{RACES, StoreError};
use testkit::business::{CUSTOMER, effects_of, phone};

use crate::world::{COUNTING, World};

pub(crate) fn report(world: &World, state: AttemptState) -> StatusReport {
    StatusReport {
        state,
        at: world.aws.now(),
        provider_ref: "wamid.1".parse().expect("a reference"),
        error: None,
        cost: None,
    }
}

fn reference(provider_ref: &ProviderRef) -> Reference<'_> {
    Reference {
        attempt: 1,
        api: "whatsapp",
        provider_ref,
        parked: None,
    }
}

/// Records that the provider has taken a message.
pub(crate) async fn record(world: &World, message: &Message) -> Result<(), StoreError> {
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    store.record_message(scope, message, &reference(&wamid()), now).await
}

/// Parks a report on a message of WhatsApp's. `before`: those that are parked already.
async fn park(world: &World, report: &StatusReport, before: Parked) -> Result<(), StoreError> {
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let (reports, version) = before.unzip();
    let reports = reports.unwrap_or_default();
    store
        .park_report(scope, "whatsapp", report, reports, version, now)
        .await
}

type Parked = Option<(Vec<StatusReport>, ReferenceVersion)>;

fn wamid() -> ProviderRef {
    "wamid.1".parse().expect("a reference")
}

fn contact_id(holder: Holder) -> Option<ContactId> {
    match holder {
        Holder::Contact(contact) => Some(contact.id),
        Holder::Nobody(_) => None,
    }
}

#[tokio::test]
async fn second_writer_of_a_message_gets_a_conflict() {
    let world = World::new().await;
    let mut message = world.follow_up().await;
    message.block("one".to_owned());
    world.store.write_message(world.scope(), &message).await.unwrap();
    let late = world.store.write_message(world.scope(), &message).await;
    assert!(late.unwrap_err().is_conflict());
}

#[tokio::test]
async fn a_transaction_writes_all_or_nothing() {
    let world = World::new().await;
    let mut message = world.follow_up().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    record(&world, &message).await.unwrap();
    message.block("late".to_owned());
    let late = record(&world, &message).await;
    assert!(late.unwrap_err().is_conflict());
    let row = store.message(scope, message.id, now).await.unwrap().unwrap();
    assert_eq!(row.ended, None);
}

#[tokio::test]
async fn concurrent_first_sightings_create_one_contact() {
    let world = World::new().await;
    let identity = Identity::Phone(phone(CUSTOMER));
    let write = || {
        let id = ContactId::new(world.aws.ids().ulid());
        ContactWrite::new(Contact::first_seen(id, &identity, world.aws.now()), identity.clone())
    };
    let writes: Vec<ContactWrite> = (0..4).map(|_| write()).collect();
    let all = writes
        .iter()
        .map(|write| world.store.write_contact(world.scope(), write, None));
    let results = futures::future::join_all(all).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(
        results
            .into_iter()
            .filter_map(Result::err)
            .all(|error| error.is_conflict())
    );
}

#[tokio::test]
async fn concurrent_changes_of_a_contact_are_both_kept() {
    let world = World::new().await;
    let contact = world.contact(CUSTOMER).await;
    let at = world.aws.now();
    let rename = |contact: &mut Contact| {
        contact.language = Some("ar".to_owned());
        Change::Contact
    };
    let stop = |contact: &mut Contact| contact.wish(OptFlag::Stop, "asked for no more messages by SMS", at);
    let (store, scope, id) = (&world.store, world.scope(), world.aws.ids().ulid());
    let (renamed, stopped) = tokio::join!(
        RACES.until_won(|| store.change_contact(scope, contact.id, id, rename)),
        RACES.until_won(|| store.change_contact(scope, contact.id, id, stop))
    );
    assert!(renamed.unwrap() && stopped.unwrap());
    let contact = world.store.contact(world.scope(), contact.id).await.unwrap().unwrap();
    assert!(contact.language.is_some() && contact.opted_out().is_some());
    let history = world.store.history(world.scope(), contact.id, 10, at).await.unwrap();
    assert!(matches!(&history[..], [Entry::Consent(_)]), "{history:?}");
}

/// Also those that only another one names. They are read only if there are any.
#[tokio::test]
async fn change_of_consent_reaches_all_contacts_of_a_person() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let (store, scope, at) = (&world.store, world.scope(), world.aws.now());
    let stop = |contact: &mut Contact| contact.wish(OptFlag::Stop, "asked for no more messages by SMS", at);
    let stopped = async |id: ContactId| {
        drop(usage::take());
        world.change_contact(id, stop).await;
        usage::take().read_units
    };
    let single = world.contact("+971501234561").await;
    assert_eq!(stopped(single.id).await, 1.0, "read units");
    let same_as = |other: ContactId| move |contact: &mut Contact| contact.is_also([other]);
    let third = world.contact("+971501234562").await;
    let second = world.contact_with("+971501234563", same_as(third.id));
    let second = second.await;
    let first = world.contact_with(CUSTOMER, same_as(second.id)).await;
    assert_eq!(stopped(first.id).await, 3.0, "read units");
    for id in [first.id, second.id, third.id] {
        let contact = store.contact(scope, id).await.unwrap().unwrap();
        assert!(contact.opted_out().is_some());
        let history = store.history(scope, id, 10, at).await.unwrap();
        assert!(matches!(&history[..], [Entry::Consent(_)]), "{history:?}");
    }
    // Other changes are the contact's own.
    let rename = |contact: &mut Contact| {
        contact.language = Some("ar".to_owned());
        Change::Contact
    };
    world.change_contact(first.id, rename).await;
    let second = store.contact(scope, second.id).await.unwrap().unwrap();
    assert_eq!(second.language, None);
}

/// Reports on a message that is not recorded yet are stored once each, and at most 20 of them.
#[tokio::test]
async fn parked_reports_are_deduplicated_and_bounded() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let parked = async || match store.message_ref(scope, "whatsapp", &wamid(), now).await.unwrap() {
        Some((MessageRef::Parked { reports }, version)) => Some((reports, version)),
        None => None,
        other => panic!("{other:?}"),
    };
    for _ in 0..2 {
        let report = report(&world, AttemptState::Delivered);
        park(&world, &report, parked().await).await.unwrap();
    }
    assert_eq!(parked().await.unwrap().0.len(), 1);
    for second in 0..40 {
        let mut report = report(&world, AttemptState::Sent);
        report.at += jiff::SignedDuration::from_secs(second);
        park(&world, &report, parked().await).await.unwrap();
    }
    assert_eq!(parked().await.unwrap().0.len(), 20);
    // Two at once: one of them must read again.
    let before = parked().await;
    let mut message = world.follow_up().await;
    message.version = 1;
    let (_, version) = before.unwrap();
    let wamid_1 = wamid();
    let known = Reference {
        parked: Some(version),
        ..reference(&wamid_1)
    };
    store.record_message(scope, &message, &known, now).await.unwrap();
    let read = report(&world, AttemptState::Read);
    let late = park(&world, &read, Some((vec![], version))).await;
    assert!(late.unwrap_err().is_conflict(), "the message is known by now");
}

#[tokio::test]
async fn expired_reference_counts_as_gone() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let message = world.follow_up().await;
    record(&world, &message).await.unwrap();
    world.aws.pass(60 * 24 * 3600 - 1);
    let found = async || {
        let now = world.aws.now();
        store.message_ref(scope, "whatsapp", &wamid(), now).await.unwrap()
    };
    assert!(found().await.is_some());
    let early = park(&world, &report(&world, AttemptState::Read), None).await;
    assert!(early.unwrap_err().is_conflict());
    world.aws.pass(1);
    assert_eq!(found().await, None);
    let report = report(&world, AttemptState::Read);
    park(&world, &report, None).await.unwrap();
    assert!(matches!(found().await, Some((MessageRef::Parked { .. }, _))));
}

#[tokio::test]
async fn a_customers_message_is_stored_once() {
    let world = World::new().await;
    let contact = world.contact(CUSTOMER).await;
    let received = world.business.received_text(&world.aws, contact.id, |_| {});
    let (store, now) = (&world.store, world.aws.now());
    let again = effects_of(&received, vec![contact.into()]);
    let jobs = store.commit(world.scope(), again.clone(), now).await.unwrap();
    assert_eq!(jobs, []);
    let twice = store.commit(world.scope(), again, now).await.unwrap_err();
    assert!(twice.is_conflict());
    assert!(store.has_message(world.scope(), received.id, now).await.unwrap());
}

#[tokio::test]
async fn a_contacts_history_is_newest_first_and_bounded() {
    let world = World::new().await;
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(world.follow_up().await);
        world.aws.pass(2 * 24 * 3600);
    }
    let contact = sent[0].id.contact();
    let now = world.aws.now();
    let history = world.store.history(world.scope(), contact, 2, now).await.unwrap();
    let [Entry::Sent(newest), Entry::Sent(next), Entry::Call(_), Entry::Call(_)] = &history[..] else {
        panic!("{history:?}");
    };
    assert_eq!([newest.id, next.id], [sent[2].id, sent[1].id]);
    let all = world.store.history(world.scope(), contact, 100, now).await.unwrap();
    assert_eq!(all.len(), 6);
}

#[tokio::test]
async fn identities_are_found_together_and_only_in_their_own_tenant() {
    let world = World::new().await;
    let contact = world
        .contact_with(CUSTOMER, |contact| contact.bsuids = vec!["AE.1".to_owned()])
        .await;
    let identities = [
        Identity::Bsuid("AE.1".to_owned()),
        Identity::Phone(phone(CUSTOMER)),
        Identity::Bsuid("AE.2".to_owned()),
    ];
    let found = world.store.holders_of(world.scope(), &identities).await.unwrap();
    let ids: Vec<_> = found.into_iter().map(contact_id).collect();
    assert_eq!(ids, [Some(contact.id), Some(contact.id), None]);
    let stranger = Box::pin(testkit::business::business(&world.aws)).await;
    let found = world.store.holders_of(stranger.scope(), &identities).await.unwrap();
    assert!(found.into_iter().all(|holder| contact_id(holder).is_none()));
    assert_eq!(world.store.contact(stranger.scope(), contact.id).await.unwrap(), None);
}

#[tokio::test]
async fn row_too_large_for_the_table_is_a_permanent_error() {
    let world = World::new().await;
    let (store, now) = (&world.store, world.aws.now());
    let mut message = world.follow_up().await;
    // A row holds 400 KB.
    message.correlation_id = "x".repeat(500_000);
    let error = store.write_message(world.scope(), &message).await.unwrap_err();
    assert!(error.is_invalid() && !error.is_conflict(), "{error}");
    // The same in a transaction.
    let contact = world.contact("+971501234599").await;
    let mut received = world.business.received_text(&world.aws, contact.id, |_| {});
    received.message.text = Some("x".repeat(500_000));
    let effects = effects_of(&received, vec![contact.into()]);
    let error = store.commit(world.scope(), effects, now).await.unwrap_err();
    assert!(error.is_invalid() && !error.is_conflict(), "{error}");
}

#[tokio::test]
async fn reports_on_messages_of_another_tool_are_kept_for_a_day() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let report = report(&world, AttemptState::Delivered);
    park(&world, &report, None).await.unwrap();
    let parked = async || {
        let now = world.aws.now();
        store.message_ref(scope, "whatsapp", &wamid(), now).await.unwrap()
    };
    world.aws.pass(24 * 3600 - 1);
    assert!(parked().await.is_some());
    world.aws.pass(1);
    assert!(parked().await.is_none());
}

#[tokio::test]
async fn identity_without_room_still_leads_to_its_contact() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let contact = world.contact(CUSTOMER).await;
    let bsuid = |number: usize| Identity::Bsuid(format!("AE.{number}"));
    for number in 0..=MAX_IDENTITIES {
        let learn = |contact: &mut Contact| Change::Linked(contact.prefer(&bsuid(number)));
        world.change_contact(contact.id, learn).await;
    }
    let who = async |number| {
        let found = world.contact_of(&bsuid(number)).await;
        found.map(|found| found.id)
    };
    assert_eq!(who(0).await, Some(contact.id));
    assert_eq!(who(1).await, Some(contact.id));
    assert_eq!(who(MAX_IDENTITIES).await, Some(contact.id));
    let other = world.contact("+971501234599").await;
    let link = async |number| {
        let linked = store.change_contact(scope, other.id, world.aws.ids().ulid(), |contact| {
            Change::Linked(contact.prefer(&bsuid(number)))
        });
        Box::pin(linked).await
    };
    for number in [0, 1] {
        assert!(
            link(number).await.unwrap_err().is_conflict(),
            "what leads to somebody stays theirs"
        );
    }
    let both = store.holders_of(scope, &[bsuid(0), bsuid(1)]).await.unwrap();
    let both: Vec<_> = both.into_iter().map(contact_id).collect();
    assert_eq!(both, [Some(contact.id); 2]);
}

#[tokio::test]
async fn a_profile_is_written_with_its_contact_and_read_alone() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let contact = world.contact(CUSTOMER).await;
    assert_eq!(store.profile(scope, contact.id).await.unwrap(), Profile::default());
    let named = ContactWrite {
        profile: Some(Profile::from_name(ShownName::of("Layla")).into()),
        ..ContactWrite::from(contact.clone())
    };
    store.write_contact(scope, &named, None).await.unwrap();
    let number = Identity::Phone(phone(CUSTOMER));
    let (known, _) = store.known_or_refusals(scope, &number).await.unwrap();
    let known = known.unwrap();
    assert_eq!(known.contact.id, contact.id);
    assert_eq!(known.profile.name.as_deref(), Some("Layla"));
    assert_eq!(store.profile(scope, contact.id).await.unwrap(), known.profile);
    // Somebody else named the person meanwhile: neither row is written.
    let late = ContactWrite {
        profile: Some(Profile::from_name(ShownName::of("Leila")).into()),
        ..ContactWrite::from(known.contact)
    };
    let late = store.write_contact(scope, &late, None).await;
    assert!(late.unwrap_err().is_conflict());
    assert_eq!(store.contact(scope, contact.id).await.unwrap().unwrap().version, 2);
}

/// A contact is listed by its id, so that no change moves it past a cursor.
#[tokio::test]
async fn a_contact_is_listed_by_its_id() {
    let world = World::new().await;
    let contact = world.contact(CUSTOMER).await;
    let rows = world.aws.rows().await;
    let listed: Vec<_> = rows
        .iter()
        .filter(|row| row["sk"].as_s().is_ok_and(|sk| sk == "CONTACT"))
        .collect();
    let [row] = listed[..] else { panic!("{listed:?}") };
    assert_eq!(
        row["gsi1pk"].as_s().unwrap(),
        &format!("{}#CONTACTS", world.partition())
    );
    assert_eq!(row["gsi1sk"].as_s().unwrap(), &contact.id.to_string());
    for changes in ["name", "created_at"] {
        assert!(!row.contains_key(changes), "{changes}");
    }
}
