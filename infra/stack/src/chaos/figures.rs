//! Whether counters, metrics and usage equal the truth: what the customers' rows say, and what those said that were erased.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use domain::{
    Timestamp,
    counting::{self, STATES},
    message::Message,
};
use serde_json::Value;
use store::{
    counters::{self, Counters},
    hours::Lines,
};

use super::{
    Ground,
    check::{Verdict, now},
    shop::Shop,
    storm::Stormed,
};
use crate::{
    api::{self, succeeded},
    endpoints::Tenant,
    play::Customer,
};

/// Maximum time by which the stream's consumer lags, because it was killed, too.
const LAG: Duration = Duration::from_secs(60);

/// Counters that are compared besides those of each purpose: none of these depends on the order in which statuses came.
const EXACT: [&str; 6] = [
    "calls",
    "messages",
    "delivered_whatsapp",
    "delivered_sms",
    "received_whatsapp",
    "received_sms",
];

/// States of messages that are only left forward, so that a message has been counted in each that it has reached. The others are
/// left again by a late status.
const REACHED: [&str; 4] = ["planned", "accepted", "delivered", "read"];

/// What must have been counted for a tenant. The bounds differ only by messages whose rows were erased before they came to rest.
#[derive(Debug, Default)]
pub(super) struct Truth {
    least: Counters,
    most: Counters,
}

impl Truth {
    fn certain(&mut self, name: &str, count: u64) {
        for bound in [&mut self.least, &mut self.most] {
            *bound.entry(name.to_owned()).or_default() += count;
        }
    }

    /// The calls of a customer, and what they wrote.
    pub(super) fn happened(&mut self, customer: &Customer) {
        self.certain("calls", customer.calls.len() as u64);
        for received in &customer.received {
            let channel = received.message.channel.as_str();
            self.certain(&format!("received_{channel}"), 1);
        }
    }

    /// A message, as it is now.
    pub(super) fn message(&mut self, message: &Message) {
        for (name, count) in counting::moved(None, message) {
            self.certain(&name, count);
        }
    }

    /// A message that was erased after it had been read in this state. Nobody knows how far it went.
    pub(super) fn cut_off(&mut self, message: &Message) {
        let mut so_far = Counters::new();
        for (name, count) in counting::moved(None, message) {
            *so_far.entry(name).or_default() += count;
        }
        counters::join(&mut self.least, &so_far);
        let purpose = so_far.keys().find_map(|name| name.strip_suffix(".planned"));
        let states = purpose.map(|purpose| REACHED.map(|state| format!("{purpose}.{state}")));
        let channels = message
            .plan
            .iter()
            .map(|leg| format!("delivered_{}", leg.channel.as_str()));
        let possible = ["messages".to_owned()].into_iter().chain(states.into_iter().flatten());
        for name in possible.chain(channels) {
            *self.most.entry(name).or_default() += 1;
        }
    }

    /// What is counted otherwise, one sentence each.
    fn wrong(&self, counted: &Counters) -> Vec<String> {
        let of = |counters: &Counters, name: &str| counters.get(name).copied().unwrap_or_default();
        let mut wrong = Vec::new();
        for name in compared() {
            let (count, least, most) = (of(counted, &name), of(&self.least, &name), of(&self.most, &name));
            if !(least..=most).contains(&count) {
                let expected = if least == most {
                    least.to_string()
                } else {
                    format!("{least} to {most}")
                };
                wrong.push(format!("{count} {name} are counted instead of {expected}"));
            }
        }
        for purpose in counting::purposes() {
            for state in STATES.iter().filter(|state| !REACHED.contains(state)) {
                let name = format!("{purpose}.{state}");
                let (count, least) = (of(counted, &name), of(&self.least, &name));
                if count < least {
                    wrong.push(format!("{count} {name} are counted instead of at least {least}"));
                }
            }
        }
        wrong
    }
}

/// The names of the counters that are compared.
fn compared() -> Vec<String> {
    let of_purposes = counting::purposes().flat_map(|purpose| REACHED.map(|state| format!("{purpose}.{state}")));
    EXACT.into_iter().map(str::to_owned).chain(of_purposes).collect()
}

