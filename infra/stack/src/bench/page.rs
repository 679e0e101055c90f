//! Writes `docs/benchmarks.md` from the figures.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::inbox::Day;
use super::live::Live;
use super::load::{Load, Times, Work};
use super::operations::Cost;
use super::webhooks::Webhooks;
use super::{Billed, EMPTY, FOLLOW_UPS, Figures, KNOWN, Part, STARTS, Starts};
use crate::bill::{READ_UNIT, WRITE_UNIT, calls_in_words};
use crate::console::{Keys, Shown, Visit, WayStep};

/// The targets, set before the first measurement.
const MAX_ZIPPED_MB: f64 = 3.0;
const MAX_OVER_EMPTY_MS: f64 = 1.5;
const MAX_MEMORY_MIB: f64 = 25.0;
const MAX_CPU_MS: f64 = 3.0;
const MAX_WEBHOOK_CPU_MS: f64 = 0.5;

/// Maximum write units of a new caller's missed call: decided, noted in its conversation, counted for its caps, sent, with three statuses. In the order of their
/// measurements: with one webhook, with Twilio's three, where each further one is stored.
const MAX_UNITS: [f64; 2] = [37.0, 43.0];
/// Maximum dollars per 1,000 of them, in the order of their measurements: with one webhook, with Twilio's three.
const MOST_DOLLARS_PER_1000: [f64; 2] = [0.038, 0.047];
/// Maximum write units of a known contact's message, without its search tokens.
const MAX_UNITS_INBOUND: f64 = 13.0;
/// Maximum write units of a contact that is created by the API.
const MAX_UNITS_CREATED: f64 = 21.0;
/// Maximum write units of a row of an import that creates a contact.
const MAX_UNITS_IMPORTED: f64 = 11.0;

/// Work of a team, with its maximum write units.
pub(super) const REPLY: (&str, f64) = (
    "reply, from its request to the last status, of a team of twenty at once",
    26.0,
);
pub(super) const ASSIGNMENT: (&str, f64) = ("assignment of a conversation", 6.0);
pub(super) const BROADCASTS: [(&str, f64); 2] = [
    ("recipient of a broadcast by SMS, to the last status", 19.0),
    ("recipient of a broadcast by WhatsApp, to the last status", 19.0),
];
/// Maximum dollars per 1,000 recipients of a broadcast.
const MAX_DOLLARS_BROADCAST: f64 = 0.045;

/// Maximum time to the largest contentful paint of the console's pages: of a first visit, and of a later one.
const MAX_FIRST_PAINT_MS: f64 = 2500.0;
const MAX_LATER_PAINT_MS: f64 = 1200.0;

/// Maximum time from a key to what it does on the screen, for 98 of 100 keys.
const MAX_KEY_MS: f64 = 100.0;
/// Maximum time from a provider's webhook to the message on the screen, over the API's own, for 19 of 20 messages.
const MAX_SHOWN_MS: f64 = 500.0;

/// Maximum 95th percentile of the time until changes are told, over the time of one client alone, in milliseconds.
const MAX_TOLD_MS: f64 = 500.0;
/// Maximum time until the sockets of a caller who lost access end, in milliseconds.
const MAX_CLOSED_MS: f64 = 5000.0;

/// CPU of the same work on FastAPI + Celery + PostgreSQL + Redis: of a call from webhook to send, and of its webhook.
const TO_BEAT_CPU_MS: (f64, f64) = (7.2, 2.6);

pub(super) fn write(figures: &Figures) -> String {
    let mut page = String::new();
    page += HEAD;
    let _ = writeln!(page, "{}", machine());
    for (part, taken) in &figures.taken {
        let part = match part {
            Part::Start => "Size and start",
            Part::Bill => "Dollars",
            Part::Load => "Latency, CPU per event and peak memory",
            Part::Api => "Operations of the API",
            Part::Console => "Console",
            Part::Live => "Live updates",
            Part::Inbox => "A team's day",
            Part::Webhooks => "Outgoing webhooks",
        };
        let _ = writeln!(page, "* {part}: {taken}.");
    }
    page += &aims(figures);
    page += &budgets(figures);
    page += &binaries(figures);
    page += &cpu(figures);
    page += &latencies(figures);
    page += &dollars(figures);
    page += &operations(&figures.operations);
    page += &console(&figures.visits);
    page += &keys(&figures.keys);
    page += &way_to_screen(figures.shown.as_ref());
    page += &live(figures.live.as_ref());
    page += &figures.day.as_ref().map_or_else(String::new, Day::page);
    page += &figures.deliveries.as_ref().map_or_else(String::new, Webhooks::page);
    page
}

