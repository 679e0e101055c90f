//! Changing many contacts, in process against the emulator.

use std::collections::BTreeMap;
use std::sync::Arc;

use change_contacts::{Context, PER_STEP, handle};
use domain::inbox::ConversationState;
use domain::people::{
    ChangeContacts, ChangeDetails, ChangeIn, Conditions, Contact, EditedFields, Field, FieldValue, Identity, Person,
    Profile, RESTORABLE_FOR, Stage, Staged, Tag,
};
use domain::terms::{
    Actor, ContactId, Operation, OperationKind, OperationState, SegmentId, ShownName, Stamp, TagId, TenantId, UserId,
};
use jiff::SignedDuration;
use jobs::StartOperation;
use kit::operation::Ran;
use serde_json::{Value, from_value, json};
use store::Owned;
use store::contacts::Brought;
use store::table::operations::DETAILS_LIFE;
use testkit::Lossy;
use testkit::operations::result_of;

struct World {
    user: UserId,
    world: testkit::World<Context>,
}

testkit::extends_world!(World.world: Context);

/// The contacts that a change is made to.
enum Of<'a> {
    These(&'a [ContactId]),
    Segment(Value),
}

impl World {
    async fn new() -> Self {
        let world = testkit::World::new(Context::new).await;
        let user = UserId::new(world.aws.ids().ulid());
        Self { user, world }
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            actor: Actor::User(self.user),
            at: self.aws.now(),
            correlation_id: "cor".to_owned(),
        }
    }

    async fn visits(&self) -> Field {
        self.create_owned(json!({"key": "visits", "name": "Visits", "type": "number", "searchable": true}))
            .await
    }

    async fn tagged_contacts(&self, tag: &Tag, count: usize) -> Vec<ContactId> {
        let mut made = Vec::new();
        for _ in 0..count {
            let profile = Profile {
                tags: [tag.id].into(),
                ..Profile::default()
            };
            made.push(self.contact_known_as(profile).await);
        }
        made
    }

    /// Number of times that each of these contacts was written since it was created.
    async fn changes(&self, contacts: &[ContactId]) -> BTreeMap<ContactId, u64> {
        let mut all = BTreeMap::new();
        for contact in contacts {
            all.insert(*contact, self.person(*contact).await.profile.version - 1);
        }
        all
    }

    /// Starts a change, as the API does.
    async fn start(&self, of: Of<'_>, change: Value) -> StartOperation {
        let store = self.aws.store();
        let definitions = store.all::<Field>(self.scope()).await.unwrap();
        let change: ChangeIn = from_value(change).unwrap();
        assert!(change.problems().is_empty());
        let values = change.values(&definitions).unwrap();
        let (contacts, filter) = match of {
            Of::These(contacts) => (Some(contacts.to_vec()), None),
            Of::Segment(filter) => (None, Some(from_value::<Conditions>(filter).unwrap())),
        };
        let params = ChangeContacts {
            contacts: contacts.as_ref().map(|contacts| contacts.len() as u64),
            segment: filter.as_ref().map(|_| SegmentId::new(self.aws.ids().ulid())),
            filter,
            fields: change.fields.0.keys().cloned().collect(),
            change: ChangeIn {
                fields: EditedFields::default(),
                ..change
            },
        };
        let details = ChangeDetails {
            contacts: contacts.unwrap_or_default(),
            values,
        };
        let operation = Operation {
            created_by: Actor::User(self.user),
            ..self.operations.new_unstored(OperationKind::ChangeContacts, &params)
        };
        let stamp = self.aws.stamp();
        let created = store.create_detailed_operation(self.scope(), &operation, &details, &stamp);
        created.await.unwrap();
        self.operations.start(&operation)
    }

    async fn step(&self, start: &StartOperation) -> Ran {
        self.operations.step(start, &self.ctx, &handle).await
    }

    /// Makes all steps, each in a run of its own. Returns the result.
    async fn result(&self, start: &StartOperation) -> Value {
        let (operation, _) = self.operations.finish(start, &self.ctx, &handle).await;
        result_of(&operation)
    }

    /// Makes all steps in one run, by a process with this access to the table. Returns the result.
    async fn result_behind(&self, lossy: &Lossy, start: &StartOperation) -> Value {
        let ctx = Context::new(&self.aws.env_behind(lossy.url())).unwrap();
        assert_eq!(self.operations.run(start, 300, &ctx, &handle).await, Ran::Ended);
        assert!(lossy.has_lost_all());
        result_of(&self.operations.get(start).await)
    }

    /// The reason why the operation fails.
    async fn reason(&self, start: &StartOperation) -> String {
        assert_eq!(self.step(start).await, Ran::Ended);
        let operation = self.operations.get(start).await;
        assert_eq!(operation.state, OperationState::Failed);
        operation.reason.unwrap()
    }

    async fn has_details(&self, start: &StartOperation) -> bool {
        let store = self.aws.store();
        let found = store.operation_details::<ChangeDetails>(self.scope(), start.operation, self.aws.now());
        found.await.unwrap().is_some()
    }
}

