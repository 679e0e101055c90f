//! Callers who enter a drip.

use domain::campaigns::Enrolment;
use domain::messages::OptFlag;
use domain::people::Contact;
use domain::telephony::{CallFacts, CallStatus, Handling};
use domain::terms::{CampaignId, CampaignState, Reason, Refusal};
use kit::Done;
use serde_json::{Value, json};
use store::Versioned;
use testkit::business::{CUSTOMER, from_to, missed_call_facts};

use super::world::World;

/// Time after the end of the rule's cooldown.
const LATER: i64 = 25 * 3600;

/// A business whose rule enrols callers in a drip with these fields in addition, which has been in these states.
async fn world(change: Value, states: &[CampaignState]) -> (World, CampaignId) {
    let mut world = World::new().await;
    let mut fields = json!({"type": "drip", "name": "Welcome"});
    for (name, value) in change.as_object().expect("fields") {
        fields[name] = value.clone();
    }
    let mut drip = world.aws.drip(world.scope(), fields, &["hello"]).await;
    let (store, id) = (world.store(), drip.value.id);
    for state in states {
        let value = drip
            .value
            .with_state(*state, None, world.aws.now())
            .expect("the table of states");
        let version = store.move_campaign(world.business.scope(), drip.version, &value);
        let version = version.await.expect("it is moved");
        drip = Versioned { value, version };
    }
    world.business.configured.rules[0].enroll = Some(id);
    world.business.write(&world.aws).await;
    (world, id)
}

const RUNNING: &[CampaignState] = &[CampaignState::Scheduled, CampaignState::Running];

async fn enrolment(world: &World, contact: &Contact, drip: CampaignId) -> Option<Versioned<Enrolment>> {
    let store = world.aws.store();
    let found = store.enrolment(world.business.scope(), contact, drip, world.aws.now());
    found.await.expect("the table answers")
}

#[tokio::test]
async fn caller_enters_the_drip_of_the_rule_once() {
    let (world, drip) = world(json!({"reentry": true}), RUNNING).await;
    let report = world
        .business
        .telephony_report(&world.aws, "17", missed_call_facts(CUSTOMER));
    assert_eq!(world.work(report.clone()).await, Done::Now);
    let (calls, messages) = world.history().await;
    assert_eq!((calls.len(), messages.len()), (1, 1));
    let contact = world.customer().await;
    let entered = enrolment(&world, &contact, drip).await.expect("an enrolment");
    let passage = entered.value.passage.as_ref().unwrap();
    assert_eq!((entered.value.contact, passage.version), (contact.id, 1));
    assert_eq!(entered.value.next_step_at(), Some(world.aws.now()));
    // Neither a redelivery nor another call begins it anew.
    assert_eq!(world.receive_job(report, 2).await, Done::Already);
    world.aws.pass(LATER);
    world.telephony("18", missed_call_facts(CUSTOMER)).await;
    assert_eq!(world.history().await.1.len(), 2);
    assert_eq!(enrolment(&world, &contact, drip).await, Some(entered));
}

/// At the same time, by two processes.
#[tokio::test]
async fn concurrent_calls_of_a_new_caller_enter_once() {
    let (world, drip) = world(json!({}), RUNNING).await;
    let business = &world.business;
    let report = |call: u8| business.telephony_report(&world.aws, &call.to_string(), missed_call_facts(CUSTOMER));
    world.work_at_once((0..4).map(report)).await;
    assert_eq!(world.history().await.0.len(), 4);
    let entered = enrolment(&world, &world.customer().await, drip).await;
    assert_eq!(entered.map(|entered| entered.version), Some(1));
}

/// Its outcome is reported late. Repeated reports do not begin the drip anew.
#[tokio::test]
async fn call_that_is_decided_again_enters_once() {
    let (world, drip) = world(json!({"reentry": true}), RUNNING).await;
    let with = |status: CallStatus, handling: Option<Handling>| CallFacts {
        status: Some(status),
        handling,
        ..from_to(CUSTOMER)
    };
    world.twilio(with(CallStatus::Completed, None)).await;
    world.aws.pass(60);
    world.work(world.decide()).await;
    let contact = world.customer().await;
    assert_eq!(enrolment(&world, &contact, drip).await, None);
    let greeted = with(CallStatus::Ringing, Some(Handling::Greet));
    world.twilio(greeted.clone()).await;
    assert_eq!(world.call().await.decided_again, 1);
    let entered = enrolment(&world, &contact, drip).await;
    assert!(entered.is_some());
    world.aws.pass(60);
    world.twilio(greeted).await;
    assert_eq!(world.work(world.decide()).await, Done::Already);
    assert_eq!(enrolment(&world, &contact, drip).await, entered);
}

#[tokio::test]
async fn whoever_has_left_enters_again_if_the_drip_allows_it() {
    for reentry in [true, false] {
        let (world, drip) = world(json!({"reentry": reentry}), RUNNING).await;
        world.telephony("17", missed_call_facts(CUSTOMER)).await;
        let contact = world.customer().await;
        let entered = enrolment(&world, &contact, drip).await.expect("an enrolment");
        let why = Refusal::new(Reason::Unnecessary, "taken out");
        let left = entered.value.with_exit(why, world.aws.now());
        let (store, scope) = (world.aws.store(), world.business.scope());
        store.write_enrolment(scope, entered.version, &left).await.unwrap();
        world.aws.pass(LATER);
        world.telephony("18", missed_call_facts(CUSTOMER)).await;
        assert_eq!(world.history().await.1.len(), 2);
        let found = enrolment(&world, &contact, drip).await.expect("an enrolment");
        let expected = if reentry { (true, 3) } else { (false, 2) };
        assert_eq!((found.value.is_active(), found.version), expected);
    }
}

#[tokio::test]
async fn call_is_followed_also_without_an_open_drip_to_enter() {
    use CampaignState::{Cancelled, Completed, Finishing, Paused, Running, Scheduled};
    let cases: [(&[CampaignState], bool); 5] = [
        (&[Scheduled, Running, Paused], true),
        (&[], false),
        (&[Scheduled], false),
        (&[Scheduled, Running, Finishing, Completed], false),
        (&[Scheduled, Running, Cancelled], false),
    ];
    for (states, enters) in cases {
        let (world, drip) = world(json!({}), states).await;
        assert_eq!(world.telephony("17", missed_call_facts(CUSTOMER)).await, Done::Now);
        assert_eq!(world.history().await.1.len(), 1, "{states:?}");
        let found = enrolment(&world, &world.customer().await, drip).await;
        assert_eq!(found.is_some(), enters, "{states:?}");
    }
}

#[tokio::test]
async fn caller_who_gets_no_message_does_not_enter() {
    let (world, drip) = world(json!({}), RUNNING).await;
    let wish = |contact: &mut Contact| {
        contact.wish(OptFlag::Stop, "wrote STOP", world.aws.now());
    };
    let contact = world.business.contact_with(&world.aws, CUSTOMER, wish).await;
    world.telephony("17", missed_call_facts(CUSTOMER)).await;
    assert_eq!(world.history().await.1.len(), 0);
    assert_eq!(enrolment(&world, &contact, drip).await, None);
}
