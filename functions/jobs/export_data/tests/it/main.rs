//! Exports, in process against the emulator.

use std::collections::BTreeSet;

use domain::accounts::{Action, AuditEntry};
use domain::calls::Received;
use domain::campaigns::{Campaign, Enrolment, Exit};
use domain::media::{InboundMedia, MediaKind};
use domain::messages::Content;
use domain::people::{
    By, Change, Choice, ConsentEntry, Contact, Field, LinkCode, Person, PersonIn, Profile, Scope, Tag, Wish,
};
use domain::reports::ExportResult;
use domain::terms::{CampaignId, ContactId, OperationKind, OperationState, Reason, Refusal};
use export_data::{Context, handle};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sheet::dialect::{Dialect, Known, detect};
use sheet::preview::records;
use sheet::record::Record;
use sheet::row::{self, Row};
use sheet::suggest::suggest;
use testkit::business::{CUSTOMER, business};
use testkit::operations::result_of;

struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    /// With pages of this many rows, each a step of its own.
    async fn new(page: i32) -> Self {
        let mut world = testkit::World::new(Context::new).await;
        world.ctx = world.ctx.in_pages_of(page, 400);
        Self(world)
    }

    /// Adds a contact with these fields.
    async fn contact(&self, fields: Value) -> ContactId {
        // Contacts are listed by their ids, which begin with a time.
        self.aws.pass(1);
        let definitions = self.store().all::<Field>(self.scope()).await.unwrap();
        let fields: PersonIn = serde_json::from_value(fields).unwrap();
        let nobody = Person {
            contact: Contact::new(ContactId::new(self.aws.ids().ulid()), self.aws.now()),
            profile: Profile::default(),
        };
        let person = fields.onto(&nobody, &definitions, self.aws.now()).unwrap();
        self.create_person(&person).await
    }

    /// Records a wish of a contact, a second after the previous one.
    async fn wish(&self, contact: ContactId, choice: Choice) {
        self.aws.pass(1);
        let (store, scope) = (self.aws.store(), self.business.scope());
        let wish = Wish::new(choice, Scope::ALL, By::Told, "said so", self.aws.now());
        let entry = ConsentEntry::of(&wish);
        let recorded = store.record_consent(scope, contact, self.aws.ids().ulid(), &entry);
        Box::pin(recorded).await.unwrap();
    }

    /// Exports; each step is made twice, by a worker that dies before it records it, and by the next one. Returns the file, and the
    /// number of steps.
    async fn export(&self, order: Value) -> (String, ExportResult, usize) {
        let start = self.operations.create(OperationKind::ExportData, &order).await;
        let steps = self.operations.all_steps_twice(&start, &self.ctx, &handle).await;
        let result: ExportResult = result_of(&self.operations.get(&start).await);
        let (_, bytes) = self.result_file(&start).await;
        assert_eq!(bytes.len() as u64, result.size);
        (String::from_utf8(bytes).unwrap(), result, steps)
    }

    async fn lines(&self, what: &str) -> Vec<Value> {
        let (file, result, _) = self.export(json!({"what": what, "format": "json_lines"})).await;
        let lines = lines_of(&file);
        assert_eq!(lines.len() as u64, result.rows);
        lines
    }

    /// An order of the messages from yesterday to tomorrow.
    fn messages(&self, format: &str) -> Value {
        let (now, day) = (self.aws.now(), SignedDuration::from_hours(24));
        json!({"what": "messages", "format": format, "from": now - day, "to": now + day})
    }
}

/// The first rows of a CSV file, as an import reads them.
fn read_table(file: &str) -> (Dialect, Vec<Record>) {
    let dialect = detect(file.as_bytes(), true, None, &Known::default()).unwrap();
    let context = row::Context {
        dialect: &dialect,
        fields: &[],
        region: None,
    };
    let rows = records(file.as_bytes(), true, &context, 10);
    (dialect, rows)
}

