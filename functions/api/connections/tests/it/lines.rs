//! A tenant's first line is made from its connections.

use domain::line::Line;
use testkit::{Aws, api::Town};

use crate::{
    ALL, id,
    world::{World, telephony_in, twilio_in, whatsapp_in},
};

async fn lines(town: &Town<'_>) -> Vec<Line> {
    let lines = town.aws().store().all(town.home.scope()).await;
    lines.expect("the table answers")
}

#[tokio::test]
async fn connections_make_and_complete_the_first_line() {
    let world = World::start().await;
    let aws = Aws::new().await;
    let town = world.town(&aws).await;
    let manager = town.manager();
    id(&manager.post(ALL, telephony_in()).await);
    assert_eq!(lines(&town).await, [], "it names nothing");
    let whatsapp = id(&manager.post(ALL, whatsapp_in()).await);
    let [first] = &lines(&town).await[..] else {
        panic!("one line");
    };
    assert_eq!(first.whatsapp.map(|id| id.to_string()), Some(whatsapp));
    assert_eq!((&first.number, &first.sms), (&None, &None));

    let twilio = id(&manager.post_once(ALL, "twice", twilio_in()).await);
    assert_eq!(id(&manager.post_once(ALL, "twice", twilio_in()).await), twilio);
    let [line] = &lines(&town).await[..] else {
        panic!("one line");
    };
    assert_eq!((line.id, line.whatsapp), (first.id, first.whatsapp));
    assert_eq!(
        line.number.as_ref().map(ToString::to_string).as_deref(),
        Some("+15005550006")
    );
    assert_eq!(line.sms.as_ref().map(|sms| sms.connection.to_string()), Some(twilio));
    // What it has stays.
    id(&manager.post(ALL, twilio_in()).await);
    assert_eq!(lines(&town).await, std::slice::from_ref(line));
}

#[tokio::test]
async fn connections_made_at_once_make_one_line() {
    let world = World::start().await;
    let aws = Aws::new().await;
    let town = world.town(&aws).await;
    let manager = town.manager();
    let (whatsapp, twilio) = tokio::join!(manager.post(ALL, whatsapp_in()), manager.post(ALL, twilio_in()));
    let (whatsapp, twilio) = (id(&whatsapp), id(&twilio));
    let [line] = &lines(&town).await[..] else {
        panic!("one line");
    };
    assert_eq!(line.whatsapp.map(|id| id.to_string()), Some(whatsapp));
    assert_eq!(line.sms.as_ref().map(|sms| sms.connection.to_string()), Some(twilio));
    assert!(line.number.is_some());
}
