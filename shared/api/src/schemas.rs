//! Schemas of types as `schemars` makes them, in the form that tools for OpenAPI know best.

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Place of the schemas in the document.
const PLACE: &str = "/components/schemas";

/// A reference to a schema of this name.
pub(crate) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#{PLACE}/{name}")})
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = PLACE.into();
        settings.meta_schema = None;
    })
}

/// Schemas of requests and of responses. They differ: a field with a default can be omitted in a request, but is in every response.
pub(crate) struct Schemas {
    sent: SchemaGenerator,
    answered: SchemaGenerator,
    patches: Map<String, Value>,
}

impl Default for Schemas {
    fn default() -> Self {
        Self {
            sent: settings().for_deserialize().into_generator(),
            answered: settings().for_serialize().into_generator(),
            patches: Map::new(),
        }
    }
}

impl Schemas {
    /// Schema of a type in a request: a reference, or inline.
    pub(crate) fn request_schema<T: JsonSchema>(&mut self) -> Value {
        tidied_schema(self.sent.subschema_for::<T>())
    }

    /// Schema of a type in a response.
    pub(crate) fn response_schema<T: JsonSchema>(&mut self) -> Value {
        tidied_schema(self.answered.subschema_for::<T>())
    }

    /// Schemas of the fields of a type. Each of them is a parameter.
    pub(crate) fn fields<T: JsonSchema>(&mut self) -> Map<String, Value> {
        tidied_schema(T::json_schema(&mut self.sent))
            .as_object()
            .cloned()
            .unwrap_or_default()
    }

    /// Schema of a type's merge patch: no field is required, optional fields accept `null`, and the same holds for nested objects.
    pub(crate) fn patch<T: JsonSchema>(&mut self) -> Value {
        let mut own = settings().for_deserialize().into_generator();
        let mut schema = tidied_schema(own.subschema_for::<T>());
        let mut patches = Patches {
            whole: definitions(&mut own),
            made: Map::new(),
        };
        patches.point(&mut schema);
        let Patches { whole, made } = patches;
        self.patches.extend(whole.into_iter().chain(made));
        schema
    }

    /// All named schemas. A type in both requests and responses has the schema of requests, which holds for both.
    pub(crate) fn into_components(mut self) -> Map<String, Value> {
        let mut all = definitions(&mut self.answered);
        // A response can have more fields one day.
        for schema in all.values_mut().filter_map(Value::as_object_mut) {
            if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
                schema.remove("additionalProperties");
            }
        }
        all.extend(self.patches);
        all.extend(definitions(&mut self.sent));
        all
    }
}

fn definitions(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let all = generator.take_definitions(false).into_iter();
    all.map(|(name, schema)| (name, Schema::try_from(schema).map_or(Value::Null, tidied_schema)))
        .collect()
}

fn tidied_schema(mut schema: Schema) -> Value {
    tidy(&mut schema);
    match schema.to_value() {
        // Anything at all.
        Value::Bool(true) => json!({}),
        schema => schema,
    }
}

/// Replaces what tools know less well: one example instead of a list, words as a list, formats of the registry.
fn tidy(schema: &mut Schema) {
    transform_subschemas(&mut tidy, schema);
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(examples)) = object.get("examples")
        && let [example] = examples.as_slice()
    {
        let example = example.clone();
        object.remove("examples");
        object.insert("example".to_owned(), example);
    }
    match object.get("format").and_then(Value::as_str) {
        Some("uint8" | "uint16" | "uint32") => drop(object.insert("format".to_owned(), "int32".into())),
        Some("uint64") => drop(object.insert("format".to_owned(), "int64".into())),
        Some("uint" | "ip") => drop(object.remove("format")),
        _ => {}
    }
    // An omitted list or object is empty anyway.
    if object
        .get("default")
        .is_some_and(|usual| usual.is_null() || usual.is_array() || usual.is_object())
    {
        object.remove("default");
    }
    // A value, or `null`: exactly one of them.
    if let Some(Value::Array(choices)) = object.get("anyOf")
        && choices.iter().any(|choice| choice["type"] == "null")
        && let Some(choices) = object.remove("anyOf")
    {
        object.insert("oneOf".to_owned(), choices);
    }
    let words = object.get("oneOf").and_then(Value::as_array).and_then(|choices| {
        let words = |choice: &Value| match (choice.get("const"), choice.get("enum")) {
            (Some(word), None) => Some(vec![word.clone()]),
            (None, Some(Value::Array(words))) => Some(words.clone()),
            _ => None,
        };
        let words: Option<Vec<_>> = choices.iter().map(words).collect();
        words.map(|words| words.concat())
    });
    if let Some(words) = words {
        object.remove("oneOf");
        object.insert("type".to_owned(), "string".into());
        object.insert("enum".to_owned(), words.into());
    }
}

/// Schemas of merge patches, derived from the schemas of the types that they change.
struct Patches {
    whole: Map<String, Value>,
    made: Map<String, Value>,
}

