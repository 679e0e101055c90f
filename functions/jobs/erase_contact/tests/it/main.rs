//! Erasing a contact, in process against the emulator.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::calls::Received;
use domain::inbox::Draft;
use domain::media::InboundMedia;
use domain::messages::{Content, OptFlag, SendOutcome, Sender};
use domain::people::{
    By, Change, ChangeDetails, Choice, ConsentEntry, Contact, EraseContact, Erased, FieldValue, Filter, Identity,
    Import, LinkCode, LinkOrigin, Note, NoteText, Profile, Scope, Staged, Wish,
};
use domain::terms::{
    Actor, ContactId, ConversationId, Email, FieldId, ImportId, MessageId, NoteId, Operation, OperationId,
    OperationKind, OperationState, RecordingId, ShownName, StageId, TagId, UserId,
};
use erase_contact::{Context, handle};
use jobs::StartOperation;
use kit::operation::Ran;
use kit::{FileKey, Files, Folder};
use store::consent::LinkWrite;
use store::contacts::ContactWrite;
use store::messages::Reference;
use store::table::operations::DETAILS_LIFE;
use testkit::business::{CUSTOMER, effects_of, phone};
use testkit::samples;

/// A number that the contact has no room for any more.
const FORMER: &str = "+971501000002";
const OTHER: &str = "+971502222222";
const BYSTANDER: &str = "+971503333333";
const EMAIL: &str = "maya@example.org";
const BSUID: &str = "AE.13491208655302741918";
const TEXT: &str = "Where is my saffron cake?";
const NOTE: &str = "Allergic to walnuts.";
const DRAFT: &str = "Your cake leaves at";
const FAVOURITE: &str = "Pistachio baklava";
/// Software may write about the person into the URL of a page.
const PAGE: &str = "https://saffron.example/orders/of-maya-1042";
/// Meta's ids contain the customer's number.
const SENT: &str = "wamid.HBgMOTcxNTAxMjM0NTY3FQIAERgSQTBCMUMyRDNFNEY1QTZCN0M4RDkA";
const RECEIVED: &str = "wamid.HBgMOTcxNTAxMjM0NTY3FQIAEhgUM0EwQjFDMkQzRTRGNUE2QjdDOEQA";

/// Every value that could identify the person, in lower case. Numbers without the calling code, as they are in every
/// spelling.
fn traces() -> Vec<String> {
    let digits = |number: &str| number.trim_start_matches("+971").to_owned();
    let backwards = |number: &str| number.trim_start_matches("+971").chars().rev().collect();
    let mut traces = vec![digits(CUSTOMER), digits(FORMER), backwards(CUSTOMER), backwards(FORMER)];
    let words = [
        EMAIL, BSUID, TEXT, NOTE, DRAFT, FAVOURITE, PAGE, "maya", "haddad", SENT, RECEIVED,
    ];
    traces.extend(words.map(str::to_lowercase));
    traces
}

/// The identities of [`World::contact_with_everything`].
fn identities() -> [Identity; 4] {
    [
        Identity::Phone(phone(CUSTOMER)),
        Identity::Phone(phone(FORMER)),
        Identity::Email(EMAIL.parse().unwrap()),
        Identity::Bsuid(BSUID.to_owned()),
    ]
}

type Rows = BTreeMap<String, HashMap<String, AttributeValue>>;

struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    async fn new() -> Self {
        Self(testkit::World::new(Context::new).await)
    }

    /// A contact with a call, a message in each direction (one with a tracked link), a profile that stands in lists of
    /// all kinds, a consent ledger, a note that mentions somebody, a draft of a reply, a link to its preference page,
    /// and identities of all kinds that a person can have.
    async fn contact_with_everything(&self) -> ContactId {
        let (store, scope, now) = (self.aws.store(), self.business.scope(), self.aws.now());
        let known = self.business.contact_with(&self.aws, CUSTOMER, |contact| {
            contact.emails = vec![EMAIL.parse::<Email>().unwrap()];
            contact.bsuids = vec![BSUID.to_owned()];
        });
        let id = known.await.id;
        let timers = self.aws.env().config().timers().unwrap();
        let mut message = self.follow_up().await;
        let code = self.business.track(&self.aws, message.id, &[PAGE]).await;
        message.plan[1].content = link_to(&code);
        message.claim(0, "claim".to_owned(), now, &timers);
        let provider_ref = SENT.parse().unwrap();
        let accepted = SendOutcome::Accepted {
            provider_ref: SENT.parse().unwrap(),
            segments: None,
        };
        message.record(1, accepted, now, &timers);
        let reference = Reference {
            attempt: 1,
            api: "whatsapp",
            provider_ref: &provider_ref,
            parked: None,
        };
        store.record_message(scope, &message, &reference, now).await.unwrap();

        let contact = store.contact(scope, id).await.unwrap().unwrap();
        let received = self.received_message(id);
        let effects = effects_of(&received, vec![contact.into()]);
        store.commit(scope, effects, now).await.unwrap();

        let mut contact = store.contact(scope, id).await.unwrap().unwrap();
        let stop = Wish::new(Choice::Refused, Scope::ALL, By::Keyword, "wrote STOP by SMS", now);
        let entry = contact.record(stop).consent().unwrap();
        let fields = [1, 2].map(|field| FieldId::new(ulid::Ulid::from_parts(field, 0)));
        let values = [
            FieldValue::Date("1990-02-28".parse().unwrap()),
            FieldValue::Text(FAVOURITE.parse().unwrap()),
        ];
        let profile = Profile {
            tags: [TagId::new(ulid::Ulid::from_parts(3, 0))].into(),
            fields: fields.into_iter().zip(values).collect(),
            listed: fields.into(),
            stage: Some(Staged {
                stage: StageId::new(ulid::Ulid::from_parts(4, 0)),
                since: now,
            }),
            ..Profile::from_name(ShownName::of("Maya Haddad"))
        };
        let write = ContactWrite {
            dropped_identities: vec![Identity::Phone(phone(FORMER))],
            profile: Some(profile.into()),
            ..ContactWrite::from(contact)
        };
        let consent = Some((self.aws.ids().ulid(), &entry));
        store.write_contact(scope, &write, consent).await.unwrap();

        let (stamp, own) = (self.aws.stamp(), self.aws.ids().ulid());
        let text: NoteText = NOTE.parse().unwrap();
        let note = Note::new(NoteId::new(id, own), text.clone(), stamp.actor, now);
        let note = note.with_text(text, vec![UserId::new(own)].into());
        store.create_of_contact(scope, &note, &stamp).await.unwrap();
        let (conversation, author) = (ConversationId::of(id, None), UserId::new(own));
        let draft = Draft {
            text: DRAFT.parse().unwrap(),
        };
        let written = store.write_draft(scope, conversation, author, id, &draft, now);
        written.await.unwrap();
        let link = LinkWrite {
            code: LinkCode::of(self.aws.ids().secret().unwrap()),
            contact: id,
            origin: LinkOrigin::Actor(stamp.actor),
        };
        store.create_preference_link(scope, &link, now).await.unwrap();
        id
    }

    fn received_message(&self, contact: ContactId) -> Received {
        self.business.received_text(&self.aws, contact, |received| {
            received.message.provider_ref = RECEIVED.parse().unwrap();
            received.message.from = Sender {
                phone: Some(phone(CUSTOMER)),
                bsuid: Some(BSUID.to_owned()),
                name: ShownName::of("Maya Haddad"),
                ..Sender::default()
            };
            received.message.text = Some(TEXT.to_owned());
        })
    }

    /// Deletes the contact, if it exists, and starts the erasure, as the API does.
    async fn start(&self, contact: ContactId) -> StartOperation {
        let (store, deleted_at) = (self.aws.store(), self.aws.now());
        let deleted = store.change_contact(self.business.scope(), contact, self.aws.ids().ulid(), |contact| {
            contact.deleted_at = Some(deleted_at);
            Change::Contact
        });
        Box::pin(deleted).await.unwrap();
        self.operation_of(EraseContact { contact, deleted_at }).await
    }

    /// An operation with these parameters.
    async fn operation_of(&self, params: EraseContact) -> StartOperation {
        self.operations.create(OperationKind::EraseContact, &params).await
    }

    /// Erases the contact. Each step is made twice: by a worker that dies before it records it, and by the next one, whose time is up
    /// then. Returns their number.
    async fn erase_twice(&self, contact: ContactId) -> usize {
        let start = self.start(contact).await;
        let steps = self.operations.all_steps_twice(&start, &self.ctx, &handle).await;
        assert_eq!(self.operations.get(&start).await.state, OperationState::Done);
        steps
    }

    /// Erases the contact in one run. Returns the operation at its end.
    async fn erase(&self, contact: ContactId) -> Operation {
        let start = self.start(contact).await;
        assert_eq!(self.run(&start, 300).await, Ran::Ended);
        self.operations.get(&start).await
    }

    async fn run(&self, start: &StartOperation, seconds: i64) -> Ran {
        self.operations.run(start, seconds, &self.ctx, &handle).await
    }

    /// All rows of the table, by their keys.
    async fn rows(&self) -> Rows {
        let rows = self.aws.rows().await.into_iter();
        rows.map(|row| (format!("{:?} {:?}", row["pk"], row["sk"]), row))
            .collect()
    }
}

