//! Notes, from the callers' point of view.

use domain::accounts::{Permission, Role};
use domain::people::{MAX_NOTE_LENGTH, Note, Recorded as _};
use domain::terms::{ContactId, UserId};
use serde_json::{Value, json};
use testkit::api::{Caller, Town, repeat_interrupted_request};
use testkit::business::CUSTOMER;
use testkit::{Aws, Lossy, texts};

use super::town;

/// A new contact of the home tenant.
pub(crate) async fn contact(town: &Town<'_>, number: &str) -> ContactId {
    let contact = town.aws().contact_with(town.home.scope(), number, |_| {});
    contact.await.id
}

fn notes_of(contact: ContactId) -> String {
    format!("/api/v1/contacts/{contact}/notes")
}

fn note_body(text: &str) -> Value {
    json!({"text": text})
}

async fn list_note_texts(caller: &Caller<'_>, contact: ContactId) -> Vec<String> {
    let page = caller.get(&format!("{}?limit=100", notes_of(contact))).await;
    page.texts("text")
}

#[tokio::test]
async fn agents_write_notes_and_viewers_read_them() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let notes = notes_of(contact(&town, CUSTOMER).await);
    let made = town.admin().post(&notes, note_body("Old")).await;
    let place = made.is(201).header("location");
    let reader = town.new_key(Role::Admin, &[Permission::ContactsRead]).await.1;
    let stranger = town.new_key(Role::Admin, &[Permission::TenantRead]).await.1;
    let of_role = |role: Role| (town.role(role), true, role >= Role::Agent);
    let by_key = [
        (town.api_key(&reader), true, false),
        (town.api_key(&stranger), false, false),
    ];
    for (caller, reads, writes) in Role::ALL.map(of_role).into_iter().chain(by_key) {
        let of = |may: bool, status: u16| if may { status } else { 403 };
        caller.get(&notes).await.is(of(reads, 200));
        caller.get(place).await.is(of(reads, 200));
        caller.post(&notes, note_body("New")).await.is(of(writes, 201));
        if !writes {
            caller.patch(place, note_body("Other")).await.is(403);
            caller.delete(place).await.is(403);
        }
    }
    let anyone = town.anyone();
    for asked in [
        anyone.get(&notes),
        anyone.get(place),
        anyone.post(&notes, note_body("New")),
        anyone.delete(place),
    ] {
        asked.await.is_refused(401, "unauthorized");
    }
}

#[tokio::test]
async fn a_note_is_written_read_changed_and_deleted() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let notes = notes_of(contact(&town, CUSTOMER).await);
    let agent = town.agent();
    let author = town.home.person(Role::Agent).user.to_string();
    let before = aws.signed_by(&author).await;
    let made = agent
        .post(&notes, note_body(" Call after five.\r\nSpeaks Arabic. "))
        .await;
    let (place, body) = (made.is(201).has_version(1).header("location"), made.json());
    let id = body["id"].as_str().unwrap();
    assert_eq!(place, format!("{notes}/{id}"));
    let expected = json!({
        "id": id, "text": "Call after five.\nSpeaks Arabic.", "author": author,
        "created_at": "2026-11-20T12:00:00Z", "updated_at": "2026-11-20T12:00:00Z",
    });
    assert_eq!(body, expected);
    let signed = aws.signed_by(&author).await;
    assert_eq!(signed, before + 1, "the audit log says who wrote it");
    assert_eq!(agent.get(place).await.is(200).has_version(1).json(), body);

    aws.pass(60);
    let agent = town.agent();
    let changed = agent.patch(place, note_body("Call after six.")).if_match(1).await;
    let mut expected = body.clone();
    expected["text"] = json!("Call after six.");
    expected["updated_at"] = json!("2026-11-20T12:01:00Z");
    assert_eq!(changed.is(200).has_version(2).json(), expected);
    let stale = agent.patch(place, note_body("Never")).if_match(1).await;
    stale.is_refused(412, "stale");
    // Nothing is written.
    aws.pass(60);
    let agent = town.agent();
    let same = agent.patch(place, note_body("Call after six.")).await;
    assert_eq!(same.is(200).has_version(2).json(), expected);
    for patch in [json!({"text": null}), json!({"author": "operator"}), json!({"id": id})] {
        agent.patch(place, patch).await.is_refused(422, "invalid");
    }

    agent.delete(place).if_match(1).await.is_refused(412, "stale");
    agent.delete(place).if_match(2).await.is(204);
    for asked in [
        agent.get(place),
        agent.delete(place),
        agent.patch(place, note_body("Late")),
    ] {
        asked.await.is_refused(404, "not_found");
    }
    assert!(agent.get(&notes).await.items().is_empty());
}

