//! Requests as API Gateway passes them to a function, and the function's answers, in process.

use axum::Router;
use axum::body::Bytes;
use axum::http::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kit::Env;
use kit::http::{App, HttpEvent};
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

    pub fn get(path_and_query: &str) -> Self {
        Self::new("GET", path_and_query)
    }

    pub fn json(path: &str, body: impl AsRef<[u8]>) -> Self {
        Self::new("POST", path)
            .header("content-type", "application/json")
            .body(body)
    }

    /// A `POST` of a form, which arrives as base64.
    pub fn form(path: &str, body: impl AsRef<[u8]>) -> Self {
        let call = Self::new("POST", path).header("content-type", "application/x-www-form-urlencoded");
        call.body_base64(body)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.event["headers"][name] = value.into();
        self
    }

    pub fn from_address(mut self, address: &str) -> Self {
        self.event["requestContext"]["http"]["sourceIp"] = address.into();
        self
    }

    /// Removes everything that could authenticate the request.
    pub fn without_credentials(mut self) -> Self {
        if let Some(headers) = self.event["headers"].as_object_mut() {
            headers.retain(|name, _| matches!(name.as_str(), "host" | "content-type"));
        }
        self
    }

    pub fn without_header(mut self, name: &str) -> Self {
        if let Some(headers) = self.event["headers"].as_object_mut() {
            headers.remove(name);
        }
        self
    }

    /// The body as text if it is valid, otherwise as base64, as API Gateway does.
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

    pub fn body_base64(mut self, body: impl AsRef<[u8]>) -> Self {
        self.event["body"] = STANDARD.encode(body).into();
        self.event["isBase64Encoded"] = true.into();
        self
    }

    /// Method, path and query.
    fn line(&self) -> String {
        let [method, path, query] = [
            &self.event["requestContext"]["http"]["method"],
            &self.event["rawPath"],
            &self.event["rawQueryString"],
        ]
        .map(|value| value.as_str().unwrap_or_default());
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{method} {path}{mark}{query}")
    }

    fn text(&self) -> &str {
        self.event["body"].as_str().unwrap_or_default()
    }

    /// The event that the function receives.
    pub fn event(&self) -> HttpEvent {
        serde_json::from_value(self.event.clone()).expect("it has API Gateway's form")
    }
}

/// A function in process.
pub struct Function(App);

#[derive(Debug, Clone)]
pub struct Answer {
    response: Response<Bytes>,
    /// Method and path of the request.
    request: String,
    /// The first part of its body.
    sent: String,
}

impl Function {
    pub fn new(env: &Env, routes: impl FnOnce(&Env) -> Result<Router, kit::ConfigError>) -> Self {
        Self(App::new(env, routes(env).expect("the test's variables are right")))
    }

    pub async fn call(&self, call: &Call) -> Answer {
        Answer {
            response: self.0.answer(call.event()).await,
            request: call.line(),
            sent: call.text().chars().take(300).collect(),
        }
    }
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// A header, empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub fn request(&self) -> &str {
        &self.request
    }

    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.response.headers().iter();
        headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()))
    }

    pub fn cookies(&self) -> Vec<&str> {
        let all = self.response.headers().get_all("set-cookie").iter();
        all.filter_map(|value| value.to_str().ok()).collect()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(self.response.body()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(self.response.body())
            .unwrap_or_else(|error| panic!("{error}: {}", self.request_and_answer()))
    }

    #[track_caller]
    pub fn items(&self) -> Vec<Value> {
        let items = self.is(200).json()["items"].as_array().cloned();
        items.unwrap_or_else(|| panic!("it is no list: {}", self.request_and_answer()))
    }

    /// This field of each item of a list.
    #[track_caller]
    pub fn texts(&self, field: &str) -> Vec<String> {
        texts(&self.items(), field)
    }

    /// The last word of the problem's `type`; empty if it is none.
    pub fn problem(&self) -> String {
        let body: Value = serde_json::from_slice(self.response.body()).unwrap_or_default();
        let kind = body["type"].as_str().unwrap_or_default();
        kind.trim_start_matches("urn:ringback:problem:").to_owned()
    }

    pub fn detail(&self) -> String {
        self.json()["detail"]
            .as_str()
            .expect("a problem has a detail")
            .to_owned()
    }

    /// The fields that the problem names, in its order.
    pub fn fields(&self) -> Vec<String> {
        let body: Value = serde_json::from_slice(self.response.body()).unwrap_or_default();
        let errors = body["errors"].as_array().into_iter().flatten();
        let field = |error: &Value| error["field"].as_str().unwrap_or_default().to_owned();
        errors.map(field).collect()
    }

    /// Request and answer, for the message of a failed check.
    fn request_and_answer(&self) -> String {
        format!("{} {}\n{}", self.request, self.sent, self.text())
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status(), status, "{}", self.request_and_answer());
        self
    }

    /// Requires the `ETag` of this version.
    #[track_caller]
    pub fn has_version(&self, version: u64) -> &Self {
        assert_eq!(
            self.header("etag"),
            format!("\"{version}\""),
            "{}",
            self.request_and_answer()
        );
        self
    }

    /// Version of the resource, as its `ETag` says.
    pub fn version(&self) -> u64 {
        let version = self.header("etag").trim_matches('"').parse();
        version.expect("the ETag is a version")
    }

    #[track_caller]
    pub fn is_refused(&self, status: u16, kind: &str) -> &Self {
        assert_eq!(
            (self.status(), &*self.problem()),
            (status, kind),
            "{}",
            self.request_and_answer()
        );
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json()["status"], status);
        self
    }

    /// Requires a 422 that names this field, and perhaps others.
    #[track_caller]
    pub fn names_field(&self, field: &str) -> &Self {
        self.is_refused(422, "invalid");
        let named = self.fields().iter().any(|named| named == field);
        assert!(named, "{field}: {}", self.request_and_answer());
        self
    }

    /// Requires a 422 that names these fields and no others.
    #[track_caller]
    pub fn names_only(&self, fields: &[&str]) -> &Self {
        self.is_refused(422, "invalid");
        assert_eq!(self.fields(), fields, "{}", self.request_and_answer());
        self
    }
}

/// This field of each item.
#[track_caller]
pub fn texts(items: &[Value], field: &str) -> Vec<String> {
    let text = |item: &Value| match item[field].as_str() {
        Some(text) => text.to_owned(),
        None => panic!("`{field}` is no text: {item}"),
    };
    items.iter().map(text).collect()
}