/// A text with the link to the first page of a message.
fn link_to(code: &LinkCode) -> Content {
    Content::Text(format!("Your cake: https://example.test/l/{}0", code.as_str()))
}

/// The messages whose tracked links are stored.
fn messages_with_links(rows: &Rows) -> BTreeSet<String> {
    let links = rows
        .values()
        .filter(|row| samples::text(row, "kind") == "tracked_links");
    links
        .map(|row| samples::text(row["data"].as_m().unwrap(), "message").to_owned())
        .collect()
}

/// The traces of the person in these rows.
fn found_in(rows: &Rows) -> Vec<String> {
    let mut found = Vec::new();
    for row in rows.values() {
        let text = format!("{row:?}").to_lowercase();
        let seen = traces().into_iter().filter(|trace| text.contains(trace));
        found.extend(seen.map(|trace| format!("{trace} in {text}")));
    }
    found
}

#[tokio::test]
async fn erased_contact_leaves_no_trace_despite_interruptions() {
    let world = World::new().await;
    world.follow_up_of(OTHER).await;
    let before = world.rows().await;
    assert_eq!(found_in(&before), Vec::<String>::new());
    let contact = Box::pin(world.contact_with_everything()).await;
    let all = format!("{:?}", found_in(&world.rows().await));
    for trace in traces() {
        // Numbers are listed backwards only where contacts are searched by their last digits.
        let backwards = trace.starts_with("7654") || trace.starts_with("2000");
        assert!(all.contains(&trace) || backwards, "{trace} was never there");
    }

    let steps = world.erase_twice(contact).await;
    assert!(steps >= 5, "only {steps} steps");

    let mut after = world.rows().await;
    assert_eq!(found_in(&after), Vec::<String>::new());
    // The rows of everybody else are as they were.
    for (key, row) in &before {
        assert_eq!(after.remove(key).as_ref(), Some(row), "{key}");
    }
    // New are the operation, and what is remembered: a salt, and a hash of each identity. The link to the preference page is found by its
    // code only. It leads nowhere now, says nothing of the person, and expires.
    let kinds: Vec<String> = after.values().map(|row| row["kind"].as_s().unwrap().clone()).collect();
    let of = |kind: &str| kinds.iter().filter(|known| *known == kind).count();
    assert_eq!(
        (of("operation"), of("erasure_salt"), of("erased"), of("preference_link")),
        (1, 1, 4, 1)
    );
    assert_eq!(kinds.len(), 7, "{kinds:?}");
    let link = after
        .values()
        .find(|row| row["kind"].as_s().unwrap() == "preference_link");
    assert!(link.unwrap().contains_key("expires_at"));
    let (store, scope) = (world.aws.store(), world.business.scope());
    let link = domain::people::PreferenceLink {
        tenant: scope.tenant(),
        contact,
        origin: LinkOrigin::Actor(Actor::Operator),
        created_at: world.aws.now(),
    };
    let parties = store.parties_of_link(scope, &link, world.aws.now()).await;
    assert_eq!(parties.unwrap(), None);
    for identity in identities() {
        assert!(store.is_erased(scope, &identity).await.unwrap(), "{identity:?}");
    }
    let other = Identity::Phone(phone(OTHER));
    assert!(!store.is_erased(scope, &other).await.unwrap());
}

/// Calls by SIP, SMS of short codes, and calls whose callers hide their number.
#[tokio::test]
async fn identities_without_a_number_are_erased() {
    let world = World::new().await;
    let sip = Identity::Sip("sip:reception@example.test".to_owned());
    let short_code = Identity::Sender("68849".parse().unwrap());
    for identity in [sip, short_code, Identity::Withheld(world.business.twilio)] {
        let id = ContactId::new(world.aws.ids().ulid());
        let write = ContactWrite {
            new_identities: vec![identity.clone()],
            ..ContactWrite::from(Contact::first_seen(id, &identity, world.aws.now()))
        };
        let store = world.aws.store();
        store.write_contact(world.business.scope(), &write, None).await.unwrap();
        world.erase_twice(id).await;
        let rows = format!("{:?}", world.rows().await.keys());
        assert!(!rows.contains(&identity.key()), "{identity:?} is left: {rows}");
    }
}

