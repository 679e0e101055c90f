//! Drafts of replies, from the points of view of their author and of everybody else.

use domain::accounts::{Permission, Role};
use domain::inbox::{Draft, Happening, What};
use domain::terms::{Channel, ContactId, ConversationId, MessageId};
use jiff::SignedDuration;
use serde_json::json;
use store::contacts::Decided;
use store::inbox::conversation_with;
use testkit::Aws;
use testkit::api::House;
use testkit::business::{decided_merge, mobile};

use super::{CONVERSATIONS, town};

/// A conversation with a new contact.
pub(crate) async fn conversation(aws: &Aws, house: &House, number: usize) -> ConversationId {
    let contact = aws.contact_with(house.scope(), &mobile(number), |_| {}).await.id;
    let message = MessageId::new(contact, aws.ids().ulid());
    let happening = Happening {
        at: aws.now(),
        what: What::Inbound(message, Channel::WhatsApp),
    };
    let conversation = conversation_with(None, ConversationId::of(contact, None), happening, None);
    let store = aws.store();
    let written = store.write_conversation(house.scope(), &conversation, None);
    written.await.expect("the conversation is written");
    conversation.value.id()
}

fn draft_of(id: ConversationId) -> String {
    format!("{CONVERSATIONS}/{id}/draft")
}

#[tokio::test]
async fn draft_is_seen_by_its_author_alone() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let id = conversation(&aws, &town.home, 1).await;
    let elsewhere = conversation(&aws, &town.home, 2).await;
    let path = draft_of(id);
    let (agent, admin) = (town.agent(), town.admin());
    let author = town.home.person(Role::Agent).user.to_string();
    let signed = aws.signed_by(&author).await;
    agent.get(&path).await.is_refused(404, "not_found");
    let text = json!({"text": " Yes, for four.\n\nShall "});
    assert_eq!(agent.put(&path, text.clone()).await.is(200).json(), text);
    assert_eq!(agent.get(&path).await.is(200).json(), text);
    agent.get(&draft_of(elsewhere)).await.is_refused(404, "not_found");
    // Somebody else's draft is another one.
    for caller in [&admin, &town.viewer(), &town.foreign_admin()] {
        caller.get(&path).await.is_refused(404, "not_found");
    }
    admin.put(&path, json!({"text": "No"})).await.is(200);
    assert_eq!(agent.get(&path).await.is(200).json(), text);
    admin.delete(&path).await.is(204);
    assert_eq!(agent.get(&path).await.is(200).json(), text);
    let later = json!({"text": "Yes, at eight."});
    agent.put(&path, later.clone()).await.is(200);
    assert_eq!(agent.get(&path).await.is(200).json(), later);
    for _time in 0..2 {
        agent.delete(&path).await.is(204);
        agent.get(&path).await.is_refused(404, "not_found");
    }
    assert_eq!(aws.signed_by(&author).await, signed, "the audit log has no drafts");
}

/// A single request has all that is shown beside a conversation.
#[tokio::test]
async fn conversation_has_the_callers_draft_and_the_contact() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let id = conversation(&aws, &town.home, 1).await;
    let path = format!("{CONVERSATIONS}/{id}");
    let agent = town.agent();
    assert_eq!(agent.get(&path).await.is(200).json()["draft"], json!(null));
    let text = json!({"text": "Yes, for four."});
    agent.put(&draft_of(id), text.clone()).await.is(200);
    let opened = agent.get(&path).await.is(200).json();
    assert_eq!(opened["draft"], text);
    let profile = &opened["profile"];
    assert_eq!(
        (&profile["id"], &profile["formatted_phones"][0]),
        (&json!(id.contact()), &json!("+971 50 123 4501"))
    );
    let key = town.key();
    for other in [&town.admin(), &town.viewer(), &key] {
        let seen = other.get(&path).await.is(200).json();
        assert_eq!((&seen["draft"], &seen["profile"]), (&json!(null), &opened["profile"]));
    }
    let (_, narrow) = town.new_key(Role::Admin, &[Permission::ConversationsRead]).await;
    let seen = town.api_key(&narrow).get(&path).await.is(200).json();
    assert_eq!(seen["profile"], json!(null));
}

