//! Messages with files: WhatsApp has the file before the message, Twilio fetches it.

use domain::media::Asset;
use domain::messages::{AttemptState, Content, Message, MessageState};
use domain::terms::{Channel, ConversationId, Reason};
use jobs::MediaJob;
use kit::QueueName;
use serde_json::{Value, json};
use testkit::Reply;
use testkit::business::{phone, read};

use super::world::{World, has_attempts, is};

/// The WhatsApp number of the business.
const WHATSAPP: &str = "+447700900999";

/// A message by WhatsApp with this content, to a customer who has just written.
async fn planned_message(world: &World, content: Value) -> Message {
    let mut message = world.follow_up().await;
    message.plan.truncate(1);
    message.plan[0].content = read::<Content>(content);
    world.write(&message).await;
    let now = world.aws.now();
    world
        .change_contact(&message, |contact| {
            contact.open_window(&phone(WHATSAPP), &contact.recipient(), now)
        })
        .await;
    message
}

async fn picture(world: &World) -> Asset {
    world.business.asset(&world.aws, "image", "image/jpeg").await
}

/// A message by WhatsApp with a picture that is not uploaded.
async fn with_picture() -> (World, Asset, Message) {
    let world = World::by(&[Channel::WhatsApp]).await;
    let asset = picture(&world).await;
    let message = planned_message(&world, media(&asset)).await;
    (world, asset, message)
}

/// WhatsApp gives the asset this id.
async fn record_upload(world: &World, asset: &Asset, id: &str) {
    let (business, aws) = (&world.business, &world.aws);
    business.upload(aws, asset, business.whatsapp, id).await;
}

fn media(asset: &Asset) -> Value {
    json!({"media": {"asset": {"asset_id": asset.id, "kind": asset.kind}, "caption": "Our map"}})
}

async fn uploads(world: &World) -> Vec<MediaJob> {
    world.aws.take_jobs(QueueName::Media).await
}

fn upload(world: &World, message: &Message, asset: &Asset) -> MediaJob {
    MediaJob::Upload {
        tenant: world.business.tenant(),
        correlation_id: message.correlation_id.clone(),
        asset: asset.id,
        connection: world.business.whatsapp,
    }
}

#[tokio::test]
async fn file_is_sent_by_its_id_once_it_is_uploaded() {
    let (world, asset, message) = with_picture().await;
    let waits = world.work_and_read(&message).await;
    is(&waits, MessageState::Scheduled);
    has_attempts(&waits, &[]);
    let remark = waits.remarks.last().and_then(|remark| remark.because.as_ref());
    assert_eq!(remark.map(|because| because.code), Some(Reason::AssetUploading));
    assert_eq!(uploads(&world).await, [upload(&world, &message, &asset)]);
    // It comes back by itself, and asks again only after a minute, and then after as long as it had waited.
    assert_eq!(world.copies().await, 1);
    world.aws.pass(10);
    let waits = world.work_and_read(&message).await;
    assert_eq!(uploads(&world).await, []);
    world.aws.pass(60);
    is(&world.work_and_read(&waits).await, MessageState::Scheduled);
    assert_eq!(uploads(&world).await, [upload(&world, &message, &asset)]);
    for (seconds, asked) in [(80, 1), (80, 0), (80, 1)] {
        world.aws.pass(seconds);
        is(&world.work_and_read(&waits).await, MessageState::Scheduled);
        assert_eq!(uploads(&world).await.len(), asked, "after {seconds} s more");
    }
    assert!(world.provider.sends().is_empty());

    record_upload(&world, &asset, "7001").await;
    world.aws.pass(120);
    is(&world.work_and_read(&waits).await, MessageState::Accepted);
    let body = world.provider.only_send().json();
    assert_eq!(
        (&body["type"], &body["image"]),
        (&json!("image"), &json!({"id": "7001", "caption": "Our map"}))
    );
}

/// Whoever requested the message has asked for the upload, and only that job is queued.
#[tokio::test]
async fn upload_that_the_request_asked_for_is_not_repeated() {
    let (world, asset, message) = with_picture().await;
    let mut asked = world.message(&message).await;
    asked.upload_asked = Some(world.aws.now());
    world.write(&asked).await;
    is(&world.work_and_read(&message).await, MessageState::Scheduled);
    assert_eq!(uploads(&world).await, []);
    // Its job may have been given up.
    world.aws.pass(120);
    is(&world.work_and_read(&message).await, MessageState::Scheduled);
    assert_eq!(uploads(&world).await, [upload(&world, &message, &asset)]);
}

