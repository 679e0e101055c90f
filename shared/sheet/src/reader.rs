//! Reading a table record by record from pieces of any size.
//!
//! Lines are found in the file's own code units, where line breaks are always themselves, so each position is an offset
//! in the file. A line is decoded once and given to `csv-core`, which says where the cells and the record end. Cards of
//! address books are records, too: [`crate::cards`].

use std::mem;

use serde::{Deserialize, Serialize};

use crate::bounds::{MAX_COLUMNS, MAX_RECORD_LENGTH};
use crate::cards::Cards;
use crate::encoding::Encoding;
use crate::item::line_end;
pub use crate::item::{Broken, Item, Position, Problem};
use crate::record::{Record, unguard_formulas};

/// How the cells of a record are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Separator {
    /// `,`
    Comma = b',',
    /// `;`
    Semicolon = b';',
    /// A tab.
    Tab = b'\t',
    /// `|`
    Pipe = b'|',
}

impl Separator {
    /// All of them, the most usual first.
    pub const ALL: [Self; 4] = [Self::Comma, Self::Semicolon, Self::Tab, Self::Pipe];

    pub(crate) const fn sign(self) -> u8 {
        self as u8
    }
}

/// The form of a table's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Encoding.
    pub encoding: Encoding,
    /// Separator. None: they are cards.
    pub separator: Option<Separator>,
    /// Number of columns.
    pub columns: usize,
}

impl Form {
    /// The form of a table of any width.
    pub(crate) fn widest(encoding: Encoding, separator: Separator) -> Self {
        Self {
            encoding,
            separator: Some(separator),
            columns: MAX_COLUMNS,
        }
    }
}

/// A reader of records. It keeps at most a record of the maximum length, decoded.
///
/// ```text
/// let mut reader = Reader::new(form, position);
/// for each piece of the file from position.offset on {
///     while let Some(item) = reader.read(&mut piece) { … reader.position() … }
/// }
/// while let Some(item) = reader.finish() { … }
/// ```
#[derive(Debug)]
pub struct Reader(Records);

#[derive(Debug)]
enum Records {
    Rows(Box<Rows>),
    Cards(Box<Cards>),
}

impl Reader {
    /// A reader that starts at this position. The first piece that it is given begins there.
    pub fn new(form: Form, position: Position) -> Self {
        Self(match form.separator {
            Some(separator) => Records::Rows(Box::new(Rows::new(form, separator, position))),
            None => Records::Cards(Box::new(Cards::new(form.encoding, position))),
        })
    }

    /// The place behind the last record, or before the damaged one.
    pub fn position(&self) -> Position {
        match &self.0 {
            Records::Rows(rows) => rows.at,
            Records::Cards(cards) => cards.position(),
        }
    }

    /// Bytes of the file that the reader keeps.
    pub fn kept_length(&self) -> usize {
        match &self.0 {
            Records::Rows(rows) => rows.kept_length(),
            Records::Cards(cards) => cards.kept_length(),
        }
    }

    /// The next record. Takes bytes from the beginning of `piece`; none left: give the next one.
    pub fn read(&mut self, piece: &mut &[u8]) -> Option<Item> {
        match &mut self.0 {
            Records::Rows(rows) => rows.read(piece),
            Records::Cards(cards) => cards.read(piece),
        }
    }

    /// The next of the last records, after the last piece. None: the table ends.
    pub fn finish(&mut self) -> Option<Item> {
        match &mut self.0 {
            Records::Rows(rows) => rows.finish(),
            Records::Cards(cards) => cards.finish(),
        }
    }
}

/// A reader of a table's rows.
#[derive(Debug)]
struct Rows {
    form: Form,
    separator: Separator,
    csv: csv_core::Reader,
    /// Beginning of the current record.
    at: Position,
    /// Bytes behind the last whole line.
    ahead: Vec<u8>,
    /// Length of the current record's lines so far, in bytes of the file.
    length: usize,
    /// Number of these lines so far.
    lines: u64,
    /// Bytes that were left out of a row that is too long; 0 if it is not.
    left_out: u64,
    /// The cells so far.
    cells: Vec<String>,
    /// The next cell so far, without its quotes.
    cell: Vec<u8>,
    /// The cell as it is in the table.
    open: String,
    problem: Option<Problem>,
    /// Whether the table is damaged here.
    damaged: bool,
}

