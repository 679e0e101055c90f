//! Concurrent signed webhooks, and the time until they are answered and until a provider has the message.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use domain::Timestamp;
use domain::messages::OptFlag;
use domain::people::{Contact, Identity};
use domain::terms::{Channel, ContactId, MessageId, OperationId, Phone};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::contacts::ContactWrite;
use store::table::effects::Effects;

use crate::api::{Proof, ask_for_json, require_success, upload};
use crate::aws::LogEvent;
use crate::bill::Line;
use crate::business::{Plan, Town, new_ulid};
use crate::endpoints::Tenant;
use crate::play::{Answer, Headers, Look, Play, merge, until};
use crate::secrets::random_hex;

/// Maximum wait for a message.
const PATIENCE: Duration = Duration::from_secs(90);

/// Maximum wait for the end of a broadcast, which begins with a minute.
const BROADCAST_WITHIN: Duration = Duration::from_secs(600);

/// Interval between a caller's checks for the message. The time is the provider's, not that of the check.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Sorted durations in milliseconds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Times(Vec<f64>);

impl Times {
    /// From durations in any order.
    pub fn new(mut milliseconds: Vec<f64>) -> Self {
        milliseconds.sort_by(f64::total_cmp);
        Self(milliseconds)
    }

    pub fn into_sorted(self) -> Self {
        Self::new(self.0)
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn percentile(&self, of_hundred: usize) -> f64 {
        let Some(last) = self.0.len().checked_sub(1) else {
            return f64::NAN;
        };
        self.0[(last * of_hundred).div_ceil(100).min(last)]
    }
}

/// Measurements of a load.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Load {
    /// Concurrent callers or connections.
    pub concurrency: usize,
    /// Times until webhooks were acknowledged, measured by the client.
    pub acknowledged: Times,
    /// From posting the dial result to the provider's acceptance; empty if there was no message.
    pub sent: Times,
    /// Calls, or webhooks, per second.
    pub per_second: f64,
}

/// A telephone network in front of one business.
pub struct Network {
    pub play: Play,
    pub tenant: Tenant,
    account_sid: String,
    number: Phone,
    /// Three digits that distinguish this run's callers from another's.
    run: u32,
    callers: AtomicU32,
}

impl Network {
    /// Opens a business for this network, which forwards its calls, so that they have a dial result, and which never closes.
    pub async fn new(play: &Play, town: &Town) -> Result<Self> {
        let mut account = Value::Null;
        let forwards = |plan: &mut Plan| {
            plan.forward_calls();
            plan.lift_limits();
            account = plan.connection("twilio")["account"].clone();
        };
        let tenant = town.open("Measured calls", forwards).await?;
        Ok(Self {
            play: play.clone(),
            tenant,
            account_sid: serde_json::from_value(account["account_sid"].take()).context("reading the account's SID")?,
            number: serde_json::from_value(account["numbers"][0].take()).context("reading the account's number")?,
            run: u32::from_str_radix(&random_hex(2)?, 16).context("reading random digits")? % 1000,
            callers: AtomicU32::new(0),
        })
    }

    /// A new caller's number.
    pub fn caller(&self) -> Result<Phone> {
        let count = self.callers.fetch_add(1, Ordering::Relaxed);
        format!("+4479{:03}{count:05}", self.run)
            .parse()
            .context("generating a number")
    }

    /// Software sends a `POST` to the API, with an idempotency key.
    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let key = random_hex(8)?;
        let headers = [
            ("x-api-key", self.tenant.api_key.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", key.as_str()),
        ];
        let answer = self.play.request("POST", path, &headers, body.to_string()).await?;
        require_success(&answer, path)
    }

    /// Software creates something by the API. Returns its id.
    async fn create(&self, path: &str, body: &Value) -> Result<String> {
        let created = self.post(path, body).await?;
        let id = created["id"].as_str().context("what is created has an id")?;
        Ok(id.to_owned())
    }

