//! Contacts as people change and search them.

use std::collections::BTreeSet;

use domain::{
    contact::{Change, Contact, Identity},
    field::FieldValue,
    ids::{ContactId, FieldId, StageId, TagId},
    listing::Listing,
    outside::ShownName,
    person::Person,
    phone::Phone,
    profile::{Profile, Staged},
};
use store::people::PersonError;
use ulid::Ulid;

use crate::world::World;

/// Numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.roll(of.len() as u64)).expect("a place in a list")]
    }
}

fn id<T>(new: fn(Ulid) -> T, number: u64) -> T {
    new(Ulid::from_parts(number, 7))
}

fn number(number: u64) -> Phone {
    format!("+97150123450{number}").parse().expect("a number")
}

/// Changes some of what a person has.
fn shuffle(person: &mut Person, dice: &mut Dice, world: &World) {
    let names = ["Maya Haddad", "Maya", "José Ruiz", "حدّاد مايا", "A b c d e f g"];
    let Person { contact, profile } = person;
    match dice.roll(7) {
        0 => profile.name = ShownName::of(dice.one::<&str>(&names)),
        1 => profile.name = None,
        2 => profile.tags = (0..dice.roll(4)).map(|tag| id(TagId::new, tag)).collect(),
        3 => {
            let stage = id(StageId::new, dice.roll(3));
            let since = world.aws.now();
            profile.stage = (dice.roll(3) > 0).then_some(Staged { stage, since });
        }
        4 => {
            let field = id(FieldId::new, dice.roll(3));
            let values = [
                FieldValue::Text("Tea, no sugar".parse().expect("a text")),
                FieldValue::Number("-2.5".parse().expect("a number")),
                FieldValue::Date("1990-02-28".parse().expect("a day")),
                FieldValue::Date("2001-12-31".parse().expect("a day")),
                FieldValue::YesNo(true),
            ];
            profile.fields.insert(field, dice.one(&values).clone());
            profile.listed.insert(field);
        }
        5 => {
            let field = id(FieldId::new, dice.roll(3));
            profile.fields.remove(&field);
            profile.listed.remove(&field);
        }
        _ => contact.phones = (0..dice.roll(4)).map(|own| number(own * 2 + dice.roll(2))).collect(),
    }
    contact.named = profile.name.is_some();
}

/// Every row by which a contact is found, as the table has it.
async fn stored(world: &World) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for row in world.rows().await {
        let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok()).cloned();
        let (pk, sk) = (text("pk").expect("a key"), text("sk").expect("a key"));
        if text("kind").as_deref() == Some("listing") {
            found.insert(format!("{pk} {sk}"));
        }
        for (pk, sk) in [("gsi1pk", "gsi1sk"), ("gsi3pk", "gsi3sk")] {
            if let (Some(pk), Some(sk)) = (text(pk), text(sk))
                && ["#FIND#p", "#STAGE#", "#DELETED"].iter().any(|list| pk.contains(list))
            {
                found.insert(format!("{pk} {sk}"));
            }
        }
    }
    found
}

/// The rows that these people should be found by.
fn expected(world: &World, people: &[Person]) -> BTreeSet<String> {
    let tenant = world.partition();
    let lower = |id: Ulid| id.to_string().to_ascii_lowercase();
    let time = |at: jiff::Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
    let mut all = BTreeSet::new();
    for Person { contact, profile } in people {
        let own = lower(contact.id.ulid());
        for listing in profile.listings() {
            all.insert(match listing {
                Listing::Word(word) => format!("{tenant}#FIND#n{} {}#{own}", word.initial(), word.as_str()),
                Listing::Tag(tag) => format!("{tenant}#TAG#{} {own}", lower(tag.ulid())),
                Listing::Value(field, value) => format!("{tenant}#FIELD#{} {value}#{own}", lower(field.ulid())),
                Listing::DayOfYear(field, day) => format!("{tenant}#FIELD#{}#{day} {own}", lower(field.ulid())),
            });
        }
        for phone in &contact.phones {
            let reversed: String = phone.digits().chars().rev().collect();
            all.insert(format!("{tenant}#FIND#p {reversed}#{own}"));
        }
        if let Some(staged) = profile.stage {
            let stage = lower(staged.stage.ulid());
            all.insert(format!("{tenant}#STAGE#{stage} {}#{own}", time(staged.since)));
        }
        if let Some(at) = contact.deleted_at {
            all.insert(format!("{tenant}#DELETED {}#{own}", time(at)));
        }
    }
    all
}