/// Waiting times of a phone in a slow network for the console.
fn console(visits: &[Visit]) -> String {
    if visits.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "
## Console

Time to the largest contentful paint on a phone in a slow network: CPU throttled 4 times, 1.6 Mbit/s, round trips of 150 ms, with the
stack on the same cores; the median of 3 visits. *First*: nothing is cached. *Later*: what a browser has kept is used. Both have a
session. Aims: {MAX_FIRST_PAINT_MS} ms and {MAX_LATER_PAINT_MS} ms.

| page | language | first | | received | later | | received |
| --- | --- | ---: | --- | ---: | ---: | --- | ---: |
"
    );
    for visit in visits {
        let kilobytes = |bytes: u64| bytes as f64 / 1024.0;
        let _ = writeln!(
            text,
            "| {} | `{}` | {:.0} ms | {} | {:.1} KB | {:.0} ms | {} | {:.1} KB |",
            visit.page,
            visit.language,
            visit.cold,
            verdict(visit.cold <= MAX_FIRST_PAINT_MS),
            kilobytes(visit.cold_bytes),
            visit.warm,
            verdict(visit.warm <= MAX_LATER_PAINT_MS),
            kilobytes(visit.warm_bytes),
        );
    }
    text
}

/// Times of keys of the inbox.
fn keys(keys: &[Keys]) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "
Keys of the inbox, from the key to the frame that shows what it did: CPU throttled 4 times, a key every 120 ms, while customers write. The
conversation has 10,000 messages, all opened page by page; the API's pages of them are played, and what comes is real.
Aim: p98 of {MAX_KEY_MS} ms.

| keys | number | p50 | p98 | longest | |
| --- | ---: | ---: | ---: | ---: | --- |
"
    );
    for row in keys {
        let Keys {
            place,
            keys,
            p50,
            p98,
            longest,
        } = row;
        let met = verdict(*p98 <= MAX_KEY_MS);
        let _ = writeln!(
            text,
            "| {place} | {keys} | {p50:.0} ms | {p98:.0} ms | {longest:.0} ms | {met} |"
        );
    }
    text
}

/// The way of a message from the provider's webhook to the screen.
fn way_to_screen(shown: Option<&Shown>) -> String {
    let Some(Shown {
        messages,
        floor_p50,
        floor_p95,
        p50,
        p95,
        longest,
        steps,
    }) = shown
    else {
        return String::new();
    };
    let over = p95 - floor_p95;
    let parts: String = steps
        .iter()
        .map(|WayStep { what, p50, p95 }| format!("| … {what} | {p50:.0} ms | {p95:.0} ms | |\n"))
        .collect();
    format!(
        "
From a customer's message at the provider to the open conversation: {messages} messages, each a few seconds after the one before. *API*: another
client asks for the conversation's latest entry as fast as it is answered, which is the emulator's own time.

| | p50 | p95 | longest |
| --- | ---: | ---: | ---: |
| API | {floor_p50:.0} ms | {floor_p95:.0} ms | |
| on the screen | {p50:.0} ms | {p95:.0} ms | {longest:.0} ms |
{parts}
p95 over the API's: {over:.0} ms {} (aim: {MAX_SHOWN_MS} ms).
",
        verdict(over <= MAX_SHOWN_MS)
    )
}

