//! Requests that arrive on a loopback port, and the heads of their answers.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, TcpStream};

/// Serves every connection to a free port, each in a thread of its own. Returns the URL.
pub(crate) fn serve_connections(serve: impl Fn(TcpStream) -> std::io::Result<()> + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            // A client may disconnect.
            std::thread::spawn(move || drop(serve(stream)));
        }
    });
    url
}

/// Status line, these further headers, and the length of the body.
pub(crate) fn head(status: &str, headers: &str, length: u64) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n")
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Method, such as `GET`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    pub authorization: String,
    /// The beginning of the body, at most [`MAX_KEPT`] bytes.
    pub body: Vec<u8>,
    /// Length of the body in bytes.
    pub length: u64,
}

/// Bytes of a body that are kept.
pub const MAX_KEPT: u64 = 16 * 1024 * 1024;

impl Asked {
    /// Reads the request that a connection begins with.
    pub(crate) fn read(stream: &TcpStream) -> std::io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (mut length, mut authorization) = (0, String::new());
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse::<u64>().unwrap_or(0),
                "authorization" => value.trim().clone_into(&mut authorization),
                _ => {}
            }
        }
        let mut body = Vec::new();
        let kept = length.min(MAX_KEPT);
        reader.by_ref().take(kept).read_to_end(&mut body)?;
        let dropped = std::io::copy(&mut reader.take(length - kept), &mut std::io::sink())?;
        if body.len() as u64 + dropped < length {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Self {
            method,
            path,
            authorization,
            body,
            length,
        })
    }
}
