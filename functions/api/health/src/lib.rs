//! Health of the service. `?deep=true` also checks the table and the queues, at most once per 5 s.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use api::{Anyone, Document, Input, OperationSchema, Row};
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use jiff::{SignedDuration, Timestamp};
use kit::http::Target;
use kit::{ConfigError, Env, Queue, QueueName};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use store::Store;

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let queue = |name: QueueName| Ok((name.as_str(), Queue::new(env, name)?));
    let context = Arc::new(Context {
        env: env.clone(),
        table: env.config().text("TABLE_NAME")?.to_owned(),
        queues: QueueName::ALL
            .map(queue)
            .into_iter()
            .collect::<Result<_, ConfigError>>()?,
        last: Mutex::new(None),
    });
    Ok(Router::new()
        .route("/api/health", get(get_health))
        .route("/api/v1/health", get(get_health))
        .with_state(context))
}

/// The operations of this function in the API's document. They authenticate nobody, so the function serves them without the API's
/// layers.
pub fn document() -> Value {
    let operation = async |_: Anyone, _: Deep| -> Json<HealthOut> { unreachable!("it is only described") };
    let row = Row {
        tag: ("service", "Health of the service, and this document."),
        method: Method::GET,
        path: "/api/v1/health",
        handler: "get_health",
        about: &[
            "Check the health of the service",
            "",
            "A deep check also reaches the table and the queues. Its result is cached for five seconds.",
        ],
        success: "The service responds.",
        headers: &[],
        others: &[(503, "A part of the service does not respond.")],
        problems: &[],
    };
    let mut document = Document::default().with(&operation, &row).json();
    let responses = &mut document["paths"][row.path]["get"]["responses"];
    // It says in its own words what does not respond.
    responses["503"]["content"] = responses["200"]["content"].clone();
    document
}

/// The query in the document. Any other is ignored.
struct Deep;

impl Input for Deep {
    fn describe(operation: &mut OperationSchema<'_>) {
        let about = "True to check the table and the queues as well.";
        let schema = json!({"type": "boolean", "example": true});
        operation.parameter("query", "deep", false, about, schema);
    }
}

struct Context {
    env: Env,
    table: String,
    queues: Vec<(&'static str, Queue)>,
    last: Mutex<Option<(Timestamp, StatusCode, Value)>>,
}

/// Minimum time between two deep checks, so that frequent probes cost no more.
const LIFETIME: SignedDuration = SignedDuration::from_secs(5);

/// Health of the service.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Health", example = json!({
    "status": "ok",
    "table": "ok",
    "queues": {"bulk-sends": "ok", "calls": "ok", "drips": "ok", "mails": "ok", "media": "ok", "provider-events": "ok", "pushes": "ok", "sends": "ok"},
}))]
#[allow(dead_code, reason = "describes what is written as a value")]
struct HealthOut {
    /// Overall result.
    status: Overall,
    /// State of the table, if it was checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<Reached>,
    /// State of each queue by name, if they were checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    queues: Option<BTreeMap<String, Reached>>,
}

/// Overall result of a health check.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes what is written as a value")]
enum Overall {
    Ok,
    Degraded,
}

/// State of a part of the service.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes what is written as a value")]
enum Reached {
    Ok,
    Unreachable,
}

async fn get_health(State(context): State<Arc<Context>>, Extension(target): Extension<Target>) -> Response {
    if !target.query().split('&').any(|parameter| parameter == "deep=true") {
        return Json(json!({"status": "ok"})).into_response();
    }
    let now = context.env.clock().now();
    if let Some((at, status, body)) = &*context.last.lock().unwrap_or_else(PoisonError::into_inner)
        && now.duration_since(*at) < LIFETIME
    {
        return (*status, Json(body.clone())).into_response();
    }
    let (status, body) = context.look().await;
    let mut last = context.last.lock().unwrap_or_else(PoisonError::into_inner);
    *last = Some((now, status, body.clone()));
    (status, Json(body)).into_response()
}

impl Context {
    async fn look(&self) -> (StatusCode, Value) {
        let word = |reached: bool| if reached { "ok" } else { "unreachable" };
        let table = Store::new(self.env.dynamodb(), &self.table).ping().await;
        if let Err(error) = &table {
            tracing::error!(error = kit::chain(error), "the table is unreachable");
        }
        let mut healthy = table.is_ok();
        let mut queues = serde_json::Map::new();
        for (name, queue) in &self.queues {
            let depth = queue.depth().await;
            if let Err(error) = &depth {
                tracing::error!(error = kit::chain(error), queue = name, "a queue is unreachable");
            }
            healthy &= depth.is_ok();
            queues.insert((*name).to_owned(), word(depth.is_ok()).into());
        }
        let status = if healthy {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let overall = if healthy { "ok" } else { "degraded" };
        (
            status,
            json!({"status": overall, "table": word(table.is_ok()), "queues": queues}),
        )
    }
}
