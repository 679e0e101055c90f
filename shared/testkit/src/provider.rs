//! The providers' side for tests of one function: accepts requests of the Graph API, Twilio and SES on a loopback port, answers as
//! told, and records them. The simulators are for whole stacks; this is for one request at a time.

use std::collections::VecDeque;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::asked::{Asked, head, serve_connections};

/// The answer to a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// The message is accepted.
    Accept,
    /// This status, these headers and this body.
    Answer(u16, Vec<(&'static str, String)>, Value),
    /// The connection breaks after the request was read.
    Break,
    /// The answer that the test gives with [`Provider::release`].
    Held,
}

impl Reply {
    /// The Graph API refuses with this code.
    pub fn graph(status: u16, code: i64) -> Self {
        let error = json!({"error": {"message": "(#1) no", "type": "OAuthException", "code": code}});
        Self::Answer(status, Vec::new(), error)
    }

    /// Twilio refuses with this code.
    pub fn twilio(status: u16, code: i64) -> Self {
        let error = json!({"code": code, "message": "no", "status": status});
        Self::Answer(status, Vec::new(), error)
    }

    /// SES refuses with this code and these words.
    pub fn ses(status: u16, code: &str, words: &str) -> Self {
        Self::Answer(status, Vec::new(), json!({"message": words})).header("x-amzn-errortype", code)
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Answer(_, headers, _) = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Method, such as `GET`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    pub authorization: String,
    pub body: String,
}

impl Request {
    /// True if it was sent to the Graph API.
    pub fn is_graph(&self) -> bool {
        ["/messages", "/marketing_messages"]
            .iter()
            .any(|edge| self.path.ends_with(edge))
    }

    /// True if it was sent to SES.
    fn is_mail(&self) -> bool {
        self.path == "/v2/email/outbound-emails"
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }

    /// A field of the form.
    pub fn field(&self, name: &str) -> Option<String> {
        let form = providers::form::parse(self.body.as_bytes());
        form.get(name).map(|value| value.into_owned())
    }

    /// The recipient of a message as its provider writes it: `971501234567`, `+971501234567`, `whatsapp:+971501234567`.
    pub fn recipient(&self) -> Option<String> {
        if !self.is_graph() {
            return self.field("To");
        }
        let body = self.json();
        let names = ["to", "recipient"];
        names.iter().find_map(|name| body[*name].as_str().map(str::to_owned))
    }

    /// A field of the query.
    fn query_field(&self, name: &str) -> Option<String> {
        let (_, query) = self.path.split_once('?')?;
        let form = providers::form::parse(query.as_bytes());
        form.get(name).map(|value| value.into_owned())
    }

    /// The key that its statuses will contain.
    pub fn key(&self) -> Option<String> {
        if self.is_graph() {
            return self.json()["biz_opaque_callback_data"].as_str().map(str::to_owned);
        }
        let callback = self.field("StatusCallback")?;
        let (_, key) = callback.split_once("key=")?;
        // The fragment is for Twilio itself.
        key.split('#').next().map(str::to_owned)
    }
}

/// The answer to a send, by the number of earlier sends to its recipient by its channel.
type Rule = Box<dyn Fn(&Request, usize) -> Reply + Send>;

struct State {
    replies: VecDeque<Reply>,
    rule: Option<Rule>,
    requests: Vec<Request>,
    /// `None`: requests for the list fail.
    listed: Option<Vec<Value>>,
    held: Vec<mpsc::Sender<Reply>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            replies: VecDeque::new(),
            rule: None,
            requests: Vec::new(),
            listed: Some(Vec::new()),
            held: Vec::new(),
        }
    }
}

impl State {
    /// The answer to a send that is not recorded yet.
    fn reply_to(&mut self, request: &Request) -> Reply {
        if let Some(reply) = self.replies.pop_front() {
            return reply;
        }
        let Some(rule) = &self.rule else {
            return Reply::Accept;
        };
        let of = |request: &Request| (request.is_graph(), request.recipient());
        let sends = self.requests.iter().filter(|earlier| earlier.method == "POST");
        rule(request, sends.filter(|earlier| of(earlier) == of(request)).count())
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Notify,
    accepted: AtomicU32,
}

/// A provider on a loopback port.
#[derive(Clone)]
pub struct Provider {
    url: String,
    shared: Arc<Shared>,
}

impl Provider {
    pub fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let url = serve_connections(move |stream| serve(&stream, &serving));
        Self { url, shared }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The environment of `send_message`, with this as both providers.
    pub fn env(&self, aws: &crate::Aws) -> kit::Env {
        self.env_with(aws, &[])
    }