fn result_counts(changed: u64, unchanged: u64, failed: u64) -> Value {
    json!({"changed": changed, "unchanged": unchanged, "failed": failed, "failures": []})
}

fn profile_with_visits(field: &Field, visits: u8) -> Profile {
    Profile {
        fields: [(field.id, FieldValue::Number(visits.to_string().parse().unwrap()))].into(),
        listed: [field.id].into(),
        ..Profile::default()
    }
}

#[tokio::test]
async fn named_contacts_are_changed_and_counted() {
    let world = World::new().await;
    let visits = world.visits().await;
    let (old, new): (Tag, Tag) = (
        world.create_owned(json!({"name": "Old"})).await,
        world.create_owned(json!({"name": "New"})).await,
    );
    let stage: Stage = world.create_owned(json!({"name": "Won", "position": 1})).await;
    let tagged = world.tagged_contacts(&old, 1).await[0];
    let as_wanted = Profile {
        name: ShownName::of("Maya Haddad"),
        tags: [new.id].into(),
        stage: Some(Staged {
            stage: stage.id,
            since: world.aws.now(),
        }),
        ..profile_with_visits(&visits, 3)
    };
    let as_wanted = world.contact_known_as(as_wanted).await;
    let full = Profile {
        tags: (0..20).map(|_| TagId::new(world.aws.ids().ulid())).collect(),
        ..Profile::default()
    };
    let full = world.contact_known_as(full).await;
    let missing = ContactId::new(world.aws.ids().ulid());
    world.aws.pass(60);
    let change = json!({"add_tags": [new.id], "remove_tags": [old.id], "stage": stage.id, "fields": {"visits": 3}});
    let start = world
        .start(Of::These(&[tagged, as_wanted, full, missing]), change)
        .await;
    assert!(world.has_details(&start).await);
    let mut result = world.result(&start).await;
    let failures = result["failures"].take();
    result["failures"] = json!([]);
    assert_eq!(result, result_counts(1, 1, 2));
    assert_eq!(failures[0]["contact"], json!(full));
    assert_eq!(
        (&failures[0]["reason"], &failures[1]["reason"]),
        (&json!("too_many_tags"), &json!("not_found"))
    );
    assert!(failures[1]["detail"].is_string());
    let operation = world.operations.get(&start).await;
    let progress = operation.progress;
    assert_eq!((progress.done, progress.errors, progress.total), (2, 2, Some(4)));
    let person = world.person(tagged).await;
    assert_eq!(person.profile.tags, [new.id].into());
    assert_eq!(person.profile.stage.map(|staged| staged.stage), Some(stage.id));
    assert_eq!(person.profile.updated_at, Some(world.aws.now()));
    assert_eq!(world.changes(&[as_wanted, full]).await.values().max(), Some(&0));
    // The lists follow: what is found by the value is found by the row that the change wrote.
    let found = world.start(
        Of::Segment(json!({"field": "visits", "value": 3})),
        json!({"owner": null}),
    );
    assert_eq!(world.result(&found.await).await, result_counts(0, 2, 0));
    // The log names the user who started it, and nothing of the values is left.
    assert_eq!(world.aws.signed_by(&world.user.to_string()).await, 1);
    assert!(!world.has_details(&start).await);
    assert!(!format!("{:?}", operation.params).contains("Number(3)"));
}

/// The list shrinks under the cursor, since the tag that leads to the contacts is the one that they lose.
#[tokio::test]
async fn contacts_that_lose_the_driving_tag_change_once() {
    let world = World::new().await;
    let tag: Tag = world.create_owned(json!({"name": "Regular"})).await;
    let contacts = world.tagged_contacts(&tag, 2 * PER_STEP + 7).await;
    let all = contacts.len() as u64;
    let change = json!({"remove_tags": [tag.id], "language": "ar"});
    let start = world.start(Of::Segment(json!({"tag": tag.id})), change).await;
    assert_eq!(world.result(&start).await, result_counts(all, 0, 0));
    let changes = world.changes(&contacts).await;
    assert!(changes.values().all(|count| *count == 1), "{changes:?}");
    let again = world
        .start(Of::Segment(json!({"tag": tag.id})), json!({"language": "en"}))
        .await;
    assert_eq!(world.result(&again).await, result_counts(0, 0, 0));
}

