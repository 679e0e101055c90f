//! Imports, in process against the emulator, from the callers' point of view.

use domain::accounts::{Permission, Role};
use domain::people::{Identity, ImportResult, RowCounts, Salt, Tag, Wishes};
use domain::tenants::{Limits, Tenant};
use domain::terms::OperationId;
use kit::{FileKey, Files};
use serde_json::{Value, json};
use store::table::rates::Limit;
use testkit::api::{Caller, Town};
use testkit::{Aws, texts};

const IMPORTS: &str = "/api/v1/imports";

const TABLE: &str =
    "Name,Mobile,Tags\nMaya Haddad,050 123 4567,VIP\nKnown,+971509999999,\nWrong,12,\nTwice,+971501234567,\n";

async fn town(aws: &Aws) -> Town<'_> {
    Town::new(aws, imports::routes).await
}

/// Creates an import and uploads a table for it, as a client does. Returns its path.
async fn upload_table(caller: &Caller<'_>, table: &str) -> String {
    let body = json!({"name": "customers.csv", "size": table.len()});
    let created = caller.post(IMPORTS, body).await;
    let upload = created.is(201).json()["upload"].clone();
    assert_eq!(upload["method"], "PUT");
    assert_eq!(upload["headers"]["content-length"], table.len().to_string());
    let url = upload["url"].as_str().unwrap();
    let mut put = reqwest::Client::new().put(url);
    for (name, value) in upload["headers"].as_object().unwrap() {
        put = put.header(name, value.as_str().unwrap());
    }
    let sent = put.body(table.to_owned()).send().await.unwrap();
    assert!(sent.status().is_success(), "{}", sent.status());
    created.header("location").to_owned()
}

fn mapping() -> Value {
    json!({"columns": [
        {"column": 0, "target": "name"}, {"column": 1, "target": "phone"}, {"column": 2, "target": "tags"},
    ]})
}

/// The rows of a preview.
fn rows(shown: &Value) -> Vec<Value> {
    shown["rows"].as_array().unwrap().clone()
}

fn operation_of(shown: &Value) -> OperationId {
    shown["operation"]["id"].as_str().unwrap().parse().unwrap()
}

/// Ends the import's operation, as its function does.
async fn finish(town: &Town<'_>, place: &str, refused: u64) {
    let shown = town.manager().get(place).await.json();
    let result = ImportResult {
        counts: RowCounts {
            rows: 4,
            created: 4 - refused,
            refused,
            ..RowCounts::default()
        },
        dry_run: shown["operation"]["params"]["dry_run"] == true,
        left_out: false,
    };
    let id = operation_of(&shown);
    town.aws().end_operation(town.home.scope(), id, &result).await;
}

#[tokio::test]
async fn preview_says_what_each_row_becomes() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let place = upload_table(&manager, TABLE).await;
    let preview = format!("{place}/preview");
    let shown = manager.post(&preview, json!({"region": "AE"})).await.is(200).json();
    assert_eq!(
        shown["table"],
        json!({
            "format": "csv", "encoding": "UTF-8", "separator": "comma", "header": true, "columns": ["Name", "Mobile", "Tags"],
        })
    );
    assert_eq!(shown["mapping"]["columns"], mapping()["columns"]);
    assert_eq!((&shown["problems"], &shown["new_tags"]), (&json!([]), &json!(["VIP"])));
    let rows = rows(&shown);
    assert_eq!(texts(&rows, "becomes"), ["created", "created", "refused", "skipped"]);
    assert_eq!(rows[0]["values"]["phones"], json!(["+971501234567"]));
    assert_eq!(rows[0]["values"]["remarks"][0]["column"], "Tags");
    assert_eq!(rows[0]["values"]["remarks"][0]["code"], "not_found");
    let error = &rows[2]["errors"][0];
    assert_eq!(
        (&rows[2]["row"], &error["column"], &error["code"]),
        (&json!(4), &json!("Mobile"), &json!("format"))
    );
    assert_eq!(error["facts"], json!({"expected": "phone", "example": "+971501234567"}));
    // The last row is about the same person as the first.
    for (mode, last) in [("skip", "skipped"), ("update", "updated"), ("create", "refused")] {
        let settings = json!({"region": "AE", "create_tags": true, "mode": mode, "mapping": mapping()});
        let shown = manager.post(&preview, settings).await.is(200).json();
        assert_eq!(shown["rows"][0]["becomes"], "created", "{mode}");
        assert_eq!(shown["rows"][3]["becomes"], last, "{mode}");
        let codes = shown["rows"][3]["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| &error["code"]);
        assert!(codes.eq(["is_contact"].iter().filter(|_| last == "refused")), "{mode}");
    }
    let settings = json!({"region": "AE", "mapping": {"columns": [{"column": 0, "target": "name"}]}});
    let shown = manager.post(&preview, settings).await.is(200).json();
    assert_eq!(shown["numbers_left_out"], json!(["Mobile"]));
    // Nothing was written.
    assert_eq!(aws.store().all::<Tag>(town.home.scope()).await.unwrap(), []);
}

