//! A running stack from the outside: customers who call and write through the simulators, requests to the public API, and reads of
//! the table for the results. `demo`, `chaos`, `bench` and the deployed tests use it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use domain::Timestamp;
use domain::calls::{Call, Entry, Received};
use domain::messages::Message;
use domain::people::{ConsentEntry, Contact, Identity};
use domain::terms::{Channel, Phone, SendKey, TenantId};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::Store;

use crate::aws::local_sdk;
use crate::endpoints::Endpoints;
use crate::secrets::random;

/// Interval between checks while waiting.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// More rows than any customer of a test has.
const WHOLE_HISTORY: i32 = 500;

/// A running stack, from the outside.
#[derive(Clone)]
pub struct Play {
    pub endpoints: Endpoints,
    pub store: Store,
    /// Client for other requests.
    pub http: reqwest::Client,
}

/// A message in the simulators' outbox, accepted by a provider.
#[derive(Debug, Clone, Deserialize)]
pub struct Sent {
    /// Id of the tenant.
    pub tenant: String,
    pub channel: Channel,
    /// Either `graph` or `twilio`.
    pub via: String,
    pub to: String,
    /// The text, unless it is a template.
    #[serde(default)]
    pub body: Option<String>,
    /// The template, unless it is a text.
    #[serde(default)]
    pub template: Option<SentTemplate>,
    /// Our key for the message.
    pub key: Option<String>,
    /// Time when it was accepted.
    pub accepted_at: Timestamp,
    /// Statuses reported by the provider since, in order.
    pub statuses: Vec<SentStatus>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct SentTemplate {
    /// Its name, or Twilio's `HX…`.
    pub name: String,
    pub language: String,
    /// Values of its body.
    pub parameters: Vec<String>,
}

/// A status reported by a provider.
#[derive(Debug, Clone, Deserialize)]
pub struct SentStatus {
    /// The provider's word for it.
    pub status: String,
    /// Time of the status.
    pub at: Timestamp,
    /// Error code of a failure.
    #[serde(default)]
    pub code: Option<i64>,
}

impl Sent {
    /// Our key for the message.
    pub fn key(&self) -> Option<SendKey> {
        self.key.as_deref()?.parse().ok()
    }

    /// Whether the provider reported this status.
    pub fn is(&self, status: &str) -> bool {
        self.statuses.iter().any(|known| known.status == status)
    }

    pub fn latest(&self) -> &str {
        self.statuses.last().map_or("accepted", |status| &status.status)
    }
}

/// A customer's data in the table, oldest first.
#[derive(Debug, Clone)]
pub struct Customer {
    pub contact: Contact,
    pub calls: Vec<Call>,
    /// Messages to them, sent or not.
    pub messages: Vec<Message>,
    /// Messages that they sent.
    pub received: Vec<Received>,
    pub consent: Vec<ConsentEntry>,
}

/// Names and values of a request's headers.
pub type Headers<'a> = [(&'a str, &'a str)];

/// The answer to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// Headers by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }
}

/// The result of a check while waiting.
pub enum Look<T> {
    Seen(T),
    /// Not found yet; the text says what was found instead.
    Instead(String),
}

impl<T> Look<T> {
    /// Seen if there is something.
    pub fn from_option(found: Option<T>, instead: impl FnOnce() -> String) -> Self {
        found.map_or_else(|| Self::Instead(instead()), Self::Seen)
    }
}

impl Look<()> {
    /// Whether it is so.
    pub fn when(so: bool, instead: impl FnOnce() -> String) -> Self {
        Self::from_option(so.then_some(()), instead)
    }
}

