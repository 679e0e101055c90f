//! Taking the steps of drips, in process against the emulator.

mod caps;

use domain::accounts::Role;
use domain::campaigns::{Campaign, Enrolment, EnrolmentStatus, WrittenSteps};
use domain::messages::{AttemptState, Cause, Message, OptFlag};
use domain::money::{Cap, Period, Scope};
use domain::people::{Change, Contact, Conversion, Identity, Note, Profile, Stage, Tag};
use domain::tenants::Tenant;
use domain::terms::{CampaignState, ContactId, ConversionId, Reason, UserId};
use jiff::{SignedDuration, Timestamp};
use jobs::{EnrolmentRef, SendMessage, TakeSteps};
use kit::{Job, QueueName};
use serde_json::{Value, from_value, json};
use store::Versioned;
use store::campaigns::{DripEntry, SHARDS};
use take_steps::{Context, handle};
use testkit::Lossy;
use testkit::business::phone;

const A_DAY: i64 = 24 * 3600;

struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    async fn new() -> Self {
        Self(testkit::World::at("https://api.example.com", Context::new).await)
    }

    /// Sets the only cap of the tenant, of money in this currency.
    async fn cap(&self, currency: &str, maximum: u32) {
        let cap = Cap {
            number: 1,
            period: Period::Hour,
            scope: Scope::Tenant,
            purpose: None,
            currency: Some(currency.parse().unwrap()),
            maximum,
        };
        let set = |tenant: &mut Tenant| tenant.caps = Some(vec![cap].into());
        self.change_tenant(set).await;
    }

    /// Takes all caps off the tenant: there are some for other countries.
    async fn remove_caps(&self) {
        self.change_tenant(|tenant| tenant.caps = Some(Vec::new().into())).await;
    }

    /// Number of rows but those of the counts of caps.
    async fn row_count(&self) -> usize {
        let rows = self.aws.rows().await;
        let counts_caps = |pk: &String| pk.ends_with("#CAP");
        rows.iter()
            .filter(|row| !row["pk"].as_s().is_ok_and(counts_caps))
            .count()
    }

    async fn tag(&self, name: &str) -> Tag {
        self.create_owned(json!({"name": name})).await
    }

    async fn stage(&self, name: &str) -> Stage {
        let fields = json!({"name": name, "position": 1});
        self.create_owned(fields).await
    }

    /// A drip with these steps and these fields in addition, which has begun.
    async fn drip(&self, change: Value, steps: Value) -> Campaign {
        let mut fields = json!({"type": "drip", "name": "Welcome"});
        for (name, value) in change.as_object().unwrap() {
            fields[name] = value.clone();
        }
        let new: Campaign = self.create_owned(fields).await;
        let drip = self.write(&self.campaign(&new).await, steps).await;
        self.move_drip(drip, &[CampaignState::Scheduled, CampaignState::Running])
            .await
            .value
    }

    async fn write(&self, before: &Versioned<Campaign>, steps: Value) -> Versioned<Campaign> {
        let stamp = self.aws.stamp();
        let written = WrittenSteps {
            steps: from_value(steps).unwrap(),
            by: stamp.actor,
            at: stamp.at,
        };
        let store = self.store();
        store.write_steps(self.scope(), before, &written, &stamp).await.unwrap()
    }

    async fn move_drip(&self, mut drip: Versioned<Campaign>, states: &[CampaignState]) -> Versioned<Campaign> {
        for state in states {
            let value = drip.value.with_state(*state, None, self.aws.now()).unwrap();
            let store = self.store();
            let version = store.move_campaign(self.scope(), drip.version, &value).await.unwrap();
            drip = Versioned { value, version };
        }
        drip
    }

    async fn campaign(&self, drip: &Campaign) -> Versioned<Campaign> {
        self.store().get(self.scope(), &drip.id).await.unwrap().unwrap()
    }

    async fn enter(&self, drip: &Campaign, contact: ContactId) {
        let enrolment = Enrolment::new(drip.id, drip.steps_version, contact, self.aws.now());
        let entry = DripEntry::new(enrolment, None);
        self.store().enter(self.scope(), entry).await.unwrap();
    }

    /// Leases what is due, as `dispatch_drips` does, and returns the jobs of this tenant.
    async fn lease_due(&self) -> Vec<TakeSteps> {
        let (store, now, mut due) = (self.store(), self.aws.now(), Vec::new());
        for shard in 0..SHARDS {
            due.extend(store.due_steps(shard, now, None, 10_000).await.unwrap().due);
        }
        due.sort_by_key(|step| (!step.was_kept_back(), step.due_at()));
        let leased_until = now + SignedDuration::from_mins(30);
        let mut enrolments = Vec::new();
        for step in due {
            if store.lease_step(&step, leased_until).await.unwrap() {
                let (contact, campaign) = (step.contact, step.campaign);
                enrolments.push(EnrolmentRef { contact, campaign });
            }
        }
        let batches = enrolments.chunks(TakeSteps::MAX).enumerate();
        let job = |(number, some): (usize, &[EnrolmentRef])| TakeSteps {
            tenant: self.business.tenant(),
            correlation_id: "cor".to_owned(),
            enrolments: some.to_vec(),
            leased_until,
            first: number * TakeSteps::MAX,
            of: enrolments.len(),
        };
        batches.map(job).collect()
    }

    async fn take(&self, jobs: &[TakeSteps]) {
        for job in jobs {
            handle(Job::new(job.clone(), 1), &self.ctx).await.unwrap();
        }
    }

    async fn run(&self) {
        self.take(&self.lease_due().await).await;
    }

    /// Number of steps that are due.
    async fn count_due(&self) -> usize {
        let mut due = 0;
        for shard in 0..SHARDS {
            let page = self.store().due_steps(shard, self.aws.now(), None, 100).await;
            due += page.unwrap().due.len();
        }
        due
    }

    /// Runs. Returns the number of [`World::take_sent_messages`].
    async fn sent_by_run(&self) -> usize {
        self.run().await;
        self.take_sent_messages().await.len()
    }

    /// Contacts who want the tenant's messages. Once per tenant, as [`World::many_fans`].
    async fn fans<const N: usize>(&self) -> [ContactId; N] {
        self.many_fans(N).await.try_into().unwrap()
    }

    /// Contacts with the first of these numbers: once per tenant.
    async fn many_fans(&self, count: usize) -> Vec<ContactId> {
        let mut fans = Vec::new();
        for number in 0..count {
            fans.push(self.fan(&format!("+97150200{number:04}")).await.id);
        }
        fans
    }

    async fn enrolment(&self, drip: &Campaign, contact: ContactId) -> Versioned<Enrolment> {
        let (store, now) = (self.store(), self.aws.now());
        // Its own, even if it was merged into another.
        let itself = Contact::first_seen(contact, &Identity::Phone(phone("+971501000000")), now);
        let found = store.enrolment(self.scope(), &itself, drip.id, now).await.unwrap();
        found.unwrap()
    }

    /// The status of a contact, and the names of the steps so far.
    async fn at(&self, drip: &Campaign, contact: ContactId) -> (EnrolmentStatus, Vec<String>) {
        let enrolment = self.enrolment(drip, contact).await.value;
        let passage = enrolment.passage.unwrap();
        let status = EnrolmentStatus::of(&passage, enrolment.exit.is_some());
        let names = passage.taken.iter().map(|taken| taken.step.as_str().to_owned());
        (status, names.collect())
    }

    async fn exit(&self, drip: &Campaign, contact: ContactId) -> Option<Reason> {
        let exit = self.enrolment(drip, contact).await.value.exit;
        exit.map(|exit| exit.because.code)
    }

    /// The messages that were made since this was asked last, which have left now.
    async fn take_sent_messages(&self) -> Vec<Message> {
        let mut sent = Vec::new();
        for job in self.aws.take_jobs::<SendMessage>(QueueName::BulkSends).await {
            let (store, now) = (self.store(), self.aws.now());
            let mut message = store.message(self.scope(), job.message, now).await.unwrap().unwrap();
            message.claim(0, "claim".to_owned(), now, &self.aws.env().config().timers().unwrap());
            let attempt = message.attempts.last_mut().unwrap();
            attempt.state = AttemptState::Accepted;
            attempt.accepted_at = Some(now);
            store.write_message(self.scope(), &message).await.unwrap();
            sent.push(message);
        }
        sent
    }
}