/// The first card has a picture that is longer than what a table's form is detected from.
#[tokio::test]
async fn preview_shows_cards_behind_pictures() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let photo = " /9j/4AAQSkZJRgABAQAAAQABAAD\r\n".repeat(10_000);
    let card = |name: &str, more: &str| {
        format!("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nTEL;TYPE=CELL:+971501234567\r\n{more}END:VCARD\r\n")
    };
    let cards = [
        card("Maya", &format!("PHOTO;ENCODING=b:\r\n{photo}")),
        card("Omar", "KIND:group\r\n"),
    ]
    .concat();
    let place = upload_table(&manager, &cards).await;
    let shown = manager
        .post(&format!("{place}/preview"), json!({}))
        .await
        .is(200)
        .json();
    let table = &shown["table"];
    assert_eq!(
        (&table["format"], &table["separator"], &table["header"]),
        (&json!("vcard"), &json!(null), &json!(false))
    );
    let rows = rows(&shown);
    assert_eq!(texts(&rows, "becomes"), ["created", "refused"]);
    assert_eq!(
        (&rows[1]["row"], &rows[0]["values"]["name"]),
        (&json!(2), &json!("Maya"))
    );
    let order = json!({"table": {"encoding": table["encoding"], "separator": null}, "mapping": shown["mapping"]});
    manager.post(&format!("{place}/start"), order).await.is(202);
}

/// The end of the quoted cell is searched in more of the file than its form is detected from.
#[tokio::test]
async fn preview_ends_with_the_row_of_an_open_quote() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let mut table = "Name,Mobile\nMaya,+971501234567\n\"Omar,+971501234568\n".to_owned();
    for number in 10_000..20_000 {
        table.push_str(&format!("Guest,+9715055{number}\n"));
    }
    let place = upload_table(&manager, &table).await;
    let shown = manager.post(&format!("{place}/preview"), json!({})).await;
    let rows = rows(&shown.is(200).json());
    assert_eq!(texts(&rows, "becomes"), ["created", "refused"]);
    let (row, error) = (&rows[1]["row"], &rows[1]["errors"][0]);
    assert_eq!(
        (row, &error["column"], &error["code"]),
        (&json!(3), &json!(null), &json!("damaged"))
    );
}

/// The outcomes of the rows of a preview.
async fn preview_rows(caller: &Caller<'_>, place: &str, mut settings: Value) -> Vec<String> {
    settings["table"] = json!({"separator": "comma", "header": true});
    settings["mapping"] = mapping();
    let shown = caller.post(&format!("{place}/preview"), settings).await.is(200).json();
    texts(&rows(&shown), "becomes")
}