/// Whatever people and jobs do to contacts in whatever order, exactly what they have leads to them.
#[tokio::test]
async fn lists_equal_the_contacts_after_any_changes() {
    for seed in 1..=4 {
        let world = World::new().await;
        let (store, scope) = (&world.store, world.scope());
        let dice = &mut Dice(seed);
        let mut ids: Vec<ContactId> = Vec::new();
        for _step in 0..60 {
            world.aws.pass(1);
            let stamp = world.stamp();
            if ids.len() < 3 || dice.roll(10) == 0 {
                let mut person = Person {
                    contact: Contact::new(ContactId::new(world.aws.ids().ulid()), world.aws.now()),
                    profile: Profile::default(),
                };
                for _change in 0..4 {
                    shuffle(&mut person, dice, &world);
                }
                match store.create_person(scope, &person, &stamp).await {
                    Ok(()) => ids.push(person.contact.id),
                    Err(PersonError::Taken(Identity::Phone(_))) => {}
                    Err(error) => panic!("{error}"),
                }
                continue;
            }
            let contact = *dice.one(&ids);
            let before = store.known(scope, contact).await.unwrap().unwrap();
            let mut after = before.clone();
            match dice.roll(6) {
                0 => after.contact.deleted_at = Some(world.aws.now()),
                1 => after.contact.deleted_at = None,
                // A job learns another number, which takes the place of the last one if there are four.
                2 => {
                    let phone = number(dice.roll(10));
                    if store
                        .contact_of(scope, &Identity::Phone(phone.clone()))
                        .await
                        .unwrap()
                        .is_none()
                    {
                        let learnt = store.change_contact(scope, contact, world.aws.ids().ulid(), |contact| {
                            Change::Linked(contact.prefer(&Identity::Phone(phone.clone())))
                        });
                        assert!(learnt.await.unwrap());
                    }
                    continue;
                }
                _ => shuffle(&mut after, dice, &world),
            }
            match store.change_person(scope, &before, &after, &stamp).await {
                Ok(()) | Err(PersonError::Taken(Identity::Phone(_))) => {}
                Err(error) => panic!("{error}"),
            }
        }
        let mut people = Vec::new();
        for contact in ids {
            people.push(store.known(scope, contact).await.unwrap().unwrap());
        }
        assert!(people.len() >= 3);
        assert_eq!(stored(&world).await, expected(&world, &people), "seed {seed}");
    }
}

/// A change that another one overtook writes nothing, whichever of the two rows it would have changed.
#[tokio::test]
async fn an_overtaken_change_of_a_person_writes_nothing() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    let person = Person {
        contact: Contact::new(ContactId::new(world.aws.ids().ulid()), world.aws.now()),
        profile: Profile::named(ShownName::of("Maya")),
    };
    store.create_person(scope, &person, &stamp).await.unwrap();
    let before = store.known(scope, person.contact.id).await.unwrap().unwrap();
    let change = |change: fn(&mut Person)| {
        let mut after = before.clone();
        change(&mut after);
        after
    };
    let named = change(|person| person.profile.name = ShownName::of("Lea"));
    let deleted = change(|person| person.contact.deleted_at = Some(person.contact.created_at));
    let both = change(|person| {
        person.profile.name = ShownName::of("Zoe");
        person.contact.phones = vec![number(1)];
    });
    store.change_person(scope, &before, &named, &stamp).await.unwrap();
    store.change_person(scope, &before, &deleted, &stamp).await.unwrap();
    for late in [named, deleted, both] {
        let refused = store.change_person(scope, &before, &late, &stamp).await.unwrap_err();
        assert!(matches!(refused, PersonError::Store(error) if error.is_conflict()));
    }
    let now = store.known(scope, person.contact.id).await.unwrap().unwrap();
    assert_eq!(now.profile.name.as_deref(), Some("Lea"));
    assert!(now.contact.phones.is_empty());
    assert_eq!(stored(&world).await, expected(&world, &[now]));
}
