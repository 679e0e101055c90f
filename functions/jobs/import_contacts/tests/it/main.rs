//! Imports, in process against the emulator.

mod files;
mod many;
mod meanwhile;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use domain::calls::Entry;
use domain::messages::OptFlag;
use domain::people::{
    By, ConsentEntry, Contact, Driver, Filter, Identity, Import, ImportResult, RowCounts, RowOutcome, Salt, Search,
    Tag, Wishes, Word,
};
use domain::tenants::Limits;
use kit::operation::Ran;
use serde_json::json;
use sheet::dialect::{Known, detect};
use sheet::preview::records;
use sheet::row;
use sheet::suggest::suggest;

use self::world::{World, label, mapping, name, result};

/// Rows of all kinds: new people, some of them twice, people who are contacts already, and rows with errors.
fn mixed_rows() -> (String, RowCounts) {
    let mut table = "name,phone,email,tags,birthday,opted_in\n".to_owned();
    let mut counts = RowCounts::default();
    let mut add = |row: &str| {
        table.push_str(row);
        table.push('\n');
        counts.rows += 1;
    };
    for number in 10..30 {
        add(&format!(
            "Maya Haddad {number},+9715012345{number},maya{number}@example.com,Regular; New {number},1992-02-{number},yes"
        ));
    }
    add("Second Row,+971501234511,,Regular,,no");
    add("Known Already,+971509999999,,,,yes");
    add("Nobody Else,,,,,");
    add("Wrong,12,,,,");
    add("Wrong,,not an address,,,");
    add("Wrong,\"+97150\"1111111,,,,");
    (counts.created, counts.updated, counts.refused) = (21, 2, 3);
    (counts.opted_in, counts.said_no) = (21, 1);
    (table, counts)
}

const MIXED: [&str; 6] = ["name", "phone", "email", "tags", "field:birthday", "opted_in"];

fn of_mixed(mode: &str) -> serde_json::Value {
    json!({"mapping": mapping(&MIXED), "mode": mode, "create_tags": true, "consent": {"evidence": "the till"}})
}

/// Somebody who is a contact before the import.
async fn create_known_contact(world: &World) {
    let table = "name,phone\nKnown,+971509999999\n";
    let order = json!({"mapping": mapping(&["name", "phone"])});
    assert_eq!(world.import(table, order).await.counts.created, 1);
}

/// Deletes the contact with this number.
async fn delete(world: &World, number: &str) {
    let identity = Identity::Phone(number.parse().unwrap());
    let found = world.store.contact_of(world.scope(), &identity).await;
    let id = found.unwrap().unwrap().id;
    world.aws.delete_contact(world.scope(), id, true).await;
}

/// Works through an import, each step twice: by a worker that dies before it records it, and by the next one.
async fn work_through_twice(world: &World, import: &Import, order: serde_json::Value) -> ImportResult {
    let start = world.start(import, order).await;
    world.all_steps_twice(&start).await;
    result(&world.operations.get(&start).await)
}

