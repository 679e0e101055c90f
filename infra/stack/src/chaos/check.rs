//! The checks after the storm: whether all promises held.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use domain::Timestamp;
use domain::messages::{AttemptState, Message, MessageState};
use domain::terms::{Channel, ErrorClass, MessageId, TenantId};
use jiff::SignedDuration;
use serde_json::Value;
use store::table::due::{Due, Partition};

use super::storm::{EXPIRING, FALLBACK_SECONDS, Placed, Stormed, after_waiting};
use super::{Ground, asks};
use crate::aws::LogEvent;
use crate::bill::Bill;
use crate::inspect::{self, Queue};
use crate::play::{Customer, Sent};
use crate::report::seconds;

/// Everything that is still to be done is due within this time.
const FAR: Duration = Duration::from_secs(10 * 24 * 3600);

/// Upper limit of due rows per shard.
const MANY: i32 = 1000;

/// Rows of the storm's tenants that are due, now or later.
async fn list_due_rows(ground: &Ground<'_>, stormed: &Stormed) -> Result<Vec<Due>> {
    let all = stormed.all_tenants();
    let tenants: Vec<TenantId> = all.filter_map(|tenant| tenant.id.parse().ok()).collect();
    let (mut found, far) = (Vec::new(), Timestamp::now() + FAR);
    for partition in Partition::all() {
        let page = ground.play.store.due_page(partition, far, None, MANY).await?;
        found.extend(page.due.into_iter().filter(|due| tenants.contains(&due.tenant())));
    }
    Ok(found)
}

