//! Merges of contacts, their undoing, and duplicates, from the callers' point of view.

use domain::messages::OptFlag;
use domain::people::{Change, Contact, Field, Tag, UNDOABLE_FOR};
use domain::terms::ContactId;
use serde_json::{Value, json};
use testkit::api::{Caller, Town};
use testkit::{Answer, Aws, Lossy};

use super::{CONTACTS, contact_named, create_contact, create_owned, finds_nobody, maya, town};

fn at(contact: &str) -> String {
    format!("{CONTACTS}/{contact}")
}

async fn merge(caller: &Caller<'_>, survivor: &str, other: &str) -> Answer {
    let body = json!({"contact_id": other});
    caller.post(&format!("{}/merge", at(survivor)), body).await
}

async fn expect_merge(caller: &Caller<'_>, survivor: &str, other: &str) -> Value {
    merge(caller, survivor, other).await.is(200).json()
}

async fn unmerge(caller: &Caller<'_>, survivor: &str, merge: &Value) -> Answer {
    let body = json!({"merge_id": merge["merge"]["id"]});
    caller.post(&format!("{}/unmerge", at(survivor)), body).await
}

async fn note(caller: &Caller<'_>, contact: &str, text: &str) -> Answer {
    let note = caller
        .post(&format!("{}/notes", at(contact)), json!({"text": text}))
        .await;
    note.is(201);
    note
}

/// Changes a contact as a job does.
async fn change(town: &Town<'_>, contact: &str, change: impl Fn(&mut Contact) -> Change) {
    let id: ContactId = contact.parse().expect("an id");
    town.aws().change_contact(town.home.scope(), id, change).await;
}

fn other_contact() -> Value {
    json!({"name": "M. Haddad", "phones": ["+971541234567"], "emails": ["maya+shop@example.com"], "source": "Web form"})
}

#[tokio::test]
async fn merge_does_what_its_dry_run_showed_and_is_undone() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let tags = [
        create_owned::<Tag>(&town, contact_named("Regular")).await,
        create_owned::<Tag>(&town, contact_named("VIP")).await,
    ];
    let level = json!({"key": "level", "name": "Level", "type": "text", "searchable": true});
    create_owned::<Field>(&town, level).await;
    let (mut first, mut second) = (maya(), other_contact());
    first["tags"] = json!([tags[0]]);
    first["fields"] = json!({"level": "Gold"});
    second["tags"] = json!(tags);
    second["fields"] = json!({"level": "Silver"});
    let survivor = create_contact(&agent, first).await;
    aws.pass(60);
    let other = create_contact(&agent, second).await;
    let before = [agent.get(&at(&survivor)).await, agent.get(&at(&other)).await];
    aws.pass(60);

    let body = json!({"contact_id": other, "dry_run": true});
    let shown = agent.post(&format!("{}/merge", at(&survivor)), body).await;
    let shown = shown.is(200).json();
    assert_eq!(shown["merge"], Value::Null);
    for (contact, before) in [&survivor, &other].into_iter().zip(&before) {
        assert_eq!(agent.get(&at(contact)).await.json(), before.json());
    }
    let done = expect_merge(&agent, &survivor, &other).await;
    assert_eq!(done["contact"], shown["contact"]);
    assert_eq!(done["conflicts"], shown["conflicts"]);
    let read = agent.get(&at(&survivor)).await.json();
    assert_eq!(read, done["contact"]);
    assert_eq!(read["name"], "Maya Haddad");
    assert_eq!(read["phones"], json!(["+971501234567", "+971541234567"]));
    assert_eq!(read["emails"], json!(["maya@example.com", "maya+shop@example.com"]));
    assert_eq!(read["tags"].as_array().unwrap().len(), 2);
    assert_eq!(read["fields"], json!({"level": "Gold"}));
    assert_eq!(read["source"], "Web form");
    assert_eq!(read["created_at"], before[0].json()["created_at"]);
    let conflict = |field: &str| json!({"field": field, "decision": "survivor"});
    assert_eq!(done["conflicts"], json!([conflict("name"), conflict("fields.level")]));
    assert_eq!(done["merge"]["contact_id"], json!(other));
    let undo_until = (aws.now() + UNDOABLE_FOR).to_string();
    assert_eq!(done["merge"]["undo_until"], json!(undo_until));

    let undone = unmerge(&agent, &survivor, &done).await.is(200).json();
    for ((contact, before), answered) in [&survivor, &other].into_iter().zip(&before).zip(["contact", "other"]) {
        let after = agent.get(&at(contact)).await;
        assert_eq!(after.json(), before.json());
        assert_eq!(after.header("etag"), before.header("etag"));
        assert_eq!(undone[answered], before.json());
    }
    // Once more: nothing changes.
    let again = unmerge(&agent, &survivor, &done).await;
    assert_eq!(again.is(200).json(), undone);
}

