//! Large changes of Meta's are cut, and the pieces give the same result as the whole.

use std::collections::BTreeSet;

use domain::messages::Update;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use providers::whatsapp::webhook::{Change, Unreadable, split, updates};
use serde_json::{Value, json};

const WABA: &str = "900000000000001";

fn change(field: &str, value: &Value) -> Value {
    json!({ "field": field, "value": value })
}

fn post(changes: &[Value]) -> String {
    json!({ "object": "whatsapp_business_account", "entry": [{ "id": WABA, "changes": changes }] }).to_string()
}

/// A change that was never cut.
fn whole_change(field: &str, raw: String) -> Change {
    Change {
        waba_id: WABA.to_owned(),
        phone_number_id: Some("1".to_owned()),
        field: field.to_owned(),
        time: None,
        received_at: None,
        place: 0,
        raw,
    }
}

fn read(changes: &[Change]) -> Vec<Update> {
    changes.iter().flat_map(updates).collect()
}

/// Size of a piece in a queue: a JSON string within a JSON string.
fn queued_size(change: &Change) -> usize {
    let text = serde_json::to_string(change).unwrap();
    serde_json::to_string(&text).unwrap().len()
}

fn items(change: &Change) -> usize {
    let raw: Value = serde_json::from_str(&change.raw).unwrap();
    let lists = [
        "messages",
        "standby",
        "message_echoes",
        "statuses",
        "calls",
        "user_preferences",
        "errors",
        "user_actions",
    ];
    let (value, copied) = (&raw["value"], &raw["value"]["standby"]);
    let one_of = |name: &str| copied.get(name).unwrap_or(&value[name]);
    let count = |name: &str| one_of(name).as_array().map_or(0, Vec::len);
    lists.into_iter().map(count).sum()
}

/// Few values, so that they coincide: numbers, ids, and others.
fn name() -> impl Strategy<Value = Value> {
    let known = [
        "447700900101",
        "447700900102",
        "GB.1001",
        "GB.1002",
        "GB.\u{e9}",
        "",
        "+447700900101",
    ];
    prop_oneof![8 => select(known.to_vec()).prop_map(Value::from), 1 => Just(json!(7)), 1 => Just(json!(null))]
}

/// An object with some of these members.
fn partial_object(members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let one = |(member, value): (&'static str, BoxedStrategy<Value>)| {
        prop::option::weighted(0.6, value).prop_map(move |value| value.map(|value| (member.to_owned(), value)))
    };
    let members: Vec<_> = members.into_iter().map(one).collect();
    members
        .prop_map(|members| members.into_iter().flatten().collect::<serde_json::Map<_, _>>().into())
        .boxed()
}

fn word(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(words).prop_map(Value::from).boxed()
}

fn names() -> BoxedStrategy<Value> {
    name().boxed()
}

fn contact() -> BoxedStrategy<Value> {
    let profile = "[a-z\"\\\\\u{e9}]{0,6}"
        .prop_map(|name| json!({ "name": name }))
        .boxed();
    partial_object(vec![("wa_id", names()), ("user_id", names()), ("profile", profile)])
}

/// Items of all lists, in any list.
fn item() -> BoxedStrategy<Value> {
    let id = || "wamid\\.[a-z]{1,3}".prop_map(Value::from).boxed();
    let text = "[a-z\"\\\\\n\u{e9}]{0,9}"
        .prop_map(|body| json!({ "body": body }))
        .boxed();
    let time = || word(&["1793347200", "soon", "1793347201"]);
    let message = partial_object(vec![
        ("id", id()),
        ("type", word(&["text", "system", "reaction", "new"])),
        ("from", names()),
        ("from_user_id", names()),
        ("text", text),
        ("timestamp", time()),
        ("group_id", names()),
    ]);
    let status = partial_object(vec![
        ("id", id()),
        ("status", word(&["sent", "read", "failed", "new"])),
        ("recipient_id", names()),
        ("recipient_user_id", names()),
        ("recipient_type", word(&["group", "individual"])),
        ("timestamp", time()),
    ]);
    let call = partial_object(vec![
        ("id", id()),
        ("direction", word(&["USER_INITIATED"])),
        ("from", names()),
        ("from_user_id", names()),
    ]);
    let preference = partial_object(vec![
        ("category", word(&["marketing_messages"])),
        ("value", word(&["stop", "resume"])),
        ("wa_id", names()),
        ("user_id", names()),
    ]);
    let error = partial_object(vec![("code", Just(json!(131031)).boxed())]);
    let odd = prop_oneof![Just(json!(null)), Just(json!(1)), Just(json!("x")), Just(json!([]))].boxed();
    prop_oneof![4 => message, 4 => status, 2 => call, 2 => preference, 1 => error, 1 => odd].boxed()
}