/// The contact of a row depends on the contacts that earlier rows create and change.
#[tokio::test]
async fn previewed_rows_know_what_earlier_rows_make() {
    const ROWS: &str = "Name,Mobile,Tags
Known,+971509999999;+971501234561,
Known or Ann,+971501234561,
Ben,+971501234562,
Ann or Ben,+971501234561;+971501234562,
Erased,+971508888888,
";
    let aws = Aws::new().await;
    let town = town(&aws).await;
    aws.contact_with(town.home.scope(), "+971509999999", |_| {}).await;
    let erased = [Identity::Phone("+971508888888".parse().unwrap()).key()];
    let (store, salt, nothing) = (aws.store(), Salt::new([7; 32]), Wishes::NONE);
    let remembered = store.remember_erased(town.home.scope(), &erased, &nothing, salt, aws.now());
    remembered.await.unwrap();
    let manager = town.manager();
    let place = upload_table(&manager, ROWS).await;
    for (mode, expected) in [
        // Whoever is skipped gains no number.
        ("skip", ["skipped", "created", "created", "skipped", "refused"]),
        ("update", ["updated", "updated", "created", "refused", "refused"]),
        ("create", ["refused", "created", "created", "refused", "refused"]),
    ] {
        let becomes = preview_rows(&manager, &place, json!({ "mode": mode })).await;
        assert_eq!(becomes, expected, "{mode}");
    }
}

/// With twenty new tags and that for everybody, the first row has one too many.
#[tokio::test]
async fn previewed_rows_have_the_tags_that_would_be_created() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let everybody: Tag = town.home.create_owned(&aws, json!({"name": "Imported"})).await;
    let tags: Vec<String> = (1..=20).map(|number| format!("New {number}")).collect();
    let table = format!(
        "Name,Mobile,Tags\nAnn,,{}\nBen,,{}\n",
        tags.join(";"),
        tags[1..].join(";")
    );
    let manager = town.manager();
    let place = upload_table(&manager, &table).await;
    let settings = json!({"create_tags": true, "tags": [everybody.id]});
    assert_eq!(preview_rows(&manager, &place, settings).await, ["refused", "created"]);
}

#[tokio::test]
async fn an_import_is_started_once_and_shows_its_result() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let place = upload_table(&manager, TABLE).await;
    let start = format!("{place}/start");
    let settings = json!({"mapping": mapping(), "create_tags": true, "region": "AE", "dry_run": true});
    let shown = manager.get(&place).await.is(200).json();
    assert!(shown["upload"]["url"].is_string() && shown["operation"].is_null());
    let started = manager.post(&start, settings.clone()).await.is(202).json();
    assert_eq!(started["operation"]["kind"], "import_contacts");
    assert_eq!(started["operation"]["params"]["table"]["separator"], "comma");
    let second = manager.post(&start, settings.clone()).await;
    second.is_refused(409, "import_running");
    finish(&town, &place, 0).await;
    let shown = manager.get(&place).await.is(200).json();
    assert!(shown["errors_file"].is_null() && shown["upload"].is_null());
    // After the dry run comes the import.
    let mut settings = settings;
    settings["dry_run"] = json!(false);
    manager.post(&start, settings.clone()).await.is(202);
    finish(&town, &place, 1).await;
    manager.post(&start, settings).await.is_refused(409, "import_done");
    let shown = manager.get(&place).await.is(200).json();
    assert_eq!(shown["operation"]["result"]["refused"], 1);
    // The link leads to the file that the operation wrote.
    let id = operation_of(&shown).ulid();
    let files = Files::new(aws.env()).unwrap();
    let key = FileKey::result(town.home.scope(), id, ImportResult::ERRORS_FILE);
    files.write(&key, b"refused".to_vec()).await.unwrap();
    let url = shown["errors_file"]["url"].as_str().unwrap();
    assert_eq!(reqwest::get(url).await.unwrap().text().await.unwrap(), "refused");
    let listed = manager.get(IMPORTS).await.is(200).json();
    assert_eq!(listed["items"][0]["operation"]["state"], "done");
    assert!(listed["items"][0]["errors_file"].is_null());
    // The bucket deletes the file after a week.
    aws.pass(7 * 24 * 3_600 + 1);
    let shown = town.manager().get(&place).await.is(200).json();
    assert!(shown["errors_file"].is_null() && shown["operation"]["result"]["refused"] == 1);
}