/// The contacts merged into it go with it: all partitions, and all identities are remembered.
#[tokio::test]
async fn erased_survivor_leaves_no_trace_of_the_merged() {
    let world = World::new().await;
    let bystander = world.follow_up_of(BYSTANDER).await.id.contact();
    let before = world.rows().await;
    let survivor = world.business.contact(&world.aws, OTHER).await.id;
    let merged = Box::pin(world.contact_with_everything()).await;
    world.business.merge(&world.aws, survivor, merged).await;
    // An identity that found no room in the merged contact still leads to it.
    let (store, scope) = (world.aws.store(), world.business.scope());
    let former = Identity::Phone(phone(FORMER));
    let found = store.contact_of(scope, &former).await.unwrap();
    assert_eq!(found.map(|contact| contact.id), Some(survivor));
    // By the old id, nobody is erased.
    let by_old_id = EraseContact {
        contact: merged,
        deleted_at: world.aws.now(),
    };
    let operation = world.operation_of(by_old_id).await;
    assert_eq!(world.run(&operation, 300).await, Ran::Ended);
    assert_eq!(world.operations.get(&operation).await.progress.done, 0);

    world.erase_twice(survivor).await;
    let mut after = world.rows().await;
    assert_eq!(found_in(&after), Vec::<String>::new());
    for (key, row) in &before {
        assert_eq!(after.remove(key).as_ref(), Some(row), "{key}");
    }
    let of_somebody = ["#C#", "#ID#", "#FIND#", "#TAG#", "#FIELD#", "#REF#"];
    let left = after
        .keys()
        .filter(|key| of_somebody.iter().any(|part| key.contains(part)));
    assert_eq!(
        left.collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "nothing of either contact is left"
    );
    assert!(store.contact(scope, bystander).await.unwrap().is_some());
    for identity in [former, Identity::Phone(phone(OTHER)), Identity::Bsuid(BSUID.to_owned())] {
        assert!(store.is_erased(scope, &identity).await.unwrap(), "{identity:?}");
        assert!(store.contact_of(scope, &identity).await.unwrap().is_none());
    }
}

/// Links in buttons, in a message that sends another again, and of a merged contact. A link of somebody else or of
/// another business stays, whoever quotes it.
#[tokio::test]
async fn tracked_links_are_erased_with_whom_they_were_made_for() {
    let world = World::new().await;
    let (aws, business) = (&world.aws, &world.business);
    let elsewhere = Box::pin(testkit::business::business(aws)).await;
    let theirs = Box::pin(elsewhere.follow_up(aws, CUSTOMER)).await.id;
    let mut message = world.follow_up().await;
    let (merged, other) = (world.follow_up_of(FORMER).await.id, world.follow_up_of(OTHER).await.id);
    let button = business
        .track(aws, message.id, &[PAGE, "https://saffron.example"])
        .await;
    let Content::Template(filled) = &mut message.plan[0].content else {
        panic!("the first channel has a template");
    };
    filled.buttons.push((0, format!("{}1", button.as_str())));
    // The original has gone, or says something else; what is sent again has its link.
    let mut texts = String::new();
    for (seeded, of) in [(business, merged), (business, other), (&elsewhere, theirs)] {
        let code = seeded.track(aws, of, &[PAGE]).await;
        texts.push_str(&format!("https://example.test/l/{}0 ", code.as_str()));
    }
    message.plan[1].content = Content::Text(texts);
    world.write(&message).await;
    business.merge(aws, message.id.contact(), merged.contact()).await;
    let all = [message.id, merged, other, theirs].map(|id| id.to_string());
    assert_eq!(messages_with_links(&world.rows().await), all.into());

    world.erase_twice(message.id.contact()).await;
    let others = [other, theirs].map(|id| id.to_string());
    assert_eq!(messages_with_links(&world.rows().await), others.into());
}

/// Kinds of rows outside of the contact's partition that are deleted, which expire, and which stay. What expires has ids only, or what the business
/// wrote elsewhere; what stays is a hash.
const FATES: [(&str, &str); 3] = [
    (
        "deleted",
        "call_progress count identity listing message_ref tracked_links",
    ),
    (
        "expires",
        "archive audit idempotency import live_events operation operation_details preference_link socket unknown_numbers webhook_delivery webhook_run",
    ),
    ("stays", "erased"),
];

