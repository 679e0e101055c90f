//! Detecting how a file is written: as a table, with its encoding, separator and header, or as cards of an address book.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::terms::{Fault, FaultCode, quotable};
use serde::{Deserialize, Serialize};

use crate::bounds::{MAX_COLUMNS, MAX_NAME_LENGTH, MAX_RECORD_LENGTH, SAMPLE};
use crate::cards;
use crate::cell::is_a_value;
use crate::encoding::Encoding;
use crate::reader::{Form, Item, Items, Position, Problem, Reader, Separator};
use crate::record::Record;
use crate::words::meaning;

/// How a table is written. Detected once and stored with the import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    /// Encoding.
    pub encoding: Encoding,
    /// Separator. None: the file has cards.
    pub separator: Option<Separator>,
    /// Number of columns.
    pub columns: usize,
    /// Names of the columns, shortened. Empty: the table has no header. Those of cards are ours.
    pub header: Vec<String>,
    /// Position of the first record behind the header.
    pub first: Position,
}

/// Kind of a file with contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ImportFormat"))]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A table, separated by commas or other signs.
    Csv,
    /// Cards of an address book: vCard 2.1, 3.0 or 4.0.
    Vcard,
}

/// Facts known before the detection, which does not detect them again.
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

impl NotATable {
    /// The reason as a fault of a field.
    pub fn fault(self) -> Fault {
        let code = match self {
            Self::Workbook => FaultCode::Workbook,
            Self::Empty | Self::NoText | Self::FirstRowBroken => FaultCode::Damaged,
            Self::FirstRowTooLong | Self::TooManyColumns => FaultCode::TooLarge,
        };
        Fault::new(code, self.to_string())
    }
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

