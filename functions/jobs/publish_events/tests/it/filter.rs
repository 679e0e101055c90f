//! The stream's filter in the template admits every change that means something. Pure: on samples of all rows.

use std::collections::BTreeSet;

use domain::live::{About, Event, EventType};
use serde_dynamo::Item;
use serde_json::{Value, json};
use store::live::{ends_rights, event_meaning, told_at_once};
use testkit::stream::{Filter, record};

/// Stored rows of every kind.
const SAMPLES: &str = include_str!("../../../../../shared/store/tests/rows.json");

fn samples() -> Vec<Value> {
    serde_json::from_str(SAMPLES).expect("the samples are a list")
}

/// The first row of this kind.
fn sample(kind: &str) -> Value {
    let mut of_kind = samples().into_iter().filter(|row| row["kind"]["S"] == kind);
    of_kind.next().expect("a sample")
}

fn item(row: &Value) -> Item {
    serde_json::from_value(row.clone()).expect("a row")
}

/// The row of a healthy connection, before it was refused.
fn healthy(row: &Value) -> Value {
    let mut before = row.clone();
    before["data"]["M"]["health"] = json!({ "M": { "state": { "S": "healthy" } } });
    before
}

/// The row as a connection that is refused.
fn refused_connection(row: &Value) -> Value {
    let since = json!({ "S": "2026-11-20T12:00:00Z" });
    let mut after = row.clone();
    after["data"]["M"]["health"] = json!({ "M": {
        "state": { "S": "unhealthy" }, "since": since, "reason": { "S": "the access token is not valid" }, "tried_at": since,
    } });
    after
}

/// The row of a template of a connection.
fn of_connection(row: &Value) -> Value {
    let mut after = row.clone();
    after["data"]["M"]["connection"] = json!({ "S": "conn_01m7wd7tg0b7z2y5t8q1w4e6ra" });
    after["sk"]["S"] = json!("conn_01m7wd7tg0b7z2y5t8q1w4e6ra#missed_call_followup#en_GB");
    after
}

#[test]
fn filter_admits_every_change_that_means_something() {
    let filter = Filter::of("publish_events");
    let (mut seen, mut rights) = (BTreeSet::new(), BTreeSet::new());
    for row in samples() {
        let kind = row["kind"]["S"].as_str().unwrap_or_default();
        let mut made = vec![(Item::default(), item(&row))];
        match kind {
            "connection" => made.push((item(&healthy(&row)), item(&refused_connection(&row)))),
            "template" => made.push((Item::default(), item(&of_connection(&row)))),
            _ => {}
        }
        for (before, after) in made {
            let meaning = event_meaning(&before, &after).expect("a sample can be read");
            if let Some((_, meaning)) = meaning {
                assert!(filter.admits(&record(0, before, after.clone())), "{kind}: {meaning:?}");
                seen.insert(serde_json::to_string(&meaning.kind).expect("a word"));
            }
            // Their end means nothing, unless it ends somebody's rights.
            let ends = ends_rights(&after, &Item::default()).is_some();
            assert_eq!(filter.admits(&record(0, after, Item::default())), ends, "{kind}");
            rights.extend(ends.then_some(kind.to_owned()));
        }
    }
    assert_eq!(
        rights,
        BTreeSet::from(["api_key", "member", "tenant"].map(str::to_owned))
    );
    let all = EventType::ALL.map(|kind| serde_json::to_string(&kind).expect("a word"));
    assert_eq!(seen, BTreeSet::from(all), "an event without a sample");
}

/// They are written with every call and message, and with what is told of them.
#[test]
fn filter_admits_no_other_writes_of_a_call() {
    let filter = Filter::of("publish_events");
    for kind in [
        "call_progress",
        "cap_day",
        "counters",
        "identity",
        "live_events",
        "message_ref",
        "rate",
        "followers",
        // Of endpoints of webhooks.
        "following_endpoints",
        "webhook_delivery",
        "webhook_endpoint",
        "webhook_health",
    ] {
        let rows = samples().into_iter().filter(|row| row["kind"]["S"] == kind);
        let rows: Vec<Value> = rows.collect();
        assert!(!rows.is_empty(), "{kind} has no sample");
        for row in rows {
            assert!(!filter.admits(&record(0, Item::default(), item(&row))), "{kind}");
        }
    }
}

/// The row with another value of a field of its item.
fn with(row: &Value, field: &str, value: Value) -> Value {
    let mut after = row.clone();
    after["data"]["M"][field] = value;
    after
}

/// Each takes the first sample of a kind and changes one field. The fields of compact rows have letters.
#[test]
fn only_changes_that_people_see_are_told() {
    let at = || json!({ "S": "2026-11-24T09:00:00Z" });
    let progress = json!({ "M": { "done": { "N": "400" }, "errors": { "N": "0" } } });
    for (kind, field, value, told) in [
        ("conversation", "A", at(), None),
        (
            "conversation",
            "r",
            json!({ "N": "2" }),
            Some(EventType::ConversationChanged),
        ),
        ("operation", "attempts", json!({ "N": "7" }), None),
        ("operation", "progress", progress, Some(EventType::OperationProgress)),
        ("call", "noted_at", at(), None),
        ("contact", "i", json!({ "N": "1795168800000" }), None),
        ("contact", "m", json!({ "N": "1795168800000" }), None),
        (
            "contact",
            "D",
            json!({ "N": "1795168800000" }),
            Some(EventType::ContactChanged),
        ),
        ("contact", "E", json!({ "BOOL": true }), Some(EventType::ContactChanged)),
        ("order", "number", json!({ "S": "1042" }), None),
        (
            "order",
            "payment",
            json!({ "S": "refunded" }),
            Some(EventType::OrderChanged),
        ),
    ] {
        let row = sample(kind);
        let meaning = event_meaning(&item(&row), &item(&with(&row, field, value)));
        let meaning = meaning.expect("a sample can be read");
        assert_eq!(meaning.map(|(_, meaning)| meaning.kind), told, "{field} of a {kind}");
    }
}

