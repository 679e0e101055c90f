//! The AWS usage of some work and its cost at list prices, from the functions' own log lines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::aws::LogEvent;

/// Price of a write request unit in dollars: see [`Bill::items`].
pub const WRITE_UNIT: f64 = 0.625 / 1e6;

/// Price of a read request unit.
pub const READ_UNIT: f64 = 0.125 / 1e6;

/// Every function's memory in the template.
const MEMORY_GB: f64 = 0.25;

/// Bytes that CloudWatch adds to every event for billing.
const LOG_EVENT_OVERHEAD: u64 = 26;

/// A function's log line. Fields that it lacks are empty.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Line {
    pub(crate) function: String,
    /// `invocation`, if it is about a whole one.
    pub(crate) message: String,
    pub(crate) correlation_id: String,
    duration_ms: f64,
    pub(crate) cpu_ms: f64,
    pub(crate) memory_kb: u64,
    pub(crate) cold_start: bool,
    /// Of the answer to a request; other invocations have none.
    pub(crate) status: Option<u16>,
    pub(crate) aws: BTreeMap<String, u64>,
    pub(crate) aws_requests: u64,
    pub(crate) capacity: Capacity,
    providers: BTreeMap<String, u64>,
    /// Records of a stream.
    pub(crate) records: u64,
    /// Records of a queue, and their results.
    pub(crate) received: u64,
    done: u64,
    already: u64,
    failed: u64,
}

#[derive(Default, Deserialize)]
pub(crate) struct Capacity {
    pub(crate) read: f64,
    pub(crate) write: f64,
}

impl Line {
    /// Reads a line; `None` if it is not JSON.
    pub(crate) fn of(event: &LogEvent) -> Option<Self> {
        serde_json::from_str(&event.message).ok()
    }

    pub(crate) fn invocations(events: &[LogEvent]) -> impl Iterator<Item = Self> {
        let lines = events.iter().filter_map(Self::of);
        lines.filter(|line| line.message == "invocation")
    }

    /// Records of a queue that have a result.
    pub(crate) const fn finished_records(&self) -> u64 {
        self.done + self.already + self.failed
    }
}

/// Usage of one function.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Use {
    pub invocations: u64,
    /// Cold starts among them.
    pub cold: u64,
    /// Requests from the HTTP API that it answered.
    pub answered: u64,
    /// Total running time, each invocation rounded up to whole milliseconds as Lambda does.
    pub billed_ms: f64,
    pub cpu_ms: f64,
    /// CPU time of processes' first events, which create clients and connections.
    pub cold_cpu_ms: f64,
    /// Calls by the IAM action they need.
    pub aws: BTreeMap<String, u64>,
    /// Requests; a transaction or batch counts as one.
    pub requests: u64,
    /// Read units of the table.
    pub read: f64,
    /// Write units of the table.
    pub write: f64,
    /// Number of calls by provider.
    pub providers: BTreeMap<String, u64>,
}

impl Use {
    /// CPU milliseconds of all invocations as if none were a process's first.
    pub fn warm_cpu_ms(&self) -> f64 {
        let warm = self.invocations - self.cold;
        (self.cpu_ms - self.cold_cpu_ms) / warm as f64 * self.invocations as f64
    }
}

/// Usage of all functions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Bill {
    /// Usage by the function's crate name.
    pub functions: BTreeMap<String, Use>,
    /// Bytes logged, as CloudWatch counts.
    pub log_bytes: u64,
}

/// A line of the bill.
#[derive(Debug, Clone)]
pub struct Item {
    pub what: &'static str,
    pub quantity: f64,
    /// Price of one unit.
    pub dollars: f64,
}

/// They run in any case, so they are part of the cost of an idle deployment.
const IDLE: [&str; 5] = [
    "dispatch_drips",
    "dispatch_due",
    "health",
    "notify_people",
    "tend_inbox",
];

