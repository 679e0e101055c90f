//! Contents as Twilio keeps them, and their submission to WhatsApp. The rules for their texts are in `lint` of `domain`, which refuses a
//! draft before it is submitted.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Record;

/// The types, the richest first: WhatsApp shows the first that a content has.
const TYPES: &[&str] = &[
    "whatsapp/card",
    "whatsapp/authentication",
    "twilio/list-picker",
    "twilio/call-to-action",
    "twilio/quick-reply",
    "twilio/media",
    "twilio/text",
];

/// The type that WhatsApp shows.
pub(super) fn richest(types: &Map<String, Value>) -> &'static str {
    TYPES
        .iter()
        .find(|kind| types.contains_key(**kind))
        .copied()
        .unwrap_or_default()
}

/// Reads a content into its record: all of it, or only what is given.
pub(super) fn read(body: &[u8], whole: bool, record: &mut Record) -> Result<(), String> {
    let input: Value = serde_json::from_slice(body).map_err(|error| format!("The body cannot be read: {error}"))?;
    let text = |name: &str| input[name].as_str().map(str::trim).filter(|text| !text.is_empty());
    for (name, field) in [
        ("friendly_name", &mut record.friendly_name),
        ("language", &mut record.language),
    ] {
        match text(name) {
            Some(text) => *field = text.to_owned(),
            None if whole && name == "language" => return Err("language is required".to_owned()),
            None => {}
        }
    }
    if let Some(given) = input["variables"].as_object() {
        let texts = given
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        record.variables = texts.collect();
    }
    match input["types"].as_object() {
        Some(types) => record.types = kept_types(types)?,
        None if !whole => {}
        None => return Err("types is required".to_owned()),
    }
    if record.types.contains_key("whatsapp/authentication") {
        record.variables = BTreeMap::from([("1".to_owned(), "123456".to_owned())]);
    }
    Ok(())
}

/// The types as Twilio keeps them. A type that is null counts as absent.
fn kept_types(types: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let mut kept: Map<String, Value> = types.clone();
    kept.retain(|_, value| !value.is_null());
    if let Some(unknown) = kept.keys().find(|kind| !TYPES.contains(&kind.as_str())) {
        return Err(format!("{unknown} is not a type of contents"));
    }
    for (kind, value) in &mut kept {
        if kind == "whatsapp/authentication" {
            if value["add_security_recommendation"].is_null() {
                value["add_security_recommendation"] = json!(true);
            }
            value["body"] = json!("{{1}}");
        }
        for action in value
            .get_mut("actions")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            // Written as `phone`, answered as `phone_number`.
            if let Some(phone) = action.as_object_mut().and_then(|action| action.remove("phone")) {
                action["phone_number"] = phone;
            }
        }
    }
    Ok(kept)
}

/// Name and category of a content's submission.
pub(super) fn submission(body: &[u8], record: &Record) -> Result<(String, String), String> {
    let input: Value = serde_json::from_slice(body).map_err(|error| format!("The body cannot be read: {error}"))?;
    let name = input["name"].as_str().unwrap_or_default();
    let category = input["category"].as_str().unwrap_or_default();
    if record.approval.is_some() {
        return Err("The content was submitted already".to_owned());
    }
    if richest(&record.types) == "twilio/list-picker" {
        return Err("A list picker needs no approval and gets none".to_owned());
    }
    Ok((name.to_owned(), category.to_owned()))
}
