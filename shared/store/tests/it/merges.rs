//! Merged contacts: whatever leads to one leads to the survivor, and what one had is read with it.

use domain::calls::Entry;
use domain::inbox::{Conversation, ConversationState};
use domain::messages::{OptFlag, Sender};
use domain::people::{
    By, Change, Choice, Contact, FieldValue, HistoryKind, Identity, Likeness, Note, Person, Profile, Record, Scope,
    UNDOABLE_FOR, Wish,
};
use domain::terms::{ContactId, FieldId, LineId, MergeId, NoteId, ShownName, TagId, TeamId, UserId};
use jiff::SignedDuration;
use store::contacts::{Holder, NotCreated, Order, PersonError, TimelineWanted};
use store::table::usage;
use testkit::business::{CUSTOMER, phone};
use ulid::Ulid;

use crate::listed::{expected_rows, read_stored_rows};
use crate::world::{COUNTING, World, all_pages};

const OTHER: &str = "+971502222222";
const THIRD: &str = "+971503333333";
const BSUID: &str = "AE.13491208655302741918";

/// A contact with this number.
async fn caller(world: &World, number: &str) -> ContactId {
    world.contact(number).await.id
}

#[tokio::test]
async fn everything_of_a_merged_contact_leads_to_the_survivor() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let survivor = caller(&world, CUSTOMER).await;
    let other = world.contact_with(OTHER, |contact| {
        contact.bsuids = vec![BSUID.to_owned()];
        contact.emails = vec!["maya@example.com".parse().unwrap()];
        contact.called_from = Some(Identity::Sip("sip:maya@example.com".to_owned()));
    });
    let other = other.await;
    let identities = other.known_by();
    let message = world.follow_up_of(OTHER).await;
    let merge = world.business.merge(&world.aws, survivor, other.id).await;

    assert_eq!(world.person(other.id).await.contact.id, survivor);
    assert_eq!(store.contact(scope, other.id).await.unwrap().unwrap().id, survivor);
    for identity in &identities {
        let found = store.contact_of(scope, identity).await.unwrap().unwrap();
        assert_eq!(found.id, survivor, "{identity:?}");
    }
    for holder in store.holders_of(scope, &identities).await.unwrap() {
        assert!(matches!(holder, Holder::Contact(found) if found.id == survivor));
    }
    // Its message is on the way: it is still there, and its contact is the survivor, who can still cancel it.
    let found = store.to_send(scope, message.id, None, now).await.unwrap().unwrap();
    assert_eq!((found.message.id, found.contact.id), (message.id, survivor));
    assert_eq!(found.contact.open[0].message, message.id);
    // Somebody who had read the other contact before the merge writes nothing.
    let late = store.write_contact(scope, &other.into(), None).await;
    assert!(late.unwrap_err().is_conflict());
    // A change by the old id is one of the survivor.
    let at = world.aws.now();
    let stop = |contact: &mut Contact| contact.wish(OptFlag::Stop, "wrote STOP", at);
    world.change_contact(message.id.contact(), stop).await;
    assert!(world.person(survivor).await.contact.opted_out().is_some());

    world.business.unmerge(&world.aws, merge).await;
    for identity in &identities {
        let found = store.contact_of(scope, identity).await.unwrap().unwrap();
        assert_eq!(found.id, message.id.contact(), "{identity:?}");
    }
    let former = world.person(message.id.contact()).await.contact;
    assert!(former.opted_out().is_some(), "the refusal holds for both");
    let ledger = store.consent_ledger(scope, &former, 10, now).await.unwrap();
    assert_eq!(ledger.0.len(), 1);
}

