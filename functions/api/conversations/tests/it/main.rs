//! Conversations, in process against the emulator, from the team's point of view.

mod callbacks;
mod drafts;
mod teams;

use domain::accounts::Role;
use domain::people::Contact;
use domain::tenants::Line;
use domain::terms::{ContactId, ConversationId, LineId, OperationId};
use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::api::{Caller, Town};
use testkit::business::{CUSTOMER, LINE, business, business_with_line, mobile};
use testkit::{Aws, assert_snapshot};

const CONVERSATIONS: &str = "/api/v1/conversations";

async fn town(aws: &Aws) -> Town<'_> {
    Town::new(aws, conversations::routes).await
}

async fn list_conversation_ids(caller: &Caller<'_>, query: &str) -> Vec<String> {
    let all = caller.all(&format!("{CONVERSATIONS}{query}"), 2).await;
    all.iter()
        .map(|item| item["id"].as_str().expect("an id is text").to_owned())
        .collect()
}

fn ids(all: &[ConversationId]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn inbox_lists_by_state_turn_and_person() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let mut all = Vec::new();
    for last in 1..=5 {
        let contact = business.contact_with(&aws, &mobile(last), |_| {}).await;
        all.push((business.receive_noted(&aws, contact.id, None).await, contact));
        aws.pass(60);
    }
    let id = |place: usize| all[place].0;
    let places = |wanted: &[usize]| -> Vec<String> { wanted.iter().map(|place| id(*place).to_string()).collect() };
    // The first one writes again: it is the latest, and has waited for longest.
    business.receive_noted(&aws, all[0].1.id, None).await;
    assert_eq!(
        list_conversation_ids(&agent, "?state=open").await,
        places(&[0, 4, 3, 2, 1])
    );
    assert_eq!(
        list_conversation_ids(&agent, "?waiting=true").await,
        places(&[0, 1, 2, 3, 4])
    );
    let change = async |place: usize, changes: Value| {
        let path = format!("{CONVERSATIONS}/{}", id(place));
        agent.patch(&path, changes).await.is(200).json()
    };
    let closed = change(1, json!({"state": "closed"})).await;
    assert_eq!(
        json!([closed["state"], closed["waiting_since"]]),
        json!(["closed", null])
    );
    let until = aws.now() + SignedDuration::from_hours(4);
    let snooze = json!({"state": "snoozed", "snoozed_until": until, "priority": "high"});
    let snoozed = change(2, snooze).await;
    assert_eq!(snoozed["snoozed_until"], json!(until));
    assert_eq!(list_conversation_ids(&agent, "").await, places(&[0, 4, 3]));
    assert_eq!(list_conversation_ids(&agent, "?state=closed").await, places(&[1]));
    assert_eq!(list_conversation_ids(&agent, "?state=snoozed").await, places(&[2]));
    assert_eq!(list_conversation_ids(&agent, "?waiting=true").await, places(&[0, 3, 4]));
    let counts = agent.get(&format!("{CONVERSATIONS}/counts")).await;
    assert_eq!(
        counts.is(200).json(),
        json!({"open": 3, "unassigned_waiting": 3, "mine_waiting": null})
    );
    // It is opened again without a word about its time.
    let opened = change(2, json!({"state": "pending"})).await;
    assert_eq!(
        json!([opened["state"], opened["snoozed_until"]]),
        json!(["pending", null])
    );
    assert_eq!(
        list_conversation_ids(&agent, "?waiting=true").await,
        places(&[0, 2, 3, 4])
    );
    assert_eq!(
        list_conversation_ids(&agent, "?waiting=true&state=pending").await,
        places(&[2])
    );
    assert_eq!(list_conversation_ids(&agent, "?waiting=false").await, places(&[]));
    // Those of nobody that are answered, by state.
    change(1, json!({"state": "open"})).await;
    assert_eq!(list_conversation_ids(&agent, "?waiting=false").await, places(&[1]));
    change(1, json!({"state": "pending"})).await;
    assert_eq!(list_conversation_ids(&agent, "?waiting=false").await, places(&[]));
    assert_eq!(
        list_conversation_ids(&agent, "?waiting=false&state=pending").await,
        places(&[1])
    );
    change(1, json!({"state": "closed"})).await;
    aws.delete_contact(business.scope(), all[3].1.id, true).await;
    assert_eq!(list_conversation_ids(&agent, "").await, places(&[0, 4]));
    let deleted = agent.get(&format!("{CONVERSATIONS}/{}", id(3))).await;
    deleted.is_refused(404, "not_found");
    let other = town.admin().get(&format!("{CONVERSATIONS}/{}", id(0))).await;
    other.is_refused(404, "not_found");
}

