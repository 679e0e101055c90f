//! Twilio's side of a recording: one answer for its sound, in bytes, and one for what is known of it.

use std::{
    io::{BufRead as _, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError, mpsc},
};

use tokio::sync::Notify;

/// The answer to a request for the sound.
#[derive(Clone)]
pub(crate) enum Reply {
    /// MP3.
    Sound(Vec<u8>),
    /// This status, these further headers, and this body.
    Other(u16, String, &'static str),
    /// A sound that breaks off before its stated length.
    Short,
    /// A sound that does not end.
    Endless,
    /// Nothing, and the connection stays open.
    Silence,
    /// The sound, once the test releases it.
    Held(Vec<u8>),
}

struct State {
    reply: Reply,
    /// The state of the recording in Twilio's words. `None`: nothing is known of it.
    about: Option<&'static str>,
    /// Path and `Authorization` of each request.
    requests: Vec<(String, String)>,
    held: Vec<mpsc::Sender<()>>,
    open: Vec<TcpStream>,
}

struct Shared {
    state: Mutex<State>,
    arrived: Notify,
}

/// A server on a loopback port.
pub(crate) struct Twilio {
    url: String,
    shared: Arc<Shared>,
}

impl Twilio {
    /// With this answer for any recording's sound.
    pub(crate) fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                reply,
                about: None,
                requests: Vec::new(),
                held: Vec::new(),
                open: Vec::new(),
            }),
            arrived: Notify::new(),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                // A client may disconnect.
                std::thread::spawn(move || drop(serve(stream, &shared)));
            }
        });
        Self { url, shared }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Answers like this from now on.
    pub(crate) fn answer(&self, reply: Reply, about: Option<&'static str>) {
        let mut state = self.shared.lock();
        (state.reply, state.about) = (reply, about);
    }

    /// Path and `Authorization` of each request since the last call.
    pub(crate) fn take_requests(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.shared.lock().requests)
    }

    /// Waits for a held request.
    pub(crate) async fn arrived(&self) {
        self.shared.arrived.notified().await;
    }

    /// Answers the held requests.
    pub(crate) fn release(&self) {
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
    let (path, authorization) = read(&stream)?;
    let (reply, about) = {
        let mut state = shared.lock();
        state.requests.push((path.clone(), authorization));
        (state.reply.clone(), state.about)
    };
    if path.contains(".json") {
        return match about {
            Some(status) => whole(
                &mut stream,
                200,
                "application/json",
                format!(r#"{{"status": "{status}"}}"#).as_bytes(),
            ),
            None => whole(
                &mut stream,
                404,
                "application/json",
                br#"{"code": 20404, "status": 404}"#,
            ),
        };
    }
    match reply {
        Reply::Sound(sound) => whole(&mut stream, 200, "audio/mpeg", &sound),
        Reply::Other(status, more, body) => {
            let head = format!(
                "HTTP/1.1 {status} Other\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes())?;
            stream.write_all(body.as_bytes())
        }
        Reply::Short => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 9000\r\n\r\nshort")
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\nconnection: close\r\n\r\n")?;
            // Until the client has had enough.
            loop {
                stream.write_all(&[0; 16_384])?;
            }
        }
        Reply::Silence => {
            shared.lock().open.push(stream);
            Ok(())
        }
        Reply::Held(sound) => {
            let (sender, released) = mpsc::channel();
            shared.lock().held.push(sender);
            shared.arrived.notify_one();
            // An error means that the test has ended.
            let _ = released.recv();
            whole(&mut stream, 200, "audio/mpeg", &sound)
        }
    }
}

fn whole(stream: &mut TcpStream, status: u16, content_type: &str, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Answer\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}

/// Path and `Authorization` of a request.
fn read(stream: &TcpStream) -> std::io::Result<(String, String)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let mut authorization = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            return Ok((path, authorization));
        };
        if name.eq_ignore_ascii_case("authorization") {
            value.trim().clone_into(&mut authorization);
        }
    }
}
