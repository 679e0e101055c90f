//! The rules for contents: when they are made, and when they are submitted to WhatsApp.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Record;
use crate::graph::{is_closed, is_line, is_name, is_sample, is_web, list, placeholders, words};

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

const VARIABLES: usize = 100;
/// WhatsApp's maximum, below that of some types.
const BODY_CHARACTERS: usize = 1024;
const KEY_CHARACTERS: usize = 16;

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
        record.variables = variables(given)?;
    }
    match input["types"].as_object() {
        Some(types) => record.types = check_types(types)?,
        None if !whole => {}
        None => return Err("types is required".to_owned()),
    }
    if record.types.contains_key("whatsapp/authentication") {
        record.variables = BTreeMap::from([("1".to_owned(), "123456".to_owned())]);
    }
    Ok(())
}

fn variables(given: &Map<String, Value>) -> Result<BTreeMap<String, String>, String> {
    if given.len() > VARIABLES {
        return Err(format!("A content has {VARIABLES} variables at most"));
    }
    let each = given.iter().map(|(key, value)| {
        let value = value
            .as_str()
            .ok_or_else(|| format!("The variable {key} is not a text"))?;
        if key.is_empty() || key.chars().count() > KEY_CHARACTERS || key.contains(' ') {
            return Err(format!("{key} is not the name of a variable"));
        }
        Ok((key.clone(), value.to_owned()))
    });
    each.collect()
}

/// The types as Twilio keeps them.
fn check_types(types: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let mut kept = Map::new();
    // A type that is null counts as absent.
    for (kind, value) in types.iter().filter(|(_, value)| !value.is_null()) {
        let mut value = value.clone();
        match kind.as_str() {
            "twilio/text" => within("body", &value["body"], 1600)?,
            "twilio/media" => {
                if !value["body"].is_null() {
                    within("body", &value["body"], 1600)?;
                }
                media(&value["media"])?;
            }
            "twilio/quick-reply" => {
                within("body", &value["body"], 1024)?;
                count("actions", &value["actions"], 10)?;
                for action in list(&value["actions"]) {
                    within("title", &action["title"], 20)?;
                    within("id", &action["id"], 200)?;
                }
            }
            "twilio/call-to-action" => {
                within("body", &value["body"], 640)?;
                actions(&mut value, 20)?;
            }
            "twilio/list-picker" => {
                within("body", &value["body"], 1024)?;
                within("button", &value["button"], 20)?;
                count("items", &value["items"], 10)?;
                for item in list(&value["items"]) {
                    within("item", &item["item"], 24)?;
                    within("id", &item["id"], 200)?;
                    if !item["description"].is_null() {
                        within("description", &item["description"], 72)?;
                    }
                }
            }
            "whatsapp/card" => card(&mut value)?,
            "whatsapp/authentication" => authentication(&mut value)?,
            _ => return Err(format!("{kind} is not a type of contents")),
        }
        kept.insert(kind.clone(), value);
    }
    if kept.is_empty() {
        return Err("types is required".to_owned());
    }
    Ok(kept)
}

fn within(what: &str, value: &Value, most: usize) -> Result<(), String> {
    match value.as_str().map(|text| text.chars().count()) {
        Some(length) if (1..=most).contains(&length) => Ok(()),
        _ => Err(format!("{what} has 1 to {most} characters")),
    }
}

fn count(what: &str, value: &Value, most: usize) -> Result<(), String> {
    if (1..=most).contains(&list(value).len()) {
        return Ok(());
    }
    Err(format!("{what} has 1 to {most} entries"))
}

/// Addresses with a variable only after the domain.
fn media(value: &Value) -> Result<(), String> {
    count("media", value, 10)?;
    let good = |url: &Value| {
        let url = url.as_str().unwrap_or_default();
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        rest.and_then(|rest| rest.split_once('/'))
            .is_some_and(|(domain, _)| !domain.contains("{{"))
    };
    if list(value).iter().all(good) {
        return Ok(());
    }
    Err("media has public URLs, with variables only after the domain".to_owned())
}

/// Buttons of a call to action or a card.
fn actions(value: &mut Value, title: usize) -> Result<(), String> {
    count("actions", &value["actions"], 10)?;
    let kinds: Vec<String> = list(&value["actions"])
        .iter()
        .map(|action| action["type"].as_str().unwrap_or_default().to_owned())
        .collect();
    let count = |wanted: &str| kinds.iter().filter(|kind| *kind == wanted).count();
    if count("URL") > 2 || count("PHONE_NUMBER") + count("VOICE_CALL") > 1 || count("COPY_CODE") > 1 {
        return Err("actions has two URLs, one call and one code at most".to_owned());
    }
    let Some(actions) = value["actions"].as_array_mut() else {
        return Ok(());
    };
    for (action, kind) in actions.iter_mut().zip(&kinds) {
        within("title", &action["title"], title)?;
        match kind.as_str() {
            "QUICK_REPLY" => within("id", &action["id"], 200)?,
            "URL" => {
                let url = action["url"].as_str().unwrap_or_default();
                let at_end = url
                    .find("{{")
                    .is_none_or(|place| url[place..].find("}}") == Some(url.len() - place - 2));
                if !is_web(url) || !at_end {
                    return Err("url is absolute, with a variable at its end only".to_owned());
                }
            }
            "PHONE_NUMBER" => {
                // Written as `phone`, answered as `phone_number`.
                let phone = action["phone"].as_str().or(action["phone_number"].as_str());
                let phone = phone.and_then(crate::phones::e164).ok_or("phone is a phone number")?;
                if let Some(action) = action.as_object_mut() {
                    action.remove("phone");
                    action.insert("phone_number".to_owned(), json!(phone));
                }
            }
            "COPY_CODE" => within("code", &action["code"], 15)?,
            "VOICE_CALL" => {}
            _ => return Err(format!("{kind} is not a type of actions")),
        }
    }
    Ok(())
}

