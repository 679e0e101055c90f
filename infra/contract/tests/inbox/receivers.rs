//! A contact writes from two numbers: each reply reaches whoever wrote last, by the same channel.

use domain::accounts::Role;
use domain::people::Identity;
use domain::terms::ConversationId;
use jobs::{EventSource, ProviderEvent, SendMessage};
use kit::{Job, QueueName};
use serde_json::{Value, json};
use testkit::api::{Caller, Town};
use testkit::business::{business, mobile, phone};
use testkit::{Aws, Provider, Seeded};

struct World<'a> {
    aws: &'a Aws,
    business: &'a Seeded,
    provider: &'a Provider,
    agent: Caller<'a>,
    events: process_provider_event::Context,
    sender: send_message::Context,
}

impl World<'_> {
    async fn work(&self, event: ProviderEvent) {
        // Of two messages at one time, neither is the last.
        self.aws.pass(1);
        let worked = process_provider_event::handle(Job::new(event, 1), &self.events);
        Box::pin(worked).await.expect("it is noted");
    }

    /// A report of WhatsApp's with this part. In it, `number` stands for the digits of the customer's number.
    async fn reports(&self, number: &str, part: Value) {
        let part = part.to_string().replace("NUMBER", number.trim_start_matches('+'));
        let part = part.replace("NOW", &self.aws.now().as_second().to_string());
        let value = serde_json::from_str(&part).expect("it is JSON");
        self.work(self.business.whatsapp_event(self.aws, "messages", &value))
            .await;
    }

    async fn whatsapp(&self, number: &str) {
        let id = format!("wamid.{}", self.aws.ids().ulid());
        let text = json!({"id": id, "from": "NUMBER", "timestamp": "NOW", "type": "text", "text": {"body": "Hello"}});
        self.reports(number, json!({"contacts": [{"wa_id": "NUMBER"}], "messages": [text]}))
            .await;
    }

    async fn sms(&self, number: &str) {
        let (from, sid) = (number.replace('+', "%2B"), self.aws.ids().ulid());
        let form = format!("MessageSid=SM{sid}&From={from}&To=%2B15005550006&Body=Hello");
        let (twilio, source) = (self.business.twilio, EventSource::TwilioInbound);
        self.work(self.business.event(self.aws, twilio, source, form)).await;
    }

    /// A reply with this content reaches this number, which the answer and the timeline name. Returns the message.
    async fn reaches(&self, conversation: ConversationId, content: &str, number: &str) -> Value {
        let path = format!("/api/v1/conversations/{conversation}");
        let seen = self.agent.get(&path).await.is(200).json()["seq"].clone();
        let body = json!({"seen": seen, content: "Yes"});
        let answer = self.agent.post(&format!("{path}/messages"), body).await.is(201).json();
        for job in self.aws.take_jobs::<SendMessage>(QueueName::Sends).await {
            let sent = send_message::handle(Job::new(job, 1), &self.sender);
            Box::pin(sent).await.expect("it is sent");
        }
        let to = self.provider.sends().last().and_then(|request| request.recipient());
        assert_eq!(
            to.as_deref().map(|to| to.trim_start_matches('+')),
            Some(&number[1..]),
            "{content}"
        );
        let timeline = self.agent.get(&format!("{path}/timeline")).await.items();
        let shown = timeline.iter().find(|entry| entry["message"]["id"] == answer["id"]);
        for shown in [&answer, &shown.expect("the reply")["message"]] {
            assert_eq!(shown["customer"]["number"], number, "{content}");
        }
        let path = format!("/api/v1/messages/{}", answer["id"].as_str().expect("an id"));
        self.agent.get(&path).await.is(200).json()
    }
}

/// The first number is the preferred one; both were contacts of their own.
#[tokio::test]
async fn reply_reaches_whoever_wrote_last_by_its_channel() {
    let (aws, provider) = (Aws::new().await, Provider::start());
    let town = Town::new(
        &aws,
        |env| Ok(messages::routes(env)?.merge(conversations::routes(env)?)),
    );
    let town = town.await;
    let business = business(&aws).await;
    let world = World {
        aws: &aws,
        business: &business,
        provider: &provider,
        agent: town.key_of(business.scope(), Role::Agent).await,
        events: process_provider_event::Context::new(aws.env()).expect("a context"),
        sender: send_message::Context::new(&provider.env(&aws)).expect("a context"),
    };
    let (first, second) = (&*mobile(1), &*mobile(2));
    let mut ids = Vec::new();
    for number in [first, second] {
        world.whatsapp(number).await;
        let identity = Identity::Phone(phone(number));
        let found = aws.store().contact_of(business.scope(), &identity).await;
        ids.push(found.expect("the table answers").expect("the contact").id);
    }
    business.merge(&aws, ids[0], ids[1]).await;
    let conversation = ConversationId::of(ids[0], None);
    world.reaches(conversation, "text", second).await;
    world.whatsapp(first).await;
    world.reaches(conversation, "text", first).await;
    // By SMS, whoever wrote by SMS.
    world.sms(second).await;
    world.reaches(conversation, "sms_text", second).await;
    world.reaches(conversation, "text", first).await;
    world.sms(first).await;
    world.whatsapp(second).await;
    world.reaches(conversation, "sms_text", first).await;
    let sent = world.reaches(conversation, "text", second).await;
    // What WhatsApp finds out about the second number holds for no other.
    let reference = &sent["attempts"][0]["provider_ref"];
    let errors = json!([{"code": 131047, "title": "Re-engagement message"}]);
    let status =
        json!({"id": reference, "status": "failed", "timestamp": "NOW", "recipient_id": "NUMBER", "errors": errors});
    world.reports(second, json!({"statuses": [status]})).await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let again = world.agent.post(&path, json!({"seen": 0, "text": "Yes"})).await;
    again.is_refused(409, "window_closed");
    let asked = json!({"contact_id": ids[0], "category": "utility", "basis": "Order 1042", "text": "Yes"});
    let asked = world.agent.post("/api/v1/messages", asked).await.is(201).json();
    assert_eq!(asked["customer"]["number"], first);
    world.whatsapp(first).await;
    world.reaches(conversation, "text", first).await;
}
