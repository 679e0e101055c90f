//! API Gateway's side of sockets, for tests of one function: what each connection was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::live::SocketId;
use serde_json::Value;

use crate::asked::{Asked, head, serve_connections};

pub fn socket_id(text: &str) -> SocketId {
    SocketId::new(text.to_owned()).expect("an id of a connection")
}

#[derive(Default)]
struct Seen {
    told: BTreeMap<String, Vec<Value>>,
    closed: BTreeSet<String>,
    gone: BTreeSet<String>,
    failing: BTreeMap<String, usize>,
    hanging: BTreeSet<String>,
    open: Vec<TcpStream>,
}

/// A server on a loopback port, with connections of any id.
pub struct Gateway {
    url: String,
    seen: Arc<Mutex<Seen>>,
}

impl Gateway {
    /// Starts a server whose connections take all that they are told.
    pub fn start() -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let serving = Arc::clone(&seen);
        let url = serve_connections(move |stream| serve(stream, &serving));
        Self { url, seen }
    }

    /// Its URL, for `CONNECTIONS_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The client of this connection goes, and nobody tells.
    pub fn lose(&self, id: &SocketId) {
        lock(&self.seen).gone.insert(id.to_string());
    }

    /// The next so many requests for this connection fail.
    pub fn fail(&self, id: &SocketId, times: usize) {
        lock(&self.seen).failing.insert(id.to_string(), times);
    }

    /// Requests for this connection get no answer from now on.
    pub fn hang(&self, id: &SocketId) {
        lock(&self.seen).hanging.insert(id.to_string());
    }

    /// All that this connection was told since the last look.
    pub fn take_messages(&self, id: &SocketId) -> Vec<Value> {
        lock(&self.seen).told.remove(id.as_str()).unwrap_or_default()
    }

    pub fn is_closed(&self, id: &SocketId) -> bool {
        lock(&self.seen).closed.contains(id.as_str())
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut stream: TcpStream, seen: &Mutex<Seen>) -> std::io::Result<()> {
    let asked = Asked::read(&stream)?;
    let id = asked.path.rsplit('/').next().unwrap_or_default().replace("%3D", "=");
    let status = {
        let mut seen = lock(seen);
        if seen.hanging.contains(&id) {
            seen.open.push(stream);
            return Ok(());
        }
        let fails = seen.failing.get_mut(&id).filter(|times| **times > 0);
        if let Some(times) = fails {
            *times -= 1;
            "500 Internal Server Error"
        } else if seen.gone.contains(&id) || seen.closed.contains(&id) {
            "410 Gone"
        } else if asked.method == "DELETE" {
            seen.closed.insert(id);
            "204 No Content"
        } else {
            let frame = serde_json::from_slice(&asked.body)?;
            seen.told.entry(id).or_default().push(frame);
            "200 OK"
        }
    };
    let kind = if status.starts_with("410") {
        "x-amzn-errortype: GoneException\r\n"
    } else {
        ""
    };
    stream.write_all(head(status, kind, 0).as_bytes())
}
