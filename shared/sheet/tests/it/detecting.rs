//! Detecting encoding, separator and header.

use proptest::prelude::*;
use sheet::bounds::SAMPLE;
use sheet::dialect::{Dialect, Known, NotATable, detect};
use sheet::reader::{Item, Position, Separator};

use crate::reading::all;

pub(crate) fn detect_dialect(file: &[u8]) -> Result<Dialect, NotATable> {
    detect(file, true, Some("AE"), &Known::default())
}

/// The items of a table behind its header.
pub(crate) fn from_first(dialect: &Dialect, file: &[u8]) -> Vec<Item> {
    all(
        dialect.reader(None),
        &file[usize::try_from(dialect.first.offset).unwrap()..],
    )
}

fn header(file: &str) -> Vec<String> {
    detect_dialect(file.as_bytes()).unwrap().header
}

#[test]
fn separators_are_found_outside_quotes() {
    use Separator::{Comma, Pipe, Semicolon, Tab};
    for (file, expected, columns) in [
        ("name,phone\nMaya,1\n", Comma, 2),
        ("name;phone\nMaya;1\n", Semicolon, 2),
        ("name\tphone\nMaya\t1\n", Tab, 2),
        ("name|phone\nMaya|1\n", Pipe, 2),
        ("name;price\nA;1,5\nB;2,5\nC;3\n", Semicolon, 2),
        (
            "name;address\nMaya;\"1, 2, 3\"\nOmar;4, Street, Dubai, UAE\n",
            Semicolon,
            2,
        ),
        ("\"a;b\",\"c;d\"\n\"e;f;g\",h\n", Comma, 2),
        ("name\nMaya\nOmar\n", Comma, 1),
        ("name,phone,tags\nMaya,1,a;b\nOmar,2,a;b\n", Comma, 3),
        ("Export of 1 May\nname;phone\nMaya;1\nOmar;2\n", Semicolon, 1),
    ] {
        let dialect = detect_dialect(file.as_bytes()).unwrap();
        assert_eq!(
            (dialect.separator, dialect.columns),
            (Some(expected), columns),
            "{file}"
        );
    }
}

#[test]
fn a_header_has_names_and_no_values() {
    assert_eq!(header("Name,Phone\nMaya,+971501234567\n"), ["Name", "Phone"]);
    assert_eq!(header(" Imię ;Nazwisko\nJan;Kowalski\n"), ["Imię", "Nazwisko"]);
    let none: [&str; 0] = [];
    assert_eq!(header("Maya,+971501234567\nOmar,+971501234568\n"), none);
    assert_eq!(header("maya@example.com,Maya\n"), none);
    assert_eq!(header("a,a\nb,c\n"), none, "the names are not different");
    assert_eq!(header("Phone,Phone\n1,2\n"), ["Phone", "Phone"], "the words are known");
    assert_eq!(header(&format!("{},b\n", "x".repeat(100)))[0].len(), 60);
}

#[test]
fn positions_are_behind_marks_and_headers() {
    for (file, offset, row, line) in [
        ("\u{feff}Name,Phone\r\nMaya,1\r\n", 15, 2, 2),
        ("sep=,\r\nName,Phone\r\nMaya,1\r\n", 19, 2, 3),
        ("\u{feff}\"SEP=;\"\nName;Phone\nMaya;1\n", 22, 2, 3),
        ("\n\nName,Phone\nMaya,1\n", 13, 4, 4),
        ("Maya,+971501234567\n", 0, 1, 1),
        ("\u{feff}Maya,+971501234567\n", 3, 1, 1),
    ] {
        let dialect = detect_dialect(file.as_bytes()).unwrap();
        let expected = Position { offset, row, line };
        assert_eq!(dialect.first, expected, "{file:?}");
        let records = from_first(&dialect, file.as_bytes());
        let Ok(record) = &records[0] else { panic!("{records:?}") };
        assert_eq!((record.cell(0), record.row), ("Maya", row), "{file:?}");
    }
}