fn says(name: &str, text: &str) -> Value {
    let message = json!({"channels": ["sms"], "category": "utility", "sms_text": text});
    json!({"name": name, "does": {"type": "message", "message": message}})
}

fn waits(name: &str, days: u32) -> Value {
    json!({"name": name, "does": {"type": "wait", "wait": {"until": "passed", "days": days}}})
}

fn three() -> Value {
    json!([
        says("welcome", "Welcome"),
        waits("two days", 2),
        says("offer", "An offer"),
        waits("a day", 1),
        says("reminder", "A reminder"),
    ])
}

/// People in the drip whose runs are killed at any point.
/// As many as this variable says, where it is set: `RINGBACK_TEST_PEOPLE=2000`.
const PEOPLE: usize = 60;

const ACTIVE: EnrolmentStatus = EnrolmentStatus::Active;

#[tokio::test]
async fn three_messages_come_at_their_times_each_once() {
    let world = World::new().await;
    let drip = world.drip(json!({}), three()).await;
    let fan = world.fan("+971501000001").await.id;
    world.enter(&drip, fan).await;
    // Two at the same time.
    let jobs = world.lease_due().await;
    tokio::join!(world.take(&jobs), world.take(&jobs));
    let first = world.take_sent_messages().await;
    assert_eq!(first.len(), 1);
    let cause = first[0].cause;
    assert!(matches!(cause, Cause::Campaign { contact, step: Some(step), .. } if contact == fan && step.place == 0));
    assert_eq!(first[0].id, cause.message_id());
    assert_eq!(world.at(&drip, fan).await, (ACTIVE, vec!["welcome".to_owned()]));
    let next = world.enrolment(&drip, fan).await.value.next_step_at().unwrap();
    assert_eq!(next, world.aws.now() + SignedDuration::from_hours(48));
    let waiting = world.enrolment(&drip, fan).await.version;
    world.aws.pass(2 * A_DAY - 60);
    world.run().await;
    assert_eq!(
        world.enrolment(&drip, fan).await.version,
        waiting,
        "waiting costs nothing"
    );
    world.aws.pass(60);
    world.run().await;
    assert_eq!(world.sent_by_run().await, 1);
    world.aws.pass(A_DAY);
    assert_eq!(world.sent_by_run().await, 1);
    let (status, names) = world.at(&drip, fan).await;
    assert_eq!(status, EnrolmentStatus::Completed);
    assert_eq!(names, ["welcome", "two days", "offer", "a day", "reminder"]);
    world.aws.pass(30 * A_DAY);
    assert_eq!(world.sent_by_run().await, 0);
}

