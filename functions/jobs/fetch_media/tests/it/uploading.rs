//! Uploads of assets to WhatsApp.

use domain::media::{Asset, AssetIn, AssetState, Handle, MediaKind, Turn};
use domain::terms::{AssetId, ConnectionId, ConversationId, FileId, MessageId, Resource as _};
use jiff::SignedDuration;
use jobs::MediaJob;
use kit::{Done, FileKey, Files, JobError};
use testkit::business::CUSTOMER;
use testkit::seed::PHONE_NUMBER_ID;

use super::world::{World, picture, sha256, video};

const DAY: i64 = 24 * 3_600;

impl World {
    /// An asset that is ready, with its file.
    async fn asset(&self, content_type: &str, file: Vec<u8>) -> FileId {
        let (aws, scope) = (&self.aws, self.business.scope());
        let name = "cake.jpg".parse().unwrap();
        let mut asset = Asset::new(aws.ids().ulid(), AssetIn { name }, aws.now());
        asset.kind = MediaKind::of(content_type).unwrap();
        asset.record_upload(content_type, file.len() as u64, sha256(&file), false);
        aws.store().create(scope, &asset, &aws.stamp()).await.unwrap();
        let files = Files::new(aws.env()).unwrap();
        files.write(&FileKey::asset(scope, asset.id), file).await.unwrap();
        asset.id
    }

    async fn stored_asset(&self, asset: FileId) -> Asset {
        let found = self.aws.store().asset(self.business.scope(), asset).await;
        found.unwrap().unwrap().value
    }

    async fn upload(&self, asset: FileId, connection: ConnectionId) -> Result<Done, JobError> {
        self.upload_again(asset, connection, 1).await
    }

    async fn upload_again(&self, asset: FileId, connection: ConnectionId, receives: u32) -> Result<Done, JobError> {
        let job = MediaJob::Upload {
            tenant: self.business.tenant(),
            correlation_id: "cor".to_owned(),
            asset,
            connection,
        };
        self.work(job, receives, &self.ctx).await
    }
}

