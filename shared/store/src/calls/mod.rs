//! Calls: their reports until the decision, the decided calls, and how long they are retained.

mod call;
mod retention;

pub(crate) use call::{PROGRESS_LIFE, call_row, progress_key, progress_row};
