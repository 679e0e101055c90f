//! Tables of lines by calling code, the first field of each line. Only the lines of the numbers' own countries are read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

const MAX_CODE_LENGTH: usize = 3;

/// A table with the entries of the codes that the process has met, also of those that it lacks: the first digits of
/// longer ones. At most 999 codes.
pub(crate) struct ByCode<T> {
    lines: &'static str,
    read: fn(&'static str) -> Option<T>,
    known: Mutex<BTreeMap<u16, Option<Arc<[T]>>>>,
}

impl<T> ByCode<T> {
    /// A table of these lines, whose fields are separated by tabs.
    pub(crate) const fn new(lines: &'static str, read: fn(&'static str) -> Option<T>) -> Self {
        Self {
            lines,
            read,
            known: Mutex::new(BTreeMap::new()),
        }
    }

    /// The calling code of a number's digits, the other digits, and the entries of the code in their order; `None` if no country has the code.
    pub(crate) fn of<'a>(&self, digits: &'a str) -> Option<(&'a str, &'a str, Arc<[T]>)> {
        let codes = (1..=MAX_CODE_LENGTH).filter_map(|length| digits.split_at_checked(length));
        codes
            .into_iter()
            .find_map(|(code, own)| Some((code, own, self.entries(code)?)))
    }

    fn entries(&self, code: &str) -> Option<Arc<[T]>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || {
            let own = |line: &&'static str| line.split('\t').next() == Some(code);
            let mut lines = self.lines.lines().filter(own).peekable();
            lines.peek()?;
            Some(lines.filter_map(self.read).collect())
        };
        known.entry(code.parse().ok()?).or_insert_with(read).clone()
    }
}
