//! Detecting how a table is written: encoding, separator, header.

use std::collections::BTreeMap;

use domain::base::text::quotable;
use serde::{Deserialize, Serialize};

use crate::{
    bounds::{MAX_COLUMNS, MAX_NAME_LENGTH, MAX_RECORD_LENGTH, SAMPLE},
    cell::is_a_value,
    encoding::Encoding,
    reader::{Form, Item, Position, Problem, Reader, Separator},
    record::Record,
    words::meaning,
};

/// How a table is written. Detected once and stored with the import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    /// Encoding.
    pub encoding: Encoding,
    /// Separator.
    pub separator: Separator,
    /// Number of columns.
    pub columns: usize,
    /// Names of the columns, shortened. Empty: the table has no header.
    pub header: Vec<String>,
    /// Position of the first record behind the header.
    pub first: Position,
}

/// What is known before the detection. Nothing of it is detected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "KnownTable"))]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Encoding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// Separator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<Separator>,
    /// Whether the first row has the names of the columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
}

/// Reason why a file cannot be read as a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotATable {
    /// It has no rows.
    #[error("The file is empty. Export the table again.")]
    Empty,
    /// It is a workbook of Excel or another spreadsheet program.
    #[error("The file is a workbook, not a CSV file. Open it in a spreadsheet program and save it as “CSV UTF-8”.")]
    Workbook,
    /// It is no text.
    #[error("The file is not a text. Save the table as “CSV UTF-8” in a spreadsheet program.")]
    NoText,
    /// Its first row is longer than a row may be.
    #[error("The first row has more than {} KB. Check that the file is a table with line breaks.", MAX_RECORD_LENGTH / 1024)]
    FirstRowTooLong,
    /// Its first row cannot be read.
    #[error(
        "The first row cannot be read: it has invalid characters or a quotation mark that is not closed. Correct it."
    )]
    FirstRowBroken,
    /// It has too many columns.
    #[error("The table has more than {MAX_COLUMNS} columns. Remove those that are not needed.")]
    TooManyColumns,
}

impl Dialect {
    /// The form of the records.
    pub fn form(&self) -> Form {
        Form {
            encoding: self.encoding,
            separator: self.separator,
            columns: self.columns,
        }
    }

    /// A reader that starts at the first record, or at a later position.
    pub fn reader(&self, position: Option<Position>) -> Reader {
        Reader::new(self.form(), position.unwrap_or(self.first))
    }

    /// The name of a column in sentences and files: its header, or "Column C".
    pub fn name(&self, column: usize) -> String {
        let named = self.header.get(column).map(|name| quotable(name));
        let named = named.filter(|name| !name.trim().is_empty());
        named.unwrap_or_else(|| format!("Column {}", letters(column)))
    }
}

/// The letters of a column in spreadsheet programs: A to Z, AA, AB, and so on.
fn letters(column: usize) -> String {
    let mut letters = String::new();
    let mut rest = column + 1;
    while rest > 0 {
        let letter = (rest - 1) % 26;
        letters.insert(0, char::from(b'A' + u8::try_from(letter).unwrap_or_default()));
        rest = (rest - 1) / 26;
    }
    letters
}

/// Detects how a table is written from its beginning, of which [`SAMPLE`] bytes count. `whole` says whether this is the whole
/// file; `region` is the ISO 3166 code of the country that it probably comes from.
///
/// # Errors
/// If the file is no table.
pub fn detect(sample: &[u8], whole: bool, region: Option<&str>, known: &Known) -> Result<Dialect, NotATable> {
    let whole = whole && sample.len() <= SAMPLE;
    let sample = &sample[..sample.len().min(SAMPLE)];
    // Zip, which workbooks are; the older form of workbooks; PDF, gzip, PNG.
    if [&b"PK\x03\x04"[..], b"\xd0\xcf\x11\xe0"]
        .iter()
        .any(|magic| sample.starts_with(magic))
    {
        return Err(NotATable::Workbook);
    }
    if [&b"%PDF"[..], b"\x1f\x8b", b"\x89PNG"]
        .iter()
        .any(|magic| sample.starts_with(magic))
    {
        return Err(NotATable::NoText);
    }
    let mark = Encoding::by_mark(sample);
    let marked = mark.map_or(0, |(_, length)| length);
    let guessed = || mark.map_or_else(|| Encoding::guess(sample, whole, region), |(encoding, _)| encoding);
    let encoding = known.encoding.unwrap_or_else(guessed);
    let nuls = sample.iter().filter(|byte| **byte == 0).count();
    if encoding.width() == 1 && nuls > sample.len() / 10 {
        return Err(NotATable::NoText);
    }
    let mut start = Position {
        offset: marked as u64,
        ..Position::START
    };
    let told = separator_line(sample, encoding, &mut start);
    let separator = known.separator.or(told);
    let usable = |separator: &Separator| !(encoding.hides_pipes() && *separator == Separator::Pipe);
    let candidates = Separator::ALL.into_iter().filter(usable);
    let tables = candidates
        .filter(|candidate| separator.is_none_or(|separator| separator == *candidate))
        .map(|separator| Table::read(sample, whole, encoding, separator, start));
    // Of equals, the first.
    let mut best: Option<Table> = None;
    for table in tables {
        if best.as_ref().is_none_or(|best| table.score() > best.score()) {
            best = Some(table);
        }
    }
    best.ok_or(NotATable::NoText)?.dialect(known.header)
}