#[test]
fn encodings_are_found_with_and_without_marks() {
    let text = "الاسم;الهاتف\r\nمايا حداد;0501234567\r\nعمر;0501234568\r\n";
    let units = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let arabic = encoding_rs::WINDOWS_1256.encode(text).0.into_owned();
    for (file, expected) in [
        (text.as_bytes().to_vec(), "UTF-8"),
        ([b"\xef\xbb\xbf", text.as_bytes()].concat(), "UTF-8"),
        ([b"\xff\xfe".to_vec(), units(u16::to_le_bytes)].concat(), "UTF-16LE"),
        ([b"\xfe\xff".to_vec(), units(u16::to_be_bytes)].concat(), "UTF-16BE"),
        (arabic, "windows-1256"),
    ] {
        let dialect = detect_dialect(&file).unwrap();
        assert_eq!(dialect.encoding.name(), expected);
        assert_eq!(dialect.header, ["الاسم", "الهاتف"], "{expected}");
        let json = serde_json::to_string(&dialect).unwrap();
        assert_eq!(serde_json::from_str::<Dialect>(&json).unwrap(), dialect);
        let records = from_first(&dialect, &file);
        let Ok(record) = &records[0] else {
            panic!("{expected}: {records:?}")
        };
        let cells: Vec<&str> = record.cells().collect();
        assert_eq!(cells, ["مايا حداد", "0501234567"], "{expected}");
    }
}

#[test]
fn files_that_are_no_tables_are_named() {
    let wide = format!("{}\n", "a,".repeat(10_000));
    let long = "x".repeat(SAMPLE + 1);
    for (file, expected) in [
        (&b""[..], NotATable::Empty),
        (b"\xef\xbb\xbf", NotATable::Empty),
        (b"\n\r\n , \n", NotATable::Empty),
        (b"PK\x03\x04 and more", NotATable::Workbook),
        (b"%PDF-1.7", NotATable::NoText),
        (b"a\0,\0b\0\n\0", NotATable::NoText),
        (b"\"a,b", NotATable::FirstRowBroken),
        (wide.as_bytes(), NotATable::TooManyColumns),
        (long.as_bytes(), NotATable::FirstRowTooLong),
    ] {
        assert_eq!(detect_dialect(file), Err(expected), "{expected}");
    }
}

#[test]
fn what_is_known_is_not_detected() {
    let known = Known {
        encoding: "windows-1252".parse().ok(),
        separator: Some(Separator::Pipe),
        header: Some(false),
    };
    let dialect = detect("Name,Größe\n".as_bytes(), true, None, &known).unwrap();
    assert_eq!(dialect.encoding.name(), "windows-1252");
    assert_eq!((dialect.separator, dialect.columns), (Some(Separator::Pipe), 1));
    assert!(dialect.header.is_empty());
    let names = [0, 25, 26].map(|column| dialect.name(column));
    assert_eq!(names, ["Column A", "Column Z", "Column AA"]);
}

/// Names of columns are parts of sentences.
#[test]
fn names_of_columns_do_not_reverse_sentences() {
    let dialect = detect_dialect("Full\u{202e}name,\"Mobile\nphone\",\u{2067}\nMaya,1,2\n".as_bytes()).unwrap();
    let names: Vec<String> = (0..3).map(|column| dialect.name(column)).collect();
    assert_eq!(names, ["Full name", "Mobile phone", "Column C"]);
}

proptest! {
    #[test]
    fn any_file_has_a_dialect_or_a_reason(
        file in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            "[a-z,;\"|\t\n\r0-9@+. ]{0,300}".prop_map(String::into_bytes),
            "\\PC{0,60}".prop_map(|text| text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ],
        whole: bool,
        region in prop::option::of("\\PC{0,3}"),
    ) {
        if let Ok(dialect) = detect(&file, whole, region.as_deref(), &Known::default()) {
            prop_assert!((1..=200).contains(&dialect.columns));
            prop_assert!(dialect.first.offset <= file.len() as u64);
        }
    }
}
