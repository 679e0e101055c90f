//! Reading a table record by record from pieces of any size.
//!
//! Finding the end of a record is our own work, because neither `csv` nor `csv-core` does what resuming and bad files need:
//! offsets in UTF-16, a maximum length, and going on behind a quote that never closes. It runs over the file's own code units, in
//! which quotes, commas, semicolons, tabs and line breaks are always themselves. A whole record is then decoded, and `csv-core`
//! takes its cells apart.

use std::{borrow::Cow, mem};

use serde::{Deserialize, Serialize};

use crate::{
    bounds::{MAX_COLUMNS, MAX_RECORD_LENGTH},
    encoding::Encoding,
    record::{Record, RowError, unguarded},
};

/// How the cells of a record are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
    /// `|`
    Pipe,
}

impl Separator {
    /// All of them, the most usual first.
    pub const ALL: [Self; 4] = [Self::Comma, Self::Semicolon, Self::Tab, Self::Pipe];

    pub(crate) const fn sign(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }
}

/// A place between two records, at which reading can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// Number of the next row, as spreadsheet programs count.
    pub row: u64,
    /// Number of the next line, as text editors count.
    pub line: u64,
    /// Offset up to which a quote that never closes was searched for its end. Records that begin before are single lines.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lines_until: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Position {
    /// The beginning of a file.
    pub const START: Self = Self {
        offset: 0,
        row: 1,
        line: 1,
        lines_until: 0,
    };
}

/// The form of a table's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Encoding.
    pub encoding: Encoding,
    /// Separator.
    pub separator: Separator,
    /// Number of columns.
    pub columns: usize,
}

/// A record, or what is wrong with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A record with at most as many cells as the table has columns.
    Record(Record),
    /// A record that cannot be used.
    Broken(Broken),
}

/// A record that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// What could be read of it: up to 200 cells, with `\u{fffd}` for invalid characters; none of a record that is too long.
    pub record: Record,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is longer than [`MAX_RECORD_LENGTH`].
    #[error("The row has more than {} KB. Shorten it.", MAX_RECORD_LENGTH / 1024)]
    TooLong,
    /// A quoted cell does not end.
    #[error(
        "A cell begins with a quotation mark (\") and never ends with one. Close it, or remove the quotation mark."
    )]
    OpenQuote,
    /// A quoted cell goes on behind its end.
    #[error(
        "A cell has text behind its closing quotation mark. Double the quotation marks within the cell, or remove them."
    )]
    StrayQuote,
    /// The row follows a quote that never closes, and may be the rest of another row's cell: it has fewer cells than the table,
    /// or quotes within them.
    #[error("The row follows a row with an open quotation mark and may be a part of it. Check both.")]
    AfterOpenQuote,
    /// It has bytes that are no characters in the file's encoding.
    #[error("The row has invalid characters, probably because its text comes from another program. Write them again.")]
    Undecodable,
    /// It has a character that no text has.
    #[error("The row has NUL characters, which no text has. Remove them, or write the row again.")]
    Nul,
    /// It has more cells than the table.
    #[error(
        "The row has more cells than the table has columns. Put cells with separators or quotation marks into quotation marks."
    )]
    ExtraCells,
    /// It has more cells than any table.
    #[error("The row has more than {MAX_COLUMNS} cells. Remove some.")]
    TooManyCells,
}

impl Broken {
    /// The problem as an error of the row.
    pub fn error(&self) -> RowError {
        RowError {
            row: self.record.row,
            column: None,
            detail: self.problem.to_string(),
        }
    }
}

/// Place within a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the beginning of a cell.
    Cell,
    /// Behind this many bytes of UTF-8's byte order mark at the beginning of a cell. Files that were put together have it.
    Mark(u8),
    /// In a cell without quotes.
    Plain,
    /// In a cell with quotes.
    Quoted,
    /// Behind a quote in a cell with quotes: its end, or the first of two that stand for one.
    Quote,
    /// Behind such an end and spaces.
    Closed,
}

