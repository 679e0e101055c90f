//! Marketing that WhatsApp refuses for its route, by the function that sends it.

use domain::{
    messages::{
        errors::{Stage, classify},
        message::{AttemptError, AttemptState, Category, Message, MessageState, StatusReport},
        refusal::Reason,
        send::Api,
    },
    tenants::{
        connection::Connection,
        connection_test::{CheckResult, Checkup, MarketingTerms},
    },
};
use jobs::{SendMessage, StartOperation};
use kit::Job;
use serde_json::json;
use testkit::{Provider, Reply};

use super::{CampaignState, Contact, ContactId, Context, World, template};

/// A broadcast by WhatsApp, or by SMS to whom that does not reach, and the function that sends it.
struct Broadcast {
    world: World,
    provider: Provider,
    sender: send_message::Context,
    fans: Vec<Contact>,
    start: StartOperation,
}

impl Broadcast {
    async fn to(count: usize, per_minute: u32) -> Self {
        let provider = Provider::start();
        let world = testkit::World::given(|aws| provider.env(aws), Context::new, |_| {}).await;
        let everybody = world.own(json!({"name": "Everybody", "filter": {}})).await;
        let sender = send_message::Context::new(&provider.env(&world.aws)).unwrap();
        let world = World { everybody, world };
        let mut fans = Vec::new();
        for number in 0..count {
            fans.push(world.fan(&format!("+4474001234{number:02}")).await);
        }
        world
            .change_templates(|template| template.category = Category::Marketing)
            .await;
        let mut message = template();
        message["channels"] = json!(["whatsapp", "sms"]);
        message["category"] = json!("marketing");
        message["sms_text"] = json!("20% off until Sunday");
        let start = world.start(json!({"message": message, "per_minute": per_minute})).await;
        world.work(&start).await;
        world.aws.pass(1);
        Self {
            world,
            provider,
            sender,
            fans,
            start,
        }
    }

    async fn messages(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        for fan in &self.fans {
            messages.extend(self.message(fan.id).await);
        }
        messages
    }

    async fn message(&self, fan: ContactId) -> Option<Message> {
        self.world.message(&self.start, fan).await
    }

    /// Sends all messages as far as they go.
    async fn send(&self) {
        for _ in 0..3 {
            for message in self.messages().await {
                let job = SendMessage::next_of(self.world.business.tenant(), &message);
                Box::pin(send_message::handle(Job::new(job, 1), &self.sender))
                    .await
                    .unwrap();
            }
        }
    }

    /// Channels of the requests to the provider: whether each was to the Graph API.
    fn sends_by_graph(&self) -> Vec<bool> {
        let sends = self.provider.sends();
        sends.iter().map(testkit::provider::Request::is_graph).collect()
    }

    /// Stores what a test of the connection found.
    async fn accept_terms(&self) {
        let (store, scope) = (self.world.store(), self.world.scope());
        let whatsapp = self.world.business.whatsapp;
        let found: Connection = store.connection(scope, whatsapp).await.unwrap().unwrap();
        let mut checkup = Checkup::new(CheckResult::Passed, "it works", self.world.aws.now());
        checkup.marketing_terms = Some(MarketingTerms::Accepted);
        let tested = |known: Connection| Connection {
            checkup: Some(checkup.clone()),
            ..known
        };
        store.change_connection(scope, &found, tested).await.unwrap();
    }
}

/// Nobody gets the SMS that is for those without WhatsApp. Once the terms are accepted, everybody gets the message.
#[tokio::test]
async fn refused_route_pauses_the_broadcast_and_sends_no_sms() {
    let broadcast = Broadcast::to(3, 600).await;
    let Broadcast {
        world, provider, start, ..
    } = &broadcast;
    provider.reply_by(|request, _| match request.is_graph() {
        true => Reply::graph(400, 131_063),
        false => Reply::Accept,
    });
    broadcast.send().await;
    assert_eq!(broadcast.sends_by_graph(), [true; 3], "no SMS");
    for message in broadcast.messages().await {
        assert!(message.is_held(), "{message:#?}");
    }
    world.work(start).await;
    let refused = (CampaignState::Paused, Some(Reason::RouteRefused));
    assert_eq!(world.state(start).await, refused);
    let stopped = world.campaign(start).await.stopped.unwrap();
    assert_eq!(json!(stopped.facts), json!({"provider_code": 131_063}));
    let key = format!("campaign_paused#{}", world.campaign(start).await.id);
    assert!(world.store().notice(world.scope(), &key).await.unwrap().is_some());

    world.aws.pass(60);
    broadcast.accept_terms().await;
    provider.reply_by(|_, _| Reply::Accept);
    world.becomes(start, CampaignState::Running).await;
    world.work(start).await;
    world.aws.pass(1);
    broadcast.send().await;
    let paths = provider.sends().into_iter().skip(3).map(|request| request.path);
    let paths: Vec<String> = paths.collect();
    assert_eq!(paths.len(), 3);
    assert!(
        paths.iter().all(|path| path.ends_with("/marketing_messages")),
        "{paths:?}"
    );
    for message in broadcast.messages().await {
        assert_eq!(message.state(), MessageState::Accepted);
    }
    world.work(start).await;
    assert_eq!(world.state(start).await.0, CampaignState::Finishing);
}

/// Twilio says it only after it has accepted the message.
#[tokio::test]
async fn route_that_is_refused_later_pauses_the_broadcast() {
    let broadcast = Broadcast::to(9, 2).await;
    let Broadcast { world, start, fans, .. } = &broadcast;
    broadcast.send().await;
    let made = broadcast.messages().await.len();
    let code = Some(63_062);
    let class = classify(Api::Twilio, Stage::Status, None, code).class;
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
    world.change(start, fans, fail).await;
    world.aws.pass(60);
    world.work(start).await;
    let refused = (CampaignState::Paused, Some(Reason::RouteRefused));
    assert_eq!(world.state(start).await, refused);
    broadcast.send().await;
    let messages = broadcast.messages().await;
    assert_eq!(messages.len(), made);
    for message in messages {
        assert_eq!(message.state(), MessageState::Failed);
    }
    assert_eq!(broadcast.sends_by_graph(), vec![true; made], "no SMS");
}
