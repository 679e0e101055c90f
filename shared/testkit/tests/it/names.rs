//! Names of functions, their parameters and the beginnings of their comments, as decision 0076 and CONTRIBUTING ask for them. What was written
//! before is listed in `names.txt`, which may only shrink.

use std::collections::BTreeMap;
use std::iter;
use std::sync::LazyLock;

use regex::Regex;

use crate::repository::{read, rust_files};

/// Known exceptions: a kind, a file and the case, with spaces between them.
const KNOWN: &str = "shared/testkit/tests/it/names.txt";

/// Participles that do not end in -ed or -en.
const PARTICIPLES: &str = "made shown sent held kept known told found left met begun said heard gone done thrown drawn spoken lost meant paid \
    spent thought understood won worn grown born bought brought built caught dealt felt fed hung laid led lent sold stood struck stuck sworn torn \
    undone overdue bound";

/// Words of amount and order that name no thing. `first`, `last` and `next` are the standard library's.
const QUANTIFIERS: &str = "none all any some soon most few each both other others only many much more less same whole rest enough once twice again \
    later sooner further another nothing nobody everything everybody own far alone";

/// Verbs and nouns that look like participles.
const NO_PARTICIPLES: &str = "seed feed need heed open listen token hasten shorten lengthen loosen citizen screen embed even children between len \
    when then";

static FUNCTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^[ \t]*(?:pub(?:\([^)]*\))? )?(?:const |async |unsafe )*fn (\w+)").expect("a pattern")
});

/// Whether a name only says that something has happened, or how much of it there is.
fn is_bare(name: &str) -> bool {
    let is_in = |list: &str| list.split_whitespace().any(|word| word == name);
    let has_ending = !name.contains('_') && (name.ends_with("ed") || name.ends_with("en"));
    (has_ending && !is_in(NO_PARTICIPLES)) || is_in(PARTICIPLES) || is_in(QUANTIFIERS)
}

/// The text within the brackets that open at the beginning of a text.
fn cut_brackets(text: &str, open: char, close: char) -> &str {
    let mut depth = 0;
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        let is_arrow = letter == '>' && matches!(before, '-' | '=');
        depth += i32::from(letter == open) - i32::from(letter == close && !is_arrow);
        before = letter;
        if depth == 0 {
            return &text[..=at];
        }
    }
    text
}

/// Whether one of the parameters that begin here has a tuple as its type. Functions as parameters take what they like, and axum gives the
/// parameters of a path together.
fn takes_tuple(after_name: &str) -> bool {
    static TUPLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(\w*)[:&<,\[(]?\s*\((?:[^()]|\([^()]*\))*,(?:[^()]|\([^()]*\))*\)").expect("a pattern")
    });
    let generics = if after_name.starts_with('<') {
        cut_brackets(after_name, '<', '>').len()
    } else {
        0
    };
    let parameters = cut_brackets(&after_name[generics..], '(', ')');
    let inner = parameters
        .get(1..parameters.len().saturating_sub(1))
        .unwrap_or_default();
    let may_take = |name: &str| matches!(name, "Fn" | "FnMut" | "FnOnce" | "fn" | "Path");
    TUPLE.captures_iter(inner).any(|found| !may_take(&found[1]))
}

/// The functions of a file that are no tests, each with the text behind its name.
fn functions(text: &str) -> impl Iterator<Item = (&str, &str)> {
    FUNCTION.captures_iter(text).filter_map(|found| {
        let whole = found.get(0)?;
        let attributes = text[..whole.start()].rsplit("\n\n").next().unwrap_or_default();
        let is_test = attributes.contains("#[test") || attributes.contains("#[tokio::test");
        (!is_test).then(|| (found.get(1).map_or("", |name| name.as_str()), &text[whole.end()..]))
    })
}

/// First lines of doc comments that make no sense without their neighbours.
fn dependent_comments(text: &str) -> impl Iterator<Item = &str> {
    static BEGINS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^//[/!] (?:That|Those|The same|What|One|Such as|How (?:long|many|much|often|far))(?:[^-\w]|$)")
            .expect("a pattern")
    });
    let is_doc = |line: &str| line.starts_with("///") || line.starts_with("//!");
    let lines = text.lines().map(str::trim);
    let before = iter::once("").chain(lines.clone());
    lines
        .zip(before)
        .filter(move |(line, before)| BEGINS.is_match(line) && !is_doc(before))
        .map(|(line, _)| line)
}

/// Every case in the sources, with the file and how often it stands there.
fn cases() -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for file in rust_files() {
        let text = read(file);
        let mut note = |kind: &str, case: &str| *found.entry(format!("{kind} {file} {case}")).or_default() += 1;
        for (name, after) in functions(&text) {
            if is_bare(name) {
                note("name", name);
            }
            if takes_tuple(after) {
                note("tuple", name);
            }
        }
        for comment in dependent_comments(&text) {
            note("comment", comment);
        }
    }
    found
}

#[test]
fn names_and_comments_say_what_they_mean() {
    let mut known = BTreeMap::<String, usize>::new();
    for line in read(KNOWN).lines() {
        *known.entry(line.to_owned()).or_default() += 1;
    }
    let cases = cases();
    let new = cases
        .iter()
        .filter(|(case, count)| known.get(*case).is_none_or(|known| known < count));
    let new: Vec<&String> = new.map(|(case, _)| case).collect();
    assert!(
        new.is_empty(),
        "{new:#?}\nA function is a verb or a verb and its object, takes no tuple, and its comment begins with what it is (decision 0076)."
    );
    let mended = known
        .iter()
        .filter(|(case, count)| cases.get(*case).is_none_or(|found| found < count));
    let mended: Vec<&String> = mended.map(|(case, _)| case).collect();
    assert!(
        mended.is_empty(),
        "{mended:#?}\nThese are mended: take them out of {KNOWN}."
    );
}

#[test]
fn cases_are_recognised() {
    let text = "fn moved() {}\nfn move_row(a: (u8, u8)) {}\nfn each_row(see: impl Fn((u8, u8))) {}\nfn next<T: Fn(u8, u8)>(a: Vec<T>, b: [u8; 2]) {}\n\
        fn list_rows((from, to): (u8, u8)) {}\n\n#[test]\nfn held() {}\n\n/// The same, older.\nstruct A;\n/// Rows.\n/// What they are.\nstruct B;\n";
    let bare: Vec<&str> = functions(text)
        .map(|(name, _)| name)
        .filter(|name| is_bare(name))
        .collect();
    assert_eq!(bare, ["moved"]);
    let tuples: Vec<&str> = functions(text)
        .filter(|(_, after)| takes_tuple(after))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(tuples, ["move_row", "list_rows"]);
    assert_eq!(dependent_comments(text).collect::<Vec<_>>(), ["/// The same, older."]);
}
