//! Live events, in process against the emulator, from the callers' point of view.

use std::collections::BTreeSet;

use domain::accounts::{Permission, Role};
use domain::live::{Attended, Event, EventData, EventType, Meaning, Socket, Told};
use domain::tenants::Limits;
use domain::terms::{ContactId, EventId, MessageId, TenantId};
use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::Aws;
use testkit::api::{Caller, Town};
use testkit::sockets::socket_id;

const EVENTS: &str = "/api/v1/live/events";
const TICKET: &str = "/api/v1/live/ticket";

/// A cursor to begin with.
async fn fetch_cursor(caller: &Caller<'_>) -> String {
    let answer = caller.get(EVENTS).await;
    let answer = answer.is(200).json();
    assert_eq!(answer["events"], json!([]));
    assert_eq!(answer["more"], false);
    text(&answer["cursor"])
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

async fn after(caller: &Caller<'_>, cursor: &str) -> Value {
    let answer = caller.get(&format!("{EVENTS}?after={cursor}")).await;
    answer.is(200).json()
}

fn ids(answer: &Value) -> Vec<String> {
    let events = answer["events"].as_array().expect("a list");
    events.iter().map(|event| text(&event["id"])).collect()
}

/// An event of a message that arrives now.
fn event(aws: &Aws) -> Event {
    let contact = ContactId::new(aws.ids().ulid());
    let data = EventData {
        contact_id: Some(contact),
        message_id: Some(MessageId::new(contact, aws.ids().ulid())),
        ..EventData::default()
    };
    let meaning = Meaning {
        kind: EventType::MessageReceived,
        conversation: None,
        seq: None,
        data,
        attended: Attended::default(),
        wrote: None,
    };
    Told::new(EventId::new(aws.ids().ulid()), aws.now(), meaning).event
}

/// Publishes this many events together.
async fn publish(aws: &Aws, tenant: TenantId, count: usize) -> Vec<String> {
    let events: Vec<Event> = (0..count).map(|_| event(aws)).collect();
    let published = aws.store().publish(&aws.scope(tenant), &events, aws.now()).await;
    published.expect("the table answers");
    events.iter().map(|event| event.id.to_string()).collect()
}

#[tokio::test]
async fn a_polling_client_gets_every_event() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, live::routes).await;
    let (agent, tenant) = (town.key(), town.home.tenant);
    let mut cursor = fetch_cursor(&agent).await;
    let (mut told, mut published) = (Vec::new(), Vec::new());
    for round in 0..12 {
        aws.pass(5);
        if round % 3 != 2 {
            published.extend(publish(&aws, tenant, 1 + round % 2).await);
        }
        let answer = after(&agent, &cursor).await;
        assert_eq!(answer["more"], false);
        told.extend(ids(&answer));
        cursor = text(&answer["cursor"]);
    }
    // Some come again: each answer begins half a minute before the last.
    assert!(told.len() > published.len());
    let mut known = BTreeSet::new();
    told.retain(|id| known.insert(id.clone()));
    assert_eq!(told, published);
}

/// As by a function that stood still between taking the time and writing.
#[tokio::test]
async fn event_that_is_seen_late_is_not_missed() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, live::routes).await;
    let (agent, tenant) = (town.key(), town.home.tenant);
    let cursor = fetch_cursor(&agent).await;
    let (late, at) = (event(&aws), aws.now());
    aws.pass(10);
    let published = publish(&aws, tenant, 1).await;
    let answer = after(&agent, &cursor).await;
    assert_eq!(ids(&answer), published);
    let (store, scope) = (aws.store(), aws.scope(tenant));
    let told = store.publish(&scope, std::slice::from_ref(&late), at).await;
    told.unwrap();
    aws.pass(5);
    let answer = after(&agent, &text(&answer["cursor"])).await;
    assert_eq!(ids(&answer), [vec![late.id.to_string()], published].concat());
}

