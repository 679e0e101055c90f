//! The timeline of a contact, from the readers' point of view.

use domain::accounts::Role;
use domain::messages::{Message, SendOutcome};
use domain::people::{By, Choice, ConsentEntry, Scope, Wish};
use domain::tenants::Retention;
use domain::terms::{CancelEvent, ContactId, Refusal};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::table::effects::{Consent, Effects};
use testkit::api::Caller;
use testkit::business::{CUSTOMER, LINE, business, business_with, business_with_line};
use testkit::{Aws, Seeded, texts};

use super::notes::contact;
use super::town;

const DAY: i64 = 24 * 3600;
const KINDS: [&str; 4] = ["call", "message", "consent", "note"];

fn timeline_of(contact: ContactId) -> String {
    format!("/api/v1/contacts/{contact}/timeline")
}

/// Stores a customer's message, written now.
async fn wrote(aws: &Aws, business: &Seeded, contact: ContactId, text: &str, until: Option<Timestamp>) {
    let line = business.configured.lines.first().map(|line| line.id);
    let written = business.receive(aws, contact, |received| {
        received.line = line;
        received.message.text = Some(text.to_owned());
        received.keep_until = until;
    });
    written.await;
}

/// Adds an entry to the consent ledger, now.
async fn record_consent(aws: &Aws, business: &Seeded, contact: ContactId, choice: Choice) {
    let wish = Wish::new(choice, Scope::ALL, By::Keyword, "asked for it by SMS", aws.now());
    let effects = Effects {
        consent: vec![Consent {
            contact,
            id: aws.ids().ulid(),
            entry: ConsentEntry::of(&wish),
        }],
        ..Effects::default()
    };
    let stored = aws.store().commit(business.scope(), effects, aws.now()).await;
    stored.expect("the entry is stored");
}

async fn write_note(caller: &Caller<'_>, contact: ContactId, text: &str) -> String {
    let notes = format!("/api/v1/contacts/{contact}/notes");
    let made = caller.post(&notes, json!({"text": text})).await;
    made.is(201).header("location").to_owned()
}

/// Six days. On each of them everything happens, part of it in one millisecond.
async fn busy_contact(aws: &Aws, business: &Seeded, agent: &Caller<'_>) -> ContactId {
    let mut contact = None;
    for day in 0..6 {
        let message: Message = Box::pin(business.follow_up(aws, CUSTOMER)).await;
        let contact = *contact.get_or_insert(message.id.contact());
        for number in 0..day % 3 {
            wrote(aws, business, contact, &format!("{day} {number}"), None).await;
        }
        aws.pass(day % 2);
        record_consent(aws, business, contact, Choice::Granted).await;
        for number in 0..(day + 1) % 3 {
            write_note(agent, contact, &format!("{day} {number}")).await;
        }
        aws.pass(2 * DAY);
    }
    contact.expect("six days")
}

#[tokio::test]
async fn pages_have_every_entry_once_in_one_order() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let contact = busy_contact(&aws, &business, &agent).await;
    let whole = agent.all(&timeline_of(contact), 100).await;
    let count = |kind: &str| texts(&whole, "kind").iter().filter(|known| *known == kind).count();
    assert_eq!(KINDS.map(count), [6, 12, 6, 6]);
    let order = |item: &Value| {
        let kind = KINDS.iter().position(|kind| item["kind"] == *kind);
        let at: Timestamp = item["at"].as_str().and_then(|at| at.parse().ok()).expect("a time");
        (at, kind)
    };
    assert!(
        whole.iter().map(order).rev().is_sorted(),
        "newest first, a message after its call"
    );
    for limit in [1, 2, 3, 5, 7, 29, 30, 31] {
        // A caller may ask a hundred times a minute.
        aws.pass(60);
        assert_eq!(agent.all(&timeline_of(contact), limit).await, whole, "by {limit}");
    }
    for kind in KINDS {
        let expected: Vec<Value> = whole.iter().filter(|item| item["kind"] == kind).cloned().collect();
        aws.pass(60);
        for limit in [1, 4, 100] {
            let path = format!("{}?kind={kind}", timeline_of(contact));
            assert_eq!(agent.all(&path, limit).await, expected, "{kind} by {limit}");
        }
    }
}

