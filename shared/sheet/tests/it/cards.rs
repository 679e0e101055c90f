//! Cards of address books.

use proptest::prelude::*;
use serde_json::{Value, json, to_value};
use sheet::bounds::MAX_RECORD_LENGTH;
use sheet::dialect::{Dialect, Format};
use sheet::preview::{preview, records};
use sheet::reader::{Form, Item, Position, Reader};
use sheet::record::RowError;
use sheet::suggest::{numbers_left_out, suggest};

use crate::detecting::{detect_dialect, from_first};
use crate::importing::{context, fields, stages};
use crate::reading::{all, holds, items};

const IPHONE: &[u8] = include_bytes!("../cards/iphone.vcf");
const GOOGLE: &[u8] = include_bytes!("../cards/google.vcf");
const OUTLOOK: &[u8] = include_bytes!("../cards/outlook.vcf");
const NOKIA: &[u8] = include_bytes!("../cards/nokia.vcf");
const FOUR: &[u8] = include_bytes!("../cards/four.vcf");

const LIST: &str = "The card is a list or a place, not a person. It is not imported.";

/// The result for each card by the suggested mapping alone, and the names of columns of numbers that are left out.
fn rows_by_suggestion(file: &[u8]) -> (Vec<Result<Value, Vec<RowError>>>, Vec<String>) {
    let fields = fields();
    let dialect = detect_dialect(file).unwrap();
    assert_eq!(dialect.format(), Format::Vcard);
    let context = context(&dialect, &fields);
    let samples = records(file, true, &context, 20);
    let mapping = suggest(&samples, &stages(), &context);
    assert_eq!(mapping.problems(dialect.columns, &fields), []);
    let rows = preview(file, true, &mapping, &context, 20).into_iter();
    let rows = rows.map(|(_, row)| row.map(|row| to_value(row).unwrap()));
    (rows.collect(), numbers_left_out(&samples, &mapping, &context))
}

/// Each card's name, numbers and addresses, or the sentence for it.
fn people(file: impl AsRef<[u8]>) -> Vec<String> {
    let list = |values: &Value| {
        let values = values.as_array().into_iter().flatten().filter_map(Value::as_str);
        values.collect::<Vec<_>>().join(" ")
    };
    let person = |row: Result<Value, Vec<RowError>>| match row {
        Ok(row) => {
            let name = row["name"].as_str().unwrap_or_default();
            format!("{name}|{}|{}", list(&row["phones"]), list(&row["emails"]))
                .trim_end_matches('|')
                .to_owned()
        }
        Err(errors) => errors[0].detail.clone(),
    };
    rows_by_suggestion(file.as_ref()).0.into_iter().map(person).collect()
}

/// The lines as a card of this version.
fn card(version: &str, lines: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:{version}\r\n{lines}\r\nEND:VCARD\r\n")
}

#[test]
fn people_of_known_exports_arrive_by_the_suggestion() {
    #[rustfmt::skip]
    let files = [
        (IPHONE, &[
            "Maya Layla Haddad|+971501234567 +971557654321 +97143330000|maya@example.com maya.work@example.com",
            "Gulf Flour Mill|+97143330010",
            LIST,
        ][..]),
        (GOOGLE, &[
            "Omar Khalil|+971507654321 +97143330100 +97143330103|omar@example.com omar.club@example.com",
            "||someone@example.com",
        ]),
        (OUTLOOK, &["Herr Jürgen Müller|+491711234567 +493023125002 +493023125001|juergen@example.com"]),
        (NOKIA, &["مايا حداد|+971501112222 +97143330200|maya.h@example.com"]),
        (FOUR, &["Sara Nasser|+971503334444 +97143330300|first@example.com second@example.com", LIST]),
    ];
    for (file, expected) in files {
        assert_eq!(people(file), expected);
        assert_eq!(
            rows_by_suggestion(file).1,
            if [NOKIA, FOUR].contains(&file) {
                &[][..]
            } else {
                &["Fax and devices"]
            }
        );
    }
    let first = |file| rows_by_suggestion(file).0.remove(0).unwrap();
    let maya = first(IPHONE);
    assert_eq!(
        (&maya["fields"], &maya["remarks"][0]["column"]),
        (&json!({"city": "Dubai"}), &json!("Birthday"))
    );
    assert_eq!(
        first(OUTLOOK)["fields"],
        json!({"city": "Düsseldorf", "birthday": "1980-03-22"})
    );
    assert_eq!(first(GOOGLE)["tags"], json!(["Regular"]));
    assert_eq!(
        (&first(NOKIA)["tags"], &first(FOUR)["tags"]),
        (&json!(null), &json!(["Regular", "VIP"]))
    );
}