#[tokio::test]
async fn many_events_come_page_by_page() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, live::routes).await;
    let (agent, tenant) = (town.key(), town.home.tenant);
    let mut cursor = fetch_cursor(&agent).await;
    let mut published = Vec::new();
    // Over the end of an hour, of which each has its own partition.
    aws.pass(3600 - 30);
    for _ in 0..9 {
        aws.pass(7);
        published.extend(publish(&aws, tenant, 60).await);
    }
    let (mut told, mut pages) = (Vec::new(), 0);
    loop {
        let answer = after(&agent, &cursor).await;
        let page = ids(&answer);
        assert!(page.len() <= 200);
        told.extend(page);
        pages += 1;
        cursor = text(&answer["cursor"]);
        if answer["more"] == false {
            break;
        }
        // Full pages are continued exactly.
        assert_eq!(told, published[..told.len()]);
    }
    assert_eq!(told, published);
    assert_eq!(pages, 3);
    // Then the last half minute again.
    aws.pass(1);
    let again = ids(&after(&agent, &cursor).await);
    assert_eq!(again, published[240..][..180]);
}

/// Continues after a restart: from the cursor of the last event that is known.
#[tokio::test]
async fn a_client_goes_on_from_an_event() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, live::routes).await;
    let (agent, tenant) = (town.key(), town.home.tenant);
    let cursor = fetch_cursor(&agent).await;
    let mut published = Vec::new();
    for _ in 0..5 {
        published.extend(publish(&aws, tenant, 60).await);
        aws.pass(2);
    }
    let answer = after(&agent, &cursor).await;
    let known = ids(&answer);
    assert_eq!(known, published[..180]);
    let on = after(&agent, &text(&answer["events"][179]["cursor"])).await;
    assert_eq!(ids(&on), published[180..]);
    // What was published a moment before it, and seen late, comes with the next answer.
    let again = after(&agent, &text(&on["cursor"])).await;
    assert_eq!(ids(&again), published[..180]);
}

#[tokio::test]
async fn those_who_begin_at_once_both_go_on() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, live::routes).await;
    let later = aws.now() + SignedDuration::from_millis(5);
    aws.store().follow(town.home.scope(), later).await.unwrap();
    let agent = town.agent();
    let cursor = fetch_cursor(&agent).await;
    after(&agent, &cursor).await;
}

#[tokio::test]
async fn cursor_is_good_for_two_hours() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, live::routes).await;
    let agent = town.key();
    let gone = async |cursor: &str| {
        let answer = town.key().get(&format!("{EVENTS}?after={cursor}")).await;
        answer.is_refused(410, "cursor_expired");
    };
    let first = fetch_cursor(&agent).await;
    aws.pass(136 * 60);
    // Nobody asked for so long: nothing was kept.
    gone(&first).await;
    let second = fetch_cursor(&agent).await;
    aws.pass(3600);
    after(&agent, &second).await;
    aws.pass(3600);
    after(&agent, &second).await;
    aws.pass(1);
    gone(&second).await;
    // Whoever asked is good for two hours from then on, also if it was not noted.
    let third = fetch_cursor(&agent).await;
    aws.pass(14 * 60);
    let last = text(&after(&agent, &third).await["cursor"]);
    aws.pass(2 * 3600);
    after(&agent, &last).await;
}

#[tokio::test]
async fn only_events_that_the_caller_may_read_are_told() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, live::routes).await;
    let (agent, tenant) = (town.key(), town.home.tenant);
    let cursor = fetch_cursor(&agent).await;
    let published = publish(&aws, tenant, 2).await;
    aws.pass(1);
    assert_eq!(ids(&after(&agent, &cursor).await), published);
    let foreign = town.foreign_admin();
    let theirs = after(&foreign, &fetch_cursor(&foreign).await).await;
    assert_eq!(ids(&theirs), Vec::<String>::new());
    for (scopes, told) in [
        (vec![Permission::LiveRead, Permission::MessagesRead], published.clone()),
        (vec![Permission::LiveRead, Permission::CallsRead], vec![]),
    ] {
        let key = town.scoped_key_of(town.home.scope(), Role::Viewer, &scopes).await;
        assert_eq!(ids(&after(&key, &cursor).await), told, "{scopes:?}");
    }
    let scopes = [Permission::MessagesRead];
    let key = town.scoped_key_of(town.home.scope(), Role::Admin, &scopes).await;
    key.get(EVENTS).await.is_refused(403, "forbidden");
}

