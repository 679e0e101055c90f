//! A stand-in for Ringback: accepts and records every webhook, and answers as told.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use simulators::signatures;
use tokio::net::TcpListener;

use crate::support::{fields, fixture};

#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    /// As requested, with the query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

type Answers = dyn Fn(&Received, usize) -> (u16, String) + Send + Sync;

#[derive(Clone)]
struct Memory {
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Answers>,
}

pub(crate) struct Ringback {
    pub(crate) url: String,
    memory: Memory,
}

impl Ringback {
    pub(crate) async fn start() -> Self {
        Self::answering(|_, _| (200, String::new())).await
    }

    /// `answers` gets the request and the number of earlier ones.
    pub(crate) async fn answering(answers: impl Fn(&Received, usize) -> (u16, String) + Send + Sync + 'static) -> Self {
        let memory = Memory {
            received: Arc::default(),
            answers: Arc::new(answers),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!(
            "http://{}",
            listener.local_addr().expect("a bound listener has an address")
        );
        let router = Router::new().fallback(receive).with_state(memory.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, memory }
    }

    pub(crate) fn received_requests(&self) -> Vec<Received> {
        self.memory
            .received
            .lock()
            .expect("no test panics while it holds this")
            .clone()
    }

    /// Requests to paths that contain `part`.
    pub(crate) fn at(&self, part: &str) -> Vec<Received> {
        self.received_requests()
            .into_iter()
            .filter(|received| received.path.contains(part))
            .collect()
    }

    /// The statuses of WhatsApp webhooks, in order of arrival.
    pub(crate) fn statuses(&self) -> Vec<String> {
        self.at("/webhooks/whatsapp")
            .iter()
            .filter_map(|received| {
                received
                    .json()
                    .pointer("/entry/0/changes/0/value/statuses/0/status")?
                    .as_str()
                    .map(str::to_owned)
            })
            .collect()
    }
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// The value of the change that Meta reports.
    pub(crate) fn value(&self) -> Value {
        self.json()["entry"][0]["changes"][0]["value"].clone()
    }

    /// Compares the names of the form's fields with those of a fixture of Twilio's.
    #[track_caller]
    pub(crate) fn assert_fields(&self, name: &str) {
        let body = std::str::from_utf8(&self.body).expect("text");
        let promised = fixture(&format!("twilio/{name}.txt"));
        assert_eq!(fields(body), fields(&promised), "{name}: {}", self.path);
    }

    /// By tenant A's Meta app.
    #[track_caller]
    pub(crate) fn assert_signed_by_meta(&self) {
        let signature = signatures::meta("fixture-meta-app-secret-0001", &self.body);
        assert_eq!(self.header("x-hub-signature-256"), signature);
    }

    /// By tenant A's account at Twilio, for this URL.
    #[track_caller]
    pub(crate) fn assert_signed_by_twilio(&self, url: &str) {
        let signature = signatures::twilio("fixture0twilio0auth0token0000001", url, &self.form());
        assert_eq!(self.header("x-twilio-signature"), signature);
    }

    pub(crate) fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    pub(crate) fn field(&self, name: &str) -> Option<String> {
        self.form().into_iter().find(|pair| pair.0 == name).map(|pair| pair.1)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

async fn receive(State(memory): State<Memory>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let received = Received {
        method: parts.method,
        path: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: parts.headers,
        body: to_bytes(body, usize::MAX).await.expect("a readable body"),
    };
    let before = {
        let mut all = memory.received.lock().expect("no test panics while it holds this");
        all.push(received.clone());
        all.len() - 1
    };
    let (status, body) = (memory.answers)(&received, before);
    (StatusCode::from_u16(status).expect("a status"), body).into_response()
}
