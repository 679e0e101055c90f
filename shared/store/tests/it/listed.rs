//! Sequences of changes of a few contacts: in whatever order people and jobs make them, exactly what the contacts have leads to them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::people::{Change, Contact, FieldValue, Identity, Listing, MAX_IDENTITIES, Person, Profile, Staged};
use domain::terms::{ContactId, Email, FieldId, MergeId, Phone, ShownName, StageId, TagId};
use store::contacts::{Brought, PersonError};
use testkit::Dice;
use testkit::business::erase;
use ulid::Ulid;

use crate::world::World;

/// Steps of a sequence.
const STEPS: usize = 80;

/// Steps between two comparisons of the whole table with the contacts.
const LOOK_EVERY: usize = 8;

pub(crate) fn id<T>(new: fn(Ulid) -> T, number: u64) -> T {
    new(Ulid::from_parts(number, 7))
}

pub(crate) fn number(number: u64) -> Phone {
    format!("+97150123450{number}").parse().expect("a number")
}

fn address(number: u64) -> Email {
    format!("maya{number}@example.com").parse().expect("an address")
}

/// Changes some of what a person has. Returns what.
fn shuffle(person: &mut Person, dice: &mut Dice, world: &World) -> &'static str {
    let names = ["Maya Haddad", "Maya", "José Ruiz", "حدّاد مايا", "A b c d e f g"];
    let Person { contact, profile } = person;
    let changed = match dice.roll(8) {
        0 => {
            profile.name = ShownName::of(dice.one::<&str>(&names));
            "name"
        }
        1 => {
            profile.name = None;
            "no name"
        }
        2 => {
            profile.tags = (0..dice.roll(4)).map(|tag| id(TagId::new, tag)).collect();
            "tags"
        }
        3 => {
            let stage = id(StageId::new, dice.roll(3));
            let since = world.aws.now();
            profile.stage = (dice.roll(3) > 0).then_some(Staged { stage, since });
            "stage"
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
            "field"
        }
        5 => {
            let field = id(FieldId::new, dice.roll(3));
            profile.fields.remove(&field);
            profile.listed.remove(&field);
            "no field"
        }
        6 => {
            contact.emails = (0..dice.roll(3)).map(|own| address(own * 3 + dice.roll(3))).collect();
            "addresses"
        }
        _ => {
            contact.phones = (0..dice.roll(4)).map(|own| number(own * 2 + dice.roll(2))).collect();
            "numbers"
        }
    };
    contact.named = profile.name.is_some();
    changed
}

/// Every row that leads to a contact, and every partition of a contact, as the table has them.
pub(crate) async fn read_stored_rows(world: &World) -> BTreeSet<String> {
    let tenant = world.partition();
    let within = |pk: &str, lists: &[&str]| {
        let list = pk.strip_prefix(&tenant);
        list.is_some_and(|list| lists.iter().any(|known| list.starts_with(known)))
    };
    let mut found = BTreeSet::new();
    for row in world.aws.rows().await {
        let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok()).cloned();
        let (pk, sk) = (text("pk").expect("a key"), text("sk").expect("a key"));
        if within(&pk, &["#FIND#", "#TAG#", "#FIELD#"]) {
            found.insert(format!("{pk} {sk}"));
        }
        if within(&pk, &["#C#"]) {
            found.insert(pk.clone());
        }
        // A row that is marked as deleted stays for a day, and leads to nobody.
        if within(&pk, &["#ID#"]) && !row.contains_key("gone") {
            found.insert(format!("{pk} {}", text("data").unwrap_or_default()));
        }
        for (pk, sk) in [("gsi1pk", "gsi1sk"), ("gsi3pk", "gsi3sk")] {
            let lists = ["#FIND#", "#STAGE#", "#DELETED", "#CONTACTS", "#SAME", "#SUPPRESSED"];
            if let (Some(pk), Some(sk)) = (text(pk), text(sk))
                && within(&pk, &lists)
            {
                found.insert(format!("{pk} {sk}"));
            }
        }
    }
    found
}

