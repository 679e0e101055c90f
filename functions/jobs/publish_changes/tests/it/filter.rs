//! The stream's filter in the template admits every change that the function counts, audits or notices. Pure: on samples of all rows.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::Value;
use store::table::changes::{self, What};
use testkit::stream::Filter;

use super::*;

/// Stored rows of every kind.
const SAMPLES: &str = include_str!("../../../../../shared/store/tests/rows.json");

pub(crate) fn own_filter() -> &'static Filter {
    static OWN: OnceLock<Filter> = OnceLock::new();
    OWN.get_or_init(|| Filter::of("publish_changes"))
}

/// Whether the stream hands over this record.
pub(crate) fn admits(record: &EventRecord) -> bool {
    own_filter().admits(record)
}

fn samples() -> Vec<Value> {
    serde_json::from_str(SAMPLES).expect("the samples are a list")
}

fn item(row: &Value) -> Item {
    serde_json::from_value(row.clone()).expect("a row")
}

/// The row after another write.
fn written_again(row: &Value) -> Value {
    let version = row["v"]["N"].as_str().and_then(|version| version.parse::<u64>().ok());
    let mut after = row.clone();
    after["v"] = json!({ "N": (version.unwrap_or_default() + 1).to_string() });
    after
}

/// The call after another decision.
fn decided_again(call: &Value) -> Value {
    let mut after = written_again(call);
    after["data"]["M"]["decided_again"] = json!({ "N": "1" });
    after
}

/// The row of a connection or template with these fields.
fn with(row: &Value, fields: &[(&str, Value)]) -> Value {
    let mut after = written_again(row);
    for (name, value) in fields {
        after["data"]["M"][name] = value.clone();
    }
    after
}

/// Changes that people may have to be told of: of a healthy connection and an approved template.
fn notice_samples(row: &Value) -> Option<(Item, Item)> {
    let since = json!({ "S": "2026-11-20T12:00:00Z" });
    let unhealthy = json!({ "M": {
        "state": { "S": "unhealthy" }, "since": since, "reason": { "S": "the access token is not valid" }, "tried_at": since,
    } });
    let (field, before, after) = match row["kind"]["S"].as_str()? {
        "connection" => ("health", json!({ "M": { "state": { "S": "healthy" } } }), unhealthy),
        "template" => ("status", json!({ "S": "APPROVED" }), json!({ "S": "PAUSED" })),
        _ => return None,
    };
    // The template's connection; one of a connection's unknown fields otherwise.
    let of = ("connection", json!({ "S": "conn_01m7wd7tg0b7z2y5t8q1w4e6ra" }));
    let mut before = with(row, &[(field, before), of]);
    if field == "status" {
        // The samples have the place of before, without a connection.
        before["sk"]["S"] = json!("conn_01m7wd7tg0b7z2y5t8q1w4e6ra#missed_call_followup#en_GB");
    }
    let after = with(&before, &[(field, after)]);
    Some((item(&before), item(&after)))
}

const fn name(what: &What) -> &'static str {
    match what {
        What::CallDecided(_) => "a call",
        What::CallDecidedAgain { .. } => "a call decided again",
        What::MessageMoved { before: None, .. } => "a new message",
        What::MessageMoved { before: Some(_), .. } => "a changed message",
        What::Received(_) => "a customer's message",
        What::Recorded(_) => "a record",
        What::Refused(_) => "a refusal",
    }
}

#[test]
fn filter_admits_every_change_that_means_something() {
    let (mut seen, mut audited, mut told) = (BTreeSet::new(), 0, BTreeSet::new());
    for row in samples() {
        let (none, whole, kind) = (Item::default(), item(&row), &row["kind"]["S"]);
        let mut made = vec![
            (none.clone(), whole.clone()),
            (whole.clone(), item(&written_again(&row))),
            (whole.clone(), none),
        ];
        if kind == "call" {
            made.push((whole, item(&decided_again(&row))));
        }
        made.extend(notice_samples(&row));
        for (before, after) in made {
            let counted = changes::read(&before, &after).expect("a sample can be read");
            let stamped = changes::read_stamped_change(&before, &after).expect("a sample can be read");
            let notice =
                changes::notice_of_change(&before, &after, testkit::aws::noon()).expect("a sample can be read");
            let occasion = changes::occasion(&before, &after, testkit::aws::noon()).expect("a sample can be read");
            if counted.is_some() || stamped.is_some() || notice.is_some() || occasion.is_some() {
                let record = record(0, before, after);
                assert!(
                    admits(&record),
                    "{} of {kind}: {counted:?}, {stamped:?}, {notice:?}",
                    record.event_name
                );
            }
            told.extend(notice.map(|(_, notice)| notice.kind().as_str()));
            seen.extend(counted.map(|change| name(&change.what)));
            audited += usize::from(stamped.is_some());
        }
    }
    let all = [
        "a call",
        "a call decided again",
        "a changed message",
        "a customer's message",
        "a new message",
        "a record",
        "a refusal",
    ];
    assert_eq!(seen, BTreeSet::from(all), "a change without a sample");
    assert!(audited > 0, "no sample names its author");
    assert_eq!(told, BTreeSet::from(["connection_refused", "template_paused"]));
}

/// These are most of the table's writes: each would cost an invocation.
#[test]
fn filter_admits_no_other_writes_of_a_call() {
    let of = |kind: &str| {
        samples()
            .into_iter()
            .filter(move |row| row["kind"]["S"] == kind)
            .collect::<Vec<_>>()
    };
    for call in of("call") {
        assert!(
            !admits(&record(0, item(&call), Item::default())),
            "the end of its retention"
        );
    }
    for kind in [
        "call_progress",
        "contact",
        "counted_day",
        "counters",
        "identity",
        "message_ref",
        "rate",
        "rolled",
    ] {
        let rows = of(kind);
        assert!(!rows.is_empty(), "{kind} has no sample");
        for row in rows {
            // A new contact may enter drips.
            let admitted = admits(&record(0, Item::default(), item(&row)));
            assert_eq!(admitted, kind == "contact", "a new {kind}");
            assert!(
                !admits(&record(0, item(&row), item(&written_again(&row)))),
                "a changed {kind}"
            );
        }
    }
}