/// A list of items, few or many, or something else.
fn items_of() -> BoxedStrategy<Value> {
    prop_oneof![
        6 => vec(item(), 0..4).prop_map(Value::from),
        4 => vec(item(), 40..130).prop_map(Value::from),
        1 => Just(json!("none")),
        1 => Just(json!(null)),
    ]
    .boxed()
}

fn value() -> BoxedStrategy<Value> {
    let contacts = prop_oneof![
        vec(contact(), 0..2).prop_map(Value::from),
        vec(contact(), 2..9).prop_map(Value::from),
        Just(json!("none")),
    ];
    partial_object(vec![
        ("messaging_product", Just(json!("whatsapp")).boxed()),
        ("metadata", Just(json!({ "phone_number_id": "1" })).boxed()),
        ("contacts", contacts.boxed()),
        ("messages", items_of()),
        ("standby", prop_oneof![items_of(), copied_lists()].boxed()),
        ("message_echoes", items_of()),
        ("statuses", items_of()),
        ("calls", items_of()),
        ("user_preferences", items_of()),
        ("errors", items_of()),
        ("user_actions", items_of()),
    ])
}

/// The lists of a copy, within another member.
fn copied_lists() -> BoxedStrategy<Value> {
    partial_object(vec![
        ("messages", items_of()),
        ("message_echoes", items_of()),
        ("statuses", items_of()),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn pieces_give_the_same_result_as_the_whole(
        field in select(vec!["messages", "calls", "user_preferences", "standby", "smb_message_echoes", "account_update"]),
        value in value(),
    ) {
        let raw = change(field, &value);
        let changes = split(post(std::slice::from_ref(&raw)).as_bytes()).unwrap();
        let whole = whole_change(field, raw.to_string());
        prop_assert_eq!(read(&changes), updates(&whole));
        if field == "account_update" || items(&whole) <= 50 {
            prop_assert_eq!(changes.len(), 1);
            prop_assert_eq!(&changes[0].raw, &whole.raw, "byte for byte");
        } else {
            prop_assert!(changes.iter().all(|change| (1..=50).contains(&items(change))));
            prop_assert!(changes.len() <= items(&whole).div_ceil(50));
            for change in &changes {
                let piece: Value = serde_json::from_str(&change.raw).unwrap();
                prop_assert_eq!(&piece["field"], field);
                prop_assert_eq!(&piece["value"]["metadata"], &raw["value"]["metadata"]);
            }
        }
    }
}

/// Of duplicate members the last counts, in a piece as in the whole.
#[test]
fn duplicate_members_are_read_alike() {
    let list = |from: usize| Value::from((from..from + 60).map(status).collect::<Vec<_>>()).to_string();
    let twice = r#""recipient_id":"447700000001","recipient_id":"447700000002""#;
    let raw = format!(
        r#"{{"field":"messages","value":{{"statuses":{},"contacts":[],"contacts":[{},{{"wa_id":"1","wa_id":"447700000002","user_id":"GB.9"}}],"st\u0061tuses":{}}}}}"#,
        list(0),
        contact_of(1),
        list(100).replacen(r#""recipient_id":"447700000101""#, twice, 1),
    );
    assert!(raw.contains(twice));
    let body = format!(r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1","changes":[{raw}]}}]}}"#);
    let changes = split(body.as_bytes()).unwrap();
    let read_whole = updates(&whole_change("messages", raw));
    assert_eq!((changes.len(), read(&changes)), (2, read_whole));
}

fn status(number: usize) -> Value {
    json!({
        "id": format!("wamid.{number:040}"), "status": "delivered", "timestamp": "1793347200",
        "recipient_id": format!("4477{number:08}"), "recipient_user_id": format!("GB.{number}"),
        "pricing": { "billable": true, "pricing_model": "PMP", "category": "utility", "type": "regular" },
    })
}

fn contact_of(number: usize) -> Value {
    json!({ "wa_id": format!("4477{number:08}"), "user_id": format!("GB.{number}"), "profile": { "name": "Maya" } })
}

/// As many as fit in a post of Meta's, each of a different customer.
#[test]
fn thousands_of_statuses_become_pieces_that_fit_a_queue() {
    let count = 7_000;
    let value = json!({
        "metadata": { "phone_number_id": "1" },
        "contacts": (0..count).map(contact_of).collect::<Vec<_>>(),
        "statuses": (0..count).map(status).collect::<Vec<_>>(),
    });
    let post = post(&[change("messages", &value)]);
    assert!((2_000_000..3_145_728).contains(&post.len()), "{}", post.len());
    let changes = split(post.as_bytes()).unwrap();
    assert_eq!(changes.len(), count / 50);
    assert!(changes.is_sorted_by(|one, next| one.place + 50 <= next.place));
    let mut bytes = 0;
    for (number, change) in changes.iter().enumerate() {
        assert!(queued_size(change) < 200 * 1024, "{}", queued_size(change));
        bytes += change.raw.len();
        let piece: Value = serde_json::from_str(&change.raw).unwrap();
        let contacts = piece["value"]["contacts"].as_array().unwrap();
        assert_eq!(contacts.len(), 50, "those of its items alone");
        assert_eq!(contacts[0], contact_of(number * 50));
    }
    assert!(bytes < post.len() + changes.len() * 200, "{bytes}");
    let ids: BTreeSet<_> = read(&changes)
        .into_iter()
        .map(|update| match update {
            Update::Status(status) => (status.report.provider_ref, status.recipient.name),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids.len(), count);
    assert!(ids.iter().all(|(_, name)| name.as_deref() == Some("Maya")));
}

/// A piece is also cut by its bytes in a queue.
#[test]
fn long_messages_become_pieces_that_fit_a_queue() {
    let message = |number: usize| {
        json!({ "id": format!("wamid.{number}"), "type": "text", "from": "447700900101", "timestamp": "1793347200",
                "text": { "body": "\"\u{e9}\\".repeat(4_000) } })
    };
    let value = json!({ "messages": (0..30).map(message).collect::<Vec<_>>() });
    let raw = change("messages", &value);
    let changes = split(post(std::slice::from_ref(&raw)).as_bytes()).unwrap();
    assert!(changes.len() > 1 && changes.iter().all(|change| queued_size(change) < 200 * 1024));
    assert_eq!(read(&changes), updates(&whole_change("messages", raw.to_string())));
    // A single larger item stays whole.
    let value = json!({ "messages": [{ "id": "wamid.1", "type": "text", "text": { "body": "x".repeat(300_000) } }, message(1)] });
    let changes = split(post(&[change("messages", &value)]).as_bytes()).unwrap();
    assert_eq!(changes.iter().map(items).collect::<Vec<_>>(), [1, 1]);
    assert!(queued_size(&changes[0]) > 200 * 1024);
}

/// A post that cutting would enlarge too much cannot be Meta's.
#[test]
fn post_with_too_many_pieces_is_refused_whole() {
    let everybodys = json!({ "wa_id": "447700900101", "profile": { "name": "x".repeat(1_000_000) } });
    let statuses: Vec<_> = (0..2_000).map(status).collect();
    let value = json!({ "contacts": [everybodys], "statuses": statuses });
    let refused = split(post(&[change("messages", &value)]).as_bytes());
    assert_eq!(refused, Err(Unreadable::TooMuch));
    let value = json!({ "statuses": vec![0; 1_400_000] });
    assert_eq!(
        split(post(&[change("messages", &value)]).as_bytes()),
        Err(Unreadable::TooMuch)
    );
    assert_eq!(
        split(post(&vec![json!(0); 1_400_000]).as_bytes()),
        Err(Unreadable::TooMuch)
    );
    // Large additional members of a value are sent only once.
    let value = json!({ "rest": "x".repeat(1_000_000), "statuses": (0..200).map(status).collect::<Vec<_>>() });
    let changes = split(post(&[change("messages", &value)]).as_bytes()).unwrap();
    let rest = changes.iter().filter(|change| change.raw.len() > 1_000_000).count();
    assert_eq!((rest, items(&changes[0])), (1, 1));
    assert_eq!(changes.iter().map(items).sum::<usize>(), 200);
}

/// A change whose owner cannot be parsed must not count as an event of the whole account.
#[test]
fn change_with_an_invalid_number_has_no_owner() {
    for metadata in [
        r#"{"phone_number_id":"1"},"metadata":{}"#.to_owned(),
        format!(r#"{{"phone_number_id":"{}"}}"#, "1".repeat(2_000)),
        format!(r#"{{"phone_number_id":"{}"}}"#, "1".repeat(65)),
        r#"{"phone_number_id":"1#2"}"#.to_owned(),
        r#"{"phone_number_id":""}"#.to_owned(),
        r#"{"phone_number_id":["1"]}"#.to_owned(),
        r#"{"phone_number_id":-1}"#.to_owned(),
    ] {
        let body = format!(
            r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1","changes":[{{"field":"messages","value":{{"metadata":{metadata}}}}}]}}]}}"#
        );
        let changes = split(body.as_bytes()).unwrap();
        let read = (changes[0].field.as_str(), &changes[0].phone_number_id);
        assert_eq!(read, ("unreadable", &None), "{metadata:.60}");
    }
}

/// Accounts and numbers become part of table keys.
#[test]
fn change_with_an_invalid_account_has_no_owner() {
    let of = |id: Value| {
        let post = json!({ "object": "whatsapp_business_account",
                           "entry": [{ "id": id, "changes": [{ "field": "messages", "value": {} }] }] });
        split(post.to_string().as_bytes()).unwrap()[0].waba_id.clone()
    };
    let longest = "1".repeat(64);
    assert_eq!(of(json!(longest)), longest);
    assert_eq!(of(json!(17)), "17");
    for wrong in [json!("1".repeat(65)), json!("1#2"), json!(""), json!(1.5), json!(["1"])] {
        assert_eq!(of(wrong.clone()), "", "{wrong}");
    }
}
