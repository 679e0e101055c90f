//! Writing tables: CSV for people, JSON Lines for programs, and the rows that an import refused.
//!
//! CSV is UTF-8 with a byte order mark and CRLF, which Excel opens without questions. What a spreadsheet program may take for a formula
//! gets an apostrophe before it: a cell, and a part of one behind a semicolon, a tab or a line break, since Excel separates cells by
//! semicolons in many countries. Telephone numbers are no exception: Excel would calculate `+971501234567`, show
//! `9.71501E+11` and save that. With the apostrophe it is a text, and our reader removes it again. Programs that want bare
//! numbers read JSON Lines.

use serde::Serialize;

use crate::bounds::{MAX_COLUMNS, MAX_RECORD_LENGTH};
use crate::dialect::Dialect;
use crate::record::{Record, RowError, guard_formulas};

/// Beginning of a CSV file: the byte order mark of UTF-8.
pub const MARK: &[u8] = b"\xef\xbb\xbf";

/// A row that is longer than a row may be, or has more cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a row has at most {MAX_RECORD_LENGTH} bytes and {MAX_COLUMNS} cells")]
pub struct RowTooLarge;

/// Appends a row of CSV. Our reader reads the same cells, except NUL and byte order marks, which are left out, and rows of
/// empty cells, which it skips.
///
/// # Errors
/// If the row is too large for our reader. Nothing is appended.
pub fn csv_row<'a>(output: &mut Vec<u8>, cells: impl IntoIterator<Item = &'a str>) -> Result<(), RowTooLarge> {
    let begin = output.len();
    let written = csv_cells(output, cells);
    if written.is_err() || output.len() - begin >= MAX_RECORD_LENGTH {
        output.truncate(begin);
        return Err(RowTooLarge);
    }
    Ok(())
}

fn csv_cells<'a>(output: &mut Vec<u8>, cells: impl IntoIterator<Item = &'a str>) -> Result<(), RowTooLarge> {
    let begin = output.len();
    let terminator = csv_core::Terminator::CRLF;
    let mut writer = csv_core::WriterBuilder::new().terminator(terminator).build();
    let mut buffer = Vec::new();
    for (index, cell) in cells.into_iter().enumerate() {
        if index >= MAX_COLUMNS || output.len() - begin + cell.len() > MAX_RECORD_LENGTH {
            return Err(RowTooLarge);
        }
        let visible = cell.replace(['\0', '\u{feff}'], "");
        let text = guard_formulas(&visible);
        // Quotes double at most every byte; the last quote and the separator come before the cell.
        buffer.resize(2 * text.len() + 8, 0);
        let separated = if index > 0 { writer.delimiter(&mut buffer).1 } else { 0 };
        let (_, _, written) = writer.field(text.as_bytes(), &mut buffer[separated..]);
        output.extend_from_slice(&buffer[..separated + written]);
    }
    buffer.resize(8, 0);
    let (_, written) = writer.terminator(&mut buffer);
    output.extend_from_slice(&buffer[..written]);
    Ok(())
}

/// Appends a line of JSON.
///
/// # Errors
/// If the line is longer than a row may be, or the value has no form in JSON. Nothing is appended.
pub fn json_line(output: &mut Vec<u8>, value: &impl Serialize) -> Result<(), RowTooLarge> {
    let line = serde_json::to_vec(value).map_err(|_| RowTooLarge)?;
    if line.len() >= MAX_RECORD_LENGTH {
        return Err(RowTooLarge);
    }
    output.extend_from_slice(&line);
    output.push(b'\n');
    Ok(())
}

/// Name of the column that an errors file adds. An import ignores it, so the corrected file can be imported.
pub const ERROR_COLUMN: &str = "error";

/// Maximum length of the errors of a row, in characters.
const MAX_ERRORS_LENGTH: usize = 2_000;

/// Sentence behind the errors of a row that has more cells than the table.
const FURTHER: &str = " Its further cells are behind this one.";

/// The rows that an import refused, each with its errors in one more column. What a row has behind the table's last column follows its
/// errors: nothing is lost, and the row is refused again until somebody has corrected it.
#[derive(Debug, Clone, Copy)]
pub struct ErrorsFile<'a> {
    dialect: &'a Dialect,
}

impl<'a> ErrorsFile<'a> {
    /// The errors file of a table.
    pub fn new(dialect: &'a Dialect) -> Self {
        Self { dialect }
    }

    /// Columns of the table, without the errors of an earlier import. A table of the maximum width loses its last one.
    fn columns(&self) -> usize {
        let columns = self.dialect.columns;
        let earlier = self.dialect.header.last().is_some_and(|name| name == ERROR_COLUMN);
        (columns - usize::from(earlier && columns > 0)).min(MAX_COLUMNS - 1)
    }

    /// Begins the file: the mark and the names of the columns.
    pub fn begin(&self, output: &mut Vec<u8>) {
        output.extend_from_slice(MARK);
        let names: Vec<String> = (0..self.columns()).map(|column| self.dialect.name(column)).collect();
        let names = names.iter().map(String::as_str).chain([ERROR_COLUMN]);
        // Names are shortened, so the row is never too large.
        let _ = csv_row(output, names);
    }

    /// Appends a refused row. If it is too large, its cells are left empty, the errors never. Where cells are missing, the errors begin
    /// with the row's place in the table.
    pub fn row(&self, output: &mut Vec<u8>, record: &Record, errors: &[RowError]) {
        let columns = self.columns();
        let sentences = errors.iter().map(|error| match &error.column {
            Some(column) => format!("{column}: {}", error.detail),
            None => error.detail.clone(),
        });
        let sentences = sentences.collect::<Vec<_>>().join(" ");
        let sentences: String = sentences.chars().take(MAX_ERRORS_LENGTH).collect();
        let placed = format!("Row {}, line {}: {sentences}", record.row, record.line);
        // A record that is too long has no cells. Behind the maximum, cells were not read, or the errors need their place.
        let is_whole = (1..MAX_COLUMNS).contains(&record.len());
        let mut told = if is_whole { sentences } else { placed.clone() };
        let further = record.cells().skip(self.dialect.columns);
        let further: Vec<&str> = further.take(MAX_COLUMNS - 1 - columns).collect();
        if further.iter().any(|cell| !cell.trim().is_empty()) {
            told.push_str(FURTHER);
        }
        let cells = (0..columns).map(|column| record.cell(column));
        if csv_row(output, cells.chain([told.as_str()]).chain(further)).is_err() {
            let empty = std::iter::repeat_n("", columns);
            // Two thousand characters are never too large.
            let _ = csv_row(output, empty.chain([placed.as_str()]));
        }
    }
}
