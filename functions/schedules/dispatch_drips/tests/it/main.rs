//! Queueing the steps of drips and enrolling contacts on their dates, in process against the emulator.

mod dates;

use std::collections::BTreeSet;
use std::time::Duration;

use dispatch_drips::{Context, handle};
use domain::terms::{CampaignId, ContactId, TenantId};
use jiff::{SignedDuration, Timestamp};
use jobs::TakeSteps;
use kit::QueueName;
use serde_json::from_value;
use store::campaigns::SHARDS;
use testkit::Aws;

/// As many as this variable says, where it is set: `RINGBACK_TEST_STEPS=10000`.
const STEPS: usize = 310;

struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    async fn new() -> Self {
        Self(testkit::World::new(Context::new).await)
    }

    async fn run(&self) {
        handle(self.aws.deadline(100), &self.ctx).await.unwrap();
    }

    /// The jobs in the queue, each with its message group, taken out of it.
    async fn take_jobs(&self) -> Vec<TakeSteps> {
        let jobs = self.aws.drain_with_groups(QueueName::Drips).await.into_iter();
        let jobs = jobs.map(|(group, body)| {
            let job: TakeSteps = from_value(body).unwrap();
            assert_eq!(group, job.tenant.to_string());
            assert!(job.enrolments.len() <= TakeSteps::MAX);
            job
        });
        jobs.collect()
    }

    /// Contacts of this tenant whose first step is due now.
    async fn enrol(&self, tenant: TenantId, count: usize) -> Vec<ContactId> {
        let campaign = CampaignId::new(self.aws.ids().ulid());
        let contacts = std::iter::repeat_with(|| ContactId::new(self.aws.ids().ulid()));
        let contacts: Vec<ContactId> = contacts.take(count).collect();
        let (scope, now) = (self.aws.scope(tenant), self.aws.now());
        for some in contacts.chunks(1_000) {
            let enrolled = self.aws.store().enrol(&scope, campaign, Some(1), some, now).await;
            enrolled.expect("they are enrolled");
        }
        contacts
    }
}

fn new_tenant(aws: &Aws) -> TenantId {
    TenantId::new(aws.ids().ulid())
}

fn contacts_of(jobs: &[TakeSteps]) -> Vec<ContactId> {
    let enrolments = jobs.iter().flat_map(|job| &job.enrolments);
    enrolments.map(|enrolment| enrolment.contact).collect()
}

/// By two runs at the same time, and by later ones.
#[tokio::test]
async fn due_steps_of_tenants_are_queued_once() {
    let world = World::new().await;
    let many = world
        .enrol(new_tenant(&world.aws), testkit::size("RINGBACK_TEST_STEPS", STEPS))
        .await;
    let other = new_tenant(&world.aws);
    let few = world.enrol(other, 20).await;
    tokio::join!(Box::pin(world.run()), Box::pin(world.run()));
    world.run().await;
    let jobs = world.take_jobs().await;
    let queued = contacts_of(&jobs);
    let expected: BTreeSet<ContactId> = many.iter().chain(&few).copied().collect();
    assert_eq!(queued.len(), expected.len(), "each once");
    assert_eq!(queued.into_iter().collect::<BTreeSet<_>>(), expected);
    let leased_until = world.aws.now() + SignedDuration::from_mins(30);
    assert!(jobs.iter().all(|job| job.leased_until == leased_until));
    // If no worker takes them.
    for (seconds, queued) in [(1_799, 0), (1, expected.len())] {
        world.aws.pass(seconds);
        world.run().await;
        assert_eq!(contacts_of(&world.take_jobs().await).len(), queued);
    }
}

/// Many steps of a tenant are due in each shard, for longer than few of another.
#[tokio::test]
async fn few_do_not_wait_behind_many_of_another_tenant() {
    let mut world = World::new().await;
    // So many that by any chance each shard has more than it takes.
    world.enrol(new_tenant(&world.aws), 300).await;
    world.aws.pass(1);
    let few = world.enrol(new_tenant(&world.aws), 20).await;
    world.ctx = world.another_process().with_room_for(16, 100);
    world.run().await;
    let jobs = world.take_jobs().await;
    let queued = contacts_of(&jobs);
    assert_eq!(queued.len(), 4 * 16);
    assert!(few.iter().all(|contact| queued.contains(contact)));
    let shapes: BTreeSet<_> = jobs
        .iter()
        .map(|job| (job.first, job.enrolments.len(), job.of))
        .collect();
    assert_eq!(shapes, [(0, 20, 20), (0, 25, 44), (25, 19, 44)].into());
}

#[tokio::test]
async fn steps_stay_due_while_the_queue_is_full() {
    let mut world = World::new().await;
    world.enrol(new_tenant(&world.aws), 60).await;
    world.ctx = world.another_process().with_room_for(100, 1);
    for expected in [25, 25, 10, 0] {
        // The second time, a job is in the queue.
        world.run().await;
        world.run().await;
        assert_eq!(contacts_of(&world.take_jobs().await).len(), expected);
    }
}

/// Runs are killed at any point. What they leased and did not queue is due again when the lease ends.
#[tokio::test]
async fn nothing_is_lost_although_runs_are_killed() {
    let world = World::new().await;
    let all = world.enrol(new_tenant(&world.aws), 200).await;
    let mut queued = BTreeSet::new();
    for killed_after in [5, 15, 30, 50, 80, 10_000] {
        let _ = tokio::time::timeout(Duration::from_millis(killed_after), world.run()).await;
        queued.extend(contacts_of(&world.take_jobs().await));
        world.aws.pass(1_800);
    }
    world.run().await;
    queued.extend(contacts_of(&world.take_jobs().await));
    assert_eq!(queued, all.into_iter().collect());
}
