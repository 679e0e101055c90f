//! The API's document, derived from the types of the handlers and from the table of operations.

use axum::http::Method;
use kit::Problem;
use kit::problem::kinds;
use serde_json::{Map, Value, json};

use crate::describe::{Input, Output};
use crate::guards::{Guard, Kind};
use crate::operation_schema::{AnswerHeader, OperationSchema};
use crate::query::Takes;
use crate::schemas::{Schemas, reference};

/// A function that can be an operation: its first argument is a guard, the others are [`Input`]s, its result is an [`Output`].
#[diagnostic::on_unimplemented(
    message = "this handler cannot be an operation",
    note = "its first argument must be an api::Guard, the others api::Inputs, and its result an api::Output"
)]
pub trait Described<Arguments> {
    /// Kind of callers that it admits.
    const KIND: Kind;

    /// Whether it takes the tokens of runs of webhooks.
    const TAKES_RUNS: bool;

    /// Parts of the query that it reads.
    const TAKES: Takes;

    /// Status of its success.
    const STATUS: u16;

    /// Content type of its success.
    const MEDIA: &'static str;

    /// Headers of its success that its types imply.
    const HEADERS: &'static [AnswerHeader];

    /// Adds the descriptions of its arguments, and returns the schema of its successful response.
    fn describe(operation: &mut OperationSchema<'_>) -> Option<Value>;
}

macro_rules! described {
    ($($argument:ident),*) => {
        impl<F, A, G, $($argument),*> Described<(G, $($argument,)*)> for F
        where
            F: Fn(G, $($argument),*) -> A,
            A: Future<Output: Output>,
            G: Guard,
            $($argument: Input,)*
        {
            const KIND: Kind = G::KIND;

            const TAKES_RUNS: bool = G::TAKES_RUNS;

            const TAKES: Takes = {
                let takes = Takes { query: false, paging: false };
                $(let takes = takes.and($argument::TAKES);)*
                takes
            };

            const STATUS: u16 = <A::Output as Output>::STATUS;

            const MEDIA: &'static str = <A::Output as Output>::MEDIA;

            const HEADERS: &'static [AnswerHeader] = <A::Output as Output>::HEADERS;

            fn describe(operation: &mut OperationSchema<'_>) -> Option<Value> {
                $($argument::describe(operation);)*
                <A::Output as Output>::body(operation)
            }
        }
    };
}

described!();
described!(T1);
described!(T1, T2);
described!(T1, T2, T3);
described!(T1, T2, T3, T4);
described!(T1, T2, T3, T4, T5);
described!(T1, T2, T3, T4, T5, T6);
described!(T1, T2, T3, T4, T5, T6, T7);

/// A row of the table of operations.
pub struct Row {
    /// Name and description of the operation's group.
    pub tag: (&'static str, &'static str),
    pub method: Method,
    /// Path, with the names of its parameters in braces.
    pub path: &'static str,
    /// Path of the handler, whose name is the operation's id.
    pub handler: &'static str,
    /// Lines of its summary and description, as doc comments have them.
    pub about: &'static [&'static str],
    /// Description of the successful response.
    pub success: &'static str,
    /// Headers of the successful response that no type implies.
    pub headers: &'static [AnswerHeader],
    /// Further responses: problems if they are errors.
    pub others: &'static [(u16, &'static str)],
    /// Problems that not every operation answers, by the last word of their type.
    pub problems: &'static [&'static str],
}

