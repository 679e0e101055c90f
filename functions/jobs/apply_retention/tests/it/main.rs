//! Applying a retention policy to calls and messages of the past, in process against the emulator.

use std::collections::BTreeMap;

use apply_retention::{Context, handle};
use domain::Timestamp;
use domain::calls::{AppliedRetention, ApplyRetention, CallProgress, Past};
use domain::media::InboundMedia;
use domain::messages::{Content, MessageState};
use domain::telephony::CallProvider;
use domain::tenants::Retention;
use domain::terms::{ConversationId, OperationKind, OperationState};
use jiff::SignedDuration;
use jobs::StartOperation;
use kit::operation::Ran;
use serde_json::json;
use store::table::effects::{Effects, Once};
use testkit::business::{CUSTOMER, SENT_WITHIN, business, missed_call_facts, read};
use testkit::operations::result_of;
use testkit::samples;

const DAY: i64 = 86_400;

const USUAL: Retention = Retention {
    calls_days: 730,
    messages_days: 730,
};

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

const fn keep(calls_days: u32, messages_days: u32) -> Retention {
    Retention {
        calls_days,
        messages_days,
    }
}

struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    async fn new() -> Self {
        Self(testkit::World::new(Context::new).await)
    }

    /// A message of a customer, of now.
    async fn receive_message(&self, number: &str) {
        let contact = self.business.contact(&self.aws, number).await.id;
        let until = USUAL.message_until(self.aws.now(), self.aws.now());
        let told = self
            .business
            .receive(&self.aws, contact, |received| received.keep_until = Some(until));
        told.await;
    }

    /// The expiries of all rows of a kind, in order.
    async fn expiries(&self, kind: &str) -> Vec<Timestamp> {
        let own = format!("T#{}", self.business.tenant().ulid().to_string().to_lowercase());
        let mut rows = self.aws.rows().await;
        rows.retain(|row| row["kind"].as_s().unwrap() == kind && row["pk"].as_s().unwrap().starts_with(&own));
        let mut expiries: Vec<Timestamp> = rows
            .iter()
            .map(|row| {
                let second = row["expires_at"].as_n().unwrap().parse().unwrap();
                Timestamp::from_second(second).unwrap()
            })
            .collect();
        expiries.sort();
        expiries
    }

    /// Expiry times of calls, of our messages and of customers' messages.
    async fn all_expiries(&self) -> BTreeMap<&'static str, Vec<Timestamp>> {
        let mut all = BTreeMap::new();
        for kind in ["call", "message", "received", "call_progress"] {
            all.insert(kind, self.expiries(kind).await);
        }
        all
    }

    /// Starts an application, as the API does.
    async fn start(&self, retention: Retention) -> StartOperation {
        let (store, scope, now) = (self.aws.store(), self.business.scope(), self.aws.now());
        let params = ApplyRetention {
            retention,
            first: Past::of(scope.tenant(), now).first_listed(),
            total: 3,
        };
        let operation = self.operations.new_unstored(OperationKind::ApplyRetention, &params);
        let stamp = self.aws.stamp();
        let before = store.retention_applied(scope).await.unwrap();
        let before = before.map(|before| before.version);
        store.start_retention(scope, before, &operation, &stamp).await.unwrap();
        self.operations.start(&operation)
    }

    async fn step(&self, start: &StartOperation) -> Ran {
        self.operations.step(start, &self.ctx, &handle).await
    }

    /// Applies a policy to the end.
    async fn apply(&self, retention: Retention) -> AppliedRetention {
        let start = self.start(retention).await;
        let (operation, _) = self.operations.finish(&start, &self.ctx, &handle).await;
        let applied: AppliedRetention = result_of(&operation);
        assert_eq!(operation.progress.total, Some(applied.processed_count()));
        applied
    }
}