#[test]
fn cells_of_a_card_are_as_their_owner_wrote_them() {
    let dialect = detect_dialect(IPHONE).unwrap();
    let Ok(record) = &from_first(&dialect, IPHONE)[0] else {
        panic!("the card is good");
    };
    let cell = |name: &str| record.cell(dialect.header.iter().position(|other| other == name).unwrap());
    assert_eq!(cell("Company"), "Saffron Bakery, Dubai");
    assert_eq!(cell("Fax and devices"), "04 333 0001; 04 333 0002; 04 333 0003");
    assert_eq!(cell("Birthday"), "--04-12");
    assert_eq!(
        cell("Notes"),
        "Likes cardamom; no nuts.\nCalls on Fridays, mostly in the afternoon."
    );
    let Ok(record) = &from_first(&dialect, OUTLOOK)[0] else {
        panic!("the card is good");
    };
    assert_eq!(record.cells().last(), Some("Ruft zurück.\r\nTEL: nur abends"));
}

/// A number's column follows from its types and its label.
#[test]
fn numbers_go_to_the_column_of_their_use() {
    #[rustfmt::skip]
    let columns = [
        ("Mobile phone", &["TEL;CELL;VOICE:", "TEL;X-WhatsApp:", "TEL;TYPE=WORK,cell:", "a.X-ABLabel:_$!<Mobile>!$_\r\na.TEL;type=pref:", "a.X-ABLabel:iPhone\r\nA.TEL:",
            "a.X-ABLabel:جوال العمل\r\na.TEL:"][..]),
        ("Phone", &["tel:", "TEL;VOICE;PREF:", "TEL;type=MAIN:"]),
        ("Home phone", &["TEL;type=HOME;type=pref:", "a.X-ABLabel:_$!<Home>!$_\r\na.TEL:"]),
        ("Work phone", &["TEL;WORK:", "a.X-ABLabel:Work\r\na.TEL:"]),
        ("Other phone", &["TEL;CAR:", "a.X-ABLabel:Reception\r\na.TEL:"]),
        ("Fax and devices", &["TEL;CELL;FAX:", "TEL;TYPE=textphone:", "TEL;PAGER:", "a.X-ABLabel:_$!<HomeFAX>!$_\r\na.TEL;CELL:",
            "a.X-ABLabel:WORK FAX\r\na.TEL:", "a.X-ABLabel:Telefax Büro\r\na.TEL:", "a.X-ABLabel:AssistantPhone\r\na.TEL:"]),
    ];
    for (column, tel) in columns
        .iter()
        .flat_map(|(column, all)| all.iter().map(|tel| (*column, *tel)))
    {
        let file = card("3.0", &format!("{tel}0501234567"));
        let dialect = detect_dialect(file.as_bytes()).unwrap();
        let Ok(record) = &from_first(&dialect, file.as_bytes())[0] else {
            panic!("{tel}");
        };
        let found = record.cells().position(|cell| cell == "0501234567");
        assert_eq!(found.map(|found| dialect.name(found)).as_deref(), Some(column), "{tel}");
    }
}

