//! Archives of contacts, in process against the emulator.

use std::collections::BTreeSet;

use archive_contact::{Context, handle};
use domain::accounts::Role;
use domain::campaigns::{Campaign, Enrolment};
use domain::inbox::Conversation;
use domain::media::{FileName, InboundMedia};
use domain::messages::{Content, OptFlag};
use domain::people::{
    ArchiveContact, ArchiveResult, By, Change, Choice, ConsentEntry, Field, HistoryKind, Identity, LinkCode, Note,
    Profile, Scope, Tag, Wish,
};
use domain::tenants::Team;
use domain::terms::{Actor, CampaignId, ContactId, Email, LineId, NoteId, OperationKind, OperationState, ShownName};
use jobs::StartOperation;
use kit::Folder;
use kit::operation::{Ran, Step};
use serde_json::{Value, json};
use store::campaigns::DripEntry;
use store::contacts::ContactWrite;
use testkit::business::{CUSTOMER, business, phone};
use testkit::operations::result_of;
use testkit::samples;

const OTHER: &str = "+971502222222";
const FORMER: &str = "+971501000002";
const EMAIL: &str = "maya@example.org";
const TEXT: &str = "Where is my saffron cake?";

struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    /// With pages of this many entries, each a step of its own.
    async fn new(page: i32) -> Self {
        let mut world = testkit::World::new(Context::new).await;
        world.ctx = world.ctx.in_pages_of(page, 700);
        Self(world)
    }

    /// A contact with this number and something in each list.
    async fn contact_with_everything(&self, number: &str) -> ContactId {
        let (aws, business) = (&self.aws, &self.business);
        let (store, scope, stamp) = (aws.store(), business.scope(), aws.stamp());
        let field = json!({"key": "level", "name": "Level", "type": "text"});
        let field: Field = self.create_owned(field).await;
        let tag: Tag = self.create_owned(json!({"name": "Regular"})).await;
        let known = business.contact_with(aws, number, |contact| {
            contact.emails = vec![EMAIL.parse::<Email>().unwrap()];
        });
        let id = known.await.id;
        self.follow_up_of(number).await;
        // Messages of one moment have no order.
        aws.pass(1);
        self.writes(id, TEXT).await;

        let mut contact = store.contact(scope, id).await.unwrap().unwrap();
        let stop = Wish::new(Choice::Refused, Scope::ALL, By::Keyword, "wrote STOP by SMS", aws.now());
        let entry = contact.record(stop).consent().unwrap();
        let profile = Profile {
            fields: [(field.id, serde_json::from_value(json!({"t": "gold"})).unwrap())].into(),
            tags: [tag.id].into(),
            ..Profile::from_name(ShownName::of("Maya Haddad"))
        };
        let write = ContactWrite {
            dropped_identities: vec![Identity::Phone(phone(FORMER))],
            profile: Some(profile.into()),
            ..ContactWrite::from(contact)
        };
        let consent = Some((aws.ids().ulid(), &entry));
        store.write_contact(scope, &write, consent).await.unwrap();

        for number in 0..5 {
            aws.pass(1);
            let text = serde_json::from_value(json!(format!("Note {number}"))).unwrap();
            let note = Note::new(NoteId::new(id, aws.ids().ulid()), text, Actor::Operator, aws.now());
            store.create_of_contact(scope, &note, &stamp).await.unwrap();
        }
        id
    }

    /// Stores a message of the contact.
    async fn writes(&self, contact: ContactId, text: &str) {
        let text = Some(text.to_owned());
        let written = self
            .business
            .receive(&self.aws, contact, |received| received.message.text = text);
        written.await;
    }

    /// Starts an archive, as the API does.
    async fn start(&self, contact: ContactId) -> StartOperation {
        let (store, scope) = (self.aws.store(), self.business.scope());
        let (kind, params) = (OperationKind::ArchiveContact, ArchiveContact { contact });
        let operation = self.operations.new_unstored(kind, &params);
        let newest = store.newest_archive(scope, contact, self.aws.now()).await.unwrap();
        let before = newest.map(|newest| newest.version);
        let stamp = self.aws.stamp();
        let created = store.create_archive(scope, contact, before, &operation, &stamp);
        created.await.unwrap();
        self.operations.start(&operation)
    }

    /// Makes one step and records it.
    async fn step(&self, start: &StartOperation) {
        let ran = self.operations.step(start, &self.ctx, &handle).await;
        assert_ne!(ran, Ran::Nothing);
    }

    /// The archive of a contact, its text, and the number of steps.
    async fn archive(&self, contact: ContactId) -> (Value, String, usize) {
        let start = self.start(contact).await;
        let steps = self.operations.all_steps_twice(&start, &self.ctx, &handle).await;
        let result: ArchiveResult = result_of(&self.operations.get(&start).await);
        let [_, results] = Folder::of_archive(self.business.scope(), contact, start.operation);
        let mut files = self.aws.files(results.as_str()).await;
        let (key, bytes) = files.pop_first().unwrap();
        assert!(files.is_empty() && key.ends_with("/contact.json"), "{key}");
        assert_eq!(bytes.len() as u64, result.size);
        let text = String::from_utf8(bytes).unwrap();
        let archive: Value = serde_json::from_str(&text).unwrap();
        let lists = archive.as_object().unwrap().values().filter_map(Value::as_array);
        assert_eq!(lists.map(Vec::len).sum::<usize>() as u64, result.entries);
        (archive, text, steps)
    }

    /// Everything that archives of this contact have left in the bucket.
    async fn files_of(&self, contact: ContactId) -> Vec<String> {
        let mut found = Vec::new();
        for folder in Folder::of_contact(self.business.scope(), contact) {
            found.extend(self.aws.files(folder.as_str()).await.into_keys());
        }
        found
    }

    async fn change(&self, contact: ContactId, change: impl Fn(&mut domain::people::Contact)) {
        let changed = self.aws.change_contact(self.business.scope(), contact, |contact| {
            change(contact);
            Change::Contact
        });
        changed.await;
    }
}