/// Nobody knows any more which of the two wrote START. The survivor's ledger ends with what holds.
#[tokio::test]
async fn start_between_merge_and_undo_ends_no_earlier_stop() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let (survivor, other) = (caller(&world, CUSTOMER).await, caller(&world, OTHER).await);
    let write = async |flag: OptFlag, source: &'static str| {
        world.aws.pass(1);
        let at = world.aws.now();
        let wish = |contact: &mut Contact| contact.wish(flag, source, at);
        world.change_contact(survivor, wish).await;
    };
    write(OptFlag::Stop, "wrote STOP").await;
    let merge = world.business.merge(&world.aws, survivor, other).await;
    write(OptFlag::Start, "wrote START").await;
    assert!(world.person(other).await.contact.opted_in_at().is_some());
    world.aws.pass(1);
    world.business.unmerge(&world.aws, merge).await;
    for (id, refuses) in [(survivor, true), (other, false)] {
        let contact = world.person(id).await.contact;
        assert_eq!((contact.refuses(), contact.opted_in_at()), (refuses, None));
    }
    let contact = world.person(survivor).await.contact;
    let ledger = store.consent_ledger(scope, &contact, 10, world.aws.now()).await;
    let (ledger, _) = ledger.unwrap();
    let choices: Vec<Choice> = ledger.iter().map(|recorded| recorded.entry.choice).collect();
    assert_eq!(choices, [Choice::Refused, Choice::Granted, Choice::Refused]);
}

/// The survivor had no room for it any more, but its row led there because the other contact had written STOP.
#[tokio::test]
async fn number_dropped_since_a_merge_goes_back_on_undo() {
    let world = World::new().await;
    let (store, scope, at) = (&world.store, world.scope(), world.aws.now());
    let survivor = world.contact_with(CUSTOMER, |contact| {
        contact.phones.push(phone("+971504444444"));
    });
    let survivor = survivor.await.id;
    let other = world.contact_with(OTHER, |contact| {
        contact.phones.push(phone(THIRD));
        contact.wish(OptFlag::Stop, "wrote STOP", at);
    });
    let other = other.await.id;
    let merge = world.business.merge(&world.aws, survivor, other).await;
    let sender = Sender {
        phone: Some(phone("+971505555555")),
        ..Sender::default()
    };
    let learn = |contact: &mut Contact| Change::Linked(contact.link(&sender));
    world.change_contact(survivor, learn).await;
    let dropped = Identity::Phone(phone(THIRD));
    let found = store.contact_of(scope, &dropped).await.unwrap().unwrap();
    assert!(found.id == survivor && !found.known_by().contains(&dropped));

    world.business.unmerge(&world.aws, merge).await;
    let people = [world.person(survivor).await, world.person(other).await];
    assert!(!people[0].contact.refuses() && people[1].contact.refuses());
    assert_eq!(people[1].contact.phones, [phone(OTHER), phone(THIRD)]);
    // Nothing else leads to either, nor is the number among those for which a contact has no room.
    assert_eq!(read_stored_rows(&world).await, expected_rows(&world, &people));
}

#[tokio::test]
async fn merges_of_merges_are_followed_and_undone_in_turn() {
    let world = World::new().await;
    let [first, second, third] = [
        caller(&world, CUSTOMER).await,
        caller(&world, OTHER).await,
        caller(&world, THIRD).await,
    ];
    let before = [
        world.person(first).await,
        world.person(second).await,
        world.person(third).await,
    ];
    let inner = world.business.merge(&world.aws, second, third).await;
    let outer = world.business.merge(&world.aws, first, second).await;
    for id in [first, second, third] {
        assert_eq!(world.person(id).await.contact.id, first);
    }
    let all = world.person(first).await.contact;
    assert_eq!(all.aliases, [third, second]);
    let identities = [CUSTOMER, OTHER, THIRD].map(|number| Identity::Phone(phone(number)));
    for identity in &identities {
        let found = world.store.contact_of(world.scope(), identity).await.unwrap();
        assert_eq!(found.unwrap().id, first);
    }
    world.business.unmerge(&world.aws, outer).await;
    assert_eq!(world.person(third).await.contact.id, second);
    world.business.unmerge(&world.aws, inner).await;
    for before in before {
        let mut after = world.person(before.contact.id).await;
        after.contact.version = before.contact.version;
        after.profile.version = before.profile.version;
        assert_eq!(after, before);
    }
}

