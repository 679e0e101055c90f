//! Pictures and other files of customers' messages: stored as rows beside them, and fetched by jobs.

use domain::calls::Received;
use domain::media::{MediaKind, Medium, MediumState};
use domain::people::Identity;
use jobs::MediaJob;
use kit::{Done, Job, QueueName};
use process_provider_event::{Context, handle};
use serde_json::{Value, json};
use testkit::business::phone;
use testkit::{Lossy, fixtures};

use super::answers::closed_business;
use super::world::{World, wrote};

/// The customer's text with this content instead.
fn message_with_content(world: &World, id: &str, kind: &str, content: &Value) -> Value {
    let mut value = wrote(id, world.seconds(), "");
    value["messages"][0]["type"] = json!(kind);
    value["messages"][0][kind] = content.clone();
    value
}

async fn media(world: &World, received: &[Received]) -> Vec<Medium> {
    let store = world.aws.store();
    let found = store.media_of(world.business.scope(), received, world.aws.now()).await;
    let mut media = found.expect("the table answers");
    media.sort_by_key(|medium| medium.index);
    media
}

async fn jobs(world: &World) -> Vec<MediaJob> {
    world.aws.take_jobs(QueueName::Media).await
}

#[tokio::test]
async fn a_picture_is_stored_as_a_message_and_fetched_by_a_job() {
    let world = World::new().await;
    let hash = "d0f1b8f3b2c94c1c6f8a0f5b1a7e0c8f7a1d2e3f4a5b6c7d8e9f00112233aabb";
    let picture = json!({"id": "7001", "mime_type": "image/jpeg", "sha256": hash, "caption": "The dent"});
    let event = || world.messages(&message_with_content(&world, "wamid.in", "image", &picture));
    assert_eq!(world.work(event()).await, Done::Now);
    let (received, _) = world.told_by_customer().await;
    let message = &received[0].message;
    assert_eq!((message.text.as_deref(), &*message.kind), (Some("The dent"), "image"));
    let reported = &message.media[0];
    assert_eq!(
        (&*reported.source, reported.mime.as_deref()),
        ("7001", Some("image/jpeg"))
    );
    assert_eq!(
        (reported.kind(), reported.sha256.as_deref()),
        (MediaKind::Image, Some(hash))
    );
    let stored = media(&world, &received).await;
    assert_eq!((stored.len(), stored[0].state), (1, MediumState::Pending));
    assert_eq!(
        stored[0].kept_until,
        received[0].keep_until.expect("messages are kept for a time")
    );
    let due = stored[0].due.expect("it is due until it is stored");
    assert!(world.aws.now() < due, "the queue is given its time");
    assert_eq!(
        jobs(&world).await,
        [MediaJob::fetch(world.business.tenant(), &stored[0])]
    );
    // The provider's webhook comes again, which says nothing about the job.
    assert_eq!(world.work(event()).await, Done::Already);
    assert_eq!(jobs(&world).await, []);
    // The queue's own redelivery does: whoever stored the message may have stopped before.
    assert_eq!(world.receive_event(event(), 2).await.unwrap(), Done::Already);
    let fetch = MediaJob::fetch(world.business.tenant(), &stored[0]);
    assert_eq!(jobs(&world).await, [fetch]);
    assert_eq!(media(&world, &received).await, stored);
}

#[tokio::test]
async fn picture_is_fetched_though_its_answer_fails() {
    let world = closed_business().await;
    let lossy = Lossy::before(&world.aws);
    let ctx = Context::new(&world.aws.env_behind(lossy.url())).unwrap();
    // The message is stored, its answer is not.
    lossy.happens_before("TransactWriteItems", async || ());
    lossy.throttle("TransactWriteItems", 20);
    let event = world.messages(&message_with_content(
        &world,
        "wamid.in",
        "image",
        &json!({"id": "7001"}),
    ));
    assert!(Box::pin(handle(Job::new(event, 1), &ctx)).await.is_err());
    let (received, _) = world.told_by_customer().await;
    assert!(received[0].answer.is_some());
    let stored = media(&world, &received).await;
    assert_eq!(
        jobs(&world).await,
        [MediaJob::fetch(world.business.tenant(), &stored[0])]
    );
}

#[tokio::test]
async fn all_media_of_an_mms_are_rows_with_jobs() {
    let world = World::new().await;
    let one = |number: usize| {
        let url =
            format!("https%3A%2F%2Fapi.twilio.com%2F2010-04-01%2FAccounts%2FAC1%2FMessages%2FMM1%2FMedia%2FME{number}");
        format!("&MediaUrl{number}={url}&MediaContentType{number}=image%2Fpng")
    };
    let more: String = (0..10).map(one).collect();
    let event = world.sms("MM1", "", &format!("&NumMedia=10{more}"));
    assert_eq!(world.work(event).await, Done::Now);
    let (received, _) = world.told_by_customer().await;
    let stored = media(&world, &received).await;
    let indexes: Vec<u8> = stored.iter().map(|medium| medium.index).collect();
    assert_eq!(indexes, (0..10).collect::<Vec<_>>());
    assert!(stored.iter().all(|medium| medium.kind == MediaKind::Image));
    let mut queued = jobs(&world).await;
    queued.sort_by_key(|job| match job {
        MediaJob::Fetch { index, .. } => *index,
        MediaJob::Upload { .. } | MediaJob::Drop { .. } => u8::MAX,
    });
    let tenant = world.business.tenant();
    let expected: Vec<_> = stored.iter().map(|medium| MediaJob::fetch(tenant, medium)).collect();
    assert_eq!(queued, expected);
}

/// Nothing that a customer sends is dropped, whatever it is, and none fails its batch.
#[tokio::test]
async fn every_kind_of_message_is_stored_as_what_it_is() {
    let mut stored = 0;
    for name in fixtures::names("whatsapp/inbound") {
        let world = World::new().await;
        let fixture = fixtures::json(&name);
        let value = &fixture["entry"][0]["changes"][0]["value"];
        let items = value["messages"].as_array().map_or(&[][..], Vec::as_slice);
        world.deliver(value).await;
        let queued = jobs(&world).await;
        for item in items.iter().filter(|item| item["type"] != "system") {
            let kind = item["type"].as_str().expect("a type");
            let identity = match item["from_user_id"].as_str() {
                Some(id) => Identity::Bsuid(id.to_owned()),
                None => Identity::Phone(phone(&format!("+{}", item["from"].as_str().expect("a sender")))),
            };
            let known = world.contact_of(&identity).await.expect("the sender is known");
            let (received, _) = world.told_by(&known).await;
            assert_eq!(received.len(), 1, "{name}");
            let shown = if kind == "hologram" { "unsupported" } else { kind };
            assert_eq!(received[0].message.kind, shown, "{name}");
            let is_file = MediaKind::from_name(kind).is_some();
            assert_eq!(media(&world, &received).await.len(), usize::from(is_file), "{name}");
            assert_eq!(queued.len(), usize::from(is_file), "{name}");
            stored += 1;
        }
    }
    assert!(stored > 30, "{stored} messages");
}

#[tokio::test]
async fn every_message_through_twilio_is_stored() {
    for name in [fixtures::names("twilio/sms"), fixtures::names("twilio/whatsapp")].concat() {
        if !name.contains("/inbound_") {
            continue;
        }
        let world = World::new().await;
        let form = fixtures::text(&name);
        // Media of the advertisement that led to the message are none of it.
        let count = form.matches("&MediaUrl").count();
        world.work(world.twilio_inbound(form)).await;
        assert_eq!(jobs(&world).await.len(), count, "{name}");
    }
}
