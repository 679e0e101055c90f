//! Attachments of replies: uploaded for one conversation, and kept for a day.

use domain::accounts::{Action, Role};
use domain::terms::{ConversationId, FileId};
use testkit::business::{CUSTOMER, business, mobile};
use testkit::{Seeded, samples};

use super::*;

const DAY: i64 = 24 * 3_600;

/// A business with a conversation, and the path of its attachments.
async fn conversation(aws: &Aws) -> (Seeded, ConversationId, String) {
    let business = business(aws).await;
    let contact = business.contact(aws, CUSTOMER).await;
    let id = business.receive_noted(aws, contact.id, None).await;
    (business, id, attachments_of(id))
}

fn attachments_of(id: ConversationId) -> String {
    format!("/api/v1/conversations/{id}/attachments")
}

/// Creates an attachment and uploads a picture. Returns its path.
async fn upload_attachment(caller: &Caller<'_>, path: &str) -> String {
    let created = caller.post(path, new("image/jpeg", picture().len())).await;
    assert_eq!(upload(created.is(201), picture()).await, 200);
    created.header("location").to_owned()
}

async fn read_asset(aws: &Aws, business: &Seeded, place: &str) -> Option<Versioned<Asset>> {
    let id: FileId = place.rsplit('/').next().unwrap().parse().unwrap();
    aws.store().asset(business.scope(), id).await.unwrap()
}

#[tokio::test]
async fn agent_uploads_a_photo_for_a_conversation() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (business, id, path) = conversation(&aws).await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let created = agent.post(&path, new("image/jpeg", picture().len())).await;
    let place = created.is(201).has_version(1).header("location").to_owned();
    assert!(place.starts_with(&format!("{path}/att_")), "{place}");
    complete(&agent, &place).await.is_refused(409, "not_uploaded");
    // The request for the upload can be had again.
    let again = agent.get(&place).await;
    assert_eq!(upload(again.is(200), picture()).await, 200);
    for _twice in 0..2 {
        let done = complete(&agent, &place).await;
        let done = done.is(200).has_version(2).json();
        assert_eq!(
            json!([done["state"], done["upload"], done["download"]]),
            json!(["ready", null, null])
        );
    }
    let looks = async || {
        let log = aws.audit_log(business.scope()).await.into_iter();
        log.filter(|entry| entry.action == Action::Read).count()
    };
    assert_eq!(looks().await, 0);
    let link = agent.get(&place).await.is(200).json()["download"]["url"].clone();
    let got = reqwest::get(link.as_str().unwrap()).await.unwrap();
    assert_eq!(got.headers()["content-type"], "image/jpeg");
    assert_eq!(got.bytes().await.unwrap(), picture());
    assert_eq!(looks().await, 1, "who got a link to a file of a contact's");
    // It is in the folder of the contact, which its erasure deletes, and in no list of assets.
    let files: Vec<String> = aws.files("assets/").await.into_keys().collect();
    let folder = format!("/contact/{}/", id.contact().to_string().replace("ctc_", ""));
    assert!(matches!(files.as_slice(), [one] if one.contains(&folder)), "{files:?}");
    assert_eq!(agent.get(ASSETS).await.items(), Vec::<Value>::new());
}

#[tokio::test]
async fn attachment_needs_the_right_to_reply() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (business, _, path) = conversation(&aws).await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let place = upload_attachment(&agent, &path).await;
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    viewer.post(&path, new("image/jpeg", 9)).await.is(403);
    complete(&viewer, &place).await.is(403);
    viewer.get(&place).await.is(403);
    let only = [Permission::AssetsWrite, Permission::ConversationsWrite];
    let other = town.scoped_key_of(business.scope(), Role::Admin, &only).await;
    other.post(&path, new("image/jpeg", 9)).await.is(403);
    complete(&other, &place).await.is(403);
    complete(&agent, &place).await.is(200);
}

/// As is a conversation that is hidden with its contact.
#[tokio::test]
async fn attachment_is_its_conversations_alone() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (business, id, path) = conversation(&aws).await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let place = upload_attachment(&agent, &path).await;
    let neighbour = business.contact(&aws, &mobile(2)).await;
    let neighbour = business.receive_noted(&aws, neighbour.id, None).await;
    let elsewhere = place.replace(&id.to_string(), &neighbour.to_string());
    for (caller, place) in [(&agent, &elsewhere), (&town.foreign_admin(), &place)] {
        caller.get(place).await.is_refused(404, "not_found");
        complete(caller, place).await.is_refused(404, "not_found");
    }
    let refused = town.foreign_admin().post(&path, new("image/jpeg", 9)).await;
    refused.is_refused(404, "not_found");
    // It is no asset either, though the scanner gives its verdict in the same way.
    let as_asset = format!("{ASSETS}/{}", place.rsplit('/').next().unwrap());
    for asked in [agent.get(&as_asset), agent.delete(&as_asset)] {
        assert!([403, 404].contains(&asked.await.status()), "{as_asset}");
    }
    aws.delete_contact(business.scope(), id.contact(), true).await;
    agent
        .post(&path, new("image/jpeg", 9))
        .await
        .is_refused(404, "not_found");
    agent.get(&place).await.is_refused(404, "not_found");
}