#[tokio::test]
async fn few_imports_run_at_a_time() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let mut places = Vec::new();
    for _ in 0..3 {
        places.push(upload_table(&manager, TABLE).await);
        aws.pass(1);
    }
    let settings = |dry_run: bool| json!({"mapping": mapping(), "create_tags": true, "dry_run": dry_run});
    let start = |place: &str| format!("{place}/start");
    manager.post(&start(&places[0]), settings(false)).await.is(202);
    manager.post(&start(&places[1]), settings(false)).await.is(202);
    let third = manager.post(&start(&places[2]), settings(false)).await;
    third.is_refused(409, "too_many_imports");
    // One that only counts writes nothing.
    manager.post(&start(&places[2]), settings(true)).await.is(202);
    finish(&town, &places[2], 0).await;
    finish(&town, &places[0], 0).await;
    manager.post(&start(&places[2]), settings(false)).await.is(202);
}

/// Starts that only count are limited, too.
#[tokio::test]
async fn imports_and_their_starts_are_limited_per_hour() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let places = [upload_table(&manager, TABLE).await, upload_table(&manager, TABLE).await];
    let (store, scope) = (aws.store(), town.home.scope());
    for (name, left) in [("IMPORTS", 98), ("IMPORT_STARTS", 99)] {
        for _ in 0..left {
            let taken = store.take(scope, name, Limit::per_hour(100), aws.now()).await;
            assert!(taken.unwrap().is_within(), "{name}");
        }
    }
    let refused = manager.post(IMPORTS, json!({"size": 9})).await;
    refused.is_refused(429, "too_many_requests");
    let settings = json!({"mapping": mapping(), "create_tags": true, "dry_run": true});
    let [first, second] = places.map(|place| format!("{place}/start"));
    manager.post(&first, settings.clone()).await.is(202);
    let refused = manager.post(&second, settings).await;
    refused.is_refused(429, "too_many_requests");
}

#[tokio::test]
async fn wrong_settings_and_files_are_named() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let created = manager.post(IMPORTS, json!({"size": 10})).await;
    let missing = created.is(201).header("location");
    for action in ["preview", "start"] {
        let path = format!("{missing}/{action}");
        let answer = manager.post(&path, json!({"mapping": mapping()})).await;
        answer.is_refused(409, "not_uploaded");
    }
    let place = upload_table(&manager, TABLE).await;
    let start = format!("{place}/start");
    let column = |target: &str| json!({"columns": [{"column": 0, "target": target}]});
    for (settings, field) in [
        (json!({}), "mapping"),
        (
            json!({"mapping": {"columns": [{"column": 3, "target": "name"}]}}),
            "mapping.columns[0].column",
        ),
        (json!({"mapping": column("tags")}), "mapping.columns"),
        (
            json!({"mapping": {"columns": [{"column": 0, "target": "name"}, {"column": 1, "target": "opted_in"}]}}),
            "consent",
        ),
        (
            json!({"mapping": column("name"), "consent": {"evidence": "the till"}}),
            "consent.of",
        ),
        (
            json!({"mapping": column("name"), "tags": ["tag_00000000000000000000000001"]}),
            "tags",
        ),
        (json!({"mapping": column("name"), "region": "UK"}), "region"),
        (json!({"mapping": column("name"), "mode": "replace"}), "mode"),
    ] {
        manager.post(&start, settings).await.names_field(field);
    }
    for size in [json!(0), json!(64 * 1024 * 1024 + 1), json!("9")] {
        manager.post(IMPORTS, json!({ "size": size })).await.names_field("size");
    }
    let workbook = upload_table(&manager, "PK\u{3}\u{4}…").await;
    let answer = manager.post(&format!("{workbook}/preview"), json!({})).await;
    answer.names_field("table");
}