/// The message waited for an upload that WhatsApp does not know.
#[tokio::test]
async fn forgotten_file_is_asked_for_again_after_a_wait() {
    let (world, asset, message) = with_picture().await;
    is(&world.work_and_read(&message).await, MessageState::Scheduled);
    assert_eq!(uploads(&world).await.len(), 1);
    record_upload(&world, &asset, "7001").await;
    world.aws.pass(20);
    world.provider.reply(Reply::graph(400, 131053));
    is(&world.work_and_read(&message).await, MessageState::Scheduled);
    assert_eq!(world.provider.sends().len(), 1);
    world.aws.pass(10);
    is(&world.work_and_read(&message).await, MessageState::Scheduled);
    assert_eq!(uploads(&world).await, [upload(&world, &message, &asset)]);
    record_upload(&world, &asset, "7002").await;
    world.aws.pass(180);
    is(&world.work_and_read(&message).await, MessageState::Accepted);
}

/// WhatsApp forgets an id before its time, or the file was none that it takes.
#[tokio::test]
async fn file_that_whatsapp_does_not_know_is_uploaded_once_more() {
    for code in [131009, 131053] {
        let world = World::by(&[Channel::WhatsApp]).await;
        let asset = picture(&world).await;
        record_upload(&world, &asset, "7001").await;
        let message = planned_message(&world, media(&asset)).await;
        world.provider.reply(Reply::graph(400, code));
        let refused = world.work_and_read(&message).await;
        is(&refused, MessageState::Scheduled);
        has_attempts(&refused, &[AttemptState::Refused]);
        let known = world.aws.store().asset(world.business.scope(), asset.id).await.unwrap();
        assert!(known.unwrap().value.handles.is_empty());
        world.aws.pass(10);
        world.work_and_read(&message).await;
        assert_eq!(uploads(&world).await, [upload(&world, &message, &asset)]);
        record_upload(&world, &asset, "7002").await;
        world.aws.pass(120);
        world.provider.reply(Reply::graph(400, code));
        // The second refusal is the last.
        is(&world.work_and_read(&message).await, MessageState::Failed);
        let sends = world.provider.sends();
        let ids: Vec<Value> = sends.iter().map(|send| send.json()["image"]["id"].clone()).collect();
        assert_eq!(ids, ["7001", "7002"]);
        let known = world.aws.store().asset(world.business.scope(), asset.id).await.unwrap();
        assert_eq!(known.unwrap().value.handles.len(), 1, "{code}");
    }
}

/// The first attempt says nothing of the file.
#[tokio::test]
async fn file_is_uploaded_again_after_a_throttled_attempt() {
    let world = World::by(&[Channel::WhatsApp]).await;
    let asset = picture(&world).await;
    record_upload(&world, &asset, "7001").await;
    world.aws.pass(60);
    let message = planned_message(&world, media(&asset)).await;
    for code in [131056, 131009] {
        world.provider.reply(Reply::graph(400, code));
        is(&world.work_and_read(&message).await, MessageState::Scheduled);
        world.aws.pass(60);
    }
    is(&world.work_and_read(&message).await, MessageState::Scheduled);
    assert_eq!(uploads(&world).await, [upload(&world, &message, &asset)]);
    record_upload(&world, &asset, "7002").await;
    world.aws.pass(120);
    world.provider.reply(Reply::graph(400, 131009));
    is(&world.work_and_read(&message).await, MessageState::Failed);
    assert_eq!(world.provider.sends().len(), 3);
}

#[tokio::test]
async fn message_does_not_outlive_the_wait_for_its_file() {
    let (world, _asset, message) = with_picture().await;
    is(&world.work_and_read(&message).await, MessageState::Scheduled);
    assert_eq!(uploads(&world).await.len(), 1);
    world.aws.pass(72 * 3_600);
    let late = world.work_and_read(&message).await;
    is(&late, MessageState::Blocked);
    assert_eq!(late.because().map(|because| because.code), Some(Reason::Late));
    assert_eq!(uploads(&world).await, []);
    assert!(world.provider.sends().is_empty());
}

/// A wrong parameter of a message without a file is nobody's upload.
#[tokio::test]
async fn refusal_of_a_message_without_file_is_final() {
    let world = World::by(&[Channel::WhatsApp]).await;
    let place = json!({"location": {"latitude": 25.0805, "longitude": 55.1403}});
    let message = planned_message(&world, place).await;
    world.provider.reply(Reply::graph(400, 131009));
    is(&world.work_and_read(&message).await, MessageState::Failed);
    assert_eq!(uploads(&world).await, []);
}