#[tokio::test]
async fn nothing_follows_once_somebody_has_left() {
    let world = World::new().await;
    let drip = world.drip(json!({}), three()).await;
    let stays = json!({"exits": {"on_reply": false, "on_call": false}, "name": "Stays"});
    let other = world.drip(stays, three()).await;
    let [writes, stops, merges, kept] = world.fans().await;
    for contact in [writes, stops, merges, kept] {
        world.enter(&drip, contact).await;
    }
    assert_eq!(world.sent_by_run().await, 4);
    world.aws.pass(A_DAY);
    for contact in [writes, stops] {
        world.enter(&other, contact).await;
    }
    assert_eq!(world.sent_by_run().await, 2);
    let now = world.aws.now();
    let change = async |contact, change: fn(&mut Contact, Timestamp)| {
        let changed = |contact: &mut Contact| {
            change(contact, now);
            Change::Contact
        };
        world.aws.change_contact(world.scope(), contact, changed).await;
    };
    change(writes, |contact, now| {
        contact.wrote(now);
    })
    .await;
    // A reaction.
    change(kept, |contact, now| contact.last_inbound_at = Some(now)).await;
    change(stops, |contact, now| {
        contact.wish(OptFlag::Stop, "wrote STOP", now);
    })
    .await;
    world.business.merge(&world.aws, kept, merges).await;
    world.aws.pass(2 * A_DAY);
    world.run().await;
    let told = world.take_sent_messages().await;
    let mut contacts: Vec<ContactId> = told.iter().map(|message| message.id.contact()).collect();
    contacts.sort_unstable();
    let mut expected = [writes, kept];
    expected.sort_unstable();
    assert_eq!(contacts, expected, "the one who writes stays in the other drip");
    assert_eq!(world.exit(&drip, writes).await, Some(Reason::Unnecessary));
    assert_eq!(world.exit(&drip, stops).await, Some(Reason::OptedOut));
    assert_eq!(world.exit(&other, stops).await, Some(Reason::OptedOut));
    assert_eq!(world.exit(&drip, merges).await, Some(Reason::ContactMerged));
    assert_eq!(world.exit(&other, writes).await, None);
}