#[tokio::test]
async fn an_asset_is_uploaded_once_and_renewed() {
    let world = World::new().await;
    let whatsapp = world.business.whatsapp;
    let asset = world.asset("image/jpeg", picture()).await;
    world.host.tell(200, r#"{"id": "4490709327384033"}"#);
    assert_eq!(world.upload(asset, whatsapp).await.unwrap(), Done::Now);
    let asked = world.host.take_requests();
    let [sent] = asked.as_slice() else {
        panic!("one request: {asked:?}");
    };
    assert_eq!(
        (&*sent.method, &sent.path),
        ("POST", &format!("/v25.0/{PHONE_NUMBER_ID}/media"))
    );
    assert_eq!(sent.authorization, "Bearer fixture-access-token");
    let parts = |part: &[u8]| sent.body.windows(part.len()).any(|window| window == part);
    assert!(parts(&picture()) && parts(b"name=\"messaging_product\"\r\n\r\nwhatsapp\r\n"));
    assert!(parts(b"name=\"type\"\r\n\r\nimage/jpeg\r\n"));
    assert!(parts(
        format!("filename=\"{asset}.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n").as_bytes()
    ));
    let known = world.stored_asset(asset).await;
    let handle = Handle {
        id: "4490709327384033".parse().unwrap(),
        expires_at: world.aws.now() + SignedDuration::from_hours(30 * 24),
    };
    assert_eq!(known.handles.get(&whatsapp), Some(&handle));
    assert_eq!(known.state, AssetState::Ready);

    // It is good for four weeks.
    world.aws.pass(29 * DAY - 1);
    assert_eq!(world.upload(asset, whatsapp).await.unwrap(), Done::Already);
    assert!(world.host.take_requests().is_empty());
    world.aws.pass(1);
    world.host.tell(200, r#"{"id": 4490709327384034}"#);
    assert_eq!(world.upload(asset, whatsapp).await.unwrap(), Done::Now);
    let renewed = world.stored_asset(asset).await.handles.remove(&whatsapp).unwrap();
    assert_eq!(renewed.id, "4490709327384034");
    assert!(renewed.expires_at > handle.expires_at);
}

/// Longer than a piece, so it is not held in memory as a whole.
#[tokio::test]
async fn a_large_asset_is_uploaded_whole() {
    let world = World::new().await;
    let video = video(15 * 1024 * 1024);
    let asset = world.asset("video/mp4", video.clone()).await;
    world.host.tell(200, r#"{"id": "1"}"#);
    assert_eq!(world.upload(asset, world.business.whatsapp).await.unwrap(), Done::Now);
    let sent = world.host.take_requests().remove(0).body;
    let start = sent.windows(24).position(|window| *window == video[..24]).unwrap();
    assert!(sent[start..start + video.len()] == video, "another file");
    assert!(sent.ends_with(b"--\r\n") && sent.len() < video.len() + 1_000);
}

#[tokio::test]
async fn an_upload_that_fails_is_repeated_and_then_given_up() {
    let world = World::new().await;
    let whatsapp = world.business.whatsapp;
    let asset = world.asset("image/jpeg", picture()).await;
    for (status, about) in [
        (500, "{}"),
        (429, "{}"),
        (200, "{}"),
        (200, r#"{"id": ""}"#),
        (200, "<html>"),
        (400, r#"{"error": {"code": 100}}"#),
        (401, r#"{"error": {"code": 190}}"#),
    ] {
        world.host.tell(status, about);
        assert!(
            world.upload_again(asset, whatsapp, 7).await.is_err(),
            "{status} {about}"
        );
        assert_eq!(world.upload_again(asset, whatsapp, 8).await.unwrap(), Done::Already);
        let known = world.stored_asset(asset).await;
        assert_eq!(
            (known.state, known.handles.len()),
            (AssetState::Ready, 0),
            "{status} {about}"
        );
    }
    // A message that still needs it queues another job.
    world.host.tell(200, r#"{"id": "1"}"#);
    assert_eq!(world.upload(asset, whatsapp).await.unwrap(), Done::Now);
}

/// Its code may also mean that something went wrong.
#[tokio::test]
async fn refusals_of_whatsapp_are_believed_in_the_end() {
    let world = World::new().await;
    let (whatsapp, wait) = (world.business.whatsapp, 600);
    let asset = world.asset("image/jpeg", picture()).await;
    world.host.tell(400, r#"{"error": {"code": 131053}}"#);
    for receives in 1..3 {
        // However often it was delivered.
        assert!(world.upload_again(asset, whatsapp, receives + 3).await.is_err());
        drop(world.host.take_requests());
        world.aws.pass(wait - 1);
        assert_eq!(world.upload(asset, whatsapp).await.unwrap(), Done::Already);
        assert!(world.upload_again(asset, whatsapp, 2).await.is_err());
        assert!(world.host.take_requests().is_empty(), "it rests");
        let known = world.stored_asset(asset).await;
        assert_eq!(known.taken_by(whatsapp, world.aws.now()), Ok(()));
        world.aws.pass(1);
    }
    assert_eq!(world.upload_again(asset, whatsapp, 3).await.unwrap(), Done::Now);
    let known = world.stored_asset(asset).await;
    assert!(known.taken_by(whatsapp, world.aws.now()).is_err());
    drop(world.host.take_requests());
    world.aws.pass(wait);
    assert_eq!(world.upload_again(asset, whatsapp, 2).await.unwrap(), Done::Already);
    assert!(world.host.take_requests().is_empty());
    // Other connections may send it, and so may this one on the next day.
    assert_eq!(known.usable(MediaKind::Image), Ok(()));
    world.aws.pass(DAY);
    world.host.tell(200, r#"{"id": "1"}"#);
    assert_eq!(world.upload(asset, whatsapp).await.unwrap(), Done::Now);
    let known = world.stored_asset(asset).await;
    assert_eq!((known.handles.len(), known.uploads.len()), (1, 0));
}

/// As many messages may need it.
#[tokio::test]
async fn an_asset_is_uploaded_by_one_job_at_a_time() {
    let world = World::new().await;
    let whatsapp = world.business.whatsapp;
    let asset = world.asset("image/jpeg", picture()).await;
    world.host.tell(200, r#"{"id": "1"}"#);
    let (store, scope) = (world.aws.store(), world.business.scope());
    let mut taken = store.asset(scope, asset).await.unwrap().unwrap();
    assert_eq!(taken.value.take_upload(whatsapp, world.aws.now()), Turn::Own);
    store.note_asset(scope, taken.version, &taken.value).await.unwrap();
    assert_eq!(world.upload(asset, whatsapp).await.unwrap(), Done::Already);
    // It may be the one that has taken it.
    world.aws.pass(119);
    assert!(world.upload_again(asset, whatsapp, 2).await.is_err());
    assert!(world.host.take_requests().is_empty());
    world.aws.pass(1);
    assert_eq!(world.upload_again(asset, whatsapp, 3).await.unwrap(), Done::Now);
    assert_eq!(world.stored_asset(asset).await.handles.len(), 1);
    assert_eq!(world.host.take_requests().len(), 1);
}

#[tokio::test]
async fn what_needs_no_upload_asks_for_nothing() {
    let world = World::new().await;
    world.host.tell(200, r#"{"id": "1"}"#);
    let (aws, scope, whatsapp) = (&world.aws, world.business.scope(), world.business.whatsapp);
    let ready = world.asset("image/jpeg", picture()).await;
    let new_connection = ConnectionId::new(aws.ids().ulid());
    // Twilio takes a link.
    for connection in [world.business.twilio, world.business.telephony, new_connection] {
        assert_eq!(world.upload(ready, connection).await.unwrap(), Done::Already);
    }
    let unknown = AssetId::new(aws.ids().ulid()).into();
    assert_eq!(world.upload(unknown, whatsapp).await.unwrap(), Done::Already);
    for state in [AssetState::AwaitingUpload, AssetState::Scanning, AssetState::Refused] {
        let asset = world.asset("image/jpeg", picture()).await;
        let store = aws.store();
        let mut known = store.asset(scope, asset).await.unwrap().unwrap();
        known.value.state = state;
        store.note_asset(scope, known.version, &known.value).await.unwrap();
        assert_eq!(world.upload(asset, whatsapp).await.unwrap(), Done::Already);
    }
    // Its file was deleted, as its row will be.
    let files = Files::new(aws.env()).unwrap();
    files.remove(&FileKey::asset(scope, ready)).await.unwrap();
    assert_eq!(world.upload(ready, whatsapp).await.unwrap(), Done::Already);
    assert!(world.host.take_requests().is_empty());
}

impl World {
    /// An attachment of a conversation with a customer, changed.
    async fn attachment(&self, change: impl FnOnce(&mut Asset)) -> FileId {
        let contact = self.business.contact(&self.aws, CUSTOMER).await.id;
        let conversation = ConversationId::of(contact, None);
        self.business.attachment(&self.aws, conversation, change).await.id
    }

    async fn drop_attachment(&self, attachment: FileId) -> Result<Done, JobError> {
        let job = MediaJob::Drop {
            tenant: self.business.tenant(),
            correlation_id: "cor".to_owned(),
            attachment,
        };
        self.work(job, 1, &self.ctx).await
    }

    /// Whether the row of an attachment is there, and its file.
    async fn keeps(&self, attachment: FileId) -> (bool, bool) {
        let row = self.aws.store().asset(self.business.scope(), attachment).await;
        (row.unwrap().is_some(), !self.aws.files("assets/").await.is_empty())
    }
}

#[tokio::test]
async fn unused_attachment_is_deleted_after_a_day() {
    let world = World::new().await;
    let attachment = world.attachment(|_| {}).await;
    world.aws.pass(DAY + 299);
    assert_eq!(world.drop_attachment(attachment).await.unwrap(), Done::Already);
    assert_eq!(world.keeps(attachment).await, (true, true));
    world.aws.pass(1);
    for done in [Done::Now, Done::Already] {
        assert_eq!(world.drop_attachment(attachment).await.unwrap(), done);
        assert_eq!(world.keeps(attachment).await, (false, false));
    }
}

/// Which the provider gets as it gets an asset.
#[tokio::test]
async fn attachment_is_uploaded_and_goes_with_its_message() {
    let world = World::new().await;
    let until = world.aws.now() + SignedDuration::from_hours(24 * 60);
    let sent = |file: &mut Asset| {
        let contact = file.attached.as_ref().unwrap().conversation.contact();
        let message = MessageId::new(contact, file.id.ulid());
        *file = file.clone().attached_to(message, Some(until));
    };
    let attachment = world.attachment(sent).await;
    let whatsapp = world.business.whatsapp;
    world.host.tell(200, r#"{"id": "4490709327384033"}"#);
    assert_eq!(world.upload(attachment, whatsapp).await.unwrap(), Done::Now);
    let asked = world.host.take_requests().remove(0).body;
    assert!(asked.windows(7).any(|part| part == b"picture"));
    let known = world.stored_asset(attachment).await;
    assert!(known.handle(whatsapp, world.aws.now()).is_some());
    assert_eq!((known.due, known.attached.unwrap().version), (Some(until), 3));
    world.aws.pass(60 * DAY - 1);
    assert_eq!(world.drop_attachment(attachment).await.unwrap(), Done::Already);
    world.aws.pass(1);
    assert_eq!(world.drop_attachment(attachment).await.unwrap(), Done::Now);
    assert_eq!(world.keeps(attachment).await, (false, false));
}
