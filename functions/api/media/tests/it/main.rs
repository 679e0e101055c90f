//! Files of customers' messages, in process against the emulator, from the viewers' and the scanner's point of view.

use std::cell::Cell;

use domain::accounts::{Action, Permission, Role};
use domain::media::{FileName, InboundMedia, MediaReason, Medium, MediumState};
use domain::terms::{ContactId, MessageId};
use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::api::{Caller, Town};
use testkit::business::{business, mobile};
use testkit::{Answer, Aws, Seeded};

const JPEG: (&str, &[u8]) = ("image/jpeg", b"\xff\xd8\xff\xe0 a picture");

/// A business with its callers.
struct World<'a> {
    aws: &'a Aws,
    town: Town<'a>,
    business: Seeded,
    /// Number of messages so far, each by somebody else.
    messages: Cell<usize>,
}

impl<'a> World<'a> {
    async fn new(aws: &'a Aws) -> Self {
        Self::with(aws, &[]).await
    }

    /// With these variables in addition to the usual ones.
    async fn with(aws: &'a Aws, variables: &[(&str, &str)]) -> Self {
        Self {
            aws,
            town: Town::with_env(aws, &aws.env_with(variables), media::routes).await,
            business: business(aws).await,
            messages: Cell::new(0),
        }
    }

    async fn agent(&self) -> Caller<'_> {
        self.town.key_of(self.business.scope(), Role::Agent).await
    }

    async fn scanner(&self) -> Caller<'_> {
        self.town.key_of(self.business.scope(), Role::Admin).await
    }

    /// A message with two media, which are still to be fetched.
    async fn message(&self) -> MessageId {
        self.messages.set(self.messages.get() + 1);
        let contact = self.business.contact(self.aws, &mobile(self.messages.get())).await;
        let media = ["7001", "7002"].map(|source| InboundMedia::new(source.to_owned()));
        let business = &self.business;
        let received = business.receive_media(self.aws, contact.id, media.into(), |_| {});
        received.await.id
    }

    /// A message whose first medium is this file.
    async fn receive_file(&self, content_type: &str, content: &[u8]) -> MessageId {
        let message = self.message().await;
        let file = (content_type, content);
        let (mime, file) = file;
        let stored = self.business.store_fetched_medium(self.aws, message, 0, mime, file);
        stored.await;
        message
    }

    async fn receive_picture(&self) -> MessageId {
        let (content_type, content) = JPEG;
        self.receive_file(content_type, content).await
    }

    /// Changes the first medium of a message.
    async fn change(&self, message: MessageId, change: impl FnOnce(&mut Medium)) {
        let mut medium = self.business.medium(self.aws, message, 0).await;
        change(&mut medium);
        let written = self.aws.store().write_medium(self.business.scope(), &medium).await;
        written.expect("the table answers");
    }

    /// Files in the bucket.
    async fn files(&self) -> usize {
        self.aws.files("media/").await.len()
    }

    /// Who looked at what, of all time.
    async fn looks(&self) -> Vec<(String, String)> {
        let entries = self.aws.audit_log(self.business.scope()).await.into_iter();
        let looks = entries.filter(|entry| entry.action == Action::Read);
        let looks = looks.map(|entry| (entry.object, entry.changes[0].field.clone()));
        looks.collect()
    }
}

fn place(message: MessageId, index: impl std::fmt::Display) -> String {
    format!("/api/v1/messages/{message}/media/{index}")
}

/// Status, content type, disposition and body behind a link.
async fn download_file(answer: &Answer) -> (u16, [String; 3], Vec<u8>) {
    let link = answer.is(200).json();
    let got = reqwest::get(link["url"].as_str().expect("a link"))
        .await
        .expect("an answer");
    let header = |name: &str| got.headers()[name].to_str().expect("text").to_owned();
    let headers = ["content-type", "content-disposition", "cache-control"].map(header);
    (
        got.status().as_u16(),
        headers,
        got.bytes().await.expect("a body").to_vec(),
    )
}

#[tokio::test]
async fn a_link_leads_to_the_file_as_what_it_is() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let agent = world.agent().await;
    for (mime, ending, inline) in [
        ("image/jpeg", "jpg", true),
        ("video/mp4", "mp4", true),
        ("audio/ogg", "ogg", true),
        ("image/webp", "webp", true),
        ("application/pdf", "pdf", false),
        ("text/plain", "txt", false),
        ("application/octet-stream", "bin", false),
        ("image/svg+xml", "bin", false),
    ] {
        let message = world.receive_file(mime, mime.as_bytes()).await;
        let answer = agent.get(&place(message, 0)).await;
        let (status, [content_type, disposition, cache], body) = download_file(&answer).await;
        assert_eq!((status, body.as_slice(), &*content_type), (200, mime.as_bytes(), mime));
        let how = if inline { "inline" } else { "attachment" };
        let expected = format!("{how}; filename=\"{message}-0.{ending}\"");
        assert_eq!(disposition, expected, "{mime}");
        assert_eq!(cache, "private, no-store");
    }
}