#[tokio::test]
async fn whoever_buys_leaves_a_drip_that_wants_it() {
    let world = World::new().await;
    let sells = world.drip(json!({"exits": {"on_conversion": true}}), three()).await;
    let other = world.drip(json!({"name": "Other"}), three()).await;
    let [buys, waits] = world.fans().await;
    let converts = async || {
        let fields = from_value(json!({"what": "order"})).unwrap();
        let (stamp, id) = (world.aws.stamp(), ConversionId::new(buys, world.aws.ids().ulid()));
        let conversion = Conversion::new(id, fields, stamp.actor, stamp.at).expect("a conversion");
        let store = world.aws.store();
        let created = store.create_of_contact(world.scope(), &conversion, &stamp);
        created.await.expect("it is recorded");
    };
    // An earlier one means nothing.
    converts().await;
    world.aws.pass(1);
    for contact in [buys, waits] {
        world.enter(&sells, contact).await;
    }
    world.enter(&other, buys).await;
    world.run().await;
    assert_eq!(world.exit(&sells, buys).await, None);
    world.aws.pass(60);
    converts().await;
    world.aws.pass(3 * A_DAY);
    world.run().await;
    assert_eq!(world.exit(&sells, buys).await, Some(Reason::Unnecessary));
    assert_eq!(world.exit(&sells, waits).await, None);
    assert_eq!(world.exit(&other, buys).await, None);
}