impl Bill {
    /// Adds up these log lines, without scheduled functions.
    pub fn of(events: &[LogEvent]) -> Self {
        let mut bill = Self::default();
        for event in events {
            let line = Line::of(event);
            if line.as_ref().is_some_and(|line| IDLE.contains(&line.function.as_str())) {
                continue;
            }
            let Some(line) = line.filter(|line| line.message == "invocation") else {
                // The functions' other lines, including metrics, are JSON, too; the platform's own are off on AWS.
                if event.message.starts_with('{') {
                    bill.log_bytes += event.message.len() as u64 + LOG_EVENT_OVERHEAD;
                }
                continue;
            };
            bill.log_bytes += event.message.len() as u64 + LOG_EVENT_OVERHEAD;
            let used = bill.functions.entry(line.function).or_default();
            used.invocations += 1;
            used.cold += u64::from(line.cold_start);
            used.answered += u64::from(line.status.is_some());
            used.billed_ms += line.duration_ms.ceil();
            used.cpu_ms += line.cpu_ms;
            if line.cold_start {
                used.cold_cpu_ms += line.cpu_ms;
            }
            used.requests += line.aws_requests;
            used.read += line.capacity.read;
            used.write += line.capacity.write;
            for (action, count) in line.aws {
                *used.aws.entry(action).or_default() += count;
            }
            for (call, count) in line.providers {
                *used.providers.entry(call).or_default() += count;
            }
        }
        bill
    }

    fn sum(&self, of: impl Fn(&Use) -> f64) -> f64 {
        self.functions.values().map(of).sum()
    }

    /// Calls of these IAM actions, or of all actions of a service, such as `kms:`.
    fn count_calls(&self, actions: &[&str]) -> f64 {
        let counts = self.functions.values().flat_map(|used| &used.aws);
        let is_meant = |known: &str| {
            let mut all = actions.iter();
            all.any(|action| known == *action || (action.ends_with(':') && known.starts_with(*action)))
        };
        let meant = counts.filter(|(known, _)| is_meant(known));
        meant.map(|(_, count)| *count as f64).sum()
    }

    /// The cost by item at list prices in dollars, us-east-1, on demand, without free tier, as of November 2026.
    ///
    /// Not included: the cost of an idle deployment (idle polls of queues, keys, secrets, alarms: a few dollars a month), storage, and
    /// the providers' own fees.
    pub fn items(&self) -> Vec<Item> {
        let consumers = [
            "process_call",
            "send_message",
            "process_provider_event",
            "fetch_media",
            "deliver_webhook",
            "send_mail",
        ];
        let queued = consumers.iter().filter_map(|name| self.functions.get(*name));
        let queued: f64 = queued.map(|used| used.invocations as f64).sum();
        // Lambda itself receives a batch and deletes it: two requests per invocation of a queue's consumer.
        let sqs = self.count_calls(&["sqs:"]) + 2.0 * queued;
        let invocations = self.sum(|used| used.invocations as f64);
        let gb_seconds = self.sum(|used| used.billed_ms) / 1000.0 * MEMORY_GB;
        let answered = self.sum(|used| used.answered as f64);
        let secrets = self.count_calls(&["secretsmanager:"]);
        let s3_puts = self.count_calls(&["s3:PutObject", "s3:ListBucket"]);
        let item = |what, quantity: f64, price: f64| Item {
            what,
            quantity,
            dollars: quantity * price,
        };
        vec![
            item("DynamoDB write units", self.sum(|used| used.write), WRITE_UNIT),
            item("DynamoDB read units", self.sum(|used| used.read), READ_UNIT),
            // A batch below 64 KB is one.
            item("SQS requests", sqs, 0.40 / 1e6),
            // In addition, for a message sent with a group to a standard queue.
            item("SQS fair sends", self.count_calls(&["sqs:SendMessage"]), 0.10 / 1e6),
            item("Lambda invocations", invocations, 0.20 / 1e6),
            // On arm64.
            item("Lambda GB-seconds", gb_seconds, 0.000_013_333_4),
            item("API requests", answered, 1.00 / 1e6),
            item("KMS calls", self.count_calls(&["kms:"]), 0.03 / 1e4),
            item("Secrets Manager calls", secrets, 0.05 / 1e4),
            // Without attachments.
            item("E-mails", self.count_calls(&["ses:SendEmail"]), 0.10 / 1e3),
            item("S3 writes", s3_puts, 0.005 / 1e3),
            item("S3 reads", self.count_calls(&["s3:GetObject"]), 0.0004 / 1e3),
            item("log bytes", self.log_bytes as f64, 0.50 / 1e9),
        ]
    }

    /// The total of all lines.
    pub fn dollars(&self) -> f64 {
        self.items().iter().map(|item| item.dollars).sum()
    }