#[tokio::test]
async fn rows_of_before_get_the_expiry_that_the_policy_says() {
    let world = World::new().await;
    let first = world.aws.now();
    world.follow_up().await;
    world.aws.pass(10 * DAY);
    let second = world.aws.now();
    world.follow_up_of("+971502222222").await;
    world.receive_message("+971503333333").await;
    world.aws.pass(5 * DAY);
    let applied = world.apply(keep(40, 50)).await;
    let changed = AppliedRetention {
        calls: 2,
        messages: 3,
        ..AppliedRetention::default()
    };
    assert_eq!(applied, changed);
    let expected = BTreeMap::from([
        ("call", vec![first + days(40), second + days(40)]),
        (
            "message",
            vec![first + days(SENT_WITHIN + 50), second + days(SENT_WITHIN + 50)],
        ),
        ("received", vec![second + days(50)]),
        // The reports name the caller, too, and are not needed that long.
        ("call_progress", vec![first + days(16), second + days(16)]),
    ]);
    assert_eq!(world.all_expiries().await, expected);

    let again = world.apply(keep(40, 50)).await;
    let unchanged = AppliedRetention {
        unchanged: 5,
        ..AppliedRetention::default()
    };
    assert_eq!(again, unchanged);
    assert_eq!(world.all_expiries().await, expected);

    // Reports only lead to a call: they are not kept for longer.
    assert_eq!(world.apply(keep(3_650, 90)).await, changed);
    let expiries = world.all_expiries().await;
    assert_eq!(expiries["call"], [first + days(3_650), second + days(3_650)]);
    assert_eq!(expiries["received"], [second + days(90)]);
    assert_eq!(expiries["call_progress"], expected["call_progress"]);
}

/// The policy has a minimum of 30 days, counted from the last moment at which a message may be sent.
#[tokio::test]
async fn shorter_policy_ends_old_rows_and_nothing_that_waits() {
    let world = World::new().await;
    let old = world.follow_up().await;
    world.aws.pass(60 * DAY);
    let young = world.follow_up_of("+971502222222").await;
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let waiting = CallProgress {
        connection: world.business.telephony,
        provider: CallProvider::Telephony,
        provider_call_id: "waits".to_owned(),
        facts: missed_call_facts("+971503333333"),
        first_seen: now,
        decided: None,
        due: Some(now + SignedDuration::from_secs(60)),
        dispatches: 0,
        correlation_id: "cor".to_owned(),
        version: 0,
    };
    let effects = Effects {
        once: Once::Reported(&waiting),
        ..Effects::default()
    };
    store.commit(scope, effects, now).await.unwrap();

    let applied = world.apply(keep(30, 30)).await;
    let expected = AppliedRetention {
        calls: 2,
        messages: 2,
        unchanged: 0,
        expired: 2,
    };
    assert_eq!(applied, expected);
    let [old_call, young_call] = [old.cause, young.cause].map(|cause| cause.call().unwrap());
    assert_eq!(store.message(scope, old.id, now).await.unwrap(), None);
    assert_eq!(store.call(scope, old_call, now).await.unwrap(), None);
    let call = store.call(scope, young_call, now).await.unwrap().unwrap();
    assert_eq!(call.keep_until, Some(now + days(30)));
    let message = store.message(scope, young.id, now).await.unwrap().unwrap();
    assert_eq!(message.keep_until, Some(now + days(SENT_WITHIN + 30)));
    assert_eq!(
        (message.version, message.state()),
        (young.version, MessageState::Scheduled)
    );
    let reports = async |id: &str| {
        let (connection, provider) = (waiting.connection, waiting.provider);
        let found = store.begun_call(scope, provider, connection, id, None, now);
        found.await.unwrap().own
    };
    assert_eq!(reports(&old_call.to_string()).await, None);
    assert!(reports(&young_call.to_string()).await.is_some());
    assert_eq!(reports("waits").await.unwrap().due, waiting.due);
    let until = world.expiries("call_progress").await.pop();
    assert_eq!(until, Some(now + days(16)), "the reports of a call without a decision");
}