/// A reader of a table's records. It keeps at most two records of the maximum length.
///
/// ```text
/// let mut reader = Reader::new(form, position);
/// for each piece of the file from position.offset on {
///     while let Some(item) = reader.read(&mut piece) { … reader.position() … }
/// }
/// while let Some(item) = reader.finish() { … }
/// ```
#[derive(Debug)]
pub struct Reader {
    form: Form,
    cells: csv_core::Reader,
    /// Beginning of the current record.
    at: Position,
    place: Place,
    /// Bytes of the current record; none if it is too long.
    record: Vec<u8>,
    /// Its length in bytes so far.
    length: u64,
    /// Its line breaks so far.
    breaks: u64,
    too_long: bool,
    /// Whether the last unit was a CR, to which an LF belongs.
    after_cr: bool,
    /// Whether the record has ended, except for such an LF.
    ended: Option<Quotes>,
    /// Length behind the first line break in the last quoted cell, and the line breaks until then.
    first_break: Option<(usize, u64)>,
    /// Whether there was text behind the end of a quoted cell.
    stray: bool,
    /// Bytes that are read again, before any others.
    again: Vec<u8>,
    again_from: usize,
    /// The next unit, as far as it is there.
    unit: [u8; 2],
    unit_length: usize,
}

/// Whether the quotes of a record are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Closed,
    Open,
}

const QUOTE: u16 = b'"' as u16;
const CR: u16 = b'\r' as u16;
const LF: u16 = b'\n' as u16;
const SPACE: u16 = b' ' as u16;

impl Reader {
    /// A reader that starts at this position. The first piece that it is given begins there.
    pub fn new(form: Form, position: Position) -> Self {
        let cells = csv_core::ReaderBuilder::new().delimiter(form.separator.sign()).build();
        Self {
            form,
            cells,
            at: position,
            place: Place::Cell,
            record: Vec::new(),
            length: 0,
            breaks: 0,
            too_long: false,
            after_cr: false,
            ended: None,
            first_break: None,
            stray: false,
            again: Vec::new(),
            again_from: 0,
            unit: [0; 2],
            unit_length: 0,
        }
    }

    /// The place behind the last record.
    pub fn position(&self) -> Position {
        self.at
    }

    /// Bytes that the reader keeps.
    pub fn kept(&self) -> usize {
        self.record.len() + (self.again.len() - self.again_from) + self.unit_length
    }

    /// The next record. Takes bytes from the beginning of `piece`; none left: give the next one.
    pub fn read(&mut self, piece: &mut &[u8]) -> Option<Item> {
        loop {
            let unit = self.peek(piece)?;
            if let Some(quotes) = self.ended {
                if self.after_cr && unit == LF {
                    self.take();
                }
                match self.end_record(quotes) {
                    None => continue,
                    item => return item,
                }
            }
            if !self.too_long && self.record.len() + self.form.encoding.width() > MAX_RECORD_LENGTH {
                if let Some(item) = self.overflow() {
                    return Some(item);
                }
                continue;
            }
            self.take();
            self.step(unit);
            // Text behind the end of a quoted cell of several lines: the quote at its beginning was never closed, and the one at
            // its end begins another cell.
            if let Some(first) = self.first_break.filter(|_| self.stray) {
                return self.recover(first);
            }
            // An LF alone needs no look at the next unit.
            if let Some(quotes) = self.ended.filter(|_| !self.after_cr) {
                match self.end_record(quotes) {
                    None => {}
                    item => return item,
                }
            }
        }
    }

    /// The next of the last records, after the last piece. None: the table ends.
    pub fn finish(&mut self) -> Option<Item> {
        loop {
            // What is read again comes first, and may end in the middle of a unit.
            if let Some(item) = self.read(&mut &[][..]) {
                return Some(item);
            }
            if self.ended.is_none() && self.unit_length > 0 {
                // Half a unit is an invalid character of the last record.
                let half = self.unit_length;
                if !self.too_long {
                    self.record.extend_from_slice(&self.unit[..half]);
                }
                self.length += half as u64;
                self.unit_length = 0;
            }
            if self.length == 0 {
                return None;
            }
            let open = self.place == Place::Quoted;
            let item = match (self.ended, self.first_break) {
                (Some(quotes), _) => self.end_record(quotes),
                (None, Some(first)) if open => self.recover(first),
                (None, None) if open => self.end_record(Quotes::Open),
                (None, _) => self.end_record(Quotes::Closed),
            };
            if item.is_some() {
                return item;
            }
        }
    }