    /// Kind of the file.
    pub fn format(&self) -> Format {
        self.separator.map_or(Format::Vcard, |_| Format::Csv)
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

    /// The column that says of what use the values of this one are: Google's "Phone 1 - Label" for "Phone 1 - Value", which older exports call
    /// "Phone 1 - Type".
    pub(crate) fn label(&self, column: usize) -> Option<usize> {
        let values = self.header.get(column)?.strip_suffix("Value")?;
        let is_label = |name: &String| matches!(name.strip_prefix(values), Some("Label" | "Type"));
        self.header.iter().position(is_label)
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

/// Detects how a table is written from its beginning: [`SAMPLE`] bytes of it count. `whole` says whether this is the
/// whole file; `region` is the ISO 3166 code of the country that it probably comes from.
///
/// # Errors
/// If the file is no table.
pub fn detect(sample: &[u8], whole: bool, region: Option<&str>, known: &Known) -> Result<Dialect, NotATable> {
    let whole = whole && sample.len() <= SAMPLE;
    let sample = &sample[..sample.len().min(SAMPLE)];
    let begins = |magics: &[&[u8]]| magics.iter().any(|magic| sample.starts_with(magic));
    // Zip, which workbooks are; the older form of workbooks; PDF, gzip, PNG.
    if begins(&[b"PK\x03\x04", b"\xd0\xcf\x11\xe0"]) {
        return Err(NotATable::Workbook);
    }
    if begins(&[b"%PDF", b"\x1f\x8b", b"\x89PNG"]) {
        return Err(NotATable::NoText);
    }
    let mark = Encoding::by_mark(sample);
    let marked = mark.map_or(0, |(_, length)| length);
    let cards = |encoding| cards::begin(&sample[marked..], encoding);
    // Letters of cards are often written as `=E9`.
    let read = || match cards(Encoding::UTF_8) {
        true => Cow::Owned(cards::decode_quoted_printable(sample)),
        false => Cow::Borrowed(sample),
    };
    let guessed = || mark.map_or_else(|| Encoding::guess(&read(), whole, region), |(encoding, _)| encoding);
    let encoding = known.encoding.unwrap_or_else(guessed);
    let nuls = sample.iter().filter(|byte| **byte == 0).count();
    if encoding.width() == 1 && nuls > sample.len() / 10 {
        return Err(NotATable::NoText);
    }
    let mut start = Position {
        offset: marked as u64,
        ..Position::START
    };
    if cards(encoding) {
        return Ok(Dialect {
            encoding,
            separator: None,
            columns: cards::COLUMNS.len(),
            header: cards::COLUMNS.map(str::to_owned).to_vec(),
            first: start,
        });
    }
    let told = separator_line(sample, encoding, &mut start);
    let separator = known.separator.or(told);
    let usable = |separator: &Separator| !(encoding.hides_pipes() && *separator == Separator::Pipe);
    let candidates = Separator::ALL.into_iter().filter(usable);
    let tables = candidates
        .filter(|candidate| separator.is_none_or(|separator| separator == *candidate))
        .map(|separator| Table::read(sample, whole, encoding, separator, start));
    // Of equals, the first.
    let best = tables.rev().max_by_key(Table::score);
    best.ok_or(NotATable::NoText)?.dialect(known.header)
}

/// Skips the line `sep=;`, which tells Excel the separator.
fn separator_line(sample: &[u8], encoding: Encoding, start: &mut Position) -> Option<Separator> {
    let from = usize::try_from(start.offset).unwrap_or_default();
    let form = Form::widest(encoding, Separator::Comma);
    // It is short: a record of the whole sample would be read for nothing.
    let mut items = Items::new(form, *start, &sample[..sample.len().min(from + 32)], false);
    let Some(Ok(record)) = items.next() else {
        return None;
    };
    let cells: Vec<&str> = record.cells().collect();
    let line = cells.join(",");
    let (begin, sign) = line.split_at_checked(4)?;
    let told =
        |separator: &Separator| begin.eq_ignore_ascii_case("sep=") && sign.chars().eq([char::from(separator.sign())]);
    let separator = Separator::ALL.into_iter().find(told)?;
    // Excel does not show the line, so it is no row.
    *start = Position {
        row: 1,
        ..items.reader.position()
    };
    Some(separator)
}

/// The sample, read with a separator.
struct Table {
    form: Form,
    /// The first record that is not blank, or what is wrong with it, and the position behind it.
    first: Option<(Item, Position)>,
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
        let form = Form::widest(encoding, separator);
        let mut items = Items::new(form, start, sample, whole);
        let first = items.next().map(|item| (item, items.reader.position()));
        let mut widths = BTreeMap::new();
        let known = first.iter().map(|(item, _)| item.clone());
        for item in known.chain(&mut items).take(MAX_RECORDS) {
            let width = match item {
                Ok(record) => record.len(),
                Err(broken) if broken.problem == Problem::TooManyCells => MAX_COLUMNS + 1,
                Err(_) => continue,
            };
            *widths.entry(width).or_default() += 1;
        }
        Self {
            form,
            endless: first.is_none() && !whole && items.reader.kept_length() > 0,
            first,
            widths,
            start,
        }
    }

    /// The most frequent number of cells, and the number of records that have it.
    fn usual(&self) -> (usize, usize) {
        let usual = self.widths.iter().max_by_key(|(width, records)| (**records, **width));
        usual.map_or((1, 0), |(width, records)| (*width, *records))
    }

    /// The likeness of the records to a table with this separator: the number of records with the same number of cells
    /// (at least two), then this number.
    fn score(&self) -> (usize, usize) {
        let (width, records) = self.usual();
        let alike = matches!(&self.first, Some((Ok(record), _)) if record.len() == width);
        if width < 2 {
            (0, 0)
        } else {
            (records * 2 + usize::from(alike), width)
        }
    }

    fn dialect(self, header: Option<bool>) -> Result<Dialect, NotATable> {
        let (usual, _) = self.usual();
        let (first, behind) = match &self.first {
            None if self.endless => return Err(NotATable::FirstRowTooLong),
            None => return Err(NotATable::Empty),
            Some((Ok(record), behind)) => (record, *behind),
            Some((Err(broken), _)) => {
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
        let shortened = |name: &str| -> String { name.trim().chars().take(MAX_NAME_LENGTH).collect() };
        let (columns, header, first) = if header.unwrap_or_else(|| is_a_header(first)) {
            (first.len(), first.cells().map(shortened).collect(), behind)
        } else {
            (usual.max(first.len()), Vec::new(), self.start)
        };
        Ok(Dialect {
            encoding: self.form.encoding,
            separator: self.form.separator,
            columns,
            header,
            first,
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