/// Their files are deleted when they are due.
#[tokio::test]
async fn media_are_kept_as_long_as_their_message() {
    let world = World::new().await;
    let now = world.aws.now();
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    let media = vec![InboundMedia::new("7".to_owned()); 2];
    let until = USUAL.message_until(now, now);
    let told = world.business.receive_media(&world.aws, contact, media, |received| {
        received.keep_until = Some(until);
    });
    let message = told.await.id;
    let fetched = world
        .business
        .store_fetched_medium(&world.aws, message, 0, "image/png", b"picture")
        .await;
    world.apply(keep(40, 50)).await;
    let [stored, pending] = [0, 1].map(|index| world.business.medium(&world.aws, message, index));
    let (stored, pending) = (stored.await, pending.await);
    assert_eq!((stored.kept_until, stored.due), (now + days(50), Some(now + days(50))));
    assert_eq!(
        (pending.kept_until, pending.due),
        (now + days(50), Some(now + SignedDuration::from_secs(60)))
    );
    // A row that is read meanwhile is not written with the former time.
    assert!(stored.version > fetched.version);
    // Longer than they were, or not at all.
    world.aws.pass(35 * DAY);
    world.apply(keep(40, 30)).await;
    let stored = world.business.medium(&world.aws, message, 0).await;
    assert_eq!(stored.due, Some(now + days(30)));
}

/// Their files are deleted when they are due. One that no reply has used is not the message's.
#[tokio::test]
async fn attachments_are_kept_as_long_as_their_message() {
    let world = World::new().await;
    let mut message = world.follow_up().await;
    let (store, scope, conversation) = (
        world.aws.store(),
        world.business.scope(),
        ConversationId::of(message.id.contact(), None),
    );
    let unused = world.business.attachment(&world.aws, conversation, |_| {}).await;
    let attachment = world.business.attachment(&world.aws, conversation, |_| {}).await;
    message.plan[0].content = read(json!({"media": {"asset": {"asset_id": attachment.id, "kind": "image"}}}));
    world.write(&message).await;
    let known = store.asset(scope, attachment.id).await.unwrap().unwrap();
    let held = known.value.attached_to(message.id, message.keep_until);
    store.note_asset(scope, known.version, &held).await.unwrap();
    world.apply(keep(40, 50)).await;
    let after = store.asset(scope, attachment.id).await.unwrap().unwrap();
    let until = Some(message.created_at + days(SENT_WITHIN + 50));
    assert_eq!(
        (after.value.due, after.value.attached.unwrap().kept_until),
        (until, until)
    );
    // A row that is read meanwhile is not written with the former time.
    let stale = store.note_asset(scope, known.version + 1, &held).await;
    assert!(stale.unwrap_err().is_conflict());
    let other = store.asset(scope, unused.id).await.unwrap().unwrap();
    assert_eq!((other.version, other.value.due), (1, unused.due));
}

/// Nothing but the message leads to them. They live for 180 days at most, and those of a message that is only sent again are its.
#[tokio::test]
async fn tracked_links_are_kept_as_long_as_their_message() {
    let world = World::new().await;
    let first = world.aws.now();
    let (mut message, other) = (world.follow_up().await, world.follow_up_of("+971502222222").await);
    let mut texts = String::new();
    for of in [message.id, other.id] {
        let code = world.business.track(&world.aws, of, &["https://saffron.example"]).await;
        texts.push_str(&format!("https://example.test/l/{}0 ", code.as_str()));
    }
    message.plan[1].content = Content::Text(texts);
    world.write(&message).await;
    let links = async || {
        let rows = world.aws.rows().await.into_iter();
        let links = rows.filter(|row| samples::text(row, "kind") == "tracked_links");
        let of = |row: &samples::Row| samples::text(row["data"].as_m().unwrap(), "message").to_owned();
        let second = |row: &samples::Row| row["expires_at"].as_n().unwrap().parse::<i64>().unwrap();
        links
            .map(|row| (of(&row), second(&row) - first.as_second()))
            .collect::<BTreeMap<_, _>>()
    };
    let expected = |own: i64| BTreeMap::from([(message.id.to_string(), own * DAY), (other.id.to_string(), 180 * DAY)]);
    assert_eq!(links().await, expected(180));
    world.apply(keep(40, 50)).await;
    assert_eq!(links().await, expected(SENT_WITHIN + 50));
    world.apply(keep(40, 500)).await;
    assert_eq!(links().await, expected(180));
}