    /// The next unit, which stays the next one.
    fn peek(&mut self, piece: &mut &[u8]) -> Option<u16> {
        while self.unit_length < self.form.encoding.width() {
            let byte = if let Some(byte) = self.again.get(self.again_from) {
                self.again_from += 1;
                *byte
            } else {
                let (first, rest) = piece.split_first()?;
                *piece = rest;
                *first
            };
            self.unit[self.unit_length] = byte;
            self.unit_length += 1;
        }
        Some(self.form.encoding.unit(self.unit))
    }

    /// Adds the next unit to the record.
    fn take(&mut self) {
        let width = mem::take(&mut self.unit_length);
        if !self.too_long {
            self.record.extend_from_slice(&self.unit[..width]);
        }
        self.length += width as u64;
        self.unit = [0; 2];
    }

    /// Moves behind a unit, by the rules of `csv-core`: quotes count only at the beginning of a cell. It accepts text behind a closing
    /// quote, though, which joins two rows with an open quote each.
    fn step(&mut self, unit: u16) {
        let breaks = unit == CR || (unit == LF && !self.after_cr);
        self.breaks += u64::from(breaks);
        let line_feed_of_cr = unit == LF && self.after_cr;
        self.after_cr = unit == CR;
        let is_break = unit == CR || unit == LF;
        if self.too_long {
            self.ended = is_break.then_some(Quotes::Closed);
            return;
        }
        let separator = u16::from(self.form.separator.sign());
        let marked = |mark: u8| self.form.encoding == Encoding::UTF_8 && unit == u16::from(mark);
        self.place = match self.place {
            Place::Quoted if unit == QUOTE => Place::Quote,
            Place::Quoted => {
                if is_break && self.at.offset < self.at.lines_until {
                    self.ended = Some(Quotes::Open);
                } else if breaks && self.first_break.is_none() {
                    self.first_break = Some((self.record.len(), self.breaks));
                } else if let Some((first, _)) = &mut self.first_break
                    && line_feed_of_cr
                    && *first + self.form.encoding.width() == self.record.len()
                {
                    *first = self.record.len();
                }
                Place::Quoted
            }
            Place::Quote if unit == QUOTE => Place::Quoted,
            _ if is_break => {
                self.ended = Some(Quotes::Closed);
                Place::Cell
            }
            _ if unit == separator => Place::Cell,
            Place::Quote | Place::Closed if unit == SPACE => Place::Closed,
            Place::Quote | Place::Closed => {
                self.stray = true;
                Place::Plain
            }
            Place::Cell if unit == QUOTE => {
                self.first_break = None;
                Place::Quoted
            }
            // UTF-16 has the mark in one unit.
            Place::Cell if unit == 0xfeff => Place::Cell,
            Place::Cell if marked(0xef) => Place::Mark(1),
            Place::Mark(1) if marked(0xbb) => Place::Mark(2),
            Place::Mark(2) if marked(0xbf) => Place::Cell,
            Place::Cell | Place::Mark(_) | Place::Plain => Place::Plain,
        };
    }

    /// The record has the maximum length and has not ended.
    fn overflow(&mut self) -> Option<Item> {
        match self.first_break.filter(|_| self.place == Place::Quoted) {
            Some(first) => self.recover(first),
            None => {
                self.too_long = true;
                self.record.clear();
                self.place = Place::Plain;
                // A line break in quotes came before them all.
                self.after_cr = false;
                None
            }
        }
    }

    /// Ends the record at the first line break in its last quoted cell, and reads what follows again. As no quote is closed there,
    /// records are single lines until the end of what was read: otherwise, the same bytes might be read thousands of times.
    fn recover(&mut self, (length, breaks): (usize, u64)) -> Option<Item> {
        self.at.lines_until = self.at.offset + self.length;
        self.again.drain(..self.again_from);
        self.again_from = 0;
        let mut again = self.record.split_off(length);
        again.extend_from_slice(&self.unit[..self.unit_length]);
        again.append(&mut self.again);
        self.again = again;
        self.unit_length = 0;
        self.length = length as u64;
        self.breaks = breaks;
        self.end_record(Quotes::Open)
    }