#[tokio::test]
async fn reading_is_for_the_team_and_goes_on_only() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let [agent, viewer] = [Role::Agent, Role::Viewer].map(|role| town.key_of(business.scope(), role));
    let (agent, viewer) = (agent.await, viewer.await);
    let contact = business.contact_with(&aws, &mobile(1), |_| {}).await;
    let id = business.receive_noted(&aws, contact.id, None).await;
    business.receive_noted(&aws, contact.id, None).await;
    let path = format!("{CONVERSATIONS}/{id}");
    let read = format!("{path}/read");
    let unread = async || {
        let shown = viewer.get(&path).await.is(200).json();
        (shown["read_seq"].clone(), shown["unread"].clone())
    };
    assert_eq!(unread().await, (json!(0), json!(2)));
    viewer.put(&read, json!({"seq": 2})).await.is_refused(403, "forbidden");
    agent.put(&read, json!({"seq": 1})).await.is(200);
    assert_eq!(unread().await, (json!(1), json!(1)));
    // A number from the future is the latest one.
    agent.put(&read, json!({"seq": 99})).await.is(200);
    assert_eq!(unread().await, (json!(2), json!(0)));
    agent.put(&read, json!({"seq": 1})).await.is(200);
    assert_eq!(unread().await, (json!(2), json!(0)));
    assert_eq!(list_conversation_ids(&agent, "?unread=true").await, ids(&[]));
    business.receive_noted(&aws, contact.id, None).await;
    assert_eq!(unread().await, (json!(2), json!(1)));
    assert_eq!(list_conversation_ids(&agent, "?unread=true").await, ids(&[id]));
    agent.put(&read, json!({"seq": -1})).await.names_only(&["seq"]);
}

/// An `ETag` from a list is enough to change the conversation, but not once a message has arrived since.
#[tokio::test]
async fn listed_etag_closes_nothing_unseen() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let contact = business.contact_with(&aws, &mobile(1), |_| {}).await;
    let id = business.receive_noted(&aws, contact.id, None).await;
    let listed = async || {
        let all = agent.all(CONVERSATIONS, 1).await;
        all[0]["etag"].as_str().unwrap().trim_matches('"').parse().unwrap()
    };
    let path = format!("{CONVERSATIONS}/{id}");
    let close = async |etag: u64| agent.patch(&path, json!({"state": "closed"})).if_match(etag).await;
    let seen = listed().await;
    business.receive_noted(&aws, contact.id, None).await;
    close(seen).await.is_refused(412, "stale");
    close(listed().await).await.is(200);
}

#[tokio::test]
async fn window_is_that_of_the_line() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let [own, other] = ["+447700900999", "+447700900111"].map(|number| number.parse().unwrap());
    let (now, before) = (aws.now(), aws.now() - SignedDuration::from_hours(1));
    let known = |contact: &mut Contact| {
        contact.open_window(&own, &contact.recipient(), before);
        contact.open_window(&other, &contact.recipient(), now);
    };
    let contact = business.contact_with(&aws, CUSTOMER, known).await;
    let closes_at = async |line: Option<LineId>| {
        let id = business.receive_noted(&aws, contact.id, line).await;
        let shown = viewer.get(&format!("{CONVERSATIONS}/{id}")).await.is(200).json();
        let listed = viewer.get(CONVERSATIONS).await;
        let in_list = listed.items().into_iter().find(|one| one["id"] == json!(id)).unwrap();
        assert_eq!(in_list["window_closes_at"], shown["window_closes_at"]);
        shown["window_closes_at"].clone()
    };
    let of_business = json!(before + SignedDuration::from_hours(24));
    let line = aws
        .create_owned::<Line>(business.scope(), json!({"name": "Marina", "number": LINE}))
        .await;
    assert_eq!(closes_at(Some(line.id)).await, of_business);
    // The number written to last is no connection's any more, so they are answered from the usual one.
    assert_eq!(closes_at(None).await, of_business);
    let deleted = LineId::new(aws.ids().ulid());
    assert_eq!(closes_at(Some(deleted)).await, Value::Null);
}