/// Contacts move within the list that leads to them, behind and ahead of the cursor.
#[tokio::test]
async fn contacts_that_move_in_the_driving_list_change_once() {
    let world = World::new().await;
    let visits = world.visits().await;
    let mut contacts = Vec::new();
    for number in 0..u8::try_from(PER_STEP).unwrap() + 10 {
        contacts.push(world.contact_known_as(profile_with_visits(&visits, number)).await);
    }
    let segment = json!({"field": "visits", "from": 0, "to": 200});
    let start = world
        .start(Of::Segment(segment), json!({"fields": {"visits": 55}}))
        .await;
    let result = world.result(&start).await;
    assert_eq!(
        (&result["changed"], &result["failed"]),
        (&json!(contacts.len() - 1), &json!(0))
    );
    let changes = world.changes(&contacts).await;
    let as_it_was = contacts[55];
    for (contact, count) in &changes {
        assert_eq!(*count, u64::from(*contact != as_it_was));
    }
}

/// Each step is made twice: by a worker that dies before it records it, and by the next one.
#[tokio::test]
async fn interrupted_steps_change_each_contact_once() {
    let world = World::new().await;
    let tag: Tag = world.create_owned(json!({"name": "Regular"})).await;
    let contacts = world.tagged_contacts(&tag, PER_STEP + 5).await;
    let of_list = world
        .start(Of::Segment(json!({"tag": tag.id})), json!({"language": "ar"}))
        .await;
    let of_names = world
        .start(Of::These(&contacts), json!({"remove_tags": [tag.id]}))
        .await;
    for start in [of_list, of_names] {
        world.operations.all_steps_twice(&start, &world.ctx, &handle).await;
        let operation = world.operations.get(&start).await;
        assert_eq!(operation.state, OperationState::Done);
        assert_eq!(operation.progress.done, contacts.len() as u64);
    }
    let changes = world.changes(&contacts).await;
    // Once by each of the two.
    assert!(changes.values().all(|count| *count == 2), "{changes:?}");
}

#[tokio::test]
async fn contacts_created_or_staged_later_are_not_meant() {
    let world = World::new().await;
    let stage: Stage = world.create_owned(json!({"name": "Open", "position": 1})).await;
    let staged = |since| Profile {
        stage: Some(Staged { stage: stage.id, since }),
        ..Profile::default()
    };
    let before = world.contact_known_as(staged(world.aws.now())).await;
    world.aws.pass(1);
    let all = world.start(Of::Segment(json!({})), json!({"language": "ar"})).await;
    let open = world
        .start(Of::Segment(json!({"stage": stage.id})), json!({"language": "fr"}))
        .await;
    world.aws.pass(1);
    let later = world.contact_known_as(staged(world.aws.now())).await;
    assert_eq!(world.result(&all).await, result_counts(1, 0, 0));
    // Somebody moves the other out of the stage and back.
    let since = world.aws.now();
    let back = |profile: &mut Profile| profile.stage = Some(Staged { stage: stage.id, since });
    world.change_profile(before, back).await;
    assert_eq!(world.result(&open).await, result_counts(0, 0, 0));
    assert_eq!(world.person(later).await.contact.language, None);
    assert_eq!(world.person(before).await.contact.language.as_deref(), Some("ar"));
}

#[tokio::test]
async fn a_cancelled_change_keeps_what_was_done() {
    let world = World::new().await;
    let tag: Tag = world.create_owned(json!({"name": "Regular"})).await;
    let contacts = world.tagged_contacts(&tag, PER_STEP + 1).await;
    let start = world.start(Of::These(&contacts), json!({"language": "ar"})).await;
    assert_eq!(world.step(&start).await, Ran::Continues);
    world.operations.cancel(&start).await;
    assert_eq!(world.step(&start).await, Ran::Nothing);
    let operation = world.operations.get(&start).await;
    assert_eq!(operation.state, OperationState::Cancelled);
    assert_eq!(operation.progress.done, PER_STEP as u64);
    assert_eq!(world.person(contacts[PER_STEP]).await.contact.language, None);
}