    /// The record, unless it is blank. The next one begins.
    fn end_record(&mut self, quotes: Quotes) -> Option<Item> {
        let bytes = mem::take(&mut self.record);
        let too_long = mem::take(&mut self.too_long);
        let begun = self.at;
        self.at.offset += mem::take(&mut self.length);
        self.at.row += 1;
        self.at.line += mem::take(&mut self.breaks);
        if self.at.offset >= self.at.lines_until {
            self.at.lines_until = 0;
        }
        self.place = Place::Cell;
        self.ended = None;
        self.after_cr = false;
        self.first_break = None;
        let stray = mem::take(&mut self.stray);
        let item = if too_long {
            let record = Record::of(begun.row, begun.line, []);
            let problem = Problem::TooLong;
            Some(Item::Broken(Broken { record, problem }))
        } else {
            let problem = match quotes {
                Quotes::Open => Some(Problem::OpenQuote),
                Quotes::Closed => stray.then_some(Problem::StrayQuote),
            };
            self.item(&bytes, begun, problem)
        };
        // Its memory is used again.
        self.record = bytes;
        self.record.clear();
        item
    }

    fn item(&mut self, bytes: &[u8], begun: Position, quotes: Option<Problem>) -> Option<Item> {
        let decoded = self.form.encoding.decode(bytes);
        let undecodable = decoded.is_none();
        let text = decoded.unwrap_or_else(|| self.form.encoding.decode_anyway(bytes));
        let text = text.trim_end_matches(['\r', '\n']);
        let (mut record, wrong) = if text.contains('\u{feff}') {
            self.record(&text.replace('\u{feff}', ""), begun)
        } else {
            self.record(text, begun)
        };
        let columns = self.form.columns;
        let extra = record.cells().skip(columns).any(|cell| !cell.trim().is_empty());
        let problem = if undecodable {
            Some(Problem::Undecodable)
        } else if text.contains('\0') {
            Some(Problem::Nul)
        } else if quotes.is_some() {
            quotes
        } else if wrong.is_some() {
            wrong
        } else if record.is_blank() {
            return None;
        } else if extra {
            Some(Problem::ExtraCells)
        } else if begun.lines_until > 0 && (record.len() < columns || text.contains('"')) {
            Some(Problem::AfterOpenQuote)
        } else {
            record.truncate(columns);
            None
        };
        Some(match problem {
            Some(problem) => Item::Broken(Broken { record, problem }),
            None => Item::Record(record),
        })
    }

    /// The cells of a record's text, up to [`MAX_COLUMNS`], and the problem if these are not all.
    fn record(&mut self, text: &str, begun: Position) -> (Record, Option<Problem>) {
        self.cells.reset();
        // Cells are never longer than their text.
        let mut output = vec![0; text.len() + 1];
        let mut ends = [0; MAX_COLUMNS + 1];
        let (mut read, mut written, mut cells) = (0, 0, 0);
        loop {
            let (result, taken, put, ended) =
                self.cells
                    .read_record(&text.as_bytes()[read..], &mut output[written..], &mut ends[cells..]);
            read += taken;
            written += put;
            cells += ended;
            if result != csv_core::ReadRecordResult::InputEmpty {
                break;
            }
        }
        let wrong = if cells > MAX_COLUMNS {
            Some(Problem::TooManyCells)
        } else {
            // Removing byte order marks can move a quote to the beginning of a cell, or behind another one.
            (read < text.len()).then_some(Problem::OpenQuote)
        };
        // Separators and quotes are ASCII, so no character is cut.
        let output = String::from_utf8_lossy(&output[..written]);
        let starts = [0].into_iter().chain(ends);
        let bounds = starts.zip(ends).take(cells.min(MAX_COLUMNS));
        let cells = bounds.map(|(start, end)| unguarded(output.get(start..end).unwrap_or_default()));
        let cells: Vec<Cow<'_, str>> = cells.collect();
        (
            Record::of(begun.row, begun.line, cells.iter().map(|cell| &**cell)),
            wrong,
        )
    }
}
