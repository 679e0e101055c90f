//! Meta's side of templates: an account that keeps what it is sent, and refuses as told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::seed::WABA;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// A fault in the next request that changes something.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It is refused with this status and body.
    Refused(u16, Value),
    /// It has its effect, and the answer is lost.
    Lost,
}

#[derive(Default)]
struct State {
    templates: Vec<Value>,
    /// Method, path and query, and body of each request that is no list.
    requests: Vec<(String, String, Value)>,
    lists: usize,
    fault: Option<Fault>,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<State>>);

/// The account.
pub(crate) struct Meta {
    server: MockServer,
    shared: Shared,
}

impl Meta {
    pub(crate) async fn start() -> Self {
        let server = MockServer::start().await;
        let shared = Shared::default();
        Mock::given(any()).respond_with(shared.clone()).mount(&server).await;
        Self { server, shared }
    }

    pub(crate) fn url(&self) -> String {
        self.server.uri()
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.shared.lock().fault = Some(fault);
    }

    /// It has a template with this text, whoever created it.
    pub(crate) fn has(&self, name: &str, status: &str, text: &str) {
        self.shared.lock().templates.push(json!({
            "id": "820000000000001", "name": name, "language": "en_GB", "status": status, "category": "UTILITY",
            "components": [{"type": "BODY", "text": text}],
        }));
    }

    /// Names and languages of what it has.
    pub(crate) fn names(&self) -> Vec<String> {
        let state = self.shared.lock();
        let text = |template: &Value, name: &str| template[name].as_str().unwrap_or_default().to_owned();
        let names = state.templates.iter();
        names
            .map(|template| format!("{}.{}", text(template, "name"), text(template, "language")))
            .collect()
    }

    /// The requests since the last call, except lists.
    pub(crate) fn take(&self) -> Vec<(String, String, Value)> {
        std::mem::take(&mut self.shared.lock().requests)
    }

    pub(crate) fn lists(&self) -> usize {
        self.shared.lock().lists
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Respond for Shared {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.lock();
        let (method, path) = (request.method.as_str(), request.url.path().to_owned());
        let all = format!("/v26.0/{WABA}/message_templates");
        let query: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        if method == "GET" {
            state.lists += 1;
            let named = |template: &&Value| {
                let name = template["name"].as_str().unwrap_or_default();
                query.get("name").is_none_or(|wanted| name.contains(wanted))
            };
            let found: Vec<&Value> = state.templates.iter().filter(named).collect();
            return ResponseTemplate::new(200).set_body_json(json!({"data": found, "paging": {}}));
        }
        let body = serde_json::from_slice(&request.body).unwrap_or_default();
        let asked = match request.url.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.clone(),
        };
        state.requests.push((method.to_owned(), asked, body));
        let fault = state.fault.take();
        if let Some(Fault::Refused(status, body)) = fault {
            return ResponseTemplate::new(status).set_body_json(body);
        }
        let answer = state.apply_request(method, &path, &all, &query);
        if fault.is_some() {
            return ResponseTemplate::new(500);
        }
        // Long enough for another request to meet it.
        ResponseTemplate::new(200)
            .set_body_json(answer)
            .set_delay(Duration::from_millis(200))
    }
}

impl State {
    /// Does what the last request wants.
    fn apply_request(&mut self, method: &str, path: &str, all: &str, query: &HashMap<String, String>) -> Value {
        let body = self
            .requests
            .last()
            .map(|(_, _, body)| body.clone())
            .unwrap_or_default();
        if path.ends_with("/uploads") {
            return json!({"id": "upload:SESSION"});
        }
        if path.ends_with("/upload:SESSION") {
            return json!({"h": "4::HANDLE"});
        }
        if method == "DELETE" {
            let id = query.get("hsm_id").cloned().unwrap_or_default();
            self.templates.retain(|template| template["id"] != id);
            return json!({"success": true});
        }
        if path == all {
            let id = format!("81000000000000{}", self.templates.len());
            let mut template = body;
            template["id"] = id.clone().into();
            template["status"] = "PENDING".into();
            let category = template["category"].clone();
            self.templates.push(template);
            return json!({"id": id, "status": "PENDING", "category": category});
        }
        let own = self
            .templates
            .iter_mut()
            .find(|template| template["id"].as_str().is_some_and(|id| path.ends_with(id)));
        if let Some(template) = own {
            template["components"] = body["components"].clone();
            template["status"] = "PENDING".into();
        }
        json!({"success": true})
    }
}