impl Rows {
    fn new(form: Form, separator: Separator, position: Position) -> Self {
        Self {
            form,
            separator,
            csv: csv_core::ReaderBuilder::new().delimiter(separator.sign()).build(),
            at: position,
            ahead: Vec::new(),
            length: 0,
            lines: 0,
            left_out: 0,
            cells: Vec::new(),
            cell: Vec::new(),
            open: String::new(),
            problem: None,
            damaged: false,
        }
    }

    fn kept_length(&self) -> usize {
        self.length + self.ahead.len()
    }

    fn read(&mut self, piece: &mut &[u8]) -> Option<Item> {
        let width = self.form.encoding.width();
        if self.damaged {
            *piece = &[];
        }
        while let Some((byte, rest)) = piece.split_first() {
            *piece = rest;
            self.ahead.push(*byte);
            let item = match line_end(self.form.encoding, &self.ahead) {
                Some(end) => self.line(end),
                None if self.kept_length() <= MAX_RECORD_LENGTH => None,
                // The row is too long. The last unit may be a CR.
                None => {
                    let skipped = self.ahead.len() - width - self.ahead.len() % width;
                    if self.left_out == 0 && !self.open.is_empty() {
                        self.take_beginning(skipped);
                    }
                    self.ahead.drain(..skipped);
                    self.left_out += skipped as u64;
                    None
                }
            };
            if item.is_some() {
                return item;
            }
        }
        None
    }

    fn finish(&mut self) -> Option<Item> {
        if self.damaged || self.kept_length() == 0 {
            return None;
        }
        let last = (!self.ahead.is_empty()).then(|| self.line(self.ahead.len()));
        match last.flatten() {
            None if self.length > 0 => self.record(Some(Problem::OpenQuote)),
            item => item,
        }
    }

    /// Takes the next line, and gives the record that it ends.
    fn line(&mut self, length: usize) -> Option<Item> {
        let bytes: Vec<u8> = self.ahead.drain(..length).collect();
        self.length += length;
        self.lines += 1;
        if self.left_out > 0 {
            return self.too_long();
        }
        let (text, invalid) = self.form.encoding.decode(&bytes);
        // Files that were put together have byte order marks anywhere.
        let mut text = text.replace('\u{feff}', "");
        if !text.ends_with(['\r', '\n']) {
            text.push('\n');
        }
        if text.contains('\0') {
            self.note(Problem::Nul);
        }
        if invalid {
            self.note(Problem::Undecodable);
        }
        let is_blank = self.lines == 1 && text.starts_with(['\r', '\n']);
        let ended = is_blank || self.take(&text);
        if !ended && self.length >= MAX_RECORD_LENGTH {
            self.note(Problem::OpenQuote);
        }
        if ended || self.problem.is_some_and(Problem::is_damage) {
            return self.record(None);
        }
        None
    }

    /// Takes the beginning of a line that is left out: it may close the cell that is open.
    fn take_beginning(&mut self, length: usize) {
        let line = &self.ahead[..length];
        let text = self.form.encoding.decode(line).0.replace('\u{feff}', "");
        // Nothing would be the end of the table.
        if !text.is_empty() {
            self.take(&text);
        }
    }

    /// Ends a record that is too long. Its quote is open if a cell of several lines did not end before what is left out.
    fn too_long(&mut self) -> Option<Item> {
        let lines = self.open.contains(['\r', '\n']);
        if lines && stray(&self.open, self.separator).is_some() {
            return self.record(Some(Problem::OpenQuote));
        }
        self.cells.clear();
        self.cell.clear();
        self.open.clear();
        self.problem = self.problem.filter(|before| before.is_damage());
        self.record(Some(Problem::TooLong))
    }