fn count(archive: &Value, list: &str) -> usize {
    archive[list].as_array().unwrap().len()
}

#[tokio::test]
async fn an_archive_has_all_of_a_contact_and_nobody_else() {
    let world = World::new(2).await;
    let contact = Box::pin(world.contact_with_everything(CUSTOMER)).await;
    // Somebody else of the same business, and the same number at another one.
    let else_where = Box::pin(business(&world.aws)).await;
    for (business, number) in [(&world.business, OTHER), (&else_where, CUSTOMER)] {
        Box::pin(business.follow_up(&world.aws, number)).await;
    }
    let (archive, text, steps) = world.archive(contact).await;
    assert!(steps >= 10, "only {steps} steps");
    for (list, expected) in [
        ("calls", 1),
        ("messages", 2),
        ("notes", 5),
        ("consent", 1),
        ("merges", 0),
        ("further_identities", 1),
    ] {
        assert_eq!(count(&archive, list), expected, "{list}");
        assert!(archive["about"]["lists"][list].is_string(), "{list} is not described");
    }
    let person = &archive["contact"];
    assert_eq!(
        (&person["id"], &person["name"], &person["phones"], &person["emails"]),
        (
            &json!(contact),
            &json!("Maya Haddad"),
            &json!([CUSTOMER]),
            &json!([EMAIL])
        )
    );
    assert_eq!(
        (
            &person["fields"]["level"],
            &person["tags"][0]["name"],
            &person["consent"][0]["choice"]
        ),
        (&json!("gold"), &json!("Regular"), &json!("refused"))
    );
    assert_eq!(archive["further_identities"], json!([format!("phone:{FORMER}")]));
    let texts: Vec<&Value> = archive["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| &note["text"])
        .collect();
    assert_eq!(texts, ["Note 4", "Note 3", "Note 2", "Note 1", "Note 0"]);
    assert_eq!(archive["messages"][0]["message"]["text"], TEXT);
    assert_eq!(archive["messages"][1]["direction"], "outbound");
    assert!(archive["messages"][1]["plan"][0]["content"].is_object());
    assert_eq!(archive["consent"][0]["source"], "wrote STOP by SMS");
    assert!(
        !text.contains(OTHER) && !text.contains(&else_where.tenant().to_string()),
        "{text}"
    );
    for internal in ["correlation_id", "dispatches", "\"version\""] {
        assert!(!text.contains(internal), "{internal} in {text}");
    }
}

/// Whose turn it is, and who attends to it, with names beside the ids; what only the inbox needs is not in it.
#[tokio::test]
async fn conversations_of_the_person_are_archived() {
    let world = World::new(1).await;
    let (aws, business) = (&world.aws, &world.business);
    let survivor = business.contact(aws, OTHER).await.id;
    let merged = business.contact(aws, CUSTOMER).await.id;
    let member = business.member(aws, Role::Agent).await;
    let tag: Tag = world.create_owned(json!({"name": "Complaint"})).await;
    let team: Team = world.create_owned(json!({"name": "Orders"})).await;
    let line = LineId::new(aws.ids().ulid());
    for (contact, line) in [(survivor, None), (survivor, Some(line)), (merged, None)] {
        let id = business.receive_noted(aws, contact, line).await;
        let change = |conversation: &mut Conversation| {
            conversation.assignee = Some(member.user);
            conversation.team = Some(team.id);
            conversation.tags = vec![tag.id].into();
        };
        business.change_conversation(aws, id, change).await;
    }
    business.merge(aws, survivor, merged).await;
    let (archive, ..) = world.archive(survivor).await;
    let contacts = archive["conversations"].as_array().unwrap().iter();
    let contacts: Vec<_> = contacts.map(|one| one["contact"].clone()).collect();
    assert_eq!(contacts, [json!(survivor), json!(survivor), json!(merged)]);
    let shown = &archive["conversations"][0];
    assert_eq!(
        (&shown["assignee_email"], &shown["team_name"], &shown["tags"]),
        (
            &json!(member.email),
            &json!("Orders"),
            &json!([{"id": tag.id, "name": "Complaint"}])
        )
    );
    assert!(shown["seq"].is_null() && shown["tell_at"].is_null(), "{shown}");
}

/// Also in a drip, and in a campaign that was deleted; not what the table has yet to delete.
#[tokio::test]
async fn enrolments_of_the_person_are_archived() {
    let world = World::new(1).await;
    let (aws, scope) = (&world.aws, world.business.scope());
    let contact = world.business.contact(aws, CUSTOMER).await.id;
    let campaign: Campaign = world.create_owned(json!({"type": "broadcast", "name": "Summer"})).await;
    let new = || CampaignId::new(aws.ids().ulid());
    let (deleted, expired) = (new(), new());
    for (id, at) in [
        (campaign.id, aws.now()),
        (deleted, aws.now()),
        (expired, aws.now() - Enrolment::RETAINED),
    ] {
        let entry = DripEntry::new(Enrolment::new(id, Some(1), contact, at), None);
        aws.store().enter(scope, entry).await.unwrap();
    }
    let (archive, ..) = world.archive(contact).await;
    let shown = archive["enrolments"].as_array().unwrap().iter();
    let shown: BTreeSet<String> = shown
        .map(|one| format!("{} {}", one["campaign"], one["campaign_name"]))
        .collect();
    let expected = [format!("\"{}\" \"Summer\"", campaign.id), format!("\"{deleted}\" null")];
    assert_eq!(shown, expected.into());
}

/// The text of a message has a short link alone, which expires. A link of somebody else that it quotes is theirs.
#[tokio::test]
async fn pages_of_tracked_links_are_archived() {
    let world = World::new(100).await;
    let mut message = world.follow_up().await;
    let other = world.follow_up_of(OTHER).await.id;
    let mut texts = String::new();
    for (of, page) in [
        (message.id, "https://saffron.example/cake"),
        (other, "https://saffron.example/theirs"),
    ] {
        let code = world.business.track(&world.aws, of, &[page]).await;
        texts.push_str(&format!("https://example.test/l/{}0 ", code.as_str()));
    }
    message.plan[1].content = Content::Text(texts);
    world.write(&message).await;
    let (archive, text, _) = world.archive(message.id.contact()).await;
    assert_eq!(
        archive["messages"][0]["link_targets"],
        json!(["https://saffron.example/cake"])
    );
    assert!(!text.contains("saffron.example/theirs"), "{text}");
}

/// Kinds of rows and where the file shows them: in a list, in the contact itself, or nowhere, with the name of the
/// file's reason.
const LISTED: [(&str, &str); 9] = [
    ("calls", "call"),
    ("consent", "consent"),
    ("conversations", "conversation"),
    ("conversions", "conversion"),
    ("enrolments", "enrolment"),
    ("merges", "merge"),
    ("messages", "message received tracked_links"),
    ("notes", "note"),
    ("orders", "order"),
];
const IN_CONTACT: &str = "contact identity profile";
const LEFT_OUT: [(&str, &str); 9] = [
    ("audit_log", "audit"),
    ("call_reports", "call_progress"),
    ("drafts", "draft"),
    ("files", "attachment medium"),
    ("look_ups", "alias archive count erased listing message_ref"),
    ("mentions", "mention"),
    ("preference_links", "preference_link"),
    ("undoing_of_merges", "merge_undo"),
    (
        "temporary",
        "idempotency import live_events operation operation_details socket unknown_numbers webhook_delivery webhook_run",
    ),
];

/// A new kind of row that can be of a contact is in a list, or the file says why it is not.
#[tokio::test]
async fn rows_of_every_kind_are_archived_or_named() {
    let kinds = samples::kinds();
    let places = LISTED.iter().chain(&LEFT_OUT).map(|(_, kinds)| *kinds);
    let known: BTreeSet<String> = samples::words(places.chain([IN_CONTACT]));
    let all: BTreeSet<String> = kinds.own.union(&kinds.elsewhere).cloned().collect();
    assert_eq!(
        known, all,
        "left: LISTED and LEFT_OUT; right: kinds of shared/store/tests/rows.json"
    );

    let world = World::new(100).await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    let planted = samples::plant(&world.aws, world.business.scope(), contact).await;
    let (archive, ..) = world.archive(contact).await;
    for (list, kinds) in LISTED {
        let planted = kinds.split(' ').filter_map(|kind| planted.get(kind));
        let entries = planted.sum::<usize>();
        assert!(entries > 0, "{list}");
        assert_eq!(count(&archive, list), entries, "{list}");
        assert!(archive["about"]["lists"][list].is_string(), "{list} is not described");
    }
    let left_out = archive["about"]["left_out"].as_object().unwrap();
    let named: BTreeSet<&str> = left_out.keys().map(String::as_str).collect();
    assert_eq!(named, LEFT_OUT.map(|(name, _)| name).into());
    assert!(left_out.values().all(Value::is_string));
}

#[tokio::test]
async fn pictures_and_other_files_are_named_with_their_links() {
    let world = World::new(100).await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    let medium = InboundMedia {
        file_name: FileName::of("menu.pdf"),
        mime: Some("application/pdf".to_owned()),
        ..InboundMedia::new("7001".to_owned())
    };
    let media = vec![medium; 2];
    let message = world
        .business
        .receive_media(&world.aws, contact, media, |_| {})
        .await
        .id;
    let (archive, ..) = world.archive(contact).await;
    let shown = &archive["messages"][0];
    assert_eq!(shown["message"]["media"][1]["file_name"], "menu.pdf");
    let links = [0, 1].map(|index| format!("/api/v1/messages/{message}/media/{index}"));
    assert_eq!(shown["media_links"], json!(links));
}

/// An archive passes through the hands of users before the person gets it.
#[tokio::test]
async fn links_in_messages_are_archived_masked() {
    let world = World::new(10).await;
    let mut message = world.follow_up().await;
    let code = LinkCode::of([7; 32]);
    let text = format!("Choose: https://example.com/p/{}", code.as_str());
    message.plan[0].content = Content::Text(text.clone());
    world.write(&message).await;
    world.writes(message.id.contact(), &text).await;
    let (_, archive, _) = world.archive(message.id.contact()).await;
    assert_eq!(
        archive.matches("Choose: https://example.com/p/***").count(),
        2,
        "{archive}"
    );
    assert!(!archive.contains(code.as_str()), "{archive}");
}

/// Also its field that was deleted: the value is still stored.
#[tokio::test]
async fn a_value_of_a_deleted_field_is_archived() {
    let world = World::new(100).await;
    let contact = Box::pin(world.contact_with_everything(CUSTOMER)).await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    let field = store.all::<Field>(scope).await.unwrap().remove(0);
    let found = store.get::<Field>(scope, &field.id).await.unwrap().unwrap();
    store.remove(scope, &found, &world.aws.stamp()).await.unwrap();
    let (archive, ..) = world.archive(contact).await;
    assert_eq!(
        archive["contact"]["values_of_deleted_fields"][field.id.to_string()],
        "gold"
    );
}

#[tokio::test]
async fn an_archive_has_what_was_merged_into_the_contact() {
    let world = World::new(3).await;
    let survivor = world.business.contact(&world.aws, OTHER).await.id;
    let merged = Box::pin(world.contact_with_everything(CUSTOMER)).await;
    world.business.merge(&world.aws, survivor, merged).await;
    world.writes(survivor, "It has arrived.").await;
    let (archive, ..) = world.archive(survivor).await;
    assert_eq!(archive["contact"]["id"], json!(survivor));
    assert_eq!(archive["contact"]["aliases"], json!([merged]));
    let lists = ["calls", "messages", "notes", "merges", "further_identities"];
    let counts = lists.map(|list| count(&archive, list));
    assert_eq!(counts, [1, 3, 5, 1, 1]);
    assert_eq!(archive["merges"][0]["other"], json!(merged));
    // By the former id, there is nobody.
    let start = world.start(merged).await;
    world.operations.all_steps_twice(&start, &world.ctx, &handle).await;
    assert_eq!(world.operations.get(&start).await.state, OperationState::Failed);
    assert_eq!(world.files_of(merged).await, Vec::<String>::new());
}

/// It was dropped while the contact refused messages, which the undoing of a merge has taken back.
#[tokio::test]
async fn an_identity_without_room_is_archived_after_an_undo() {
    let world = World::new(100).await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    let survivor = world.business.contact(&world.aws, OTHER).await.id;
    let other = world.business.contact_with(&world.aws, CUSTOMER, |contact| {
        contact.wish(OptFlag::Stop, "wrote STOP", contact.created_at);
    });
    let other = other.await.id;
    let merge = world.business.merge(&world.aws, survivor, other).await;
    let dropped = vec![
        Identity::Phone(phone(FORMER)),
        Identity::Email("former@example.org".parse().unwrap()),
        Identity::Bsuid("AE.1".to_owned()),
        Identity::Sip("sip:reception@example.test".to_owned()),
        Identity::Sender("68849".parse().unwrap()),
        Identity::Withheld(world.business.twilio),
    ];
    let mut further: Vec<String> = dropped.iter().map(Identity::key).collect();
    further.sort();
    let write = ContactWrite {
        dropped_identities: dropped,
        ..ContactWrite::from(store.contact(scope, survivor).await.unwrap().unwrap())
    };
    store.write_contact(scope, &write, None).await.unwrap();
    world.business.unmerge(&world.aws, merge).await;
    let (archive, text, _) = world.archive(survivor).await;
    assert_eq!(archive["contact"]["phones"], json!([OTHER]));
    let mut archived: Vec<String> = serde_json::from_value(archive["further_identities"].clone()).unwrap();
    archived.sort();
    assert_eq!(archived, further);
    assert!(!text.contains(CUSTOMER), "{text}");
}

#[tokio::test]
async fn a_deleted_contact_can_be_archived() {
    let world = World::new(100).await;
    let contact = Box::pin(world.contact_with_everything(CUSTOMER)).await;
    let now = world.aws.now();
    world.change(contact, |contact| contact.deleted_at = Some(now)).await;
    let (archive, ..) = world.archive(contact).await;
    assert_eq!(count(&archive, "notes"), 5);
    assert!(archive["contact"]["deleted_at"].is_string());
}

/// Wherever the erasure begins, the archive deletes what it has written.
#[tokio::test]
async fn an_archive_ends_when_the_erasure_begins() {
    for steps in [0, 1, 6] {
        let world = World::new(2).await;
        let contact = Box::pin(world.contact_with_everything(CUSTOMER)).await;
        let start = world.start(contact).await;
        for _ in 0..steps {
            world.step(&start).await;
        }
        // A worker that died before it recorded this step.
        let lost = world.operations.lost_step(&start, &world.ctx, &handle).await;
        assert!(matches!(lost, Step::More { .. }));
        world.change(contact, |contact| contact.erasing = true).await;
        world.step(&start).await;
        let operation = world.operations.get(&start).await;
        assert_eq!(operation.state, OperationState::Failed);
        assert!(operation.reason.unwrap().contains("erased"));
        let left = world.files_of(contact).await;
        // Only the last ones are known to exist; those before them were deleted, too.
        assert_eq!(left, Vec::<String>::new(), "after {steps} steps");
    }
}

/// The parts that were merged and separated do not belong into one file.
#[tokio::test]
async fn an_archive_ends_when_the_contact_is_merged() {
    let world = World::new(2).await;
    let contact = Box::pin(world.contact_with_everything(CUSTOMER)).await;
    let other = world.business.contact(&world.aws, OTHER).await.id;
    let start = world.start(contact).await;
    world.step(&start).await;
    world.business.merge(&world.aws, contact, other).await;
    world.step(&start).await;
    let operation = world.operations.get(&start).await;
    assert_eq!(operation.state, OperationState::Failed);
    assert!(operation.reason.unwrap().contains("merged"));
    assert_eq!(world.files_of(contact).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_cancelled_archive_leaves_no_result() {
    let world = World::new(2).await;
    let contact = Box::pin(world.contact_with_everything(CUSTOMER)).await;
    let start = world.start(contact).await;
    world.step(&start).await;
    world.operations.cancel(&start).await;
    let ran = world.operations.step(&start, &world.ctx, &handle).await;
    assert_eq!(ran, Ran::Nothing);
    let [_, results] = Folder::of_archive(world.business.scope(), contact, start.operation);
    assert!(world.aws.files(results.as_str()).await.is_empty());
}

/// A long ledger, whose entries of one wish are told apart.
#[tokio::test]
async fn all_pages_of_a_list_are_archived_once() {
    let world = World::new(7).await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    let (store, scope) = (world.aws.store(), world.business.scope());
    for number in 0..30 {
        world.aws.pass(1);
        let source = format!("entry {number:02}");
        let wish = Wish::new(Choice::Granted, Scope::ALL, By::Told, &source, world.aws.now());
        let entry = ConsentEntry::of(&wish);
        let recorded = store.record_consent(scope, contact, world.aws.ids().ulid(), &entry);
        Box::pin(recorded).await.unwrap();
    }
    let (archive, ..) = world.archive(contact).await;
    let sources: Vec<String> = archive["consent"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["source"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<String> = (0..30).rev().map(|number| format!("entry {number:02}")).collect();
    assert_eq!(sources, expected);
}

/// The refusal of everything is one that the contact's row shows.
#[tokio::test]
async fn an_archive_without_history_has_empty_lists() {
    let world = World::new(100).await;
    let stopped = world.business.contact_with(&world.aws, CUSTOMER, |contact| {
        contact.wish(OptFlag::Stop, "wrote STOP", contact.created_at);
    });
    let (archive, ..) = world.archive(stopped.await.id).await;
    let lists = HistoryKind::ALL.iter().map(|kind| kind.list().0);
    for list in lists.chain(["further_identities", "conversations", "enrolments"]) {
        assert!(archive["about"]["lists"][list].is_string(), "{list} is not described");
        assert_eq!(count(&archive, list), 0, "{list}");
    }
    assert_eq!(archive["contact"]["consent"][0]["choice"], "refused");
}
