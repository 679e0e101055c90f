//! Recordings, in process against the emulator, from the listeners' point of view.

mod twilio;

use std::cell::Cell;

use domain::accounts::{Action, Permission, Role};
use domain::calls::Call;
use domain::telephony::{CallProvider, Recording, RecordingState};
use domain::terms::{CallId, ConnectionId, ContactId, RecordingId};
use serde_json::{Value, json};
use store::table::rates::Limit;
use testkit::api::{Caller, Town};
use testkit::business::{business, mobile};
use testkit::file_host::Reply;
use testkit::seed::TWILIO_ACCOUNT;
use testkit::{Answer, Aws, Seeded};

use self::twilio::Twilio;

const SID: &str = "RE00000000000000000000000000000001";

/// A sound of fourteen seconds.
fn sound() -> Vec<u8> {
    (0..56_000_u32)
        .map(|place| u8::try_from(place % 251).unwrap())
        .collect()
}

/// A business with its listeners, and Twilio.
struct World<'a> {
    aws: &'a Aws,
    twilio: Twilio,
    town: Town<'a>,
    business: Seeded,
    /// Number of calls so far, each by somebody else.
    calls: Cell<usize>,
}

impl<'a> World<'a> {
    async fn new(aws: &'a Aws, reply: Reply) -> Self {
        Self::with_timeout(aws, reply, "60").await
    }

    /// Like `new`, with this many seconds for an answer of Twilio.
    async fn with_timeout(aws: &'a Aws, reply: Reply, seconds: &str) -> Self {
        let twilio = Twilio::start(reply);
        let env = aws.env_with(&[("TWILIO_API_URL", twilio.url()), ("PROVIDER_TIMEOUT", seconds)]);
        Self {
            aws,
            town: Town::with_env(aws, &env, recordings::routes).await,
            business: business(aws).await,
            calls: Cell::new(0),
            twilio,
        }
    }

    async fn agent(&self) -> Caller<'_> {
        self.town.key_of(self.business.scope(), Role::Agent).await
    }

    /// A call through Twilio with a voicemail, changed.
    async fn add_call(&self, change: impl FnOnce(&mut Call, &mut Recording)) -> (CallId, RecordingId) {
        self.calls.set(self.calls.get() + 1);
        let mut recording = Recording {
            reference: SID.parse().unwrap(),
            state: RecordingState::Completed,
            seconds: Some(14),
            voicemail: true,
        };
        let with_recording = |call: &mut Call| {
            (call.connection, call.provider) = (self.business.twilio, CallProvider::Twilio);
            change(call, &mut recording);
            call.facts.recordings = [recording.clone()].into_iter().collect();
        };
        let caller = mobile(self.calls.get());
        let (call, _) = self.business.store_missed_call(self.aws, &caller, with_recording).await;
        (call.id, recording.id(call.id))
    }

    /// Copies in the bucket.
    async fn copies(&self) -> usize {
        self.aws.files("recordings/").await.len()
    }

    async fn delete(&self, contact: ContactId, deleted: bool) {
        let scope = self.business.scope();
        self.aws.delete_contact(scope, contact, deleted).await;
    }
}

fn place(call: CallId, recording: RecordingId) -> String {
    format!("/api/v1/calls/{call}/recordings/{recording}")
}