fn lines_of(file: &str) -> Vec<Value> {
    file.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn all_contacts_are_exported_despite_crashes() {
    let world = World::new(4).await;
    for number in 10..35 {
        let phone = format!("+9715012345{number}");
        world
            .contact(json!({"name": format!("=Maya {number}"), "phones": [phone]}))
            .await;
    }
    let (file, result, steps) = world.export(json!({"what": "contacts", "format": "csv"})).await;
    assert_eq!((result.rows, result.left_out), (25, 0));
    assert!(steps >= 7, "only {steps} steps");
    let rows: Vec<&str> = file.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(rows.len(), 26);
    assert!(rows[0].starts_with("id,name,phone,email,"), "{}", rows[0]);
    let different: BTreeSet<&&str> = rows[1..].iter().collect();
    assert_eq!(different.len(), 25);
    // Neither names nor numbers are formulas.
    assert!(
        rows[1..]
            .iter()
            .all(|row| row.contains(",'=Maya ") && row.contains(",'+9715012345"))
    );
    let lines = world.lines("contacts").await;
    assert_eq!(lines.len(), 25);
    assert!(
        lines
            .iter()
            .all(|line| line["name"].as_str().unwrap().starts_with("=Maya "))
    );
}

/// An export can be imported: the columns are recognised and have the same values.
#[tokio::test]
async fn exported_contacts_can_be_imported() {
    let world = World::new(100).await;
    let names = ["* VIP", "VIP", "VIP, gold", "a:::\"b\""];
    let mut tags = Vec::new();
    for name in names {
        let tag: Tag = world.create_owned(json!({ "name": name })).await;
        tags.push(tag.id);
    }
    let field = json!({"key": "level", "name": "Level", "type": "choice", "options": ["Silver", "Gold"]});
    let field: Field = world.create_owned(field).await;
    let contact = json!({
        "name": "Maya Haddad", "phones": ["+971501234560", "+971501234561"], "emails": ["maya@example.com"],
        "language": "ar", "tags": tags, "fields": {"level": "Gold"}, "source": "Web form",
        "value": {"amount": 5000, "currency": "AED"},
    });
    world.contact(contact.clone()).await;
    let (file, ..) = world.export(json!({"what": "contacts", "format": "csv"})).await;
    let (dialect, rows) = read_table(&file);
    let fields = [field];
    let context = row::Context {
        dialect: &dialect,
        fields: &fields,
        region: None,
    };
    let mapping = suggest(&rows, &[], &context);
    let read = Row::of(&rows[0], &mapping, &context).unwrap();
    let read = serde_json::to_value(read).unwrap();
    for name in ["name", "phones", "emails", "language", "fields", "source", "value"] {
        assert_eq!(read[name], contact[name], "{name}");
    }
    let tags = read["tags"].as_array().unwrap().iter();
    let tags: BTreeSet<&str> = tags.map(|tag| tag.as_str().unwrap()).collect();
    assert_eq!(tags, BTreeSet::from(names));
}

/// An import would set it, and what the person writes would no longer change it.
#[tokio::test]
async fn a_detected_language_is_not_exported_as_one_that_was_set() {
    let world = World::new(10).await;
    let ann = world.contact(json!({"name": "Ann"})).await;
    world.contact(json!({"name": "Ben", "language": "de"})).await;
    let detected = |contact: &mut Contact| {
        contact.language = Some("ar".to_owned());
        contact.language_detected = true;
        Change::Contact
    };
    world.aws.change_contact(world.business.scope(), ann, detected).await;
    let (file, ..) = world.export(json!({"what": "contacts", "format": "csv"})).await;
    let (dialect, rows) = read_table(&file);
    let column = dialect.header.iter().position(|name| name == "language").unwrap();
    let cells: Vec<&str> = rows.iter().map(|row| row.cell(column)).collect();
    assert_eq!(cells, ["", "de"]);
    let lines = world.lines("contacts").await;
    let told: Vec<(&Value, &Value)> = lines
        .iter()
        .map(|line| (&line["language"], &line["language_detected"]))
        .collect();
    let (ar, de) = (json!("ar"), json!("de"));
    assert_eq!(told, [(&ar, &json!(true)), (&de, &json!(false))]);
}

#[tokio::test]
async fn calls_and_messages_of_the_period_are_exported() {
    let world = World::new(1).await;
    let message = world.follow_up().await;
    world.follow_up_of("+971502222222").await;
    let (now, day) = (world.aws.now(), SignedDuration::from_hours(24));
    let of = |what: &str, from: i32, to: i32| json!({"what": what, "format": "json_lines", "from": now + day * from, "to": now + day * to});
    for what in ["calls", "messages"] {
        for (from, to, rows) in [(-1, 1, 2), (-40, 1, 2), (1, 2, 0), (-3, -2, 0)] {
            let (file, result, _) = world.export(of(what, from, to)).await;
            assert_eq!(result.rows, rows, "{what} {from} {to}");
            assert_eq!(file.contains(CUSTOMER), rows > 0, "{file}");
        }
    }
    let (file, ..) = world.export(of("messages", -1, 1)).await;
    let lines = lines_of(&file);
    let own = lines.iter().find(|line| line["id"] == message.id.to_string()).unwrap();
    assert_eq!(
        (&own["direction"], &own["contact"]),
        (&json!("outbound"), &json!(message.id.contact()))
    );
    // CSV has as many cells in every row.
    for what in ["calls", "messages"] {
        let mut order = of(what, -1, 1);
        order["format"] = json!("csv");
        let (file, ..) = world.export(order).await;
        let (dialect, rows) = read_table(&file);
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row.len() == dialect.columns), "{file}");
    }
}