fn card(value: &mut Value) -> Result<(), String> {
    within("body", &value["body"], 1024)?;
    let (header, files) = (!value["header_text"].is_null(), !list(&value["media"]).is_empty());
    if header == files {
        return Err("a card has a header_text or media".to_owned());
    }
    if header {
        within("header_text", &value["header_text"], 60)?;
    }
    if files {
        media(&value["media"])?;
    }
    if !value["footer"].is_null() {
        within("footer", &value["footer"], 60)?;
        if value["footer"].as_str().is_some_and(|footer| footer.contains("{{")) {
            return Err("footer has no variables".to_owned());
        }
    }
    if !list(&value["actions"]).is_empty() {
        actions(value, 25)?;
    }
    Ok(())
}

fn authentication(value: &mut Value) -> Result<(), String> {
    let minutes = &value["code_expiration_minutes"];
    if !minutes.is_null() && !minutes.as_u64().is_some_and(|minutes| (1..=90).contains(&minutes)) {
        return Err("code_expiration_minutes is 1 to 90".to_owned());
    }
    let [action] = list(&value["actions"]) else {
        return Err("actions has one entry".to_owned());
    };
    if action["type"] != "COPY_CODE" {
        return Err("the action is of type COPY_CODE".to_owned());
    }
    within("copy_code_text", &action["copy_code_text"], 24)?;
    let label = action["copy_code_text"].as_str().unwrap_or_default();
    if label.trim().is_empty() || !is_line(label) {
        return Err("copy_code_text is one line".to_owned());
    }
    if value["add_security_recommendation"].is_null() {
        value["add_security_recommendation"] = json!(true);
    }
    value["body"] = json!("{{1}}");
    Ok(())
}

/// Name and category of a content's submission.
pub(super) fn submission(body: &[u8], record: &Record) -> Result<(String, String), String> {
    let input: Value = serde_json::from_slice(body).map_err(|error| format!("The body cannot be read: {error}"))?;
    let name = input["name"].as_str().unwrap_or_default();
    if name.is_empty() || !is_name(name) {
        return Err("name consists of a-z, 0-9 and _".to_owned());
    }
    let category = input["category"].as_str().unwrap_or_default();
    if !matches!(category, "UTILITY" | "MARKETING" | "AUTHENTICATION") {
        return Err("category is UTILITY, MARKETING or AUTHENTICATION".to_owned());
    }
    if record.approval.is_some() {
        return Err("The content was submitted already".to_owned());
    }
    if richest(&record.types) == "twilio/list-picker" {
        return Err("A list picker needs no approval and gets none".to_owned());
    }
    Ok((name.to_owned(), category.to_owned()))
}

/// Whether WhatsApp rejects the content for its format.
pub(super) fn unfit(record: &Record) -> bool {
    let kind = richest(&record.types);
    if kind == "whatsapp/authentication" {
        return false;
    }
    let content = &record.types[kind];
    let body = content["body"].as_str().unwrap_or_default();
    let used: BTreeSet<String> = placeholders(&content.to_string()).map(str::to_owned).collect();
    let sampled = |name: &String| record.variables.get(name).is_some_and(|sample| is_sample(sample));
    let numbers: BTreeSet<usize> = used.iter().filter_map(|name| name.parse().ok()).collect();
    let gaps = !numbers.is_empty() && numbers != (1..=numbers.len()).collect::<BTreeSet<usize>>();
    let in_body: BTreeSet<&str> = placeholders(body).collect();
    let trimmed = body.trim();
    let unspaced: String = body.split_whitespace().collect();
    body.trim().is_empty()
        || body.chars().count() > BODY_CHARACTERS
        || !is_closed(body)
        || !lines_fit(content)
        || !used.iter().all(sampled)
        || gaps
        || trimmed.starts_with("{{")
        || trimmed.ends_with("}}")
        || unspaced.contains("}}{{")
        || (!in_body.is_empty() && words(body) < 2 * in_body.len() + 1)
}

/// Whether WhatsApp takes the header, the footer and the buttons.
fn lines_fit(content: &Value) -> bool {
    let header = content["header_text"].as_str();
    let footer = content["footer"].as_str();
    let is_fit = |line: &str| is_line(line) && is_closed(line) && !line.trim().is_empty();
    let actions = list(&content["actions"]);
    let mut labels = actions.iter().filter_map(|action| action["title"].as_str());
    let mut links = actions.iter().filter_map(|action| action["url"].as_str());
    let mut kinds: Vec<bool> = actions.iter().map(|action| action["type"] == "QUICK_REPLY").collect();
    kinds.dedup();
    header.into_iter().chain(footer).all(is_fit)
        && header.is_none_or(|header| placeholders(header).collect::<BTreeSet<_>>().len() <= 1)
        && labels.all(|label| is_fit(label) && !label.contains("{{"))
        && links.all(|link| link.split_once("{{").is_none_or(|(before, _)| before.ends_with('/')))
        && kinds.iter().filter(|quick| **quick).count() <= 1
}