/// Asserts everything that the import must have made, whatever happened on its way.
async fn is_whole(world: &World) {
    let people = world.people().await;
    let names: Vec<String> = people.iter().map(name).collect();
    assert_eq!(people.len(), 22, "{names:?}");
    let mut owners = BTreeMap::new();
    for person in &people {
        for identity in person.contact.known_by() {
            let found = world.store.contact_of(world.scope(), &identity).await.unwrap();
            assert_eq!(found.map(|found| found.id), Some(person.contact.id), "{identity:?}");
            assert!(
                owners.insert(identity.key(), person.contact.id).is_none(),
                "{identity:?}"
            );
        }
        // It is found by what it says.
        let word = Word::of(&name(person)).pop().unwrap();
        let search = Search {
            filter: Filter::default(),
            driver: Driver::Words(word),
        };
        let found = world.store.search_contacts(world.scope(), &search, None, 100, false);
        let found = found.await.unwrap();
        assert!(found.items.contains(person), "{}", name(person));
        let history = world
            .store
            .history(world.scope(), person.contact.id, 10, world.aws.now());
        let consents: Vec<Entry> = history.await.unwrap();
        // The next row ends what this one stated.
        let expected = match (person.contact.opted_in_at(), name(person).as_str()) {
            (Some(_), _) => 1,
            (None, "Second Row") => 2,
            (None, _) => 0,
        };
        assert_eq!(consents.len(), expected, "{}: {consents:?}", name(person));
    }
    assert!(names.contains(&"Second Row".to_owned()) && names.contains(&"Known Already".to_owned()));
    let tags = world.store.all::<Tag>(world.scope()).await.unwrap();
    let prints: BTreeSet<&str> = tags.iter().map(|tag| tag.name.as_str()).collect();
    assert_eq!((tags.len(), prints.len()), (21, 21));
    let refused = world.errors().await;
    let lines: Vec<&str> = refused.lines().collect();
    assert_eq!(lines.len(), 4, "{refused}");
    assert!(
        lines[0].ends_with(",error") && lines[1].starts_with("Wrong,12,"),
        "{refused}"
    );
}

/// Each step is made twice: by a worker that dies before it records it, and by the next one.
#[tokio::test]
async fn every_step_may_be_made_twice() {
    let world = World::new(4).await;
    world.fields().await;
    create_known_contact(&world).await;
    let (table, counts) = mixed_rows();
    let import = world.upload(table).await;
    let start = world.start(&import, of_mixed("update")).await;
    let steps = world.all_steps_twice(&start).await;
    assert!(steps >= 7, "only {steps} steps");
    let operation = world.operations.get(&start).await;
    assert_eq!(result(&operation).counts, counts);
    assert_eq!((operation.progress.done, operation.progress.total), (26, Some(26)));
    is_whole(&world).await;
}

/// Workers die anywhere within a step: between the writes of a row, too.
#[tokio::test]
async fn workers_may_die_within_a_step() {
    let world = World::new(30).await;
    world.fields().await;
    create_known_contact(&world).await;
    let (table, counts) = mixed_rows();
    let import = world.upload(table).await;
    let start = world.start(&import, of_mixed("update")).await;
    for milliseconds in [20, 40, 60, 80, 100, 130, 160, 200, 250, 300] {
        world.killed_step(&start, milliseconds).await;
    }
    let operation = world.finish(&start).await;
    assert_eq!(result(&operation).counts, counts);
    is_whole(&world).await;
}

#[tokio::test]
async fn two_imports_of_one_file_make_no_doubles() {
    let world = World::new(5).await;
    let mut table = "name,phone,email\n".to_owned();
    for number in 100..140 {
        table.push_str(&format!("Maya {number},+971501234{number},maya{number}@example.com\n"));
    }
    let order = json!({"mapping": mapping(&["name", "phone", "email"]), "mode": "skip"});
    let (one, other) = tokio::join!(
        Box::pin(world.import(table.clone(), order.clone())),
        Box::pin(world.import(table, order))
    );
    assert_eq!(world.people().await.len(), 40);
    for result in [&one, &other] {
        assert_eq!((result.counts.rows, result.counts.refused), (40, 0));
    }
    let sum = |of: fn(&RowCounts) -> u64| of(&one.counts) + of(&other.counts);
    assert_eq!((sum(|counts| counts.created), sum(|counts| counts.skipped)), (40, 40));
}

#[tokio::test]
async fn mode_decides_about_people_who_are_contacts() {
    let world = World::new(10).await;
    create_known_contact(&world).await;
    let table = "name,phone\nOther,+971509999999\nNew,+971501234567\n";
    let order = |mode: &str| json!({"mapping": mapping(&["name", "phone"]), "mode": mode});
    let skipped = world.import(table, order("skip")).await.counts;
    assert_eq!((skipped.created, skipped.skipped), (1, 1));
    assert_eq!(world.names().await, ["Known", "New"]);
    let refused = world.import(table, order("create")).await.counts;
    assert_eq!((refused.created, refused.refused), (0, 2));
    let updated = world.import(table, order("update")).await.counts;
    assert_eq!((updated.created, updated.updated), (0, 2));
    assert_eq!(world.names().await, ["New", "Other"]);
}

