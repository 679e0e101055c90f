//! Records of a table, and what is wrong with one.

use std::borrow::Cow;

use domain::terms::{Facts, Fault, FaultCode, quotable};
use serde::Serialize;

use crate::bounds::MAX_EXCERPT_LENGTH;

/// A record of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Number of the row as spreadsheet programs count: the header is row 1, and empty rows count.
    pub row: u64,
    /// Number of the record's first line, as text editors count.
    pub line: u64,
    cells: Vec<String>,
}

impl Record {
    /// A record of these cells.
    pub fn of(row: u64, line: u64, cells: impl IntoIterator<Item: Into<String>>) -> Self {
        let cells = cells.into_iter().map(Into::into).collect();
        Self { row, line, cells }
    }

    #[expect(clippy::len_without_is_empty, reason = "nobody asks whether there are none")]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// The cell of a column. Missing cells are empty.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    pub fn cells(&self) -> impl Iterator<Item = &str> {
        self.cells.iter().map(String::as_str)
    }

    /// Whether all cells are empty.
    pub fn is_blank(&self) -> bool {
        self.cells().all(|cell| cell.trim().is_empty())
    }

    /// Removes the cells from this column on.
    pub(crate) fn truncate(&mut self, columns: usize) {
        self.cells.truncate(columns);
    }
}

/// A fault of a row, in words for the person who uploaded it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RowError {
    /// Number of the row as spreadsheet programs count: the header is row 1, and empty rows count.
    #[cfg_attr(feature = "schema", schemars(example = 2))]
    pub row: u64,
    /// Name of the column. None: the whole row.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = &"Mobile"))]
    pub column: Option<String>,
    /// Kind of the fault, in a word: one of `x-codes` at the root of the document.
    #[cfg_attr(feature = "schema", schemars(with = "String", example = &"format"))]
    pub code: FaultCode,
    /// Facts of the sentence by name, for a sentence in another language. `x-codes` names those of each code.
    pub facts: Facts,
    /// Sentences that say what is wrong and what to do.
    #[cfg_attr(
        feature = "schema",
        schemars(example = &"“0/0/00” is not a date. Write it as 2026-11-20. The cell was left out.")
    )]
    pub detail: String,
}

impl RowError {
    /// An error of the whole row.
    pub fn of_row(row: u64, fault: impl Into<Fault>) -> Self {
        Self::of_cell(row, None, fault.into())
    }

    /// An error of a cell in the column of this name.
    pub(crate) fn of_cell(row: u64, column: Option<String>, fault: Fault) -> Self {
        let Fault { code, facts, detail } = fault;
        Self {
            row,
            column,
            code,
            facts,
            detail,
        }
    }
}

/// The value of a cell, without blanks around it. Programs write numbers as constants of a spreadsheet program, so that it keeps their zeros:
/// `="0501234567"`.
pub(crate) fn value(cell: &str) -> &str {
    let text = cell.trim().strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    text.filter(|text| !text.contains('"')).unwrap_or(cell).trim()
}

/// The beginning of a cell, for a sentence. Sentences are stored and shown, so they never hold more of a cell.
pub(crate) fn excerpt(cell: &str) -> String {
    let begin: String = cell.trim().chars().take(MAX_EXCERPT_LENGTH + 1).collect();
    let text = quotable(&begin);
    if text.chars().count() <= MAX_EXCERPT_LENGTH {
        return text;
    }
    text.chars().take(MAX_EXCERPT_LENGTH - 1).chain(['…']).collect()
}

/// Characters that begin a formula in a spreadsheet program, with their forms of full width.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// Characters that it skips before a formula, or ends a cell at.
const BEFORE_A_FORMULA: [char; 3] = ['\t', '\r', '\n'];
/// Characters that end a cell or row in a program with other settings. It splits a row at semicolons before it looks at
/// quotation marks, if these do not begin the row or follow a semicolon.
const BREAKS: [char; 4] = [';', '\t', '\r', '\n'];

/// Characters that may stand before a formula. With apostrophes among them, a guarded cell has its formulas where it had them before.
fn is_skipped(sign: char) -> bool {
    sign.is_whitespace() || matches!(sign, '\'' | '"')
}

/// Whether a spreadsheet program may take a cell for a formula, or for one that is guarded by apostrophes.
fn is_like_a_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(BEFORE_A_FORMULA)
        || cell.trim_start_matches(is_skipped).starts_with(FORMULA)
}