#[tokio::test]
async fn content_of_messages_is_exported_by_its_kind() {
    let world = World::new(1).await;
    let mut message = world.follow_up().await;
    let order = world.messages("json_lines");
    let place = json!({"latitude": 25.0805, "longitude": 55.1403, "name": "Saffron"});
    let file = json!({"asset": {"asset_id": "ast_00000000000000000000000001", "kind": "image"}, "caption": "A cake"});
    for (content, kind, text, parts) in [
        (json!({"text": "Hello"}), "text", "Hello", Value::Null),
        (json!({ "location": place }), "location", "Saffron", place.clone()),
        (json!({ "media": file }), "media", "A cake", json!([file])),
    ] {
        message.plan[0].content = serde_json::from_value(content).unwrap();
        world.write(&message).await;
        message.version += 1;
        let (lines, ..) = world.export(order.clone()).await;
        let line: Value = serde_json::from_str(lines.trim()).unwrap();
        assert_eq!((&line["content"], &line["text"]), (&json!(kind), &json!(text)));
        if !parts.is_null() {
            assert_eq!(line[kind], parts);
        }
    }
}

/// Whoever takes an export away must not be able to choose for all customers in it.
#[tokio::test]
async fn links_in_messages_are_exported_masked() {
    let world = World::new(10).await;
    let mut message = world.follow_up().await;
    let code = LinkCode::of([7; 32]);
    let text = format!("Choose: https://example.com/p/{}", code.as_str());
    message.plan[0].content = Content::Text(text.clone());
    world.write(&message).await;
    let quoted = |received: &mut Received| received.message.text = Some(text);
    world.business.receive(&world.aws, message.id.contact(), quoted).await;
    for format in ["csv", "json_lines"] {
        let (file, ..) = world.export(world.messages(format)).await;
        assert_eq!(file.matches("Choose: https://example.com/p/***").count(), 2, "{file}");
        assert!(!file.contains(code.as_str()), "{file}");
    }
}

#[tokio::test]
async fn exported_messages_name_their_files() {
    let world = World::new(10).await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    let media = vec![InboundMedia {
        kind: Some(MediaKind::Image),
        mime: Some("image/jpeg".to_owned()),
        ..InboundMedia::new("7001".to_owned())
    }];
    world.business.receive_media(&world.aws, contact, media, |_| {}).await;
    let (file, ..) = world.export(world.messages("json_lines")).await;
    let line: Value = serde_json::from_str(file.lines().next().unwrap()).unwrap();
    let expected = json!([{"kind": "image", "content_type": "image/jpeg", "name": null, "voice": false}]);
    assert_eq!(line["media"], expected, "and no id of the provider's");
}

/// Places and cards with all that the customer shared, and the message that a reaction or reply is about.
#[tokio::test]
async fn what_customers_share_is_exported() {
    let world = World::new(10).await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    let place = json!({"latitude": 25.0805, "longitude": 55.1403, "name": "Saffron", "address": "Marina Walk 12"});
    let card = json!({
        "name": "Maya", "organization": "Saffron", "phones": ["+971 50 123 4567"], "emails": ["maya@saffron.example"],
    });
    for (kind, shared) in [("location", place.clone()), ("contacts", json!([card]))] {
        let received = |received: &mut Received| {
            received.message.kind = kind.to_owned();
            received.message.shared = Some(serde_json::from_value(json!({ kind: shared })).unwrap());
        };
        world.business.receive(&world.aws, contact, received).await;
    }
    for (kind, text) in [("reaction", "👍"), ("text", "Yes")] {
        let received = |received: &mut Received| {
            received.message.kind = kind.to_owned();
            received.message.text = Some(text.to_owned());
            received.message.reply_to = Some("wamid.ours".parse().unwrap());
        };
        world.business.receive(&world.aws, contact, received).await;
    }
    let (file, ..) = world.export(world.messages("json_lines")).await;
    let lines = lines_of(&file);
    let of = |kind: &str| lines.iter().find(|line| line["content"] == kind).unwrap();
    assert_eq!(of("location")["location"], place);
    assert_eq!(of("contacts")["contacts"], json!([card]));
    assert_eq!(of("reaction")["reaction"], json!({"to": "wamid.ours", "emoji": "👍"}));
    assert_eq!(of("text")["reply_to"], "wamid.ours");
}

