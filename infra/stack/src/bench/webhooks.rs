//! Deliveries of outgoing webhooks: how many a second of CPU makes, beside those of svix-server, and how long healthy endpoints wait while
//! others fail.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::load::Times;
use super::page::verdict;
use super::svix::Svix;
use super::wait_for_queues;
use crate::api::{Proof, ask_for_json};
use crate::aws::{LogEvent, local_sdk};
use crate::bill::{Bill, Line};
use crate::build::{self, Profile};
use crate::business::{Plan, Town, new_ulid};
use crate::endpoints::Tenant;
use crate::ministack;
use crate::place::Place;
use crate::play::{Look, Play, until};
use crate::process::Server;
use crate::report::step;
use crate::running::{Running, redeploy};
use crate::tools::Tools;

/// Events of the comparison.
pub(super) const EVENTS: usize = 5_000;

/// Events before it, so that processes and connections are there.
pub(super) const WARM_UP: usize = 100;

/// Endpoints that accept everything.
const HEALTHY: usize = 8;

/// Events, one by one, until each of the healthy endpoints has them.
const PACED: usize = 120;

/// Time between two of them.
const EVERY: Duration = Duration::from_millis(500);

/// Items of a request to the table.
const TOGETHER: usize = 25;

/// Maximum wait for deliveries.
const PATIENCE: Duration = Duration::from_secs(600);

/// Minimum of our deliveries per second of CPU, over those of svix-server.
const MIN_TIMES: f64 = 1.5;

/// Maximum 99th percentile of healthy endpoints once others are down, over that without these.
const MAX_TIMES_WAITED: f64 = 1.2;

/// Maximum further wait before they are down, in milliseconds: as long as an attempt.
const MAX_MORE_MS: f64 = 15_000.0;

/// Maximum dollars per 1,000 deliveries.
const MAX_DOLLARS: f64 = 0.01;

/// Functions between the table's stream and a receiver.
const FUNCTIONS: [&str; 2] = ["publish_events", "deliver_webhook"];

/// The only event of the endpoints.
const RECORDED: &str = "conversion.recorded";

/// Figures of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Webhooks {
    pub ours: Pace,
    /// Figures of svix-server, if there was one.
    pub theirs: Option<Pace>,
    /// Times of deliveries to healthy endpoints alone.
    pub alone: Times,
    /// While a slow and a failing endpoint go down.
    pub beside_failing: Times,
    /// Once they are down.
    pub beside_down: Times,
    /// Write units of a delivery that comes alone.
    pub units: f64,
    /// Dollars per 1,000 deliveries that come alone.
    pub dollars_per_1000: f64,
}

impl Webhooks {
    /// The figures, with those of svix-server if there are any.
    pub(super) fn page(&self) -> String {
        let row = |sender: &str, pace: &Pace| {
            let Pace {
                deliveries,
                cpu,
                seconds,
            } = pace;
            let each = pace.per_cpu_second();
            format!(
                "| {sender} | {deliveries} | {cpu:.2} s | **{each:.0}** | {:.0} |\n",
                *deliveries as f64 / seconds
            )
        };
        let theirs = self
            .theirs
            .map_or_else(String::new, |theirs| row("svix-server", &theirs));
        let ours = row("Ringback", &self.ours);
        let compared = self.theirs.map_or_else(
            || "svix-server was not measured, since `RINGBACK_SVIX_SERVER` named none.".to_owned(),
            |theirs| {
                let times = self.ours.per_cpu_second() / theirs.per_cpu_second();
                let verdict = verdict(times >= MIN_TIMES);
                format!("Deliveries per second of CPU, over those of svix-server: {times:.2}, at least {MIN_TIMES}, {verdict}.")
            },
        );
        let latest = |times: &Times| times.percentile(99);
        let waits = [
            ("alone", &self.alone, f64::INFINITY),
            (
                "while they go down",
                &self.beside_failing,
                latest(&self.alone) + MAX_MORE_MS,
            ),
            (
                "once they are down",
                &self.beside_down,
                latest(&self.alone) * MAX_TIMES_WAITED,
            ),
        ];
        let waits = waits.map(|(what, times, most)| {
            let (half, latest) = (times.percentile(50), latest(times));
            let aim = if most.is_finite() {
                format!("≤ {most:.0} ms | {}", verdict(latest <= most))
            } else {
                " | ".to_owned()
            };
            format!("| {what} | {half:.0} ms | {latest:.0} ms | {aim} |\n")
        });
        format!(
            "
## Outgoing webhooks

{EVENTS} orders, written as fast as the table takes them, are told to one receiver (`aiohttp`) on the same cores, which answers 204. The CPU is that of
`publish_events` and `deliver_webhook`, in the shipped profile, from their log lines, and that of svix-server's process with its usual settings and a queue in
Redis, which takes as many messages by its API. The
emulator, the receiver, PostgreSQL and Redis count on no side.

| | deliveries | CPU | deliveries per second of CPU | per second |
| --- | ---: | ---: | ---: | ---: |
{theirs}{ours}
{compared}

From the write of an order until each of {HEALTHY} endpoints has it, {PACED} orders one by one, without others and beside two more: one that answers
after 20 seconds, and one that answers 500. Both are down after a while.

| the healthy ones | p50 | p99 | aim | |
| --- | ---: | ---: | ---: | --- |
{}
A delivery that comes alone costs {:.1} write units; 1,000 of them cost ${:.4}, at most ${MAX_DOLLARS}, {}.
",
            waits.concat(),
            self.units,
            self.dollars_per_1000,
            verdict(self.dollars_per_1000 <= MAX_DOLLARS),
        )
    }
}

