//! `docs/openapi.json` for tools and tests.

use anyhow::Result;
use serde_json::{Map, Value};

use crate::place::{Place, read_json};

/// The contract in the checkout.
#[derive(Debug, Clone)]
pub struct Contract {
    document: Value,
}

/// An operation of a document.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// The method: `get`, `post` and so on.
    pub method: &'a str,
    /// The path with its parameters in braces.
    pub path: &'a str,
    /// Its description in the document.
    pub value: &'a Value,
}

impl<'a> Operation<'a> {
    pub fn id(&self) -> &'a str {
        self.value["operationId"].as_str().unwrap_or_default()
    }

    /// Authorized callers: a permission's word, `person`, `platform` or `public`.
    pub fn permission(&self) -> &'a str {
        self.value["x-permission"].as_str().unwrap_or_default()
    }

    /// Whether it accepts an idempotency key.
    pub fn takes_key(&self) -> bool {
        let parameters = self.value["parameters"].as_array().into_iter().flatten();
        parameters
            .map(|parameter| &parameter["name"])
            .any(|name| name == "Idempotency-Key")
    }

    /// The names of the path's parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let pieces = self.path.split('{').skip(1);
        pieces.filter_map(|piece| piece.split('}').next())
    }

    /// The path with these values for its parameters.
    pub fn path_with(&self, values: &PathValues<'_>) -> String {
        crate::api::fill_path(self.path, values)
    }
}

/// Names and values of a path's parameters.
pub type PathValues<'a> = [(&'a str, String)];

/// The operations of a document, ordered by path.
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
    pub fn read(place: &Place) -> Result<Self> {
        let document = read_json(&place.root.join("docs/openapi.json"))?;
        Ok(Self { document })
    }

    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        operations(&self.document)
    }

    /// The document with only these operations.
    pub fn document_with_only(&self, wanted: impl Fn(&Operation<'_>) -> bool) -> Value {
        let mut paths: Map<String, Value> = Map::new();
        for operation in self.operations().filter(wanted) {
            let item = paths.entry(operation.path).or_insert_with(|| Value::Object(Map::new()));
            item[operation.method] = operation.value.clone();
        }
        let mut document = self.document.clone();
        document["paths"] = Value::Object(paths);
        document
    }

    /// A valid body from the document's examples, with its content type; `None` if the operation takes none.
    pub fn example_body(&self, operation: &Operation<'_>) -> Option<(String, Value)> {
        let body = resolve(&self.document, &operation.value["requestBody"]);
        let (kind, media) = body["content"].as_object()?.iter().next()?;
        let mut named = media["examples"].as_object().into_iter().flatten();
        let body = named.next().map_or(&media["example"], |(_, example)| &example["value"]);
        Some((kind.clone(), body.clone()))
    }

    /// Fields of the operation's body whose values must be unique, with their schemas: `x-unique`. Examples leave out those that
    /// are not required. Those with a choice of values are left out: nobody can make up another one.
    pub fn unique_fields<'a>(&'a self, operation: &Operation<'a>) -> Vec<(&'a str, &'a Value)> {
        let body = resolve(&self.document, &operation.value["requestBody"]);
        let media = body["content"].as_object().and_then(|content| content.values().next());
        let schema = media.map(|media| resolve(&self.document, &media["schema"]));
        let fields = schema.and_then(|schema| schema["properties"].as_object());
        let fields = fields.into_iter().flatten();
        let is_choice = |field: &Value| resolve(&self.document, field)["enum"].is_array();
        let unique = fields.filter(|(_, field)| field["x-unique"] == true && !is_choice(field));
        unique.map(|(name, field)| (name.as_str(), field)).collect()
    }
}

/// The target of a reference; other values are returned unchanged.
pub fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or(&Value::Null),
        None => value,
    }
}

/// Whether this schema allows a value of this kind, such as `string` or `null`.
pub fn is_kind(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|one| one == kind),
        one => one == kind,
    }
}
