//! The document alone says what to send and what comes back.

use std::collections::{BTreeMap, BTreeSet};

use contract::{document, operations};
use domain::accounts::{Permission, Role};
use domain::terms::{FaultCode, Reason};
use serde_json::{Value, json};
use stack::contract::{is_kind, resolve};

use crate::{assert_no_findings, items_of, members};

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// Unique ids, summaries and successful responses are rules of `redocly.yaml`.
#[test]
fn every_operation_says_what_it_does_and_who_may() {
    let document = document();
    let tags = document["tags"].as_array().unwrap();
    let known: BTreeSet<&str> = tags.iter().filter_map(|tag| tag["name"].as_str()).collect();
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for operation in operations(&document) {
        let (id, value) = (operation.id(), operation.value);
        let mut say = |what: &str| wrong.push(format!("{} {} ({id}): {what}", operation.method, operation.path));
        let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !is_word(id) || !id.contains('_') {
            say("the operation id is not verb_resource");
        }
        let own: Vec<&str> = items_of(value, "tags").filter_map(Value::as_str).collect();
        match own.as_slice() {
            [tag] if known.contains(tag) => drop(used.insert(*tag)),
            _ => say("not exactly one tag that is described"),
        }
        let permission = operation.permission();
        let is_known =
            permission.parse::<Permission>().is_ok() || ["public", "person", "platform"].contains(&permission);
        if !is_known {
            say("unknown x-permission");
        }
        let security = items_of(value, "security").filter_map(Value::as_object).flatten();
        let ways: Vec<&str> = security.map(|(way, _)| way.as_str()).collect();
        let expected: &[&str] = match permission {
            "public" => &[],
            "person" | "platform" => &["bearer"],
            _ => &["bearer", "api_key"],
        };
        if ways != expected || value["security"].is_null() {
            say(&format!("security is {ways:?}"));
        }
        for status in ["429", "500"] {
            if value["responses"].get(status).is_none() {
                say(&format!("no response {status}"));
            }
        }
    }
    if known.len() < tags.len() {
        wrong.push(format!("a tag is described in two ways: {tags:?}"));
    }
    for tag in known.difference(&used) {
        wrong.push(format!("tag {tag}: no operation uses it"));
    }
    assert_no_findings(&wrong);
}

#[test]
fn every_error_is_a_problem() {
    let document = document();
    let mut wrong = Vec::new();
    for operation in operations(&document) {
        for (status, response) in members(operation.value, "responses") {
            let response = resolve(&document, response);
            if !is_text(&response["description"]) {
                wrong.push(format!("{} {status}: no description", operation.id()));
            }
            // Health tells in its own words what does not answer.
            if status.as_str() < "400" || operation.id() == "get_health" {
                continue;
            }
            let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
            if schema != "#/components/schemas/Problem" {
                wrong.push(format!("{} {status}: no problem, but {schema}", operation.id()));
            }
        }
    }
    assert_no_findings(&wrong);
}

#[test]
fn every_parameter_is_described_with_an_example() {
    let document = document();
    let mut wrong = Vec::new();
    for operation in operations(&document) {
        for parameter in items_of(operation.value, "parameters") {
            let parameter = resolve(&document, parameter);
            let schema = resolve(&document, &parameter["schema"]);
            let name = &parameter["name"];
            if !is_text(&parameter["description"]) {
                wrong.push(format!("{} {name}: no description", operation.id()));
            }
            let shown = [
                &parameter["example"],
                &parameter["examples"],
                &schema["example"],
                &schema["examples"],
                &schema["default"],
                &schema["enum"],
            ];
            if schema["type"] != "boolean" && shown.iter().all(|example| example.is_null()) {
                wrong.push(format!("{} {name}: no example", operation.id()));
            }
        }
    }
    assert_no_findings(&wrong);
}

/// `x-roles` says of each operation which roles its guard admits, and names no permission that opens nothing.
#[test]
fn roles_of_the_document_are_those_of_the_guards() {
    let document = document();
    let listed = document["x-roles"].as_array().unwrap();
    let roles: Vec<_> = listed.iter().map(|role| role["role"].as_str().unwrap()).collect();
    assert_eq!(roles, Role::ALL.map(Role::as_str));
    let mut opened = BTreeSet::new();
    for operation in operations(&document) {
        let Ok(permission) = operation.permission().parse::<Permission>() else {
            continue;
        };
        opened.insert(permission.as_str());
        for (role, listed) in Role::ALL.into_iter().zip(listed) {
            let mut named = listed["permissions"].as_array().unwrap().iter();
            let may = named.any(|word| word == operation.permission());
            assert_eq!(may, role.may(permission), "{role}: {}", operation.id());
        }
    }
    for role in listed {
        let words = role["permissions"].as_array().unwrap().iter();
        let words: Vec<_> = words.map(|word| word.as_str().unwrap()).collect();
        let unique: BTreeSet<_> = words.iter().copied().collect();
        assert!(unique.len() == words.len() && unique.is_subset(&opened), "{words:?}");
    }
}