#[tokio::test]
async fn expired_rows_do_not_come_back() {
    let mut world = World::new().await;
    world.business.configured.tenant.retention = Some(keep(30, 30));
    world.business.write(&world.aws).await;
    let message = world.follow_up().await;
    world.aws.pass(40 * DAY);
    let before = world.all_expiries().await;
    assert_eq!(world.apply(keep(3_650, 3_650)).await, AppliedRetention::default());
    assert_eq!(world.all_expiries().await, before);
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    assert_eq!(store.message(scope, message.id, now).await.unwrap(), None);
}

/// By a worker that dies before it records a step, and by the next one.
#[tokio::test]
async fn steps_may_be_made_twice() {
    let mut world = World::new().await;
    world.ctx = Context::new(world.aws.env()).unwrap().in_pages_of(1);
    let mut expected = Vec::new();
    for number in 0..4 {
        // Two on the same day.
        world.aws.pass(i64::from(number % 2) * 3 * DAY);
        world.follow_up_of(&format!("+97150222222{number}")).await;
        expected.push(world.aws.now() + days(40));
    }
    let start = world.start(keep(40, 50)).await;
    let steps = world.operations.all_steps_twice(&start, &world.ctx, &handle).await;
    assert!(steps >= 8, "only {steps} steps");
    let operation = world.operations.get(&start).await;
    assert_eq!((operation.state, operation.progress.done), (OperationState::Done, 8));
    assert_eq!(world.expiries("call").await, expected);
}

#[tokio::test]
async fn cancelled_application_keeps_what_was_done() {
    let mut world = World::new().await;
    world.ctx = Context::new(world.aws.env()).unwrap().in_pages_of(100);
    let first = world.aws.now();
    world.follow_up().await;
    world.aws.pass(20 * DAY);
    let second = world.aws.now();
    world.follow_up_of("+971502222222").await;
    let start = world.start(keep(40, 50)).await;
    // The calls and messages of tomorrow, and the calls of today.
    for _ in 0..3 {
        assert_eq!(world.step(&start).await, Ran::Continues);
    }
    assert!(world.operations.get(&start).await.progress.done > 0);
    world.operations.cancel(&start).await;
    assert_eq!(world.step(&start).await, Ran::Nothing);
    assert_eq!(world.operations.get(&start).await.state, OperationState::Cancelled);
    assert_eq!(world.expiries("call").await, [second + days(40), first + days(730)]);
}

#[tokio::test]
async fn rows_of_other_tenants_stay_as_they_are() {
    let mut world = World::new().await;
    world.follow_up().await;
    let other = Box::pin(business(&world.aws)).await;
    let own = std::mem::replace(&mut world.business, other);
    world.follow_up().await;
    let theirs = world.all_expiries().await;
    let other = std::mem::replace(&mut world.business, own);
    assert_eq!(world.apply(keep(40, 50)).await.calls, 1);
    world.business = other;
    assert_eq!(world.all_expiries().await, theirs);
}

#[tokio::test]
async fn two_applications_are_not_started_at_once() {
    let world = World::new().await;
    world.start(USUAL).await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    let last = store.retention_applied(scope).await.unwrap().unwrap();
    let operation = world.operations.get(&world.start(USUAL).await).await;
    let stamp = world.aws.stamp();
    let late = store
        .start_retention(scope, Some(last.version), &operation, &stamp)
        .await;
    assert!(late.unwrap_err().is_conflict());
}