#[tokio::test]
async fn branches_tags_and_stages_work_on_the_contact() {
    let world = World::new().await;
    let (vip, asked) = (world.tag("VIP").await, world.tag("Asked").await);
    let lead = world.stage("Won").await;
    let gone = UserId::new(world.aws.ids().ulid());
    let user = world.business.member(&world.aws, Role::Agent).await.user;
    let act = |name: &str, does: Value| json!({"name": name, "does": does});
    let steps = json!([
        act(
            "vip?",
            json!({"type": "branch", "when": {"type": "tag", "tag": vip.id}, "then": "thanks"})
        ),
        act("ask", json!({"type": "tag", "tag": asked.id})),
        act("won", json!({"type": "stage", "stage": lead.id})),
        act(
            "tell",
            json!({"type": "notify", "text": "Please call.", "users": [gone, user]})
        ),
        act("tell the owner", json!({"type": "notify", "text": "Please write."})),
        says("hello", "Hello"),
        act("end", json!({"type": "exit"})),
        says("thanks", "Thanks"),
        act("no vip", json!({"type": "tag", "tag": vip.id, "remove": true})),
    ]);
    let drip = world.drip(json!({}), steps).await;
    let [new, old] = world.fans().await;
    let tagged = |profile: &mut Profile| {
        profile.tags.insert(vip.id);
    };
    world.change_profile(old, tagged).await;
    for contact in [new, old] {
        world.enter(&drip, contact).await;
    }
    // Each note ends a run, and a message looks a minute later whether it has left.
    let first = world.enrolment(&drip, new).await.value;
    for _ in 0..4 {
        world.run().await;
        world.take_sent_messages().await;
        world.aws.pass(60);
    }
    let (status, names) = world.at(&drip, new).await;
    assert_eq!(
        (status, names),
        (
            EnrolmentStatus::Completed,
            ["vip?", "ask", "won", "tell", "tell the owner", "hello", "end"]
                .map(str::to_owned)
                .into()
        )
    );
    let taken = world.enrolment(&drip, new).await.value.passage.unwrap().taken;
    let skipped: Vec<_> = taken.iter().filter_map(|taken| taken.skipped.as_deref()).collect();
    assert_eq!(skipped, ["nobody is there who could attend to the contact"]);
    // As if the first run had been killed before it wrote the enrolment.
    let version = world.enrolment(&drip, new).await.version;
    let store = world.store();
    store.write_enrolment(world.scope(), version, &first).await.unwrap();
    world.run().await;
    let notes = store.page_of_contact::<Note>(world.scope(), new, None, 10, world.aws.now());
    let (_, notes) = notes.await.unwrap().unwrap();
    let notes: Vec<&Note> = notes.items.iter().map(|note| &note.value).collect();
    assert_eq!(notes.len(), 1, "it is written once");
    assert_eq!(
        (notes[0].text.as_str(), &notes[0].mentions[..]),
        ("Please call.", &[user][..])
    );
    let profile = world.person(new).await.profile;
    assert!(profile.tags.contains(&asked.id));
    assert_eq!(profile.stage.map(|staged| staged.stage), Some(lead.id));
    let (status, names) = world.at(&drip, old).await;
    assert_eq!(
        (status, names),
        (
            EnrolmentStatus::Completed,
            ["vip?", "thanks", "no vip"].map(str::to_owned).into()
        )
    );
    let profile = world.person(old).await.profile;
    assert!(profile.tags.is_empty());
}

#[tokio::test]
async fn paused_and_cancelled_drips_say_nothing() {
    let world = World::new().await;
    let drip = world.drip(json!({}), three()).await;
    let [fan, late] = world.fans().await;
    world.enter(&drip, fan).await;
    let paused = world
        .move_drip(world.campaign(&drip).await, &[CampaignState::Paused])
        .await;
    assert_eq!(world.sent_by_run().await, 0);
    let resumed = world.move_drip(paused, &[CampaignState::Running]).await;
    world.aws.pass(600);
    assert_eq!(world.sent_by_run().await, 1);
    // Whoever enters later goes through the new steps, and who is in it through the old ones.
    let drip = world.write(&resumed, json!([says("one", "Just this")])).await;
    world.enter(&drip.value, late).await;
    assert_eq!(world.sent_by_run().await, 1);
    assert_eq!(world.at(&drip.value, late).await.0, EnrolmentStatus::Completed);
    assert_eq!(world.at(&drip.value, fan).await, (ACTIVE, vec!["welcome".to_owned()]));
    let drip = world.move_drip(drip, &[CampaignState::Cancelled]).await;
    world.aws.pass(2 * A_DAY);
    assert_eq!(world.sent_by_run().await, 0);
    assert_eq!(world.exit(&drip.value, fan).await, Some(Reason::CampaignCancelled));
    assert_eq!(world.exit(&drip.value, late).await, None);
}