#[tokio::test]
async fn consent_and_audit_are_exported() {
    let world = World::new(2).await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    let ids = [
        world.contact(json!({"name": "Ann"})).await,
        world.contact(json!({"name": "Ben"})).await,
        world.contact(json!({"name": "Cid"})).await,
    ];
    for (id, choice) in [
        (ids[0], Choice::Refused),
        (ids[2], Choice::Granted),
        (ids[2], Choice::Refused),
    ] {
        world.wish(id, choice).await;
    }
    let lines = world.lines("consent").await;
    let told: Vec<(&Value, &Value)> = lines.iter().map(|line| (&line["contact"], &line["choice"])).collect();
    let (ann, cid) = (json!(ids[0]), json!(ids[2]));
    let (refused, granted) = (json!("refused"), json!("granted"));
    assert_eq!(told, [(&ann, &refused), (&cid, &refused), (&cid, &granted)]);
    for number in 0..5 {
        let entry = AuditEntry {
            by: world.aws.stamp(),
            action: Action::Created,
            kind: "tag".to_owned(),
            object: format!("tag_{number}"),
            changes: vec![],
        };
        store.record_audit(scope, &format!("id{number}"), &entry).await.unwrap();
    }
    world.aws.pass(1);
    let objects: BTreeSet<String> = world
        .lines("audit")
        .await
        .iter()
        .map(|line| line["object"].to_string())
        .collect();
    assert_eq!(objects.len(), 5);
}

#[tokio::test]
async fn recipients_of_a_broadcast_are_exported() {
    let world = World::new(1).await;
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let broadcast: Campaign = world.create_owned(json!({"type": "broadcast", "name": "Offer"})).await;
    let mut contacts = Vec::new();
    for name in ["Ann", "Ben", "Cid"] {
        contacts.push(world.contact(json!({ "name": name })).await);
    }
    store.enrol(scope, broadcast.id, None, &contacts, now).await.unwrap();
    let enrolment = Enrolment::new(broadcast.id, None, contacts[0], now);
    let exit = Exit::new(Refusal::new(Reason::NoConsent, "no opt-in"), now);
    store.exit(scope, enrolment, exit).await.unwrap();
    let order =
        |format: &str, campaign: CampaignId| json!({"what": "recipients", "format": format, "campaign": campaign});
    let (file, result, _) = world.export(order("csv", broadcast.id)).await;
    assert_eq!((result.rows, result.left_out), (3, 0));
    let rows: BTreeSet<&str> = file.trim_start_matches('\u{feff}').lines().collect();
    let [ann, ben, cid] = [contacts[0], contacts[1], contacts[2]];
    let expected = [
        "contact_id,state,code,detail,message_id,variant,replied,clicked,opted_out".to_owned(),
        format!("{ann},left_out,no_consent,no opt-in,,0,no,no,no"),
        format!("{ben},waiting,,,,0,no,no,no"),
        format!("{cid},waiting,,,,0,no,no,no"),
    ];
    let expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    assert_eq!(rows, expected);
    let (file, ..) = world.export(order("json_lines", broadcast.id)).await;
    let lines = lines_of(&file);
    let left_out = lines.iter().find(|line| line["contact_id"] == json!(ann)).unwrap();
    let shown = json!({
        "contact_id": ann, "state": "left_out", "code": "no_consent", "detail": "no opt-in", "message_id": null,
        "variant": 0, "replied": false, "clicked": false, "opted_out": false,
    });
    assert_eq!(left_out, &shown);
    let unknown = order("csv", CampaignId::new(world.aws.ids().ulid()));
    let start = world.operations.create(OperationKind::ExportData, &unknown).await;
    let (operation, _) = world.operations.finish(&start, &world.ctx, &handle).await;
    assert_eq!(operation.state, OperationState::Failed);
}

/// A ledger that is longer than a page is continued, and then those of the contacts behind it.
#[tokio::test]
async fn ledgers_of_any_length_are_exported() {
    let world = World::new(3).await;
    let mut wanted = Vec::new();
    for (name, entries) in [("Ann", 7), ("Ben", 2), ("Cid", 0), ("Dan", 5), ("Eve", 3)] {
        let id = world.contact(json!({ "name": name })).await;
        let mut ledger = Vec::new();
        for _ in 0..entries {
            world.wish(id, Choice::Refused).await;
            ledger.push((json!(id), json!(world.aws.now())));
        }
        wanted.extend(ledger.into_iter().rev());
    }
    let lines = world.lines("consent").await;
    let told: Vec<(Value, Value)> = lines
        .iter()
        .map(|line| (line["contact"].clone(), line["at"].clone()))
        .collect();
    assert_eq!(told, wanted);
}

/// Deleted contacts and those of other tenants are in no file.
#[tokio::test]
async fn only_ones_own_contacts_are_exported() {
    let world = World::new(10).await;
    world.contact(json!({"name": "Ann"})).await;
    let deleted = world.contact(json!({"name": "Ben"})).await;
    world.aws.delete_contact(world.business.scope(), deleted, true).await;
    let other = Box::pin(business(&world.aws)).await;
    other.contact(&world.aws, CUSTOMER).await;
    let lines = world.lines("contacts").await;
    let names: Vec<&Value> = lines.iter().map(|line| &line["name"]).collect();
    assert_eq!(names, [&json!("Ann")]);
}