/// Only the first of the same wishes is told.
#[test]
fn wish_that_is_repeated_has_no_event() {
    let row = sample("consent");
    let told = |row: &Value| {
        let meaning = event_meaning(&Item::default(), &item(row)).expect("a sample can be read");
        meaning.map(|(_, meaning)| meaning.kind)
    };
    assert_eq!(told(&row), Some(EventType::ConsentChanged));
    assert_eq!(told(&with(&row, "repeats", json!({ "BOOL": true }))), None);
}

/// The second sample is of a shop, and not of the API.
#[test]
fn order_is_told_with_its_number_and_states() {
    let told = |before: &Item, after: &Value| {
        let meaning = event_meaning(before, &item(after)).expect("a sample can be read");
        let (_, meaning) = meaning.expect("an event");
        serde_json::to_value(meaning.data).expect("JSON")
    };
    let of_shop = samples().into_iter().filter(|row| row["kind"]["S"] == "order").nth(1);
    for (row, number, payment, fulfilment) in [
        (sample("order"), "1042", "paid", "fulfilled"),
        (of_shop.expect("a sample"), "1043", "pending", "unfulfilled"),
    ] {
        let id = &row["data"]["M"]["id"]["S"];
        let mut facts = json!({
            "contact_id": "ctc_01m7wd7tg0v4mttcy5xxaezw6b", "created": true, "order_id": id,
            "number": number, "payment": payment, "fulfilment": fulfilment,
        });
        assert_eq!(told(&Item::default(), &row), facts);
        facts["payment"] = json!("refunded");
        facts.as_object_mut().expect("an object").remove("created");
        let after = with(&row, "payment", json!({ "S": "refunded" }));
        assert_eq!(told(&item(&row), &after), facts);
    }
}

/// Events that a version before this one wrote, or queued, have no facts.
#[test]
fn event_without_facts_is_read() {
    let data = json!({ "contact_id": "ctc_00000000000000000000000001" });
    let event = json!({
        "id": "evt_00000000000000000000000001", "type": "call.decided", "at": "2026-11-20T12:00:00Z",
        "conversation_id": null, "seq": null, "data": data,
    });
    let read: Event = serde_json::from_value(event.clone()).expect("an event");
    assert_eq!(serde_json::to_value(read).expect("JSON"), event);
}

/// A merge puts the row of an alias in the place of the contact's, and its undoing puts that back.
#[test]
fn a_merge_and_its_undoing_change_the_contact() {
    let (contact, mut alias) = (sample("contact"), sample("alias"));
    for key in ["pk", "sk"] {
        alias[key] = contact[key].clone();
    }
    for (before, after) in [(&contact, &alias), (&alias, &contact)] {
        let (before, after) = (item(before), item(after));
        let (_, meaning) = event_meaning(&before, &after)
            .expect("they can be read")
            .expect("an event");
        assert_eq!(meaning.kind, EventType::ContactChanged);
        assert!(meaning.data.contact_id.is_some());
        assert!(Filter::of("publish_events").admits(&record(0, before, after)));
    }
}

#[test]
fn devices_are_told_of_notices_that_are_due_now() {
    let at = "2026-11-20T12:00:05Z".parse().expect("a time");
    let told = |row: &Value| {
        assert!(Filter::of("publish_events").admits(&record(0, Item::default(), item(row))));
        let told = told_at_once(&Item::default(), &item(row), at).expect("it can be read");
        told.map(|told| told.about)
    };
    let keys: Vec<About> = samples()
        .iter()
        .filter(|row| row["kind"]["S"] == "notice")
        .filter_map(told)
        .collect();
    let template = "template_paused#conn_01m7wd7tg0b7z2y5t8q1w4e6ra#missed_call_followup#en_GB";
    let expected = ["customers_wait", template].map(|notice| About::Notice {
        notice: notice.to_owned(),
    });
    assert_eq!(keys, expected);
}

/// Each takes the first sample of a kind that the filter admits, and changes fields of its item.
#[test]
fn devices_are_told_once_of_calls_that_no_message_follows() {
    let noon = "2026-11-20T12:00:00Z".parse().expect("a time");
    let told = |before: Item, after: &Value| {
        let told = told_at_once(&before, &item(after), noon).expect("it can be read");
        told.map(|told| told.about)
    };
    let call = samples()
        .into_iter()
        .find(|row| row["kind"]["S"] == "call" && row["data"]["M"].get("m").is_some());
    let followed = call.expect("a call that a message follows");
    let mut left = followed.clone();
    let fields = left["data"]["M"].as_object_mut().expect("an object");
    fields.remove("m").expect("a message");
    assert_eq!(told(Item::default(), &followed), None);
    let about = told(Item::default(), &left).expect("nobody answered it");
    assert!(matches!(about, About::Call { .. }), "{about:?}");
    assert_eq!(told(item(&left), &left), None, "they were told");
    let unknown = with(&left, "o", json!({ "S": "unknown" }));
    assert_eq!(told(item(&unknown), &left), Some(about), "its outcome is known now");
    assert_eq!(told(Item::default(), &unknown), None);
    assert_eq!(
        told(Item::default(), &with(&left, "o", json!({ "S": "answered" }))),
        None
    );
    let business = with(&left, "f", json!({ "M": { "W": { "S": "outbound" } } }));
    assert_eq!(told(Item::default(), &business), None);
    assert!(Filter::of("publish_events").admits(&record(0, item(&unknown), item(&left))));
}