#[tokio::test]
async fn only_authors_and_managers_change_a_note() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let notes = notes_of(contact(&town, CUSTOMER).await);
    let (_, secret) = town.new_key(Role::Agent, &[]).await;
    let key = town.api_key(&secret);
    let of_agent = town.agent().post(&notes, note_body("The agent's")).await;
    let of_key = key.post(&notes, note_body("The key's")).await;
    let of_manager = town.manager().post(&notes, note_body("The manager's")).await;
    assert!(of_key.json()["author"].as_str().unwrap().starts_with("key_"));
    for (caller, note, own) in [
        (town.agent(), &of_agent, true),
        (key.clone(), &of_agent, false),
        (town.agent(), &of_key, false),
        (key.clone(), &of_key, true),
        (town.agent(), &of_manager, false),
        (town.manager(), &of_agent, true),
        (town.admin(), &of_manager, true),
    ] {
        let place = note.is(201).header("location");
        let text = aws.ids().ulid().to_string();
        let changed = caller.patch(place, note_body(&text)).await;
        if own {
            let changed = changed.is(200).json();
            assert_eq!(
                (&changed["text"], &changed["author"]),
                (&json!(text), &note.json()["author"])
            );
        } else {
            changed.is_refused(403, "forbidden");
            caller.delete(place).await.is_refused(403, "forbidden");
        }
    }
    town.agent().delete(of_agent.header("location")).await.is(204);
    town.manager().delete(of_key.header("location")).await.is(204);
}

#[tokio::test]
async fn notes_belong_to_one_contact_of_one_tenant() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let first = contact(&town, CUSTOMER).await;
    let second = contact(&town, "+971501234568").await;
    let nobody = ContactId::new(aws.ids().ulid());
    let made = town.admin().post(&notes_of(first), note_body("Ours")).await;
    let place = made.is(201).header("location");
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let foreign = town.foreign_admin();
    let admin = town.admin();
    let elsewhere = format!("{}/{id}", notes_of(second));
    for (caller, place) in [(&foreign, place), (&admin, &*elsewhere)] {
        for asked in [
            caller.get(place),
            caller.patch(place, note_body("Theirs")),
            caller.delete(place),
        ] {
            asked.await.is_refused(404, "not_found");
        }
    }
    for (caller, contact) in [(&foreign, first), (&admin, nobody)] {
        let notes = notes_of(contact);
        caller.get(&notes).await.is_refused(404, "not_found");
        caller
            .post(&notes, note_body("Theirs"))
            .await
            .is_refused(404, "not_found");
    }
    for wrong in ["ctc_1", "note_1", &id] {
        let notes = format!("/api/v1/contacts/{wrong}/notes");
        admin.get(&notes).await.is_refused(404, "not_found");
    }
    assert!(list_note_texts(&admin, second).await.is_empty());
    assert_eq!(admin.get(place).await.json(), made.json());
}

#[tokio::test]
async fn notes_are_listed_newest_first_page_by_page() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let contact = contact(&town, CUSTOMER).await;
    let notes = notes_of(contact);
    let mut places = Vec::new();
    for number in 0..6 {
        let made = town.agent().post(&notes, note_body(&number.to_string())).await;
        places.push(made.is(201).header("location").to_owned());
        aws.pass(1);
    }
    let agent = town.agent();
    assert_eq!(list_note_texts(&agent, contact).await, ["5", "4", "3", "2", "1", "0"]);
    agent.delete(&places[3]).await.is(204);
    agent.delete(&places[0]).await.is(204);
    for limit in [1, 2, 4, 5] {
        let found = agent.all(&notes, limit).await;
        assert_eq!(texts(&found, "text"), ["5", "4", "2", "1"], "by {limit}");
    }
}