#[tokio::test]
async fn keys_viewers_and_strangers_keep_no_drafts() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let path = draft_of(conversation(&aws, &town.home, 1).await);
    let missing = draft_of(ConversationId::of(ContactId::new(aws.ids().ulid()), None));
    let text = || json!({"text": "Yes"});
    for (caller, path, get, write) in [
        (town.key(), &path, 403, 403),
        (town.viewer(), &path, 404, 403),
        (town.foreign_admin(), &path, 404, 404),
        (town.key(), &missing, 404, 404),
        (town.agent(), &missing, 404, 404),
    ] {
        caller.get(path).await.is(get);
        caller.put(path, text()).await.is(write);
        caller.delete(path).await.is(write);
    }
    town.key().get(&path).await.is_refused(403, "forbidden");
}

#[tokio::test]
async fn draft_has_a_text_of_bounded_length() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let path = draft_of(conversation(&aws, &town.home, 1).await);
    let agent = town.agent();
    for wrong in [json!({}), json!({"text": ""}), json!({"text": "é".repeat(4_097)})] {
        agent.put(&path, wrong).await.names_only(&["text"]);
    }
    let more = json!({"text": "Yes", "line": null});
    agent.put(&path, more).await.names_only(&["line"]);
    agent.put(&path, json!({"text": "é".repeat(4_096)})).await.is(200);
}

#[tokio::test]
async fn draft_ends_thirty_days_after_its_last_change() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let id = conversation(&aws, &town.home, 1).await;
    let path = draft_of(id);
    let author = town.home.person(Role::Agent).user;
    let is_there = async |after: SignedDuration| {
        let read = aws
            .store()
            .draft(town.home.scope(), id, author, aws.now() + after)
            .await;
        read.unwrap().is_some()
    };
    let (second, day) = (SignedDuration::from_secs(1), SignedDuration::from_hours(24));
    town.agent().put(&path, json!({"text": "Yes"})).await.is(200);
    assert!(is_there(Draft::RETAINED - second).await);
    assert!(!is_there(Draft::RETAINED + second).await);
    aws.pass(86_400);
    town.agent().put(&path, json!({"text": "Yes"})).await.is(200);
    assert!(is_there(Draft::RETAINED - day + second).await);
}

/// The conversation stays where it is when its contact is merged, and is hidden with the survivor.
#[tokio::test]
async fn draft_is_kept_as_long_as_the_conversation_is_seen() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (store, scope, agent) = (aws.store(), town.home.scope(), town.agent());
    let id = conversation(&aws, &town.home, 1).await;
    let survivor = conversation(&aws, &town.home, 2).await.contact();
    let read = async |contact| store.known_person(scope, contact).await.unwrap().unwrap();
    let (undo, merge, stamp) = decided_merge(&aws, read(survivor).await, read(id.contact()).await);
    let decided = Decided {
        undo: &undo,
        merge: &merge,
        told: &[],
    };
    store.merge_people(scope, &decided, &stamp).await.unwrap();
    let path = draft_of(id);
    let text = json!({"text": "Yes"});
    agent.put(&path, text.clone()).await.is(200);
    assert_eq!(agent.get(&path).await.is(200).json(), text);
    // It was read before the contact is deleted, and written after that.
    aws.delete_contact(scope, survivor, true).await;
    let author = town.home.person(Role::Agent).user;
    let draft = Draft {
        text: "No".parse().unwrap(),
    };
    let late = store.write_draft(scope, id, author, survivor, &draft, aws.now()).await;
    assert!(late.unwrap_err().is_conflict());
    agent.get(&path).await.is_refused(404, "not_found");
    agent.put(&path, text).await.is_refused(404, "not_found");
    agent.delete(&path).await.is_refused(404, "not_found");
}
