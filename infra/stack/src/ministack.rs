//! MiniStack, the local AWS: started with its own environment, and stopped so that it keeps its state.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::place::Place;
use crate::process::Server;
use crate::tools::{Tools, remove};

/// Starts MiniStack on this port; see [`wait_until_ready`].
pub fn start(place: &Place, tools: &Tools, port: u16) -> Result<Server> {
    let tmp = place.data.join("tmp");
    // Old unpacked functions.
    remove(&tmp)?;
    for folder in [tmp.clone(), place.data.join("state"), place.data.join("s3")] {
        std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    let mut command = tools.bridge();
    // Functions inherit all of it, so it must not contain anything of ours. Otherwise, a variable missing from the template would not be
    // noticed. Delete env_clear when MiniStack passes only the template's variables to functions.
    command
        .arg("serve")
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", &tmp)
        // Unpacked functions live here, by port.
        .env("TMPDIR", &tmp)
        .env("PYTHONUNBUFFERED", "1")
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        // Functions find AWS by this variable.
        .env("AWS_ENDPOINT_URL", endpoint(port))
        .env("AUTH", "true")
        .env("PERSIST_STATE", "1")
        .env("STATE_DIR", place.data.join("state"))
        .env("S3_PERSIST", "1")
        .env("S3_DATA_DIR", place.data.join("s3"))
        .env("SFTP_ENABLED", "0")
        .env("IOT_MTLS_ENABLED", "0")
        // It would search for its own containers; functions run as host processes.
        .env("DOCKER_HOST", "unix:///nonexistent");
    Server::start(
        "MiniStack",
        &mut command,
        place.logs().join("ministack.log"),
        Duration::from_secs(30),
    )
}

pub fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// A port that is free now.
pub fn free_port() -> Result<u16> {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    Ok(free.context("looking for a free port")?.port())
}

/// Waits until MiniStack answers, on a busy machine, too.
pub async fn wait_until_ready(server: &mut Server, port: u16) -> Result<()> {
    let http = client()?;
    let ready = || http_ok(&http, port, HEALTH);
    server.wait_until(Duration::from_secs(120), ready).await
}

pub async fn ready(port: u16) -> bool {
    match client() {
        Ok(http) => http_ok(&http, port, HEALTH).await,
        Err(_) => false,
    }
}

const HEALTH: &str = "/_ministack/health";

/// A client that asks whether a server is there.
pub fn client() -> Result<reqwest::Client> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2));
    client.no_proxy().build().context("making an HTTP client")
}

/// Whether a GET on this port answers 200.
pub async fn http_ok(http: &reqwest::Client, port: u16, path: &str) -> bool {
    let answer = http.get(format!("{}{path}", endpoint(port))).send().await;
    answer.is_ok_and(|answer| answer.status() == reqwest::StatusCode::OK)
}
