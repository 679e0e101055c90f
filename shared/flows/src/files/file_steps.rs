//! Steps of operations that write pages of rows to a file.

use std::time::Duration;

use kit::{Clock, ConfigError, Env, Files, TimeLimit};
use store::Store;

/// Rows of a page.
const PAGE: i32 = 100;

/// Maximum time for reading pages in one step.
const WORK: Duration = Duration::from_secs(5);

/// Maximum bytes of pages read in one step.
const MAX_BYTES: usize = 6 * 1024 * 1024;

/// State of a function with such steps, created once per process.
pub struct FileSteps {
    pub store: Store,
    /// The bucket of the file.
    pub files: Files,
    pub clock: Clock,
    /// Maximum rows of a page.
    pub page: i32,
    most_bytes: usize,
}

impl FileSteps {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            files: Files::new(env)?,
            clock: env.clock().clone(),
            page: PAGE,
            most_bytes: MAX_BYTES,
        })
    }

    /// Makes steps of one page of this many rows, and files in parts of this many bytes. For tests.
    pub fn in_pages_of(self, page: i32, part: usize) -> Self {
        Self {
            files: self.files.in_parts_of(part),
            page,
            most_bytes: 1,
            ..self
        }
    }

    /// The limit of a step that begins now.
    pub fn limit(&self) -> StepLimit {
        StepLimit {
            time: TimeLimit::of(WORK),
            most_bytes: self.most_bytes,
        }
    }
}

/// Maximum that a step reads. Its last page may exceed it.
#[derive(Debug, Clone, Copy)]
pub struct StepLimit {
    time: TimeLimit,
    most_bytes: usize,
}

impl StepLimit {
    /// True if a step that has made this many bytes reads no further page.
    pub fn is_reached(self, bytes: usize) -> bool {
        bytes >= self.most_bytes || self.time.is_up()
    }
}