/// A dry run foresees exactly the results of the import, also for people who are in the table twice.
#[tokio::test]
async fn dry_run_counts_what_an_import_does() {
    let world = World::new(4).await;
    world.fields().await;
    create_known_contact(&world).await;
    for mode in ["create", "update", "skip"] {
        let (table, _) = mixed_rows();
        let (table, number) = match mode {
            "create" => (table, "1"),
            "update" => (table.replace("+97150123", "+97150124"), "2"),
            _ => (table.replace("+97150123", "+97150125"), "3"),
        };
        let table = table.replace("@example", &format!("{number}@example"));
        let rows = world.aws.row_count().await;
        let people = world.people().await;
        let mut dry = of_mixed(mode);
        dry["dry_run"] = json!(true);
        let import = world.upload(table).await;
        let counted = work_through_twice(&world, &import, dry).await;
        assert!(counted.dry_run);
        assert_eq!(world.people().await, people, "{mode}");
        // The import and its operation.
        assert_eq!(world.aws.row_count().await, rows + 2, "{mode}");
        let start = world.start(&import, of_mixed(mode)).await;
        let done = result(&world.finish(&start).await);
        assert!(!done.dry_run);
        assert_eq!(done.counts, counted.counts, "{mode}");
    }
}

/// Numbers of two people of the table, of one of them and a contact, and of a deleted contact. What an earlier step has met is
/// remembered, and a step that is made again counts the same, though rows find contacts of later ones then.
#[tokio::test]
async fn rows_about_several_people_count_the_same_in_a_dry_run() {
    const ROWS: &str = "name,phone
Ann,+971501234561
Ben,+971501234562
Cid,+971501234563
Known or Cid,+971509999999;+971501234563
Ann,+971501234561
Ann or Ben,+971501234561;+971501234562
Known,+971509999999;+971501234564
Known or Dora,+971501234564
Deleted or Eve,+971508888888;+971501234565
Eve,+971501234565
";
    let world = World::new(5).await;
    create_known_contact(&world).await;
    let order = json!({"mapping": mapping(&["name", "phone"])});
    let gone = world.import("name,phone\nDeleted,+971508888888\n", order).await;
    assert_eq!(gone.counts.created, 1);
    delete(&world, "+971508888888").await;
    // Created, updated, skipped, refused. Whoever is skipped gains no number.
    for (mode, numbers, expected) in [
        ("skip", "+97150123", [5, 0, 4, 1]),
        ("update", "+97150124", [4, 3, 0, 3]),
        ("create", "+97150125", [5, 0, 0, 5]),
    ] {
        let import = world.upload(ROWS.replace("+97150123", numbers)).await;
        for dry_run in [true, false] {
            let order = json!({"mapping": mapping(&["name", "phone"]), "mode": mode, "dry_run": dry_run});
            let counts = work_through_twice(&world, &import, order).await.counts;
            let counted = [counts.created, counts.updated, counts.skipped, counts.refused];
            assert_eq!(counted, expected, "{mode}, dry run: {dry_run}");
        }
    }
}

/// With twenty new tags and that for everybody, the first row has one too many.
#[tokio::test]
async fn tags_that_a_dry_run_does_not_create_count_as_well() {
    let world = World::new(10).await;
    let everybody = world.create_owned::<Tag>(json!({"name": "Imported"})).await;
    let tags: Vec<String> = (1..=20).map(|number| format!("New {number}")).collect();
    let table = format!("name,tags\nAnn,{}\nBen,{}\n", tags.join(";"), tags[1..].join(";"));
    let import = world.upload(table).await;
    for (dry_run, existing) in [(true, 1), (false, 21)] {
        let order = json!({
            "mapping": mapping(&["name", "tags"]), "tags": [everybody.id], "create_tags": true, "dry_run": dry_run,
        });
        let counts = work_through_twice(&world, &import, order).await.counts;
        assert_eq!((counts.created, counts.refused), (1, 1), "dry run: {dry_run}");
        let tags = world.store.all::<Tag>(world.scope()).await.unwrap();
        assert_eq!(tags.len(), existing);
    }
}