/// A new kind of row that can be of a contact is in its partition, or this test wants to know what becomes of it.
#[tokio::test]
async fn rows_of_every_kind_are_erased() {
    let kinds = samples::kinds();
    let known: BTreeSet<String> = samples::words(FATES.iter().map(|(_, kinds)| *kinds));
    assert_eq!(
        known, kinds.elsewhere,
        "left: FATES; right: kinds of shared/store/tests/rows.json"
    );
    let [deleted, expiring, _] = FATES.map(|(_, kinds)| samples::words([kinds]));
    for row in samples::rows() {
        let kind = samples::text(&row, "kind");
        // An operation does not expire before its end.
        let expires = row.contains_key("expires_at") || kind == "operation";
        assert!(expires || !expiring.contains(kind), "{kind} never expires");
    }

    let world = World::new().await;
    let (aws, scope) = (&world.aws, world.business.scope());
    let survivor = world.business.contact(aws, OTHER).await.id;
    let person = Box::pin(world.contact_with_everything()).await;
    world.business.merge(aws, survivor, person).await;
    for own in [survivor, person] {
        samples::plant(aws, scope, own).await;
    }
    let all: BTreeSet<String> = kinds.own.union(&deleted).cloned().collect();
    let stored = async || -> BTreeSet<String> {
        let rows = world.rows().await.into_values();
        let of_tenant = |row: &samples::Row| !samples::text(row, "pk").contains("#C#");
        let kinds = rows.map(|row| (samples::text(&row, "kind").to_owned(), of_tenant(&row)));
        kinds
            .filter(|(kind, of_tenant)| kind != "count" || !of_tenant)
            .map(|(kind, _)| kind)
            .collect()
    };
    let before = stored().await;
    assert_eq!(all.difference(&before).next(), None, "a kind was never there");

    world.erase_twice(survivor).await;
    let after = stored().await;
    assert_eq!(all.intersection(&after).next(), None, "{after:?}");
    assert_eq!(found_in(&world.rows().await), Vec::<String>::new());
}

/// Once a merge is undone, its rows are erased with the contact that they belong to.
#[tokio::test]
async fn undone_merge_keeps_nothing_of_the_erased() {
    let world = World::new().await;
    let mut own = world.follow_up_of(OTHER).await;
    let code = world
        .business
        .track(&world.aws, own.id, &["https://saffron.example"])
        .await;
    own.plan[1].content = link_to(&code);
    world.write(&own).await;
    let survivor = own.id.contact();
    let person = Box::pin(world.contact_with_everything()).await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    let read = async || {
        let (contact, profile) = (
            store.contact(scope, survivor).await,
            store.profile(scope, survivor).await,
        );
        let (mut contact, mut profile) = (contact.unwrap().unwrap(), profile.unwrap());
        (contact.version, profile.version) = (0, 0);
        (contact, profile)
    };
    let before = read().await;
    let merge = world.business.merge(&world.aws, survivor, person).await;
    world.business.unmerge(&world.aws, merge).await;
    world.erase_twice(person).await;
    let rows = world.rows().await;
    assert_eq!(found_in(&rows), Vec::<String>::new());
    assert_eq!(messages_with_links(&rows), [own.id.to_string()].into());
    assert_eq!(read().await, before);
    let history = store.history(scope, survivor, 100, world.aws.now()).await.unwrap();
    assert_eq!(history.len(), 2, "a call and a message: {history:?}");
}

