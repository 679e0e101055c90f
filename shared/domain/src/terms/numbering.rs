//! Telephone numbers as people write them: `+971 50 123 4567`.
//!
//! The formats are those of Google's libphonenumber. A function that reads its whole database takes 7 MB more; of the formats alone, only
//! those of the numbers' own countries are read. They stand in `numbering.txt`, which `numbering.py` writes and checks.

use regex_lite::Regex;

use crate::terms::{ByCode, Phone};

/// A line per format: the country's calling code, how the number begins, its groups, and how they are written, separated by tabs. Of the
/// lines of a code, the first that fits counts. A code whose numbers are written without groups stands alone.
const FORMATS: &str = include_str!("numbering.txt");

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

static KNOWN: ByCode<Format> = ByCode::new(FORMATS, Format::read);

/// The calling code that begins these digits, if a country or a service has it.
pub(crate) fn calling_code(digits: &str) -> Option<&str> {
    KNOWN.of(digits).map(|(code, _, _)| code)
}

impl Phone {
    /// The number in international format, for people to read: `+971 50 123 4567`. A number of no known country stays as it is.
    pub fn international(&self) -> String {
        let Some((code, own, formats)) = KNOWN.of(self.digits()) else {
            return self.to_string();
        };
        let written = formats.iter().find_map(|format| format.write(own));
        format!("+{code} {}", written.as_deref().unwrap_or(own))
    }
}