#[tokio::test]
async fn imports_need_a_permission_and_are_the_tenants_own() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let place = upload_table(&town.manager(), TABLE).await;
    let reader = town.new_key(Role::Admin, &[Permission::ImportsRead]).await.1;
    for (caller, reads, writes) in [
        (town.viewer(), false, false),
        (town.agent(), false, false),
        (town.manager(), true, true),
        (town.api_key(&reader), true, false),
    ] {
        let of = |may: bool, status: u16| if may { status } else { 403 };
        caller.get(IMPORTS).await.is(of(reads, 200));
        let shown = caller.get(&place).await;
        shown.is(of(reads, 200));
        if reads {
            let has_link = !shown.json()["upload"].is_null();
            assert_eq!(has_link, writes, "the link is a right to write");
        }
        caller.post(IMPORTS, json!({"size": 9})).await.is(of(writes, 201));
        let previewed = caller.post(&format!("{place}/preview"), json!({})).await;
        previewed.is(of(writes, 200));
    }
    let foreign = town.foreign_admin();
    foreign.get(&place).await.is(404);
    for action in ["preview", "start"] {
        let path = format!("{place}/{action}");
        foreign.post(&path, json!({"mapping": mapping()})).await.is(404);
    }
    let listed = foreign.get(IMPORTS).await.is(200).json();
    assert_eq!(listed["items"], json!([]));
}

#[tokio::test]
async fn plan_limits_imports_of_a_day() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let create = || manager.post(IMPORTS, json!({"name": "customers.csv", "size": 100}));
    let limit = |imports| Limits {
        imports_per_day: Some(imports),
        ..Limits::default()
    };
    aws.limit(town.home.scope(), limit(1)).await;
    create().await.is(201);
    create().await.is_refused(409, "limit_reached");
    aws.limit(town.home.scope(), limit(0)).await;
    create().await.is_refused(409, "limit_reached");
}

/// By the country of the tenant or of the request; every member of the tenant may ask.
#[tokio::test]
async fn number_is_read_as_people_write_it() {
    const NUMBERS: &str = "/api/v1/phone-numbers";
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let viewer = town.viewer();
    let read = viewer.get(&format!("{NUMBERS}?text=050%20123%204567&country=AE")).await;
    let expected = json!({
        "number": {"phone": "+971501234567", "formatted": "+971 50 123 4567", "country": "AE", "kind": "mobile", "is_unknown": false},
        "national_example": "050 123 4567", "example": "+971 50 123 4567",
    });
    assert_eq!(read.is(200).json(), expected);
    let examples = viewer.get(&format!("{NUMBERS}?country=GB")).await.is(200).json();
    assert_eq!(examples["number"], json!(null));
    assert_eq!(examples["example"], "+44 7400 123456");
    for (query, code, facts) in [
        (
            "text=050%20123&country=GB",
            "format",
            json!({"expected": "phone", "example": "07400 123456"}),
        ),
        (
            "text=0016587654321&country=HK",
            "two_meanings",
            json!({"one": "+6587654321", "other": "+16587654321"}),
        ),
    ] {
        let refused = viewer.get(&format!("{NUMBERS}?{query}")).await;
        let error = &refused.names_field("text").json()["errors"][0];
        assert_eq!((&error["code"], &error["facts"]), (&json!(code), &facts), "{query}");
    }
    let britain = |tenant: &mut Tenant| tenant.default_region = Some("GB".to_owned());
    aws.change_tenant(town.home.scope(), britain).await;
    let at_home = viewer.get(&format!("{NUMBERS}?text=07400123456")).await;
    assert_eq!(at_home.is(200).json()["number"]["phone"], "+447400123456");
}