/// The rows that these people should be found by, and their partitions.
pub(crate) fn expected_rows(world: &World, people: &[Person]) -> BTreeSet<String> {
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
        all.insert(format!("{tenant}#CONTACTS {}", contact.id));
        for identity in contact.known_by() {
            all.insert(format!("{tenant}#ID#{} {}", identity.key(), contact.id));
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
        } else if !contact.same_as.is_empty() {
            all.insert(format!("{tenant}#SAME {own}"));
        }
        all.extend(contact.ids().map(|id| format!("{tenant}#C#{}", lower(id.ulid()))));
    }
    all
}

type Rows = BTreeMap<String, HashMap<String, AttributeValue>>;

/// All rows of the table without their versions and the author of their last change, and without merges, whose rows stay.
async fn rows(world: &World) -> Rows {
    let mut rows = Rows::new();
    for mut row in world.aws.rows().await {
        for changes in ["v", "by"] {
            row.remove(changes);
        }
        if let Some(AttributeValue::M(data)) = row.get_mut("data") {
            data.remove("version");
        }
        if row["kind"] != AttributeValue::S("merge".to_owned()) {
            rows.insert(format!("{:?} {:?}", row["pk"], row["sk"]), row);
        }
    }
    rows
}

/// The rows that differ between two tables.
fn difference(before: &Rows, after: &Rows) -> Vec<String> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differ = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
    differ
        .map(|key| format!("{key}: {:?} became {:?}", before.get(key), after.get(key)))
        .collect()
}

/// A sequence of steps.
struct Sequence {
    world: World,
    dice: Dice,
    /// Contacts that exist and were not merged into others.
    ids: Vec<ContactId>,
    merges: Vec<MergeId>,
    /// Steps so far, for finding out what went wrong.
    steps: Vec<String>,
    merged: u32,
    /// Merges that were undone at once, and those that were undone after other changes.
    undone: (u32, u32),
    erased: u32,
}

impl Sequence {
    async fn new(seed: u64) -> Self {
        Self {
            world: World::new().await,
            dice: Dice::new(seed),
            ids: Vec::new(),
            merges: Vec::new(),
            steps: vec![format!("seed {seed}")],
            merged: 0,
            undone: (0, 0),
            erased: 0,
        }
    }

    async fn step(&mut self) {
        self.world.aws.pass(1);
        if self.ids.len() < 3 || self.dice.roll(10) == 0 {
            return self.create().await;
        }
        let contact = *self.dice.one(&self.ids);
        let before = self.world.person(contact).await;
        let mut after = before.clone();
        let what = match self.dice.roll(11) {
            0 => {
                after.contact.deleted_at = Some(self.world.aws.now());
                "delete"
            }
            1 => {
                after.contact.deleted_at = None;
                "restore"
            }
            2 => return self.learn(contact).await,
            3 => {
                after.contact.is_also([*self.dice.one(&self.ids)]);
                "is the same person"
            }
            4 | 5 => return Box::pin(self.merge(before)).await,
            6 | 7 => return self.undo(&before).await,
            8 if before.contact.deleted_at.is_some() => return self.erase(contact).await,
            // Nobody changes what is hidden.
            _ if before.contact.deleted_at.is_some() => return,
            _ => shuffle(&mut after, &mut self.dice, &self.world),
        };
        if after == before {
            return;
        }
        self.steps.push(format!("{contact}: {what}"));
        match self.world.write_person(&before, &after).await {
            Ok(()) | Err(PersonError::Taken(_)) => {}
            Err(error) => panic!("{error}: {:#?}", self.steps),
        }
    }

    async fn create(&mut self) {
        let contact = Contact::new(ContactId::new(self.world.aws.ids().ulid()), self.world.aws.now());
        let mut person = Person {
            contact,
            profile: Profile::default(),
        };
        for _change in 0..4 {
            shuffle(&mut person, &mut self.dice, &self.world);
        }
        let id = person.contact.id;
        self.steps.push(format!("{id}: create"));
        let (store, scope, stamp) = (&self.world.store, self.world.scope(), self.world.stamp());
        match store.create_person(scope, &person, &Brought::default(), &stamp).await {
            Ok(()) => self.ids.push(id),
            Err(PersonError::Taken(_)) => {}
            Err(error) => panic!("{error}: {:#?}", self.steps),
        }
    }