#[tokio::test]
async fn message_without_its_file_is_not_sent() {
    let world = World::by(&[Channel::WhatsApp]).await;
    let asset = picture(&world).await;
    let mut content = media(&asset);
    content["media"]["asset"]["asset_id"] = json!("ast_00000000000000000000000009");
    let message = planned_message(&world, content).await;
    is(&world.work_and_read(&message).await, MessageState::Failed);
    assert!(world.provider.sends().is_empty());
}

/// An attachment is in the partition of its contact, and its file in the folder.
#[tokio::test]
async fn attachment_reaches_both_providers() {
    for world in [World::by(&[Channel::WhatsApp]).await, World::at_twilio(WHATSAPP).await] {
        let mut message = planned_message(&world, json!({"text": "Look at this."})).await;
        let conversation = ConversationId::of(message.id.contact(), None);
        let photo = world.business.attachment(&world.aws, conversation, |_| {}).await;
        record_upload(&world, &photo, "7001").await;
        message = world.message(&message).await;
        message.plan[0].content = read::<Content>(media(&photo));
        world.write(&message).await;
        is(&world.work_and_read(&message).await, MessageState::Accepted);
        let request = world.provider.only_send();
        match request.field("MediaUrl") {
            Some(link) => assert!(link.contains("/assets/") && link.contains("/contact/"), "{link}"),
            None => assert_eq!(request.json()["image"]["id"], "7001"),
        }
    }
}

/// The recipient sees the name that the sender chose, not that of our row.
#[tokio::test]
async fn document_through_twilio_has_its_own_name() {
    let world = World::at_twilio(WHATSAPP).await;
    let asset = world.business.asset(&world.aws, "document", "application/pdf").await;
    let used = json!({"asset_id": asset.id, "kind": "document", "file_name": "Menü \"2\".pdf"});
    let message = planned_message(&world, json!({"media": {"asset": used}})).await;
    is(&world.work_and_read(&message).await, MessageState::Accepted);
    let link = world.provider.only_send().field("MediaUrl").expect("a link");
    // Escaped for the header, and once more for the link.
    assert!(link.contains("Men%25C3%25BC%2520%25222%2522.pdf"), "{link}");
    assert!(link.contains("response-content-type=application%2Fpdf"), "{link}");
}

/// The link is for this file alone, and only for a while.
#[tokio::test]
async fn twilio_gets_a_link_to_the_file() {
    let world = World::at_twilio(WHATSAPP).await;
    let asset = picture(&world).await;
    let message = planned_message(&world, media(&asset)).await;
    is(&world.work_and_read(&message).await, MessageState::Accepted);
    assert_eq!(uploads(&world).await, []);
    let request = world.provider.only_send();
    assert_eq!(request.field("Body").as_deref(), Some("Our map"));
    let link = request.field("MediaUrl").expect("a link");
    let own = asset.id.ulid().to_string().to_ascii_lowercase();
    assert!(link.contains("/assets/") && link.contains(&own), "{link}");
    assert!(link.contains("X-Amz-Expires=3600"), "{link}");
}

#[tokio::test]
async fn other_content_is_sent_as_it_is_stored() {
    for (content, kind) in [
        (
            json!({"interactive": {"body": "Book?", "action": {"buttons": [{"id": "yes", "title": "Yes"}]}}}),
            "interactive",
        ),
        (
            json!({"location": {"latitude": 25.0805, "longitude": 55.1403}}),
            "location",
        ),
        (
            json!({"contacts": [{"name": "Maya", "emails": ["maya@saffron.example"]}]}),
            "contacts",
        ),
        (json!({"reaction": {"to": "wamid.theirs", "emoji": "👍"}}), "reaction"),
    ] {
        let world = World::by(&[Channel::WhatsApp]).await;
        let message = planned_message(&world, content).await;
        is(&world.work_and_read(&message).await, MessageState::Accepted);
        assert_eq!(world.provider.only_send().json()["type"], kind);
    }
}

#[tokio::test]
async fn reply_names_the_message_that_it_answers() {
    let world = World::by(&[Channel::WhatsApp]).await;
    let mut message = planned_message(&world, json!({"text": "Yes, we are open."})).await;
    message = world.message(&message).await;
    message.plan[0].reply_to = Some("wamid.theirs".parse().unwrap());
    world.write(&message).await;
    is(&world.work_and_read(&message).await, MessageState::Accepted);
    let body = world.provider.only_send().json();
    assert_eq!(body["context"], json!({"message_id": "wamid.theirs"}));
}