/// It was dropped while the contact refused messages, which the undoing of a merge has taken back.
#[tokio::test]
async fn identity_without_room_is_erased_whatever_is_refused() {
    let world = World::new().await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    let survivor = world.business.contact(&world.aws, OTHER).await.id;
    let other = world.business.contact_with(&world.aws, CUSTOMER, |contact| {
        contact.wish(OptFlag::Stop, "wrote STOP", contact.created_at);
    });
    let other = other.await.id;
    let merge = world.business.merge(&world.aws, survivor, other).await;
    let former = Identity::Phone(phone(FORMER));
    let write = ContactWrite {
        dropped_identities: vec![former.clone()],
        ..ContactWrite::from(store.contact(scope, survivor).await.unwrap().unwrap())
    };
    store.write_contact(scope, &write, None).await.unwrap();
    world.business.unmerge(&world.aws, merge).await;
    let found = store.contact_of(scope, &former).await.unwrap().unwrap();
    assert!(found.id == survivor && found.consent.is_empty());

    world.erase_twice(survivor).await;
    assert_eq!(store.contact_of(scope, &former).await.unwrap(), None);
    assert!(store.is_erased(scope, &former).await.unwrap());
    let digits = FORMER.trim_start_matches('+');
    let left = world.rows().await;
    assert!(!format!("{left:?}").contains(digits), "{left:#?}");
    let customer = Identity::Phone(phone(CUSTOMER));
    let found = store.contact_of(scope, &customer).await.unwrap();
    assert!(found.is_some_and(|found| found.id == other && found.refuses()));
}

/// The erasure does not search what the business chose to write elsewhere: values for a change of many contacts, names of files, and
/// the files that it uploaded or exported. All of it goes by itself, the rows by their time to live, the files by the bucket's lifecycle, which a test
/// of the template guards: `uploads/` and `steps/` after a day, `results/` after a week. So do events of providers in the other bucket,
/// after the deployment's days.
#[tokio::test]
async fn what_else_names_the_person_goes_by_itself() {
    let world = World::new().await;
    let (store, scope, stamp) = (world.aws.store(), world.business.scope(), world.aws.stamp());
    let contact = Box::pin(world.contact_with_everything()).await;
    let (kind, params) = (OperationKind::ChangeContacts, serde_json::json!({}));
    let operation = world.operations.new_unstored(kind, &params);
    let field = FieldId::new(ulid::Ulid::from_parts(2, 0));
    let details = ChangeDetails {
        contacts: vec![contact],
        values: [(field, Some(FieldValue::Text(FAVOURITE.parse().unwrap())))].into(),
    };
    let created = store.create_detailed_operation(scope, &operation, &details, &stamp);
    created.await.unwrap();
    let import = Import {
        id: ImportId::new(world.aws.ids().ulid()),
        name: Some("Regulars of Maya.csv".parse().unwrap()),
        size: 100,
        created_by: stamp.actor,
        created_at: world.aws.now(),
        operation: None,
    };
    store.create_import(scope, &import, &stamp).await.unwrap();
    let files = Files::new(world.aws.env()).unwrap();
    let own = operation.id.ulid();
    for key in [
        FileKey::upload(scope, import.id.ulid()),
        FileKey::step(scope, own, "1"),
        FileKey::result(scope, own, "contacts.csv"),
    ] {
        let table = format!("name,phone\nMaya Haddad,{CUSTOMER}\n");
        files.write(&key, table.into_bytes()).await.unwrap();
    }
    world.erase(contact).await;

    let mut named = BTreeMap::new();
    for row in world.rows().await.into_values() {
        let one = Rows::from([(String::new(), row.clone())]);
        if !found_in(&one).is_empty() {
            let expires: i64 = row["expires_at"].as_n().unwrap().parse().unwrap();
            named.insert(
                row["kind"].as_s().unwrap().clone(),
                expires - world.aws.now().as_second(),
            );
        }
    }
    let expected = [
        ("import".to_owned(), Import::RETAINED.as_secs()),
        ("operation_details".to_owned(), DETAILS_LIFE.as_secs()),
    ];
    assert_eq!(named, expected.into());
    let left = world.aws.files("").await;
    let folders: BTreeSet<&str> = left.keys().filter_map(|key| key.split('/').next()).collect();
    assert_eq!((left.len(), folders), (3, ["uploads", "steps", "results"].into()));
    assert_eq!(world.aws.objects("").await, BTreeMap::new());
}

#[tokio::test]
async fn result_proves_what_was_deleted() {
    let world = World::new().await;
    let contact = Box::pin(world.contact_with_everything()).await;
    let operation = world.erase(contact).await;
    let result = operation.result.unwrap().into_json();
    let deleted: Erased = serde_json::from_value(result["deleted"].clone()).unwrap();
    let expected = Erased {
        contacts: 1,
        profiles: 1,
        identities: 4,
        calls: 1,
        messages: 2,
        consents: 1,
        references: 3,
        links: 1,
        // Two words of the name, a tag, two values and a day of the year.
        listings: 6,
        // A note, how many there are, whom it mentions, and a draft.
        others: 4,
        files: 0,
    };
    assert_eq!(deleted, expected);
    assert_eq!(operation.progress.done, deleted.total());
    assert!(result["notes"].as_array().is_some_and(|notes| !notes.is_empty()));
    // Once more: there is nobody.
    let operation = world.erase(contact).await;
    assert_eq!((operation.state, operation.progress.done), (OperationState::Done, 0));
}

