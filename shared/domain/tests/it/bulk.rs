//! Changes of many contacts: each is made once, however often it is tried, and says what it says of every contact.

use std::collections::BTreeMap;

use domain::people::{ChangeIn, Contact, Edit, Field, FieldEdits, FieldValue, Filter, Person, Profile, Staged, Test};
use domain::terms::{ContactId, FieldId, Language, StageId, TagId, UserId};
use proptest::prelude::*;
use serde_json::{from_value, json};

use crate::contacts::at;

fn id<T>(new: fn(ulid::Ulid) -> T, number: u64) -> T {
    new(ulid::Ulid::from_parts(number, 0))
}

fn definitions() -> Vec<Field> {
    let define = |number: u64| -> Field {
        let (id, key) = (id(FieldId::new, number), format!("field_{number}"));
        let searchable = number > 0;
        from_value(json!({"id": id, "key": key, "name": key, "type": "number", "searchable": searchable})).unwrap()
    };
    (0..3).map(define).collect()
}

fn number() -> impl Strategy<Value = FieldValue> {
    (0..5_u8).prop_map(|number| FieldValue::Number(number.to_string().parse().unwrap()))
}

fn edit<T: Clone + std::fmt::Debug>(new: fn(ulid::Ulid) -> T) -> impl Strategy<Value = Edit<T>> {
    let set = (0..3_u64).prop_map(move |number| Edit::Set(id(new, number)));
    prop_oneof![Just(Edit::Keep), Just(Edit::Clear), set]
}

fn languages() -> impl Strategy<Value = Edit<Language>> {
    prop_oneof![
        Just(Edit::Keep),
        Just(Edit::Clear),
        Just(Edit::Set(Language::from_stored("ar")))
    ]
}

prop_compose! {
    fn change()(
        add in prop::collection::btree_set(0..6_u64, 0..4),
        remove in prop::collection::btree_set(6..9_u64, 0..4),
        stage in edit(StageId::new),
        owner in edit(UserId::new),
        language in languages(),
        delete in prop::bool::weighted(0.1),
    ) -> ChangeIn {
        let tags = |numbers: std::collections::BTreeSet<u64>| -> Vec<TagId> {
            numbers.into_iter().map(|number| id(TagId::new, number)).collect()
        };
        if delete {
            return ChangeIn { delete, ..ChangeIn::default() };
        }
        ChangeIn {
            add_tags: tags(add).into(), remove_tags: tags(remove).into(), stage, owner, language, ..ChangeIn::default()
        }
    }
}

fn values() -> impl Strategy<Value = FieldEdits> {
    prop::collection::btree_map(0..3_u64, prop::option::of(number()), 0..3).prop_map(|values| {
        let by_id = values
            .into_iter()
            .map(|(number, value)| (id(FieldId::new, number), value));
        by_id.collect()
    })
}

prop_compose! {
    fn person()(
        tags in prop::collection::btree_set(0..9_u64, 0..9),
        stage in prop::option::of(0..3_u64),
        fields in prop::collection::btree_map(0..3_u64, number(), 0..3),
        owner in prop::option::of(0..3_u64),
    ) -> Person {
        let fields: BTreeMap<FieldId, FieldValue> =
            fields.into_iter().map(|(number, value)| (id(FieldId::new, number), value)).collect();
        Person {
            contact: Contact::new(id(ContactId::new, 1), at(0)),
            profile: Profile {
                listed: fields.keys().copied().filter(|field| *field != id(FieldId::new, 0)).collect(),
                fields,
                tags: tags.into_iter().map(|number| id(TagId::new, number)).collect(),
                stage: stage.map(|number| Staged { stage: id(StageId::new, number), since: at(0) }),
                owner: owner.map(|number| id(UserId::new, number)),
                ..Profile::default()
            },
        }
    }
}

proptest! {
    #[test]
    fn a_change_is_made_once(change in change(), values in values(), before in person()) {
        let values = if change.delete { FieldEdits::new() } else { values };
        let made = change.apply(&values, &before, &definitions(), at(10)).unwrap();
        let after = made.clone().unwrap_or(before.clone());
        prop_assert_eq!(made.is_some(), after != before);
        // By a worker that comes after one that died.
        prop_assert_eq!(change.apply(&values, &after, &definitions(), at(20)), Ok(None));
    }

    /// A list never leads to a value that the profile does not have, and what could be searched before still can.
    #[test]
    fn lists_follow_a_change(change in change(), values in values(), before in person()) {
        let made = change.apply(&values, &before, &definitions(), at(10)).unwrap();
        let Person { profile, .. } = made.unwrap_or(before);
        let searchable: std::collections::BTreeSet<FieldId> =
            profile.fields.keys().copied().filter(|field| *field != id(FieldId::new, 0)).collect();
        prop_assert_eq!(profile.listed, searchable);
    }

    /// A contact that the change itself moves within the list that leads to it is met again, but then has nothing to change.
    #[test]
    fn a_contact_met_again_has_nothing_to_change(wanted in 0..5_u8, before in person()) {
        let field = id(FieldId::new, 1);
        let number = |number: u8| Some(FieldValue::Number(number.to_string().parse().unwrap()));
        let range = Filter {
            field: Some((field, Test::Between(number(0), number(5)))),
            ..Filter::default()
        };
        let values: FieldEdits = [(field, number(wanted))].into();
        let change = ChangeIn::default();
        let taken = range.takes(&before);
        prop_assert_eq!(taken, before.profile.fields.contains_key(&field));
        let made = change.apply(&values, &before, &definitions(), at(10)).unwrap();
        let after = made.unwrap_or(before);
        prop_assert!(range.takes(&after));
        prop_assert_eq!(change.apply(&values, &after, &definitions(), at(20)), Ok(None));
    }
}
