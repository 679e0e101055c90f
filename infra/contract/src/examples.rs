//! What a field of some name looks like, where its own schema does not show it.

use serde_json::{Value, json};

const FIELDS: &[(&str, &str)] = &[
    ("access_token", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1c3JfMDEifQ.c2ln"),
    ("api_key_secret", "Zx81kQ0pWm3vT7rB"),
    ("app_secret", "0123456789abcdef0123456789abcdef"),
    ("auth_token", "0123456789abcdef0123456789abcdef"),
    ("kid", "k3vd7tqpmn2ax5sz"),
    ("refresh_token", "rbr_01jd4v.family.own"),
    ("secret", "0123456789abcdef0123456789abcdef"),
    ("signature_secret", "0123456789abcdef0123456789abcdef"),
    ("token", "0123456789abcdef0123456789abcdef"),
    ("verify_token", "0123456789abcdef"),
    ("x", "K4w4OdKHL8-OXfOm49GfKN0cRVJaujexIf--41nDp8Y"),
    ("y", "Quj0O1GBmSsJkoSrjxzwB7sa31sZPrTSt0UUF-XeayA"),
];

const NUMBERS: &[&str] = &["display_number", "lines", "numbers", "whatsapp_sender"];

/// Parameters of paths, by what stands before them.
const PARAMETERS: &[(&str, &str, &str)] = &[(
    "/api/v1/connections/{id}",
    "The connection's id.",
    "conn_01hq5c1ynyc0000000000000ab",
)];

const CURSOR: &str = "AWNvbm5fMDFocTVjMXlueWM";

/// Fills in what is missing.
pub(crate) fn fill(document: &mut Value) {
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.values_mut().for_each(fields);
    }
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for operation in item
            .as_object_mut()
            .into_iter()
            .flatten()
            .map(|(_, operation)| operation)
        {
            for parameter in operation
                .get_mut("parameters")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                describe(path, parameter);
            }
        }
    }
}

fn describe(path: &str, parameter: &mut Value) {
    let is_missing = |parameter: &Value, key: &str| parameter[key].is_null() && parameter["schema"][key].is_null();
    if parameter["name"] == "cursor" && is_missing(parameter, "example") {
        parameter["example"] = CURSOR.into();
    }
    let known = PARAMETERS.iter().find(|(start, ..)| path.starts_with(start));
    if let (Some((_, about, example)), true) = (known, parameter["in"] == "path") {
        if is_missing(parameter, "description") {
            parameter["description"] = (*about).into();
        }
        if is_missing(parameter, "example") {
            parameter["example"] = (*example).into();
        }
    }
}

fn fields(schema: &mut Value) {
    // Indexing would write a `null` where there are none.
    let own = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, field) in own.into_iter().flatten() {
        show(name, field);
        fields(field);
    }
    match schema {
        Value::Object(parts) => {
            for key in ["items", "additionalProperties", "oneOf", "anyOf", "allOf"] {
                match parts.get_mut(key) {
                    Some(Value::Array(all)) => all.iter_mut().for_each(fields),
                    Some(one @ Value::Object(_)) => fields(one),
                    _ => {}
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(fields),
        _ => {}
    }
}

fn show(name: &str, field: &mut Value) {
    let shown = ["example", "examples", "default", "enum", "const", "$ref"];
    if !field.is_object() || shown.iter().any(|key| field.get(*key).is_some()) {
        return;
    }
    let is = |kind: &str| {
        let kinds = &field["type"];
        kinds == kind
            || kinds
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|one| one == kind))
    };
    let example = if is("string") && field["format"] == "date-time" {
        json!("2026-11-20T12:00:00Z")
    } else if is("string") && NUMBERS.contains(&name) {
        json!("+97145550001")
    } else if is("array") && NUMBERS.contains(&name) {
        json!(["+97145550001"])
    } else if is("string")
        && let Some((_, example)) = FIELDS.iter().find(|(known, _)| *known == name)
    {
        json!(example)
    } else {
        return;
    };
    field["example"] = example;
}
