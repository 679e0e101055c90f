//! Examples for fields whose schema shows none, and whole bodies made of them.

use serde_json::{Map, Value, json};
use stack::contract::{is_kind, resolve};

const FIELDS: &[(&str, &str)] = &[
    ("account_sid", "AC000000000000000000000000000000b1"),
    ("access_token", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1c3JfMDEifQ.c2ln"),
    ("api_key", "abcd1234"),
    ("api_key_secret", "Zx81kQ0pWm3vT7rB"),
    ("app_secret", "0123456789abcdef0123456789abcdef"),
    ("application_id", "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"),
    ("auth_id", "MAXXXXXXXXXXXXXXXXXX"),
    ("auth_token", "0123456789abcdef0123456789abcdef"),
    ("country_code", "91"),
    ("kid", "k3vd7tqpmn2ax5sz"),
    ("messaging_service_sid", "MG000000000000000000000000000000b1"),
    ("next_cursor", CURSOR),
    ("phone_number_id", "910000000000101"),
    ("refresh_token", "rbr_01jd4v.family.own"),
    ("secret", "0123456789abcdef0123456789abcdef"),
    ("signature_secret", "0123456789abcdef0123456789abcdef"),
    ("signing_key", "0123456789abcdef0123456789abcdef"),
    ("token", "0123456789abcdef0123456789abcdef"),
    ("verified_name", "Saffron Bakery"),
    ("verify_token", "0123456789abcdef"),
    ("waba_id", "900000000000101"),
    ("x", "K4w4OdKHL8-OXfOm49GfKN0cRVJaujexIf--41nDp8Y"),
    ("y", "Quj0O1GBmSsJkoSrjxzwB7sa31sZPrTSt0UUF-XeayA"),
];

/// Fields that form a valid request, for operations whose fields exclude each other.
const TOGETHER: &[(&str, &[&str])] = &[
    ("dry_run_automations", &["call"]),
    ("log_in", &["email", "password", "session"]),
    ("preview_message", &["phone", "category", "basis", "sms_text"]),
    ("remove_second_factor", &["password", "code"]),
    ("replace_recovery_codes", &["password", "code"]),
    ("send_message", &["phone", "category", "basis", "sms_text"]),
    ("send_reply", &["seen", "text"]),
    ("send_template", &["phone", "category", "basis", "template"]),
    ("set_user_availability", &["available"]),
    ("start_conversation", &["phone", "category", "basis", "sms_text"]),
    ("update_connection", &["name"]),
    ("update_field", &["name", "options"]),
];

const NUMBERS: &[&str] = &["display_number", "numbers", "whatsapp_sender"];

const CURSOR: &str = "AWNvbm5fMDFocTVjMXlueWM";

/// Adds the examples that the document lacks.
pub(crate) fn fill(document: &mut Value) {
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.values_mut().for_each(fields);
    }
    for operation in crate::operations_mut(document) {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            if parameter["name"] == "cursor" && parameter["example"].is_null() {
                parameter["example"] = CURSOR.into();
            }
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
    let example = if is_kind(field, "string") && field["format"] == "date-time" {
        json!("2026-11-20T12:00:00Z")
    } else if is_kind(field, "string") && NUMBERS.contains(&name) {
        json!("+97145550001")
    } else if is_kind(field, "array") && NUMBERS.contains(&name) {
        json!(["+97145550001"])
    } else if is_kind(field, "array") && name == "sources" {
        json!(["192.0.2.0/24"])
    } else if is_kind(field, "string")
        && let Some((_, example)) = FIELDS.iter().find(|(known, _)| *known == name)
    {
        json!(example)
    } else {
        return;
    };
    field["example"] = example;
}

/// Adds a whole example to every request: one per kind, if a field distinguishes kinds.
pub(crate) fn bodies(document: &mut Value) {
    let mut shown = Vec::new();
    for operation in crate::operations(document) {
        let content = operation.value["requestBody"]["content"].as_object();
        for (kind, media) in content.into_iter().flatten() {
            let schema = resolve(document, &media["schema"]);
            let (key, example) = match schema["discriminator"]["mapping"].as_object() {
                Some(kinds) => {
                    let named = |(kind, reference): (&String, &Value)| {
                        let schema = json!({"$ref": reference});
                        let example = body(document, operation.id(), &schema)?;
                        Some((kind.clone(), json!({"value": example})))
                    };
                    ("examples", Some(kinds.iter().filter_map(named).collect()))
                }
                None => ("example", body(document, operation.id(), schema)),
            };
            let place = (operation.path.to_owned(), operation.method.to_owned(), kind.clone());
            shown.extend(example.map(|example| (place, key, example)));
        }
    }
    for ((path, method, kind), key, example) in shown {
        document["paths"][path][method]["requestBody"]["content"][kind][key] = example;
    }
}

fn body(document: &Value, operation: &str, schema: &Value) -> Option<Value> {
    let mut body = example(document, schema, 0)?;
    let together = TOGETHER.iter().find(|(known, _)| *known == operation);
    if let (Some((_, fields)), Some(all)) = (together, body.as_object_mut()) {
        all.retain(|name, _| fields.contains(&name.as_str()));
    }
    Some(body)
}

/// Example of a schema: its own, or one composed of its fields'. Optional fields without an example are omitted.
fn example(document: &Value, schema: &Value, depth: usize) -> Option<Value> {
    const DEEPEST: usize = 12;
    // What stands beside a reference is of this field alone.
    let (field, schema) = (schema, resolve(document, schema));
    let own = |schema: &Value| {
        let all = [
            &schema["example"],
            &schema["examples"][0],
            &schema["const"],
            &schema["default"],
            &schema["enum"][0],
        ];
        all.into_iter().find(|own| !own.is_null()).cloned()
    };
    if let Some(own) = own(field).or_else(|| own(schema)) {
        return Some(own);
    }
    if depth > DEEPEST {
        return None;
    }
    let of = |schema| example(document, schema, depth + 1);
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().filter_map(of);
        let fields = parts.filter_map(|part| part.as_object().cloned()).flatten();
        return Some(Value::Object(fields.collect()));
    }
    for key in ["oneOf", "anyOf"] {
        let mut choices = schema[key].as_array().into_iter().flatten();
        if let Some(first) = choices.find(|choice| choice["type"] != "null") {
            return of(first);
        }
    }
    if let Some(fields) = schema["properties"].as_object() {
        // An example can be sent by any tenant and, where possible, twice, so it names nothing and has no value that must be unique,
        // unless it is required.
        let required = |name: &str| {
            let mut names = schema["required"].as_array().into_iter().flatten();
            names.any(|required| required == name)
        };
        let left_out = |name: &str, field: &Value| {
            let fixed = ["readOnly", "x-refers"].iter().any(|mark| field[mark] == true);
            fixed || field["x-unique"] == true && !required(name)
        };
        let fields = fields.iter().filter(|(name, field)| !left_out(name, field));
        let shown: Map<_, _> = fields
            .filter_map(|(name, field)| Some((name.clone(), of(field)?)))
            .collect();
        return Some(Value::Object(shown));
    }
    if schema["items"].is_object() {
        return Some(Value::Array(vec![of(&schema["items"])?]));
    }
    (schema["type"] == "boolean").then_some(Value::Bool(false))
}