/// Versions, lines with `¶` between them, and the person, or `!` and a part of the sentence.
const VALUES: &str = r"
3.0 → N:O\;Neil\, Jr;Sean;Paul,Anton;; → Sean Paul Anton O;Neil, Jr
2.1 → N:O\;Neil;Sean → Sean O;Neil
2.1 → FN:AC\DC → AC\DC
3.0 → FN:Maya¶  Had¶ dad → Maya Haddad
2.1 → FN;QUOTED-PRINTABLE:Ren=C3=A9 =¶Le=20Roux → René Le Roux
2.1 → FN;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Ren=E9 → René
2.1 → FN;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Ren=C3=A9 → René
2.1 → FN;ENCODING=QUOTED-PRINTABLE;CHARSET=windows-1251:=CC=E0=F8=E0 → Маша
2.1 → FN;ENCODING=QUOTED-PRINTABLE;CHARSET=GBK:=C1=AA=CD=A8 → 联通
2.1 → FN;ENCODING=QUOTED-PRINTABLE:Maya= → Maya
3.0 → FN:¶N:;;;;¶ORG:Saffron;Kitchen → Saffron
4.0 → FN:Second¶FN;PREF=1:First → First
4.0 → FN:Maya¶TEL;VALUE=uri:TEL:+971-50-123-4567¶TEL:+971501234567 → Maya|+971501234567
4.0 → FN:Maya¶TEL;VALUE=uri:tel:+971-4-333-0000;ext=12 → !has an extension
3.0 → FN:Maya¶TEL:04 333 0000\,\,12 → !has an extension
3.0 → FN:Maya¶TEL:12¶TEL:0501234567 → Maya|+971501234567
3.0 → FN:Maya¶N:;Maya;;;¶VERSION:3.0¶N:;Omar;;;¶TEL:0501234567 → !END:VCARD
3.0 → FN:Maya¶NOTE:a\0b¶CATEGORIES:VIP → Maya
3.0 → FN:Maya¶TEL:¶ADR:;;;;;;Saudi Arabia¶TEL;CELL:0502425874 → Maya|+966502425874
3.0 → FN:Maya → Maya
3.0 → NOTE:Nobody → !no name, telephone number or e-mail address
3.0 → FN:Ma\0ya → !NUL
3.0 → FN:Board¶X-EVOLUTION-LIST:TRUE → !is a list
4.0 → FN:List¶MEMBER:mailto:a@example.com → !is a list
4.0 → KIND:org¶FN:Saffron → Saffron";

#[test]
fn values_are_read_as_their_version_writes_them() {
    for row in VALUES.trim().lines() {
        let mut row = row.split(" → ");
        let (version, lines, expected) = (row.next().unwrap(), row.next().unwrap(), row.next().unwrap());
        let found = people(card(version, &lines.replace('¶', "\r\n").replace("\\0", "\0")));
        match expected.strip_prefix('!') {
            Some(part) => assert!(found.len() == 1 && found[0].contains(part), "{lines}: {found:?}"),
            None => assert_eq!(found, [expected], "{lines}"),
        }
    }
}