#[tokio::test]
async fn erased_and_deleted_people_do_not_come_back() {
    let world = World::new(10).await;
    let erased = Identity::Phone("+971501234567".parse().unwrap());
    let salt = Salt::new([7; 32]);
    let identities = [erased.key()];
    let (store, nothing) = (&world.store, Wishes::NONE);
    let remembered = store.remember_erased(world.scope(), &identities, &nothing, salt, world.aws.now());
    remembered.await.unwrap();
    create_known_contact(&world).await;
    delete(&world, "+971509999999").await;
    let table = "name,phone\nErased,+971501234567\nDeleted,+971509999999\nNew,+971501234568\n";
    for mode in ["update", "skip", "create"] {
        let order = json!({"mapping": mapping(&["name", "phone"]), "mode": mode, "dry_run": mode == "create"});
        let counts = world.import(table, order).await.counts;
        assert_eq!(
            (counts.refused, counts.erased),
            if mode == "create" { (3, 1) } else { (2, 1) },
            "{mode}"
        );
    }
    assert_eq!(world.names().await, ["New"]);
}

/// They called or wrote since, so they are contacts like others. What leads to nobody does not come back.
#[tokio::test]
async fn erased_people_who_came_back_are_contacts() {
    let world = World::new(10).await;
    create_known_contact(&world).await;
    let identities = [
        Identity::Phone("+971509999999".parse().unwrap()).key(),
        Identity::Email("maya@example.com".parse().unwrap()).key(),
    ];
    let (salt, nothing) = (Salt::new([7; 32]), Wishes::NONE);
    let remembered = world
        .store
        .remember_erased(world.scope(), &identities, &nothing, salt, world.aws.now());
    remembered.await.unwrap();
    let table = "name,phone,email\nOther,+971509999999,\nBoth,+971509999999,maya@example.com\n";
    for (mode, expected, called) in [
        ("skip", (1, 0, 1, 1), "Known"),
        ("create", (0, 0, 2, 1), "Known"),
        ("update", (0, 1, 1, 1), "Other"),
    ] {
        let order = json!({"mapping": mapping(&["name", "phone", "email"]), "mode": mode});
        let counts = world.import(table, order).await.counts;
        let made = (counts.skipped, counts.updated, counts.refused, counts.erased);
        assert_eq!((made, counts.created), (expected, 0), "{mode}");
        assert_eq!(world.names().await, [called], "{mode}");
    }
}

#[tokio::test]
async fn updated_contact_is_listed_by_its_new_values() {
    let world = World::new(10).await;
    world.fields().await;
    let regular = world.create_owned::<Tag>(json!({"name": "Regular"})).await;
    let columns = mapping(&["phone", "tags", "field:birthday", "owner"]);
    for (tags, birthday) in [("", "1990-02-28"), ("Regular", "1991-03-01")] {
        let table = format!("phone,tags,birthday,owner\n+971501234567,{tags},{birthday},\n");
        let order = json!({"mapping": columns, "mode": "update"});
        assert_eq!(world.import(table, order).await.counts.refused, 0);
    }
    let people = world.people().await;
    assert_eq!(people.len(), 1);
    assert_eq!(people[0].profile.tags, BTreeSet::from([regular.id]));
}