/// The time until clients are told of a change.
fn live(live: Option<&Live>) -> String {
    let Some(live) = live else {
        return String::new();
    };
    let row = |what: &str, times: &Times| {
        let [half, most, all] = [50, 95, 100].map(|of_hundred| times.percentile(of_hundred));
        let count = times.count();
        format!("| {what} | {count} | {half:.0} ms | {most:.0} ms | {all:.0} ms |\n")
    };
    let over = live.told.percentile(95) - live.alone.percentile(95);
    format!(
        "
## Live updates

From a customer's message at the provider to the client that is told that the conversation changed: webhook, queue, table, stream and
socket, on the emulator, with the clients on the same cores. {sockets} sockets of 20 callers each watch one of 40 conversations, every tenth all of them, so
that each message is told 24 times. {ill} clients vanish without closing or read nothing. {messages} messages come, {per_second:.1} per second. *Alone*: one client,
and one message at a time.

| | told | p50 | p95 | longest |
| --- | ---: | ---: | ---: | ---: |
{alone}{told}
p95 over the emulator's own time: {over:.0} ms {verdict} (aim: {MAX_TOLD_MS} ms). Healthy clients were asked {caught_up} times to catch up; at the end they missed
{missing} events, by their ids, and had been told of {foreign} that are not theirs. The sockets of a key were closed {closed:.0} ms after it was
revoked {closed_verdict}, and those of somebody who logged out after {logged_out:.0} ms {logged_out_verdict} (aim: {MAX_CLOSED_MS} ms).
",
        sockets = live.sockets,
        ill = live.ill,
        messages = live.messages,
        per_second = live.per_second,
        alone = row("alone", &live.alone),
        told = row("with all", &live.told),
        verdict = verdict(over <= MAX_TOLD_MS),
        caught_up = live.caught_up,
        closed = live.closed,
        closed_verdict = verdict(live.closed <= MAX_CLOSED_MS),
        logged_out = live.logged_out,
        logged_out_verdict = verdict(live.logged_out <= MAX_CLOSED_MS),
        missing = live.missing,
        foreign = live.foreign,
    )
}

/// Maximum reads of the table by a warm GET of an authenticated caller: one for the caller, one for the content.
pub(super) const MAX_READS: u64 = 2;

fn operations(costs: &[Cost]) -> String {
    if costs.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "
## Operations of the API

One warm request of each operation that an API key or a user may call, with the contract's own example as its body: the requests
to AWS in the function's log line. *Requests* are round trips: a batch or a transaction is one. The two updates of every
operation count the caller and the tenant against their limits. Aim: a warm `GET` reads the table {MAX_READS} times at most.

| operation | | requests | table reads | read units | write units | calls |
| --- | --- | ---: | ---: | ---: | ---: | --- |
"
    );
    for cost in costs {
        let reads = cost.table_reads();
        let is_over = cost.method == "get" && reads > MAX_READS;
        let over = if is_over { " **over**" } else { "" };
        let _ = writeln!(
            text,
            "| `{}` | `{} {}` | {} | {reads}{over} | {:.1} | {:.1} | {} |",
            cost.id,
            cost.method.to_uppercase(),
            cost.path,
            cost.requests,
            cost.read,
            cost.write,
            calls_in_words(&cost.aws)
        );
    }
    text
}

const HEAD: &str = "\
# Benchmarks

Generated by `cargo stack bench`. Change the code, not the page. A run takes a while: it builds the shipped profile, then starts its
own stack in `.stack/bench`. Parts can be measured alone (`--part start`, which needs no AWS, `--part bill`, `--part load`,
`--part api`, `--part console`, `--part webhooks`), and without the long build by `--profile local`. The other parts keep their last measurements
(`docs/benchmarks.json`).

";

fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |file: &str, name: &str| {
        let text = read(file);
        let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(rest.trim_start_matches([' ', '\t', ':']).to_owned())
    };
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown CPU".to_owned());
    let count = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let kib = field("/proc/meminfo", "MemTotal").and_then(|size| size.split(' ').next()?.parse::<f64>().ok());
    let gib = kib.map_or(0.0, |kib| kib / 1024.0 / 1024.0);
    format!(
        "{count} cores of {model}, {gib:.0} GiB, Linux {}. \
         Load generator, emulator, simulators and functions share these cores.\n",
        kernel.trim()
    )
}

pub(super) fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "**missed**" }
}

/// A row of the aims: at most this much of a unit, measured with these digits.
fn aim(what: &str, measured: f64, most: f64, digits: usize, unit: &str, whose: &str) -> String {
    let verdict = verdict(measured <= most);
    format!("| {what} | ≤ {most} {unit} | {measured:.digits$} {unit}{whose} | {verdict} |\n")
}