/// `x-codes` lists every code once, with a meaning and the facts that a sentence can have.
#[test]
fn codes_are_listed_with_their_facts() {
    let document = document();
    let codes = &document["x-codes"];
    let listed = |kind: &str| -> Vec<&Value> { codes[kind].as_array().unwrap().iter().collect() };
    let faults: Vec<_> = FaultCode::ALL.iter().map(|code| code.as_str()).collect();
    let reasons = Reason::ALL.iter().map(|code| code.as_str()).collect();
    for (kind, expected) in [("faults", faults), ("reasons", reasons)] {
        let words: Vec<_> = listed(kind).iter().map(|code| code["code"].as_str().unwrap()).collect();
        assert_eq!(words, expected);
        let unique: BTreeSet<_> = words.iter().collect();
        assert_eq!(unique.len(), words.len(), "{kind}");
        let is_described = |code: &&Value| is_text(&code["means"]) && code["facts"].is_array();
        assert!(listed(kind).iter().all(is_described), "{kind}");
    }
    let mut faults = listed("faults").into_iter();
    let too_long = faults.find(|code| code["code"] == "too_long").unwrap();
    assert_eq!(too_long["facts"], json!(["minimum", "maximum"]));
}

/// Fields of a schema without a description.
fn find_undescribed_fields(document: &Value, at: &str, schema: &Value, wrong: &mut Vec<String>) {
    for (name, field) in members(schema, "properties") {
        let path = format!("{at}.{name}");
        // Of an optional one the words stand with the reference.
        let parts = ["oneOf", "anyOf", "allOf"]
            .into_iter()
            .flat_map(|key| items_of(field, key));
        let is_said = |part: &Value| is_text(&part["description"]) || is_text(&resolve(document, part)["description"]);
        if !is_said(field) && !parts.into_iter().any(is_said) {
            // The words that tell variants apart say themselves what they are.
            let is_word = field["enum"].as_array().is_some_and(|values| values.len() == 1) || !field["const"].is_null();
            if !is_word {
                wrong.push(format!("{path}: no description"));
            }
        }
        find_undescribed_fields(document, &path, field, wrong);
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            find_undescribed_fields(document, at, &schema[key], wrong);
        }
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        items_of(schema, key).for_each(|part| find_undescribed_fields(document, at, part, wrong));
    }
}

#[test]
fn every_schema_and_every_field_is_described() {
    let document = document();
    let mut wrong = Vec::new();
    for (name, schema) in members(&document["components"], "schemas") {
        if !is_text(&schema["description"]) {
            wrong.push(format!("{name}: no description"));
        }
        find_undescribed_fields(&document, name, schema, &mut wrong);
    }
    assert_no_findings(&wrong);
}

/// Path of the first field of a schema without an example of its own or of its parts.
fn unshown(document: &Value, schema: &Value, seen: &mut Vec<String>) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        if seen.iter().any(|known| known == reference) {
            return None;
        }
        seen.push(reference.to_owned());
        return unshown(document, resolve(document, schema), seen);
    }
    let own = ["example", "examples", "enum", "const", "default"];
    if own.iter().any(|key| !schema[*key].is_null()) {
        return None;
    }
    if is_kind(schema, "boolean")
        || schema.as_object().is_some_and(serde_json::Map::is_empty)
        || schema["type"] == "null"
    {
        return None;
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[key].as_array() {
            return parts.iter().find_map(|part| unshown(document, part, seen));
        }
    }
    if is_kind(schema, "array") {
        return unshown(document, &schema["items"], seen).map(|path| format!("[]{path}"));
    }
    if let Some(fields) = schema["properties"].as_object() {
        let mut fields = fields.iter();
        return fields.find_map(|(name, field)| unshown(document, field, seen).map(|path| format!(".{name}{path}")));
    }
    if schema["additionalProperties"].is_object() {
        return unshown(document, &schema["additionalProperties"], seen);
    }
    // Anything at all.
    (!schema["type"].is_null() && !is_kind(schema, "object")).then(String::new)
}

#[test]
fn every_body_has_an_example_of_each_of_its_fields() {
    let document = document();
    let mut wrong = BTreeMap::new();
    for operation in operations(&document) {
        let responses = members(operation.value, "responses");
        let responses = responses.map(|(status, response)| (status.as_str(), response));
        for (what, body) in responses.chain([("body", &operation.value["requestBody"])]) {
            for (_, media) in members(resolve(&document, body), "content") {
                let own = !media["example"].is_null() || !media["examples"].is_null();
                let schema = &media["schema"];
                let missing = (!own).then(|| unshown(&document, schema, &mut Vec::new())).flatten();
                if let Some(path) = missing {
                    let name = schema["$ref"].as_str().unwrap_or("a schema of its own");
                    wrong.insert(format!("{name}{path}"), format!("{} {what}", operation.id()));
                }
            }
        }
    }
    let wrong = wrong
        .iter()
        .map(|(schema, place)| format!("{schema} ({place}): no example"));
    assert_no_findings(&wrong.collect::<Vec<_>>());
}
