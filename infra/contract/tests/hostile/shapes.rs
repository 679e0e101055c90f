//! Hostile bodies: an operation's example with one place of its schema made as large as possible.

use std::collections::BTreeSet;

use contract::Operation;
use serde_json::{Map, Value, json};
use stack::contract::{is_kind, resolve};

/// A valid body with its schema.
pub(crate) struct Example {
    pub(crate) content_type: String,
    pub(crate) body: Value,
    schema: Value,
}

/// A hostile body with a description.
pub(crate) struct Hostile {
    pub(crate) what: String,
    pub(crate) body: String,
    /// Its size at most.
    pub(crate) most: usize,
}

/// Size of the bodies with all but the first place of an operation. What grows faster than the body shows in 16 KiB, too: there is room for
/// a thousand items.
pub(crate) const PART: usize = 16 * 1024;

/// The operation's examples, one per kind, with their schemas. Of several content types, one is enough: they are parsed alike.
pub(crate) fn examples(document: &Value, operation: &Operation<'_>) -> Vec<Example> {
    let body = resolve(document, &operation.value["requestBody"]);
    let content = body["content"].as_object().into_iter().flatten().next();
    let Some((content_type, media)) = content else {
        return Vec::new();
    };
    let mapping = &resolve(document, &media["schema"])["discriminator"]["mapping"];
    let example = |body: &Value, schema: Value| Example {
        content_type: content_type.clone(),
        body: body.clone(),
        schema,
    };
    let named = media["examples"].as_object().into_iter().flatten();
    let named = named.map(|(kind, shown)| example(&shown["value"], json!({ "$ref": mapping[kind] })));
    let alone = (!media["example"].is_null()).then(|| example(&media["example"], media["schema"].clone()));
    named.chain(alone).collect()
}

/// A step into a body.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Member(String),
    Item,
}

/// A place in a body that can hold a value.
struct Place {
    steps: Vec<Step>,
    schema: String,
    /// Example of an item or member, if the place holds several.
    item: Option<Value>,
    list: bool,
    map: bool,
    object: bool,
}

/// A part of an example's places, so that several threads share them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    number: usize,
    of: usize,
}

impl Share {
    /// All of this many shares.
    pub(crate) fn all(of: usize) -> impl Iterator<Item = Self> {
        (0..of).map(move |number| Self { number, of })
    }

    pub(crate) const fn is_first(self) -> bool {
        self.number == 0
    }

    const fn has(self, place: usize) -> bool {
        place % self.of == self.number
    }
}

/// The names and schemas of the places in examples so far. Several of one name and schema are of one type, so one is asked.
pub(crate) type Seen = BTreeSet<(Option<Step>, String)>;

/// All hostile bodies of a share of an example's places, each of at most this many bytes, those of the first place also if the operation
/// is new and the place has been seen. Those [of no schema](of_no_schema) are not among them.
pub(crate) fn hostile(
    document: &Value,
    example: &Example,
    most: usize,
    share: Share,
    seen: &mut Seen,
    is_new: bool,
) -> Vec<Hostile> {
    let mut all = Vec::new();
    let mut places = Vec::new();
    find(document, &example.schema, &[], &mut places);
    for (index, place) in places.into_iter().enumerate() {
        let is_first = is_new && index == 0;
        let number = seen.len();
        let kind = (place.steps.last().cloned(), place.schema.clone());
        if !(seen.insert(kind) || is_first) || !share.has(number) {
            continue;
        }
        let most = if is_first { most } else { most.min(PART) };
        for (what, text) in within(&place, number, most) {
            let at: Vec<&str> = place.steps.iter().map(Step::name).collect();
            let body = with(&example.body, &place.steps, &text);
            let what = format!("{}: {what}", at.join("."));
            all.push(Hostile { what, body, most });
        }
    }
    all
}

impl Step {
    fn name(&self) -> &str {
        match self {
            Self::Member(name) => name,
            Self::Item => "0",
        }
    }
}

/// Bytes reserved for the rest of the example.
const REST: usize = 4 * 1024;