fn aims(figures: &Figures) -> String {
    let mut rows = String::new();
    let of = |name: &str| format!(" (`{name}`)");
    let sizes = figures.sizes.iter().filter(|(name, _)| *name != EMPTY);
    if let Some((name, size)) = sizes.max_by_key(|(_, size)| size.zipped) {
        let mb = size.zipped as f64 / 1e6;
        rows += &aim("largest function, zipped", mb, MAX_ZIPPED_MB, 2, "MB", &of(name));
    }
    let starts = figures.starts.iter().filter(|starts| starts.name != EMPTY);
    let slowest = starts.max_by(|a, b| a.quickest_ms().total_cmp(&b.quickest_ms()));
    if let (Some(empty), Some(slowest)) = (figures.starts_of(EMPTY), slowest) {
        let what = "start to first event, over an empty function";
        let over = slowest.quickest_ms() - empty.quickest_ms();
        rows += &aim(what, over, MAX_OVER_EMPTY_MS, 2, "ms", &of(&slowest.name));
    }
    if let Some((name, work)) = figures.work.iter().max_by_key(|(_, work)| work.peak_kb) {
        let mib = work.peak_kb as f64 / 1024.0;
        rows += &aim("peak memory of a function", mib, MAX_MEMORY_MIB, 1, "MiB", &of(name));
    }
    for (billed, most) in figures.follow_ups.iter().zip(MOST_DOLLARS_PER_1000) {
        let (what, dollars) = (&billed.what, billed.dollars_per_1000());
        let verdict = verdict(dollars <= most);
        rows += &format!("| 1,000 follow-ups with three statuses, {what} | ≤ ${most} | ${dollars:.4} | {verdict} |\n");
    }
    if let Some((all, webhook)) = figures.follow_ups.first().and_then(call_cpu_ms) {
        rows += &aim("CPU of a call, from webhook to send", all, MAX_CPU_MS, 2, "ms", "");
        rows += &aim("CPU of its webhook", webhook, MAX_WEBHOOK_CPU_MS, 2, "ms", "");
    }
    if rows.is_empty() {
        return rows;
    }
    format!("\n## Aims\n\n| what | aim | measured | |\n| --- | --- | --- | --- |\n{rows}")
}

/// Write units of each operation: the maximum, and the measured ones.
fn budgets(figures: &Figures) -> String {
    if figures.follow_ups.is_empty() {
        return String::new();
    }
    let mut text = "
## Write units

What an operation writes in DynamoDB with everything that follows from it: indexes, statuses, and the counters that `publish_changes`
adds up from the stream. Locally the stream collects changes for 1 s before it passes them on, on AWS for 30 s, so counters cost less there.
Each of Twilio's reports of a call is stored, because the last may never come: that costs more than a single `call.ended`.

| operation | budget | measured | counters of it | |
| --- | ---: | ---: | ---: | --- |
"
    .to_owned();
    let mut rows: Vec<(String, &Billed, Option<f64>)> = Vec::new();
    for (one, most) in figures.follow_ups.iter().zip(MAX_UNITS) {
        let what = format!("missed call of a new caller, with {}", one.what);
        rows.push((what, one, Some(most)));
    }
    for one in &figures.inbound {
        // A message of a new contact also writes the contact, its identities and its profile.
        let most = (one.what == KNOWN).then_some(MAX_UNITS_INBOUND);
        rows.push((format!("message from {}", one.what), one, most));
    }
    for one in &figures.requested {
        rows.push((format!("message requested by the API, {}", one.what), one, None));
    }
    for one in &figures.created {
        rows.push((one.what.clone(), one, Some(MAX_UNITS_CREATED)));
    }
    for one in &figures.imported {
        rows.push((one.what.clone(), one, Some(MAX_UNITS_IMPORTED)));
    }
    for one in &figures.team {
        let mut all = [REPLY, ASSIGNMENT].into_iter().chain(BROADCASTS);
        let most = all.find(|(what, _)| one.what == *what).map(|(_, most)| most);
        rows.push((one.what.clone(), one, most));
    }
    for (what, Billed { count, bill, .. }, most) in rows {
        let each = |units: f64| units / *count as f64;
        let all: f64 = bill.functions.values().map(|used| each(used.write)).sum();
        let counters = bill.functions.get("publish_changes");
        let counters = counters.map_or(0.0, |used| each(used.write));
        let budget = most.map_or_else(String::new, |most| format!("≤ {most}"));
        // As it is shown, to a tenth.
        let verdict = most.map_or("", |most| verdict((all * 10.0).round() <= most * 10.0));
        let _ = writeln!(text, "| {what} | {budget} | {all:.1} | {counters:.1} | {verdict} |");
    }
    text
}