    /// A job learns another number, if there is room: one that finds none still leads to the contact (`rows`).
    async fn learn(&mut self, contact: ContactId) {
        if self.world.person(contact).await.contact.phones.len() == MAX_IDENTITIES {
            return;
        }
        let identity = Identity::Phone(number(self.dice.roll(10)));
        if self.world.contact_of(&identity).await.is_some() {
            return;
        }
        self.steps.push(format!("{contact}: learn {}", identity.key()));
        let learn = |contact: &mut Contact| Change::Linked(contact.prefer(&identity));
        self.world.change_contact(contact, learn).await;
    }

    /// Merges another contact into this one. Every second merge is undone at once, which gives back the same rows.
    async fn merge(&mut self, survivor: Person) {
        let other = *self.dice.one(&self.ids);
        let other = self.world.person(other).await;
        if domain::people::merge_people(&survivor, &other, self.world.aws.now()).is_err() {
            return;
        }
        let (into, other_id) = (survivor.contact.id, other.contact.id);
        let at_once = self.dice.roll(2) == 0;
        let before = if at_once { rows(&self.world).await } else { Rows::new() };
        let merged = self.world.business.merge_read(&self.world.aws, survivor, other);
        let merge = merged.await.expect("the contacts are merged");
        self.merged += 1;
        if !at_once {
            self.steps.push(format!("{into}: merge {other_id}"));
            self.ids.retain(|id| *id != other_id);
            self.merges.push(merge);
            return;
        }
        self.steps.push(format!("{into}: merge {other_id} and undo that"));
        self.world.business.unmerge(&self.world.aws, merge).await;
        self.undone.0 += 1;
        let differ = difference(&before, &rows(&self.world).await);
        assert!(differ.is_empty(), "{:#?}: {differ:#?}", self.steps);
    }

    /// Undoes the newest merge into this contact, if that is possible.
    async fn undo(&mut self, survivor: &Person) {
        let Some(last) = survivor.contact.aliases.last() else {
            return;
        };
        let into = survivor.contact.id;
        let own = self.merges.iter().rev().filter(|merge| merge.contact() == into);
        for merge in own.copied().collect::<Vec<_>>() {
            let (store, scope) = (&self.world.store, self.world.scope());
            let found = store.undoable(scope, merge, self.world.aws.now()).await;
            let found = found.expect("the table answers").expect("the merge").merge.value;
            if found.undone.is_none() {
                assert_eq!(found.other, *last, "{:#?}", self.steps);
                self.steps.push(format!("{into}: undo the merge of {last}"));
                self.world.business.unmerge(&self.world.aws, merge).await;
                self.ids.push(found.other);
                self.undone.1 += 1;
                return;
            }
        }
    }

    async fn erase(&mut self, contact: ContactId) {
        self.steps.push(format!("{contact}: erase"));
        let (store, scope) = (&self.world.store, self.world.scope());
        Box::pin(erase(store, scope, contact, self.world.aws.now())).await;
        self.ids.retain(|own| *own != contact);
        self.erased += 1;
    }

    /// Compares the table with the contacts.
    async fn look(&self) {
        let mut people = Vec::new();
        for contact in &self.ids {
            people.push(self.world.person(*contact).await);
        }
        let (found, wanted) = (read_stored_rows(&self.world).await, expected_rows(&self.world, &people));
        let missing: Vec<_> = wanted.difference(&found).collect();
        let left: Vec<_> = found.difference(&wanted).collect();
        assert!(
            missing.is_empty() && left.is_empty(),
            "missing: {missing:#?}, left over: {left:#?}, after {:#?}",
            self.steps
        );
    }
}

/// A failure prints what was done until then; since the table is compared every few steps, the last of them are to blame.
#[tokio::test]
async fn lists_equal_the_contacts_after_any_changes() {
    let (mut merged, mut undone, mut erased) = (0, (0, 0), 0);
    for seed in 1..=6 {
        let mut sequence = Box::pin(Sequence::new(seed)).await;
        for step in 1..=STEPS {
            Box::pin(sequence.step()).await;
            if step % LOOK_EVERY == 0 {
                sequence.look().await;
            }
        }
        merged += sequence.merged;
        undone = (undone.0 + sequence.undone.0, undone.1 + sequence.undone.1);
        erased += sequence.erased;
    }
    eprintln!("{merged} merges, {undone:?} undone, {erased} contacts erased");
    assert!(merged > 12 && undone.0 > 4 && undone.1 > 2 && erased > 2);
}
