//! Cells with several values, such as tags. A value with a sign that separates values is in quotation marks.

use std::borrow::Cow;
use std::iter;

/// Signs that separate values, besides [`GOOGLES`].
const SEPARATORS: [char; 4] = [';', ',', '\n', '\r'];
const GOOGLES: &str = ":::";
/// Google's prefix to the names of its own groups.
const STAR: &str = "* ";
/// Maximum length of a value in quotation marks, in bytes: more than any value may have. Without it, a cell of quotation marks would be
/// searched to its end for each of them.
const MAX_QUOTED_LENGTH: usize = 1_000;

/// A value of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// As it is in the cell.
    Bare(&'a str),
    /// In quotation marks, which are removed.
    Quoted(String),
}

impl Part<'_> {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Bare(text) => text,
            Self::Quoted(text) => text,
        }
    }

    /// The name of a tag. None for Google's own group of everybody in an export.
    pub(crate) fn tag(&self) -> Option<&str> {
        match self {
            Self::Bare(text) => Some(*text).filter(|text| !text.starts_with(STAR)),
            Self::Quoted(text) => Some(text),
        }
    }
}

/// The values of a cell, except blank ones.
pub(crate) fn parts(cell: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = cell;
    let next = move || {
        let begin = rest.trim_start();
        if begin.is_empty() {
            return None;
        }
        let (part, behind) = match quoted_value(begin) {
            Some((value, behind)) => (Part::Quoted(value), behind),
            None => {
                let (end, behind) = separator(begin).unwrap_or((begin.len(), begin.len()));
                (Part::Bare(begin[..end].trim()), &begin[behind..])
            }
        };
        rest = behind;
        Some(part)
    };
    iter::from_fn(next).filter(|part| !part.text().trim().is_empty())
}

/// Begin and end of the first separator in a text.
fn separator(text: &str) -> Option<(usize, usize)> {
    let is_sign = |sign: char| sign == ':' || SEPARATORS.contains(&sign);
    text.match_indices(is_sign).find_map(|(at, sign)| match sign {
        ":" => text[at..].starts_with(GOOGLES).then_some((at, at + GOOGLES.len())),
        _ => Some((at, at + sign.len())),
    })
}

/// The value in quotation marks at the beginning of a text, and the rest. Quotation marks within the value are doubled.
/// Quotation marks that are not around a whole value, as in `"Golden" card`, belong to it.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.strip_prefix('"')?;
    loop {
        let end = rest.bytes().take(MAX_QUOTED_LENGTH + 1).position(|byte| byte == b'"')?;
        let (before, after) = (&rest[..end], &rest[end + 1..]);
        value.push_str(before);
        if value.len() > MAX_QUOTED_LENGTH {
            return None;
        }
        let Some(doubled) = after.strip_prefix('"') else {
            let is_blank = |sign: char| sign.is_whitespace() && !SEPARATORS.contains(&sign);
            let behind = after.trim_start_matches(is_blank);
            let ends = behind.is_empty() || separator(behind).is_some_and(|(begin, _)| begin == 0);
            return ends.then_some((value, behind));
        };
        value.push('"');
        rest = doubled;
    }
}

/// A cell with these values. An import reads the same ones.
pub fn join_values<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let values: Vec<Cow<'_, str>> = values.into_iter().map(value_in_cell).collect();
    values.join("; ")
}

/// The value as it is in a cell.
fn value_in_cell(value: &str) -> Cow<'_, str> {
    if separator(value).is_some() || value.starts_with('"') || value.starts_with(STAR) {
        Cow::Owned(format!("\"{}\"", value.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(cell: &str) -> Vec<String> {
        parts(cell).filter_map(|part| Some(part.tag()?.to_owned())).collect()
    }

    #[test]
    fn values_are_separated_by_several_signs() {
        assert_eq!(tags("a; b,c\r\nd ::: * e:f::g;;, "), ["a", "b", "c", "d"]);
        let none: [&str; 0] = [];
        for blank in ["", " ", ";", " ::: ,\n", "\"\"; \" \""] {
            assert_eq!(tags(blank), none, "{blank:?}");
        }
    }

    #[test]
    fn quotation_marks_count_around_a_whole_value() {
        for (cell, expected) in [
            ("\"VIP, gold\"; Regular", &["VIP, gold", "Regular"][..]),
            ("a,\"b;c\" \n\"d:::e\"", &["a", "b;c", "d:::e"]),
            ("\"say \"\"x\"\", y\",z", &["say \"x\", y", "z"]),
            ("\"* a\",* b", &["* a"]),
            ("\"Golden\" card, \"b", &["\"Golden\" card", "\"b"]),
            ("5\", \"a,b", &["5\"", "\"a", "b"]),
        ] {
            assert_eq!(tags(cell), expected, "{cell}");
        }
    }

    #[test]
    fn usual_values_are_joined_without_quotation_marks() {
        assert_eq!(
            join_values(["VIP", "5\" pizza", "a:b", "*c"]),
            "VIP; 5\" pizza; a:b; *c"
        );
        assert_eq!(
            join_values(["VIP, gold", "\"x", "* y"]),
            "\"VIP, gold\"; \"\"\"x\"; \"* y\""
        );
    }

    proptest::proptest! {
        #[test]
        fn joined_values_are_read_again(values in proptest::collection::vec("[a;,:\"* é]{1,8}", 0..6)) {
            let values: Vec<&str> = values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()).collect();
            proptest::prop_assert_eq!(tags(&join_values(values.iter().copied())), values);
        }

        #[test]
        fn any_cell_has_values_without_blanks(cell in "[a;,:\"* \n]{0,40}") {
            proptest::prop_assert!(parts(&cell).all(|part| !part.text().trim().is_empty()));
        }
    }
}
