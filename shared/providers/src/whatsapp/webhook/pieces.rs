//! Cuts a large change into pieces, because a job processes few items and a queue's message has few bytes. Each piece is a change of
//! its own, and together they give the same result as the whole.
//!
//! Only names are parsed; items stay byte for byte as they arrived. An unreadable item spoils only its own piece.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;

use serde_json::value::RawValue;

/// Maximum items of a piece.
const MAX_ITEMS: usize = 50;

/// Maximum bytes of a piece in a queue's message, unless a single item is larger.
const LARGEST: usize = 190 * 1024;

/// Maximum size of a value's other fields in every piece. Larger ones, which Meta does not describe, go only with the first.
const LARGEST_REST: usize = 1024;

/// The lists of a value, in the order of parsing.
const LISTS: [&str; 8] = [
    "messages",
    "standby",
    "message_echoes",
    "statuses",
    "calls",
    "user_preferences",
    "errors",
    "user_actions",
];

const CONTACTS: &str = "contacts";

/// Fields that name an item's person by number, or by id.
const NUMBERS: [&str; 3] = ["from", "recipient_id", "wa_id"];
const USER_IDS: [&str; 3] = ["from_user_id", "recipient_user_id", "user_id"];

/// An object's members in their raw form. Of several with one name the last counts, as everywhere.
type Members<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

fn members(raw: &RawValue) -> Option<Members<'_>> {
    let object = raw.get().starts_with('{');
    object.then(|| serde_json::from_str(raw.get()).ok()).flatten()
}

fn list(raw: &RawValue) -> Option<Vec<&RawValue>> {
    let list = raw.get().starts_with('[');
    list.then(|| serde_json::from_str(raw.get()).ok()).flatten()
}

fn text<'a>(members: &Members<'a>, name: &str) -> Option<Cow<'a, str>> {
    let raw = members.get(name)?.get();
    // Without an escape, the text is what is between the quotes.
    let bare = raw.strip_prefix('"')?.strip_suffix('"')?;
    if bare.contains('\\') {
        serde_json::from_str(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(bare))
    }
}

/// Bytes of a text in a queue's message, where it is a JSON string within a JSON string.
fn queued_size(text: &str) -> usize {
    let bytes = |byte: u8| match byte {
        b'"' | b'\\' => 4,
        // There may be line breaks and tabs between members.
        0..=0x1f => 3,
        _ => 1,
    };
    text.bytes().map(bytes).sum()
}

/// True if a change's only items are statuses.
pub(super) fn only_statuses(raw: &str) -> bool {
    let read = |raw| members(serde_json::from_str::<&RawValue>(raw).ok()?);
    let Some(value) = read(raw).and_then(|change| members(change.get("value")?)) else {
        return false;
    };
    let mut named = LISTS.iter().filter(|name| value.contains_key(**name));
    named.next() == Some(&"statuses")
        && named.next().is_none()
        && value.get("statuses").and_then(|raw| list(raw)).is_some()
}

/// A change's pieces, as JSON. `None` if it is small or cannot be cut; then it stays byte for byte as it is.
pub(super) fn of(raw: &RawValue) -> Option<Pieces<'_>> {
    let mut change = members(raw)?;
    let mut value = members(change.remove("value")?)?;
    // The lists of a copy, as they are read.
    if let Some(copied) = value.get("standby").and_then(|raw| members(raw)) {
        value.remove("standby");
        value.extend(copied);
    }
    let mut items = Vec::new();
    for (place, name) in LISTS.into_iter().enumerate() {
        if let Some(list) = value.get(name).and_then(|raw| list(raw)) {
            value.remove(name);
            items.extend(list.into_iter().map(|item| (place, item)));
        }
    }
    if items.is_empty() || (items.len() <= MAX_ITEMS && queued_size(raw.get()) <= LARGEST) {
        return None;
    }
    let contacts = value.get(CONTACTS).and_then(|raw| list(raw));
    if contacts.is_some() {
        value.remove(CONTACTS);
    }
    Some(Pieces {
        rest: [text_of_members(&change), text_of_members(&value)],
        people: People::new(contacts.unwrap_or_default()),
        items: items.into_iter().peekable(),
    })
}