    /// The environment of `send_message`, with this as both providers and some variables changed.
    pub fn env_with(&self, aws: &crate::Aws, changes: &crate::Variables<'_>) -> kit::Env {
        let mut variables = vec![
            ("PUBLIC_BASE_URL", "https://hooks.example.test"),
            ("GRAPH_API_URL", &self.url),
            ("GRAPH_API_VERSION", "v26.0"),
            ("TWILIO_API_URL", &self.url),
        ];
        variables.extend(changes);
        aws.env_with(&variables)
    }

    /// Answers the next send like this. After the last of these answers, the rule of [`Provider::reply_by`] decides. Without one,
    /// sends are accepted.
    pub fn reply(&self, reply: Reply) {
        self.shared.lock().replies.push_back(reply);
    }

    /// Answers sends by this rule from now on: by the request, and the number of earlier sends to its recipient by its channel. So what
    /// happens to a message does not depend on the order of sends to different people.
    pub fn reply_by(&self, rule: impl Fn(&Request, usize) -> Reply + Send + 'static) {
        self.shared.lock().rule = Some(Box::new(rule));
    }

    /// The content of Twilio's list of messages from now on; each recipient's list shows only their messages.
    pub fn list(&self, messages: Vec<Value>) {
        self.shared.lock().listed = Some(messages);
    }

    /// Requests for Twilio's list of messages fail from now on.
    pub fn list_nothing(&self) {
        self.shared.lock().listed = None;
    }

    pub fn sends(&self) -> Vec<Request> {
        let state = self.shared.lock();
        let sends = state.requests.iter().filter(|request| request.method == "POST");
        sends.cloned().collect()
    }

    pub fn only_send(&self) -> Request {
        let mut sends = self.sends();
        assert_eq!(sends.len(), 1, "{sends:?}");
        sends.remove(0)
    }

    /// Number of requests for Twilio's list.
    pub fn lookups(&self) -> usize {
        let state = self.shared.lock();
        state.requests.iter().filter(|request| request.method == "GET").count()
    }

    /// Waits for a held request.
    pub async fn wait_for_request(&self) {
        self.shared.arrived.notified().await;
    }

    /// Accepts the held requests.
    pub fn release(&self) {
        self.release_with(Reply::Accept);
    }

    /// Answers the held requests.
    #[expect(clippy::needless_pass_by_value, reason = "reads as the other ways to reply do")]
    pub fn release_with(&self, reply: Reply) {
        for held in self.shared.lock().held.drain(..) {
            // Its client may have disconnected.
            let _ = held.send(reply.clone());
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let request = read(stream)?;
    if request.method == "GET" {
        let mut state = shared.lock();
        let to = request.query_field("To");
        state.requests.push(request);
        let Some(listed) = &state.listed else {
            return answer(stream, 503, &[], &json!({}));
        };
        let theirs = listed.iter().filter(|one| one["to"].as_str() == to.as_deref());
        let theirs: Vec<_> = theirs.collect();
        let page = json!({"messages": theirs, "next_page_uri": null});
        return answer(stream, 200, &[], &page);
    }
    let (reply, released) = {
        let mut state = shared.lock();
        let reply = state.reply_to(&request);
        state.requests.push(request.clone());
        let (sender, released) = mpsc::channel();
        if matches!(reply, Reply::Held) {
            state.held.push(sender);
        }
        (reply, released)
    };
    let reply = match reply {
        Reply::Held => {
            shared.arrived.notify_one();
            // An error means that the test has ended.
            released.recv().unwrap_or(Reply::Break)
        }
        reply => reply,
    };
    match reply {
        Reply::Answer(status, headers, body) => return answer(stream, status, &headers, &body),
        Reply::Break | Reply::Held => return Ok(()),
        Reply::Accept => {}
    }
    let count = shared.accepted.fetch_add(1, Ordering::Relaxed) + 1;
    if request.is_graph() {
        let taken = json!({"messaging_product": "whatsapp", "messages": [{"id": format!("wamid.{count}")}]});
        answer(stream, 200, &[], &taken)
    } else if request.is_mail() {
        answer(stream, 200, &[], &json!({"MessageId": format!("mail-{count}")}))
    } else {
        let taken =
            json!({"sid": format!("SM{count:032}"), "status": "queued", "num_segments": "1", "error_code": null});
        answer(stream, 201, &[], &taken)
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Request> {
    let asked = Asked::read(stream)?;
    Ok(Request {
        method: asked.method,
        path: asked.path,
        authorization: asked.authorization,
        body: String::from_utf8_lossy(&asked.body).into_owned(),
    })
}

fn answer(mut stream: &TcpStream, status: u16, headers: &[(&str, String)], body: &Value) -> std::io::Result<()> {
    let body = body.to_string();
    let mut more = "content-type: application/json\r\n".to_owned();
    for (name, value) in headers {
        more.push_str(&format!("{name}: {value}\r\n"));
    }
    let head = head(&format!("{status} -"), &more, body.len() as u64);
    stream.write_all((head + &body).as_bytes())
}