impl OperationSchema<'_> {
    fn finish(mut self, kind: Kind, takes_runs: bool, row: &Row, status: u16, success: Value) -> Value {
        let tenant = matches!(kind, Kind::Tenant(_));
        let is_post = row.method == Method::POST;
        if tenant {
            let about = "Tenant in which the request acts. Default: the tenant of the access token. An API key belongs to one tenant.";
            self.header("X-Tenant-ID", about, "tnt_01jcs8q3v4w5x6y7z8a9b0c1d2");
        }
        let takes_key = is_post && kind.takes_key();
        if takes_key {
            let about = "Unique value per request, of at most 128 visible ASCII characters. A repeated request with the same key returns the first response and has no further effect, for 24 hours.";
            self.header("Idempotency-Key", about, "0f8fad5b-d9cb-469f-a165-70867728950e");
        }
        let changes = !matches!(row.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let guarded = kind != Kind::Anyone;
        let body = self.body.is_some();
        let of = |word: &str, status| {
            kinds::SPECIAL
                .iter()
                .any(|kind| kind.word == word && kind.status == status)
        };
        let own = |status| row.problems.iter().any(|word| of(word, status));
        let happens = |error: &&StandardError| match error.status {
            400 => guarded || is_post || body || self.query || self.if_match,
            401 => guarded,
            403 => tenant || kind == Kind::Platform,
            404 => row.path.contains('{') || own(404),
            409 => changes,
            412 => self.if_match,
            413 | 415 => body,
            422 => guarded || body || self.query,
            _ => true,
        };
        let mut responses = Map::from_iter([(status.to_string(), success)]);
        for (status, about) in row.others {
            let mut response = json!({"description": about, "headers": {}});
            if *status >= 400 {
                response["content"] = problem();
            }
            responses.insert(status.to_string(), response);
        }
        let limits = LIMITS.iter().chain([&TIMING]).filter(|_| guarded);
        for (name, response) in &mut responses {
            let replayed = (takes_key && name.starts_with('2')).then_some(&REPLAYED);
            let headers = [&CORRELATION].into_iter().chain(limits.clone()).chain(replayed);
            headers.for_each(|header| add_header(response, *header));
        }
        for error in ERRORS.iter().filter(happens) {
            let shared = json!({"$ref": format!("#/components/responses/{}", error.name)});
            responses.entry(error.status.to_string()).or_insert(shared);
        }
        let (bearer, key) = (json!({"bearer": []}), json!({"api_key": []}));
        let security = match kind {
            Kind::Tenant(_) => json!([bearer, key]),
            Kind::Person | Kind::Platform => json!([bearer]),
            Kind::Anyone => json!([]),
        };
        let lines = row.about.iter().map(|line| line.strip_prefix(' ').unwrap_or(line));
        let about: Vec<_> = lines.collect();
        let mut parts = about.splitn(2, |line| line.is_empty());
        let mut part = || parts.next().unwrap_or_default().join("\n");
        let mut operation = json!({
            "operationId": row.handler.rsplit("::").next().unwrap_or_default().trim(),
            "summary": part(),
            "tags": [row.tag.0],
            "responses": responses,
            "security": security,
            "x-permission": kind.as_str(),
        });
        let more = Some(part()).filter(|more| !more.is_empty());
        let parameters = Some(self.parameters).filter(|all| !all.is_empty());
        let optional = [
            ("description", more.map(Value::from)),
            ("parameters", parameters.map(Value::from)),
            ("requestBody", self.body),
            ("x-problems", (!row.problems.is_empty()).then(|| row.problems.into())),
            ("x-callback", takes_runs.then(|| true.into())),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                operation[name] = value;
            }
        }
        operation
    }
}

fn problem() -> Value {
    json!({"application/problem+json": {"schema": reference("Problem")}})
}

const CORRELATION: AnswerHeader = (
    "X-Correlation-Id",
    "Correlation id, which identifies the request in the logs. The caller's own, if the request had one.",
);

const REPLAYED: AnswerHeader = (
    "Idempotency-Replayed",
    "`true` if this is the stored response of the first request with this `Idempotency-Key`.",
);

/// Headers of the caller's rate limit.
const LIMITS: [AnswerHeader; 3] = [
    ("RateLimit-Limit", "Requests allowed per period."),
    ("RateLimit-Remaining", "Requests left in this period."),
    ("RateLimit-Reset", "Seconds until the period ends."),
];

const TIMING: AnswerHeader = (
    "Server-Timing",
    "Milliseconds that the answer took: `function` without its waits for the table, and `table`.",
);

const RETRY_AFTER: AnswerHeader = ("Retry-After", "Seconds to wait before the next request.");

fn add_header(response: &mut Value, header: AnswerHeader) {
    let (name, about) = header;
    let counts = LIMITS.iter().chain([&RETRY_AFTER]).any(|(limit, _)| *limit == name);
    let kind = if counts { "integer" } else { "string" };
    response["headers"][name] = json!({"description": about, "schema": {"type": kind}});
}

struct StandardError {
    status: u16,
    name: &'static str,
    description: &'static str,
}