/// A damaged card costs itself; the others are imported.
#[test]
fn cards_that_are_not_whole_are_refused_alone() {
    let (maya, omar) = (card("3.0", "FN:Maya"), card("4.0", "FN:Omar"));
    let no_end = "The card does not end with END:VCARD, so a part of it may be missing. Export it again.";
    let no_begin = "The card does not begin with BEGIN:VCARD, so a part of it may be missing. Export it again.";
    let open = &maya[..maya.len() - 11];
    let agents = |inner: &str| format!("BEGIN:VCARD\nFN:Ann\nAGENT:\n{inner}END:VCARD\n");
    let note = format!("FN:Ann\r\nNOTE:{}", "x".repeat(70_000));
    let folded = format!("FN:Ann\r\nNOTE:{}", "x\r\n ".repeat(40_000));
    let photo = format!(
        "FN:Ann\r\nPHOTO;ENCODING=b:{}\r\nTEL:+971501234567",
        "QUJD".repeat(500_000)
    );
    let long = "The card has more than 64 KB without its pictures. Shorten its notes.";
    #[rustfmt::skip]
    let files = [
        (format!("{open}{omar}"), &[no_end, "Omar"][..]),
        (format!("{omar}{open}"), &["Omar", no_end]),
        (format!("{maya}\r\nFN:Lost\r\nEND:VCARD\r\n{omar}"), &["Maya", no_begin, "Omar"]),
        (format!("{maya}\r\nSent from my telephone: 12\r\n\r\n{omar}-- \r\nEND:VCARD\r\n"), &["Maya", "Omar"]),
        (format!("{}{omar}", maya.trim_end()), &["Maya", "Omar"]),
        (format!("{} \u{feff}{omar}\u{feff}{maya}", maya.trim_end()), &["Maya", "Omar", "Maya"]),
        (format!("{maya}{omar}").replace("\r\n", "\r"), &["Maya", "Omar"]),
        (format!("\u{feff}\r\n \n{maya}{omar}").to_lowercase(), &["maya", "omar"]),
        (format!("{}{omar}", card("3.0", "FN:Ann\r\nNOTE:One\r\n END:VCARD\r\n BEGIN:VCARD")), &["Ann", "Omar"]),
        (format!("{}{omar}", agents(&maya)), &["Ann", "Omar"]),
        (format!("{}{omar}", agents("BEGIN:VCARD\nFN:Agent\n")), &[no_end, "Omar"]),
        (format!("{}{omar}", maya.replace("FN:", "BEGIN:VCARD\r\nFN:")), &[no_end, "Maya", "Omar"]),
        (format!("{}{omar}", card("3.0", &note)), &[long, "Omar"]),
        (format!("{}{omar}", card("3.0", &folded)), &[long, "Omar"]),
        (format!("{}{omar}", card("3.0", &"TEL:\r\n".repeat(2_000))), &[long, "Omar"]),
        (format!("{}{omar}", card("4.0", &"MEMBER:\r\n".repeat(2_000))), &[LIST, "Omar"]),
        (format!("{}{omar}", card("3.0", &photo)), &["Ann|+971501234567", "Omar"]),
    ];
    for (file, expected) in files {
        assert_eq!(people(&file), expected, "{}", &file[..file.len().min(300)]);
    }
    let bytes = [
        card("3.0", "FN:Zoë Löwe").into_bytes(),
        b"BEGIN:VCARD\nFN:J\xfcrgen\nEND:VCARD\n".to_vec(),
        omar.into_bytes(),
    ];
    let found = people(bytes.concat());
    assert!(found[1].starts_with("The card has invalid characters."), "{found:?}");
    assert_eq!((found[0].as_str(), found[2].as_str()), ("Zoë Löwe", "Omar"));
}

#[test]
fn cards_are_known_in_all_encodings() {
    let file = card("3.0", "FN:مايا");
    let utf_16 = |bytes: fn(u16) -> [u8; 2]| format!("\u{feff}{file}{file}").encode_utf16().flat_map(bytes).collect();
    let arabic = encoding_rs::WINDOWS_1256.encode(&file.repeat(2)).0.into_owned();
    let files: [Vec<u8>; 4] = [
        file.repeat(2).into_bytes(),
        utf_16(u16::to_le_bytes),
        utf_16(u16::to_be_bytes),
        arabic,
    ];
    for file in files {
        assert_eq!(people(&file), ["مايا", "مايا"]);
    }
    // The letters in its quoted lines say what the file itself does not.
    let quoted =
        "FN;ENCODING=QUOTED-PRINTABLE:=E3=C7=ED=C7 =CD=CF=C7=CF\r\nNOTE;ENCODING=QUOTED-PRINTABLE:=C7=E1=C7=D3=E3";
    assert_eq!(people(card("2.1", quoted)), ["مايا حداد"]);
    for table in ["BEGIN:VCARD,Name\n1,Maya\n", "Name\nBEGIN:VCARD\n", "BEGIN:VCALENDAR\n"] {
        assert_eq!(
            detect_dialect(table.as_bytes()).unwrap().format(),
            Format::Csv,
            "{table}"
        );
    }
}

fn form(encoding: &str) -> Form {
    let Dialect { columns, .. } = detect_dialect(IPHONE).unwrap();
    Form {
        encoding: encoding.parse().unwrap(),
        separator: None,
        columns,
    }
}

