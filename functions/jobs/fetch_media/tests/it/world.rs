//! A business, its providers, and the function.

use std::time::Duration;

use domain::media::{InboundMedia, MediaKind, Medium, MediumState};
use domain::terms::MessageId;
use fetch_media::{Context, handle};
use jobs::MediaJob;
use kit::{Done, Job, JobError};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::file_host::{FileHost, Reply};
use testkit::seed::TWILIO_ACCOUNT;

/// Begins as a JPEG does.
pub(crate) fn picture() -> Vec<u8> {
    [b"\xff\xd8\xff\xe0\0\x10JFIF\0".as_slice(), &[7; 500]].concat()
}

/// A video of this length.
pub(crate) fn video(bytes: usize) -> Vec<u8> {
    let mut video = vec![5; bytes];
    video[..24].copy_from_slice(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom");
    video
}

pub(crate) fn sha256(file: &[u8]) -> String {
    hex::encode(Sha256::digest(file))
}

pub(crate) struct World {
    pub(crate) host: FileHost,
    world: testkit::World<Context>,
}

testkit::extends_world!(World.world: Context);

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With these variables of the function.
    pub(crate) async fn with(changes: &[(&str, &str)]) -> Self {
        let host = FileHost::start(Reply::File("image/jpeg", picture()));
        let world = testkit::World::with_env(|aws| host.env(aws, changes), Context::new, |_| {}).await;
        Self { host, world }
    }

    /// With a picture that a customer has sent by WhatsApp.
    pub(crate) async fn with_picture() -> (Self, MessageId) {
        let world = Self::new().await;
        world.has("image/jpeg", &picture());
        let message = world.message_with_medium(MediaKind::Image, "image/jpeg").await;
        (world, message)
    }

    /// WhatsApp's description of this file.
    pub(crate) fn about(&self, file: &[u8]) -> Value {
        json!({
            "messaging_product": "whatsapp", "id": "7001", "url": format!("{}/files/1?hash=a", self.host.url()),
            "mime_type": "image/jpeg", "sha256": sha256(file), "file_size": file.len().to_string(),
        })
    }

    /// The provider has this file.
    pub(crate) fn has(&self, content_type: &'static str, file: &[u8]) {
        self.host.tell(200, &self.about(file).to_string());
        self.host.answer(Reply::File(content_type, file.to_vec()));
    }

    /// A message by WhatsApp with a medium of this kind, which was declared to be this file.
    pub(crate) async fn message_with_medium(&self, kind: MediaKind, mime: &str) -> MessageId {
        let media = InboundMedia {
            kind: Some(kind),
            mime: Some(mime.to_owned()),
            ..InboundMedia::new("7001".to_owned())
        };
        self.receive_media(vec![media], self.business.whatsapp).await
    }

    /// A message through Twilio with a medium.
    pub(crate) async fn sent_through_twilio(&self, mime: &str) -> MessageId {
        let path = format!("/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Messages/MM1/Media/ME1");
        let media = InboundMedia {
            mime: Some(mime.to_owned()),
            ..InboundMedia::new(format!("https://api.twilio.com{path}"))
        };
        self.receive_media(vec![media], self.business.twilio).await
    }

    /// Does the job of the first medium of a message, when its next attempt is due.
    pub(crate) async fn fetch(&self, message: MessageId) -> Result<Done, JobError> {
        self.fetch_of(message, &self.ctx).await
    }

    pub(crate) async fn fetch_of(&self, message: MessageId, ctx: &Context) -> Result<Done, JobError> {
        let medium = self.medium(message).await;
        if medium.state == MediumState::Pending && medium.waits(self.aws.now()) {
            let due = medium.due.unwrap();
            self.aws.pass(due.duration_since(self.aws.now()).as_secs());
        }
        let job = MediaJob::fetch(self.business.tenant(), &medium);
        self.work(job, 1, ctx).await
    }

    /// As [`World::fetch`], which has to succeed. While the provider holds back its answer, `meanwhile` happens.
    pub(crate) async fn fetch_while(&self, message: MessageId, meanwhile: impl Future<Output = ()>) -> Done {
        let meanwhile = Box::pin(async {
            self.host.wait_for_request().await;
            meanwhile.await;
            self.host.release();
        });
        let (done, ()) = tokio::join!(self.fetch(message), meanwhile);
        done.expect("the job is done")
    }

    pub(crate) async fn work(&self, job: MediaJob, receives: u32, ctx: &Context) -> Result<Done, JobError> {
        Box::pin(handle(Job::new(job, receives), ctx)).await
    }

    pub(crate) async fn medium(&self, message: MessageId) -> Medium {
        self.business.medium(&self.aws, message, 0).await
    }

    /// Changes the first medium of a message, as another process does.
    pub(crate) async fn change_medium(&self, message: MessageId, change: impl FnOnce(&mut Medium)) {
        let mut medium = self.medium(message).await;
        change(&mut medium);
        let written = self.aws.store().write_medium(self.business.scope(), &medium).await;
        written.expect("nobody else writes the row");
    }

    /// The files in the bucket.
    pub(crate) async fn files(&self) -> Vec<Vec<u8>> {
        self.aws.files("media/").await.into_values().collect()
    }

    /// The function with this time for a file.
    pub(crate) fn with_short_timeout(&self) -> Context {
        let env = self.host.env(&self.aws, &[("PROVIDER_TIMEOUT", "1")]);
        let ctx = Context::new(&env).unwrap();
        ctx.with_limits(8 * 1024 * 1024, Duration::from_secs(1))
    }
}