/// The places of a cell that need an apostrophe before them, in their order: its beginning, and formulas behind breaks.
fn formulas(cell: &str) -> impl Iterator<Item = usize> {
    let mut begins = false;
    let further = cell.char_indices().filter_map(move |(at, sign)| {
        let formula = (begins && FORMULA.contains(&sign)).then_some(at);
        begins = BREAKS.contains(&sign) || (begins && is_skipped(sign));
        formula
    });
    is_like_a_formula(cell).then_some(0).into_iter().chain(further)
}

/// The cell with apostrophes before what a spreadsheet program may take for a formula.
pub(crate) fn guard_formulas(cell: &str) -> Cow<'_, str> {
    let mut places = formulas(cell).peekable();
    if places.peek().is_none() {
        return Cow::Borrowed(cell);
    }
    let (mut text, mut from) = (String::with_capacity(cell.len() + 1), 0);
    for at in places {
        text.push_str(&cell[from..at]);
        text.push('\'');
        from = at;
    }
    text.push_str(&cell[from..]);
    Cow::Owned(text)
}

/// The cell without the apostrophes of [`guard_formulas`].
pub(crate) fn unguard_formulas(cell: &str) -> Cow<'_, str> {
    let guard = |at: usize| match at {
        0 => cell.starts_with('\'').then_some(0),
        at => cell[..at].ends_with('\'').then(|| at - 1),
    };
    let (mut text, mut from) = (String::new(), 0);
    for at in formulas(cell).filter_map(guard) {
        text.push_str(&cell[from..at]);
        from = at + 1;
    }
    if from == 0 {
        return Cow::Borrowed(cell);
    }
    text.push_str(&cell[from..]);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_cell_is_empty() {
        let record = Record::of(2, 2, ["a", "", "bc"]);
        assert_eq!(record.cells().collect::<Vec<_>>(), ["a", "", "bc"]);
        assert_eq!([2, 3, usize::MAX].map(|column| record.cell(column)), ["bc", "", ""]);
        let mut short = record;
        short.truncate(1);
        assert_eq!((short.len(), short.cell(0), short.cell(2)), (1, "a", ""));
    }

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        assert_eq!(excerpt(" a\nb "), "a b");
        let long = excerpt(&"é".repeat(41));
        assert_eq!(long.chars().count(), 40);
        assert!(long.ends_with('…'));
        assert_eq!(excerpt(&"é".repeat(40)).chars().count(), 40);
    }

    #[test]
    fn an_excerpt_does_not_reverse_its_sentence() {
        assert_eq!(excerpt("Maya\u{202e}ayaM"), "Maya ayaM");
        let long = excerpt(&format!("\u{2067}{}", "é".repeat(60)));
        assert_eq!(long, format!(" {}…", "é".repeat(38)));
        // Persian and emoji need some of the characters without width.
        for text in ["می\u{200c}خواهم", "👩\u{200d}🍳"] {
            assert_eq!(excerpt(text), text);
        }
    }

    #[test]
    fn formulas_are_known_behind_blanks_and_apostrophes() {
        for formula in "=1|+971501234567|-1|@a|\ta|\ra| =1|'=1|''+1|＝1|\"=1\"".split('|') {
            assert!(is_like_a_formula(formula), "{formula:?}");
        }
        for text in ["", "'", "a=1", "'t Hooft", "1-2", "a@b"] {
            assert!(!is_like_a_formula(text), "{text:?}");
            assert_eq!(unguard_formulas(text), text);
        }
        assert_eq!(unguard_formulas("'=1"), "=1");
        assert_eq!(unguard_formulas("''=1"), "'=1");
    }

    /// Where semicolons separate cells, a program splits the cell there.
    #[test]
    fn formulas_are_guarded_behind_other_separators() {
        for (cell, safe) in [
            ("x;=cmd|' /C calc'!A0", "x;'=cmd|' /C calc'!A0"),
            ("x; \"=1\"", "x; \"'=1\""),
            ("x\r\n-1\t@b", "x\r\n'-1\t'@b"),
            ("x\n-1", "x\n'-1"),
            ("x; +1", "x; '+1"),
            ("\n =1", "'\n '=1"),
            ("x;'+1", "x;''+1"),
            ("é;＝1;;=2", "é;'＝1;;'=2"),
            ("+971501234560; +971501234561", "'+971501234560; '+971501234561"),
        ] {
            assert_eq!(guard_formulas(cell), safe);
            assert_eq!(unguard_formulas(safe), cell);
        }
        for text in ["x;1=1", "a, =1", "x;'t Hooft", "x; y\nz", "1;'2"] {
            assert_eq!(guard_formulas(text), text);
            assert_eq!(unguard_formulas(text), text);
        }
    }
}