#[tokio::test]
async fn cursor_of_another_list_of_notes_is_refused() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let first = contact(&town, CUSTOMER).await;
    let second = contact(&town, "+971501234568").await;
    let agent = town.agent();
    for text in ["a", "b"] {
        agent.post(&notes_of(first), note_body(text)).await.is(201);
    }
    let page = agent.get(&format!("{}?limit=1", notes_of(first))).await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let other = notes_of(second);
    // The last one is a user's id.
    for cursor in [cursor, "nonsense", "MXVzcl8wMWhxNWMxeW55YzAwMDAwMDAwMDAwMDBhYg"] {
        agent.get(&format!("{other}?cursor={cursor}")).await.is(400);
    }
    for (query, field) in [("limit=0", "limit"), ("limit=101", "limit"), ("kind=note", "kind")] {
        agent.get(&format!("{other}?{query}")).await.names_only(&[field]);
    }
}

#[tokio::test]
async fn text_of_a_note_is_bounded_and_visible() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let notes = notes_of(contact(&town, CUSTOMER).await);
    let agent = town.agent();
    let longest = "é".repeat(MAX_NOTE_LENGTH);
    for text in [
        json!(null),
        json!(1),
        json!(""),
        json!(" \r\n\t "),
        json!(format!("{longest}x")),
        json!("x".repeat(200 * 1024)),
        json!("a\u{0}b"),
        json!("a\u{1b}[31mb"),
        json!("a\u{200b}b"),
        json!("a\u{200e}b"),
        json!("a\u{2028}b"),
        json!("a\u{202a}b"),
        json!("a\u{202e}b"),
        json!("a\u{2066}b"),
        json!("a\u{2069}b"),
        json!("a\u{e0041}b"),
    ] {
        agent.post(&notes, json!({"text": text})).await.names_only(&["text"]);
    }
    agent.post(&notes, json!({})).await.names_only(&["text"]);
    let more = json!({"text": "a", "author": "operator"});
    agent.post(&notes, more).await.names_only(&["author"]);
    for text in [
        longest.as_str(),
        "ﷺ\n👩\u{200d}🍳\nمی\u{200c}خواهم",
        "T#x#NOTE#y",
        "{{contact.name}}",
        "<script>",
    ] {
        let made = agent.post(&notes, note_body(text)).await;
        assert_eq!(made.is(201).json()["text"], text);
    }
}

#[tokio::test]
async fn a_contact_has_at_most_500_notes() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let contact = contact(&town, CUSTOMER).await;
    let notes = notes_of(contact);
    let agent = town.agent();
    let first = agent.post(&notes, note_body("First")).await;
    town.fill_counter("note", Note::MAX).await;
    let one_more = || agent.post(&notes, note_body("One more"));
    one_more().await.is_refused(409, "limit_reached");
    agent.delete(first.header("location")).await.is(204);
    one_more().await.is(201);
    one_more().await.is_refused(409, "limit_reached");
}

/// The note was written, but the answer was lost. The request is repeated.
#[tokio::test]
async fn interrupted_request_creates_one_note() {
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let town = Town::with_env(&aws, &aws.env_behind(lossy.url()), contacts::routes).await;
    let contact = contact(&town, CUSTOMER).await;
    let notes = notes_of(contact);
    let agent = town.agent();
    let ask = || agent.post_once(&notes, "k1", note_body("Once"));
    let made = repeat_interrupted_request(&aws, &lossy, ask).await;
    assert_eq!(made.json()["created_at"], "2026-11-20T12:00:00Z");
    assert_eq!(list_note_texts(&agent, contact).await, ["Once"]);
}

/// Another writer is just writing the contact's row, such as a call that is decided.
#[tokio::test]
async fn a_race_for_the_contacts_row_is_not_lost() {
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let town = Town::with_env(&aws, &aws.env_behind(lossy.url()), contacts::routes).await;
    let contact = contact(&town, CUSTOMER).await;
    lossy.be_in_the_way_of("TransactWriteItems");
    town.agent().post(&notes_of(contact), note_body("Once")).await.is(201);
    assert_eq!(list_note_texts(&town.agent(), contact).await, ["Once"]);
}