/// A customer's file is saved under the customer's name for it.
#[tokio::test]
async fn a_document_keeps_its_name() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let contact = world.business.contact(&aws, &mobile(1)).await;
    let named = |name: &str| InboundMedia {
        file_name: FileName::of(name),
        ..InboundMedia::new("7001".to_owned())
    };
    let media = vec![named("عرض سعر.dwg"), named("photo.jpg")];
    let message = world.business.receive_media(&aws, contact.id, media, |_| {}).await.id;
    let types = ["application/octet-stream", "image/jpeg"];
    for (index, mime) in types.iter().enumerate() {
        let index = u8::try_from(index).unwrap();
        world
            .business
            .store_fetched_medium(&aws, message, index, mime, b"x")
            .await;
    }
    let agent = world.agent().await;
    let (_, [_, document, _], _) = download_file(&agent.get(&place(message, 0)).await).await;
    let encoded = "%D8%B9%D8%B1%D8%B6%20%D8%B3%D8%B9%D8%B1.dwg";
    assert_eq!(
        document,
        format!("attachment; filename=\"{message}-0.bin\"; filename*=UTF-8''{encoded}")
    );
    let (_, [_, shown, _], _) = download_file(&agent.get(&place(message, 1)).await).await;
    assert_eq!(shown, format!("inline; filename=\"{message}-1.jpg\""));
}

#[tokio::test]
async fn a_link_says_what_it_leads_to_and_for_how_long() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let message = world.receive_picture().await;
    let mut shown = world.agent().await.get(&place(message, 0)).await.is(200).json();
    let url = shown["url"].take();
    assert!(url.as_str().is_some_and(|url| url.contains("/contact/")), "{url}");
    let expires_at = aws.now() + SignedDuration::from_mins(5);
    assert_eq!(
        shown,
        json!({
            "url": null, "expires_at": expires_at, "kind": "document", "content_type": "image/jpeg",
            "bytes": JPEG.1.len(), "sha256": "0f".repeat(32),
        })
    );
}

#[tokio::test]
async fn files_need_a_permission_and_are_the_tenants_own() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let message = world.receive_picture().await;
    let path = place(message, 0);
    let verdict = format!("{path}/verdict");
    for role in Role::ALL {
        let caller = world.town.key_of(world.business.scope(), role).await;
        let may = role >= Role::Agent;
        caller.get(&path).await.is(if may { 200 } else { 403 });
        let judged = caller.post(&verdict, json!({"verdict": "clean"})).await;
        judged.is(if role == Role::Admin { 200 } else { 403 });
    }
    world.town.anyone().get(&path).await.is_refused(401, "unauthorized");
    let (_, reader) = world.town.new_key(Role::Admin, &[Permission::MessagesRead]).await;
    let reader = world.town.api_key(&reader);
    reader.get(&path).await.is_refused(403, "forbidden");
    // Of another tenant, a file looks like one that does not exist.
    let agent = world.agent().await;
    let nowhere = MessageId::new(message.contact(), aws.ids().ulid());
    let missing = agent.get(&place(nowhere, 0)).await;
    let missing = missing.is_refused(404, "not_found").detail();
    let foreign = world.town.admin();
    assert_eq!(foreign.get(&path).await.is_refused(404, "not_found").detail(), missing);
    let judged = foreign.post(&verdict, json!({"verdict": "harmful"})).await;
    judged.is_refused(404, "not_found");
    for index in ["2", "255", "256", "-1", "00x", "a"] {
        agent.get(&place(message, index)).await.is(404);
    }
    assert_eq!(world.files().await, 1);
}

#[tokio::test]
async fn each_state_without_a_file_is_explained() {
    type Become = fn(&mut Medium);
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let agent = world.agent().await;
    let cases: [(Become, u16, &str, &str); 5] = [
        (|_| {}, 409, "media_not_ready", "being fetched"),
        (
            |medium| medium.record_stored("image/png", 1, String::new(), true),
            409,
            "media_not_ready",
            "scanner",
        ),
        (
            |medium| medium.refuse(MediaReason::TooLarge),
            410,
            "media_gone",
            "larger",
        ),
        (
            |medium| medium.refuse(MediaReason::WrongType),
            410,
            "media_gone",
            "content",
        ),
        (
            |medium| medium.lose(MediaReason::Deleted),
            410,
            "media_gone",
            "does not have",
        ),
    ];
    for (change, status, kind, word) in cases {
        let message = world.message().await;
        world.change(message, change).await;
        let answer = agent.get(&place(message, 0)).await;
        let detail = answer.is_refused(status, kind).detail();
        assert!(detail.contains(word), "{detail}");
        let waits = answer.headers().any(|(name, _)| name == "retry-after");
        assert_eq!(waits, status == 409, "{detail}");
    }
    assert_eq!(world.looks().await, [], "nothing was shown");
    // A message of before media were fetched, and one of the business's own.
    let contact = world.business.contact(&aws, &mobile(90)).await;
    let before = world.business.receive(&aws, contact.id, |received| {
        received.message.media = vec![InboundMedia::new("7".to_owned())];
    });
    let before = before.await.id;
    agent.get(&place(before, 0)).await.is_refused(410, "media_gone");
    let own = Box::pin(world.business.follow_up(&aws, &mobile(91))).await;
    agent.get(&place(own.id, 0)).await.is_refused(404, "not_found");
}