/// Deliveries of one sender.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Pace {
    pub deliveries: usize,
    /// Seconds of CPU.
    pub cpu: f64,
    /// Seconds from the first event to the last delivery.
    pub seconds: f64,
}

impl Pace {
    /// Deliveries per second of CPU.
    pub fn per_cpu_second(&self) -> f64 {
        self.deliveries as f64 / self.cpu
    }
}

/// A program that receives events, which we did not write in Rust.
pub struct Receiver {
    server: Server,
    http: reqwest::Client,
    pub(super) origin: String,
}

/// An event as it was received first.
#[derive(Deserialize)]
struct Received {
    /// Time in milliseconds.
    at: f64,
    body: Value,
}

impl Receiver {
    /// Starts it on a free port.
    pub async fn start(place: &Place, tools: &Tools) -> Result<Self> {
        let port = ministack::free_port()?;
        let mut python = tools.contract().await?.program("python");
        python
            .arg(place.root.join("infra/stack/python/receive_events.py"))
            .env("RINGBACK_PORT", port.to_string());
        let log = place.logs().join("receiver.log");
        let mut server = Server::start("the receiver", &mut python, log, Duration::from_secs(5))?;
        let looking = ministack::client()?;
        let ready = || ministack::http_ok(&looking, port, "/count?path=/");
        server.wait_until(Duration::from_secs(60), ready).await?;
        Ok(Self {
            server,
            http: client()?,
            origin: ministack::endpoint(port),
        })
    }

    pub async fn stop(self) -> Result<()> {
        self.server.stop().await.map(drop)
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, what: &str, path: &str) -> Result<T> {
        let url = format!("{}/{what}?path={path}", self.origin);
        let answer = self.http.get(&url).send().await.context("asking the receiver")?;
        let text = answer.text().await.context("reading what was received")?;
        serde_json::from_str(&text).with_context(|| format!("understanding {url}: {text}"))
    }

    /// Waits until this many events came to a path.
    pub(super) async fn wait_for(&self, path: &str, events: usize) -> Result<()> {
        until(PATIENCE, "all deliveries", async || {
            // Looking takes time of the same cores.
            tokio::time::sleep(Duration::from_millis(200)).await;
            let count: usize = self.ask("count", path).await?;
            Ok(Look::when(count >= events, || format!("{count} of {events}")))
        })
        .await
    }
}

/// A client that waits for busy servers.
pub(super) fn client() -> Result<reqwest::Client> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60));
    client.no_proxy().build().context("making an HTTP client")
}

/// The orders of a customer.
struct Orders {
    table: String,
    client: Client,
    /// The row of an order, by which others are made.
    row: HashMap<String, AttributeValue>,
}

