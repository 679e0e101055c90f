//! Memory that a file of the largest size takes on both of its ways. Alone in its process, whose memory it reads.

use std::time::Instant;

use domain::media::{Asset, AssetIn, InboundMedia, MediaKind, MediumState};
use domain::terms::{FileId, MessageId, Resource as _};
use fetch_media::{Context, handle};
use jobs::MediaJob;
use kit::{Done, FileKey, Files, Job};
use serde_json::json;
use testkit::file_host::{FileHost, MAX_KEPT, Reply};

const MIB: u64 = 1024 * 1024;

/// The largest size of a file.
const LARGEST: u64 = MediaKind::Document.most_bytes();

/// MiB that a file may take in addition to a small one. There is much room, but none for a whole file.
const MAX: u64 = 64;

const PDF: &[u8] = b"%PDF-1.7\n";

/// The largest amount of memory that the process has had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    kilobytes.expect("its peak").parse::<u64>().expect("a number") / 1024
}

struct World {
    host: FileHost,
    world: testkit::World<Context>,
}

testkit::extends_world!(World.world: Context);

impl World {
    async fn new() -> Self {
        let host = FileHost::start(Reply::Short);
        let world = testkit::World::with_env(|aws| host.env(aws, &[]), Context::new, |_| {}).await;
        Self { host, world }
    }

    async fn work(&self, job: MediaJob) {
        let done = Box::pin(handle(Job::new(job, 1), &self.ctx)).await;
        assert_eq!(done.expect("the job is done"), Done::Now);
    }

    /// Fetches a document of this length. Returns its message.
    async fn fetch_document(&self, bytes: u64) -> MessageId {
        let about = json!({"url": format!("{}/files/1", self.host.url()), "file_size": bytes});
        self.host.tell(200, &about.to_string());
        self.host.answer(Reply::Long("application/pdf", PDF, bytes));
        let media = vec![InboundMedia {
            kind: Some(MediaKind::Document),
            ..InboundMedia::new("7001".to_owned())
        }];
        let message = self.receive_media(media, self.business.whatsapp).await;
        let pending = self.business.medium(&self.aws, message, 0).await;
        self.work(MediaJob::fetch(self.business.tenant(), &pending)).await;
        let medium = self.business.medium(&self.aws, message, 0).await;
        assert_eq!((medium.state, medium.bytes), (MediumState::Ready, Some(bytes)));
        message
    }

    /// An asset that is ready, of this length.
    async fn asset(&self, bytes: u64) -> FileId {
        let (aws, scope) = (&self.aws, self.business.scope());
        let name = "menu.pdf".parse().expect("a name");
        let mut asset = Asset::new(aws.ids().ulid(), AssetIn { name }, aws.now());
        asset.kind = MediaKind::Document;
        asset.record_upload("application/pdf", bytes, "0f".repeat(32), false);
        let created = aws.store().create(scope, &asset, &aws.stamp()).await;
        created.expect("it is created");
        let files = Files::new(aws.env()).expect("a bucket");
        let mut copy = files.copy(FileKey::asset(scope, asset.id));
        let mut missing = bytes;
        while missing > 0 {
            let piece = vec![0; usize::try_from(missing.min(MIB)).expect("a length")];
            copy.add(&piece).await.expect("the bucket takes it");
            missing -= piece.len() as u64;
        }
        assert_eq!(Box::pin(copy.complete()).await.expect("it is complete"), bytes);
        asset.id
    }

    /// Uploads an asset to WhatsApp.
    async fn upload_asset(&self, asset: FileId, bytes: u64) {
        self.host.tell(200, r#"{"id": "4490709327384033"}"#);
        drop(self.host.take_requests());
        let job = MediaJob::Upload {
            tenant: self.business.tenant(),
            correlation_id: "cor".to_owned(),
            asset,
            connection: self.business.whatsapp,
        };
        self.work(job).await;
        let asked = self.host.take_requests();
        assert!(asked.iter().any(|asked| asked.length > bytes), "it is not whole");
    }
}

/// With `--nocapture`, it says how much.
#[tokio::test]
async fn the_largest_file_takes_little_memory() {
    let world = World::new().await;
    world.fetch_document(MIB).await;
    let small = world.asset(MIB).await;
    world.upload_asset(small, MIB).await;

    let (before, begun) = (peak(), Instant::now());
    world.fetch_document(LARGEST).await;
    let (fetched, seconds) = (peak(), begun.elapsed().as_secs_f64());
    eprintln!("fetching 100 MiB in {seconds:.1} s: {fetched} MiB at most, {before} MiB before");

    let asset = world.asset(LARGEST).await;
    let (before_upload, begun) = (peak(), Instant::now());
    world.upload_asset(asset, LARGEST).await;
    let (uploaded, seconds) = (peak(), begun.elapsed().as_secs_f64());
    eprintln!("uploading 100 MiB in {seconds:.1} s: {uploaded} MiB at most, {before_upload} MiB before");

    assert!(fetched - before <= MAX, "{} MiB", fetched - before);
    // The host's copy of the upload belongs to the test.
    let kept = MAX_KEPT / MIB;
    assert!(uploaded - before <= MAX + kept, "{} MiB", uploaded - before);
}
