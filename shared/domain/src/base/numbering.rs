//! Telephone numbers as people write them: `+971 50 123 4567`.
//!
//! The formats are those of Google's libphonenumber. Its database takes 150 ms of a whole CPU to read, which is a second of a
//! function's first answer; of the formats alone, only those of the numbers' own countries are read. They stand in
//! `numbering.txt`, which a test compares with the database.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use regex_lite::Regex;

use crate::base::phone::Phone;

/// One line per format: the country's calling code, how the number begins, its groups, and how they are written, separated by
/// tabs. Of the lines of a code, the first that fits counts. A code whose numbers are written without groups stands alone.
const FORMATS: &str = include_str!("numbering.txt");

/// Longest calling code.
const MAX_CODE_LENGTH: usize = 3;

/// A format of a country's numbers.
struct Format {
    begins: Option<Regex>,
    groups: Regex,
    written: &'static str,
}

impl Format {
    fn read(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t').skip(1);
        let (begins, groups, written) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Self {
            begins: match begins {
                "" => None,
                begins => Some(Regex::new(&format!("^(?:{begins})")).ok()?),
            },
            groups: Regex::new(&format!("^(?:{groups})$")).ok()?,
            written,
        })
    }

    fn write(&self, digits: &str) -> Option<String> {
        let begins = self.begins.as_ref().is_none_or(|begins| begins.is_match(digits));
        (begins && self.groups.is_match(digits)).then(|| self.groups.replace(digits, self.written).into_owned())
    }
}

/// The formats of calling codes that the process has met. There are 215 codes.
static KNOWN: Mutex<BTreeMap<&'static str, Arc<[Format]>>> = Mutex::new(BTreeMap::new());

/// The formats of a calling code; `None` if no country has it.
fn formats(code: &str) -> Option<Arc<[Format]>> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(formats) = known.get(code) {
        return Some(Arc::clone(formats));
    }
    let own = |line: &&'static str| line.split('\t').next() == Some(code);
    let mut lines = FORMATS.lines().filter(own).peekable();
    let code = lines.peek()?.split('\t').next()?;
    let formats: Arc<[Format]> = lines.filter_map(Format::read).collect();
    known.insert(code, Arc::clone(&formats));
    Some(formats)
}

impl Phone {
    /// The number in international format, for people to read: `+971 50 123 4567`. A number of no known country stays as it is.
    pub fn international(&self) -> String {
        let digits = self.digits();
        let codes = (1..=MAX_CODE_LENGTH).filter_map(|length| digits.split_at_checked(length));
        let found = codes
            .into_iter()
            .find_map(|(code, own)| Some((code, own, formats(code)?)));
        let Some((code, own, formats)) = found else {
            return self.to_string();
        };
        let written = formats.iter().find_map(|format| format.write(own));
        format!("+{code} {}", written.as_deref().unwrap_or(own))
    }
}
