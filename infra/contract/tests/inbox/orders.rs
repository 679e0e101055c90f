//! Providers deliver in any order, at once and several times: the inbox shows the same then.

use std::collections::BTreeMap;

use domain::accounts::Role;
use futures::{StreamExt as _, stream};
use jiff::SignedDuration;
use jobs::{EventSource, ProviderEvent};
use kit::Job;
use process_provider_event::{Context, handle};
use serde_json::Value;
use testkit::api::{Caller, Town};
use testkit::business::business;
use testkit::{Aws, Dice, Seeded, fixtures};

/// Number of orders that everything is delivered in.
const ORDERS: usize = 2;

/// Number of deliveries of everything.
const TIMES: usize = 3;

/// Ids of the API by their prefix, and links to files: they are others in each world.
const IDS: [&str; 6] = ["ctc_", "conv_", "msg_", "conn_", "con_", "line_"];

/// A message of each customer in the fixtures that tells all their identities. Whoever first writes by one of them and calls by the
/// other is two contacts until somebody merges them, and their first known name stays.
const KNOWN: [&str; 3] = ["text", "bsuid_with_phone_and_username", "text_emoji_rtl_long"];

fn whatsapp(aws: &Aws, business: &Seeded, name: &str) -> ProviderEvent {
    let change = &fixtures::json(name)["entry"][0]["changes"][0];
    business.whatsapp_event(aws, change["field"].as_str().expect("a field"), &change["value"])
}

/// Everything that customers do in the fixtures.
fn list_customer_events(aws: &Aws, business: &Seeded) -> Vec<ProviderEvent> {
    let whatsapp_names = fixtures::names("whatsapp/inbound").into_iter();
    // Whether somebody waits who was passed to us and taken back depends on what was known when.
    let whatsapp_names = whatsapp_names.filter(|name| !name.contains("/control_"));
    let mut events: Vec<_> = whatsapp_names.map(|name| whatsapp(aws, business, &name)).collect();
    let twilio = [fixtures::names("twilio/sms"), fixtures::names("twilio/whatsapp")].concat();
    let inbound = twilio.into_iter().filter(|name| name.contains("/inbound_"));
    events.extend(inbound.zip(1..).map(|(name, minute)| {
        // They share one id.
        let (id, form) = (format!("SM{minute:032}"), fixtures::text(&name));
        let form = form.replace("SM00000000000000000000000000000001", &id);
        let event = business.event(aws, business.twilio, EventSource::TwilioInbound, form);
        // Twilio names no time of its own.
        ProviderEvent {
            received_at: event.received_at - SignedDuration::from_mins(minute),
            ..event
        }
    }));
    events
}

/// A value without what differs from world to world.
fn mask_ids(value: &Value) -> Value {
    match value {
        Value::String(text) => match IDS.iter().find(|prefix| text.starts_with(**prefix)) {
            Some(prefix) => Value::from(*prefix),
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(mask_ids).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), mask_ids(value)))
            .collect(),
        other => other.clone(),
    }
}

/// The inbox as the API shows it: each conversation with its timeline, in an order of its own.
async fn inbox(caller: &Caller<'_>) -> Vec<(String, Vec<String>)> {
    let mut shown = Vec::new();
    for listed in caller.all("/api/v1/conversations?state=open", 100).await {
        let path = format!("/api/v1/conversations/{}", listed["id"].as_str().expect("an id"));
        let mut one = caller.get(&path).await.is(200).json();
        // Of several ids and languages, the person has those that came first.
        one.as_object_mut().expect("a conversation").remove("profile");
        let timeline = caller.all(&format!("{path}/timeline"), 50).await;
        let mut timeline: Vec<_> = timeline.iter().map(|entry| mask_ids(entry).to_string()).collect();
        timeline.sort();
        shown.push((mask_ids(&one).to_string(), timeline));
    }
    shown.sort();
    shown
}

#[tokio::test]
async fn inbox_is_the_same_for_every_order_and_repetition() {
    let mut seen: BTreeMap<usize, Vec<(String, Vec<String>)>> = BTreeMap::new();
    for order in 0..=testkit::size("RINGBACK_TEST_ORDERS", ORDERS) {
        let aws = Aws::new().await;
        let town = Town::new(&aws, conversations::routes).await;
        let business = business(&aws).await;
        let workers = [(); 2].map(|()| Context::new(aws.env()).expect("a context"));
        let work = |events: Vec<ProviderEvent>, at_once| {
            let works = events.into_iter().zip(workers.iter().cycle());
            let works = works.map(|(event, worker)| async move {
                // A lost race comes back from the queue.
                for turn in 1.. {
                    if Box::pin(handle(Job::new(event.clone(), turn), worker)).await.is_ok() {
                        break;
                    }
                    assert!(turn < 20, "an event is never worked");
                }
            });
            stream::iter(works).buffer_unordered(at_once).collect::<()>()
        };
        let known = KNOWN.map(|name| whatsapp(&aws, &business, &format!("whatsapp/inbound/{name}.json")));
        work(known.to_vec(), 1).await;
        if order == 0 {
            work(list_customer_events(&aws, &business), 1).await;
        } else {
            let mut dice = Dice::new(order as u64);
            let mut shuffled = Vec::new();
            for event in [(); TIMES].map(|()| list_customer_events(&aws, &business)).concat() {
                shuffled.insert(dice.below(shuffled.len() + 1), event);
            }
            work(shuffled, 4).await;
        }
        let viewer = town.key_of(business.scope(), Role::Viewer).await;
        seen.insert(order, inbox(&viewer).await);
    }
    let first = &seen[&0];
    let entries: usize = first.iter().map(|(_, timeline)| timeline.len()).sum();
    assert!(entries > 30, "{entries} entries in {} conversations", first.len());
    for (order, shown) in &seen {
        for ((one, entries), (other, others)) in first.iter().zip(shown) {
            assert_eq!(one, other, "order {order}");
            let differ = entries.iter().zip(others).find(|(one, other)| one != other);
            assert_eq!((differ, entries.len()), (None, others.len()), "order {order}");
        }
        assert_eq!(first.len(), shown.len(), "order {order}");
    }
}