/// The text repeated as often as it fits, with a separator.
fn repeat_text(text: &str, between: &str, most: usize) -> String {
    let count = most.saturating_sub(2) / (text.len() + between.len());
    vec![text; count].join(between)
}

/// Different texts, as many as fit.
fn distinct_texts(of: impl Fn(usize) -> String, most: usize) -> String {
    let mut all = String::with_capacity(most);
    for number in 0.. {
        let one = of(number);
        if all.len() + one.len() + 3 > most {
            break;
        }
        if !all.is_empty() {
            all.push(',');
        }
        all.push_str(&one);
    }
    all
}

/// Hostile bodies for any schema.
pub(crate) fn of_no_schema(most: usize) -> Vec<Hostile> {
    let object = |members: String| format!("{{{members}}}");
    let deep = |depth: usize| format!("{}{}", r#"{"a":["#.repeat(depth), "]}".repeat(depth));
    let all = [
        (
            "removed members",
            object(distinct_texts(|n| format!(r#""f{n}":null"#), most)),
        ),
        (
            "unknown members",
            object(distinct_texts(|n| format!(r#""f{n}":{{"x":[{n}]}}"#), most)),
        ),
        (
            "one member again and again",
            object(repeat_text(r#""name":null"#, ",", most)),
        ),
        ("objects in objects", deep(most / 8)),
        (
            "many deep objects",
            object(distinct_texts(|n| format!(r#""f{n}":{}"#, deep(50)), most)),
        ),
        ("a list", format!("[{}]", repeat_text("null", ",", most))),
        ("a long name", object(format!(r#""{}":null"#, "x".repeat(most - 16)))),
        (
            "a long name of escapes",
            object(format!(r#""{}":null"#, repeat_text(r"\u0000", "", most - 16))),
        ),
        ("a text", format!(r#""{}""#, "x".repeat(most - 2))),
        ("digits", "1".repeat(most)),
        ("nothing", " ".repeat(most)),
        ("half of it", format!(r#"{{"name":"{}"#, "\\\"".repeat(most / 2 - 8))),
    ];
    let named = |(what, body): (&str, String)| Hostile {
        what: what.to_owned(),
        body,
        most,
    };
    all.into_iter().map(named).collect()
}

/// Hostile values for one place. What is not about its type takes turns from place to place: all texts are parsed and checked alike.
fn within(place: &Place, number: usize, most: usize) -> Vec<(&'static str, String)> {
    let most = most - REST;
    let mut all = Vec::new();
    let texts = [
        ("a long text", "x"),
        ("a long text of many bytes", "\u{1f980}"),
        ("a long text of escapes", r"\u0041"),
        ("a long text that normalising makes longer", "\u{fdfa}"),
        ("a long text of invisible characters", "\u{202e}\u{200b}"),
    ];
    let turn = if place.list || place.map || place.object {
        0
    } else {
        number % texts.len()
    };
    let (what, part) = texts[turn];
    all.push((what, format!(r#""{}""#, repeat_text(part, "", most))));
    let list = |items: String| format!("[{items}]");
    if place.list {
        let item = place.item.clone().unwrap_or(json!("x"));
        all.extend([
            ("the same item", list(repeat_text(&item.to_string(), ",", most))),
            (
                "items that differ",
                list(distinct_texts(|n| differing(&item, n).to_string(), most)),
            ),
            (
                "empty items",
                list(repeat_text(&empty_value(&item).to_string(), ",", most)),
            ),
            ("short wrong items", list(repeat_text(r#""?""#, ",", most))),
            ("items of another type", list(repeat_text("0", ",", most))),
            (
                "lists of lists",
                list(repeat_text(&format!("{}{}", "[".repeat(50), "]".repeat(50)), ",", most)),
            ),
        ]);
    }
    if place.map || place.object {
        all.push((
            "unknown members",
            format!("{{{}}}", distinct_texts(|n| format!(r#""f{n}":null"#), most)),
        ));
    }
    if place.map {
        let value = place.item.clone().unwrap_or(json!("x")).to_string();
        all.extend([
            (
                "members",
                format!("{{{}}}", distinct_texts(|n| format!(r#""f{n}":{value}"#), most)),
            ),
            (
                "one member again and again",
                format!("{{{}}}", repeat_text(&format!(r#""f":{value}"#), ",", most)),
            ),
            (
                "wrong members",
                format!("{{{}}}", distinct_texts(|n| format!(r#""F {n}":"""#), most)),
            ),
        ]);
    }
    all
}

/// A copy with another number at its end or in its texts.
fn differing(item: &Value, number: usize) -> Value {
    match item {
        Value::String(text) => {
            let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count().min(7);
            let (start, end) = text.split_at(text.len() - digits);
            if end.is_empty() {
                return format!("{text}{number}").into();
            }
            let modulus = 10_usize.pow(u32::try_from(digits).unwrap_or(1));
            format!("{start}{:0digits$}", number % modulus).into()
        }
        Value::Object(members) => {
            let differ = |(name, value): (&String, &Value)| (name.clone(), differing(value, number));
            members.iter().map(differ).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

fn empty_value(item: &Value) -> Value {
    match item {
        Value::String(_) => json!(""),
        Value::Array(_) => json!([]),
        Value::Object(members) => {
            let empty = members.iter().map(|(name, value)| (name.clone(), empty_value(value)));
            empty.collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// The body with this text at this place, which is created if the example lacks it.
fn with(body: &Value, steps: &[Step], text: &str) -> String {
    const MARK: &str = "@@here@@";
    let mut body = body.clone();
    let mut at = &mut body;
    for step in steps {
        match step {
            Step::Member(name) => {
                if !at.is_object() {
                    *at = json!({});
                }
                at = &mut at[name.as_str()];
            }
            Step::Item => {
                if at.as_array().is_none_or(Vec::is_empty) {
                    *at = json!([null]);
                }
                at = &mut at[0];
            }
        }
    }
    *at = MARK.into();
    body.to_string().replacen(&format!("\"{MARK}\""), text, 1)
}

/// Places of a schema and of its nested schemas.
fn find(document: &Value, schema: &Value, steps: &[Step], found: &mut Vec<Place>) {
    const DEEPEST: usize = 6;
    let schema = resolve(document, schema);
    if steps.len() > DEEPEST {
        return;
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        for part in schema[key].as_array().into_iter().flatten() {
            find(document, part, steps, found);
        }
    }
    let map = schema["additionalProperties"].is_object();
    let value = if map {
        &schema["additionalProperties"]
    } else {
        &schema["items"]
    };
    if !steps.is_empty() && schema["type"] != "null" && !schema["type"].is_null() {
        found.push(Place {
            steps: steps.to_vec(),
            schema: schema.to_string(),
            item: example(document, value, 0),
            list: is_kind(schema, "array"),
            map,
            object: is_kind(schema, "object"),
        });
    }
    let deeper = |step: Step| steps.iter().cloned().chain([step]).collect::<Vec<_>>();
    // Of fields that are alike, such as the days of a week, one.
    let mut seen = Vec::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let mut alike = field.clone();
        if let Some(alike) = alike.as_object_mut().filter(|_| field["items"].is_object()) {
            alike.remove("description");
            if seen.contains(alike) {
                continue;
            }
            seen.push(alike.clone());
        }
        find(document, field, &deeper(Step::Member(name.clone())), found);
    }
    if is_kind(schema, "array") {
        find(document, &schema["items"], &deeper(Step::Item), found);
    }
}

/// Example of a schema, or of its fields.
fn example(document: &Value, schema: &Value, depth: usize) -> Option<Value> {
    let schema = resolve(document, schema);
    let own = [
        &schema["example"],
        &schema["examples"][0],
        &schema["default"],
        &schema["enum"][0],
    ];
    if let Some(own) = own.into_iter().find(|own| !own.is_null()) {
        return Some(own.clone());
    }
    if let Some(part) = ["oneOf", "anyOf", "allOf"].iter().find_map(|key| schema[key].get(0)) {
        return example(document, part, depth + 1);
    }
    let fields = schema["properties"].as_object().filter(|_| depth < 6)?;
    let field = |(name, field): (&String, &Value)| Some((name.clone(), example(document, field, depth + 1)?));
    Some(fields.iter().filter_map(field).collect::<Map<_, _>>().into())
}
