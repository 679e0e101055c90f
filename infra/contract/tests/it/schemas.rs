//! Schemas describe exactly what is sent and answered.

use std::collections::BTreeSet;

use contract::{document, operations};
use serde_json::Value;
use stack::contract::resolve;

use crate::{assert_no_findings, bodies, items_of, members};

fn kinds(schema: &Value) -> Vec<&str> {
    let several = items_of(schema, "type").filter_map(Value::as_str);
    schema["type"].as_str().into_iter().chain(several).collect()
}

fn kind(value: &Value) -> &'static [&'static str] {
    match value {
        Value::Null => &["null"],
        Value::Bool(_) => &["boolean"],
        Value::Number(number) if number.is_f64() => &["number"],
        Value::Number(_) => &["integer", "number"],
        Value::String(_) => &["string"],
        Value::Array(_) => &["array"],
        Value::Object(_) => &["object"],
    }
}

/// Differences between a value and its schema, except formats and patterns.
fn misfits(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let schema = resolve(document, schema);
    let fits = |part: &&Value| misfits(document, part, value, at).is_empty();
    let mut wrong = Vec::new();
    let mut must = |fine: bool, what: &str| {
        if !fine {
            wrong.push(format!("{at}: {what}: {value}"));
        }
    };
    let (expected, lacks) = (kinds(schema), |key: &str| schema[key].is_null());
    let of_kind = expected.is_empty() || kind(value).iter().any(|own| expected.contains(own));
    must(of_kind, &format!("not of {expected:?}"));
    let known = lacks("enum") || items_of(schema, "enum").any(|word| word == value);
    must(known, "unknown word");
    must(lacks("const") || schema["const"] == *value, "another word");
    let one = lacks("oneOf") || items_of(schema, "oneOf").filter(fits).count() == 1;
    must(one, "not one of them");
    let any = lacks("anyOf") || items_of(schema, "anyOf").any(|part| fits(&part));
    must(any, "none of them");
    let within = |size: Option<f64>, least: &str, most: &str| {
        let limit = |key: &str| schema[key].as_f64();
        size.is_none_or(|size| {
            limit(least).is_none_or(|least| least <= size) && limit(most).is_none_or(|most| size <= most)
        })
    };
    let count = |count: usize| u32::try_from(count).ok().map(f64::from);
    must(within(value.as_f64(), "minimum", "maximum"), "out of bounds");
    let letters = value.as_str().and_then(|text| count(text.chars().count()));
    must(within(letters, "minLength", "maxLength"), "too short or too long");
    let items = value.as_array().and_then(|items| count(items.len()));
    must(within(items, "minItems", "maxItems"), "too few or too many");
    let fields = value.as_object().and_then(|fields| count(fields.len()));
    must(within(fields, "minProperties", "maxProperties"), "too few or too many");
    for name in items_of(schema, "required").filter_map(Value::as_str) {
        let there = value.get(name).is_some() || !value.is_object();
        must(there, &format!("{name} is missing"));
    }
    for part in items_of(schema, "allOf") {
        wrong.extend(misfits(document, part, value, at));
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        wrong.extend(misfits(document, &schema["items"], item, &format!("{at}[{index}]")));
    }
    for (name, field) in value.as_object().into_iter().flatten() {
        let path = format!("{at}.{name}");
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(own), _) => wrong.extend(misfits(document, own, field, &path)),
            (None, Value::Bool(false)) => wrong.push(format!("{path}: unknown field")),
            (None, more @ Value::Object(_)) => wrong.extend(misfits(document, more, field, &path)),
            _ => {}
        }
    }
    wrong
}

#[test]
fn every_request_is_shown_and_is_what_its_schema_says() {
    let document = document();
    let mut wrong = Vec::new();
    for operation in operations(&document) {
        for (_, media) in bodies(&operation) {
            let named = members(media, "examples").map(|(_, example)| &example["value"]);
            let examples: Vec<_> = named.chain(media.get("example")).collect();
            if examples.is_empty() {
                wrong.push(format!("{}: no example", operation.id()));
            }
            for example in examples {
                wrong.extend(misfits(&document, &media["schema"], example, operation.id()));
            }
        }
    }
    assert_no_findings(&wrong);
}

