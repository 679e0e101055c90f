//! Writing tables, and reading what was written.

use proptest::prelude::*;
use serde_json::json;
use sheet::bounds::{MAX_COLUMNS, MAX_RECORD_LENGTH};
use sheet::dialect::{Dialect, Known, detect};
use sheet::reader::{Item, Position, Problem, Reader, Separator};
use sheet::record::{Record, RowError};
use sheet::write::{ErrorsFile, MARK, RowTooLarge, csv_row, json_line};

use crate::detecting::{detect_dialect, from_first};
use crate::reading::{all, form};

fn written_row(cells: &[&str]) -> String {
    let mut output = Vec::new();
    csv_row(&mut output, cells.iter().copied()).unwrap();
    String::from_utf8(output).unwrap()
}

fn read(file: &[u8], columns: usize) -> Vec<Vec<String>> {
    let reader = Reader::new(form("UTF-8", Separator::Comma, columns), Position::START);
    let rows = all(reader, file).into_iter().map(|item| {
        let Ok(record) = item else { panic!("{item:?}") };
        record.cells().map(str::to_owned).collect()
    });
    rows.collect()
}

#[test]
fn cells_are_quoted_where_necessary() {
    assert_eq!(
        written_row(&["Maya", "a,b", "say \"x\"", "two\nlines", ""]),
        "Maya,\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",\r\n"
    );
    assert_eq!(written_row(&["مايا", " a "]), "مايا, a \r\n");
}

#[test]
fn formulas_are_texts_and_numbers_can_be_imported_again() {
    for cell in ["=1+1", "+971501234567", "-5", "@SUM(A1)", "'=1"] {
        let file = written_row(&["x", cell]);
        assert!(file.contains(&format!("'{cell}")), "{file:?}");
        assert_eq!(read(file.as_bytes(), 2), [["x", cell]]);
    }
    let behind_a_tab = written_row(&["x", "\t=1"]);
    assert_eq!(behind_a_tab, "x,'\t'=1\r\n");
    assert_eq!(read(behind_a_tab.as_bytes(), 2), [["x", "\t=1"]]);
    assert_eq!(written_row(&["'t Hooft", "a=1"]), "'t Hooft,a=1\r\n");
    // Behind a separator of another region, too.
    assert_eq!(written_row(&["a", "x;=1"]), "a,x;'=1\r\n");
    // A mark is left out, so it guards nothing.
    assert_eq!(written_row(&["\u{feff}=1"]), "'=1\r\n");
}

#[test]
fn rows_are_bounded_and_refused_as_a_whole() {
    let mut output = b"before".to_vec();
    let long = "\"".repeat(MAX_RECORD_LENGTH / 2);
    assert_eq!(csv_row(&mut output, [long.as_str()]), Err(RowTooLarge));
    let long = "x".repeat(MAX_RECORD_LENGTH + 1);
    assert_eq!(csv_row(&mut output, ["a", &long]), Err(RowTooLarge));
    assert_eq!(csv_row(&mut output, vec!["a"; MAX_COLUMNS + 1]), Err(RowTooLarge));
    assert_eq!(json_line(&mut output, &json!({"a": long})), Err(RowTooLarge));
    assert_eq!(output, b"before");
    csv_row(&mut output, vec!["a"; MAX_COLUMNS]).unwrap();
    // The largest row can be read.
    let mut largest = Vec::new();
    let cell = "x".repeat(MAX_RECORD_LENGTH - 3);
    csv_row(&mut largest, [cell.as_str()]).unwrap();
    assert_eq!(read(&largest, 1), [[cell]]);
}

#[test]
fn json_lines_hold_bare_numbers() {
    let mut output = Vec::new();
    json_line(&mut output, &json!({"phone": "+971501234567", "note": "a\nb"})).unwrap();
    json_line(&mut output, &json!(1)).unwrap();
    let expected = "{\"note\":\"a\\nb\",\"phone\":\"+971501234567\"}\n1\n";
    assert_eq!(String::from_utf8(output).unwrap(), expected);
}