#[tokio::test]
async fn change_names_what_is_wrong_with_it() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let contact = business.contact_with(&aws, &mobile(1), |_| {}).await;
    let id = business.receive_noted(&aws, contact.id, None).await;
    let path = format!("{CONVERSATIONS}/{id}");
    let hours = |hours: i64| aws.now() + SignedDuration::from_hours(hours);
    for (changes, field) in [
        (json!({"state": "snoozed"}), "snoozed_until"),
        (json!({"state": "snoozed", "snoozed_until": hours(-1)}), "snoozed_until"),
        (
            json!({"state": "snoozed", "snoozed_until": hours(91 * 24)}),
            "snoozed_until",
        ),
        (json!({"snoozed_until": hours(1)}), "snoozed_until"),
        (json!({"tags": ["tag_01hq5c1ynyc0000000000000ab"]}), "tags"),
        (json!({"assignee_id": "usr_01hq5c1ynyc0000000000000ab"}), "assignee_id"),
        (json!({"team_id": "team_01hq5c1ynyc0000000000000ab"}), "team_id"),
        (json!({"state": "lost"}), "state"),
    ] {
        agent.patch(&path, changes).await.names_only(&[field]);
    }
    let before = agent.get(&path).await;
    assert_eq!(before.is(200).json()["state"], "open");
    let closing = json!({"state": "closed"});
    agent.patch(&path, closing.clone()).if_match(1).await.is(200);
    agent.patch(&path, closing).if_match(1).await.is_refused(412, "stale");
    let excluding = agent.get(&format!("{CONVERSATIONS}?waiting=true&state=closed"));
    excluding.await.names_only(&["waiting"]);
    agent
        .get(&format!("{CONVERSATIONS}?assignee=me"))
        .await
        .names_only(&["assignee"]);
}

#[tokio::test]
async fn administrators_begin_those_of_the_past() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let path = format!("{CONVERSATIONS}/backfill");
    let (agent, admin) = (town.agent(), town.admin());
    agent.post(&path, json!({})).await.is(403);
    let ask = || admin.post_once(&path, "once", json!({}));
    let started = ask().await.is(202).json();
    assert_eq!(started["kind"], "backfill_conversations");
    assert_eq!(ask().await.is(202).json()["id"], started["id"]);
    let id: OperationId = started["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let stored = aws.store().operation(town.home.scope(), id, aws.now()).await;
    assert!(stored.expect("the table answers").is_some());
}