/// An import stops behind any card, and goes on there.
#[test]
fn reading_goes_on_at_each_card() {
    let joined = [
        b"\xef\xbb\xbf".as_slice(),
        IPHONE,
        b"\r\n",
        NOKIA.trim_ascii_end(),
        FOUR,
        GOOGLE,
        b"x\r\n",
        OUTLOOK,
    ]
    .concat();
    let found = items(form("UTF-8"), Position::START, &joined, &[7]);
    assert_eq!(found.len(), 9);
    for (index, (item, position)) in found.iter().enumerate() {
        let record = item.as_ref().unwrap_or_else(|broken| &broken.record);
        assert_eq!((record.row, position.row), (index as u64 + 1, index as u64 + 2));
        let from = usize::try_from(position.offset).unwrap();
        assert_eq!(
            items(form("UTF-8"), *position, &joined[from..], &[5, 1]),
            found[index + 1..],
            "{index}"
        );
        let before = &joined[..from];
        let lines = before.iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(position.line, lines + 1, "{index}");
    }
}

/// Pictures and lines of any length are passed without being kept.
#[test]
fn a_card_of_any_length_is_passed() {
    let mut reader = Reader::new(form("UTF-8"), Position::START);
    let mut give = |mut piece: &[u8]| {
        let item = reader.read(&mut piece);
        assert!(
            piece.is_empty() && reader.kept_length() <= MAX_RECORD_LENGTH + 100,
            "{}",
            reader.kept_length()
        );
        item
    };
    assert_eq!(give(b"BEGIN:VCARD\nFN:Maya\nPHOTO;ENCODING=b:"), None);
    for line in [
        vec![b'A'; 1 << 20],
        b"\n QUJD".repeat(1 << 18),
        b"\nX-SPAM:1".repeat(1 << 17),
    ] {
        for _ in 0..2 {
            assert_eq!(give(&line), None);
        }
    }
    let Some(Ok(record)) = give(b"\nEND:VCARD\n") else {
        panic!("the card is good");
    };
    assert_eq!(record.cell(0), "Maya");
    assert_eq!(all(Reader::new(form("UTF-8"), Position::START), b""), []);
}

/// Lines that matter to a reader of cards, more often than others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let known = vec![
        "BEGIN:VCARD",
        "END:VCARD",
        "VERSION:2.1",
        "AGENT:",
        "FN:Maya",
        "N:a;b\\;c,d;e",
        "TEL;CELL;ENCODING=QUOTED-PRINTABLE:=3=\u{e9}=",
        "item1.TEL;TYPE=\"a,b:tel:+971501234567",
        "item1.X-ABLabel:_$!<HomeFAX>!$_",
        "BDAY;X-APPLE-OMIT-YEAR=1604:16040412",
        "BDAY:é9990412",
        " folded",
        "\tfolded=",
        "CATEGORIES;CHARSET=UTF-16:a\\,b;c,,",
        "KIND:group",
        ":",
        ";;=",
        "\u{feff}",
        "\0",
    ];
    let line = prop_oneof![
        6 => prop::sample::select(known).prop_map(|line| line.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..9),
    ];
    let end = prop::sample::select(vec![&b"\r\n"[..], b"\n", b"\r", b"", b"=\n"]);
    prop::collection::vec((line, end).prop_map(|(line, end)| [&line, end].concat()), 0..40)
        .prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn any_bytes_end_in_cards_and_errors(
        file in bytes(),
        encoding in prop::sample::select(&["UTF-8", "UTF-16LE", "windows-1252", "Shift_JIS", "gb18030"][..]),
        lengths in prop::collection::vec(1_usize..9, 1..5),
    ) {
        holds(form(encoding), &file, &lengths)?;
        let whole: Vec<Item> = all(Reader::new(form(encoding), Position::START), &file);
        prop_assert!(whole.len() <= file.len());
        let file = [b"BEGIN:VCARD\n", file.as_slice()].concat();
        // Bytes that are mostly NUL are no text.
        prop_assert!(detect_dialect(&file).is_err() || people(&file).len() <= 20);
    }
}