    /// Software requests a message: a template by WhatsApp, or an SMS. Returns its id.
    pub async fn request(&self, to: &Phone, channel: Channel) -> Result<MessageId> {
        let mut body = json!({ "phone": to, "category": "utility", "basis": "Order 1042, placed on 20 November" });
        merge(&mut body, content_by(channel));
        let id = self.create("/api/v1/messages", &body).await?;
        id.parse().context("reading a message's id")
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        let key = Proof::Key(self.tenant.api_key.clone());
        ask_for_json(&self.play, &key, method, path, body).await
    }

    /// Asks for the latest message.
    pub async fn messages(&self) -> Result<Value> {
        self.ask("get", "/api/v1/messages?limit=1", None).await
    }

    /// The conversations of these customers.
    pub async fn conversations(&self, customers: &[Phone]) -> Result<Vec<(Phone, Value)>> {
        let listed = self.ask("get", "/api/v1/conversations?limit=100", None).await?;
        let mut found = Vec::new();
        for conversation in listed["items"].as_array().context("conversations are listed")? {
            let contact = conversation["contact"]["id"].as_str();
            let contact = contact.context("a conversation has a contact")?;
            let contact = self.ask("get", &format!("/api/v1/contacts/{contact}"), None).await?;
            let phone = customers.iter().find(|phone| contact["phones"][0] == phone.as_str());
            found.extend(phone.map(|phone| (phone.clone(), conversation.clone())));
        }
        let count = found.len();
        ensure!(count == customers.len(), "{count} customers have a conversation");
        Ok(found)
    }

    /// The id of an agent of the business.
    pub async fn colleague(&self) -> Result<String> {
        let listed = self.ask("get", "/api/v1/users", None).await?;
        let mut users = listed["items"].as_array().into_iter().flatten();
        let agent = users.find(|one| one["role"] == "agent");
        let id = agent.and_then(|agent| agent["id"].as_str());
        Ok(id.context("the business has an agent")?.to_owned())
    }

    /// A conversation gets somebody who attends to it.
    pub async fn assign(&self, conversation: &Value, user: &str) -> Result<()> {
        let id = conversation["id"].as_str().context("a conversation has an id")?;
        let path = format!("/api/v1/conversations/{id}");
        let body = json!({ "assignee_id": user });
        self.ask("patch", &path, Some(body)).await.map(drop)
    }

    /// The business replies. Returns the message's id.
    pub async fn reply(&self, conversation: &Value) -> Result<MessageId> {
        let id = conversation["id"].as_str().context("a conversation has an id")?;
        let path = format!("/api/v1/conversations/{id}/messages");
        let body = json!({ "seen": conversation["seq"], "text": "Yes, we keep one for you." });
        let id = self.create(&path, &body).await?;
        id.parse().context("reading a message's id")
    }

    /// As many people, who want messages.
    pub async fn people_who_want_messages(&self, count: usize) -> Result<()> {
        let tenant = self.tenant.id.parse().context("reading a tenant's id")?;
        let (scope, now) = (access::operator::scope(tenant), Timestamp::now());
        for _ in 0..count {
            let identity = Identity::Phone(self.caller()?);
            let id = ContactId::new(new_ulid()?.parse().context("reading an id")?);
            let mut contact = Contact::first_seen(id, &identity, now);
            contact.wish(OptFlag::Start, "wrote START", now);
            let effects = Effects {
                people: vec![ContactWrite::new(contact, identity)],
                ..Effects::default()
            };
            self.play.store.commit(&scope, effects, now).await?;
        }
        Ok(())
    }