/// Parts of a schema without a bound, so that a client cannot know what is refused.
fn find_unbounded_parts(
    document: &Value,
    schema: &Value,
    at: &str,
    seen: &mut BTreeSet<String>,
    wrong: &mut BTreeSet<String>,
) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        if seen.insert(reference.to_owned()) {
            find_unbounded_parts(document, resolve(document, schema), name, seen, wrong);
        }
        return;
    }
    let has = |keys: &[&str]| keys.iter().any(|key| !schema[*key].is_null());
    for kind in kinds(schema) {
        let fine = match kind {
            "string" => {
                let format = schema["format"].as_str().unwrap_or_default();
                has(&["maxLength", "pattern", "enum", "const"]) || format.starts_with("date")
            }
            "array" => has(&["maxItems"]),
            "integer" | "number" => has(&["enum"]) || has(&["maximum"]) && has(&["minimum"]),
            "object" => {
                let more = &schema["additionalProperties"];
                more.is_null() || *more == false || has(&["maxProperties"])
            }
            _ => true,
        };
        if !fine {
            wrong.insert(format!("{at}: {kind} without a limit"));
        }
    }
    for (name, field) in members(schema, "properties") {
        find_unbounded_parts(document, field, &format!("{at}.{name}"), seen, wrong);
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            find_unbounded_parts(document, &schema[key], &format!("{at}[]"), seen, wrong);
        }
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        items_of(schema, key).for_each(|part| find_unbounded_parts(document, part, at, seen, wrong));
    }
}

#[test]
fn whatever_is_sent_has_a_limit_that_the_document_names() {
    let document = document();
    let (mut seen, mut wrong) = (BTreeSet::new(), BTreeSet::new());
    for operation in operations(&document) {
        for (_, media) in bodies(&operation) {
            find_unbounded_parts(&document, &media["schema"], operation.id(), &mut seen, &mut wrong);
        }
    }
    assert_no_findings(&wrong.into_iter().collect::<Vec<_>>());
}

#[test]
fn lists_name_their_items() {
    let document = document();
    let lists = members(&document["components"], "schemas");
    let lists: Vec<_> = lists.filter(|(name, _)| name.starts_with("Listed_")).collect();
    assert!(!lists.is_empty());
    for (name, list) in lists {
        let item = name.trim_start_matches("Listed_");
        let items = &list["properties"]["items"]["items"];
        assert_eq!(items["$ref"], format!("#/components/schemas/{item}"), "{name}");
        assert_eq!(list["required"], serde_json::json!(["items", "next_cursor"]), "{name}");
    }
}

#[test]
fn answers_name_their_headers() {
    let document = document();
    let mut wrong = Vec::new();
    for operation in operations(&document) {
        let parameter = |name: &str| items_of(operation.value, "parameters").any(|known| known["name"] == name);
        let guarded = operation.permission() != "public";
        for (status, response) in members(operation.value, "responses") {
            let response = resolve(&document, response);
            let mut expected = vec!["X-Correlation-Id"];
            if status.starts_with('2') {
                // Who may name a version is told it; who takes something away has none to tell.
                expected.extend((parameter("If-Match") && status == "200").then_some("ETag"));
                expected.extend((status == "201" && guarded).then_some("Location"));
                expected.extend(guarded.then_some("RateLimit-Remaining"));
                expected.extend(parameter("Idempotency-Key").then_some("Idempotency-Replayed"));
            }
            for name in expected.into_iter().filter(|name| response["headers"][*name].is_null()) {
                wrong.push(format!("{} {status}: no {name}", operation.id()));
            }
        }
    }
    assert_no_findings(&wrong);
}