#[tokio::test]
async fn merged_contact_is_found_as_the_survivor_only() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let survivor = create_contact(&agent, contact_named("Ann Smith")).await;
    let other = create_contact(&agent, maya()).await;
    expect_merge(&agent, &survivor, &other).await;
    for search in [
        "",
        "?phone=%2B971501234567",
        "?email=maya@example.com",
        "?name=ann",
        "?digits=4567",
    ] {
        let found = agent.get(&format!("{CONTACTS}{search}")).await;
        assert_eq!(found.texts("id"), [survivor.as_str()], "{search}");
    }
    // The survivor has a name of its own.
    let found = agent.get(&format!("{CONTACTS}?name=maya")).await;
    assert!(found.items().is_empty());
    let taken = agent.post(CONTACTS, maya()).await;
    taken.is_refused(409, "taken");
    agent.delete(&at(&survivor)).await.is(204);
    finds_nobody(&agent).await;
}

/// Software that has the id of a merged contact is told the survivor's.
#[tokio::test]
async fn id_of_a_merged_contact_names_the_survivor() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let admin = town.admin();
    let survivor = create_contact(&admin, contact_named("Ann Smith")).await;
    let other = create_contact(&admin, maya()).await;
    let note = note(&admin, &other, "Likes cake.").await;
    let note = note.header("location");
    let place = at(&other);
    let tag = admin.get(&place).await.is(200).header("etag").to_owned();
    expect_merge(&admin, &survivor, &other).await;
    let under = |end: &str| format!("{place}/{end}");
    let text = || json!({"text": "Likes tea."});
    let back = json!({"contact_id": survivor});
    for asked in [
        admin.get(&place),
        admin.patch(&place, contact_named("Lea")),
        admin.patch(&place, contact_named("Lea")).header("if-match", &tag),
        admin.delete(&place),
        admin.delete(&place).header("if-match", &tag),
        admin.post(&under("restore"), json!({})),
        admin.post(&under("erase"), json!({})),
        admin.post(&under("phones"), json!({"phone": "+971501234568"})),
        admin.delete(&under("phones/%2B971501234567")),
        admin.post(&under("emails"), json!({"email": "ann@example.com"})),
        admin.delete(&under("emails/maya@example.com")),
        admin.delete(&under("whatsapp-ids/AE.1349")),
        admin.get(&under("timeline")),
        admin.get(&under("consent")),
        admin.post(&under("consent"), json!({"choice": "refused"})),
        admin.get(&under("consent/proof")),
        admin.get(&under("consent/proof/page")),
        admin.post(&under("preference-link"), Value::Null),
        admin.post(&under("notes"), text()),
        admin.get(&under("notes")),
        admin.get(note),
        admin.patch(note, text()),
        admin.delete(note),
        admin.get(&under("duplicates")),
        admin.post(&under("merge"), back),
    ] {
        let answer = asked.await;
        answer.is_refused(404, "merged");
        assert_eq!(answer.header("location"), at(&survivor), "{}", answer.text());
        assert!(answer.detail().contains(&survivor));
    }
    let stranger = town.foreign_admin();
    stranger.get(&place).await.is_refused(404, "not_found");
    // Nothing of it was done.
    let read = admin.get(&at(&survivor)).await.json();
    assert_eq!((&read["name"], &read["opted_out"]), (&json!("Ann Smith"), &Value::Null));
    let notes = admin.get(&format!("{}/notes", at(&survivor))).await.json();
    assert_eq!(notes["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn notes_and_consent_of_a_merged_contact_are_the_survivors() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let survivor = create_contact(&agent, contact_named("Ann Smith")).await;
    let other = create_contact(&agent, maya()).await;
    for contact in [&other, &survivor] {
        aws.pass(1);
        note(&agent, contact, &format!("Of {contact}")).await;
        aws.pass(1);
        let wish = json!({"choice": "refused", "channel": if *contact == other { "sms" } else { "whatsapp" }});
        agent.post(&format!("{}/consent", at(contact)), wish).await.is(200);
    }
    aws.pass(1);
    expect_merge(&agent, &survivor, &other).await;
    let notes = agent.get(&format!("{}/notes", at(&survivor))).await;
    assert_eq!(notes.texts("text"), [format!("Of {survivor}"), format!("Of {other}")]);
    let of_other = &notes.texts("id")[1];
    let note = format!("{}/notes/{of_other}", at(&survivor));
    let changed = agent.patch(&note, json!({"text": "Likes cake."})).await;
    assert_eq!(changed.is(200).json()["text"], "Likes cake.");
    agent.delete(&note).await.is(204);
    agent.get(&note).await.is_refused(404, "not_found");

    let consent = format!("{}/consent", at(&survivor));
    let read = agent.get(&consent).await.json();
    assert_eq!(read["wishes"].as_array().unwrap().len(), 2, "{read}");
    let channels = |entries: &Value| -> Vec<Value> {
        let entries = entries.as_array().unwrap().iter();
        entries.map(|entry| entry["channel"].clone()).collect()
    };
    assert_eq!(channels(&read["entries"]), [json!("whatsapp"), json!("sms")]);
    let proof = agent.get(&format!("{consent}/proof")).await.json();
    assert_eq!(channels(&proof["entries"]), [json!("whatsapp"), json!("sms")]);
    let first = agent.get(&format!("{consent}?limit=1")).await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = agent.get(&format!("{consent}?limit=1&cursor={cursor}")).await.json();
    assert_eq!(second["entries"][0], read["entries"][1]);

    let timeline = agent.get(&format!("{}/timeline", at(&survivor))).await;
    assert_eq!(timeline.texts("kind"), ["merge", "consent", "note", "consent"]);
    assert_eq!(timeline.items()[0]["merge"]["contact_id"], json!(other));
    let only = agent.get(&format!("{}/timeline?kind=merge", at(&survivor))).await;
    assert_eq!(only.items().len(), 1);
}

#[tokio::test]
async fn contacts_that_cannot_be_merged_are_refused() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let ann = json!({"name": "Ann", "phones": ["+971501234561", "+971501234562"]});
    let lea = json!({"name": "Lea", "phones": ["+971501234563", "+971501234564", "+971501234565"]});
    let (survivor, other) = (create_contact(&agent, ann).await, create_contact(&agent, lea).await);
    let limit = merge(&agent, &survivor, &other)
        .await
        .is_refused(409, "limit_reached")
        .detail();
    assert!(limit.contains("at most 4 telephone numbers"), "{limit}");
    let third = format!("{}/phones/%2B971501234565", at(&other));
    agent.delete(&third).await.is(204);

    merge(&agent, &survivor, &survivor).await.names_field("contact_id");
    let foreign = create_contact(&town.foreign_admin(), contact_named("Zoe")).await;
    for nobody in ["ctc_01hq5c1ynyc0000000000000ab", &foreign] {
        let unknown = merge(&agent, &survivor, nobody).await;
        assert_eq!(unknown.is_refused(404, "not_found").fields(), ["contact_id"]);
    }
    let foreign = merge(&town.foreign_admin(), &survivor, &other).await;
    foreign.is_refused(404, "not_found");
    merge(&town.viewer(), &survivor, &other).await.is(403);
    agent.delete(&at(&other)).await.is(204);
    merge(&agent, &survivor, &other).await.is_refused(409, "conflict");
    merge(&agent, &other, &survivor).await.is_refused(404, "not_found");
    agent.post(&format!("{}/restore", at(&other)), json!({})).await.is(200);

    expect_merge(&agent, &survivor, &other).await;
    let again = merge(&agent, &survivor, &other).await;
    let said = again.names_field("contact_id").text();
    assert!(said.contains("already"), "{said}");
    for name in ["Bea", "Eve"] {
        let more = create_contact(&agent, contact_named(name)).await;
        expect_merge(&agent, &survivor, &more).await;
    }
    let fifth = create_contact(&agent, contact_named("Zoe")).await;
    let limit = merge(&agent, &survivor, &fifth)
        .await
        .is_refused(409, "limit_reached")
        .detail();
    assert!(limit.contains("At most 3 contacts"), "{limit}");
}