/// The contact wrote START from another number, after the STOP of whoever had this one. The former owner still has the last word.
#[tokio::test]
async fn new_number_brings_its_stop_to_who_wrote_start() {
    let world = World::new(10).await;
    let (aws, number) = (&world.aws, "+971501234567");
    world.business.suppress_by(aws, number, By::Keyword).await;
    aws.pass(60);
    let table = "name,phone,email\nAnn,+971509999999,ann@example.com\n";
    let order = json!({"mapping": mapping(&["name", "phone", "email"]), "mode": "update"});
    assert_eq!(world.import(table, order.clone()).await.counts.created, 1);
    let ann = world.people().await.remove(0).contact;
    let start = |contact: &mut Contact| contact.wish(OptFlag::Start, "wrote START", aws.now());
    aws.change_contact(world.scope(), ann.id, start).await;
    aws.pass(60);
    let table = format!("name,phone,email\nAnn,{number},ann@example.com\n");
    assert_eq!(world.import(table, order).await.counts.updated, 1);
    let after = world.people().await.remove(0).contact;
    assert!(after.phones.contains(&number.parse().unwrap()));
    assert_eq!(after.opted_out().map(|refusal| refusal.by), Some(By::Keyword));
}

/// The wishes of everybody, and the changes in their ledgers.
async fn consents(world: &World) -> Vec<String> {
    let mut consents = Vec::new();
    for person in world.people().await {
        let history = world
            .store
            .history(world.scope(), person.contact.id, 10, world.aws.now());
        let mut changes: Vec<String> = Vec::new();
        for entry in history.await.unwrap() {
            if let Entry::Consent(entry) = entry {
                changes.push(entry.what());
            }
        }
        changes.sort();
        let wishes = person.contact.consent.all().map(|wish| ConsentEntry::of(wish).what());
        let wishes: Vec<String> = wishes.collect();
        consents.push(format!(
            "{}: {} of {}",
            name(&person),
            wishes.join(" "),
            changes.join(" ")
        ));
    }
    consents.sort();
    consents
}

/// Files as Klaviyo and Shopify write them, by the suggested mapping: columns of e-mail say nothing, and those of SMS speak of SMS alone.
/// The ledger is the same when steps are made twice, and who unsubscribed is back by START, whatever the file says again.
#[tokio::test]
async fn columns_of_sms_state_consent_of_sms() {
    const KLAVIYO: &str = "Email,Klaviyo ID,First Name,Phone Number,Email Marketing Consent,SMS Marketing Consent
ann@example.com,01HQ5C1YNYC001,Ann,+971501234561,NEVER_SUBSCRIBED,SUBSCRIBED
ben@example.com,01HQ5C1YNYC002,Ben,+971501234562,SUBSCRIBED,UNSUBSCRIBED
cid@example.com,01HQ5C1YNYC003,Cid,+971501234563,SUBSCRIBED,NEVER_SUBSCRIBED
";
    const SHOPIFY: &str = "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Phone,Accepts SMS Marketing
'7012345678901,Ann,,ann@example.com,yes,'+971501234561,no
'7012345678902,Ben,,ben@example.com,yes,'+971501234562,yes
'7012345678903,Cid,,cid@example.com,yes,'+971501234563,no
";
    let world = World::new(2).await;
    let aws = &world.aws;
    let order = |table: &str| {
        let dialect = detect(table.as_bytes(), true, None, &Known::default()).unwrap();
        let context = row::Context {
            dialect: &dialect,
            fields: &[],
            region: None,
        };
        let mapping = suggest(&records(table.as_bytes(), true, &context, 20), &[], &context);
        let consent = json!({"evidence": "the shop's form", "category": "marketing"});
        json!({"mapping": mapping, "mode": "update", "consent": consent})
    };
    for (table, counts, expected) in [
        (
            KLAVIYO,
            (1, 1, 0),
            [
                "Ann: sms_marketing_start of sms_marketing_start",
                "Ben: sms_marketing_stop of sms_marketing_stop",
                "Cid:  of ",
            ],
        ),
        (
            SHOPIFY,
            (1, 0, 2),
            [
                "Ann:  of sms_marketing_end sms_marketing_start",
                "Ben: sms_marketing_stop sms_marketing_start of sms_marketing_start sms_marketing_stop",
                "Cid:  of ",
            ],
        ),
    ] {
        let import = world.upload(table).await;
        let mut dry = order(table);
        dry["dry_run"] = json!(true);
        let foreseen = work_through_twice(&world, &import, dry).await.counts;
        let done = work_through_twice(&world, &import, order(table)).await.counts;
        assert_eq!(done, foreseen);
        assert_eq!((done.opted_in, done.opted_out, done.said_no), counts);
        assert_eq!(consents(&world).await, expected);
        aws.pass(60);
    }
    let number = Identity::Phone("+971501234562".parse().unwrap());
    let ben = world
        .store
        .contact_of(world.scope(), &number)
        .await
        .unwrap()
        .unwrap()
        .id;
    let start = |contact: &mut Contact| contact.wish(OptFlag::Start, "wrote START", aws.now());
    aws.change_contact(world.scope(), ben, start).await;
    world.import(KLAVIYO, order(KLAVIYO)).await;
    let ben = world.store.contact(world.scope(), ben).await.unwrap().unwrap();
    assert!(!ben.refuses() && ben.opted_in_at().is_some());
}