impl Orders {
    async fn new(business: &Business<'_>) -> Result<Self> {
        let endpoints = &business.play.endpoints;
        let contact = business
            .create("/api/v1/contacts", json!({ "name": "Maya Haddad" }))
            .await?;
        let order =
            json!({ "what": "order", "value": { "amount": 12_050, "currency": "AED" }, "reference": "Order 1042" });
        business
            .create(&format!("/api/v1/contacts/{contact}/conversions"), order)
            .await?;
        let client = Client::new(&local_sdk(&endpoints.aws_endpoint));
        let ulid = |id: &str| id.split_once('_').map(|(_, ulid)| ulid.to_owned()).unwrap_or_default();
        let partition = format!("T#{}#C#{}", ulid(&business.tenant.id), ulid(&contact));
        let found = client
            .query()
            .table_name(&endpoints.table)
            .key_condition_expression("pk = :contact AND begins_with(sk, :order)")
            .expression_attribute_values(":contact", AttributeValue::S(partition))
            .expression_attribute_values(":order", AttributeValue::S("CONVERSION#".to_owned()))
            .send();
        let found = found
            .await
            .context("reading the row of an order")?
            .items
            .unwrap_or_default();
        Ok(Self {
            table: endpoints.table.clone(),
            client,
            row: found.into_iter().next().context("an order has a row")?,
        })
    }

    /// Another order: its id, and its row.
    fn make(&self) -> Result<(String, HashMap<String, AttributeValue>)> {
        let own = new_ulid()?;
        let mut row = self.row.clone();
        row.insert("sk".to_owned(), AttributeValue::S(format!("CONVERSION#{own}")));
        let data = row.get_mut("data").and_then(|data| match data {
            AttributeValue::M(data) => Some(data),
            _ => None,
        });
        let data = data.context("an order has data")?;
        let id = data
            .get("id")
            .and_then(|id| id.as_s().ok())
            .context("an order has an id")?;
        let id = format!("{}{own}", &id[..id.len() - own.len()]);
        data.insert("id".to_owned(), AttributeValue::S(id.clone()));
        Ok((id, row))
    }

    /// Writes this many as fast as the table takes them.
    async fn record(&self, count: usize) -> Result<()> {
        let mut left = count;
        while left > 0 {
            let mut writes = Vec::new();
            for _order in 0..TOGETHER.min(left) {
                let put = PutRequest::builder().set_item(Some(self.make()?.1)).build();
                let put = put.context("making a request")?;
                writes.push(WriteRequest::builder().put_request(put).build());
            }
            left -= writes.len();
            let written = self.client.batch_write_item().request_items(&self.table, writes).send();
            let unwritten = written.await.context("writing orders")?.unprocessed_items;
            ensure!(unwritten.is_none_or(|items| items.is_empty()), "the table is too slow");
        }
        Ok(())
    }

    /// Writes some, one by one. Returns the time of each in milliseconds, by its id.
    async fn record_paced(&self, count: usize) -> Result<BTreeMap<String, f64>> {
        let mut recorded = BTreeMap::new();
        let mut pace = tokio::time::interval(EVERY);
        for _order in 0..count {
            pace.tick().await;
            let (id, row) = self.make()?;
            recorded.insert(id, Timestamp::now().as_millisecond() as f64);
            let put = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(row))
                .send();
            put.await.context("writing an order")?;
        }
        Ok(recorded)
    }
}

/// A business that tells the receiver of its orders.
struct Business<'a> {
    running: &'a Running,
    play: &'a Play,
    tenant: Tenant,
    receiver: &'a Receiver,
}