/// Whichever of the four rows has changed since it was read.
#[tokio::test]
async fn an_overtaken_merge_writes_nothing() {
    for (of_survivor, of_contact) in [(true, true), (true, false), (false, true), (false, false)] {
        let world = World::new().await;
        let (survivor, other) = (caller(&world, CUSTOMER).await, caller(&world, OTHER).await);
        let (survivor, other) = (world.person(survivor).await, world.person(other).await);
        let before = if of_survivor { &survivor } else { &other };
        let mut after = before.clone();
        if of_contact {
            after.contact.deleted_at = Some(world.aws.now());
        } else {
            after.profile.name = ShownName::of("Maya");
        }
        world.write_person(before, &after).await.unwrap();
        let ids = [survivor.contact.id, other.contact.id];
        let late = world.business.merge_read(&world.aws, survivor, other).await;
        assert!(
            matches!(&late, Err(PersonError::Store(error)) if error.is_conflict()),
            "{late:?}"
        );
        for id in ids {
            assert_eq!(world.person(id).await.contact.id, id);
        }
    }
}

/// The erasure begins at one point, and so does the merge: whoever is second is told.
#[tokio::test]
async fn an_overtaken_change_of_a_merged_contact_writes_nothing() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    let (survivor, other) = (caller(&world, CUSTOMER).await, caller(&world, OTHER).await);
    let before = world.person(other).await;
    world.business.merge(&world.aws, survivor, other).await;
    let mut erased = before.clone();
    erased.contact.deleted_at = Some(world.aws.now());
    erased.contact.erasing = true;
    let mut named = before.clone();
    named.profile.name = ShownName::of("Maya");
    for after in [erased, named] {
        let late = world.write_person(&before, &after).await;
        assert!(matches!(late, Err(PersonError::Store(error)) if error.is_conflict()));
    }
    // A note is written to the survivor only.
    let note = |contact| {
        let id = NoteId::new(contact, world.aws.ids().ulid());
        Note::new(id, "Likes cake.".parse().unwrap(), stamp.actor, world.aws.now())
    };
    let late = store.create_of_contact(scope, &note(other), &stamp).await;
    assert!(matches!(late, Err(NotCreated::NoContact)));
    store.create_of_contact(scope, &note(survivor), &stamp).await.unwrap();
}

/// The most entries of lists that a contact can have come at the survivor and go at the other one. With eight identities, they are
/// more than a transaction takes.
#[tokio::test]
async fn a_merge_of_too_many_rows_is_refused() {
    let world = World::new().await;
    let fields = || (0..10).map(|field| FieldId::new(Ulid::from_parts(field, 0)));
    let birthday = FieldValue::Date("1990-02-28".parse().unwrap());
    let create = async |profile: Profile| {
        let contact = Contact::new(ContactId::new(world.aws.ids().ulid()), world.aws.now());
        let id = world.create_person(&Person { contact, profile }).await;
        world.person(id).await
    };
    let survivor = create(Profile::default()).await;
    let other = create(Profile {
        name: ShownName::of("One Two Three Four Five"),
        fields: fields().map(|field| (field, birthday.clone())).collect(),
        listed: fields().collect(),
        tags: (0..20).map(|tag| TagId::new(Ulid::from_parts(tag, 0))).collect(),
        ..Profile::default()
    });
    let other = other.await;
    let (first, second) = (survivor.contact.id, other.contact.id);
    let merge = world.business.merge(&world.aws, first, second).await;
    world.business.unmerge(&world.aws, merge).await;

    let before = world.person(second).await;
    let mut after = before.clone();
    after.contact.phones = ["1", "2", "3", "4"]
        .map(|end| phone(&format!("+97150123450{end}")))
        .into();
    let addresses = ["a", "b", "c", "d"].map(|name| format!("{name}@example.com"));
    after.contact.emails = addresses.map(|address| address.parse().unwrap()).into();
    world.write_person(&before, &after).await.unwrap();
    let (survivor, other) = (world.person(first).await, world.person(second).await);
    let refused = world.business.merge_read(&world.aws, survivor, other).await;
    assert!(matches!(refused, Err(PersonError::TooMany(104))), "{refused:?}");
}