/// Functions that process a call until its message is sent.
const UNTIL_SENT: [&str; 3] = ["telephony_webhook", "process_call", "send_message"];

/// Whether this deployed function is one of them.
pub(super) fn works_a_call(deployed: &str) -> bool {
    let mut names = UNTIL_SENT.iter();
    names.any(|name| deployed.ends_with(&name.replace('_', "-")))
}

/// CPU milliseconds of a follow-up until it is sent, and of its webhook.
fn call_cpu_ms(first: &Billed) -> Option<(f64, f64)> {
    let cpu = |name: &str| Some(first.bill.functions.get(name)?.warm_cpu_ms() / first.count as f64);
    let all = UNTIL_SENT.iter().map(|name| cpu(name)).sum::<Option<f64>>()?;
    Some((all, cpu(UNTIL_SENT[0])?)).filter(|(all, _)| all.is_finite())
}

/// CPU time of a call by function.
fn cpu(figures: &Figures) -> String {
    let Some(first) = figures.follow_ups.first() else {
        return String::new();
    };
    let Some((all, webhook)) = call_cpu_ms(first) else {
        return String::new();
    };
    let mut text = "
## CPU of a call

CPU time of the follow-ups below, with one webhook and one after the other, until the message is sent, from the log lines of warm
processes. Statuses and the stream come after the send.

| function | CPU | requests | CPU per request |
| --- | ---: | ---: | ---: |
"
    .to_owned();
    let each = first.count as f64;
    let mut requests = 0.0;
    for name in UNTIL_SENT {
        let used = &first.bill.functions[name];
        let cpu = used.warm_cpu_ms() / each;
        let own = (used.requests + used.providers.values().sum::<u64>()) as f64 / each;
        requests += own;
        let _ = writeln!(text, "| `{name}` | {cpu:.2} ms | {own:.1} | {:.2} ms |", cpu / own);
    }
    let (all_there, webhook_there) = TO_BEAT_CPU_MS;
    let _ = write!(
        text,
        "| **all** | **{all:.2} ms** | {requests:.1} | |

To beat: the same work on FastAPI + Celery + PostgreSQL + Redis takes {all_there} ms, {webhook_there} ms of it in the webhook; here it is
{:.0} % and {:.0} %.
",
        all / all_there * 100.0,
        webhook / webhook_there * 100.0
    );
    if let Some(nothing) = figures.work.get("health").map(Work::cpu_ms).filter(|ms| ms.is_finite()) {
        let rest = all - nothing * UNTIL_SENT.len() as f64;
        let _ = writeln!(
            text,
            "
Where the rest goes: an invocation that asks nobody (`health`) takes {nothing:.2} ms, so {rest:.2} ms are the {requests:.0} requests and what is made
of them, {:.2} ms each: the SDK's layers, signing, HTTP and JSON both ways, and the kernel, which sends and receives{}. Less CPU means
fewer requests.",
            rest / requests,
            figures
                .kernel_share
                .map_or_else(String::new, |share| format!(" ({:.0} % of it, under load)", share * 100.0))
        );
    }
    text
}