impl Business<'_> {
    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        let key = Proof::Key(self.tenant.api_key.clone());
        ask_for_json(self.play, &key, method, path, body).await
    }

    /// Creates something. Returns its id.
    async fn create(&self, path: &str, body: Value) -> Result<String> {
        let created = self.ask("post", path, Some(body)).await?;
        Ok(created["id"].as_str().context("what is created has an id")?.to_owned())
    }

    /// An endpoint at this path of the receiver. Returns the path by which the API knows it.
    async fn create_endpoint(&self, path: &str) -> Result<String> {
        let url = format!("{}{path}", self.receiver.origin);
        let endpoint = json!({ "name": path, "url": url, "events": [RECORDED] });
        let id = self.create("/api/v1/webhook-endpoints", endpoint).await?;
        Ok(format!("/api/v1/webhook-endpoints/{id}"))
    }

    /// The functions' log lines since a time, once nothing is left to do.
    async fn logs(&self, begun: Timestamp) -> Result<Vec<LogEvent>> {
        wait_for_queues(self.running).await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let mut events = self.running.logs(Some(begun.as_millisecond())).await?;
        events.retain(|event| Line::of(event).is_some_and(|line| FUNCTIONS.contains(&line.function.as_str())));
        Ok(events)
    }

    async fn measure_pace(&self, orders: &Orders) -> Result<Pace> {
        let path = "/ours";
        let endpoint = self.create_endpoint(path).await?;
        orders.record(WARM_UP).await?;
        self.receiver.wait_for(path, WARM_UP).await?;
        self.logs(Timestamp::now()).await?;
        let (at, begun) = (Timestamp::now(), Instant::now());
        orders.record(EVENTS).await?;
        self.receiver.wait_for(path, WARM_UP + EVENTS).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let used = Bill::of(&self.logs(at).await?).functions;
        self.ask("delete", &endpoint, None).await?;
        Ok(Pace {
            deliveries: EVENTS,
            cpu: used.values().map(|used| used.cpu_ms / 1000.0).sum(),
            seconds,
        })
    }

    /// Waits until each of the healthy endpoints has these orders. Returns the time that each delivery took.
    async fn times(&self, recorded: &BTreeMap<String, f64>) -> Result<Times> {
        let mut times = Vec::new();
        for number in 0..HEALTHY {
            let path = healthy_path(number);
            let found = until(PATIENCE, "paced deliveries", async || {
                tokio::time::sleep(Duration::from_millis(500)).await;
                let received: Vec<Received> = self.receiver.ask("received", &path).await?;
                let took = |event: &Received| {
                    let order = event.body["data"]["conversion_id"].as_str()?;
                    Some(event.at - recorded.get(order)?)
                };
                let found: Vec<f64> = received.iter().filter_map(took).collect();
                let (count, all) = (found.len(), recorded.len());
                Ok(Look::from_option((count == all).then_some(found), || {
                    format!("{count} of {all}")
                }))
            });
            times.extend(found.await?);
        }
        Ok(Times::new(times))
    }

    async fn wait_until_down(&self, endpoint: &str) -> Result<()> {
        until(PATIENCE, "an endpoint that is down", async || {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let shown = self.ask("get", endpoint, None).await?;
            Ok(Look::when(shown["health"]["state"] == "down", || {
                shown["health"].to_string()
            }))
        })
        .await
    }
}

fn healthy_path(number: usize) -> String {
    format!("/healthy/{number}")
}

/// Measures svix-server first, then our functions, in the shipped profile: code that is not optimized says nothing about CPU.
pub async fn measure(running: &Running, town: &Town, play: &Play, receiver: &Receiver) -> Result<Webhooks> {
    let Running { place, tools, aws, .. } = running;
    for name in FUNCTIONS.iter().filter(|_| play.endpoints.profile != Profile::Shipped) {
        redeploy(
            place,
            tools,
            aws,
            &build::function(&place.root, name)?,
            Profile::Shipped,
        )
        .await?;
    }
    let theirs = match Svix::from_env()? {
        Some(svix) => Some(step("svix-server", Box::pin(svix.measure(place, receiver))).await?),
        None => {
            eprintln!("· RINGBACK_SVIX_SERVER names no svix-server: only ours is measured");
            None
        }
    };
    let business = Business {
        running,
        play,
        tenant: town.open("Tells others", Plan::lift_limits).await?,
        receiver,
    };
    let orders = Orders::new(&business).await?;
    let ours = step("deliveries of webhooks", Box::pin(business.measure_pace(&orders))).await?;
    for number in 0..HEALTHY {
        business.create_endpoint(&healthy_path(number)).await?;
    }
    orders.record_paced(4).await?;
    wait_for_queues(running).await?;
    let begun = Timestamp::now();
    let alone = step("deliveries to healthy endpoints", async {
        business.times(&orders.record_paced(PACED).await?).await
    })
    .await?;
    let bill = Bill::of(&business.logs(begun).await?);
    let each = (PACED * HEALTHY) as f64;
    let bad = [
        business.create_endpoint("/slow").await?,
        business.create_endpoint("/failing").await?,
    ];
    let beside_failing = step("deliveries while others fail", async {
        let recorded = orders.record_paced(PACED).await?;
        for endpoint in &bad {
            business.wait_until_down(endpoint).await?;
        }
        business.times(&recorded).await
    })
    .await?;
    wait_for_queues(running).await?;
    let beside_down = step("deliveries while others are down", async {
        business.times(&orders.record_paced(PACED).await?).await
    })
    .await?;
    Ok(Webhooks {
        ours,
        theirs,
        alone,
        beside_failing,
        beside_down,
        units: bill.functions.values().map(|used| used.write).sum::<f64>() / each,
        dollars_per_1000: bill.dollars() / each * 1000.0,
    })
}
