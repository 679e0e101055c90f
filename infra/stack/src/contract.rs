//! `docs/openapi.json` as tools and tests read it.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::place::Place;

/// The contract that the checkout holds.
#[derive(Debug, Clone)]
pub struct Contract {
    document: Value,
}

/// An operation of a document.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// `get`, `post` and so on.
    pub method: &'a str,
    /// With its parameters in braces.
    pub path: &'a str,
    /// All that is said of it.
    pub value: &'a Value,
}

impl<'a> Operation<'a> {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.value["operationId"].as_str().unwrap_or_default()
    }

    /// Who may call it: a permission's word, `person`, `platform` or `public`.
    #[must_use]
    pub fn permission(&self) -> &'a str {
        self.value["x-permission"].as_str().unwrap_or_default()
    }

    /// The names of the path's parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let pieces = self.path.split('{').skip(1);
        pieces.filter_map(|piece| piece.split('}').next())
    }

    /// Its path with these values for its parameters.
    #[must_use]
    pub fn path_with(&self, values: &[(&str, String)]) -> String {
        let fill = |path: String, (name, value): &(&str, String)| path.replace(&format!("{{{name}}}"), value);
        values.iter().fold(self.path.to_owned(), fill)
    }
}

/// A document's operations, in the order of their paths.
pub fn operations(document: &Value) -> impl Iterator<Item = Operation<'_>> {
    const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        let methods = methods.filter(|(method, _)| METHODS.contains(&method.as_str()));
        methods.map(move |(method, value)| Operation { method, path, value })
    })
}

impl Contract {
    /// Reads it.
    pub fn read(place: &Place) -> Result<Self> {
        let file = place.root.join("docs/openapi.json");
        let text = std::fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
        let document = serde_json::from_slice(&text).with_context(|| format!("understanding {}", file.display()))?;
        Ok(Self { document })
    }

    /// All its operations.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        operations(&self.document)
    }

    /// The document with these operations only.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&Operation<'_>) -> bool) -> Value {
        let mut paths: Map<String, Value> = Map::new();
        for operation in self.operations().filter(wanted) {
            let item = paths.entry(operation.path).or_insert_with(|| Value::Object(Map::new()));
            item[operation.method] = operation.value.clone();
        }
        let mut document = self.document.clone();
        document["paths"] = Value::Object(paths);
        document
    }

    /// A body that the operation takes, of the document's own examples, with its content type; `None` where it takes none.
    #[must_use]
    pub fn example_body(&self, operation: &Operation<'_>) -> Option<(String, Value)> {
        let body = self.resolve(&operation.value["requestBody"]);
        let (kind, media) = body["content"].as_object()?.iter().next()?;
        let own = &media["example"];
        let body = if own.is_null() {
            self.example(&media["schema"], 0)
        } else {
            own.clone()
        };
        Some((kind.clone(), body))
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => {
                let found = self.document.pointer(reference.trim_start_matches('#'));
                found.unwrap_or(&Value::Null)
            }
            None => value,
        }
    }

    /// An example of a schema: its own, or put together of its fields'.
    fn example(&self, schema: &Value, depth: usize) -> Value {
        const DEEPEST: usize = 12;
        let schema = self.resolve(schema);
        let own = [
            &schema["example"],
            &schema["examples"][0],
            &schema["const"],
            &schema["default"],
            &schema["enum"][0],
        ];
        if let Some(own) = own.into_iter().find(|own| !own.is_null()) {
            return own.clone();
        }
        if depth > DEEPEST {
            return Value::Null;
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let parts = parts.iter().map(|part| self.example(part, depth + 1));
            let fields = parts.filter_map(|part| part.as_object().cloned()).flatten();
            return Value::Object(fields.collect());
        }
        for key in ["oneOf", "anyOf"] {
            let mut choices = schema[key].as_array().into_iter().flatten();
            if let Some(first) = choices.find(|choice| choice["type"] != "null") {
                return self.example(first, depth + 1);
            }
        }
        if let Some(fields) = schema["properties"].as_object() {
            let shown = fields
                .iter()
                .map(|(name, field)| (name.clone(), self.example(field, depth + 1)));
            return Value::Object(shown.collect());
        }
        if schema["items"].is_object() {
            return Value::Array(vec![self.example(&schema["items"], depth + 1)]);
        }
        Value::Null
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn contract() -> Contract {
        let schema = json!({"type": "object", "properties": {
            "name": {"type": "string", "example": "n"},
            "kinds": {"type": "array", "items": {"type": "string", "enum": ["k"]}},
            "maybe": {"oneOf": [{"type": "null"}, {"type": "integer", "example": 3}]},
        }});
        let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/C"}}});
        let document = json!({
            "paths": {
                "/a/{x}/b/{y}": {"get": {"operationId": "get_b", "x-permission": "public"}, "parameters": []},
                "/c": {"post": {
                    "operationId": "create_c", "x-permission": "tenant:write", "requestBody": {"content": content},
                }},
            },
            "components": {"schemas": {"C": schema}},
        });
        Contract { document }
    }

    #[test]
    fn operations_are_found_and_their_paths_filled() {
        let contract = contract();
        let all: Vec<_> = contract.operations().collect();
        assert_eq!(all.iter().map(Operation::id).collect::<Vec<_>>(), ["get_b", "create_c"]);
        assert_eq!(all[0].parameters().collect::<Vec<_>>(), ["x", "y"]);
        let values = [("x", "1".to_owned()), ("y", "2".to_owned())];
        assert_eq!(all[0].path_with(&values), "/a/1/b/2");
        let public = contract.only(|operation| operation.permission() == "public");
        assert_eq!(public["paths"].as_object().map(Map::len), Some(1));
    }

    #[test]
    fn a_body_is_made_of_its_fields_examples() {
        let contract = contract();
        let create = contract
            .operations()
            .find(|operation| operation.id() == "create_c")
            .unwrap();
        let (kind, body) = contract.example_body(&create).unwrap();
        let expected = json!({"name": "n", "kinds": ["k"], "maybe": 3});
        assert_eq!((kind.as_str(), body), ("application/json", expected));
    }
}
