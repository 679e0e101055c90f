//! The storm: calls with faults.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use domain::Timestamp;
use domain::messages::{Message, Waiting};
use domain::terms::{Channel, Phone};
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use super::asks::{self, Asked};
use super::{Ground, Size};
use crate::business::Plan;
use crate::endpoints::Tenant;
use crate::play::merge;
use crate::process::running_functions;
use crate::random::Random;

/// Crash points between transaction, enqueue and record.
pub(super) const CRASH_POINTS: &str = "process_call.waiting=0.04,process_call.committed=0.04,process_call.enqueued=0.02,\
    send_message.taken=0.02,send_message.claimed=0.03,send_message.sent=0.03,send_message.recorded=0.03,\
    process_provider_event.moved=0.01,process_provider_event.referred=0.05,process_provider_event.received=0.05,\
    process_provider_event.answered=0.05";

/// Faults of requests to providers: a fifth of all requests.
const REQUESTS: [(&str, f64); 7] = [
    ("throttled", 0.025),
    ("server_error", 0.03),
    ("server_error_after", 0.03),
    ("timeout_before", 0.03),
    ("timeout_after", 0.035),
    ("kill_before", 0.025),
    ("kill_after", 0.025),
];

/// Faults of customers' phones.
const PHONES: [(&str, f64); 3] = [("not_on_whatsapp", 0.05), ("blocked", 0.02), ("offline", 0.05)];

/// Maximum count of a fault. It is never reached, but the simulators count it down, which shows how often the fault occurred.
const TIMES: u64 = 1_000_000;

/// Interval of random kills, whatever the process is doing. It is longer while no message is sent: on a slow machine, no function
/// would live long enough to do anything.
const KILL_EVERY: Duration = Duration::from_millis(900);

/// Interval of random kills while no message is sent.
const KILL_IDLE_EVERY: Duration = Duration::from_secs(10);

/// The storm lasts until this share of the messages was sent in it, so that faults strike on a slow machine, too.
const SENT_IN_STORM: f64 = 0.5;

/// A storm on a slow machine lasts at most this many times its duration.
const MAX_SPANS: u32 = 5;

/// A call that was placed.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) tenant: String,
    pub(super) from: Phone,
    pub(super) call_id: String,
    /// Whether a message must follow.
    pub(super) followed: bool,
}

/// Record of the storm.
#[derive(Debug)]
pub(super) struct Stormed {
    pub(super) seed: u64,
    pub(super) tenants: Vec<Tenant>,
    pub(super) calls: Vec<Placed>,
    /// The tenant whose software requests messages.
    pub(super) asking: Tenant,
    /// Messages that it requested.
    pub(super) asked: Vec<Asked>,
    /// Occurrences of each fault.
    pub(super) struck: BTreeMap<String, u64>,
    /// Random kills by function.
    pub(super) killed: BTreeMap<String, u32>,
    /// Time of the beginning, in milliseconds since 1970.
    pub(super) began: i64,
}

impl Stormed {
    pub(super) fn all_tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.iter().chain([&self.asking])
    }
}

pub(super) async fn storm(ground: &Ground<'_>, size: Size, seed: u64) -> Result<Stormed> {
    let (mut random, town) = (Random::new(seed), ground.town);
    let greeting = town.open("Chaos, greeting", settings).await?;
    let forwards = |plan: &mut Plan| {
        settings(plan);
        plan.forward_calls();
    };
    let forwarding = town.open("Chaos, forwarding", forwards).await?;
    // Its WhatsApp token expires in the middle; its providers have no other faults.
    let expiring = town.open("Chaos, expiring token", settings).await?;
    let asking = town.open("Chaos, asking", Plan::lift_limits).await?;
    let tenants = vec![greeting, forwarding, expiring];
    let mut faults = Vec::new();
    let faulty = tenants[..EXPIRING].iter().chain([&asking]);
    for fault in faulty.flat_map(faults_of) {
        faults.push(ground.play.fault(fault).await?);
    }
    let began = Timestamp::now().as_millisecond();
    let mut kills = Random::new(random.roll());
    let seed_of_asks = random.roll();
    let mut killed = BTreeMap::new();
    let enough = async {
        let calls = place_calls(ground, size, &tenants, random).await?;
        until_enough(ground, size, &tenants, &calls).await?;
        Ok(calls)
    };
    let outcome = tokio::select! {
        outcome = async {
            tokio::try_join!(
                enough,
                asks::ask(ground, size, &asking, seed_of_asks),
                outage(ground, size),
                refused_for_a_while(ground, size, &tenants),
                token_expired(ground, size, &tenants[EXPIRING]),
            )
        } => outcome,
        Err(error) = kill_for_ever(ground, &tenants, &mut kills, &mut killed) => Err(error),
    };
    let struck = count_strikes(ground, &faults).await?;
    for fault in faults {
        ground.play.mend(fault).await?;
    }
    let (calls, asked, (), (), expired) = outcome?;
    ground.play.mend(expired).await?;
    Ok(Stormed {
        seed,
        tenants,
        calls,
        asking,
        asked,
        struck,
        killed,
        began,
    })
}

