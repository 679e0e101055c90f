//! A provider's side of files, for tests of one function: one answer for the file, in bytes, and one for what is known of it.

use std::io::{Read as _, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use kit::Env;
use tokio::sync::Notify;

pub use crate::asked::{Asked, MAX_KEPT};
use crate::asked::{head, serve_connections};
use crate::{Aws, Variables};

/// The answer to a request for a file.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A file of this content type.
    File(&'static str, Vec<u8>),
    /// This status, these further headers, and this body.
    Other(u16, String, &'static str),
    /// A file of this content type that begins so and has this length. It is in no memory.
    Long(&'static str, &'static [u8], u64),
    /// A file that breaks off before its stated length.
    Short,
    /// A file that does not end.
    Endless,
    /// Nothing, and the connection stays open.
    Silence,
    /// A file, once the test releases it.
    Held(&'static str, Vec<u8>),
    /// For whoever has credentials, another address of this host, where the file of this content type is for whoever has none.
    Moved(&'static str, Vec<u8>),
}

struct State {
    reply: Reply,
    /// Status and JSON of what is known of the file.
    about: (u16, String),
    requests: Vec<Asked>,
    held: Vec<mpsc::Sender<()>>,
    open: Vec<TcpStream>,
}

struct Shared {
    state: Mutex<State>,
    arrived: Notify,
}

/// A server on a loopback port. Requests of files have `/files/` or `/Media/` in their paths, or end with `.mp3`; all others ask about one.
pub struct FileHost {
    url: String,
    shared: Arc<Shared>,
}

impl FileHost {
    /// With this answer for any file. Nothing is known of it.
    pub fn start(reply: Reply) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                reply,
                about: (404, "{}".to_owned()),
                requests: Vec::new(),
                held: Vec::new(),
                open: Vec::new(),
            }),
            arrived: Notify::new(),
        });
        let serving = Arc::clone(&shared);
        let url = serve_connections(move |stream| serve(stream, &serving));
        Self { url, shared }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The environment of a function that asks this host, with these further changes.
    pub fn env(&self, aws: &Aws, changes: &Variables<'_>) -> Env {
        let mut variables = vec![
            ("GRAPH_API_URL", self.url()),
            ("GRAPH_API_VERSION", "v25.0"),
            ("TWILIO_API_URL", self.url()),
            ("PROVIDER_TIMEOUT", "30"),
        ];
        variables.extend_from_slice(changes);
        aws.env_with(&variables)
    }

    /// Answers requests of files like this from now on.
    pub fn answer(&self, reply: Reply) {
        self.shared.lock().reply = reply;
    }

    /// Answers requests about files with this status and JSON from now on.
    pub fn tell(&self, status: u16, about: &str) {
        self.shared.lock().about = (status, about.to_owned());
    }

    /// The requests since the last call.
    pub fn take_requests(&self) -> Vec<Asked> {
        std::mem::take(&mut self.shared.lock().requests)
    }

    /// Waits for a held request.
    pub async fn wait_for_request(&self) {
        self.shared.arrived.notified().await;
    }

    /// Answers the held requests.
    pub fn release(&self) {
        for held in self.shared.lock().held.drain(..) {
            // Its client may have disconnected.
            let _ = held.send(());
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let asked = Asked::read(&stream)?;
    let of_file = ["/files/", "/Media/"].iter().any(|part| asked.path.contains(part)) || asked.path.ends_with(".mp3");
    let is_known = !asked.authorization.is_empty();
    let (reply, (status, about)) = {
        let mut state = shared.lock();
        state.requests.push(asked);
        (state.reply.clone(), state.about.clone())
    };
    if !of_file {
        return write_answer(&mut stream, status, "application/json", about.as_bytes());
    }
    match reply {
        Reply::File(content_type, file) => write_answer(&mut stream, 200, content_type, &file),
        Reply::Other(status, more, body) => {
            stream.write_all(head(&format!("{status} Other"), &more, body.len() as u64).as_bytes())?;
            stream.write_all(body.as_bytes())
        }
        Reply::Long(content_type, begin, length) => {
            let kind = format!("content-type: {content_type}\r\n");
            stream.write_all(head("200 OK", &kind, length).as_bytes())?;
            let rest = begin.chain(std::io::repeat(0));
            std::io::copy(&mut rest.take(length), &mut stream).map(drop)
        }
        Reply::Short => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 9000\r\n\r\nshort")
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\nconnection: close\r\n\r\nID3")?;
            // Until the client has had enough.
            loop {
                stream.write_all(&[0; 16_384])?;
            }
        }
        Reply::Silence => {
            shared.lock().open.push(stream);
            Ok(())
        }
        Reply::Held(content_type, file) => {
            let (sender, released) = mpsc::channel();
            shared.lock().held.push(sender);
            shared.arrived.notify_one();
            // An error means that the test has ended.
            let _ = released.recv();
            write_answer(&mut stream, 200, content_type, &file)
        }
        Reply::Moved(..) if is_known => stream.write_all(head("307 Moved", "location: /files/2\r\n", 0).as_bytes()),
        Reply::Moved(content_type, file) => write_answer(&mut stream, 200, content_type, &file),
    }
}

fn write_answer(stream: &mut TcpStream, status: u16, content_type: &str, body: &[u8]) -> std::io::Result<()> {
    let kind = format!("content-type: {content_type}\r\n");
    stream.write_all(head(&format!("{status} Answer"), &kind, body.len() as u64).as_bytes())?;
    stream.write_all(body)
}
