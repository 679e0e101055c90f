//! Damaged and hostile tables.

use std::time::Duration;

use domain::terms::Data;
use import_contacts::{Context, handle};
use kit::operation::{Ran, Step, Turn};
use serde_json::json;

use super::world::{World, mapping, name, result};

/// A bad row does not affect the others.
#[tokio::test]
async fn bad_rows_are_refused_and_others_imported() {
    let mut table = b"name,phone\nAnn,+971501234561\n".to_vec();
    // Text behind a closing quote.
    table.extend_from_slice(b"\"Bad\"ly,+971501234562\nBen,+971501234563\n");
    // A byte order mark in the middle, where two files were put together.
    table.extend_from_slice("\u{feff}Cid,+971501234565\n".as_bytes());
    // A row of a megabyte.
    table.extend(std::iter::repeat_n(b'x', 1024 * 1024));
    table.extend_from_slice(b",+971501234566\nDan,+971501234567\n");
    let world = World::new(2).await;
    let order = json!({"mapping": mapping(&["name", "phone"])});
    let counts = world.import(table, order).await.counts;
    assert_eq!(world.names().await, ["Ann", "Ben", "Cid", "Dan"]);
    assert_eq!((counts.rows, counts.created, counts.refused), (6, 4, 2));
    let refused = world.errors().await;
    for sentence in ["behind its closing quotation mark", "more than 64 KB"] {
        assert!(refused.contains(sentence), "{sentence}: {refused}");
    }
}

/// Its first rows are not imported either: whoever corrects it imports the whole file.
#[tokio::test]
async fn damaged_file_is_refused_with_its_row() {
    let mut world = World::new(2).await;
    world.ctx = Context::new(world.aws.env()).unwrap().in_steps_of_time(Duration::ZERO);
    let order = json!({"mapping": mapping(&["name", "phone"])});
    let rows = "Ann,+971501234561\n".repeat(10_000);
    for (damage, sentence) in [
        (&b"\"Broken,+971501234562\nBen,+971501234563\n"[..], "never ends"),
        (b"J\xfcrgen,+971501234564\n", "invalid characters"),
    ] {
        let import = world.upload([b"name,phone\n", rows.as_bytes(), damage].concat()).await;
        let start = world.start(&import, order.clone()).await;
        let reason = world.failure(&start).await;
        assert!(
            reason.starts_with("Row 10002: ") && reason.contains(sentence),
            "{reason}"
        );
    }
    assert_eq!(world.people().await.len(), 0);
}

/// A checkpoint of a former version has a position, and does not say that the table is sound.
#[tokio::test]
async fn damage_is_found_behind_a_former_checkpoint() {
    let world = World::new(10).await;
    let table = "name,phone\nAnn,+971501234561\n\"Broken,+971501234562\nBen,+971501234563\n";
    let import = world.upload(table).await;
    let start = world
        .start(&import, json!({"mapping": mapping(&["name", "phone"])}))
        .await;
    let mut operation = world.operations.get(&start).await;
    let position = json!({"offset": 11, "row": 2, "line": 2});
    operation.cursor = Some(Data::of(&json!({"position": position, "counts": {}, "errors": {}})).unwrap());
    let step = Box::pin(handle(Turn::new(world.scope().clone(), operation), &world.ctx));
    let Step::Failed { reason } = step.await.unwrap() else {
        panic!("the table is damaged");
    };
    assert!(
        reason.starts_with("Row 3: ") && reason.contains("never ends"),
        "{reason}"
    );
    assert_eq!(world.people().await.len(), 0);
}

/// Whoever corrects the file of refused rows opens it in a spreadsheet program first.
#[tokio::test]
async fn refused_rows_hold_no_formulas() {
    let table = "name,phone\n=HYPERLINK(\"\"x\"\"),12\n@SUM(1),13\n+971501234567,14\n";
    let world = World::new(10).await;
    let order = json!({"mapping": mapping(&["name", "phone"])});
    assert_eq!(world.import(table, order).await.counts.refused, 3);
    let refused = world.errors().await;
    for line in refused.lines().skip(1) {
        let cell = line.trim_start_matches('"');
        assert!(cell.starts_with('\''), "{line}");
    }
}