#[tokio::test]
async fn what_keeps_a_message_back_pauses_or_postpones_or_skips() {
    let world = World::new().await;
    let template =
        json!({"channels": ["whatsapp"], "category": "utility", "template": {"name": "gone", "language": "en"}});
    let broken = json!([{"name": "gone", "does": {"type": "message", "message": template}}]);
    let broken = world.drip(json!({"name": "Broken"}), broken).await;
    let empty = json!([says("nothing", "{{contact.first_name}}"), says("hello", "Hello")]);
    let skips = world.drip(json!({"name": "Skips"}), empty).await;
    let fan = world.fan("+971501000001").await.id;
    let cold = world.business.contact(&world.aws, "+971501000002").await.id;
    world.enter(&broken, fan).await;
    world.enter(&skips, fan).await;
    world.enter(&skips, cold).await;
    world.run().await;
    let paused = world.campaign(&broken).await.value;
    assert_eq!(paused.state, CampaignState::Paused);
    let notice = domain::notices::Notice::of_campaign(&paused).unwrap();
    let noted = world.store().notice(world.scope(), &notice.key()).await.unwrap();
    assert!(noted.is_some(), "people are told");
    assert_eq!(world.at(&broken, fan).await, (ACTIVE, vec![]));
    assert_eq!(world.exit(&skips, cold).await, Some(Reason::NoConsent));
    world.aws.pass(60);
    world.run().await;
    let enrolment = world.enrolment(&skips, fan).await.value;
    let taken = enrolment.passage.unwrap().taken;
    assert!(taken[0].skipped.is_some(), "{taken:?}");
    assert_eq!(world.take_sent_messages().await.len(), 1);
}

#[tokio::test]
async fn an_enrolment_that_cannot_be_read_keeps_nobody_waiting() {
    let world = World::new().await;
    let drip = world.drip(json!({}), three()).await;
    let [fan, spoilt] = world.fans().await;
    world.enter(&drip, spoilt).await;
    world.enter(&drip, fan).await;
    let enrolment = format!("ENROL#{}", drip.id.ulid().to_string().to_ascii_lowercase());
    let spoiling = world.business.spoil_row(&world.aws, Some(spoilt), "", &enrolment, "f");
    spoiling.await;
    assert_eq!(world.sent_by_run().await, 1);
    assert_eq!(world.count_due().await, 0, "it is looked at again later");
}

/// Two contacts who wait for their first message, and access to the table that can lose responses.
async fn two_due(world: &World) -> (Lossy, Context) {
    world.remove_caps().await;
    let drip = world.drip(json!({}), three()).await;
    for fan in world.fans::<2>().await {
        world.enter(&drip, fan).await;
    }
    let lossy = Lossy::before(&world.aws);
    let env = world.aws.env_with(&[("AWS_ENDPOINT_URL", lossy.url())]);
    (lossy, Context::new(&env).unwrap())
}

#[tokio::test]
async fn what_is_said_to_one_is_queued_though_another_fails() {
    let world = World::new().await;
    let (lossy, ctx) = two_due(&world).await;
    lossy.happens_before("TransactWriteItems", async || ());
    lossy.forbid("TransactWriteItems");
    let jobs = world.lease_due().await;
    handle(Job::new(jobs[0].clone(), 1), &ctx).await.unwrap();
    assert_eq!(world.take_sent_messages().await.len(), 2);
}