#[tokio::test]
async fn a_cursor_of_something_else_is_refused() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, live::routes).await;
    let agent = town.agent();
    // A place in the year 9999 is none.
    let cursor = fetch_cursor(&agent).await;
    let first = EventId::new(aws.ids().ulid());
    let far = format!("{cursor}.253402207100000.{first}");
    assert_eq!(after(&agent, &far).await["events"], json!([]));
    for wrong in ["", "now", "1795168800000.5", "1795168800000.1795168800000.msg_1"] {
        let answer = agent.get(&format!("{EVENTS}?after={wrong}")).await;
        answer.is(422).names_field("after");
    }
}

#[tokio::test]
async fn a_ticket_is_for_whoever_may_follow() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, live::routes).await;
    let ticket = town.viewer().post(TICKET, json!({})).await;
    let ticket = ticket.is(200).json();
    assert_eq!(ticket["url"], "wss://live.example.com/live");
    after(&town.viewer(), &text(&ticket["cursor"])).await;
    let token = text(&ticket["ticket"]);
    let found = access::socket::Ticketed::admit(&aws.store(), &token, aws.now()).await;
    let found = found.expect("the table answers").expect("a ticket");
    assert_eq!(found.ticket.tenant, town.home.tenant);
    let viewer = town.home.person(Role::Viewer).user;
    assert_eq!(found.ticket.who.to_string(), viewer.to_string());
    aws.pass(60);
    let late = access::socket::Ticketed::admit(&aws.store(), &token, aws.now()).await;
    assert!(late.expect("the table answers").is_none(), "good for a minute");
    let key = town.scoped_key_of(town.home.scope(), Role::Admin, &[Permission::MessagesRead]);
    key.await.post(TICKET, json!({})).await.is_refused(403, "forbidden");
}

/// The answer shows a secret, so it is not kept for those who ask again.
#[tokio::test]
async fn ticket_is_shown_once() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, live::routes).await;
    let agent = town.agent();
    let first = agent.post_once(TICKET, "a", json!({})).await;
    let token = text(&first.is(200).json()["ticket"]);
    let again = agent.post_once(TICKET, "a", json!({})).await;
    assert!(!again.json().to_string().contains(&token));
}

#[tokio::test]
async fn sockets_of_a_caller_and_of_a_plan_are_limited() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, live::routes).await;
    let (store, scope) = (aws.store(), town.home.scope().clone());
    let open = async |id: &str, role: Role| {
        let caller = town.role(role);
        let ticket = caller.post(TICKET, json!({})).await;
        let token = text(&ticket.is(200).json()["ticket"]);
        let admitted = access::socket::Ticketed::admit(&store, &token, aws.now()).await;
        let admitted = admitted.expect("the table answers").expect("a ticket");
        let ticket = admitted.ticket;
        let socket = Socket::new_at(socket_id(id), ticket.who, ticket.credential, aws.now());
        let opened = store.open_socket(&scope, &admitted.sha256, &socket, None).await;
        assert!(opened.expect("the table answers"));
    };
    for number in 0..10 {
        open(&format!("own{number}"), Role::Agent).await;
    }
    let refused = town.agent().post(TICKET, json!({})).await;
    let detail = refused.is_refused(409, "limit_reached").detail();
    assert!(detail.contains("You have 10 sockets"), "{detail}");
    // Two hours later API Gateway has closed them.
    open("other", Role::Manager).await;
    aws.pass(2 * 3600);
    open("later", Role::Agent).await;
    let plan = Limits {
        sockets: Some(1),
        ..Limits::default()
    };
    aws.limit(&scope, plan).await;
    let refused = town.manager().post(TICKET, json!({})).await;
    refused.is_refused(409, "limit_reached");
}