/// Waits until no work is left and returns how long that took. Runs the dispatcher more often than its schedule does.
pub(super) async fn calm(ground: &Ground<'_>, stormed: &Stormed, limit: Duration) -> Result<Duration> {
    let (begun, session) = (Instant::now(), ground.aws.session()?);
    loop {
        ground.dispatch().await?;
        let due = list_due_rows(ground, stormed).await?;
        let idle: Value = ground.play.get("/idle").await?;
        let mut waiting = format!("{} rows are due, the simulators say {idle}", due.len());
        if due.is_empty() && idle["idle"] == true {
            let mut queued = Vec::new();
            for Queue { name, url, .. } in Queue::all(&ground.town.outputs) {
                // Delayed ones are copies for later: the work itself is a due row, and follow-ups of other tests may be delayed for a
                // quarter of an hour.
                let [visible, in_flight, _] = inspect::depth(&session, &url).await?;
                if visible > 0 || in_flight > 0 {
                    queued.push(format!("{name} holds {visible}, and {in_flight} in flight"));
                }
            }
            if queued.is_empty() {
                return Ok(begun.elapsed());
            }
            waiting = queued.join(", ");
        }
        if begun.elapsed() > limit {
            let rows = ground.play.store.due_rows(due).await?;
            let first = rows.first().map(|(_, row)| format!("{row:?}"));
            let (first, limit) = (first.unwrap_or_default(), seconds(limit));
            bail!("after {limit} there is still work: {waiting}; the first row: {first}");
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Result of a storm.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Broken promises, one sentence each.
    pub broken: Vec<String>,
    lines: Vec<(&'static str, String)>,
}

impl Verdict {
    /// Whether all promises held.
    pub fn has_held(&self) -> bool {
        self.broken.is_empty()
    }

    fn broke(&mut self, what: String) {
        self.broken.push(what);
    }

    fn line(&mut self, what: &'static str, value: impl Display) {
        self.lines.push((what, value.to_string()));
    }

    pub(super) fn took(&mut self, whole: Duration, calm: Duration) {
        self.line("time until no work was left", seconds(calm));
        self.line("total time", seconds(whole));
    }

    /// The verdict as readable text.
    pub fn show(&self) -> String {
        let mut text = String::from("\nChaos\n");
        for (what, value) in &self.lines {
            let _ = writeln!(text, "  {what:<52} {value}");
        }
        if self.has_held() {
            text += "All promises held.";
        } else {
            let _ = writeln!(text, "{} promises did not hold:", self.broken.len());
            for broken in self.broken.iter().take(40) {
                let _ = writeln!(text, "  ✗ {broken}");
            }
        }
        text
    }
}

/// State of an accepted message, as the simulators report it.
fn reported_state(sent: &Sent) -> AttemptState {
    let known = |status: &str| sent.is(status);
    if known("read") {
        AttemptState::Read
    } else if known("delivered") {
        AttemptState::Delivered
    } else if known("failed") || known("undelivered") {
        AttemptState::Failed
    } else if known("sent") {
        AttemptState::Sent
    } else {
        AttemptState::Accepted
    }
}

/// At most one accepted message per call and channel.
fn check_sent_once(outbox: &Outbox, verdict: &mut Verdict) {
    for ((message, channel), sent) in outbox {
        if sent.len() > 1 {
            let attempts: Vec<_> = sent.iter().filter_map(Sent::key).map(|key| key.attempt).collect();
            let (times, channel) = (sent.len(), channel.name());
            verdict.broke(format!(
                "{message} was sent {times} times by {channel}: attempts {attempts:?}"
            ));
        }
    }
}

/// Messages accepted by providers, by message and channel.
type Outbox = BTreeMap<(MessageId, Channel), Vec<Sent>>;

/// Findings in the rows of customers.
#[derive(Default)]
struct Rows {
    outbox: Outbox,
    /// Number of messages in it, and of those without a key of ours.
    accepted: usize,
    states: BTreeMap<&'static str, usize>,
    seen: Seen,
}

impl Rows {
    /// Judges the messages of a customer.
    fn add(&mut self, customer: &Customer, verdict: &mut Verdict) {
        for message in &customer.messages {
            *self.states.entry(message.state().as_str()).or_default() += 1;
            judge(message, &self.outbox, &mut self.seen, verdict);
        }
    }
}

pub(super) async fn check(ground: &Ground<'_>, stormed: &Stormed) -> Result<Verdict> {
    let (mut verdict, mut rows) = (Verdict::default(), Rows::default());
    for tenant in stormed.all_tenants() {
        let sent = ground.outbox(tenant).await?;
        rows.accepted += sent.len();
        for sent in sent {
            match sent.key() {
                Some(key) => {
                    let of_message = rows.outbox.entry((key.message, sent.channel));
                    of_message.or_default().push(sent);
                }
                None => verdict.broke(format!("a message to {} has no key of ours", sent.to)),
            }
        }
    }
    check_sent_once(&rows.outbox, &mut verdict);
    for placed in &stormed.calls {
        let Some(customer) = ground.play.customer(&placed.tenant, &placed.from).await? else {
            verdict.broke(format!("the call {} is lost", placed.call_id));
            continue;
        };
        call(placed, &customer, &mut verdict);
        rows.add(&customer, &mut verdict);
        if placed.tenant == stormed.tenants[EXPIRING].id {
            for message in &customer.messages {
                fell_back(message, &mut rows.seen, &mut verdict);
            }
        }
    }
    for asked in &stormed.asked {
        let Some(customer) = ground.play.customer(&stormed.asking.id, &asked.to).await? else {
            verdict.broke(format!("the message to {} is lost", asked.to));
            continue;
        };
        let requested = customer.messages.iter();
        let requested = requested.filter(|message| message.cause.requested_by().is_some());
        let stored = requested.map(|message| message.id.to_string());
        verdict.broken.extend(asks::check(asked, &stored.collect::<Vec<_>>()));
        let written = customer.received.len();
        if written != 1 {
            verdict.broke(format!("{} wrote once, and {written} messages are stored", asked.to));
        }
        rows.add(&customer, &mut verdict);
    }
    let known: usize = rows.outbox.values().map(Vec::len).sum();
    let Seen { matched, fell_back, .. } = rows.seen;
    if matched != known {
        verdict.broke(format!(
            "{known} messages were accepted, but only {matched} belong to an attempt of a known message"
        ));
    }
    if fell_back == 0 {
        verdict.broke("no message was sent by SMS because of the expired token".to_owned());
    }
    let longest = rows.seen.longest_wait.as_secs();
    let by_sms = format!("{fell_back}, after {longest} s at most");
    verdict.line("sent by SMS because the WhatsApp token had expired", by_sms);
    leftovers(ground, stormed.began, &mut verdict).await?;
    let logs = ground.logs(stormed.began).await?;
    summary(ground, stormed, &logs, &mut verdict, &rows).await?;
    Ok(verdict)
}

#[derive(Default)]
struct Seen {
    matched: usize,
    unsent: usize,
    unknown: usize,
    fell_back: usize,
    longest_wait: SignedDuration,
}

/// Maximum delay of a planned attempt on a busy machine.
const LATE: SignedDuration = SignedDuration::from_secs(60);

/// A message whose connection does not work is sent by SMS within the rule's deadline.
fn fell_back(message: &Message, seen: &mut Seen, verdict: &mut Verdict) {
    let Some(waiting) = message.waiting else {
        return;
    };
    // A refusal on the next channel also postpones the time.
    let mut later = message.attempts.iter().filter(|attempt| attempt.leg > waiting.leg);
    if later.any(|attempt| attempt.state == AttemptState::Refused) {
        return;
    }
    let waited = message.not_before.duration_since(waiting.since);
    let mut tried = message.attempts.iter();
    let last = tried.rfind(|attempt| attempt.leg == waiting.leg);
    let went_on = last.and_then(|attempt| attempt.error.as_ref());
    // It went on at once after a last attempt, which a busy machine makes later than planned.
    let late = went_on.is_some_and(|error| error.class == ErrorClass::FallBack);
    let most = SignedDuration::from_secs(FALLBACK_SECONDS.into()) + if late { LATE } else { SignedDuration::ZERO };
    if waited > most {
        let id = message.id;
        verdict.broke(format!("{id} waited {} s for its connection", waited.as_secs()));
    }
    if after_waiting(message) {
        seen.fell_back += 1;
        seen.longest_wait = seen.longest_wait.max(waited);
    }
}

/// Requires one decided row of the call with its sentence, and the expected number of messages.
fn call(placed: &Placed, customer: &Customer, verdict: &mut Verdict) {
    let Placed { call_id, followed, .. } = placed;
    let calls = customer.calls.iter();
    let calls: Vec<_> = calls.filter(|call| call.provider_call_id == *call_id).collect();
    let [call] = calls.as_slice() else {
        let rows = calls.len();
        return verdict.broke(format!("the call {call_id} has {rows} rows: {customer}"));
    };
    if call.decision.is_empty() {
        verdict.broke(format!("the call {call_id} has no sentence"));
    }
    let (expected, found) = (usize::from(*followed), customer.messages.len());
    if found != expected || call.message.is_some() != *followed {
        verdict.broke(format!(
            "the call {call_id} has {found} messages instead of {expected}: {}",
            call.decision
        ));
    }
}

/// A message is in a final state, and its attempts agree with the providers.
fn judge(message: &Message, outbox: &Outbox, seen: &mut Seen, verdict: &mut Verdict) {
    let id = message.id;
    if message.due.is_some() {
        verdict.broke(format!("{id} is still due: {message:?}"));
    }
    let mut sent_any = false;
    for attempt in &message.attempts {
        let Some(leg) = message.plan.get(usize::from(attempt.leg)) else {
            verdict.broke(format!("{id} has an attempt without a channel"));
            continue;
        };
        let mut sent = outbox.get(&(id, leg.channel)).into_iter().flatten();
        let sent = sent.find(|sent| sent.key().is_some_and(|key| key.attempt == attempt.number));
        let says = format!("{id} says {} by {}", attempt.state.as_str(), leg.channel.name());
        match (sent, attempt.state) {
            (_, AttemptState::Claimed) => verdict.broke(format!("{id} is still claimed")),
            (None, AttemptState::Unknown) => {
                seen.unknown += 1;
                if !attempt.given_up() {
                    verdict.broke(format!("{id} is still unknown"));
                }
            }
            (None, AttemptState::Refused) => {}
            (None, _) => verdict.broke(format!("{says}, but the provider accepted nothing")),
            (Some(sent), state) => {
                seen.matched += 1;
                sent_any = true;
                if reported_state(sent) != state {
                    verdict.broke(format!("{says}, the provider says {}", sent.latest()));
                }
            }
        }
    }
    if !sent_any {
        seen.unsent += 1;
        // Not lost but reported: every channel was refused, or the outcome is unknown.
        if message.ended.is_none() {
            verdict.broke(format!("{id} was never sent and does not say why"));
        }
    }
    if matches!(
        message.state(),
        MessageState::Scheduled | MessageState::Sending | MessageState::Unknown
    ) {
        verdict.broke(format!("{id} is in no final state: {:?}", message.state()));
    }
}

/// Counts dead letters, and what was spilled since a time (milliseconds since 1970). Earlier changes of the table, which are retried by
/// hand only, are none of the storm's.
async fn leftovers(ground: &Ground<'_>, since: i64, verdict: &mut Verdict) -> Result<()> {
    let session = ground.aws.session()?;
    for Queue { name, dead_letters, .. } in Queue::all(&ground.town.outputs) {
        let [visible, in_flight, _] = inspect::depth(&session, &dead_letters).await?;
        let dead = visible + in_flight;
        if dead > 0 {
            verdict.broke(format!("{dead} dead letters of {name}"));
        }
    }
    let bucket = &ground.town.outputs["RawBucketName"];
    let spilled = session.objects(bucket, "spill/").await?;
    let is_earlier = |object: &&Value| {
        let at = object["LastModified"].as_str();
        let at = at.and_then(|at| at.parse::<Timestamp>().ok());
        at.is_some_and(|at| at.as_millisecond() < since)
    };
    let spilled = spilled.iter().filter(|object| !is_earlier(object)).count();
    if spilled > 0 {
        verdict.broke(format!("{spilled} spilled jobs were not swept back"));
    }
    Ok(())
}

async fn summary(
    ground: &Ground<'_>,
    stormed: &Stormed,
    logs: &[LogEvent],
    verdict: &mut Verdict,
    rows: &Rows,
) -> Result<()> {
    let followed = stormed.calls.iter().filter(|placed| placed.followed).count();
    verdict.line("seed", stormed.seed);
    verdict.line("calls", stormed.calls.len());
    verdict.line("calls that a message must follow", followed);
    let asked = stormed.asked.len();
    verdict.line("messages requested, each several times with one key", asked);
    verdict.line("messages accepted by providers", rows.accepted);
    verdict.line("messages by state", counts(&rows.states));
    let Seen { unknown, unsent, .. } = rows.seen;
    verdict.line("attempts of unknown outcome, given up", unknown);
    verdict.line("messages that no provider accepted, with a reason", unsent);
    let killed: u32 = stormed.killed.values().sum();
    verdict.line("processes killed at random", killed);
    let struck = |kinds: &[&str]| {
        let all = stormed.struck.iter().filter(|(kind, _)| kinds.contains(&kind.as_str()));
        counts(all.map(|(kind, count)| (kind.replace('_', " "), count)))
    };
    let kills = struck(&["kill_before", "kill_after"]);
    verdict.line("processes killed during a request to a provider", kills);
    let requests = [
        "throttled",
        "server_error",
        "server_error_after",
        "timeout_before",
        "timeout_after",
    ];
    verdict.line("requests to providers that failed", struck(&requests));
    let phones = struck(&["not_on_whatsapp", "blocked", "offline"]);
    verdict.line("messages that a phone did not accept at once", phones);
    let crashed = logs.iter().map(|event| &event.message);
    let crashed = crashed.filter(|line| line.contains("crashed on purpose"));
    verdict.line("processes that crashed on purpose", crashed.count());
    let bill = Bill::of(logs);
    let of = |name: &str| {
        let all = bill.functions.values();
        all.filter_map(|used| used.providers.get(name)).sum::<u64>()
    };
    let asked = format!("{} by WhatsApp, {} by SMS", of("whatsapp.send"), of("twilio.send"));
    verdict.line("sends that a function could record", asked);
    let deliveries: Value = ground.play.get("/deliveries").await?;
    let attempts = format!("{}, {}", deliveries["delivered"], deliveries["attempts"]);
    verdict.line("webhooks delivered, attempts", attempts);
    if deliveries["failed"].as_u64().unwrap_or_default() > 0 {
        verdict.line("webhooks given up", &deliveries["failed"]);
    }
    Ok(())
}

/// Counts of something, in words.
fn counts(all: impl IntoIterator<Item = (impl Display, impl Display)>) -> String {
    let all = all.into_iter().map(|(what, count)| format!("{what} {count}"));
    all.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CONTACT: &str = "01m7w3h8g0yee2bzz05vbpakr3";
    const OWN: &str = "01m7w3h8g18hg3h1n2etht86ah";

    fn message(state: &str) -> Message {
        let connection = "conn_01hq5bakery0000000000000w1";
        serde_json::from_value(json!({
            "id": format!("msg_{CONTACT}{OWN}"),
            "cause": { "call": format!("call_{CONTACT}{OWN}") },
            "policy": { "purpose": "follow_up", "category": "utility", "fallback_after_seconds": 0 },
            "to": { "phone": "+971501234567" },
            "plan": [{ "channel": "whatsapp", "connection": connection, "content": { "text": "Hello" } }],
            "attempts": [{ "number": 1, "leg": 0, "tries": 1, "claim": "1", "state": state, "claimed_at": "2026-11-20T09:00:00Z" }],
            "not_before": "2026-11-20T09:00:00Z",
            "created_at": "2026-11-20T09:00:00Z",
            "correlation_id": "1",
            "version": 1,
        }))
        .expect("a message of the domain")
    }

    fn sent_message(statuses: &[&str]) -> Sent {
        let at = "2026-11-20T09:00:01Z";
        let statuses = statuses.iter().map(|status| json!({ "status": status, "at": at }));
        let statuses: Vec<_> = statuses.collect();
        serde_json::from_value(json!({
            "tenant": "1", "channel": "whatsapp", "via": "graph", "to": "+971501234567", "body": "Hello",
            "key": format!("{CONTACT}.{OWN}.1"), "accepted_at": at, "statuses": statuses,
        }))
        .expect("an entry of the outbox")
    }

    fn broken_promises(message: &Message, accepted: Vec<Sent>) -> Vec<String> {
        let mut outbox = Outbox::new();
        if !accepted.is_empty() {
            outbox.insert((message.id, Channel::WhatsApp), accepted);
        }
        let mut verdict = Verdict::default();
        check_sent_once(&outbox, &mut verdict);
        judge(message, &outbox, &mut Seen::default(), &mut verdict);
        verdict.broken
    }

    #[test]
    fn consistent_statuses_break_no_promise() {
        let found = broken_promises(&message("read"), vec![sent_message(&["sent", "delivered", "read"])]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn every_broken_promise_is_detected() {
        let read = vec!["sent", "delivered", "read"];
        let cases = [
            (
                message("read"),
                vec![sent_message(&read), sent_message(&read)],
                "was sent 2 times",
            ),
            (message("sent"), vec![sent_message(&read)], "the provider says read"),
            (message("read"), Vec::new(), "accepted nothing"),
            (message("claimed"), Vec::new(), "still claimed"),
            (message("unknown"), Vec::new(), "still unknown"),
            (message("refused"), Vec::new(), "does not say why"),
        ];
        for (message, accepted, words) in cases {
            let found = broken_promises(&message, accepted);
            assert!(found.iter().any(|why| why.contains(words)), "{words}: {found:?}");
        }
    }
}
