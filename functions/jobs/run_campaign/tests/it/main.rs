//! Running campaigns, in process against the emulator.

mod routes;

use std::collections::{BTreeMap, BTreeSet};

use domain::campaigns::Campaign;
use domain::messages::{AttemptState, Content, Ended, Message, OptFlag};
use domain::money::{Cap, Period, Scope};
use domain::people::{Contact, Field, FieldValue, Filter, Profile, Segment, Stage, Staged, Tag};
use domain::templates::{TemplateDefinition, TemplateStatus};
use domain::tenants::{Dated, Quality, Reported};
use domain::terms::{CampaignState, ContactId, Operation, OperationState, Reason, Refusal, TagId, TakenSlot};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use jobs::StartOperation;
use kit::QueueName;
use kit::operation::Ran;
use run_campaign::{Context, PER_STEP, handle};
use serde_json::{Value, json};
use store::{Owned as _, Versioned};
use testkit::Lossy;
use testkit::operations::result_of;

struct World {
    everybody: Segment,
    world: testkit::World<Context>,
}

testkit::extends_world!(World.world: Context);

impl World {
    async fn new() -> Self {
        let world = testkit::World::at("https://api.example.com", Context::new).await;
        let everybody = world.create_owned(json!({"name": "Everybody", "filter": {}})).await;
        Self { everybody, world }
    }

    /// Contacts who want the tenant's messages.
    async fn fans(&self, count: usize) -> Vec<Contact> {
        let mut fans = Vec::new();
        for number in 0..count {
            fans.push(self.fan(&format!("+9715010{number:05}")).await);
        }
        fans
    }

    /// A new tag, which this contact has.
    async fn tag(&self, name: &str, contact: &Contact) -> TagId {
        let tag = self.create_owned::<Tag>(json!({"name": name})).await.id;
        let tagged = |profile: &mut Profile| {
            profile.tags.insert(tag);
        };
        self.change_profile(contact.id, tagged).await;
        tag
    }

    /// Number of all contacts.
    async fn count(&self) -> u64 {
        let search = Filter::default().search().unwrap();
        let found = self.store();
        let found = found.searched_contacts(self.scope(), &search, None, 500).await;
        found.unwrap().items.len() as u64
    }

    /// A campaign by SMS to everybody, with these fields in addition, which was started.
    async fn start(&self, change: Value) -> StartOperation {
        let mut fields = json!({
            "type": "broadcast", "name": "Offer", "audience": {"segment": self.everybody.id},
            "message": {"channels": ["sms"], "category": "marketing", "sms_text": "20% off until Sunday"},
        });
        for (name, value) in change.as_object().unwrap() {
            fields[name] = value.clone();
        }
        let new: Campaign = self.create_owned(fields).await;
        let (store, stamp) = (self.store(), self.aws.stamp());
        let before: Versioned<Campaign> = store.get(self.scope(), &new.id).await.unwrap().unwrap();
        let (after, operation) = before.value.start_with_operation(&stamp).unwrap();
        let started = store.start_campaign(self.scope(), &before, &after, &operation, &stamp);
        started.await.unwrap();
        self.operations.start(&operation)
    }

    async fn campaign_with_version(&self, start: &StartOperation) -> Versioned<Campaign> {
        let id = start.operation.to_string().replace("op_", "cmp_");
        self.store().get(self.scope(), &id).await.unwrap().unwrap()
    }

    async fn campaign(&self, start: &StartOperation) -> Campaign {
        self.campaign_with_version(start).await.value
    }

    /// State of a campaign, and the reason for stopping it.
    async fn state(&self, start: &StartOperation) -> (CampaignState, Option<Reason>) {
        let Campaign { state, stopped, .. } = self.campaign(start).await;
        (state, stopped.map(|stopped| stopped.code))
    }

    async fn step(&self, start: &StartOperation) -> Ran {
        self.operations.step(start, &self.ctx, &handle).await
    }

