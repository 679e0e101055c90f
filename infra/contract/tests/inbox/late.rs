//! WhatsApp finds out that the service window was closed when a reply is there already.

use domain::accounts::Role;
use jobs::SendMessage;
use kit::{Job, QueueName};
use serde_json::json;
use testkit::api::Town;
use testkit::business::business;
use testkit::{Aws, Provider};

use crate::wrote;

#[tokio::test]
async fn late_refusal_keeps_the_text_and_offers_what_can_be_sent() {
    let (aws, provider) = (Aws::new().await, Provider::start());
    let (town, business) = (Town::new(&aws, messages::routes).await, business(&aws).await);
    let sender = send_message::Context::new(&provider.env(&aws)).expect("a context");
    let events = process_provider_event::Context::new(aws.env()).expect("a context");
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let conversation = wrote(&aws, &business, 1).await;
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let said = json!({"seen": 1, "text": "Yes, for four at eight."});
    let sent = agent.post(&path, said.clone()).await.is(201).json();
    let [job] = &aws.take_jobs::<SendMessage>(QueueName::Sends).await[..] else {
        panic!("one job");
    };
    Box::pin(send_message::handle(Job::new(job.clone(), 1), &sender))
        .await
        .expect("it is sent");
    let message = format!("/api/v1/messages/{}", sent["id"].as_str().expect("an id"));
    let accepted = agent.get(&message).await.is(200).json();
    assert_eq!(accepted["state"], "accepted");
    let sent_at = aws.now();
    aws.pass(5);
    let status = json!({
        "id": accepted["attempts"][0]["provider_ref"], "status": "failed", "timestamp": aws.now().as_second().to_string(),
        "recipient_id": "971500000001", "errors": [{"code": 131047, "title": "Re-engagement message"}],
    });
    let event = business.whatsapp_event(&aws, "messages", &json!({"statuses": [status]}));
    Box::pin(process_provider_event::handle(Job::new(event, 1), &events))
        .await
        .expect("it is noted");
    let failed = agent.get(&message).await.is(200).json();
    assert_eq!(failed["state"], "failed");
    assert_eq!(failed["legs"][0]["text"], said["text"]);
    // The same text once more is refused at once, with the templates that can be sent.
    let again = json!({"seen": 2, "text": said["text"]});
    let refused = agent.post(&path, again).await.is_refused(409, "window_closed").json();
    assert_eq!(refused["facts"], json!({"closed_at": sent_at}));
    let template = &refused["templates"][0]["template"];
    let sent = agent.post(&path, json!({"seen": 2, "template": template})).await;
    sent.is(201);
}