impl Patches {
    /// Replaces the reference to an object by one to its patch. Anything else is replaced as a whole.
    fn point(&mut self, schema: &mut Value) {
        let Some(name) = schema["$ref"]
            .as_str()
            .and_then(|reference| reference.rsplit('/').next())
        else {
            return;
        };
        let Some(whole) = self.whole.get(name).filter(|whole| whole["properties"].is_object()) else {
            return;
        };
        let patch = format!("{}Patch", name.trim_end_matches("Patch"));
        let mut whole = whole.clone();
        schema["$ref"] = reference(&patch)["$ref"].clone();
        if !self.made.contains_key(&patch) {
            // Known before its fields are looked at: one of them may be of the same kind.
            self.made.insert(patch.clone(), Value::Null);
            self.loosen(&mut whole);
            self.made.insert(patch, whole);
        }
    }

    fn loosen(&mut self, schema: &mut Value) {
        let Some(object) = schema.as_object_mut() else { return };
        if object.contains_key("$ref") {
            return self.point(schema);
        }
        let required = object.remove("required").unwrap_or_default();
        let required = required.as_array().map_or(&[][..], Vec::as_slice);
        for (name, field) in object
            .get_mut("properties")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten()
        {
            self.loosen(field);
            if !required.iter().any(|known| known == name) {
                or_null(field);
            }
        }
        // A list is replaced whole, an object's values are merged.
        if let Some(value) = object.get_mut("additionalProperties").filter(|value| value.is_object()) {
            self.loosen(value);
            or_null(value);
        }
        for key in ["oneOf", "anyOf", "allOf"] {
            let parts = object.get_mut(key).and_then(Value::as_array_mut);
            parts.into_iter().flatten().for_each(|part| self.loosen(part));
        }
    }
}

/// Lets the schema also accept `null`.
fn or_null(field: &mut Value) {
    let word = json!("null");
    let Some(object) = field.as_object_mut() else { return };
    if let Some(kind) = object.get_mut("type") {
        match kind {
            Value::Array(kinds) if kinds.contains(&word) => {}
            Value::Array(kinds) => kinds.push(word),
            one if *one == word => {}
            one => *one = json!([one, word]),
        }
        if let Some(words) = object.get_mut("enum").and_then(Value::as_array_mut)
            && !words.contains(&Value::Null)
        {
            words.push(Value::Null);
        }
        return;
    }
    let is_null = |choice: &Value| choice["type"] == "null";
    let choices = ["oneOf", "anyOf"].into_iter().find(|key| object.contains_key(*key));
    match choices.and_then(|key| object.get_mut(key)?.as_array_mut()) {
        Some(choices) if choices.iter().any(is_null) => {}
        Some(choices) => choices.push(json!({"type": "null"})),
        None => *field = json!({"oneOf": [field, {"type": "null"}]}),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::{Map, Value, json};

    use super::Schemas;

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is read")]
    struct Shop {
        /// Required.
        name: String,
        /// Has a default.
        #[serde(default)]
        words: Vec<Hours>,
        /// Optional.
        hours: Option<Hours>,
        /// Has defaults.
        #[serde(default)]
        limits: Limits,
        /// A removed one is `null`.
        #[serde(default)]
        texts: BTreeMap<String, String>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is read")]
    struct Hours {
        from: u8,
    }

    #[derive(Default, Deserialize, JsonSchema)]
    #[schemars(rename = "LimitsPatch")]
    #[expect(dead_code, reason = "only its schema is read")]
    struct Limits {
        #[serde(default)]
        kind: Kind,
    }

    #[derive(Default, Deserialize, JsonSchema)]
    enum Kind {
        /// The default.
        #[default]
        Small,
    }

    fn patch() -> Map<String, Value> {
        let mut schemas = Schemas::default();
        assert_eq!(
            schemas.patch::<Shop>(),
            json!({"$ref": "#/components/schemas/ShopPatch"})
        );
        schemas.into_components()
    }

    #[test]
    fn a_patch_needs_nothing_and_null_is_for_what_can_do_without() {
        let schemas = patch();
        let shop = &schemas["ShopPatch"];
        assert_eq!(shop.get("required"), None);
        let fields = &shop["properties"];
        assert_eq!(fields["name"]["type"], "string");
        assert_eq!(fields["words"]["type"], json!(["array", "null"]));
        assert_eq!(fields["texts"]["type"], json!(["object", "null"]));
        assert_eq!(
            fields["texts"]["additionalProperties"]["type"],
            json!(["string", "null"])
        );
        for (field, patch) in [("hours", "HoursPatch"), ("limits", "LimitsPatch")] {
            let choices = fields[field]["oneOf"]
                .as_array()
                .or(fields[field]["anyOf"].as_array())
                .unwrap();
            let is = |wanted: &str| choices.iter().any(|choice| choice["type"] == wanted);
            let refers = |name: &str| {
                let place = format!("#/components/schemas/{name}");
                choices.iter().any(|choice| choice["$ref"] == place)
            };
            assert!(
                choices.len() == 2 && is("null") && refers(patch),
                "{field}: {choices:?}"
            );
        }
    }

    #[test]
    fn so_it_is_with_the_objects_in_it_but_a_list_is_replaced_whole() {
        let schemas = patch();
        assert_eq!(schemas["HoursPatch"].get("required"), None);
        assert_eq!(schemas["HoursPatch"]["properties"]["from"]["type"], "integer");
        let words = &schemas["ShopPatch"]["properties"]["words"]["items"];
        assert_eq!(words["$ref"], "#/components/schemas/Hours");
        assert_eq!(schemas["Hours"]["required"], json!(["from"]));
        assert_eq!(schemas["Kind"]["enum"], json!(["Small"]));
    }
}