#[tokio::test]
async fn timeline_has_what_was_said_on_the_line() {
    let aws = Aws::new().await;
    let (town, (business, line)) = (town(&aws).await, business_with_line(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let contact = business.contact_with(&aws, &mobile(1), |_| {}).await;
    let on_line = business.receive_noted(&aws, contact.id, Some(line)).await;
    aws.pass(60);
    let elsewhere = business.receive_noted(&aws, contact.id, None).await;
    for (id, name) in [(on_line, json!("Marina branch")), (elsewhere, Value::Null)] {
        let path = format!("{CONVERSATIONS}/{id}");
        let shown = viewer.get(&path).await.is(200).json();
        assert_eq!(shown["line"]["name"], name);
        let timeline = viewer.get(&format!("{path}/timeline")).await.items();
        assert_eq!(timeline.len(), 1);
        assert_eq!(timeline[0]["message"]["id"], shown["last"]["message"]["id"]);
    }
    let shown = viewer.get(&format!("{CONVERSATIONS}/{on_line}")).await;
    assert_snapshot("conversation", &[&shown]);
    let unknown = ConversationId::of(contact.id, Some(LineId::new(aws.ids().ulid())));
    let path = format!("{CONVERSATIONS}/{unknown}/timeline");
    viewer.get(&path).await.is_refused(404, "not_found");

    // It stays readable after a merge, and leads on.
    let survivor = business.contact_with(&aws, &mobile(2), |_| {}).await;
    business.merge(&aws, survivor.id, contact.id).await;
    let shown = viewer.get(&format!("{CONVERSATIONS}/{on_line}")).await.is(200).json();
    assert_eq!(shown["contact"]["id"], json!(survivor.id));
    let goes_on = business.receive_noted(&aws, survivor.id, Some(line)).await;
    assert_eq!(shown["continued_in"], json!(goes_on));
    // It is not changed any more, only read.
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let path = format!("{CONVERSATIONS}/{on_line}");
    let refused = agent.patch(&path, json!({"state": "open"})).if_match(1).await;
    let detail = refused.is_refused(409, "conversation_continued").detail();
    assert!(detail.contains(&goes_on.to_string()), "{detail}");
    assert_eq!(refused.header("location"), format!("{CONVERSATIONS}/{goes_on}"));
    agent.put(&format!("{path}/read"), json!({"seq": 1})).await.is(200);
    let beside = ConversationId::of(survivor.id, None);
    let timeline = viewer.get(&format!("{CONVERSATIONS}/{on_line}/timeline")).await;
    assert_eq!(timeline.items().len(), 2);
    // Those of a contact, with those of the other one.
    for (query, expected) in [
        ("", vec![goes_on, beside, elsewhere, on_line]),
        ("&state=closed", vec![elsewhere, on_line]),
        ("&unread=true", vec![goes_on, beside]),
    ] {
        let mut found = list_conversation_ids(&viewer, &format!("?contact={}{query}", survivor.id)).await;
        let mut expected = ids(&expected);
        // Two of them have the same time.
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{query}");
    }
    let both = viewer
        .get(&format!("{CONVERSATIONS}?contact={}&waiting=true", survivor.id))
        .await;
    both.names_only(&["waiting"]);
    let nobody = ContactId::new(aws.ids().ulid());
    assert!(
        list_conversation_ids(&viewer, &format!("?contact={nobody}"))
            .await
            .is_empty()
    );
    // From an entry, both ways.
    let part = async |part: &str| {
        let path = format!("{CONVERSATIONS}/{on_line}/timeline?{part}");
        viewer.get(&path).await
    };
    let newest_first = timeline.items();
    let mut oldest_first = part("order=oldest_first").await.items();
    oldest_first.reverse();
    assert_eq!(oldest_first, newest_first);
    let paged = format!("{CONVERSATIONS}/{on_line}/timeline?order=oldest_first");
    let mut paged = viewer.all(&paged, 1).await;
    paged.reverse();
    assert_eq!(paged, newest_first);
    let [newest, oldest] = [0, 1].map(|place: usize| newest_first[place]["message"]["id"].as_str().expect("an id"));
    for (order, from, expected) in [
        ("oldest_first", oldest, &newest_first[..1]),
        ("oldest_first", newest, &[]),
        ("newest_first", newest, &newest_first[1..]),
        ("newest_first", oldest, &[]),
    ] {
        let found = part(&format!("order={order}&from={from}")).await.items();
        assert_eq!(found, expected, "{order} from {from}");
    }
    part("from=usr_00000000000000000000000009").await.names_only(&["from"]);
    // It is hidden with the survivor, as all that the survivor has.
    aws.delete_contact(business.scope(), survivor.id, true).await;
    for path in ["", "/timeline"] {
        let path = format!("{CONVERSATIONS}/{on_line}{path}");
        viewer.get(&path).await.is_refused(404, "not_found");
    }
}