    /// Notes the first problem of the record. Damage counts more than others.
    fn note(&mut self, problem: Problem) {
        let before = self.problem.filter(|before| before.is_damage() || !problem.is_damage());
        self.problem = before.or(Some(problem));
    }

    /// Takes the cells of a line. Whether the record ends with it.
    fn take(&mut self, text: &str) -> bool {
        let mut rest = text;
        // Cells are never longer than their text.
        let mut buffer = vec![0; text.len()];
        loop {
            let (result, taken, written) = self.csv.read_field(rest.as_bytes(), &mut buffer);
            self.cell.extend_from_slice(&buffer[..written]);
            let (cell, behind) = rest.split_at(taken);
            self.open.push_str(cell);
            rest = behind;
            let csv_core::ReadFieldResult::Field { record_end } = result else {
                return false;
            };
            self.end_cell();
            if record_end {
                return true;
            }
        }
    }

    fn end_cell(&mut self) {
        let cell = mem::take(&mut self.cell);
        // A single cell too many is enough.
        if self.cells.len() <= MAX_COLUMNS {
            self.cells
                .push(unguard_formulas(&String::from_utf8_lossy(&cell)).into_owned());
        }
        if let Some(problem) = stray(&mem::take(&mut self.open), self.separator) {
            self.note(problem);
        }
    }

    /// Ends the record. None: it is blank.
    fn record(&mut self, problem: Option<Problem>) -> Option<Item> {
        if let Some(problem) = problem {
            self.note(problem);
        }
        if !self.open.is_empty() {
            self.end_cell();
        }
        let mut cells = mem::take(&mut self.cells);
        let too_many = cells.len() > MAX_COLUMNS;
        cells.truncate(MAX_COLUMNS);
        let mut further = cells.iter().skip(self.form.columns);
        let extra = further.any(|cell| !cell.trim().is_empty());
        let mut record = Record::of(self.at.row, self.at.line, cells);
        let problem = match self.problem.take() {
            None if too_many => Some(Problem::TooManyCells),
            None if extra => Some(Problem::ExtraCells),
            problem => problem,
        };
        self.damaged = problem.is_some_and(Problem::is_damage);
        if !self.damaged {
            self.at.offset += self.length as u64 + self.left_out;
            self.at.row += 1;
            self.at.line += self.lines;
        }
        self.csv.reset();
        (self.length, self.lines, self.left_out) = (0, 0, 0);
        match problem {
            Some(problem) => Some(Err(Broken { record, problem })),
            None if record.is_blank() => None,
            None => {
                record.truncate(self.form.columns);
                Some(Ok(record))
            }
        }
    }
}

/// The records of a file's beginning.
pub(crate) struct Items<'a> {
    pub(crate) reader: Reader,
    rest: &'a [u8],
    whole: bool,
}

impl<'a> Items<'a> {
    /// The records from a position on. The last record of a part of a file is cut, so it is none.
    pub(crate) fn new(form: Form, from: Position, sample: &'a [u8], whole: bool) -> Self {
        let begin = usize::try_from(from.offset).unwrap_or(usize::MAX);
        Self {
            reader: Reader::new(form, from),
            rest: sample.get(begin..).unwrap_or_default(),
            whole,
        }
    }
}

impl Iterator for Items<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        match self.reader.read(&mut self.rest) {
            None if self.whole => self.reader.finish(),
            item => item,
        }
    }
}

/// The fault of a cell that has text after its closing quote. In a cell of several lines, this is a quote that opens
/// another cell: the first one was never closed.
fn stray(cell: &str, separator: Separator) -> Option<Problem> {
    let inner = cell.strip_prefix('"')?;
    let inner = inner.trim_end_matches([char::from(separator.sign()), '\r', '\n', ' ']);
    let is_whole = |inner: &str| !inner.replace("\"\"", "").contains('"');
    match inner.strip_suffix('"') {
        Some(inner) if is_whole(inner) => None,
        _ if inner.contains(['\r', '\n']) => Some(Problem::OpenQuote),
        _ => Some(Problem::StrayQuote),
    }
}