    /// Sends a message to everybody, a template by WhatsApp or an SMS, and waits until it is done.
    pub async fn broadcast(&self, channel: Channel) -> Result<()> {
        let everybody = json!({ "name": "Everybody", "filter": {} });
        let segment = self.create("/api/v1/segments", &everybody).await?;
        let mut message = json!({ "channels": [channel], "category": "utility" });
        merge(&mut message, content_by(channel));
        let draft = json!({
            "type": "broadcast", "name": "Offer", "audience": { "segment": segment }, "message": message,
        });
        let campaign = self.create("/api/v1/campaigns", &draft).await?;
        let path = format!("/api/v1/campaigns/{campaign}");
        self.post(&format!("{path}/start"), &json!({})).await?;
        until(BROADCAST_WITHIN, "the end of a broadcast", async || {
            // Each look is billed.
            tokio::time::sleep(Duration::from_secs(10)).await;
            let campaign = self.ask("get", &path, None).await?;
            let state = &campaign["state"];
            Ok(Look::when(state == "completed", || state.to_string()))
        })
        .await
    }

    /// Software creates a contact with a name and a number.
    pub async fn create_contact(&self) -> Result<()> {
        let contact = json!({ "name": "Maya Haddad", "phones": [self.caller()?] });
        self.create("/api/v1/contacts", &contact).await.map(drop)
    }

    /// Software imports a table of this many new contacts, each with a name, a number and an e-mail address, and waits until that is done.
    /// Returns the numbers.
    pub async fn import_contacts(&self, count: usize) -> Result<Vec<Phone>> {
        const IMPORTS: &str = "/api/v1/imports";
        let mut table = "Name;Mobile;E-mail\r\n".to_owned();
        let phones = (0..count).map(|_| self.caller()).collect::<Result<Vec<_>>>()?;
        for phone in &phones {
            table.push_str(&format!("Maya Haddad;{phone};maya{}@example.com\r\n", phone.digits()));
        }
        let create = json!({ "name": "customers.csv", "size": table.len() });
        let import = self.post(IMPORTS, &create).await?;
        let sent = upload(&self.play, &import["upload"], table).await?;
        ensure!(sent.is_success(), "the file was answered with {sent}");
        let id = import["id"].as_str().context("an import has an id")?;
        let place = format!("{IMPORTS}/{id}");
        let preview = self.post(&format!("{place}/preview"), &json!({})).await?;
        let settings = json!({ "mapping": preview["mapping"], "mode": "skip" });
        let started = self.post(&format!("{place}/start"), &settings).await?;
        let operation = started["operation"]["id"].as_str();
        let operation: OperationId = operation.context("a started import has an operation")?.parse()?;
        // In the table, since each request to the API would be billed.
        let scope = access::operator::scope(self.tenant.id.parse()?);
        let ended = until(super::PATIENCE, "the end of an import", async || {
            let found = self.play.store.operation(&scope, operation, Timestamp::now()).await?;
            let state = found.context("the operation of an import is stored")?.value.state;
            Ok(Look::when(state.is_end(), || format!("{state:?}")))
        });
        Box::pin(ended).await?;
        let shown = self.ask("get", &place, None).await?;
        let created = &shown["operation"]["result"]["created"];
        ensure!(*created == count, "{count} contacts are not imported: {shown}");
        Ok(phones)
    }

    /// Milliseconds until a request is answered with 200.
    async fn time_request(&self, method: &str, path: &str, headers: &Headers<'_>, body: String) -> Result<f64> {
        let begun = Instant::now();
        let answer = self.play.request(method, path, headers, body).await?;
        let took = milliseconds(begun.elapsed());
        let Answer { status, body, .. } = answer;
        ensure!(status == 200, "the API answered {path} with {status}: {body}");
        Ok(took)
    }

