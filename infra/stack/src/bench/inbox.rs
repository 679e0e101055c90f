//! A team's day in the inbox: what 500 of a business's 5,000 contacts write is answered by 20 agents, pressed into minutes.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::load::{Network, Times};
use super::page::{ASSIGNMENT, verdict};
use super::{run_python_client, wait_for_queues};
use crate::aws::LogEvent;
use crate::bill::Line;
use crate::running::Running;
use crate::secrets::random_hex;

/// Contacts of the business.
const CONTACTS: usize = 5_000;

/// Number of customers who write.
const WRITERS: usize = 500;

/// Maximum write units of a customer's message on average over a day.
const MAX_UNITS_OF_DAY: f64 = 12.0;

/// Figures of one day.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Day {
    pub agents: usize,
    /// Number of customers who wrote.
    pub customers: usize,
    /// Messages that they wrote.
    pub messages: usize,
    /// Seconds from the first message until nobody waited.
    pub seconds: f64,
    /// Time that a customer waited for each reply.
    pub waited: Times,
    pub replies: usize,
    /// Conversations that somebody was given.
    pub assignments: usize,
    /// Replies that were refused since a colleague had replied.
    pub overtaken: usize,
    /// Assignments that were refused since the conversation had changed.
    pub stale: usize,
    /// Questions that two agents answered.
    pub answered_twice: usize,
    /// Conversations whose customer still waits at the end.
    pub left_waiting: usize,
    /// Write units of a customer's message.
    #[serde(default)]
    pub inbound_units: f64,
    /// Write units of an assignment.
    #[serde(default)]
    pub assignment_units: f64,
    /// Write units of everything else, by message: a part of a reply, its send and its statuses, assignments, counters and events.
    #[serde(default)]
    pub all_units: f64,
}

impl Day {
    /// Its costs, and the waits of its customers.
    pub(super) fn page(&self) -> String {
        let [half, most, all] = [50, 95, 100].map(|of_hundred| self.waited.percentile(of_hundred) / 1000.0);
        let within = |units: f64, most: f64| format!("{units:.1} | {most} | {}", verdict(units <= most));
        format!(
            "
## A team's day

{agents} agents answer {messages} messages of {customers} customers, of a business with 5,000 contacts, in {minutes:.1} minutes, on the emulator with the agents on the same
cores. {replies} replies were sent, one to what several messages asked; {overtaken} were refused since a colleague had replied, and {stale} of {tried} assignments since
the conversation had changed. No question was answered twice, and nobody was left waiting. Customers waited {half:.1} s (p50), {most:.1} s (p95) and {all:.1} s (longest).

| write units of | average | aim | |
| --- | ---: | ---: | --- |
| a customer's message | {inbound} |
| an assignment | {assignment} |
| all else, by message: replies, their sends and statuses, assignments, counters, live events | {rest:.1} | | |
",
            agents = self.agents,
            messages = self.messages,
            customers = self.customers,
            minutes = self.seconds / 60.0,
            replies = self.replies,
            overtaken = self.overtaken,
            stale = self.stale,
            tried = self.stale + self.assignments,
            inbound = within(self.inbound_units, MAX_UNITS_OF_DAY),
            assignment = within(self.assignment_units, ASSIGNMENT.1),
            rest = self.all_units,
        )
    }
}

/// Measures with `python/answer_all.py`: clients that we did not write.
pub async fn measure(running: &Running, network: &Network) -> Result<Day> {
    let mut phones = Box::pin(network.import_contacts(CONTACTS)).await?;
    phones.truncate(WRITERS);
    let phones: Vec<_> = phones.iter().map(ToString::to_string).collect();
    wait_for_queues(running).await?;
    let begun = domain::Timestamp::now().as_millisecond();
    let mark = random_hex(8)?;
    let phones = phones.join(",");
    let settings = [
        ("RINGBACK_TENANT", network.tenant.id.as_str()),
        ("RINGBACK_KEY", &network.tenant.api_key),
        ("RINGBACK_PHONES", &phones),
        ("RINGBACK_MARK", &mark),
    ];
    let Running { place, tools, .. } = running;
    let day: Day = run_python_client(place, tools, &network.play, "answer_all.py", &settings).await?;
    ensure!(
        day.answered_twice == 0 && day.left_waiting == 0,
        "{} questions were answered by two agents, and {} customers still wait",
        day.answered_twice,
        day.left_waiting,
    );
    wait_for_queues(running).await?;
    let events = running.logs(Some(begun)).await?;
    // Batches in which nothing else was worked on, such as statuses of replies.
    let received = units(&events, |line| {
        let worked = line.finished_records();
        if line.received == worked { worked } else { 0 }
    });
    let assigning = format!("{mark}.assign.");
    let assigned = units(&events, |line| {
        u64::from(line.correlation_id.starts_with(&assigning) && line.status == Some(200))
    });
    let all = units(&events, |_| 1);
    Ok(Day {
        waited: day.waited.clone().into_sorted(),
        inbound_units: received.0 / received.1,
        assignment_units: assigned.0 / assigned.1,
        all_units: all.0 / day.messages as f64 - received.0 / received.1,
        ..day
    })
}

/// The write units of the invocations that do something, and how often they did it.
fn units(events: &[LogEvent], times: impl Fn(&Line) -> u64) -> (f64, f64) {
    let counted = Line::invocations(events).filter_map(|line| {
        let times = times(&line);
        (times > 0).then_some((line.capacity.write, times as f64))
    });
    counted.fold((0.0, 0.0), |(sum, count), (units, times)| (sum + units, count + times))
}
