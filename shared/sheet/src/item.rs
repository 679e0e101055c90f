//! Items of a reader: records, those that cannot be used, and the places between them.

use domain::terms::{Fault, FaultCode};
use serde::{Deserialize, Serialize};

use crate::bounds::{MAX_COLUMNS, MAX_RECORD_LENGTH};
use crate::encoding::Encoding;
use crate::record::{Record, RowError};

pub(crate) const CR: u16 = b'\r' as u16;
pub(crate) const LF: u16 = b'\n' as u16;

/// A place between two records, where reading can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// Number of the next row, as spreadsheet programs count.
    pub row: u64,
    /// Number of the next line, as text editors count.
    pub line: u64,
}

impl Position {
    /// The beginning of a file.
    pub const START: Self = Self {
        offset: 0,
        row: 1,
        line: 1,
    };
}

/// A record with at most as many cells as the table has columns, or one that cannot be used.
pub type Item = Result<Record, Broken>;

/// A record that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The readable part: up to 200 cells, with `\u{fffd}` for invalid characters; none of a record that is too long.
    pub record: Record,
    pub problem: Problem,
}

/// A fault in a record.
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
    /// It has bytes that are no characters in the file's encoding.
    #[error(
        "The row has invalid characters. Its text comes from another program: write it again; or the file has another encoding: state it in `table.encoding`."
    )]
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
    /// A card is longer than [`MAX_RECORD_LENGTH`], pictures and what is not imported left out.
    #[error("The card has more than {} KB without its pictures. Shorten its notes.", MAX_RECORD_LENGTH / 1024)]
    LongCard,
    /// A card has no beginning.
    #[error("The card does not begin with BEGIN:VCARD, so a part of it may be missing. Export it again.")]
    NoBegin,
    /// A card has no end.
    #[error("The card does not end with END:VCARD, so a part of it may be missing. Export it again.")]
    NoEnd,
    /// A card is a list of people, or a place.
    #[error("The card is a list or a place, not a person. It is not imported.")]
    Nobody,
    /// A card has bytes that are no characters in its encoding.
    #[error("The card has invalid characters. Write it again, or state the file's encoding in `table.encoding`.")]
    StrangeCard,
}

impl Broken {
    /// The problem as an error of the row.
    pub fn error(&self) -> RowError {
        RowError::of_row(
            self.record.row,
            Fault::new(self.problem.code(), self.problem.to_string()),
        )
    }
}

impl Problem {
    const fn code(self) -> FaultCode {
        match self {
            Self::TooLong | Self::LongCard => FaultCode::TooLarge,
            Self::OpenQuote | Self::StrayQuote | Self::Undecodable | Self::Nul => FaultCode::Damaged,
            Self::NoBegin | Self::NoEnd | Self::StrangeCard => FaultCode::Damaged,
            Self::ExtraCells | Self::TooManyCells => FaultCode::MoreCells,
            Self::Nobody => FaultCode::NoPerson,
        }
    }

    /// Whether the file is damaged: what follows cannot be told from the rest of this row, or was written by another program or in
    /// another encoding. The reader gives no further records.
    pub fn is_damage(self) -> bool {
        matches!(self, Self::OpenQuote | Self::Undecodable)
    }
}

/// Length of the first line of these bytes, if it is whole: behind a CR, an LF may follow.
pub(crate) fn line_end(encoding: Encoding, ahead: &[u8]) -> Option<usize> {
    let width = encoding.width();
    if !ahead.len().is_multiple_of(width) {
        return None;
    }
    let mut units = ahead.rchunks(width).map(|unit| encoding.unit(unit));
    match (units.next()?, units.next()) {
        (LF, _) => Some(ahead.len()),
        (_, Some(CR)) => Some(ahead.len() - width),
        _ => None,
    }
}