#[tokio::test]
async fn notes_of_a_deleted_contact_are_missing_until_its_return() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let contact = contact(&town, CUSTOMER).await;
    let (own, notes) = (format!("/api/v1/contacts/{contact}"), notes_of(contact));
    let timeline = format!("{own}/timeline");
    let agent = town.agent();
    let made = agent.post(&notes, note_body("Old")).await;
    let place = made.is(201).header("location");
    agent.delete(&own).await.is(204);
    for path in [notes.as_str(), timeline.as_str(), place] {
        agent.get(path).await.is(404);
    }
    agent.post(&notes, note_body("New")).await.is(404);
    agent.patch(place, note_body("Other")).await.is(404);
    agent.delete(place).await.is(404);
    agent.post(&format!("{own}/restore"), json!({})).await.is(200);
    assert_eq!(list_note_texts(&agent, contact).await, ["Old"]);
    let entries = agent.get(&timeline).await.json();
    assert_eq!(entries["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn whoever_is_mentioned_finds_the_note() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (agent, manager) = (town.agent(), town.manager());
    let first = contact(&town, CUSTOMER).await;
    let second = contact(&town, "+971501234599").await;
    let [of_agent, of_manager, of_viewer] =
        [Role::Agent, Role::Manager, Role::Viewer].map(|role| town.home.person(role).user);
    let path = "/api/v1/contacts/mentions";
    let mentions = async |caller: &Caller<'_>| {
        let items = caller.get(path).await.items().into_iter();
        let notes: Vec<_> = items.map(|item| item["note"].clone()).collect();
        texts(&notes, "text")
    };
    let note = |text: &str, users: &[UserId]| json!({"text": text, "mentions": users});
    let mut made = Vec::new();
    for (place, body) in [
        (first, note("Call back", &[of_agent, of_manager])),
        (second, note("Wants cake", &[of_agent])),
        (second, note_body("Nobody")),
    ] {
        aws.pass(1);
        let created = manager.post(&notes_of(place), body).await;
        made.push(created.is(201).header("location").to_owned());
    }
    assert_eq!(mentions(&agent).await, ["Wants cake", "Call back"]);
    assert_eq!(mentions(&manager).await, ["Call back"]);
    let page = agent.get(&format!("{path}?limit=1")).await.is(200).json();
    assert_eq!(page["items"][0]["contact"]["id"], json!(second));
    let next = page["next_cursor"].as_str().unwrap();
    let rest = agent.get(&format!("{path}?limit=1&cursor={next}")).await;
    let rest = rest.is(200).json();
    assert_eq!(
        (&rest["items"][0]["note"]["text"], &rest["next_cursor"]),
        (&json!("Call back"), &Value::Null)
    );

    // A later mention comes first; who is no longer named does not find it.
    aws.pass(1);
    let changed = manager.patch(&made[0], json!({"mentions": [of_manager]})).await;
    assert_eq!(changed.is(200).json()["mentions"], json!([of_manager]));
    manager.patch(&made[2], json!({"mentions": [of_agent]})).await.is(200);
    assert_eq!(mentions(&agent).await, ["Nobody", "Wants cake"]);
    manager.patch(&made[2], json!({"text": "Somebody"})).await.is(200);
    assert_eq!(mentions(&agent).await, ["Somebody", "Wants cake"]);
    manager.delete(&made[2]).await.is(204);
    assert_eq!(mentions(&agent).await, ["Wants cake"]);

    let stranger = UserId::new(aws.ids().ulid());
    for users in [vec![stranger], vec![of_viewer]] {
        let refused = manager.post(&notes_of(first), note("Hello", &users)).await;
        refused.names_only(&["mentions"]);
        let refused = manager.patch(&made[0], json!({"mentions": users})).await;
        refused.names_only(&["mentions"]);
    }
    // Of a contact that is deleted, nobody sees anything.
    town.admin().delete(&format!("/api/v1/contacts/{second}")).await.is(204);
    assert_eq!(mentions(&agent).await, Vec::<String>::new());
    let (_, secret) = town.new_key(Role::Agent, &[]).await;
    assert_eq!(mentions(&town.api_key(&secret)).await, Vec::<String>::new());
}