/// With the line's name, the decision and its code, so that no other request is needed.
#[tokio::test]
async fn entries_stand_for_themselves() {
    let aws = Aws::new().await;
    let (town, (business, line)) = (town(&aws).await, business_with_line(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let (store, timers) = (aws.store(), aws.env().config().timers().unwrap());
    let mut message = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    let contact = message.id.contact();
    aws.pass(1);
    message.claim(0, "claim".to_owned(), aws.now(), &timers);
    let accepted = SendOutcome::Accepted {
        provider_ref: "wamid.1".parse().unwrap(),
        segments: None,
    };
    message.record(1, accepted, aws.now(), &timers);
    let why = Refusal::since(CancelEvent::Inbound, "no further channel: the customer has written");
    message.cancel(why.and("tried", true));
    store.write_message(business.scope(), &message).await.unwrap();
    wrote(&aws, &business, contact, "I am on my way", None).await;
    record_consent(&aws, &business, contact, Choice::Refused).await;
    write_note(&agent, contact, "Nice").await;

    let found = agent.all(&timeline_of(contact), 100).await;
    assert_eq!(texts(&found, "kind"), ["note", "consent", "message", "message", "call"]);
    let branch = json!({"id": line, "name": "Marina branch"});
    let [note, consent, theirs, ours, call] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(
        (&note["note"]["text"], &note["at"]),
        (&json!("Nice"), &json!("2026-11-20T12:00:01Z"))
    );
    let stopped = json!({"code": "stop", "source": "asked for it by SMS", "changed_at": "2026-11-20T12:00:01Z"});
    assert_eq!(consent["consent"], stopped);
    let theirs = &theirs["message"];
    let expected = json!({
        "direction": "inbound", "text": "I am on my way", "channel": "whatsapp", "line": branch,
        "state": null, "legs": [], "content": "text",
    });
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(theirs[field], *value, "{field}");
    }
    let ours = &ours["message"];
    assert_eq!(
        ours["customer"],
        json!({"number": CUSTOMER, "formatted": "+971 50 123 4567"})
    );
    assert_eq!(
        (&ours["direction"], &ours["state"], &ours["channel"], &ours["line"]),
        (&json!("outbound"), &json!("accepted"), &json!("whatsapp"), &branch)
    );
    assert_eq!(ours["decision"], "no further channel: the customer has written");
    assert_eq!(
        (&ours["code"], &ours["facts"]),
        (&json!("unnecessary"), &json!({"event": "inbound", "tried": true}))
    );
    let [whatsapp, sms] = &ours["legs"].as_array().unwrap()[..] else {
        panic!("{ours}");
    };
    assert_eq!((&whatsapp["state"], &sms["state"]), (&json!("accepted"), &json!(null)));
    assert_eq!(whatsapp["accepted_at"], "2026-11-20T12:00:01Z");
    assert_eq!(whatsapp["template"]["name"], "missed_call_followup");
    assert!(
        sms["text"].as_str().unwrap().starts_with("Sorry we missed you"),
        "{sms}"
    );
    let (call, at) = (&call["call"], &call["at"]);
    assert_eq!(call["customer"], ours["customer"]);
    assert_eq!(
        (&call["code"], &call["outcome"], at),
        (&json!("follow_up"), &json!("missed"), &json!("2026-11-20T12:00:00Z"))
    );
    assert!(
        call["decision"].as_str().unwrap().contains("rule \"Missed calls\""),
        "{call}"
    );
    let facts = json!({
        "rule": "Missed calls", "outcome": "missed", "called_number": LINE, "channel": "whatsapp", "next_channel": "sms",
        "fallback_after_seconds": 120,
    });
    assert_eq!(call["facts"], facts);
    assert_eq!((&call["line"], &call["message_id"]), (&branch, &ours["id"]));
}

#[tokio::test]
async fn expired_entries_are_left_out_and_hide_no_others() {
    let aws = Aws::new().await;
    let retention = Retention {
        calls_days: 30,
        messages_days: 365,
    };
    let business = business_with(&aws, |configured| configured.tenant.retention = Some(retention));
    let (town, business) = (town(&aws).await, Box::pin(business).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let message = Box::pin(business.follow_up(&aws, CUSTOMER)).await;
    let contact = message.id.contact();
    write_note(&agent, contact, "First").await;
    aws.pass(1);
    for number in 0..5 {
        let until = aws.now() + jiff::SignedDuration::from_hours(24 * 30);
        wrote(&aws, &business, contact, &number.to_string(), Some(until)).await;
        aws.pass(1);
    }
    write_note(&agent, contact, "Last").await;
    let shown = async |limit: usize| {
        let found = agent.all(&timeline_of(contact), limit).await;
        texts(&found, "kind").join(" ")
    };
    assert_eq!(
        shown(3).await,
        "note message message message message message note message call"
    );
    aws.pass(30 * DAY);
    for limit in [1, 2, 3, 100] {
        assert_eq!(shown(limit).await, "note note message", "by {limit}");
    }
}

#[tokio::test]
async fn deleted_notes_are_left_out_and_hide_no_others() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let contact = contact(&town, CUSTOMER).await;
    let agent = town.agent();
    let mut places = Vec::new();
    for number in 0..8 {
        places.push(write_note(&agent, contact, &number.to_string()).await);
        aws.pass(1);
    }
    let agent = town.agent();
    for gone in [7, 4, 3, 2] {
        agent.delete(&places[gone]).await.is(204);
    }
    for limit in [1, 2, 3, 4, 100] {
        let found = agent.all(&timeline_of(contact), limit).await;
        let texts: Vec<_> = found
            .iter()
            .map(|item| item["note"]["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts, ["6", "5", "1", "0"], "by {limit}");
    }
}

#[tokio::test]
async fn a_timeline_is_its_tenants_own() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let theirs = busy_contact(&aws, &business, &agent).await;
    let ours = contact(&town, CUSTOMER).await;
    write_note(&town.agent(), ours, "Ours").await;
    for (caller, contact) in [
        (town.admin(), theirs),
        (agent.clone(), ours),
        (town.admin(), ContactId::new(aws.ids().ulid())),
    ] {
        caller.get(&timeline_of(contact)).await.is_refused(404, "not_found");
    }
    let path = timeline_of(ours);
    town.anyone().get(&path).await.is_refused(401, "unauthorized");
    for role in Role::ALL {
        assert_eq!(town.role(role).get(&path).await.items().len(), 1, "{role}");
    }
    // A cursor is a time and nothing else.
    let page = agent.get(&format!("{}?limit=1", timeline_of(theirs))).await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    for item in town.admin().get(&format!("{path}?cursor={cursor}")).await.items() {
        assert_eq!(item["note"]["text"], "Ours");
    }
}

#[tokio::test]
async fn invalid_query_of_a_timeline_is_refused() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let path = timeline_of(contact(&town, CUSTOMER).await);
    let viewer = town.viewer();
    assert!(viewer.get(&path).await.items().is_empty());
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("kind=parcel", "kind"),
        ("kind=", "kind"),
        ("from=2026-11-20", "from"),
    ] {
        viewer.get(&format!("{path}?{query}")).await.names_only(&[field]);
    }
    // The last one is a user's id.
    for cursor in ["", "nonsense", "MXVzcl8wMWhxNWMxeW55YzAwMDAwMDAwMDAwMDBhYg"] {
        viewer.get(&format!("{path}?cursor={cursor}")).await.is(400);
    }
}