/// Two rows for each line with an open conversation of the other contact, in the transaction of the merge.
#[tokio::test]
async fn conversations_of_both_become_one_in_the_merge() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let line = Some(LineId::new(Ulid::from_parts(1, 1)));
    let merge = async |lines: &[Option<LineId>], [own, other]: [&str; 2]| {
        let (own, other) = (caller(&world, own).await, caller(&world, other).await);
        let mut before = Vec::new();
        for on in lines {
            for contact in [own, other] {
                before.push(world.business.receive_noted(&world.aws, contact, *on).await);
            }
        }
        drop(usage::take());
        let merge = world.business.merge(&world.aws, own, other).await;
        (before, merge, usage::take().write_units)
    };
    let (_, _, without) = merge(&[], [CUSTOMER, OTHER]).await;
    let (ids, merge, with) = merge(&[None, line], [THIRD, "+971504444444"]).await;
    assert_eq!((without, with - without), (17.0, 20.0));
    let states = async || {
        let mut states = Vec::new();
        for id in &ids {
            states.push(world.business.conversation(&world.aws, *id).await.value.state);
        }
        states
    };
    let (open, closed) = (ConversationState::Open, ConversationState::Closed);
    assert_eq!(states().await, [open, closed, open, closed]);
    world.business.unmerge(&world.aws, merge).await;
    assert_eq!(states().await, [open; 4]);
}

/// Assignees of all conversations are looked up in one request.
#[tokio::test]
async fn undone_merge_gives_nothing_to_who_has_left() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let contacts = [caller(&world, CUSTOMER).await, caller(&world, OTHER).await];
    let [left, there] = [(); 2].map(|()| UserId::new(world.aws.ids().ulid()));
    let team = Some(TeamId::new(world.aws.ids().ulid()));
    world.aws.has_left(world.scope(), left).await;
    let mut requests = Vec::new();
    for (assignees, expected) in [
        ([None, None], [None, None]),
        ([Some(there), Some(left)], [Some(there), None]),
    ] {
        let mut ids = Vec::new();
        for (contact, assignee) in contacts.into_iter().zip(assignees) {
            let id = world.business.receive_noted(&world.aws, contact, None).await;
            let give = |one: &mut Conversation| (one.assignee, one.team) = (assignee, team);
            world.business.change_conversation(&world.aws, id, give).await;
            ids.push(id);
        }
        let merge = world.business.merge(&world.aws, contacts[0], contacts[1]).await;
        drop(usage::take());
        world.business.unmerge(&world.aws, merge).await;
        requests.push(usage::take().requests);
        for (id, assignee) in ids.into_iter().zip(expected) {
            let found = world.business.conversation(&world.aws, id).await.value;
            assert_eq!((found.assignee, found.team), (assignee, team));
        }
    }
    assert_eq!(requests[1] - requests[0], 1);
}

#[tokio::test]
async fn a_merge_is_undone_within_a_day_and_leaves_nothing_to_undo() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let (survivor, other) = (caller(&world, CUSTOMER).await, caller(&world, OTHER).await);
    let merge = world.business.merge(&world.aws, survivor, other).await;
    let undoable = async |merge: MergeId| {
        let found = store.undoable(scope, merge, world.aws.now()).await.unwrap();
        found.map(|found| found.undo.is_some())
    };
    assert_eq!(undoable(merge).await, Some(true));
    assert_eq!(undoable(MergeId::new(other, merge.own())).await, None);
    world.business.unmerge(&world.aws, merge).await;
    assert_eq!(undoable(merge).await, Some(false));
    let left = world.aws.rows().await;
    let kinds = |kind: &str| {
        left.iter()
            .filter(|row| row.get("kind").is_some_and(|own| own.as_s().unwrap() == kind))
            .count()
    };
    // The other contact's data does not stay with the survivor.
    assert_eq!((kinds("merge"), kinds("merge_undo"), kinds("alias")), (1, 0, 0));

    let again = world.business.merge(&world.aws, survivor, other).await;
    world.aws.pass(UNDOABLE_FOR.as_secs() - 1);
    assert_eq!(undoable(again).await, Some(true));
    world.aws.pass(1);
    assert_eq!(undoable(again).await, Some(false));
}

