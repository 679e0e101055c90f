//! Attachments of replies: each is carried by one reply in its conversation, within a day, and kept as long as that.

use domain::media::{Asset, AssetState, MediaReason};
use domain::people::Change;
use domain::terms::{ConversationId, LineId};
use jobs::MediaJob;
use kit::QueueName;

use super::replies::{messages_of, wrote, wrote_from};
use super::sending::sms;
use super::*;

fn carrying(file: &Asset) -> Value {
    json!({"seen": 1, "media": {"asset_id": file.id, "caption": "This is the dent."}})
}

async fn read_asset(aws: &Aws, business: &Seeded, file: &Asset) -> Asset {
    let found = aws.store().asset(business.scope(), file.id).await;
    found.unwrap().expect("it is stored").value
}

#[tokio::test]
async fn reply_carries_its_attachment_once() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let id = wrote(&aws, &business).await;
    let photo = business.attachment(&aws, id, |_| {}).await;
    let asked = || agent.post_once(&messages_of(id), "one", carrying(&photo));
    let sent = asked().await.is(201).json();
    assert_eq!(sent["legs"][0]["content"]["media"]["asset_id"], json!(photo.id));
    let message = read_message(&aws, &business, &sent).await;
    let after = read_asset(&aws, &business, &photo).await;
    let attached = after.attached.unwrap();
    assert_eq!(
        (attached.message, attached.kept_until),
        (Some(message.id), message.keep_until)
    );
    assert_eq!(after.due, message.keep_until);
    // WhatsApp has it before the message, as an asset.
    let jobs: Vec<MediaJob> = aws.take_jobs(QueueName::Media).await;
    assert!(
        matches!(jobs.as_slice(), [MediaJob::Upload { asset, .. }] if *asset == photo.id),
        "{jobs:?}"
    );
    assert_eq!(asked().await.is(201).json()["id"], sent["id"], "repeated");
    let mut twice = carrying(&photo);
    twice["seen"] = json!(2);
    let twice = agent.post(&messages_of(id), twice).await;
    assert_not_sent(&twice, "asset_unusable");
    assert!(
        twice.detail().contains("was sent with another reply"),
        "{}",
        twice.detail()
    );
}

/// Nothing is sent, also not without it by SMS.
#[tokio::test]
async fn attachment_that_cannot_be_carried_refuses_the_reply() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let id = wrote(&aws, &business).await;
    let path = &messages_of(id);
    let neighbour = wrote_from(&aws, &business, &mobile(2)).await;
    let stranger = testkit::business::business(&aws).await;
    let theirs = wrote_from(&aws, &stranger, CUSTOMER).await;
    let line = ConversationId::of(id.contact(), Some(LineId::new(aws.ids().ulid())));
    let of = async |state: AssetState, reason: Option<MediaReason>| {
        let change = |file: &mut Asset| (file.state, file.reason) = (state, reason);
        business.attachment(&aws, id, change).await
    };
    for (file, why) in [
        (of(AssetState::AwaitingUpload, None).await, "is not uploaded yet"),
        (of(AssetState::Scanning, None).await, "has not been scanned yet"),
        (of(AssetState::Refused, Some(MediaReason::Harmful)).await, "was refused"),
        (business.attachment(&aws, neighbour, |_| {}).await, "no such attachment"),
        (business.attachment(&aws, line, |_| {}).await, "no such attachment"),
        (stranger.attachment(&aws, theirs, |_| {}).await, "no such attachment"),
    ] {
        let refused = agent.post(path, carrying(&file)).await;
        let detail = refused.is_refused(409, "message_refused").detail();
        assert!(detail.contains(why), "{detail}");
    }
    let photo = business.attachment(&aws, id, |_| {}).await;
    let mut by_sms = carrying(&photo);
    by_sms["sms_text"] = json!("Look at this.");
    agent.post(path, by_sms).await.names_only(&["sms_text"]);
    // Only a reply carries one.
    let mut other = sms(CUSTOMER, json!({ "sms_text": null }));
    other["media"] = json!({"asset_id": photo.id});
    let refused = agent.post(MESSAGES, other).await;
    let detail = refused.is_refused(409, "message_refused").detail();
    assert!(detail.contains("no such attachment"), "{detail}");
    aws.pass(DAY);
    let now = aws.now();
    let writes = |contact: &mut Contact| {
        contact.open_window(&phone(WHATSAPP), &contact.recipient(), now);
        contact.last_inbound_at = Some(now);
        Change::Contact
    };
    aws.change_contact(business.scope(), id.contact(), writes).await;
    let late = agent.post(path, carrying(&photo)).await;
    let detail = late.is_refused(409, "message_refused").detail();
    assert!(detail.contains("more than a day ago"), "{detail}");
    assert_eq!(aws.depth(QueueName::Sends).await, 0);
}