#[tokio::test]
async fn merged_conversation_takes_no_attachment() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (business, id, path) = conversation(&aws).await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let survivor = business.contact(&aws, &mobile(2)).await.id;
    let on = business.receive_noted(&aws, survivor, None).await;
    business.merge(&aws, survivor, id.contact()).await;
    let refused = agent.post(&path, new("image/jpeg", 9)).await;
    refused.is_refused(409, "conversation_continued");
    agent.post(&attachments_of(on), new("image/jpeg", 9)).await.is(201);
}

#[tokio::test]
async fn wrong_attachments_are_refused() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (business, _, path) = conversation(&aws).await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    for (field, value) in [
        ("bytes", json!(5 * 1024 * 1024 + 1)),
        ("content_type", json!("image/svg+xml")),
        ("name", json!("../etc/passwd")),
    ] {
        let mut body = new("image/jpeg", 9);
        body[field] = value;
        agent.post(&path, body).await.names_only(&[field]);
    }
    let page = b"<!doctype html><script>alert(1)</script>".to_vec();
    let created = agent.post(&path, new("image/jpeg", page.len())).await;
    assert_eq!(upload(created.is(201), page).await, 200);
    let place = created.header("location");
    let detail = refusal(&agent, place).await;
    assert!(detail.starts_with(MediaReason::WrongType.sentence()), "{detail}");
    assert!(aws.files("assets/").await.is_empty());
    let known = read_asset(&aws, &business, place).await.unwrap();
    assert_eq!(known.value.state, AssetState::Refused);
}

/// Each person has a limit of their own.
#[tokio::test]
async fn attachments_are_limited() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (business, _, path) = conversation(&aws).await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    for _one in 0..100 {
        agent.post(&path, new("image/jpeg", 9)).await.is(201);
    }
    let refused = agent.post(&path, new("image/jpeg", 9)).await;
    refused.is_refused(429, "too_many_requests");
    let other = town.key_of(business.scope(), Role::Agent).await;
    other.post(&path, new("image/jpeg", 9)).await.is(201);
}

#[tokio::test]
async fn with_a_scanner_an_attachment_waits_for_its_verdict() {
    let aws = Aws::new().await;
    let town = scanned_town(&aws).await;
    let (business, _, path) = conversation(&aws).await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let scanner = town
        .scoped_key_of(business.scope(), Role::Admin, &[Permission::MediaScan])
        .await;
    let place = upload_attachment(&agent, &path).await;
    let verdict = format!("{ASSETS}/{}/verdict", place.rsplit('/').next().unwrap());
    let judge = async |verdict_is: &str| {
        let asked = scanner.post(&verdict, json!({"verdict": verdict_is}));
        asked.header("x-scanner-secret", "secret").await
    };
    judge("clean").await.is_refused(409, "not_uploaded");
    assert_eq!(complete(&agent, &place).await.is(200).json()["state"], "scanning");
    assert!(agent.get(&place).await.is(200).json()["download"].is_null());
    assert_eq!(judge("clean").await.is(200).json()["state"], "ready");
    assert_eq!(complete(&agent, &place).await.is(200).json()["state"], "ready");
    assert_eq!(judge("harmful").await.is(200).json()["state"], "refused");
    assert!(aws.files("assets/").await.is_empty());
    complete(&agent, &place).await.is_refused(409, "asset_refused");
}

/// Although its row is deleted later.
#[tokio::test]
async fn unused_attachment_is_gone_after_a_day() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (business, _, path) = conversation(&aws).await;
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let place = upload_attachment(&agent, &path).await;
    complete(&agent, &place).await.is(200);
    aws.pass(DAY);
    agent.get(&place).await.is(200);
    aws.pass(300);
    agent.get(&place).await.is_refused(404, "not_found");
    complete(&agent, &place).await.is_refused(404, "not_found");
    assert!(read_asset(&aws, &business, &place).await.is_some());
}

/// The row was written, but the answer was lost. The request is repeated.
#[tokio::test]
async fn attachment_is_created_once_though_interrupted() {
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let town = Town::with_env(&aws, &aws.env_behind(lossy.url()), assets::routes).await;
    let (business, _, path) = conversation(&aws).await;
    let agent = &town.key_of(business.scope(), Role::Agent).await;
    let ask = || agent.post_once(&path, "k1", new("image/jpeg", 9));
    let made = repeat_interrupted_request(&aws, &lossy, ask).await;
    let rows = aws.rows().await;
    let is_one = |row: &&samples::Row| samples::text(row, "kind") == "attachment";
    assert_eq!(rows.iter().filter(is_one).count(), 1);
    assert!(made.json()["upload"]["url"].is_string());
}
