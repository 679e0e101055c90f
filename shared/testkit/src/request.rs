//! Requests as API Gateway passes them to a function, and the function's answers, in process.

use axum::{Router, body::Bytes, http::Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use kit::{
    Env,
    http::{App, HttpEvent},
};
use serde_json::{Value, json};

use crate::fixtures;

/// A request to a function, with headers and path as a provider sends them.
#[derive(Debug, Clone)]
pub struct Call {
    event: Value,
}

/// The domain of the API in the fixtures.
pub const DOMAIN: &str = "demoapi123.execute-api.us-east-1.amazonaws.com";

impl Call {
    /// A request of this method for this path, which may have a query.
    #[must_use]
    pub fn new(method: &str, path_and_query: &str) -> Self {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let mut event = fixtures::json("aws/http_api_v2_json_webhook.json");
        event["rawPath"] = path.into();
        event["rawQueryString"] = query.into();
        event["requestContext"]["http"]["method"] = method.into();
        event["requestContext"]["http"]["path"] = path.into();
        event["headers"] = json!({"host": DOMAIN});
        event["body"] = Value::Null;
        Self { event }
    }

    /// A `GET`.
    #[must_use]
    pub fn get(path_and_query: &str) -> Self {
        Self::new("GET", path_and_query)
    }

    /// A `POST` of JSON.
    #[must_use]
    pub fn json(path: &str, body: impl AsRef<[u8]>) -> Self {
        Self::new("POST", path)
            .header("content-type", "application/json")
            .body(body)
    }

    /// A `POST` of a form, which arrives as base64.
    #[must_use]
    pub fn form(path: &str, body: impl AsRef<[u8]>) -> Self {
        let call = Self::new("POST", path).header("content-type", "application/x-www-form-urlencoded");
        call.body_base64(body)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.event["headers"][name] = value.into();
        self
    }

    /// Sets the caller's address.
    #[must_use]
    pub fn from_address(mut self, address: &str) -> Self {
        self.event["requestContext"]["http"]["sourceIp"] = address.into();
        self
    }

    /// Removes everything that could authenticate the request.
    #[must_use]
    pub fn unsigned(mut self) -> Self {
        if let Some(headers) = self.event["headers"].as_object_mut() {
            headers.retain(|name, _| matches!(name.as_str(), "host" | "content-type"));
        }
        self
    }

    /// Removes a header.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        if let Some(headers) = self.event["headers"].as_object_mut() {
            headers.remove(name);
        }
        self
    }

    /// The body as text if it is valid, otherwise as base64, as API Gateway does.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        match std::str::from_utf8(body.as_ref()) {
            Ok(text) => {
                self.event["body"] = text.into();
                self.event["isBase64Encoded"] = false.into();
                self
            }
            Err(_) => self.body_base64(body),
        }
    }

    /// The body as base64.
    #[must_use]
    pub fn body_base64(mut self, body: impl AsRef<[u8]>) -> Self {
        self.event["body"] = STANDARD.encode(body).into();
        self.event["isBase64Encoded"] = true.into();
        self
    }

    /// The event that the function receives.
    ///
    /// # Panics
    /// Never: it is built from API Gateway's own example.
    #[must_use]
    pub fn event(&self) -> HttpEvent {
        serde_json::from_value(self.event.clone()).expect("it has API Gateway's form")
    }
}

/// A function in process.
pub struct Function(App);

/// The function's answer.
#[derive(Debug, Clone)]
pub struct Answer(Response<Bytes>);

impl Function {
    /// The function with these routes.
    ///
    /// # Panics
    /// When the test's environment lacks a variable.
    pub fn new(env: &Env, routes: impl FnOnce(&Env) -> Result<Router, kit::ConfigError>) -> Self {
        Self(App::new(env, routes(env).expect("the test's variables are right")))
    }

    /// Calls it.
    pub async fn call(&self, call: &Call) -> Answer {
        Answer(self.0.answer(call.event()).await)
    }
}

impl Answer {
    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// A header, empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.0
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The cookies in the answer.
    #[must_use]
    pub fn cookies(&self) -> Vec<&str> {
        let all = self.0.headers().get_all("set-cookie").iter();
        all.filter_map(|value| value.to_str().ok()).collect()
    }

    /// The body.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.0.body()).unwrap_or_default()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(self.0.body()).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The last word of the problem's `type`; empty if it is none.
    #[must_use]
    pub fn problem(&self) -> String {
        let body: Value = serde_json::from_slice(self.0.body()).unwrap_or_default();
        let kind = body["type"].as_str().unwrap_or_default();
        kind.trim_start_matches("urn:ringback:problem:").to_owned()
    }

    /// Requires this status.
    ///
    /// # Panics
    /// When it has another.
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status(), status, "{}", self.text());
        self
    }

    /// Requires this problem.
    ///
    /// # Panics
    /// When it is another, or none.
    #[track_caller]
    pub fn is_refused(&self, status: u16, kind: &str) {
        assert_eq!((self.status(), &*self.problem()), (status, kind), "{}", self.text());
    }

    /// Requires a 422 that names this field.
    ///
    /// # Panics
    /// When it is something else.
    #[track_caller]
    pub fn names_field(&self, field: &str) {
        self.is_refused(422, "invalid");
        let errors = self.json()["errors"].clone();
        let mut named = errors.as_array().into_iter().flatten();
        assert!(named.any(|error| error["field"] == field), "{field}: {}", self.text());
    }
}