const fn error(status: u16, name: &'static str, description: &'static str) -> StandardError {
    StandardError {
        status,
        name,
        description,
    }
}

const ERRORS: [StandardError; 12] = [
    error(400, "BadRequest", "The request is malformed or names no tenant."),
    error(401, "Unauthorized", "The request has no valid access token or API key."),
    error(
        403,
        "Forbidden",
        "The caller lacks the permission, or is not a member of the tenant.",
    ),
    error(404, "NotFound", "The resource does not exist in the caller's tenant."),
    error(
        409,
        "Conflict",
        "The request conflicts with the current state, or the first request with this key is still running.",
    ),
    error(
        412,
        "Stale",
        "The resource has changed since the version in `If-Match`.",
    ),
    error(413, "TooLarge", "The body is larger than 1 MB."),
    error(415, "WrongContentType", "The body is not JSON."),
    error(422, "Invalid", "Fields are invalid. `errors` names them."),
    error(
        429,
        "TooManyRequests",
        "A limit is reached. `Retry-After` holds the seconds to wait.",
    ),
    error(
        500,
        "InternalError",
        "Something went wrong on our side. Report the `X-Correlation-Id`.",
    ),
    error(
        503,
        "Unavailable",
        "The service is temporarily unavailable. Send the request again.",
    ),
];

impl StandardError {
    /// The description with the problems that any operation can answer with this status.
    fn about(&self) -> String {
        let kinds = kinds::COMMON.iter().filter(|kind| kind.status == self.status);
        let words: Vec<_> = kinds.map(|kind| format!("`{}`", kind.word)).collect();
        format!("{} Problems: {}.", self.description, words.join(", "))
    }

    fn response(&self) -> Value {
        let mut response = json!({"description": self.about(), "headers": {}, "content": problem()});
        add_header(&mut response, CORRELATION);
        if self.status == 429 {
            let limits = LIMITS.into_iter().chain([RETRY_AFTER]);
            limits.for_each(|limit| add_header(&mut response, limit));
        }
        response
    }
}

/// Description of some operations: groups, paths, schemas, standard responses and security schemes.
pub struct Document {
    tags: Vec<(&'static str, &'static str)>,
    paths: Map<String, Value>,
    schemas: Schemas,
}

impl Default for Document {
    fn default() -> Self {
        let mut schemas = Schemas::default();
        schemas.response_schema::<Problem>();
        Self {
            tags: Vec::new(),
            paths: Map::new(),
            schemas,
        }
    }
}

impl Document {
    pub fn with<H: Described<A>, A>(mut self, _handler: &H, row: &Row) -> Self {
        let mut operation = OperationSchema::of(row.path, &mut self.schemas);
        let answered = H::describe(&mut operation);
        let mut success = json!({"description": row.success, "headers": {}});
        if let Some(schema) = answered {
            success["content"][H::MEDIA] = json!({"schema": schema});
        }
        let headers = H::HEADERS.iter().chain(row.headers);
        headers.for_each(|header| add_header(&mut success, *header));
        let operation = operation.finish(H::KIND, H::TAKES_RUNS, row, H::STATUS, success);
        if !self.tags.contains(&row.tag) {
            self.tags.push(row.tag);
        }
        let method = row.method.as_str().to_ascii_lowercase();
        self.paths.entry(row.path).or_insert_with(|| json!({}))[method] = operation;
        self
    }

    /// The document without title, version and servers.
    pub fn json(self) -> Value {
        let responses = ERRORS.iter().map(|error| (error.name.to_owned(), error.response()));
        let tags = self.tags.iter();
        let tags = tags.map(|(name, about)| json!({"name": name, "description": about}));
        json!({
            "openapi": "3.1.0",
            "tags": tags.collect::<Value>(),
            "paths": self.paths,
            "components": {
                "schemas": self.schemas.into_components(),
                "responses": responses.collect::<Map<_, _>>(),
                "securitySchemes": {
                    "bearer": {
                        "type": "http",
                        "scheme": "bearer",
                        "bearerFormat": "JWT",
                        "description": "Access token of a person, returned by log-in.",
                    },
                    "api_key": {
                        "type": "apiKey",
                        "in": "header",
                        "name": "X-API-Key",
                        "description": "API key of a tenant, for its software.",
                    },
                },
            },
        })
    }
}