#[tokio::test]
async fn partitions_of_merged_contacts_are_read_as_one() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    let (survivor, other) = (caller(&world, CUSTOMER).await, caller(&world, OTHER).await);
    let mut notes = Vec::new();
    for round in 0..3 {
        for (contact, number) in [(survivor, CUSTOMER), (other, OTHER)] {
            world.aws.pass(2 * 24 * 3600);
            world.follow_up_of(number).await;
            let id = NoteId::new(contact, world.aws.ids().ulid());
            let text = format!("Note {round}").parse().unwrap();
            let note = Note::new(id, text, stamp.actor, world.aws.now());
            store.create_of_contact(scope, &note, &stamp).await.unwrap();
            notes.push(id);
        }
    }
    // The same wish is in the ledger of both.
    let same = |contact: &mut Contact| {
        contact.is_also([other]);
        Change::Contact
    };
    world.change_contact(survivor, same).await;
    let at = world.aws.now();
    let stop = |contact: &mut Contact| contact.record(Wish::new(Choice::Refused, Scope::ALL, By::Keyword, "STOP", at));
    world.change_contact(survivor, stop).await;
    world.aws.pass(1);
    world.business.merge(&world.aws, survivor, other).await;

    let now = world.aws.now();
    for limit in [1, 2, 5, 100] {
        let found = all_pages(async |after| {
            let wanted = TimelineWanted {
                only: None,
                order: Order::NewestFirst,
                after: after.map(|next| next.parse().unwrap()),
                limit,
            };
            let page = store.timeline(scope, survivor, wanted, now).await?;
            let (contact, page) = page.unwrap();
            assert_eq!(contact.id, survivor);
            Ok(page)
        });
        let found = found.await;
        let count = |kind: fn(&Entry) -> bool| found.iter().filter(|placed| kind(&placed.entry)).count();
        let counts = [
            count(|entry| matches!(entry, Entry::Call(_))),
            count(|entry| matches!(entry, Entry::Sent(_))),
            count(|entry| matches!(entry, Entry::Record(Record::Note(_)))),
            count(|entry| matches!(entry, Entry::Consent(_))),
        ];
        assert_eq!(counts, [6, 6, 6, 1], "by {limit}");
        assert!(matches!(&found[0].entry, Entry::Record(Record::Merge(merge)) if merge.other == other));
        assert!(found.is_sorted_by(|one, next| one.position > next.position));
    }
    let first_page = async |contact, kind, order| {
        let wanted = TimelineWanted {
            only: kind,
            order,
            after: None,
            limit: 10,
        };
        let page = store.timeline(scope, contact, wanted, now).await;
        page.unwrap().unwrap()
    };
    let merges = first_page(survivor, Some(HistoryKind::Merge), Order::NewestFirst).await;
    assert_eq!(merges.1.items.len(), 1);
    // The id of the other contact is not the survivor's.
    let by_other = first_page(other, None, Order::OldestFirst).await;
    assert_eq!(by_other.0.id, survivor);

    let listed = all_pages(async |after| {
        let after = after.map(|next| next.parse::<NoteId>().unwrap().own());
        let page = store.page_of_contact::<Note>(scope, survivor, after, 2, now).await?;
        Ok(page.unwrap().1)
    });
    let listed: Vec<NoteId> = listed.await.into_iter().map(|note| note.value.id).collect();
    notes.reverse();
    assert_eq!(listed, notes);
    let of_other = *notes.iter().find(|note| note.contact() == other).unwrap();
    for (contact, found) in [(survivor, true), (other, false)] {
        let read = store.of_contact::<Note>(scope, contact, of_other).await.unwrap();
        assert_eq!(read.is_some(), found);
    }
    let contact = world.person(survivor).await.contact;
    let (ledger, more) = store.consent_ledger(scope, &contact, 10, now).await.unwrap();
    assert_eq!((ledger.len(), more), (1, false));
}