#[test]
fn an_errors_file_can_be_corrected_and_imported() {
    let dialect = detect_dialect(b"Name;Phone\nMaya;12\n").unwrap();
    let error = RowError {
        column: Some("Phone".to_owned()),
        ..RowError::of_row(2, "It is too short. Write it again.")
    };
    let file = ErrorsFile::new(&dialect);
    let mut output = Vec::new();
    file.begin(&mut output);
    let long = "x".repeat(MAX_RECORD_LENGTH);
    for record in [
        Record::of(2, 2, ["Maya", "12"]),
        Record::of(3, 3, [""; 0]),
        Record::of(4, 5, ["a", &long]),
    ] {
        file.row(&mut output, &record, std::slice::from_ref(&error));
    }
    assert!(output.starts_with(MARK));
    let again = detect(&output, true, None, &Known::default()).unwrap();
    assert_eq!(again.header, ["Name", "Phone", "error"]);
    let rows = read(&output[usize::try_from(again.first.offset).unwrap()..], 3);
    assert_eq!(rows[0], ["Maya", "12", "Phone: It is too short. Write it again."]);
    let place = "Row 3, line 3: Phone: It is too short. Write it again.";
    assert_eq!(rows[1], ["", "", place], "a row that is too long has no cells");
    // Its own errors file replaces the errors.
    let mut second = Vec::new();
    ErrorsFile::new(&again).begin(&mut second);
    assert_eq!(second, [MARK, b"Name,Phone,error\r\n"].concat());
    assert_eq!(rows[2][2], "Row 4, line 5: Phone: It is too short. Write it again.");
}

/// The items of a table, with its header.
fn items(file: &[u8]) -> (Dialect, Vec<Item>) {
    let dialect = detect(file, true, None, &Known::default()).unwrap();
    let items = from_first(&dialect, file);
    (dialect, items)
}

/// The file of a table's broken rows.
fn broken_rows_file(file: &[u8]) -> Vec<u8> {
    let (dialect, items) = items(file);
    let errors = ErrorsFile::new(&dialect);
    let mut output = Vec::new();
    errors.begin(&mut output);
    for item in items {
        if let Err(broken) = item {
            errors.row(&mut output, &broken.record, &[broken.error()]);
        }
    }
    output
}

/// Without a correction, the row is refused again, and nothing of it is lost.
#[test]
fn an_errors_file_has_all_cells_of_a_row() {
    let first = broken_rows_file(b"Name,Phone\nHaddad, Maya,+971501234567\nOmar,\"12\"3,,x\n");
    let (dialect, rows) = items(&first);
    assert_eq!(dialect.header, ["Name", "Phone", "error"]);
    assert_eq!(rows.len(), 2);
    let expected = [["Haddad", " Maya", "+971501234567", ""], ["Omar", "123", "", "x"]];
    for (row, cells) in rows.iter().zip(expected) {
        let Err(broken) = row else { panic!("{row:?}") };
        assert_eq!(broken.problem, Problem::ExtraCells);
        let record = &broken.record;
        let found = [record.cell(0), record.cell(1), record.cell(3), record.cell(4)];
        assert_eq!(found, cells);
        let told = record.cell(2);
        assert!(told.ends_with(". Its further cells are behind this one."), "{record:?}");
    }
    let second = broken_rows_file(&first);
    assert_eq!(broken_rows_file(&second), second);
}

/// The last cells of the widest rows are missing.
#[test]
fn an_errors_file_tells_the_place_of_incomplete_rows() {
    let table = format!("Name,Phone\nMaya,1\n{}\n", "a,".repeat(MAX_COLUMNS));
    let (_, rows) = items(&broken_rows_file(table.as_bytes()));
    let [Err(broken)] = &rows[..] else { panic!("{rows:?}") };
    let record = &broken.record;
    assert_eq!((record.len(), record.cell(MAX_COLUMNS - 1)), (MAX_COLUMNS, "a"));
    assert!(record.cell(2).starts_with("Row 3, line 3: The row has"), "{record:?}");
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        rows in prop::collection::vec(
            prop::collection::vec(prop_oneof!["[-'=+@\",;\t\r\n a\u{e9}＝]{0,8}", "[^\\x00\u{feff}]{0,8}", "\\+[0-9]{7,15}"], 3),
            1..8,
        ),
        key: u8,
    ) {
        let mut output = MARK.to_vec();
        let mut expected = Vec::new();
        for mut row in rows {
            // A blank row is skipped.
            row.push(format!("row {key}"));
            csv_row(&mut output, row.iter().map(String::as_str)).unwrap();
            expected.push(row);
        }
        prop_assert_eq!(read(&output, 4), expected);
    }
}
