//! A tenant's first line is made from its connections.

use domain::tenants::Line;
use serde_json::json;
use testkit::Aws;
use testkit::api::Town;

use super::world::{World, telephony_in, twilio_in, whatsapp_in};
use super::{ALL, id};

async fn lines(town: &Town<'_>) -> Vec<Line> {
    let lines = town.aws().store().all(town.home.scope()).await;
    lines.expect("the table answers")
}

async fn only_line(town: &Town<'_>) -> Line {
    let [line] = <[Line; 1]>::try_from(lines(town).await).expect("one line");
    line
}

#[tokio::test]
async fn connections_make_and_complete_the_first_line() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    id(&manager.post(ALL, telephony_in()).await);
    assert_eq!(lines(&town).await, [], "it names nothing");
    let whatsapp = id(&manager.post(ALL, whatsapp_in()).await);
    let first = only_line(&town).await;
    assert_eq!(first.whatsapp.map(|id| id.to_string()), Some(whatsapp));
    assert_eq!((&first.number, &first.sms), (&None, &None));

    aws.pass(1);
    let twilio = id(&manager.post_once(ALL, "twice", twilio_in()).await);
    assert_eq!(id(&manager.post_once(ALL, "twice", twilio_in()).await), twilio);
    let line = only_line(&town).await;
    assert_eq!((line.id, line.whatsapp), (first.id, first.whatsapp));
    assert_eq!((line.created_at, line.updated_at), (first.created_at, aws.now()));
    let number = line.number.as_ref().map(ToString::to_string);
    assert_eq!(number.as_deref(), Some("+15005550006"));
    assert_eq!(line.sms.as_ref().map(|sms| sms.connection.to_string()), Some(twilio));
    // What it has stays.
    id(&manager.post(ALL, twilio_in()).await);
    assert_eq!(lines(&town).await, [line]);
}

#[tokio::test]
async fn numbers_given_later_make_and_complete_the_line() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let path = format!("{ALL}/{}", id(&manager.post(ALL, telephony_in()).await));
    let renamed = json!({"name": "Reception"});
    manager.patch(&path, renamed).await.is(200);
    assert_eq!(lines(&town).await, [], "no number is known");
    let numbers = json!({"numbers": ["+97143330000", "+97143330001"]});
    manager.patch(&path, numbers.clone()).await.is(200);
    let first = only_line(&town).await;
    let number = |line: &Line| line.number.as_ref().map(ToString::to_string);
    assert_eq!(number(&first).as_deref(), Some("+97143330000"));
    assert_eq!((first.whatsapp, &first.sms), (None, &None));

    // Repeated, it changes nothing; nor do other numbers, since the line has one.
    manager.patch(&path, numbers).await.is(200);
    manager.patch(&path, json!({"numbers": ["+97143330009"]})).await.is(200);
    assert_eq!(lines(&town).await, std::slice::from_ref(&first));

    // A connection that can send WhatsApp from now on.
    let twilio = id(&manager.post(ALL, twilio_in()).await);
    assert_eq!(only_line(&town).await.whatsapp, None);
    let sender = json!({"whatsapp_sender": "+15005550006"});
    manager.patch(&format!("{ALL}/{twilio}"), sender).await.is(200);
    let line = only_line(&town).await;
    assert_eq!(line.whatsapp.map(|id| id.to_string()), Some(twilio));
    assert_eq!((line.id, number(&line)), (first.id, number(&first)));
}

#[tokio::test]
async fn connections_made_at_once_make_one_line() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let (whatsapp, twilio) = tokio::join!(manager.post(ALL, whatsapp_in()), manager.post(ALL, twilio_in()));
    let (whatsapp, twilio) = (id(&whatsapp), id(&twilio));
    let line = only_line(&town).await;
    assert_eq!(line.whatsapp.map(|id| id.to_string()), Some(whatsapp));
    assert_eq!(line.sms.as_ref().map(|sms| sms.connection.to_string()), Some(twilio));
    assert!(line.number.is_some());
}