/// The statement is about the whole table, and nobody looked at who is on the list.
#[tokio::test]
async fn stated_consent_ends_no_refusal_of_the_list() {
    let world = World::new(10).await;
    let (aws, number) = (&world.aws, "+971501234567");
    world.business.suppress(aws, number).await;
    aws.pass(24 * 3600);
    let order = json!({
        "mapping": mapping(&["name", "phone"]),
        "mode": "update",
        "consent": {"of": "all_rows", "evidence": "the till"},
    });
    let table = format!("name,phone\nAnn,{number}\n");
    for made in [RowOutcome::Created, RowOutcome::Updated] {
        let mut expected = RowCounts::default();
        expected.add(made);
        expected.opted_in = 1;
        let counts = world.import(table.clone(), order.clone()).await.counts;
        assert_eq!(counts, expected);
        let contact = world.people().await.remove(0).contact;
        assert_eq!(contact.opted_out().map(|refusal| refusal.by), Some(By::User));
        aws.pass(60);
    }
}

/// Work of the first operation is not done again, and the rest is.
#[tokio::test]
async fn cancelled_import_can_be_started_again() {
    let world = World::new(3).await;
    let table = "name\nAnn\nBen\nCid\nDan\nEve\nFay\nGil\n";
    let import = world.upload(table).await;
    let order = json!({"mapping": mapping(&["name"])});
    let first = world.start(&import, order.clone()).await;
    assert_eq!(world.run_step(&first).await, Ran::Continues);
    world.operations.cancel(&first).await;
    assert_eq!(world.run_step(&first).await, Ran::Nothing);
    assert_eq!(world.people().await.len(), 3);
    let second = world.start(&import, order).await;
    let counts = result(&world.finish(&second).await).counts;
    assert_eq!((counts.rows, counts.created), (7, 7));
    assert_eq!(world.people().await.len(), 7);
}

#[tokio::test]
async fn changed_or_missing_file_ends_the_import() {
    let world = World::new(2).await;
    let order = json!({"mapping": mapping(&["name"])});
    let import = world.upload("name\nAnn\nBen\nCid\n").await;
    let start = world.start(&import, order.clone()).await;
    assert_eq!(world.run_step(&start).await, Ran::Continues);
    world.write(&import, b"name\nEve\nFay\nGil\n".to_vec()).await;
    let reason = world.failure(&start).await;
    assert!(reason.contains("another one was uploaded"), "{reason}");
    assert_eq!(world.names().await, ["Ann", "Ben"]);
}