/// Also those of contacts that were merged into it; other people's stay.
#[tokio::test]
async fn archives_recordings_and_media_of_the_contact_are_erased() {
    let world = World::new().await;
    let scope = world.business.scope();
    let (contact, merged) = (
        world.business.contact(&world.aws, CUSTOMER).await.id,
        world.business.contact(&world.aws, FORMER).await.id,
    );
    let other = world.business.contact(&world.aws, OTHER).await.id;
    for of in [contact, merged, other] {
        let conversation = ConversationId::of(of, None);
        world.business.attachment(&world.aws, conversation, |_| {}).await;
    }
    world.business.merge(&world.aws, contact, merged).await;
    let files = Files::new(world.aws.env()).unwrap();
    let operation = OperationId::new(world.aws.ids().ulid());
    let recording = |of| FileKey::recording(scope, of, RecordingId::new(operation.ulid()));
    for of in [contact, merged, other] {
        for folder in Folder::of_archive(scope, of, operation) {
            files
                .write(&folder.file("contact.json"), b"Maya".to_vec())
                .await
                .unwrap();
        }
        files.write(&recording(of), b"sound".to_vec()).await.unwrap();
        let media = vec![InboundMedia::new("7".to_owned())];
        let message = world.business.receive_media(&world.aws, of, media, |_| {}).await.id;
        world
            .business
            .store_fetched_medium(&world.aws, message, 0, "image/png", b"picture")
            .await;
    }
    let export = FileKey::result(scope, operation.ulid(), "calls.csv");
    files.write(&export, b"calls".to_vec()).await.unwrap();
    let result = world.erase(contact).await.result.unwrap().into_json();
    assert_eq!(result["deleted"]["files"], 10);
    let media: Vec<String> = world.aws.files("media/").await.into_keys().collect();
    assert!(
        matches!(media.as_slice(), [one] if one.contains(Folder::of_contact(scope, other)[3].as_str())),
        "{media:?}"
    );
    let attachments: Vec<String> = world.aws.files("assets/").await.into_keys().collect();
    assert!(
        matches!(attachments.as_slice(), [one] if one.contains(Folder::of_contact(scope, other)[4].as_str())),
        "{attachments:?}"
    );
    let mut left = Vec::new();
    for kind in ["steps/", "results/", "recordings/"] {
        left.extend(world.aws.files(kind).await.into_keys());
    }
    let mut expected: Vec<String> = Folder::of_archive(scope, other, operation)
        .iter()
        .map(|folder| folder.file("contact.json").as_str().to_owned())
        .collect();
    expected.push(export.as_str().to_owned());
    expected.push(recording(other).as_str().to_owned());
    left.sort();
    expected.sort();
    assert_eq!(left, expected);
}

/// A step takes some seconds at most, however many files there are.
#[tokio::test]
async fn many_files_are_erased_page_by_page() {
    let world = World::new().await;
    let scope = world.business.scope();
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    let files = Files::new(world.aws.env()).unwrap();
    let message = MessageId::new(contact, world.aws.ids().ulid());
    for index in 0..=200 {
        let key = FileKey::medium(scope, message, index);
        files.write(&key, b"picture".to_vec()).await.unwrap();
    }
    let start = world.start(contact).await;
    let mut erased = Vec::new();
    // The first one deletes what the contact is found by.
    for _step in 0..4 {
        assert_eq!(world.operations.step(&start, &world.ctx, &handle).await, Ran::Continues);
        erased.push(world.operations.get(&start).await.progress.done);
    }
    let first = erased[0];
    assert_eq!(erased, [first, first + 100, first + 200, first + 201]);
    assert_eq!(world.run(&start, 300).await, Ran::Ended);
    assert!(world.aws.files("media/").await.is_empty());
}

