//! The public port: forwards to the API in MiniStack, which tells APIs apart by Host. It exists because the URL must be known
//! before the deployment, and the API's id is known only after it. WebSockets at [`SOCKETS`] go to the WebSocket API, byte by byte.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result};
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, HOST, HeaderValue, UPGRADE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::{self, OnUpgrade};
use hyper::{HeaderMap, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

type Answer = Response<Either<Incoming, Full<Bytes>>>;

/// The bound port; it answers 503 until it knows its API.
#[derive(Debug)]
pub struct Proxy {
    target: Arc<OnceLock<Target>>,
    port: u16,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct Target {
    ministack_port: u16,
    host: HeaderValue,
    /// Host of the WebSocket API, whose stage has the name of the path.
    sockets: HeaderValue,
}

const SOCKETS: &str = "/live";

/// Time for which an idle connection to MiniStack is kept: less than the 75 seconds until MiniStack closes it, perhaps just when
/// a request is sent.
const IDLE: Duration = Duration::from_secs(30);

impl Proxy {
    /// Binds the port (0: a free one) and serves.
    pub async fn bind(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .await
            .with_context(|| format!("binding port {port} for the API (use --port for another one)"))?;
        let port = listener.local_addr().context("reading the chosen port")?.port();
        let target = Arc::new(OnceLock::new());
        let mut client = Client::builder(TokioExecutor::new());
        let client = client.pool_idle_timeout(IDLE).build_http();
        let task = tokio::spawn(serve(listener, client, Arc::clone(&target)));
        Ok(Self { target, port, task })
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Forwards to this API and this WebSocket API from now on.
    pub fn forward_to(&self, ministack_port: u16, api: &str, live_api: &str) -> Result<()> {
        let host = |api: &str| {
            HeaderValue::from_str(&format!("{api}.execute-api.localhost:{ministack_port}"))
                .context("an API's id makes a host name")
        };
        let target = Target {
            ministack_port,
            host: host(api)?,
            sockets: host(live_api)?,
        };
        self.target.set(target).ok().context("the API is set once")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, client: Client<HttpConnector, Incoming>, target: Arc<OnceLock<Target>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Most likely out of file descriptors: waits until some are free.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Otherwise, answers in two writes wait for the peer's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        let (client, target) = (client.clone(), Arc::clone(&target));
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let (client, target) = (client.clone(), Arc::clone(&target));
                async move { Ok::<_, Infallible>(forward(&client, target.get(), request).await) }
            });
            // A caller may disconnect in the middle of a request.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
                .await;
        });
    }
}

async fn forward(
    client: &Client<HttpConnector, Incoming>,
    target: Option<&Target>,
    mut request: Request<Incoming>,
) -> Answer {
    let Some(target) = target else {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "the stack is still being deployed");
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let Ok(uri) = format!("http://127.0.0.1:{}{path}", target.ministack_port).parse::<Uri>() else {
        return refusal(StatusCode::BAD_REQUEST, "unreadable path");
    };
    *request.uri_mut() = uri;
    let wanted = other_protocol(request.headers());
    let is_socket = wanted.is_some() && request.uri().path() == SOCKETS;
    let caller = wanted.is_some().then(|| upgrade::on(&mut request));
    let headers = request.headers_mut();
    // Both are of the hop.
    headers.remove(CONNECTION);
    headers.remove(UPGRADE);
    let host = if is_socket { &target.sockets } else { &target.host };
    headers.insert(HOST, host.clone());
    if let Some(protocol) = wanted {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol);
    }
    match client.request(request).await {
        Ok(mut response) => {
            if let Some(caller) = caller.filter(|_| response.status() == StatusCode::SWITCHING_PROTOCOLS) {
                tokio::spawn(join(caller, upgrade::on(&mut response)));
            }
            response.map(Either::Left)
        }
        Err(error) => refusal(StatusCode::BAD_GATEWAY, format!("MiniStack does not answer: {error:?}")),
    }
}