/// Its queue delivers the job again, which leaves the steps alone that are due later.
#[tokio::test]
async fn steps_that_fail_are_due_again_ten_minutes_later() {
    let world = World::new().await;
    let (lossy, ctx) = two_due(&world).await;
    lossy.deny("TransactWriteItems");
    let jobs = world.lease_due().await;
    handle(Job::new(jobs[0].clone(), 1), &ctx).await.unwrap_err();
    world.take(&jobs).await;
    assert_eq!(world.take_sent_messages().await.len(), 0);
    for (seconds, due) in [(599, 0), (1, 2)] {
        world.aws.pass(seconds);
        assert_eq!(world.count_due().await, due);
    }
    assert_eq!(world.sent_by_run().await, 2);
}

/// A lease that has ended is another job's.
#[tokio::test]
async fn job_whose_lease_is_over_takes_nothing() {
    let world = World::new().await;
    two_due(&world).await;
    let late = world.lease_due().await;
    world.aws.pass(1_800);
    let jobs = world.lease_due().await;
    world.take(&late).await;
    assert_eq!(world.take_sent_messages().await.len(), 0);
    world.take(&jobs).await;
    assert_eq!(world.take_sent_messages().await.len(), 2);
}

/// Others write the contact whenever its message is made: twice, and as often as a job tries.
#[tokio::test]
async fn lost_races_are_tried_again_and_then_left_to_the_next_run() {
    let world = World::new().await;
    world.remove_caps().await;
    let drip = world.drip(json!({}), three()).await;
    for (fan, lost, said) in [("+971501000001", 2, 1), ("+971501000002", 3, 0)] {
        let fan = world.fan(fan).await.id;
        world.enter(&drip, fan).await;
        let lossy = Lossy::before(&world.aws);
        let ctx = Context::new(&world.aws.env_behind(lossy.url())).unwrap();
        for _ in 0..lost {
            let (store, scope) = (world.store(), world.scope().clone());
            lossy.happens_before("TransactWriteItems", async move || {
                let contact = store.contact(&scope, fan).await.unwrap().unwrap();
                store.write_contact(&scope, &contact.into(), None).await.unwrap();
            });
        }
        let jobs = world.lease_due().await;
        handle(Job::new(jobs[0].clone(), 1), &ctx).await.unwrap();
        assert_eq!(world.take_sent_messages().await.len(), said);
        assert_eq!(world.count_due().await, 1 - said);
        assert_eq!(world.sent_by_run().await, 1 - said);
    }
}

/// The second message is due a moment before the limit of 24 hours ends.
#[tokio::test]
async fn daily_messages_wait_for_the_end_of_the_limit() {
    let world = World::new().await;
    // Links and a cap of money, which prices are read for.
    let one = "One {{link:https://saffron.example/}} {{preferences.link}}";
    let daily = json!([says("one", one), waits("a day", 1), says("two", "Two")]);
    world.cap("USD", 100_000).await;
    let drip = world.drip(json!({}), daily).await;
    let fan = world.fan("+971501000001").await.id;
    world.enter(&drip, fan).await;
    world.run().await;
    world.aws.pass(5);
    assert_eq!(world.take_sent_messages().await.len(), 1);
    world.aws.pass(A_DAY - 5);
    assert_eq!(world.sent_by_run().await, 0);
    let next = world.enrolment(&drip, fan).await.value.next_step_at().unwrap();
    assert_eq!(next, world.aws.now() + SignedDuration::from_secs(5));
    world.aws.pass(60);
    assert_eq!(world.sent_by_run().await, 1);
}

/// WhatsApp allows two new customers a day; campaigns take one of these places.
#[tokio::test]
async fn who_finds_no_place_today_is_messaged_tomorrow() {
    let world = World::new().await;
    world.business.may_message_first(&world.aws, 2).await;
    let template = json!({"name": "missed_call_followup", "language": "en_GB", "variables": {
        "1": {"text": "you"}, "2": {"from": "tenant.name"},
    }});
    let message = json!({"channels": ["whatsapp"], "category": "utility", "template": template});
    let steps = json!([{"name": "hello", "does": {"type": "message", "message": message}}]);
    let drip = world.drip(json!({}), steps).await;
    for fan in world.fans::<2>().await {
        world.enter(&drip, fan).await;
    }
    assert_eq!(world.sent_by_run().await, 1);
    world.aws.pass(A_DAY - 60);
    assert_eq!(world.sent_by_run().await, 0);
    let limited = world.campaign(&drip).await.value.limited_until.unwrap();
    assert!(world.aws.now() < limited);
    // Within twelve hours, since many may wait.
    world.aws.pass(14 * 3_600);
    assert_eq!(world.sent_by_run().await, 1);
}

