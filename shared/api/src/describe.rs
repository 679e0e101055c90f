//! Arguments and results of handlers, and their descriptions in the document.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderName, Method, Uri};
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use crate::body::{Body, Path, Query};
use crate::operation_schema::{AnswerHeader, OperationSchema};
use crate::paging::{self, Paging};
use crate::patch::{Patch, TYPES};
use crate::query::Takes;
use crate::replies::{Created, Html, IfMatch, Listed, NoContent, Once, OnceIf, Tagged, With};

/// An argument of a handler and its description in the document.
#[diagnostic::on_unimplemented(
    message = "a handler cannot take `{Self}`",
    note = "after the guard come the api crate's Body, Patch, Path, Query, Paging and IfMatch of types that are `JsonSchema`, axum's State and Extension, or HeaderMap"
)]
pub trait Input {
    /// Parts of the query that it reads.
    const TAKES: Takes = Takes {
        query: false,
        paging: false,
    };

    /// Adds its description to the operation.
    fn describe(operation: &mut OperationSchema<'_>) {
        let _ = operation;
    }
}

impl<T> Input for State<T> {}
impl<T> Input for Extension<T> {}
impl Input for HeaderMap {}
impl Input for Method {}
impl Input for Uri {}
impl Input for Bytes {}

impl<T: JsonSchema> Input for Body<T> {
    fn describe(operation: &mut OperationSchema<'_>) {
        let schema = operation.schemas.request_schema::<T>();
        operation.body = Some(json!({"content": {"application/json": {"schema": schema}}, "required": true}));
    }
}

impl<T: JsonSchema> Input for Patch<T> {
    fn describe(operation: &mut OperationSchema<'_>) {
        let media = json!({"schema": operation.schemas.patch::<T>()});
        let content: Map<_, _> = TYPES.iter().map(|kind| ((*kind).to_owned(), media.clone())).collect();
        operation.body = Some(json!({
            "description": "A JSON merge patch (RFC 7396): given fields are replaced, `null` removes a field, all others stay.",
            "content": content,
            "required": true,
        }));
    }
}

impl<T: JsonSchema> Input for Path<T> {
    fn describe(operation: &mut OperationSchema<'_>) {
        let schema = operation.schemas.request_schema::<T>();
        operation.path_parameters(&match schema["prefixItems"].as_array() {
            Some(parts) => parts.clone(),
            None => vec![schema],
        });
    }
}

impl<T: JsonSchema> Input for Query<T> {
    const TAKES: Takes = Takes {
        query: true,
        paging: false,
    };

    fn describe(operation: &mut OperationSchema<'_>) {
        let mut fields = operation.schemas.fields::<T>();
        let required = fields.remove("required").unwrap_or_default();
        let required = |name: &String| required.as_array().is_some_and(|all| all.iter().any(|one| one == name));
        for (name, schema) in fields["properties"].as_object().into_iter().flatten() {
            operation.parameter("query", name, required(name), "", not_null(schema.clone()));
        }
        operation.query = true;
    }
}

/// The schema without `null`, which a query cannot express.
fn not_null(mut schema: Value) -> Value {
    if let Some(kinds) = schema["type"].as_array()
        && let [kind] = kinds
            .iter()
            .filter(|kind| **kind != "null")
            .collect::<Vec<_>>()
            .as_slice()
    {
        schema["type"] = (*kind).clone();
    }
    schema
}

impl Input for Paging {
    const TAKES: Takes = Takes {
        query: false,
        paging: true,
    };

    fn describe(operation: &mut OperationSchema<'_>) {
        let limit = json!({"type": "integer", "minimum": 1, "maximum": paging::MAX, "default": paging::DEFAULT});
        operation.parameter("query", "limit", false, "Maximum number of items on the page.", limit);
        let about = "`next_cursor` of the previous page. Omit it for the first page.";
        operation.parameter("query", "cursor", false, about, json!({"type": "string"}));
        operation.query = true;
    }
}

impl Input for IfMatch {
    fn describe(operation: &mut OperationSchema<'_>) {
        let about = "`ETag` of the version that you read. The change is refused (412) if somebody has changed the resource since.";
        operation.header("If-Match", about, "\"3\"");
        operation.if_match = true;
    }
}

const ETAG: AnswerHeader = ("ETag", "Version of the resource");

const LOCATION: AnswerHeader = ("Location", "Path of the new resource");

/// Result of a handler.
#[diagnostic::on_unimplemented(
    message = "a handler cannot answer with `{Self}`",
    note = "use the api crate's Tagged, Created, Listed, NoContent, Html, With and Once or axum's Json, of types that are `JsonSchema`, or a Result of them"
)]
pub trait Output {
    /// Status of a success.
    const STATUS: u16 = 200;

    /// Content type of a success.
    const MEDIA: &'static str = "application/json";

    /// Headers of a success that the type implies.
    const HEADERS: &'static [AnswerHeader] = &[];

    /// Schema of a success, if it has a body.
    fn body(operation: &mut OperationSchema<'_>) -> Option<Value>;
}

macro_rules! output {
    ($type:ident, $status:literal, $headers:expr) => {
        impl<T: JsonSchema> Output for $type<T> {
            const STATUS: u16 = $status;
            const HEADERS: &'static [AnswerHeader] = $headers;

            fn body(operation: &mut OperationSchema<'_>) -> Option<Value> {
                Some(operation.response_schema::<T>())
            }
        }
    };
}

output!(Json, 200, &[]);
output!(Tagged, 200, &[ETAG]);
output!(Created, 201, &[ETAG, LOCATION]);

impl<T: JsonSchema> Output for Listed<T> {
    fn body(operation: &mut OperationSchema<'_>) -> Option<Value> {
        Some(operation.response_schema::<Self>())
    }
}

impl Output for NoContent {
    const STATUS: u16 = 204;

    fn body(_: &mut OperationSchema<'_>) -> Option<Value> {
        None
    }
}

impl Output for Html {
    const MEDIA: &'static str = "text/html";

    fn body(_: &mut OperationSchema<'_>) -> Option<Value> {
        Some(json!({"type": "string", "examples": ["<!doctype html><html lang=\"en\">…</html>"]}))
    }
}

macro_rules! output_within {
    ([$($generics:tt)*] $type:ty, $status:expr) => {
        impl<$($generics)*> Output for $type {
            const STATUS: u16 = $status;
            const MEDIA: &'static str = A::MEDIA;
            const HEADERS: &'static [AnswerHeader] = A::HEADERS;

            fn body(operation: &mut OperationSchema<'_>) -> Option<Value> {
                A::body(operation)
            }
        }
    };
}

output_within!([A: Output, E] Result<A, E>, A::STATUS);
output_within!([A: Output] Once<A>, A::STATUS);
output_within!([A: Output] OnceIf<A>, A::STATUS);
output_within!([A: Output] (HeaderMap, A), A::STATUS);
output_within!([A: Output, V, const N: usize] ([(HeaderName, V); N], A), A::STATUS);
output_within!([const STATUS: u16, A: Output] With<STATUS, A>, STATUS);