/// The number belongs to somebody else since.
#[tokio::test]
async fn identity_that_leads_to_another_contact_stays() {
    let world = World::new().await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    let owner = world.business.contact(&world.aws, OTHER).await;
    let claims = world.business.contact(&world.aws, CUSTOMER).await;
    // Its own row names the number, too, but the number leads to its owner.
    let mut names_both = store.contact(scope, claims.id).await.unwrap().unwrap();
    names_both.phones.push(phone(OTHER));
    store.write_contact(scope, &names_both.into(), None).await.unwrap();
    world.erase(claims.id).await;
    let number = Identity::Phone(phone(OTHER));
    let found = store.contact_of(scope, &number).await.unwrap();
    assert_eq!(found.map(|contact| contact.id), Some(owner.id));
    let own = Identity::Phone(phone(CUSTOMER));
    assert!(store.contact_of(scope, &own).await.unwrap().is_none());
}

/// The list of duplicates has whoever names another contact.
#[tokio::test]
async fn other_contacts_of_the_person_forget_the_erased() {
    let world = World::new().await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    let mut person = Vec::new();
    for number in [CUSTOMER, OTHER, BYSTANDER] {
        person.push(world.business.contact(&world.aws, number).await.id);
    }
    for id in &person {
        let proven = store.change_contact(scope, *id, world.aws.ids().ulid(), |contact| {
            contact.is_also(person.iter().copied());
            Change::Contact
        });
        assert!(Box::pin(proven).await.unwrap());
    }
    let filter = Filter {
        duplicates: true,
        ..Filter::default()
    };
    let search = filter.search().unwrap();
    let listed = async || {
        let page = store.search_contacts(scope, &search, None, 10, false).await.unwrap();
        let ids = page.items.iter().map(|person| person.contact.id);
        ids.collect::<BTreeSet<ContactId>>()
    };
    let named = async |id: ContactId| store.contact(scope, id).await.unwrap().unwrap().same_as;
    let all: BTreeSet<ContactId> = person.iter().copied().collect();
    assert_eq!(listed().await, all);
    let [first, second, third] = person[..] else {
        panic!("three contacts");
    };
    world.erase_twice(first).await;
    assert_eq!(listed().await, BTreeSet::from([second, third]));
    assert_eq!((named(second).await, named(third).await), (vec![third], vec![second]));
    world.erase_twice(second).await;
    assert_eq!(listed().await, BTreeSet::new());
    assert_eq!(named(third).await, []);
}

#[tokio::test]
async fn all_pages_of_a_long_history_are_erased() {
    let world = World::new().await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    let (store, scope) = (world.aws.store(), world.business.scope());
    for _ in 0..230 {
        let known = store.contact(scope, contact).await.unwrap().unwrap();
        let start = Wish::new(
            Choice::Granted,
            Scope::ALL,
            By::Keyword,
            "wrote START by SMS",
            world.aws.now(),
        );
        let entry = ConsentEntry::of(&start);
        let consent = Some((world.aws.ids().ulid(), &entry));
        store.write_contact(scope, &known.into(), consent).await.unwrap();
    }
    let start = world.start(contact).await;
    while world.run(&start, 50).await == Ran::Continues {}
    let operation = world.operations.get(&start).await;
    let deleted: Erased = serde_json::from_value(operation.result.unwrap().into_json()["deleted"].clone()).unwrap();
    assert_eq!((deleted.consents, deleted.contacts), (230, 1));
}

/// Only the refusal itself is kept, until the person lifts it and is erased again.
#[tokio::test]
async fn erased_person_still_refuses_what_they_refused() {
    let world = World::new().await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    let contact = Box::pin(world.contact_with_everything()).await;
    world.erase(contact).await;
    let stopped_at = world.aws.now();
    for identity in identities() {
        let refusals = store.refusals_of(scope, std::slice::from_ref(&identity)).await.unwrap();
        assert_eq!(refusals.suppressed, []);
        let kept = Wish::new(
            Choice::Refused,
            Scope::ALL,
            By::Keyword,
            "before the data of this person was erased",
            stopped_at,
        );
        assert_eq!(refusals.remembered, [kept], "{identity:?}");
    }
    let other = store
        .refusals_of(scope, &[Identity::Phone(phone(OTHER))])
        .await
        .unwrap();
    assert!(other.is_empty());

    world.aws.pass(60);
    let lifted = world.business.contact_with(&world.aws, CUSTOMER, |contact| {
        contact.wish(OptFlag::Start, "wrote START", world.aws.now());
    });
    world.erase(lifted.await.id).await;
    let identity = Identity::Phone(phone(CUSTOMER));
    let refusals = store.refusals_of(scope, std::slice::from_ref(&identity)).await.unwrap();
    assert!(refusals.is_empty() && store.is_erased(scope, &identity).await.unwrap());
}