fn binaries(figures: &Figures) -> String {
    if figures.starts.is_empty() && figures.work.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "
## Functions

*Size*: the stripped binary, and zipped as `sam deploy` uploads it. *Start*: from the creation of the process to its first request for an
event, against a runtime API on loopback that only counts: the median of {STARTS} starts, with all functions in turn (in brackets
the fastest), and the CPU time until then. *Over empty* compares the fastest starts, which other work of the machine disturbs
least. `{EMPTY}` (`infra/empty_function`) is
`lambda_runtime` and a handler that returns its event, built in the same profile. *CPU per event*: under the loads below, warm
processes, by the functions' own log lines (an event is a request, a queue's or a stream's record). *First event*: CPU of a
process's first invocation, which makes its clients and connections. *Peak memory*: the most any process held (`VmHWM`).
An empty cell was not measured in the last run of its part. Why they are as large as they are, and what has been taken out:
[decision 0007](decisions/0007-build-profiles.md).

| function | size | zipped | start | start CPU | over empty | CPU per event | first event | peak memory |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"
    );
    let empty = figures.starts_of(EMPTY);
    let mut names: BTreeSet<&str> = figures.work.keys().map(String::as_str).collect();
    names.extend(figures.starts.iter().map(|starts| starts.name.as_str()));
    let mb = |bytes: u64| format!("{:.2} MB", bytes as f64 / 1e6);
    let ms = |value: Option<f64>| Some(format!("{:.2} ms", value.filter(|value| value.is_finite())?));
    for name in names {
        let (size, starts) = (figures.sizes.get(name), figures.starts_of(name));
        let work = figures.work.get(name);
        let over = starts.zip(empty).filter(|_| name != EMPTY);
        let memory = work.map(|work| format!("{:.1} MiB", work.peak_kb as f64 / 1024.0));
        let cells = [
            size.map(|size| mb(size.bytes)),
            size.map(|size| mb(size.zipped)),
            starts.map(|starts| format!("{:.2} ms ({:.2})", starts.wall_ms(), starts.quickest_ms())),
            ms(starts.map(Starts::cpu_ms)),
            ms(over.map(|(starts, empty)| starts.quickest_ms() - empty.quickest_ms())),
            ms(work.map(Work::cpu_ms)),
            ms(work.map(Work::first_cpu_ms)),
            memory.or_else(|| Some(format!("{:.1} MiB at start", starts?.peak_mib()))),
        ];
        let cells = cells.map(Option::unwrap_or_default).join(" | ");
        let _ = writeln!(text, "| `{name}` | {cells} |");
    }
    text
}

fn times(load: &Load) -> String {
    let [half, most] = [50, 99].map(|of_hundred| load.acknowledged.percentile(of_hundred));
    format!("{:.0} | {half:.1} / {most:.1} ms", load.per_second)
}

fn latencies(figures: &Figures) -> String {
    if figures.calls.is_empty() {
        return String::new();
    }
    let mut text = "
## Latency

Signed webhooks go to the public port; the emulator's HTTP API, Lambda and queues are Python on the same cores, so these are
local upper bounds and say nothing about AWS. The column of a function without requests (`health`) is the emulator's own share.

*Calls*: this many callers at a time. Each posts Twilio's `voice` and `dial-result`, waits until the provider has accepted the
message, and calls again under a new number. *Call → send* is from posting `dial-result` to the provider's `accepted_at`.

| calls at a time | calls/s | acknowledged p50 / p99 | call → send p50 / p95 |
| ---: | ---: | ---: | ---: |
"
    .to_owned();
    for load in &figures.calls {
        let (concurrency, times) = (load.concurrency, times(load));
        let [half, most] = [50, 95].map(|of_hundred| load.sent.percentile(of_hundred));
        let _ = writeln!(text, "| {concurrency} | {times} | {half:.0} / {most:.0} ms |");
    }
    text += "
*Webhooks*: this many connections post `call.ended` one after the other, as fast as they are answered, while the queues behind
them are processed.

| connections | webhooks/s | acknowledged p50 / p99 | emulator alone: requests/s | p50 / p99 |
| ---: | ---: | ---: | ---: | ---: |
";
    for (load, nothing) in figures.webhooks.iter().zip(&figures.nothing) {
        let _ = writeln!(text, "| {} | {} | {} |", load.concurrency, times(load), times(nothing));
    }
    let most = figures.webhooks.iter().map(|load| load.per_second).fold(0.0, f64::max);
    let webhooks = figures.work.iter();
    let webhooks = webhooks.filter(|(name, _)| name.ends_with("_webhook") && name.as_str() != "deliver_webhook");
    let computed = webhooks.map(|(_, work)| work.cpu_ms()).fold(0.0, f64::max);
    let _ = write!(
        text,
        "
To beat: the same work on FastAPI + Celery + PostgreSQL + Redis, 2 cores, at 100 calls/s: acknowledgement p50 40 ms, p99 975 ms;
call → send p50 0.5 s; with workers killed, 5 of 1,200 messages never sent and 7 sent but not recorded. Those processes are the
deployment itself. Here an emulator stands in for AWS: it takes {most:.0} webhooks/s at most, so 100 calls/s cannot be offered, and
with many at a time they wait for it. Of our own code, a webhook takes {computed:.1} ms of CPU at most. What is sent when things are
killed is counted by `cargo stack chaos`.
"
    );
    text
}