    /// Number of send requests to providers.
    pub fn count_send_requests(&self) -> usize {
        let calls = self.functions.values().flat_map(|used| &used.providers);
        let sends = calls.filter(|(call, _)| call.ends_with(".send"));
        sends.map(|(_, count)| usize::try_from(*count).unwrap_or(0)).sum()
    }

    /// Readable report: per function, by kind, and per 1,000 follow-ups.
    pub fn show(&self, follow_ups: usize) -> String {
        let mut text = String::new();
        let mut line = |words: String| {
            let _ = writeln!(text, "{words}");
        };
        line(format!(
            "  {:<24} {:>6} {:>9} {:>8} {:>8} {:>8}  AWS calls",
            "function", "runs", "Lambda ms", "CPU ms", "write u.", "read u."
        ));
        for (name, used) in &self.functions {
            line(format!(
                "  {name:<24} {:>6} {:>9.0} {:>8.0} {:>8.1} {:>8.1}  {}",
                used.invocations,
                used.billed_ms,
                used.cpu_ms,
                used.write,
                used.read,
                calls_in_words(&used.aws)
            ));
        }
        line(String::new());
        for item in self.items().iter().filter(|item| item.quantity > 0.0) {
            line(format!(
                "  {:<24} {:>12.1}   ${:.6}",
                item.what, item.quantity, item.dollars
            ));
        }
        if follow_ups > 0 {
            line(format!(
                "  {follow_ups} follow-ups with everything around them: ${:.6}, or ${:.3} per 1,000 follow-ups",
                self.dollars(),
                self.dollars() / follow_ups as f64 * 1000.0
            ));
        }
        text
    }
}

/// Calls by IAM action, in words.
pub(crate) fn calls_in_words(calls: &BTreeMap<String, u64>) -> String {
    let calls = calls.iter().map(|(action, count)| format!("{action} {count}"));
    calls.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(message: &str) -> LogEvent {
        LogEvent {
            group: "/aws/lambda/ringback/jobs".to_owned(),
            stream: String::new(),
            time: 0,
            message: message.to_owned(),
        }
    }

    #[test]
    fn lines_add_up_to_dollars() {
        let bill = Bill::of(&[
            event(
                r#"{"message":"invocation","function":"process_call","duration_ms":9.2,"cpu_ms":5.0,"memory_kb":9000,"cold_start":true,
                "aws":{"dynamodb:PutItem":3,"sqs:SendMessage":1},"aws_requests":2,"capacity":{"read":2.0,"write":16.0}}"#,
            ),
            event(
                r#"{"message":"invocation","function":"send_message","duration_ms":2.0,"cpu_ms":6.0,"cold_start":true}"#,
            ),
            event(r#"{"message":"invocation","function":"send_message","duration_ms":2.0,"cpu_ms":1.5}"#),
            event(
                r#"{"message":"invocation","function":"whatsapp_webhook","duration_ms":1.0,"cpu_ms":0.5,"status":200}"#,
            ),
            event(r#"{"message":"invocation","function":"messages","duration_ms":3.0,"cpu_ms":1.0,"status":201}"#),
            event(
                r#"{"message":"invocation","function":"dispatch_due","duration_ms":900.0,"cpu_ms":2.0,"memory_kb":1,"cold_start":true}"#,
            ),
            // Not an invocation.
            event(r#"{"message":"late","function":"send_message"}"#),
            event("START RequestId: 1"),
        ]);
        let used = &bill.functions["process_call"];
        assert_eq!((used.invocations, used.cold, used.requests), (1, 1, 2));
        assert_eq!(used.billed_ms, 10.0);
        assert_eq!(bill.functions["send_message"].warm_cpu_ms(), 3.0);
        assert!(
            !bill.functions.contains_key("dispatch_due"),
            "scheduled runs do not count as follow-ups"
        );
        // One call by the function, and two by Lambda for each batch.
        let sqs = bill
            .items()
            .into_iter()
            .find(|item| item.what == "SQS requests")
            .expect("an item");
        assert_eq!(sqs.quantity, 7.0);
        // Webhooks, and what software requests.
        let requests = bill.items().into_iter().find(|item| item.what == "API requests");
        assert_eq!(requests.expect("an item").quantity, 2.0);
        assert_eq!(bill.count_calls(&["dynamodb:PutItem"]), 3.0);
        assert!(bill.dollars() > 16.0 * WRITE_UNIT);
    }
}