#[tokio::test]
async fn merges_are_undone_in_turn_and_in_time() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    // A session would end before.
    let agent = town.key();
    let survivor = create_contact(&agent, contact_named("Ann")).await;
    let [first, second] = [
        create_contact(&agent, contact_named("Bea")).await,
        create_contact(&agent, contact_named("Eve")).await,
    ];
    let earlier = expect_merge(&agent, &survivor, &first).await;
    unmerge(&town.viewer(), &survivor, &earlier).await.is(403);
    aws.pass(3600);
    let later = expect_merge(&agent, &survivor, &second).await;
    unmerge(&agent, &survivor, &earlier).await.is_refused(409, "conflict");
    unmerge(&agent, &first, &earlier).await.is_refused(404, "merged");
    let wrong = json!({"merge_id": earlier["merge"]["id"].as_str().unwrap().replace("mrg_", "note_")});
    agent.post(&format!("{}/unmerge", at(&survivor)), wrong).await.is(422);
    let stranger = json!({"merge": {"id": format!("mrg_{}", "0".repeat(52))}});
    let unknown = unmerge(&agent, &survivor, &stranger).await;
    assert_eq!(unknown.is_refused(404, "not_found").fields(), ["merge_id"]);
    unmerge(&agent, &survivor, &later).await.is(200);
    aws.pass(UNDOABLE_FOR.as_secs() - 3600);
    unmerge(&agent, &survivor, &earlier).await.is_refused(409, "conflict");
}