fn text_of_members(members: &Members<'_>) -> String {
    let mut text = String::new();
    for (name, value) in members {
        text.push_str(&serde_json::Value::from(&**name).to_string());
        text.push(':');
        text.push_str(value.get());
        text.push(',');
    }
    text
}

/// Contacts, by the names that items use.
struct People<'a> {
    contacts: Vec<&'a RawValue>,
    /// The first of each number and each id, because the parser takes the first match.
    by_number: HashMap<Cow<'a, str>, usize>,
    by_user_id: HashMap<Cow<'a, str>, usize>,
}

impl<'a> People<'a> {
    fn new(contacts: Vec<&'a RawValue>) -> Self {
        let (mut by_number, mut by_user_id) = (HashMap::new(), HashMap::new());
        for (index, contact) in contacts.iter().enumerate() {
            let Some(contact) = members(contact) else { continue };
            for (name, by) in [("wa_id", &mut by_number), ("user_id", &mut by_user_id)] {
                if let Some(id) = text(&contact, name) {
                    by.entry(id).or_insert(index);
                }
            }
        }
        Self {
            contacts,
            by_number,
            by_user_id,
        }
    }

    /// The contacts that an item may belong to.
    fn of(&self, item: &RawValue) -> Vec<usize> {
        // An item that names nobody belongs to the only contact.
        if self.contacts.len() <= 1 {
            return (0..self.contacts.len()).collect();
        }
        let Some(item) = members(item) else {
            return Vec::new();
        };
        let named = |names: [&str; 3], by: &HashMap<Cow<'_, str>, usize>| {
            names.map(|name| text(&item, name).and_then(|id| by.get(&id).copied()))
        };
        let (numbers, user_ids) = (named(NUMBERS, &self.by_number), named(USER_IDS, &self.by_user_id));
        numbers.into_iter().chain(user_ids).flatten().collect()
    }
}

type Items<'a> = std::iter::Peekable<std::vec::IntoIter<(usize, &'a RawValue)>>;

/// Cuts lazily, so that a caller can stop when there are too many.
pub(super) struct Pieces<'a> {
    /// Other members of the change and its value.
    rest: [String; 2],
    people: People<'a>,
    items: Items<'a>,
}

impl Iterator for Pieces<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.items.peek()?;
        let rest = if self.rest.iter().map(String::len).sum::<usize>() <= LARGEST_REST {
            self.rest.clone()
        } else {
            mem::take(&mut self.rest)
        };
        let mut bytes = rest.iter().map(|rest| queued_size(rest)).sum::<usize>() + LARGEST_REST;
        let (mut lists, mut count) = ([const { Vec::new() }; LISTS.len()], 0);
        let mut people = BTreeSet::new();
        while let Some((place, item)) = self.items.peek() {
            let mut named = self.people.of(item);
            named.retain(|index| !people.contains(index));
            let contacts = named.iter().map(|index| self.people.contacts[*index].get());
            let more: usize = contacts.chain([item.get()]).map(|text| queued_size(text) + 1).sum();
            if count == MAX_ITEMS || (count > 0 && bytes + more > LARGEST) {
                break;
            }
            bytes += more;
            count += 1;
            people.extend(named);
            lists[*place].push(*item);
            self.items.next();
        }
        // The only contact of a whole change also belongs to items that name nobody; the only one of a piece does not.
        if people.len() == 1 && self.people.contacts.len() > 1 {
            people.insert(usize::from(people.contains(&0)));
        }
        let contacts: Vec<_> = people.iter().map(|index| self.people.contacts[*index]).collect();
        let lists = LISTS.into_iter().zip(lists).chain([(CONTACTS, contacts)]);
        let lists = lists.filter(|(_, items)| !items.is_empty()).map(|(name, items)| {
            let items: Vec<&str> = items.into_iter().map(RawValue::get).collect();
            format!(r#""{name}":[{}]"#, items.join(","))
        });
        let lists: Vec<String> = lists.collect();
        let [change, value] = rest;
        Some(format!(r#"{{{change}"value":{{{value}{}}}}}"#, lists.join(",")))
    }
}
