//! The public port: forwards to the API in MiniStack, which tells APIs apart by Host. It exists because the URL must be known
//! before the deployment, and the API's id is known only after it.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, OnceLock},
};

use anyhow::{Context as _, Result};
use http_body_util::{Either, Full};
use hyper::{
    Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    header::{CONNECTION, HOST, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
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
}

impl Proxy {
    /// Binds the port (0: a free one) and serves.
    pub async fn bind(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            .await
            .with_context(|| format!("binding port {port} for the API (use --port for another one)"))?;
        let port = listener.local_addr().context("reading the chosen port")?.port();
        let target = Arc::new(OnceLock::new());
        let client = Client::builder(TokioExecutor::new()).build_http();
        let task = tokio::spawn(serve(listener, client, Arc::clone(&target)));
        Ok(Self { target, port, task })
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Forwards to this API from now on.
    pub fn forward_to(&self, ministack_port: u16, api: &str) -> Result<()> {
        let host = HeaderValue::from_str(&format!("{api}.execute-api.localhost:{ministack_port}"))
            .context("an API's id makes a host name")?;
        self.target
            .set(Target { ministack_port, host })
            .ok()
            .context("the API is set once")
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
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
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
    let headers = request.headers_mut();
    headers.remove(CONNECTION);
    headers.insert(HOST, target.host.clone());
    match client.request(request).await {
        Ok(response) => response.map(Either::Left),
        Err(_) => refusal(StatusCode::BAD_GATEWAY, "MiniStack does not answer"),
    }
}

fn refusal(status: StatusCode, why: &'static str) -> Answer {
    let mut response = Response::new(Either::Right(Full::from(why)));
    *response.status_mut() = status;
    response
}