#[tokio::test]
async fn of_several_that_are_merged_one_goes_on() {
    let world = World::new().await;
    let drip = world.drip(json!({}), three()).await;
    let [one, two, whole] = world.fans().await;
    for contact in [one, two] {
        world.enter(&drip, contact).await;
    }
    assert_eq!(world.sent_by_run().await, 2);
    world.business.merge(&world.aws, whole, one).await;
    world.business.merge(&world.aws, whole, two).await;
    world.aws.pass(2 * A_DAY);
    world.run().await;
    let sent = world.take_sent_messages().await;
    assert_eq!(
        sent.iter().map(|message| message.id.contact()).collect::<Vec<_>>(),
        [whole]
    );
    let exits = [world.exit(&drip, one).await, world.exit(&drip, two).await];
    assert_eq!(exits.iter().flatten().collect::<Vec<_>>(), [&Reason::ContactMerged]);
}

/// Runs beside each other, some of them killed at any point.
#[tokio::test]
async fn many_go_through_it_once_although_runs_are_killed() {
    let world = World::new().await;
    world.remove_caps().await;
    let drip = world.drip(json!({}), three()).await;
    let people = testkit::size("RINGBACK_TEST_PEOPLE", PEOPLE);
    let contacts = world.many_fans(people).await;
    for contact in &contacts {
        world.enter(&drip, *contact).await;
    }
    let rows = world.row_count().await;
    // Each job is delivered again and again, also after later ones were queued.
    let storm = async || {
        let mut jobs = Vec::new();
        for killed_after in [10, 25, 40, 60, 90] {
            jobs.extend(world.lease_due().await);
            let killed = tokio::time::timeout(std::time::Duration::from_millis(killed_after), world.take(&jobs));
            let _ = tokio::join!(Box::pin(killed), Box::pin(world.take(&jobs)));
        }
    };
    Box::pin(storm()).await;
    world.take_sent_messages().await;
    let paused = world
        .move_drip(world.campaign(&drip).await, &[CampaignState::Paused])
        .await;
    world.aws.pass(2 * A_DAY);
    Box::pin(storm()).await;
    assert_eq!(world.take_sent_messages().await.len(), 0);
    let now = world.aws.now();
    let stopped = |contact: &mut Contact| {
        contact.wish(OptFlag::Stop, "wrote STOP", now);
        Change::Contact
    };
    for contact in &contacts[..5] {
        world.aws.change_contact(world.scope(), *contact, stopped).await;
    }
    world.move_drip(paused, &[CampaignState::Running]).await;
    for _ in 0..2 {
        world.aws.pass(A_DAY + 3600);
        Box::pin(storm()).await;
        world.take_sent_messages().await;
    }
    let mut messages = 0;
    for (place, contact) in contacts.iter().enumerate() {
        let (status, names) = world.at(&drip, *contact).await;
        messages += world.enrolment(&drip, *contact).await.value.passage.unwrap().messages();
        if place < 5 {
            assert_eq!((status, names), (EnrolmentStatus::Exited, vec!["welcome".to_owned()]));
        } else {
            assert_eq!(status, EnrolmentStatus::Completed);
            assert_eq!(names, ["welcome", "two days", "offer", "a day", "reminder"]);
        }
    }
    assert_eq!(messages, 5 + (people - 5) * 3);
    assert_eq!(world.row_count().await - rows, messages, "each message is there once");
}
