//! Reporting on campaigns, in process against the emulator.

use domain::campaigns::{Campaign, Enrolment, Exit, ReportCampaign};
use domain::messages::{AttemptState, Cause, CauseStep, Cost, Message, OptFlag, SendOutcome, StatusReport};
use domain::money::{Money, decimal_amount};
use domain::people::{Change, Contact};
use domain::terms::{CampaignId, ContactId, Operation, OperationKind, OperationState, Reason, Refusal};
use report_campaign::{Context, PER_STEP, handle};
use serde_json::{Value, from_value, json};
use store::campaigns::DripEntry;
use testkit::operations::result_of;

struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    async fn new() -> Self {
        Self(testkit::World::new(Context::new).await)
    }

    async fn campaign(&self) -> CampaignId {
        let broadcast = json!({"type": "broadcast", "name": "Offer"});
        self.create_owned::<Campaign>(broadcast).await.id
    }

    async fn enrolled_contact(&self, campaign: CampaignId, number: usize) -> ContactId {
        let number = format!("+9715020{number:05}");
        let contact = self.business.contact(&self.aws, &number).await.id;
        let (store, now) = (self.store(), self.aws.now());
        let enrolled = [contact];
        let enrolled = store.enrol(self.scope(), campaign, None, &enrolled, now);
        enrolled.await.unwrap();
        contact
    }

    /// Somebody in the audience with a message, changed.
    async fn messaged_contact(
        &self,
        campaign: CampaignId,
        number: usize,
        change: impl FnOnce(&mut Message),
    ) -> ContactId {
        let contact = self.enrolled_contact(campaign, number).await;
        let number = format!("+9715021{number:05}");
        let mut message = self.follow_up_of(&number).await;
        message.cause = Cause::Campaign {
            campaign,
            contact,
            step: None,
        };
        (message.id, message.version) = (message.cause.message_id(), 0);
        change(&mut message);
        self.write(&message).await;
        contact
    }

    /// Somebody in the audience whose message was blocked.
    async fn blocked_contact(&self, campaign: CampaignId, number: usize) -> ContactId {
        let late = |message: &mut Message| message.block(Refusal::new(Reason::Late, "too late"));
        self.messaged_contact(campaign, number, late).await
    }

    /// Somebody in the audience whose message was delivered, for a price that the provider stated.
    async fn delivered_contact(&self, campaign: CampaignId, number: usize) -> ContactId {
        let (timers, now) = (self.aws.env().config().timers().unwrap(), self.aws.now());
        let delivered = |message: &mut Message| {
            message.claim(0, "claim".to_owned(), now, &timers);
            let accepted = SendOutcome::Accepted {
                provider_ref: "wamid.1".parse().unwrap(),
                segments: None,
            };
            message.record(1, accepted, now, &timers);
            let report = StatusReport {
                state: AttemptState::Delivered,
                at: now,
                provider_ref: "wamid.1".parse().unwrap(),
                error: None,
                cost: Some(Cost {
                    category: "marketing".to_owned(),
                    kind: Some("regular".to_owned()),
                    billable: Some(true),
                    units: 1,
                    amount: Money::from_report("0.048", "USD"),
                }),
            };
            message.apply(1, report, now, &timers);
        };
        self.messaged_contact(campaign, number, delivered).await
    }

    async fn left_out(&self, campaign: CampaignId, number: usize) {
        let (contact, at) = (self.enrolled_contact(campaign, number).await, self.aws.now());
        let enrolment = Enrolment::new(campaign, None, contact, at);
        let exit = Exit::new(Refusal::new(Reason::NoConsent, "no opt-in"), at);
        self.store().exit(self.scope(), enrolment, exit).await.unwrap();
    }

    /// Reports on a campaign; each step is made twice. Returns the operation at its end.
    async fn report(&self, campaign: CampaignId) -> Operation {
        let params = ReportCampaign { campaign };
        let start = self.operations.create(OperationKind::ReportCampaign, &params).await;
        self.operations.all_steps_twice(&start, &self.ctx, &handle).await;
        self.operations.get(&start).await
    }
}

#[tokio::test]
async fn everybody_in_the_audience_is_counted_once() {
    let world = World::new().await;
    let (campaign, other) = (world.campaign().await, world.campaign().await);
    for number in 0..3 {
        world.blocked_contact(campaign, number).await;
    }
    for number in 3..5 {
        world.left_out(campaign, number).await;
    }
    world.enrolled_contact(campaign, 5).await;
    world.enrolled_contact(other, 6).await;
    let operation = world.report(campaign).await;
    let report: Value = result_of(&operation);
    let expected = json!({
        "recipients": 6, "states": {"waiting": 1, "left_out": 2, "blocked": 3},
        "reasons": {"late": 3, "no_consent": 2}, "replied": 0, "clicked": 0, "opted_out": 0,
        "cost": [], "unpriced": 0,
    });
    assert_eq!(report, expected);
    assert_eq!(operation.progress.done, 6);
}

