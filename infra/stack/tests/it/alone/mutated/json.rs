//! Mutates JSON without knowledge of its meaning, even into forms that no parser's tree could hold.

use serde_json::Value;

use stack::random::Random;

/// A value; raw ones need not be valid JSON.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Raw(String),
    List(Vec<Self>),
    /// Names may be duplicate.
    Object(Vec<(String, Self)>),
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        match value {
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), value.into()))
                    .collect(),
            ),
            other => Self::Raw(other.to_string()),
        }
    }
}

/// The path to a node, by member or item.
type Way = Vec<usize>;

impl Node {
    pub(super) fn write(&self, text: &mut String) {
        let (open, close) = match self {
            Self::Raw(raw) => return text.push_str(raw),
            Self::List(_) => ('[', ']'),
            Self::Object(_) => ('{', '}'),
        };
        text.push(open);
        for (index, (name, node)) in self.children().enumerate() {
            if index > 0 {
                text.push(',');
            }
            if let Some(name) = name {
                text.push_str(&Value::from(name).to_string());
                text.push(':');
            }
            node.write(text);
        }
        text.push(close);
    }

    fn children(&self) -> Box<dyn Iterator<Item = (Option<&str>, &Self)> + '_> {
        match self {
            Self::Raw(_) => Box::new(std::iter::empty()),
            Self::List(items) => Box::new(items.iter().map(|item| (None, item))),
            Self::Object(members) => Box::new(members.iter().map(|(name, node)| (Some(name.as_str()), node))),
        }
    }

    fn child(&mut self, index: usize) -> Option<&mut Self> {
        match self {
            Self::Raw(_) => None,
            Self::List(items) => items.get_mut(index),
            Self::Object(members) => members.get_mut(index).map(|(_, node)| node),
        }
    }

    /// All paths except through this name; leaves are listed five times.
    fn ways(&self, but: &str, way: &mut Way, found: &mut Vec<(Way, String)>) {
        for (index, (name, node)) in self.children().enumerate() {
            if name == Some(but) {
                continue;
            }
            way.push(index);
            let times = if matches!(node, Self::Raw(_)) { 5 } else { 1 };
            let here = (way.clone(), name.unwrap_or("an item").to_owned());
            found.extend(vec![here; times]);
            node.ways(but, way, found);
            way.pop();
        }
    }

    fn at(&mut self, way: &[usize]) -> Option<&mut Self> {
        way.iter().try_fold(self, |node, index| node.child(*index))
    }

    fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }
}

/// Mutates one place, but not of this name; returns a description.
pub(super) fn damage(random: &mut Random, whole: &mut Node, but: &str) -> String {
    let mut ways = Vec::new();
    whole.ways(but, &mut Vec::new(), &mut ways);
    if ways.is_empty() {
        return "nothing".to_owned();
    }
    let (way, name) = random.pick(&ways).clone();
    let other = whole
        .at(&random.pick(&ways).0)
        .map_or_else(String::new, |node| node.text());
    let Some((last, parent)) = way.split_last() else {
        return "nothing".to_owned();
    };
    let (what, new) = {
        let Some(node) = whole.at(&way) else {
            return "nothing".to_owned();
        };
        replacements_of(random, &node.text(), &other)
    };
    let Some(parent) = whole.at(parent) else {
        return "nothing".to_owned();
    };
    match parent {
        Node::List(items) => {
            items.splice(*last..=*last, new.into_iter().map(Node::Raw));
        }
        Node::Object(members) => {
            let named = new.into_iter().map(|raw| (name.clone(), Node::Raw(raw)));
            members.splice(*last..=*last, named);
        }
        Node::Raw(_) => {}
    }
    format!("{name}: {what}")
}

fn quote_text(text: &str) -> String {
    Value::from(text).to_string()
}

/// Replacements of a value: nothing, something, or it twice.
fn replacements_of(random: &mut Random, own: &str, other: &str) -> (&'static str, Vec<String>) {
    let bare = own.strip_prefix('"').and_then(|own| own.strip_suffix('"'));
    let one = |what, raw: String| (what, vec![raw]);
    match random.below(18).saturating_sub(4) {
        0 => one("long", {
            let length = *random.pick(&[201, 600, 2_000, 5_000]);
            format!("\"{}{}\"", bare.unwrap_or_default(), random.letters(length))
        }),
        1 => one("a number", {
            let numbers = [
                "1e308",
                "-1",
                "0",
                "1.5",
                "1e-7",
                "99999999999999999999",
                "9007199254740993",
                "4294967296",
                "1e999",
            ];
            (*random.pick(&numbers)).to_owned()
        }),
        2 => one("another type", {
            let others = ["true", "[]", "{}", "7", "\"text\"", "[[\"a\"]]", "{\"a\":{\"b\":[1]}}"];
            (*random.pick(&others)).to_owned()
        }),
        3 => one("null", "null".to_owned()),
        4 => ("missing", Vec::new()),
        5 => ("twice, first another", vec![other.to_owned(), own.to_owned()]),
        6 => ("twice, then another", vec![own.to_owned(), other.to_owned()]),
        7 => one("deep", {
            let depth = *random.pick(&[40, 100, 200, 2_000]);
            format!("{}{own}{}", "[".repeat(depth), "]".repeat(depth))
        }),
        8 => one("strange characters", {
            let strange = [
                r"\u202e",
                r"\u0000",
                r"\ud800",
                r"\ufeff\u200b",
                r"\ud83e\udd80",
                r"\r\n\t",
                r"\u0007",
                "مرحبا",
                "\u{200f}",
            ];
            format!("\"{}{}\"", random.pick(&strange), bare.unwrap_or_default())
        }),
        9 => one("many", {
            let count = *random.pick(&[60, 300]);
            let item = own
                .strip_prefix('[')
                .and_then(|own| own.strip_suffix(']'))
                .unwrap_or(own);
            let item = if item.is_empty() { "0" } else { item };
            // The maximum size of telephone systems' webhooks.
            let count = count.min(200_000 / item.len()).max(1);
            format!("[{}]", vec![item; count].join(","))
        }),
        10 => one("another time", {
            let times = [
                "\"0\"",
                "\"99999999999\"",
                "\"-62135596800\"",
                "\"253402300800\"",
                "4102444799",
                "-1",
                "1",
                "\"2999-12-31T23:59:59Z\"",
                "\"1969-12-31T23:59:59Z\"",
                "\"2026-11-20\"",
                "\"soon\"",
            ];
            (*random.pick(&times)).to_owned()
        }),
        11 => one("a number as text, or the other way round", {
            bare.filter(|bare| bare.bytes().all(|byte| byte.is_ascii_digit()) && !bare.is_empty())
                .map_or_else(|| quote_text(own), |digits| format!("1{digits}"))
        }),
        12 => one("empty", (*random.pick(&["\"\"", "\" \"", "\"\\n\""])).to_owned()),
        _ => one("another's", other.to_owned()),
    }
}

/// Mutates the whole text; returns a description.
pub(super) fn damage_text(random: &mut Random, text: &mut Vec<u8>) -> &'static str {
    match random.below(5) {
        0 => {
            text.truncate(random.below(text.len().max(1)));
            "cut off"
        }
        1 => {
            text.extend_from_slice(b" {}");
            "something after it"
        }
        2 => {
            text.splice(0..0, *b"\xef\xbb\xbf");
            "a mark before it"
        }
        3 => {
            let place = random.below(text.len().max(1));
            text.insert(place, 0xff);
            "no UTF-8"
        }
        _ => {
            *text = format!("[{}]", String::from_utf8_lossy(text)).into_bytes();
            "in a list"
        }
    }
}