#[tokio::test]
async fn duplicates_are_found_in_existing_lists() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let create = async |name: &str, number: &str, email: &str| {
        let mut contact = Contact::new(ContactId::new(world.aws.ids().ulid()), world.aws.now());
        contact.phones = vec![phone(number)];
        contact.emails = vec![email.parse().unwrap()];
        contact.named = true;
        let person = Person {
            contact,
            profile: Profile::from_name(ShownName::of(name)),
        };
        world.create_person(&person).await
    };
    let maya = create("Maya Haddad", "+971501234567", "maya+shop@example.com").await;
    // Of before the two forms of the number were known to be one.
    let trunk = create("Ann", "+971551234567", "ann@example.com").await;
    let other_form = |contact: &mut Contact| {
        contact.phones = vec![phone("+9710501234567")];
        Change::Contact
    };
    world.change_contact(trunk, other_form).await;
    let address = create("Bea", "+971502222222", "maya@example.com").await;
    let namesake = create("Haddad, Maya", "+966551234567", "other@example.com").await;
    let ends_alike = create("Zoe", "+447701234567", "zoe@example.com").await;
    let proven = create("Eve", "+971504444444", "eve@example.com").await;
    let same = |contact: &mut Contact| {
        contact.is_also([proven]);
        Change::Contact
    };
    world.change_contact(maya, same).await;
    let found = store.duplicates_of(scope, &world.person(maya).await).await.unwrap();
    let found: Vec<_> = found
        .into_iter()
        .map(|(person, why)| (person.contact.id, why.into_iter().collect::<Vec<_>>()))
        .collect();
    let expected = [
        (proven, vec![Likeness::SamePerson]),
        (trunk, vec![Likeness::Phone]),
        (address, vec![Likeness::Email]),
        (namesake, vec![Likeness::NameAndDigits]),
    ];
    assert_eq!(found, expected);
    assert!(found.iter().all(|(id, _)| *id != ends_alike));
    // Once they are one, they are no duplicates. What proved to be the same person is its survivor.
    world.business.merge(&world.aws, trunk, proven).await;
    let found = store.duplicates_of(scope, &world.person(maya).await).await.unwrap();
    let first = &found[0];
    assert_eq!(first.0.contact.id, trunk);
    assert_eq!(first.1, [Likeness::SamePerson, Likeness::Phone].into());
    world.business.merge(&world.aws, maya, trunk).await;
    let found = store.duplicates_of(scope, &world.person(maya).await).await.unwrap();
    assert!(found.iter().all(|(person, _)| person.contact.id != trunk));
    assert_eq!(world.person(maya).await.contact.same_as, []);
}

/// Whoever proves to be the same person as a merged contact is one of the survivor, who is read once.
#[tokio::test]
async fn wish_of_a_survivor_reaches_others_of_the_person_once() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let [survivor, other, third] = [
        caller(&world, CUSTOMER).await,
        caller(&world, OTHER).await,
        caller(&world, THIRD).await,
    ];
    let same_as = |ids: Vec<ContactId>| {
        move |contact: &mut Contact| {
            contact.is_also(ids.clone());
            Change::Contact
        }
    };
    world.change_contact(third, same_as(vec![other, survivor])).await;
    world.change_contact(other, same_as(vec![third])).await;
    world.business.merge(&world.aws, survivor, other).await;
    let at = world.aws.now() + SignedDuration::from_secs(1);
    let stop = |contact: &mut Contact| contact.wish(OptFlag::Stop, "wrote STOP", at);
    for asked in [third, survivor] {
        let people = world.person(asked).await.contact;
        let others = store.others_of(scope, &[&people]).await.unwrap();
        assert_eq!(others.len(), 1, "{asked}");
    }
    world.change_contact(third, stop).await;
    for id in [survivor, third] {
        assert!(world.person(id).await.contact.opted_out().is_some());
    }
}