/// Skips the line `sep=;`, by which Excel is told the separator.
fn separator_line(sample: &[u8], encoding: Encoding, start: &mut Position) -> Option<Separator> {
    let from = usize::try_from(start.offset).unwrap_or_default();
    let form = |separator| Form {
        encoding,
        separator,
        columns: MAX_COLUMNS,
    };
    Separator::ALL.into_iter().find(|separator| {
        // Read with another separator, the line has one cell.
        let other = if *separator == Separator::Comma {
            Separator::Pipe
        } else {
            Separator::Comma
        };
        let mut reader = Reader::new(form(other), *start);
        // It is short: a record of the whole sample would be read for nothing.
        let mut line = sample.get(from..sample.len().min(from + 32)).unwrap_or_default();
        let Some(Item::Record(record)) = reader.read(&mut line) else {
            return false;
        };
        let cell = record.cell(0);
        let told = cell.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("sep="));
        let fits = told && cell[4..].chars().eq([char::from(separator.sign())]);
        if fits {
            // Excel does not show the line, so it is no row.
            let position = reader.position();
            *start = Position { row: 1, ..position };
        }
        fits
    })
}

/// The sample, read with a separator.
struct Table {
    form: Form,
    /// The first records that are not blank, or what is wrong with them, with the position behind each.
    items: Vec<(Item, Position)>,
    /// Number of records by their number of cells.
    widths: BTreeMap<usize, usize>,
    start: Position,
    /// Whether the sample ends before its first record does.
    endless: bool,
}

/// Maximum records of a sample that are looked at.
const MAX_RECORDS: usize = 500;

impl Table {
    fn read(sample: &[u8], whole: bool, encoding: Encoding, separator: Separator, start: Position) -> Self {
        let form = Form {
            encoding,
            separator,
            columns: MAX_COLUMNS,
        };
        let mut reader = Reader::new(form, start);
        let from = usize::try_from(start.offset).unwrap_or_default();
        let mut rest = sample.get(from..).unwrap_or_default();
        let mut items = Vec::new();
        let mut widths = BTreeMap::new();
        while items.len() < MAX_RECORDS {
            let item = match reader.read(&mut rest) {
                None if whole => reader.finish(),
                item => item,
            };
            let Some(item) = item else { break };
            let width = match &item {
                Item::Record(record) => Some(record.len()),
                Item::Broken(broken) if broken.problem == Problem::TooManyCells => Some(MAX_COLUMNS + 1),
                Item::Broken(_) => None,
            };
            if let Some(width) = width {
                *widths.entry(width).or_default() += 1;
            }
            items.push((item, reader.position()));
        }
        let endless = items.is_empty() && !whole && reader.kept() > 0;
        Self {
            form,
            items,
            widths,
            start,
            endless,
        }
    }

    /// The most frequent number of cells, and the number of records that have it.
    fn usual(&self) -> (usize, usize) {
        let usual = self.widths.iter().max_by_key(|(width, records)| (**records, **width));
        usual.map_or((1, 0), |(width, records)| (*width, *records))
    }

    /// How much the records look like a table with this separator: the number of records with the same number of cells, of which
    /// there are at least two, then this number.
    fn score(&self) -> (usize, usize) {
        let (width, records) = self.usual();
        let first = self.items.first().map(|(item, _)| item);
        let alike = matches!(first, Some(Item::Record(record)) if record.len() == width);
        if width < 2 {
            (0, 0)
        } else {
            (records * 2 + usize::from(alike), width)
        }
    }

    fn dialect(self, header: Option<bool>) -> Result<Dialect, NotATable> {
        let (usual, _) = self.usual();
        let Form {
            encoding, separator, ..
        } = self.form;
        let first = match self.items.first() {
            None if self.endless => return Err(NotATable::FirstRowTooLong),
            None => return Err(NotATable::Empty),
            Some((Item::Record(record), _)) => record,
            Some((Item::Broken(broken), _)) => {
                return Err(match broken.problem {
                    Problem::TooLong => NotATable::FirstRowTooLong,
                    Problem::TooManyCells => NotATable::TooManyColumns,
                    _ => NotATable::FirstRowBroken,
                });
            }
        };
        if usual > MAX_COLUMNS {
            return Err(NotATable::TooManyColumns);
        }
        let has_header = header.unwrap_or_else(|| is_a_header(first));
        let header: Vec<String> = if has_header {
            first
                .cells()
                .map(|name| name.trim().chars().take(MAX_NAME_LENGTH).collect())
                .collect()
        } else {
            Vec::new()
        };
        let behind = self.items.first().map(|(_, behind)| *behind);
        Ok(Dialect {
            encoding,
            separator,
            columns: if has_header {
                header.len()
            } else {
                usual.max(first.len())
            },
            header,
            first: behind.filter(|_| has_header).unwrap_or(self.start),
        })
    }
}

/// Whether a record has the names of columns: texts that are all different, or words that tables begin with.
fn is_a_header(first: &Record) -> bool {
    let names: Vec<&str> = first.cells().map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.iter().any(|name| is_a_value(name)) {
        return false;
    }
    let known = names.iter().any(|name| meaning(name).is_some());
    let mut different: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
    different.sort();
    different.dedup();
    known || different.len() == names.len()
}