    /// Makes steps until the campaign waits for a time, or ends.
    async fn work(&self, start: &StartOperation) {
        for _ in 0..100 {
            let ran = self.step(start).await;
            let due = self.operations.get(start).await.due;
            if due == Some(self.aws.now() + SignedDuration::from_secs(20)) {
                // Until the index has what was written.
                self.aws.pass(20);
            } else if ran == Ran::Ended || due != Some(self.aws.now() + Operation::FIRST_DUE) {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    /// Number of messages of each of the minutes that wait to be looked at.
    async fn samples(&self, start: &StartOperation) -> Vec<usize> {
        let cursor = serde_json::to_value(self.operations.get(start).await.cursor).unwrap();
        let minutes = cursor["watch"]["samples"].as_array().cloned().unwrap_or_default();
        let count = |minute: &Value| minute[1].as_array().map_or(0, Vec::len);
        minutes.iter().map(count).collect()
    }

    /// Moves the campaign to this state, as a user does.
    async fn becomes(&self, start: &StartOperation, state: CampaignState) {
        let before = self.campaign_with_version(start).await;
        let after = before.value.with_state(state, None, self.aws.now()).unwrap();
        let (store, stamp) = (self.store(), self.aws.stamp());
        store.change(self.scope(), &before, &after, &stamp).await.unwrap();
    }

    async fn message(&self, start: &StartOperation, contact: ContactId) -> Option<Message> {
        let id = self.campaign(start).await.cause(contact).message_id();
        self.store().message(self.scope(), id, self.aws.now()).await.unwrap()
    }

    /// The contacts among these who have a message of the campaign.
    async fn contacts_with_message(&self, start: &StartOperation, contacts: &[Contact]) -> BTreeSet<ContactId> {
        let mut reached = BTreeSet::new();
        for contact in contacts {
            let message = self.message(start, contact.id).await;
            reached.extend(message.map(|message| message.id.contact()));
        }
        reached
    }

    /// A contact's reason for getting no message of the campaign.
    async fn exit(&self, start: &StartOperation, contact: ContactId) -> Option<Reason> {
        let campaign = self.campaign(start).await.id;
        let mut found = self
            .store()
            .enrolments(self.scope(), campaign, &[contact])
            .await
            .unwrap();
        found.remove(&contact)?.exit.map(|exit| exit.because.code)
    }

    /// Writes the messages of these contacts with a change.
    async fn change(&self, start: &StartOperation, contacts: &[Contact], change: impl Fn(&mut Message)) {
        for contact in contacts {
            if let Some(mut message) = self.message(start, contact.id).await {
                change(&mut message);
                self.write(&message).await;
            }
        }
    }

    /// Ends all messages of the campaign.
    async fn end_all(&self, start: &StartOperation, contacts: &[Contact]) {
        let end = |message: &mut Message| message.block(Refusal::new(Reason::Late, "too late"));
        self.change(start, contacts, end).await;
    }

    /// Holds the messages of these contacts for an hour, as the check before a send does.
    async fn hold(&self, start: &StartOperation, contacts: &[Contact], why: &str) {
        let (now, timers) = (self.aws.now(), self.aws.env().config().timers().unwrap());
        let hold = |message: &mut Message| {
            let why = Refusal::new(Reason::CampaignPaused, why);
            message.postpone(now + SignedDuration::from_hours(1), why, now, &timers);
        };
        self.change(start, contacts, hold).await;
    }

    /// Sets the only cap of the tenant, of messages or of money in this currency.
    async fn cap(&self, currency: Option<&str>, maximum: u32) {
        let cap = Cap {
            number: 1,
            period: Period::Hour,
            scope: Scope::Tenant,
            purpose: None,
            currency: currency.map(|code| code.parse().unwrap()),
            maximum,
        };
        self.change_tenant(|tenant| tenant.caps = Some(vec![cap].into())).await;
    }

    async fn change_templates(&self, change: impl Fn(&mut TemplateDefinition)) {
        let (store, scope) = (self.store(), self.scope());
        for template in store.all::<TemplateDefinition>(scope).await.unwrap() {
            let before: Versioned<TemplateDefinition> = store.get(scope, &template.id()).await.unwrap().unwrap();
            let mut after = before.value.clone();
            change(&mut after);
            store.change(scope, &before, &after, &self.aws.stamp()).await.unwrap();
        }
    }
}

fn ids(contacts: &[Contact]) -> BTreeSet<ContactId> {
    contacts.iter().map(|contact| contact.id).collect()
}

/// Each step is made twice, the first time by a worker that dies before it records it.
#[tokio::test]
async fn everybody_gets_one_message_and_then_it_is_completed() {
    let world = World::new().await;
    let fans = world.fans(PER_STEP + 5).await;
    let stranger = world.business.contact(&world.aws, "+971501999999").await;
    let start = world.start(json!({})).await;
    while world.campaign(&start).await.state != CampaignState::Finishing {
        world.operations.lost_step(&start, &world.ctx, &handle).await;
        assert_eq!(world.step(&start).await, Ran::Continues);
        // The index has the audience by then.
        world.aws.pass(20);
    }
    assert_eq!(world.contacts_with_message(&start, &fans).await, ids(&fans));
    assert_eq!(world.exit(&start, stranger.id).await, Some(Reason::NoConsent));
    let all = world.count().await;
    assert_eq!(world.campaign(&start).await.recipients, Some(all));
    let progress = world.operations.get(&start).await.progress;
    assert_eq!((progress.done, progress.total), (all, Some(all)));
    assert_eq!(progress.done - progress.errors, fans.len() as u64);
    assert_eq!(world.aws.drain(QueueName::BulkSends).await.len(), fans.len());
    // They are not in a final state yet.
    for _ in 0..3 {
        world.work(&start).await;
        world.aws.pass(120);
    }
    assert_eq!(world.campaign(&start).await.state, CampaignState::Finishing);
    world.end_all(&start, &fans).await;
    let (operation, _) = world.operations.finish(&start, &world.ctx, &handle).await;
    let result: Value = result_of(&operation);
    assert_eq!(result["messages"], fans.len());
    let completed = world.campaign(&start).await;
    assert_eq!(
        (completed.state, completed.ended_at),
        (CampaignState::Completed, Some(world.aws.now()))
    );
}

#[tokio::test]
async fn excluded_contacts_and_later_ones_are_not_in_the_audience() {
    let world = World::new().await;
    let fans = world.fans(4).await;
    let wholesale = world.tag("Wholesale", &fans[0]).await;
    let staff = world.tag("Staff", &fans[1]).await;
    let staff = json!({"name": "Staff", "filter": {"tag": staff}});
    let staff: Segment = world.create_owned(staff).await;
    let audience = json!({
        "segment": world.everybody.id, "excluded_tags": [wholesale], "excluded_segments": [staff.id],
    });
    let start = world.start(json!({ "audience": audience })).await;
    world.step(&start).await;
    world.aws.pass(1);
    let later = world.fan("+971501888888").await;
    world.work(&start).await;
    let all = [fans.clone(), vec![later]].concat();
    assert_eq!(world.contacts_with_message(&start, &all).await, ids(&fans[2..]));
}

/// Each kind of segment has its own list. The message has a link of its recipient's own.
#[tokio::test]
async fn a_tag_or_a_segment_of_any_kind_is_an_audience() {
    let world = World::new().await;
    let fans = world.fans(4).await;
    let regular = world.tag("Regular", &fans[0]).await;
    let open: Stage = world.create_owned(json!({"name": "Open", "position": 1})).await;
    let visits = json!({"key": "visits", "name": "Visits", "type": "number", "searchable": true});
    let visits: Field = world.create_owned(visits).await;
    let since = world.aws.now();
    let staged = |profile: &mut Profile| profile.stage = Some(Staged { stage: open.id, since });
    world.change_profile(fans[1].id, staged).await;
    let visited = |profile: &mut Profile| {
        profile
            .fields
            .insert(visits.id, FieldValue::Number("7".parse().unwrap()));
        profile.listed.insert(visits.id);
    };
    world.change_profile(fans[2].id, visited).await;
    let message = json!({
        "channels": ["sms"], "category": "marketing", "sms_text": "20% off: {{link:https://saffron.example/cake}} Stop: {{preferences.link}}",
    });
    for (filter, fan) in [
        (json!({"tag": regular}), &fans[0]),
        (json!({"stage": open.id}), &fans[1]),
        (json!({"field": "visits", "from": 7}), &fans[2]),
    ] {
        let segment: Segment = world.create_owned(json!({"name": fan.id, "filter": filter})).await;
        let start = world
            .start(json!({"audience": {"segment": segment.id}, "message": message}))
            .await;
        world.work(&start).await;
        assert_eq!(
            world.contacts_with_message(&start, &fans).await,
            [fan.id].into(),
            "{filter}"
        );
    }
    let listed = world.tag("Fair", &fans[3]).await;
    let start = world.start(json!({"audience": {"tag": listed}})).await;
    world.work(&start).await;
    assert_eq!(world.contacts_with_message(&start, &fans).await, [fans[3].id].into());
}

#[tokio::test]
async fn contacts_with_a_tag_enter_a_drip_when_it_begins() {
    let world = World::new().await;
    let fans = world.fans(2).await;
    let listed = world.tag("Fair", &fans[1]).await;
    let start = world.start(json!({"type": "drip", "audience": {"tag": listed}})).await;
    // It begins, and enrols them.
    for _ in 0..2 {
        world.step(&start).await;
    }
    let (campaign, both) = (world.campaign(&start).await.id, fans.iter().map(|fan| fan.id));
    let both: Vec<ContactId> = both.collect();
    let found = world.store().enrolments(world.scope(), campaign, &both).await.unwrap();
    assert_eq!(found.into_keys().collect::<Vec<_>>(), [fans[1].id]);
}

#[tokio::test]
async fn a_person_who_is_two_contacts_gets_one_message() {
    let world = World::new().await;
    let fans = world.fans(6).await;
    let start = world.start(json!({})).await;
    // Then the audience is fixed.
    world.step(&start).await;
    world.step(&start).await;
    world.business.merge(&world.aws, fans[0].id, fans[1].id).await;
    world.work(&start).await;
    assert_eq!(world.contacts_with_message(&start, &fans).await.len(), 5);
    assert_eq!(world.exit(&start, fans[1].id).await, Some(Reason::ContactMerged));
    // Both got it before.
    world.business.merge(&world.aws, fans[2].id, fans[3].id).await;
    world.aws.pass(120);
    world.work(&start).await;
    assert_eq!(world.contacts_with_message(&start, &fans).await.len(), 5);
}

#[tokio::test]
async fn an_audience_of_nobody_is_completed_at_once() {
    let world = World::new().await;
    let listed: Tag = world.create_owned(json!({"name": "Fair"})).await;
    let audience = json!({"segment": null, "tag": listed.id});
    let start = world.start(json!({ "audience": audience })).await;
    world.work(&start).await;
    assert_eq!(world.state(&start).await, (CampaignState::Completed, None));
    assert_eq!(world.campaign(&start).await.recipients, Some(0));
}

/// Nobody has merged them yet.
#[tokio::test]
async fn contacts_of_one_person_get_one_message() {
    let world = World::new().await;
    let fans = world.fans(4).await;
    for (one, other) in [(1, 2), (2, 1)] {
        let mut contact = fans[one].clone();
        contact.is_also([fans[other].id]);
        let (store, contact) = (world.store(), contact.into());
        store.write_contact(world.scope(), &contact, None).await.unwrap();
    }
    let start = world.start(json!({})).await;
    world.work(&start).await;
    let reached = world.contacts_with_message(&start, &fans).await;
    assert_eq!(reached.len(), 3);
    let left_out = fans.iter().find(|fan| !reached.contains(&fan.id)).unwrap();
    assert!([fans[1].id, fans[2].id].contains(&left_out.id));
    assert_eq!(world.exit(&start, left_out.id).await, Some(Reason::SamePerson));
}

/// Everybody with a message is in the audience, and nobody who is left out has none of both.
#[tokio::test]
async fn a_merge_on_the_way_leaves_nobody_uncounted() {
    let world = World::new().await;
    let fans = world.fans(3).await;
    let start = world.start(json!({"per_minute": 1})).await;
    // Then the audience is fixed.
    world.step(&start).await;
    world.step(&start).await;
    let later = world.fan("+971501777777").await;
    world.business.merge(&world.aws, later.id, fans[0].id).await;
    let all = [fans.as_slice(), std::slice::from_ref(&later)].concat();
    let mut reached = BTreeSet::new();
    for _ in 0..10 {
        world.work(&start).await;
        world.end_all(&start, &all).await;
        world.aws.pass(60);
        reached = world.contacts_with_message(&start, &fans[1..]).await;
        if reached.len() == 1 {
            break;
        }
    }
    // Another contact has got it, and is merged into the one who has not.
    let (before, after) = if reached.contains(&fans[1].id) { (1, 2) } else { (2, 1) };
    world.business.merge(&world.aws, fans[after].id, fans[before].id).await;
    for _ in 0..10 {
        world.work(&start).await;
        world.end_all(&start, &all).await;
        world.aws.pass(60);
    }
    assert_eq!(world.exit(&start, fans[0].id).await, Some(Reason::ContactMerged));
    assert_eq!(world.exit(&start, fans[after].id).await, Some(Reason::SamePerson));
    let campaign = world.campaign(&start).await;
    let (store, ids) = (world.store(), [later.id]);
    let enrolled = store.enrolments(world.scope(), campaign.id, &ids).await.unwrap();
    assert!(enrolled.contains_key(&later.id), "its message is in the report");
    let progress = world.operations.get(&start).await.progress;
    assert_eq!(
        (Some(progress.done), progress.total),
        (campaign.recipients, campaign.recipients)
    );
    assert_eq!(
        world.contacts_with_message(&start, &all).await,
        [later.id, fans[before].id].into()
    );
}

/// Whatever starts it before.
#[tokio::test]
async fn nothing_is_made_before_the_index_has_the_audience() {
    let world = World::new().await;
    let fans = world.fans(2).await;
    let start = world.start(json!({})).await;
    for _ in 0..6 {
        world.step(&start).await;
    }
    assert!(world.contacts_with_message(&start, &fans).await.is_empty());
    world.aws.pass(20);
    world.work(&start).await;
    assert_eq!(world.contacts_with_message(&start, &fans).await, ids(&fans));
}

#[tokio::test]
async fn no_messages_are_made_faster_than_the_campaign_says() {
    let world = World::new().await;
    let fans = world.fans(14).await;
    let start = world.start(json!({"per_minute": 3})).await;
    let reached = async || {
        world.work(&start).await;
        let reached = world.contacts_with_message(&start, &fans).await.len();
        world.aws.pass(60);
        reached
    };
    let first = reached().await;
    assert!((1..=6).contains(&first), "two minutes' worth: {first}");
    assert_eq!(reached().await, first, "they are not sent yet, so more would only wait");
    world.end_all(&start, &fans).await;
    let more = reached().await;
    assert!(first < more && more <= first + 6, "{first} {more}");
}

#[tokio::test]
async fn a_paused_campaign_makes_nothing_and_wakes_its_messages_later() {
    let world = World::new().await;
    let fans = world.fans(8).await;
    let start = world.start(json!({"per_minute": 2})).await;
    world.work(&start).await;
    let made = world.contacts_with_message(&start, &fans).await;
    assert!(!made.is_empty() && made.len() < fans.len());
    world.becomes(&start, CampaignState::Paused).await;
    world.hold(&start, &fans, "paused").await;
    world.aws.pass(600);
    world.work(&start).await;
    assert_eq!(world.contacts_with_message(&start, &fans).await, made);
    world.becomes(&start, CampaignState::Running).await;
    world.aws.drain(QueueName::BulkSends).await;
    world.step(&start).await;
    assert_eq!(world.aws.drain(QueueName::BulkSends).await.len(), made.len());
    for contact in &made {
        let message = world.message(&start, *contact).await.unwrap();
        assert!(message.not_before <= world.aws.now() && !message.is_held());
    }
    world.becomes(&start, CampaignState::Cancelled).await;
    world.aws.pass(60);
    let (operation, _) = world.operations.finish(&start, &world.ctx, &handle).await;
    assert_eq!(operation.state, OperationState::Done);
    assert_eq!(world.contacts_with_message(&start, &fans).await, made);
}

#[tokio::test]
async fn campaign_paused_while_it_waits_for_a_slot_makes_nothing() {
    let world = World::new().await;
    let fans = world.fans(8).await;
    let start = world.start(json!({"per_minute": 2})).await;
    world.work(&start).await;
    let made = world.contacts_with_message(&start, &fans).await;
    let slot = TakenSlot {
        tenant: world.scope().tenant(),
        operation: start.operation,
        until: world.aws.now() + SignedDuration::from_secs(90),
    };
    for number in 0..100 {
        let (store, holder) = (world.store(), world.aws.ids().ulid());
        assert!(store.take_slot(number, holder, &slot, world.aws.now()).await.unwrap());
    }
    world.aws.pass(60);
    assert_eq!(world.step(&start).await, Ran::Waits);
    let waiting = world.operations.get(&start).await;
    assert_eq!(waiting.due, Some(world.aws.now() + SignedDuration::from_secs(60)));
    world.becomes(&start, CampaignState::Paused).await;
    world.aws.pass(60);
    world.work(&start).await;
    assert_eq!(world.contacts_with_message(&start, &fans).await, made);
    assert_eq!(world.state(&start).await.0, CampaignState::Paused);
}

/// It makes no step meanwhile.
#[tokio::test]
async fn messages_are_woken_also_after_a_short_pause() {
    let world = World::new().await;
    let fans = world.fans(3).await;
    let start = world.start(json!({})).await;
    world.work(&start).await;
    world.aws.pass(60);
    world.work(&start).await;
    world.becomes(&start, CampaignState::Paused).await;
    world.hold(&start, &fans, "paused").await;
    world.aws.pass(1);
    world.becomes(&start, CampaignState::Running).await;
    world.step(&start).await;
    for contact in &fans {
        let message = world.message(&start, contact.id).await.unwrap();
        assert!(!message.is_held());
    }
}

/// A campaign to three, whose messages wait since it was paused, and which was just resumed.
async fn resumed_campaign(world: &World) -> (StartOperation, Vec<Contact>) {
    let fans = world.fans(3).await;
    let start = world.start(json!({})).await;
    world.work(&start).await;
    world.becomes(&start, CampaignState::Paused).await;
    world.hold(&start, &fans, "paused").await;
    world.aws.pass(1);
    world.becomes(&start, CampaignState::Running).await;
    world.aws.drain(QueueName::BulkSends).await;
    (start, fans)
}

#[tokio::test]
async fn message_that_cannot_be_read_keeps_no_other_waiting() {
    let world = World::new().await;
    let (start, fans) = resumed_campaign(&world).await;
    let spoilt = world.message(&start, fans[0].id).await.unwrap();
    world.business.spoil(&world.aws, &spoilt, "f").await;
    world.step(&start).await;
    assert_eq!(world.aws.drain(QueueName::BulkSends).await.len(), 2);
}

#[tokio::test]
async fn messages_that_are_woken_are_queued_though_others_fail() {
    let world = World::new().await;
    let (start, _) = resumed_campaign(&world).await;
    let lossy = Lossy::before(&world.aws);
    lossy.happens_before("PutItem", async || ());
    lossy.forbid("PutItem");
    let ctx = Context::new(&world.aws.env_with(&[("AWS_ENDPOINT_URL", lossy.url())])).unwrap();
    let turn = world.operations.turn(&start).await;
    Box::pin(handle(turn, &ctx)).await.unwrap_err();
    assert_eq!(world.aws.drain(QueueName::BulkSends).await.len(), 1);
    // The next step wakes the others.
    world.step(&start).await;
    assert_eq!(world.aws.drain(QueueName::BulkSends).await.len(), 2);
}

#[tokio::test]
async fn messages_that_nobody_sends_pause_the_campaign() {
    let world = World::new().await;
    world.fans(9).await;
    let start = world.start(json!({"per_minute": 2})).await;
    for _ in 0..70 {
        world.work(&start).await;
        world.aws.pass(60);
    }
    let stopped = (CampaignState::Paused, Some(Reason::Throughput));
    assert_eq!(world.state(&start).await, stopped);
}

#[tokio::test]
async fn messages_that_fail_pause_the_campaign() {
    let world = World::new().await;
    let fans = world.fans(70).await;
    let start = world.start(json!({"per_minute": 4})).await;
    let fail = |message: &mut Message| {
        message.ended = Some(Ended::Failed("refused".to_owned()));
        message.due = None;
    };
    let mut left = fans.clone();
    for _ in 0..20 {
        world.work(&start).await;
        let made = world.contacts_with_message(&start, &left).await;
        let (new, rest): (Vec<Contact>, _) = left.into_iter().partition(|fan| made.contains(&fan.id));
        world.change(&start, &new, fail).await;
        left = rest;
        world.aws.pass(60);
    }
    let stopped = (CampaignState::Paused, Some(Reason::FailureRate));
    assert_eq!(world.state(&start).await, stopped);
    let key = format!("campaign_paused#{}", world.campaign(&start).await.id);
    let noticed = world.store().notice(world.scope(), &key).await.unwrap();
    assert!(
        noticed.is_some_and(|state| state.value.due.is_some()),
        "people are told"
    );
    let made = world.contacts_with_message(&start, &fans).await;
    assert!(made.len() < fans.len());
    world.becomes(&start, CampaignState::Running).await;
    world.work(&start).await;
    assert!(
        made.len() < world.contacts_with_message(&start, &fans).await.len(),
        "it goes on when it is resumed"
    );
}

/// A message by WhatsApp.
fn template() -> Value {
    json!({
        "channels": ["whatsapp"], "category": "utility",
        "template": {"name": "missed_call_followup", "language": "en_GB", "variables": {
            "1": {"text": "you"}, "2": {"from": "tenant.name"},
        }},
    })
}

/// Nobody loses the message because of what can be mended.
#[tokio::test]
async fn what_keeps_it_from_everybody_pauses_the_campaign() {
    let world = World::new().await;
    let fans = world.fans(3).await;
    let set = |status: &'static str| {
        world.change_templates(move |template| template.status = TemplateStatus(status.to_owned()))
    };
    set("PAUSED").await;
    let start = world.start(json!({ "message": template() })).await;
    world.work(&start).await;
    let stopped = (CampaignState::Paused, Some(Reason::TemplateNotApproved));
    assert_eq!(world.state(&start).await, stopped);
    assert!(world.contacts_with_message(&start, &fans).await.is_empty());
    set("APPROVED").await;
    world.becomes(&start, CampaignState::Running).await;
    world.work(&start).await;
    assert_eq!(world.contacts_with_message(&start, &fans).await, ids(&fans));
}

/// A rating that is older than its start or resumption is known to whoever did that.
#[tokio::test]
async fn a_low_rating_pauses_the_campaign_once() {
    let world = World::new().await;
    let fans = world.fans(2).await;
    let store = world.store();
    let rated = |at: Timestamp| {
        world.change_templates(move |template| {
            (template.quality, template.quality_at) = (Some(Quality::Red), Some(at));
        })
    };
    // It was rated low before, and another one is rated low later.
    rated(world.aws.now() - SignedDuration::from_hours(1)).await;
    let start = world.start(json!({ "message": template() })).await;
    world.work(&start).await;
    assert_eq!(world.contacts_with_message(&start, &fans).await, ids(&fans));

    let start = world.start(json!({ "message": template() })).await;
    rated(world.aws.now() + SignedDuration::from_secs(40)).await;
    world.work(&start).await;
    let low = (CampaignState::Paused, Some(Reason::LowQuality));
    assert_eq!(world.state(&start).await, low);
    world.aws.pass(60);
    world.becomes(&start, CampaignState::Running).await;
    let quality = Some(Dated {
        at: world.aws.now() + SignedDuration::from_secs(1),
        value: Quality::Red,
    });
    let number = store.connection(world.scope(), world.business.whatsapp).await.unwrap();
    let reported = Reported {
        quality,
        ..Reported::default()
    };
    let number = number.unwrap();
    let noted = store.note_reported(world.scope(), &number, reported);
    noted.await.unwrap();
    world.work(&start).await;
    assert_eq!(world.state(&start).await, low);
    assert!(world.contacts_with_message(&start, &fans).await.is_empty());
}

#[tokio::test]
async fn a_cap_that_is_reached_pauses_the_campaign() {
    let world = World::new().await;
    let fans = world.fans(3).await;
    let start = world.start(json!({})).await;
    let stopped = (CampaignState::Paused, Some(Reason::CapReached));
    for currency in [None, Some("USD")] {
        world.cap(currency, 0).await;
        world.work(&start).await;
        assert_eq!(world.state(&start).await, stopped);
        assert!(world.contacts_with_message(&start, &fans).await.is_empty());
        world.becomes(&start, CampaignState::Running).await;
    }
    world.cap(None, 100).await;
    world.work(&start).await;
    assert_eq!(world.contacts_with_message(&start, &fans).await, ids(&fans));
    world.aws.pass(120);
    world.work(&start).await;
    world.hold(&start, &fans, "waits: the cap is reached").await;
    world.cap(None, 0).await;
    world.aws.pass(120);
    for _ in 0..2 {
        world.work(&start).await;
        assert_eq!(world.state(&start).await, stopped);
        for fan in &fans {
            assert!(world.message(&start, fan.id).await.unwrap().is_held());
        }
        // There is no more room than before.
        world.becomes(&start, CampaignState::Running).await;
    }
    world.cap(None, 100).await;
    world.work(&start).await;
    assert_eq!(world.state(&start).await.0, CampaignState::Finishing);
    for fan in &fans {
        assert!(!world.message(&start, fan.id).await.unwrap().is_held());
    }
}

#[tokio::test]
async fn a_deleted_audience_cancels_the_campaign_before_it_begins() {
    let world = World::new().await;
    let fans = world.fans(2).await;
    let staff: Segment = world.create_owned(json!({"name": "Staff", "filter": {}})).await;
    let audience = json!({"segment": world.everybody.id, "excluded_segments": [staff.id]});
    let start = world.start(json!({ "audience": audience })).await;
    let (store, scope) = (world.store(), world.scope());
    let found: Versioned<Segment> = store.get(scope, &staff.id).await.unwrap().unwrap();
    store.remove(scope, &found, &world.aws.stamp()).await.unwrap();
    world.work(&start).await;
    let cancelled = (CampaignState::Cancelled, Some(Reason::SegmentUnusable));
    assert_eq!(world.state(&start).await, cancelled);
    assert!(world.contacts_with_message(&start, &fans).await.is_empty());
    let listed = world.tag("Fair", &fans[0]).await;
    let start = world.start(json!({"audience": {"segment": null, "tag": listed}})).await;
    let found: Versioned<Tag> = store.get(scope, &listed).await.unwrap().unwrap();
    store.remove(scope, &found, &world.aws.stamp()).await.unwrap();
    world.work(&start).await;
    assert_eq!(world.state(&start).await, cancelled);
}

/// Nobody looks at a drip that has ended, for whatever reason, when a contact is new.
#[tokio::test]
async fn contacts_enter_no_drip_that_ended_itself() {
    let world = World::new().await;
    let (store, scope) = (world.store(), world.scope());
    let staff: Segment = world.create_owned(json!({"name": "Staff", "filter": {}})).await;
    let audience = json!({"segment": staff.id});
    let fields = json!({"type": "drip", "name": "Welcome", "audience": audience, "triggers": {"new_contact": true}});
    let (before, stamp) = (world.aws.drip(scope, fields, &["hello"]).await, world.aws.stamp());
    let (after, operation) = before.value.start_with_operation(&stamp).unwrap();
    let started = store.start_campaign(scope, &before, &after, &operation, &stamp);
    started.await.unwrap();
    let start = world.operations.start(&operation);
    assert_eq!(store.triggered_drips(scope).await.unwrap().len(), 1);
    let found: Versioned<Segment> = store.get(scope, &staff.id).await.unwrap().unwrap();
    store.remove(scope, &found, &world.aws.stamp()).await.unwrap();
    world.work(&start).await;
    let cancelled = (CampaignState::Cancelled, Some(Reason::SegmentUnusable));
    assert_eq!(world.state(&start).await, cancelled);
    assert!(store.triggered_drips(scope).await.unwrap().is_empty());
}

/// Somebody is told, and can go on with it.
#[tokio::test]
async fn a_campaign_that_fails_to_begin_is_paused() {
    let world = World::new().await;
    let start = world.start(json!({})).await;
    let failed = |operation: &mut Operation| operation.attempts = 9;
    world.aws.change_operation(world.scope(), start.operation, failed).await;
    world.step(&start).await;
    assert_eq!(world.state(&start).await, (CampaignState::Paused, Some(Reason::Other)));
}

#[tokio::test]
async fn a_campaign_begins_at_its_time() {
    let world = World::new().await;
    let fans = world.fans(2).await;
    let at = world.aws.now() + SignedDuration::from_hours(1);
    let start = world.start(json!({ "starts_at": at })).await;
    world.work(&start).await;
    assert_eq!(world.campaign(&start).await.state, CampaignState::Scheduled);
    assert_eq!(world.operations.get(&start).await.due, Some(at));
    world.aws.pass(3_600);
    world.work(&start).await;
    assert_eq!(world.contacts_with_message(&start, &fans).await, ids(&fans));
}

#[tokio::test]
async fn everybody_gets_the_content_of_one_variant() {
    let world = World::new().await;
    let fans = world.fans(12).await;
    let variants = json!([{"name": "Shorter", "percent": 50, "sms_text": "20% off"}]);
    let start = world.start(json!({ "variants": variants })).await;
    world.work(&start).await;
    let campaign = world.campaign(&start).await;
    let mut said = BTreeMap::<_, BTreeSet<String>>::new();
    for fan in &fans {
        let message = world.message(&start, fan.id).await.unwrap();
        let Content::Text(text) = message.plan[0].content.clone() else {
            panic!("an SMS")
        };
        said.entry(campaign.variant_of(fan.id).unwrap())
            .or_default()
            .insert(text);
    }
    let said: Vec<Vec<String>> = said.into_values().map(|texts| texts.into_iter().collect()).collect();
    assert_eq!(said, [["20% off until Sunday"], ["20% off"]]);
}

#[tokio::test]
async fn a_part_of_the_audience_waits_for_the_choice_of_a_variant() {
    let world = World::new().await;
    let fans = world.fans(20).await;
    let variants = json!([{"name": "Shorter", "percent": 20, "sms_text": "20% off"}]);
    let start = world.start(json!({ "variants": variants, "hold_percent": 60 })).await;
    world.work(&start).await;
    let campaign = world.campaign(&start).await;
    let (at_once, wait): (Vec<Contact>, Vec<Contact>) = fans
        .iter()
        .cloned()
        .partition(|fan| campaign.variant_of(fan.id).is_some());
    assert!(!at_once.is_empty() && !wait.is_empty());
    assert_eq!(world.contacts_with_message(&start, &fans).await, ids(&at_once));
    for _ in 0..3 {
        world.aws.pass(3_600);
        world.work(&start).await;
    }
    assert_eq!(world.campaign(&start).await.state, CampaignState::Running);
    assert_eq!(world.contacts_with_message(&start, &fans).await, ids(&at_once));

    let before = world.campaign_with_version(&start).await;
    let mut after = before.value.clone();
    after.winner = Some(1);
    let (store, stamp) = (world.store(), world.aws.stamp());
    store.change(world.scope(), &before, &after, &stamp).await.unwrap();
    world.work(&start).await;
    assert_eq!(world.campaign(&start).await.state, CampaignState::Finishing);
    assert_eq!(world.contacts_with_message(&start, &fans).await, ids(&fans));
    for fan in &wait {
        let message = world.message(&start, fan.id).await.unwrap();
        assert_eq!(message.plan[0].content, Content::Text("20% off".to_owned()));
    }
    let progress = world.operations.get(&start).await.progress;
    assert_eq!(progress.done, world.count().await);
}

/// A recipient is in Dubai, another in London. Each message is made half an hour before it leaves.
#[tokio::test]
async fn each_message_waits_for_the_clock_of_its_recipient() {
    let world = World::new().await;
    let fans = [world.fan("+971501234567").await, world.fan("+447400123456").await];
    let tomorrow = world.aws.now().to_zoned(TimeZone::UTC).date().tomorrow().unwrap();
    let start = world
        .start(json!({ "starts_at_local": format!("{tomorrow}T09:00") }))
        .await;
    let at = |time: &str| format!("{tomorrow}T{time}Z").parse::<Timestamp>().unwrap();
    let begins = at("09:00:00") - SignedDuration::from_hours(14);
    world.work(&start).await;
    assert_eq!(world.campaign(&start).await.state, CampaignState::Scheduled);
    assert_eq!(world.operations.get(&start).await.due, Some(begins));
    world.aws.pass(begins.duration_since(world.aws.now()).as_secs());
    world.work(&start).await;
    assert!(world.contacts_with_message(&start, &fans).await.is_empty());
    let mut leave = Vec::new();
    for fan in &fans {
        let due = world.operations.get(&start).await.due.unwrap();
        world.aws.pass(due.duration_since(world.aws.now()).as_secs());
        assert_eq!(world.campaign(&start).await.state, CampaignState::Running);
        world.work(&start).await;
        let message = world.message(&start, fan.id).await.unwrap();
        let lead = message.not_before.duration_since(world.aws.now());
        assert!((SignedDuration::ZERO..=SignedDuration::from_mins(30)).contains(&lead));
        leave.push(message.not_before);
    }
    assert_eq!(leave, [at("05:00:00"), at("09:00:00")]);
}

/// All messages for Dubai are made before one of them leaves. What becomes of them is seen before those for London are made.
#[tokio::test]
async fn failures_where_it_is_early_spare_those_where_it_is_late() {
    let world = World::new().await;
    let fans = world.fans(4 * PER_STEP - 1).await;
    let late = world.fan("+447400123456").await;
    let tomorrow = world.aws.now().to_zoned(TimeZone::UTC).date().tomorrow().unwrap();
    let start = world
        .start(json!({ "starts_at_local": format!("{tomorrow}T09:00") }))
        .await;
    let at = |time: &str| format!("{tomorrow}T{time}Z").parse::<Timestamp>().unwrap();
    let until = async |at: Timestamp| world.aws.pass(at.duration_since(world.aws.now()).as_secs());
    until(at("09:00:00") - SignedDuration::from_hours(14)).await;
    world.work(&start).await;
    until(at("04:30:00")).await;
    // As many of them are looked at as pause a campaign, in whichever part of the audience each is.
    for minutes in 1..=3 {
        while world.samples(&start).await.len() < minutes || world.samples(&start).await[minutes - 1] < 15 {
            world.step(&start).await;
        }
        world.aws.pass(6 * 60);
    }
    world.work(&start).await;
    assert_eq!(world.contacts_with_message(&start, &fans).await, ids(&fans));
    let cursor = world.operations.get(&start).await.cursor;
    assert!(serde_json::to_vec(&cursor).unwrap().len() < 8 * 1024);
    until(at("05:00:00")).await;
    let (failing, fine) = fans.split_at(fans.len() * 2 / 3);
    let sent = |message: &mut Message| {
        message.claim(
            0,
            "claim".to_owned(),
            at("05:00:00"),
            &world.aws.env().config().timers().unwrap(),
        );
        message.attempts[0].state = AttemptState::Accepted;
        message.attempts[0].accepted_at = Some(at("05:00:00"));
    };
    world.change(&start, fine, sent).await;
    let fail = |message: &mut Message| message.ended = Some(Ended::Failed("refused".to_owned()));
    world.change(&start, failing, fail).await;
    until(at("08:30:00")).await;
    world.work(&start).await;
    let stopped = (CampaignState::Paused, Some(Reason::FailureRate));
    assert_eq!(world.state(&start).await, stopped);
    assert!(world.message(&start, late.id).await.is_none());
}

/// WhatsApp allows 25 new customers a day; campaigns take 20 of these places. A customer who has written takes no
/// place.
#[tokio::test]
async fn no_more_customers_are_messaged_first_than_whatsapp_allows() {
    let world = World::new().await;
    let connection = world.business.may_message_first(&world.aws, 25).await;
    let fans = world.fans(28).await;
    let no_consent = world.business.contact(&world.aws, "+971501999999").await;
    let start = world.start(json!({ "message": template() })).await;
    world.work(&start).await;
    let first = world.contacts_with_message(&start, &fans).await;
    assert_eq!(first.len(), 20);
    let until = world.campaign(&start).await.limited_until.unwrap();
    let hour = world.aws.now() + SignedDuration::from_hours(1);
    assert_eq!(world.operations.get(&start).await.due, Some(hour), "it may be raised");
    // An event that starts it earlier changes nothing.
    world.step(&start).await;
    assert_eq!(world.contacts_with_message(&start, &fans).await, first);

    // Another campaign reaches who has written.
    let wrote = |contact: &mut Contact| {
        contact.wish(OptFlag::Start, "wrote START", world.aws.now());
        contact.open_window(
            connection.whatsapp_number().unwrap(),
            &contact.recipient(),
            world.aws.now(),
        );
    };
    let writer = world.business.contact_with(&world.aws, "+971501777777", wrote).await;
    let tag = world.tag("Writers", &writer).await;
    let writers = json!({"name": "Writers", "filter": {"tag": tag}});
    let writers: Segment = world.create_owned(writers).await;
    let other = world.start(json!({"audience": {"segment": writers.id}, "message": template()}));
    let other = other.await;
    world.work(&other).await;
    assert_eq!(world.campaign(&other).await.state, CampaignState::Finishing);
    assert_eq!(
        world.contacts_with_message(&other, std::slice::from_ref(&writer)).await,
        ids(&[writer])
    );

    world.aws.pass(until.duration_since(world.aws.now()).as_secs());
    world.work(&start).await;
    assert_eq!(world.contacts_with_message(&start, &fans).await, ids(&fans));
    assert_eq!(world.exit(&start, no_consent.id).await, Some(Reason::NoConsent));
    let finishing = world.campaign(&start).await;
    assert_eq!(
        (finishing.state, finishing.limited_until),
        (CampaignState::Finishing, None)
    );
    // Places taken for contacts without a message were returned.
    let left = world.store();
    let left = left.take_first_places(world.scope(), 100, 25, world.aws.now()).await;
    assert_eq!(left.unwrap().unwrap().count, 12);
}