/// A step begins where the former one ended: at a card. Here, each ends behind one card, and each is made twice.
#[tokio::test]
async fn cards_are_imported_in_steps() {
    let world = World::new(1).await;
    let mut cards = String::from("\u{feff}");
    for (number, more) in [
        (1, format!("PHOTO;ENCODING=b:{}\r\n", "QUJD".repeat(200_000))),
        (2, format!("PHOTO;ENCODING=b:\r\n{}", " QUJDREVG\r\n".repeat(100_000))),
        (3, "X-ADDRESSBOOKSERVER-KIND:group\r\n".to_owned()),
        (4, "AGENT:\r\nBEGIN:VCARD\r\nFN:Agent\r\nEND:VCARD\r\n".to_owned()),
    ] {
        cards.push_str(&format!("BEGIN:VCARD\r\nVERSION:2.1\r\nN:Card;{number}\r\n{more}"));
        cards.push_str(&format!(
            "TEL;CELL:050123456{number}\r\nTEL;FAX:04333000{number}\r\nEND:VCARD"
        ));
    }
    let import = world.upload(cards).await;
    let columns = json!([{"column": 0, "target": "name"}, {"column": 4, "target": "phone"}]);
    let order = json!({"region": "AE", "mapping": {"columns": columns}});
    let start = world.start(&import, order).await;
    let steps = world.all_steps_twice(&start).await;
    assert!(steps >= 4, "only {steps} steps");
    let counts = result(&world.operations.get(&start).await).counts;
    assert_eq!((counts.rows, counts.created, counts.refused), (4, 3, 1));
    assert_eq!(world.names().await, ["1 Card", "2 Card", "4 Card"]);
    for person in world.people().await {
        assert_eq!(person.contact.known_by().len(), 1, "{}", name(&person));
    }
    let refused = world.errors().await;
    assert!(refused.contains("Row 3, line 100013: The card is a list"), "{refused}");
}

/// Names of columns are not checked when the import starts but read again with each step.
#[tokio::test]
async fn file_that_is_no_table_fails_with_a_sentence() {
    let world = World::new(10).await;
    let order = json!({"mapping": mapping(&["name"])});
    let wide = "a,".repeat(10_000) + "\n1\n";
    let long = "x".repeat(100_000);
    for (table, sentence) in [(wide, "more than 200 columns"), (long, "more than 64 KB")] {
        let import = world.upload(table).await;
        let start = world.start(&import, order.clone()).await;
        let reason = world.failure(&start).await;
        assert!(reason.contains(sentence), "{reason}");
    }
    assert_eq!(world.people().await.len(), 0);
}

/// Files of refused rows are written in parts: the first, several, and one that is not full.
#[tokio::test]
async fn refused_rows_are_one_file_of_many_parts() {
    let world = World::new(3).await;
    let mut table = "name,phone\n".to_owned();
    for number in 0..40 {
        table.push_str(&format!("Nobody {number},12\n"));
    }
    let import = world.upload(table).await;
    let order = json!({"mapping": mapping(&["name", "phone"])});
    let start = world.start(&import, order).await;
    world.all_steps_twice(&start).await;
    let refused = world.errors().await;
    assert!(refused.len() > 2_000, "several parts of 500 bytes");
    let rows: Vec<&str> = refused.lines().skip(1).collect();
    assert_eq!(rows.len(), 40);
    for (number, row) in rows.iter().enumerate() {
        assert!(row.starts_with(&format!("Nobody {number},")), "{row}");
    }
}

/// Blank rows take time, too. A row that is too long is no reason to stop within it: the next step would begin with it again.
#[tokio::test]
async fn many_blank_rows_are_passed_in_several_steps() {
    let mut world = World::new(10).await;
    world.ctx = Context::new(world.aws.env()).unwrap().in_steps_of_time(Duration::ZERO);
    let (blank, long) = ("\n".repeat(300_000), "x".repeat(200_000));
    let import = world.upload(format!("name\nAnn\n{blank}{long}\nBen\n{blank}")).await;
    let order = json!({"mapping": mapping(&["name"])});
    let start = world.start(&import, order).await;
    let mut steps = 1;
    while world.run_step(&start).await == Ran::Continues {
        steps += 1;
        assert!(steps < 30, "it makes no progress");
    }
    assert!(steps >= 6, "only {steps} steps");
    let counts = result(&world.operations.get(&start).await).counts;
    assert_eq!((counts.rows, counts.created, counts.refused), (3, 2, 1));
    assert_eq!(world.names().await, ["Ann", "Ben"]);
}
