//! An operation while its arguments and its result describe themselves.

use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::schemas::Schemas;

/// Name and description of a response header.
pub type AnswerHeader = (&'static str, &'static str);

/// An operation while it is being described.
pub struct OperationSchema<'a> {
    pub(crate) schemas: &'a mut Schemas,
    pub(crate) body: Option<Value>,
    pub(crate) query: bool,
    pub(crate) if_match: bool,
    path: &'static str,
    pub(crate) parameters: Vec<Value>,
}

impl<'a> OperationSchema<'a> {
    /// An operation on this path, without any description yet.
    pub(crate) const fn of(path: &'static str, schemas: &'a mut Schemas) -> Self {
        Self {
            schemas,
            body: None,
            query: false,
            if_match: false,
            path,
            parameters: Vec::new(),
        }
    }

    /// Schema of a type in a response.
    pub fn response_schema<T: JsonSchema>(&mut self) -> Value {
        self.schemas.response_schema::<T>()
    }

    /// Adds an optional header.
    pub fn header(&mut self, name: &str, about: &str, example: &str) {
        self.parameter(
            "header",
            name,
            false,
            about,
            json!({"type": "string", "example": example}),
        );
    }

    /// Adds a parameter. Without a description of its own, it has the description of its type.
    pub fn parameter(&mut self, place: &str, name: &str, required: bool, about: &str, mut schema: Value) {
        let mut parameter = json!({"in": place, "name": name, "required": required});
        if let Some(schema) = schema.as_object_mut() {
            let described = schema.remove("description").filter(|_| about.is_empty());
            parameter["description"] = described.unwrap_or_else(|| about.into());
            if let Some(example) = schema.remove("example") {
                parameter["example"] = example;
            }
        }
        parameter["schema"] = schema;
        self.parameters.push(parameter);
    }

    /// Adds the parameters of the path, in its order.
    pub(crate) fn path_parameters(&mut self, schemas: &[Value]) {
        for (name, schema) in parameters(self.path).zip(schemas) {
            let thing = name.trim_end_matches("_id").replace('_', " ").replace("api ", "API ");
            let about = format!("Id of the {thing}");
            let about = if schema["description"].is_null() { &about } else { "" };
            self.parameter("path", name, true, about, schema.clone());
        }
    }
}

fn parameters(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}