/// The hours' counters are exact, whatever was redelivered, killed or erased, and the reports of the API say the same.
pub(super) async fn check(
    ground: &Ground<'_>,
    stormed: &Stormed,
    truths: &BTreeMap<String, Truth>,
    verdict: &mut Verdict,
) -> Result<()> {
    let nothing = Truth::default();
    for tenant in stormed.all_tenants() {
        let truth = truths.get(&tenant.id).unwrap_or(&nothing);
        let begun = Instant::now();
        let mut wrong = loop {
            let counted = counted(ground, stormed, tenant).await?;
            let wrong = truth.wrong(&counted);
            if wrong.is_empty() {
                break Box::pin(reported(ground, tenant, &counted)).await?;
            }
            if begun.elapsed() > LAG {
                break wrong;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        };
        for wrong in &mut wrong {
            *wrong = format!("{}: {wrong}", tenant.name);
        }
        verdict.broken.append(&mut wrong);
    }
    Ok(())
}

/// What the hours of the storm have counted.
async fn counted(ground: &Ground<'_>, stormed: &Stormed, tenant: &Tenant) -> Result<Counters> {
    let hour = Duration::from_secs(3_600);
    let period = (Timestamp::from_millisecond(stormed.began)? - hour, now()? + hour);
    let scope = access::operator::scope(tenant.id.parse()?);
    let basis = ground.play.store.basis(&scope).await?;
    let basis = basis.with_context(|| format!("{} has no row", tenant.name))?;
    let hours = ground.play.store.hours(&scope, &basis.rolled, period, Lines::Each);
    let mut counted = Counters::new();
    for hour in hours.await? {
        counters::join(&mut counted, &hour.counters);
    }
    Ok(counted)
}

/// What the metrics or the usage say otherwise than the counters, in total or in the sum of their parts.
async fn reported(ground: &Ground<'_>, tenant: &Tenant, counted: &Counters) -> Result<Vec<String>> {
    let shop = Shop { ground, tenant };
    let mut wrong = Vec::new();
    for report in ["metrics", "usage"] {
        let by_day = get(shop, report, "by=day").await?;
        // A report by hour is of three days at most; a storm may pass midnight.
        let days = by_day["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let [.., yesterday, today] = days else {
            wrong.push(format!("the {report} of a week have {} days", days.len()));
            continue;
        };
        let [from, to] = [yesterday, today].map(|part| part["day"].as_str().unwrap_or_default());
        let by_hour = get(shop, report, &format!("by=hour&from={from}&to={to}")).await?;
        let by_line = get(shop, report, "by=line").await?;
        for (by, answer) in [("day", &by_day), ("hour", &by_hour), ("line", &by_line)] {
            let said = match report {
                "metrics" => disagreements(&of_metrics(&answer["total"]), counted),
                _ => disagreements(&of_usage(&answer["total"]), counted),
            };
            wrong.extend(said.into_iter().map(|said| format!("the {report} by {by} say {said}")));
            if !adds_up(answer) {
                wrong.push(format!("the {report} by {by} do not add up: {answer}"));
            }
        }
    }
    Ok(wrong)
}

async fn get(shop: Shop<'_>, report: &str, query: &str) -> Result<Value> {
    let path = format!("/api/v1/{report}?{query}");
    let key = ("x-api-key", shop.tenant.api_key.as_str());
    let answer = shop.request("GET", &path, &[key], "").await?;
    succeeded(&answer, &path)
}

/// What a report says that the counters do not.
fn disagreements(said: &Counters, counted: &Counters) -> Vec<String> {
    let differs = |(name, count): (&String, &u64)| {
        let counted = counted.get(name).copied().unwrap_or_default();
        (*count != counted).then(|| format!("{count} {name} instead of {counted}"))
    };
    said.iter().filter_map(differs).collect()
}

/// The counters by which the figures of metrics are called.
fn of_metrics(total: &Value) -> Counters {
    let named = [
        ("calls", "/calls/all"),
        ("received_whatsapp", "/received/whatsapp"),
        ("received_sms", "/received/sms"),
    ];
    let named = named.map(|(name, place)| (name.to_owned(), place.to_owned()));
    let states = STATES.map(|state| (format!("follow_up.{state}"), format!("/follow_ups/{state}")));
    let all = named.into_iter().chain(states);
    let figures = all.map(|(name, place)| (name, total.pointer(&place).and_then(Value::as_u64).unwrap_or(u64::MAX)));
    figures.collect()
}

/// The counters by which the messages of a usage are called. A purpose without messages is left out of it.
fn of_usage(total: &Value) -> Counters {
    let mut said = Counters::new();
    for purpose in counting::purposes() {
        let mut messages = total["messages"].as_array().into_iter().flatten();
        let used = messages.find(|used| used["purpose"] == purpose);
        for state in STATES {
            let count = used.map_or(Some(0), |used| used[state].as_u64());
            said.insert(format!("{purpose}.{state}"), count.unwrap_or(u64::MAX));
        }
    }
    said
}

/// Whether the parts of a report add up to its total.
fn adds_up(report: &Value) -> bool {
    let (mut total, mut sum) = (Counters::new(), Counters::new());
    flatten(&mut total, "", &report["total"]);
    for part in report["items"].as_array().into_iter().flatten() {
        flatten(&mut sum, "", &part["figures"]);
        flatten(&mut sum, "", &part["usage"]);
    }
    total == sum
}

/// Adds the numbers in a part of a report by their names. Medians do not add up, nor does what is unknown of a cost: the segments of an
/// SMS may be reported in a later hour.
fn flatten(sum: &mut Counters, name: &str, part: &Value) {
    match part {
        Value::Number(number) => {
            let count = number.as_u64().filter(|count| *count > 0);
            if let Some(count) = count {
                *sum.entry(name.to_owned()).or_default() += count;
            }
        }
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .filter(|(field, _)| !["median_reply", "cost"].contains(&field.as_str()));
            for (field, part) in fields {
                flatten(sum, &format!("{name}/{field}"), part);
            }
        }
        Value::Array(parts) => {
            for part in parts {
                // Of a purpose, or of a currency.
                let of = ["purpose", "currency"].map(|field| api::word(&part[field]));
                let of = of.into_iter().flatten().collect::<String>();
                flatten(sum, &format!("{name}/{of}"), part);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use domain::message::Ended;
    use serde_json::json;

    use super::*;

    fn message(state: &str) -> Message {
        let contact = "01m7w3h8g0yee2bzz05vbpakr3";
        let own = "01m7w3h8g18hg3h1n2etht86ah";
        let at = "2026-11-20T09:00:00Z";
        serde_json::from_value(json!({
            "id": format!("msg_{contact}{own}"),
            "cause": { "call": format!("call_{contact}{own}") },
            "policy": { "purpose": "follow_up", "category": "utility", "fallback_after_seconds": 0 },
            "to": { "phone": "+971501234567" },
            "plan": [{
                "channel": "whatsapp", "connection": "conn_01hq5bakery0000000000000w1", "content": { "text": "Hello" },
            }],
            "attempts": [{
                "number": 1, "leg": 0, "tries": 1, "claim": "1", "state": state, "claimed_at": at, "provider_ref": "wamid.1",
            }],
            "not_before": at, "created_at": at, "correlation_id": "1", "version": 1,
        }))
        .expect("a message of the domain")
    }

    fn counted(counters: &[(&str, u64)]) -> Counters {
        let counters = counters.iter().map(|(name, count)| ((*name).to_owned(), *count));
        counters.collect()
    }

    const READ: [(&str, u64); 6] = [
        ("messages", 1),
        ("delivered_whatsapp", 1),
        ("follow_up.planned", 1),
        ("follow_up.accepted", 1),
        ("follow_up.delivered", 1),
        ("follow_up.read", 1),
    ];

    #[test]
    fn every_wrong_counter_is_detected() {
        let mut truth = Truth::default();
        truth.message(&message("read"));
        let right = counted(&READ);
        assert_eq!(truth.wrong(&right), Vec::<String>::new());
        for (name, _) in READ {
            for wrong in [0, 2] {
                let mut counters = right.clone();
                counters.insert(name.to_owned(), wrong);
                assert_eq!(truth.wrong(&counters).len(), 1, "{wrong} {name}");
            }
        }
        let more = counted(&[("received_sms", 1), ("calls", 1), ("api.planned", 1)]);
        assert_eq!(Truth::default().wrong(&more).len(), 3);
    }

    #[test]
    fn message_that_failed_may_have_failed_before() {
        let mut truth = Truth::default();
        let mut failed = message("failed");
        failed.ended = Some(Ended::Failed("no channel is left".to_owned()));
        truth.message(&failed);
        let reached = [("messages", 1), ("follow_up.planned", 1), ("follow_up.accepted", 1)];
        let with = |failed: u64| {
            let mut counters = counted(&reached);
            counters.insert("follow_up.failed".to_owned(), failed);
            counters
        };
        assert_eq!(truth.wrong(&with(0)).len(), 1);
        for fine in [1, 2] {
            assert_eq!(truth.wrong(&with(fine)), Vec::<String>::new());
        }
    }

    #[test]
    fn erased_message_has_bounds_unless_it_had_come_to_rest() {
        let mut truth = Truth::default();
        truth.cut_off(&message("accepted"));
        let so_far = counted(&[("messages", 1), ("follow_up.planned", 1), ("follow_up.accepted", 1)]);
        for fine in [&so_far, &counted(&READ)] {
            assert_eq!(truth.wrong(fine), Vec::<String>::new());
        }
        let mut twice = counted(&READ);
        twice.insert("follow_up.accepted".to_owned(), 2);
        assert_eq!(truth.wrong(&twice).len(), 1);
        assert_eq!(truth.wrong(&Counters::new()).len(), 3);
    }

    #[test]
    fn reports_that_do_not_add_up_are_detected() {
        let report = |parts: [u64; 2]| {
            let part = |read: u64| json!({ "usage": { "messages": [{ "purpose": "api", "read": read }], "cost": { "free": 1 } } });
            json!({
                "total": { "messages": [{ "purpose": "api", "read": 3 }], "cost": { "free": 1 } },
                "items": parts.map(part),
            })
        };
        assert!(adds_up(&report([1, 2])) && adds_up(&report([0, 3])));
        assert!(!adds_up(&report([1, 1])));
        let metrics = |calls: u64| {
            let figures = json!({ "calls": { "all": calls }, "median_reply": { "from_seconds": 1, "to_seconds": 2 } });
            json!({ "total": { "calls": { "all": 2 }, "median_reply": null }, "items": [{ "figures": figures }] })
        };
        assert!(adds_up(&metrics(2)) && !adds_up(&metrics(3)));
    }

    #[test]
    fn reports_that_differ_from_counters_are_detected() {
        let counters = counted(&[("calls", 2), ("follow_up.read", 1), ("api.read", 3)]);
        let follow_ups = |read: u64| {
            json!({
                "planned": 0, "accepted": 0, "delivered": 0, "read": read, "failed": 0, "blocked": 0, "cancelled": 0,
            })
        };
        let metrics = |calls: u64, read: u64| {
            let total = json!({
                "calls": { "all": calls }, "received": { "whatsapp": 0, "sms": 0 }, "follow_ups": follow_ups(read),
            });
            disagreements(&of_metrics(&total), &counters).len()
        };
        assert_eq!((metrics(2, 1), metrics(1, 1), metrics(2, 0)), (0, 1, 1));
        let usage = |messages: &[(&str, u64)]| {
            let of = |(purpose, read): &(&str, u64)| {
                let mut used = follow_ups(*read);
                used["purpose"] = (*purpose).into();
                used
            };
            let total = json!({ "messages": messages.iter().map(of).collect::<Vec<_>>() });
            disagreements(&of_usage(&total), &counters).len()
        };
        assert_eq!(usage(&[("follow_up", 1), ("api", 3)]), 0);
        assert_eq!(usage(&[("follow_up", 1)]), 1);
        assert_eq!(usage(&[("follow_up", 1), ("api", 2)]), 1);
    }
}