/// Values that were changed since stay, and a refusal since then holds for both.
#[tokio::test]
async fn changes_since_a_merge_survive_its_undoing() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let survivor = create_contact(&agent, contact_named("Ann Smith")).await;
    let other = create_contact(&agent, maya()).await;
    let done = expect_merge(&agent, &survivor, &other).await;
    aws.pass(60);
    let now = aws.now();
    let stop = |contact: &mut Contact| contact.wish(OptFlag::Stop, "wrote STOP", now);
    change(&town, &survivor, stop).await;
    agent.patch(&at(&survivor), contact_named("Ann S. Smith")).await.is(200);
    let phones = format!("{}/phones", at(&survivor));
    agent.post(&phones, json!({"phone": "+971501234569"})).await.is(200);
    let note = note(&agent, &survivor, "Likes cake.").await;
    unmerge(&agent, &survivor, &done).await.is(200);
    let read = agent.get(&at(&survivor)).await.json();
    assert_eq!(read["name"], "Ann S. Smith");
    assert_eq!(read["phones"], json!(["+971501234569"]));
    let former = agent.get(&at(&other)).await.json();
    assert_eq!(
        (&former["name"], &former["phones"]),
        (&json!("Maya Haddad"), &json!(["+971501234567"]))
    );
    for contact in [&read, &former] {
        assert_ne!(contact["opted_out"], Value::Null);
    }
    let notes = agent.get(&format!("{}/notes", at(&survivor))).await.json();
    assert_eq!(notes["items"][0], note.json());
    let ledger = agent.get(&format!("{}/consent", at(&other))).await.json();
    assert_eq!(ledger["entries"][0]["choice"], "refused");
}