fn dollars(figures: &Figures) -> String {
    if figures.follow_ups.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "
## Dollars

{FOLLOW_UPS} missed calls of new callers, one after the other (so that no batch makes them cheaper): each gets one WhatsApp message
that is sent, delivered and read. Counted from the functions' own log lines at list prices in us-east-1 without free tier; running
times are this machine's, at 256 MB and arm64's price. Queues' idle polls, keys, alarms and what the providers charge are not in it.
"
    );
    for billed in &figures.follow_ups {
        let _ = writeln!(text, "\nA call with {}:", billed.what);
        text += &one_bill("follow-up", billed);
    }
    if !figures.requested.is_empty() {
        let _ = write!(
            text,
            "
Messages that software requests by `POST /api/v1/messages` with an `Idempotency-Key`, {FOLLOW_UPS} of each kind, one after the other: from the
request to the last status, which is read by WhatsApp and delivered by SMS.
"
        );
    }
    for billed in &figures.requested {
        let _ = writeln!(text, "\nA message requested by the API, {}:", billed.what);
        text += &one_bill("message", billed);
    }
    let of_team = |what: &str| figures.team.iter().find(|one| one.what == what);
    for billed in BROADCASTS.iter().filter_map(|(what, _)| of_team(what)) {
        let verdict = verdict(billed.dollars_per_1000() <= MAX_DOLLARS_BROADCAST);
        let _ = writeln!(
            text,
            "\nA {}, of {}: at most ${MAX_DOLLARS_BROADCAST} per 1,000, {verdict}.",
            billed.what, billed.count
        );
        text += &one_bill("recipient", billed);
    }
    let _ = writeln!(
        text,
        "\nCapacity dominates: a write unit costs as much as {:.0} read units, and every kilobyte of an item counts once for the table\n\
         and once per index that it touches, twice within a transaction.",
        WRITE_UNIT / READ_UNIT
    );
    text
}

/// Usage and costs of one piece of work, and the usage of each function.
fn one_bill(one: &str, billed: &Billed) -> String {
    let Billed { count, bill, .. } = billed;
    let each = *count as f64;
    let mut text = format!("\n| per {one} | how much | list price | per 1,000 |\n| --- | ---: | ---: | ---: |\n");
    for item in bill.items().iter().filter(|item| item.quantity > 0.0) {
        let _ = writeln!(
            text,
            "| {} | {:.2} | ${} per million | ${:.5} |",
            item.what,
            item.quantity / each,
            significant(item.dollars / item.quantity * 1e6),
            item.dollars / each * 1000.0
        );
    }
    let _ = writeln!(text, "| **all** | | | **${:.4}** |", billed.dollars_per_1000());
    let _ = write!(
        text,
        "\n| function | invocations | requests to AWS | write units | read units | operations |\n\
         | --- | ---: | ---: | ---: | ---: | --- |\n"
    );
    for (name, used) in &bill.functions {
        let operations = used.aws.iter();
        let operations = operations.map(|(action, count)| format!("{action} {:.1}", *count as f64 / each));
        let _ = writeln!(
            text,
            "| `{name}` | {:.2} | {:.2} | {:.2} | {:.2} | {} |",
            used.invocations as f64 / each,
            used.requests as f64 / each,
            used.write / each,
            used.read / each,
            operations.collect::<Vec<_>>().join(", ")
        );
    }
    text
}

/// A price with up to four significant digits.
fn significant(price: f64) -> String {
    let text = format!("{price:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