    /// Sends a Twilio webhook; returns milliseconds until the answer.
    async fn report(&self, call: &str, from: &Phone, what: &str, more: &[(&str, &str)]) -> Result<f64> {
        let (tenant, number) = (&self.tenant, self.number.as_str());
        let mut fields = vec![
            ("AccountSid", self.account_sid.as_str()),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", call),
            ("From", from.as_str()),
            ("To", number),
            ("Caller", from.as_str()),
            ("Called", number),
            ("Direction", "inbound"),
        ];
        fields.extend_from_slice(more);
        let fields = fields.iter();
        let fields = fields.map(|(name, value)| format!("{name}={}", value.replace('+', "%2B")));
        let body = fields.collect::<Vec<_>>().join("&");
        let path = format!("/webhooks/twilio/{}/{}/{what}", tenant.id, tenant.connections["twilio"]);
        let url = format!("{}{path}", self.play.endpoints.api);
        let token = &tenant.secrets.twilio_auth_token;
        let signature = providers::twilio::signature::sign(token, &url, body.as_bytes());
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-twilio-signature", &signature),
        ];
        self.time_request("POST", &path, &headers, body).await
    }

    /// A missed call: Twilio asks what to do, then reports that nobody picked up. Returns both acknowledgement times and when the
    /// second was posted.
    async fn missed_call(&self, from: &Phone) -> Result<([f64; 2], Timestamp)> {
        let call = format!("CA{}", random_hex(16)?);
        let ring = self.report(&call, from, "voice", &[("CallStatus", "ringing")]).await?;
        let posted = Timestamp::now();
        let dial = [("CallStatus", "in-progress"), ("DialCallStatus", "no-answer")];
        let dial = self.report(&call, from, "dial-result", &dial).await?;
        Ok(([ring, dial], posted))
    }

    /// Milliseconds from `posted` to the provider's acceptance.
    async fn measure_acceptance(&self, from: &Phone, posted: Timestamp) -> Result<f64> {
        let begun = Instant::now();
        loop {
            if let Some(sent) = self.play.outbox(&self.tenant.id, from).await?.first() {
                return Ok(sent.accepted_at.duration_since(posted).as_secs_f64() * 1000.0);
            }
            let limit = PATIENCE.as_secs();
            ensure!(begun.elapsed() < PATIENCE, "no message to {from} within {limit} s");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Concurrent callers. Each calls again from another number once the provider has the message.
    pub async fn calls(&self, concurrency: usize, each: usize) -> Result<Load> {
        run_concurrently(concurrency, each, async || {
            let from = self.caller()?;
            let (acknowledged, posted) = self.missed_call(&from).await?;
            let sent = self.measure_acceptance(&from, posted).await?;
            Ok(Round {
                acknowledged: acknowledged.to_vec(),
                sent: Some(sent),
            })
        })
        .await
    }

    /// Concurrent connections that post ended calls one after the other, without waiting for messages.
    pub async fn webhooks(&self, concurrency: usize, each: usize) -> Result<Load> {
        run_concurrently(concurrency, each, async || {
            Ok(Round::acknowledged(self.ended_call().await?))
        })
        .await
    }

    /// Like [`Network::webhooks`], but of a function that does nothing: the time of API, proxy and emulator alone.
    pub async fn measure_empty_function(&self, concurrency: usize, each: usize) -> Result<Load> {
        run_concurrently(concurrency, each, async || {
            let took = self.time_request("GET", "/api/v1/health", &[], String::new()).await?;
            Ok(Round::acknowledged(took))
        })
        .await
    }

    /// A telephone system reports an answered call, so no message follows.
    async fn ended_call(&self) -> Result<f64> {
        let tenant = &self.tenant;
        let connection = tenant.connections.get("telephony");
        let connection = connection.context("the tenant has a telephone system")?;
        let path = format!("/webhooks/telephony/{}/{connection}", tenant.id);
        let now = Timestamp::now();
        let event = json!({
            "type": "call.ended",
            "timestamp": now,
            "data": {
                "call_id": random_hex(8)?, "direction": "inbound", "from": self.caller()?, "to": self.number,
                "started_at": now, "ended_at": now, "outcome": "answered", "ring_seconds": 5, "talk_seconds": 60,
            },
        })
        .to_string();
        let id = format!("msg_{}", random_hex(8)?);
        let signature = providers::telephony::sign(&tenant.secrets.telephony_secret, &id, now, event.as_bytes())
            .context("the telephone system's secret is base64")?;
        let headers = [
            ("content-type", "application/json"),
            ("webhook-id", &id),
            ("webhook-timestamp", &now.as_second().to_string()),
            ("webhook-signature", &signature),
        ];
        self.time_request("POST", &path, &headers, event).await
    }
}

/// Milliseconds of one round of a client.
#[derive(Clone)]
struct Round {
    /// Until each of its requests was acknowledged.
    acknowledged: Vec<f64>,
    /// Until its message was sent, if a message follows.
    sent: Option<f64>,
}

impl Round {
    /// A round of one request that no message follows.
    fn acknowledged(took: f64) -> Self {
        Self {
            acknowledged: vec![took],
            sent: None,
        }
    }
}

/// Runs concurrent clients that do this `each` times.
async fn run_concurrently(concurrency: usize, each: usize, once: impl AsyncFn() -> Result<Round>) -> Result<Load> {
    let begun = Instant::now();
    let clients = (0..concurrency).map(async |_| {
        let mut seen = Vec::with_capacity(each);
        for _ in 0..each {
            seen.push(once().await?);
        }
        anyhow::Ok(seen)
    });
    let seen = try_join_all(clients).await?.concat();
    Ok(Load {
        concurrency,
        per_second: seen.len() as f64 / begun.elapsed().as_secs_f64(),
        sent: Times::new(seen.iter().filter_map(|round| round.sent).collect()),
        acknowledged: Times::new(seen.into_iter().flat_map(|round| round.acknowledged).collect()),
    })
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// A function's performance under load, from its own log lines.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Work {
    /// CPU milliseconds of warm invocations, and how many events those had: records of a queue or stream, else invocations.
    warm_cpu_ms: f64,
    warm_events: u64,
    /// CPU milliseconds of the processes' first invocations.
    cold_cpu_ms: Times,
    /// Peak memory of a process, in KiB.
    pub peak_kb: u64,
}

impl Work {
    /// Adds up log lines by function.
    pub fn of(events: &[LogEvent]) -> BTreeMap<String, Self> {
        let mut all: BTreeMap<String, Self> = BTreeMap::new();
        for line in Line::invocations(events) {
            // A stream's line counts its records, a queue's line the results of its records.
            let records = match line.records {
                0 => line.finished_records(),
                records => records,
            };
            let work = all.entry(line.function).or_default();
            work.peak_kb = work.peak_kb.max(line.memory_kb);
            if line.cold_start {
                work.cold_cpu_ms.0.push(line.cpu_ms);
            } else {
                work.warm_cpu_ms += line.cpu_ms;
                work.warm_events += records.max(1);
            }
        }
        for work in all.values_mut() {
            work.cold_cpu_ms.0.sort_by(f64::total_cmp);
        }
        all
    }

    /// CPU milliseconds per event of a warm process.
    pub fn cpu_ms(&self) -> f64 {
        self.warm_cpu_ms / self.warm_events as f64
    }

    /// CPU milliseconds of a process's first invocation, which creates its clients; median.
    pub fn first_cpu_ms(&self) -> f64 {
        self.cold_cpu_ms.percentile(50)
    }
}

/// Content of a message: a template by WhatsApp, or an SMS.
fn content_by(channel: Channel) -> Value {
    match channel {
        Channel::WhatsApp => json!({
            "template": {
                "name": "missed_call", "language": "en",
                "variables": { "1": { "text": "there" }, "2": { "from": "tenant.name" }, "3": { "text": "noon" } },
            },
        }),
        Channel::Sms => json!({ "sms_text": "Your order is ready. Reply STOP for no more messages." }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values() {
        let times = Times::new((1..=100).map(f64::from).collect());
        assert_eq!(times.percentile(0), 1.0);
        assert_eq!(times.percentile(50), 51.0);
        assert_eq!(times.percentile(100), 100.0);
        assert!(Times::default().percentile(50).is_nan());
    }
}