#[tokio::test]
async fn unknown_tags_are_left_out_unless_they_are_created() {
    let world = World::new(10).await;
    let regular = world.create_owned::<Tag>(json!({"name": "Regular"})).await;
    let everybody = world.create_owned::<Tag>(json!({"name": "Imported"})).await;
    let table = "name,tags\nAnn,regular\nBen,VIP; Regular\n";
    let mut order = json!({"mapping": mapping(&["name", "tags"]), "tags": [everybody.id]});
    let counts = world.import(table, order.clone()).await.counts;
    assert_eq!((counts.created, counts.remarked), (2, 1));
    assert!(
        world
            .errors()
            .await
            .contains("There is no tag “VIP”, so it was left out.")
    );
    for person in world.people().await {
        assert_eq!(person.profile.tags, BTreeSet::from([regular.id, everybody.id]));
    }
    order["create_tags"] = json!(true);
    assert_eq!(world.import(table, order).await.counts.created, 2);
    let tags = world.store.all::<Tag>(world.scope()).await.unwrap();
    let vip = tags.iter().find(|tag| tag.name == label("VIP")).unwrap();
    let people = world.people().await;
    let with_vip = people.iter().filter(|person| person.profile.tags.contains(&vip.id));
    assert_eq!((tags.len(), with_vip.count()), (3, 1));
}

#[tokio::test]
async fn national_numbers_are_read_in_the_region() {
    let world = World::new(10).await;
    let order = json!({"mapping": mapping(&["phone"]), "region": "AE"});
    let counts = world.import("phone\n050 123 4567\n", order).await.counts;
    assert_eq!(counts.created, 1);
    let number: domain::terms::Phone = "+971501234567".parse().unwrap();
    assert_eq!(world.people().await[0].contact.phones, [number]);
    let order = json!({"mapping": mapping(&["phone"])});
    assert_eq!(world.import("phone\n050 123 4567\n", order).await.counts.refused, 1);
}

/// In a column that is called a number: the person is imported, and the row is in the file of errors, in a dry run, too.
#[tokio::test]
async fn number_in_a_new_range_is_imported_with_a_remark() {
    let table = "name,phone\nNew,0590 123 456\nMaya,050 123 4567\n";
    for dry_run in [true, false] {
        let world = World::new(12).await;
        let order =
            json!({"mapping": mapping(&["name", "phone"]), "region": "AE", "mode": "update", "dry_run": dry_run});
        let counts = world.import(table, order).await.counts;
        assert_eq!((counts.created, counts.refused, counts.remarked), (2, 0, 1));
        let errors = world.errors().await;
        assert!(
            errors.contains("New,0590 123 456,") && errors.contains("+971590123456"),
            "{errors}"
        );
        assert!(!errors.contains("Maya"), "{errors}");
        assert_eq!(world.people().await.len(), if dry_run { 0 } else { 2 });
    }
}

/// The rows behind the maximum are not read.
#[tokio::test]
async fn rows_behind_the_maximum_are_left_out() {
    let world = World::new(200_000).await;
    let rows = usize::try_from(Import::MAX_ROWS).unwrap() + 1;
    let table = format!("name\n{}", "A\n".repeat(rows));
    let order = json!({"mapping": mapping(&["name"]), "dry_run": true});
    let result = world.import(table, order).await;
    assert!(result.left_out);
    assert_eq!(
        (result.counts.rows, result.counts.created),
        (Import::MAX_ROWS, Import::MAX_ROWS)
    );
}

/// The rows that are refused are in the file of errors, to be imported again.
#[tokio::test]
async fn import_creates_no_more_contacts_than_the_plan_allows() {
    let world = World::new(3).await;
    create_known_contact(&world).await;
    let limits = Limits {
        contacts: Some(5),
        ..Limits::default()
    };
    world.aws.limit(world.scope(), limits).await;
    let mut table = "name,phone\nKnown Already,+971509999999\n".to_owned();
    for number in 10..20 {
        table.push_str(&format!("New,+9715012345{number}\nAgain,+9715012345{number}\n"));
    }
    let order = json!({"mapping": mapping(&["name", "phone"]), "mode": "update"});
    let counts = world.import(table, order).await.counts;
    // The import before took room for one.
    assert_eq!((counts.created, counts.updated, counts.refused), (4, 5, 12));
    assert_eq!(world.people().await.len(), 5);
}