/// The protocol that a request asks to switch its connection to, such as `websocket`.
fn other_protocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let options = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut options = options.flat_map(|value| value.split(','));
    let switches = options.any(|option| option.trim().eq_ignore_ascii_case("upgrade"));
    headers.get(UPGRADE).filter(|_| switches).cloned()
}

/// Passes everything on between two connections that have switched, until one of them ends.
async fn join(caller: OnUpgrade, api: OnUpgrade) {
    let Ok((caller, api)) = tokio::try_join!(caller, api) else {
        return;
    };
    // Either may disconnect at any moment.
    let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(caller), &mut TokioIo::new(api)).await;
}

fn refusal(status: StatusCode, why: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Either::Right(Full::from(why.into())));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    /// Reads up to the end of a head, in lower case.
    async fn head(stream: &mut TcpStream) -> String {
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n") {
            read.push(stream.read_u8().await.unwrap());
        }
        String::from_utf8(read).unwrap().to_ascii_lowercase()
    }

    /// A proxy before a server that gives one answer and, once it has switched, returns every byte in upper case. It tells what it
    /// was asked.
    async fn proxy(answer: &'static str) -> (Proxy, tokio::task::JoinHandle<String>) {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Proxy::bind(0).await.unwrap();
        proxy
            .forward_to(server.local_addr().unwrap().port(), "abcd1234", "live5678")
            .unwrap();
        let served = tokio::spawn(async move {
            let (mut stream, _) = server.accept().await.unwrap();
            let head = head(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
            while answer.contains(" 101 ")
                && let Ok(byte) = stream.read_u8().await
            {
                stream.write_u8(byte.to_ascii_uppercase()).await.unwrap();
            }
            head
        });
        (proxy, served)
    }

    async fn ask(proxy: &Proxy, headers: &str) -> (TcpStream, String) {
        let mut caller = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).await.unwrap();
        let request = format!("GET /live?ticket=1 HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}\r\n");
        caller.write_all(request.as_bytes()).await.unwrap();
        let answer = head(&mut caller).await;
        (caller, answer)
    }

    #[tokio::test]
    async fn web_socket_is_forwarded_in_both_directions() {
        let (proxy, served) = proxy(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        )
        .await;
        let sent = "connection: keep-alive, Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n";
        let (mut caller, answer) = ask(&proxy, sent).await;
        assert!(answer.starts_with("http/1.1 101 "), "{answer}");
        assert!(
            answer.contains("upgrade: websocket") && answer.contains("sec-websocket-accept: "),
            "{answer}"
        );
        for word in [b"first", b"again"] {
            caller.write_all(word).await.unwrap();
            let mut back = [0; 5];
            caller.read_exact(&mut back).await.unwrap();
            assert_eq!(back, word.to_ascii_uppercase().as_slice());
        }
        drop(caller);
        let head = served.await.unwrap();
        assert!(head.starts_with("get /live?ticket=1 "), "{head}");
        for header in ["connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13"] {
            assert!(head.contains(header), "{head}");
        }
        assert!(head.contains("host: live5678.execute-api.localhost:"), "{head}");
    }

    #[tokio::test]
    async fn connection_that_does_not_switch_is_forwarded_as_usual() {
        for (sent, asks) in [
            ("connection: upgrade\r\nupgrade: websocket\r\n", true),
            ("upgrade: websocket\r\n", false),
            ("connection: upgrade\r\n", false),
            ("", false),
        ] {
            let (proxy, served) = proxy("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
            let (_caller, answer) = ask(&proxy, sent).await;
            assert!(answer.starts_with("http/1.1 403 "), "{answer}");
            let head = served.await.unwrap();
            assert_eq!(head.contains("upgrade"), asks, "{head}");
            assert_eq!(head.contains("host: live5678."), asks, "{head}");
        }
    }
}