async fn play_recording(answer: &Answer, range: Option<&str>) -> (u16, Vec<u8>) {
    let link = answer.is(200).json();
    let get = reqwest::Client::new().get(link["url"].as_str().expect("a URL"));
    let get = range.into_iter().fold(get, |get, range| get.header("range", range));
    let got = get.send().await.unwrap();
    for (name, value) in [("content-type", "audio/mpeg"), ("cache-control", "private, no-store")] {
        assert_eq!(got.headers()[name], value);
    }
    (got.status().as_u16(), got.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn a_recording_is_fetched_once_and_played_in_parts() {
    let aws = Aws::new().await;
    let world = World::new(&aws, Reply::File("audio/mpeg", sound())).await;
    let agent = world.agent().await;
    let (call, recording) = world.add_call(|_, _| {}).await;
    let path = place(call, recording);
    let first = agent.get(&path).await;
    let mut shown = first.is(200).json();
    let url = shown["url"].take();
    assert!(url.as_str().is_some_and(|url| url.contains("recordings/")));
    assert_eq!(
        shown,
        json!({
            "url": null, "expires_at": "2026-11-20T12:05:14Z", "content_type": "audio/mpeg", "bytes": 56_000,
            "duration_seconds": 14,
        })
    );
    assert_eq!(first.header("cache-control"), "no-store");
    assert_eq!(play_recording(&first, None).await, (200, sound()));
    let end = play_recording(&first, Some("bytes=55990-")).await;
    assert_eq!(end, (206, sound()[55_990..].to_vec()));
    // Twilio knows who asks, and nobody else learns whom it was asked about.
    let asked = world.twilio.take_requests();
    let at = format!("/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Recordings/{SID}.mp3");
    let key = "Basic U0swMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTpmaXh0dXJlMHR3aWxpbzBhcGkwa2V5MHNlY3JldDAwMQ==";
    assert_eq!(asked, [(at, key.to_owned())]);
    for secret in [SID, TWILIO_ACCOUNT, "api.twilio.com"] {
        assert!(!first.text().contains(secret), "{}", first.text());
    }
    let again = agent.get(&path).await;
    assert_eq!(play_recording(&again, None).await, (200, sound()));
    assert!(world.twilio.take_requests().is_empty(), "there is a copy");
    // After a day, the bucket has deleted it.
    let files = kit::Files::new(aws.env()).unwrap();
    let copy = kit::FileKey::recording(world.business.scope(), call.contact(), recording);
    files.remove(&copy).await.unwrap();
    agent.get(&path).await.is(200);
    assert_eq!(world.twilio.take_requests().len(), 1);
}

/// Longer than a part of an upload, so it is not held in memory as a whole; and its length was not reported.
#[tokio::test]
async fn a_long_recording_is_copied_in_parts() {
    let aws = Aws::new().await;
    let long = vec![7; 9 * 1024 * 1024];
    let world = World::new(&aws, Reply::File("audio/mpeg", long.clone())).await;
    let (call, recording) = world.add_call(|_, recording| recording.seconds = None).await;
    let answer = world.agent().await.get(&place(call, recording)).await;
    let shown = answer.is(200).json();
    assert_eq!(
        (&shown["bytes"], &shown["duration_seconds"]),
        (&json!(long.len()), &Value::Null)
    );
    assert!(play_recording(&answer, None).await.1 == long, "another sound");
}

#[tokio::test]
async fn recordings_need_a_permission_and_are_the_calls_own() {
    let aws = Aws::new().await;
    let world = World::new(&aws, Reply::File("audio/mpeg", sound())).await;
    let (call, recording) = world.add_call(|_, _| {}).await;
    let path = place(call, recording);
    for role in Role::ALL {
        let caller = world.town.key_of(world.business.scope(), role).await;
        let may = role >= Role::Agent;
        caller.get(&path).await.is(if may { 200 } else { 403 });
    }
    world.town.anyone().get(&path).await.is_refused(401, "unauthorized");
    let (_, reader) = world.town.new_key(Role::Admin, &[Permission::CallsRead]).await;
    let reader = world.town.api_key(&reader);
    reader.get(&path).await.is_refused(403, "forbidden");
    // Of another tenant or another call, a recording looks like one that does not exist, also if there is a copy.
    let agent = world.agent().await;
    let nowhere = place(call, RecordingId::new(aws.ids().ulid()));
    let missing = agent.get(&nowhere).await.is_refused(404, "not_found").detail();
    let (other, _) = world.add_call(|_, _| {}).await;
    let nobodys = CallId::new(call.contact(), aws.ids().ulid());
    for (caller, path) in [
        (&world.town.admin(), &path),
        (&agent, &place(other, recording)),
        (&agent, &place(nobodys, recording)),
    ] {
        assert_eq!(caller.get(path).await.is_refused(404, "not_found").detail(), missing);
    }
    agent.get(&path.replace("rec_", "rec-")).await.is(404);
}

#[tokio::test]
async fn recordings_are_hidden_with_their_contact() {
    let aws = Aws::new().await;
    let world = World::new(&aws, Reply::File("audio/mpeg", sound())).await;
    let agent = world.agent().await;
    let (call, recording) = world.add_call(|_, _| {}).await;
    agent.get(&place(call, recording)).await.is(200);
    world.delete(call.contact(), true).await;
    agent.get(&place(call, recording)).await.is(404);
    world.delete(call.contact(), false).await;
    agent.get(&place(call, recording)).await.is(200);
}

/// Asks for a recording. While Twilio holds its answer, `meanwhile` is done and the contact deleted. No copy is left.
async fn deleted_meanwhile(world: &World<'_>, meanwhile: impl AsyncFnOnce(CallId, RecordingId)) {
    let agent = world.agent().await;
    let (call, recording) = world.add_call(|_, _| {}).await;
    let path = place(call, recording);
    let deleting = async {
        world.twilio.wait_for_request().await;
        meanwhile(call, recording).await;
        world.delete(call.contact(), true).await;
        world.twilio.release();
    };
    let (answer, ()) = tokio::join!(async { agent.get(&path).await }, deleting);
    answer.is(404);
    assert_eq!(world.copies().await, 0);
}

/// An erasure marks the contact, then deletes its files: later copies must not stay.
#[tokio::test]
async fn a_copy_for_a_contact_deleted_meanwhile_is_dropped() {
    let aws = Aws::new().await;
    let world = World::new(&aws, Reply::Held("audio/mpeg", sound())).await;
    Box::pin(deleted_meanwhile(&world, async |_, _| {})).await;
}

/// The bucket may complete a copy whose request is given up, so that fetching fails and there is one.
#[tokio::test]
async fn a_copy_of_a_failed_fetch_is_dropped_with_the_contact() {
    let aws = Aws::new().await;
    // An empty sound is a failure.
    let world = World::new(&aws, Reply::Held("audio/mpeg", Vec::new())).await;
    let completed = async |call: CallId, recording: RecordingId| {
        let files = kit::Files::new(aws.env()).unwrap();
        let key = kit::FileKey::recording(world.business.scope(), call.contact(), recording);
        let mut copy = files.copy(key);
        copy.add(&sound()).await.unwrap();
        copy.complete().await.unwrap();
        assert_eq!(world.copies().await, 1);
    };
    Box::pin(deleted_meanwhile(&world, completed)).await;
}

#[tokio::test]
async fn who_listened_is_audited_once_a_day() {
    let aws = Aws::new().await;
    let world = World::new(&aws, Reply::File("audio/mpeg", sound())).await;
    let agent = world.agent().await;
    let manager = world.town.key_of(world.business.scope(), Role::Manager).await;
    let (call, recording) = world.add_call(|_, _| {}).await;
    let looks = async || {
        let entries = aws.audit_log(world.business.scope()).await.into_iter();
        entries.filter(|entry| entry.action == Action::Read).collect::<Vec<_>>()
    };
    // Nothing was shown, so nobody saw it.
    let nowhere = place(call, RecordingId::new(aws.ids().ulid()));
    agent.get(&nowhere).await.is(404);
    assert_eq!(looks().await, []);
    for _twice in 0..2 {
        agent.get(&place(call, recording)).await.is(200);
    }
    manager.get(&place(call, recording)).await.is(200);
    let found = looks().await;
    assert_eq!(found.len(), 2);
    for entry in &found {
        let contact = call.contact().to_string();
        assert_eq!((entry.kind.as_str(), &entry.object), ("contact", &contact));
        assert_eq!(entry.changes[0].field, "recording");
    }
    aws.pass(24 * 3_600);
    world.agent().await.get(&place(call, recording)).await.is(200);
    assert_eq!(looks().await.len(), 3);
}

/// Nothing is left of an attempt, and the next one works.
#[tokio::test]
async fn each_failure_of_the_telephone_system_is_explained() {
    let aws = Aws::new().await;
    let world = World::new(&aws, Reply::Short).await;
    let agent = world.agent().await;
    let (call, recording) = world.add_call(|_, _| {}).await;
    let path = place(call, recording);
    let other = |status| Reply::Other(status, String::new(), "");
    // Nobody asks there.
    let elsewhere = Twilio::start(Reply::File("audio/mpeg", sound()));
    let to = |url: &str| Reply::Other(302, format!("location: {url}/sound.mp3\r\n"), "");
    let page = Reply::Other(200, "content-type: text/html\r\n".to_owned(), "<html>");
    for (what, reply, about, status, kind) in [
        ("deleted", other(404), Some("deleted"), 410, "recording_gone"),
        ("forgotten", other(404), None, 410, "recording_gone"),
        ("silent", other(404), Some("absent"), 410, "recording_gone"),
        ("too early", other(404), Some("processing"), 409, "recording_not_ready"),
        ("elsewhere", other(404), Some("completed"), 409, "recording_not_ready"),
        ("wrong credentials", other(401), None, 502, "provider_refused"),
        ("not allowed", other(403), None, 502, "provider_refused"),
        ("failing", other(503), None, 502, "provider_failed"),
        ("throttled", other(429), None, 502, "provider_failed"),
        ("redirected", to(elsewhere.url()), None, 502, "provider_failed"),
        (
            "redirected to AWS",
            to("http://169.254.169.254"),
            None,
            502,
            "provider_failed",
        ),
        ("a page", page, None, 502, "provider_failed"),
        (
            "empty",
            Reply::File("audio/mpeg", Vec::new()),
            None,
            502,
            "provider_failed",
        ),
        ("broken off", Reply::Short, None, 502, "provider_failed"),
        ("endless", Reply::Endless, None, 502, "provider_failed"),
        (
            "too long",
            Reply::File("audio/mpeg", vec![0; 400_000]),
            None,
            502,
            "provider_failed",
        ),
    ] {
        world.twilio.answer(reply, about);
        let answer = agent.get(&path).await;
        let (problem, text) = (answer.problem(), answer.text());
        assert_eq!((answer.status(), &*problem), (status, kind), "{what}: {text}");
        let waits = answer.headers().any(|(name, _)| name == "retry-after");
        assert_eq!(waits, kind == "recording_not_ready", "{what}");
        assert_eq!(world.copies().await, 0, "{what}");
        aws.pass(1);
    }
    assert!(elsewhere.take_requests().is_empty());
    world.twilio.answer(Reply::File("audio/mpeg", sound()), None);
    assert_eq!(play_recording(&agent.get(&path).await, None).await, (200, sound()));
}

#[tokio::test]
async fn a_telephone_system_that_does_not_answer_is_given_up() {
    let aws = Aws::new().await;
    let world = World::with_timeout(&aws, Reply::Silence, "1").await;
    let (call, recording) = world.add_call(|_, _| {}).await;
    let answer = world.agent().await.get(&place(call, recording)).await;
    answer.is_refused(502, "provider_failed");
    assert_eq!(world.copies().await, 0);
}

type Recorded<'a> = &'a dyn Fn(&mut Call, &mut Recording);

#[tokio::test]
async fn what_cannot_be_fetched_is_not_asked_for() {
    let aws = Aws::new().await;
    let world = World::new(&aws, Reply::File("audio/mpeg", sound())).await;
    let agent = world.agent().await;
    let unknown = ConnectionId::new(aws.ids().ulid());
    let telephony = world.business.telephony;
    let changes: [(&str, Recorded<'_>, u16, &str); 5] = [
        (
            "Aircall's",
            &|call, _| call.provider = CallProvider::Aircall,
            409,
            "recording_elsewhere",
        ),
        (
            "without connection",
            &|call, _| call.connection = unknown,
            409,
            "recording_elsewhere",
        ),
        (
            "without credentials",
            &|call, _| call.connection = telephony,
            409,
            "recording_elsewhere",
        ),
        (
            "silent",
            &|_, recording| recording.state = RecordingState::Absent,
            410,
            "recording_gone",
        ),
        (
            "strange",
            &|_, recording| recording.reference = "../Messages".parse().unwrap(),
            410,
            "recording_gone",
        ),
    ];
    for (what, change, status, kind) in changes {
        aws.pass(1);
        let (call, recording) = world.add_call(change).await;
        let answer = agent.get(&place(call, recording)).await;
        let (problem, text) = (answer.problem(), answer.text());
        assert_eq!((answer.status(), &*problem), (status, kind), "{what}: {text}");
    }
    assert!(world.twilio.take_requests().is_empty());
    // What is still being made may be done: Twilio knows.
    aws.pass(1);
    let running = |_: &mut Call, recording: &mut Recording| recording.state = RecordingState::InProgress;
    let (call, recording) = world.add_call(running).await;
    agent.get(&place(call, recording)).await.is(200);
}

#[tokio::test]
async fn a_tenant_fetches_a_limited_number_an_hour() {
    let aws = Aws::new().await;
    let world = World::new(&aws, Reply::File("audio/mpeg", sound())).await;
    let agent = world.agent().await;
    let (known, its) = world.add_call(|_, _| {}).await;
    agent.get(&place(known, its)).await.is(200);
    let (store, scope) = (aws.store(), world.business.scope());
    for _other in 1..300 {
        let taken = store.take(scope, "RECORDINGS", Limit::per_hour(300), aws.now()).await;
        assert!(taken.unwrap().is_within());
    }
    let (call, recording) = world.add_call(|_, _| {}).await;
    let refused = agent.get(&place(call, recording)).await;
    refused.is_refused(429, "too_many_requests");
    // A copy is no fetch.
    agent.get(&place(known, its)).await.is(200);
    aws.pass(3_600);
    world.agent().await.get(&place(call, recording)).await.is(200);
}
