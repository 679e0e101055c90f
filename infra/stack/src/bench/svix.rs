//! svix-server, which delivers the same events as a process of its own.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use tokio::process::Command;

use super::webhooks::{EVENTS, Pace, Receiver, WARM_UP, client};
use crate::ministack;
use crate::place::Place;
use crate::process::{Server, cpu_seconds, run_captured};
use crate::secrets::random_hex;

/// Messages that are created at the same time.
const AT_ONCE: usize = 32;

/// Time for what a message leaves to do after its delivery.
const SETTLES_WITHIN: Duration = Duration::from_secs(3);

/// A program, with the services that it needs.
pub(super) struct Svix {
    program: PathBuf,
    database: String,
    redis: String,
}

impl Svix {
    /// The program that the environment names, if it does.
    pub(super) fn from_env() -> Result<Option<Self>> {
        let Some(program) = std::env::var_os("RINGBACK_SVIX_SERVER") else {
            return Ok(None);
        };
        let service = |variable: &str, example: &str| {
            let named = std::env::var(variable);
            named.with_context(|| format!("svix-server needs {variable}, such as {example}"))
        };
        Ok(Some(Self {
            program: program.into(),
            database: service("RINGBACK_SVIX_DB", "postgresql://postgres@127.0.0.1:5432/svix")?,
            redis: service("RINGBACK_SVIX_REDIS", "redis://127.0.0.1:6379")?,
        }))
    }

    fn command(&self, port: u16, secret: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("SVIX_LISTEN_ADDRESS", format!("127.0.0.1:{port}"))
            .env("SVIX_DB_DSN", &self.database)
            // Debian's PostgreSQL takes a hundred.
            .env("SVIX_DB_POOL_MAX_SIZE", "50")
            .env("SVIX_REDIS_DSN", &self.redis)
            .env("SVIX_QUEUE_TYPE", "redis")
            .env("SVIX_CACHE_TYPE", "memory")
            .env("SVIX_JWT_SECRET", secret)
            .env("SVIX_WHITELIST_SUBNETS", "[127.0.0.0/8]");
        command
    }

    /// Creates the messages by its API, and waits until the receiver has them.
    pub(super) async fn measure(&self, place: &Place, receiver: &Receiver) -> Result<Pace> {
        let (port, secret) = (ministack::free_port()?, random_hex(16)?);
        let mut generate = self.command(port, &secret);
        let token = run_captured(generate.args(["jwt", "generate"]), &[], "svix-server jwt generate").await?;
        let token = String::from_utf8(token).context("reading a token")?;
        let token = token
            .split_whitespace()
            .last()
            .context("svix-server prints a token")?
            .to_owned();
        let log = place.logs().join("svix-server.log");
        let mut command = self.command(port, &secret);
        let mut server = Server::start(
            "svix-server",
            command.arg("--run-migrations"),
            log,
            Duration::from_secs(10),
        )?;
        let api = Api {
            http: client()?,
            url: format!("{}/api/v1", ministack::endpoint(port)),
            token,
        };
        let ready = async || api.http.get(format!("{}/health", api.url)).send().await.is_ok();
        server.wait_until(Duration::from_secs(120), ready).await?;
        let app = api.create("/app", &json!({ "name": "Measured" })).await?;
        let app = format!("/app/{}", app["id"].as_str().context("an application has an id")?);
        let path = format!("/theirs/{}", random_hex(4)?);
        let url = format!("{}{path}", receiver.origin);
        api.create(&format!("{app}/endpoint"), &json!({ "url": url })).await?;
        api.create_messages(&app, WARM_UP).await?;
        receiver.wait_for(&path, WARM_UP).await?;
        tokio::time::sleep(SETTLES_WITHIN).await;
        let pid = server.pid().context("svix-server has ended")?;
        let (before, begun) = (cpu_seconds(pid), Instant::now());
        api.create_messages(&app, EVENTS).await?;
        receiver.wait_for(&path, WARM_UP + EVENTS).await?;
        let seconds = begun.elapsed().as_secs_f64();
        tokio::time::sleep(SETTLES_WITHIN).await;
        let cpu = cpu_seconds(pid) - before;
        server.stop().await?;
        Ok(Pace {
            deliveries: EVENTS,
            cpu,
            seconds,
        })
    }
}

/// The API of svix-server.
struct Api {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Api {
    async fn create(&self, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}{path}", self.url);
        let request = self.http.post(&url).bearer_auth(&self.token).json(body);
        let answer = request.send().await.with_context(|| format!("asking {url}"))?;
        let (status, text) = (
            answer.status(),
            answer.text().await.context("reading an answer of svix-server")?,
        );
        if !status.is_success() {
            bail!("svix-server answered {path} with {status}: {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("understanding {url}: {text}"))
    }

    /// Creates messages whose payloads are the bodies of our own events.
    async fn create_messages(&self, app: &str, count: usize) -> Result<()> {
        let path = format!("{app}/msg");
        let messages = stream::iter(0..count).map(|number| {
            let data = json!({
                "contact_id": "ctc_01m7wd7tg0v4mttcy5xxaezw6b",
                "conversion_id": format!("cnv_01m7wd7tg0v4mttcy5xxaezw6b{number:026}"),
                "what": "order", "value": { "amount": 12_050, "currency": "AED" },
            });
            let payload = json!({ "type": "conversion.recorded", "timestamp": "2026-11-20T12:00:00Z", "data": data });
            let message = json!({ "eventType": "conversion.recorded", "payload": payload });
            let path = &path;
            async move { self.create(path, &message).await.map(drop) }
        });
        messages.buffer_unordered(AT_ONCE).try_collect().await
    }
}