/// Waits until enough happened in the storm: half of the messages were sent, and one of them by SMS because the token had expired. What
/// did not happen by the longest time is reported by the checks.
async fn until_enough(ground: &Ground<'_>, size: Size, tenants: &[Tenant], calls: &[Placed]) -> Result<()> {
    let wanted = calls.iter().filter(|call| call.followed).count() as f64 * SENT_IN_STORM;
    let begun = Instant::now();
    while begun.elapsed() < size.storm * (MAX_SPANS - 1) {
        let sent = count_sent_messages(ground, tenants).await? as f64;
        if sent >= wanted && one_fell_back(ground, &tenants[EXPIRING]).await? {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// Messages that providers have accepted.
async fn count_sent_messages(ground: &Ground<'_>, tenants: &[Tenant]) -> Result<usize> {
    let mut sent = 0;
    for tenant in tenants {
        sent += ground.outbox(tenant).await?.len();
    }
    Ok(sent)
}

async fn one_fell_back(ground: &Ground<'_>, tenant: &Tenant) -> Result<bool> {
    let outbox = ground.outbox(tenant).await?;
    for sent in outbox.iter().filter(|sent| sent.channel == Channel::Sms) {
        let phone: Phone = sent.to.parse().map_err(|error| anyhow!("{error}"))?;
        let customer = ground.play.customer(&tenant.id, &phone).await?;
        let messages = customer.iter().flat_map(|customer| &customer.messages);
        if messages.into_iter().any(after_waiting) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the message waited for a connection and was then tried by the next channel.
pub(super) fn after_waiting(message: &Message) -> bool {
    let next = |waiting: Waiting| message.attempts.iter().any(|attempt| attempt.leg > waiting.leg);
    message.waiting.is_some_and(next)
}

async fn count_strikes(ground: &Ground<'_>, faults: &[u64]) -> Result<BTreeMap<String, u64>> {
    let mut struck = BTreeMap::new();
    for rule in ground.play.get::<Vec<Value>>("/faults").await? {
        if rule["id"].as_u64().is_some_and(|id| faults.contains(&id)) {
            let left = rule["times"].as_u64().unwrap_or(TIMES);
            let kind = rule["kind"].as_str().unwrap_or_default();
            *struck.entry(kind.to_owned()).or_default() += TIMES.saturating_sub(left);
        }
    }
    Ok(struck)
}

/// The tenant whose WhatsApp token expires.
pub(super) const EXPIRING: usize = 2;

/// Long enough for the unknown deadline (15 s) to pass first, short enough to happen in the test.
pub(super) const FALLBACK_SECONDS: u32 = 25;

fn settings(plan: &mut Plan) {
    plan.then()["fallback_after_seconds"] = FALLBACK_SECONDS.into();
}

fn faults_of(tenant: &Tenant) -> Vec<Value> {
    let mut faults = Vec::new();
    let mut add = |kind: &str, probability: f64, more: Value| {
        let mut fault = json!({ "tenant": tenant.id, "kind": kind, "probability": probability, "times": TIMES });
        merge(&mut fault, more);
        faults.push(fault);
    };
    for (kind, probability) in REQUESTS.iter().chain(&PHONES) {
        let more = match *kind {
            // Longer than the function's time-out (2 s), and finite.
            kind if kind.starts_with("timeout") => json!({ "seconds": 6 }),
            "offline" => json!({ "seconds": 8 }),
            _ => json!({}),
        };
        add(kind, *probability, more);
    }
    add("duplicate_webhooks", 1.0, json!({}));
    add("reordered_webhooks", 1.0, json!({}));
    faults
}

async fn place_calls(ground: &Ground<'_>, size: Size, tenants: &[Tenant], mut random: Random) -> Result<Vec<Placed>> {
    let begun = Instant::now();
    let mut placed = Vec::with_capacity(size.calls);
    for number in 0..size.calls {
        let due = size.storm.mul_f64(number as f64 / size.calls.max(1) as f64);
        tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
        let from = random.phone()?;
        let tenant = random.choose(tenants).context("there are tenants")?;
        let forwards = tenant.id == tenants[1].id;
        let (via, outcomes): (&str, &[&str]) = match (random.roll() % 2, forwards) {
            (0, true) => ("twilio", &["missed", "missed", "missed", "busy", "abandoned"]),
            (0, false) => ("twilio", &["missed"]),
            _ => ("telephony", &["missed", "missed", "busy", "voicemail", "answered"]),
        };
        let outcome = *random.choose(outcomes).context("there are outcomes")?;
        if placed.iter().any(|known: &Placed| known.from == from) {
            continue;
        }
        let call_id = ground.place_call(tenant, &from, via, outcome).await?;
        placed.push(Placed {
            tenant: tenant.id.clone(),
            from,
            call_id,
            followed: outcome != "answered",
        });
    }
    // Work that is still in progress belongs to the storm.
    tokio::time::sleep(size.storm.saturating_sub(begun.elapsed())).await;
    Ok(placed)
}

/// Disables the consumer of `sends` for a while in the middle.
async fn outage(ground: &Ground<'_>, size: Size) -> Result<()> {
    tokio::time::sleep(size.storm.mul_f64(0.3)).await;
    ground.consuming("send_message", false).await?;
    tokio::time::sleep(size.outage).await;
    ground.consuming("send_message", true).await
}

/// Refuses credentials for a moment, so the connection's messages wait.
async fn refused_for_a_while(ground: &Ground<'_>, size: Size, tenants: &[Tenant]) -> Result<()> {
    tokio::time::sleep(size.storm.mul_f64(0.7)).await;
    for (tenant, api) in tenants.iter().zip(["graph", "twilio"]) {
        let fault = json!({ "tenant": tenant.id, "api": api, "kind": "bad_credentials", "times": 2 });
        ground.play.fault(fault).await?;
    }
    Ok(())
}

/// Lets a WhatsApp token expire until the end of the storm. The first message can only start waiting once `sends` is consumed again.
async fn token_expired(ground: &Ground<'_>, size: Size, tenant: &Tenant) -> Result<u64> {
    tokio::time::sleep(size.storm.mul_f64(0.4)).await;
    let fault = json!({ "tenant": tenant.id, "api": "graph", "kind": "bad_credentials", "times": TIMES });
    ground.play.fault(fault).await
}

/// Repeatedly kills one of this stack's functions.
async fn kill_for_ever(
    ground: &Ground<'_>,
    tenants: &[Tenant],
    random: &mut Random,
    killed: &mut BTreeMap<String, u32>,
) -> Result<()> {
    let (mut before, mut last) = (0, Instant::now());
    loop {
        tokio::time::sleep(KILL_EVERY).await;
        let now = count_sent_messages(ground, tenants).await?;
        if now == before && last.elapsed() < KILL_IDLE_EVERY {
            continue;
        }
        (before, last) = (now, Instant::now());
        let processes = running_functions(&ground.place.data)?;
        let Some((pid, function)) = random.choose(&processes) else {
            continue;
        };
        // It may have ended already.
        if kill_process(*pid, Signal::KILL).is_ok() {
            *killed.entry(function.clone()).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_the_requests_fails() {
        let all: f64 = REQUESTS.iter().map(|(_, probability)| probability).sum();
        assert!((0.19..0.21).contains(&all), "{all}");
    }
}