/// The costs are added up page by page.
#[tokio::test]
async fn each_variant_has_its_reasons_refusals_and_costs() {
    let world = World::new().await;
    let variants = json!([{"name": "Shorter", "percent": 50, "sms_text": "20% off"}]);
    let fields = json!({"type": "broadcast", "name": "Offer", "variants": variants});
    let campaign: Campaign = world.create_owned(fields).await;
    let (mut blocked, mut delivered) = (Vec::new(), Vec::new());
    for number in 0..usize::try_from(PER_STEP).unwrap() + 2 {
        match number % 8 {
            0 => blocked.push(world.blocked_contact(campaign.id, number).await),
            1 => delivered.push(world.delivered_contact(campaign.id, number).await),
            _ => {
                world.enrolled_contact(campaign.id, number).await;
            }
        }
    }
    world.aws.pass(60);
    let (refuses, now) = (delivered[0], world.aws.now());
    // A stop word is no reply.
    let stop = |contact: &mut Contact| {
        contact.last_inbound_at = Some(now);
        contact.wish(OptFlag::Stop, "wrote STOP", now)
    };
    world.aws.change_contact(world.business.scope(), refuses, stop).await;
    let writes = |contact: &mut Contact| {
        contact.last_inbound_at = Some(now);
        contact.wrote(now);
        Change::Contact
    };
    world
        .aws
        .change_contact(world.business.scope(), delivered[1], writes)
        .await;
    let report: Value = result_of(&world.report(campaign.id).await);
    let cost = |messages: usize| {
        let reported = decimal_amount(48_000 * messages as u64);
        let cost = json!({"currency": "USD", "reported": reported, "estimated": decimal_amount(0)});
        Value::from_iter((messages > 0).then_some(cost))
    };
    let number_of = |counts: &Value, name: &str| counts[name].as_u64().unwrap_or_default();
    assert_eq!(
        (&report["cost"], &report["opted_out"], &report["replied"]),
        (&cost(delivered.len()), &json!(1), &json!(1))
    );
    let reported = report["variants"].as_array().unwrap();
    assert_eq!(reported.len(), 2);
    for (number, variant) in reported.iter().enumerate() {
        let of = |contacts: &[ContactId]| {
            let drew = |contact: &&ContactId| campaign.drawn_variant(**contact) == Some(number);
            contacts.iter().filter(drew).count()
        };
        assert_eq!(number_of(&variant["reasons"], "late"), of(&blocked) as u64, "{variant}");
        assert_eq!(
            number_of(&variant["states"], "delivered"),
            of(&delivered) as u64,
            "{variant}"
        );
        assert_eq!(variant["opted_out"], of(&[refuses]));
        assert_eq!(
            (&variant["cost"], &variant["unpriced"]),
            (&cost(of(&delivered)), &json!(0))
        );
    }
}

#[tokio::test]
async fn report_of_a_drip_counts_its_contacts_and_steps() {
    let world = World::new().await;
    let (store, scope, stamp) = (world.aws.store(), world.business.scope(), world.aws.stamp());
    let fields = json!({"type": "drip", "name": "Welcome"});
    let new = world.aws.drip(scope, fields, &["welcome", "offer"]).await.value;
    for number in 0..PER_STEP + 2 {
        let contact = world
            .business
            .contact(&world.aws, &format!("+9715020{number:05}"))
            .await;
        let number = format!("+9715021{number:05}");
        let mut message = world.follow_up_of(&number).await;
        let step = CauseStep { place: 0, at: stamp.at };
        message.cause = Cause::Campaign {
            campaign: new.id,
            contact: contact.id,
            step: Some(step),
        };
        (message.id, message.version) = (message.cause.message_id(), 0);
        message.block(Refusal::new(Reason::Late, "too late"));
        world.write(&message).await;
        let mut enrolment = Enrolment::new(new.id, Some(1), contact.id, stamp.at);
        let taken = json!({"step": "welcome", "at": stamp.at, "message_id": message.id});
        enrolment.passage.as_mut().unwrap().taken = vec![from_value(taken).unwrap()];
        store.enter(scope, DripEntry::new(enrolment, None)).await.unwrap();
    }
    let report: Value = result_of(&world.report(new.id).await);
    let all = PER_STEP + 2;
    let expected = json!({
        "entered": all, "statuses": {"active": all}, "reasons": {},
        "steps": [
            {
                "name": "welcome", "taken": all, "skipped": 0, "states": {"blocked": all}, "replied": 0, "clicked": 0,
                "opted_out": 0,
            },
            {"name": "offer", "taken": 0, "skipped": 0, "replied": 0, "clicked": 0, "opted_out": 0},
        ],
        "cost": [], "unpriced": 0,
    });
    assert_eq!(report, expected);
}

#[tokio::test]
async fn a_deleted_campaign_is_not_reported_on() {
    let world = World::new().await;
    let operation = world.report(CampaignId::new(world.aws.ids().ulid())).await;
    assert_eq!(operation.state, OperationState::Failed);
}