#[tokio::test]
async fn files_are_hidden_with_their_contact() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let agent = world.agent().await;
    let message = world.receive_picture().await;
    let scope = world.business.scope();
    aws.delete_contact(scope, message.contact(), true).await;
    agent.get(&place(message, 0)).await.is_refused(404, "not_found");
    aws.delete_contact(scope, message.contact(), false).await;
    agent.get(&place(message, 0)).await.is(200);
}

#[tokio::test]
async fn who_looked_is_audited_once_a_day_at_the_survivor() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let agent = world.agent().await;
    let message = world.receive_picture().await;
    for _twice in 0..2 {
        agent.get(&place(message, 0)).await.is(200);
    }
    let look = |contact: ContactId| (contact.to_string(), "media".to_owned());
    assert_eq!(world.looks().await, [look(message.contact())]);
    let survivor = world.business.contact(&aws, &mobile(90)).await.id;
    world.business.merge(&aws, survivor, message.contact()).await;
    agent.get(&place(message, 0)).await.is(200);
    let looks = world.looks().await;
    assert!(looks.len() == 2 && looks.contains(&look(survivor)), "{looks:?}");
}

async fn judge(world: &World<'_>, message: MessageId, verdict: &str) -> Answer {
    let path = format!("{}/verdict", place(message, 0));
    world.scanner().await.post(&path, json!({ "verdict": verdict })).await
}

/// State and reason of the answer, and of the row.
async fn judge_and_read(world: &World<'_>, message: MessageId, verdict: &str) -> (Value, Value) {
    let shown = judge(world, message, verdict).await.is(200).json();
    let medium = world.business.medium(world.aws, message, 0).await;
    assert_eq!(
        (&shown["state"], &shown["reason"]),
        (&json!(medium.state), &json!(medium.reason))
    );
    (shown["state"].clone(), shown["reason"].clone())
}

#[tokio::test]
async fn a_clean_file_can_be_read_from_its_verdict_on() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let message = world.receive_picture().await;
    let scan = |medium: &mut Medium| medium.state = MediumState::Scanning;
    world.change(message, scan).await;
    let agent = world.agent().await;
    agent.get(&place(message, 0)).await.is_refused(409, "media_not_ready");
    for _twice in 0..2 {
        assert_eq!(
            judge_and_read(&world, message, "clean").await,
            (json!("ready"), Value::Null)
        );
    }
    agent.get(&place(message, 0)).await.is(200);
}

#[tokio::test]
async fn clean_needs_the_secret_of_the_platforms_scanner() {
    let aws = Aws::new().await;
    let sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let world = World::with(&aws, &[("MEDIA_SCANNER", "guard"), ("SCANNER_SECRET_SHA256", sha256)]).await;
    let message = world.receive_picture().await;
    world
        .change(message, |medium| medium.state = MediumState::Scanning)
        .await;
    judge(&world, message, "clean").await.is_refused(403, "forbidden");
    let state = || async { world.business.medium(&aws, message, 0).await.state };
    assert_eq!(state().await, MediumState::Scanning);
    let scanner = world.scanner().await;
    let path = format!("{}/verdict", place(message, 0));
    let by_scanner = |secret| {
        scanner
            .post(&path, json!({"verdict": "clean"}))
            .header("x-scanner-secret", secret)
    };
    by_scanner("guess").await.is_refused(403, "forbidden");
    by_scanner("secret").await.is(200);
    assert_eq!(state().await, MediumState::Ready);
    assert_eq!(
        judge_and_read(&world, message, "harmful").await,
        (json!("refused"), json!("harmful"))
    );
}

#[tokio::test]
async fn a_harmful_file_is_deleted_also_if_it_was_ready() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    for state in [MediumState::Scanning, MediumState::Ready] {
        let message = world.receive_picture().await;
        world.change(message, |medium| medium.state = state).await;
        assert_eq!(world.files().await, 1);
        for _twice in 0..2 {
            let refused = judge_and_read(&world, message, "harmful").await;
            assert_eq!(refused, (json!("refused"), json!("harmful")));
            assert_eq!(world.files().await, 0);
        }
        let agent = world.agent().await;
        agent.get(&place(message, 0)).await.is_refused(410, "media_gone");
        judge(&world, message, "clean").await.is_refused(410, "media_gone");
    }
}

#[tokio::test]
async fn only_what_is_stored_can_be_judged() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let message = world.message().await;
    for verdict in ["clean", "harmful"] {
        judge(&world, message, verdict).await.is_refused(409, "media_not_ready");
    }
    judge(&world, message, "dirty").await.names_field("verdict");
    world.change(message, |medium| medium.lose(MediaReason::Expired)).await;
    judge(&world, message, "harmful").await.is_refused(410, "media_gone");
}
