//! Rows of messages, made small. A message is written six times and more in its life, and every started KiB of a row is a
//! write unit each time: so its row has one-letter names and leaves out what the key tells and what is nearly always the same.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ids::MessageId, message::Message};

use crate::{
    StoreError, keys,
    row::{self, Item, number, string},
};

/// Names within a message, and the letter that stands for each. A letter is never given to another name.
const LETTERS: [(&str, &str); 35] = [
    ("accepted_at", "a"),
    ("attempts", "b"),
    ("cause", "c"),
    ("delivered_at", "d"),
    ("error", "e"),
    ("fallback_after_seconds", "f"),
    ("category", "g"),
    ("channel", "h"),
    ("connection", "i"),
    ("content", "j"),
    ("claim", "k"),
    ("language", "l"),
    ("claimed_at", "m"),
    ("not_before", "n"),
    ("correlation_id", "o"),
    ("provider_ref", "p"),
    ("cost", "q"),
    ("read_at", "r"),
    ("state", "s"),
    ("text", "t"),
    ("units", "u"),
    ("content_sid", "v"),
    ("rule", "w"),
    ("template", "x"),
    ("tries", "y"),
    ("billable", "z"),
    ("credentials", "A"),
    ("body", "B"),
    ("created_at", "C"),
    ("kind", "K"),
    ("leg", "L"),
    ("number", "N"),
    ("plan", "P"),
    ("remarks", "R"),
    ("reason", "Y"),
];

/// As most rules have it.
const WHEN_UNKNOWN: (&str, &str) = ("when_unknown", "next_channel");

fn rename(value: AttributeValue, name: fn(&str) -> Option<&'static str>) -> AttributeValue {
    match value {
        AttributeValue::M(map) => AttributeValue::M(
            map.into_iter()
                .map(|(key, value)| (name(&key).map_or(key, str::to_owned), rename(value, name)))
                .collect(),
        ),
        AttributeValue::L(list) => AttributeValue::L(list.into_iter().map(|value| rename(value, name)).collect()),
        other => other,
    }
}

fn letter(name: &str) -> Option<&'static str> {
    let found = LETTERS.iter().find(|(long, _)| *long == name);
    found.map(|(_, letter)| *letter)
}

fn word(letter: &str) -> Option<&'static str> {
    let found = LETTERS.iter().find(|(_, short)| *short == letter);
    found.map(|(long, _)| *long)
}

/// A message's data as its row keeps it. `due` and `dispatches` keep their names: a lease changes them in place.
pub(crate) fn shrink(data: AttributeValue) -> AttributeValue {
    let AttributeValue::M(mut map) = data else {
        return data;
    };
    for told_by_the_key in ["id", "version"] {
        map.remove(told_by_the_key);
    }
    let usual = |name: &str, value: &AttributeValue| match name {
        "needs_opt_in" => *value == AttributeValue::Bool(false),
        "dispatches" => *value == AttributeValue::N("0".to_owned()),
        name => name == WHEN_UNKNOWN.0 && *value == AttributeValue::S(WHEN_UNKNOWN.1.to_owned()),
    };
    map.retain(|name, value| !usual(name, value));
    rename(AttributeValue::M(map), letter)
}

/// Reads a message from its row.
pub(crate) fn message(mut item: Item, doing: &'static str) -> Result<Message, StoreError> {
    let id = string(&item, "pk").zip(string(&item, "sk")).and_then(|(pk, sk)| {
        let (_, contact) = pk.rsplit_once('#')?;
        let own = sk.strip_prefix(keys::MESSAGE)?;
        Some(format!("{}_{contact}{own}", MessageId::PREFIX))
    });
    let version = row::version_of(&item);
    let mut map = match item.remove("data").map(|data| rename(data, word)) {
        Some(AttributeValue::M(map)) => map,
        _ => HashMap::new(),
    };
    if let Some(id) = id {
        map.insert("id".to_owned(), AttributeValue::S(id));
    }
    map.insert("version".to_owned(), number(version));
    map.entry(WHEN_UNKNOWN.0.to_owned())
        .or_insert_with(|| AttributeValue::S(WHEN_UNKNOWN.1.to_owned()));
    serde_dynamo::from_attribute_value(AttributeValue::M(map)).map_err(|why| StoreError::Form { doing, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_stands_for_one_name() {
        for (place, (long, short)) in LETTERS.iter().enumerate() {
            assert_eq!(short.len(), 1);
            assert!(long.len() > 1);
            assert!(
                LETTERS[..place]
                    .iter()
                    .all(|(other, letter)| other != long && letter != short)
            );
        }
    }
}