/// Repeats a check until it succeeds.
///
/// # Errors
/// If `limit` passes first, with what was found instead.
pub async fn until<T>(limit: Duration, what: &str, mut look: impl AsyncFnMut() -> Result<Look<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        let instead = match look().await? {
            Look::Seen(it) => return Ok(it),
            Look::Instead(instead) => instead,
        };
        if begun.elapsed() > limit {
            bail!("waited {} s for {what}; found instead: {instead}", limit.as_secs());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A random mobile number of the United Arab Emirates, most probably unused in this stack.
pub fn new_phone() -> Result<Phone> {
    format!("+97150{:07}", random(7)? % 10_000_000)
        .parse()
        .map_err(|error| anyhow!("{error}"))
}

impl Play {
    /// Connects to the stack at these endpoints.
    pub async fn new(endpoints: Endpoints) -> Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("creating an HTTP client")?;
        let database = aws_sdk_dynamodb::Client::new(&local_sdk(&endpoints.aws_endpoint));
        Ok(Self {
            store: Store::new(database, &endpoints.table),
            endpoints,
            http,
        })
    }

    // ---- Through the simulators -------------------------------------------------------------------------------------

    async fn simulators<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<&Value>) -> Result<T> {
        let url = format!("{}{path}", self.endpoints.simulators);
        self.json(method, &url, body).await
    }

    async fn json<T: DeserializeOwned>(&self, method: Method, url: &str, body: Option<&Value>) -> Result<T> {
        let mut request = self.http.request(method.clone(), url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.with_context(|| format!("asking {method} {url}"))?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("reading {url}"))?;
        if !status.is_success() {
            bail!("{method} {url}: {status} {text}");
        }
        let text = if text.is_empty() { "null" } else { &text };
        serde_json::from_str(text).with_context(|| format!("understanding {method} {url}: {text}"))
    }

    /// `GET` of the simulators' control API.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.simulators(Method::GET, path, None).await
    }

    /// `POST` to the simulators' control API.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.simulators(Method::POST, path, Some(body)).await
    }

    /// `PUT` to the simulators' control API.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.simulators(Method::PUT, path, Some(body)).await
    }

    /// HTTP requests that named a tenant since the emulator was started, by the role of their sender: the emulator's own count.
    pub async fn requests_of(&self, tenant: &str) -> Result<BTreeMap<String, u64>> {
        let id = tenant.strip_prefix("tnt_").unwrap_or(tenant);
        let url = format!("{}/_stack/requests?{id}", self.endpoints.aws_endpoint);
        self.json(Method::GET, &url, None).await
    }

    /// A customer calls a business; `more` as in the simulators' README. Returns when all webhooks are answered.
    pub async fn call(&self, tenant: &str, from: &Phone, outcome: &str, more: Value) -> Result<Value> {
        let mut call = json!({ "tenant": tenant, "from": from, "outcome": outcome });
        merge(&mut call, more);
        self.post("/calls", &call).await
    }

    /// A customer writes to a business.
    pub async fn reply(&self, tenant: &str, from: &Phone, channel: Channel, text: &str) -> Result<Value> {
        let reply = json!({ "tenant": tenant, "from": from, "channel": channel, "text": text, "wait": true });
        self.post("/replies", &reply).await
    }

    /// Adds a fault and returns its id.
    pub async fn fault(&self, fault: Value) -> Result<u64> {
        let answer = self.post("/faults", &fault).await?;
        answer["id"].as_u64().context("a fault has an id")
    }

    pub async fn mend(&self, fault: u64) -> Result<()> {
        let path = format!("/faults/{fault}");
        self.simulators::<Value>(Method::DELETE, &path, None).await.map(drop)
    }

    /// Waits until the simulators have no more webhooks to deliver.
    pub async fn quiet(&self, limit: Duration) -> Result<()> {
        until(limit, "the delivery of all webhooks", async || {
            let idle: Value = self.get("/idle").await?;
            Ok(Look::when(idle["idle"] == true, || idle.to_string()))
        })
        .await
    }

    /// Everything the providers accepted for this number from this tenant, oldest first.
    pub async fn outbox(&self, tenant: &str, to: &Phone) -> Result<Vec<Sent>> {
        self.get(&format!("/outbox?tenant={tenant}&to=%2B{}", to.digits()))
            .await
    }

    /// Waits until the providers accepted a message on this channel.
    pub async fn wait_until_accepted(
        &self,
        tenant: &str,
        to: &Phone,
        channel: Channel,
        limit: Duration,
    ) -> Result<Sent> {
        let what = format!("a message by {} to {to}", channel.name());
        until(limit, &what, async || {
            let sent = self.outbox(tenant, to).await?;
            if let Some(found) = sent.iter().rev().find(|sent| sent.channel == channel) {
                return Ok(Look::Seen(found.clone()));
            }
            Ok(Look::Instead(match self.customer(tenant, to).await? {
                Some(customer) => customer.to_string(),
                None => "the customer is unknown".to_owned(),
            }))
        })
        .await
    }

    // ---- Through the public API -------------------------------------------------------------------------------------

    /// A request to the public API.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &Headers<'_>,
        body: impl Into<reqwest::Body>,
    ) -> Result<Answer> {
        let method = Method::from_bytes(method.as_bytes()).context("a method is a word")?;
        let url = format!("{}{path}", self.endpoints.api);
        let mut request = self.http.request(method, &url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body).send().await;
        let answer = answer.with_context(|| format!("asking {path}"))?;
        let status = answer.status().as_u16();
        let headers = answer.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        let body = answer.text().await;
        let body = body.with_context(|| format!("reading the answer of {path}"))?;
        Ok(Answer { status, headers, body })
    }

    // ---- In the table -----------------------------------------------------------------------------------------------

    /// All data of a customer in the table.
    pub async fn customer(&self, tenant: &str, phone: &Phone) -> Result<Option<Customer>> {
        Box::pin(self.read_customer(tenant, phone)).await
    }

    async fn read_customer(&self, tenant: &str, phone: &Phone) -> Result<Option<Customer>> {
        let tenant: TenantId = tenant.parse().context("reading a tenant's id")?;
        let scope = access::operator::scope(tenant);
        let identity = Identity::Phone(phone.clone());
        let Some(contact) = self.store.contact_of(&scope, &identity).await? else {
            return Ok(None);
        };
        let mut customer = Customer {
            calls: Vec::new(),
            messages: Vec::new(),
            received: Vec::new(),
            consent: Vec::new(),
            contact,
        };
        let (id, now) = (customer.contact.id, Timestamp::now());
        let history = self.store.history(&scope, id, WHOLE_HISTORY, now).await?;
        for entry in history.into_iter().rev() {
            match entry {
                Entry::Call(call) => customer.calls.push(*call),
                Entry::Sent(message) => customer.messages.push(*message),
                Entry::Received(received) => customer.received.push(*received),
                Entry::Consent(entry) => customer.consent.push(entry),
                Entry::Record(_) => {}
            }
        }
        Ok(Some(customer))
    }

    /// Waits until `seen` finds what it looks for in a customer's data; otherwise the error describes the customer.
    pub async fn wait_for_customer<T>(
        &self,
        tenant: &str,
        phone: &Phone,
        limit: Duration,
        what: &str,
        seen: impl Fn(&Customer) -> Option<T>,
    ) -> Result<T> {
        until(limit, what, async || {
            let Some(customer) = self.customer(tenant, phone).await? else {
                return Ok(Look::Instead("the customer is unknown".to_owned()));
            };
            Ok(Look::from_option(seen(&customer), || customer.to_string()))
        })
        .await
    }

    /// Waits until the customer's call number `count` is decided.
    pub async fn wait_until_decided(&self, tenant: &str, phone: &Phone, count: usize, limit: Duration) -> Result<Call> {
        let what = format!("the decision on call {count} of {phone}");
        self.wait_for_customer(tenant, phone, limit, &what, |customer| {
            customer.calls.get(count - 1).cloned()
        })
        .await
    }
}

impl Display for Customer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        for call in &self.calls {
            parts.push(format!("{} call: {}", call.outcome.as_str(), call.decision));
        }
        for message in &self.messages {
            let mut attempts = Vec::new();
            for attempt in &message.attempts {
                let leg = message.plan.get(usize::from(attempt.leg));
                let channel = leg.map_or("?", |leg| leg.channel.name());
                let why = attempt.error.as_ref().map(|error| format!(" ({})", error.reason));
                let state = attempt.state.as_str();
                attempts.push(format!("{channel} {state}{}", why.unwrap_or_default()));
            }
            let ended = message.ended.as_ref().map(|ended| format!(", {ended:?}"));
            let ended = ended.unwrap_or_default();
            parts.push(format!("a message: {}{ended}", attempts.join(", ")));
        }
        if !self.received.is_empty() {
            parts.push(format!("wrote {} times", self.received.len()));
        }
        if parts.is_empty() {
            parts.push("a contact without history".to_owned());
        }
        f.write_str(&parts.join("; "))
    }
}

/// Merges the fields of `more` into `into`.
pub fn merge(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend(more);
    }
}