#[tokio::test]
async fn deleted_contacts_can_be_restored_for_a_month() {
    let world = World::new().await;
    let tag: Tag = world.create_owned(json!({"name": "Regular"})).await;
    let contacts = world.tagged_contacts(&tag, 3).await;
    let waits = world.business.receive_noted(&world.aws, contacts[0], None).await;
    let start = world
        .start(Of::Segment(json!({"tag": tag.id})), json!({"delete": true}))
        .await;
    assert_eq!(world.result(&start).await, result_counts(3, 0, 0));
    let closed = world.business.conversation(&world.aws, waits).await.value;
    assert_eq!(closed.state, ConversationState::Closed);
    let store = world.aws.store();
    let page = store.operations(world.scope(), None, 10, world.aws.now());
    let due: Vec<_> = page
        .await
        .unwrap()
        .items
        .into_iter()
        .filter(|found| found.value.kind == OperationKind::EraseContact)
        .map(|found| found.value.due)
        .collect();
    // They are spread over a day.
    let (first, last) = (
        world.aws.now() + RESTORABLE_FOR,
        world.aws.now() + RESTORABLE_FOR + SignedDuration::from_hours(24),
    );
    assert!(
        due.len() == 3 && due.iter().all(|due| due.is_some_and(|due| first <= due && due < last)),
        "{due:?}"
    );
    assert!(due.iter().any(|other| *other != due[0]), "{due:?}");
    for contact in &contacts {
        let person = world.person(*contact).await;
        assert_eq!(person.contact.deleted_at, Some(world.aws.now()));
    }
    // Deleting them again changes nothing; nothing else is done to them.
    let again = world.start(Of::These(&contacts), json!({"delete": true})).await;
    assert_eq!(world.result(&again).await, result_counts(0, 3, 0));
    let other = world.start(Of::These(&contacts), json!({"language": "ar"})).await;
    assert_eq!(world.result(&other).await["failed"], 3);
    let listed = world
        .start(Of::Segment(json!({"tag": tag.id})), json!({"language": "ar"}))
        .await;
    assert_eq!(world.result(&listed).await, result_counts(0, 0, 0));
}

/// A call is stored between reading the contact and changing it.
#[tokio::test]
async fn a_lost_race_is_repeated() {
    let world = World::new().await;
    let lossy = Lossy::before(&world.aws);
    let contact = world.contact_known_as(Profile::from_name(ShownName::of("Maya"))).await;
    let start = world.start(Of::These(&[contact]), json!({"language": "ar"})).await;
    let (store, scope) = (world.aws.store(), world.scope().clone());
    let mut called = world.person(contact).await.contact;
    called.calls += 1;
    lossy.happens_before("TransactWriteItems", async move || {
        store.write_contact(&scope, &called.into(), None).await.unwrap();
    });
    assert_eq!(world.result_behind(&lossy, &start).await, result_counts(1, 0, 0));
    let person = world.person(contact).await;
    assert_eq!(
        (person.contact.language.as_deref(), person.contact.calls),
        (Some("ar"), 1)
    );
}

/// A user takes the contact out of the segment between reading and changing it.
#[tokio::test]
async fn a_contact_that_leaves_the_segment_is_left_alone() {
    let world = World::new().await;
    let lossy = Lossy::before(&world.aws);
    let tag: Tag = world.create_owned(json!({"name": "Regular"})).await;
    let contact = world.tagged_contacts(&tag, 1).await[0];
    let start = world
        .start(Of::Segment(json!({"tag": tag.id})), json!({"language": "ar"}))
        .await;
    let (store, scope, stamp) = (world.aws.store(), world.scope().clone(), world.stamp());
    let before = world.person(contact).await;
    let mut after = before.clone();
    after.profile.tags.clear();
    after.contact.calls += 1;
    lossy.happens_before("TransactWriteItems", async move || {
        let brought = Brought::default();
        let changed = store.change_person(&scope, &before, &after, &brought, &stamp);
        changed.await.unwrap();
    });
    assert_eq!(world.result_behind(&lossy, &start).await, result_counts(0, 0, 0));
    assert_eq!(world.person(contact).await.contact.language, None);
}

