//! Marketing that WhatsApp refuses for its route. That no SMS follows is tested where messages are sent.

use domain::messages::{AttemptError, AttemptState, Message, Next, SendOutcome, Stage, StatusReport, classify_error};
use domain::terms::{Api, Reason};
use jobs::StartOperation;
use kit::QueueName;
use serde_json::json;

use super::{CampaignState, Contact, World, template};

const REFUSED: (CampaignState, Option<Reason>) = (CampaignState::Paused, Some(Reason::RouteRefused));

/// A broadcast with its messages made: by WhatsApp, or by SMS to recipients without it.
async fn broadcast_with_messages(world: &World, per_minute: u32) -> StartOperation {
    let mut message = template();
    message["channels"] = json!(["whatsapp", "sms"]);
    message["sms_text"] = json!("20% off until Sunday");
    let start = world.start(json!({"message": message, "per_minute": per_minute})).await;
    world.work(&start).await;
    world.aws.pass(1);
    start
}

impl World {
    /// Gives all messages that can be sent this outcome.
    async fn record_outcomes(&self, start: &StartOperation, fans: &[Contact], outcome: &SendOutcome) {
        let (now, timers) = (self.aws.now(), self.aws.env().config().timers().unwrap());
        let send = |message: &mut Message| {
            let Next::Try { leg, number } = message.next(now, &timers) else {
                panic!("{message:#?}")
            };
            message.claim(leg, "claimed".to_owned(), now, &timers);
            message.record(number, outcome.clone(), now, &timers);
        };
        self.change(start, fans, send).await;
    }
}

/// The messages wait, and are sent once somebody has resumed the broadcast.
#[tokio::test]
async fn refused_route_pauses_the_broadcast() {
    let world = World::new().await;
    let fans = world.fans(3).await;
    let start = broadcast_with_messages(&world, 600).await;
    let refused = SendOutcome::Refused {
        code: Some(131063),
        classified: classify_error(Api::WhatsAppCloud, Stage::Answer, Some(400), Some(131063)),
        reason: "refused".to_owned(),
        because: None,
        retry_after: None,
    };
    world.record_outcomes(&start, &fans, &refused).await;
    world.work(&start).await;
    assert_eq!(world.state(&start).await, REFUSED);
    let stopped = world.campaign(&start).await.stopped.unwrap();
    assert_eq!(json!(stopped.facts), json!({"provider_code": 131063}));
    let key = format!("campaign_paused#{}", world.campaign(&start).await.id);
    assert!(world.store().notice(world.scope(), &key).await.unwrap().is_some());

    world.aws.pass(60);
    world.aws.drain(QueueName::BulkSends).await;
    world.becomes(&start, CampaignState::Running).await;
    world.work(&start).await;
    assert_eq!(
        world.aws.drain(QueueName::BulkSends).await.len(),
        3,
        "they are sent now"
    );
    assert_eq!(world.state(&start).await, (CampaignState::Finishing, None));
}

/// Twilio says it only after it has accepted the message.
#[tokio::test]
async fn route_that_is_refused_later_pauses_the_broadcast() {
    let world = World::new().await;
    let fans = world.fans(9).await;
    let start = broadcast_with_messages(&world, 2).await;
    let accepted = SendOutcome::Accepted {
        provider_ref: "SM1".parse().unwrap(),
        segments: None,
    };
    let made = world.contacts_with_message(&start, &fans).await;
    let fans: Vec<Contact> = fans.into_iter().filter(|fan| made.contains(&fan.id)).collect();
    world.record_outcomes(&start, &fans, &accepted).await;
    let code = Some(63062);
    let class = classify_error(Api::Twilio, Stage::Status, None, code).class;
    let (now, timers) = (world.aws.now(), world.aws.env().config().timers().unwrap());
    let fail = |message: &mut Message| {
        let report = StatusReport {
            state: AttemptState::Failed,
            at: now,
            provider_ref: "SM1".parse().unwrap(),
            error: Some(AttemptError::new(code, class, "Twilio gave it up.".to_owned())),
            cost: None,
        };
        message.apply(1, report, now, &timers);
    };
    world.change(&start, &fans, fail).await;
    world.aws.pass(60);
    world.work(&start).await;
    assert_eq!(world.state(&start).await, REFUSED);
}
