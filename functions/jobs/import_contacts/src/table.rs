//! The uploaded table: its rows, read in pieces from the bucket.

use kit::files::Piece;
use kit::{FileKey, Files, JobError};
use sheet::bounds::SAMPLE;
use sheet::dialect::Dialect;
use sheet::reader::{Item, Position, Reader};

/// Length of a piece: one request.
const PIECE: u64 = 512 * 1024;

/// Bytes that are read at a time. All of them may be blank rows, which take a small machine a good part of a second.
const STRETCH: usize = 64 * 1024;

/// The uploaded file, as long as it has the content that the import was started with.
#[derive(Clone)]
pub(crate) struct Upload<'a> {
    pub(crate) files: &'a Files,
    pub(crate) key: FileKey,
    pub(crate) etag: &'a str,
    pub(crate) size: u64,
}

impl Upload<'_> {
    /// The table's beginning, for the detection of its dialect; `None` if it is gone or changed.
    pub(crate) async fn sample(&self) -> Result<Option<Vec<u8>>, JobError> {
        Ok(match self.files.piece(&self.key, self.etag, 0, SAMPLE as u64).await? {
            Piece::Bytes(bytes) => Some(bytes),
            Piece::Changed => None,
        })
    }
}

pub(crate) enum Next {
    Row(Item),
    /// None yet: the next one is further on, behind blank rows perhaps.
    Further,
    /// There are no more.
    End,
    /// The file is gone or has changed.
    Changed,
}

/// The rows of a table from a position on.
pub(crate) struct Table<'a> {
    upload: Upload<'a>,
    reader: Reader,
    piece: Vec<u8>,
    /// Bytes of the piece that have been read.
    used: usize,
    /// Offset behind the piece.
    offset: u64,
}

impl<'a> Table<'a> {
    pub(crate) fn new(upload: Upload<'a>, dialect: &Dialect, from: Option<Position>) -> Self {
        let reader = dialect.reader(from);
        Self {
            upload,
            offset: reader.position().offset,
            reader,
            piece: Vec::new(),
            used: 0,
        }
    }

    /// The place behind the last row.
    pub(crate) fn position(&self) -> Position {
        self.reader.position()
    }

    /// The next row, unless there is none in the next stretch of the file.
    pub(crate) async fn next(&mut self) -> Result<Next, JobError> {
        let rest = self.piece.get(self.used..).unwrap_or_default();
        let mut stretch = &rest[..rest.len().min(STRETCH)];
        let length = stretch.len();
        let found = self.reader.read(&mut stretch);
        self.used += length - stretch.len();
        if let Some(item) = found {
            return Ok(Next::Row(item));
        }
        if self.used < self.piece.len() {
            return Ok(Next::Further);
        }
        let Upload { files, key, etag, size } = &self.upload;
        if self.offset >= *size {
            return Ok(self.reader.finish().map_or(Next::End, Next::Row));
        }
        let length = PIECE.min(size - self.offset);
        Ok(match files.piece(key, etag, self.offset, length).await? {
            Piece::Bytes(bytes) if !bytes.is_empty() => {
                self.offset += bytes.len() as u64;
                (self.piece, self.used) = (bytes, 0);
                Next::Further
            }
            Piece::Bytes(_) | Piece::Changed => Next::Changed,
        })
    }
}