/// A user merges the contact into another one between reading and deleting it.
#[tokio::test]
async fn the_survivor_of_a_merged_contact_is_left_alone() {
    let world = Arc::new(World::new().await);
    let lossy = Lossy::before(&world.aws);
    let survivor = world.contact_known_as(Profile::from_name(ShownName::of("Maya"))).await;
    let contact = world
        .contact_known_as(Profile::from_name(ShownName::of("Maya H.")))
        .await;
    let start = world.start(Of::These(&[contact]), json!({"delete": true})).await;
    let merging = Arc::clone(&world);
    lossy.happens_before("TransactWriteItems", async move || {
        merging.business.merge(&merging.aws, survivor, contact).await;
    });
    let result = world.result_behind(&lossy, &start).await;
    assert_eq!((&result["failed"], &result["changed"]), (&json!(1), &json!(0)));
    assert_eq!(result["failures"][0]["reason"], "not_found");
    assert_eq!(world.person(survivor).await.contact.deleted_at, None);
}

/// The change refers to something that is deleted after the start.
#[tokio::test]
async fn a_change_without_its_subject_fails_with_a_sentence() {
    let world = World::new().await;
    let (tag, stage): (Tag, Stage) = (
        world.create_owned(json!({"name": "Regular"})).await,
        world.create_owned(json!({"name": "Open", "position": 1})).await,
    );
    let visits = world.visits().await;
    let contact = world.contact_known_as(profile_with_visits(&visits, 1)).await;
    let these = || Of::These(std::slice::from_ref(&contact));
    let tagging = world.start(these(), json!({"add_tags": [tag.id]})).await;
    let staging = world.start(these(), json!({"stage": stage.id})).await;
    let setting = world.start(these(), json!({"fields": {"visits": 2}})).await;
    let driven = Of::Segment(json!({"field": "visits", "from": 1}));
    let listing = world.start(driven, json!({"language": "ar"})).await;
    world.remove::<Tag>(&tag.id.to_string()).await;
    world.remove::<Stage>(&stage.id.to_string()).await;
    world.remove::<Field>(&visits.id.to_string()).await;
    for (start, named) in [
        (tagging, tag.id.to_string()),
        (staging, stage.id.to_string()),
        (setting, "field".to_owned()),
        (listing, "field".to_owned()),
    ] {
        let reason = world.reason(&start).await;
        assert!(reason.contains(&named) && reason.ends_with('.'), "{reason}");
    }
    assert_eq!(world.changes(&[contact]).await[&contact], 0);
    // Nobody knows any more what was to be done.
    let late = world.start(these(), json!({"language": "ar"})).await;
    world.aws.pass(DETAILS_LIFE.as_secs());
    assert!(world.reason(&late).await.contains("week"));
}

impl World {
    async fn remove<T: Owned>(&self, id: &str) {
        let store = self.aws.store();
        let found = store.get::<T>(self.scope(), &id).await.unwrap().unwrap();
        store.remove(self.scope(), &found, &self.stamp()).await.unwrap();
    }
}

#[tokio::test]
async fn contacts_of_another_tenant_are_unknown() {
    let world = World::new().await;
    let theirs = world.aws.scope(TenantId::new(world.aws.ids().ulid()));
    let identity = Identity::Phone("+971501234567".parse().unwrap());
    let contact = Contact::first_seen(ContactId::new(world.aws.ids().ulid()), &identity, world.aws.now());
    let person = Person {
        contact,
        profile: Profile::default(),
    };
    let (store, stamp) = (world.aws.store(), world.stamp());
    store
        .create_person(&theirs, &person, &Brought::default(), &stamp)
        .await
        .unwrap();
    let id = person.contact.id;
    for of in [Of::These(&[id]), Of::Segment(json!({}))] {
        let start = world.start(of, json!({"delete": true})).await;
        assert_eq!(world.result(&start).await["changed"], 0);
    }
    let known = store.known_person(&theirs, id).await.unwrap().unwrap();
    assert_eq!((known.contact.deleted_at, known.profile.version), (None, 1));
}

/// The largest change that a request can ask for.
#[tokio::test]
async fn a_thousand_named_contacts_fit_an_operation() {
    let world = World::new().await;
    let contacts: Vec<_> = (0..domain::people::MAX_CHOSEN)
        .map(|_| ContactId::new(world.aws.ids().ulid()))
        .collect();
    let start = world.start(Of::These(&contacts), json!({"language": "ar"})).await;
    let result = world.result(&start).await;
    assert_eq!((&result["failed"], &result["changed"]), (&json!(1_000), &json!(0)));
    assert_eq!(result["failures"].as_array().map(Vec::len), Some(50));
}