/// Two merges, or a merge and a deletion: one of them comes first, and the other one is told.
#[tokio::test]
async fn concurrent_merges_and_deletions_end_in_one_state() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let [one, two] = [
        create_contact(&agent, contact_named("Ann")).await,
        create_contact(&agent, maya()).await,
    ];
    let (there, back) = tokio::join!(merge(&agent, &one, &two), merge(&agent, &two, &one));
    let mut statuses = [there.status(), back.status()];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200, "{} {}", there.text(), back.text());
    assert!([404, 422].contains(&statuses[1]), "{statuses:?}");
    let left = if there.status() == 200 { &one } else { &two };
    let listed = agent.get(CONTACTS).await;
    assert_eq!(listed.texts("id"), [left.as_str()]);

    let third = create_contact(&agent, contact_named("Zoe")).await;
    let place = at(&third);
    let (merging, deleting) = tokio::join!(merge(&agent, left, &third), agent.delete(&place).into_future());
    match (merging.status(), deleting.status()) {
        (200, 404) | (409, 204) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn interrupted_merge_is_found_by_its_repetition() {
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let town = Town::with_env(&aws, &aws.env_behind(lossy.url()), contacts::routes).await;
    let agent = town.agent();
    let [one, two] = [
        create_contact(&agent, contact_named("Ann")).await,
        create_contact(&agent, maya()).await,
    ];
    let path = format!("{}/merge", at(&one));
    let ask = || agent.post_once(&path, "k1", json!({"contact_id": two}));
    lossy.lose_all("TransactWriteItems");
    ask().await.is_refused(503, "unavailable");
    assert!(lossy.has_lost_all());
    aws.pass(60);
    let done = ask().await.is(200).json();
    assert_eq!(done["merge"]["contact_id"], json!(two));
    assert_eq!(done["contact"]["phones"], json!(["+971501234567"]));
    unmerge(&agent, &one, &done).await.is(200);
}

#[tokio::test]
async fn duplicates_are_suggested_with_reasons() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let one = create_contact(&agent, maya()).await;
    let two = create_contact(&agent, other_contact()).await;
    let three = create_contact(&agent, contact_named("Zoe")).await;
    let path = format!("{}/duplicates", at(&one));
    let found = town.viewer().get(&path).await.is(200).json();
    let read = agent.get(&at(&two)).await.json();
    assert_eq!(found, json!({"items": [{"contact": read, "reasons": ["email"]}]}));
    let listed = async || {
        let found = agent.get(&format!("{CONTACTS}?duplicates=true")).await;
        found.texts("id")
    };
    assert!(listed().await.is_empty());
    let proven: ContactId = three.parse().unwrap();
    change(&town, &one, |contact| {
        contact.is_also([proven]);
        Change::Contact
    })
    .await;
    assert_eq!(listed().await, [one.as_str()]);
    // Being listed so hides nothing and prevents nothing.
    note(&agent, &one, "Likes cake.").await;
    agent.get(&format!("{}/notes", at(&one))).await.is(200);
    agent.patch(&at(&one), json!({"source": "Shop"})).await.is(200);
    let found = agent.get(&path).await.json();
    assert_eq!(found["items"][0]["reasons"], json!(["same_person"]));
    assert_eq!(found["items"][0]["contact"]["id"], json!(three));
    // Merged or deleted ones are none.
    expect_merge(&agent, &one, &three).await;
    assert!(listed().await.is_empty());
    agent.delete(&at(&two)).await.is(204);
    let found = agent.get(&path).await.json();
    assert_eq!(found, json!({"items": []}));
    town.foreign_admin().get(&path).await.is_refused(404, "not_found");
}
